package web

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chargewatch/chargewatch/internal/store"
)

// takeEvidence gives a pack out; who takes it is noted before the first byte.
func (s *Server) takeEvidence(w http.ResponseWriter, r *http.Request) {
	x, err := s.donePack(r)
	if err == nil {
		err = s.handOut(w, r, x, who(r.Context()).actor(), "")
	}
	if err != nil {
		writeProblem(w, s.problem(r.Context(), toldWhy(err)))
	}
}

func (s *Server) donePack(r *http.Request) (EvidenceShape, error) {
	x, err := s.pack(r.Context(), r.PathValue("id"))
	if err == nil && x.State != "done" {
		err = problemf(http.StatusConflict, "the pack is not made yet, or was deleted")
	}
	return x, err
}

// coverEvidence shows the cover sheet of a pack, to be printed.
func (s *Server) coverEvidence(w http.ResponseWriter, r *http.Request) {
	x, err := s.donePack(r)
	if err == nil {
		err = s.showCover(w, x)
	}
	if err != nil {
		writeProblem(w, s.problem(r.Context(), toldWhy(err)))
	}
}

// clipEvidence gives one film of a pack: the cover sheet refers to it.
func (s *Server) clipEvidence(w http.ResponseWriter, r *http.Request) {
	x, err := s.donePack(r)
	if err == nil {
		err = s.sendClip(w, r, x, "clips/"+r.PathValue("file"))
	}
	if err != nil {
		writeProblem(w, s.problem(r.Context(), toldWhy(err)))
	}
}

func (s *Server) sendClip(w http.ResponseWriter, r *http.Request, x EvidenceShape, file string) error {
	f, err := s.o.Evidence.OpenPackFile(x.ID, file)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := s.taken(r, x, who(r.Context()).actor(), "", file); err != nil {
		return err
	}
	fileHeader(w, "video/mp4", x.ID+"-"+path.Base(file))
	http.ServeContent(w, r, "", time.Time{}, f.ReadSeeker)
	return nil
}

// coverFile is the sheet for people in a pack; it has styles and no scripts.
const (
	coverFile   = "COVER.html"
	coverPolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

func (s *Server) showCover(w http.ResponseWriter, x EvidenceShape) error {
	f, err := s.o.Evidence.OpenPackFile(x.ID, coverFile)
	if err != nil {
		return err
	}
	defer f.Close()
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", coverPolicy)
	h.Set("Cache-Control", "private, no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	_, _ = io.Copy(w, f) // the caller may have gone
	return nil
}

// handOut sends a pack.
func (s *Server) handOut(w http.ResponseWriter, r *http.Request, x EvidenceShape, by store.Actor, link string) error {
	f, err := s.o.Evidence.OpenPack(x.ID)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := s.taken(r, x, by, link, ""); err != nil {
		return err
	}
	h := fileHeader(w, "application/zip", "evidence-"+x.ID+".zip")
	if link != "" { // a form was sent: there is nothing to continue later
		h.Set("Content-Length", fmt.Sprint(x.Bytes))
		_, _ = io.Copy(w, f) // the caller may have gone
		return nil
	}
	http.ServeContent(w, r, "", time.Time{}, f.ReadSeeker)
	return nil
}

// taken notes who takes a pack, or one file of it.
func (s *Server) taken(r *http.Request, x EvidenceShape, by store.Actor, link, file string) error {
	if s.viewed.again(look{string(by), x.ID, "evidence.take " + link + file}, s.now()) && link == "" {
		return nil
	}
	detail := map[string]any{"sha256": x.SHA256, "bytes": x.Bytes}
	if link != "" {
		detail["link"], detail["from"] = link, clientAddr(r, s.o.TrustedProxies).String()
	}
	if file != "" {
		detail["file"] = file
	}
	return s.o.Store.Record(r.Context(), by, "evidence.take", "evidence/"+x.ID, detail)
}

func fileHeader(w http.ResponseWriter, kind, name string) http.Header {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name))
	h.Set("Cache-Control", "private, no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	return h
}

func (s *Server) evidenceKey(w http.ResponseWriter, _ *http.Request) {
	if s.o.Evidence == nil {
		writeProblem(w, problemf(http.StatusNotFound, "nothing is recorded"))
		return
	}
	fileHeader(w, "application/x-pem-file", "evidence-key.pem")
	_, _ = io.WriteString(w, s.o.Evidence.EvidenceKey().PEM) // the caller may have gone
}

func (s *Server) getEvidenceKey(context.Context, *struct{}) (*evidenceKeyOutput, error) {
	if s.o.Evidence == nil {
		return nil, problemf(http.StatusConflict, "nothing is recorded")
	}
	return &evidenceKeyOutput{Body: s.o.Evidence.EvidenceKey()}, nil
}

// maxEvidenceLog bounds what is shown of a pack; the audit log has all.
const maxEvidenceLog = 500

// logEvidence shows who did what with a pack.
func (s *Server) logEvidence(ctx context.Context, in *evidenceInput) (*listOutput[AuditShape], error) {
	x, err := s.pack(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	found, err := s.o.Store.AuditOf(ctx, "evidence/"+x.ID, maxEvidenceLog)
	if err != nil {
		return nil, err
	}
	shape, err := s.audited(ctx, found)
	if err != nil {
		return nil, err
	}
	return listed("evidenceLog", maxEvidenceLog, found, func(e store.AuditEntry) string { return e.Subject }, shape), nil
}

// hideEvidence makes a second pack; the first stays as it is.
func (s *Server) hideEvidence(ctx context.Context, in *evidenceHideInput) (*evidenceOutput, error) {
	x, err := s.pack(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	// Behind the look for the pack, so that nobody learns which others there are.
	p := who(ctx)
	if err := s.fresh(p); err != nil {
		return nil, err
	}
	if err := reasoned(in.Body.Reason); err != nil {
		return nil, err
	}
	h := EvidenceHiding{Hide: make(map[string][][][2]float64), Reason: in.Body.Reason, By: p.ID, ByName: p.Name, Language: in.Body.Language}
	known := make(map[string]bool)
	for _, c := range x.Cameras {
		known[c.ID] = true
		if stored, ok := s.o.Store.Camera(c.ID); ok {
			for _, z := range stored.Private() {
				h.Hide[c.ID] = append(h.Hide[c.ID], z.Polygon)
			}
		}
	}
	for i, a := range in.Body.Areas {
		if !known[a.Camera] {
			return nil, invalid(fmt.Sprintf("areas[%d].camera", i), "the pack has no such camera", a.Camera)
		}
		for _, corner := range a.Polygon {
			if !(corner[0] >= 0 && corner[0] <= 1 && corner[1] >= 0 && corner[1] <= 1) {
				return nil, invalid(fmt.Sprintf("areas[%d].polygon", i), "corners are shares of width and height, 0 to 1", corner)
			}
		}
		h.Hide[a.Camera] = append(h.Hide[a.Camera], a.Polygon)
	}
	if len(h.Hide) == 0 {
		return nil, invalid("areas", "no camera of the pack has anything to hide: draw an area", nil)
	}
	made, err := s.o.Evidence.HidePack(ctx, x.ID, h)
	if err != nil {
		return nil, toldWhy(err)
	}
	if err := s.o.Store.Record(ctx, p.actor(), "evidence.hide", "evidence/"+x.ID, map[string]any{"pack": made.ID, "reason": made.Reason}); err != nil {
		return nil, err
	}
	if err := s.o.Store.Record(ctx, p.actor(), "evidence.ask", "evidence/"+made.ID, map[string]any{"original": x.ID, "reason": made.Reason}); err != nil {
		return nil, err
	}
	return &evidenceOutput{Body: made}, nil
}

func reasoned(reason string) error {
	if utf8.RuneCountInString(strings.TrimSpace(reason)) < 3 {
		return invalid("reason", "say why, in 3 characters or more", reason)
	}
	return nil
}

// deleteEvidence ends a pack. The note in the audit log comes first: nothing goes
// without one.
func (s *Server) deleteEvidence(ctx context.Context, in *evidenceReasonInput) (*evidenceOutput, error) {
	x, err := s.pack(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	p := who(ctx)
	if err := s.fresh(p); err != nil {
		return nil, err
	}
	if err := reasoned(in.Body.Reason); err != nil {
		return nil, err
	}
	if x.State == "deleted" {
		return nil, problemf(http.StatusConflict, "the pack was deleted before")
	}
	if err := s.o.Store.Record(ctx, p.actor(), "evidence.delete", "evidence/"+x.ID, map[string]any{
		"reason": in.Body.Reason, "sha256": x.SHA256, "released": x.Held,
	}); err != nil {
		return nil, err
	}
	gone, err := s.o.Evidence.DeletePack(x.ID, EvidenceDeletion{By: p.ID, ByName: p.Name, Reason: in.Body.Reason})
	return &evidenceOutput{Body: gone}, toldWhy(err)
}

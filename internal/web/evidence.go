package web

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/store"
)

// EvidenceShape is a pack of evidence.
type EvidenceShape struct {
	ID          string              `json:"id"`
	State       string              `json:"state" enum:"queued,running,done,failed"`
	Problem     string              `json:"problem" enum:"nothing,failed," doc:"why it failed; nothing: there are no pictures of this time"`
	Cameras     []string            `json:"cameras"`
	SiteIDs     []string            `json:"siteIds"`
	Incident    string              `json:"incident" doc:"empty: none"`
	From        time.Time           `json:"from"`
	To          time.Time           `json:"to"`
	Reason      string              `json:"reason"`
	By          string              `json:"by"`
	ByName      string              `json:"byName"`
	AskedAt     time.Time           `json:"askedAt"`
	DoneAt      *time.Time          `json:"doneAt"`
	Bytes       int64               `json:"bytes"`
	SHA256      string              `json:"sha256" doc:"of the pack"`
	Segments    int                 `json:"segments"`
	Lacking     int                 `json:"lacking" doc:"recorded files that were gone or changed before the pack was made"`
	Fingerprint string              `json:"fingerprint" doc:"of the key that signs"`
	Links       []EvidenceLinkShape `json:"links"`
}

// EvidenceLinkShape is a link to a pack for somebody without an account.
type EvidenceLinkShape struct {
	ID        string    `json:"id"`
	MadeAt    time.Time `json:"madeAt"`
	ExpiresAt time.Time `json:"expiresAt"`
	Open      bool      `json:"open" doc:"it can be used"`
	Taken     int       `json:"taken" doc:"how often the pack was taken with it"`
	// Token and Passcode are given once, when it is made.
	URL      string `json:"url,omitempty" doc:"given once"`
	Passcode string `json:"passcode,omitempty" doc:"given once; tell it by another way than the link"`
}

// EvidenceRequest asks for a pack.
type EvidenceRequest struct {
	Cameras    []*store.Camera
	From, To   time.Time
	Reason     string
	By, ByName string
	Incident   string
	Timeline   json.RawMessage
}

// ChainHead is the newest link of a stream's chain.
type ChainHead struct {
	Camera string     `json:"camera"`
	Stream string     `json:"stream"`
	Seq    uint64     `json:"seq"`
	Link   string     `json:"link"`
	To     *time.Time `json:"to"`
}

// Evidence makes packs of evidence. Its errors are *ViewingError where a caller can
// be told why.
type Evidence interface {
	Ask(ctx context.Context, r EvidenceRequest) (EvidenceShape, error)
	Packs() []EvidenceShape
	Pack(id string) (EvidenceShape, bool)
	OpenPack(id string) (FootageClip, error)
	SharePack(id string, until time.Time) (link EvidenceLinkShape, token string, err error)
	UnsharePack(id, link string) error
	// SharedPack is what a link leads to, UnlockPack uses it.
	SharedPack(token string) (EvidenceShape, error)
	UnlockPack(token, passcode string) (EvidenceShape, string, error)
	// EvidenceKey is the public key as a PEM file.
	EvidenceKey() (pem []byte, fingerprint string)
	// ChainHeads are signed as SignHeads says.
	ChainHeads() []ChainHead
	SignHeads(b []byte) []byte
}

type (
	evidenceInput struct {
		ID string `path:"id" maxLength:"64"`
	}
	evidenceOutput   struct{ Body EvidenceShape }
	newEvidenceInput struct {
		Body struct {
			Incident string     `json:"incident,omitempty" maxLength:"64" doc:"all cameras of its site; or name cameras"`
			Cameras  []string   `json:"cameras,omitempty" maxItems:"64"`
			From     *time.Time `json:"from,omitempty" doc:"of an incident: a minute before it opened, if missing"`
			To       *time.Time `json:"to,omitempty" doc:"of an incident: when it was repaired, or now, if missing"`
			Reason   string     `json:"reason" minLength:"3" maxLength:"500"`
		}
	}
	newEvidenceLinkInput struct {
		ID   string `path:"id" maxLength:"64"`
		Body struct {
			ExpiresAt *time.Time `json:"expiresAt,omitempty" doc:"at most 30 days ahead; default in 7"`
		}
	}
	evidenceLinkOutput struct{ Body EvidenceLinkShape }
	evidenceLinkInput  struct {
		ID   string `path:"id" maxLength:"64"`
		Link string `path:"link" maxLength:"64"`
	}
	chainOutput struct {
		Body struct {
			At          time.Time   `json:"at"`
			Heads       []ChainHead `json:"heads"`
			Fingerprint string      `json:"fingerprint"`
			Signed      string      `json:"signed" doc:"at and heads as they were signed"`
			Signature   string      `json:"signature" doc:"Ed25519, in hexadecimal"`
		}
	}
)

func (s *Server) registerEvidence() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"evidence"}}
	}
	see := filtered(EvidenceExport)
	add(s, see, op("listEvidence", http.MethodGet, "/evidence", "Packs of evidence, newest first", 0), s.listEvidence)
	add(s, see.reauthenticated(), op("askEvidence", http.MethodPost, "/evidence", "Make a pack of evidence", http.StatusAccepted), s.askEvidence)
	add(s, see, op("getEvidence", http.MethodGet, "/evidence/{id}", "One pack", 0), s.getEvidence)
	add(s, see, op("shareEvidence", http.MethodPost, "/evidence/{id}/links", "A link for somebody without an account", http.StatusCreated), s.shareEvidence)
	add(s, see, op("unshareEvidence", http.MethodDelete, "/evidence/{id}/links/{link}", "End a link", http.StatusNoContent), s.unshareEvidence)
	add(s, global(EvidenceExport), op("chainHeads", http.MethodGet, "/evidence/heads", "The newest links of all chains, to be kept elsewhere", 0), s.chainHeads)
	s.raw(http.MethodGet, base+"/evidence/{id}/pack.zip", see, s.takeEvidence)
	s.raw(http.MethodGet, base+"/evidence/key.pem", see, s.evidenceKey)
	s.registerShared()
}

// mayTake reports whether a pack is wholly of sites that the caller answers for.
func mayTake(allowed Scope, x EvidenceShape) bool {
	return !slices.ContainsFunc(x.SiteIDs, func(site string) bool { return !allowed.Allows(site) })
}

// pack finds a pack that the caller may have.
func (s *Server) pack(ctx context.Context, id string) (EvidenceShape, error) {
	if s.o.Evidence != nil {
		if x, ok := s.o.Evidence.Pack(id); ok && mayTake(scope(ctx, EvidenceExport), x) {
			return x, nil
		}
	}
	return EvidenceShape{}, problemf(http.StatusNotFound, "no such pack of evidence")
}

func (s *Server) listEvidence(ctx context.Context, in *Page) (*listOutput[EvidenceShape], error) {
	before, err := decodeCursor("evidence", in.Cursor)
	if err != nil {
		return nil, err
	}
	if s.o.Evidence == nil {
		return listOf[EvidenceShape](nil, ""), nil
	}
	allowed := scope(ctx, EvidenceExport)
	var out []EvidenceShape
	found := before == ""
	for _, x := range s.o.Evidence.Packs() {
		if !found {
			found = x.ID == before
			continue
		}
		if !mayTake(allowed, x) {
			continue
		}
		if len(out) == in.Limit {
			return listOf(out, encodeCursor("evidence", out[len(out)-1].ID)), nil
		}
		out = append(out, x)
	}
	return listOf(out, ""), nil
}

func (s *Server) getEvidence(ctx context.Context, in *evidenceInput) (*evidenceOutput, error) {
	x, err := s.pack(ctx, in.ID)
	return &evidenceOutput{Body: x}, err
}

// toldWhy turns what somebody can be told into a problem.
func toldWhy(err error) error {
	if why, ok := errors.AsType[*ViewingError](err); ok {
		return problemf(why.Status, why.Reason)
	}
	return err
}

func invalid(field, reason string, value any) error {
	return problemf(http.StatusUnprocessableEntity, "validation failed", &huma.ErrorDetail{Message: reason, Location: "body." + field, Value: value})
}

func (s *Server) askEvidence(ctx context.Context, in *newEvidenceInput) (*evidenceOutput, error) {
	if s.o.Evidence == nil {
		return nil, problemf(http.StatusConflict, "nothing is recorded")
	}
	b, p, allowed := &in.Body, who(ctx), scope(ctx, EvidenceExport)
	r := EvidenceRequest{Reason: b.Reason, By: p.ID, ByName: p.Name, Incident: b.Incident}
	if (b.Incident == "") == (len(b.Cameras) == 0) {
		return nil, invalid("cameras", "name an incident or cameras", b.Cameras)
	}
	if b.Incident != "" {
		if err := s.ofIncident(ctx, b.Incident, allowed, &r); err != nil {
			return nil, err
		}
	}
	for i, id := range b.Cameras {
		c, ok := s.o.Store.Camera(id)
		if !ok || !allowed.Allows(c.SiteID) {
			return nil, invalid(fmt.Sprintf("cameras[%d]", i), "no such camera", id)
		}
		if !slices.Contains(r.Cameras, c) {
			r.Cameras = append(r.Cameras, c)
		}
	}
	for _, c := range r.Cameras {
		if len(c.Private()) > 0 && !scope(ctx, VideoUnmasked).Allows(c.SiteID) {
			return nil, problemf(http.StatusForbidden, "parts of the picture of "+c.ID+" are private: you see masked single pictures only")
		}
	}
	set(&r.From, b.From)
	set(&r.To, b.To)
	switch {
	case r.From.IsZero():
		return nil, invalid("from", "needed", nil)
	case r.To.IsZero():
		return nil, invalid("to", "needed", nil)
	case !r.To.After(r.From) || r.To.Sub(r.From) > longestEvidence:
		return nil, invalid("to", "after from, by at most 24 hours", r.To)
	}
	x, err := s.o.Evidence.Ask(ctx, r)
	if err != nil {
		return nil, toldWhy(err)
	}
	if err := s.o.Store.Record(ctx, p.actor(), "evidence.ask", "evidence/"+x.ID, map[string]any{
		"cameras": x.Cameras, "from": x.From, "to": x.To, "reason": x.Reason, "incident": x.Incident,
	}); err != nil {
		return nil, err
	}
	return &evidenceOutput{Body: x}, nil
}

const longestEvidence = 24 * time.Hour

// ofIncident takes cameras, time and history from an incident.
func (s *Server) ofIncident(ctx context.Context, id string, allowed Scope, r *EvidenceRequest) error {
	one, err := s.visible(ctx, id, IncidentsRead)
	if err != nil {
		return err
	}
	if one.SiteID == "" || !allowed.Allows(one.SiteID) {
		return invalid("incident", "it has no site, or none that you export evidence of", id)
	}
	for _, c := range s.o.Store.Cameras() {
		if c.SiteID == one.SiteID {
			r.Cameras = append(r.Cameras, c)
		}
	}
	if len(r.Cameras) == 0 {
		return invalid("incident", "its site has no cameras", id)
	}
	r.From, r.To = one.OpenedAt.Add(-time.Minute), s.now()
	if one.RepairedAt != nil {
		r.To = one.RepairedAt.Add(time.Minute)
	}
	if r.To.Sub(r.From) > longestEvidence {
		r.To = r.From.Add(longestEvidence)
	}
	detail, err := s.incidentDetail(ctx, one)
	if err != nil {
		return err
	}
	if r.Timeline, err = json.Marshal(detail.Body); err != nil {
		return fmt.Errorf("write the history of an incident: %w", err)
	}
	return nil
}

// takeEvidence gives a pack out; who takes it is noted before the first byte.
func (s *Server) takeEvidence(w http.ResponseWriter, r *http.Request) {
	x, err := s.pack(r.Context(), r.PathValue("id"))
	if err == nil && x.State != "done" {
		err = problemf(http.StatusConflict, "the pack is not made yet")
	}
	if err == nil {
		err = s.handOut(w, r, x, who(r.Context()).actor(), "")
	}
	if err != nil {
		writeProblem(w, s.problem(r.Context(), toldWhy(err)))
	}
}

// handOut sends a pack.
func (s *Server) handOut(w http.ResponseWriter, r *http.Request, x EvidenceShape, by store.Actor, link string) error {
	f, err := s.o.Evidence.OpenPack(x.ID)
	if err != nil {
		return err
	}
	defer f.Close()
	key := look{string(by), x.ID, "evidence.take " + link}
	if !s.viewed.again(key, s.now()) || link != "" {
		detail := map[string]any{"sha256": x.SHA256, "bytes": x.Bytes}
		if link != "" {
			detail["link"], detail["from"] = link, clientAddr(r, s.o.TrustedProxies).String()
		}
		if err := s.o.Store.Record(r.Context(), by, "evidence.take", "evidence/"+x.ID, detail); err != nil {
			return err
		}
	}
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", "evidence-"+x.ID+".zip"))
	h.Set("Cache-Control", "private, no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if link != "" { // a form was sent: there is nothing to continue later
		h.Set("Content-Length", fmt.Sprint(x.Bytes))
		_, _ = io.Copy(w, f) // the caller may have gone
		return nil
	}
	http.ServeContent(w, r, "", time.Time{}, f.ReadSeeker)
	return nil
}

func (s *Server) evidenceKey(w http.ResponseWriter, r *http.Request) {
	if s.o.Evidence == nil {
		writeProblem(w, problemf(http.StatusNotFound, "nothing is recorded"))
		return
	}
	pem, _ := s.o.Evidence.EvidenceKey()
	h := w.Header()
	h.Set("Content-Type", "application/x-pem-file")
	h.Set("Content-Disposition", `attachment; filename="evidence-key.pem"`)
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(pem) // the caller may have gone
}

func (s *Server) shareEvidence(ctx context.Context, in *newEvidenceLinkInput) (*evidenceLinkOutput, error) {
	x, err := s.pack(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	// Behind the look for the pack, so that nobody learns which others there are.
	if err := s.fresh(who(ctx)); err != nil {
		return nil, err
	}
	until := s.now().Add(7 * 24 * time.Hour)
	set(&until, in.Body.ExpiresAt)
	l, token, err := s.o.Evidence.SharePack(x.ID, until)
	if err != nil {
		return nil, toldWhy(err)
	}
	if err := s.o.Store.Record(ctx, who(ctx).actor(), "evidence.share", "evidence/"+x.ID, map[string]any{"link": l.ID, "expiresAt": l.ExpiresAt}); err != nil {
		return nil, errors.Join(err, s.o.Evidence.UnsharePack(x.ID, l.ID))
	}
	l.URL = sharedPath + "?t=" + token
	return &evidenceLinkOutput{Body: l}, nil
}

func (s *Server) unshareEvidence(ctx context.Context, in *evidenceLinkInput) (*struct{}, error) {
	x, err := s.pack(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := s.o.Evidence.UnsharePack(x.ID, in.Link); err != nil {
		return nil, toldWhy(err)
	}
	return nil, s.o.Store.Record(ctx, who(ctx).actor(), "evidence.unshare", "evidence/"+x.ID, map[string]any{"link": in.Link})
}

func (s *Server) chainHeads(context.Context, *struct{}) (*chainOutput, error) {
	out := &chainOutput{}
	out.Body.At, out.Body.Heads = s.now().UTC(), []ChainHead{}
	if s.o.Evidence == nil {
		return out, nil
	}
	out.Body.Heads = list(s.o.Evidence.ChainHeads())
	_, out.Body.Fingerprint = s.o.Evidence.EvidenceKey()
	text, err := json.Marshal(map[string]any{"at": out.Body.At, "heads": out.Body.Heads})
	if err != nil {
		return nil, fmt.Errorf("write the heads of chains: %w", err)
	}
	out.Body.Signed, out.Body.Signature = string(text), hex.EncodeToString(s.o.Evidence.SignHeads(text))
	return out, nil
}

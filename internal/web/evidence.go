package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/store"
)

// EvidenceShape is a pack of evidence.
type EvidenceShape struct {
	ID          string              `json:"id"`
	State       string              `json:"state" enum:"queued,running,done,failed,deleted"`
	Problem     string              `json:"problem" enum:"nothing,disk,mask,ffmpeg,failed," doc:"why it failed; nothing: there are no pictures of this time; mask: it could not be proved that all is hidden"`
	Cameras     []EvidenceCamera    `json:"cameras"`
	SiteIDs     []string            `json:"siteIds"`
	Incident    string              `json:"incident" doc:"empty: none"`
	Original    string              `json:"original" doc:"the pack whose pictures were painted over; empty: these are the pictures as they were recorded"`
	From        time.Time           `json:"from"`
	To          time.Time           `json:"to"`
	Reason      string              `json:"reason"`
	By          string              `json:"by"`
	ByName      string              `json:"byName"`
	AskedAt     time.Time           `json:"askedAt"`
	DoneAt      *time.Time          `json:"doneAt"`
	DoneBytes   int64               `json:"doneBytes" doc:"written so far, of totalBytes"`
	TotalBytes  int64               `json:"totalBytes"`
	Bytes       int64               `json:"bytes"`
	SHA256      string              `json:"sha256" doc:"of the pack"`
	Segments    int                 `json:"segments"`
	Lacking     int                 `json:"lacking" doc:"recorded files that were gone or changed before the pack was made, and heads that the chain does not lead to"`
	Held        int                 `json:"held" doc:"cameras whose recordings of this time are locked for the pack"`
	Fingerprint string              `json:"fingerprint" doc:"of the key that signs"`
	Links       []EvidenceLinkShape `json:"links"`
	Deletion    *EvidenceDeletion   `json:"deletion"`
}

// EvidenceCamera is a camera of a pack.
type EvidenceCamera struct {
	ID    string `json:"id"`
	Label string `json:"label"`
}

// EvidenceDeletion is the end of a pack.
type EvidenceDeletion struct {
	By     string    `json:"by"`
	ByName string    `json:"byName"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

// EvidenceLinkShape is a link to a pack for somebody without an account.
type EvidenceLinkShape struct {
	ID        string     `json:"id"`
	MadeAt    time.Time  `json:"madeAt"`
	ExpiresAt time.Time  `json:"expiresAt"`
	Open      bool       `json:"open" doc:"it can be used"`
	Ended     bool       `json:"ended" doc:"a person ended it"`
	Seen      int        `json:"seen" doc:"how often its page was opened with the passcode"`
	Taken     int        `json:"taken" doc:"how often the pack was taken with it"`
	Wrong     int        `json:"wrong" doc:"wrong passcodes; ten lock it"`
	UsedAt    *time.Time `json:"usedAt"`
	// URL and Passcode are given once, when it is made.
	URL      string `json:"url,omitempty" doc:"given once"`
	Passcode string `json:"passcode,omitempty" doc:"given once; tell it by another way than the link"`
}

// EvidenceContent is what a pack holds, for whoever was given a link to it.
type EvidenceContent struct {
	Cameras []EvidenceContentCamera
	Derived bool
}

// EvidenceContentCamera is what a pack holds of one camera.
type EvidenceContentCamera struct {
	Name  string
	Clips []EvidenceClip
}

// EvidenceClip is one file for looking at.
type EvidenceClip struct {
	File     string
	From, To time.Time
	Bytes    int64
}

// EvidenceRequest asks for a pack.
type EvidenceRequest struct {
	Cameras    []*store.Camera
	From, To   time.Time
	Reason     string
	By, ByName string
	Incident   string
	Timeline   json.RawMessage
	Language   string // of the sheets: en or de
	// Sites and Stations are those of the incident; People and Audit say whether names
	// of people, and what was done about other things, may be in the pack.
	Sites, Stations []string
	People, Audit   bool
}

// EvidenceHiding asks for a pack in which parts of the pictures of another are
// painted over: by camera, beside what is private anyway.
type EvidenceHiding struct {
	Hide       map[string][][][2]float64
	Reason     string
	By, ByName string
	Language   string
}

// ChainHead is the newest link of a stream's chain.
type ChainHead struct {
	Camera string     `json:"camera"`
	Stream string     `json:"stream"`
	Seq    uint64     `json:"seq"`
	Link   string     `json:"link"`
	To     *time.Time `json:"to" doc:"the last picture under it"`
	At     time.Time  `json:"at"`
	// Signature covers the head alone, so that one can be handed on without the others.
	Signature string `json:"signature" doc:"Ed25519 of the head, in hexadecimal; chargewatch verify evidence --heads checks it"`
}

// EvidenceKeyShape is what somebody needs who checks packs.
type EvidenceKeyShape struct {
	Fingerprint string `json:"fingerprint"`
	PEM         string `json:"pem"`
	CanHide     bool   `json:"canHide" doc:"parts of pictures can be painted over: ffmpeg is installed"`
	// Heads are taken so often and left there.
	HeadsEverySeconds float64    `json:"headsEverySeconds"`
	HeadsTo           string     `json:"headsTo" enum:"folder,address," doc:"where heads of chains are left outside this machine; empty: nowhere"`
	HeadsAt           *time.Time `json:"headsAt" doc:"when they were last left there"`
	HeadsFault        string     `json:"headsFault" doc:"why they could not be left there last; empty: they were"`
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
	HidePack(ctx context.Context, id string, h EvidenceHiding) (EvidenceShape, error)
	DeletePack(id string, d EvidenceDeletion) (EvidenceShape, error)
	// SharedPack is what a link leads to, UnlockPack uses it: to take the pack or a
	// file of it, or to see what it holds.
	SharedPack(token string) (EvidenceShape, error)
	UnlockPack(token, passcode string, take bool) (EvidenceShape, string, error)
	PackContent(id string) (EvidenceContent, error)
	// OpenPackFile opens a clip or the cover sheet of a pack.
	OpenPackFile(id, file string) (FootageClip, error)
	EvidenceKey() EvidenceKeyShape
	// ChainHeads signs the newest links of all chains.
	ChainHeads() (time.Time, []ChainHead)
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
			Language string     `json:"language,omitempty" enum:"en,de" doc:"of the sheets for people; default en"`
		}
	}
	evidenceReasonInput struct {
		ID   string `path:"id" maxLength:"64"`
		Body struct {
			Reason string `json:"reason,omitempty" maxLength:"500" doc:"needed, 3 characters or more"`
		}
	}
	evidenceHideInput struct {
		ID   string `path:"id" maxLength:"64"`
		Body struct {
			Reason   string             `json:"reason,omitempty" maxLength:"500" doc:"needed, 3 characters or more"`
			Language string             `json:"language,omitempty" enum:"en,de"`
			Areas    []evidenceAreaBody `json:"areas,omitempty" maxItems:"256" doc:"beside the private parts that cameras have anyway; cameras with none are left out"`
		}
	}
	evidenceAreaBody struct {
		Camera  string       `json:"camera" maxLength:"64"`
		Polygon [][2]float64 `json:"polygon" minItems:"3" maxItems:"64" doc:"corners as shares of width and height, 0 to 1"`
	}
	evidenceKeyOutput    struct{ Body EvidenceKeyShape }
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
	add(s, see, op("logEvidence", http.MethodGet, "/evidence/{id}/log", "Who made, saw, shared and took a pack, newest first", 0), s.logEvidence)
	add(s, see, op("hideEvidence", http.MethodPost, "/evidence/{id}/hidden", "Make a pack in which parts of the pictures are painted over", http.StatusAccepted), s.hideEvidence)
	add(s, see, op("deleteEvidence", http.MethodPost, "/evidence/{id}/delete", "Delete a pack and let its recordings go", 0), s.deleteEvidence)
	add(s, see, op("getEvidenceKey", http.MethodGet, "/evidence/key", "What somebody needs who checks packs", 0), s.getEvidenceKey)
	s.raw(http.MethodGet, base+"/evidence/{id}/pack.zip", see, s.takeEvidence)
	s.raw(http.MethodGet, base+"/evidence/{id}/cover.html", see, s.coverEvidence)
	s.raw(http.MethodGet, base+"/evidence/{id}/clips/{file}", see, s.clipEvidence)
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
	r := EvidenceRequest{Reason: b.Reason, By: p.ID, ByName: p.Name, Incident: b.Incident, Language: b.Language}
	if (b.Incident == "") == (len(b.Cameras) == 0) {
		return nil, invalid("cameras", "name an incident or cameras", b.Cameras)
	}
	if b.Incident != "" {
		if err := s.ofIncident(ctx, b.Incident, allowed, &r); err != nil {
			return nil, err
		}
	}
	for i, id := range b.Cameras {
		c, ok := s.o.Store.Filmed(id)
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
	ids := make([]string, 0, len(r.Cameras))
	for _, c := range r.Cameras {
		ids = append(ids, c.ID)
	}
	if err := s.o.Store.Record(ctx, p.actor(), "evidence.ask", "evidence/"+x.ID, map[string]any{
		"cameras": ids, "from": x.From, "to": x.To, "reason": x.Reason, "incident": x.Incident,
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
	r.Sites, r.Stations = []string{one.SiteID}, s.stationsAbout(one)
	r.People, r.Audit = scope(ctx, PeopleRead).Allows(one.SiteID), scope(ctx, AuditRead).all
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

// mostSiteStations bounds the stations of a site whose messages are in a pack.
const mostSiteStations = 50

// stationsAbout are the stations that an incident names; of one that names none, such
// as of a door, those of its site.
func (s *Server) stationsAbout(one *incident.Incident) []string {
	var out []string
	for _, text := range append([]string{event.Station(one.Station).String()}, one.Subjects...) {
		subject, err := event.ParseSubject(text)
		if err != nil || subject.Type != event.StationSubject || subject.ID == "" || slices.Contains(out, subject.ID) {
			continue
		}
		if site, ok := s.siteOf(subject.ID); ok && site == one.SiteID {
			out = append(out, subject.ID)
		}
	}
	if len(out) > 0 {
		return out
	}
	for _, e := range s.o.Store.StationsOf(one.SiteID) {
		if len(out) < mostSiteStations {
			out = append(out, e.ID)
		}
	}
	return out
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
	var heads []ChainHead
	out.Body.At, heads = s.o.Evidence.ChainHeads()
	out.Body.Heads, out.Body.Fingerprint = list(heads), s.o.Evidence.EvidenceKey().Fingerprint
	return out, nil
}

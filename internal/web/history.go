package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/store"
)

type sessionsInput struct {
	Page
	Station     string    `query:"station" maxLength:"48"`
	Site        string    `query:"site" maxLength:"48" doc:"that it began at"`
	Active      string    `query:"active" enum:"true,false"`
	Transaction string    `query:"transaction" maxLength:"64" doc:"as the station called it"`
	Flagged     bool      `query:"flagged" doc:"only those with a doubt about their record"`
	From        time.Time `query:"from" doc:"sessions that touch the time from here"`
	To          time.Time `query:"to" doc:"to here, not included"`
	Credential  string    `query:"credential" maxLength:"255" doc:"id of a credential, opaque id or value of a token; for those who may see tokens"`
}

type sessionInput struct {
	ID string `path:"id" maxLength:"64"`
}

type sessionOutput struct{ Body SessionShape }

type eventsInput struct {
	Page
	Subject string    `query:"subject" maxLength:"100" doc:"as events carry it; a station includes its EVSEs"`
	Site    string    `query:"site" maxLength:"48" doc:"of the site and the stations that are there now"`
	Kind    string    `query:"kind" maxLength:"200" doc:"one or more, by comma; measurements only when named: the list is then in the order of recording, and a page may be short and yet have a nextCursor"`
	From    time.Time `query:"from"`
	To      time.Time `query:"to" doc:"not included"`
}

// ConformanceShape is one oddity of a station's frames, counted.
type ConformanceShape struct {
	Station  string    `json:"station"`
	Code     string    `json:"code"`
	Count    int       `json:"count"`
	FirstAt  time.Time `json:"firstAt"`
	LastAt   time.Time `json:"lastAt"`
	Example  string    `json:"example" doc:"sequence of an event that shows it"`
	Vendor   string    `json:"vendor"`
	Model    string    `json:"model"`
	Firmware string    `json:"firmware"`
	Known    bool      `json:"known" doc:"the model catalogue names it as a habit of the model"`
}

func (s *Server) registerHistory() {
	add(s, filtered(SessionsRead), huma.Operation{
		OperationID: "listSessions", Method: http.MethodGet, Path: "/sessions", Summary: "Sessions, newest first", Tags: []string{"sessions"},
	}, s.listSessions)
	add(s, filtered(SessionsRead), huma.Operation{
		OperationID: "getSession", Method: http.MethodGet, Path: "/sessions/{id}", Summary: "One session", Tags: []string{"sessions"},
	}, s.getSession)
	add(s, filtered(EventsRead), huma.Operation{
		OperationID: "listEvents", Method: http.MethodGet, Path: "/events", Summary: "The journal, newest first", Tags: []string{"events"},
	}, s.listEvents)
	add(s, atStation(ConformanceRead), huma.Operation{
		OperationID: "getConformance", Method: http.MethodGet, Path: "/stations/{station}/conformance", Tags: []string{"stations"},
		Summary: "What was odd about its frames",
	}, s.getConformance)
}

// scan fills a page of a list that the journal cannot filter by site. It reads
// at most scanPages large pages and then gives what it found with a cursor to
// go on from.
func scan[T any](limit int, before journal.Cursor, keep func(T) bool,
	read func(limit int, before journal.Cursor) ([]T, journal.Cursor, error)) ([]T, journal.Cursor, error) {
	const scanPages = 50
	var out []T
	for range scanPages {
		page, next, err := read(journal.MaxLimit, before)
		if err != nil {
			return nil, "", err
		}
		for i, x := range page {
			if !keep(x) {
				continue
			}
			if out = append(out, x); len(out) == limit {
				if i+1 == len(page) {
					return out, next, nil
				}
				// Read again up to here, for the cursor behind this one.
				_, next, err := read(i+1, before)
				return out, next, err
			}
		}
		if before = next; next == "" {
			break
		}
	}
	return out, before, nil
}

func (s *Server) listSessions(ctx context.Context, in *sessionsInput) (*listOutput[SessionShape], error) {
	before, err := decodeCursor("sessions", in.Cursor)
	if err != nil {
		return nil, err
	}
	allowed := scope(ctx, SessionsRead).within(in.Site)
	q := journal.SessionQuery{
		Station: in.Station, Transaction: in.Transaction, Sites: allowed.sitesOrNil(), Flagged: in.Flagged, From: in.From, To: in.To, Limit: in.Limit, Before: journal.Cursor(before),
	}
	if in.Active != "" {
		q.Active = new(in.Active == "true")
	}
	if in.Credential != "" {
		q.Sites = allowed.and(scope(ctx, IDTokensRead)).sitesOrNil()
		if q.TokenID, err = s.tokenOf(ctx, in.Credential); err != nil {
			return nil, err
		}
		if q.TokenID == "" {
			return listOf[SessionShape](nil, ""), nil
		}
	}
	found, next, err := s.o.History.Sessions(ctx, q)
	if err != nil {
		return nil, err
	}
	out, err := s.sessionShapes(ctx, found)
	if err != nil {
		return nil, err
	}
	return listOf(out, encodeCursor("sessions", string(next))), nil
}

// tokenOf finds the opaque id of a token by its credential's id, by that id or
// by its value.
func (s *Server) tokenOf(ctx context.Context, credential string) (string, error) {
	if scope(ctx, IDTokensRead).Empty() {
		return "", nil
	}
	if known, err := s.o.Store.Tokens(ctx, credential); err != nil || len(known) > 0 {
		return credential, err
	}
	c, err := s.o.Store.Credential(ctx, credential)
	if err == nil {
		return c.TokenID, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	id, _, err := s.o.Store.FindToken(ctx, credential)
	return id, err
}

func (s *Server) sessionShapes(ctx context.Context, found []*fleet.Session) ([]SessionShape, error) {
	ids := make([]string, 0, len(found))
	for _, x := range found {
		ids = append(ids, x.TokenID)
	}
	tokens, err := s.o.Store.Tokens(ctx, ids...)
	if err != nil {
		return nil, err
	}
	reveal := scope(ctx, IDTokensRead)
	out := make([]SessionShape, 0, len(found))
	for _, x := range found {
		out = append(out, s.sessionShape(x, tokens[x.TokenID], reveal))
	}
	return out, nil
}

func (s *Server) getSession(ctx context.Context, in *sessionInput) (*sessionOutput, error) {
	x, err := s.o.History.Session(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if !scope(ctx, SessionsRead).Allows(x.SiteID) {
		return nil, problemf(http.StatusNotFound, "no such session")
	}
	out, err := s.sessionShapes(ctx, []*fleet.Session{x})
	if err != nil {
		return nil, err
	}
	return &sessionOutput{Body: out[0]}, nil
}

func (s *Server) listEvents(ctx context.Context, in *eventsInput) (*listOutput[EventShape], error) {
	before, err := decodeCursor("events", in.Cursor)
	if err != nil {
		return nil, err
	}
	q := journal.EventQuery{From: in.From, To: in.To}
	if in.Subject != "" {
		if q.Subject, err = event.ParseSubject(in.Subject); err != nil {
			return nil, problemf(http.StatusUnprocessableEntity, "validation failed",
				&huma.ErrorDetail{Message: "not a subject such as station/ID", Location: "query.subject", Value: in.Subject})
		}
	}
	if in.Kind != "" {
		for kind := range strings.SplitSeq(in.Kind, ",") {
			if _, err := event.New(event.Kind(kind)); err != nil {
				return nil, problemf(http.StatusUnprocessableEntity, "validation failed",
					&huma.ErrorDetail{Message: "no such kind of event", Location: "query.kind", Value: kind})
			}
			q.Kinds = append(q.Kinds, event.Kind(kind))
		}
	}
	q.Among, q.Limit, q.Before = s.subjectsOf(scope(ctx, EventsRead).within(in.Site)), in.Limit, journal.Cursor(before)
	if q.Among != nil {
		review := scope(ctx, VideoReview).within(in.Site)
		for _, c := range s.o.Store.RemovedCameras() {
			if review.Allows(c.SiteID) {
				q.Among = append(q.Among, event.Camera(c.ID))
			}
		}
	}
	found, next, err := s.o.History.Events(ctx, q)
	if err != nil {
		return nil, err
	}
	out := make([]EventShape, 0, len(found))
	for _, e := range found {
		if need, site := s.beyond(e); need != "" && !scope(ctx, need).Allows(site) {
			continue
		}
		out = append(out, eventShape(e))
	}
	return listOf(out, encodeCursor("events", string(next))), nil
}

// subjectsOf lists what events of a scope are about: its sites, and the stations
// and cameras that are there now. Nil is everything.
func (s *Server) subjectsOf(allowed Scope) []event.Subject {
	if allowed.All() {
		return nil
	}
	list := make([]event.Subject, 0, len(allowed.sites))
	for _, site := range allowed.sitesOrNil() {
		list = append(list, event.Subject{Type: event.SiteSubject, ID: site})
	}
	enrolled := make(map[string]struct{})
	for _, e := range s.o.Store.Stations() {
		enrolled[e.ID] = struct{}{}
		if allowed.Allows(e.SiteID) {
			list = append(list, event.Station(e.ID))
		}
	}
	for _, d := range s.o.Store.Doors() {
		if allowed.Allows(d.SiteID) {
			list = append(list, event.Door(d.ID))
		}
	}
	for _, o := range s.o.Store.Outputs() {
		if allowed.Allows(o.SiteID) {
			list = append(list, event.Output(o.ID))
		}
	}
	for st := range s.o.Fleet.Snapshot().Stations() {
		if _, known := enrolled[st.ID]; !known && allowed.Allows(st.SiteID) {
			list = append(list, event.Station(st.ID))
		}
	}
	for _, c := range s.o.Store.Cameras() {
		if allowed.Allows(c.SiteID) {
			list = append(list, event.Camera(c.ID))
		}
	}
	return list
}

func (s *Server) getConformance(ctx context.Context, in *stationInput) (*listOutput[ConformanceShape], error) {
	found, err := s.o.History.Conformance(ctx, in.Station)
	if err != nil {
		return nil, err
	}
	out := make([]ConformanceShape, 0, len(found))
	models := s.o.Fleet.Snapshot().Catalogue()
	for _, c := range found {
		m, _ := models.Lookup(c.Vendor, c.Model)
		out = append(out, ConformanceShape{
			Known:   slices.Contains(m.Quirks, c.Code),
			Station: c.Station, Code: c.Code, Count: c.Count, FirstAt: c.FirstAt.UTC(), LastAt: c.LastAt.UTC(),
			Example: strconv.FormatUint(c.Example, 10), Vendor: c.Vendor, Model: c.Model, Firmware: c.Firmware,
		})
	}
	return listOf(out, ""), nil
}

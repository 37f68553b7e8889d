package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/store"
)

// TakenOverShape is that somebody took over.
type TakenOverShape struct {
	At         time.Time `json:"at"`
	By         string    `json:"by" doc:"opaque id"`
	ByName     string    `json:"byName"`
	BeforeName string    `json:"beforeName" doc:"who had it; empty: nobody"`
	Note       string    `json:"note"`
	Open       int       `json:"open" doc:"incidents that were open then"`
}

// HandoverShape is what somebody has to know who takes over now.
type HandoverShape struct {
	Since time.Time       `json:"since" doc:"when the shift began: the last hand-over, or what was asked for"`
	At    time.Time       `json:"at"`
	Last  *TakenOverShape `json:"last" doc:"null: nobody has taken over yet"`

	Open    []IncidentShape `json:"open" doc:"not over, the worst first"`
	Opened  []IncidentShape `json:"opened" doc:"since then, whatever became of them; newest first, at most 500"`
	Closed  []IncidentShape `json:"closed" doc:"since then; at most 500"`
	OnSite  []OnSiteShape   `json:"onSite" doc:"who works at a site"`
	Silent  []SilentShape   `json:"silent" doc:"silences and maintenance windows that hold now"`
	Guarded []GuardedShape  `json:"guarded" doc:"sites that are armed or on their guard"`
	Outputs []SwitchedShape `json:"outputs" doc:"what is switched on at sites, or does not obey"`
}

// OnSiteShape is somebody who works at a site.
type OnSiteShape struct {
	SiteID   string     `json:"siteId"`
	SiteName string     `json:"siteName"`
	Order    int64      `json:"order"`
	OrderID  string     `json:"orderId"`
	Title    string     `json:"title"`
	Name     string     `json:"name"`
	Since    *time.Time `json:"since"`
}

// SilentShape is what nobody is told of.
type SilentShape struct {
	ID     string     `json:"id"`
	Text   string     `json:"text"`
	Until  *time.Time `json:"until"`
	Muting int        `json:"muting"`
}

// GuardedShape is a site where more counts than usual.
type GuardedShape struct {
	SiteID     string     `json:"siteId"`
	SiteName   string     `json:"siteName"`
	Armed      bool       `json:"armed"`
	Until      *time.Time `json:"until" doc:"how long it is armed by a person's word; null: by its hours, or for good"`
	Heightened bool       `json:"heightened"`
	GuardUntil *time.Time `json:"guardUntil"`
}

// SwitchedShape is an output that is not at rest.
type SwitchedShape struct {
	ID       string     `json:"id"`
	Label    string     `json:"label"`
	SiteID   string     `json:"siteId"`
	SiteName string     `json:"siteName"`
	State    string     `json:"state"`
	Until    *time.Time `json:"until"`
}

type (
	handoverInput struct {
		Since time.Time `query:"since" doc:"default: the last hand-over, or 12 h ago; at most 7 days"`
		Site  string    `query:"site" maxLength:"48"`
	}
	handoverOutput struct{ Body HandoverShape }
	takeOverInput  struct {
		Body struct {
			Note string `json:"note,omitempty" maxLength:"4000"`
		}
	}
	shiftOutput struct{ Body TakenOverShape }
)

// Bounds of a shift.
const (
	shiftUsual = 12 * time.Hour
	shiftMost  = 7 * 24 * time.Hour
)

func (s *Server) registerHandover() {
	op := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"incidents"}}
	}
	add(s, filtered(NotesRead), op("getHandover", http.MethodGet, "/handover", "What somebody has to know who takes over now"), s.getHandover)
	add(s, filtered(IncidentsAct), op("takeOver", http.MethodPost, "/handover", "Take over the shift"), s.takeOver)
	add(s, filtered(NotesRead), op("listHandovers", http.MethodGet, "/handover/past", "Who took over when, newest first"), s.listHandovers)
}

// shift is a hand-over as those may read it who see all sites: what was written down
// may be about any.
func (s *Server) shift(ctx context.Context, h store.Handover) TakenOverShape {
	out := TakenOverShape{At: h.At.UTC(), By: string(h.By), ByName: s.nameOf(ctx, string(h.By)), Open: len(h.Open)}
	if h.Before != "" {
		out.BeforeName = s.nameOf(ctx, string(h.Before))
	}
	if scope(ctx, NotesRead).All() {
		out.Note = h.Note
	}
	return out
}

func (s *Server) getHandover(ctx context.Context, in *handoverInput) (*handoverOutput, error) {
	if s.o.Incidents == nil {
		return nil, errNoIncidents
	}
	now := s.now().UTC()
	out := HandoverShape{At: now, Since: in.Since}
	last, err := s.o.Store.Handovers(ctx, 0, 1)
	if err != nil {
		return nil, err
	}
	if len(last) > 0 {
		shift := s.shift(ctx, last[0])
		out.Last = &shift
	}
	switch {
	case !in.Since.IsZero():
	case out.Last != nil:
		out.Since = out.Last.At
	default:
		out.Since = now.Add(-shiftUsual)
	}
	if out.Since.After(now) || now.Sub(out.Since) > shiftMost {
		out.Since = now.Add(-shiftMost)
	}
	allowed := scope(ctx, IncidentsRead).within(in.Site)
	sites := allowed.sitesOrNil()
	if err := s.incidentsOfShift(ctx, sites, &out); err != nil {
		return nil, err
	}
	if err := s.workOfShift(ctx, allowed, sites, &out); err != nil {
		return nil, err
	}
	for _, site := range s.o.Store.Sites() {
		if !allowed.Allows(site.ID) {
			continue
		}
		arming, posture := s.armingShape(site.ID), s.postureShape(site.ID)
		if arming.Now || posture.Heightened {
			out.Guarded = append(out.Guarded, GuardedShape{
				SiteID: site.ID, SiteName: site.Name, Armed: arming.Now, Until: arming.Until, Heightened: posture.Heightened, GuardUntil: posture.Until,
			})
		}
	}
	slices.SortFunc(out.Guarded, func(a, b GuardedShape) int { return strings.Compare(a.SiteName+a.SiteID, b.SiteName+b.SiteID) })
	out.OnSite, out.Silent, out.Guarded, out.Outputs = list(out.OnSite), list(out.Silent), list(out.Guarded), list(out.Outputs)
	return &handoverOutput{Body: out}, nil
}

func (s *Server) incidentsOfShift(ctx context.Context, sites []string, out *HandoverShape) error {
	for _, part := range []struct {
		into *[]IncidentShape
		q    incident.Query
		fits func(*incident.Incident) bool
	}{
		{&out.Open, incident.Query{States: states("active"), Limit: 1000}, func(*incident.Incident) bool { return true }},
		{&out.Opened, incident.Query{From: out.Since, Limit: 1000}, func(in *incident.Incident) bool {
			return !in.OpenedAt.Before(out.Since) || in.ReopenedAt != nil && !in.ReopenedAt.Before(out.Since)
		}},
		{&out.Closed, incident.Query{States: []string{"closed"}, From: out.Since, Limit: most}, func(*incident.Incident) bool { return true }},
	} {
		part.q.Sites, part.q.Discreet = sites, discreetSites(ctx)
		found, _, err := s.o.Incidents.Incidents(ctx, part.q)
		if err != nil {
			return err
		}
		found = slices.DeleteFunc(found, func(in *incident.Incident) bool { return !part.fits(in) })
		if part.into == &out.Open {
			slices.SortStableFunc(found, func(a, b *incident.Incident) int { return strings.Compare(string(a.Severity), string(b.Severity)) })
		}
		if len(found) > most {
			found = found[:most]
		}
		shapes, err := s.incidentShapes(ctx, found)
		if err != nil {
			return err
		}
		*part.into = list(shapes)
	}
	return nil
}

// workOfShift adds who works at sites, what is silent and what is switched on.
func (s *Server) workOfShift(ctx context.Context, allowed Scope, sites []string, out *HandoverShape) error {
	orders, err := s.o.Store.WorkOrders(ctx, store.OrderQuery{States: []string{string(store.OrderOnSite)}, Sites: sites, Limit: most})
	if err != nil {
		return err
	}
	for _, w := range orders {
		out.OnSite = append(out.OnSite, OnSiteShape{
			SiteID: w.SiteID, SiteName: s.siteName(w.SiteID), Order: w.Number, OrderID: w.ID, Title: w.Title, Name: s.nameOf(ctx, string(w.Assignee)), Since: instant(w.OnSiteSince),
		})
	}
	for _, typ := range []string{"window", "silence"} {
		kept, err := s.o.Store.Policies(ctx, typ)
		if err != nil {
			return err
		}
		for _, p := range kept {
			one, ok := s.silenceShape(ctx, p)
			if ok && one.Active && mayTouch(allowed, one.Sites) {
				out.Silent = append(out.Silent, SilentShape{ID: one.ID, Text: one.Reason, Until: one.Until, Muting: one.Muting})
			}
		}
	}
	if s.o.Outputs == nil {
		return nil
	}
	outputs := scope(ctx, OutputsRead)
	for _, o := range s.o.Store.Outputs() {
		if !allowed.Allows(o.SiteID) || !outputs.Allows(o.SiteID) {
			continue
		}
		if st := s.o.Outputs.OutputStatus(o.ID); st.State != "off" && st.State != "" {
			out.Outputs = append(out.Outputs, SwitchedShape{ID: o.ID, Label: o.Label, SiteID: o.SiteID, SiteName: s.siteName(o.SiteID), State: st.State, Until: instant(st.Until)})
		}
	}
	return nil
}

func (s *Server) takeOver(ctx context.Context, in *takeOverInput) (*shiftOutput, error) {
	if s.o.OpenIncidents == nil {
		return nil, errNoIncidents
	}
	var open []string
	allowed, people := scope(ctx, IncidentsRead), scope(ctx, PeopleRead)
	for _, one := range s.o.OpenIncidents.Open() {
		if one.ParentID == nil && one.State != incident.Verifying && mayTell(one, allowed, people) && len(open) < most {
			open = append(open, one.ID)
		}
	}
	h, err := s.o.Store.TakeOver(ctx, who(ctx).actor(), strings.TrimSpace(in.Body.Note), list(open))
	if err != nil {
		return nil, err
	}
	return &shiftOutput{Body: s.shift(ctx, h)}, nil
}

func (s *Server) listHandovers(ctx context.Context, in *Page) (*listOutput[TakenOverShape], error) {
	cursor, err := decodeCursor("shifts", in.Cursor)
	if err != nil {
		return nil, err
	}
	before := int64(0)
	if cursor != "" {
		if before, err = strconv.ParseInt(cursor, 10, 64); err != nil {
			return nil, errCursor
		}
	}
	found, err := s.o.Store.Handovers(ctx, before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return listed("shifts", in.Limit, found, func(h store.Handover) string { return strconv.FormatInt(h.Seq, 10) }, func(h store.Handover) TakenOverShape { return s.shift(ctx, h) }), nil
}

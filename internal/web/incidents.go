package web

import (
	"cmp"
	"context"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/incident/procedure"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Incidents answers for incidents as they are kept.
type Incidents interface {
	Incident(ctx context.Context, id string) (*incident.Incident, error)
	// Incidents returns the newest first and where the next page begins.
	Incidents(ctx context.Context, q incident.Query) ([]*incident.Incident, string, error)
	Log(ctx context.Context, id string, limit int) ([]incident.Logged, error)
}

// OpenIncidents are those that are not closed, as they change.
type OpenIncidents interface {
	Open() []*incident.Incident
	// Reached waits until what followed from an event is committed.
	Reached(ctx context.Context, seq uint64) error
	// Follow yields each change until ctx ends or the reader is too slow.
	Follow(ctx context.Context) iter.Seq2[*incident.Incident, error]
}

var errNoIncidents = problemf(http.StatusNotImplemented, "this server detects nothing")

// IncidentShape is an incident with names for the people in it.
type IncidentShape struct {
	*incident.Incident
	SiteName     string            `json:"siteName" doc:"empty: it is at no single site"`
	StationLabel string            `json:"stationLabel" doc:"of its station"`
	Class        procedure.Class   `json:"class" doc:"what it is about, which decides what has to be done; empty: nothing that has a procedure"`
	Judged       bool              `json:"closedByVerdict" doc:"it is closed by a verdict and by evidence, not by a car that charges"`
	People       map[string]string `json:"people" doc:"names of the opaque ids in it, for staff"`
}

// IncidentDetail is an incident with what happened to it.
type IncidentDetail struct {
	IncidentShape
	Log     []incident.Logged   `json:"log" doc:"newest first, at most 500"`
	Order   *IncidentOrderShape `json:"order" doc:"its work order: the open one, else the newest; null: none"`
	Folded  []IncidentShape     `json:"folded" doc:"its children, at most 500"`
	Similar []IncidentShape     `json:"similar" doc:"earlier ones of that kind at the same subject, newest first"`
	// CameraClips say which time of which camera is kept; the pictures have rights
	// of their own.
	Checklist *ProcedureState `json:"checklist" doc:"what has to be done, as it held when the incident began; null: it has no procedure"`
	// Precision is of the rules that found it, over 90 days and all sites one sees.
	Precision   []PrecisionShape `json:"precision"`
	Packs       int              `json:"evidencePacks" doc:"taken of it"`
	Calls       []ContactShape   `json:"calls" doc:"whom to call about its site, for staff"`
	NeedsSecond bool             `json:"closedByTwo" doc:"a second person has to confirm its close"`
	CameraClips []ClipShape      `json:"cameraClips" doc:"what cameras of the site saw of it: GET /cameras/{camera}/clip.mp4"`
}

type incidentOutput struct{ Body IncidentDetail }

type incidentInput struct {
	ID string `path:"id" maxLength:"64"`
}

type incidentsInput struct {
	Page
	State     string    `query:"state" maxLength:"100" doc:"open, acknowledged, remedying, verifying, closed; several by comma; active is all but closed"`
	Severity  string    `query:"severity" maxLength:"20" doc:"S1 to S4, several by comma"`
	Kind      string    `query:"kind" maxLength:"400" doc:"several by comma"`
	Site      string    `query:"site" maxLength:"48"`
	Subject   string    `query:"subject" maxLength:"100" doc:"station/ID or station/ID/EVSE"`
	Parent    string    `query:"parent" maxLength:"64" doc:"those folded into this one"`
	From      time.Time `query:"from" doc:"open at some time from here"`
	To        time.Time `query:"to" doc:"opened before"`
	NotProven bool      `query:"notProven" doc:"only those that recovered and that nobody has proven"`
	Children  bool      `query:"children" doc:"those folded into another too"`
}

type incidentActionInput struct {
	ID     string `path:"id" maxLength:"64"`
	Action string `path:"action" enum:"claim,release,acknowledge,assign,note,snooze,escalate,dispatch,verdict,merge,close,reopen,step,classify,call"`
	Body   struct {
		Note     string    `json:"note,omitempty" maxLength:"4000"`
		Reason   string    `json:"reason,omitempty" maxLength:"400"`
		Until    time.Time `json:"until,omitzero" doc:"claim, acknowledge and snooze end then"`
		Assignee string    `json:"assignee,omitempty" maxLength:"64" doc:"opaque id of a person; empty: nobody"`
		Into     string    `json:"into,omitempty" maxLength:"64" doc:"merge: the incident that goes on"`
		Severity string    `json:"severity,omitempty" enum:"S1,S2,S3,S4" doc:"escalate: to this"`
		Response string    `json:"response,omitempty" enum:"none,dispatched,onSite,contained"`
		Verdict  string    `json:"verdict,omitempty" enum:"real,false,test" doc:"also with close"`

		FalseReason string `json:"falseReason,omitempty" enum:"animal,weather,driver,technician,light,equipment,unknown" doc:"what a false alarm was"`
		Evidence    string `json:"evidence,omitempty" maxLength:"64" doc:"close: the pack that was taken; without it the newest of the incident"`
		NoEvidence  string `json:"noEvidence,omitempty" maxLength:"400" doc:"close: why no evidence was taken of what was real"`
		Undone      string `json:"undone,omitempty" maxLength:"400" doc:"close: why required steps were left out"`
		Step        string `json:"step,omitempty" maxLength:"40" doc:"step: which"`
		Outcome     string `json:"outcome,omitempty" enum:"done,skipped,open,reached,noAnswer,voicemail" doc:"of a step or a call"`
		Class       string `json:"class,omitempty" enum:"cableTheft,intrusion,cameraTampered,duress,fire,vandalism,electrical,other" doc:"classify: what it is about"`
		Contact     string `json:"contact,omitempty" maxLength:"64" doc:"call: whom, of the call list of the site"`

		Order string `json:"order,omitempty" enum:"keep,close" doc:"close: what becomes of a work order that is open for it; default keep. Closed, it has the same reason"`
	}
}

func (s *Server) registerIncidents() {
	op := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"incidents"}}
	}
	add(s, filtered(IncidentsRead), op("listIncidents", http.MethodGet, "/incidents", "Incidents, newest first"), s.listIncidents)
	add(s, filtered(IncidentsRead), op("getIncident", http.MethodGet, "/incidents/{id}", "One incident, with what happened to it"), s.getIncident)
	add(s, filtered(IncidentsAct), op("actOnIncident", http.MethodPost, "/incidents/{id}/{action}", "Do something about an incident"), s.actOnIncident)
}

func (s *Server) listIncidents(ctx context.Context, in *incidentsInput) (*listOutput[IncidentShape], error) {
	if s.o.Incidents == nil {
		return nil, errNoIncidents
	}
	before, err := decodeCursor("incidents", in.Cursor)
	if err != nil {
		return nil, err
	}
	q := incident.Query{
		States: states(in.State), Severities: split(in.Severity), Kinds: split(in.Kind), Subject: in.Subject, Parent: in.Parent,
		Sites: scope(ctx, IncidentsRead).within(in.Site).sitesOrNil(), Discreet: discreetSites(ctx), From: in.From, To: in.To,
		NotProven: in.NotProven, Children: in.Children || in.Parent != "", Before: before, Limit: in.Limit,
	}
	found, next, err := s.o.Incidents.Incidents(ctx, q)
	if err != nil {
		return nil, err
	}
	shapes, err := s.incidentShapes(ctx, found)
	if err != nil {
		return nil, err
	}
	if next != "" {
		next = encodeCursor("incidents", next)
	}
	return listOf(shapes, next), nil
}

func split(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

func states(list string) []string {
	out := split(list)
	if i := slices.Index(out, "active"); i >= 0 {
		out = slices.Concat(out[:i], out[i+1:], []string{"open", "acknowledged", "remedying", "verifying"})
	}
	return out
}

// visible returns an incident if the caller may see it.
func (s *Server) visible(ctx context.Context, id string, permission Permission) (*incident.Incident, error) {
	if s.o.Incidents == nil {
		return nil, errNoIncidents
	}
	in, err := s.o.Incidents.Incident(ctx, id)
	if err != nil {
		return nil, err
	}
	switch people := scope(ctx, PeopleRead); {
	case mayTell(in, scope(ctx, permission), people):
		return in, nil
	case mayTell(in, scope(ctx, IncidentsRead), people):
		return nil, errForbidden
	}
	return nil, problemf(http.StatusNotFound, "no such thing")
}

func (s *Server) getIncident(ctx context.Context, in *incidentInput) (*incidentOutput, error) {
	one, err := s.visible(ctx, in.ID, IncidentsRead)
	if err != nil {
		return nil, err
	}
	return s.incidentDetail(ctx, one)
}

// most is how much of a kind stands in one incident's answer.
const most = 500

func (s *Server) incidentDetail(ctx context.Context, one *incident.Incident) (*incidentOutput, error) {
	sites := scope(ctx, IncidentsRead).sitesOrNil()
	log, err := s.o.Incidents.Log(ctx, one.ID, most)
	if err != nil {
		return nil, err
	}
	var folded, similar []*incident.Incident
	if len(one.Children) > 0 {
		if folded, _, err = s.o.Incidents.Incidents(ctx, incident.Query{Parent: one.ID, Sites: sites, Discreet: discreetSites(ctx), Children: true, Limit: most}); err != nil {
			return nil, err
		}
	}
	if len(one.Subjects) > 0 {
		similar, _, err = s.o.Incidents.Incidents(ctx, incident.Query{
			Kinds: []string{one.Kind}, Subject: one.Subjects[0], Sites: sites, Discreet: discreetSites(ctx), To: one.OpenedAt, Children: true, Limit: 10,
		})
		if err != nil {
			return nil, err
		}
	}
	all, err := s.incidentShapes(ctx, slices.Concat([]*incident.Incident{one}, folded, similar))
	if err != nil {
		return nil, err
	}
	order, err := s.incidentOrderShape(ctx, one.ID)
	if err != nil {
		return nil, err
	}
	clips, err := s.clipsOf(ctx, one.ID)
	if err != nil {
		return nil, err
	}
	out := IncidentDetail{IncidentShape: all[0], Order: order, Log: list(log), Folded: list(all[1 : 1+len(folded)]), Similar: list(all[1+len(folded):]),
		CameraClips: clips}
	if err := s.responseOf(ctx, one, &out); err != nil {
		return nil, err
	}
	if !scope(ctx, NotesRead).Allows(one.SiteID) { // notes are for staff
		for i := range out.Log {
			out.Log[i].Note, out.Log[i].By, out.Log[i].Contact = "", "", ""
		}
	} else if err := s.nameActors(ctx, &out); err != nil {
		return nil, err
	}
	return &incidentOutput{Body: out}, nil
}

// nameActors adds the names of those who did something.
func (s *Server) nameActors(ctx context.Context, out *IncidentDetail) error {
	var ids []string
	for i := range out.Log {
		if by := out.Log[i].By; by != "" {
			ids = append(ids, by)
		}
	}
	for i := range out.Steps {
		ids = append(ids, out.Steps[i].By)
	}
	names, err := s.o.Store.UserNames(ctx, ids)
	if err != nil {
		return err
	}
	for id, name := range names {
		out.People[id] = name
	}
	return nil
}

func (s *Server) incidentShapes(ctx context.Context, found []*incident.Incident) ([]IncidentShape, error) {
	staff := scope(ctx, NotesRead)
	var ids []string
	for _, in := range found {
		if staff.Allows(in.SiteID) {
			ids = append(ids, peopleOf(in)...)
		}
	}
	names, err := s.o.Store.UserNames(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]IncidentShape, 0, len(found))
	for _, in := range found {
		shape := s.incidentShape(in, staff.Allows(in.SiteID))
		for _, id := range peopleOf(in) {
			if name := names[id]; name != "" && staff.Allows(in.SiteID) {
				shape.People[id] = name
			}
		}
		out = append(out, shape)
	}
	return out, nil
}

func peopleOf(in *incident.Incident) []string {
	var ids []string
	for _, id := range []*string{in.AcknowledgedBy, in.ClaimedBy, in.Assignee} {
		if id != nil {
			ids = append(ids, *id)
		}
	}
	if in.CloseAsked != nil {
		ids = append(ids, in.CloseAsked.By)
	}
	return ids
}

// incidentShape leaves the people out for those who are not staff.
func (s *Server) incidentShape(in *incident.Incident, staff bool) IncidentShape {
	if !staff {
		plain := *in
		plain.AcknowledgedBy, plain.ClaimedBy, plain.Assignee, plain.CloseAsked = nil, nil, nil, nil
		plain.Steps, plain.NoEvidence, plain.EvidencePack = nil, "", ""
		in = &plain
	}
	shape := IncidentShape{Incident: in, People: make(map[string]string), Class: in.Class(), Judged: in.Guarded()}
	if site, ok := s.o.Store.Site(in.SiteID); ok {
		shape.SiteName = site.Name
	}
	if st, ok := s.o.Fleet.Snapshot().Station(in.Station); ok {
		shape.StationLabel = st.Label
	}
	return shape
}

func (s *Server) actOnIncident(ctx context.Context, in *incidentActionInput) (*incidentOutput, error) {
	one, err := s.visible(ctx, in.ID, IncidentsAct)
	if err != nil {
		return nil, err
	}
	if in.Action == "merge" {
		if _, err := s.visible(ctx, in.Body.Into, IncidentsAct); err != nil {
			return nil, problemf(http.StatusUnprocessableEntity, "validation failed", &huma.ErrorDetail{Message: "no incident that the caller may act on", Location: "body.into"})
		}
	}
	if in.Body.Assignee != "" {
		if _, err := s.o.Store.User(ctx, in.Body.Assignee); err != nil {
			return nil, problemf(http.StatusUnprocessableEntity, "validation failed", &huma.ErrorDetail{Message: "nobody has this id", Location: "body.assignee"})
		}
	}
	b := in.Body
	act := &event.IncidentAction{
		Action: in.Action, By: string(who(ctx).actor()), Note: b.Note, Until: b.Until, Assignee: b.Assignee, Into: b.Into,
		Severity: event.Severity(b.Severity), Response: b.Response, Verdict: b.Verdict, Reason: b.Reason,
	}
	now := s.now()
	if err := s.answer(ctx, in, one, act); err != nil {
		return nil, err
	}
	if err := incident.Check(one, act, now); err != nil {
		return nil, err
	}
	var order *store.WorkOrder
	if b.Order == "close" {
		if in.Action != incident.ActClose {
			return nil, fieldProblem(map[string]string{"order": "goes with close only"})
		}
		if order, err = s.closable(ctx, one.ID); err != nil {
			return nil, err
		}
	}
	seq, err := s.o.Store.Act(ctx, one.ID, act, auditOf(act))
	if err != nil {
		return nil, err
	}
	if err := s.o.OpenIncidents.Reached(ctx, seq); err != nil {
		return nil, err
	}
	if order != nil {
		if err := s.closeWith(ctx, order, cmp.Or(b.Note, b.Reason)); err != nil {
			return nil, err
		}
	}
	if one, err = s.o.Incidents.Incident(ctx, one.ID); err != nil {
		return nil, err
	}
	return s.incidentDetail(ctx, one)
}

func (s *Server) countIncidents(allowed, people Scope) IncidentSummary {
	out := IncidentSummary{BySeverity: map[string]int{"S1": 0, "S2": 0, "S3": 0, "S4": 0}}
	if s.o.OpenIncidents == nil {
		return out
	}
	for _, in := range s.o.OpenIncidents.Open() {
		if in.ParentID != nil || !mayTell(in, allowed, people) {
			continue
		}
		if in.State == incident.Verifying {
			out.Verifying++
			continue
		}
		out.Open++
		out.BySeverity[string(in.Severity)]++
	}
	return out
}

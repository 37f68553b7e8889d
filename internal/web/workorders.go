package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/store"
)

// WorkOrderShape is a work order as lists show it.
type WorkOrderShape struct {
	ID           string           `json:"id"`
	Number       int64            `json:"number" doc:"what people call it"`
	Revision     int              `json:"revision" doc:"give it back with a change to be told if somebody else was faster"`
	IncidentID   string           `json:"incidentId" doc:"empty: none"`
	SiteID       string           `json:"siteId"`
	SiteName     string           `json:"siteName"`
	Station      string           `json:"station" doc:"empty: the site as a whole"`
	StationLabel string           `json:"stationLabel"`
	EVSE         int              `json:"evse" doc:"0: the whole station"`
	Title        string           `json:"title"`
	Severity     event.Severity   `json:"severity" enum:"S1,S2,S3,S4"`
	State        store.OrderState `json:"state" enum:"open,assigned,onSite,waitingForParts,done,cancelled"`
	Assignee     string           `json:"assignee" doc:"opaque id; empty: nobody"`
	AssigneeName string           `json:"assigneeName" doc:"empty once forgotten"`
	Mine         bool             `json:"mine" doc:"it is the caller's"`
	DueAt        *time.Time       `json:"dueAt"`
	CreatedAt    time.Time        `json:"createdAt"`
	ClosedAt     *time.Time       `json:"closedAt"`
	Photos       int              `json:"photos"`
	Checks       int              `json:"checks" doc:"lines of the checklist"`
	ChecksDone   int              `json:"checksDone"`
	Latitude     *float64         `json:"latitude" doc:"of its station or site"`
	Longitude    *float64         `json:"longitude"`
}

// WorkOrderDetail is all of a work order.
type WorkOrderDetail struct {
	WorkOrderShape
	Description string              `json:"description"`
	Checklist   []OrderCheckShape   `json:"checklist"`
	Parts       []OrderPartShape    `json:"parts"`
	TimeMinutes int                 `json:"timeMinutes" doc:"time on site is added when it ends"`
	Notes       []OrderNoteShape    `json:"notes" doc:"newest first"`
	CreatedBy   string              `json:"createdBy"`
	StartedAt   *time.Time          `json:"startedAt" doc:"somebody set out"`
	OnSiteSince *time.Time          `json:"onSiteSince"`
	PhotoList   []OrderPhotoShape   `json:"photoList" doc:"oldest first"`
	Incident    *OrderIncidentShape `json:"incident" doc:"as it stands; null: none"`
	Proof       *OrderProofShape    `json:"proof" doc:"null: it is not closed"`
	TestCharges []TestChargeShape   `json:"testCharges" doc:"charges that prove the repair, newest first"`
	Permit      []string            `json:"permit" doc:"commands that the caller may send to the station now"`
	People      map[string]string   `json:"people" doc:"names of the opaque ids in it"`
}

// OrderCheckShape is one line of a checklist.
type OrderCheckShape struct {
	Text string     `json:"text"`
	Done bool       `json:"done"`
	By   string     `json:"by"`
	At   *time.Time `json:"at"`
}

// OrderPartShape is what was built in or has to be ordered.
type OrderPartShape struct {
	Name     string `json:"name" minLength:"1" maxLength:"1200"`
	Quantity int    `json:"quantity" minimum:"1" maximum:"10000"`
}

// OrderNoteShape is a line of the log.
type OrderNoteShape struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Change string    `json:"change" enum:"created,note,assign,start,arrive,wait,done,cancel,reopen"`
	Text   string    `json:"text"`
}

// OrderProofShape is why it could be closed.
type OrderProofShape struct {
	Kind      string    `json:"kind" enum:"testCharge,override"`
	SessionID string    `json:"sessionId"`
	EnergyWh  float64   `json:"energyWh"`
	Reason    string    `json:"reason"`
	By        string    `json:"by"`
	At        time.Time `json:"at"`
}

// TestChargeShape is a charge that proves that a port works.
type TestChargeShape struct {
	SessionID string     `json:"sessionId"`
	EVSE      int        `json:"evse"`
	StartedAt time.Time  `json:"startedAt"`
	EndedAt   *time.Time `json:"endedAt" doc:"null: it runs"`
	EnergyWh  float64    `json:"energyWh"`
}

type workOrdersInput struct {
	Page
	State    string `query:"state" maxLength:"100" doc:"open, assigned, onSite, waitingForParts, done, cancelled; several by comma; active is all but the last two"`
	Site     string `query:"site" maxLength:"48"`
	Station  string `query:"station" maxLength:"48"`
	Assignee string `query:"assignee" maxLength:"64" doc:"opaque id, or me"`
	Incident string `query:"incident" maxLength:"64"`
}

type newWorkOrderInput struct {
	Body struct {
		IncidentID  string    `json:"incidentId,omitempty" maxLength:"64" doc:"fills what the body leaves out: title, site, station, port, severity, due time, checklist"`
		SiteID      string    `json:"siteId,omitempty" maxLength:"48"`
		Station     string    `json:"station,omitempty" maxLength:"48" doc:"gives the site"`
		EVSE        int       `json:"evse,omitempty" minimum:"0" maximum:"1000"`
		Title       string    `json:"title,omitempty" maxLength:"800" doc:"at most 200 characters"`
		Description string    `json:"description,omitempty" maxLength:"16000"`
		Severity    string    `json:"severity,omitempty" enum:"S1,S2,S3,S4" doc:"default S3"`
		Assignee    string    `json:"assignee,omitempty" maxLength:"64" doc:"needs workorders.assign"`
		DueAt       time.Time `json:"dueAt,omitzero"`
		Checklist   []string  `json:"checklist,omitempty" maxItems:"60" doc:"instead of what is known about the error"`
		Language    string    `json:"language,omitempty" enum:"en,de" doc:"of the checklist; default en"`
	}
}

type workOrderInput struct {
	ID string `path:"id" maxLength:"64"`
}

type changeWorkOrderInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Revision    int               `json:"revision,omitempty" doc:"the one the change was made on; 0: whatever stands"`
		Title       *string           `json:"title,omitempty" maxLength:"800"`
		Description *string           `json:"description,omitempty" maxLength:"16000"`
		Severity    *string           `json:"severity,omitempty" enum:"S1,S2,S3,S4"`
		Assignee    *string           `json:"assignee,omitempty" maxLength:"64" doc:"empty: nobody; needs workorders.assign"`
		DueAt       *time.Time        `json:"dueAt,omitempty"`
		Checklist   *[]newOrderCheck  `json:"checklist,omitempty" maxItems:"60" doc:"replaces it; who ticked a line stays with its text"`
		Parts       *[]OrderPartShape `json:"parts,omitempty" maxItems:"60"`
		TimeMinutes *int              `json:"timeMinutes,omitempty" minimum:"0"`
		Note        string            `json:"note,omitempty" maxLength:"8000" doc:"added to the log"`
	}
}

type newOrderCheck struct {
	Text string `json:"text" minLength:"1" maxLength:"1200"`
	Done bool   `json:"done,omitempty"`
}

type workOrderOutput struct{ Body WorkOrderDetail }

func (s *Server) registerWorkOrders() {
	op := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"workorders"}}
	}
	add(s, filtered(WorkOrdersRead), op("listWorkOrders", http.MethodGet, "/workorders", "Work orders, newest first"), s.listWorkOrders)
	create := op("createWorkOrder", http.MethodPost, "/workorders", "Open a work order, from an incident or by hand")
	create.DefaultStatus = http.StatusCreated
	create.Description = "An incident has at most one open order; 409 names it, its id is the value of the fault."
	add(s, filtered(WorkOrdersWrite), create, s.createWorkOrder)
	add(s, filtered(WorkOrdersRead), op("getWorkOrder", http.MethodGet, "/workorders/{id}", "One work order, with the charges that may prove it"), s.getWorkOrder)
	add(s, filtered(WorkOrdersWrite), op("changeWorkOrder", http.MethodPatch, "/workorders/{id}", "Change a work order; whoever may not assign changes their own"), s.changeWorkOrder)
	add(s, filtered(WorkOrdersAssign), op("listAssignees", http.MethodGet, "/workorders/assignees", "Who may work on orders"), s.listAssignees)
	s.registerOrderPhotos()
	for _, step := range orderSteps() {
		add(s, filtered(WorkOrdersWrite), op(step.name+"WorkOrder", http.MethodPost, "/workorders/{id}/"+step.name, step.summary),
			func(ctx context.Context, in *orderStepInput) (*workOrderOutput, error) {
				return s.stepWorkOrder(ctx, step, in)
			})
	}
}

func (s *Server) listWorkOrders(ctx context.Context, in *workOrdersInput) (*listOutput[WorkOrderShape], error) {
	place, err := decodeCursor("workorders", in.Cursor)
	if err != nil {
		return nil, err
	}
	var before int64
	if place != "" {
		if before, err = strconv.ParseInt(place, 10, 64); err != nil || before < 1 {
			return nil, errCursor
		}
	}
	states := split(in.State)
	if i := slices.Index(states, "active"); i >= 0 {
		states = slices.Replace(states, i, i+1, "open", "assigned", "onSite", "waitingForParts")
	}
	if in.Assignee == "me" {
		in.Assignee = string(who(ctx).actor())
	}
	found, err := s.o.Store.WorkOrders(ctx, store.OrderQuery{
		States: states, Sites: scope(ctx, WorkOrdersRead).within(in.Site).sitesOrNil(), Station: in.Station, Assignee: in.Assignee,
		Incident: in.Incident, Before: before, Limit: in.Limit + 1,
	})
	if err != nil {
		return nil, err
	}
	next := ""
	if len(found) > in.Limit {
		found = found[:in.Limit]
		next = encodeCursor("workorders", strconv.FormatInt(found[in.Limit-1].Number, 10))
	}
	ids := make([]string, 0, len(found))
	for _, w := range found {
		ids = append(ids, string(w.Assignee))
	}
	names, err := s.o.Store.UserNames(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]WorkOrderShape, 0, len(found))
	for _, w := range found {
		out = append(out, s.orderShape(ctx, w, names))
	}
	return listOf(out, next), nil
}

// order returns an order if the caller has the permission at its site.
func (s *Server) order(ctx context.Context, id string, permission Permission) (*store.WorkOrder, error) {
	w, err := s.o.Store.WorkOrder(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case scope(ctx, permission).Allows(w.SiteID):
		return w, nil
	case scope(ctx, WorkOrdersRead).Allows(w.SiteID):
		return nil, errForbidden
	}
	return nil, store.ErrNotFound
}

var errNotYourOrder = problemf(http.StatusForbidden, "this order is not assigned to you")

// mayWorkOn is who may change an order: those it is assigned to, and those who assign.
func mayWorkOn(ctx context.Context, w *store.WorkOrder) bool {
	return w.Assignee != "" && w.Assignee == who(ctx).actor() || scope(ctx, WorkOrdersAssign).Allows(w.SiteID)
}

func (s *Server) getWorkOrder(ctx context.Context, in *workOrderInput) (*workOrderOutput, error) {
	w, err := s.order(ctx, in.ID, WorkOrdersRead)
	if err != nil {
		return nil, err
	}
	return s.orderDetail(ctx, w)
}

func (s *Server) createWorkOrder(ctx context.Context, in *newWorkOrderInput) (*workOrderOutput, error) {
	b := in.Body
	w := store.WorkOrder{
		SiteID: b.SiteID, Station: b.Station, EVSE: b.EVSE, Title: b.Title, Description: b.Description,
		Severity: event.Severity(b.Severity), Assignee: store.Actor(b.Assignee), DueAt: b.DueAt,
	}
	for _, text := range b.Checklist {
		w.Checklist = append(w.Checklist, store.OrderCheck{Text: text})
	}
	if b.IncidentID != "" {
		one, err := s.visible(ctx, b.IncidentID, IncidentsRead)
		if err != nil {
			return nil, problemf(http.StatusUnprocessableEntity, "validation failed", &huma.ErrorDetail{Message: "there is no such incident", Location: "body.incidentId"})
		}
		s.fillOrder(&w, one, b.Language, b.Checklist != nil)
	}
	if w.Severity == "" {
		w.Severity = event.S3
	}
	if err := s.placeOrder(ctx, &w); err != nil {
		return nil, err
	}
	if w.Assignee != "" {
		if err := s.assignable(ctx, &w, w.Assignee); err != nil {
			return nil, err
		}
	}
	made, err := s.o.Store.CreateWorkOrder(ctx, who(ctx).actor(), w)
	if err != nil {
		return nil, orderTaken(err)
	}
	return s.orderDetail(ctx, made)
}

// orderTaken names the order that stands in the way.
func orderTaken(err error) error {
	if other, ok := errors.AsType[*store.OrderTakenError](err); ok {
		return problemf(http.StatusConflict, other.Error(), &huma.ErrorDetail{Message: other.Error(), Location: "body.incidentId", Value: other.ID})
	}
	return err
}

// placeOrder finds the site of an order and checks that the caller may work there.
func (s *Server) placeOrder(ctx context.Context, w *store.WorkOrder) error {
	allowed := scope(ctx, WorkOrdersWrite)
	if w.Station != "" {
		site, ok := s.siteOf(w.Station)
		if !ok || !allowed.Allows(site) {
			return fieldProblem(map[string]string{"station": "there is no such station"})
		}
		if w.SiteID != "" && w.SiteID != site {
			return fieldProblem(map[string]string{"siteId": "the station is at another site"})
		}
		w.SiteID = site
		if st, ok := s.o.Fleet.Snapshot().Station(w.Station); ok && w.EVSE > 0 && !slices.ContainsFunc(st.EVSEs, func(v fleet.EVSE) bool { return v.ID == w.EVSE }) {
			return fieldProblem(map[string]string{"evse": "the station has no such port"})
		}
		return nil
	}
	if w.SiteID == "" {
		if !allowed.All() {
			return fieldProblem(map[string]string{"siteId": "name a station or a site"})
		}
		return nil
	}
	if _, ok := s.o.Store.Site(w.SiteID); !ok || !allowed.Allows(w.SiteID) {
		return fieldProblem(map[string]string{"siteId": "there is no such site"})
	}
	return nil
}

// assignable checks who gets an order and who gives it.
func (s *Server) assignable(ctx context.Context, w *store.WorkOrder, to store.Actor) error {
	if !scope(ctx, WorkOrdersAssign).Allows(w.SiteID) {
		return problemf(http.StatusForbidden, "your role does not assign work orders")
	}
	u, err := s.o.Store.User(ctx, string(to))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err != nil || u.Disabled || !newPrincipal(u.ID, u.Name, u.Grants).Scope(WorkOrdersWrite).Allows(w.SiteID) {
		return fieldProblem(map[string]string{"assignee": "nobody who may work on orders there has this id"})
	}
	return nil
}

func (s *Server) changeWorkOrder(ctx context.Context, in *changeWorkOrderInput) (*workOrderOutput, error) {
	before, err := s.order(ctx, in.ID, WorkOrdersWrite)
	if err != nil {
		return nil, err
	}
	b, by := in.Body, who(ctx).actor()
	if b.Assignee != nil && store.Actor(*b.Assignee) != before.Assignee {
		if *b.Assignee != "" {
			if err := s.assignable(ctx, before, store.Actor(*b.Assignee)); err != nil {
				return nil, err
			}
		} else if !scope(ctx, WorkOrdersAssign).Allows(before.SiteID) && before.Assignee != by {
			return nil, errNotYourOrder
		}
	}
	now := s.now().UTC()
	w, err := s.o.Store.ChangeWorkOrder(ctx, by, in.ID, "change", func(w *store.WorkOrder) error {
		switch {
		case !mayWorkOn(ctx, w):
			return errNotYourOrder
		case b.Revision != 0 && b.Revision != w.Revision:
			return problemf(http.StatusConflict, "somebody else changed this order meanwhile; read it again")
		case w.State.Over() && (b.Assignee != nil || b.Checklist != nil || b.Parts != nil || b.Title != nil || b.Severity != nil || b.DueAt != nil || b.Description != nil):
			return problemf(http.StatusConflict, "the order is over; reopen it to change it")
		}
		replace(&w.Title, b.Title)
		replace(&w.Description, b.Description)
		replace(&w.TimeMinutes, b.TimeMinutes)
		replace(&w.DueAt, b.DueAt)
		if b.Severity != nil {
			w.Severity = event.Severity(*b.Severity)
		}
		if b.Checklist != nil {
			w.Checklist = ticked(w.Checklist, *b.Checklist, by, now)
		}
		if b.Parts != nil {
			w.Parts = w.Parts[:0]
			for _, p := range *b.Parts {
				w.Parts = append(w.Parts, store.OrderPart(p))
			}
		}
		if b.Note != "" {
			w.Log(now, by, "note", b.Note)
		}
		if b.Assignee != nil && store.Actor(*b.Assignee) != w.Assignee {
			leaveSite(w, now)
			w.Assignee = store.Actor(*b.Assignee)
			w.State, w.StartedAt = store.OrderAssigned, time.Time{}
			if w.Assignee == "" {
				w.State = store.OrderOpen
			}
			w.Log(now, by, "assign", "")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.orderDetail(ctx, w)
}

func replace[T any](old *T, with *T) {
	if with != nil {
		*old = *with
	}
}

// ticked is the new checklist; a line that was ticked before keeps by whom.
func ticked(old []store.OrderCheck, want []newOrderCheck, by store.Actor, now time.Time) []store.OrderCheck {
	out := make([]store.OrderCheck, 0, len(want))
	for _, c := range want {
		line := store.OrderCheck{Text: c.Text, Done: c.Done}
		if c.Done {
			line.By, line.At = by, now
			i := slices.IndexFunc(old, func(o store.OrderCheck) bool { return o.Text == c.Text && o.Done })
			if i >= 0 {
				line.By, line.At = old[i].By, old[i].At
			}
		}
		out = append(out, line)
	}
	return out
}

// AssigneeShape is a person who may work on orders.
type AssigneeShape struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type assigneesInput struct {
	Site string `query:"site" maxLength:"48" doc:"those who may do so there"`
}

func (s *Server) listAssignees(ctx context.Context, in *assigneesInput) (*listOutput[AssigneeShape], error) {
	allowed := scope(ctx, WorkOrdersAssign).within(in.Site)
	var out []AssigneeShape
	after := ""
	for {
		page, err := s.o.Store.Users(ctx, after, 1000)
		if err != nil {
			return nil, fmt.Errorf("list who may work on orders: %w", err)
		}
		for _, u := range page {
			after = u.ID
			may := newPrincipal(u.ID, u.Name, u.Grants).Scope(WorkOrdersWrite)
			if !u.Disabled && !may.and(allowed).Empty() {
				out = append(out, AssigneeShape{ID: u.ID, Name: u.Name})
			}
		}
		if len(page) < 1000 {
			return listOf(out, ""), nil
		}
	}
}

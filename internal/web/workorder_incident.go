package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/store"
)

// IncidentOrderShape is the work order of an incident.
type IncidentOrderShape struct {
	ID           string           `json:"id"`
	Number       int64            `json:"number"`
	State        store.OrderState `json:"state" enum:"open,assigned,onSite,waitingForParts,done,cancelled"`
	AssigneeName string           `json:"assigneeName" doc:"empty: nobody, or forgotten"`
	DueAt        *time.Time       `json:"dueAt"`
	ClosedAt     *time.Time       `json:"closedAt"`
}

// OrderIncidentShape is the incident that a work order is about, as it stands.
type OrderIncidentShape struct {
	ID          string         `json:"id"`
	Severity    event.Severity `json:"severity" enum:"S1,S2,S3,S4"`
	State       incident.State `json:"state" enum:"open,acknowledged,remedying,verifying,closed"`
	Safety      bool           `json:"safety" doc:"only a person closes it"`
	Lasts       bool           `json:"lasts" doc:"what was found still lasts, as far as the station says"`
	RepairedAt  *time.Time     `json:"repairedAt"`
	ClosedAt    *time.Time     `json:"closedAt"`
	CloseReason string         `json:"closeReason"`
}

// orderIncident is the incident of an order, nil without one that the caller may see.
func (s *Server) orderIncident(ctx context.Context, w *store.WorkOrder) (*OrderIncidentShape, error) {
	if w.IncidentID == "" || s.o.Incidents == nil {
		return nil, nil
	}
	one, err := s.o.Incidents.Incident(ctx, w.IncidentID)
	if errors.Is(err, incident.ErrNotFound) || err == nil && !mayTell(one, scope(ctx, IncidentsRead), scope(ctx, PeopleRead)) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &OrderIncidentShape{
		ID: one.ID, Severity: one.Severity, State: one.State, Safety: one.Safety, Lasts: one.ClosedAt == nil && one.Lasts(),
		RepairedAt: one.RepairedAt, ClosedAt: one.ClosedAt, CloseReason: one.CloseReason,
	}, nil
}

// incidentOrder is the order of an incident: the one that is worked on, else the
// newest; nil without one that the caller may see.
func (s *Server) incidentOrder(ctx context.Context, id string) (*store.WorkOrder, error) {
	allowed := scope(ctx, WorkOrdersRead)
	if allowed.Empty() {
		return nil, nil
	}
	found, err := s.o.Store.WorkOrders(ctx, store.OrderQuery{Incident: id, Limit: 20})
	if err != nil {
		return nil, err
	}
	var newest *store.WorkOrder
	for _, w := range found {
		if !allowed.Allows(w.SiteID) {
			continue
		}
		if !w.State.Over() {
			return w, nil
		}
		if newest == nil {
			newest = w
		}
	}
	return newest, nil
}

func (s *Server) incidentOrderShape(ctx context.Context, id string) (*IncidentOrderShape, error) {
	w, err := s.incidentOrder(ctx, id)
	if w == nil || err != nil {
		return nil, err
	}
	names, err := s.o.Store.UserNames(ctx, []string{string(w.Assignee)})
	if err != nil {
		return nil, err
	}
	return &IncidentOrderShape{
		ID: w.ID, Number: w.Number, State: w.State, AssigneeName: names[string(w.Assignee)], DueAt: instant(w.DueAt), ClosedAt: instant(w.ClosedAt),
	}, nil
}

// closable returns the order that is to be closed with its incident, nil if none
// is open. It is asked before anything is done, so that not half of it happens.
func (s *Server) closable(ctx context.Context, id string) (*store.WorkOrder, error) {
	w, err := s.incidentOrder(ctx, id)
	switch {
	case err != nil, w == nil, w.State.Over():
		return nil, err
	case !scope(ctx, WorkOrdersWrite).Allows(w.SiteID) || !mayWorkOn(ctx, w):
		return nil, errNotYourOrder
	}
	return w, nil
}

// shorter is a text of at most n bytes.
func shorter(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "")
}

// closeWith closes an order because its incident was closed, for the same reason.
func (s *Server) closeWith(ctx context.Context, w *store.WorkOrder, reason string) error {
	by, now := who(ctx).actor(), s.now().UTC()
	reason = cmp.Or(strings.TrimSpace(shorter(reason, store.MaxNoteText)), "closed with its incident")
	_, err := s.o.Store.ChangeWorkOrder(ctx, by, w.ID, "done", func(w *store.WorkOrder) error {
		if w.State.Over() {
			return nil // somebody was faster
		}
		leaveSite(w, now)
		w.State, w.ClosedAt = store.OrderDone, now
		w.Proof = &store.OrderProof{Kind: store.ProofOverride, Reason: reason, By: by, At: now}
		w.Log(now, by, "done", "")
		return nil
	})
	return err
}

// repaired tells the incident of an order that the work is done: with the charge
// that proves it, or by the word of who closed it. Where the station still
// reports the fault the incident stays as it is, with a note.
func (s *Server) repaired(ctx context.Context, w *store.WorkOrder) error {
	if w.IncidentID == "" || w.Proof == nil || s.o.Incidents == nil || !scope(ctx, IncidentsAct).Allows(w.SiteID) {
		return nil
	}
	one, err := s.o.Incidents.Incident(ctx, w.IncidentID)
	if errors.Is(err, incident.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	by, now := string(who(ctx).actor()), s.now()
	act := &event.IncidentAction{Action: incident.ActRepair, By: by, Session: w.Proof.SessionID, Note: fmt.Sprintf("Work order %d", w.Number)}
	if w.Proof.Reason != "" {
		act.Note = shorter(act.Note+": "+w.Proof.Reason, 3900)
	}
	if incident.Check(one, act, now) != nil {
		act.Action, act.Session = incident.ActNote, ""
		if one.ClosedAt != nil || one.State == incident.Verifying || incident.Check(one, act, now) != nil {
			return nil
		}
	}
	r, err := s.o.Log.Append(ctx, event.Acting(one.ID, now, act))
	if err != nil {
		return err
	}
	return s.o.OpenIncidents.Reached(ctx, r.Seq)
}

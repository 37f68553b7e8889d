package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/store"
)

// testChargeWh is what a charge has to bring to prove a repair.
const testChargeWh = 500

type orderStepInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Note      string `json:"note,omitempty" maxLength:"8000"`
		Proof     string `json:"proof,omitempty" enum:"testCharge,override" doc:"done: why it may be closed"`
		SessionID string `json:"sessionId,omitempty" maxLength:"64" doc:"done by testCharge: which; default the newest that proves it"`
		Reason    string `json:"reason,omitempty" maxLength:"8000" doc:"needed by an override and to cancel"`
	}
}

// orderStep is one way from state to state.
type orderStep struct {
	name, summary string
	from          []store.OrderState
	to            store.OrderState
}

func orderSteps() []orderStep {
	active := []store.OrderState{store.OrderOpen, store.OrderAssigned, store.OrderOnSite, store.OrderWaitingForParts}
	return []orderStep{
		{"start", "Set out", []store.OrderState{store.OrderOpen, store.OrderAssigned, store.OrderWaitingForParts}, store.OrderAssigned},
		{"arrive", "Be on site: from here on its technician may send commands to the station", []store.OrderState{store.OrderOpen, store.OrderAssigned, store.OrderWaitingForParts}, store.OrderOnSite},
		{"wait", "Wait for parts", []store.OrderState{store.OrderOpen, store.OrderAssigned, store.OrderOnSite}, store.OrderWaitingForParts},
		{"done", "Close with a test charge, or by a person's word", active, store.OrderDone},
		{"cancel", "Close without work", active, store.OrderCancelled},
		{"reopen", "Work on it again", []store.OrderState{store.OrderDone, store.OrderCancelled}, store.OrderOpen},
	}
}

func (s *Server) stepWorkOrder(ctx context.Context, step orderStep, in *orderStepInput) (*workOrderOutput, error) {
	w, err := s.order(ctx, in.ID, WorkOrdersWrite)
	if err != nil {
		return nil, err
	}
	if !mayWorkOn(ctx, w) {
		return nil, errNotYourOrder
	}
	by, now := who(ctx).actor(), s.now().UTC()
	var proof *store.OrderProof
	switch {
	case step.name == "done" && !w.State.Over():
		if proof, err = s.proofOf(ctx, w, in); err != nil {
			return nil, err
		}
	case step.name == "cancel" && in.Body.Reason == "":
		return nil, fieldProblem(map[string]string{"reason": "say why"})
	}
	text := in.Body.Note
	if step.name == "cancel" {
		text = in.Body.Reason
	}
	w, err = s.o.Store.ChangeWorkOrder(ctx, by, in.ID, step.name, func(w *store.WorkOrder) error {
		switch {
		case !mayWorkOn(ctx, w): // it may have been given to somebody else meanwhile
			return errNotYourOrder
		case !slices.Contains(step.from, w.State):
			return problemf(http.StatusConflict, fmt.Sprintf("an order that is %s cannot %s", w.State, step.name))
		}
		leaveSite(w, now)
		w.State, w.Proof = step.to, proof
		switch step.to {
		case store.OrderAssigned, store.OrderOnSite:
			if w.Assignee == "" {
				w.Assignee = by
			}
			if w.StartedAt.IsZero() {
				w.StartedAt = now
			}
			if step.to == store.OrderOnSite {
				w.OnSiteSince = now
			}
		case store.OrderDone, store.OrderCancelled:
			w.ClosedAt = now
		case store.OrderOpen:
			w.ClosedAt, w.StartedAt = time.Time{}, time.Time{}
			if w.Assignee != "" {
				w.State = store.OrderAssigned
			}
		}
		w.Log(now, by, step.name, text)
		return nil
	})
	if err != nil {
		return nil, orderTaken(err)
	}
	switch step.name {
	case "start":
		err = s.respond(ctx, w, incident.Dispatched)
	case "arrive":
		err = s.respond(ctx, w, incident.OnSite)
	case "done":
		err = s.repaired(ctx, w)
	}
	if err != nil {
		s.log.WarnContext(ctx, "incident not told of its work order", "incident", w.IncidentID, "order", w.ID, "err", err)
	}
	return s.orderDetail(ctx, w)
}

// leaveSite ends the time on site and counts it.
func leaveSite(w *store.WorkOrder, now time.Time) {
	if w.OnSiteSince.IsZero() {
		return
	}
	spent := int(max(0, now.Sub(w.OnSiteSince)).Round(time.Minute) / time.Minute)
	w.TimeMinutes = min(w.TimeMinutes+spent, store.MaxOrderMinutes)
	w.OnSiteSince = time.Time{}
}

// respond says in the incident that somebody is on the way or there.
func (s *Server) respond(ctx context.Context, w *store.WorkOrder, response string) error {
	if w.IncidentID == "" || s.o.Incidents == nil || !scope(ctx, IncidentsAct).Allows(w.SiteID) {
		return nil
	}
	one, err := s.o.Incidents.Incident(ctx, w.IncidentID)
	if err != nil {
		return err
	}
	act := &event.IncidentAction{Action: "dispatch", By: string(who(ctx).actor()), Response: response}
	now := s.now()
	if one.Response == response || incident.Check(one, act, now) != nil {
		return nil
	}
	_, err = s.o.Log.Append(ctx, event.Acting(one.ID, now, act))
	return err
}

// proofOf checks why an order may be closed. A charge is looked up, never believed.
func (s *Server) proofOf(ctx context.Context, w *store.WorkOrder, in *orderStepInput) (*store.OrderProof, error) {
	proof := &store.OrderProof{Kind: in.Body.Proof, By: who(ctx).actor(), At: s.now().UTC()}
	switch in.Body.Proof {
	case store.ProofOverride:
		if in.Body.Reason == "" {
			return nil, fieldProblem(map[string]string{"reason": "say why no test charge is needed"})
		}
		proof.Reason = in.Body.Reason
		return proof, nil
	case store.ProofTestCharge:
		found, err := s.testCharges(ctx, w)
		if err != nil {
			return nil, err
		}
		for _, one := range found {
			if in.Body.SessionID == "" || one.ID == in.Body.SessionID {
				proof.SessionID, proof.EnergyWh = one.ID, one.EnergyWh
				return proof, nil
			}
		}
		return nil, fieldProblem(map[string]string{
			"sessionId": fmt.Sprintf("no charge of at least %.1f kWh there that began after the order was opened", testChargeWh/1000.0),
		})
	}
	return nil, fieldProblem(map[string]string{"proof": "testCharge or override"})
}

// testCharges are the sessions that prove a repair, the newest first.
func (s *Server) testCharges(ctx context.Context, w *store.WorkOrder) ([]*fleet.Session, error) {
	if w.Station == "" {
		return nil, nil
	}
	found, _, err := s.o.History.Sessions(ctx, journal.SessionQuery{Station: w.Station, From: w.CreatedAt, Limit: 200})
	if errors.Is(err, journal.ErrBeforeHorizon) { // what is kept begins later
		found, _, err = s.o.History.Sessions(ctx, journal.SessionQuery{Station: w.Station, Limit: 200})
	}
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(found, func(x *fleet.Session) bool {
		return x.EnergyWh < testChargeWh || x.StartedAt.Before(w.CreatedAt) || w.EVSE > 0 && x.EVSE != w.EVSE || x.StartedAt.After(s.now().Add(time.Minute))
	}), nil
}

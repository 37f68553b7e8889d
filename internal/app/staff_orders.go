package app

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/store"
)

// job is an order of the simulated staff and how far it has come.
type job struct {
	who     int // of the technicians; -1: nobody yet
	state   store.OrderState
	opened  time.Duration // ago
	started time.Duration
	arrived time.Duration
	due     time.Duration // from now; negative is late
	ticked  int           // lines of its checklist
}

// seen is what somebody on site has to say, and what they had to order.
func seen(in *incident.Incident, state store.OrderState) (note, part string) {
	radio := in.Family == incident.Connectivity
	switch {
	case state == store.OrderOnSite && radio:
		return "Router restarted, signal is weak. Checking the antenna and its cable", ""
	case state == store.OrderOnSite:
		return "Cabinet open, terminals look dry", ""
	case state == store.OrderWaitingForParts && radio:
		return "The router loses its network again and again. Ordered a new one", "LTE router with outdoor antenna"
	case state == store.OrderWaitingForParts:
		return "Contactor sticks. Ordered a new one", "Contactor 3-pole 80 A"
	}
	return "", ""
}

// jobs are what a morning in a control room looks like: somebody is on site,
// somebody drives, parts are awaited, two wait for a person and one is late.
func jobs() []job {
	return []job{
		{who: 0, state: store.OrderOnSite, opened: 3 * time.Hour, started: 55 * time.Minute, arrived: 20 * time.Minute, due: 2 * time.Hour, ticked: 2},
		{who: 1, state: store.OrderAssigned, opened: 5 * time.Hour, started: 15 * time.Minute, due: 4 * time.Hour},
		{who: 0, state: store.OrderWaitingForParts, opened: 26 * time.Hour, started: 23 * time.Hour, due: 22 * time.Hour, ticked: 3},
		{who: -1, state: store.OrderOpen, opened: 90 * time.Minute, due: 26 * time.Hour},
		{who: -1, state: store.OrderOpen, opened: 9 * time.Hour, due: -40 * time.Minute},
	}
}

// staffOrders gives the simulated staff its work.
func (s *Server) staffOrders(ctx context.Context) error {
	var technicians []store.Actor
	for _, name := range []string{"Jonas Brandt", "Mara Lindqvist"} {
		u, err := s.Store.CreateUser(ctx, store.System, store.User{Name: name, Grants: []store.Grant{{Role: store.RoleTechnician, Sites: []string{store.AllSites}}}})
		if errors.Is(err, store.ErrExists) {
			return nil // they have their work already
		}
		if err != nil {
			return err
		}
		technicians = append(technicians, store.Actor(u.ID))
	}
	at := make(map[string]bool) // one order a station
	open := slices.DeleteFunc(s.live.Open(), func(in *incident.Incident) bool {
		return in.Station == "" || in.ParentID != nil || in.RepairedAt != nil || in.Severity == event.S4
	})
	slices.SortFunc(open, func(a, b *incident.Incident) int { return a.OpenedAt.Compare(b.OpenedAt) })
	plan := jobs()
	for _, in := range open {
		if len(plan) == 0 {
			break
		}
		if at[in.Station] {
			continue
		}
		at[in.Station] = true
		if err := s.staffOrder(ctx, in, plan[0], technicians); err != nil {
			return err
		}
		plan = plan[1:]
	}
	return s.staffDone(ctx, technicians, at)
}

// staffOrder opens an order for an incident and brings it as far as it is. Each
// time lies where it would: the order was opened after the incident.
func (s *Server) staffOrder(ctx context.Context, in *incident.Incident, j job, technicians []store.Actor) error {
	now := time.Now().UTC()
	w, err := s.Store.CreateWorkOrder(ctx, store.System, s.Web.DraftOrder(in, "en"))
	if errors.Is(err, store.ErrExists) {
		return nil // somebody was faster
	}
	if err != nil {
		return err
	}
	opened := laterOf(now.Add(-j.opened), in.OpenedAt.Add(2*time.Minute))
	if !opened.Before(now) {
		opened = now
	}
	_, err = s.Store.ChangeWorkOrder(ctx, store.System, w.ID, "change", func(w *store.WorkOrder) error {
		w.CreatedAt, w.DueAt, w.State = opened, now.Add(j.due), j.state
		w.Notes[0].At = opened
		if j.who < 0 {
			return nil
		}
		w.Assignee = technicians[j.who]
		w.Log(opened, store.System, "assign", "")
		w.StartedAt = laterOf(now.Add(-j.started), opened)
		w.Log(w.StartedAt, w.Assignee, "start", "")
		last := w.StartedAt
		if j.arrived > 0 {
			w.OnSiteSince = laterOf(now.Add(-j.arrived), w.StartedAt)
			last = w.OnSiteSince
			w.Log(last, w.Assignee, "arrive", "")
		}
		for i := range w.Checklist[:min(j.ticked, len(w.Checklist))] {
			w.Checklist[i].Done, w.Checklist[i].By, w.Checklist[i].At = true, w.Assignee, last
		}
		if j.state == store.OrderWaitingForParts {
			w.TimeMinutes = 50
			w.Log(last, w.Assignee, "wait", "")
		}
		note, part := seen(in, j.state)
		if part != "" {
			w.Parts = []store.OrderPart{{Name: part, Quantity: 1}}
		}
		if note != "" {
			w.Log(last, w.Assignee, "note", note)
		}
		return nil
	})
	if err != nil || j.started == 0 || j.state == store.OrderWaitingForParts {
		return err
	}
	act := &event.IncidentAction{Action: incident.ActDispatch, By: string(technicians[j.who]), Response: incident.Dispatched}
	if j.arrived > 0 {
		act.Response = incident.OnSite
	}
	if incident.Check(in, act, now) == nil {
		_, err = s.Journal.Append(ctx, event.Acting(in.ID, now, act))
	}
	return err
}

// staffDone closes orders of the past days, by the charge that came after where
// there was one.
func (s *Server) staffDone(ctx context.Context, technicians []store.Actor, at map[string]bool) error {
	closed, _, err := s.live.Incidents(ctx, incident.Query{States: []string{string(incident.Closed)}, Severities: []string{"S1", "S2", "S3"}, Limit: 200})
	if err != nil {
		return err
	}
	const enough = 4
	made := 0
	for _, in := range closed {
		if made == enough {
			break
		}
		if in.Station == "" || at[in.Station] || in.RepairedAt == nil || in.ParentID != nil || in.RepairedAt.Sub(in.OpenedAt) < 30*time.Minute {
			continue
		}
		at[in.Station] = true
		proof, err := s.staffProof(ctx, in)
		if err != nil {
			return err
		}
		by := technicians[made%len(technicians)]
		w, err := s.Store.CreateWorkOrder(ctx, store.System, s.Web.DraftOrder(in, "en"))
		if errors.Is(err, store.ErrExists) {
			continue
		}
		if err != nil {
			return err
		}
		opened, onSite := in.OpenedAt.Add(5*time.Minute), in.RepairedAt.Add(-15*time.Minute)
		end := laterOf(in.RepairedAt.Add(10*time.Minute), proof.At)
		if end.After(time.Now()) {
			end = time.Now().UTC()
		}
		proof.By, proof.At = by, end
		_, err = s.Store.ChangeWorkOrder(ctx, by, w.ID, "done", func(w *store.WorkOrder) error {
			w.CreatedAt, w.Assignee, w.State = opened, by, store.OrderDone
			w.Notes[0].At = opened
			w.StartedAt, w.ClosedAt, w.Proof = laterOf(onSite.Add(-30*time.Minute), opened), end, &proof
			w.TimeMinutes = max(10, int(end.Sub(onSite)/time.Minute)%90)
			for i := range w.Checklist {
				w.Checklist[i].Done, w.Checklist[i].By, w.Checklist[i].At = true, by, end
			}
			w.Log(w.StartedAt, by, "start", "")
			w.Log(onSite, by, "arrive", "")
			w.Log(end, by, "done", "")
			return nil
		})
		if err != nil {
			return err
		}
		made++
	}
	return nil
}

// staffProof is a charge soon after the repair, else a person's word.
func (s *Server) staffProof(ctx context.Context, in *incident.Incident) (store.OrderProof, error) {
	word := store.OrderProof{Kind: store.ProofOverride, Reason: "Measured with the test adapter, no vehicle at hand"}
	found, _, err := s.Journal.Sessions(ctx, journal.SessionQuery{Station: in.Station, From: *in.RepairedAt, To: in.RepairedAt.Add(12 * time.Hour), Limit: 100})
	if errors.Is(err, journal.ErrBeforeHorizon) {
		return word, nil
	}
	if err != nil {
		return word, err
	}
	for _, x := range slices.Backward(found) { // the first after it
		if x.EnergyWh >= 500 && x.StartedAt.After(*in.RepairedAt) && (in.EVSE == 0 || x.EVSE == in.EVSE) {
			return store.OrderProof{Kind: store.ProofTestCharge, SessionID: x.ID, EnergyWh: x.EnergyWh, At: laterOf(x.StartedAt, x.EndedAt)}, nil
		}
	}
	return word, nil
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a.UTC()
	}
	return b.UTC()
}

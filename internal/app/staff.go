package app

import (
	"context"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Ages at which the staff of a simulated network has done something.
const (
	staffSaw    = 45 * time.Minute
	staffClosed = 10 * time.Hour
)

// staff does what people would have done about the incidents of a made past:
// those of before today were looked at, judged where that is asked and closed, the
// older ones of today are acknowledged, and some have a work order. Without it a new demo would open with
// weeks of unanswered calls.
func (s *Server) staff(ctx context.Context) error {
	if err := s.staffPeople(ctx); err != nil {
		return err
	}
	if err := s.live.Reached(ctx, s.Journal.Snapshot().Seq); err != nil {
		return err
	}
	for _, in := range s.live.Open() {
		now := time.Now()
		act := &event.IncidentAction{By: string(store.System)}
		switch age := now.Sub(in.OpenedAt); {
		case in.ParentID != nil || age < staffSaw:
			continue
		case age >= staffClosed && in.Guarded():
			judge(in, act)
		case age < staffClosed || in.RepairedAt == nil:
			act.Action, act.Note = incident.ActAcknowledge, "Seen by the control room"
		default:
			act.Action, act.Reason, act.Note = incident.ActClose, "inspected", "Looked at on site, no danger left"
		}
		if incident.Check(in, act, now) != nil {
			continue
		}
		_, err := s.Journal.Append(ctx, event.Acting(in.ID, now, act))
		if err != nil {
			return err
		}
	}
	return s.staffOrders(ctx)
}

// judge says what a look at the pictures told. A single cable that is gone from its
// port without another sign was a worn holster each time.
func judge(in *incident.Incident, act *event.IncidentAction) {
	act.Action, act.Reason = incident.ActClose, "inspected"
	if in.Severity == event.S1 || in.Severity == event.S2 {
		act.Verdict, act.Note = incident.VerdictReal, "Found on site as reported, repaired since"
		act.NoEvidence = "the police took the pictures themselves"
		act.Undone = "done by telephone before procedures were kept here"
		return
	}
	act.Verdict, act.FalseReason, act.Note = incident.VerdictFalse, "equipment", "All cables are there, a contact is worn"
}

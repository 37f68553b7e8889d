package web

import (
	"context"
	"slices"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
)

// answer fills in what an act says of procedures, evidence and closing, and
// refuses what people may not end that way.
func (s *Server) answer(ctx context.Context, in *incidentActionInput, one *incident.Incident, act *event.IncidentAction) error {
	b := &in.Body
	act.FalseReason, act.Step, act.Outcome, act.Class = b.FalseReason, b.Step, b.Outcome, b.Class
	switch in.Action {
	case incident.ActVerdict:
		if act.Verdict == incident.VerdictFalse && act.FalseReason == "" {
			act.FalseReason = "unknown"
		}
	case incident.ActStep:
		return s.answerStep(ctx, one, act)
	case incident.ActCall:
		return s.answerCall(ctx, b.Contact, one, act)
	case incident.ActClose:
		act.Evidence, act.NoEvidence, act.Undone = b.Evidence, b.NoEvidence, b.Undone
		return s.answerClose(ctx, one, act)
	}
	return nil
}

// answerStep names the list that a step stands in.
func (s *Server) answerStep(ctx context.Context, one *incident.Incident, act *event.IncidentAction) error {
	l, err := s.procedureOf(ctx, one)
	if err != nil {
		return err
	}
	done, was := one.Step(act.Step)
	for i := 0; l != nil && i < len(l.Steps); i++ {
		if l.Steps[i].ID == act.Step {
			act.Procedure = l.Ref()
			return nil
		}
	}
	if was && act.Outcome == incident.StepIsOpen {
		act.Procedure = done.Procedure
		return nil
	}
	return fieldProblem(map[string]string{"step": "the incident has no such step"})
}

func (s *Server) answerClose(ctx context.Context, one *incident.Incident, act *event.IncidentAction) error {
	if !one.Guarded() {
		act.Evidence, act.NoEvidence, act.Undone = "", "", ""
		return nil
	}
	if act.Verdict == incident.VerdictFalse && act.FalseReason == "" && (one.Verdict == nil || *one.Verdict != act.Verdict) {
		act.FalseReason = "unknown"
	}
	packs := s.packsOf(one.ID)
	switch {
	case act.Evidence != "" && !slices.Contains(packs, act.Evidence):
		return fieldProblem(map[string]string{"evidence": "is no pack of this incident"})
	case act.Evidence == "" && act.NoEvidence == "" && len(packs) > 0:
		act.Evidence = packs[0]
	}
	l, err := s.procedureOf(ctx, one)
	if err != nil {
		return err
	}
	if err := incident.CheckClosing(one, act, required(l)); err != nil {
		return err
	}
	act.Second, err = s.needsSecond(ctx, one)
	return err
}

// needsSecond reports an incident that two people close.
func (s *Server) needsSecond(ctx context.Context, one *incident.Incident) (bool, error) {
	if one.Severity != event.S1 || !one.Guarded() {
		return false, nil
	}
	c, err := s.closing(ctx)
	return c.SecondPerson, err
}

// packsOf are the packs of evidence of an incident that can still be had.
func (s *Server) packsOf(id string) []string {
	if s.o.Evidence == nil {
		return nil
	}
	var out []string
	for _, p := range s.o.Evidence.Packs() {
		if p.Incident == id && p.State != "failed" && p.State != "deleted" {
			out = append(out, p.ID)
		}
	}
	return out
}

// responseOf adds what people need who act on an incident.
func (s *Server) responseOf(ctx context.Context, one *incident.Incident, out *IncidentDetail) error {
	var err error
	if out.Checklist, err = s.stepsOf(ctx, one, scope(ctx, NotesRead).Allows(one.SiteID)); err != nil {
		return err
	}
	if out.NeedsSecond, err = s.needsSecond(ctx, one); err != nil {
		return err
	}
	out.Calls = []ContactShape{}
	if scope(ctx, NotesRead).Allows(one.SiteID) {
		l, err := s.o.Store.CallListOf(ctx, one.SiteID)
		if err != nil {
			return err
		}
		out.Calls = contactShapes(l.Contacts)
	}
	out.Packs, out.Precision = len(s.packsOf(one.ID)), []PrecisionShape{}
	if len(one.Detectors) == 0 || s.o.Measures == nil {
		return nil
	}
	now := s.now()
	out.Precision, err = s.precisionOf(ctx, incident.Verdicts{
		Sites: scope(ctx, IncidentsRead).sitesOrNil(), Detectors: one.Detectors, From: now.Add(-precisionDefault), To: now.AddDate(0, 0, 1),
	})
	return err
}

// auditOf is what the audit log keeps of an act: what was chosen, no words of people.
func auditOf(act *event.IncidentAction) map[string]any {
	out := make(map[string]any)
	for name, value := range map[string]string{
		"verdict": act.Verdict, "falseReason": act.FalseReason, "evidence": act.Evidence, "step": act.Step, "outcome": act.Outcome, "class": act.Class,
		"procedure": act.Procedure, "contact": act.Contact, "into": act.Into, "severity": string(act.Severity), "response": act.Response, "assignee": act.Assignee,
	} {
		if value != "" {
			out[name] = value
		}
	}
	if act.Second {
		out["second"] = true
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

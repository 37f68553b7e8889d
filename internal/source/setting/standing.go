package setting

import (
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/provision"
)

// State is how a station stands as a whole.
type State string

// The states of a station.
const (
	NoPlan     State = "none"       // no profile holds for it, or it never booted here
	Foreign    State = "foreign"    // its settings are those of another system
	Working    State = "working"    // it is read or set now
	Waiting    State = "waiting"    // and will be
	Away       State = "offline"    // and will be once it is back
	Failed     State = "failed"     // it did not answer, or what nobody understands
	ForRestart State = "atRestart"  // something waits for a restart
	Drifted    State = "drifted"    // somebody changed what was as wanted
	Incomplete State = "incomplete" // it does not take all
	Set        State = "set"        // all is as wanted, and not yet seen in what it measures
	Proved     State = "verified"   // and it measures so
)

// Standing is how a station stands. It is never changed once shown.
type Standing struct {
	State    State
	Profiles []string
	Restart  provision.Restart
	Mend     bool
	DC       bool
	Record
	Due      time.Time
	Measures bool // as its profiles ask
}

func (s *Service) show(t *task, st *fleet.Station) {
	x := &Standing{State: NoPlan, Profiles: t.plan.Profiles, Restart: t.plan.Restart, Mend: t.plan.Mend, DC: t.st.DC, Due: t.due}
	if t.rec != nil {
		x.Record = *t.rec
		x.Verdicts = slices.Clone(t.rec.Verdicts)
	}
	if !t.offers {
		x.Verdicts = nil
	} else if len(x.Verdicts) == 0 {
		x.Verdicts = provision.Compare(&t.plan, nil, nil, nil)
	}
	x.State, x.Measures = t.state(x, st.Online)
	t.shown = true
	s.mu.Lock()
	s.shown[t.id] = x
	s.mu.Unlock()
}

func (t *task) state(x *Standing, online bool) (State, bool) {
	has := func(states ...provision.State) bool {
		return slices.ContainsFunc(x.Verdicts, func(v provision.Verdict) bool { return slices.Contains(states, v.State) })
	}
	measures, some := true, false
	for i := range x.Verdicts {
		if v := &x.Verdicts[i]; v.Effect != provision.NoEffect {
			some = true
			measures = measures && v.Measures() && len(v.Unseen) == 0
		}
	}
	measures = measures && some && t.rec != nil
	switch {
	case !t.offers:
		return NoPlan, false
	case t.place.Foreign:
		return Foreign, false
	case t.busy:
		return Working, measures
	case x.Problem != NoProblem && online:
		return Failed, measures
	case !online && (t.rec == nil || !t.due.IsZero()):
		return Away, measures
	case t.rec == nil || !t.due.IsZero():
		return Waiting, measures
	case slices.ContainsFunc(x.Verdicts, func(v provision.Verdict) bool { return v.Drifted && v.State == provision.Differs }):
		return Drifted, measures
	case has(provision.AtRestart):
		return ForRestart, measures
	case has(provision.Refused, provision.Unanswered, provision.Differs, provision.ReadOnly, provision.NotSupported, provision.Unread):
		return Incomplete, measures
	case unproved(x.Verdicts):
		return Set, measures
	case some:
		return Proved, measures
	}
	return Set, measures
}

package health

import (
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/usage/attempt"
)

// startFailures is D05: drivers fail at a port, one after the other, for reasons
// of the charger. One driver alone points at their car or card. How bad a fault is
// that the port reports meanwhile is for the detector of faults.
func startFailures() detect.Detector {
	return detect.Detector{
		ID: "D05", Code: "startFailures",
		Params: []detect.Param{
			{Name: "failures", Default: 2, Doc: "failed tries in a row, none that worked between"},
			{Name: "tokens", Default: 2, Doc: "different drivers among them"},
			{Name: "urgentFailures", Default: 3, Doc: "failed tries in a row from which on it is urgent. Where tries often fail, more: a run that is to be expected at the port is no news"},
			{Name: "oneTokenFailures", Default: 3, Doc: "failed tries of one driver in a row that are worth a note"},
			{Name: "withinHours", Default: 72, Unit: "h", Doc: "how far back tries count"},
			{Name: "goodInRow", Default: 5, Doc: "tries that work in a row after which it is over when it came back within that time; the first time one is enough"},
		},
		Tried: failuresTried,
		New:   func() any { return new(streak) },
	}
}

// streak are the failed tries at a port since the last one that worked.
type streak struct {
	List  []failure `json:"list,omitempty"`
	Bouts bouts     `json:"bouts,omitzero"`
}

// bouts tells a fault that was mended from one that comes and goes: what is over
// and back soon has to stay away longer before it is called over again.
type bouts struct {
	N       int           `json:"n,omitempty"`
	Good    int           `json:"good,omitempty"`
	Over    bool          `json:"over,omitempty"`
	Changed detect.Moment `json:"changed,omitempty"`
}

// raised notes that the condition is open.
func (b *bouts) raised(now time.Time, within time.Duration) {
	if b.N > 0 && !b.Over {
		return
	}
	if b.Changed.IsZero() || b.Changed.Ago(now) > within {
		b.N = 0
	}
	b.N++
	b.Over, b.Changed, b.Good = false, detect.At(now), 0
}

// worked counts one that worked and reports whether it is over.
func (b *bouts) worked(now time.Time, first, again float64) bool {
	b.Good++
	need := first
	if b.N > 1 {
		need = again
	}
	if float64(b.Good) < need {
		return false
	}
	b.Over, b.Changed = true, detect.At(now)
	return true
}

// past reports whether nothing is left to remember.
func (b *bouts) past(now time.Time, within time.Duration) bool {
	return b.N == 0 || b.Over && b.Changed.Ago(now) > within
}

type failure struct {
	At     detect.Moment  `json:"at"`
	Token  string         `json:"token,omitempty"`
	Reason attempt.Reason `json:"reason"`
	Code   string         `json:"code,omitempty"`
}

const maxStreak = 16

func failuresTried(c *detect.Context, a *attempt.Attempt) {
	if a.EVSE == 0 {
		return
	}
	within := time.Duration(c.Param("withinHours") * float64(time.Hour))
	if !a.Failed {
		m := detect.Recall[streak](c, a.EVSE)
		if m == nil {
			return
		}
		m.List = nil
		c.Station.Touch()
		if c.Station.IsOpen("startFailures", a.EVSE) && m.Bouts.worked(c.Now, 1, c.Param("goodInRow")) {
			c.Clear("startFailures", a.EVSE, charged(a), detect.Value("goodInRow", float64(m.Bouts.Good), ""))
		}
		if m.Bouts.past(c.Now, within) {
			c.Forget(a.EVSE)
		}
		return
	}
	if a.Side != attempt.Charger {
		return
	}
	m := detect.Memory[streak](c, a.EVSE)
	m.Bouts.Good = 0
	since := detect.At(c.Now.Add(-within))
	m.List = slices.DeleteFunc(m.List, func(f failure) bool { return f.At < since })
	if len(m.List) == maxStreak {
		m.List = slices.Delete(m.List, 0, 1)
	}
	m.List = append(m.List, failure{detect.At(a.EndsAt), a.Token, a.Reason, a.Code})
	n, tokens := float64(len(m.List)), float64(m.drivers())
	f := event.Finding{
		Since: m.List[0].At.Time(),
		Facts: []event.Fact{
			detect.Value("failures", n, ""), detect.Value("drivers", tokens, ""), detect.Word("lastReason", string(a.Reason)), detect.Word("lastCode", a.Code),
		},
	}
	switch {
	case n >= c.Param("failures") && tokens >= c.Param("tokens"):
		f.Severity = event.S3
		if n >= deadAfter(c, a.EVSE, len(m.List), c.Param("urgentFailures")) {
			f.Severity = event.S2
		}
		f.Text = c.Say("%.0f tries of %.0f drivers to charge here failed in a row, each for a reason of the charger; the last: %s.", n, tokens, detect.Phrase(why(a)))
	case n >= c.Param("oneTokenFailures") && !c.Station.IsOpen("startFailures", a.EVSE):
		f.Severity = event.S4
		f.Text = c.Say("One driver failed %.0f times in a row here; their car or card may be the reason. The last: %s.", n, detect.Phrase(why(a)))
	default:
		return
	}
	m.Bouts.raised(c.Now, within)
	c.Raise(a.EVSE, f)
}

// deadAfter is how many failures in a row tell a port that is dead from one at
// which tries often fail, as of the last week and of the last two days: a longer
// run than shows once in twenty such times, at least so many and at most maxRun.
// What fails now and then is a work order; somebody is called where nobody can
// charge.
func deadAfter(c *detect.Context, evse, run int, least float64) float64 {
	w := detect.RecallOf[week](c.Station, "D06", evse)
	if w == nil {
		return least
	}
	for _, days := range []int{2, len(w.N)} {
		n, bad := w.sum(days)
		n, bad = max(n-float64(run), 0), max(bad-float64(run), 0)
		// Of a port of which nothing is known one try in twenty fails, give or take:
		// a beta distribution, and how likely so many failures follow then.
		length, chance := 0.0, 1.0
		for ; length < maxRun && chance*max(n, 1) > 0.05; length++ {
			chance *= (0.5 + bad + length) / (10 + n + length)
		}
		least = max(least, length)
	}
	return least
}

const maxRun = 8

// drivers counts who failed. Tries without a token are another driver's when
// half an hour lies between.
func (m *streak) drivers() int {
	seen := make(map[string]bool, len(m.List))
	n := 0
	for i, f := range m.List {
		switch {
		case f.Token != "" && !seen[f.Token]:
			seen[f.Token] = true
			n++
		case f.Token == "" && (i == 0 || f.At-m.List[i-1].At >= detect.Moment(30*time.Minute/time.Microsecond)):
			n++
		}
	}
	return n
}

// why says in words how a try ended.
func why(a *attempt.Attempt) string {
	out := map[attempt.Reason]string{
		attempt.NotStarted: "the token was accepted and nothing started", attempt.Faulted: "the port reported a fault",
		attempt.Restarted: "the station restarted", attempt.PowerLoss: "its supply failed", attempt.RemoteRefused: "the station refused the start",
		attempt.NoEnergy: "no power flowed", attempt.UnpluggedEarly: "the driver gave up before power flowed",
		attempt.NoToken: "nobody could be identified", attempt.StoppedAtStation: "it was stopped before power flowed",
		attempt.EndUnknown: "no power flowed and no end was told", attempt.TakenOut: "the port went out of service",
		attempt.PlugTimeout: "the station waited for the plug in vain",
	}[a.Reason]
	if out == "" {
		out = string(a.Reason)
	}
	if a.Code != "" {
		out += ", " + a.Code
	}
	return out
}

// charged is the fact of a try that worked.
func charged(a *attempt.Attempt) event.Fact {
	f := event.Fact{Name: "charged", At: a.EndsAt, Unit: "kWh"}
	if a.EnergyWh != nil {
		f.Value = new(*a.EnergyWh / 1000)
	}
	return f
}

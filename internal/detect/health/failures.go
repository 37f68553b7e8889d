package health

import (
	"fmt"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/usage/attempt"
)

// startFailures is D05: drivers fail at a port, one after the other, for reasons
// of the charger. One driver alone points at their car or card.
func startFailures() detect.Detector {
	return detect.Detector{
		ID: "D05", Code: "startFailures",
		Params: []detect.Param{
			{Name: "failures", Default: 2, Doc: "failed tries in a row, none that worked between"},
			{Name: "tokens", Default: 2, Doc: "different drivers among them"},
			{Name: "oneTokenFailures", Default: 3, Doc: "failed tries of one driver in a row that are worth a note"},
			{Name: "withinHours", Default: 72, Unit: "h", Doc: "how far back tries count"},
		},
		Tried: failuresTried,
		New:   func() any { return new(streak) },
	}
}

// streak are the failed tries at a port since the last one that worked.
type streak struct {
	List []failure `json:"list,omitempty"`
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
	if !a.Failed {
		if detect.Recall[streak](c, a.EVSE) != nil {
			c.Forget(a.EVSE)
			c.Clear("startFailures", a.EVSE, charged(a))
		}
		return
	}
	if a.Side != attempt.Charger {
		return
	}
	m := detect.Memory[streak](c, a.EVSE)
	since := detect.At(c.Now.Add(-time.Duration(c.Param("withinHours") * float64(time.Hour))))
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
		f.Severity = event.S2
		f.Text = fmt.Sprintf("%.0f tries of %.0f drivers to charge here failed in a row, each for a reason of the charger; the last: %s.", n, tokens, why(a))
	case n >= c.Param("oneTokenFailures"):
		f.Severity = event.S4
		f.Text = fmt.Sprintf("One driver failed %.0f times in a row here; their car or card may be the reason. The last: %s.", n, why(a))
	default:
		return
	}
	c.Raise(a.EVSE, f)
}

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

package health

import (
	"math"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/usage/attempt"
)

// silentPort is D08: a port that says it is free and that nobody uses. That alone
// is no finding: it takes three kinds of evidence. Longer without a start than
// nearly all of its own pauses; the other ports of the site in use, so that with
// its share of them several should have come here; and something that went wrong
// at it: an unanswered question for its status, a failed try, or a condition that
// is open. What one dead port drives away is spread over all the others, so they
// need not be busier than usual, only not quieter.
func silentPort() detect.Detector {
	return detect.Detector{
		ID: "D08", Code: "silentPort",
		Params: []detect.Param{
			{Name: "learnDays", Default: 28, Unit: "d", Doc: "how long its use is learnt first"},
			{Name: "pauses", Default: 30, Doc: "pauses needed to know how long they are"},
			{Name: "percentile", Default: 99.5, Unit: "%", Doc: "share of its own pauses that were shorter"},
			{Name: "busyRatio", Default: 0.8, Doc: "times their usual use that the site's other ports have at least"},
			{Name: "expected", Default: 6, Doc: "charges that should have come meanwhile, by its share of what the others had"},
		},
		Tried:  silentTried,
		Ended:  silentEnded,
		Hourly: silentLook,
		New:    func() any { return new(use) },
	}
}

// use is how a port is used. Bucket n of Pauses holds those below 2^(n/2) hours.
type use struct {
	Since  detect.Moment    `json:"since"`
	Last   detect.Moment    `json:"last"` // start that worked
	Pauses [useBuckets]byte `json:"pauses"`
	Day    int64            `json:"day"`
	Days   [28]uint8        `json:"days"` // starts by age in days
	Failed detect.Moment    `json:"failed,omitempty"`
	Why    string           `json:"why,omitempty"`
}

const useBuckets = 24

func useBucket(hours float64) int {
	i := 0
	for i < useBuckets-1 && hours >= math.Pow(2, float64(i)/2) {
		i++
	}
	return i
}

func (u *use) turn(day int64) {
	for n := day - u.Day; n > 0; n-- {
		if n >= int64(len(u.Days)) {
			u.Days = [28]uint8{}
			u.Day = day
			return
		}
		copy(u.Days[1:], u.Days[:len(u.Days)-1])
		u.Days[0] = 0
		u.Day++
	}
}

// starts counts those of the last days.
func (u *use) starts(days int) float64 {
	n := 0.0
	for i := range min(days, len(u.Days)) {
		n += float64(u.Days[i])
	}
	return n
}

func silentEnded(c *detect.Context, t *detect.Ended) {
	if t.EnergyWh < attempt.FailedBelowWh {
		return
	}
	evse := t.Port.EVSE
	u := detect.Memory[use](c, evse)
	start := detect.At(t.StartedAt)
	if u.Since.IsZero() {
		u.Since, u.Day = start, today(c)
	} else if start > u.Last {
		i := useBucket(u.Last.Ago(t.StartedAt).Hours())
		if u.Pauses[i]++; u.Pauses[i] == math.MaxUint8 {
			for i := range u.Pauses {
				u.Pauses[i] /= 2
			}
		}
	}
	u.Last, u.Failed, u.Why = start, 0, ""
	u.turn(today(c))
	u.Days[0] += min(1, math.MaxUint8-u.Days[0])
	c.Clear("silentPort", evse, detect.Value("chargedSince", t.EnergyWh/1000, "kWh"))
}

func silentTried(c *detect.Context, a *attempt.Attempt) {
	if u := detect.Recall[use](c, a.EVSE); u != nil && a.Failed && (a.Side == attempt.Charger || a.Side == attempt.UnknownSide) {
		u.Failed, u.Why = detect.At(a.EndsAt), why(a)
		c.Station.Touch()
	}
}

func silentLook(c *detect.Context) {
	for i := range c.Station.Ports {
		p := &c.Station.Ports[i]
		u := detect.Recall[use](c, p.EVSE)
		if u == nil {
			continue
		}
		if u.Day != today(c) {
			u.turn(today(c))
			c.Station.Touch()
		}
		if c.Station.Free(p) && !c.Station.IsOpen("silentPort", p.EVSE) {
			silentJudge(c, p, u)
		}
	}
}

func silentJudge(c *detect.Context, p *detect.Port, u *use) {
	if u.Since.Ago(c.Now).Hours() < 24*c.Param("learnDays") {
		return
	}
	var all, below float64
	for _, n := range u.Pauses {
		all += float64(n)
	}
	if all < c.Param("pauses") {
		return
	}
	usual := 0.0 // hours
	for i, n := range u.Pauses {
		if below += float64(n); below*100 >= all*c.Param("percentile") {
			usual = math.Pow(2, float64(i)/2)
			break
		}
	}
	pause := u.Last.Ago(c.Now)
	if pause.Hours() <= usual {
		return
	}
	evidence := silentEvidence(c, p, u)
	if evidence == "" {
		return
	}
	busy, known := silentBusy(c, p, pause)
	days := math.Ceil(pause.Hours() / 24)
	expected := busy * u.starts(len(u.Days)) / (float64(len(u.Days)) - days) * pause.Hours() / 24
	if !known || busy < c.Param("busyRatio") || expected < c.Param("expected") {
		return
	}
	c.Raise(p.EVSE, event.Finding{
		Severity: event.S3, Since: u.Last.Time(),
		Text: c.Say("Nobody has charged here for %s, which is longer than nearly all pauses so far; by how busy the site's other ports are, %.0f should have; and %s.",
			detect.Span(pause), expected, detect.Phrase(evidence)),
		Facts: []event.Fact{
			detect.Value("pauseHours", pause.Hours(), "h"), detect.Value("usualHours", usual, "h"), detect.Value("othersBusy", busy, ""),
			detect.Value("expectedCharges", expected, ""),
			detect.Word("evidence", evidence), {Name: "lastCharge", At: u.Last.Time()},
		},
	})
}

// silentEvidence is what went wrong at the port; empty if nothing did.
func silentEvidence(c *detect.Context, p *detect.Port, u *use) string {
	if u.Failed > u.Last {
		return "the last try failed: " + u.Why
	}
	for _, o := range c.Station.Open {
		if o.EVSE == p.EVSE && o.Code != "overstay" {
			return "it has a fault: " + o.Code
		}
		if o.EVSE == 0 && o.Code == "staleStatus" {
			return "it does not answer when asked for its status"
		}
	}
	return ""
}

// silentBusy compares the starts at the other ports of the site in a pause with
// what they usually have in such a time.
func silentBusy(c *detect.Context, p *detect.Port, pause time.Duration) (ratio float64, known bool) {
	days := int(math.Ceil(pause.Hours() / 24))
	if days >= 21 {
		return 0, false // there is nothing left to compare with
	}
	var lately, before float64
	for st := range c.Network().Site(c.Station.SiteID) {
		for i := range st.Ports {
			o := &st.Ports[i]
			u := detect.Recall[use](c.Of(st), o.EVSE)
			if u == nil || st == c.Station && o.EVSE == p.EVSE || o.Class() != p.Class() {
				continue
			}
			u.turn(today(c))
			lately += u.starts(days)
			before += u.starts(len(u.Days)) - u.starts(days)
		}
	}
	if before == 0 {
		return 0, false
	}
	return lately / float64(days) / (before / float64(28-days)), true
}

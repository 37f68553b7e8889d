// Package contrast tells whether stations do better or worse since something was done to
// them: how many tries to charge work, how often ports break, how long stations are away.
//
// It promises:
//
//   - Before and after are equally long for each station, whole days where there is one,
//     and the time in which it was done belongs to neither.
//   - What changed for everybody is taken out, where there are stations of the same kind to
//     which nothing was done: of both the same days are looked at.
//   - Every figure has its 95 % interval, and nothing is called better or worse whose
//     interval holds no change. Where there is too little, it is said how much is missing.
//
// The tries at one station hang together more than chance has it, which the intervals do
// not know; and of twenty comparisons of what did not change, one shows a change.
package contrast

import (
	"math"
	"time"
)

const (
	Day = 24 * time.Hour
	// Aside is the least time that belongs to neither side.
	Aside = time.Hour
	// Most is how long each side grows.
	Most = 14 * Day
)

// Half is what some stations did on one side.
type Half struct {
	Stations    int
	Tries, Good int // to charge; those that failed by the doing of others are not among them
	Faults      int
	PortDays    float64 // in which ports were heard
	StationDays float64 // in which we listened
	OfflineDays float64 // of these
}

// Add adds what another station did.
func (h *Half) Add(o Half) {
	h.Stations += o.Stations
	h.Tries += o.Tries
	h.Good += o.Good
	h.Faults += o.Faults
	h.PortDays += o.PortDays
	h.StationDays += o.StationDays
	h.OfflineDays += o.OfflineDays
}

// Pair is both sides of the same stations.
type Pair struct{ Before, After Half }

// Add adds what a station did.
func (p *Pair) Add(before, after Half) {
	p.Before.Add(before)
	p.After.Add(after)
}

// Report is what a comparison found.
type Report struct {
	At            time.Time
	Stations      int           // that were looked at
	Of            int           // to which it was done
	Early         int           // of those that were looked at, without anything on one of the sides yet
	Control       int           // stations of the same kinds to which nothing was done
	ControlOf     int           // how many of these there are
	Length        time.Duration // of a side, in the mean
	Least, Most   time.Duration
	Done, Nothing Pair
	Changes       []Change
}

// Measure is what is compared.
type Measure string

// The measures.
const (
	Success Measure = "success" // share of the tries to charge that worked
	Faults  Measure = "faults"  // that began, in a day of a port
	Offline Measure = "offline" // share of the time
)

// measures are all of them.
var measures = [...]Measure{Success, Faults, Offline}

// of is the figure of a half, what it rests on, and how much of that is needed.
func (m Measure) of(h *Half) (e Estimate, on float64, what string, least float64) {
	switch m {
	case Success:
		return wilson(ratio(float64(h.Good), float64(h.Tries)), float64(h.Tries)), float64(h.Tries), "tries", leastTries
	case Faults:
		return garwood(h.Faults, h.PortDays), h.PortDays, "portDays", leastDays
	default:
		return wilson(ratio(h.OfflineDays, h.StationDays), h.StationDays), h.StationDays, "stationDays", leastDays
	}
}

// What there must be on each side before anything is called better or worse.
const (
	leastTries = 30
	leastDays  = 14
)

func ratio(part, of float64) float64 {
	if !(of > 0) {
		return math.NaN()
	}
	return part / of
}

// Verdict is what a comparison comes to.
type Verdict string

// The verdicts. Same says that no change is shown, not that there was none.
const (
	Better    Verdict = "better"
	Worse     Verdict = "worse"
	Same      Verdict = "noChangeShown"
	TooLittle Verdict = "tooLittle"
)

// Change is a measure before and after.
type Change struct {
	Measure       Measure
	Before, After Estimate
	Change        Estimate // after less before
	// ControlBefore and the others are of the stations to which nothing was done.
	ControlBefore, ControlAfter, ControlChange Estimate
	// Beyond is the change beyond that of the control. NaN: too little is known of it.
	Beyond  Estimate
	Verdict Verdict // by Beyond where that is known, else by Change
	Needs   *Need   // nil unless there is too little
}

// Judged is the change that the verdict rests on.
func (c *Change) Judged() Estimate {
	if math.IsNaN(c.Beyond.Value) {
		return c.Change
	}
	return c.Beyond
}

// Need is what is missing for a verdict.
type Need struct {
	What string  // day, tries, portDays, stationDays
	Have float64 // on the side that has less
	Want float64
	Days float64 // until then, as things go; NaN: the sides will not grow so long
}

// Compare compares the sides of stations with each other, and with those of the control.
// length is the mean length of a side.
func Compare(done, control *Pair, length time.Duration) []Change {
	out := make([]Change, 0, len(measures))
	for _, m := range measures {
		c := Change{Measure: m, Beyond: unknown}
		before, n, what, least := m.of(&done.Before)
		after, n2, _, _ := m.of(&done.After)
		c.Before, c.After, c.Change = before, after, minus(after, before)
		n = min(n, n2)
		var k, k2 float64
		c.ControlBefore, k, _, _ = m.of(&control.Before)
		c.ControlAfter, k2, _, _ = m.of(&control.After)
		c.ControlChange = minus(c.ControlAfter, c.ControlBefore)
		if min(k, k2) >= least {
			c.Beyond = minus(c.Change, c.ControlChange)
		}
		if c.Needs = missing(what, n, least, length); c.Needs != nil {
			c.Verdict, c.Beyond = TooLittle, unknown
		} else {
			c.Verdict = judge(m, c.Judged())
		}
		out = append(out, c)
	}
	return out
}

func judge(m Measure, change Estimate) Verdict {
	good := change
	if m != Success { // less is better
		good.Low, good.High = -change.High, -change.Low
	}
	switch {
	case good.Low > 0:
		return Better
	case good.High < 0:
		return Worse
	}
	return Same
}

func missing(what string, have, least float64, length time.Duration) *Need {
	grown := length.Hours() / 24
	switch {
	case grown < 1:
		return &Need{"day", grown, 1, 1 - grown}
	case have >= least:
		return nil
	}
	n := &Need{what, have, least, math.NaN()}
	if days := ratio(least-have, have/grown); grown+days <= Most.Hours()/24 {
		n.Days = days
	}
	return n
}

package rollup

import (
	"cmp"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/fleet"
)

// Span is a stretch of time; To is not included.
type Span struct{ From, To time.Time }

// Stay is a session as it is folded.
type Stay struct {
	Session
	// Open says that nobody told its end: it counts while the port is observed,
	// and no longer.
	Open bool
}

// Curve is measured power in equal steps.
type Curve struct {
	From time.Time
	Step time.Duration
	W    []float64 // NaN: not measured
}

// Track is what is known of one port over a time. Its lists may reach beyond
// what is folded of them; those of points are oldest first and begin with what
// was in force.
type Track struct {
	States []fleet.Point // of the port
	Links  []fleet.Point // of its station's connection
	Away   []Span        // when we were not running, oldest first
	// Covered is what imports tell all of: without a session the port was free.
	Covered []Span
	Stays   []Stay
	Curve   Curve
	RatedW  float64   // what the port delivers at most; zero: unknown
	Now     time.Time // what comes after it has not happened yet
}

// flowing is the power below which a car does not charge: what a station draws
// for itself and a meter counts while it stands.
const flowing = 100

// Fold counts whole days of UTC: the first begins at from, the last ends at to or
// is the one that is not over yet.
func Fold(t *Track, from, to time.Time) []PortDay {
	f := folder{Track: t, from: from.UnixMilli(), until: min(to.UnixMilli(), t.Now.UnixMilli()), now: t.Now.UnixMilli()}
	f.stays()
	days := f.days()
	if len(days) == 0 {
		return nil
	}
	f.walk(f.from, f.until, func(from, to int64, s State) { mark(days, f.from, from, to, s) })
	for i := range f.profiles {
		f.profiles[i].spread(days, f.from, f.until)
		f.note(days, &f.profiles[i])
	}
	return days
}

type folder struct {
	*Track
	from, until int64
	now         int64
	profiles    []profile // by start
}

// piece is a part of a stay in which power did not change.
type piece struct {
	from, to int64
	w        float64 // the energy of the stay is spread by it
	charging bool
	measured bool
}

// profile is a stay and how power flowed in it.
type profile struct {
	Stay
	from, to int64
	pieces   []piece
}

// stays orders the sessions and drops what an import tells of a session that
// was heard live.
func (f *folder) stays() {
	all := slices.Clone(f.Stays)
	slices.SortFunc(all, func(a, b Stay) int {
		return cmp.Or(a.Start.Compare(b.Start), a.End.Compare(b.End), cmp.Compare(a.EnergyWh, b.EnergyWh),
			a.ChargingEnd.Compare(b.ChargingEnd), cmp.Compare(a.Token, b.Token), cmpBool(a.Imported, b.Imported), cmpBool(a.Open, b.Open))
	})
	live := slices.DeleteFunc(slices.Clone(all), func(s Stay) bool { return s.Imported })
	for i := range all {
		s := &all[i]
		if i > 0 && same(s, &all[i-1]) || s.Imported && slices.ContainsFunc(live, func(l Stay) bool { return mostly(s, &l, f.now) }) {
			continue
		}
		p := profile{Stay: *s, from: s.Start.UnixMilli(), to: s.End.UnixMilli()}
		if s.Open {
			p.to = f.now
		}
		p.to = max(p.to, p.from)
		if p.to < f.from || p.from >= f.until {
			continue
		}
		f.profiles = append(f.profiles, p)
	}
	for i := range f.profiles {
		f.profiles[i].pieces = f.flow(&f.profiles[i])
	}
}

func cmpBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// same reports a session that was told twice.
func same(a, b *Stay) bool {
	return a.Start.Equal(b.Start) && a.End.Equal(b.End) && cmp.Compare(a.EnergyWh, b.EnergyWh) == 0 && a.Token == b.Token
}

// mostly reports whether two stays share at least half of the shorter one.
func mostly(a, b *Stay, now int64) bool {
	end := func(s *Stay) int64 {
		if s.Open {
			return now
		}
		return s.End.UnixMilli()
	}
	from, to := max(a.Start.UnixMilli(), b.Start.UnixMilli()), min(end(a), end(b))
	return 2*(to-from) >= min(end(a)-a.Start.UnixMilli(), end(b)-b.Start.UnixMilli())
}

// cursor walks points in time.
type cursor struct {
	points []fleet.Point
	state  string
	late   int64 // until then nobody knew it
	heard  bool
}

// toldLate is after how long a state counts as told later than it was.
const toldLate = 2 * 60_000

func (c *cursor) at(ms int64) {
	for len(c.points) > 0 && c.points[0].ValidFrom.UnixMilli() <= ms {
		p := &c.points[0]
		c.state, c.late, c.heard = p.State, 0, true
		if known := p.KnownAt.UnixMilli(); known-p.ValidFrom.UnixMilli() > toldLate {
			c.late = known
		}
		c.points = c.points[1:]
	}
}

// within moves past the spans that are over and reports whether a time lies in
// the next one.
func within(spans *[]Span, ms int64) bool {
	for len(*spans) > 0 && (*spans)[0].To.UnixMilli() <= ms {
		*spans = (*spans)[1:]
	}
	return len(*spans) > 0 && (*spans)[0].From.UnixMilli() <= ms
}

// edges are the times between two others at which anything may change.
func (f *folder) edges(from, until int64) []int64 {
	out := []int64{from}
	add := func(ms int64) {
		if ms > from && ms < until {
			out = append(out, ms)
		}
	}
	for _, list := range [][]fleet.Point{f.States, f.Links} {
		for i := range list {
			add(list[i].ValidFrom.UnixMilli())
			add(list[i].KnownAt.UnixMilli())
		}
	}
	for _, list := range [][]Span{f.Away, f.Covered} {
		for _, s := range list {
			add(s.From.UnixMilli())
			add(s.To.UnixMilli())
		}
	}
	for i := range f.profiles {
		p := &f.profiles[i]
		add(p.from)
		add(p.to)
		for j := 1; j < len(p.pieces); j++ {
			if a, b := &p.pieces[j-1], &p.pieces[j]; a.charging != b.charging || a.measured != b.measured {
				add(b.from)
			}
		}
	}
	slices.Sort(out)
	return append(slices.Compact(out), until)
}

// running is a stay that has begun, with its next piece.
type running struct {
	*profile
	next int
}

func (r *running) piece(at int64) piece {
	for r.next+1 < len(r.pieces) && r.pieces[r.next].to <= at {
		r.next++
	}
	if r.next < len(r.pieces) {
		return r.pieces[r.next]
	}
	return piece{}
}

// walk tells the state of each stretch between two times, in order.
func (f *folder) walk(from, until int64, yield func(from, to int64, s State)) {
	states, links := cursor{points: f.States}, cursor{points: f.Links}
	away, covered := f.Away, f.Covered
	first, here := 0, []running(nil)
	edges := f.edges(from, until)
	for i, at := range edges[:len(edges)-1] {
		states.at(at)
		links.at(at)
		gone, told := within(&away, at), within(&covered, at)
		seen := links.state == online && !gone || at < states.late
		base := Unobserved
		if seen {
			base = meaning(fleet.ParseStatus(states.state))
		}
		if base == Unobserved && told {
			base = Free
		}
		for first < len(f.profiles) && f.profiles[first].from <= at {
			here = append(here, running{profile: &f.profiles[first]})
			first++
		}
		here = slices.DeleteFunc(here, func(r running) bool { return r.to <= at })
		yield(at, edges[i+1], with(base, here, at, seen))
	}
}

const online = "online"

// with is what a port does when sessions are open that what it says may not
// tell of. A meter that turns proves that it works.
func with(base State, here []running, at int64, seen bool) State {
	present, charging, measured := false, false, false
	for i := range here {
		if here[i].Open && !seen {
			continue
		}
		p := here[i].piece(at)
		present = true
		charging = charging || p.charging
		measured = measured || p.charging && p.measured
	}
	switch {
	case !present:
		return base
	case measured:
		return Charging
	case base == Faulted || base == Unavailable:
		return base
	case charging:
		return Charging
	}
	return Idle
}

// meaning is what the word of a port says while no session is known.
func meaning(s fleet.Status) State {
	switch s {
	case fleet.Available:
		return Free
	case fleet.Charging:
		return Charging
	case fleet.Preparing, fleet.SuspendedEV, fleet.SuspendedEVSE, fleet.Finishing:
		return Blocked
	case fleet.Reserved:
		return Reserved
	case fleet.Faulted:
		return Faulted
	case fleet.Unavailable:
		return Unavailable
	}
	return Unobserved
}

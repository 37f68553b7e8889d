package demand

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/planning/simulate"
	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

// priorHours is what a rate leans on its kind of day: as much as three weeks of
// its own hour.
const priorHours = 3

// New estimates the demand of a site.
func New(in Input) *Estimate {
	if in.Zone == nil {
		in.Zone = time.UTC
	}
	e := &Estimate{}
	var kinds []simulate.Kind
	for _, p := range in.Ports {
		if !slices.Contains(kinds, p.Kind) {
			kinds = append(kinds, p.Kind)
		}
	}
	slices.Sort(kinds)
	lines := make([]*line, len(kinds))
	var would, could float64
	for i, kind := range kinds {
		l := newLine(in, kind)
		l.sweep()
		lines[i] = l
		e.Wishes = append(e.Wishes, wishes(in, kind))
		e.Sessions += l.seen
	}
	e.Rates, e.DayVariance, e.HourVariance = fit(lines)
	for i, l := range lines {
		r := e.Rates[i]
		for h := range Week {
			e.PerWeek += r.PerHour[h]
			would += r.PerHour[h] * l.rawObserved[h]
			could += l.rawStarts[h]
		}
		if i == 0 {
			for h := range Week {
				e.Days += l.rawObserved[h] / 24
			}
		}
	}
	if would > 0 {
		e.Censored = min(1, max(0, 1-could/would))
	}
	if e.Days > 0 {
		e.Seen = could / e.Days * 7
	}
	e.Trend = trend(lines, e.Rates, in.To)
	return e
}

// line is the time of a site as drivers of one kind see it.
type line struct {
	Input
	kind     simulate.Kind
	points   map[int64]rollup.Point // by hour since 1970
	groups   map[string]*group
	sessions []rollup.Session
	total    int // ports of the kind
	slots    int // that are free now

	exposure, starts       [Week]float64 // weighted by age, exposure by the day's factor too
	rawObserved, rawStarts [Week]float64
	free                   [Week]float64 // hours in which a port was
	hours                  []hourCount
	seen                   int
}

// group is ports of which some serve at once.
type group struct {
	ports  int
	serves int
	busy   int
}

func (g *group) free() int { return max(0, min(g.ports, g.serves)-g.busy) }

// hourCount is what one hour in history had.
type hourCount struct {
	at       time.Time
	how      int
	day      int64 // by the clock of the site
	weight   float64
	exposure float64
	full     float64
	starts   float64
}

func newLine(in Input, kind simulate.Kind) *line {
	l := &line{Input: in, kind: kind, points: make(map[int64]rollup.Point, len(in.Points)), groups: make(map[string]*group)}
	for _, p := range in.Points {
		l.points[p.From.Unix()/3600] = p
	}
	of := make(map[string]bool)
	for _, p := range in.Ports {
		if p.Kind != kind {
			continue
		}
		of[portName(p.Station, p.EVSE)] = true
		l.total++
		name := portName(p.Station, p.EVSE)
		if p.Shared != "" {
			name = p.Shared
		}
		g := l.groups[name]
		if g == nil {
			g = &group{serves: 1}
			if p.Shared != "" {
				g.serves = p.Serves
			}
			l.groups[name] = g
		}
		g.ports++
	}
	for _, s := range in.Sessions {
		if of[portName(s.Station, s.EVSE)] && s.Start.Before(in.To) && s.End.After(in.From) {
			l.sessions = append(l.sessions, s)
		}
	}
	for _, g := range l.groups {
		l.slots += g.free()
	}
	return l
}

func portName(station string, evse int) string {
	return station + "\x00" + string(rune('0'+evse))
}

// groupOf finds the group of a session.
func (l *line) groupOf(s rollup.Session) *group {
	if g := l.groups[portName(s.Station, s.EVSE)]; g != nil {
		return g
	}
	for _, p := range l.Ports {
		if p.Station == s.Station && p.EVSE == s.EVSE {
			return l.groups[p.Shared]
		}
	}
	return nil
}

type mark struct {
	at    time.Time
	start bool
	group *group
}

// sweep walks through time once.
func (l *line) sweep() {
	marks := make([]mark, 0, 2*len(l.sessions))
	for _, s := range l.sessions {
		g := l.groupOf(s)
		if g == nil {
			continue
		}
		end := s.End
		if end.Before(s.Start) {
			end = s.Start
		}
		marks = append(marks, mark{s.Start, true, g}, mark{end, false, g})
	}
	slices.SortStableFunc(marks, func(a, b mark) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return cmp.Compare(b2i(a.start), b2i(b.start)) // ends first
	})
	next := 0
	for next < len(marks) && marks[next].at.Before(l.From) {
		l.turn(marks[next])
		next++
	}
	var shadow time.Time // until when nothing counts
	for hour := l.From.Truncate(time.Hour); hour.Before(l.To); hour = hour.Add(time.Hour) {
		end := hour.Add(time.Hour)
		off, seen := l.out(hour)
		h := hourCount{at: hour, how: hourOf(hour, l.Zone)}
		t := hour
		for {
			stop := end
			if next < len(marks) && marks[next].at.Before(end) {
				stop = marks[next].at
			}
			full := l.slots-off <= 0
			if full && seen {
				h.full += stop.Sub(t).Hours()
			}
			if full {
				shadow = stop.Add(after)
			} else if from := later(t, shadow); from.Before(stop) && seen {
				h.exposure += stop.Sub(from).Hours()
			}
			t = stop
			if next >= len(marks) || !marks[next].at.Before(end) {
				break
			}
			m := marks[next]
			next++
			if m.start && seen {
				l.rawStarts[h.how]++
				l.seen++
				if !full && !t.Before(shadow) {
					h.starts++
				}
			}
			l.turn(m)
		}
		if seen {
			l.count(h)
		}
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func (l *line) turn(m mark) {
	before := m.group.free()
	if m.start {
		m.group.busy++
	} else {
		m.group.busy--
	}
	l.slots += m.group.free() - before
}

// out is how many ports of the kind could not serve in an hour, and whether the
// site was observed at all.
func (l *line) out(hour time.Time) (off int, seen bool) {
	p, ok := l.points[hour.Unix()/3600]
	if !ok || p.Ports == 0 {
		return 0, false
	}
	whole := 3600 * float64(p.Ports)
	if p.Unobserved > whole/2 {
		return 0, false
	}
	lost := p.Faulted + p.Unavailable + p.Reserved + p.Blocked + p.Unobserved
	share := lost / whole
	if missing := len(l.Ports) - p.Ports; missing > 0 { // ports that came later
		share += (1 - share) * float64(missing) / float64(len(l.Ports))
	}
	off = int(math.Round(share * float64(l.total)))
	return off, off < l.total
}

func (l *line) count(h hourCount) {
	h.weight = 1
	if l.HalfLife > 0 {
		h.weight = math.Exp2(-l.To.Sub(h.at).Hours() / l.HalfLife.Hours())
	}
	_, offset := h.at.In(l.Zone).Zone()
	h.day = (h.at.Unix() + int64(offset)) / 86400
	l.rawObserved[h.how]++
	l.free[h.how] += h.exposure
	l.hours = append(l.hours, h)
}

// weigh sums up what counts, given how busy each day was.
func (l *line) weigh(factor map[int64]float64) {
	l.exposure, l.starts = [Week]float64{}, [Week]float64{}
	for _, h := range l.hours {
		l.exposure[h.how] += h.weight * h.exposure * factor[h.day]
		l.starts[h.how] += h.weight * h.starts
	}
}

// rounds of fit; the factors of days settle within a few.
const rounds = 6

// fit finds rates and how busy each day was, in turns. A busy day has less time
// with a free port: without its factor, rates would be those of the calm days.
func fit(lines []*line) (rates []Rate, day, hour float64) {
	factor := make(map[int64]float64)
	for _, l := range lines {
		for _, h := range l.hours {
			factor[h.day] = 1
		}
	}
	for round := range rounds {
		rates = rates[:0]
		for _, l := range lines {
			l.weigh(factor)
			rates = append(rates, l.rate())
		}
		day, hour = dispersion(lines, rates)
		if round < rounds-1 {
			busy(lines, rates, day, factor)
		}
	}
	return rates, day, hour
}

// busy finds the factor of each day: what was counted to what the rates expect,
// drawn towards one as far as days differ by chance alone.
func busy(lines []*line, rates []Rate, variance float64, factor map[int64]float64) {
	type sums struct{ n, m float64 }
	days := make(map[int64]sums)
	for i, l := range lines {
		for _, h := range l.hours {
			s := days[h.day]
			days[h.day] = sums{s.n + h.starts, s.m + rates[i].PerHour[h.how]*h.exposure}
		}
	}
	mean := 0.0
	for d, s := range days {
		factor[d] = (1 + variance*s.n) / (1 + variance*s.m)
		mean += factor[d] / float64(len(days))
	}
	for d := range factor {
		factor[d] /= mean
	}
}

// rate leans each hour on the same hour of its kind of day (Monday to Friday,
// Saturday, Sunday) and that on the hours around it: an hour that is nearly always
// full has demand like its neighbours and not like the mean of the day. Where
// most of an hour is hidden it has at least what charged in it.
func (l *line) rate() Rate {
	r := Rate{Kind: l.kind, Observed: l.rawObserved, Starts: l.rawStarts}
	kindOfDay := func(h int) int { return max(0, h/24-4) }
	var n, x [3][24]float64
	var na, xa float64
	for h := range Week {
		k := kindOfDay(h)
		n[k][h%24] += l.starts[h]
		x[k][h%24] += l.exposure[h]
		na += l.starts[h]
		xa += l.exposure[h]
	}
	all := 0.0
	if xa > 0 {
		all = na / xa
	}
	var of [3][24]float64
	for k := range of {
		for h := range of[k] {
			around, time := 0.0, 0.0
			for d := -3; d <= 3; d++ {
				weight := math.Exp2(-math.Abs(float64(d)))
				around += weight * n[k][(h+d+24)%24]
				time += weight * x[k][(h+d+24)%24]
			}
			near, _, _ := posterior(around, time, all, 1)
			of[k][h], _, _ = posterior(n[k][h], x[k][h], near, 1)
		}
	}
	for h := range Week {
		r.PerHour[h], r.Low[h], r.High[h] = posterior(l.starts[h], l.exposure[h], of[kindOfDay(h)][h%24], priorHours)
		if seen := l.rawObserved[h]; seen > 0 && l.free[h] < seen/2 {
			least := l.rawStarts[h] / seen
			r.PerHour[h], r.Low[h], r.High[h] = max(r.PerHour[h], least), max(r.Low[h], least), max(r.High[h], least)
		}
	}
	for _, h := range l.hours {
		r.Exposure[h.how] += h.exposure
		r.Full[h.how] += h.full
	}
	return r
}

// dispersion is how much days, and hours within them, differ beyond chance.
func dispersion(lines []*line, rates []Rate) (day, hour float64) {
	type sums struct{ n, m float64 }
	days := make(map[int64]sums)
	hours := make(map[int64]sums)
	weeks := 0.0
	for i, l := range lines {
		for _, h := range l.hours {
			m := rates[i].PerHour[h.how] * h.exposure
			s := days[h.day]
			days[h.day] = sums{s.n + h.starts, s.m + m}
			u := h.at.Unix() / 3600
			s = hours[u]
			hours[u] = sums{s.n + h.starts, s.m + m}
		}
	}
	weeks = float64(len(days)) / 7
	if weeks < 3 {
		return 0, 0
	}
	excess := func(of map[int64]sums) float64 {
		var over, under float64
		for _, s := range of {
			over += (s.n-s.m)*(s.n-s.m) - s.m
			under += s.m * s.m
		}
		if under == 0 {
			return 0
		}
		return max(0, over/under)
	}
	day = min(2, excess(days)*weeks/(weeks-1))
	return day, min(2, max(0, excess(hours)-day))
}

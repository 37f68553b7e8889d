package past

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	minuteMS = 60_000
	hourMS   = 60 * minuteMS
	dayMS    = 24 * hourMS
	// longest is the longest stay that is a session: whoever keeps them leans on it.
	longest = 92 * dayMS
)

// note counts something about the file as a whole.
func (e *examiner) note(k Kind, n int) {
	if n > 0 {
		e.find(k).Count += n
	}
}

func (e *examiner) find(k Kind) *Finding {
	if e.finding[k] == nil {
		e.finding[k] = &Finding{Kind: k}
	}
	return e.finding[k]
}

const maxExamples = 3

// show counts a finding at a row, with an example while there are few.
func (e *examiner) show(k Kind, line int32, example func() (before, after string)) {
	f := e.find(k)
	if f.Count++; len(f.Examples) < maxExamples {
		x := Example{Line: int(line)}
		if example != nil {
			x.Before, x.After = example()
		}
		f.Examples = append(f.Examples, x)
	}
}

// drop ends a row. Its place among the kept ones, if it has one, is taken out later.
func (e *examiner) drop(row int32, k Kind, example func() (string, string)) {
	x := &e.rows[row]
	e.show(k, x.line, example)
	e.outcome[row] = Quarantined
	if k.Class() == "duplicate" {
		e.outcome[row] = Duplicate
	}
	e.want(x.line, k)
}

// want keeps the text of a row.
func (e *examiner) want(line int32, k Kind) {
	if len(e.wanted) < e.o.Lines {
		e.wanted[line] = k
	}
}

// mended marks a session that is taken with something changed.
func (e *examiner) mended(s *kept, k Kind, example func() (string, string)) {
	line := e.rows[s.row].line
	e.show(k, line, example)
	s.found |= 1 << k
	if k.Class() == "repaired" {
		e.outcome[s.row] = Repaired
		if f := e.finding[k]; f.Count <= 20 { // examples; all would be the file again
			e.want(line, k)
		}
	}
}

// units finds the units that no header names: by how large the values are, and by
// which one makes durations fit starts and ends.
func (e *examiner) units() {
	if e.energyBy == 0 {
		var v []float64
		for i := range e.rows {
			if x := e.rows[i].energy; x > 0 {
				v = append(v, x)
			}
		}
		e.energyBy = 1e3
		if len(v) > 0 {
			slices.Sort(v)
			if v[len(v)/2] > 500 {
				e.energyBy = 1
			}
		}
	}
	for i := range e.rows {
		e.rows[i].energy *= e.energyBy
	}
	if e.has(Duration) && e.timeBy[Duration] == 0 {
		e.timeBy[Duration] = e.fittingUnit()
	}
	if e.has(ChargingTime) && e.timeBy[ChargingTime] == 0 {
		if e.timeBy[ChargingTime] = e.timeBy[Duration]; e.timeBy[ChargingTime] == 0 {
			e.timeBy[ChargingTime] = 60
		}
	}
	for i := range e.rows {
		x := &e.rows[i]
		if !x.absolute {
			x.durationMS = int64(float64(x.durationMS) * e.timeBy[Duration])
		}
		if x.chargingMS < 0 {
			x.chargingMS = -x.chargingMS - 1
		} else {
			x.chargingMS = int64(float64(x.chargingMS) * e.timeBy[ChargingTime])
		}
	}
}

func (e *examiner) fittingUnit() float64 {
	var ratio, values []float64
	for i := range e.rows {
		x := &e.rows[i]
		if x.absolute || x.durationMS <= 0 {
			continue
		}
		values = append(values, float64(x.durationMS)/1000)
		if x.start.set && x.end.set && !x.ambiguous() {
			if stay := x.end.naive(false) - x.start.naive(false); stay > 120 {
				ratio = append(ratio, float64(stay)*1000/float64(x.durationMS))
			}
		}
		if len(values) > 5000 {
			break
		}
	}
	pick := func(v float64, limits [2]float64) float64 {
		switch {
		case v < limits[0]:
			return 1
		case v < limits[1]:
			return 60
		}
		return 3600
	}
	if len(ratio) > 0 {
		slices.Sort(ratio)
		return pick(ratio[len(ratio)/2], [2]float64{8, 450})
	}
	if len(values) == 0 {
		return 60
	}
	slices.Sort(values)
	switch m := values[len(values)/2]; {
	case m > 1500:
		return 1
	case m > 15:
		return 60
	}
	return 3600
}

// places tidies and merges the names of sites, and finds for stations the site at which
// they are.
func (e *examiner) places() {
	tidy := make(map[uint32]uint32)
	merge := func(name string) (string, kindSet) {
		var found kindSet
		plain := strings.Join(strings.Fields(name), " ")
		if plain != name {
			found |= 1 << SiteTidied
		}
		if to, ok := e.m.Merge[plain]; ok && to != plain && to != "" {
			plain, found = to, found|1<<SiteMerged
		}
		return plain, found
	}
	changed := make(map[uint32]kindSet)
	votes := make(map[uint32]map[uint32]int)
	for i := range e.rows {
		x := &e.rows[i]
		to, ok := tidy[x.site]
		if !ok {
			name, found := merge(e.names.text[x.site])
			to, _ = e.names.of(name) // no more names than before, but for merged ones
			tidy[x.site] = to
			if found != 0 {
				changed[x.site] = found
			}
		}
		if to != 0 && x.station != 0 {
			if votes[x.station] == nil {
				votes[x.station] = make(map[uint32]int)
			}
			votes[x.station][to]++
		}
	}
	e.tidy, e.changed = tidy, changed
	e.usualSite = make(map[uint32]uint32)
	for station, sites := range votes {
		best := 0
		for site, n := range sites {
			if n > best || n == best && e.names.text[site] < e.names.text[e.usualSite[station]] {
				best, e.usualSite[station] = n, site
			}
		}
	}
}

// siteOf finds the site of a row.
func (e *examiner) siteOf(x *raw) (site uint32, found kindSet) {
	if site = e.tidy[x.site]; site != 0 {
		return site, e.changed[x.site]
	}
	if site = e.usualSite[x.station]; site != 0 && x.station != 0 {
		return site, 1 << SiteFilled
	}
	name := ""
	if e.o.SiteOf != nil && x.station != 0 {
		name = e.o.SiteOf(e.names.text[x.station])
	}
	if name == "" {
		name = e.o.Site
	}
	if name != "" {
		site, _ = e.names.of(name)
		if e.has(Site) {
			found = 1 << SiteFilled
		}
	}
	return site, found
}

// mend makes a session of a row, or says why it is none.
func (e *examiner) mend(row int32) {
	x := &e.rows[row]
	asIs := func(f Field) func() (string, string) {
		return func() (string, string) { return string(f), "" }
	}
	written := func() (string, string) { return x.start.text() + " – " + x.end.text(), "" }
	switch {
	case x.bad != KindNone:
		e.drop(row, x.bad, nil)
		return
	case !x.start.set:
		e.drop(row, NoStart, nil)
		return
	case x.station == 0 && e.has(Station):
		e.drop(row, NoStation, asIs(Station))
		return
	}
	s := kept{row: row, energyWh: x.energy}
	var found kindSet
	if s.site, found = e.siteOf(x); s.site == 0 {
		if e.has(Site) {
			e.drop(row, NoSite, asIs(Site))
			return
		}
		e.decide("site")
	}
	if e.o.Leave != nil && e.o.Leave(e.names.text[s.site]) {
		e.drop(row, NotMatched, func() (string, string) { return e.names.text[s.site], "" })
		return
	}
	swap, ignore := e.swap[row], e.m.IgnoreOffsets
	begin := e.zone.at(x.start, swap, ignore)
	s.start = begin.first*1000 + int64(x.start.ms%1000)
	if s.start > e.o.Now.UnixMilli()+dayMS {
		e.drop(row, InFuture, written)
		return
	}
	fault := e.ending(x, &s, swap, ignore, &found)
	if fault == KindNone && s.end-s.start > longest {
		fault = TooLong
	}
	if fault != KindNone {
		e.drop(row, fault, written)
		return
	}
	if begin.never {
		found |= 1 << SpringHour
	}
	if begin.twice && x.start.form != noDate {
		found |= 1 << AutumnUnclear
	}
	e.charging(x, &s, swap, ignore)
	if e.turned(x.start, swap) || x.end.set && e.turned(x.end, swap) {
		found |= 1 << DatesSwapped
	}
	e.outcome[row] = Imported
	for k := range kinds {
		if found.has(k) {
			e.mended(&s, k, e.example(k, x, &s))
		}
	}
	switch {
	case x.energy < 0:
		s.energyWh = math.NaN()
		e.mended(&s, EnergyNegative, func() (string, string) { return kWh(x.energy), "" })
	case x.energy == 0:
		e.mended(&s, ZeroEnergy, nil)
	}
	long := e.m.LongDays
	if long <= 0 {
		long = defaultLong
	}
	switch {
	case s.end == s.start:
		e.mended(&s, ZeroDuration, nil)
	case s.end-s.start > int64(long)*dayMS:
		e.mended(&s, LongStay, written)
	}
	e.kept = append(e.kept, s)
}

// turned reports whether a date is read in the other order than it is written.
func (e *examiner) turned(x stamp, swap bool) bool {
	return x.ambiguous() && swap != e.Swap.usual(x.form)
}

// ending finds when a session ended.
func (e *examiner) ending(x *raw, s *kept, swap, ignore bool, found *kindSet) Kind {
	fromDuration := func(missing Kind) Kind {
		if x.durationMS <= 0 {
			return missing
		}
		s.end = s.start + x.durationMS
		if e.has(End) {
			*found |= 1 << EndFromDuration
		}
		return KindNone
	}
	switch {
	case !x.end.set:
		return fromDuration(NoEnd)
	case x.end.year < 1990:
		return fromDuration(End1970)
	}
	end := e.zone.at(x.end, swap, ignore)
	s.end = end.first*1000 + int64(x.end.ms%1000)
	if end.twice && s.end >= s.start {
		*found |= 1 << AutumnUnclear
	}
	if s.end < s.start && end.twice {
		if second := end.second*1000 + int64(x.end.ms%1000); second >= s.start {
			s.end = second
			*found |= 1 << AutumnHour
		}
	}
	if end.never {
		*found |= 1 << SpringHour
	}
	if s.end < s.start {
		return fromDuration(EndBeforeStart)
	}
	return KindNone
}

// charging finds when energy stopped to flow, if the file says so.
func (e *examiner) charging(x *raw, s *kept, swap, ignore bool) {
	till := int64(0)
	switch {
	case x.charged.set && x.charged.year >= 1990:
		till = e.zone.at(x.charged, swap, ignore).first * 1000
	case x.chargingMS > 0:
		till = s.start + x.chargingMS
	}
	if till > s.start && till <= s.end+2*minuteMS {
		s.till = min(till, s.end)
	}
}

// example shows a repair.
func (e *examiner) example(k Kind, x *raw, s *kept) func() (string, string) {
	return func() (string, string) {
		zone := e.zone.zone
		at := func(ms int64) string { return time.UnixMilli(ms).In(zone).Format("2006-01-02 15:04 MST") }
		switch k {
		case DatesSwapped:
			return x.start.text(), at(s.start)
		case AutumnHour, EndFromDuration:
			return x.start.text() + " – " + x.end.text(), at(s.end)
		case SpringHour:
			return x.start.text() + " – " + x.end.text(), at(s.start) + " – " + at(s.end)
		case SiteTidied, SiteMerged:
			return e.names.text[x.site], e.names.text[s.site]
		case SiteFilled:
			return "", e.names.text[s.site]
		}
		return "", ""
	}
}

// text is a time as it is written, more or less.
func (s stamp) text() string {
	if !s.set {
		return "?"
	}
	clock := fmt.Sprintf("%02d:%02d", s.ms/3_600_000, s.ms/60_000%60)
	switch s.form {
	case yearLast:
		return fmt.Sprintf("%02d/%02d/%04d %s", s.p, s.q, s.year, clock)
	case dotted:
		return fmt.Sprintf("%02d.%02d.%04d %s", s.p, s.q, s.year, clock)
	}
	return fmt.Sprintf("%04d-%02d-%02d %s", s.year, s.p, s.q, clock)
}

func kWh(wh float64) string { return strconv.FormatFloat(wh/1000, 'f', -1, 64) + " kWh" }

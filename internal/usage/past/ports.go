package past

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"
)

// duplicates takes out rows that stand twice.
func (e *examiner) duplicates() {
	type key struct {
		site, station, port, token uint32
		start, end                 int64
		energy                     uint64
	}
	seen := make(map[key]int32, len(e.kept))
	out := e.kept[:0]
	for _, s := range e.kept {
		x := &e.rows[s.row]
		if x.station == 0 && math.IsNaN(x.energy) { // two cars that nothing tells apart
			out = append(out, s)
			continue
		}
		k := key{s.site, x.station, x.port, 0, s.start, s.end, math.Float64bits(x.energy)}
		if x.station == 0 {
			k.token = x.token
		}
		if line, twice := seen[k]; twice {
			e.drop(s.row, Twice, func() (string, string) { return strconv.Itoa(int(line)), "" })
			continue
		}
		seen[k] = x.line
		out = append(out, s)
	}
	e.kept = out
}

// sortKept puts sessions in the order in which they are written: by port, then time.
func (e *examiner) sortKept() {
	slices.SortFunc(e.kept, func(a, b kept) int {
		x, y := &e.rows[a.row], &e.rows[b.row]
		return cmp.Or(
			e.byName(a.site, b.site), e.byName(x.station, y.station), cmp.Compare(a.port, b.port),
			cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end), cmp.Compare(x.line, y.line))
	})
}

func (e *examiner) byName(a, b uint32) int {
	if a == b {
		return 0
	}
	return cmp.Compare(e.names.text[a], e.names.text[b])
}

// ports gives each session its port. Where a file names none, sessions are laid on as
// many ports as were in use at once.
func (e *examiner) ports() {
	if e.has(Port) && e.has(Station) {
		e.namedPorts()
		e.sortKept()
		return
	}
	e.sortKept()
	for from := 0; from < len(e.kept); {
		to := from + 1
		first := &e.rows[e.kept[from].row]
		for to < len(e.kept) && e.kept[to].site == e.kept[from].site && e.rows[e.kept[to].row].station == first.station {
			to++
		}
		e.unnamedPorts(e.kept[from:to], first.station != 0)
		from = to
	}
	e.sortKept()
}

// namedPorts reads the numbers of connectors; words are numbered by name.
func (e *examiner) namedPorts() {
	words := make(map[uint32][]uint32) // of a station
	for i := range e.kept {
		s := &e.kept[i]
		x := &e.rows[s.row]
		if n, ok := portOf(e.names.text[x.port]); ok {
			s.port = int16(n)
		} else if x.port != 0 && !slices.Contains(words[x.station], x.port) && len(words[x.station]) < maxPort {
			words[x.station] = append(words[x.station], x.port)
		}
	}
	for _, list := range words {
		slices.SortFunc(list, e.byName)
	}
	for i := range e.kept {
		s := &e.kept[i]
		if s.port != 0 {
			continue
		}
		x := &e.rows[s.row]
		s.port = int16(slices.Index(words[x.station], x.port) + 1)
		if s.port == 0 {
			s.port = 1
			e.mended(s, PortAssumed, func() (string, string) { return e.names.text[x.port], "1" })
		}
	}
}

// unnamedPorts lays the sessions of a station, or of a site whose stations are not
// named, on ports.
func (e *examiner) unnamedPorts(list []kept, station bool) {
	for i := range list {
		list[i].port = 1
	}
	if station {
		overlaps := 0
		for i := 1; i < len(list); i++ {
			if list[i].start < list[i-1].end-90_000 {
				overlaps++
			}
		}
		if overlaps < 3 || overlaps*50 < len(list) { // one port, and some dirt
			return
		}
	}
	var ends []int64
	for i := range list {
		at := slices.IndexFunc(ends, func(end int64) bool { return end <= list[i].start })
		if at < 0 {
			at = len(ends)
			if at == 1000 {
				at = 999
			} else {
				ends = append(ends, 0)
			}
		}
		ends[at] = max(ends[at], list[i].end)
		list[i].port = int16(at + 1)
	}
	e.note(PortsUnnamed, len(ends))
}

// powers finds how much a station can give: what the file says of it, and what it was
// seen to give.
func (e *examiner) powers() {
	seen := make(map[uint32][]float64)
	rated := make(map[uint32]float64)
	for i := range e.kept {
		s := &e.kept[i]
		x := &e.rows[s.row]
		if r := float64(x.rated); r > rated[x.station] {
			rated[x.station] = r
		}
		if h := float64(s.end-s.start) / hourMS; h > 1.0/6 && s.energyWh > 0 {
			seen[x.station] = append(seen[x.station], s.energyWh/(h+1.0/60))
		}
	}
	const believed = 450e3 // of the largest cars' chargers
	for station, w := range seen {
		slices.Sort(w)
		limit := believed
		if len(w) >= 30 {
			limit = max(1.6*w[len(w)*98/100], 4000)
		}
		if r := rated[station]; r > 0 {
			limit = min(max(1.3*r, limit), max(limit, believed))
			if len(w) < 30 {
				limit = 1.3 * r
			}
		}
		e.caps[station] = limit
	}
	most := e.m.MaxKWh * 1000
	if most <= 0 {
		most = defaultMost * 1000
	}
	for i := range e.kept {
		s := &e.kept[i]
		if s.energyWh > most || !e.fits(s, s.end) {
			was := s.energyWh
			s.energyWh = math.NaN()
			e.mended(s, EnergyAbsurd, func() (string, string) {
				return kWh(was) + " / " + time.Duration((s.end-s.start)*int64(time.Millisecond)).Round(time.Minute).String(), ""
			})
		}
	}
}

// fits reports whether the energy of a session can flow until an end.
func (e *examiner) fits(s *kept, end int64) bool {
	if math.IsNaN(s.energyWh) {
		return true
	}
	limit, ok := e.caps[e.rows[s.row].station]
	if !ok || e.rows[s.row].station == 0 { // not named: as many kinds as it may be
		limit = 450e3
	}
	hours := float64(end-s.start+2*minuteMS) / hourMS
	return s.energyWh <= limit*hours*1.1+100
}

// overlaps mends two sessions that were at one port at a time. A car that begins to
// charge proves that the one before was gone, unless its energy says otherwise.
func (e *examiner) overlaps() {
	out := e.kept[:0]
	last := -1
	for _, s := range e.kept {
		if last >= 0 {
			p := &out[last]
			same := p.site == s.site && p.port == s.port && e.rows[p.row].station == e.rows[s.row].station
			if same && s.start < p.end || same && s.start == p.start && s.end == p.end {
				switch {
				case s.start > p.start && e.fits(p, s.start):
					was := p.end
					p.end = s.start
					if p.till > p.end {
						p.till = p.end
					}
					e.mended(p, EndTrimmed, func() (string, string) { return e.local(was), e.local(p.end) })
				default:
					e.drop(s.row, Overlap, func() (string, string) {
						return e.local(s.start) + " – " + e.local(s.end), e.local(p.start) + " – " + e.local(p.end)
					})
					continue
				}
			}
		}
		out = append(out, s)
		last = len(out) - 1
	}
	e.kept = out
}

func (e *examiner) local(ms int64) string {
	return time.UnixMilli(ms).In(e.zone.zone).Format("2006-01-02 15:04")
}

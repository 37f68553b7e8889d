package past

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// span is a time, in milliseconds.
type span struct{ from, to int64 }

// pieces are the times of which the file knows. Where by the hours of the week sessions
// should be by the dozen and none is, it has a hole: not every night is one, nor the
// weekend of a place that is closed then.
func (e *examiner) pieces() []span {
	starts := make([]int64, len(e.kept))
	for i := range e.kept {
		starts[i] = e.kept[i].start
	}
	slices.Sort(starts)
	if len(starts) == 0 {
		return nil
	}
	const week = 7 * 24
	var seen, weeks [week]float64
	hour := func(ms int64) int64 { return ms / hourMS }
	for _, at := range starts {
		seen[hour(at)%week]++
	}
	busy := make(map[int64]bool) // weeks in which there is anything
	for _, at := range starts {
		busy[hour(at)/week] = true
	}
	for i := range weeks {
		weeks[i] = float64(len(busy))
	}
	expected := func(from, to int64) (n float64) {
		whole := (hour(to) - hour(from)) / week
		if whole > 0 {
			n = float64(len(starts)) / float64(len(busy)) * float64(whole)
		}
		for h := hour(from) + whole*week; h < hour(to); h++ {
			n += seen[h%week] / weeks[h%week]
		}
		return n
	}
	out := []span{{starts[0], starts[0]}}
	for i := 1; i < len(starts); i++ {
		gap := starts[i] - starts[i-1]
		if n := 0.0; gap > 36*hourMS && !e.m.Quiet {
			if n = expected(starts[i-1], starts[i]); n >= 30 && (gap > 4*dayMS || n >= 100) {
				e.show(Hole, 0, func() (string, string) { return e.local(starts[i-1]), e.local(starts[i]) })
				out = append(out, span{starts[i], starts[i]})
				continue
			}
		}
		out[len(out)-1].to = starts[i]
	}
	return out
}

// covers says for each port when the file knows of it. A port is there from its first
// session to its last, and on to the ends of the file where it has been quiet for no
// longer than it usually is.
func (e *examiner) covers() {
	pieces := e.pieces()
	for from := 0; from < len(e.kept); {
		to := from + 1
		first := &e.kept[from]
		rated := float64(e.rows[first.row].rated)
		for to < len(e.kept) && e.kept[to].site == first.site && e.kept[to].port == first.port &&
			e.rows[e.kept[to].row].station == e.rows[first.row].station {
			if r := float64(e.rows[e.kept[to].row].rated); math.IsNaN(rated) {
				rated = r
			}
			to++
		}
		list := e.kept[from:to]
		usual := int64(14 * dayMS)
		if n := len(list); n > 1 {
			usual = max(usual, 5*(list[n-1].start-list[0].start)/int64(n-1))
		}
		c := Cover{Site: e.names.text[first.site], Station: e.station(first), Port: int(first.port), RatedW: rated}
		firstStart, lastEnd := list[0].start, list[len(list)-1].end
		for i, p := range pieces {
			hole := int64(math.MaxInt64)
			if i+1 < len(pieces) {
				hole = pieces[i+1].from
			}
			if firstStart >= hole || lastEnd < p.from {
				continue
			}
			s := span{p.from, p.to}
			if firstStart-p.from > usual {
				s.from = firstStart
			}
			if p.to-lastEnd > usual {
				s.to = lastEnd
			}
			for j := range list { // a stay that reaches into the hole is known too
				if list[j].start >= p.from && list[j].start <= p.to {
					s.to = max(s.to, min(list[j].end, hole))
				}
			}
			if s.to > s.from {
				c.From, c.To = time.UnixMilli(s.from).UTC(), time.UnixMilli(s.to).UTC()
				e.Covers = append(e.Covers, c)
			}
		}
		e.Ports++
		from = to
	}
}

// station is what a session's station is called; those that a file does not name are
// numbered.
func (e *examiner) station(s *kept) string {
	return e.names.text[e.rows[s.row].station]
}

// finish counts, lists the sites and puts the findings in order.
func (e *examiner) finish() {
	if !e.has(Station) {
		e.nameStations()
	}
	e.covers()
	e.sites()
	e.note(Latin1, e.latin)
	e.note(BlankLines, e.blank)
	e.note(HeaderAgain, e.again)
	for _, o := range e.outcome {
		e.Outcomes[o]++
	}
	for k := range kinds {
		if e.finding[k] != nil {
			e.Findings = append(e.Findings, *e.finding[k])
		}
	}
	for i := range e.kept {
		s := &e.kept[i]
		if i == 0 || s.start < e.First.UnixMilli() {
			e.First = time.UnixMilli(s.start).UTC()
		}
		if i == 0 || s.end > e.Last.UnixMilli() {
			e.Last = time.UnixMilli(s.end).UTC()
		}
		if !math.IsNaN(s.energyWh) {
			e.EnergyWh += s.energyWh
			e.WithEnergy++
		}
	}
	if e.o.Token == nil {
		clear(e.tokens.text)
		return
	}
	for i, t := range e.tokens.text {
		if t != "" {
			e.tokens.text[i] = e.o.Token(t)
		}
	}
}

// nameStations gives the ports of a site without stations one station each.
func (e *examiner) nameStations() {
	for i := range e.kept {
		s := &e.kept[i]
		name, err := e.names.of("port-" + strconv.Itoa(int(s.port)))
		if err != nil { // at most a thousand, and there is room for them
			name = 0
		}
		e.rows[s.row].station, s.port = name, 1
	}
	e.sortKept()
}

// sites lists the sites and which of them may be one place under two names.
func (e *examiner) sites() {
	type place struct {
		rows     int
		stations map[uint32]bool
	}
	all := make(map[uint32]*place)
	for i := range e.rows {
		x := &e.rows[i]
		site := e.tidy[x.site]
		if e.outcome[i] != Quarantined || !e.has(Site) {
			site, _ = e.siteOf(x)
		}
		if all[site] == nil {
			all[site] = &place{stations: make(map[uint32]bool)}
		}
		all[site].rows++
		if x.station != 0 && e.has(Station) {
			all[site].stations[x.station] = true
		}
	}
	var list []uint32
	for site, p := range all {
		if p.rows > 0 && (site != 0 || !e.has(Site)) {
			list = append(list, site)
		}
	}
	slices.SortFunc(list, func(a, b uint32) int { return cmp.Or(-cmp.Compare(all[a].rows, all[b].rows), e.byName(a, b)) })
	alike := make(map[uint32][]string)
	if len(list) <= 3000 {
		for i, a := range list {
			for _, b := range list[i+1:] {
				shared := false
				for s := range all[b].stations {
					shared = shared || all[a].stations[s]
				}
				if a != 0 && b != 0 && sameWord(e.names.text[a], e.names.text[b], shared) {
					alike[a] = append(alike[a], e.names.text[b])
					alike[b] = append(alike[b], e.names.text[a])
					e.show(Spellings, 0, func() (string, string) { return e.names.text[a], e.names.text[b] })
				}
			}
		}
	}
	for _, site := range list {
		e.Sites = append(e.Sites, SiteName{Name: e.names.text[site], Rows: all[site].rows, Stations: len(all[site].stations), Alike: alike[site]})
	}
}

// sameWord reports whether two names may be spellings of one: the same letters, a slip
// of the pen in a word, or a longer form of the same; more may differ where a station
// stands under both.
func sameWord(a, b string, shared bool) bool {
	words := func(s string) []string {
		return strings.FieldsFunc(strings.ToLower(s), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
	}
	x, y := words(a), words(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	long, short := strings.Join(y, ""), strings.Join(x, "")
	switch {
	case short == "":
		return false
	case short == long:
		return true
	case strings.HasPrefix(long, short) && len(short) >= 12 && !slices.ContainsFunc(y[len(x):], numeric):
		return true
	case shared && (strings.HasPrefix(long, short) || distance([]rune(short), []rune(long), len(long)/3) <= len(long)/3):
		return true
	case len(x) != len(y):
		return false
	}
	slips := 0
	for i := range x {
		if x[i] == y[i] {
			continue
		}
		// East and West, 1 and 2 are no slips.
		most := 1 + len(x[i])/8
		if slips++; slips > 1 || len(x[i]) < 4 || numeric(x[i]) || numeric(y[i]) {
			return false
		}
		if p, q := []rune(x[i]), []rune(y[i]); distance(p, q, most) > most || distance(q, p, most) > most {
			return false
		}
	}
	return true
}

func numeric(word string) bool { return strings.ContainsAny(word, "0123456789") }

// distance counts the letters to change, up to a bound.
func distance(a, b []rune, most int) int {
	if d := len(b) - len(a); d > most || -d > most {
		return most + 1
	}
	row := make([]int, len(a)+1)
	for i := range row {
		row[i] = i
	}
	for j, c := range b {
		diagonal := row[0]
		row[0] = j + 1
		best := row[0]
		for i, d := range a {
			cost := diagonal
			if c != d {
				cost = 1 + min(diagonal, row[i], row[i+1])
			}
			diagonal, row[i+1] = row[i+1], cost
			best = min(best, cost)
		}
		if best > most {
			return most + 1
		}
	}
	return row[len(a)]
}

// texts reads the file once more for the rows that are shown.
func (e *examiner) texts() error {
	if len(e.wanted) == 0 {
		return nil
	}
	progress := e.o.Progress
	if progress != nil {
		e.o.Progress = func(int64) error { return progress(math.MaxInt64) }
	}
	outcome := make(map[int32]Outcome, len(e.wanted))
	for i := range e.rows {
		if _, ok := e.wanted[e.rows[i].line]; ok {
			outcome[e.rows[i].line] = e.outcome[i]
		}
	}
	err := e.walk(func(rec record) error {
		k, ok := e.wanted[int32(rec.line)]
		if !ok {
			return nil
		}
		l := Line{Number: rec.line, Kind: k, Outcome: outcome[int32(rec.line)]}
		if rec.bad != LineTooLong {
			l.Text = e.shown(rec.cells)
		}
		if e.Lines = append(e.Lines, l); len(e.Lines) == len(e.wanted) {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

var errEnough = errors.New("all that was asked for")

// shown is a row as text: the mapped cells but the token, as CSV in the order of Fields.
func (e *examiner) shown(cells [][]byte) string {
	var b strings.Builder
	for i, f := range Fields() {
		if i > 0 {
			b.WriteByte(',')
		}
		c, ok := e.at[f]
		if !ok || c >= len(cells) || f == Token {
			continue
		}
		text, _ := clean(cells[c])
		if strings.ContainsAny(text, `",`) {
			text = `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
		}
		b.WriteString(text)
	}
	return b.String()
}

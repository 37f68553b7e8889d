package past

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"
)

// Options is what the file itself does not know.
type Options struct {
	// Open opens the file; it is read twice where rows are quarantined.
	Open func() (io.Reader, error)
	// Zone is the clock of times without an offset; nil: nobody said, and a person has
	// to where it matters.
	Zone *time.Location
	Now  time.Time
	// Token gives what stands for a token; nil: tokens are left out.
	Token func(string) string
	// Site is the site of rows that name none and that SiteOf does not know.
	Site   string
	SiteOf func(station string) string // may be nil
	// Watched reports whether a port was recorded by ourselves in a time; may be nil.
	Watched func(station string, port int, start, end time.Time) bool
	// Leave says which sites of the file are left out; may be nil.
	Leave func(site string) bool
	// Lines is how many rows that were not taken as they stood are kept; 0: 50,000.
	Lines int
	// Progress is told how many bytes were read; its error ends the examination. May be
	// nil.
	Progress func(read int64) error
}

// Examination is what a file comes to, read in one way.
type Examination struct {
	Rows     int
	Outcomes [Duplicate + 1]int
	Findings []Finding
	Sites    []SiteName
	Covers   []Cover
	Lines    []Line // by number
	Swap     Swap
	// Decide is what only a person can say before the file is imported: zone, dates,
	// site.
	Decide      []string
	First, Last time.Time
	Ports       int
	EnergyWh    float64
	WithEnergy  int // sessions whose energy is known

	names  *names
	tokens *names
	rows   []raw
	kept   []kept
}

// raw is a row as it is written.
type raw struct {
	line                       int32
	bad                        Kind
	latin                      bool
	absolute                   bool // the duration says its unit
	site, station, port, token uint32
	start, end, charged        stamp
	durationMS, chargingMS     int64   // 0: not said
	energy                     float64 // NaN: not said
	peak, rated                float32
}

func (x *raw) ambiguous() bool { return x.start.ambiguous() || x.end.ambiguous() }

// kept is a row that became a session.
type kept struct {
	row              int32
	site             uint32
	port             int16
	start, end, till int64 // milliseconds; till is the end of charging, 0: unknown
	energyWh         float64
	found            kindSet
}

type kindSet uint64

func (s kindSet) has(k Kind) bool { return s&(1<<k) != 0 }

// names numbers texts that come again and again; 0 is the empty one.
type names struct {
	number map[string]uint32
	text   []string
}

func newNames() *names {
	return &names{number: map[string]uint32{"": 0}, text: []string{""}}
}

func (n *names) of(s string) (uint32, error) {
	if i, ok := n.number[s]; ok {
		return i, nil
	}
	if len(n.text) > maxNames {
		return 0, ErrNames
	}
	i := uint32(len(n.text))
	n.text = append(n.text, s)
	n.number[s] = i
	return i, nil
}

// Len is how many sessions the file has.
func (x *Examination) Len() int { return len(x.kept) }

// Session returns a session by its place. The order is the same each time.
func (x *Examination) Session(i int) Session {
	k := &x.kept[i]
	r := &x.rows[k.row]
	s := Session{
		Line: int(r.line), Site: x.names.text[k.site], Station: x.names.text[r.station], Port: int(k.port),
		Start: time.UnixMilli(k.start).UTC(), End: time.UnixMilli(k.end).UTC(),
		EnergyWh: k.energyWh, PeakW: float64(r.peak), Token: x.tokens.text[r.token], Flag: k.found.flags(),
	}
	if k.till != 0 {
		s.ChargingEnd = time.UnixMilli(k.till).UTC()
	}
	return s
}

func (s kindSet) flags() string {
	if s == 0 {
		return ""
	}
	out := ""
	for k := range kinds {
		if s.has(k) && (k <= PortAssumed || k.Class() == "flagged") {
			if out != "" {
				out += ","
			}
			out += k.String()
		}
	}
	return out
}

// examiner is an examination in the making.
type examiner struct {
	*Examination
	form Form
	m    Mapping
	o    Options
	at   map[Field]int

	decimal  map[Field]byte
	energyBy float64 // 0: not known yet
	timeBy   map[Field]float64
	zone     *clock
	finding  [kinds]*Finding
	wanted   map[int32]Kind // lines whose text is kept
	outcome  []Outcome      // by row
	caps     map[uint32]float64
	swap     []bool
	tidy     map[uint32]uint32  // the name of a site that counts
	changed  map[uint32]kindSet // what that changed
	// usualSite is where most rows of a station are.
	usualSite map[uint32]uint32
	blank     int
	again     int
	latin     int
}

// Examine reads a whole file by a mapping and says what each row of it comes to.
func Examine(f Form, m Mapping, o Options) (*Examination, error) {
	e := &examiner{
		Examination: &Examination{names: newNames(), tokens: newNames()}, form: f, m: m, o: o, at: make(map[Field]int),
		decimal: make(map[Field]byte), timeBy: make(map[Field]float64), wanted: make(map[int32]Kind), caps: make(map[uint32]float64),
	}
	if e.o.Lines <= 0 {
		e.o.Lines = 50_000
	}
	if err := e.prepare(); err != nil {
		return nil, err
	}
	if err := e.readAll(); err != nil {
		return nil, err
	}
	e.units()
	e.swap, e.Swap = orderOf(e.rows, m.Dates, o.Now.Unix())
	if e.Swap.Sure == "unclear" {
		e.note(DatesUnclear, e.Swap.Ambiguous)
		e.decide("dates")
	}
	e.zone = newClock(o.Zone)
	e.places()
	e.outcome = make([]Outcome, len(e.rows))
	for i := range e.rows {
		e.mend(int32(i))
	}
	if e.zone.asked && o.Zone == nil {
		e.decide("zone")
	}
	e.duplicates()
	e.ports()
	e.powers()
	e.overlaps()
	e.watched()
	e.finish()
	return e.Examination, e.texts()
}

func (e *examiner) decide(what string) {
	if !slices.Contains(e.Decide, what) {
		e.Decide = append(e.Decide, what)
	}
}

// watched takes out what we recorded ourselves.
func (e *examiner) watched() {
	if e.o.Watched == nil || !e.has(Station) {
		return
	}
	out := e.kept[:0]
	for _, s := range e.kept {
		if e.o.Watched(e.station(&s), int(s.port), time.UnixMilli(s.start), time.UnixMilli(s.end)) {
			e.drop(s.row, Watched, func() (string, string) { return e.local(s.start) + " – " + e.local(s.end), "" })
			continue
		}
		out = append(out, s)
	}
	e.kept = out
}

// prepare checks the mapping and finds how numbers are written.
func (e *examiner) prepare() error {
	for f, c := range e.m.Columns {
		if !slices.Contains(Fields(), f) {
			return fmt.Errorf("%w: %q is no field", ErrMapping, f)
		}
		if c < 0 || c >= len(e.form.head) {
			return fmt.Errorf("%w: there is no column %d", ErrMapping, c)
		}
		e.at[f] = c
	}
	_, start := e.at[Start]
	_, end := e.at[End]
	_, lasts := e.at[Duration]
	if !start || !end && !lasts {
		return ErrMapping
	}
	for _, f := range []Field{Energy, PeakPower, RatedPower, Duration, ChargingTime} {
		c, ok := e.at[f]
		if !ok {
			continue
		}
		var values []string
		for _, r := range e.form.sample {
			if c < len(r) && r[c] != "" {
				values = append(values, r[c])
			}
		}
		e.decimal[f] = decimalOf(values)
		if e.m.Decimal != "" {
			e.decimal[f] = e.m.Decimal[0]
		}
		switch f {
		case Energy:
			e.energyBy, _ = energyUnit(e.m.EnergyUnit)
			if e.energyBy == 0 {
				e.energyBy, _ = unitOf(e.form.head[c], energyUnit)
			}
		case Duration, ChargingTime:
			by, ok := timeUnit(e.m.TimeUnit)
			if !ok {
				by, ok = unitOf(e.form.head[c], timeUnit)
			}
			if ok && by > 0 {
				e.timeBy[f] = by
			}
		}
	}
	return nil
}

// readAll reads the rows as they are written.
func (e *examiner) readAll() error {
	return e.walk(func(rec record) error {
		if e.Rows++; e.Rows > MaxRows {
			return ErrRows
		}
		x := raw{line: int32(rec.line), bad: rec.bad, energy: math.NaN(), peak: float32(math.NaN()), rated: float32(math.NaN())}
		if x.bad == KindNone && e.misshapen(rec.cells) {
			x.bad = WrongColumns
		}
		if x.bad == KindNone {
			if err := e.readRow(&x, rec.cells); err != nil {
				return err
			}
		}
		if x.latin {
			e.latin++
		}
		e.rows = append(e.rows, x)
		return nil
	})
}

// walk gives each record that is a row.
func (e *examiner) walk(each func(record) error) error {
	in, err := e.o.Open()
	if err != nil {
		return fmt.Errorf("open the file: %w", err)
	}
	x, err := e.form.open(in)
	if err != nil {
		return err
	}
	e.blank, e.again = 0, 0
	told := int64(0)
	for {
		rec, err := x.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if e.o.Progress != nil && x.read-told > 1<<20 {
			told = x.read
			if err := e.o.Progress(told); err != nil {
				return err
			}
		}
		switch {
		case rec.bad == KindNone && empty(rec.cells):
			e.blank++
			continue
		case rec.bad == KindNone && e.isHead(rec.cells):
			e.again++
			continue
		}
		if err := each(rec); err != nil {
			return err
		}
	}
}

func empty(cells [][]byte) bool {
	for _, c := range cells {
		for _, b := range c {
			if b != ' ' && b != '\t' {
				return false
			}
		}
	}
	return true
}

// isHead reports whether a row is the names of the columns once more, as where files
// were joined.
func (e *examiner) isHead(cells [][]byte) bool {
	c := e.at[Start]
	if c >= len(cells) || string(cells[c]) != e.form.head[c] {
		return false
	}
	if c, ok := e.at[End]; ok && (c >= len(cells) || string(cells[c]) != e.form.head[c]) {
		return false
	}
	return true
}

// misshapen reports whether a row has other columns than the file: cells that are
// wanted are missing, or there are more than have a name.
func (e *examiner) misshapen(cells [][]byte) bool {
	if len(cells) > len(e.form.head) {
		return !empty(cells[len(e.form.head):])
	}
	if len(cells) == len(e.form.head) {
		return false
	}
	for _, c := range e.at {
		if c >= len(cells) {
			return true
		}
	}
	return false
}

func (e *examiner) readRow(x *raw, cells [][]byte) error {
	text := func(f Field) string {
		c, ok := e.at[f]
		if !ok || c >= len(cells) {
			return ""
		}
		s, latin := clean(cells[c])
		x.latin = x.latin || latin
		return s
	}
	for _, n := range []struct {
		field Field
		to    *uint32
	}{{Site, &x.site}, {Station, &x.station}, {Port, &x.port}} {
		number, err := e.names.of(short(text(n.field)))
		if err != nil {
			return err
		}
		*n.to = number
	}
	if t := text(Token); t != "" && e.o.Token != nil {
		x.token, _ = e.tokens.of(t) // beyond the bound who it was is left out
	}
	x.start = when(text(Start), text(StartTime), e.has(StartTime))
	x.end = when(text(End), text(EndTime), e.has(EndTime))
	x.charged, _ = parseStamp(text(ChargingEnd))
	if s := text(Duration); s != "" {
		x.durationMS, _ = parseDuration(s, e.decimal[Duration], 1)
		x.absolute = !plainNumber(s)
	}
	if s := text(ChargingTime); s != "" {
		if ms, ok := parseDuration(s, e.decimal[ChargingTime], 1); ok && ms >= 0 {
			x.chargingMS = ms
			if !plainNumber(s) {
				x.chargingMS = -ms - 1 // says its unit
			}
		}
	}
	if s := text(Energy); s != "" {
		if v, unit, ok := parseNumber(s, e.decimal[Energy]); ok {
			if by, known := energyUnit(unit); known {
				v *= by
				if e.energyBy == 0 {
					e.energyBy = 1
				}
				v /= e.energyBy
			}
			x.energy = v
		}
	}
	if s := text(PeakPower); s != "" {
		if w := ratedOf(s, e.decimal[PeakPower]); !math.IsNaN(w) {
			x.peak = float32(w)
		} else if v, unit, ok := parseNumber(s, e.decimal[PeakPower]); ok && v > 0 && v < 5e6 && (unit == "" || unit == "kw" || unit == "w") {
			if unit != "w" && v < 1000 {
				v *= 1000
			}
			x.peak = float32(v)
		}
	}
	if s := text(RatedPower); s != "" {
		x.rated = float32(ratedOf(s, e.decimal[RatedPower]))
	}
	return nil
}

func (e *examiner) has(f Field) bool { _, ok := e.at[f]; return ok }

func plainNumber(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && c != '.' && c != ',' && c != '-' && c != ' ' {
			return false
		}
	}
	return true
}

// short bounds a name.
func short(s string) string {
	if len(s) <= 120 {
		return s
	}
	r := []rune(s)
	return string(r[:min(len(r), 120)])
}

// when puts a date and its time of day together.
func when(date, clock string, apart bool) stamp {
	x, ok := parseStamp(date)
	if !ok {
		return stamp{}
	}
	if !apart {
		return x
	}
	ms, ok := parseTimeOfDay(clock)
	if !ok {
		return stamp{}
	}
	x.ms, x.timed = ms, true
	return x
}

package forecast

import "math"

// Columns that the hour of the week decides: the constant, harmonics of the
// week, weekend and Sunday change from hour to hour; harmonics of the day are the
// same on all workdays, and on both days of the weekend.
const (
	slow       = 1 + 2*weekly + 2
	fast       = 2 * daily
	clockWidth = slow + 2*fast
)

// clock is these columns.
type clock struct {
	slow [week][slow]float64
	fast [day][fast]float64
}

func newClock() *clock {
	x := &clock{}
	for hour := range week {
		x.slow[hour][0] = 1
		for k := 1; k <= weekly; k++ {
			x.slow[hour][2*k-1], x.slow[hour][2*k] = math.Sincos(2 * math.Pi * float64(k*hour) / week)
		}
		x.slow[hour][slow-2], x.slow[hour][slow-1] = number(hour >= 5*day), number(hour >= 6*day)
	}
	for hour := range day {
		for k := 1; k <= daily; k++ {
			x.fast[hour][2*k-2], x.fast[hour][2*k-1] = math.Sincos(2 * math.Pi * float64(k*hour) / day)
		}
	}
	return x
}

// fastAt is where the harmonics of the day of an hour of the week stand.
func fastAt(hour int) int {
	if hour >= 5*day {
		return slow + fast
	}
	return slow
}

// clocked gathers rows for a fit of which the first columns are those of the
// clock. Of these only sums by hour of the week are kept, so that a row costs
// what its other columns cost; spread makes of them what all columns sum to.
type clocked struct {
	clock *clock
	other int       // columns
	width int       // of a row of hours: weight times slow, other columns, target
	hours []float64 // sums by hour of the week; of weight times slow the first, which is the weight
	rest  *normal   // of the other columns
	some  bool
	// What spread works on.
	days     []float64 // sums by kind and hour of the day
	ofSlow   []float64 // columns by what they meet
	ofFast   []float64
	fastFast []float64
}

func newClocked(c *clock, other int) *clocked {
	width := slow + other + 1
	return &clocked{clock: c, other: other, width: width, hours: make([]float64, week*width), rest: newNormal(other),
		days: make([]float64, 2*day*width), ofSlow: make([]float64, slow*width), ofFast: make([]float64, 2*fast*width), fastFast: make([]float64, 2*fast*fast)}
}

func (m *clocked) add(hour int, z []float64, y, weight float64) {
	sums := m.hours[hour*m.width:][:m.width]
	sums[0] += weight
	into := sums[slow:][:len(z)]
	for i, v := range z {
		into[i] += weight * v
	}
	sums[m.width-1] += weight * y
	m.rest.add(z, y, weight)
	m.some = true
}

// spread adds what was gathered to a fit of all columns, and forgets it.
func (m *clocked) spread(to *normal) {
	if !m.some {
		return
	}
	m.some = false
	m.rest.flush()
	m.meet()
	p := to.p
	row := func(i int, met []float64) { // of column i with columns slow, other and the target
		to.xy[i] += met[m.width-1]
		xx := to.xx[i*p : i*p+p]
		addTo(xx[clockWidth:], met[slow:m.width-1])
	}
	for i := range slow {
		met := m.ofSlow[i*m.width:][:m.width]
		row(i, met)
		addTo(to.xx[i*p+i:i*p+slow], met[i:slow])
		for k := range 2 * fast {
			to.xx[i*p+slow+k] += m.ofFast[k*m.width+i]
		}
	}
	for k := range 2 * fast {
		row(slow+k, m.ofFast[k*m.width:][:m.width])
		i := slow + k
		end := slow + (k/fast+1)*fast
		addTo(to.xx[i*p+i:i*p+end], m.fastFast[k*fast+k%fast:(k+1)*fast])
	}
	for i := range m.other {
		at := (clockWidth + i) * p
		addTo(to.xx[at+clockWidth+i:at+p], m.rest.xx[i*m.other+i:(i+1)*m.other])
	}
	addTo(to.xy[clockWidth:], m.rest.xy)
	to.n += m.rest.n
	clear(m.hours)
	m.rest.clear()
}

// meet sums the columns of the clock with all others.
func (m *clocked) meet() {
	clear(m.days)
	clear(m.ofSlow)
	clear(m.ofFast)
	clear(m.fastFast)
	for hour := range week {
		sums := m.hours[hour*m.width:][:m.width]
		weight := sums[0]
		if weight == 0 {
			continue
		}
		x := &m.clock.slow[hour]
		for i := 1; i < slow; i++ {
			sums[i] = weight * x[i]
		}
		at := hour % day
		if hour >= 5*day {
			at += day
		}
		addTo(m.days[at*m.width:][:m.width], sums)
	}
	for hour := 0; hour < week; hour += 4 {
		m.four(m.ofSlow, m.hours[hour*m.width:], m.clock.slow[hour][:], m.clock.slow[hour+1][:], m.clock.slow[hour+2][:], m.clock.slow[hour+3][:])
	}
	for at := 0; at < 2*day; at += 4 {
		a, b, c, d := &m.clock.fast[at%day], &m.clock.fast[(at+1)%day], &m.clock.fast[(at+2)%day], &m.clock.fast[(at+3)%day]
		m.four(m.ofFast[at/day*fast*m.width:], m.days[at*m.width:], a[:], b[:], c[:], d[:])
		for k, x := range [...]*[fast]float64{a, b, c, d} {
			weight := m.days[(at+k)*m.width]
			for i, v := range x {
				v *= weight
				into := m.fastFast[(at/day*fast+i)*fast:][:fast]
				for j := i; j < fast; j++ {
					into[j] += v * x[j]
				}
			}
		}
	}
}

// four adds, for each column of four rows a to d of the clock, that column times
// the sums that belong to these rows.
func (m *clocked) four(into, sums, a, b, c, d []float64) {
	w := m.width
	sa, sb, sc, sd := sums[:w], sums[w:2*w], sums[2*w:3*w], sums[3*w:4*w]
	for i := range a {
		wa, wb, wc, wd := a[i], b[i], c[i], d[i]
		if wa == 0 && wb == 0 && wc == 0 && wd == 0 {
			continue
		}
		addFour(into[i*w:i*w+w], sa, sb, sc, sd, wa, wb, wc, wd)
	}
}

// addFour adds four rows, each times its weight. The sums pass through the
// processor once for four rows.
func addFour(into, a, b, c, d []float64, wa, wb, wc, wd float64) {
	a, b, c, d = a[:len(into)], b[:len(into)], c[:len(into)], d[:len(into)]
	for j := range into {
		into[j] += wa*a[j] + wb*b[j] + wc*c[j] + wd*d[j]
	}
}

func addTo(into, v []float64) {
	v = v[:len(into)]
	for i := range into {
		into[i] += v[i]
	}
}

// fitted is what a fit of clock and other columns says.
type fitted struct {
	ok    bool
	hours [week]float64 // of the clock's columns
	rest  []float64
}

func (f *fitted) take(c *clock, b []float64) {
	f.ok = b != nil
	if !f.ok {
		return
	}
	for hour := range week {
		at := fastAt(hour)
		f.hours[hour] = dot(c.slow[hour][:], b[:slow]) + dot(c.fast[hour%day][:], b[at:at+fast])
	}
	f.rest = b[clockWidth:]
}

func (f *fitted) says(hour int, z []float64) float64 { return f.hours[hour] + dot(z, f.rest) }

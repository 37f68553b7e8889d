package past

import (
	"cmp"
	"math"
	"slices"
)

// Some exports write day and month in each other's place wherever that gives a date:
// a table in day-month order went through a program of the other habit. Whether it
// happened can be told from three things that do not hang on any one date: the rows
// that can be read in one way only say in which time the file lies; files stand in the
// order of time; and a stay does not last for months. They are weighed for the file
// piece by piece, since files are also glued together.

// Swap says what was found out about the order of day and month.
type Swap struct {
	Ambiguous int // rows with a date that can be read in two ways
	Swapped   int // rows that were read in the other order
	// Sure is how sure that is: certain, likely, unclear, or empty where nothing is
	// ambiguous.
	Sure string
	// InOrder is the share of neighbours in the order of the file, InPeriod that of
	// rows in the time of those that can be read in one way only: as written and as read.
	InOrder, InPeriod [2]float64
	Pieces            int // of the file that were read in the one or the other way

	dayFirst bool // how dates like 05/06/2018 are written
}

// usual is whether in dates of a form the day stands before the month.
func (s *Swap) usual(f dateForm) bool { return f == dotted || f == yearLast && s.dayFirst }

// weigher holds what the evidence is weighed with.
type weigher struct {
	sign     float64 // of the order of the file; 0: none
	smooth   float64
	low      int64 // of the time in which the file lies
	high     int64
	period   bool
	now      int64
	standing [2]float64 // against reading any ambiguous row so
}

const (
	switchCost = 14.0 // of reading the next row in another way
	daySeconds = 86400
)

// orderOf decides for each row whether the second number is the month. It returns
// nil where no date is ambiguous.
func orderOf(rows []raw, want DateOrder, now int64) ([]bool, Swap) {
	var s Swap
	forms := [certain + 1]int{}
	firsts, seconds := 0, 0 // dates whose first, second number is no month
	for i := range rows {
		x := &rows[i]
		if !x.start.set {
			continue
		}
		forms[x.start.form]++
		switch {
		case x.ambiguous():
			s.Ambiguous++
		case x.start.form == certain:
		case x.start.form != yearLast:
		case x.start.p > 12:
			firsts++
		case x.start.q > 12:
			seconds++
		}
	}
	s.dayFirst = firsts > seconds || firsts == seconds && want != MonthFirst
	all := func(way func(*raw) bool) []bool {
		out := make([]bool, len(rows))
		for i := range out {
			out[i] = way(&rows[i])
		}
		return out
	}
	usual := all(func(x *raw) bool { return s.usual(x.start.form) })
	if s.Ambiguous == 0 {
		return usual, s
	}
	switch want {
	case DayFirst, DatesSwap:
		s.Sure, s.dayFirst = "certain", true
		return s.count(rows, all(func(*raw) bool { return true })), s
	case MonthFirst, DatesAsISO:
		s.Sure, s.dayFirst = "certain", want == DatesAsISO && s.dayFirst
		return s.count(rows, all(func(x *raw) bool { return want == DatesAsISO && s.usual(x.start.form) })), s
	case DatesAuto:
	}
	w := weigh(rows, now)
	w.standing = prior(forms, firsts, seconds, s.Ambiguous)
	read, margin := w.best(rows)
	if forms[yearLast] > 0 && firsts == 0 && seconds == 0 { // nothing says how they are written: as they are read
		day := 0
		for i := range rows {
			if x := &rows[i]; x.start.form == yearLast && x.ambiguous() {
				if day--; read[i] {
					day += 2
				}
			}
		}
		s.dayFirst = day > 0
		usual = all(func(x *raw) bool { return s.usual(x.start.form) })
	}
	s.count(rows, read)
	order0, period0 := w.fit(rows, usual)
	order1, period1 := w.fit(rows, read)
	s.InOrder, s.InPeriod = [2]float64{order0, order1}, [2]float64{period0, period1}
	switch {
	case s.Swapped > 0 && w.sign != 0 && order1 < order0: // sorted by the dates as they stand
		s.Sure = "unclear"
		read = s.count(rows, usual)
	case margin >= 30:
		s.Sure = "certain"
	case margin >= 6:
		s.Sure = "likely"
	default:
		s.Sure = "unclear"
		read = s.count(rows, usual)
	}
	return read, s
}

// count fills in how many rows are read otherwise than they are written.
func (s *Swap) count(rows []raw, read []bool) []bool {
	s.Swapped, s.Pieces = 0, 1
	last := -1
	for i := range rows {
		if !rows[i].ambiguous() {
			continue
		}
		if x := &rows[i]; x.start.ambiguous() && read[i] != s.usual(x.start.form) || x.end.ambiguous() && read[i] != s.usual(x.end.form) {
			s.Swapped++
		}
		way := 0
		if read[i] {
			way = 1
		}
		if last >= 0 && way != last {
			s.Pieces++
		}
		last = way
	}
	return read
}

// prior weighs what the shape of the dates says against reading rows as month first
// and as day first.
func prior(forms [certain + 1]int, firsts, seconds, ambiguous int) [2]float64 {
	total := [2]float64{}
	switch {
	case forms[yearFirst] > forms[yearLast]+forms[dotted]:
		total[1] = 8
	case forms[dotted] > forms[yearLast]:
		total[0] = 30
	case firsts > 0 && seconds == 0:
		total[0] = 40
	case seconds > 0 && firsts == 0:
		total[1] = 40
	}
	for i := range total {
		total[i] /= float64(ambiguous)
	}
	return total
}

// weigh finds out what order the file has and in which time it lies.
func weigh(rows []raw, now int64) weigher {
	w := weigher{now: now}
	var sure []int64
	var steps []float64
	up, down := 0, 0
	last, have := int64(0), false
	for i := range rows {
		x := &rows[i]
		if !x.start.set || x.ambiguous() {
			have = false
			continue
		}
		at := x.start.naive(false)
		sure = append(sure, at)
		if have {
			switch {
			case at > last:
				up++
			case at < last:
				down++
			}
			steps = append(steps, math.Abs(float64(at-last))/daySeconds)
		}
		last, have = at, true
	}
	if n := len(sure); n >= 20 {
		slices.Sort(sure)
		few := min(3, n/200) // of them may be dirt
		w.low, w.high, w.period = sure[few]-13*daySeconds, sure[n-1-few]+13*daySeconds, true
	}
	if len(steps) >= 10 {
		slices.SortFunc(steps, cmp.Compare)
		median := steps[len(steps)/2]
		switch n := up + down; {
		case up*10 >= n*8:
			w.sign = 1
		case down*10 >= n*8:
			w.sign = -1
		}
		w.smooth = 1 / (1 + median*median)
		if w.sign == 0 {
			w.smooth *= 0.5
		}
	}
	return w
}

// row is what speaks against reading a row in a way, by itself.
func (w *weigher) row(x *raw, swap bool) float64 {
	if !x.start.set {
		return 0
	}
	way := 0
	if swap {
		way = 1
	}
	cost := 0.0
	if x.ambiguous() {
		cost = w.standing[way]
	}
	at := x.start.naive(swap)
	if w.now > 0 && at > w.now+daySeconds {
		cost += 8
	}
	if w.period && (at < w.low || at > w.high) {
		cost += 1.5
	}
	if !x.end.set || x.end.year < 1990 {
		return cost
	}
	stay := x.end.naive(swap) - at
	switch {
	case stay < -2*3600:
		cost += 4
	case stay > 20*daySeconds:
		cost += 3
	}
	if x.durationMS > 0 && math.Abs(float64(stay)-float64(x.durationMS)/1000) > 0.6*daySeconds {
		cost += 4
	}
	return cost
}

// step is what speaks against two neighbours.
func (w *weigher) step(a, b int64) float64 {
	if w.smooth == 0 {
		return 0
	}
	d := float64(b-a) / daySeconds
	cost := math.Log1p(math.Abs(d)) * 0.7
	if w.sign != 0 && d*w.sign < -0.5 {
		cost += 1.5
	}
	return cost * w.smooth
}

// best finds the cheapest way to read all rows (Viterbi over two ways), and by how much
// it wins.
func (w *weigher) best(rows []raw) ([]bool, float64) {
	n := len(rows)
	from := make([]uint8, n) // bit k: way k came from way 1
	cost := [2]float64{}
	at := [2]int64{}
	first := true
	for i := range rows {
		x := &rows[i]
		here := [2]float64{w.row(x, false), w.row(x, true)}
		var next [2]float64
		var now [2]int64
		for k := range 2 {
			now[k] = at[k]
			if x.start.set {
				now[k] = x.start.naive(k == 1)
			}
			stay, change := cost[k], cost[1-k]+switchCost
			if !first && x.start.set {
				stay += w.step(at[k], now[k])
				change += w.step(at[1-k], now[k])
			}
			next[k] = stay
			if change < stay && !first {
				next[k] = change
			}
			if k == 1 != (change < stay && !first) { // came from way 1
				from[i] |= 1 << k
			}
			next[k] += here[k]
		}
		cost = next
		if x.start.set {
			at, first = now, false
		}
	}
	read := make([]bool, n)
	way := 0
	if cost[1] < cost[0] {
		way = 1
	}
	for i := n - 1; i >= 0; i-- {
		read[i] = way == 1
		way = int(from[i]>>way) & 1
	}
	return read, w.margin(rows, read)
}

// margin is how much dearer it is to read the piece that is told apart worst the other
// way round.
func (w *weigher) margin(rows []raw, read []bool) float64 {
	worst := math.Inf(1)
	for from := 0; from < len(rows); {
		to := from
		for to < len(rows) && read[to] == read[from] {
			to++
		}
		sum, ambiguous := 0.0, 0
		last := [2]int64{}
		have := false
		if from > 0 && rows[from-1].start.set {
			v := rows[from-1].start.naive(read[from-1])
			last, have = [2]int64{v, v}, true
		}
		for i := from; i < to; i++ {
			x := &rows[i]
			if x.ambiguous() {
				ambiguous++
			}
			if !x.start.set {
				continue
			}
			mine, other := x.start.naive(read[i]), x.start.naive(!read[i])
			sum += w.row(x, !read[i]) - w.row(x, read[i])
			if have {
				sum += w.step(last[1], other) - w.step(last[0], mine)
			}
			last, have = [2]int64{mine, other}, true
		}
		if ambiguous > 0 {
			worst = min(worst, sum)
		}
		from = to
	}
	if math.IsInf(worst, 1) {
		return 0
	}
	return worst
}

// fit is the share of neighbours in the order of the file and of rows in its time.
func (w *weigher) fit(rows []raw, read []bool) (order, period float64) {
	good, pairs, in, all := 0, 0, 0, 0
	last, have := int64(0), false
	for i := range rows {
		if !rows[i].start.set {
			continue
		}
		at := rows[i].start.naive(read[i])
		if have && w.sign != 0 {
			if pairs++; float64(at-last)*w.sign >= 0 {
				good++
			}
		}
		if all++; at >= w.low && at <= w.high {
			in++
		}
		last, have = at, true
	}
	return share(good, pairs), share(in, all)
}

func share(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

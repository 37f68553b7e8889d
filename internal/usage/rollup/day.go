package rollup

import (
	"cmp"
	"slices"
	"time"
)

// Run is a state from a moment of the day on, until the next run.
type Run struct {
	From  int32 // milliseconds of the day
	State State
}

// Visit is a stay and how we know its energy.
type Visit struct {
	Stay
	Measured bool  // power was measured while it lasted
	Port     int64 // whoever keeps it knows the port by this
}

// Tries counts tries to charge by how they ended.
type Tries struct {
	All    int64
	Failed int64 // less was moved than anybody would call charging
	GaveUp int64 // of these, somebody left or never came
	InVain int64 // of these, a car was plugged in and out again and no session began
}

func (t *Tries) add(o Tries) {
	t.All += o.All
	t.Failed += o.Failed
	t.GaveUp += o.GaveUp
	t.InVain += o.InVain
}

// PortDay is one port's day of UTC.
type PortDay struct {
	Begin   time.Time
	Until   int32 // how much of the day is counted, in milliseconds
	Runs    []Run // the first begins with the day
	MilliWh [Cells]int64
	Visits  []Visit // that began on this day
	Tries   Tries
}

// each tells the runs with their ends.
func (d *PortDay) each(yield func(from, to int64, s State)) {
	for i, r := range d.Runs {
		to := int64(d.Until)
		if i+1 < len(d.Runs) {
			to = min(to, int64(d.Runs[i+1].From))
		}
		if int64(r.From) < to {
			yield(int64(r.From), to, r.State)
		}
	}
}

// Last is the state that held when counting ended.
func (d *PortDay) Last() State {
	if n := len(d.Runs); n > 0 {
		return d.Runs[n-1].State
	}
	return Unobserved
}

// Cells counts the day in quarter hours. Those after Until are zero, and the one
// in which it lies is as long as it has lasted.
func (d *PortDay) Cells() *[Cells]Cell {
	out := new([Cells]Cell)
	d.each(func(from, to int64, s State) {
		for from < to {
			k := from / cellMillis
			end := min(to, (k+1)*cellMillis)
			out[k].Millis[s] += end - from
			from = end
		}
	})
	for k, mwh := range d.MilliWh {
		out[k].MilliWh = mwh
	}
	starts(d.Begin, d.Visits, out)
	return out
}

func starts(begin time.Time, visits []Visit, cells *[Cells]Cell) {
	for i := range visits {
		if k := visits[i].Start.Sub(begin) / CellLength; k >= 0 && int(k) < Cells {
			cells[k].Starts++
		}
	}
}

// PlaceDay is the day of all ports of a place together.
type PlaceDay struct {
	Begin   time.Time
	Until   int32 // as of the port that is counted least far
	Ports   int
	Cells   [Cells]Cell
	Open    [Cells]int64 // milliseconds in which any port was operative
	AllBusy [Cells]int64 // of these, in which none of them was free
	Visits  []Visit
	Tries   Tries
}

// Together adds up the days of the ports of a place, which must be of one day.
func Together(ports []*PortDay) *PlaceDay {
	if len(ports) == 0 {
		return nil
	}
	out := &PlaceDay{Begin: ports[0].Begin, Ports: len(ports), Until: int32(dayMillis)}
	for _, p := range ports {
		out.Until = min(out.Until, p.Until)
	}
	for _, p := range ports {
		until := *p
		until.Until = out.Until // what one port tells of later, others do not tell yet
		for k, c := range until.Cells() {
			sum := &out.Cells[k]
			for s, ms := range c.Millis {
				sum.Millis[s] += ms
			}
			sum.Starts += c.Starts
			sum.MilliWh += c.MilliWh
		}
		out.Visits = append(out.Visits, p.Visits...)
		out.Tries.add(p.Tries)
	}
	slices.SortStableFunc(out.Visits, func(a, b Visit) int { return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Port, b.Port)) })
	out.crowd(ports)
	return out
}

// change is one port's move into a state or out of one.
type change struct {
	at        int64
	operative int
	free      int
}

// crowd finds the time in which ports were operative and that in which none of
// them was free.
func (d *PlaceDay) crowd(ports []*PortDay) {
	var changes []change
	for _, p := range ports {
		until := *p
		until.Until = d.Until
		until.each(func(from, to int64, s State) {
			if s == Unobserved || s == Faulted || s == Unavailable {
				return
			}
			free := 0
			if s == Free {
				free = 1
			}
			changes = append(changes, change{from, 1, free}, change{to, -1, -free})
		})
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Compare(a.at, b.at) })
	operative, free := 0, 0
	for i, c := range changes {
		operative += c.operative
		free += c.free
		if i+1 == len(changes) || operative == 0 {
			continue
		}
		for from, to := c.at, changes[i+1].at; from < to; {
			k := from / cellMillis
			end := min(to, (k+1)*cellMillis)
			d.Open[k] += end - from
			if free == 0 {
				d.AllBusy[k] += end - from
			}
			from = end
		}
	}
}

// Counted is how many milliseconds of a cell lie before Until.
func (d *PlaceDay) Counted(cell int) int64 {
	return min(max(int64(d.Until)-int64(cell)*cellMillis, 0), cellMillis)
}

// At is when a cell begins.
func (d *PlaceDay) At(cell int) time.Time { return d.Begin.Add(time.Duration(cell) * CellLength) }

// Between adds up the states of the part of the day that lies between two times.
func (d *PortDay) Between(from, to time.Time) (out Cell) {
	first, last := from.Sub(d.Begin).Milliseconds(), to.Sub(d.Begin).Milliseconds()
	d.each(func(a, b int64, s State) {
		if a, b = max(a, first), min(b, last); a < b {
			out.Millis[s] += b - a
		}
	})
	return out
}

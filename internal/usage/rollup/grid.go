package rollup

import "time"

// Grid adds up days of places over a stretch of time.
type Grid struct {
	From    time.Time // a quarter hour begins
	Cells   []Cell
	Open    []int64
	AllBusy []int64
	Ports   []int32
	Counted []int64 // milliseconds of the cell for which there is anything
	Places  []int32 // that have something in the cell
}

// NewGrid makes an empty grid over the quarter hours that touch a time.
func NewGrid(from, to time.Time) *Grid {
	from = from.UTC().Truncate(CellLength)
	n := max(0, int((to.Sub(from)+CellLength-1)/CellLength))
	return &Grid{
		From: from, Cells: make([]Cell, n), Open: make([]int64, n), AllBusy: make([]int64, n), Ports: make([]int32, n), Counted: make([]int64, n), Places: make([]int32, n),
	}
}

// Add puts a day of a place on the grid.
func (g *Grid) Add(d *PlaceDay) {
	first := int(d.Begin.Sub(g.From) / CellLength)
	for k := range d.Cells {
		i := first + k
		n := d.Counted(k)
		if i < 0 || i >= len(g.Cells) || n == 0 {
			continue
		}
		to, from := &g.Cells[i], &d.Cells[k]
		for s := range from.Millis {
			to.Millis[s] += from.Millis[s]
		}
		to.Starts += from.Starts
		to.MilliWh += from.MilliWh
		g.Open[i] += d.Open[k]
		g.AllBusy[i] += d.AllBusy[k]
		g.Ports[i] += int32(d.Ports)
		g.Counted[i] = max(g.Counted[i], n)
		g.Places[i]++
	}
}

// At is when a cell begins.
func (g *Grid) At(i int) time.Time { return g.From.Add(time.Duration(i) * CellLength) }

// Points joins cells into steps that begin where next says; the first begins
// with the grid. Steps without anything are absent.
func (g *Grid) Points(next func(time.Time) time.Time) []Point {
	var out []Point
	for i := 0; i < len(g.Cells); {
		from := g.At(i)
		until := next(from)
		p := Point{From: from}
		var sum Cell
		open, busy, counted := int64(0), int64(0), int64(0)
		for ; i < len(g.Cells) && g.At(i).Before(until); i++ {
			c := &g.Cells[i]
			for s := range c.Millis {
				sum.Millis[s] += c.Millis[s]
			}
			sum.Starts += c.Starts
			sum.MilliWh += c.MilliWh
			open += g.Open[i]
			busy += g.AllBusy[i]
			counted += g.Counted[i]
			p.Ports = max(p.Ports, int(g.Ports[i]))
			p.Places = max(p.Places, int(g.Places[i]))
			p.PeakW = max(p.PeakW, c.PowerW())
		}
		if counted == 0 {
			continue
		}
		p.fill(&sum)
		p.Open, p.AllBusy = float64(open)/1000, float64(busy)/1000
		out = append(out, p)
	}
	return out
}

func (p *Point) fill(c *Cell) {
	seconds := func(s State) float64 { return float64(c.Millis[s]) / 1000 }
	p.Free, p.Charging, p.Idle, p.Blocked = seconds(Free), seconds(Charging), seconds(Idle), seconds(Blocked)
	p.Reserved, p.Faulted, p.Unavailable, p.Unobserved = seconds(Reserved), seconds(Faulted), seconds(Unavailable), seconds(Unobserved)
	p.Occupied = float64(c.Occupied()) / 1000
	p.Starts = int(c.Starts)
	p.EnergyWh = float64(c.MilliWh) / 1000
}

// Every makes steps of one length.
func Every(step time.Duration) func(time.Time) time.Time {
	return func(t time.Time) time.Time { return t.Add(step) }
}

// Daily makes steps of days by the clock of a place: 23, 24 or 25 hours.
func Daily(zone *time.Location) func(time.Time) time.Time {
	return func(t time.Time) time.Time {
		l := t.In(zone)
		return time.Date(l.Year(), l.Month(), l.Day()+1, 0, 0, 0, 0, zone)
	}
}

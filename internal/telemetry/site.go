package telemetry

import (
	"context"
	"fmt"
	"time"

	"github.com/chargewatch/chargewatch/internal/telemetry/block"
)

// PowerPoint is the power of a set of ports in one step.
type PowerPoint struct {
	At    time.Time
	W     float64
	Ports int // that had a value in the step
}

// Power sums the active power of the ports in steps of the given length
// between two times. Within a step a port counts with the mean over the time
// for which it has a value; a value holds until the next one, at most one and a
// half times the usual distance of the port's samples (a minute at least, 20 at
// most). Steps in which no port had a value are absent.
func (s *Store) Power(ctx context.Context, ports []Port, from, to time.Time, step time.Duration) ([]PowerPoint, error) {
	if err := s.checkHorizon(from); err != nil {
		return nil, err
	}
	width := step.Milliseconds()
	if width < 1000 {
		return nil, fmt.Errorf("step of %s", step)
	}
	first := floorDiv(from.UnixMilli(), width)
	n := floorDiv(to.UnixMilli()-1, width) + 1 - first
	if n <= 0 {
		return nil, nil
	}
	if n > maxPoints {
		return nil, fmt.Errorf("%d steps, at most %d", n, maxPoints)
	}
	g := grid{first: first * width, width: width, sum: make([]float64, n), time: make([]int64, n)}
	total := make([]PowerPoint, n)
	for _, p := range ports {
		if err := s.portPower(ctx, p, from, to, &g); err != nil {
			return nil, err
		}
		for i, ms := range g.time {
			if ms > 0 {
				total[i].W += g.sum[i] / float64(ms)
				total[i].Ports++
			}
		}
		clear(g.sum)
		clear(g.time)
	}
	out := total[:0]
	for i, p := range total {
		if p.Ports > 0 {
			p.At = time.UnixMilli((first + int64(i)) * width).UTC()
			out = append(out, p)
		}
	}
	return out, nil
}

// portPower fills the grid with one port's power.
func (s *Store) portPower(ctx context.Context, p Port, from, to time.Time, g *grid) error {
	want := func(k block.Key) bool { return k.Measurand == powerImport }
	// What was measured shortly before still holds at the start.
	in := spanOf(from.Add(-longestHold*time.Millisecond), to)
	for h, err := range s.hours(ctx, p, in, false, want) {
		if err != nil {
			return err
		}
		times, values := quantity(h.columns, powerImport)
		g.times, g.values = append(g.times, times...), append(g.values, values...)
	}
	g.fill(hold(g.times), from.UnixMilli(), to.UnixMilli())
	return nil
}

// grid integrates a step function over equal steps.
type grid struct {
	first, width int64
	sum          []float64 // value * ms
	time         []int64   // ms with a value
	times        []int64   // scratch
	values       []float64
}

func (g *grid) fill(stands, from, to int64) {
	for i, at := range g.times {
		until := min(at+stands, to)
		if i+1 < len(g.times) {
			until = min(until, g.times[i+1])
		}
		v := g.values[i]
		for at = max(at, from); at < until; {
			k := (at - g.first) / g.width
			end := min(g.first+(k+1)*g.width, until)
			g.sum[k] += v * float64(end-at)
			g.time[k] += end - at
			at = end
		}
	}
	g.times, g.values = g.times[:0], g.values[:0]
}

package telemetry

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/telemetry/block"
)

// Query asks for one measurand of one port.
type Query struct {
	Port      Port
	Measurand string
	// Phase is one phase as reported; empty is the whole: at each moment the
	// overall value, else the sum of the phases (the mean, for what cannot be
	// summed).
	Phase string
	// Location is where it was measured; empty is the outlet where that
	// measures, else what there is.
	Location string
	From, To time.Time // [From, To)
	// Step joins the samples of each step of this length, counted from the Unix
	// epoch. Zero returns the samples themselves, if they are not too many.
	Step time.Duration
	// Points limits the answer: a longer one is given in longer steps. Default
	// 10,000, at most 100,000.
	Points int
}

// Series is the answer to a Query.
type Series struct {
	Unit   string        // where it is not the measurand's own
	Step   time.Duration // what Query asked for, or longer
	Points []Point
}

// Point is one step with at least one sample, or one sample.
type Point struct {
	At             time.Time
	Min, Mean, Max float64
	N              int
}

// Sample is one measured value.
type Sample struct {
	At    time.Time
	Value float64
}

const (
	defaultPoints = 10_000
	maxPoints     = 100_000
)

// pick returns the part of an hour that answers a question about a quantity.
func pick(columns []block.Column, measurand, phase, location string) (unit string, times []int64, values []float64) {
	if location != "" {
		if location == "Outlet" {
			location = ""
		}
		columns = slices.DeleteFunc(slices.Clone(columns), func(c block.Column) bool { return c.Key.Location != location })
	}
	chosen := choose(columns, measurand)
	if len(chosen) == 0 {
		return "", nil, nil
	}
	unit = chosen[0].Key.Unit
	if phase == "" {
		times, values = whole(chosen, measurand)
		return unit, times, values
	}
	for _, c := range chosen {
		if c.Key.Phase == phase {
			return unit, c.Times, c.Values
		}
	}
	return unit, nil, nil
}

// Range answers a Query. Steps without a sample are absent.
func (s *Store) Range(ctx context.Context, q Query) (Series, error) {
	if err := s.checkHorizon(q.From); err != nil {
		return Series{}, err
	}
	if q.Points <= 0 {
		q.Points = defaultPoints
	}
	q.Points = min(q.Points, maxPoints)
	f := folder{step: q.Step.Milliseconds(), limit: q.Points, length: q.To.UnixMilli() - q.From.UnixMilli()}
	if f.step < 0 || q.Step > 0 && f.step == 0 {
		return Series{}, fmt.Errorf("step of %s", q.Step)
	}
	if f.step > 0 {
		f.widen()
	}
	out := Series{}
	from, to := q.From.UnixMilli(), q.To.UnixMilli()
	want := func(k block.Key) bool { return k.Measurand == q.Measurand }
	for h, err := range s.hours(ctx, q.Port, spanOf(q.From, q.To), false, want) {
		if err != nil {
			return Series{}, err
		}
		unit, times, values := pick(h.columns, q.Measurand, q.Phase, q.Location)
		if len(times) > 0 && len(f.points) == 0 {
			out.Unit = unit
		}
		if unit != out.Unit {
			continue // two units do not make one curve; the first one stays
		}
		for i, at := range times {
			if at >= from && at < to {
				f.add(at, values[i])
			}
		}
	}
	out.Step = time.Duration(f.step) * time.Millisecond
	out.Points = f.finish()
	return out, nil
}

// folder joins samples into steps and makes the steps longer rather than
// return more points than the limit.
type folder struct {
	step   int64 // ms; 0 = keep samples
	limit  int
	length int64
	points []fold
}

type fold struct {
	at            int64
	min, sum, max float64
	n             int
}

func (f *folder) add(at int64, v float64) {
	if f.step > 0 {
		at = floorDiv(at, f.step) * f.step
		if n := len(f.points); n > 0 && f.points[n-1].at == at {
			p := &f.points[n-1]
			p.min, p.max = min(p.min, v), max(p.max, v)
			p.sum += v
			p.n++
			return
		}
	}
	f.points = append(f.points, fold{at, v, v, v, 1})
	if len(f.points) > f.limit {
		f.widen()
	}
}

// widen takes the next step by which the answer fits, and joins what there is.
func (f *folder) widen() {
	step := max(f.step, 1000)
	for f.length/step+2 > int64(f.limit) {
		step *= 2
	}
	if f.step == step {
		return
	}
	f.step = step
	joined := f.points[:0]
	for _, p := range f.points {
		p.at = floorDiv(p.at, step) * step
		if n := len(joined); n > 0 && joined[n-1].at == p.at {
			j := &joined[n-1]
			j.min, j.max = min(j.min, p.min), max(j.max, p.max)
			j.sum += p.sum
			j.n += p.n
			continue
		}
		joined = append(joined, p)
	}
	f.points = joined
}

func (f *folder) finish() []Point {
	out := make([]Point, len(f.points))
	for i, p := range f.points {
		out[i] = Point{At: time.UnixMilli(p.at).UTC(), Min: p.min, Mean: p.sum / float64(p.n), Max: p.max, N: p.n}
	}
	return out
}

// Latest returns the newest n samples of a measurand before a time, newest
// first. It looks back as far as it takes, but no further than since.
func (s *Store) Latest(ctx context.Context, p Port, measurand, phase string, since, before time.Time, n int) ([]Sample, error) {
	n = min(n, maxPoints)
	if h := s.Horizon(); since.Before(h) {
		since = h
	}
	var out []Sample
	want := func(k block.Key) bool { return k.Measurand == measurand }
	for h, err := range s.hours(ctx, p, spanOf(since, before), true, want) {
		if err != nil {
			return nil, err
		}
		_, times, values := pick(h.columns, measurand, phase, "")
		for i := len(times) - 1; i >= 0; i-- {
			at := times[i]
			if at >= before.UnixMilli() || at < since.UnixMilli() {
				continue
			}
			if len(out) == n {
				return out, nil
			}
			out = append(out, Sample{At: time.UnixMilli(at).UTC(), Value: values[i]})
		}
		if len(out) >= n {
			return out, nil
		}
	}
	return out, nil
}

package telemetry

import (
	"math/bits"
	"slices"
	"strings"

	"github.com/chargewatch/chargewatch/internal/telemetry/block"
)

const (
	powerImport    = "Power.Active.Import"
	energyRegister = "Energy.Active.Import.Register"
)

// additive reports whether phases are summed to the whole. Voltages,
// temperatures and the like are averaged.
func additive(measurand string) bool {
	return strings.HasPrefix(measurand, "Power.") && measurand != "Power.Factor" ||
		strings.HasPrefix(measurand, "Energy.") || strings.HasPrefix(measurand, "EnergyRequest.")
}

// choose returns the columns of one quantity, all of one location and one unit:
// the outlet where it measures, else the first of the names; the unit that
// belongs to the measurand where there is one. Columns come in order of key.
func choose(columns []block.Column, measurand string) []block.Column {
	var of []block.Column
	for _, c := range columns {
		if c.Key.Measurand == measurand {
			of = append(of, c)
		}
	}
	if len(of) < 2 {
		return of
	}
	location, unit := of[0].Key.Location, of[0].Key.Unit
	for _, c := range of {
		location = min(location, c.Key.Location)
	}
	first := true
	for _, c := range of {
		if c.Key.Location == location && (first || c.Key.Unit < unit) {
			unit, first = c.Key.Unit, false
		}
	}
	return slices.DeleteFunc(of, func(c block.Column) bool { return c.Key.Location != location || c.Key.Unit != unit })
}

// tier says how a phase takes part in the whole: the overall value first, else
// the three phases, else what is left. Line and line-to-neutral of one phase
// are the same place.
func tier(phase string) (tier, place int) {
	switch phase {
	case "":
		return 0, 0
	case "L1":
		return 1, 0
	case "L1-N":
		return 1, 1
	case "L2":
		return 1, 2
	case "L2-N":
		return 1, 3
	case "L3":
		return 1, 4
	case "L3-N":
		return 1, 5
	case "L1-L2":
		return 2, 0
	case "L2-L3":
		return 2, 1
	case "L3-L1":
		return 2, 2
	}
	return 3, 0
}

// whole aggregates the phases of one quantity: at each moment the overall value
// if there is one, else the sum (or the mean) of the phases.
func whole(columns []block.Column, measurand string) ([]int64, []float64) {
	type source struct {
		c           block.Column
		next        int
		tier, place int
	}
	var from []source
	rows := 0
	for _, c := range columns {
		t, p := tier(c.Key.Phase)
		if t == 3 || t == 2 && additive(measurand) {
			continue // a neutral's share or a line voltage's is no part of a sum
		}
		from = append(from, source{c: c, tier: t, place: p})
		rows = max(rows, len(c.Times))
	}
	switch {
	case len(from) == 0:
		return nil, nil
	case len(from) == 1:
		return from[0].c.Times, from[0].c.Values
	}
	sum := additive(measurand)
	times, values := make([]int64, 0, rows), make([]float64, 0, rows)
	for {
		at, more := int64(0), false
		for _, s := range from {
			if s.next < len(s.c.Times) && (!more || s.c.Times[s.next] < at) {
				at, more = s.c.Times[s.next], true
			}
		}
		if !more {
			return times, values
		}
		best := 3
		var total [3]float64
		var seen [3]uint8
		for i := range from {
			s := &from[i]
			if s.next == len(s.c.Times) || s.c.Times[s.next] != at {
				continue
			}
			v := s.c.Values[s.next]
			s.next++
			best = min(best, s.tier)
			if s.tier == 1 && s.place%2 == 1 && seen[1]&(1<<(s.place-1)) != 0 {
				continue // L1 spoke for L1-N; keys come in that order
			}
			total[s.tier] += v
			seen[s.tier] |= 1 << s.place
		}
		v := total[best]
		if n := bits.OnesCount8(seen[best]); !sum && n > 1 {
			v /= float64(n)
		}
		times, values = append(times, at), append(values, v)
	}
}

// quantity is whole for the chosen columns of a measurand.
func quantity(columns []block.Column, measurand string) ([]int64, []float64) {
	return whole(choose(columns, measurand), measurand)
}

const (
	shortestHold = 60_000
	longestHold  = 20 * 60_000
)

// hold is how long a sample stands for what comes after it: one and a half
// times the usual distance, so that one lost sample is bridged in part and a
// silence is not.
func hold(times []int64) int64 {
	var bySecond [longestHold/1000 + 1]int32
	n := int32(0)
	for i := 1; i < len(times); i++ {
		if d := (times[i] - times[i-1]) / 1000; d < int64(len(bySecond)) {
			bySecond[d]++
			n++
		}
	}
	if n == 0 {
		return shortestHold
	}
	rest := n / 2
	for d, count := range bySecond {
		if rest -= count; rest < 0 {
			return min(max(int64(d+1)*1500, shortestHold), longestHold)
		}
	}
	return shortestHold
}

package demand

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/planning/simulate"
	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

// Wishes are sessions to draw from: those that began in a part of the day, on
// working days or weekends, where there are enough of them.
type Wishes struct {
	Kind  simulate.Kind
	pools [][]simulate.Wish
	of    [Week]int
	// Known is the share of sessions whose energy is known.
	Known float64
	Mean  simulate.Wish
	// Variation is the standard deviation of dwells over their mean.
	Variation float64
}

// Draw draws one that was seen at such a time.
func (w *Wishes) Draw(s *simulate.Stream, hour int) simulate.Wish {
	pool := w.pools[w.of[hour]]
	return pool[s.Below(len(pool))]
}

// Empty reports whether there is nothing to draw from.
func (w *Wishes) Empty() bool { return len(w.pools) == 0 }

const (
	leastPool = 40
	longest   = 14 * 24 * time.Hour
	shortest  = 30 * time.Second
)

// parts of the day: night, morning, midday, evening; each on working days and
// at weekends.
func part(hour int) int {
	p := 0
	switch h := hour % 24; {
	case h < 6 || h >= 22:
	case h < 11:
		p = 1
	case h < 16:
		p = 2
	default:
		p = 3
	}
	if hour >= 5*24 {
		p += 4
	}
	return p
}

func wishes(in Input, kind simulate.Kind) Wishes {
	w := Wishes{Kind: kind}
	power := make(map[string]float64)
	for _, p := range in.Ports {
		if p.Kind == kind {
			power[portName(p.Station, p.EVSE)] = p.PowerW
		}
	}
	var parts [8][]simulate.Wish
	var all []simulate.Wish
	known := 0
	sorted := slices.Clone(in.Sessions)
	slices.SortStableFunc(sorted, func(a, b rollup.Session) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Station, b.Station), cmp.Compare(a.EVSE, b.EVSE))
	})
	for _, s := range sorted {
		rated, ok := power[portName(s.Station, s.EVSE)]
		dwell := s.End.Sub(s.Start)
		if !ok || s.Start.Before(in.From) || !s.Start.Before(in.To) || dwell < shortest || dwell > longest {
			continue
		}
		v := wish(s, rated)
		if !math.IsNaN(s.EnergyWh) {
			known++
		}
		all = append(all, v)
		p := part(hourOf(s.Start, in.Zone))
		parts[p] = append(parts[p], v)
	}
	if len(all) == 0 {
		return w
	}
	w.Known = float64(known) / float64(len(all))
	var square float64
	for _, v := range all {
		n := float64(len(all))
		w.Mean.Dwell += v.Dwell / n
		w.Mean.Energy += v.Energy / n
		w.Mean.Power += v.Power / n
		square += v.Dwell * v.Dwell / n
	}
	w.Variation = math.Sqrt(max(0, square-w.Mean.Dwell*w.Mean.Dwell)) / w.Mean.Dwell
	w.pools = [][]simulate.Wish{all}
	index := make([]int, len(parts))
	for p, pool := range parts {
		if len(pool) >= leastPool {
			index[p] = len(w.pools)
			w.pools = append(w.pools, pool)
		}
	}
	for h := range Week {
		w.of[h] = index[part(h)]
	}
	return w
}

// wish is what a session wanted. Charging is taken as even at its highest
// power where that was measured, else over the charging time where that was,
// else at the port's power.
func wish(s rollup.Session, rated float64) simulate.Wish {
	v := simulate.Wish{Dwell: s.End.Sub(s.Start).Hours()}
	if math.IsNaN(s.EnergyWh) || s.EnergyWh <= 0 {
		return v
	}
	v.Energy = s.EnergyWh
	v.Power = rated
	if s.PeakW > 0 {
		v.Power = s.PeakW
	} else if c := s.ChargingEnd.Sub(s.Start).Hours(); !s.ChargingEnd.IsZero() && c > 0 {
		v.Power = v.Energy / c
	}
	v.Power = max(v.Power, v.Energy/v.Dwell)
	return v
}

// Known is a port that a layout or an import tells of; a power of 0 is not known.
type Known struct {
	Station string
	EVSE    int
	PowerW  float64
	DC      bool
	Shared  string // ports of one station that cannot all serve at once
	Serves  int
}

// sizes are the powers that ports are sold with, W.
var sizes = []float64{3_700, 7_400, 11_000, 22_000, 50_000, 75_000, 100_000, 150_000, 200_000, 300_000, 400_000}

// fast is the mean power of a session, W, that no AC port reaches.
const fast = 23_500

// Ports are the ports of a site: those known and those that only sessions tell
// of, with what their sessions show where a layout does not say it. Where many
// sessions never used all ports of a station at once it is taken to share them.
func Ports(known []Known, sessions []rollup.Session) []Port {
	rates := make(map[string][]float64)
	list := slices.Clone(known)
	have := make(map[string]bool)
	for _, k := range known {
		have[portName(k.Station, k.EVSE)] = true
	}
	for _, s := range sessions {
		name := portName(s.Station, s.EVSE)
		if !have[name] {
			have[name] = true
			list = append(list, Known{Station: s.Station, EVSE: s.EVSE})
		}
		if d := s.End.Sub(s.Start).Hours(); !math.IsNaN(s.EnergyWh) && s.EnergyWh > 500 && d > 0.1 {
			v := s.EnergyWh / d
			if s.PeakW > 0 {
				v = s.PeakW
			}
			rates[name] = append(rates[name], v)
		}
	}
	out := make([]Port, 0, len(list))
	for _, k := range list {
		p := Port{Station: k.Station, EVSE: k.EVSE, PowerW: k.PowerW, Shared: k.Shared, Serves: k.Serves}
		if k.DC {
			p.Kind = simulate.DC
		}
		if k.PowerW <= 0 {
			p.Assumed = true
			p.PowerW, p.Kind = shown(rates[portName(k.Station, k.EVSE)])
		}
		out = append(out, p)
	}
	share(out, sessions)
	slices.SortFunc(out, func(a, b Port) int { return cmp.Or(cmp.Compare(a.Station, b.Station), cmp.Compare(a.EVSE, b.EVSE)) })
	return out
}

// shown is the power that sessions show: the size above all but the highest
// two per cent of their means. Without energies it is unknown.
func shown(rates []float64) (float64, simulate.Kind) {
	if len(rates) == 0 {
		return 0, simulate.AC
	}
	slices.Sort(rates)
	v := rates[int(0.98*float64(len(rates)-1))]
	kind := simulate.AC
	if v > fast {
		kind = simulate.DC
	}
	for _, s := range sizes {
		if v <= s*1.05 {
			return s, kind
		}
	}
	return v, kind
}

// share joins ports of one station and kind that nobody knows a layout of and
// that many sessions never used all at once.
func share(ports []Port, sessions []rollup.Session) {
	kinds := make(map[string]string, len(ports)) // of a port: its station and kind
	of, count := make(map[string]int), make(map[string]int)
	for _, p := range ports {
		name := p.Station + [...]string{"\x00AC", "\x00DC"}[p.Kind]
		kinds[portName(p.Station, p.EVSE)] = name
		of[name]++
	}
	for _, s := range sessions {
		count[kinds[portName(s.Station, s.EVSE)]]++
	}
	most := together(sessions, kinds)
	for i := range ports {
		p := &ports[i]
		name := kinds[portName(p.Station, p.EVSE)]
		if m := most[name]; p.Assumed && p.Shared == "" && count[name] >= 200 && m < of[name] {
			p.Shared, p.Serves = name, max(1, m)
		}
	}
}

// together is the most cars that were plugged in at each group of ports at
// once, all but the rarest thousandth of its plugged time.
func together(sessions []rollup.Session, groups map[string]string) map[string]int {
	type change struct {
		at time.Time
		by int
	}
	changes := make(map[string][]change)
	for _, s := range sessions {
		if s.End.After(s.Start) {
			g := groups[portName(s.Station, s.EVSE)]
			changes[g] = append(changes[g], change{s.Start, 1}, change{s.End, -1})
		}
	}
	out := make(map[string]int)
	for group, list := range changes {
		slices.SortFunc(list, func(a, b change) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.by, b.by)) })
		at := make(map[int]float64)
		n, total := 0, 0.0
		for i, c := range list {
			if i > 0 && n > 0 {
				d := c.at.Sub(list[i-1].at).Hours()
				at[n] += d
				total += d
			}
			n += c.by
		}
		most, rare := 0, 0.0
		for k := range at {
			most = max(most, k)
		}
		for ; most > 1; most-- {
			if rare += at[most]; rare > total/1000 {
				break
			}
		}
		out[group] = most
	}
	return out
}

package expand

import (
	"math"

	"github.com/chargewatch/chargewatch/internal/planning/simulate"
)

// outcome sums up what a scenario brought, and what more than the one it is
// compared with, replication by replication.
func (w *Work) outcome(at int, played [][]*simulate.Outcome) Outcome {
	s, mine, other := w.scenarios[at], played[at], played[w.against[at]]
	set := w.setting(s)
	o := Outcome{Scenario: s, Against: w.against[at], Ports: len(set.Site.Ports)}
	each := func(of func(*simulate.Outcome) float64) []float64 {
		v := make([]float64, len(mine))
		for i := range mine {
			v[i] = of(mine[i])
		}
		return v
	}
	more := func(of func(*simulate.Outcome) float64) []float64 {
		v := each(of)
		for i := range v {
			v[i] -= of(other[i])
		}
		return v
	}
	busy := func(of func(simulate.Hour) float64) []float64 {
		return each(func(o *simulate.Outcome) float64 { return of(o.Over(&w.of)) })
	}
	whole := func(of func(simulate.Hour) float64) []float64 {
		return each(func(o *simulate.Outcome) float64 { return of(o.Total()) })
	}
	week := func(v []float64) Interval { return bounded(simulate.MeanOf(v).Scale(1.0 / weeksPlayed)) }
	arrived := func(h simulate.Hour) float64 { return h.Arrived }
	o.WaitMinutes = bounded(simulate.RatioOf(busy(func(h simulate.Hour) float64 { return h.WaitSum }), busy(func(h simulate.Hour) float64 { return h.Started })).Scale(60))
	o.WaitP95 = 60 * simulate.WaitQuantile(0.95, mine...)
	o.BrokenPercent = share(simulate.RatioOf(busy(func(h simulate.Hour) float64 { return h.Failed }), busy(arrived)))
	o.LostPercent = share(simulate.RatioOf(whole(func(h simulate.Hour) float64 { return h.Lost }), whole(arrived)))
	o.LostPerWeek = week(whole(func(h simulate.Hour) float64 { return h.Lost }))
	o.ServedPerWeek = week(whole(served))
	o.KWhPerWeek = week(whole(kwh))
	o.UnservedKWh = week(each(func(o *simulate.Outcome) float64 { return o.Unserved / 1000 }))
	o.Utilisation = share(simulate.MeanOf(whole(func(h simulate.Hour) float64 { return h.Busy / h.Hours / float64(o.Ports) })))
	o.AllBusyHours = week(whole(func(h simulate.Hour) float64 { return h.AllBusy }))
	o.PeakKW = bounded(simulate.MeanOf(each(func(o *simulate.Outcome) float64 { return o.PeakW / 1000 })))
	if at != w.against[at] {
		a := simulate.MeanOf(more(func(o *simulate.Outcome) float64 { return served(o.Total()) })).Scale(1.0 / weeksPlayed)
		b := simulate.MeanOf(more(func(o *simulate.Outcome) float64 { return kwh(o.Total()) })).Scale(1.0 / weeksPlayed)
		o.MoreServed, o.MoreKWh = &a, &b
	}
	w.money(&o, mine, other)
	return o
}

func served(h simulate.Hour) float64 { return h.Started }
func kwh(h simulate.Hour) float64    { return h.EnergyWh / 1000 }

// bounded keeps intervals of what cannot be negative above zero.
func bounded(i Interval) Interval {
	i.Low = math.Max(0, i.Low)
	return i
}

func share(i Interval) Interval {
	i = bounded(i.Scale(100))
	i.High = math.Min(100, i.High)
	return i
}

// money says what a scenario earns, where prices and energies are known.
func (w *Work) money(o *Outcome, mine, other []*simulate.Outcome) {
	a := w.q.Assumptions
	if a.PricePerKWh <= 0 || w.result.Demand.MeanKWh == nil {
		return
	}
	months := weeksPlayed / (aYear / 12)
	earned := func(out *simulate.Outcome, s Scenario) (revenue, net float64) {
		for h := range out.ByHour {
			price := a.PricePerKWh
			if x := s.Window; x != nil && x.hours()[h] {
				price = x.PricePerKWh
			}
			e := kwh(out.ByHour[h]) / months
			revenue += e * price
			net += e * (price - a.CostPerKWh)
		}
		return revenue, net - a.DemandCharge*out.PeakW/1000
	}
	revenue, gain := make([]float64, len(mine)), make([]float64, len(mine))
	for i := range mine {
		var net float64
		revenue[i], net = earned(mine[i], o.Scenario)
		_, was := earned(other[i], w.scenarios[o.Against])
		gain[i] = net - was
	}
	r := bounded(simulate.MeanOf(revenue))
	o.Revenue = &r
	if o.MoreServed == nil {
		return
	}
	g := simulate.MeanOf(gain)
	o.Gain = &g
	n := o.Scenario.AddPorts - w.scenarios[o.Against].AddPorts
	if n <= 0 {
		return
	}
	per := g.Scale(1 / float64(n))
	o.GainPerPort = &per
	if cost := a.CostPerPort * float64(n); cost > 0 {
		after := func(gain float64) *float64 {
			if gain <= 0 {
				return nil
			}
			return finite(cost / gain)
		}
		o.Payback = &Payback{Months: after(g.Mean), Low: after(g.High), High: after(g.Low)}
	}
}

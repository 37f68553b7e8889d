package expand

import (
	"cmp"
	"math"

	"github.com/chargewatch/chargewatch/internal/planning/demand"
	"github.com/chargewatch/chargewatch/internal/planning/queue"
	"github.com/chargewatch/chargewatch/internal/planning/simulate"
)

// Quick answers at once, beneath a slider, by Erlang's formula with patience.
type Quick struct {
	site    Site
	e       *demand.Estimate
	base    simulate.Site
	of      [demand.Week]bool
	kind    simulate.Kind
	rate    float64 // arrivals an hour of the kind at the busiest hours
	session float64
	varies  float64
	ports   int
	Enough  bool
	Needs   *Needs
}

// Most of what the formula is asked for: longer stays than this see an hour's
// arrivals long after they came, and sessions that vary more spoil its waits.
const (
	quickSession = 3.0
	quickVaries  = 1.3
)

// NewQuick prepares answers for a site.
func NewQuick(site Site) *Quick {
	in := site.window(defaultWeeks)
	k := &Quick{site: site, e: demand.New(in), base: layout(in.Ports)}
	k.of, k.kind = busyHours(k.e, &k.base), pressed(k.e, &k.base)
	days, sessions := k.e.Enough()
	if k.Enough = days == 0 && sessions == 0; !k.Enough {
		k.Needs = &Needs{days, sessions}
	}
	k.ports = serves(&k.base, k.kind)
	for i := range k.e.Rates {
		if k.e.Rates[i].Kind != k.kind || k.e.Wishes[i].Empty() {
			continue
		}
		for h, yes := range k.of {
			if yes {
				k.rate += k.e.Rates[i].PerHour[h] / busiest
			}
		}
		k.session, k.varies = k.e.Wishes[i].Mean.Dwell, k.e.Wishes[i].Variation
	}
	return k
}

// Ask is where the sliders stand.
type Ask struct {
	AddPorts        int
	PatienceMinutes float64
	PromiseMinutes  float64
	GrowthPercent   float64
	CapKW           float64
}

// QuickAnswer is what the formula says of the busiest hours.
type QuickAnswer struct {
	Ports         int      `json:"ports" doc:"of the kind with least to spare, that serve at once"`
	Kind          string   `json:"kind" enum:"ac,dc"`
	PerHour       float64  `json:"perHour" doc:"drivers of the kind an hour, at the busiest hours"`
	WaitMinutes   float64  `json:"waitMinutes" doc:"mean of those served"`
	WaitPercent   float64  `json:"waitPercent" doc:"drivers that find no port free"`
	BrokenPercent float64  `json:"brokenPercent" doc:"wait longer than promised, served or not"`
	LostPercent   float64  `json:"lostPercent"`
	Utilisation   float64  `json:"utilisationPercent"`
	InRange       bool     `json:"inRange" doc:"the formula holds; else only a simulation tells"`
	Why           []string `json:"why" doc:"codes of why it does not: longSessions, varied, noPort, capBinds, patience"`
}

// Answer asks the formula.
func (k *Quick) Answer(a Ask) QuickAnswer {
	out := QuickAnswer{Ports: k.ports + a.AddPorts, Kind: "ac", PerHour: k.rate * (1 + a.GrowthPercent/100), Why: []string{}}
	if k.kind == simulate.DC {
		out.Kind = "dc"
	}
	why := func(when bool, code string) {
		if when {
			out.Why = append(out.Why, code)
		}
	}
	why(k.session > quickSession, "longSessions")
	why(k.varies > quickVaries, "varied")
	if out.Ports < 1 {
		out.Why = append(out.Why, "noPort")
		return out
	}
	var w queue.Waiting
	var err error
	switch {
	case k.session <= 0 || out.PerHour <= 0:
		out.InRange = len(out.Why) == 0
		return out
	case a.PatienceMinutes <= 0:
		var lost float64
		lost, err = queue.ErlangB(out.PerHour*k.session, out.Ports)
		out.LostPercent, out.BrokenPercent, out.WaitPercent = percent(lost), percent(lost), percent(lost)
		out.Utilisation = percent(out.PerHour * k.session * (1 - lost) / float64(out.Ports))
	default:
		w, err = queue.Impatient(out.PerHour, k.session, a.PatienceMinutes/60, out.Ports)
		if err == nil {
			out.WaitMinutes, out.WaitPercent, out.LostPercent = 60*w.Mean, percent(w.Wait), percent(w.Lost)
			out.BrokenPercent, out.Utilisation = percent(letDown(w, a)), percent(w.Utilisation)
		}
	}
	why(err != nil, "patience")
	if a.CapKW > 0 {
		// The connection binds where the cars that are there want more than it gives.
		power := usualPower(&k.base, k.kind) / 1000
		why(a.CapKW < power*math.Min(float64(out.Ports), out.PerHour*k.session+2*math.Sqrt(out.PerHour*k.session)), "capBinds")
	}
	out.InRange = len(out.Why) == 0
	return out
}

// letDown is the share that waits longer than promised, served or not, and of
// those that left earlier: lost while waiting less than that.
func letDown(w queue.Waiting, a Ask) float64 {
	t := a.PromiseMinutes / 60
	late := w.Longer(t)
	// Drivers leave at rate 1/patience while they wait, so that those who left
	// before t are the wait up to t over the patience.
	early, steps := 0.0, 40
	for i := range steps {
		x, y := t*float64(i)/float64(steps), t*float64(i+1)/float64(steps)
		early += (w.Longer(x) + w.Longer(y)) / 2 * (y - x)
	}
	return math.Min(1, late+early/(a.PatienceMinutes/60))
}

// Rank is a site in the order of need.
type Rank struct {
	Site            string   `json:"site"`
	Enough          bool     `json:"enough"`
	Needs           *Needs   `json:"needs"`
	Ports           int      `json:"ports"`
	LostPerWeek     float64  `json:"lostPerWeek" doc:"drivers that found no port, as estimated"`
	CensoredPercent float64  `json:"censoredPercent"`
	AllBusyHours    float64  `json:"allBusyHoursPerWeek" doc:"observed, that no port of the busiest kind was free"`
	BrokenPercent   float64  `json:"brokenPercent" doc:"drivers at the busiest hours that wait longer than promised or leave, by formula"`
	AddPorts        *int     `json:"addPorts" doc:"the fewest that keep the promise, by formula; null: more than 50"`
	PerWeek         float64  `json:"perWeek" doc:"drivers who would charge if there always were a port"`
	Utilisation     float64  `json:"utilisationPercent" doc:"at the busiest hours"`
	Trigger         *Trigger `json:"trigger" doc:"null: no trend is known"`
	InRange         bool     `json:"inRange" doc:"the formula holds at this site; else plan it"`
}

// Rank places a site: by formula, with the promises that are usual.
func (k *Quick) Rank(id string) Rank {
	r := Rank{Site: id, Enough: k.Enough, Needs: k.Needs, Ports: len(k.base.Ports)}
	if !k.Enough {
		return r
	}
	ask := Ask{PatienceMinutes: defaultPatience, PromiseMinutes: defaultPromise}
	now := k.Answer(ask)
	r.CensoredPercent, r.PerWeek = percent(k.e.Censored), k.e.PerWeek
	r.LostPerWeek = k.e.Censored * k.e.PerWeek
	r.BrokenPercent, r.Utilisation, r.InRange = now.BrokenPercent, now.Utilisation, now.InRange
	for i := range k.e.Rates {
		if k.e.Rates[i].Kind == k.kind {
			for h := range demand.Week {
				if n := k.e.Rates[i].Observed[h]; n > 0 {
					r.AllBusyHours += k.e.Rates[i].Full[h] / n
				}
			}
		}
	}
	for n := range 51 {
		if ask.AddPorts = n; k.Answer(ask).BrokenPercent <= defaultPercent {
			r.AddPorts = &n
			break
		}
	}
	whole := k.e.Trend
	if k.site.Input.From.Before(k.site.window(defaultWeeks).From) {
		whole = demand.New(k.site.Input).Trend
	}
	if whole.Months < demand.LeastMonths {
		return r
	}
	low, high := 0.05, mostGrowth
	broken := func(g float64) bool {
		return k.Answer(Ask{PatienceMinutes: defaultPatience, PromiseMinutes: defaultPromise, GrowthPercent: percent(g - 1)}).BrokenPercent > defaultPercent
	}
	if !broken(high) {
		r.Trigger = &Trigger{}
		return r
	}
	for range 20 {
		if mid := math.Sqrt(low * high); broken(mid) {
			high = mid
		} else {
			low = mid
		}
	}
	w := &Work{site: k.site}
	when := whole.Reach(high, mostMonths, 1)
	r.Trigger = &Trigger{Now: high <= 1, Growth: finite(percent(high - 1)), Early: w.date(when.Early), Middle: w.date(when.Middle), Late: w.date(when.Late)}
	return r
}

// Before orders sites by need: those that lose most drivers first, then those
// that let most down, then those that outgrow their ports soonest; those without
// enough data last.
func (r *Rank) Before(o *Rank) int {
	when := func(r *Rank) int64 {
		switch t := r.Trigger; {
		case t == nil || t.Middle == nil:
			return math.MaxInt64
		default:
			return t.Middle.Unix()
		}
	}
	return cmp.Or(
		cmp.Compare(b2i(o.Enough), b2i(r.Enough)),
		cmp.Compare(math.Round(2*o.LostPerWeek), math.Round(2*r.LostPerWeek)),
		cmp.Compare(math.Round(o.BrokenPercent), math.Round(r.BrokenPercent)),
		cmp.Compare(when(r), when(o)),
	)
}

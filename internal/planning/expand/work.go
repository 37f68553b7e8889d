package expand

import (
	"math"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/planning/demand"
	"github.com/chargewatch/chargewatch/internal/planning/simulate"
)

const (
	weeksPlayed  = 4
	mostRuns     = 30
	leastRuns    = 12
	arrivalsMost = 3_000_000 // over all of a plan: what bounds its time
	triggerRuns  = 10
	mostGrowth   = 4.0
	triggerSteps = 9
	mostMonths   = 120
	aYear        = 365.25 / 7 // weeks
)

// Work is a plan being made.
type Work struct {
	q         Question
	site      Site
	estimate  *demand.Estimate
	trend     demand.Trend
	base      simulate.Site
	classes   []simulate.Class
	of        [demand.Week]bool
	kind      simulate.Kind
	scenarios []Scenario
	against   []int
	runs      int
	seed      uint64
	done      int
	total     int
	tell      func(done, total int) bool
	result    *Result
}

// New prepares a plan for a question that was checked.
func New(q Question, site Site, seed uint64) *Work {
	w := &Work{q: q, site: site, seed: seed}
	in := site.window(q.Assumptions.Weeks)
	w.estimate = demand.New(in)
	w.trend = w.estimate.Trend
	if whole := site.Input; whole.From.Before(in.From) {
		w.trend = demand.New(whole).Trend // growth is read from all there is
	}
	if g := q.Assumptions.GrowthPercent; g != nil {
		w.trend = demand.Given(*g/100, site.Now)
	}
	w.base = layout(in.Ports)
	w.base.CapW, w.base.Rule = 1000*q.Assumptions.CapKW, rule(q.Assumptions.Rule)
	w.classes = classes(w.estimate)
	w.of, w.kind = busyHours(w.estimate, &w.base), pressed(w.estimate, &w.base)
	w.scenarios = w.list()
	w.result = w.facts(in)
	return w
}

func (w *Work) known() bool { return w.trend.Given || w.trend.Months >= demand.LeastMonths }

// list is what is played: the site as it is, what was asked for, and the site as
// it is at the horizon if anything is asked of that.
func (w *Work) list() []Scenario {
	asked := slices.Clone(w.q.Scenarios)
	if len(asked) == 0 {
		for n := range 4 {
			asked = append(asked, Scenario{AddPorts: n + 1})
		}
		if w.known() {
			for n := range 4 {
				asked = append(asked, Scenario{AddPorts: n + 1, AtHorizon: true})
			}
		}
	}
	out := []Scenario{{}}
	later := -1
	for _, s := range asked {
		if s.AtHorizon && later < 0 {
			later = len(out)
			out = append(out, Scenario{AtHorizon: true})
		}
		if s != (Scenario{Name: s.Name}) && s != (Scenario{Name: s.Name, AtHorizon: true}) {
			out = append(out, s)
		}
	}
	w.against = make([]int, len(out))
	for i, s := range out {
		if s.AtHorizon && i != later {
			w.against[i] = later
		}
		if s.Against != "" {
			w.against[i] = max(0, slices.IndexFunc(out, func(o Scenario) bool { return o.Name == s.Against }))
		}
	}
	return out
}

func (w *Work) facts(in demand.Input) *Result {
	e, r := w.estimate, &Result{From: in.From, To: in.To, MadeAt: w.site.Now, Seed: w.seed, Outcomes: []Outcome{}, Notes: []string{}, Busiest: []WeekHour{}}
	days, sessions := e.Enough()
	if r.Enough = days == 0 && sessions == 0 && len(w.classes) > 0; !r.Enough {
		r.Needs = &Needs{days, max(sessions, b2i(len(w.classes) == 0))}
	}
	assumed, shared := false, false
	for _, p := range in.Ports {
		if p.Kind == simulate.DC {
			r.Site.DC++
		} else {
			r.Site.AC++
		}
		r.Site.PowerKW += p.PowerW / 1000
		assumed, shared = assumed || p.Assumed, shared || p.Assumed && p.Shared != ""
	}
	r.Site.Serves = serves(&w.base, simulate.AC) + serves(&w.base, simulate.DC)
	r.Site.CapKW = w.base.CapW / 1000
	r.Demand = w.seen()
	for h, yes := range w.of {
		if yes {
			r.Busiest = append(r.Busiest, WeekHour{h/24 + 1, h % 24})
		}
	}
	note := func(when bool, code string) {
		if when {
			r.Notes = append(r.Notes, code)
		}
	}
	note(assumed, "powerAssumed")
	note(shared, "sharedAssumed")
	note(r.Demand.MeanKWh == nil, "energyUnknown")
	note(!w.known(), "noTrend")
	return r
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (w *Work) seen() DemandSeen {
	e := w.estimate
	d := DemandSeen{
		PerWeek: e.PerWeek, SeenPerWeek: e.Seen, CensoredPercent: percent(e.Censored), Days: e.Days, Sessions: e.Sessions,
		ByHour: make([]float64, demand.Week), ByHourLow: make([]float64, demand.Week), ByHourHigh: make([]float64, demand.Week),
		TrendMonths: w.trend.Months,
	}
	var rates, energy, known, dwell float64
	for i, r := range e.Rates {
		of := 0.0
		for h := range demand.Week {
			d.ByHour[h] += r.PerHour[h]
			d.ByHourLow[h] += r.Low[h]
			d.ByHourHigh[h] += r.High[h]
			of += r.PerHour[h]
		}
		rates += of
		energy += of * e.Wishes[i].Mean.Energy
		known += of * e.Wishes[i].Known
		dwell += of * e.Wishes[i].Mean.Dwell
	}
	if rates > 0 {
		d.MeanMinutes = 60 * dwell / rates
		if known/rates > 0.5 {
			d.MeanKWh = finite(energy / rates / 1000)
		}
	}
	if w.known() {
		year := func(slope float64) *float64 { return finite(percent(math.Exp(12*slope) - 1)) }
		const z = 1.2816
		d.YearlyPercent, d.YearlyLow, d.YearlyHigh = year(w.trend.Slope), year(w.trend.Slope-z*w.trend.Error), year(w.trend.Slope+z*w.trend.Error)
	}
	return d
}

// Run makes the plan. tell is told how far it is, and stops it by saying false.
func (w *Work) Run(tell func(done, total int) bool) (*Result, error) {
	w.tell = tell
	if !w.result.Enough {
		return w.result, nil
	}
	perRun := w.estimate.PerWeek * weeksPlayed * w.growthMost()
	w.runs = int(math.Min(mostRuns, math.Max(leastRuns, arrivalsMost/math.Max(1, perRun*float64(len(w.scenarios))))))
	w.result.Runs = w.runs
	w.total = w.runs*len(w.scenarios) + triggerRuns*(triggerSteps+2)*b2i(w.known())
	played := make([][]*simulate.Outcome, len(w.scenarios))
	for i, s := range w.scenarios {
		for rep := range w.runs {
			out, err := w.play(w.setting(s), uint64(rep), w.growthMost())
			if err != nil {
				return nil, err
			}
			played[i] = append(played[i], out)
		}
	}
	for i := range w.scenarios {
		w.result.Outcomes = append(w.result.Outcomes, w.outcome(i, played))
	}
	w.recommend()
	if w.known() {
		t, err := w.trigger()
		if err != nil {
			return nil, err
		}
		w.result.Trigger = t
	}
	return w.result, nil
}

// growthMost is the growth of all scenarios that are compared.
func (w *Work) growthMost() float64 {
	most := 1.0
	for _, s := range w.scenarios {
		most = math.Max(most, w.growth(s))
	}
	return most
}

func (w *Work) growth(s Scenario) float64 {
	g := 1 + s.GrowthPercent/100
	if s.AtHorizon {
		g *= w.trend.Factor(float64(w.q.HorizonMonths))
	}
	return math.Min(10, g)
}

// setting is a scenario as it is played, and the drivers as they are in it.
type setting struct {
	simulate.Scenario
	classes []simulate.Class
}

func (w *Work) setting(s Scenario) setting {
	a := w.q.Assumptions
	site := w.base
	site.Ports = slices.Clone(w.base.Ports)
	out := setting{classes: slices.Clone(w.classes)}
	kind := w.kind
	switch s.Kind {
	case "ac":
		kind = simulate.AC
	case "dc":
		kind = simulate.DC
	}
	usual := usualPower(&site, kind)
	if s.AllKW > 0 {
		for i := range site.Ports {
			if site.Ports[i].Kind == kind {
				site.Ports[i].PowerW = 1000 * s.AllKW
			}
		}
		for i, c := range out.classes {
			if c.Kind == kind {
				out.classes[i] = faster(c, usual, 1000*s.AllKW)
			}
		}
		usual = 1000 * s.AllKW
	}
	if s.PortKW > 0 {
		usual = 1000 * s.PortKW
	}
	for range s.AddPorts {
		site.Ports = append(site.Ports, simulate.Port{Kind: kind, PowerW: usual, Module: -1})
	}
	for range -s.AddPorts {
		if i := lastOf(site.Ports, kind); i >= 0 && len(site.Ports) > 1 {
			site.Ports = slices.Delete(site.Ports, i, i+1)
		}
	}
	if s.CapKW != nil {
		site.CapW = 1000 * *s.CapKW
	}
	if s.Rule != "" {
		site.Rule = rule(s.Rule)
	}
	out.Scenario = simulate.Scenario{
		Site: site, Growth: w.growth(s),
		Behaviour: simulate.Behaviour{Patience: or(s.PatienceMinutes, *a.PatienceMinutes) / 60, Leave: a.LeavePercent / 100},
	}
	if o := s.Overstay; o != nil {
		out.Overstay = simulate.Overstay{After: o.AfterMinutes / 60, Obey: o.ObeyPercent / 100}
	}
	if x := s.Window; x != nil {
		out.Window = simulate.Window{Hours: x.hours(), Move: x.MovePercent / 100}
	}
	if o := s.Outage; o != nil {
		out.Failure = simulate.Failure{Between: 24 * o.BetweenDays, Repair: o.RepairHours}
	}
	return out
}

func lastOf(ports []simulate.Port, kind simulate.Kind) int {
	for i := len(ports) - 1; i >= 0; i-- {
		if ports[i].Kind == kind {
			return i
		}
	}
	return len(ports) - 1
}

func (x *Window) hours() (of [demand.Week]bool) {
	for h := range of {
		day := h / 24
		in := x.Days == "" || x.Days == "all" || x.Days == "weekdays" && day < 5 || x.Days == "weekend" && day >= 5
		of[h] = in && h%24 >= x.FromHour && h%24 < x.ToHour
	}
	return of
}

func (w *Work) play(s setting, rep uint64, most float64) (*simulate.Outcome, error) {
	if w.done++; !w.tell(min(w.done, w.total), w.total) {
		return nil, simulate.ErrStopped
	}
	return simulate.Run{
		Demand:   simulate.Demand{Classes: s.classes, DayVariance: w.estimate.DayVariance, HourVariance: w.estimate.HourVariance},
		Scenario: s.Scenario, Hours: weeksPlayed * demand.Week, WarmUp: 24, Late: *w.q.Assumptions.PromiseMinutes / 60,
		Seed: w.seed, MostGrowth: most, Of: &w.of,
		Stop: func() bool { return !w.tell(min(w.done, w.total), w.total) },
	}.Replicate(rep)
}

// broken is the share of drivers at the busiest hours that are let down if demand
// grows by a factor.
func (w *Work) broken(growth float64) (float64, error) {
	s := w.setting(Scenario{})
	s.Growth = growth
	var failed, arrived float64
	for rep := range uint64(triggerRuns) {
		out, err := w.play(s, 1000+rep, mostGrowth)
		if err != nil {
			return 0, err
		}
		t := out.Over(&w.of)
		failed += t.Failed
		arrived += t.Arrived
	}
	if arrived == 0 {
		return 0, nil
	}
	return failed / arrived, nil
}

// trigger finds the growth that breaks the promise and when the trend gets there.
func (w *Work) trigger() (*Trigger, error) {
	promise := w.q.Assumptions.PromisePercent / 100
	low, high := 0.1, mostGrowth
	if b, err := w.broken(high); err != nil {
		return nil, err
	} else if b <= promise {
		w.result.Notes = append(w.result.Notes, "outgrows")
		return &Trigger{}, nil
	}
	for range triggerSteps {
		mid := math.Sqrt(low * high)
		b, err := w.broken(mid)
		if err != nil {
			return nil, err
		}
		if b > promise {
			high = mid
		} else {
			low = mid
		}
	}
	factor := math.Sqrt(low * high)
	when := w.trend.Reach(factor, mostMonths, w.seed)
	t := &Trigger{Now: factor <= 1, Growth: finite(percent(factor - 1))}
	t.Early, t.Middle, t.Late = w.date(when.Early), w.date(when.Middle), w.date(when.Late)
	return t, nil
}

func (w *Work) date(months float64) *time.Time {
	if math.IsInf(months, 0) {
		return nil
	}
	at := w.site.Input.To.Add(time.Duration(months * 365.25 / 12 * 24 * float64(time.Hour))).Truncate(time.Second).UTC()
	return &at
}

// recommend picks the fewest added ports that keep the promise, at the horizon
// where that was played.
func (w *Work) recommend() {
	horizon := slices.ContainsFunc(w.scenarios, func(s Scenario) bool { return s.AtHorizon })
	best := -1
	promise := w.q.Assumptions.PromisePercent
	for i, s := range w.scenarios {
		plain := s
		plain.AddPorts, plain.AtHorizon, plain.Name, plain.Kind, plain.PortKW, plain.Against = 0, false, "", "", 0, ""
		if plain != (Scenario{}) || s.AtHorizon != horizon || s.AddPorts < 0 || w.result.Outcomes[i].BrokenPercent.Mean > promise {
			continue
		}
		if best < 0 || s.AddPorts < w.scenarios[best].AddPorts {
			best = i
		}
	}
	if best < 0 {
		return
	}
	w.result.Kept = w.scenarios[best].AddPorts == 0
	w.result.Recommended = &best
}

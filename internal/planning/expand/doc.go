// Package expand answers whether a site needs more ports, when, and what they
// would bring.
//
// It takes what was seen (demand), plays scenarios with the same drivers
// (simulate) and compares them in pairs, so that a difference has an interval of
// its own. The limit is what an operator promises to drivers at the busiest
// hours, never a utilisation: two ports break at a quarter of their time, twenty
// at three quarters.
//
// Nothing is answered from too little: Result.Enough is false then and Needs says
// what is missing.
package expand

import (
	"fmt"
	"math"
	"time"

	"github.com/chargewatch/chargewatch/internal/planning/demand"
)

// Question is what somebody wants to know of a site.
type Question struct {
	Site          string      `json:"site" minLength:"1" maxLength:"48"`
	Name          string      `json:"name,omitempty" maxLength:"80" doc:"of the plan, for people"`
	HorizonMonths int         `json:"horizonMonths,omitempty" minimum:"0" maximum:"120" doc:"how far demand is taken along its trend; default 24"`
	Assumptions   Assumptions `json:"assumptions,omitempty"`
	Scenarios     []Scenario  `json:"scenarios,omitempty" maxItems:"24" doc:"default: 1 to 4 more ports, now and at the horizon"`
}

// Assumptions are what history does not tell.
type Assumptions struct {
	PatienceMinutes *float64 `json:"patienceMinutes,omitempty" minimum:"0" maximum:"1440" doc:"mean time that a driver waits for a port; 0: nobody does; default 10"`
	LeavePercent    float64  `json:"leavePercent,omitempty" minimum:"0" maximum:"100" doc:"drivers that drive on at once when all ports are busy"`
	PromiseMinutes  *float64 `json:"promiseMinutes,omitempty" minimum:"0" maximum:"240" doc:"a driver who waits longer, or leaves, was let down; default 5"`
	PromisePercent  float64  `json:"promisePercent,omitempty" minimum:"0" maximum:"100" doc:"of drivers at the busiest hours that may be let down; default 10"`
	Currency        string   `json:"currency,omitempty" maxLength:"3" doc:"ISO 4217"`
	PricePerKWh     float64  `json:"pricePerKwh,omitempty" minimum:"0" maximum:"1000"`
	CostPerKWh      float64  `json:"costPerKwh,omitempty" minimum:"0" maximum:"1000" doc:"of the energy"`
	CostPerPort     float64  `json:"costPerPort,omitempty" minimum:"0" maximum:"100000000" doc:"to build"`
	DemandCharge    float64  `json:"demandChargePerKwMonth,omitempty" minimum:"0" maximum:"10000" doc:"for the highest quarter hour of a month"`
	CapKW           float64  `json:"capKw,omitempty" minimum:"0" maximum:"100000" doc:"power of the connection for charging; 0: not limited"`
	Rule            string   `json:"rule,omitempty" enum:"equal,first,laxity" doc:"how a connection that does not suffice is shared; default equal"`
	GrowthPercent   *float64 `json:"growthPercent,omitempty" minimum:"-50" maximum:"300" doc:"of demand a year; default: as history shows"`
	Weeks           int      `json:"weeks,omitempty" minimum:"3" maximum:"104" doc:"of history that rates are taken from; default 26"`
}

// Scenario is one way the site could be. What is absent stays as it is.
type Scenario struct {
	Name            string    `json:"name,omitempty" maxLength:"80"`
	Against         string    `json:"against,omitempty" maxLength:"80" doc:"name of the scenario it is compared with; default: the site as it is, at the same time"`
	AddPorts        int       `json:"addPorts,omitempty" minimum:"-50" maximum:"100" doc:"negative: taken away or out of order for good"`
	Kind            string    `json:"kind,omitempty" enum:"ac,dc" doc:"of the ports; default: where drivers are let down most"`
	PortKW          float64   `json:"portKw,omitempty" minimum:"0" maximum:"1000" doc:"of added ports; default: as the others"`
	AllKW           float64   `json:"allKw,omitempty" minimum:"0" maximum:"1000" doc:"all ports of the kind get this power"`
	CapKW           *float64  `json:"capKw,omitempty" minimum:"0" maximum:"100000"`
	Rule            string    `json:"rule,omitempty" enum:"equal,first,laxity"`
	AtHorizon       bool      `json:"atHorizon,omitempty" doc:"with the demand of the horizon"`
	GrowthPercent   float64   `json:"growthPercent,omitempty" minimum:"-90" maximum:"900" doc:"more demand than now, all at once"`
	PatienceMinutes *float64  `json:"patienceMinutes,omitempty" minimum:"0" maximum:"1440"`
	Overstay        *Overstay `json:"overstay,omitempty"`
	Window          *Window   `json:"window,omitempty"`
	Outage          *Outage   `json:"outage,omitempty"`
}

// Overstay is a rule against cars that stay when they are full.
type Overstay struct {
	AfterMinutes float64 `json:"afterMinutes" minimum:"0" maximum:"1440"`
	ObeyPercent  float64 `json:"obeyPercent" minimum:"0" maximum:"100"`
}

// Window is hours with another price.
type Window struct {
	FromHour    int     `json:"fromHour" minimum:"0" maximum:"23"`
	ToHour      int     `json:"toHour" minimum:"1" maximum:"24"`
	Days        string  `json:"days,omitempty" enum:"all,weekdays,weekend" doc:"default all"`
	PricePerKWh float64 `json:"pricePerKwh" minimum:"0" maximum:"1000"`
	MovePercent float64 `json:"movePercent" minimum:"0" maximum:"100" doc:"of drivers that come within two hours after it instead"`
}

// Outage is how ports fail.
type Outage struct {
	BetweenDays float64 `json:"betweenDays" minimum:"0.1" maximum:"10000" doc:"mean time up"`
	RepairHours float64 `json:"repairHours" minimum:"0.1" maximum:"8760" doc:"mean time down"`
}

// Fault is what is wrong with a question.
type Fault struct{ Path, Text string }

// Limits and defaults.
const (
	MostScenarios   = 24
	defaultHorizon  = 24
	defaultWeeks    = 26
	defaultPatience = 10.0
	defaultPromise  = 5.0
	defaultPercent  = 10.0
)

func or(v *float64, otherwise float64) float64 {
	if v == nil {
		return otherwise
	}
	return *v
}

// Check fills in defaults and says what is wrong.
func (q *Question) Check() []Fault {
	var faults []Fault
	wrong := func(path, text string) { faults = append(faults, Fault{path, text}) }
	a := &q.Assumptions
	if q.HorizonMonths == 0 {
		q.HorizonMonths = defaultHorizon
	}
	if a.Weeks == 0 {
		a.Weeks = defaultWeeks
	}
	if a.PromisePercent == 0 {
		a.PromisePercent = defaultPercent
	}
	if a.Rule == "" {
		a.Rule = "equal"
	}
	patience, promise := or(a.PatienceMinutes, defaultPatience), or(a.PromiseMinutes, defaultPromise)
	a.PatienceMinutes, a.PromiseMinutes = &patience, &promise
	if a.PricePerKWh > 0 && a.CostPerKWh > a.PricePerKWh {
		wrong("assumptions.costPerKwh", "is above the price: no port would ever pay")
	}
	if len(q.Scenarios) > MostScenarios {
		wrong("scenarios", fmt.Sprintf("at most %d", MostScenarios))
	}
	names := make(map[string]bool)
	for i, s := range q.Scenarios {
		path := fmt.Sprintf("scenarios[%d]", i)
		if w := s.Window; w != nil && w.FromHour >= w.ToHour {
			wrong(path+".window.toHour", "must be after fromHour")
		}
		if s.Against != "" && !names[s.Against] {
			wrong(path+".against", "names no scenario before it")
		}
		if s.Name != "" {
			if names[s.Name] {
				wrong(path+".name", "is used twice")
			}
			names[s.Name] = true
		}
	}
	return faults
}

// Site is what is known of a site.
type Site struct {
	Input demand.Input // From and To are the time that is known
	Now   time.Time
}

// window is what rates are taken from.
func (s *Site) window(weeks int) demand.Input {
	in := s.Input
	if from := in.To.AddDate(0, 0, -7*weeks); from.After(in.From) {
		in.From = from
	}
	in.HalfLife = time.Duration(weeks) * 7 * 24 * time.Hour / 2
	return in
}

func percent(share float64) float64 { return 100 * share }

func finite(v float64) *float64 {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return nil
	}
	return &v
}

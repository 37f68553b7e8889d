package expand

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/planning/simulate"
)

// Result answers a Question.
type Result struct {
	Enough bool   `json:"enough"`
	Needs  *Needs `json:"needs" doc:"what is missing for an answer; null: nothing"`

	From        time.Time  `json:"from" doc:"history that demand was taken from"`
	To          time.Time  `json:"to"`
	MadeAt      time.Time  `json:"madeAt"`
	Seed        uint64     `json:"seed"`
	Runs        int        `json:"replications" doc:"of four weeks each, for every scenario"`
	Site        SiteFacts  `json:"site"`
	Demand      DemandSeen `json:"demand"`
	Busiest     []WeekHour `json:"busiestHours" doc:"the hours of the week with most demand, that the promise is about"`
	Outcomes    []Outcome  `json:"outcomes" doc:"the site as it is first"`
	Recommended *int       `json:"recommended" doc:"index of the least that keeps the promise; null: none of them does"`
	Kept        bool       `json:"kept" doc:"the promise is kept without change, up to the horizon where a trend is known"`
	Trigger     *Trigger   `json:"trigger" doc:"when the site as it is breaks the promise; null: no trend is known"`
	Notes       []string   `json:"notes" doc:"codes of what an answer rests on: powerAssumed, sharedAssumed, energyUnknown, noTrend, outgrows"`
}

// Needs is what is missing.
type Needs struct {
	Days     int `json:"days" doc:"more of observed time"`
	Sessions int `json:"sessions"`
}

// SiteFacts are the ports that were taken.
type SiteFacts struct {
	AC      int     `json:"ac"`
	DC      int     `json:"dc"`
	Serves  int     `json:"serves" doc:"cars at once"`
	PowerKW float64 `json:"powerKw" doc:"of all ports together"`
	CapKW   float64 `json:"capKw" doc:"0: not limited"`
}

// DemandSeen is what drivers want.
type DemandSeen struct {
	PerWeek         float64   `json:"perWeek" doc:"drivers who would charge if there always were a port"`
	SeenPerWeek     float64   `json:"seenPerWeek" doc:"sessions"`
	CensoredPercent float64   `json:"censoredPercent" doc:"drivers that found no port, as estimated"`
	Days            float64   `json:"days" doc:"observed"`
	Sessions        int       `json:"sessions"`
	MeanMinutes     float64   `json:"meanMinutes" doc:"plugged in"`
	MeanKWh         *float64  `json:"meanKwh"`
	ByHour          []float64 `json:"byHour" doc:"arrivals an hour, Monday 0 h first, by the clock of the site"`
	ByHourLow       []float64 `json:"byHourLow" doc:"80 % interval"`
	ByHourHigh      []float64 `json:"byHourHigh"`
	YearlyPercent   *float64  `json:"yearlyPercent" doc:"growth a year; null: not known"`
	YearlyLow       *float64  `json:"yearlyLow" doc:"80 % interval"`
	YearlyHigh      *float64  `json:"yearlyHigh"`
	TrendMonths     int       `json:"trendMonths" doc:"that growth was read from"`
}

// WeekHour is an hour of the week.
type WeekHour struct {
	Weekday int `json:"weekday" doc:"1 Monday to 7"`
	Hour    int `json:"hour"`
}

// Interval is a mean with its 95 % confidence interval.
type Interval = simulate.Interval

// Outcome is what a scenario brings.
type Outcome struct {
	Scenario Scenario `json:"scenario"`
	Against  int      `json:"against" doc:"index of what it is compared with"`
	Ports    int      `json:"ports"`

	WaitMinutes   Interval `json:"waitMinutes" doc:"mean of those served, at the busiest hours"`
	WaitP95       float64  `json:"waitP95Minutes" doc:"nineteen of twenty of them wait less"`
	BrokenPercent Interval `json:"brokenPercent" doc:"drivers at the busiest hours that wait longer than promised or leave"`
	LostPercent   Interval `json:"lostPercent" doc:"drivers that leave without a session, at all hours"`
	LostPerWeek   Interval `json:"lostPerWeek"`
	ServedPerWeek Interval `json:"servedPerWeek"`
	KWhPerWeek    Interval `json:"kwhPerWeek"`
	UnservedKWh   Interval `json:"unservedKwhPerWeek" doc:"that drivers left without because power was shared"`
	Utilisation   Interval `json:"utilisationPercent" doc:"time that a port has a car"`
	AllBusyHours  Interval `json:"allBusyHoursPerWeek"`
	PeakKW        Interval `json:"peakKw" doc:"highest quarter hour of four weeks"`

	MoreServed  *Interval `json:"moreServedPerWeek" doc:"than what it is compared with; null: it is that"`
	MoreKWh     *Interval `json:"moreKwhPerWeek"`
	Revenue     *Interval `json:"revenuePerMonth" doc:"null: no price or no energy is known"`
	Gain        *Interval `json:"gainPerMonth" doc:"more revenue less energy and demand charge"`
	GainPerPort *Interval `json:"gainPerPortMonth"`
	Payback     *Payback  `json:"payback" doc:"null: no cost is known or no port is added"`
}

// Payback is after how many months added ports have paid for themselves; null
// is never.
type Payback struct {
	Months *float64 `json:"months"`
	Low    *float64 `json:"low"`
	High   *float64 `json:"high"`
}

// Trigger is when the promise breaks.
type Trigger struct {
	Now    bool       `json:"now" doc:"it is broken already"`
	Growth *float64   `json:"growthPercent" doc:"more demand than now that breaks it; null: four times the demand does not"`
	Early  *time.Time `json:"early" doc:"80 % interval; null: not within ten years"`
	Middle *time.Time `json:"middle"`
	Late   *time.Time `json:"late"`
}

package web

import (
	"bytes"
	"context"
	"encoding/csv"
	"strconv"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/usage/pattern"
	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

// HeatmapCellShape is an hour of the week.
type HeatmapCellShape struct {
	Weekday int      `json:"weekday" minimum:"1" maximum:"7" doc:"1 is Monday"`
	Hour    int      `json:"hour" minimum:"0" maximum:"23"`
	Value   *float64 `json:"value" doc:"null: not observed, or nothing tells of it"`
	Weeks   int      `json:"weeks" doc:"in which the hour was observed"`
}

// HeatmapAnswer is a measure by hour and day of the week.
type HeatmapAnswer struct {
	AnalyticsHead
	Measure pattern.Measure    `json:"measure" enum:"occupied,charging,energy,starts,allBusy"`
	Unit    string             `json:"unit" enum:"share,Wh,1/h" doc:"share: 0 to 1, of operative time of ports; for allBusy of the time in which any port was operative. Wh and 1/h: mean of an hour"`
	Cells   []HeatmapCellShape `json:"cells" doc:"168, from Monday 0 h on"`
}

type heatmapInput struct {
	AnalyticsQuery
	Measure string `query:"measure" enum:"occupied,charging,energy,starts,allBusy" default:"occupied" doc:"allBusy: no operative port was free"`
}

type heatmapOutput struct{ Body HeatmapAnswer }

func (s *Server) heatmap(ctx context.Context, in *heatmapInput) (*heatmapOutput, error) {
	q, err := s.inquire(ctx, &in.AnalyticsQuery)
	if err != nil {
		return nil, err
	}
	a, err := s.account(ctx, q)
	if err != nil {
		return nil, err
	}
	m := pattern.Measure(in.Measure)
	unit := map[pattern.Measure]string{pattern.Energy: "Wh", pattern.Starts: "1/h"}[m]
	if unit == "" {
		unit = "share"
	}
	blind := (m == pattern.Energy || m == pattern.Charging) && !a.Knows()
	if blind {
		q.lacks("energy")
	}
	q.observed(a.Grid)
	out := HeatmapAnswer{AnalyticsHead: q.head, Measure: m, Unit: unit}
	for _, h := range pattern.Week(a.Grid, q.zone, m) {
		c := HeatmapCellShape{Weekday: h.Weekday, Hour: h.Hour, Value: known(h.Value), Weeks: h.Weeks}
		if blind {
			c.Value = nil
		}
		out.Cells = append(out.Cells, c)
	}
	return &heatmapOutput{Body: out}, nil
}

func (s *Server) exportHeatmap(ctx context.Context, in *heatmapInput) (*csvOutput, error) {
	answer, err := s.heatmap(ctx, in)
	if err != nil {
		return nil, err
	}
	a := &answer.Body
	var buf bytes.Buffer
	w := csv.NewWriter(&buf)
	_ = w.Write([]string{"weekday", "hour", "measure", "unit", "value", "weeks"})
	for _, c := range a.Cells {
		_ = w.Write([]string{strconv.Itoa(c.Weekday), strconv.Itoa(c.Hour), string(a.Measure), a.Unit, figure(c.Value, 6), strconv.Itoa(c.Weeks)})
	}
	w.Flush()
	return csvFile("heatmap-"+string(a.Measure), &a.AnalyticsHead, buf.Bytes()), nil
}

// PeakWindowShape is a part of the week in which most is used.
type PeakWindowShape struct {
	Weekdays    []int    `json:"weekdays" doc:"1 is Monday"`
	FromHour    int      `json:"fromHour"`
	ToHour      int      `json:"toHour" doc:"not included; 24 is midnight"`
	Occupied    float64  `json:"occupiedShare" doc:"of operative time"`
	EnergyShare *float64 `json:"energyShare" doc:"of all energy; null: nothing tells of it"`
	Weeks       int      `json:"weeks" doc:"observed"`
	StableWeeks int      `json:"stableWeeks" doc:"of these, in which it lay a quarter above the mean of its week too"`
}

// PrimeTimeShape are the six hours in a row that are used most.
type PrimeTimeShape struct {
	FromHour int     `json:"fromHour"`
	ToHour   int     `json:"toHour" doc:"not included; below fromHour: of the next day"`
	Share    float64 `json:"share" doc:"of operative time occupied"`
}

// PowerPeakShape is the highest quarter hour of a month.
type PowerPeakShape struct {
	Month  string    `json:"month" doc:"of the zone: 2026-09"`
	PeakW  float64   `json:"peakW" doc:"mean power of its highest quarter hour, of all sites together"`
	At     time.Time `json:"at"`
	Charge *float64  `json:"charge" doc:"demand charge: each site's own peak times the rate; null: no rate was given"`
}

// PeaksAnswer is when most is used.
type PeaksAnswer struct {
	AnalyticsHead
	Windows   []PeakWindowShape `json:"windows" doc:"the most used first, at most five; none stands out: empty"`
	PrimeTime *PrimeTimeShape   `json:"primeTime" doc:"null: nothing was observed"`
	Months    []PowerPeakShape  `json:"months" doc:"oldest first; empty if nothing tells of energy"`
}

type peaksInput struct {
	AnalyticsQuery
	Rate float64 `query:"rate" minimum:"0" maximum:"1000000" doc:"demand charge in a currency, for each kW of the highest quarter hour of a month"`
}

type peaksOutput struct{ Body PeaksAnswer }

func (s *Server) peaks(ctx context.Context, in *peaksInput) (*peaksOutput, error) {
	q, err := s.inquire(ctx, &in.AnalyticsQuery)
	if err != nil {
		return nil, err
	}
	all := pattern.NewAccount(q.from, q.to)
	charges := make(map[string]float64) // by month
	var one *rollup.Grid
	site := ""
	charge := func() {
		if one == nil {
			return
		}
		for _, p := range pattern.Peaks(one, q.zone) {
			charges[p.Month] += p.W / 1000 * in.Rate
		}
	}
	err = s.o.Usage.Days(ctx, q.sites, q.from, q.to, func(id string, d *rollup.PlaceDay) error {
		all.Add(d)
		if in.Rate == 0 {
			return nil
		}
		if one == nil || id != site {
			charge()
			site, one = id, rollup.NewGrid(q.from, q.to)
		}
		one.Add(d)
		return nil
	})
	if err != nil {
		return nil, err
	}
	charge()
	q.observed(all.Grid)
	out := PeaksAnswer{Windows: []PeakWindowShape{}, Months: []PowerPeakShape{}}
	for _, w := range pattern.Windows(all.Grid, q.zone) {
		out.Windows = append(out.Windows, PeakWindowShape{
			Weekdays: w.Weekdays, FromHour: w.FromHour, ToHour: w.ToHour, Occupied: w.Occupied, EnergyShare: known(w.EnergyShare),
			Weeks: w.Weeks, StableWeeks: w.StableWeeks,
		})
	}
	if p, ok := pattern.PrimeTime(all.Grid, q.zone); ok {
		out.PrimeTime = &PrimeTimeShape{FromHour: p.FromHour, ToHour: p.ToHour, Share: p.Occupied}
	}
	if all.Knows() {
		for _, p := range pattern.Peaks(all.Grid, q.zone) {
			shape := PowerPeakShape{Month: p.Month, PeakW: p.W, At: p.At.UTC()}
			if in.Rate > 0 {
				shape.Charge = known(charges[p.Month])
			}
			out.Months = append(out.Months, shape)
		}
	}
	out.AnalyticsHead = q.head
	return &peaksOutput{Body: out}, nil
}

func (s *Server) exportPeaks(ctx context.Context, in *peaksInput) (*csvOutput, error) {
	answer, err := s.peaks(ctx, in)
	if err != nil {
		return nil, err
	}
	a := &answer.Body
	var buf bytes.Buffer
	w := csv.NewWriter(&buf)
	_ = w.Write([]string{"what", "weekdays", "fromHour", "toHour", "occupiedShare", "energyShare", "weeks", "stableWeeks", "month", "peakW", "at", "charge"})
	n := strconv.Itoa
	for _, x := range a.Windows {
		days := make([]string, len(x.Weekdays))
		for i, d := range x.Weekdays {
			days[i] = n(d)
		}
		_ = w.Write([]string{"window", strings.Join(days, " "), n(x.FromHour), n(x.ToHour), figure(&x.Occupied, 4), figure(x.EnergyShare, 4), n(x.Weeks), n(x.StableWeeks), "", "", "", ""})
	}
	if p := a.PrimeTime; p != nil {
		_ = w.Write([]string{"primeTime", "", n(p.FromHour), n(p.ToHour), figure(&p.Share, 4), "", "", "", "", "", "", ""})
	}
	for _, m := range a.Months {
		_ = w.Write([]string{"month", "", "", "", "", "", "", "", m.Month, figure(&m.PeakW, 0), m.At.Format(time.RFC3339), figure(m.Charge, 2)})
	}
	w.Flush()
	return csvFile("peaks", &a.AnalyticsHead, buf.Bytes()), nil
}

package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/chargewatch/chargewatch/internal/planning/simulate"
)

// power is what sharing a connection did to the garage of Trondheim.
type power struct {
	CapKW    float64 `json:"capKw"`
	Rule     string  `json:"rule"`
	MostKW   float64 `json:"mostKw"`
	PeakKW   float64 `json:"peakQuarterKw"`
	Apart    float64 `json:"balanceApart"` // energy in against energy out and unserved, relative
	Unserved float64 `json:"unservedPercent"`
}

// garage are the wishes of a published garage, at 7.2 kW or what the session needs.
func garage(dir string) (out []simulate.Wish, perWeek float64, err error) {
	f, err := os.Open(filepath.Join(dir, "trondheim-residential", "sessions.csv"))
	if err != nil {
		return nil, 0, fmt.Errorf("data: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	list, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, 0, fmt.Errorf("data: %w", err)
	}
	at := func(name string) int { return slices.Index(list[0], name) }
	start, end, energy := at("start_local"), at("end_local"), at("energy_kwh")
	if start < 0 || end < 0 || energy < 0 {
		return nil, 0, fmt.Errorf("data: the garage has the columns %v", list[0])
	}
	var first, last time.Time
	for _, rec := range list[1:] {
		a, e1 := time.Parse("2006-01-02 15:04", rec[start])
		b, e2 := time.Parse("2006-01-02 15:04", rec[end])
		kWh, e3 := strconv.ParseFloat(rec[energy], 64)
		dwell := b.Sub(a).Hours()
		if errors.Join(e1, e2, e3) != nil || dwell <= 0.1 || dwell > 200 || kWh <= 0 {
			continue
		}
		if first.IsZero() {
			first = a
		}
		last = a
		out = append(out, simulate.Wish{Dwell: dwell, Energy: 1000 * kWh, Power: max(7200, 1000*kWh/dwell)})
	}
	return out, float64(len(out)) / (last.Sub(first).Hours() / 168), nil
}

func (res *result) share(to io.Writer, dir string) error {
	wishes, perWeek, err := garage(dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(to, "\n## Sharing a connection\n\nThe garage of Trondheim (%d sessions, %.0f a week) at 60 sockets of 7.2 kW, half a year. Bars: the limit is never passed, balance within 1e-9.\n\n| limit, kW | rule | most, kW | quarter hour, kW | balance off | unserved, %% | | \n|---|---|---|---|---|---|---|\n", len(wishes), perWeek)
	c := simulate.Class{Draw: func(s *simulate.Stream, _ int) simulate.Wish { return wishes[s.Below(len(wishes))] }}
	sum := 0.0
	for h := range simulate.Week {
		c.Rate[h] = 0.2 + math.Max(0, math.Sin(math.Pi*float64(h%24-12)/11))
		sum += c.Rate[h]
	}
	for h := range simulate.Week {
		c.Rate[h] *= perWeek / sum
	}
	site := simulate.Site{Ports: make([]simulate.Port, 60)}
	for i := range site.Ports {
		site.Ports[i] = simulate.Port{PowerW: 7200, Module: -1}
	}
	for _, cap := range []float64{0, 60, 30, 22} {
		for rule, name := range []string{"equal", "first", "laxity"} {
			if cap == 0 && rule > 0 {
				continue
			}
			site.CapW, site.Rule = 1000*cap, simulate.Rule(rule)
			out, err := simulate.Run{
				Demand: simulate.Demand{Classes: []simulate.Class{c}}, Hours: 26 * simulate.Week, WarmUp: 48, Seed: 3,
				Scenario: simulate.Scenario{Site: site, Behaviour: simulate.Behaviour{Patience: 1}},
			}.Replicate(1)
			if err != nil {
				return fmt.Errorf("simulate the garage: %w", err)
			}
			b := out.Balance
			x := power{CapKW: cap, Rule: name, MostKW: out.MostW / 1000, PeakKW: out.PeakW / 1000, Unserved: 100 * b.UnservedWh / b.WantedWh}
			x.Apart = max(math.Abs(b.MeteredWh-b.DeliveredWh-b.OnBoardWh)/b.MeteredWh, math.Abs(b.WantedWh-b.DeliveredWh-b.UnservedWh-b.OnBoardWh-b.OwedWh)/b.WantedWh)
			res.Power = append(res.Power, x)
			kept := x.Apart <= 1e-9 && (cap == 0 || x.MostKW <= cap*(1+1e-12))
			fmt.Fprintf(to, "| %.0f | %s | %.3f | %.3f | %.1e | %.2f | %s |\n", x.CapKW, x.Rule, x.MostKW, x.PeakKW, x.Apart, x.Unserved, verdict(kept))
		}
	}
	return nil
}

package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/planning/forecast"
)

// place is a series to judge, from its own weeks on.
type place struct {
	name   string
	target string
	s      *forecast.Series
	judge  int
}

// row is what came of a series at a horizon. Ratios are to the error of the same
// hour last week.
type row struct {
	Site     string             `json:"site"`
	Target   string             `json:"target"`
	Ahead    int                `json:"ahead"`
	Hours    int                `json:"hours"`
	Mean     float64            `json:"mean"`
	MAE      float64            `json:"mae"`
	LastWeek float64            `json:"maeLastWeek"`
	Ratio    float64            `json:"ratio"`
	Simple   float64            `json:"ratioToBestSimple"`
	Models   map[string]float64 `json:"ratios"`
	Pinball  float64            `json:"pinball"`
	Covered  float64            `json:"covered"`
	Months   map[string]float64 `json:"coveredByMonth"`
	Zero     float64            `json:"zeroHours"` // share of hours in which there was nothing
}

type summary struct {
	Series       int     `json:"series"`
	WorstSimple  float64 `json:"worstToBestSimple"`
	WorstWhere   string  `json:"worstWhere"`
	Above        int     `json:"above102"`
	Months       int     `json:"months"`
	MonthsWithin int     `json:"monthsWithin77to83"`
}

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

// collect makes the series of a set. What comes after the judged weeks is not
// read.
func collect(name string, stays []stay, from, judge, to time.Time, zone *time.Location) []place {
	var busy, energy []forecast.Stay
	for _, s := range stays {
		if !s.from.Before(to) {
			continue
		}
		class := fmt.Sprintf("%g", s.kW)
		busy = append(busy, forecast.Stay{From: s.from, To: s.to, Class: class, Weight: 1})
		if s.kWh > 0 {
			energy = append(energy, forecast.Stay{From: s.from, To: s.charged(), Class: class, Weight: min(s.kW, s.kWh/s.charged().Sub(s.from).Hours())})
		}
	}
	b, e := quarters(stays, from, to)
	at := int(judge.Sub(from).Hours())
	// Before somebody first came, nobody knows of ports.
	for t := 0; t < at && b[4*t]+b[4*t+1]+b[4*t+2]+b[4*t+3] == 0; t++ {
		for q := 4 * t; q < 4*t+4; q++ {
			b[q], e[q] = math.NaN(), math.NaN()
		}
	}
	return []place{
		{name, "busy", &forecast.Series{Start: from, Y: hourly(b, false), Late: latest(b, 1), Stays: busy, Zone: zone}, at},
		{name, "energy", &forecast.Series{Start: from, Y: hourly(e, true), Late: latest(e, 4), Stays: energy, Zone: zone}, at},
	}
}

func places(data string, test bool) ([]place, error) {
	sessions, err := dundee(data)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		return nil, fmt.Errorf("zone: %w", err)
	}
	from, judge, to := day(2018, 3, 5), day(2018, 5, 14), day(2018, 7, 12)
	if test {
		judge, to = day(2018, 7, 12), day(2018, 9, 6)
	}
	out := collect("Dundee, all", sessions, from, judge, to, zone)
	bySite := make(map[string][]stay)
	for _, s := range sessions {
		bySite[s.site] = append(bySite[s.site], s)
	}
	names := make([]string, 0, len(bySite))
	for name, all := range bySite {
		first, last := to, from
		for _, s := range all {
			if !s.from.Before(from) && s.from.Before(to) {
				first, last = earlier(first, s.from), later(last, s.from)
			}
		}
		// Eight weeks before the judged ones, the largest hub has five when models are chosen, and still there at
		// their end.
		if (!first.After(judge.AddDate(0, 0, -56)) || name == "Lochee Charging Hub") && last.After(to.AddDate(0, 0, -14)) && !strings.Contains(name, "TEST") {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(len(bySite[b])-len(bySite[a]), cmp.Compare(a, b)) })
	for _, name := range names {
		out = append(out, collect(name, bySite[name], from, judge, to, zone)...)
	}
	homes, err := trondheim(data)
	if err != nil {
		return nil, err
	}
	if zone, err = time.LoadLocation("Europe/Oslo"); err != nil {
		return nil, fmt.Errorf("zone: %w", err)
	}
	from, judge, to = day(2018, 12, 24), day(2019, 8, 12), day(2019, 12, 1)
	if test {
		judge, to = to, day(2020, 2, 1)
	}
	return append(out, collect("Trondheim", homes, from, judge, to, zone)...), nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (res *result) judgeSeries(out io.Writer, data string, test bool) error {
	all, err := places(data, test)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n## Errors\n\nMAE, and its ratio to that of the same hour last week (SN); simple: to the best of last value, SN and hour-of-week mean.\n\n")
	fmt.Fprintf(out, "| site | target | h | mean | MAE | SN | ratio | last | week mean | regression | simple | pinball | covered | by month | zero |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	sum := &summary{Series: len(all)}
	for _, p := range all {
		for _, h := range [...]int{1, 24} {
			r := judgeOne(p, h)
			res.Series = append(res.Series, r)
			if r.Simple > sum.WorstSimple {
				sum.WorstSimple, sum.WorstWhere = r.Simple, fmt.Sprintf("%s, %s, %d h", r.Site, r.Target, r.Ahead)
			}
			if r.Simple > 1.02 {
				sum.Above++
			}
			var months []string
			for m, v := range r.Months {
				months = append(months, fmt.Sprintf("%s %.1f", m, 100*v))
				sum.Months++
				if v >= 0.77 && v <= 0.83 {
					sum.MonthsWithin++
				}
			}
			slices.Sort(months)
			fmt.Fprintf(out, "| %s | %s | %d | %.3g | %.4g | %.4g | %.3f | %.3f | %.3f | %.3f | %.3f | %.4g | %.1f | %s | %.0f |\n", r.Site, r.Target, r.Ahead, r.Mean, r.MAE, r.LastWeek, r.Ratio,
				r.Models["last"], r.Models["weekMean"], r.Models["regression"], r.Simple, r.Pinball, 100*r.Covered, strings.Join(months, ", "), 100*r.Zero)
		}
	}
	res.Summary = sum
	fmt.Fprintf(out, "\n%d series; worst against the best simple model %.3f (%s), %d above 1.02; %d of %d months of bands within 77 to 83 %%.\n", sum.Series, sum.WorstSimple, sum.WorstWhere, sum.Above, sum.MonthsWithin, sum.Months)
	return nil
}

func judgeOne(p place, h int) row {
	from := p.judge - 8*168
	for from < 2*168 {
		from += 168
	}
	r := forecast.Rehearse(p.s, h, from, p.judge)
	sn := r.Score.Of[forecast.LastWeek]
	out := row{Site: p.name, Target: p.target, Ahead: h, Hours: r.Score.Hours, MAE: r.Score.MAE, LastWeek: sn, Ratio: r.Score.MAE / sn,
		Models: make(map[string]float64), Pinball: r.Score.Pinball, Covered: r.Score.Covered, Months: make(map[string]float64)}
	for m := range forecast.Models {
		out.Models[forecast.Model(m).Name()] = r.Score.Of[m] / sn
	}
	out.Simple = r.Score.MAE / min(r.Score.Of[forecast.Last], sn, r.Score.Of[forecast.WeekMean])
	in, n := make(map[string]float64), make(map[string]float64)
	for t := p.judge; t < len(p.s.Y); t++ {
		y := p.s.Y[t]
		out.Mean += y / float64(len(p.s.Y)-p.judge)
		if y == 0 {
			out.Zero += 1 / float64(len(p.s.Y)-p.judge)
		}
		if math.IsNaN(r.Low[t]) {
			continue
		}
		month := p.s.Start.Add(time.Duration(t) * time.Hour).Format("2006-01")
		n[month]++
		if y >= r.Low[t] && y <= r.High[t] {
			in[month]++
		}
	}
	for m := range n {
		out.Months[m] = in[m] / n[m]
	}
	return out
}

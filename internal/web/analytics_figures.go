package web

import (
	"bytes"
	"context"
	"encoding/csv"
	"slices"
	"strconv"
	"strings"

	"github.com/chargewatch/chargewatch/internal/usage/pattern"
	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

// SharesShape is a share of two denominators.
type SharesShape struct {
	Operative *float64 `json:"operative" doc:"of the time in which ports were observed and neither faulted nor out of service"`
	Calendar  *float64 `json:"calendar" doc:"of all time"`
}

// SpreadShape is how durations are distributed.
type SpreadShape struct {
	N    int     `json:"n"`
	P10  float64 `json:"p10"`
	P25  float64 `json:"p25"`
	P50  float64 `json:"p50"`
	P75  float64 `json:"p75"`
	P90  float64 `json:"p90"`
	Mean float64 `json:"mean"`
}

// TokenUseShape is how often the same token came, whoever that is.
type TokenUseShape struct {
	Tokens        int      `json:"tokens"`
	Sessions      int      `json:"sessions"`
	Known         int      `json:"known" doc:"sessions with a token"`
	Once          int      `json:"once" doc:"tokens that came once"`
	Few           int      `json:"few" doc:"two to four times"`
	Many          int      `json:"many" doc:"five times and more"`
	OnceSessions  int      `json:"onceSessions"`
	FewSessions   int      `json:"fewSessions"`
	ManySessions  int      `json:"manySessions"`
	TopTenthShare *float64 `json:"topTenthShare" doc:"of the known sessions, made by the tenth of tokens that came most"`
}

// FailedDemandShape is who came in vain.
type FailedDemandShape struct {
	Attempts       int64 `json:"attempts" doc:"tries to charge that ended"`
	Failed         int64 `json:"failed" doc:"less than 0.1 kWh was moved"`
	GaveUp         int64 `json:"gaveUp" doc:"of these: unplugged before it began, or no car came"`
	WithoutSession int64 `json:"withoutSession" doc:"of these: plugged in and out again, and no session began"`
}

// UsageFiguresShape is how well ports were used; null is not known.
type UsageFiguresShape struct {
	Ports              int                `json:"ports" doc:"at most at once"`
	Sessions           int                `json:"sessions" doc:"that began"`
	EnergyWh           *float64           `json:"energyWh"`
	Occupied           SharesShape        `json:"occupiedShare" doc:"a car was plugged in"`
	Charging           SharesShape        `json:"chargingShare" doc:"energy flowed"`
	PrimeTime          *PrimeTimeShape    `json:"primeTime"`
	IdleShare          *float64           `json:"idleShare" doc:"of the occupied time, in which a session was open and no energy flowed"`
	AllBusyShare       *float64           `json:"allBusyShare" doc:"of the time in which any port was operative: none of them was free"`
	ObservedShare      *float64           `json:"observedShare" doc:"of all time"`
	ThroughputWhPerDay *float64           `json:"throughputWhPerPortDay" doc:"of an observed port"`
	TurnoverPerDay     *float64           `json:"turnoverPerPortDay" doc:"sessions at an observed port"`
	Dwell              *SpreadShape       `json:"dwell" doc:"of ended sessions, seconds"`
	ChargingTime       *SpreadShape       `json:"chargingTime" doc:"from the begin to the last energy, of sessions that tell, seconds"`
	AveragePowerW      *float64           `json:"averagePowerW" doc:"while energy flowed"`
	PeakW              *float64           `json:"peakW" doc:"highest mean of a quarter hour"`
	Tokens             *TokenUseShape     `json:"tokens" doc:"null: no session tells its token"`
	Failed             *FailedDemandShape `json:"failed" doc:"null: no tries are known, as of imported sessions"`
}

// SiteUsageShape are the figures of one site.
type SiteUsageShape struct {
	Site string `json:"site"`
	Name string `json:"name"`
	UsageFiguresShape
}

// UsageFiguresAnswer is how well sites are used.
type UsageFiguresAnswer struct {
	AnalyticsHead
	All   UsageFiguresShape `json:"all"`
	Sites []SiteUsageShape  `json:"sites" doc:"those with anything known, by name"`
}

type usageFiguresInput struct{ AnalyticsQuery }

type usageFiguresOutput struct{ Body UsageFiguresAnswer }

func (s *Server) usageFigures(ctx context.Context, in *usageFiguresInput) (*usageFiguresOutput, error) {
	q, err := s.inquire(ctx, &in.AnalyticsQuery)
	if err != nil {
		return nil, err
	}
	all := pattern.NewAccount(q.from, q.to)
	out := UsageFiguresAnswer{Sites: []SiteUsageShape{}}
	var one *pattern.Account
	site := ""
	finish := func() {
		if one != nil {
			out.Sites = append(out.Sites, SiteUsageShape{Site: site, Name: s.usageSite(site), UsageFiguresShape: usageFigures(one, q)})
		}
	}
	// Days come site by site, so that one account at a time is open.
	err = s.o.Usage.Days(ctx, q.sites, q.from, q.to, func(id string, d *rollup.PlaceDay) error {
		if one == nil || id != site {
			finish()
			site, one = id, pattern.NewAccount(q.from, q.to)
		}
		one.Add(d)
		all.Add(d)
		return nil
	})
	if err != nil {
		return nil, err
	}
	finish()
	slices.SortStableFunc(out.Sites, func(a, b SiteUsageShape) int { return strings.Compare(a.Name, b.Name) })
	if all.Sessions() == 0 {
		q.lacks("session")
	}
	out.AnalyticsHead, out.All = q.head, usageFigures(all, q)
	return &usageFiguresOutput{Body: out}, nil
}

func usageFigures(a *pattern.Account, q *inquiry) UsageFiguresShape {
	f := a.Figures()
	out := UsageFiguresShape{
		Ports: f.Ports, Sessions: f.Sessions, EnergyWh: known(f.EnergyWh), Occupied: sharesShape(f.Occupied), Charging: sharesShape(f.Charging),
		IdleShare: known(f.Idle), AllBusyShare: known(f.AllBusy), ObservedShare: known(f.Observed),
		ThroughputWhPerDay: known(f.WhPerPortDay), TurnoverPerDay: known(f.Turnover), Dwell: spreadShape(f.Dwell), ChargingTime: spreadShape(f.ChargingTime),
		AveragePowerW: known(f.AveragePowerW), PeakW: known(f.PeakW),
	}
	if p, ok := pattern.PrimeTime(a.Grid, q.zone); ok {
		out.PrimeTime = &PrimeTimeShape{FromHour: p.FromHour, ToHour: p.ToHour, Share: p.Occupied}
	}
	if t := f.Tokens; t.Known > 0 {
		out.Tokens = &TokenUseShape{
			Tokens: t.Tokens, Sessions: t.Sessions, Known: t.Known, Once: t.Once, Few: t.Few, Many: t.Many, OnceSessions: t.OnceSessions,
			FewSessions: t.FewSessions, ManySessions: t.ManySessions, TopTenthShare: known(t.TopTenthShare),
		}
	}
	if t := f.Tries; t.All > 0 {
		out.Failed = &FailedDemandShape{Attempts: t.All, Failed: t.Failed, GaveUp: t.GaveUp, WithoutSession: t.InVain}
	}
	return out
}

func sharesShape(s pattern.Shares) SharesShape {
	return SharesShape{Operative: known(s.Operative), Calendar: known(s.Calendar)}
}

func spreadShape(s pattern.Spread) *SpreadShape {
	if s.N == 0 {
		return nil
	}
	return new(SpreadShape(s))
}

func (s *Server) exportUsageFigures(ctx context.Context, in *usageFiguresInput) (*csvOutput, error) {
	answer, err := s.usageFigures(ctx, in)
	if err != nil {
		return nil, err
	}
	a := &answer.Body
	var buf bytes.Buffer
	w := csv.NewWriter(&buf)
	_ = w.Write([]string{ // a buffer takes everything
		"site", "name", "ports", "sessions", "energyWh", "occupiedOperative", "occupiedCalendar", "chargingOperative", "chargingCalendar", "primeTimeFrom", "primeTimeTo",
		"primeTimeShare", "idleShare", "allBusyShare", "observedShare", "throughputWhPerPortDay", "turnoverPerPortDay", "dwellMedianSeconds", "dwellP90Seconds",
		"chargingMedianSeconds", "averagePowerW", "peakW", "tokens", "topTenthShare", "attempts", "failed", "gaveUp", "withoutSession",
	})
	n := strconv.Itoa
	row := func(site, name string, f *UsageFiguresShape) {
		var from, to, prime, dwell, dwell90, charging, tokens, top string
		tries := []string{"", "", "", ""}
		if p := f.PrimeTime; p != nil {
			from, to, prime = n(p.FromHour), n(p.ToHour), figure(&p.Share, 4)
		}
		if f.Dwell != nil {
			dwell, dwell90 = figure(&f.Dwell.P50, 0), figure(&f.Dwell.P90, 0)
		}
		if f.ChargingTime != nil {
			charging = figure(&f.ChargingTime.P50, 0)
		}
		if f.Tokens != nil {
			tokens, top = n(f.Tokens.Tokens), figure(f.Tokens.TopTenthShare, 4)
		}
		if x := f.Failed; x != nil {
			for i, v := range []int64{x.Attempts, x.Failed, x.GaveUp, x.WithoutSession} {
				tries[i] = strconv.FormatInt(v, 10)
			}
		}
		_ = w.Write(append([]string{
			cell(site), cell(name), n(f.Ports), n(f.Sessions), figure(f.EnergyWh, 3), figure(f.Occupied.Operative, 6), figure(f.Occupied.Calendar, 6),
			figure(f.Charging.Operative, 6), figure(f.Charging.Calendar, 6), from, to, prime, figure(f.IdleShare, 4), figure(f.AllBusyShare, 6), figure(f.ObservedShare, 4),
			figure(f.ThroughputWhPerDay, 1), figure(f.TurnoverPerDay, 4), dwell, dwell90, charging, figure(f.AveragePowerW, 0), figure(f.PeakW, 0), tokens, top,
		}, tries...))
	}
	row("", "", &a.All)
	for i := range a.Sites {
		row(a.Sites[i].Site, a.Sites[i].Name, &a.Sites[i].UsageFiguresShape)
	}
	w.Flush()
	return csvFile("usage", &a.AnalyticsHead, buf.Bytes()), nil
}

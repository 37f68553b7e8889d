package web

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/outlook"
	"github.com/chargewatch/chargewatch/internal/planning/forecast"
)

// Outlooks says how sites will be used.
type Outlooks interface {
	Forecast(ctx context.Context, site string, target outlook.Target) (*outlook.Outlook, error)
	FreePort(ctx context.Context, site string) (*outlook.Next, error)
	// Counting is how many days of ports of the past are still to be counted.
	Counting() int64
}

// ForecastHour is what is forecast of an hour.
type ForecastHour struct {
	At    time.Time `json:"at" doc:"its begin"`
	P10   *float64  `json:"p10" doc:"below it one hour of ten; null: not known yet"`
	P50   float64   `json:"p50"`
	P90   *float64  `json:"p90" doc:"above it one hour of ten; between p10 and p90 lie eight of ten"`
	Ahead int       `json:"aheadHours" doc:"the horizon that it is forecast by, a row of skill"`
}

// ToldHour is an hour of the past beside what was said of it a day before.
type ToldHour struct {
	At   time.Time `json:"at"`
	Came *float64  `json:"came" doc:"null: not observed"`
	P10  *float64  `json:"p10"`
	P50  *float64  `json:"p50" doc:"said 24 hours before; null: nothing could be said"`
	P90  *float64  `json:"p90"`
}

// SkillShape is how good forecasts of the site have been so far ahead.
type SkillShape struct {
	Ahead     int      `json:"aheadHours"`
	Hours     int      `json:"hours" doc:"of the last eight weeks that were judged"`
	Error     float64  `json:"meanError" doc:"mean absolute error of p50, in the unit of the points"`
	Pinball   *float64 `json:"pinball" doc:"mean quantile loss of p10, p50 and p90"`
	Covered   *float64 `json:"covered" doc:"share of hours that came between p10 and p90; meant to be 0.8"`
	Last      *float64 `json:"lastValueError" doc:"of the last known hour as forecast"`
	LastWeek  *float64 `json:"lastWeekError" doc:"of the same hour last week"`
	WeekMean  *float64 `json:"hourOfWeekError" doc:"of the mean of that hour of the week in eight weeks"`
	ThanLast  *float64 `json:"closerThanLast" doc:"0.2: the error is a fifth less"`
	ThanWeek  *float64 `json:"closerThanLastWeek"`
	ThanUsual *float64 `json:"closerThanHourOfWeek"`

	Models []ModelShare `json:"models" doc:"what it is made of, the heaviest first"`
}

// ModelShare is how much a model counts in a forecast.
type ModelShare struct {
	Model string  `json:"model" enum:"last,lastWeek,weekMean,weekMedian,recentDays,smoothed,departure,regression,regressionRecent,regressionMedian,regressionRoot"`
	Share float64 `json:"share" doc:"0 to 1"`
}

// ForecastAnswer is the coming week of a site.
type ForecastAnswer struct {
	Site   string         `json:"site"`
	Target outlook.Target `json:"target" enum:"occupied,energy,power"`
	Unit   string         `json:"unit" enum:"ports,Wh,W"`
	Zone   string         `json:"zone" doc:"by whose clock hours are those of a day"`
	Enough bool           `json:"enough" doc:"false: there is no forecast, needs says why"`
	Needs  string         `json:"needs" doc:"empty if enough"`
	Weeks  int            `json:"needsWeeks" doc:"more weeks of observation that are needed"`
	Count  int64          `json:"counting" doc:"days of ports of the past that are still to be counted; 0: all that is known is in it"`
	Ports  int            `json:"ports"`
	Known  int            `json:"weeks" doc:"of the past that it is made of"`
	Gaps   int            `json:"hoursUnobserved" doc:"of the last eight weeks; they are left out"`
	Hours  []ForecastHour `json:"points" doc:"from the hour that is running on"`
	Told   []ToldHour     `json:"past" doc:"the last seven days"`
	Skill  []SkillShape   `json:"skill" doc:"by horizon"`
}

// FreeAnswer is what the next hour looks like for who arrives.
type FreeAnswer struct {
	Site   string      `json:"site"`
	At     time.Time   `json:"at"`
	Ports  int         `json:"ports"`
	Busy   int         `json:"busy" doc:"with a car or reserved"`
	Out    int         `json:"out" doc:"broken, out of service or not to be heard"`
	Enough bool        `json:"enough" doc:"false: too little is known for odds"`
	Odds   []FreeShape `json:"odds"`
}

// FreeShape is how likely a free port is at some time.
type FreeShape struct {
	At      time.Time `json:"at"`
	Minutes int       `json:"minutes" doc:"from now"`
	Free    float64   `json:"free" doc:"0 to 1"`
	Usual   float64   `json:"usual" doc:"at this hour of the week, whatever is now"`
}

type forecastInput struct {
	Site    string         `query:"site" required:"true" minLength:"1" maxLength:"48"`
	Target  outlook.Target `query:"target" enum:"occupied,energy,power" default:"occupied"`
	Horizon int            `query:"horizon" minimum:"1" maximum:"168" default:"168" doc:"hours"`
}

type (
	forecastOutput struct{ Body ForecastAnswer }
	freeInput      struct {
		Site string `query:"site" required:"true" minLength:"1" maxLength:"48"`
	}
	freeOutput struct{ Body FreeAnswer }
)

func (s *Server) registerForecast() {
	add(s, filtered(AnalyticsRead), huma.Operation{
		OperationID: "getForecast", Method: http.MethodGet, Path: "/analytics/forecast", Tags: []string{"analytics"},
		Summary: "How a site will be used in the coming hours and days, with bands, and how good such forecasts of it have been",
	}, s.forecast)
	add(s, filtered(AnalyticsRead), huma.Operation{
		OperationID: "exportForecast", Method: http.MethodGet, Path: "/analytics/forecast.csv", Tags: []string{"analytics"},
		Summary: "The same as a table, a row for each hour of the last and the coming week",
		Responses: map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{
			"text/csv": {Schema: &huma.Schema{Type: "string"}},
		}}},
	}, s.exportForecast)
	add(s, filtered(AnalyticsRead), huma.Operation{
		OperationID: "getFreePort", Method: http.MethodGet, Path: "/analytics/forecast/free", Tags: []string{"analytics"},
		Summary: "How likely a site has a free port in the next hour",
	}, s.freePort)
}

// forecastSite checks that the caller may read a site, and that anything is
// forecast.
func (s *Server) forecastSite(ctx context.Context, id string) error {
	if _, ok := s.o.Store.Site(id); !ok || !scope(ctx, AnalyticsRead).Allows(id) {
		return problemf(http.StatusNotFound, "no such site")
	}
	if s.o.Outlooks == nil {
		return problemf(http.StatusNotFound, "nothing is forecast here")
	}
	return nil
}

func (s *Server) forecast(ctx context.Context, in *forecastInput) (*forecastOutput, error) {
	if err := s.forecastSite(ctx, in.Site); err != nil {
		return nil, err
	}
	out := ForecastAnswer{
		Site: in.Site, Target: in.Target, Unit: map[outlook.Target]string{outlook.Occupied: "ports", outlook.Energy: "Wh", outlook.Power: "W"}[in.Target],
		Zone: s.o.Store.ZoneOf(in.Site).String(), Count: s.o.Outlooks.Counting(), Hours: []ForecastHour{}, Told: []ToldHour{}, Skill: []SkillShape{},
	}
	o, err := s.o.Outlooks.Forecast(ctx, in.Site, in.Target)
	var little *forecast.TooLittleError
	switch {
	case errors.As(err, &little):
		out.Needs, out.Weeks = little.Error(), little.Weeks()
		return &forecastOutput{out}, nil
	case errors.Is(err, outlook.ErrNoEnergy):
		out.Needs = outlook.ErrNoEnergy.Error()
		return &forecastOutput{out}, nil
	case err != nil:
		return nil, err
	}
	out.Enough, out.Ports, out.Known, out.Gaps = true, o.Ports, o.Weeks, o.Gaps
	for i := range o.Hours[:min(in.Horizon, len(o.Hours))] {
		h := &o.Hours[i]
		out.Hours = append(out.Hours, ForecastHour{At: h.At, P10: known(h.Low), P50: h.Mid, P90: known(h.High), Ahead: h.Ahead})
	}
	for i := range o.Told {
		h := &o.Told[i]
		out.Told = append(out.Told, ToldHour{At: h.At, Came: known(h.Came), P10: known(h.Low), P50: known(h.Mid), P90: known(h.High)})
	}
	for i := range o.Scores {
		out.Skill = append(out.Skill, skillShape(&o.Scores[i]))
	}
	return &forecastOutput{out}, nil
}

func skillShape(x *forecast.Score) SkillShape {
	out := SkillShape{
		Ahead: x.Ahead, Hours: x.Hours, Pinball: known(x.Pinball), Covered: known(x.Covered),
		Last: known(x.Of[forecast.Last]), LastWeek: known(x.Of[forecast.LastWeek]), WeekMean: known(x.Of[forecast.WeekMean]),
		ThanLast: known(x.Skill(forecast.Last)), ThanWeek: known(x.Skill(forecast.LastWeek)), ThanUsual: known(x.Skill(forecast.WeekMean)),
		Models: []ModelShare{},
	}
	if x.Hours > 0 {
		out.Error = x.MAE
	}
	for _, m := range x.Heaviest() {
		out.Models = append(out.Models, ModelShare{Model: m.Name(), Share: x.Weights[m]})
	}
	return out
}

func (s *Server) freePort(ctx context.Context, in *freeInput) (*freeOutput, error) {
	if err := s.forecastSite(ctx, in.Site); err != nil {
		return nil, err
	}
	n, err := s.o.Outlooks.FreePort(ctx, in.Site)
	if err != nil {
		return nil, err
	}
	out := FreeAnswer{Site: in.Site, At: n.At, Ports: n.Ports, Busy: n.Busy, Out: n.Out, Enough: n.Enough, Odds: []FreeShape{}}
	for _, c := range n.Chances {
		out.Odds = append(out.Odds, FreeShape{At: c.At, Minutes: int(c.Ahead.Minutes()), Free: c.Free, Usual: c.Usual})
	}
	return &freeOutput{out}, nil
}

// exportForecast answers the same for a spreadsheet.
func (s *Server) exportForecast(ctx context.Context, in *forecastInput) (*csvOutput, error) {
	answer, err := s.forecast(ctx, in)
	if err != nil {
		return nil, err
	}
	a := &answer.Body
	zone := s.o.Store.ZoneOf(in.Site)
	value := func(v *float64) string {
		if v == nil {
			return ""
		}
		return strconv.FormatFloat(*v, 'f', 3, 64)
	}
	var buf bytes.Buffer
	w := csv.NewWriter(&buf)
	_ = w.Write([]string{"at", "localTime", "unit", "came", "p10", "p50", "p90", "aheadHours"}) // a buffer takes everything
	row := func(at time.Time, came, low, mid, high *float64, ahead int) {
		_ = w.Write([]string{at.UTC().Format(time.RFC3339), at.In(zone).Format("2006-01-02 15:04"), a.Unit, value(came), value(low), value(mid), value(high), strconv.Itoa(ahead)})
	}
	for i := range a.Told {
		h := &a.Told[i]
		row(h.At, h.Came, h.P10, h.P50, h.P90, 24)
	}
	for i := range a.Hours {
		h := &a.Hours[i]
		row(h.At, nil, h.P10, &h.P50, h.P90, h.Ahead)
	}
	w.Flush()
	return &csvOutput{
		Type:        "text/csv; charset=utf-8",
		Disposition: `attachment; filename="forecast-` + string(in.Target) + `.csv"`,
		Body:        buf.Bytes(),
	}, nil
}

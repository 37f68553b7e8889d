package web

import (
	"context"
	"encoding/csv"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/outlook"
	"github.com/chargewatch/chargewatch/internal/planning/forecast"
	"github.com/chargewatch/chargewatch/internal/store"
)

// foretold knows of one site.
type foretold struct{}

func (foretold) Forecast(_ context.Context, site string, target outlook.Target) (*outlook.Outlook, error) {
	switch {
	case site != own:
		return nil, &forecast.TooLittleError{Hours: 200}
	case target == outlook.Energy:
		return nil, outlook.ErrNoEnergy
	}
	at := time.Date(2026, 6, 10, 12, 0, 0, 0, time.UTC)
	f := &forecast.Forecast{From: at, Weeks: 9}
	for i := range forecast.Horizon {
		f.Hours = append(f.Hours, forecast.Hour{At: at.Add(time.Duration(i) * time.Hour), Low: 1, Mid: 2, High: math.NaN(), Ahead: 24})
	}
	f.Told = []forecast.Told{{Hour: forecast.Hour{At: at.Add(-time.Hour), Low: 1, Mid: 2, High: 3}, Came: math.NaN()}}
	x := forecast.Score{Ahead: 24, Hours: 900, MAE: 0.8, Covered: 0.8, Pinball: 0.3}
	x.Of[forecast.LastWeek], x.Of[forecast.Last] = 1, math.NaN()
	x.Weights[forecast.Regression], x.Weights[forecast.Smoothed] = 0.7, 0.3
	f.Scores = []forecast.Score{x}
	return &outlook.Outlook{Forecast: f, Target: target, Zone: time.UTC, Ports: 4, Gaps: 3}, nil
}

func (foretold) FreePort(context.Context, string) (*outlook.Next, error) {
	at := time.Date(2026, 6, 10, 12, 0, 0, 0, time.UTC)
	return &outlook.Next{At: at, Ports: 4, Busy: 3, Enough: true, Chances: []outlook.Chance{{At: at.Add(15 * time.Minute), Ahead: 15 * time.Minute, Free: 0.9, Usual: 0.7}}}, nil
}

func (foretold) Counting() int64 { return 7 }

func TestForecastsOverTheAPI(t *testing.T) {
	p := newPlant(t, func(o *Options) { o.Outlooks = foretold{} })
	p.site(own)
	p.site(foreign)
	viewer := p.script(store.RoleViewer, own)
	var a ForecastAnswer
	viewer.want(http.StatusOK, "GET", "/analytics/forecast?site="+own+"&horizon=48", "", &a)
	if !a.Enough || a.Unit != "ports" || len(a.Hours) != 48 || a.Hours[0].P90 != nil || *a.Hours[0].P10 != 1 || a.Ports != 4 || a.Gaps != 3 || a.Known != 9 {
		t.Errorf("%+v", a)
	}
	s := a.Skill[0]
	if math.Abs(*s.ThanWeek-0.2) > 1e-9 || s.ThanLast != nil || len(s.Models) != 2 || s.Models[0].Model != "regression" || a.Told[0].Came != nil || *a.Told[0].P50 != 2 {
		t.Errorf("skill %+v, told %+v", s, a.Told)
	}
	viewer.want(http.StatusOK, "GET", "/analytics/forecast?site="+own+"&target=energy", "", &a)
	if a.Enough || a.Needs != "not enough data: needs meter readings" || a.Unit != "Wh" {
		t.Errorf("of energy: %+v", a)
	}
	p.script(store.RoleOperator).want(http.StatusOK, "GET", "/analytics/forecast?site="+foreign, "", &a)
	if a.Enough || a.Weeks != 3 || a.Count != 7 || len(a.Hours) != 0 {
		t.Errorf("of a young site: %+v", a)
	}
	var f FreeAnswer
	viewer.want(http.StatusOK, "GET", "/analytics/forecast/free?site="+own, "", &f)
	if !f.Enough || f.Odds[0].Minutes != 15 || f.Odds[0].Free != 0.9 {
		t.Errorf("%+v", f)
	}
	_, text := viewer.do("GET", base+"/analytics/forecast.csv?site="+own, "")
	table, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(table) != 170 || table[1][3] != "" || table[2][5] != "2.000" {
		t.Errorf("%v: %d rows of %s", err, len(table), text[:min(200, len(text))])
	}
	for path, want := range map[string]int{
		"?site=" + foreign:             http.StatusNotFound,
		"?site=nowhere":                http.StatusNotFound,
		"":                             http.StatusUnprocessableEntity,
		"?site=" + own + "&target=x":   http.StatusUnprocessableEntity,
		"?site=" + own + "&horizon=0":  http.StatusUnprocessableEntity,
		"?site=" + own + "&horizon=1e": http.StatusUnprocessableEntity,
	} {
		if status, text := viewer.do("GET", base+"/analytics/forecast"+path, ""); status != want {
			t.Errorf("%q: %d %s", path, status, text)
		}
	}
	if status, _ := p.script(store.RoleTechnician).do("GET", base+"/analytics/forecast?site="+own, ""); status != http.StatusForbidden {
		t.Errorf("a technician: %d", status)
	}
}

package web

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/campaign"
	"github.com/chargewatch/chargewatch/internal/usage/contrast"
)

// Comparisons tell what changed at the stations of campaigns.
type Comparisons interface {
	// Compare answers when it is found out, or with nil and how many stations are read when
	// ctx ends. Stations that may not be seen are in no control; scope names those that may.
	Compare(ctx context.Context, c *campaign.Campaign, scope string, sees func(site string) bool) (r *contrast.Report, read, of int, err error)
}

// EstimateShape is a figure with its 95 % interval.
type EstimateShape struct {
	Value *float64 `json:"value" doc:"null: nothing is known"`
	Low   *float64 `json:"low95"`
	High  *float64 `json:"high95"`
}

// ComparisonNeed is what is missing for a verdict.
type ComparisonNeed struct {
	What string   `json:"what" enum:"day,tries,portDays,stationDays" doc:"day: a whole one on each side"`
	Have float64  `json:"have" doc:"on the side that has less"`
	Want float64  `json:"want"`
	Days *float64 `json:"days" doc:"until then, as things go; null: these stations alone will not come to it"`
}

// ComparisonMeasure is a measure before and after.
type ComparisonMeasure struct {
	Measure       contrast.Measure `json:"measure" enum:"success,faults,offline" doc:"success: share of tries to charge that worked; faults: that began, in a day of a port; offline: share of time"`
	Before        EstimateShape    `json:"before"`
	After         EstimateShape    `json:"after"`
	Change        EstimateShape    `json:"change" doc:"after less before"`
	ControlBefore EstimateShape    `json:"controlBefore" doc:"of stations of the same models that kept the old firmware, on the same days"`
	ControlAfter  EstimateShape    `json:"controlAfter"`
	ControlChange EstimateShape    `json:"controlChange"`
	Beyond        EstimateShape    `json:"beyondControl" doc:"the change less that of the control; null where too little is known of it"`
	Verdict       contrast.Verdict `json:"verdict" enum:"better,worse,noChangeShown,tooLittle" doc:"by beyondControl where that is known, else by change; better or worse only where its interval leaves zero out"`
	Needs         *ComparisonNeed  `json:"needs" doc:"null unless there is too little"`
}

// ComparisonSide is what stations did on one side.
type ComparisonSide struct {
	Tries       int     `json:"tries" doc:"to charge; those that failed by the doing of drivers or of the operator are left out"`
	Good        int     `json:"good"`
	Faults      int     `json:"faults"`
	PortDays    float64 `json:"portDays" doc:"in which ports were heard"`
	StationDays float64 `json:"stationDays" doc:"in which this server ran"`
	OfflineDays float64 `json:"offlineDays"`
}

// ComparisonShape is what changed at the stations of a campaign that brings firmware.
type ComparisonShape struct {
	Ready     bool                `json:"ready" doc:"false: it is being counted, ask again"`
	Read      int                 `json:"readStations" doc:"so far, with those of the control"`
	ReadOf    int                 `json:"ofStations"`
	At        *time.Time          `json:"at" doc:"when it was counted; null until then"`
	Updated   int                 `json:"updated" doc:"stations that got the firmware"`
	Stations  int                 `json:"stations" doc:"of these, that were looked at: at most 250, from all over the campaign"`
	Early     int                 `json:"early" doc:"of these, without anything before or after yet: they are not compared"`
	Control   int                 `json:"control" doc:"stations of the same models that kept the old firmware and are compared"`
	ControlOf int                 `json:"controlOf" doc:"how many of these there are"`
	Days      float64             `json:"days" doc:"of a side, in the mean; at most 14"`
	DaysLeast float64             `json:"daysLeast"`
	DaysMost  float64             `json:"daysMost"`
	Before    ComparisonSide      `json:"before"`
	After     ComparisonSide      `json:"after"`
	Measures  []ComparisonMeasure `json:"measures"`
}

type (
	comparisonInput struct {
		ID   string `path:"id" maxLength:"64"`
		Wait string `query:"wait" maxLength:"10" default:"2s" doc:"how long to wait for it; at most 60s"`
	}
	comparisonOutput struct{ Body ComparisonShape }
)

func (s *Server) registerComparison() {
	op := func(id, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodGet, Path: "/campaigns/{id}/" + path, Tags: []string{"campaigns"}, Summary: summary}
	}
	add(s, filtered(StationsCommand), op("getCampaignComparison", "comparison", "What changed at the stations that a campaign brought firmware to"), s.getComparison)
	file := op("exportCampaignComparison", "comparison.csv", "The same as a table")
	file.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: "string"}}}}}
	add(s, filtered(StationsCommand), file, s.exportComparison)
}

func (s *Server) compare(ctx context.Context, in *comparisonInput) (*ComparisonShape, error) {
	wait, err := patience(in.Wait)
	if err != nil {
		return nil, err
	}
	c, err := s.campaign(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if s.o.Comparisons == nil || c.Kind != "firmware" {
		return nil, problemf(http.StatusNotFound, "only campaigns that bring firmware are compared")
	}
	allowed := scope(ctx, AnalyticsRead)
	if !sees(allowed, c) {
		return nil, errForbidden
	}
	limited, done := context.WithTimeout(ctx, wait)
	defer done()
	r, read, of, err := s.o.Comparisons.Compare(limited, c, allowed.key(), allowed.Allows)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return &ComparisonShape{Read: read, ReadOf: of, Updated: countDone(c), Measures: []ComparisonMeasure{}}, nil
	}
	return comparisonShape(r, read, of), nil
}

func countDone(c *campaign.Campaign) (n int) {
	for _, x := range c.Counts {
		if x.State == campaign.Done {
			n += x.Count
		}
	}
	return n
}

func comparisonShape(r *contrast.Report, read, of int) *ComparisonShape {
	days := func(d time.Duration) float64 { return d.Hours() / 24 }
	out := &ComparisonShape{
		Ready: true, Read: read, ReadOf: of, At: instant(r.At), Updated: r.Of, Stations: r.Stations, Early: r.Early, Control: r.Control, ControlOf: r.ControlOf,
		Days: days(r.Length), DaysLeast: days(r.Least), DaysMost: days(r.Most), Before: sideShape(&r.Done.Before), After: sideShape(&r.Done.After),
		Measures: make([]ComparisonMeasure, 0, len(r.Changes)),
	}
	for i := range r.Changes {
		c := &r.Changes[i]
		m := ComparisonMeasure{
			Measure: c.Measure, Before: estimate(c.Before), After: estimate(c.After), Change: estimate(c.Change), ControlBefore: estimate(c.ControlBefore),
			ControlAfter: estimate(c.ControlAfter), ControlChange: estimate(c.ControlChange), Beyond: estimate(c.Beyond), Verdict: c.Verdict,
		}
		if n := c.Needs; n != nil {
			m.Needs = &ComparisonNeed{n.What, n.Have, n.Want, known(n.Days)}
		}
		out.Measures = append(out.Measures, m)
	}
	return out
}

func sideShape(h *contrast.Half) ComparisonSide {
	return ComparisonSide{h.Tries, h.Good, h.Faults, h.PortDays, h.StationDays, h.OfflineDays}
}

func estimate(e contrast.Estimate) EstimateShape {
	return EstimateShape{known(e.Value), known(e.Low), known(e.High)}
}

func (s *Server) getComparison(ctx context.Context, in *comparisonInput) (*comparisonOutput, error) {
	out, err := s.compare(ctx, in)
	if err != nil {
		return nil, err
	}
	return &comparisonOutput{*out}, nil
}

func (s *Server) exportComparison(ctx context.Context, in *comparisonInput) (*csvOutput, error) {
	r, err := s.compare(ctx, in)
	if err != nil {
		return nil, err
	}
	if !r.Ready {
		return nil, problemf(http.StatusServiceUnavailable, "the comparison is being counted: ask again in a while")
	}
	return table("firmware-comparison-"+in.ID, func(row func(...string)) {
		row("measure", "stations", "figure", "value", "low95", "high95", "daysPerSide", "verdict")
		for i := range r.Measures {
			m := &r.Measures[i]
			for _, f := range []struct {
				stations int
				name     string
				EstimateShape
			}{
				{r.Stations - r.Early, "before", m.Before}, {r.Stations - r.Early, "after", m.After}, {r.Stations - r.Early, "change", m.Change},
				{r.Control, "controlBefore", m.ControlBefore}, {r.Control, "controlAfter", m.ControlAfter}, {r.Control, "controlChange", m.ControlChange},
				{r.Stations - r.Early, "beyondControl", m.Beyond},
			} {
				row(string(m.Measure), strconv.Itoa(f.stations), f.name, figure(f.Value, 6), figure(f.Low, 6), figure(f.High, 6), fmt.Sprintf("%.2f", r.Days), string(m.Verdict))
			}
		}
	}), nil
}

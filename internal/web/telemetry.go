package web

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

type telemetryInput struct {
	Station   string    `query:"station" required:"true" maxLength:"48"`
	EVSE      int       `query:"evse" default:"1" minimum:"0"`
	Measurand string    `query:"measurand" default:"Power.Active.Import" maxLength:"64"`
	From      time.Time `query:"from" doc:"default: 24 h before to"`
	To        time.Time `query:"to" doc:"not included; default: now"`
	Step      int       `query:"step" minimum:"0" maximum:"31622400" doc:"seconds; 0: as suits about 600 points"`
}

// SeriesShape is what was measured, in steps; a step without a sample is left
// out.
type SeriesShape struct {
	Unit        string       `json:"unit"`
	StepSeconds float64      `json:"stepSeconds"`
	Points      []pointShape `json:"points" doc:"[time, min, mean, max]"`
}

type telemetryOutput struct{ Body SeriesShape }

// pointShape is written as [time, min, mean, max].
type pointShape SeriesPoint

// MarshalJSON writes the four as an array; what is no number is null.
func (p pointShape) MarshalJSON() ([]byte, error) {
	number := func(v float64) any {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		return v
	}
	return json.Marshal([]any{p.At.UTC(), number(p.Min), number(p.Mean), number(p.Max)})
}

// Schema describes the array.
func (pointShape) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeArray, MinItems: new(4), MaxItems: new(4),
		Items: &huma.Schema{OneOf: []*huma.Schema{{Type: huma.TypeString, Format: "date-time"}, {Type: huma.TypeNumber}, {Type: "null"}}},
	}
}

func (s *Server) registerTelemetry() {
	add(s, filtered(TelemetryRead), huma.Operation{
		OperationID: "getTelemetry", Method: http.MethodGet, Path: "/telemetry", Tags: []string{"telemetry"},
		Summary: "One measurand of one port over time",
	}, s.getTelemetry)
}

func (s *Server) getTelemetry(ctx context.Context, in *telemetryInput) (*telemetryOutput, error) {
	if site, ok := s.siteOf(in.Station); !ok || !scope(ctx, TelemetryRead).Allows(site) {
		return nil, problemf(http.StatusNotFound, "no such station")
	}
	if s.o.Telemetry == nil {
		return nil, problemf(http.StatusNotImplemented, "this server keeps no series")
	}
	q := SeriesQuery{Station: in.Station, EVSE: in.EVSE, Measurand: in.Measurand, From: in.From, To: in.To}
	if q.To.IsZero() {
		q.To = s.now()
	}
	if q.From.IsZero() {
		q.From = q.To.Add(-24 * time.Hour)
	}
	if !q.From.Before(q.To) {
		return nil, problemf(http.StatusUnprocessableEntity, "validation failed",
			&huma.ErrorDetail{Message: "must be before to", Location: "query.from"})
	}
	q.Step = time.Duration(in.Step) * time.Second
	if q.Step == 0 {
		q.Step = max(time.Second, (q.To.Sub(q.From) / 600).Round(time.Second))
	}
	found, err := s.o.Telemetry.Series(ctx, q)
	if err != nil {
		return nil, err
	}
	out := SeriesShape{Unit: found.Unit, StepSeconds: found.Step.Seconds(), Points: make([]pointShape, 0, len(found.Points))}
	for _, p := range found.Points {
		out.Points = append(out.Points, pointShape(p))
	}
	return &telemetryOutput{Body: out}, nil
}

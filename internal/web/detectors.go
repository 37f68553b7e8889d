package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

const thresholdPolicy = "threshold"

// DetectorShape is a detector with what people decided about it.
type DetectorShape struct {
	ID        string           `json:"id"`
	Code      string           `json:"code"`
	Params    []ParamShape     `json:"params"`
	Overrides []ThresholdShape `json:"overrides" doc:"the narrowest scope that says something wins: station, site, model, everywhere"`
	Signals   []SignalShape    `json:"signals" doc:"what it listens to"`
	Working   WorkingShape     `json:"working" doc:"how much of it works with what sites have"`
	Backtest  bool             `json:"backtest" doc:"its thresholds can be tried on the past"`
	Waiting   bool             `json:"waiting" doc:"nothing can be attached to a site yet that tells what it needs"`
}

// ParamShape is a threshold of a detector, told in both languages.
type ParamShape struct {
	detect.Param
	DocDE string `json:"docDe" doc:"doc in German"`
}

// ThresholdShape is what was decided in one scope.
type ThresholdShape struct {
	Scope     string             `json:"scope" doc:"empty: everywhere; model/VENDOR/MODEL, site/ID or station/ID"`
	Off       bool               `json:"off"`
	Severity  event.Severity     `json:"severity" doc:"empty: the detector's own"`
	Values    map[string]float64 `json:"values"`
	ChangedAt time.Time          `json:"changedAt"`
	ChangedBy string             `json:"changedBy"`
}

type thresholdInput struct {
	ID   string `path:"id" maxLength:"16"`
	Body struct {
		Scope    string             `json:"scope,omitempty" maxLength:"180"`
		Off      bool               `json:"off,omitempty"`
		Severity event.Severity     `json:"severity,omitempty"`
		Values   map[string]float64 `json:"values,omitempty"`
	}
}

type detectorOutput struct{ Body DetectorShape }

func (s *Server) registerDetectors() {
	op := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"rules"}}
	}
	add(s, global(RulesRead), op("listDetectors", http.MethodGet, "/detectors", "What faults are looked for, and how"), s.listDetectors)
	add(s, global(RulesWrite), op("setThreshold", http.MethodPut, "/detectors/{id}/thresholds",
		"Decide about a detector in one scope; a body that says nothing takes the decision back"), s.setThreshold)
	s.registerDetectorPast()
}

func (s *Server) listDetectors(ctx context.Context, _ *struct{}) (*listOutput[DetectorShape], error) {
	if s.o.Rules.Language == nil {
		return nil, errNoRules
	}
	kept, err := s.o.Store.Policies(ctx, thresholdPolicy)
	if err != nil {
		return nil, err
	}
	out := make([]DetectorShape, 0, len(s.o.Rules.Detectors))
	sites := s.sources()
	for i := range s.o.Rules.Detectors {
		out = append(out, s.detectorShape(ctx, &s.o.Rules.Detectors[i], kept, sites))
	}
	return listOf(out, ""), nil
}

func (s *Server) detectorShape(ctx context.Context, d *detect.Detector, kept []store.Policy, sites map[string]detect.Sources) DetectorShape {
	out := DetectorShape{ID: d.ID, Code: d.Code, Params: make([]ParamShape, 0, len(d.Params)), Overrides: []ThresholdShape{}}
	out.Signals, out.Working = s.workingOf(d, sites)
	out.Waiting = d.On == nil && d.Tried == nil && d.Hourly == nil && d.Ended == nil
	out.Backtest = d.On != nil && len(d.Needs)+len(d.Any) > 0
	for _, p := range d.Params {
		out.Params = append(out.Params, ParamShape{Param: p, DocDE: s.german.Params[d.ID][p.Name]})
	}
	for _, p := range kept {
		var t detect.Threshold
		if !strings.HasPrefix(p.ID, d.ID+"@") || json.Unmarshal(p.Value, &t) != nil {
			continue
		}
		one := ThresholdShape{Scope: t.Scope, Off: t.Off, Severity: t.Severity, Values: t.Values, ChangedAt: p.ChangedAt.UTC(), ChangedBy: s.nameOf(ctx, string(p.By))}
		if one.Values == nil {
			one.Values = map[string]float64{}
		}
		out.Overrides = append(out.Overrides, one)
	}
	return out
}

func (s *Server) setThreshold(ctx context.Context, in *thresholdInput) (*detectorOutput, error) {
	i := slices.IndexFunc(s.o.Rules.Detectors, func(d detect.Detector) bool { return d.ID == in.ID })
	if i < 0 {
		return nil, store.ErrNotFound
	}
	t := detect.Threshold{Detector: in.ID, Scope: in.Body.Scope, Off: in.Body.Off, Severity: in.Body.Severity, Values: in.Body.Values}
	if faults := t.Check(s.o.Rules.Detectors); len(faults) > 0 {
		return nil, fieldProblem(faults)
	}
	var data json.RawMessage
	if t.Off || t.Severity != "" || len(t.Values) > 0 {
		var err error
		if data, err = json.Marshal(t); err != nil {
			return nil, fmt.Errorf("encode a threshold: %w", err)
		}
	}
	if err := s.o.Store.SetPolicy(ctx, who(ctx).actor(), thresholdPolicy, t.ID(), data); err != nil {
		return nil, err
	}
	kept, err := s.o.Store.Policies(ctx, thresholdPolicy)
	if err != nil {
		return nil, err
	}
	return &detectorOutput{Body: s.detectorShape(ctx, &s.o.Rules.Detectors[i], kept, s.sources())}, nil
}

// fieldProblem says what is wrong, by field of the body.
func fieldProblem(faults map[string]string) error {
	m := problemf(http.StatusUnprocessableEntity, "validation failed")
	for field, text := range faults {
		m.Errors = append(m.Errors, &huma.ErrorDetail{Message: text, Location: "body." + field})
	}
	slices.SortFunc(m.Errors, func(a, b *huma.ErrorDetail) int { return strings.Compare(a.Location, b.Location) })
	return m
}

package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/rule/backtest"
	"github.com/chargewatch/chargewatch/internal/store"
)

// DetectorPastShape is what a rule of security would have told with thresholds that
// nobody has saved yet, beside what it tells as it is decided now.
type DetectorPastShape struct {
	Now  DetectorFoundShape `json:"now" doc:"as it is decided now"`
	Then DetectorFoundShape `json:"then" doc:"as it is drafted"`
	// Judged are the incidents of the rule on which a person gave a verdict.
	Judged []JudgedShape `json:"judged" doc:"incidents of the rule in that time on which a person gave a verdict, newest first, at most 100"`
	Days   float64       `json:"days" doc:"what was really covered"`
	Period struct {
		From time.Time `json:"from"`
		To   time.Time `json:"to"`
	} `json:"period" doc:"what was really covered"`
	Partial []string `json:"partial" doc:"why that is less than was asked for: timeLimit, retention; empty: it is not"`
	Events  int      `json:"events"`
	TookMs  int64    `json:"tookMs"`
}

// DetectorFoundShape is what a rule would have told.
type DetectorFoundShape struct {
	backtest.Found
	PerDay  float64         `json:"perDay"`
	Firings []backtest.Told `json:"firings" doc:"the first 200"`
}

// JudgedShape is an incident with a verdict, and whether it would have been told of.
type JudgedShape struct {
	IncidentRef
	Verdict string `json:"verdict" enum:"real,false,test"`
	Now     bool   `json:"now" doc:"the rule tells of it as it is decided now"`
	Then    bool   `json:"then" doc:"it would as drafted"`
}

type (
	detectorPastInput struct {
		ID   string `path:"id" maxLength:"16"`
		Body struct {
			Scope    string             `json:"scope,omitempty" maxLength:"180"`
			Off      bool               `json:"off,omitempty"`
			Severity event.Severity     `json:"severity,omitempty"`
			Values   map[string]float64 `json:"values,omitempty"`
			From     time.Time          `json:"from"`
			To       time.Time          `json:"to"`
		}
	}
	detectorPastOutput struct{ Body DetectorPastShape }
)

func (s *Server) registerDetectorPast() {
	add(s, global(RulesRead), huma.Operation{
		OperationID: "backtestDetector", Method: http.MethodPost, Path: "/detectors/{id}/backtest", Tags: []string{"rules"},
		Summary: "Try thresholds of a rule of security on the past, without saving them",
	}, s.backtestDetector)
}

func (s *Server) backtestDetector(ctx context.Context, in *detectorPastInput) (*detectorPastOutput, error) {
	if s.o.Rules.Past == nil {
		return nil, errNoRules
	}
	if !slices.ContainsFunc(s.o.Rules.Detectors, func(d detect.Detector) bool { return d.ID == in.ID }) {
		return nil, store.ErrNotFound
	}
	d := backtest.Draft{From: in.Body.From.UTC(), To: in.Body.To.UTC()}
	d.Threshold = detect.Threshold{Detector: in.ID, Scope: in.Body.Scope, Off: in.Body.Off, Severity: in.Body.Severity, Values: in.Body.Values}
	faults := d.Threshold.Check(s.o.Rules.Detectors)
	if !d.From.Before(d.To) || d.To.Sub(d.From) > longestPast {
		faults["to"] = "must be after the start, by at most 400 days"
	}
	if len(faults) > 0 {
		return nil, fieldProblem(faults)
	}
	kept, err := s.o.Store.Policies(ctx, thresholdPolicy)
	if err != nil {
		return nil, err
	}
	for _, p := range kept {
		var t detect.Threshold
		if strings.HasPrefix(p.ID, in.ID+"@") && json.Unmarshal(p.Value, &t) == nil {
			d.Kept = append(d.Kept, t)
		}
	}
	res, err := s.o.Rules.Past.Detector(ctx, d)
	switch {
	case errors.Is(err, backtest.ErrBusy):
		return nil, problemf(http.StatusTooManyRequests, "another back-test is running; try again in some seconds")
	case errors.Is(err, backtest.ErrDetector):
		return nil, problemf(http.StatusUnprocessableEntity, "only rules of security are tried on the past")
	case err != nil:
		return nil, err
	}
	out := &detectorPastOutput{}
	b := &out.Body
	b.Partial, b.Events, b.TookMs = res.Partial, res.Events, res.Took.Milliseconds()
	b.Period.From, b.Period.To = res.From.UTC(), res.To.UTC()
	b.Days = res.To.Sub(res.From).Hours() / 24
	b.Now, b.Then = foundShape(&res.Now, b.Days), foundShape(&res.Then, b.Days)
	b.Judged, err = s.judgedBy(ctx, in.ID, &res)
	return out, err
}

func foundShape(f *backtest.Found, days float64) DetectorFoundShape {
	out := DetectorFoundShape{Found: *f, Firings: list(f.Shown())}
	if days > 0 {
		out.PerDay = float64(f.Told) / days
	}
	return out
}

// Bounds of the incidents that are looked through for verdicts.
const (
	judgedPages = 25
	judgedPage  = 200
	maxJudged   = 100
)

// How far from the opening of an incident what a rule tells belongs to it.
const (
	beforeIncident = 15 * time.Minute
	afterIncident  = 30 * time.Minute
)

// judgedBy finds the incidents of a rule that people judged, and whether it would have
// told of them.
func (s *Server) judgedBy(ctx context.Context, id string, c *backtest.Compared) ([]JudgedShape, error) {
	out := []JudgedShape{}
	if s.o.Incidents == nil {
		return out, nil
	}
	q := incident.Query{From: c.From, To: c.To, Children: true, Limit: judgedPage}
	for range judgedPages {
		page, next, err := s.o.Incidents.Incidents(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, one := range page {
			if one.Verdict == nil || !slices.Contains(one.Detectors, id) || one.OpenedAt.Before(c.From) || one.OpenedAt.After(c.To) {
				continue
			}
			out = append(out, JudgedShape{
				IncidentRef: IncidentRef{ID: one.ID, Title: one.Title, Severity: one.Severity, OpenedAt: one.OpenedAt}, Verdict: *one.Verdict,
				Now: tellsOf(&c.Now, one), Then: tellsOf(&c.Then, one),
			})
			if len(out) == maxJudged {
				return out, nil
			}
		}
		if next == "" {
			break
		}
		q.Before = next
	}
	return out, nil
}

// tellsOf reports that something was told at the site of an incident when it opened.
func tellsOf(f *backtest.Found, in *incident.Incident) bool {
	return slices.ContainsFunc(f.All, func(t backtest.Told) bool {
		return t.SiteID == in.SiteID && t.At.After(in.OpenedAt.Add(-beforeIncident)) && t.At.Before(in.OpenedAt.Add(afterIncident))
	})
}

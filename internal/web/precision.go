package web

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/incident"
)

// precisionDefault is how far back verdicts count where nothing else is asked.
const precisionDefault = 90 * 24 * time.Hour

// PrecisionShape is how often a rule was right, by the verdicts of people.
type PrecisionShape struct {
	Detector string         `json:"detector"`
	Judged   int            `json:"judged" doc:"real and false; tests count for nothing"`
	Real     int            `json:"real"`
	False    int            `json:"false"`
	Tests    int            `json:"tests"`
	Reasons  map[string]int `json:"falseReasons" doc:"what false alarms were"`
	Share    *float64       `json:"precision" doc:"real of those judged, 0 to 1; null below 5 verdicts"`
	Low      *float64       `json:"low95" doc:"lower bound of Wilson's 95 % interval (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927)"`
	High     *float64       `json:"high95"`
}

type precisionInput struct {
	From time.Time `query:"from" doc:"opened from here; default: 90 days before to"`
	To   time.Time `query:"to" doc:"not included; default: now; at most 400 days after from"`
	Site string    `query:"site" maxLength:"48"`
}

func (s *Server) registerPrecision() {
	op := func(id, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Tags: []string{"incidents"}}
	}
	add(s, filtered(IncidentsRead), op("listPrecision", "/incidents/precision", "How often each rule was right, by the verdicts on its incidents"), s.listPrecision)
	table := op("exportPrecision", "/incidents/precision.csv", "The same as a table")
	table.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{
		"text/csv": {Schema: &huma.Schema{Type: "string"}},
	}}}
	add(s, filtered(IncidentsRead), table, s.exportPrecision)
}

func (s *Server) precision(ctx context.Context, in *precisionInput) ([]PrecisionShape, incident.Span, error) {
	if s.o.Measures == nil {
		return nil, incident.Span{}, errNoIncidents
	}
	asked := figuresInput{From: in.From, To: in.To}
	if asked.From.IsZero() {
		asked.From = cmp.Or(in.To, s.now()).Add(-precisionDefault)
	}
	span, _, err := asked.span(s.now())
	if err != nil {
		return nil, span, err
	}
	out, err := s.precisionOf(ctx, incident.Verdicts{Sites: scope(ctx, IncidentsRead).within(in.Site).sitesOrNil(), From: span.From, To: span.To})
	return out, span, err
}

func (s *Server) precisionOf(ctx context.Context, q incident.Verdicts) ([]PrecisionShape, error) {
	found, err := s.o.Measures.Precision(ctx, q)
	if err != nil {
		return nil, err
	}
	out := make([]PrecisionShape, 0, len(found))
	for i := range found {
		p := &found[i]
		shape := PrecisionShape{Detector: p.Detector, Judged: p.Judged(), Real: p.Real, False: p.False, Tests: p.Tests, Reasons: p.Reasons}
		if share, low, high, ok := p.Share(); ok {
			shape.Share, shape.Low, shape.High = &share, &low, &high
		}
		out = append(out, shape)
	}
	return out, nil
}

func (s *Server) listPrecision(ctx context.Context, in *precisionInput) (*listOutput[PrecisionShape], error) {
	out, _, err := s.precision(ctx, in)
	if err != nil {
		return nil, err
	}
	return listOf(out, ""), nil
}

func (s *Server) exportPrecision(ctx context.Context, in *precisionInput) (*csvOutput, error) {
	found, span, err := s.precision(ctx, in)
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	w := csv.NewWriter(&buf)
	_ = w.Write([]string{"detector", "from", "to", "judged", "real", "false", "tests", "precision", "low95", "high95", "falseReasons"}) // a buffer takes everything
	for i := range found {
		p := &found[i]
		reasons := make([]string, 0, len(p.Reasons))
		for _, name := range slices.Sorted(maps.Keys(p.Reasons)) {
			reasons = append(reasons, name+" "+strconv.Itoa(p.Reasons[name]))
		}
		_ = w.Write([]string{
			cell(p.Detector), span.From.Format(time.RFC3339), span.To.Format(time.RFC3339), strconv.Itoa(p.Judged), strconv.Itoa(p.Real), strconv.Itoa(p.False), strconv.Itoa(p.Tests),
			fraction(p.Share), fraction(p.Low), fraction(p.High), cell(strings.Join(reasons, "; ")),
		})
	}
	w.Flush()
	return &csvOutput{Type: "text/csv; charset=utf-8", Disposition: `attachment; filename="chargewatch-precision.csv"`, Body: buf.Bytes()}, nil
}

// fraction is a part of one; none is an empty cell.
func fraction(v *float64) string {
	if v == nil {
		return ""
	}
	return fmt.Sprintf("%.4f", *v)
}

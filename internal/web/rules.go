package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/rule"
	"github.com/chargewatch/chargewatch/internal/rule/backtest"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Rules is what the routes about rules, detectors and silences work with; without
// a Language they answer 501.
type Rules struct {
	Language  *rule.Language
	Detectors []detect.Detector
	Status    func() []rule.Status        // how each rule does
	Open      func() []*incident.Incident // what is open now
	Past      RulePast
	// Sources are what sites have that rules listen to, Posture is which are on their
	// guard; the channel of Guarded is closed at the next change of anything.
	Sources func() map[string]detect.Sources
	Posture func(site string) (detect.Posture, bool)
	Guarded func() <-chan struct{}
}

// RulePast tries rules on what was recorded.
type RulePast interface {
	Run(ctx context.Context, r rule.Rule, from, to time.Time) (backtest.Result, []rule.Fault, error)
	Detector(ctx context.Context, d backtest.Draft) (backtest.Compared, error)
}

// RuleShape is a rule and how it does.
type RuleShape struct {
	rule.Rule
	ChangedAt time.Time  `json:"changedAt"`
	ChangedBy string     `json:"changedBy" doc:"name of who decided it last"`
	Off       string     `json:"off" doc:"why it was switched off by the server; empty: it was not"`
	OffAt     *time.Time `json:"offAt"`
	Open      int        `json:"open" doc:"conditions that it holds now"`
	Fired     uint64     `json:"fired" doc:"since the server started"`
	FiredAt   *time.Time `json:"firedAt" doc:"null: not since the server started"`
}

// RuleBody is a rule as it is written. What is left out has its empty value.
type RuleBody struct {
	ID                string            `json:"id,omitempty" maxLength:"48" doc:"small letters, digits and hyphens; empty: made from the name"`
	Name              string            `json:"name,omitempty"`
	Enabled           *bool             `json:"enabled,omitempty" doc:"default true"`
	On                []event.Kind      `json:"on,omitempty" doc:"kinds of events after which the condition is asked"`
	Where             string            `json:"where,omitempty" doc:"the condition, in CEL"`
	ForSeconds        int               `json:"forSeconds,omitempty" doc:"how long it has to hold"`
	Count             *rule.Count       `json:"count,omitempty" doc:"how often within a time; n 0: not counted"`
	By                string            `json:"by,omitempty" doc:"port, station or site"`
	ClearWhen         string            `json:"clearWhen,omitempty" doc:"what ends it, in CEL; empty: an event after which it does not hold"`
	ClearAfterSeconds int               `json:"clearAfterSeconds,omitempty" doc:"it ends when it did not hold for so long; 0: never for that"`
	Severity          event.Severity    `json:"severity,omitempty"`
	Title             string            `json:"title,omitempty"`
	Facts             []string          `json:"facts,omitempty" doc:"values that stand in the finding"`
	Labels            map[string]string `json:"labels,omitempty"`
	Sites             []string          `json:"sites,omitempty" doc:"empty: all"`
	Models            []string          `json:"models,omitempty" doc:"VENDOR/MODEL; empty: all"`
}

func (b *RuleBody) rule() rule.Rule {
	r := rule.Rule{
		ID: b.ID, Name: b.Name, Enabled: b.Enabled == nil || *b.Enabled, On: b.On, Where: b.Where, ForSeconds: b.ForSeconds, Count: b.Count,
		By: b.By, ClearWhen: b.ClearWhen, ClearAfterSeconds: b.ClearAfterSeconds, Severity: b.Severity, Title: b.Title,
		Facts: b.Facts, Labels: b.Labels, Sites: b.Sites, Models: b.Models,
	}
	if r.Count != nil && r.Count.N == 0 {
		r.Count = nil
	}
	return r
}

type (
	ruleInput   struct{ Body RuleBody }
	ruleOutput  struct{ Body RuleShape }
	ruleIDInput struct {
		ID string `path:"id" maxLength:"48"`
	}
	ruleChangeInput struct {
		ID      string `path:"id" maxLength:"48"`
		Body    RuleBody
		RawBody []byte
	}
	ruleCheckOutput struct {
		Body struct {
			Faults []rule.Fault `json:"faults" doc:"empty: it can be saved"`
		}
	}
	vocabularyOutput struct{ Body rule.Vocabulary }
	backtestInput    struct {
		Body struct {
			Rule RuleBody  `json:"rule"`
			From time.Time `json:"from"`
			To   time.Time `json:"to"`
		}
	}
)

// BacktestShape is what a rule would have done.
type BacktestShape struct {
	rule.Verdict
	Incidents []IncidentRef `json:"incidents" doc:"those that were open at these places at these times, at most 100"`
	Period    struct {
		From time.Time `json:"from"`
		To   time.Time `json:"to"`
	} `json:"period" doc:"what was really covered"`
	Partial []string `json:"partial" doc:"why that is less than was asked for: timeLimit, retention, switchOff; empty: it is not"`
	TookMs  int64    `json:"tookMs"`
}

// IncidentRef names an incident.
type IncidentRef struct {
	ID       string         `json:"id"`
	Title    string         `json:"title"`
	Severity event.Severity `json:"severity"`
	OpenedAt time.Time      `json:"openedAt"`
}

type backtestOutput struct{ Body BacktestShape }

func (s *Server) registerRules() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"rules"}, MaxBodyBytes: 64 << 10}
	}
	add(s, global(RulesRead), op("listRules", http.MethodGet, "/rules", "Conditions that people want to hear of", 0), s.listRules)
	add(s, global(RulesRead), op("ruleVocabulary", http.MethodGet, "/rules/vocabulary", "What rules may say: variables, functions and kinds of events", 0), s.ruleVocabulary)
	add(s, global(RulesWrite), op("createRule", http.MethodPost, "/rules", "Add a rule", http.StatusCreated), s.createRule)
	add(s, global(RulesRead), op("getRule", http.MethodGet, "/rules/{id}", "A rule", 0), s.getRule)
	add(s, global(RulesWrite), op("changeRule", http.MethodPatch, "/rules/{id}", "Change a rule: what is named is replaced", 0), s.changeRule)
	add(s, global(RulesWrite), op("deleteRule", http.MethodDelete, "/rules/{id}", "Delete a rule; what it holds is over", http.StatusNoContent), s.deleteRule)
	add(s, global(RulesRead), op("checkRule", http.MethodPost, "/rules/check", "Say what is wrong with a rule, without saving it", 0), s.checkRule)
	add(s, global(RulesRead), op("backtestRule", http.MethodPost, "/rules/backtest", "Try a rule on the past, without saving it", 0), s.backtestRule)
	s.registerDetectors()
	s.registerSilences()
}

var errNoRules = problemf(http.StatusNotImplemented, "this server follows no rules")

func (s *Server) listRules(ctx context.Context, _ *struct{}) (*listOutput[RuleShape], error) {
	if s.o.Rules.Language == nil {
		return nil, errNoRules
	}
	kept, err := s.o.Store.Policies(ctx, rule.PolicyType)
	if err != nil {
		return nil, err
	}
	status := s.ruleStatuses()
	out := make([]RuleShape, 0, len(kept))
	for _, p := range kept {
		out = append(out, s.ruleShape(ctx, p, status))
	}
	return listOf(out, ""), nil
}

func (s *Server) ruleStatuses() map[string]rule.Status {
	out := make(map[string]rule.Status)
	if s.o.Rules.Status != nil {
		for _, st := range s.o.Rules.Status() {
			out[st.ID] = st
		}
	}
	return out
}

func (s *Server) ruleShape(ctx context.Context, p store.Policy, status map[string]rule.Status) RuleShape {
	out := RuleShape{ChangedAt: p.ChangedAt.UTC(), ChangedBy: s.nameOf(ctx, string(p.By))}
	if err := json.Unmarshal(p.Value, &out.Rule); err != nil {
		out.Rule = rule.Rule{Name: p.ID}
	}
	out.ID = p.ID
	out.On = list(out.On)
	if st, ok := status[p.ID]; ok {
		out.Off, out.OffAt, out.Open, out.Fired, out.FiredAt = st.Off, instant(st.OffAt), st.Open, st.Fired, instant(st.FiredAt)
	}
	return out
}

func (s *Server) ruleVocabulary(context.Context, *struct{}) (*vocabularyOutput, error) {
	if s.o.Rules.Language == nil {
		return nil, errNoRules
	}
	return &vocabularyOutput{Body: s.o.Rules.Language.Vocabulary()}, nil
}

func (s *Server) getRule(ctx context.Context, in *ruleIDInput) (*ruleOutput, error) {
	p, err := s.o.Store.Policy(ctx, rule.PolicyType, in.ID)
	if err != nil {
		return nil, err
	}
	return &ruleOutput{Body: s.ruleShape(ctx, p, s.ruleStatuses())}, nil
}

func (s *Server) createRule(ctx context.Context, in *ruleInput) (*ruleOutput, error) {
	if s.o.Rules.Language == nil {
		return nil, errNoRules
	}
	r := in.Body.rule()
	kept, err := s.o.Store.Policies(ctx, rule.PolicyType)
	if err != nil {
		return nil, err
	}
	taken := func(id string) bool {
		return slices.ContainsFunc(kept, func(p store.Policy) bool { return p.ID == id })
	}
	if r.ID == "" {
		r.ID = ruleID(r.Name, taken)
	} else if taken(r.ID) {
		return nil, store.ErrExists
	}
	if len(kept) >= rule.MaxRules {
		return nil, store.ErrFull
	}
	return s.saveRule(ctx, r)
}

// ruleID makes an id of a name.
func ruleID(name string, taken func(string) bool) string {
	var b strings.Builder
	for _, c := range strings.ToLower(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			b.WriteRune(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= 40 {
			break
		}
	}
	base := strings.Trim(b.String(), "-")
	if base == "" {
		base = "rule"
	}
	id := base
	for n := 2; taken(id) || id == "check" || id == "backtest" || id == "vocabulary"; n++ {
		id = base + "-" + strconv.Itoa(n)
	}
	return id
}

func (s *Server) saveRule(ctx context.Context, r rule.Rule) (*ruleOutput, error) {
	if faults := s.o.Rules.Language.Check(r); len(faults) > 0 {
		return nil, ruleProblem("body.", faults)
	}
	for i, site := range r.Sites {
		if _, ok := s.o.Store.Site(site); !ok {
			return nil, ruleProblem("body.", []rule.Fault{{Field: "sites." + strconv.Itoa(i), Text: "there is no such site"}})
		}
	}
	data, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode a rule: %w", err)
	}
	if err := s.o.Store.SetPolicy(ctx, who(ctx).actor(), rule.PolicyType, r.ID, data); err != nil {
		return nil, err
	}
	return s.getRule(ctx, &ruleIDInput{ID: r.ID})
}

// ruleProblem says what is wrong with a rule, at the field and the place in it.
func ruleProblem(prefix string, faults []rule.Fault) error {
	m := problemf(http.StatusUnprocessableEntity, "validation failed")
	for _, f := range faults {
		d := &huma.ErrorDetail{Message: f.Text, Location: prefix + f.Field}
		if f.Line > 0 {
			d.Value = map[string]int{"line": f.Line, "column": f.Column}
		}
		m.Errors = append(m.Errors, d)
	}
	return m
}

func (s *Server) changeRule(ctx context.Context, in *ruleChangeInput) (*ruleOutput, error) {
	if s.o.Rules.Language == nil {
		return nil, errNoRules
	}
	p, err := s.o.Store.Policy(ctx, rule.PolicyType, in.ID)
	if err != nil {
		return nil, err
	}
	var r rule.Rule
	if err := json.Unmarshal(p.Value, &r); err != nil {
		r = rule.Rule{}
	}
	var named map[string]json.RawMessage
	if err := json.Unmarshal(in.RawBody, &named); err != nil {
		return nil, problemf(http.StatusBadRequest, "broken JSON")
	}
	if _, ok := named["labels"]; ok {
		r.Labels = nil // replaced, not joined
	}
	if err := json.Unmarshal(in.RawBody, &r); err != nil {
		return nil, problemf(http.StatusUnprocessableEntity, "validation failed")
	}
	if r.Count != nil && r.Count.N == 0 {
		r.Count = nil
	}
	if r.ID != in.ID && in.Body.ID != "" {
		return nil, ruleProblem("body.", []rule.Fault{{Field: "id", Text: "cannot be changed"}})
	}
	r.ID = in.ID
	return s.saveRule(ctx, r)
}

func (s *Server) deleteRule(ctx context.Context, in *ruleIDInput) (*noContent, error) {
	return &noContent{}, s.o.Store.SetPolicy(ctx, who(ctx).actor(), rule.PolicyType, in.ID, nil)
}

func (s *Server) checkRule(_ context.Context, in *ruleInput) (*ruleCheckOutput, error) {
	if s.o.Rules.Language == nil {
		return nil, errNoRules
	}
	r := in.Body.rule()
	if r.ID == "" {
		r.ID = "new"
	}
	out := &ruleCheckOutput{}
	out.Body.Faults = list(s.o.Rules.Language.Check(r))
	return out, nil
}

// longestPast is the longest time that can be asked for.
const longestPast = 400 * 24 * time.Hour

func (s *Server) backtestRule(ctx context.Context, in *backtestInput) (*backtestOutput, error) {
	if s.o.Rules.Language == nil || s.o.Rules.Past == nil {
		return nil, errNoRules
	}
	if !in.Body.From.Before(in.Body.To) || in.Body.To.Sub(in.Body.From) > longestPast {
		return nil, ruleProblem("body.", []rule.Fault{{Field: "to", Text: "must be after the start, by at most 400 days"}})
	}
	r := in.Body.Rule.rule()
	r.ID = "new"
	res, faults, err := s.o.Rules.Past.Run(ctx, r, in.Body.From.UTC(), in.Body.To.UTC())
	switch {
	case errors.Is(err, backtest.ErrBusy):
		return nil, problemf(http.StatusTooManyRequests, "another back-test is running; try again in some seconds")
	case err != nil:
		return nil, err
	case len(faults) > 0:
		return nil, ruleProblem("body.rule.", faults)
	}
	out := &backtestOutput{Body: BacktestShape{Verdict: res.Verdict, Partial: res.Partial, TookMs: res.Took.Milliseconds(), Incidents: []IncidentRef{}}}
	out.Body.Period.From, out.Body.Period.To = res.From.UTC(), res.To.UTC()
	if err := s.incidentsThen(ctx, &out.Body); err != nil {
		return nil, err
	}
	return out, nil
}

// maxRefs bounds the incidents of a back-test, maxLooked the places looked at.
const (
	maxRefs   = 100
	maxLooked = 50
)

// incidentsThen finds the incidents that were open where and when a rule would
// have fired.
func (s *Server) incidentsThen(ctx context.Context, b *BacktestShape) error {
	if s.o.Incidents == nil {
		return nil
	}
	byPlace := make(map[string][]rule.Firing)
	var places []string
	for _, f := range b.Firings {
		if _, ok := byPlace[f.Subject]; !ok {
			places = append(places, f.Subject)
		}
		byPlace[f.Subject] = append(byPlace[f.Subject], f)
	}
	seen := make(map[string]bool)
	for _, place := range places[:min(len(places), maxLooked)] {
		firings := byPlace[place]
		found, _, err := s.o.Incidents.Incidents(ctx, incident.Query{
			Subject: place, From: firings[0].At, To: firings[len(firings)-1].At.Add(time.Second), Children: true, Limit: maxRefs,
		})
		if err != nil {
			return err
		}
		for _, one := range found {
			open := slices.ContainsFunc(firings, func(f rule.Firing) bool {
				return !one.OpenedAt.After(f.At.Add(time.Second)) && (one.ClosedAt == nil || one.ClosedAt.After(f.At))
			})
			if open && !seen[one.ID] && len(b.Incidents) < maxRefs {
				seen[one.ID] = true
				b.Incidents = append(b.Incidents, IncidentRef{ID: one.ID, Title: one.Title, Severity: one.Severity, OpenedAt: one.OpenedAt})
			}
		}
	}
	return nil
}

// nameOf is the name behind an opaque id, empty if it is forgotten.
func (s *Server) nameOf(ctx context.Context, id string) string {
	names, err := s.o.Store.UserNames(ctx, []string{id})
	if err != nil {
		return ""
	}
	return names[id]
}

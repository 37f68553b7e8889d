package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/planning/expand"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Studies answers what takes a while.
type Studies interface {
	Ask(ctx context.Context, by store.Actor, q expand.Question, usual bool) (*store.Study, error)
	Again(ctx context.Context, by store.Actor, id string) error
	Cancel(ctx context.Context, by store.Actor, id string) error
	Progress(id string) (share float64, running bool)
	Wait(ctx context.Context, id string) (*store.Study, error)
	Quick(ctx context.Context, site string) (*expand.Quick, error)
	Ranking(ctx context.Context, sites []string) (places map[string]expand.Rank, asOf time.Time, left int)
}

const (
	planKind   = "plan"
	waitMost   = time.Minute
	defaultFor = 7 * 24 * time.Hour // how long a plan is shown that nobody asked for
	littleFor  = 10 * time.Minute   // the same where too little was known
)

var (
	errNoStudies = problemf(http.StatusNotImplemented, "this server plans nothing")
	errNoSite    = problemf(http.StatusNotFound, "no such site")
)

// ExpansionShape is a plan for more ports at a site: a question, how far it is,
// and the answer.
type ExpansionShape struct {
	ID        string           `json:"id"`
	Site      string           `json:"site"`
	SiteName  string           `json:"siteName"`
	Name      string           `json:"name"`
	State     string           `json:"state" enum:"queued,running,finished,failed,cancelled,interrupted"`
	Progress  float64          `json:"progress" doc:"0 to 1"`
	Mine      bool             `json:"mine"`
	MadeAt    time.Time        `json:"madeAt"`
	StartedAt *time.Time       `json:"startedAt"`
	EndedAt   *time.Time       `json:"endedAt"`
	Problem   string           `json:"problem" doc:"why it failed"`
	Question  *expand.Question `json:"question"`
	Sentence  string           `json:"sentence" doc:"the answer in words; empty while there is none, and in lists"`
	Titles    []string         `json:"titles" doc:"of the outcomes, in words"`
	Result    *expand.Result   `json:"result" doc:"null while there is none, and in lists"`
}

type (
	expansionOutput struct {
		Status int
		Body   ExpansionShape
	}
	askExpansionInput struct {
		Language string `header:"Accept-Language"`
		Body     expand.Question
	}
	expansionInput struct {
		ID       string `path:"id" maxLength:"64"`
		Language string `header:"Accept-Language"`
	}
	listExpansionsInput struct {
		Page
		Site string `query:"site" maxLength:"48"`
	}
	siteExpansionInput struct {
		Site     string `query:"site" required:"true" maxLength:"48"`
		Wait     string `query:"wait" maxLength:"10" default:"30s" doc:"how long to wait for an answer; at most 60s"`
		Language string `header:"Accept-Language"`
	}
)

func (s *Server) registerExpansion() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"analytics"}}
	}
	tableOf := func(id, path, summary string) huma.Operation {
		o := op(id, http.MethodGet, path, summary, 0)
		o.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: "string"}}}}}
		return o
	}
	ask := op("askExpansion", http.MethodPost, "/analytics/plans", "Ask what more ports, or other changes, would bring to a site", http.StatusAccepted)
	ask.Description = "The site is simulated in the background with its own drivers; GET /analytics/plans/{id} tells how far it is. Without scenarios 1 to 4 more ports are tried, now and at the horizon."
	add(s, filtered(AnalyticsWrite), ask, s.askExpansion)
	add(s, filtered(AnalyticsRead), op("listExpansions", http.MethodGet, "/analytics/plans", "Plans that were asked for, newest first, without their answers", 0), s.listExpansions)
	add(s, filtered(AnalyticsRead), op("getExpansion", http.MethodGet, "/analytics/plans/{id}", "A plan and its answer", 0), s.getExpansion)
	add(s, filtered(AnalyticsRead), tableOf("exportExpansion", "/analytics/plans/{id}/outcomes.csv", "The outcomes of a plan as a table"), s.exportExpansion)
	add(s, filtered(AnalyticsWrite), op("cancelExpansion", http.MethodPost, "/analytics/plans/{id}/cancel", "Stop a plan that waits or runs", http.StatusNoContent), s.cancelExpansion)
	add(s, filtered(AnalyticsWrite), op("repeatExpansion", http.MethodPost, "/analytics/plans/{id}/again", "Run a plan again that did not come to an end", http.StatusAccepted), s.repeatExpansion)
	add(s, filtered(AnalyticsWrite), op("deleteExpansion", http.MethodDelete, "/analytics/plans/{id}", "Forget a plan; one that runs is stopped", http.StatusNoContent), s.deleteExpansion)

	newest := op("getSiteExpansion", http.MethodGet, "/analytics/plan", "What a site needs: its newest plan, or one with what is usual", 0)
	newest.Description = "Where there is none, the usual scenarios are played, and again after a week; 202 if that takes longer than wait."
	add(s, filtered(AnalyticsRead), newest, s.siteExpansion)
	add(s, filtered(AnalyticsRead), tableOf("exportSiteExpansion", "/analytics/plan.csv", "The same as a table"), s.exportSiteExpansion)
	add(s, filtered(AnalyticsRead), op("quickExpansion", http.MethodGet, "/analytics/plan/quick", "What a formula says at once of the busiest hours", 0), s.quickExpansion)
	add(s, filtered(AnalyticsRead), op("getExpansionRanking", http.MethodGet, "/analytics/ranking", "Sites in the order in which they need ports", 0), s.expansionRanking)
	add(s, filtered(AnalyticsRead), tableOf("exportExpansionRanking", "/analytics/ranking.csv", "The same as a table"), s.exportRanking)
}

// expansionShape tells a plan; the one it is compared with in words too.
func (s *Server) expansionShape(p *Principal, x *store.Study, language string) (*ExpansionShape, error) {
	out := &ExpansionShape{
		ID: x.ID, Site: x.Site, SiteName: s.siteName(x.Site), Name: x.Name, State: string(x.State), Mine: p.actor() == x.By,
		MadeAt: x.MadeAt, StartedAt: instant(x.StartedAt), EndedAt: instant(x.EndedAt), Problem: x.Problem, Titles: []string{},
	}
	if err := json.Unmarshal(x.Question, &out.Question); err != nil {
		return nil, err
	}
	switch x.State {
	case store.StudyRunning:
		out.Progress, _ = s.o.Studies.Progress(x.ID)
	case store.StudyFinished:
		out.Progress = 1
	}
	if x.Result == nil {
		return out, nil
	}
	if err := json.Unmarshal(x.Result, &out.Result); err != nil {
		return nil, err
	}
	l := expand.Language(preferred(language))
	out.Sentence = out.Result.Say(out.Question, l)
	for i := range out.Result.Outcomes {
		out.Titles = append(out.Titles, out.Result.Outcomes[i].Scenario.Title(l))
	}
	return out, nil
}

func (s *Server) askExpansion(ctx context.Context, in *askExpansionInput) (*expansionOutput, error) {
	if s.o.Studies == nil {
		return nil, errNoStudies
	}
	q := in.Body
	if !s.seesSite(ctx, AnalyticsWrite, q.Site) {
		return nil, problemf(http.StatusUnprocessableEntity, "validation failed", &huma.ErrorDetail{Message: "no such site", Location: "body.site"})
	}
	usual := q.HorizonMonths == 0 && len(q.Scenarios) == 0 && q.Assumptions == (expand.Assumptions{})
	if err := checkQuestion(&q); err != nil {
		return nil, err
	}
	x, err := s.o.Studies.Ask(ctx, who(ctx).actor(), q, usual)
	if err != nil {
		return nil, err
	}
	return s.expansion(ctx, x, in.Language)
}

func checkQuestion(q *expand.Question) error {
	var faults []*huma.ErrorDetail
	for _, f := range q.Check() {
		faults = append(faults, &huma.ErrorDetail{Message: f.Text, Location: "body." + f.Path})
	}
	if len(faults) > 0 {
		return problemf(http.StatusUnprocessableEntity, "validation failed", faults...)
	}
	return nil
}

// seesSite reports whether a site is there and the caller may ask about it.
func (s *Server) seesSite(ctx context.Context, need Permission, site string) bool {
	_, ok := s.o.Store.Site(site)
	return ok && scope(ctx, need).Allows(site)
}

func (s *Server) expansion(ctx context.Context, x *store.Study, language string) (*expansionOutput, error) {
	shape, err := s.expansionShape(who(ctx), x, language)
	if err != nil {
		return nil, err
	}
	out := &expansionOutput{Status: http.StatusOK, Body: *shape}
	if !x.Over() {
		out.Status = http.StatusAccepted
	}
	return out, nil
}

// study finds a plan that the caller may see.
func (s *Server) study(ctx context.Context, need Permission, id string) (*store.Study, error) {
	if s.o.Studies == nil {
		return nil, errNoStudies
	}
	x, err := s.o.Store.Study(ctx, id)
	if err != nil {
		return nil, err
	}
	if x.Kind != planKind || !scope(ctx, need).Allows(x.Site) {
		return nil, store.ErrNotFound
	}
	return x, nil
}

func (s *Server) listExpansions(ctx context.Context, in *listExpansionsInput) (*listOutput[ExpansionShape], error) {
	if s.o.Studies == nil {
		return nil, errNoStudies
	}
	allowed := scope(ctx, AnalyticsRead)
	q := store.StudyQuery{Kind: planKind, Sites: allowed.sitesOrNil(), Limit: in.Limit + 1}
	if in.Site != "" {
		if !allowed.Allows(in.Site) {
			return listOf([]ExpansionShape{}, ""), nil
		}
		q.Sites = []string{in.Site}
	}
	place, err := decodeCursor("plans", in.Cursor)
	if err != nil {
		return nil, err
	}
	if place != "" {
		if q.Before, err = strconv.ParseInt(place, 10, 64); err != nil || q.Before <= 0 {
			return nil, errCursor
		}
	}
	found, err := s.o.Store.Studies(ctx, q)
	if err != nil {
		return nil, err
	}
	next := ""
	if len(found) > in.Limit {
		found = found[:in.Limit]
		next = encodeCursor("plans", strconv.FormatInt(found[in.Limit-1].Seq, 10))
	}
	out := make([]ExpansionShape, 0, len(found))
	for _, x := range found {
		shape, err := s.expansionShape(who(ctx), x, "")
		if err != nil {
			return nil, err
		}
		out = append(out, *shape)
	}
	return listOf(out, next), nil
}

func (s *Server) getExpansion(ctx context.Context, in *expansionInput) (*expansionOutput, error) {
	x, err := s.study(ctx, AnalyticsRead, in.ID)
	if err != nil {
		return nil, err
	}
	out, err := s.expansion(ctx, x, in.Language)
	if out != nil {
		out.Status = http.StatusOK
	}
	return out, err
}

func (s *Server) cancelExpansion(ctx context.Context, in *expansionInput) (*noContent, error) {
	if _, err := s.study(ctx, AnalyticsWrite, in.ID); err != nil {
		return nil, err
	}
	return nil, over(s.o.Studies.Cancel(ctx, who(ctx).actor(), in.ID))
}

func (s *Server) repeatExpansion(ctx context.Context, in *expansionInput) (*expansionOutput, error) {
	if _, err := s.study(ctx, AnalyticsWrite, in.ID); err != nil {
		return nil, err
	}
	err := s.o.Studies.Again(ctx, who(ctx).actor(), in.ID)
	if errors.Is(err, store.ErrInUse) {
		return nil, problemf(http.StatusConflict, "it waits, runs or is finished")
	}
	if err != nil {
		return nil, err
	}
	x, err := s.study(ctx, AnalyticsWrite, in.ID)
	if err != nil {
		return nil, err
	}
	return s.expansion(ctx, x, in.Language)
}

func over(err error) error {
	if errors.Is(err, store.ErrInUse) {
		return problemf(http.StatusConflict, "it is over already")
	}
	return err
}

func (s *Server) deleteExpansion(ctx context.Context, in *expansionInput) (*noContent, error) {
	x, err := s.study(ctx, AnalyticsWrite, in.ID)
	if err != nil {
		return nil, err
	}
	by := who(ctx).actor()
	if !x.Over() {
		if err := s.o.Studies.Cancel(ctx, by, in.ID); err != nil && !errors.Is(err, store.ErrInUse) {
			return nil, err
		}
	}
	return nil, s.o.Store.DeleteStudy(ctx, by, in.ID)
}

// siteExpansion shows the newest plan of a site, or has the usual one made.
func (s *Server) siteExpansion(ctx context.Context, in *siteExpansionInput) (*expansionOutput, error) {
	if s.o.Studies == nil {
		return nil, errNoStudies
	}
	if !s.seesSite(ctx, AnalyticsRead, in.Site) {
		return nil, errNoSite
	}
	wait, err := patience(in.Wait)
	if err != nil {
		return nil, err
	}
	x, err := s.o.Store.NewestStudy(ctx, planKind, in.Site)
	if err == nil {
		out, err := s.expansion(ctx, x, in.Language)
		// What nobody asked for is renewed; where too little was known, soon.
		if age := s.now().Sub(x.MadeAt); err != nil || !x.Usual || age < littleFor || age < defaultFor && out.Body.Result.Enough {
			return out, err
		}
	} else if !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	x, err = s.usualStudy(ctx, in.Site)
	if err != nil {
		return nil, err
	}
	limited, done := context.WithTimeout(ctx, wait)
	defer done()
	if x, err = s.o.Studies.Wait(limited, x.ID); err != nil {
		return nil, err
	}
	return s.expansion(ctx, x, in.Language)
}

// usualStudy asks what is usual about a site, once for all who want to know.
func (s *Server) usualStudy(ctx context.Context, site string) (*store.Study, error) {
	for _, state := range []store.StudyState{store.StudyRunning, store.StudyQueued} {
		waiting, err := s.o.Store.Studies(ctx, store.StudyQuery{Kind: planKind, Sites: []string{site}, State: state, Limit: 50})
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(waiting, func(x *store.Study) bool { return x.Usual }); i >= 0 {
			return waiting[i], nil
		}
	}
	q := expand.Question{Site: site}
	if x, ok := s.o.Store.Site(site); ok {
		q.Assumptions.CapKW = x.GridLimitW / 1000
	}
	if err := checkQuestion(&q); err != nil {
		return nil, err
	}
	return s.o.Studies.Ask(ctx, who(ctx).actor(), q, true)
}

// patience is how long a caller waits.
func patience(text string) (time.Duration, error) {
	d, err := duration(text)
	if err != nil || d < 0 || d > waitMost {
		return 0, problemf(http.StatusUnprocessableEntity, "validation failed",
			&huma.ErrorDetail{Message: "a time such as 10s, at most 60s", Location: "query.wait", Value: text})
	}
	return d, nil
}

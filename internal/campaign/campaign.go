// Package campaign does one kind of work at many stations.
//
// Who starts a campaign says at which stations, what, and how carefully: a few go
// first and are watched before the rest follows at a pace, few at a time at one site,
// and it stops by itself when too much goes wrong. The stations are fixed when it
// starts.
//
// It promises that every station is accounted for in the end: done, failed, skipped
// because nothing was done there, or unknown because it was asked and the answer is
// not known. That a station is about to be asked is durable before it is, so that a
// crash leaves unknown and never a second time, unless the kind of work says that
// twice does no harm. What runs goes on after a start.
package campaign

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/store"
)

// State is what became of the work at a station.
type State = store.WorkState

// What became of it. Unknown says that the station was asked and that nobody knows
// what it did.
const (
	Pending = store.WorkPending
	Waiting = store.WorkWaiting
	Working = store.WorkWorking
	Done    = store.WorkDone
	Failed  = store.WorkFailed
	Skipped = store.WorkSkipped
	Unknown = store.WorkUnknown
)

// Kind does one sort of work at one station.
type Kind interface {
	Name() string
	// Check says what is wrong with params before anything is stored. They never hold
	// secrets; what is wrong is a *store.InvalidError of a field of theirs.
	Check(params json.RawMessage) error
	// Fits says why a station is left out, in one word; empty: it is not. It is asked
	// when a campaign is looked at, and again before the work.
	Fits(ctx context.Context, station string, params json.RawMessage) (skip string)
	// Do works at a station that is connected; attempt counts from 1. By and ID tell
	// for whom and in which campaign.
	Do(ctx context.Context, station string, params json.RawMessage, attempt int) Result
}

// Repeatable is a Kind that may be done twice where it is not known whether it was
// done.
type Repeatable interface{ Again() bool }

// Disturbing is a Kind that may disturb drivers, such as a reset.
type Disturbing interface {
	Disturbs(params json.RawMessage) bool
}

// Restricted is a Kind that needs more than the right to command stations: the name
// of a permission.
type Restricted interface{ Permission() string }

// Result is what came of the work at a station.
type Result struct {
	State   State  // Done, Failed, Skipped, Unknown; Waiting: again at RetryAt
	Code    string // a short word to count by: Accepted, Rejected, timeout, offline, inSession
	Text    string // a sentence for people, without secrets
	RetryAt time.Time
	Before  json.RawMessage // of what was changed, to compare; may be nil
	After   json.RawMessage
	Command string // of an outcome that is unknown: its answer may come late
}

// Station is what a cohort is chosen by.
type Station struct {
	ID, Label, Site, Vendor, Model, Firmware, Protocol string
	Tags                                               []string
	SecurityProfile                                    int
	Accepted                                           bool
	Online                                             bool
	InSession                                          bool
	Faulted                                            bool
}

// Fleet knows the stations as they are now.
type Fleet interface {
	Stations() iter.Seq[Station]
	Station(id string) (Station, bool)
	Zone(site string) *time.Location
}

// Rows keeps campaigns.
type Rows interface {
	CreateCampaign(ctx context.Context, c store.Campaign, stations []store.CampaignStation) (*store.Campaign, error)
	Campaign(ctx context.Context, id string) (*store.Campaign, error)
	Campaigns(ctx context.Context, before int64, limit int) ([]*store.Campaign, error)
	OpenCampaigns(ctx context.Context) ([]*store.Campaign, error)
	CampaignCounts(ctx context.Context, seq int64) ([]store.CampaignCount, error)
	CampaignStations(ctx context.Context, seq int64, q store.CampaignStationQuery) ([]store.CampaignStation, error)
	SettleCampaigns(ctx context.Context, now time.Time, again []string) error
	BeginCampaignStation(ctx context.Context, seq int64, x store.CampaignStation) (bool, error)
	EndCampaignStation(ctx context.Context, seq int64, x store.CampaignStation) error
	CorrectCampaignStation(ctx context.Context, command string, state store.WorkState, code, text string, now time.Time) (int64, error)
	SetCampaignStations(ctx context.Context, seq int64, places []int, state store.WorkState, code string, now time.Time) error
	StageCampaign(ctx context.Context, seq int64, stage store.CampaignStage, soakUntil time.Time) error
	PauseCampaign(ctx context.Context, by store.Actor, id string) error
	ResumeCampaign(ctx context.Context, by store.Actor, id string) error
	StopCampaign(ctx context.Context, by store.Actor, id string, why json.RawMessage, now time.Time) error
	FinishCampaign(ctx context.Context, id string, now time.Time) error
}

// Options configures a Service. Rows and Fleet are needed.
type Options struct {
	Rows   Rows
	Fleet  Fleet
	Kinds  []Kind
	Now    func() time.Time // default: time.Now
	Logger *slog.Logger     // default: discard
}

// Service starts campaigns and carries them out.
type Service struct {
	o     Options
	kinds map[string]Kind
	kick  chan struct{}

	// mu guards what the scheduler and those at work share. Rows are written before
	// what is here.
	mu    sync.Mutex
	runs  []*run              // that are not over, oldest first
	busy  map[string]struct{} // stations at work, of all campaigns
	late  map[string]answer   // of stations at work: it came before anybody wrote down that it had not
	sites map[string]int      // how many of a site are
	ready bool                // what is open was read
}

// By is who starts a campaign, and where they may.
type By struct {
	Actor store.Actor
	// Sees reports whether they may know of the stations of a site, May whether they
	// may do this there.
	Sees, May func(site string) bool
}

// Campaign is a campaign and how far it is.
type Campaign struct {
	*store.Campaign
	Plan    Plan
	LeftOut []LeftOut
	Why     *Why // it was stopped; nil: it was not
	Counts  []store.CampaignCount
}

// Why says for what reason a campaign was stopped.
type Why struct {
	Code    string `json:"code" enum:"person,canaryFailed,canaryUnwell,tooManyFailed,tooLargeShareFailed"`
	Station string `json:"station,omitempty" doc:"at which it was noticed"`
	Result  string `json:"result,omitempty" doc:"what that station said"`
	Failed  int    `json:"failed,omitempty" doc:"stations, those of which the outcome is not known among them"`
	Of      int    `json:"of,omitempty" doc:"stations that were tried"`
	By      string `json:"by,omitempty" doc:"who stopped it"`
}

// Say is the reason as a sentence.
func (w *Why) Say() string {
	switch w.Code {
	case "canaryFailed":
		return fmt.Sprintf("It failed at %s, one of the first: %s. Nothing was begun at the rest.", w.Station, w.Result)
	case "canaryUnwell":
		return fmt.Sprintf("It was done at %s, one of the first, which then was %s. Nothing was begun at the rest.", w.Station, w.Result)
	case "tooManyFailed", "tooLargeShareFailed":
		return fmt.Sprintf("It failed at %d of %d stations, last at %s: %s.", w.Failed, w.Of, w.Station, w.Result)
	}
	return "Somebody stopped it."
}

// New returns a service that starts campaigns and is idle until Run is called.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Service{o: o, kinds: make(map[string]Kind), kick: make(chan struct{}, 1), busy: make(map[string]struct{}), late: make(map[string]answer), sites: make(map[string]int)}
	for _, k := range o.Kinds {
		s.kinds[k.Name()] = k
	}
	return s
}

// Kinds are the names of the kinds of work, sorted.
func (s *Service) Kinds() []string {
	out := make([]string, 0, len(s.kinds))
	for name := range s.kinds {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Permission is the right that work of a kind needs; empty: that to command stations.
func (s *Service) Permission(kind string) string {
	if k, ok := s.kinds[kind].(Restricted); ok {
		return k.Permission()
	}
	return ""
}

// Start fixes the stations of a campaign and begins. Whether they may be worked on is
// looked at again, whatever a preview said.
func (s *Service) Start(ctx context.Context, by By, plan Plan) (*Campaign, error) {
	if err := s.check(&plan); err != nil {
		return nil, err
	}
	chosen, left, err := s.choose(ctx, by, &plan)
	if err != nil {
		return nil, err
	}
	work := len(chosen)
	switch {
	case work == 0:
		return nil, &store.InvalidError{Field: "cohort", Reason: "no station is left to work on"}
	case plan.Expect > 0 && work > plan.Expect:
		return nil, &store.InvalidError{Field: "expect", Reason: fmt.Sprintf("it would be %d stations now", work)}
	}
	c := store.Campaign{Kind: plan.Kind, Name: plan.Name, By: by.Actor, Stage: store.CampaignRest, MadeAt: s.o.Now(), Sites: []string{}}
	if plan.Canary.Count > 0 && plan.Canary.Count < work {
		c.Stage = store.CampaignCanary
	}
	rows := make([]store.CampaignStation, 0, work)
	for i, x := range spread(chosen) {
		rows = append(rows, store.CampaignStation{Place: i, Station: x.ID, Site: x.Site, Model: x.Model, Firmware: x.Firmware, State: Pending})
		if !slices.Contains(c.Sites, x.Site) {
			c.Sites = append(c.Sites, x.Site)
		}
	}
	if c.Plan, err = json.Marshal(plan); err != nil {
		return nil, fmt.Errorf("write the plan down: %w", err)
	}
	if c.LeftOut, err = json.Marshal(left); err != nil {
		return nil, fmt.Errorf("write down who is left out: %w", err)
	}
	s.mu.Lock() // the scheduler reads what is open once, and hears of the rest here
	defer s.mu.Unlock()
	made, err := s.o.Rows.CreateCampaign(ctx, c, rows)
	if err != nil {
		return nil, err
	}
	if s.ready {
		s.runs = append(s.runs, newRun(made, plan, s.kinds[plan.Kind], rows))
	}
	s.wake()
	return s.tell(ctx, made)
}

// Get returns a campaign.
func (s *Service) Get(ctx context.Context, id string) (*Campaign, error) {
	c, err := s.o.Rows.Campaign(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.tell(ctx, c)
}

// List returns campaigns before a sequence number (zero: the newest), newest first.
func (s *Service) List(ctx context.Context, before int64, limit int) ([]*Campaign, error) {
	found, err := s.o.Rows.Campaigns(ctx, before, limit)
	if err != nil {
		return nil, err
	}
	out := make([]*Campaign, 0, len(found))
	for _, c := range found {
		x, err := s.tell(ctx, c)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// Stations lists what became of the stations of a campaign, in the order of work.
func (s *Service) Stations(ctx context.Context, c *Campaign, q store.CampaignStationQuery) ([]store.CampaignStation, error) {
	return s.o.Rows.CampaignStations(ctx, c.Seq, q)
}

func (s *Service) tell(ctx context.Context, c *store.Campaign) (*Campaign, error) {
	out := &Campaign{Campaign: c}
	if err := json.Unmarshal(c.Plan, &out.Plan); err != nil {
		return nil, fmt.Errorf("read the plan of %s: %w", c.ID, err)
	}
	if err := json.Unmarshal(c.LeftOut, &out.LeftOut); err != nil {
		return nil, fmt.Errorf("read who is left out of %s: %w", c.ID, err)
	}
	if c.Why != nil {
		if err := json.Unmarshal(c.Why, &out.Why); err != nil {
			return nil, fmt.Errorf("read why %s was stopped: %w", c.ID, err)
		}
	}
	var err error
	out.Counts, err = s.o.Rows.CampaignCounts(ctx, c.Seq)
	return out, err
}

// Pause has nothing more begun until Resume; what is begun comes to its end.
func (s *Service) Pause(ctx context.Context, by store.Actor, id string) error {
	return s.move(id, store.CampaignPaused, func() error { return s.o.Rows.PauseCampaign(ctx, by, id) })
}

// Resume lets a paused campaign go on.
func (s *Service) Resume(ctx context.Context, by store.Actor, id string) error {
	return s.move(id, store.CampaignRunning, func() error { return s.o.Rows.ResumeCampaign(ctx, by, id) })
}

// Stop ends a campaign; what is begun comes to its end.
func (s *Service) Stop(ctx context.Context, by store.Actor, id string) error {
	why, err := json.Marshal(Why{Code: "person", By: string(by)})
	if err != nil {
		return fmt.Errorf("write down why: %w", err)
	}
	return s.move(id, store.CampaignStopped, func() error { return s.o.Rows.StopCampaign(ctx, by, id, why, s.o.Now()) })
}

func (s *Service) move(id string, to store.CampaignState, write func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := write(); err != nil {
		return err
	}
	for _, r := range s.runs {
		if r.id == id {
			r.state = to
		}
	}
	s.wake()
	return nil
}

func (s *Service) wake() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

func (s *Service) check(plan *Plan) error {
	k, ok := s.kinds[plan.Kind]
	if !ok {
		return &store.InvalidError{Field: "kind", Reason: "no such kind of work"}
	}
	if len(plan.Params) == 0 {
		plan.Params = json.RawMessage("{}")
	}
	if err := plan.check(); err != nil {
		return err
	}
	err := k.Check(plan.Params)
	if bad, ok := errors.AsType[*store.InvalidError](err); ok {
		return &store.InvalidError{Field: strings.TrimSuffix("params."+bad.Field, "."), Reason: bad.Reason}
	}
	return err
}

type askedKey struct{}

type asked struct {
	id string
	by store.Actor
}

// ByOf is who started the campaign that Do works for.
func ByOf(ctx context.Context) store.Actor {
	a, _ := ctx.Value(askedKey{}).(asked)
	if a.by == "" {
		return store.System
	}
	return a.by
}

// IDOf is the campaign that Do works for; empty: none.
func IDOf(ctx context.Context) string {
	a, _ := ctx.Value(askedKey{}).(asked)
	return a.id
}

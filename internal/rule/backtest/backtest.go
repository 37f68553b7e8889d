// Package backtest asks the past what a rule would have done.
//
// It reads the journal in its order, in the background and for a bounded time,
// shows it to a view of the stations and runs the one rule over it. It says which
// time it really covered and why that may be less than was asked for: what was
// not read is never passed off as quiet.
package backtest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/rule"
)

// Journal is what is read.
type Journal interface {
	Recorded(ctx context.Context, from, to time.Time, without ...event.Kind) iter.Seq2[[]*event.Event, error]
	Events(ctx context.Context, q journal.EventQuery) ([]*event.Event, journal.Cursor, error)
	Horizon(k event.Kind) time.Time
}

// Options configures a Runner. Journal and Language are needed.
type Options struct {
	Journal   Journal
	Language  *rule.Language
	Detectors []detect.Detector
	// Limit is how long one run may take; default 10 s.
	Limit time.Duration
	Now   func() time.Time // default: time.Now
}

// ErrBusy is returned while another run goes on.
var ErrBusy = errors.New("another back-test is running")

// Runner runs one back-test at a time.
type Runner struct {
	o    Options
	turn chan struct{}
}

// New returns a runner.
func New(o Options) *Runner {
	if o.Limit <= 0 {
		o.Limit = 10 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Runner{o: o, turn: make(chan struct{}, 1)}
}

// The reasons why less was covered than was asked for.
const (
	TimeLimit = "timeLimit" // the run took too long
	Retention = "retention" // older rows are deleted
	SwitchOff = "switchOff" // the rule would have been switched off
)

// Result is what a back-test found and which time it covers.
type Result struct {
	rule.Verdict
	From    time.Time     // covered
	To      time.Time     // covered
	Partial []string      // why that is less than was asked for; empty: it is not
	Took    time.Duration // all of it
}

// Times of a run.
const (
	warmUp    = 24 * time.Hour // in which the view learns how ports stand
	maxSeeds  = 60             // pages of what was decided before
	seedLimit = 1000
)

// Run tries a rule on the events recorded between two times. Faults are what is
// wrong with the rule.
func (r *Runner) Run(ctx context.Context, rl rule.Rule, from, to time.Time) (Result, []rule.Fault, error) {
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	default:
		return Result{}, nil, ErrBusy
	}
	begun := r.o.Now()
	res := Result{From: from, To: to, Partial: []string{}}
	if now := r.o.Now(); res.To.After(now) {
		res.To = now
	}
	kind := event.KindStatus
	var without []event.Kind
	if rl.Measured() {
		kind = event.KindMeter
	} else {
		without = []event.Kind{event.KindMeter}
	}
	if h := r.o.Journal.Horizon(kind); res.From.Before(h) {
		res.From, res.Partial = h, append(res.Partial, Retention)
	}
	if !res.From.Before(res.To) {
		res.From = res.To
	}
	trial, faults := r.o.Language.Try(rl, r.o.Detectors, res.From, res.To)
	if len(faults) > 0 {
		return Result{}, faults, nil
	}
	limited, cancel := context.WithTimeoutCause(ctx, r.o.Limit, errLimit)
	defer cancel()
	stations := func() []event.Kind { return []event.Kind{event.KindConfigured, event.KindRemoved, event.KindPolicy} }
	reached, err := r.read(limited, trial, res.From.Add(-warmUp), res.To, without, stations)
	switch {
	case ctx.Err() != nil:
		return Result{}, nil, context.Cause(ctx)
	case errors.Is(context.Cause(limited), errLimit):
		res.Partial = append(res.Partial, TimeLimit)
		if reached.Before(res.From) { // it never came to the time that was asked for
			reached = res.From
		}
		res.To = reached
	case err != nil:
		return Result{}, nil, fmt.Errorf("read the past: %w", err)
	}
	res.Verdict = trial.End(res.To)
	if res.Off != "" {
		res.Partial = append(res.Partial, SwitchOff)
	}
	res.Took = r.o.Now().Sub(begun)
	return res, nil, nil
}

var errLimit = errors.New("the time for a back-test is over")

// hearer is shown the past.
type hearer interface{ Apply(e *event.Event) }

// read shows a trial what was decided before a time, of some kinds, and what was
// recorded from there on; it returns up to when it came.
func (r *Runner) read(ctx context.Context, trial hearer, from, to time.Time, without []event.Kind, before func() []event.Kind) (time.Time, error) {
	reached := from
	seeds, err := r.seeds(ctx, from, before())
	if err != nil {
		return reached, err
	}
	for _, e := range seeds {
		trial.Apply(e)
	}
	for events, err := range r.o.Journal.Recorded(ctx, from, to, without...) {
		if err != nil {
			return reached, err
		}
		for _, e := range events {
			if !concluded(e) {
				trial.Apply(e)
			}
		}
		reached = events[len(events)-1].RecordedAt
		if ctx.Err() != nil {
			return reached, context.Cause(ctx)
		}
	}
	return to, nil
}

// concluded reports whether detection concluded an event: it reads none of its
// own.
func concluded(e *event.Event) bool {
	switch b := e.Body.(type) {
	case *event.Incident:
		return true
	case *event.Finding:
		return b.Detector != ""
	}
	return false
}

// seeds are the newest decisions about each station and each threshold before a
// time, in order.
func (r *Runner) seeds(ctx context.Context, before time.Time, kinds []event.Kind) ([]*event.Event, error) {
	q := journal.EventQuery{Kinds: kinds, To: before, Limit: seedLimit}
	newest := make(map[string]*event.Event)
	for range maxSeeds {
		events, next, err := r.o.Journal.Events(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			key := e.Subject.String()
			if b, ok := e.Body.(*event.Policy); ok {
				key = "policy/" + b.Type + "/" + b.ID
			}
			if have := newest[key]; have == nil || have.Seq < e.Seq {
				newest[key] = e
			}
		}
		if next == "" {
			break
		}
		q.Before = next
	}
	out := make([]*event.Event, 0, len(newest))
	for _, e := range newest {
		switch e.Body.(type) {
		case *event.StationRemoved, *event.CameraRemoved, *event.ControllerRemoved, *event.DoorRemoved:
		default:
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b *event.Event) int { return int(int64(a.Seq) - int64(b.Seq)) })
	return out, nil
}

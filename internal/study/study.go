// Package study answers questions that take a while, one at a time, in the
// background: plans for more ports.
//
// There is one worker. It gives way to everything else between the small steps of
// its work, ends a step after it was told to stop, and keeps what it found under
// the id of the question. A stop of the server interrupts what runs; it is marked
// so, and anybody who may ask may run it again. The same question about the same
// history has the same answer: chance is drawn from the id.
//
// Beside it stand answers that a formula gives at once, from an estimate that is
// kept for some minutes, and the order in which sites need ports, which is renewed
// in the background some times a day.
package study

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/planning/expand"
	"github.com/chargewatch/chargewatch/internal/planning/simulate"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Plan is the kind of studies that ask for ports.
const Plan = "plan"

// Rows keeps questions and answers.
type Rows interface {
	CreateStudy(ctx context.Context, x store.Study) (*store.Study, error)
	Study(ctx context.Context, id string) (*store.Study, error)
	NextStudy(ctx context.Context) (*store.Study, error)
	StartStudy(ctx context.Context, id string) error
	EndStudy(ctx context.Context, id string, state store.StudyState, result json.RawMessage, problem string) error
	CancelStudy(ctx context.Context, by store.Actor, id string) error
	AgainStudy(ctx context.Context, by store.Actor, id string) error
	InterruptStudies(ctx context.Context) error
}

// Sites tells what is known of a site; a site that is not there is ErrNoSite.
type Sites interface {
	Known(ctx context.Context, site string) (expand.Site, error)
	Names() []string
}

// ErrNoSite is returned for a site that is not there.
var ErrNoSite = errors.New("no such site")

// Options configures a Desk. Rows and Sites are needed.
type Options struct {
	Rows   Rows
	Sites  Sites
	Logger *slog.Logger
	Now    func() time.Time // default: time.Now
	// Limit is how long one study may take; default ten minutes.
	Limit time.Duration
	// Rest is the share of its time that the worker leaves to others; default a fifth.
	Rest float64
}

// Desk takes questions and answers them.
type Desk struct {
	o    Options
	kick chan struct{}

	mu      sync.Mutex
	running string
	cancel  context.CancelCauseFunc
	done    int
	total   int
	waiting map[string][]chan struct{} // who wants to hear of the end, by id

	quick quicks
	ranks ranks
}

// New returns a desk; Run works at it.
func New(o Options) *Desk {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Limit <= 0 {
		o.Limit = 10 * time.Minute
	}
	if o.Rest <= 0 {
		o.Rest = 0.2
	}
	return &Desk{o: o, kick: make(chan struct{}, 1), waiting: make(map[string][]chan struct{}), quick: newQuicks(), ranks: newRanks()}
}

// Ask puts a question that was checked behind those that wait.
func (d *Desk) Ask(ctx context.Context, by store.Actor, q expand.Question, usual bool) (*store.Study, error) {
	text, err := json.Marshal(q)
	if err != nil {
		return nil, fmt.Errorf("write the question down: %w", err)
	}
	x, err := d.o.Rows.CreateStudy(ctx, store.Study{Kind: Plan, Site: q.Site, Name: q.Name, By: by, Usual: usual, Question: text})
	if err != nil {
		return nil, err
	}
	d.wake()
	return x, nil
}

// Again runs a study once more that did not come to an end.
func (d *Desk) Again(ctx context.Context, by store.Actor, id string) error {
	if err := d.o.Rows.AgainStudy(ctx, by, id); err != nil {
		return err
	}
	d.wake()
	return nil
}

// Cancel ends a study that waits or runs.
func (d *Desk) Cancel(ctx context.Context, by store.Actor, id string) error {
	if err := d.o.Rows.CancelStudy(ctx, by, id); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.running == id {
		d.cancel(errCancelled)
	}
	d.tell(id)
	return nil
}

var errCancelled = errors.New("somebody cancelled it")

// Progress is how far a study is, 0 to 1, if it runs.
func (d *Desk) Progress(id string) (share float64, running bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.running != id || id == "" {
		return 0, false
	}
	if d.total == 0 {
		return 0, true
	}
	return float64(d.done) / float64(d.total), true
}

// Wait returns a study when it is over, or as it is when ctx ends.
func (d *Desk) Wait(ctx context.Context, id string) (*store.Study, error) {
	for {
		heard := make(chan struct{})
		d.mu.Lock()
		d.waiting[id] = append(d.waiting[id], heard)
		d.mu.Unlock()
		x, err := d.o.Rows.Study(context.WithoutCancel(ctx), id)
		if err != nil || x.Over() || ctx.Err() != nil {
			d.forget(id, heard)
			return x, err
		}
		select {
		case <-heard:
		case <-ctx.Done():
			d.forget(id, heard)
		}
	}
}

// tell wakes those who wait for a study; the lock is held.
func (d *Desk) tell(id string) {
	for _, c := range d.waiting[id] {
		close(c)
	}
	delete(d.waiting, id)
}

func (d *Desk) forget(id string, heard chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := d.waiting[id][:0]
	for _, c := range d.waiting[id] {
		if c != heard {
			list = append(list, c)
		}
	}
	if len(list) == 0 {
		delete(d.waiting, id)
		return
	}
	d.waiting[id] = list
}

func (d *Desk) wake() {
	select {
	case d.kick <- struct{}{}:
	default:
	}
}

// Run works until ctx ends.
func (d *Desk) Run(ctx context.Context) error {
	if err := d.o.Rows.InterruptStudies(ctx); err != nil {
		return fmt.Errorf("look for studies of before the start: %w", err)
	}
	for ctx.Err() == nil {
		x, err := d.o.Rows.NextStudy(ctx)
		switch {
		case errors.Is(err, store.ErrNotFound):
			if d.rank(ctx) {
				continue
			}
			d.idle(ctx, time.Minute)
		case err != nil:
			if ctx.Err() == nil {
				d.o.Logger.WarnContext(ctx, "studies not read", "err", err)
				d.idle(ctx, 10*time.Second)
			}
		default:
			d.work(ctx, x)
		}
	}
	return context.Cause(ctx)
}

func (d *Desk) idle(ctx context.Context, most time.Duration) {
	t := time.NewTimer(most)
	defer t.Stop()
	select {
	case <-d.kick:
	case <-t.C:
	case <-ctx.Done():
	}
}

// work answers one study and keeps what came of it.
func (d *Desk) work(ctx context.Context, x *store.Study) {
	if err := d.o.Rows.StartStudy(ctx, x.ID); err != nil {
		if !errors.Is(err, store.ErrNotFound) && ctx.Err() == nil { // cancelled in between
			d.o.Logger.WarnContext(ctx, "study not started", "study", x.ID, "err", err)
			d.idle(ctx, 10*time.Second)
		}
		return
	}
	limited, stop := context.WithTimeoutCause(ctx, d.o.Limit, errLimit)
	defer stop()
	inner, cancel := context.WithCancelCause(limited)
	defer cancel(nil)
	d.mu.Lock()
	d.running, d.cancel, d.done, d.total = x.ID, cancel, 0, 0
	d.mu.Unlock()
	result, err := d.answer(inner, x)
	cause := context.Cause(inner)
	d.mu.Lock()
	d.running = ""
	d.mu.Unlock()

	state, problem := store.StudyFinished, ""
	switch {
	case err == nil:
	case errors.Is(cause, errCancelled):
		state = store.StudyCancelled
	case ctx.Err() != nil:
		state = store.StudyInterrupted
	case errors.Is(cause, errLimit):
		state, problem = store.StudyFailed, "it took too long"
	case errors.Is(err, ErrNoSite):
		state, problem = store.StudyFailed, "the site is not there any more"
	default:
		state, problem = store.StudyFailed, "something went wrong on our side"
		d.o.Logger.WarnContext(ctx, "study failed", "study", x.ID, "err", err)
	}
	// A cancelled one is marked already. A server that stops still has its file.
	late, end := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer end()
	if err := d.o.Rows.EndStudy(late, x.ID, state, result, problem); err != nil && !errors.Is(err, store.ErrNotFound) {
		d.o.Logger.WarnContext(ctx, "what a study found is not kept", "study", x.ID, "err", err)
	}
	d.mu.Lock()
	d.tell(x.ID)
	d.mu.Unlock()
}

var errLimit = errors.New("the time for a study is over")

func (d *Desk) answer(ctx context.Context, x *store.Study) (json.RawMessage, error) {
	var q expand.Question
	if err := json.Unmarshal(x.Question, &q); err != nil {
		return nil, fmt.Errorf("read the question: %w", err)
	}
	site, err := d.o.Sites.Known(ctx, x.Site)
	if err != nil {
		return nil, fmt.Errorf("read what is known of the site: %w", err)
	}
	h := fnv.New64a()
	h.Write([]byte(x.ID))
	pace := d.pace(ctx)
	r, err := expand.New(q, site, h.Sum64()).Run(func(done, total int) bool {
		d.mu.Lock()
		d.done, d.total = done, total
		d.mu.Unlock()
		return pace()
	})
	switch {
	case errors.Is(err, simulate.ErrStopped):
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, fmt.Errorf("make the plan: %w", err)
	}
	out, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("write the plan down: %w", err)
	}
	return out, nil
}

// pace returns what is called between steps of work: it rests for a share of
// the time that was worked, so that others come through, and says whether to go
// on.
func (d *Desk) pace(ctx context.Context) func() bool {
	last := time.Now()
	return func() bool {
		if worked := time.Since(last); worked > 5*time.Millisecond {
			t := time.NewTimer(time.Duration(d.o.Rest * float64(worked)))
			select {
			case <-t.C:
			case <-ctx.Done():
				t.Stop()
			}
			last = time.Now()
		}
		return ctx.Err() == nil
	}
}

// Package outbox performs what the core wants done.
//
// It promises that an intent is performed at most once: that it was begun is
// durable before anything is sent, so a crash in between leaves the outcome
// "timeout" and never a second attempt. An intent that is not begun before it
// expires is dropped with an outcome. What came of it is an observed event, as
// everything else that happens is.
package outbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
)

// Performer does one thing at the edge and says what came of it. Its context
// ends when the intent expires.
type Performer interface {
	Perform(ctx context.Context, in fleet.Intent) event.CommandResult
}

// Journal is what the executor needs of the journal.
type Journal interface {
	Intents(ctx context.Context, due time.Time, limit int) ([]journal.Intent, error)
	StartedIntents(ctx context.Context, limit int) ([]journal.Intent, error)
	AppendWith(ctx context.Context, e *event.Event, write func(*sql.Tx) error) (fleet.Receipt, error)
}

// Options configures an Executor. The zero value is usable.
type Options struct {
	Logger *slog.Logger     // default: discard
	Now    func() time.Time // default: time.Now
	// Concurrency is how many intents are performed at once; default 16. Further
	// ones wait in the table.
	Concurrency int
	// Poll is how often the table is looked at; default 500 ms.
	Poll time.Duration
}

// By is who asks for the commands that the core wants.
const By = "chargewatch"

// Executor performs intents.
type Executor struct {
	journal   Journal
	performer Performer
	o         Options

	mu     sync.Mutex
	atWork map[string]struct{} // keys; bounded by Concurrency
}

// New returns an executor that is idle until Run is called.
func New(j Journal, p Performer, o Options) *Executor {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Concurrency <= 0 {
		o.Concurrency = 16
	}
	if o.Poll <= 0 {
		o.Poll = 500 * time.Millisecond
	}
	return &Executor{journal: j, performer: p, o: o, atWork: make(map[string]struct{})}
}

// Run settles what a crash left, then performs intents as they fall due, until
// ctx ends. It waits for those at work, whose contexts end with ctx.
func (x *Executor) Run(ctx context.Context) error {
	if err := x.settle(ctx); err != nil {
		return fmt.Errorf("settle what was begun before: %w", err)
	}
	var group sync.WaitGroup
	defer group.Wait()
	poll := time.NewTicker(x.o.Poll)
	defer poll.Stop()
	for {
		if err := x.round(ctx, &group); err != nil && ctx.Err() == nil {
			x.o.Logger.WarnContext(ctx, "outbox round failed", "err", err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-poll.C:
		}
	}
}

// settle gives intents that were begun before a crash their outcome.
func (x *Executor) settle(ctx context.Context) error {
	for {
		list, err := x.journal.StartedIntents(ctx, 100)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, in := range list {
			err := journal.Insist(ctx, func() error {
				return x.outcome(ctx, in, journal.IntentStarted, journal.IntentTimeout, event.CommandResult{
					Status: "timeout", Description: "the server stopped before the answer came",
				})
			})
			if err != nil {
				return err
			}
			x.o.Logger.WarnContext(ctx, "outcome of a command is unknown", "station", in.Station, "action", in.Action)
		}
	}
}

// round begins what is due, as far as there is room.
func (x *Executor) round(ctx context.Context, group *sync.WaitGroup) error {
	list, err := x.journal.Intents(ctx, x.o.Now(), 2*x.o.Concurrency)
	if err != nil {
		return err
	}
	for _, in := range list {
		if !x.o.Now().Before(in.Expires) {
			if err := x.outcome(ctx, in, journal.IntentWaiting, journal.IntentExpired, event.CommandResult{
				Status: "refused", Description: "it was not sent in time",
			}); err != nil {
				return err
			}
			continue
		}
		if !x.claim(in.Key) {
			continue
		}
		group.Go(func() {
			defer x.release(in.Key)
			if err := x.perform(ctx, in); err != nil && ctx.Err() == nil {
				x.o.Logger.WarnContext(ctx, "intent failed", "station", in.Station, "action", in.Action, "err", err)
			}
		})
	}
	return nil
}

func (x *Executor) claim(key string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if _, ok := x.atWork[key]; ok || len(x.atWork) >= x.o.Concurrency {
		return false
	}
	x.atWork[key] = struct{}{}
	return true
}

func (x *Executor) release(key string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.atWork, key)
}

// perform does one intent. An error before it is begun leaves it waiting.
func (x *Executor) perform(ctx context.Context, in journal.Intent) error {
	command := &event.Command{CommandID: in.Key, Action: in.Action, By: By, Deadline: in.Expires}
	if in.Payload != "" {
		command.Payload = json.RawMessage(in.Payload)
	}
	if _, err := x.journal.AppendWith(ctx, x.about(in, command), func(tx *sql.Tx) error {
		return journal.MoveIntent(tx, in.Key, journal.IntentWaiting, journal.IntentStarted, "", x.o.Now())
	}); errors.Is(err, journal.ErrNotFound) {
		return nil // it was done since the table was read
	} else if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	limited, cancel := context.WithTimeout(ctx, in.Expires.Sub(x.o.Now()))
	result := x.performer.Perform(limited, in.Intent)
	cancel()
	if ctx.Err() != nil && result.Status != "answered" {
		return nil // we are stopping; the next start says timeout
	}
	return journal.Insist(ctx, func() error {
		return x.outcome(context.WithoutCancel(ctx), in, journal.IntentStarted, journal.IntentDone, result)
	})
}

// outcome records what came of an intent.
func (x *Executor) outcome(ctx context.Context, in journal.Intent, from, to journal.IntentState, r event.CommandResult) error {
	r.CommandID = in.Key
	_, err := x.journal.AppendWith(ctx, x.about(in, &r), func(tx *sql.Tx) error {
		return journal.MoveIntent(tx, in.Key, from, to, r.Status, x.o.Now())
	})
	if err != nil {
		return fmt.Errorf("record the outcome: %w", err)
	}
	return nil
}

func (x *Executor) about(in journal.Intent, body event.Body) *event.Event {
	now := x.o.Now()
	return &event.Event{Subject: event.Station(in.Station), At: now, ReceivedAt: now, Origin: event.FromUs, Body: body}
}

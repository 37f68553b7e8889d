package journal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Class groups kinds that are kept equally long.
type Class string

// The classes. What is in none of the first three is never deleted: it says
// who is in the network and when we watched.
const (
	ClassMeter    Class = "meter"    // measurements; telemetry keeps them
	ClassHistory  Class = "history"  // states, transactions and what else stations tell
	ClassSecurity Class = "security" // who did what: security events, tokens, commands, findings
	ClassForever  Class = "forever"
)

// ClassOf says how a kind is kept.
func ClassOf(k event.Kind) Class {
	switch k {
	case event.KindMeter:
		return ClassMeter
	case event.KindSecurity, event.KindAuthorize, event.KindCommand, event.KindCommandResult, event.KindFinding,
		event.KindIncident, event.KindIncidentAction, event.KindOutputSwitch, event.KindOutputRequest:
		return ClassSecurity
	case event.KindServerStarted, event.KindServerStopped, event.KindConfigured, event.KindRemoved, event.KindPolicy:
		return ClassForever
	}
	return ClassHistory
}

// KindsOf lists the kinds of a class.
func KindsOf(c Class) []event.Kind {
	return slices.DeleteFunc(event.Kinds(), func(k event.Kind) bool { return ClassOf(k) != c })
}

// Keep says how long rows are kept.
type Keep struct {
	Meter    time.Duration // default 48 h, and never before Sealed has passed them
	History  time.Duration // default 400 d
	Security time.Duration // default 2 years
	Outcomes time.Duration // of the outbox; default 30 d

	// Sealed returns the sequence up to which measurements are safe elsewhere.
	// Without it they are kept like history.
	Sealed func() uint64

	Every time.Duration // how often to look; default 1 min
	Step  int           // rows of one slice; default 500
}

func (k *Keep) defaults() {
	const day = 24 * time.Hour
	if k.Meter <= 0 {
		k.Meter = 48 * time.Hour
	}
	if k.History <= 0 {
		k.History = 400 * day
	}
	if k.Security <= 0 {
		k.Security = 2 * 365 * day
	}
	if k.Outcomes <= 0 {
		k.Outcomes = 30 * day
	}
	if k.Every <= 0 {
		k.Every = time.Minute
	}
	if k.Step <= 0 {
		k.Step = 500
	}
}

// Horizon is how far a class has been deleted: events up to Seq, recorded up
// to At.
type Horizon struct {
	Seq uint64
	At  time.Time
}

type horizons struct {
	mu sync.Mutex
	of map[Class]Horizon
}

func (h *horizons) set(c Class, v Horizon) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.of == nil {
		h.of = make(map[Class]Horizon)
	}
	h.of[c] = v
}

func (h *horizons) get(c Class) Horizon {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.of[c]
}

func (h *horizons) load(all map[Class]Horizon) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.of = maps.Clone(all)
}

// Horizon returns the time before which events of the kind are no longer
// complete; zero when all are there.
func (j *Journal) Horizon(k event.Kind) time.Time { return j.horizons.get(ClassOf(k)).At }

// Kept says how long rows are kept.
func (j *Journal) Kept() Keep {
	k := j.o.Keep
	if k.Sealed == nil {
		k.Meter = k.History
	}
	return k
}

// within returns ErrBeforeHorizon for a question about a time from which rows
// of one of the kinds were deleted. A zero from asks for what there is.
func (j *Journal) within(from time.Time, kinds ...event.Kind) error {
	if from.IsZero() {
		return nil
	}
	for _, k := range kinds {
		if h := j.Horizon(k); from.Before(h) {
			return fmt.Errorf("%s events are kept from %s on: %w", k, h.Format(time.RFC3339), ErrBeforeHorizon)
		}
	}
	return nil
}

// retain deletes what is too old until ctx ends.
func (j *Journal) retain(ctx context.Context) {
	tick := time.NewTicker(j.o.Keep.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := j.Retain(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, ErrUnavailable) && !errors.Is(err, ErrClosed) {
			j.log.Warn("retention failed", "err", err)
		}
	}
}

// Retain deletes what is too old now. Run does it by itself.
func (j *Journal) Retain(ctx context.Context) error {
	k := j.o.Keep
	now := j.o.Now()
	meter := k.History
	if k.Sealed != nil {
		meter = k.Meter
	}
	for _, c := range []struct {
		class Class
		keep  time.Duration
	}{{ClassMeter, meter}, {ClassHistory, k.History}, {ClassSecurity, k.Security}} {
		upTo, err := j.store.SeqBefore(ctx, now.Add(-c.keep))
		if err != nil {
			return fmt.Errorf("find what is older than %s: %w", c.keep, err)
		}
		upTo = min(upTo, j.savedSeq.Load())
		if c.class == ClassMeter && k.Sealed != nil {
			upTo = min(upTo, k.Sealed())
		}
		if err := j.slices(ctx, func(tx Tx) (bool, error) {
			h, more, err := tx.DeleteEvents(c.class, KindsOf(c.class), upTo, k.Step)
			if err == nil {
				// Known before it is committed: no question may meet half a slice.
				j.horizons.set(c.class, h)
			}
			return more, err
		}); err != nil {
			return fmt.Errorf("delete %s events: %w", c.class, err)
		}
	}
	if err := j.slices(ctx, func(tx Tx) (bool, error) {
		return tx.DeleteHistory(now.Add(-k.History), now.Add(-k.Outcomes), k.Step)
	}); err != nil {
		return fmt.Errorf("delete history: %w", err)
	}
	return nil
}

// slices runs a step again and again, each in a commit of its own with a pause
// behind it, until it says that there is no more.
func (j *Journal) slices(ctx context.Context, step func(Tx) (bool, error)) error {
	for {
		more := false
		if _, err := j.submit(ctx, &request{job: func(tx Tx) error {
			var err error
			more, err = step(tx)
			return err
		}}); err != nil {
			return err
		}
		if !more {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

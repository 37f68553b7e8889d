package telemetry

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Batch is a piece of the journal and the cursor that follows it.
type Batch struct {
	Events []*event.Event
	Next   string
}

// Source is where the events come from: the journal's subscription.
type Source interface {
	// Subscribe yields batches in order from the cursor on, waits for more and
	// ends with ctx.
	Subscribe(ctx context.Context, from string) iter.Seq2[Batch, error]
}

const (
	gatherEvents = 2048                   // one transaction holds at most about this many ...
	gatherFor    = 250 * time.Millisecond // ... or what came in this time
	tickEvery    = 10 * time.Second
	retryAfter   = time.Second
	retryAtMost  = 30 * time.Second
	drainWithin  = 5 * time.Second
)

// Run consumes the source from the stored cursor on and does what is due, until
// ctx ends, the source ends (then it returns nil) or the source fails. A failing disk is waited out: the journal keeps
// what was not stored.
func (s *Store) Run(ctx context.Context, source Source) error {
	var reader sync.WaitGroup
	defer reader.Wait()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	batches := make(chan Batch)
	reader.Go(func() {
		for b, err := range source.Subscribe(ctx, s.Cursor()) {
			if err != nil {
				cancel(fmt.Errorf("read the journal: %w", err))
				return
			}
			select {
			case batches <- b:
			case <-ctx.Done():
				return
			}
		}
		cancel(errEnded)
	})

	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	var events []*event.Event
	var next string
	var full <-chan time.Time // fires when what was gathered is due
	for {
		select {
		case b := <-batches:
			events, next = append(events, b.Events...), b.Next
			if full == nil {
				full = time.After(gatherFor)
			}
			if len(events) < gatherEvents {
				continue
			}
		case <-full:
		case <-tick.C:
			if err := s.Tick(ctx, s.o.Now()); err != nil && ctx.Err() == nil {
				s.log.ErrorContext(ctx, "telemetry upkeep failed and is tried again", "err", err)
			}
			continue
		case <-ctx.Done():
			return s.drain(ctx, events, next)
		}
		if err := s.insist(ctx, events, next); err != nil {
			return s.drain(ctx, events, next)
		}
		clear(events)
		events, full = events[:0], nil
	}
}

var errEnded = errors.New("the journal's subscription ended")

// insist consumes until it succeeds or ctx ends.
func (s *Store) insist(ctx context.Context, events []*event.Event, next string) error {
	for wait := retryAfter; ; wait = min(2*wait, retryAtMost) {
		err := s.Consume(ctx, events, next)
		if err == nil || ctx.Err() != nil {
			return err
		}
		s.log.ErrorContext(ctx, "telemetry cannot store and waits", "wait", wait, "err", err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// drain stores what was gathered; what it cannot, the journal gives again.
func (s *Store) drain(ctx context.Context, events []*event.Event, next string) error {
	cause := context.Cause(ctx)
	if errors.Is(cause, errEnded) {
		cause = nil
	}
	if len(events) == 0 {
		return cause
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainWithin)
	defer cancel()
	return errors.Join(cause, s.Consume(ctx, events, next))
}

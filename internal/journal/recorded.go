package journal

import (
	"context"
	"iter"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Recorded yields what was recorded from a time up to another, in order and in
// small batches, for those who ask the past in the background. Kinds may be left
// out. Between batches it pauses for half of what reading took, so that it never
// takes a processor for itself. Batches are nobody else's.
func (j *Journal) Recorded(ctx context.Context, from, to time.Time, without ...event.Kind) iter.Seq2[[]*event.Event, error] {
	return func(yield func([]*event.Event, error) bool) {
		after, err := j.store.SeqBefore(ctx, from)
		if err != nil {
			yield(nil, err)
			return
		}
		last, err := j.store.SeqBefore(ctx, to)
		if err != nil {
			yield(nil, err)
			return
		}
		for after < last {
			begun := time.Now()
			events, err := j.store.TailWithout(ctx, after, last, subscribeBatch, without)
			if err != nil {
				yield(nil, err)
				return
			}
			if len(events) == 0 {
				return
			}
			after = events[len(events)-1].Seq
			if !yield(events, nil) {
				return
			}
			select {
			case <-time.After(time.Since(begun) / 2):
			case <-ctx.Done():
				yield(nil, context.Cause(ctx))
				return
			}
		}
	}
}

package app

import (
	"context"
	"iter"

	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/telemetry"
)

// measured gives telemetry the journal's events.
type measured struct{ journal *journal.Journal }

func (m measured) Subscribe(ctx context.Context, from string) iter.Seq2[telemetry.Batch, error] {
	return func(yield func(telemetry.Batch, error) bool) {
		for b, err := range m.journal.Subscribe(ctx, journal.Cursor(from)) {
			if !yield(telemetry.Batch{Events: b.Events, Next: string(b.Next)}, err) {
				return
			}
		}
	}
}

package app

import (
	"context"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/incident"
)

// lookAgain is how often all that are open are taken.
const lookAgain = 10 * time.Second

// followIncidents hands incidents over until ctx ends: as they change, and all that
// are open now and then, should a change have been missed. take may be called twice
// at the same time.
func (s *Server) followIncidents(ctx context.Context, take func(context.Context, *incident.Incident)) {
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			for in, err := range s.live.Follow(ctx) {
				if err != nil {
					break
				}
				take(ctx, in)
			}
		}
	})
	t := time.NewTicker(lookAgain)
	defer t.Stop()
	for ctx.Err() == nil {
		for _, in := range s.live.View().Open() {
			take(ctx, in)
		}
		select {
		case <-t.C:
		case <-ctx.Done():
		}
	}
	wg.Wait()
}

package notify

import (
	"context"
	"sync"
	"time"
)

// beaten is how the last heartbeat went.
type beaten struct {
	mu     sync.Mutex
	okAt   time.Time
	failed string
}

func (b *beaten) note(at time.Time, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.failed = err.Error()
		return
	}
	b.okAt, b.failed = at, ""
}

// Heard is when the heartbeat was last taken, and why the last one was not.
func (s *Service) Heard() (okAt time.Time, failure string) {
	s.beaten.mu.Lock()
	defer s.beaten.mu.Unlock()
	return s.beaten.okAt, s.beaten.failed
}

// Health is how the ways to people are.
type Health struct {
	Waiting, Failed int // deliveries; failed ones of the last day
	Routed          uint64
	MaybeDuplicates uint64 // since the start
	Faults          uint64 // rounds that could not be finished
	Channels        []ChannelHealth
}

// ChannelHealth is how one channel is.
type ChannelHealth struct {
	ID, Name, Type  string
	Enabled         bool
	Waiting, Failed int
	OKAt, FailedAt  time.Time
	Failure         string
	Resting         bool // failed so often that it is left alone for a while
}

// Health reads how the channels are.
func (s *Service) Health(ctx context.Context) (Health, error) {
	h := Health{Routed: s.routed.Load(), MaybeDuplicates: s.dups.Load(), Faults: s.faults.Load()}
	channels, err := s.o.Store.Channels(ctx)
	if err != nil {
		return h, err
	}
	counts, err := s.o.Store.CountDeliveries(ctx)
	if err != nil {
		return h, err
	}
	for _, c := range channels {
		n := counts[c.ID]
		s.mu.Lock()
		w := s.workers[c.ID]
		s.mu.Unlock()
		h.Waiting, h.Failed = h.Waiting+n.Waiting, h.Failed+n.Failed
		h.Channels = append(h.Channels, ChannelHealth{
			ID: c.ID, Name: c.Name, Type: c.Type, Enabled: c.Enabled, Waiting: n.Waiting, Failed: n.Failed, OKAt: c.OKAt, FailedAt: c.FailedAt,
			Failure: c.Failure, Resting: w != nil && w.resting.Load(),
		})
	}
	return h, nil
}

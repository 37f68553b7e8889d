package notify

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/store"
)

// How often and how long a message is tried.
const (
	firstRetry  = 5 * time.Second
	longestWait = 15 * time.Minute
	maxAttempts = 40
	giveUpAfter = 24 * time.Hour
	// After breakAfter failures in a row the channel rests, longer each time.
	breakAfter = 5
	firstRest  = 30 * time.Second
	longestOff = 10 * time.Minute
)

// worker sends what waits for one channel, one message at a time.
type worker struct {
	s       *Service
	id      string
	changed time.Time
	kind    Kind
	channel Channel
	// pictures is what it does with what cameras saw.
	pictures string
	words    *detect.Words // of its language; nil is English
	wake     chan struct{}
	stop     context.CancelFunc
	done     chan struct{}

	rest    time.Time // nothing is sent before
	row     int       // failures in a row
	resting atomic.Bool
}

// supervise keeps one worker for each enabled channel.
func (s *Service) supervise(ctx context.Context) {
	poll := time.NewTicker(30 * time.Second)
	defer poll.Stop()
	for {
		if err := s.arrange(ctx); err != nil && ctx.Err() == nil {
			s.faults.Add(1)
			s.o.Logger.WarnContext(ctx, "channels not read", "err", err)
		}
		select {
		case <-ctx.Done():
			s.mu.Lock()
			all := s.workers
			s.workers = make(map[string]*worker)
			s.mu.Unlock()
			for _, w := range all {
				w.stop()
				<-w.done
			}
			return
		case <-s.again:
		case <-poll.C:
		}
	}
}

// arrange starts and stops workers as the table says.
func (s *Service) arrange(ctx context.Context) error {
	channels, err := s.o.Store.Channels(ctx)
	if err != nil {
		return err
	}
	want := make(map[string]store.Channel)
	for _, c := range channels {
		if c.Enabled {
			want[c.ID] = c
		}
	}
	s.mu.Lock()
	var gone []*worker
	for id, w := range s.workers {
		if c, ok := want[id]; !ok || !c.ChangedAt.Equal(w.changed) {
			gone = append(gone, w)
			delete(s.workers, id)
		}
	}
	s.mu.Unlock()
	for _, w := range gone {
		w.stop()
		<-w.done
	}
	for id, c := range want {
		s.mu.Lock()
		_, running := s.workers[id]
		s.mu.Unlock()
		if running {
			continue
		}
		kind, ok := s.kinds[c.Type]
		if !ok {
			continue
		}
		if c.SecretsLost { // without them it would do something else
			s.o.Logger.WarnContext(ctx, "channel cannot be used until its secrets are entered again", "channel", id)
			continue
		}
		made, err := kind.Make(c, s.tools())
		if err != nil {
			s.o.Logger.WarnContext(ctx, "channel cannot be used", "channel", id, "err", err)
			continue
		}
		inner, stop := context.WithCancel(ctx)
		w := &worker{s: s, id: id, changed: c.ChangedAt, kind: kind, channel: made, pictures: picturesOf(&kind, &c), words: s.wordsOf(&c), wake: make(chan struct{}, 1), stop: stop, done: make(chan struct{})}
		s.mu.Lock()
		s.workers[id] = w
		s.mu.Unlock()
		go w.run(inner)
	}
	return nil
}

func (w *worker) run(ctx context.Context) {
	defer close(w.done)
	var group sync.WaitGroup
	defer group.Wait()
	if k, ok := w.channel.(keeper); ok {
		group.Go(func() {
			if err := k.Keep(ctx); err != nil && ctx.Err() == nil {
				w.s.o.Logger.WarnContext(ctx, "channel does not keep up", "channel", w.id, "err", err)
			}
		})
	}
	recovered := false
	for ctx.Err() == nil {
		wait := time.Second
		if !recovered {
			n, err := w.s.o.Store.RecoverDeliveries(ctx, w.id)
			if recovered = err == nil; recovered && n > 0 {
				w.s.dups.Add(uint64(n))
				w.s.o.Logger.WarnContext(ctx, "deliveries may arrive twice", "channel", w.id, "count", n)
			}
		}
		if recovered {
			var err error
			if wait, err = w.round(ctx); err != nil && ctx.Err() == nil {
				w.s.faults.Add(1)
				w.s.o.Logger.WarnContext(ctx, "queue of a channel not served", "channel", w.id, "err", err)
				wait = time.Second
			}
		}
		if wait <= 0 {
			continue
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-w.wake:
		case <-t.C:
		}
		t.Stop()
	}
}

// longestSleep bounds how long a worker trusts what it knows of the table.
const longestSleep = time.Minute

// round sends the next message and says when to look again.
func (w *worker) round(ctx context.Context) (time.Duration, error) {
	now := w.s.o.Now()
	due, ok, err := w.s.o.Store.NextDelivery(ctx, w.id)
	switch {
	case err != nil:
		return 0, err
	case !ok:
		return longestSleep, nil
	case due.Before(w.rest):
		due = w.rest
	}
	if wait := due.Sub(now); wait > 0 {
		return min(wait, longestSleep), nil
	}
	list, err := w.s.o.Store.BeginDeliveries(ctx, w.id, w.kind.Together)
	if err != nil || len(list) == 0 {
		return longestSleep, err
	}
	return 0, w.send(ctx, list)
}

// send hands one message over and marks what became of it.
func (w *worker) send(ctx context.Context, list []store.Delivery) error {
	m, err := w.message(ctx, list)
	if err != nil {
		return w.settle(ctx, list, store.Outcome{State: store.DeliveryFailed, Reason: err.Error()})
	}
	limited, cancel := context.WithTimeout(ctx, w.kind.timeout())
	err = w.hand(limited, m)
	cancel()
	if err == nil {
		w.row, w.rest = 0, time.Time{}
		w.resting.Store(false)
		return w.settle(ctx, list, store.Outcome{State: store.DeliverySent})
	}
	if ctx.Err() != nil {
		return nil // whether it arrived is unknown: the next start sends it again and counts it
	}
	o := w.outcome(list, err)
	w.s.o.Logger.WarnContext(ctx, "message not handed over", "channel", w.id, "err", err, "attempts", list[0].Attempts)
	return w.settle(ctx, list, o)
}

// hand turns a channel's panic into a failure of this message.
func (w *worker) hand(ctx context.Context, m Message) (err error) {
	defer func() {
		if what := recover(); what != nil {
			err = fmt.Errorf("the channel broke down: %v", what)
		}
	}()
	return w.channel.Send(ctx, m)
}

// outcome decides between another attempt and giving up.
func (w *worker) outcome(list []store.Delivery, err error) store.Outcome {
	now := w.s.o.Now()
	oldest, attempts := now, 0
	for i := range list {
		attempts = max(attempts, list[i].Attempts)
		if list[i].CreatedAt.Before(oldest) {
			oldest = list[i].CreatedAt
		}
	}
	o := store.Outcome{State: store.DeliveryFailed, Reason: err.Error()}
	wait := backoff(attempts)
	if r, ok := errors.AsType[*Refused](err); ok {
		if r.Permanent {
			return o
		}
		wait = max(wait, min(r.RetryAfter, time.Hour))
	}
	if w.row++; w.row >= breakAfter {
		w.rest = now.Add(min(longestOff, firstRest<<min(w.row-breakAfter, 10)))
		w.resting.Store(true)
	}
	if attempts >= maxAttempts || now.Sub(oldest) >= giveUpAfter {
		return o
	}
	o.State, o.DueAt = store.DeliveryWaiting, now.Add(wait)
	return o
}

// backoff doubles up to longestWait, with a quarter of jitter.
func backoff(attempts int) time.Duration {
	d := min(longestWait, firstRetry<<min(max(attempts-1, 0), 12))
	return d - d/8 + rand.N(d/4)
}

// settle marks what became of a message, also while we are stopping.
func (w *worker) settle(ctx context.Context, list []store.Delivery, o store.Outcome) error {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := w.s.o.Store.SettleDeliveries(limited, w.id, list, o); err != nil {
		return fmt.Errorf("mark what was sent: %w", err)
	}
	return nil
}

// message puts deliveries into words.
func (w *worker) message(ctx context.Context, list []store.Delivery) (Message, error) {
	m := Message{Key: list[0].Batch}
	routing, err := w.s.o.Store.Routing(ctx)
	if err != nil {
		return m, err
	}
	for i := range list {
		n, err := incident.DecodeNotice(0, list[i].Data)
		if err != nil {
			return m, err
		}
		item := Item{Notice: n, Key: list[i].Key, Words: w.words}
		if routing.LinkBase != "" {
			item.Page = routing.LinkBase + "/incidents/" + n.Incident
			if n.Raises() {
				item.Acknowledge = routing.LinkBase + "/ack?t=" + w.s.links.Make(n.Incident)
			}
		}
		m.Items = append(m.Items, item)
	}
	w.illustrate(ctx, &m)
	return m, nil
}

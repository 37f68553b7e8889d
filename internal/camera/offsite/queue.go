package offsite

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Bounds of the queue.
const (
	MaxWaiting = 500
	maxKept    = 1000 // that are over, to be looked at
	workers    = 3
	// tryFor is how long something is tried: then nobody is coming any more.
	tryFor = 7 * 24 * time.Hour
	// tellAfter is how long a place may fail before it is told.
	tellAfter = time.Minute
	tellTries = 3
	longestGo = 15 * time.Minute // of one copy
)

// Ledger keeps the queue over a restart.
type Ledger interface {
	Copies(ctx context.Context) ([]json.RawMessage, error)
	PutCopy(ctx context.Context, id string, data json.RawMessage) error
	DropCopies(ctx context.Context, ids []string) error
}

// Source has the pictures. Its errors are *Failure where more tries are in vain.
type Source interface {
	Pictures(ctx context.Context, camera string, from, to time.Time) (Pictures, error)
	// Hold keeps what is to be copied from being removed, Release ends that.
	Hold(c Copy) error
	Release(id string) error
}

// Teller is told that copies do not arrive, and that they do again.
type Teller interface {
	RecordingCopy(ctx context.Context, camera string, b event.RecordingCopy) error
}

// Options configures a Queue.
type Options struct {
	Ledger Ledger
	Source Source
	// Place is where copies go; nil without an error: nowhere.
	Place  func(ctx context.Context) (Place, error)
	Teller Teller
	Sign   func([]byte) []byte // default: manifests are not signed
	Logger *slog.Logger        // default: discard
	Now    func() time.Time    // default: time.Now
}

// Queue sends copies. Run has to run.
type Queue struct {
	o    Options
	wake chan struct{}

	telling sync.Mutex // held while it is said that copies fail, or arrive again

	mu     sync.Mutex
	copies map[string]*Copy // never changed in place once they are here
}

// Open reads what is still to be sent.
func Open(ctx context.Context, o Options) (*Queue, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	q := &Queue{o: o, wake: make(chan struct{}, 1), copies: make(map[string]*Copy)}
	rows, err := o.Ledger.Copies(ctx)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		c := &Copy{}
		if err := json.Unmarshal(row, c); err != nil {
			return nil, fmt.Errorf("read a copy that waits: %w", err)
		}
		if c.State == Sending { // we ended meanwhile: it is sent again
			c.State = Waiting
		}
		q.copies[c.ID] = c
	}
	return q, nil
}

// List is all copies, the newest first.
func (q *Queue) List() []Copy {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := make([]Copy, 0, len(q.copies))
	for _, c := range q.copies {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b Copy) int { return cmp.Or(b.AddedAt.Compare(a.AddedAt), cmp.Compare(a.ID, b.ID)) })
	return out
}

// Knows reports whether there is a copy of that id.
func (q *Queue) Knows(id string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.copies[id] != nil
}

// Add notes copies and begins to send them. One that is known is left as it is.
// When too many wait, the oldest gives way: what happens now matters more.
func (q *Queue) Add(ctx context.Context, list ...Copy) error {
	var errs []error
	for _, c := range list {
		if q.Knows(c.ID) {
			continue
		}
		c.State, c.AddedAt = Waiting, q.o.Now().UTC()
		if c.DueAt.IsZero() {
			c.DueAt = c.AddedAt
		}
		if err := q.o.Source.Hold(c); err != nil {
			errs = append(errs, fmt.Errorf("hold what is to be copied: %w", err)) // it is copied all the same
		}
		if err := q.put(ctx, c); err != nil {
			errs = append(errs, err)
			continue
		}
		if old, many := q.oldest(); many {
			errs = append(errs, q.end(ctx, old, Failed, &Failure{Code: "dropped"}))
		}
	}
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return errors.Join(errs...)
}

// oldest is the one that waits for longest, and whether too many do.
func (q *Queue) oldest() (Copy, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var old *Copy
	n := 0
	for _, c := range q.copies {
		if c.over() {
			continue
		}
		if n++; c.State == Waiting && (old == nil || c.AddedAt.Before(old.AddedAt)) {
			old = c
		}
	}
	if old == nil || n <= MaxWaiting {
		return Copy{}, false
	}
	return *old, true
}

// put notes how far a copy is.
func (q *Queue) put(ctx context.Context, c Copy) error {
	data, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode a copy: %w", err)
	}
	if err := q.o.Ledger.PutCopy(ctx, c.ID, data); err != nil {
		return fmt.Errorf("note a copy: %w", err)
	}
	q.mu.Lock()
	q.copies[c.ID] = &c
	q.mu.Unlock()
	return nil
}

// end notes that nothing more happens with a copy.
func (q *Queue) end(ctx context.Context, c Copy, state State, why *Failure) error {
	c.State, c.EndedAt, c.Reason, c.Detail = state, q.o.Now().UTC(), "", ""
	if why != nil {
		c.Reason, c.Detail = why.Code, why.Detail
	}
	err := q.put(ctx, c)
	return errors.Join(err, q.o.Source.Release(c.ID), q.tidy(ctx))
}

// tidy forgets the oldest that are over.
func (q *Queue) tidy(ctx context.Context) error {
	q.mu.Lock()
	var over []*Copy
	for _, c := range q.copies {
		if c.over() && !c.Told {
			over = append(over, c)
		}
	}
	q.mu.Unlock()
	if len(over) <= maxKept {
		return nil
	}
	slices.SortFunc(over, func(a, b *Copy) int { return a.EndedAt.Compare(b.EndedAt) })
	var ids []string
	for _, c := range over[:len(over)-maxKept] {
		ids = append(ids, c.ID)
	}
	if err := q.o.Ledger.DropCopies(ctx, ids); err != nil {
		return fmt.Errorf("forget old copies: %w", err)
	}
	q.mu.Lock()
	for _, id := range ids {
		delete(q.copies, id)
	}
	q.mu.Unlock()
	return nil
}

// Run sends what is due until ctx ends. What is being sent then is sent again at
// the next start.
func (q *Queue) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	free := make(chan struct{}, workers)
	for range workers {
		free <- struct{}{}
	}
	for {
		c, wait := q.next()
		if c == nil {
			t := time.NewTimer(wait)
			select {
			case <-ctx.Done():
				t.Stop()
				return context.Cause(ctx)
			case <-q.wake:
			case <-t.C:
			}
			t.Stop()
			continue
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-free:
		}
		sending := *c
		sending.State = Sending
		sending.Tries++
		if err := q.put(ctx, sending); err != nil {
			free <- struct{}{}
			if ctx.Err() == nil {
				q.o.Logger.WarnContext(ctx, "a copy for the second place cannot be noted", "copy", c.ID, "err", err)
				pause(ctx, time.Second)
			}
			continue
		}
		wg.Go(func() {
			q.send(ctx, sending)
			free <- struct{}{}
			select {
			case q.wake <- struct{}{}:
			default:
			}
		})
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// next is the one that is due, the newest first: what happens now matters more. Without
// one it says how long to wait.
func (q *Queue) next() (*Copy, time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now, wait := q.o.Now(), time.Hour
	var best *Copy
	for _, c := range q.copies {
		if c.State != Waiting {
			continue
		}
		if d := c.DueAt.Sub(now); d > 0 {
			wait = min(wait, d)
			continue
		}
		if best == nil || cmp.Or(c.Tries-best.Tries, best.AddedAt.Compare(c.AddedAt), cmp.Compare(c.ID, best.ID)) < 0 {
			best = c
		}
	}
	return best, wait
}

// send tries once.
func (q *Queue) send(ctx context.Context, c Copy) {
	limit, done := context.WithTimeout(ctx, longestGo)
	err := q.try(limit, &c)
	done()
	if err != nil && ctx.Err() != nil {
		return // we are ending: it waits for the next start
	}
	if err := q.settle(ctx, c, err); err != nil && ctx.Err() == nil {
		q.o.Logger.WarnContext(ctx, "how far a copy is cannot be noted", "copy", c.ID, "err", err)
	}
}

func (q *Queue) try(ctx context.Context, c *Copy) error {
	place, err := q.o.Place(ctx)
	switch {
	case err != nil:
		return err
	case place == nil:
		return &Failure{Code: "dropped", Detail: "there is no second place any more"}
	}
	if err := q.deliver(ctx, c, place); err != nil {
		return err
	}
	c.Place = place.String()
	return nil
}

// settle notes what came of a try.
func (q *Queue) settle(ctx context.Context, c Copy, err error) error {
	q.telling.Lock()
	defer q.telling.Unlock()
	c.Told = q.isTold(c.ID) // it may have been taken back meanwhile
	if err == nil {
		told := q.told()
		return errors.Join(q.end(ctx, c, Done, nil), q.takeBack(ctx, told))
	}
	why, now := Why(err), q.o.Now()
	q.o.Logger.InfoContext(ctx, "a copy did not reach the second place", "copy", c.ID, "reason", why.Code, "err", err)
	switch why.Code {
	case "noPictures":
		return q.end(ctx, c, Failed, why)
	case "dropped":
		return errors.Join(q.end(ctx, c, Failed, why), q.takeBack(ctx, q.told()))
	}
	c.State, c.Reason, c.Detail, c.DueAt = Waiting, why.Code, why.Detail, now.Add(patience(c.Tries))
	var errs []error
	if (c.Tries >= tellTries || now.Sub(c.AddedAt) >= tellAfter) && len(q.told()) == 0 {
		if err := q.o.Teller.RecordingCopy(ctx, c.Camera, event.RecordingCopy{
			SiteID: c.Site, Failed: true, Reason: why.Code, Detail: why.Detail, Waiting: q.waiting(),
		}); err != nil {
			errs = append(errs, err)
		} else {
			c.Told = true
		}
	}
	if now.Sub(c.AddedAt) > tryFor {
		return errors.Join(append(errs, q.end(ctx, c, Failed, &Failure{Code: "tooLate", Detail: why.Error()}))...)
	}
	return errors.Join(append(errs, q.put(ctx, c))...)
}

// patience is how long to wait after a number of tries.
func patience(tries int) time.Duration {
	return min(2*time.Second<<min(tries-1, 10), 5*time.Minute)
}

// told are the copies of which it was said that they failed.
func (q *Queue) told() []Copy {
	q.mu.Lock()
	defer q.mu.Unlock()
	var out []Copy
	for _, c := range q.copies {
		if c.Told {
			out = append(out, *c)
		}
	}
	return out
}

func (q *Queue) isTold(id string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.copies[id] != nil && q.copies[id].Told
}

// takeBack says that copies arrive again.
func (q *Queue) takeBack(ctx context.Context, told []Copy) error {
	var errs []error
	for _, c := range told {
		if err := q.o.Teller.RecordingCopy(ctx, c.Camera, event.RecordingCopy{SiteID: c.Site, Waiting: q.waiting()}); err != nil {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, q.change(ctx, c.ID, func(c *Copy) { c.Told = false }))
	}
	return errors.Join(errs...)
}

// change changes one that is still there.
func (q *Queue) change(ctx context.Context, id string, change func(*Copy)) error {
	q.mu.Lock()
	old := q.copies[id]
	q.mu.Unlock()
	if old == nil {
		return nil
	}
	next := *old
	change(&next)
	return q.put(ctx, next)
}

func (q *Queue) waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for _, c := range q.copies {
		if !c.over() {
			n++
		}
	}
	return n
}

// Again tries at once what waits for another try, such as after the place was set
// anew.
func (q *Queue) Again(ctx context.Context) error {
	var errs []error
	now := q.o.Now().UTC()
	for _, c := range q.List() {
		if c.State == Waiting && c.Tries > 0 && c.DueAt.After(now) {
			errs = append(errs, q.change(ctx, c.ID, func(c *Copy) {
				if c.State == Waiting {
					c.DueAt = now
				}
			}))
		}
	}
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return errors.Join(errs...)
}

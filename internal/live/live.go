package live

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/rule"
)

// name is under which the journal keeps our cursor.
const name = "live"

// Journal is what is read and written of it.
type Journal interface {
	Watch(ctx context.Context, from journal.Cursor, every time.Duration) iter.Seq2[journal.Batch, error]
	Conclude(ctx context.Context, c journal.Conclusions) error
	ProjectCursor(ctx context.Context, name string) (journal.Cursor, error)
}

// Options configures a Live. Journal, DB and Detectors are needed.
type Options struct {
	Journal   Journal
	DB        *coredb.DB
	Detectors []detect.Detector
	Language  *rule.Language   // of people's rules; nil: none are followed
	Logger    *slog.Logger     // default: discard
	Now       func() time.Time // default: time.Now; only for what is stale and for figures
	// Told is called after notices were committed, by the goroutine that folds.
	Told func()
	// CheckpointEvery is how often the state is saved; default 2 min.
	CheckpointEvery time.Duration
	// Beat is how often timers are looked for while nothing happens; default 1 s.
	Beat time.Duration
}

// Live finds faults and handles them. Open it, then Run it.
type Live struct {
	o        Options
	log      *slog.Logger
	pipeline *Pipeline
	folding  sync.Mutex // held by Run while it folds; others look at remedies

	seq     uint64    // of the last event folded
	clock   time.Time // all timers due by then have fired
	saver   saver
	savedAt time.Time // when the cursor was last committed

	view    atomic.Pointer[View]
	changed atomic.Pointer[chan struct{}]
	rules   atomic.Pointer[[]rule.Status]
	rulesAt time.Time // when they were last looked at
	guards  atomic.Pointer[guards]
	sources struct {
		sync.Mutex
		list map[string]detect.Sources // nobody changes it
		at   time.Time
	}
	stats stats

	mu      sync.Mutex
	follows map[chan *incident.Incident]struct{}
}

// View is an immutable picture of what is open.
type View struct {
	Seq  uint64 // events up to here are in it
	At   time.Time
	open openSet
	list func() []*incident.Incident // open in one list, made when it is first asked for
}

// Open are the incidents that are not closed, in the order of their ids. The list
// is everybody's: nobody changes it.
func (v *View) Open() []*incident.Incident { return v.list() }

// Len is how many they are.
func (v *View) Len() int { return v.open.count }

// saveEvery bounds how long a cursor without conclusions stays uncommitted.
const saveEvery = 10 * time.Second

// staleAfter is how old a conclusion may be and still send people or commands
// out: what is folded later is history.
const staleAfter = 10 * time.Minute

// Open loads the last checkpoint and folds up to where conclusions were
// committed, saying nothing.
func Open(ctx context.Context, o Options) (*Live, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.CheckpointEvery <= 0 {
		o.CheckpointEvery = 2 * time.Minute
	}
	if o.Beat <= 0 {
		o.Beat = time.Second
	}
	l := &Live{o: o, log: o.Logger, pipeline: NewPipeline(o.Detectors)}
	if o.Language != nil {
		l.pipeline.Rules = rule.New(o.Language)
	}
	l.changed.Store(new(make(chan struct{})))
	if err := l.load(ctx); err != nil {
		return nil, fmt.Errorf("load what detection knew: %w", err)
	}
	l.look()
	l.showRules(l.o.Now())
	l.showGuards()
	return l, nil
}

// Run follows the journal until ctx ends, and saves.
func (l *Live) Run(ctx context.Context) error {
	for batch, err := range l.o.Journal.Watch(ctx, journal.CursorAt(l.seq), l.o.Beat) {
		if err != nil && ctx.Err() != nil {
			break
		}
		if err != nil {
			return fmt.Errorf("follow the journal: %w", err)
		}
		if err := l.take(ctx, batch); err != nil {
			if ctx.Err() != nil || errors.Is(err, journal.ErrClosed) {
				return nil // what was not committed is concluded again; so nothing of it is saved
			}
			return err
		}
	}
	return l.leave(context.WithoutCancel(ctx))
}

// take folds a batch and commits what follows from it.
func (l *Live) take(ctx context.Context, batch journal.Batch) error {
	var out Conclusions
	begun := time.Now()
	l.folding.Lock()
	for _, e := range batch.Events {
		l.pipeline.Apply(e, l.quiet(e.Seq, &out))
		l.seq = e.Seq
		if e.Seq == l.saver.quietSeq {
			l.pipeline.Advance(l.saver.quietClock, &Conclusions{})
		}
	}
	if n := len(batch.Events); n > 0 {
		l.clock = later(l.clock, batch.Events[n-1].RecordedAt)
	}
	if !batch.Now.IsZero() {
		l.pipeline.Advance(batch.Now, &out)
		l.clock = later(l.clock, batch.Now)
	}
	l.folding.Unlock()
	l.stats.folded(len(batch.Events), time.Since(begun))
	l.showGuards()
	now := l.o.Now()
	// What is folded again after a restart without a checkpoint was committed: how
	// far that is must not be forgotten.
	ahead := l.seq >= l.saver.quietSeq && now.Sub(l.savedAt) >= saveEvery
	if !out.Empty() || ahead {
		if err := l.commit(ctx, &out); err != nil {
			return err
		}
		l.savedAt = now
	}
	l.stats.concluded(&out)
	if len(out.Notices) > 0 && l.o.Told != nil {
		l.o.Told()
	}
	for _, err := range out.Faults {
		l.log.ErrorContext(ctx, "detection failed on an event and went on", "err", err)
	}
	if len(batch.Events) > 0 && batch.Events[0].Seq <= l.saver.quietSeq { // of what was concluded before nothing was told
		l.look()
		l.tell(out.Changed)
	} else if len(out.Changed) > 0 {
		l.show(out.Changed)
		l.tell(out.Changed)
	} else {
		l.reach()
	}
	l.showRules(now)
	return l.saveIfDue(ctx, now)
}

// quiet returns where conclusions of an event go: nowhere if they were committed
// before the restart.
func (l *Live) quiet(seq uint64, out *Conclusions) *Conclusions {
	if seq <= l.saver.quietSeq {
		return &Conclusions{}
	}
	return out
}

// commit stores conclusions with the cursor, as often as it takes.
func (l *Live) commit(ctx context.Context, out *Conclusions) error {
	c := journal.Conclusions{Name: name, Cursor: journal.CursorAt(l.seq), Events: out.events(), Write: func(tx *sql.Tx) error {
		return l.write(tx, out)
	}}
	stale := l.o.Now().Add(-staleAfter)
	for _, in := range out.Intents {
		if in.Expires.After(l.o.Now()) {
			c.Intents = append(c.Intents, in)
		}
	}
	fresh := out.Notices[:0]
	for _, n := range out.Notices {
		if n.At.After(stale) {
			fresh = append(fresh, n)
		}
	}
	out.Notices = fresh
	if err := journal.Insist(ctx, func() error { return l.o.Journal.Conclude(ctx, c) }); err != nil {
		return fmt.Errorf("commit conclusions: %w", err)
	}
	return nil
}

// leave saves the state when the server stops: the next start has less to fold.
func (l *Live) leave(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if err := l.save(limited); err != nil && !errors.Is(err, journal.ErrClosed) {
		return fmt.Errorf("save what detection knows: %w", err)
	}
	return nil
}

// View is what is open now.
func (l *Live) View() *View { return l.view.Load() }

// Open returns the incidents that are not closed, in a list that is the caller's.
func (l *Live) Open() []*incident.Incident { return slices.Clone(l.View().Open()) }

// Rules tells how each rule does; it is at most a second old.
func (l *Live) Rules() []rule.Status {
	if list := l.rules.Load(); list != nil {
		return *list
	}
	return nil
}

func (l *Live) showRules(now time.Time) {
	if l.pipeline.Rules == nil || now.Sub(l.rulesAt) < time.Second {
		return
	}
	l.rulesAt = now
	list := l.pipeline.Rules.Statuses()
	l.rules.Store(&list)
}

// Changed returns a channel that is closed at the next view.
func (l *Live) Changed() <-chan struct{} { return *l.changed.Load() }

// Reached waits until the view includes an event.
func (l *Live) Reached(ctx context.Context, seq uint64) error {
	for {
		wake := l.Changed()
		if l.View().Seq >= seq {
			return nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func newView(seq uint64, at time.Time, open openSet) *View {
	return &View{Seq: seq, At: at, open: open, list: sync.OnceValue(open.all)}
}

// look publishes a view of all that the fold holds.
func (l *Live) look() {
	l.publish(newView(l.seq, l.clock, newOpenSet(l.pipeline.Incidents.Open())))
}

// show publishes a view with what changed; the rest of it is the one before.
func (l *Live) show(changed []*incident.Incident) {
	l.publish(newView(l.seq, l.clock, l.view.Load().open.with(changed)))
}

// reach moves the view on without another look at the incidents.
func (l *Live) reach() {
	was := l.view.Load()
	l.publish(&View{Seq: l.seq, At: l.clock, open: was.open, list: was.list})
}

func (l *Live) publish(v *View) {
	l.view.Store(v)
	next := new(make(chan struct{}))
	close(*l.changed.Swap(next))
}

// followQueue bounds what waits for a follower; one that is slower is cut off.
const followQueue = 4096

// Follow yields incidents as they change until ctx ends. One that falls behind
// gets ErrSlow and starts again from the View.
func (l *Live) Follow(ctx context.Context) iter.Seq2[*incident.Incident, error] {
	return func(yield func(*incident.Incident, error) bool) {
		ch := make(chan *incident.Incident, followQueue)
		l.mu.Lock()
		if l.follows == nil {
			l.follows = make(map[chan *incident.Incident]struct{})
		}
		l.follows[ch] = struct{}{}
		l.mu.Unlock()
		defer func() {
			l.mu.Lock()
			delete(l.follows, ch)
			l.mu.Unlock()
		}()
		for {
			select {
			case in, ok := <-ch:
				if !ok {
					yield(nil, ErrSlow)
					return
				}
				if !yield(in, nil) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

// ErrSlow ends a Follow that fell behind.
var ErrSlow = errors.New("too slow for the changes of incidents")

func (l *Live) tell(changed []*incident.Incident) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for ch := range l.follows {
		for _, in := range changed {
			select {
			case ch <- in:
			default:
				delete(l.follows, ch)
				close(ch)
			}
			if _, still := l.follows[ch]; !still {
				break
			}
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

package onvif

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Watched is a camera whose events are followed.
type Watched struct {
	ID     string
	Device Device
	// MainURL is its stream: a recorder with many cameras tells their events apart by
	// the source of the profile that has it.
	MainURL string
}

// WatchOptions configures a Watch.
type WatchOptions struct {
	Client *Client
	// Report is told what cameras see. An error is logged; it is not told again.
	Report func(ctx context.Context, camera string, s Sighting) error
	Logger *slog.Logger
	Now    func() time.Time // default: time.Now
}

// Watch follows the events of cameras.
type Watch struct {
	o WatchOptions

	mu     sync.Mutex
	wanted []Watched
	woken  chan struct{}
	states map[string]Status
}

// Status is how far the following of a camera is.
type Status struct {
	// State is connecting, listening, unsupported, unauthorized or failing.
	State string
	// ClockOffset is how far the camera's clock is ahead of ours.
	ClockOffset time.Duration
	HeardAt     time.Time // the last answer of it
	// Event is what it saw last, and when.
	EventAt time.Time
	Event   event.SceneKind
	// Since is when it came into this state.
	Since  time.Time
	Detail string
}

// The states.
const (
	Connecting   = "connecting"
	Listening    = "listening"
	Unsupported  = "unsupported"
	Unauthorized = "unauthorized"
	Failing      = "failing"
)

// NewWatch returns a watch over no camera.
func NewWatch(o WatchOptions) *Watch {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Watch{o: o, woken: make(chan struct{}), states: make(map[string]Status)}
}

// Apply says which cameras are followed from now on.
func (w *Watch) Apply(list []Watched) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wanted = slices.Clone(list)
	close(w.woken)
	w.woken = make(chan struct{})
}

// Status returns how far the following of a camera is.
func (w *Watch) Status(id string) (Status, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, ok := w.states[id]
	return s, ok
}

func (w *Watch) note(id string, change func(*Status)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.states[id]
	was := s.State
	change(&s)
	if s.State != was {
		s.Since = w.o.Now()
	}
	w.states[id] = s
}

// Run follows until ctx ends.
func (w *Watch) Run(ctx context.Context) error {
	type running struct {
		of   Watched
		stop context.CancelFunc
		done chan struct{}
	}
	all := make(map[string]running)
	defer func() {
		for _, r := range all {
			r.stop()
			<-r.done
		}
	}()
	for {
		w.mu.Lock()
		wanted, woken := w.wanted, w.woken
		w.mu.Unlock()
		for id, r := range all {
			if !slices.Contains(wanted, r.of) {
				r.stop()
				<-r.done
				delete(all, id)
				w.mu.Lock()
				delete(w.states, id)
				w.mu.Unlock()
			}
		}
		for _, x := range wanted {
			if _, ok := all[x.ID]; ok {
				continue
			}
			own, stop := context.WithCancel(ctx)
			r := running{x, stop, make(chan struct{})}
			all[x.ID] = r
			go func() {
				defer close(r.done)
				w.follow(own, x)
			}()
		}
		select {
		case <-woken:
		case <-ctx.Done():
			return nil
		}
	}
}

// How often is tried again.
const (
	retryFirst = 2 * time.Second
	retryMost  = time.Minute
	// A device without events may get them with new firmware.
	retryUnsupported  = 24 * time.Hour
	retryUnauthorized = 10 * time.Minute
)

// follow keeps a subscription to one camera.
func (w *Watch) follow(ctx context.Context, x Watched) {
	wait := retryFirst
	for ctx.Err() == nil {
		w.note(x.ID, func(s *Status) {
			if s.State == "" {
				s.State = Connecting
			}
		})
		heard, err := w.listen(ctx, x)
		if ctx.Err() != nil {
			return
		}
		if heard {
			wait = retryFirst
		}
		state, pause := Failing, wait+rand.N(wait/2)
		switch {
		case errors.Is(err, ErrUnsupported):
			state, pause = Unsupported, retryUnsupported
		case errors.Is(err, ErrUnauthorized):
			// More tries would lock the account of some cameras.
			state, pause = Unauthorized, retryUnauthorized
		}
		w.note(x.ID, func(s *Status) { s.State, s.Detail = state, clean(err.Error()) })
		w.o.Logger.DebugContext(ctx, "the events of a camera are not followed", "camera", x.ID, "state", state, "err", err)
		wait = min(2*wait, retryMost)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// Bounds of a subscription.
const (
	askedGrant   = 2 * time.Minute
	shortGrant   = 10 * time.Second
	longGrant    = 10 * time.Minute
	pullFor      = 20 * time.Second
	pullMessages = 50
	// quickPause is the least time from one answer to the next question: a device that
	// answers at once without end is not asked without end.
	quickPause = 50 * time.Millisecond
	emptyPause = time.Second
	// reportsPerMinute bounds what one device may say.
	reportsPerMinute = 120
)

const eventsNS = `xmlns="http://www.onvif.org/ver10/events/wsdl"`

// listen subscribes and reads until something fails.
func (w *Watch) listen(ctx context.Context, x Watched) (heard bool, err error) {
	s, err := w.o.Client.open(ctx, x.Device)
	if err != nil {
		return false, err
	}
	media, events, err := s.services(ctx)
	if err != nil {
		return false, err
	}
	if events == nil {
		return false, fmt.Errorf("events: %w", ErrUnsupported)
	}
	own := s.ownSources(ctx, media, x.MainURL)
	answer, err := s.ask(ctx, events, `<CreatePullPointSubscription `+eventsNS+`><InitialTerminationTime>`+period(askedGrant)+`</InitialTerminationTime></CreatePullPointSubscription>`)
	if err != nil {
		return false, fmt.Errorf("subscribe: %w", err)
	}
	point := s.service(answer.at("SubscriptionReference", "Address").value())
	if point == nil {
		point = events // some have one point for all
	}
	defer s.unsubscribe(ctx, point)
	granted := w.o.Now()
	grant := grantOf(answer)
	seen := newScenes(func() string { return "onvif-" + sceneID() })
	budget := newBudget()
	report := func(list ...Sighting) {
		for _, scene := range list {
			if err := w.o.Report(context.WithoutCancel(ctx), x.ID, scene); err != nil {
				w.o.Logger.WarnContext(ctx, "what a camera saw is not told", "camera", x.ID, "err", err)
			}
		}
	}
	defer func() {
		for _, scene := range seen.end() {
			report(Sighting{Scene: scene})
		}
	}()
	w.note(x.ID, func(st *Status) { st.State, st.Detail, st.ClockOffset = Listening, "", s.offset })
	for {
		asked := w.o.Now()
		list, err := s.pull(ctx, point, min(pullFor, grant/4))
		if err != nil {
			return heard, fmt.Errorf("events: %w", err)
		}
		heard = true
		now := w.o.Now()
		w.note(x.ID, func(st *Status) { st.HeardAt = now })
		for _, e := range list {
			n, ok := read(e)
			if !ok || !ownEvent(own, n.source) || !budget.take(now) {
				continue
			}
			if scene, changes := seen.take(n, when(n.at, s.offset, now)); changes {
				report(Sighting{Scene: scene, Plate: n.plate, Box: n.box})
				w.note(x.ID, func(st *Status) { st.EventAt, st.Event = now, scene.What })
			}
		}
		if now.Sub(granted) >= grant/2 {
			answer, err := s.ask(ctx, point, `<Renew xmlns="http://docs.oasis-open.org/wsn/b-2"><TerminationTime>`+period(askedGrant)+`</TerminationTime></Renew>`)
			if err != nil {
				return heard, fmt.Errorf("renew: %w", err)
			}
			granted, grant = now, grantOf(answer)
		}
		pause := quickPause
		if len(list) == 0 && now.Sub(asked) < emptyPause {
			pause = emptyPause
		}
		select {
		case <-ctx.Done():
			return heard, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// pull waits for events.
func (s *session) pull(ctx context.Context, point *url.URL, long time.Duration) ([]*element, error) {
	ctx, cancel := context.WithTimeout(ctx, long+callFor)
	defer cancel()
	answer, err := s.call(ctx, point, fmt.Sprintf(`<PullMessages %s><Timeout>%s</Timeout><MessageLimit>%d</MessageLimit></PullMessages>`, eventsNS, period(long), pullMessages), true)
	if err != nil {
		return nil, err
	}
	return answer.all("NotificationMessage"), nil
}

// unsubscribe is a courtesy: devices have room for a few.
func (s *session) unsubscribe(ctx context.Context, point *url.URL) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	_, _ = s.call(ctx, point, `<Unsubscribe xmlns="http://docs.oasis-open.org/wsn/b-2"/>`, true) // it ends by itself otherwise
}

// ownSources are the tokens by which a device names what a stream is taken with;
// none: it has one camera, or the stream is not among its profiles.
func (s *session) ownSources(ctx context.Context, media *url.URL, stream string) []string {
	want, err := url.Parse(stream)
	if err != nil || media == nil || stream == "" {
		return nil
	}
	list, err := s.profiles(ctx, media)
	if err != nil {
		return nil
	}
	var own []string
	several := false
	for _, p := range list {
		several = several || p.source != list[0].source
		if u, err := url.Parse(p.StreamURL); err == nil && p.StreamURL != "" && u.Path == want.Path && u.RawQuery == want.RawQuery {
			own = append(own, p.sourceConfiguration, p.source)
		}
	}
	if !several {
		return nil
	}
	return own
}

// ownEvent reports whether an event is of our camera.
func ownEvent(own, source []string) bool {
	return len(own) == 0 || len(source) == 0 || slices.ContainsFunc(source, func(t string) bool { return slices.Contains(own, t) })
}

// grantOf is how long a subscription holds, by the device's own two times.
func grantOf(answer *element) time.Duration {
	from, err := time.Parse(time.RFC3339Nano, answer.child("CurrentTime").value())
	until, bad := time.Parse(time.RFC3339Nano, answer.child("TerminationTime").value())
	if err != nil || bad != nil {
		return time.Minute
	}
	return min(max(until.Sub(from), shortGrant), longGrant)
}

// when corrects a device's time; what is not plausible is now.
func when(at time.Time, offset time.Duration, now time.Time) time.Time {
	at = at.Add(-offset)
	if at.Before(now.Add(-time.Minute)) || at.After(now.Add(time.Second)) {
		return now
	}
	return at
}

func period(d time.Duration) string { return fmt.Sprintf("PT%dS", max(int(d.Seconds()), 1)) }

// budget bounds what is reported in a minute.
type budget struct {
	from time.Time
	n    int
}

func newBudget() *budget { return &budget{} }

func (b *budget) take(now time.Time) bool {
	if now.Sub(b.from) >= time.Minute {
		b.from, b.n = now, 0
	}
	b.n++
	return b.n <= reportsPerMinute
}

func sceneID() string { return fmt.Sprintf("%016x", rand.Uint64()) }

package camera

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// paper is a journal that can be away.
type paper struct {
	mu     sync.Mutex
	away   bool
	events []*event.Event
}

func (p *paper) Append(_ context.Context, e *event.Event) (fleet.Receipt, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.away {
		return fleet.Receipt{}, errors.New("not now")
	}
	p.events = append(p.events, e)
	return fleet.Receipt{}, nil
}

func (p *paper) said() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, e := range p.events {
		b := e.Body.(*event.CameraState)
		out = append(out, strings.TrimSpace(e.Subject.ID+" "+string(b.State)+" "+b.Reason))
	}
	return out
}

// device stands for a camera over virtual time: it plays at 10 pictures a second
// while its mode says so.
type device struct {
	mode   atomic.Pointer[string] // play, silent, refuse, password
	target atomic.Pointer[stream.Target]
	runs   atomic.Int32
	once   atomic.Int32 // runs at the same time
	units  atomic.Uint64
	frame  atomic.Int64
	on     atomic.Bool
	hub    *stream.Hub
}

func (d *device) set(mode string)          { d.mode.Store(&mode) }
func (d *device) Retarget(t stream.Target) { d.target.Store(&t) }

func (d *device) Health() stream.Health {
	h := stream.Health{Connected: d.on.Load(), Units: d.units.Load(), Bytes: d.units.Load() * 1000}
	if at := d.frame.Load(); at != 0 {
		h.FrameAt = time.Unix(0, at)
	}
	return h
}

func (d *device) Run(ctx context.Context) error {
	d.runs.Add(1)
	if d.once.Add(1) != 1 {
		panic("a source runs twice at once")
	}
	defer d.once.Add(-1)
	defer d.on.Store(false)
	t := time.NewTicker(100 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case now := <-t.C:
			switch *d.mode.Load() {
			case "refuse":
				return &stream.Failure{Reason: stream.ReasonRefused}
			case "password":
				return &stream.Failure{Reason: stream.ReasonAuthentication}
			case "play":
				d.frame.Store(now.UnixNano())
				d.units.Add(1)
				d.hub.Publish(&stream.Unit{Key: true, ReceivedAt: now})
			}
			d.on.Store(true)
		}
	}
}

// site is a service with devices instead of a network.
type site struct {
	*Service
	paper   *paper
	mu      sync.Mutex
	devices map[string]*device // by address
}

func newSite(t *testing.T, o Options) *site {
	s := &site{paper: &paper{}, devices: map[string]*device{}}
	o.Journal = s.paper
	s.Service = New(o)
	s.open = func(o stream.SourceOptions) source {
		s.mu.Lock()
		defer s.mu.Unlock()
		d := &device{hub: o.Hub}
		d.set("play")
		d.Retarget(o.Target)
		s.devices[o.URL] = d
		return d
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return s
}

func (s *site) at(url string) *device {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.devices[url]
}

func cam(id string) Config {
	return Config{ID: id, SiteID: "s", Main: stream.Target{URL: id + "/main"}, Sub: stream.Target{URL: id + "/sub"}, Recording: Continuous}
}

func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestACameraIsFollowedWhateverItDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, Options{})
		synctest.Wait()
		s.Apply([]Config{cam("a"), cam("b")})
		pass(2 * time.Second)
		a := s.at("a/main")
		a.set("refuse")
		pass(20 * time.Second)
		if st, _ := s.Camera("a"); st.State != event.CameraOffline || st.Reason != "refused" {
			t.Errorf("a is %s, %s", st.State, st.Reason)
		}
		tries := a.runs.Load()
		if tries < 4 || tries > 8 {
			t.Errorf("%d tries in 20 s", tries)
		}
		pass(time.Hour)
		if n := a.runs.Load() - tries; n < 90 || n > 170 {
			t.Errorf("%d tries in an hour", n)
		}
		a.set("play")
		pass(time.Minute)
		want := []string{"a live", "b live", "a stalled refused", "a offline refused", "a live"}
		if got := s.paper.said(); !slices.Equal(got, want) {
			t.Errorf("said %v, want %v", got, want)
		}
		if b := s.at("b/main"); b.runs.Load() != 1 {
			t.Errorf("the other camera was connected to %d times", b.runs.Load())
		}
		if st, _ := s.Camera("b"); st.Main.UnitsPerSecond < 9 || st.Main.UnitsPerSecond > 11 || st.Main.BitsPerSecond < 70_000 {
			t.Errorf("b has %v pictures a second", st.Main.UnitsPerSecond)
		}
	})
}

func TestARestartTellsOnlyWhatChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var back []string
		s := newSite(t, Options{
			Told: func(id string) event.CameraCondition {
				return map[string]event.CameraCondition{"same": event.CameraLive, "better": event.CameraOffline}[id]
			},
			Changed: func(_ context.Context, id string) {
				mu.Lock()
				defer mu.Unlock()
				back = append(back, id)
			},
		})
		synctest.Wait()
		s.Apply([]Config{cam("same"), cam("better"), cam("fresh")})
		pass(5 * time.Second)
		want := []string{"better live", "fresh live"}
		if got := s.paper.said(); !slices.Equal(got, want) {
			t.Errorf("said %v, want %v", got, want)
		}
		mu.Lock()
		defer mu.Unlock()
		if !slices.Equal(back, []string{"same"}) {
			t.Errorf("those who look on heard of %v", back)
		}
	})
}

func TestAnAccountIsNotLockedByTrying(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, Options{})
		synctest.Wait()
		s.Apply([]Config{cam("a")})
		a := s.at("a/main")
		a.set("password")
		pass(10 * time.Minute)
		if n := a.runs.Load(); n > 8 {
			t.Errorf("%d tries in 10 minutes", n)
		}
		c := cam("a")
		c.Main.Password = "new"
		before := a.runs.Load()
		a.set("play")
		s.Apply([]Config{c})
		pass(3 * time.Second)
		if a.runs.Load() != before+1 || a.target.Load().Password != "new" {
			t.Errorf("the new password was not tried at once: %d", a.runs.Load()-before)
		}
		if st, _ := s.Camera("a"); st.State != event.CameraLive {
			t.Errorf("it is %s, %s", st.State, st.Reason)
		}
	})
}

func TestASubStreamIsPulledWhileSomebodyLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, Options{})
		synctest.Wait()
		s.Apply([]Config{cam("a")})
		pass(time.Second)
		sub := s.at("a/sub")
		if sub.runs.Load() != 0 {
			t.Error("it is pulled for nobody")
		}
		hub, release, err := s.Hub("a", Sub)
		if err != nil {
			t.Fatal(err)
		}
		r := hub.Follow(stream.FollowOptions{})
		if _, err := r.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.Close()
		release()
		release()
		pass(linger / 2)
		_, again, err := s.Hub("a", Sub)
		if err != nil {
			t.Fatal(err)
		}
		pass(2 * linger)
		if !sub.on.Load() || sub.runs.Load() != 1 {
			t.Errorf("the next one to look found it on %v, in connection %d", sub.on.Load(), sub.runs.Load())
		}
		again()
		pass(2 * linger)
		if sub.on.Load() {
			t.Error("it is pulled for nobody")
		}
		if !s.at("a/main").on.Load() {
			t.Error("the main stream is not pulled")
		}
		for _, x := range [][2]string{{"z", Main}, {"a", "other"}} {
			if _, _, err := s.Hub(x[0], x[1]); err == nil {
				t.Errorf("%v has a hub", x)
			}
		}
	})
}

// eye is a tap.
type eye struct {
	stream string
	mu     sync.Mutex
	on     map[string]int
	began  int
}

func (e *eye) Wants(c Config, name string) bool { return name == e.stream && c.Recording != Never }

func (e *eye) Follow(ctx context.Context, c Config, _ string, _ *stream.Hub) {
	e.add(c.ID, 1)
	<-ctx.Done()
	e.add(c.ID, -1)
}

func (e *eye) add(id string, n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.on == nil {
		e.on = map[string]int{}
	}
	e.on[id] += n
	if n > 0 {
		e.began++
	}
}

func TestAChangeDisturbsNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &eye{stream: Sub}
		s := newSite(t, Options{Taps: []Tap{e}})
		synctest.Wait()
		s.Apply([]Config{cam("a"), cam("b"), cam("c")})
		pass(time.Second)
		hub, release, err := s.Hub("a", Main)
		if err != nil {
			t.Fatal(err)
		}
		defer release()
		r := hub.Follow(stream.FollowOptions{Buffer: 1000})
		a, b, c := cam("a"), cam("b"), cam("c")
		a.Main.URL = "a/elsewhere"
		b.Recording = Never
		c.Label = "Gate"
		s.Apply([]Config{a, b, c})
		pass(3 * time.Second)
		if got := *s.at("a/main").target.Load(); got.URL != "a/elsewhere" || s.at("a/main").runs.Load() != 2 {
			t.Errorf("a is at %s, connection %d", got.URL, s.at("a/main").runs.Load())
		}
		if r.Behind() == 0 {
			t.Error("who followed a has lost it")
		}
		if s.at("b/main").runs.Load() != 1 || s.at("c/main").runs.Load() != 1 || s.at("c/sub").runs.Load() != 1 {
			t.Error("a stream was interrupted for nothing")
		}
		pass(2 * linger)
		if s.at("b/sub").on.Load() || e.on["b"] != 0 || e.on["a"] != 1 || e.on["c"] != 1 || e.began != 3 {
			t.Errorf("taps %v, began %d", e.on, e.began)
		}
		s.Apply([]Config{b, c})
		for {
			if _, err := r.Next(t.Context()); errors.Is(err, stream.ErrClosed) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if _, ok := s.Camera("a"); ok || len(s.Cameras()) != 2 || e.on["a"] != 0 {
			t.Error("a is still there")
		}
	})
}

// disk writes what it is told to.
type disk struct{ bytes, every atomic.Uint64 }

func (d *disk) Recorded(string) (uint64, bool, string) {
	return d.bytes.Add(d.every.Load()), true, "disk"
}

func TestPicturesThatNobodyWritesAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{}
		d.every.Store(1)
		s := newSite(t, Options{Recorder: d})
		synctest.Wait()
		s.Apply([]Config{cam("a")})
		pass(30 * time.Second)
		d.every.Store(0)
		pass(15 * time.Second)
		d.every.Store(1)
		pass(2 * time.Second)
		s.Tampered("a", "covered", time.Now())
		pass(time.Second)
		s.Tampered("a", "", time.Now())
		pass(time.Second)
		want := []string{"a live", "a notRecording disk", "a live", "a tampered covered", "a live"}
		if got := s.paper.said(); !slices.Equal(got, want) {
			t.Errorf("said %v, want %v", got, want)
		}
	})
}

func TestWhatTheJournalMissedIsToldWhenItIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, Options{Logger: slog.New(slog.DiscardHandler)})
		synctest.Wait()
		s.paper.away = true
		s.Apply([]Config{cam("a")})
		pass(5 * time.Second)
		s.at("a/main").set("silent")
		pass(time.Minute)
		s.paper.mu.Lock()
		s.paper.away = false
		s.paper.mu.Unlock()
		pass(3 * time.Second)
		if got := s.paper.said(); !slices.Equal(got, []string{"a offline noFrames"}) {
			t.Errorf("said %v", got)
		}
	})
}

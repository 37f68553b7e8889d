package record_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/camera/record/recordtest"
	"github.com/chargewatch/chargewatch/internal/camera/segment"
	"github.com/chargewatch/chargewatch/internal/camera/stream"
	"github.com/chargewatch/chargewatch/internal/event"
)

var yard = record.Source{Camera: "yard-1", Stream: "main"}

func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// told remembers the gaps that were told.
type told struct {
	mu   sync.Mutex
	gaps []event.RecordingGap
	kept []string // of retention
}

func (t *told) RecordingRetention(_ context.Context, camera string, r event.RecordingRetention) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, fmt.Sprintf("%s short=%v by=%s cameras=%d %.1f of %.1f", camera, r.Short, r.LimitedBy, r.Cameras, r.EffectiveDays, r.PromisedDays))
	return nil
}

func (t *told) RecordingGap(_ context.Context, _ string, g event.RecordingGap) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.gaps = append(t.gaps, g)
	return nil
}

// studio is a store with one camera before it, whose time is that of its
// pictures.
type studio struct {
	t     *testing.T
	Store *record.Store
	data  *os.Root
	told  told
	now   atomic.Int64
	cam   *recordtest.Camera
	hub   *stream.Hub
	rec   *record.Recorder
	stop  func()
	run   func()
	o     record.Options
	again *studio // that runs since the last cut
}

func open(t *testing.T, folder string, o record.Options) *studio {
	t.Helper()
	data, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	s := &studio{t: t, data: data}
	s.now.Store(noon().UnixNano())
	o.Data, o.Teller = data, &s.told
	o.Now = func() time.Time { return time.Unix(0, s.now.Load()) }
	s.o = o
	s.Store, err = record.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Store.Run(ctx) }()
	s.run = sync.OnceFunc(func() {
		cancel()
		<-done
		if err := s.Store.Close(context.Background()); err != nil {
			t.Error(err)
		}
		_ = data.Close()
	})
	t.Cleanup(func() {
		if s.stop != nil {
			s.stop()
		}
		s.run()
	})
	return s
}

// film starts to record a camera that shows a clip from a time on.
func (s *studio) film(clip string, at time.Time, mode record.Mode, why string) {
	s.t.Helper()
	var err error
	if s.cam, err = recordtest.New(clip, at); err != nil {
		s.t.Fatal(err)
	}
	s.hub = &stream.Hub{}
	if s.rec, err = s.Store.Recorder(s.t.Context(), record.Plan{Source: yard, Site: "hh", Mode: mode, Why: func() string { return why }}); err != nil {
		s.t.Fatal(err)
	}
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { done <- s.rec.Run(ctx, s.hub) }()
	for s.hub.Readers() == 0 {
		time.Sleep(time.Millisecond)
	}
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
	})
}

// play shows what a camera shows in a time.
func (s *studio) play(d time.Duration) {
	for n := int(d / recordtest.Frame); n > 0; n -= 100 {
		s.now.Store(s.cam.Now().UnixNano())
		recordtest.Play(s.hub, s.cam, min(n, 100), func() uint64 { return s.rec.Status().Units })
	}
	s.now.Store(s.cam.Now().UnixNano())
}

// cutOff ends recording and waits until all is in the index.
func (s *studio) cutOff() {
	s.stop()
	s.run()
	again := open(s.t, s.data.Name(), s.o)
	s.Store, s.run, s.data, s.again = again.Store, again.run, again.data, again
	again.now.Store(s.now.Load())
}

func (s *studio) segments(from, to time.Time) []*record.Segment {
	s.t.Helper()
	list, err := s.Store.Segments(s.t.Context(), yard, from, to, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}

func (s *studio) recordings(from, to time.Time) *record.Recordings {
	s.t.Helper()
	r, err := s.Store.Recordings(s.t.Context(), yard, from, to)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func TestPicturesBecomeChainedMinutesThatBeginWithKeyPictures(t *testing.T) {
	for _, clip := range []string{recordtest.Plain, recordtest.Between, recordtest.HEVC} {
		t.Run(clip, func(t *testing.T) {
			s := open(t, t.TempDir(), record.Options{})
			s.film(clip, noon(), record.Always, "")
			s.play(3*time.Minute + 10*time.Second)
			s.cutOff()
			list := s.segments(noon(), noon().Add(time.Hour))
			if len(list) != 4 {
				t.Fatalf("%d segments", len(list))
			}
			var link segment.Sum
			for i, g := range list {
				if want := noon().Add(time.Duration(i) * time.Minute); g.Start.Sub(want).Abs() > time.Millisecond {
					t.Errorf("segment %d begins %v", i, g.Start)
				}
				if i < 3 && list[i+1].Start.Sub(g.End).Abs() > time.Millisecond {
					t.Errorf("segment %d ends %v, the next begins %v", i, g.End, list[i+1].Start)
				}
				if g.Seq != uint64(i+1) || g.Prev != link || g.Link != g.Entry().Link() {
					t.Errorf("segment %d is not the next link", i)
				}
				link = g.Link
				if !g.Run.Equal(noon()) || segment.Duration(g.Offset).Round(time.Millisecond) != time.Duration(i)*time.Minute {
					t.Errorf("segment %d is %v after %v", i, segment.Duration(g.Offset), g.Run)
				}
				if i < 3 && len(g.Keys) != 30 || g.Keys[0].Ticks != 0 || !g.Keys[0].At.Equal(g.Start) {
					t.Errorf("segment %d: %d keys, first %+v", i, len(g.Keys), g.Keys[0])
				}
				s.whole(g)
			}
			r := s.recordings(noon().Add(-time.Hour), noon().Add(time.Hour))
			if len(r.Spans) != 1 || len(r.Gaps) != 0 || r.Spans[0].To.Sub(noon()).Round(100*time.Millisecond) != 190*time.Second {
				t.Errorf("recordings %+v", r)
			}
		})
	}
}

// whole reads a file and compares it with its row.
func (s *studio) whole(g *record.Segment) {
	s.t.Helper()
	f, err := s.Store.Open(g)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	pictures, keys, longest := 0, 0, time.Duration(0)
	o, end, err := segment.Scan(f, g.Bytes, func(p *segment.Part) error {
		pictures += len(p.Pictures)
		longest = max(longest, segment.Duration(p.Length))
		if p.Pictures[0].Key {
			k := g.Keys[keys]
			if k.Offset != p.Offset || k.Ticks != p.Base || k.At.Sub(p.At).Abs() > 2*time.Microsecond {
				s.t.Errorf("key %d: %+v, the file says %d %d %v", keys, k, p.Offset, p.Base, p.At)
			}
			keys++
		}
		return nil
	})
	if err != nil || end != g.Bytes || keys != len(g.Keys) {
		s.t.Fatalf("scan: %v, %d of %d bytes, %d of %d keys", err, end, g.Bytes, keys, len(g.Keys))
	}
	if o.Camera != g.Camera || o.Seq != g.Seq || o.Prev != g.Prev {
		s.t.Errorf("head %+v", o.Head)
	}
	if longest > 1100*time.Millisecond {
		s.t.Errorf("a part of %v", longest)
	}
	if want := int(g.End.Sub(g.Start).Seconds()*recordtest.FPS + 0.5); pictures != want {
		s.t.Errorf("%d pictures in %v", pictures, g.End.Sub(g.Start))
	}
}

func TestATimeWithoutPicturesIsAGapWithItsReason(t *testing.T) {
	for sentence, c := range map[string]struct {
		lose   func(*studio)
		why    string
		reason string
	}{
		"the connection broke off, and the camera's condition says why": {func(s *studio) { s.cam.Skip(37 * time.Second) }, "unreachable", "unreachable"},
		"the connection broke off":                                      {func(s *studio) { s.cam.Skip(37 * time.Second) }, "", record.ReasonConnection},
		"it stalled":                                                    {func(s *studio) { s.cam.Stall(37 * time.Second) }, "", record.ReasonStalled},
		"nobody recorded": {func(s *studio) {
			s.stop()
			s.film(recordtest.Plain, s.cam.Now().Add(37*time.Second), record.Always, "x")
		}, "", record.ReasonStopped},
		"the disk has no room": {func(s *studio) {
			s.Store.Stop(true)
			s.play(35 * time.Second)
			s.Store.Stop(false)
			s.play(2 * time.Second)
		}, "", record.ReasonFull},
	} {
		t.Run(sentence, func(t *testing.T) {
			s := open(t, t.TempDir(), record.Options{})
			s.film(recordtest.Plain, noon(), record.Always, c.why)
			s.play(20 * time.Second)
			c.lose(s)
			s.play(20 * time.Second)
			s.cutOff()
			r := s.recordings(noon().Add(-time.Hour), noon().Add(time.Hour))
			if len(r.Spans) != 2 || len(r.Gaps) != 1 {
				t.Fatalf("%+v", r)
			}
			g := r.Gaps[0]
			if g.Reason != c.reason || !g.From.Equal(r.Spans[0].To) || !g.To.Equal(r.Spans[1].From) {
				t.Errorf("gap %+v between %+v", g, r.Spans)
			}
			if l := g.To.Sub(g.From); l < 33*time.Second || l > 40*time.Second {
				t.Errorf("it is %v long", l)
			}
		})
	}
}

func TestAGapThatLastsIsSeenAndToldOnceItIsOver(t *testing.T) {
	s := open(t, t.TempDir(), record.Options{})
	s.film(recordtest.Plain, noon(), record.Always, "authentication")
	s.play(20 * time.Second)
	s.now.Add(int64(30 * time.Second))
	until(t, func() bool {
		r := s.recordings(noon(), noon().Add(time.Hour))
		return len(r.Gaps) == 1 && r.Gaps[0].To.IsZero() && r.Gaps[0].Reason == "authentication"
	})
	s.told.mu.Lock()
	if len(s.told.gaps) != 0 {
		t.Errorf("told %+v", s.told.gaps)
	}
	s.told.mu.Unlock()
	s.cam.Skip(30 * time.Second)
	s.play(5 * time.Second)
	until(t, func() bool {
		s.told.mu.Lock()
		defer s.told.mu.Unlock()
		return len(s.told.gaps) == 1
	})
	g := s.told.gaps[0]
	if g.SiteID != "hh" || g.Stream != "main" || g.Reason != "authentication" || g.To.Sub(g.From).Round(time.Second) != 30*time.Second {
		t.Errorf("told %+v", g)
	}
}

func until(t *testing.T, cond func() bool) {
	t.Helper()
	for !cond() {
		select {
		case <-t.Context().Done():
			t.Fatal("never")
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func TestEventModeKeepsTheTimeBeforeTheEvent(t *testing.T) {
	s := open(t, t.TempDir(), record.Options{})
	s.film(recordtest.Plain, noon(), record.Events, "")
	s.play(time.Minute)
	if st := s.rec.Status(); st.Bytes != 0 || st.Active {
		t.Fatalf("without an event: %+v", st)
	}
	event := s.cam.Now()
	s.rec.Trigger(event.Add(20 * time.Second))
	until(t, func() bool { return s.rec.Status().Bytes > 0 })
	s.play(40 * time.Second)
	s.rec.Trigger(s.cam.Now().Add(5 * time.Second))
	until(t, func() bool { s.play(recordtest.Frame); return s.rec.Status().Active })
	s.play(10 * time.Second)
	s.cutOff()
	r := s.recordings(noon(), noon().Add(time.Hour))
	if len(r.Spans) != 2 || len(r.Gaps) != 0 {
		t.Fatalf("%+v", r)
	}
	for i, want := range []time.Duration{10 * time.Second, 10 * time.Second} {
		at := []time.Time{event, event.Add(40 * time.Second)}[i]
		if before := at.Sub(r.Spans[i].From); before < want-time.Second || before > want+3*time.Second {
			t.Errorf("event %d: %v before it are kept", i, before)
		}
	}
	if after := r.Spans[0].To.Sub(event); after < 19*time.Second || after > 21*time.Second {
		t.Errorf("%v after it are kept", after)
	}
	for _, g := range s.segments(noon(), noon().Add(time.Hour)) {
		if g.Class != record.Event {
			t.Errorf("class %v", g.Class)
		}
		s.whole(g)
	}
}

func TestTheMinuteThatIsWrittenCanBeRead(t *testing.T) {
	s := open(t, t.TempDir(), record.Options{})
	s.film(recordtest.Plain, noon(), record.Always, "")
	s.play(90 * time.Second)
	list := s.segments(noon(), noon().Add(time.Hour))
	if len(list) != 2 || list[0].Open || !list[1].Open {
		t.Fatalf("%d segments", len(list))
	}
	s.whole(list[0])
	s.whole(list[1])
	if got := list[1].End.Sub(noon()); got < 88*time.Second {
		t.Errorf("it can be read until %v", got)
	}
}

func TestTheIndexIsMadeAgain(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder, record.Options{})
	s.film(recordtest.Plain, noon().Add(-90*time.Second), record.Always, "")
	s.play(4 * time.Minute)
	s.stop()
	s.run()
	before := s.rows(t, folder)
	for _, harm := range []struct {
		sentence string
		do       func() error
	}{
		{"it is gone", func() error { return os.Remove(folder + "/video/index.db") }},
		{"it is no index", func() error { return os.WriteFile(folder+"/video/index.db", []byte("nonsense"), 0o600) }},
		{"it is gone and the ledgers with it", func() error {
			ledgers, err := os.ReadDir(folder + "/video/yard-1/main")
			for _, l := range ledgers {
				if err := os.Remove(folder + "/video/yard-1/main/" + l.Name() + "/ledger.jsonl"); err != nil {
					return err
				}
			}
			_ = os.Remove(folder + "/video/index.db")
			return err
		}},
	} {
		t.Run(harm.sentence, func(t *testing.T) {
			if err := harm.do(); err != nil {
				t.Fatal(err)
			}
			if after := s.rows(t, folder); !slices.EqualFunc(before, after, same) {
				t.Errorf("before %d rows, after %d", len(before), len(after))
			}
		})
	}
}

// rows opens a store and reads what its index says.
func (s *studio) rows(t *testing.T, folder string) []*record.Segment {
	t.Helper()
	again := open(t, folder, record.Options{})
	defer again.run()
	return again.segments(noon().Add(-time.Hour), noon().Add(time.Hour))
}

func same(a, b *record.Segment) bool {
	return a.Link == b.Link && a.Seq == b.Seq && a.Start.Equal(b.Start) && a.Bytes == b.Bytes && a.Format == b.Format && a.Offset == b.Offset &&
		a.Run.Equal(b.Run) && slices.EqualFunc(a.Keys, b.Keys, func(a, b record.Key) bool {
		return a.Offset == b.Offset && a.Ticks == b.Ticks && a.At.Sub(b.At).Abs() <= time.Microsecond
	})
}

func TestNamesThatAreNoFoldersAreRefused(t *testing.T) {
	s := open(t, t.TempDir(), record.Options{})
	for _, src := range []record.Source{{"../x", "main"}, {"", "main"}, {"a", ".."}, {"a/b", "main"}, {"index.db", "main"}, {".", "main"}} {
		if _, err := s.Store.Recorder(t.Context(), record.Plan{Source: src}); err == nil {
			t.Errorf("%+v is taken", src)
		}
	}
}

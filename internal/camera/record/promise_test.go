package record_test

import (
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/camera/record/recordtest"
)

func TestHowLongPicturesStay(t *testing.T) {
	const gb = 1_000_000_000
	day := 24 * time.Hour
	for sentence, c := range map[string]struct {
		rates  map[string]float64 // a day
		held   int64              // of a
		limits record.Limits
		free   uint64 // beyond what must stay free
		days   map[string]float64
		by     map[string]string
	}{
		"enough room for all": {
			rates: map[string]float64{"a": gb, "b": gb}, free: 6 * gb, days: map[string]float64{"a": 3, "b": 3},
		},
		"a disk that is too small is shared": {
			rates: map[string]float64{"a": gb, "b": gb}, free: 4 * gb, days: map[string]float64{"a": 2, "b": 2}, by: map[string]string{"a": "disk", "b": "disk"},
		},
		"who was promised less leaves room to the others": {
			rates:  map[string]float64{"a": gb, "b": gb},
			limits: record.Limits{Cameras: map[string]record.Keep{"a": {Continuous: day}, "b": {Continuous: 7 * day}}},
			free:   5 * gb, days: map[string]float64{"a": 1, "b": 4}, by: map[string]string{"b": "disk"},
		},
		"a bound of the camera is its own": {
			rates:  map[string]float64{"a": gb, "b": gb},
			limits: record.Limits{Cameras: map[string]record.Keep{"a": {Bytes: gb}, "b": {}}},
			free:   10 * gb, days: map[string]float64{"a": 1, "b": 3}, by: map[string]string{"a": "bytes"},
		},
		"a bound of a site is that of its cameras": {
			rates:  map[string]float64{"a": gb, "b": 2 * gb, "c": gb},
			limits: record.Limits{Cameras: map[string]record.Keep{"a": {Site: "x"}, "b": {Site: "x"}, "c": {Site: "y"}}, Sites: map[string]int64{"x": 6 * gb}},
			free:   100 * gb, days: map[string]float64{"a": 2, "b": 2, "c": 3}, by: map[string]string{"a": "site", "b": "site"},
		},
		"the tightest of several limits counts": {
			rates:  map[string]float64{"a": gb},
			limits: record.Limits{Cameras: map[string]record.Keep{"a": {Bytes: 2 * gb}}, Bytes: gb},
			free:   100 * gb, days: map[string]float64{"a": 1}, by: map[string]string{"a": "volume"},
		},
		"what incidents hold takes room": {
			rates: map[string]float64{"a": gb}, held: 2 * gb, limits: record.Limits{Bytes: 4 * gb},
			free: 100 * gb, days: map[string]float64{"a": 2}, by: map[string]string{"a": "volume"},
		},
		"without room there is nothing": {
			rates: map[string]float64{"a": gb}, free: 0, days: map[string]float64{"a": 0}, by: map[string]string{"a": "disk"},
		},
		"who writes nothing is not short": {
			rates: map[string]float64{"a": 0, "b": gb}, free: gb, days: map[string]float64{"a": 3, "b": 1}, by: map[string]string{"b": "disk"},
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			got := record.Judge(c.rates, c.held, c.limits, c.free)
			for camera, days := range c.days {
				u := got[camera]
				if d := u.Effective.Hours() / 24; math.Abs(d-days) > 0.01 || u.LimitedBy != c.by[camera] {
					t.Errorf("%s: %.2f days by %q, want %.2f by %q", camera, d, u.LimitedBy, days, c.by[camera])
				}
				if short := u.LimitedBy != ""; c.rates[camera] > 0 && short != (u.Room < 1) {
					t.Errorf("%s: short %v with room for %.2f of the promise", camera, short, u.Room)
				}
			}
		})
	}
}

func TestABrokenPromiseIsToldOnceAndTakenBackWithRoomToSpare(t *testing.T) {
	dir := t.TempDir()
	var free atomic.Uint64
	free.Store(50 << 30)
	space := func() (uint64, uint64, error) { return free.Load(), 100 << 30, nil }
	s := open(t, dir, record.Options{Space: space})
	s.film(recordtest.Plain, noon(), record.Always, "")
	s.play(12 * time.Minute)
	s.cutOff()
	for looked := false; !looked; _, looked = s.Store.Usage("yard-1") { // by itself, at the start
		time.Sleep(time.Millisecond)
	}
	s.Store.SetLimits(record.Limits{Cameras: map[string]record.Keep{"yard-1": {Site: "hh"}}})
	s.again.now.Store(noon().Add(time.Hour).UnixNano())
	need := func(share float64) uint64 { // of what the promise takes
		u, _ := s.Store.Usage("yard-1")
		return uint64(10<<30) + uint64(share*3*u.PerDay) - uint64(u.Bytes)
	}
	look := func(n int) []string {
		t.Helper()
		for range n {
			s.again.now.Add(int64(2 * time.Minute))
			if err := s.Store.Retain(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		s.again.told.mu.Lock()
		defer s.again.told.mu.Unlock()
		out := slices.Clone(s.again.told.kept)
		s.again.told.kept = nil
		return out
	}
	said := func(step string, got []string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", step, got, want)
		}
	}
	said("with plenty of room", look(4))
	free.Store(need(0.5))
	said("two looks are not enough", look(2))
	said("the third tells it, once", look(4), "yard-1 short=true by=disk cameras=1 1.5 of 3.0")
	free.Store(need(1.05))
	said("just enough is not enough", look(5))
	free.Store(need(1.3))
	said("plenty, but not for long", look(2))
	free.Store(need(0.9))
	said("short again before it was taken back", look(5))
	free.Store(need(1.3))
	said("plenty for long", look(5), "yard-1 short=false by= cameras=0 3.0 of 3.0")
	free.Store(need(0.5))
	said("and short again", look(3), "yard-1 short=true by=disk cameras=1 1.5 of 3.0")
	s.Store.SetLimits(record.Limits{Cameras: map[string]record.Keep{"yard-1": {Site: "hh", Removed: true}}})
	said("who was removed is not spoken of", look(4))
}

func TestARestartDoesNotTellABrokenPromiseAgain(t *testing.T) {
	dir := t.TempDir()
	space := func() (uint64, uint64, error) { return 10 << 30, 100 << 30, nil }
	limits := record.Limits{Cameras: map[string]record.Keep{"yard-1": {}}}
	for i, want := range []int{1, 0} {
		s := open(t, dir, record.Options{Space: space, Rate: func(string) float64 { return 1e12 }})
		s.Store.SetLimits(limits)
		for range 4 {
			s.now.Add(int64(2 * time.Minute))
			if err := s.Store.Retain(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if u, ok := s.Store.Usage("yard-1"); !ok || !u.Expected || u.PerDay != 1e12 {
			t.Errorf("without any recording: %+v", u)
		}
		if n := len(s.told.kept); n != want {
			t.Errorf("start %d told it %d times: %q", i+1, n, s.told.kept)
		}
		s.run()
	}
}

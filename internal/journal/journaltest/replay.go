package journaltest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
)

// live plays a story of several stations against a journal, each station from
// its own goroutine, and moves the clock.
func live(t *testing.T, r *Running, clock *Clock, stations []*Station, rng *rand.Rand, steps int) {
	t.Helper()
	var group sync.WaitGroup
	for _, s := range stations {
		pace := rand.New(rand.NewPCG(rng.Uint64(), 0))
		group.Go(func() {
			for range steps {
				switch pace.IntN(60) {
				case 0:
					clock.Add(11 * time.Minute)
				default:
					clock.Add(time.Duration(pace.IntN(8000)) * time.Millisecond)
				}
				e := s.Next(clock.Now())
				receipt, err := r.Append(context.Background(), e)
				if err != nil {
					t.Error(err)
					return
				}
				s.Answered(e, receipt)
			}
		})
	}
	group.Wait()
}

func replayEqualsLive(t *testing.T, newPlace func(*testing.T) Place) {
	for _, batch := range []int{1, 512} {
		t.Run(fmt.Sprintf("batch %d", batch), func(t *testing.T) {
			place, clock := newPlace(t), NewClock()
			rng := rand.New(rand.NewPCG(7, uint64(batch)))
			var stations []*Station
			for n := range 6 {
				stations = append(stations, NewStation(uint64(batch), n))
			}
			for life := range 6 {
				r := Start(t, place, journal.Options{
					Now: clock.Now, MaxBatch: batch, Tick: 5 * time.Millisecond,
					CheckpointEvery: time.Duration(1+rng.IntN(100)) * time.Millisecond,
				})
				if n := r.Stats().ReplayMismatches; n != 0 {
					t.Errorf("life %d: the start concluded %d derived events differently", life, n)
				}
				live(t, r, clock, stations, rng, 20+rng.IntN(40))
				if rng.IntN(2) == 0 {
					r.Crash()
				} else {
					r.Stop()
				}
				want := r.Digest()
				for _, again := range []struct {
					fromStart bool
					batch     int
				}{{false, 512}, {true, 1}, {true, 512}, {true, 37}} {
					got := Replay(t, place, again.fromStart, again.batch)
					if d := digest(t, got.Snapshot); d != want {
						t.Errorf("life %d: replay %+v differs from what was lived", life, again)
						diff(t, r, got)
					}
					if got.Mismatches != 0 {
						t.Errorf("life %d: replay %+v concluded %d derived events differently", life, again, got.Mismatches)
					}
				}
				if t.Failed() {
					return
				}
			}
		})
	}
}

// diff names the first station that differs.
func diff(t *testing.T, r *Running, got *journal.Replayed) {
	t.Helper()
	if r.Snapshot().Seq != got.Snapshot.Seq || !r.Snapshot().RecordedAt.Equal(got.Snapshot.RecordedAt) {
		t.Errorf("lived to %d at %s, replayed to %d at %s", r.Snapshot().Seq, r.Snapshot().RecordedAt, got.Snapshot.Seq, got.Snapshot.RecordedAt)
	}
	for want := range r.Snapshot().Stations() {
		have, ok := got.Snapshot.Station(want.ID)
		if !ok {
			t.Errorf("station %s is missing", want.ID)
			return
		}
		if a, b := text(want), text(have); a != b {
			t.Errorf("station %s\nlived    %s\nreplayed %s", want.ID, a, b)
			return
		}
	}
}

func retoldStory(t *testing.T, newPlace func(*testing.T) Place) {
	place, clock := newPlace(t), NewClock()
	rng := rand.New(rand.NewPCG(11, 0))
	var stations []*Station
	for n := range 5 {
		stations = append(stations, NewStation(99, n))
	}
	r := Start(t, place, journal.Options{Now: clock.Now, Tick: time.Millisecond})
	live(t, r, clock, stations, rng, 150)
	want := r.Digest()
	recorded := All(t, r.Faults)
	r.Crash()

	again := NewClock()
	if recorded[0].Body.Kind() != event.KindServerStarted {
		t.Fatalf("the first event is %s", recorded[0].Body.Kind())
	}
	again.Set(recorded[0].RecordedAt)
	retold := Start(t, newPlace(t), journal.Options{Now: again.Now, Tick: time.Hour})
	for _, e := range recorded[1:] {
		if e.Derived() {
			continue
		}
		again.Set(e.RecordedAt)
		told := new(*e)
		told.Seq = 0
		if _, err := retold.Append(t.Context(), told); err != nil {
			t.Fatal(err)
		}
	}
	have := All(t, retold.Faults)
	for i := range min(len(have), len(recorded)) {
		a, b := *recorded[i], *have[i]
		a.Quirks, b.Quirks = nil, nil // "retry" is noted again
		if a.Body.Kind() == event.KindServerStarted {
			continue
		}
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("event %d\nlived  %s\nretold %s", a.Seq, text(a), text(b))
		}
	}
	if len(have) != len(recorded) {
		t.Errorf("%d events lived, %d retold", len(recorded), len(have))
	}
	if retold.Digest() != want {
		t.Error("the retold story ends otherwise")
	}
}

func failedCommits(t *testing.T, newPlace func(*testing.T) Place) {
	place, clock := newPlace(t), NewClock()
	station := NewStation(5, 0)
	r := Start(t, place, journal.Options{Now: clock.Now, Tick: time.Hour})
	boom := errors.New("no space")
	for i := range 120 {
		clock.Add(time.Duration(i%7) * 5 * time.Second)
		before, seq, commits := r.Digest(), r.Snapshot().Seq, r.Faults.Commits()
		r.Faults.Fail(boom)
		e := station.Next(clock.Now())
		type answer struct {
			receipt uint64
			err     error
		}
		answered := make(chan answer, 1)
		failures := r.Stats().Failures
		go func() {
			receipt, err := r.Append(context.Background(), e)
			station.Answered(e, receipt)
			answered <- answer{receipt.Seq, err}
		}()
		for r.Stats().Failures == failures {
			time.Sleep(100 * time.Microsecond)
		}
		select {
		case a := <-answered:
			t.Fatalf("step %d: answered %+v without a commit", i, a)
		default:
		}
		if r.Digest() != before || r.Snapshot().Seq != seq || r.Faults.Commits() != commits {
			t.Fatalf("step %d: a failed commit left a trace in memory", i)
		}
		if got := len(tail(t, r.Faults, seq)); got != 0 {
			t.Fatalf("step %d: a failed commit left %d events on disk", i, got)
		}
		r.Faults.FailTimes(nil, 0)
		if a := <-answered; a.err != nil || a.receipt <= seq {
			t.Fatalf("step %d: %+v after the commit", i, a)
		}
	}
	want := r.Digest()
	r.Crash()
	got := Replay(t, place, true, 512)
	if digest(t, got.Snapshot) != want {
		t.Error("memory and disk differ")
		diff(t, r, got)
	}
}

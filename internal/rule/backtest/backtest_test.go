package backtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb/coredbtest"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
	"github.com/chargewatch/chargewatch/internal/rule"
)

func begin() time.Time { return time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC) }

// past is a journal that holds a history.
type past struct {
	t   testing.TB
	log *journal.Journal
	now time.Time
}

func newPast(t testing.TB) *past {
	t.Helper()
	db := coredbtest.Open(t)
	log, err := sqlite.Open(t.Context(), sqlite.Options{DB: db, Now: begin, Journal: journal.Options{Past: true}})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		if err := log.Run(context.Background()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		if err := log.Close(); err != nil {
			t.Error(err)
		}
		running.Wait()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return &past{t: t, log: log, now: begin().Add(time.Minute)}
}

func (p *past) say(subject event.Subject, bodies ...event.Body) {
	p.t.Helper()
	var list []*event.Event
	for _, b := range bodies {
		list = append(list, &event.Event{Subject: subject, At: p.now, ReceivedAt: p.now, Body: b})
	}
	if err := p.log.AppendAll(p.t.Context(), list); err != nil {
		p.t.Fatal(err)
	}
}

func (p *past) station(id string) {
	p.say(event.Station(id), &event.StationConfigured{SiteID: "home", Onboarding: event.OnboardingAccepted, Layout: []event.EVSELayout{{EVSE: 1}, {EVSE: 2}}},
		&event.Connected{ConnID: id, Protocol: "ocpp1.6"}, &event.Boot{Vendor: "Acme", Model: "X", Status: "Accepted"})
}

func (p *past) runner(limit time.Duration) *Runner {
	p.t.Helper()
	l, err := rule.NewLanguage()
	if err != nil {
		p.t.Fatal(err)
	}
	return New(Options{Journal: p.log, Language: l, Limit: limit, Now: func() time.Time { return p.now }})
}

func faulted() rule.Rule {
	return rule.Rule{ID: "r", Name: "R", On: []event.Kind{event.KindStatus}, Where: `port.status == "Faulted"`, By: rule.ByPort, Severity: event.S3, Title: "T"}
}

func TestWhatARuleWouldHaveDone(t *testing.T) {
	p := newPast(t)
	p.station("S1")
	p.station("S2")
	var want []string
	for hour := range 48 {
		p.now = begin().Add(time.Duration(hour)*time.Hour + 10*time.Minute)
		word := "Available"
		if hour%6 == 0 {
			word = "Faulted"
			if hour >= 24 {
				want = append(want, fmt.Sprintf("station/S1/1 %d", hour))
			}
		}
		p.say(event.Port("S1", 1, 1), &event.Status{Status: word})
		p.say(event.Port("S2", 1, 1), &event.Status{Status: "Available"})
	}
	r := p.runner(time.Minute)
	from, to := begin().Add(24*time.Hour), begin().Add(48*time.Hour)
	res, faults, err := r.Run(t.Context(), faulted(), from, to)
	if err != nil || len(faults) > 0 {
		t.Fatal(faults, err)
	}
	var got []string
	sum := 0
	for _, f := range res.Firings {
		got = append(got, fmt.Sprintf("%s %d", f.Subject, int(f.At.Sub(begin()).Hours())))
		if f.ClearedAt == nil || f.ClearedAt.Sub(f.At) != time.Hour {
			t.Errorf("%s cleared at %v", f.Subject, f.ClearedAt)
		}
	}
	for _, n := range res.Slots {
		sum += n
	}
	if !slices.Equal(got, want) || res.Fired != len(want) || sum != len(want) || res.Subjects != 1 || res.Open != 0 {
		t.Errorf("got %v (%d, %d in slots, %d places, %d open), want %v", got, res.Fired, sum, res.Subjects, res.Open, want)
	}
	if len(res.Partial) > 0 || !res.From.Equal(from) || res.To.After(p.now) || res.Events == 0 || res.Asked == 0 {
		t.Errorf("covered %v to %v, %v, %d events, %d asked", res.From, res.To, res.Partial, res.Events, res.Asked)
	}
}

// A condition of before the time is not a firing in it until something is said.
func TestHonestAboutWhatItCovered(t *testing.T) {
	p := newPast(t)
	p.station("S1")
	for i := range 3000 {
		p.now = p.now.Add(20 * time.Second)
		p.say(event.Port("S1", 1, 1), &event.Status{Status: []string{"Faulted", "Available"}[i%2]})
	}
	r := p.runner(time.Nanosecond)
	res, _, err := r.Run(t.Context(), faulted(), begin(), p.now)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(res.Partial, TimeLimit) || !res.To.Before(p.now) || res.Fired >= 1500 {
		t.Errorf("covered %v to %v, %v, fired %d", res.From, res.To, res.Partial, res.Fired)
	}
	r = p.runner(time.Minute)
	res, _, err = r.Run(t.Context(), faulted(), begin(), p.now)
	if err != nil || res.Fired != 1500 || len(res.Firings) != 500 || len(res.Partial) > 0 {
		t.Errorf("fired %d, told %d, %v %v", res.Fired, len(res.Firings), res.Partial, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := r.Run(ctx, faulted(), begin(), p.now); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	bad := faulted()
	bad.Where = "port."
	if _, faults, err := r.Run(t.Context(), bad, begin(), p.now); err != nil || len(faults) == 0 {
		t.Errorf("a broken rule: %v %v", faults, err)
	}
	bad.Where = "1 / (port.evse - 1) > 0"
	if res, _, err = r.Run(t.Context(), bad, begin(), p.now); err != nil || !slices.Contains(res.Partial, SwitchOff) || res.Off == "" {
		t.Errorf("a rule that fails: %+v %v", res.Partial, err)
	}
}

func TestOneAtATime(t *testing.T) {
	p := newPast(t)
	p.station("S1")
	r := p.runner(time.Minute)
	r.turn <- struct{}{}
	if _, _, err := r.Run(t.Context(), faulted(), begin(), p.now); !errors.Is(err, ErrBusy) {
		t.Errorf("%v, want that it is busy", err)
	}
}

// BenchmarkDay reads a day of a network without measurements.
func BenchmarkDay(b *testing.B) {
	p := newPast(b)
	for i := range 50 {
		p.station(fmt.Sprint("S", i))
	}
	for range 400 {
		p.now = p.now.Add(3 * time.Minute)
		for i := range 50 {
			p.say(event.Port(fmt.Sprint("S", i), 1, 1), &event.Status{Status: []string{"Available", "Preparing", "Charging", "Faulted"}[i%4]})
		}
	}
	r := p.runner(time.Minute)
	for b.Loop() {
		res, _, err := r.Run(b.Context(), faulted(), begin(), p.now)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(res.Events), "events")
	}
}

func TestTheJournalLeavesOutWhatIsNotAskedFor(t *testing.T) {
	p := newPast(t)
	p.station("S1")
	first := p.now
	for range 1500 {
		p.now = p.now.Add(time.Second)
		p.say(event.Port("S1", 1, 1), &event.Meter{Samples: event.Samples{{Values: []event.Sample{{Measurand: "SoC", Value: 5}}}}}, &event.Status{Status: "Available"})
	}
	count := func(to time.Time, without ...event.Kind) (n int) {
		t.Helper()
		last := uint64(0)
		for events, err := range p.log.Recorded(t.Context(), first.Add(time.Second), to, without...) {
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range events {
				if e.Seq <= last {
					t.Fatalf("%d after %d", e.Seq, last)
				}
				last = e.Seq
			}
			n += len(events)
		}
		return n
	}
	if all, some, half := count(p.now.Add(time.Second)), count(p.now.Add(time.Second), event.KindMeter), count(first.Add(751*time.Second), event.KindMeter); all != 3000 || some != 1500 || half != 750 {
		t.Errorf("%d in all, %d without measurements, %d of the first half", all, some, half)
	}
}

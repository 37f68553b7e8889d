package web

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/coredb/coredbtest"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/journaltest"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
	"github.com/chargewatch/chargewatch/internal/store"
)

// bygone is a server on a real journal whose clock the test turns.
type bygone struct {
	*Server
	t     testing.TB
	clock *journaltest.Clock
	begin time.Time
	db    *coredb.DB
	log   *journal.Journal
	stop  func()
}

func newBygone(t testing.TB) *bygone {
	db := coredbtest.Open(t)
	b := &bygone{t: t, clock: journaltest.NewClock(), db: db}
	b.begin = b.clock.Now()
	b.start()
	t.Cleanup(func() {
		b.stop()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *bygone) start() {
	b.t.Helper()
	log, err := sqlite.Open(b.t.Context(), sqlite.Options{DB: b.db, Now: b.clock.Now, Journal: journal.Options{Keep: journal.Keep{History: 95 * 24 * time.Hour, Every: time.Millisecond}}})
	if err != nil {
		b.t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		if err := log.Run(context.Background()); err != nil {
			b.t.Error("journal:", err)
		}
	})
	st, err := store.Open(b.t.Context(), store.Options{DB: b.db, Journal: log, Now: b.clock.Now})
	if err != nil {
		b.t.Fatal(err)
	}
	b.log = log
	b.Server = New(Options{Store: st, Fleet: log, History: log, Past: log, Log: log, Stations: &links{}, Now: b.clock.Now})
	b.stop = func() {
		if err := log.Close(); err != nil {
			b.t.Error(err)
		}
		running.Wait()
	}
}

// at is the time some minutes after the begin.
func (b *bygone) at(minutes float64) time.Time {
	return b.begin.Add(time.Duration(minutes * float64(time.Minute)))
}

// say appends what a station says after some minutes of something that
// happened then or earlier.
func (b *bygone) say(minutes, happened float64, subject event.Subject, body event.Body) {
	b.t.Helper()
	b.clock.Set(b.at(minutes))
	if _, err := b.log.Append(b.t.Context(), &event.Event{
		Subject: subject, At: b.at(happened), DeviceAt: b.at(happened), ReceivedAt: b.at(minutes), Quality: event.TimeDevice, Body: body,
	}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bygone) ask(in statesInput) (StatesShape, error) {
	b.t.Helper()
	in.Station = "A"
	out, err := b.getStates(b.t.Context(), &in)
	if err != nil {
		return StatesShape{}, err
	}
	return out.Body, nil
}

func (b *bygone) words(list []StateIntervalShape) string {
	var out []string
	for _, x := range list {
		word := fmt.Sprintf("%g-%g %s", x.From.Sub(b.begin).Minutes(), x.To.Sub(b.begin).Minutes(), x.Status)
		switch {
		case !x.Observed:
			word += " unseen"
		case x.Online == nil:
			word += " ?"
		case !*x.Online:
			word += " offline"
		}
		if x.Late {
			word += " late"
		}
		out = append(out, word)
	}
	return strings.Join(out, ", ")
}

func port1() event.Subject { return event.Port("A", 1, 1) }

func (b *bygone) boot(minutes float64, conn string) {
	b.say(minutes, minutes, event.Station("A"), &event.Connected{ConnID: conn, Protocol: "ocpp1.6"})
	b.say(minutes, minutes, event.Station("A"), &event.Boot{Vendor: "Acme", Model: "One", Status: "Accepted"})
}

func TestStates(t *testing.T) {
	b := newBygone(t)
	b.boot(0, "c1")
	b.say(1, 1, port1(), &event.Status{Status: "Available"})
	b.say(10, 10, port1(), &event.Status{Status: "Faulted", ErrorCode: "GroundFailure", VendorErrorCode: "E7", Info: "<b>wet</b>"})
	b.say(15, 15, port1(), &event.Status{Status: "Available", ErrorCode: "NoError"})
	b.say(20, 20, port1(), &event.Status{Status: "Preparing", ErrorCode: "HighTemperature"})
	b.say(30, 30, event.Station("A"), &event.Disconnected{ConnID: "c1", Reason: "gone", LastFrameAt: b.at(30)})
	b.boot(50, "c2")
	b.say(51, 51, port1(), &event.Status{Status: "Available", ErrorCode: "NoError"})
	b.say(60, 35, port1(), &event.Status{Status: "Charging", ErrorCode: "NoError"}) // what it did while it was away
	b.clock.Set(b.at(70))
	b.stop()
	b.clock.Set(b.at(100))
	b.start()
	b.boot(110, "c3")
	b.say(111, 111, port1(), &event.Status{Status: "Unavailable"})
	b.clock.Set(b.at(120))

	got, err := b.ask(statesInput{From: b.at(0)})
	if err != nil {
		t.Fatal(err)
	}
	want := "0-1 Unknown, 1-10 Available, 10-15 Faulted, 15-20 Available, 20-30 Preparing, 30-35 Preparing offline, " +
		"35-50 Charging offline late, 50-51 Charging late, 51-70 Available, 70-100 Available unseen, 100-110 Available offline, " +
		"110-111 Available, 111-120 Unavailable"
	if words := b.words(got.EVSEs[0].Intervals); words != want {
		t.Errorf("%s\nwant %s", words, want)
	}
	if got.StepSeconds != 0 || len(got.EVSEs) != 1 || !got.To.Equal(b.at(120)) {
		t.Errorf("step %g, %d ports, to %s", got.StepSeconds, len(got.EVSEs), got.To)
	}
	var links []string
	for _, l := range got.Links {
		word := "?"
		if l.Online != nil {
			word = fmt.Sprint(*l.Online)
		}
		links = append(links, fmt.Sprintf("%g-%g %s", l.From.Sub(b.begin).Minutes(), l.To.Sub(b.begin).Minutes(), word))
	}
	if words := strings.Join(links, ", "); words != "0-30 true, 30-50 false, 50-70 true, 70-100 ?, 100-110 false, 110-120 true" {
		t.Errorf("links %s", words)
	}
	if len(got.NotObserved) != 1 || !got.NotObserved[0].From.Equal(b.at(70)) || !got.NotObserved[0].To.Equal(b.at(100)) {
		t.Errorf("not observed %v", got.NotObserved)
	}
	if len(got.Faults) != 2 {
		t.Fatalf("faults %+v", got.Faults)
	}
	f, warning := got.Faults[0], got.Faults[1]
	if f.Code != "GroundFailure" || f.VendorCode != "E7" || f.Info != "<b>wet</b>" || f.Warning || f.EVSE != 1 ||
		!f.At.Equal(b.at(10)) || f.ClearedAt == nil || !f.ClearedAt.Equal(b.at(15)) {
		t.Errorf("fault %+v", f)
	}
	if warning.Code != "HighTemperature" || !warning.Warning || warning.ClearedAt == nil || !warning.ClearedAt.Equal(b.at(35)) {
		t.Errorf("warning %+v", warning)
	}
	if !got.FaultsFrom.Equal(b.at(0)) {
		t.Errorf("faults from %s", got.FaultsFrom)
	}

	// In steps, the worst of each is shown.
	got, err = b.ask(statesInput{From: b.at(0), To: b.at(60), Step: 1200, EVSE: 1})
	if err != nil {
		t.Fatal(err)
	}
	if words := b.words(got.EVSEs[0].Intervals); words != "0-20 Faulted, 20-40 Preparing offline, 40-60 Charging offline late" || got.StepSeconds != 1200 {
		t.Errorf("step %g: %s", got.StepSeconds, words)
	}
}

func TestStatesRefusals(t *testing.T) {
	b := newBygone(t)
	b.boot(0, "c1")
	b.clock.Add(time.Hour)
	for name, in := range map[string]statesInput{
		"an end before its beginning": {From: b.at(30), To: b.at(20)},
		"the future":                  {From: b.at(90)},
		"a century":                   {From: b.begin.AddDate(-100, 0, 0)},
	} {
		if _, err := b.ask(in); err == nil || b.problem(t.Context(), err).Status != 422 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStatesFromBeforeTheHorizon(t *testing.T) {
	b := newBygone(t)
	b.boot(0, "c1")
	b.say(1, 1, port1(), &event.Status{Status: "Available"})
	b.stop() // makes a checkpoint
	b.clock.Add(100 * 24 * time.Hour)
	b.start()
	for b.log.Horizon(event.KindStatus).IsZero() {
		time.Sleep(time.Millisecond)
	}
	_, err := b.ask(statesInput{From: b.begin})
	if !errors.Is(err, journal.ErrBeforeHorizon) || b.problem(t.Context(), err).Status != 410 {
		t.Errorf("from before what is kept: %v", err)
	}
	if got, err := b.ask(statesInput{}); err != nil || got.EVSEs[0].Intervals[0].Status.String() != "Available" {
		t.Errorf("the last day: %+v, %v", got, err)
	}
}

// A port that is used all day, over 90 days, with a measurement each minute
// beside it.
func BenchmarkStates90Days(b *testing.B) {
	by := newBygone(b)
	by.boot(0, "c1")
	words := []string{"Preparing", "Charging", "SuspendedEV", "Finishing", "Available"}
	const days, sessions = 90, 12
	n := 0
	for day := range days {
		for s := range sessions {
			for i, w := range words {
				n++
				for evse := 1; evse <= 2; evse++ {
					m := float64(day*24*60+s*120+i*20) + 1
					by.say(m, m, event.Port("A", evse, evse), &event.Status{Status: w, ErrorCode: "NoError"})
				}
			}
		}
	}
	for b.Loop() {
		if _, err := by.ask(statesInput{From: by.at(0), Step: 900}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(2*n), "reports")
}

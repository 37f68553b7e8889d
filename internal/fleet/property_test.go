package fleet

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/chargewatch/chargewatch/internal/event"
)

// draw is where a generated story takes its choices from: rapid or fuzzed
// bytes.
type draw interface {
	below(n int) int
}

type rapidDraw struct{ t *rapid.T }

func (d rapidDraw) below(n int) int { return rapid.IntRange(0, n-1).Draw(d.t, "n") }

type byteDraw struct{ data []byte }

func (d *byteDraw) below(n int) int {
	if len(d.data) == 0 {
		return 0
	}
	var v uint16
	if len(d.data) == 1 {
		v = uint16(d.data[0])
		d.data = nil
	} else {
		v = binary.LittleEndian.Uint16(d.data)
		d.data = d.data[2:]
	}
	return int(v) % n
}

func (d *byteDraw) empty() bool { return len(d.data) == 0 }

// life makes up what a small network may say, sane and insane.
type life struct {
	draw
	now  time.Time
	conn int
}

func pick[T any](d draw, list ...T) T { return list[d.below(len(list))] }

func (l *life) next() *event.Event {
	l.now = l.now.Add(pick(l, 0, time.Second, 30*time.Second, 3*time.Minute, 11*time.Minute))
	station := pick(l, "A", "B", "C")
	e := &event.Event{Subject: event.Station(station), ReceivedAt: l.now, RecordedAt: l.now, At: l.now, DeviceAt: l.now, Quality: event.TimeDevice}
	port := func() {
		e.Subject.Connector = l.below(4)
		if station == "B" { // a station of 2.x
			e.Subject.EVSE, e.Subject.Connector = pick(l, 0, 1, 2, 300), pick(l, 0, 1, 2)
		}
	}
	when := func() {
		switch l.below(6) {
		case 0:
			e.At = l.now.Add(-pick(l, time.Second, time.Minute, 5*time.Minute, time.Hour))
			e.DeviceAt = e.At
		case 1:
			e.DeviceAt, e.Quality = time.Date(1970, 1, 1, 0, l.below(3), 0, 0, time.UTC), event.TimeReceived
		case 2:
			e.DeviceAt, e.Quality = l.now.Add(time.Hour), event.TimeCorrected
		}
	}
	switch l.below(16) {
	case 0, 1, 2:
		port()
		when()
		e.Body = &event.Status{
			Status:    pick(l, "Available", "Preparing", "Charging", "SuspendedEV", "Finishing", "Occupied", "Unavailable", "Faulted", "Available", "Dreaming"),
			ErrorCode: pick(l, "", "NoError", "GroundFailure"),
		}
	case 3, 4:
		port()
		when()
		e.Body = &event.Meter{TransactionID: pick(l, "", "1", "2", "3", "x1", "-1"), Samples: l.samples(e.DeviceAt)}
	case 5, 6:
		port()
		when()
		e.Body = &event.Transaction{Stage: event.TransactionStarted, AssignID: true, TokenID: pick(l, "", "anna", "bert"), MeterWh: l.register()}
	case 7, 8:
		when()
		e.Body = &event.Transaction{Stage: event.TransactionEnded, TransactionID: pick(l, "1", "2", "3", "4", "-1", "0", "99"),
			TokenID: pick(l, "", "anna", "bert"), MeterWh: l.register(), Samples: l.samples(e.DeviceAt)}
	case 9, 10, 11:
		port()
		when()
		t := &event.Transaction{
			Stage:         pick(l, event.TransactionStarted, event.TransactionUpdated, event.TransactionUpdated, event.TransactionEnded),
			TransactionID: pick(l, "x1", "x2", "x3", "1", ""), Offline: l.below(4) == 0,
			ChargingState: pick(l, "", "Charging", "EVConnected", "SuspendedEV", "Idle"), Samples: l.samples(e.DeviceAt),
		}
		if l.below(5) > 0 {
			t.SeqNo = new(l.below(6))
		}
		e.Body = t
	case 12:
		e.Origin = event.FromUs
		if l.below(2) == 0 {
			l.conn++
			e.Body = &event.Connected{ConnID: fmt.Sprint(l.conn), Protocol: pick(l, "ocpp1.6", "ocpp2.0.1", "")}
		} else {
			e.Body = &event.Disconnected{ConnID: fmt.Sprint(l.conn - l.below(2)), LastFrameAt: l.now.Add(-time.Minute)}
		}
	case 13:
		e.Body = &event.Boot{Vendor: pick(l, "Acme", "ABB"), Model: pick(l, "One", "MD_TERRA_53"), Serial: pick(l, "", "1", "2"), Status: "Accepted"}
	case 14:
		e.Origin = event.FromUs
		c := &event.StationConfigured{Onboarding: event.OnboardingAccepted}
		for range l.below(3) {
			c.Layout = append(c.Layout, event.EVSELayout{EVSE: l.below(3), Connectors: []event.ConnectorLayout{{Connector: l.below(4)}, {Connector: l.below(4)}}})
		}
		e.Body = c
	default:
		e.Origin = event.FromUs
		switch l.below(3) {
		case 0:
			e.Subject, e.Body = event.Self(), &event.ServerStarted{LastAlive: l.now.Add(-pick(l, 0, time.Minute, 20*time.Minute))}
		case 1:
			e.Body = &event.StationRemoved{}
		default:
			e.Origin = event.FromStation
			e.Body = &event.Component{Items: []event.ComponentEvent{
				{Component: "Connector", EVSE: l.below(3), Connector: l.below(3), Variable: "AvailabilityState", Value: pick(l, "Available", "Occupied"), At: l.now.Add(-time.Duration(l.below(300)) * time.Second)},
				{Component: "Connector", EVSE: 1, Connector: 1, Variable: "AvailabilityState", Value: "Faulted", At: l.now},
			}}
		}
	}
	return e
}

func (l *life) register() *float64 {
	if l.below(6) == 0 {
		return nil
	}
	return new(float64(pick(l, 0, 1, 500, 1000, 1001, 5000, 1_000_000, -7)))
}

func (l *life) samples(at time.Time) event.Samples {
	var out event.Samples
	for n := range l.below(3) {
		g := event.SampleGroup{At: at.Add(time.Duration(n-1) * time.Minute).Truncate(time.Millisecond)}
		if r := l.register(); r != nil {
			g.Values = append(g.Values, event.Sample{Measurand: "Energy.Active.Import.Register", Value: *r})
		}
		g.Values = append(g.Values, event.Sample{Measurand: "Power.Active.Import", Value: float64(pick(l, 0, 11000, -3000, 2_000_000))})
		out = append(out, g)
	}
	return out
}

// check is what holds after every event.
func check(tb interface{ Fatalf(string, ...any) }, s *Snapshot) {
	for st := range s.Stations() {
		if len(st.Backlog) > maxBacklog || len(st.EVSEs) > maxEVSEs || len(st.Timers) > 2*len(st.EVSEs)+1 {
			tb.Fatalf("%s: %d waiting, %d ports, timers %v", st.ID, len(st.Backlog), len(st.EVSEs), st.Timers)
		}
		open := map[string]bool{}
		for _, o := range st.open() {
			if open[o.ID] {
				tb.Fatalf("session %s is open twice", o.ID)
			}
			open[o.ID] = true
			if o.State != SessionActive || o.EnergyWh < 0 {
				tb.Fatalf("open session %+v", o)
			}
		}
		for i := range st.EVSEs {
			v := &st.EVSEs[i]
			if v.Session != nil && v.Session.EVSE != v.ID {
				tb.Fatalf("EVSE %d holds a session of EVSE %d", v.ID, v.Session.EVSE)
			}
			if i > 0 && st.EVSEs[i-1].ID >= v.ID {
				tb.Fatalf("EVSEs out of order")
			}
			if v.Layout != nil && (v.Layout.EVSE != v.ID || !slices.ContainsFunc(st.Layout, func(l event.EVSELayout) bool { return reflect.DeepEqual(l, *v.Layout) })) {
				tb.Fatalf("EVSE %d has the layout %+v", v.ID, v.Layout)
			}
		}
	}
}

// retell folds recorded events at another batch size, restarting from
// checkpoints and discarding batches on the way.
func retell(t testing.TB, events []*event.Event, size int, odd func() bool) string {
	l := newTeller()
	for chunk := range slices.Chunk(events, size) {
		if odd() {
			l.restart(t)
		}
		if odd() {
			published := l.state.Snapshot()
			before := copyOf(t, published)
			l.foldAndDiscard(chunk...)
			if l.state.Snapshot() != published || !slices.Equal(before, copyOf(t, published)) {
				t.Fatalf("a discarded batch left a trace:\n%s\nwant\n%s", copyOf(t, published), before)
			}
		}
		published := l.state.Snapshot()
		before := copyOf(t, published)
		l.fold(chunk...)
		if after := copyOf(t, published); !slices.Equal(before, after) {
			t.Fatalf("a published snapshot changed:\n%s\nwant\n%s", after, before)
		}
	}
	l.advance(events[len(events)-1].RecordedAt)
	return l.digest(t)
}

func copyOf(t testing.TB, s *Snapshot) []string {
	var out []string
	for st := range s.Stations() {
		out = append(out, string(mustJSON(t, st)))
	}
	return out
}

// diff shows the first difference of two digests; their first line is the head.
func diff(got, want string) string {
	a, b := strings.Split(got, "\n")[1:], strings.Split(want, "\n")[1:]
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d:\n%s\nwant\n%s", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(a), len(b))
}

// tellAll tells a generated story one event at a time and checks it after each.
func tellAll(t testing.TB, l *life, more func() bool) *teller {
	s := newTeller()
	for more() {
		s.fold(l.next())
		check(t, s.state.Snapshot())
	}
	for _, x := range s.stored {
		if x.EnergyWh < 0 || x.State != SessionActive && x.EndedAt.Before(x.StartedAt) {
			t.Fatalf("stored session %+v", x)
		}
	}
	return s
}

func TestTheSameEventsGiveTheSameFleet(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 120).Draw(rt, "events")
		l := &life{draw: rapidDraw{rt}, now: time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC)}
		s := tellAll(t, l, func() bool { n--; return n >= 0 })
		want := s.digest(t)
		for _, size := range []int{1, 7, 512} {
			if got := retell(t, s.events, size, func() bool { return l.below(5) == 0 }); got != want {
				rt.Fatalf("told in batches of %d, %s", size, diff(got, want))
			}
		}
	})
}

func FuzzFold(f *testing.F) {
	f.Add([]byte("\x05\x00\x07\x00\x0c\x00"))
	f.Add([]byte(strings.Repeat("\x01\x00\x05\x00\x02\x00\x03\x00\x07\x00", 12)))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4000 {
			return
		}
		d := &byteDraw{data}
		s := tellAll(t, &life{draw: d, now: time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC)}, func() bool { return !d.empty() })
		if len(s.events) == 0 {
			return
		}
		n := 0
		if got, want := retell(t, s.events, 7, func() bool { n++; return n%5 == 0 }), s.digest(t); got != want {
			t.Fatal(diff(got, want))
		}
	})
}

package journaltest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// Station plays one station's part of a random story: connections, faults,
// sessions of both protocol families, retries, orphan and repeated stops,
// reports from an offline time, clocks that are wrong. The same seed tells the
// same story as long as it is given the same receipts.
type Station struct {
	ID    string
	rng   *rand.Rand
	conn  int
	v2    bool
	serno int
	wh    float64

	open  []string // transaction ids that may still be stopped
	last  *event.Event
	seq   map[string]int
	tx    int
	kinds map[event.Kind]int
}

// NewStation returns the n-th station of a story.
func NewStation(seed uint64, n int) *Station {
	return &Station{
		ID: fmt.Sprintf("CP-%03d", n), rng: rand.New(rand.NewPCG(seed, uint64(n))), v2: n%2 == 1, serno: 1,
		seq: make(map[string]int), kinds: make(map[event.Kind]int),
	}
}

// Next makes the station's next event at a time.
func (s *Station) Next(now time.Time) *event.Event {
	if s.conn == 0 || s.rng.IntN(60) == 0 {
		s.conn++
		return s.about(now, 0, 0, &event.Connected{ConnID: fmt.Sprintf("%s#%d", s.ID, s.conn), Protocol: s.protocol()})
	}
	if s.last != nil && s.rng.IntN(12) == 0 { // the answer was lost: the same again
		e := new(*s.last)
		e.Subject = event.Port(s.ID, s.evse16(e.Subject.EVSE), e.Subject.Connector)
		e.ReceivedAt, e.Seq, e.Quirks = now, 0, nil
		if t, ok := e.Body.(*event.Transaction); ok {
			e.Body = new(*t)
		}
		return e
	}
	switch n := s.rng.IntN(100); {
	case n < 3:
		return s.about(now, 0, 0, &event.Disconnected{ConnID: fmt.Sprintf("%s#%d", s.ID, s.conn), Reason: "gone", LastFrameAt: now.Add(-time.Minute)})
	case n < 6:
		if s.rng.IntN(5) == 0 {
			s.serno++
		}
		return s.about(now, 0, 0, &event.Boot{Vendor: "Alfen", Model: fmt.Sprint("M", s.rng.IntN(3)), Serial: fmt.Sprint("S", s.serno), Firmware: "1." + fmt.Sprint(s.rng.IntN(3)), Status: "Accepted"})
	case n < 40:
		words := []string{"Available", "Available", "Preparing", "Charging", "SuspendedEV", "Finishing", "Faulted", "Unavailable", "Occupied", "Reserved", "Sleeping"}
		body := &event.Status{Status: words[s.rng.IntN(len(words))], ErrorCode: "NoError"}
		if body.Status == "Faulted" {
			body.ErrorCode = "GroundFailure"
		}
		return s.about(now, 0, s.rng.IntN(3), body)
	case n < 65:
		return s.meter(now)
	case n < 96:
		return s.transaction(now)
	case n < 97:
		return s.about(now, 0, 0, &event.StationConfigured{SiteID: fmt.Sprint("site-", s.rng.IntN(2)), Onboarding: event.OnboardingAccepted})
	case n < 98:
		return s.about(now, 0, 0, &event.Security{Type: "SettingSystemTime", TechInfo: "2026 \"quoted\" \u00e9"})
	case n < 99:
		return s.about(now, 1, 1, &event.Component{Items: []event.ComponentEvent{{Component: "Connector", Variable: "AvailabilityState", EVSE: 1, Connector: 1, Value: "Available"}}})
	default:
		if s.rng.IntN(4) == 0 {
			return s.about(now, 0, 0, &event.StationRemoved{By: "someone"})
		}
		return s.about(now, 0, 0, &event.Message{Action: "Vendor", Payload: []byte(`{"a": [1, 2 ]}`)})
	}
}

// Answered tells the station what its last event met.
func (s *Station) Answered(e *event.Event, r fleet.Receipt) {
	t, ok := e.Body.(*event.Transaction)
	if !ok {
		s.last = nil
		return
	}
	s.last = e
	if t.AssignID && !r.Retry {
		s.open = append(s.open, r.TransactionID)
	}
}

func (s *Station) protocol() string {
	if s.v2 {
		return "ocpp2.0.1"
	}
	return "ocpp1.6"
}

// evse16 undoes what the fold completed in an event of OCPP 1.6.
func (s *Station) evse16(evse int) int {
	if s.v2 {
		return evse
	}
	return 0
}

func (s *Station) about(now time.Time, evse, connector int, body event.Body) *event.Event {
	if s.v2 && connector > 0 {
		evse, connector = connector, 1
	}
	e := &event.Event{
		Subject: event.Port(s.ID, evse, connector), At: now, DeviceAt: now, ReceivedAt: now.Add(137 * time.Nanosecond),
		Quality: event.TimeDevice, Body: body,
	}
	switch s.rng.IntN(15) {
	case 0: // from an offline time
		e.At = now.Add(-time.Duration(s.rng.IntN(7200)) * time.Second)
		e.DeviceAt = e.At
	case 1: // a dead clock
		e.DeviceAt, e.Quality = time.Date(1970, 1, 1, 0, s.rng.IntN(60), 0, 0, time.UTC), event.TimeReceived
	case 2:
		e.DeviceAt, e.Quality = time.Time{}, event.TimeReceived
	case 3:
		e.Quirks = []string{"tooLong:/info"}
	}
	return e
}

func (s *Station) samples(now time.Time) event.Samples {
	s.wh += float64(s.rng.IntN(900))
	if s.rng.IntN(80) == 0 {
		s.wh = 0
	}
	return event.Samples{{At: now.Add(123 * time.Microsecond), Values: []event.Sample{
		{Measurand: "Energy.Active.Import.Register", Value: s.wh},
		{Measurand: "Power.Active.Import", Value: float64(s.rng.IntN(22000)) / 3},
		{Measurand: "Odd/name@x", Phase: "L1", Context: "Trigger", Unit: "k W", Value: math.Copysign(0, -1)},
	}}}
}

func (s *Station) meter(now time.Time) *event.Event {
	id := ""
	if len(s.open) > 0 && s.rng.IntN(3) > 0 {
		id = s.open[s.rng.IntN(len(s.open))]
	}
	return s.about(now, 0, 1+s.rng.IntN(2), &event.Meter{TransactionID: id, Samples: s.samples(now)})
}

func (s *Station) transaction(now time.Time) *event.Event {
	connector := 1 + s.rng.IntN(2)
	s.wh += float64(s.rng.IntN(50))
	if len(s.open) == 0 || s.rng.IntN(4) == 0 {
		t := &event.Transaction{Stage: event.TransactionStarted, TokenID: fmt.Sprint("T", s.rng.IntN(3)), TokenStatus: "Accepted", MeterWh: new(s.wh)}
		if s.v2 {
			s.tx++
			t.TransactionID = fmt.Sprintf("%s-%d", s.ID, s.tx)
			t.SeqNo, t.ChargingState, t.MeterWh = new(0), "Charging", nil
			s.open = append(s.open, t.TransactionID)
		} else {
			t.AssignID = true
		}
		return s.about(now, 0, connector, t)
	}
	i := s.rng.IntN(len(s.open))
	id := s.open[i]
	if s.v2 {
		s.seq[id] += 1 + s.rng.IntN(20)/19
		t := &event.Transaction{Stage: event.TransactionUpdated, TransactionID: id, SeqNo: new(s.seq[id]), Offline: s.rng.IntN(10) == 0,
			ChargingState: []string{"Charging", "EVConnected", "SuspendedEV", "Idle"}[s.rng.IntN(4)], Samples: s.samples(now)}
		if s.rng.IntN(2) == 0 {
			t.Stage, t.Reason = event.TransactionEnded, "Local"
			s.open = append(s.open[:i], s.open[i+1:]...)
		}
		return s.about(now, 0, connector*s.rng.IntN(2), t)
	}
	t := &event.Transaction{Stage: event.TransactionEnded, TransactionID: id, MeterWh: new(s.wh), Reason: "EVDisconnected"}
	switch s.rng.IntN(8) {
	case 0:
		t.TransactionID = fmt.Sprint(-s.rng.IntN(3)) // stations forget and make up ids
	case 1: // the stop never comes; or much later
	default:
		s.open = append(s.open[:i], s.open[i+1:]...)
	}
	return s.about(now, 0, 0, t)
}

package fleet

import (
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// memory is a History of what was committed.
type memory map[string]*Session

func (m memory) find(match func(*Session) bool) (*Session, bool) {
	for _, s := range m {
		if match(s) {
			return s, true
		}
	}
	return nil, false
}

func (m memory) SessionByStart(station, key string) (*Session, bool) {
	return m.find(func(s *Session) bool { return s.Station == station && s.StartKey == key })
}

func (m memory) SessionByStop(station, key string) (*Session, bool) {
	return m.find(func(s *Session) bool { return s.Station == station && s.StopKey == key })
}

func (m memory) SessionByTransaction(station, id string) (*Session, bool) {
	return m.find(func(s *Session) bool { return s.Station == station && s.TransactionID == id })
}

// story drives a fold one event a batch.
type story struct {
	state   *State
	stored  memory
	seq     uint64
	now     time.Time
	derived []*event.Event
	points  []Point
}

func newStory() *story {
	return &story{state: New(), stored: memory{}, now: time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC)}
}

// tell folds one body that describes now.
func (s *story) tell(subject event.Subject, body event.Body) Receipt {
	return s.tellAt(subject, s.now, body)
}

func (s *story) tellAt(subject event.Subject, deviceAt time.Time, body event.Body) Receipt {
	b := s.state.Begin(s.stored)
	fx := b.Advance(s.now)
	s.number(b, fx)
	s.seq++
	e := &event.Event{
		Seq: s.seq, Subject: subject, At: deviceAt, DeviceAt: deviceAt, ReceivedAt: s.now,
		RecordedAt: s.now, Quality: event.TimeDevice, Body: body,
	}
	fx = b.Apply(e)
	s.number(b, fx)
	s.commit(b)
	return fx.Receipt
}

func (s *story) wait(d time.Duration) {
	s.now = s.now.Add(d)
	b := s.state.Begin(s.stored)
	s.number(b, b.Advance(s.now))
	s.commit(b)
}

func (s *story) number(b *Batch, fx Effects) {
	for _, d := range fx.Derived {
		s.seq++
		d.Seq = s.seq
		b.Numbered(d)
		s.derived = append(s.derived, d)
	}
}

func (s *story) commit(b *Batch) {
	c := b.Changes()
	b.Commit()
	for _, x := range c.Sessions {
		s.stored[x.ID] = x
	}
	s.points = append(s.points, c.Points...)
}

func (s *story) station(t *testing.T, id string) *Station {
	t.Helper()
	st, ok := s.state.Snapshot().Station(id)
	if !ok {
		t.Fatalf("station %s is not in the snapshot", id)
	}
	return st
}

func start16(token string, wh float64) *event.Transaction {
	return &event.Transaction{Stage: event.TransactionStarted, AssignID: true, TokenID: token, MeterWh: &wh}
}

func stop16(id string, wh float64) *event.Transaction {
	return &event.Transaction{Stage: event.TransactionEnded, TransactionID: id, MeterWh: &wh}
}

func TestASessionOfOCPP16(t *testing.T) {
	s := newStory()
	port := event.Subject{Type: event.StationSubject, ID: "A", Connector: 1}
	s.tell(event.Station("A"), &event.Connected{ConnID: "c1", Protocol: "ocpp1.6"})
	s.tell(port, &event.Status{Status: "Preparing", ErrorCode: "NoError"})
	r := s.tell(port, start16("tok", 1000))
	if r.TransactionID != "1" || r.Retry {
		t.Fatalf("receipt of the start: %+v", r)
	}
	at := s.now
	s.now = s.now.Add(30 * time.Second)
	if r := s.tellAt(port, at, start16("tok", 1000)); r.TransactionID != "1" || !r.Retry {
		t.Errorf("receipt of the repeated start: %+v; want the same id", r)
	}
	s.tell(port, &event.Status{Status: "Charging", ErrorCode: "NoError"})
	s.now = s.now.Add(10 * time.Minute)
	s.tell(port, &event.Meter{TransactionID: "1", Samples: event.Samples{{At: s.now, Values: []event.Sample{
		{Measurand: "Energy.Active.Import.Register", Value: 1500}, {Measurand: "Power.Active.Import", Value: 11000},
	}}}})
	evse := s.station(t, "A").EVSEs[0]
	if evse.Status != Charging || evse.Session == nil || evse.Session.EnergyWh != 500 || *evse.Live.PowerW != 11000 {
		t.Errorf("while charging: %+v, session %+v", evse, evse.Session)
	}
	s.now = s.now.Add(10 * time.Minute)
	s.tell(event.Station("A"), stop16("1", 2500))
	s.tell(port, &event.Status{Status: "Available", ErrorCode: "NoError"})
	done, ok := s.stored.SessionByTransaction("A", "1")
	if !ok || done.State != SessionEnded || done.EnergyWh != 1500 || done.StopReason != "Local" {
		t.Errorf("ended session: %+v", done)
	}
	if v := s.station(t, "A").EVSEs[0]; v.Session != nil || v.Status != Available || v.Live.PowerW != nil {
		t.Errorf("after the stop: %+v", v)
	}
}

func TestAGhostEndsAndALateStopCorrectsIt(t *testing.T) {
	s := newStory()
	port := event.Subject{Type: event.StationSubject, ID: "A", Connector: 1}
	s.tell(event.Station("A"), &event.Connected{ConnID: "c1", Protocol: "ocpp1.6"})
	s.tell(port, start16("tok", 1000))
	s.now = s.now.Add(time.Hour)
	s.tell(port, &event.Status{Status: "Available", ErrorCode: "NoError"})
	freed := s.now
	s.wait(9 * time.Minute)
	if len(s.derived) != 0 {
		t.Fatalf("inferred too early: %v", s.derived[0].Body)
	}
	s.wait(2 * time.Minute)
	if len(s.derived) != 1 || s.stored["S2"].State != SessionInferred || !s.stored["S2"].EndedAt.Equal(freed) {
		t.Fatalf("derived %v, session %+v", s.derived, s.stored["S2"])
	}
	s.wait(time.Hour)
	s.tellAt(event.Station("A"), freed.Add(-time.Minute), stop16("1", 4000))
	x := s.stored["S2"]
	if x.State != SessionEnded || x.EnergyWh != 3000 || !x.has(FlagLateStop) || x.has(FlagInferredEnd) {
		t.Errorf("after the late stop: %+v", x)
	}
}

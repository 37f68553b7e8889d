package door

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/event"
)

// board is a controller in memory: what it recorded, and how it is.
type board struct {
	mu    sync.Mutex
	away  bool
	open  bool
	log   []Record
	first uint32 // index of the oldest record
	rings chan Ring
}

func newBoard() *board { return &board{first: 1, rings: make(chan Ring, 8)} }

func (b *board) set(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
}

func (b *board) record(cause Cause, granted bool) {
	b.set(func() {
		b.log = append(b.log, Record{Index: b.first + uint32(len(b.log)), At: time.Now(), Door: 1, Card: 7, Granted: granted, Cause: cause})
	})
	b.rings <- Ring{}
}

func (b *board) Look(context.Context) (Look, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.away {
		return Look{}, ErrAway
	}
	return Look{Newest: b.first + uint32(len(b.log)) - 1, Clock: time.Now(), Doors: []DoorLook{{Open: b.open}}}, nil
}

func (b *board) Records(_ context.Context, after uint32, most int) ([]Record, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.away {
		return nil, ErrAway
	}
	list := b.log[min(max(int(after)-int(b.first)+1, 0), len(b.log)):]
	return slices.Clone(list[:min(most, len(list))]), nil
}

func (b *board) Do(context.Context, Order) error { return nil }
func (b *board) Rings() <-chan Ring              { return b.rings }

// paper is a journal in memory that can refuse.
type paper struct {
	mu     sync.Mutex
	events []event.Body
	cursor Cursor
	keys   map[string]bool
	refuse int // so many more are taken, then none; below zero: all are
}

func newPaper() *paper { return &paper{refuse: -1} }

func (p *paper) Append(_ context.Context, e *event.Event) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events = append(p.events, e.Body)
	return nil
}

func (p *paper) Tell(_ context.Context, _ string, to Cursor, e *event.Event) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuse == 0 {
		return errors.New("the disk is full")
	}
	if p.refuse > 0 {
		p.refuse--
	}
	p.events, p.cursor = append(p.events, e.Body), to
	return nil
}

func (p *paper) Once(ctx context.Context, _, key string, e *event.Event) error {
	p.mu.Lock()
	again := p.keys[key]
	if p.keys == nil {
		p.keys = map[string]bool{}
	}
	p.keys[key] = true
	p.mu.Unlock()
	if again {
		return nil
	}
	return p.Append(ctx, e)
}

func (p *paper) Pass(_ context.Context, _ string, to Cursor) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cursor = to
	return nil
}

func (p *paper) Cursor(context.Context, string) (Cursor, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cursor, nil
}

// said lists what was told, in short.
func (p *paper) said() (out []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range p.events {
		switch b := b.(type) {
		case *event.DoorState:
			out = append(out, string(b.State))
		case *event.ControllerFault:
			out = append(out, map[bool]string{true: "fault ", false: "right "}[b.Active]+string(b.Fault))
		case *event.Access:
			out = append(out, "access "+b.Code)
		case *event.DoorAlarm:
			out = append(out, "alarm "+string(b.Alarm))
		}
	}
	return out
}

func (p *paper) told(_ context.Context, _ Config) (Memory, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := Memory{Doors: map[string]event.DoorState{}}
	faults := map[event.ControllerFaultKind]bool{}
	for _, b := range p.events {
		switch b := b.(type) {
		case *event.DoorState:
			m.Doors["gate"] = *b
		case *event.ControllerFault:
			faults[b.Fault] = b.Active
		}
	}
	for kind, on := range faults {
		if on {
			m.Faults = append(m.Faults, kind)
		}
	}
	return m, nil
}

// strict lets nobody in.
type strict struct{}

func (strict) Decide(context.Context, Asked) (Decided, error) {
	return Decided{Decision: access.Decision{Status: access.Invalid, Code: access.NoRight, Reason: "no policy is about this"}}, nil
}

func (strict) Locked(DoorConfig) bool { return false }

func (strict) Lists(_ context.Context, _ Config, have access.Lists) (access.Compiled, error) {
	return access.Compiled{Lists: have}, nil
}

// keep runs a keeper of one door until the test ends it.
func keep(t *testing.T, b *board, p *paper) (end func()) {
	t.Helper()
	s := New(Options{Journal: p, Policy: strict{}, Told: p.told, Open: func(Config) (Driver, func()) { return b, func() {} }})
	s.Apply([]Config{{ID: "c", SiteID: "yard", Zone: time.UTC, Doors: []DoorConfig{{ID: "gate", Number: 1, HeldAfter: time.Minute}}}})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	synctest.Wait()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func wants(t *testing.T, p *paper, want ...string) {
	t.Helper()
	synctest.Wait()
	if got := p.said(); !slices.Equal(got, want) {
		t.Errorf("told\n%q, want\n%q", got, want)
	}
}

func TestAControllerThatDoesNotAnswerIsOfflineAfterAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, p := newBoard(), newPaper()
		defer keep(t, b, p)()
		b.set(func() { b.away = true })
		time.Sleep(9 * time.Second)
		wants(t, p, "locked")
		b.set(func() { b.away = false })
		time.Sleep(10 * time.Second)
		wants(t, p, "locked") // it was gone for too short a time
		b.set(func() { b.away = true })
		time.Sleep(25 * time.Second)
		wants(t, p, "locked", "fault offline", "offline")
		b.set(func() { b.away = false })
		time.Sleep(6 * time.Second)
		wants(t, p, "locked", "fault offline", "offline", "right offline", "locked")
	})
}

func TestAMessageWithoutARecordIsAFaultForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, p := newBoard(), newPaper()
		defer keep(t, b, p)()
		b.rings <- Ring{Index: 99}
		wants(t, p, "locked", "fault unrecorded")
		time.Sleep(9 * time.Minute)
		wants(t, p, "locked", "fault unrecorded")
		time.Sleep(2 * time.Minute)
		wants(t, p, "locked", "fault unrecorded", "right unrecorded")
	})
}

func TestADoorThatStandsOpenIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, p := newBoard(), newPaper()
		defer keep(t, b, p)()
		b.set(func() { b.open = true })
		b.record(Opened, true)
		wants(t, p, "locked", "open")
		time.Sleep(70 * time.Second)
		wants(t, p, "locked", "open", "held")
		b.set(func() { b.open = false })
		b.record(Closed, true)
		wants(t, p, "locked", "open", "held", "locked")
	})
}

// What a controller recorded before it was ours is not told; what it records while
// we are away is.
func TestRecordsBetweenRunsAreToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, p := newBoard(), newPaper()
		for range 5 {
			b.set(func() {
				b.log = append(b.log, Record{Index: uint32(len(b.log)) + 1, Door: 1, Cause: NoPrivilege, Card: 7})
			})
		}
		end := keep(t, b, p)
		wants(t, p, "locked")
		end()
		b.record(UnknownCard, false)
		b.record(Duress, true)
		p.refuse = 2 // the alarm of the duress is taken, what comes after it is not
		end = keep(t, b, p)
		wants(t, p, "locked", "access noRight", "alarm duress")
		end()
		if p.cursor != (Cursor{7, 1}) {
			t.Errorf("the cursor is %+v", p.cursor)
		}
		p.refuse = -1
		end = keep(t, b, p)
		wants(t, p, "locked", "access noRight", "alarm duress", "access duress")
		end()
		defer keep(t, b, p)()
		wants(t, p, "locked", "access noRight", "alarm duress", "access duress")
	})
}

func TestRecordsThatBeginAnewAreReadFromTheirBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, p := newBoard(), newPaper()
		defer keep(t, b, p)()
		b.record(NoPrivilege, false)
		b.record(NoPrivilege, false)
		wants(t, p, "locked", "access noRight", "access noRight")
		b.set(func() { b.log = nil })
		b.record(NoPrivilege, false)
		wants(t, p, "locked", "access noRight", "access noRight", "fault lost", "access noRight")
	})
}

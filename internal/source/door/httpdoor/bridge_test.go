package httpdoor

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/proto/signed"
	"github.com/chargewatch/chargewatch/internal/source/door"
	"github.com/chargewatch/chargewatch/internal/source/door/doortest"
)

const secret = "ctl_of_both_sides"

// there is another system, with a door of its own.
type there struct {
	t      *testing.T
	server *httptest.Server
	bridge *Bridge
	answer atomic.Int32

	mu     sync.Mutex
	orders []command
	locked bool
	open   bool
	names  int
}

func newThere(t *testing.T) *there {
	t.Helper()
	x := &there{t: t}
	x.answer.Store(http.StatusNoContent)
	x.server = httptest.NewServer(x)
	x.bridge = Open(Options{URL: x.server.URL, Secret: []byte(secret), Client: x.server.Client(), Doors: []door.DoorConfig{{ID: "gate", Number: 1, Wiring: door.Wiring{Device: "north"}}}})
	t.Cleanup(func() { x.bridge.Close(); x.server.Close() })
	return x
}

func (x *there) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	s, ok := signed.Parse(r.Header.Get(signed.Header))
	var c command
	if err != nil || !ok || !s.By([]byte(secret), body) || json.Unmarshal(body, &c) != nil || c.ID != r.Header.Get("Idempotency-Key") {
		x.t.Errorf("ordered %s, %v", body, err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	status := int(x.answer.Load())
	if status == http.StatusNoContent && c.Command != "ping" {
		x.orders = append(x.orders, c)
		switch c.Command {
		case "lockdown":
			x.locked = true
		case "release":
			x.locked = false
		case "unlock":
			if x.locked {
				status = http.StatusConflict
			}
			x.open = !x.locked
		}
	}
	w.WriteHeader(status)
}

// say tells something in the background, under a name of its own.
func (x *there) say(e Event) {
	x.mu.Lock()
	x.names++
	e.ID, e.Door = strconv.Itoa(x.names), "north"
	x.mu.Unlock()
	go func() {
		if err := x.bridge.Take(context.Background(), e); err != nil && !errors.Is(err, door.ErrAway) {
			x.t.Error(err)
		}
	}()
}

// hear is the keeper: it writes down what is told.
func (x *there) hear() door.Told {
	x.t.Helper()
	select {
	case got := <-x.bridge.Told():
		got.Done(nil)
		return got
	case <-time.After(10 * time.Second):
		x.t.Fatal("nothing was told")
	}
	return door.Told{}
}

func TestContract(t *testing.T) {
	doortest.Run(t, func(t *testing.T) doortest.Rig {
		x := newThere(t)
		queue := make(chan door.Told, 10)
		go func() {
			for {
				select {
				case got := <-x.bridge.Told():
					got.Done(nil)
					got.Done = nil
					queue <- got
				case <-x.bridge.ctx.Done():
					return
				}
			}
		}()
		tell := func(t *testing.T, e Event) {
			t.Helper()
			x.names++
			e.ID, e.Door = strconv.Itoa(x.names), "north"
			if err := x.bridge.Take(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		return doortest.Rig{
			Driver: heard{x.bridge, queue},
			Swipe: func(t *testing.T, _ int, card, _ uint32) {
				tell(t, Event{Kind: Granted, Card: strconv.FormatUint(uint64(card), 10)})
			},
			Open:  func(t *testing.T, _ int) { tell(t, Event{Kind: Opened}) },
			Shut:  func(t *testing.T, _ int) { tell(t, Event{Kind: Closed}) },
			Relay: func(int) bool { x.mu.Lock(); defer x.mu.Unlock(); return x.open },
		}
	})
}

// heard is a bridge of which everything was heard already.
type heard struct {
	*Bridge
	queue chan door.Told
}

func (h heard) Told() <-chan door.Told { return h.queue }

func TestWhatABridgeTells(t *testing.T) {
	x := newThere(t)
	for kind, want := range map[Kind]door.Record{
		Granted: {Cause: door.Swiped, Granted: true}, Denied: {Cause: door.NoPrivilege}, Opened: {Cause: door.Opened}, Closed: {Cause: door.Closed},
		Forced: {Cause: door.ForcedOpen}, Held: {Cause: door.HeldOpen}, Duress: {Cause: door.Duress, Granted: true}, Fire: {Cause: door.Fire}, Tamper: {Cause: door.Alarm},
	} {
		x.say(Event{Kind: kind, Card: "A1"})
		got := x.hear()
		want.Door, want.Token = 1, "A1"
		if got.Record != want || got.Key == "" || got.Asks {
			t.Errorf("%s: told %+v", kind, got)
		}
	}
	x.say(Event{Kind: Denied, Reason: "lockedDown"})
	if got := x.hear(); got.Cause != door.LockedDown {
		t.Errorf("told %+v", got)
	}
	for name, tc := range map[string]struct {
		event Event
		want  error
	}{
		"of another door":     {Event{Kind: Opened, Door: "south"}, ErrUnknownDoor},
		"of no door":          {Event{Kind: Granted}, ErrUnknownDoor},
		"of last week":        {Event{Kind: Opened, Door: "north", At: time.Now().Add(-8 * 24 * time.Hour)}, ErrTooOld},
		"of tomorrow":         {Event{Kind: Opened, Door: "north", At: time.Now().Add(24 * time.Hour)}, ErrTooOld},
		"that it is there":    {Event{Kind: Online}, nil},
		"that a door is":      {Event{Kind: Online, Door: "north"}, nil},
		"that others are not": {Event{Kind: Online, Door: "south"}, ErrUnknownDoor},
	} {
		if err := x.bridge.Take(t.Context(), tc.event); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var err error
	for range rateBurst + 100 {
		if err = x.bridge.Take(t.Context(), Event{Kind: Online}); err != nil {
			break
		}
	}
	if !errors.Is(err, ErrBusy) {
		t.Errorf("of all at once: %v", err)
	}
}

// What could not be written down is not answered, so that it is told again.
func TestWhatWasNotWrittenDownIsNotAnswered(t *testing.T) {
	x := newThere(t)
	full := errors.New("the disk is full")
	go func() { (<-x.bridge.Told()).Done(full) }()
	if err := x.bridge.Take(t.Context(), Event{ID: "1", Door: "north", Kind: Opened}); !errors.Is(err, full) {
		t.Errorf("answered: %v", err)
	}
	if l, err := x.bridge.Look(t.Context()); err != nil || !l.Doors[0].Unseen {
		t.Errorf("it is %+v, %v", l, err)
	}
}

func TestOrdersThatAreNotDoneAreSaid(t *testing.T) {
	x := newThere(t)
	for status, want := range map[int]error{http.StatusNotFound: door.ErrRefused, http.StatusServiceUnavailable: door.ErrAway, http.StatusTooManyRequests: door.ErrAway, http.StatusFound: door.ErrAway} {
		x.answer.Store(int32(status))
		if err := x.bridge.Do(t.Context(), door.Order{Door: 1, Answers: true}); !errors.Is(err, want) {
			t.Errorf("%d: %v", status, err)
		}
	}
	x.answer.Store(http.StatusServiceUnavailable)
	if err := x.bridge.Probe(t.Context()); !errors.Is(err, door.ErrAway) {
		t.Errorf("asked: %v", err)
	}
	if l, err := x.bridge.Look(t.Context()); err != nil || l.Trouble == "" {
		t.Errorf("heard a moment ago it is %+v, %v", l, err)
	}
	x.server.Close()
	if err := x.bridge.Do(t.Context(), door.Order{Door: 1, Mode: door.Locked}); !errors.Is(err, door.ErrAway) {
		t.Errorf("without a server: %v", err)
	}
	deaf := Open(Options{Doors: x.bridge.o.Doors})
	defer deaf.Close()
	if err := deaf.Do(t.Context(), door.Order{Door: 1}); !errors.Is(err, door.ErrRefused) {
		t.Errorf("without an address: %v", err)
	}
	if l, err := deaf.Look(t.Context()); err != nil || !l.Unheard {
		t.Errorf("before it said anything it is %+v, %v", l, err)
	}
	if err := deaf.Take(t.Context(), Event{ID: "1", Kind: Online}); err != nil {
		t.Error(err)
	}
	if l, err := deaf.Look(t.Context()); err != nil || l.Unheard {
		t.Errorf("heard it is %+v, %v", l, err)
	}
}

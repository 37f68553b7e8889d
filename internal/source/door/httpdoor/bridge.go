// Package httpdoor joins doors of another system, which has its own cards and its own
// controllers, by signed messages in both directions.
//
// That system decides; what it decided is told here, decided again and shown with
// whether we agree. It tells each thing under a name, and once more until it is
// answered, so that nothing is lost while this server is away and nothing is there
// twice. What we order goes to one address, with a signature and an end: what was not
// answered was not done as far as we know, and is said so.
package httpdoor

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/proto/signed"
	"github.com/chargewatch/chargewatch/internal/source/door"
)

// Options configures a Bridge.
type Options struct {
	URL    string // where orders go; empty: nowhere
	Secret []byte // that both sides sign with
	Client *http.Client
	Doors  []door.DoorConfig
	Logger *slog.Logger
}

// Kind is what a bridge can tell.
type Kind string

// The kinds. Online says nothing but that it is there.
const (
	Granted Kind = "granted"
	Denied  Kind = "denied"
	Opened  Kind = "opened"
	Closed  Kind = "closed"
	Forced  Kind = "forced"
	Held    Kind = "held"
	Duress  Kind = "duress"
	Fire    Kind = "fire"
	Tamper  Kind = "tamper"
	Online  Kind = "online"
)

// Event is what a bridge tells.
type Event struct {
	ID     string // by which it is told once
	At     time.Time
	Door   string // as the bridge calls it
	Kind   Kind
	Card   string
	Reason string
}

// Errors of what is told.
var (
	// ErrUnknownDoor is returned for a door that is not one of the bridge.
	ErrUnknownDoor = errors.New("no door of this controller is called so")
	// ErrTooOld is returned for what may have been told and forgotten.
	ErrTooOld = errors.New("at most 7 days old")
	// ErrBusy is returned when more is told than is taken in.
	ErrBusy = errors.New("more at once than is taken in")
)

// Times and bounds.
const (
	// SilentAfter is after how long without a word a bridge is away.
	SilentAfter = 10 * time.Minute
	orderFor    = 5 * time.Second
	pingEvery   = time.Minute
	pingAgain   = 10 * time.Second
	toldMost    = 7 * 24 * time.Hour
	aheadMost   = 5 * time.Minute
	ratePerS    = 20
	rateBurst   = 400
)

// Bridge is another system.
type Bridge struct {
	o      Options
	log    *slog.Logger
	told   chan door.Told
	rings  chan door.Ring
	cancel context.CancelFunc
	ctx    context.Context
	ends   sync.WaitGroup

	mu      sync.Mutex
	heardAt time.Time // or when we began
	spoke   bool
	pinged  error
	asked   bool // the first ping is over
	doors   map[int]*state
	most    int
	room    float64
	roomAt  time.Time
}

type state struct{ seen, open bool }

var (
	_ door.Driver = (*Bridge)(nil)
	_ door.Teller = (*Bridge)(nil)
	_ door.Prober = (*Bridge)(nil)
)

// Open begins to ask the bridge whether it is there, until Close.
func Open(o Options) *Bridge {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	b := &Bridge{o: o, log: o.Logger, told: make(chan door.Told), rings: make(chan door.Ring, 1), heardAt: time.Now(), doors: map[int]*state{}, room: rateBurst, roomAt: time.Now()}
	for _, d := range o.Doors {
		b.doors[d.Number] = &state{}
		b.most = max(b.most, d.Number)
	}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	if o.URL != "" {
		b.ends.Go(b.ask)
	}
	return b
}

// Close ends it; who waits hears that it was not told.
func (b *Bridge) Close() {
	b.cancel()
	b.ends.Wait()
}

// Told gives what happened.
func (b *Bridge) Told() <-chan door.Told { return b.told }

// Rings says that it is otherwise than it was.
func (b *Bridge) Rings() <-chan door.Ring { return b.rings }

func (b *Bridge) ring() {
	select {
	case b.rings <- door.Ring{}:
	default:
	}
}

// ask looks from time to time whether orders would arrive.
func (b *Bridge) ask() {
	for {
		err := b.Probe(b.ctx)
		if b.ctx.Err() != nil {
			return
		}
		wait := pingEvery
		if err != nil {
			wait = pingAgain
		}
		late := time.NewTimer(wait)
		select {
		case <-b.ctx.Done():
			late.Stop()
			return
		case <-late.C:
		}
	}
}

// Probe asks whether it is there.
func (b *Bridge) Probe(ctx context.Context) error {
	if b.o.URL == "" {
		return nil
	}
	err := b.order(ctx, command{Command: "ping"})
	b.mu.Lock()
	news := !b.asked || (err == nil) != (b.pinged == nil)
	b.asked, b.pinged = true, err
	b.mu.Unlock()
	if news {
		b.ring()
	}
	return err
}

// Look says how the doors are, as far as was told.
func (b *Bridge) Look(context.Context) (door.Look, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	silent := time.Since(b.heardAt) > SilentAfter
	var out door.Look
	switch {
	case b.o.URL == "" && silent:
		return out, &door.AwayError{Why: "nothing was heard of it for 10 minutes"}
	case b.o.URL != "" && b.pinged != nil && silent:
		return out, &door.AwayError{Why: b.pinged.Error()}
	case b.o.URL != "" && b.pinged != nil:
		out.Trouble = b.pinged.Error()
	}
	out.Unheard = !b.spoke && !(b.asked && b.pinged == nil && b.o.URL != "")
	out.Doors = make([]door.DoorLook, b.most)
	for n, x := range b.doors {
		out.Doors[n-1] = door.DoorLook{Unseen: !x.seen, Open: x.open}
	}
	return out, nil
}

// command is what is ordered.
type command struct {
	Version int       `json:"version"`
	ID      string    `json:"id"`
	At      time.Time `json:"at"`
	Command string    `json:"command"` // unlock, lockdown, release or ping
	Door    string    `json:"door,omitempty"`
	Seconds float64   `json:"seconds,omitempty"`
}

// Do orders it.
func (b *Bridge) Do(ctx context.Context, o door.Order) error {
	name, ok := b.name(o.Door)
	if !ok || o.Mode == door.Unlocked {
		return door.ErrRefused
	}
	if b.o.URL == "" {
		return fmt.Errorf("the controller has no address for orders: %w", door.ErrRefused)
	}
	c := command{Door: name, Seconds: o.For.Seconds(), Command: "unlock"}
	switch o.Mode {
	case door.Locked:
		c.Command = "lockdown"
	case door.Controlled:
		c.Command = "release"
	}
	if err := b.order(ctx, c); err != nil {
		return err
	}
	if o.Mode == "" && !o.Answers {
		b.ends.Go(func() {
			_ = b.hand(b.ctx, door.Told{Record: door.Record{Door: o.Door, Cause: door.RemoteOpen, Granted: true}}) // ended: nobody listens any more
		})
	}
	return nil
}

func (b *Bridge) name(n int) (string, bool) {
	for _, d := range b.o.Doors {
		if d.Number == n {
			return d.Wiring.Device, true
		}
	}
	return "", false
}

// order posts a command; what is not answered in time is not done.
func (b *Bridge) order(ctx context.Context, c command) error {
	ctx, cancel := context.WithTimeout(ctx, orderFor)
	defer cancel()
	now := time.Now()
	c.Version, c.ID, c.At = 1, rand.Text(), now.UTC()
	body, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode an order: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.o.URL, bytes.NewReader(body))
	if err != nil {
		return &door.AwayError{Why: "its address is none"}
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", c.ID)
	r.Header.Set(signed.Header, signed.Sign(b.o.Secret, now, body))
	answer, err := b.o.Client.Do(r)
	switch {
	case errors.Is(err, door.ErrDenied):
		return door.ErrDenied
	case errors.Is(err, context.DeadlineExceeded):
		return &door.AwayError{Why: "its address did not answer within 5 s"}
	case err != nil:
		return &door.AwayError{Why: "its address does not answer"}
	}
	_, _ = io.CopyN(io.Discard, answer.Body, 4<<10) // so that the connection can be used again
	answer.Body.Close()
	switch {
	case answer.StatusCode >= 200 && answer.StatusCode < 300:
		return nil
	case answer.StatusCode >= 400 && answer.StatusCode < 500 && answer.StatusCode != http.StatusRequestTimeout && answer.StatusCode != http.StatusTooManyRequests:
		return fmt.Errorf("it answers with status %d: %w", answer.StatusCode, door.ErrRefused)
	}
	return &door.AwayError{Why: fmt.Sprintf("it answers with status %d", answer.StatusCode)}
}

// Take hears what the bridge tells; without an error it is durable.
func (b *Bridge) Take(ctx context.Context, e Event) error {
	now := time.Now()
	if !b.admit(now) {
		return ErrBusy
	}
	if !e.At.IsZero() && (now.Sub(e.At) > toldMost || e.At.Sub(now) > aheadMost) {
		return ErrTooOld
	}
	if e.Kind == Online && e.Door == "" {
		b.heard(now)
		return nil
	}
	n := 0
	for _, d := range b.o.Doors {
		if d.Wiring.Device == e.Door {
			n = d.Number
		}
	}
	if n == 0 && (e.Door != "" || e.Kind != Fire && e.Kind != Tamper) {
		return ErrUnknownDoor
	}
	b.heard(now)
	if e.Kind == Online {
		return nil
	}
	if err := b.hand(ctx, e.told(n)); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if x := b.doors[n]; x != nil {
		switch e.Kind {
		case Opened, Forced, Held:
			x.seen, x.open = true, true
		case Closed:
			x.seen, x.open = true, false
		}
	}
	return nil
}

// heard notes a sign of life.
func (b *Bridge) heard(now time.Time) {
	b.mu.Lock()
	was, spoke := b.heardAt, b.spoke
	b.heardAt, b.spoke = now, true
	b.mu.Unlock()
	if !spoke || now.Sub(was) > SilentAfter {
		b.ring()
	}
}

// admit bounds how much is taken in.
func (b *Bridge) admit(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.room = min(rateBurst, b.room+ratePerS*now.Sub(b.roomAt).Seconds())
	b.roomAt = now
	if b.room < 1 {
		return false
	}
	b.room--
	return true
}

// hand gives something to the keeper and waits until it is durable.
func (b *Bridge) hand(ctx context.Context, x door.Told) error {
	done := make(chan error, 1)
	x.Done, x.Heard = func(err error) { done <- err }, time.Now()
	select {
	case b.told <- x:
	case <-b.ctx.Done():
		return door.ErrAway
	case <-ctx.Done():
		return fmt.Errorf("tell what happened: %w", context.Cause(ctx))
	}
	select {
	case err := <-done:
		return err
	case <-b.ctx.Done():
		return door.ErrAway
	case <-ctx.Done():
		return fmt.Errorf("tell what happened: %w", context.Cause(ctx))
	}
}

// told says an event in the words of doors.
func (e *Event) told(n int) door.Told {
	r := door.Record{At: e.At, Door: n, Token: e.Card}
	switch e.Kind {
	case Granted:
		r.Cause, r.Granted = door.Swiped, true
	case Denied:
		r.Cause = because(e.Reason)
	case Opened:
		r.Cause = door.Opened
	case Closed:
		r.Cause = door.Closed
	case Forced:
		r.Cause = door.ForcedOpen
	case Held:
		r.Cause = door.HeldOpen
	case Duress:
		r.Cause, r.Granted = door.Duress, true
	case Fire:
		r.Cause = door.Fire
	case Tamper:
		r.Cause = door.Alarm
	}
	return door.Told{Key: e.ID, Record: r}
}

// because reads the reasons that have a name here; any other is that the bridge did
// not want to.
func because(reason string) door.Cause {
	for _, c := range []door.Cause{door.WrongPIN, door.AntiPassback, door.LockedDown, door.Interlock, door.OutsideHours, door.UnknownCard} {
		if string(c) == reason {
			return c
		}
	}
	return door.NoPrivilege
}

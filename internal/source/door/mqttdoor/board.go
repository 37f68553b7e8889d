// Package mqttdoor drives relays, locks, contacts and readers on an MQTT broker:
// Zigbee2MQTT, Shelly, Tasmota and whatever has topics of its own.
//
// Such devices have no lists and no memory. This server decides who may enter and
// pulses the relay; while it or the broker is away nobody is let in, and nothing of
// that time is known afterwards. A lockdown is a relay that stays off: what turns it
// on is turned off again and told. Whoever may publish on the broker can open the
// doors, as with a key; that is for the broker to guard. What it says is looked at
// within bounds, what was kept from before opens nothing, and what is said again is
// not told again.
package mqttdoor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/chargewatch/chargewatch/internal/mqtt"
	"github.com/chargewatch/chargewatch/internal/source/door"
)

// Options configures a Board.
type Options struct {
	Broker mqtt.Broker
	// Doors are those it drives, with their wiring.
	Doors []door.DoorConfig
	// Confirm is how long a device may take to say that it unlocked; 0: 3 s.
	Confirm time.Duration
	Logger  *slog.Logger
}

// Times and bounds.
const (
	confirmFor  = 3 * time.Second
	handoverFor = 5 * time.Second
	openingFor  = 10 * time.Second // after it is locked again somebody may still be at the door
	againAfter  = 2 * time.Second  // the same card sooner is the same swipe
	relockEvery = time.Second
	toldAtMost  = 256
	idsKept     = 256
	swipesBurst = 10
	swipesEvery = 500 * time.Millisecond
)

// Board is a broker and the doors that it drives.
type Board struct {
	o      Options
	log    *slog.Logger
	client *mqtt.Client
	told   chan door.Told
	rings  chan door.Ring
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu    sync.Mutex
	wires map[int]*wire
	most  int
}

// wire is one door. The mutex of its board guards it.
type wire struct {
	plan                *plan
	number              int
	relay, open, online answer
	tamper              answer
	heardAt             time.Time
	locked              bool
	opening             time.Time // until then it is we who opened it
	owed                bool      // its relay is to be turned off
	relockAt            time.Time
	timer, relock       *time.Timer
	changed             chan struct{} // closed at the next word of the relay
	ids                 []string
	last                string // what was shown
	lastAt              time.Time
	swipes              float64
	swipesAt            time.Time
}

var (
	_ door.Driver = (*Board)(nil)
	_ door.Teller = (*Board)(nil)
)

// Open connects to a broker until Close.
func Open(o Options) (*Board, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Confirm == 0 {
		o.Confirm = confirmFor
	}
	b := &Board{o: o, log: o.Logger, told: make(chan door.Told, toldAtMost), rings: make(chan door.Ring, 8), wires: map[int]*wire{}}
	for _, d := range o.Doors {
		p, err := planOf(d.Wiring)
		if err != nil {
			return nil, fmt.Errorf("door %s: %w", d.ID, err)
		}
		b.wires[d.Number] = &wire{plan: p, number: d.Number, changed: make(chan struct{}), swipes: swipesBurst, heardAt: time.Now()}
		b.most = max(b.most, d.Number)
	}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	b.client = mqtt.New(mqtt.Options{Broker: o.Broker, Changed: b.connected, Logger: o.Logger})
	topics := map[string]bool{}
	for _, w := range b.wires {
		for _, e := range w.plan.ears {
			if topics[e.topic] {
				continue
			}
			topics[e.topic] = true
			if err := b.client.Subscribe(b.ctx, e.topic, b.hear); err != nil {
				b.cancel()
				return nil, fmt.Errorf("door %d: %w", w.number, err)
			}
		}
	}
	b.work.Go(func() { b.client.Run(b.ctx) }) //nolint:errcheck // it ends without an error
	return b, nil
}

// Close locks what is unlocked and hangs up.
func (b *Board) Close() {
	b.mu.Lock()
	var due []*wire
	for _, w := range b.wires {
		if w.timer != nil && w.timer.Stop() {
			due = append(due, w)
		}
		w.timer = nil
	}
	b.mu.Unlock()
	for _, w := range due {
		b.lock(w)
	}
	b.cancel()
	b.work.Wait()
}

// Told gives what happened.
func (b *Board) Told() <-chan door.Told { return b.told }

// Rings says that a door is otherwise than it was.
func (b *Board) Rings() <-chan door.Ring { return b.rings }

func (b *Board) ring() {
	select {
	case b.rings <- door.Ring{}:
	default:
	}
}

// connected asks the devices how they are; what was known of them may be old.
func (b *Board) connected(up bool, _ error) {
	b.mu.Lock()
	var ask []mqtt.Message
	var owed []*wire
	for _, w := range b.wires {
		if up {
			w.heardAt = time.Now()
			for _, m := range w.plan.ask {
				if !slices.ContainsFunc(ask, func(x mqtt.Message) bool { return x.Topic == m.Topic && string(x.Payload) == string(m.Payload) }) {
					ask = append(ask, m)
				}
			}
			if w.owed {
				owed = append(owed, w)
			}
		} else {
			w.relay, w.open, w.online = unsaid, unsaid, unsaid
		}
	}
	b.mu.Unlock()
	b.ring()
	if !up {
		return
	}
	b.work.Go(func() {
		for _, w := range owed {
			b.lock(w)
		}
		for _, m := range ask {
			if err := b.publish(m); err != nil {
				return // it is asked again at the next connection
			}
		}
	})
}

func (b *Board) publish(m mqtt.Message) error {
	ctx, cancel := context.WithTimeout(b.ctx, handoverFor)
	defer cancel()
	return b.client.Publish(ctx, m)
}

// lock turns a relay off, now or when the broker is back.
func (b *Board) lock(w *wire) {
	err := b.publish(w.plan.lock)
	b.mu.Lock()
	w.owed = err != nil
	if err == nil && !w.plan.states {
		w.relay = no
	}
	b.mu.Unlock()
	if err != nil {
		b.log.Warn("a door was not locked again; it is tried when the broker is back", "door", w.number, "err", err)
	}
}

// Look says how the doors are, as far as was heard.
func (b *Board) Look(context.Context) (door.Look, error) {
	if err := b.away(); err != nil {
		return door.Look{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	out := door.Look{Doors: make([]door.DoorLook, b.most)}
	for n, w := range b.wires {
		out.Doors[n-1] = door.DoorLook{
			Open: w.open == yes, Unlocked: w.relay == yes, Blind: !w.plan.sees, Away: w.away(),
			Unseen: w.plan.states && w.relay == unsaid || w.plan.sees && w.open == unsaid,
		}
	}
	return out, nil
}

func (w *wire) away() bool {
	return w.online == no || w.plan.silent > 0 && time.Since(w.heardAt) > w.plan.silent
}

// away says why the broker is not there.
func (b *Board) away() error {
	s := b.client.State()
	switch {
	case s.Up:
		return nil
	case errors.Is(s.Err, door.ErrDenied):
		return door.ErrDenied
	case s.Err == nil:
		return &door.AwayError{Why: "the broker is not connected yet"}
	}
	return &door.AwayError{Why: "the broker is not connected: " + because(s.Err)}
}

// because says in words why a broker is not connected.
func because(err error) string {
	if refused, ok := errors.AsType[*mqtt.RefusedError](err); ok {
		if strings.HasSuffix(refused.Reason, "code 4") || strings.HasSuffix(refused.Reason, "code 5") {
			return "it does not accept the user or password"
		}
		return refused.Reason
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "its certificate is not trusted"
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "its name is not known"
	}
	late, ok := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens at its address"
	case errors.Is(err, context.DeadlineExceeded), ok && late.Timeout():
		return "it does not answer"
	case errors.Is(err, mqtt.ErrProtocol):
		return "it does not speak MQTT"
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return "it hung up"
	}
	return "it cannot be reached"
}

// Do opens a door, or keeps everybody out of it.
func (b *Board) Do(ctx context.Context, o door.Order) error {
	w := b.wires[o.Door]
	if w == nil || o.Mode == door.Unlocked {
		return door.ErrRefused
	}
	if err := b.away(); err != nil {
		return err
	}
	switch o.Mode {
	case door.Locked:
		b.mu.Lock()
		was := w.locked
		w.locked, w.opening = true, time.Time{}
		b.mu.Unlock()
		if err := b.client.Publish(ctx, w.plan.lock); err != nil {
			b.mu.Lock()
			w.locked = was
			b.mu.Unlock()
			return fmt.Errorf("%w: %w", door.ErrAway, err)
		}
		return nil
	case door.Controlled:
		b.mu.Lock()
		w.locked = false
		b.mu.Unlock()
		return nil
	}
	return b.unlock(ctx, w, o)
}

func (b *Board) unlock(ctx context.Context, w *wire, o door.Order) error {
	long := o.For
	if long <= 0 {
		long = w.plan.pulse
	}
	b.mu.Lock()
	locked, away := w.locked, w.away()
	if !locked && !away {
		w.opening = time.Now().Add(long + openingFor)
	}
	b.mu.Unlock()
	switch {
	case locked:
		return fmt.Errorf("a lockdown holds: %w", door.ErrRefused)
	case away:
		return &door.AwayError{Why: "the device at the door does not answer"}
	}
	if err := b.client.Publish(ctx, w.plan.unlock(long)); err != nil {
		return fmt.Errorf("%w: %w", door.ErrAway, err)
	}
	// Whether or not it is heard that it unlocked, it is locked afterwards.
	b.mu.Lock()
	if w.timer != nil {
		w.timer.Stop()
	}
	w.timer = time.AfterFunc(long, func() { b.lock(w) })
	b.mu.Unlock()
	if w.plan.states {
		if err := b.confirmed(ctx, w); err != nil {
			return err
		}
	} else {
		b.mu.Lock()
		w.relay = yes
		b.mu.Unlock()
	}
	b.ring()
	if !o.Answers {
		b.tell(door.Told{Record: door.Record{Door: w.number, Cause: door.RemoteOpen, Granted: true}})
	}
	return nil
}

// confirmed waits for the device to say that it unlocked.
func (b *Board) confirmed(ctx context.Context, w *wire) error {
	late := time.NewTimer(b.o.Confirm)
	defer late.Stop()
	for {
		b.mu.Lock()
		done, changed := w.relay == yes, w.changed
		b.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-late.C:
			return &door.AwayError{Why: "the device did not say that it unlocked the door"}
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", door.ErrAway, context.Cause(ctx))
		}
	}
}

func (b *Board) tell(x door.Told) {
	x.Heard = time.Now()
	select {
	case b.told <- x:
	default:
		b.log.Warn("too much happens at once at doors of a broker; something was not told", "door", x.Door)
	}
}

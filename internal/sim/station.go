package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// station is one simulated charging station. Everything but the socket runs
// under mu, on simulated time, so that its life can be replayed.
type station struct {
	f      *Fleet
	spec   *Spec
	site   *Site
	tz     *time.Location
	number int

	mu      sync.Mutex
	now     time.Time // simulated time of what is being handled
	timers  timers
	due     time.Time // owned by the schedule
	slot    int       // owned by the schedule
	version Version
	quirks  Quirks
	d       dialect
	set     settings
	config  map[string]string // what differs from the factory table

	queue      queue
	wire       *wire
	stale      link // frozen, still open towards the central system
	booted     bool // BootNotification sent since power-up and not lost
	accepted   bool
	ever       bool      // was accepted once since power-up
	warming    bool      // living the time before the start, unheard
	past       *recorder // warming, and heard: see Relive
	away       bool      // no network
	backAt     time.Time // when the network returns
	down       bool      // rebooting
	dialing    bool
	failures   int
	redial     *timer
	beat       *timer
	bootReason string
	skew       time.Duration // device clock minus simulated time
	powered    time.Time
	wornSince  time.Time
	wrong      []*Failure // that befall it
	hung       bool
	ordered    bool // to restart, by a command
	updated    bool // by a failure

	evses       []*evse
	operative   bool
	lastStep    time.Time
	ticking     *timer
	aligned     *timer
	profiles    []*profile
	list        localList
	firmware    string
	password    string // changed by the central system
	afterReboot string // the same, in force after a restart
	own         identity
	ways        ways
	announced   bool   // told the security log of this power-up
	installed   func() // runs at the first boot after an update
	jobs        int64  // running upload or firmware request
	nextID      int
	monitors    map[int]monitor

	life    *rand.Rand // who comes when, with what
	trouble *rand.Rand // what breaks when
	noise   *rand.Rand
	ids     *rand.Rand
	jitter  *rand.Rand
	bad     *rand.Rand // failures that were put in
}

// wire is one link with what waits to be written to it.
type wire struct {
	link    link
	out     [][]byte
	writing bool
	dead    bool
}

func newStation(f *Fleet, number int, spec *Spec, site *Site) *station {
	st := &station{
		f: f, spec: spec, site: site, tz: location(site.TimeZone), number: number, slot: -1,
		version: spec.version(), quirks: spec.Model.Quirks | spec.Quirks,
		config: make(map[string]string), operative: true, firmware: spec.Model.Firmware,
		life: newRand(f.o.Seed, spec.ID, "life"), trouble: newRand(f.o.Seed, spec.ID, "trouble"),
		noise: newRand(f.o.Seed, spec.ID, "noise"), ids: newRand(f.o.Seed, spec.ID, "ids"), jitter: newRand(f.o.Seed, spec.ID, "jitter"),
		bad: newRand(f.o.Seed, spec.ID, "failures"),
	}
	if st.version == V16 {
		st.d = &v16{st}
	} else {
		st.d = &v2{st: st}
	}
	if f.o.Scenario.AllQuirks {
		for range 1 + st.trouble.IntN(3) {
			st.quirks |= 1 << st.trouble.IntN(len(quirkNames))
		}
	}
	for k, v := range spec.Config {
		st.config[k] = v
	}
	flat := 0
	for i, m := range spec.Model.EVSEs {
		e := &evse{st: st, id: i + 1, model: m, operative: true, reg: 1000 * within(st.life, 40, 90_000)}
		e.demand = newDemand(site, st.tz, e.dc(), within(newRand(f.o.Seed, spec.ID, fmt.Sprint("share", i)), 0.6, 1.4))
		for j, plug := range m.Plugs {
			flat++
			e.conns = append(e.conns, &connector{e: e, id: j + 1, flat: flat, plug: plug, status: Available, changed: f.clock.sim0})
		}
		st.evses = append(st.evses, e)
	}
	st.reconfigure()
	if spec.Profile != "" {
		if p := readProfile([]byte(spec.Profile), 0); p != nil {
			st.profiles = append(st.profiles, p)
		}
	}
	return st
}

// begin starts the station's life at a simulated time before the start, lives
// unheard until start and then comes online.
func (st *station) begin(start time.Time, before time.Duration, dialIn time.Duration, found []Found) {
	st.mu.Lock()
	st.now = start.Add(-before)
	st.powered, st.lastStep = st.now, st.now
	st.bootReason = "PowerUp"
	for _, e := range st.evses {
		for _, c := range e.conns {
			c.changed = st.now.Add(-between(st.life, time.Minute, 3*time.Hour))
		}
	}
	st.startLife()
	st.warming = before > 0
	st.goOn(found)
	st.advance(start)
	st.warming = false
	if st.quirks.has(Clock1970) {
		st.skew = time.Unix(0, 0).Sub(st.now)
	}
	if st.spec.StartsFaulted && st.f.o.Scenario.FaultsPerDay > 0 {
		e := pick(st.trouble, st.evses)
		e.raise(e.drawStop(), between(st.trouble, 20*time.Minute, 5*time.Hour))
		for _, c := range e.conns {
			c.changed = st.now.Add(-between(st.trouble, 5*time.Minute, 3*time.Hour))
		}
	}
	if st.spec.StartsOffline {
		dialIn = 0
		st.lose(between(st.trouble, 15*time.Minute, 3*time.Hour), false)
	}
	if st.site.DarkFor > 0 {
		st.lose(darkFor, false)
	}
	st.after(st.f.clock.sim(dialIn), st.connect)
	st.leave(true)
}

// darkFor is how long a dark site stays away: longer than anybody watches.
const darkFor = 30 * 24 * time.Hour

// heard reports whether the central system hears the station.
func (st *station) heard() bool {
	if st.past != nil {
		return st.past.linked
	}
	return st.wire != nil && st.accepted
}

// after sets a timer relative to now.
func (st *station) after(d time.Duration, fn func()) *timer {
	return st.timers.set(st.now.Add(d), fn)
}

// advance runs all timers up to a simulated time, each at its own time: a late
// wake-up does not change what the station does.
func (st *station) advance(to time.Time) {
	for {
		t := st.timers.take(to)
		if t == nil {
			break
		}
		if t.at.After(st.now) {
			st.now = t.at
		}
		t.fn()
	}
	if to.After(st.now) {
		st.now = to
	}
}

// wake is called by the schedule.
func (st *station) wake() {
	st.mu.Lock()
	st.advance(st.f.clock.now())
	st.leave(true)
}

// do runs fn as something that happens to the station now.
func (st *station) do(fn func()) {
	st.mu.Lock()
	st.advance(st.f.clock.now())
	fn()
	st.leave(true)
}

// leave ends a turn: it sets the next wake-up, unlocks and writes what the
// turn produced. Callers that must not block ask for a goroutine.
func (st *station) leave(spawn bool) {
	if at, ok := st.timers.next(); ok {
		st.f.schedule.set(st, st.f.clock.wall(at))
	}
	w := st.wire
	write := w != nil && len(w.out) > 0 && !w.writing
	if write {
		w.writing = true
	}
	st.mu.Unlock()
	switch {
	case !write:
	case spawn:
		st.f.work.Go(func() { st.drain(w) })
	default:
		st.drain(w)
	}
}

// put queues a frame on the link.
func (st *station) put(frame []byte) {
	w := st.wire
	if w == nil || w.dead {
		return
	}
	if len(w.out) >= maxUnsent {
		w.dead = true
		w.link.Drop()
		return
	}
	w.out = append(w.out, frame)
	if st.f.o.Observe != nil {
		st.f.o.Observe(Frame{Station: st.spec.ID, At: st.now, Out: true, Data: frame})
	}
}

// drain writes until nothing waits.
func (st *station) drain(w *wire) {
	for {
		st.mu.Lock()
		batch := w.out
		w.out = nil
		if len(batch) == 0 || w.dead {
			w.writing = false
			st.mu.Unlock()
			return
		}
		st.mu.Unlock()
		for _, frame := range batch {
			if err := w.link.Write(st.f.ctx, frame); err != nil {
				w.link.Drop() // the reader notices and cleans up
				st.mu.Lock()
				w.dead = true
				st.mu.Unlock()
				break
			}
			st.f.stats.framesOut.Add(1)
			st.f.stats.bytesOut.Add(int64(len(frame)))
		}
	}
}

// receive handles one frame from the central system.
func (st *station) receive(frame []byte) {
	if st.f.o.Observe != nil {
		st.f.o.Observe(Frame{Station: st.spec.ID, At: st.now, Data: frame})
	}
	var parts []json.RawMessage
	if err := json.Unmarshal(frame, &parts); err != nil || len(parts) < 3 {
		st.f.stats.garbled.Add(1)
		return
	}
	var kind int
	var id string
	if json.Unmarshal(parts[0], &kind) != nil || json.Unmarshal(parts[1], &id) != nil {
		st.f.stats.garbled.Add(1)
		return
	}
	switch kind {
	case 2:
		var action string
		if len(parts) < 4 || json.Unmarshal(parts[2], &action) != nil {
			st.put(encodeError(id, &callError{"FormationViolation", "want [2,id,action,payload]"}))
			return
		}
		st.f.stats.commands.Add(1)
		answer, err := st.d.serve(action, parts[3])
		if err != nil {
			refusal, ok := errors.AsType[*callError](err)
			if !ok {
				refusal = &callError{st.malformed(), err.Error()}
			}
			st.put(encodeError(id, refusal))
			return
		}
		st.put(encodeFrame(3, id, "", answer))
	case 3:
		st.settle(id, parts[2], nil)
	case 4:
		e := &callError{}
		json.Unmarshal(parts[2], &e.Code)
		if len(parts) > 3 {
			json.Unmarshal(parts[3], &e.Description)
		}
		st.settle(id, nil, e)
	}
}

// malformed is the family's word for a payload that cannot be read.
func (st *station) malformed() string {
	if st.version == V16 {
		return "FormationViolation"
	}
	return "FormatViolation"
}

// stamp is the device's clock as it writes it.
func (st *station) stamp(t time.Time) string {
	t = t.Add(st.skew).UTC()
	if st.quirks.has(NoZone) {
		return t.Format("2006-01-02T15:04:05")
	}
	return t.Format("2006-01-02T15:04:05.000Z")
}

// messageID makes ids that stay unique across reboots, as UUIDs are.
func (st *station) messageID() string {
	a, b := st.ids.Uint64(), st.ids.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, 0x8000|b>>48&0x3fff, b&0xffffffffffff)
}

// reboot goes down and comes back. What the firmware does with a running
// transaction depends on how hard the reset was.
func (st *station) reboot(reason stopReason, bootReason string, downFor time.Duration) {
	if st.down {
		return
	}
	for _, e := range st.evses {
		e.stopTx(reason)
	}
	// A polite reset lets the last messages out before the board goes dark.
	grace := time.Duration(0)
	if reason == reasonSoftReset && st.heard() {
		grace = 2 * time.Second
	}
	st.after(grace, func() {
		st.down = true
		if st.wire != nil {
			st.wire.link.Drop()
			st.unlinked()
		}
		if st.past != nil {
			st.past.lost(st.past.detail && reason == reasonPowerLoss)
		}
		st.booted, st.ever = false, false
		st.timers.stop(st.redial)
		st.redial = nil
		if st.quirks.has(Clock1970) {
			st.skew = time.Unix(0, 0).Sub(st.now.Add(downFor))
		}
		if st.quirks.has(RegisterReset) {
			for _, e := range st.evses {
				e.reg = 0
			}
		}
		st.after(downFor, func() {
			st.down = false
			if st.afterReboot != "" {
				st.password, st.afterReboot = st.afterReboot, ""
			}
			st.restarted()
			st.takeWays()
			st.powered = st.now
			st.announced = false
			st.bootReason = bootReason
			if st.spec.Habit == StaysAway && len(st.ways.order) > 0 {
				st.lose(lost, false)
				return
			}
			st.connect()
		})
	})
}

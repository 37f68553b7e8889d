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

	evses     []*evse
	operative bool
	lastStep  time.Time
	ticking   *timer
	aligned   *timer
	profiles  []*profile
	list      localList
	firmware  string
	password  string // changed by the central system
	announced bool   // told the security log of this power-up
	installed func() // runs at the first boot after an update
	jobs      int64  // running upload or firmware request
	nextID    int
	monitors  map[int]monitor

	life    *rand.Rand // who comes when, with what
	trouble *rand.Rand // what breaks when
	noise   *rand.Rand
	ids     *rand.Rand
	jitter  *rand.Rand
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
		for j, plug := range m.Plugs {
			flat++
			e.conns = append(e.conns, &connector{e: e, id: j + 1, flat: flat, plug: plug, status: Available, changed: f.clock.sim0})
		}
		st.evses = append(st.evses, e)
	}
	st.reconfigure()
	return st
}

// begin starts the station's life at a simulated time before the start, lives
// unheard until start and then comes online.
func (st *station) begin(start time.Time, before time.Duration, dialIn time.Duration) {
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
	st.advance(start)
	st.warming = false
	if st.quirks.has(Clock1970) {
		st.skew = time.Unix(0, 0).Sub(st.now)
	}
	if st.spec.StartsFaulted && st.f.o.Scenario.FaultsPerDay > 0 {
		e := pick(st.trouble, st.evses)
		k := e.drawFault()
		for k.warning {
			k = e.drawFault()
		}
		e.raise(k, between(st.trouble, 20*time.Minute, 5*time.Hour))
		for _, c := range e.conns {
			c.changed = st.now.Add(-between(st.trouble, 5*time.Minute, 3*time.Hour))
		}
	}
	if st.spec.StartsOffline {
		dialIn = 0
		st.lose(between(st.trouble, 15*time.Minute, 3*time.Hour), false)
	}
	st.after(st.f.clock.sim(dialIn), st.connect)
	st.leave(true)
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

// connect dials when a link is wanted and possible.
func (st *station) connect() {
	st.timers.stop(st.redial)
	st.redial = nil
	if st.wire != nil || st.dialing || st.away || st.down || st.warming || st.f.ctx.Err() != nil {
		return
	}
	st.dialing = true
	st.f.work.Go(st.session)
}

// session dials, reads until the link ends and cleans up. It is the one
// goroutine of a connected station.
func (st *station) session() {
	l, err := st.f.dial(st)
	st.mu.Lock()
	st.dialing = false
	st.advance(st.f.clock.now())
	if err == nil && (st.away || st.down) {
		l.Drop()
		err = errNoLink
	}
	if err != nil {
		st.failures++
		st.f.stats.dialFailed(err)
		st.retryDial()
		st.leave(false)
		return
	}
	w := &wire{link: l}
	st.wire = w
	st.failures = 0
	st.f.stats.dials.Add(1)
	st.f.stats.online.Add(1)
	st.linked()
	st.leave(false)

	for {
		frame, err := l.Read(st.f.ctx)
		if err != nil {
			break
		}
		st.f.stats.framesIn.Add(1)
		st.mu.Lock()
		st.advance(st.f.clock.now())
		if st.wire == w {
			st.receive(frame)
		}
		st.leave(false)
	}
	l.Drop()
	st.mu.Lock()
	st.advance(st.f.clock.now())
	if st.wire == w {
		st.unlinked()
	}
	st.f.stats.online.Add(-1)
	if st.wire == nil && !st.dialing {
		st.retryDial()
	}
	st.leave(false)
}

// retryDial waits longer after each failure, up to a minute, with jitter so
// that a fleet does not come back in step.
func (st *station) retryDial() {
	if st.away || st.down || st.f.ctx.Err() != nil || st.redial != nil {
		return
	}
	wait := min(time.Second<<min(st.failures, 6), time.Minute)
	st.redial = st.after(st.f.clock.sim(between(st.jitter, wait/2, wait)), func() { st.redial = nil; st.connect() })
}

// linked starts the conversation on a new link.
func (st *station) linked() {
	if !st.booted || st.spec.Model.BootOnReconnect && !st.quirks.has(BootOnce) {
		st.accepted = false
		st.boot(st.bootReason)
		return
	}
	if st.ever {
		st.accepted = true
		st.tell(false)
		st.heartbeatIn(st.set.heartbeat)
		st.pump()
	}
}

// unlinked forgets the link.
func (st *station) unlinked() {
	st.wire.dead = true
	st.wire = nil
	st.accepted = false
	st.timers.stop(st.beat)
	st.beat = nil
	st.hangUp()
}

// lose drops the network for a while. A silent loss is a dead modem: nobody
// closes the socket until the station is back and opens another.
func (st *station) lose(d time.Duration, silent bool) {
	if st.down {
		return
	}
	st.away = true
	if back := st.now.Add(d); back.After(st.backAt) {
		st.backAt = back
	}
	if w := st.wire; w != nil {
		st.unlinked()
		if silent {
			w.link.Freeze()
			st.stale = w.link
		} else {
			w.link.Drop()
		}
	}
	st.timers.set(st.backAt, st.comeBack)
}

func (st *station) comeBack() {
	if st.now.Before(st.backAt) {
		return // another loss lasts longer
	}
	st.away = false
	st.dropStale()
	st.connect()
}

func (st *station) dropStale() {
	if st.stale != nil {
		st.stale.Drop()
		st.stale = nil
	}
}

// boot sends BootNotification.
func (st *station) boot(reason string) {
	st.booted = true
	action, payload := st.d.boot(reason)
	st.say(&call{action: action, payload: payload, boot: true, done: st.bootAnswered})
	if st.quirks.has(StatusBeforeBoot) {
		st.tell(true)
	}
}

// bootAnswered reads the registration status.
func (st *station) bootAnswered(result json.RawMessage, err error) {
	var answer struct {
		Status      string      `json:"status"`
		CurrentTime string      `json:"currentTime"`
		Interval    json.Number `json:"interval"`
	}
	if err == nil {
		err = json.Unmarshal(result, &answer)
	}
	seconds, _ := answer.Interval.Int64()
	interval := time.Duration(seconds) * time.Second
	if err != nil || answer.Status != "Accepted" {
		if interval <= 0 || interval > time.Hour {
			interval = time.Minute
		}
		st.f.stats.bootRefused.Add(1)
		st.after(interval, func() {
			if st.wire != nil && !st.accepted && st.queue.boot == nil {
				st.boot("ApplicationReset")
			}
		})
		return
	}
	if interval > 0 {
		st.set.heartbeat = interval
	}
	// A real station sets its clock by this answer. Compressed time has no
	// wall clock to agree with.
	st.skew = 0
	if at, err := time.Parse(time.RFC3339, answer.CurrentTime); err == nil && st.f.clock.speed == 1 {
		if d := at.Sub(st.now); d > time.Second || d < -time.Second {
			st.skew = d
		}
	}
	st.accepted, st.ever = true, true
	st.bootReason = "Unknown" // what a model that boots at each reconnect says
	st.f.stats.accepted.Add(1)
	st.tell(true)
	if st.quirks.has(StaleFault) {
		st.staleFault()
	}
	st.heartbeatIn(st.set.heartbeat)
	st.d.online()
	st.pump()
}

// tell reports connector states: all of them, or those that changed unheard.
func (st *station) tell(all bool) {
	if all {
		st.d.stationStatus()
	}
	for _, e := range st.evses {
		for _, c := range e.conns {
			if all || c.told != c.status {
				st.d.status(c, true)
			}
		}
	}
}

// staleFault re-sends the last cleared fault with its old time, as some
// firmware does at each boot.
func (st *station) staleFault() {
	for _, e := range st.evses {
		f := e.lastFault
		if f == nil {
			f = &fault{kind: new(faultKinds[1]), since: st.now.Add(-50 * time.Hour)}
		}
		st.d.oldFault(e, f)
		return
	}
}

func (st *station) heartbeatIn(d time.Duration) {
	st.timers.stop(st.beat)
	if d <= 0 {
		st.beat = nil
		return
	}
	st.beat = st.after(d, func() {
		st.beat = nil
		if st.wire == nil || !st.accepted {
			return
		}
		st.say(&call{action: "Heartbeat", payload: struct{}{}})
		st.heartbeatIn(st.set.heartbeat)
	})
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
	if reason == reasonSoftReset && st.wire != nil {
		grace = 2 * time.Second
	}
	st.after(grace, func() {
		st.down = true
		if st.wire != nil {
			st.wire.link.Drop()
			st.unlinked()
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
			st.powered = st.now
			st.announced = false
			st.bootReason = bootReason
			st.connect()
		})
	})
}

package sim

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"
)

// Told is one thing that a station told its central system in the past.
type Told struct {
	Kind    ToldKind
	Station *Spec
	EVSE    int // 0: the station itself
	Plug    int // as the version counts: through the whole station in 1.6
	// At is the device's time, HeardAt that of the central system: later where
	// the station had no network in between.
	At, HeardAt time.Time

	Link     int    // number of the connection; of ToldLinked and ToldLost
	Word     string // a status, a state of firmware, a kind of security event, the serial number of a boot
	Reason   string // of a boot, a loss or the end of a transaction
	Firmware string
	Fault    *Problem // of a status or a problem
	Token    Token

	TxID       string
	Seq        int // of 2.x
	Trigger    string
	State      string // charging state of 2.x
	Offline    bool
	RegisterWh *int // of starts and stops of 1.6
	Curve      []Reading
	Measured   []Measured      // in detail: all that the meter was set to measure, at At
	Payload    json.RawMessage // of a command or its answer
	Skew       time.Duration   // of the device's clock: ahead if positive

	tx *tx
}

// ToldKind says what a Told is.
type ToldKind uint8

// The kinds of what is told.
const (
	toldNothing   ToldKind = iota
	ToldLinked             // the socket stands
	ToldLost               // the socket ended
	ToldBoot               // BootNotification
	ToldStatus             // StatusNotification, or AvailabilityState of models that tell it by event
	ToldProblem            // NotifyEvent of 2.x
	ToldAuthorize          // Authorize: of a card that nobody knows, in detail of every card
	ToldStarted            // a transaction begins
	ToldUpdated            // TransactionEvent of 2.x
	ToldEnded              // and ends, with what was measured meanwhile
	ToldMetered            // MeterValues of 1.6
	ToldFirmware           // FirmwareStatusNotification
	ToldSecurity           // SecurityEventNotification
	ToldAsked              // a command of the central system: Word is the action, TxID its id, Reason who asks
	ToldAnswered           // what became of it: Word is answered or timeout
)

// Problem is a fault as a station reports it.
type Problem struct {
	Code, VendorCode, Info string
	Component              string // of 2.x
	Cleared                bool
	Event, Cause           int // ids of 2.x
}

// Reading is what a meter said at a moment; what the station was not set to
// measure is negative.
type Reading struct {
	At                          time.Time
	RegisterWh, PowerW, Percent float64
}

// Measured is one value as it was sampled.
type Measured struct {
	Measurand, Phase, Unit, Location string
	Value                            float64
}

// Outage is a time in which the central system was down.
type Outage struct {
	From time.Time
	For  time.Duration
}

// pastSlice is how much past is lived at once: what is told in it is sorted
// and handed over.
const (
	pastSlice   = 12 * time.Hour
	detailSlice = time.Hour
)

// Relive lives the Options.History of all stations and tells what a central
// system heard of them meanwhile, in the order in which it did. Run then goes
// on from there: with the cars that are at the plugs, the faults that are not
// repaired and the registers as they stand. Call it before Run.
//
// Transactions of 1.6 are numbered from 1 on, as the central system will do
// that is told of them.
func (f *Fleet) Relive(ctx context.Context, outages []Outage, tell func([]Told) error) error {
	if f.o.History <= 0 {
		return errors.New("relive: no history is asked for")
	}
	if f.o.Start.IsZero() {
		f.clock.sim0 = time.Now()
	}
	f.write()
	until := f.clock.sim0
	from := until.Add(-f.o.History)
	recorders := make([]*recorder, len(f.stations))
	for i, st := range f.stations {
		recorders[i] = st.remember(from, until, outages)
	}
	p := chronicle{until: until}
	slice := pastSlice
	if f.o.Detail {
		slice = cmp.Or(f.o.Slice, detailSlice)
	}
	for at := from; at.Before(until); {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		at = at.Add(slice)
		if at.After(until) {
			at = until
		}
		for i, st := range f.stations {
			st.advance(at)
			if at.Equal(until) && st.past != nil {
				st.past.handOver()
			}
			p.take(recorders[i])
		}
		if err := tell(p.before(at)); err != nil {
			return err
		}
	}
	for _, st := range f.stations {
		st.warming = false
	}
	f.relived = true
	return nil
}

// chronicle brings what single stations told into one order.
type chronicle struct {
	until  time.Time
	told   []Told
	nextTx int
}

func (p *chronicle) take(r *recorder) {
	for i := range r.told {
		if r.told[i].Kind != toldNothing {
			p.told = append(p.told, r.told[i])
		}
	}
	r.base += len(r.told)
	clear(r.told)
	r.told = r.told[:0]
}

// before returns what was heard up to a time, and at the end drops what will
// only be heard later: nobody has heard it.
func (p *chronicle) before(at time.Time) []Told {
	type place struct {
		at int64
		i  int
	}
	order := make([]place, 0, len(p.told))
	rest := make([]Told, 0, 64)
	for i := range p.told {
		if t := &p.told[i]; t.HeardAt.After(at) {
			rest = append(rest, *t)
		} else {
			order = append(order, place{t.HeardAt.UnixNano(), i})
		}
	}
	slices.SortFunc(order, func(a, b place) int { return cmp.Or(cmp.Compare(a.at, b.at), a.i-b.i) })
	out := make([]Told, len(order))
	for i, x := range order {
		out[i] = p.told[x.i]
		p.number(&out[i])
	}
	clear(p.told)
	p.told = append(p.told[:0], rest...)
	return out
}

// number gives a transaction of 1.6 the id that the central system gives.
func (p *chronicle) number(t *Told) {
	if t.tx == nil || t.tx.uid != "" {
		return
	}
	if !t.tx.hasID {
		p.nextTx++
		t.tx.id, t.tx.hasID = p.nextTx, true
	}
	t.TxID = strconv.Itoa(t.tx.id)
}

// remember starts the station's life at a time in the past.
func (st *station) remember(from, until time.Time, outages []Outage) *recorder {
	st.mu.Lock()
	defer st.mu.Unlock()
	r := &recorder{st: st, real: st.d, until: until, held: make(map[*connector]int), detail: st.f.o.Detail}
	st.past, st.d = r, r
	st.warming = true
	st.now, st.powered, st.lastStep = from, from, from
	st.bootReason = "PowerUp"
	for _, e := range st.evses {
		for _, c := range e.conns {
			c.changed = from
		}
	}
	if w := st.spec.Worn; w != nil {
		st.wornSince = until.Add(-w.For)
	}
	st.startLife()
	st.after(between(st.jitter, 0, time.Minute), st.connect)
	for _, o := range outages {
		st.timers.set(o.From, func() {
			if st.past == nil {
				return
			}
			r.deaf = true
			st.lose(o.For+between(st.jitter, 2*time.Second, 50*time.Second), false)
			r.deaf = false
		})
	}
	if st.site.DarkFor > 0 {
		st.timers.set(until.Add(-st.site.DarkFor+between(st.jitter, 0, 20*time.Second)), func() { st.vanish(until.Add(darkFor)) })
	}
	if st.spec.StartsOffline {
		back := until.Add(between(st.trouble, 15*time.Minute, 3*time.Hour))
		st.timers.set(until.Add(-between(st.trouble, 10*time.Minute, 9*time.Hour)), func() { st.vanish(back) })
	}
	if st.spec.StartsFaulted && st.f.o.Scenario.FaultsPerDay > 0 {
		st.timers.set(until.Add(-between(st.trouble, 10*time.Minute, 3*time.Hour)), func() { st.breakDown(until) })
	}
	st.expectUpdate(until)
	return r
}

// vanish loses the network until a time after the past.
func (st *station) vanish(until time.Time) {
	if st.away || st.down {
		st.after(time.Minute, func() { st.vanish(until) })
		return
	}
	st.lose(until.Sub(st.now), false)
}

// breakDown breaks a port for longer than the past lasts.
func (st *station) breakDown(until time.Time) {
	e := pick(st.trouble, st.evses)
	if e.fault != nil {
		e.recover()
	}
	e.raise(e.drawStop(), until.Sub(st.now)+between(st.trouble, 20*time.Minute, 5*time.Hour))
}

// expectUpdate plays the firmware update that half of the models got in the
// past, in one night after the other.
func (st *station) expectUpdate(until time.Time) {
	r := newRand(st.f.o.Seed, st.spec.Model.Name, "update")
	began := between(r, 20*24*time.Hour, 60*24*time.Hour)
	before, ok := previousFirmware(st.spec.Model.Firmware)
	if r.IntN(2) == 0 || !ok || began >= until.Sub(st.now) {
		return
	}
	st.firmware = before
	night := until.Add(-began).In(st.tz)
	year, month, day := night.Date()
	at := time.Date(year, month, day+1+st.trouble.IntN(4), 1+st.trouble.IntN(3), st.trouble.IntN(60), 0, 0, st.tz)
	var update func()
	update = func() {
		if st.inUse() || !st.heard() { // the next night will do
			st.after(24*time.Hour, update)
			return
		}
		st.updateFirmware(0, "https://firmware.invalid/"+st.spec.Model.Firmware, st.now, nil)
	}
	st.timers.set(at, update)
}

// previousFirmware lowers the last number of a version.
func previousFirmware(v string) (string, bool) {
	i := len(v)
	for i > 0 && v[i-1] >= '0' && v[i-1] <= '9' {
		i--
	}
	n, err := strconv.Atoi(v[i:])
	if err != nil || n == 0 || v[i] == '0' {
		return "", false
	}
	return v[:i] + strconv.Itoa(n-1), true
}

// resume goes on where the past ended.
func (st *station) resume(dialIn time.Duration) {
	st.mu.Lock()
	st.advance(st.f.clock.now())
	st.after(st.f.clock.sim(dialIn), st.connect)
	st.leave(true)
}

package sim

import (
	"math"
	"slices"
	"strings"
	"time"
)

// Failure is one thing that is wrong in a run on purpose: what, where and for
// how long. It is a cause; how it shows is up to the station it befalls.
type Failure struct {
	Mode Mode
	// Where it is: every station that fits all that is set.
	Station, Site, Carrier, Model string
	EVSE                          int // 0: all of them, or the station itself
	From                          time.Time
	For                           time.Duration
	Ramp                          time.Duration // from nothing to Size
	Size                          float64       // in the unit of the mode
	Code                          string        // of a fault kind, or a word of the mode
	Restart                       bool          // a restart of the station ends it
}

// Mode is a way to fail, or a way to look as if.
type Mode string

// The ways to fail.
const (
	LinkLost      Mode = "linkLost"      // no network
	PowerLost     Mode = "powerLost"     // no mains
	Hung          Mode = "hung"          // the socket stands, the application does nothing
	LinkFlaps     Mode = "linkFlaps"     // Size: losses a day
	Chatters      Mode = "chatters"      // a loose contact raises and clears a fault; Size: times an hour
	Breaks        Mode = "breaks"        // Code: the fault that stands for as long as it lasts
	StartFails    Mode = "startFails"    // Size: share of starts; Code: "lock" or "energy", how far they come
	NoEnergy      Mode = "noEnergy"      // the contactor does not close; nobody notices but the driver
	Deserted      Mode = "deserted"      // the screen is dead: drivers look at it and go
	Derated       Mode = "derated"       // Size: share of the rating that comes out, whatever is offered
	ModuleLost    Mode = "moduleLost"    // Size: share of the rating that is left to offer
	ContactHeat   Mode = "contactHeat"   // Size: more resistance, as a share of normal
	Overheats     Mode = "overheats"     // Size: what the contacts of a plug say they are, in Celsius
	CoolingLost   Mode = "coolingLost"   // Size: kelvin at full load
	LockFails     Mode = "lockFails"     // Size: share of plug-ins whose lock does not engage
	SoftTrips     Mode = "softTrips"     // Size: residual current trips a day that reclose
	CadenceJitter Mode = "cadenceJitter" // Size: spread of the meter interval, as a share
	MeterDrift    Mode = "meterDrift"    // Size: share that is counted too much
	MeterBack     Mode = "meterBack"     // Size: kWh that the register steps back
	PhaseLost     Mode = "phaseLost"     // Size: which phase
	Imbalance     Mode = "imbalance"     // Size: share that the third phase is low
	SoCFrozen     Mode = "socFrozen"     // the state of charge that is told stands still
	Stuck         Mode = "stuck"         // Code: the status that stays after the car is gone
	ClockOff      Mode = "clockOff"      // Size: seconds ahead
	ReaderDead    Mode = "readerDead"    // no card is read
	FirmwareBad   Mode = "firmwareBad"   // an update after which Size is the share of starts that fail
)

// The ways to look as if.
const (
	EarlyUnplug     Mode = "earlyUnplug"     // drivers who think better of it
	BadCard         Mode = "badCard"         // one unknown card, three times
	BadCar          Mode = "badCar"          // one car that fails three times, and would anywhere
	ColdWeather     Mode = "coldWeather"     // batteries take a third
	Limited         Mode = "limited"         // Size: watts that an operator allows
	OnePhaseCars    Mode = "onePhaseCars"    // all that come charge on one phase
	FullCars        Mode = "fullCars"        // all that come are nearly full
	Overstay        Mode = "overstay"        // cars stay for hours after their session
	SamplingChanged Mode = "samplingChanged" // Size: seconds, set by an operator
	Booked          Mode = "booked"          // reserved for 45 minutes, every six hours
	Repeats         Mode = "repeats"         // every status is said three times
	Restarted       Mode = "restarted"       // an operator resets it; Size: minutes until it is back
	Updated         Mode = "updated"         // a firmware update that works
	Blips           Mode = "blips"           // a fault that clears within twenty seconds; Size: times a day
)

func (f *Failure) fits(s *Spec) bool {
	return (f.Station == "" || f.Station == s.ID) && (f.Site == "" || f.Site == s.Site) &&
		(f.Carrier == "" || strings.HasPrefix(s.Modem, f.Carrier)) && (f.Model == "" || f.Model == s.Model.Name)
}

func (f *Failure) until() time.Time { return f.From.Add(f.For) }

// Harm is a driver who came to a port that something was wrong with and went
// without a charge.
type Harm struct {
	Station string
	EVSE    int
	At      time.Time
	Token   Token
	Mode    Mode
}

// Harmed lists the drivers whom failures of Options kept from charging while
// Relive ran.
func (f *Fleet) Harmed() []Harm { return f.harmed }

// failing returns how large a failure is now; e narrows it to a port.
func (st *station) failing(m Mode, e *evse) (size float64, ok bool) {
	if f := st.failureOf(m, e); f != nil {
		size = f.Size
		if f.Ramp > 0 {
			size *= min(1, float64(st.now.Sub(f.From))/float64(f.Ramp))
		}
		return size, true
	}
	return 0, false
}

// share is failing for modes whose Size is what is left, so that a ramp comes
// down from one.
func (st *station) left(m Mode, e *evse) float64 {
	f := st.failureOf(m, e)
	if f == nil {
		return 1
	}
	size, _ := st.failing(m, e)
	if f.Ramp > 0 && f.Size > 0 {
		return 1 - (1-f.Size)*size/f.Size
	}
	return size
}

func (st *station) failureOf(m Mode, e *evse) *Failure {
	for _, f := range st.wrong {
		if f.Mode == m && (f.EVSE == 0 || e == nil || f.EVSE == e.id) && !st.now.Before(f.From) && st.now.Before(f.until()) {
			return f
		}
	}
	return nil
}

// harm notes a driver who went without a charge.
func (e *evse) harm(m Mode, token Token) {
	if st := e.st; st.past != nil {
		st.f.harmed = append(st.f.harmed, Harm{st.spec.ID, e.id, st.now, token, m})
	}
}

// expectFailures arranges for the failures of the station.
func (st *station) expectFailures() {
	for i := range st.f.o.Failures {
		f := &st.f.o.Failures[i]
		if !f.fits(st.spec) || !f.until().After(st.now) {
			continue
		}
		st.wrong = append(st.wrong, f)
		if f.Mode == FirmwareBad || f.Mode == Updated {
			if before, ok := previousFirmware(st.firmware); ok {
				st.firmware = before
			}
		}
		at := f.From
		if at.Before(st.now) {
			at = st.now
		}
		st.timers.set(at, func() { st.befall(f) })
	}
}

// ports are those that a failure is at.
func (st *station) ports(f *Failure) []*evse {
	if f.EVSE == 0 {
		return st.evses
	}
	if e := st.evse(f.EVSE); e != nil {
		return []*evse{e}
	}
	return nil
}

// again runs fn now and then, so many times in a span, until the failure ends.
func (st *station) again(f *Failure, times float64, in time.Duration, fn func()) {
	if times <= 0 {
		return
	}
	st.after(exponential(st.bad, time.Duration(float64(in)/times)), func() {
		if st.now.Before(f.until()) {
			fn()
			st.again(f, times, in, fn)
		}
	})
}

// befall is the moment at which a failure begins.
func (st *station) befall(f *Failure) {
	switch f.Mode {
	case LinkLost:
		group := f.Station == ""
		away := f.until().Sub(st.now)
		if group {
			away += between(st.bad, 0, 2*time.Minute)
		}
		st.after(between(st.bad, 0, 25*time.Second), func() { st.lose(away, group || st.bad.IntN(2) == 0) })
	case PowerLost:
		st.reboot(reasonPowerLoss, "PowerUp", f.until().Sub(st.now)+between(st.bad, 10*time.Second, 2*time.Minute))
	case Hung:
		st.hung = true
		st.timers.set(f.until(), func() {
			st.hung = false
			st.reboot(reasonReboot, "Watchdog", between(st.bad, 20*time.Second, time.Minute))
		})
	case LinkFlaps:
		size := func() float64 { s, _ := st.failing(LinkFlaps, nil); return max(s, f.Size/4) }
		var flap func()
		flap = func() {
			st.after(exponential(st.bad, time.Duration(float64(24*time.Hour)/size())), func() {
				if st.now.Before(f.until()) {
					st.lose(between(st.bad, 5*time.Second, 80*time.Second), false)
					flap()
				}
			})
		}
		flap()
	case MeterBack:
		for _, e := range st.ports(f) {
			e.reg = max(0, e.reg-f.Size*1000)
		}
	case ClockOff:
		st.skew = time.Duration(f.Size * float64(time.Second))
		st.timers.set(f.until(), func() { st.skew = 0 })
	case Stuck:
		for _, e := range st.ports(f) {
			e.refresh()
			st.timers.set(f.until(), e.refresh)
		}
	case FirmwareBad, Updated:
		st.updateAtNight(f)
	case Restarted, SamplingChanged, Limited, Booked:
		st.operate(f)
	default:
		for _, e := range st.ports(f) {
			e.befall(f)
		}
	}
}

// befall is the same for what happens to single ports.
func (e *evse) befall(f *Failure) {
	st := e.st
	switch f.Mode {
	case Breaks:
		if e.fault != nil {
			e.recover()
		}
		if v := e.visit; v != nil && v.phase < finished {
			e.harm(Breaks, v.token)
		}
		e.raise(findFault(f.Code, e.dc()), f.until().Sub(st.now))
	case Chatters:
		st.again(f, f.Size, time.Hour, func() { e.raise(looseContact(), between(st.bad, 15*time.Second, 70*time.Second)) })
	case Blips:
		st.again(f, f.Size, 24*time.Hour, func() {
			if e.visit == nil { // nobody is there who could be harmed
				e.raise(findFault("PM-0107", e.dc()), between(st.bad, 5*time.Second, 20*time.Second))
			}
		})
	case SoftTrips:
		st.again(f, f.Size*4, 24*time.Hour, func() { // it takes a current to leak
			if e.visit != nil && e.visit.phase == charging {
				e.raise(softTrip(), between(st.bad, 8*time.Second, 40*time.Second))
			}
		})
	case BadCard:
		if n := len(st.f.o.Plan.Strangers); n > 0 {
			e.tryThrice(f, st.f.o.Plan.Strangers[st.bad.IntN(n)], false)
		}
	case BadCar:
		e.tryThrice(f, st.f.o.Plan.Tokens[st.bad.IntN(len(st.f.o.Plan.Tokens))], true)
	}
}

// tryThrice is one driver who does not give up soon.
func (e *evse) tryThrice(f *Failure, token Token, doomed bool) {
	st := e.st
	var try func(n int)
	try = func(n int) {
		if n == 0 || !st.now.Before(f.until()) {
			return
		}
		if !e.free() || e.stuck() != "" {
			st.after(10*time.Minute, func() { try(n) })
			return
		}
		v := e.newVisit(pickCar(st.bad, e.dc()), token, st.bad)
		v.doomed = doomed
		e.plugIn(v)
		v.do(e, between(st.bad, 4*time.Second, 12*time.Second), func() { e.swipe(token) })
		st.after(between(st.bad, 3*time.Minute, 5*time.Minute), func() { try(n - 1) })
	}
	try(3)
}

// stuck is the status that the port shows though nobody is there.
func (e *evse) stuck() Status {
	if f := e.st.failureOf(Stuck, e); f != nil && Status(f.Code) != SuspendedEVSE {
		return Status(f.Code)
	}
	return ""
}

// failsToStart says whether this start fails by the charger's doing, and how
// far it comes.
func (e *evse) failsToStart() (m Mode, how string) {
	st := e.st
	if len(st.wrong) == 0 {
		return "", ""
	}
	if share, ok := st.failing(LockFails, e); ok && st.bad.Float64() < share {
		return LockFails, "plug"
	}
	if share, ok := st.failing(StartFails, e); ok && st.bad.Float64() < share {
		return StartFails, st.failureOf(StartFails, e).Code
	}
	if share, ok := st.failing(FirmwareBad, e); ok && st.updated && st.bad.Float64() < share {
		return FirmwareBad, "energy"
	}
	return "", ""
}

// failAtCharger plays a start that the charger does not bring about. The
// driver tries the port beside it if there is one.
func (e *evse) failAtCharger(m Mode, how string) {
	st, v := e.st, e.visit
	e.harm(m, v.token)
	leave := func() {
		car, token := v.car, v.token
		e.unplug()
		st.after(between(st.bad, time.Minute, 4*time.Minute), func() { e.nextDoor(car, token) })
	}
	switch {
	case how == "plug":
		k := findFault("CX001", false)
		e.raise(k, between(st.bad, 25*time.Second, 70*time.Second))
		v.do(e, between(st.bad, 20*time.Second, 60*time.Second), leave)
	case how == "lock" && st.version == V16: // the card is fine, nothing follows
		v.phase = starting
		v.do(e, between(st.bad, 45*time.Second, 2*time.Minute), leave)
	default:
		v.phase = starting
		e.begin()
		v.do(e, between(st.bad, 18*time.Second, 50*time.Second), func() {
			e.stopTx(reasonOther)
			v.do(e, between(st.bad, 15*time.Second, 50*time.Second), leave)
		})
	}
}

// nextDoor is a driver who moves to another port of the station.
func (e *evse) nextDoor(car *carModel, token Token) {
	for _, o := range e.st.evses {
		if o == e || o.dc() != e.dc() || !o.free() || o.stuck() != "" || o.booking != nil {
			continue
		}
		v := o.newVisit(car, token, e.st.bad)
		o.plugIn(v)
		v.do(o, between(e.st.bad, 4*time.Second, 15*time.Second), func() { o.swipe(token) })
		return
	}
}

// giveUp is a driver who waits for energy that does not come.
func (e *evse) giveUp() {
	st, v := e.st, e.visit
	v.do(e, between(st.bad, 75*time.Second, 4*time.Minute), func() {
		if v.gotWh >= 100 {
			return
		}
		e.harm(NoEnergy, v.token)
		if st.bad.IntN(2) == 0 {
			e.stopTx(reasonLocal)
			v.do(e, between(st.bad, 5*time.Second, 40*time.Second), e.unplug)
			return
		}
		e.unplug()
	})
}

// updateAtNight installs firmware in the first quiet hour.
func (st *station) updateAtNight(f *Failure) {
	if !st.now.Before(f.until()) {
		return
	}
	if st.inUse() || !st.heard() || st.down {
		st.after(30*time.Minute, func() { st.updateAtNight(f) })
		return
	}
	st.after(between(st.bad, 0, 20*time.Minute), func() {
		st.updateFirmware(0, "https://firmware.invalid/"+st.spec.Model.Firmware, st.now, nil)
		st.updated = true
	})
}

// warmth is the air around the station.
func (st *station) warmth() float64 {
	if len(st.f.o.Failures) == 0 {
		return ambientC
	}
	hour := float64(st.now.Unix()%86400) / 3600
	t := ambientC - 6 + 7*math.Sin((hour-9)/24*2*math.Pi)
	if _, cold := st.failing(ColdWeather, nil); cold {
		t -= 24
	}
	return t
}

// spread draws a meter interval around the one that is set.
func (e *evse) spread(every time.Duration) time.Duration {
	size, ok := e.st.failing(CadenceJitter, e)
	if !ok {
		return every
	}
	x := math.Exp(size * e.st.bad.NormFloat64())
	return time.Duration(float64(every) * max(0.15, min(6, x)))
}

// choose is the car that comes, where the failure is about who comes.
func (e *evse) choose(v *visit) {
	st := e.st
	if _, ok := st.failing(OnePhaseCars, e); ok && !e.dc() {
		i := slices.IndexFunc(cars, func(c carModel) bool { return c.phases == 1 && c.maxDCW == 0 })
		v.car = new(cars[i])
	}
	if _, ok := st.failing(FullCars, e); ok {
		v.soc, v.target = within(st.bad, 0.90, 0.95), 1
	}
}

// allowed is what the port offers of what it would.
func (e *evse) allowed(offer float64) float64 {
	st := e.st
	offer = min(offer, e.model.RatedW*st.left(ModuleLost, e))
	if w, ok := st.failing(Limited, e); ok {
		offer = min(offer, w)
	}
	if f := st.failureOf(Stuck, e); f != nil && Status(f.Code) == SuspendedEVSE {
		return 0
	}
	return offer
}

// comes is what flows of what the car would take of an offer.
func (e *evse) comes(want float64) float64 {
	st := e.st
	if f := st.failureOf(NoEnergy, e); f != nil && e.visit.since.After(f.From) {
		return 0 // a contactor that is closed stays so
	}
	if _, cold := st.failing(ColdWeather, nil); cold && e.dc() {
		want = min(want, e.visit.car.maxDCW*0.33)
	}
	if size, ok := st.failing(PhaseLost, e); ok && !e.dc() && int(size) <= e.phasesInUse() && e.phasesInUse() > 1 {
		want *= 1 - 1/float64(e.phasesInUse())
	}
	return min(want, e.model.RatedW*st.left(Derated, e))
}

// carFails plays an attempt that comes to nothing by the doing of the car or
// its driver.
func (e *evse) carFails() {
	st, v := e.st, e.visit
	switch st.trouble.IntN(3) {
	case 0: // it does not talk
		e.raise(findFault("CX014", e.dc()), between(st.trouble, 15*time.Second, 50*time.Second))
		v.do(e, between(st.life, 40*time.Second, 2*time.Minute), e.unplug)
	case 1: // it ends what began
		v.phase = starting
		e.begin()
		v.do(e, between(st.life, 15*time.Second, 40*time.Second), func() {
			e.stopTx(reasonStoppedByEV)
			v.do(e, between(st.life, 20*time.Second, 80*time.Second), e.unplug)
		})
	default: // the driver thinks better of it
		v.phase = starting
		e.begin()
		v.do(e, between(st.life, 6*time.Second, 14*time.Second), e.unplug)
	}
}

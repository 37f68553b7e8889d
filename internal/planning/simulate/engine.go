package simulate

import "math"

const (
	quarter = 0.25
	control = 1.0 / 12 // hours between judgements by Laxity
	month   = 30 * 24
)

// bay is a port and the car at it.
type bay struct {
	Port
	plugged, full, out bool
	since              float64
	wish               Wish
	left               float64 // Wh still wanted
	most               float64 // W that car and port can do
	rate               float64 // W now
	ends               float64 // hours: when it would leave by itself
	stays              float64 // until when it waits for energy
	class              int32
	obey               float64
	next               float64 // event of the car
	fails              float64 // or is repaired
	luck               *Stream
}

// waiter is a car without a port.
type waiter struct {
	car
	until float64
}

// play is one replication at work.
type play struct {
	*Run
	road    *road
	now     float64
	bays    []bay
	cars    []int // at each module
	queue   []waiter
	shared  bool // power is shared: rates change
	busy    int
	working int
	rate    float64 // W of all
	charges int     // bays that charge

	nextBay, nextOut, nextGone, nextControl float64
	bay, outBay, gone                       int

	bin, binWh float64 // end of the quarter hour, energy in it
	monthPeak  float64
	hour       *Hour
	counts     bool
	free       bool // a working port is free
	out        *Outcome
	order      []int
}

// Replicate plays one replication.
func (r Run) Replicate(replication uint64) (*Outcome, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	s := &r.Scenario
	p := &play{
		Run: &r, road: newRoad(&r, replication), bays: make([]bay, len(s.Site.Ports)), cars: make([]int, len(s.Site.Modules)),
		shared: s.Site.CapW > 0, working: len(s.Site.Ports), out: &Outcome{Hours: r.Hours, waits: make([]uint32, waitSlots)},
		nextBay: math.Inf(1), nextGone: math.Inf(1), nextControl: math.Inf(1), nextOut: math.Inf(1), bin: quarter,
	}
	for _, m := range s.Site.Modules {
		p.shared = p.shared || m.PowerW > 0 && m.Cars > 1
	}
	for i := range p.bays {
		b := &p.bays[i]
		b.Port, b.next, b.fails = s.Site.Ports[i], math.Inf(1), math.Inf(1)
		if m := b.Module; m >= 0 {
			if w := s.Site.Modules[m].PowerW; w > 0 && (b.PowerW == 0 || b.PowerW > w) {
				b.PowerW = w
			}
		}
		if s.Failure.Between > 0 && s.Failure.Repair > 0 {
			b.luck = NewStream(r.Seed, replication, purposeFailures+uint64(i))
			b.fails = s.Failure.Between * b.luck.Exp()
		}
	}
	p.enter(0)
	p.findOut()
	p.see()
	if err := p.run(); err != nil {
		return nil, err
	}
	p.close()
	return p.out, nil
}

func (p *play) run() error {
	end := p.WarmUp + p.Hours
	c, more := p.road.next()
	for n := 0; ; n++ {
		if n&0xfff == 0 && p.Stop != nil && p.Stop() {
			return ErrStopped
		}
		at := math.Inf(1)
		if more {
			at = c.at
		}
		next := min(at, p.nextBay, p.nextOut, p.nextGone, p.nextControl)
		if next >= end {
			p.advance(end)
			return nil
		}
		p.advance(next)
		switch next {
		case p.nextBay:
			p.step(p.bay)
		case p.nextOut:
			p.turnOut(p.outBay)
		case p.nextGone:
			p.giveUp(p.gone)
		case at:
			p.arrive(c)
			c, more = p.road.next()
		default:
			p.allocate()
		}
	}
}

// enter sets the hour of the week that begins.
func (p *play) enter(t float64) {
	h := int(t + 1e-9)
	p.hour = &p.out.ByHour[h%Week]
	p.counts = t >= p.WarmUp-1e-9
}

// advance moves time on and counts what stays as it is until then.
func (p *play) advance(to float64) {
	for p.now < to {
		t := min(to, p.bin)
		d := t - p.now
		b := &p.out.Balance
		b.QueueSum += d * float64(len(p.queue))
		b.BusySum += d * float64(p.busy)
		wh := d * p.rate
		p.binWh += wh
		if p.counts {
			p.hour.Hours += d
			p.hour.Busy += d * float64(p.busy)
			p.hour.EnergyWh += wh
			if !p.free {
				p.hour.AllBusy += d
			}
		}
		if p.shared {
			for i := range p.bays {
				if c := &p.bays[i]; c.rate > 0 {
					c.left -= d * c.rate
				}
			}
		}
		p.now = t
		if t == p.bin {
			p.closeBin()
		}
	}
}

func (p *play) closeBin() {
	p.out.Balance.MeteredWh += p.binWh
	if p.counts {
		w := p.binWh / quarter
		p.out.PeakW = max(p.out.PeakW, w)
		p.monthPeak = max(p.monthPeak, w)
	}
	p.binWh = 0
	t := p.bin
	p.bin = quarter * math.Round(t/quarter+1)
	if math.Mod(t, 1) == 0 {
		p.enter(t)
		if over := t - p.WarmUp; over > 0 && math.Mod(over, month) == 0 {
			p.out.Months = append(p.out.Months, p.monthPeak)
			p.monthPeak = 0
		}
	}
}

// arrive lets a car plug in, wait or drive on.
func (p *play) arrive(c car) {
	p.out.Balance.Arrived++
	if p.counts {
		p.hour.Arrived++
	}
	if p.plug(c) {
		return
	}
	if p.counts {
		p.hour.Waited++
	}
	b := p.Scenario.Behaviour
	patience := b.Patience * c.patience
	if b.Patience == 0 || c.leave < b.Leave || b.Room > 0 && len(p.queue) >= b.Room {
		p.lose(c, 0)
		return
	}
	p.queue = append(p.queue, waiter{c, p.now + patience})
	if u := p.now + patience; u < p.nextGone {
		p.nextGone, p.gone = u, len(p.queue)-1
	}
}

// of returns the hour of the week in which a car arrived, nil in the warm-up.
func (p *play) of(c car) *Hour {
	if c.at < p.WarmUp {
		return nil
	}
	return &p.out.ByHour[int(c.at)%Week]
}

func (p *play) lose(c car, waited float64) {
	p.out.Balance.Lost++
	p.out.Balance.WaitSum += waited
	if h := p.of(c); h != nil {
		h.Lost++
		h.Failed++
		if waited > p.Late {
			h.Late++
		}
	}
}

// giveUp lets a waiting car drive on.
func (p *play) giveUp(i int) {
	w := p.queue[i]
	p.lose(w.car, p.now-w.at)
	p.dequeue(i)
}

func (p *play) dequeue(i int) {
	p.queue = append(p.queue[:i], p.queue[i+1:]...)
	switch {
	case p.gone == i || len(p.queue) == 0:
		p.nextGone = math.Inf(1)
		for k := range p.queue {
			if u := p.queue[k].until; u < p.nextGone {
				p.nextGone, p.gone = u, k
			}
		}
	case p.gone > i:
		p.gone--
	}
}

// call lets those plug in who wait and now can.
func (p *play) call() {
	for i := 0; i < len(p.queue) && p.free; {
		w := p.queue[i]
		if !p.plug(w.car) {
			i++
			continue
		}
		p.dequeue(i)
	}
}

// open reports whether a port could begin a session.
func (p *play) open(b *bay) bool {
	return !b.plugged && !b.out && (b.Module < 0 || p.cars[b.Module] < p.Scenario.Site.Modules[b.Module].Cars)
}

// see looks whether a working port is free.
func (p *play) see() {
	p.free = false
	for i := range p.bays {
		if p.open(&p.bays[i]) {
			p.free = true
			return
		}
	}
}

// plug puts a car at the best port that takes it: most power, then a module
// that nobody uses, then the first.
func (p *play) plug(c car) bool {
	if !p.free {
		return false
	}
	kind, at, best := p.Demand.Classes[c.class].Kind, -1, 0.0
	for i := range p.bays {
		b := &p.bays[i]
		if b.Kind != kind || !p.open(b) {
			continue
		}
		value := most(c.wish.Power, b.PowerW)
		if b.Module >= 0 {
			value /= 1 + 1e-6*float64(p.cars[b.Module])
		}
		if at < 0 || value > best {
			at, best = i, value
		}
	}
	if at < 0 {
		return false
	}
	p.begin(at, c)
	return true
}

// most is what a car takes at a port; a limit of 0 is none.
func most(car, port float64) float64 {
	if port > 0 && car > port {
		return port
	}
	return car
}

// begin starts a session.
func (p *play) begin(at int, c car) {
	b := &p.bays[at]
	wait := p.now - c.at
	bal := &p.out.Balance
	bal.Started++
	bal.WaitSum += wait
	bal.WantedWh += c.wish.Energy
	if h := p.of(c); h != nil {
		h.Started++
		h.WaitSum += wait
		of := p.Of == nil || p.Of[int(c.at)%Week]
		if of {
			p.out.waitsOf++
		}
		if wait > 0 {
			if of {
				p.out.waits[slot(wait)]++
			}
			if wait > p.Late {
				h.Late++
				h.Failed++
			}
		}
	}
	b.plugged, b.since, b.wish, b.class, b.obey = true, p.now, c.wish, c.class, c.obey
	b.left, b.most, b.rate, b.full = c.wish.Energy, most(c.wish.Power, b.PowerW), 0, false
	b.ends = p.now + c.wish.Dwell
	b.stays = b.ends + p.Demand.Classes[c.class].Stretch
	p.busy++
	if b.Module >= 0 {
		p.cars[b.Module]++
	}
	if b.left <= 0 || b.most <= 0 {
		p.fill(b)
	} else {
		p.charges++
		if !p.shared {
			b.rate = b.most
			p.rate += b.rate
			p.out.MostW = max(p.out.MostW, p.rate)
			b.next = min(p.now+b.left/b.rate, b.stays)
		}
	}
	p.see()
	if p.shared {
		p.allocate()
		return
	}
	if b.next < p.nextBay {
		p.nextBay, p.bay = b.next, at
	}
}

// fill ends the charging of a car that stays plugged in until it leaves.
func (p *play) fill(b *bay) {
	b.full = true
	b.next = max(b.ends, p.now)
	if o := p.Scenario.Overstay; o.Obey > 0 && b.obey < o.Obey {
		b.next = min(b.next, p.now+o.After)
	}
}

// step performs what is due at a bay: full, or gone.
func (p *play) step(i int) {
	b := &p.bays[i]
	if b.full || p.now >= b.stays && !p.done(b) {
		p.leave(b)
	} else {
		if p.shared && p.counts {
			p.out.Stretch += max(0, p.now-b.since-b.wish.Energy/b.most)
		}
		p.charges--
		p.stop(b)
		b.left = 0
		p.fill(b)
		if b.next <= p.now {
			p.leave(b)
		}
	}
	p.find()
	p.call()
	if p.shared {
		p.allocate()
	}
}

// done reports whether a car has what it wanted, up to rounding.
func (p *play) done(b *bay) bool {
	if !p.shared {
		return b.since+b.wish.Energy/b.most <= p.now
	}
	return b.left <= 1e-9*b.wish.Energy+b.most*1e-10
}

// stop ends the flow of energy at a bay.
func (p *play) stop(b *bay) {
	p.rate -= b.rate
	b.rate = 0
	if p.charges == 0 {
		p.rate = 0 // no rounding is left over
	}
}

// leave frees a bay.
func (p *play) leave(b *bay) {
	bal := &p.out.Balance
	if !b.full {
		if !p.shared {
			b.left = b.wish.Energy - b.rate*(p.now-b.since)
		}
		b.left = max(0, b.left)
		if p.counts && !b.out {
			p.out.Unserved += b.left
		}
		p.charges--
		p.stop(b)
	}
	if b.wish.Energy > 0 && b.most <= 0 {
		b.left = b.wish.Energy
	}
	bal.Left++
	bal.DeliveredWh += b.wish.Energy - b.left
	bal.UnservedWh += b.left
	bal.PluggedSum += p.now - b.since
	if p.Each != nil {
		p.Each(Stay{p.index(b), b.since, p.now, b.wish.Energy - b.left})
	}
	b.plugged, b.next = false, math.Inf(1)
	p.busy--
	if b.Module >= 0 {
		p.cars[b.Module]--
	}
	p.see()
}

func (p *play) index(b *bay) int {
	for i := range p.bays {
		if &p.bays[i] == b {
			return i
		}
	}
	return -1
}

// find looks for the bay that is next.
func (p *play) find() {
	p.nextBay = math.Inf(1)
	for i := range p.bays {
		if n := p.bays[i].next; n < p.nextBay {
			p.nextBay, p.bay = n, i
		}
	}
}

// turnOut lets a port fail, which ends its session, or work again.
func (p *play) turnOut(i int) {
	b := &p.bays[i]
	b.out = !b.out
	if b.out {
		b.fails = p.now + p.Scenario.Failure.Repair*b.luck.Exp()
		if b.plugged {
			p.out.Balance.Interrupted++
			p.leave(b)
		}
	} else {
		b.fails = p.now + p.Scenario.Failure.Between*b.luck.Exp()
	}
	p.findOut()
	p.see()
	p.find()
	p.call()
	if p.shared {
		p.allocate()
	}
}

func (p *play) findOut() {
	p.nextOut = math.Inf(1)
	for i := range p.bays {
		if n := p.bays[i].fails; n < p.nextOut {
			p.nextOut, p.outBay = n, i
		}
	}
}

// close settles what is still at the site when time is over.
func (p *play) close() {
	b := &p.out.Balance
	b.MeteredWh += p.binWh
	if p.monthPeak > 0 && len(p.out.Months) == 0 {
		p.out.Months = append(p.out.Months, p.monthPeak)
	}
	for i := range p.bays {
		c := &p.bays[i]
		if !c.plugged {
			continue
		}
		if !c.full && !p.shared {
			c.left = max(0, c.wish.Energy-c.rate*(p.now-c.since))
		}
		b.Plugged++
		b.PluggedSum += p.now - c.since
		b.OnBoardWh += c.wish.Energy - c.left
		b.OwedWh += c.left
	}
	b.Waiting = len(p.queue)
	for _, w := range p.queue {
		b.WaitSum += p.now - w.at
	}
}

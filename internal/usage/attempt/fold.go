package attempt

import (
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Fold follows the tries at one station event by event. The zero value is ready;
// it holds nothing until someone tries and nothing again when all is over, so
// that ten thousand idle stations cost next to nothing.
//
// A refusal is told at once, for detectors must not wait; when the same token is
// shown again within two minutes it is told once more with Again set.
type Fold struct {
	s *state
	// last is the latest At. What is older than it by more than event.LateAfter was
	// told late: it makes history, and never touches what goes on now.
	last time.Time
}

// state is what a station at which something goes on needs.
type state struct {
	ports    []*port    // by slot
	waiting  []*Attempt // accepted tokens that found no port yet
	commands []asked    // starts from afar without an answer, oldest first
	refused  []Attempt  // told lately, oldest first
	done     []Attempt  // by the event at hand
	late     bool       // the event at hand is told late
}

// port is what is going on at an EVSE. A port that is not kept is idle.
type port struct {
	// slot is the EVSE, or its negative for a transaction that is told late while
	// the port may be busy with another.
	slot int
	open *Attempt
	// idle is true when the port was last free; a car that stays after its
	// transaction begins no new try.
	idle       bool
	started    bool      // the transaction of open is open
	startedAt  time.Time // when
	lost       bool      // the station was away meanwhile
	faulted    bool      // it reported a fault and has not charged since
	fault      string    // the word it had for it
	suspended  string    // the last word about a pause
	meterStart *float64
	charging   time.Time // since when power is said to flow
	charged    time.Duration
}

// Apply folds an event and returns the tries that it ended, with those given up
// because nothing was heard of them until then. Events come in the order in
// which they were recorded.
func (f *Fold) Apply(e *event.Event) []Attempt {
	at := e.At.UTC().Round(0)
	behind := f.last.Sub(at) > event.LateAfter
	seen := at
	if !e.ReceivedAt.IsZero() && e.ReceivedAt.Before(at) { // no clock runs ahead of our own
		seen = e.ReceivedAt.UTC().Round(0)
	}
	if seen.After(f.last) {
		f.last = seen
	}
	if f.s == nil {
		if !begins(e) {
			return nil
		}
		f.s = &state{}
	}
	s := f.s
	s.expire(at)
	s.late = behind || e.Late()
	s.apply(at, e, behind)
	return f.settle()
}

// Expire gives up what waited until a time and returns it.
func (f *Fold) Expire(now time.Time) []Attempt {
	if f.s == nil {
		return nil
	}
	f.s.late = false
	f.s.expire(now.UTC().Round(0))
	return f.settle()
}

// Due is when the next token is given up, if one waits.
func (f *Fold) Due() (time.Time, bool) {
	if f.s == nil || len(f.s.waiting) == 0 {
		return time.Time{}, false
	}
	first := slices.MinFunc(f.s.waiting, func(a, b *Attempt) int { return a.At.Compare(b.At) })
	return first.At.Add(tokenWait), true
}

// Open returns the tries that go on, tokens that wait for a car first, then by
// port.
func (f *Fold) Open() []Attempt {
	if f.s == nil {
		return nil
	}
	var out []Attempt
	for _, w := range f.s.waiting {
		out = append(out, *w)
	}
	for _, p := range f.s.ports {
		if p.open != nil {
			a := *p.open
			if p.started && (!p.charging.IsZero() || p.charged > 0) && a.Stage.rank() < Energy.rank() {
				a.Stage = Energy
			}
			out = append(out, a)
		}
	}
	return out
}

// settle takes what was ended and lets go of what needs no memory.
func (f *Fold) settle() []Attempt {
	s := f.s
	done := s.done
	s.done = nil
	s.ports = slices.DeleteFunc(s.ports, func(p *port) bool { return p.open == nil && p.idle && p.charging.IsZero() })
	if len(s.ports)+len(s.waiting)+len(s.commands)+len(s.refused) == 0 {
		f.s = nil
	}
	return done
}

// begins reports whether an event can matter to a station at which nothing goes
// on.
func begins(e *event.Event) bool {
	switch b := e.Body.(type) {
	case *event.Status:
		return e.Subject.EVSE > 0 && (b.Status == "Preparing" || b.Status == "Occupied" || b.Status == "Charging")
	case *event.Transaction, *event.Authorize:
		return true
	case *event.Command:
		return startsFromAfar(b.Action)
	}
	return false
}

func (s *state) apply(at time.Time, e *event.Event, behind bool) {
	evse := e.Subject.EVSE
	if b, ok := e.Body.(*event.Transaction); ok {
		s.transaction(at, evse, b, behind)
		return
	}
	if b, ok := e.Body.(*event.SessionInferred); ok {
		if p := s.running(clip(b.TransactionID)); p != nil {
			s.endTransaction(b.EndedAt.UTC().Round(0), p, EndUnknown, clip(b.Evidence))
		}
		return
	}
	if behind {
		return // it says what was, and no state that follows from it holds any more
	}
	switch b := e.Body.(type) {
	case *event.Status:
		if evse > 0 {
			s.status(at, evse, b)
		}
	case *event.Meter:
		s.meter(evse, b)
	case *event.Component:
		s.component(b)
	case *event.Authorize:
		s.authorize(at, b)
	case *event.Disconnected:
		for _, p := range s.ports {
			p.lost = p.lost || p.open != nil && !p.started
		}
	case *event.Boot:
		s.boot(at)
	case *event.Command:
		s.command(at, b)
	case *event.CommandResult:
		s.commandResult(at, b)
	}
}

// find returns a port that is kept, or nil.
func (s *state) find(slot int) *port {
	for _, p := range s.ports {
		if p.slot == slot {
			return p
		}
	}
	return nil
}

// port returns a port, kept from now on; nil when the station has too many.
func (s *state) port(slot int) *port {
	i, ok := slices.BinarySearchFunc(s.ports, slot, func(p *port, slot int) int { return p.slot - slot })
	if !ok {
		if len(s.ports) >= maxPorts {
			return nil
		}
		s.ports = slices.Insert(s.ports, i, &port{slot: slot, idle: true})
	}
	return s.ports[i]
}

// running finds an open transaction; later reports may leave out the port.
func (s *state) running(transaction string) *port {
	for _, p := range slices.Backward(s.ports) { // what goes on now before what is told late
		if p.open != nil && p.started && p.open.TransactionID == transaction {
			return p
		}
	}
	return nil
}

// begin opens a try at a port unless one goes on there.
func (p *port) begin(at time.Time, stage Stage) {
	if p.open == nil {
		*p = port{slot: p.slot, open: &Attempt{At: at, EVSE: max(p.slot, -p.slot), Stage: stage}, charging: p.charging}
	}
	p.idle = false
	p.reach(stage)
}

func (p *port) reach(stage Stage) {
	if stage.rank() > p.open.Stage.rank() {
		p.open.Stage = stage
	}
}

// close ends the try at a port. The port counts as taken until it says that it
// is free.
func (s *state) close(at time.Time, p *port, why Reason, detail string) {
	a := p.open
	a.EndsAt, a.Reason, a.Detail, a.Failed, a.Late = later(at, a.At), why, detail, why != None, s.late
	if blame := why; blame != None || a.CutShort != None {
		if blame == None {
			blame = a.CutShort
		}
		a.Side = p.side(blame, detail, p.started && at.Sub(p.startedAt) >= patience)
	}
	s.tell(*a)
	*p = port{slot: p.slot, idle: p.slot < 0}
}

// tell hands out a try that ended.
func (s *state) tell(a Attempt) {
	s.done = append(s.done, a)
	if a.refused() && a.Token != "" {
		s.remember(a)
	}
}

func (s *state) remember(a Attempt) {
	if len(s.refused) >= maxRefused {
		s.refused = slices.Delete(s.refused, 0, 1)
	}
	s.refused = append(s.refused, a)
}

// expire gives up tokens that waited for a car long enough, and forgets what can
// no longer matter.
func (s *state) expire(now time.Time) {
	s.waiting = slices.DeleteFunc(s.waiting, func(w *Attempt) bool {
		if now.Sub(w.At) < tokenWait {
			return false
		}
		s.giveUp(w, w.At.Add(tokenWait))
		return true
	})
	s.commands = slices.DeleteFunc(s.commands, func(c asked) bool { return now.Sub(c.At) > commandWait })
	s.refused = slices.DeleteFunc(s.refused, func(a Attempt) bool { return now.Sub(a.EndsAt) > againWithin })
}

func (s *state) giveUp(w *Attempt, at time.Time) {
	w.EndsAt, w.Reason, w.Failed, w.Side = at, NeverPlugged, true, NeverPlugged.Side()
	s.tell(*w)
}

// wait keeps an accepted token until its car comes.
func (s *state) wait(at time.Time, a *Attempt) {
	if len(s.waiting) >= maxWaiting {
		s.giveUp(s.waiting[0], later(at, s.waiting[0].At))
		s.waiting = slices.Delete(s.waiting, 0, 1)
	}
	s.waiting = append(s.waiting, a)
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// clip bounds what a station makes us keep.
func clip(text string) string {
	if len(text) > maxText {
		text = strings.Clone(text[:maxText])
	}
	return strings.ToValidUTF8(text, "")
}

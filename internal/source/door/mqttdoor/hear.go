package mqttdoor

import (
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/mqtt"
	"github.com/chargewatch/chargewatch/internal/source/door"
)

// hear takes a message to the doors that it is about.
func (b *Board) hear(m mqtt.Message) {
	if m.Cut || len(m.Payload) > maxPayload {
		b.log.Warn("a message about a door was too large to be read", "topic", m.Topic)
		return
	}
	var lock []*wire
	b.mu.Lock()
	for _, w := range b.wires {
		for _, e := range w.plan.ears {
			if e.topic != m.Topic || e.reader && m.Retain {
				continue // nobody stands at the door whose card was kept from before
			}
			if r, ok := e.read(m.Payload); ok && b.take(w, e, r, m.Retain) {
				lock = append(lock, w)
			}
		}
	}
	b.mu.Unlock()
	for _, w := range lock {
		b.work.Go(func() { b.lock(w) })
	}
}

// take notes what a message says; true: the relay is to be turned off. The caller
// holds the lock of the board.
func (b *Board) take(w *wire, e ear, r report, kept bool) (lock bool) {
	now := time.Now()
	if !kept {
		w.heardAt = now
	}
	if e.reader {
		b.shown(w, r, now)
		return false
	}
	if r.online != unsaid && r.online != w.online {
		w.online = r.online
		b.ring()
	}
	if r.relay != unsaid {
		lock = b.relay(w, r.relay, kept, now)
	}
	if r.open != unsaid && r.open != w.open {
		b.moved(w, r.open, kept, now)
	}
	if r.tamper == yes && w.tamper == no && !kept {
		b.tell(door.Told{Record: door.Record{Door: w.number, Cause: door.Alarm}})
	}
	if r.tamper != unsaid {
		w.tamper = r.tamper
	}
	return lock
}

// relay notes what a relay says. One that is on when we begin has nobody left who
// turns it off.
func (b *Board) relay(w *wire, is answer, kept bool, now time.Time) (lock bool) {
	was := w.relay
	w.relay = is
	close(w.changed)
	w.changed = make(chan struct{})
	if is != was {
		b.ring()
	}
	ours := now.Before(w.opening)
	if is == yes && was == no && !ours && !kept {
		b.tell(door.Told{Record: door.Record{Door: w.number, Cause: door.RemoteOpen, Granted: true}})
	}
	if is != yes || ours || !w.locked && was != unsaid {
		return false
	}
	if now.Sub(w.relockAt) < relockEvery { // two who quarrel over a relay do so in peace
		b.later(w)
		return false
	}
	w.relockAt = now
	return true
}

// later turns a relay off in a while if it is on then and should not be.
func (b *Board) later(w *wire) {
	if w.relock != nil {
		return
	}
	w.relock = time.AfterFunc(relockEvery, func() {
		b.mu.Lock()
		w.relock = nil
		due := w.locked && w.relay == yes && b.ctx.Err() == nil
		if due {
			w.relockAt = time.Now()
		}
		b.mu.Unlock()
		if due {
			b.lock(w)
		}
	})
}

// moved notes what a contact says.
func (b *Board) moved(w *wire, is answer, kept bool, now time.Time) {
	was := w.open
	w.open = is
	cause := door.Closed
	if is == yes {
		cause = door.Opened
		if w.plan.forced && w.relay != yes && !now.Before(w.opening) {
			cause = door.ForcedOpen
		}
	}
	if was == unsaid || kept {
		b.ring() // how it is, not what happened
		return
	}
	b.tell(door.Told{Record: door.Record{Door: w.number, Cause: cause}})
}

// shown notes that somebody showed something, once.
func (b *Board) shown(w *wire, r report, now time.Time) {
	switch what := r.card + "/" + r.pin; {
	case r.id != "" && slices.Contains(w.ids, r.id):
		return
	case r.id != "":
		w.ids = append(w.ids, r.id)
		w.ids = w.ids[max(0, len(w.ids)-idsKept):]
	case what == w.last && now.Sub(w.lastAt) < againAfter:
		return
	default:
		w.last, w.lastAt = what, now
	}
	w.swipes = min(swipesBurst, w.swipes+now.Sub(w.swipesAt).Seconds()/swipesEvery.Seconds())
	w.swipesAt = now
	if w.swipes < 1 {
		b.log.Warn("a reader tells more than people can show", "door", w.number)
		return
	}
	w.swipes--
	b.tell(door.Told{Asks: true, PIN: r.pin, Record: door.Record{Door: w.number, Token: r.card, Cause: door.Swiped, At: r.at}})
}

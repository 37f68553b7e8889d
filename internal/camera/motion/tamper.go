package motion

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// tamper is what is wrong with the view, and what may be.
type tamper struct {
	now   event.SceneKind
	since time.Time
	fine  int // pictures in a row with nothing wrong
	// fineSince is the first of them.
	fineSince time.Time

	maybe      event.SceneKind
	maybeSince time.Time
	times      int

	equal      int // pictures in a row that are the picture before
	equalSince time.Time
}

// Pictures in a row until it is said, and until it is taken back; and for how long
// at least, where pictures come often.
const (
	coverPictures  = 2
	blurPictures   = 3
	turnPictures   = 3
	finePictures   = 2
	frozenPictures = 2 // of which each is the one before
	perPicture     = 1900 * time.Millisecond
	frozenFor      = 2 * perPicture
)

// tampering judges the view. wrong is true while it shows nothing to learn from.
func (d *Detector) tampering(s *scratch, m measures, at time.Time) (changes []Change, wrong bool) {
	t := &d.tamper
	kind, need := d.suspect(m)
	if k, n := d.frozen(m, at); k != "" && kind == "" {
		kind, need = k, n
	}
	if kind == "" {
		t.maybe, t.times = "", 0
		if t.now == "" {
			return nil, t.equal > 0
		}
		if t.fine++; t.fine == 1 {
			t.fineSince = at
		}
		if t.fine < finePictures || at.Sub(t.fineSince) < perPicture*(finePictures-1) {
			return nil, true
		}
		changes = append(changes, Change{What: t.now, Ended: true, Since: at})
		t.now = ""
		// The light may have changed meanwhile, things may have been moved.
		if m.same < 0.75*d.usual.same {
			d.seed(s, at)
			return changes, true
		}
		return changes, false
	}
	t.fine = 0
	if kind != t.maybe {
		t.maybe, t.times, t.maybeSince = kind, 0, at
		if kind == event.SceneFrozen {
			t.maybeSince = t.equalSince
		}
	}
	t.times++
	if t.times < need || at.Sub(t.maybeSince) < time.Duration(need-1)*perPicture || t.now == kind {
		return nil, true
	}
	if t.now != "" {
		changes = append(changes, Change{What: t.now, Ended: true, Since: t.maybeSince})
	}
	t.now, t.since = kind, t.maybeSince
	return append(changes, Change{What: kind, Since: t.since, Score: 1}), true
}

// suspect says what a single picture looks like, and how many of them prove it.
func (d *Detector) suspect(m measures) (event.SceneKind, int) {
	u := &d.usual
	lost := m.same < 0.45*u.same
	hysteresis := 1.0
	if d.tamper.now != "" {
		hysteresis = 1.3
		lost = m.same < 0.6*u.same
	}
	switch {
	case m.saturated > 0.6 && u.saturated < 0.3:
		return event.SceneBlinded, coverPictures
	case lost && (m.spread < 0.35*hysteresis*u.spread || m.crisp < 0.15*hysteresis):
		// What lies on the lens is out of focus; what another view shows is not.
		return event.SceneCovered, coverPictures
	case m.sharp < 0.5*hysteresis*min(float64(m.light.gain), 1) && m.large > 0.8 && m.light.gain > 0.4:
		return event.SceneDefocused, blurPictures
	case lost && m.large < 0.85:
		return event.SceneTurned, turnPictures
	}
	return "", 0
}

// frozen counts pictures that are the one before. A camera that sent such when all
// was well has no noise: of it nothing is said.
func (d *Detector) frozen(m measures, at time.Time) (event.SceneKind, int) {
	t := &d.tamper
	if d.usual.equals > 0 || !m.equal {
		t.equal = 0
		return "", 0
	}
	if t.equal == 0 {
		t.equalSince = d.at
	}
	t.equal++
	if t.equal < frozenPictures || at.Sub(t.equalSince) < frozenFor {
		return "", 0
	}
	return event.SceneFrozen, 1
}

package motion

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/decode"
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

	switched    int // pictures in a row in another light than before
	dark        int // pictures in a row without the light there was
	frozen      int // comparisons in a row in which nothing had changed
	frozenSince time.Time
}

// Pictures in a row until it is said, and until it is taken back; and for how long
// at least, where pictures come often.
const (
	coverPictures = 2
	blurPictures  = 3
	turnPictures  = 3
	finePictures  = 2
	perPicture    = 1900 * time.Millisecond
	frozenTimes   = 2 // comparisons
	// A clock that ticks in the picture may go on in a frozen one.
	frozenShare = 0.9
	// Cameras without noise, of which so much stands still anyway, say nothing by it.
	calmShare = 0.5
	// What was too dark to show anything is no measure for what is seen in light.
	blindTexture = 2.5
	blindTimes   = 3
	darkMean     = 48
	// What is left of contrast behind a veil, and the light it has of its own.
	veilSmall = 0.45
	veilLarge = 0.5
	veilLight = 8
	// Where one light holds for less of the picture than this, all has changed at once.
	otherLight = 0.4
	// A lamp was switched if so much of the picture is brighter, or darker, and no one
	// light explains that; for so many pictures at most.
	switchedHolds = 0.7
	switchedShare = 0.6
	switchedMost  = 4
)

// tampering judges the view. wrong is true while it shows nothing to learn from.
func (d *Detector) tampering(s *scratch, m measures, at time.Time) (changes []Change, wrong bool) {
	t := &d.tamper
	kind, need := d.suspect(m)
	veiled := d.veiled(s, m)
	if veiled && kind != event.SceneBlinded {
		kind, need = event.SceneCovered, coverPictures
	}
	if d.frozen(m, at) && kind == "" {
		kind, need = event.SceneFrozen, 1
	}
	if t.now == "" && d.darkened(m) {
		if t.dark++; t.dark >= coverPictures {
			t.dark = 0
			d.relight(s, at)
		}
		return nil, true
	}
	t.dark = 0
	if kind == "" && t.now == "" && d.switched(m) && t.switched < switchedMost {
		// A lamp was switched that lights all there is. Nothing can be said against what
		// was before; of the pictures that follow the first that is calm is the place.
		if t.switched++; t.switched > 1 && m.stir < 2*d.usual.stir+1 {
			t.switched = 0
			d.relight(s, at)
		}
		return nil, true
	}
	t.switched = 0
	if kind == "" && t.now == "" && m.light.holds < otherLight && d.known(s) {
		d.relight(s, at)
		return nil, true
	}
	if !veiled && (kind == event.SceneCovered || kind == event.SceneTurned || t.now != "") {
		switch known := d.known(s); {
		case known && kind != "" && t.now == "": // the place in another light
			d.relight(s, at)
			return nil, true
		case known && kind != event.SceneFrozen && kind != event.SceneDefocused:
			kind = ""
		case kind == event.SceneTurned && t.now == "" && len(d.views) == 0 && d.blind(m):
			d.relight(s, at)
			return nil, true
		}
	}
	if kind == "" {
		t.maybe, t.times = "", 0
		if t.now == "" {
			return nil, t.frozen > 0
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
			d.relight(s, at)
			return changes, true
		}
		return changes, false
	}
	t.fine = 0
	if kind != t.maybe {
		t.maybe, t.times, t.maybeSince = kind, 0, at
		if kind == event.SceneFrozen {
			t.maybeSince = t.frozenSince
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

// veiled reports whether something lies over the lens that lets the place shine
// through: of its contrast little is left, large shapes and small ones, and there is
// more light than that little makes. Where a lamp was switched off, or the sun went,
// what is dark is dark.
func (d *Detector) veiled(s *scratch, m measures) bool {
	u, slack := &d.usual, 1.0
	if d.tamper.now == event.SceneCovered {
		slack = 1.2
	}
	if u.texture < blindTexture || u.spread < blindTexture {
		return false // nothing was to be seen before
	}
	small, large := m.texture/u.texture, m.spread/u.spread
	if small > veilSmall*slack || large > veilLarge*slack {
		return false
	}
	return m.mean-max(small, large)*m.was > veilLight/slack && !d.knownAsIs(s)
}

// suspect says what a single picture looks like, and how many of them prove it.
func (d *Detector) suspect(m measures) (event.SceneKind, int) {
	u := &d.usual
	lost := m.same < 0.45*u.same && !d.darkened(m)
	hysteresis, shapes := 1.0, 0.92
	if d.tamper.now != "" {
		hysteresis, shapes = 1.3, 0.8
		lost = m.same < 0.6*u.same
	}
	switch {
	case m.saturated > 0.6 && u.saturated < 0.3:
		return event.SceneBlinded, coverPictures
	case lost && (m.spread < 0.35*hysteresis*u.spread || m.crisp < 0.15*hysteresis):
		// What lies on the lens is out of focus; what another view shows is not.
		return event.SceneCovered, coverPictures
	case m.sharp < 0.5*hysteresis*min(float64(m.light.gain), 1) && m.crisp < 0.75*hysteresis && m.large > shapes && m.light.gain > 0.4:
		// Fog takes the edges too, and changes large shapes.
		return event.SceneDefocused, blurPictures
	case lost && m.large < 0.85:
		return event.SceneTurned, turnPictures
	}
	return "", 0
}

// frozen counts how often nothing has changed from one comparison to the next. A
// camera of which much stood still when all was well has no noise to go by: of it
// nothing is said.
func (d *Detector) frozen(m measures, at time.Time) bool {
	t := &d.tamper
	switch {
	case !m.compared:
	case d.usual.compared < learnFor-1 || d.usual.still > calmShare || m.still < frozenShare:
		t.frozen = 0
	default:
		if t.frozen++; t.frozen == 1 {
			t.frozenSince = at.Add(-m.over)
		}
	}
	return t.frozen >= frozenTimes
}

// darkened reports that the light is off: little is left to be seen, and that is
// where it was.
func (d *Detector) darkened(m measures) bool {
	return m.mean < darkMean && m.same < 0.45*d.usual.same && m.same > 0.2*d.usual.same
}

// switched reports that all there is became brighter or darker, at once or in a way
// that no one light explains.
func (d *Detector) switched(m measures) bool {
	return max(m.raised, m.lowered) > switchedShare && (d.tamper.switched > 0 || m.light.holds < switchedHolds || m.stir > 2*d.usual.stir+4)
}

// blind reports whether the place used to be too dark for anything to be seen, and is
// so no more.
func (d *Detector) blind(m measures) bool {
	return d.usual.texture < blindTexture && m.texture > blindTimes*d.usual.texture+1
}

// relight takes the picture for the place in a light of its own.
func (d *Detector) relight(s *scratch, at time.Time) {
	d.seed(s, at)
	d.usually(s)
	d.tamper.maybe, d.tamper.times = "", 0
}

// standing is the share of the picture's parts of which no point has changed since the
// picture that it is compared with, some time before.
func (d *Detector) standing(gray []byte) float64 {
	const parts, side = blockColumns * blockRows, decode.GrayWidth / blockColumns
	still := parts
	for row := range blockRows {
		for column := range blockColumns {
			if !d.partStands(gray, column*side, row*side, side) {
				still--
			}
		}
	}
	return float64(still) / parts
}

func (d *Detector) partStands(gray []byte, x, y, side int) bool {
	for ; side > 0; side-- {
		at := y*decode.GrayWidth + x
		a, b := gray[at:][:decode.GrayWidth/blockColumns], d.before[at:][:decode.GrayWidth/blockColumns]
		for i := range a {
			if diff := int(a[i]) - int(b[i]); diff > 1 || diff < -1 {
				return false
			}
		}
		y++
	}
	return true
}

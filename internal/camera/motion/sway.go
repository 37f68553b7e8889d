package motion

import "time"

// A flag, a twig and its shadow come back to what they showed before: how much
// darker and how much brighter than the background a cell becomes by that is learned
// from the first picture on, and what lies between is no news of it. Whoever stands
// there is seen by what lies beyond.
type sway struct {
	darker, brighter [cells]uint8
	since            time.Time // when the first picture was seen
	faded            time.Time
}

const (
	// carefulFor is how long what grows out of a place that sways is believed to belong
	// to it, however large.
	carefulFor = 2 * time.Minute
	// swaySlack is how far beyond what was seen a cell may go, beside its noise.
	swaySlack = 5
	// swayLevel makes a cell one of a place that sways.
	swayLevel  = 8
	swayReach  = 3
	outgrowth  = 28 // cells, of what grows out of such a place later
	outgrowths = 120
	// fades is the share of what was learned that a minute takes.
	fades = 10
)

// around is how far the cell and those beside it go.
func (w *sway) around(i int) (darker, brighter uint8) {
	x, y := i%columns, i/columns
	for v := max(0, y-1); v <= min(rows-1, y+1); v++ {
		for j := v*columns + max(0, x-1); j <= v*columns+min(columns-1, x+1); j++ {
			darker, brighter = max(darker, w.darker[j]), max(brighter, w.brighter[j])
		}
	}
	return darker, brighter
}

// explains reports whether what is off the background is what the cell shows now and
// then.
func (w *sway) explains(i int, off, noise float32) bool {
	darker, brighter := w.around(i)
	if darker < swayLevel && brighter < swayLevel {
		return false
	}
	slack := swaySlack + 2*noise
	if off > -float32(darker)-slack && off < float32(brighter)+slack {
		// It may reach a little farther now.
		if w.darker[i] >= swayLevel || w.brighter[i] >= swayLevel {
			w.add(i, off)
		}
		return true
	}
	return false
}

func (w *sway) add(i int, off float32) {
	if off < 0 {
		w.darker[i] = max(w.darker[i], uint8(min(-off, 255)))
	} else {
		w.brighter[i] = max(w.brighter[i], uint8(min(off, 255)))
	}
}

// takes learns that what is to be seen of a blob sways.
func (d *Detector) takes(s *scratch, b *blob) {
	for y := b.top; y <= b.bottom; y++ {
		for x := b.left; x <= b.right; x++ {
			if i := y*columns + x; s.label[i] == b.label {
				d.sway.add(i, s.f[i]-d.bg[i])
			}
		}
	}
}

// grows reports whether a blob is part of a place that sways.
func (d *Detector) grows(s *scratch, b *blob, at time.Time) bool {
	most := outgrowth
	if at.Sub(d.sway.since) < carefulFor {
		most = outgrowths
	}
	if b.hot > most {
		return false
	}
	return d.within(s, b)*2 >= b.hot
}

// within is how many cells of a blob lie in a place that sways, or beside it.
func (d *Detector) within(s *scratch, b *blob) int {
	near := 0
	for y := b.top; y <= b.bottom; y++ {
		for x := b.left; x <= b.right; x++ {
			if s.label[y*columns+x] == b.label && d.sway.near(x, y) {
				near++
			}
		}
	}
	return near
}

func (w *sway) near(x, y int) bool {
	for v := max(0, y-swayReach); v <= min(rows-1, y+swayReach); v++ {
		for u := max(0, x-swayReach); u <= min(columns-1, x+swayReach); u++ {
			if j := v*columns + u; w.darker[j] >= swayLevel || w.brighter[j] >= swayLevel {
				return true
			}
		}
	}
	return false
}

// fade forgets what has not swayed for some minutes.
func (w *sway) fade(at time.Time) {
	if over := at.Sub(w.faded); over >= 0 && over < time.Minute {
		return
	}
	w.faded = at
	for i := range w.darker {
		w.darker[i] -= (w.darker[i] + fades - 1) / fades
		w.brighter[i] -= (w.brighter[i] + fades - 1) / fades
	}
}

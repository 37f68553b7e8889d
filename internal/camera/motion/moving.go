package motion

import (
	"cmp"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// What is only brighter than the place was is a light, or something pale that throws
// no shadow. While a light sweeps over a good part of the picture or that of all of it
// changes, and for a while after, it is believed to be the light. Lights reach in from
// the edge of the picture: there the next picture has to show it too, and everywhere
// if the next is not far.
const (
	sweepFrom  = 0.015 // of the picture
	sweepAfter = 4 * time.Second
	glowFor    = 8 * time.Second
	againAfter = 350 * time.Millisecond
	seldom     = time.Second
)

// moving says in which zones something moves.
func (d *Detector) moving(s *scratch, m measures, blobs []blob, at time.Time) []Change {
	var changes []Change
	if m.lit > sweepFrom && slices.ContainsFunc(blobs, func(b blob) bool { return !b.solid() }) || m.light.changes() {
		d.sweptAt = at
	}
	swept := !d.sweptAt.IsZero() && at.Sub(d.sweptAt).Abs() < sweepAfter
	again := d.interval < seldom || slices.ContainsFunc(blobs, func(b blob) bool { return !b.solid() && b.enters() })
	for z := range d.zones {
		w := &d.zones[z]
		score, share, glow := 0.0, 0.0, false
		for _, b := range blobs {
			k, n := w.sees(s, b)
			switch {
			case k == 0:
			case w.active || b.solid() || w.believes(swept, again, at):
				score, share = max(score, k), share+n
			default:
				glow = true
			}
		}
		if !glow {
			w.glow = 0
		} else if w.glow++; w.glow == 1 {
			w.glowSince = at
		}
		changes = append(changes, w.follow(score, min(share, 1), at, d.interval)...)
	}
	return changes
}

// believes reports whether something pale may be more than a light.
func (w *watched) believes(swept, again bool, at time.Time) bool {
	switch {
	case swept:
		return w.glow > 0 && at.Sub(w.glowSince) >= glowFor
	case again:
		return w.glow > 0 && at.Sub(w.glowSince) >= againAfter
	}
	return true
}

// sees says how sure a blob is something that moves in the zone, and what share of
// the zone it has.
func (w *watched) sees(s *scratch, b blob) (score, share float64) {
	sensitivity := cmp.Or(w.Sensitivity, 0.5)
	fewest := fewestCells + int((0.5-sensitivity)*2*fewestCells)
	in, moved, box := 0, 0, 0
	for y := b.top; y <= b.bottom; y++ {
		for x := b.left; x <= b.right; x++ {
			i := y*columns + x
			if !w.in[i] {
				continue
			}
			box++
			if s.label[i] == b.label {
				in++
				if s.moved[i] {
					moved++
				}
			}
		}
	}
	if in < fewest || moved*12 < in || moved < fewestCells/2 {
		return 0, 0
	}
	return float64(in) / float64(in+2*fewest), float64(box) / float64(w.cells)
}

// follow begins and ends motion in a zone.
func (w *watched) follow(score, share float64, at time.Time, interval time.Duration) []Change {
	if score > 0 {
		w.lastAt = at
		w.score, w.share = max(w.score, score), max(w.share, share)
		if w.active {
			return nil
		}
		w.active, w.since, w.score, w.share = true, at, score, share
		return []Change{{What: event.SceneMotion, Zone: w.ID, Since: at, Score: score, Percent: 100 * share}}
	}
	if !w.active || at.Sub(w.lastAt) < max(stillAfter, 2*interval) {
		return nil
	}
	return w.end(w.lastAt)
}

func (w *watched) end(at time.Time) []Change {
	if !w.active {
		return nil
	}
	w.active = false
	return []Change{{What: event.SceneMotion, Zone: w.ID, Ended: true, Since: at, Score: w.score, Percent: 100 * w.share}}
}

// rest ends all motion when what is seen is no view of the site.
func (d *Detector) rest(at time.Time) []Change {
	if d.tamper.now == "" {
		return nil
	}
	var changes []Change
	for z := range d.zones {
		changes = append(changes, d.zones[z].end(at)...)
	}
	return changes
}

// Lost ends all motion since no pictures come.
func (d *Detector) Lost(at time.Time) []Change {
	var changes []Change
	for z := range d.zones {
		w := &d.zones[z]
		changes = append(changes, w.end(earlier(at, w.lastAt))...)
	}
	return changes
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

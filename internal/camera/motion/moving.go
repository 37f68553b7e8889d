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
// the edge of the picture: there the next picture has to show it too. If the next is not
// far it has to show that the thing has left where it was, or it has to stay for long.
const (
	sweepFrom  = 0.015 // of the picture
	sweepAfter = 4 * time.Second
	glowFor    = 8 * time.Second
	againAfter = 350 * time.Millisecond
	againFor   = 1900 * time.Millisecond
	seldom     = time.Second
	// Light spills over what is beside what it reveals, so many cells at least, and a share
	// of those that shine.
	spillLevel  = 4
	spillReach  = 3
	spillFewest = cells / 150
	spillShare  = 3
)

// moving says in which zones something moves.
func (d *Detector) moving(s *scratch, m measures, blobs []blob, doubted []doubt, at time.Time) []Change {
	var changes []Change
	if m.light.changes() || slices.ContainsFunc(blobs, func(b blob) bool { return !b.solid() }) && (m.lit > sweepFrom || d.spills(s, blobs)) {
		d.sweptAt = at
	}
	swept := !d.sweptAt.IsZero() && at.Sub(d.sweptAt).Abs() < sweepAfter
	again := d.interval < seldom || slices.ContainsFunc(blobs, func(b blob) bool { return !b.solid() && b.enters() })
	defer d.pales(s, blobs, at)
	for z := range d.zones {
		w := &d.zones[z]
		score, share, glow := 0.0, 0.0, false
		for i, b := range blobs {
			k, n := w.sees(s, b)
			switch {
			case k == 0 || b.soft() || doubted[i] == nobody || doubted[i] == little && !w.active:
			case w.active || b.solid() || w.believes(swept, again && !d.travels(s, &b), at):
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

// spills reports whether it is brighter far around what shines, as in the light of a lamp:
// beside somebody who is pale it is as dark as before.
func (d *Detector) spills(s *scratch, blobs []blob) bool {
	s.shift.three(&s.tmp, &s.line)
	for i := range cells {
		s.wide[i] = s.tmp[i] > spillLevel+d.noise[i]
	}
	within, beside := 0, 0
	for k := range blobs {
		b := &blobs[k]
		for y := max(0, b.top-spillReach); y <= min(rows-1, b.bottom+spillReach); y++ {
			for x := max(0, b.left-spillReach); x <= min(columns-1, b.right+spillReach); x++ {
				if i := y*columns + x; s.wide[i] {
					s.wide[i] = false
					within++
				}
			}
		}
	}
	for i := range cells {
		if s.wide[i] {
			beside++
		}
	}
	return beside >= spillFewest && beside*spillShare >= within
}

// believes reports whether something pale may be more than a light.
func (w *watched) believes(swept, again bool, at time.Time) bool {
	switch {
	case swept:
		return w.glow > 0 && at.Sub(w.glowSince) >= glowFor
	case again:
		return w.glow > 0 && at.Sub(w.glowSince) >= againFor
	}
	return true
}

// pales keeps where something pale was.
func (d *Detector) pales(s *scratch, blobs []blob, at time.Time) {
	if since := at.Sub(d.paleAt); since >= 0 && since < againAfter {
		return
	}
	d.paleAt, d.pale = at, [cells]bool{}
	for _, b := range blobs {
		if b.solid() {
			continue
		}
		for y := b.top; y <= b.bottom; y++ {
			for x := b.left; x <= b.right; x++ {
				d.pale[y*columns+x] = s.label[y*columns+x] == b.label
			}
		}
	}
}

// travels reports whether something pale has left the place where it was a moment
// ago. What a light reveals stays where it is.
func (d *Detector) travels(s *scratch, b *blob) bool {
	const reach, fewest = 5, 5
	was, gone := 0, 0
	for y := max(0, b.top-reach); y <= min(rows-1, b.bottom+reach); y++ {
		for x := max(0, b.left-reach); x <= min(columns-1, b.right+reach); x++ {
			if i := y*columns + x; d.pale[i] {
				was++
				if s.hot[i] == 0 {
					gone++
				}
			}
		}
	}
	return was >= fewest && gone*2 >= was
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

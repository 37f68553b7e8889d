package motion

import (
	"math/bits"
	"time"
)

// sway is what is known of places that change again and again and stay where they are: a
// flag, a twig, a banner. How much darker and how much brighter than the background a
// cell becomes by that is learned, and what lies between is no news of it.
//
// Only what is still where it was a step before teaches anything, and only in the first
// pictures or beside what is known to sway; so nobody who walks does, however often he
// comes, and nobody who came from elsewhere and stays.
type sway struct {
	darker, brighter [cells]uint8
	idle             [cells]uint8 // minutes since it was last seen to
	marks            [cells]uint8
	beats            [cells]uint8 // steps of this minute in which it changed and stayed
	minutes          [cells]uint8 // the minutes before, each a bit: whether it did in a good part of it
	steps            int          // of this minute
	known            bool         // it sways anywhere
	since            time.Time    // when the place was seen first
	stepAt, minute   time.Time
}

// Marks of a cell.
const (
	markWas    = 1 << iota // it, or one beside it, had changed a step before
	markWho                // somebody was there a step before
	markRegion             // it sways there, or nearby
)

const (
	// stepAfter is how far steps are apart: somebody who walks is elsewhere by then.
	stepAfter = 1500 * time.Millisecond
	// swaySlack is how far beyond what was seen a cell may go, beside its noise.
	swaySlack = 5
	// strangeBy is how far beyond it what is there is something else.
	strangeBy = 25
	// swayLevel makes a cell one of a place that sways.
	swayLevel = 8
	// swayReach is how far from such cells it may sway as well; what changes there changes
	// the contrast of all that is around it.
	swayReach  = around + 1
	carefulFor = time.Minute
	// outgrowth is how much may be changed there beyond what is known of it.
	outgrowthFirst, outgrowth = 110, 40
	// denseCells are in a square of five by five where something has changed.
	denseCells = 5
	// idleFor is how many minutes of calm it takes to forget.
	idleFor = 10
	fades   = 40 // the share of what was learned that a minute takes
	// swayMinutes is in how many of the last eight minutes a cell has to have changed, in
	// beatShare of the steps at least, to be one that always does. Nobody who does
	// something at a place takes that long without a break of a minute or two, and after
	// such a break the cell counts again.
	swayMinutes = 7
	beatShare   = 3
)

// sways reports whether a cell changes all the time.
func (w *sway) sways(i int) bool { return bits.OnesCount8(w.minutes[i]) >= swayMinutes }

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
	if w.marks[i]&markRegion == 0 {
		return false
	}
	darker, brighter := w.around(i)
	slack := swaySlack + 2*noise
	return off > -float32(darker)-slack && off < float32(brighter)+slack
}

// strange reports whether a cell that is known to sway is far beyond what it shows.
func (w *sway) strange(i int, off float32) bool {
	darker, brighter := w.around(i)
	if darker < swayLevel && brighter < swayLevel {
		return false
	}
	return off < -float32(darker)-strangeBy || off > float32(brighter)+strangeBy
}

func (w *sway) add(i int, off float32) {
	if off < 0 {
		w.darker[i] = max(w.darker[i], uint8(min(-off, 255)))
	} else {
		w.brighter[i] = max(w.brighter[i], uint8(min(off, 255)))
	}
	w.idle[i], w.known = 0, true
}

func (w *sway) young(at time.Time) bool { return at.Sub(w.since) < carefulFor }

// step learns from a picture, if it is some time since the last: what changed where it
// had changed a step before, nobody being there.
func (d *Detector) step(s *scratch, blobs []blob, doubted []doubt, at time.Time) {
	w := &d.sway
	if over := at.Sub(w.stepAt); over >= 0 && over < stepAfter {
		return
	}
	w.stepAt = at
	s.gather()
	s.mark(blobs, doubted)
	w.steps++
	var all blob // of what sways
	for i := range cells {
		if !s.live[i] {
			continue
		}
		stays, alone := w.marks[i]&markWas != 0, w.marks[i]&markWho == 0 && !s.who[i]
		if stays && w.beats[i] < 255 {
			w.beats[i]++
		}
		if alone && w.marks[i]&markRegion != 0 {
			all.hot++
			all.tally(d, s, i)
		}
		switch off := s.f[i] - d.bg[i]; {
		case !alone || w.marks[i]&markRegion == 0:
		case stays:
			w.add(i, off)
		case w.explains(i, off, d.noise[i]):
			w.idle[i] = 0
		}
	}
	if depth, ok := all.shadow(); ok {
		d.shadowed(depth, at)
	}
	w.tick(at)
	w.redraw(s)
	spread(&s.live, &s.wide, &s.far, 2)
	for i := range cells {
		w.marks[i] &^= markWas | markWho
		if s.far[i] {
			w.marks[i] |= markWas
		}
		if s.who[i] {
			w.marks[i] |= markWho
		}
	}
}

// tick goes over to the next minute, if one is over.
func (w *sway) tick(at time.Time) {
	if over := at.Sub(w.minute); over >= 0 && over < time.Minute {
		return
	}
	for i := range cells {
		w.minutes[i] <<= 1
		if int(w.beats[i])*beatShare >= w.steps && w.beats[i] > 1 {
			w.minutes[i] |= 1
		}
		w.beats[i] = 0
		if w.darker[i] == 0 && w.brighter[i] == 0 {
			continue
		}
		if w.idle[i]++; w.idle[i] > idleFor {
			w.darker[i], w.brighter[i] = 0, 0
			continue
		}
		w.darker[i] -= (w.darker[i] + fades - 1) / fades
		w.brighter[i] -= (w.brighter[i] + fades - 1) / fades
	}
	w.minute, w.steps = at, 0
}

// redraw says where it sways.
func (w *sway) redraw(s *scratch) {
	somewhere := false
	for i := range cells {
		s.wide[i] = w.darker[i] >= swayLevel || w.brighter[i] >= swayLevel
		somewhere = somewhere || s.wide[i]
		w.marks[i] &^= markRegion
	}
	if w.known = somewhere; !somewhere {
		return
	}
	dense(&s.wide, &s.far, &s.count)
	spread(&s.far, &s.wide, &s.far, swayReach)
	for i := range cells {
		if s.far[i] {
			w.marks[i] |= markRegion
		}
	}
}

// gather makes s.live of what has changed, without what stands alone.
func (s *scratch) gather() { dense(&s.raw, &s.live, &s.count) }

// mark says where somebody is.
func (s *scratch) mark(blobs []blob, doubted []doubt) {
	s.who = [cells]bool{}
	somewhere := false
	for k := range blobs {
		if b := &blobs[k]; doubted[k] == none {
			somewhere = true
			for y := b.top; y <= b.bottom; y++ {
				for x := b.left; x <= b.right; x++ {
					if i := y*columns + x; s.label[i] == b.label {
						s.who[i] = true
					}
				}
			}
		}
	}
	if somewhere {
		spread(&s.who, &s.wide, &s.who, 2)
	}
}

// dense leaves those cells that have denseCells in the square of five around them.
func dense(from, to *[cells]bool, line *[cells]uint8) {
	for y := range rows {
		n := uint8(0)
		in := from[y*columns:][:columns]
		out := line[y*columns:][:columns]
		for x := range columns + 2 {
			if x < columns && in[x] {
				n++
			}
			if x >= 5 && in[x-5] {
				n--
			}
			if x >= 2 {
				out[x-2] = n
			}
		}
	}
	var sum [columns]uint8
	for y := range rows + 2 {
		for x := range columns {
			if y < rows {
				sum[x] += line[y*columns+x]
			}
			if y >= 5 {
				sum[x] -= line[(y-5)*columns+x]
			}
			if y >= 2 {
				i := (y-2)*columns + x
				to[i] = from[i] && sum[x] >= denseCells
			}
		}
	}
}

// spread sets in to what is at most reach cells from what is set in from.
func spread(from, line, to *[cells]bool, reach int) {
	for y := range rows {
		last := -cells
		in, out := from[y*columns:][:columns], line[y*columns:][:columns]
		for x := range columns + reach {
			if x < columns && in[x] {
				last = x
			}
			if at := x - reach; at >= 0 {
				out[at] = last >= at-reach
			}
		}
	}
	for x := range columns {
		last := -cells
		for y := range rows + reach {
			if y < rows && line[y*columns+x] {
				last = y
			}
			if at := y - reach; at >= 0 {
				to[at*columns+x] = last >= at-reach
			}
		}
	}
}

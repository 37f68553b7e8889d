package motion

import "time"

const (
	// A hard shadow, or the end of one, changes a place by one share of its light and
	// less at its rim; whoever stands there is darker here and brighter there.
	shadeParts   = 40
	shadeDeepest = 0.45
	shadeSpread  = 1.3
	shadePattern = 8   // levels that the ground has to differ by for its pattern to be known
	shadeFollows = 0.5 // of its contrast, that a shadow leaves at least
	besideCells  = 5
	raisedBy     = 1.06
	raisedShare  = 32
	// A small thing that shines falls off from its middle, all around.
	glintPeak  = 64
	palePeak   = 20
	glintCells = 160
	glintShare = 0.5
	pointCells = 8
	// Where one flies, or so many small and pale things, more are to be expected.
	swarmOf  = 3
	swarmFor = time.Minute
	// What is neither darker than the place nor of so many cells begins no motion.
	faintCells = 3 * fewestCells
	plainCells = 2 * fewestCells
	// A shadow has to go that far, in its own widths, to be that of somebody.
	strollWidths = 1.5
)

// shadow reports whether a shadow explains all of it.
func (b *blob) shadow() bool {
	if b.raised*raisedShare > b.hot {
		return false
	}
	if !b.solid() { // no darker than light can make it
		return b.rise < 0
	}
	low, middle := b.share(15), b.share(50)
	return low >= shadeDeepest && middle <= shadeSpread*low
}

// follows says how far what was there is to be seen in the shadow: 1 as in one, 0 as
// behind a thing; told is false where hardly anything was to be seen.
func (b *blob) follows() (share float32, told bool) {
	n := float32(b.darker)
	if n < fewestCells {
		return 0, false
	}
	f, g := b.sumF/n, b.sumB/n
	spread := b.sumBB/n - g*g
	if spread < shadePattern*shadePattern {
		return 0, false
	}
	return (b.sumFB/n - f*g) / spread * g / f, true
}

// beside reports whether little lies between two blobs.
func (b *blob) beside(o *blob) bool {
	return o.left-b.right <= besideCells && b.left-o.right <= besideCells && o.top-b.bottom <= besideCells && b.top-o.bottom <= besideCells
}

func (b *blob) plain() bool {
	_, told := b.follows()
	return !told && b.hot >= plainCells
}

// share is what so many of a hundred darker cells have at most of what was there.
func (b *blob) share(of int) float32 {
	left := b.darker * of / 100
	for k, n := range b.shares {
		if left -= int(n); left < 0 {
			return (float32(k) + 0.5) / shadeParts
		}
	}
	return 1
}

// shining is how many cells of it shine at all, and how many at least half as much as
// the brightest.
func (b *blob) shining(s *scratch) (all, core int) {
	for y := max(0, b.top-2); y <= min(rows-1, b.bottom+2); y++ {
		for x := max(0, b.left-2); x <= min(columns-1, b.right+2); x++ {
			switch v := s.shift[y*columns+x]; {
			case v > b.peak/2:
				core++
				all++
			case v > b.peak/8:
				all++
			}
		}
	}
	return all, core
}

// pale says whether it is something small and pale, and whether that is a point of
// light, in focus or not.
func (b *blob) pale(s *scratch) (small, point bool) {
	if b.solid() || b.rise <= 0 || b.peak < palePeak {
		return false, false
	}
	all, core := b.shining(s)
	small = all <= glintCells
	point = b.soft() || b.peak >= glintPeak && (all <= pointCells || float64(core) <= glintShare*float64(all))
	return small, small && point
}

// stroll is a shadow that goes somewhere.
type stroll struct {
	at           time.Time
	fromX, fromY int
	pictures     int
}

// doubt is whether a blob is believed to be somebody.
type doubt int

const (
	none   doubt = iota
	little       // too little to begin with, enough to go on
	nobody
)

// doubt says which blobs are none of somebody: shadows that stay, points of light, and
// what grows out of a place that sways.
func (d *Detector) doubt(s *scratch, blobs []blob, at time.Time) []doubt {
	doubted := make([]doubt, len(blobs))
	shadows, others, one := 0, 0, -1
	swarm := d.swarms(s, blobs, at)
	for i := range blobs {
		b := &blobs[i]
		small, point := b.pale(s)
		switch {
		case b.shadow():
			share, told := b.follows()
			if told && share < shadeFollows {
				continue
			}
			doubted[i] = nobody
			switch {
			case d.within(s, b)*2 >= b.hot:
				others++
			case one >= 0 && blobs[one].beside(b): // a part of the same
				if b.hot > blobs[one].hot {
					one = i
				}
			default:
				shadows, one = shadows+1, i
			}
		case point, small && swarm, !b.solid() && b.hot < faintCells:
			doubted[i] = little
		case d.grows(s, b, at):
			doubted[i] = nobody
			others++
			d.takes(s, b)
		}
	}
	// One shadow alone on ground without a pattern may as well be somebody in grey.
	if shadows == 1 && (d.shade.goes(&blobs[one], at) || others == 0 && blobs[one].plain()) {
		doubted[one] = none
		return doubted
	}
	if shadows != 1 {
		d.shade.pictures = 0
	}
	for i := range blobs {
		if b := &blobs[i]; doubted[i] == nobody && b.shadow() {
			d.takes(s, b)
		}
	}
	return doubted
}

// swarms reports whether insects or flakes fly about.
func (d *Detector) swarms(s *scratch, blobs []blob, at time.Time) bool {
	n := 0
	for i := range blobs {
		if small, point := blobs[i].pale(s); point {
			n += swarmOf - 1
		} else if small {
			n++
		}
	}
	if n >= swarmOf {
		d.swarmAt = at
	}
	return !d.swarmAt.IsZero() && at.Sub(d.swarmAt).Abs() < swarmFor
}

// goes reports whether the only shadow there is has gone some way.
func (t *stroll) goes(b *blob, at time.Time) bool {
	x, y := (b.left+b.right)/2, (b.top+b.bottom)/2
	wide, high := b.right-b.left+1, b.bottom-b.top+1
	apart := func(px, py int) float64 {
		return max(float64(max(x-px, px-x))/float64(wide), float64(max(y-py, py-y))/float64(high))
	}
	if t.pictures == 0 || at.Sub(t.at) > 5*time.Second {
		*t = stroll{at: at, fromX: x, fromY: y, pictures: 1}
		return false
	}
	t.at = at
	t.pictures++
	return t.pictures >= 3 && apart(t.fromX, t.fromY) >= strollWidths
}

package motion

import (
	"math/bits"
	"slices"
	"time"
)

// learnAtLeast is how long the first pictures are looked at, however many there are.
const learnAtLeast = 8 * time.Second

// Of the first pictures so many are kept, so far apart.
const (
	firstMost  = 10
	firstAfter = 750 * time.Millisecond
	// firstBack is in how many of them what goes and comes back has to be off.
	firstBack = 2
	firstBusy = 3
	// earlyFrom is from when on what comes is told from what sways, if it is of so many
	// cells.
	earlyFrom  = 4500 * time.Millisecond
	earlyCells = 3 * fewestCells
)

// first are some of the first pictures, of which the place is made when they are all
// there: what most of them show, so that somebody who walked through them is not in it.
type first struct {
	pictures [][]uint8
	from, at time.Time // of the first and the last
	// lately is what has changed since the last, trodden what had before: whoever comes
	// comes where nothing had.
	lately, trodden []bool
}

// take keeps a picture, if it is some time since the last.
func (f *first) take(s *scratch, at time.Time) {
	if n := len(f.pictures); n == firstMost || n > 0 && at.Sub(f.at) < firstAfter {
		return
	}
	if f.at = at; f.lately == nil {
		f.from, f.lately, f.trodden = at, make([]bool, cells), make([]bool, cells)
	}
	for i, changed := range f.lately {
		f.trodden[i] = f.trodden[i] || changed
	}
	clear(f.lately)
	p := make([]uint8, cells)
	for i, v := range s.f {
		p[i] = uint8(v + 0.5)
	}
	f.pictures = append(f.pictures, p)
}

// early says what moves while the place is still learned: what is where nothing has
// changed before. It needs some seconds to know where that is.
func (d *Detector) early(s *scratch, m measures, at time.Time) []Change {
	f := &d.first
	if len(f.pictures) == 0 {
		return nil
	}
	blobs := d.findBlobs(s)
	var changes []Change
	if d.pictures >= learnFor && at.Sub(f.from) >= earlyFrom {
		doubted := d.doubt(s, blobs, at)
		for k := range blobs {
			if b := &blobs[k]; doubted[k] == none && !f.fresh(s, b) {
				doubted[k] = nobody
			}
		}
		changes = d.moving(s, m, blobs, doubted, at)
	}
	s.gather()
	spread(&s.live, &s.wide, &s.far, 2)
	for i, changed := range s.far {
		f.lately[i] = f.lately[i] || changed
	}
	return changes
}

// fresh reports whether nearly all of a blob is where nothing had changed.
func (f *first) fresh(s *scratch, b *blob) bool {
	n := 0
	for y := b.top; y <= b.bottom; y++ {
		for x := b.left; x <= b.right; x++ {
			if i := y*columns + x; s.label[i] == b.label && !f.trodden[i] {
				n++
			}
		}
	}
	return b.hot >= earlyCells && n*5 >= b.hot*4
}

// settle makes the place of the first pictures, and learns what sways in them: what
// changes in nearly all of them, or goes and comes back. Somebody who walks is elsewhere
// in each.
func (d *Detector) settle(s *scratch) measures {
	list := d.first.pictures
	d.first.lately, d.first.trodden = nil, nil
	if d.first.pictures = nil; len(list) < 3 {
		return d.measure(s)
	}
	now := s.f
	values := make([]uint8, len(list))
	for i := range cells {
		for k, p := range list {
			values[k] = p[i]
		}
		slices.Sort(values)
		d.bg[i] = float32(values[len(values)/2])
	}
	off := make([]grid, len(list))
	for k, p := range list {
		for i, v := range p {
			s.f[i] = float32(v)
		}
		d.measure(s)
		off[k] = s.residual
	}
	var seen [cells]uint16
	var near [cells]uint8
	most := structureLevel + structureNoise*ordinary(off)
	for k := range off {
		for i, r := range off[k] {
			s.raw[i] = r > most || r < -most
		}
		s.gather()
		spread(&s.live, &s.wide, &s.far, 2)
		for i := range cells {
			if s.live[i] {
				seen[i] |= 1 << k
			}
			if s.far[i] {
				near[i]++
			}
		}
	}
	nearly := uint8(len(list) - 1) //nolint:gosec // firstMost at most.
	back := firstBack
	if len(list) > learnFor {
		back = firstBusy
	}
	for i := range cells {
		if seen[i] == 0 || near[i] < nearly && (bits.OnesCount16(seen[i]) < back || !returns(seen[i])) {
			continue
		}
		for k, p := range list {
			if seen[i]&(1<<k) != 0 {
				d.sway.add(i, float32(p[i])-d.bg[i])
			}
		}
	}
	d.sway.redraw(s)
	d.shades(s, list, &seen)
	s.f = now
	return d.measure(s)
}

// shades learns of the first pictures how deep shadows are that sway in them.
func (d *Detector) shades(s *scratch, list [][]uint8, seen *[cells]uint16) {
	for k, p := range list {
		var all blob
		for i, v := range p {
			if seen[i]&(1<<k) == 0 || d.sway.marks[i]&markRegion == 0 {
				continue
			}
			s.f[i], s.floor[i] = float32(v), d.bg[i]-darkerLevel-2*d.noise[i]
			all.hot++
			all.tally(d, s, i)
		}
		if depth, ok := all.shadow(); ok {
			d.shadowed(depth, d.first.at)
		}
	}
}

// returns reports whether what is set is not all in a row.
func returns(set uint16) bool {
	set >>= bits.TrailingZeros16(set)
	return set&(set+1) != 0
}

// ordinary is how far most cells are from what they are mostly: noise.
func ordinary(off []grid) float32 {
	const fine = 8 // parts of a level
	var count [64 * fine]int
	n := 0
	for k := range off {
		for i := 0; i < cells; i += 3 {
			count[min(int(max(off[k][i], -off[k][i])*fine), len(count)-1)]++
			n++
		}
	}
	left := n / 2
	for v, c := range count {
		if left -= c; left < 0 {
			return max(1.5*float32(v)/fine, 0.6)
		}
	}
	return 0.6
}

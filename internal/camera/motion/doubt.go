package motion

import "time"

const (
	// A hard shadow, or the end of one, changes a place by one share of its light and
	// less at its rim, and leaves the pattern of the ground to be seen; whoever stands
	// there hides it, and is darker here and brighter there.
	shadeParts   = 40
	shadeDeepest = 0.45
	deepest      = 4 // of a hundred cells
	shadeFlat    = 1.12
	shadeSpread  = 1.3
	shadeDiffers = 0.06
	shadeFor     = time.Minute
	shadeFrom    = 40  // levels of the place: what was dark is no measure
	shadePattern = 8   // levels that the ground has to differ by for its pattern to be known
	shadeFollows = 0.8 // of its contrast, that a shadow leaves at least
	raisedBy     = 1.06
	raisedShare  = 100
	// A small thing that shines falls off from its middle, all around.
	glintPeak  = 64
	palePeak   = 20
	glintCells = 160
	glintShare = 0.5
	pointCells = 8
	// Where one flies, or so many small and pale things, more are to be expected.
	swarmFor = 20 * time.Second
	// What is seen through something is what was there, with less contrast.
	throughLeast   = 0.1
	throughMost    = 1.1
	throughLikely  = 0.8 // the share of it that is explained so, if it hardly moves
	throughSure    = 0.9 // and if it does
	throughMoves   = 4   // of it one in so many cells
	throughPattern = 12  // levels that the place has to differ by for that to be known
	throughCells   = 2 * fewestCells
	// What only adds light leaves all of the pattern.
	glowLeast, glowMost = 0.75, 1.15
	glowLikely          = 0.65
	glowPattern         = 8
)

// doubt is whether a blob is believed to be somebody.
type doubt int

const (
	none   doubt = iota
	little       // too little to begin with, enough to go on
	nobody
)

// doubt says which blobs are none of somebody: what grows out of a place that sways,
// shadows, and points of light.
func (d *Detector) doubt(s *scratch, blobs []blob, at time.Time) []doubt {
	doubted := make([]doubt, len(blobs))
	swarm := d.swarms(s, blobs, at)
	young := d.sway.young(at)
	// One sun throws shadows of one depth.
	largest, hardest := 0, float32(1)
	for i := range blobs {
		if depth, ok := blobs[i].shadow(); ok {
			if doubted[i] = nobody; blobs[i].hot > largest {
				largest, hardest = blobs[i].hot, depth
			}
		}
	}
	if largest > 0 {
		d.shadowed(hardest, at)
	}
	sunny := !d.shadeAt.IsZero() && at.Sub(d.shadeAt).Abs() < shadeFor
	for i := range blobs {
		b := &blobs[i]
		small, point := b.pale(s)
		switch {
		case doubted[i] == nobody, d.grows(s, b, young), sunny && b.shaded(d.shade), b.through():
			doubted[i] = nobody
		case point, swarm && (small || !b.solid() && b.peak < palePeak):
			doubted[i] = little
		}
	}
	return doubted
}

// shadowed notes how deep a shadow was. On dark ground cameras make it deeper than on pale:
// of those of late the deepest holds.
func (d *Detector) shadowed(depth float32, at time.Time) {
	since := at.Sub(d.shadeAt)
	if !d.shadeAt.IsZero() && since >= 0 && since < shadeFor && depth > d.shade {
		depth = d.shade + pace(since, shadeFor)*(depth-d.shade)
	}
	d.shade, d.shadeAt = depth, at
}

// shadow reports whether a shadow explains all of it, and the ground has a pattern that
// shows it. All of a shadow is of one depth, but for its rim.
func (b *blob) shadow() (depth float32, ok bool) {
	depth = b.share(deepest)
	return depth, b.plainly >= fewestCells && b.raised*raisedShare <= b.hot && depth >= shadeDeepest && b.share(15) <= shadeFlat*depth && b.share(50) <= shadeSpread*depth && b.follows() >= shadeFollows
}

// shaded reports whether a shadow of the depth that others have may explain all of it.
func (b *blob) shaded(depth float32) bool {
	return b.raised*raisedShare <= b.hot && b.rise < 0 && b.plainly*2 >= b.darker && (b.plainly == 0 || b.share(deepest) >= depth-shadeDiffers)
}

// follows says how far what was there is to be seen in the darker cells: 1 as in a
// shadow, 0 as behind a thing, and 0 where hardly anything was to be seen.
func (b *blob) follows() float32 {
	n := float32(b.darker)
	if n < fewestCells {
		return 0
	}
	f, g := b.sumF/n, b.sumB/n
	spread := b.sumBB/n - g*g
	if spread < shadePattern*shadePattern {
		return 0
	}
	return (b.sumFB/n - f*g) / spread * g / f
}

// share is what so many of a hundred darker cells have kept at most of what was there, and a
// few in any case.
func (b *blob) share(of int) float32 {
	left := max(b.plainly*of/100, fewestCells-1)
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
	if b.solid() || b.rise <= 0 || b.peak < streakPeak {
		return false, false
	}
	streak := b.streak(s)
	if b.peak < palePeak {
		return streak, streak
	}
	all, core := b.shining(s)
	small = all <= glintCells
	point = b.soft() || streak || b.peak >= glintPeak && (all <= pointCells || float64(core) <= glintShare*float64(all))
	return small, small && point
}

// swarms reports whether insects or flakes fly about.
func (d *Detector) swarms(s *scratch, blobs []blob, at time.Time) bool {
	for i := range blobs {
		if _, point := blobs[i].pale(s); point {
			d.swarmAt = at
		}
	}
	return !d.swarmAt.IsZero() && at.Sub(d.swarmAt).Abs() < swarmFor
}

// through reports whether the place is to be seen through it, as through fog, or a thread
// before the lens that shines.
func (b *blob) through() bool {
	n := float32(b.hot)
	f, g := b.allF/n, b.allB/n
	vf, vb, vfb := b.allFF/n-f*f, b.allBB/n-g*g, b.allFB/n-f*g
	if !b.solid() && b.rise > 0 && b.hot >= fewestCells+3 && vb >= glowPattern*glowPattern && vfb >= glowLeast*vb && vfb <= glowMost*vb && vfb*vfb >= glowLikely*vf*vb {
		return true
	}
	if vb < throughPattern*throughPattern || vf <= 0 || vfb < throughLeast*vb || vfb > throughMost*vb {
		return false
	}
	if b.moved*throughMoves <= b.hot {
		return vfb*vfb >= throughLikely*vf*vb
	}
	return b.hot >= throughCells && vfb*vfb >= throughSure*vf*vb
}

// grows reports whether a blob is part of a place that sways, which nobody is who was
// there already, reaches beyond it, changes much of it or is unlike what it shows.
func (d *Detector) grows(s *scratch, b *blob, young bool) bool {
	if !d.sway.known {
		return false
	}
	most, few := outgrowth, fewestCells
	if young {
		most, few = outgrowthFirst, 3*fewestCells
	}
	if b.hot > most {
		return false
	}
	beyond, strange, who := 0, 0, 0
	for y := b.top; y <= b.bottom; y++ {
		for x := b.left; x <= b.right; x++ {
			i := y*columns + x
			if s.label[i] != b.label {
				continue
			}
			if d.sway.marks[i]&markRegion == 0 {
				beyond++
			} else if d.sway.strange(i, s.f[i]-d.bg[i]) {
				strange++
			}
			if d.sway.marks[i]&markWho != 0 {
				who++
			}
		}
	}
	return beyond < few && strange < few && who*2 < b.hot
}

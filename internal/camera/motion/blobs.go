package motion

import "slices"

// blob is a connected part of the picture whose structure has changed.
type blob struct {
	hot                      int // cells that show it
	moved                    int // of those, changed since the picture some time before
	brighter                 int // of those, brighter than the background
	darker                   int // of those, darker than light can make the background
	left, top, right, bottom int
	before                   float64 // brightness of the background there, mean
	rise                     float64 // brighter than that, mean
	peak                     float32 // and at most
	slope                    float32 // the steepest edge of it, from a cell to the next
	rim                      int     // of its cells, those with few neighbours
	label                    int32
	raised                   int // cells that are brighter than they were by more than noise
	plainly                  int // cells that are darker where it was not dark
	// What is changed in it, in parts of what was there: how many cells have how much.
	shares [shadeParts + 1]uint16
	// Of the darker cells what they are and were, to see whether one follows the other.
	sumF, sumB, sumFB, sumBB float32
	// And of all of them.
	allF, allB, allFF, allFB, allBB float32
}

const (
	// A cell has changed from this many levels on, beside its own noise.
	structureLevel = 3
	structureNoise = 3
	faintLevel     = 2
	faintNoise     = 1.5
	lightLevel     = 14
	// Where it is brighter all around, this share of it may be structure that was too
	// dark to be seen.
	relitShare = 0.15
	// fewestCells show the smallest thing that counts.
	fewestCells = 7
	strayShare  = 8
	// Light only ever adds: of a thing some cells are darker than the place was.
	fewestDarker = 3
	darkerShare  = 40
	// softSlope is the share of the brightness that an edge in focus has from one cell
	// to the next, at least.
	softSlope = 0.33
)

// enters reports whether it reaches the edge of the picture.
func (b *blob) enters() bool {
	return b.left <= 1 || b.top <= 1 || b.right >= columns-2 || b.bottom >= rows-2
}

// soft reports whether it has no edge: an insect or a thread before the lens, lit by
// the camera's own lamp and out of focus.
func (b *blob) soft() bool { return !b.solid() && b.slope < softSlope*b.peak }

// solid reports whether light alone cannot have made it.
func (b *blob) solid() bool { return b.darker >= max(fewestDarker, b.hot/darkerShare) }

// findBlobs marks what changed and joins it.
func (d *Detector) findBlobs(s *scratch) []blob {
	s.residual.three(&s.tmp, &s.line)
	for i := range cells {
		s.hot[i] = 0
		relit := relitShare * max(0, s.mf[i]-s.mb[i])
		limit := structureLevel + structureNoise*d.noise[i] + relit
		if r := s.residual[i]; r > limit || r < -limit {
			s.hot[i] = 1
		}
		// What is faint shows in the mean of nine, where noise has a third left.
		faint := faintLevel + faintNoise*d.noise[i] + relit
		if r := s.tmp[i]; r > faint || r < -faint {
			s.hot[i] = 1
			limit = min(limit, 2*faint)
		}
		s.raw[i] = s.hot[i] != 0
		if s.raw[i] && (d.sway.sways(i) || d.sway.explains(i, s.f[i]-d.bg[i], d.noise[i])) {
			s.hot[i] = 0
		}
		diff := s.f[i] - d.past[i]
		s.moved[i] = diff > limit || diff < -limit
		s.label[i] = 0
	}
	// What stands alone is noise, or rain; the more of it there is, the more of it
	// lies together by chance.
	stray := 0
	for y := 1; y < rows-1; y++ {
		for x := 1; x < columns-1; x++ {
			i := y*columns + x
			if s.hot[i] == 0 {
				continue
			}
			n := 0
			for _, o := range [...]int{-columns - 1, -columns, -columns + 1, -1, 1, columns - 1, columns, columns + 1} {
				if s.hot[i+o] != 0 {
					n++
				}
			}
			if s.flooded[i] = n >= 2; n < 4 {
				s.rim[i] = true
				stray++
			}
		}
	}
	for i := range cells {
		switch {
		case !s.flooded[i]:
			s.hot[i] = 0
		case s.rim[i]:
			s.hot[i] = 2
		}
		s.rim[i] = false
		s.flooded[i] = false
	}
	var found []blob
	label := int32(0)
	for i := range cells {
		if s.hot[i] == 0 || s.label[i] != 0 {
			continue
		}
		label++
		if b := d.flood(s, i, label); b.hot >= fewestCells {
			found = append(found, b)
			stray -= b.rim
		}
	}
	most := fewestCells + max(stray, 0)/strayShare
	found = slices.DeleteFunc(found, func(b blob) bool { return b.hot < most })
	return found
}

// flood joins what is at most two cells apart: the rim of one thing.
func (d *Detector) flood(s *scratch, start int, label int32) blob {
	b := blob{left: columns, top: rows, label: label}
	s.stack = append(s.stack[:0], int32(start)) //nolint:gosec // Below cells.
	s.label[start] = label
	for len(s.stack) > 0 {
		i := int(s.stack[len(s.stack)-1])
		s.stack = s.stack[:len(s.stack)-1]
		x, y := i%columns, i/columns
		b.hot++
		if s.hot[i] == 2 {
			b.rim++
		}
		b.left, b.right, b.top, b.bottom = min(b.left, x), max(b.right, x), min(b.top, y), max(b.bottom, y)
		if s.moved[i] {
			b.moved++
		}
		if s.shift[i] > 0 {
			b.brighter++
		}
		b.tally(d, s, i)
		b.before += float64(d.bg[i])
		b.rise += float64(s.shift[i])
		b.peak = max(b.peak, s.shift[i])
		if x > 0 && y > 0 && x < columns-1 && y < rows-1 {
			dx, dy := s.shift[i+1]-s.shift[i-1], s.shift[i+columns]-s.shift[i-columns]
			b.slope = max(b.slope, dx/2, -dx/2, dy/2, -dy/2)
		}
		for v := max(0, y-2); v <= min(rows-1, y+2); v++ {
			for u := max(0, x-2); u <= min(columns-1, x+2); u++ {
				if j := v*columns + u; s.hot[j] != 0 && s.label[j] == 0 {
					s.label[j] = label
					s.stack = append(s.stack, int32(j)) //nolint:gosec // Below cells.
				}
			}
		}
	}
	b.before /= float64(b.hot)
	b.rise /= float64(b.hot)
	return b
}

// tally adds a cell to what tells a thing from a shadow.
func (b *blob) tally(d *Detector, s *scratch, i int) {
	if s.f[i] < s.floor[i] {
		b.darker++
		if d.bg[i] >= shadeFrom {
			b.plainly++
			b.shares[max(0, int(shadeParts*s.f[i]/d.bg[i]))]++
		}
		b.sumF, b.sumB = b.sumF+s.f[i], b.sumB+d.bg[i]
		b.sumFB, b.sumBB = b.sumFB+s.f[i]*d.bg[i], b.sumBB+d.bg[i]*d.bg[i]
	}
	if s.f[i] > raisedBy*d.bg[i]+structureLevel+d.noise[i] {
		b.raised++
	}
	now, was := s.f[i], d.bg[i]
	b.allF, b.allB, b.allFF, b.allFB, b.allBB = b.allF+now, b.allB+was, b.allFF+now*now, b.allFB+now*was, b.allBB+was*was
}

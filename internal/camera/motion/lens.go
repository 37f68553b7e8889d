package motion

import "math"

// What is at the lens itself is seen otherwise than the place: a drop is a little lens of
// its own, and what darts past the lamp is drawn out while the shutter is open.
const (
	// A drop is round and shows the place around it small and upside down.
	dropMost    = 20 // cells wide
	dropRound   = 1.8
	dropInner   = 0.75 // of its radius, where it does
	dropFewest  = 12
	dropLeast   = 2 // how much smaller it shows it
	dropSmall   = 8
	dropLikely  = 0.86
	dropPattern = 5    // levels that it has to differ by
	dropOff     = 3    // cells, that its middle may be from that of what is changed
	dropMuch    = 0.25 // of what it shows that is to be seen
	// A streak is long and narrow, and does not stand upright.
	streakLong   = 6 // variance along it, of cells
	streakThin   = 0.58
	streakNarrow = 12
	streakLies   = 2
)

// drop reports whether what is changed is the place around it, small and upside down.
func (b *blob) drop(d *Detector, s *scratch) bool {
	wide, high := float64(b.right-b.left+1), float64(b.bottom-b.top+1)
	if max(wide, high) > dropMost || max(wide, high) > dropRound*min(wide, high) {
		return false
	}
	cx, cy, r := float64(b.left+b.right)/2, float64(b.top+b.bottom)/2, max(wide, high)/2+1
	for v := -dropOff; v <= dropOff; v++ {
		for u := -dropOff; u <= dropOff; u++ {
			for m := dropLeast; m <= dropSmall; m++ {
				if d.inverted(s, cx+float64(u), cy+float64(v), r, float64(m)) >= dropLikely {
					return true
				}
			}
		}
	}
	return false
}

// inverted says how far what is off the place in a circle is what a lens would show there: 1
// if it is that and no more.
func (d *Detector) inverted(s *scratch, cx, cy, r, m float64) float64 {
	var n, sx, sy, xx, xy, yy float64
	inner := dropInner * r
	for y := max(0, int(cy-inner+1)); y <= min(rows-1, int(cy+inner)); y++ {
		for x := max(0, int(cx-inner+1)); x <= min(columns-1, int(cx+inner)); x++ {
			u, v := float64(x)-cx, float64(y)-cy
			if u*u+v*v > inner*inner {
				continue
			}
			i := y*columns + x
			from := min(max(int(cy-m*v+0.5), 0), rows-1)*columns + min(max(int(cx-m*u+0.5), 0), columns-1)
			shown, off := float64(s.mb[from]-d.bg[i]), float64(s.f[i]-d.bg[i])
			n, sx, sy, xx, xy, yy = n+1, sx+shown, sy+off, xx+shown*shown, xy+shown*off, yy+off*off
		}
	}
	if n < dropFewest || xy < dropMuch*xx {
		return 0
	}
	alike := xy / math.Sqrt(xx*yy+1)
	// Its pattern has to be that of what it shows, too.
	xx, xy, yy = xx-sx*sx/n, xy-sx*sy/n, yy-sy*sy/n
	if xx < dropPattern*dropPattern*n || xy < dropMuch*xx {
		return 0
	}
	return min(alike, xy/math.Sqrt(xx*yy+1))
}

// streak reports whether what shines is long and narrow and lies, as nobody does who
// stands.
func (b *blob) streak(s *scratch) bool {
	long, narrow, lies := b.axes(s)
	return lies && long >= streakLong && narrow <= streakThin && long >= streakNarrow*narrow
}

// axes are the variances of what shines along it and across, and whether it lies.
func (b *blob) axes(s *scratch) (long, narrow float64, lies bool) {
	var n, sx, sy, sxx, syy, sxy float64
	for y := max(0, b.top-1); y <= min(rows-1, b.bottom+1); y++ {
		for x := max(0, b.left-1); x <= min(columns-1, b.right+1); x++ {
			if s.shift[y*columns+x] > b.peak/4 {
				u, v := float64(x-b.left), float64(y-b.top)
				n, sx, sy, sxx, syy, sxy = n+1, sx+u, sy+v, sxx+u*u, syy+v*v, sxy+u*v
			}
		}
	}
	if n < fewestCells {
		return 0, 0, false
	}
	vx, vy, c := sxx/n-sx*sx/n/n, syy/n-sy*sy/n/n, sxy/n-sx*sy/n/n
	half, root := (vx+vy)/2, math.Sqrt((vx-vy)*(vx-vy)/4+c*c)
	return half + root, half - root + 1.0/12, vy < streakLies*vx
}

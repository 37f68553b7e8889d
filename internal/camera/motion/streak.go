package motion

import "math"

// What darts past the camera's own lamp is drawn out while the shutter is open: long, narrow,
// and nobody who stands.
const (
	streakPeak   = palePeak / 2
	streakLong   = 6 // variance along it, of cells
	streakThin   = 0.58
	streakNarrow = 12
	streakLies   = 2
)

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

package motion

import "math"

// light is how the light of a picture relates to that of another: brightness is
// gain times what it was, plus offset.
type light struct {
	gain, offset float32
	// holds is the share of the picture of which it is true.
	holds float32
}

func (l light) of(v float32) float32 { return l.gain*v + l.offset }

// changes reports whether it is another light than that it is compared with.
func (l light) changes() bool {
	const middle, level = 128, 6
	off := l.of(middle) - middle
	return off > level || off < -level
}

// fitLight finds the light of the picture f against b, in spite of what moved and
// of lamps that light a part of it: of several first guesses that wins which is
// true of most cells.
func fitLight(f, b *grid, use *[cells]bool) light {
	fl, fm, fh := quarters(f, use)
	bl, bm, bh := quarters(b, use)
	best := light{gain: 1}
	guesses := [...]light{{gain: 1}, {gain: 1, offset: fm - bm}, {gain: min(max((fh-fl)/max(bh-bl, 1), 0.05), 8)}}
	guesses[2].offset = fm - guesses[2].gain*bm
	for _, l := range guesses {
		for _, limit := range [...]float32{16, 8, 8} {
			l = refine(f, b, use, l, limit)
		}
		if l.holds > best.holds {
			best = l
		}
	}
	return best
}

// refine fits the light again to those cells that are within limit of it.
func refine(f, b *grid, use *[cells]bool, l light, limit float32) light {
	var n, all, sf, sb, sfb, sbb float32
	for i := 0; i < cells; i += 5 {
		if !use[i] {
			continue
		}
		all++
		r := f[i] - l.of(b[i])
		if r > limit || r < -limit {
			continue
		}
		x, y := b[i]-128, f[i]-128
		n, sf, sb, sfb, sbb = n+1, sf+y, sb+x, sfb+x*y, sbb+x*x
	}
	if n < all/10 || n == 0 {
		return light{l.gain, l.offset, 0}
	}
	if spread := sbb/n - sb/n*sb/n; spread > 4 {
		l.gain = min(max((sfb/n-sf/n*sb/n)/spread, 0.05), 8)
	}
	l.offset = sf/n + 128 - l.gain*(sb/n+128)
	l.holds = n / all
	return l
}

// dimmest is what a quarter of the cells have become darker than, as a share of what
// they were and at most 1: a camera that stops down before a lamp makes all else darker.
func dimmest(f, b *grid, use *[cells]bool) float32 {
	const parts, darkest = 64, 16
	var count [parts + 1]int
	n := 0
	for i := 0; i < cells; i += 5 {
		if use[i] && b[i] > darkest {
			count[min(max(int(f[i]/b[i]*parts), 0), parts)]++
			n++
		}
	}
	left := n / 4
	for k, c := range count {
		if left -= c; left < 0 {
			return float32(k) / parts
		}
	}
	return 1
}

// quarters are the levels that a quarter, half and three quarters of the cells are
// below.
func quarters(g *grid, use *[cells]bool) (low, middle, high float32) {
	var count [256]int
	n := 0
	for i := 0; i < cells; i += 5 {
		if use[i] {
			count[min(max(int(g[i]), 0), 255)]++
			n++
		}
	}
	left := [3]int{n / 4, n / 2, n * 3 / 4}
	var at [3]float32
	for k := range left {
		for v, c := range count {
			if left[k] -= c; left[k] < 0 {
				at[k] = float32(v)
				break
			}
		}
	}
	return at[0], at[1], at[2]
}

// alike is the correlation of two coarse pictures, from -1 to 1.
func (b *blocks) alike(c *blocks) float64 {
	var n, sb, sc, sbc, sbb, scc float64
	for i := range b {
		x, y := float64(b[i]), float64(c[i])
		n, sb, sc, sbc, sbb, scc = n+1, sb+x, sc+y, sbc+x*y, sbb+x*x, scc+y*y
	}
	v := (sbb/n - sb/n*sb/n) * (scc/n - sc/n*sc/n)
	if v < 1e-3 {
		return 0
	}
	return (sbc/n - sb/n*sc/n) / math.Sqrt(v)
}

// spread is the standard deviation of a coarse picture: what is left of contrast
// when noise and texture are gone.
func (b *blocks) spread() float64 {
	var n, s, ss float64
	for _, v := range b {
		n, s, ss = n+1, s+float64(v), ss+float64(v)*float64(v)
	}
	return math.Sqrt(max(0, ss/n-s/n*s/n))
}

func (b *blocks) sum() float64 {
	var s float64
	for _, v := range b {
		s += float64(v)
	}
	return s
}

package motion

import (
	"math"
	"slices"
	"time"
)

// scratch is what the judgement of one picture needs and nothing keeps.
type scratch struct {
	f, mf          grid // the picture, and its neighbourhoods
	mb, mfb, mbb   grid
	tmp, line      grid
	residual       grid // what the light on the background does not explain
	shift          grid // the difference, light of the whole picture taken off
	floor          grid // nothing is darker unless something stands there
	hot            [cells]uint8
	label          [cells]int32
	stack          []int32
	moved, flooded [cells]bool
	rim            [cells]bool
	raw            [cells]bool // what has changed, whether it sways or not
	live           [cells]bool // of that, what does not stand alone
	who            [cells]bool // where somebody is
	wide, far      [cells]bool
	count          [cells]uint8
}

// measures of one picture.
type measures struct {
	light     light
	saturated float64 // share of cells that are white
	spread    float64 // contrast of large shapes
	texture   float64 // contrast of small ones, noise taken off
	same      float64 // how far small shapes are those of the background: 1 all, 0 none
	large     float64 // the same of large shapes
	sharp     float64 // steepness of the background's edges, 1 as usual
	crisp     float64 // steepest edges there are, 1 as steep as those of the background
	lit       float64 // share of cells that are brighter than the light of the whole makes them
	raised    float64 // share of cells that are brighter than they were, in whatever light
	lowered   float64 // and darker
	stir      float64 // how far most cells are from the picture before, light aside
	mean      float64 // brightness
	was       float64 // that of the background
	// still is the share of the picture that did not change over some time, if it was
	// compared.
	still    float64
	compared bool
	over     time.Duration
}

const (
	whiteLevel = 246
	darkLevel  = 60
	// darkerLevel is how much darker than the place in any light something has to be
	// at least.
	darkerLevel = 8
	// explainedFrom is how far the light has to change a cell for that to explain
	// anything.
	explainedFrom = 4
)

// measure compares s.f with the background.
func (d *Detector) measure(s *scratch) measures {
	var m measures
	bg := &d.bg
	m.light = fitLight(&s.f, bg, &d.seen)
	s.mf.mean(&s.f, &s.line)
	s.mb.mean(bg, &s.line)
	s.tmp.times(&s.f, bg)
	s.mfb.mean(&s.tmp, &s.line)
	s.tmp.times(bg, bg)
	s.mbb.mean(&s.tmp, &s.line)

	var n, white, lit, sum, was, raised, lowered float64
	gain := m.light.gain
	low, high := 0.35*gain, 4*max(gain, 1)
	dim := dimmest(&s.f, bg, &d.seen)
	var tff, tbb, tfb, own2 blocks
	for i := range cells {
		f, b := s.f[i], bg[i]
		hf, hb := f-s.mf[i], b-s.mb[i]
		cov := s.mfb[i] - s.mf[i]*s.mb[i]
		varb := max(s.mbb[i]-s.mb[i]*s.mb[i], 0)
		own := d.noise[i] * d.noise[i]
		most := high
		if s.mb[i] < darkLevel { // a lamp makes much of little there
			most *= 3
		}
		local := min(max((cov+2*own*gain)/(varb+2*own), low), most)
		s.residual[i] = hf - local*hb
		now := m.light.of(b)
		s.shift[i] = f - now
		s.floor[i] = min(b, now, dim*b) - darkerLevel - 2*d.noise[i]
		// What shines by itself, or mirrors the sky, does not follow the light: all that
		// lies between what it was and what the light makes of it is explained.
		if off := now - b; off > explainedFrom || off < -explainedFrom {
			margin := 2 + 1.5*d.noise[i]
			if f >= min(b, now)-margin && f <= max(b, now)+margin {
				s.residual[i] = 0
			}
		}
		if !d.seen[i] {
			s.residual[i], s.shift[i] = 0, 0
			continue
		}
		n++
		sum += float64(f)
		was += float64(b)
		switch off := f - b; {
		case off > lightLevel:
			raised++
		case off < -lightLevel:
			lowered++
		}
		if f >= whiteLevel {
			white++
		}
		if s.shift[i] > lightLevel {
			lit++
		}
		k := i/columns/blockSide*blockColumns + i%columns/blockSide
		tff[k], tbb[k], tfb[k], own2[k] = tff[k]+hf*hf, tbb[k]+hb*hb, tfb[k]+hf*hb, own2[k]+own
	}
	if n == 0 {
		return m
	}
	m.raised, m.lowered, m.was = raised/n, lowered/n, was/n
	m.saturated, m.lit, m.mean, m.stir = white/n, lit/n, sum/n, d.stir(s)
	m.same = likeness(&tff, &tbb, &tfb, &own2)
	m.texture = math.Sqrt(max(0, (tff.sum()-own2.sum())/n))
	var bf, bb blocks
	bf.fold(&s.f)
	bb.fold(bg)
	m.spread, m.large = bf.spread(), bf.alike(&bb)
	m.sharp = d.sharpness(s)
	if was := steepest(bg, &d.seen); was > 0 {
		m.crisp = steepest(&s.f, &d.seen) / was
	}
	return m
}

// likeness is how far small shapes are where they were, each part of the picture
// counted alike: a lamp that makes one part bright says nothing of the others.
func likeness(ff, bb, fb, own *blocks) float64 {
	var sum, n float64
	for k := range ff {
		if bb[k] > 2*own[k] { // something is to be seen there
			sum += float64(fb[k]) / math.Sqrt(float64(ff[k])*float64(bb[k])+1)
			n++
		}
	}
	if n < 6 {
		return float64(fb.sum()) / math.Sqrt(ff.sum()*bb.sum()+1)
	}
	return sum / n
}

// stir is half of what lies between the quarters of all differences to the picture
// before: neither a change of light nor something that moves has much part in it.
func (d *Detector) stir(s *scratch) float64 {
	const fine, reach = 8, 255 // parts of a level, levels
	var count [2*fine*reach + 1]int
	n := 0
	for i := 0; i < cells; i += 2 {
		if d.seen[i] {
			diff := s.f[i] - d.last[i]
			count[int(diff*fine)+fine*reach]++
			n++
		}
	}
	quarter := func(share int) float64 {
		left := n * share / 4
		for k, c := range count {
			if left -= c; left < 0 {
				return float64(k) + float64(left+c)/float64(c)
			}
		}
		return 0
	}
	return (quarter(3) - quarter(1)) / 2 / fine
}

// sharpness is how steep the edges of the background are in the picture, 1 as
// usual. Only strong edges count, since noise has weak ones everywhere; and of all
// parts of the picture that have some the one in the middle, since a thing that
// stands before some of them is no lens out of focus.
func (d *Detector) sharpness(s *scratch) float64 {
	var was, is blocks
	for y := range rows - 1 {
		for x := range columns - 1 {
			i := y*columns + x
			if !d.seen[i] {
				continue
			}
			bx, by := d.bg[i+1]-d.bg[i], d.bg[i+columns]-d.bg[i]
			if steep := bx*bx + by*by; steep > d.steep {
				fx, fy := s.f[i+1]-s.f[i], s.f[i+columns]-s.f[i]
				// Along the edge's own direction what noise adds cancels out.
				b := y/blockSide*blockColumns + x/blockSide
				was[b] += steep
				is[b] += fx*bx + fy*by
			}
		}
	}
	ratios := make([]float64, 0, len(was))
	for b := range was {
		if was[b] > 4*d.steep { // a few edges at least
			ratios = append(ratios, float64(is[b]/was[b]))
		}
	}
	if len(ratios) < 4 {
		return 1
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

// steepest is the steepness that one cell in a hundred exceeds, in the mean of nine
// so that noise has little part in it.
func steepest(g *grid, use *[cells]bool) float64 {
	const fine = 4 // parts of a level
	var count [256 * fine]int
	n := 0
	for y := 1; y < rows-2; y += 2 {
		for x := 1; x < columns-2; x++ {
			i := y*columns + x
			if !use[i] {
				continue
			}
			// Over two cells, and the mean of two lines.
			dx := g[i+1] + g[i+columns+1] - g[i-1] - g[i+columns-1]
			dy := g[i+columns] + g[i+columns+1] - g[i-columns] - g[i-columns+1]
			count[min(len(count)-1, int(max(dx, -dx, dy, -dy)*fine/2))]++
			n++
		}
	}
	left := n / 100
	for k := len(count) - 1; k >= 0; k-- {
		if left -= count[k]; left < 0 {
			return float64(k) / fine
		}
	}
	return 0
}

// edges learns which steepness the strongest twentieth of the background's edges
// have.
func (d *Detector) edges() {
	var count [256]int
	total := 0
	for y := range rows - 1 {
		for x := range columns - 1 {
			i := y*columns + x
			if !d.seen[i] {
				continue
			}
			bx, by := d.bg[i+1]-d.bg[i], d.bg[i+columns]-d.bg[i]
			count[min(255, int(math.Sqrt(float64(bx*bx+by*by))*2))]++
			total++
		}
	}
	left := total / 20
	for k := 255; k >= 0; k-- {
		if left -= count[k]; left < 0 {
			d.steep = float32(k) / 2 * float32(k) / 2
			return
		}
	}
}

package forecast

import (
	"math"
	"slices"
)

// normal holds the sums of a least-squares fit with p columns, so that a week
// more costs its own rows only. Column 0 is the constant and is not shrunk.
type normal struct {
	p       int
	xx      []float64 // the upper triangle, stored as a square
	xy      []float64
	n       float64
	waiting []float64 // rows of p columns, not added yet
	y, w    [4]float64
	rows    int
	factor  []float64 // what solve works on
}

func newNormal(p int) *normal {
	return &normal{p: p, xx: make([]float64, p*p), xy: make([]float64, p), waiting: make([]float64, 4*p)}
}

// add takes a row. Rows are summed four at a time: the sums then pass through
// the processor once for four rows.
func (m *normal) add(x []float64, y, weight float64) {
	copy(m.waiting[m.rows*m.p:], x)
	m.y[m.rows], m.w[m.rows] = y, weight
	m.rows++
	m.n += weight
	if m.rows == 4 {
		m.flush()
	}
}

func (m *normal) flush() {
	if m.rows == 0 {
		return
	}
	p := m.p
	clear(m.waiting[m.rows*p:])
	for i := m.rows; i < 4; i++ {
		m.y[i], m.w[i] = 0, 0
	}
	a, b, c, d := m.waiting[:p], m.waiting[p:2*p], m.waiting[2*p:3*p], m.waiting[3*p:4*p]
	for i := range p {
		wa, wb, wc, wd := m.w[0]*a[i], m.w[1]*b[i], m.w[2]*c[i], m.w[3]*d[i]
		if wa == 0 && wb == 0 && wc == 0 && wd == 0 {
			continue
		}
		m.xy[i] += wa*m.y[0] + wb*m.y[1] + wc*m.y[2] + wd*m.y[3]
		addFour(m.xx[i*p+i:i*p+p], a[i:p], b[i:p], c[i:p], d[i:p], wa, wb, wc, wd)
	}
	m.rows = 0
}

// clear forgets all.
func (m *normal) clear() {
	clear(m.xx)
	clear(m.xy)
	m.n, m.rows = 0, 0
}

// fade makes all that was added count less.
func (m *normal) fade(by float64) {
	m.flush()
	for i := range m.xx {
		m.xx[i] *= by
	}
	for i := range m.xy {
		m.xy[i] *= by
	}
	m.n *= by
}

// join adds what another fit of the same columns has summed.
func (m *normal) join(o *normal) {
	m.flush()
	o.flush()
	for i, v := range o.xx {
		m.xx[i] += v
	}
	for i, v := range o.xy {
		m.xy[i] += v
	}
	m.n += o.n
}

// solve returns the coefficients, each column shrunk as if it had unit variance;
// nil if there is too little to fit.
func (m *normal) solve(lambda float64) []float64 {
	m.flush()
	p := m.p
	if m.n < week {
		return nil
	}
	if m.factor == nil {
		m.factor = make([]float64, p*p)
	}
	a := m.factor
	for i := range p {
		for j := i; j < p; j++ {
			a[j*p+i] = m.xx[i*p+j]
		}
		if i > 0 {
			mean := m.xx[i] / m.n
			variance := m.xx[i*p+i]/m.n - mean*mean
			a[i*p+i] += lambda*max(variance, 0) + 1e-6*m.n
		}
	}
	return cholesky(a, slices.Clone(m.xy), p)
}

// cholesky solves a·x = b in place, reading the lower triangle of a symmetric a;
// nil if a is not positive definite.
func cholesky(a, b []float64, p int) []float64 {
	for j := range p {
		rj := a[j*p : j*p+j+1]
		d := rj[j]
		for _, v := range rj[:j] {
			d -= v * v
		}
		if !(d > 0) || math.IsInf(d, 1) {
			return nil
		}
		d = math.Sqrt(d)
		rj[j] = d
		i := j + 1
		for ; i+4 <= p; i += 4 { // four rows at a time, none of which waits for another
			r0, r1, r2, r3 := a[i*p:i*p+j+1], a[(i+1)*p:(i+1)*p+j+1], a[(i+2)*p:(i+2)*p+j+1], a[(i+3)*p:(i+3)*p+j+1]
			s0, s1, s2, s3 := r0[j], r1[j], r2[j], r3[j]
			left := rj[:j]
			c0, c1, c2, c3 := r0[:len(left)], r1[:len(left)], r2[:len(left)], r3[:len(left)]
			for k, v := range left {
				s0 -= v * c0[k]
				s1 -= v * c1[k]
				s2 -= v * c2[k]
				s3 -= v * c3[k]
			}
			r0[j], r1[j], r2[j], r3[j] = s0/d, s1/d, s2/d, s3/d
		}
		for ; i < p; i++ {
			ri := a[i*p : i*p+j+1]
			s := ri[j]
			for k, v := range rj[:j] {
				s -= v * ri[k]
			}
			ri[j] = s / d
		}
	}
	for i := range p {
		s := b[i]
		for k, v := range a[i*p : i*p+i] {
			s -= v * b[k]
		}
		b[i] = s / a[i*p+i]
	}
	for i := p - 1; i >= 0; i-- {
		s := b[i]
		for k := i + 1; k < p; k++ {
			s -= a[k*p+i] * b[k]
		}
		b[i] = s / a[i*p+i]
	}
	return b
}

func dot(a, b []float64) float64 {
	s := 0.0
	for i, x := range a {
		s += x * b[i]
	}
	return s
}

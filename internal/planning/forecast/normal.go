package forecast

import "math"

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
		row := m.xx[i*p+i : i*p+p]
		a, b, c, d := a[i:p], b[i:p], c[i:p], d[i:p]
		for j := range row {
			row[j] += wa*a[j] + wb*b[j] + wc*c[j] + wd*d[j]
		}
	}
	m.rows = 0
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
	a := make([]float64, p*p)
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
	return cholesky(a, append([]float64(nil), m.xy...), p)
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
		for i := j + 1; i < p; i++ {
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
		for k := range i {
			s -= a[i*p+k] * b[k]
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

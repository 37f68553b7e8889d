package studio

import "math"

func (m *mesh) quad(a, b, c, d vec, mat *material) {
	n := b.sub(a).cross(d.sub(a)).unit()
	m.tris = append(m.tris,
		triangle{corner{a, n}, corner{b, n}, corner{c, n}, mat},
		triangle{corner{a, n}, corner{c, n}, corner{d, n}, mat})
}

// box is a box in the frame of a pose; it throws a shadow if it stands in the way.
func (m *mesh) box(p pose, low, high vec, mat *material, shadow bool) {
	at := func(x, y, z float64) vec { return p.point(vec{x, y, z}) }
	l, h := low, high
	m.quad(at(l.x, l.y, h.z), at(h.x, l.y, h.z), at(h.x, h.y, h.z), at(l.x, h.y, h.z), mat)
	m.quad(at(l.x, l.y, l.z), at(h.x, l.y, l.z), at(h.x, l.y, h.z), at(l.x, l.y, h.z), mat)
	m.quad(at(h.x, h.y, l.z), at(l.x, h.y, l.z), at(l.x, h.y, h.z), at(h.x, h.y, h.z), mat)
	m.quad(at(l.x, h.y, l.z), at(l.x, l.y, l.z), at(l.x, l.y, h.z), at(l.x, h.y, h.z), mat)
	m.quad(at(h.x, l.y, l.z), at(h.x, h.y, l.z), at(h.x, h.y, h.z), at(h.x, l.y, h.z), mat)
	if shadow {
		m.casters = append(m.casters, newCaster(p, low, high))
	}
}

// limb is a round, tapering piece between two points.
func (m *mesh) limb(a, b vec, ra, rb float64, mat *material) {
	axis := b.sub(a).unit()
	side := axis.cross(vec{0.3, 0.9, 0.31}).unit()
	other := axis.cross(side)
	const n = 10
	ring := func(i int) vec {
		s, c := math.Sincos(2 * math.Pi * float64(i) / n)
		return side.mul(c).add(other.mul(s))
	}
	for i := range n {
		u, v := ring(i), ring(i+1)
		p, q := corner{a.add(u.mul(ra)), u}, corner{a.add(v.mul(ra)), v}
		r, s := corner{b.add(v.mul(rb)), v}, corner{b.add(u.mul(rb)), u}
		m.tris = append(m.tris, triangle{p, q, r, mat}, triangle{p, r, s, mat},
			triangle{s, r, corner{b, axis}, mat}, triangle{p, q, corner{a, axis.mul(-1)}, mat})
	}
}

// ball is a ball whose radii differ.
func (m *mesh) ball(at, radius vec, mat *material) {
	const rows, columns = 8, 12
	point := func(i, j int) corner {
		s, c := math.Sincos(math.Pi * float64(i) / rows)
		u, v := math.Sincos(2 * math.Pi * float64(j) / columns)
		n := vec{s * v, s * u, c}
		return corner{at.add(n.times(radius)), vec{n.x / radius.x, n.y / radius.y, n.z / radius.z}.unit()}
	}
	for i := range rows {
		for j := range columns {
			a, b, c, d := point(i, j), point(i+1, j), point(i+1, j+1), point(i, j+1)
			m.tris = append(m.tris, triangle{a, b, c, mat}, triangle{a, c, d, mat})
		}
	}
}

// rope hangs from a to b.
func (m *mesh) rope(a, b vec, sag, radius float64, mat *material) {
	const n = 12
	last := a
	for i := 1; i <= n; i++ {
		t := float64(i) / n
		p := a.mix(b, t)
		p.z = max(p.z-sag*4*t*(1-t), 0.03)
		m.limb(last, p, radius, radius, mat)
		last = p
	}
}

// extrude makes a body of a side view: outline in (y, z), its half width at each
// corner. The outline goes round and is to be star-shaped about its middle.
func (m *mesh) extrude(p pose, outline []vec, mat func(i int) *material, side *material) {
	var middle vec
	for _, o := range outline {
		middle = middle.add(o.mul(1 / float64(len(outline))))
	}
	at := func(o vec, s float64) vec { return p.point(vec{s * o.x, o.y, o.z}) }
	for i, a := range outline {
		b := outline[(i+1)%len(outline)]
		m.quad(at(a, 1), at(b, 1), at(b, -1), at(a, -1), mat(i))
		for _, s := range []float64{1, -1} {
			q, r, c := at(a, s), at(b, s), at(middle, s)
			n := q.sub(c).cross(r.sub(c)).unit()
			m.tris = append(m.tris, triangle{corner{q, n}, corner{r, n}, corner{c, n}, side})
		}
	}
}

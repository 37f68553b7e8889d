package studio

import "math"

// material is how a surface looks.
type material struct {
	colour vec
	// texture changes the colour from place to place.
	texture func(p, colour vec) vec
	glow    vec     // it shines by itself
	gloss   float64 // it mirrors the sky
	// lift draws what is painted on something over it.
	lift float32
}

// caster is a box that throws a shadow.
type caster struct {
	pose
	low, high vec // in its own frame
	radius    float64
	middle    vec
}

func newCaster(p pose, low, high vec) caster {
	m := low.add(high).mul(0.5)
	return caster{p, low, high, high.sub(m).length(), p.point(m)}
}

// blocks reports whether the way from p along d (unit, at most far long) meets
// the box.
func (c *caster) blocks(p, d vec, far float64) bool {
	to := c.middle.sub(p)
	along := clamp(to.dot(d), 0, far)
	if off := to.sub(d.mul(along)); off.dot(off) > c.radius*c.radius {
		return false
	}
	o, u := c.back(p), c.unturn(d)
	t0, t1 := 0.05, far
	for _, s := range [3][4]float64{{o.x, u.x, c.low.x, c.high.x}, {o.y, u.y, c.low.y, c.high.y}, {o.z, u.z, c.low.z, c.high.z}} {
		if math.Abs(s[1]) < 1e-9 {
			if s[0] < s[2] || s[0] > s[3] {
				return false
			}
			continue
		}
		a, b := (s[2]-s[0])/s[1], (s[3]-s[0])/s[1]
		t0, t1 = max(t0, min(a, b)), min(t1, max(a, b))
	}
	return t0 < t1
}

// lamp is a light with a place. With a cone it shines in one direction.
type lamp struct {
	at, colour vec
	direction  vec
	cone       float64 // cosine of the half angle; -1: all round
	shadows    bool
}

// lighting is all light of a moment.
type lighting struct {
	sky, ground vec // light from above and below
	sun, toSun  vec
	lamps       []lamp
	sheen       vec // what glossy things mirror
	wet         float64
}

// surface is what is seen at a point of a picture, before light falls on it.
type surface struct {
	p, n, colour vec
	m            *material
}

// reveal finds the surface at a place of a triangle.
func reveal(eye, p, n vec, m *material) surface {
	n = n.unit()
	if n.dot(eye.sub(p)) < 0 {
		n = n.mul(-1)
	}
	colour := m.colour
	if m.texture != nil {
		colour = m.texture(p, colour)
	}
	return surface{p, n, colour, m}
}

// shader returns how surfaces look in this light among these boxes.
func (l *lighting) shader(eye vec, casters []caster) func(s *surface) vec {
	return func(s *surface) vec {
		p, n, m, colour := s.p, s.n, s.m, s.colour
		view := eye.sub(p).unit()
		if l.wet > 0 && n.z > 0.9 && p.z < 0.1 {
			colour = colour.mul(1 - 0.45*l.wet)
		}
		up := 0.5 + 0.5*n.z
		light := l.ground.mix(l.sky, up).mul(occlusion(p, casters))
		if k := n.dot(l.toSun); k > 0 && l.sun.x > 0 && !blocked(p, l.toSun, 60, casters) {
			light = light.add(l.sun.mul(k))
		}
		shine := vec{}
		for i := range l.lamps {
			a := &l.lamps[i]
			to := a.at.sub(p)
			far := to.length()
			to = to.mul(1 / far)
			k := n.dot(to)
			if k <= 0 {
				continue
			}
			k *= 1 / (1 + far*far)
			if a.cone > -1 {
				k *= smooth(a.cone, 1-(1-a.cone)*0.35, -to.dot(a.direction))
			}
			if k < 1e-5 || a.shadows && blocked(p, to, far, casters) {
				continue
			}
			light = light.add(a.colour.mul(k))
			if half := to.add(view).unit().dot(n); m.gloss > 0 && half > 0.9 {
				shine = shine.add(a.colour.mul(k * m.gloss * math.Pow(half, 60) * 4))
			}
		}
		out := colour.times(light).add(m.glow).add(shine)
		gloss := m.gloss
		if l.wet > 0 && n.z > 0.9 && p.z < 0.1 {
			gloss = 0.35 * l.wet * (0.4 + 0.9*grain(p.x*0.7, p.y*0.7, 91))
		}
		if gloss > 0 {
			fresnel := math.Pow(1-clamp(n.dot(view), 0, 1), 3)
			mirror := view.mul(-1).add(n.mul(2 * n.dot(view)))
			out = out.mix(l.sheen.mul(0.35+0.65*smooth(-0.1, 0.5, mirror.z)), clamp(gloss*(0.18+0.8*fresnel), 0, 1))
		}
		return out
	}
}

func blocked(p, d vec, far float64, casters []caster) bool {
	for i := range casters {
		if casters[i].blocks(p, d, far) {
			return true
		}
	}
	return false
}

// occlusion is the dark under and beside things.
func occlusion(p vec, casters []caster) float64 {
	if p.z > 0.06 {
		return 1
	}
	shade := 1.0
	for i := range casters {
		c := &casters[i]
		if c.low.z > 0.6 {
			continue
		}
		q := c.back(p)
		dx := max(c.low.x-q.x, 0, q.x-c.high.x)
		dy := max(c.low.y-q.y, 0, q.y-c.high.y)
		d := math.Sqrt(dx*dx+dy*dy) / min(0.9, 0.35+0.25*c.radius)
		if d < 1 {
			shade *= 1 - 0.55*(1-d)*(1-d)
		}
	}
	return shade
}

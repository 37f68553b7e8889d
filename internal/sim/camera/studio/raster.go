package studio

import (
	"math"
	"sync"
)

// corner is one corner of a triangle with its normal.
type corner struct{ p, n vec }

type triangle struct {
	a, b, c corner
	m       *material
}

// mesh is what a scene is made of, and the boxes that throw its shadows.
type mesh struct {
	tris    []triangle
	casters []caster
}

func (m *mesh) add(o mesh) {
	m.tris = append(m.tris, o.tris...)
	m.casters = append(m.casters, o.casters...)
}

// camera is a pinhole camera.
type camera struct {
	at                 vec
	right, up, forward vec
	focal              float64 // in picture widths
}

func look(at, to vec, degrees float64) camera {
	f := to.sub(at).unit()
	r := f.cross(vec{0, 0, 1}).unit()
	return camera{at, r, r.cross(f), f, 0.5 / math.Tan(degrees*math.Pi/360)}
}

// project returns picture coordinates in widths (0,0 is the upper left corner,
// y counts in widths too) and the depth.
func (c *camera) project(p vec, aspect float64) (x, y, depth float64) {
	d := p.sub(c.at)
	depth = d.dot(c.forward)
	if depth < near {
		return 0, 0, depth
	}
	return 0.5 + c.focal*d.dot(c.right)/depth, 0.5/aspect - c.focal*d.dot(c.up)/depth, depth
}

const near = 0.15

// canvas is a picture being drawn, with the distance of each of its points.
type canvas struct {
	w, h  int
	pix   []vec
	depth []float32
	seen  []surface // kept where light is to change
	// Only this part is drawn on.
	left, top, right, bottom int
}

// only restricts drawing to a part, given in widths of the picture.
func (c *canvas) only(left, top, right, bottom float64) {
	at := func(x float64, most int) int { return int(clamp(x*float64(c.w), 0, float64(most))) }
	c.left, c.right = at(left, c.w), at(right, c.w-1)+1
	c.top, c.bottom = at(top, c.h), at(bottom, c.h-1)+1
}

func (c *canvas) everything() { c.left, c.top, c.right, c.bottom = 0, 0, c.w, c.h }

func newCanvas(w, h int) *canvas {
	return &canvas{w: w, h: h, pix: make([]vec, w*h), depth: make([]float32, w*h), right: w, bottom: h}
}

func (c *canvas) copyFrom(o *canvas) {
	copy(c.pix, o.pix)
	copy(c.depth, o.depth)
}

// clear paints the sky.
func (c *canvas) clear(cam *camera, sky func(direction vec) vec) {
	c.bands(func(from, to int) {
		for y := max(from, c.top); y < min(to, c.bottom); y++ {
			for x := c.left; x < c.right; x++ {
				px := (float64(x)+0.5)/float64(c.w) - 0.5
				py := (float64(c.h)/2 - float64(y) - 0.5) / float64(c.w)
				d := cam.forward.mul(cam.focal).add(cam.right.mul(px)).add(cam.up.mul(py)).unit()
				c.pix[y*c.w+x] = sky(d)
				c.depth[y*c.w+x] = math.MaxFloat32
			}
		}
	})
}

// relight paints what was seen in another light.
func (c *canvas) relight(of *canvas, dim float64, shade func(*surface) vec) {
	c.bands(func(from, to int) {
		for y := max(from, c.top); y < min(to, c.bottom); y++ {
			for i := y*c.w + c.left; i < y*c.w+c.right; i++ {
				if s := &of.seen[i]; s.m != nil {
					c.pix[i] = shade(s)
				} else {
					c.pix[i] = of.pix[i].mul(dim)
				}
			}
		}
	})
}

// bands does work on strips of the picture side by side.
func (c *canvas) bands(work func(from, to int)) {
	const n = 4
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { work(c.h*i/n, c.h*(i+1)/n) })
	}
	wg.Wait()
}

// onCanvas is a corner after projection; what is to be interpolated is divided
// by the depth.
type onCanvas struct {
	x, y, inv float64
	p, n      vec
}

// draw paints triangles over what is there, nearest first.
func (c *canvas) draw(cam *camera, tris []triangle, shade func(*surface) vec) {
	type flat struct {
		v [3]onCanvas
		m *material
	}
	var list []flat
	var poly, clipped []corner
	for i := range tris {
		t := &tris[i]
		poly = append(poly[:0], t.a, t.b, t.c)
		clipped = clipNear(cam, poly, clipped[:0])
		if len(clipped) < 3 {
			continue
		}
		flatten := func(k corner) onCanvas {
			d := k.p.sub(cam.at)
			z := d.dot(cam.forward)
			s := cam.focal * float64(c.w) / z
			return onCanvas{float64(c.w)/2 + s*d.dot(cam.right), float64(c.h)/2 - s*d.dot(cam.up), 1 / z, k.p.mul(1 / z), k.n.mul(1 / z)}
		}
		first := flatten(clipped[0])
		for j := 1; j+1 < len(clipped); j++ {
			list = append(list, flat{[3]onCanvas{first, flatten(clipped[j]), flatten(clipped[j+1])}, t.m})
		}
	}
	c.bands(func(from, to int) {
		for i := range list {
			c.fill(cam, &list[i].v, list[i].m, from, to, shade)
		}
	})
}

// clipNear cuts off what is behind the camera.
func clipNear(cam *camera, in, out []corner) []corner {
	for i := range in {
		a, b := in[i], in[(i+1)%len(in)]
		da, db := a.p.sub(cam.at).dot(cam.forward)-near, b.p.sub(cam.at).dot(cam.forward)-near
		if da >= 0 {
			out = append(out, a)
		}
		if (da >= 0) != (db >= 0) {
			t := da / (da - db)
			out = append(out, corner{a.p.mix(b.p, t), a.n.mix(b.n, t)})
		}
	}
	return out
}

func (c *canvas) fill(cam *camera, v *[3]onCanvas, m *material, from, to int, shade func(*surface) vec) {
	area := (v[1].x-v[0].x)*(v[2].y-v[0].y) - (v[2].x-v[0].x)*(v[1].y-v[0].y)
	if math.Abs(area) < 1e-9 {
		return
	}
	top := max(from, c.top, int(math.Floor(min(v[0].y, v[1].y, v[2].y))))
	bottom := min(to-1, c.bottom-1, int(math.Ceil(max(v[0].y, v[1].y, v[2].y))))
	left := max(c.left, int(math.Floor(min(v[0].x, v[1].x, v[2].x))))
	right := min(c.right-1, int(math.Ceil(max(v[0].x, v[1].x, v[2].x))))
	for y := top; y <= bottom; y++ {
		py := float64(y) + 0.5
		for x := left; x <= right; x++ {
			px := float64(x) + 0.5
			a := ((v[1].x-px)*(v[2].y-py) - (v[2].x-px)*(v[1].y-py)) / area
			b := ((v[2].x-px)*(v[0].y-py) - (v[0].x-px)*(v[2].y-py)) / area
			k := 1 - a - b
			if a < 0 || b < 0 || k < 0 {
				continue
			}
			z := 1 / (a*v[0].inv + b*v[1].inv + k*v[2].inv)
			i := y*c.w + x
			if float32(z)-m.lift >= c.depth[i] {
				continue
			}
			c.depth[i] = float32(z)
			p := v[0].p.mul(a * z).add(v[1].p.mul(b * z)).add(v[2].p.mul(k * z))
			n := v[0].n.mul(a * z).add(v[1].n.mul(b * z)).add(v[2].n.mul(k * z))
			found := reveal(cam.at, p, n, m)
			if c.seen != nil {
				c.seen[i] = found
			}
			c.pix[i] = shade(&found)
		}
	}
}

package studio

import (
	"math"
	"math/rand/v2"
)

// optics is what lens, sensor and encoder of a cheap camera do to a picture.
type optics struct {
	exposure   float64
	noise      float64 // standard deviation of a grey level, of 255
	saturation float64
	blur       int     // radius in 1/1000 of the width: out of focus
	rain       float64 // streaks
	cover      float64 // something over the lens, 0 to 1
	hand       float64 // a hand before it that leaves a corner free
	glare      float64 // a light into the lens, 0 to 1
	paint      float64 // pale paint over the lens, 0 to 1
	snow       float64 // flakes
	insect     float64 // something small that flies before the lens, lit by its lamp
	web        float64 // threads of a spider before the lens, lit by its lamp
	drops      float64 // of rain on the lens
	bag        float64 // something thin over the lens, 0 to 1
	haze       float64 // fog that drifts in
	moths      int     // before the lamp
	threads    float64 // of a web that hangs from one corner, lit by the lamp
	salt       int     // makes all that another
}

// develop makes bytes of a picture, three a point.
func develop(c *canvas, o optics, frame int, out []byte) {
	if o.blur > 0 {
		for range 2 {
			blur(c, max(1, o.blur*c.w/1000))
		}
	}
	t := float64(frame) / Rate
	if o.haze > 0 {
		fog(c, o, t)
	}
	if o.drops > 0 {
		wetten(c, o, t)
	}
	if o.bag > 0 {
		shroud(c, o)
	}
	c.bands(func(from, to int) {
		r := rand.New(rand.NewPCG(uint64(frame), uint64(from)))
		var bell [4096]float64
		for i := range bell {
			bell[i] = r.NormFloat64() * o.noise
		}
		for y := from; y < to; y++ {
			for x := range c.w {
				p := c.pix[y*c.w+x].mul(o.exposure)
				u, v := (float64(x)/float64(c.w)-0.5)*2, (float64(y)/float64(c.h)-0.5)*2
				k := 1 - 0.22*(u*u+v*v*0.6)
				if o.cover > 0 {
					// Cloth over the lens: dark, a little light at one edge.
					cloth := vec{0.010, 0.009, 0.008}.add(vec{0.06, 0.045, 0.035}.mul(smooth(0.5, 1.15, u*0.6+v*0.7)))
					p = p.mix(cloth, o.cover)
				}
				if o.hand > 0 {
					skin := vec{0.20, 0.12, 0.09}.mul(0.5 + 0.5*smooth(-1.2, 0.6, u-0.3*v))
					p = p.mix(skin, o.hand*smooth(1.45, 0.95, u+0.8*v))
				}
				if o.paint > 0 {
					p = p.mix(vec{0.5, 0.5, 0.49}.mul(0.8+0.2*grain(u*2, v*2, 5)), o.paint)
				}
				if o.glare > 0 {
					d := math.Hypot(u-0.1, (v+0.05)*0.6)
					p = p.add(vec{1, 0.98, 0.94}.mul(o.glare * (0.7 + 3.5*math.Exp(-d*d*2))))
				}
				p = p.mul(k)
				grey := 0.299*p.x + 0.587*p.y + 0.114*p.z
				p = vec{grey, grey, grey}.mix(p, o.saturation)
				bits := r.Uint64()
				n := bell[bits&4095]
				i := (y*c.w + x) * 3
				out[i] = level(p.x, n+0.4*bell[bits>>12&4095])
				out[i+1] = level(p.y, n)
				out[i+2] = level(p.z, n+0.5*bell[bits>>24&4095])
			}
		}
	})
	if o.rain > 0 {
		streaks(c.w, c.h, o.rain, frame, out)
	}
	if o.moths > 0 {
		swarm(c.w, c.h, o, t, out)
	}
	if o.threads > 0 {
		threads(c.w, c.h, o, t, out)
	}
	if o.snow > 0 {
		flakes(c.w, c.h, o.snow, t, out)
	}
	if o.insect > 0 {
		for i := range 2 {
			k := t*1.7 + float64(i)*40
			x, y := 0.5+0.55*math.Sin(k*0.9+math.Sin(k*2.3)), 0.45+0.5*math.Sin(k*1.37+1.1*math.Sin(k*1.9))
			puff(c.w, c.h, x, y, 0.018+0.012*math.Sin(k*3), 150, out)
		}
	}
	if o.web > 0 {
		for i := range 3 {
			// A thread that sways, far out of focus.
			for s := range 60 {
				u := float64(s) / 59
				x := 0.15 + 0.3*float64(i) + 0.25*u + 0.025*math.Sin(t*1.9+float64(i))*math.Sin(math.Pi*u)
				puff(c.w, c.h, x, 0.05+0.75*u, 0.012, 9, out)
			}
		}
	}
}

// puff adds a soft bright spot; x and y count from 0 to 1.
func puff(w, h int, x, y, radius, bright float64, out []byte) {
	cx, cy, r := x*float64(w), y*float64(h), radius*float64(w)
	for py := max(0, int(cy-2*r)); py < min(h, int(cy+2*r)+1); py++ {
		for px := max(0, int(cx-2*r)); px < min(w, int(cx+2*r)+1); px++ {
			d := (math.Pow(float64(px)-cx, 2) + math.Pow(float64(py)-cy, 2)) / (r * r)
			add := bright * math.Exp(-d*1.4)
			i := (py*w + px) * 3
			for j := range 3 {
				out[i+j] = byte(min(255, float64(out[i+j])+add))
			}
		}
	}
}

// flakes sink, each at its own pace, near ones larger.
func flakes(w, h int, amount, t float64, out []byte) {
	for i := range int(amount * 260) {
		near := hash(i, 1, 78)
		fall := 0.12 + 0.5*near*near
		y := math.Mod(hash(i, 2, 78)+t*fall, 1.1) - 0.05
		x := math.Mod(hash(i, 3, 78)+0.02*math.Sin(t*1.5+9*hash(i, 4, 78))+t*0.05*fall+1, 1)
		puff(w, h, x, y, 0.0012+0.0045*near*near, 60+70*near, out)
	}
}

// level is the curve of the sensor: bright things do not burn out at once.
func level(x, noise float64) byte {
	x = max(x, 0)
	x = x * (1 + x*0.09) / (1 + x*0.62) * 1.18
	return byte(clamp(math.Sqrt(x)*255*0.97+4+noise, 0, 255))
}

// streaks are drops that fall while the shutter is open.
func streaks(w, h int, amount float64, frame int, out []byte) {
	r := rand.New(rand.NewPCG(uint64(frame), 77))
	for range int(amount * 420) {
		x, y := r.Float64()*float64(w), r.Float64()*float64(h)*1.2-0.1*float64(h)
		long := (0.02 + 0.07*r.Float64()*r.Float64()) * float64(h)
		bright := 10 + 26*r.Float64()
		wide := 1 + r.IntN(2)
		for s := 0.0; s < long; s++ {
			px, py := int(x+s*0.12), int(y+s)
			for k := range wide {
				if q := px + k; q >= 0 && q < w && py >= 0 && py < h {
					i := (py*w + q) * 3
					for j := range 3 {
						out[i+j] = byte(min(255, float64(out[i+j])+bright*math.Sin(math.Pi*s/long)))
					}
				}
			}
		}
	}
}

// blur is a box filter in both directions.
func blur(c *canvas, radius int) {
	row := make([]vec, max(c.w, c.h))
	line := func(n int, at func(int) int) {
		for i := range n {
			row[i] = c.pix[at(i)]
		}
		var sum vec
		for i := -radius; i < n; i++ {
			if j := i + radius; j < n {
				sum = sum.add(row[j])
			}
			if j := i - radius - 1; j >= 0 {
				sum = sum.sub(row[j])
			}
			if i >= 0 {
				c.pix[at(i)] = sum.mul(1 / float64(min(i+radius, n-1)-max(i-radius, 0)+1))
			}
		}
	}
	for y := range c.h {
		line(c.w, func(x int) int { return y*c.w + x })
	}
	for x := range c.w {
		line(c.h, func(y int) int { return y*c.w + x })
	}
}

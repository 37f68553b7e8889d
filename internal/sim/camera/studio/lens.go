package studio

import "math"

// drop is one of rain on the lens: at what time it lands, how long it stays, where.
type drop struct{ x, y, r, lands, slides float64 }

func drops(amount float64, salt int) []drop {
	var list []drop
	for i := range int(amount * 16) {
		d := drop{hash(salt, i, 600), hash(salt, i, 601), 0.012 + 0.03*hash(salt, i, 602), -1, 0}
		if i%3 == 0 {
			d.lands = 12 * hash(salt, i, 603)
		}
		if i%5 == 0 {
			d.slides = 0.02 + 0.05*hash(salt, i, 604)
		}
		list = append(list, d)
	}
	return list
}

// wetten has each drop show the picture small and upside down, as a lens does, and soft.
func wetten(c *canvas, o optics, t float64) {
	from := append([]vec(nil), c.pix...)
	for _, d := range drops(o.drops, o.salt) {
		if t < d.lands {
			continue
		}
		y := d.y + d.slides*max(0, t-max(d.lands, 0))
		cx, cy, r := d.x*float64(c.w), math.Mod(y, 1)*float64(c.h), d.r*float64(c.w)
		for py := max(0, int(cy-r)); py < min(c.h, int(cy+r)+1); py++ {
			for px := max(0, int(cx-r)); px < min(c.w, int(cx+r)+1); px++ {
				u, v := (float64(px)-cx)/r, (float64(py)-cy)/r
				k := u*u + v*v
				if k >= 1 {
					continue
				}
				sx, sy := int(cx-u*r*5), int(cy-v*r*5)
				sx, sy = min(max(sx, 0), c.w-1), min(max(sy, 0), c.h-1)
				i := py*c.w + px
				c.pix[i] = from[i].mix(from[sy*c.w+sx], 0.75*smooth(1, 0.55, k))
			}
		}
	}
}

// shroud is a thin bag over the lens: soft, pale, and bright where light is behind it.
func shroud(c *canvas, o optics) {
	for range 2 {
		blur(c, max(1, c.w*3/1000))
	}
	var mean vec
	for i := 0; i < len(c.pix); i += 97 {
		mean = mean.add(c.pix[i])
	}
	mean = mean.mul(97 / float64(len(c.pix)))
	for i := range c.pix {
		c.pix[i] = c.pix[i].mix(mean.add(vec{0.01, 0.01, 0.01}), o.bag)
	}
}

// fog drifts in over the clip, thicker far off, in banks.
func fog(c *canvas, o optics, t float64) {
	for y := range c.h {
		far := smooth(1.05, 0.2, float64(y)/float64(c.h))
		for x := range c.w {
			bank := 0.6 + 0.4*grain(float64(x)/float64(c.w)*3+t*0.12, float64(y)/float64(c.h)*4, o.salt+9)
			k := o.haze * smooth(0, 26, t) * far * bank
			i := y*c.w + x
			c.pix[i] = c.pix[i].mix(vec{0.62, 0.63, 0.64}, k)
		}
	}
}

// swarm are moths of all sizes, each on its own way; fast ones are drawn out.
func swarm(w, h int, o optics, t float64, out []byte) {
	for i := range o.moths {
		r := func(k int) float64 { return hash(o.salt+i, k, 610) }
		at := func(t float64) (float64, float64) {
			k := t*(0.6+1.5*r(1)) + 40*r(2)
			return 0.5 + 0.6*math.Sin(k*0.8+1.3*math.Sin(k*(1.1+r(3)))), 0.45 + 0.55*math.Sin(k*(1+0.5*r(4))+math.Sin(k*1.7+r(5)))
		}
		size := 0.003 + 0.02*r(6)*r(6)
		for s := range 6 {
			x, y := at(t - float64(s)*0.006)
			puff(w, h, x, y, size, (50+150*r(7))/4, out)
		}
	}
}

// threads of a web wave before the lamp, in gusts, and hang from one corner.
func threads(w, h int, o optics, t float64, out []byte) {
	gust := 0.3 + 0.7*math.Pow(math.Sin(t*0.45+5*hash(o.salt, 1, 620)), 2)
	cx, cy := hash(o.salt, 2, 620), 0.0
	for i := range 4 {
		ex, ey := hash(o.salt, i, 621), 0.5+0.5*hash(o.salt, i, 622)
		for s := range 50 {
			u := float64(s) / 49
			bow := gust * (0.02 + 0.04*hash(o.salt, i, 623)) * math.Sin(t*(1.5+3*hash(o.salt, i, 624))+float64(i)) * math.Sin(math.Pi*u)
			puff(w, h, cx+(ex-cx)*u+bow, cy+(ey-cy)*u+0.4*bow, 0.006+0.008*hash(o.salt, i, 625), (6+8*hash(o.salt, i, 626))*o.threads, out)
		}
	}
}

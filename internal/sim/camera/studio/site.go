package studio

import "math"

// site is a place made up of a number: where the camera hangs, what the ground is
// like, what stands around the two bays. No two numbers make the same.
func site(n int) view {
	r := func(k int) float64 { return hash(n, k, 401) }
	side := 1.0
	if r(1) < 0.5 {
		side = -1
	}
	at := vec{side * (2.5 + 4*r(2)), -0.5 + 3*r(3), 3.1 + 2.6*r(4)}
	to := vec{side * (1.4*r(5) - 1.2), 10 + 1.6*r(6), 0.5 + 0.5*r(7)}
	v := view{name: "site", camera: look(at, to, 56+14*r(8))}
	v.static = func(w mood) mesh {
		grey := 0.11 + 0.12*r(9)
		m := ground(vec{grey, grey, grey * (0.95 + 0.1*r(10))},
			&material{colour: vec{0.6, 0.58, 0.5 + 0.1*r(11)}, texture: worn(n + 7), lift: 0.02},
			&material{colour: vec{0.06 + 0.2*r(12), 0.12 + 0.1*r(13), 0.1 + 0.2*r(14)}, texture: worn(n + 8), lift: 0.01})
		m.add(charger(chargerPose(), [2]int{2, 2}))
		if r(15) < 0.5 {
			m.add(fence(15.2+r(16), n))
		} else {
			hedge := &material{colour: vec{0.05, 0.08, 0.03}, texture: func(p, c vec) vec {
				return c.mul(0.4 + 0.8*grain(p.x*5, p.z*6, n+13) + 0.5*hash(int(p.x*22), int(p.z*25), n+14))
			}}
			m.box(stand(vec{}, 0), vec{-30, 15.4, 0}, vec{30, 16.3, 0.8 + 0.8*r(17)}, hedge, true)
		}
		brick := vec{0.3 + 0.2*r(18), 0.25 + 0.15*r(19), 0.2 + 0.2*r(20)}
		wall := &material{colour: brick, texture: func(p, c vec) vec {
			k := 0.8 + 0.3*grain(p.x*0.8, p.z*0.8, n+15)
			if math.Mod(p.z+10, 0.6) < 0.05 {
				k *= 0.75
			}
			return c.mul(k)
		}}
		far := 22 + 14*r(21)
		left := -30 + 18*r(22)
		m.box(stand(vec{}, 0), vec{left, far, 0}, vec{left + 18 + 20*r(23), far + 10, 4 + 5*r(24)}, wall, false)
		for i := range 8 {
			x := left + 1 + float64(i)*2.9
			pane := &material{colour: vec{0.06, 0.08, 0.1}, gloss: 0.8}
			if w == night && hash(n, i, 402) < 0.25 {
				pane = &material{colour: vec{0.3, 0.3, 0.3}, glow: vec{0.5, 0.42, 0.28}}
			}
			m.box(stand(vec{}, 0), vec{x, far - 0.05, 1.4}, vec{x + 1.5, far + 0.1, 2.8}, pane, false)
		}
		for i := range 2 + int(2*r(25)) {
			x := -14 + 28*hash(n, i, 403)
			m.add(tree(vec{x, 18 + 3*hash(n, i, 404), 0}, 3.6+2.4*hash(n, i, 405), n+60+i))
		}
		for i := range 3 {
			x := -11 + 8*float64(i) + 3*hash(n, i, 406)
			c := 0.05 + 0.45*hash(n, i, 407)
			m.add(car(stand(vec{x, 19.5 + 1.5*hash(n, i, 408), 0}, math.Pi*math.Floor(2*hash(n, i, 409))), carLook{vec{c, c * 0.95, c}, 4.2 + 0.6*hash(n, i, 410), 1.46, false}, false, false))
		}
		steel := paint(0.2, 0.21, 0.22)
		for _, x := range siteLamps(n) {
			m.limb(vec{x, 14.4, 0}, vec{x, 14.4, 4.8}, 0.08, 0.06, steel)
			head := &material{colour: vec{0.2, 0.2, 0.2}}
			if w == night {
				head.glow = vec{7, 6.4, 5.4}
			}
			m.box(stand(vec{x, 14, 4.8}, 0), vec{-0.14, -0.4, -0.05}, vec{0.14, 0.3, 0.04}, head, false)
		}
		return m
	}
	v.light = func(w mood) lighting {
		switch w {
		case night:
			l := lighting{sky: vec{0.016, 0.020, 0.032}, ground: vec{0.012, 0.011, 0.010}, sheen: vec{0.02, 0.022, 0.03}}
			for _, x := range siteLamps(n) {
				l.lamps = append(l.lamps, lamp{at: vec{x, 13.8, 4.7}, colour: vec{10, 9.4, 8.2}.mul(0.8 + 0.5*r(26)), direction: vec{0, -0.3, -1}.unit(), cone: 0.05, shadows: true})
			}
			return l
		case infrared:
			return lighting{sky: vec{0.02, 0.02, 0.02}, ground: vec{0.015, 0.015, 0.015}, sheen: vec{0.02, 0.02, 0.02},
				lamps: []lamp{{at: at.sub(vec{0, 0, 0.1}), colour: vec{85, 85, 85}, direction: to.sub(at).unit(), cone: 0.72}}}
		case rain:
			return lighting{sky: vec{0.62, 0.66, 0.7}, ground: vec{0.22, 0.22, 0.22}, sheen: vec{0.62, 0.66, 0.7}, wet: 1}
		}
		return lighting{sky: vec{0.55, 0.62, 0.73}, ground: vec{0.24, 0.23, 0.21}, sun: vec{1.4, 1.3, 1.12}, toSun: vec{-side * (0.3 + 0.4*r(27)), -0.2 - 0.4*r(28), 0.75}.unit(), sheen: vec{0.75, 0.82, 0.92}}
	}
	v.sky = yard().sky
	return v
}

func siteLamps(n int) []float64 {
	x := -6 + 3*hash(n, 1, 411)
	return []float64{x, x + 9 + 3*hash(n, 2, 411)}
}

// fence is of posts with mesh between them.
func fence(y float64, n int) mesh {
	var m mesh
	steel := paint(0.16, 0.2, 0.17)
	wires := &material{colour: vec{0.14, 0.18, 0.15}, texture: func(p, c vec) vec {
		return c.mul(0.7 + 0.6*grain(p.x*9, p.z*9, n+30))
	}}
	for i := range 21 {
		x := -30 + 3*float64(i)
		m.limb(vec{x, y, 0}, vec{x, y, 1.8}, 0.05, 0.05, steel)
	}
	for z := 0.2; z < 1.8; z += 0.4 {
		m.box(stand(vec{}, 0), vec{-30, y - 0.015, z}, vec{30, y + 0.015, z + 0.05}, wires, false)
	}
	return m
}

// unlit is a place whose lamps are off, but for a little light by the exit.
func unlit(v view) view {
	lit := v.static
	v.static = func(w mood) mesh {
		m := lit(w)
		for i := range m.tris {
			if g := m.tris[i].m.glow; g.x > 1 {
				off := *m.tris[i].m
				off.glow = vec{}
				m.tris[i].m = &off
			}
		}
		return m
	}
	v.light = func(mood) lighting {
		return lighting{sky: vec{0.012, 0.013, 0.012}, ground: vec{0.008, 0.008, 0.008}, sheen: vec{0.01, 0.01, 0.01},
			lamps: []lamp{{at: vec{-9, 13, 2.4}, colour: vec{0.25, 0.5, 0.3}, cone: -1}}}
	}
	return v
}

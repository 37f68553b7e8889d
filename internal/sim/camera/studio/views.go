package studio

import "math"

// mood is the light and weather of a shot.
type mood int

const (
	day mood = iota
	night
	rain
	infrared
)

// view is a place with a camera that looks at two bays with a charger between
// them. The bays lie alike in every view; what is around them and from where they
// are seen differs.
type view struct {
	name   string
	camera camera
	static func(mood) mesh
	light  func(mood) lighting
	sky    func(mood) func(vec) vec
}

// Where the bays are. Cars stand with their nose to the charger.
const (
	bayLeft, bayRight = -1.75, 1.75
	bayMiddle         = 10.2
	laneMiddle        = 4.4
)

func chargerPose() pose { return stand(vec{0, 13.4, 0}, 0) }

func asphalt(p, c vec) vec {
	k := 0.78 + 0.3*grain(p.x*0.35, p.y*0.35, 1) + 0.22*grain(p.x*9, p.y*9, 2) + 0.16*(hash(int(math.Floor(p.x*60)), int(math.Floor(p.y*60)), 3)-0.5)
	// Tar where cracks were mended, oil where cars stand.
	if crack := math.Abs(p.x*0.3 + p.y*0.12 - 1.1 + 0.5*grain(p.x*0.8, p.y*0.8, 4)); crack < 0.012 {
		k *= 0.55
	}
	for _, x := range []float64{bayLeft, bayRight, 5.25, -5.25} {
		d := math.Hypot(p.x-x, (p.y-9.4)*0.6)
		k *= 1 - 0.3*smooth(0.8, 0.1, d)*grain(p.x*4, p.y*4, 5)
	}
	return c.mul(k)
}

func worn(salt int) func(p, c vec) vec {
	return func(p, c vec) vec {
		return c.mix(vec{0.12, 0.12, 0.12}, 0.55*smooth(0.45, 0.75, grain(p.x*7, p.y*7, salt)))
	}
}

// ground paints asphalt, lines and the two bays.
func ground(base vec, marks, bays *material) mesh {
	var m mesh
	tar := &material{colour: base, texture: asphalt}
	m.quad(vec{-60, -6, 0}, vec{60, -6, 0}, vec{60, 90, 0}, vec{-60, 90, 0}, tar)
	for _, x := range []float64{bayLeft, bayRight} {
		m.quad(vec{x - 1.68, 7.6, 0.004}, vec{x + 1.68, 7.6, 0.004}, vec{x + 1.68, 12.6, 0.004}, vec{x - 1.68, 12.6, 0.004}, bays)
		// A plug, roughly: two prongs, a body, a tail.
		for _, r := range [][4]float64{{-0.5, 8.9, 0.5, 9.7}, {-0.32, 9.7, -0.16, 10.2}, {0.16, 9.7, 0.32, 10.2}, {-0.09, 8.2, 0.09, 8.9}} {
			m.quad(vec{x + r[0], r[1], 0.008}, vec{x + r[2], r[1], 0.008}, vec{x + r[2], r[3], 0.008}, vec{x + r[0], r[3], 0.008}, marks)
		}
	}
	for i := -3; i <= 3; i++ {
		x := float64(i) * 3.5
		m.quad(vec{x - 0.06, 7.5, 0.008}, vec{x + 0.06, 7.5, 0.008}, vec{x + 0.06, 12.7, 0.008}, vec{x - 0.06, 12.7, 0.008}, marks)
	}
	return m
}

func yard() view {
	return view{
		name:   "yard",
		camera: look(vec{-4.6, 0.2, 4.9}, vec{0.75, 11.2, 0.75}, 60),
		static: func(w mood) mesh {
			m := ground(vec{0.135, 0.135, 0.14},
				&material{colour: vec{0.62, 0.62, 0.6}, texture: worn(7), lift: 0.02},
				&material{colour: vec{0.07, 0.2, 0.115}, texture: worn(8), lift: 0.01})
			kerb := &material{colour: vec{0.36, 0.35, 0.33}, texture: asphalt}
			m.box(stand(vec{}, 0), vec{-30, 12.9, 0}, vec{30, 13.05, 0.13}, kerb, false)
			grass := &material{colour: vec{0.10, 0.14, 0.05}, texture: func(p, c vec) vec {
				return c.mul(0.6 + 0.5*grain(p.x*3, p.y*3, 11) + 0.4*hash(int(p.x*30), int(p.y*30), 12))
			}}
			m.quad(vec{-30, 13.05, 0.12}, vec{30, 13.05, 0.12}, vec{30, 17.2, 0.12}, vec{-30, 17.2, 0.12}, grass)
			hedge := &material{colour: vec{0.05, 0.085, 0.03}, texture: func(p, c vec) vec {
				return c.mul(0.4 + 0.8*grain(p.x*6, p.z*6, 13) + 0.5*hash(int(p.x*25), int(p.z*25), 14))
			}}
			m.box(stand(vec{}, 0), vec{-30, 16, 0}, vec{3.4, 16.8, 1.15}, hedge, true)
			m.box(stand(vec{}, 0), vec{6.6, 16, 0}, vec{30, 16.8, 1.15}, hedge, true)
			m.add(charger(chargerPose(), [2]int{2, 2}))
			for _, x := range []float64{-0.75, 0.75} {
				m.limb(vec{x, 12.75, 0}, vec{x, 12.75, 1}, 0.07, 0.07, paint(0.75, 0.6, 0.05))
			}
			m.add(hall(w))
			m.add(tree(vec{-7.5, 15.2, 0}, 5.2, 21))
			m.add(tree(vec{10.5, 15.1, 0}, 4.6, 22))
			steel := paint(0.2, 0.21, 0.22)
			for _, x := range []float64{-5.6, 6.9} {
				m.limb(vec{x, 14.6, 0}, vec{x, 14.6, 5.6}, 0.08, 0.06, steel)
				m.limb(vec{x, 14.6, 5.6}, vec{x, 13, 5.7}, 0.05, 0.05, steel)
				head := &material{colour: vec{0.2, 0.2, 0.2}}
				if w == night {
					head.glow = vec{7, 6, 4.4}
				}
				m.box(stand(vec{x, 13, 5.66}, 0), vec{-0.14, -0.4, -0.05}, vec{0.14, 0.3, 0.04}, head, false)
			}
			// Others, who have nothing to do with the chargers.
			for _, o := range []struct {
				x, y, yaw float64
				look      carLook
			}{
				{-9.6, 24.5, 0, carLook{vec{0.32, 0.33, 0.35}, 4.4, 1.48, false}},
				{5.3, 24.6, math.Pi, carLook{vec{0.03, 0.05, 0.13}, 4.6, 1.5, false}},
				{11.4, 24.4, 0, carLook{vec{0.45, 0.44, 0.42}, 4.9, 1.9, true}},
			} {
				m.add(car(stand(vec{o.x, o.y, 0}, o.yaw), o.look, false, false))
			}
			return m
		},
		light: func(w mood) lighting {
			switch w {
			case night:
				l := lighting{sky: vec{0.016, 0.020, 0.032}, ground: vec{0.012, 0.011, 0.010}, sheen: vec{0.02, 0.022, 0.03}}
				for _, x := range []float64{-5.6, 6.9} {
					l.lamps = append(l.lamps, lamp{at: vec{x, 12.9, 5.5}, colour: vec{15, 12.2, 8.2}, direction: vec{0, -0.15, -1}.unit(), cone: 0.1, shadows: true})
				}
				return l
			case infrared:
				return lighting{sky: vec{0.02, 0.02, 0.02}, ground: vec{0.015, 0.015, 0.015}, sheen: vec{0.02, 0.02, 0.02},
					lamps: []lamp{{at: vec{-4.6, 0.2, 4.8}, colour: vec{95, 95, 95}, direction: vec{5.3, 11, -4.1}.unit(), cone: 0.72}}}
			case rain:
				return lighting{sky: vec{0.62, 0.66, 0.7}, ground: vec{0.22, 0.22, 0.22}, sheen: vec{0.62, 0.66, 0.7}, wet: 1}
			}
			return lighting{sky: vec{0.55, 0.63, 0.76}, ground: vec{0.24, 0.23, 0.21}, sun: vec{1.5, 1.38, 1.16}, toSun: vec{-0.55, -0.42, 0.72}.unit(), sheen: vec{0.75, 0.82, 0.92}}
		},
		sky: func(w mood) func(vec) vec {
			switch w {
			case night, infrared:
				return func(d vec) vec { return vec{0.012, 0.014, 0.022}.mul(1 + 2*smooth(0.25, 0, d.z)) }
			case rain:
				return func(d vec) vec { return vec{0.62, 0.66, 0.69}.mul(1 - 0.2*smooth(0, 0.6, d.z)) }
			}
			return func(d vec) vec {
				c := vec{0.80, 0.87, 0.95}.mix(vec{0.30, 0.49, 0.80}, smooth(-0.02, 0.5, d.z))
				return c.mix(vec{0.95, 0.96, 0.97}, 0.7*smooth(0.52, 0.8, grain(d.x*5+3, d.z*16, 31)*0.7+grain(d.x*14, d.z*40, 32)*0.3))
			}
		},
	}
}

// hall is a building in the background.
func hall(w mood) mesh {
	var m mesh
	wall := &material{colour: vec{0.42, 0.40, 0.37}, texture: func(p, c vec) vec {
		k := 0.9 + 0.16*grain(p.x*0.6, p.z*0.6, 15)
		if math.Mod(p.x+100, 2.4) < 0.05 {
			k *= 0.8
		}
		return c.mul(k)
	}}
	m.box(stand(vec{}, 0), vec{-26, 32, 0}, vec{30, 44, 6.4}, wall, false)
	m.box(stand(vec{}, 0), vec{-26.3, 31.6, 6.4}, vec{30.3, 44, 6.9}, paint(0.12, 0.13, 0.15), false)
	for i := range 12 {
		x := -24 + float64(i)*4.4
		pane := &material{colour: vec{0.06, 0.08, 0.1}, gloss: 0.8}
		if w != day && w != rain && i%5 == 2 {
			pane = &material{colour: vec{0.3, 0.3, 0.3}, glow: vec{0.5, 0.42, 0.28}}
		}
		m.box(stand(vec{}, 0), vec{x, 31.95, 2.4}, vec{x + 2.9, 32.1, 4.6}, pane, false)
	}
	m.box(stand(vec{}, 0), vec{2.5, 31.9, 0}, vec{5.3, 32.1, 2.9}, paint(0.09, 0.10, 0.12), false)
	sign := &material{colour: vec{0.1, 0.3, 0.5}}
	if w == night {
		sign.glow = vec{0.05, 0.25, 0.45}
	}
	m.box(stand(vec{}, 0), vec{-6, 31.8, 5.0}, vec{0.5, 32.1, 6.0}, sign, false)
	return m
}

func garage() view {
	return view{
		name:   "garage",
		camera: look(vec{5.2, 0.9, 2.75}, vec{-0.9, 10.6, 0.75}, 68),
		static: func(mood) mesh {
			m := ground(vec{0.27, 0.27, 0.265},
				&material{colour: vec{0.62, 0.60, 0.5}, texture: worn(7), lift: 0.02},
				&material{colour: vec{0.09, 0.20, 0.34}, texture: worn(8), lift: 0.01})
			wall := &material{colour: vec{0.5, 0.5, 0.48}, texture: func(p, c vec) vec {
				if p.z < 1.05 && p.z > 0.95 {
					return vec{0.1, 0.22, 0.36}
				}
				k := 0.85 + 0.2*grain(p.x*0.9, p.z*0.9, 41)
				if p.z < 0.9 {
					k *= 0.82
				}
				return c.mul(k * (1 - 0.25*smooth(0.6, 0.9, grain(p.x*0.5, p.z*2.5, 42))))
			}}
			m.box(stand(vec{}, 0), vec{-40, 14.4, 0}, vec{30, 15, 3.1}, wall, false)
			m.box(stand(vec{}, 0), vec{-40, -8, 0}, vec{-24, 15, 3.1}, wall, false)
			ceiling := &material{colour: vec{0.33, 0.33, 0.32}, texture: func(p, c vec) vec {
				return c.mul(0.8 + 0.3*grain(p.x, p.y, 43))
			}}
			m.quad(vec{-60, -8, 3.1}, vec{60, -8, 3.1}, vec{60, 20, 3.1}, vec{-60, 20, 3.1}, ceiling)
			for i := range 8 {
				x := -19 + float64(i)*5.5
				m.box(stand(vec{}, 0), vec{x, 6.2, 2.86}, vec{x + 2.4, 6.34, 2.93}, &material{glow: vec{2.6, 2.75, 2.7}}, false)
				m.box(stand(vec{}, 0), vec{x, -10, 2.75}, vec{x + 0.35, 20, 3.1}, ceiling, false)
			}
			stripes := &material{colour: vec{0.5, 0.5, 0.48}, texture: func(p, c vec) vec {
				if p.z > 1.1 {
					return c.mul(0.85 + 0.2*grain(p.x*2+p.y*2, p.z*2, 44))
				}
				if math.Mod(p.z*2.2+p.x+p.y+20, 1) < 0.5 {
					return vec{0.62, 0.47, 0.03}
				}
				return vec{0.04, 0.04, 0.04}
			}}
			for _, x := range []float64{-10.5, -5.25, 5.25} {
				m.box(stand(vec{}, 0), vec{x - 0.25, 12.2, 0}, vec{x + 0.25, 12.7, 3.1}, stripes, true)
			}
			m.limb(vec{-40, 13.9, 2.55}, vec{30, 13.9, 2.55}, 0.09, 0.09, paint(0.33, 0.05, 0.04))
			m.limb(vec{-40, 14.1, 2.3}, vec{30, 14.1, 2.3}, 0.05, 0.05, paint(0.3, 0.31, 0.32))
			m.add(charger(chargerPose(), [2]int{2, 2}))
			m.add(car(stand(vec{-7.9, 10.1, 0}, 0), carLook{vec{0.20, 0.02, 0.02}, 4.3, 1.46, false}, false, false))
			m.add(car(stand(vec{-13.1, 10.3, 0}, math.Pi), carLook{vec{0.5, 0.5, 0.5}, 4.6, 1.52, false}, false, false))
			return m
		},
		light: func(mood) lighting {
			l := lighting{sky: vec{0.22, 0.225, 0.22}, ground: vec{0.12, 0.12, 0.115}, sheen: vec{0.35, 0.36, 0.36}}
			for i := range 7 {
				x := -17.8 + float64(i)*5.5
				l.lamps = append(l.lamps, lamp{at: vec{x, 6.3, 2.8}, colour: vec{2.9, 3.1, 3.0}, cone: -1, shadows: i > 1 && i < 6})
			}
			return l
		},
		sky: func(mood) func(vec) vec { return func(vec) vec { return vec{0.02, 0.02, 0.02} } },
	}
}

// lot is a rest area beside a motorway, seen from behind the chargers.
func lot() view {
	return view{
		name:   "lot",
		camera: look(vec{-5.4, 18.6, 4.4}, vec{0.9, 8.6, 0.7}, 66),
		static: func(w mood) mesh {
			m := ground(vec{0.165, 0.16, 0.155},
				&material{colour: vec{0.6, 0.6, 0.58}, texture: worn(17), lift: 0.02},
				&material{colour: vec{0.14, 0.16, 0.30}, texture: worn(18), lift: 0.01})
			slab := &material{colour: vec{0.34, 0.33, 0.31}, texture: asphalt}
			m.box(stand(vec{}, 0), vec{-30, 12.9, 0}, vec{30, 16.4, 0.12}, slab, false)
			m.add(charger(chargerPose(), [2]int{2, 2}))
			m.add(charger(stand(vec{7, 13.4, 0}, 0), [2]int{0, 0}))
			steel := paint(0.36, 0.37, 0.38)
			for _, x := range []float64{-4.4, 9.6} {
				m.limb(vec{x, 1.4, 0}, vec{x, 1.4, 4.2}, 0.12, 0.12, steel)
			}
			// The motorway behind a rail and a strip of grass.
			grass := &material{colour: vec{0.11, 0.14, 0.055}, texture: func(p, c vec) vec {
				return c.mul(0.6 + 0.6*grain(p.x*2, p.y*2, 51) + 0.3*hash(int(p.x*20), int(p.y*20), 52))
			}}
			m.quad(vec{-90, -9, 0.01}, vec{90, -9, 0.01}, vec{90, -2.2, 0.01}, vec{-90, -2.2, 0.01}, grass)
			m.quad(vec{-120, -60, -0.2}, vec{120, -60, -0.2}, vec{120, -9, 0}, vec{-120, -9, 0}, &material{colour: vec{0.12, 0.12, 0.125}, texture: asphalt})
			m.box(stand(vec{}, 0), vec{-90, -8.1, 0.45}, vec{90, -8, 0.75}, &material{colour: vec{0.45, 0.46, 0.47}, gloss: 0.2}, false)
			for i := range 30 {
				x := -58 + float64(i)*4
				m.box(stand(vec{}, 0), vec{x, -8.15, 0}, vec{x + 0.12, -8.03, 0.7}, steel, false)
			}
			for i := range 16 {
				at := vec{-48 + float64(i)*6.6 + 2*hash(i, 1, 1), -30 - 6*hash(i, 2, 2), 0}
				m.add(tree(at, 7+4*hash(i, 3, 3), 60+i))
			}
			m.casters = m.casters[:min(len(m.casters), 4)]
			return m
		},
		light: func(w mood) lighting {
			if w == night {
				l := lighting{sky: vec{0.016, 0.019, 0.030}, ground: vec{0.012, 0.011, 0.010}, sheen: vec{0.02, 0.022, 0.03}}
				for _, x := range []float64{-4.4, 9.6} {
					l.lamps = append(l.lamps, lamp{at: vec{x, 5, 5.6}, colour: vec{13.5, 13.8, 13}, direction: vec{0, 0.2, -1}.unit(), cone: 0.05, shadows: true})
				}
				return l
			}
			return lighting{sky: vec{0.66, 0.70, 0.76}, ground: vec{0.26, 0.25, 0.24}, sun: vec{0.8, 0.75, 0.66}, toSun: vec{0.62, 0.32, 0.66}.unit(), sheen: vec{0.78, 0.82, 0.86}}
		},
		sky: func(w mood) func(vec) vec {
			if w == night {
				return func(d vec) vec { return vec{0.014, 0.015, 0.02}.mul(1 + 2.5*smooth(0.2, 0, d.z)) }
			}
			return func(d vec) vec {
				return vec{0.86, 0.88, 0.90}.mix(vec{0.56, 0.66, 0.80}, smooth(0, 0.45, d.z+0.12*grain(d.x*6, d.z*20, 33)))
			}
		},
	}
}

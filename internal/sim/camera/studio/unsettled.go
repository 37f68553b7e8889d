package studio

import "math"

// unsettled is a set of trials of grass, a sign that swings, the shadows of a rotor, hazard
// lights, a lamp that flickers and midges, with some of the kinds that were hard before;
// and people among it.
func unsettled(set string, first int) []Shot {
	r := reel{set: set, salt: first}
	nobody := bays([2]bool{})
	across := func(k int, pace float64) []mark {
		y, side := 5+5.5*hash(first, k, 650), 1.0
		if hash(first, k, 651) < 0.5 {
			side = -1
		}
		return []mark{{0.4, -9 * side, y}, {0.4 + 9/pace, 0, y + 1 - 2*hash(first, k, 652)}, {0.4 + 18/pace, 9 * side, y + 0.8}}
	}

	v := site(first)
	r.add("day", 4, v, day, nobody, nil)
	r.add("grass", 14, v, day, grass(first), nil)
	r.add("grass-walks", 12, v, day, among(grass(first), walks(2, [2]bool{}, false, across(1, 1.5))), nil)
	r.add("twigs", 14, v, day, twigs(first), nil)
	r.add("twigs-walks", 12, v, day, among(twigs(first), walks(0, [2]bool{}, false, across(2, 1.4))), nil)
	r.add("bag", 4, v, day, nobody, func(o *optics) { o.bag = 0.7 + 0.14*hash(first, 1, 653) })

	v = site(first + 1)
	r.add("sign", 12, v, day, sign(first), nil)
	r.add("sign-runs", 6, v, day, among(sign(first), walks(3, [2]bool{}, false, across(3, 4.2))), nil)
	r.add("rotor", 14, v, day, rotor(first), nil)
	r.add("rotor-walks", 12, v, day, among(rotor(first), walks(1, [2]bool{}, true, across(4, 1.6))), nil)
	r.add("sign-cat", 8, v, day, among(sign(first), prowls(first)), nil)

	v = site(first + 2)
	r.add("night", 4, v, night, nobody, nil)
	r.add("hazard", 10, v, night, hazard(first), nil)
	r.add("hazard-walks", 12, v, night, among(hazard(first), walks(0, [2]bool{}, false, across(5, 1.5))), nil)
	r.add("beacon", 12, v, night, beacon(first), nil)
	r.add("beacon-walks", 12, v, night, among(beacon(first), walks(3, [2]bool{}, false, across(6, 1.6))), nil)
	r.add("flicker", 12, v, night, flickers(first), nil)
	r.add("flicker-cuts", 12, v, night, among(flickers(first), cuts(first)), nil)
	r.add("night-cloth", 4, v, night, nobody, func(o *optics) { o.cover = 0.85 + 0.1*hash(first, 2, 653) })

	v = site(first + 3)
	r.add("infrared", 4, v, infrared, nobody, nil)
	r.add("midges", 14, v, infrared, nobody, func(o *optics) { o.moths = 8 })
	r.add("midges-walks", 12, v, infrared, walks(1, [2]bool{}, false, across(7, 1.5)), func(o *optics) { o.moths = 8 })
	r.add("threads", 14, v, infrared, nobody, func(o *optics) { o.threads = 0.9 })
	r.add("flurry", 10, v, infrared, nobody, func(o *optics) { o.snow = 0.8 })
	r.add("flurry-walks", 12, v, infrared, walks(2, [2]bool{}, false, across(8, 1.4)), func(o *optics) { o.snow = 0.8 })

	v = site(first + 4)
	r.add("drops", 12, v, rain, nobody, func(o *optics) { o.drops = 0.9 })
	r.add("drops-walks", 12, v, rain, walks(0, [2]bool{}, false, across(9, 1.5)), func(o *optics) { o.drops = 0.9 })
	r.add("fog", 30, v, rain, nobody, func(o *optics) { o.haze = 0.7 })
	r.add("fog-walks", 30, v, rain, walks(3, [2]bool{}, false, []mark{{14, 8, 6}, {20, 0, 8.5}, {26, -8, 7.5}}), func(o *optics) { o.haze = 0.55 })
	return r.shots
}

// grass stands high beyond the bays and bows in the wind, in waves.
func grass(salt int) act {
	rest := bays([2]bool{})
	return func(t float64) stage {
		s := rest(t)
		var m mesh
		for i := range 150 {
			k := salt*173 + i
			x, y := -7+14*hash(k, 1, 660), 14+1.1*hash(k, 2, 660)
			high := 0.5 + 0.6*hash(k, 3, 660)
			bow := high * (0.12 + 0.28*math.Pow(0.5+0.5*math.Sin(0.9*t-0.7*x+6*hash(salt, 1, 661)), 2)) * (1 + 0.4*math.Sin(3*t+float64(i)))
			c := vec{0.14, 0.16, 0.05}.mul(0.6 + 0.9*hash(k, 4, 660))
			m.quad(vec{x - 0.05, y, 0}, vec{x + 0.05, y, 0}, vec{x + bow + 0.02, y - 0.1, high}, vec{x + bow - 0.02, y - 0.1, high}, &material{colour: c})
		}
		s.actors = append(s.actors, actor{"grass", m, false})
		return s
	}
}

// sign is one that hangs from an arm and swings.
func sign(salt int) act {
	rest := bays([2]bool{})
	return func(t float64) stage {
		s := rest(t)
		var m mesh
		x, y := -4.5+8*hash(salt, 1, 670), 13.2+1.2*hash(salt, 2, 670)
		m.limb(vec{x, y, 0}, vec{x, y, 2.9}, 0.05, 0.05, paint(0.25, 0.25, 0.25))
		m.limb(vec{x, y, 2.85}, vec{x + 1.1, y, 2.85}, 0.03, 0.03, paint(0.25, 0.25, 0.25))
		a := (0.15 + 0.35*math.Pow(math.Sin(0.31*t+5*hash(salt, 3, 670)), 2)) * math.Sin((1.8+0.8*hash(salt, 4, 670))*t)
		at := func(u, down float64) vec { return vec{x + u, y - down*math.Sin(a), 2.8 - down*math.Cos(a)} }
		for j, c := range []vec{{0.6, 0.6, 0.55}, {0.1, 0.25, 0.5}, {0.6, 0.6, 0.55}} {
			d := 0.1 + 0.25*float64(j)
			m.quad(at(0.2, d+0.25), at(1, d+0.25), at(1, d), at(0.2, d), &material{colour: c.mul(0.8 + 0.5*a)})
		}
		s.actors = append(s.actors, actor{"sign", m, false})
		s.sweep = true
		return s
	}
}

// rotor throws the shadows of its blades over the ground, each in turn.
func rotor(salt int) act {
	rest := bays([2]bool{})
	sun := site(salt + 1).light(day).toSun
	return func(t float64) stage {
		s := rest(t)
		var m mesh
		hub := vec{-3 + 6*hash(salt, 1, 680), 7 + 3*hash(salt, 2, 680), 0}.add(sun.mul(11 / sun.z))
		for i := range 3 {
			a := (0.5+0.4*hash(salt, 3, 680))*t + 2*math.Pi*float64(i)/3
			m.casters = append(m.casters, newCaster(stand(hub, a), vec{-0.16, 0.2, -0.04}, vec{0.16, 4.2, 0.04}))
		}
		s.actors = append(s.actors, actor{"shade", m, false})
		s.sweep = true
		return s
	}
}

// hazard is the light of a car outside that blinks.
func hazard(salt int) act {
	rest := bays([2]bool{})
	return func(t float64) stage {
		s := rest(t)
		if math.Mod(1.45*t+hash(salt, 1, 690), 1) < 0.5 {
			side := 1.0
			if hash(salt, 2, 690) < 0.5 {
				side = -1
			}
			s.lamps = append(s.lamps, lamp{at: vec{7.5 * side, 9 + 3*hash(salt, 3, 690), 0.8}, colour: vec{3, 1.6, 0.3}, cone: -1, shadows: true})
		}
		s.sweep = true
		return s
	}
}

// flickers is a lamp at the wall that is about to fail.
func flickers(salt int) act {
	rest := bays([2]bool{})
	return func(t float64) stage {
		s := rest(t)
		on := hash(salt, int(t*7), 695)
		if on > 0.35 {
			s.lamps = append(s.lamps, lamp{at: vec{-4 + 8*hash(salt, 1, 696), 13.4, 3.6}, colour: vec{7, 7, 6.4}.mul(on), direction: vec{0, -0.5, -1}.unit(), cone: 0.2, shadows: true})
		}
		s.sweep = true
		return s
	}
}

package studio

import "math"

// odd is a set of trials of what changes a picture and is nobody, with the few who
// have to be found all the same. Each number draws another place, wind and weather.
func odd(set string, first int) []Shot {
	r := reel{set: set, salt: first}
	nobody := bays([2]bool{})
	across := func(k int, pace float64) []mark {
		y := 5 + 4*hash(first, k, 470)
		side := 1.0
		if hash(first, k, 471) < 0.5 {
			side = -1
		}
		return []mark{{0.5, -9 * side, y}, {0.5 + 9/pace, 0, y + 2 - 3*hash(first, k, 472)}, {0.5 + 18/pace, 9 * side, y - 0.5}}
	}

	v := site(first)
	r.add("day", 4, v, day, nobody, nil)
	r.add("twigs", 14, v, day, twigs(first), nil)
	r.add("twigs-walks", 12, v, day, among(twigs(first), walks(2, [2]bool{}, false, across(1, 1.6))), nil)
	r.add("banner", 14, v, day, banner(first), nil)
	r.add("banner-walks", 12, v, day, among(banner(first), walks(0, [2]bool{}, false, across(2, 1.6))), nil)
	r.add("runs", 6, v, day, walks(1, [2]bool{}, false, across(3, 4.4)), nil)
	r.add("cat", 8, v, day, prowls(first), nil)
	r.add("puddle", 10, v, day, puddle(first), nil)
	r.add("bag", 4, v, day, nobody, func(o *optics) { o.bag = 0.72 + 0.12*hash(first, 1, 473) })
	r.add("cloth", 4, v, day, nobody, func(o *optics) { o.cover = 0.84 + 0.1*hash(first, 2, 473) })

	v = site(first + 1)
	drops := func(o *optics) { o.drops = 1 }
	r.add("rain", 12, v, rain, nobody, drops)
	r.add("rain-walks", 12, v, rain, walks(3, [2]bool{}, false, across(4, 1.5)), drops)
	r.add("fog", 30, v, rain, nobody, func(o *optics) { o.haze = 0.75 })

	v = site(first + 2)
	r.add("night", 4, v, night, nobody, nil)
	r.add("passes", 12, v, night, passes(12, first), nil)
	r.add("crawls", 12, v, night, crawls(first), nil)
	r.add("cuts", 12, v, night, cuts(first), nil)
	r.add("night-bag", 4, v, night, nobody, func(o *optics) { o.bag = 0.72 + 0.12*hash(first, 3, 473) })
	r.add("night-cloth", 4, v, night, nobody, func(o *optics) { o.cover = 0.84 + 0.1*hash(first, 4, 473) })

	v = site(first + 3)
	r.add("infrared", 4, v, infrared, nobody, nil)
	r.add("moths", 14, v, infrared, nobody, func(o *optics) { o.moths = 5 })
	r.add("threads", 14, v, infrared, nobody, func(o *optics) { o.threads = 1 })
	r.add("flurry", 10, v, infrared, nobody, func(o *optics) { o.snow = 0.5 + 0.4*hash(first, 5, 473) })
	r.add("flurry-walks", 12, v, infrared, walks(1, [2]bool{}, false, across(5, 1.5)), func(o *optics) { o.snow = 0.5 + 0.4*hash(first, 5, 473) })
	r.add("infrared-walks", 12, v, infrared, walks(2, [2]bool{}, false, across(6, 1.5)), nil)
	return r.shots
}

// twigs throw shadows of leaves in bunches, in gusts.
func twigs(salt int) act {
	rest := bays([2]bool{})
	sun := site(salt).light(day).toSun
	return func(t float64) stage {
		s := rest(t)
		var m mesh
		gust := 0.5 + 0.5*math.Sin(t*0.6+7*hash(salt, 1, 480))
		for i := range 5 {
			x, y := -5+10*hash(salt, i, 481), 4+8*hash(salt, i, 482)
			swing := (0.1 + 0.45*gust) * math.Sin(t*(1.4+1.5*hash(salt, i, 483))+6*hash(salt, i, 484))
			for j := range 5 {
				k := salt + 10*i + j
				p := vec{x + 1.6*hash(k, 1, 485) + swing, y + 1.2*hash(k, 2, 485) + 0.3*swing + 0.08*math.Sin(t*4+float64(k)), 0}.add(sun.mul((5 + 2*hash(k, 3, 485)) / sun.z))
				d := 0.08 + 0.22*hash(k, 4, 485)
				m.casters = append(m.casters, newCaster(stand(p, 3*hash(k, 5, 485)+0.4*swing), vec{-d, -0.5 * d, -0.03}, vec{d, 0.5 * d, 0.03}))
			}
		}
		s.actors = append(s.actors, actor{"shade", m, false})
		s.sweep = true
		return s
	}
}

// banner is cloth between two posts that fills and falls.
func banner(salt int) act {
	rest := bays([2]bool{})
	return func(t float64) stage {
		s := rest(t)
		var m mesh
		x, y, long := -5+7*hash(salt, 1, 490), 13.8+1.2*hash(salt, 2, 490), 2+1.4*hash(salt, 3, 490)
		pace := 2.2 + 2.4*hash(salt, 4, 490)
		for _, k := range []float64{0, long} {
			m.limb(vec{x + k, y, 0}, vec{x + k, y, 2.6}, 0.04, 0.04, paint(0.3, 0.3, 0.3))
		}
		at := func(u, z float64) vec {
			belly := math.Sin(math.Pi * u / long)
			return vec{x + u, y - 0.1 - 0.3*belly*(0.6+0.5*math.Sin(t*pace+u*2+z*3)), z + 0.12*belly*math.Sin(t*pace*0.8+u)}
		}
		colours := []vec{{0.6, 0.6, 0.55}, {0.05, 0.25, 0.12}, {0.6, 0.6, 0.55}}
		for i := range 10 {
			u, w := long*float64(i)/10, long*float64(i+1)/10
			for j, c := range colours {
				z := 1.1 + 0.4*float64(j)
				shade := 0.8 + 0.25*math.Sin(t*pace+u*2+z*3)
				m.quad(at(u, z), at(w, z), at(w, z+0.4), at(u, z+0.4), &material{colour: c.mul(shade)})
			}
		}
		s.actors = append(s.actors, actor{"banner", m, false})
		return s
	}
}

// puddle mirrors a sky that its ripples break.
func puddle(salt int) act {
	rest := bays([2]bool{})
	return func(t float64) stage {
		s := rest(t)
		var m mesh
		cx, cy := -3+6*hash(salt, 1, 500), 4.5+3*hash(salt, 2, 500)
		for i := range 12 {
			for j := range 10 {
				x, y := (float64(i)-5.5)*0.22, (float64(j)-4.5)*0.18
				if x*x/1.7+y*y/0.8 > 0.9+0.3*hash(salt+i, j, 501) {
					continue
				}
				k := 0.5 + 0.5*math.Sin(t*(2+2*hash(i, j, 502))+x*5-y*8+6*hash(i, j, 503))
				c := vec{0.10, 0.11, 0.12}.mix(vec{0.5, 0.55, 0.62}, k*k*k)
				m.quad(vec{cx + x, cy + y, 0.012}, vec{cx + x + 0.22, cy + y, 0.012}, vec{cx + x + 0.22, cy + y + 0.18, 0.012}, vec{cx + x, cy + y + 0.18, 0.012}, &material{colour: c})
			}
		}
		s.actors = append(s.actors, actor{"puddle", m, false})
		return s
	}
}

// prowls is a cat by day.
func prowls(salt int) act {
	rest := bays([2]bool{})
	y := 4.5 + 2*hash(salt, 1, 510)
	marks := []mark{{0, -5, y}, {3.4, 0, y + 1}, {4.4, 0.2, y + 1}, {8, 5.5, y}}
	return func(t float64) stage {
		s := rest(t)
		at, yaw, way, _ := course(t, marks)
		s.actors = append(s.actors, actor{"animal", cat(stand(at, yaw), way), false})
		return s
	}
}

// crawls has somebody come along the ground.
func crawls(salt int) act {
	rest := bays([2]bool{})
	x := 3 + 3*hash(salt, 1, 520)
	marks := []mark{{0, x, 7 + 2*hash(salt, 2, 520)}, {12, x - 4.5, 10.5}}
	return func(t float64) stage {
		s := rest(t)
		at, yaw, way, speed := course(t, marks)
		f := walker(2, at, yaw, way, speed)
		f.hood, f.bend, f.reach = true, 0.95, 0.8
		s.actors = append(s.actors, actor{"person", person(f), false})
		return s
	}
}

// cuts has somebody come to a cable by night and work there.
func cuts(salt int) act {
	rest := bays([2]bool{})
	side := 1.0
	if hash(salt, 1, 530) < 0.5 {
		side = -1
	}
	marks := []mark{{0, 8 * side, 6.5}, {4.5, 1.2 * side, 12}, {12, 1.2 * side, 12}}
	return func(t float64) stage {
		s := rest(t)
		at, yaw, way, speed := course(t, marks)
		f := walker(1, at, yaw, way, speed)
		f.hood = true
		if t > 4.5 {
			k := smooth(4.5, 5.5, t)
			f.walking, f.bend, f.reach, f.tool = 0, k*(0.7+0.25*math.Sin(t*2.6)), k*(0.75+0.25*math.Sin(t*5.1)), true
		}
		s.actors = append(s.actors, actor{"person", person(f), false})
		return s
	}
}

// passes are two cars that go by outside, one after the other: only their light comes in.
func passes(seconds float64, salt int) act {
	rest := bays([2]bool{})
	return func(t float64) stage {
		s := rest(t)
		for i := range 2 {
			long := seconds * (0.3 + 0.15*hash(salt, i, 540))
			k := (t - 0.8 - float64(i)*seconds*0.45) / long
			if k <= 0 || k >= 1 {
				continue
			}
			s.sweep = true
			way := 1 - 2*float64(i)
			p := stand(vec{way * (-9 + 18*k), -3.5 - 2*hash(salt, i, 541), 0}, -way*(0.9-1.8*hash(salt, i, 542)*k))
			for _, l := range headlamps(p, looks(0), 2.2*math.Sin(math.Pi*k)) {
				l.shadows = true
				s.lamps = append(s.lamps, l)
			}
		}
		return s
	}
}

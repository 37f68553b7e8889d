package studio

import "math"

// restless is a set of trials of what never rests: bushes, pennants, a tarpaulin, a
// pillar that turns, steam, a beacon, sleet, grease on the lens; and people among it.
func restless(set string, first int) []Shot {
	r := reel{set: set, salt: first}
	nobody := bays([2]bool{})
	across := func(k int, pace float64) []mark {
		y, side := 5.5+5*hash(first, k, 550), 1.0
		if hash(first, k, 551) < 0.5 {
			side = -1
		}
		return []mark{{0.3, -9 * side, y}, {0.3 + 9/pace, 0, y + 1.5 - 3*hash(first, k, 552)}, {0.3 + 18/pace, 9 * side, y + 0.4}}
	}

	v := site(first)
	r.add("day", 4, v, day, nobody, nil)
	r.add("bush", 16, v, day, bush(first), nil)
	r.add("bush-walks", 12, v, day, among(bush(first), walks(3, [2]bool{}, false, across(1, 1.6))), nil)
	r.add("bush-works", 20, v, day, among(bush(first), kneels(first)), nil)
	r.add("twigs", 14, v, day, twigs(first), nil)
	r.add("twigs-walks", 12, v, day, among(twigs(first), walks(1, [2]bool{}, true, across(2, 1.3))), nil)
	r.add("grease", 4, v, day, nobody, func(o *optics) { o.blur, o.bag = 3, 0.66+0.14*hash(first, 1, 553) })
	r.add("film", 4, v, day, nobody, func(o *optics) { o.paint = 0.78 + 0.14*hash(first, 2, 553) })

	v = site(first + 1)
	r.add("pennants", 14, v, day, pennants(first), nil)
	r.add("pennants-walks", 12, v, day, among(pennants(first), walks(2, [2]bool{}, false, across(3, 1.5))), nil)
	r.add("cover", 14, v, day, tarpaulin(first), nil)
	r.add("cover-runs", 6, v, day, among(tarpaulin(first), walks(0, [2]bool{}, false, across(4, 4))), nil)
	r.add("pillar", 12, v, day, pillar(first), nil)
	r.add("pillar-walks", 12, v, day, among(pillar(first), walks(1, [2]bool{}, false, across(5, 1.6))), nil)

	v = site(first + 2)
	r.add("night", 4, v, night, nobody, nil)
	r.add("beacon", 12, v, night, beacon(first), nil)
	r.add("beacon-walks", 12, v, night, among(beacon(first), walks(2, [2]bool{}, false, across(6, 1.5))), nil)
	r.add("bush-night", 16, v, night, bush(first+5), nil)
	r.add("bush-cuts", 12, v, night, among(bush(first+5), cuts(first)), nil)
	r.add("grease-night", 4, v, night, nobody, func(o *optics) { o.blur, o.bag = 3, 0.66+0.14*hash(first, 3, 553) })

	v = site(first + 3)
	r.add("infrared", 4, v, infrared, nobody, nil)
	r.add("moths", 14, v, infrared, nobody, func(o *optics) { o.moths = 3 })
	r.add("moths-walks", 12, v, infrared, walks(0, [2]bool{}, false, across(7, 1.5)), func(o *optics) { o.moths = 3 })
	r.add("threads", 14, v, infrared, nobody, func(o *optics) { o.threads = 0.8 })
	r.add("threads-walks", 12, v, infrared, walks(3, [2]bool{}, false, across(8, 1.5)), func(o *optics) { o.threads = 0.8 })
	r.add("cat", 8, v, infrared, prowls(first), nil)

	v = site(first + 4)
	sleet := func(o *optics) { o.snow, o.rain, o.exposure = 0.7, 0.8, 1.05 }
	r.add("sleet", 10, v, rain, nobody, sleet)
	r.add("sleet-walks", 12, v, rain, walks(1, [2]bool{}, false, across(9, 1.4)), sleet)
	r.add("drops", 12, v, rain, nobody, func(o *optics) { o.drops = 0.8 })
	r.add("fog", 30, v, rain, nobody, func(o *optics) { o.haze = 0.6 })
	r.add("fog-walks", 30, v, rain, walks(2, [2]bool{}, false, []mark{{15, -8, 6.5}, {21, 0, 8}, {27, 8, 7}}), func(o *optics) { o.haze = 0.6 })
	return r.shots
}

// bush is one of leaves that sways beside the bays.
func bush(salt int) act {
	rest := bays([2]bool{})
	cx, cy := -5+10*hash(salt, 1, 560), 12.6+1.8*hash(salt, 2, 560)
	if math.Abs(cx) < 2.2 {
		cx = math.Copysign(2.2+hash(salt, 3, 560), cx)
	}
	return func(t float64) stage {
		s := rest(t)
		var m mesh
		gust := 0.4 + 0.6*math.Pow(math.Sin(0.23*t+6*hash(salt, 4, 560)), 2)
		for i := range 90 {
			k := salt*131 + i
			a, d := 2*math.Pi*hash(k, 1, 561), math.Sqrt(hash(k, 2, 561))
			z := 0.25 + 1.7*hash(k, 3, 561)
			x := cx + 0.95*d*math.Cos(a) + gust*0.16*z*math.Sin((1.3+0.9*hash(k, 4, 561))*t+3*hash(k, 5, 561))
			y := cy + 0.6*d*math.Sin(a)
			z += 0.05 * gust * math.Sin(2.1*t+float64(i))
			r := 0.1 + 0.14*hash(k, 6, 561)
			c := vec{0.06, 0.11, 0.035}.mul(0.5 + 1.3*hash(k, 7, 561))
			tilt := 0.8 * hash(k, 8, 561)
			m.quad(vec{x - r, y, z - r*tilt}, vec{x + r*tilt, y - 0.05, z - r}, vec{x + r, y, z + r*tilt}, vec{x - r*tilt, y + 0.05, z + r}, &material{colour: c})
		}
		m.casters = append(m.casters, newCaster(stand(vec{cx, cy, 0}, 0), vec{-0.8, -0.5, 0.1}, vec{0.8, 0.5, 1.7}))
		s.actors = append(s.actors, actor{"bush", m, false})
		s.sweep = true
		return s
	}
}

// kneels has somebody come to the bush, kneel beside it for a while and go.
func kneels(salt int) act {
	rest := bays([2]bool{})
	x := -5 + 10*hash(salt, 1, 560)
	if math.Abs(x) < 2.2 {
		x = math.Copysign(2.2+hash(salt, 3, 560), x)
	}
	x -= math.Copysign(1.3, x)
	marks := []mark{{0, 9, 6.5}, {5, x, 11.6}, {15, x, 11.6}, {20, 9.5, 6}}
	return func(t float64) stage {
		s := rest(t)
		at, yaw, way, speed := course(t, marks)
		f := walker(2, at, yaw, way, speed)
		if t > 5 && t < 15 {
			k := smooth(5, 6, t) * smooth(15, 14, t)
			f.walking, f.bend, f.reach, f.tool = 0, k*(0.85+0.1*math.Sin(t*1.7)), k*(0.8+0.2*math.Sin(t*4.1)), true
		}
		s.actors = append(s.actors, actor{"person", person(f), false})
		return s
	}
}

// pennants are little flags on a line.
func pennants(salt int) act {
	rest := bays([2]bool{})
	return func(t float64) stage {
		s := rest(t)
		var m mesh
		y, x0, x1 := 14.6+hash(salt, 1, 570), -6.0, 6.0
		for _, x := range []float64{x0, x1} {
			m.limb(vec{x, y, 0}, vec{x, y, 3.4}, 0.05, 0.04, paint(0.5, 0.5, 0.5))
		}
		pace := 3 + 2.5*hash(salt, 2, 570)
		swing := 0.12 * math.Sin(t*1.1)
		for i := range 16 {
			u := (float64(i) + 0.5) / 16
			x, z := x0+(x1-x0)*u, 3.3-0.9*math.Sin(math.Pi*u)
			yy := y + swing*math.Sin(math.Pi*u)
			flap := 0.28 * math.Sin(t*pace+float64(i)*1.7)
			c := []vec{{0.55, 0.08, 0.06}, {0.6, 0.55, 0.1}, {0.08, 0.2, 0.5}, {0.6, 0.6, 0.58}}[i%4].mul(0.85 + 0.25*flap)
			m.quad(vec{x - 0.2, yy, z}, vec{x + 0.2, yy, z}, vec{x + 0.06 + flap, yy - 0.3*math.Abs(flap), z - 0.42}, vec{x - 0.02 + flap, yy - 0.3*math.Abs(flap), z - 0.45}, &material{colour: c})
		}
		s.actors = append(s.actors, actor{"pennants", m, false})
		s.sweep = true
		return s
	}
}

// tarpaulin lies over something, and one end of it is loose.
func tarpaulin(salt int) act {
	rest := bays([2]bool{})
	return func(t float64) stage {
		s := rest(t)
		var m mesh
		x, y := 3.2+1.5*hash(salt, 1, 580), 12.5+hash(salt, 2, 580)
		if hash(salt, 3, 580) < 0.5 {
			x = -x - 1.6
		}
		m.box(stand(vec{}, 0), vec{x, y, 0}, vec{x + 1.6, y + 1, 0.9}, paint(0.1, 0.22, 0.35), true)
		gust := math.Pow(0.5+0.5*math.Sin(0.5*t+6*hash(salt, 4, 580)), 2)
		for i := range 6 {
			u, w := float64(i)/6, float64(i+1)/6
			lift := func(u float64) (float64, float64) {
				return 0.35 * u * u * (0.3 + gust*(0.7+0.5*math.Sin(t*6+u*4))), 0.9 - 0.8*u + 0.7*u*u*gust*(0.6+0.4*math.Sin(t*5.3+u*3))
			}
			o0, z0 := lift(u)
			o1, z1 := lift(w)
			c := vec{0.12, 0.3, 0.5}.mul(0.8 + 0.3*math.Sin(t*6+u*4)*gust)
			m.quad(vec{x, y - o0 - 0.02, z0}, vec{x, y - o1 - 0.02, z1}, vec{x + 1.6, y - o1 - 0.02, z1 + 0.05*gust}, vec{x + 1.6, y - o0 - 0.02, z0}, &material{colour: c})
		}
		s.actors = append(s.actors, actor{"tarpaulin", m, false})
		s.sweep = true
		return s
	}
}

// pillar is one with posters that turns.
func pillar(salt int) act {
	rest := bays([2]bool{})
	return func(t float64) stage {
		s := rest(t)
		var m mesh
		x, y := -5+3*hash(salt, 1, 590), 14.2+0.8*hash(salt, 2, 590)
		m.limb(vec{x, y, 0}, vec{x, y, 0.6}, 0.5, 0.5, paint(0.2, 0.2, 0.2))
		turn := 0.55 * t
		for i := range 18 {
			a, b := turn+2*math.Pi*float64(i)/18, turn+2*math.Pi*float64(i+1)/18
			c := []vec{{0.6, 0.6, 0.56}, {0.5, 0.1, 0.1}, {0.1, 0.14, 0.3}}[i/6].mul(0.6 + 0.7*hash(salt, i, 591))
			m.quad(vec{x + 0.5*math.Cos(a), y + 0.5*math.Sin(a), 0.6}, vec{x + 0.5*math.Cos(b), y + 0.5*math.Sin(b), 0.6},
				vec{x + 0.5*math.Cos(b), y + 0.5*math.Sin(b), 2.6}, vec{x + 0.5*math.Cos(a), y + 0.5*math.Sin(a), 2.6}, &material{colour: c})
		}
		s.actors = append(s.actors, actor{"pillar", m, false})
		s.sweep = true
		return s
	}
}

// beacon is a lamp on a machine outside that turns, and lights the place each time.
func beacon(salt int) act {
	rest := bays([2]bool{})
	return func(t float64) stage {
		s := rest(t)
		a := 2.6*t + 6*hash(salt, 1, 595)
		s.lamps = append(s.lamps, lamp{at: vec{8.5, 9 + 4*hash(salt, 2, 595), 2.4}, colour: vec{9, 5, 1}, direction: vec{math.Cos(a), math.Sin(a), -0.12}.unit(), cone: 0.86, shadows: true})
		s.sweep = true
		return s
	}
}

package studio

import "math"

// Trials are shots that no simulated camera shows: places, weather and things that a
// detector was not tuned on. A set of them is made once, judged once, and from then on
// known; so there are several.
func Trials() []Shot {
	var list []Shot
	for set, first := range []int{11, 31} {
		list = append(list, trials(string(rune('a'+set)), first)...)
	}
	for set, first := range []int{51, 71} {
		list = append(list, odd(string(rune('c'+set)), first)...)
	}
	list = append(list, restless("e", 91)...)
	list = append(list, unsettled("f", 111)...)
	return list
}

// trials is one set, at sites that are counted from first on.
func trials(set string, first int) []Shot {
	var list []Shot
	add := func(name string, seconds int, v view, w mood, a act, change func(*optics)) {
		o := usual(w)
		if change != nil {
			change(&o)
		}
		list = append(list, Shot{set + "-" + name, seconds, v, w, a, o})
	}
	quiet := func(name string, v view, w mood, change func(*optics)) { add(name, 4, v, w, bays([2]bool{}), change) }
	wet := func(v view) view {
		dry := v.light
		v.light = func(w mood) lighting {
			l := dry(w)
			l.wet = 0.8
			return l
		}
		return v
	}
	across := func(pace float64) []mark {
		y := 5 + 2*hash(first, 1, 420)
		return []mark{{0, -9, y}, {9 / pace, 0, y + 2}, {18 / pace, 9, y - 0.5}}
	}
	rainy := func(o *optics) { o.rain = 1.6 }
	v := wet(site(first))
	add("rain-night", 8, v, night, bays([2]bool{}), rainy)
	add("rain-night-walks", 12, v, night, walks(0, [2]bool{}, false, across(1.5)), rainy)

	snowy := func(o *optics) { o.snow, o.exposure = 1, 1.05 }
	v = site(first + 1)
	add("snow", 8, v, rain, bays([2]bool{}), snowy)
	add("snow-walks", 12, v, rain, walks(1, [2]bool{}, false, across(1.5)), snowy)

	v = site(first + 2)
	quiet("day", v, day, nil)
	add("bus", 8, v, day, buses(8), nil)
	add("leaves", 12, v, day, leafShade(first), nil)
	add("flag", 12, v, day, flags(first), nil)
	add("slow", 20, v, day, walks(2, [2]bool{}, false, []mark{{0, -3.5, 8}, {20, 1.5, 9}}), nil)
	add("crouches", 20, v, day, crouches(), nil)

	v = site(first + 3)
	quiet("infrared", v, infrared, nil)
	add("cat", 10, v, infrared, cats(first), nil)
	add("insect", 10, v, infrared, bays([2]bool{}), func(o *optics) { o.insect = 1 })
	add("web", 10, v, infrared, bays([2]bool{}), func(o *optics) { o.web = 1 })
	add("infrared-crouches", 20, v, infrared, crouches(), nil)

	quiet("lit", garage(), day, nil)
	quiet("unlit", unlit(garage()), night, nil)

	// What is done to cameras, in places of their own.
	v = site(first + 4)
	quiet("night", v, night, nil)
	add("lights", 10, v, night, turnsBehind(10, first), nil)
	for name, change := range map[string]func(*optics){
		"hand": func(o *optics) {
			if o.hand = 1; set == "a" { // a veil that lets a little through
				o.hand, o.cover = 0, 0.93
			}
		}, "sprayed": func(o *optics) { o.paint = 0.97 },
		"blurred": func(o *optics) { o.blur = 9 }, "torch": func(o *optics) { o.glare = 2.2 },
	} {
		quiet("night-"+name, v, night, change)
		quiet("day-"+name, site(first+2), day, change)
	}
	if set != "a" {
		list = append(list, more(set, first)...)
	}
	pushed := site(first + 2)
	pushed.camera = pannedBy(pushed.camera, 0.33)
	quiet("day-pushed", pushed, day, nil)
	pushed = v
	pushed.camera = pannedBy(pushed.camera, -0.4)
	quiet("night-pushed", pushed, night, nil)
	return list
}

// more are shots that later sets have beside those of the first.
func more(set string, first int) []Shot {
	var list []Shot
	add := func(name string, seconds int, v view, w mood, a act) {
		list = append(list, Shot{set + "-" + name, seconds, v, w, a, usual(w)})
	}
	// Wind, and then somebody in it.
	v := site(first + 2)
	across := []mark{{0, -8, 7}, {6, 0, 9.5}, {12, 8, 6}}
	wind := func(weather, who act) act {
		return func(t float64) stage {
			s := weather(t)
			s.actors = append(s.actors, who(t).actors[1:]...) // without the cables, which are there
			return s
		}
	}
	add("flag-walks", 12, v, day, wind(flags(first), walks(3, [2]bool{}, false, across)))
	add("leaves-walks", 12, v, day, wind(leafShade(first), walks(0, [2]bool{}, false, across)))
	// A car in the dark, and one by day.
	v = site(first + 4)
	add("arrives", 6, v, night, arrives(1, [2]bool{}, 6, 1))
	add("stands", 4, v, night, bays([2]bool{false, true}))
	add("leaves-bay", 8, v, night, leaves(1, [2]bool{false, true}, 8, 1))
	add("torch-walks", 12, v, night, torchbearer())
	return list
}

// torchbearer walks along the bays and lights the way.
func torchbearer() act {
	marks := []mark{{0, -8, 7}, {6, 0, 9.8}, {12, 8, 7}}
	rest := walks(2, [2]bool{}, false, marks)
	return func(t float64) stage {
		s := rest(t)
		at, yaw, _, _ := course(t, marks)
		p := stand(at, yaw+0.3*math.Sin(t*2))
		s.lamps = append(s.lamps, lamp{at: p.point(vec{0.2, 0.4, 1}), colour: vec{12, 12, 11}, direction: p.turn(vec{0, 1, -0.35}).unit(), cone: 0.9, shadows: true})
		s.sweep = true
		return s
	}
}

// pannedBy is a camera turned to the side by an angle.
func pannedBy(c camera, angle float64) camera {
	s, k := math.Sincos(angle)
	f := c.forward.mul(k).add(c.right.mul(s)).unit()
	r := f.cross(vec{0, 0, 1}).unit()
	return camera{c.at, r, r.cross(f), f, c.focal}
}

// buses has one pass behind the bays.
func buses(seconds float64) act {
	rest := bays([2]bool{})
	return func(t float64) stage {
		s := rest(t)
		x := -40 + 80*(t-0.4)/(seconds-0.8)
		s.actors = append(s.actors, actor{"vehicle", bus(stand(vec{x, 17.4, 0}, -math.Pi/2)), false})
		return s
	}
}

func bus(p pose) mesh {
	var m mesh
	body, glass := &material{colour: vec{0.5, 0.1, 0.07}, gloss: 0.4}, &material{colour: vec{0.03, 0.035, 0.04}, gloss: 0.8}
	m.box(p, vec{-1.27, -6, 0.35}, vec{1.27, 6, 3.1}, body, true)
	for y := -5.6; y < 5.4; y += 1.6 {
		m.box(p, vec{-1.29, y, 1.5}, vec{1.29, y + 1.35, 2.6}, glass, false)
	}
	for _, y := range []float64{-3.8, 3.6} {
		for _, s := range []float64{1, -1} {
			m.limb(p.point(vec{s * 1.05, y, 0.48}), p.point(vec{s * 1.3, y, 0.48}), 0.48, 0.46, paint(0.02, 0.02, 0.02))
		}
	}
	return m
}

// leafShade is the shadow of a tree that is not in the picture, in the wind.
func leafShade(salt int) act {
	rest := bays([2]bool{})
	v := site(salt + 2)
	sun := v.light(day).toSun
	return func(t float64) stage {
		s := rest(t)
		var m mesh
		for i := range 22 {
			x, y := -4+8*hash(salt, i, 430), 6+5*hash(salt, i, 431)
			k := 7 / sun.z
			sway := 0.35 * math.Sin(t*(1.1+0.5*hash(salt, i, 432))+6*hash(salt, i, 433))
			p := vec{x + sway, y + 0.5*sway, 0}.add(sun.mul(k))
			d := 0.15 + 0.35*hash(salt, i, 434)
			m.casters = append(m.casters, newCaster(stand(p, 3*hash(salt, i, 435)), vec{-d, -d, -0.05}, vec{d, d, 0.05}))
		}
		s.actors = append(s.actors, actor{"shade", m, false})
		s.sweep = true
		return s
	}
}

// flags has one wave on its pole.
func flags(salt int) act {
	rest := bays([2]bool{})
	return func(t float64) stage {
		s := rest(t)
		var m mesh
		x, y := -3+6*hash(salt, 1, 440), 15.0
		m.limb(vec{x, y, 0}, vec{x, y, 5}, 0.05, 0.04, paint(0.6, 0.6, 0.6))
		at := func(u, z float64) vec {
			k := math.Sin(u*4-t*5)*0.22*u + 0.1*math.Sin(t*1.3)*u
			return vec{x + u*(0.9+0.1*math.Sin(t*0.7)), y + k, z - 0.15*u}
		}
		for i := range 8 {
			u, w := float64(i)*0.19, float64(i+1)*0.19
			for j, c := range []vec{{0.5, 0.05, 0.05}, {0.6, 0.6, 0.6}, {0.05, 0.1, 0.4}} {
				z := 4.9 - 0.32*float64(j)
				m.quad(at(u, z-0.32), at(w, z-0.32), at(w, z), at(u, z), &material{colour: c})
			}
		}
		m.casters = append(m.casters, newCaster(stand(vec{x, y, 0}, 0), vec{-0.1, -0.05, 3.7}, vec{1.7, 0.05, 5}))
		s.actors = append(s.actors, actor{"flag", m, false})
		return s
	}
}

// crouches has somebody come, bend down to the cable and go again.
func crouches() act {
	rest := bays([2]bool{})
	marks := []mark{{0, 9, 6}, {5, 1.3, 11.9}, {15, 1.3, 11.9}, {20, 9.5, 5}}
	return func(t float64) stage {
		s := rest(t)
		at, yaw, way, speed := course(t, marks)
		f := walker(1, at, yaw, way, speed)
		f.hood = true
		if t > 5 && t < 15 {
			k := smooth(5, 6, t) * smooth(15, 14, t)
			f.walking, f.bend, f.reach, f.tool = 0, k*(0.92+0.06*math.Sin(t*2)), k, true
			f.pose = stand(vec{1.3 + 0.05*math.Sin(t), 11.9, 0}, 0.9)
		}
		s.actors = append(s.actors, actor{"person", person(f), false})
		return s
	}
}

// cats has one trot across.
func cats(salt int) act {
	rest := bays([2]bool{})
	marks := []mark{{0.4, -7, 7.5}, {4, -0.5, 6 + hash(salt, 1, 450)}, {5.5, -0.5, 6 + hash(salt, 1, 450)}, {9, 6.5, 8}}
	return func(t float64) stage {
		s := rest(t)
		at, yaw, way, _ := course(t, marks)
		s.actors = append(s.actors, actor{"animal", cat(stand(at, yaw), way), false})
		return s
	}
}

func cat(p pose, way float64) mesh {
	var m mesh
	fur := &material{colour: vec{0.16, 0.14, 0.12}}
	at := func(x, y, z float64) vec { return p.point(vec{x, y, z}) }
	m.limb(at(0, -0.22, 0.23), at(0, 0.2, 0.24), 0.085, 0.08, fur)
	m.ball(at(0, 0.3, 0.3), vec{0.06, 0.07, 0.06}, fur)
	m.limb(at(0, -0.24, 0.25), at(0, -0.5, 0.38), 0.03, 0.02, fur)
	for i, y := range []float64{0.16, 0.16, -0.18, -0.18} {
		k := 0.09 * math.Sin(way*9+float64(i)*math.Pi*0.5)
		x := 0.06 - 0.12*float64(i%2)
		m.limb(at(x, y, 0.2), at(x, y+k, 0.02), 0.03, 0.02, fur)
	}
	m.casters = append(m.casters, newCaster(p, vec{-0.09, -0.3, 0}, vec{0.09, 0.34, 0.32}))
	return m
}

// turnsBehind is the light of a car that turns behind the camera, the other way round
// than in the scenes and slower.
func turnsBehind(seconds float64, salt int) act {
	rest := bays([2]bool{})
	return func(t float64) stage {
		s := rest(t)
		k := (t - 1) / (seconds - 2)
		if k <= 0 || k >= 1 {
			return s
		}
		s.sweep = true
		angle := 1.1 - 2.3*k
		p := stand(vec{3 - 5*k, -4 - 2*hash(salt, 1, 460), 0}, -angle)
		for _, l := range headlamps(p, looks(0), 2*math.Sin(math.Pi*k)) {
			l.at.z = 0.75
			l.shadows = true
			s.lamps = append(s.lamps, l)
		}
		return s
	}
}

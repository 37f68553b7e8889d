package studio

import "math"

// stage is what moves at one moment of a shot.
type stage struct {
	actors []actor
	lamps  []lamp
	lit    [2]int
	// dim multiplies the light that is there; 0 is 1.
	dim float64
	// sweep is set when light falls on everything: the whole picture is drawn anew.
	sweep bool
}

// actor is a thing that a detector is to see, or is to ignore.
type actor struct {
	what string // vehicle or person
	mesh mesh
	// still actors belong to the place as far as a detector is concerned.
	still bool
}

// act tells what happens at a time of a shot, in seconds.
type act func(t float64) stage

func looks(i int) carLook {
	return [...]carLook{
		{vec{0.46, 0.47, 0.48}, 4.35, 1.50, false},
		{vec{0.02, 0.10, 0.24}, 4.55, 1.46, false},
	}[i]
}

func bayX(i int) float64 { return [2]float64{bayLeft, bayRight}[i] }

// parked is a car in its bay, plugged in.
func parked(i int) actor {
	look := looks(i)
	m := car(stand(vec{bayX(i), bayMiddle, 0}, 0), look, false, false)
	side := float64(2*i - 1)
	inlet := vec{bayX(i) - side*0.93, bayMiddle + 1.2, 0.85}
	m.rope(holster(chargerPose(), side), inlet, 0.55, 0.022, paint(0.015, 0.015, 0.015))
	return actor{"vehicle", m, true}
}

// idleCables hang at the charger where no car is plugged in.
func idleCables(cars [2]bool, cut [2]bool) mesh {
	var m mesh
	black := paint(0.015, 0.015, 0.015)
	for i := range 2 {
		side := float64(2*i - 1)
		from := holster(chargerPose(), side)
		switch {
		case cars[i]:
		case cut[i]:
			m.limb(from, from.add(vec{side * 0.05, -0.05, -0.25}), 0.022, 0.022, black)
		default:
			m.rope(from, chargerPose().point(vec{side * 0.26, -0.33, 0.95}), 0.75, 0.022, black)
		}
	}
	return m
}

// bays are the bays with the cars that stand there.
func bays(cars [2]bool) act {
	return func(float64) stage {
		var s stage
		for i, there := range cars {
			if there {
				s.actors = append(s.actors, parked(i))
				s.lit[i] = 1
			}
		}
		s.actors = append(s.actors, actor{"cable", idleCables(cars, [2]bool{}), true})
		return s
	}
}

// ease goes from 0 to 1 with a soft start, a soft end, or both.
func ease(t float64, in, out bool) float64 {
	t = clamp(t, 0, 1)
	switch {
	case in && out:
		return t * t * (3 - 2*t)
	case in:
		return t * t * (1.6 - 0.6*t)
	case out:
		return 1 - (1-t)*(1-t)*(1.6-0.6*(1-t))
	}
	return t
}

func bezier(p [4]vec, t float64) (at, direction vec) {
	q := 1 - t
	at = p[0].mul(q * q * q).add(p[1].mul(3 * q * q * t)).add(p[2].mul(3 * q * t * t)).add(p[3].mul(t * t * t))
	direction = p[1].sub(p[0]).mul(3 * q * q).add(p[2].sub(p[1]).mul(6 * q * t)).add(p[3].sub(p[2]).mul(3 * t * t))
	return at, direction
}

// yawOf turns a model whose nose looks along y into a direction.
func yawOf(d vec) float64 { return math.Atan2(-d.x, d.y) }

func moving(p pose, look carLook, braking bool, dark float64) (actor, []lamp) {
	return actor{"vehicle", car(p, look, true, braking), false}, headlamps(p, look, dark)
}

// arrives drives a car into bay i within seconds; cars stand there already.
func arrives(i int, cars [2]bool, seconds, dark float64) act {
	x := bayX(i)
	way := [4]vec{{-19, laneMiddle, 0}, {x + 1.2, laneMiddle - 0.9, 0}, {x, laneMiddle - 0.5, 0}, {x, bayMiddle, 0}}
	rest := bays(cars)
	return func(t float64) stage {
		s := rest(t)
		k := ease((t-0.2)/(seconds-1.4), false, true)
		at, d := bezier(way, k)
		if k > 0.97 {
			d = vec{0, 1, 0}
		}
		a, l := moving(stand(at, yawOf(d)), looks(i), k > 0.6, dark)
		s.actors, s.lamps = append(s.actors, a), append(s.lamps, l...)
		return s
	}
}

// leaves backs a car out of bay i and drives it off.
func leaves(i int, cars [2]bool, seconds, dark float64) act {
	x := bayX(i)
	out := [4]vec{{x, bayMiddle, 0}, {x, laneMiddle + 2.2, 0}, {x - 0.6, laneMiddle + 0.1, 0}, {x - 5, laneMiddle, 0}}
	cars[i] = false
	rest := bays(cars)
	return func(t float64) stage {
		s := rest(t)
		half := seconds * 0.55
		var p pose
		braking := false
		if t < half {
			k := ease((t-0.6)/(half-0.9), true, true)
			at, d := bezier(out, k)
			if k < 0.02 {
				d = vec{0, -1, 0}
			}
			p, braking = stand(at, yawOf(d.mul(-1))), k > 0.7 || k == 0
		} else {
			k := ease((t-half-0.1)/(seconds-half-0.3), true, false)
			p = stand(vec{x - 5 + (25-x)*k, laneMiddle, 0}, yawOf(vec{1, 0, 0}))
		}
		a, l := moving(p, looks(i), braking, dark)
		s.actors, s.lamps = append(s.actors, a), append(s.lamps, l...)
		return s
	}
}

// mark is a place where somebody is at a time.
type mark struct{ t, x, y float64 }

// course is a way on foot through marks; where two follow at one place they stand.
func course(t float64, marks []mark) (at vec, yaw, way, speed float64) {
	last := marks[0]
	yaw = yawOf(vec{marks[1].x - last.x, marks[1].y - last.y, 0})
	for _, m := range marks[1:] {
		step := math.Hypot(m.x-last.x, m.y-last.y)
		if step > 0.01 {
			yaw = yawOf(vec{m.x - last.x, m.y - last.y, 0})
		}
		if t <= m.t {
			k := clamp((t-last.t)/(m.t-last.t), 0, 1)
			return vec{last.x + (m.x-last.x)*k, last.y + (m.y-last.y)*k, 0}, yaw, way + step*k, step / (m.t - last.t)
		}
		way += step
		last = m
	}
	return vec{last.x, last.y, 0}, yaw, way, 0
}

type clothes struct{ coat, trousers, hair vec }

func dress(i int) clothes {
	return [...]clothes{
		{vec{0.34, 0.09, 0.06}, vec{0.045, 0.06, 0.12}, vec{0.06, 0.04, 0.03}},
		{vec{0.035, 0.037, 0.045}, vec{0.03, 0.03, 0.035}, vec{0.03, 0.03, 0.03}},
		{vec{0.06, 0.065, 0.06}, vec{0.05, 0.045, 0.04}, vec{0.03, 0.03, 0.03}},
		{vec{0.30, 0.32, 0.33}, vec{0.04, 0.04, 0.045}, vec{0.16, 0.11, 0.06}},
	}[i]
}

func walker(i int, at vec, yaw, way, speed float64) figure {
	c := dress(i)
	return figure{pose: stand(at, yaw), coat: c.coat, trousers: c.trousers, hair: c.hair, skin: vec{0.42, 0.27, 0.2},
		stride: way / 0.72, walking: min(speed/1.35, 1.7)}
}

// walks takes somebody through marks while cars stand there.
func walks(who int, cars [2]bool, bag bool, marks []mark) act {
	rest := bays(cars)
	return func(t float64) stage {
		s := rest(t)
		at, yaw, way, speed := course(t, marks)
		f := walker(who, at, yaw, way, speed)
		f.bag = bag
		s.actors = append(s.actors, actor{"person", person(f), false})
		return s
	}
}

// The raid: two people come for the cables of both sides.
func raidMark(who int) vec { return [2]vec{{-1.05, 12.35, 0}, {1.15, 12.3, 0}}[who] }

func raiders(t float64, marks [2][]mark, cut [2]bool, work bool) stage {
	var s stage
	s.actors = append(s.actors, actor{"cable", idleCables([2]bool{}, cut), true})
	if cut[0] && cut[1] {
		s.lit = [2]int{2, 2}
	}
	for i := range 2 {
		at, yaw, way, speed := course(t, marks[i])
		f := walker(1+i, at, yaw, way, speed)
		f.hood = true
		f.tool, f.bag = i == 0, i == 1 && !work
		if work {
			k := t*2*math.Pi/5 + float64(i)*1.7
			f.pose = stand(raidMark(i).add(vec{0.10 * math.Sin(k), 0.05 * math.Cos(2*k), 0}), []float64{-0.85, 0.8}[i]+0.35*math.Sin(k))
			f.walking, f.bend, f.reach = 0, 0.55+0.35*math.Sin(k*2), 0.75+0.25*math.Sin(k*4)
		}
		s.actors = append(s.actors, actor{"person", person(f), false})
	}
	return s
}

func raidComes(t float64) stage {
	return raiders(t, [2][]mark{
		{{0, 11.5, 5.2}, {5.5, 1.8, 10.6}, {7.2, -1.05, 12.1}, {10, -1.05, 12.35}},
		{{0.8, 12.2, 4.4}, {6.6, 3.0, 11.2}, {8.2, 1.15, 12.2}, {10, 1.15, 12.3}},
	}, [2]bool{}, false)
}

func raidWorks(cut [2]bool) act {
	return func(t float64) stage {
		return raiders(t, [2][]mark{{{0, 0, 0}, {1, 0, 0}}, {{0, 0, 0}, {1, 0, 0}}}, cut, true)
	}
}

func raidFlees(t float64) stage {
	return raiders(t, [2][]mark{
		{{0, -1.05, 12.35}, {1.2, -1.05, 12.0}, {6.6, 12.5, 4.2}, {8, 16, 3}},
		{{0, 1.15, 12.3}, {1.0, 1.4, 12.0}, {5.8, 12.0, 5}, {8, 18, 3.6}},
	}, [2]bool{true, true}, false)
}

// sweeps is a car that turns behind the camera: only its light comes by.
func sweeps(seconds float64) act {
	rest := bays([2]bool{})
	return func(t float64) stage {
		s := rest(t)
		k := (t - 1.5) / (seconds - 3)
		if k <= 0 || k >= 1 {
			return s
		}
		s.sweep = true
		angle := -1.25 + 2.5*k
		p := stand(vec{-1 + 4*k, -5.5, 0}, -angle)
		for _, l := range headlamps(p, looks(0), 2.6*math.Sin(math.Pi*k)) {
			l.at.z = 0.9
			l.shadows = true
			s.lamps = append(s.lamps, l)
		}
		return s
	}
}

// clouds makes it darker and lighter, at first slowly, then at once.
func clouds(t float64) stage {
	s := bays([2]bool{})(t)
	s.dim = 1 - 0.55*smooth(2, 8, t) + 0.55*smooth(9, 11, t)
	switch {
	case t >= 13 && t < 15:
		s.dim = 0.72
	case t >= 15 && t < 17:
		s.dim = 1.18
	}
	s.sweep = s.dim != 1
	return s
}

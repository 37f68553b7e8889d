package studio

import "math"

// paint is a plain surface.
func paint(r, g, b float64) *material { return &material{colour: vec{r, g, b}} }

// carLook is what tells cars apart.
type carLook struct {
	colour vec
	long   float64 // length
	tall   float64 // height of the roof
	van    bool
}

// car draws a car whose middle stands at the pose and whose nose looks along y.
// The light of its lamps is added apart.
func car(p pose, look carLook, lights, braking bool) mesh {
	var m mesh
	body := &material{colour: look.colour, gloss: 0.55}
	lower := paint(0.035, 0.036, 0.04)
	glass := &material{colour: vec{0.02, 0.025, 0.03}, gloss: 0.9}
	chrome := &material{colour: vec{0.3, 0.31, 0.32}, gloss: 0.7}
	l, w := look.long/2, 0.91
	belt := 0.92
	if look.van {
		belt = 1.15
	}
	// From the nose over the bonnet to the back and under it again.
	shell := []vec{
		{w * 0.86, l, 0.45}, {w * 0.88, l - 0.04, 0.66}, {w * 0.95, l - 0.35, 0.80}, {w, l - 1.25, belt},
		{w, -l + 0.55, belt + 0.03}, {w * 0.96, -l + 0.06, belt - 0.04}, {w * 0.9, -l, 0.62}, {w * 0.9, -l + 0.03, 0.36}, {w * 0.95, l - 0.1, 0.30},
	}
	m.extrude(p, shell, func(int) *material { return body }, body)
	m.box(p, vec{-w * 0.97, -l + 0.12, 0.17}, vec{w * 0.97, l - 0.12, 0.36}, lower, false)
	front, back, roofFront, roofBack := l-1.2, -l+0.35, l-2.05, -l+0.95
	if look.van {
		front, back, roofFront, roofBack = l-0.65, -l+0.06, l-1.3, -l+0.14
	}
	cabin := []vec{{w * 0.93, front, belt - 0.02}, {w * 0.74, roofFront, look.tall}, {w * 0.74, roofBack, look.tall}, {w * 0.93, back, belt + 0.02}}
	m.extrude(p, cabin, func(i int) *material {
		if i == 1 {
			return body
		}
		return glass
	}, glass)
	// Roof and pillars over the glass.
	at := func(x, y, z float64) vec { return p.point(vec{x, y, z}) }
	for _, s := range []float64{1, -1} {
		for _, y := range []float64{(roofFront+roofBack)/2 + 0.1, roofBack - 0.1} {
			m.quad(at(s*w*0.945, y-0.05, belt), at(s*w*0.945, y+0.05, belt), at(s*w*0.755, y+0.05, look.tall-0.02), at(s*w*0.755, y-0.05, look.tall-0.02), body)
		}
		m.box(p, vec{s*w*0.98 - 0.1, front - 0.25, belt - 0.02}, vec{s*w*0.98 + 0.1, front - 0.1, belt + 0.12}, body, false)
		for _, y := range []float64{l - 0.85, -l + 0.85} {
			a, b := at(s*(w-0.2), y, 0.33), at(s*(w+0.015), y, 0.33)
			m.limb(a, b, 0.335, 0.325, paint(0.02, 0.02, 0.022))
			m.limb(b, at(s*(w+0.03), y, 0.33), 0.21, 0.17, chrome)
		}
	}
	var head, tail vec
	if lights {
		head, tail = vec{2.6, 2.5, 2.3}, vec{0.7, 0.03, 0.02}
	}
	if braking {
		tail = vec{1.6, 0.06, 0.04}
	}
	for _, s := range []float64{1, -1} {
		m.box(p, vec{s*0.63 - 0.2, l - 0.25, 0.60}, vec{s*0.63 + 0.2, l - 0.02, 0.72}, &material{colour: vec{0.55, 0.55, 0.54}, gloss: 0.6, glow: head}, false)
		m.box(p, vec{s*0.66 - 0.18, -l - 0.01, 0.70}, vec{s*0.66 + 0.18, -l + 0.15, 0.82}, &material{colour: vec{0.33, 0.02, 0.02}, glow: tail}, false)
	}
	plate := paint(0.75, 0.76, 0.74)
	m.box(p, vec{-0.26, -l - 0.02, 0.50}, vec{0.26, -l + 0.1, 0.61}, plate, false)
	m.box(p, vec{-0.26, l - 0.1, 0.42}, vec{0.26, l + 0.02, 0.52}, plate, false)
	m.casters = append(m.casters,
		newCaster(p, vec{-w, -l, 0.2}, vec{w, l, belt}),
		newCaster(p, vec{-w * 0.8, (back + roofBack) / 2, belt}, vec{w * 0.8, (front + roofFront) / 2, look.tall}))
	return m
}

// headlamps is the light a car throws ahead.
func headlamps(p pose, look carLook, strength float64) []lamp {
	if strength <= 0 {
		return nil
	}
	var out []lamp
	for _, s := range []float64{1, -1} {
		out = append(out, lamp{at: p.point(vec{s * 0.62, look.long/2 + 0.05, 0.66}), colour: vec{34, 32, 28}.mul(strength),
			direction: p.turn(vec{0, 1, -0.045}).unit(), cone: 0.86})
	}
	return out
}

// figure is a person and what they are doing.
type figure struct {
	pose
	coat, trousers, skin, hair vec
	stride                     float64 // phase of the walk in half steps
	walking                    float64 // 0 stands, 1 walks, 1.7 runs
	bend                       float64 // 0 upright, 1 bent down to the ground
	reach                      float64 // arms forward, 0 to 1
	hood, bag, tool            bool
}

func person(f figure) mesh {
	var m mesh
	coat, legs := &material{colour: f.coat}, &material{colour: f.trousers}
	skin, shoes := &material{colour: f.skin}, paint(0.03, 0.03, 0.03)
	swing := math.Sin(f.stride*math.Pi) * 0.34 * f.walking
	bob := math.Abs(math.Cos(f.stride*math.Pi)) * 0.03 * f.walking
	hip := 0.92 - 0.34*f.bend + bob
	at := func(x, y, z float64) vec { return f.point(vec{x, y, z}) }
	for i, s := range []float64{1, -1} {
		k := swing * s
		lift := max(0, math.Sin(f.stride*math.Pi+float64(i)*math.Pi+1.2)) * 0.12 * f.walking
		knee := at(s*0.11, k*0.45+0.22*f.bend+lift*0.8, hip*0.54)
		foot := at(s*0.12, k-lift*0.8, 0.08+lift)
		m.limb(at(s*0.10, -0.1*f.bend, hip), knee, 0.095, 0.07, legs)
		m.limb(knee, foot, 0.07, 0.05, legs)
		m.limb(foot.add(f.turn(vec{0, -0.06, -0.03})), foot.add(f.turn(vec{0, 0.17, -0.04})), 0.05, 0.04, shoes)
	}
	lean := 0.62*f.bend + 0.07*f.walking
	neck := at(0, lean*0.75, hip+0.54-0.2*f.bend)
	m.limb(at(0, -0.1*f.bend, hip-0.06), at(0, lean*0.3, hip+0.24), 0.155, 0.175, coat)
	m.limb(at(0, lean*0.3, hip+0.24), neck.add(vec{0, 0, -0.04}), 0.175, 0.165, coat)
	m.ball(neck.add(vec{0, 0, -0.05}), vec{0.17, 0.15, 0.09}, coat)
	m.limb(neck, neck.add(vec{0, 0, 0.12}), 0.055, 0.055, skin)
	for _, s := range []float64{1, -1} {
		shoulder := neck.add(f.turn(vec{s * 0.185, 0, -0.04}))
		k := -swing * s * 0.9
		hand := shoulder.add(f.turn(vec{s * 0.04, k + 0.04, -0.60}).mix(f.turn(vec{-s * 0.1, 0.48, -0.28}), f.reach))
		elbow := shoulder.mix(hand, 0.5).add(f.turn(vec{s * 0.03, -0.05 + k*0.1, 0}))
		m.limb(shoulder, elbow, 0.065, 0.055, coat)
		m.limb(elbow, hand, 0.055, 0.042, coat)
		m.ball(hand, vec{0.05, 0.05, 0.06}, skin)
		if f.tool {
			m.limb(hand, hand.add(f.turn(vec{-s * 0.1, 0.42, -0.22})), 0.022, 0.016, paint(0.35, 0.06, 0.05))
		}
		if f.bag && s > 0 {
			b := stand(hand.add(vec{0, 0, -0.32}), math.Atan2(f.sin, f.cos))
			m.box(b, vec{-0.1, -0.25, -0.15}, vec{0.1, 0.25, 0.2}, paint(0.05, 0.055, 0.06), false)
		}
	}
	head := neck.add(f.turn(vec{0, 0.03 + 0.1*f.bend, 0.19 - 0.03*f.bend}))
	m.ball(head, vec{0.095, 0.105, 0.125}, skin)
	top := &material{colour: f.hair}
	if f.hood {
		top = coat
		m.ball(head.add(f.turn(vec{0, -0.035, -0.03})), vec{0.13, 0.12, 0.16}, top)
	} else {
		m.ball(head.add(f.turn(vec{0, -0.025, 0.03})), vec{0.105, 0.105, 0.115}, top)
	}
	m.casters = append(m.casters, newCaster(f.pose, vec{-0.2, -0.15, 0}, vec{0.2, 0.2 + 0.3*f.bend, hip + 0.75 - 0.3*f.bend}))
	return m
}

// charger is a charging station with two sides. lit says what its lamps show
// for each: 0 free (green), 1 charging (blue), 2 dead.
func charger(p pose, lit [2]int) mesh {
	var m mesh
	shell := &material{colour: vec{0.62, 0.64, 0.65}, gloss: 0.25}
	dark := &material{colour: vec{0.05, 0.055, 0.06}, gloss: 0.3}
	m.box(p, vec{-0.42, -0.28, 0}, vec{0.42, 0.28, 0.12}, paint(0.28, 0.28, 0.27), false)
	m.box(p, vec{-0.36, -0.23, 0.12}, vec{0.36, 0.23, 1.9}, shell, true)
	m.box(p, vec{-0.30, -0.25, 0.5}, vec{0.30, -0.2, 1.78}, dark, false)
	m.box(p, vec{-0.2, -0.262, 1.25}, vec{0.2, -0.2, 1.58}, &material{colour: vec{0.1, 0.12, 0.14}, glow: vec{0.16, 0.24, 0.3}}, false)
	for i, s := range []float64{-1, 1} {
		glow := [3]vec{{0.05, 0.85, 0.25}, {0.08, 0.35, 1.3}, {0, 0, 0}}[lit[i]]
		m.box(p, vec{s*0.19 - 0.15, -0.27, 1.68}, vec{s*0.19 + 0.15, -0.2, 1.74}, &material{colour: vec{0.1, 0.1, 0.1}, glow: glow}, false)
		m.box(p, vec{s*0.24 - 0.06, -0.31, 0.85}, vec{s*0.24 + 0.06, -0.2, 1.05}, paint(0.02, 0.02, 0.02), false)
	}
	return m
}

// holster is where a cable of a side begins.
func holster(p pose, side float64) vec { return p.point(vec{side * 0.37, -0.1, 0.95}) }

func tree(at vec, height float64, salt int) mesh {
	var m mesh
	leaves := &material{colour: vec{0.07, 0.11, 0.045}, texture: func(p, c vec) vec {
		return c.mul(0.45 + 1.1*grain(p.x*5, p.z*5+p.y*3, salt))
	}}
	m.limb(at, at.add(vec{0, 0, height * 0.5}), 0.16, 0.1, paint(0.09, 0.07, 0.05))
	for i := range 7 {
		d := vec{hash(i, salt, 1) - 0.5, hash(i, salt, 2) - 0.5, hash(i, salt, 3) * 0.5}.mul(height * 0.5)
		r := height * (0.17 + 0.08*hash(i, salt, 4))
		m.ball(at.add(vec{0, 0, height * 0.6}).add(d), vec{r, r, r * 0.8}, leaves)
	}
	m.casters = append(m.casters, newCaster(stand(at, 0.4), vec{-height * 0.24, -height * 0.24, height * 0.4}, vec{height * 0.24, height * 0.24, height * 0.9}))
	return m
}

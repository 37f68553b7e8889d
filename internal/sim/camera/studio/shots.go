package studio

// Shot is a clip to be made.
type Shot struct {
	Name    string
	Seconds int
	view    view
	mood    mood
	act     act
	optics  optics
}

// Shots are all clips there are. Their lengths are whole groups of pictures, so
// that one may follow another.
func Shots() []Shot {
	var list []Shot
	way := []mark{{0.2, 11, 6.2}, {4.0, 4.4, 6.6}, {7.8, -2.2, 5.0}, {9.8, -7.8, 2.4}}
	for _, p := range []struct {
		view view
		mood mood
		name string
		dark float64
		both bool // cars come to both bays
	}{{yard(), day, "yard-day", 0, true}, {yard(), night, "yard-night", 1, false}, {garage(), day, "garage", 0.35, true}, {lot(), day, "lot", 0, false}} {
		o := usual(p.mood)
		add := func(name string, seconds int, a act) {
			list = append(list, Shot{p.name + "-" + name, seconds, p.view, p.mood, a, o})
		}
		for _, cars := range [][2]bool{{}, {true, false}, {false, true}, {true, true}} {
			if cars[1] && !p.both {
				continue
			}
			add("bays-"+code(cars), 4, bays(cars))
			for i := range 2 {
				after := cars
				after[i] = !cars[i]
				switch {
				case i == 1 && !p.both:
				case cars[i]:
					add("leaves-"+code(cars)+"-"+code(after), 8, leaves(i, cars, 8, p.dark))
				default:
					add("arrives-"+code(cars)+"-"+code(after), 6, arrives(i, cars, 6, p.dark))
				}
			}
		}
		add("walks", 10, walks(0, [2]bool{}, true, way))
	}
	add := func(name string, seconds int, v view, w mood, a act) {
		list = append(list, Shot{name, seconds, v, w, a, usual(w)})
	}
	hangs := [3][]mark{
		{{0.2, 9.5, 5.6}, {4.8, 2.6, 10.4}, {6, 1.5, 11.6}},
		{{0, 1.5, 11.6}, {2, 1.5, 11.6}, {4, -1.3, 11.7}, {6.5, -1.3, 11.7}, {8, 0.2, 11.0}, {9.4, 0.2, 11.0}, {11, 1.5, 11.6}, {12, 1.5, 11.6}},
		{{0, 1.5, 11.6}, {0.8, 1.5, 11.6}, {6, 9.8, 4.4}},
	}
	add("yard-day-loiters-comes", 6, yard(), day, walks(3, [2]bool{}, false, hangs[0]))
	add("yard-day-loiters-stays", 12, yard(), day, walks(3, [2]bool{}, false, hangs[1]))
	add("yard-day-loiters-goes", 6, yard(), day, walks(3, [2]bool{}, false, hangs[2]))
	add("yard-night-raid-comes", 10, yard(), night, raidComes)
	add("yard-night-raid-works", 10, yard(), night, raidWorks([2]bool{}))
	add("yard-night-raid-cuts", 10, yard(), night, raidWorks([2]bool{true, false}))
	add("yard-night-raid-flees", 10, yard(), night, raidFlees)
	add("garage-raid-comes", 10, garage(), day, raidComes)
	add("garage-raid-works", 10, garage(), day, raidWorks([2]bool{}))
	add("garage-raid-cuts", 10, garage(), day, raidWorks([2]bool{true, false}))
	add("garage-raid-flees", 10, garage(), day, raidFlees)
	empty := bays([2]bool{})
	special := func(name string, seconds int, v view, w mood, a act, change func(*optics)) {
		o := usual(w)
		if change != nil {
			change(&o)
		}
		list = append(list, Shot{name, seconds, v, w, a, o})
	}
	special("yard-day-clouds", 18, yard(), day, clouds, nil)
	special("yard-night-headlights", 8, yard(), night, sweeps(8), nil)
	special("yard-rain", 4, yard(), rain, empty, func(o *optics) { o.rain = 1 })
	special("yard-rain-walks", 10, yard(), rain, walks(3, [2]bool{}, false, way), func(o *optics) { o.rain = 1 })
	special("yard-infrared", 4, yard(), infrared, empty, nil)
	special("yard-infrared-walks", 10, yard(), infrared, walks(3, [2]bool{}, false, way), nil)
	for _, p := range []struct {
		name string
		view view
		mood mood
	}{{"yard-day", yard(), day}, {"yard-night", yard(), night}, {"garage", garage(), day}, {"lot", lot(), day}} {
		special(p.name+"-defocused", 4, p.view, p.mood, empty, func(o *optics) { o.blur = 16 })
		turned := p.view
		turned.camera = turnedAway(turned.camera)
		special(p.name+"-turned", 4, turned, p.mood, empty, nil)
	}
	add("yard-night-loiters-comes", 6, yard(), night, walks(3, [2]bool{}, false, hangs[0]))
	add("yard-night-loiters-stays", 12, yard(), night, walks(3, [2]bool{}, false, hangs[1]))
	add("yard-night-loiters-goes", 6, yard(), night, walks(3, [2]bool{}, false, hangs[2]))
	// The other bay at night.
	for _, cars := range [][2]bool{{}, {true, false}, {false, true}, {true, true}} {
		if cars[1] {
			add("yard-night-bays-"+code(cars), 4, yard(), night, bays(cars))
		}
		for i := range 2 {
			after := cars
			after[i] = !cars[i]
			switch {
			case i == 0 && !cars[1]: // is above
			case cars[i]:
				add("yard-night-leaves-"+code(cars)+"-"+code(after), 8, yard(), night, leaves(i, cars, 8, 1))
			default:
				add("yard-night-arrives-"+code(cars)+"-"+code(after), 6, yard(), night, arrives(i, cars, 6, 1))
			}
		}
	}
	add("yard-night-fox", 10, yard(), night, cats(1))
	special("covered", 4, yard(), day, empty, func(o *optics) { o.cover = 1 })
	special("blinded", 4, yard(), day, empty, func(o *optics) { o.glare = 4 })
	return list
}

func code(cars [2]bool) string {
	s := []byte("00")
	for i, there := range cars {
		if there {
			s[i] = '1'
		}
	}
	return string(s)
}

func usual(w mood) optics {
	switch w {
	case night:
		return optics{exposure: 2.3, noise: 3.2, saturation: 0.8}
	case infrared:
		return optics{exposure: 2.2, noise: 3, saturation: 0}
	case rain:
		return optics{exposure: 0.8, noise: 1.8, saturation: 0.75}
	}
	return optics{exposure: 0.95, noise: 1.6, saturation: 0.92}
}

// turnedAway is the camera after somebody has pushed it aside and up.
func turnedAway(c camera) camera {
	f := c.forward.mix(c.right.mul(-1.1).add(vec{0, 0, 0.16}), 0.52).unit()
	r := f.cross(vec{0, 0, 1}).unit()
	u := r.cross(f)
	r, u = r.add(u.mul(0.07)).unit(), u.sub(r.mul(0.07)).unit()
	return camera{c.at, r, u, f, c.focal}
}

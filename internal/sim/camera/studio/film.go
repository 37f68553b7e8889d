// Package studio draws the pictures of simulated cameras: charging bays by day
// and night with cars that come and go, people, weather and what is done to
// cameras.
//
// It promises that a shot is always the same, point for point, and that what is
// to be seen in it is known: where each car and person is comes from the same
// geometry as the picture. It is used once, by the generator of the clips; what
// streams from a simulated camera was encoded from it.
package studio

import (
	"math"
)

// Rate is the number of pictures a second.
const Rate = 15

// Sight is one thing to be seen in a shot.
type Sight struct {
	What string `json:"what"` // vehicle, person
	// From and To are seconds of the shot.
	From float64 `json:"from"`
	To   float64 `json:"to"`
	// Track is where it is, at every half second: left, top, right, bottom from 0 to 1.
	Track [][4]float64 `json:"track"`
}

// Film draws a shot, width points wide and in 16:9; each picture goes to put as
// three bytes a point.
func (s *Shot) Film(width int, put func([]byte) error) ([]Sight, error) {
	return s.FilmEvery(1, width, put)
}

// FilmEvery draws one picture in so many.
func (s *Shot) FilmEvery(nth, width int, put func([]byte) error) ([]Sight, error) {
	height := width * 9 / 16
	backdrop, c := newCanvas(width, height), newCanvas(width, height)
	static := s.view.static(s.mood)
	light := s.view.light(s.mood)
	sky := s.view.sky(s.mood)
	cam := &s.view.camera
	out := make([]byte, width*height*3)
	backdrop.seen = make([]surface, width*height)
	still := s.act(0)
	var seen watch
	settled := false
	for frame := range s.Seconds * Rate {
		t := float64(frame) / Rate
		now := s.act(t)
		seen.note(cam, t, now.actors)
		if frame%nth != 0 {
			continue
		}
		l, dim := light, 1.0
		if now.dim > 0 {
			dim = now.dim
			l.sky, l.ground, l.sun = l.sky.mul(dim), l.ground.mul(dim), l.sun.mul(dim)
		}
		l.lamps = append(l.lamps[:len(l.lamps):len(l.lamps)], now.lamps...)
		casters := static.casters[:len(static.casters):len(static.casters)]
		moves := now.sweep || len(now.lamps) > 0 && s.mood == night
		for _, a := range now.actors {
			casters = append(casters, a.mesh.casters...)
			moves = moves || !a.still
		}
		if !settled {
			// What stands there the whole time is drawn once.
			fixed := static.casters[:len(static.casters):len(static.casters)]
			for _, a := range still.actors {
				if a.still {
					fixed = append(fixed, a.mesh.casters...)
				}
			}
			shade := light.shader(cam.at, fixed)
			backdrop.clear(cam, sky)
			backdrop.draw(cam, static.tris, shade)
			for _, a := range still.actors {
				if a.still {
					backdrop.draw(cam, a.mesh.tris, shade)
				}
			}
			settled = true
		}
		shade := l.shader(cam.at, casters)
		c.copyFrom(backdrop)
		if moves {
			all := now.sweep || s.mood == night && len(now.lamps) > 0
			c.only(s.touched(cam, &l, now.actors, all))
			c.relight(backdrop, dim, shade)
		}
		for _, a := range now.actors {
			if !a.still {
				c.draw(cam, a.mesh.tris, shade)
			}
		}
		c.draw(cam, charger(chargerPose(), now.lit).tris, shade)
		c.everything()
		develop(c, s.optics, frame, out)
		if err := put(out); err != nil {
			return nil, err
		}
	}
	return seen.sights, nil
}

// Sights are what is to be seen, without drawing it.
func (s *Shot) Sights() []Sight {
	var seen watch
	for frame := range s.Seconds * Rate {
		t := float64(frame) / Rate
		seen.note(&s.view.camera, t, s.act(t).actors)
	}
	return seen.sights
}

// touched is the part of the picture that actors and their shadows may change.
func (s *Shot) touched(cam *camera, l *lighting, actors []actor, all bool) (left, top, right, bottom float64) {
	const aspect = 16.0 / 9
	if all {
		return 0, 0, 1, 1 / aspect
	}
	left, top = 1, 1
	grow := func(p vec) {
		x, y, d := cam.project(p, aspect)
		if d < near {
			left, top, right, bottom = 0, 0, 1, 1/aspect
			return
		}
		left, right = min(left, x-0.03), max(right, x+0.03)
		top, bottom = min(top, y-0.03), max(bottom, y+0.03)
	}
	for _, a := range actors {
		if a.still {
			continue
		}
		for i := range a.mesh.casters {
			for _, p := range a.mesh.casters[i].corners(0.8) {
				grow(p)
				if l.sun.x > 0 {
					grow(p.sub(l.toSun.mul(p.z / l.toSun.z)))
				}
				for _, k := range l.lamps {
					if k.shadows && k.at.z > p.z+0.3 && p.sub(k.at).length() < 14 {
						grow(p.add(p.sub(k.at).mul(min(3, p.z/(k.at.z-p.z)))))
					}
				}
			}
		}
	}
	return left, top, right, bottom
}

// corners of a box that is larger by margin at its sides.
func (c *caster) corners(margin float64) []vec {
	var out []vec
	for i := range 8 {
		p := vec{c.low.x - margin, c.low.y - margin, c.low.z}
		if i&1 > 0 {
			p.x = c.high.x + margin
		}
		if i&2 > 0 {
			p.y = c.high.y + margin
		}
		if i&4 > 0 {
			p.z = c.high.z
		}
		out = append(out, c.point(p))
	}
	return out
}

// watch collects what is to be seen.
type watch struct {
	sights []Sight
	open   map[int]int // actor to sight
}

func (w *watch) note(cam *camera, t float64, actors []actor) {
	if w.open == nil {
		w.open = make(map[int]int)
	}
	for i, a := range actors {
		if a.what != "vehicle" && a.what != "person" && a.what != "animal" {
			continue
		}
		box, visible := inPicture(cam, a.mesh.casters)
		at, known := w.open[i]
		if !visible {
			delete(w.open, i)
			continue
		}
		if !known {
			at = len(w.sights)
			w.open[i] = at
			w.sights = append(w.sights, Sight{What: a.what, From: round(t)})
		}
		s := &w.sights[at]
		s.To = round(t + 1.0/Rate)
		if math.Mod(t-s.From+0.001, 0.5) < 1.0/Rate-0.002 || len(s.Track) == 0 {
			s.Track = append(s.Track, box)
		}
	}
}

func round(x float64) float64 { return math.Round(x*1000) / 1000 }

// inPicture is the box around what the casters cover of the picture.
func inPicture(cam *camera, casters []caster) (box [4]float64, visible bool) {
	const aspect = 16.0 / 9
	left, top, right, bottom := 2.0, 2.0, -1.0, -1.0
	for i := range casters {
		for _, p := range casters[i].corners(0) {
			x, y, d := cam.project(p, aspect)
			if d < near {
				continue
			}
			left, right = min(left, x), max(right, x)
			top, bottom = min(top, y*aspect), max(bottom, y*aspect)
		}
	}
	box = [4]float64{clamp(left, 0, 1), clamp(top, 0, 1), clamp(right, 0, 1), clamp(bottom, 0, 1)}
	for i := range box {
		box[i] = round(box[i])
	}
	return box, box[2]-box[0] > 0.006 && box[3]-box[1] > 0.01
}

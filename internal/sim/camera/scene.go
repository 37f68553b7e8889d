package camera

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/sim/camera/clips"
)

// Step is a clip of a scene, played so many times.
type Step struct {
	Clip   string
	Times  int
	Frozen bool // the picture stands still
}

// Scene is what a camera shows, over and over.
type Scene struct {
	Name, About string
	Steps       []Step
}

// What is to be seen; the words are those of the product's own events. Of the last
// three a detector is not to say anything.
const (
	Motion     = "motion"
	Vehicle    = "vehicle"
	Person     = "person"
	Loitering  = "loitering"
	Covered    = "covered"
	Defocused  = "defocused"
	Turned     = "turned"
	Blinded    = "blinded"
	Frozen     = "frozen"
	Light      = "light"
	Headlights = "headlights"
	Rain       = "rain"
)

// Moment is a line of a truth table: what is to be seen in a scene, in the time of
// its loop.
type Moment struct {
	What     string
	From, To time.Duration
	// Box is around all of it: left, top, right, bottom from 0 to 1. Track is where it
	// is at every half second.
	Box   [4]float64
	Track [][4]float64
}

// Tampering reports whether the camera no longer shows its site.
func (m Moment) Tampering() bool {
	return slices.Contains([]string{Covered, Defocused, Turned, Blinded, Frozen}, m.What)
}

// Nuisance reports what is no reason for an alarm.
func (m Moment) Nuisance() bool { return slices.Contains([]string{Light, Headlights, Rain}, m.What) }

// Views are the places that cameras look at.
func Views() []string { return []string{"yard-day", "yard-night", "garage", "lot"} }

// scenes says what each scene shows. A dash before a clip's name puts the view
// there.
func scenes() []Scene {
	quiet := func(times int) Step { return Step{Clip: "-bays-00", Times: times} }
	return []Scene{
		{"quiet", "nothing happens", []Step{quiet(15)}},
		{"car", "a car comes, charges and leaves", []Step{quiet(3), {Clip: "-arrives-00-10"}, {Clip: "-bays-10", Times: 6}, {Clip: "-leaves-10-00"}, quiet(3)}},
		{"person", "somebody walks past", []Step{quiet(5), {Clip: "-walks"}, quiet(5)}},
		{"loiter", "somebody hangs about the charger for a minute", []Step{quiet(4), {Clip: "-loiters-comes"}, {Clip: "-loiters-stays", Times: 5}, {Clip: "-loiters-goes"}, quiet(4)}},
		{"raid", "two people cut the cables, within 100 s", []Step{quiet(5), {Clip: "-raid-comes"}, {Clip: "-raid-works", Times: 4}, {Clip: "-raid-cuts", Times: 4}, {Clip: "-raid-flees"}, quiet(5)}},
		{"headlights", "headlights sweep over the place at night", []Step{{Clip: "yard-night-bays-00", Times: 5}, {Clip: "yard-night-headlights", Times: 2}, {Clip: "yard-night-bays-00", Times: 4}}},
		{"light", "clouds: the light changes, slowly and at once", []Step{{Clip: "yard-day-bays-00", Times: 5}, {Clip: "yard-day-clouds"}, {Clip: "yard-day-bays-00", Times: 4}}},
		{"rain", "rain, nobody there", []Step{{Clip: "yard-rain", Times: 15}}},
		{"rain-person", "rain, and somebody walks past", []Step{{Clip: "yard-rain", Times: 5}, {Clip: "yard-rain-walks"}, {Clip: "yard-rain", Times: 5}}},
		{"infrared", "the camera's own light at night", []Step{{Clip: "yard-infrared", Times: 15}}},
		{"infrared-person", "the camera's own light, and somebody walks past", []Step{{Clip: "yard-infrared", Times: 5}, {Clip: "yard-infrared-walks"}, {Clip: "yard-infrared", Times: 5}}},
		{"covered", "something is put over the lens", []Step{quiet(5), {Clip: "covered", Times: 5}, quiet(5)}},
		{"defocused", "the lens is turned out of focus", []Step{quiet(5), {Clip: "-defocused", Times: 5}, quiet(5)}},
		{"turned", "the camera is pushed aside", []Step{quiet(5), {Clip: "-turned", Times: 8}, quiet(5)}},
		{"blinded", "a torch shines into the lens", []Step{quiet(5), {Clip: "blinded", Times: 5}, quiet(5)}},
		{"frozen", "the picture stands still", []Step{quiet(5), {Clip: "-bays-00", Times: 8, Frozen: true}, quiet(5)}},
	}
}

// Scenes lists the scenes as they are in a view. A scene that only exists in
// another place is shown there.
func Scenes(view string) []Scene {
	list := scenes()
	for i := range list {
		view := view
		for _, s := range list[i].Steps {
			for _, v := range Views() {
				if strings.HasPrefix(s.Clip, v+"-") {
					view = v // the rest of it happens at the same place
				}
			}
			switch {
			case strings.HasPrefix(s.Clip, "-loiters") && !strings.HasPrefix(view, "yard"):
				view = "yard-day"
			case strings.HasPrefix(s.Clip, "-raid") && view != "garage":
				view = "yard-night"
			}
		}
		for j := range list[i].Steps {
			s := &list[i].Steps[j]
			if strings.HasPrefix(s.Clip, "-") {
				s.Clip = view + s.Clip
			}
			s.Times = max(s.Times, 1)
		}
	}
	return list
}

// once leaves out the quiet before and after, where nothing happens.
func (s Scene) once() Scene {
	quiet := func(x Step) bool { return strings.HasSuffix(x.Clip, "-bays-00") && !x.Frozen }
	steps := s.Steps
	for len(steps) > 1 && quiet(steps[0]) {
		steps = steps[1:]
	}
	for len(steps) > 1 && quiet(steps[len(steps)-1]) {
		steps = steps[:len(steps)-1]
	}
	s.Steps = steps
	return s
}

// Length of a scene that is shown once, and when its clip of that name begins.
func (f *Farm) Length(s Scene, clip string) (long, begins time.Duration, err error) {
	for _, step := range s.once().Steps {
		if clip != "" && strings.HasSuffix(step.Clip, clip) && begins == 0 {
			begins = long
		}
		n, err := f.length(step.Clip)
		if err != nil {
			return 0, 0, err
		}
		long += n * time.Duration(step.Times)
	}
	return long, begins, nil
}

// FindScene returns a scene in a view.
func FindScene(view, name string) (Scene, error) {
	if !slices.Contains(Views(), view) {
		return Scene{}, fmt.Errorf("view %q: want one of %s", view, strings.Join(Views(), ", "))
	}
	list := Scenes(view)
	i := slices.IndexFunc(list, func(s Scene) bool { return s.Name == name })
	if i < 0 {
		var names []string
		for _, s := range list {
			names = append(names, s.Name)
		}
		return Scene{}, fmt.Errorf("scene %q: want one of %s", name, strings.Join(names, ", "))
	}
	return list[i], nil
}

// truth is the truth table of a scene and the length of its loop.
func (s Scene) truth(lengths func(clip string) (time.Duration, error), t *clips.Table) (list []Moment, loop time.Duration, err error) {
	for _, step := range s.Steps {
		long, err := lengths(step.Clip)
		if err != nil {
			return nil, 0, err
		}
		if what := condition(step); what != "" {
			list = join(list, Moment{What: what, From: loop, To: loop + long*time.Duration(step.Times), Box: [4]float64{0, 0, 1, 1}})
		}
		sights, err := t.Sights(step.Clip)
		if err != nil {
			return nil, 0, err
		}
		for range step.Times {
			for _, x := range sights {
				if step.Frozen {
					continue
				}
				for _, m := range momentsOf(x, loop) {
					list = join(list, m)
				}
			}
			loop += long
		}
	}
	if s.Name == "loiter" || s.Name == "raid" {
		for _, m := range list {
			if m.What == Person && m.To-m.From > 30*time.Second {
				m.What = Loitering
				list = append(list, m)
			}
		}
	}
	return list, loop, nil
}

// condition is what a clip says about the camera or the light.
func condition(s Step) string {
	if s.Frozen {
		return Frozen
	}
	for suffix, what := range map[string]string{"covered": Covered, "blinded": Blinded, "-defocused": Defocused, "-turned": Turned, "-clouds": Light, "-headlights": Headlights} {
		if strings.HasSuffix(s.Clip, suffix) {
			return what
		}
	}
	if strings.Contains(s.Clip, "-rain") {
		return Rain
	}
	return ""
}

// Moments are what is to be seen in a clip, in its time: that things are there, and
// that they move if they do.
func Moments(sights []clips.Sight) (list []Moment) {
	for _, x := range sights {
		list = append(list, momentsOf(x, 0)...)
	}
	return list
}

// momentsOf is that a thing is there, and that it moves if it does.
func momentsOf(x clips.Sight, offset time.Duration) []Moment {
	m := Moment{What: x.What, From: offset + seconds(x.From), To: offset + seconds(x.To), Track: slices.Clone(x.Track)}
	from, to := len(x.Track), 0 // where it is somewhere else than at first, and at last
	for i, b := range x.Track {
		m.Box = around(m.Box, b)
		if apart(b, x.Track[0]) {
			from = min(from, i)
		}
		if apart(b, x.Track[len(x.Track)-1]) {
			to = i + 1
		}
	}
	if from > to {
		return []Moment{m}
	}
	from-- // it set out after the place before
	motion := m
	motion.What, motion.Track = Motion, slices.Clone(x.Track[from:min(to+1, len(x.Track))])
	motion.From += time.Duration(from) * trackEvery
	if to < len(x.Track)-1 {
		motion.To = m.From + time.Duration(to)*trackEvery
	}
	return []Moment{m, motion}
}

// apart reports whether two places differ by more than a point of a small picture.
func apart(a, b [4]float64) bool {
	const point = 1.0 / 320
	for i := range a {
		if math.Abs(a[i]-b[i]) > point {
			return true
		}
	}
	return false
}

// trackEvery is how far apart the places of a track are.
const trackEvery = 500 * time.Millisecond

func around(a, b [4]float64) [4]float64 {
	if a == ([4]float64{}) {
		return b
	}
	return [4]float64{min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// join adds a moment, as the rest of an earlier one if it goes on where that
// ended.
func join(list []Moment, m Moment) []Moment {
	const gap = 200 * time.Millisecond
	for i := range list {
		o := &list[i]
		if o.What == m.What && m.From-o.To <= gap && m.From >= o.To-gap && near(o, &m) {
			o.To = max(o.To, m.To)
			o.Box = around(o.Box, m.Box)
			o.Track = append(o.Track, m.Track...)
			return list
		}
	}
	return append(list, m)
}

// near reports whether one goes on about where the other ended.
func near(a, b *Moment) bool {
	if len(a.Track) == 0 || len(b.Track) == 0 {
		return len(a.Track) == len(b.Track)
	}
	x, y := a.Track[len(a.Track)-1], b.Track[0]
	return max(x[0], y[0]) < min(x[2], y[2])+0.05
}

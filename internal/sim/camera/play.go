package camera

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/sim/camera/clips"
)

// playing is where a camera is in what it shows. Both streams go by it.
type playing struct {
	main, sub *clip
	frozen    bool
	conds     string    // covered and so on
	sights    []Moment  // of the clip, in its time
	began     time.Time // when its first picture is due
	next      int       // index of the next picture of the main stream
}

// program decides which clip comes next. Exactly one of the two is in force: a
// scene, or the bays of the site.
type program struct {
	view  string
	scene *Scene
	step  int
	turn  int
	once  bool   // then back to the bays
	then  *Scene // or this, over and over
	begin time.Time

	follows bool
	shown   [2]bool // cars in the picture
	wanted  [2]bool
}

// advance says what is shown from now on.
func (p *program) advance(now time.Time) Step {
	if p.scene != nil {
		if p.turn++; p.turn >= p.scene.Steps[p.step].Times {
			p.turn = 0
			if p.step++; p.step == len(p.scene.Steps) {
				p.step, p.begin = 0, now
				if p.once {
					p.scene, p.then, p.once = p.then, nil, false
					p.shown = [2]bool{}
				}
			}
		}
		if p.scene != nil {
			s := p.scene.Steps[p.step]
			s.Times = 1
			return s
		}
	}
	if !p.follows {
		return Step{Clip: p.view + "-bays-00", Times: 1}
	}
	for i := range p.shown {
		if p.shown[i] == p.wanted[i] {
			continue
		}
		was := p.shown
		p.shown[i] = p.wanted[i]
		verb := "leaves"
		if p.wanted[i] {
			verb = "arrives"
		}
		return Step{Clip: fmt.Sprintf("%s-%s-%s-%s", p.view, verb, bays(was), bays(p.shown)), Times: 1}
	}
	return Step{Clip: p.view + "-bays-" + bays(p.shown), Times: 1}
}

// play starts a scene from its beginning, once or over and over.
func (p *program) play(s Scene, once bool, now time.Time) {
	if once {
		s = s.once()
	}
	p.scene, p.then, p.once, p.step, p.turn, p.begin = &s, nil, once, 0, -1, now
}

func bays(cars [2]bool) string {
	s := []byte("00")
	for i, there := range cars {
		if there {
			s[i] = '1'
		}
	}
	return string(s)
}

// Bays is how many bays of a view cars come to.
func Bays(view string) int {
	if view == "lot" {
		return 1
	}
	return 2
}

// there says what is shown in place of a clip that was not made: the bays as they
// are after it, and of them the one that there is.
func (f *Farm) there(clip string) string {
	if f.names[clip] {
		return clip
	}
	for _, verb := range []string{"-arrives-", "-leaves-"} {
		if view, states, ok := strings.Cut(clip, verb); ok {
			if _, after, ok := strings.Cut(states, "-"); ok {
				return f.there(view + "-bays-" + after)
			}
		}
	}
	if view, cars, ok := strings.Cut(clip, "-bays-"); ok && len(cars) == 2 && cars[1] == '1' {
		return view + "-bays-" + cars[:1] + "0"
	}
	return clip
}

// load readies what a step shows.
func (f *Farm) load(s Step) (playing, error) {
	s.Clip = f.there(s.Clip)
	p := playing{frozen: s.Frozen, conds: condition(s)}
	var err error
	if p.main, err = f.shelf.take(MainStream, s.Clip); err != nil {
		return p, err
	}
	if p.sub, err = f.shelf.take(SubStream, s.Clip); err != nil {
		return p, err
	}
	sights, err := f.table.Sights(s.Clip)
	if err != nil {
		return p, err
	}
	for _, x := range sights {
		p.sights = append(p.sights, momentsOf(x, 0)...)
	}
	return p, nil
}

// length is how long a clip is.
func (f *Farm) length(name string) (time.Duration, error) {
	c, err := f.shelf.take(MainStream, name)
	if err != nil {
		return 0, err
	}
	return time.Duration(len(c.pictures)) * time.Second / clips.MainRate, nil
}

// Truth is the truth table of a scene and the length of its loop.
func (f *Farm) Truth(s Scene) ([]Moment, time.Duration, error) { return s.truth(f.length, &f.table) }

// Seen is something that begins or ends in a camera's picture.
type Seen struct {
	Camera, What string
	Began        bool
	At           time.Time
	Box          [4]float64
}

// tell compares what is to be seen with what was told.
func (c *cam) tell(now time.Time, say func(Seen)) {
	t := now.Sub(c.playing.began)
	var there []string
	var box [4]float64
	if c.playing.conds != "" {
		there = append(there, c.playing.conds)
	}
	if !c.playing.frozen && c.fault.picture() == "" {
		for _, m := range c.playing.sights {
			if t < m.From || t >= m.To {
				continue
			}
			if !slices.Contains(there, m.What) {
				there = append(there, m.What)
			}
			if i := int((t - m.From) / (500 * time.Millisecond)); i < len(m.Track) {
				box = m.Track[i]
			}
		}
	}
	if x := c.fault.picture(); x != "" {
		there = []string{x}
	}
	for _, w := range c.told {
		if !slices.Contains(there, w) {
			say(Seen{Camera: c.spec.Name, What: w, At: now})
		}
	}
	for _, w := range there {
		if !slices.Contains(c.told, w) {
			say(Seen{Camera: c.spec.Name, What: w, Began: true, At: now, Box: box})
		}
	}
	c.told = there
}

// Package stage plays the stories of sim/raid with simulated devices: stations that
// speak OCPP, cameras with pictures and ONVIF, controllers of doors. It says when it did
// what, so that whoever listens on the other side can be compared with it.
//
// A story happens at its own pace up to what is asked for: waiting may be cut short,
// pictures are never faster. When it is over, or was stopped, all is as before: what was
// broken is mended, lines are back, cameras see, doors are shut.
package stage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/sim"
	"github.com/chargewatch/chargewatch/internal/sim/camera"
	"github.com/chargewatch/chargewatch/internal/sim/door"
	"github.com/chargewatch/chargewatch/internal/sim/raid"
)

// Port is one that a story may happen to. Bay is where a car stands that charges there,
// in the picture of the camera over the bays; -1: it is not in the picture.
type Port struct {
	Station string
	EVSE    int
	Bay     int
}

// Camera is one of a farm.
type Camera struct{ Name, View string }

// Door is one of the controller.
type Door struct {
	ID     string
	Number int
}

// Site is what a story is played with. What a site has none of happens unseen.
type Site struct {
	ID    string
	Fleet *sim.Fleet
	// Ports are those at which cables are cut, in this order; two of them stand for a
	// station of the story.
	Ports   []Port
	Farm    *camera.Farm
	Cameras map[string]Camera // by the story's names
	Board   *door.Controller
	Doors   map[string]Door // by the story's names
	Card    uint32          // somebody who is let in
	Token   sim.Token       // somebody who charges
	// Label tells what is in a camera's picture, as a program does that looks at it; nil:
	// none does.
	Label func(ctx context.Context, camera string, items []event.Label) error
	// Work lets a technician come to a station with an order, or go.
	Work func(ctx context.Context, station string, here bool) error
}

// Line is what was done, and when.
type Line struct {
	At      time.Time `json:"at"`
	Site    string    `json:"site"`
	Kind    string    `json:"kind"`
	Seed    uint64    `json:"seed"`
	Do      string    `json:"do"`
	Station string    `json:"station,omitempty"`
	EVSE    int       `json:"evse,omitempty"`
	Camera  string    `json:"camera,omitempty"`
	Door    string    `json:"door,omitempty"`
	Code    string    `json:"code,omitempty"`
	What    string    `json:"what,omitempty"`
	Harm    bool      `json:"harm,omitempty"`
	// In is when the story will be over, with its begin.
	In float64 `json:"inSeconds,omitempty"`
}

// What lines say beside the deeds of stories.
const (
	Begins = "begins"
	Leaves = "leaves" // what came before a camera
	Cut    = "cut"    // the first cable is cut, or the first thing done that means harm
	Over   = "over"   // all that belongs to the story was done
	Healed = "healed" // and all is as before
	Sees   = "sees"   // what begins in a camera's picture
	Names  = "names"  // a program that looks at a picture says what is in it
)

// Options say how a story is played.
type Options struct {
	Seed  uint64
	Speed float64 // of the waiting between acts; 0: 1
	// Pause is the longest that nothing happens; 0: as long as the story says.
	Pause  time.Duration
	Tell   func(Line) // may be nil; must not wait
	Logger *slog.Logger
}

// player is one story on its way.
type player struct {
	*Site
	o      Options
	story  *raid.Story
	broken []Port
	lost   []string
	cars   []Port
	seen   map[string]bool // cameras that something was done to
	open   map[string]bool
	at     string // the station where a technician is
	bays   [2]bool
}

// step is a thing to do, with when.
type step struct {
	after time.Duration // the step before
	act   *raid.Act     // nil: the first harm is done
	leave bool          // what came before a camera goes
	sight *raid.Sight   // it is named
}

// Play plays a story, until it is over or ctx ends, and heals the site.
func Play(ctx context.Context, site *Site, story *raid.Story, o Options) error {
	if len(site.Ports) == 0 {
		return fmt.Errorf("play a story at %s: it has no ports", site.ID)
	}
	if o.Speed <= 0 {
		o.Speed = 1
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	p := &player{Site: site, o: o, story: story, seen: make(map[string]bool), open: make(map[string]bool)}
	err := p.play(ctx)
	if ctx.Err() != nil {
		err = nil // it was stopped
	} else if err == nil {
		p.tell(Line{Do: Over})
	}
	// It heals though nobody waits any more.
	healing, done := context.WithTimeout(context.WithoutCancel(ctx), healFor)
	defer done()
	err = errors.Join(err, p.heal(healing))
	p.tell(Line{Do: Healed})
	return err
}

const (
	healFor   = 20 * time.Second
	brokenFor = 2 * time.Hour // nobody comes to mend it before the story does
	findFor   = 90 * time.Second
)

func (p *player) tell(l Line) {
	if p.o.Tell == nil {
		return
	}
	l.At, l.Site, l.Kind, l.Seed = time.Now().UTC(), p.ID, p.story.Kind, p.o.Seed
	p.o.Tell(l)
}

// steps are the acts behind the curtain with the waiting between them.
func (p *player) steps() (found []*raid.Act, list []step, long time.Duration) {
	type moment struct {
		at time.Time
		step
	}
	var all []moment
	for i := range p.story.Acts {
		a := &p.story.Acts[i]
		if a.At.Before(p.story.Curtain) {
			found = append(found, a)
			continue
		}
		all = append(all, moment{a.At, step{act: a}})
		if a.Do == raid.Comes {
			all = append(all, moment{a.At.Add(a.For), step{act: a, leave: true}})
			for i := range a.Sights {
				if p.Site != nil && p.Label != nil {
					all = append(all, moment{a.Sights[i].At, step{act: a, sight: &a.Sights[i]}})
				}
			}
		}
	}
	if !p.story.Cut.IsZero() {
		all = slices.Insert(all, 0, moment{p.story.Cut, step{}})
	}
	slices.SortStableFunc(all, func(a, b moment) int { return a.at.Compare(b.at) })
	last := p.story.Curtain
	for _, m := range all {
		m.after = p.wait(m.at.Sub(last))
		long += m.after
		last = m.at
		list = append(list, m.step)
	}
	return found, list, long + p.wait(p.story.End.Sub(last))
}

func (p *player) wait(d time.Duration) time.Duration {
	if p.o.Pause > 0 {
		d = min(d, p.o.Pause)
	}
	return max(0, time.Duration(float64(d)/p.o.Speed))
}

func (p *player) play(ctx context.Context) error {
	found, list, long := p.steps()
	for _, a := range found {
		if err := p.do(ctx, a); err != nil {
			return err
		}
	}
	if err := p.settle(ctx); err != nil {
		return err
	}
	p.tell(Line{Do: Begins, In: long.Seconds()})
	for _, s := range list {
		if err := pause(ctx, s.after); err != nil {
			return err
		}
		long -= s.after
		if s.act == nil {
			p.tell(Line{Do: Cut, Harm: true})
			continue
		}
		var err error
		switch {
		case s.leave:
			err = p.leave(s.act)
		case s.sight != nil:
			err = p.name(ctx, s.act, s.sight)
		default:
			err = p.do(ctx, s.act)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.act.Do, err)
		}
	}
	return pause(ctx, long)
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// settle waits until cars charge that came before.
func (p *player) settle(ctx context.Context) error {
	for end := time.Now().Add(findFor); time.Now().Before(end); {
		charging := true
		for _, c := range p.cars {
			st, ok := p.Fleet.Station(c.Station)
			charging = charging && ok && st.Port(c.EVSE).Status == sim.Charging
		}
		if charging {
			return nil
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	return errors.New("the cars of the story do not charge")
}

// port is the one that stands for a port of the story.
func (p *player) port(a *raid.Act) Port {
	return p.Ports[(2*a.Station+max(a.EVSE, 1)-1)%len(p.Ports)]
}

// station is the one that stands for a station of the story.
func (p *player) station(a *raid.Act) string {
	var ids []string
	for _, x := range p.Ports {
		if !slices.Contains(ids, x.Station) {
			ids = append(ids, x.Station)
		}
	}
	return ids[a.Station%len(ids)]
}

package stage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/sim"
	"github.com/chargewatch/chargewatch/internal/sim/camera"
	"github.com/chargewatch/chargewatch/internal/sim/raid"
)

// do does what an act says with what the site has.
func (p *player) do(ctx context.Context, a *raid.Act) error {
	l := Line{Do: string(a.Do), Harm: a.Harm}
	switch a.Do {
	case raid.Comes, raid.Covers, raid.Darkens:
		c, ok := p.Cameras[a.Camera]
		if !ok || p.Farm == nil {
			return nil
		}
		p.seen[a.Camera] = true
		l.Camera, l.What = c.Name, string(a.What)
		if a.As != "" {
			l.What = a.As
		}
		p.tell(l)
		return p.before(a, c)
	case raid.Forces, raid.Badges, raid.Refused, raid.Opens, raid.Shuts:
		d, ok := p.Doors[a.Door]
		if !ok || p.Board == nil {
			return nil
		}
		l.Door = d.ID
		p.tell(l)
		p.door(a, d)
		return nil
	case raid.Arrives, raid.Goes:
		return p.work(ctx, a, l)
	}
	return p.charger(a, l)
}

// charger does what happens to a station or one of its ports.
func (p *player) charger(a *raid.Act, l Line) error {
	port := p.port(a)
	l.Station, l.EVSE, l.Code = port.Station, port.EVSE, a.Code
	if a.Do == raid.Loses || a.Do == raid.Returns || a.Do == raid.Tampers {
		l.Station, l.EVSE = p.station(a), 0
	}
	st, ok := p.Fleet.Station(l.Station)
	if !ok {
		return fmt.Errorf("no station %s", l.Station)
	}
	if (a.Do == raid.Breaks || a.Do == raid.Hides) && slices.Contains(p.broken, port) {
		return nil // there is one cable
	}
	p.tell(l)
	switch a.Do {
	case raid.Breaks:
		p.broken = append(p.broken, port)
		return st.Break(port.EVSE, a.Code, brokenFor)
	case raid.Hides:
		p.broken = append(p.broken, port)
		return st.Hide(port.EVSE, a.Code, brokenFor)
	case raid.Mends:
		return p.mend(st, port)
	case raid.Plugs:
		if st.Port(port.EVSE).Status == sim.Available {
			p.cars = append(p.cars, port)
			p.park(port, true)
			return st.Charge(port.EVSE, p.Token)
		}
	case raid.Unplugs, raid.Tears:
		p.cars = slices.DeleteFunc(p.cars, func(x Port) bool { return x == port })
		p.park(port, false)
		return st.Unplug(port.EVSE)
	case raid.Loses:
		p.lost = append(p.lost, l.Station)
		st.Offline(brokenFor, true)
	case raid.Returns:
		st.Return()
	case raid.Tampers:
		st.Tamper()
	}
	return nil
}

func (p *player) mend(st sim.Station, port Port) error {
	p.broken = slices.DeleteFunc(p.broken, func(x Port) bool { return x == port })
	return st.Repair(port.EVSE)
}

// park shows a car in its bay, or takes it out, when the picture is of the bays.
func (p *player) park(port Port, there bool) {
	c, ok := p.Cameras[raid.BayCamera]
	switch {
	case !ok || p.Farm == nil:
		return
	case port.Bay >= 0 && port.Bay <= 1:
		p.bays[port.Bay] = there
	case !there && len(p.cars) == 0: // that of a port that is not in the picture
		p.bays = [2]bool{}
	default:
		return
	}
	p.seen[raid.BayCamera] = true
	p.shown(p.Farm.SetBays(c.Name, p.bays))
}

// stand shows a car that comes to a port: in the first bay where the port is not in the
// picture.
func (p *player) stand(a *raid.Act, there bool) error {
	bay := 0
	if len(a.Near) > 0 {
		at := p.port(&raid.Act{Station: a.Near[0].Station, EVSE: a.Near[0].EVSE})
		bay = min(max(at.Bay, 0), 1)
	}
	p.bays[bay] = there
	return p.Farm.SetBays(p.Cameras[a.Camera].Name, p.bays)
}

// shown notes what is wrong with a picture that a story does not depend on.
func (p *player) shown(err error) {
	if err != nil {
		p.o.Logger.Warn("a simulated camera does not show what it should", "err", err)
	}
}

// before is what comes before a camera, or is done to it.
func (p *player) before(a *raid.Act, c Camera) error {
	switch {
	case a.Do == raid.Covers:
		return p.Farm.SetFault(c.Name, camera.Cover)
	case a.Do == raid.Darkens:
		return p.Farm.SetFault(c.Name, camera.Offline)
	case a.What == event.SceneVehicle:
		p.shown(p.stand(a, true))
		return nil
	}
	way := p.way(a, c)
	if len(way.comes) > 0 {
		if err := p.Farm.Show(c.Name, true, way.comes...); err != nil {
			return err
		}
		// The rest of it follows by itself, until it leaves.
		return p.Farm.Then(c.Name, way.stays...)
	}
	return p.Farm.Show(c.Name, false, way.stays...)
}

// way is how something comes, what it does for as long as it is there, and how it
// leaves, as the ends of the names of clips.
type way struct{ comes, stays, goes []string }

func (p *player) way(a *raid.Act, c Camera) way {
	has := func(end string) bool { return p.Farm.Has(c.View + end) }
	harm := !p.story.Cut.IsZero()
	switch {
	case a.As == "rain" && strings.HasPrefix(c.View, "yard"):
		return way{stays: []string{"yard-rain"}}
	case a.What == "" && has("-headlights"):
		return way{stays: []string{"-headlights"}}
	case a.What == "":
		return way{stays: []string{"-bays-00"}}
	case a.What == event.SceneAnimal && has("-fox"):
		return way{stays: []string{"-fox"}}
	case harm && a.Camera == raid.BayCamera && has("-raid-works"):
		return way{[]string{"-raid-comes"}, []string{"-raid-works", "-raid-cuts"}, []string{"-raid-flees"}}
	case !harm && has("-loiters-stays"):
		return way{[]string{"-loiters-comes"}, []string{"-loiters-stays"}, []string{"-loiters-goes"}}
	}
	return way{stays: []string{"-walks"}}
}

// name says what is before a camera, if it can be seen.
func (p *player) name(ctx context.Context, a *raid.Act, x *raid.Sight) error {
	c, ok := p.Cameras[a.Camera]
	if !ok || len(x.Items) == 0 || !p.Farm.Sees(c.Name, string(x.Items[0].What)) {
		return nil // it is not in the picture yet, or any more
	}
	p.tell(Line{Do: Names, Camera: c.Name, What: string(x.Items[0].What)})
	return p.Label(ctx, c.Name, x.Items)
}

func (p *player) leave(a *raid.Act) error {
	c, ok := p.Cameras[a.Camera]
	if !ok || p.Farm == nil {
		return nil
	}
	p.tell(Line{Do: Leaves, Camera: c.Name, What: string(a.What)})
	if a.What == event.SceneVehicle {
		return nil
	}
	if goes := p.way(a, c).goes; len(goes) > 0 {
		return p.Farm.Show(c.Name, true, goes...)
	}
	return p.Farm.Play(c.Name, "")
}

func (p *player) door(a *raid.Act, d Door) {
	switch a.Do {
	case raid.Forces, raid.Opens:
		p.open[a.Door] = true
		p.Board.Open(d.Number)
	case raid.Shuts:
		delete(p.open, a.Door)
		p.Board.Shut(d.Number)
	case raid.Badges:
		p.Board.Swipe(d.Number, p.Card, p.Board.Cards()[p.Card].PIN)
	case raid.Refused:
		p.Board.Swipe(d.Number, strangersCard, 0)
	}
}

// strangersCard is known to nobody.
const strangersCard = 7_654_321

func (p *player) work(ctx context.Context, a *raid.Act, l Line) error {
	if p.Work == nil {
		return nil
	}
	here := a.Do == raid.Arrives
	l.Station = p.station(a)
	p.tell(l)
	p.at = ""
	if here {
		p.at = l.Station
	}
	return p.Work(ctx, l.Station, here)
}

// heal makes all as it was.
func (p *player) heal(ctx context.Context) (err error) {
	for _, id := range p.lost {
		if st, ok := p.Fleet.Station(id); ok {
			st.Return()
		}
	}
	for _, port := range slices.Clone(p.broken) {
		if st, ok := p.Fleet.Station(port.Station); ok {
			err = errors.Join(err, p.mend(st, port))
		}
	}
	for _, port := range p.cars {
		if st, ok := p.Fleet.Station(port.Station); ok {
			err = errors.Join(err, st.Unplug(port.EVSE))
		}
	}
	for name := range p.seen {
		c := p.Cameras[name]
		err = errors.Join(err, p.Farm.SetFault(c.Name, camera.NoFault), p.Farm.Play(c.Name, ""), p.Farm.SetBays(c.Name, [2]bool{}))
	}
	for name := range p.open {
		p.Board.Shut(p.Doors[name].Number)
	}
	if p.at != "" {
		err = errors.Join(err, p.Work(ctx, p.at, false))
	}
	if err != nil {
		return fmt.Errorf("heal %s: %w", p.ID, err)
	}
	return nil
}

// Long is how long a story takes as it is played.
func Long(story *raid.Story, o Options) time.Duration {
	if o.Speed <= 0 {
		o.Speed = 1
	}
	_, _, long := (&player{o: o, story: story}).steps()
	return long
}

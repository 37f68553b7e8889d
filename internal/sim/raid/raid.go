// Package raid draws labelled stories of one site: raids on its cables, intrusions and
// ordinary nights. What a cut cable says is engineering judgement, not measured on
// hardware (reference of security, 3.3).
//
// A story is a list of acts: what people do at the site and what befalls its devices.
// It is played in two ways. Tell says what stations, cameras and doors would say of it,
// in virtual time, to rules without a server; sim/stage plays the same acts with devices
// that speak OCPP, RTSP, ONVIF and UDP. It knows no rules: the stories are written down
// before anybody looks what is found in them, and a seed that nobody has tuned on tells
// what the rules are worth.
package raid

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Story is one time at one site.
type Story struct {
	Kind string
	Site string
	// Stations stand there, with two ports each; those of DC have a sensor in the plug.
	Stations int
	DC       bool
	// Begin is when nothing has happened yet; what comes before Curtain is how the site
	// is found.
	Begin, Curtain time.Time
	// Cut is when the first cable was cut, or the first thing was done that means
	// harm; zero in an ordinary night.
	Cut, End time.Time
	Acts     []Act
}

// Deed is what an act is.
type Deed string

// The deeds. Of a port: it is broken, and says so or only when it is asked; it is
// repaired; a car is plugged in, leaves, or is torn off. Of a station: its line is gone,
// and back; somebody opens its case. Of a camera: something comes before it; it is
// covered; it has no power. Of a door: it is forced, somebody shows a card that is let
// in or is not, it opens and shuts. Of a station's site: a technician with an order comes
// to work, and goes.
const (
	Breaks  Deed = "breaks"
	Hides   Deed = "hides"
	Mends   Deed = "mends"
	Plugs   Deed = "plugs"
	Unplugs Deed = "unplugs"
	Tears   Deed = "tears"
	Loses   Deed = "loses"
	Returns Deed = "returns"
	Tampers Deed = "tampers"
	Comes   Deed = "comes"
	Covers  Deed = "covers"
	Darkens Deed = "darkens"
	Forces  Deed = "forces"
	Badges  Deed = "badges"
	Refused Deed = "refused"
	Opens   Deed = "opens"
	Shuts   Deed = "shuts"
	Arrives Deed = "arrives"
	Goes    Deed = "goes"
)

// Act is one thing that happens. What does not belong to its deed is empty.
type Act struct {
	At time.Time
	Do Deed
	// Station counts from 0, EVSE from 1.
	Station, EVSE int
	// Code is what a port says that is broken, in the words of OCPP 1.6.
	Code         string
	Camera, Door string
	// What comes before a camera; empty: nothing that has a name, as headlights. As says
	// what of it, where that is told: "headlights", "rain".
	What event.SceneKind
	As   string
	For  time.Duration
	// Near are the ports that it comes to.
	Near []Place
	// Sights are when somebody who labels pictures says what it is.
	Sights []Sight
	// Harm says that it is part of what is to be found.
	Harm bool
}

// Place is a port.
type Place struct{ Station, EVSE int }

// Sight is that something was named.
type Sight struct {
	At    time.Time
	Items []event.Label
}

// The cameras and doors of a story's site.
const (
	BayCamera  = "cam1"
	GateCamera = "cam2"
	Gate       = "gate"
	Room       = "room" // with the cabinets
)

// Kinds of raids, in turn.
func Kinds() []string {
	return []string{"idle", "withSessions", "powerFirst", "cameraFirst", "cabinet", "gateForced"}
}

// Others are stories of harm that is not done to cables.
func Others() []string { return []string{"intrusion", "tailgating"} }

// Nights are what happens in ordinary ones, each alone.
func Nights() []string {
	return []string{"night-fox", "night-late-driver", "night-technician", "night-headlights", "night-rain"}
}

// Draw draws a story of any of these kinds.
func Draw(seed uint64, kind string) (*Story, error) {
	switch {
	case slices.Contains(Kinds(), kind):
		return Raid(seed, kind), nil
	case slices.Contains(Others(), kind):
		return other(seed, kind), nil
	case slices.Contains(Nights(), kind):
		return one(seed, kind), nil
	}
	return nil, fmt.Errorf("kind %q: want one of %s", kind, strings.Join(slices.Concat(Kinds(), Others(), Nights()), ", "))
}

type writer struct {
	*rand.Rand
	story    *Story
	stations int
	camera   string
	plugged  []bool
	van      bool // who is there came with a vehicle, in view
}

func open(seed uint64, kind string, start time.Time) *writer {
	r := rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))
	w := &writer{Rand: r, camera: BayCamera, stations: 2 + r.IntN(7)}
	w.story = &Story{Kind: kind, Site: "yard", Stations: w.stations, DC: r.IntN(3) > 0, Begin: start}
	w.plugged = make([]bool, w.stations)
	return w
}

func (w *writer) do(a Act) { w.story.Acts = append(w.story.Acts, a) }

// between draws a time.
func (w *writer) between(from, to time.Duration) time.Duration {
	return from + time.Duration(w.Float64()*float64(to-from))
}

func (w *writer) chance(p float64) bool { return w.Float64() < p }

// moves says that something is before a camera for a while, and what it is called.
func (w *writer) moves(from time.Time, d time.Duration, label event.SceneKind, sure float64, near []Place) *Act {
	a := Act{At: from, Do: Comes, Camera: w.camera, What: label, For: d, Near: near}
	if label != "" && w.chance(sure) {
		for at := from.Add(w.between(time.Second, 4*time.Second)); at.Before(from.Add(d)); at = at.Add(w.between(8*time.Second, 20*time.Second)) {
			items := []event.Label{{What: label, Score: 0.55 + 0.4*w.Float64()}}
			if label == event.ScenePerson && w.van && w.chance(0.9) { // it stands in the picture
				items = append(items, event.Label{What: event.SceneVehicle, Score: 0.6 + 0.35*w.Float64()})
			}
			a.Sights = append(a.Sights, Sight{at, items})
		}
	}
	w.do(a)
	return &w.story.Acts[len(w.story.Acts)-1]
}

// cable cuts the cable of a port.
func (w *writer) cable(at time.Time, i, evse int, silent bool) {
	later := at.Add(w.between(200*time.Millisecond, 4*time.Second))
	breaks := func(at time.Time, code string) {
		w.do(Act{At: at, Do: Breaks, Station: i, EVSE: evse, Code: code, Harm: true})
	}
	switch {
	case silent: // power or line are gone
	case w.plugged[i]: // the car's end is torn out under load
		w.do(Act{At: later, Do: Tears, Station: i, EVSE: evse, Harm: true})
		breaks(later.Add(w.between(100*time.Millisecond, 3*time.Second)), []string{"GroundFailure", "EVCommunicationError", "OtherError"}[w.IntN(3)])
		w.plugged[i] = false
	case w.story.DC: // the sensor in the plug is an open circuit
		code := []string{"HighTemperature", "HighTemperature", "OtherError", "ConnectorLockFailure"}[w.IntN(4)]
		if w.chance(0.6) {
			breaks(later, code)
			return
		}
		if w.chance(0.7) { // it looks when it is asked
			w.do(Act{At: at, Do: Hides, Station: i, EVSE: evse, Code: code, Harm: true})
		}
	default: // AC and idle: an open circuit is what it sees all day
		if w.chance(0.15) {
			breaks(later, "GroundFailure")
		}
	}
}

func (w *writer) ports() []Place {
	var out []Place
	for i := range w.stations {
		out = append(out, Place{i, 1}, Place{i, 2})
	}
	return out
}

// Raid draws one.
func Raid(seed uint64, kind string) *Story {
	start := time.Date(2026, 11, 2, 1, 0, 0, 0, time.UTC)
	w := open(seed, kind, start)
	at := start.Add(w.between(30*time.Minute, 2*time.Hour))
	for i := range w.stations {
		if kind == "withSessions" && (i == 0 || w.chance(0.5)) {
			w.plugged[i] = true
			w.do(Act{At: at.Add(-20 * time.Minute), Do: Plugs, Station: i, EVSE: 1})
		}
	}
	arrive := at.Add(-w.between(10*time.Second, 40*time.Second))
	w.story.Curtain = arrive
	w.van = w.chance(0.5)
	cables := 2 + w.IntN(min(6, 2*w.stations-1))
	silent := false
	switch kind {
	case "powerFirst":
		silent = true
		w.story.Cut = at
		for i := range w.stations {
			w.do(Act{At: at.Add(w.between(0, 25*time.Second)), Do: Loses, Station: i, Harm: true})
		}
		if w.chance(0.7) {
			w.do(Act{At: at.Add(w.between(3*time.Second, 12*time.Second)), Do: Darkens, Camera: GateCamera, Harm: true})
		}
		w.moves(arrive, at.Sub(arrive), event.ScenePerson, 0.95, w.ports())
	case "cameraFirst":
		covered := at.Add(-w.between(20*time.Second, 5*time.Minute))
		w.do(Act{At: covered, Do: Covers, Camera: BayCamera, Harm: true})
		w.camera = GateCamera
		arrive = covered.Add(-5 * time.Second)
		w.story.Curtain = arrive
		w.moves(arrive, at.Sub(arrive)+w.between(30*time.Second, time.Minute), event.ScenePerson, 0.8, w.ports())
	case "cabinet":
		w.story.Cut = at
		w.do(Act{At: at, Do: Forces, Door: Room, Harm: true})
		w.do(Act{At: at.Add(3 * time.Second), Do: Tampers, Harm: true})
		w.moves(arrive, at.Sub(arrive)+time.Minute, event.ScenePerson, 0.95, nil)
		at = at.Add(w.between(20*time.Second, 40*time.Second))
	case "gateForced":
		w.do(Act{At: arrive, Do: Forces, Door: Gate, Harm: true})
	}
	if w.story.Cut.IsZero() {
		w.story.Cut = at
	}
	end := at
	for n := range cables {
		w.cable(end, n/2, n%2+1, silent)
		end = end.Add(w.between(10*time.Second, 40*time.Second))
	}
	if kind == "idle" || kind == "withSessions" || kind == "gateForced" {
		w.moves(arrive, end.Sub(arrive)+10*time.Second, event.ScenePerson, 0.95, w.ports())
	}
	w.story.End = end.Add(2 * time.Minute)
	return w.done()
}

// other draws harm that is not done to cables.
func other(seed uint64, kind string) *Story {
	start := time.Date(2026, 11, 2, 1, 0, 0, 0, time.UTC)
	w := open(seed, kind, start)
	at := start.Add(w.between(5*time.Minute, time.Hour))
	w.story.Curtain, w.story.Cut = at, at
	w.camera = GateCamera
	switch kind {
	case "intrusion": // over the fence, and at the room by force
		w.moves(at, w.between(20*time.Second, 50*time.Second), event.ScenePerson, 0.9, nil).Harm = true
		at = at.Add(w.between(25*time.Second, 60*time.Second))
		w.do(Act{At: at, Do: Forces, Door: Room, Harm: true})
		at = at.Add(w.between(20*time.Second, 60*time.Second))
		w.do(Act{At: at, Do: Shuts, Door: Room})
	case "tailgating": // in behind somebody with a card, and at the room with a card that nobody knows
		w.do(Act{At: at, Do: Badges, Door: Gate})
		w.do(Act{At: at.Add(2 * time.Second), Do: Opens, Door: Gate})
		// Both are counted as they go through.
		w.do(Act{At: at.Add(2 * time.Second), Do: Comes, Camera: GateCamera, What: event.ScenePerson, For: w.between(15*time.Second, 30*time.Second), Sights: []Sight{
			{at.Add(4 * time.Second), w.two()}, {at.Add(7 * time.Second), w.two()}, {at.Add(11 * time.Second), w.two()},
		}})
		w.do(Act{At: at.Add(12 * time.Second), Do: Shuts, Door: Gate})
		at = at.Add(w.between(20*time.Second, 40*time.Second))
		w.story.Cut = at
		for range 3 {
			w.do(Act{At: at, Do: Refused, Door: Room, Harm: true})
			at = at.Add(w.between(4*time.Second, 12*time.Second))
		}
		w.do(Act{At: at, Do: Forces, Door: Room, Harm: true})
		at = at.Add(w.between(20*time.Second, 60*time.Second))
		w.do(Act{At: at, Do: Shuts, Door: Room})
	}
	w.story.End = at.Add(time.Minute)
	return w.done()
}

// two are two persons in one picture.
func (w *writer) two() []event.Label {
	return []event.Label{{What: event.ScenePerson, Score: 0.6 + 0.3*w.Float64(), Number: 2}}
}

func (w *writer) done() *Story {
	s := w.story
	if s.Curtain.IsZero() {
		s.Curtain = s.Begin
	}
	slices.SortStableFunc(s.Acts, func(a, b Act) int { return a.At.Compare(b.At) })
	return s
}

package raid

import (
	"fmt"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Sense says which source an event needs: a site may have none of it.
type Sense int

// The senses, each more than the one before.
const (
	Charger Sense = iota // what stations say
	Motion               // and motion and doors
	Labels               // and persons, vehicles and animals by name
)

// Said is one event of a story.
type Said struct {
	At      time.Time
	Subject event.Subject
	Body    event.Body
	Needs   Sense
}

// teller says what devices say of acts.
type teller struct {
	*Story
	said    []Said
	answers map[string]event.Body
	scenes  int
	charges map[Place]int
	doors   map[string]event.DoorCondition
}

// Tell is what the devices of the site say, in order, and what ports answer that are
// asked how they are, by station.
func (s *Story) Tell() (said []Said, answers map[string]event.Body) {
	t := &teller{Story: s, answers: make(map[string]event.Body), charges: make(map[Place]int), doors: make(map[string]event.DoorCondition)}
	t.found()
	for i := range s.Acts {
		t.tell(&s.Acts[i])
	}
	slices.SortStableFunc(t.said, func(a, b Said) int { return a.At.Compare(b.At) })
	return t.said, t.answers
}

func named(station int) string { return fmt.Sprintf("S%d", station+1) }

func (t *teller) say(at time.Time, s event.Subject, b event.Body, needs Sense) {
	t.said = append(t.said, Said{at, s, b, needs})
}

// found says how the site is before anything happens.
func (t *teller) found() {
	for i := range t.Stations {
		id := named(i)
		t.say(t.Begin, event.Station(id), &event.StationConfigured{SiteID: t.Site, Onboarding: event.OnboardingAccepted}, Charger)
		t.say(t.Begin, event.Station(id), &event.Connected{ConnID: id, Protocol: "ocpp1.6"}, Charger)
		t.say(t.Begin, event.Station(id), &event.Boot{Vendor: "V", Model: "M"}, Charger)
		for evse := 1; evse <= 2; evse++ {
			t.say(t.Begin, event.Port(id, evse, 1), &event.Status{Status: "Available"}, Charger)
		}
	}
	for _, cam := range []string{BayCamera, GateCamera} {
		t.say(t.Begin, event.Camera(cam), &event.CameraConfigured{SiteID: t.Site, Zones: t.zones(cam)}, Motion)
		t.say(t.Begin, event.Camera(cam), &event.CameraState{SiteID: t.Site, State: event.CameraLive}, Motion)
	}
	for _, d := range []struct{ id, place string }{{Gate, "gate"}, {Room, "cabinet"}} {
		t.say(t.Begin, event.Door(d.id), &event.DoorConfigured{SiteID: t.Site, Place: d.place}, Motion)
		t.say(t.Begin, event.Door(d.id), &event.DoorState{SiteID: t.Site, State: event.DoorLocked}, Motion)
		t.doors[d.id] = event.DoorLocked
	}
	t.say(t.Begin, event.Site(t.Site), &event.Arming{Armed: true, Schedule: true}, Charger)
}

// zones are what a camera looks at: a bay of each station, or the doors.
func (t *teller) zones(camera string) (out []event.CameraZone) {
	if camera == GateCamera {
		return []event.CameraZone{{ID: "doors", Kind: event.ZoneWatch, Doors: []string{Gate, Room}}}
	}
	for i := range t.Stations {
		id := named(i)
		out = append(out, event.CameraZone{ID: id, Kind: event.ZoneWatch, Ports: []string{event.Port(id, 1, 0).String(), event.Port(id, 2, 0).String()}})
	}
	return out
}

func (t *teller) tell(a *Act) {
	id, port := named(a.Station), event.Port(named(a.Station), a.EVSE, 1)
	fault := &event.Status{Status: "Faulted", ErrorCode: a.Code}
	charge := func() string { return fmt.Sprintf("t-%s-%d-%d", id, a.EVSE, t.charges[Place{a.Station, a.EVSE}]) }
	switch a.Do {
	case Breaks:
		t.say(a.At, port, fault, Charger)
	case Hides:
		t.answers[id] = fault
	case Mends:
		t.say(a.At, port, &event.Status{Status: "Available"}, Charger)
	case Plugs:
		t.charges[Place{a.Station, a.EVSE}]++
		t.say(a.At, port, &event.Status{Status: "Preparing"}, Charger)
		t.say(a.At.Add(8*time.Second), port, &event.Transaction{Stage: event.TransactionStarted, TransactionID: charge(), TokenID: "tok"}, Charger)
		t.say(a.At.Add(10*time.Second), port, &event.Status{Status: "Charging"}, Charger)
	case Unplugs, Tears:
		t.say(a.At, port, &event.Transaction{Stage: event.TransactionEnded, TransactionID: charge(), Reason: "EVDisconnected"}, Charger)
		if a.Do == Unplugs {
			t.say(a.At.Add(time.Second), port, &event.Status{Status: "Available"}, Charger)
		}
	case Loses:
		t.say(a.At, event.Station(id), &event.Disconnected{ConnID: id, Reason: "timeout"}, Charger)
	case Returns:
		t.say(a.At, event.Station(id), &event.Connected{ConnID: id, Protocol: "ocpp1.6"}, Charger)
	case Tampers:
		t.say(a.At, event.Station(id), &event.Security{Type: "TamperDetectionActivated"}, Charger)
	case Comes:
		t.comes(a)
	case Covers:
		t.say(a.At, event.Camera(a.Camera), &event.Scene{ID: "cover", SiteID: t.Site, What: event.SceneCovered, Phase: event.SceneStarted, Source: "picture", Armed: true}, Motion)
	case Darkens:
		t.say(a.At, event.Camera(a.Camera), &event.CameraState{SiteID: t.Site, State: event.CameraStalled, Was: event.CameraLive}, Motion)
	case Badges, Refused:
		t.say(a.At, event.Door(a.Door), &event.Access{SiteID: t.Site, Allowed: a.Do == Badges, DecidedBy: "controller", Method: "card", TokenID: a.As}, Motion)
	case Shows:
		t.say(a.At, event.Station(id), &event.Authorize{TokenID: a.As, Status: a.Code}, Charger)
	case Notes:
		t.say(a.At, event.Station(id), &event.Security{Type: a.Code}, Charger)
	case Forces:
		t.door(a, event.DoorForced)
	case Opens:
		t.door(a, event.DoorOpen)
	case Shuts:
		t.door(a, event.DoorLocked)
	case Arrives, Goes:
		t.say(a.At, event.Site(t.Site), &event.Presence{Order: "wo", Station: id, Present: a.Do == Arrives}, Charger)
	}
}

func (t *teller) door(a *Act, is event.DoorCondition) {
	t.say(a.At, event.Door(a.Door), &event.DoorState{SiteID: t.Site, State: is, Was: t.doors[a.Door]}, Motion)
	t.doors[a.Door] = is
}

func (t *teller) comes(a *Act) {
	t.scenes++
	id := fmt.Sprintf("m%d", t.scenes)
	var ports []string
	for _, p := range a.Near {
		ports = append(ports, event.Port(named(p.Station), p.EVSE, 0).String())
	}
	scene := func(p event.ScenePhase) *event.Scene {
		return &event.Scene{ID: id, SiteID: t.Site, What: event.SceneMotion, Phase: p, Source: "picture", Zone: "bay", Ports: ports, Armed: true, Percent: 4}
	}
	t.say(a.At, event.Camera(a.Camera), scene(event.SceneStarted), Motion)
	t.say(a.At.Add(a.For), event.Camera(a.Camera), scene(event.SceneEnded), Motion)
	for _, s := range a.Sights {
		t.say(s.At, event.Camera(a.Camera), &event.Labels{SiteID: t.Site, Source: event.LabelsOfVerifier, Scene: id, Armed: true, SeenAt: s.At, Items: s.Items}, Labels)
	}
}

// Package raid draws labelled stories of one site: raids on its cables, and ordinary
// nights, as what its stations, cameras and doors would say. What a cut cable says is
// engineering judgement, not measured on hardware (reference of security, 3.3).
//
// It knows no rules: the stories are written down before anybody looks what is found in
// them, and a seed that nobody has tuned on tells what the rules are worth.
package raid

import (
	"fmt"
	"math/rand/v2"
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

// Story is one time at one site.
type Story struct {
	Kind string
	Site string
	// Cut is when the first cable was cut, or the first thing was done that means
	// harm; zero in an ordinary night.
	Cut, End time.Time
	Said     []Said
	// Answers are what ports say when they are asked how they are, by station.
	Answers map[string]event.Body
}

// Kinds of raids, in turn.
func Kinds() []string {
	return []string{"idle", "withSessions", "powerFirst", "cameraFirst", "cabinet", "gateForced"}
}

type writer struct {
	*rand.Rand
	story    *Story
	stations int
	dc       bool
	camera   string
	scene    int
	plugged  []bool
	van      bool // who is there came with a vehicle, in view
}

func open(seed uint64, kind string, start time.Time) *writer {
	r := rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))
	w := &writer{Rand: r, story: &Story{Kind: kind, Site: "yard", Answers: make(map[string]event.Body)}, stations: 2 + r.IntN(7), dc: r.IntN(3) > 0, camera: "cam1"}
	w.plugged = make([]bool, w.stations)
	for i := range w.stations {
		id := w.station(i)
		w.say(start, event.Station(id), &event.StationConfigured{SiteID: "yard", Onboarding: event.OnboardingAccepted}, Charger)
		w.say(start, event.Station(id), &event.Connected{ConnID: id, Protocol: "ocpp1.6"}, Charger)
		w.say(start, event.Station(id), &event.Boot{Vendor: "V", Model: "M"}, Charger)
		for evse := 1; evse <= 2; evse++ {
			w.say(start, event.Port(id, evse, 1), &event.Status{Status: "Available"}, Charger)
		}
	}
	for _, cam := range []string{"cam1", "cam2"} {
		w.say(start, event.Camera(cam), &event.CameraConfigured{SiteID: "yard"}, Motion)
		w.say(start, event.Camera(cam), &event.CameraState{SiteID: "yard", State: event.CameraLive}, Motion)
	}
	for _, d := range []struct{ id, place string }{{"gate", "gate"}, {"room", "cabinet"}} {
		w.say(start, event.Door(d.id), &event.DoorConfigured{SiteID: "yard", Place: d.place}, Motion)
		w.say(start, event.Door(d.id), &event.DoorState{SiteID: "yard", State: event.DoorLocked}, Motion)
	}
	w.say(start, event.Site("yard"), &event.Arming{Armed: true, Schedule: true}, Charger)
	return w
}

func (w *writer) station(i int) string { return fmt.Sprintf("S%d", i+1) }

func (w *writer) say(at time.Time, s event.Subject, b event.Body, needs Sense) {
	w.story.Said = append(w.story.Said, Said{at, s, b, needs})
}

// between draws a time.
func (w *writer) between(from, to time.Duration) time.Duration {
	return from + time.Duration(w.Float64()*float64(to-from))
}

func (w *writer) chance(p float64) bool { return w.Float64() < p }

// moves says that something is before a camera for a while, and what it is called.
func (w *writer) moves(from time.Time, d time.Duration, label event.SceneKind, sure float64, ports []string) {
	w.scene++
	id := fmt.Sprintf("m%d", w.scene)
	scene := func(p event.ScenePhase) *event.Scene {
		return &event.Scene{ID: id, SiteID: "yard", What: event.SceneMotion, Phase: p, Source: "picture", Zone: "bay", Ports: ports, Armed: true, Percent: 4}
	}
	w.say(from, event.Camera(w.camera), scene(event.SceneStarted), Motion)
	w.say(from.Add(d), event.Camera(w.camera), scene(event.SceneEnded), Motion)
	if label == "" || !w.chance(sure) {
		return
	}
	for at := from.Add(w.between(time.Second, 4*time.Second)); at.Before(from.Add(d)); at = at.Add(w.between(8*time.Second, 20*time.Second)) {
		items := []event.Label{{What: label, Score: 0.55 + 0.4*w.Float64()}}
		if label == event.ScenePerson && w.van && w.chance(0.9) { // it stands in the picture
			items = append(items, event.Label{What: event.SceneVehicle, Score: 0.6 + 0.35*w.Float64()})
		}
		w.say(at, event.Camera(w.camera), &event.Labels{SiteID: "yard", Source: event.LabelsOfVerifier, Armed: true, SeenAt: at, Items: items}, Labels)
	}
}

// cable cuts the cable of a port.
func (w *writer) cable(at time.Time, i, evse int, silent bool) {
	id := w.station(i)
	port := event.Port(id, evse, 1)
	later := at.Add(w.between(200*time.Millisecond, 4*time.Second))
	fault := func(code string) *event.Status { return &event.Status{Status: "Faulted", ErrorCode: code} }
	switch {
	case silent: // power or line are gone
	case w.plugged[i]: // the car's end is torn out under load
		w.say(later, port, &event.Transaction{Stage: event.TransactionEnded, TransactionID: "t-" + id, Reason: "EVDisconnected"}, Charger)
		w.say(later.Add(w.between(100*time.Millisecond, 3*time.Second)), port, fault([]string{"GroundFailure", "EVCommunicationError", "OtherError"}[w.IntN(3)]), Charger)
		w.plugged[i] = false
	case w.dc: // the sensor in the plug is an open circuit
		code := []string{"HighTemperature", "HighTemperature", "OtherError", "ConnectorLockFailure"}[w.IntN(4)]
		if w.chance(0.6) {
			w.say(later, port, fault(code), Charger)
			return
		}
		if w.chance(0.7) { // it looks when it is asked
			w.story.Answers[id] = fault(code)
		}
	default: // AC and idle: an open circuit is what it sees all day
		if w.chance(0.15) {
			w.say(later, port, fault("GroundFailure"), Charger)
		}
	}
}

func (w *writer) ports() []string {
	var out []string
	for i := range w.stations {
		out = append(out, event.Port(w.station(i), 1, 0).String(), event.Port(w.station(i), 2, 0).String())
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
			port := event.Port(w.station(i), 1, 1)
			w.say(at.Add(-20*time.Minute), port, &event.Status{Status: "Charging"}, Charger)
			w.say(at.Add(-20*time.Minute), port, &event.Transaction{Stage: event.TransactionStarted, TransactionID: "t-" + w.station(i), TokenID: "tok"}, Charger)
		}
	}
	arrive := at.Add(-w.between(10*time.Second, 40*time.Second))
	w.van = w.chance(0.5)
	cables := 2 + w.IntN(min(6, 2*w.stations-1))
	silent := false
	switch kind {
	case "powerFirst":
		silent = true
		w.story.Cut = at
		for i := range w.stations {
			w.say(at.Add(w.between(0, 25*time.Second)), event.Station(w.station(i)), &event.Disconnected{ConnID: w.station(i), Reason: "timeout"}, Charger)
		}
		if w.chance(0.7) {
			gone := at.Add(w.between(3*time.Second, 12*time.Second))
			w.say(gone, event.Camera("cam2"), &event.CameraState{SiteID: "yard", State: event.CameraStalled, Was: event.CameraLive}, Motion)
		}
		w.moves(arrive, at.Sub(arrive), event.ScenePerson, 0.95, w.ports())
	case "cameraFirst":
		covered := at.Add(-w.between(20*time.Second, 5*time.Minute))
		w.say(covered, event.Camera("cam1"), &event.Scene{ID: "cover", SiteID: "yard", What: event.SceneCovered, Phase: event.SceneStarted, Source: "picture", Armed: true}, Motion)
		w.camera = "cam2"
		arrive = covered.Add(-5 * time.Second)
		w.moves(arrive, at.Sub(arrive)+w.between(30*time.Second, time.Minute), event.ScenePerson, 0.8, w.ports())
	case "cabinet":
		w.story.Cut = at
		w.say(at, event.Door("room"), &event.DoorState{SiteID: "yard", State: event.DoorForced, Was: event.DoorLocked}, Motion)
		w.say(at.Add(3*time.Second), event.Station("S1"), &event.Security{Type: "TamperDetectionActivated"}, Charger)
		w.moves(arrive, at.Sub(arrive)+time.Minute, event.ScenePerson, 0.95, nil)
		at = at.Add(w.between(20*time.Second, 40*time.Second))
	case "gateForced":
		w.say(arrive, event.Door("gate"), &event.DoorState{SiteID: "yard", State: event.DoorForced, Was: event.DoorLocked}, Motion)
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

// Night draws an ordinary one, of the kinds of things that happen at a site.
func Night(seed uint64) (story *Story, stationDays float64) {
	start := time.Date(2026, 11, 2, 20, 0, 0, 0, time.UTC)
	w := open(seed, "night", start)
	length := 24 * time.Hour
	w.story.End = start.Add(length)
	when := func() time.Time { return start.Add(w.between(10*time.Minute, length-30*time.Minute)) }
	// A connector fails once in 30 days; one fault in seven is of the kind that a cut
	// cable makes too.
	for i := range w.stations {
		for evse := 1; evse <= 2; evse++ {
			if w.chance(1.0 / 30) {
				code := []string{"OtherError", "InternalError", "PowerSwitchFailure", "ReaderFailure", "OverCurrentFailure", "UnderVoltage", "GroundFailure"}[w.IntN(7)]
				at := when()
				w.say(at, event.Port(w.station(i), evse, 1), &event.Status{Status: "Faulted", ErrorCode: code}, Charger)
				w.say(at.Add(w.between(time.Minute, 3*time.Hour)), event.Port(w.station(i), evse, 1), &event.Status{Status: "Available"}, Charger)
			}
		}
		if w.chance(0.5) { // a weak line
			at := when()
			id := w.station(i)
			w.say(at, event.Station(id), &event.Disconnected{ConnID: id, Reason: "timeout"}, Charger)
			w.say(at.Add(w.between(5*time.Second, 10*time.Minute)), event.Station(id), &event.Connected{ConnID: id, Protocol: "ocpp1.6"}, Charger)
		}
	}
	for range 2 + w.IntN(6) { // late drivers
		w.driver(when())
	}
	for range w.IntN(4) {
		w.moves(when(), w.between(5*time.Second, 40*time.Second), event.SceneAnimal, 0.8, w.ports())
	}
	for range w.IntN(5) { // headlights, rain, leaves: nothing that has a name
		w.moves(when(), w.between(2*time.Second, 90*time.Second), "", 0, w.ports())
	}
	if w.chance(0.1) { // a technician, sent
		w.technician(when())
	}
	if w.chance(0.03) { // the line of the site is away for a while
		at := when()
		for i := range w.stations {
			id := w.station(i)
			w.say(at.Add(w.between(0, 20*time.Second)), event.Station(id), &event.Disconnected{ConnID: id, Reason: "timeout"}, Charger)
			w.say(at.Add(w.between(2*time.Minute, 20*time.Minute)), event.Station(id), &event.Connected{ConnID: id, Protocol: "ocpp1.6"}, Charger)
		}
	}
	if w.chance(0.02) { // the grid dips: all fail at once
		at := when()
		for i := range w.stations {
			w.say(at.Add(w.between(0, 1500*time.Millisecond)), event.Port(w.station(i), 1, 1), &event.Status{Status: "Faulted", ErrorCode: "UnderVoltage"}, Charger)
			w.say(at.Add(w.between(time.Minute, 5*time.Minute)), event.Port(w.station(i), 1, 1), &event.Status{Status: "Available"}, Charger)
		}
	}
	if w.chance(0.15) { // staff
		at := when()
		w.say(at, event.Door("gate"), &event.Access{SiteID: "yard", Allowed: true, DecidedBy: "controller", Method: "card"}, Motion)
		w.say(at.Add(3*time.Second), event.Door("gate"), &event.DoorState{SiteID: "yard", State: event.DoorOpen, Was: event.DoorLocked}, Motion)
		w.say(at.Add(20*time.Second), event.Door("gate"), &event.DoorState{SiteID: "yard", State: event.DoorLocked, Was: event.DoorOpen}, Motion)
	}
	return w.done(), float64(w.stations)
}

// driver comes by car, gets out, plugs in, and comes back later.
func (w *writer) driver(at time.Time) {
	i := w.IntN(w.stations)
	if w.plugged[i] {
		return
	}
	w.plugged[i], w.van = true, true
	defer func() { w.van = false }()
	port, id := event.Port(w.station(i), 1, 1), fmt.Sprintf("n-%d", at.Unix())
	zone := []string{event.Port(w.station(i), 1, 0).String()}
	w.moves(at, w.between(8*time.Second, 20*time.Second), event.SceneVehicle, 0.95, zone)
	out := at.Add(w.between(10*time.Second, 60*time.Second))
	handling := w.between(15*time.Second, 100*time.Second)
	w.moves(out, handling, event.ScenePerson, 0.95, zone)
	plug := out.Add(time.Duration(w.between(0.3e9, 0.7e9).Seconds() * float64(handling)))
	w.say(plug, port, &event.Status{Status: "Preparing"}, Charger)
	w.say(plug.Add(8*time.Second), port, &event.Transaction{Stage: event.TransactionStarted, TransactionID: id, TokenID: "tok"}, Charger)
	w.say(plug.Add(10*time.Second), port, &event.Status{Status: "Charging"}, Charger)
	back := plug.Add(w.between(15*time.Minute, 3*time.Hour))
	w.moves(back, w.between(20*time.Second, 80*time.Second), event.ScenePerson, 0.95, zone)
	w.say(back.Add(10*time.Second), port, &event.Transaction{Stage: event.TransactionEnded, TransactionID: id, Reason: "EVDisconnected"}, Charger)
	w.say(back.Add(11*time.Second), port, &event.Status{Status: "Available"}, Charger)
}

// technician works at a station on an order.
func (w *writer) technician(at time.Time) {
	i := w.IntN(w.stations)
	id := w.station(i)
	w.say(at, event.Site("yard"), &event.Presence{Order: "wo", Station: id, Present: true}, Charger)
	w.say(at.Add(time.Minute), event.Door("room"), &event.Access{SiteID: "yard", Allowed: true, DecidedBy: "controller", Method: "card"}, Motion)
	w.say(at.Add(time.Minute+2*time.Second), event.Door("room"), &event.DoorState{SiteID: "yard", State: event.DoorOpen, Was: event.DoorLocked}, Motion)
	w.say(at.Add(2*time.Minute), event.Station(id), &event.Security{Type: "TamperDetectionActivated"}, Charger)
	w.moves(at.Add(time.Minute), 15*time.Minute, event.ScenePerson, 0.95, []string{event.Port(id, 1, 0).String()})
	w.say(at.Add(5*time.Minute), event.Port(id, 1, 1), &event.Status{Status: "Faulted", ErrorCode: "GroundFailure"}, Charger)
	w.say(at.Add(7*time.Minute), event.Port(id, 2, 1), &event.Status{Status: "Faulted", ErrorCode: "OtherError"}, Charger)
	w.say(at.Add(16*time.Minute), event.Port(id, 1, 1), &event.Status{Status: "Available"}, Charger)
	w.say(at.Add(16*time.Minute), event.Port(id, 2, 1), &event.Status{Status: "Available"}, Charger)
	w.say(at.Add(18*time.Minute), event.Door("room"), &event.DoorState{SiteID: "yard", State: event.DoorLocked, Was: event.DoorOpen}, Motion)
	w.say(at.Add(20*time.Minute), event.Site("yard"), &event.Presence{Order: "wo", Station: id}, Charger)
}

func (w *writer) done() *Story {
	slices.SortStableFunc(w.story.Said, func(a, b Said) int { return a.At.Compare(b.At) })
	return w.story
}

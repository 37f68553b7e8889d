package raid

import (
	"fmt"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// The deeds of people who do nothing wrong at readers, and of stations that say something
// of themselves: As is the card, Code what comes of it or what the station says.
const (
	Shows Deed = "shows" // a card to a station
	Notes Deed = "notes" // a security event of a station
)

// daily adds what is ordinary at a site by day and by night, and looks a little like what
// is not: many who go through a gate with one card, vehicles that stand in bays, cards
// that are refused.
func (w *writer) daily(when func() time.Time) {
	if w.chance(0.3) {
		w.family(when())
	}
	if w.chance(0.1) {
		w.colleagues(when())
	}
	if w.chance(0.4) {
		w.delivery(when())
	}
	if w.chance(0.4) {
		w.waits(when())
	}
	if w.chance(0.1) {
		w.forgetful(when())
	}
	for range w.IntN(3) {
		w.cards(when())
	}
	for i := range w.stations {
		if w.chance(0.1) {
			w.do(Act{At: when(), Do: Notes, Station: i, Code: []string{"StartupOfTheDevice", "ResetOrReboot", "SettingSystemTime", "InvalidMessages"}[w.IntN(4)]})
		}
		if w.chance(0.01) { // its password was changed
			w.do(Act{At: when(), Do: Notes, Station: i, Code: "FailedToAuthenticateAtCentralSystem"})
		}
	}
}

// through is that people go through the gate after a card; several of them in view.
func (w *writer) through(at time.Time, persons int, vehicle bool) {
	w.do(Act{At: at.Add(2 * time.Second), Do: Opens, Door: Gate})
	a := Act{At: at.Add(3 * time.Second), Do: Comes, Camera: GateCamera, What: event.ScenePerson, For: 12 * time.Second}
	for s := time.Duration(1); s < 12; s += 3 {
		var items []event.Label
		if vehicle {
			items = append(items, event.Label{What: event.SceneVehicle, Score: 0.6 + 0.35*w.Float64()})
		}
		for range persons {
			items = append(items, event.Label{What: event.ScenePerson, Score: 0.55 + 0.4*w.Float64()})
		}
		a.Sights = append(a.Sights, Sight{a.At.Add(s * time.Second), items})
	}
	w.do(a)
	w.do(Act{At: at.Add(25 * time.Second), Do: Shuts, Door: Gate})
}

// family drives in: four people, one card.
func (w *writer) family(at time.Time) {
	w.do(Act{At: at, Do: Badges, Door: Gate, As: "family"})
	w.through(at, 2+w.IntN(3), true)
}

// colleagues come together and have a card each.
func (w *writer) colleagues(at time.Time) {
	w.do(Act{At: at.Add(-5 * time.Second), Do: Badges, Door: Gate, As: "first"})
	w.do(Act{At: at, Do: Badges, Door: Gate, As: "second"})
	w.through(at, 2, false)
}

// forgetful is somebody whose card works at the third or fourth try.
func (w *writer) forgetful(at time.Time) {
	for range 2 + w.IntN(2) {
		w.do(Act{At: at, Do: Refused, Door: Gate, As: "worn"})
		at = at.Add(w.between(4*time.Second, 15*time.Second))
	}
	w.do(Act{At: at, Do: Badges, Door: Gate, As: "worn"})
	w.through(at, 1, false)
}

// delivery is a van in a bay, for some minutes or far too long.
func (w *writer) delivery(at time.Time) {
	zone := []Place{{w.IntN(w.stations), 1}}
	stays := w.between(3*time.Minute, 9*time.Minute)
	if w.chance(0.3) {
		stays = w.between(12*time.Minute, 40*time.Minute)
	}
	w.stands(at, stays, zone)
	w.van = true
	w.moves(at.Add(w.between(20*time.Second, time.Minute)), w.between(10*time.Second, 50*time.Second), event.ScenePerson, 0.95, zone)
	w.van = false
}

// stands is a vehicle that comes to a bay and stands there: nothing moves then, but who
// names what is in pictures goes on to name it.
func (w *writer) stands(at time.Time, d time.Duration, zone []Place) {
	a := w.moves(at, w.between(8*time.Second, 20*time.Second), event.SceneVehicle, 1, zone)
	for s := at.Add(time.Minute); s.Before(at.Add(d)); s = s.Add(w.between(time.Minute, 3*time.Minute)) {
		a.Sights = append(a.Sights, Sight{s, []event.Label{{What: event.SceneVehicle, Score: 0.6 + 0.35*w.Float64()}}})
	}
}

// waits is a driver who sits in the car for a while before plugging in.
func (w *writer) waits(at time.Time) {
	i := w.IntN(w.stations)
	if w.plugged[i] {
		return
	}
	sits := w.between(2*time.Minute, 9*time.Minute)
	w.stands(at, sits, []Place{{i, 1}})
	w.driver(at.Add(sits))
}

// cards is a driver who has several, at a station.
func (w *writer) cards(at time.Time) {
	i := w.IntN(w.stations)
	for n := range w.IntN(4) {
		w.do(Act{At: at, Do: Shows, Station: i, As: fmt.Sprintf("card-%d", n), Code: "Invalid"})
		at = at.Add(w.between(5*time.Second, 30*time.Second))
	}
	w.do(Act{At: at, Do: Shows, Station: i, As: "right", Code: "Accepted"})
}

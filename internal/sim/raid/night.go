package raid

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

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
				w.do(Act{At: at, Do: Breaks, Station: i, EVSE: evse, Code: code})
				w.do(Act{At: at.Add(w.between(time.Minute, 3*time.Hour)), Do: Mends, Station: i, EVSE: evse})
			}
		}
		if w.chance(0.5) { // a weak line
			at := when()
			w.do(Act{At: at, Do: Loses, Station: i})
			w.do(Act{At: at.Add(w.between(5*time.Second, 10*time.Minute)), Do: Returns, Station: i})
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
			w.do(Act{At: at.Add(w.between(0, 20*time.Second)), Do: Loses, Station: i})
			w.do(Act{At: at.Add(w.between(2*time.Minute, 20*time.Minute)), Do: Returns, Station: i})
		}
	}
	if w.chance(0.02) { // the grid dips: all fail at once
		at := when()
		for i := range w.stations {
			w.do(Act{At: at.Add(w.between(0, 1500*time.Millisecond)), Do: Breaks, Station: i, EVSE: 1, Code: "UnderVoltage"})
			w.do(Act{At: at.Add(w.between(time.Minute, 5*time.Minute)), Do: Mends, Station: i, EVSE: 1})
		}
	}
	if w.chance(0.15) { // staff
		at := when()
		w.do(Act{At: at, Do: Badges, Door: Gate})
		w.do(Act{At: at.Add(3 * time.Second), Do: Opens, Door: Gate})
		w.do(Act{At: at.Add(20 * time.Second), Do: Shuts, Door: Gate})
	}
	w.daily(when)
	return w.done(), float64(w.stations)
}

// one draws one thing that happens in ordinary nights.
func one(seed uint64, kind string) *Story {
	start := time.Date(2026, 11, 2, 20, 0, 0, 0, time.UTC)
	w := open(seed, kind, start)
	at := start.Add(w.between(10*time.Minute, time.Hour))
	switch kind {
	case "night-fox":
		w.moves(at, w.between(5*time.Second, 40*time.Second), event.SceneAnimal, 0.8, w.ports())
	case "night-late-driver":
		w.driver(at)
	case "night-technician":
		w.technician(at)
	case "night-headlights":
		w.moves(at, w.between(2*time.Second, 20*time.Second), "", 0, w.ports()).As = "headlights"
	case "night-rain":
		w.moves(at, w.between(time.Minute, 3*time.Minute), "", 0, w.ports()).As = "rain"
	}
	w.done()
	for _, a := range w.story.Acts {
		if end := a.At.Add(a.For + time.Minute); end.After(w.story.End) {
			w.story.End = end
		}
	}
	w.story.Curtain = w.story.Acts[0].At
	return w.story
}

// driver comes by car, gets out, plugs in, and comes back later.
func (w *writer) driver(at time.Time) {
	i := w.IntN(w.stations)
	if w.plugged[i] {
		return
	}
	w.plugged[i], w.van = true, true
	defer func() { w.van = false }()
	zone := []Place{{i, 1}}
	w.moves(at, w.between(8*time.Second, 20*time.Second), event.SceneVehicle, 0.95, zone)
	out := at.Add(w.between(10*time.Second, 60*time.Second))
	handling := w.between(15*time.Second, 100*time.Second)
	w.moves(out, handling, event.ScenePerson, 0.95, zone)
	plug := out.Add(time.Duration(w.between(0.3e9, 0.7e9).Seconds() * float64(handling)))
	w.do(Act{At: plug, Do: Plugs, Station: i, EVSE: 1})
	back := plug.Add(w.between(15*time.Minute, 3*time.Hour))
	w.moves(back, w.between(20*time.Second, 80*time.Second), event.ScenePerson, 0.95, zone)
	w.do(Act{At: back.Add(10 * time.Second), Do: Unplugs, Station: i, EVSE: 1})
}

// technician works at a station on an order.
func (w *writer) technician(at time.Time) {
	i := w.IntN(w.stations)
	w.do(Act{At: at, Do: Arrives, Station: i})
	w.do(Act{At: at.Add(time.Minute), Do: Badges, Door: Room})
	w.do(Act{At: at.Add(time.Minute + 2*time.Second), Do: Opens, Door: Room})
	w.do(Act{At: at.Add(2 * time.Minute), Do: Tampers, Station: i})
	w.moves(at.Add(time.Minute), 15*time.Minute, event.ScenePerson, 0.95, []Place{{i, 1}})
	w.do(Act{At: at.Add(5 * time.Minute), Do: Breaks, Station: i, EVSE: 1, Code: "GroundFailure"})
	w.do(Act{At: at.Add(7 * time.Minute), Do: Breaks, Station: i, EVSE: 2, Code: "OtherError"})
	w.do(Act{At: at.Add(16 * time.Minute), Do: Mends, Station: i, EVSE: 1})
	w.do(Act{At: at.Add(16 * time.Minute), Do: Mends, Station: i, EVSE: 2})
	w.do(Act{At: at.Add(18 * time.Minute), Do: Shuts, Door: Room})
	w.do(Act{At: at.Add(20 * time.Minute), Do: Goes, Station: i})
}

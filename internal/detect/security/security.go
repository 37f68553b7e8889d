// Package security knows what cameras, doors and charging stations say, alone and
// together: a camera that is lost or shows nothing of its site, a door that was
// forced, somebody where nobody should be, cables that are being stolen. One file a
// subject, as in package health.
//
// What no recorder can know is known here: whether a car charges where somebody
// stands, whether the whole site lost its power, whether ports fall silent while
// something moves before them.
package security

import (
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// Detectors returns all of them, in the order of their ids.
func Detectors() []detect.Detector {
	return append([]detect.Detector{
		cameraLost(),   // V01
		tampered(),     // V02
		whileArmed(),   // V03
		loitering(),    // V04
		cableTheft(),   // V05
		cutOff(),       // C02
		cabinet(),      // C03
		badgeAlone(),   // C05
		tailgating(),   // C06
		bayBlocked(),   // C08
		overstay(),     // C09
		twoPlaces(),    // C10
		guessing(),     // C11
		vandalism(),    // C12
		blinded(),      // C13
		atTheStation(), // C18
		doorForced(),   // A01
		doorHeld(),     // A02
		doorRefused(),  // A03
		doorAlarm(),    // A04
		controllerFault(),
		accessDiffers(),  // A06
		openedArmed(),    // A07
		passback(),       // A08
		retentionShort(), // V10
		copyFailed(),     // V11
	}, waiting()...)
}

// maxScenes bounds what one camera can make us keep.
const maxScenes = 64

// scene is something that goes on before a camera.
type scene struct {
	ID    string          `json:"id"`
	What  event.SceneKind `json:"what"`
	Zone  string          `json:"zone,omitempty"`
	Ports []string        `json:"ports,omitempty"`
	Doors []string        `json:"doors,omitempty"`
	Since detect.Moment   `json:"since"`
	Armed bool            `json:"armed,omitempty"`
	// Ended is when it did, of those that may go on.
	Ended detect.Moment `json:"ended,omitzero"`
}

// scenes are those that go on, in the order in which they began.
type scenes struct {
	Open []scene `json:"open,omitempty"`
}

// note takes in what a camera tells of a scene.
func (s *scenes) note(b *event.Scene, now time.Time) {
	s.Open = slices.DeleteFunc(s.Open, func(x scene) bool { return x.ID == b.ID })
	if b.Phase != event.SceneStarted {
		return
	}
	if len(s.Open) == maxScenes {
		s.Open = slices.Delete(s.Open, 0, 1)
	}
	s.Open = append(s.Open, scene{ID: b.ID, What: b.What, Zone: b.Zone, Ports: b.Ports, Doors: b.Doors, Since: detect.At(now), Armed: b.Armed})
}

// moves reports what means that somebody or something is there.
func moves(k event.SceneKind) bool {
	switch k {
	case event.SceneMotion, event.ScenePerson, event.SceneVehicle, event.SceneLineCrossing:
		return true
	}
	return false
}

// port is the port that a subject names, nil if it is not known.
func port(c *detect.Context, name string) (*detect.Station, *detect.Port) {
	s, err := event.ParseSubject(name)
	if err != nil || s.Type != event.StationSubject {
		return nil, nil
	}
	st := c.Network().Station(s.ID)
	if st == nil {
		return nil, nil
	}
	return st, st.Port(s.EVSE)
}

// called is a camera as people know it.
func called(st *detect.Station) string {
	if st.Label != "" {
		return st.Label
	}
	return st.Camera.ID
}

// dark reports that no station of the site is connected: its power or its line is
// gone, and the cameras with it.
func dark(c *detect.Context) bool {
	stations := 0
	for st := range c.Network().Site(c.Station.SiteID) {
		if st.Online {
			return false
		}
		if !st.LinkAt.IsZero() && !st.BootAt.IsZero() {
			stations++
		}
	}
	return stations > 0
}

package detect

import (
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Sights are what a camera has told by name, and when it last did.
type Sights struct {
	Motion  Sight `json:"motion,omitzero"`
	Person  Sight `json:"person,omitzero"`
	Vehicle Sight `json:"vehicle,omitzero"`
	Plate   Sight `json:"plate,omitzero"`
	// Counted is when several of a kind were last told of one picture.
	Counted Moment `json:"counted,omitempty"`
	// PlateID is the plate that was seen last.
	PlateID string `json:"plateId,omitempty"`
}

// Sight is when something was last told.
type Sight struct {
	At    Moment `json:"at,omitempty"`
	Scene string `json:"scene,omitempty"` // that goes on
}

// Lately reports whether it was seen within a time, or still is.
func (s Sight) Lately(now time.Time, within time.Duration) bool {
	return s.Scene != "" || !s.At.IsZero() && s.At.Ago(now) <= within
}

func (s *Sight) scene(b *event.Scene, at Moment) {
	switch b.Phase {
	case event.SceneStarted:
		*s = Sight{At: at, Scene: b.ID}
	case event.SceneEnded:
		if s.At = at; s.Scene == b.ID {
			s.Scene = ""
		}
	default:
		s.At = at
	}
}

// LabelCounts is how sure a label has to be to count as seen.
const LabelCounts = 0.5

func (s *Sights) saw(b *event.Scene, at Moment) {
	switch b.What {
	case event.SceneMotion, event.SceneLineCrossing:
		s.Motion.scene(b, at)
	case event.ScenePerson:
		s.Person.scene(b, at)
	case event.SceneVehicle:
		s.Vehicle.scene(b, at)
	case event.ScenePlate:
		s.Plate.scene(b, at)
		s.PlateID = b.Plate
	}
}

func (s *Sights) named(b *event.Labels, at Moment) {
	for _, x := range []struct {
		kind event.SceneKind
		of   *Sight
	}{{event.ScenePerson, &s.Person}, {event.SceneVehicle, &s.Vehicle}, {event.ScenePlate, &s.Plate}} {
		if b.Best(x.kind) >= LabelCounts {
			x.of.At = at
		}
	}
	if b.Count(event.ScenePerson, LabelCounts) > 1 || b.Count(event.SceneVehicle, LabelCounts) > 1 {
		s.Counted = at
	}
	for _, x := range b.Items {
		if x.What == event.ScenePlate && x.Plate != "" {
			s.PlateID = x.Plate
		}
	}
}

// lost forgets what went on before we were away.
func (s *Sights) lost() {
	for _, x := range []*Sight{&s.Motion, &s.Person, &s.Vehicle, &s.Plate} {
		x.Scene = ""
	}
}

// watched are the zones of a camera that stand for something: ports or doors.
func watched(zones []event.CameraZone) []event.CameraZone {
	return slices.DeleteFunc(slices.Clone(zones), func(z event.CameraZone) bool {
		return z.Kind != event.ZoneWatch && z.Kind != "" || len(z.Ports)+len(z.Doors) == 0
	})
}

// Shows reports whether a camera looks at a station: one of its ports, or all of it.
func (c *Camera) Shows(station string) bool {
	return slices.ContainsFunc(c.Zones, func(z event.CameraZone) bool {
		return slices.ContainsFunc(z.Ports, func(p string) bool {
			s, err := event.ParseSubject(p)
			return err == nil && s.Type == event.StationSubject && s.ID == station
		})
	})
}

// Guards reports whether a camera looks at a door.
func (c *Camera) Guards(door string) bool {
	return slices.ContainsFunc(c.Zones, func(z event.CameraZone) bool { return slices.Contains(z.Doors, door) })
}

// CamerasAt yields the cameras of a site that look at a station.
func (n *Network) CamerasAt(st *Station) func(yield func(*Station) bool) {
	return n.othersOf(st.SiteID, func(o *Station) bool { return o.Camera != nil && o.Camera.Shows(st.ID) })
}

// CamerasOf yields the cameras that look at a door.
func (n *Network) CamerasOf(door *Station) func(yield func(*Station) bool) {
	return n.othersOf(door.SiteID, func(o *Station) bool {
		return o.Camera != nil && (o.Camera.ID == door.Door.CameraID || o.Camera.Guards(door.Door.ID))
	})
}

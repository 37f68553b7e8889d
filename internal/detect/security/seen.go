package security

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// personAt is the camera that has seen a person at a station within a time.
func personAt(c *detect.Context, st *detect.Station, within time.Duration) (camera string, seen bool) {
	for cam := range c.Network().CamerasAt(st) {
		if cam.Camera.Seen.Person.Lately(c.Now, within) {
			return called(cam), true
		}
	}
	return "", false
}

// vehicleAt reports that a camera has seen a vehicle at a station within a time.
func vehicleAt(c *detect.Context, st *detect.Station, within time.Duration) bool {
	for cam := range c.Network().CamerasAt(st) {
		if cam.Camera.Seen.Vehicle.Lately(c.Now, within) {
			return true
		}
	}
	return false
}

// personBefore is the camera that has seen a person before a door within a time.
func personBefore(c *detect.Context, door *detect.Station, within time.Duration) (camera string, seen bool) {
	for cam := range c.Network().CamerasOf(door) {
		if cam.Camera.Seen.Person.Lately(c.Now, within) {
			return called(cam), true
		}
	}
	return "", false
}

// person reports that an event of a camera tells of a person now.
func person(e *event.Event) bool {
	switch b := e.Body.(type) {
	case *event.Scene:
		return b.What == event.ScenePerson && b.Phase != event.SceneEnded
	case *event.Labels:
		return b.Best(event.ScenePerson) >= labelCounts
	}
	return false
}

// shown yields the stations of its site that a camera looks at.
func shown(c *detect.Context, cam *detect.Station) func(yield func(*detect.Station) bool) {
	return func(yield func(*detect.Station) bool) {
		for st := range c.Network().Site(cam.SiteID) {
			if cam.Camera.Shows(st.ID) && !yield(st) {
				return
			}
		}
	}
}

// guarded yields the doors of its site that a camera looks at.
func guarded(c *detect.Context, cam *detect.Station) func(yield func(*detect.Station) bool) {
	return func(yield func(*detect.Station) bool) {
		for door := range c.Network().Doors(cam.SiteID) {
			if (door.Door.CameraID == cam.Camera.ID || cam.Camera.Guards(door.Door.ID)) && !yield(door) {
				return
			}
		}
	}
}

// lately reports whether it was told within a time; never is not.
func lately(told detect.Moment, now time.Time, within time.Duration) bool {
	return !told.IsZero() && told.Ago(now) < within
}

package security

import (
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// tailgating is C06: more persons go through a door than were let in. They are counted
// in single pictures, so it is at least so many; and in more than one picture, since
// one may err. A car that goes through a gate with a family in it is one badge.
//
// Who stands beside the door while a friend goes in is counted too: no camera of ours
// knows which way a person walks.
func tailgating() detect.Detector {
	return detect.Detector{
		ID: "C06", Code: "tailgating", Cameras: true, Doors: true,
		Needs: []detect.Source{detect.DoorSource, detect.CountSource},
		Uses:  []detect.Source{detect.VehicleSource},
		Params: []detect.Param{
			{Name: "afterSeconds", Default: 10, Unit: "s", Doc: "how long after the door opened persons are counted"},
			{Name: "grantSeconds", Default: 60, Unit: "s", Doc: "how long whoever was let in may take to go through"},
			{Name: "leastPictures", Default: 2, Doc: "in how many pictures there have to be too many"},
		},
		Kinds: []event.Kind{event.KindAccess, event.KindDoorState, event.KindLabels},
		On:    tailgatingOn,
		New:   func() any { return new(passage) },
	}
}

// passage is who was let in at a door, and how many were seen since it opened.
type passage struct {
	Grants   []detect.Moment `json:"grants,omitempty"`
	Opened   detect.Moment   `json:"opened,omitempty"`
	Pictures int             `json:"pictures,omitempty"` // with too many
	Told     bool            `json:"told,omitempty"`
}

const maxGrants = 32

func tailgatingOn(c *detect.Context, e *event.Event) {
	switch b := e.Body.(type) {
	case *event.Access:
		if !b.Allowed {
			return
		}
		m := detect.Memory[passage](c, 0)
		if m.Grants = append(m.Grants, detect.At(c.Now)); len(m.Grants) > maxGrants {
			m.Grants = slices.Delete(m.Grants, 0, 1)
		}
	case *event.DoorState:
		if m := detect.Recall[passage](c, 0); m != nil && b.State == event.DoorOpen && b.Was != event.DoorOpen {
			c.Station.Touch()
			m.Opened, m.Pictures, m.Told = detect.At(c.Now), 0, false
		}
	case *event.Labels:
		n := b.Count(event.ScenePerson, labelCounts)
		if n < 2 {
			return
		}
		for door := range guarded(c, c.Station) {
			counted(c, c.Of(door), n)
		}
	}
}

// counted weighs that so many persons are before a door.
func counted(camera, c *detect.Context, n int) {
	m := detect.Recall[passage](c, 0)
	if m == nil || m.Told || !lately(m.Opened, c.Now, seconds(c, "afterSeconds")) {
		return
	}
	within := seconds(c, "grantSeconds")
	m.Grants = slices.DeleteFunc(m.Grants, func(at detect.Moment) bool { return at.Ago(c.Now) > within })
	if len(m.Grants) == 0 || n <= len(m.Grants) || driveThrough(camera, c) {
		return
	}
	c.Station.Touch()
	if m.Pictures++; float64(m.Pictures) < wary(c, "leastPictures") {
		return
	}
	m.Told = true
	f := event.Finding{
		Severity: event.S3, Since: m.Opened.Time(),
		Facts: []event.Fact{detect.Value("persons", float64(n), ""), detect.Value("grants", float64(len(m.Grants)), ""), detect.Word("camera", called(camera.Station))},
		Text:  c.Say("%d persons went through door %s, and %d were let in.", n, calledDoor(c.Station), len(m.Grants)),
	}
	if c.Network().Armed(c.Station.SiteID) {
		f.Severity = event.S2
	}
	c.State(0, excused(c, f))
}

// driveThrough reports that a vehicle is at a gate: who sits in it has no badge each.
func driveThrough(camera, c *detect.Context) bool {
	place := c.Station.Door.Place
	return (place == "gate" || place == "barrier") && camera.Station.Camera.Seen.Vehicle.Lately(c.Now, time.Minute)
}

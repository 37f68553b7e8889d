package security

import (
	"slices"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// badgeAlone is C05: a door let somebody in and its camera saw nobody. Somebody tries
// whether a stolen card still works, or a card was read from afar.
//
// What is seen depends on who looks: a source of labels that sleeps would make every
// badge one of these. So a door has a record: the rule speaks where people were seen at
// most of its last badges, and not again before somebody is seen again.
func badgeAlone() detect.Detector {
	return detect.Detector{
		ID: "C05", Code: "badgeAlone", Doors: true,
		Needs: []detect.Source{detect.DoorSource, detect.PersonSource},
		Params: []detect.Param{
			{Name: "withinSeconds", Default: 30, Unit: "s", Doc: "how long before and after the badge somebody may be seen"},
			{Name: "leastSeen", Default: 3, Doc: "at how many of its last eight badges somebody has to have been seen"},
		},
		Kinds: []event.Kind{event.KindAccess},
		On: func(c *detect.Context, e *event.Event) {
			b, ok := e.Body.(*event.Access)
			if !ok || !shownBySomebody(b) || c.Waiting("look") {
				return
			}
			c.Wake("look", c.Now.Add(seconds(c, "withinSeconds")))
		},
		Due: badgeAloneDue,
		New: func() any { return new(badgeRecord) },
	}
}

// shownBySomebody reports that a person has to stand at the door: nobody does who opens
// it from afar, and who goes out comes from where no camera looks.
func shownBySomebody(b *event.Access) bool {
	return b.Allowed && !b.Out && b.DecidedBy != "person" && b.Method != "remote" && b.Method != "button"
}

// badgeRecord is whether somebody was seen at the last badges of a door.
type badgeRecord struct {
	Seen []bool `json:"seen,omitempty"`
}

const badgesKept = 8

func badgeAloneDue(c *detect.Context, _ string) {
	within := seconds(c, "withinSeconds")
	camera := ""
	for cam := range c.Network().CamerasOf(c.Station) {
		if cam.Camera.State == event.CameraLive && cam.Camera.Since.Ago(c.Now) > 2*within {
			camera = called(cam)
		}
	}
	if camera == "" {
		return // nobody looks, and nothing follows from it
	}
	m := detect.Memory[badgeRecord](c, 0)
	_, seen := personBefore(c, c.Station, 2*within)
	known := 0
	for _, s := range m.Seen {
		if s {
			known++
		}
	}
	asleep := len(m.Seen) > 0 && !m.Seen[len(m.Seen)-1]
	if m.Seen = append(m.Seen, seen); len(m.Seen) > badgesKept {
		m.Seen = slices.Delete(m.Seen, 0, 1)
	}
	if seen || asleep || float64(known) < c.Param("leastSeen") || c.Network().Worked(c.Station.SiteID) {
		return
	}
	c.State(0, event.Finding{
		Severity: event.S3, Since: c.Now.Add(-within), Facts: []event.Fact{detect.Word("camera", camera)},
		Text: c.Say("Door %s let somebody in, and camera %s saw nobody there.", calledDoor(c.Station), camera),
	})
}

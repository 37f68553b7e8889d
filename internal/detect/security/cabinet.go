package security

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// cabinet is C03: the case of a station is opened, shaken or tilted, or a cabinet door
// opens that let nobody in, and nobody who was sent is there. A badge at any door of
// the site a short time before makes it likely that it is staff.
func cabinet() detect.Detector {
	return detect.Detector{
		ID: "C03", Code: "cabinetOpened", Doors: true,
		Any: []detect.Source{detect.ShockSource, detect.DoorSource},
		Params: []detect.Param{
			{Name: "badgeMinutes", Default: 15, Unit: "min", Doc: "how long a badge at the site explains it"},
			{Name: "againMinutes", Default: 30, Unit: "min", Doc: "how long the same is not told again of a station or door"},
		},
		Kinds:     []event.Kind{event.KindComponent, event.KindDoorState, event.KindAccess},
		On:        cabinetOn,
		New:       func() any { return new(opened) },
		NewCommon: func() any { return &badges{Sites: make(map[string]detect.Moment)} },
	}
}

// opened is when a cabinet was last told of.
type opened struct {
	Told detect.Moment `json:"told"`
}

// badges are when somebody was last let in at a site.
type badges struct {
	Sites map[string]detect.Moment `json:"sites,omitempty"`
}

func cabinetOn(c *detect.Context, e *event.Event) {
	all := detect.Common[badges](c)
	what := ""
	switch b := e.Body.(type) {
	case *event.Access:
		if b.Allowed && len(all.Sites) < maxRaids {
			all.Sites[c.Station.SiteID] = detect.At(c.Now)
		}
		return
	case *event.Component:
		for i := range b.Items {
			if x := &b.Items[i]; caseSensor(x.Component, x.Variable) && x.Value == "true" {
				what = x.Component
			}
		}
	case *event.DoorState:
		if c.Station.Door.Place == "cabinet" && (b.State == event.DoorForced || b.State == event.DoorOpen && all.Sites[c.Station.SiteID].Ago(c.Now) > time.Minute) {
			what = "cabinet"
		}
	}
	if what == "" {
		return
	}
	m := detect.Memory[opened](c, 0)
	if !m.Told.IsZero() && m.Told.Ago(c.Now) < c.Minutes("againMinutes") {
		return
	}
	m.Told = detect.At(c.Now)
	f := event.Finding{Severity: urgentIfArmed(c, event.S2), Since: e.At, Facts: []event.Fact{detect.Word("what", what)}}
	if at, ok := all.Sites[c.Station.SiteID]; ok && at.Ago(c.Now) < c.Minutes("badgeMinutes") {
		f.Severity = event.S3
		f.Facts = append(f.Facts, detect.Word("badge", "somebody was let in at the site"))
	}
	name := c.Station.ID
	if c.Station.Door != nil {
		name = calledDoor(c.Station)
	}
	f.Text = c.Say("The case of %s was opened or shaken, and nobody was sent there.", name)
	if c.Network().Worked(c.Station.SiteID) {
		f.Severity, f.Text = event.S4, c.Say("The case of %s was opened or shaken; somebody works at the site on an order.", name)
	}
	c.State(0, f)
}

// caseSensor reports that a component of OCPP 2.x looks after the case.
func caseSensor(component, variable string) bool {
	switch component {
	case "CaseAccessSensor", "ShockSensor", "TiltSensor":
		return variable == "Tripped" || variable == "Active"
	}
	return false
}

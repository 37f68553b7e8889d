package security

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// doorForced is A01: a door stands open and nobody was let in. At an armed site it is
// the alarm itself; where somebody who was sent works, it has a reason.
func doorForced() detect.Detector {
	return detect.Detector{
		ID: "A01", Code: "doorForced", Doors: true,
		Needs: []detect.Source{detect.DoorSource},
		Kinds: []event.Kind{event.KindDoorState},
		On: func(c *detect.Context, e *event.Event) {
			b, ok := e.Body.(*event.DoorState)
			switch {
			case !ok:
			case b.State == event.DoorForced:
				f := event.Finding{Severity: urgentIfArmed(c, event.S2), Since: b.Since, Text: c.Say("Door %s was forced open.", calledDoor(c.Station))}
				c.Raise(0, excused(c, f))
			case shut(b.State):
				c.Clear("doorForced", 0)
			}
		},
	}
}

// doorHeld is A02: a door stands open for longer than it may. What was held is not
// secure, and after a while it is nobody's carelessness any more.
func doorHeld() detect.Detector {
	return detect.Detector{
		ID: "A02", Code: "doorHeld", Doors: true,
		Needs:  []detect.Source{detect.DoorSource},
		Params: []detect.Param{{Name: "longMinutes", Default: 5, Unit: "min", Doc: "how long it may be held open until it is urgent"}},
		Kinds:  []event.Kind{event.KindDoorState, event.KindServerStarted},
		On: func(c *detect.Context, e *event.Event) {
			b, ok := e.Body.(*event.DoorState)
			switch {
			case !ok:
			case b.State == event.DoorHeld:
				f := event.Finding{Severity: event.S3, Since: b.Since, Text: c.Say("Door %s is held open.", calledDoor(c.Station))}
				if c.Network().Armed(c.Station.SiteID) {
					f.Severity = event.S2
				}
				c.Raise(0, excused(c, f))
				c.Wake("long", c.Now.Add(c.Minutes("longMinutes")))
			case shut(b.State):
				c.Cancel("long")
				c.Clear("doorHeld", 0)
			}
		},
		Due: func(c *detect.Context, _ string) {
			if d := c.Station.Door; d != nil && d.State == event.DoorHeld && c.Station.IsOpen("doorHeld", 0) {
				f := event.Finding{Severity: event.S2, Text: c.Say("Door %s has been held open for %s.", calledDoor(c.Station), detect.Span(c.Minutes("longMinutes")))}
				c.Raise(0, excused(c, f))
			}
		},
	}
}

// shut reports that a door is closed again, whoever may open it.
func shut(s event.DoorCondition) bool {
	return s == event.DoorLocked || s == event.DoorUnlocked || s == event.DoorLockdown
}

// refusals is what a door remembers of those whom it did not let in.
type refusals struct {
	At   []detect.Moment `json:"at,omitempty"`
	Told detect.Moment   `json:"told,omitempty"`
}

// doorRefused is A03: several are refused at a door within a short time, as somebody
// who tries cards or numbers is; and worse, the door opens then without anybody being
// let in (rule C4 of the reference).
func doorRefused() detect.Detector {
	return detect.Detector{
		ID: "A03", Code: "doorRefused", Doors: true,
		Needs: []detect.Source{detect.DoorSource},
		Params: []detect.Param{
			{Name: "leastRefusals", Default: 3, Doc: "how many"},
			{Name: "withinSeconds", Default: 120, Unit: "s", Doc: "within which time, and how long after it the door may not open"},
		},
		Kinds: []event.Kind{event.KindAccess, event.KindDoorState},
		On:    refusedOn,
		New:   func() any { return new(refusals) },
	}
}

func refusedOn(c *detect.Context, e *event.Event) {
	within := time.Duration(c.Param("withinSeconds") * float64(time.Second))
	switch b := e.Body.(type) {
	case *event.Access:
		if b.Allowed {
			c.Forget(0) // who was let in may have mistyped before
			return
		}
		if b.Code == "waits" {
			return // the first of two who are wanted
		}
		m := detect.Memory[refusals](c, 0)
		m.At = append(m.At, detect.At(c.Now))
		for len(m.At) > 0 && (m.At[0].Ago(c.Now) > within || len(m.At) > 32) {
			m.At = m.At[1:]
		}
		if float64(len(m.At)) < c.Param("leastRefusals") || !m.Told.IsZero() && m.Told.Ago(c.Now) < within {
			return
		}
		m.Told = detect.At(c.Now)
		c.State(0, event.Finding{
			Severity: event.S3, Since: m.At[0].Time(), Facts: []event.Fact{detect.Value("refusals", float64(len(m.At)), "")},
			Text: c.Say("Door %s refused %d times within %s.", calledDoor(c.Station), len(m.At), detect.Span(within)),
		})
	case *event.DoorState:
		m := detect.Recall[refusals](c, 0)
		if m == nil || m.Told.IsZero() || m.Told.Ago(c.Now) > within || b.State != event.DoorOpen && b.State != event.DoorForced {
			return
		}
		c.Forget(0)
		c.State(0, excused(c, event.Finding{
			Code: "doorRefusedOpened", Severity: urgentIfArmed(c, event.S2), Since: c.Now,
			Text: c.Say("Door %s was opened right after it had refused several times.", calledDoor(c.Station)),
		}))
	}
}

// doorAlarm is A04: somebody is threatened, something burns, somebody calls for help,
// or the case of the controller was opened (rules C14 and C15 of the reference).
func doorAlarm() detect.Detector {
	return detect.Detector{
		ID: "A04", Code: "doorAlarm", Doors: true,
		Needs: []detect.Source{detect.DoorSource},
		Kinds: []event.Kind{event.KindDoorAlarm},
		On: func(c *detect.Context, e *event.Event) {
			b, ok := e.Body.(*event.DoorAlarm)
			if !ok {
				return
			}
			f := alarmAt(c, b.Alarm)
			f.Since = e.At
			if b.Active {
				c.Raise(0, f)
				return
			}
			c.Clear(f.Code, 0)
		},
	}
}

func alarmAt(c *detect.Context, alarm event.DoorAlarmKind) event.Finding {
	name := calledDoor(c.Station)
	switch alarm {
	case event.AlarmDuress:
		return event.Finding{Code: "doorDuress", Severity: event.S1, Safety: true, Text: c.Say("Somebody is being threatened at door %s. Do not call them.", name)}
	case event.AlarmFire:
		return event.Finding{Code: "doorFire", Severity: event.S1, Safety: true, Text: c.Say("Fire alarm at door %s.", name)}
	case event.AlarmEmergency:
		return event.Finding{Code: "doorEmergency", Severity: event.S1, Safety: true, Text: c.Say("Somebody calls for help at door %s.", name)}
	}
	return excused(c, event.Finding{Code: "doorTamper", Severity: urgentIfArmed(c, event.S2), Text: c.Say("The controller at door %s was opened or moved.", name)})
}

// controllerFault is A05: what is wrong with what drives doors.
func controllerFault() detect.Detector {
	return detect.Detector{
		ID: "A05", Code: "controllerFault", Doors: true,
		Needs: []detect.Source{detect.DoorSource},
		Kinds: []event.Kind{event.KindControllerFault},
		On: func(c *detect.Context, e *event.Event) {
			b, ok := e.Body.(*event.ControllerFault)
			if !ok {
				return
			}
			f := faultOfController(c, b)
			if b.Detail != "" {
				f.Facts = append(f.Facts, detect.Word("detail", b.Detail))
			}
			f.Since = b.Since
			if b.Active {
				c.Raise(0, f)
				return
			}
			c.Clear(f.Code, 0)
		},
	}
}

func faultOfController(c *detect.Context, b *event.ControllerFault) event.Finding {
	name := calledDoor(c.Station)
	switch b.Fault {
	case event.ControllerOffline:
		return event.Finding{Code: "controllerOffline", Severity: event.S3, Text: c.Say("Controller %s does not answer; its doors decide by the lists they have.", name)}
	case event.ControllerClock:
		return event.Finding{
			Code: "controllerClock", Severity: event.S3, Facts: []event.Fact{detect.Value("offset", b.OffsetS, "s")},
			Text: c.Say("The clock of controller %s is wrong, and its schedules with it.", name),
		}
	case event.ControllerListener:
		return event.Finding{Code: "controllerListener", Severity: event.S2, Text: c.Say("Controller %s tells its events to another address than ours.", name)}
	case event.ControllerUnrecorded:
		return event.Finding{Code: "controllerUnrecorded", Severity: event.S2, Text: c.Say("Somebody speaks in the name of controller %s: it has no record of what was said.", name)}
	case event.ControllerDrift:
		return event.Finding{Code: "controllerDrift", Severity: event.S3, Text: c.Say("The lists in controller %s are not those that it was given.", name)}
	case event.ControllerForeign:
		return event.Finding{Code: "controllerForeign", Severity: urgentIfArmed(c, event.S2), Text: c.Say("A door of controller %s was opened from afar, and not by us.", name)}
	case event.ControllerLost:
		return event.Finding{Code: "controllerLost", Severity: event.S3, Text: c.Say("Controller %s overwrote records before they could be read.", name)}
	case event.ControllerRules:
		return event.Finding{Code: "controllerRules", Severity: event.S3, Text: c.Say("Controller %s does not keep the anti-passback that it was given.", name)}
	case event.ControllerAirlock:
		return event.Finding{Code: "controllerAirlock", Severity: event.S2, Text: c.Say("Two doors of an airlock at controller %s stand open at once.", name)}
	case event.ControllerKeypad:
		return event.Finding{Code: "controllerKeypad", Severity: event.S3, Text: c.Say("Controller %s asks for no code where a policy wants one: the keypad is off.", name)}
	}
	return event.Finding{Code: "controllerPolicy", Severity: event.S2, Text: c.Say("A policy could not be evaluated for controller %s; what it decides about is refused.", name)}
}

// accessDiffers is A06: a controller decided otherwise than the policies. Somebody was
// let in who may not, or the other way round.
func accessDiffers() detect.Detector {
	return detect.Detector{
		ID: "A06", Code: "accessDiffers", Doors: true,
		Needs: []detect.Source{detect.DoorSource},
		Kinds: []event.Kind{event.KindAccess},
		On: func(c *detect.Context, e *event.Event) {
			b, ok := e.Body.(*event.Access)
			if !ok || !b.Differs {
				return
			}
			f := event.Finding{Severity: event.S3, Since: e.At, Facts: []event.Fact{detect.Word("why", b.Why)}}
			if b.Allowed {
				f.Severity, f.Text = event.S2, c.Say("Door %s let somebody in whom the policies refuse.", calledDoor(c.Station))
			} else {
				f.Text = c.Say("Door %s refused somebody whom the policies let in.", calledDoor(c.Station))
			}
			c.State(0, f)
		},
	}
}

// passback is A08: somebody was let through a door who, by the doors of an area, was inside
// already or had not come in: a card that was handed back, or somebody who followed
// another.
func passback() detect.Detector {
	return detect.Detector{
		ID: "A08", Code: "passback", Doors: true,
		Needs: []detect.Source{detect.DoorSource},
		Kinds: []event.Kind{event.KindAccess},
		On: func(c *detect.Context, e *event.Event) {
			b, ok := e.Body.(*event.Access)
			if !ok || !b.Allowed {
				return
			}
			f := event.Finding{Severity: event.S3, Since: e.At}
			switch b.Passback {
			case "inside":
				f.Text = c.Say("Door %s let somebody in who was inside already.", calledDoor(c.Station))
			case "outside":
				f.Text = c.Say("Somebody left by door %s who had not come in.", calledDoor(c.Station))
			default:
				return
			}
			c.State(0, excused(c, f))
		},
	}
}

// openedArmed is A07: a person opened a door from afar while its site was armed (rule
// C17 of the reference). Whoever opens is known; whether it was right, another person
// has to see.
func openedArmed() detect.Detector {
	return detect.Detector{
		ID: "A07", Code: "openedArmed", Doors: true,
		Needs: []detect.Source{detect.DoorSource},
		Kinds: []event.Kind{event.KindDoorCommand},
		On: func(c *detect.Context, e *event.Event) {
			b, ok := e.Body.(*event.DoorCommand)
			if !ok || b.Command != "unlock" || !b.Done || !c.Network().Armed(c.Station.SiteID) {
				return
			}
			c.State(0, excused(c, event.Finding{
				Severity: event.S3, Since: e.At, Facts: []event.Fact{detect.Word("by", b.By), detect.Word("reason", b.Reason)},
				Text: c.Say("Door %s was opened from afar while its site was armed.", calledDoor(c.Station)),
			}))
		},
	}
}

// calledDoor is a door or a controller as people know it.
func calledDoor(st *detect.Station) string {
	if st.Label != "" {
		return st.Label
	}
	return st.Door.ID
}

// urgentIfArmed raises what happens at an armed site to S1.
func urgentIfArmed(c *detect.Context, otherwise event.Severity) event.Severity {
	if c.Network().Armed(c.Station.SiteID) {
		return event.S1
	}
	return otherwise
}

// excused lowers what somebody who was sent to the site has a reason for.
func excused(c *detect.Context, f event.Finding) event.Finding {
	if c.Network().Worked(c.Station.SiteID) {
		f.Severity = event.S3
		f.Facts = append(f.Facts, detect.Word("worked", "somebody works there on an order"))
	}
	return f
}

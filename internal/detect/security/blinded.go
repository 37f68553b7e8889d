package security

import (
	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// blinded is C13: a camera is covered, turned or blinded, and then anything happens at
// its site. Who blinds a camera first does not want to be seen at what follows.
func blinded() detect.Detector {
	return detect.Detector{
		ID: "C13", Code: "blindedFirst", Cameras: true, Doors: true,
		Needs: []detect.Source{detect.CameraSource},
		Uses:  []detect.Source{detect.ChargerSource, detect.DoorSource},
		Params: []detect.Param{
			{Name: "withinMinutes", Default: 15, Unit: "min", Doc: "how long after a camera was blinded"},
			{Name: "againMinutes", Default: 30, Unit: "min", Doc: "how long the same is not told again of a site"},
		},
		Kinds: []event.Kind{
			event.KindScene, event.KindStatus, event.KindComponent, event.KindSecurity, event.KindDisconnected, event.KindDoorState,
		},
		On:        blindedOn,
		NewCommon: func() any { return &blinds{Sites: make(map[string]*blind)} },
	}
}

// blinds are the sites where a camera was blinded lately.
type blinds struct {
	Sites map[string]*blind `json:"sites,omitempty"`
}

type blind struct {
	Camera string        `json:"camera"`
	At     detect.Moment `json:"at"`
	Told   detect.Moment `json:"told,omitempty"`
}

func blindedOn(c *detect.Context, e *event.Event) {
	all := detect.Common[blinds](c)
	x := all.Sites[c.Station.SiteID]
	if b, ok := e.Body.(*event.Scene); ok {
		if b.What.Tampering() && b.What != event.SceneFrozen && b.Phase != event.SceneEnded && c.Station.SiteID != "" && (x != nil || len(all.Sites) < maxRaids) {
			next := &blind{Camera: called(c.Station), At: detect.At(c.Now)}
			if x != nil {
				next.Told = x.Told
			}
			all.Sites[c.Station.SiteID] = next
		}
		return
	}
	if x == nil {
		return
	}
	if x.At.Ago(c.Now) > c.Minutes("withinMinutes") {
		delete(all.Sites, c.Station.SiteID)
		return
	}
	if !x.Told.IsZero() && x.Told.Ago(c.Now) < c.Minutes("againMinutes") || c.Network().Worked(c.Station.SiteID) {
		return
	}
	f := event.Finding{Since: x.At.Time(), Facts: []event.Fact{detect.Word("camera", x.Camera)}}
	switch b := e.Body.(type) {
	case *event.Disconnected: // lines are weak also at dusk, when cameras err
		if c.Station.Online {
			return
		}
		f.Severity, f.Text = event.S2, c.Say("Camera %s was blinded, and then station %s fell silent.", x.Camera, c.Station.ID)
	case *event.DoorState:
		if b.State != event.DoorForced {
			return
		}
		f.Severity, f.Text = event.S1, c.Say("Camera %s was blinded, and then door %s was forced.", x.Camera, calledDoor(c.Station))
	default:
		s, ok := cutBy(c, e)
		if p := c.Station.Port(e.Subject.EVSE); !ok && (p == nil || p.Status != fleet.Faulted || p.Since != detect.At(c.Now)) {
			return
		}
		f.Severity, f.Text = event.S1, c.Say("Camera %s was blinded, and then station %s failed.", x.Camera, c.Station.ID)
		if s.Code != "" {
			f.Facts = append(f.Facts, detect.Word("code", s.Code))
		}
	}
	x.Told = detect.At(c.Now)
	c.State(0, f)
}

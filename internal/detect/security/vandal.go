package security

import (
	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// vandalism is C12: a station is struck or tilted and fails within minutes, or it fails
// and then the camera that looks at it is turned or covered. Codes that a cut cable makes
// belong to V05, a camera that is blinded first to C13, and what the grid does to nobody.
func vandalism() detect.Detector {
	return detect.Detector{
		ID: "C12", Code: "vandalism", Cameras: true,
		Needs: []detect.Source{detect.ChargerSource},
		Any:   []detect.Source{detect.ShockSource, detect.CameraSource},
		Params: []detect.Param{
			{Name: "withinMinutes", Default: 5, Unit: "min", Doc: "how far apart the blow and the fault are"},
			{Name: "againMinutes", Default: 60, Unit: "min", Doc: "how long the same is not told again of a station"},
		},
		Kinds: []event.Kind{event.KindComponent, event.KindStatus, event.KindScene},
		On:    vandalismOn,
		New:   func() any { return new(blow) },
	}
}

// blow is what happened to a station lately.
type blow struct {
	Struck detect.Moment `json:"struck,omitempty"`
	Sensor string        `json:"sensor,omitempty"`
	Failed detect.Moment `json:"failed,omitempty"`
	Code   string        `json:"code,omitempty"`
	Told   detect.Moment `json:"told,omitempty"`
}

func vandalismOn(c *detect.Context, e *event.Event) {
	switch b := e.Body.(type) {
	case *event.Scene:
		if !b.What.Tampering() || b.What == event.SceneFrozen || b.Phase == event.SceneEnded {
			return
		}
		for st := range shown(c, c.Station) {
			other := c.Of(st)
			if m := detect.Recall[blow](other, 0); m != nil && lately(m.Failed, c.Now, other.Minutes("withinMinutes")) {
				m.tell(other, called(c.Station))
			}
		}
	case *event.Component:
		for i := range b.Items {
			x := &b.Items[i]
			if (x.Component == "ShockSensor" || x.Component == "TiltSensor") && caseSensor(x.Component, x.Variable) && x.Value == "true" {
				m := detect.Memory[blow](c, 0)
				m.Struck, m.Sensor = detect.At(c.Now), x.Component
				if lately(m.Failed, c.Now, c.Minutes("withinMinutes")) {
					m.tell(c, "")
				}
			}
		}
	case *event.Status:
		p := c.Station.Port(e.Subject.EVSE)
		if p == nil || p.Status != fleet.Faulted || p.Since != detect.At(c.Now) || cableFault(b.ErrorCode) || ofTheGrid(b.ErrorCode) {
			return
		}
		m := detect.Memory[blow](c, 0)
		m.Failed, m.Code = detect.At(c.Now), b.ErrorCode
		if lately(m.Struck, c.Now, c.Minutes("withinMinutes")) {
			m.tell(c, "")
		}
	}
}

// ofTheGrid reports that a code names what comes over the line.
func ofTheGrid(code string) bool {
	return code == "UnderVoltage" || code == "OverVoltage" || code == "WeakSignal"
}

func (m *blow) tell(c *detect.Context, camera string) {
	if lately(m.Told, c.Now, c.Minutes("againMinutes")) || c.Network().Worked(c.Station.SiteID) {
		return
	}
	c.Station.Touch()
	m.Told = detect.At(c.Now)
	f := event.Finding{Severity: event.S3, Facts: []event.Fact{detect.Word("code", m.Code)}}
	if c.Network().Armed(c.Station.SiteID) {
		f.Severity = event.S2
	}
	if camera != "" {
		f.Since = m.Failed.Time()
		f.Facts = append(f.Facts, detect.Word("camera", camera))
		f.Text = c.Say("Station %s may have been vandalised: it fails, and camera %s that looks at it was moved or covered.", c.Station.ID, camera)
	} else {
		f.Since = min(m.Struck, m.Failed).Time()
		f.Facts = append(f.Facts, detect.Word("sensor", m.Sensor))
		f.Text = c.Say("Station %s may have been vandalised: it was struck or tilted, and it fails.", c.Station.ID)
	}
	c.State(0, f)
}

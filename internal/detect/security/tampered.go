package security

import (
	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// tampered is V02: a camera sends pictures that show nothing of its site. Who
// covers a camera means to do something: at an armed site it is the alarm itself.
func tampered() detect.Detector {
	return detect.Detector{
		ID: "V02", Code: "cameraTampered", Cameras: true,
		Needs: []detect.Source{detect.CameraSource},
		Kinds: []event.Kind{event.KindScene, event.KindServerStarted},
		On:    tamperedOn,
		New:   func() any { return new(scenes) },
	}
}

func tamperedOn(c *detect.Context, e *event.Event) {
	if c.Station.Camera == nil {
		return
	}
	b, ok := e.Body.(*event.Scene)
	if !ok {
		// What the camera shows is judged anew, and told anew if it is still so.
		if c.Station.IsOpen("cameraTampered", 0) {
			c.Clear("cameraTampered", 0, detect.Word("ended", "restarted"))
		}
		c.Forget(0)
		return
	}
	switch {
	case b.What == event.SceneClockJump:
		c.State(0, event.Finding{
			Code: "cameraClock", Severity: event.S4, Since: b.Since,
			Text: c.Say("The clock of camera %s jumped.", called(c.Station)),
		})
		return
	case !b.What.Tampering():
		return
	}
	severity := event.S2
	if b.Armed {
		severity = event.S1
	}
	f := event.Finding{
		Severity: severity, Since: b.Since, Text: c.Say("Camera %s %s.", called(c.Station), detect.Phrase(tamperWords(b.What))),
		Facts: []event.Fact{detect.Word("what", string(b.What)), detect.Word("seenBy", b.Source)},
	}
	if b.Phase == event.SceneSeen {
		if !c.Station.IsOpen("cameraTampered", 0) {
			c.State(0, f)
		}
		return
	}
	m := detect.Memory[scenes](c, 0)
	m.note(b, c.Now)
	if len(m.Open) > 0 {
		if b.Phase == event.SceneStarted {
			c.Raise(0, f)
		}
		return
	}
	c.Forget(0)
	c.Clear("cameraTampered", 0, detect.Word("ended", string(b.What)))
}

func tamperWords(k event.SceneKind) string {
	switch k {
	case event.SceneCovered:
		return "is covered"
	case event.SceneDefocused:
		return "is out of focus"
	case event.SceneTurned:
		return "was turned away"
	case event.SceneBlinded:
		return "is blinded by a light"
	case event.SceneFrozen:
		return "sends the same picture again and again"
	}
	return "says that it is tampered with"
}

package security

import (
	"slices"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// whileArmed is V03: something moves at a site that is armed. All that goes on
// before one camera at a time is one finding.
func whileArmed() detect.Detector {
	return detect.Detector{
		ID: "V03", Code: "motionArmed", Cameras: true,
		Params: []detect.Param{
			{Name: "leastPercent", Default: 0, Unit: "%", Doc: "share of the picture or zone that has to move"},
		},
		Kinds: []event.Kind{event.KindScene, event.KindServerStarted},
		On:    armedOn,
		New:   func() any { return new(scenes) },
	}
}

func armedOn(c *detect.Context, e *event.Event) {
	if c.Station.Camera == nil {
		return
	}
	b, ok := e.Body.(*event.Scene)
	if !ok { // motion does not outlive us
		c.Clear("motionArmed", 0)
		c.Forget(0)
		return
	}
	if !moves(b.What) {
		return
	}
	if b.Phase == event.SceneSeen {
		if b.Armed {
			c.State(0, armedFinding(c, b))
		}
		return
	}
	m := detect.Recall[scenes](c, 0)
	if b.Phase == event.SceneStarted && (!b.Armed || b.What == event.SceneMotion && b.Percent < c.Param("leastPercent")) || m == nil && b.Phase == event.SceneEnded {
		return
	}
	m = detect.Memory[scenes](c, 0)
	m.note(b, c.Now)
	if len(m.Open) == 0 {
		c.Forget(0)
		c.Clear("motionArmed", 0)
		return
	}
	if b.Phase == event.SceneStarted {
		c.Raise(0, armedFinding(c, b))
	}
}

func armedFinding(c *detect.Context, b *event.Scene) event.Finding {
	text := "Something moves before camera %s while the site is armed."
	switch b.What {
	case event.ScenePerson:
		text = "There is a person before camera %s while the site is armed."
	case event.SceneVehicle:
		text = "There is a vehicle before camera %s while the site is armed."
	case event.SceneLineCrossing:
		text = "A line was crossed before camera %s while the site is armed."
	}
	f := event.Finding{
		Severity: event.S2, Since: b.Since, Text: c.Say(text, called(c.Station)),
		Facts: []event.Fact{detect.Word("what", string(b.What)), detect.Word("seenBy", b.Source), detect.Value("percent", b.Percent, "%")},
	}
	if b.Zone != "" {
		f.Facts = append(f.Facts, detect.Word("zone", b.Zone))
	}
	for _, p := range slices.Sorted(slices.Values(b.Ports)) {
		f.Facts = append(f.Facts, detect.Word("port", p))
	}
	return f
}

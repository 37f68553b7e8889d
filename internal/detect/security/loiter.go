package security

import (
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// loitering is V04: somebody is at a port for long and nothing is charged there.
// A driver who plugs in, unplugs or has just come is no case of it.
func loitering() detect.Detector {
	return detect.Detector{
		ID: "V04", Code: "loitering", Cameras: true,
		Params: []detect.Param{
			{Name: "openSeconds", Default: 60, Unit: "s", Doc: "how long something may move at a port without a session"},
			{Name: "armedSeconds", Default: 20, Unit: "s", Doc: "the same while the site is armed"},
			{Name: "afterSeconds", Default: 180, Unit: "s", Doc: "how long after a session its driver may still be there"},
		},
		Kinds: []event.Kind{event.KindScene, event.KindServerStarted, event.KindTransaction},
		On:    loiteringOn,
		Due:   loiteringDue,
		New:   func() any { return new(scenes) },
	}
}

func loiteringOn(c *detect.Context, e *event.Event) {
	switch b := e.Body.(type) {
	case *event.ServerStarted:
		if c.Station.Camera == nil {
			return
		}
		if m := detect.Recall[scenes](c, 0); m != nil {
			for _, x := range m.Open {
				c.Cancel(x.ID)
			}
		}
		c.Clear("loitering", 0)
		c.Forget(0)
	case *event.Transaction: // it is a driver
		for st := range c.Network().Cameras(c.Station.SiteID) {
			other := c.Of(st)
			if st.IsOpen("loitering", 0) && !alone(other) {
				other.Clear("loitering", 0, detect.Word("ended", "session"))
			}
		}
	case *event.Scene:
		if b.What != event.SceneMotion && b.What != event.ScenePerson ||
			b.Phase == event.SceneStarted && len(b.Ports) == 0 || b.Phase == event.SceneEnded && detect.Recall[scenes](c, 0) == nil || b.Phase == event.SceneSeen {
			return
		}
		m := detect.Memory[scenes](c, 0)
		m.note(b, c.Now)
		if b.Phase == event.SceneStarted {
			c.Wake(b.ID, c.Now.Add(patience(c, b.Armed)))
			return
		}
		c.Cancel(b.ID)
		if len(m.Open) == 0 {
			c.Forget(0)
		}
		if c.Station.IsOpen("loitering", 0) && !alone(c) {
			c.Clear("loitering", 0)
		}
	}
}

func patience(c *detect.Context, armed bool) time.Duration {
	name := "openSeconds"
	if armed {
		name = "armedSeconds"
	}
	return time.Duration(c.Param(name) * float64(time.Second))
}

// alone reports that something has been at a port for long enough and no driver has
// business there.
func alone(c *detect.Context) bool {
	m := detect.Recall[scenes](c, 0)
	if m == nil {
		return false
	}
	return slices.ContainsFunc(m.Open, func(x scene) bool {
		return x.Since.Ago(c.Now) >= patience(c, x.Armed) && !business(c, &x)
	})
}

// business reports a session at a port of the zone, or one that ended just now.
func business(c *detect.Context, x *scene) bool {
	after := time.Duration(c.Param("afterSeconds") * float64(time.Second))
	for _, name := range x.Ports {
		if _, p := port(c, name); p != nil && (p.Tx != nil || p.Left || !p.EndedAt.IsZero() && p.EndedAt.Ago(c.Now) < after) {
			return true
		}
	}
	return false
}

func loiteringDue(c *detect.Context, id string) {
	m := detect.Recall[scenes](c, 0)
	if m == nil {
		return
	}
	i := slices.IndexFunc(m.Open, func(x scene) bool { return x.ID == id })
	if i < 0 {
		return
	}
	x := &m.Open[i]
	if business(c, x) { // perhaps he stays when the car has gone
		c.Wake(id, c.Now.Add(patience(c, x.Armed)))
		return
	}
	f := event.Finding{
		Severity: event.S3, Since: x.Since.Time(),
		Text:  c.Say("Somebody has been at a port before camera %s for %.0f seconds, and nothing is charged there.", called(c.Station), x.Since.Ago(c.Now).Seconds()),
		Facts: []event.Fact{detect.Value("seconds", x.Since.Ago(c.Now).Seconds(), "s")},
	}
	if x.Armed {
		f.Severity = event.S2
	}
	if x.Zone != "" {
		f.Facts = append(f.Facts, detect.Word("zone", x.Zone))
	}
	for _, p := range x.Ports {
		f.Facts = append(f.Facts, detect.Word("port", p))
	}
	c.Raise(0, f)
}

package security

import (
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// loitering is V04: somebody is at a port for long and nothing is charged there.
// A driver who plugs in, unplugs or has just come is no case of it. Who stands still
// for a moment is still there: what moves again within a short time goes on.
//
// It knows no people. Who cleans or mends something for longer than that is a case of
// it, and so are two who come one after the other within the pause; who sits in a car
// and reads is none, since nothing moves, and whoever plugs a cable in has business for
// some minutes, honest or not.
func loitering() detect.Detector {
	return detect.Detector{
		ID: "V04", Code: "loitering", Cameras: true, Reads: []string{"V03"},
		Needs: []detect.Source{detect.ChargerSource, detect.MotionSource},
		Uses:  []detect.Source{detect.PersonSource, detect.VehicleSource},
		Params: []detect.Param{
			{Name: "openSeconds", Default: 60, Unit: "s", Doc: "how long something may move at a port without a session"},
			{Name: "armedSeconds", Default: 20, Unit: "s", Doc: "the same while the site is armed"},
			{Name: "afterSeconds", Default: 180, Unit: "s", Doc: "how long after a session its driver may still be there"},
			{Name: "pluggedSeconds", Default: 300, Unit: "s", Doc: "how long a driver who has plugged in may take until it charges"},
			{Name: "driverSeconds", Default: 120, Unit: "s", Doc: "how long whoever came with a vehicle may take before it is urgent"},
			{Name: "pauseSeconds", Default: 15, Unit: "s", Doc: "how long nothing may move in between"},
		},
		Kinds: []event.Kind{event.KindScene, event.KindLabels, event.KindServerStarted, event.KindTransaction},
		On:    loiteringOn,
		Due:   loiteringDue,
		New:   func() any { return new(presence) },
	}
}

func loiteringOn(c *detect.Context, e *event.Event) {
	switch b := e.Body.(type) {
	case *event.ServerStarted:
		if c.Station.Camera == nil {
			return
		}
		if m := detect.Recall[presence](c, 0); m != nil {
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
	case *event.Labels:
		if b.Best(event.SceneVehicle) >= labelCounts {
			detect.Memory[presence](c, 0).Vehicle = detect.At(c.Now)
		}
		m := detect.Recall[presence](c, 0)
		if m != nil && len(m.Open) > 0 && c.Station.IsOpen("loitering", 0) && b.Best(event.ScenePerson) >= labelCounts {
			loiteringDue(c, m.Open[0].ID) // now it has a name
		}
	case *event.Scene:
		if b.What == event.SceneVehicle {
			detect.Memory[presence](c, 0).Vehicle = detect.At(c.Now)
		}
		if b.What != event.SceneMotion && b.What != event.ScenePerson ||
			b.Phase == event.SceneStarted && len(b.Ports) == 0 || b.Phase == event.SceneEnded && detect.Recall[presence](c, 0) == nil || b.Phase == event.SceneSeen {
			return
		}
		m := detect.Memory[presence](c, 0)
		since, last := m.paused(c, b), m.of(b.ID)
		m.note(b, c.Now)
		if b.Phase == event.SceneStarted {
			if !since.IsZero() {
				m.Open[len(m.Open)-1].Since = detect.At(since)
			}
			c.Wake(b.ID, later(m.Open[len(m.Open)-1].Since.Time().Add(patience(c, b.Armed)), c.Now))
			return
		}
		c.Cancel(b.ID)
		if last != nil {
			last.Ended = detect.At(c.Now)
			m.Lately = append(m.Lately, *last)
		}
		if c.Station.IsOpen("loitering", 0) && !alone(c) {
			c.Clear("loitering", 0)
		}
	}
}

const (
	labelCounts = 0.5             // how sure a label has to be
	broughtBy   = 3 * time.Minute // how long a vehicle explains who is there
)

// presence are those who are at ports, and those who were a moment ago.
type presence struct {
	scenes
	Lately []scene `json:"lately,omitempty"`
	// Vehicle is when one was last seen: who came with it may be a driver.
	Vehicle detect.Moment `json:"vehicle,omitempty"`
}

// of is the scene of an id, nil if it does not go on.
func (m *presence) of(id string) *scene {
	i := slices.IndexFunc(m.Open, func(x scene) bool { return x.ID == id })
	if i < 0 {
		return nil
	}
	x := m.Open[i]
	return &x
}

// paused says since when what goes on again in a zone is there, and drops what is over.
func (m *presence) paused(c *detect.Context, b *event.Scene) (since time.Time) {
	pause := time.Duration(c.Param("pauseSeconds") * float64(time.Second))
	m.Lately = slices.DeleteFunc(m.Lately, func(x scene) bool {
		if x.Ended.Ago(c.Now) > pause {
			return true
		}
		if b.Phase != event.SceneStarted || x.Zone != b.Zone || x.What != b.What {
			return false
		}
		since = x.Since.Time()
		return true
	})
	return since
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func patience(c *detect.Context, armed bool) time.Duration {
	name := "openSeconds"
	if armed {
		name = "armedSeconds"
	}
	return time.Duration(wary(c, name) * float64(time.Second))
}

// wary is a threshold about people: half of it where a site is on its guard.
func wary(c *detect.Context, name string) float64 {
	if _, guarded := c.Network().Posture(c.Station.SiteID, c.Now); guarded {
		return c.Param(name) / 2
	}
	return c.Param(name)
}

// alone reports that something has been at a port for long enough and no driver has
// business there.
func alone(c *detect.Context) bool {
	m := detect.Recall[presence](c, 0)
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
	plugged := time.Duration(c.Param("pluggedSeconds") * float64(time.Second))
	for _, name := range x.Ports {
		_, p := port(c, name)
		if p != nil && p.Status == fleet.Preparing && p.Since.Ago(c.Now) < plugged {
			return true
		}
		if p != nil && (p.Tx != nil || p.Left || !p.EndedAt.IsZero() && p.EndedAt.Ago(c.Now) < after) {
			return true
		}
	}
	return false
}

func loiteringDue(c *detect.Context, id string) {
	m := detect.Recall[presence](c, 0)
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
	// What has no name may be a bag in the wind, and who came with a vehicle a driver.
	if known := detect.RecallOf[watched](c.Station, "V03", 0); x.Armed && (x.What == event.ScenePerson || known != nil && known.Person > 0) {
		driver := time.Duration(wary(c, "driverSeconds") * float64(time.Second))
		switch {
		case c.Network().Worked(c.Station.SiteID):
		case m.Vehicle.IsZero() || m.Vehicle.Ago(c.Now) > broughtBy || x.Since.Ago(c.Now) >= driver:
			f.Severity = event.S2
		case !c.Waiting(id):
			c.Wake(id, x.Since.Time().Add(driver))
		}
	}
	if x.Zone != "" {
		f.Facts = append(f.Facts, detect.Word("zone", x.Zone))
	}
	for _, p := range x.Ports {
		f.Facts = append(f.Facts, detect.Word("port", p))
	}
	c.Raise(0, f)
}

package security

import (
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// cutOff is C02: three stations of an armed site, or one and a camera, fall silent
// within a minute after somebody was there: whoever steals cables cuts the power or the line
// first. Where other sites fall silent too it is the grid, a carrier or us.
func cutOff() detect.Detector {
	return detect.Detector{
		ID: "C02", Code: "cutOff", Cameras: true,
		Needs: []detect.Source{detect.ChargerSource, detect.MotionSource},
		Uses:  []detect.Source{detect.PersonSource},
		Params: []detect.Param{
			{Name: "withinSeconds", Default: 60, Unit: "s", Doc: "how far apart they fall silent"},
			{Name: "leastStations", Default: 3, Doc: "how many stations have to; with a camera one is enough"},
			{Name: "beforeMinutes", Default: 5, Unit: "min", Doc: "how long before somebody was there"},
			{Name: "againMinutes", Default: 30, Unit: "min", Doc: "how long the same is not told again of a site"},
		},
		Kinds: []event.Kind{
			event.KindDisconnected, event.KindConnected, event.KindCameraState, event.KindScene, event.KindLabels, event.KindServerStarted,
		},
		On:        cutOffOn,
		Due:       cutOffDue,
		NewCommon: func() any { return &silences{Sites: make(map[string]*silence)} },
	}
}

// silences are the sites where somebody was seen or something fell silent lately.
type silences struct {
	Sites map[string]*silence `json:"sites,omitempty"`
}

type silence struct {
	Gone   []gone        `json:"gone,omitempty"`
	Motion seen          `json:"motion,omitzero"`
	Person seen          `json:"person,omitzero"`
	Told   detect.Moment `json:"told,omitempty"`
}

// gone is a station or a camera that fell silent.
type gone struct {
	ID     string        `json:"id"`
	Camera bool          `json:"camera,omitempty"`
	At     detect.Moment `json:"at"`
}

// comeBack is how long after our own start stations and cameras come back, some of them
// twice. Later their silence is their own: those that never came are not told as gone.
const comeBack = 2 * time.Minute

// settle is how long is waited whether other sites go too.
const settle = 5 * time.Second

func cutOffOn(c *detect.Context, e *event.Event) {
	all := detect.Common[silences](c)
	if _, ok := e.Body.(*event.ServerStarted); ok {
		clear(all.Sites)
		return
	}
	site := c.Station.SiteID
	x := all.Sites[site]
	if x == nil {
		if site == "" || len(all.Sites) >= maxRaids {
			return
		}
		x = &silence{}
		all.Sites[site] = x
	}
	switch b := e.Body.(type) {
	case *event.Disconnected:
		if c.Station.Online {
			return
		}
		x.went(gone{ID: c.Station.ID, At: detect.At(c.Now)})
	case *event.CameraState:
		if b.State != event.CameraStalled && b.State != event.CameraOffline {
			x.back(c.Station.ID)
			return
		}
		x.went(gone{ID: c.Station.ID, Camera: true, At: detect.At(c.Now)})
	case *event.Connected: // its line was weak, no more
		x.back(c.Station.ID)
		return
	case *event.Labels:
		if b.Best(event.ScenePerson) >= labelCounts {
			x.Person = seen{Camera: c.Station.Camera.ID, At: detect.At(c.Now)}
		}
		return
	case *event.Scene:
		if !moves(b.What) {
			return
		}
		x.Motion = seen{Camera: c.Station.Camera.ID, At: detect.At(c.Now)}
		if b.What == event.ScenePerson {
			x.Person = x.Motion
		}
		return
	}
	if x.suspected(c) {
		c.Wake("cut", c.Now.Add(settle))
	}
}

func (x *silence) went(g gone) {
	x.Gone = slices.DeleteFunc(x.Gone, func(o gone) bool { return o.ID == g.ID })
	if len(x.Gone) < maxCuts {
		x.Gone = append(x.Gone, g)
	}
}

func (x *silence) back(id string) {
	x.Gone = slices.DeleteFunc(x.Gone, func(o gone) bool { return o.ID == id })
}

// suspected weighs what fell silent at a site, and whether somebody was there.
func (x *silence) suspected(c *detect.Context) bool {
	within, before := seconds(c, "withinSeconds"), c.Minutes("beforeMinutes")
	x.Gone = slices.DeleteFunc(x.Gone, func(g gone) bool { return g.At.Ago(c.Now) > within })
	stations, cameras := 0, 0
	for _, g := range x.Gone {
		if g.Camera {
			cameras++
		} else {
			stations++
		}
	}
	if float64(stations) < c.Param("leastStations") && (stations == 0 || cameras == 0) {
		return false
	}
	// Who is gone was there after our own start, or nobody had told that they went.
	if started := c.Network().StartedAt; !started.IsZero() && c.Now.Sub(started) < comeBack || !x.Told.IsZero() && x.Told.Ago(c.Now) < c.Minutes("againMinutes") || c.Network().Worked(c.Station.SiteID) {
		return false
	}
	// By day somebody is always there.
	return c.Network().Armed(c.Station.SiteID) && (x.Motion.lately(c.Now, before) || x.Person.lately(c.Now, before))
}

// elsewhere reports that stations of other sites fell silent at the same time.
func (x *silence) elsewhere(c *detect.Context) bool {
	for _, o := range detect.Common[silences](c).Sites {
		if o != x && slices.ContainsFunc(o.Gone, func(g gone) bool { return g.At.Ago(c.Now) <= seconds(c, "withinSeconds")+settle }) {
			return true
		}
	}
	return false
}

// driven reports that a driver has business at the site: who was seen may be one.
func driven(c *detect.Context) bool {
	for st := range c.Network().Site(c.Station.SiteID) {
		for i := range st.Ports {
			if p := &st.Ports[i]; p.Tx != nil || !p.EndedAt.IsZero() && p.EndedAt.Ago(c.Now) < c.Minutes("beforeMinutes") {
				return true
			}
		}
	}
	return false
}

func cutOffDue(c *detect.Context, _ string) {
	x := detect.Common[silences](c).Sites[c.Station.SiteID]
	if x == nil || !x.suspected(c) || x.elsewhere(c) {
		return
	}
	x.Told = detect.At(c.Now)
	f := event.Finding{Severity: event.S2, Since: x.Gone[0].At.Time()}
	camera := x.Motion.Camera
	if x.Person.lately(c.Now, c.Minutes("beforeMinutes")) {
		camera = x.Person.Camera
		if !driven(c) {
			f.Severity = event.S1
		}
	}
	f.Text = c.Say("The site may have been cut off: %d stations and cameras fell silent within a minute, just after somebody was before camera %s.", len(x.Gone), camera)
	f.Facts = append(f.Facts, detect.Word("camera", camera))
	for _, g := range x.Gone {
		f.Facts = append(f.Facts, event.Fact{Name: "silent", Text: g.ID, At: g.At.Time()})
	}
	c.State(0, f)
}

package security

import (
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// cableTheft is V05: a station says that somebody is at it, or two of a site fall
// silent within a minute, and something moves before a camera of the site. Each
// alone is common; a raid takes less than three minutes and shows as both
// (reference 1.1: cut cables are seen as faults at once).
func cableTheft() detect.Detector {
	return detect.Detector{
		ID: "V05", Code: "cableTheft", Cameras: true,
		Params: []detect.Param{
			{Name: "withinSeconds", Default: 60, Unit: "s", Doc: "how far apart ports may fall silent, and motion may be from it"},
			{Name: "leastPorts", Default: 2, Doc: "how many have to"},
			{Name: "againMinutes", Default: 30, Unit: "min", Doc: "how long the same is not told again of a site"},
		},
		Kinds: []event.Kind{
			event.KindScene, event.KindDisconnected, event.KindConnected, event.KindStatus, event.KindSecurity, event.KindServerStarted,
		},
		On:        theftOn,
		Due:       theftDue,
		NewCommon: func() any { return &raids{Sites: make(map[string]*raid)} },
	}
}

// raids are the sites where something of it was seen lately.
type raids struct {
	Sites map[string]*raid `json:"sites,omitempty"`
}

// raid is what was seen at a site.
type raid struct {
	Motion []moving      `json:"motion,omitempty"`
	Signs  []sign        `json:"signs,omitempty"`
	Told   detect.Moment `json:"told,omitempty"`
}

// moving is what moves, or moved, before a camera.
type moving struct {
	Camera string        `json:"camera"`
	Scene  string        `json:"scene"`
	Zone   string        `json:"zone,omitempty"`
	Until  detect.Moment `json:"until,omitempty"` // zero: it goes on
}

// sign is something that a station said, or that it says nothing more.
type sign struct {
	Station string        `json:"station"`
	EVSE    int           `json:"evse,omitempty"`
	What    string        `json:"what"`
	At      detect.Moment `json:"at"`
}

const (
	signSilent = "silent"
	signFault  = "fault"
	signAlarm  = "alarm" // enough by itself

	maxRaids = 10_000
	maxSigns = 64
)

func (r *raids) at(site string) *raid {
	x := r.Sites[site]
	if x == nil && len(r.Sites) < maxRaids {
		x = &raid{}
		r.Sites[site] = x
	}
	return x
}

func theftOn(c *detect.Context, e *event.Event) {
	site := c.Station.SiteID
	all := detect.Common[raids](c)
	if _, ok := e.Body.(*event.ServerStarted); ok {
		clear(all.Sites)
		return
	}
	if site == "" {
		return
	}
	switch b := e.Body.(type) {
	case *event.Scene:
		if c.Station.Camera == nil || !moves(b.What) || b.What == event.SceneVehicle {
			return
		}
		x := all.at(site)
		if x == nil {
			return
		}
		x.Motion = slices.DeleteFunc(x.Motion, func(m moving) bool { return m.Scene == b.ID })
		m := moving{Camera: c.Station.Camera.ID, Scene: b.ID, Zone: b.Zone}
		if b.Phase != event.SceneStarted {
			m.Until = detect.At(c.Now)
		}
		if len(x.Motion) < maxSigns {
			x.Motion = append(x.Motion, m)
		}
	case *event.Disconnected:
		if c.Station.Online {
			return
		}
		note(c, all, sign{What: signSilent})
	case *event.Connected: // its line was weak, no more
		if x := all.Sites[site]; x != nil {
			x.Signs = slices.DeleteFunc(x.Signs, func(s sign) bool { return s.Station == c.Station.ID && s.What == signSilent })
		}
		return
	case *event.Status:
		p := c.Station.Port(e.Subject.EVSE)
		if p == nil || p.Status != fleet.Faulted || p.Since != detect.At(c.Now) {
			return
		}
		what := signFault
		if alarms(b.ErrorCode) || alarms(b.VendorErrorCode) || alarms(b.Info) {
			what = signAlarm
		}
		note(c, all, sign{EVSE: p.EVSE, What: what})
	case *event.Security:
		if b.Type != "TamperDetectionActivated" {
			return
		}
		note(c, all, sign{What: signAlarm})
	}
	// A site that loses its power falls silent as a whole, one after the other: a
	// moment is given to see whether it does.
	if x := all.Sites[site]; x != nil && suspected(c, x) {
		c.Wake("raid", c.Now.Add(settle))
	}
}

// settle is how long is waited whether the rest of the site goes too.
const settle = 2 * time.Second

// alarms reports that a code names a cable that was cut or an alarm.
func alarms(code string) bool {
	code = strings.ToLower(strings.NewReplacer(" ", "", "_", "", "-", "").Replace(code))
	return strings.Contains(code, "cablealarm") || strings.Contains(code, "cablecut") || strings.Contains(code, "cabletheft") || strings.Contains(code, "tamper")
}

func note(c *detect.Context, all *raids, s sign) {
	x := all.at(c.Station.SiteID)
	if x == nil {
		return
	}
	s.Station, s.At = c.Station.ID, detect.At(c.Now)
	x.Signs = slices.DeleteFunc(x.Signs, func(o sign) bool {
		return o.Station == s.Station && o.EVSE == s.EVSE && o.What == s.What || o.At.Ago(c.Now) > within(c)
	})
	if len(x.Signs) < maxSigns {
		x.Signs = append(x.Signs, s)
	}
}

func within(c *detect.Context) time.Duration {
	return time.Duration(c.Param("withinSeconds") * float64(time.Second))
}

// suspected weighs what was seen at a site.
func suspected(c *detect.Context, x *raid) bool {
	span := within(c)
	x.Motion = slices.DeleteFunc(x.Motion, func(m moving) bool { return !m.Until.IsZero() && m.Until.Ago(c.Now) > span })
	x.Signs = slices.DeleteFunc(x.Signs, func(s sign) bool { return s.At.Ago(c.Now) > span })
	if len(x.Motion) == 0 || len(x.Signs) == 0 || !x.Told.IsZero() && x.Told.Ago(c.Now) < c.Minutes("againMinutes") {
		return false
	}
	if slices.ContainsFunc(x.Signs, func(s sign) bool { return s.What == signAlarm }) {
		return true
	}
	if float64(len(x.Signs)) < c.Param("leastPorts") {
		return false
	}
	// Silence of all is the site's power or line, if nothing else was said.
	return slices.ContainsFunc(x.Signs, func(s sign) bool { return s.What == signFault }) || !dark(c)
}

func theftDue(c *detect.Context, _ string) {
	x := detect.Common[raids](c).Sites[c.Station.SiteID]
	if x == nil || !suspected(c, x) {
		return
	}
	x.Told = detect.At(c.Now)
	first := x.Signs[0]
	f := event.Finding{
		Severity: event.S1, Since: first.At.Time(),
		Text: theftText(c, x),
	}
	for _, s := range x.Signs {
		f.Facts = append(f.Facts, event.Fact{Name: s.What, Text: event.Port(s.Station, s.EVSE, 0).String(), At: s.At.Time()})
	}
	for _, m := range x.Motion {
		f.Facts = append(f.Facts, detect.Word("camera", m.Camera))
	}
	where := c
	if st := c.Network().Station(first.Station); st != nil {
		where = c.Of(st)
	}
	where.State(0, f)
}

func theftText(c *detect.Context, x *raid) string {
	camera := x.Motion[0].Camera
	if i := slices.IndexFunc(x.Signs, func(s sign) bool { return s.What == signAlarm }); i >= 0 {
		return c.Say("Cables may be being stolen: station %s gives alarm while something moves before camera %s.", x.Signs[i].Station, camera)
	}
	return c.Say("Cables may be being stolen: %d ports of the site failed within a minute while something moves before camera %s.", len(x.Signs), camera)
}

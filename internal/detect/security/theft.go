package security

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// cableTheft is V05, rule C1 of the reference: cables are being cut. It is logic and
// no sum of weights. Two cable-type faults at a site within three minutes are a raid,
// whoever is seen: two at once by chance are one in eighteen years of a site (reference
// 3.4). One is a suspicion, and a probe of the ports beside it may give the second; one
// and a person are a raid. What moves and has no name never makes more than the
// suspicion, but for a station's own alarm. Faults that may mean anything count beside
// one that does not, or beside a person. Stations that fall silent are C02.
//
// Faults that come in the same moment have one cause; cables are cut one after the
// other. Whoever works at a station on an order explains what that station says.
func cableTheft() detect.Detector {
	return detect.Detector{
		ID: "V05", Code: "cableTheft", Cameras: true,
		Needs: []detect.Source{detect.ChargerSource},
		Uses:  []detect.Source{detect.MotionSource, detect.PersonSource},
		Params: []detect.Param{
			{Name: "withinSeconds", Default: 180, Unit: "s", Doc: "how far apart faults of one raid are, and a person may be from it"},
			{Name: "apartSeconds", Default: 2, Unit: "s", Doc: "how far apart they are at least; what comes at once has one cause"},
			{Name: "labelPercent", Default: 50, Unit: "%", Doc: "how sure it has to be that it is a person"},
			{Name: "againMinutes", Default: 30, Unit: "min", Doc: "how long the same is not told again of a site"},
			{Name: "alertDays", Default: 30, Unit: "d", Doc: "how long after a raid one fault is urgent"},
		},
		Kinds: []event.Kind{
			event.KindScene, event.KindLabels, event.KindStatus, event.KindComponent, event.KindSecurity, event.KindServerStarted,
		},
		On:        theftOn,
		NewCommon: func() any { return &raids{Sites: make(map[string]*raid)} },
	}
}

// raids are the sites where something of it was seen lately.
type raids struct {
	Sites map[string]*raid `json:"sites,omitempty"`
}

// raid is what was seen at a site.
type raid struct {
	Cuts []cut `json:"cuts,omitempty"`
	// Person and Motion are when one was last seen, and by which camera.
	Person seen `json:"person,omitzero"`
	Motion seen `json:"motion,omitzero"`
	// Told is how severe it was told last, and when; Hit is when it was a raid.
	Told     detect.Moment  `json:"told,omitempty"`
	Severity event.Severity `json:"severity,omitempty"`
	Hit      detect.Moment  `json:"hit,omitempty"`
}

type seen struct {
	Camera string        `json:"camera,omitempty"`
	At     detect.Moment `json:"at,omitempty"`
	Scene  string        `json:"scene,omitempty"` // that goes on
}

// cut is a fault that a cut cable makes.
type cut struct {
	Station string        `json:"station"`
	EVSE    int           `json:"evse,omitempty"`
	Code    string        `json:"code"`
	Alarm   bool          `json:"alarm,omitempty"` // the station itself calls it theft or tampering
	Vague   bool          `json:"vague,omitempty"` // the code may mean anything
	At      detect.Moment `json:"at"`
}

const (
	maxRaids = 10_000
	maxCuts  = 64
	probed   = 4 // stations asked beside a suspicion
)

func (r *raids) at(site string) *raid {
	x := r.Sites[site]
	if x == nil && site != "" && len(r.Sites) < maxRaids {
		x = &raid{}
		r.Sites[site] = x
	}
	return x
}

func theftOn(c *detect.Context, e *event.Event) {
	all := detect.Common[raids](c)
	if _, ok := e.Body.(*event.ServerStarted); ok {
		for _, x := range all.Sites { // what moved may have gone meanwhile
			x.Person.Scene, x.Motion.Scene = "", ""
		}
		return
	}
	x := all.at(c.Station.SiteID)
	if x == nil {
		return
	}
	if c.Station.Camera != nil {
		if !x.see(c, e.Body) {
			return
		}
	} else {
		s, ok := cutBy(c, e)
		if !ok || c.Network().WorkedAt(c.Station.ID) || !x.note(c, s) {
			return
		}
	}
	x.judge(c)
}

// see takes in what a camera saw; true if it was somebody.
func (x *raid) see(c *detect.Context, body event.Body) bool {
	now := seen{Camera: c.Station.Camera.ID, At: detect.At(c.Now)}
	switch b := body.(type) {
	case *event.Labels:
		if 100*b.Best(event.ScenePerson) < c.Param("labelPercent") {
			return false
		}
		now.Scene = x.Person.Scene
		x.Person = now
		return true
	case *event.Scene:
		which := &x.Motion
		switch b.What {
		case event.ScenePerson:
			which = &x.Person
		case event.SceneMotion, event.SceneLineCrossing:
		default:
			return false
		}
		if b.Phase == event.SceneStarted {
			now.Scene = b.ID
		} else if which.Scene != b.ID && which.Scene != "" {
			return false
		}
		*which = now
		return true
	}
	return false
}

// lately reports whether it was seen within a time, or still is.
func (s *seen) lately(now time.Time, within time.Duration) bool {
	return s.Scene != "" || !s.At.IsZero() && s.At.Ago(now) <= within
}

// cutBy is the fault that a station tells, if a cut cable makes such.
func cutBy(c *detect.Context, e *event.Event) (cut, bool) {
	s := cut{Station: c.Station.ID, EVSE: e.Subject.EVSE, At: detect.At(c.Now)}
	switch b := e.Body.(type) {
	case *event.Status:
		p := c.Station.Port(e.Subject.EVSE)
		for _, code := range []string{b.VendorErrorCode, b.Info, b.ErrorCode} {
			if alarms(code) {
				s.Code, s.Alarm = code, true
				return s, p != nil && p.Fault != nil && p.Fault.Since == s.At
			}
		}
		s.Code, s.Vague = b.ErrorCode, !cableFault(b.ErrorCode)
		return s, p != nil && p.Status == fleet.Faulted && p.Since == s.At && (!s.Vague || vague(b.ErrorCode))
	case *event.Component:
		for i := range b.Items {
			x := &b.Items[i]
			if sensor(x.Component, x.Variable) && (x.Value == "true" || x.Value == "Tripped") {
				s.EVSE, s.Code, s.Alarm = max(x.EVSE, s.EVSE), x.Component, true
				return s, true
			}
		}
	case *event.Security:
		s.Code, s.Alarm, s.Vague = b.Type, true, true
		return s, b.Type == "TamperDetectionActivated"
	}
	return s, false
}

// alarms reports that a code names a cable that was cut or an alarm.
func alarms(code string) bool {
	code = strings.ToLower(strings.NewReplacer(" ", "", "_", "", "-", "").Replace(code))
	return strings.Contains(code, "cablealarm") || strings.Contains(code, "cablecut") || strings.Contains(code, "cabletheft") || strings.Contains(code, "tamper")
}

// cableFault reports that a code of OCPP 1.6 is what a station says whose cable is cut:
// insulation, lock and talk to the car fail, and the sensor in a plug is an open
// circuit (reference 3.3).
func cableFault(code string) bool {
	switch code {
	case "GroundFailure", "ConnectorLockFailure", "EVCommunicationError", "HighTemperature":
		return true
	}
	return false
}

// vague reports that a code says that something is wrong and not what. Alone it is
// nothing; beside another fault it may be the next cable.
func vague(code string) bool {
	switch code {
	case "", "NoError", "OtherError", "InternalError":
		return true
	}
	return false
}

// sensor reports that a component of OCPP 2.x looks after a cable.
func sensor(component, variable string) bool {
	switch component {
	case "CableBreakawaySensor", "ConnectorHolsterRelease":
		return variable == "Tripped" || variable == "Problem"
	}
	return false
}

// note takes in a fault; false if it is of the same moment as another, or known.
func (x *raid) note(c *detect.Context, s cut) bool {
	within, apart := seconds(c, "withinSeconds"), seconds(c, "apartSeconds")
	x.Cuts = slices.DeleteFunc(x.Cuts, func(o cut) bool { return o.At.Ago(c.Now) > within })
	for i := range x.Cuts {
		o := &x.Cuts[i]
		if o.Station == s.Station && o.EVSE == s.EVSE || o.At.Ago(c.Now) < apart && !s.Alarm {
			o.Alarm = o.Alarm || s.Alarm
			return s.Alarm
		}
	}
	if len(x.Cuts) >= maxCuts {
		return false
	}
	x.Cuts = append(x.Cuts, s)
	return true
}

func seconds(c *detect.Context, name string) time.Duration {
	return time.Duration(c.Param(name) * float64(time.Second))
}

// judge says what it is by now, unless that was said.
func (x *raid) judge(c *detect.Context) {
	within := seconds(c, "withinSeconds")
	x.Cuts = slices.DeleteFunc(x.Cuts, func(o cut) bool { return o.At.Ago(c.Now) > within })
	if len(x.Cuts) == 0 {
		return
	}
	person, motion := x.Person.lately(c.Now, within), x.Motion.lately(c.Now, within)
	alarm := slices.ContainsFunc(x.Cuts, func(s cut) bool { return s.Alarm })
	plain := slices.ContainsFunc(x.Cuts, func(s cut) bool { return !s.Vague })
	severity := event.S3
	switch {
	case plain && (len(x.Cuts) >= 2 || person), person && (alarm || len(x.Cuts) >= 2):
		severity = event.S1
	case alarm && motion, plain && (alarm && c.Network().Armed(c.Station.SiteID) || x.alert(c)):
		severity = event.S2
	case !plain && (len(x.Cuts) < 2 || !motion):
		return
	}
	worse := severity < x.Severity || x.Severity == ""
	if !x.Told.IsZero() && x.Told.Ago(c.Now) < c.Minutes("againMinutes") && !worse {
		return
	}
	x.Told, x.Severity = detect.At(c.Now), severity
	if severity == event.S1 {
		x.Hit = detect.At(c.Now)
	}
	x.tell(c, severity, person)
	if severity != event.S1 {
		x.probe(c)
	}
}

// alert reports that cables were stolen here not long ago: they come again (reference
// 3.1: 2.5 hits a site).
func (x *raid) alert(c *detect.Context) bool {
	if _, guarded := c.Network().Posture(c.Station.SiteID, c.Now); guarded {
		return true
	}
	return x.Hit > c.Network().Reassured(c.Station.SiteID) && !x.Hit.IsZero() && x.Hit.Ago(c.Now) < time.Duration(c.Param("alertDays")*24*float64(time.Hour))
}

func (x *raid) tell(c *detect.Context, severity event.Severity, person bool) {
	first := x.Cuts[0]
	f := event.Finding{Severity: severity, Since: first.At.Time()}
	switch {
	case len(x.Cuts) >= 2:
		f.Text = c.Say("Cables are being stolen: %d ports of the site tell within %s what a cut cable tells.", len(x.Cuts), detect.Span(seconds(c, "withinSeconds")))
	case person:
		f.Text = c.Say("Cables may be being stolen: station %s tells what a cut cable tells, and camera %s sees somebody.", first.Station, x.Person.Camera)
	default:
		f.Text = c.Say("A cable may have been cut: station %s tells %s. The ports beside it are asked.", first.Station, first.Code)
	}
	for _, s := range x.Cuts {
		f.Facts = append(f.Facts, event.Fact{Name: s.Code, Text: event.Port(s.Station, s.EVSE, 0).String(), At: s.At.Time()})
	}
	if person {
		f.Facts = append(f.Facts, detect.Word("camera", x.Person.Camera))
	}
	where := c
	if st := c.Network().Station(first.Station); st != nil {
		where = c.Of(st)
	}
	where.State(0, f)
}

// probe asks the ports beside a suspicion how they are: an idle one whose cable was
// cut says nothing until it is asked.
func (x *raid) probe(c *detect.Context) {
	asked := 0
	for st := range c.Network().Site(c.Station.SiteID) {
		if !st.Online || asked == probed {
			continue
		}
		for i := range st.Ports {
			p := &st.Ports[i]
			if slices.ContainsFunc(x.Cuts, func(s cut) bool { return s.Station == st.ID && s.EVSE == p.EVSE }) {
				continue
			}
			payload := fmt.Sprintf(`{"requestedMessage":"StatusNotification","connectorId":%d}`, p.EVSE)
			if st.Is2x() {
				payload = fmt.Sprintf(`{"requestedMessage":"StatusNotification","evse":{"id":%d,"connectorId":1}}`, p.EVSE)
			}
			c.Of(st).Ask(fmt.Sprintf("beside-%d", p.EVSE), "TriggerMessage", payload, 30*time.Second)
			asked++
			break
		}
	}
}

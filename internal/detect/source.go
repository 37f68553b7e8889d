package detect

import (
	"slices"
	"time"
)

// Source is something that a rule listens to and that a site has or has not.
type Source string

// The sources.
const (
	ChargerSource  Source = "charger"  // a station that is accepted: its faults, sessions and tokens
	SecuritySource Source = "security" // a station: its security events, and what is odd about its identity
	CameraSource   Source = "camera"   // a camera, whatever it tells
	MotionSource   Source = "motion"   // a camera with motion
	PersonSource   Source = "person"   // a camera, a webhook or a verifier that has told of one
	VehicleSource  Source = "vehicle"  // likewise
	PlateSource    Source = "plate"    // likewise
	CountSource    Source = "count"    // likewise, several in one picture
	DoorSource     Source = "door"     // a door at a controller
	ShockSource    Source = "shock"    // a station of OCPP 2.x: its sensors of shock and tilt
	PlaceSource    Source = "place"    // where the site is, and another one
	HeatSource     Source = "heat"     // a thermal camera
	ReaderSource   Source = "reader"   // a payment terminal that watches its own case
	SoundSource    Source = "sound"    // a microphone that knows what cutting sounds like
)

// SourceKept is how long a site has what it has told of: who has not named a person for
// a month is not taken for somebody who does.
const SourceKept = 30 * 24 * time.Hour

// Sources are how many things of a site are a source of each.
type Sources map[Source]int

// Sources returns what sites have, as far as events tell. A camera whose pictures are
// looked at and that has not seen motion yet is not known to have it.
func (n *Network) Sources(now time.Time) map[string]Sources {
	out := make(map[string]Sources)
	at := func(site string) Sources {
		if out[site] == nil {
			out[site] = make(Sources)
		}
		return out[site]
	}
	for site := range n.sites {
		for st := range n.Site(site) {
			s := at(site)
			s[ChargerSource]++
			s[SecuritySource]++
			if st.Is2x() {
				s[ShockSource]++
			}
		}
	}
	for site := range n.others {
		for cam := range n.Cameras(site) {
			at(site).seen(&cam.Camera.Seen, now)
		}
		for range n.Doors(site) {
			at(site)[DoorSource]++
		}
	}
	for site, s := range out {
		if _, ok := n.places[site]; ok && len(n.places) > 1 {
			s[PlaceSource]++
		}
	}
	return out
}

func (s Sources) seen(x *Sights, now time.Time) {
	s[CameraSource]++
	for source, told := range map[Source]bool{
		MotionSource: x.Motion.Lately(now, SourceKept), PersonSource: x.Person.Lately(now, SourceKept), VehicleSource: x.Vehicle.Lately(now, SourceKept),
		PlateSource: x.Plate.Lately(now, SourceKept), CountSource: Sight{At: x.Counted}.Lately(now, SourceKept),
	} {
		if told {
			s[source]++
		}
	}
}

// Working is how much of a rule works.
type Working string

// How much of a rule works.
const (
	WorksFull Working = "full"
	WorksPart Working = "partial" // some of what makes it better is missing
	WorksNot  Working = "off"     // what it needs is missing
)

// With says how much of a rule works with what a site has, and what is missing: of one
// that is off what it needs, of another what would make it better.
func (d *Detector) With(s Sources) (w Working, missing []Source) {
	lacking := func(of []Source) (out []Source) {
		for _, x := range of {
			if s[x] == 0 {
				out = append(out, x)
			}
		}
		return out
	}
	missing = lacking(d.needs())
	if some := lacking(d.Any); len(d.Any) > 0 && len(some) == len(d.Any) {
		missing = append(missing, some...)
	}
	if len(missing) > 0 {
		return WorksNot, missing
	}
	for _, x := range append(lacking(d.Any), lacking(d.Uses)...) {
		if !slices.Contains(missing, x) {
			missing = append(missing, x)
		}
	}
	if len(missing) > 0 {
		return WorksPart, missing
	}
	return WorksFull, nil
}

// needs are the sources without which it says nothing.
func (d *Detector) needs() []Source {
	if len(d.Needs)+len(d.Any) == 0 {
		return []Source{ChargerSource}
	}
	return d.Needs
}

// Signal is a source of a rule and what it is to it.
type Signal struct {
	Source Source `json:"source"`
	// For is need (without it the rule is off), any (one of these is needed) or better.
	For string `json:"for" enum:"need,any,better" doc:"need: without it the rule is off; any: one of these is needed; better: works without it"`
}

// Signals are the sources of a rule.
func (d *Detector) Signals() []Signal {
	var out []Signal
	for _, x := range []struct {
		list []Source
		is   string
	}{{d.needs(), "need"}, {d.Any, "any"}, {d.Uses, "better"}} {
		for _, s := range x.list {
			if !slices.ContainsFunc(out, func(o Signal) bool { return o.Source == s }) {
				out = append(out, Signal{s, x.is})
			}
		}
	}
	return out
}

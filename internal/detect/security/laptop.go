package security

import (
	"strings"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// atTheStation is C18: a station says that somebody tampers with its software or its
// identity, and a person is seen at it within minutes: an attack with a laptop, on the
// spot. A driver who charges there is one reason for a person, and makes it S3; so is a
// vehicle, for what a changed password or certificate makes a station say too.
func atTheStation() detect.Detector {
	return detect.Detector{
		ID: "C18", Code: "localAttack", Cameras: true,
		Needs: []detect.Source{detect.SecuritySource, detect.PersonSource}, Uses: []detect.Source{detect.VehicleSource},
		Params: []detect.Param{
			{Name: "withinMinutes", Default: 10, Unit: "min", Doc: "how far apart what the station says and the person are"},
			{Name: "againMinutes", Default: 60, Unit: "min", Doc: "how long the same is not told again of a station"},
		},
		Kinds: []event.Kind{event.KindSecurity, event.KindFinding, event.KindScene, event.KindLabels},
		On:    atTheStationOn,
		New:   func() any { return new(suspect) },
	}
}

// suspect is what a station said last that an attacker makes it say.
type suspect struct {
	What string        `json:"what"`
	At   detect.Moment `json:"at"`
	Told detect.Moment `json:"told,omitempty"`
}

func atTheStationOn(c *detect.Context, e *event.Event) {
	what := ""
	switch b := e.Body.(type) {
	case *event.Security:
		if ofAnAttacker(b.Type) {
			what = b.Type
		}
	case *event.Finding: // of the endpoint and the fleet
		if b.Code == "twoDevices" || b.Code == "hostileFrame" {
			what = b.Code
		}
	default:
		if !person(e) {
			return
		}
		for st := range shown(c, c.Station) {
			judgeSuspect(c.Of(st))
		}
		return
	}
	if what == "" || !c.Station.Charges() {
		return
	}
	m := detect.Memory[suspect](c, 0)
	m.What, m.At = what, detect.At(c.Now)
	judgeSuspect(c)
}

// ofAnAttacker reports that a security event of OCPP is what somebody causes who works
// at a station's software, its identity or its line. What a weak line or a new
// certificate of ours causes too is not.
func ofAnAttacker(kind string) bool {
	switch kind {
	case "FailedToAuthenticateAtCsms", "FailedToAuthenticateAtCentralSystem", "AttemptedReplayAttacks",
		"InvalidFirmwareSignature", "InvalidFirmwareSigningCertificate", "SecurityLogWasCleared",
		"ReconfigurationOfSecurityParameters", "MaintenanceLoginFailed", "MaintenanceLoginAccepted":
		return true
	}
	return strings.HasPrefix(kind, "Invalid") && strings.HasSuffix(kind, "Certificate")
}

// ofAPassword reports that a station says it too that was only given another password or
// certificate.
func ofAPassword(what string) bool {
	return strings.HasPrefix(what, "FailedToAuthenticate") || strings.HasPrefix(what, "MaintenanceLogin") || strings.HasSuffix(what, "Certificate")
}

func judgeSuspect(c *detect.Context) {
	m := detect.Recall[suspect](c, 0)
	within := c.Minutes("withinMinutes")
	if m == nil || !lately(m.At, c.Now, within) || lately(m.Told, c.Now, c.Minutes("againMinutes")) || c.Network().Worked(c.Station.SiteID) {
		return
	}
	camera, seen := personAt(c, c.Station, within)
	if !seen {
		return
	}
	c.Station.Touch()
	m.Told = detect.At(c.Now)
	f := event.Finding{
		Severity: event.S2, Since: m.At.Time(), Facts: []event.Fact{{Name: "event", Text: m.What, At: m.At.Time()}, detect.Word("camera", camera)},
		Text: c.Say("Somebody may be attacking station %s on the spot: it says %s, and camera %s sees a person there.", c.Station.ID, m.What, camera),
	}
	for i := range c.Station.Ports {
		if p := &c.Station.Ports[i]; p.Tx != nil || lately(p.EndedAt, c.Now, within) {
			f.Severity = event.S3
			f.Facts = append(f.Facts, detect.Word("driver", event.Port(c.Station.ID, p.EVSE, 0).String()))
			break
		}
	}
	if ofAPassword(m.What) && vehicleAt(c, c.Station, within) {
		f.Severity = event.S3
		f.Facts = append(f.Facts, detect.Word("vehicle", "seen"))
	}
	c.State(0, f)
}

package health

import (
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// security tells of the events by which a station says that somebody may be at
// it (OCPP security whitepaper, list of security events). They are moments, not
// conditions: only a person ends them. Those that only keep a log are left out.
func security() detect.Detector {
	return detect.Detector{
		ID: "SEC", Code: "security",
		Params: []detect.Param{
			{Name: "againMinutes", Default: 60, Unit: "min", Doc: "how long the same event is not told again"},
		},
		Kinds: []event.Kind{event.KindSecurity},
		On:    securityOn,
		New:   func() any { return new(alarms) },
	}
}

// alarms are when each event was last told.
type alarms struct {
	Told []alarm `json:"told,omitempty"`
}

type alarm struct {
	Type  string        `json:"type"`
	At    detect.Moment `json:"at"`
	Count int           `json:"count,omitempty"` // not told since
}

func securityOn(c *detect.Context, e *event.Event) {
	b := e.Body.(*event.Security)
	severity, what := securityMeaning(b.Type)
	if severity == "" {
		return
	}
	m := detect.Memory[alarms](c, 0)
	i := slices.IndexFunc(m.Told, func(a alarm) bool { return a.Type == b.Type })
	if i < 0 {
		m.Told = append(m.Told, alarm{Type: b.Type})
		i = len(m.Told) - 1
	}
	a := &m.Told[i]
	if !a.At.IsZero() && a.At.Ago(c.Now) < c.Minutes("againMinutes") {
		a.Count++
		return
	}
	f := event.Finding{
		Code: "security/" + b.Type, Severity: severity, Text: c.Say("The station says: %s.", detect.Phrase(what)), Since: c.Now,
		Facts: []event.Fact{{Name: "securityEvent", Text: b.Type, Seq: c.Seq}},
	}
	if b.TechInfo != "" {
		f.Facts = append(f.Facts, detect.Word("info", b.TechInfo))
	}
	if b.Type == "TamperDetectionActivated" && c.Network().WorkedAt(c.Station.ID) {
		f.Severity = event.S4
		f.Facts = append(f.Facts, detect.Word("worked", "somebody works there on an order"))
	}
	if a.Count > 0 {
		f.Facts = append(f.Facts, detect.Value("heldBack", float64(a.Count), ""))
	}
	a.At, a.Count = detect.At(c.Now.Truncate(time.Microsecond)), 0
	c.State(0, f)
}

// securityMeaning weighs an event; no severity means that it only fills a log.
func securityMeaning(kind string) (event.Severity, string) {
	switch kind {
	case "TamperDetectionActivated":
		return event.S2, "somebody opened or moved it"
	case "AttemptedReplayAttacks":
		return event.S2, "old messages were sent to it again"
	case "InvalidFirmwareSignature":
		return event.S2, "firmware with a wrong signature was offered to it"
	case "InvalidFirmwareSigningCertificate":
		return event.S2, "firmware with a wrong signing certificate was offered to it"
	case "InvalidCsmsCertificate", "InvalidCentralSystemCertificate":
		return event.S2, "the backend's certificate is not valid to it"
	case "InvalidChargePointCertificate", "InvalidChargingStationCertificate":
		return event.S3, "its own certificate was refused"
	case "InvalidTLSVersion", "InvalidTLSCipherSuite":
		return event.S3, "a connection with weak encryption was tried"
	case "FailedToAuthenticateAtCsms", "FailedToAuthenticateAtCentralSystem":
		return event.S3, "the backend did not accept its password or certificate"
	case "CsmsFailedToAuthenticate", "CentralSystemFailedToAuthenticate":
		return event.S3, "the backend could not prove who it is"
	case "MaintenanceLoginFailed":
		return event.S3, "somebody failed to sign in for maintenance"
	case "SecurityLogWasCleared":
		return event.S3, "its security log was cleared"
	case "ReconfigurationOfSecurityParameters":
		return event.S4, "its security settings were changed"
	case "InvalidMessages":
		return event.S4, "it received messages that are not valid"
	case "MemoryExhaustion":
		return event.S4, "its memory is full"
	case "MaintenanceLoginAccepted":
		return event.S4, "somebody signed in for maintenance"
	}
	return "", ""
}

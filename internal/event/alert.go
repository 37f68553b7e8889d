package event

import "time"

// ExternalAlert is an alert of another monitoring system, as it told us. Text in
// it is of others.
type ExternalAlert struct {
	Source      string            `json:"source"`      // which system: alertmanager
	Fingerprint string            `json:"fingerprint"` // the same for all that is told of one alert
	Status      string            `json:"status"`      // firing or resolved
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	StartsAt    time.Time         `json:"startsAt,omitzero"`
	EndsAt      time.Time         `json:"endsAt,omitzero"`
	Severity    Severity          `json:"severity,omitempty"` // as its labels say; empty: they do not
	By          string            `json:"by,omitempty"`       // opaque id of the token it came with
}

// Kind names the body.
func (*ExternalAlert) Kind() Kind { return KindExternalAlert }

func (*ExternalAlert) isBody() {}

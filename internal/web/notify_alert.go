package web

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// Bounds of what another system may tell at once. What is longer is cut: an
// alert says more with half a text than with none.
const (
	maxAlertBody   = 1 << 20
	maxAlerts      = 500
	maxAlertLabels = 64
	maxLabelName   = 128
	maxLabelValue  = 1024
	maxAnnotation  = 4096
	alertsTogether = 16
)

// alertHook is the part of Alertmanager's webhook (version 4) that we read.
type alertHook struct {
	Version string          `json:"version"`
	Alerts  []incomingAlert `json:"alerts"`
}

type incomingAlert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
	Fingerprint string            `json:"fingerprint"`
}

type alertsInput struct {
	Station  string `query:"station" maxLength:"400" doc:"labels that name a station, by comma: the first that names one we know; default: station,instance"`
	EVSE     string `query:"evse" maxLength:"128" doc:"label that names its port by number; default: evse"`
	Site     string `query:"site" maxLength:"400" doc:"labels that name a site by id, by comma; default: site"`
	Severity string `query:"severity" maxLength:"128" doc:"label that says how bad it is; default: severity"`
	RawBody  []byte `contentType:"application/json"`
}

// naming says which labels of an alert name what it is of.
func (in *alertsInput) naming() naming {
	return naming{
		station: split(cmp.Or(in.Station, "station,instance")), site: split(cmp.Or(in.Site, "site")),
		evse: cmp.Or(in.EVSE, "evse"), severity: cmp.Or(in.Severity, "severity"),
	}
}

type naming struct {
	station, site  []string
	evse, severity string
}

// severityOf reads how bad an alert is. Words of others are many; one that is
// not known leaves it to us.
func severityOf(word string) event.Severity {
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "s1", "p1", "critical", "crit", "page", "emergency", "fatal", "disaster":
		return event.S1
	case "s2", "p2", "error", "err", "high", "major", "alert":
		return event.S2
	case "s3", "p3", "warning", "warn", "average", "medium", "minor", "ticket":
		return event.S3
	case "s4", "p4", "p5", "info", "information", "informational", "notice", "low", "none", "debug":
		return event.S4
	}
	return ""
}

type alertsOutput struct {
	Body struct {
		Recorded int `json:"recorded"`
	}
}

func (s *Server) registerAlerts() {
	add(s, global(AlertsWrite), huma.Operation{
		OperationID: "takeAlerts", Method: http.MethodPost, Path: "/integrations/alertmanager", Tags: []string{"channels"},
		Summary: "Take alerts from the webhook of an Alertmanager; answered once they are recorded. They open and end incidents", MaxBodyBytes: maxAlertBody, SkipValidateBody: true, DefaultStatus: http.StatusOK,
	}, s.takeAlerts)
}

// readAlerts decodes a webhook. It is tolerant of what it does not know and
// names what it cannot use.
func readAlerts(data []byte) ([]*event.ExternalAlert, error) {
	fault := func(at, text string) error {
		return problemf(http.StatusUnprocessableEntity, "validation failed", &huma.ErrorDetail{Message: text, Location: at})
	}
	var hook alertHook
	if err := json.Unmarshal(data, &hook); err != nil {
		if bad, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return nil, fault("body."+clean(bad.Field, 128), "is not of the type that Alertmanager sends")
		}
		return nil, fault("body", "is not the JSON of a webhook")
	}
	if len(hook.Alerts) == 0 || len(hook.Alerts) > maxAlerts {
		return nil, fault("body.alerts", fmt.Sprintf("1 to %d", maxAlerts))
	}
	out := make([]*event.ExternalAlert, 0, len(hook.Alerts))
	for i, a := range hook.Alerts {
		at := fmt.Sprintf("body.alerts[%d]", i)
		if a.Status != "firing" && a.Status != "resolved" {
			return nil, fault(at+".status", "must be firing or resolved")
		}
		if len(a.Labels) == 0 || len(a.Labels) > maxAlertLabels {
			return nil, fault(at+".labels", fmt.Sprintf("1 to %d", maxAlertLabels))
		}
		if len(a.Annotations) > maxAlertLabels {
			return nil, fault(at+".annotations", fmt.Sprintf("at most %d", maxAlertLabels))
		}
		x := &event.ExternalAlert{
			Source: "alertmanager", Status: a.Status, Fingerprint: clean(a.Fingerprint, 64), StartsAt: a.StartsAt.UTC(),
			Labels: bounded(a.Labels, maxLabelValue), Annotations: bounded(a.Annotations, maxAnnotation),
		}
		if a.Status == "resolved" {
			x.EndsAt = a.EndsAt.UTC()
		}
		if x.Fingerprint == "" {
			x.Fingerprint = fingerprintOf(x.Labels)
		}
		for name, t := range map[string]*time.Time{"startsAt": &x.StartsAt, "endsAt": &x.EndsAt} {
			if t.IsZero() {
				*t = time.Time{}
			} else if t.Year() < 1970 || t.Year() > 9999 {
				return nil, fault(at+"."+name, "is no time of ours")
			}
		}
		out = append(out, x)
	}
	return out, nil
}

// bounded cuts names and values.
func bounded(m map[string]string, most int) map[string]string {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[clean(k, maxLabelName)] = clean(v, most)
	}
	return out
}

// clean cuts a text at a rune and keeps it valid.
func clean(text string, most int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") // a rune cut in half goes
	}
	return text
}

// fingerprintOf names an alert by its labels, as Alertmanager does.
func fingerprintOf(labels map[string]string) string {
	h := sha256.New()
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		fmt.Fprintf(h, "%d:%s%d:%s", len(k), k, len(labels[k]), labels[k])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// about is what an alert is of: a station or site that its labels name and we
// know, else ourselves. A label like host:port names by its host.
func (s *Server) about(n naming, a *event.ExternalAlert) event.Subject {
	for _, label := range n.station {
		for _, id := range named(a.Labels[label]) {
			if _, ok := s.siteOf(id); ok {
				return event.Port(id, s.portOf(id, a.Labels[n.evse]), 0)
			}
		}
	}
	for _, label := range n.site {
		for _, id := range named(a.Labels[label]) {
			if _, ok := s.o.Store.Site(id); ok {
				return event.Subject{Type: event.SiteSubject, ID: id}
			}
		}
	}
	return event.Self()
}

func named(value string) []string {
	if value == "" {
		return nil
	}
	if host, _, err := net.SplitHostPort(value); err == nil && host != "" {
		return []string{value, host}
	}
	return []string{value}
}

// portOf is the port of a station that a label names by number, if it has it.
func (s *Server) portOf(station, number string) int {
	id, err := strconv.Atoi(number)
	st, ok := s.o.Fleet.Snapshot().Station(station)
	if err != nil || !ok || !slices.ContainsFunc(st.EVSEs, func(v fleet.EVSE) bool { return v.ID == id }) {
		return 0
	}
	return id
}

func (s *Server) takeAlerts(ctx context.Context, in *alertsInput) (*alertsOutput, error) {
	alerts, err := readAlerts(in.RawBody)
	if err != nil {
		return nil, err
	}
	// Several wait at once, so that they share a commit.
	var group sync.WaitGroup
	slots := make(chan struct{}, alertsTogether)
	errs := make([]error, len(alerts))
	now, naming := s.now().UTC(), in.naming()
	for i, a := range alerts {
		a.By, a.Severity = string(who(ctx).actor()), severityOf(a.Labels[naming.severity])
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			_, errs[i] = s.o.Log.Append(ctx, &event.Event{Subject: s.about(naming, a), At: now, ReceivedAt: now, Quality: event.TimeReceived, Origin: event.FromUpstream, Body: a})
		})
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	out := &alertsOutput{}
	out.Body.Recorded = len(alerts)
	return out, nil
}

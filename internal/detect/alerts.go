package detect

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// ExternalID is the detector of what other monitoring systems tell.
const ExternalID = "external"

// Bounds of what others may keep open. Beyond them alerts share a condition:
// none is lost, and a storm is one.
const (
	maxAlerts       = 5000 // that are firing
	maxAlertPlaces  = 20   // conditions of one name
	maxAlertOpen    = 500  // conditions
	maxAlertLabels  = 10
	maxAlertText    = 400
	maxAlertName    = 100
	alertFlood      = ExternalID // code of what cannot be told apart
	alertOverflow   = "+"        // stands for those beyond maxAlerts
	alertStartsPast = 30 * 24 * time.Hour
)

// Alerts makes conditions of alerts of other monitoring systems: one for each
// name and subject, open while any of its alerts is firing.
type Alerts struct {
	open  map[alertKey]*alerting
	held  map[string]alertKey // by source and fingerprint
	names map[string]int      // conditions by code
}

type alertKey struct {
	subject event.Subject
	code    string
}

// alerting is a condition that others keep open.
type alerting struct {
	Subject  event.Subject             `json:"subject"`
	Code     string                    `json:"code"`
	Since    time.Time                 `json:"since"`
	Severity event.Severity            `json:"severity"` // the worst of its alerts
	Firing   map[string]event.Severity `json:"firing"`
}

// NewAlerts returns one that knows of no alert.
func NewAlerts() *Alerts {
	return &Alerts{open: make(map[alertKey]*alerting), held: make(map[string]alertKey), names: make(map[string]int)}
}

// Apply takes one event and returns what follows if it is an alert.
func (x *Alerts) Apply(e *event.Event) []Finding {
	b, ok := e.Body.(*event.ExternalAlert)
	if !ok {
		return nil
	}
	id := b.Source + "/" + b.Fingerprint
	if b.Status != "firing" {
		return x.resolve(e, id)
	}
	var out []Finding
	key := x.place(e, b)
	if was, known := x.held[id]; known && was != key {
		out = x.resolve(e, id)
		key = x.place(e, b)
	}
	if _, known := x.held[id]; !known && len(x.held) >= maxAlerts {
		id, key = alertOverflow, alertKey{event.Self(), alertFlood}
	}
	severity := b.Severity
	if severity == "" {
		severity = event.S3
	}
	a := x.open[key]
	if a == nil {
		a = &alerting{Subject: key.subject, Code: key.code, Since: since(b, e.RecordedAt), Severity: severity, Firing: map[string]event.Severity{id: severity}}
		x.keep(key, a)
		x.held[id] = key
		return append(out, a.say(e, event.FindingRaised, b))
	}
	if a.Firing[id] == severity {
		return out // told again
	}
	a.Firing[id], x.held[id] = severity, key
	if worst := a.worst(); worst != a.Severity {
		a.Severity = worst
		out = append(out, a.say(e, event.FindingUpdated, b))
	}
	return out
}

func (x *Alerts) keep(key alertKey, a *alerting) {
	x.open[key] = a
	x.names[key.code]++
}

// place is the condition that an alert belongs to: that of its name and subject
// unless there are too many.
func (x *Alerts) place(e *event.Event, b *event.ExternalAlert) alertKey {
	name := b.Labels["alertname"]
	if name == "" {
		name = b.Fingerprint
	}
	key := alertKey{event.Subject{Type: e.Subject.Type, ID: e.Subject.ID, EVSE: e.Subject.EVSE}, ExternalID + "/" + cut(name, maxAlertName)}
	if x.open[key] != nil || len(x.open) < maxAlertOpen && x.names[key.code] < maxAlertPlaces {
		return key
	}
	key.subject = event.Self()
	if x.open[key] != nil || len(x.open) < maxAlertOpen {
		return key
	}
	return alertKey{event.Self(), alertFlood}
}

// resolve takes an alert from its condition, which ends with its last.
func (x *Alerts) resolve(e *event.Event, id string) []Finding {
	key, known := x.held[id]
	if !known {
		return nil
	}
	out := x.release(e, id, key)
	if key, flooded := x.held[alertOverflow]; flooded && len(x.held) < maxAlerts*8/10 {
		out = append(out, x.release(e, alertOverflow, key)...)
	}
	return out
}

func (x *Alerts) release(e *event.Event, id string, key alertKey) []Finding {
	a := x.open[key]
	delete(x.held, id)
	delete(a.Firing, id)
	if len(a.Firing) == 0 {
		delete(x.open, key)
		if x.names[key.code]--; x.names[key.code] == 0 {
			delete(x.names, key.code)
		}
		return []Finding{a.say(e, event.FindingCleared, nil)}
	}
	if worst := a.worst(); worst != a.Severity {
		a.Severity = worst
		return []Finding{a.say(e, event.FindingUpdated, nil)}
	}
	return nil
}

func (a *alerting) worst() event.Severity {
	return slices.Min(slices.Collect(maps.Values(a.Firing))) // S1 comes first
}

func (a *alerting) say(e *event.Event, as event.FindingState, b *event.ExternalAlert) Finding {
	f := event.Finding{Code: a.Code, Detector: ExternalID, Severity: a.Severity, State: as, Since: a.Since}
	name := strings.TrimPrefix(a.Code, ExternalID+"/")
	switch {
	case as == event.FindingCleared:
	case a.Code == alertFlood:
		f.Text = "Another system tells more alerts than can be told apart"
	case a.Subject.Type == event.ServerSubject && e.Subject.Type != event.ServerSubject:
		f.Text = fmt.Sprintf("%s at more than %d places", name, maxAlertPlaces)
	default:
		f.Text = name
		if b != nil {
			f.Text, f.Facts = words(name, b), alertFacts(name, b)
		}
	}
	return Finding{Subject: a.Subject, At: e.RecordedAt, Cause: e.Seq, Finding: f}
}

// words is what an alert says of itself.
func words(name string, b *event.ExternalAlert) string {
	for _, field := range []string{"summary", "message", "title", "description"} {
		if text, _, _ := strings.Cut(strings.TrimSpace(b.Annotations[field]), "\n"); text != "" {
			return cut(text, maxAlertText)
		}
	}
	return name
}

func alertFacts(name string, b *event.ExternalAlert) []event.Fact {
	out := []event.Fact{{Name: "alert", Text: name}, {Name: "source", Text: cut(b.Source, maxAlertName)}}
	if text := strings.TrimSpace(b.Annotations["description"]); text != "" {
		out = append(out, event.Fact{Name: "description", Text: cut(text, maxAlertText)})
	}
	n := 0
	for _, label := range slices.Sorted(maps.Keys(b.Labels)) {
		if label == "alertname" || n == maxAlertLabels {
			continue
		}
		n++
		out = append(out, event.Fact{Name: "label." + cut(label, maxAlertName), Text: cut(b.Labels[label], maxAlertName)})
	}
	return out
}

// since is when an alert began, as far as that can be believed.
func since(b *event.ExternalAlert, now time.Time) time.Time {
	if b.StartsAt.IsZero() || b.StartsAt.After(now) || now.Sub(b.StartsAt) > alertStartsPast {
		return now
	}
	return b.StartsAt
}

// cut bounds a text of others.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// Checkpoint is what it knows, in one row.
func (x *Alerts) Checkpoint() ([]byte, error) {
	list := slices.SortedFunc(maps.Values(x.open), func(a, b *alerting) int {
		if c := strings.Compare(a.Code, b.Code); c != 0 {
			return c
		}
		return strings.Compare(a.Subject.String(), b.Subject.String())
	})
	data, err := json.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("encode alerts of others: %w", err)
	}
	return data, nil
}

// Restore sets it to a checkpoint.
func (x *Alerts) Restore(data []byte) error {
	var list []*alerting
	if err := json.Unmarshal(data, &list); err != nil {
		return fmt.Errorf("decode alerts of others: %w", err)
	}
	for _, a := range list {
		key := alertKey{a.Subject, a.Code}
		x.keep(key, a)
		for id := range a.Firing {
			x.held[id] = key
		}
	}
	return nil
}

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/live"
)

// tracer prints what one station tells, what is found of it and what is done
// about it, but for its measurements.
type tracer struct {
	station string
	out     io.Writer
}

func (t *tracer) line(at time.Time, what string, subject fmt.Stringer, x any) {
	text, err := json.Marshal(x)
	if err != nil {
		text = []byte(err.Error())
	}
	fmt.Fprintf(t.out, "%s %-10s %s %.600s\n", at.Format("01-02 15:04:05"), what, subject, text)
}

func (t *tracer) heard(e *event.Event) {
	if t.station == "" || e.Subject.ID != t.station || e.Body.Kind() == event.KindMeter {
		return
	}
	if b, ok := e.Body.(*event.Transaction); ok {
		short := *b
		short.Samples = nil
		t.line(e.RecordedAt, string(e.Body.Kind()), e.Subject, &short)
		return
	}
	t.line(e.RecordedAt, string(e.Body.Kind())+map[bool]string{true: "(late)"}[e.Late()], e.Subject, e.Body)
}

func (t *tracer) concluded(now time.Time, c *live.Conclusions) {
	if t.station == "" || c.Empty() {
		return
	}
	for i := range c.Findings {
		if f := &c.Findings[i]; f.Subject.ID == t.station {
			t.line(f.At, "  finding", f.Subject, map[string]any{"id": f.Detector, "code": f.Code, "state": f.State, "severity": f.Severity, "text": f.Text})
		}
	}
	for i := range c.Intents {
		if x := &c.Intents[i]; x.Station == t.station {
			t.line(now, "  intent", event.Station(x.Station), x)
		}
	}
	for i := range c.Log {
		if l := &c.Log[i]; strings.Contains(l.Incident, t.station) || slices.ContainsFunc(c.Changed, func(in *incident.Incident) bool { return in.ID == l.Incident && in.Station == t.station }) {
			t.line(l.At, "  incident", event.OfIncident(l.Incident), l)
		}
	}
	for i := range c.Notices {
		if n := &c.Notices[i]; n.Station == t.station {
			t.line(n.At, "  notice", event.Station(n.Station), map[string]any{"change": n.Change, "severity": n.Severity, "kind": n.Kind, "title": n.Title, "id": n.Incident})
		}
	}
}

package live_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/rule"
)

// decided are people's rules, as they are decided before anything happens.
func decided(t *testing.T) []*event.Event {
	t.Helper()
	one := rule.Rule{
		Name: "Rule", Enabled: true, On: []event.Kind{event.KindStatus}, Where: `port.status == "Faulted"`, Severity: event.S2, Title: "Faulted for long",
	}
	waits, counts, site := one, one, one
	waits.ID, waits.By, waits.ForSeconds = "waits", rule.ByPort, 120
	counts.ID, counts.By, counts.Count, counts.ClearAfterSeconds = "counts", rule.ByStation, &rule.Count{N: 2, WithinSeconds: 3600}, 7200
	site.ID, site.By = "site", rule.BySite
	var out []*event.Event
	for _, r := range []rule.Rule{waits, counts, site} {
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, &event.Event{
			Subject: event.Self(), At: begin, ReceivedAt: begin, Origin: event.FromUs,
			Body: &event.Policy{Type: rule.PolicyType, ID: r.ID, Value: data},
		})
	}
	return out
}

// told are the findings of rules, oldest first.
func (r *running) told() []string {
	r.t.Helper()
	var out []string
	incidents, _, _ := r.kept()
	for _, text := range incidents {
		var in struct {
			Kind, SiteID, Station string
			Severity              string
		}
		if err := json.Unmarshal([]byte(text), &in); err != nil {
			r.t.Fatal(err)
		}
		if strings.HasPrefix(in.Kind, "rule/") {
			out = append(out, fmt.Sprintf("%s %s %s %s", in.Kind, in.SiteID, in.Station, in.Severity))
		}
	}
	slices.Sort(out)
	return out
}

func TestRulesMakeIncidentsAcrossRestarts(t *testing.T) {
	events := append(decided(t), story()...)
	whole := newPlace(t)
	r := whole.start()
	r.tell(whole, events)
	want, status := r.told(), r.Rules()
	_, findings, _ := r.kept()
	r.end()
	if !slices.ContainsFunc(want, func(s string) bool { return strings.HasPrefix(s, "rule/waits ham A S2") }) ||
		!slices.ContainsFunc(want, func(s string) bool { return strings.HasPrefix(s, "rule/counts ham B") }) ||
		!slices.ContainsFunc(want, func(s string) bool { return strings.HasPrefix(s, "rule/site ham  S2") }) {
		t.Fatalf("incidents of rules: %q", want)
	}
	if len(status) != 3 {
		t.Errorf("%d rules at work", len(status))
	}
	for cut := 2; cut < len(events); cut += 5 {
		t.Run(fmt.Sprintf("cut after %d", cut), func(t *testing.T) {
			p := newPlace(t)
			r := p.start()
			r.tell(p, events[:cut])
			r.end()
			p.set(p.clock().Add(time.Millisecond))
			r = p.start()
			r.tell(p, events[cut:])
			_, n, _ := r.kept()
			if got := r.told(); !slices.Equal(got, want) || n != findings {
				t.Errorf("%d findings %q; without the restart %d %q", n, got, findings, want)
			}
			r.end()
		})
	}
}

package notify

import (
	"context"
	"net/http"
	"strings"

	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/store"
)

// PagerDuty sends events of the Events API v2; one incident of ours is one
// deduplication key there.
func PagerDuty() Kind {
	return Kind{
		Spec: Spec{Type: "pagerduty", Together: 1, Needs: "internet and TLS", Fields: []Field{
			{Name: "routingKey", Form: Text, Required: true, Secret: true, Doc: "integration key of a service"},
			{Name: "url", Form: URL, Default: "https://events.pagerduty.com"},
			language(),
			authority(),
		}},
		Make: func(c store.Channel, t Tools) (Channel, error) {
			x := settings{&c}
			client, err := chatClient(&c, t)
			return &pagerDuty{client: client, url: strings.TrimRight(x.text("url"), "/") + "/v2/enqueue", key: x.secret("routingKey")}, err
		},
	}
}

type pagerDuty struct {
	client   *http.Client
	url, key string
}

func (p *pagerDuty) Send(ctx context.Context, m Message) error {
	for k := range m.Items {
		i := &m.Items[k]
		action := "trigger"
		switch {
		case i.Ends():
			action = "resolve"
		case i.Change == incident.ChangeAcknowledged:
			action = "acknowledge"
		case !i.Raises():
			continue // there is no event for it
		}
		actions := []string{action}
		if m.Test { // a test leaves nothing open
			actions = []string{"trigger", "resolve"}
		}
		for _, action := range actions {
			if err := p.event(ctx, i, action); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *pagerDuty) event(ctx context.Context, i *Item, action string) error {
	body := map[string]any{"routing_key": p.key, "event_action": action, "dedup_key": "chargewatch/" + cut(i.Incident, 200)}
	if action == "trigger" {
		source := i.Station
		if source == "" {
			source = i.where()
		}
		if source == "" {
			source = "chargewatch"
		}
		severity := map[string]string{"S1": "critical", "S2": "error", "S3": "warning", "S4": "info"}[i.Severity]
		if severity == "" {
			severity = "error"
		}
		details := map[string]any{"text": lines(i.body()), "idempotencyKey": i.Key}
		for _, f := range i.facts() {
			details[f[0]] = f[1]
		}
		body["payload"] = map[string]any{
			"summary": cut(i.headline(), 1000), "source": line(source), "severity": severity, "timestamp": stamp(i.At),
			"component": line(i.Station), "group": line(i.SiteID), "class": line(i.Kind), "custom_details": details,
		}
		body["client"] = userAgent
		if i.Page != "" {
			body["client_url"] = i.Page
			links := []map[string]string{{"href": i.Page, "text": i.Say("Open the incident")}}
			if i.Acknowledge != "" {
				links = append(links, map[string]string{"href": i.Acknowledge, "text": i.Say("Acknowledge in Chargewatch")})
			}
			body["links"] = links
		}
	}
	_, err := postJSON(ctx, p.client, p.url, body, http.Header{})
	return err
}

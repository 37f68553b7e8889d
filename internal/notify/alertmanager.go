package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chargewatch/chargewatch/internal/store"
)

// Alertmanager posts alerts to an Alertmanager of somebody else (API v2) and
// repeats them while they last, as it expects.
func Alertmanager() Kind {
	return Kind{
		Spec: Spec{Type: "alertmanager", Together: 1, Fields: []Field{
			{Name: "url", Form: URL, Required: true, Doc: "such as http://alertmanager.example.org:9093"},
			{Name: "username", Form: Text}, {Name: "password", Form: Text, Secret: true},
			{Name: "token", Form: Text, Secret: true, Doc: "sent as bearer token"},
			authority(),
		}},
		Make: func(c store.Channel, t Tools) (Channel, error) {
			x := settings{&c}
			client, err := chatClient(&c, t)
			if (x.text("username") == "") != (x.secret("password") == "") {
				return nil, &store.InvalidError{Field: "settings.username", Reason: "user and password belong together"}
			}
			return &alertmanager{
				client: client, url: strings.TrimRight(x.text("url"), "/") + "/api/v2/alerts", user: x.text("username"), password: x.secret("password"),
				token: x.secret("token"), store: t.Store, channel: c.ID, now: t.Now,
			}, err
		},
	}
}

const (
	// repeatAlerts is how often alerts that last are told again, and alertLife how
	// long one lasts that is not: a server that is gone keeps no alert open.
	repeatAlerts = time.Minute
	alertLife    = 5 * time.Minute
	alertsAtOnce = 200
)

type alertmanager struct {
	client                *http.Client
	url                   string
	user, password, token string
	store                 *store.Store
	channel               string
	now                   func() time.Time
}

// alert is one of Alertmanager's v2.
type alert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt,omitzero"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

func (a *alertmanager) Send(ctx context.Context, m Message) error {
	for k := range m.Items {
		i := &m.Items[k]
		switch {
		case i.Ends():
			x := a.alert(i)
			// The labels are the alert: they must be those it began with.
			if began, ok, err := a.standing(ctx, i.Incident); err != nil {
				return err
			} else if ok {
				x.Labels, x.StartsAt = began.Labels, began.StartsAt
			}
			if x.EndsAt = i.At.UTC(); !x.EndsAt.After(x.StartsAt) {
				x.EndsAt = x.StartsAt.Add(time.Millisecond)
			}
			if err := a.post(ctx, []alert{x}); err != nil {
				return err
			}
			if err := a.store.PutStanding(ctx, a.channel, i.Incident, nil); err != nil {
				return err
			}
		case i.Raises():
			x := a.alert(i)
			began, ok, err := a.standing(ctx, i.Incident)
			if err != nil {
				return err
			}
			if ok && began.Labels["severity"] != x.Labels["severity"] { // another alert, by its labels: the old one ends
				began.EndsAt = a.now().UTC()
				if err := a.post(ctx, []alert{began}); err != nil {
					return err
				}
			}
			data, err := json.Marshal(standing{i.Incident, x})
			if err != nil {
				return fmt.Errorf("encode the alert: %w", err)
			}
			x.EndsAt = a.now().UTC().Add(alertLife)
			if m.Test {
				x.EndsAt = a.now().UTC().Add(time.Second)
			}
			if err := a.post(ctx, []alert{x}); err != nil {
				return err
			}
			if m.Test {
				continue
			}
			if err := a.store.PutStanding(ctx, a.channel, i.Incident, data); err != nil {
				return err
			}
		}
	}
	return nil
}

// standing is an alert that lasts, as it is kept.
type standing struct {
	Incident string `json:"incident"`
	Alert    alert  `json:"alert"`
}

func (a *alertmanager) standing(ctx context.Context, id string) (alert, bool, error) {
	all, err := a.store.Standing(ctx, a.channel)
	if err != nil {
		return alert{}, false, err
	}
	for _, data := range all {
		var x standing
		if err := json.Unmarshal(data, &x); err == nil && x.Incident == id {
			return x.Alert, true, nil
		}
	}
	return alert{}, false, nil
}

// Keep repeats what lasts.
func (a *alertmanager) Keep(ctx context.Context) error {
	t := time.NewTicker(repeatAlerts)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-t.C:
		}
		if err := a.repeat(ctx); err != nil && ctx.Err() == nil {
			if noted := a.store.NoteChannel(ctx, a.channel, false, err.Error()); noted != nil {
				return noted
			}
		}
	}
}

func (a *alertmanager) repeat(ctx context.Context) error {
	all, err := a.store.Standing(ctx, a.channel)
	if err != nil {
		return err
	}
	ends := a.now().UTC().Add(alertLife)
	batch := make([]alert, 0, min(len(all), alertsAtOnce))
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		limited, done := context.WithTimeout(ctx, 20*time.Second)
		defer done()
		err := a.post(limited, batch)
		batch = batch[:0]
		return err
	}
	for _, data := range all {
		var x standing
		if err := json.Unmarshal(data, &x); err != nil {
			continue
		}
		x.Alert.EndsAt = ends
		if batch = append(batch, x.Alert); len(batch) == alertsAtOnce {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

func (a *alertmanager) post(ctx context.Context, list []alert) error {
	h := http.Header{}
	switch {
	case a.token != "":
		h.Set("Authorization", "Bearer "+a.token)
	case a.user != "":
		r := http.Request{Header: h}
		r.SetBasicAuth(a.user, a.password)
	}
	_, err := postJSON(ctx, a.client, a.url, list, h)
	return err
}

// alert puts an incident into labels and annotations.
func (a *alertmanager) alert(i *Item) alert {
	x := alert{
		Labels:      map[string]string{"alertname": "ChargewatchIncident", "incident": i.Incident, "severity": i.Severity, "kind": i.Kind, "site": i.SiteID, "station": i.Station},
		Annotations: map[string]string{"summary": line(i.Title), "description": lines(i.Text), "site_name": line(i.SiteName)},
		StartsAt:    i.OpenedAt.UTC(), GeneratorURL: i.Page,
	}
	for k, v := range i.Labels {
		if name := labelName(k); x.Labels[name] == "" {
			x.Labels[name] = line(v)
		}
	}
	for _, m := range []map[string]string{x.Labels, x.Annotations} {
		for k, v := range m {
			if v == "" || !utf8.ValidString(v) {
				delete(m, k)
			}
		}
	}
	if x.StartsAt.IsZero() {
		x.StartsAt = i.At.UTC()
	}
	return x
}

// labelName makes a name that Prometheus takes as a label.
func labelName(text string) string {
	text = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '_'
	}, text)
	if text == "" || text[0] >= '0' && text[0] <= '9' || strings.HasPrefix(text, "__") {
		text = "x" + text
	}
	return text
}

var _ keeper = (*alertmanager)(nil)

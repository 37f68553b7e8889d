package web

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/notify"
	"github.com/chargewatch/chargewatch/internal/outward"
	"github.com/chargewatch/chargewatch/internal/store"
)

// teller is the real part that tells people, joined as app joins it.
type teller struct{ *notify.Service }

func (n teller) Types() []ChannelTypeShape {
	out := []ChannelTypeShape{}
	for _, x := range n.Specs() {
		out = append(out, ChannelTypeShape{Type: x.Type, Fields: []ChannelFieldShape{}})
	}
	return out
}

func (n teller) Channels(ctx context.Context) (map[string]ChannelHealth, error) {
	h, err := n.Health(ctx)
	out := make(map[string]ChannelHealth)
	for _, c := range h.Channels {
		out[c.ID] = ChannelHealth{Waiting: c.Waiting, Failed: c.Failed, Resting: c.Resting}
	}
	return out, err
}

func (n teller) Link(token string) (AckLink, error) {
	l, err := n.Links().Read(token)
	return AckLink(l), err
}

// desk acknowledges by writing down.
type desk struct {
	mu   sync.Mutex
	done []string
	fail error
}

func (d *desk) Acknowledge(_ context.Context, id, by string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		return d.fail
	}
	d.done = append(d.done, id+" by "+by[:5])
	return nil
}

// newTelling is a plant that tells people.
func newTelling(t *testing.T) (*plant, *notify.Service, *desk) {
	t.Helper()
	d := &desk{}
	var told *notify.Service
	p := newPlant(t, func(o *Options) {
		var err error
		told, err = notify.New(t.Context(), notify.Options{
			Store: o.Store, Kinds: []notify.Kind{notify.Webhook(), notify.Email()},
			Reach: outward.New(outward.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}),
		})
		if err != nil {
			t.Fatal(err)
		}
		o.Notifier, o.Acknowledger = teller{told}, d
	})
	return p, told, d
}

func TestAChannelIsMadeTriedAndRemoved(t *testing.T) {
	p, _, _ := newTelling(t)
	var got http.Header
	status := http.StatusOK
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Clone()
		w.WriteHeader(status)
	}))
	defer other.Close()
	admin, operator := p.script(store.RoleAdmin), p.script(store.RoleOperator)
	const secret = "a-secret-that-nobody-may-see"
	body := `{"name":"Ops","type":"webhook","settings":{"url":"` + other.URL + `"},"secrets":{"secret":"` + secret + `"}}`
	operator.want(http.StatusForbidden, "POST", "/channels", body, nil)
	var c ChannelShape
	admin.want(http.StatusCreated, "POST", "/channels", body, &c)
	if c.State != "unused" || len(c.SecretsSet) != 1 || c.SecretsSet[0] != "secret" || c.Settings["url"] != other.URL {
		t.Errorf("%+v", c)
	}
	var tried struct {
		OK    bool
		Error string
	}
	admin.want(http.StatusOK, "POST", "/channels/"+c.ID+"/test", "", &tried)
	if !tried.OK || got.Get("X-Chargewatch-Signature") == "" {
		t.Errorf("%+v %v", tried, got)
	}
	status = http.StatusTeapot
	admin.want(http.StatusOK, "POST", "/channels/"+c.ID+"/test", "", &tried)
	if tried.OK || !strings.Contains(tried.Error, "418") {
		t.Errorf("%+v", tried)
	}
	operator.want(http.StatusOK, "GET", "/channels/"+c.ID, "", &c)
	if c.State != "failing" || !strings.Contains(c.Failure, "418") || c.OKAt == nil {
		t.Errorf("%+v", c)
	}
	admin.want(http.StatusOK, "PATCH", "/channels/"+c.ID, `{"enabled":false,"secrets":{"authorization":"Bearer `+secret+`"}}`, &c)
	if c.State != "disabled" || len(c.SecretsSet) != 2 {
		t.Errorf("%+v", c)
	}
	admin.want(http.StatusOK, "PUT", "/routing", `{"routes":[{"name":"all","channels":["`+c.ID+`"]}]}`, nil)
	admin.want(http.StatusConflict, "DELETE", "/channels/"+c.ID, "", nil)
	// Whatever can be read, the secret is not in it.
	for _, path := range []string{"/channels", "/channels/" + c.ID, "/channels/types", "/routing", "/deliveries", "/audit", "/oncall", "/escalations"} {
		if _, text := admin.do("GET", path, ""); strings.Contains(text, secret) {
			t.Errorf("%s shows the secret: %s", path, text)
		}
	}
	admin.want(http.StatusOK, "PUT", "/routing", `{"routes":[]}`, nil)
	admin.want(http.StatusNoContent, "DELETE", "/channels/"+c.ID, "", nil)
	admin.want(http.StatusNotFound, "GET", "/channels/"+c.ID, "", nil)
}

func TestFaultsAreNamedWhereTheyAre(t *testing.T) {
	p, _, _ := newTelling(t)
	admin := p.script(store.RoleAdmin)
	var c ChannelShape
	admin.want(http.StatusCreated, "POST", "/channels", `{"name":"Ops","type":"webhook","settings":{"url":"https://example.org"},"secrets":{"secret":"sixteen or more characters"}}`, &c)
	member := `{"name":"Ann","channels":["` + c.ID + `"]}`
	layer := func(change string) string {
		return `{"name":"x","timeZone":"Europe/Berlin","layers":[{"members":[` + member + `],"start":"2026-01-05","handover":"08:00","rotationDays":7` + change + `}]}`
	}
	for name, tc := range map[string]struct{ method, path, body, at string }{
		"a setting":                  {"POST", "/channels", `{"name":"x","type":"webhook","settings":{"url":"gopher://x"},"secrets":{"secret":"sixteen or more characters"}}`, "body.settings.url"},
		"a secret that is missing":   {"POST", "/channels", `{"name":"x","type":"webhook","settings":{"url":"https://x.example"}}`, "body.secrets.secret"},
		"a severity":                 {"PUT", "/routing", `{"routes":[{"name":"a","match":{"severities":["S2","P1"]}}]}`, "body.routes[0].match.severities[1]"},
		"a channel that is not":      {"PUT", "/routing", `{"routes":[{"name":"a","channels":["ch-no"]}]}`, "body.routes[0].channels[0]"},
		"a time of the day":          {"PUT", "/routing", `{"routes":[{"name":"a"},{"name":"b","quiet":[{"from":"25:00","to":"06:00","timeZone":"Europe/Berlin"}]}]}`, "body.routes[1].quiet[0].from"},
		"a time zone":                {"PUT", "/routing", `{"routes":[{"name":"a","quiet":[{"from":"22:00","to":"06:00","timeZone":"Mars"}]}]}`, "body.routes[0].quiet[0].timeZone"},
		"a field nobody knows":       {"PUT", "/routing", `{"routes":[{"name":"a","colour":"red"}]}`, "body.routes[0].colour"},
		"a name used twice":          {"PUT", "/routing", `{"routes":[{"name":"a"},{"name":"a"}]}`, "body.routes[1].name"},
		"where links lead":           {"PUT", "/routing", `{"linkBase":"javascript:alert(1)","routes":[]}`, "body.linkBase"},
		"a day":                      {"POST", "/oncall", strings.Replace(layer(""), "2026-01-05", "2026-02-30", 1), "body.layers[0].start"},
		"a day of the week":          {"POST", "/oncall", layer(`,"hours":[{"days":["mon","someday"],"from":"08:00","to":"17:00"}]`), "body.layers[0].hours[0].days[1]"},
		"somebody without a channel": {"POST", "/oncall", strings.Replace(layer(""), `["`+c.ID+`"]`, "[]", 1), "body.layers[0].members[0].channels"},
		"an override that ends first": {"POST", "/oncall", `{"name":"x","timeZone":"UTC","overrides":[{"from":"2026-01-02T00:00:00Z","to":"2026-01-01T00:00:00Z","member":` + member + `}]}`,
			"body.overrides[0].to"},
		"a step before the one before": {"POST", "/escalations", `{"name":"x","steps":[{"afterSeconds":60,"channels":["` + c.ID + `"]},{"afterSeconds":30,"channels":["` + c.ID + `"]}]}`, "body.steps[1].afterSeconds"},
		"a step that reaches nobody":   {"POST", "/escalations", `{"name":"x","steps":[{"afterSeconds":60}]}`, "body.steps[0].channels"},
		"a schedule that is not":       {"POST", "/escalations", `{"name":"x","steps":[{"schedules":["oc-no"]}]}`, "body.steps[0].schedules[0]"},
		"a heartbeat to nowhere":       {"PUT", "/heartbeat", `{"enabled":true}`, "body.url"},
	} {
		t.Run(name, func(t *testing.T) {
			got, text := admin.do(tc.method, tc.path, tc.body)
			var problem struct{ Errors []struct{ Location string } }
			if err := json.Unmarshal([]byte(text), &problem); err != nil || got != http.StatusUnprocessableEntity || len(problem.Errors) == 0 || problem.Errors[0].Location != tc.at {
				t.Errorf("%d %s, want a fault at %s", got, text, tc.at)
			}
		})
	}
	// And what is right is taken.
	var made OnCallShape
	admin.want(http.StatusCreated, "POST", "/oncall", layer(""), &made)
	if made.Now == nil || made.Now.Member.Name != "Ann" {
		t.Errorf("%+v", made)
	}
	admin.want(http.StatusCreated, "POST", "/escalations", `{"name":"x","steps":[{"schedules":["`+made.ID+`"]}]}`, nil)
	admin.want(http.StatusConflict, "DELETE", "/oncall/"+made.ID, "", nil)
	admin.want(http.StatusOK, "PUT", "/heartbeat", `{"enabled":true,"url":"https://hc.example.org/uuid-that-is-secret"}`, nil)
	if _, text := admin.do("GET", "/heartbeat", ""); strings.Contains(text, "uuid") || !strings.Contains(text, "hc.example.org") {
		t.Error(text)
	}
}

// note commits a notice as the incidents' side does.
func (p *plant) note(n incident.Notice) {
	p.t.Helper()
	n.Key = n.Incident + "/" + n.Change + "/" + n.At.String()
	data, err := n.Encode()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.log.Project(p.t.Context(), "test", journal.CursorAt(0), func(tx *sql.Tx) error { return journal.WriteNotice(tx, n.Key, data, n.At) }); err != nil {
		p.t.Fatal(err)
	}
}

// press is what the button does.
func (p *plant) press(token string) (int, string) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.url+"/ack", strings.NewReader(url.Values{"t": {token}}.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := (&http.Client{}).Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

func TestOnlyTheButtonOfASignedLinkAcknowledgesAndOnlyOnce(t *testing.T) {
	p, told, d := newTelling(t)
	now := time.Now().UTC()
	p.note(incident.Notice{Incident: "inc-1", Change: incident.ChangeOpened, Severity: "S1", Kind: "x", Title: "Port <b>dead</b>", SiteName: "Hamburg", At: now, OpenedAt: now.Add(-90 * time.Minute)})
	token := told.Links().Make("inc-1")
	nobody := &caller{t: t, url: p.url, http: &http.Client{}}
	for range 3 { // previews of messengers
		status, text := nobody.do("GET", "!/ack?t="+token, "")
		if status != http.StatusOK || !strings.Contains(text, "Port &lt;b&gt;dead&lt;/b&gt;") || !strings.Contains(text, "Hamburg") || !strings.Contains(text, "1 h 30 min") ||
			!regexp.MustCompile(`<form method="post" action="/ack">`).MatchString(text) {
			t.Errorf("%d %s", status, text)
		}
	}
	if len(d.done) != 0 {
		t.Fatalf("looking acknowledged: %v", d.done)
	}
	d.fail = errors.New("not now")
	if status, text := p.press(token); status != http.StatusServiceUnavailable || !strings.Contains(text, "<form") {
		t.Errorf("%d %s", status, text)
	}
	d.fail = nil
	if status, text := p.press(token); status != http.StatusOK || !strings.Contains(text, "Acknowledged.") || strings.Contains(text, "<form") {
		t.Errorf("%d %s", status, text)
	}
	if _, text := p.press(token); !strings.Contains(text, "used before") {
		t.Error(text)
	}
	if len(d.done) != 1 || d.done[0] != "inc-1 by link/" {
		t.Errorf("%v", d.done)
	}
	for name, bad := range map[string]string{"none": "", "made up": "AAAA", "of an incident that is not": told.Links().Make("inc-2")} {
		if status, text := p.press(bad); status != http.StatusNotFound || strings.Contains(text, "<form") {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	// What is over is not acknowledged.
	p.note(incident.Notice{Incident: "inc-1", Change: incident.ChangeClosed, Severity: "S1", Kind: "x", Title: "x", At: now.Add(time.Second), OpenedAt: now})
	if _, text := p.press(told.Links().Make("inc-1")); !strings.Contains(text, "over already") || len(d.done) != 1 {
		t.Error(text)
	}
	german := &caller{t: t, url: p.url, http: &http.Client{}, header: http.Header{"Accept-Language": {"de-DE,de;q=0.9,en;q=0.8"}}}
	if _, text := german.do("GET", "!/ack?t=x", ""); !strings.Contains(text, "Link ungültig") {
		t.Error(text)
	}
}

func TestAlertsOfAnotherSystemAreRecordedBeforeTheAnswer(t *testing.T) {
	p, _, _ := newTelling(t)
	p.site("ham-1")
	p.enrol("ham-1", "S-1")
	data, err := os.ReadFile(filepath.Join("testdata", "alertmanager.json"))
	if err != nil {
		t.Fatal(err)
	}
	p.script(store.RoleViewer).want(http.StatusForbidden, "POST", "/integrations/alertmanager", string(data), nil)
	operator := p.script(store.RoleOperator)
	operator.want(http.StatusOK, "POST", "/integrations/alertmanager", string(data), nil)
	events, _, err := p.log.Events(t.Context(), journal.EventQuery{Kinds: []event.Kind{event.KindExternalAlert}, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]*event.ExternalAlert)
	for _, e := range events {
		got[e.Subject.String()] = e.Body.(*event.ExternalAlert)
	}
	station, site, self := got["station/S-1"], got["site/ham-1"], got["server/self"]
	if len(events) != 3 || station == nil || site == nil || self == nil {
		t.Fatalf("%d events: %v", len(events), got)
	}
	if station.Status != "firing" || station.Fingerprint != "f1" || !station.EndsAt.IsZero() || site.Status != "resolved" || site.EndsAt.IsZero() || self.Fingerprint == "" || self.By == "" {
		t.Errorf("%+v %+v %+v", station, site, self)
	}
	if station.Severity != "" || site.Severity != event.S1 {
		t.Errorf("severities %q and %q", station.Severity, site.Severity)
	}
	operator.want(http.StatusOK, "POST", "/integrations/alertmanager?station=cp&severity=prio",
		`{"alerts":[{"status":"firing","fingerprint":"f9","labels":{"alertname":"Fan","cp":"S-1:9100","station":"x","prio":"P2"}}]}`, nil)
	events, _, err = p.log.Events(t.Context(), journal.EventQuery{Kinds: []event.Kind{event.KindExternalAlert}, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	if a := events[0].Body.(*event.ExternalAlert); events[0].Subject != event.Station("S-1") || a.Severity != event.S2 {
		t.Errorf("by labels of its own: %v, %+v", events[0].Subject, a)
	}
	for name, tc := range map[string]struct{ body, at string }{
		"no JSON":        {`nonsense`, "body"},
		"no alerts":      {`{"alerts":[]}`, "body.alerts"},
		"another status": {`{"alerts":[{"status":"on fire","labels":{"a":"b"}}]}`, "body.alerts[0].status"},
		"another type":   {`{"alerts":[{"status":7}]}`, "body.alerts.status"},
		"no labels":      {`{"alerts":[{"status":"firing","labels":{}}]}`, "body.alerts[0].labels"},
	} {
		if status, text := operator.do("POST", "/integrations/alertmanager", tc.body); status != http.StatusUnprocessableEntity || !strings.Contains(text, `"`+tc.at+`"`) {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	if status, _ := operator.do("POST", "/integrations/alertmanager", `{"alerts":[`+strings.Repeat(" ", maxAlertBody)+`]}`); status != http.StatusRequestEntityTooLarge {
		t.Errorf("too much: %d", status)
	}
}

func FuzzReadAlerts(f *testing.F) {
	data, err := os.ReadFile(filepath.Join("testdata", "alertmanager.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"alerts":[{"status":"firing","labels":{"a":"\ud800"},"startsAt":"0001-01-01T00:00:00Z"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		alerts, err := readAlerts(data)
		if err != nil {
			return
		}
		for _, a := range alerts {
			stored, err := event.AppendBody(nil, a)
			if err != nil {
				t.Fatalf("%q was read and cannot be stored: %v", data, err)
			}
			if _, err := event.DecodeBody(event.KindExternalAlert, stored); err != nil {
				t.Fatalf("%q does not read: %v", stored, err)
			}
			for k, v := range a.Labels {
				if len(k) > maxLabelName || len(v) > maxLabelValue {
					t.Fatalf("label of %d and %d bytes", len(k), len(v))
				}
			}
		}
	})
}

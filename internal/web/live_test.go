package web

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

// message is any frame of the feed.
type message struct {
	Type     string
	Epoch    string
	Revision uint64
	Snapshot bool
	Total    int
	Offset   int
	IDs      []string `json:"ids"`
	Labels   []string
	Sites    []string
	Site     []int
	Index    []int
	Status   []int
	Online   []int
	Free     []int
	PowerW   []int
	RatedW   []int
	StatusAt []int64
	Data     json.RawMessage
	Station  string
	Items    []MessageShape
}

type viewer struct {
	t    *testing.T
	conn *websocket.Conn
	last uint64
}

func (c *caller) live(topics ...string) *viewer {
	c.t.Helper()
	header := http.Header{}
	if c.token != "" {
		header.Set("Authorization", "Bearer "+c.token)
	}
	conn, resp, err := websocket.Dial(c.t.Context(), strings.Replace(c.url, "http", "ws", 1)+base+"/live", &websocket.DialOptions{
		HTTPClient: c.http, HTTPHeader: header,
	})
	if err != nil {
		c.t.Fatal(err, resp)
	}
	conn.SetReadLimit(64 << 20)
	c.t.Cleanup(func() { _ = conn.CloseNow() })
	v := &viewer{t: c.t, conn: conn}
	if m := v.next(); m.Type != "hello" || m.Revision != 0 {
		c.t.Fatalf("first frame %+v", m)
	}
	v.ask(topics...)
	return v
}

func (v *viewer) ask(topics ...string) {
	v.t.Helper()
	data, err := json.Marshal(map[string]any{"topics": topics})
	if err != nil {
		v.t.Fatal(err)
	}
	if err := v.conn.Write(v.t.Context(), websocket.MessageText, data); err != nil {
		v.t.Fatal(err)
	}
}

func (v *viewer) read() (message, error) {
	ctx, cancel := context.WithTimeout(v.t.Context(), 20*time.Second)
	defer cancel()
	_, data, err := v.conn.Read(ctx)
	if err != nil {
		return message{}, err
	}
	var m message
	if err := json.Unmarshal(data, &m); err != nil {
		v.t.Fatalf("%v: %s", err, data)
	}
	return m, nil
}

func (v *viewer) next() message {
	v.t.Helper()
	m, err := v.read()
	if err != nil {
		v.t.Fatal(err)
	}
	return m
}

// until reads frames without a gap until one fits.
func (v *viewer) until(fits func(message) bool) message {
	v.t.Helper()
	for {
		m := v.next()
		if m.Revision != v.last+1 {
			v.t.Fatalf("revision %d after %d", m.Revision, v.last)
		}
		v.last = m.Revision
		if fits(m) {
			return m
		}
	}
}

func TestLivePorts(t *testing.T) {
	p := newPlant(t)
	p.site("a")
	p.site("b")
	two := []event.EVSELayout{{EVSE: 1, RatedW: 50_000}, {EVSE: 2, RatedW: 22_000}}
	p.enrol("a", "S1", two...)
	p.enrol("b", "S2", two...)
	p.connect("S1", "ocpp1.6")
	p.connect("S2", "ocpp1.6")

	v := p.script(store.RoleViewer).live("ports")
	m := v.until(func(m message) bool { return m.Type == "ports" && m.Total == 4 })
	if !m.Snapshot || strings.Join(m.IDs, " ") != "S1/1 S1/2 S2/1 S2/2" || len(m.Sites) != 2 || m.Site[3] != 1 || m.RatedW[1] != 22_000 || m.Online[0] != 1 {
		t.Errorf("snapshot %+v", m)
	}
	p.say(event.Port("S2", 1, 1), &event.Status{Status: "Available", ErrorCode: "NoError"})
	m = v.until(func(m message) bool { return m.Type == "ports" && len(m.Index) == 1 && m.Index[0] == 2 })
	if m.Snapshot || m.Status[0] != 0 || m.Free[0] != 1 || m.Online[0] != 1 || m.StatusAt[0] == 0 || m.PowerW[0] != noPower {
		t.Errorf("delta %+v", m)
	}
	p.say(event.Port("S2", 1, 1), &event.Status{Status: "Charging", ErrorCode: "NoError"})
	m = v.until(func(m message) bool { return m.Type == "ports" && len(m.Index) == 1 && m.Status[0] == 2 })
	if m.PowerW[0] != noPower {
		t.Errorf("it charges and reports no power: %+v", m)
	}
	p.say(event.Port("S2", 1, 1), &event.Meter{Samples: event.Samples{{At: time.Now(), Values: []event.Sample{
		{Measurand: "Power.Active.Import", Value: 7400},
	}}}})
	v.until(func(m message) bool { return m.Type == "ports" && len(m.Index) == 1 && m.PowerW[0] == 7400 })
	p.enrol("a", "S0", two...) // a new port: everything is laid out anew
	m = v.until(func(m message) bool { return m.Type == "ports" && m.Snapshot && m.Total == 6 })
	if m.IDs[0] != "S0/1" {
		t.Errorf("snapshot %+v", m)
	}
	if err := p.store.RemoveStation(t.Context(), store.System, "S1"); err != nil {
		t.Fatal(err)
	}
	v.until(func(m message) bool { return m.Type == "ports" && m.Snapshot && m.Total == 4 })
	v.until(func(m message) bool { return m.Type == "tick" })
}

func TestFeedPower(t *testing.T) {
	tests := map[string]struct {
		power *float64
		want  int64
	}{
		"none":                      {nil, -1},
		"nothing flows":             {new(0.0), 0},
		"a fast one":                {new(312_400.6), 312_400},
		"a car that feeds the grid": {new(-5000.0), -5000},
		"a watt less than nothing":  {new(-1.0), 0},
		"little more than one watt": {new(-1.9), 0},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			if got := feedPower(c.power); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestLiveTopicsStayInsideTheGrant(t *testing.T) {
	p := newPlant(t)
	p.site("a")
	p.site("b")
	layout := event.EVSELayout{EVSE: 1, RatedW: 50_000}
	p.enrol("a", "HERE", layout)
	p.enrol("b", "THERE", layout)
	p.connect("HERE", "ocpp1.6")
	p.connect("THERE", "ocpp1.6")
	v := p.script(store.RoleHost, "a").live("ports", "summary", "station/HERE", "station/THERE", "events", "commands", "messages/THERE")
	m := v.until(func(m message) bool { return m.Type == "ports" })
	if m.Total != 1 || m.IDs[0] != "HERE/1" {
		t.Errorf("ports of another site: %+v", m)
	}
	p.links.replies(func(string, string, []byte) Outcome {
		return Outcome{Status: "answered", Response: json.RawMessage(`{}`)}
	})
	operator := p.script(store.RoleOperator)
	operator.want(http.StatusOK, "POST", "/stations/THERE/commands", `{"action":"ClearCache"}`, nil)
	p.say(event.Port("THERE", 1, 1), &event.Status{Status: "Faulted", ErrorCode: "GroundFailure"})
	p.say(event.Station("THERE"), &event.Security{Type: "TamperDetectionActivated"})
	p.say(event.Station("HERE"), &event.Security{Type: "StartupOfTheDevice"})
	v.until(func(m message) bool {
		if strings.Contains(string(m.Data), "THERE") || m.Station == "THERE" || m.Type == "command" {
			t.Errorf("of another site: %+v %s", m, m.Data)
		}
		return m.Type == "event" && strings.Contains(string(m.Data), "StartupOfTheDevice")
	})
}

func TestLiveStationSummaryAndCommands(t *testing.T) {
	p := newPlant(t)
	p.site("a")
	p.enrol("a", "S1", event.EVSELayout{EVSE: 1, RatedW: 50_000})
	p.connect("S1", "ocpp1.6")
	v := p.script(store.RoleOperator).live("summary", "station/S1", "commands")
	v.until(func(m message) bool { return m.Type == "station" && strings.Contains(string(m.Data), `"online":true`) })
	p.say(event.Port("S1", 1, 1), &event.Status{Status: "Available", ErrorCode: "NoError"})
	seen := map[string]bool{}
	v.until(func(m message) bool {
		seen[m.Type] = seen[m.Type] || strings.Contains(string(m.Data), `"free":1`) || strings.Contains(string(m.Data), `"free":true`)
		return seen["summary"] && seen["station"]
	})
	p.links.replies(func(string, string, []byte) Outcome {
		return Outcome{Status: "answered", Response: json.RawMessage(`{"status":"Accepted"}`)}
	})
	p.script(store.RoleOperator).want(http.StatusOK, "POST", "/stations/S1/commands", `{"action":"RemoteStartTransaction","payload":{"idTag":"CARD12"}}`, nil)
	var states []string
	v.until(func(m message) bool {
		var c CommandShape
		if m.Type == "command" {
			if err := json.Unmarshal(m.Data, &c); err != nil {
				t.Fatal(err)
			}
			states = append(states, c.Status+" "+c.Action+" "+string(c.Payload))
		}
		return c.Status == "answered"
	})
	want := `sent RemoteStartTransaction {"idTag":"CARD12"}|answered RemoteStartTransaction {"idTag":"CARD12"}`
	if got := strings.Join(states, "|"); got != want {
		t.Errorf("got %s", got)
	}
}

// Who may see every site but no token gets masked ones, also at a station that
// is at no site.
func TestLiveCommandsAreMasked(t *testing.T) {
	p := newPlant(t)
	p.enrol("", "S1")
	p.connect("S1", "ocpp1.6")
	v := p.script(store.RoleViewer).live("commands")
	p.links.replies(func(string, string, []byte) Outcome {
		return Outcome{Status: "answered", Response: json.RawMessage(`{}`)}
	})
	p.script(store.RoleOperator).want(http.StatusOK, "POST", "/stations/S1/commands", `{"action":"RemoteStartTransaction","payload":{"idTag":"CARD123456"}}`, nil)
	m := v.until(func(m message) bool { return m.Type == "command" })
	if text := string(m.Data); strings.Contains(text, "CARD") || !strings.Contains(text, "********56") {
		t.Errorf("got %s", text)
	}
}

// A client that asks again gets everything again: so it recovers from a gap.
func TestLiveSubscribingAgainStartsOver(t *testing.T) {
	p := newPlant(t)
	p.site("a")
	p.enrol("a", "S1", event.EVSELayout{EVSE: 1})
	v := p.script(store.RoleViewer).live("ports", "station/S1")
	v.until(func(m message) bool { return m.Type == "ports" && m.Total == 1 })
	for range 3 {
		v.ask("ports")
		m := v.until(func(m message) bool { return m.Type == "ports" })
		if !m.Snapshot {
			t.Errorf("got %+v", m)
		}
	}
}

func TestLiveEndsWithTheRight(t *testing.T) {
	p := newPlant(t)
	p.site("a")
	p.enrol("a", "S1", event.EVSELayout{EVSE: 1})
	boss := p.admin()
	tests := map[string]func(u *store.User, c *caller){
		"signing out":    func(_ *store.User, c *caller) { c.want(http.StatusNoContent, "POST", "/signout", "", nil) },
		"being disabled": func(u *store.User, _ *caller) { p.update(u.ID, func(u *store.User) { u.Disabled = true }) },
		"losing the grant": func(u *store.User, _ *caller) {
			p.update(u.ID, func(u *store.User) { u.Grants = nil })
		},
	}
	for name, lose := range tests {
		t.Run(name, func(t *testing.T) {
			u, c := p.person(strings.ReplaceAll(name, " ", "-"), store.RoleViewer, store.AllSites)
			v := c.live("ports")
			v.until(func(m message) bool { return m.Type == "ports" && m.Total == 1 })
			lose(u, c)
			for {
				if _, err := v.read(); err != nil {
					if websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
						t.Errorf("ended with %v", err)
					}
					return
				}
			}
		})
	}
	t.Run("a smaller grant shows less", func(t *testing.T) {
		u, c := p.person("smaller", store.RoleViewer, store.AllSites)
		v := c.live("ports")
		v.until(func(m message) bool { return m.Type == "ports" && m.Total == 1 })
		p.update(u.ID, func(u *store.User) { u.Grants[0].Sites = []string{"elsewhere"} })
		v.until(func(m message) bool { return m.Type == "ports" && m.Snapshot && m.Total == 0 })
	})
	boss.get("/me", nil)
}

func (p *plant) update(id string, change func(*store.User)) {
	p.t.Helper()
	if _, err := p.store.UpdateUser(p.t.Context(), store.System, id, change); err != nil {
		p.t.Fatal(err)
	}
}

// person signs in someone new.
func (p *plant) person(name string, role store.Role, sites ...string) (*store.User, *caller) {
	p.t.Helper()
	hash, err := p.hashPassword(p.t.Context(), "a long password")
	if err != nil {
		p.t.Fatal(err)
	}
	u, err := p.store.CreateUser(p.t.Context(), store.System, store.User{
		Name: name, Password: hash, Grants: []store.Grant{{Role: role, Sites: sites}},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	c := p.browser()
	c.want(http.StatusNoContent, "POST", "/signin", `{"name":"`+name+`","password":"a long password"}`, nil)
	return u, c
}

func TestLiveRefusesOtherOrigins(t *testing.T) {
	p := newPlant(t)
	_, c := p.person("eve", store.RoleViewer, store.AllSites)
	_, resp, err := websocket.Dial(t.Context(), strings.Replace(p.url, "http", "ws", 1)+base+"/live", &websocket.DialOptions{
		HTTPClient: c.http, HTTPHeader: http.Header{"Origin": {"https://evil.example"}},
	})
	if err == nil || resp == nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("another origin: %v %v", resp, err)
	}
	if status, _ := c.do("GET", "/live", ""); status != http.StatusUpgradeRequired {
		t.Errorf("no upgrade: %d", status)
	}
}

func TestLiveAsAStream(t *testing.T) {
	p := newPlant(t)
	p.site("a")
	p.enrol("a", "S1", event.EVSELayout{EVSE: 1})
	c := p.script(store.RoleViewer)
	r, err := http.NewRequestWithContext(t.Context(), "GET", p.url+base+"/live/events?topics=summary,events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := c.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := resp.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Fatalf("content type %q", got)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	seen := map[string]bool{}
	for lines.Scan() && !seen["event"] {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var m message
		if err := json.Unmarshal([]byte(data), &m); err != nil {
			t.Fatalf("%v: %s", err, data)
		}
		if seen[m.Type] = true; m.Type == "summary" && !seen["said"] {
			seen["said"] = true
			p.say(event.Station("S1"), &event.Security{Type: "ResetOrReboot"})
		}
	}
	if !seen["hello"] || !seen["summary"] || !seen["event"] {
		t.Errorf("seen %v, %v", seen, lines.Err())
	}
}

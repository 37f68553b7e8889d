package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

func TestFirstAdministrator(t *testing.T) {
	p := newPlant(t)
	link, err := p.store.FirstAdmin(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	b := p.browser()
	if status, _ := b.do("GET", "/me", ""); status != http.StatusUnauthorized {
		t.Fatalf("me without sign-in: %d", status)
	}
	b.want(http.StatusNoContent, "POST", "/signin", `{"token":"`+link+`"}`, nil)
	if status, _ := b.do("POST", "/signin", `{"token":"`+link+`"}`); status != http.StatusUnauthorized {
		t.Errorf("the link works twice: %d", status)
	}
	var me Me
	b.get("/me", &me)
	if !me.MustSetPassword || me.Role != store.RoleAdmin || me.ReauthenticatedAt != nil {
		t.Errorf("me: %+v", me)
	}
	if status, text := b.do("GET", "/stations", ""); status != http.StatusForbidden || !strings.Contains(text, "password") {
		t.Errorf("before a password was set: %d %s", status, text)
	}
	b.want(http.StatusUnprocessableEntity, "POST", "/me/password", `{"password":"short"}`, nil)
	b.want(http.StatusNoContent, "POST", "/me/password", `{"password":"correct horse"}`, nil)
	b.get("/me", &me)
	if me.MustSetPassword || me.ReauthenticatedAt == nil {
		t.Errorf("me after: %+v", me)
	}
	b.get("/stations", nil)
	b.want(http.StatusUnprocessableEntity, "POST", "/me/password", `{"password":"another horse","current":"wrong"}`, nil)

	other := p.browser()
	if status, _ := other.do("POST", "/signin", `{"name":"admin","password":"wrong horse"}`); status != http.StatusUnauthorized {
		t.Errorf("a wrong password: %d", status)
	}
	other.want(http.StatusNoContent, "POST", "/signin", `{"name":"Admin","password":"correct horse"}`, nil)
	other.want(http.StatusNoContent, "POST", "/signout", "", nil)
	if status, _ := other.do("GET", "/me", ""); status != http.StatusUnauthorized {
		t.Errorf("signed out and in: %d", status)
	}
	b.get("/me", nil)
}

func TestStationsAreShownWithTheirAge(t *testing.T) {
	p := newPlant(t)
	p.site("a")
	p.enrol("a", "S1", event.EVSELayout{EVSE: 1, PublicID: "DE*1", RatedW: 150_000, Current: "DC",
		Connectors: []event.ConnectorLayout{{Connector: 1, Type: "cCCS2"}}})
	p.enrol("a", "S2")
	c := p.script(store.RoleViewer)
	var list Items[StationShape]
	c.get("/stations", &list)
	if len(list.Items) != 2 || list.Items[0].ID != "S1" || list.Items[0].Online || list.Items[0].AgeSeconds != nil || list.Items[0].SiteName != "Site a" {
		t.Fatalf("before it connected: %+v", list.Items)
	}
	p.connect("S1", "ocpp1.6")
	p.say(event.Port("S1", 1, 1), &event.Status{Status: "Available", ErrorCode: "NoError"})
	var s StationShape
	c.get("/stations/S1", &s)
	if !s.Online || s.Vendor != "Acme" || s.AgeSeconds == nil || *s.AgeSeconds > 60 || len(s.EVSEs) != 1 {
		t.Fatalf("got %+v", s)
	}
	v := s.EVSEs[0]
	if !v.Free || v.Status.String() != "Available" || v.PublicID != "DE*1" || v.RatedW == nil || *v.RatedW != 150_000 || v.Fault.FaultShape != nil || v.SessionID != nil {
		t.Errorf("port: %+v", v)
	}
	if _, text := c.do("GET", "/stations/S1", ""); strings.Count(text, `"fault":null`) != 3 {
		t.Errorf("no fault is not null: %s", text)
	}
	p.say(event.Port("S1", 1, 1), &event.Status{Status: "Faulted", ErrorCode: "GroundFailure", VendorErrorCode: "CX002", Info: "wet"})
	c.get("/stations/S1", &s)
	if f := s.EVSEs[0].Fault; s.EVSEs[0].Free || f.FaultShape == nil || f.Code != "GroundFailure" || f.VendorCode != "CX002" || f.Info != "wet" {
		t.Errorf("fault: %+v", s.EVSEs[0])
	}
	p.say(event.Port("S1", 1, 1), &event.Status{Status: "Available", ErrorCode: "NoError"})
	p.say(event.Station("S1"), &event.Disconnected{ConnID: "c-S1", Reason: "pong"})
	c.get("/stations/S1", &s)
	if s.Online || s.EVSEs[0].Free || s.EVSEs[0].Status.String() != "Available" {
		t.Errorf("after it went: %+v", s)
	}
	for query, want := range map[string]int{
		"q=s1": 1, "q=acme": 1, "online=true": 0, "online=false": 2, "site=a": 2, "site=b": 0, "status=Available": 1, "limit=1": 1,
	} {
		c.get("/stations?"+query, &list)
		if len(list.Items) != want {
			t.Errorf("%s: %d stations, want %d", query, len(list.Items), want)
		}
	}
	c.get("/stations?limit=1", &list)
	c.get("/stations?limit=1&cursor="+list.NextCursor, &list)
	if len(list.Items) != 1 || list.Items[0].ID != "S2" || list.NextCursor != "" {
		t.Errorf("second page: %+v", list)
	}
	if status, _ := c.do("GET", "/stations?cursor=x", ""); status != http.StatusUnprocessableEntity {
		t.Errorf("a cursor of nobody: %d", status)
	}
}

func TestSummaryAndSessions(t *testing.T) {
	p := newPlant(t)
	p.site("a")
	p.enrol("a", "S1", event.EVSELayout{EVSE: 1, RatedW: 150_000, Current: "DC"}, event.EVSELayout{EVSE: 2, RatedW: 22_000, Current: "AC"})
	p.connect("S1", "ocpp1.6")
	for evse := range 2 {
		p.say(event.Port("S1", evse+1, 1), &event.Status{Status: "Available", ErrorCode: "NoError"})
	}
	token, err := p.store.Intern(t.Context(), "", "04A2B3C4")
	if err != nil {
		t.Fatal(err)
	}
	p.say(event.Port("S1", 1, 1), &event.Transaction{Stage: event.TransactionStarted, AssignID: true, TokenID: token, MeterWh: new(1000.0)})
	p.say(event.Port("S1", 1, 1), &event.Status{Status: "Charging", ErrorCode: "NoError"})
	whole, masked := p.script(store.RoleOperator), p.script(store.RoleViewer)
	var sum Summary
	masked.get("/summary", &sum)
	if sum.Ports.Total != 2 || sum.Ports.Free != 1 || sum.Ports.ByStatus["Charging"] != 1 || sum.Stations.Online != 1 ||
		sum.Sessions.Active != 1 || sum.Sessions.Today != 1 || !sum.Observing || len(sum.Ports.ByStatus) != 10 {
		t.Errorf("summary %+v", sum)
	}
	for _, class := range sum.Ports.ByPowerClass {
		if want := map[string]int{"ac": 1, "hpc": 1}[class.Class]; class.Total != want {
			t.Errorf("class %+v", class)
		}
	}
	var list Items[SessionShape]
	whole.get("/sessions?active=true&station=S1", &list)
	if len(list.Items) != 1 || list.Items[0].IDToken != "04A2B3C4" || list.Items[0].EndedAt != nil {
		t.Fatalf("sessions %+v", list.Items)
	}
	var one SessionShape
	masked.get("/sessions/"+list.Items[0].ID, &one)
	if one.IDToken != "******C4" || one.SiteID != "a" {
		t.Errorf("masked: %+v", one)
	}
	whole.get("/sessions?credential=04a2b3c4", &list)
	if len(list.Items) != 1 {
		t.Errorf("by token: %+v", list.Items)
	}
	p.say(event.Port("S1", 1, 1), &event.Transaction{Stage: event.TransactionEnded, TransactionID: one.TransactionID, MeterWh: new(2500.0)})
	whole.get("/sessions?active=false", &list)
	if len(list.Items) != 1 || list.Items[0].EnergyWh != 1500 || list.Items[0].EndedAt == nil {
		t.Errorf("ended: %+v", list.Items)
	}
}

func TestCommandsAreRecordedAndAnswered(t *testing.T) {
	p := newPlant(t, func(o *Options) {
		o.Validate = func(version, action string, payload []byte) []Fault {
			if action == "Reset" && !strings.Contains(string(payload), "type") {
				return []Fault{{Path: "/type", Text: "is missing in " + version}}
			}
			return nil
		}
	})
	p.site("a")
	p.enrol("a", "S1")
	p.connect("S1", "ocpp1.6")
	sent := make(chan string, 10)
	p.links.replies(func(station, action string, payload []byte) Outcome {
		sent <- station + " " + action + " " + string(payload)
		return Outcome{Status: "answered", Response: json.RawMessage(`{"status":"Accepted"}`)}
	})
	c := p.script(store.RoleOperator)
	var got CommandShape
	c.want(http.StatusOK, "POST", "/stations/S1/commands", `{"action":"Reset","payload":{"type":"Soft"}}`, &got)
	if got.Status != "answered" || string(got.Response) != `{"status":"Accepted"}` || <-sent != `S1 Reset {"type":"Soft"}` {
		t.Errorf("got %+v", got)
	}
	// Tokens go out as they are and are recorded by reference only.
	c.want(http.StatusOK, "POST", "/stations/S1/commands", `{"action":"RemoteStartTransaction","payload":{"idTag":"04A2B3C4","connectorId":1}}`, &got)
	if line := <-sent; !strings.Contains(line, "04A2B3C4") || !strings.Contains(string(got.Payload), "04A2B3C4") {
		t.Errorf("sent %s, answered %s", line, got.Payload)
	}
	var raw Items[EventShape]
	c.get("/events?kind=command", &raw)
	if text := fmt.Sprint(raw); strings.Contains(text, "04A2B3C4") || len(raw.Items) != 2 {
		t.Errorf("the journal knows the token: %s", text)
	}
	var list Items[CommandShape]
	p.script(store.RoleViewer).get("/stations/S1/commands", &list)
	if len(list.Items) != 2 || list.Items[0].Action != "RemoteStartTransaction" || !strings.Contains(string(list.Items[0].Payload), `"******C4"`) ||
		list.Items[0].Status != "answered" || list.Items[0].RequestedBy == "" || list.Items[0].FinishedAt == nil {
		t.Errorf("list %+v", list.Items)
	}
	status, text := c.do("POST", "/stations/S1/commands", `{"action":"Reset","payload":{"typ":"Soft"}}`)
	if status != http.StatusUnprocessableEntity || !strings.Contains(text, "body.payload.type") {
		t.Errorf("a bad payload: %d %s", status, text)
	}
	for _, body := range []string{`{"action":7}`, `{"action":"Reset","extra":1}`, `{"action":"Reset","payload":[]}`, `{}`} {
		if status, text := c.do("POST", "/stations/S1/commands", body); status != http.StatusUnprocessableEntity || !strings.Contains(text, `"body`) {
			t.Errorf("%s: %d %s", body, status, text)
		}
	}
	if status, _ := p.script(store.RoleViewer).do("POST", "/stations/S1/commands", `{"action":"Reset","payload":{"type":"Soft"}}`); status != http.StatusForbidden {
		t.Errorf("a viewer may command: %d", status)
	}
}

func TestAnswersThatComeAfterTheWait(t *testing.T) {
	p := newPlant(t)
	p.site("a")
	p.enrol("a", "S1")
	p.connect("S1", "ocpp1.6")
	release := make(chan struct{})
	p.links.replies(func(string, string, []byte) Outcome {
		<-release
		return Outcome{Status: "answered", Response: json.RawMessage(`{}`)}
	})
	c := p.script(store.RoleOperator)
	var got CommandShape
	c.want(http.StatusAccepted, "POST", "/stations/S1/commands?wait=1ms", `{"action":"ClearCache"}`, &got)
	if got.Status != "sent" {
		t.Errorf("got %+v", got)
	}
	close(release)
	var list Items[CommandShape]
	for list.Items == nil || list.Items[0].Status == "sent" {
		c.get("/stations/S1/commands", &list)
	}
	if list.Items[0].Status != "answered" {
		t.Errorf("got %+v", list.Items[0])
	}
	p.links.replies(nil)
	c.want(http.StatusOK, "POST", "/stations/S1/commands", `{"action":"ClearCache"}`, &got)
	if got.Status != "offline" {
		t.Errorf("got %+v", got)
	}
	if err := p.LateAnswer(t.Context(), "S1", got.ID, Outcome{Status: "answered", Response: json.RawMessage(`{"status":"Accepted"}`)}); err != nil {
		t.Fatal(err)
	}
	c.get("/stations/S1/commands", &list)
	if list.Items[0].Status != "answered" || !list.Items[0].Late {
		t.Errorf("a late answer: %+v", list.Items[0])
	}
}

func TestEventsCanBeSearched(t *testing.T) {
	p := newPlant(t)
	p.site("a")
	p.enrol("a", "S1")
	p.connect("S1", "ocpp1.6")
	p.say(event.Port("S1", 1, 1), &event.Status{Status: "Available"})
	p.say(event.Port("S1", 2, 1), &event.Status{Status: "Faulted", ErrorCode: "GroundFailure"})
	c := p.script(store.RoleViewer)
	var list Items[EventShape]
	c.get("/events?subject=station/S1&kind=status", &list)
	if len(list.Items) != 2 || list.Items[0].Subject != "station/S1/2/1" || list.Items[0].TimeQuality != "device" {
		t.Fatalf("got %+v", list.Items)
	}
	c.get("/events?subject=station/S1&limit=2", &list)
	next := list.NextCursor
	c.get("/events?subject=station/S1&limit=2&cursor="+next, &list)
	if len(list.Items) == 0 || next == "" {
		t.Errorf("second page %+v", list)
	}
	c.get("/events?from="+time.Now().Add(time.Hour).UTC().Format(time.RFC3339), &list)
	if len(list.Items) != 0 {
		t.Errorf("from the future: %+v", list.Items)
	}
	for _, query := range []string{"subject=x", "kind=nonsense", "from=yesterday", "limit=0", "limit=1001", "cursor=abc"} {
		if status, text := c.do("GET", "/events?"+query, ""); status != http.StatusUnprocessableEntity || !strings.Contains(text, "query.") {
			t.Errorf("%s: %d %s", query, status, text)
		}
	}
}

// A stop does not wait for stations that never answer; their commands are
// recorded as timed out.
func TestStoppingGivesUpCommands(t *testing.T) {
	p := newPlant(t)
	p.site("a")
	p.enrol("a", "S1")
	p.connect("S1", "ocpp1.6")
	p.links.replies(func(string, string, []byte) Outcome { select {} })
	c := p.script(store.RoleOperator)
	var sent CommandShape
	c.want(http.StatusAccepted, "POST", "/stations/S1/commands?wait=0s", `{"action":"ClearCache"}`, &sent)
	p.sending.drain()
	var list Items[CommandShape]
	c.get("/stations/S1/commands", &list)
	if len(list.Items) != 1 || list.Items[0].Status != "timeout" {
		t.Errorf("got %+v", list.Items)
	}
	c.want(http.StatusServiceUnavailable, "POST", "/stations/S1/commands", `{"action":"ClearCache"}`, nil)
}

// What a crash hid is timed out, never sent again.
func TestCommandsOfBeforeTheStartAreClosed(t *testing.T) {
	p := newPlant(t)
	p.site("a")
	p.enrol("a", "S1")
	p.say(event.Station("S1"), &event.Command{CommandID: "lost", Action: "Reset", By: "u-1"})
	p.Server.started = time.Now()
	p.links.replies(func(_, action string, _ []byte) Outcome {
		t.Error("sent again: ", action)
		return Outcome{Status: "answered"}
	})
	if err := p.closeAbandoned(t.Context()); err != nil {
		t.Fatal(err)
	}
	var list Items[CommandShape]
	p.script(store.RoleViewer).get("/stations/S1/commands", &list)
	if len(list.Items) != 1 || list.Items[0].Status != "timeout" || list.Items[0].ErrorDescription == "" {
		t.Errorf("got %+v", list.Items)
	}
}

package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

func TestSitesAreKept(t *testing.T) {
	p := newPlant(t)
	c := p.script(store.RoleAdmin)
	var x SiteShape
	c.want(http.StatusCreated, "POST", "/sites", `{"id":"ham","name":"Hamburg","latitude":53.5,"longitude":10,"timeZone":"Europe/Berlin","gridLimitW":250000}`, &x)
	if x.ID != "ham" || x.Latitude == nil || *x.Latitude != 53.5 || x.FreeVend {
		t.Errorf("created %+v", x)
	}
	c.want(http.StatusOK, "PATCH", "/sites/ham", `{"freeVend":true}`, &x)
	if !x.FreeVend || x.Name != "Hamburg" {
		t.Errorf("changed %+v", x)
	}
	if x.Public || x.PublicName != "" || len(x.Notices) != 0 {
		t.Errorf("shown to drivers although nobody said so: %+v", x)
	}
	c.want(http.StatusOK, "PATCH", "/sites/ham",
		`{"public":true,"publicName":"Car park","notices":[{"text":"Port 2 is being repaired","until":"2031-05-01T12:00:00+02:00"},{"text":"Cash only <b>"}]}`, &x)
	if until := x.Notices[0].Until; !x.Public || x.PublicName != "Car park" || len(x.Notices) != 2 || until == nil || until.Hour() != 10 ||
		x.Notices[1].Until != nil || x.Notices[1].Text != "Cash only <b>" {
		t.Errorf("told drivers %+v", x)
	}
	c.want(http.StatusOK, "PATCH", "/sites/ham", `{"notices":[{"text":"New","until":null}]}`, &x)
	c.want(http.StatusOK, "PATCH", "/sites/ham", `{"name":"Hamburg"}`, &x)
	if len(x.Notices) != 1 || !x.Public {
		t.Errorf("kept %+v", x)
	}
	var named SiteShape
	c.want(http.StatusCreated, "POST", "/sites", `{"name":"No id"}`, &named)
	if named.ID == "" {
		t.Error("no id was given")
	}
	tests := map[string]struct {
		body string
		want int
		path string
	}{
		"the same again":       {`{"id":"ham"}`, http.StatusConflict, ""},
		"a wrong zone":         {`{"id":"x","timeZone":"Mars/Olympus"}`, http.StatusUnprocessableEntity, "body.timeZone"},
		"half a position":      {`{"id":"x","latitude":1}`, http.StatusUnprocessableEntity, "body.latitude"},
		"off the Earth":        {`{"id":"x","latitude":99,"longitude":1}`, http.StatusUnprocessableEntity, "body.latitude"},
		"a bad id":             {`{"id":"a/b"}`, http.StatusUnprocessableEntity, "body.id"},
		"a field too many":     {`{"id":"x","colour":"red"}`, http.StatusUnprocessableEntity, "body.colour"},
		"a wrong type":         {`{"id":"x","gridLimitW":"much"}`, http.StatusUnprocessableEntity, "body.gridLimitW"},
		"an empty notice":      {`{"id":"x","notices":[{"text":""}]}`, http.StatusUnprocessableEntity, "body.notices[0].text"},
		"a blank notice":       {`{"id":"x","notices":[{"text":" "}]}`, http.StatusUnprocessableEntity, "body.notices[0].text"},
		"a notice with a bell": {`{"id":"x","notices":[{"text":"a\u0007"}]}`, http.StatusUnprocessableEntity, "body.notices[0].text"},
		"no JSON":              {`{`, http.StatusBadRequest, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if status, text := c.do("POST", "/sites", tc.body); status != tc.want || !strings.Contains(text, tc.path) || !strings.Contains(text, `"status"`) {
				t.Errorf("%d %s", status, text)
			}
		})
	}
	p.enrol("ham", "S1", event.EVSELayout{EVSE: 1})
	c.get("/sites/ham", &x)
	if x.Stations != 1 || x.Ports.Total != 1 || x.Ports.Offline != 1 {
		t.Errorf("counts %+v", x)
	}
	c.want(http.StatusConflict, "DELETE", "/sites/ham", "", nil)
	c.want(http.StatusNoContent, "DELETE", "/sites/"+named.ID, "", nil)
	var list Items[SiteShape]
	c.get("/sites?limit=1", &list)
	if len(list.Items) != 1 || list.NextCursor != "" {
		t.Errorf("list %+v", list)
	}
}

func TestEnrolmentOverTheAPI(t *testing.T) {
	p := newPlant(t)
	p.site("a")
	c := p.script(store.RoleAdmin)
	var s StationShape
	c.want(http.StatusCreated, "POST", "/stations", `{"id":"DE-1","siteId":"a","label":"North","auth":{"profile":2,"generate":true},
		"evses":[{"id":1,"publicId":"DE*1","ratedW":150000,"current":"DC","connectors":[{"id":1,"type":"cCCS2"}]}]}`, &s)
	if s.Auth == nil || len(s.Auth.Password) != 40 || s.Auth.Profile != 2 || !s.Auth.HasPassword || len(s.EVSEs) != 1 || s.EVSEs[0].PublicID != "DE*1" ||
		s.Onboarding != event.OnboardingAccepted || s.Label != "North" {
		t.Fatalf("enrolled %+v", s)
	}
	e, _ := p.store.Station("DE-1")
	if _, ok := e.CheckPassword([]byte(s.Auth.Password)); !ok {
		t.Error("the password shown is not the password")
	}
	secret := s.Auth.Password
	if _, text := c.do("GET", "/stations/DE-1", ""); strings.Contains(text, secret) || !strings.Contains(text, `"hasPassword":true`) {
		t.Errorf("shown again: %s", text)
	}
	if _, text := p.script(store.RoleOperator).do("GET", "/stations/DE-1", ""); strings.Contains(text, `"auth"`) {
		t.Errorf("an operator sees how it proves itself: %s", text)
	}
	for _, path := range []string{"/audit", "/events?kind=station.configured"} {
		if _, text := c.do("GET", path, ""); strings.Contains(text, secret) {
			t.Errorf("%s tells the password", path)
		}
	}
	s = StationShape{}
	c.want(http.StatusOK, "PATCH", "/stations/DE-1", `{"auth":{"profile":1,"password":"another secret"}}`, &s)
	if s.Auth.Password != "" || s.Auth.Profile != 1 || s.Label != "North" || !slices.Contains(p.links.gone, "DE-1") {
		t.Errorf("changed %+v, disconnected %v", s, p.links.gone)
	}
	c.want(http.StatusUnprocessableEntity, "PATCH", "/stations/DE-1", `{"siteId":"nowhere"}`, nil)
	c.want(http.StatusConflict, "POST", "/stations", `{"id":"DE-1","siteId":"a"}`, nil)
	if status, text := c.do("POST", "/stations", `{"id":"DE-2","auth":{"profile":9},"evses":[{"id":0}]}`); status != 422 ||
		!strings.Contains(text, "body.auth.profile") || !strings.Contains(text, "body.evses[0].id") {
		t.Errorf("%d %s", status, text)
	}
	c.want(http.StatusNoContent, "DELETE", "/stations/DE-1", "", nil)
	c.want(http.StatusNotFound, "GET", "/stations/DE-1", "", nil)
}

func TestApproval(t *testing.T) {
	p := newPlant(t)
	p.site("a")
	if _, err := p.store.Announce(t.Context(), store.Announcement{
		ID: "NEW-1", Vendor: "Acme", Model: "One", Serial: "77", RemoteAddr: "192.0.2.9", Onboarding: event.OnboardingPending,
	}); err != nil {
		t.Fatal(err)
	}
	p.say(event.Station("NEW-1"), &event.Connected{ConnID: "c1", Protocol: "ocpp1.6"})
	c := p.script(store.RoleAdmin)
	var list Items[StationShape]
	c.get("/stations?onboarding=pending", &list)
	if len(list.Items) != 1 || list.Items[0].Vendor != "Acme" || list.Items[0].Serial != "77" {
		t.Fatalf("waiting %+v", list.Items)
	}
	var refused Items[HandshakeShape]
	p.store.RefuseHandshake("EVIL", "192.0.2.66:999", "unknown station")
	c.get("/handshakes", &refused)
	if len(refused.Items) != 2 || refused.Items[0].Reason != "waits for approval" || refused.Items[1].RemoteAddr != "192.0.2.66" {
		t.Errorf("handshakes %+v", refused.Items)
	}
	asked := make(chan string, 1)
	p.links.replies(func(station, action string, payload []byte) Outcome {
		asked <- station + " " + action + " " + string(payload)
		return Outcome{Status: "answered", Response: json.RawMessage(`{"status":"Accepted"}`)}
	})
	var s StationShape
	c.want(http.StatusOK, "POST", "/stations/NEW-1/approve", `{"siteId":"a"}`, &s)
	if s.Onboarding != event.OnboardingAccepted || s.SiteID != "a" {
		t.Errorf("approved %+v", s)
	}
	if got := <-asked; got != `NEW-1 TriggerMessage {"requestedMessage":"BootNotification"}` {
		t.Errorf("asked %s", got)
	}
	c.want(http.StatusOK, "PATCH", "/stations/NEW-1", `{"onboarding":"rejected"}`, &s)
	if s.Onboarding != event.OnboardingRejected || !slices.Contains(p.links.gone, "NEW-1") {
		t.Errorf("rejected %+v", s)
	}
	c.want(http.StatusOK, "POST", "/stations/NEW-1/approve", "", &s)
	c.want(http.StatusNotFound, "POST", "/stations/none/approve", "", nil)
}

func TestImport(t *testing.T) {
	p := newPlant(t)
	p.site("a")
	p.enrol("a", "OLD")
	c := p.script(store.RoleAdmin)
	file := "\uFEFFid;siteId;label;profile;generate\nI1;a;\"One; two\";2;true\nI2;;;0;\nOLD;a;x;0;\n"
	status, text := c.csv(file)
	var out ImportResult
	if err := json.Unmarshal([]byte(text), &out); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	if out.Created != 2 || out.Exist != 1 || out.Failed != 0 || len(out.Rows[0].Password) != 40 || out.Rows[1].Password != "" || out.Rows[2].Line != 4 {
		t.Errorf("got %+v", out)
	}
	if e, ok := p.store.Station("I1"); !ok || e.Label != "One; two" || e.Profile != 2 || e.SiteID != "a" {
		t.Errorf("enrolled %+v", e)
	}
	for name, file := range map[string]string{
		"no header":         "\n",
		"no id column":      "label\nx\n",
		"an unknown column": "id,colour\nA,red\n",
		"an id twice":       "id\nA1\nA1\n",
		"a wrong profile":   "id,profile\nA1,7\n",
		"a site of nobody":  "id,siteId\nA1,zz\n",
		"a ragged row":      "id,label\nA1\n",
		"an open quote":     "id\n\"A1\n",
	} {
		t.Run(name, func(t *testing.T) {
			if status, text := c.csv(file); status != http.StatusUnprocessableEntity || !strings.Contains(text, "body.line[") {
				t.Errorf("%d %s", status, text)
			}
		})
	}
	var many strings.Builder
	many.WriteString("id,siteId\n")
	for i := range 300 {
		fmt.Fprintf(&many, "M%03d,a\n", i)
	}
	if status, text := c.csv(many.String()); status != http.StatusOK || !strings.Contains(text, `"created":300`) {
		t.Errorf("%d %.200s", status, text)
	}
}

func FuzzImport(f *testing.F) {
	f.Add([]byte("id,siteId,label,profile,password,generate,certSubject\nA,b,c,1,password,no,d\n"))
	f.Add([]byte("id;label\n\"x\ny\";z\n"))
	f.Add([]byte("\uFEFFid\r\nA\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, faults := parseStations(data)
		seen := make(map[string]bool)
		for _, x := range rows {
			if len(faults) > 0 {
				break
			}
			if err := store.ValidIdentity(x.station.ID); err != nil || seen[x.station.ID] || x.station.Auth.Profile < 0 || x.station.Auth.Profile > 3 {
				t.Fatalf("accepted %+v", x)
			}
			seen[x.station.ID] = true
		}
		for _, fault := range faults {
			if !strings.HasPrefix(fault.Location, "body.line[") || fault.Message == "" {
				t.Fatalf("a fault without place or words: %+v", fault)
			}
		}
	})
}

func FuzzCursor(f *testing.F) {
	f.Add("stations", "c3RhdGlvbnM6REUtMQ")
	f.Add("events", "")
	f.Add("events", "!!")
	f.Fuzz(func(t *testing.T, name, text string) {
		place, err := decodeCursor(name, text)
		if err != nil || text == "" {
			return
		}
		again, err := decodeCursor(name, encodeCursor(name, place))
		if err != nil || again != place {
			t.Fatalf("%q, %q: %q %v", name, text, again, err)
		}
	})
}

func TestCredentialsOverTheAPI(t *testing.T) {
	p := newPlant(t)
	c := p.script(store.RoleOperator)
	var x CredentialShape
	c.want(http.StatusCreated, "POST", "/credentials", `{"idToken":"04A2B3C4","type":"ISO14443","expiresAt":"2030-01-01T00:00:00Z","parentIdToken":"FLEET","maxConcurrent":1,"label":"van"}`, &x)
	if x.Status != "Accepted" || x.IDToken != "04A2B3C4" || x.ParentIDToken != "FLEET" || x.ExpiresAt == nil {
		t.Errorf("created %+v", x)
	}
	c.want(http.StatusConflict, "POST", "/credentials", `{"idToken":"04a2b3c4"}`, nil)
	c.want(http.StatusOK, "PATCH", "/credentials/"+x.ID, `{"status":"Blocked"}`, &x)
	if x.Status != "Blocked" || x.Label != "van" || x.ExpiresAt == nil {
		t.Errorf("changed %+v", x)
	}
	c.want(http.StatusUnprocessableEntity, "POST", "/credentials", `{"idToken":"x","status":"Fine"}`, nil)
	c.want(http.StatusCreated, "POST", "/credentials", `{"idToken":"OTHER"}`, nil)
	var list Items[CredentialShape]
	c.get("/credentials?q=a2b3", &list)
	if len(list.Items) != 1 {
		t.Errorf("search %+v", list.Items)
	}
	c.get("/credentials?limit=1", &list)
	c.get("/credentials?limit=1&cursor="+list.NextCursor, &list)
	if len(list.Items) != 1 || list.NextCursor != "" {
		t.Errorf("second page %+v", list)
	}
	if _, text := c.do("GET", "/credentials/"+x.ID, ""); !strings.Contains(text, "04A2B3C4") {
		t.Errorf("got %s", text)
	}
	c.want(http.StatusNoContent, "DELETE", "/credentials/"+x.ID+"?erase=true", "", nil)
	if _, ok, _ := p.store.FindToken(t.Context(), "04A2B3C4"); ok {
		t.Error("erased and found")
	}
	if status, _ := p.script(store.RoleViewer).do("GET", "/credentials", ""); status != http.StatusForbidden {
		t.Errorf("a viewer sees people: %d", status)
	}
}

func TestAgreementsOverTheAPI(t *testing.T) {
	p := newPlant(t)
	p.site("a")
	p.enrol("a", "S1")
	p.connect("S1", "ocpp1.6")
	c, viewer := p.script(store.RoleOperator), p.script(store.RoleViewer)
	said := `{"status":"Accepted"}`
	p.links.replies(func(string, string, []byte) Outcome {
		return Outcome{Status: "answered", Response: json.RawMessage(said)}
	})
	send := func(action, payload string) {
		t.Helper()
		c.want(http.StatusOK, "POST", "/stations/S1/commands", `{"action":"`+action+`","payload":`+payload+`}`, nil)
	}
	send("SendLocalList", `{"listVersion":1,"updateType":"Full","localAuthorizationList":[{"idTag":"04A2B3C4","idTagInfo":{"status":"Accepted","parentIdTag":"PARENT9"}}]}`)
	send("ReserveNow", `{"connectorId":1,"reservationId":7,"idTag":"04A2B3C4","expiryDate":"2099-01-01T00:00:00Z"}`)
	send("SetChargingProfile", `{"connectorId":1,"csChargingProfiles":{"chargingProfileId":3,"stackLevel":0,"chargingProfilePurpose":"TxDefaultProfile","chargingSchedule":{}}}`)
	send("ChangeConfiguration", `{"key":"AuthorizationKey","value":"very secret key"}`)
	said = `{"configurationKey":[{"key":"HeartbeatInterval","readonly":false,"value":"60"}]}`
	send("GetConfiguration", `{}`)

	var l LocalListShape
	c.get("/stations/S1/local-list", &l)
	if l.Version != 1 || len(l.Entries) != 1 || l.Entries[0].IDToken != "04A2B3C4" || !strings.Contains(string(l.Entries[0].Info), "PARENT9") {
		t.Errorf("local list %+v", l)
	}
	if _, text := viewer.do("GET", "/stations/S1/local-list", ""); strings.Contains(text, "04A2") || strings.Contains(text, "PARENT9") || !strings.Contains(text, "******C4") {
		t.Errorf("a viewer sees %s", text)
	}
	var r Items[ReservationShape]
	c.get("/reservations?station=S1", &r)
	if len(r.Items) != 1 || r.Items[0].ReservationID != 7 || r.Items[0].Status != "Accepted" || r.Items[0].IDToken != "04A2B3C4" || r.Items[0].EVSE != 1 {
		t.Errorf("reservations %+v", r.Items)
	}
	var pr Items[ProfileShape]
	c.get("/stations/S1/charging-profiles", &pr)
	if len(pr.Items) != 1 || pr.Items[0].ID != 3 || pr.Items[0].CommandID == "" {
		t.Errorf("profiles %+v", pr.Items)
	}
	var conf Items[SettingShape]
	c.get("/stations/S1/configuration", &conf)
	if len(conf.Items) != 2 || conf.Items[0].Value != nil || *conf.Items[1].Value != "60" {
		t.Errorf("configuration %+v", conf.Items)
	}
	for _, path := range []string{"/stations/S1/commands", "/events?kind=command,commandResult", "/stations/S1/configuration", "/audit"} {
		if _, text := p.script(store.RoleAdmin).do("GET", path, ""); strings.Contains(text, "very secret") {
			t.Errorf("%s tells a secret", path)
		}
	}
}

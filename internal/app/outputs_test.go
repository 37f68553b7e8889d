package app

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/config"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

// reaching is a server that runs until the test ends and may reach a host.
func reaching(t *testing.T, host string, o Options) *Server {
	t.Helper()
	c := config.Default()
	c.Data, c.HTTP, c.OCPP, c.WebRTC = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0", "off"
	c.AllowNet = []string{host}
	o.Logger = slog.New(slog.DiscardHandler)
	s, err := New(t.Context(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s
}

// loud is a server whose site has devices that are reached by webhooks.
type loud struct {
	t    *testing.T
	s    *Server
	host string

	mu   sync.Mutex
	told []string // "light on 30"
}

func newLoud(t *testing.T) *loud {
	t.Helper()
	h := &loud{t: t}
	device := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var x struct {
			On     bool
			Output struct{ Kind string }
		}
		if err := json.NewDecoder(r.Body).Decode(&x); err != nil {
			t.Error(err)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.told = append(h.told, map[bool]string{true: "on ", false: "off "}[x.On]+x.Output.Kind)
	}))
	t.Cleanup(device.Close)
	h.host = strings.TrimPrefix(device.URL, "http://")
	h.s = reaching(t, h.host, Options{})
	if _, err := h.s.Store.CreateSite(t.Context(), store.System, store.Site{ID: "yard"}); err != nil {
		t.Fatal(err)
	}
	return h
}

// person is somebody who is signed in.
func (h *loud) person(name string, role store.Role) *http.Client {
	h.t.Helper()
	u, err := h.s.Store.CreateUser(h.t.Context(), store.System, store.User{Name: name, Grants: []store.Grant{{Role: role, Sites: []string{store.AllSites}}}})
	if err != nil {
		h.t.Fatal(err)
	}
	link, err := h.s.Store.CreateLink(h.t.Context(), store.System, u.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	c := &http.Client{Jar: jar}
	h.want(c, http.StatusNoContent, "POST", "/signin", `{"token":"`+link+`"}`, nil)
	h.want(c, http.StatusNoContent, "POST", "/me/password", `{"password":"correct horse `+name+`"}`, nil)
	return c
}

func (h *loud) want(c *http.Client, status int, method, path, body string, out any) {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), method, "http://"+h.s.HTTPAddress()+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	var got bytes.Buffer
	if _, err := io.Copy(&got, resp.Body); err != nil {
		h.t.Fatal(err)
	}
	if resp.StatusCode != status {
		h.t.Fatalf("%s %s: %d, want %d: %s", method, path, resp.StatusCode, status, got.String())
	}
	if out != nil {
		if err := json.Unmarshal(got.Bytes(), out); err != nil {
			h.t.Fatal(err)
		}
	}
}

func (h *loud) until(what string, ok func() bool) {
	h.t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.t.Fatalf("not so: %s; the devices heard %q", what, h.told)
		}
	}
}

func (h *loud) heard() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.told, ", ")
}

// raid has an incident of security of severity S1 begin at the site.
func (h *loud) raid() string {
	h.t.Helper()
	now := time.Now()
	if _, err := h.s.Journal.Append(h.t.Context(), &event.Event{
		Subject: event.Site("yard"), At: now, ReceivedAt: now, Origin: event.FromUs,
		Body: &event.Finding{Code: "securityRaid", Severity: event.S1, Text: "Somebody cuts cables", State: event.FindingRaised},
	}); err != nil {
		h.t.Fatal(err)
	}
	id := ""
	h.until("there is an incident", func() bool {
		for _, in := range h.s.live.Open() {
			id = in.ID
		}
		return id != ""
	})
	return id
}

func TestSirensAndLightsAtAnIncident(t *testing.T) {
	h := newLoud(t)
	ada, bob := h.person("ada", store.RoleSecurity), h.person("bob", store.RoleOperator)
	boss, guest := h.person("boss", store.RoleAdmin), h.person("guest", store.RoleTechnician)
	add := func(more string) (o web.OutputShape) {
		h.want(boss, http.StatusCreated, "POST", "/outputs",
			`{"siteId":"yard","driver":"webhook","address":"http://`+h.host+`","secret":"a secret of a test",`+more+`}`, &o)
		return o
	}
	lamp := add(`"kind":"light","label":"Flood light","automatic":{"on":true}`)
	siren := add(`"kind":"siren","label":"Siren","twoPerson":true`)
	if siren.Longest != 180 || !siren.HasSecret || lamp.Automatic.PerHour != 3 {
		t.Errorf("%+v %+v", siren, lamp)
	}
	for body, status := range map[string]int{
		`{"siteId":"yard","kind":"siren","driver":"webhook","address":"http://127.0.0.1:1","secret":"a secret of a test"}`:                         422, // ours alone
		`{"siteId":"yard","kind":"siren","driver":"webhook","address":"http://` + h.host + `","secret":"short"}`:                                   422,
		`{"siteId":"yard","kind":"bell","driver":"webhook","address":"http://` + h.host + `","secret":"a secret of a test"}`:                       422,
		`{"siteId":"yard","kind":"siren","driver":"webhook","address":"http://` + h.host + `","secret":"a secret of a test","loud":true}`:          422,
		`{"siteId":"none","kind":"siren","driver":"webhook","address":"http://` + h.host + `","secret":"a secret of a test"}`:                      422,
		`{"siteId":"yard","kind":"siren","driver":"webhook","address":"http://` + h.host + `","secret":"a secret of a test","longestSeconds":601}`: 422,
	} {
		h.want(boss, status, "POST", "/outputs", body, nil)
	}
	h.want(guest, http.StatusForbidden, "GET", "/outputs", "", nil)
	h.want(ada, http.StatusForbidden, "POST", "/outputs/"+siren.ID+"/test", "", nil)
	var seen web.OutputShape
	h.want(ada, http.StatusOK, "GET", "/outputs/"+siren.ID, "", &seen)
	if seen.Address != "" || seen.State != "off" {
		t.Errorf("%+v", seen)
	}
	h.want(ada, http.StatusUnprocessableEntity, "POST", "/outputs/"+lamp.ID+"/switch", `{"on":true}`, nil)
	h.want(ada, http.StatusUnprocessableEntity, "POST", "/outputs/"+lamp.ID+"/switch", `{"on":true,"incident":"none"}`, nil)

	if _, err := h.s.Store.SetArming(t.Context(), store.System, store.Arming{SiteID: "yard", Armed: new(true)}, "test"); err != nil {
		t.Fatal(err)
	}
	id := h.raid()
	h.until("the light goes on by itself", func() bool { return h.heard() == "on light" })
	h.want(ada, http.StatusUnprocessableEntity, "POST", "/outputs/"+siren.ID+"/switch", `{"on":true,"seconds":181,"incident":"`+id+`"}`, nil)
	h.want(ada, http.StatusOK, "POST", "/outputs/"+siren.ID+"/switch", `{"on":true,"seconds":30,"incident":"`+id+`"}`, &seen)
	if seen.State != "off" || seen.Request == nil || seen.Request.ByName != "ada" || seen.Request.Incident != id {
		t.Fatalf("%+v", seen)
	}
	answer := `{"request":"` + seen.Request.ID + `"}`
	h.want(ada, http.StatusForbidden, "POST", "/outputs/"+siren.ID+"/accept", answer, nil)
	h.want(bob, http.StatusOK, "POST", "/outputs/"+siren.ID+"/accept", answer, &seen)
	if seen.State != "on" || seen.ByName != "ada" || seen.ApprovedName != "bob" || seen.Incident != id {
		t.Errorf("%+v", seen)
	}
	h.want(bob, http.StatusConflict, "POST", "/outputs/"+siren.ID+"/accept", answer, nil)
	h.want(boss, http.StatusConflict, "DELETE", "/outputs/"+siren.ID, "", nil)
	h.want(bob, http.StatusOK, "POST", "/outputs/"+siren.ID+"/switch", `{"on":false}`, &seen)
	if seen.State != "off" || h.heard() != "on light, on siren, off siren" {
		t.Errorf("%+v, %s", seen, h.heard())
	}
	var notes []string
	h.until("the incident tells of it", func() bool {
		var detail web.IncidentDetail
		h.want(ada, http.StatusOK, "GET", "/incidents/"+id, "", &detail)
		notes = nil
		for _, l := range detail.Log {
			if l.Change == "switched" {
				notes = append([]string{detail.People[l.By] + " " + l.Note}, notes...)
			}
		}
		return len(notes) == 4
	})
	if got := strings.Join(notes, ", "); got != " light on: Flood light, ada siren asked: Siren, bob siren accepted: Siren, ada siren on: Siren" {
		t.Error(got)
	}
	var events struct{ Items []web.EventShape }
	h.want(guest, http.StatusOK, "GET", "/events?kind=output.switch,output.request", "", &events)
	if len(events.Items) != 0 {
		t.Errorf("who may not see outputs is told of them: %+v", events.Items)
	}
	h.want(boss, http.StatusOK, "POST", "/outputs/"+siren.ID+"/test", "", &seen)
	if seen.Until == nil || seen.Since == nil || seen.Until.Sub(*seen.Since) != 2*time.Second || seen.Cause != event.OutputTest {
		t.Errorf("%+v", seen)
	}
}

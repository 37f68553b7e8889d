package web

import (
	"archive/zip"
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/vitals"
)

// played is a server with two doors for stations.
type played struct{}

func (played) Settings() []Setting {
	return []Setting{{Key: "data", Value: "/srv", Source: "flag", Place: "--data", Restart: true}}
}

func (played) Listeners() []Listener {
	return []Listener{{Address: "127.0.0.1:1", Port: 1}, {Address: "0.0.0.0:2", Port: 2, TLS: true, Profile: 2}}
}

func TestStationsBelowWhatAListenerGives(t *testing.T) {
	p := newPlant(t, func(o *Options) { o.System, o.Onboarding = played{}, "approve" })
	p.site("a")
	boss := p.script(store.RoleAdmin)
	for id, auth := range map[string]string{
		"S0": `{}`, "S1": `{"profile":1,"generate":true}`, "S2": `{"profile":2,"generate":true}`, "S3": `{"profile":3,"certSubject":"x"}`,
	} {
		boss.want(http.StatusCreated, "POST", "/stations", `{"id":"`+id+`","siteId":"a","auth":`+auth+`}`, nil)
	}
	p.connect("S1", "ocpp1.6")
	var ocpp OCPPShape
	boss.get("/system/ocpp", &ocpp)
	if ocpp.Strongest != 2 || len(ocpp.Listeners) != 2 || ocpp.Onboarding != "approve" {
		t.Errorf("%+v", ocpp)
	}
	var all Items[SecurityShape]
	boss.get("/system/station-security", &all)
	if len(all.Items) != 4 {
		t.Fatalf("%+v", all)
	}
	for i, weak := range []bool{true, true, false, false} {
		if x := all.Items[i]; x.Weak != weak || x.HasPassword != (i == 1 || i == 2) || (x.Used != nil) != (i == 1) || x.Profile != i {
			t.Errorf("%+v", x)
		}
	}
	boss.get("/system/station-security?limit=3", &all)
	boss.get("/system/station-security?limit=3&cursor="+all.NextCursor, &all)
	if len(all.Items) != 1 || all.Items[0].Station != "S3" {
		t.Errorf("the second page: %+v", all)
	}
}

func TestSettingsAreForAdministrators(t *testing.T) {
	p := newPlant(t, func(o *Options) { o.System = played{} })
	var all struct{ Items []Setting }
	p.script(store.RoleAdmin).get("/system/configuration", &all)
	if len(all.Items) != 1 || all.Items[0] != (played{}).Settings()[0] {
		t.Errorf("%+v", all)
	}
	for _, role := range []store.Role{store.RoleOperator, store.RoleSecurity, store.RoleViewer} {
		if status, _ := p.script(role).do("GET", "/system/configuration", ""); status != http.StatusForbidden {
			t.Errorf("%s: %d", role, status)
		}
	}
}

func TestOnesOwnSessions(t *testing.T) {
	p := newPlant(t)
	boss, other := p.admin(), p.browser()
	var me Me
	boss.get("/me", &me)
	other.header = http.Header{"User-Agent": {"Mozilla/5.0 test"}}
	other.want(http.StatusNoContent, "POST", "/signin", `{"name":"admin","password":"correct horse"}`, nil)
	var mine Items[SignInShape]
	boss.get("/me/sessions", &mine)
	current := 0
	agents := map[string]bool{}
	for _, x := range mine.Items {
		agents[x.Agent] = true
		if x.Current {
			current++
		}
	}
	if len(mine.Items) < 2 || current != 1 || !agents["Mozilla/5.0 test"] {
		t.Errorf("%+v", mine)
	}
	var people Items[UserShape]
	boss.get("/users", &people)
	if people.Items[0].SignedInAt == nil || people.Items[0].Sessions != len(mine.Items) {
		t.Errorf("%+v", people)
	}
	var ended struct{ Ended int }
	boss.want(http.StatusOK, "DELETE", "/me/sessions", "", &ended)
	if ended.Ended != len(mine.Items)-1 {
		t.Errorf("ended %d of %d", ended.Ended, len(mine.Items))
	}
	if status, _ := other.do("GET", "/me", ""); status != http.StatusUnauthorized {
		t.Errorf("the other browser: %d", status)
	}
	boss.get("/me/sessions", &mine)
	if len(mine.Items) != 1 || !mine.Items[0].Current {
		t.Errorf("left: %+v", mine)
	}
	p.script(store.RoleAdmin).get("/me/sessions", &mine)
	if len(mine.Items) != 0 {
		t.Errorf("a token is not signed in: %+v", mine)
	}
}

func (played) Storage(context.Context) (Storage, error) {
	return Storage{Classes: []StorageClass{{Class: "frames", Bytes: 7}}, Disk: StorageDisk{FreeBytes: 9, Stage: "fine"}}, nil
}

// watched is a server that is well enough.
type watched struct{ *vitals.Monitor }

func (watched) Diagnostics(context.Context) ([]DiagnosticFile, error) {
	return []DiagnosticFile{{Name: "log.txt", Data: []byte("a line\n")}}, nil
}

func TestHealthAndStorageAreForThoseWhoRunIt(t *testing.T) {
	m := watched{vitals.New(vitals.Options{Look: func() vitals.Counters { return vitals.Counters{Ready: true, DiskStage: 1} }})}
	p := newPlant(t, func(o *Options) { o.System, o.Vitals = played{}, m })
	for _, role := range []store.Role{store.RoleAdmin, store.RoleOperator} {
		c := p.script(role)
		var h HealthShape
		c.get("/system/health", &h)
		if h.State != vitals.Degraded || h.Build != "test" || len(h.Verdicts) < 8 || h.BackupAt != nil || len(h.Unobserved) != 0 || h.ObservedFrom == nil {
			t.Errorf("%s: %+v", role, h)
		}
		var past Items[vitals.Reading]
		c.get("/system/health/history", &past)
		if len(past.Items) == 0 || past.Items[0].At.IsZero() {
			t.Errorf("%s: %+v", role, past)
		}
		var held Storage
		c.get("/system/storage", &held)
		if len(held.Classes) != 1 || held.Disk.FreeBytes != 9 {
			t.Errorf("%s: %+v", role, held)
		}
	}
	for _, path := range []string{"/system/health", "/system/health/history", "/system/storage", "/system/diagnostics"} {
		if status, _ := p.script(store.RoleViewer).do("GET", path, ""); status != http.StatusForbidden {
			t.Errorf("%s for a viewer: %d", path, status)
		}
	}
	if status, _ := p.script(store.RoleOperator).do("GET", "/system/diagnostics", ""); status != http.StatusForbidden {
		t.Errorf("diagnostics for an operator: %d", status)
	}
	status, body := p.script(store.RoleAdmin).do("GET", "/system/diagnostics", "")
	z, err := zip.NewReader(strings.NewReader(body), int64(len(body)))
	if err != nil || status != http.StatusOK {
		t.Fatal(status, err)
	}
	have := make(map[string]bool)
	for _, f := range z.File {
		have[f.Name] = true
	}
	for _, name := range []string{"health.json", "history.json", "configuration.json", "ocpp.json", "storage.json", "log.txt"} {
		if !have[name] {
			t.Errorf("the bundle lacks %s: %v", name, have)
		}
	}
	var log Items[AuditShape]
	p.script(store.RoleAdmin).get("/audit", &log)
	if !slices.ContainsFunc(log.Items, func(a AuditShape) bool { return a.Action == "system.diagnostics" }) {
		t.Error("nobody knows who took the bundle")
	}
	bare := newPlant(t)
	for _, path := range []string{"/system/health", "/system/storage", "/system/diagnostics", "/system/configuration"} {
		if status, _ := bare.script(store.RoleAdmin).do("GET", path, ""); status != http.StatusNotImplemented {
			t.Errorf("%s of a server without: %d", path, status)
		}
	}
}

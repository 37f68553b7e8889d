package web

import (
	"net/http"
	"testing"

	"github.com/chargewatch/chargewatch/internal/store"
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

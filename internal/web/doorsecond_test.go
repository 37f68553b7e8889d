package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/store"
)

// A door that wants two people wants them from afar too: who asks does not agree, nor does
// a script of theirs, and what nobody agreed to in time is over.
func TestADoorIsOpenedFromAfarByTwoPeople(t *testing.T) {
	driver := &gate{}
	now := time.Now()
	p := newPlant(t, func(o *Options) { o.Doors, o.Now = driver, func() time.Time { return now } })
	p.site("yard")
	boss := p.admin()
	_, second := p.person("Bea", store.RoleSecurity, store.AllSites)
	_, viewer := p.person("Vic", store.RoleViewer, store.AllSites)
	var c ControllerShape
	boss.want(http.StatusCreated, "POST", "/controllers", `{"siteId":"yard","driver":"uhppote","address":"192.168.7.4:60000","serial":405419896}`, &c)
	var door DoorShape
	boss.want(http.StatusCreated, "POST", "/doors", `{"siteId":"yard","label":"Vault","kind":"door","controller":"`+c.ID+`","number":1,"twoPerson":true}`, &door)
	at := "/doors/" + door.ID
	ask := func() string {
		t.Helper()
		var asked DoorShape
		boss.want(http.StatusOK, "POST", at+"/unlock", `{"reason":"audit of the vault","seconds":5}`, &asked)
		if asked.Request == nil || !asked.Waits || asked.Request.Reason != "audit of the vault" || len(driver.told) != 0 {
			t.Fatalf("it does not wait: %+v, %q", asked, driver.told)
		}
		return `{"request":"` + asked.Request.ID + `"}`
	}
	first := ask()
	var seen DoorShape
	if viewer.want(http.StatusOK, "GET", at, "", &seen); seen.Request != nil || !seen.Waits {
		t.Errorf("a viewer sees %+v", seen)
	}
	request := ask()
	for name, x := range map[string]struct {
		who  *caller
		body string
		want int
	}{
		"whoever asked":                       {boss, request, http.StatusForbidden},
		"somebody who may not open":           {viewer, request, http.StatusForbidden},
		"to a wish that a newer one replaced": {second, first, http.StatusConflict},
		"to nothing":                          {second, `{}`, http.StatusUnprocessableEntity},
	} {
		if got, text := x.who.do("POST", at+"/unlock/accept", x.body); got != x.want {
			t.Errorf("agreed %s: %d %s", name, got, text)
		}
	}
	if len(driver.told) != 0 {
		t.Fatalf("it opened: %q", driver.told)
	}
	second.want(http.StatusOK, "POST", at+"/unlock/accept", request, &seen)
	if got := strings.Join(driver.told, ", "); got != door.ID+" unlock 5s" || seen.Request != nil || seen.Waits {
		t.Errorf("%q, %+v", got, seen)
	}
	second.want(http.StatusConflict, "POST", at+"/unlock/accept", request, nil)
	driver.told = nil
	declined := ask()
	second.want(http.StatusOK, "POST", at+"/unlock/decline", declined, nil)
	second.want(http.StatusConflict, "POST", at+"/unlock/accept", declined, nil)
	late := ask()
	now = now.Add(doorAskFor)
	second.want(http.StatusConflict, "POST", at+"/unlock/accept", late, nil)
	if len(driver.told) != 0 {
		t.Errorf("it opened: %q", driver.told)
	}
	boss.want(http.StatusOK, "POST", at+"/lockdown", `{"reason":"one is enough to lock"}`, nil)
	var log struct{ Items []AuditShape }
	boss.want(http.StatusOK, "GET", "/audit", "", &log)
	var acts []string
	for _, e := range log.Items {
		if e.Subject == "door/"+door.ID {
			acts = append(acts, strings.TrimPrefix(e.Action, "door."))
			if e.Action == "door.unlock" && !strings.Contains(string(e.Detail), `"approvedBy":"u-`) {
				t.Errorf("who agreed is not known: %s", e.Detail)
			}
		}
	}
	if got := strings.Join(acts, " "); got != "lockdown unlockAsked unlockDeclined unlockAsked unlock unlockAsked unlockAsked create" {
		t.Error(got)
	}
}

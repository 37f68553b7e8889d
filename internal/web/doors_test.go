package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

// gate is a driver of doors that notes what it was told.
type gate struct {
	told []string
	err  error
}

func (g *gate) DoorStatus(string) (DoorStatus, bool) {
	return DoorStatus{State: event.DoorLocked, Since: time.Unix(1, 0), WhenOffline: "list"}, true
}

func (g *gate) Unlock(_ context.Context, door string, d time.Duration) error {
	g.told = append(g.told, door+" unlock "+d.String())
	return g.err
}

func (g *gate) Lockdown(_ context.Context, door string) error {
	g.told = append(g.told, door+" lockdown")
	return g.err
}

func (g *gate) Release(_ context.Context, door string) error {
	g.told = append(g.told, door+" release")
	return g.err
}

func TestDoorsAreOpenedByWhoMayWithAReason(t *testing.T) {
	driver := &gate{}
	p := newPlant(t, func(o *Options) { o.Doors = driver })
	p.site("yard")
	boss := p.admin()
	var c ControllerShape
	boss.want(http.StatusCreated, "POST", "/controllers", `{"siteId":"yard","driver":"uhppote","address":"192.168.7.4:60000","serial":405419896}`, &c)
	boss.want(http.StatusUnprocessableEntity, "POST", "/controllers", `{"siteId":"yard","driver":"uhppote","address":"192.168.7.5:60000","serial":405419896}`, nil)
	boss.want(http.StatusUnprocessableEntity, "POST", "/controllers", `{"siteId":"yard","driver":"uhppote","address":"nowhere","serial":7}`, nil)
	var door DoorShape
	boss.want(http.StatusCreated, "POST", "/doors", `{"siteId":"yard","label":"Gate","kind":"gate","controller":"`+c.ID+`","number":1}`, &door)
	if door.State != "locked" || door.WhenOffline != "list" || door.Address != c.Address || door.HeldAfter != 60 {
		t.Errorf("%+v", door)
	}
	boss.want(http.StatusUnprocessableEntity, "POST", "/doors", `{"siteId":"yard","kind":"cabinet","controller":"`+c.ID+`","number":1}`, nil)
	boss.want(http.StatusUnprocessableEntity, "POST", "/doors", `{"siteId":"yard","kind":"evse"}`, nil)
	boss.want(http.StatusUnprocessableEntity, "POST", "/doors", `{"siteId":"yard","kind":"door","cameraId":"none"}`, nil)
	at := "/doors/" + door.ID

	guard := p.script(store.RoleSecurity)
	if got, _ := guard.do("POST", at+"/unlock", `{"reason":"delivery"}`); got != http.StatusForbidden {
		t.Errorf("a token opens: %d", got) // it has no password to give again
	}
	boss.want(http.StatusUnprocessableEntity, "POST", at+"/unlock", `{}`, nil)
	boss.want(http.StatusOK, "POST", at+"/unlock", `{"reason":"delivery","seconds":5}`, nil)
	boss.want(http.StatusOK, "POST", at+"/lockdown", `{"reason":"intruder"}`, nil)
	driver.err = ErrDoorUnreachable
	boss.want(http.StatusBadGateway, "POST", at+"/release", `{"reason":"all clear"}`, nil)
	if got := strings.Join(driver.told, ", "); got != door.ID+" unlock 5s, "+door.ID+" lockdown, "+door.ID+" release" {
		t.Error(got)
	}
	var events struct{ Items []EventShape }
	boss.want(http.StatusOK, "GET", "/events?kind=door.command", "", &events)
	if len(events.Items) != 3 {
		t.Errorf("%+v", events.Items)
	}
	var log struct {
		Items []struct{ Action, Subject string }
	}
	boss.want(http.StatusOK, "GET", "/audit", "", &log)
	seen := 0
	for _, e := range log.Items {
		if e.Subject == "door/"+door.ID && e.Action != "door.create" {
			seen++
		}
	}
	if seen != 3 {
		t.Errorf("%d in the audit log: %+v", seen, log.Items)
	}
	boss.want(http.StatusConflict, "DELETE", "/controllers/"+c.ID, "", nil)
	boss.want(http.StatusConflict, "DELETE", "/sites/yard", "", nil)
	var row struct{ ID string }
	boss.want(http.StatusCreated, "POST", "/policies", `{"name":"Gate","to":[{"anyone":true}],"places":["door/`+door.ID+`"]}`, &row)
	boss.want(http.StatusConflict, "DELETE", at, "", nil)
	var card CredentialShape
	boss.want(http.StatusCreated, "POST", "/credentials", `{"idToken":"6154410"}`, &card)
	var d AccessDecisionShape
	boss.want(http.StatusOK, "POST", "/access/check", `{"credential":"`+card.ID+`","place":"door/`+door.ID+`"}`, &d)
	if d.Decision != "allow" || d.PolicyName != "Gate" {
		t.Errorf("%+v", d)
	}
	boss.want(http.StatusOK, "POST", "/access/check", `{"credential":"`+card.ID+`","place":"door/nowhere"}`, &d)
	if d.Decision != "deny" {
		t.Errorf("an unknown door: %+v", d)
	}
	boss.want(http.StatusNoContent, "DELETE", "/policies/"+row.ID, "", nil)
	boss.want(http.StatusNoContent, "DELETE", at, "", nil)
	boss.want(http.StatusNoContent, "DELETE", "/controllers/"+c.ID, "", nil)
}

func TestWhoWasAtTheDoorIsToldToThoseWhoMaySeePeople(t *testing.T) {
	p := newPlant(t, func(o *Options) { o.Doors = &gate{} })
	p.site("yard")
	boss := p.admin()
	var person PersonShape
	boss.want(http.StatusCreated, "POST", "/people", `{"name":"Ada Lock"}`, &person)
	var door DoorShape
	boss.want(http.StatusCreated, "POST", "/doors", `{"siteId":"yard","kind":"door"}`, &door)
	p.say(event.Door(door.ID), &event.Access{SiteID: "yard", PersonID: person.ID, Allowed: true, DecidedBy: "controller", Method: "card", Differs: true, Why: "denied: Sunday"})
	p.say(event.Door(door.ID), &event.Access{SiteID: "yard", DecidedBy: "controller", Method: "card", Code: "unknown"})
	var log struct{ Items []AccessEventShape }
	p.script(store.RoleSecurity).want(http.StatusOK, "GET", "/access/events", "", &log)
	if len(log.Items) != 2 || log.Items[1].Name != "Ada Lock" || log.Items[1].Agrees || log.Items[0].Decision != "deny" {
		t.Errorf("%+v", log.Items)
	}
	p.script(store.RoleSecurity).want(http.StatusOK, "GET", "/access/events?person="+person.ID, "", &log)
	if len(log.Items) != 1 {
		t.Errorf("of one person: %+v", log.Items)
	}
	viewer := p.script(store.RoleViewer)
	viewer.want(http.StatusForbidden, "GET", "/access/events", "", nil)
	if _, text := viewer.do("GET", "/events?kind=access", ""); strings.Contains(text, person.ID) {
		t.Error("a viewer reads who was there: " + text)
	}
}

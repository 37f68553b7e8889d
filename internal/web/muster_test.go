package web

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

// sayAt puts an event into the journal that is heard of now and happened before.
func (p *plant) sayAt(subject event.Subject, at time.Time, body event.Body) {
	p.t.Helper()
	if _, err := p.log.Append(p.t.Context(), &event.Event{
		Subject: subject, At: at, DeviceAt: at, ReceivedAt: time.Now().UTC(), Quality: event.TimeDevice, Body: body,
	}); err != nil {
		p.t.Fatal(err)
	}
}

func TestTheMusterListIsWhoWentInAndWasNotSeenToLeave(t *testing.T) {
	p := newPlant(t)
	p.site("yard")
	p.site("depot")
	boss := p.admin()
	people := make(map[string]string)
	for _, name := range []string{"Ada", "Bo", "Cleo", "Dan", "Eve"} {
		var x PersonShape
		boss.want(http.StatusCreated, "POST", "/people", `{"name":"`+name+`"}`, &x)
		people[name] = x.ID
	}
	var gate, hall DoorShape
	boss.want(http.StatusCreated, "POST", "/doors", `{"siteId":"yard","kind":"gate"}`, &gate)
	boss.want(http.StatusCreated, "POST", "/doors", `{"siteId":"depot","kind":"door"}`, &hall)
	now := time.Now().UTC()
	pass := func(door DoorShape, name string, before time.Duration, allowed, out bool) {
		p.sayAt(event.Door(door.ID), now.Add(-before), &event.Access{
			SiteID: door.SiteID, PersonID: people[name], Allowed: allowed, Out: out, DecidedBy: "controller", Method: "card",
		})
	}
	pass(gate, "Ada", 2*time.Hour, true, false)
	pass(gate, "Bo", 3*time.Hour, true, false)
	pass(gate, "Bo", time.Hour, true, true)
	pass(gate, "Cleo", time.Hour, true, true)
	pass(gate, "Cleo", 2*time.Hour, true, false) // told late: she left after that
	pass(gate, "Dan", time.Hour, false, false)   // was not let in
	pass(gate, "Eve", 30*time.Hour, true, false) // longer ago than badges say anything
	pass(hall, "Bo", 30*time.Minute, true, false)
	p.sayAt(event.Door(hall.ID), now, &event.Access{SiteID: "depot", Allowed: true, DecidedBy: "person", Method: "remote"})

	var m MusterShape
	p.script(store.RoleSecurity).want(http.StatusOK, "GET", "/access/muster", "", &m)
	var names []string
	for _, x := range m.Items {
		names = append(names, x.SiteID+" "+x.Name)
	}
	if want := []string{"depot Bo", "yard Ada"}; !slices.Equal(names, want) {
		t.Errorf("inside: %v, not %v", names, want)
	}
	if want := []MusterSiteShape{{SiteID: "depot", Inside: 1}, {SiteID: "yard", Inside: 1, Exits: true}}; !slices.Equal(m.Sites, want) || !m.Whole {
		t.Errorf("sites: %+v", m.Sites)
	}
	boss.want(http.StatusOK, "GET", "/access/muster?site=yard", "", &m)
	if len(m.Items) != 1 || m.Items[0].Name != "Ada" || m.Items[0].DoorID != gate.ID || len(m.Sites) != 1 {
		t.Errorf("of one site: %+v", m)
	}
	p.script(store.RoleViewer).want(http.StatusForbidden, "GET", "/access/muster", "", nil)
}

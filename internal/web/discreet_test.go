package web

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Every route that these roles may read, with a case of duress that everything at the site
// is tied to: a work order, a clip, a hand-over.
func TestDuressIsInNoAnswerToThoseWhoMayNotSeePeople(t *testing.T) {
	n := newTwo(t)
	door := event.Door("door-" + own)
	n.say(door, &event.DoorAlarm{SiteID: own, Alarm: event.AlarmDuress, Active: true})
	n.say(door, &event.Finding{Code: incident.CodeDuress, Severity: event.S1, Safety: true, Text: "Somebody is being threatened at the gate"})
	var id string
	for id == "" {
		for _, in := range n.live.Open() {
			if in.Discreet() {
				id = in.ID
			}
		}
	}
	w, err := n.store.CreateWorkOrder(t.Context(), store.System, store.WorkOrder{SiteID: own, Station: "S-" + own, Title: "See who is there", Severity: event.S1, IncidentID: id})
	if err != nil {
		t.Fatal(err)
	}
	n.script(store.RoleSecurity, own).want(http.StatusOK, "GET", "/incidents/"+id, "", nil)
	walked := 0
	for _, role := range []store.Role{store.RoleViewer, store.RoleHost, store.RoleTechnician} {
		c := n.script(role, own)
		for _, r := range n.Routes() {
			if r.Method != http.MethodGet || !slices.Contains(permissionsOf(role), r.Need.permission) || strings.Contains(r.Path, "/live") || r.Need.kind == needGlobal ||
				strings.HasSuffix(r.Path, "/openapi.json") || strings.HasSuffix(r.Path, "/procedures") { // what is to be done in any such case
				continue
			}
			n.incident[own] = id
			paths := []string{n.path(r, own)}
			if strings.Contains(r.Path, "/workorders/{id}") {
				paths = append(paths, strings.Replace(r.Path, "{id}", w.ID, 1))
			}
			for _, path := range paths {
				walked++
				if _, text := c.do(r.Method, path, ""); strings.Contains(strings.ToLower(text), "duress") || strings.Contains(text, "threatened") {
					t.Errorf("%s is told by %s: %s", role, path, text)
				}
			}
		}
	}
	if walked < 100 {
		t.Errorf("%d answers were looked at", walked)
	}
}

// Whoever threatens somebody at a door may look at their telephone, or at the host's
// screen: only those who see people hear of it.
func TestWhoIsThreatenedIsToldToThoseWhoMaySeePeople(t *testing.T) {
	n := newTwo(t)
	door := event.Door("door-" + own)
	watching := n.script(store.RoleSecurity, own).live("incidents")
	outside := n.script(store.RoleViewer, own).live("incidents", "events", "doors", "summary")
	n.say(door, &event.DoorAlarm{SiteID: own, Alarm: event.AlarmDuress, Active: true})
	n.say(event.Station("S-"+own), &event.Finding{Code: incident.CodeDuress, Severity: event.S1, Safety: true, Text: "Duress at the gate"})
	var id string
	watching.until(func(m message) bool {
		var in incident.Incident
		if m.Type == "incident" && strings.Contains(string(m.Data), incident.CodeDuress) {
			if err := json.Unmarshal(m.Data, &in); err != nil {
				t.Fatal(err)
			}
			id = in.ID
		}
		return id != ""
	})
	for _, c := range []struct {
		role store.Role
		sees bool
	}{{store.RoleSecurity, true}, {store.RoleOperator, true}, {store.RoleAdmin, true}, {store.RoleViewer, false}, {store.RoleHost, false}, {store.RoleTechnician, false}} {
		who := n.script(c.role, own)
		var summary Summary
		who.want(http.StatusOK, "GET", "/summary", "", &summary)
		if told := summary.Incidents.BySeverity["S1"] == 1; told != c.sees {
			t.Errorf("%s: the summary counts it: %v", c.role, told)
		}
		for _, path := range []string{"/incidents", "/events?subject=" + door.String(), "/events?kind=finding,incident", "/incidents/figures"} {
			status, text := who.do("GET", base+path, "")
			if told := strings.Contains(strings.ToLower(text), "duress"); status != http.StatusOK || told != c.sees {
				t.Errorf("%s at %s: %d, told: %v", c.role, path, status, told)
			}
		}
		want := http.StatusNotFound
		if c.sees {
			want = http.StatusOK
		}
		who.want(want, "GET", "/incidents/"+id, "", nil)
	}
	n.script(store.RoleAdmin).want(http.StatusOK, "POST", "/incidents/"+n.incident[own]+"/note", `{"note":"after it"}`, nil)
	outside.until(func(m message) bool {
		if strings.Contains(strings.ToLower(string(m.Data)), "duress") {
			t.Fatalf("a viewer is told: %s", m.Data)
		}
		return m.Type == "incident" && strings.Contains(string(m.Data), n.incident[own])
	})
}

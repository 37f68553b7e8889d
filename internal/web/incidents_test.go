package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/store"
)

// incidentAt makes the detectors find something at a station and returns the
// incident.
func (p *plant) incidentAt(station string) string {
	p.t.Helper()
	now := time.Now()
	r, err := p.log.Append(p.t.Context(), &event.Event{
		Subject: event.Station(station), At: now, ReceivedAt: now, Origin: event.FromUs,
		Body: &event.Finding{Code: "twoDevices", Severity: event.S2, Text: "Two devices use the identity " + station},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.live.Reached(p.t.Context(), r.Seq); err != nil {
		p.t.Fatal(err)
	}
	list, _, err := p.live.Incidents(p.t.Context(), incident.Query{Subject: "station/" + station, Limit: 1})
	if err != nil || len(list) != 1 {
		p.t.Fatalf("%d incidents at %s, %v", len(list), station, err)
	}
	return list[0].ID
}

func TestAnIncidentFromFindingToItsEnd(t *testing.T) {
	n := newTwo(t)
	operator, technician, viewer := n.script(store.RoleOperator), n.script(store.RoleTechnician), n.script(store.RoleViewer)
	id := n.incident[own]
	var got IncidentDetail
	viewer.want(http.StatusOK, "GET", "/incidents/"+id, "", &got)
	if got.State != incident.Open || got.SiteID != own || got.Severity != event.S2 || len(got.Log) == 0 || len(got.Findings) != 1 {
		t.Fatalf("found: %+v", got)
	}
	viewer.want(http.StatusForbidden, "POST", "/incidents/"+id+"/acknowledge", `{}`, nil)
	technician.want(http.StatusOK, "POST", "/incidents/"+id+"/claim", `{}`, &got)
	if got.ClaimedBy == nil || got.People == nil {
		t.Errorf("claimed: %+v", got)
	}
	if status, text := operator.do("POST", base+"/incidents/"+id+"/claim", `{}`); status != http.StatusUnprocessableEntity || !strings.Contains(text, `"body.reason"`) {
		t.Errorf("claimed by another: %d %s", status, text)
	}
	if status, text := operator.do("POST", base+"/incidents/"+id+"/snooze", `{"reason":"x"}`); status != http.StatusUnprocessableEntity || !strings.Contains(text, `"body.until"`) {
		t.Errorf("snoozed without end: %d %s", status, text)
	}
	operator.want(http.StatusConflict, "POST", "/incidents/"+id+"/reopen", `{}`, nil)
	operator.want(http.StatusOK, "POST", "/incidents/"+id+"/acknowledge", `{"note":"on my way"}`, &got)
	if got.State != incident.Acknowledged || got.Log[0].Note != "on my way" && got.Log[1].Note != "on my way" {
		t.Errorf("acknowledged: %s, %+v", got.State, got.Log[0])
	}
	got = IncidentDetail{}
	viewer.want(http.StatusOK, "GET", "/incidents/"+id, "", &got)
	for _, line := range got.Log {
		if line.Note != "" || line.By != "" {
			t.Errorf("a viewer reads what staff wrote: %+v", line)
		}
	}
	if got.ClaimedBy != nil || got.AcknowledgedBy != nil {
		t.Errorf("a viewer sees people: %+v", got)
	}
	for body, field := range map[string]string{
		`{"into":"` + n.incident[foreign] + `x"}`: "body.into",
		`{"unknown":1}`: "body",
	} {
		if status, text := operator.do("POST", base+"/incidents/"+id+"/merge", body); status != http.StatusUnprocessableEntity || !strings.Contains(text, field) {
			t.Errorf("%s: %d %s", body, status, text)
		}
	}
	if status, text := operator.do("POST", base+"/incidents/"+id+"/assign", `{"assignee":"nobody"}`); status != http.StatusUnprocessableEntity || !strings.Contains(text, "body.assignee") {
		t.Errorf("assigned to nobody: %d %s", status, text)
	}
	operator.want(http.StatusOK, "POST", "/incidents/"+id+"/close", `{"reason":"replaced","note":"new device"}`, &got)
	if got.State != incident.Closed {
		t.Errorf("closed: %s", got.State)
	}
	var list Items[IncidentShape]
	operator.want(http.StatusOK, "GET", "/incidents?state=active", "", &list)
	for _, in := range list.Items {
		if in.ID == id {
			t.Error("a closed incident is among the active ones")
		}
	}
	var summary Summary
	operator.want(http.StatusOK, "GET", "/summary", "", &summary)
	if summary.Incidents.Open != 1 || summary.Incidents.BySeverity["S2"] != 1 {
		t.Errorf("summary: %+v", summary.Incidents)
	}
}

// Changes come at once, and none of a site that one may not see.
func TestTheFeedTellsIncidentsAtOnce(t *testing.T) {
	n := newTwo(t)
	feed := n.script(store.RoleOperator, own).live("incidents")
	for _, site := range []string{foreign, own} {
		n.script(store.RoleAdmin).want(http.StatusOK, "POST", "/incidents/"+n.incident[site]+"/note", `{"note":"seen at `+site+`"}`, nil)
	}
	feed.until(func(m message) bool {
		if strings.Contains(string(m.Data), foreign) {
			t.Fatalf("told of a foreign site: %s", m.Data)
		}
		return m.Type == "incident" && strings.Contains(string(m.Data), n.incident[own])
	})
}

package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/knowledge"
	"github.com/chargewatch/chargewatch/internal/store"
)

// charge is a session of some energy that began at a time.
func (p *plant) charge(station string, began time.Time, wh float64) string {
	p.t.Helper()
	tell := func(at time.Time, body event.Body) {
		if _, err := p.log.Append(p.t.Context(), &event.Event{
			Subject: event.Port(station, 1, 1), At: at, DeviceAt: at, ReceivedAt: time.Now(), Quality: event.TimeDevice, Body: body,
		}); err != nil {
			p.t.Fatal(err)
		}
	}
	zero, tx := 0.0, fmt.Sprintf("tx-%d-%v", began.UnixNano(), wh)
	tell(began, &event.Transaction{Stage: event.TransactionStarted, TransactionID: tx, MeterWh: &zero})
	tell(began.Add(time.Millisecond), &event.Transaction{Stage: event.TransactionEnded, TransactionID: tx, MeterWh: &wh})
	found, _, err := p.log.Sessions(p.t.Context(), journal.SessionQuery{Station: station, Transaction: tx, Limit: 10})
	if err != nil || len(found) != 1 || found[0].EnergyWh != wh {
		p.t.Fatalf("sessions %+v, %v", found, err)
	}
	return found[0].ID
}

func TestAWorkOrderFromIncidentToTestCharge(t *testing.T) {
	n := newTwo(t)
	operator := n.script(store.RoleOperator, own)
	tess, tech := n.person("Tess", store.RoleTechnician, own)
	techID := tess.ID
	station, incidentID := "S-own", n.free(own)
	var w WorkOrderDetail
	operator.want(http.StatusCreated, "POST", "/workorders", `{"incidentId":"`+incidentID+`","assignee":"`+techID+`","checklist":["Look at it"]}`, &w)
	if w.Station != station || w.SiteID != own || w.State != store.OrderAssigned || w.Severity != event.S2 || w.DueAt == nil || w.Title == "" || len(w.Checklist) == 0 {
		t.Fatalf("from an incident: %+v", w)
	}
	if w.AssigneeName != "Tess" {
		t.Errorf("assigned to %q", w.AssigneeName)
	}
	status, text := operator.do("POST", "/workorders", `{"incidentId":"`+incidentID+`"}`)
	if status != http.StatusConflict || !strings.Contains(text, w.ID) || !strings.Contains(text, fmt.Sprintf("work order %d", w.Number)) {
		t.Errorf("a second one: %d %s", status, text)
	}
	path := "/workorders/" + w.ID
	var mine Items[WorkOrderShape]
	tech.get("/workorders?assignee=me&state=active", &mine)
	if len(mine.Items) != 1 || !mine.Items[0].Mine {
		t.Errorf("of the technician: %+v", mine.Items)
	}
	tech.want(http.StatusOK, "POST", path+"/start", `{}`, &w)
	tech.want(http.StatusOK, "POST", path+"/arrive", `{}`, &w)
	if w.State != store.OrderOnSite || w.OnSiteSince == nil || len(w.Permit) == 0 {
		t.Errorf("on site: %+v", w)
	}
	var in IncidentDetail
	n.eventually(func() bool {
		tech.get("/incidents/"+incidentID, &in)
		return in.Response == "onSite"
	}, "the incident does not know that somebody is there")
	check := fmt.Sprintf(`{"revision":%d,"checklist":[{"text":%q,"done":true},{"text":"Swept the floor"}],"parts":[{"name":"Fuse","quantity":2}],"timeMinutes":15,"note":"a note"}`, w.Revision, w.Checklist[0].Text)
	tech.want(http.StatusOK, "PATCH", path, check, &w)
	if len(w.Checklist) != 2 || w.Checklist[0].By != techID || w.Checklist[0].At == nil || w.ChecksDone != 1 || w.Parts[0].Quantity != 2 || w.TimeMinutes != 15 || w.Notes[0].Text != "a note" {
		t.Errorf("worked on: %+v", w)
	}
	tech.want(http.StatusConflict, "PATCH", path, check, nil) // made on what stood before

	n.say(event.Port(station, 1, 1), &event.Transaction{Stage: event.TransactionEnded, TransactionID: n.transaction(station)})
	n.charge(station, time.Now().Add(-24*time.Hour), 9000) // before the order
	small := n.charge(station, time.Now(), 499)
	for name, body := range map[string]string{
		"without a proof":        `{}`,
		"before any charge":      `{"proof":"testCharge"}`,
		"by a charge too small":  `{"proof":"testCharge","sessionId":"` + small + `"}`,
		"by a word without one":  `{"proof":"override"}`,
		"by what is not a proof": `{"proof":"trust"}`,
	} {
		if status, text := tech.do("POST", path+"/done", body); status != http.StatusUnprocessableEntity {
			t.Errorf("closed %s: %d %s", name, status, text)
		}
	}
	proof := n.charge(station, time.Now(), 500)
	tech.get(path, &w)
	if len(w.TestCharges) != 1 || w.TestCharges[0].SessionID != proof || w.TestCharges[0].EnergyWh != 500 {
		t.Errorf("offered: %+v", w.TestCharges)
	}
	tech.want(http.StatusOK, "POST", path+"/done", `{"proof":"testCharge"}`, &w)
	if w.State != store.OrderDone || w.Proof == nil || w.Proof.SessionID != proof || w.Proof.By != techID || w.ClosedAt == nil || w.OnSiteSince != nil {
		t.Errorf("closed: %+v", w)
	}
	tech.want(http.StatusConflict, "PATCH", path, `{"title":"x"}`, nil)
	tech.want(http.StatusConflict, "POST", path+"/done", `{"proof":"override","reason":"x"}`, nil)
	operator.want(http.StatusCreated, "POST", "/workorders", `{"incidentId":"`+incidentID+`","language":"de"}`, &w)
	operator.want(http.StatusConflict, "POST", path+"/reopen", `{}`, nil)
	operator.want(http.StatusUnprocessableEntity, "POST", "/workorders/"+w.ID+"/cancel", `{}`, nil)
	operator.want(http.StatusOK, "POST", "/workorders/"+w.ID+"/cancel", `{"reason":"twice"}`, nil)
	w = WorkOrderDetail{}
	operator.want(http.StatusOK, "POST", path+"/reopen", `{}`, &w)
	if w.State != store.OrderAssigned || w.Proof != nil || w.ClosedAt != nil {
		t.Errorf("reopened: %+v", w)
	}
	operator.want(http.StatusOK, "POST", path+"/done", `{"proof":"override","reason":"the site is switched off"}`, &w)
	if w.Proof == nil || w.Proof.Kind != "override" || w.Proof.Reason == "" {
		t.Errorf("by a word: %+v", w.Proof)
	}
	n.eventually(func() bool {
		entries, err := n.store.Audit(t.Context(), 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.Action == "workorder.done" && strings.Contains(string(e.Detail), proof) && e.Actor == store.Actor(techID) {
				return true
			}
		}
		return false
	}, "the test charge is not in the audit log")
}

// free takes an incident's order away.
func (n *two) free(site string) string {
	n.t.Helper()
	n.script(store.RoleAdmin).want(http.StatusOK, "POST", "/workorders/"+n.order[site]+"/cancel", `{"reason":"for a test"}`, nil)
	return n.incident[site]
}

func TestTheChecklistComesFromWhatIsKnownAboutTheCodes(t *testing.T) {
	n := newTwo(t)
	ground := &incident.Incident{Kind: "fault", Station: "S-own", Findings: []incident.Found{{Code: "fault", Detector: "D03"}, {Code: "groundTrend", Detector: "D16"}}, Evidence: []incident.Evidence{
		{Fact: event.Fact{Name: "errorCode", Text: "GroundFailure"}},
	}}
	byCode, ok := n.o.Knowledge.Explain(knowledge.Query{Protocol: "ocpp1.6", Code: "GroundFailure"})
	byFinding, _ := n.o.Knowledge.Explain(knowledge.Query{Protocol: "ocpp1.6", Finding: "groundTrend", Detector: "D16"})
	if !ok || len(byCode.Checks) == 0 {
		t.Fatal("nothing known about a ground failure")
	}
	for language, want := range map[string]string{"": byCode.Checks[0].EN, "en": byCode.Checks[0].EN, "de": byCode.Checks[0].DE} {
		got := n.checksFor(ground, language)
		if len(got) < len(byCode.Checks) || got[0].Text != want {
			t.Errorf("in %q: %+v", language, got)
		}
		seen := map[string]bool{}
		for _, c := range got {
			if seen[c.Text] || c.Done {
				t.Errorf("in %q: %+v stands twice or is done", language, c)
			}
			seen[c.Text] = true
		}
		if len(byFinding.Checks) > 0 && language == "en" && !seen[byFinding.Checks[0].EN] {
			t.Errorf("nothing of the second finding: %+v", got)
		}
	}
	if got := n.checksFor(&incident.Incident{Kind: "no such kind"}, "en"); len(got) != 0 {
		t.Errorf("about nothing known: %+v", got)
	}
}

func (p *plant) transaction(station string) string {
	st, _ := p.log.Snapshot().Station(station)
	return st.EVSEs[0].Session.TransactionID
}

func (p *plant) eventually(ok func() bool, otherwise string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 10*time.Second)
	defer cancel()
	for !ok() {
		select {
		case <-ctx.Done():
			p.t.Fatal(otherwise)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// A technician's right to command is the order worked on, and nothing else.
func TestAPermitIsAnOrderOnSite(t *testing.T) {
	n := newTwo(t)
	n.enrol(own, "S-next", event.EVSELayout{EVSE: 1})
	n.connect("S-next", "ocpp1.6")
	n.links.replies(func(string, string, []byte) Outcome {
		return Outcome{Status: "answered", Response: json.RawMessage(`{"status":"Accepted"}`)}
	})
	operator := n.script(store.RoleOperator)
	tess, tech := n.person("Tess", store.RoleTechnician, own)
	techID := tess.ID
	_, other := n.person("Theo", store.RoleTechnician, own)
	path := "/workorders/" + n.order[own]
	send := func(c *caller, station, action string) int {
		status, _ := c.do("POST", "/stations/"+station+"/commands", `{"action":"`+action+`"}`)
		return status
	}
	refused := func(when string) {
		t.Helper()
		if got := send(tech, "S-own", "Reset"); got != http.StatusForbidden {
			t.Errorf("%s: %d", when, got)
		}
	}
	refused("without an order")
	tech.want(http.StatusForbidden, "POST", path+"/arrive", `{}`, nil)
	tech.want(http.StatusForbidden, "PATCH", path, `{"assignee":"`+techID+`"}`, nil)
	tech.want(http.StatusForbidden, "POST", "/workorders", `{"title":"mine","station":"S-own","assignee":"`+techID+`"}`, nil)
	var made WorkOrderDetail
	tech.want(http.StatusCreated, "POST", "/workorders", `{"title":"found on the way","station":"S-own"}`, &made)
	tech.want(http.StatusForbidden, "POST", "/workorders/"+made.ID+"/arrive", `{}`, nil)
	refused("by an order one opened oneself")
	operator.want(http.StatusOK, "PATCH", path, `{"assignee":"`+techID+`"}`, nil)
	refused("assigned, not there")
	tech.want(http.StatusOK, "POST", path+"/start", `{}`, nil)
	refused("on the way")
	tech.want(http.StatusOK, "POST", path+"/arrive", `{}`, nil)
	for action, want := range map[string]int{
		"Reset": 200, "UnlockConnector": 200, "ChangeAvailability": 200, "TriggerMessage": 200, "RemoteStartTransaction": 200, "RemoteStopTransaction": 200,
		"ChangeConfiguration": 403, "UpdateFirmware": 403, "SendLocalList": 403, "reset": 403, "ClearCache": 403,
	} {
		if got := send(tech, "S-own", action); got != want {
			t.Errorf("%s on site: %d, want %d", action, got, want)
		}
	}
	for station, want := range map[string]int{"S-next": 403, "S-" + foreign: 403, "none": 403} {
		if got := send(tech, station, "Reset"); got != want {
			t.Errorf("at %s: %d, want %d", station, got, want)
		}
	}
	if got := send(other, "S-own", "Reset"); got != http.StatusForbidden {
		t.Errorf("a colleague: %d", got)
	}
	tech.want(http.StatusOK, "POST", path+"/wait", `{"note":"a fuse"}`, nil)
	refused("waiting for parts")
	tech.want(http.StatusOK, "POST", path+"/arrive", `{}`, nil)
	operator.want(http.StatusOK, "PATCH", path, `{"assignee":""}`, nil)
	refused("taken away")
	operator.want(http.StatusOK, "PATCH", path, `{"assignee":"`+techID+`"}`, nil)
	tech.want(http.StatusOK, "POST", path+"/arrive", `{}`, nil)
	if got := send(tech, "S-own", "Reset"); got != http.StatusOK {
		t.Errorf("there again: %d", got)
	}
	n.person("Ada", store.RoleAdmin, store.AllSites)
	n.update(techID, func(u *store.User) { u.Grants = []store.Grant{{Role: store.RoleTechnician, Sites: []string{foreign}}} })
	refused("without the site")
}

func TestWorkOrdersStayInsideTheGrant(t *testing.T) {
	n := newTwo(t)
	operator := n.script(store.RoleOperator, own)
	theo, _ := n.person("Theo", store.RoleTechnician, foreign)
	vera, _ := n.person("Vera", store.RoleViewer, own)
	elsewhere, viewer := theo.ID, vera.ID
	for name, tc := range map[string]struct{ body, field string }{
		"at a foreign station":          {`{"title":"x","station":"S-FOREIGN"}`, "body.station"},
		"at a foreign site":             {`{"title":"x","siteId":"FOREIGN"}`, "body.siteId"},
		"at no site":                    {`{"title":"x"}`, "body.siteId"},
		"of a foreign incident":         {`{"incidentId":"` + n.incident[foreign] + `"}`, "body.incidentId"},
		"at a station of another site":  {`{"title":"x","station":"S-own","siteId":"FOREIGN"}`, "body.siteId"},
		"at a port that is not":         {`{"title":"x","station":"S-own","evse":7}`, "body.evse"},
		"without a title":               {`{"station":"S-own"}`, "body.title"},
		"for somebody of another site":  {`{"title":"x","station":"S-own","assignee":"` + elsewhere + `"}`, "body.assignee"},
		"for somebody who only watches": {`{"title":"x","station":"S-own","assignee":"` + viewer + `"}`, "body.assignee"},
		"for nobody":                    {`{"title":"x","station":"S-own","assignee":"u-none"}`, "body.assignee"},
		"with what is not known":        {`{"title":"x","station":"S-own","price":1}`, "body"},
	} {
		if status, text := operator.do("POST", "/workorders", tc.body); status != http.StatusUnprocessableEntity || !strings.Contains(text, tc.field) {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	var people Items[AssigneeShape]
	n.script(store.RoleOperator, own).get("/workorders/assignees", &people)
	for _, p := range people.Items {
		if p.ID == elsewhere || p.ID == viewer {
			t.Errorf("offered: %+v", p)
		}
	}
	var page Items[WorkOrderShape]
	admin := n.script(store.RoleAdmin)
	seen := 0
	for cursor := ""; ; cursor = page.NextCursor {
		admin.get("/workorders?limit=1&cursor="+cursor, &page)
		seen += len(page.Items)
		if page.NextCursor == "" {
			break
		}
	}
	if seen != 2 {
		t.Errorf("%d orders page by page", seen)
	}
	if status, _ := admin.do("GET", "/workorders?cursor=x", ""); status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong cursor: %d", status)
	}
}

package web

import (
	"database/sql"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/incident/procedure"
	"github.com/chargewatch/chargewatch/internal/store"
)

func TestAnIncidentIsWorkedThroughJudgedAndClosed(t *testing.T) {
	n := newTwo(t)
	operator, viewer, admin := n.script(store.RoleOperator), n.script(store.RoleViewer), n.script(store.RoleAdmin)
	id := n.incident[own]
	var got IncidentDetail
	operator.want(http.StatusOK, "GET", "/incidents/"+id, "", &got)
	if got.Class != "" || got.Judged || got.Checklist != nil {
		t.Fatalf("two devices are no matter of guards: %q, %+v", got.Class, got.Checklist)
	}
	got = IncidentDetail{}
	operator.want(http.StatusOK, "POST", "/incidents/"+id+"/classify", `{"class":"vandalism"}`, &got)
	if got.Class != procedure.Vandalism || !got.Judged || got.Checklist == nil || !got.Checklist.Shipped || len(got.Checklist.Steps) < 4 {
		t.Fatalf("classified: %q, %+v", got.Class, got.Checklist)
	}
	refused := func(who *caller, action, body, part string) {
		t.Helper()
		if status, text := who.do("POST", base+"/incidents/"+id+"/"+action, body); status != http.StatusUnprocessableEntity || !strings.Contains(text, part) {
			t.Errorf("%s %s: %d %s", action, body, status, text)
		}
	}
	refused(operator, "step", `{"step":"fly","outcome":"done"}`, `"body.step"`)
	refused(operator, "step", `{"step":"look","outcome":"skipped"}`, `"body.reason"`)
	refused(operator, "close", `{"reason":"over"}`, `"body.verdict"`)
	refused(operator, "close", `{"reason":"over","verdict":"real"}`, `"body.noEvidence"`)
	refused(operator, "close", `{"reason":"over","verdict":"real","evidence":"of another"}`, `"body.evidence"`)
	refused(operator, "close", `{"reason":"over","verdict":"false","falseReason":"light"}`, `"body.undone"`)
	viewer.want(http.StatusForbidden, "POST", "/incidents/"+id+"/step", `{"step":"look","outcome":"done"}`, nil)

	// The list changes; what has begun keeps its own.
	operator.want(http.StatusForbidden, "PUT", "/procedures/vandalism", `{"steps":[{"id":"call","text":{"en":"Call."},"required":true}]}`, nil)
	admin.want(http.StatusNotFound, "PUT", "/procedures/flood", `{"steps":[{"id":"call","text":{"en":"Call."}}]}`, nil)
	if status, text := admin.do("PUT", base+"/procedures/vandalism", `{"steps":[{"id":"call","text":{}}]}`); status != http.StatusUnprocessableEntity || !strings.Contains(text, `"body.steps.0.text"`) {
		t.Errorf("a step that is silent: %d %s", status, text)
	}
	var list ProcedureShape
	admin.want(http.StatusOK, "PUT", "/procedures/vandalism", `{"steps":[{"id":"call","text":{"en":"Call."},"required":true}]}`, &list)
	if list.Version != 1 || list.Shipped || len(list.Steps) != 1 {
		t.Errorf("decided: %+v", list)
	}
	var lists Items[ProcedureShape]
	viewer.want(http.StatusOK, "GET", "/procedures", "", &lists)
	if len(lists.Items) != len(procedure.Classes()) {
		t.Errorf("%d lists", len(lists.Items))
	}
	for i, step := range got.Checklist.Steps {
		body := `{"step":"` + step.ID + `","outcome":"done"}`
		if i == 0 {
			body = `{"step":"` + step.ID + `","outcome":"skipped","reason":"dark"}`
		}
		operator.want(http.StatusOK, "POST", "/incidents/"+id+"/step", body, nil)
	}
	got = IncidentDetail{}
	viewer.want(http.StatusOK, "GET", "/incidents/"+id, "", &got)
	if first := got.Checklist.Steps[0]; first.Outcome != incident.StepIsSkipped || first.Note != "" || first.By != "" || got.Steps != nil {
		t.Errorf("a viewer sees who did what: %+v, %+v", first, got.Steps)
	}
	got = IncidentDetail{}
	operator.want(http.StatusOK, "GET", "/incidents/"+id, "", &got)
	if first := got.Checklist.Steps[0]; first.Note != "dark" || first.By == "" || got.People[first.By] == "" || !got.Checklist.Shipped {
		t.Errorf("worked through: %+v, %v", first, got.People)
	}

	operator.want(http.StatusOK, "POST", "/incidents/"+id+"/close", `{"reason":"headlights","verdict":"false","falseReason":"light"}`, &got)
	if got.State != incident.Closed || *got.Verdict != incident.VerdictFalse || got.FalseReason != "light" {
		t.Errorf("closed: %s %v %s", got.State, got.Verdict, got.FalseReason)
	}
	audit, err := n.store.AuditOf(t.Context(), "incident/"+id, 100)
	if err != nil || len(audit) != 2+len(got.Checklist.Steps) || audit[0].Action != "incident.close" || strings.Contains(string(audit[0].Detail), "headlights") {
		t.Errorf("%d entries of the audit log, %v: %+v", len(audit), err, audit[0])
	}
}

func TestTheGravestIsClosedByTwoWherePeopleDecidedSo(t *testing.T) {
	n := newTwo(t)
	anna, ben, admin := n.script(store.RoleOperator), n.script(store.RoleSecurity), n.script(store.RoleAdmin)
	of := "/incidents/" + n.incident[own]
	anna.want(http.StatusForbidden, "PUT", "/incidents/closing", `{"secondPerson":true}`, nil)
	admin.want(http.StatusOK, "PUT", "/incidents/closing", `{"secondPerson":true}`, nil)
	anna.want(http.StatusOK, "POST", of+"/classify", `{"class":"intrusion"}`, nil)
	anna.want(http.StatusOK, "POST", of+"/escalate", `{"severity":"S1"}`, nil)
	var got IncidentDetail
	closing := `{"reason":"an exercise","verdict":"test"}`
	anna.want(http.StatusOK, "POST", of+"/close", closing, nil)
	anna.want(http.StatusOK, "POST", of+"/close", closing, &got)
	if got.State == incident.Closed || got.CloseAsked == nil || !got.NeedsSecond {
		t.Fatalf("one person closed it: %s", got.State)
	}
	got = IncidentDetail{}
	ben.want(http.StatusOK, "POST", of+"/close", closing, &got)
	if got.State != incident.Closed {
		t.Errorf("two people: %s", got.State)
	}
}

func TestVerdictsAreCountedByRule(t *testing.T) {
	n := newTwo(t)
	operator := n.script(store.RoleOperator)
	viewer := n.script(store.RoleViewer, own)
	for i := range 8 {
		verdict, reason, site := "real", "", own
		if i >= 5 {
			verdict, reason = "false", "animal"
		}
		if i == 7 {
			site = foreign
		}
		err := n.db.Write(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.Exec(`INSERT INTO incident_verdicts (incident, detector, opened_at, site, verdict, false_reason) VALUES (?,?,?,?,?,?)`,
				string(rune('a'+i)), "V03", time.Now().UnixMicro()-int64(i), site, verdict, reason)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var got Items[PrecisionShape]
	operator.want(http.StatusOK, "GET", "/incidents/precision", "", &got)
	if len(got.Items) != 1 || got.Items[0].Judged != 8 || got.Items[0].Reasons["animal"] != 3 || got.Items[0].Share == nil || *got.Items[0].Share != 0.625 {
		t.Fatalf("%+v", got.Items)
	}
	viewer.want(http.StatusOK, "GET", "/incidents/precision", "", &got)
	if len(got.Items) != 1 || got.Items[0].Judged != 7 {
		t.Errorf("of one site: %+v", got.Items)
	}
	if _, text := operator.do("GET", base+"/incidents/precision.csv", ""); !strings.Contains(text, "V03,") || !strings.Contains(text, "0.6250") {
		t.Errorf("table: %s", text)
	}
	operator.want(http.StatusUnprocessableEntity, "GET", "/incidents/precision?from=2031-01-01T00:00:00Z", "", nil)
}

func TestWhomToCallIsForStaffAndGoesWithThePerson(t *testing.T) {
	n := newTwo(t)
	operator, viewer, admin := n.script(store.RoleOperator), n.script(store.RoleViewer), n.script(store.RoleAdmin)
	const list = "/sites/" + own + "/calls"
	var person PersonDetail
	admin.want(http.StatusCreated, "POST", "/people", `{"name":"Karl Krüger"}`, &person)
	operator.want(http.StatusForbidden, "PUT", list, `{"contacts":[]}`, nil)
	for body, field := range map[string]string{
		`{"contacts":[{"role":"guard","name":"Guards","phone":"call me"}]}`:            "contacts.0.phone",
		`{"contacts":[{"role":"king","name":"Guards","phone":"110"}]}`:                 "role",
		`{"contacts":[{"role":"guard","name":" ","phone":"110"}]}`:                     "contacts.0.name",
		`{"contacts":[{"role":"guard","name":"x","phone":"110","personId":"nobody"}]}`: "contacts.0.person",
	} {
		if status, text := admin.do("PUT", base+list, body); status != http.StatusUnprocessableEntity || !strings.Contains(text, field) {
			t.Errorf("%s: %d %s", body, status, text)
		}
	}
	var got CallListShape
	admin.want(http.StatusOK, "PUT", list, `{"contacts":[{"role":"police","name":"Police","phone":"110","note":"4471"},{"role":"siteHost","name":"Karl Krüger","phone":"+49 171 234","personId":"`+person.ID+`"}]}`, &got)
	if len(got.Contacts) != 2 || got.Contacts[0].ID == "" || got.Contacts[0].ID == got.Contacts[1].ID {
		t.Fatalf("decided: %+v", got)
	}
	viewer.want(http.StatusForbidden, "GET", list, "", nil)
	of := "/incidents/" + n.incident[own]
	var in IncidentDetail
	viewer.want(http.StatusOK, "GET", of, "", &in)
	if len(in.Calls) != 0 {
		t.Errorf("a viewer sees phones: %+v", in.Calls)
	}
	if status, text := operator.do("POST", base+of+"/call", `{"contact":"ct-none","outcome":"reached"}`); status != http.StatusUnprocessableEntity || !strings.Contains(text, "body.contact") {
		t.Errorf("nobody called: %d %s", status, text)
	}
	operator.want(http.StatusOK, "POST", of+"/call", `{"contact":"`+got.Contacts[1].ID+`","outcome":"noAnswer"}`, &in)
	if l := in.Log[0]; len(in.Calls) != 2 || l.Change != incident.ChangeCalled || l.Value != "noAnswer" || l.About != "siteHost" || l.Contact != got.Contacts[1].ID {
		t.Errorf("called: %+v", in.Log[0])
	}
	var export PersonExport
	admin.want(http.StatusOK, "GET", "/people/"+person.ID+"/export", "", &export)
	if len(export.CallLists) != 1 || export.CallLists[0].Phone != "+49 171 234" {
		t.Errorf("exported: %+v", export.CallLists)
	}
	if err := n.store.ErasePerson(t.Context(), store.System, person.ID); err != nil {
		t.Fatal(err)
	}
	operator.want(http.StatusOK, "GET", list, "", &got)
	if len(got.Contacts) != 1 || got.Contacts[0].Role != "police" {
		t.Errorf("after the person was erased: %+v", got.Contacts)
	}
}

func TestDoorsTellMomentsWithoutNamesAndDuressToViewers(t *testing.T) {
	n := newTwo(t)
	if _, err := n.store.CreateDoor(t.Context(), store.System, store.Door{ID: "side-gate", SiteID: own, Label: "Gate", Kind: "gate", HeldAfterS: 30}); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for i, body := range []event.Body{
		&event.Access{SiteID: own, Allowed: true, DecidedBy: "controller", Code: "duress", Reason: "duress code", PersonID: "p-1"},
		&event.DoorAlarm{SiteID: own, Alarm: event.AlarmDuress, Active: true},
		&event.DoorState{SiteID: own, State: event.DoorForced, Was: event.DoorLocked, Reason: "forced"},
		&event.DoorCommand{SiteID: own, Command: "unlock", Reason: "delivery of Mr. Y", Done: true},
	} {
		at := now.Add(time.Duration(i) * time.Millisecond)
		if _, err := n.log.Append(t.Context(), &event.Event{Subject: event.Door("side-gate"), At: at, ReceivedAt: at, Origin: event.FromUs, Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	path := "/sites/" + own + "/door-moments?from=" + now.Add(-time.Minute).UTC().Format(time.RFC3339) + "&to=" + now.Add(time.Minute).UTC().Format(time.RFC3339)
	var all, some Items[DoorMomentShape]
	n.script(store.RoleSecurity).want(http.StatusOK, "GET", path, "", &all)
	n.script(store.RoleViewer).want(http.StatusOK, "GET", path, "", &some)
	if len(all.Items) < 4 || len(some.Items) != len(all.Items)-1 {
		t.Fatalf("%d moments, %d for a viewer", len(all.Items), len(some.Items))
	}
	if _, text := n.script(store.RoleViewer).do("GET", base+path, ""); strings.Contains(text, "duress\"") || strings.Contains(text, "p-1") || strings.Contains(text, "delivery") {
		t.Errorf("a viewer is told %s", text)
	}
	n.script(store.RoleViewer, foreign).want(http.StatusNotFound, "GET", path, "", nil)
}

func TestAShiftIsTakenOver(t *testing.T) {
	n := newTwo(t)
	anna, ben, viewer := n.script(store.RoleOperator), n.script(store.RoleSecurity), n.script(store.RoleViewer)
	viewer.want(http.StatusForbidden, "GET", "/handover", "", nil)
	viewer.want(http.StatusForbidden, "POST", "/handover", `{}`, nil)
	var got HandoverShape
	anna.want(http.StatusOK, "GET", "/handover", "", &got)
	if got.Last != nil || len(got.Open) != 2 || len(got.Opened) != 2 || got.At.Sub(got.Since) != shiftUsual {
		t.Fatalf("before: %+v", got)
	}
	var shift TakenOverShape
	anna.want(http.StatusOK, "POST", "/handover", `{"note":"gate of the depot sticks"}`, &shift)
	anna.want(http.StatusOK, "POST", "/incidents/"+n.incident[own]+"/close", `{"reason":"replaced"}`, nil)
	ben.want(http.StatusOK, "GET", "/handover", "", &got)
	if got.Last == nil || got.Last.Note != "gate of the depot sticks" || got.Last.Open != 2 || len(got.Opened) != 0 || len(got.Closed) != 1 || len(got.Open) != 1 {
		t.Errorf("since then: %+v, %d opened, %d closed", got.Last, len(got.Opened), len(got.Closed))
	}
	ben.want(http.StatusOK, "POST", "/handover", `{}`, &shift)
	if shift.BeforeName == "" {
		t.Errorf("taken over from nobody: %+v", shift)
	}
	var past Items[TakenOverShape]
	ben.want(http.StatusOK, "GET", "/handover/past?limit=1", "", &past)
	if len(past.Items) != 1 || past.NextCursor == "" {
		t.Errorf("past: %+v", past)
	}
	// Of one site only what is of it, and nothing that was written about others.
	n.script(store.RoleOperator, foreign).want(http.StatusOK, "GET", "/handover", "", &got)
	if len(got.Open) != 1 || got.Open[0].SiteID != foreign || got.Last.Note != "" {
		t.Errorf("of one site: %+v, %q", got.Open, got.Last.Note)
	}
}

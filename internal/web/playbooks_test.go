package web

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/incident/remedy"
	"github.com/chargewatch/chargewatch/internal/store"
)

const ownPlaybook = `{"id":"mine","name":"Mine","enabled":true,"when":{"codes":["x"]},"steps":[{"do":"trigger"},{"do":"softReset"}]}`

type remedyStep = incident.RemedyStep

type playbookList struct{ Items []PlaybookShape }

func (l playbookList) find(id string) *PlaybookShape {
	if i := slices.IndexFunc(l.Items, func(p PlaybookShape) bool { return p.ID == id }); i >= 0 {
		return &l.Items[i]
	}
	return nil
}

func TestPlaybooksAreWrittenReplacedAndRemoved(t *testing.T) {
	p := newPlant(t)
	c := p.script(store.RoleAdmin)
	all := func() (l playbookList) {
		c.want(http.StatusOK, "GET", "/playbooks", "", &l)
		return l
	}
	if b := all().find("stuck-state"); b == nil || !b.BuiltIn || b.Changed {
		t.Fatalf("the built-in one: %+v", b)
	}
	c.want(http.StatusCreated, "POST", "/playbooks", ownPlaybook, nil)
	c.want(http.StatusConflict, "POST", "/playbooks", ownPlaybook, nil)
	c.want(http.StatusOK, "PATCH", "/playbooks/mine", `{"enabled":false}`, nil)
	if b := all().find("mine"); b == nil || b.Enabled || b.BuiltIn || b.ChangedAt == nil || len(b.Steps) != 2 {
		t.Errorf("changed: %+v", b)
	}
	c.want(http.StatusOK, "PATCH", "/playbooks/stuck-state", `{"dryRun":true}`, nil)
	if b := all().find("stuck-state"); b == nil || !b.BuiltIn || !b.Changed || !b.DryRun {
		t.Errorf("replaced: %+v", b)
	}
	c.want(http.StatusNoContent, "DELETE", "/playbooks/stuck-state", "", nil)
	if b := all().find("stuck-state"); b == nil || b.Changed || b.DryRun {
		t.Errorf("the built-in one again: %+v", b)
	}
	c.want(http.StatusConflict, "DELETE", "/playbooks/stuck-state", "", nil)
	c.want(http.StatusNoContent, "DELETE", "/playbooks/mine", "", nil)
	c.want(http.StatusNotFound, "DELETE", "/playbooks/mine", "", nil)
	for name, tc := range map[string]struct{ body, place string }{
		"an unknown field":       {strings.Replace(ownPlaybook, `"enabled"`, `"stepz":1,"enabled"`, 1), "body.stepz"},
		"an unknown step":        {strings.Replace(ownPlaybook, `"softReset"`, `"explode"`, 1), "body.steps[1].do"},
		"for everything":         {strings.Replace(ownPlaybook, `"x"`, `"*"`, 1), "body.when.codes[0]"},
		"wider than the rails":   {strings.Replace(ownPlaybook, `"steps"`, `"limits":{"perDay":50},"steps"`, 1), "body.limits.perDay"},
		"an id that is no word":  {strings.Replace(ownPlaybook, `"mine"`, `"my book"`, 1), "body.id"},
		"a number for the steps": {strings.Replace(ownPlaybook, `[{"do":"trigger"},{"do":"softReset"}]`, `7`, 1), "body.steps"},
	} {
		t.Run(name, func(t *testing.T) {
			status, text := c.do("POST", base+"/playbooks", tc.body)
			if status != http.StatusUnprocessableEntity || !strings.Contains(text, `"`+tc.place+`"`) {
				t.Errorf("%d %s, want 422 at %s", status, text, tc.place)
			}
		})
	}
}

func TestHowFarRemediesMayGo(t *testing.T) {
	n := newTwo(t)
	admin, one, operator := n.script(store.RoleAdmin), n.script(store.RoleAdmin, own), n.script(store.RoleOperator)
	var r RemediesShape
	admin.want(http.StatusOK, "GET", "/remedies", "", &r)
	if r.Mode != remedy.Ask || len(r.Modes) != 0 {
		t.Errorf("after the installation: %+v", r)
	}
	admin.want(http.StatusOK, "PUT", "/remedies/mode", `{"mode":"on"}`, &r)
	if r.Mode != remedy.On {
		t.Errorf("switched on: %+v", r)
	}
	one.want(http.StatusForbidden, "PUT", "/remedies/mode", `{"mode":"off"}`, nil)
	one.want(http.StatusUnprocessableEntity, "PUT", "/remedies/mode", `{"mode":"off","sites":["FOREIGN"]}`, nil)
	one.want(http.StatusUnprocessableEntity, "PUT", "/remedies/mode", `{"mode":"off","stations":["S-FOREIGN"]}`, nil)
	one.want(http.StatusOK, "PUT", "/remedies/mode", `{"mode":"off","sites":["own"]}`, &r)
	if len(r.Modes) != 2 || r.Modes[1].Scope != "site/own" || r.Modes[1].Mode != remedy.Off || r.Modes[1].ChangedAt == nil || r.Modes[1].Name != "" {
		t.Errorf("one site off: %+v", r.Modes)
	}
	admin.want(http.StatusOK, "GET", "/remedies", "", &r)
	if r.Modes[0].Name == "" || r.Modes[0].ChangedBy == "" {
		t.Errorf("nobody is named: %+v", r.Modes)
	}
	operator.want(http.StatusForbidden, "PUT", "/remedies/mode", `{"mode":"off"}`, nil)
	admin.want(http.StatusUnprocessableEntity, "PUT", "/remedies/mode", `{"mode":"wild"}`, nil)
	r = RemediesShape{}
	admin.want(http.StatusOK, "PUT", "/remedies/mode", `{"mode":"default"}`, &r)
	if r.Mode != remedy.Ask {
		t.Errorf("taken back: %+v", r)
	}
}

// The whole chain from a port's fault to a refusal that people can read.
func TestAPlaybookIsRefusedWhileTheSisterHasARunningSession(t *testing.T) {
	p := newPlant(t)
	p.site("hub")
	p.enrol("hub", "S1", event.EVSELayout{EVSE: 1, RatedW: 50_000}, event.EVSELayout{EVSE: 2, RatedW: 50_000})
	p.connect("S1", "ocpp1.6")
	p.say(event.Port("S1", 2, 2), &event.Transaction{Stage: event.TransactionStarted, AssignID: true})
	id := p.incidentAt("S1")
	c := p.script(store.RoleOperator)
	var out struct{ Items []remedy.Foreseen }
	c.want(http.StatusAccepted, "POST", "/incidents/"+id+"/remedy", `{"playbook":"soft-restart","dryRun":true}`, &out)
	if len(out.Items) != 2 || out.Items[1].Outcome != "refused" || out.Items[1].Reason != remedy.SessionRunning && out.Items[1].Reason != remedy.SafetyCode {
		t.Errorf("foreseen: %+v", out.Items)
	}
	out.Items = nil
	c.want(http.StatusOK, "POST", "/playbooks/soft-restart/preview", `{"station":"S1","evse":1}`, &out)
	if len(out.Items) != 2 || out.Items[1].Outcome != "refused" {
		t.Errorf("foreseen at the port: %+v", out.Items)
	}
	c.want(http.StatusNotFound, "POST", "/playbooks/soft-restart/preview", `{"station":"S1","evse":9}`, nil)
	c.want(http.StatusUnprocessableEntity, "POST", "/playbooks/soft-restart/preview", `{}`, nil)
	c.want(http.StatusNotFound, "POST", "/incidents/"+id+"/remedy", `{"playbook":"magic"}`, nil)
	c.want(http.StatusUnprocessableEntity, "POST", "/incidents/"+id+"/remedy", `{}`, nil)
	p.script(store.RoleTechnician).want(http.StatusForbidden, "POST", "/incidents/"+id+"/remedy", `{"playbook":"soft-restart"}`, nil)
	for {
		var detail IncidentDetail
		c.want(http.StatusOK, "GET", "/incidents/"+id, "", &detail)
		if i := slices.IndexFunc(detail.Remedies, func(s remedyStep) bool { return s.Playbook == "soft-restart" && s.Action == "softReset" }); i >= 0 {
			if s := detail.Remedies[i]; s.Outcome != "refused" || s.Reason == "" {
				t.Errorf("the step says %+v", s)
			}
			return
		}
		if t.Context().Err() != nil {
			t.Fatal("the refusal never stood in the incident")
		}
	}
}

package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/store"
)

// broken makes a fault at a site's station, with an order for it.
func (n *two) broken(site string) {
	n.t.Helper()
	station := "S-" + site
	at := detect.Threshold{Detector: "D03", Values: map[string]float64{"debounceSeconds": 0}}
	value, err := json.Marshal(at)
	if err != nil {
		n.t.Fatal(err)
	}
	if err := n.store.SetPolicy(n.t.Context(), store.System, thresholdPolicy, at.ID(), value); err != nil {
		n.t.Fatal(err)
	}
	n.say(event.Port(station, 1, 1), &event.Transaction{Stage: event.TransactionEnded, TransactionID: n.transaction(station)})
	n.say(event.Port(station, 1, 1), &event.Status{Status: "Faulted", ErrorCode: "InternalError"})
	n.eventually(func() bool {
		for _, one := range n.live.Open() {
			if one.Station == station && one.Family == incident.Electrical {
				n.incident[site] = one.ID
				return true
			}
		}
		return false
	}, "the fault is not found")
	w, err := n.store.CreateWorkOrder(n.t.Context(), store.System, store.WorkOrder{
		SiteID: site, Station: station, EVSE: 1, Title: "Look at " + site, Severity: event.S3, IncidentID: n.incident[site],
	})
	if err != nil {
		n.t.Fatal(err)
	}
	n.order[site] = w.ID
}

// mended makes the fault of a site's station end.
func (n *two) mended(site string) {
	n.t.Helper()
	station := "S-" + site
	n.say(event.Port(station, 1, 1), &event.Status{Status: "Available", ErrorCode: "NoError"})
	n.eventually(func() bool {
		one, err := n.live.Incident(n.t.Context(), n.incident[site])
		return err == nil && !one.Lasts()
	}, "the fault does not end")
}

func TestAClosedOrderTellsItsIncident(t *testing.T) {
	n := newTwo(t)
	n.broken(own)
	operator := n.script(store.RoleOperator, own)
	path, of := "/workorders/"+n.order[own], "/incidents/"+n.incident[own]
	var w WorkOrderDetail
	var in IncidentDetail
	operator.get(path, &w)
	if w.Incident == nil || w.Incident.ID != n.incident[own] || !w.Incident.Lasts || w.Incident.State != incident.Open {
		t.Fatalf("of the order: %+v", w.Incident)
	}
	operator.get(of, &in)
	if in.Order == nil || in.Order.ID != n.order[own] || in.Order.Number != w.Number || in.Order.State != store.OrderOpen {
		t.Fatalf("of the incident: %+v", in.Order)
	}

	// While the station reports the fault a word changes nothing but is read.
	operator.want(http.StatusOK, "POST", path+"/done", `{"proof":"override","reason":"fuse replaced"}`, &w)
	if w.State != store.OrderDone || w.Incident == nil || w.Incident.State == incident.Verifying || !w.Incident.Lasts || w.Incident.RepairedAt != nil {
		t.Errorf("while it lasts: %+v", w.Incident)
	}
	operator.get(of, &in)
	if len(in.Log) == 0 || in.Log[0].Change != "noted" || !strings.Contains(in.Log[0].Note, "fuse replaced") {
		t.Errorf("the log says %+v", in.Log[0])
	}

	operator.want(http.StatusOK, "POST", path+"/reopen", `{}`, nil)
	n.mended(own)
	proof := n.charge("S-"+own, time.Now(), 500)
	w = WorkOrderDetail{}
	operator.want(http.StatusOK, "POST", path+"/done", `{"proof":"testCharge","sessionId":"`+proof+`"}`, &w)
	if w.Incident == nil || w.Incident.State != incident.Closed || w.Incident.CloseReason != "charged" {
		t.Errorf("after a test charge: %+v", w.Incident)
	}
	operator.get(of, &in)
	if in.Order == nil || in.Order.State != store.OrderDone || in.Order.ClosedAt == nil {
		t.Errorf("of the incident: %+v", in.Order)
	}
}

func TestAnOrderIsOpenedForAnIncidentHoweverLongItsTitle(t *testing.T) {
	n := newTwo(t)
	for _, title := range []string{"", strings.Repeat("a", store.MaxOrderTitle-1) + "ö", strings.Repeat("Tür ", 100)} {
		draft := n.DraftOrder(&incident.Incident{ID: n.incident[own], SiteID: own, Title: title, Cause: "a cause", Severity: "S2"}, "en")
		if !strings.HasPrefix(title, draft.Title) {
			t.Errorf("%q became %q", title, draft.Title)
		}
		if _, err := n.store.CreateWorkOrder(t.Context(), store.System, store.WorkOrder{Title: draft.Title, SiteID: own, Severity: draft.Severity}); (err == nil) != (title != "") {
			t.Errorf("%q: %v", draft.Title, err)
		}
	}
}

func TestAWordPutsTheIncidentToTheProof(t *testing.T) {
	n := newTwo(t)
	n.broken(own)
	tess, tech := n.person("Tess", store.RoleTechnician, own)
	operator := n.script(store.RoleOperator, own)
	path := "/workorders/" + n.order[own]
	operator.want(http.StatusOK, "PATCH", path, `{"assignee":"`+tess.ID+`"}`, nil)
	n.mended(own)
	var w WorkOrderDetail
	tech.want(http.StatusOK, "POST", path+"/done", `{"proof":"override","reason":"no car at hand"}`, &w)
	if w.Incident == nil || w.Incident.State != incident.Verifying || w.Incident.RepairedAt == nil {
		t.Errorf("after a word: %+v", w.Incident)
	}
	n.charge("S-"+own, time.Now(), 900)
	n.eventually(func() bool {
		tech.get(path, &w)
		return w.Incident.State == incident.Closed
	}, "the next charge does not prove it")
}

func TestAClosedIncidentTakesItsOrderAlongIfAsked(t *testing.T) {
	n := newTwo(t)
	operator := n.script(store.RoleOperator, own)
	theo, tech := n.person("Theo", store.RoleTechnician, own)
	of, path := "/incidents/"+n.incident[own], "/workorders/"+n.order[own]
	tech.want(http.StatusForbidden, "POST", of+"/close", `{"reason":"done","order":"close"}`, nil)
	operator.want(http.StatusUnprocessableEntity, "POST", of+"/claim", `{"order":"close"}`, nil)
	operator.want(http.StatusUnprocessableEntity, "POST", of+"/close", `{"reason":"done","order":"burn"}`, nil)
	var in IncidentDetail
	operator.get(of, &in)
	if in.State == incident.Closed {
		t.Fatal("closed although its order could not be")
	}
	operator.want(http.StatusOK, "POST", of+"/close", `{"reason":"switched off for good","order":"keep"}`, &in)
	if in.State != incident.Closed || in.Order == nil || in.Order.State != store.OrderOpen {
		t.Fatalf("kept: %s, %+v", in.State, in.Order)
	}
	var w WorkOrderDetail
	operator.get(path, &w)
	if w.Incident == nil || w.Incident.State != incident.Closed || w.Incident.CloseReason != "person" {
		t.Errorf("the order knows %+v", w.Incident)
	}
	operator.want(http.StatusOK, "POST", of+"/reopen", `{}`, nil)
	operator.want(http.StatusOK, "PATCH", path, `{"assignee":"`+theo.ID+`"}`, nil)
	tech.want(http.StatusOK, "POST", path+"/arrive", `{}`, nil)
	long := strings.Repeat("ä", 3000)
	operator.want(http.StatusOK, "POST", of+"/close", `{"reason":"switched off for good","note":"`+long[:3998]+`","order":"close"}`, &in)
	if in.State != incident.Closed || in.Order == nil || in.Order.State != store.OrderDone {
		t.Fatalf("closed: %s, %+v", in.State, in.Order)
	}
	operator.get(path, &w)
	if w.Proof == nil || w.Proof.Kind != store.ProofOverride || !strings.HasPrefix(w.Proof.Reason, "ää") || w.OnSiteSince != nil {
		t.Errorf("the order says %+v", w.Proof)
	}
	operator.want(http.StatusOK, "POST", of+"/reopen", `{}`, nil)
	operator.want(http.StatusOK, "POST", of+"/close", `{"reason":"again","order":"close"}`, nil) // nothing is left to close
}

func TestAnOrderIsShownOnlyToWhoMayReadOrders(t *testing.T) {
	n := newTwo(t)
	for role, want := range map[store.Role]bool{store.RoleViewer: false, store.RoleSecurity: false, store.RoleTechnician: true, store.RoleAdmin: true} {
		var in IncidentDetail
		n.script(role, own).get("/incidents/"+n.incident[own], &in)
		if (in.Order != nil) != want {
			t.Errorf("%s: %+v", role, in.Order)
		}
	}
}

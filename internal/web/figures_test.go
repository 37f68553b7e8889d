package web

import (
	"encoding/csv"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/store"
)

func TestFiguresOfIncidents(t *testing.T) {
	n := newTwo(t)
	n.script(store.RoleOperator).want(http.StatusOK, "POST", "/incidents/"+n.incident[own]+"/acknowledge", `{}`, nil)
	n.script(store.RoleOperator).want(http.StatusOK, "POST", "/incidents/"+n.incident[foreign]+"/close", `{"reason":"replaced","note":"x"}`, nil)
	var all FiguresAnswer
	viewer := n.script(store.RoleViewer)
	viewer.want(http.StatusOK, "GET", "/incidents/figures", "", &all)
	if all.All.Opened != 2 || all.All.Acknowledged != 1 || all.All.Closed != 1 || all.All.MTTASeconds == nil || all.Stations != 2 {
		t.Errorf("all: %+v", all.All)
	}
	if all.All.Acknowledge.Kept != 2 || all.All.Healed.Itself != 0 {
		t.Errorf("promises %+v, healed %+v", all.All.Acknowledge, all.All.Healed)
	}
	if len(all.BySeverity) != 1 || all.BySeverity[0].Key != "S2" || len(all.ByKind) != 1 || all.ByKind[0].Key != "twoDevices" || len(all.BySite) != 2 {
		t.Errorf("groups: %+v, %+v, %+v", all.BySeverity, all.ByKind, all.BySite)
	}
	sum := 0
	for _, part := range all.Course {
		sum += part.Opened
	}
	if sum != 2 || all.Step != "day" || len(all.Course) < 30 {
		t.Errorf("the parts have %d incidents of 2, %d of a %s", sum, len(all.Course), all.Step)
	}
	var some FiguresAnswer
	n.script(store.RoleViewer, own).want(http.StatusOK, "GET", "/incidents/figures", "", &some)
	if some.All.Opened != 1 || some.Stations != 1 || len(some.BySite) != 1 || some.BySite[0].Key != own {
		t.Errorf("of the own site: %+v, %+v", some.All, some.BySite)
	}
	viewer.want(http.StatusOK, "GET", "/incidents/figures?kind=offline,port.fault", "", &some)
	if some.All.Opened != 0 || some.All.MTTRSeconds != nil {
		t.Errorf("of no kind: %+v", some.All)
	}
	for query, field := range map[string]string{
		"?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z": "query.from",
		"?from=2020-01-01T00:00:00Z":                         "query.from",
		"?severity=S1,S9":                                    "query.severity",
		"?zone=Mars/Olympus":                                 "query.zone",
	} {
		if status, text := viewer.do("GET", base+"/incidents/figures"+query, ""); status != http.StatusUnprocessableEntity || !strings.Contains(text, field) {
			t.Errorf("%s: %d %s", query, status, text)
		}
	}
}

func TestFiguresAsATable(t *testing.T) {
	n := newTwo(t)
	if _, err := n.store.UpdateSite(t.Context(), store.System, own, func(x *store.Site) { x.Name = "=1+1" }); err != nil {
		t.Fatal(err)
	}
	status, text := n.script(store.RoleViewer).do("GET", base+"/incidents/figures.csv", "")
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if rows[1][0] != "all" || rows[1][5] != "2" {
		t.Errorf("the whole is %v", rows[1])
	}
	if !slices.ContainsFunc(rows, func(r []string) bool { return r[0] == "site" && r[1] == own && r[2] == "'=1+1" }) {
		t.Errorf("a name like a formula is not harmless in %s", text)
	}
}

func TestFiguresAreCutAtDaysOfTheZone(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(text string) time.Time {
		x, err := time.Parse(time.DateTime, text)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	for sentence, c := range map[string]struct {
		from, to string
		step     string
		edges    []string // the first four
	}{
		"two days by the hour": {"2026-03-04 10:30:00", "2026-03-06 10:30:00", "hour", []string{"2026-03-04 10:30:00", "2026-03-04 11:00:00", "2026-03-04 12:00:00"}},
		"a week by the day, one of 23 h": {"2026-03-28 10:00:00", "2026-04-04 10:00:00", "day",
			[]string{"2026-03-28 10:00:00", "2026-03-28 23:00:00", "2026-03-29 22:00:00", "2026-03-30 22:00:00"}},
		"a quarter by the week":   {"2026-01-07 10:00:00", "2026-04-07 10:00:00", "week", []string{"2026-01-07 10:00:00", "2026-01-11 23:00:00", "2026-01-18 23:00:00"}},
		"a year by the month":     {"2025-12-07 10:00:00", "2026-12-07 10:00:00", "month", []string{"2025-12-07 10:00:00", "2025-12-31 23:00:00", "2026-01-31 23:00:00"}},
		"it begins on a boundary": {"2026-03-03 23:00:00", "2026-03-10 23:00:00", "day", []string{"2026-03-03 23:00:00", "2026-03-04 23:00:00"}},
	} {
		step, edges := stepsOf(incident.Span{From: at(c.from), To: at(c.to)}, berlin)
		if step != c.step {
			t.Errorf("%s: by the %s", sentence, step)
		}
		for i, want := range c.edges {
			if !edges[i].Equal(at(want)) {
				t.Errorf("%s: edge %d is %v, want %s", sentence, i, edges[i].UTC(), want)
			}
		}
		if !edges[len(edges)-1].Equal(at(c.to)) || !slices.IsSortedFunc(edges, time.Time.Compare) {
			t.Errorf("%s: edges %v", sentence, edges)
		}
	}
}

func TestPromisesAreDecidedByAdmins(t *testing.T) {
	n := newTwo(t)
	admin, viewer := n.script(store.RoleAdmin), n.script(store.RoleViewer, own)
	var list Items[SLAShape]
	viewer.want(http.StatusOK, "GET", "/sla", "", &list)
	if len(list.Items) != 1 || list.Items[0].Scope != "default" || list.Items[0].ChangedAt != nil || list.Items[0].Effective["S1"].AckMinutes != 5 {
		t.Fatalf("before anybody decided: %+v", list.Items)
	}
	n.script(store.RoleOperator).want(http.StatusForbidden, "PUT", "/sla/default", `{"severities":{"S2":{"ackMinutes":30,"repairMinutes":90}}}`, nil)
	var one SLAShape
	admin.want(http.StatusOK, "PUT", "/sla/default", `{"severities":{"S2":{"ackMinutes":30,"repairMinutes":90}}}`, &one)
	admin.want(http.StatusOK, "PUT", "/sla/"+own, `{"severities":{"S1":{"ackMinutes":1,"repairMinutes":2}}}`, &one)
	if one.SiteID != own || one.Effective["S2"].AckMinutes != 30 || one.Effective["S1"].RepairMinutes != 2 || one.ChangedAt == nil {
		t.Errorf("of a site: %+v", one)
	}
	admin.want(http.StatusOK, "PUT", "/sla/"+foreign, `{"severities":{"S1":{"ackMinutes":1,"repairMinutes":2}}}`, nil)
	viewer.want(http.StatusOK, "GET", "/sla", "", &list)
	if len(list.Items) != 2 || list.Items[1].Scope != own || list.Items[1].ChangedBy != "" {
		t.Errorf("seen by a viewer of one site: %+v", list.Items)
	}
	var got IncidentDetail
	viewer.want(http.StatusOK, "GET", "/incidents/"+n.incident[own], "", &got)
	if due := got.SLARepairDueAt; due == nil || due.Sub(got.OpenedAt).Round(time.Minute) != 90*time.Minute {
		t.Errorf("an open incident is due %v after it opened at %v", due, got.OpenedAt)
	}
	admin.want(http.StatusNoContent, "DELETE", "/sla/"+own, "", nil)
	admin.want(http.StatusNotFound, "DELETE", "/sla/"+own, "", nil)
	admin.want(http.StatusNotFound, "PUT", "/sla/nowhere", `{"severities":{"S1":{"ackMinutes":1,"repairMinutes":2}}}`, nil)
	for body, field := range map[string]string{
		`{"severities":{"S2":{"ackMinutes":90,"repairMinutes":30}}}`: "body.severities.S2.ackMinutes",
		`{"severities":{"S2":{"ackMinutes":-1,"repairMinutes":30}}}`: "body.severities.S2.ackMinutes",
		`{"severities":{"S9":{"ackMinutes":1,"repairMinutes":30}}}`:  "body.severities.S9",
		`{"severities":{}}`: "body.severities",
		`{"severities":{"S2":{"ackMinutes":"soon","repairMinutes":30}}}`:           "body.severities.S2.ackMinutes",
		`{"severities":{"S2":{"ackMinutes":1,"repairMinutes":30,"colour":"red"}}}`: "body.severities.S2",
	} {
		if status, text := admin.do("PUT", base+"/sla/default", body); status != http.StatusUnprocessableEntity || !strings.Contains(text, `"`+field) {
			t.Errorf("%s: %d %s", body, status, text)
		}
	}
}

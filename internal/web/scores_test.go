package web

import (
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/store"
)

func TestAStationIsAsHealthyAsItsWorstPort(t *testing.T) {
	n := newTwo(t)
	n.enrol(own, "S-well", event.EVSELayout{EVSE: 1}, event.EVSELayout{EVSE: 2})
	var got Items[StationScoreShape]
	n.eventually(func() bool {
		n.script(store.RoleViewer, own).get("/health-scores", &got)
		return len(got.Items) == 2
	}, "not both stations of the site have a health")
	sick, well := got.Items[0], got.Items[1]
	if sick.Station != "S-own" || sick.Score != 65 || sick.SiteName == "" || len(sick.Ports[0].Penalties) != 1 || sick.Ports[0].Penalties[0].Incident != n.incident[own] {
		t.Errorf("worst: %+v", sick)
	}
	if well.Score != 100 || len(well.Ports) != 2 || len(well.Ports[0].Penalties) != 0 {
		t.Errorf("best: %+v", well)
	}
	admin := n.script(store.RoleAdmin)
	var names []string
	for cursor := ""; ; {
		var page Items[StationScoreShape]
		admin.get("/health-scores?limit=1&cursor="+cursor, &page)
		for _, x := range page.Items {
			names = append(names, x.Station)
		}
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	if len(names) != 3 || names[0] != "S-FOREIGN" || names[2] != "S-well" {
		t.Errorf("page by page: %v", names)
	}
	admin.get("/health-scores?station=S-well", &got)
	if len(got.Items) != 1 {
		t.Errorf("of one station: %+v", got.Items)
	}
}

func TestOnlyEarlyWarningsThatLastAreToBeInspected(t *testing.T) {
	n := newTwo(t)
	over := time.Now()
	found := func(detector string, evse int, until *time.Time) incident.Found {
		return incident.Found{Code: "c" + detector, Detector: detector, Subject: event.Port("S-own", evse, 0).String(), Severity: event.S3, Until: until}
	}
	one := &incident.Incident{ID: "i", SiteID: own, Station: "S-own", Findings: []incident.Found{
		found("D12", 1, nil), found("D12", 2, nil), found("D10", 1, &over), found("D03", 1, nil), found("D20", 1, nil), found("rule/D12", 1, nil), found("", 1, nil),
	}, Evidence: []incident.Evidence{
		{Subject: "station/S-own/1", Detector: "D12", Fact: event.Fact{Name: "temperature"}},
		{Subject: "station/S-own/1", Detector: "D03", Fact: event.Fact{Name: "errorCode"}},
	}}
	got := n.warnings(nil, one, "")
	if len(got) != 2 || got[0].EVSE != 1 || len(got[0].Evidence) != 1 || got[0].Evidence[0].Name != "temperature" || len(got[1].Evidence) != 0 || got[0].SiteName == "" {
		t.Errorf("to be inspected: %+v", got)
	}
	if got := n.warnings(nil, one, "S-other"); len(got) != 0 {
		t.Errorf("of another station: %+v", got)
	}
	var list Items[InspectShape]
	n.script(store.RoleViewer).get("/inspect?limit=1", &list)
	if len(list.Items) != 0 {
		t.Errorf("two devices under a name are no early warning: %+v", list.Items)
	}
}

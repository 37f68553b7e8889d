package web

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/planning/demand"
	"github.com/chargewatch/chargewatch/internal/planning/expand"
	"github.com/chargewatch/chargewatch/internal/planning/simulate"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/study"
	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

// lateStudies is a desk that is there once the store is.
type lateStudies struct{ *study.Desk }

// busySites is a history in which every site is busy.
type busySites struct{ names []string }

func (b busySites) Names() []string { return b.names }

func (b busySites) Known(_ context.Context, site string) (expand.Site, error) {
	begin := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	in := demand.Input{Zone: time.UTC, From: begin, To: begin.AddDate(0, 0, 63)}
	s := simulate.NewStream(1, uint64(len(site)), 3)
	for h := range 63 * 24 {
		at := begin.Add(time.Duration(h) * time.Hour)
		in.Points = append(in.Points, rollup.Point{From: at, Ports: 2})
		for port := range 2 {
			if h%24 > 7 && h%24 < 20 && s.Float() < 0.8 {
				in.Sessions = append(in.Sessions, rollup.Session{Station: "S", EVSE: port + 1, Start: at, End: at.Add(time.Duration((0.3 + 0.6*s.Float()) * float64(time.Hour))), EnergyWh: 15000, PeakW: 40000})
			}
		}
	}
	in.Ports = demand.Ports([]demand.Known{{Station: "S", EVSE: 1, PowerW: 50000, DC: true}, {Station: "S", EVSE: 2, PowerW: 50000, DC: true}}, in.Sessions)
	return expand.Site{Input: in, Now: in.To}, nil
}

// withStudies gives a server a desk; the returned function opens it.
func withStudies(t *testing.T) (change func(*Options), open func()) {
	late := &lateStudies{}
	change = func(o *Options) {
		late.Desk = study.New(study.Options{Rows: o.Store, Sites: busySites{[]string{own, foreign}}, Rest: 0.001})
		o.Studies = late
	}
	return change, func() {
		ctx, stop := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() {
			if err := late.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		t.Cleanup(func() { stop(); running.Wait() })
	}
}

func newPlanner(t *testing.T) *plant {
	t.Helper()
	change, open := withStudies(t)
	p := newPlant(t, change)
	p.site(own)
	p.site(foreign)
	open()
	return p
}

func TestAPlanOfASite(t *testing.T) {
	p := newPlanner(t)
	operator := p.script(store.RoleOperator, own)
	var made ExpansionShape
	operator.want(http.StatusAccepted, "POST", "/analytics/plans", `{"site":"own","name":"=spring","assumptions":{"pricePerKwh":0.5,"costPerPort":30000},"scenarios":[{"addPorts":1},{"name":"=2+2","addPorts":2}]}`, &made)
	for made.State == "queued" || made.State == "running" {
		operator.get("/analytics/plans/"+made.ID, &made)
	}
	if made.State != "finished" || made.Result == nil || len(made.Result.Outcomes) != 3 || !made.Mine || made.Progress != 1 || len(made.Titles) != 3 {
		t.Fatalf("%s, %d titles: %+v", made.State, len(made.Titles), made.Result)
	}
	if made.Sentence == "" || made.Result.Outcomes[1].Payback == nil {
		t.Errorf("sentence %q, payback %+v", made.Sentence, made.Result.Outcomes[1].Payback)
	}
	// The newest plan answers for the site; a viewer may read it, and nobody elsewhere.
	var newest ExpansionShape
	p.script(store.RoleViewer, own).get("/analytics/plan?site=own", &newest)
	if newest.ID != made.ID || newest.Mine {
		t.Errorf("the newest is %s, mine %v", newest.ID, newest.Mine)
	}
	elsewhere := p.script(store.RoleOperator, foreign)
	for _, path := range []string{"/analytics/plans/" + made.ID, "/analytics/plans/" + made.ID + "/outcomes.csv"} {
		if status, text := elsewhere.do("GET", base+path, ""); status != http.StatusNotFound {
			t.Errorf("%s elsewhere: %d %s", path, status, text)
		}
	}
	var list Items[ExpansionShape]
	elsewhere.get("/analytics/plans", &list)
	if len(list.Items) != 0 {
		t.Errorf("elsewhere sees %d plans", len(list.Items))
	}
	for method, path := range map[string]string{"DELETE": "", "POST": "/again"} {
		if status, _ := elsewhere.do(method, base+"/analytics/plans/"+made.ID+path, ""); status != http.StatusNotFound {
			t.Errorf("%s%s elsewhere: %d", method, path, status)
		}
	}
	_, text := operator.do("GET", base+"/analytics/plans/"+made.ID+"/outcomes.csv", "")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 4 || len(rows[0]) != len(rows[3]) || rows[3][0] != "'=2+2" {
		t.Errorf("table: %v %q", err, text)
	}
	operator.get("/analytics/plans?site=own&limit=1", &list)
	if len(list.Items) != 1 || list.Items[0].Result != nil || list.NextCursor != "" {
		t.Errorf("list: %+v", list)
	}
	if status, _ := operator.do("POST", base+"/analytics/plans/"+made.ID+"/cancel", ""); status != http.StatusConflict {
		t.Errorf("what is finished is cancelled: %d", status)
	}
	operator.want(http.StatusNoContent, "DELETE", "/analytics/plans/"+made.ID, "", nil)
	operator.want(http.StatusNotFound, "GET", "/analytics/plans/"+made.ID, "", nil)
}

func TestAPlanThatNobodyAskedFor(t *testing.T) {
	p := newPlanner(t)
	viewer := p.script(store.RoleViewer, own)
	var plan ExpansionShape
	viewer.get("/analytics/plan?site=own&wait=50s", &plan)
	if plan.State != "finished" || len(plan.Result.Outcomes) < 5 {
		t.Errorf("%s: %+v", plan.State, plan.Result)
	}
	first := plan.ID
	if viewer.get("/analytics/plan?site=own", &plan); plan.ID != first {
		t.Error("it is made again")
	}
	_, text := viewer.do("GET", base+"/analytics/plan.csv?site=own", "")
	if rows, err := csv.NewReader(strings.NewReader(text)).ReadAll(); err != nil || len(rows) != len(plan.Result.Outcomes)+1 {
		t.Errorf("table: %v %q", err, text)
	}
	if status, _ := viewer.do("POST", base+"/analytics/plans", `{"site":"own"}`); status != http.StatusForbidden {
		t.Errorf("a viewer asks: %d", status)
	}
}

func TestQuickAnswersAndPlaces(t *testing.T) {
	p := newPlanner(t)
	viewer := p.script(store.RoleViewer, own)
	var quick QuickShape
	viewer.get("/analytics/plan/quick?site=own&addPorts=2&growthPercent=20", &quick)
	if !quick.Enough || quick.Then.Ports != quick.Now.Ports+2 || len(quick.Steps) != 9 || quick.Steps[8].BrokenPercent > quick.Steps[0].BrokenPercent {
		t.Errorf("quick: %+v", quick)
	}
	var ranking RankingAnswer
	viewer.get("/analytics/ranking?wait=30s", &ranking)
	if len(ranking.Items) != 1 || ranking.Items[0].Site != own || ranking.Items[0].SiteName == "" || ranking.Pending != 0 || !ranking.Items[0].Enough {
		t.Errorf("ranking: %+v", ranking)
	}
	_, text := viewer.do("GET", base+"/analytics/ranking.csv", "")
	if rows, err := csv.NewReader(strings.NewReader(text)).ReadAll(); err != nil || len(rows) != 2 {
		t.Errorf("table: %v %q", err, text)
	}
}

func TestPlansThatCannotBe(t *testing.T) {
	p := newPlanner(t)
	operator := p.script(store.RoleOperator, own)
	for body, field := range map[string]string{
		`{"site":"FOREIGN"}`:                                                "body.site",
		`{"site":"own","more":1}`:                                           "body.more",
		`{"site":"own","scenarios":[{"addPorts":"x"}]}`:                     "body.scenarios[0].addPorts",
		`{"site":"own","assumptions":{"pricePerKwh":0.2,"costPerKwh":0.4}}`: "body.assumptions.costPerKwh",
		`{"site":"own","scenarios":[{"window":{"fromHour":9,"toHour":8,"pricePerKwh":1,"movePercent":5}}]}`: "body.scenarios[0].window.toHour",
	} {
		if status, text := operator.do("POST", base+"/analytics/plans", body); status != http.StatusUnprocessableEntity || !strings.Contains(text, field) {
			t.Errorf("%s: %d %s", body, status, text)
		}
	}
	for path, want := range map[string]int{
		"/analytics/plan?site=FOREIGN": 404, "/analytics/plan/quick?site=FOREIGN": 404, "/analytics/plan?site=own&wait=9h": 422, "/analytics/plans?cursor=x": 422, "/analytics/plan": 422,
	} {
		if status, text := operator.do("GET", base+path, ""); status != want {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	for i := range 3 {
		if status, _ := operator.do("GET", base+fmt.Sprintf("/analytics/plans/p-%d", i), ""); status != http.StatusNotFound {
			t.Errorf("a plan that is not: %d", status)
		}
	}
}

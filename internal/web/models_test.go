package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

const rapid = `{"vendor":"Acme","model":"Rapid","source":"maker's data sheet","evses":[
	{"evse":1,"current":"DC","ratedW":160000,"group":"dc","groupW":160000,"exclusive":true,"connectors":[{"connector":1,"type":"cCCS2"}]},
	{"evse":2,"current":"DC","ratedW":160000,"group":"dc","groupW":160000,"exclusive":true,"connectors":[{"connector":2,"type":"cG105"}]}]}`

// status is a port of a station that was heard.
func (p *plant) status(id string, connector int, word string) {
	p.t.Helper()
	s := event.Station(id)
	s.Connector = connector
	p.say(s, &event.Status{Status: word})
}

func (p *plant) boots(id, protocol, vendor, model string) {
	p.t.Helper()
	p.say(event.Station(id), &event.Connected{ConnID: "c-" + id, Protocol: protocol})
	p.say(event.Station(id), &event.Boot{Vendor: vendor, Model: model, Serial: "S-" + id, Status: "Accepted"})
}

func TestAnOwnModelCountsInTheSummaryAtOnce(t *testing.T) {
	p := newPlant(t)
	p.site("north")
	for _, id := range []string{"A", "B"} {
		p.enrol("north", id)
		p.boots(id, "ocpp1.6", "Acme", "Rapid 160 B"+id)
		p.status(id, 1, "Charging")
		p.status(id, 2, "Available")
	}
	c := p.script(store.RoleAdmin)
	var sum Summary
	c.get("/summary", &sum)
	if sum.Ports.Total != 4 || sum.Ports.Free != 2 || sum.Ports.ByPowerClass[3].Total != 4 {
		t.Fatalf("before: %+v", sum.Ports)
	}
	var unmatched struct{ Items []UnmatchedModelShape }
	c.get("/models/unmatched", &unmatched)
	if len(unmatched.Items) != 2 || unmatched.Items[0].Stations != 1 || unmatched.Items[0].Suggestion == nil ||
		unmatched.Items[0].Suggestion.Complete || len(unmatched.Items[0].Suggestion.EVSEs) != 2 {
		t.Fatalf("unmatched: %+v", unmatched.Items)
	}
	var m ModelShape
	c.want(http.StatusCreated, "POST", "/models", rapid, &m)
	if !m.Own || m.Stations != 2 || m.Otherwise != 0 || m.ChangedAt == nil {
		t.Errorf("added: %+v", m)
	}
	c.get("/summary", &sum)
	if sum.Ports.Total != 4 || sum.Ports.Free != 0 || sum.Ports.ByPowerClass[2].Total != 4 || sum.Ports.ByPowerClass[3].Total != 0 {
		t.Errorf("after: %+v", sum.Ports)
	}
	c.get("/models/unmatched", &unmatched)
	if len(unmatched.Items) != 0 {
		t.Errorf("still unmatched: %+v", unmatched.Items)
	}
	c.want(http.StatusConflict, "POST", "/models", strings.Replace(rapid, `"Acme"`, `"ACME"`, 1), nil)
	c.want(http.StatusOK, "PATCH", "/models/"+m.ID, `{"evses":[{"evse":1,"current":"DC","ratedW":50000,"connectors":[{"connector":1},{"connector":2}]}]}`, &m)
	c.get("/summary", &sum)
	if sum.Ports.Total != 2 || sum.Ports.ByPowerClass[1].Total != 2 || sum.Ports.ByPowerClass[1].Charging != 2 {
		t.Errorf("two plugs of one port each: %+v", sum.Ports)
	}
	c.want(http.StatusNoContent, "DELETE", "/models/"+m.ID, "", nil)
	c.want(http.StatusNotFound, "DELETE", "/models/"+m.ID, "", nil)
	c.want(http.StatusNotFound, "PATCH", "/models/"+m.ID, `{"vendor":"X"}`, nil)
	c.get("/summary", &sum)
	if sum.Ports.Total != 4 || sum.Ports.Free != 2 {
		t.Errorf("taken back: %+v", sum.Ports)
	}
	var audit struct{ Items []struct{ Action string } }
	c.get("/audit?limit=3", &audit)
	var acts []string
	for _, x := range audit.Items {
		acts = append(acts, x.Action)
	}
	if got := strings.Join(acts, " "); got != "model.delete model.change model.create" {
		t.Errorf("audit: %s", got)
	}
}

// What drivers and pages of a site see follows as well.
func TestAnOwnModelCountsWhereverPortsDo(t *testing.T) {
	p := newPlant(t)
	if _, err := p.store.CreateSite(t.Context(), store.System, store.Site{ID: "north", Name: "North", Public: true}); err != nil {
		t.Fatal(err)
	}
	p.enrol("north", "A")
	p.boots("A", "ocpp1.6", "Acme", "Rapid 160")
	p.status("A", 1, "Charging")
	p.status("A", 2, "Available")
	c := p.script(store.RoleAdmin)
	type seen struct {
		Site   string // total, free, classes
		Status string // classes and free of the page for drivers
		Free   bool   // port 2 of the station
	}
	look := func() (out seen) {
		var site SiteShape
		c.get("/sites/north", &site)
		out.Site = fmt.Sprint(site.Ports.Total, " ", site.Ports.Free)
		for _, x := range site.Ports.ByPowerClass {
			out.Site += fmt.Sprint(" ", x.Class, x.Total)
		}
		var feed struct {
			Items []struct {
				Offers []struct {
					Plug, PowerClass string
					Free             int
				}
			}
		}
		c.want(http.StatusOK, "GET", "!/status.json", "", &feed)
		for _, x := range feed.Items {
			for _, o := range x.Offers {
				out.Status += fmt.Sprint(o.PowerClass, o.Plug, o.Free, " ")
			}
		}
		var st StationShape
		c.get("/stations/A", &st)
		out.Free = st.EVSEs[len(st.EVSEs)-1].Free
		return out
	}
	until := func(want seen) {
		t.Helper()
		var got seen
		for range 100 { // the page for drivers is at most a second old
			if got = look(); got == want {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Fatalf("seen %+v, want %+v", got, want)
	}
	before := seen{"2 1 unknown2", "unknown1 ", true}
	until(before)
	var m ModelShape
	c.want(http.StatusCreated, "POST", "/models", rapid, &m)
	until(seen{"2 0 hpc2", "hpccCCS20 hpccG1050 ", false})
	c.want(http.StatusNoContent, "DELETE", "/models/"+m.ID, "", nil)
	until(before)
}

func TestModelsThatAreRefused(t *testing.T) {
	p := newPlant(t)
	c := p.script(store.RoleAdmin)
	for name, tt := range map[string]struct{ body, at string }{
		"kilowatts for watts": {strings.Replace(rapid, "160000", "160", 1), "body.evses[0].ratedW"},
		"a connector twice":   {strings.Replace(rapid, `"connector":2`, `"connector":1`, 1), "body.evses[1].connectors[0].connector"},
		"no source":           {strings.Replace(rapid, `"source":"maker's data sheet",`, "", 1), "body"},
		"a plug of 1.6":       {strings.Replace(rapid, "cCCS2", "Type2", 1), "body.evses[0].connectors[0].type"},
		"a word of its own":   {strings.Replace(rapid, `"vendor"`, `"colour":"red","vendor"`, 1), "body.colour"},
		"an unknown current":  {strings.Replace(rapid, `"DC"`, `""`, 1), "body.evses[0].current"},
	} {
		t.Run(name, func(t *testing.T) {
			status, text := c.do("POST", "/models", tt.body)
			if status != http.StatusUnprocessableEntity || !strings.Contains(text, `"location":"`+tt.at+`"`) {
				t.Errorf("%d %s", status, text)
			}
		})
	}
	p.script(store.RoleOperator).want(http.StatusForbidden, "POST", "/models", rapid, nil)
	p.site("north")
	p.script(store.RoleAdmin, "north").want(http.StatusForbidden, "POST", "/models", rapid, nil)
}

// What stations of OCPP 2.x report of themselves makes an entry that needs no more than
// to be taken.
func TestASuggestionFromReports(t *testing.T) {
	p := newPlant(t)
	p.site("north")
	p.site("south")
	report := func(id string, w float64) {
		p.say(event.Station(id), &event.Report{Type: "base", Layout: []event.EVSELayout{
			{EVSE: 1, PublicID: "DE*X*" + id, RatedW: w, Current: "DC", Phases: 3, Connectors: []event.ConnectorLayout{{Connector: 1, Type: "cCCS2"}}},
			{EVSE: 2, RatedW: 22_000, Current: "AC", Phases: 3, Connectors: []event.ConnectorLayout{{Connector: 1, Type: "sType2"}}},
		}})
	}
	for id, site := range map[string]string{"A": "north", "B": "north", "C": "south"} {
		p.enrol(site, id)
		p.boots(id, "ocpp2.0.1", "Globex", "Duo")
		if id == "A" {
			report(id, 75_000) // mended in the field
		} else {
			report(id, 150_000)
		}
	}
	c := p.script(store.RoleAdmin)
	var unmatched struct{ Items []UnmatchedModelShape }
	p.script(store.RoleViewer, "south").get("/models/unmatched", &unmatched)
	if len(unmatched.Items) != 1 || unmatched.Items[0].Stations != 1 || strings.Join(unmatched.Items[0].Examples, " ") != "C" {
		t.Errorf("of one site: %+v", unmatched.Items)
	}
	c.get("/models/unmatched", &unmatched)
	if len(unmatched.Items) != 1 {
		t.Fatalf("unmatched: %+v", unmatched.Items)
	}
	u := unmatched.Items[0]
	x := u.Suggestion
	if u.Stations != 3 || x == nil || !x.Complete || x.From != "report" || x.Stations != 2 || x.EVSEs[0].RatedW != 150_000 ||
		x.EVSEs[0].Phases != 0 || x.EVSEs[1].Phases != 3 || x.EVSEs[1].Connectors[0].Connector != 2 {
		t.Fatalf("suggestion: %+v", x)
	}
	ports, err := json.Marshal(x.EVSEs)
	if err != nil {
		t.Fatal(err)
	}
	var m ModelShape
	c.want(http.StatusCreated, "POST", "/models", `{"vendor":"`+u.Vendor+`","model":"`+x.Model+`","source":"`+x.Source+`","evses":`+string(ports)+`}`, &m)
	if m.Stations != 3 || m.Otherwise != 3 {
		t.Errorf("their own word goes on: %+v", m)
	}
	var st StationShape
	c.get("/stations/A", &st)
	if st.LayoutSource != "report" || *st.EVSEs[0].RatedW != 75_000 {
		t.Errorf("what it reported itself: %s %v", st.LayoutSource, *st.EVSEs[0].RatedW)
	}
	// One that reports nothing is built as the others are.
	p.enrol("south", "D")
	p.boots("D", "ocpp2.0.1", "GLOBEX", "Duo S")
	c.get("/stations/D", &st)
	if st.LayoutSource != "catalogue" || len(st.EVSEs) != 2 || st.EVSEs[1].Connectors[0].ID != 1 || st.EVSEs[1].Connectors[0].Type != "sType2" {
		t.Errorf("by the entry: %+v", st)
	}
}

func TestModelsComeInPages(t *testing.T) {
	p := newPlant(t)
	c := p.script(store.RoleAdmin)
	c.want(http.StatusCreated, "POST", "/models", rapid, nil)
	c.want(http.StatusCreated, "POST", "/models", strings.NewReplacer(`"Acme"`, `"ABB"`, `"Rapid"`, `"MD_TERRA"`).Replace(rapid), nil)
	seen := make(map[string]bool)
	var own, replaced int
	for cursor, n := "", 0; ; n++ {
		var page struct {
			Items      []ModelShape
			NextCursor string
		}
		c.get("/models?limit=7&cursor="+cursor, &page)
		for _, m := range page.Items {
			name := m.ID + "/" + m.Vendor + "/" + m.Model
			if seen[name] {
				t.Errorf("%s comes twice", name)
			}
			seen[name] = true
			if m.Own {
				own++
			}
			if m.ReplacedBy != "" {
				replaced++
			}
		}
		if cursor = page.NextCursor; cursor == "" || n > 100 {
			break
		}
	}
	if want := 2 + len(p.log.Snapshot().Catalogue().Models()); len(seen) != want || own != 2 || replaced != 1 {
		t.Errorf("%d entries, %d own, %d replaced; want %d, 2, 1", len(seen), own, replaced, want)
	}
}

package web

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/campaign"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/usage/contrast"
)

// withCampaigns has campaigns started that nobody carries out.
func withCampaigns(o *Options) {
	o.Campaigns = campaign.New(campaign.Options{Rows: o.Store, Fleet: cohort{o.Fleet}, Kinds: []campaign.Kind{commands{}, rotation{}, updates{}}})
	o.Comparisons = unmoved{}
}

// unmoved compares stations that do as before.
type unmoved struct{}

func (unmoved) Compare(context.Context, *campaign.Campaign, string, func(string) bool) (r *contrast.Report, read, of int, err error) {
	return &contrast.Report{}, 0, 0, nil
}

type cohort struct{ Fleet }

func (c cohort) Stations() iter.Seq[campaign.Station] {
	return func(yield func(campaign.Station) bool) {
		for st := range c.Snapshot().Stations() {
			if !yield(cohortOf(st)) {
				return
			}
		}
	}
}

func (c cohort) Station(id string) (campaign.Station, bool) {
	st, ok := c.Snapshot().Station(id)
	if !ok {
		return campaign.Station{}, false
	}
	return cohortOf(st), true
}

func (c cohort) Zone(string) *time.Location { return time.UTC }

func cohortOf(st *fleet.Station) campaign.Station {
	return campaign.Station{ID: st.ID, Site: st.SiteID, Accepted: st.Onboarding == event.OnboardingAccepted, Online: st.Online}
}

// commands accepts whatever is sent.
type commands struct{}

func (commands) Name() string                                         { return campaign.CommandKind }
func (commands) Check(json.RawMessage) error                          { return nil }
func (commands) Fits(context.Context, string, json.RawMessage) string { return "" }
func (commands) Do(context.Context, string, json.RawMessage, int) campaign.Result {
	return campaign.Result{State: campaign.Done}
}

// rotation needs more than the right to command.
type rotation struct{ commands }

func (rotation) Name() string       { return "password" }
func (rotation) Permission() string { return string(StationsWrite) }

// updates bring firmware.
type updates struct{ commands }

func (updates) Name() string { return "firmware" }

func (p *plant) campaignAt(site, kind string) string {
	p.t.Helper()
	var c struct{ ID string }
	p.script(store.RoleOperator).want(http.StatusCreated, "POST", "/campaigns",
		`{"kind":"`+kind+`","name":"at `+site+`","params":{"action":"TriggerMessage","payload":{"requestedMessage":"Heartbeat"}},"cohort":{"sites":["`+site+`"]}}`, &c)
	return c.ID
}

func TestACampaignIsOfThoseWhoMayDoAllOfIt(t *testing.T) {
	p := newPlant(t, withCampaigns)
	for _, site := range []string{"north", "south"} {
		p.site(site)
		p.enrol(site, "S-"+site)
	}
	everywhere := `{"kind":"command","params":{"action":"ClearCache"},"cohort":{"everything":true}}`
	all, north := p.script(store.RoleOperator), p.script(store.RoleOperator, "north")
	// One who sees both and may command one.
	_, secret, err := p.store.CreateAPIToken(t.Context(), "u-test", store.APIToken{Name: "both", Grants: []store.Grant{
		{Role: store.RoleViewer, Sites: []string{"south"}}, {Role: store.RoleOperator, Sites: []string{"north"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	both := &caller{t: t, url: p.url, token: secret, http: &http.Client{}}

	var got campaign.Preview
	north.want(http.StatusOK, "POST", "/campaigns/preview", everywhere, &got)
	if got.Stations != 1 || len(got.LeftOut) != 0 || !slices.Equal(got.Examples, []string{"S-north"}) {
		t.Errorf("%+v", got)
	}
	north.want(http.StatusOK, "POST", "/campaigns/preview", `{"kind":"command","params":{"action":"ClearCache"},"cohort":{"stations":["S-south","S-north"]}}`, &got)
	if got.Stations != 1 || len(got.LeftOut) != 1 || got.LeftOut[0].Reason != "notFound" {
		t.Errorf("another's station is not one that is not there: %+v", got)
	}
	both.want(http.StatusOK, "POST", "/campaigns/preview", everywhere, &got)
	if got.Stations != 1 || len(got.LeftOut) != 1 || got.LeftOut[0].Reason != "notPermitted" || !slices.Equal(got.LeftOut[0].Examples, []string{"S-south"}) {
		t.Errorf("%+v", got)
	}

	var c CampaignShape
	all.want(http.StatusCreated, "POST", "/campaigns", everywhere, &c)
	if c.Stations != 2 || c.Counts.Pending != 2 || c.State != "running" {
		t.Errorf("%+v", c)
	}
	north.want(http.StatusNotFound, "GET", "/campaigns/"+c.ID, "", nil)
	north.want(http.StatusNotFound, "POST", "/campaigns/"+c.ID+"/stop", "", nil)
	var list struct{ Items []CampaignShape }
	if north.get("/campaigns", &list); len(list.Items) != 0 {
		t.Errorf("%+v", list)
	}
	var mine CampaignShape
	both.want(http.StatusCreated, "POST", "/campaigns", everywhere, &mine)
	if mine.Stations != 1 || mine.LeftOut[0].Reason != "notPermitted" {
		t.Errorf("%+v", mine)
	}
	if north.get("/campaigns", &list); len(list.Items) != 1 {
		t.Errorf("%+v", list)
	}

	all.want(http.StatusOK, "POST", "/campaigns/"+c.ID+"/pause", "", &c)
	all.want(http.StatusConflict, "POST", "/campaigns/"+c.ID+"/pause", "", nil)
	all.want(http.StatusOK, "POST", "/campaigns/"+c.ID+"/resume", "", &c)
	all.want(http.StatusOK, "POST", "/campaigns/"+c.ID+"/stop", "", &c)
	if c.State != "stopped" || c.Why == nil || c.Why.Code != "person" || c.Counts.Skipped != 2 || c.Why.Sentence == "" {
		t.Errorf("%+v %+v", c, c.Why)
	}
	all.want(http.StatusConflict, "POST", "/campaigns/"+c.ID+"/stop", "", nil)
	var rows struct {
		Items      []CampaignStationShape
		NextCursor string
	}
	all.get("/campaigns/"+c.ID+"/stations?limit=1", &rows)
	if len(rows.Items) != 1 || rows.Items[0].Station != "S-north" || rows.Items[0].Code != "stopped" || rows.NextCursor == "" {
		t.Errorf("%+v", rows)
	}
	all.get("/campaigns/"+c.ID+"/stations?limit=1&cursor="+rows.NextCursor, &rows)
	if len(rows.Items) != 1 || rows.Items[0].Station != "S-south" || rows.NextCursor != "" {
		t.Errorf("%+v", rows)
	}
	all.get("/campaigns/"+c.ID+"/stations?state=done", &rows)
	if len(rows.Items) != 0 {
		t.Errorf("%+v", rows)
	}
	if _, text := all.do("GET", "/campaigns/"+c.ID+"/stations.csv", ""); strings.Count(text, "stopped") != 2 || !strings.HasPrefix(text, "station,") {
		t.Error(text)
	}
	// What changes how a station proves itself is for those who may.
	password := `{"kind":"password","cohort":{"everything":true}}`
	all.want(http.StatusUnprocessableEntity, "POST", "/campaigns", password, nil)
	p.script(store.RoleAdmin).want(http.StatusCreated, "POST", "/campaigns", password, &c)
	all.want(http.StatusForbidden, "POST", "/campaigns/"+c.ID+"/stop", "", nil)
	audited, err := p.store.Audit(t.Context(), 0, 20)
	if err != nil {
		t.Fatal(err)
	}
	var acts []string
	for _, e := range audited {
		acts = append(acts, e.Action)
	}
	for _, act := range []string{"campaign.start", "campaign.pause", "campaign.resume", "campaign.stop"} {
		if !slices.Contains(acts, act) {
			t.Errorf("%s is not among %v", act, acts)
		}
	}
}

func TestABulkCommandIsACampaign(t *testing.T) {
	p := newPlant(t, withCampaigns)
	p.site("north")
	p.enrol("north", "S-1")
	c := p.script(store.RoleOperator)
	var out struct {
		Preview  *campaign.Preview
		Campaign *CampaignShape
	}
	c.want(http.StatusOK, "POST", "/commands/bulk", `{"action":"Reset","payload":{"type":"Soft"},"cohort":{"sites":["north"]},"preview":true}`, &out)
	if out.Preview == nil || out.Preview.Stations != 1 || out.Campaign != nil {
		t.Errorf("%+v", out)
	}
	c.want(http.StatusCreated, "POST", "/commands/bulk", `{"action":"RemoteStartTransaction","payload":{"idTag":"CARD-OF-IDA"},"cohort":{"sites":["north"]},"expect":1}`, &out)
	if out.Campaign == nil || out.Campaign.Kind != "command" || !strings.Contains(string(out.Campaign.Plan.Params), "CARD-OF-IDA") {
		t.Errorf("%+v", out)
	}
	if n := p.rowsWith(`"CARD-OF-IDA`); n != 0 {
		t.Errorf("the card stands in %d rows", n)
	}
	for _, payload := range []string{
		`{"key":"AuthorizationKey","value":"0011223344556677"}`,
		`{"setVariableData":[{"component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"},"attributeValue":"a secret of them all"}]}`,
		`{"location":"ftp://user:a-secret@example.org/x"}`,
	} {
		status, text := c.do("POST", "/commands/bulk", `{"action":"ChangeConfiguration","payload":`+payload+`,"cohort":{"everything":true}}`)
		if status != http.StatusUnprocessableEntity || !strings.Contains(text, "rotated") {
			t.Errorf("%s: %d %s", payload, status, text)
		}
	}
	for _, word := range []string{"0011223344556677", "a secret of them all", "a-secret"} {
		if n := p.rowsWith(word); n != 0 {
			t.Errorf("%q stands in %d rows", word, n)
		}
	}
	c.want(http.StatusUnprocessableEntity, "POST", "/commands/bulk", `{"action":"Reset","cohort":{}}`, nil)
	c.want(http.StatusUnprocessableEntity, "POST", "/commands/bulk", `{"action":"Reset","cohort":{"colour":"red"}}`, nil)
}

package servertest_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/config"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/provision"
	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/sim"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

// everySecond is a profile whose effect a test can wait for.
func everySecond() provision.Profile {
	return provision.Profile{ID: "quick", Name: "Every second", Settings: []provision.Setting{
		{Name: "SampledDataCtrlr/TxUpdatedInterval", Value: "1"},
		{Name: "SampledDataCtrlr/TxUpdatedMeasurands", Value: "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Current.Offered,Power.Offered,SoC,Temperature"},
		{Name: "OCPPCommCtrlr/MessageAttempts/TransactionEvent", Value: "10"},
		{Name: "SampledDataCtrlr/TxEndedMeasurands", Value: "Energy.Active.Import.Register"},
	}}
}

// asker asks the API.
type asker struct {
	t     *testing.T
	s     *servertest.Server
	token string
}

func newAsker(t *testing.T, s *servertest.Server) *asker {
	t.Helper()
	_, secret, err := s.Store.CreateAPIToken(t.Context(), store.System, store.APIToken{Name: "test", Grants: []store.Grant{{Role: store.RoleAdmin, Sites: []string{store.AllSites}}}})
	if err != nil {
		t.Fatal(err)
	}
	return &asker{t, s, secret}
}

func (a *asker) do(method, path string, into any) int {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), method, "http://"+a.s.HTTPAddress()+"/api/v1"+path, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+a.token)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	if res.StatusCode < 300 && into != nil {
		if err := json.Unmarshal(body, into); err != nil {
			a.t.Fatal(err, string(body))
		}
	}
	return res.StatusCode
}

// Thirty stations as they leave the works, of all versions, some of which refuse
// measurands, want a restart, or have little room, with cars at many of them: all are
// set after their boot, those in use are seen to measure, and none is restarted while a
// car charges.
func TestAFleetFromTheWorks(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t, func(c *config.Config) { c.Station.RestartIdle = config.Duration(2 * time.Second) })
	if _, err := s.Store.CreateConfigurationProfile(t.Context(), store.System, everySecond()); err != nil {
		t.Fatal(err)
	}
	plan := sim.FactoryFleet(30, "F-", 3)
	for i := range plan.Stations {
		s.Enrol(t, plan.Stations[i].ID)
	}
	for _, token := range plan.Tokens {
		s.Credential(t, token.ID)
	}
	scenario, err := sim.FindScenario("factory")
	if err != nil {
		t.Fatal(err)
	}
	stations, err := sim.New(sim.Options{URL: "ws://" + s.OCPPAddress() + "/ocpp", Plan: plan, Scenario: scenario, Seed: 3, History: 6 * time.Hour, Ramp: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var work sync.WaitGroup
	defer work.Wait()
	defer stop()
	work.Go(func() {
		if err := stations.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	api := newAsker(t, s)
	standing := func(id string) (x web.ConfigurationStandingShape) {
		if code := api.do(http.MethodGet, "/stations/"+id+"/configuration/difference", &x); code != http.StatusOK {
			t.Fatal(code)
		}
		return x
	}
	var left []string
	verified, missing := 0, 0
	for range 900 {
		left, verified, missing = nil, 0, 0
		for i := range plan.Stations {
			x := standing(plan.Stations[i].ID)
			for _, v := range x.Settings {
				missing += len(v.Missing)
			}
			st := s.Station(t, plan.Stations[i].ID)
			charges, used := false, false
			for k := range st.EVSEs {
				v := &st.EVSEs[k]
				charges = charges || v.Live.PowerW != nil && *v.Live.PowerW > 100
				used = used || v.Session != nil || v.Status != fleet.Available
			}
			switch {
			case x.State == "verified":
				verified++
			case x.State == "atRestart" && used: // until the car is gone
			case x.State == "set" && x.Measures && !charges:
			default:
				text, _ := json.Marshal(x)
				left = append(left, string(text))
			}
		}
		if len(left) == 0 && verified >= 3 && stations.Restarts().Asked > 0 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if len(left) > 0 || verified < 3 {
		t.Errorf("%d measure as told, %d do not, the first: %s", verified, len(left), strings.Join(left[:min(1, len(left))], ""))
	}
	if r := stations.Restarts(); r.Asked == 0 || r.Charging > 0 {
		t.Errorf("restarts: %+v", r)
	}
	if missing == 0 {
		t.Error("no station refused a measurand: the test shows too little")
	}
	var all web.ConfigurationFleetShape
	if api.do(http.MethodGet, "/configuration-fleet", &all); all.Stations != 30 || all.Verified < 3 {
		t.Errorf("%+v", all)
	}
	somebodyChanges(t, s, api, standing, plan.Stations)
}

// somebodyChanges changes a setting in the station behind the back of its profile: that
// is told, stays as it is, and is set again when somebody asks for it.
func somebodyChanges(t *testing.T, s *servertest.Server, api *asker, standing func(string) web.ConfigurationStandingShape, all []sim.Spec) {
	t.Helper()
	id := ""
	for i := range all {
		if x := standing(all[i].ID); all[i].Protocol() == "ocpp1.6" && (x.State == "set" || x.State == "verified") {
			id = all[i].ID
		}
	}
	if id == "" {
		t.Fatal("no station to change")
	}
	if o := s.Endpoint.Send(t.Context(), id, "behind-1", "ChangeConfiguration", []byte(`{"key":"TransactionMessageAttempts","value":"4"}`)); o.Status != "answered" {
		t.Fatal(o)
	}
	var x web.ConfigurationStandingShape
	if code := api.do(http.MethodGet, "/stations/"+id+"/configuration/difference?read=true", &x); code != http.StatusOK || x.State != "drifted" {
		t.Errorf("%d %+v", code, x)
	}
	servertest.Eventually(t, "a finding", func() bool {
		var list struct {
			Items []struct {
				Title    string
				Subjects []string
				State    string
			}
		}
		api.do(http.MethodGet, "/incidents?limit=1000", &list)
		for _, i := range list.Items {
			if strings.Contains(strings.Join(i.Subjects, " "), id) && strings.Contains(i.Title, "TransactionMessageAttempts") {
				return true
			}
		}
		return false
	})
	if code := api.do(http.MethodPost, "/stations/"+id+"/configuration/apply", &x); code != http.StatusOK || x.State != "set" && x.State != "verified" {
		t.Errorf("%d %+v", code, x)
	}
}

// A campaign sets stations as their profiles ask: one that somebody changed is set
// again, one whose setting nobody can change is told as such.
func TestACampaignSetsStationsAsTheirProfilesAsk(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	if _, err := s.Store.CreateConfigurationProfile(t.Context(), store.System, everySecond()); err != nil {
		t.Fatal(err)
	}
	plan := sim.FactoryFleet(6, "P-", 1)
	for i := range plan.Stations {
		x := &plan.Stations[i]
		x.Version, x.Factory = sim.V16, &sim.Factory{Fixed: i == 1}
		if x.Model.Firmware += "-f"; i == 1 {
			x.Model.Firmware += "1"
		}
		s.Enrol(t, x.ID)
	}
	stations, err := sim.New(sim.Options{URL: "ws://" + s.OCPPAddress() + "/ocpp", Plan: plan, Scenario: sim.Scenario{Name: "quiet"}, Ramp: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var work sync.WaitGroup
	defer work.Wait()
	defer stop()
	work.Go(func() {
		if err := stations.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	api := newAsker(t, s)
	servertest.Eventually(t, "all are set", func() bool {
		for i := range plan.Stations {
			var x web.ConfigurationStandingShape
			if api.do(http.MethodGet, "/stations/"+plan.Stations[i].ID+"/configuration/difference", &x); x.State != "set" && x.State != "incomplete" {
				return false
			}
		}
		return true
	})
	changed := plan.Stations[3].ID
	if o := s.Endpoint.Send(t.Context(), changed, "behind", "ChangeConfiguration", []byte(`{"key":"TransactionMessageAttempts","value":"4"}`)); o.Status != "answered" {
		t.Fatal(o)
	}
	c := newCampaigner(t, s)
	var preview struct{ Stations int }
	c.call("POST", "/campaigns/preview", `{"kind":"configure","cohort":{"everything":true}}`, &preview)
	if preview.Stations != 6 {
		t.Errorf("%d stations", preview.Stations)
	}
	var made bulk
	c.call("POST", "/campaigns", `{"kind":"configure","cohort":{"everything":true},"pace":{"perMinute":6000,"atOnce":6,"perSite":6}}`, &made)
	now := c.until(&made, "an end", over)
	if got := now.counts(); got["done set"] != 5 || got["failed readOnly"] != 1 {
		t.Errorf("%s: %v", now.State, got)
	}
	var rows struct {
		Items []struct{ Before, After map[string]string }
	}
	c.call("GET", "/campaigns/"+made.ID+"/stations?q="+changed, "", &rows)
	if len(rows.Items) != 1 || rows.Items[0].After["TransactionMessageAttempts"] != "10" {
		t.Errorf("%+v", rows)
	}
	var other bulk
	c.call("POST", "/campaigns", `{"kind":"configure","cohort":{"stations":["`+changed+`"]}}`, &other)
	if now := c.until(&other, "an end", over); now.counts()["done set"] != 1 {
		t.Errorf("%v", now.counts())
	}
}

// A model of which nothing is known is set as one with alternating current until one of
// it measures what only direct current brings; a profile says beforehand what it would do.
func TestWhatAModelChargesWithIsLearned(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	dc := "2"
	quick := everySecond()
	quick.Settings[0].DC = &dc
	if _, err := s.Store.CreateConfigurationProfile(t.Context(), store.System, quick); err != nil {
		t.Fatal(err)
	}
	plan := sim.FactoryFleet(2, "D-", 1)
	for i := range plan.Stations {
		x := &plan.Stations[i]
		x.Version, x.Factory = sim.V16, &sim.Factory{}
		x.Model = sim.Model{
			Vendor: "Nobody", Name: "Knows this", Firmware: "1", Measurands: "Energy.Active.Import.Register",
			EVSEs: []sim.EVSEModel{{RatedW: 100_000, Phases: 3, Plugs: []sim.Plug{sim.Type2}}}, // the handshake of direct current takes long
		}
		s.Enrol(t, x.ID)
	}
	token := plan.Tokens[0]
	s.Credential(t, token.ID)
	stations, err := sim.New(sim.Options{URL: "ws://" + s.OCPPAddress() + "/ocpp", Plan: plan, Scenario: sim.Scenario{Name: "quiet"}, Ramp: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var work sync.WaitGroup
	defer work.Wait()
	defer stop()
	work.Go(func() {
		if err := stations.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	api := newAsker(t, s)
	every := func(value string, dc bool) func() bool {
		return func() bool {
			for i := range plan.Stations {
				var x web.ConfigurationStandingShape
				api.do(http.MethodGet, "/stations/"+plan.Stations[i].ID+"/configuration/difference", &x)
				if x.DirectCurrent != dc || len(x.Settings) == 0 || !slices.ContainsFunc(x.Settings, func(v web.SettingDifferenceShape) bool {
					return v.Word == "MeterValueSampleInterval" && v.Is != nil && *v.Is == value
				}) {
					return false
				}
			}
			return true
		}
	}
	servertest.Eventually(t, "both are set as if they had alternating current", every("1", false))
	var would web.ProfilePreviewShape
	c := newAdmin(t, s)
	c.call("POST", "/configuration-profiles/preview", `{"station":"`+plan.Stations[1].ID+`","vendor":"nobody","settings":[{"name":"MeterValueSampleInterval","value":"7"},{"name":"HeartbeatInterval","value":"100"}]}`, &would)
	states := make(map[string]string)
	for _, v := range would.Station.Settings {
		states[v.Word] = v.State
	}
	if would.Stations != 2 || would.Changes != 2 || states["MeterValueSampleInterval"] != "differs" || states["HeartbeatInterval"] != "unread" || states["MeterValuesSampledData"] == "differs" {
		t.Errorf("%+v %v", would, states)
	}
	handle, _ := stations.Station(plan.Stations[0].ID)
	servertest.Eventually(t, "a car", func() bool { return handle.Charge(1, token) == nil })
	servertest.Eventually(t, "a session", func() bool { return handle.Port(1).Tx })
	servertest.Eventually(t, "power", func() bool { return handle.Port(1).PowerW > 0 })
	servertest.Eventually(t, "both are set as what they are", every("2", true))
	if x := handle.Sampling(); x.Every != 2*time.Second {
		t.Errorf("it measures every %v", x.Every)
	}
}

// newAdmin is somebody who may do everything.
func newAdmin(t *testing.T, s *servertest.Server) *campaigner {
	t.Helper()
	return &campaigner{t, s, newAsker(t, s).token}
}

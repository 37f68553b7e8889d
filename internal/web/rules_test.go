package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/detect/health"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/rule"
	"github.com/chargewatch/chargewatch/internal/rule/backtest"
	"github.com/chargewatch/chargewatch/internal/store"
)

// withRules is a plant that knows the language of rules.
func withRules(t *testing.T) *plant {
	t.Helper()
	l, err := rule.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	open := []*incident.Incident{{ID: "i1", Kind: "stationOffline", Severity: event.S2, SiteID: "own", Title: "Offline", Labels: map[string]string{"site": "own"}}}
	past := &laterPast{}
	p := newPlant(t, func(o *Options) {
		o.Rules = Rules{
			Language: l, Detectors: []detect.Detector{{ID: "D01", Code: "stationOffline", Params: []detect.Param{{Name: "minutes", Default: 5, Unit: "min"}}}},
			Open: func() []*incident.Incident { return open }, Past: past,
		}
	})
	past.Runner = backtest.New(backtest.Options{Journal: p.log, Language: l, Detectors: health.Detectors()})
	p.site("own")
	p.site("other")
	return p
}

// laterPast is known after the journal is.
type laterPast struct{ *backtest.Runner }

const ruleText = `{"name":"Long fault","on":["status"],"where":"port.status == \"Faulted\"","by":"port","severity":"S2","title":"Faulted","forSeconds":60,"labels":{"a":"b"}}`

func TestRulesAreKept(t *testing.T) {
	p := withRules(t)
	admin, operator := p.script(store.RoleAdmin), p.script(store.RoleOperator)
	var made RuleShape
	admin.want(http.StatusCreated, "POST", "/rules", ruleText, &made)
	if made.ID != "long-fault" || !made.Enabled || made.ForSeconds != 60 {
		t.Errorf("made %+v", made)
	}
	admin.want(http.StatusCreated, "POST", "/rules", ruleText, &made)
	if made.ID != "long-fault-2" {
		t.Errorf("the second is called %s", made.ID)
	}
	admin.want(http.StatusConflict, "POST", "/rules", strings.Replace(ruleText, `{`, `{"id":"long-fault",`, 1), nil)
	made = RuleShape{}
	admin.want(http.StatusOK, "PATCH", "/rules/long-fault", `{"enabled":false,"title":"Other","labels":{"c":"d"}}`, &made)
	if made.Enabled || made.Title != "Other" || made.Where == "" || len(made.Labels) != 1 || made.Labels["c"] != "d" {
		t.Errorf("changed %+v", made)
	}
	admin.want(http.StatusUnprocessableEntity, "PATCH", "/rules/long-fault", `{"id":"x"}`, nil)
	admin.want(http.StatusUnprocessableEntity, "PATCH", "/rules/long-fault", `{"colour":"x"}`, nil)
	admin.want(http.StatusNotFound, "PATCH", "/rules/none", `{"title":"x"}`, nil)
	operator.want(http.StatusForbidden, "POST", "/rules", ruleText, nil)
	var all Items[RuleShape]
	operator.want(http.StatusOK, "GET", "/rules", "", &all)
	if len(all.Items) != 2 {
		t.Errorf("%d rules", len(all.Items))
	}
	admin.want(http.StatusNoContent, "DELETE", "/rules/long-fault-2", "", nil)
	admin.want(http.StatusNotFound, "GET", "/rules/long-fault-2", "", nil)
	p.script(store.RoleViewer).want(http.StatusForbidden, "GET", "/rules", "", nil)
}

func TestFaultsStandAtTheirPlace(t *testing.T) {
	p := withRules(t)
	admin := p.script(store.RoleAdmin)
	var bad huma.ErrorModel
	admin.want(http.StatusUnprocessableEntity, "POST", "/rules",
		`{"name":"x","on":["status"],"where":"true &&\n  prot.evse == 1","by":"port","severity":"S2","title":"t","sites":["nowhere"]}`, &bad)
	if len(bad.Errors) != 1 || bad.Errors[0].Location != "body.where" {
		t.Fatalf("faults %+v", bad.Errors)
	}
	if at, _ := bad.Errors[0].Value.(map[string]any); at["line"] != 2.0 || at["column"] != 3.0 {
		t.Errorf("at %v", bad.Errors[0].Value)
	}
	admin.want(http.StatusUnprocessableEntity, "POST", "/rules",
		`{"name":"x","on":["status"],"where":"true","by":"port","severity":"S2","title":"t","sites":["nowhere"]}`, &bad)
	if len(bad.Errors) != 1 || bad.Errors[0].Location != "body.sites.0" {
		t.Errorf("faults %+v", bad.Errors)
	}
	var checked struct{ Faults []rule.Fault }
	admin.want(http.StatusOK, "POST", "/rules/check", `{"where":"port."}`, &checked)
	if len(checked.Faults) < 3 {
		t.Errorf("checked %+v", checked.Faults)
	}
	var words rule.Vocabulary
	admin.want(http.StatusOK, "GET", "/rules/vocabulary", "", &words)
	if len(words.Variables) != 6 || len(words.Kinds) == 0 || len(words.Functions) == 0 {
		t.Errorf("vocabulary of %d variables", len(words.Variables))
	}
}

func TestARuleIsTriedOnThePast(t *testing.T) {
	p := withRules(t)
	admin := p.script(store.RoleAdmin)
	p.enrol("own", "S1", event.EVSELayout{EVSE: 1})
	p.connect("S1", "ocpp1.6")
	from := time.Now().Add(-time.Hour)
	for range 3 {
		p.say(event.Port("S1", 1, 1), &event.Status{Status: "Faulted"})
		p.say(event.Port("S1", 1, 1), &event.Status{Status: "Available"})
	}
	at := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	var out BacktestShape
	body := `{"from":"` + at(from) + `","to":"` + at(time.Now().Add(time.Minute)) + `","rule":` + strings.Replace(ruleText, `"forSeconds":60,`, "", 1) + `}`
	admin.want(http.StatusOK, "POST", "/rules/backtest", body, &out)
	if out.Fired != 3 || len(out.Firings) != 3 || out.Firings[0].Subject != "station/S1/1" || len(out.Partial) > 0 {
		t.Errorf("%+v", out)
	}
	admin.want(http.StatusUnprocessableEntity, "POST", "/rules/backtest", `{"from":"`+at(from)+`","to":"`+at(from)+`","rule":{}}`, nil)
	admin.want(http.StatusUnprocessableEntity, "POST", "/rules/backtest", `{"from":"`+at(from)+`","to":"`+at(time.Now())+`","rule":{"where":"x"}}`, nil)
}

func TestThresholds(t *testing.T) {
	p := withRules(t)
	admin, operator := p.script(store.RoleAdmin), p.script(store.RoleOperator)
	var d DetectorShape
	admin.want(http.StatusOK, "PUT", "/detectors/D01/thresholds", `{"scope":"site/own","values":{"minutes":10}}`, &d)
	admin.want(http.StatusOK, "PUT", "/detectors/D01/thresholds", `{"severity":"S4"}`, &d)
	if len(d.Overrides) != 2 {
		t.Errorf("%+v", d.Overrides)
	}
	admin.want(http.StatusOK, "PUT", "/detectors/D01/thresholds", `{"scope":"site/own"}`, &d)
	if len(d.Overrides) != 1 || d.Overrides[0].Severity != event.S4 {
		t.Errorf("%+v", d.Overrides)
	}
	admin.want(http.StatusUnprocessableEntity, "PUT", "/detectors/D01/thresholds", `{"scope":"country/x","values":{"hours":1}}`, nil)
	admin.want(http.StatusNotFound, "PUT", "/detectors/D99/thresholds", `{"off":true}`, nil)
	operator.want(http.StatusForbidden, "PUT", "/detectors/D01/thresholds", `{"off":true}`, nil)
	var all Items[DetectorShape]
	operator.want(http.StatusOK, "GET", "/detectors", "", &all)
	if len(all.Items) != 1 || all.Items[0].Params[0].Default != 5 {
		t.Errorf("%+v", all.Items)
	}
}

func TestSilences(t *testing.T) {
	p := withRules(t)
	admin, host := p.script(store.RoleAdmin), p.script(store.RoleOperator, "own")
	end := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	var s SilenceShape
	host.want(http.StatusCreated, "POST", "/silences", `{"type":"silence","reason":"known","sites":["own"],"end":"`+end+`"}`, &s)
	if !s.Active || s.Muting != 1 || s.Until == nil {
		t.Errorf("%+v", s)
	}
	var everywhere SilenceShape
	admin.want(http.StatusCreated, "POST", "/silences",
		`{"type":"window","reason":"work","matchers":[{"label":"kind","op":"=~","value":"station.*"}],"weekly":[{"days":["mo","tu"],"from":"22:00","to":"06:00"}],"zone":"Europe/Berlin"}`, &everywhere)
	host.want(http.StatusUnprocessableEntity, "POST", "/silences", `{"type":"silence","reason":"x","end":"`+end+`"}`, nil)
	host.want(http.StatusUnprocessableEntity, "POST", "/silences", `{"type":"silence","reason":"x","sites":["other"],"end":"`+end+`"}`, nil)
	admin.want(http.StatusUnprocessableEntity, "POST", "/silences", `{"type":"silence","reason":"x"}`, nil)
	admin.want(http.StatusUnprocessableEntity, "POST", "/silences", `{"type":"silence","reason":"x","end":"`+end+`","zone":"Mars/One"}`, nil)
	var bad huma.ErrorModel
	admin.want(http.StatusUnprocessableEntity, "POST", "/silences", `{"type":"silence","reason":"x","end":"`+end+`","matchers":[{"label":"kind","op":"=~","value":"("}]}`, &bad)
	if len(bad.Errors) != 1 || bad.Errors[0].Location != "body.matchers.0.value" {
		t.Errorf("%+v", bad.Errors)
	}
	var list Items[SilenceShape]
	host.want(http.StatusOK, "GET", "/silences", "", &list)
	if len(list.Items) != 1 || list.Items[0].ID != s.ID {
		t.Errorf("a site's operator sees %+v", list.Items)
	}
	admin.want(http.StatusOK, "GET", "/silences", "", &list)
	if len(list.Items) != 2 {
		t.Errorf("an admin sees %d", len(list.Items))
	}
	var preview struct{ Count int }
	host.want(http.StatusOK, "POST", "/silences/preview", `{"type":"silence","reason":"x","sites":["own"],"end":"`+end+`"}`, &preview)
	if preview.Count != 1 {
		t.Errorf("would mute %d", preview.Count)
	}
	host.want(http.StatusNotFound, "DELETE", "/silences/"+everywhere.ID, "", nil)
	host.want(http.StatusNoContent, "DELETE", "/silences/"+s.ID, "", nil)
	host.want(http.StatusNotFound, "DELETE", "/silences/"+s.ID, "", nil)
}

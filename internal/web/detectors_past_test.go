package web

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect/security"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/rule"
	"github.com/chargewatch/chargewatch/internal/rule/backtest"
	"github.com/chargewatch/chargewatch/internal/store"
)

// judgedBefore are incidents with verdicts.
type judgedBefore struct{ list []*incident.Incident }

func (*judgedBefore) Incident(context.Context, string) (*incident.Incident, error) {
	return nil, incident.ErrNotFound
}

func (j *judgedBefore) Incidents(context.Context, incident.Query) ([]*incident.Incident, string, error) {
	return j.list, "", nil
}

func (*judgedBefore) Log(context.Context, string, int) ([]incident.Logged, error) { return nil, nil }

func TestThresholdsAreTriedOnThePast(t *testing.T) {
	l, err := rule.NewLanguage()
	if err != nil {
		t.Fatal(err)
	}
	past, known := &laterPast{}, &judgedBefore{}
	p := newPlant(t, func(o *Options) {
		o.Rules, o.Incidents = Rules{Language: l, Detectors: security.Detectors(), Past: past}, known
	})
	past.Runner = backtest.New(backtest.Options{Journal: p.log, Language: l, Detectors: security.Detectors()})
	p.site("own")
	p.enrol("own", "S1", event.EVSELayout{EVSE: 1}, event.EVSELayout{EVSE: 2})
	p.connect("S1", "ocpp1.6")
	from := time.Now().Add(-time.Hour)
	p.say(event.Port("S1", 1, 1), &event.Status{Status: "Available"})
	p.say(event.Port("S1", 1, 1), &event.Status{Status: "Faulted", ErrorCode: "GroundFailure"})
	verdict := func(id, word, detector string) *incident.Incident {
		return &incident.Incident{ID: id, Title: id, Severity: event.S3, SiteID: "own", OpenedAt: time.Now(), Verdict: &word, Detectors: []string{detector}}
	}
	known.list = []*incident.Incident{verdict("i1", "real", "V05"), verdict("i2", "false", "V05"), verdict("i3", "real", "V04")}
	admin := p.script(store.RoleAdmin)
	at := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	span := `"from":"` + at(from) + `","to":"` + at(time.Now().Add(time.Minute)) + `"`
	var out DetectorPastShape
	admin.want(http.StatusOK, "POST", "/detectors/V05/backtest", `{`+span+`,"off":true}`, &out)
	if out.Now.Told != 1 || out.Then.Told != 0 || len(out.Now.Firings) != 1 || out.Now.Firings[0].SiteID != "own" || out.Now.PerDay < 20 || len(out.Partial) > 0 {
		t.Errorf("%+v", out)
	}
	if len(out.Judged) != 2 || out.Judged[0].ID != "i1" || !out.Judged[0].Now || out.Judged[0].Then || out.Judged[1].Verdict != "false" {
		t.Errorf("judged %+v", out.Judged)
	}
	admin.want(http.StatusUnprocessableEntity, "POST", "/detectors/V05/backtest", `{`+span+`,"values":{"none":1}}`, nil)
	admin.want(http.StatusUnprocessableEntity, "POST", "/detectors/V05/backtest", `{"from":"`+at(from)+`","to":"`+at(from)+`"}`, nil)
	admin.want(http.StatusUnprocessableEntity, "POST", "/detectors/C16/backtest", `{`+span+`}`, nil)
	admin.want(http.StatusNotFound, "POST", "/detectors/D99/backtest", `{`+span+`}`, nil)
	p.script(store.RoleViewer).want(http.StatusForbidden, "POST", "/detectors/V05/backtest", `{`+span+`}`, nil)
}

package remedy

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

func TestAPlaybookThatIsWrongIsRefusedWithThePlaceOfTheFault(t *testing.T) {
	const good = `"id":"p","name":"n","enabled":true,"when":{"codes":["x"]},"steps":[{"do":"trigger"}]`
	for name, tc := range map[string]struct{ text, path string }{
		"a good one":                      {`{` + good + `}`, ""},
		"everything that can be said":     {`{"id":"p","name":"n","doc":"d","enabled":true,"dryRun":true,"when":{"codes":["x*"],"detectors":["D01"],"severities":["S2"],"models":["A/B"],"sites":["s"],"safety":false},"steps":[{"do":"trigger","message":"MeterValues"},{"do":"wait","seconds":5},{"do":"availabilityCycle","seconds":5},{"do":"disable"}],"limits":{"coolDownMinutes":20,"waitMinutes":20,"perDay":1,"fleetPercent":1}}`, ""},
		"no JSON":                         {`{`, "."},
		"a list":                          {`[]`, "."},
		"something behind it":             {`{` + good + `}{}`, "."},
		"an unknown field":                {`{` + good + `,"stepz":[]}`, "stepz"},
		"a field twice":                   {`{` + good + `,"id":"q"}`, "id"},
		"an unknown field of a step":      {`{"id":"p","name":"n","when":{"codes":["x"]},"steps":[{"do":"trigger"},{"do":"wait","secs":1}]}`, "steps[1].secs"},
		"a word for a number":             {`{"id":"p","name":"n","when":{"codes":["x"]},"steps":[{"do":"wait","seconds":"5"}]}`, "steps[0].seconds"},
		"a fraction for a number":         {`{"id":"p","name":"n","when":{"codes":["x"]},"steps":[{"do":"wait","seconds":5.5}]}`, "steps[0].seconds"},
		"a word for a list":               {`{"id":"p","name":"n","when":{"codes":"x"},"steps":[{"do":"trigger"}]}`, "when.codes"},
		"a step that does not exist":      {`{"id":"p","name":"n","when":{"codes":["x"]},"steps":[{"do":"explode"}]}`, "steps[0].do"},
		"a step after a disable":          {`{"id":"p","name":"n","when":{"codes":["x"]},"steps":[{"do":"disable"},{"do":"softReset"}]}`, "steps[0].do"},
		"a message that is not asked for": {`{"id":"p","name":"n","when":{"codes":["x"]},"steps":[{"do":"trigger","message":"SignChargePointCertificate"}]}`, "steps[0].message"},
		"a reset that takes time":         {`{"id":"p","name":"n","when":{"codes":["x"]},"steps":[{"do":"softReset","seconds":3}]}`, "steps[0].seconds"},
		"a wait of no time":               {`{"id":"p","name":"n","when":{"codes":["x"]},"steps":[{"do":"wait"}]}`, "steps[0].seconds"},
		"no steps":                        {`{"id":"p","name":"n","when":{"codes":["x"]},"steps":[]}`, "steps"},
		"too many steps":                  {`{"id":"p","name":"n","when":{"codes":["x"]},"steps":[` + strings.Repeat(`{"do":"trigger"},`, 12) + `{"do":"trigger"}]}`, "steps"},
		"for everything":                  {`{"id":"p","name":"n","when":{},"steps":[{"do":"trigger"}]}`, "when"},
		"for every code":                  {`{"id":"p","name":"n","when":{"codes":["*"]},"steps":[{"do":"trigger"}]}`, "when.codes[0]"},
		"a model without a vendor":        {`{"id":"p","name":"n","when":{"codes":["x"],"models":["Duo"]},"steps":[{"do":"trigger"}]}`, "when.models[0]"},
		"a severity that is none":         {`{"id":"p","name":"n","when":{"codes":["x"],"severities":["S9"]},"steps":[{"do":"trigger"}]}`, "when.severities[0]"},
		"wider than the guard-rails":      {`{` + good + `,"limits":{"perDay":9}}`, "limits.perDay"},
		"more of the fleet than may be":   {`{` + good + `,"limits":{"fleetPercent":50}}`, "limits.fleetPercent"},
		"an id with a slash":              {`{"id":"a/b","name":"n","when":{"codes":["x"]},"steps":[{"do":"trigger"}]}`, "id"},
		"a name of two lines":             {`{"id":"p","name":"n\nm","when":{"codes":["x"]},"steps":[{"do":"trigger"}]}`, "name"},
	} {
		t.Run(name, func(t *testing.T) {
			_, faults := ReadPlaybook([]byte(tc.text))
			paths := slices.Sorted(maps.Keys(faults))
			if want := strings.Fields(tc.path); !slices.Equal(paths, want) && len(paths)+len(want) > 0 {
				t.Errorf("faults at %q, want %q", faults, want)
			}
		})
	}
}

func FuzzReadPlaybook(f *testing.F) {
	for _, p := range BuiltIn() {
		data, err := json.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"when":{"codes":["a",1]},"steps":[[]]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, faults := ReadPlaybook(data)
		if len(faults) > 0 {
			return
		}
		again, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if q, faults := ReadPlaybook(again); len(faults) > 0 || fmt.Sprintf("%+v", q.Steps) != fmt.Sprintf("%+v", p.Steps) {
			t.Errorf("read again it differs: %v\n%+v\n%+v", faults, p, q)
		}
	})
}

func FuzzReadMonitors(f *testing.F) {
	f.Add([]byte(`{"id":"m","name":"n","enabled":true,"monitors":[{"component":"Connector","evse":1,"connector":1,"variable":"Problem","type":"Delta","value":1,"severity":3}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, faults := ReadMonitors(data)
		if len(faults) == 0 && !json.Valid([]byte(monitoring(s.Monitors))) {
			t.Errorf("no JSON: %s", monitoring(s.Monitors))
		}
	})
}

func TestTheBuiltInPlaybooksAreSoundAndDifferent(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range BuiltIn() {
		if faults := p.Check(); len(faults) > 0 || seen[p.ID] || p.Doc == "" {
			t.Errorf("%s: %v", p.ID, faults)
		}
		seen[p.ID] = true
		for _, detector := range []string{"D01", "D17"} {
			if p.Enabled && p.When.matches(&Case{Detectors: []string{detector}, Severity: event.S2, Codes: []string{"offline"}}, "A/B") {
				t.Errorf("%s is for %s: nothing can be sent to a station that is offline", p.ID, detector)
			}
		}
	}
}

func TestAPersonsPlaybookComesBeforeABuiltInOne(t *testing.T) {
	w := newWorld(t)
	w.station("A", "s1", v16)
	c := Case{ID: "i", Station: "A", SiteID: "s1", Codes: []string{"stuckState"}, Detectors: []string{"D23"}, Severity: event.S3}
	find := func() string {
		p, _ := w.x.match(&c, w.d.Network.Station("A"))
		return p.ID
	}
	if find() != "stuck-state" {
		t.Fatalf("%q is for it", find())
	}
	w.policy(PolicyPlaybook, "mine", `{"id":"mine","name":"n","enabled":true,"when":{"codes":["stuck*"],"models":["ACME/Duo"],"sites":["s1"]},"steps":[{"do":"trigger"}]}`)
	if find() != "mine" {
		t.Errorf("%q is for it", find())
	}
	w.policy(PolicyPlaybook, "mine", `{"id":"mine","name":"n","enabled":true,"when":{"codes":["stuck*"],"sites":["s2"]},"steps":[{"do":"trigger"}]}`)
	if find() != "stuck-state" {
		t.Errorf("%q is for it", find())
	}
	w.policy(PolicyPlaybook, "stuck-state", `{"id":"stuck-state","name":"n","enabled":false,"when":{"codes":["stuck*"]},"steps":[{"do":"trigger"}]}`)
	if find() != "" {
		t.Errorf("%q is for it, although it was switched off", find())
	}
	w.policy(PolicyPlaybook, "stuck-state", ``)
	if find() != "stuck-state" {
		t.Errorf("%q is for it, the built-in one again", find())
	}
}

func TestACheckpointOfAnotherVersionIsNotLoaded(t *testing.T) {
	x := New()
	if err := x.Restore([]byte(`{"version":99}`)); err == nil {
		t.Error("it was loaded")
	}
	if err := x.Restore([]byte(`{`)); err == nil {
		t.Error("broken JSON was loaded")
	}
	if _, due := x.Due(); due {
		t.Error("something is due")
	}
	x.Fire(&detect.New(nil).Network, 1)
}

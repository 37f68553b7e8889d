package provision_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/provision"
)

func TestTheClosestProfileDecides(t *testing.T) {
	one := func(id, value string, change func(*provision.Profile)) *provision.Profile {
		p := &provision.Profile{ID: id, Name: id, Settings: []provision.Setting{{Name: "SampledDataCtrlr/TxUpdatedInterval", Value: value}}}
		change(p)
		return p
	}
	all := []*provision.Profile{
		provision.Default(),
		one("site", "10", func(p *provision.Profile) { p.Sites = []string{"s1"} }),
		one("model", "20", func(p *provision.Profile) { p.Vendor, p.Model = "ABB", "Terra 1" }),
		one("maker", "40", func(p *provision.Profile) { p.Vendor = "abb" }),
		one("off", "1", func(p *provision.Profile) { p.Off = true }),
		one("left", "", func(p *provision.Profile) { p.Protocols, p.Settings[0].Leave = []string{"ocpp2.1"}, true }),
	}
	tests := map[string]struct {
		st   provision.Station
		want string // word=value of the interval
	}{
		"alternating current":            {provision.Station{Protocol: "ocpp1.6"}, "MeterValueSampleInterval=60"},
		"direct current":                 {provision.Station{Protocol: "ocpp2.0.1", DC: true}, "SampledDataCtrlr/TxUpdatedInterval=30"},
		"a maker":                        {provision.Station{Protocol: "ocpp1.6", Vendor: "ABB", Model: "Terra AC"}, "MeterValueSampleInterval=40"},
		"a model of it":                  {provision.Station{Protocol: "ocpp1.6", Vendor: "ABB", Model: "Terra 184 CC"}, "MeterValueSampleInterval=20"},
		"a site, whatever the model":     {provision.Station{Protocol: "ocpp1.6", Vendor: "ABB", Model: "Terra 184 CC", Site: "s1"}, "MeterValueSampleInterval=10"},
		"one that keeps what it has":     {provision.Station{Protocol: "ocpp2.1"}, ""},
		"a site decides over that, too":  {provision.Station{Protocol: "ocpp2.1", Site: "s1"}, "SampledDataCtrlr/TxUpdatedInterval=10"},
		"a maker with another beginning": {provision.Station{Protocol: "ocpp1.6", Vendor: "ABBOT"}, "MeterValueSampleInterval=60"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			plan := provision.For(all, &tc.st)
			got := ""
			for _, w := range plan.Wants {
				if w.Effect == provision.SampledInterval {
					got = w.Word + "=" + w.Value
				}
			}
			if got != tc.want {
				t.Errorf("%q of %v", got, plan.Profiles)
			}
		})
	}
}

func TestTheDefaultInEachVersion(t *testing.T) {
	for protocol, want := range map[string]string{
		"ocpp1.6":   "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Current.Offered,Power.Offered,SoC,Temperature / ",
		"ocpp2.0.1": "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Current.Offered,Power.Offered,SoC / Energy.Active.Import.Register",
	} {
		plan := provision.For([]*provision.Profile{provision.Default()}, &provision.Station{Protocol: protocol})
		got := make(map[string]string)
		for _, w := range plan.Wants {
			got[w.Name] = w.Value
		}
		if s := got["SampledDataCtrlr/TxUpdatedMeasurands"] + " / " + got["SampledDataCtrlr/TxEndedMeasurands"]; s != want || len(plan.Wants) != 7 {
			t.Errorf("%s: %d, %s", protocol, len(plan.Wants), s)
		}
	}
	if err := provision.Default().Check(); err != nil {
		t.Error(err)
	}
}

func TestProfilesThatAreRefused(t *testing.T) {
	for value, s := range map[string]provision.Setting{
		"settings[0].name":   {Name: "AuthorizationKey", Value: "x"},
		"settings[0].name ":  {Name: "SecurityCtrlr/BasicAuthPassword", Value: "x"},
		"settings[0].name/":  {Name: "A//B", Value: "x"},
		"settings[0].value":  {Name: "MeterValueSampleInterval", Value: "often"},
		"settings[0].value ": {Name: "SampledDataCtrlr/TxUpdatedInterval", Value: "30", DC: new("-1")},
		"settings[0].value/": {Name: "Display", Value: "a\x00b"},
	} {
		p := &provision.Profile{Name: "p", Settings: []provision.Setting{s}}
		var fault *provision.Fault
		if err := p.Check(); !errors.As(err, &fault) || fault.Field != strings.TrimRight(value, " /") {
			t.Errorf("%+v: %v", s, err)
		}
	}
	p := &provision.Profile{Name: "p", Settings: []provision.Setting{{Name: "MeterValueSampleInterval", Value: "30"}, {Name: "SampledDataCtrlr/TxUpdatedInterval", Value: "60"}}}
	if err := p.Check(); err == nil {
		t.Error("one setting twice, once by its key")
	}
}

// plan wants a list and an interval of a station of OCPP 1.6.
func plan(list string) *provision.Plan {
	p := provision.For([]*provision.Profile{{ID: "p", Settings: []provision.Setting{
		{Name: "SampledDataCtrlr/TxUpdatedInterval", Value: "60"}, {Name: "SampledDataCtrlr/TxUpdatedMeasurands", Value: list},
	}}}, &provision.Station{Protocol: "ocpp1.6"})
	return &p
}

func said(pairs ...string) map[string]*provision.Value {
	out := make(map[string]*provision.Value)
	for i := 0; i < len(pairs); i += 2 {
		out[strings.ToLower(pairs[i])] = &provision.Value{Text: &pairs[i+1]}
	}
	return out
}

func states(list []provision.Verdict) string {
	var out []string
	for _, v := range list {
		s := string(v.State)
		if v.Drifted {
			s += " drifted"
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

func TestDifferences(t *testing.T) {
	const list = "Energy.Active.Import.Register,Power.Active.Import,SoC"
	no := &provision.Taken{Yes: []string{"Energy.Active.Import.Register", "Power.Active.Import"}, No: []string{"SoC"}}
	held := provision.Compare(plan(list), said("MeterValueSampleInterval", "60", "MeterValuesSampledData", list), nil, nil)
	tests := map[string]struct {
		is     map[string]*provision.Value
		taken  *provision.Taken
		before []provision.Verdict
		want   string
	}{
		"nothing is known":                 {nil, nil, nil, "unread, unread"},
		"as wanted, in another order":      {said("MeterValueSampleInterval", "060", "MeterValuesSampledData", "SoC, power.active.import,Energy.Active.Import.Register"), nil, nil, "same, same"},
		"as it left the works":             {said("MeterValueSampleInterval", "0", "MeterValuesSampledData", "Energy.Active.Import.Register"), nil, nil, "differs, differs"},
		"a model that has no SoC":          {said("MeterValueSampleInterval", "60", "MeterValuesSampledData", "Power.Active.Import,Energy.Active.Import.Register"), no, nil, "same, partly"},
		"keys that it does not know":       {map[string]*provision.Value{"metervaluesampleinterval": nil, "metervaluessampleddata": {}}, nil, nil, "notSupported, unread"},
		"somebody changed it":              {said("MeterValueSampleInterval", "900", "MeterValuesSampledData", list), nil, held, "differs drifted, same"},
		"what was found out stays":         {nil, nil, held, "same, same"},
		"a value that is no number at all": {said("MeterValueSampleInterval", "{}", "MeterValuesSampledData", ""), nil, nil, "differs, differs"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			taken := map[string]*provision.Taken{"MeterValuesSampledData": tc.taken}
			if got := states(provision.Compare(plan(list), tc.is, taken, tc.before)); got != tc.want {
				t.Error(got)
			}
		})
	}
}

func TestWhatARestartBrings(t *testing.T) {
	p := plan("SoC")
	list := provision.Compare(p, said("MeterValueSampleInterval", "0", "MeterValuesSampledData", "SoC"), nil, nil)
	list[0].Took("60", "RebootRequired")
	list = provision.Compare(p, said("MeterValueSampleInterval", "60", "MeterValuesSampledData", "SoC"), nil, list)
	if got := states(list); got != "atRestart, same" {
		t.Errorf("before it restarted: %s", got)
	}
}

func TestProbing(t *testing.T) {
	wish := []string{"A", "B", "C", "D"}
	tests := map[string]struct {
		takes  func(list []string) bool
		most   int
		taken  string
		no     string
		atMost int
	}{
		"all at once":           {func([]string) bool { return true }, 0, "A B C D", "", 1},
		"one that it refuses":   {func(l []string) bool { return !slices.Contains(l, "B") }, 0, "A C D", "B", 5},
		"room for two, untold":  {func(l []string) bool { return len(l) <= 2 }, 0, "A B", "C D", 5},
		"room for two, as told": {func(l []string) bool { return len(l) <= 2 }, 2, "A B", "", 1},
		"it refuses everything": {func([]string) bool { return false }, 0, "", "", 5},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p, n := provision.NewProbe(wish, tc.most), 0
			var has []string
			for list, more := p.Next(); more; list, more = p.Next() {
				if n++; n > 20 {
					t.Fatal("it goes on for ever")
				}
				ok := tc.takes(list)
				if ok {
					has = slices.Clone(list)
				}
				p.Said(ok)
			}
			list, found := p.Taken()
			no := ""
			if found != nil {
				no = strings.Join(found.No, " ")
			}
			if strings.Join(list, " ") != tc.taken || no != tc.no || !slices.Equal(list, has) || n > tc.atMost {
				t.Errorf("%v without %q in %d; it has %v", list, no, n, has)
			}
		})
	}
}

func TestWhatIsMeasuredProvesIt(t *testing.T) {
	const list = "Energy.Active.Import.Register,Power.Active.Import,SoC"
	tests := map[string]struct {
		every  time.Duration
		n      int
		names  []string
		dc     bool
		want   string
		unseen string
	}{
		"too little yet":             {time.Minute, 2, []string{"Energy.Active.Import.Register"}, true, "same, same", ""},
		"as told":                    {time.Minute, 3, []string{"Energy.Active.Import.Register", "Power.Active.Import", "SoC"}, true, "verified, verified", ""},
		"a car that says nothing":    {time.Minute, 5, []string{"Energy.Active.Import.Register", "Power.Active.Import"}, false, "verified, verified", ""},
		"accepted, and not measured": {time.Minute, 5, []string{"Energy.Active.Import.Register"}, true, "verified, accepted", "Power.Active.Import SoC"},
		"accepted, and not as often": {15 * time.Minute, 5, []string{"Energy.Active.Import.Register", "Power.Active.Import", "SoC"}, true, "accepted, verified", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			verdicts := provision.Compare(plan(list), said("MeterValueSampleInterval", "60", "MeterValuesSampledData", list), nil, nil)
			var seen provision.Seen
			at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
			for i := range tc.n {
				seen.Add(at.Add(time.Duration(i)*tc.every), tc.names)
				provision.Verify(verdicts, &seen, tc.dc)
			}
			if got := states(verdicts); got != tc.want || strings.Join(verdicts[1].Unseen, " ") != tc.unseen {
				t.Errorf("%s, unseen %v", got, verdicts[1].Unseen)
			}
		})
	}
}

package knowledge

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/chargewatch/chargewatch/internal/event"
)

func open(t testing.TB, files ...File) *Knowledge {
	t.Helper()
	k, err := Open(files...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// user is a pack of an operator with the entries given.
func user(name, entries string) File {
	return File{Name: name, Data: []byte(`{"format":1,"title":"Ours","entries":[` + entries + `]}`)}
}

const whole = `"title":"Fan","meaning":"A fan stands still","acts":"technician","severity":"S3","reset":"no","remedy":{"en":"Send","de":"Schicken"}`

func TestExplain(t *testing.T) {
	k := open(t,
		user("a.json", `{"id":"our.fan","match":{"vendor":"acme*","vendorCode":"PM-0107"},`+whole+`},
			{"id":"our.fan.big","match":{"vendor":"acme*","model":"*350","vendorCode":"PM-0107"},`+whole+`},
			{"id":"our.cable","like":"mrec.CX019","severity":"S1","match":{"vendorCode":"0x17"}},
			{"id":"our.reader","like":"our.cable","title":"Reader","safety":false,"reset":"yes","match":{"vendor":"acme","code":"ReaderFailure"}}`))
	for name, tc := range map[string]struct {
		q    Query
		want string
	}{
		"a code of OCPP 1.6":                         {Query{Protocol: "ocpp1.6", Code: "ReaderFailure"}, "ocpp16.ReaderFailure"},
		"the operator's own word about it":           {Query{Vendor: "ACME", Protocol: "ocpp1.6", Code: "ReaderFailure"}, "our.reader"},
		"a ChargeX code beside it says more":         {Query{Protocol: "ocpp1.6", Code: "OtherError", VendorID: "https://chargex.inl.gov", VendorCode: "CX026"}, "mrec.CX026"},
		"a ChargeX code without its vendor id":       {Query{Protocol: "ocpp1.6", Code: "OtherError", VendorCode: "cx011"}, "mrec.CX011"},
		"a ChargeX code in the info":                 {Query{Protocol: "ocpp1.6", Code: "OtherError", VendorCode: "17", Info: "isolation (CX011)"}, "mrec.CX011"},
		"a ChargeX code as technical code of 2.x":    {Query{Protocol: "ocpp2.0.1", Component: "EVSE", Variable: "Problem", VendorCode: "CX002"}, "mrec.CX002"},
		"an EVgo code":                               {Query{Protocol: "ocpp1.6", Code: "OtherError", VendorID: "com.evgo.mrec", VendorCode: "F008", Info: "70"}, "evgo.F008"},
		"of two EVgo codes the worse":                {Query{Protocol: "ocpp1.6", Code: "OtherError", VendorID: "com.evgo.mrec", VendorCode: "F001,F010", Info: "1.11,"}, "evgo.F010"},
		"a code like EVgo's of someone else":         {Query{Protocol: "ocpp1.6", Code: "OtherError", VendorID: "acme", VendorCode: "F008"}, "ocpp16.OtherError"},
		"a vendor's code, as the operator knows it":  {Query{Vendor: "Acme GmbH", Model: "DC50", VendorCode: "PM-0107"}, "our.fan"},
		"the same at a model that has its own entry": {Query{Vendor: "Acme GmbH", Model: "DC350", VendorCode: "PM-0107"}, "our.fan.big"},
		"the same of another vendor":                 {Query{Vendor: "Other", Protocol: "ocpp1.6", Code: "InternalError", VendorCode: "PM-0107"}, "ocpp16.InternalError"},
		"a vendor's own sentence":                    {Query{Protocol: "ocpp1.6", Code: "powerSwitchFailure", Info: "Contactor welded"}, "bender.ContactorWelded"},
		"a component of 2.x":                         {Query{Protocol: "ocpp2.1", Component: "ConnectorPlugRetentionLock", Variable: "Problem"}, "ocpp2.ConnectorPlugRetentionLock.Problem"},
		"a component nobody knows":                   {Query{Protocol: "ocpp2.0.1", Component: "Flux", Variable: "Tripped"}, "ocpp2.Any.Tripped"},
		"a security event":                           {Query{SecurityEvent: "TamperDetectionActivated"}, "security.TamperDetectionActivated"},
		"a security event by its name in 1.6":        {Query{SecurityEvent: "InvalidCentralSystemCertificate"}, "security.InvalidCentralSystemCertificate"},
		"a finding by its detector":                  {Query{Finding: "something", Detector: "D05"}, "finding.D05"},
		"nothing":                                    {Query{}, ""},
		"a code of 1.6 in 2.x":                       {Query{Protocol: "ocpp2.0.1", Code: "ReaderFailure"}, ""},
		"a word nobody knows":                        {Query{Protocol: "ocpp1.6", Code: "Flux"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			e, ok := k.Explain(tc.q)
			if e.ID != tc.want || ok != (tc.want != "") {
				t.Errorf("%q %v, want %q", e.ID, ok, tc.want)
			}
		})
	}
}

func TestLike(t *testing.T) {
	k := open(t, user("a.json", `{"id":"x","like":"mrec.CX019","severity":"S1","match":{"vendorCode":"0x17"},"verified":true,"source":"manual 7"}`))
	got, _ := k.Entry("x")
	of, _ := k.Entry("mrec.CX019")
	if got.Title != of.Title || got.Severity != event.S1 || !got.Safety || got.Reset != ResetNever || len(got.Checks) != len(of.Checks) || got.Source != "manual 7" || got.Layer != LayerUser || !got.Verified {
		t.Errorf("%+v", got)
	}
}

// What a pack may not hold, with the place that is named.
func TestRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		pack string
		want string
	}{
		"no JSON":          {`{"format":1,`, "p.json:1: it ends too early"},
		"a comma too many": {"{\n\"format\":1,\n}", "p.json:3: invalid character '}'"},
		"two documents":    {`{} {}`, "p.json:1: something follows the end"},
		"another format":   {`{"format":2,"title":"x","entries":[]}`, "p.json:1: format: must be 1"},
		"a list":           {`[]`, "p.json:1: must be an object"},
		"no entries":       {`{"format":1,"title":"x"}`, "p.json:1: entries: is missing"},
		"an unknown field": {`{"format":1,"title":"x","entries":[],"color":"red"}`, "p.json:1: color: there is no such field"},
		"a name twice":     {"{\"format\":1,\n\"format\":1}", `p.json:2: "format" stands twice`},
		"deep nesting":     {strings.Repeat("[", 20), "p.json:1: nested deeper than 8"},
		"not UTF-8":        {"{\"title\":\"\xff\"}", "p.json:1: not UTF-8"},
		"an id twice": {"{\"format\":1,\"title\":\"x\",\"entries\":[\n{\"id\":\"a\",\"match\":{\"code\":\"1\"}," + whole + "},\n{\"id\":\"a\",\"match\":{\"code\":\"1\"}," + whole + "}]}",
			"p.json:3: entry a: id: stands twice"},
		"an id that is none":             {entry(`"id":"a b","match":{"code":"1"},` + whole), "p.json:2: entry 1: id: must be letters, digits and . _ : -"},
		"a match of nothing":             {entry(`"id":"a","match":{"vendor":"x"},` + whole), "p.json:2: entry a: match: names no code, component, variable, info, security event or finding"},
		"an unknown severity":            {entry(`"id":"a","match":{"code":"1"},"title":"x","meaning":"x","acts":"driver","severity":"S5","reset":"no","remedy":{"en":"x","de":"x"}`), "p.json:2: entry a: severity: must be one of S1 S2 S3 S4"},
		"a missing meaning":              {entry(`"id":"a","match":{"code":"1"},"title":"x","acts":"driver","severity":"S4","reset":"no","remedy":{"en":"x","de":"x"}`), "p.json:2: entry a: meaning: is missing"},
		"one language":                   {entry(`"id":"a","match":{"code":"1"},"title":{"en":"x"},"meaning":"x","acts":"driver","severity":"S4","reset":"no","remedy":{"en":"x","de":"x"}`), "p.json:2: entry a: title.de: is missing"},
		"a number as text":               {entry(`"id":"a","match":{"code":1},` + whole), "p.json:2: entry a: match.code: must be text"},
		"a danger reset away":            {entry(`"id":"a","match":{"code":"1"},"safety":true,"title":"x","meaning":"x","acts":"driver","severity":"S1","reset":"yes","remedy":{"en":"x","de":"x"}`), "p.json:2: entry a: reset: a danger is never reset away: no or never"},
		"an inherited danger reset away": {entry(`"id":"a","match":{"code":"1"},"like":"ocpp16.GroundFailure","reset":"yes"`), "p.json:2: entry a: reset: a danger is never reset away: no or never"},
		"like what is not there":         {entry(`"id":"a","match":{"code":"1"},"like":"b"`), "p.json:2: entry a: like: there is no entry b before this one"},
		"a control character":            {entry(`"id":"a","match":{"code":"\u0000"},` + whole), "p.json:2: entry a: match.code: holds a control character"},
		"a long text":                    {entry(`"id":"a","match":{"code":"` + strings.Repeat("x", 201) + `"},` + whole), "p.json:2: entry a: match.code: is longer than 200 bytes"},
		"too many parts":                 {entry(`"id":"a","match":{"code":"1"},"parts":["x"` + strings.Repeat(`,"x"`, 20) + `],` + whole), "p.json:2: entry a: parts: has more than 20 items"},
		"a part without words":           {entry(`"id":"a","match":{"code":"1"},"parts":[" "],` + whole), "p.json:2: entry a: parts[0]: is empty"},
		"a large file":                   {strings.Repeat(" ", maxSize+1), "p.json:1: larger than 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			k := open(t, File{Name: "p.json", Data: []byte(tc.pack)})
			s := k.States()[len(k.States())-1]
			if s.Name != "p.json" || len(s.Faults) == 0 || !strings.HasPrefix(s.Faults[0].String(), tc.want) {
				t.Errorf("got %v\nwant %s", s.Faults, tc.want)
			}
			if _, ok := k.Entry("a"); ok {
				t.Error("something of it is used")
			}
		})
	}
}

func entry(fields string) string {
	return "{\"format\":1,\"title\":\"x\",\"entries\":[\n{" + fields + "}]}"
}

func TestAllFaultsAreNamedUpToALimit(t *testing.T) {
	_, err := Parse("p.json", []byte(`{"format":1,"title":"x","entries":[`+strings.Repeat(`{},`, 50)+`{}]}`))
	var faults Faults
	if !errors.As(err, &faults) || len(faults) != maxFaults {
		t.Errorf("%d faults", len(faults))
	}
}

func TestAPackThatCannotBeReadIsListed(t *testing.T) {
	k := open(t, File{Name: "p.json", Err: os.ErrPermission}, user("q.json", `{"id":"x","match":{"code":"1"},`+whole+`}`))
	s := k.States()[len(builtin()):]
	if len(s) != 2 || len(s[0].Faults) != 1 || s[1].Faults != nil || s[1].Entries != 1 || s[1].Unverified != 1 {
		t.Errorf("%+v", s)
	}
}

// Our own packs: whole, in two languages, consistent, and complete.
func TestEmbeddedPacks(t *testing.T) {
	k := open(t)
	for n := 1; n <= 26; n++ {
		if e, ok := k.Explain(Query{VendorCode: fmt.Sprintf("CX%03d", n)}); !ok || e.ID != fmt.Sprintf("mrec.CX%03d", n) {
			t.Errorf("CX%03d: %s", n, e.ID)
		}
	}
	for _, code := range []string{"ConnectorLockFailure", "EVCommunicationError", "GroundFailure", "HighTemperature", "InternalError", "LocalListConflict", "NoError", "OtherError",
		"OverCurrentFailure", "OverVoltage", "PowerMeterFailure", "PowerSwitchFailure", "ReaderFailure", "ResetFailure", "UnderVoltage", "WeakSignal"} {
		if _, ok := k.Explain(Query{Protocol: "ocpp1.6", Code: code}); !ok {
			t.Errorf("nothing about %s", code)
		}
	}
	dangerous := []string{"mrec.CX002", "mrec.CX017", "mrec.CX019", "mrec.CX024", "mrec.CX026", "ocpp16.PowerSwitchFailure", "evgo.F010", "bender.ContactorWelded", "ocpp2.PowerContactor.Problem"}
	for _, id := range dangerous {
		if e, _ := k.Entry(id); !e.Safety || e.Reset != ResetNever || e.Remedy.Playbook != "disable" {
			t.Errorf("%s may be reset: %+v", id, e.Remedy)
		}
	}
	for id, e := range k.byID {
		for what, text := range map[string]Text{"title": e.Title, "meaning": e.Meaning, "remedy": e.Remedy.Text} {
			if text.EN == "" || text.DE == "" || text.EN == text.DE {
				t.Errorf("%s: %s in both languages: %+v", id, what, text)
			}
		}
		for _, text := range append(e.Parts, e.Checks...) {
			if text.EN == "" || text.DE == "" {
				t.Errorf("%s: %+v", id, text)
			}
		}
		if e.Acts == "" || e.Severity == "" || e.Reset == "" || e.Source == "" {
			t.Errorf("%s is not whole: %+v", id, e)
		}
		if utf8.RuneCountInString(e.Title.EN) > 60 || utf8.RuneCountInString(e.Title.DE) > 60 {
			t.Errorf("%s: a title of more than 60 letters", id)
		}
		if e.Severity == event.S1 && (!e.Safety || e.Reset != ResetNever) {
			t.Errorf("%s is S1 and may be reset", id)
		}
	}
	for _, s := range k.States() {
		t.Logf("%-15s %3d entries, %d unverified", s.Name, s.Entries, s.Unverified)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(entry(`"id":"a","match":{"code":"1","vendor":"*a*b*"},` + whole)))
	f.Add([]byte(entry(`"id":"a","match":{"info":"x"},"like":"a","parts":["x",{"en":"x","de":"y"}],"safety":true,` + whole)))
	f.Add([]byte(`{"format":1e0,"title":{"en":null},"entries":[[],{"id":{}}]}`))
	f.Add([]byte("{\"a\":[[[[[[[[[[1]]]]]]]]]],\"a\":2}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse("p.json", data)
		var faults Faults
		if err != nil {
			if !errors.As(err, &faults) || len(faults) == 0 || len(faults) > maxFaults {
				t.Fatalf("refused without a reason: %v", err)
			}
			for _, fault := range faults {
				if fault.File != "p.json" || fault.Text == "" || fault.Line > 1+strings.Count(string(data), "\n") {
					t.Errorf("a fault without a place: %+v", fault)
				}
			}
			return
		}
		k := &Knowledge{keyed: make(map[string][]*Entry), byID: make(map[string]*Entry)}
		if k.add(p) != nil {
			return
		}
		for _, e := range p.Entries {
			q := Query{
				Protocol: e.Match.Protocol, Code: e.Match.Code, VendorID: e.Match.VendorID, Info: e.Match.Info, Component: e.Match.Component,
				Variable: e.Match.Variable, SecurityEvent: e.Match.Security, Finding: e.Match.Finding, VendorCode: e.Match.VendorCode,
				Vendor: strings.ReplaceAll(e.Match.Vendor, "*", "x"), Model: strings.ReplaceAll(e.Match.Model, "*", "x"),
			}
			if _, ok := k.Explain(q); !ok && e.Match.Token == "" {
				t.Errorf("%+v does not find itself", e.Match)
			}
		}
	})
}

func BenchmarkExplain(b *testing.B) {
	k := open(b)
	q := Query{Vendor: "ACME", Model: "DC350", Protocol: "ocpp1.6", Code: "OtherError", VendorCode: "CX011", Info: "cable check failed, isolation 88 kOhm"}
	b.ReportAllocs()
	for b.Loop() {
		k.Explain(q)
	}
}

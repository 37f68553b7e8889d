package spec_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj/spec"
)

func parse(t testing.TB, text string) jsondoc.Node {
	t.Helper()
	var d jsondoc.Doc
	if err := d.Parse([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return d.Root()
}

func TestWhoSendsWhat(t *testing.T) {
	table := spec.New()
	counts := map[ocppj.Version][2]int{ocppj.V16: {14, 26}, ocppj.V201: {25, 40}, ocppj.V21: {37, 55}}
	for v, want := range counts {
		from, to := table.Actions(v, spec.FromStation), table.Actions(v, spec.ToStation)
		if len(from) != want[0] || len(to) != want[1] {
			t.Errorf("%v: %d from the station, %d to it, want %v", v, len(from), len(to), want)
		}
		for _, a := range from {
			if slices.Contains(to, a) && a != "DataTransfer" {
				t.Errorf("%v: %s goes both ways", v, a)
			}
			if !table.Known(v, a) || !table.FromStation(v, a) || table.ToStation(v, a) != (a == "DataTransfer") {
				t.Errorf("%v: %s is from the station", v, a)
			}
			if answered := a != "NotifyPeriodicEventStream"; table.Answered(v, a) != answered {
				t.Errorf("%v: %s answered %v", v, a, !answered)
			}
		}
	}
	if table.Known(ocppj.V16, "TransactionEvent") || table.Known(ocppj.V201, "BatterySwap") || table.Known(0, "Heartbeat") {
		t.Error("an action is known to a version that does not have it")
	}
	if table.Known(ocppj.V16, "heartbeat") {
		t.Error("actions have capitals")
	}
}

func TestCheckRequest(t *testing.T) {
	tests := map[string]struct {
		v       ocppj.Version
		action  string
		payload string
		want    []string // code path
		quirk   string   // of the first
	}{
		"all is well": {
			v: ocppj.V16, action: "StatusNotification",
			payload: `{"connectorId":1,"errorCode":"NoError","status":"Available"}`,
		},
		"what is required is missing": {
			v: ocppj.V16, action: "StatusNotification", payload: `{"status":"Available"}`,
			want: []string{"missing /connectorId", "missing /errorCode"}, quirk: "missing:/connectorId",
		},
		"nothing at all": {
			v: ocppj.V16, action: "Authorize", payload: `null`,
			want: []string{"missing /idTag"}, quirk: "missing:/idTag",
		},
		"no object": {
			v: ocppj.V16, action: "Heartbeat", payload: `[]`,
			want: []string{"wrongType "}, quirk: "wrongType:",
		},
		"a field nobody knows": {
			v: ocppj.V16, action: "Heartbeat", payload: `{"a/b~c":1}`,
			want: []string{"unknownField /a~1b~0c"}, quirk: "unknownField:/a~1b~0c",
		},
		"a serial of 26 characters": {
			v: ocppj.V16, action: "BootNotification",
			payload: `{"chargePointVendor":"V","chargePointModel":"M","chargePointSerialNumber":"ABCDEFGHIJKLMNOPQRSTUVWXYZ"}`,
			want:    []string{"tooLong /chargePointSerialNumber"}, quirk: "tooLong:/chargePointSerialNumber",
		},
		"characters are counted, not bytes": {
			v: ocppj.V16, action: "BootNotification",
			payload: `{"chargePointVendor":"éééééééééééééééééééé","chargePointModel":"M"}`,
		},
		"a word that is not in the list": {
			v: ocppj.V16, action: "StatusNotification",
			payload: `{"connectorId":1,"errorCode":"No Error","status":"Available"}`,
			want:    []string{"unknownEnum /errorCode"}, quirk: "unknownEnum:/errorCode",
		},
		"deep inside, the quirk has no index": {
			v: ocppj.V16, action: "MeterValues",
			payload: `{"connectorId":1,"meterValue":[{"timestamp":"2026-08-22T10:15:30Z","sampledValue":[{"value":"1"},{"value":"2","unit":"wh"}]}]}`,
			want:    []string{"unknownEnum /meterValue/0/sampledValue/1/unit"}, quirk: "unknownEnum:/meterValue/*/sampledValue/*/unit",
		},
		"a number as text": {
			v: ocppj.V16, action: "StatusNotification",
			payload: `{"connectorId":"1","errorCode":"NoError","status":"Available"}`,
			want:    []string{"wrongType /connectorId"}, quirk: "wrongType:/connectorId",
		},
		"a fraction where a whole number belongs": {
			v: ocppj.V16, action: "StartTransaction",
			payload: `{"connectorId":1,"idTag":"A","meterStart":1.5,"timestamp":"2026-08-22T10:15:30Z"}`,
			want:    []string{"wrongType /meterStart"}, quirk: "wrongType:/meterStart",
		},
		"null in an optional field": {
			v: ocppj.V201, action: "BootNotification",
			payload: `{"reason":"PowerUp","chargingStation":{"vendorName":"V","model":"M","serialNumber":null}}`,
			want:    []string{"null /chargingStation/serialNumber"}, quirk: "null:/chargingStation/serialNumber",
		},
		"times": {
			v: ocppj.V16, action: "StatusNotification",
			payload: `{"connectorId":1,"errorCode":"NoError","status":"Available","timestamp":"2026-08-22T10:15:30"}`,
			want:    []string{"noZone /timestamp"}, quirk: "noZone:/timestamp",
		},
		"a time that is none": {
			v: ocppj.V16, action: "StatusNotification",
			payload: `{"connectorId":1,"errorCode":"NoError","status":"Available","timestamp":"soon"}`,
			want:    []string{"badTime /timestamp"}, quirk: "badTime:/timestamp",
		},
		"a limit with two decimals": {
			v: ocppj.V16, action: "SetChargingProfile",
			payload: `{"connectorId":1,"csChargingProfiles":{"chargingProfileId":1,"stackLevel":0,"chargingProfilePurpose":"TxProfile",
				"chargingProfileKind":"Absolute","chargingSchedule":{"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":6.25}]}}}`,
			want:  []string{"outOfRange /csChargingProfiles/chargingSchedule/chargingSchedulePeriod/0/limit"},
			quirk: "outOfRange:/csChargingProfiles/chargingSchedule/chargingSchedulePeriod/*/limit",
		},
		"a place that is none": {
			v: ocppj.V16, action: "GetDiagnostics", payload: `{"location":"not a place"}`,
			want: []string{"badURI /location"}, quirk: "badURI:/location",
		},
		"too few elements": {
			v: ocppj.V201, action: "GetVariables", payload: `{"getVariableData":[]}`,
			want: []string{"itemCount /getVariableData"}, quirk: "itemCount:/getVariableData",
		},
		"below the minimum of 2.1": {
			v: ocppj.V21, action: "StatusNotification",
			payload: `{"timestamp":"2026-08-22T10:15:30Z","connectorStatus":"Available","evseId":-1,"connectorId":1}`,
			want:    []string{"outOfRange /evseId"}, quirk: "outOfRange:/evseId",
		},
		"custom data is open": {
			v: ocppj.V201, action: "Heartbeat", payload: `{"customData":{"vendorId":"V","anything":[1]}}`,
		},
		"custom data needs its vendor": {
			v: ocppj.V201, action: "Heartbeat", payload: `{"customData":{}}`,
			want: []string{"missing /customData/vendorId"}, quirk: "missing:/customData/vendorId",
		},
		"an action of another version": {
			v: ocppj.V16, action: "TransactionEvent", payload: `{}`,
			want: []string{"unknownAction "}, quirk: "unknownAction:",
		},
	}
	table := spec.New()
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			faults := table.CheckRequest(tt.v, tt.action, parse(t, tt.payload))
			var got []string
			for _, f := range faults {
				got = append(got, f.Code+" "+f.Path)
				if f.Message == "" {
					t.Errorf("%s has no sentence", f.Path)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, tt.want) {
				t.Fatalf("got %q", got)
			}
			if len(faults) > 0 && faults[0].Quirk().String() != tt.quirk {
				t.Fatalf("the quirk is %q", faults[0].Quirk())
			}
		})
	}
}

func TestFaultsAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range 1000 {
		b.WriteString(`,"` + strings.Repeat("x", i+1) + `":1`)
	}
	faults := spec.New().CheckRequest(ocppj.V16, "Heartbeat", parse(t, "{"+b.String()[1:]+"}"))
	if len(faults) != 32 {
		t.Fatalf("%d faults", len(faults))
	}
}

// A fault may be logged, so it must not carry what a payload says of a person.
func TestFaultsDoNotRepeatTokens(t *testing.T) {
	const token = "04AABBCCDDEEFF00112233445566"
	for _, f := range spec.New().CheckRequest(ocppj.V16, "Authorize", parse(t, `{"idTag":"`+token+`"}`)) {
		if strings.Contains(f.String(), token[:8]) {
			t.Errorf("the fault shows the token: %s", f)
		}
	}
}

func TestQuirksOfOneMessageCountOnce(t *testing.T) {
	faults := []spec.Fault{
		{Code: "unknownEnum", Path: "/meterValue/0/sampledValue/0/unit"},
		{Code: "unknownEnum", Path: "/meterValue/0/sampledValue/1/unit"},
		{Code: "wrongType", Path: "/connectorId"},
	}
	more := []ocppj.Quirk{{Code: "wrongType", Path: "/connectorId"}, {Code: "clockUnset", Path: "/timestamp"}}
	var got []string
	for _, q := range spec.Quirks(faults, more) {
		got = append(got, q.String())
	}
	want := []string{"wrongType:/connectorId", "clockUnset:/timestamp", "unknownEnum:/meterValue/*/sampledValue/*/unit"}
	if !slices.Equal(got, want) {
		t.Fatalf("got %q", got)
	}
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte(`{"connectorId":1,"meterValue":[{"timestamp":"x","sampledValue":[{"value":1}]}]}`))
	f.Add([]byte(`{"customData":{"vendorId":"V"},"eventData":[{}],"tbc":1}`))
	table := spec.New()
	f.Fuzz(func(t *testing.T, text []byte) {
		var d jsondoc.Doc
		if d.Parse(text) != nil {
			return
		}
		for _, v := range ocppj.Versions() {
			for _, dir := range []spec.Direction{spec.FromStation, spec.ToStation} {
				for _, a := range table.Actions(v, dir) {
					for _, fault := range table.CheckRequest(v, a, d.Root()) {
						fault.Quirk()
					}
				}
			}
		}
	})
}

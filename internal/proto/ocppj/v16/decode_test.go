package v16_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj/reading"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj/spec"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj/v16"
)

func at(h, m, s int) reading.Time {
	return reading.Time{At: time.Date(2026, 8, 22, h, m, s, 0, time.UTC)}
}

func names(quirks []ocppj.Quirk) []string {
	var all []string
	for _, q := range quirks {
		all = append(all, q.String())
	}
	slices.Sort(all)
	return all
}

// What real stations send, as their users and the authors of other systems
// report it: each is read, and what is odd about it has a name.
func TestQuirksOfRealStations(t *testing.T) {
	tests := map[string]struct {
		action  string
		payload string
		want    v16.Message
		quirks  []string // of check and decoder together
	}{
		"a serial of 26 characters (Schneider)": {
			"BootNotification",
			`{"chargePointVendor":"Schneider Electric","chargePointModel":"MONOBLOCK","chargePointSerialNumber":"3N204823021C1S1B7551700014"}`,
			&v16.BootNotification{Vendor: "Schneider Electric", Model: "MONOBLOCK", Serial: "3N204823021C1S1B7551700014"},
			[]string{"tooLong:/chargePointSerialNumber"},
		},
		"a model of 23 characters": {
			"BootNotification", `{"chargePointVendor":"V","chargePointModel":"EXAMPLE-MODEL-OF-23-CHR"}`,
			&v16.BootNotification{Vendor: "V", Model: "EXAMPLE-MODEL-OF-23-CHR"},
			[]string{"tooLong:/chargePointModel"},
		},
		"null for what is not known": {
			"BootNotification", `{"chargePointVendor":"V","chargePointModel":"M","iccid":null,"imsi":null}`,
			&v16.BootNotification{Vendor: "V", Model: "M"},
			[]string{"null:/iccid", "null:/imsi"},
		},
		"a boot without model, and a field of the vendor's own": {
			"BootNotification", `{"chargePointVendor":"V","mac":"00:11"}`,
			&v16.BootNotification{Vendor: "V"},
			[]string{"missing:/chargePointModel", "unknownField:/mac"},
		},
		"a serial that is a number": {
			"BootNotification", `{"chargePointVendor":"V","chargePointModel":"M","chargePointSerialNumber":100234}`,
			&v16.BootNotification{Vendor: "V", Model: "M", Serial: "100234"},
			[]string{"wrongType:/chargePointSerialNumber"},
		},
		"No Error in two words": {
			"StatusNotification", `{"connectorId":1,"errorCode":"No Error","status":"Available","timestamp":"2026-08-22T10:15:30Z"}`,
			&v16.StatusNotification{Connector: 1, ErrorCode: "No Error", Status: "Available", At: at(10, 15, 30)},
			[]string{"unknownEnum:/errorCode"},
		},
		"a connector as text": {
			"StatusNotification", `{"connectorId":"2","errorCode":"NoError","status":"Charging"}`,
			&v16.StatusNotification{Connector: 2, ErrorCode: "NoError", Status: "Charging"},
			[]string{"wrongType:/connectorId"},
		},
		"an info of 80 characters": {
			"StatusNotification",
			`{"connectorId":1,"errorCode":"OtherError","status":"Faulted","info":"` + strings.Repeat("0123456789", 8) + `","vendorErrorCode":"CX026"}`,
			&v16.StatusNotification{
				Connector: 1, ErrorCode: "OtherError", Status: "Faulted",
				Info: strings.Repeat("0123456789", 8), VendorError: "CX026",
			},
			[]string{"tooLong:/info"},
		},
		"a time without zone": {
			"StatusNotification", `{"connectorId":1,"errorCode":"NoError","status":"Available","timestamp":"2026-08-22T10:15:30"}`,
			&v16.StatusNotification{
				Connector: 1, ErrorCode: "NoError", Status: "Available",
				At: reading.Time{At: at(10, 15, 30).At, Raw: "2026-08-22T10:15:30"},
			},
			[]string{"noZone:/timestamp"},
		},
		"a time with a blank and no zone": {
			"StatusNotification", `{"connectorId":1,"errorCode":"NoError","status":"Available","timestamp":"2026-08-22 10:15:30"}`,
			&v16.StatusNotification{
				Connector: 1, ErrorCode: "NoError", Status: "Available",
				At: reading.Time{At: at(10, 15, 30).At, Raw: "2026-08-22 10:15:30"},
			},
			[]string{"timeForm:/timestamp"},
		},
		"a time that is none stays as text": {
			"StatusNotification", `{"connectorId":1,"errorCode":"NoError","status":"Available","timestamp":"0000-00-00T00:00:00Z"}`,
			&v16.StatusNotification{
				Connector: 1, ErrorCode: "NoError", Status: "Available",
				At: reading.Time{Raw: "0000-00-00T00:00:00Z"},
			},
			[]string{"badTime:/timestamp"},
		},
		"a clock that was never set": {
			"StatusNotification", `{"connectorId":0,"errorCode":"NoError","status":"Available","timestamp":"1970-01-01T00:00:07Z"}`,
			&v16.StatusNotification{
				ErrorCode: "NoError", Status: "Available",
				At: reading.Time{At: time.Date(1970, 1, 1, 0, 0, 7, 0, time.UTC)},
			},
			[]string{"clockUnset:/timestamp"},
		},
		"a status nobody defined": {
			"StatusNotification", `{"connectorId":1,"errorCode":"NoError","status":"Occupied"}`,
			&v16.StatusNotification{Connector: 1, ErrorCode: "NoError", Status: "Occupied"},
			[]string{"unknownEnum:/status"},
		},
		"a sample that is a number, a unit in small letters": {
			"MeterValues",
			`{"connectorId":1,"transactionId":17,"meterValue":[{"timestamp":"2026-08-22T10:15:30Z","sampledValue":[{"value":1523.4,"unit":"wh"}]}]}`,
			&v16.MeterValues{Connector: 1, Transaction: new(int64(17)), Values: []reading.MeterValue{{
				At: at(10, 15, 30),
				Samples: []reading.Sample{{
					Value: 1523.4, OK: true, Raw: "1523.4", Measurand: "Energy.Active.Import.Register",
					Location: "Outlet", Context: "Sample.Periodic", Unit: "wh", Format: "Raw",
				}},
			}}},
			[]string{"unknownEnum:/meterValue/*/sampledValue/*/unit", "wrongType:/meterValue/*/sampledValue/*/value"},
		},
		"kilowatt hours, as they say": {
			"MeterValues",
			`{"connectorId":1,"meterValue":[{"timestamp":"2026-08-22T10:15:30Z","sampledValue":[{"value":"12.5","unit":"kWh"}]}]}`,
			&v16.MeterValues{Connector: 1, Values: []reading.MeterValue{{
				At: at(10, 15, 30),
				Samples: []reading.Sample{{
					Value: 12.5, OK: true, Raw: "12.5", Measurand: "Energy.Active.Import.Register",
					Location: "Outlet", Context: "Sample.Periodic", Unit: "kWh", Format: "Raw",
				}},
			}}},
			nil,
		},
		"signed data are text, not a value": {
			"MeterValues",
			`{"connectorId":1,"meterValue":[{"timestamp":"2026-08-22T10:15:30Z","sampledValue":[{"value":"OCMF|{}","format":"SignedData"}]}]}`,
			&v16.MeterValues{Connector: 1, Values: []reading.MeterValue{{
				At: at(10, 15, 30),
				Samples: []reading.Sample{{
					Raw: "OCMF|{}", Measurand: "Energy.Active.Import.Register",
					Location: "Outlet", Context: "Sample.Periodic", Unit: "Wh", Format: "SignedData",
				}},
			}}},
			nil,
		},
		"a value that is none, and power without unit": {
			"MeterValues",
			`{"connectorId":1,"meterValue":[{"timestamp":"2026-08-22T10:15:30Z","sampledValue":[{"value":"n/a","measurand":"Power.Active.Import"},{"value":"7"}]}]}`,
			&v16.MeterValues{Connector: 1, Values: []reading.MeterValue{{
				At: at(10, 15, 30),
				Samples: []reading.Sample{
					{
						Raw: "n/a", Measurand: "Power.Active.Import", Location: "Outlet",
						Context: "Sample.Periodic", Format: "Raw",
					},
					{
						Value: 7, OK: true, Raw: "7", Measurand: "Energy.Active.Import.Register",
						Location: "Outlet", Context: "Sample.Periodic", Unit: "Wh", Format: "Raw",
					},
				},
			}}},
			[]string{"unreadable:/meterValue/*/sampledValue/*/value"},
		},
		"a meter value and a sample without their arrays": {
			"MeterValues",
			`{"connectorId":1,"meterValue":{"timestamp":"2026-08-22T10:15:30Z","sampledValue":{"value":"7"}}}`,
			&v16.MeterValues{Connector: 1, Values: []reading.MeterValue{{
				At: at(10, 15, 30),
				Samples: []reading.Sample{{
					Value: 7, OK: true, Raw: "7", Measurand: "Energy.Active.Import.Register",
					Location: "Outlet", Context: "Sample.Periodic", Unit: "Wh", Format: "Raw",
				}},
			}}},
			[]string{"wrongType:/meterValue", "wrongType:/meterValue/*/sampledValue"},
		},
		"the end of a transaction that began offline": {
			"StopTransaction", `{"transactionId":-1,"meterStop":"15000","timestamp":"2026-08-22T10:15:30.000+02:00"}`,
			&v16.StopTransaction{Transaction: -1, MeterStop: 15000, Reason: "Local", At: at(8, 15, 30)},
			[]string{"negativeID:/transactionId", "wrongType:/meterStop"},
		},
		"a start with a fraction of a watt hour": {
			"StartTransaction", `{"connectorId":1,"idTag":"04AABB","meterStart":1523.7,"timestamp":"2026-08-22T10:15:30Z"}`,
			&v16.StartTransaction{Connector: 1, IDTag: "04AABB", MeterStart: 1524, At: at(10, 15, 30)},
			[]string{"wrongType:/meterStart"},
		},
		"a start with nothing in it": {
			"StartTransaction", `{}`, &v16.StartTransaction{},
			[]string{"missing:/connectorId", "missing:/idTag", "missing:/meterStart", "missing:/timestamp"},
		},
		"data that are JSON where a text belongs": {
			"DataTransfer", `{"vendorId":"V","messageId":"m","data":{"a":[1]}}`,
			&v16.DataTransfer{VendorID: "V", MessageID: "m", Data: `{"a":[1]}`},
			[]string{"wrongType:/data"},
		},
		"Latin-1 in a text": {
			"BootNotification", "{\"chargePointVendor\":\"M\xfcller\",\"chargePointModel\":\"M\"}",
			&v16.BootNotification{Vendor: "M\uFFFDller", Model: "M"}, nil,
		},
		"a connector that is a list": {
			"StatusNotification", `{"connectorId":[1],"errorCode":"NoError","status":"Available"}`,
			&v16.StatusNotification{ErrorCode: "NoError", Status: "Available"},
			[]string{"unreadable:/connectorId", "wrongType:/connectorId"},
		},
	}
	table := spec.New()
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var d jsondoc.Doc
			if err := d.Parse([]byte(tt.payload)); err != nil {
				t.Fatal(err)
			}
			got, quirks := v16.Decode(tt.action, d.Root())
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
			all := names(spec.Quirks(table.CheckRequest(ocppj.V16, tt.action, d.Root()), quirks))
			if !slices.Equal(all, tt.quirks) {
				t.Errorf("quirks %q, want %q", all, tt.quirks)
			}
		})
	}
}

func TestWellFormedMessages(t *testing.T) {
	tests := map[string]struct {
		payload string
		want    v16.Message
	}{
		"Heartbeat":                     {`{}`, &v16.Heartbeat{}},
		"Authorize":                     {`{"idTag":"04AABB"}`, &v16.Authorize{IDTag: "04AABB"}},
		"DiagnosticsStatusNotification": {`{"status":"Uploaded"}`, &v16.DiagnosticsStatusNotification{Status: "Uploaded"}},
		"FirmwareStatusNotification":    {`{"status":"Installed"}`, &v16.FirmwareStatusNotification{Status: "Installed"}},
		"SecurityEventNotification": {
			`{"type":"TamperDetectionActivated","timestamp":"2026-08-22T10:15:30Z","techInfo":"lid"}`,
			&v16.SecurityEventNotification{Type: "TamperDetectionActivated", TechInfo: "lid", At: at(10, 15, 30)},
		},
		"LogStatusNotification": {`{"status":"Idle","requestId":4}`, &v16.LogStatusNotification{Status: "Idle", Request: new(int64(4))}},
		"SignedFirmwareStatusNotification": {
			`{"status":"InvalidSignature"}`, &v16.SignedFirmwareStatusNotification{Status: "InvalidSignature"},
		},
		"SignCertificate": {`{"csr":"-----BEGIN"}`, &v16.SignCertificate{CSR: "-----BEGIN"}},
		"DataTransfer":    {`{"vendorId":"V","data":"text"}`, &v16.DataTransfer{VendorID: "V", Data: "text"}},
		"BootNotification": {
			`{"chargePointVendor":"a","chargePointModel":"b","chargePointSerialNumber":"c","chargeBoxSerialNumber":"d",
			"firmwareVersion":"e","iccid":"f","imsi":"g","meterType":"h","meterSerialNumber":"i"}`,
			&v16.BootNotification{
				Vendor: "a", Model: "b", Serial: "c", BoxSerial: "d", Firmware: "e",
				ICCID: "f", IMSI: "g", MeterType: "h", MeterSerial: "i",
			},
		},
		"StatusNotification": {
			`{"connectorId":1,"errorCode":"GroundFailure","info":"i","status":"Faulted","timestamp":"2026-08-22T10:15:30Z","vendorId":"v","vendorErrorCode":"e"}`,
			&v16.StatusNotification{
				Connector: 1, ErrorCode: "GroundFailure", Info: "i", Status: "Faulted",
				At: at(10, 15, 30), VendorID: "v", VendorError: "e",
			},
		},
		"StartTransaction": {
			`{"connectorId":1,"idTag":"t","meterStart":5,"reservationId":9,"timestamp":"2026-08-22T10:15:30Z"}`,
			&v16.StartTransaction{Connector: 1, IDTag: "t", MeterStart: 5, Reservation: new(int64(9)), At: at(10, 15, 30)},
		},
		"StopTransaction": {
			`{"idTag":"t","meterStop":7,"timestamp":"2026-08-22T10:15:30Z","transactionId":3,"reason":"EVDisconnected",
			"transactionData":[{"timestamp":"2026-08-22T10:15:29Z","sampledValue":[{"value":"7","context":"Transaction.End","unit":"Wh"}]}]}`,
			&v16.StopTransaction{
				Transaction: 3, IDTag: "t", MeterStop: 7, Reason: "EVDisconnected", At: at(10, 15, 30),
				Values: []reading.MeterValue{{At: at(10, 15, 29), Samples: []reading.Sample{{
					Value: 7, OK: true, Raw: "7", Measurand: "Energy.Active.Import.Register", Location: "Outlet",
					Context: "Transaction.End", Unit: "Wh", Format: "Raw",
				}}}},
			},
		},
		"MeterValues": {
			`{"connectorId":1,"meterValue":[]}`, &v16.MeterValues{Connector: 1, Values: []reading.MeterValue{}},
		},
	}
	table := spec.New()
	for action := range tests {
		if !table.FromStation(ocppj.V16, action) {
			t.Errorf("%s is not sent by stations", action)
		}
	}
	for _, action := range table.Actions(ocppj.V16, spec.FromStation) {
		tt, ok := tests[action]
		if !ok {
			t.Errorf("no test of %s", action)
			continue
		}
		t.Run(action, func(t *testing.T) {
			var d jsondoc.Doc
			if err := d.Parse([]byte(tt.payload)); err != nil {
				t.Fatal(err)
			}
			if faults := table.CheckRequest(ocppj.V16, action, d.Root()); faults != nil {
				t.Fatalf("the sample is wrong: %v", faults)
			}
			got, quirks := v16.Decode(action, d.Root())
			if !reflect.DeepEqual(got, tt.want) || quirks != nil {
				t.Fatalf("got %+v, %v", got, quirks)
			}
			if got.Action() != action {
				t.Fatalf("calls itself %s", got.Action())
			}
		})
	}
	if m, _ := v16.Decode("Reset", jsondoc.Node{}); m != nil {
		t.Error("what stations do not send was decoded")
	}
}

func TestAnswersAreValid(t *testing.T) {
	now := time.Date(2026, 8, 22, 12, 15, 30, 123_456_789, time.FixedZone("", 7200))
	full := v16.IDTagInfo{Status: "ConcurrentTx", Expiry: now, Parent: `P"1`}
	long := v16.IDTagInfo{Status: "Accepted", Parent: strings.Repeat("x", 21)}
	tests := map[string]struct {
		action string
		got    []byte
		want   string
	}{
		"boot":       {"BootNotification", v16.AppendBoot(nil, "Pending", now, 60), `{"status":"Pending","currentTime":"2026-08-22T10:15:30.123Z","interval":60}`},
		"heartbeat":  {"Heartbeat", v16.AppendHeartbeat(nil, now), `{"currentTime":"2026-08-22T10:15:30.123Z"}`},
		"status":     {"StatusNotification", v16.AppendEmpty(nil), `{}`},
		"authorize":  {"Authorize", v16.AppendAuthorize(nil, full), `{"idTagInfo":{"status":"ConcurrentTx","expiryDate":"2026-08-22T10:15:30.123Z","parentIdTag":"P\"1"}}`},
		"start":      {"StartTransaction", v16.AppendStart(nil, 17, v16.IDTagInfo{Status: "Invalid"}), `{"transactionId":17,"idTagInfo":{"status":"Invalid"}}`},
		"long group": {"StartTransaction", v16.AppendStart(nil, -1, long), `{"transactionId":-1,"idTagInfo":{"status":"Accepted"}}`},
		"stop":       {"StopTransaction", v16.AppendStop(nil, nil), `{}`},
		"stop token": {"StopTransaction", v16.AppendStop(nil, &v16.IDTagInfo{Status: "Accepted"}), `{"idTagInfo":{"status":"Accepted"}}`},
		"transfer":   {"DataTransfer", v16.AppendDataTransfer(nil, "UnknownVendorId", ""), `{"status":"UnknownVendorId"}`},
		"with data":  {"DataTransfer", v16.AppendDataTransfer(nil, "Accepted", "a\nb"), `{"status":"Accepted","data":"a\nb"}`},
		"sign":       {"SignCertificate", v16.AppendStatus(nil, "Rejected"), `{"status":"Rejected"}`},
	}
	table := spec.New()
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if string(tt.got) != tt.want || !json.Valid(tt.got) {
				t.Errorf("got %s", tt.got)
			}
			var d jsondoc.Doc
			if err := d.Parse(tt.got); err != nil {
				t.Fatal(err)
			}
			if faults := table.CheckResponse(ocppj.V16, tt.action, d.Root()); faults != nil {
				t.Error(faults)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"connectorId":1,"meterValue":[{"timestamp":"2026-08-22T10:15:30Z","sampledValue":[{"value":"1","unit":"kWh"}]}]}`,
		`{"connectorId":"1","status":null,"timestamp":"1970-01-01 00:00"}`,
		`{"meterValue":{"sampledValue":{"value":1}},"transactionData":[[{}]],"data":[1]}`,
		`{"meterValue":[{"sampledValue":[1,{"value":{}},{"value":"x","format":"SignedData"}]},7,null]}`,
	} {
		f.Add([]byte(s))
	}
	actions := spec.New().Actions(ocppj.V16, spec.FromStation)
	f.Fuzz(func(t *testing.T, payload []byte) {
		var d jsondoc.Doc
		if d.Parse(payload) != nil {
			return
		}
		for _, a := range actions {
			m, quirks := v16.Decode(a, d.Root())
			if m == nil || m.Action() != a {
				t.Fatalf("%s decoded to %T", a, m)
			}
			for i, q := range quirks {
				for _, o := range quirks[:i] {
					if q.Code == o.Code && q.Path == o.Path {
						t.Fatalf("%s is said twice", q)
					}
				}
			}
		}
	})
}

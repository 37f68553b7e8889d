package v2_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj/reading"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj/spec"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj/v2"
)

const stamp = `"2026-08-22T10:15:30Z"`

func noon() reading.Time {
	return reading.Time{At: time.Date(2026, 8, 22, 10, 15, 30, 0, time.UTC)}
}

func names(quirks []ocppj.Quirk) []string {
	var all []string
	for _, q := range quirks {
		all = append(all, q.String())
	}
	slices.Sort(all)
	return all
}

// sample is a message with every field that its decoder reads.
type sample struct {
	payload string
	want    v2.Message
	only21  bool // the payload has fields of 2.1
}

func samples() map[string]sample {
	ocsp := v2.OCSPRequest{Hash: "SHA256", IssuerName: "a", IssuerKey: "b", Serial: "c", ResponderURL: "http://d"}
	const ocspJSON = `{"hashAlgorithm":"SHA256","issuerNameHash":"a","issuerKeyHash":"b","serialNumber":"c","responderURL":"http://d"}`
	const component = `"component":{"name":"Connector","instance":"main","evse":{"id":1,"connectorId":2}},"variable":{"name":"AvailabilityState","instance":"x"}`
	part := v2.Component{Name: "Connector", Instance: "main", EVSE: &v2.EVSE{ID: 1, Connector: 2}}
	variable := v2.Variable{Name: "AvailabilityState", Instance: "x"}
	return map[string]sample{
		"Heartbeat": {`{}`, &v2.Heartbeat{}, false},
		"BootNotification": {
			`{"reason":"PowerUp","chargingStation":{"vendorName":"V","model":"M","serialNumber":"S","firmwareVersion":"F","modem":{"iccid":"I","imsi":"J"}}}`,
			&v2.BootNotification{Reason: "PowerUp", Vendor: "V", Model: "M", Serial: "S", Firmware: "F", ICCID: "I", IMSI: "J"}, false,
		},
		"StatusNotification": {
			`{"timestamp":` + stamp + `,"connectorStatus":"Occupied","evseId":1,"connectorId":2}`,
			&v2.StatusNotification{At: noon(), Status: "Occupied", EVSE: v2.EVSE{ID: 1, Connector: 2}}, false,
		},
		"TransactionEvent": {
			`{"eventType":"Ended","timestamp":` + stamp + `,"triggerReason":"EVDeparted","seqNo":7,"offline":true,"numberOfPhasesUsed":3,
			"cableMaxCurrent":32,"reservationId":5,"preconditioningStatus":"Ready","evseSleep":true,"evse":{"id":1,"connectorId":2},
			"idToken":{"idToken":"04AABB","type":"ISO14443"},"transactionInfo":{"transactionId":"t1","chargingState":"Idle","timeSpentCharging":60,
			"stoppedReason":"GroundFault","remoteStartId":4,"operationMode":"ChargingOnly","tariffId":"T"},
			"meterValue":[{"timestamp":` + stamp + `,"sampledValue":[{"value":1.5,"measurand":"Energy.Active.Import.Register","context":"Transaction.End",
			"phase":"L1","location":"Inlet","unitOfMeasure":{"unit":"Wh","multiplier":3},
			"signedMeterValue":{"signedMeterData":"D","signingMethod":"S","encodingMethod":"E","publicKey":"P"}}]}]}`,
			&v2.TransactionEvent{
				Type: "Ended", At: noon(), Trigger: "EVDeparted", SeqNo: 7, Offline: true, Phases: new(int64(3)), CableMaxCurrent: new(32.0),
				Reservation: new(int64(5)), Preconditioning: "Ready", EVSESleep: new(true), EVSE: &v2.EVSE{ID: 1, Connector: 2},
				IDToken: &v2.IDToken{ID: "04AABB", Type: "ISO14443"}, Transaction: "t1", ChargingState: "Idle", TimeCharging: new(int64(60)),
				StoppedReason: "GroundFault", RemoteStart: new(int64(4)), OperationMode: "ChargingOnly", Tariff: "T",
				Values: []reading.MeterValue{{At: noon(), Samples: []reading.Sample{{
					Value: 1.5, Multiplier: 3, OK: true, Raw: "1.5", Measurand: "Energy.Active.Import.Register", Phase: "L1",
					Location: "Inlet", Context: "Transaction.End", Unit: "Wh", Format: "Raw",
					Signed: &reading.Signed{Data: "D", Method: "S", Encoding: "E", PublicKey: "P"},
				}}}},
			}, true,
		},
		"MeterValues": {
			`{"evseId":1,"meterValue":[{"timestamp":` + stamp + `,"sampledValue":[{"value":230,"measurand":"Voltage"}]}]}`,
			&v2.MeterValues{EVSE: 1, Values: []reading.MeterValue{{At: noon(), Samples: []reading.Sample{{
				Value: 230, OK: true, Raw: "230", Measurand: "Voltage", Location: "Outlet", Context: "Sample.Periodic", Format: "Raw",
			}}}}}, false,
		},
		"Authorize": {
			`{"idToken":{"idToken":"x","type":"eMAID"},"certificate":"C","iso15118CertificateHashData":[` + ocspJSON + `]}`,
			&v2.Authorize{IDToken: v2.IDToken{ID: "x", Type: "eMAID"}, Certificate: "C", OCSP: []v2.OCSPRequest{ocsp}}, false,
		},
		"NotifyEvent": {
			`{"generatedAt":` + stamp + `,"tbc":true,"seqNo":3,"eventData":[{"eventId":9,"timestamp":` + stamp + `,"trigger":"Alerting","cause":8,
			"actualValue":"Faulted","techCode":"CX026","techInfo":"cut","cleared":true,"transactionId":"t","variableMonitoringId":4,
			"eventNotificationType":"HardWiredMonitor","severity":2,` + component + `}]}`,
			&v2.NotifyEvent{Generated: noon(), SeqNo: 3, More: true, Events: []v2.Event{{
				ID: 9, At: noon(), Trigger: "Alerting", Cause: new(int64(8)), Value: "Faulted", TechCode: "CX026", TechInfo: "cut",
				Cleared: true, Transaction: "t", Component: part, Variable: variable, Monitor: new(int64(4)),
				Notification: "HardWiredMonitor", Severity: new(int64(2)),
			}}}, true,
		},
		"NotifyReport": {
			`{"requestId":1,"generatedAt":` + stamp + `,"tbc":true,"seqNo":2,"reportData":[{` + component + `,
			"variableAttribute":[{"value":"a"},{"type":"MaxSet","value":"b","mutability":"ReadOnly","persistent":true,"constant":true}],
			"variableCharacteristics":{"unit":"A","dataType":"decimal","minLimit":6,"maxLimit":32.5,"valuesList":"x,y","supportsMonitoring":true}}]}`,
			&v2.NotifyReport{Request: 1, Generated: noon(), SeqNo: 2, More: true, Data: []v2.ReportData{{
				Component: part, Variable: variable,
				Attributes: []v2.Attribute{
					{Type: "Actual", Value: "a", Mutability: "ReadWrite"},
					{Type: "MaxSet", Value: "b", Mutability: "ReadOnly", Persistent: true, Constant: true},
				},
				Characteristics: &v2.Characteristics{
					Unit: "A", DataType: "decimal", Min: new(6.0), Max: new(32.5), ValuesList: "x,y", Monitoring: true,
				},
			}}}, false,
		},
		"NotifyMonitoringReport": {
			`{"requestId":1,"generatedAt":` + stamp + `,"tbc":true,"seqNo":2,"monitor":[{` + component + `,
			"variableMonitoring":[{"id":3,"transaction":true,"value":80.5,"type":"UpperThreshold","severity":4,"eventNotificationType":"CustomMonitor"}]}]}`,
			&v2.NotifyMonitoringReport{Request: 1, Generated: noon(), SeqNo: 2, More: true, Data: []v2.MonitoringData{{
				Component: part, Variable: variable,
				Monitors: []v2.Monitor{{ID: 3, Transaction: true, Value: 80.5, Type: "UpperThreshold", Severity: 4, Notification: "CustomMonitor"}},
			}}}, true,
		},
		"SecurityEventNotification": {
			`{"type":"TamperDetectionActivated","timestamp":` + stamp + `,"techInfo":"lid"}`,
			&v2.SecurityEventNotification{Type: "TamperDetectionActivated", At: noon(), TechInfo: "lid"}, false,
		},
		"LogStatusNotification": {
			`{"status":"Uploading","requestId":1,"statusInfo":{"reasonCode":"R","additionalInfo":"A"}}`,
			&v2.LogStatusNotification{Status: "Uploading", Request: new(int64(1)), Info: &v2.StatusInfo{Reason: "R", Info: "A"}}, true,
		},
		"FirmwareStatusNotification": {
			`{"status":"Installed","requestId":1,"statusInfo":{"reasonCode":"R"}}`,
			&v2.FirmwareStatusNotification{Status: "Installed", Request: new(int64(1)), Info: &v2.StatusInfo{Reason: "R"}}, true,
		},
		"PublishFirmwareStatusNotification": {
			`{"status":"Published","location":["http://a"],"requestId":1,"statusInfo":{"reasonCode":"R"}}`,
			&v2.PublishFirmwareStatusNotification{
				Status: "Published", Locations: []string{"http://a"}, Request: new(int64(1)), Info: &v2.StatusInfo{Reason: "R"},
			}, true,
		},
		"ReservationStatusUpdate": {
			`{"reservationId":4,"reservationUpdateStatus":"Expired"}`, &v2.ReservationStatusUpdate{Reservation: 4, Status: "Expired"}, false,
		},
		"NotifyChargingLimit": {
			`{"evseId":1,"chargingLimit":{"chargingLimitSource":"EMS","isGridCritical":true,"isLocalGeneration":false},
			"chargingSchedule":[{"id":1,"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":6}]}]}`,
			&v2.NotifyChargingLimit{
				EVSE: new(int64(1)), Source: "EMS", GridCritical: new(true), LocalGeneration: new(false),
				Schedules: []byte(`[{"id":1,"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":6}]}]`),
			}, true,
		},
		"ClearedChargingLimit": {`{"chargingLimitSource":"EMS","evseId":1}`, &v2.ClearedChargingLimit{EVSE: new(int64(1)), Source: "EMS"}, false},
		"ReportChargingProfiles": {
			`{"requestId":1,"evseId":2,"chargingLimitSource":"CSO","tbc":true,"chargingProfile":[` + profile + `]}`,
			&v2.ReportChargingProfiles{Request: 1, EVSE: 2, Source: "CSO", More: true, Profiles: []v2.ChargingProfile{{
				ID: 3, StackLevel: 1, Purpose: "TxProfile", Kind: "Absolute", Transaction: "t", JSON: []byte(profile),
			}}}, false,
		},
		"NotifyEVChargingNeeds": {
			`{"evseId":1,"chargingNeeds":` + needs + `}`,
			&v2.NotifyEVChargingNeeds{
				EVSE: 1, EnergyTransfer: "DC", Departure: noon(), SoC: new(int64(40)), EnergyWh: new(30000.0), Needs: []byte(needs),
			}, false,
		},
		"NotifyEVChargingSchedule": {
			`{"timeBase":` + stamp + `,"evseId":1,"chargingSchedule":{"id":1,"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":6}]}}`,
			&v2.NotifyEVChargingSchedule{
				EVSE: 1, TimeBase: noon(),
				Schedule: []byte(`{"id":1,"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":6}]}`),
			}, false,
		},
		"NotifyCustomerInformation": {
			`{"data":"d","tbc":true,"seqNo":1,"generatedAt":` + stamp + `,"requestId":2}`,
			&v2.NotifyCustomerInformation{Request: 2, Generated: noon(), SeqNo: 1, More: true, Data: "d"}, false,
		},
		"NotifyDisplayMessages": {
			`{"requestId":1,"tbc":true,"messageInfo":[{"id":2,"priority":"InFront","state":"Charging","startDateTime":` + stamp + `,"endDateTime":` + stamp + `,
			"transactionId":"t","message":{"format":"UTF8","language":"en","content":"Hello"}}]}`,
			&v2.NotifyDisplayMessages{Request: 1, More: true, Messages: []v2.DisplayMessage{{
				ID: 2, Priority: "InFront", State: "Charging", Start: noon(), End: noon(), Transaction: "t",
				Format: "UTF8", Language: "en", Content: "Hello",
			}}}, false,
		},
		"DataTransfer": {
			`{"vendorId":"V","messageId":"m","data":{"a":1}}`, &v2.DataTransfer{VendorID: "V", MessageID: "m", Data: []byte(`{"a":1}`)}, false,
		},
		"SignCertificate": {
			`{"csr":"C","certificateType":"V2GCertificate","requestId":3}`,
			&v2.SignCertificate{CSR: "C", Type: "V2GCertificate", Request: new(int64(3))}, true,
		},
		"Get15118EVCertificate": {
			`{"iso15118SchemaVersion":"s","action":"Update","exiRequest":"e"}`,
			&v2.Get15118EVCertificate{Schema: "s", Update: true, Request: "e"}, false,
		},
		"GetCertificateStatus": {`{"ocspRequestData":` + ocspJSON + `}`, &v2.GetCertificateStatus{OCSP: ocsp}, false},
		"NotifyPeriodicEventStream": {
			`{"id":1,"pending":2,"basetime":` + stamp + `,"data":[{"t":0,"v":"a"},{"t":1.5,"v":"b"}]}`,
			&v2.NotifyPeriodicEventStream{ID: 1, Pending: 2, Base: noon(), Values: []v2.StreamValue{
				{At: noon(), Value: "a"},
				{Offset: 1.5, At: reading.Time{At: noon().At.Add(1500 * time.Millisecond)}, Value: "b"},
			}}, true,
		},
		"OpenPeriodicEventStream": {
			`{"constantStreamData":{"id":1,"variableMonitoringId":2,"params":{"interval":3,"values":4}}}`,
			&v2.OpenPeriodicEventStream{ID: 1, Monitor: 2, Interval: new(int64(3)), Values: new(int64(4))}, true,
		},
		"ClosePeriodicEventStream": {`{"id":1}`, &v2.ClosePeriodicEventStream{ID: 1}, true},
		"NotifyDERAlarm": {
			`{"controlType":"FreqDroop","gridEventFault":"OverFrequency","alarmEnded":true,"timestamp":` + stamp + `,"extraInfo":"x"}`,
			&v2.NotifyDERAlarm{Control: "FreqDroop", Fault: "OverFrequency", Ended: true, At: noon(), Info: "x"}, true,
		},
		"NotifyDERStartStop": {
			`{"controlId":"c","started":true,"timestamp":` + stamp + `,"supersededIds":["a","b"]}`,
			&v2.NotifyDERStartStop{Control: "c", Started: true, At: noon(), Superseded: []string{"a", "b"}}, true,
		},
		"ReportDERControl": {`{"requestId":1,"tbc":true}`, &v2.ReportDERControl{Request: 1, More: true, JSON: []byte(`{"requestId":1,"tbc":true}`)}, true},
		"BatterySwap": {
			`{"eventType":"BatteryIn","requestId":1,"idToken":{"idToken":"x","type":"Central"},
			"batteryData":[{"evseId":1,"serialNumber":"s","soC":80,"soH":99.5,"productionDate":` + stamp + `,"vendorInfo":"v"}]}`,
			&v2.BatterySwap{Request: 1, Event: "BatteryIn", IDToken: v2.IDToken{ID: "x", Type: "Central"}, Batteries: []v2.Battery{{
				EVSE: 1, Serial: "s", SoC: 80, SoH: 99.5, Produced: noon(), Vendor: "v",
			}}}, true,
		},
		"NotifySettlement": {
			`{"transactionId":"t","pspRef":"p","status":"Settled","statusInfo":"i","settlementAmount":12.5,"settlementTime":` + stamp + `,
			"receiptId":"r","receiptUrl":"u","vatNumber":"n"}`,
			&v2.NotifySettlement{
				Transaction: "t", PSPRef: "p", Status: "Settled", Info: "i", Amount: 12.5, At: noon(),
				ReceiptID: "r", ReceiptURL: "u", VATNumber: "n",
			}, true,
		},
		"VatNumberValidation":       {`{"vatNumber":"DE1","evseId":1}`, &v2.VatNumberValidation{Number: "DE1", EVSE: new(int64(1))}, true},
		"NotifyPriorityCharging":    {`{"transactionId":"t","activated":true}`, &v2.NotifyPriorityCharging{Transaction: "t", Activated: true}, true},
		"PullDynamicScheduleUpdate": {`{"chargingProfileId":1}`, &v2.PullDynamicScheduleUpdate{Profile: 1}, true},
		"GetCertificateChainStatus": {
			`{"certificateStatusRequests":[{"source":"OCSP","urls":["http://d"],"certificateHashData":{"hashAlgorithm":"SHA256","issuerNameHash":"a","issuerKeyHash":"b","serialNumber":"c"}}]}`,
			&v2.GetCertificateChainStatus{Requests: []v2.ChainRequest{{
				OCSP: v2.OCSPRequest{Hash: "SHA256", IssuerName: "a", IssuerKey: "b", Serial: "c"}, Source: "OCSP", URLs: []string{"http://d"},
			}}}, true,
		},
	}
}

const (
	profile = `{"id":3,"stackLevel":1,"chargingProfilePurpose":"TxProfile","chargingProfileKind":"Absolute","transactionId":"t",` +
		`"chargingSchedule":[{"id":1,"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":6}]}]}`
	needs = `{"requestedEnergyTransfer":"DC","departureTime":` + stamp +
		`,"dcChargingParameters":{"evMaxCurrent":200,"evMaxVoltage":800,"stateOfCharge":40,"energyAmount":30000}}`
)

func TestEveryMessageOfAStation(t *testing.T) {
	table := spec.New()
	all := samples()
	for _, v := range []ocppj.Version{ocppj.V201, ocppj.V21} {
		for _, action := range table.Actions(v, spec.FromStation) {
			tt, ok := all[action]
			if !ok {
				t.Errorf("%v: no test of %s", v, action)
				continue
			}
			t.Run(v.String()+" "+action, func(t *testing.T) {
				var d jsondoc.Doc
				if err := d.Parse([]byte(tt.payload)); err != nil {
					t.Fatal(err)
				}
				faults := table.CheckRequest(v, action, d.Root())
				if faults != nil && (v == ocppj.V21 || !tt.only21) {
					t.Fatalf("the sample is wrong: %v", faults)
				}
				got, quirks := v2.Decode(action, d.Root())
				if !reflect.DeepEqual(got, tt.want) || quirks != nil {
					t.Fatalf("got  %+v %v\nwant %+v", got, quirks, tt.want)
				}
				if got.Action() != action {
					t.Fatalf("calls itself %s", got.Action())
				}
			})
		}
	}
	if m, _ := v2.Decode("Reset", jsondoc.Node{}); m != nil {
		t.Error("what stations do not send was decoded")
	}
}

func TestQuirksOfStations(t *testing.T) {
	tests := map[string]struct {
		action  string
		payload string
		want    v2.Message
		quirks  []string
	}{
		"numbers as text": {
			"StatusNotification", `{"timestamp":` + stamp + `,"connectorStatus":"Available","evseId":"1","connectorId":"1"}`,
			&v2.StatusNotification{At: noon(), Status: "Available", EVSE: v2.EVSE{ID: 1, Connector: 1}},
			[]string{"wrongType:/connectorId", "wrongType:/evseId"},
		},
		"a status of 1.6": {
			"StatusNotification", `{"timestamp":` + stamp + `,"connectorStatus":"Charging","evseId":1,"connectorId":1}`,
			&v2.StatusNotification{At: noon(), Status: "Charging", EVSE: v2.EVSE{ID: 1, Connector: 1}},
			[]string{"unknownEnum:/connectorStatus"},
		},
		"an event without transaction, with its truth as text": {
			"TransactionEvent",
			`{"eventType":"Updated","timestamp":"1970-01-01T00:00:07Z","triggerReason":"MeterValuePeriodic","seqNo":"3","offline":"true"}`,
			&v2.TransactionEvent{
				Type: "Updated", At: reading.Time{At: time.Date(1970, 1, 1, 0, 0, 7, 0, time.UTC)},
				Trigger: "MeterValuePeriodic", SeqNo: 3, Offline: true,
			},
			[]string{
				"clockUnset:/timestamp", "missing:/transactionInfo", "missing:/transactionInfo/transactionId",
				"wrongType:/offline", "wrongType:/seqNo",
			},
		},
		"an end without reason is local": {
			"TransactionEvent",
			`{"eventType":"Ended","timestamp":` + stamp + `,"triggerReason":"StopAuthorized","seqNo":3,"transactionInfo":{"transactionId":"t"},"idToken":null}`,
			&v2.TransactionEvent{Type: "Ended", At: noon(), Trigger: "StopAuthorized", SeqNo: 3, Transaction: "t", StoppedReason: "Local"},
			[]string{"null:/idToken"},
		},
		"a value as text, a unit without its object": {
			"MeterValues",
			`{"evseId":1,"meterValue":[{"timestamp":` + stamp + `,"sampledValue":[{"value":"7.5","unitOfMeasure":"kWh"}]}]}`,
			&v2.MeterValues{EVSE: 1, Values: []reading.MeterValue{{At: noon(), Samples: []reading.Sample{{
				Value: 7.5, OK: true, Raw: "7.5", Measurand: "Energy.Active.Import.Register", Location: "Outlet",
				Context: "Sample.Periodic", Unit: "kWh", Format: "Raw",
			}}}}},
			[]string{"wrongType:/meterValue/*/sampledValue/*/unitOfMeasure", "wrongType:/meterValue/*/sampledValue/*/value"},
		},
		"a multiplier that cannot be": {
			"MeterValues",
			`{"evseId":1,"meterValue":[{"timestamp":` + stamp + `,"sampledValue":[{"unitOfMeasure":{"multiplier":4000},"value":1}]}]}`,
			&v2.MeterValues{EVSE: 1, Values: []reading.MeterValue{{At: noon(), Samples: []reading.Sample{{
				Value: 1, Multiplier: 31, Raw: "1", Measurand: "Energy.Active.Import.Register", Location: "Outlet",
				Context: "Sample.Periodic", Unit: "Wh", Format: "Raw",
			}}}}},
			[]string{"outOfRange:/meterValue/*/sampledValue/*/unitOfMeasure/multiplier"},
		},
		"an event in the form of 1.6 stations": {
			"NotifyEvent",
			`{"generatedAt":` + stamp + `,"seqNo":0,"eventData":[{"eventId":1,"timestamp":"yesterday","trigger":"Delta","actualValue":true,
			"eventNotificationType":"Mine","component":{"name":"X"},"variable":null}]}`,
			&v2.NotifyEvent{Generated: noon(), Events: []v2.Event{{
				ID: 1, At: reading.Time{Raw: "yesterday"}, Trigger: "Delta", Value: "true",
				Notification: "Mine", Component: v2.Component{Name: "X"},
			}}},
			[]string{
				"badTime:/eventData/*/timestamp", "missing:/eventData/*/variable", "missing:/eventData/*/variable/name",
				"null:/eventData/*/variable", "unknownEnum:/eventData/*/eventNotificationType", "wrongType:/eventData/*/actualValue",
			},
		},
	}
	table := spec.New()
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var d jsondoc.Doc
			if err := d.Parse([]byte(tt.payload)); err != nil {
				t.Fatal(err)
			}
			got, quirks := v2.Decode(tt.action, d.Root())
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
			all := names(spec.Quirks(table.CheckRequest(ocppj.V201, tt.action, d.Root()), quirks))
			if !slices.Equal(all, tt.quirks) {
				t.Errorf("quirks %q, want %q", all, tt.quirks)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range samples() {
		f.Add([]byte(s.payload))
	}
	f.Add([]byte(`{"eventData":[1,{"component":[]},null],"meterValue":{"sampledValue":{"unitOfMeasure":7,"signedMeterValue":[]}},"data":[{"t":1e300}]}`))
	actions := spec.New().Actions(ocppj.V21, spec.FromStation)
	f.Fuzz(func(t *testing.T, payload []byte) {
		var d jsondoc.Doc
		if d.Parse(payload) != nil {
			return
		}
		for _, a := range actions {
			m, quirks := v2.Decode(a, d.Root())
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

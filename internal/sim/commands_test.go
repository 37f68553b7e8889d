package sim

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// quiet is a scenario where only tests make things happen.
func quiet(t *testing.T) Scenario { return scenario(t, "idle") }

func TestStationsAnswerCommandsOf16(t *testing.T) {
	tests := map[string]struct {
		action, payload string
		want            string   // in the answer
		then            []string // action: part of a call that follows within two minutes
	}{
		"soft reset reboots":               {"Reset", `{"type":"Soft"}`, `"Accepted"`, []string{"BootNotification"}},
		"hard reset reboots":               {"Reset", `{"type":"Hard"}`, `"Accepted"`, []string{"BootNotification"}},
		"a wrong reset type is rejected":   {"Reset", `{"type":"Medium"}`, `"Rejected"`, nil},
		"closing a connector":              {"ChangeAvailability", `{"connectorId":1,"type":"Inoperative"}`, `"Accepted"`, []string{"StatusNotification:Unavailable"}},
		"closing a missing connector":      {"ChangeAvailability", `{"connectorId":9,"type":"Inoperative"}`, `"Rejected"`, nil},
		"remote start":                     {"RemoteStartTransaction", `{"connectorId":1,"idTag":"ABC"}`, `"Accepted"`, []string{"StatusNotification:Preparing", "StartTransaction:ABC", "StatusNotification:Charging"}},
		"remote stop of nothing":           {"RemoteStopTransaction", `{"transactionId":5}`, `"Rejected"`, nil},
		"all configuration":                {"GetConfiguration", `{}`, `"key":"HeartbeatInterval","readonly":false,"value":"300"`, nil},
		"one known and one unknown key":    {"GetConfiguration", `{"key":["NumberOfConnectors","Nope"]}`, `"value":"2"}],"unknownKey":["Nope"]`, nil},
		"a secret is not readable":         {"GetConfiguration", `{"key":["AuthorizationKey"]}`, `{"key":"AuthorizationKey","readonly":false}`, nil},
		"changing a key":                   {"ChangeConfiguration", `{"key":"HeartbeatInterval","value":"30"}`, `"Accepted"`, []string{"Heartbeat"}},
		"changing a read-only key":         {"ChangeConfiguration", `{"key":"NumberOfConnectors","value":"7"}`, `"Rejected"`, nil},
		"changing an unknown key":          {"ChangeConfiguration", `{"key":"Nope","value":"7"}`, `"NotSupported"`, nil},
		"a key that needs a reboot":        {"ChangeConfiguration", `{"key":"Vendor.DisplayLanguage","value":"en"}`, `"RebootRequired"`, nil},
		"one unknown measurand rejects":    {"ChangeConfiguration", `{"key":"MeterValuesSampledData","value":"Voltage,RPM"}`, `"Rejected"`, nil},
		"trigger boot":                     {"TriggerMessage", `{"requestedMessage":"BootNotification"}`, `"Accepted"`, []string{"BootNotification"}},
		"trigger status":                   {"TriggerMessage", `{"requestedMessage":"StatusNotification","connectorId":2}`, `"Accepted"`, []string{"StatusNotification:Available"}},
		"trigger meter values":             {"TriggerMessage", `{"requestedMessage":"MeterValues","connectorId":1}`, `"Accepted"`, []string{"MeterValues:Trigger"}},
		"trigger firmware status":          {"TriggerMessage", `{"requestedMessage":"FirmwareStatusNotification"}`, `"Accepted"`, []string{"FirmwareStatusNotification:Idle"}},
		"trigger something unknown":        {"TriggerMessage", `{"requestedMessage":"Weather"}`, `"NotImplemented"`, nil},
		"reserve":                          {"ReserveNow", `{"connectorId":1,"expiryDate":"2000-01-02T00:00:00Z","idTag":"T","reservationId":4}`, `"Accepted"`, []string{"StatusNotification:Reserved"}},
		"cancel a missing reservation":     {"CancelReservation", `{"reservationId":4}`, `"Rejected"`, nil},
		"a full local list":                {"SendLocalList", `{"listVersion":3,"updateType":"Full","localAuthorizationList":[{"idTag":"A","idTagInfo":{"status":"Accepted"}}]}`, `"Accepted"`, nil},
		"an old differential list":         {"SendLocalList", `{"listVersion":0,"updateType":"Differential"}`, `"VersionMismatch"`, nil},
		"list version":                     {"GetLocalListVersion", `{}`, `"listVersion":0`, nil},
		"a profile for everybody":          {"SetChargingProfile", `{"connectorId":0,"csChargingProfiles":{"chargingProfileId":1,"stackLevel":0,"chargingProfilePurpose":"TxDefaultProfile","chargingProfileKind":"Relative","chargingSchedule":{"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":10}]}}}`, `"Accepted"`, nil},
		"a transaction profile in advance": {"SetChargingProfile", `{"connectorId":1,"csChargingProfiles":{"chargingProfileId":1,"stackLevel":0,"chargingProfilePurpose":"TxProfile","chargingProfileKind":"Relative","chargingSchedule":{"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":10}]}}}`, `"Rejected"`, nil},
		"clearing no profile":              {"ClearChargingProfile", `{"id":77}`, `"Unknown"`, nil},
		"composite schedule":               {"GetCompositeSchedule", `{"connectorId":1,"duration":600}`, `"limit":22000`, nil},
		"diagnostics":                      {"GetDiagnostics", `{"location":"ftp://127.0.0.1/x"}`, `"fileName":"CP-1-`, []string{"DiagnosticsStatusNotification:Uploading", "DiagnosticsStatusNotification:Uploaded"}},
		"a log":                            {"GetLog", `{"logType":"SecurityLog","requestId":8,"log":{"remoteLocation":"nowhere"}}`, `"Accepted"`, []string{"LogStatusNotification:Uploading", "LogStatusNotification:UploadFailure"}},
		"firmware":                         {"UpdateFirmware", `{"location":"https://127.0.0.1/fw","retrieveDate":"2000-01-01T00:00:00Z"}`, `{}`, []string{"FirmwareStatusNotification:Downloading", "FirmwareStatusNotification:Downloaded", "FirmwareStatusNotification:Installing", "BootNotification:5.2.1", "FirmwareStatusNotification:Installed"}},
		"data transfer of another vendor":  {"DataTransfer", `{"vendorId":"Nobody"}`, `"UnknownVendorId"`, nil},
		"data transfer of its own":         {"DataTransfer", `{"vendorId":"Compleo","messageId":"uptime"}`, `"Accepted","data":"`, nil},
		"clear cache":                      {"ClearCache", `{}`, `"Accepted"`, nil},
		"an unknown action":                {"MakeCoffee", `{}`, `[4,"cmd-1","NotImplemented"`, nil},
		"an action of 2.x":                 {"GetVariables", `{}`, `[4,"cmd-1","NotImplemented"`, nil},
		"a payload of the wrong type":      {"Reset", `{"type":7}`, `[4,"cmd-1","FormationViolation"`, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			checkCommand(t, one(t, "Duo ims", V16, nil), tt.action, tt.payload, tt.want, tt.then)
		})
	}
}

// checkCommand sends one command to a fresh station and reads what follows.
func checkCommand(t *testing.T, p Plan, action, payload, want string, then []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := newMemoryCentral()
		live(t, Options{Plan: p, Seed: 1, Scenario: quiet(t)}, c, 5*time.Second, func(*Fleet) {
			before := len(c.all("CP-1"))
			got := c.command(t, "CP-1", action, payload)
			if !strings.Contains(got, want) {
				t.Errorf("answer %s, want %s in it", got, want)
			}
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			rest := c.all("CP-1")[before:]
			for _, w := range then {
				wantAction, part, _ := strings.Cut(w, ":")
				found := false
				for i, s := range rest {
					if s.action == wantAction && strings.Contains(render(s.payload), part) {
						rest, found = rest[i+1:], true
						break
					}
				}
				if !found {
					t.Errorf("no %s follows; left: %v", w, rest)
				}
			}
		})
	})
}

func TestStationsAnswerCommandsOf2x(t *testing.T) {
	tests := map[string]struct {
		action, payload string
		want            string
		then            []string
	}{
		"immediate reset reboots":      {"Reset", `{"type":"Immediate"}`, `"Accepted"`, []string{"BootNotification:RemoteReset"}},
		"reset of a missing EVSE":      {"Reset", `{"type":"Immediate","evseId":9}`, `"Rejected"`, nil},
		"closing an EVSE":              {"ChangeAvailability", `{"operationalStatus":"Inoperative","evse":{"id":1}}`, `"Accepted"`, []string{"StatusNotification:Unavailable"}},
		"closing the station":          {"ChangeAvailability", `{"operationalStatus":"Inoperative"}`, `"Accepted"`, []string{"StatusNotification:Unavailable", "StatusNotification:Unavailable"}},
		"request start":                {"RequestStartTransaction", `{"evseId":1,"remoteStartId":77,"idToken":{"idToken":"ABC","type":"Central"}}`, `"Accepted"`, []string{"StatusNotification:Occupied", "TransactionEvent:Started", "TransactionEvent:77", "TransactionEvent:Charging"}},
		"request stop of nothing":      {"RequestStopTransaction", `{"transactionId":"x"}`, `"Rejected"`, nil},
		"transaction status":           {"GetTransactionStatus", `{"transactionId":"x"}`, `"ongoingIndicator":false,"messagesInQueue":false`, nil},
		"a variable":                   {"GetVariables", `{"getVariableData":[{"component":{"name":"OCPPCommCtrlr"},"variable":{"name":"HeartbeatInterval"}}]}`, `"attributeStatus":"Accepted","attributeValue":"600"`, nil},
		"the type of a plug":           {"GetVariables", `{"getVariableData":[{"component":{"name":"Connector","evse":{"id":2,"connectorId":2}},"variable":{"name":"ConnectorType"}}]}`, `"attributeValue":"cG105"`, nil},
		"a variable nobody knows":      {"GetVariables", `{"getVariableData":[{"component":{"name":"OCPPCommCtrlr"},"variable":{"name":"Nope"}}]}`, `"UnknownVariable"`, nil},
		"a component nobody knows":     {"GetVariables", `{"getVariableData":[{"component":{"name":"Nope"},"variable":{"name":"Nope"}}]}`, `"UnknownComponent"`, nil},
		"a secret is not readable":     {"GetVariables", `{"getVariableData":[{"component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"}}]}`, `"attributeStatus":"Rejected"`, nil},
		"setting variables":            {"SetVariables", `{"setVariableData":[{"attributeValue":"20","component":{"name":"OCPPCommCtrlr"},"variable":{"name":"HeartbeatInterval"}},{"attributeValue":"x","component":{"name":"ChargingStation"},"variable":{"name":"Model"}}]}`, `"attributeStatus":"Accepted"`, []string{"Heartbeat"}},
		"the whole device model":       {"GetBaseReport", `{"requestId":9,"reportBase":"FullInventory"}`, `"Accepted"`, []string{"NotifyReport:tbc:true", "NotifyReport:tbc:false"}},
		"an unknown report base":       {"GetBaseReport", `{"requestId":9,"reportBase":"Everything"}`, `"NotSupported"`, nil},
		"a report of one component":    {"GetReport", `{"requestId":9,"componentVariable":[{"component":{"name":"EVSE"},"variable":{"name":"Power"}}]}`, `"Accepted"`, []string{"NotifyReport:maxLimit:300000"}},
		"a monitor":                    {"SetVariableMonitoring", `{"setMonitoringData":[{"value":1,"type":"Delta","severity":4,"component":{"name":"EVSE","evse":{"id":1}},"variable":{"name":"AvailabilityState"}}]}`, `"status":"Accepted"`, nil},
		"a periodic monitor reports":   {"SetVariableMonitoring", `{"setMonitoringData":[{"value":30,"type":"Periodic","severity":8,"component":{"name":"EVSE","evse":{"id":1}},"variable":{"name":"Power"}}]}`, `"status":"Accepted"`, []string{"NotifyEvent:trigger:Periodic", "NotifyEvent:trigger:Periodic"}},
		"a threshold that is passed":   {"SetVariableMonitoring", `{"setMonitoringData":[{"value":5,"type":"LowerThreshold","severity":4,"component":{"name":"EVSE","evse":{"id":1}},"variable":{"name":"Power"}}]}`, `"status":"Accepted"`, []string{"NotifyEvent:trigger:Alerting"}},
		"a monitor it cannot do":       {"SetVariableMonitoring", `{"setMonitoringData":[{"value":5,"type":"TargetDelta","severity":4,"component":{"name":"EVSE","evse":{"id":1}},"variable":{"name":"Power"}}]}`, `"UnsupportedMonitorType"`, nil},
		"clearing a missing monitor":   {"ClearVariableMonitoring", `{"id":[4]}`, `"NotFound"`, nil},
		"trigger status":               {"TriggerMessage", `{"requestedMessage":"StatusNotification"}`, `"Accepted"`, []string{"StatusNotification:Available"}},
		"trigger boot when accepted":   {"TriggerMessage", `{"requestedMessage":"BootNotification"}`, `"Rejected"`, nil},
		"trigger meter values":         {"TriggerMessage", `{"requestedMessage":"MeterValues","evse":{"id":1}}`, `"Accepted"`, []string{"MeterValues:Trigger"}},
		"reserve any EVSE":             {"ReserveNow", `{"id":3,"expiryDateTime":"2000-01-01T00:01:00Z","idToken":{"idToken":"A","type":"Central"}}`, `"Accepted"`, []string{"StatusNotification:Reserved", "StatusNotification:Available", "ReservationStatusUpdate:Expired"}},
		"local list":                   {"SendLocalList", `{"versionNumber":3,"updateType":"Full","localAuthorizationList":[]}`, `"Accepted"`, nil},
		"profile, then what is stored": {"SetChargingProfile", `{"evseId":1,"chargingProfile":{"id":1,"stackLevel":0,"chargingProfilePurpose":"TxDefaultProfile","chargingProfileKind":"Relative","chargingSchedule":[{"id":1,"chargingRateUnit":"W","chargingSchedulePeriod":[{"startPeriod":0,"limit":10000}]}]}}`, `"Accepted"`, nil},
		"no profiles":                  {"GetChargingProfiles", `{"requestId":1,"chargingProfile":{}}`, `"NoProfiles"`, nil},
		"composite schedule":           {"GetCompositeSchedule", `{"evseId":1,"duration":600,"chargingRateUnit":"W"}`, `"limit":300000`, nil},
		"a log":                        {"GetLog", `{"logType":"DiagnosticsLog","requestId":8,"log":{"remoteLocation":"https://127.0.0.1/x"}}`, `"Accepted"`, []string{"LogStatusNotification:Uploaded"}},
		"signed firmware":              {"UpdateFirmware", `{"requestId":5,"firmware":{"location":"https://127.0.0.1/fw","retrieveDateTime":"2000-01-01T00:00:00Z","signature":"x"}}`, `"Accepted"`, []string{"FirmwareStatusNotification:SignatureVerified", "BootNotification:FirmwareUpdate", "FirmwareStatusNotification:Installed"}},
		"unlock a fast charger":        {"UnlockConnector", `{"evseId":1,"connectorId":1}`, `"UnlockFailed"`, nil},
		"unlock a missing connector":   {"UnlockConnector", `{"evseId":1,"connectorId":7}`, `"UnknownConnector"`, nil},
		"customer information":         {"CustomerInformation", `{"requestId":2,"report":true,"clear":false}`, `"Accepted"`, []string{"NotifyCustomerInformation"}},
		"a display it does not have":   {"SetDisplayMessage", `{}`, `[4,"cmd-1","NotSupported"`, nil},
		"an unknown action":            {"MakeCoffee", `{}`, `[4,"cmd-1","NotImplemented"`, nil},
		"a payload of the wrong type":  {"Reset", `{"type":7}`, `[4,"cmd-1","FormatViolation"`, nil},
		"an install it cannot do":      {"InstallCertificate", `{}`, `"Rejected"`, nil},
		"a list version":               {"GetLocalListVersion", `{}`, `"versionNumber":0`, nil},
		"cost updated":                 {"CostUpdated", `{}`, `[3,"cmd-1",{}]`, nil},
	}
	for name, tt := range tests {
		for _, v := range []Version{V201, V21} {
			t.Run(name+" "+v.String(), func(t *testing.T) {
				checkCommand(t, one(t, "HYC300", v, nil), tt.action, tt.payload, tt.want, tt.then)
			})
		}
	}
}

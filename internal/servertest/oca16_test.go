package servertest_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
)

func TestOCA16Core(t *testing.T)    { playCases(t, oca16Core()) }
func TestOCA16Command(t *testing.T) { playCases(t, oca16Commands()) }
func TestOCA16More(t *testing.T)    { playCases(t, oca16More()) }

// boot16 is a station that was switched on.
func (p *player) boot16() {
	p.Helper()
	p.connect()
	p.booted16()
}

// booted16 is what a station tells over a new connection after its start.
func (p *player) booted16() {
	p.Helper()
	a := p.call("BootNotification", `{"chargePointVendor":"OCA","chargePointModel":"Case"}`)
	p.is(a, "status", "Accepted")
	if n, ok := a["interval"].(float64); !ok || n <= 0 {
		p.Errorf("the interval is %v", a["interval"])
	}
	p.status16(0, "Available")
	p.status16(1, "Available")
}

func (p *player) status16(connector int, status string) {
	p.Helper()
	p.call("StatusNotification", fmt.Sprintf(`{"connectorId":%d,"errorCode":"NoError","status":%q,"timestamp":%q}`, connector, status, stamp()))
	if connector > 0 {
		p.shows(connector, map[string]fleet.Status{
			"Available": fleet.Available, "Preparing": fleet.Preparing, "Charging": fleet.Charging, "SuspendedEV": fleet.SuspendedEV,
			"Finishing": fleet.Finishing, "Reserved": fleet.Reserved, "Unavailable": fleet.Unavailable, "Faulted": fleet.Faulted,
		}[status])
	}
}

func (p *player) authorize16(tag, want string) {
	p.Helper()
	p.is(p.call("Authorize", fmt.Sprintf(`{"idTag":%q}`, tag)), "idTagInfo.status", want)
}

// start16 returns the id of the transaction.
func (p *player) start16(tag, want, at string) int {
	p.Helper()
	a := p.call("StartTransaction", fmt.Sprintf(`{"connectorId":1,"idTag":%q,"meterStart":1000,"timestamp":%q}`, tag, at))
	p.is(a, "idTagInfo.status", want)
	id, _ := a["transactionId"].(float64)
	if id <= 0 {
		p.Errorf("the transaction id is %v", a["transactionId"])
	}
	return int(id)
}

func (p *player) stop16(tx int, reason string) *fleet.Session {
	p.Helper()
	p.call("StopTransaction", fmt.Sprintf(`{"transactionId":%d,"meterStop":3500,"timestamp":%q,"reason":%q}`, tx, stamp(), reason))
	x := p.ended(reason)
	if x.EnergyWh != 2500 || x.TransactionID != fmt.Sprint(tx) {
		p.Errorf("the session: %+v", x)
	}
	return x
}

// charging16 is a station with a running transaction, whose id it returns.
func (p *player) charging16() int {
	p.Helper()
	p.boot16()
	p.authorize16("VALID", "Accepted")
	p.status16(1, "Preparing")
	tx := p.start16("VALID", "Accepted", stamp())
	p.status16(1, "Charging")
	return tx
}

func oca16Core() ocaChapter {
	return ocaChapter{ocppj.V16, "OCPP 1.6: what a station tells", []ocaCase{
		{id: "TC_001_CSMS", must: "Accept the boot with an interval, take the state of each connector, answer heartbeats with the time.", play: func(p *player) {
			p.boot16()
			at, err := time.Parse(time.RFC3339, fmt.Sprint(p.call("Heartbeat", `{}`)["currentTime"]))
			if err != nil || time.Since(at).Abs() > time.Minute {
				p.Errorf("the time is %v: %v", at, err)
			}
		}},
		{id: "TC_003_CSMS", must: "Serve a session in which the plug comes before the card.", play: func(p *player) {
			p.boot16()
			p.status16(1, "Preparing")
			p.authorize16("VALID", "Accepted")
			tx := p.start16("VALID", "Accepted", stamp())
			p.status16(1, "Charging")
			p.stop16(tx, "Local")
		}},
		{id: "TC_004_1_CSMS", must: "Serve a session in which the card comes before the plug.", play: func(p *player) { p.stop16(p.charging16(), "Local") }},
		{id: "TC_004_2_CSMS", must: "Take it that nobody plugged in: the connector is free again and there is no session.", play: func(p *player) {
			p.boot16()
			p.authorize16("VALID", "Accepted")
			p.status16(1, "Preparing")
			p.status16(1, "Available")
			p.sessions(0)
		}},
		{id: "TC_005_1_CSMS", must: "End the session that the car's driver ended by pulling the plug.", play: func(p *player) {
			tx := p.charging16()
			p.status16(1, "SuspendedEV")
			p.stop16(tx, "EVDisconnected")
			p.status16(1, "Finishing")
			p.status16(1, "Available")
		}},
		{id: "TC_007_CSMS", must: "Accept a start without an Authorize before it: the station knew the card.", play: func(p *player) {
			p.boot16()
			p.status16(1, "Preparing")
			p.stop16(p.start16("VALID", "Accepted", stamp()), "Local")
		}},
		{id: "TC_023_1_CSMS", must: "Answer an unknown card with Invalid.", play: func(p *player) { p.boot16(); p.authorize16("NOBODY", "Invalid") }},
		{id: "TC_023_2_CSMS", must: "Answer a card past its end with Expired.", play: func(p *player) { p.boot16(); p.authorize16("EXPIRED", "Expired") }},
		{id: "TC_023_3_CSMS", must: "Answer a blocked card with Blocked.", play: func(p *player) { p.boot16(); p.authorize16("BLOCKED", "Blocked") }},
		{id: "TC_024_CSMS", must: "Take a failure of the connector's lock and show the port as faulted.", play: func(p *player) {
			p.boot16()
			p.status16(1, "Preparing")
			p.call("StatusNotification", `{"connectorId":1,"errorCode":"ConnectorLockFailure","status":"Faulted","timestamp":"`+stamp()+`"}`)
			p.shows(1, fleet.Faulted)
			if f := p.s.Station(p.T, p.id).EVSEs[0].Fault; f == nil || f.Code != "ConnectorLockFailure" {
				p.Errorf("the fault: %+v", f)
			}
		}},
		{id: "TC_032_1_CSMS", must: "After a power failure accept the boot and end the transaction that the station ends.", play: func(p *player) {
			tx := p.charging16()
			p.reconnect()
			p.is(p.call("BootNotification", `{"chargePointVendor":"OCA","chargePointModel":"Case"}`), "status", "Accepted")
			p.status16(1, "Finishing")
			p.stop16(tx, "PowerLoss")
		}},
		{id: "TC_037_1_CSMS", must: "Accept a start of while the station was offline, by a valid card.", play: func(p *player) {
			p.boot16()
			p.reconnect()
			p.start16("VALID", "Accepted", ago(time.Minute))
			p.status16(1, "Charging")
			if x := p.sessions(1)[0]; time.Since(x.StartedAt) < 50*time.Second {
				p.Errorf("the session began %v", x.StartedAt)
			}
		}},
		{id: "TC_037_3_CSMS", must: "Answer a start of while the station was offline, by an unknown card, with Invalid and an id, and take the end that follows.", play: func(p *player) {
			p.boot16()
			p.reconnect()
			tx := p.start16("NOBODY", "Invalid", ago(time.Minute))
			p.status16(1, "Charging")
			p.stop16(tx, "DeAuthorized")
			p.status16(1, "Finishing")
		}},
		{id: "TC_039_CSMS", must: "Take a whole session of while the station was offline.", play: func(p *player) {
			p.boot16()
			p.reconnect()
			p.stop16(p.start16("VALID", "Accepted", ago(time.Hour)), "Local")
		}},
		{id: "TC_064_CSMS", must: "Not accept a DataTransfer of a vendor it does not know.", play: func(p *player) {
			p.boot16()
			p.is(p.call("DataTransfer", `{"vendorId":"com.example","messageId":"m","data":"d"}`), "status", "UnknownVendorId")
		}},
	}}
}

const accepted = `{"status":"Accepted"}`

func says(word string) string { return `{"status":"` + word + `"}` }

// answered16 is a case of a command that the station answers with a word.
func answered16(id, must, action, payload, answer string) ocaCase {
	return ocaCase{id: id, must: must, play: func(p *player) {
		p.boot16()
		p.send(action, payload, answer)
	}}
}

// reset16 is a case of a station that is started anew.
func reset16(kind string) func(p *player) {
	return func(p *player) {
		p.boot16()
		p.send("Reset", `{"type":"`+kind+`"}`, accepted)
		p.reconnect()
		p.booted16()
	}
}

func oca16Commands() ocaChapter {
	return ocaChapter{ocppj.V16, "OCPP 1.6: what an operator asks", []ocaCase{
		{id: "TC_010_CSMS", must: "Start a session from afar where the plug is in already.", play: func(p *player) {
			p.boot16()
			p.status16(1, "Preparing")
			p.send("RemoteStartTransaction", `{"connectorId":1,"idTag":"VALID"}`, accepted)
			p.authorize16("VALID", "Accepted")
			p.stop16(p.start16("VALID", "Accepted", stamp()), "Local")
		}},
		{id: "TC_011_1_CSMS", must: "Start a session from afar before the plug is in.", play: func(p *player) {
			p.boot16()
			p.send("RemoteStartTransaction", `{"connectorId":1,"idTag":"VALID"}`, accepted)
			p.authorize16("VALID", "Accepted")
			p.status16(1, "Preparing")
			p.start16("VALID", "Accepted", stamp())
			p.status16(1, "Charging")
		}},
		{id: "TC_011_2_CSMS", must: "Take it that nobody plugged in after a start from afar.", play: func(p *player) {
			p.boot16()
			p.send("RemoteStartTransaction", `{"connectorId":1,"idTag":"VALID"}`, accepted)
			p.authorize16("VALID", "Accepted")
			p.status16(1, "Preparing")
			p.status16(1, "Available")
			p.sessions(0)
		}},
		{id: "TC_012_CSMS", must: "Stop a session from afar.", play: func(p *player) {
			tx := p.charging16()
			p.send("RemoteStopTransaction", fmt.Sprintf(`{"transactionId":%d}`, tx), accepted)
			p.stop16(tx, "Remote")
			p.status16(1, "Finishing")
			p.status16(1, "Available")
		}},
		{id: "TC_013_CSMS", must: "Reset a station hard and accept it when it comes again.", play: reset16("Hard")},
		{id: "TC_014_CSMS", must: "Reset a station softly and accept it when it comes again.", play: reset16("Soft")},
		answered16("TC_017_1_CSMS", "Unlock a connector without a session.", "UnlockConnector", `{"connectorId":1}`, says("Unlocked")),
		answered16("TC_017_2_CSMS", "Be told that a connector with a fixed cable is not unlocked.", "UnlockConnector", `{"connectorId":1}`, says("NotSupported")),
		{id: "TC_018_1_CSMS", must: "Unlock a connector with a session, which ends by it.", play: func(p *player) {
			tx := p.charging16()
			p.send("UnlockConnector", `{"connectorId":1}`, says("Unlocked"))
			p.status16(1, "Finishing")
			p.stop16(tx, "UnlockCommand")
			p.status16(1, "Available")
		}},
		answered16("TC_019_1_CSMS", "Read all settings.", "GetConfiguration", `{}`,
			`{"configurationKey":[{"key":"HeartbeatInterval","readonly":false,"value":"300"},{"key":"NumberOfConnectors","readonly":true,"value":"1"}]}`),
		answered16("TC_019_2_CSMS", "Read one setting.", "GetConfiguration", `{"key":["SupportedFeatureProfiles"]}`,
			`{"configurationKey":[{"key":"SupportedFeatureProfiles","readonly":true,"value":"Core"}],"unknownKey":[]}`),
		answered16("TC_021_CSMS", "Change a setting.", "ChangeConfiguration", `{"key":"MeterValueSampleInterval","value":"60"}`, accepted),
		answered16("TC_026_CSMS", "Be told that a start from afar is refused.", "RemoteStartTransaction", `{"connectorId":1,"idTag":"VALID"}`, says("Rejected")),
		{id: "TC_028_CSMS", must: "Be told that a stop from afar is refused; the session goes on.", play: func(p *player) {
			tx := p.charging16()
			p.send("RemoteStopTransaction", fmt.Sprintf(`{"transactionId":%d}`, tx+1), says("Rejected"))
			p.shows(1, fleet.Charging)
		}},
		answered16("TC_030_CSMS", "Be told that unlocking failed.", "UnlockConnector", `{"connectorId":1}`, says("UnlockFailed")),
		answered16("TC_031_CSMS", "Be told that there is no such connector to unlock.", "UnlockConnector", `{"connectorId":7}`, says("NotSupported")),
		answered16("TC_040_1_CSMS", "Be told that a setting does not exist.", "ChangeConfiguration", `{"key":"Testing","value":"60"}`, says("NotSupported")),
		answered16("TC_040_2_CSMS", "Be told that a value is refused.", "ChangeConfiguration", `{"key":"MeterValueSampleInterval","value":"-1"}`, says("Rejected")),
		answered16("TC_042_1_CSMS", "Be told that a station keeps no list of cards.", "GetLocalListVersion", `{}`, `{"listVersion":-1}`),
		answered16("TC_042_2_CSMS", "Be told that the list of cards is empty.", "GetLocalListVersion", `{}`, `{"listVersion":0}`),
		answered16("TC_043_1_CSMS", "Be told that a list of cards is not supported.", "SendLocalList",
			`{"listVersion":1,"updateType":"Full","localAuthorizationList":[{"idTag":"VALID","idTagInfo":{"status":"Accepted"}}]}`, says("NotSupported")),
		answered16("TC_043_3_CSMS", "Be told that a list of cards was not taken.", "SendLocalList",
			`{"listVersion":1,"updateType":"Full","localAuthorizationList":[{"idTag":"VALID","idTagInfo":{"status":"Accepted"}}]}`, says("Failed")),
		{id: "TC_043_4_CSMS", must: "Give a station a whole list in which each card has its status.", test: "servertest.TestStationsServeByTheirListsWhileTheServerIsDown"},
		{id: "TC_043_5_CSMS", must: "Give a station only what changed in its list.", test: "servertest.TestStationsServeByTheirListsWhileTheServerIsDown"},
		{id: "TC_046_CSMS", must: "Reserve a connector; who reserved it charges, and the reservation is used.", play: func(p *player) {
			p.boot16()
			p.reserve16(1, "Accepted")
			p.status16(1, "Reserved")
			p.authorize16("VALID", "Accepted")
			p.call("StartTransaction", `{"connectorId":1,"idTag":"VALID","meterStart":1000,"reservationId":7,"timestamp":"`+stamp()+`"}`)
			p.reservation("Used")
			p.status16(1, "Charging")
		}},
		{id: "TC_047_CSMS", must: "Reserve a connector that is not used in time; it is free again.", play: func(p *player) {
			p.boot16()
			p.reserve16(1, "Accepted")
			p.status16(1, "Reserved")
			p.status16(1, "Available")
		}},
		reserved16("TC_048_1_CSMS", "Faulted"), reserved16("TC_048_2_CSMS", "Occupied"), reserved16("TC_048_3_CSMS", "Unavailable"), reserved16("TC_048_4_CSMS", "Rejected"),
		{id: "TC_049_CSMS", must: "Reserve whichever connector of a station.", play: func(p *player) {
			p.boot16()
			p.reserve16(0, "Accepted")
			p.status16(1, "Reserved")
			p.call("StartTransaction", `{"connectorId":1,"idTag":"VALID","meterStart":1000,"reservationId":7,"timestamp":"`+stamp()+`"}`)
			p.reservation("Used")
		}},
		{id: "TC_051_CSMS", must: "Cancel a reservation by its id.", play: func(p *player) {
			p.boot16()
			p.reserve16(1, "Accepted")
			p.status16(1, "Reserved")
			p.send("CancelReservation", `{"reservationId":7}`, accepted)
			p.reservation("Cancelled")
			p.status16(1, "Available")
		}},
		{id: "TC_052_CSMS", must: "Be told that a reservation is not cancelled; it stands.", play: func(p *player) {
			p.boot16()
			p.reserve16(1, "Accepted")
			p.status16(1, "Reserved")
			p.send("CancelReservation", `{"reservationId":8}`, says("Rejected"))
			p.reservation("Accepted")
		}},
		{id: "TC_053_CSMS", must: "Reserve for a group, another card of which charges.", play: func(p *player) {
			p.boot16()
			p.send("ReserveNow", fmt.Sprintf(`{"connectorId":1,"expiryDate":%q,"idTag":"VALID","parentIdTag":"GROUP","reservationId":7}`, ago(-time.Hour)), accepted)
			p.status16(1, "Reserved")
			a := p.call("Authorize", `{"idTag":"SAMEGROUP"}`)
			p.is(a, "idTagInfo.status", "Accepted")
			p.is(a, "idTagInfo.parentIdTag", "GROUP")
			p.call("StartTransaction", `{"connectorId":1,"idTag":"SAMEGROUP","meterStart":1000,"reservationId":7,"timestamp":"`+stamp()+`"}`)
			p.reservation("Used")
		}},
		{id: "TC_054_CSMS", must: "Ask for each message that a station can be asked for, and take it.", play: func(p *player) {
			p.boot16()
			for _, x := range []struct{ message, action, payload string }{
				{"MeterValues", "MeterValues", `{"connectorId":1,"meterValue":[{"timestamp":"` + stamp() + `","sampledValue":[{"value":"1000","context":"Trigger"}]}]}`},
				{"Heartbeat", "Heartbeat", `{}`},
				{"StatusNotification", "StatusNotification", `{"connectorId":1,"errorCode":"NoError","status":"Available"}`},
				{"DiagnosticsStatusNotification", "DiagnosticsStatusNotification", `{"status":"Idle"}`},
				{"FirmwareStatusNotification", "FirmwareStatusNotification", `{"status":"Idle"}`},
				{"BootNotification", "BootNotification", `{"chargePointVendor":"OCA","chargePointModel":"Case"}`},
			} {
				p.send("TriggerMessage", fmt.Sprintf(`{"requestedMessage":%q,"connectorId":1}`, x.message), accepted)
				p.call(x.action, x.payload)
			}
		}},
		answered16("TC_055_CSMS", "Be told that a message is not sent.", "TriggerMessage", `{"requestedMessage":"MeterValues","connectorId":1}`, says("Rejected")),
		{id: "TC_056_CSMS", must: "Set a schedule for all sessions to come.", play: func(p *player) {
			p.boot16()
			p.send("SetChargingProfile", fmt.Sprintf(`{"connectorId":1,"csChargingProfiles":{"chargingProfileId":1,"stackLevel":1,"chargingProfilePurpose":"TxDefaultProfile","chargingProfileKind":"Absolute","validFrom":%q,"validTo":%q,"chargingSchedule":{"duration":300,"startSchedule":%q,"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":6,"numberPhases":3}]}}}`,
				stamp(), ago(-time.Hour), stamp()), accepted)
			p.profiles("TxDefaultProfile")
		}},
		{id: "TC_057_CSMS", must: "Set a schedule for the session that runs.", play: func(p *player) {
			tx := p.charging16()
			p.send("SetChargingProfile", fmt.Sprintf(`{"connectorId":1,"csChargingProfiles":{"chargingProfileId":2,"transactionId":%d,"stackLevel":1,"chargingProfilePurpose":"TxProfile","chargingProfileKind":"Relative","chargingSchedule":{"duration":300,"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":6}]}}}`, tx), accepted)
			p.profiles("TxProfile")
		}},
		answered16("TC_059_CSMS", "Start a session from afar together with its schedule.", "RemoteStartTransaction",
			`{"connectorId":1,"idTag":"VALID","chargingProfile":{"chargingProfileId":3,"stackLevel":1,"chargingProfilePurpose":"TxProfile","chargingProfileKind":"Relative","chargingSchedule":{"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":6}]}}}`, accepted),
		answered16("TC_061_CSMS", "Empty a station's memory of cards.", "ClearCache", `{}`, accepted),
		answered16("TC_066_CSMS", "Ask what limits will hold.", "GetCompositeSchedule", `{"connectorId":1,"duration":300,"chargingRateUnit":"A"}`,
			`{"status":"Accepted","connectorId":1,"scheduleStart":"2026-01-01T00:00:00Z","chargingSchedule":{"duration":300,"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":6}]}}`),
		{id: "TC_067_CSMS", must: "Set schedules, clear one by its id and others by what they are for.", play: func(p *player) {
			p.boot16()
			for i, purpose := range []string{"ChargePointMaxProfile", "TxDefaultProfile"} {
				p.send("SetChargingProfile", fmt.Sprintf(`{"connectorId":%d,"csChargingProfiles":{"chargingProfileId":%d,"stackLevel":1,"chargingProfilePurpose":%q,"chargingProfileKind":"Absolute","chargingSchedule":{"startSchedule":%q,"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":6}]}}}`, i, i+1, purpose, stamp()), accepted)
			}
			p.profiles("ChargePointMaxProfile", "TxDefaultProfile")
			p.send("ClearChargingProfile", `{"id":1}`, accepted)
			p.profiles("TxDefaultProfile")
			p.send("ClearChargingProfile", `{"connectorId":1,"chargingProfilePurpose":"TxDefaultProfile","stackLevel":1}`, accepted)
			p.profiles()
			p.send("ClearChargingProfile", `{"id":9}`, says("Unknown"))
		}},
	}}
}

func (p *player) reserve16(connector int, answer string) {
	p.Helper()
	p.send("ReserveNow", fmt.Sprintf(`{"connectorId":%d,"expiryDate":%q,"idTag":"VALID","reservationId":7}`, connector, ago(-time.Hour)), says(answer))
}

// reserved16 is a case of a reservation that the station refuses.
func reserved16(id, answer string) ocaCase {
	return ocaCase{id: id, must: "Be told that a reservation is not taken: " + answer + ".", play: func(p *player) {
		p.boot16()
		p.reserve16(1, answer)
		p.reservation(answer)
	}}
}

// reservation is the one that the API shows.
func (p *player) reservation(want string) {
	p.Helper()
	var list struct {
		Items []struct {
			ReservationID int    `json:"reservationId"`
			Status        string `json:"status"`
		} `json:"items"`
	}
	for range 500 { // a subscriber of the journal keeps them
		p.api("GET", "/reservations?station="+p.id, "", 200, &list)
		if len(list.Items) == 1 && list.Items[0].Status == want {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.Errorf("reservations %+v; want one that is %s", list.Items, want)
}

// profiles are those that the API shows.
func (p *player) profiles(want ...string) {
	p.Helper()
	var got []string
	for range 500 {
		var list struct{ Items []json.RawMessage }
		p.api("GET", "/stations/"+p.id+"/charging-profiles", "", 200, &list)
		got = nil
		for _, x := range list.Items {
			for _, w := range []string{"ChargePointMaxProfile", "ChargingStationMaxProfile", "TxDefaultProfile", "TxProfile"} {
				if strings.Contains(string(x), `"`+w+`"`) {
					got = append(got, w)
				}
			}
		}
		slices.Sort(got)
		if slices.Equal(got, want) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.Errorf("profiles %v; want %v", got, want)
}

// firmware16 is a case of an update and the states it goes through.
func firmware16(id, must, action, notify, payload, answer string, states ...string) ocaCase {
	return ocaCase{id: id, must: must, play: func(p *player) {
		p.boot16()
		p.send(action, payload, answer)
		for _, s := range states {
			more := ""
			if notify != "FirmwareStatusNotification" && notify != "DiagnosticsStatusNotification" {
				more = `,"requestId":5`
			}
			p.call(notify, fmt.Sprintf(`{"status":%q%s}`, s, more))
		}
		kind := event.KindFirmware
		if strings.Contains(notify, "Log") || strings.Contains(notify, "Diagnostics") {
			kind = event.KindLog
		}
		p.journalled(kind, states)
	}}
}

// journalled compares the states that events of a kind tell with those sent.
func (p *player) journalled(kind event.Kind, want []string) {
	p.Helper()
	var got []string
	for _, e := range p.told(kind) {
		switch b := e.Body.(type) {
		case *event.Firmware:
			got = append(got, b.Status)
		case *event.Log:
			got = append(got, b.Status)
		case *event.Security:
			got = append(got, b.Type)
		}
	}
	slices.Reverse(got)
	if !slices.Equal(got, want) {
		p.Errorf("the journal has %v; want %v", got, want)
	}
}

const pemText = `"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"`

func oca16More() ocaChapter {
	update := `{"location":"https://files.example.com/fw.bin","retrieveDate":"2026-01-02T03:04:05Z"}`
	signed := `{"requestId":5,"firmware":{"location":"https://files.example.com/fw.bin","retrieveDateTime":"2026-01-02T03:04:05Z","signingCertificate":` + pemText + `,"signature":"c2ln"}}`
	hash := `"certificateHashData":{"hashAlgorithm":"SHA256","issuerNameHash":"aa","issuerKeyHash":"bb","serialNumber":"1"}`
	return ocaChapter{ocppj.V16, "OCPP 1.6: firmware, files, security", []ocaCase{
		firmware16("TC_044_1_CSMS", "Have firmware fetched and installed, and follow it to its end.", "UpdateFirmware", "FirmwareStatusNotification", update, `{}`,
			"Downloading", "Downloaded", "Installing", "Installed"),
		firmware16("TC_044_2_CSMS", "Follow an update that could not be fetched.", "UpdateFirmware", "FirmwareStatusNotification", update, `{}`, "Downloading", "DownloadFailed"),
		firmware16("TC_044_3_CSMS", "Follow an update that could not be installed.", "UpdateFirmware", "FirmwareStatusNotification", update, `{}`,
			"Downloading", "Downloaded", "Installing", "InstallationFailed"),
		firmware16("TC_045_1_CSMS", "Have diagnostics sent, and follow it.", "GetDiagnostics", "DiagnosticsStatusNotification",
			`{"location":"https://files.example.com/"}`, `{"fileName":"diag.zip"}`, "Uploading", "Uploaded"),
		firmware16("TC_045_2_CSMS", "Follow diagnostics that could not be sent.", "GetDiagnostics", "DiagnosticsStatusNotification",
			`{"location":"https://files.example.com/"}`, `{"fileName":"diag.zip"}`, "Uploading", "UploadFailed"),
		{id: "TC_073_CSMS", must: "Give a station a new password, 32 to 40 hexadecimal digits, that holds from the next connection on.", test: "servertest.TestPasswordsAreRotatedAndNobodyIsLockedOut"},
		{id: "TC_074_CSMS", must: "Ask for a signing request, sign it, give the certificate, and take the connection that uses it.", test: "servertest.TestCertificatesAreRenewedAndAccountedFor"},
		{id: "TC_075_1_CSMS", must: "Install a maker's root certificate and read it back.", play: func(p *player) {
			p.boot16()
			p.send("InstallCertificate", `{"certificateType":"ManufacturerRootCertificate","certificate":`+pemText+`}`, accepted)
			p.send("GetInstalledCertificateIds", `{"certificateType":"ManufacturerRootCertificate"}`, `{"status":"Accepted",`+strings.Replace(hash, ":{", ":[{", 1)+`]}`)
		}},
		{id: "TC_075_2_CSMS", must: "Install the root certificate of the server and read it back.", play: func(p *player) {
			p.boot16()
			p.send("InstallCertificate", `{"certificateType":"CentralSystemRootCertificate","certificate":`+pemText+`}`, accepted)
			p.send("GetInstalledCertificateIds", `{"certificateType":"CentralSystemRootCertificate"}`, `{"status":"Accepted",`+strings.Replace(hash, ":{", ":[{", 1)+`]}`)
		}},
		{id: "TC_076_CSMS", must: "Delete a certificate by the hashes that the station gave.", play: func(p *player) {
			p.boot16()
			p.send("GetInstalledCertificateIds", `{"certificateType":"CentralSystemRootCertificate"}`, `{"status":"Accepted",`+strings.Replace(hash, ":{", ":[{", 1)+`]}`)
			p.send("DeleteCertificate", `{`+hash+`}`, accepted)
		}},
		{id: "TC_077_CSMS", must: "Take the event that a certificate for the station was wrong.", play: securityEvent16("InvalidChargePointCertificate")},
		{id: "TC_078_CSMS", must: "Take the refusal of a root certificate and the event that it was wrong.", play: func(p *player) {
			p.boot16()
			p.send("InstallCertificate", `{"certificateType":"CentralSystemRootCertificate","certificate":`+pemText+`}`, says("Rejected"))
			p.securityEvent("InvalidCentralSystemCertificate")
		}},
		firmware16("TC_079_CSMS", "Have the security log sent, and follow it.", "GetLog", "LogStatusNotification",
			`{"logType":"SecurityLog","requestId":5,"log":{"remoteLocation":"https://files.example.com/"}}`, accepted, "Uploading", "Uploaded"),
		firmware16("TC_080_CSMS", "Have signed firmware fetched, checked and installed, and follow it.", "SignedUpdateFirmware", "SignedFirmwareStatusNotification", signed, accepted,
			"Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting", "Installed"),
		{id: "TC_081_CSMS", must: "Follow firmware with a wrong signature to its refusal, and take the event.", play: func(p *player) {
			p.boot16()
			p.send("SignedUpdateFirmware", signed, accepted)
			states := []string{"Downloading", "Downloaded", "InvalidSignature"}
			for _, s := range states {
				p.call("SignedFirmwareStatusNotification", `{"requestId":5,"status":"`+s+`"}`)
			}
			p.journalled(event.KindFirmware, states)
			p.securityEvent("InvalidFirmwareSignature")
		}},
		{id: "TC_083_CSMS", must: "Raise the security profile of a station, reset it, and serve it by the new one.", test: "servertest.TestProfilesAreRaisedAndNobodyIsLockedOut"},
		{id: "TC_085_CSMS", must: "Let in the right name and password and refuse a wrong one.", test: "servertest.TestSecurityProfiles"},
		{id: "TC_086_CSMS", must: "Serve TLS 1.2 or newer with the suites of the specification and its own certificate.", test: "servertest.TestSecurityProfiles"},
		{id: "TC_087_CSMS", must: "Let in the station by its certificate.", test: "servertest.TestSecurityProfiles"},
		{id: "TC_088_CSMS", must: "Choose the version it has among those that a station offers.", test: "servertest.TestHandshakes"},
	}}
}

func (p *player) securityEvent(kind string) {
	p.Helper()
	p.call("SecurityEventNotification", fmt.Sprintf(`{"type":%q,"timestamp":%q}`, kind, stamp()))
	p.journalled(event.KindSecurity, []string{kind})
}

func securityEvent16(kind string) func(p *player) {
	return func(p *player) {
		p.boot16()
		p.securityEvent(kind)
	}
}

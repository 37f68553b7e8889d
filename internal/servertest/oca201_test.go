package servertest_test

import (
	"fmt"
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
)

func TestOCA201Provisioning(t *testing.T)  { playCases(t, oca201Provisioning()) }
func TestOCA201Transactions(t *testing.T)  { playCases(t, oca201Transactions()) }
func TestOCA201RemoteControl(t *testing.T) { playCases(t, oca201RemoteControl()) }

const boot201 = `{"reason":"PowerUp","chargingStation":{"vendorName":"OCA","model":"Case"}}`

// boot201 is a station that was switched on.
func (p *player) boot201() {
	p.Helper()
	p.connect()
	p.booted201("PowerUp")
}

// booted201 is what a station tells over a new connection after its start.
func (p *player) booted201(reason string) {
	p.Helper()
	p.is(p.call("BootNotification", fmt.Sprintf(`{"reason":%q,"chargingStation":{"vendorName":"OCA","model":"Case"}}`, reason)), "status", "Accepted")
	p.connector("Available")
}

// connector tells the state of the first connector, in both ways that there are.
func (p *player) connector(status string) {
	p.Helper()
	p.call("StatusNotification", fmt.Sprintf(`{"timestamp":%q,"connectorStatus":%q,"evseId":1,"connectorId":1}`, stamp(), status))
	p.call("NotifyEvent", fmt.Sprintf(`{"generatedAt":%[1]q,"seqNo":0,"eventData":[{"eventId":1,"timestamp":%[1]q,"trigger":"Delta","actualValue":%[2]q,"eventNotificationType":"HardWiredNotification","component":{"name":"Connector","evse":{"id":1,"connectorId":1}},"variable":{"name":"AvailabilityState"}}]}`, stamp(), status))
}

func (p *player) authorize201(token, want string) map[string]any {
	p.Helper()
	a := p.call("Authorize", fmt.Sprintf(`{"idToken":{"idToken":%q,"type":"ISO14443"}}`, token))
	p.is(a, "idTokenInfo.status", want)
	return a
}

// txEvent is what a station tells of its transaction.
type txEvent struct {
	kind, trigger, state, reason string
	token                        string
	info                         string          // what the answer says of the token
	more                         string          // further members, each with a comma in front
	tx                           string          // its id where it is not the first
	evse                         int             // where it is not the first
	shows                        fleet.Status    // of the port afterwards
	answer                       *map[string]any // where the answer is looked at
}

func (p *player) event(e txEvent) {
	p.Helper()
	id := "T1"
	if e.tx != "" {
		id = e.tx
	}
	if e.kind == "Started" {
		p.tx = 0
	}
	about := fmt.Sprintf(`{"transactionId":%q`, p.id+id)
	if e.state != "" {
		about += fmt.Sprintf(`,"chargingState":%q`, e.state)
	}
	if e.reason != "" {
		about += fmt.Sprintf(`,"stoppedReason":%q`, e.reason)
	}
	more := e.more
	if e.token != "" {
		more += fmt.Sprintf(`,"idToken":{"idToken":%q,"type":"ISO14443"}`, e.token)
	}
	a := p.call("TransactionEvent", fmt.Sprintf(`{"eventType":%q,"timestamp":%q,"triggerReason":%q,"seqNo":%d,"transactionInfo":%s},"evse":{"id":%d,"connectorId":1}%s}`,
		e.kind, stamp(), e.trigger, p.tx, about, max(e.evse, 1), more))
	p.tx++
	if e.info != "" {
		p.is(a, "idTokenInfo.status", e.info)
	}
	if e.answer != nil {
		*e.answer = a
	}
	if e.shows != 0 {
		p.shows(1, e.shows)
	}
}

// meter is a measured value of a transaction.
func meter(context string, wh int, more string) string {
	return fmt.Sprintf(`,"meterValue":[{"timestamp":%q,"sampledValue":[{"value":%d,"context":%q,"measurand":"Energy.Active.Import.Register","unitOfMeasure":{"unit":"Wh"}%s}]}]`, stamp(), wh, context, more)
}

// charging201 is a station with a running transaction.
func (p *player) charging201() {
	p.Helper()
	p.boot201()
	p.authorize201("VALID", "Accepted")
	p.connector("Occupied")
	p.event(txEvent{kind: "Started", trigger: "CablePluggedIn", state: "EVConnected", shows: fleet.Preparing, more: meter("Transaction.Begin", 1000, "")})
	p.event(txEvent{kind: "Updated", trigger: "Authorized", state: "EVConnected", token: "VALID", info: "Accepted"})
	p.event(txEvent{kind: "Updated", trigger: "ChargingStateChanged", state: "Charging", shows: fleet.Charging})
}

// stopped201 ends the transaction, and the car leaves.
func (p *player) stopped201(trigger, reason string) *fleet.Session {
	p.Helper()
	p.event(txEvent{kind: "Ended", trigger: trigger, state: "Idle", reason: reason, more: meter("Transaction.End", 3500, "")})
	p.connector("Available")
	p.shows(1, fleet.Available)
	x := p.ended(reason)
	if x.EnergyWh != 2500 {
		p.Errorf("the session: %+v", x)
	}
	return x
}

// answered201 is a case of a command that the station answers and that leaves nothing else.
func answered201(id, must, action, payload, answer string) ocaCase {
	return ocaCase{id: id, must: must, play: func(p *player) {
		p.boot201()
		p.send(action, payload, answer)
	}}
}

func reset201(payload, answer string, play func(p *player)) func(p *player) {
	return func(p *player) {
		if play == nil {
			p.boot201()
		} else {
			p.charging201()
		}
		p.send("Reset", payload, says(answer))
		if play != nil {
			play(p)
		}
		p.reconnect()
		p.booted201("RemoteReset")
	}
}

// report201 is a case of a report in two parts.
func report201(id, must, action, payload string) ocaCase {
	return ocaCase{id: id, must: must, play: func(p *player) {
		p.boot201()
		p.send(action, payload, accepted)
		part := func(seq int, more bool, evse int) {
			p.call("NotifyReport", fmt.Sprintf(`{"requestId":41,"generatedAt":%q,"seqNo":%d,"tbc":%v,"reportData":[{"component":{"name":"EVSE","evse":{"id":%d}},"variable":{"name":"Power"},"variableAttribute":[{"value":"0"}],"variableCharacteristics":{"dataType":"decimal","supportsMonitoring":true,"unit":"W","maxLimit":22000}}]}`,
				stamp(), seq, more, evse))
		}
		part(0, true, 1)
		part(1, false, 2)
		if n := len(p.told(event.KindReport)); n == 0 {
			p.Error("no report is in the journal")
		}
		if st := p.s.Station(p.T, p.id); len(st.EVSEs) < 2 {
			p.Errorf("the report told of two ports; there are %d", len(st.EVSEs))
		}
	}}
}

func oca201Provisioning() ocaChapter {
	pending := func(p *player) {
		p.reconnect() // nobody enrolled it
		p.is(p.call("BootNotification", boot201), "status", "Pending")
	}
	approved := func(p *player) {
		p.expect("TriggerMessage", `{"requestedMessage":"BootNotification"}`, accepted, func() {
			p.api("POST", "/stations/"+p.id+"/approve", `{}`, 200, nil)
		})
		p.booted201("Triggered")
	}
	network := `{"configurationSlot":1,"connectionData":{"messageTimeout":30,"ocppCsmsUrl":"wss://csms.example.com/ocpp","ocppInterface":"Wired0","ocppTransport":"JSON","ocppVersion":"OCPP20","securityProfile":2}}`
	variable := `"component":{"name":"OCPPCommCtrlr"},"variable":{"name":"OfflineThreshold"}`
	second := `"component":{"name":"AuthCtrlr"},"variable":{"name":"AuthorizeRemoteStart"}`
	end := func(p *player) {
		p.event(txEvent{kind: "Updated", trigger: "StopAuthorized", state: "EVConnected", token: "VALID", info: "Accepted"})
		p.stopped201("EVCommunicationLost", "Local")
	}
	reset := func(p *player) { p.stopped201("ResetCommand", "ImmediateReset") }
	return ocaChapter{ocppj.V201, "OCPP 2.0.1 B: provisioning", []ocaCase{
		{id: "TC_B_01_CSMS", must: "Accept the boot of a registered station.", play: func(p *player) { p.boot201() }},
		{id: "TC_B_02_CSMS", must: "Answer the boot Pending, and Accepted once a person has let the station in.", play: func(p *player) { pending(p); approved(p) }},
		answered201("TC_B_06_CSMS", "Read one variable.", "GetVariables", `{"getVariableData":[{`+variable+`}]}`,
			`{"getVariableResult":[{"attributeStatus":"Accepted","attributeValue":"60",`+variable+`}]}`),
		answered201("TC_B_07_CSMS", "Read several variables at once.", "GetVariables", `{"getVariableData":[{`+variable+`},{`+second+`}]}`,
			`{"getVariableResult":[{"attributeStatus":"Accepted","attributeValue":"60",`+variable+`},{"attributeStatus":"Accepted","attributeValue":"true",`+second+`}]}`),
		answered201("TC_B_09_CSMS", "Set one variable.", "SetVariables", `{"setVariableData":[{"attributeValue":"123",`+variable+`}]}`,
			`{"setVariableResult":[{"attributeStatus":"Accepted",`+variable+`}]}`),
		answered201("TC_B_10_CSMS", "Set several variables at once.", "SetVariables", `{"setVariableData":[{"attributeValue":"123",`+variable+`},{"attributeValue":"false",`+second+`}]}`,
			`{"setVariableResult":[{"attributeStatus":"Accepted",`+variable+`},{"attributeStatus":"RebootRequired",`+second+`}]}`),
		report201("TC_B_12_CSMS", "Ask for the report of all that can be set, and take it in parts.", "GetBaseReport", `{"requestId":41,"reportBase":"ConfigurationInventory"}`),
		report201("TC_B_13_CSMS", "Ask for the whole report, and take it in parts.", "GetBaseReport", `{"requestId":41,"reportBase":"FullInventory"}`),
		{id: "TC_B_20_CSMS", must: "Reset an idle station and accept its boot.", play: reset201(`{"type":"OnIdle"}`, "Accepted", nil)},
		{id: "TC_B_21_CSMS", must: "Have a station reset once it is idle; the session ends by itself before.", play: reset201(`{"type":"OnIdle"}`, "Scheduled", end)},
		{id: "TC_B_22_CSMS", must: "Reset a station at once; the session ends by it.", play: reset201(`{"type":"Immediate"}`, "Accepted", reset)},
		{id: "TC_B_25_CSMS", must: "Reset one EVSE that is idle.", play: func(p *player) {
			p.boot201()
			p.send("Reset", `{"type":"OnIdle","evseId":1}`, accepted)
			p.connector("Unavailable")
			p.shows(1, fleet.Unavailable)
			p.connector("Available")
			p.shows(1, fleet.Available)
		}},
		{id: "TC_B_26_CSMS", must: "Have one EVSE reset once it is idle.", play: func(p *player) {
			p.charging201()
			p.send("Reset", `{"type":"OnIdle","evseId":1}`, says("Scheduled"))
			end(p)
		}},
		{id: "TC_B_27_CSMS", must: "Reset one EVSE at once; its session ends by it.", play: func(p *player) {
			p.charging201()
			p.send("Reset", `{"type":"Immediate","evseId":1}`, accepted)
			reset(p)
		}},
		{id: "TC_B_30_CSMS", must: "Refuse what a station says before it is accepted with SecurityError.", play: func(p *player) {
			pending(p)
			p.refused("StatusNotification", fmt.Sprintf(`{"timestamp":%q,"connectorStatus":"Available","evseId":1,"connectorId":1}`, stamp()), "SecurityError")
			approved(p)
		}},
		{id: "TC_B_31_CSMS", must: "Ask a station that waits to boot again before its interval is over.", play: func(p *player) {
			pending(p)
			p.send("TriggerMessage", `{"requestedMessage":"BootNotification"}`, accepted)
			p.is(p.call("BootNotification", boot201), "status", "Pending")
			approved(p)
		}},
		answered201("TC_B_42_CSMS", "Give a station another way to its system.", "SetNetworkProfile", network, accepted),
		answered201("TC_B_44_CSMS", "Be told that a station could not take a way to its system.", "SetNetworkProfile", network, says("Failed")),
	}}
}

// expect waits for a CALL that the server makes by itself.
func (p *player) expect(action, payload, answer string, because func()) {
	p.Helper()
	x := &expected{action: action, payload: payload, answer: answer, came: make(chan struct{})}
	p.mu.Lock()
	p.awaited = x
	p.mu.Unlock()
	because()
	select {
	case <-x.came:
	case <-p.Context().Done():
		p.Fatalf("%s did not come", action)
	}
}

func (p *player) steps(events ...txEvent) {
	p.Helper()
	for _, e := range events {
		p.event(e)
	}
}

// transacts is a case of a transaction told in steps by a station that has booted.
func transacts(id, must string, reason string, events ...txEvent) ocaCase {
	return ocaCase{id: id, must: must, play: func(p *player) {
		p.boot201()
		p.steps(events...)
		if reason == "" {
			if x := p.sessions(1)[0]; x.State != fleet.SessionActive {
				p.Errorf("the session is %s", x.State)
			}
			return
		}
		p.ended(reason)
	}}
}

// ends is a case of how a running transaction ends.
func ends(id, must, reason string, events ...txEvent) ocaCase {
	return ocaCase{id: id, must: must, play: func(p *player) {
		p.charging201()
		p.steps(events...)
		p.ended(reason)
		p.connector("Available")
		p.shows(1, fleet.Available)
	}}
}

// queued is a case of what a station has not told yet.
func queued(id, must string, named bool, answer string) ocaCase {
	return ocaCase{id: id, must: must, play: func(p *player) {
		p.charging201()
		payload := `{}`
		if named {
			payload = `{"transactionId":"` + p.id + `T1"}`
		}
		p.send("GetTransactionStatus", payload, answer)
	}}
}

func oca201Transactions() ocaChapter {
	start := func(trigger, state string) txEvent {
		return txEvent{kind: "Started", trigger: trigger, state: state}
	}
	by := func(e txEvent, token string) txEvent {
		e.token, e.info = token, "Accepted"
		return e
	}
	update := func(trigger, state string) txEvent {
		return txEvent{kind: "Updated", trigger: trigger, state: state}
	}
	end := func(trigger, reason string) txEvent {
		return txEvent{kind: "Ended", trigger: trigger, state: "EVConnected", reason: reason, more: meter("Transaction.End", 3500, "")}
	}
	charging := txEvent{kind: "Updated", trigger: "ChargingStateChanged", state: "Charging", shows: fleet.Charging}
	gone := txEvent{kind: "Updated", trigger: "EVCommunicationLost", state: "Idle"}
	signed := `,"signedMeterValue":{"signedMeterData":"AAAA","signingMethod":"ECDSA","encodingMethod":"OCMF","publicKey":"BBBB"}`
	return ocaChapter{ocppj.V201, "OCPP 2.0.1 E and J: transactions and what is measured", []ocaCase{
		transacts("TC_E_01_CSMS", "Take a transaction that begins when the circuit is closed.", "", by(start("ChargingStateChanged", "Charging"), "VALID"), charging),
		transacts("TC_E_02_CSMS", "Take a transaction that begins with the energy.", "", by(start("ChargingStateChanged", "Charging"), "VALID"), charging),
		transacts("TC_E_03_CSMS", "Serve a transaction in which the plug comes before the card.", "", start("CablePluggedIn", "EVConnected"), by(update("Authorized", "EVConnected"), "VALID"), charging),
		transacts("TC_E_04_CSMS", "Serve a transaction in which the card comes before the plug.", "", by(start("Authorized", ""), "VALID"), update("CablePluggedIn", "EVConnected"), charging),
		ends("TC_E_07_CSMS", "Take the end when the driver stops and the circuit opens.", "Local", by(txEvent{kind: "Ended", trigger: "StopAuthorized", state: "EVConnected", reason: "Local"}, "VALID")),
		ends("TC_E_08_CSMS", "Take the end when the driver stops and energy stops.", "Local", by(txEvent{kind: "Ended", trigger: "StopAuthorized", state: "EVConnected", reason: "Local"}, "VALID")),
		transacts("TC_E_09_CSMS", "Take a transaction that begins with the plug.", "", start("CablePluggedIn", "EVConnected")),
		transacts("TC_E_10_CSMS", "Take a transaction that begins with the card.", "", by(start("Authorized", ""), "VALID")),
		transacts("TC_E_11_CSMS", "Take a transaction that begins with a signed reading.", "", txEvent{kind: "Started", trigger: "SignedDataReceived", state: "EVConnected", token: "VALID", info: "Accepted", more: meter("Transaction.Begin", 1000, signed)}, charging),
		transacts("TC_E_12_CSMS", "Take a transaction that begins when a car stands in the bay.", "", start("EVDetected", ""), update("CablePluggedIn", "EVConnected"), by(update("Authorized", "EVConnected"), "VALID"), charging),
		ends("TC_E_14_CSMS", "Take the end when the plug is pulled at the station.", "EVDisconnected",
			by(update("StopAuthorized", "EVConnected"), "VALID"), end("EVCommunicationLost", "EVDisconnected")),
		ends("TC_E_15_CSMS", "Take the end by the driver's card.", "Local", by(txEvent{kind: "Ended", trigger: "StopAuthorized", state: "EVConnected", reason: "Local"}, "VALID")),
		transacts("TC_E_16_CSMS", "Tell a station that a card is not good, and take the end that follows.", "DeAuthorized",
			txEvent{kind: "Started", trigger: "Authorized", token: "NOBODY", info: "Invalid"}, end("Deauthorized", "DeAuthorized")),
		ends("TC_E_17_CSMS", "Take the end when the plug is pulled at the car.", "EVDisconnected", end("EVCommunicationLost", "EVDisconnected")),
		ends("TC_E_19_CSMS", "Take the end when the car has left the bay.", "EVDisconnected", by(update("StopAuthorized", "EVConnected"), "VALID"), gone, end("EVDeparted", "EVDisconnected")),
		ends("TC_E_20_CSMS", "Take the end when the car lets go of the cable.", "EVDisconnected", update("ChargingStateChanged", "SuspendedEV"), end("EVCommunicationLost", "EVDisconnected")),
		{id: "TC_E_21_CSMS", must: "Stop a transaction from afar.", play: func(p *player) {
			p.charging201()
			p.send("RequestStopTransaction", `{"transactionId":"`+p.id+`T1"}`, accepted)
			p.stopped201("RemoteStop", "Remote")
		}},
		ends("TC_E_22_CSMS", "Take the end when the car needs no more.", "StoppedByEV", end("ChargingStateChanged", "StoppedByEV")),
		{id: "TC_E_26_CSMS", must: "Take it that the plug was pulled and is back, in one transaction.", play: func(p *player) {
			p.charging201()
			p.steps(gone, update("CablePluggedIn", "EVConnected"), charging)
			p.stopped201("StopAuthorized", "Local")
		}},
		queued("TC_E_29_CSMS", "Ask for a running transaction of which messages wait.", true, `{"ongoingIndicator":true,"messagesInQueue":true}`),
		queued("TC_E_30_CSMS", "Ask for a running transaction of which nothing waits.", true, `{"ongoingIndicator":true,"messagesInQueue":false}`),
		queued("TC_E_31_CSMS", "Ask for a transaction that is over and of which messages wait.", true, `{"ongoingIndicator":false,"messagesInQueue":true}`),
		queued("TC_E_33_CSMS", "Ask whether messages of any transaction wait, where some do.", false, `{"messagesInQueue":true}`),
		queued("TC_E_34_CSMS", "Ask whether messages of any transaction wait, where none do.", false, `{"messagesInQueue":false}`),
		transacts("TC_E_38_CSMS", "Take it that the car is not ready.", "", by(start("Authorized", ""), "VALID"), update("CablePluggedIn", "EVConnected"),
			txEvent{kind: "Updated", trigger: "ChargingStateChanged", state: "SuspendedEV", shows: fleet.SuspendedEV}),
		transacts("TC_E_39_CSMS", "Take the end of a transaction to which no plug came.", "Timeout", by(start("Authorized", ""), "VALID"),
			txEvent{kind: "Ended", trigger: "EVConnectTimeout", state: "Idle", reason: "Timeout"}),
		{id: "TC_E_53_CSMS", must: "Take a second transaction whose numbers begin at 0 again.", play: func(p *player) {
			p.charging201()
			p.stopped201("StopAuthorized", "Local")
			p.steps(by(txEvent{kind: "Started", trigger: "Authorized", tx: "T2"}, "VALID"))
			p.sessions(2)
		}},
		{id: "TC_J_01_CSMS", must: "Take readings by the clock where nobody charges.", play: func(p *player) {
			p.boot201()
			for evse := range 2 {
				p.call("MeterValues", fmt.Sprintf(`{"evseId":%d%s}`, evse, meter("Sample.Clock", 1000+evse, "")))
			}
			p.fiscal()
			p.metered(2)
		}},
		{id: "TC_J_02_CSMS", must: "Take readings by the clock while somebody charges.", play: func(p *player) {
			p.charging201()
			p.call("MeterValues", `{"evseId":0`+meter("Sample.Clock", 1000, "")+`}`)
			p.fiscal()
			p.event(txEvent{kind: "Updated", trigger: "MeterValueClock", state: "Charging", more: meter("Sample.Clock", 1500, "")})
			p.energy(500)
		}},
		{id: "TC_J_03_CSMS", must: "Take the readings by the clock that come with the end.", play: func(p *player) { p.charging201(); p.stopped201("StopAuthorized", "Local") }},
		{id: "TC_J_04_CSMS", must: "Take signed readings by the clock.", play: func(p *player) {
			p.charging201()
			p.event(txEvent{kind: "Ended", trigger: "StopAuthorized", state: "EVConnected", reason: "Local", more: meter("Transaction.End", 3500, signed)})
			p.energy(2500)
		}},
		{id: "TC_J_07_CSMS", must: "Take the reading at the begin where the EVSE is known.", play: func(p *player) {
			p.charging201()
			if x := p.sessions(1)[0]; x.MeterStartWh == nil || *x.MeterStartWh != 1000 {
				p.Errorf("the session: %+v", x)
			}
		}},
		{id: "TC_J_08_CSMS", must: "Take the reading at the begin where the EVSE comes later.", play: func(p *player) {
			p.boot201()
			p.call("TransactionEvent", fmt.Sprintf(`{"eventType":"Started","timestamp":%q,"triggerReason":"Authorized","seqNo":0,"transactionInfo":{"transactionId":"%sT1"},"idToken":{"idToken":"VALID","type":"ISO14443"}}`, stamp(), p.id))
			p.tx = 1
			p.event(txEvent{kind: "Updated", trigger: "CablePluggedIn", state: "EVConnected", more: meter("Transaction.Begin", 1000, "")})
			p.event(charging)
			if x := p.sessions(1)[0]; x.MeterStartWh == nil || *x.MeterStartWh != 1000 || x.EVSE != 1 {
				p.Errorf("the session: %+v", x)
			}
		}},
		{id: "TC_J_09_CSMS", must: "Take readings while it goes on.", play: func(p *player) {
			p.charging201()
			p.event(txEvent{kind: "Updated", trigger: "MeterValuePeriodic", state: "Charging", more: meter("Sample.Periodic", 1500, "")})
			p.energy(500)
		}},
		{id: "TC_J_10_CSMS", must: "Take the readings that come with the end.", play: func(p *player) { p.charging201(); p.stopped201("StopAuthorized", "Local") }},
		{id: "TC_J_11_CSMS", must: "Take signed readings while it goes on.", play: func(p *player) {
			p.charging201()
			p.event(txEvent{kind: "Updated", trigger: "MeterValuePeriodic", state: "Charging", more: meter("Sample.Periodic", 1500, signed)})
			p.energy(500)
		}},
	}}
}

// fiscal tells a reading of the main meter as a variable.
func (p *player) fiscal() {
	p.Helper()
	p.call("NotifyEvent", fmt.Sprintf(`{"generatedAt":%[1]q,"seqNo":0,"eventData":[{"eventId":2,"timestamp":%[1]q,"trigger":"Periodic","actualValue":"1000","eventNotificationType":"PreconfiguredMonitor","component":{"name":"FiscalMetering"},"variable":{"name":"EnergyActiveImportRegister"}}]}`, stamp()))
}

func (p *player) metered(want int) {
	p.Helper()
	if n := len(p.told(event.KindMeter)); n != want {
		p.Errorf("%d readings are in the journal; want %d", n, want)
	}
}

func (p *player) energy(wh float64) {
	p.Helper()
	if x := p.sessions(1)[0]; x.EnergyWh != wh {
		p.Errorf("%v Wh; want %v", x.EnergyWh, wh)
	}
}

// triggered is a case of a message that is asked for and comes.
func triggered(id, must, message string, evse bool, play func(p *player)) ocaCase {
	return ocaCase{id: id, must: must, play: func(p *player) {
		p.charging201()
		payload := fmt.Sprintf(`{"requestedMessage":%q}`, message)
		if evse {
			payload = fmt.Sprintf(`{"requestedMessage":%q,"evse":{"id":1}}`, message)
		}
		p.send("TriggerMessage", payload, accepted)
		play(p)
	}}
}

// changes is a case of availability: where, and what the station answers.
func changes(id, must, where, word, answer string, busy bool) ocaCase {
	return ocaCase{id: id, must: must, play: func(p *player) {
		if busy {
			p.charging201()
		} else {
			p.boot201()
			if word == "Operative" {
				p.connector("Unavailable")
				p.shows(1, fleet.Unavailable)
			}
		}
		p.send("ChangeAvailability", fmt.Sprintf(`{"operationalStatus":%q%s}`, word, where), says(answer))
		if busy {
			p.shows(1, fleet.Charging)
			p.stopped201("StopAuthorized", "Local")
		}
		if word == "Operative" {
			p.connector("Available")
			p.shows(1, fleet.Available)
		} else {
			p.connector("Unavailable")
			p.shows(1, fleet.Unavailable)
		}
	}}
}

func oca201RemoteControl() ocaChapter {
	remote := `"idToken":{"idToken":"VALID","type":"ISO14443"}`
	reading := func(p *player) {
		p.call("MeterValues", `{"evseId":1`+meter("Trigger", 1500, "")+`}`)
		p.metered(1)
	}
	transaction := func(p *player) {
		p.event(txEvent{kind: "Updated", trigger: "Trigger", state: "Charging", shows: fleet.Charging, more: meter("Trigger", 1500, "")})
		p.energy(500)
	}
	const evse, connector = `,"evse":{"id":1}`, `,"evse":{"id":1,"connectorId":1}`
	remoteStart := func(first func(p *player)) func(p *player) {
		return func(p *player) {
			p.boot201()
			p.send("RequestStartTransaction", `{"evseId":1,"remoteStartId":11,`+remote+`}`, accepted)
			first(p)
			if x := p.sessions(1)[0]; x.RemoteStart == nil || *x.RemoteStart != 11 {
				p.Errorf("the session does not know that it was started from afar: %+v", x)
			}
		}
	}
	began := func(p *player) {
		p.call("TransactionEvent", fmt.Sprintf(`{"eventType":"Started","timestamp":%q,"triggerReason":"RemoteStart","seqNo":0,"transactionInfo":{"transactionId":"%sT1","remoteStartId":11},"evse":{"id":1,"connectorId":1},%s}`, stamp(), p.id, remote))
		p.tx = 1
	}
	onwards := func(p *player) {
		p.steps(txEvent{kind: "Updated", trigger: "CablePluggedIn", state: "EVConnected"}, txEvent{kind: "Updated", trigger: "ChargingStateChanged", state: "Charging", shows: fleet.Charging})
	}
	return ocaChapter{ocppj.V201, "OCPP 2.0.1 F and G: remote control and availability", []ocaCase{
		{id: "TC_F_01_CSMS", must: "Start a transaction from afar where the plug is in already.", play: func(p *player) {
			p.boot201()
			p.event(txEvent{kind: "Started", trigger: "CablePluggedIn", state: "EVConnected"})
			p.send("RequestStartTransaction", `{"evseId":1,"remoteStartId":11,`+remote+`}`, `{"status":"Accepted","transactionId":"`+p.id+`T1"}`)
			p.call("TransactionEvent", fmt.Sprintf(`{"eventType":"Updated","timestamp":%q,"triggerReason":"RemoteStart","seqNo":1,"transactionInfo":{"transactionId":"%sT1","remoteStartId":11},%s}`, stamp(), p.id, remote))
			p.tx = 2
			p.event(txEvent{kind: "Updated", trigger: "ChargingStateChanged", state: "Charging", shows: fleet.Charging})
			p.sessions(1)
		}},
		{id: "TC_F_02_CSMS", must: "Start a transaction from afar that the station authorises first.", play: remoteStart(func(p *player) {
			p.authorize201("VALID", "Accepted")
			began(p)
			onwards(p)
		})},
		{id: "TC_F_03_CSMS", must: "Start a transaction from afar that the station does not ask about.", play: remoteStart(func(p *player) { began(p); onwards(p) })},
		{id: "TC_F_04_CSMS", must: "Take the end of a transaction from afar to which no plug came.", play: remoteStart(func(p *player) {
			began(p)
			p.event(txEvent{kind: "Ended", trigger: "EVConnectTimeout", state: "Idle", reason: "Timeout"})
			p.ended("Timeout")
		})},
		answered201("TC_F_06_CSMS", "Unlock a connector.", "UnlockConnector", `{"evseId":1,"connectorId":1}`, says("Unlocked")),
		triggered("TC_F_11_CSMS", "Ask one EVSE for its readings.", "MeterValues", true, reading),
		triggered("TC_F_12_CSMS", "Ask all EVSEs for their readings.", "MeterValues", false, reading),
		triggered("TC_F_13_CSMS", "Ask one EVSE for its transaction.", "TransactionEvent", true, transaction),
		triggered("TC_F_14_CSMS", "Ask all EVSEs for their transactions.", "TransactionEvent", false, transaction),
		triggered("TC_F_15_CSMS", "Ask how sending a log goes.", "LogStatusNotification", false, func(p *player) {
			p.call("LogStatusNotification", says("Idle"))
			p.journalled(event.KindLog, []string{"Idle"})
		}),
		triggered("TC_F_18_CSMS", "Ask how an update goes.", "FirmwareStatusNotification", false, func(p *player) {
			p.call("FirmwareStatusNotification", says("Idle"))
			p.journalled(event.KindFirmware, []string{"Idle"})
		}),
		triggered("TC_F_20_CSMS", "Ask for a heartbeat.", "Heartbeat", false, func(p *player) { p.call("Heartbeat", `{}`) }),
		{id: "TC_F_23_CSMS", must: "Ask for the state of a free connector.", play: func(p *player) {
			p.boot201()
			p.send("TriggerMessage", `{"requestedMessage":"StatusNotification","evse":{"id":1,"connectorId":1}}`, accepted)
			p.connector("Available")
			p.shows(1, fleet.Available)
		}},
		{id: "TC_F_24_CSMS", must: "Ask for the state of an occupied connector.", play: func(p *player) {
			p.boot201()
			p.connector("Occupied")
			p.send("TriggerMessage", `{"requestedMessage":"StatusNotification","evse":{"id":1,"connectorId":1}}`, accepted)
			p.connector("Occupied")
			p.shows(1, fleet.Preparing)
		}},
		answered201("TC_F_27_CSMS", "Be told that a message cannot be asked for.", "TriggerMessage", `{"requestedMessage":"TransactionEvent"}`, says("NotImplemented")),
		changes("TC_G_03_CSMS", "Take an EVSE out of service.", evse, "Inoperative", "Accepted", false),
		changes("TC_G_04_CSMS", "Put an EVSE into service.", evse, "Operative", "Accepted", false),
		changes("TC_G_05_CSMS", "Take a station out of service.", "", "Inoperative", "Accepted", false),
		changes("TC_G_06_CSMS", "Put a station into service.", "", "Operative", "Accepted", false),
		changes("TC_G_07_CSMS", "Take a connector out of service.", connector, "Inoperative", "Accepted", false),
		changes("TC_G_08_CSMS", "Put a connector into service.", connector, "Operative", "Accepted", false),
		changes("TC_G_11_CSMS", "Have an EVSE out of service after its session.", evse, "Inoperative", "Scheduled", true),
		changes("TC_G_14_CSMS", "Have a station out of service after its session.", "", "Inoperative", "Scheduled", true),
		changes("TC_G_17_CSMS", "Have a connector out of service after its session.", connector, "Inoperative", "Scheduled", true),
		{id: "TC_G_20_CSMS", must: "Take it that the lock of a connector fails.", play: func(p *player) {
			p.boot201()
			p.call("NotifyEvent", fmt.Sprintf(`{"generatedAt":%[1]q,"seqNo":0,"eventData":[{"eventId":3,"timestamp":%[1]q,"trigger":"Delta","actualValue":"true","eventNotificationType":"HardWiredNotification","component":{"name":"ConnectorPlugRetentionLock","evse":{"id":1,"connectorId":1}},"variable":{"name":"Problem"}}]}`, stamp()))
			for _, e := range p.told(event.KindComponent) {
				for _, x := range e.Body.(*event.Component).Items {
					if x.Component == "ConnectorPlugRetentionLock" && x.Variable == "Problem" && x.Value == "true" {
						return
					}
				}
			}
			p.Error("the journal does not say so")
		}},
	}}
}

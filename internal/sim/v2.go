package sim

import (
	"encoding/json"
	"strings"
	"time"
)

// v2 speaks OCPP 2.0.1 and 2.1.
type v2 struct {
	st         *station
	events     int // eventId counter
	streams    []*stream
	nextStream int
	looking    bool // a look at what monitors watch is under way
}

type evseRef2 struct {
	ID        int `json:"id"`
	Connector int `json:"connectorId,omitempty"`
}

type modem2 struct {
	ICCID string `json:"iccid,omitempty"`
}

type station2 struct {
	Model    string  `json:"model"`
	Vendor   string  `json:"vendorName"`
	Serial   string  `json:"serialNumber,omitempty"`
	Firmware string  `json:"firmwareVersion,omitempty"`
	Modem    *modem2 `json:"modem,omitempty"`
}

type boot2 struct {
	Station station2 `json:"chargingStation"`
	Reason  string   `json:"reason"`
}

func (d *v2) boot(reason string) (string, any) {
	s := d.st.spec
	b := boot2{station2{Model: s.Model.Name, Vendor: s.Model.Vendor, Serial: d.st.serial(), Firmware: d.st.firmware}, reason}
	if s.Modem != "" {
		b.Station.Modem = &modem2{s.Modem}
	}
	return "BootNotification", b
}

func (d *v2) online() {
	if !d.st.announced {
		d.st.announced = true
		d.security("StartupOfTheDevice", "")
	}
	if fn := d.st.installed; fn != nil {
		d.st.installed = nil
		fn()
	}
}

// status2 maps the nine states to the five of 2.x; the rest is in the
// transaction.
func status2(s Status) string {
	switch s {
	case Available, Reserved, Unavailable, Faulted:
		return string(s)
	}
	return "Occupied"
}

type statusMsg2 struct {
	At        string `json:"timestamp"`
	Status    string `json:"connectorStatus"`
	EVSE      int    `json:"evseId"`
	Connector int    `json:"connectorId"`
}

func (d *v2) stationStatus() {}

func (d *v2) status(c *connector, again bool) {
	st := d.st
	early := st.quirks.has(StatusBeforeBoot)
	if st.wire == nil || !st.accepted && !early {
		return
	}
	before := c.told
	c.told = c.status
	s := status2(c.status)
	if !again && before != "" && status2(before) == s {
		return // Charging to SuspendedEV is no change in these words
	}
	if st.spec.Model.AvailabilityEvents {
		d.notify([]eventData2{d.event(c.changed, "Connector", "AvailabilityState", s, &evseRef2{c.e.id, c.id})}, early)
		return
	}
	st.say(&call{action: "StatusNotification", payload: statusMsg2{st.stamp(c.changed), s, c.e.id, c.id}, early: early})
}

func (d *v2) oldFault(e *evse, f *fault) {
	x := d.event(f.since, f.kind.component, "Problem", "true", &evseRef2{ID: e.id})
	x.Code, x.Info = f.kind.vendor, f.kind.info
	d.notify([]eventData2{x}, false)
}

type component2 struct {
	Name     string    `json:"name"`
	Instance string    `json:"instance,omitempty"`
	EVSE     *evseRef2 `json:"evse,omitempty"`
}

type variable2 struct {
	Name     string `json:"name"`
	Instance string `json:"instance,omitempty"`
}

type eventData2 struct {
	ID        int        `json:"eventId"`
	At        string     `json:"timestamp"`
	Trigger   string     `json:"trigger"`
	Cause     int        `json:"cause,omitempty"`
	Value     string     `json:"actualValue"`
	Code      string     `json:"techCode,omitempty"`
	Info      string     `json:"techInfo,omitempty"`
	Cleared   bool       `json:"cleared,omitempty"`
	Tx        string     `json:"transactionId,omitempty"`
	Kind      string     `json:"eventNotificationType"`
	Severity  *int       `json:"severity,omitempty"` // 2.1
	Monitor   int        `json:"variableMonitoringId,omitempty"`
	Component component2 `json:"component"`
	Variable  variable2  `json:"variable"`
}

func (d *v2) event(at time.Time, component, variable, value string, evse *evseRef2) eventData2 {
	d.events++
	x := eventData2{
		ID: d.events, At: d.st.stamp(at), Trigger: "Delta", Value: value, Kind: "HardWiredNotification",
		Component: component2{Name: component, EVSE: evse}, Variable: variable2{Name: variable},
	}
	return x
}

type notifyEvent2 struct {
	At   string       `json:"generatedAt"`
	Seq  int          `json:"seqNo"`
	Data []eventData2 `json:"eventData"`
}

func (d *v2) notify(list []eventData2, early bool) {
	d.st.say(&call{action: "NotifyEvent", payload: notifyEvent2{d.st.stamp(d.st.now), 0, list}, early: early})
}

func (d *v2) faulted(e *evse, f *fault, cleared bool) {
	value := "true"
	if cleared {
		value = "false"
	}
	x := d.event(d.st.now, f.kind.component, "Problem", value, &evseRef2{ID: e.id})
	x.Code, x.Info, x.Cleared = f.kind.vendor, f.kind.info, cleared
	if e.tx != nil {
		x.Tx = e.tx.uid
	}
	if cleared {
		x.Cause = f.event
	} else {
		f.event = x.ID
	}
	if d.st.version == V21 {
		severity := 1
		if f.kind.warning {
			severity = 6
		}
		x.Severity = &severity
	}
	d.notify([]eventData2{x}, false)
}

type token2 struct {
	ID   string `json:"idToken"`
	Type string `json:"type"`
}

func (t Token) v2() *token2 { return &token2{t.ID, t.Type} }

type tokenInfo2 struct {
	Status string `json:"status"`
}

func (d *v2) authorize(token Token, done func(bool)) {
	d.st.say(&call{
		action: "Authorize", payload: struct {
			Token *token2 `json:"idToken"`
		}{token.v2()},
		done: func(raw json.RawMessage, err error) {
			var a struct {
				Info tokenInfo2 `json:"idTokenInfo"`
			}
			if err != nil || json.Unmarshal(raw, &a) != nil {
				done(true) // without an answer the offline rule decides
				return
			}
			done(a.Info.Status == "Accepted" || a.Info.Status == "ConcurrentTx")
		},
	})
}

type unit2 struct {
	Unit string `json:"unit"`
}

type sampled2 struct {
	Value     float64 `json:"value"`
	Context   string  `json:"context,omitempty"`
	Measurand string  `json:"measurand,omitempty"`
	Phase     string  `json:"phase,omitempty"`
	Location  string  `json:"location,omitempty"`
	Unit      *unit2  `json:"unitOfMeasure,omitempty"`
}

type meterValue2 struct {
	At      string     `json:"timestamp"`
	Samples []sampled2 `json:"sampledValue"`
}

func (d *v2) values(at time.Time, list []sample) []meterValue2 {
	out := make([]sampled2, 0, len(list))
	for _, s := range list {
		if s.measurand == "Temperature" {
			continue // 2.x reports it by component, not as a measurand
		}
		unit := s.unit
		if d.st.quirks.has(LowerCaseUnits) {
			unit = strings.ToLower(unit)
		}
		x := sampled2{Value: s.value, Context: s.context, Measurand: s.measurand, Phase: s.phase, Location: s.location}
		if unit != "" {
			x.Unit = &unit2{unit}
		}
		out = append(out, x)
	}
	if len(out) == 0 {
		return nil
	}
	return []meterValue2{{d.st.stamp(at), out}}
}

type txInfo2 struct {
	ID       string `json:"transactionId"`
	State    string `json:"chargingState,omitempty"`
	Spent    int    `json:"timeSpentCharging,omitempty"`
	Reason   string `json:"stoppedReason,omitempty"`
	RemoteID int    `json:"remoteStartId,omitempty"`
}

type txEvent2 struct {
	Type        string        `json:"eventType"`
	At          string        `json:"timestamp"`
	Trigger     string        `json:"triggerReason"`
	Seq         int           `json:"seqNo"`
	Offline     bool          `json:"offline,omitempty"`
	Phases      int           `json:"numberOfPhasesUsed,omitempty"`
	Reservation int           `json:"reservationId,omitempty"`
	Info        txInfo2       `json:"transactionInfo"`
	Token       *token2       `json:"idToken,omitempty"`
	EVSE        *evseRef2     `json:"evse,omitempty"`
	Values      []meterValue2 `json:"meterValue,omitempty"`
}

func (m *txEvent2) bind(c *call) { m.Offline = c.queued }

// txEvent queues the next event of a transaction.
func (d *v2) txEvent(t *tx, m *txEvent2, filler bool) {
	st := d.st
	m.At = st.stamp(st.now)
	m.Seq = t.seq
	t.seq++
	m.Info.ID = t.uid
	if m.Info.State == "" {
		m.Info.State = t.state
	}
	t.state = m.Info.State
	if st.quirks.has(NoStop) && m.Type == "Ended" {
		return
	}
	send := func(m *txEvent2) {
		st.say(&call{action: "TransactionEvent", payload: m, tx: true, of: t, filler: filler, done: func(raw json.RawMessage, err error) { d.txAnswered(t, m, raw, err) }})
	}
	send(m)
	if st.quirks.has(ResendStop) && m.Type == "Ended" {
		again := *m
		send(&again)
	}
}

// txAnswered reads what the central system thinks of the token.
func (d *v2) txAnswered(t *tx, m *txEvent2, raw json.RawMessage, err error) {
	var a struct {
		Info *tokenInfo2 `json:"idTokenInfo"`
	}
	if err != nil || m.Token == nil || json.Unmarshal(raw, &a) != nil || a.Info == nil {
		return
	}
	if a.Info.Status != "Accepted" && d.st.set.stopOnInvalid && t.e.tx == t {
		t.e.stopTx(reasonDeauthorized)
	}
}

func (d *v2) pluggedIn(e *evse) {
	st := d.st
	if e.visit == nil || e.fault != nil && !e.fault.kind.warning {
		return
	}
	st.step()
	t := &tx{e: e, started: st.now, startReg: e.reg, startSoC: e.visit.soc, uid: st.messageID(), offline: st.wire == nil}
	e.tx = t
	m := &txEvent2{Type: "Started", Trigger: "CablePluggedIn", EVSE: &evseRef2{e.id, e.visit.conn.id}, Info: txInfo2{State: "EVConnected"}}
	if what, _ := measurandList(st.get("SampledDataCtrlr/TxStartedMeasurands")); len(what) > 0 {
		m.Values = d.values(st.now, e.samples(what, "Transaction.Begin"))
	}
	d.txEvent(t, m, false)
}

func (d *v2) unplugged(*evse) {}

func (d *v2) authorized(t *tx) {
	if t.uid == "" { // the cable was in before the port could open a transaction
		t.e.tx = nil
		d.pluggedIn(t.e)
		if t.e.tx == nil {
			t.e.tx = t
			return
		}
		t.e.tx.token, t.e.tx.remoteID, t.e.tx.resID = t.token, t.remoteID, t.resID
		t = t.e.tx
	}
	m := &txEvent2{Type: "Updated", Trigger: "Authorized", Token: t.token.v2(), Reservation: t.resID, Info: txInfo2{RemoteID: t.remoteID}}
	if t.remoteID != 0 {
		m.Trigger = "RemoteStart"
	}
	d.txEvent(t, m, false)
}

func (d *v2) chargingState(e *evse, state string) {
	if e.tx == nil || e.tx.state == state {
		return
	}
	m := &txEvent2{Type: "Updated", Trigger: "ChargingStateChanged", Info: txInfo2{State: state}}
	if state == "Charging" && !e.dc() {
		m.Phases = e.phasesInUse()
	}
	d.txEvent(e.tx, m, false)
}

func (d *v2) sampled(t *tx, list []sample) {
	values := d.values(d.st.now, list)
	if values == nil {
		return
	}
	d.txEvent(t, &txEvent2{Type: "Updated", Trigger: "MeterValuePeriodic", Values: values}, true)
}

func (d *v2) metered(e *evse, list []sample, context string) {
	values := d.values(d.st.now, list)
	if values == nil {
		return
	}
	if e.tx != nil {
		trigger := "MeterValueClock"
		if context == "Trigger" {
			trigger = "Trigger"
		}
		d.txEvent(e.tx, &txEvent2{Type: "Updated", Trigger: trigger, Values: values}, true)
		return
	}
	d.st.say(&call{action: "MeterValues", payload: struct {
		EVSE   int           `json:"evseId"`
		Values []meterValue2 `json:"meterValue"`
	}{e.id, values}})
}

func (d *v2) ended(t *tx, why stopReason) {
	st := d.st
	reason, trigger := reason2(why)
	state := "EVConnected"
	if why == reasonEVDisconnected {
		state = "Idle"
	}
	m := &txEvent2{Type: "Ended", Trigger: trigger, Info: txInfo2{State: state, Reason: reason}}
	if why == reasonLocal {
		m.Token = t.token.v2()
	}
	if v := t.e.visit; v != nil && !v.since.IsZero() {
		m.Info.Spent = int(st.now.Sub(v.since).Seconds())
	}
	if len(st.set.stopSampled) > 0 {
		m.Values = d.values(st.now, t.e.samples(st.set.stopSampled, "Transaction.End"))
	}
	d.txEvent(t, m, false)
}

func reason2(why stopReason) (reason, trigger string) {
	switch why {
	case reasonRemote:
		return "Remote", "RemoteStop"
	case reasonEVDisconnected:
		return "EVDisconnected", "EVCommunicationLost"
	case reasonStoppedByEV:
		return "StoppedByEV", "ChargingStateChanged"
	case reasonEmergency:
		return "EmergencyStop", "AbnormalCondition"
	case reasonPowerLoss:
		return "PowerLoss", "AbnormalCondition"
	case reasonHardReset, reasonSoftReset:
		return "ImmediateReset", "ResetCommand"
	case reasonReboot:
		return "Reboot", "ResetCommand"
	case reasonDeauthorized:
		return "DeAuthorized", "Deauthorized"
	case reasonGroundFault:
		return "GroundFault", "AbnormalCondition"
	case reasonOverCurrent:
		return "OvercurrentFault", "AbnormalCondition"
	case reasonUnlock:
		return "Other", "UnlockCommand"
	case reasonOther:
		return "Other", "AbnormalCondition"
	}
	return "Local", "StopAuthorized"
}

func (d *v2) security(kind, info string) {
	d.st.say(&call{action: "SecurityEventNotification", payload: struct {
		Type string `json:"type"`
		At   string `json:"timestamp"`
		Info string `json:"techInfo,omitempty"`
	}{kind, d.st.stamp(d.st.now), info}})
}

type jobStatus2 struct {
	Status  string `json:"status"`
	Request int    `json:"requestId,omitempty"`
}

func (d *v2) logStatus(request int, status string) {
	if status == "UploadFailed" {
		status = "UploadFailure"
	}
	d.st.say(&call{action: "LogStatusNotification", payload: jobStatus2{status, request}})
}

func (d *v2) firmwareStatus(request int, status string) {
	d.st.say(&call{action: "FirmwareStatusNotification", payload: jobStatus2{status, request}})
}

func (d *v2) reservationEnded(b *booking, status string) {
	d.st.say(&call{action: "ReservationStatusUpdate", payload: struct {
		ID     int    `json:"reservationId"`
		Status string `json:"reservationUpdateStatus"`
	}{b.id, status}})
}

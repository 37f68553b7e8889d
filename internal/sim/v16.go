package sim

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// v16 speaks OCPP 1.6J.
type v16 struct{ st *station }

type boot16 struct {
	Vendor   string `json:"chargePointVendor"`
	Model    string `json:"chargePointModel"`
	Serial   string `json:"chargePointSerialNumber,omitempty"`
	Box      string `json:"chargeBoxSerialNumber,omitempty"`
	Firmware string `json:"firmwareVersion,omitempty"`
	ICCID    string `json:"iccid,omitempty"`
	Meter    string `json:"meterType,omitempty"`
}

func (d *v16) boot(string) (string, any) {
	s := d.st.spec
	return "BootNotification", boot16{
		Vendor: s.Model.Vendor, Model: s.Model.Name, Serial: d.st.serial(), Firmware: d.st.firmware, ICCID: s.Modem, Meter: "Iskra WM3M4C",
	}
}

func (d *v16) online() {
	if !d.st.announced {
		d.st.announced = true
		d.security("StartupOfTheDevice", "")
	}
	if fn := d.st.installed; fn != nil {
		d.st.installed = nil
		fn()
	}
}

type status16 struct {
	Connector any    `json:"connectorId"`
	Error     string `json:"errorCode"`
	Info      string `json:"info,omitempty"`
	Status    Status `json:"status"`
	At        string `json:"timestamp,omitempty"`
	Vendor    string `json:"vendorId,omitempty"`
	Code      string `json:"vendorErrorCode,omitempty"`
}

func (d *v16) connectorID(n int) any {
	if d.st.quirks.has(StringConnector) {
		return strconv.Itoa(n)
	}
	return n
}

func (d *v16) stationStatus() {
	s := status16{Connector: d.connectorID(0), Error: d.errorCode(nil), Status: Available, At: d.st.stamp(d.st.now)}
	if !d.st.operative {
		s.Status = Unavailable
	}
	d.notify(s)
}

func (d *v16) notify(s status16) {
	early := d.st.quirks.has(StatusBeforeBoot)
	if d.st.wire == nil || !d.st.accepted && !early {
		return
	}
	d.st.say(&call{action: "StatusNotification", payload: s, early: early})
}

func (d *v16) errorCode(f *fault) string {
	if f != nil {
		return f.kind.code
	}
	if d.st.quirks.has(SpacedErrorCode) {
		return "No Error"
	}
	return "NoError"
}

func (d *v16) status(c *connector, again bool) {
	st := d.st
	if st.wire == nil || !st.accepted && !st.quirks.has(StatusBeforeBoot) {
		return
	}
	c.told = c.status
	f := c.e.fault
	s := status16{Connector: d.connectorID(c.flat), Error: d.errorCode(f), Status: c.status, At: st.stamp(c.changed)}
	if f != nil {
		s.Info, s.Vendor, s.Code = d.info(f), st.spec.Model.Vendor, f.kind.vendor
		if f.kind.warning {
			s.At = st.stamp(f.since)
		}
	}
	d.notify(s)
}

func (d *v16) info(f *fault) string {
	info := f.kind.info
	if d.st.quirks.has(LongInfo) {
		return fmt.Sprintf("%-80.80s", info+"; module 3, board revision 7, see service manual chapter 12.4, code "+f.kind.vendor+" ........")
	}
	return info[:min(len(info), 50)]
}

func (d *v16) oldFault(e *evse, f *fault) {
	d.notify(status16{
		Connector: d.connectorID(e.conns[0].flat), Error: d.errorCode(f), Info: d.info(f), Status: Faulted, At: d.st.stamp(f.since),
		Vendor: d.st.spec.Model.Vendor, Code: f.kind.vendor,
	})
	d.status(e.conns[0], true)
}

type idTagInfo struct {
	Status string `json:"status"`
}

func (d *v16) authorize(token Token, done func(bool)) {
	d.st.say(&call{
		action: "Authorize", payload: struct {
			Tag string `json:"idTag"`
		}{token.tag()},
		done: func(raw json.RawMessage, err error) {
			var a struct {
				Info idTagInfo `json:"idTagInfo"`
			}
			if err != nil || json.Unmarshal(raw, &a) != nil {
				done(true) // without an answer LocalAuthorizeOffline decides
				return
			}
			done(a.Info.Status == "Accepted" || a.Info.Status == "ConcurrentTx")
		},
	})
}

// tag fits a token into the 20 characters of 1.6.
func (t Token) tag() string {
	return t.ID[:min(len(t.ID), 20)]
}

func (d *v16) pluggedIn(*evse)             {}
func (d *v16) unplugged(*evse)             {}
func (d *v16) chargingState(*evse, string) {}

type start16 struct {
	Connector   any    `json:"connectorId"`
	Tag         string `json:"idTag"`
	Meter       int    `json:"meterStart"`
	Reservation int    `json:"reservationId,omitempty"`
	At          string `json:"timestamp"`
}

func (d *v16) authorized(t *tx) {
	st := d.st
	e := t.e
	t.startReg = float64(int(e.reg))
	payload := start16{d.connectorID(e.visit.conn.flat), t.token.tag(), e.registerWh(), t.resID, st.stamp(st.now)}
	st.say(&call{action: "StartTransaction", payload: payload, tx: true, of: t, done: func(raw json.RawMessage, err error) {
		var a struct {
			ID   json.Number `json:"transactionId"`
			Info idTagInfo   `json:"idTagInfo"`
		}
		if err != nil || json.Unmarshal(raw, &a) != nil {
			return
		}
		id, err := strconv.Atoi(a.ID.String())
		if err != nil {
			return
		}
		t.id, t.hasID = id, true
		for _, p := range st.profiles {
			if p.purpose == "TxProfile" && p.tx == nil && p.evse == e.id {
				p.tx = t
			}
		}
		if a.Info.Status != "Accepted" && a.Info.Status != "" && st.set.stopOnInvalid && e.tx == t {
			e.stopTx(reasonDeauthorized)
			if v := e.visit; v != nil {
				v.do(e, between(st.life, 15*time.Second, time.Minute), e.unplug)
			}
		}
	}})
	if len(st.set.stopSampled) > 0 {
		t.at = e.samples(st.set.stopSampled, "Transaction.Begin")
	}
}

type sampled16 struct {
	Value     any    `json:"value"`
	Context   string `json:"context,omitempty"`
	Measurand string `json:"measurand,omitempty"`
	Phase     string `json:"phase,omitempty"`
	Location  string `json:"location,omitempty"`
	Unit      string `json:"unit,omitempty"`
}

type meterValue16 struct {
	At      string      `json:"timestamp"`
	Samples []sampled16 `json:"sampledValue"`
}

type meter16 struct {
	Connector any            `json:"connectorId"`
	TxID      *int           `json:"transactionId,omitempty"`
	Values    []meterValue16 `json:"meterValue"`
	tx        *tx
	st        *station
}

func (m *meter16) bind(*call) {
	if m.tx == nil {
		return
	}
	switch {
	case m.tx.offline && m.st.quirks.has(OrphanMeter):
		m.TxID = new(987654)
	case m.tx.hasID:
		m.TxID = &m.tx.id
	}
}

func (d *v16) values(at time.Time, list []sample) []meterValue16 {
	st := d.st
	out := make([]sampled16, len(list))
	for i, s := range list {
		unit := s.unit
		if st.quirks.has(LowerCaseUnits) {
			unit = strings.ToLower(unit)
		}
		if s.measurand == "Frequency" {
			unit = "" // 1.6 has no unit for it
		}
		x := sampled16{Context: s.context, Measurand: s.measurand, Phase: s.phase, Location: s.location, Unit: unit}
		if st.quirks.has(NumericValues) {
			x.Value = s.value
		} else {
			x.Value = strconv.FormatFloat(s.value, 'f', -1, 64)
		}
		out[i] = x
	}
	return []meterValue16{{st.stamp(at), out}}
}

func (d *v16) sampled(t *tx, list []sample) {
	if len(list) == 0 {
		return
	}
	e := t.e
	d.st.say(&call{action: "MeterValues", tx: true, of: t, filler: true, payload: &meter16{
		Connector: d.connectorID(e.primary().flat), Values: d.values(d.st.now, list), tx: t, st: d.st,
	}})
}

func (d *v16) metered(e *evse, list []sample, _ string) {
	if len(list) == 0 {
		return
	}
	d.st.say(&call{action: "MeterValues", payload: &meter16{
		Connector: d.connectorID(e.primary().flat), Values: d.values(d.st.now, list), tx: e.tx, st: d.st,
	}})
}

type stop16 struct {
	Tag    string         `json:"idTag,omitempty"`
	Meter  int            `json:"meterStop"`
	At     string         `json:"timestamp"`
	TxID   int            `json:"transactionId"`
	Reason string         `json:"reason,omitempty"`
	Data   []meterValue16 `json:"transactionData,omitempty"`
	tx     *tx
	st     *station
}

func (s *stop16) bind(*call) {
	switch {
	case s.tx.offline && s.st.quirks.has(StopMinusOne):
		s.TxID = -1
	case s.tx.hasID:
		s.TxID = s.tx.id
	default:
		s.TxID = -1
	}
}

func (d *v16) ended(t *tx, why stopReason) {
	st := d.st
	if st.quirks.has(NoStop) {
		return
	}
	e := t.e
	s := &stop16{Meter: e.registerWh(), At: st.stamp(st.now), Reason: reason16(why), tx: t, st: st}
	if why == reasonLocal {
		s.Tag = t.token.tag()
	}
	if len(t.at) > 0 {
		s.Data = append(d.values(t.started, t.at), d.values(st.now, e.samples(st.set.stopSampled, "Transaction.End"))...)
	}
	st.say(&call{action: "StopTransaction", payload: s, tx: true, of: t})
	if st.quirks.has(ResendStop) {
		again := *s
		st.say(&call{action: "StopTransaction", payload: &again, tx: true, of: t})
	}
}

func reason16(why stopReason) string {
	switch why {
	case reasonRemote:
		return "Remote"
	case reasonEVDisconnected:
		return "EVDisconnected"
	case reasonEmergency:
		return "EmergencyStop"
	case reasonPowerLoss:
		return "PowerLoss"
	case reasonHardReset:
		return "HardReset"
	case reasonSoftReset:
		return "SoftReset"
	case reasonReboot:
		return "Reboot"
	case reasonDeauthorized:
		return "DeAuthorized"
	case reasonUnlock:
		return "UnlockCommand"
	case reasonStoppedByEV, reasonGroundFault, reasonOverCurrent, reasonOther:
		return "Other"
	}
	return "Local"
}

// faulted needs no message of its own: 1.6 says it all in StatusNotification.
func (d *v16) faulted(*evse, *fault, bool) {}

func (d *v16) reservationEnded(*booking, string) {}

func (d *v16) security(kind, info string) {
	d.st.say(&call{action: "SecurityEventNotification", payload: struct {
		Type string `json:"type"`
		At   string `json:"timestamp"`
		Info string `json:"techInfo,omitempty"`
	}{kind, d.st.stamp(d.st.now), info}})
}

func (d *v16) logStatus(request int, status string) {
	st := d.st
	if request == 0 { // asked by GetDiagnostics
		st.say(&call{action: "DiagnosticsStatusNotification", payload: statusAnswer{status}})
		return
	}
	if status == "UploadFailed" {
		status = "UploadFailure"
	}
	st.say(&call{action: "LogStatusNotification", payload: struct {
		Status  string `json:"status"`
		Request int    `json:"requestId"`
	}{status, request}})
}

func (d *v16) firmwareStatus(request int, status string) {
	if request == 0 {
		d.st.say(&call{action: "FirmwareStatusNotification", payload: statusAnswer{status}})
		return
	}
	d.st.say(&call{action: "SignedFirmwareStatusNotification", payload: struct {
		Status  string `json:"status"`
		Request int    `json:"requestId"`
	}{status, request}})
}

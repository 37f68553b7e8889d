package sim

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// serve answers the central system in 2.x.
func (d *v2) serve(action string, raw json.RawMessage) (any, error) {
	switch action {
	case "Reset":
		return d.reset(raw)
	case "UnlockConnector":
		return d.unlock(raw)
	case "ChangeAvailability":
		return d.changeAvailability(raw)
	case "RequestStartTransaction":
		return d.requestStart(raw)
	case "RequestStopTransaction":
		return d.requestStop(raw)
	case "GetTransactionStatus":
		return d.transactionStatus(raw)
	case "GetVariables":
		return d.getVariables(raw)
	case "SetVariables":
		return d.setVariables(raw)
	case "GetBaseReport", "GetReport":
		return d.report(action, raw)
	case "SetVariableMonitoring":
		return d.setMonitoring(raw)
	case "ClearVariableMonitoring":
		return d.clearMonitoring(raw)
	case "GetMonitoringReport":
		return d.monitoringReport(raw)
	case "SetMonitoringBase", "SetMonitoringLevel", "ClearCache":
		return answer("Accepted")
	case "TriggerMessage":
		return d.trigger(raw)
	case "ReserveNow":
		return d.reserveNow(raw)
	case "CancelReservation":
		return d.cancelReservation(raw)
	case "SendLocalList":
		return d.sendLocalList(raw)
	case "GetLocalListVersion":
		return struct {
			Version int `json:"versionNumber"`
		}{d.st.list.version}, nil
	case "SetChargingProfile":
		return d.setProfile(raw)
	case "ClearChargingProfile":
		return d.clearProfile(raw)
	case "GetChargingProfiles":
		return d.getProfiles(raw)
	case "GetCompositeSchedule":
		return d.compositeSchedule(raw)
	case "GetLog":
		return d.getLog(raw)
	case "UpdateFirmware":
		return d.updateFirmware(raw)
	case "DataTransfer":
		return dataTransfer(d.st, raw)
	case "CustomerInformation":
		return d.customerInformation(raw)
	case "CostUpdated":
		return struct{}{}, nil
	case "CertificateSigned":
		return d.st.signed(raw)
	case "SetNetworkProfile":
		return d.setWay(raw)
	case "InstallCertificate":
		return d.st.installRoot(raw)
	case "DeleteCertificate":
		return d.st.deleteRoot(raw)
	case "GetInstalledCertificateIds":
		return d.st.heldRoots(raw)
	case "SetDisplayMessage", "GetDisplayMessages", "ClearDisplayMessage", "PublishFirmware", "UnpublishFirmware":
		return nil, &callError{"NotSupported", "this model has no such function"}
	}
	if d.st.version == V21 {
		switch action {
		case "AdjustPeriodicEventStream":
			return d.adjustStream(raw)
		case "GetPeriodicEventStream":
			return d.getStreams()
		}
	}
	if d.st.version == V21 && slices.Contains(optional21, action) {
		return nil, &callError{"NotSupported", "this model has no such function"}
	}
	return nil, notImplemented(action)
}

// optional21 are the 2.1 requests that a plain charger knows but does not
// support.
var optional21 = []string{
	"AFRRSignal", "BatterySwap", "ChangeTransactionTariff", "ClearDERControl", "ClearTariffs",
	"GetCertificateChainStatus", "GetDERControl", "GetTariffs",
	"NotifyAllowedEnergyTransfer", "NotifyWebPaymentStarted", "PullDynamicScheduleUpdate", "RequestBatterySwap",
	"SetDERControl", "SetDefaultTariff", "UpdateDynamicSchedule", "UsePriorityCharging", "VatNumberValidation",
}

func (d *v2) reset(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Type string `json:"type"`
		EVSE *int   `json:"evseId"`
	}](raw)
	if err != nil {
		return nil, err
	}
	st := d.st
	if r.EVSE != nil {
		e := st.evse(*r.EVSE)
		if e == nil {
			return answer("Rejected")
		}
		st.after(time.Second, func() { e.stopTx(reasonSoftReset) })
		return answer("Accepted")
	}
	st.told()
	down := between(st.trouble, 20*time.Second, time.Minute)
	if r.Type == "OnIdle" && slices.ContainsFunc(st.evses, func(e *evse) bool { return e.tx != nil }) {
		st.resetWhenIdle(down)
		return answer("Scheduled")
	}
	st.after(time.Second, func() { st.reboot(reasonSoftReset, "RemoteReset", down) })
	return answer("Accepted")
}

// resetWhenIdle waits for the last transaction to end.
func (st *station) resetWhenIdle(down time.Duration) {
	st.after(15*time.Second, func() {
		if slices.ContainsFunc(st.evses, func(e *evse) bool { return e.tx != nil }) {
			st.resetWhenIdle(down)
			return
		}
		st.reboot(reasonSoftReset, "ScheduledReset", down)
	})
}

func (d *v2) unlock(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		EVSE      int `json:"evseId"`
		Connector int `json:"connectorId"`
	}](raw)
	if err != nil {
		return nil, err
	}
	e := d.st.evse(r.EVSE)
	switch {
	case e == nil || r.Connector < 1 || r.Connector > len(e.conns):
		return answer("UnknownConnector")
	case e.tx != nil && e.visit != nil && e.visit.phase >= starting && e.visit.phase < finished:
		return answer("OngoingAuthorizedTransaction")
	}
	if s := d.st.unlock(e); s == "Unlocked" {
		return answer(s)
	}
	return answer("UnlockFailed")
}

func (d *v2) changeAvailability(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Status string    `json:"operationalStatus"`
		EVSE   *evseRef2 `json:"evse"`
	}](raw)
	if err != nil {
		return nil, err
	}
	var e *evse
	if r.EVSE != nil {
		if e = d.st.evse(r.EVSE.ID); e == nil {
			return answer("Rejected")
		}
	}
	return answer(d.st.availability(e, r.Status == "Operative"))
}

func (d *v2) requestStart(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		EVSE    *int            `json:"evseId"`
		ID      int             `json:"remoteStartId"`
		Token   token2          `json:"idToken"`
		Profile json.RawMessage `json:"chargingProfile"`
	}](raw)
	if err != nil {
		return nil, err
	}
	var e *evse
	if r.EVSE != nil {
		if e = d.st.evse(*r.EVSE); e == nil {
			return answer("Rejected")
		}
	}
	start := &remoteStart{token: Token{r.Token.ID, r.Token.Type}, id: r.ID}
	e, ok := d.st.remoteStart(e, start)
	if !ok {
		return answer("Rejected")
	}
	if len(r.Profile) > 0 {
		start.profile = readProfile(r.Profile, e.id)
	}
	out := struct {
		Status string `json:"status"`
		Tx     string `json:"transactionId,omitempty"`
	}{Status: "Accepted"}
	if e.tx != nil {
		out.Tx = e.tx.uid
	}
	return out, nil
}

func (d *v2) find(id string) *tx {
	for _, e := range d.st.evses {
		if e.tx != nil && e.tx.uid == id {
			return e.tx
		}
	}
	return nil
}

func (d *v2) requestStop(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		ID string `json:"transactionId"`
	}](raw)
	if err != nil {
		return nil, err
	}
	t := d.find(r.ID)
	if t == nil {
		return answer("Rejected")
	}
	d.st.remoteStop(t)
	return answer("Accepted")
}

func (d *v2) transactionStatus(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		ID string `json:"transactionId"`
	}](raw)
	if err != nil {
		return nil, err
	}
	out := struct {
		Ongoing *bool `json:"ongoingIndicator,omitempty"`
		Queued  bool  `json:"messagesInQueue"`
	}{Queued: len(d.st.queue.tx) > 0}
	if r.ID != "" {
		out.Ongoing = new(d.find(r.ID) != nil)
	}
	return out, nil
}

func (d *v2) trigger(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Message string    `json:"requestedMessage"`
		EVSE    *evseRef2 `json:"evse"`
	}](raw)
	if err != nil {
		return nil, err
	}
	st := d.st
	targets := st.evses
	if r.EVSE != nil && r.EVSE.ID != 0 {
		e := st.evse(r.EVSE.ID)
		if e == nil {
			return answer("Rejected")
		}
		targets = []*evse{e}
	}
	switch r.Message {
	case "BootNotification":
		if st.accepted {
			return answer("Rejected") // F06.FR.17
		}
		st.after(0, func() {
			if st.queue.boot == nil && st.wire != nil {
				st.boot("Triggered")
			}
		})
	case "SignChargingStationCertificate":
		return st.triggerSigned()
	case "Heartbeat":
		st.after(0, func() { st.say(&call{action: "Heartbeat", payload: struct{}{}}) })
	case "StatusNotification":
		st.after(0, func() {
			st.look()
			for _, e := range targets {
				for _, c := range e.conns {
					d.status(c, true)
				}
			}
		})
	case "MeterValues", "TransactionEvent":
		st.after(0, func() {
			st.step()
			for _, e := range targets {
				if e.tx != nil || r.Message == "MeterValues" {
					d.metered(e, e.samples(st.triggerMeasurands(), "Trigger"), "Trigger")
				}
			}
		})
	case "LogStatusNotification":
		st.after(0, func() { d.logStatus(0, "Idle") })
	case "FirmwareStatusNotification":
		st.after(0, func() { d.firmwareStatus(0, "Idle") })
	default:
		return answer("NotImplemented")
	}
	return answer("Accepted")
}

func (d *v2) reserveNow(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		ID     int       `json:"id"`
		Expiry time.Time `json:"expiryDateTime"`
		Token  token2    `json:"idToken"`
		EVSE   int       `json:"evseId"`
	}](raw)
	if err != nil {
		return nil, err
	}
	e := d.st.evse(r.EVSE)
	if r.EVSE == 0 {
		for _, x := range d.st.evses {
			if x.free() && x.booking == nil {
				e = x
				break
			}
		}
		if e == nil {
			return answer("Occupied")
		}
	}
	if e == nil {
		return answer("Rejected")
	}
	return answer(d.st.reserve(e, &booking{id: r.ID, token: r.Token.ID}, r.Expiry))
}

func (d *v2) cancelReservation(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		ID int `json:"reservationId"`
	}](raw)
	if err != nil {
		return nil, err
	}
	if d.st.cancelReservation(r.ID) {
		return answer("Accepted")
	}
	return answer("Rejected")
}

func (d *v2) sendLocalList(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Version int    `json:"versionNumber"`
		Type    string `json:"updateType"`
		List    []struct {
			Token token2 `json:"idToken"`
			Info  *struct {
				tokenInfo2
				Until time.Time `json:"cacheExpiryDateTime"`
			} `json:"idTokenInfo"`
		} `json:"localAuthorizationList"`
	}](raw)
	if err != nil {
		return nil, err
	}
	add := make(map[string]listEntry)
	var remove []string
	for _, x := range r.List {
		if x.Info == nil {
			remove = append(remove, x.Token.ID)
		} else {
			add[x.Token.ID] = listEntry{x.Info.Status == "Accepted", x.Info.Until}
		}
	}
	return answer(d.st.list.update(r.Type == "Full", r.Version, add, remove))
}

func (d *v2) getLog(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Request int `json:"requestId"`
		Log     struct {
			Location string `json:"remoteLocation"`
		} `json:"log"`
	}](raw)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%s-%s.tar.gz", d.st.spec.ID, d.st.now.UTC().Format("20060102T150405"))
	d.st.upload(r.Request, r.Log.Location, name)
	return struct {
		Status string `json:"status"`
		File   string `json:"filename"`
	}{"Accepted", name}, nil
}

func (d *v2) updateFirmware(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Request  int `json:"requestId"`
		Firmware struct {
			Location    string    `json:"location"`
			At          time.Time `json:"retrieveDateTime"`
			Signature   string    `json:"signature"`
			Certificate string    `json:"signingCertificate"`
		} `json:"firmware"`
	}](raw)
	if err != nil {
		return nil, err
	}
	var signed *signature
	if r.Firmware.Signature != "" {
		signed = &signature{r.Firmware.Signature, r.Firmware.Certificate}
	}
	d.st.updateFirmware(r.Request, r.Firmware.Location, r.Firmware.At, signed)
	return answer("Accepted")
}

func (d *v2) customerInformation(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Request int  `json:"requestId"`
		Report  bool `json:"report"`
	}](raw)
	if err != nil {
		return nil, err
	}
	if r.Report {
		st := d.st
		st.after(time.Second, func() {
			st.say(&call{action: "NotifyCustomerInformation", payload: struct {
				Data    string `json:"data"`
				Seq     int    `json:"seqNo"`
				At      string `json:"generatedAt"`
				Request int    `json:"requestId"`
			}{"", 0, st.stamp(st.now), r.Request}})
		})
	}
	return answer("Accepted")
}

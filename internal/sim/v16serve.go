package sim

import (
	"encoding/json"
	"fmt"
	"time"
)

// serve answers the central system in 1.6.
func (d *v16) serve(action string, raw json.RawMessage) (any, error) {
	switch action {
	case "Reset":
		return d.reset(raw)
	case "UnlockConnector":
		return d.unlock(raw)
	case "ChangeAvailability":
		return d.changeAvailability(raw)
	case "RemoteStartTransaction":
		return d.remoteStart(raw)
	case "RemoteStopTransaction":
		return d.remoteStop(raw)
	case "GetConfiguration":
		return d.getConfiguration(raw)
	case "ChangeConfiguration":
		return d.changeConfiguration(raw)
	case "TriggerMessage", "ExtendedTriggerMessage":
		return d.trigger(raw)
	case "ReserveNow":
		return d.reserveNow(raw)
	case "CancelReservation":
		return d.cancelReservation(raw)
	case "SendLocalList":
		return d.sendLocalList(raw)
	case "GetLocalListVersion":
		return struct {
			Version int `json:"listVersion"`
		}{d.st.list.version}, nil
	case "SetChargingProfile":
		return d.setProfile(raw)
	case "ClearChargingProfile":
		return d.clearProfile(raw)
	case "GetCompositeSchedule":
		return d.compositeSchedule(raw)
	case "GetDiagnostics", "GetLog":
		return d.getLog(action, raw)
	case "UpdateFirmware", "SignedUpdateFirmware":
		return d.updateFirmware(action, raw)
	case "DataTransfer":
		return dataTransfer(d.st, raw)
	case "ClearCache":
		return answer("Accepted")
	case "CertificateSigned":
		return d.st.signed(raw)
	case "InstallCertificate":
		return d.st.installRoot(raw)
	case "DeleteCertificate":
		return d.st.deleteRoot(raw)
	case "GetInstalledCertificateIds":
		return d.st.heldRoots(raw)
	}
	return nil, notImplemented(action)
}

// dataTransfer knows one vendor: its own.
func dataTransfer(st *station, raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Vendor  string `json:"vendorId"`
		Message string `json:"messageId"`
	}](raw)
	switch {
	case err != nil:
		return nil, err
	case r.Vendor != st.spec.Model.Vendor:
		return answer("UnknownVendorId")
	case r.Message != "uptime":
		return answer("UnknownMessageId")
	}
	return struct {
		Status string `json:"status"`
		Data   string `json:"data"`
	}{"Accepted", fmt.Sprint(int(st.now.Sub(st.powered).Seconds()))}, nil
}

func (d *v16) reset(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Type string `json:"type"`
	}](raw)
	if err != nil {
		return nil, err
	}
	st := d.st
	st.told()
	switch r.Type {
	case "Soft":
		st.after(time.Second, func() { st.reboot(reasonSoftReset, "RemoteReset", between(st.trouble, 15*time.Second, 40*time.Second)) })
	case "Hard":
		st.after(time.Second, func() { st.reboot(reasonHardReset, "RemoteReset", between(st.trouble, 25*time.Second, 70*time.Second)) })
	default:
		return answer("Rejected")
	}
	return answer("Accepted")
}

func (d *v16) unlock(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Connector int `json:"connectorId"`
	}](raw)
	if err != nil {
		return nil, err
	}
	c := d.st.connector(r.Connector)
	if c == nil {
		return answer("NotSupported")
	}
	return answer(d.st.unlock(c.e))
}

func (d *v16) changeAvailability(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Connector int    `json:"connectorId"`
		Type      string `json:"type"`
	}](raw)
	if err != nil {
		return nil, err
	}
	var e *evse
	if r.Connector != 0 {
		c := d.st.connector(r.Connector)
		if c == nil {
			return answer("Rejected")
		}
		e = c.e
	}
	return answer(d.st.availability(e, r.Type == "Operative"))
}

func (d *v16) remoteStart(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Connector int             `json:"connectorId"`
		Tag       string          `json:"idTag"`
		Profile   json.RawMessage `json:"chargingProfile"`
	}](raw)
	if err != nil {
		return nil, err
	}
	var e *evse
	if r.Connector != 0 {
		c := d.st.connector(r.Connector)
		if c == nil {
			return answer("Rejected")
		}
		e = c.e
	}
	start := &remoteStart{token: Token{r.Tag, "Central"}}
	e, ok := d.st.remoteStart(e, start)
	if !ok {
		return answer("Rejected")
	}
	if len(r.Profile) > 0 {
		start.profile = readProfile(r.Profile, e.id)
	}
	return answer("Accepted")
}

func (d *v16) remoteStop(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		ID int `json:"transactionId"`
	}](raw)
	if err != nil {
		return nil, err
	}
	for _, e := range d.st.evses {
		if e.tx != nil && e.tx.hasID && e.tx.id == r.ID {
			d.st.remoteStop(e.tx)
			return answer("Accepted")
		}
	}
	return answer("Rejected")
}

type key16 struct {
	Key      string  `json:"key"`
	ReadOnly bool    `json:"readonly"`
	Value    *string `json:"value,omitempty"`
}

func (d *v16) getConfiguration(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Keys []string `json:"key"`
	}](raw)
	if err != nil {
		return nil, err
	}
	st := d.st
	c := st.f.catalogue(st)
	var out struct {
		Known   []key16  `json:"configurationKey,omitempty"`
		Unknown []string `json:"unknownKey,omitempty"`
	}
	add := func(v *variable) {
		k := key16{Key: v.key, ReadOnly: st.readOnly(v)}
		if !v.writeOnly {
			k.Value = new(st.get(v.key))
		}
		out.Known = append(out.Known, k)
	}
	if len(r.Keys) == 0 {
		for i := range c.list {
			add(&c.list[i])
		}
	}
	for _, k := range r.Keys {
		if v := c.find(k); v != nil {
			add(v)
		} else {
			out.Unknown = append(out.Unknown, k)
		}
	}
	return out, nil
}

func (d *v16) changeConfiguration(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	}](raw)
	if err != nil {
		return nil, err
	}
	return answer(d.st.change(r.Key, r.Value))
}

func (d *v16) trigger(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Message   string `json:"requestedMessage"`
		Connector int    `json:"connectorId"`
	}](raw)
	if err != nil {
		return nil, err
	}
	st := d.st
	var targets []*connector
	for _, e := range st.evses {
		for _, c := range e.conns {
			if r.Connector == 0 || r.Connector == c.flat {
				targets = append(targets, c)
			}
		}
	}
	if len(targets) == 0 {
		return answer("Rejected")
	}
	switch r.Message {
	case "BootNotification":
		st.after(0, func() {
			if st.queue.boot == nil && st.wire != nil {
				st.boot("Triggered")
			}
		})
	case "Heartbeat":
		st.after(0, func() { st.say(&call{action: "Heartbeat", payload: struct{}{}}) })
	case "StatusNotification":
		st.after(0, func() {
			st.look()
			if r.Connector == 0 {
				d.stationStatus()
			}
			for _, c := range targets {
				d.status(c, true)
			}
		})
	case "MeterValues":
		st.after(0, func() {
			st.step()
			for _, c := range targets {
				if c == c.e.primary() {
					d.metered(c.e, c.e.samples(st.triggerMeasurands(), "Trigger"), "Trigger")
				}
			}
		})
	case "DiagnosticsStatusNotification":
		st.after(0, func() { d.logStatus(0, "Idle") })
	case "LogStatusNotification":
		st.after(0, func() {
			st.say(&call{action: "LogStatusNotification", payload: statusAnswer{"Idle"}})
		})
	case "FirmwareStatusNotification":
		st.after(0, func() { d.firmwareStatus(0, "Idle") })
	case "SignChargePointCertificate":
		return st.triggerSigned()
	default:
		return answer("NotImplemented")
	}
	return answer("Accepted")
}

// triggerMeasurands is what a triggered MeterValues carries.
func (st *station) triggerMeasurands() []string {
	if len(st.set.sampled) > 0 {
		return st.set.sampled
	}
	return []string{"Energy.Active.Import.Register"}
}

func (d *v16) reserveNow(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Connector int       `json:"connectorId"`
		Expiry    time.Time `json:"expiryDate"`
		Tag       string    `json:"idTag"`
		ID        int       `json:"reservationId"`
	}](raw)
	if err != nil {
		return nil, err
	}
	c := d.st.connector(r.Connector)
	if c == nil {
		return answer("Rejected")
	}
	return answer(d.st.reserve(c.e, &booking{id: r.ID, token: r.Tag}, r.Expiry))
}

func (d *v16) cancelReservation(raw json.RawMessage) (any, error) {
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

func (d *v16) sendLocalList(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Version int    `json:"listVersion"`
		Type    string `json:"updateType"`
		List    []struct {
			Tag  string `json:"idTag"`
			Info *struct {
				idTagInfo
				Until time.Time `json:"expiryDate"`
			} `json:"idTagInfo"`
		} `json:"localAuthorizationList"`
	}](raw)
	if err != nil {
		return nil, err
	}
	add := make(map[string]listEntry)
	var remove []string
	for _, x := range r.List {
		if x.Info == nil {
			remove = append(remove, x.Tag)
		} else {
			add[x.Tag] = listEntry{x.Info.Status == "Accepted", x.Info.Until}
		}
	}
	return answer(d.st.list.update(r.Type == "Full", r.Version, add, remove))
}

func (d *v16) getLog(action string, raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Location string `json:"location"`
		Request  int    `json:"requestId"`
		Log      struct {
			Location string `json:"remoteLocation"`
		} `json:"log"`
	}](raw)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%s-%s.tar.gz", d.st.spec.ID, d.st.now.UTC().Format("20060102T150405"))
	if action == "GetDiagnostics" {
		d.st.upload(0, r.Location, name)
		return struct {
			File string `json:"fileName"`
		}{name}, nil
	}
	d.st.upload(max(1, r.Request), r.Log.Location, name)
	return struct {
		Status string `json:"status"`
		File   string `json:"filename"`
	}{"Accepted", name}, nil
}

func (d *v16) updateFirmware(action string, raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Location string    `json:"location"`
		At       time.Time `json:"retrieveDate"`
		Request  int       `json:"requestId"`
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
	if action == "UpdateFirmware" {
		d.st.updateFirmware(0, r.Location, r.At, nil)
		return struct{}{}, nil
	}
	d.st.updateFirmware(max(1, r.Request), r.Firmware.Location, r.Firmware.At, &signature{r.Firmware.Signature, r.Firmware.Certificate})
	return answer("Accepted")
}

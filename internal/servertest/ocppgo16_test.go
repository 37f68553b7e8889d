package servertest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/lorenzodonini/ocpp-go/ocpp1.6/core"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/firmware"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/security"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/types"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/source/station"
)

func TestAnOCPPGoChargePointOf16(t *testing.T) {
	s := servertest.Start(t)
	s.Enrol(t, "GO16")
	s.Credential(t, "CARD-1")
	cp, disconnect := connect16(t, s, "GO16")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	boot, err := cp.BootNotification("Model X", "Vendor Y", func(r *core.BootNotificationRequest) { r.FirmwareVersion = "1.2.3" })
	must(err)
	if boot.Status != core.RegistrationStatusAccepted || boot.Interval != 300 {
		t.Errorf("boot: %+v", boot)
	}
	now := func(r *core.StatusNotificationRequest) { r.Timestamp = types.NewDateTime(time.Now()) }
	_, err = cp.StatusNotification(0, core.NoError, core.ChargePointStatusAvailable, now)
	must(err)
	_, err = cp.StatusNotification(1, core.NoError, core.ChargePointStatusPreparing, now)
	must(err)
	auth, err := cp.Authorize("CARD-1")
	must(err)
	if auth.IdTagInfo.Status != types.AuthorizationStatusAccepted {
		t.Errorf("a known card: %+v", auth.IdTagInfo)
	}
	stranger, err := cp.Authorize("CARD-2")
	must(err)
	if stranger.IdTagInfo.Status != types.AuthorizationStatusInvalid {
		t.Errorf("an unknown card: %+v", stranger.IdTagInfo)
	}
	start, err := cp.StartTransaction(1, "CARD-1", 1000, types.NewDateTime(time.Now()))
	must(err)
	_, err = cp.StatusNotification(1, core.NoError, core.ChargePointStatusCharging, now)
	must(err)
	_, err = cp.MeterValues(1, []types.MeterValue{{Timestamp: types.NewDateTime(time.Now()), SampledValue: []types.SampledValue{
		{Value: "1500", Measurand: types.MeasurandEnergyActiveImportRegister, Unit: types.UnitOfMeasureWh},
		{Value: "11.04", Measurand: types.MeasurandPowerActiveImport, Unit: types.UnitOfMeasureKW},
		{Value: "42", Measurand: types.MeasurandSoC, Unit: types.UnitOfMeasurePercent},
	}}}, func(r *core.MeterValuesRequest) { r.TransactionId = &start.TransactionId })
	must(err)
	v := s.Station(t, "GO16").EVSEs[0]
	if v.Status != fleet.Charging || v.Session == nil || v.Session.EnergyWh != 500 || *v.Live.PowerW != 11040 || *v.Live.SoC != 42 {
		t.Errorf("while charging: %+v, %+v", v, v.Session)
	}
	o := s.Endpoint.Send(t.Context(), "GO16", "5f9c1c2e-0000-4000-8000-000000000001", "Reset", []byte(`{"type":"Soft"}`))
	if o.Status != station.Answered || string(o.Response) != `{"status":"Accepted"}` {
		t.Errorf("reset: %+v", o)
	}
	o = s.Endpoint.Send(t.Context(), "GO16", "5f9c1c2e-0000-4000-8000-000000000002", "GetConfiguration", []byte(`{}`))
	if o.Status != station.Answered {
		t.Errorf("configuration: %+v", o)
	}
	_, err = cp.StopTransaction(3500, types.NewDateTime(time.Now()), start.TransactionId)
	must(err)
	_, err = cp.StatusNotification(1, core.GroundFailure, core.ChargePointStatusFaulted, now, func(r *core.StatusNotificationRequest) {
		r.VendorErrorCode, r.Info = "CX002", "GFCI"
	})
	must(err)
	_, err = cp.DataTransfer("com.example")
	must(err)
	_, err = cp.DiagnosticsStatusNotification(firmware.DiagnosticsStatusIdle)
	must(err)
	_, err = cp.FirmwareStatusNotification(firmware.FirmwareStatusIdle)
	must(err)
	_, err = cp.SecurityEventNotification("TamperDetectionActivated", types.NewDateTime(time.Now()), func(*security.SecurityEventNotificationRequest) {})
	must(err)
	_, err = cp.Heartbeat()
	must(err)

	st := s.Station(t, "GO16")
	if f := st.EVSEs[0].Fault; st.EVSEs[0].Status != fleet.Faulted || f == nil || f.Code != "GroundFailure" || f.VendorCode != "CX002" {
		t.Errorf("the fault: %+v", st.EVSEs[0])
	}
	sessions, _, err := s.Journal.Sessions(t.Context(), journal.SessionQuery{Station: "GO16"})
	if err != nil || len(sessions) != 1 || sessions[0].EnergyWh != 2500 || sessions[0].State != fleet.SessionEnded {
		t.Errorf("sessions: %+v %v", sessions, err)
	}
	events, _, err := s.Journal.Events(t.Context(), journal.EventQuery{Subject: event.Station("GO16"), Kinds: []event.Kind{event.KindSecurity}})
	if err != nil || len(events) != 1 {
		t.Errorf("security events: %v %v", events, err)
	}
	disconnect()
	servertest.Eventually(t, "offline", func() bool { return !s.Station(t, "GO16").Online })
}

// Each command is read by the library as it was meant, and its answer comes
// back word for word.
func TestAnOCPPGoChargePointOf16TakesCommands(t *testing.T) {
	s := servertest.Start(t)
	s.Enrol(t, "GO16")
	p := &point16{}
	cp, _ := connectPoint16(t, s, "GO16", p)
	if _, err := cp.BootNotification("Model X", "Vendor Y"); err != nil {
		t.Fatal(err)
	}
	accepted := `{"status":"Accepted"}`
	tests := []struct{ action, payload, answer string }{
		{"RemoteStartTransaction", `{"connectorId":1,"idTag":"CARD-1"}`, accepted},
		{"RemoteStopTransaction", `{"transactionId":17}`, accepted},
		{"UnlockConnector", `{"connectorId":2}`, `{"status":"Unlocked"}`},
		{"ChangeAvailability", `{"connectorId":0,"type":"Inoperative"}`, `{"status":"Scheduled"}`},
		{"ChangeConfiguration", `{"key":"MeterValueSampleInterval","value":"60"}`, `{"status":"RebootRequired"}`},
		{"ClearCache", `{}`, accepted},
		{"DataTransfer", `{"vendorId":"com.example","messageId":"hello","data":"text"}`, accepted},
		{"GetConfiguration", `{"key":["HeartbeatInterval"]}`, `{"configurationKey":[{"key":"HeartbeatInterval","readonly":false,"value":"300"}]}`},
		{"Reset", `{"type":"Hard"}`, accepted},
		{"TriggerMessage", `{"requestedMessage":"StatusNotification","connectorId":1}`, accepted},
		{"GetLocalListVersion", `{}`, `{"listVersion":7}`},
		{"SendLocalList", `{"listVersion":8,"localAuthorizationList":[{"idTag":"CARD-1","idTagInfo":{"status":"Accepted"}}],"updateType":"Full"}`, accepted},
		{"ReserveNow", `{"connectorId":1,"expiryDate":"2030-01-02T03:04:05Z","idTag":"CARD-1","reservationId":7}`, accepted},
		{"CancelReservation", `{"reservationId":7}`, accepted},
		{"SetChargingProfile", `{"connectorId":1,"csChargingProfiles":{"chargingProfileId":1,"stackLevel":0,"chargingProfilePurpose":"TxDefaultProfile","chargingProfileKind":"Absolute","chargingSchedule":{"chargingRateUnit":"W","chargingSchedulePeriod":[{"startPeriod":0,"limit":11000}]}}}`, accepted},
		{"ClearChargingProfile", `{"id":1,"stackLevel":0}`, accepted},
		{"GetCompositeSchedule", `{"connectorId":1,"duration":3600}`, `{"status":"Rejected"}`},
		{"GetDiagnostics", `{"location":"ftp://files.example.com/logs"}`, `{}`},
		{"UpdateFirmware", `{"location":"https://files.example.com/fw.bin","retrieveDate":"2030-01-02T03:04:05Z"}`, `{}`},
	}
	for i, tt := range tests {
		t.Run(tt.action, func(t *testing.T) {
			o := s.Endpoint.Send(t.Context(), "GO16", fmt.Sprintf("5f9c1c2e-0000-4000-8000-%012d", i), tt.action, []byte(tt.payload))
			if o.Status != station.Answered || !sameJSON(t, string(o.Response), tt.answer) {
				t.Errorf("answer: %+v (%s); want %s", o, o.Response, tt.answer)
			}
			if !p.read(t, tt.action, tt.payload) {
				t.Errorf("the station read %v; we sent %s", p.all(tt.action), tt.payload)
			}
		})
	}
	o := s.Endpoint.Send(t.Context(), "GO16", "5f9c1c2e-0000-4000-8000-00000000ffff", "Fly", []byte(`{}`))
	if o.Status != station.Failed || o.ErrorCode == "" {
		t.Errorf("an action that the station does not know: %+v", o)
	}
}

// A charge point that was offline tells its session later, over another
// connection: the history is right and the live state is not touched.
func TestAnOCPPGoChargePointOf16ReplaysItsQueue(t *testing.T) {
	s := servertest.Start(t)
	s.Enrol(t, "GO16")
	s.Credential(t, "CARD-1")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	cp, disconnect := connect16(t, s, "GO16")
	_, err := cp.BootNotification("Model X", "Vendor Y")
	must(err)
	_, err = cp.StatusNotification(1, core.NoError, core.ChargePointStatusAvailable, func(r *core.StatusNotificationRequest) {
		r.Timestamp = at16(time.Now())
	})
	must(err)
	disconnect()
	servertest.Eventually(t, "offline", func() bool { return !s.Station(t, "GO16").Online })

	cp, _ = connect16(t, s, "GO16")
	began := time.Now().Add(-3 * time.Hour).Truncate(time.Second)
	start, err := cp.StartTransaction(1, "CARD-1", 10000, at16(began))
	must(err)
	again, err := cp.StartTransaction(1, "CARD-1", 10000, at16(began)) // its answer was lost
	must(err)
	if start.TransactionId != again.TransactionId || start.TransactionId <= 0 {
		t.Errorf("ids of the same start: %d and %d", start.TransactionId, again.TransactionId)
	}
	for i := range 6 {
		_, err = cp.MeterValues(1, []types.MeterValue{{Timestamp: at16(began.Add(time.Duration(i) * 10 * time.Minute)), SampledValue: []types.SampledValue{
			{Value: fmt.Sprint(10000 + i*1000), Measurand: types.MeasurandEnergyActiveImportRegister, Unit: types.UnitOfMeasureWh},
			{Value: "6000", Measurand: types.MeasurandPowerActiveImport, Unit: types.UnitOfMeasureW},
		}}}, func(r *core.MeterValuesRequest) { r.TransactionId = &start.TransactionId })
		must(err)
		if v := s.Station(t, "GO16").EVSEs[0]; v.Status != fleet.Available || v.Session != nil {
			t.Fatalf("three hours old, and it changed the live state: %+v", v)
		}
	}
	for range 2 {
		_, err = cp.StopTransaction(16000, at16(began.Add(time.Hour)), start.TransactionId)
		must(err)
	}
	sessions, _, err := s.Journal.Sessions(t.Context(), journal.SessionQuery{Station: "GO16"})
	must(err)
	if len(sessions) != 1 {
		t.Fatalf("%d sessions; want 1: %+v", len(sessions), sessions)
	}
	x := sessions[0]
	if x.EnergyWh != 6000 || x.State != fleet.SessionEnded || !x.StartedAt.Equal(began) || !x.EndedAt.Equal(began.Add(time.Hour)) {
		t.Errorf("session: %+v", x)
	}
}

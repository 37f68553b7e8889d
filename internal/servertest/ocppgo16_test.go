package servertest_test

import (
	"sync"
	"testing"
	"time"

	ocpp16 "github.com/lorenzodonini/ocpp-go/ocpp1.6"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/core"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/firmware"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/security"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/types"
	"github.com/lorenzodonini/ocpp-go/ws"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/source/station"
)

// point16 answers what the server asks an ocpp-go charge point.
type point16 struct{ core.ChargePointHandler }

func (point16) OnReset(*core.ResetRequest) (*core.ResetConfirmation, error) {
	return core.NewResetConfirmation(core.ResetStatusAccepted), nil
}

func (point16) OnGetConfiguration(r *core.GetConfigurationRequest) (*core.GetConfigurationConfirmation, error) {
	return core.NewGetConfigurationConfirmation([]core.ConfigurationKey{{Key: "HeartbeatInterval", Readonly: false, Value: new("300")}}), nil
}

// connect16 returns a connected charge point and what disconnects it; the
// library panics when it is stopped twice.
func connect16(t *testing.T, s *servertest.Server, id string) (ocpp16.ChargePoint, func()) {
	t.Helper()
	cp := ocpp16.NewChargePoint(id, nil, ws.NewClient())
	cp.SetCoreHandler(point16{})
	if err := cp.Start(s.URL[:len(s.URL)-1]); err != nil {
		t.Fatal(err)
	}
	stop := sync.OnceFunc(cp.Stop)
	t.Cleanup(stop)
	return cp, stop
}

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

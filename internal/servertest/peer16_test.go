package servertest_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	ocpp16 "github.com/lorenzodonini/ocpp-go/ocpp1.6"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/core"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/firmware"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/localauth"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/remotetrigger"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/reservation"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/smartcharging"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/types"
	"github.com/lorenzodonini/ocpp-go/ws"

	"github.com/chargewatch/chargewatch/internal/servertest"
)

// point16 is a charge point of ocpp-go that answers what it is asked and
// remembers how the library read it.
type point16 struct{ notes }

func (p *point16) OnReset(r *core.ResetRequest) (*core.ResetConfirmation, error) {
	p.note("Reset", r)
	return core.NewResetConfirmation(core.ResetStatusAccepted), nil
}

func (p *point16) OnGetConfiguration(r *core.GetConfigurationRequest) (*core.GetConfigurationConfirmation, error) {
	p.note("GetConfiguration", r)
	return core.NewGetConfigurationConfirmation([]core.ConfigurationKey{{Key: "HeartbeatInterval", Value: new("300")}}), nil
}

func (p *point16) OnChangeConfiguration(r *core.ChangeConfigurationRequest) (*core.ChangeConfigurationConfirmation, error) {
	p.note("ChangeConfiguration", r)
	return core.NewChangeConfigurationConfirmation(core.ConfigurationStatusRebootRequired), nil
}

func (p *point16) OnClearCache(r *core.ClearCacheRequest) (*core.ClearCacheConfirmation, error) {
	p.note("ClearCache", r)
	return core.NewClearCacheConfirmation(core.ClearCacheStatusAccepted), nil
}

func (p *point16) OnDataTransfer(r *core.DataTransferRequest) (*core.DataTransferConfirmation, error) {
	p.note("DataTransfer", r)
	return core.NewDataTransferConfirmation(core.DataTransferStatusAccepted), nil
}

func (p *point16) OnChangeAvailability(r *core.ChangeAvailabilityRequest) (*core.ChangeAvailabilityConfirmation, error) {
	p.note("ChangeAvailability", r)
	return core.NewChangeAvailabilityConfirmation(core.AvailabilityStatusScheduled), nil
}

func (p *point16) OnRemoteStartTransaction(r *core.RemoteStartTransactionRequest) (*core.RemoteStartTransactionConfirmation, error) {
	p.note("RemoteStartTransaction", r)
	return core.NewRemoteStartTransactionConfirmation(types.RemoteStartStopStatusAccepted), nil
}

func (p *point16) OnRemoteStopTransaction(r *core.RemoteStopTransactionRequest) (*core.RemoteStopTransactionConfirmation, error) {
	p.note("RemoteStopTransaction", r)
	return core.NewRemoteStopTransactionConfirmation(types.RemoteStartStopStatusAccepted), nil
}

func (p *point16) OnUnlockConnector(r *core.UnlockConnectorRequest) (*core.UnlockConnectorConfirmation, error) {
	p.note("UnlockConnector", r)
	return core.NewUnlockConnectorConfirmation(core.UnlockStatusUnlocked), nil
}

func (p *point16) OnTriggerMessage(r *remotetrigger.TriggerMessageRequest) (*remotetrigger.TriggerMessageConfirmation, error) {
	p.note("TriggerMessage", r)
	return remotetrigger.NewTriggerMessageConfirmation(remotetrigger.TriggerMessageStatusAccepted), nil
}

func (p *point16) OnGetLocalListVersion(r *localauth.GetLocalListVersionRequest) (*localauth.GetLocalListVersionConfirmation, error) {
	p.note("GetLocalListVersion", r)
	return localauth.NewGetLocalListVersionConfirmation(7), nil
}

func (p *point16) OnSendLocalList(r *localauth.SendLocalListRequest) (*localauth.SendLocalListConfirmation, error) {
	p.note("SendLocalList", r)
	return localauth.NewSendLocalListConfirmation(localauth.UpdateStatusAccepted), nil
}

func (p *point16) OnReserveNow(r *reservation.ReserveNowRequest) (*reservation.ReserveNowConfirmation, error) {
	p.note("ReserveNow", r)
	return reservation.NewReserveNowConfirmation(reservation.ReservationStatusAccepted), nil
}

func (p *point16) OnCancelReservation(r *reservation.CancelReservationRequest) (*reservation.CancelReservationConfirmation, error) {
	p.note("CancelReservation", r)
	return reservation.NewCancelReservationConfirmation(reservation.CancelReservationStatusAccepted), nil
}

func (p *point16) OnSetChargingProfile(r *smartcharging.SetChargingProfileRequest) (*smartcharging.SetChargingProfileConfirmation, error) {
	p.note("SetChargingProfile", r)
	return smartcharging.NewSetChargingProfileConfirmation(smartcharging.ChargingProfileStatusAccepted), nil
}

func (p *point16) OnClearChargingProfile(r *smartcharging.ClearChargingProfileRequest) (*smartcharging.ClearChargingProfileConfirmation, error) {
	p.note("ClearChargingProfile", r)
	return smartcharging.NewClearChargingProfileConfirmation(smartcharging.ClearChargingProfileStatusAccepted), nil
}

func (p *point16) OnGetCompositeSchedule(r *smartcharging.GetCompositeScheduleRequest) (*smartcharging.GetCompositeScheduleConfirmation, error) {
	p.note("GetCompositeSchedule", r)
	return smartcharging.NewGetCompositeScheduleConfirmation(smartcharging.GetCompositeScheduleStatusRejected), nil
}

func (p *point16) OnGetDiagnostics(r *firmware.GetDiagnosticsRequest) (*firmware.GetDiagnosticsConfirmation, error) {
	p.note("GetDiagnostics", r)
	return firmware.NewGetDiagnosticsConfirmation(), nil
}

func (p *point16) OnUpdateFirmware(r *firmware.UpdateFirmwareRequest) (*firmware.UpdateFirmwareConfirmation, error) {
	p.note("UpdateFirmware", r)
	return firmware.NewUpdateFirmwareConfirmation(), nil
}

// connect16 returns a connected charge point and what disconnects it; the
// library panics when it is stopped twice.
func connect16(t *testing.T, s *servertest.Server, id string) (ocpp16.ChargePoint, func()) {
	t.Helper()
	return connectPoint16(t, s, id, &point16{})
}

func connectPoint16(t *testing.T, s *servertest.Server, id string, p *point16) (ocpp16.ChargePoint, func()) {
	t.Helper()
	cp := ocpp16.NewChargePoint(id, nil, ws.NewClient())
	cp.SetCoreHandler(p)
	cp.SetRemoteTriggerHandler(p)
	cp.SetLocalAuthListHandler(p)
	cp.SetReservationHandler(p)
	cp.SetSmartChargingHandler(p)
	cp.SetFirmwareManagementHandler(p)
	if err := cp.Start(strings.TrimSuffix(s.URL, "/")); err != nil {
		t.Fatal(err)
	}
	stop := sync.OnceFunc(cp.Stop)
	t.Cleanup(stop)
	return cp, stop
}

// at16 is a time of an ocpp-go message.
func at16(t time.Time) *types.DateTime { return types.NewDateTime(t) }

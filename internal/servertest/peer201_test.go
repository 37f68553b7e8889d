package servertest_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	ocpp2 "github.com/lorenzodonini/ocpp-go/ocpp2.0.1"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/authorization"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/availability"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/localauth"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/provisioning"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/remotecontrol"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/reservation"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/transactions"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/types"
	"github.com/lorenzodonini/ocpp-go/ws"

	"github.com/chargewatch/chargewatch/internal/servertest"
)

// station201 is a charging station of ocpp-go that answers what it is asked and
// remembers how the library read it.
type station201 struct{ notes }

func (p *station201) OnGetBaseReport(r *provisioning.GetBaseReportRequest) (*provisioning.GetBaseReportResponse, error) {
	p.note("GetBaseReport", r)
	return provisioning.NewGetBaseReportResponse(types.GenericDeviceModelStatusAccepted), nil
}

func (p *station201) OnGetReport(r *provisioning.GetReportRequest) (*provisioning.GetReportResponse, error) {
	p.note("GetReport", r)
	return provisioning.NewGetReportResponse(types.GenericDeviceModelStatusEmptyResultSet), nil
}

func (p *station201) OnGetVariables(r *provisioning.GetVariablesRequest) (*provisioning.GetVariablesResponse, error) {
	p.note("GetVariables", r)
	var out []provisioning.GetVariableResult
	for _, v := range r.GetVariableData {
		out = append(out, provisioning.GetVariableResult{
			AttributeStatus: provisioning.GetVariableStatusAccepted, AttributeValue: "300", Component: v.Component, Variable: v.Variable,
		})
	}
	return provisioning.NewGetVariablesResponse(out), nil
}

func (p *station201) OnReset(r *provisioning.ResetRequest) (*provisioning.ResetResponse, error) {
	p.note("Reset", r)
	return provisioning.NewResetResponse(provisioning.ResetStatusScheduled), nil
}

func (p *station201) OnSetNetworkProfile(r *provisioning.SetNetworkProfileRequest) (*provisioning.SetNetworkProfileResponse, error) {
	p.note("SetNetworkProfile", r)
	return provisioning.NewSetNetworkProfileResponse(provisioning.SetNetworkProfileStatusRejected), nil
}

func (p *station201) OnSetVariables(r *provisioning.SetVariablesRequest) (*provisioning.SetVariablesResponse, error) {
	p.note("SetVariables", r)
	var out []provisioning.SetVariableResult
	for _, v := range r.SetVariableData {
		out = append(out, provisioning.SetVariableResult{
			AttributeStatus: provisioning.SetVariableStatusAccepted, Component: v.Component, Variable: v.Variable,
		})
	}
	return provisioning.NewSetVariablesResponse(out), nil
}

func (p *station201) OnRequestStartTransaction(r *remotecontrol.RequestStartTransactionRequest) (*remotecontrol.RequestStartTransactionResponse, error) {
	p.note("RequestStartTransaction", r)
	return remotecontrol.NewRequestStartTransactionResponse(remotecontrol.RequestStartStopStatusAccepted), nil
}

func (p *station201) OnRequestStopTransaction(r *remotecontrol.RequestStopTransactionRequest) (*remotecontrol.RequestStopTransactionResponse, error) {
	p.note("RequestStopTransaction", r)
	return remotecontrol.NewRequestStopTransactionResponse(remotecontrol.RequestStartStopStatusRejected), nil
}

func (p *station201) OnTriggerMessage(r *remotecontrol.TriggerMessageRequest) (*remotecontrol.TriggerMessageResponse, error) {
	p.note("TriggerMessage", r)
	return remotecontrol.NewTriggerMessageResponse(remotecontrol.TriggerMessageStatusAccepted), nil
}

func (p *station201) OnUnlockConnector(r *remotecontrol.UnlockConnectorRequest) (*remotecontrol.UnlockConnectorResponse, error) {
	p.note("UnlockConnector", r)
	return remotecontrol.NewUnlockConnectorResponse(remotecontrol.UnlockStatusUnlocked), nil
}

func (p *station201) OnChangeAvailability(r *availability.ChangeAvailabilityRequest) (*availability.ChangeAvailabilityResponse, error) {
	p.note("ChangeAvailability", r)
	return availability.NewChangeAvailabilityResponse(availability.ChangeAvailabilityStatusAccepted), nil
}

func (p *station201) OnClearCache(r *authorization.ClearCacheRequest) (*authorization.ClearCacheResponse, error) {
	p.note("ClearCache", r)
	return authorization.NewClearCacheResponse(authorization.ClearCacheStatusAccepted), nil
}

func (p *station201) OnGetLocalListVersion(r *localauth.GetLocalListVersionRequest) (*localauth.GetLocalListVersionResponse, error) {
	p.note("GetLocalListVersion", r)
	return localauth.NewGetLocalListVersionResponse(7), nil
}

func (p *station201) OnSendLocalList(r *localauth.SendLocalListRequest) (*localauth.SendLocalListResponse, error) {
	p.note("SendLocalList", r)
	return localauth.NewSendLocalListResponse(localauth.SendLocalListStatusAccepted), nil
}

func (p *station201) OnReserveNow(r *reservation.ReserveNowRequest) (*reservation.ReserveNowResponse, error) {
	p.note("ReserveNow", r)
	return reservation.NewReserveNowResponse(reservation.ReserveNowStatusAccepted), nil
}

func (p *station201) OnCancelReservation(r *reservation.CancelReservationRequest) (*reservation.CancelReservationResponse, error) {
	p.note("CancelReservation", r)
	return reservation.NewCancelReservationResponse(reservation.CancelReservationStatusAccepted), nil
}

func (p *station201) OnGetTransactionStatus(r *transactions.GetTransactionStatusRequest) (*transactions.GetTransactionStatusResponse, error) {
	p.note("GetTransactionStatus", r)
	return transactions.NewGetTransactionStatusResponse(false), nil
}

// connect201 returns a connected charging station and what disconnects it.
func connect201(t *testing.T, s *servertest.Server, id string, p *station201) (ocpp2.ChargingStation, func()) {
	t.Helper()
	cs := ocpp2.NewChargingStation(id, nil, ws.NewClient())
	cs.SetProvisioningHandler(p)
	cs.SetRemoteControlHandler(p)
	cs.SetAvailabilityHandler(p)
	cs.SetAuthorizationHandler(p)
	cs.SetLocalAuthListHandler(p)
	cs.SetReservationHandler(p)
	cs.SetTransactionsHandler(p)
	if err := cs.Start(strings.TrimSuffix(s.URL, "/")); err != nil {
		t.Fatal(err)
	}
	stop := sync.OnceFunc(cs.Stop)
	t.Cleanup(stop)
	return cs, stop
}

// at201 is a time of an ocpp-go message.
func at201(t time.Time) *types.DateTime { return types.NewDateTime(t) }

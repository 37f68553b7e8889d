package sim

import (
	"fmt"
	"sync"
	"testing"
	"time"

	ocpp2 "github.com/lorenzodonini/ocpp-go/ocpp2.0.1"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/authorization"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/availability"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/diagnostics"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/meter"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/provisioning"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/security"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/transactions"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/types"
	"github.com/lorenzodonini/ocpp-go/ws"
)

type (
	diag201 = diagnostics.CSMSHandler
	sec201  = security.CSMSHandler
)

// peer201 is ocpp-go's CSMS; see peer16.
type peer201 struct {
	diag201
	sec201
	mu      sync.Mutex
	boots   int
	events  map[string][]*transactions.TransactionEventRequest
	whole   int
	reports int
	notices int
	gaps    []string
}

func (p *peer201) OnBootNotification(string, *provisioning.BootNotificationRequest) (*provisioning.BootNotificationResponse, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.boots++
	return provisioning.NewBootNotificationResponse(types.NewDateTime(time.Now()), 300, provisioning.RegistrationStatusAccepted), nil
}

func (p *peer201) OnAuthorize(string, *authorization.AuthorizeRequest) (*authorization.AuthorizeResponse, error) {
	return authorization.NewAuthorizationResponse(*types.NewIdTokenInfo(types.AuthorizationStatusAccepted)), nil
}

func (p *peer201) OnHeartbeat(string, *availability.HeartbeatRequest) (*availability.HeartbeatResponse, error) {
	return availability.NewHeartbeatResponse(*types.NewDateTime(time.Now())), nil
}

func (p *peer201) OnStatusNotification(string, *availability.StatusNotificationRequest) (*availability.StatusNotificationResponse, error) {
	return availability.NewStatusNotificationResponse(), nil
}

func (p *peer201) OnMeterValues(string, *meter.MeterValuesRequest) (*meter.MeterValuesResponse, error) {
	return meter.NewMeterValuesResponse(), nil
}

func (p *peer201) OnSecurityEventNotification(string, *security.SecurityEventNotificationRequest) (*security.SecurityEventNotificationResponse, error) {
	return security.NewSecurityEventNotificationResponse(), nil
}

func (p *peer201) OnNotifyEvent(string, *diagnostics.NotifyEventRequest) (*diagnostics.NotifyEventResponse, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.notices++
	return diagnostics.NewNotifyEventResponse(), nil
}

func (p *peer201) OnNotifyReport(string, *provisioning.NotifyReportRequest) (*provisioning.NotifyReportResponse, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reports++
	return provisioning.NewNotifyReportResponse(), nil
}

func (p *peer201) OnTransactionEvent(_ string, r *transactions.TransactionEventRequest) (*transactions.TransactionEventResponse, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := r.TransactionInfo.TransactionID
	if r.SequenceNo != len(p.events[id]) {
		p.gaps = append(p.gaps, fmt.Sprintf("%s: event %d came as number %d", id, r.SequenceNo, len(p.events[id])))
	}
	p.events[id] = append(p.events[id], r)
	if r.EventType == transactions.TransactionEventEnded && p.events[id][0].EventType == transactions.TransactionEventStarted {
		p.whole++
	}
	answer := transactions.NewTransactionEventResponse()
	if r.IDToken != nil {
		answer.IDTokenInfo = types.NewIdTokenInfo(types.AuthorizationStatusAccepted)
	}
	return answer, nil
}

func TestAStrictPeerAcceptsWholeSessionsOf201(t *testing.T) {
	p := &peer201{events: make(map[string][]*transactions.TransactionEventRequest)}
	csms := ocpp2.NewCSMS(nil, ws.NewServer())
	csms.SetAuthorizationHandler(p)
	csms.SetAvailabilityHandler(p)
	csms.SetDiagnosticsHandler(p)
	csms.SetMeterHandler(p)
	csms.SetProvisioningHandler(p)
	csms.SetSecurityHandler(p)
	csms.SetTransactionsHandler(p)
	port := freePort(t)
	go csms.Start(port, "/ocpp/{ws}")
	t.Cleanup(csms.Stop)

	plan := weekday(Park(12, V201, "", 5))
	asked := false
	busy := scenario(t, "busy")
	busy.FaultsPerDay = 4
	s := until(t, Options{
		URL: fmt.Sprintf("ws://127.0.0.1:%d/ocpp", port), Plan: plan, Start: tuesday, Seed: 5, Scenario: busy, Speed: 900, History: 2 * time.Hour, Ramp: time.Second,
	}, func(s Stats) bool {
		if s.Accepted == 12 && !asked {
			asked = true
			csms.GetBaseReport("SIM-0001", func(r *provisioning.GetBaseReportResponse, err error) {
				if err != nil || r.Status != types.GenericDeviceModelStatusAccepted {
					t.Errorf("base report: %+v, %v", r, err)
				}
			}, 1, provisioning.ReportTypeFullInventory)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.whole >= 15 && p.reports >= 4 && p.notices > 0
	})
	if s.Refused > 0 || s.Garbled > 0 || s.Stray > 0 {
		t.Errorf("the peer refused something: %+v", s)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.gaps) > 0 {
		t.Errorf("sequence numbers: %v", p.gaps)
	}
	states := make(map[transactions.ChargingState]int)
	offline := 0
	for _, list := range p.events {
		for _, e := range list {
			states[e.TransactionInfo.ChargingState]++
			if e.Offline {
				offline++
			}
		}
	}
	for _, want := range []transactions.ChargingState{transactions.ChargingStateEVConnected, transactions.ChargingStateCharging} {
		if states[want] == 0 {
			t.Errorf("no event says %s: %v", want, states)
		}
	}
	if offline == 0 {
		t.Error("sessions that began before the first contact must be marked offline")
	}
}

package sim

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	ocpp16 "github.com/lorenzodonini/ocpp-go/ocpp1.6"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/core"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/security"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/types"
	"github.com/lorenzodonini/ocpp-go/ws"
)

type (
	core16     = core.CentralSystemHandler
	security16 = security.CentralSystemHandler
)

// peer16 is a central system built on ocpp-go: its validation is strict and
// not ours. The embedded interfaces are nil, so an action that no session
// needs would panic.
type peer16 struct {
	core16
	security16
	mu                    sync.Mutex
	boots, meters, events int
	open                  map[int]*core.StartTransactionRequest
	whole                 []int // Wh of sessions seen from start to stop
	statuses              map[core.ChargePointStatus]int
	nextTx                int
	registers             map[string]int
	backwards             []string
}

func (p *peer16) OnBootNotification(string, *core.BootNotificationRequest) (*core.BootNotificationConfirmation, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.boots++
	return core.NewBootNotificationConfirmation(types.NewDateTime(time.Now()), 300, core.RegistrationStatusAccepted), nil
}

func (p *peer16) OnAuthorize(string, *core.AuthorizeRequest) (*core.AuthorizeConfirmation, error) {
	return core.NewAuthorizationConfirmation(types.NewIdTagInfo(types.AuthorizationStatusAccepted)), nil
}

func (p *peer16) OnHeartbeat(string, *core.HeartbeatRequest) (*core.HeartbeatConfirmation, error) {
	return core.NewHeartbeatConfirmation(types.NewDateTime(time.Now())), nil
}

func (p *peer16) OnStatusNotification(_ string, r *core.StatusNotificationRequest) (*core.StatusNotificationConfirmation, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.statuses[r.Status]++
	return core.NewStatusNotificationConfirmation(), nil
}

func (p *peer16) OnStartTransaction(id string, r *core.StartTransactionRequest) (*core.StartTransactionConfirmation, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.register(id, r.ConnectorId, r.MeterStart)
	p.nextTx++
	p.open[p.nextTx] = r
	return core.NewStartTransactionConfirmation(types.NewIdTagInfo(types.AuthorizationStatusAccepted), p.nextTx), nil
}

func (p *peer16) register(id string, connector, wh int) {
	key := fmt.Sprint(id, "/", connector)
	if wh < p.registers[key] {
		p.backwards = append(p.backwards, key)
	}
	p.registers[key] = wh
}

func (p *peer16) OnMeterValues(string, *core.MeterValuesRequest) (*core.MeterValuesConfirmation, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.meters++
	return core.NewMeterValuesConfirmation(), nil
}

func (p *peer16) OnStopTransaction(id string, r *core.StopTransactionRequest) (*core.StopTransactionConfirmation, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if start := p.open[r.TransactionId]; start != nil {
		p.register(id, start.ConnectorId, r.MeterStop)
		p.whole = append(p.whole, r.MeterStop-start.MeterStart)
		delete(p.open, r.TransactionId)
	}
	return core.NewStopTransactionConfirmation(), nil
}

func (p *peer16) OnSecurityEventNotification(string, *security.SecurityEventNotificationRequest) (*security.SecurityEventNotificationResponse, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events++
	return security.NewSecurityEventNotificationResponse(), nil
}

func startPeer16(t *testing.T) (*peer16, string) {
	t.Helper()
	p := &peer16{open: make(map[int]*core.StartTransactionRequest), statuses: make(map[core.ChargePointStatus]int), registers: make(map[string]int)}
	cs := ocpp16.NewCentralSystem(nil, ws.NewServer())
	cs.SetCoreHandler(p)
	cs.SetSecurityHandler(p)
	port := freePort(t)
	go cs.Start(port, "/ocpp/{ws}")
	t.Cleanup(cs.Stop)
	return p, fmt.Sprintf("ws://127.0.0.1:%d/ocpp", port)
}

// freePort finds a port; the peer library cannot be asked for its own without
// a race.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// until runs a fleet on real sockets until a condition holds.
func until(t *testing.T, o Options, ready func(Stats) bool) Stats {
	t.Helper()
	f, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	done := make(chan struct{})
	go func() { f.Run(ctx); close(done) }()
	for !ready(f.Stats()) && ctx.Err() == nil {
		time.Sleep(20 * time.Millisecond)
	}
	late := ctx.Err() != nil
	s := f.Stats()
	cancel()
	<-done
	if late {
		t.Fatalf("not reached within a minute: %v", s)
	}
	return s
}

// tuesday noon is when every kind of site is in use.
var tuesday = time.Date(2026, 11, 24, 11, 0, 0, 0, time.UTC)

// weekday makes the sites of a plan busy by day.
func weekday(p Plan) Plan {
	for i := range p.Sites {
		p.Sites[i].Use = []Use{Motorway, Retail}[i%2]
	}
	return p
}

func TestAStrictPeerAcceptsWholeSessionsOf16(t *testing.T) {
	p, url := startPeer16(t)
	s := until(t, Options{URL: url, Plan: weekday(Park(12, V16, "", 3)), Start: tuesday, Seed: 3, Scenario: scenario(t, "busy"), Speed: 900, History: 2 * time.Hour, Ramp: time.Second}, func(s Stats) bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.whole) >= 15 && p.meters >= 100 && p.statuses[core.ChargePointStatusSuspendedEV] > 0 && p.statuses[core.ChargePointStatusFinishing] > 0
	})
	if s.Refused > 0 || s.Garbled > 0 || s.Stray > 0 {
		t.Errorf("the peer refused something: %+v", s)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.boots < 12 || p.events < 12 {
		t.Errorf("want a boot and a start-up event per station, got %d and %d", p.boots, p.events)
	}
	if len(p.backwards) > 0 {
		t.Errorf("registers went back: %v", p.backwards)
	}
	charged := 0
	for _, wh := range p.whole {
		if wh < 0 || wh > 120_000 {
			t.Errorf("a session of %d Wh", wh)
		}
		if wh > 1000 {
			charged++
		}
	}
	if charged*2 < len(p.whole) {
		t.Errorf("only %d of %d sessions charged more than 1 kWh", charged, len(p.whole))
	}
}

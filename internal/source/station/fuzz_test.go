package station

import (
	"context"
	"encoding/json"
	"io"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
)

// mouth is a socket that keeps what is said.
type mouth struct{ said [][]byte }

func (m *mouth) Reader(context.Context) (websocket.MessageType, io.Reader, error) {
	return 0, nil, io.EOF
}

func (m *mouth) Write(_ context.Context, _ websocket.MessageType, p []byte) error {
	m.said = append(m.said, append([]byte(nil), p...))
	return nil
}
func (m *mouth) Ping(context.Context) error               { return nil }
func (m *mouth) Heard() time.Time                         { return time.Now() }
func (m *mouth) Close(websocket.StatusCode, string) error { return nil }
func (m *mouth) Cut()                                     {}
func (m *mouth) take() (out [][]byte)                     { out, m.said = m.said, nil; return out }

// storable is a journal that takes what can be stored and nothing else.
type storable struct {
	t *testing.T
	*memory
}

func (s *storable) Append(ctx context.Context, e *event.Event) (fleet.Receipt, error) {
	if _, err := event.AppendBody(nil, e.Body); err != nil {
		return fleet.Receipt{}, err
	}
	if e.At.IsZero() || e.ReceivedAt.IsZero() || e.Subject.ID == "" {
		s.t.Errorf("an event without time or subject: %+v", e)
	}
	return s.memory.Append(ctx, e)
}

type unlogged struct{}

func (unlogged) Add(Frame) {}

// Whatever a station sends, the connection stays, there is at most one answer,
// and it is JSON.
func FuzzFrame(f *testing.F) {
	for _, text := range []string{
		boot("1"), `[2,"2","Heartbeat",{}]`, `[2,"3","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Available"}]`,
		`[2,"4","StartTransaction",{"connectorId":1,"idTag":"GOOD","meterStart":0,"timestamp":"2026-01-01T00:00:00Z"}]`,
		`[2,"5","StopTransaction",{"transactionId":1,"meterStop":5,"timestamp":"9999-12-31T23:59:59-14:00"}]`,
		`[2,"6","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"2026-01-01T00:00:00Z","sampledValue":[{"value":"1.5","unit":"kWh"}]}]}]`,
		`[2,"7","TransactionEvent",{"eventType":"Ended","timestamp":"2026-01-01T00:00:00Z","triggerReason":"Trigger","seqNo":1,"transactionInfo":{"transactionId":"T"},"meterValue":[{"timestamp":"2026-01-01T00:00:00Z","sampledValue":[{"value":1,"unitOfMeasure":{"multiplier":3}}]}]}]`,
		`[2,"8","NotifyEvent",{"generatedAt":"2026-01-01T00:00:00Z","seqNo":0,"eventData":[{"eventId":1,"timestamp":"9999-12-31T23:59:59-14:00","trigger":"Alerting","actualValue":"x","eventNotificationType":"HardWiredMonitor","component":{"name":"Connector","evse":{"id":1,"connectorId":1}},"variable":{"name":"AvailabilityState"}}]}]`,
		`[2,"9","NotifyReport",{"requestId":1,"generatedAt":"2026-01-01T00:00:00Z","seqNo":0,"reportData":[{"component":{"name":"EVSE","evse":{"id":1}},"variable":{"name":"Power"},"variableAttribute":[{"value":"1e999"}],"variableCharacteristics":{"dataType":"decimal","supportsMonitoring":true,"maxLimit":1e308,"unit":"kW"}}]}]`,
		`[3,"1",{}]`, `[4,"1","NotSupported","",{}]`, `[6,"1","NotifyPeriodicEventStream",{"id":1}]`, `[2,"1","Fly",{}]`, `}{`, ``, `[2,{},"Heartbeat",{}]`,
	} {
		for v := range byte(3) {
			f.Add(v, []byte(text))
		}
	}
	j := &storable{}
	p := &people{enrolled: map[string]Enrolment{"CP": {Onboarding: event.OnboardingAccepted}}}
	ep := New(j, p, p, unlogged{}, Options{})
	f.Fuzz(func(t *testing.T, v byte, data []byte) {
		j.t, j.memory = t, &memory{state: fleet.New()}
		m := &mouth{}
		versions := ocppj.Versions()
		l := newLink(ep, m, versions[int(v)%len(versions)], hello{identity: "CP", onboarding: event.OnboardingAccepted})
		for range 2 { // the second time it is a repeat
			if err := l.heed(t.Context(), websocket.MessageText, data); err != nil {
				t.Fatalf("%q ends the connection: %v", data, err)
			}
			said := m.take()
			if len(said) > 1 {
				t.Fatalf("%q has %d answers", data, len(said))
			}
			for _, answer := range said {
				if !json.Valid(answer) {
					t.Errorf("%q is answered %q", data, answer)
				}
			}
		}
	})
}

func boot(id string) string {
	return `[2,"` + id + `","BootNotification",{"chargePointVendor":"V","chargePointModel":"M","reason":"PowerUp","chargingStation":{"vendorName":"V","model":"M"}}]`
}

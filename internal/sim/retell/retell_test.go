package retell

import (
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/sim"
)

func TestWhatWasToldIsHeard(t *testing.T) {
	spec := &sim.Spec{ID: "S", Site: "x", Model: sim.Model{Version: sim.V16, Vendor: "Acme"}}
	new2 := &sim.Spec{ID: "S", Site: "x", Model: sim.Model{Version: sim.V201, AvailabilityEvents: true}}
	token := sim.Token{ID: "A", Type: "Central"}
	h := Hearer{Tokens: map[sim.Token]string{token: "t-a"}}
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		told sim.Told
		ok   func(*event.Event) bool
	}{
		"a stranger is refused with the reason": {sim.Told{Kind: sim.ToldAuthorize, Station: spec, Token: token}, func(e *event.Event) bool {
			b, ok := e.Body.(*event.Authorize)
			return ok && b.TokenID == "t-a" && b.Status == "Invalid" && b.Reason != ""
		}},
		"a start of 1.6 asks for an id": {sim.Told{Kind: sim.ToldStarted, Station: spec, EVSE: 1, Plug: 2, TxID: "7", RegisterWh: new(5)}, func(e *event.Event) bool {
			b, ok := e.Body.(*event.Transaction)
			return ok && b.AssignID && b.TransactionID == "7" && *b.MeterWh == 5 && e.Subject.Connector == 2 && b.SeqNo == nil
		}},
		"a model that tells by event": {sim.Told{Kind: sim.ToldStatus, Station: new2, EVSE: 2, Plug: 1, Word: "Occupied"}, func(e *event.Event) bool {
			b, ok := e.Body.(*event.Component)
			return ok && b.Items[0].Variable == "AvailabilityState" && b.Items[0].EVSE == 2 && e.Subject.EVSE == 0
		}},
		"a loss is known later than it happened": {sim.Told{Kind: sim.ToldLost, Station: spec, Link: 3, HeardAt: at.Add(time.Minute)}, func(e *event.Event) bool {
			b, ok := e.Body.(*event.Disconnected)
			return ok && b.LastFrameAt.Equal(at) && b.ConnID == "S-3" && e.At.After(at.Add(time.Minute))
		}},
		"a fault has its codes": {sim.Told{Kind: sim.ToldStatus, Station: spec, EVSE: 1, Plug: 1, Word: "Faulted",
			Fault: &sim.Problem{Code: "GroundFailure", VendorCode: "CX002"}}, func(e *event.Event) bool {
			b, ok := e.Body.(*event.Status)
			return ok && b.ErrorCode == "GroundFailure" && b.VendorErrorCode == "CX002" && b.VendorID == "Acme"
		}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			tc.told.At = at
			if tc.told.HeardAt.IsZero() {
				tc.told.HeardAt = at
			}
			if e := h.Hear(&tc.told); !tc.ok(e) {
				t.Errorf("%+v: %+v", e, e.Body)
			}
		})
	}
}

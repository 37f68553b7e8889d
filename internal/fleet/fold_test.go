package fleet

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

func TestAStationCannotGrowWithoutBound(t *testing.T) {
	l := newTeller()
	now := clockAt("08:00:00")
	l.fold(says(now, event.Station("A"), &event.Connected{ConnID: "1", Protocol: "ocpp2.0.1"}))
	var events []*event.Event
	for i := range 2 * maxEVSEs {
		events = append(events,
			says(now, event.Port("A", i+1, 1), &event.Status{Status: "Available"}),
			says(now, event.Port("A", 1, i+1), &event.Status{Status: "Available"}))
		late := says(now, event.Port("A", 1, 1), &event.Transaction{Stage: event.TransactionStarted, TransactionID: fmt.Sprint("t", i), SeqNo: new(0)})
		late.At = now.Add(-time.Hour - time.Duration(i)*time.Second) // ever older: none ends another
		late.DeviceAt = late.At
		events = append(events, late)
	}
	l.fold(events...)
	st, _ := l.state.Snapshot().Station("A")
	if len(st.EVSEs) != maxEVSEs || len(st.EVSEs[0].Connectors) != maxConnectors || len(st.Backlog) > maxBacklog {
		t.Errorf("%d EVSEs, %d connectors, %d sessions in the backlog", len(st.EVSEs), len(st.EVSEs[0].Connectors), len(st.Backlog))
	}
	odd := 0
	for _, e := range l.events {
		if strings.Contains(strings.Join(e.Quirks, " "), "tooManyPorts") {
			odd++
		}
	}
	if want := maxEVSEs + 2*maxEVSEs - maxConnectors; odd != want {
		t.Errorf("%d reports were noted as too many ports, want %d", odd, want)
	}
	if len(l.stored) != 2*maxEVSEs {
		t.Errorf("%d sessions are kept of %d", len(l.stored), 2*maxEVSEs)
	}
}

func TestAReportFillsTheLayoutUnlessAPersonDid(t *testing.T) {
	l := newTeller()
	now := clockAt("08:00:00")
	part := func(evse int, w float64, plug string) *event.Event {
		return says(now, event.Station("A"), &event.Report{Type: "base", Layout: []event.EVSELayout{
			{EVSE: evse, RatedW: w, Connectors: []event.ConnectorLayout{{Connector: 1, Type: plug}}},
		}})
	}
	l.fold(says(now, event.Station("A"), &event.Connected{ConnID: "1", Protocol: "ocpp2.0.1"}), part(1, 0, "cCCS2"))
	before := l.state.Snapshot()
	l.fold(part(1, 150_000, ""), part(2, 22_000, "sType2"))
	st, _ := l.state.Snapshot().Station("A")
	if len(st.EVSEs) != 2 || st.EVSEs[0].Layout.RatedW != 150_000 || st.EVSEs[0].Connectors[0].Type != "cCCS2" || st.EVSEs[1].Connectors[0].Type != "sType2" {
		t.Errorf("after the parts: %+v", st.EVSEs)
	}
	if old, _ := before.Station("A"); len(old.EVSEs) != 1 || old.Layout[0].RatedW != 0 {
		t.Errorf("the published layout changed: %+v", old.Layout)
	}
	l.fold(says(now, event.Station("A"), &event.StationConfigured{Layout: []event.EVSELayout{{EVSE: 1, RatedW: 50_000}}}), part(1, 150_000, "cCCS1"))
	st, _ = l.state.Snapshot().Station("A")
	if len(st.EVSEs) != 1 || st.EVSEs[0].Layout.RatedW != 50_000 || st.LayoutSource != layoutByPerson {
		t.Errorf("after a person decided: %+v", st.Layout)
	}
}

func TestPhasesAreSummedUp(t *testing.T) {
	s := func(measurand, phase string, v float64) event.Sample {
		return event.Sample{Measurand: measurand, Phase: phase, Value: v}
	}
	tests := map[string]struct {
		in                           []event.Sample
		power, current, voltage, soc float64
		noPower, noCurrent, noSoC    bool
	}{
		"phases add up to power, the highest current and the mean voltage count": {
			in: []event.Sample{
				s("Power.Active.Import", "L1", 1000), s("Power.Active.Import", "L2", 2000), s("Power.Active.Import", "N", 500),
				s("Current.Import", "L1", 10), s("Current.Import", "L2", 12), s("Voltage", "L1-N", 230), s("Voltage", "L2-N", 234),
			},
			power: 3000, current: 12, voltage: 232, noSoC: true,
		},
		"the whole is taken before its phases": {
			in:    []event.Sample{s("Power.Active.Import", "L1", 1000), s("Power.Active.Import", "", 2900)},
			power: 2900, noCurrent: true, noSoC: true,
		},
		"what cannot be measured is left out": {
			in: []event.Sample{
				s("Power.Active.Import", "", math.NaN()), s("Current.Import", "", math.Inf(1)), s("SoC", "", 255),
				{Measurand: "Energy.Active.Import.Register", Unit: "furlong", Value: 5},
				{Measurand: "Power.Active.Import", Location: "Inlet", Value: 9},
			},
			noPower: true, noCurrent: true, noSoC: true,
		},
		"a charge of zero percent is a charge": {in: []event.Sample{s("SoC", "", 0)}, noPower: true, noCurrent: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := ReadLive(tt.in)
			same := func(what string, v *float64, want float64, none bool) {
				if (v == nil) != none || v != nil && *v != want {
					t.Errorf("%s is %v, want %v (none: %v)", what, v, want, none)
				}
			}
			same("power", got.PowerW, tt.power, tt.noPower)
			same("current", got.CurrentA, tt.current, tt.noCurrent)
			same("voltage", got.VoltageV, tt.voltage, tt.voltage == 0)
			same("charge", got.SoC, tt.soc, tt.noSoC)
		})
	}
}

// TestMovesAreThoseOfTheSpecification writes OCPP 1.6 section 4.9 out.
func TestMovesAreThoseOfTheSpecification(t *testing.T) {
	table := map[Status]string{
		Available:     "Preparing Charging SuspendedEV SuspendedEVSE Reserved Unavailable Faulted",
		Preparing:     "Available Charging SuspendedEV SuspendedEVSE Finishing Faulted",
		Charging:      "Available SuspendedEV SuspendedEVSE Finishing Unavailable Faulted",
		SuspendedEV:   "Available Charging SuspendedEVSE Finishing Unavailable Faulted",
		SuspendedEVSE: "Available Charging SuspendedEV Finishing Unavailable Faulted",
		Finishing:     "Available Preparing Unavailable Faulted",
		Reserved:      "Available Preparing Unavailable Faulted",
		Unavailable:   "Available Preparing Charging SuspendedEV SuspendedEVSE Faulted",
	}
	for from, words := range table {
		for to := Available; to < Unknown; to++ {
			want := from == to || strings.Contains(" "+words+" ", " "+to.String()+" ")
			if got := legalMove(from, to); got != want {
				t.Errorf("%s to %s: %v, want %v", from, to, got, want)
			}
		}
	}
}

// A clock that is set in the middle of a session makes its end look earlier than
// its readings. The end states the register, and that decides.
func TestTheRegisterAtTheEndDecidesWhateverTheClocksSay(t *testing.T) {
	register := func(at time.Time, wh float64) event.Samples {
		return event.Samples{{At: at, Values: []event.Sample{{Measurand: "Energy.Active.Import.Register", Value: wh}}}}
	}
	began := clockAt("08:00:00")
	for name, tell := range map[string]func(l *teller){
		"1.6": func(l *teller) {
			l.fold(
				says(began, event.Port("A", 0, 1), &event.Transaction{Stage: event.TransactionStarted, AssignID: true, MeterWh: new(1000.0)}),
				says(began.Add(50*time.Minute), event.Port("A", 0, 1), &event.Meter{TransactionID: "1", Samples: register(began.Add(50*time.Minute), 30_000)}),
				says(began.Add(30*time.Minute), event.Station("A"), &event.Transaction{Stage: event.TransactionEnded, TransactionID: "1", MeterWh: new(48_000.0)}),
			)
		},
		"2.x": func(l *teller) {
			tell := func(at time.Time, stage event.TransactionStage, n int, wh float64) *event.Event {
				return says(at, event.Port("A", 1, 1), &event.Transaction{Stage: stage, TransactionID: "T", SeqNo: &n, Samples: register(at, wh)})
			}
			l.fold(
				tell(began, event.TransactionStarted, 0, 1000), tell(began.Add(50*time.Minute), event.TransactionUpdated, 1, 30_000),
				tell(began.Add(30*time.Minute), event.TransactionEnded, 2, 48_000),
			)
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newTeller()
			l.fold(says(began, event.Station("A"), &event.Connected{ConnID: "1", Protocol: "ocpp1.6"}))
			tell(l)
			if len(l.stored) != 1 {
				t.Fatalf("%d sessions", len(l.stored))
			}
			for _, s := range l.stored {
				if s.EnergyWh != 47_000 || s.State != SessionEnded || s.has(FlagRegisterJump) {
					t.Errorf("session: %+v", s)
				}
			}
		})
	}
}

package attempt

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// What is told as it happens: "at" is the line's own time, "told" when we heard
// of it.
func TestFoldTells(t *testing.T) {
	tests := map[string]struct {
		story string
		want  []string // "sequence of the event: try"
		open  []string
	}{
		"a refusal at once, and once more when the card is shown again": {`
			08:00:00 - authorize Invalid token=bert
			08:00:30 - authorize Invalid token=bert
			08:04:00 - authorize Invalid token=bert`,
			[]string{
				"1: 08:00:00 port=0 stage=presented token=bert failed reason=tokenUnknown detail=Invalid",
				"2: 08:00:00 port=0 stage=presented token=bert failed reason=tokenUnknown detail=Invalid tries=2 again",
				"3: 08:04:00 port=0 stage=presented token=bert failed reason=tokenUnknown detail=Invalid",
			}, nil},
		"a session once, at its end": {`
			08:00:00 1 status Preparing error=NoError
			08:00:05 - authorize Accepted token=anna
			08:00:10 1 started tx=1 token=anna E=1000
			08:21:00 1 ended tx=1 E=2500 reason=Local
			08:21:30 1 status Available error=NoError`,
			[]string{"4: 08:00:00 port=1 stage=energy token=anna detail=Local energy=1500"}, nil},
		"a token nobody came with, by the next event": {`
			08:00:00 - authorize Accepted token=anna
			09:00:00 1 status Available`,
			[]string{"2: 08:00:00 port=0 stage=authorised token=anna failed reason=neverPlugged"}, nil},
		"a session of the past, told while another car charges": {`
			06:00:00 1 status Available
			10:00:00 1 status Preparing
			10:00:10 1 started tx=9 token=carl E=5000
			08:00:10 1 started tx=8 token=anna E=1000 told=10:05:00
			08:30:00 1 ended tx=8 E=4000 reason=Local told=10:05:01
			10:30:00 1 ended tx=9 E=7000 reason=Local
			10:30:10 1 status Available`,
			[]string{
				"5: 08:00:10 port=1 stage=energy token=anna detail=Local energy=3000 late",
				"6: 10:00:00 port=1 stage=energy token=carl detail=Local energy=2000",
			}, nil},
		"a state of the past changes nothing": {`
			10:00:00 1 status Preparing
			08:00:10 1 status Available told=10:05:00
			10:10:00 1 status Available`,
			[]string{"3: 10:00:00 port=1 stage=plugged failed reason=noToken"}, nil},
		"a start told late, of the car that still waits": {`
			10:00:00 1 status Preparing
			10:00:10 - disconnected
			10:20:00 - connected
			10:20:01 1 status Charging
			10:01:00 1 started tx=9 token=anna E=0 told=10:20:02
			10:30:00 1 ended tx=9 E=7000 reason=Local`,
			[]string{"6: 10:00:00 port=1 stage=energy token=anna detail=Local energy=7000"}, nil},
		"a start told late, of the car that looked like a new one": {`
			09:00:00 1 status Available
			10:20:00 1 status Occupied
			10:01:00 1 started tx=9 token=anna E=0 told=10:20:02
			10:21:00 1 updated tx=9 state=Charging sample=4000
			10:30:00 1 ended tx=9 sample=7000 reason=Local
			10:30:10 1 status Available`,
			[]string{"5: 10:01:00 port=1 stage=energy token=anna detail=Local energy=7000"}, nil},
		"energy of measurements, when nobody reports the end": {`
			08:00:10 1 started tx=1 token=anna E=1000
			08:30:10 1 meter tx=1 E=9000
			11:00:00 - inferred tx=1 the port is free`,
			[]string{"3: 08:00:10 port=1 stage=energy token=anna detail=the port is free energy=8000"}, nil},
		"a fault after an hour cut the charge short": {`
			08:00:10 1 started tx=1 token=anna E=100
			09:00:40 1 status Faulted error=GroundFailure vendor=0x17
			09:00:41 1 ended tx=1 E=20000 reason=Other`,
			[]string{"3: 08:00:10 port=1 stage=energy token=anna detail=Other energy=19900 code=0x17 cut=faulted side=charger"}, nil},
		"a fault that passed did not": {`
			08:00:10 1 started tx=1 token=anna E=100
			08:40:40 1 status Faulted error=HighTemperature
			08:50:40 1 status Charging error=NoError
			09:00:41 1 ended tx=1 E=20000 reason=Local`,
			[]string{"4: 08:00:10 port=1 stage=energy token=anna detail=Local energy=19900"}, nil},
		"a supply that fails in the middle": {`
			08:00:10 1 started tx=1 token=anna E=100
			09:00:41 1 ended tx=1 E=20000 reason=PowerLoss`,
			[]string{"2: 08:00:10 port=1 stage=energy token=anna detail=PowerLoss energy=19900 cut=powerLoss side=charger"}, nil},
		"a lock that failed, and the driver went away": {`
			08:00:00 1 status Preparing
			08:00:05 - authorize Accepted token=anna
			08:00:10 1 status Preparing error=ConnectorLockFailure
			08:00:40 1 status Available error=NoError`,
			[]string{"4: 08:00:00 port=1 stage=authorised token=anna failed reason=notStarted code=ConnectorLockFailure"}, nil},
		"a problem of OCPP 2.x at the port": {`
			08:00:00 1 status Occupied
			08:00:05 - authorize Accepted token=anna
			08:00:10 1 component ConnectorPlugRetentionLock value=true
			08:00:40 1 status Faulted`,
			[]string{"4: 08:00:00 port=1 stage=authorised token=anna failed reason=faulted detail=ConnectorPlugRetentionLock code=ConnectorPlugRetentionLock"}, nil},
		"a car that does not talk": {`
			08:00:00 1 status Preparing
			08:00:05 1 started tx=1 token=anna E=0
			08:00:10 1 status SuspendedEVSE error=EVCommunicationError
			08:02:40 1 ended tx=1 E=0 reason=EVDisconnected`,
			[]string{"4: 08:00:00 port=1 stage=locked token=anna failed reason=unpluggedEarly detail=EVDisconnected energy=0 code=EVCommunicationError side=vehicle"}, nil},
		"a car that takes nothing": {`
			08:00:10 1 started tx=1 token=anna E=100
			08:00:20 1 status SuspendedEV
			08:20:41 1 ended tx=1 E=100 reason=EVDisconnected`,
			[]string{"3: 08:00:10 port=1 stage=locked token=anna failed reason=unpluggedEarly detail=EVDisconnected energy=0 side=vehicle"}, nil},
		"a driver who waited in vain": {`
			08:00:10 1 started tx=1 token=anna E=100
			08:03:41 1 ended tx=1 E=100 reason=EVDisconnected`,
			[]string{"2: 08:00:10 port=1 stage=locked token=anna failed reason=unpluggedEarly detail=EVDisconnected energy=0 side=unknown"}, nil},
		"a station that ended it by itself": {`
			08:00:10 1 started tx=1 token=anna E=100
			08:00:41 1 ended tx=1 E=100 reason=Other`,
			[]string{"2: 08:00:10 port=1 stage=locked token=anna failed reason=noEnergy detail=Other energy=0 side=charger"}, nil},
		"the worked example of the ChargeX calculator: the port is named after the start": {`
			09:20:44 - authorize Accepted token=valid
			09:20:44 - started tx=e8 token=valid status=Accepted
			09:20:44 1 status Occupied
			09:20:44 1 updated tx=e8 state=EVConnected
			09:20:44 - updated tx=e8 state=Charging
			09:21:45 1 ended tx=e8 token=valid state=EVConnected reason=Local`,
			[]string{"6: 09:20:44 port=1 stage=energy token=valid failed reason=stoppedAtStation detail=Local side=unknown"}, nil},
		"what goes on": {`
			08:00:00 1 status Preparing
			08:00:05 2 status Preparing
			08:00:10 2 started tx=1 token=anna E=100
			08:00:12 2 status Charging
			08:01:00 - command2 id=c token=dora port=3
			08:01:01 - result answered id=c status=Accepted`,
			nil,
			[]string{
				"08:01:00 port=3 stage=authorised token=dora remote open",
				"08:00:00 port=1 stage=plugged open",
				"08:00:05 port=2 stage=energy token=anna energy=0 open",
			}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var f Fold
			var got, open []string
			for _, e := range tell(t, tc.story) {
				for _, a := range f.Apply(e) {
					got = append(got, fmt.Sprintf("%d: %s", e.Seq, a.line()))
				}
			}
			for _, a := range f.Open() {
				open = append(open, a.line())
			}
			if have, want := strings.Join(got, "\n"), strings.Join(tc.want, "\n"); have != want {
				t.Errorf("got\n%s\nwant\n%s", have, want)
			}
			if have, want := strings.Join(open, "\n"), strings.Join(tc.open, "\n"); have != want {
				t.Errorf("open\n%s\nwant\n%s", have, want)
			}
		})
	}
}

func TestExpire(t *testing.T) {
	var f Fold
	if _, ok := f.Due(); ok {
		t.Error("an idle station waits for something")
	}
	events := tell(t, `
		08:00:00 - authorize Accepted token=anna
		08:01:00 - authorize Accepted token=bert`)
	for _, e := range events {
		f.Apply(e)
	}
	due, ok := f.Due()
	if want := events[0].At.Add(tokenWait); !ok || !due.Equal(want) {
		t.Fatalf("due %v %v, want %v", due, ok, want)
	}
	if got := f.Expire(due.Add(-time.Nanosecond)); got != nil {
		t.Errorf("given up early: %v", got)
	}
	if got := f.Expire(due); len(got) != 1 || got[0].Token != "anna" || got[0].Reason != NeverPlugged || !got[0].EndsAt.Equal(due) {
		t.Errorf("given up: %+v", got)
	}
	due, _ = f.Due()
	if got := f.Expire(due); len(got) != 1 || got[0].Token != "bert" {
		t.Errorf("given up: %+v", got)
	}
	if _, ok := f.Due(); ok || f.s != nil {
		t.Error("it still holds something")
	}
}

// A port that nobody tries costs a few words, whatever else its station says.
func TestAnIdleFoldHoldsNothing(t *testing.T) {
	if size := reflect.TypeFor[Fold]().Size(); size > 48 {
		t.Errorf("an idle fold takes %d bytes", size)
	}
	events := tell(t, `
		08:00:00 - boot
		08:00:01 - connected
		08:00:02 1 status Available
		08:00:03 2 status Unavailable
		08:00:04 3 status Faulted error=GroundFailure
		08:00:05 - disconnected`)
	var f Fold
	if n := testing.AllocsPerRun(10, func() {
		for _, e := range events {
			f.Apply(e)
		}
	}); n != 0 {
		t.Errorf("%v allocations before the first try", n)
	}
	for _, e := range tell(t, `
		09:00:00 1 status Preparing
		09:00:05 - authorize Accepted token=anna
		09:00:10 1 started tx=1 token=anna E=1000
		09:21:00 1 ended tx=1 E=2500 reason=Local
		09:21:30 1 status Available`) {
		f.Apply(e)
	}
	if f.s != nil {
		t.Errorf("it holds %+v after its session", f.s)
	}
}

// A station that says all it can does not make us keep more than its share.
func TestAHostileStationIsBounded(t *testing.T) {
	var f Fold
	long := strings.Repeat("ü", 4000)
	at := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	told := 0
	for i := range 5000 {
		name := fmt.Sprintf("%d%s", i, long)
		for _, body := range []event.Body{
			&event.Status{Status: "Preparing", ErrorCode: name, VendorErrorCode: name},
			&event.Authorize{TokenID: name, Status: "Accepted"},
			&event.Authorize{TokenID: name, Status: name},
			&event.Transaction{Stage: event.TransactionStarted, TransactionID: name, TokenID: name, MeterWh: new(-math.MaxFloat64)},
			&event.Transaction{Stage: event.TransactionUpdated, TransactionID: name, MeterWh: new(math.MaxFloat64)},
			&event.Command{CommandID: name, Action: "RemoteStartTransaction", Payload: fmt.Appendf(nil, `{"idTag":%q,"connectorId":-3}`, name)},
		} {
			e := &event.Event{Subject: event.Port("A", i+1, 0), At: at, ReceivedAt: at, Body: body}
			told += len(f.Apply(e))
		}
	}
	if len(f.s.ports) > maxPorts || len(f.s.waiting) > maxWaiting || len(f.s.commands) > maxCommands || len(f.s.refused) > maxRefused {
		t.Errorf("%d ports, %d tokens, %d commands, %d refusals", len(f.s.ports), len(f.s.waiting), len(f.s.commands), len(f.s.refused))
	}
	data, err := json.Marshal(&f)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > 512<<10 {
		t.Errorf("a checkpoint of %d bytes", len(data))
	}
	if told < 5000 {
		t.Errorf("only %d tries were told", told)
	}
}

// random makes a story out of everything a station can say, some of it late.
func random(r *rand.Rand, n int) []*event.Event {
	statuses := []string{"Available", "Preparing", "Occupied", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing", "Faulted", "Unavailable", "Reserved"}
	codes := []string{"", "NoError", "GroundFailure", "ConnectorLockFailure", "EVCommunicationError"}
	reasons := []string{"", "Local", "Other", "EVDisconnected", "PowerLoss", "DeAuthorized"}
	results := []string{"Accepted", "Accepted", "Invalid", "Blocked"}
	stages := []event.TransactionStage{event.TransactionStarted, event.TransactionUpdated, event.TransactionEnded}
	states := []string{"", "Charging", "SuspendedEV", "EVConnected"}
	pick := func(words []string) string { return words[r.IntN(len(words))] }
	at := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	var out []*event.Event
	for i := range n {
		at = at.Add(time.Duration(r.IntN(60_000)) * time.Millisecond)
		name := string('a' + rune(r.IntN(4)))
		evse := r.IntN(3)
		var body event.Body
		switch r.IntN(12) {
		case 0, 1, 2:
			body = &event.Status{Status: pick(statuses), ErrorCode: pick(codes)}
		case 3:
			body = &event.Authorize{TokenID: name, Status: pick(results)}
		case 4, 5, 6:
			tx := &event.Transaction{Stage: stages[r.IntN(3)], TransactionID: name, Reason: pick(reasons), ChargingState: pick(states), TokenStatus: pick(results)}
			if r.IntN(2) == 0 {
				tx.MeterWh, tx.TokenID = new(float64(r.IntN(5000))), name
			}
			body = tx
		case 7:
			body = &event.Command{CommandID: name, Action: "RemoteStartTransaction", Payload: fmt.Appendf(nil, `{"idTag":%q,"connectorId":%d}`, name, evse)}
		case 8:
			body = &event.CommandResult{CommandID: name, Status: "answered", Response: fmt.Appendf(nil, `{"status":%q}`, pick(results))}
		case 9:
			body = &event.Component{Items: []event.ComponentEvent{{EVSE: evse, Component: "ConnectorPlugRetentionLock", Variable: "Problem", Value: pick([]string{"true", "false"})}}}
		case 10:
			body = &event.SessionInferred{TransactionID: name, EndedAt: at.Add(-time.Minute), Evidence: "test"}
		default:
			body = []event.Body{&event.Boot{}, &event.Disconnected{}, &event.Connected{}}[r.IntN(3)]
		}
		e := &event.Event{Seq: uint64(i), Subject: event.Port("A", evse, 0), At: at, ReceivedAt: at, Body: body}
		if r.IntN(6) == 0 {
			e.At = at.Add(-time.Duration(r.IntN(3600)) * time.Second)
		}
		out = append(out, e)
	}
	return out
}

// Wherever a fold is stored and read again, it goes on as if it had not been.
func TestARestoredFoldGoesOn(t *testing.T) {
	ended, failed := 0, 0
	for seed := range uint64(100) {
		events := random(rand.New(rand.NewPCG(seed, 4)), 60)
		var whole Fold
		var want [][]Attempt
		for _, e := range events {
			want = append(want, whole.Apply(e))
		}
		for cut := range events {
			var before, after Fold
			for _, e := range events[:cut] {
				before.Apply(e)
			}
			data, err := json.Marshal(&before)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(data, &after); err != nil {
				t.Fatalf("seed %d, cut %d: %v\n%s", seed, cut, err, data)
			}
			for i, e := range events[cut:] {
				if got := after.Apply(e); !reflect.DeepEqual(got, want[cut+i]) {
					t.Fatalf("seed %d, cut %d, event %d:\ngot  %+v\nwant %+v", seed, cut, cut+i, got, want[cut+i])
				}
			}
			if !reflect.DeepEqual(after.Open(), whole.Open()) {
				t.Fatalf("seed %d, cut %d:\nopen %+v\nwant %+v", seed, cut, after.Open(), whole.Open())
			}
		}
		for _, list := range want {
			for _, a := range list {
				ended++
				if a.Failed != (a.Reason != None) || a.EndsAt.Before(a.At) || (a.Side != "") != (a.Failed || a.CutShort != None) || (a.FailedStep() != "") != (a.Side != "") {
					t.Errorf("seed %d: %s", seed, a.line())
				}
				if a.Failed {
					failed++
				}
			}
		}
	}
	if ended < 500 || failed < 300 {
		t.Errorf("%d tries, %d failed: the stories say too little", ended, failed)
	}
}

func FuzzRestore(f *testing.F) {
	f.Add([]byte(`{"v":1}`))
	f.Add([]byte(`{"v":1,"last":"2026-11-22T08:00:00Z","ports":[{"slot":1,"open":{"at":"2026-11-22T08:00:00Z","stage":"plugged"},"started":true}],"waiting":[{"token":"a"}]}`))
	f.Add([]byte(`{"v":1,"ports":[{"slot":-1,"started":true}],"waiting":[null]}`))
	f.Add([]byte(`{"v":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var fold Fold
		if json.Unmarshal(data, &fold) != nil {
			return
		}
		for _, e := range random(rand.New(rand.NewPCG(uint64(len(data)), 1)), 20) {
			fold.Apply(e)
		}
		fold.Open()
		fold.Due()
		fold.Expire(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	})
}

func TestSides(t *testing.T) {
	for reason, want := range map[Reason]Side{
		None:         "",
		TokenUnknown: Driver, TokenBlocked: Driver, TokenExpired: Driver, TokenInUse: Driver, TokenNotHere: Driver,
		TokenNoCredit: Driver, TokenRefused: Driver, NeverPlugged: Driver, NoToken: Driver, UnpluggedEarly: Driver,
		StoppedAtStation: Driver, PlugTimeout: Driver, EmergencyStop: Driver,
		RemoteRefused: Charger, NotStarted: Charger, Faulted: Charger, Restarted: Charger, PowerLoss: Charger,
		RemoteLost: Network, StationLost: Network,
		VehicleRefused: Vehicle,
		Deauthorised:   Backend, StoppedRemotely: Backend,
		NoEnergy: UnknownSide, EndUnknown: UnknownSide, TakenOut: UnknownSide,
	} {
		if got := reason.Side(); got != want {
			t.Errorf("%q is a matter of %q, want %q", reason, got, want)
		}
	}
}

func TestFailedStep(t *testing.T) {
	for name, tc := range map[string]struct {
		a    Attempt
		want Step
	}{
		"it worked":                            {Attempt{Stage: Energy}, ""},
		"it goes on":                           {Attempt{Stage: Plugged}, ""},
		"cut short":                            {Attempt{Stage: Energy, CutShort: Faulted, Code: "GroundFailure"}, StepEnd},
		"a refused card":                       {Attempt{Stage: Plugged, Failed: true, Reason: TokenBlocked}, StepAuthorise},
		"refused at the start":                 {Attempt{Stage: Locked, Failed: true, Reason: TokenInUse}, StepAuthorise},
		"no card":                              {Attempt{Stage: Plugged, Failed: true, Reason: NoToken}, StepAuthorise},
		"no car":                               {Attempt{Stage: Authorised, Failed: true, Reason: NeverPlugged}, StepPlug},
		"no transaction":                       {Attempt{Stage: Authorised, Failed: true, Reason: NotStarted}, StepLock},
		"the lock, after the transaction":      {Attempt{Stage: Locked, Failed: true, Reason: Faulted, Code: "CX001"}, StepLock},
		"insulation before power":              {Attempt{Stage: Locked, Failed: true, Reason: Faulted, Code: "CX011"}, StepCableCheck},
		"insulation under power":               {Attempt{Stage: Energy, Failed: true, Reason: Faulted, Code: "GroundFailure"}, StepEnergy},
		"locked, and nothing came":             {Attempt{Stage: Locked, Failed: true, Reason: NoEnergy}, StepEnergy},
		"power flowed, less than it was worth": {Attempt{Stage: Energy, Failed: true, Reason: EmergencyStop}, StepEnergy},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tc.a.FailedStep(); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

func BenchmarkApply(b *testing.B) {
	events := random(rand.New(rand.NewPCG(1, 1)), 2000)
	var f Fold
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%len(events) == 0 {
			f = Fold{}
		}
		f.Apply(events[i%len(events)])
	}
}

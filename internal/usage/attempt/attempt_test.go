package attempt

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// tell reads a story: a time, a port or "-", what happened and its values.
func tell(t testing.TB, story string) []*event.Event {
	t.Helper()
	var out []*event.Event
	for line := range strings.Lines(story) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		words := strings.Fields(line)
		at, err := time.Parse("15:04:05", words[0])
		if err != nil {
			t.Fatal(err)
		}
		at = at.AddDate(2026, 10, 21)
		evse := 0
		if words[1] != "-" {
			if evse, err = strconv.Atoi(words[1]); err != nil {
				t.Fatal(err)
			}
		}
		v := make(map[string]string)
		var plain []string
		for _, w := range words[3:] {
			if key, value, ok := strings.Cut(w, "="); ok {
				v[key] = value
			} else {
				plain = append(plain, w)
			}
		}
		first := strings.Join(plain, " ")
		number := func(key string) *float64 {
			if v[key] == "" {
				return nil
			}
			x, err := strconv.ParseFloat(v[key], 64)
			if err != nil {
				t.Fatal(err)
			}
			return &x
		}
		var body event.Body
		switch words[2] {
		case "status":
			body = &event.Status{Status: first, ErrorCode: v["error"], VendorErrorCode: v["vendor"]}
		case "component":
			body = &event.Component{Items: []event.ComponentEvent{{
				EVSE: evse, Component: first, Variable: "Problem", Value: v["value"], TechCode: v["code"],
			}}}
		case "meter":
			body = &event.Meter{TransactionID: v["tx"], Samples: event.Samples{{At: at, Values: []event.Sample{
				{Measurand: "Energy.Active.Import.Register", Value: *number("E")},
			}}}}
		case "authorize":
			body = &event.Authorize{TokenID: v["token"], Status: first}
		case "started", "updated", "ended":
			tx := &event.Transaction{
				Stage: event.TransactionStage(words[2]), TransactionID: v["tx"], TokenID: v["token"], TokenStatus: v["status"],
				MeterWh: number("E"), Reason: v["reason"], ChargingState: v["state"],
			}
			if x := number("sample"); x != nil {
				tx.Samples = event.Samples{{At: at, Values: []event.Sample{{Measurand: "Energy.Active.Import.Register", Value: *x}}}}
			}
			body = tx
		case "connected":
			body = &event.Connected{}
		case "disconnected":
			body = &event.Disconnected{}
		case "boot":
			body = &event.Boot{Status: "Accepted"}
		case "command16":
			body = &event.Command{CommandID: v["id"], Action: "RemoteStartTransaction",
				Payload: fmt.Appendf(nil, `{"idTag":"idToken:%s","connectorId":%s}`, v["token"], v["port"])}
		case "command2":
			body = &event.Command{CommandID: v["id"], Action: "RequestStartTransaction",
				Payload: fmt.Appendf(nil, `{"idToken":{"idToken":"idToken:%s","type":"Central"},"evseId":%s,"remoteStartId":1}`, v["token"], v["port"])}
		case "result":
			body = &event.CommandResult{CommandID: v["id"], Status: first, Response: fmt.Appendf(nil, `{"status":%q}`, v["status"])}
		case "inferred":
			body = &event.SessionInferred{TransactionID: v["tx"], EndedAt: at, Evidence: first}
		default:
			t.Fatalf("no such event: %s", line)
		}
		e := &event.Event{Seq: uint64(len(out) + 1), Subject: event.Port("A", evse, 0), At: at, ReceivedAt: at, Body: body}
		if v["told"] != "" {
			told, err := time.Parse("15:04:05", v["told"])
			if err != nil {
				t.Fatal(err)
			}
			e.ReceivedAt = told.AddDate(2026, 10, 21)
		}
		out = append(out, e)
	}
	return out
}

func (a Attempt) line() string {
	out := fmt.Sprintf("%s port=%d stage=%s", a.At.Format("15:04:05"), a.EVSE, a.Stage)
	add := func(key, value string) {
		if value != "" {
			out += " " + key + "=" + value
		}
	}
	add("token", a.Token)
	if a.Failed {
		out += " failed"
	}
	add("reason", string(a.Reason))
	add("detail", a.Detail)
	if a.EnergyWh != nil {
		add("energy", strconv.FormatFloat(*a.EnergyWh, 'f', 0, 64))
	}
	if a.Tries > 1 {
		add("tries", strconv.Itoa(a.Tries))
	}
	add("code", a.Code)
	add("cut", string(a.CutShort))
	if a.Side != a.Reason.Side() {
		add("side", string(a.Side))
	}
	if a.Remote {
		out += " remote"
	}
	if a.Late {
		out += " late"
	}
	if a.Again {
		out += " again"
	}
	if a.EndsAt.IsZero() {
		out += " open"
	}
	return out
}

func TestOf(t *testing.T) {
	tests := map[string]struct {
		story string
		want  []string
	}{
		"a whole session of 1.6": {`
			08:00:00 1 status Preparing
			08:00:05 - authorize Accepted token=anna
			08:00:10 1 started tx=1 token=anna status=Accepted E=1000
			08:00:12 1 status Charging
			08:21:00 1 ended tx=1 E=2500 reason=EVDisconnected
			08:21:01 1 status Finishing
			08:21:30 1 status Available`,
			[]string{"08:00:00 port=1 stage=energy token=anna detail=EVDisconnected energy=1500"}},
		"a whole session of 2.x, the card first": {`
			08:00:00 - authorize Accepted token=anna
			08:00:20 1 status Occupied
			08:00:21 1 started tx=x token=anna state=EVConnected sample=1000
			08:00:25 1 updated tx=x state=Charging
			08:30:00 1 updated tx=x state=SuspendedEV sample=9000
			08:40:00 1 ended tx=x reason=EVDisconnected sample=9000
			08:40:05 1 status Occupied
			08:40:30 1 status Available`,
			[]string{"08:00:00 port=1 stage=energy token=anna detail=EVDisconnected energy=8000"}},
		"plugged in and out, no card": {`
			08:00:00 1 status Preparing
			08:01:00 1 status Available`,
			[]string{"08:00:00 port=1 stage=plugged failed reason=noToken"}},
		"an unknown card at a plugged car, shown three times, then a good one": {`
			08:00:00 1 status Preparing
			08:00:10 - authorize Invalid token=bert
			08:00:15 - authorize Invalid token=bert
			08:00:40 - authorize Invalid token=bert
			08:01:30 - authorize Accepted token=anna
			08:01:32 1 started tx=1 token=anna E=0
			08:20:00 1 ended tx=1 E=5000 reason=Local
			08:21:00 1 status Available`,
			[]string{
				"08:00:00 port=1 stage=energy token=anna detail=Local energy=5000",
				"08:00:10 port=1 stage=plugged token=bert failed reason=tokenUnknown detail=Invalid tries=3",
			}},
		"a blocked card without a car": {`
			08:00:10 - authorize Blocked token=bert`,
			[]string{"08:00:10 port=0 stage=presented token=bert failed reason=tokenBlocked detail=Blocked"}},
		"a card in use elsewhere, refused at the start": {`
			08:00:00 1 status Preparing
			08:00:10 1 started tx=1 token=bert status=ConcurrentTx E=10
			08:00:12 1 ended tx=1 E=10 reason=DeAuthorized
			08:00:30 1 status Available`,
			[]string{"08:00:00 port=1 stage=locked token=bert failed reason=tokenInUse detail=ConcurrentTx energy=0"}},
		"a good card and nobody plugs in": {`
			08:00:00 - authorize Accepted token=anna
			08:20:00 1 status Unavailable`,
			[]string{"08:00:00 port=0 stage=authorised token=anna failed reason=neverPlugged"}},
		"a good card waits": {`
			11:58:00 - authorize Accepted token=anna`,
			[]string{"11:58:00 port=0 stage=authorised token=anna open"}},
		"accepted, but the station starts nothing": {`
			08:00:00 1 status Preparing
			08:00:10 - authorize Accepted token=anna
			08:02:00 1 status Available`,
			[]string{"08:00:00 port=1 stage=authorised token=anna failed reason=notStarted"}},
		"a fault before the start": {`
			08:00:00 1 status Preparing
			08:00:10 - authorize Accepted token=anna
			08:00:20 1 status Faulted error=ConnectorLockFailure
			08:05:00 1 status Available`,
			[]string{"08:00:00 port=1 stage=authorised token=anna failed reason=faulted detail=ConnectorLockFailure code=ConnectorLockFailure"}},
		"a fault soon after the start": {`
			08:00:00 1 status Preparing
			08:00:10 1 started tx=1 token=anna E=100
			08:00:15 1 status Charging
			08:00:40 1 status Faulted error=GroundFailure
			08:00:41 1 ended tx=1 E=120 reason=Other`,
			[]string{"08:00:00 port=1 stage=energy token=anna failed reason=faulted detail=GroundFailure energy=20 code=GroundFailure"}},
		"a fault after an hour is no failed try": {`
			08:00:10 1 started tx=1 token=anna E=100
			09:00:40 1 status Faulted error=GroundFailure
			09:00:41 1 ended tx=1 E=20000 reason=Other`,
			[]string{"08:00:10 port=1 stage=energy token=anna detail=Other energy=19900 code=GroundFailure cut=faulted side=charger"}},
		"the car takes nothing": {`
			08:00:10 1 started tx=1 token=anna E=100
			08:00:20 1 status SuspendedEV
			08:20:41 1 ended tx=1 E=100 reason=EVDisconnected`,
			[]string{"08:00:10 port=1 stage=locked token=anna failed reason=unpluggedEarly detail=EVDisconnected energy=0 side=vehicle"}},
		"no energy and no reason": {`
			08:00:10 1 started tx=1 token=anna E=100
			08:20:41 1 ended tx=1 E=100`,
			[]string{"08:00:10 port=1 stage=locked token=anna failed reason=noEnergy energy=0"}},
		"the emergency stop": {`
			08:00:10 1 started tx=1 token=anna E=100
			08:00:41 1 ended tx=1 E=150 reason=EmergencyStop`,
			[]string{"08:00:10 port=1 stage=energy token=anna failed reason=emergencyStop detail=EmergencyStop energy=50"}},
		"a supply that fails": {`
			08:00:10 1 started tx=1 token=anna E=100
			08:00:41 1 ended tx=1 E=100 reason=PowerLoss`,
			[]string{"08:00:10 port=1 stage=locked token=anna failed reason=powerLoss detail=PowerLoss energy=0"}},
		"no meter, but it charged": {`
			08:00:10 1 started tx=1 token=anna
			08:00:15 1 status Charging
			08:30:15 1 status Finishing
			08:30:41 1 ended tx=1 reason=Local`,
			[]string{"08:00:10 port=1 stage=energy token=anna detail=Local"}},
		"the station restarts before the start": {`
			08:00:00 1 status Preparing
			08:00:10 - authorize Accepted token=anna
			08:00:30 - boot
			08:00:40 1 status Preparing
			08:02:00 1 status Available`,
			[]string{
				"08:00:00 port=1 stage=authorised token=anna failed reason=restarted",
				"08:00:40 port=1 stage=plugged failed reason=noToken",
			}},
		"the station goes away while someone waits": {`
			08:00:00 1 status Preparing
			08:00:30 - disconnected
			08:10:00 - connected
			08:10:01 1 status Available`,
			[]string{"08:00:00 port=1 stage=plugged failed reason=stationLost"}},
		"out of service while plugged in": {`
			08:00:00 1 status Occupied
			08:00:30 1 status Unavailable`,
			[]string{"08:00:00 port=1 stage=plugged failed reason=takenOut"}},
		"a start from afar": {`
			08:00:00 - command16 id=c token=anna port=2
			08:00:01 - result answered id=c status=Accepted
			08:00:20 2 status Preparing
			08:00:22 2 started tx=1 token=anna E=0
			08:20:00 2 ended tx=1 E=900 reason=Remote`,
			[]string{"08:00:00 port=2 stage=energy token=anna detail=Remote energy=900 remote"}},
		"a start from afar at a plugged car": {`
			08:00:00 1 status Occupied
			08:00:20 - command2 id=c token=anna port=1
			08:00:21 - result answered id=c status=Accepted
			08:02:00 1 status Available`,
			[]string{"08:00:00 port=1 stage=authorised token=anna failed reason=notStarted remote"}},
		"a start from afar that is refused": {`
			08:00:00 - command2 id=c token=anna port=1
			08:00:01 - result answered id=c status=Rejected`,
			[]string{"08:00:00 port=1 stage=presented token=anna failed reason=remoteRefused detail=Rejected remote"}},
		"a start from afar that does not arrive": {`
			08:00:00 - command2 id=c token=anna port=1
			08:00:30 - result timeout id=c`,
			[]string{"08:00:00 port=1 stage=presented token=anna failed reason=remoteLost detail=timeout remote"}},
		"showing the card again to stop is no new try": {`
			08:00:10 1 started tx=1 token=anna E=0
			08:20:00 - authorize Accepted token=anna
			08:20:01 1 ended tx=1 E=4000 reason=Local
			08:20:30 1 status Available`,
			[]string{"08:00:10 port=1 stage=energy token=anna detail=Local energy=4000"}},
		"two cars wait, and the start says whose card it was": {`
			08:00:00 1 status Preparing
			08:00:05 2 status Preparing
			08:00:10 - authorize Accepted token=anna
			08:00:15 2 started tx=1 token=anna E=0
			08:20:00 2 ended tx=1 E=4000 reason=Local
			08:30:00 1 status Available`,
			[]string{
				"08:00:00 port=1 stage=plugged failed reason=noToken",
				"08:00:05 port=2 stage=energy token=anna detail=Local energy=4000",
			}},
		"an end that nobody reported, without a reading": {`
			08:00:10 1 started tx=1 token=anna
			11:00:00 - inferred tx=1 the port is free`,
			[]string{"08:00:10 port=1 stage=locked token=anna failed reason=endUnknown detail=the port is free"}},
		"a second start without an end": {`
			08:00:10 1 started tx=1 token=anna
			09:00:10 1 started tx=2 token=bert E=0
			09:30:00 1 ended tx=2 E=700 reason=Local`,
			[]string{
				"08:00:10 port=1 stage=locked token=anna failed reason=endUnknown",
				"09:00:10 port=1 stage=energy token=bert detail=Local energy=700",
			}},
		"a session that began before what is known": {`
			08:00:00 1 status SuspendedEV
			08:10:00 1 ended tx=7 E=9000 reason=EVDisconnected
			08:11:00 1 status Available
			09:00:00 1 status Preparing
			09:00:30 1 status Available`,
			[]string{"09:00:00 port=1 stage=plugged failed reason=noToken"}},
		"a session that runs": {`
			11:30:00 1 status Preparing
			11:30:10 1 started tx=7 token=anna E=0
			11:30:15 1 status Charging`,
			[]string{"11:30:00 port=1 stage=energy token=anna energy=0 open"}},
		"a car that stays after its session is no new try": {`
			08:00:00 1 status Occupied
			08:00:10 1 started tx=1 token=anna sample=0
			08:30:00 1 ended tx=1 sample=9000 reason=Local
			08:30:02 1 status Occupied
			08:50:00 1 status Available`,
			[]string{"08:00:00 port=1 stage=energy token=anna detail=Local energy=9000"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			events := tell(t, tc.story)
			now := events[0].At.Truncate(24 * time.Hour).Add(12 * time.Hour)
			var got []string
			for _, a := range Of(events, now) {
				got = append(got, a.line())
			}
			if have, want := strings.Join(got, "\n"), strings.Join(tc.want, "\n"); have != want {
				t.Errorf("got\n%s\nwant\n%s", have, want)
			}
		})
	}
}

// Whatever a station says, a try has an order of times, a reason only if it
// failed, and is told once.
func FuzzOf(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x03\x10\x11\x12\x23\x34\x45"))
	f.Add([]byte("\x08\x10\x18\x20\x28\x30\x38\x40\x48\x50\x58\x60\x68"))
	words := []string{"Available", "Preparing", "Occupied", "Charging", "SuspendedEV", "Finishing", "Faulted", "Unavailable"}
	stages := []event.TransactionStage{event.TransactionStarted, event.TransactionUpdated, event.TransactionEnded}
	f.Fuzz(func(t *testing.T, data []byte) {
		at := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
		var events []*event.Event
		for i, c := range data[:min(len(data), 400)] {
			at = at.Add(time.Duration(c) * time.Second)
			var body event.Body
			name := string('a' + rune(c>>6))
			switch c % 8 {
			case 0, 1, 2:
				body = &event.Status{Status: words[int(c>>3)%len(words)]}
			case 3:
				body = &event.Authorize{TokenID: name, Status: []string{"Accepted", "Invalid"}[c>>3&1]}
			case 4, 5:
				body = &event.Transaction{Stage: stages[int(c>>3)%3], TransactionID: name, TokenID: name, MeterWh: new(float64(c))}
			case 6:
				body = &event.Command{CommandID: name, Action: "RemoteStartTransaction", Payload: []byte(`{"idTag":"` + name + `","connectorId":1}`)}
			default:
				body = &event.CommandResult{CommandID: name, Status: "answered", Response: []byte(`{"status":"Accepted"}`)}
			}
			events = append(events, &event.Event{Seq: uint64(i), At: at, Subject: event.Port("A", int(c>>5&1)+1, 0), Body: body})
		}
		for _, a := range Of(events, at.Add(time.Hour)) {
			if a.Failed != (a.Reason != None) || a.EndsAt.IsZero() && a.Failed || !a.EndsAt.IsZero() && a.EndsAt.Before(a.At) {
				t.Errorf("%s", a.line())
			}
		}
	})
}

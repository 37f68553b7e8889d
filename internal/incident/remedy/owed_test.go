package remedy

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// cycled is a world in which port 1 of station A goes out of service.
func cycled(t *testing.T) *world {
	w := newWorld(t)
	w.mode(On)
	w.station("A", "s1", v16)
	w.mend("A")
	return w
}

const back = `ChangeAvailability {"connectorId":1,"type":"Operative"}`

func TestAPortIsOwedItsWayBack(t *testing.T) {
	for name, tc := range map[string]struct {
		happen func(w *world)
		asked  string // for in the end
		owed   int
	}{
		"the station takes both":                  {func(w *world) { w.answer("Accepted"); w.pass(15 * time.Second); w.answer("Accepted") }, "", 0},
		"the station refuses to go":               {func(w *world) { w.answer("Rejected") }, "", 0},
		"it was never sent":                       {func(w *world) { w.answer("refused"); w.change("mend-A", func(c *Case) { c.Over = true }) }, "", 0},
		"nobody knows whether it went":            {func(w *world) { w.answer("timeout") }, back, 1},
		"the connection broke before it answered": {func(w *world) { w.answer("offline") }, back, 1},
		"it broke inside":                         {func(w *world) { w.answer("error InternalError") }, back, 1},
		"it does not know the command":            {func(w *world) { w.answer("error NotImplemented") }, "", 0},
		"it goes when its session is over":        {func(w *world) { w.answer("Scheduled") }, back, 1},
		"the outbox never tells":                  {func(w *world) { w.intent = nil; w.pass(6 * time.Minute) }, "", 0},
		"the trouble is over in between":          {func(w *world) { w.answer("Accepted"); w.change("mend-A", func(c *Case) { c.Closed = true }) }, back, 1},
		"the way back is refused": {func(w *world) {
			w.answer("Accepted")
			w.pass(15 * time.Second)
			w.answer("Rejected")
			w.pass(time.Minute)
		}, back, 1},
		"the way back is promised: that is not done": {func(w *world) { w.answer("Accepted"); w.pass(15 * time.Second); w.answer("Scheduled") }, back, 1},
		"promised, and seen to be so": {func(w *world) {
			w.answer("Accepted")
			w.pass(15 * time.Second)
			w.answer("Scheduled")
			w.status("A", 1, "Available")
		}, "", 0},
		"promised, and still out": {func(w *world) {
			w.answer("Accepted")
			w.pass(15 * time.Second)
			w.answer("Scheduled")
			w.status("A", 1, "Unavailable")
		}, back, 1},
		"the kill switch does not leave the port out": {func(w *world) { w.answer("Accepted"); w.policy(PolicyMode, Everywhere, `{"off":true}`) }, back, 1},
		"a security incident does not either":         {func(w *world) { w.answer("Accepted"); w.open(Case{ID: "i-s", Station: "A", Security: true}) }, back, 1},
		"cut off":                                     {func(w *world) { w.answer("Accepted"); w.disconnect("A"); w.pass(48 * time.Hour) }, "", 1},
		"cut off and back": {func(w *world) {
			w.answer("Accepted")
			w.disconnect("A")
			w.pass(48 * time.Hour)
			w.connect("A", v16)
			w.pass(10 * time.Second)
		}, back, 1},
		"cut off while it was asked": {func(w *world) {
			w.answer("Accepted")
			w.pass(15 * time.Second)
			w.answer("offline")
			w.disconnect("A")
			w.connect("A", v16)
			w.pass(10 * time.Second)
		}, back, 1},
		"a person put it back":                {func(w *world) { w.answer("Accepted"); w.byPerson(`{"connectorId":1,"type":"Operative"}`, "Accepted") }, "", 0},
		"a person took the whole station out": {func(w *world) { w.answer("Accepted"); w.byPerson(`{"connectorId":0,"type":"Inoperative"}`, "Accepted") }, "", 0},
		"a person tried and was refused":      {func(w *world) { w.answer("Accepted"); w.byPerson(`{"connectorId":1,"type":"Operative"}`, "Rejected") }, back, 1},
		"a person put the sister back":        {func(w *world) { w.answer("Accepted"); w.byPerson(`{"connectorId":2,"type":"Operative"}`, "Accepted") }, back, 1},
		"the station is removed":              {func(w *world) { w.answer("Accepted"); w.hear(event.Station("A"), &event.StationRemoved{}) }, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := cycled(t)
			tc.happen(w)
			if tc.asked != "" && len(w.intent) == 0 {
				w.pass(2 * time.Minute)
			}
			w.asked(tc.asked)
			if len(w.x.owed) != tc.owed {
				t.Errorf("%d owed, want %d: %+v", len(w.x.owed), tc.owed, w.x.Debts())
			}
			if tc.asked != "" { // and it is settled in the end
				w.answer("Accepted")
				if len(w.x.owed) != 0 {
					t.Errorf("still owed: %+v", w.x.Debts())
				}
			}
			w.pass(48 * time.Hour)
			w.asked("")
		})
	}
}

func (w *world) byPerson(payload, response string) {
	id := fmt.Sprint("c", w.seq)
	w.hear(event.Station("A"), &event.Command{CommandID: id, Action: "ChangeAvailability", Payload: []byte(payload), By: "u-1"})
	w.hear(event.Station("A"), &event.CommandResult{CommandID: id, Status: "answered", Response: []byte(`{"status":"` + response + `"}`)})
}

func TestADangerousPortStaysOutUntilItsIncidentIsClosed(t *testing.T) {
	w := newWorld(t)
	w.mode(On)
	w.station("A", "s1", v16)
	w.status("A", 1, "Faulted", "GroundFailure")
	w.open(Case{Station: "A", SiteID: "s1", EVSE: 1, Severity: event.S1, Safety: true, Codes: []string{"fault/GroundFailure"}, Detectors: []string{"D03"}})
	w.answer("Accepted")
	w.expect("disable sent", "disable accepted", "disable done")
	w.pass(72 * time.Hour)
	w.disconnect("A")
	w.connect("A", v16)
	w.change("i-1", func(c *Case) { c.Over = true })
	w.pass(time.Hour)
	w.asked("")
	w.open(Case{ID: "i-2", Station: "A", SiteID: "s1", EVSE: 1, Safety: true, Severity: event.S2, Codes: []string{"other"}, Detectors: []string{"D99"}})
	w.change("i-1", func(c *Case) { c.Closed = true })
	w.asked("") // another about safety is open at the port
	w.change("i-2", func(c *Case) { c.Closed = true })
	w.asked(back)
	w.answer("Accepted")
	w.expect("operative sent", "operative done")
}

func TestADebtThatNobodyRemembersIsReadFromTheCommands(t *testing.T) {
	w := newWorld(t)
	w.station("A", "s1", v20)
	k := key("of a former life")
	w.hear(event.Station("A"), &event.Command{CommandID: k, Action: "ChangeAvailability", Payload: []byte(`{"operationalStatus":"Inoperative","evse":{"id":2}}`), By: "chargewatch"})
	w.hear(event.Station("A"), &event.CommandResult{CommandID: k, Status: "answered", Response: []byte(`{"status":"Accepted"}`)})
	w.asked(`ChangeAvailability {"operationalStatus":"Operative","evse":{"id":2}}`)
	w.answer("Accepted")
	if len(w.x.owed) != 0 {
		t.Errorf("still owed: %+v", w.x.Debts())
	}
}

func TestAWholeStationAndAGroupedPort(t *testing.T) {
	w := newWorld(t)
	w.mode(On)
	w.station("A", "s1", v16)
	w.hear(event.Station("A"), &event.StationConfigured{SiteID: "s1", Onboarding: event.OnboardingAccepted, Layout: []event.EVSELayout{
		{EVSE: 1, Connectors: []event.ConnectorLayout{{Connector: 1}, {Connector: 2}}}, {EVSE: 2, Connectors: []event.ConnectorLayout{{Connector: 3}}},
	}})
	w.mend("A")
	w.asked(`ChangeAvailability {"connectorId":1,"type":"Inoperative"}; ChangeAvailability {"connectorId":2,"type":"Inoperative"}`)
	w.answer("Accepted")
	w.answer("Rejected")
	w.expect("availabilityCycle sent", "availabilityCycle rejected Rejected")
	w.pass(15 * time.Second)
	w.asked(back)
	if got := w.foresee(PlaybookStep{Do: Unlock}, Case{EVSE: 1}, "u-1"); got.Reason != WhichConnector {
		t.Errorf("unlock of a port with two connectors: %+v", got)
	}
}

// TestNoPortIsLeftOutOfServiceByUs lets stations, answers, people and restarts
// do what they like, and looks at the ports in the end.
func TestNoPortIsLeftOutOfServiceByUs(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { chaos(t, seed) })
	}
}

func chaos(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 7))
	w := newWorld(t)
	w.mode(On)
	w.policy(PolicyPlaybook, "all", `{"id":"all","name":"n","enabled":true,"when":{"codes":["mend"]},"limits":{"coolDownMinutes":10},
		"steps":[{"do":"availabilityCycle"},{"do":"trigger"},{"do":"softReset"},{"do":"wait","seconds":60},{"do":"disable"}]}`)
	protocols := []string{v16, v20, v16, v20}
	online := map[string]bool{}
	var ids []string
	for i, p := range protocols {
		id := fmt.Sprint("S", i)
		w.station(id, fmt.Sprint("s", i), p)
		ids, online[id] = append(ids, id), true
	}
	w.fleet(100)
	outOf := map[string]bool{} // what the stations hold
	performed := map[string]int{}
	perform := func(in fleet.Intent, response string, applied bool) {
		performed[in.Key]++
		if in.Action == changeAvailability && applied {
			for i := range 2 {
				if port := fmt.Sprint(in.Station, "/", i+1); strings.Contains(in.Payload, fmt.Sprintf(`"connectorId":%d`, i+1)) || strings.Contains(in.Payload, fmt.Sprintf(`"id":%d`, i+1)) {
					outOf[port] = strings.Contains(in.Payload, `"Inoperative"`)
				}
			}
		}
		w.perform(in, response)
	}
	saved, at, open := []byte(nil), 0, map[string]Case{}
	for step := range 400 {
		id := ids[rng.IntN(len(ids))]
		switch rng.IntN(11) {
		case 0, 1, 2:
			w.pass(time.Duration(rng.IntN(200)) * time.Second)
		case 3, 4, 5:
			if len(w.intent) == 0 {
				continue
			}
			in := w.intent[rng.IntN(len(w.intent))]
			switch answer := rng.IntN(8); {
			case !online[in.Station]:
				perform(in, "offline", false)
			case answer == 0:
				perform(in, "timeout", rng.IntN(2) == 0)
			case answer == 1:
				perform(in, "offline", rng.IntN(2) == 0)
			case answer == 2:
				perform(in, "Scheduled", true)
			case answer == 3:
				perform(in, "Rejected", false)
			case answer == 4:
				perform(in, "refused", false)
			default:
				perform(in, "Accepted", true)
			}
		case 6:
			if online[id] {
				w.disconnect(id)
			} else {
				w.connect(id, protocols[ids2(ids, id)])
			}
			online[id] = !online[id]
		case 7:
			if online[id] {
				w.status(id, 1+rng.IntN(2), []string{"Available", "Preparing", "Unavailable", "Faulted"}[rng.IntN(4)])
			}
		case 8:
			c := Case{ID: fmt.Sprint("i", step), Station: id, SiteID: "s" + id[1:], EVSE: 1 + rng.IntN(2), Codes: []string{"mend"}, Safety: rng.IntN(4) == 0}
			w.open(c)
			open[c.ID] = c
		case 9:
			if k := sorted(open); len(k) > 0 {
				w.change(k[0], func(c *Case) { c.Closed = true })
				delete(open, k[0])
			}
		case 10:
			if rng.IntN(2) == 0 {
				saved, at = must(t)(w.x.Checkpoint()), len(w.log)
				continue
			}
			w.crash(saved, at)
		}
	}
	for _, k := range sorted(open) {
		w.change(k, func(c *Case) { c.Closed = true })
	}
	for i, id := range ids {
		if !online[id] {
			w.connect(id, protocols[i])
		}
	}
	for range 2000 {
		w.pass(time.Minute)
		for len(w.intent) > 0 {
			perform(w.intent[0], "Accepted", true)
		}
	}
	for port, gone := range outOf {
		if gone {
			t.Errorf("%s was left out of service; owed: %+v", port, w.x.Debts())
		}
	}
	for k, n := range performed {
		if n > 1 {
			t.Errorf("%s was sent %d times", k, n)
		}
	}
	if len(w.x.owed)+len(w.x.runs)+len(w.x.acting) != 0 {
		t.Errorf("something is left: %+v", w.x.State())
	}
}

func ids2(ids []string, id string) int {
	for i := range ids {
		if ids[i] == id {
			return i
		}
	}
	return -1
}

func must(t *testing.T) func([]byte, error) []byte {
	return func(b []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

// crash is a new engine that is given a checkpoint (or none) and the events
// after it: it has to come to where the old one was.
func (w *world) crash(saved []byte, at int) {
	w.t.Helper()
	before := must(w.t.(*testing.T))(w.x.Checkpoint())
	log, now, intents, steps := w.log, w.now, w.intent, len(w.steps)
	w.d, w.log, w.seq = detect.New(nil), nil, 0
	w.x = New()
	if saved == nil {
		at = 0
	}
	for _, r := range log[:at] {
		w.d.Apply(r.e)
	}
	if at > 0 {
		if err := w.x.Restore(saved); err != nil {
			w.t.Fatal(err)
		}
		w.now = w.x.now
	} else {
		w.now = log[0].e.RecordedAt
	}
	for _, r := range log[at:] {
		w.until(r.e.RecordedAt)
		w.seq = r.e.Seq
		w.feed(r)
	}
	w.log = log
	w.until(now)
	if len(w.intent) != len(intents) {
		w.t.Fatalf("after a restart %d more commands are asked for: %+v", len(w.intent)-len(intents), w.intent[len(intents):])
	}
	w.steps = w.steps[:steps]
	if after := must(w.t.(*testing.T))(w.x.Checkpoint()); !bytes.Equal(before, after) {
		w.t.Fatalf("a restart changed what is known\nwas %s\nis  %s", before, after)
	}
}

package remedy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// watcher is a station that watches what it is asked to.
type watcher struct {
	w       *world
	id      string
	next    int
	has     map[int]found
	refuses map[string]string // by component: the status
	most    int               // monitors in a message, else an error
	heard   []string          // commands in short
}

func (s *watcher) boot(firmware string) {
	s.w.hear(event.Station(s.id), &event.Boot{Vendor: "ACME", Model: "Duo", Firmware: firmware, Status: "Accepted"})
}

// serve performs what is asked for until nothing more is.
func (s *watcher) serve() {
	s.w.t.Helper()
	for range 200 {
		list := s.soon()
		if len(list) == 0 {
			return
		}
		for _, in := range list {
			s.perform(in)
		}
	}
	s.w.t.Fatal("there is no end to what is asked for")
}

// soon is what is asked for within ten minutes.
func (s *watcher) soon() []fleet.Intent {
	for range 60 {
		if list := s.w.waiting(); len(list) > 0 {
			return list
		}
		s.w.pass(10 * time.Second)
	}
	return nil
}

func (s *watcher) result(in fleet.Intent, r *event.CommandResult) {
	s.w.intent = slices.DeleteFunc(s.w.intent, func(o fleet.Intent) bool { return o.Key == in.Key })
	s.w.hear(event.Station(s.id), &event.Command{CommandID: in.Key, Action: in.Action, Payload: json.RawMessage(in.Payload)})
	r.CommandID = in.Key
	s.w.hear(event.Station(s.id), r)
}

func (s *watcher) answered(in fleet.Intent, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		s.w.t.Fatal(err)
	}
	s.result(in, &event.CommandResult{Status: "answered", Response: data})
}

type setting struct {
	Data []struct {
		Value     float64        `json:"value"`
		Type      string         `json:"type"`
		Severity  int            `json:"severity"`
		Component componentShape `json:"component"`
		Variable  variableShape  `json:"variable"`
	} `json:"setMonitoringData"`
}

// take does what a SetVariableMonitoring asks for.
func (s *watcher) take(payload string) (results []map[string]any) {
	var p setting
	if err := json.Unmarshal([]byte(payload), &p); err != nil {
		s.w.t.Fatal(err)
	}
	for _, m := range p.Data {
		r := map[string]any{"type": m.Type, "severity": m.Severity, "component": m.Component, "variable": m.Variable, "status": "Accepted"}
		if status := s.refuses[m.Component.Name]; status != "" {
			r["status"] = status
		} else {
			s.next++
			f := found{Number: s.next, Monitor: Monitor{Component: m.Component.Name, Variable: m.Variable.Name, Type: m.Type, Value: m.Value, Severity: m.Severity}}
			if m.Component.EVSE != nil {
				f.EVSE, f.Connector = m.Component.EVSE.ID, m.Component.EVSE.Connector
			}
			s.has[s.next] = f
			r["id"] = s.next
		}
		results = append(results, r)
	}
	return results
}

func (s *watcher) perform(in fleet.Intent) {
	switch in.Action {
	case "SetVariableMonitoring":
		n := strings.Count(in.Payload, `"variable"`)
		s.heard = append(s.heard, fmt.Sprintf("set %d", n))
		if s.most > 0 && n > s.most {
			s.result(in, &event.CommandResult{Status: "error", ErrorCode: "OccurrenceConstraintViolation"})
			return
		}
		results := s.take(in.Payload)
		slices.Reverse(results) // nobody promises an order
		s.answered(in, map[string]any{"setMonitoringResult": results})
	case "ClearVariableMonitoring":
		var p struct{ ID []int }
		if err := json.Unmarshal([]byte(in.Payload), &p); err != nil {
			s.w.t.Fatal(err)
		}
		var results []map[string]any
		for _, id := range p.ID {
			status := "NotFound"
			if _, ok := s.has[id]; ok {
				status = "Accepted"
				delete(s.has, id)
			}
			results = append(results, map[string]any{"id": id, "status": status})
		}
		s.heard = append(s.heard, fmt.Sprintf("clear %d", len(p.ID)))
		s.answered(in, map[string]any{"clearMonitoringResult": results})
	case "GetMonitoringReport":
		s.heard = append(s.heard, "report")
		if len(s.has) == 0 {
			s.answered(in, map[string]string{"status": "EmptyResultSet"})
			return
		}
		s.answered(in, map[string]string{"status": "Accepted"})
		s.report(in)
	default:
		s.heard = append(s.heard, in.Action+" "+in.Payload)
		s.answered(in, map[string]string{"status": "Accepted"})
	}
}

// report tells all in parts of seven.
func (s *watcher) report(in fleet.Intent) {
	var p struct{ RequestID int }
	if err := json.Unmarshal([]byte(in.Payload), &p); err != nil {
		s.w.t.Fatal(err)
	}
	var list []map[string]any
	for id, f := range s.has {
		component := componentShape{Name: f.Component}
		if f.EVSE > 0 {
			component.EVSE = &evseShape{ID: f.EVSE, Connector: f.Connector}
		}
		list = append(list, map[string]any{"component": component, "variable": variableShape{Name: f.Variable}, "variableMonitoring": []map[string]any{
			{"id": id, "value": f.Value, "type": f.Type, "severity": f.Severity, "transaction": false},
		}})
	}
	parts := slices.Collect(slices.Chunk(list, 7))
	for n, part := range parts {
		data, err := json.Marshal(map[string]any{"monitor": part})
		if err != nil {
			s.w.t.Fatal(err)
		}
		s.w.hear(event.Station(s.id), &event.Report{Type: "monitoring", RequestID: p.RequestID, SeqNo: n, More: n < len(parts)-1, Data: data})
	}
}

func (s *watcher) did(want ...string) {
	s.w.t.Helper()
	if got := strings.Join(s.heard, ", "); got != strings.Join(want, ", ") {
		s.w.t.Errorf("the station was asked for %s; want %s", got, strings.Join(want, ", "))
	}
	s.heard = nil
}

func (s *watcher) statuses() map[string]int {
	state, _ := s.w.x.Watching(&s.w.d.Network, s.id)
	out := map[string]int{}
	for _, it := range state.Items {
		out[it.Status]++
	}
	return out
}

func watching(t *testing.T) *watcher {
	w := watchedWorld(t)
	s := &watcher{w: w, id: "A", has: map[int]found{}, next: 100, refuses: map[string]string{"FloodSensor": "UnknownComponent", "RCD": "UnsupportedMonitorType"}}
	w.policy(PolicyWatching, "station/A", `{"on":false}`)
	w.station("A", "s1", v20)
	w.policy(PolicyWatching, "station/A", ``)
	return s
}

func TestMonitorsAreGivenOnce(t *testing.T) {
	s := watching(t)
	s.has[7] = found{Number: 7, Monitor: Monitor{Component: "Connector", Variable: "Temperature", Type: "Delta", Value: 5, Severity: 8}} // somebody else's
	s.serve()
	s.did("set 10", "set 10", "set 8") // 5 at each of two plugs, 6 at each of two EVSEs, 6 of the station
	if got := s.statuses(); got["Accepted"] != 25 || got["UnknownComponent"] != 1 || got["UnsupportedMonitorType"] != 2 {
		t.Errorf("%v", got)
	}
	s.boot("")
	s.serve()
	s.did("report")
	delete(s.has, 101)
	delete(s.has, 102)
	s.boot("")
	s.serve()
	s.did("report", "set 2")
	clear(s.has)
	s.boot("")
	s.serve()
	s.did("report", "set 10", "set 10", "set 5")
	s.w.disconnect("A")
	s.w.connect("A", v20)
	s.serve()
	s.did()
	s.boot("2.0") // it may have learnt what it refused
	s.serve()
	s.did("report", "set 3")
}

func TestStationsOfOtherVersionsAreLeftAlone(t *testing.T) {
	w := watchedWorld(t)
	w.station("B", "s1", v16)
	w.pass(time.Hour)
	w.asked("")
	if _, ok := w.x.Watching(&w.d.Network, "B"); ok {
		t.Error("it is said to watch")
	}
}

func TestAStationSaysHowMuchItTakesAtOnce(t *testing.T) {
	told := func(variable, instance, value string) *event.Report {
		return &event.Report{Type: "base", Data: fmt.Appendf(nil, `{"reportData":[{"component":{"name":"MonitoringCtrlr"},"variable":{"name":%q,"instance":%q},"variableAttribute":[{"value":%q}]}]}`, variable, instance, value)}
	}
	tests := map[string]struct {
		before []*event.Report
		most   int
		want   []string
	}{
		"in its device model":                 {[]*event.Report{told("ItemsPerMessage", "SetVariableMonitoring", "20")}, 20, []string{"set 20", "set 8"}},
		"in bytes":                            {[]*event.Report{told("BytesPerMessage", "SetVariableMonitoring", "1000")}, 0, []string{"set 5", "set 5", "set 5", "set 5", "set 8"}},
		"by an error":                         {nil, 4, []string{"set 10", "set 5", "set 2"}},
		"that it watches nothing":             {[]*event.Report{told("Enabled", "", "false")}, 0, nil},
		"what it reports at all, and is told": {[]*event.Report{told("ActiveMonitoringLevel", "", "3")}, 0, []string{"set 10", "set 10", "set 8", `SetMonitoringLevel {"severity":5}`}},
		"what it reports, which is enough":    {[]*event.Report{told("ActiveMonitoringLevel", "", "8")}, 0, []string{"set 10", "set 10", "set 8"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w := watchedWorld(t)
			s := &watcher{w: w, id: "A", has: map[int]found{}, most: tc.most}
			w.policy(PolicyWatching, "station/A", `{"on":false}`)
			w.station("A", "s1", v20)
			for _, r := range tc.before {
				w.hear(event.Station("A"), r)
			}
			w.policy(PolicyWatching, "station/A", ``)
			s.serve()
			if got := s.heard[:min(len(s.heard), max(len(tc.want), 1))]; strings.Join(got, ", ") != strings.Join(tc.want, ", ") {
				t.Errorf("asked for %v, want %v", s.heard, tc.want)
			}
			if tc.most == 4 && len(s.has) != 28 {
				t.Errorf("%d of 28 are watched", len(s.has))
			}
		})
	}
}

func TestAStationThatCannotIsNotAskedAgain(t *testing.T) {
	s := watching(t)
	s.result(s.soon()[0], &event.CommandResult{Status: "error", ErrorCode: "NotImplemented"})
	s.serve()
	s.boot("")
	s.serve()
	s.did()
	if state, _ := s.w.x.Watching(&s.w.d.Network, "A"); state.Cannot != CannotNot || state.Working {
		t.Errorf("%+v", state)
	}
	s.boot("2.0")
	s.serve()
	s.did("set 10", "set 10", "set 8")
}

func TestWhatIsNoLongerWantedIsTakenAwayAndOnlyThat(t *testing.T) {
	s := watching(t)
	s.has[7] = found{Number: 7, Monitor: Monitor{Component: "TemperatureSensor", Variable: "Temperature", Type: "UpperThreshold", Value: 70, Severity: 5}}
	s.serve()
	s.heard = nil
	s.w.policy(PolicyMonitors, "basics", `{"id":"basics","name":"n","enabled":true,"monitors":[
		{"component":"TemperatureSensor","per":"connector","variable":"Temperature","type":"UpperThreshold","value":70,"severity":5},
		{"component":"TemperatureSensor","per":"connector","variable":"Temperature","type":"UpperThreshold","value":85,"severity":3}]}`)
	s.serve()
	s.did("clear 10", "clear 10", "clear 3", "set 2")
	if len(s.has) != 5 {
		t.Errorf("%d are left: %v", len(s.has), s.has)
	}
	s.w.policy(PolicyWatching, "station/A", `{"on":false}`)
	s.serve()
	s.did("clear 4")
	if _, ok := s.has[7]; len(s.has) != 1 || !ok {
		t.Errorf("left are %v", s.has)
	}
	s.boot("")
	s.serve()
	s.did()
	s.w.policy(PolicyWatching, "station/A", `{"on":true}`)
	s.serve()
	s.did("set 4")
	s.w.policy(PolicyMode, Everywhere, `{"mode":"off"}`)
	s.w.policy(PolicyMonitors, "basics", ``)
	s.serve()
	s.did()
	s.w.policy(PolicyMode, Everywhere, `{"mode":"triggerOnly"}`)
	s.serve()
	s.did("clear 2", "set 10", "set 10", "set 6")
}

func TestACommandAboutMonitorsIsNotSentTwice(t *testing.T) {
	for name, heard := range map[string]bool{"that was heard": true, "that was not": false} {
		t.Run(name, func(t *testing.T) {
			s := watching(t)
			in := s.soon()[0]
			if heard {
				s.take(in.Payload)
			}
			s.result(in, &event.CommandResult{Status: "timeout"})
			s.serve()
			if s.heard[0] != "report" {
				t.Errorf("it was not asked what it watches: %v", s.heard)
			}
			if got := s.statuses(); got["Accepted"] != 25 || len(s.has) != 25 {
				t.Errorf("%v; the station watches %d", got, len(s.has))
			}
		})
	}
	t.Run("that the outbox had no time for", func(t *testing.T) {
		s := watching(t)
		s.soon()
		s.w.answer("refused")
		s.serve()
		s.did("set 10", "set 10", "set 8")
	})
}

func TestNothingIsAskedWhileAQueueDrains(t *testing.T) {
	w := watchedWorld(t)
	w.station("A", "s1", v16) // gets its ports
	w.disconnect("A")
	w.connect("A", v20)
	for range 40 {
		w.hear(event.Port("A", 1, 1), &event.Transaction{Stage: event.TransactionUpdated, TransactionID: "t", Offline: true})
		w.pass(20 * time.Second)
		if len(w.waiting()) > 0 {
			t.Fatalf("asked for %s", w.waiting()[0].Action)
		}
	}
	if s := (&watcher{w: w}); len(s.soon()) != 1 {
		t.Error("it is not asked when the queue is empty")
	}
}

func TestWhatAStationWatchesSurvivesARestart(t *testing.T) {
	s := watching(t)
	for n := range 12 {
		s.w.pass(20 * time.Second)
		old := s.w.x
		data, err := old.Checkpoint()
		if err != nil {
			t.Fatal(err)
		}
		x := New()
		load := func() {
			if err := old.CheckpointWatch(x.LoadWatch); err != nil {
				t.Fatal(err)
			}
		}
		old.watchDirty["A"] = true
		if n%2 == 0 { // rows come in any order
			load()
		}
		if err := x.Restore(data); err != nil {
			t.Fatal(err)
		}
		if n%2 == 1 {
			load()
		}
		s.w.x = x
		if list := s.w.waiting(); len(list) > 0 {
			s.perform(list[0])
		}
	}
	s.serve()
	s.did("set 10", "set 10", "set 8")
	if got := s.statuses(); got["Accepted"] != 25 {
		t.Errorf("%v", got)
	}
}

func TestAReportThatIsNotWholeProvesNothingAbsent(t *testing.T) {
	s := watching(t)
	s.serve()
	s.heard = nil
	s.boot("")
	in := s.soon()[0]
	s.answered(in, map[string]string{"status": "Accepted"})
	var p struct{ RequestID int }
	if err := json.Unmarshal([]byte(in.Payload), &p); err != nil {
		t.Fatal(err)
	}
	s.w.hear(event.Station("A"), &event.Report{Type: "monitoring", RequestID: p.RequestID, SeqNo: 1, Data: json.RawMessage(`{"monitor":[]}`)})
	s.serve()
	s.did()
	s.boot("")
	s.answered(s.soon()[0], map[string]string{"status": "Accepted"}) // and nothing follows
	s.serve()
	s.did()
}

func TestTheProfileOfTheProductIsSound(t *testing.T) {
	set := BuiltInMonitors()
	if set.ID == "" || set.Doc == "" || !set.Enabled || len(set.Monitors) < 10 {
		t.Errorf("%+v", set)
	}
}

func FuzzWhatStationsSayAboutMonitors(f *testing.F) {
	f.Add([]byte(`{"setMonitoringResult":[{"id":1,"status":"Accepted","type":"Delta","severity":4,"component":{"name":"EVSE","evse":{"id":1}},"variable":{"name":"Problem"}}]}`),
		[]byte(`{"monitor":[{"component":{"name":"EVSE","evse":{"id":1}},"variable":{"name":"Problem"},"variableMonitoring":[{"id":1,"value":1,"type":"Delta","severity":4}]}]}`))
	f.Add([]byte(`{"setMonitoringResult":[{},{}]}`), []byte(`{"reportData":[{"component":{"name":"MonitoringCtrlr"},"variable":{"name":"ActiveMonitoringLevel"},"variableAttribute":[{"value":"4"}]}]}`))
	f.Fuzz(func(t *testing.T, result, report []byte) {
		if !json.Valid(result) || !json.Valid(report) {
			return
		}
		w := watchedWorld(t)
		w.station("A", "s1", v20)
		w.hear(event.Station("A"), &event.Report{Type: "base", Data: report})
		for range 3 {
			list := (&watcher{w: w}).soon()
			if len(list) == 0 {
				break
			}
			w.intent = nil
			w.hear(event.Station("A"), &event.Command{CommandID: list[0].Key, Action: list[0].Action})
			w.hear(event.Station("A"), &event.CommandResult{CommandID: list[0].Key, Status: "answered", Response: result})
			w.hear(event.Station("A"), &event.Report{Type: "monitoring", RequestID: w.x.watch["A"].Request, Data: report})
		}
		for _, it := range w.x.watch["A"].Items {
			if it.Leaving && it.Number == nil {
				t.Errorf("%+v is to go and has no number", it)
			}
		}
	})
}

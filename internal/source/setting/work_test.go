package setting

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/provision"
)

// script is a station that answers as a test says.
type script func(action, payload string) event.CommandResult

func (f script) Ask(_ context.Context, _, id, action string, payload any) event.CommandResult {
	b, err := json.Marshal(payload)
	if err != nil {
		return event.CommandResult{Status: "refused"}
	}
	out := f(action, string(b))
	out.CommandID = id
	return out
}

// forgetful remembers nothing.
type forgetful struct{}

func (forgetful) Records(context.Context) (map[string]*Record, error)            { return nil, nil }
func (forgetful) PutRecord(context.Context, string, *Record) error               { return nil }
func (forgetful) DropRecord(context.Context, string) error                       { return nil }
func (forgetful) PutTaken(context.Context, Make, string, *provision.Taken) error { return nil }
func (forgetful) Taken(context.Context) (map[Make]map[string]*provision.Taken, error) {
	return nil, nil
}
func (forgetful) Settings(context.Context, string, uint64) (map[string]*provision.Value, error) {
	return nil, nil
}

func says(response string) event.CommandResult {
	return event.CommandResult{Status: "answered", Response: json.RawMessage(response)}
}

// work does a job at a scripted station.
func work(t *testing.T, protocol string, station script) (*job, int) {
	t.Helper()
	asked := 0
	counted := script(func(action, payload string) event.CommandResult {
		asked++
		return station(action, payload)
	})
	s := New(Options{Stations: counted, Memory: forgetful{}})
	j := &job{
		s: s, kind: apply, station: "A", modern: protocol != "ocpp1.6", rec: &Record{}, learned: map[string]*provision.Taken{}, taken: map[string]*provision.Taken{},
		plan: provision.For([]*provision.Profile{provision.Default()}, &provision.Station{Protocol: protocol}),
	}
	j.run(t.Context())
	return j, asked
}

// What is known of a model is not asked for; when all is to be tried it is.
func TestWhatTheCatalogueKnowsIsNotAskedFor(t *testing.T) {
	const key = "MeterValuesSampledData"
	given := func(all bool, c fleet.Configuration) (lists []string) {
		station := script(func(action, payload string) event.CommandResult {
			var r struct {
				Key   json.RawMessage `json:"key"`
				Value string          `json:"value"`
			}
			if json.Unmarshal([]byte(payload), &r) == nil && action == "ChangeConfiguration" && string(r.Key) == `"`+key+`"` {
				lists = append(lists, r.Value)
			}
			if action == "GetConfiguration" {
				return says(`{"configurationKey":[{"key":"` + key + `","readonly":false,"value":""}]}`)
			}
			return says(`{"status":"Accepted"}`)
		})
		j := &job{
			s: New(Options{Stations: station, Memory: forgetful{}}), kind: apply, station: "A", all: all, rec: &Record{},
			learned: map[string]*provision.Taken{}, taken: map[string]*provision.Taken{},
			plan: provision.For([]*provision.Profile{{ID: "p", Settings: []provision.Setting{{
				Name: "SampledDataCtrlr/TxUpdatedMeasurands", Value: "Energy.Active.Import.Register,SoC,Temperature,Voltage",
			}}}}, &provision.Station{Protocol: "ocpp1.6"}),
		}
		j.known(&c)
		synctest.Test(t, func(t *testing.T) { j.run(t.Context()) })
		return lists
	}
	for name, tt := range map[string]struct {
		all   bool
		known fleet.Configuration
		want  string
	}{
		"nothing is known":      {false, fleet.Configuration{}, "Energy.Active.Import.Register,SoC,Temperature,Voltage"},
		"it refuses two":        {false, fleet.Configuration{Unsupported: []string{"SoC", "Temperature"}}, "Energy.Active.Import.Register,Voltage"},
		"it takes two":          {false, fleet.Configuration{MaxMeasurands: 2}, "Energy.Active.Import.Register,SoC"},
		"all is to be tried":    {true, fleet.Configuration{Unsupported: []string{"SoC"}}, "Energy.Active.Import.Register,SoC,Temperature,Voltage"},
		"both, as it was found": {false, fleet.Configuration{Unsupported: []string{"SoC"}, MaxMeasurands: 2}, "Energy.Active.Import.Register,Temperature"},
	} {
		if got := given(tt.all, tt.known); len(got) != 1 || got[0] != tt.want {
			t.Errorf("%s: given %q, want %q", name, got, tt.want)
		}
	}
}

func statesOf(j *job) string {
	count := make(map[provision.State]int)
	for i := range j.rec.Verdicts {
		count[j.rec.Verdicts[i].State]++
	}
	return strings.Trim(fmt.Sprint(count), "map[]")
}

// A station may answer anything: each setting ends with what came of it, and nothing
// goes on for ever.
func TestNonsense(t *testing.T) {
	all := `{"configurationKey":[{"key":"MeterValueSampleInterval","readonly":false,"value":"0"},{"key":"MeterValuesSampledData","readonly":false,"value":"Energy.Active.Import.Register"},
		{"key":"StopTxnSampledData","readonly":false,"value":""},{"key":"ClockAlignedDataInterval","readonly":true,"value":"0"},{"key":"TransactionMessageAttempts","value":3},
		{"key":"TransactionMessageRetryInterval","value":null},{"key":"Nobody.Asked","value":"x"}],"unknownKey":["WebSocketPingInterval"]}`
	tests := map[string]struct {
		protocol string
		station  script
		states   string
		problem  Problem
		atMost   int
	}{
		"it does not answer": {"ocpp1.6", func(string, string) event.CommandResult { return event.CommandResult{Status: "timeout"} }, "", NoAnswer, 1},
		"it is gone":         {"ocpp2.1", func(string, string) event.CommandResult { return event.CommandResult{Status: "offline"} }, "", WentAway, 1},
		"it refuses every message": {"ocpp2.0.1", func(string, string) event.CommandResult {
			return event.CommandResult{Status: "error", ErrorCode: "InternalError"}
		}, "", Unreadable, 10},
		"it answers with a list of nothing": {"ocpp1.6", func(string, string) event.CommandResult { return says(`{}`) }, "", Unreadable, 10},
		"it answers with other types":       {"ocpp1.6", func(string, string) event.CommandResult { return says(`{"configurationKey":"yes","unknownKey":7}`) }, "", Unreadable, 20},
		"it takes everything and changes nothing": {"ocpp1.6", func(action, _ string) event.CommandResult {
			if action == "GetConfiguration" {
				return says(all)
			}
			return says(`{"status":"Accepted"}`)
		}, "notSupported:1 readOnly:1 refused:3 same:1 unread:1", NoProblem, 10},
		"it answers with words that nobody knows": {"ocpp1.6", func(action, _ string) event.CommandResult {
			if action == "GetConfiguration" {
				return says(all)
			}
			return says(`{"status":"Perhaps"}`)
		}, "notSupported:1 readOnly:1 same:1 unanswered:3 unread:1", NoProblem, 10},
		"it refuses each list": {"ocpp1.6", func(action, payload string) event.CommandResult {
			switch {
			case action == "GetConfiguration":
				return says(all)
			case strings.Contains(payload, "MeterValuesSampledData"):
				return says(`{"status":"Rejected"}`)
			}
			return says(`{"status":"NotSupported"}`)
		}, "notSupported:3 readOnly:1 refused:1 same:1 unread:1", NoProblem, 20},
		"it takes two variables in a message": {"ocpp2.0.1", func(action, payload string) event.CommandResult {
			if strings.Count(payload, `"component"`) > 2 {
				return event.CommandResult{Status: "error", ErrorCode: "OccurrenceConstraintViolation"}
			}
			return says(`{"getVariableResult":[{"attributeStatus":"UnknownVariable","component":{"name":"OCPPCommCtrlr"},"variable":{"name":"WebSocketPingInterval"}}]}`)
		}, "notSupported:1 unanswered:6", NoProblem, 10},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j, asked := work(t, tc.protocol, tc.station)
				if got := statesOf(j); got != tc.states || j.rec.Problem != tc.problem || asked > tc.atMost {
					t.Errorf("%q, %q after %d", got, j.rec.Problem, asked)
				}
			})
		})
	}
}

// Work ends where the budget of the day does.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		s := New(Options{Budget: 3, Memory: forgetful{}, Stations: script(func(action, _ string) event.CommandResult {
			asked++
			if action == "GetConfiguration" {
				return says(`{"configurationKey":[{"key":"MeterValueSampleInterval","value":"0"},{"key":"ClockAlignedDataInterval","value":"0"},{"key":"WebSocketPingInterval","value":"0"}]}`)
			}
			return says(`{"status":"Rejected"}`)
		})})
		j := &job{s: s, kind: apply, station: "A", rec: &Record{}, plan: provision.For([]*provision.Profile{provision.Default()}, &provision.Station{Protocol: "ocpp1.6"})}
		j.run(t.Context())
		if asked != 3 || j.rec.Problem != OutOfBudget {
			t.Errorf("%d, %q", asked, j.rec.Problem)
		}
	})
}

func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{`{}`, `{"configurationKey":[{"key":"MeterValueSampleInterval","value":{}}]}`, `{"getVariableResult":[{"attributeStatus":"Accepted","attributeValue":5,"component":{"name":"SampledDataCtrlr"},"variable":{"name":"TxUpdatedInterval"}}]}`, `[1]`, `{"status":7}`, `{"setVariableResult":[null]}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		if !json.Valid([]byte(answer)) {
			return
		}
		for _, protocol := range []string{"ocpp1.6", "ocpp2.0.1"} {
			s := New(Options{Memory: forgetful{}, Gap: time.Nanosecond, Stations: script(func(string, string) event.CommandResult { return says(answer) })})
			j := &job{
				s: s, kind: apply, station: "A", modern: protocol != "ocpp1.6", rec: &Record{}, learned: map[string]*provision.Taken{}, taken: map[string]*provision.Taken{},
				plan: provision.For([]*provision.Profile{provision.Default()}, &provision.Station{Protocol: protocol}),
			}
			j.run(t.Context())
			if j.rec.Asked > 60 {
				t.Errorf("%d commands", j.rec.Asked)
			}
		}
	})
}

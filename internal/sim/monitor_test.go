package sim

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const (
	plugHot = `{"value":70,"type":"UpperThreshold","severity":5,"component":{"name":"TemperatureSensor","evse":{"id":1,"connectorId":1}},"variable":{"name":"Temperature"}}`
	plugRed = `{"value":90,"type":"UpperThreshold","severity":3,"component":{"name":"TemperatureSensor","evse":{"id":1,"connectorId":1}},"variable":{"name":"Temperature"}}`
)

func set(list ...string) string { return `{"setMonitoringData":[` + strings.Join(list, ",") + `]}` }

func TestStationsRefuseMonitorsOneByOne(t *testing.T) {
	item := func(component, variable, kind string) string {
		return `{"value":1,"type":"` + kind + `","severity":4,"component":{"name":"` + component + `","evse":{"id":1,"connectorId":1}},"variable":{"name":"` + variable + `"}}`
	}
	tests := map[string]struct{ payload, want string }{
		"a part it does not have":         {set(item("FloodSensor", "Active", "Delta")), `"status":"UnknownComponent"`},
		"a value it does not have":        {set(item("TemperatureSensor", "Humidity", "Delta")), `"status":"UnknownVariable"`},
		"a kind it cannot do":             {set(item("TemperatureSensor", "Temperature", "TargetDelta")), `"status":"UnsupportedMonitorType"`},
		"what its firmware tells anyway":  {set(item("Connector", "Problem", "Delta")), `"status":"Duplicate"`},
		"the same one again":              {set(plugHot, plugHot), `"status":"Duplicate"`},
		"another of the same value":       {set(plugHot, plugRed), `"id":2,"status":"Accepted"`},
		"more than it takes in a message": {set(plugHot, plugHot, plugHot, plugHot, plugHot, plugHot, plugHot, plugHot, plugHot), `"OccurrenceConstraintViolation"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			checkCommand(t, one(t, "HYC300", V201, nil), "SetVariableMonitoring", tt.payload, tt.want, nil)
		})
	}
}

// A plug runs hot for an hour: the station tells when it passes each threshold,
// and when it is back below.
func TestAMonitorTellsOfAPlugThatRunsHot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newMemoryCentral()
		failures := []Failure{{Mode: Overheats, Size: 82, Station: "CP-1", EVSE: 1, From: time.Now().Add(2 * time.Minute), For: time.Hour}}
		live(t, Options{Plan: one(t, "HYC300", V21, nil), Seed: 1, Scenario: quiet(t), Failures: failures}, c, 5*time.Second, func(*Fleet) {
			if got := c.command(t, "CP-1", "SetVariableMonitoring", set(plugHot, plugRed)); strings.Count(got, "Accepted") != 2 {
				t.Fatal(got)
			}
			time.Sleep(90 * time.Minute)
			synctest.Wait()
			var told []string
			for _, m := range c.of("CP-1", "NotifyEvent") {
				if text := render(m.payload); strings.Contains(text, "TemperatureSensor") {
					told = append(told, text)
				}
			}
			if len(told) != 2 || !strings.Contains(told[0], "trigger:Alerting") || !strings.Contains(told[0], "severity:5") ||
				strings.Contains(told[0], "cleared:true") || !strings.Contains(told[1], "cleared:true") {
				t.Errorf("told of the plug: %q", told)
			}
		})
	})
}

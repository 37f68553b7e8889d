package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Scenario is what happens to the stations besides ordinary days.
type Scenario struct {
	Name  string
	About string

	Traffic          float64 // factor on arrivals
	FaultsPerDay     float64 // per EVSE
	DropsPerDay      float64 // lost networks, per station
	DropMin, DropMax time.Duration
	RebootsPerDay    float64       // per station
	FailedStart      float64       // share of attempts that never charge
	Flapping         float64       // share of stations with a bad modem
	AllQuirks        bool          // every station gets habits of its own
	Together         time.Duration // every so often all links drop at once
	TogetherFor      time.Duration // and stay away for so long
}

// Scenarios lists what can be asked for by name.
func Scenarios() []Scenario {
	day := Scenario{
		Name: "day", About: "the real time of day: arrivals by hour and weekday, a few faults and drops",
		Traffic: 1, FaultsPerDay: 0.06, DropsPerDay: 0.15, DropMin: 40 * time.Second, DropMax: 50 * time.Minute,
		RebootsPerDay: 0.03, FailedStart: 0.04, Flapping: 0.01,
	}
	busy := day
	busy.Name, busy.About, busy.Traffic = "busy", "a holiday Friday: every port is in use most of the time", 8
	idle := Scenario{Name: "idle", About: "connected stations, nobody charges, only heartbeats"}
	storm := day
	storm.Name, storm.About = "storm", "every ten minutes all stations lose the network for a minute and return at once"
	storm.Traffic, storm.Together, storm.TogetherFor = 4, 10*time.Minute, time.Minute
	flush := busy
	flush.Name, flush.About = "offline-flush", "stations stay away for 10 to 60 minutes while charging goes on, then flush their queue"
	flush.DropsPerDay, flush.DropMin, flush.DropMax = 24, 10*time.Minute, time.Hour
	faults := busy
	faults.Name, faults.About = "faults", "several faults per port and day, failed starts, reboots, flapping links"
	faults.FaultsPerDay, faults.RebootsPerDay, faults.FailedStart, faults.Flapping = 8, 2, 0.3, 0.1
	quirks := busy
	quirks.Name, quirks.About = "quirks", "every station has one to three bad habits of real makers"
	quirks.AllQuirks = true
	factory := Scenario{Name: "factory", About: "stations of all versions as they leave the works, measuring nothing; most ports are in use", Traffic: 8}
	return []Scenario{day, busy, idle, storm, flush, faults, quirks, factory}
}

// FindScenario looks a scenario up by name; the empty name is "day".
func FindScenario(name string) (Scenario, error) {
	if name == "" {
		name = "day"
	}
	all := Scenarios()
	if i := slices.IndexFunc(all, func(s Scenario) bool { return s.Name == name }); i >= 0 {
		return all[i], nil
	}
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = s.Name
	}
	return Scenario{}, fmt.Errorf("unknown scenario %q: want one of %s", name, strings.Join(names, ", "))
}

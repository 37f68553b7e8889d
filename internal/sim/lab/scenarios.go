package lab

import (
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/sim"
)

// Scenario is one thing that can be put into a run.
type Scenario struct {
	Name, About string
	NearMiss    bool
	Detectors   []string // any of them finds it
	Also        []string // may speak up too
	Severity    string
	Safety      bool
	For         time.Duration
	Tail        time.Duration // how long after its end it may still be found
	Early       bool          // needs no baseline: may come in the first weeks

	scope scope
	site  []string // kinds of site it fits, in order of liking
	fits  func(m *sim.Model, evse int) bool
	// causes are the failures at the place; their From is an offset into it.
	causes []sim.Failure
	// unable is a station that does not know TriggerMessage.
	unable bool
	// restart ends it, whoever restarts the station.
	restart bool
	// outage is a stop of our own server, in place of causes.
	outage time.Duration
}

type scope uint8

const (
	onPort scope = iota
	onStation
	onSite
	onCarrier
	onModel
	onUs
)

const (
	hour = time.Hour
	day  = 24 * time.Hour
)

func dc(m *sim.Model, evse int) bool { return m.EVSEs[evse-1].Phases == 0 }
func ac(m *sim.Model, evse int) bool { return m.EVSEs[evse-1].Phases > 0 }
func ac3(m *sim.Model, evse int) bool {
	return m.EVSEs[evse-1].Phases == 3 && m.EVSEs[evse-1].RatedW >= 11_000
}
func twin(m *sim.Model, evse int) bool {
	return len(m.EVSEs) > 1 && evse <= 2 && (m.EVSEs[0].Phases == 0) == (m.EVSEs[1].Phases == 0)
}
func both(a, b func(*sim.Model, int) bool) func(*sim.Model, int) bool {
	return func(m *sim.Model, evse int) bool { return a(m, evse) && b(m, evse) }
}
func alone(m *sim.Model, _ int) bool { return m.SharedW == 0 } // nobody could have its power
func v16(m *sim.Model, _ int) bool   { return m.Version == sim.V16 }
func v2(m *sim.Model, _ int) bool    { return m.Version != sim.V16 && !m.AvailabilityEvents }

func one(m sim.Mode, size float64) []sim.Failure { return []sim.Failure{{Mode: m, Size: size}} }
func code(m sim.Mode, code string) []sim.Failure { return []sim.Failure{{Mode: m, Code: code}} }
func ramp(m sim.Mode, size float64, over time.Duration) []sim.Failure {
	return []sim.Failure{{Mode: m, Size: size, Ramp: over}}
}

// Scenarios lists all: what detection has to find, and what it must not fall
// for.
func Scenarios() []Scenario { return append(positives(), nearMisses()...) }

// startTrouble is what drivers meet at a port that does not start.
var startTrouble = []string{"D05", "D06", "D07", "D08", "D15", "D26", "D27"}

func positives() []Scenario {
	busy := []string{"hpc", "mall", "cohort"}
	street := []string{"street", "office", "mobile"}
	return []Scenario{
		{Name: "modem-lost", About: "one station loses its network for three hours", Detectors: []string{"D01"}, Also: []string{"D17"}, Severity: "S3",
			For: 3 * hour, Early: true, scope: onStation, causes: one(sim.LinkLost, 0)},
		{Name: "carrier-outage", About: "every modem of a carrier is gone for two hours", Detectors: []string{"D20", "D01"}, Also: []string{"D01", "D17"}, Severity: "S2",
			For: 2 * hour, scope: onCarrier, causes: one(sim.LinkLost, 0)},
		{Name: "site-power", About: "a site loses its mains for ninety minutes", Detectors: []string{"D20", "D01"}, Also: []string{"*"}, Severity: "S2",
			For: 90 * time.Minute, Early: true, scope: onSite, site: []string{"mall", "street", "office"}, causes: one(sim.PowerLost, 0)},
		{Name: "hung-application", About: "the socket stands, the station answers nothing", Detectors: []string{"D02"}, Also: append([]string{"D17"}, startTrouble...), Severity: "S2",
			For: 40 * hour, Early: true, scope: onStation, site: busy, causes: one(sim.Hung, 0)},
		hard("over-current", "OverCurrentFailure", "S2", true, nil),
		hard("ground-failure", "GroundFailure", "S1", true, nil),
		hard("contactor-welded", "PowerSwitchFailure", "S1", true, []string{"D14"}),
		hard("cable-overheated", "CX019", "S2", true, []string{"D12"}),
		hard("cable-cut", "CX026", "S1", true, nil),
		hard("lock-failure", "ConnectorLockFailure", "S3", false, []string{"D15"}),
		hard("meter-failure", "PowerMeterFailure", "S3", false, nil),
		hard("pre-charge-failure", "CX012", "S3", false, nil),
		{Name: "problem-2x", About: "a 2.x station reports a problem of its converter", Detectors: []string{"D03"}, Also: []string{"D05", "D27"}, Severity: "S3",
			For: 6 * hour, Early: true, scope: onPort, fits: both(dc, v2), causes: code(sim.Breaks, "CX012")},
		{Name: "status-flaps", About: "a loose door contact raises and clears a fault all day", Detectors: []string{"D04"}, Also: []string{"D03", "D05", "D27"}, Severity: "S3",
			For: 10 * hour, Early: true, scope: onPort, causes: one(sim.Chatters, 14)},
		{Name: "start-failures", About: "no start gets further than the lock", Detectors: []string{"D05"}, Also: startTrouble, Severity: "S2",
			For: 3 * day, scope: onPort, site: busy, fits: twin, causes: []sim.Failure{{Mode: sim.StartFails, Size: 1, Code: "lock"}}},
		{Name: "start-failures-energy", About: "starts fail at the cable check", Detectors: []string{"D05"}, Also: startTrouble, Severity: "S2",
			For: 3 * day, scope: onPort, site: busy, fits: both(dc, twin), causes: []sim.Failure{{Mode: sim.StartFails, Size: 1, Code: "energy"}}},
		{Name: "start-drop", About: "every third start fails for days", Detectors: []string{"D06", "D05"}, Also: startTrouble, Severity: "S3",
			For: 9 * day, scope: onPort, site: busy, causes: []sim.Failure{{Mode: sim.StartFails, Size: 0.38, Code: "energy"}}},
		{Name: "no-energy", About: "the contactor does not close; the station says it charges", Detectors: []string{"D07", "D05"}, Also: startTrouble, Severity: "S2",
			For: 4 * day, scope: onPort, site: []string{"hpc", "mall", "street"}, causes: one(sim.NoEnergy, 0)},
		{Name: "silent-port", About: "the screen is dead; two drivers try in vain, the others drive on", Detectors: []string{"D08", "D05"}, Also: startTrouble, Severity: "S3",
			For: 9 * day, scope: onPort, site: []string{"hpc", "mall"}, causes: []sim.Failure{
				{Mode: sim.StartFails, Size: 1, Code: "energy", For: 7 * hour}, {Mode: sim.Deserted, From: time.Time{}.Add(7 * hour)}}},
		{Name: "derated", About: "half of the power comes out, all of it is offered", Detectors: []string{"D09", "D10", "D11"}, Severity: "S3",
			For: 8 * day, Tail: 2 * day, scope: onPort, site: []string{"hpc", "cohort", "mall"}, fits: dc, causes: one(sim.Derated, 0.27)},
		{Name: "derating-drift", About: "the power sinks over a week", Detectors: []string{"D10", "D09", "D11"}, Severity: "S3",
			For: 10 * day, Tail: 2 * day, scope: onPort, site: []string{"hpc", "cohort"}, fits: dc, causes: ramp(sim.Derated, 0.2, 6*day)},
		{Name: "module-lost", About: "half of the power modules are gone", Detectors: []string{"D11", "D09", "D10"}, Severity: "S3",
			For: 9 * day, Tail: day, scope: onPort, site: []string{"hpc", "cohort"}, fits: dc, causes: one(sim.ModuleLost, 0.25)},
		{Name: "contact-heat", About: "the contacts of a plug wear and run hot", Detectors: []string{"D12"}, Severity: "S3",
			For: 9 * day, scope: onPort, site: []string{"hpc", "cohort", "mall"}, fits: dc, causes: one(sim.ContactHeat, 1.6)},
		{Name: "cooling-lost", About: "the fan of a cabinet stands still", Detectors: []string{"D13"}, Also: []string{"D12"}, Severity: "S3",
			For: 4 * day, scope: onStation, site: []string{"hpc", "cohort", "mall"}, fits: dc, causes: one(sim.CoolingLost, 45)},
		{Name: "lock-trouble", About: "the lock of a socket engages every other time", Detectors: []string{"D15"}, Also: []string{"D03", "D04", "D05", "D06", "D27"}, Severity: "S3",
			For: 9 * day, scope: onPort, site: []string{"street", "mobile", "office"}, fits: both(ac, v16), causes: one(sim.LockFails, 0.6)},
		{Name: "rcd-soft-trips", About: "residual current trips that reclose, several a day", Detectors: []string{"D16"}, Also: []string{"D03", "D04"}, Severity: "S2",
			For: 3 * day, scope: onPort, site: []string{"hpc", "mall", "street"}, causes: one(sim.SoftTrips, 16)},
		{Name: "link-decays", About: "a modem at the edge of its cell", Detectors: []string{"D17", "D04"}, Also: []string{"D01", "D04"}, Severity: "S3",
			For: 4 * day, scope: onStation, causes: ramp(sim.LinkFlaps, 40, day)},
		{Name: "cadence", About: "readings of the meter come when they like", Detectors: []string{"D18"}, Severity: "S4",
			For: 4 * day, Tail: 12 * hour, scope: onStation, site: []string{"hpc", "cohort", "mall"}, causes: one(sim.CadenceJitter, 0.8)},
		{Name: "meter-drift", About: "the register counts six percent too much", Detectors: []string{"D19"}, Severity: "S3",
			For: 10 * day, scope: onPort, site: []string{"hpc", "cohort", "mall"}, fits: dc, causes: one(sim.MeterDrift, 0.06)},
		{Name: "meter-steps-back", About: "the register is thirty kWh lower after a night", Detectors: []string{"D19"}, Severity: "S2",
			For: 12 * hour, Tail: 2 * day, scope: onPort, site: []string{"hpc", "mall", "street"}, causes: one(sim.MeterBack, 30)},
		{Name: "phase-lost", About: "a fuse of the second phase is gone", Detectors: []string{"D21"}, Severity: "S2",
			For: 5 * day, scope: onPort, site: street, fits: ac3, causes: one(sim.PhaseLost, 2)},
		{Name: "voltage-imbalance", About: "the third phase is six percent low", Detectors: []string{"D21"}, Severity: "S2",
			For: 3 * day, scope: onStation, site: street, fits: ac3, causes: one(sim.Imbalance, 0.065)},
		{Name: "soc-stalls", About: "energy flows, the state of charge stands", Detectors: []string{"D22"}, Severity: "S3",
			For: 3 * day, scope: onPort, site: []string{"hpc", "mall", "cohort"}, fits: dc, causes: one(sim.SoCFrozen, 0)},
		stuck("preparing", "Preparing", onPort, v16, 8*hour),
		stuck("finishing", "Finishing", onPort, both(dc, v16), 8*hour),
		stuck("reserved", "Reserved", onPort, nil, 14*hour),
		stuck("unavailable", "Unavailable", onPort, nil, 30*hour),
		stuck("suspended", "SuspendedEVSE", onPort, alone, 2*day),
		{Name: "clock-off", About: "a clock is twenty minutes ahead", Detectors: []string{"D24"}, Severity: "S3",
			For: 3 * day, Early: true, scope: onStation, site: []string{"street", "mall", "hpc"}, causes: one(sim.ClockOff, 1200)},
		{Name: "clock-drift", About: "a clock is three minutes ahead", Detectors: []string{"D24"}, Severity: "S4",
			For: 3 * day, Early: true, scope: onStation, site: []string{"mall", "street", "hpc"}, causes: one(sim.ClockOff, 180)},
		{Name: "firmware-regression", About: "after an update of a model four starts of ten fail", Detectors: []string{"D25"}, Also: append([]string{"D20"}, startTrouble...), Severity: "S2",
			For: 9 * day, scope: onModel, site: []string{"cohort"}, causes: one(sim.FirmwareBad, 0.4)},
		{Name: "reader-dead", About: "no card is read any more", Detectors: []string{"D26"}, Also: startTrouble, Severity: "S2",
			For: 4 * day, scope: onStation, site: []string{"hpc", "mall", "cohort"}, causes: one(sim.ReaderDead, 0)},
		{Name: "failed-here-charged-there", About: "drivers fail at one port and charge at the next", Detectors: []string{"D27", "D05"}, Also: startTrouble, Severity: "S3",
			For: 2 * day, scope: onPort, site: busy, fits: twin, causes: []sim.Failure{{Mode: sim.StartFails, Size: 0.7, Code: "lock"}}},
	}
}

// hangs are failures of an application that a restart ends. They are part of runs
// whose stations obey; the positives are not mended by one.
func hangs() []Scenario {
	list := []Scenario{
		{Name: "power-hangs", About: "the power control hangs: sessions begin and nothing flows, until a restart", Detectors: []string{"D07", "D05"}, Also: startTrouble, Severity: "S2",
			For: 3 * day, scope: onPort, site: []string{"hpc", "mall", "street"}, causes: one(sim.NoEnergy, 0)},
		{Name: "start-hangs", About: "no start gets further than the lock, until a restart", Detectors: []string{"D05"}, Also: startTrouble, Severity: "S2",
			For: 3 * day, scope: onPort, site: []string{"hpc", "mall", "cohort"}, fits: twin, causes: []sim.Failure{{Mode: sim.StartFails, Size: 1, Code: "lock"}}},
		{Name: "check-hangs", About: "starts fail at the cable check, until a restart", Detectors: []string{"D05"}, Also: startTrouble, Severity: "S2",
			For: 3 * day, scope: onPort, site: []string{"hpc", "mall", "cohort"}, fits: both(dc, twin), causes: []sim.Failure{{Mode: sim.StartFails, Size: 1, Code: "energy"}}},
	}
	for _, word := range []string{"Preparing", "Finishing", "Unavailable"} {
		fits := map[string]func(*sim.Model, int) bool{"Preparing": v16, "Finishing": both(dc, v16)}[word]
		s := stuck(strings.ToLower(word), word, onPort, fits, 30*hour)
		s.Name, s.About = strings.Replace(s.Name, "stuck", "hangs", 1), s.About+", until a restart"
		list = append(list, s)
	}
	for i := range list {
		list[i].restart = true
	}
	return list
}

func hard(name, fault, severity string, safety bool, beside []string) Scenario {
	s := Scenario{
		Name: name, About: "the station reports " + fault, Detectors: append([]string{"D03"}, beside...), Also: []string{"D05", "D06", "D08", "D14", "D27"},
		Severity: severity, Safety: safety, For: 5 * hour, Early: true, scope: onPort, causes: code(sim.Breaks, fault),
	}
	switch fault {
	case "ConnectorLockFailure":
		s.fits = ac
	case "CX012", "CX019":
		s.fits = dc
	}
	return s
}

func stuck(name, status string, where scope, fits func(*sim.Model, int) bool, lasting time.Duration) Scenario {
	severity, site := "S3", []string{"hpc", "mall", "street", "office"}
	if status == "SuspendedEVSE" { // a limit that nobody told us of looks the same
		severity, site = "S4", []string{"street", "hotel"}
	}
	return Scenario{
		Name: "stuck-" + name, About: "a port says " + status + " and nobody is there", Detectors: []string{"D23"}, Also: []string{"D05", "D07", "D08", "D27"},
		Severity: severity, For: lasting, Early: true, scope: where, site: site, fits: fits, causes: code(sim.Stuck, status),
	}
}

func nearMisses() []Scenario {
	miss := func(name, about string, lasting time.Duration, where scope, sites []string, fits func(*sim.Model, int) bool, also []string, causes ...sim.Failure) Scenario {
		return Scenario{Name: "near-" + name, About: about, NearMiss: true, For: lasting, Early: true, Also: also, scope: where, site: sites, fits: fits, causes: causes}
	}
	fast, slow := []string{"hpc", "mall", "cohort"}, []string{"street", "office", "mobile"}
	restart := miss("our-restart", "our own server is down for four minutes", 30*time.Minute, onUs, nil, nil, nil)
	restart.outage = 4 * time.Minute
	unanswering := miss("unanswering", "a station that does not know TriggerMessage", 6*day, onStation, []string{"rural", "hotel"}, nil, nil)
	unanswering.unable = true
	return []Scenario{
		restart,
		miss("reset", "an operator resets a station; it is back in three minutes", 12*hour, onStation, nil, nil, nil, sim.Failure{Mode: sim.Restarted, Size: 3}),
		miss("update", "a firmware update at night that works", 2*day, onStation, []string{"street", "office"}, nil, nil, sim.Failure{Mode: sim.Updated}),
		miss("router", "a site's router restarts: two minutes", 15*time.Minute, onSite, []string{"street", "office", "mall"}, nil, nil, sim.Failure{Mode: sim.LinkLost, For: 110 * time.Second}),
		miss("early-unplug", "drivers who think better of it after half a minute", day, onPort, fast, nil, nil, sim.Failure{Mode: sim.EarlyUnplug}),
		miss("bad-card", "one unknown card, three times", 3*hour, onPort, nil, nil, nil, sim.Failure{Mode: sim.BadCard}),
		miss("bad-car", "one car fails three times, as it would anywhere", 3*hour, onPort, fast, nil, []string{"D15"}, sim.Failure{Mode: sim.BadCar}),
		miss("cold", "batteries below zero take a third", 4*day, onSite, []string{"hpc", "cohort"}, nil, nil, sim.Failure{Mode: sim.ColdWeather}),
		miss("shared-cabinet", "a busy cabinet whose two ports share", 4*day, onStation, []string{"hpc", "cohort"}, both(dc, twin), nil, sim.Failure{Mode: sim.Repeats, For: time.Second}),
		miss("limited", "an operator limits a station to 40 kW", 6*day, onStation, []string{"hpc", "cohort", "mall"}, dc, nil, sim.Failure{Mode: sim.Limited, Size: 40_000}),
		miss("one-phase", "cars that charge on one phase", 4*day, onPort, slow, ac3, nil, sim.Failure{Mode: sim.OnePhaseCars}),
		miss("full-cars", "cars that come nearly full", 4*day, onPort, []string{"hpc", "cohort", "mall"}, dc, nil, sim.Failure{Mode: sim.FullCars}),
		miss("overstay", "cars that stay for hours after their session", 2*day, onPort, slow, both(ac, v16), nil, sim.Failure{Mode: sim.Overstay}),
		miss("sampling", "an operator sets another meter interval", 3*day, onStation, []string{"hpc", "cohort", "mall"}, nil, nil, sim.Failure{Mode: sim.SamplingChanged, Size: 300}),
		miss("offline-queue", "a station is away for an hour and tells its sessions late", 70*time.Minute, onStation, []string{"hpc", "street"}, nil, []string{"D01", "D17"}, sim.Failure{Mode: sim.LinkLost, For: hour}),
		miss("booked", "a port that is reserved four times a day", 3*day, onPort, slow, nil, nil, sim.Failure{Mode: sim.Booked}),
		miss("quiet-port", "a rural port that nobody needs", 6*day, onStation, []string{"rural"}, nil, nil, sim.Failure{Mode: sim.Repeats, For: time.Second}),
		miss("repeats", "every status is said three times", 3*day, onStation, nil, nil, nil, sim.Failure{Mode: sim.Repeats}),
		miss("blips", "a fault that clears within twenty seconds, twice a day", 3*day, onPort, fast, dc, nil, sim.Failure{Mode: sim.Blips, Size: 2}),
		unanswering,
	}
}

package lab

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect/evaluate"
	"github.com/chargewatch/chargewatch/internal/event"
)

// seen is what the subjects of a label showed in a span.
type seen struct {
	maxW, maxShare      float64 // power, and its share of what was offered
	plugC, bodyC        float64 // the highest
	minShare            float64 // of the lowest phase current to the highest, the least
	minVolts            float64
	gap                 []float64 // between readings of one transaction, in seconds
	statuses, codes     map[string]int
	lost, boots         int
	authorized, refused int
	starts, ends, empty int
	back                float64 // the largest step of the register down
	skew                time.Duration
	socStill            time.Duration // with power, the longest
	meterOver           float64       // register gain over energy of the power, the median
	firmware            []string
}

type watch struct {
	seen
	register         map[string]float64
	last             map[string]time.Time
	soc              map[string]float64
	socAt            map[string]time.Time
	startWh, lastWh  map[string]float64
	integral         map[string]float64 // of the power between readings, Wh
	meteredWh, lastP map[string]float64 // by the register between the same
	lastW            map[string]float64
}

func newWatch() *watch {
	return &watch{
		seen:     seen{minShare: 1, minVolts: 1000, statuses: map[string]int{}, codes: map[string]int{}},
		register: map[string]float64{}, last: map[string]time.Time{}, soc: map[string]float64{}, socAt: map[string]time.Time{},
		startWh: map[string]float64{}, lastWh: map[string]float64{}, integral: map[string]float64{}, meteredWh: map[string]float64{}, lastP: map[string]float64{}, lastW: map[string]float64{},
	}
}

func (w *watch) read(e *event.Event, tx string, samples event.Samples) {
	port := e.Subject.ID + "/" + fmt.Sprint(e.Subject.EVSE)
	for _, g := range samples {
		var p, offered, soc, lowest, highest, register float64
		lowest, soc, p = math.Inf(1), -1, -1
		for _, v := range g.Values {
			switch v.Measurand {
			case "Energy.Active.Import.Register":
				w.back = max(w.back, w.register[port]-v.Value)
				w.register[port] = v.Value
				if _, ok := w.startWh[tx]; !ok {
					w.startWh[tx] = v.Value
				}
				w.lastWh[tx], register = v.Value, v.Value
			case "Power.Active.Import":
				p = v.Value
			case "Power.Offered":
				offered = v.Value
			case "SoC":
				soc = v.Value
			case "Current.Import":
				lowest, highest = min(lowest, v.Value), max(highest, v.Value)
			case "Voltage":
				if v.Phase != "" {
					w.minVolts = min(w.minVolts, v.Value)
				}
			case "Temperature":
				if v.Location == "Body" {
					w.bodyC = max(w.bodyC, v.Value)
				} else {
					w.plugC = max(w.plugC, v.Value)
				}
			}
		}
		if p < 0 {
			continue
		}
		w.maxW = max(w.maxW, p)
		if offered > 0 {
			w.maxShare = max(w.maxShare, p/offered)
		}
		if highest > 6 {
			w.minShare = min(w.minShare, lowest/highest)
		}
		at := g.At
		if last, ok := w.last[tx]; ok {
			w.gap = append(w.gap, at.Sub(last).Seconds())
			w.meteredWh[tx] += register - w.lastP[tx]
			w.integral[tx] += (p + w.lastW[tx]) / 2 * at.Sub(last).Hours()
		}
		w.last[tx], w.lastW[tx], w.lastP[tx] = at, p, register
		if soc >= 0 {
			if soc != w.soc[tx] || p < 1000 {
				w.soc[tx], w.socAt[tx] = soc, at
			}
			w.socStill = max(w.socStill, at.Sub(w.socAt[tx]))
		}
	}
}

func (w *watch) take(e *event.Event) {
	switch b := e.Body.(type) {
	case *event.Status:
		w.statuses[b.Status]++
		w.codes[b.ErrorCode]++
		w.codes[b.VendorErrorCode]++
		if d := e.DeviceAt.Sub(e.At).Round(time.Second); d != 0 {
			w.skew = d
		}
	case *event.Component:
		for _, x := range b.Items {
			if x.Variable == "Problem" && !x.Cleared {
				w.codes[x.Component]++
				w.codes[x.TechCode]++
			} else if x.Variable == "AvailabilityState" {
				w.statuses[x.Value]++
			}
		}
	case *event.Disconnected:
		w.lost++
	case *event.Boot:
		w.boots++
	case *event.Firmware:
		w.firmware = append(w.firmware, b.Status)
	case *event.Authorize:
		if b.Status == "Accepted" {
			w.authorized++
		} else {
			w.refused++
		}
	case *event.Meter:
		w.read(e, b.TransactionID, b.Samples)
	case *event.Transaction:
		tx := b.TransactionID
		samples := b.Samples
		if b.MeterWh != nil {
			samples = append(slices.Clone(samples), event.SampleGroup{At: e.At, Values: []event.Sample{{Measurand: "Energy.Active.Import.Register", Value: *b.MeterWh}}})
		}
		w.read(e, tx, samples)
		switch b.Stage {
		case event.TransactionStarted:
			w.starts++
		case event.TransactionEnded:
			w.ends++
			if w.lastWh[tx]-w.startWh[tx] < 100 {
				w.empty++
			}
		}
	}
}

func (w *watch) done() *seen {
	var ratios []float64
	for tx, wh := range w.integral {
		if wh > 8000 {
			ratios = append(ratios, w.meteredWh[tx]/wh)
		}
	}
	slices.Sort(ratios)
	w.meterOver = evaluate.Median(ratios) - 1
	slices.Sort(w.gap)
	return &w.seen
}

func (s *seen) spread() float64 {
	return evaluate.Quantile(s.gap, 0.9) / max(1, evaluate.Quantile(s.gap, 0.1))
}

// shows says of a scenario whether what its subjects say differs from what they
// said before in the way that the cause explains.
func shows() map[string]func(before, now *seen) bool {
	return map[string]func(before, now *seen) bool{
		"modem-lost":       func(_, n *seen) bool { return n.lost >= 1 },
		"carrier-outage":   func(_, n *seen) bool { return n.lost >= 6 },
		"site-power":       func(_, n *seen) bool { return n.lost >= 6 },
		"hung-application": func(b, n *seen) bool { return n.starts == 0 && len(n.statuses) == 0 && b.starts > 0 },
		"ground-failure":   func(_, n *seen) bool { return n.codes["GroundFailure"] > 0 && n.codes["CX002"] > 0 },
		"contactor-welded": func(_, n *seen) bool { return n.codes["PowerSwitchFailure"] > 0 },
		"cable-cut":        func(_, n *seen) bool { return n.codes["CX026"] > 0 },
		"problem-2x":       func(_, n *seen) bool { return n.codes["AcDcConverter"] > 0 },
		"status-flaps":     func(b, n *seen) bool { return n.statuses["Faulted"] > 60 && b.statuses["Faulted"] == 0 },
		"start-failures":   func(_, n *seen) bool { return n.maxW == 0 && n.authorized > 2 },
		"no-energy":        func(_, n *seen) bool { return n.maxW == 0 && n.starts >= 3 && n.empty == n.ends },
		"derated":          func(b, n *seen) bool { return n.maxW < 0.7*b.maxW && n.maxShare < 0.4 },
		"module-lost":      func(b, n *seen) bool { return n.maxW < 0.7*b.maxW && n.maxShare > 0.9 },
		"contact-heat":     func(b, n *seen) bool { return n.plugC > b.plugC+12 && n.bodyC < b.bodyC+8 },
		"cooling-lost":     func(b, n *seen) bool { return n.bodyC > b.bodyC+10 },
		"lock-trouble":     func(_, n *seen) bool { return n.codes["ConnectorLockFailure"] >= 2 },
		"rcd-soft-trips":   func(_, n *seen) bool { return n.codes["RCDRecloser"]+n.codes["GFCI-SOFT"] >= 4 },
		"link-decays":      func(b, n *seen) bool { return n.lost > 40 },
		"cadence":          func(b, n *seen) bool { return n.spread() > 3 && b.spread() < 1.6 },
		"meter-drift": func(b, n *seen) bool {
			return math.Abs(b.meterOver) < 0.02 && n.meterOver > 0.045 && n.meterOver < 0.075
		},
		"meter-steps-back":          func(b, n *seen) bool { return b.back <= 1 && n.back > 5000 },
		"phase-lost":                func(b, n *seen) bool { return n.minShare < 0.05 && n.minVolts < 20 && b.minVolts > 200 },
		"voltage-imbalance":         func(b, n *seen) bool { return n.minVolts < 220 && b.minVolts > 222 },
		"soc-stalls":                func(b, n *seen) bool { return n.socStill > 12*time.Minute && n.socStill > 2*b.socStill },
		"stuck-preparing":           func(_, n *seen) bool { return n.statuses["Preparing"] > 0 && n.starts == 0 },
		"stuck-suspended":           func(_, n *seen) bool { return n.maxW == 0 || n.statuses["SuspendedEVSE"] > 0 },
		"clock-off":                 func(b, n *seen) bool { return b.skew == 0 && n.skew == 20*time.Minute },
		"firmware-regression":       func(_, n *seen) bool { return slices.Contains(n.firmware, "Installed") && n.empty*5 > n.ends },
		"reader-dead":               func(_, n *seen) bool { return n.authorized == 0 && n.empty == n.ends && n.ends > 5 },
		"near-our-restart":          func(_, n *seen) bool { return n.lost == 0 },
		"near-reset":                func(_, n *seen) bool { return n.lost == 1 && n.boots == 1 },
		"near-early-unplug":         func(_, n *seen) bool { return n.ends >= 3 && len(n.gap) <= 3 },
		"near-bad-card":             func(_, n *seen) bool { return n.refused == 3 },
		"near-cold":                 func(b, n *seen) bool { return n.maxW < 0.6*b.maxW },
		"near-limited":              func(_, n *seen) bool { return n.maxW < 41_000 && n.maxShare > 0.9 },
		"near-one-phase":            func(_, n *seen) bool { return n.minShare < 0.05 && n.minVolts > 200 },
		"near-sampling":             func(b, n *seen) bool { return evaluate.Median(n.gap) > 2*evaluate.Median(b.gap) },
		"near-booked":               func(_, n *seen) bool { return n.statuses["Reserved"] >= 3 },
		"near-blips":                func(_, n *seen) bool { return n.codes["PM-0107"] >= 2 },
		"near-update":               func(_, n *seen) bool { return slices.Contains(n.firmware, "Installed") && n.boots == 1 },
		"near-offline-queue":        func(_, n *seen) bool { return n.lost >= 1 },
		"near-full-cars":            func(b, n *seen) bool { return n.starts > 5 && n.maxW < 0.5*b.maxW },
		"stuck-reserved":            func(_, n *seen) bool { return n.statuses["Reserved"] > 0 },
		"meter-failure":             func(_, n *seen) bool { return n.codes["PowerMeterFailure"]+n.codes["FiscalMetering"] > 0 },
		"silent-port":               func(_, n *seen) bool { return n.starts <= 6 && n.maxW == 0 },
		"near-repeats":              func(b, n *seen) bool { return n.statuses["Charging"] > 2*n.starts },
		"failed-here-charged-there": func(_, n *seen) bool { return n.authorized > 3 },
	}
}

package health

import (
	"math"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// reading is what a port measured at one moment, in the units of the journal.
// What was not told is NaN.
type reading struct {
	powerW, offeredW, currentA, offeredA, soc, energyWh float64
	voltageV, plugC, bodyC                              float64
	amps, volts                                         [3]float64 // by phase

	whole [3]bool // power, offered power and energy were told as a whole
}

// read sums one group of samples up. Unlike the fleet's live values it keeps
// the phases apart, and the plug from the cabinet.
func read(values []event.Sample) reading {
	no := math.NaN()
	r := reading{
		powerW: no, offeredW: no, currentA: no, offeredA: no, soc: no, energyWh: no, voltageV: no, plugC: no, bodyC: no,
		amps: [3]float64{no, no, no}, volts: [3]float64{no, no, no},
	}
	for i := range values {
		v := &values[i]
		if v.Unit != "" || v.Location == "Inlet" || math.IsNaN(v.Value) || math.Abs(v.Value) > 1e12 {
			continue
		}
		switch v.Measurand {
		case "Power.Active.Import":
			if math.Abs(v.Value) <= 1.5e6 {
				r.put(0, &r.powerW, v)
			}
		case "Power.Offered":
			r.put(1, &r.offeredW, v)
		case "Energy.Active.Import.Register":
			r.put(2, &r.energyWh, v)
		case "SoC":
			if v.Value >= 0 && v.Value <= 100 {
				r.soc = v.Value
			}
		case "Current.Offered":
			r.offeredA = higher(r.offeredA, v.Value)
		case "Current.Import":
			if k := phase(v.Phase); k >= 0 {
				r.amps[k] = v.Value
			} else if v.Phase == "" {
				r.currentA = v.Value
			}
		case "Voltage":
			if k := phase(v.Phase); k >= 0 {
				r.volts[k] = v.Value
			} else if v.Phase == "" {
				r.voltageV = v.Value
			}
		case "Temperature":
			if v.Value < -60 || v.Value > 250 {
				continue // a sensor that is not there
			}
			switch v.Location {
			case "", "Outlet", "Cable":
				r.plugC = higher(r.plugC, v.Value)
			case "Body":
				r.bodyC = higher(r.bodyC, v.Value)
			}
		}
	}
	if math.IsNaN(r.currentA) {
		for _, a := range r.amps {
			r.currentA = higher(r.currentA, a)
		}
	}
	return r
}

// put takes a value over; those of single phases add up where no whole is told.
func (r *reading) put(which int, into *float64, v *event.Sample) {
	switch {
	case v.Phase == "":
		*into, r.whole[which] = v.Value, true
	case r.whole[which]:
	case math.IsNaN(*into):
		*into = v.Value
	default:
		*into += v.Value
	}
}

// higher is the greater of two values, one of which may be missing.
func higher(a, b float64) float64 {
	if math.IsNaN(a) || b > a {
		return b
	}
	return a
}

// phase is the index of a phase to neutral, -1 for anything else.
func phase(name string) int {
	switch name {
	case "L1", "L1-N":
		return 0
	case "L2", "L2-N":
		return 1
	case "L3", "L3-N":
		return 2
	}
	return -1
}

func told(v float64) bool { return !math.IsNaN(v) }

// measuredIn is what an event measured and for which transaction. The end of a
// transaction sums up what was measured before and is not read.
func measuredIn(e *event.Event) (transaction string, samples event.Samples) {
	switch b := e.Body.(type) {
	case *event.Meter:
		return b.TransactionID, b.Samples
	case *event.Transaction:
		if b.Stage != event.TransactionEnded {
			return b.TransactionID, b.Samples
		}
	}
	return "", nil
}

// measuredAt is when a group was measured, by the clock of detectors: the last
// one now, the others as much earlier as the device says.
func measuredAt(e *event.Event, samples event.Samples, i int) time.Time {
	last := samples[len(samples)-1].At
	if before := last.Sub(samples[i].At); before > 0 && before <= event.LateAfter && !samples[i].At.IsZero() {
		return e.RecordedAt.Add(-before)
	}
	return e.RecordedAt
}

// metering is the port at which the event measured a running transaction.
func metering(c *detect.Context, e *event.Event, transaction string) *detect.Port {
	p := c.Station.Port(e.Subject.EVSE)
	if transaction != "" && (p == nil || p.Tx == nil || p.Tx.ID != transaction) {
		p = nil
		for i := range c.Station.Ports {
			if t := c.Station.Ports[i].Tx; t != nil && t.ID == transaction {
				p = &c.Station.Ports[i]
			}
		}
	}
	if p == nil || p.Tx == nil {
		return nil
	}
	return p
}

// commonWith is what others may have in common with a fault of a station's
// hardware.
func commonWith(st *detect.Station) []string {
	var out []string
	if st.SiteID != "" {
		out = append(out, "site/"+st.SiteID)
	}
	if st.Vendor != "" && st.Model != "" && st.Firmware != "" {
		out = append(out, "firmware/"+st.Vendor+"/"+st.Model+"/"+st.Firmware)
	}
	return out
}

// since is the fact of when something began.
func since(t time.Time) event.Fact { return event.Fact{Name: "since", At: t} }

// drivers counts the vehicles behind some sessions, by their tokens. A session
// that nobody was identified for counts as a vehicle of its own.
func drivers[T any](sessions []T, token func(*T) string) int {
	n := 0
	for i := range sessions {
		t := token(&sessions[i])
		seen := false
		for j := range i {
			seen = seen || t != "" && token(&sessions[j]) == t
		}
		if !seen {
			n++
		}
	}
	return n
}

// keepLast appends to a list that holds at most n.
func keepLast[T any](list []T, v T, n int) []T {
	if len(list) >= n {
		copy(list, list[len(list)-n+1:])
		list = list[:n-1]
	}
	return append(list, v)
}

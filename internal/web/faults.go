package web

import (
	"cmp"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// report is one statement about whether a part of a station is in order.
type report struct {
	part
	PastFaultShape
}

// part is what a statement is about.
type part struct {
	evse, connector int
	what            string // of 2.x: the component and its variable
}

func (r report) fault() bool { return r.Code != "" || r.VendorCode != "" || !r.Warning }

// reportsOf reads the statements of an event, newest first like the journal.
func reportsOf(e *event.Event) []report {
	base := PastFaultShape{
		At: e.At.UTC(), EVSE: e.Subject.EVSE, Seq: e.Seq, Late: e.RecordedAt.Sub(e.At) > toldLate,
	}
	switch body := e.Body.(type) {
	case *event.Status:
		base.Warning = fleet.ParseStatus(body.Status) != fleet.Faulted
		if body.ErrorCode != "NoError" {
			base.Code = body.ErrorCode
		}
		base.VendorCode, base.Info = body.VendorErrorCode, body.Info
		return []report{{part{evse: e.Subject.EVSE, connector: e.Subject.Connector}, base}}
	case *event.Component:
		var out []report
		for i := len(body.Items) - 1; i >= 0; i-- {
			item, one := body.Items[i], base
			bad := item.Value == "true" && !item.Cleared
			switch item.Variable {
			case "AvailabilityState":
				bad = item.Value == "Faulted" && !item.Cleared
			case "Problem", "Tripped", "Overload":
			default:
				continue
			}
			if one.EVSE = item.EVSE; !item.At.IsZero() && item.At.Before(one.At) {
				one.At = item.At.UTC()
			}
			one.Warning = !bad || item.Variable != "AvailabilityState"
			if bad {
				one.Code, one.VendorCode, one.Info = item.Component+" "+item.Variable, item.TechCode, item.TechInfo
			}
			out = append(out, report{part{item.EVSE, item.Connector, item.Component + "/" + item.Instance + "/" + item.Variable}, one})
		}
		return out
	}
	return nil
}

// foldFaults joins statements, oldest first, into faults with a beginning and
// an end. EVSE 0 takes all.
func foldFaults(reports []report, evse int) []PastFaultShape {
	out := []PastFaultShape{}
	open := make(map[part]int)
	for _, r := range reports {
		if evse != 0 && r.EVSE != evse && r.EVSE != 0 {
			continue
		}
		if i, ok := open[r.part]; ok {
			if same := out[i]; r.fault() && same.Code == r.Code && same.VendorCode == r.VendorCode && same.Warning == r.Warning {
				out[i].Info = cmp.Or(same.Info, r.Info)
				continue
			}
			out[i].ClearedAt = new(r.At)
			delete(open, r.part)
		}
		if r.fault() {
			open[r.part] = len(out)
			out = append(out, r.PastFaultShape)
		}
	}
	return out
}

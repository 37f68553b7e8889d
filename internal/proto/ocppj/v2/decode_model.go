package v2

import (
	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj/reading"
)

// Decoders of the device model: reports, monitors, events.

func decodeComponent(r *reading.Reader, n jsondoc.Node) Component {
	c := r.Object(n, "/component", need)
	m := Component{
		Name:     r.Text(c, "/component/name", need),
		Instance: r.Text(c, "/component/instance", opt),
	}
	if e := r.Object(c, "/component/evse", opt); e.Exists() {
		m.EVSE = &EVSE{
			ID:        r.Int(e, "/component/evse/id", need),
			Connector: r.Int(e, "/component/evse/connectorId", opt),
		}
	}
	return m
}

func decodeVariable(r *reading.Reader, n jsondoc.Node) Variable {
	v := r.Object(n, "/variable", need)
	return Variable{
		Name:     r.Text(v, "/variable/name", need),
		Instance: r.Text(v, "/variable/instance", opt),
	}
}

// eachUnder reads the elements of a list with paths under it.
func eachUnder(r *reading.Reader, p jsondoc.Node, path string, need reading.Need, each func(jsondoc.Node)) {
	under := path + "/*"
	r.List(p, path, need, func(n jsondoc.Node) {
		before := r.Under(under)
		each(n)
		r.Back(before)
	})
}

func decodeNotifyEvent(r *reading.Reader, p jsondoc.Node) *NotifyEvent {
	m := &NotifyEvent{
		Generated: r.Time(p, "/generatedAt", need),
		SeqNo:     r.Int(p, "/seqNo", need),
		More:      r.Bool(p, "/tbc", opt),
	}
	eachUnder(r, p, "/eventData", need, func(n jsondoc.Node) {
		m.Events = append(m.Events, Event{
			ID:           r.Int(n, "/eventId", need),
			At:           r.Time(n, "/timestamp", need),
			Trigger:      r.Word(n, "/trigger", need),
			Cause:        r.OptInt(n, "/cause"),
			Value:        r.Word(n, "/actualValue", need),
			TechCode:     r.Text(n, "/techCode", opt),
			TechInfo:     r.Text(n, "/techInfo", opt),
			Cleared:      r.Bool(n, "/cleared", opt),
			Transaction:  r.Text(n, "/transactionId", opt),
			Component:    decodeComponent(r, n),
			Variable:     decodeVariable(r, n),
			Monitor:      r.OptInt(n, "/variableMonitoringId"),
			Notification: r.Word(n, "/eventNotificationType", need),
			Severity:     r.OptInt(n, "/severity"),
		})
	})
	return m
}

func decodeReport(r *reading.Reader, p jsondoc.Node) *NotifyReport {
	m := &NotifyReport{
		Request:   r.Int(p, "/requestId", need),
		Generated: r.Time(p, "/generatedAt", need),
		SeqNo:     r.Int(p, "/seqNo", need),
		More:      r.Bool(p, "/tbc", opt),
	}
	eachUnder(r, p, "/reportData", opt, func(n jsondoc.Node) {
		d := ReportData{Component: decodeComponent(r, n), Variable: decodeVariable(r, n)}
		r.List(n, "/variableAttribute", need, func(a jsondoc.Node) {
			d.Attributes = append(d.Attributes, decodeAttribute(r, a))
		})
		if c := r.Object(n, "/variableCharacteristics", opt); c.Exists() {
			d.Characteristics = &Characteristics{
				Unit:       r.Word(c, "/variableCharacteristics/unit", opt),
				DataType:   r.Word(c, "/variableCharacteristics/dataType", need),
				Min:        r.OptFloat(c, "/variableCharacteristics/minLimit"),
				Max:        r.OptFloat(c, "/variableCharacteristics/maxLimit"),
				ValuesList: r.Text(c, "/variableCharacteristics/valuesList", opt),
				Monitoring: r.Bool(c, "/variableCharacteristics/supportsMonitoring", need),
			}
		}
		m.Data = append(m.Data, d)
	})
	return m
}

func decodeAttribute(r *reading.Reader, n jsondoc.Node) Attribute {
	a := Attribute{
		Type:       r.Word(n, "/variableAttribute/*/type", opt),
		Value:      r.Word(n, "/variableAttribute/*/value", opt),
		Mutability: r.Word(n, "/variableAttribute/*/mutability", opt),
		Persistent: r.Bool(n, "/variableAttribute/*/persistent", opt),
		Constant:   r.Bool(n, "/variableAttribute/*/constant", opt),
	}
	// What the specification says their absence means.
	if a.Type == "" {
		a.Type = "Actual"
	}
	if a.Mutability == "" {
		a.Mutability = "ReadWrite"
	}
	return a
}

func decodeMonitoringReport(r *reading.Reader, p jsondoc.Node) *NotifyMonitoringReport {
	m := &NotifyMonitoringReport{
		Request:   r.Int(p, "/requestId", need),
		Generated: r.Time(p, "/generatedAt", need),
		SeqNo:     r.Int(p, "/seqNo", need),
		More:      r.Bool(p, "/tbc", opt),
	}
	eachUnder(r, p, "/monitor", opt, func(n jsondoc.Node) {
		d := MonitoringData{Component: decodeComponent(r, n), Variable: decodeVariable(r, n)}
		r.List(n, "/variableMonitoring", need, func(v jsondoc.Node) {
			d.Monitors = append(d.Monitors, Monitor{
				ID:           r.Int(v, "/variableMonitoring/*/id", need),
				Transaction:  r.Bool(v, "/variableMonitoring/*/transaction", need),
				Value:        r.Float(v, "/variableMonitoring/*/value", need),
				Type:         r.Word(v, "/variableMonitoring/*/type", need),
				Severity:     r.Int(v, "/variableMonitoring/*/severity", need),
				Notification: r.Word(v, "/variableMonitoring/*/eventNotificationType", opt),
			})
		})
		m.Data = append(m.Data, d)
	})
	return m
}

package ocppj_test

import (
	"testing"

	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj/spec"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj/v16"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj/v2"
)

const (
	meterValues16 = `[2,"b5a7d8c2-0d1f-4b53-9d7e-6f0f2d4f9d11","MeterValues",{"connectorId":1,"transactionId":170045,"meterValue":[{"timestamp":"2026-08-22T10:15:30.123Z","sampledValue":[` +
		`{"value":"1523400","context":"Sample.Periodic","measurand":"Energy.Active.Import.Register","unit":"Wh"},` +
		`{"value":"10873.2","context":"Sample.Periodic","measurand":"Power.Active.Import","unit":"W"},` +
		`{"value":"15.8","context":"Sample.Periodic","measurand":"Current.Import","phase":"L1","unit":"A"},` +
		`{"value":"15.7","context":"Sample.Periodic","measurand":"Current.Import","phase":"L2","unit":"A"},` +
		`{"value":"15.9","context":"Sample.Periodic","measurand":"Current.Import","phase":"L3","unit":"A"},` +
		`{"value":"229.8","context":"Sample.Periodic","measurand":"Voltage","phase":"L1-N","unit":"V"},` +
		`{"value":"230.4","context":"Sample.Periodic","measurand":"Voltage","phase":"L2-N","unit":"V"},` +
		`{"value":"231.0","context":"Sample.Periodic","measurand":"Voltage","phase":"L3-N","unit":"V"},` +
		`{"value":"43","context":"Sample.Periodic","measurand":"SoC","unit":"Percent","location":"EV"},` +
		`{"value":"31.5","context":"Sample.Periodic","measurand":"Temperature","unit":"Celsius"}]}]}]`
	status16 = `[2,"b5a7d8c2-0d1f-4b53-9d7e-6f0f2d4f9d12","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Charging","timestamp":"2026-08-22T10:15:30.123Z"}]`
	event2   = `[2,"b5a7d8c2-0d1f-4b53-9d7e-6f0f2d4f9d13","TransactionEvent",{"eventType":"Updated","timestamp":"2026-08-22T10:15:30.123Z","triggerReason":"MeterValuePeriodic","seqNo":12,` +
		`"transactionInfo":{"transactionId":"b5a7d8c2-0d1f-4b53-9d7e-6f0f2d4f9d14","chargingState":"Charging"},"evse":{"id":1,"connectorId":1},` +
		`"meterValue":[{"timestamp":"2026-08-22T10:15:30.123Z","sampledValue":[{"value":1523400,"measurand":"Energy.Active.Import.Register","unitOfMeasure":{"unit":"Wh"}},` +
		`{"value":10873.2,"measurand":"Power.Active.Import","unitOfMeasure":{"unit":"W"}},{"value":43,"measurand":"SoC","location":"EV"}]}]}]`
)

// A whole inbound frame: parsed, checked against the specification, decoded.
func BenchmarkInbound(b *testing.B) {
	decode16 := func(action string, p jsondoc.Node) []ocppj.Quirk {
		_, quirks := v16.Decode(action, p)
		return quirks
	}
	decode2 := func(action string, p jsondoc.Node) []ocppj.Quirk {
		_, quirks := v2.Decode(action, p)
		return quirks
	}
	frames := map[string]struct {
		v      ocppj.Version
		frame  string
		decode func(string, jsondoc.Node) []ocppj.Quirk
	}{
		"MeterValues16":        {ocppj.V16, meterValues16, decode16},
		"StatusNotification16": {ocppj.V16, status16, decode16},
		"TransactionEvent201":  {ocppj.V201, event2, decode2},
	}
	for name, f := range frames {
		b.Run(name, func(b *testing.B) {
			table := spec.New()
			var d jsondoc.Doc
			frame := []byte(f.frame)
			b.SetBytes(int64(len(frame)))
			b.ReportAllocs()
			for b.Loop() {
				got, err := ocppj.Parse(&d, f.v, frame)
				if err != nil {
					b.Fatal(err)
				}
				if faults := table.CheckRequest(f.v, got.Action, got.Payload); faults != nil {
					b.Fatal(faults)
				}
				if quirks := f.decode(got.Action, got.Payload); quirks != nil {
					b.Fatal(quirks)
				}
			}
		})
	}
}

// The steps of the large frame alone.
func BenchmarkSteps(b *testing.B) {
	var d jsondoc.Doc
	frame := []byte(meterValues16)
	table := spec.New()
	got, err := ocppj.Parse(&d, ocppj.V16, frame)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("parse", func(b *testing.B) {
		var d jsondoc.Doc
		b.ReportAllocs()
		for b.Loop() {
			if _, err := ocppj.Parse(&d, ocppj.V16, frame); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("check", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			table.CheckRequest(ocppj.V16, got.Action, got.Payload)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			v16.Decode(got.Action, got.Payload)
		}
	})
	b.Run("table", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			spec.New().Known(ocppj.V21, "Heartbeat")
		}
	})
}

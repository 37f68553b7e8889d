package spec_test

import (
	"testing"

	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj/spec"
)

const meterValues = `[2,"b5a7d8c2-0d1f-4b53-9d7e-6f0f2d4f9d11","MeterValues",{"connectorId":1,"transactionId":170045,"meterValue":[{"timestamp":"2026-08-22T10:15:30.123Z","sampledValue":[` +
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

func BenchmarkCheckMeterValues(b *testing.B) {
	table := spec.New()
	var d jsondoc.Doc
	f, err := ocppj.Parse(&d, ocppj.V16, []byte(meterValues))
	if err != nil {
		b.Fatal(err)
	}
	if faults := table.CheckRequest(ocppj.V16, f.Action, f.Payload); faults != nil {
		b.Fatal(faults)
	}
	b.ReportAllocs()
	for b.Loop() {
		table.CheckRequest(ocppj.V16, f.Action, f.Payload)
	}
}

func BenchmarkParseMeterValues(b *testing.B) {
	var d jsondoc.Doc
	frame := []byte(meterValues)
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ocppj.Parse(&d, ocppj.V16, frame); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadTable(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		spec.New().Known(ocppj.V21, "Heartbeat")
	}
}

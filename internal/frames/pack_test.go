package frames

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkPack compresses a block of meter values, which the writer does for
// every 128 KiB of frames.
func BenchmarkPack(b *testing.B) {
	d := &draft{}
	for n := 0; len(d.raw) < 128<<10; n++ {
		f := numbered(fmt.Sprint("DE-CW-", n*7919%1000), n)
		f.Data = fmt.Appendf(nil, `[2,"%016x","MeterValues",{"connectorId":1,"transactionId":%d,"meterValue":[{"timestamp":"%s","sampledValue":[`+
			`{"value":"%d.%d","measurand":"Voltage","phase":"L1-N","unit":"V"},{"value":"%d","measurand":"Energy.Active.Import.Register","unit":"Wh"},`+
			`{"value":"%d","measurand":"Power.Active.Import","unit":"W"}]}]}]`,
			uint64(n)*0x9e3779b97f4a7c15, n%1000, f.At.Format(time.RFC3339), 228+n%5, n%10, 1_000_000+n*7, 10_000+n*31%900)
		d.raw = appendFrame(d.raw, &f, int64(n)*1000)
		d.count++
	}
	p, err := newPacker()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(d.raw)))
	packed := 0
	for b.Loop() {
		packed = len(p.pack(d))
	}
	b.ReportMetric(float64(len(d.raw))/float64(packed), "raw/packed")
}

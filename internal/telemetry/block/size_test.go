package block_test

import (
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/telemetry/block"
	"github.com/chargewatch/chargewatch/internal/telemetry/telemetrytest"
)

// network collects the columns of a day, by port and hour.
func network(stations int) map[event.Subject]map[int64][]block.Column {
	w := telemetrytest.New(telemetrytest.Options{Stations: stations})
	out := map[event.Subject]map[int64][]block.Column{}
	var events []*event.Event
	for range 24 * 120 {
		events = w.Step(events[:0])
		for _, e := range events {
			hours := out[e.Subject]
			if hours == nil {
				hours = map[int64][]block.Column{}
				out[e.Subject] = hours
			}
			for at, s := range e.Body.(*event.Meter).Samples.All() {
				hour := at.Unix() / 3600
				key := block.Key{Measurand: s.Measurand, Phase: s.Phase, Location: s.Location, Unit: s.Unit}
				found := false
				for i, c := range hours[hour] {
					if c.Key == key {
						hours[hour][i].Times = append(c.Times, at.UnixMilli())
						hours[hour][i].Values = append(c.Values, s.Value)
						found = true
						break
					}
				}
				if !found {
					hours[hour] = append(hours[hour], block.Column{Key: key, Times: []int64{at.UnixMilli()}, Values: []float64{s.Value}})
				}
			}
		}
	}
	return out
}

func BenchmarkBlock(b *testing.B) {
	ports := network(20)
	e, err := block.NewEncoder()
	if err != nil {
		b.Fatal(err)
	}
	d, err := block.NewDecoder()
	if err != nil {
		b.Fatal(err)
	}
	type one struct {
		hour    int64
		columns []block.Column
		data    []byte
	}
	var blocks []one
	samples, bytes := 0, 0
	for _, hours := range ports {
		for hour, columns := range hours {
			data, err := e.Append(nil, hour, columns)
			if err != nil {
				b.Fatal(err)
			}
			for _, c := range columns {
				samples += len(c.Times)
			}
			bytes += len(data)
			blocks = append(blocks, one{hour, columns, data})
		}
	}
	perSample := float64(bytes) / float64(samples)
	perBlock := float64(samples) / float64(len(blocks))
	b.Run("encode", func(b *testing.B) {
		var buf []byte
		i := 0
		for b.Loop() {
			if buf, err = e.Append(buf[:0], blocks[i%len(blocks)].hour, blocks[i%len(blocks)].columns); err != nil {
				b.Fatal(err)
			}
			i++
		}
		b.ReportMetric(perSample, "B/sample")
		b.ReportMetric(perBlock*float64(b.N)/b.Elapsed().Seconds()/1e6, "Msamples/s")
	})
	b.Run("decode", func(b *testing.B) {
		i := 0
		for b.Loop() {
			if _, _, err := d.Decode(blocks[i%len(blocks)].data, nil); err != nil {
				b.Fatal(err)
			}
			i++
		}
		b.ReportMetric(perBlock, "samples/block")
		b.ReportMetric(perBlock*float64(b.N)/b.Elapsed().Seconds()/1e6, "Msamples/s")
	})
}

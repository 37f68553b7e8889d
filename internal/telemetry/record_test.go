package telemetry

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/telemetry/block"
)

func TestValuesOfTheTailKeepTheirBits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.OneOf(rapid.Float64(), rapid.Map(rapid.Int64(), func(n int64) float64 { return float64(n) }),
			rapid.Map(rapid.Int64Range(-1e9, 1e9), func(n int64) float64 { return float64(n) / 100 }),
			rapid.Map(rapid.Uint64(), math.Float64frombits)).Draw(t, "value")
		got, rest, ok := readValue(append(appendValue(nil, v), 9))
		if !ok || math.Float64bits(got) != math.Float64bits(v) || len(rest) != 1 {
			t.Fatalf("%v (%x) reads as %v, %v, %v", v, math.Float64bits(v), got, rest, ok)
		}
	})
}

func FuzzChunk(f *testing.F) {
	in := intake{s: &Store{}, chunk: []byte{chunkVersion}}
	in.group(newPort(7, Port{}), 495_000, 1000, []event.Sample{{Measurand: powerImport, Value: 5}, {Measurand: "Own", Phase: "P", Unit: "U", Value: math.Pi}})
	f.Add(in.chunk)
	f.Add([]byte{chunkVersion})
	f.Fuzz(func(t *testing.T, body []byte) {
		sum := crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli))
		err := eachEntry(binary.LittleEndian.AppendUint32(slices.Clone(body), sum), func(_, hour int64, record []byte) error {
			var m merger
			m.reset(hour)
			if err := m.records(record, nil); err != nil {
				return err
			}
			total := 0
			for _, c := range m.finish() {
				total += len(c.Times)
			}
			if total > block.MaxSamples || total > len(record) {
				t.Fatalf("%d samples of %d bytes", total, len(record))
			}
			return nil
		})
		if err == nil && len(body) == 0 {
			t.Fatal("nothing is no chunk")
		}
	})
}

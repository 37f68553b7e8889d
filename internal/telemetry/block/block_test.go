package block

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const testHour = 495_000 // 2026-06-21T00:00Z

func coders(t testing.TB) (*Encoder, *Decoder) {
	t.Helper()
	e, err := NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	d, err := NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	return e, d
}

func same(a, b []Column) bool {
	return slices.EqualFunc(a, b, func(a, b Column) bool {
		return a.Key == b.Key && slices.Equal(a.Times, b.Times) && slices.EqualFunc(a.Values, b.Values, func(x, y float64) bool {
			return math.Float64bits(x) == math.Float64bits(y)
		})
	})
}

func drawKey(t *rapid.T) Key {
	return Key{
		Measurand: rapid.OneOf(rapid.SampledFrom(measurands[:]), rapid.StringN(0, 16, MaxText)).Draw(t, "measurand"),
		Phase:     rapid.OneOf(rapid.Just(""), rapid.SampledFrom(phases[:]), rapid.StringN(0, 8, MaxText)).Draw(t, "phase"),
		Location:  rapid.OneOf(rapid.Just(""), rapid.SampledFrom(locations[:]), rapid.StringN(0, 8, MaxText)).Draw(t, "location"),
		Unit:      rapid.OneOf(rapid.Just(""), rapid.Just("Fahrenheit"), rapid.StringN(0, 8, MaxText)).Draw(t, "unit"),
	}
}

// drawValues draws what stations send (decimals that wander) and what they
// should not (any bits at all).
func drawValues(t *rapid.T, n int) []float64 {
	out := make([]float64, n)
	switch rapid.IntRange(0, 3).Draw(t, "shape") {
	case 0:
		scale := uint8(rapid.IntRange(0, MaxScale).Draw(t, "scale"))
		level := rapid.Int64Range(-1e9, 1e9).Draw(t, "level")
		for i := range out {
			level += rapid.Int64Range(-50, 50).Draw(t, "step")
			out[i] = FromDecimal(level, scale)
		}
	case 1:
		v := rapid.Float64().Draw(t, "constant")
		for i := range out {
			out[i] = v
		}
	case 2:
		for i := range out {
			out[i] = math.Float64frombits(rapid.Uint64().Draw(t, "bits"))
		}
	default:
		for i := range out {
			out[i] = rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 1, 0.1, 230.4, 1e15, 1 << 53, 1<<53 + 2, -9.007199254740991e15,
				1e300, 5e-324, 0.0000001, 123456.654321, math.Inf(1), math.NaN()}).Draw(t, "value")
		}
	}
	return out
}

func drawColumns(t *rapid.T) []Column {
	lists := rapid.SliceOfN(rapid.SliceOfNDistinct(rapid.Int64Range(0, maxOffset), 1, 40, rapid.ID), 1, 3).Draw(t, "times")
	if rapid.Bool().Draw(t, "seconds") {
		for _, l := range lists {
			for i := range l {
				l[i] -= l[i] % 1000
			}
		}
	}
	for i := range lists {
		for j := range lists[i] {
			lists[i][j] += testHour * hourMillis
		}
		slices.Sort(lists[i])
		lists[i] = slices.Compact(lists[i])
	}
	keys := map[Key]bool{}
	var columns []Column
	for range rapid.IntRange(0, 10).Draw(t, "columns") {
		key := drawKey(t)
		if keys[key] {
			continue
		}
		keys[key] = true
		times := rapid.SampledFrom(lists).Draw(t, "list")
		columns = append(columns, Column{Key: key, Times: times, Values: drawValues(t, len(times))})
	}
	return columns
}

func TestWhatWasEncodedDecodesToTheSameBits(t *testing.T) {
	e, d := coders(t)
	rapid.Check(t, func(t *rapid.T) {
		columns := drawColumns(t)
		data, err := e.Append(nil, testHour, columns)
		if err != nil {
			t.Fatal(err)
		}
		hour, got, err := d.Decode(data, nil)
		if err != nil || hour != testHour || !same(columns, got) {
			t.Fatalf("decoded hour %d, %v\n got %v\nwant %v", hour, err, got, columns)
		}
		again, err := e.Append([]byte("before"), testHour, slices.Clone(columns))
		if err != nil || !bytes.Equal(again[len("before"):], data) {
			t.Fatalf("the same columns gave other bytes, %v", err)
		}
		for _, c := range columns {
			_, one, err := d.Decode(data, func(k Key) bool { return k == c.Key })
			if err != nil || !same(one, []Column{c}) {
				t.Fatalf("column %v alone: %v, %v", c.Key, one, err)
			}
		}
	})
}

func TestDamageIsNoticed(t *testing.T) {
	e, d := coders(t)
	rapid.Check(t, func(t *rapid.T) {
		data, err := e.Append(nil, testHour, drawColumns(t))
		if err != nil {
			t.Fatal(err)
		}
		at := rapid.IntRange(0, len(data)*8-1).Draw(t, "bit")
		data[at/8] ^= 1 << (at % 8)
		if _, _, err := d.Decode(data, nil); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("one bit changed: %v", err)
		}
		cut := rapid.IntRange(0, len(data)-1).Draw(t, "cut")
		if _, _, err := d.Decode(data[:cut], nil); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("cut to %d bytes: %v", cut, err)
		}
	})
}

func TestWhatDoesNotFitIsRefused(t *testing.T) {
	e, _ := coders(t)
	at := int64(testHour * hourMillis)
	one := func(times ...int64) []Column {
		return []Column{{Key: Key{Measurand: "Voltage"}, Times: times, Values: make([]float64, len(times))}}
	}
	many := make([]Column, MaxColumns+1)
	for i := range many {
		many[i] = Column{Key: Key{Measurand: "Voltage", Unit: string(rune('a' + i))}, Times: []int64{at}, Values: []float64{1}}
	}
	tests := map[string][]Column{
		"before the hour":           one(at - 1),
		"after the hour":            one(at + hourMillis),
		"times that do not rise":    one(at, at),
		"no sample":                 one(),
		"more columns than allowed": many,
		"a name without end":        {{Key: Key{Measurand: string(make([]byte, MaxText+1))}, Times: []int64{at}, Values: []float64{1}}},
	}
	for name, columns := range tests {
		t.Run(name, func(t *testing.T) {
			if data, err := e.Append(nil, testHour, columns); err == nil {
				t.Errorf("encoded to %d bytes", len(data))
			}
		})
	}
}

func TestKeysOfEveryTableAndNone(t *testing.T) {
	for i, m := range measurands {
		k := Key{Measurand: m, Phase: phases[i%len(phases)], Location: locations[i%len(locations)]}
		data := k.Append(nil)
		if len(data) != 2 {
			t.Errorf("%v takes %d bytes", k, len(data))
		}
		got, rest, err := ReadKey(append(data, 7))
		if err != nil || got != k || !bytes.Equal(rest, []byte{7}) {
			t.Errorf("%v reads as %v, %v", k, got, err)
		}
	}
}

func TestTheFormatPageListsTheMeasurands(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "formats", "telemetry.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(page), "Measurands, from 1:")
	list, _, _ = strings.Cut(list, ".\n")
	var listed []string
	for i, entry := range strings.Split(strings.Join(strings.Fields(list), " "), ", ") {
		number, name, _ := strings.Cut(entry, " ")
		if number != strconv.Itoa(i+1) {
			t.Errorf("entry %d is %q", i+1, entry)
		}
		listed = append(listed, name)
	}
	if !slices.Equal(listed, measurands[:]) {
		t.Errorf("the page lists %v", listed)
	}
}

func TestDecimalFindsEveryShortDecimal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(-1e12, 1e12).Draw(t, "number")
		scale := uint8(rapid.IntRange(0, MaxScale).Draw(t, "scale"))
		v := FromDecimal(n, scale)
		got, s, ok := Decimal(v)
		if !ok || s > scale || FromDecimal(got, s) != v {
			t.Fatalf("%d/10^%d = %v: %d/10^%d, %v", n, scale, v, got, s, ok)
		}
	})
}

// goldens are the blocks that every later version must read.
func goldens() map[string][]Column {
	start := int64(testHour * hourMillis)
	var ac, jitter []int64
	for i := range 120 {
		ac = append(ac, start+int64(i)*30_000)
		jitter = append(jitter, start+int64(i)*29_000+int64(i*i%997))
	}
	fill := func(f func(i int) float64) []float64 {
		out := make([]float64, 120)
		for i := range out {
			out[i] = f(i)
		}
		return out
	}
	return map[string][]Column{
		"v1-empty": nil,
		"v1-one":   {{Key: Key{Measurand: "SoC", Location: "EV"}, Times: []int64{start + maxOffset}, Values: []float64{55}}},
		"v1-ac": {
			{Key: Key{Measurand: "Energy.Active.Import.Register"}, Times: ac, Values: fill(func(i int) float64 { return float64(1_000_000 + i*92 + i%3) })},
			{Key: Key{Measurand: "Power.Active.Import"}, Times: ac, Values: fill(func(i int) float64 { return 11_040 + float64(i*7919%50) })},
			{Key: Key{Measurand: "Voltage", Phase: "L1-N"}, Times: ac, Values: fill(func(i int) float64 { return FromDecimal(int64(2300+i*31%9), 1) })},
			{Key: Key{Measurand: "Current.Import", Phase: "L2"}, Times: ac, Values: fill(func(i int) float64 { return FromDecimal(int64(1600+i*17%11), 2) })},
			{Key: Key{Measurand: "Current.Offered"}, Times: ac, Values: fill(func(int) float64 { return 16 })},
		},
		"v1-odd": {
			{Key: Key{Measurand: "Vendor.Odd", Phase: "L9", Location: "Roof", Unit: "furlong"}, Times: jitter, Values: fill(func(i int) float64 { return math.Sin(float64(i)) })},
			{Key: Key{Measurand: "Power.Factor"}, Times: jitter[:60], Values: fill(func(i int) float64 { return 1 - float64(i)/7 })[:60]},
			{Key: Key{Measurand: "Temperature", Location: "Body", Unit: "K"}, Times: jitter, Values: fill(func(i int) float64 { return -20 + float64(i)/2 })},
		},
	}
}

var update = flag.Bool("update", false, "write golden files that are missing")

func TestGoldenBlocksStillDecode(t *testing.T) {
	e, d := coders(t)
	for name, columns := range goldens() {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", name+".block")
			fresh, err := e.Append(nil, testHour, columns)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(path); *update && errors.Is(err, os.ErrNotExist) {
				if err := os.WriteFile(path, fresh, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			hour, got, err := d.Decode(data, nil)
			if err != nil || hour != testHour || !same(columns, got) {
				t.Errorf("decodes to hour %d, %v, %v", hour, got, err)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	e, d := coders(f)
	for _, columns := range goldens() {
		data, err := e.Append(nil, testHour, columns)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data[:len(data)-trailerSize], false)
		r, err := d.open(data)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(slices.Clone(r.data), true)
	}
	f.Fuzz(func(t *testing.T, body []byte, payload bool) {
		// Length and checksum are put right, so that what they guard is reached.
		if payload {
			body = append(binary.AppendUvarint([]byte{Version, 0}, uint64(len(body))), body...)
		}
		data := binary.LittleEndian.AppendUint32(slices.Clone(body), checksum(body))
		hour, columns, err := d.Decode(data, nil)
		if err != nil {
			return
		}
		total := 0
		for _, c := range columns {
			total += len(c.Times)
			if len(c.Times) != len(c.Values) || !slices.IsSorted(c.Times) ||
				c.Times[0] < hour*hourMillis || c.Times[len(c.Times)-1] > hour*hourMillis+maxOffset {
				t.Fatalf("column %v of hour %d: times %v", c.Key, hour, c.Times)
			}
		}
		if total > MaxSamples || cap(d.payload) > MaxPayload {
			t.Fatalf("%d samples, %d bytes of payload", total, cap(d.payload))
		}
	})
}

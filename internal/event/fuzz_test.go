package event_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/chargewatch/chargewatch/internal/event"
)

// sampleGen draws samples as the journal stores them: times in milliseconds,
// finite values.
func sampleGen() *rapid.Generator[event.Samples] {
	word := rapid.OneOf(rapid.SampledFrom([]string{"", "Voltage", "SoC", "L1", "L1-N", "EV", "Trigger", "E", "k W"}), rapid.String())
	value := rapid.OneOf(rapid.Float64(), rapid.Map(rapid.IntRange(-1_000_000, 1_000_000), func(n int) float64 { return float64(n) / 10 }))
	one := rapid.Custom(func(t *rapid.T) event.Sample {
		v := value.Filter(func(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) && (v != 0 || !math.Signbit(v)) }).Draw(t, "value")
		name := word.Draw(t, "measurand")
		return event.Sample{
			Measurand: name, Phase: word.Draw(t, "phase"), Location: word.Draw(t, "location"),
			Context: word.Draw(t, "context"), Unit: word.Draw(t, "unit"), Value: v,
		}
	})
	group := rapid.Custom(func(t *rapid.T) event.SampleGroup {
		g := event.SampleGroup{}
		if ms := rapid.Int64Range(-1<<40, 1<<42).Draw(t, "ms"); ms != 0 {
			g.At = time.UnixMilli(ms).UTC()
		}
		g.Values = rapid.SliceOfN(one, 1, 5).Draw(t, "values")
		return g
	})
	return rapid.Custom(func(t *rapid.T) event.Samples {
		return rapid.SliceOfN(group, 1, 4).Draw(t, "groups")
	})
}

func TestSamplesReadBackAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := sampleGen().Draw(t, "samples")
		text := want.AppendText(nil)
		got, err := event.ParseSamples(string(text))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q\nread %+v\nwant %+v", text, got, want)
		}
		quoted, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var back event.Samples
		if err := json.Unmarshal(quoted, &back); err != nil || !reflect.DeepEqual(back, want) {
			t.Fatalf("%s read %+v, %v", quoted, back, err)
		}
	})
}

func FuzzParseSamples(f *testing.F) {
	for _, s := range []string{
		"", "0", "1795300000000 E=123456 P=11000.5 U/L1=230|1795300030000 S=55 T@Body=31 X!Trigger~kW=1e-7", "1 =1", "x", "1 E", "1 %zz=1", "| |", "1 E=NaN",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := event.ParseSamples(text)
		if err != nil {
			return
		}
		stored := string(got.AppendText(nil))
		again, err := event.ParseSamples(stored)
		if err != nil {
			t.Fatalf("%q was read and stored as %q, which does not read: %v", text, stored, err)
		}
		if twice := string(again.AppendText(nil)); twice != stored {
			t.Fatalf("%q is stored as %q and then as %q", text, stored, twice)
		}
	})
}

func FuzzDecodeBody(f *testing.F) {
	kinds := event.Kinds()
	for i, kind := range kinds {
		data, err := os.ReadFile(filepath.Join("testdata", "events", string(kind)+".v1.json"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(i, data)
	}
	f.Fuzz(func(t *testing.T, n int, data []byte) {
		kind := kinds[max(n%len(kinds), 0)]
		body, err := event.DecodeBody(kind, data)
		if err != nil {
			return
		}
		stored, err := event.AppendBody(nil, body)
		if err != nil {
			t.Fatalf("%s %q was read and cannot be stored: %v", kind, data, err)
		}
		again, err := event.DecodeBody(kind, stored)
		if err != nil {
			t.Fatalf("%s %q was stored as %q, which does not read: %v", kind, data, stored, err)
		}
		twice, err := event.AppendBody(nil, again)
		if err != nil || string(twice) != string(stored) {
			t.Fatalf("%s is stored as %q and then as %q, %v", kind, stored, twice, err)
		}
	})
}

func FuzzParseSubject(f *testing.F) {
	for _, s := range []string{"station/DE-HAM-0042/1/1", "server/self", "station/a/0/1", "station/a/-1", "x", "station//1", "station/a/1/1/1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := event.ParseSubject(text)
		if err != nil {
			return
		}
		again, err := event.ParseSubject(s.String())
		if err != nil || again != s {
			t.Fatalf("%q is %+v, written %q and read %+v, %v", text, s, s, again, err)
		}
	})
}

package reading_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj/reading"
)

func parse(t testing.TB, text string) jsondoc.Node {
	t.Helper()
	var d jsondoc.Doc
	if err := d.Parse([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return d.Root()
}

// An element of a list costs a frame three bytes and us much more.
func TestListsAreBounded(t *testing.T) {
	const many = 100_000
	list := "[" + strings.Repeat("{},", many) + "{}]"
	tests := map[string]func(r *reading.Reader) int{
		"a list": func(r *reading.Reader) int {
			n := 0
			r.List(parse(t, `{"a":`+list+`}`), "/a", reading.Required, func(jsondoc.Node) { n++ })
			return n
		},
		"meter values": func(r *reading.Reader) int {
			return len(r.MeterValues(parse(t, `{"a":`+list+`}`), "/a", reading.Required, reading.Form16))
		},
		"samples": func(r *reading.Reader) int {
			v := r.MeterValues(parse(t, `{"a":[{"sampledValue":`+list+`}]}`), "/a", reading.Required, reading.Form2)
			return len(v[0].Samples) + 1
		},
	}
	for name, read := range tests {
		t.Run(name, func(t *testing.T) {
			var r reading.Reader
			if n := read(&r); n != 1<<16 {
				t.Errorf("%d elements were read", n)
			}
			found := false
			for _, q := range r.Quirks() {
				found = found || q.Code == ocppj.QuirkItems
			}
			if !found {
				t.Errorf("nobody is told: %v", r.Quirks())
			}
		})
	}
}

func TestQuirksAreBoundedAndSaidOnce(t *testing.T) {
	var r reading.Reader
	for i := range 100 {
		r.Quirk("code", fmt.Sprintf("/%d", i%50), "")
	}
	if len(r.Quirks()) != 32 {
		t.Errorf("%d quirks", len(r.Quirks()))
	}
	before := r.Under("/a")
	r.Back(before)
	if before != "" {
		t.Errorf("stood under %q", before)
	}
}

// Whatever a meter value looks like, each sample keeps the text of its own value.
func TestSamplesKeepTheirText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want []string
		var groups []string
		for range rapid.IntRange(0, 4).Draw(t, "groups") {
			var samples []string
			for range rapid.IntRange(0, 5).Draw(t, "samples") {
				switch rapid.IntRange(0, 5).Draw(t, "kind") {
				case 0:
					samples = append(samples, `7`) // no sample at all
				case 1:
					samples = append(samples, `{"unit":"Wh"}`)
					want = append(want, "")
				case 2:
					samples = append(samples, `{"value":{"value":"no"}}`)
					want = append(want, "")
				case 3:
					v := rapid.StringMatching(`[a-z]{0,9}`).Draw(t, "text")
					samples = append(samples, fmt.Sprintf(`{"unit":"A","value":"%s\u0041"}`, v))
					want = append(want, v+"A")
				default:
					v := rapid.StringMatching(`[1-9][0-9]{0,9}`).Draw(t, "number")
					samples = append(samples, `{"value":`+v+`,"phase":"L1"}`)
					want = append(want, v)
				}
			}
			list := "[" + strings.Join(samples, ",") + "]"
			if len(samples) == 1 && rapid.Bool().Draw(t, "alone") {
				list = samples[0]
			}
			groups = append(groups, `{"timestamp":"2026-08-22T10:15:30Z","sampledValue":`+list+`}`)
			if rapid.Bool().Draw(t, "noise") {
				groups = append(groups, rapid.SampledFrom([]string{`3`, `[{"value":"x"}]`, `"x"`}).Draw(t, "what"))
			}
		}
		var d jsondoc.Doc
		text := `{"meterValue":[` + strings.Join(groups, ",") + `]}`
		if err := d.Parse([]byte(text)); err != nil {
			t.Fatal(err)
		}
		var r reading.Reader
		var got []string
		for _, v := range r.MeterValues(d.Root(), "/meterValue", reading.Required, reading.Form16) {
			for _, s := range v.Samples {
				got = append(got, s.Raw)
			}
		}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Fatalf("%s\ngot  %q\nwant %q", text, got, want)
		}
	})
}

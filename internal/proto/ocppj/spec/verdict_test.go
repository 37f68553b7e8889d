package spec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
)

// Samples made from the schemas, and the same with one thing made wrong, must
// get the same verdict from our check as from a JSON schema validator.
func TestVerdictIsThatOfASchemaValidator(t *testing.T) {
	const rounds = 6
	table := New()
	for _, v := range ocppj.Versions() {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			refused := 0
			for name, s := range schemas(t, v) {
				sh := shapeOf(table, v, name)
				judge := compile(t, s)
				r := rand.New(rand.NewPCG(1, uint64(len(name))))
				m := maker{r: r, c: comparison{root: s}}
				for round := range rounds {
					sample := m.object(s, round%2 == 0).(map[string]any)
					agree(t, name, sample, judge, sh)
					for range 6 {
						broken := m.spoil(clone(t, sample).(map[string]any), s)
						if agree(t, name, broken, judge, sh) {
							refused++
						}
					}
				}
			}
			if refused < 500 {
				t.Errorf("only %d of the spoilt samples were refused: the test spoils too little", refused)
			}
		})
	}
}

func compile(t *testing.T, s map[string]any) *jsonschema.Schema {
	t.Helper()
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	id := s["$id"].(string)
	if err := c.AddResource(id, doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile(id)
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// agree compares the verdicts and says whether the sample was refused.
func agree(t *testing.T, name string, sample any, judge *jsonschema.Schema, sh *shape) bool {
	t.Helper()
	raw, err := json.Marshal(sample)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	want := judge.Validate(doc)
	var d jsondoc.Doc
	if err := d.Parse(raw); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	got := check(sh, d.Root())
	if (want == nil) != (got == nil) {
		t.Errorf("%s: %.500s\nours: %v\nvalidator: %v", name, raw, got, want)
	}
	return want != nil
}

func clone(t *testing.T, v any) any {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var twin any
	if err := json.Unmarshal(raw, &twin); err != nil {
		t.Fatal(err)
	}
	return twin
}

// maker makes values that a schema allows.
type maker struct {
	r *rand.Rand
	c comparison
}

// object fills all fields, or only those that are required and some others.
func (m maker) object(s map[string]any, all bool) any {
	o := map[string]any{}
	properties, _ := s["properties"].(map[string]any)
	var required []any
	if list, ok := s["required"].([]any); ok {
		required = list
	}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if all || slices.Contains(required, any(name)) || m.r.IntN(4) == 0 {
			o[name] = m.value(m.c.resolve(properties[name].(map[string]any)), all && m.r.IntN(3) > 0)
		}
	}
	return o
}

func (m maker) value(s map[string]any, all bool) any {
	switch s["type"] {
	case "object":
		return m.object(s, all)
	case "array":
		low, high := 0, 3
		if v, ok := s["minItems"].(float64); ok {
			low = int(v)
		}
		if v, ok := s["maxItems"].(float64); ok {
			high = min(high, int(v))
		}
		list := []any{}
		for range low + m.r.IntN(max(1, high-low+1)) {
			list = append(list, m.value(m.c.resolve(s["items"].(map[string]any)), all))
		}
		return list
	case "string":
		return m.text(s)
	case "boolean":
		return m.r.IntN(2) == 0
	case "integer", "number":
		low, high := -1000, 1000
		if v, ok := s["minimum"].(float64); ok {
			low = int(v)
		}
		if v, ok := s["maximum"].(float64); ok {
			high = int(v)
		}
		if m.r.IntN(4) == 0 {
			return []int{low, high}[m.r.IntN(2)]
		}
		whole := low + m.r.IntN(high-low+1)
		if s["type"] == "number" && whole < high && m.r.IntN(2) == 0 {
			return float64(whole) + 0.5
		}
		return whole
	}
	return []any{"anything", 1, nil, map[string]any{"a": 1}}[m.r.IntN(4)]
}

func (m maker) text(s map[string]any) string {
	switch {
	case s["enum"] != nil:
		words := s["enum"].([]any)
		return words[m.r.IntN(len(words))].(string)
	case s["format"] == "date-time":
		return []string{"2026-08-22T10:15:30Z", "2026-08-22T10:15:30.123+02:00", "2026-02-28t23:59:59z"}[m.r.IntN(3)]
	case s["format"] == "uri":
		return []string{"ftp://user:pw@example.com/path/file.bin", "https://example.com/a?b=c#d", "sftp://[2001:db8::1]:22/x"}[m.r.IntN(3)]
	}
	limit := 30
	if v, ok := s["maxLength"].(float64); ok {
		limit = int(v)
	}
	if m.r.IntN(3) == 0 {
		return strings.Repeat("é", min(limit, 300))
	}
	return "text"[:min(4, limit)]
}

// spoil changes one thing somewhere in a sample. Not every change makes it
// invalid: an unknown field is fine where an object is open.
func (m maker) spoil(o map[string]any, s map[string]any) map[string]any {
	properties, _ := s["properties"].(map[string]any)
	names := slices.Sorted(maps.Keys(o))
	if len(names) == 0 || m.r.IntN(6) == 0 {
		o["surplus"] = 1
		return o
	}
	name := names[m.r.IntN(len(names))]
	p, ok := properties[name].(map[string]any)
	if !ok {
		delete(o, name)
		return o
	}
	if m.r.IntN(6) == 0 {
		delete(o, name)
		return o
	}
	o[name] = m.spoilt(o[name], m.c.resolve(p))
	return o
}

func (m maker) spoilt(v any, s map[string]any) any {
	if m.r.IntN(5) == 0 {
		return []any{nil, "text", 17, 0.25, true, []any{}, map[string]any{}}[m.r.IntN(7)]
	}
	switch v := v.(type) {
	case map[string]any:
		return m.spoil(v, s)
	case []any:
		return m.spoiltList(v, s)
	case string:
		if limit, ok := s["maxLength"].(float64); ok && m.r.IntN(2) == 0 {
			return strings.Repeat("é", int(limit)+1)
		}
		return []any{v + "x", "", "2026-13-01T00:00:00Z", "2026-08-22T10:15:30", "not this one"}[m.r.IntN(5)]
	case float64:
		for _, key := range []string{"minimum", "maximum"} {
			if bound, ok := s[key].(float64); ok && m.r.IntN(2) == 0 {
				return map[string]float64{"minimum": bound - 1, "maximum": bound + 1}[key]
			}
		}
		return []any{v + 0.25, v - 5000, fmt.Sprint(v)}[m.r.IntN(3)]
	}
	return v
}

func (m maker) spoiltList(v []any, s map[string]any) any {
	items := m.c.resolve(s["items"].(map[string]any))
	switch m.r.IntN(3) {
	case 0:
		return []any{}
	case 1:
		if limit, ok := s["maxItems"].(float64); ok && limit < 50 {
			for len(v) <= int(limit) {
				v = append(v, m.value(items, false))
			}
			return v
		}
	}
	if len(v) > 0 {
		i := m.r.IntN(len(v))
		v[i] = m.spoilt(v[i], items)
	}
	return v
}

package spec

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
)

// The table is compared with the JSON schemas that the npm package ocpp-rpc
// carries. "npm ci" in test/schemas installs it; make test does that.
const schemaFolder = "../../../../test/schemas/node_modules/ocpp-rpc/lib/schemas"

func schemaFile(v ocppj.Version) string {
	return map[ocppj.Version]string{
		ocppj.V16: "ocpp1_6.json", ocppj.V201: "ocpp2_0_1.json", ocppj.V21: "ocpp2_1.json",
	}[v]
}

// schemas are the schemas of one version by message: "Authorize.req".
func schemas(t *testing.T, v ocppj.Version) map[string]map[string]any {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(schemaFolder, schemaFile(v)))
	if err != nil {
		t.Fatalf("make test installs the schemas, or npm ci in test/schemas: %v", err)
	}
	var all []map[string]any
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	byName := map[string]map[string]any{}
	for _, s := range all {
		name := strings.TrimPrefix(s["$id"].(string), "urn:")
		if cut, ok := strings.CutSuffix(name, "Request"); ok {
			name = cut + ".req"
		} else if cut, ok := strings.CutSuffix(name, "Response"); ok {
			name = cut + ".conf"
		} else if !strings.Contains(name, ".") {
			name += ".req"
		}
		byName[name] = s
	}
	return byName
}

// shapeOf is what the table has for a message of the schemas.
func shapeOf(table *Table, v ocppj.Version, name string) *shape {
	action, side, _ := strings.Cut(name, ".")
	m := table.messages(v)[action]
	switch {
	case m == nil:
		return nil
	case side == "req":
		return m.request
	default:
		return m.response
	}
}

func TestTableSaysWhatTheSchemasSay(t *testing.T) {
	table := New()
	for _, v := range ocppj.Versions() {
		t.Run(v.String(), func(t *testing.T) {
			all := schemas(t, v)
			for name, s := range all {
				c := comparison{t: t, root: s}
				sh := shapeOf(table, v, name)
				if sh == nil {
					t.Errorf("%s is not in the table", name)
					continue
				}
				c.object(name, s, sh)
			}
			for action, m := range table.messages(v) {
				if all[action+".req"] == nil {
					t.Errorf("the table has %s, which the schemas do not", action)
				}
				if (m.response != nil) != (all[action+".conf"] != nil) {
					t.Errorf("%s: response in only one of both", action)
				}
			}
		})
	}
}

type comparison struct {
	t    *testing.T
	root map[string]any
}

func (c comparison) resolve(s map[string]any) map[string]any {
	for s["$ref"] != nil {
		name := strings.TrimPrefix(s["$ref"].(string), "#/definitions/")
		s = c.root["definitions"].(map[string]any)[name].(map[string]any)
	}
	return s
}

func (c comparison) same(path, what string, got, want any) {
	c.t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		c.t.Errorf("%s: %s is %v, the schema has %v", path, what, got, want)
	}
}

func (c comparison) object(path string, s map[string]any, sh *shape) {
	properties, _ := s["properties"].(map[string]any)
	required := map[string]bool{}
	if list, ok := s["required"].([]any); ok {
		for _, r := range list {
			required[r.(string)] = true
		}
	}
	var names []string
	for i := range sh.fields {
		f := &sh.fields[i]
		names = append(names, f.name)
		c.same(path+"/"+f.name, "required", sh.need>>i&1 == 1, required[f.name])
		if p, ok := properties[f.name].(map[string]any); ok {
			c.typ(path+"/"+f.name, c.resolve(p), &f.typ)
		}
	}
	slices.Sort(names)
	c.same(path, "fields", names, slices.Sorted(maps.Keys(properties)))
	c.same(path, "open", sh.open, s["additionalProperties"] != false)
}

func (c comparison) typ(path string, s map[string]any, got *typ) {
	limit := func(key string) any {
		if s[key] == nil {
			return 0
		}
		return s[key]
	}
	switch s["type"] {
	case nil:
		c.same(path, "kind", got.kind, kindAny)
	case "object":
		if got.kind != kindObject {
			c.t.Errorf("%s is no object in the table", path)
			return
		}
		c.object(path, s, got.object)
	case "array":
		if got.kind != kindArray {
			c.t.Errorf("%s is no array in the table", path)
			return
		}
		c.same(path, "minItems", got.min, limit("minItems"))
		c.same(path, "maxItems", got.max, limit("maxItems"))
		c.typ(path+"/*", c.resolve(s["items"].(map[string]any)), got.element)
	case "string":
		c.text(path, s, got)
	case "boolean":
		c.same(path, "kind", got.kind, kindBool)
	case "integer", "number":
		want := map[any]kind{"integer": kindInt, "number": kindNumber}[s["type"]]
		c.same(path, "kind", got.kind, want)
		for key, bound := range map[string]*float64{"minimum": got.low, "maximum": got.top} {
			if bound == nil {
				c.same(path, key, nil, s[key])
			} else {
				c.same(path, key, *bound, s[key])
			}
		}
		c.same(path, "step of a tenth", got.step, s["multipleOf"] == 0.1)
	default:
		c.t.Errorf("%s: the schema has the type %v", path, s["type"])
	}
}

func (c comparison) text(path string, s map[string]any, got *typ) {
	switch {
	case s["enum"] != nil:
		var words []string
		for _, w := range s["enum"].([]any) {
			words = append(words, w.(string))
		}
		slices.Sort(words)
		c.same(path, "words", slices.Sorted(maps.Keys(got.words)), words)
		c.same(path, "kind", got.kind, kindEnum)
	case s["format"] != nil:
		want := map[any]kind{"date-time": kindTime, "uri": kindURI}[s["format"]]
		c.same(path, "kind", got.kind, want)
	default:
		c.same(path, "kind", got.kind, kindText)
		limit := s["maxLength"]
		if limit == nil {
			limit = 0
		}
		c.same(path, "maxLength", got.max, limit)
	}
}

package fleet

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// judge compiles the schema that the catalogue is held to.
func judge(t *testing.T) *jsonschema.Schema {
	t.Helper()
	raw, err := os.ReadFile("catalogue.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("catalogue.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("catalogue.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheCatalogueIsAsItsSchemaSays(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(catalogueJSON))
	if err != nil {
		t.Fatal(err)
	}
	if err := judge(t).Validate(doc); err != nil {
		t.Error(err)
	}
}

func TestTheSchemaRefusesWhatIsNotKnownToBeRight(t *testing.T) {
	const model = `"vendor": "V", "model": "M", "source": "repository#1"`
	const evse = `"evse": 1, "current": "AC", "connectors": [{"connector": 1}]`
	tests := map[string]string{
		"no source":                      `[{"vendor": "V", "model": "M", "evses": [{` + evse + `}]}]`,
		"no EVSE":                        `[{` + model + `, "evses": []}]`,
		"a word of its own":              `[{` + model + `, "colour": "red", "evses": [{` + evse + `}]}]`,
		"kilowatts for watts":            `[{` + model + `, "evses": [{` + evse + `, "ratedW": 22}]}]`,
		"a connector of another version": `[{` + model + `, "evses": [{"evse": 1, "current": "AC", "connectors": [{"connector": 1, "type": "Type2"}]}]}]`,
		"shared power without a group":   `[{` + model + `, "evses": [{` + evse + `, "groupW": 50000}]}]`,
		"no current":                     `[{` + model + `, "evses": [{"evse": 1, "connectors": [{"connector": 1}]}]}]`,
		"a measurand nobody has":         `[{` + model + `, "evses": [{` + evse + `}], "configuration": {"unsupported": ["Noise"]}}]`,
		"hints that say nothing":         `[{` + model + `, "evses": [{` + evse + `}], "configuration": {}}]`,
	}
	s := judge(t)
	read := func(raw string) any {
		t.Helper()
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	if err := s.Validate(read(`[{` + model + `, "evses": [{` + evse + `}]}]`)); err != nil {
		t.Fatal("the right one:", err)
	}
	for name, raw := range tests {
		if s.Validate(read(raw)) == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// What a schema cannot say.
func TestTheCatalogueHasNothingTwice(t *testing.T) {
	dec := json.NewDecoder(bytes.NewReader(catalogueJSON))
	dec.DisallowUnknownFields() // the schema and the program know the same fields
	var models []Model
	if err := dec.Decode(&models); err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, m := range models {
		name := strings.ToLower(m.Vendor + "/" + m.Model)
		if seen[name] {
			t.Errorf("%s is there twice", name)
		}
		seen[name] = true
		connectors := make(map[int]bool)
		for i, v := range m.EVSEs {
			if v.EVSE != i+1 {
				t.Errorf("%s: EVSEs count up from 1, got %d", name, v.EVSE)
			}
			if v.RatedW > impossibleW || v.GroupW > impossibleW {
				t.Errorf("%s: no station has %v W", name, max(v.RatedW, v.GroupW))
			}
			for _, c := range v.Connectors {
				if connectors[c.Connector] {
					t.Errorf("%s: connector %d is there twice", name, c.Connector)
				}
				connectors[c.Connector] = true
			}
		}
	}
}

func TestLookupTellsHowAModelTakesConfiguration(t *testing.T) {
	m, ok := BuiltIn().Lookup("ETREL", "G-HB1V5CY20-A14")
	if !ok || !slices.Contains(m.Configuration.RebootAfter, "MeterValuesSampledData") || len(m.EVSEs) != 1 {
		t.Errorf("known: %v %+v", ok, m)
	}
	if m, ok := BuiltIn().Lookup("Etrel", "something new"); ok {
		t.Errorf("found what is not there: %+v", m)
	}
}

func TestTheLongestModelCounts(t *testing.T) {
	c := readCatalogue()
	tests := map[string]struct {
		vendor, model string
		evses         int
		plug          string
	}{
		"an article number with a known plug":  {"Alfen BV", "NG910-60023", 1, "sType2"},
		"another of that family, plug unknown": {"alfen bv", "ng910-60027", 1, ""},
		"a family with two sockets":            {"Alfen BV", "NG920-61001", 2, "sType2"},
		"another maker's model of that name":   {"Nobody", "NG920-61001", 0, ""},
		"no model at all":                      {"Alfen BV", "", 0, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := c.layout(tt.vendor, tt.model)
			if len(l) != tt.evses {
				t.Fatalf("%d EVSEs, want %d", len(l), tt.evses)
			}
			if len(l) > 0 && l[0].Connectors[0].Type != tt.plug {
				t.Errorf("plug %q, want %q", l[0].Connectors[0].Type, tt.plug)
			}
		})
	}
}

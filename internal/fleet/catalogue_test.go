package fleet

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strconv"
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

// What people write is judged by Check, and what comes along by the schema: they agree.
func TestCheckAndSchemaAgree(t *testing.T) {
	const evse = `"evse": 1, "current": "AC", "connectors": [{"connector": 1}]`
	const model = `"vendor": "V", "model": "M", "source": "repository#1"`
	long := strings.Repeat("x", 51)
	plugs := func(n int) string {
		var out []string
		for i := range n {
			out = append(out, `{"connector": `+strconv.Itoa(i+1)+`}`)
		}
		return strings.Join(out, ",")
	}
	tests := map[string]struct {
		json string
		ok   bool
	}{
		"the least":              {`{` + model + `, "evses": [{` + evse + `}]}`, true},
		"all that there is":      {`{` + model + `, "evses": [{"evse": 1, "ratedW": 22000, "current": "AC", "phases": 3, "group": "g", "groupW": 22000, "exclusive": true, "connectors": [{"connector": 1, "type": "sType2"}]}], "configuration": {"unsupported": ["SoC"], "rebootAfter": ["A.b_1"], "maxMeasurands": 4}, "quirks": ["unitSpelling"]}`, true},
		"nobody's":               {`{"vendor": "", "model": "M", "source": "repository#1", "evses": [{` + evse + `}]}`, false},
		"a long name":            {`{"vendor": "` + long + `", "model": "M", "source": "repository#1", "evses": [{` + evse + `}]}`, false},
		"no model":               {`{"vendor": "V", "model": "", "source": "repository#1", "evses": [{` + evse + `}]}`, false},
		"no source to speak of":  {`{"vendor": "V", "model": "M", "source": "me", "evses": [{` + evse + `}]}`, false},
		"no EVSE":                {`{` + model + `, "evses": []}`, false},
		"no current":             {`{` + model + `, "evses": [{"evse": 1, "connectors": [{"connector": 1}]}]}`, false},
		"kilowatts for watts":    {`{` + model + `, "evses": [{` + evse + `, "ratedW": 22}]}`, false},
		"more than there is":     {`{` + model + `, "evses": [{` + evse + `, "ratedW": 1500001}]}`, false},
		"four phases":            {`{` + model + `, "evses": [{` + evse + `, "phases": 4}]}`, false},
		"direct phases":          {`{` + model + `, "evses": [{"evse": 1, "current": "DC", "phases": 3, "connectors": [{"connector": 1}]}]}`, false},
		"shared without a group": {`{` + model + `, "evses": [{` + evse + `, "groupW": 50000}]}`, false},
		"alone without a group":  {`{` + model + `, "evses": [{` + evse + `, "exclusive": true}]}`, false},
		"a long group":           {`{` + model + `, "evses": [{` + evse + `, "group": "` + long + `"}]}`, false},
		"no connector":           {`{` + model + `, "evses": [{"evse": 1, "current": "AC", "connectors": []}]}`, false},
		"eight connectors":       {`{` + model + `, "evses": [{"evse": 1, "current": "AC", "connectors": [` + plugs(8) + `]}]}`, true},
		"nine connectors":        {`{` + model + `, "evses": [{"evse": 1, "current": "AC", "connectors": [` + plugs(9) + `]}]}`, false},
		"connector 33":           {`{` + model + `, "evses": [{"evse": 1, "current": "AC", "connectors": [{"connector": 33}]}]}`, false},
		"a plug of 1.6":          {`{` + model + `, "evses": [{"evse": 1, "current": "AC", "connectors": [{"connector": 1, "type": "Type2"}]}]}`, false},
		"a public id":            {`{` + model + `, "evses": [{` + evse + `, "publicId": "DE*A*E1"}]}`, false},
		"a measurand nobody has": {`{` + model + `, "evses": [{` + evse + `}], "configuration": {"unsupported": ["Noise"]}}`, false},
		"a measurand twice":      {`{` + model + `, "evses": [{` + evse + `}], "configuration": {"unsupported": ["SoC", "SoC"]}}`, false},
		"a key with a space":     {`{` + model + `, "evses": [{` + evse + `}], "configuration": {"rebootAfter": ["A b"]}}`, false},
		"room for none":          {`{` + model + `, "evses": [{` + evse + `}], "configuration": {"maxMeasurands": -1}}`, false},
		"room for too many":      {`{` + model + `, "evses": [{` + evse + `}], "configuration": {"maxMeasurands": 65}}`, false},
		"a habit twice":          {`{` + model + `, "evses": [{` + evse + `}], "quirks": ["a", "a"]}`, false},
		"a habit in words":       {`{` + model + `, "evses": [{` + evse + `}], "quirks": ["says nothing"]}`, false},
	}
	schema := judge(t)
	for _, plug := range ConnectorTypes() {
		tests["plug "+plug] = struct {
			json string
			ok   bool
		}{`{` + model + `, "evses": [{"evse": 1, "current": "AC", "connectors": [{"connector": 1, "type": "` + plug + `"}]}]}`, true}
	}
	for _, name := range KnownMeasurands() {
		tests["measurand "+name] = struct {
			json string
			ok   bool
		}{`{` + model + `, "evses": [{` + evse + `}], "configuration": {"unsupported": ["` + name + `"]}}`, true}
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			doc, err := jsonschema.UnmarshalJSON(strings.NewReader("[" + tt.json + "]"))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(doc); (err == nil) != tt.ok {
				t.Errorf("the schema: %v", err)
			}
			var m Model
			if err := json.Unmarshal([]byte(tt.json), &m); err != nil {
				t.Fatal(err)
			}
			if err := m.Check(); (err == nil) != tt.ok {
				t.Errorf("Check: %v", err)
			}
		})
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
		if err := m.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
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
	c := BuiltIn()
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
			l := c.Layout(tt.vendor, tt.model, false)
			if len(l) != tt.evses {
				t.Fatalf("%d EVSEs, want %d", len(l), tt.evses)
			}
			if len(l) > 0 && l[0].Connectors[0].Type != tt.plug {
				t.Errorf("plug %q, want %q", l[0].Connectors[0].Type, tt.plug)
			}
		})
	}
}

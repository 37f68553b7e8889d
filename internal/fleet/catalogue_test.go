package fleet

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// connectorTypes are those of OCPP 2.0.1 ConnectorEnumType.
const connectorTypes = " cCCS1 cCCS2 cG105 cTesla cType1 cType2 s309-1P-16A s309-1P-32A s309-3P-16A s309-3P-32A sBS1361 sCEE-7-7 " +
	"sType2 sType3 Other1PhMax16A Other1PhOver16A Other3Ph Pan wInductive wResonant Undetermined Unknown "

func TestTheCatalogueHoldsOnlyWhatItsFormAllows(t *testing.T) {
	dec := json.NewDecoder(bytes.NewReader(catalogueJSON))
	dec.DisallowUnknownFields()
	var models []Model
	if err := dec.Decode(&models); err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, m := range models {
		name := strings.ToLower(m.Vendor + "/" + m.Model)
		if m.Vendor == "" || m.Model == "" || m.Source == "" || len(m.EVSEs) == 0 {
			t.Errorf("%s: vendor, model, source and EVSEs are needed", name)
		}
		if seen[name] {
			t.Errorf("%s is there twice", name)
		}
		seen[name] = true
		connectors := make(map[int]bool)
		for i, v := range m.EVSEs {
			if v.EVSE != i+1 {
				t.Errorf("%s: EVSEs count up from 1, got %d", name, v.EVSE)
			}
			if v.Current != "AC" && v.Current != "DC" {
				t.Errorf("%s: current %q", name, v.Current)
			}
			if v.RatedW < 0 || v.RatedW > impossibleW || v.RatedW != 0 && v.RatedW < 1000 {
				t.Errorf("%s: rated %v W", name, v.RatedW)
			}
			if v.Exclusive && v.Group == "" || v.GroupW != 0 && v.Group == "" {
				t.Errorf("%s: what is shared needs a group", name)
			}
			if len(v.Connectors) == 0 {
				t.Errorf("%s: EVSE %d has no connector", name, v.EVSE)
			}
			for _, c := range v.Connectors {
				if c.Connector < 1 || connectors[c.Connector] {
					t.Errorf("%s: connector %d", name, c.Connector)
				}
				connectors[c.Connector] = true
				if c.Type != "" && !strings.Contains(connectorTypes, " "+c.Type+" ") {
					t.Errorf("%s: connector type %q", name, c.Type)
				}
			}
		}
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

package fleet

import (
	_ "embed"
	"encoding/json"
	"strings"

	"github.com/chargewatch/chargewatch/internal/event"
)

//go:embed catalogue.json
var catalogueJSON []byte

// Model is an entry of the catalogue: what a maker's model is built of. Facts
// that we do not know stay empty; nothing is guessed.
type Model struct {
	Vendor string             `json:"vendor"` // as in BootNotification, compared without case
	Model  string             `json:"model"`  // a prefix of the reported model
	Source string             `json:"source"`
	EVSEs  []event.EVSELayout `json:"evses"`
}

// Catalogue reads the built-in models.
func Catalogue() ([]Model, error) {
	var models []Model
	err := json.Unmarshal(catalogueJSON, &models)
	return models, err
}

// useCatalogue takes the layout of the longest matching entry.
func (st *Station) useCatalogue() {
	models, err := Catalogue()
	if err != nil { // the embedded file is checked by a test
		return
	}
	best := -1
	for i, m := range models {
		if strings.EqualFold(m.Vendor, st.Vendor) && hasPrefixFold(st.Model, m.Model) &&
			(best < 0 || len(m.Model) > len(models[best].Model)) {
			best = i
		}
	}
	if best >= 0 {
		st.Layout, st.LayoutSource = models[best].EVSEs, layoutByCatalogue
	}
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// mergeLayout adds what a further part of a report says.
func mergeLayout(base, more []event.EVSELayout) []event.EVSELayout {
	out := make([]event.EVSELayout, 0, len(base)+len(more))
	out = append(out, base...)
	for _, m := range more {
		i := 0
		for i < len(out) && out[i].EVSE != m.EVSE {
			i++
		}
		if i == len(out) {
			out = append(out, m)
			continue
		}
		have := out[i]
		if m.RatedW != 0 {
			have.RatedW = m.RatedW
		}
		if m.Current != "" {
			have.Current = m.Current
		}
		if m.PublicID != "" {
			have.PublicID = m.PublicID
		}
		connectors := append([]event.ConnectorLayout(nil), have.Connectors...)
		for _, c := range m.Connectors {
			j := 0
			for j < len(connectors) && connectors[j].Connector != c.Connector {
				j++
			}
			if j == len(connectors) {
				connectors = append(connectors, c)
			} else if c.Type != "" {
				connectors[j].Type = c.Type
			}
		}
		have.Connectors = connectors
		out[i] = have
	}
	return out
}

package fleet

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
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
	// Configuration is empty where nobody knows better than to try.
	Configuration Configuration `json:"configuration,omitzero"`
}

// Configuration is what is known of how a model takes configuration, so that
// nobody asks in vain.
type Configuration struct {
	Unsupported   []string `json:"unsupported,omitempty"`   // measurands that it refuses
	RebootAfter   []string `json:"rebootAfter,omitempty"`   // keys whose change it answers with RebootRequired
	MaxMeasurands int      `json:"maxMeasurands,omitempty"` // the longest list of them that it takes, 0: unknown
}

// Catalogue reads the built-in models.
func Catalogue() ([]Model, error) {
	var models []Model
	if err := json.Unmarshal(catalogueJSON, &models); err != nil {
		return nil, fmt.Errorf("read model catalogue: %w", err)
	}
	return models, nil
}

// catalogue is the list that one state looks models up in.
type catalogue []Model

func readCatalogue() catalogue {
	models, err := Catalogue()
	if err != nil {
		panic(err) // the file is part of the program and read by a test
	}
	return models
}

// layout returns that of the longest matching entry, nil if there is none. All
// stations of a model share it.
func (c catalogue) layout(vendor, model string) []event.EVSELayout {
	if m := c.find(vendor, model); m != nil {
		return m.EVSEs
	}
	return nil
}

// find returns the longest matching entry, nil if there is none.
func (c catalogue) find(vendor, model string) *Model {
	best := -1
	for i, m := range c {
		if strings.EqualFold(m.Vendor, vendor) && hasPrefixFold(model, m.Model) &&
			(best < 0 || len(m.Model) > len(c[best].Model)) {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	return &c[best]
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// mergeLayout adds what a further part of a report says.
func mergeLayout(base, more []event.EVSELayout) []event.EVSELayout {
	out := slices.Clone(base)
	for _, m := range more {
		i := slices.IndexFunc(out, func(l event.EVSELayout) bool { return l.EVSE == m.EVSE })
		if i < 0 {
			out = append(out, m)
			continue
		}
		have := &out[i]
		if m.RatedW != 0 {
			have.RatedW = m.RatedW
		}
		if m.Current != "" {
			have.Current = m.Current
		}
		if m.PublicID != "" {
			have.PublicID = m.PublicID
		}
		have.Connectors = slices.Clone(have.Connectors)
		for _, c := range m.Connectors {
			j := slices.IndexFunc(have.Connectors, func(o event.ConnectorLayout) bool { return o.Connector == c.Connector })
			if j < 0 {
				have.Connectors = append(have.Connectors, c)
			} else if c.Type != "" {
				have.Connectors[j].Type = c.Type
			}
		}
	}
	return out
}

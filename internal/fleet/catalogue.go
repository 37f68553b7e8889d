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

// PolicyModel is the type of the policies that are the operator's own entries of the
// catalogue, by their id.
const PolicyModel = "model"

// Model is an entry of the catalogue: what a maker's model is built of. Facts
// that we do not know stay empty; nothing is guessed.
type Model struct {
	Vendor string             `json:"vendor"` // as in BootNotification, compared without case
	Model  string             `json:"model"`  // a prefix of the reported model
	Source string             `json:"source"`
	EVSEs  []event.EVSELayout `json:"evses"`
	// Configuration is empty where nobody knows better than to try.
	Configuration Configuration `json:"configuration,omitzero"`
	// Quirks are habits in what it sends, by the names under which they are counted.
	Quirks []string `json:"quirks,omitempty"`

	modern []event.EVSELayout // the same in the words of OCPP 2.x
}

// Configuration is what is known of how a model takes configuration, so that
// nobody asks in vain.
type Configuration struct {
	Unsupported   []string `json:"unsupported,omitempty"`   // measurands that it refuses
	RebootAfter   []string `json:"rebootAfter,omitempty"`   // keys whose change it answers with RebootRequired
	MaxMeasurands int      `json:"maxMeasurands,omitempty"` // the longest list of them that it takes, 0: unknown
}

// IsZero reports that nothing is known.
func (c Configuration) IsZero() bool {
	return len(c.Unsupported) == 0 && len(c.RebootAfter) == 0 && c.MaxMeasurands == 0
}

// OwnModel is an entry that the operator wrote.
type OwnModel struct {
	ID string `json:"id"`
	Model
}

// Catalogue answers what a model is built of: by what the operator wrote, else by what
// comes with the program. It is never changed in place.
type Catalogue struct {
	own     []OwnModel // by id
	builtIn []Model
}

// BuiltIn returns the catalogue that comes with the program.
func BuiltIn() Catalogue {
	models, err := readModels()
	if err != nil {
		panic(err) // the file is part of the program and read by a test
	}
	return Catalogue{builtIn: models}
}

func readModels() ([]Model, error) {
	var models []Model
	if err := json.Unmarshal(catalogueJSON, &models); err != nil {
		return nil, fmt.Errorf("read model catalogue: %w", err)
	}
	for i := range models {
		models[i].renumber()
	}
	return models, nil
}

// With returns the catalogue with these entries of the operator instead of those that
// it had.
func (c Catalogue) With(own []OwnModel) Catalogue {
	c.own = slices.Clone(own)
	for i := range c.own {
		c.own[i].renumber()
	}
	return c
}

// Decide returns the catalogue after a decision about an own entry; false if it is about
// something else, or nobody can read it.
func (c Catalogue) Decide(p *event.Policy) (Catalogue, bool) {
	if p.Type != PolicyModel {
		return c, false
	}
	i, found := slices.BinarySearchFunc(c.own, p.ID, func(m OwnModel, id string) int { return strings.Compare(m.ID, id) })
	own := slices.Clone(c.own)
	switch m := (OwnModel{ID: p.ID}); {
	case len(p.Value) == 0 && !found:
		return c, false
	case len(p.Value) == 0:
		own = slices.Delete(own, i, i+1)
	case json.Unmarshal(p.Value, &m.Model) != nil || m.Check() != nil:
		return c, false
	case found:
		own[i] = m
	default:
		own = slices.Insert(own, i, m)
	}
	return c.With(own), true
}

// Own returns the entries that the operator wrote, by id. Nobody changes them.
func (c Catalogue) Own() []OwnModel { return c.own }

// Models returns those that come with the program. Nobody changes them.
func (c Catalogue) Models() []Model { return c.builtIn }

// Layout returns what a model is built of, nil if the catalogue does not know it. All
// stations of a model share it. Connectors count over the whole station in OCPP 1.6 and
// from 1 at each EVSE in OCPP 2.x.
func (c Catalogue) Layout(vendor, model string, modern bool) []event.EVSELayout {
	m := c.find(vendor, model)
	switch {
	case m == nil:
		return nil
	case modern:
		return m.modern
	}
	return m.EVSEs
}

// Built is how a station is built as far as no person decided: as it reported, over what
// is known of its model.
func (c Catalogue) Built(vendor, model string, modern bool, reported []event.EVSELayout) []event.EVSELayout {
	l := c.Layout(vendor, model, modern)
	if len(reported) > 0 {
		return MergeLayout(l, reported)
	}
	return l
}

// Lookup returns all that the catalogue knows of a model; false if it is not
// in there. The entry is shared: nobody changes it.
func (c Catalogue) Lookup(vendor, model string) (Model, bool) {
	if m := c.find(vendor, model); m != nil {
		return *m, true
	}
	return Model{}, false
}

// LookupOwn returns the entry of the operator that counts for a model, if there is one.
func (c Catalogue) LookupOwn(vendor, model string) (OwnModel, bool) {
	if i := longest(len(c.own), func(i int) *Model { return &c.own[i].Model }, vendor, model); i >= 0 {
		return c.own[i], true
	}
	return OwnModel{}, false
}

// find returns the entry that counts, nil if there is none.
func (c Catalogue) find(vendor, model string) *Model {
	if i := longest(len(c.own), func(i int) *Model { return &c.own[i].Model }, vendor, model); i >= 0 {
		return &c.own[i].Model
	}
	if i := longest(len(c.builtIn), func(i int) *Model { return &c.builtIn[i] }, vendor, model); i >= 0 {
		return &c.builtIn[i]
	}
	return nil
}

// longest returns the place of the longest entry that fits, -1 if none does.
func longest(n int, at func(int) *Model, vendor, model string) int {
	best := -1
	for i := range n {
		if m := at(i); m.Fits(vendor, model) && (best < 0 || len(m.Model) > len(at(best).Model)) {
			best = i
		}
	}
	return best
}

// Fits reports whether an entry is about what a station reported.
func (m *Model) Fits(vendor, model string) bool {
	return strings.EqualFold(m.Vendor, vendor) && hasPrefixFold(model, m.Model)
}

// renumber writes the layout in the words of OCPP 2.x too.
func (m *Model) renumber() {
	m.modern = slices.Clone(m.EVSEs)
	for i := range m.modern {
		l := &m.modern[i]
		l.Connectors = slices.Clone(l.Connectors)
		for j := range l.Connectors {
			l.Connectors[j].Connector = j + 1
		}
	}
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// MergeLayout adds what a further part of a report says.
func MergeLayout(base, more []event.EVSELayout) []event.EVSELayout {
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
		if m.Phases != 0 {
			have.Phases = m.Phases
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

package fleet

import "github.com/chargewatch/chargewatch/internal/event"

// Layouts answers what a model is built of, for folds beside this one.
type Layouts struct{ list catalogue }

// BuiltIn returns the layouts of the built-in catalogue.
func BuiltIn() Layouts { return Layouts{list: readCatalogue()} }

// Of returns the layout of a model, nil if it is not in the catalogue.
func (l Layouts) Of(vendor, model string) []event.EVSELayout { return l.list.layout(vendor, model) }

// Lookup returns all that the catalogue knows of a model; false if it is not
// in there. The entry is shared: nobody changes it.
func (l Layouts) Lookup(vendor, model string) (Model, bool) {
	if m := l.list.find(vendor, model); m != nil {
		return *m, true
	}
	return Model{}, false
}

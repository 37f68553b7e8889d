package detect

import (
	"maps"
	"slices"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// described follows what the operator says of a model.
func (x *Engine) described(p *event.Policy) {
	next, ok := x.models.Decide(p)
	if !ok {
		return
	}
	x.models = next
	for _, id := range slices.Sorted(maps.Keys(x.Network.stations)) {
		st := x.Network.stations[id]
		if !st.Charges() {
			continue
		}
		was := st.layout
		if x.Network.build(st, next); !event.SameLayout(was, st.layout) {
			x.join(st)
		}
	}
}

// join forgets ports that turned out to be a plug of another: what was open there would
// never end.
func (x *Engine) join(st *Station) {
	if st.Is2x() {
		return
	}
	for i := range st.Ports {
		p := &st.Ports[i]
		if !joined(st.layout, p.EVSE) {
			continue
		}
		for _, o := range slices.Clone(st.Open) {
			if o.EVSE == p.EVSE {
				c := Context{x: x, Station: st, Now: x.now, Seq: x.seq, d: x.byID[o.Detector]}
				c.Clear(o.Code, o.EVSE, event.Fact{Name: "removed"})
			}
		}
		p.Condition, p.Plugs, p.Tx = Condition{Status: fleet.Unknown}, nil, nil
	}
}

// joined reports whether a layout has the connector of that number at another port, and no
// port of that number.
func joined(layout []event.EVSELayout, connector int) bool {
	elsewhere := false
	for i := range layout {
		if layout[i].EVSE == connector {
			return false
		}
		elsewhere = elsewhere || slices.ContainsFunc(layout[i].Connectors, func(c event.ConnectorLayout) bool { return c.Connector == connector })
	}
	return elsewhere
}

package detect

import "slices"

// Connectors are the numbers of a port's plugs, as commands want them: of the
// layout, else those that were heard of, else what the protocol says.
func (s *Station) Connectors(evse int) []int {
	var out []int
	for i := range s.layout {
		if s.layout[i].EVSE != evse {
			continue
		}
		for _, c := range s.layout[i].Connectors {
			if c.Connector > 0 {
				out = append(out, c.Connector)
			}
		}
	}
	if p := s.Port(evse); len(out) == 0 && p != nil {
		for _, g := range p.Plugs {
			out = append(out, int(g.ID))
		}
	}
	if len(out) == 0 && evse > 0 {
		if s.Is2x() {
			return []int{1}
		}
		return []int{evse}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

package fleet

import (
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Where a layout came from, strongest first.
const (
	layoutByPerson    = "person"
	layoutByReport    = "report"
	layoutByCatalogue = "catalogue"
)

// A station names at most so many ports; what it says of others is recorded
// and not followed.
const (
	maxEVSEs      = 256
	maxConnectors = 32
)

// locate completes the subject of an OCPP 1.6 connector with its EVSE.
func (st *Station) locate(e *event.Event) {
	if e.Subject.EVSE == 0 && e.Subject.Connector > 0 {
		e.Subject.EVSE = st.evseOf(e.Subject.Connector)
	}
}

// evseOf says which EVSE a connector of OCPP 1.6 belongs to: as the layout
// groups it, else its own.
func (st *Station) evseOf(connector int) int {
	for _, l := range st.Layout {
		for _, c := range l.Connectors {
			if c.Connector == connector && l.EVSE > 0 {
				return l.EVSE
			}
		}
	}
	return connector
}

// evse returns the station's EVSE of that id, nil if there is none.
func (st *Station) evse(id int) *EVSE {
	if i, ok := slices.BinarySearchFunc(st.EVSEs, id, func(v EVSE, id int) int { return v.ID - id }); ok {
		return &st.EVSEs[i]
	}
	return nil
}

// needEVSE returns the EVSE of that id, made if need be; nil if it cannot be
// one. Other pointers to EVSEs of the station are void afterwards.
func (st *Station) needEVSE(id int) *EVSE {
	i, ok := slices.BinarySearchFunc(st.EVSEs, id, func(v EVSE, id int) int { return v.ID - id })
	if !ok {
		if id <= 0 || len(st.EVSEs) >= maxEVSEs {
			return nil
		}
		st.EVSEs = slices.Insert(st.EVSEs, i, EVSE{ID: id, Status: Unknown})
	}
	return &st.EVSEs[i]
}

// soleEVSE is the only port of the station, 0 if it has none or several.
func (st *Station) soleEVSE() int {
	if len(st.EVSEs) == 1 {
		return st.EVSEs[0].ID
	}
	return 0
}

// needConnector returns the EVSE's own copy of a connector, made if need be;
// nil if there are too many.
func (v *EVSE) needConnector(id int) *Connector {
	i, ok := slices.BinarySearchFunc(v.Connectors, id, func(c Connector, id int) int { return c.ID - id })
	if ok {
		v.Connectors = slices.Clone(v.Connectors)
		return &v.Connectors[i]
	}
	if len(v.Connectors) >= maxConnectors {
		return nil
	}
	v.Connectors = slices.Insert(slices.Clone(v.Connectors), i, Connector{ID: id, ConnectorState: ConnectorState{Status: Unknown}})
	return &v.Connectors[i]
}

// heardAt is when a connector of the EVSE last said how it is.
func (v *EVSE) heardAt() time.Time {
	var at time.Time
	for i := range v.Connectors {
		at = latest(at, v.Connectors[i].At)
	}
	return at
}

func (c *Connector) heard() bool { return !c.At.IsZero() }

// Is2x reports a station of OCPP 2.
func (st *Station) Is2x() bool { return strings.HasPrefix(st.Protocol, "ocpp2") }

// arrange makes the EVSEs agree with the layout. Connectors of OCPP 1.6 move to
// the EVSE that the layout puts them in; ports not heard of yet appear Unknown.
func (b *Batch) arrange(st *Station, e *event.Event) {
	if !st.Is2x() && slices.ContainsFunc(st.EVSEs, func(v EVSE) bool {
		return slices.ContainsFunc(v.Connectors, func(c Connector) bool { return c.heard() && st.evseOf(c.ID) != v.ID })
	}) {
		b.regroup(st, e)
	}
	for i := range st.EVSEs {
		v := &st.EVSEs[i]
		var heard []Connector
		for _, c := range v.Connectors {
			if c.heard() {
				c.Type = ""
				heard = append(heard, c)
			}
		}
		v.Connectors = heard
	}
	st.EVSEs = slices.DeleteFunc(st.EVSEs, func(v EVSE) bool {
		return len(v.Connectors) == 0 && v.Session == nil && v.Live.At.IsZero() && v.StatusAt.IsZero()
	})
	if len(st.EVSEs) == 0 {
		st.EVSEs = nil
	}
	for _, l := range st.Layout {
		v := st.needEVSE(l.EVSE)
		if v == nil {
			continue
		}
		for _, c := range l.Connectors {
			if c.Connector <= 0 {
				continue
			}
			if have := v.needConnector(c.Connector); have != nil {
				have.Type = c.Type
			}
		}
	}
	st.linkLayout()
}

// linkLayout points each EVSE at its part of the layout.
func (st *Station) linkLayout() {
	for i := range st.EVSEs {
		st.EVSEs[i].Layout = nil
	}
	for i := range st.Layout {
		if v := st.evse(st.Layout[i].EVSE); v != nil {
			v.Layout = &st.Layout[i]
		}
	}
}

// regroup moves the connectors of an OCPP 1.6 station, with what happens at
// them, to the EVSEs of a layout that came later.
func (b *Batch) regroup(st *Station, e *event.Event) {
	for _, s := range st.open() {
		home := s.EVSE
		if s.Connector > 0 {
			home = st.evseOf(s.Connector)
		} else if home > 0 {
			home = st.evseOf(home)
		}
		if home != s.EVSE {
			b.own(st, s).EVSE = home
		}
	}
	was := st.EVSEs
	st.EVSEs = make([]EVSE, 0, len(was))
	for _, v := range was {
		home := st.evseOf(v.ID)
		for _, c := range v.Connectors {
			home = st.evseOf(c.ID)
			if to := st.needEVSE(home); to != nil {
				if own := to.needConnector(c.ID); own != nil {
					*own = c
				}
			}
		}
		if v.Session != nil {
			if at := st.needEVSE(v.Session.EVSE); at != nil && at.Session == nil {
				at.Session = v.Session
			} else {
				st.Backlog = append(slices.Clip(st.Backlog), v.Session)
			}
		}
		if to := st.needEVSE(home); to != nil && to.StatusAt.IsZero() {
			to.Status, to.StatusAt, to.Live, to.Ended, to.Fault = v.Status, v.StatusAt, v.Live, v.Ended, v.Fault
			if to.ID == v.ID {
				to.Track = v.Track
			}
		}
	}
	for _, v := range was {
		if st.evse(v.ID) == nil {
			b.point(st, v.ID, moment(e), Unknown, e)
		}
	}
	for i := range st.EVSEs {
		v := &st.EVSEs[i]
		if v.Track.At.IsZero() {
			v.StatusAt = time.Time{} // a port of its own from now on
		}
		b.refresh(st, v, moment(e), e)
	}
	b.watchAgain(st, e.RecordedAt)
}

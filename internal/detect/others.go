package detect

import (
	"maps"
	"slices"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Camera is what detectors know of a camera. It is kept as a Station of its own
// name, which has no ports and which nobody who counts stations sees: so it has
// conditions, timers, memory and a place in the checkpoint like one. Doors and what
// drives them are kept in the same way.
type Camera struct {
	ID    string                `json:"id"`
	State event.CameraCondition `json:"state,omitempty"`
	Since Moment                `json:"since,omitempty"` // of the state
	// Zones are the parts of its picture that stand for ports or doors.
	Zones []event.CameraZone `json:"zones,omitempty"`
	Seen  Sights             `json:"seen,omitzero"`
}

// Door is what detectors know of a door, or of a controller of doors.
type Door struct {
	ID         string              `json:"id"`
	Controller bool                `json:"controller,omitempty"` // it is none but what drives some
	State      event.DoorCondition `json:"state,omitempty"`
	Since      Moment              `json:"since,omitempty"` // of the state
	Place      string              `json:"place,omitempty"` // door, gate, barrier or cabinet
	CameraID   string              `json:"cameraId,omitempty"`
	Ports      []string            `json:"ports,omitempty"` // what is behind it
	HeldAfterS int                 `json:"heldAfterS,omitempty"`
	LetIn      Moment              `json:"letIn,omitempty"` // when somebody was last let in
}

// Charges reports whether it is a charging station and nothing else that is kept
// like one.
func (s *Station) Charges() bool { return s.Camera == nil && s.Door == nil }

// keyOf is the name under which a subject is kept; empty: it is not. The names of
// what is no station hold a character that no station's identity has.
func keyOf(s event.Subject) string {
	switch s.Type {
	case event.StationSubject:
		return s.ID
	case event.CameraSubject, event.DoorSubject, event.ControllerSubject:
		return string(s.Type) + "|" + s.ID
	}
	return ""
}

// subject is what a finding at a station, a camera or a door is about.
func (s *Station) subject(evse int) event.Subject {
	switch {
	case s.Camera != nil:
		return event.Camera(s.Camera.ID)
	case s.Door != nil && s.Door.Controller:
		return event.Controller(s.Door.ID)
	case s.Door != nil:
		return event.Door(s.Door.ID)
	}
	return event.Port(s.ID, evse, 0)
}

// siteOf is the site that an event of a camera, a door or a controller names.
func siteOf(b event.Body) (site string, named bool) {
	switch b := b.(type) {
	case *event.CameraConfigured:
		return b.SiteID, true
	case *event.CameraState:
		return b.SiteID, true
	case *event.Scene:
		return b.SiteID, true
	case *event.Labels:
		return b.SiteID, true
	case *event.ControllerConfigured:
		return b.SiteID, true
	case *event.ControllerFault:
		return b.SiteID, true
	case *event.DoorConfigured:
		return b.SiteID, true
	case *event.DoorState:
		return b.SiteID, true
	case *event.DoorAlarm:
		return b.SiteID, true
	case *event.Access:
		return b.SiteID, true
	case *event.DoorCommand:
		return b.SiteID, true
	}
	return "", false
}

// observeOther takes an event of a camera, a door or a controller into the view.
func (n *Network) observeOther(e *event.Event) *Station {
	key := keyOf(e.Subject)
	st := n.stations[key]
	site, named := siteOf(e.Body)
	if !named {
		switch e.Body.(type) {
		case *event.CameraRemoved, *event.DoorRemoved, *event.ControllerRemoved:
			if st != nil {
				n.removeOther(st)
			}
		}
		return st
	}
	if st == nil {
		st = &Station{ID: key, Make: n.make(Make{}), LinkAt: At(e.RecordedAt), Accepted: true}
		if e.Subject.Type == event.CameraSubject {
			st.Camera = &Camera{ID: e.Subject.ID}
		} else {
			st.Door = &Door{ID: e.Subject.ID, Controller: e.Subject.Type == event.ControllerSubject}
		}
		delete(n.gone, key)
		n.addOther(st)
	}
	st.dirty = true
	if st.SiteID != site {
		n.leaveOthers(st)
		st.SiteID = site
		n.addOther(st)
	}
	switch b := e.Body.(type) {
	case *event.CameraConfigured:
		st.Label, st.Simulated = b.Label, b.Simulated
		st.Camera.Zones = watched(b.Zones)
	case *event.Labels:
		st.Camera.Seen.named(b, At(e.RecordedAt))
	case *event.CameraState:
		if st.Camera.State != b.State {
			st.Camera.State, st.Camera.Since = b.State, At(e.RecordedAt)
		}
	case *event.Scene:
		n.arm(b.SiteID, b.Armed)
		st.Camera.Seen.saw(b, At(e.RecordedAt))
	case *event.ControllerConfigured:
		st.Label, st.Simulated = b.Label, b.Simulated
	case *event.DoorConfigured:
		st.Label, st.Simulated = b.Label, b.Simulated
		d := st.Door
		d.Place, d.CameraID, d.Ports, d.HeldAfterS = b.Place, b.CameraID, b.Ports, b.HeldAfterS
	case *event.Access:
		if b.Allowed {
			st.Door.LetIn = At(e.RecordedAt)
		}
	case *event.DoorState:
		if st.Door.State != b.State {
			st.Door.State, st.Door.Since = b.State, At(e.RecordedAt)
		}
	}
	return st
}

func (n *Network) addOther(st *Station) {
	if n.stations[st.ID] == nil {
		n.watching++
	}
	n.stations[st.ID] = st
	if st.SiteID == "" {
		return
	}
	list := n.others[st.SiteID]
	i, found := slices.BinarySearchFunc(list, st.ID, byID)
	if !found {
		n.others[st.SiteID] = slices.Insert(list, i, st)
	}
}

func (n *Network) leaveOthers(st *Station) {
	list := slices.DeleteFunc(n.others[st.SiteID], func(o *Station) bool { return o == st })
	if len(list) == 0 {
		delete(n.others, st.SiteID)
		return
	}
	n.others[st.SiteID] = list
}

func (n *Network) removeOther(st *Station) {
	delete(n.stations, st.ID)
	n.watching--
	n.leaveOthers(st)
	if n.gone == nil {
		n.gone = make(map[string]struct{})
	}
	n.gone[st.ID] = struct{}{}
	st.Accepted = false
}

func (n *Network) arm(site string, armed bool) {
	if armed && site != "" {
		n.armed[site] = struct{}{}
		return
	}
	delete(n.armed, site)
}

// Armed reports whether what moves at a site matters, as far as was told.
func (n *Network) Armed(site string) bool {
	_, armed := n.armed[site]
	return armed
}

// ArmedSites are the sites that are armed, as far as was told.
func (n *Network) ArmedSites() []string { return slices.Sorted(maps.Keys(n.armed)) }

// maxPresent bounds the orders on which somebody works.
const maxPresent = 10_000

// work takes in that somebody comes to work at a site on an order, or goes.
func (n *Network) work(site string, b *event.Presence) {
	if !b.Present {
		delete(n.present, b.Order)
		return
	}
	if len(n.present) < maxPresent {
		n.present[b.Order] = Presence{Site: site, Station: b.Station}
	}
}

// Presence is somebody at work on an order.
type Presence struct {
	Site    string `json:"site"`
	Station string `json:"station,omitempty"`
}

// Worked reports whether somebody who was sent works at a site now.
func (n *Network) Worked(site string) bool {
	for _, p := range n.present {
		if p.Site == site {
			return true
		}
	}
	return false
}

// Camera returns one camera, nil if it is not known.
func (n *Network) Camera(id string) *Station { return n.stations[keyOf(event.Camera(id))] }

// At returns what is kept of a subject, nil if nothing is.
func (n *Network) At(s event.Subject) *Station { return n.stations[keyOf(s)] }

// Cameras yields those of a site in the order of their ids.
func (n *Network) Cameras(site string) func(yield func(*Station) bool) {
	return n.othersOf(site, func(st *Station) bool { return st.Camera != nil })
}

// Doors yields those of a site in the order of their ids.
func (n *Network) Doors(site string) func(yield func(*Station) bool) {
	return n.othersOf(site, func(st *Station) bool { return st.Door != nil && !st.Door.Controller })
}

func (n *Network) othersOf(site string, wanted func(*Station) bool) func(yield func(*Station) bool) {
	return func(yield func(*Station) bool) {
		for _, st := range n.others[site] {
			if wanted(st) && !yield(st) {
				return
			}
		}
	}
}

// WorkedAt reports whether somebody who was sent works at a station now.
func (n *Network) WorkedAt(station string) bool {
	for _, p := range n.present {
		if p.Station == station {
			return true
		}
	}
	return false
}

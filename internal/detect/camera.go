package detect

import (
	"slices"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Camera is what detectors know of a camera. It is kept as a Station of its own
// name, which has no ports and which nobody who counts stations sees: so it has
// conditions, timers, memory and a place in the checkpoint like one.
type Camera struct {
	ID    string                `json:"id"`
	State event.CameraCondition `json:"state,omitempty"`
	Since Moment                `json:"since,omitempty"` // of the state
}

// keyOf is the name under which a subject is kept; empty: it is not.
func keyOf(s event.Subject) string {
	switch s.Type {
	case event.StationSubject:
		return s.ID
	case event.CameraSubject:
		return cameraPrefix + s.ID
	}
	return ""
}

// cameraPrefix holds a character that no station's identity has.
const cameraPrefix = "camera|"

// subject is what a finding at a station or camera is about.
func (s *Station) subject(evse int) event.Subject {
	if s.Camera != nil {
		return event.Camera(s.Camera.ID)
	}
	return event.Port(s.ID, evse, 0)
}

// observeCamera takes an event of a camera into the view.
func (n *Network) observeCamera(e *event.Event) *Station {
	key := keyOf(e.Subject)
	st := n.stations[key]
	site := ""
	switch b := e.Body.(type) {
	case *event.CameraConfigured:
		site = b.SiteID
	case *event.CameraState:
		site = b.SiteID
	case *event.Scene:
		site = b.SiteID
	case *event.Labels:
		site = b.SiteID
	case *event.CameraRemoved:
		if st != nil {
			n.removeCamera(st)
		}
		return st
	default:
		return st
	}
	if st == nil {
		st = &Station{ID: key, Make: n.make(Make{}), LinkAt: At(e.RecordedAt), Accepted: true, Camera: &Camera{ID: e.Subject.ID}}
		delete(n.gone, key)
		n.addCamera(st)
	}
	st.dirty = true
	if st.SiteID != site {
		n.leaveCameras(st)
		st.SiteID = site
		n.addCamera(st)
	}
	switch b := e.Body.(type) {
	case *event.CameraConfigured:
		st.Label, st.Simulated = b.Label, b.Simulated
	case *event.CameraState:
		if st.Camera.State != b.State {
			st.Camera.State, st.Camera.Since = b.State, At(e.RecordedAt)
		}
	case *event.Scene:
		n.arm(b.SiteID, b.Armed)
	}
	return st
}

func (n *Network) addCamera(st *Station) {
	if n.stations[st.ID] == nil {
		n.watching++
	}
	n.stations[st.ID] = st
	if st.SiteID == "" {
		return
	}
	list := n.cameras[st.SiteID]
	i, found := slices.BinarySearchFunc(list, st.ID, byID)
	if !found {
		n.cameras[st.SiteID] = slices.Insert(list, i, st)
	}
}

func (n *Network) leaveCameras(st *Station) {
	list := slices.DeleteFunc(n.cameras[st.SiteID], func(o *Station) bool { return o == st })
	if len(list) == 0 {
		delete(n.cameras, st.SiteID)
		return
	}
	n.cameras[st.SiteID] = list
}

func (n *Network) removeCamera(st *Station) {
	delete(n.stations, st.ID)
	n.watching--
	n.leaveCameras(st)
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

// Camera returns one camera, nil if it is not known.
func (n *Network) Camera(id string) *Station { return n.stations[cameraPrefix+id] }

// Cameras yields those of a site in the order of their ids.
func (n *Network) Cameras(site string) func(yield func(*Station) bool) {
	return func(yield func(*Station) bool) {
		for _, st := range n.cameras[site] {
			if !yield(st) {
				return
			}
		}
	}
}

package detect

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/usage/attempt"
)

// Network is what is known of all stations.
type Network struct {
	// StartedAt is when we last started: silence from before proves nothing.
	StartedAt time.Time

	stations map[string]*Station
	sites    map[string][]*Station // by id
	others   map[string][]*Station // cameras, doors and controllers by site, then id
	armed    map[string]struct{}   // sites
	present  map[string]Presence   // who works where, by order
	places   map[string]Place      // where sites are
	guards   guards                // which are on their guard
	watching int                   // cameras, doors and controllers
	minutes  [60][]*Station        // by id, by the minute of the hour in which they are looked at
	gone     map[string]struct{}   // removed since the last checkpoint
	makes    map[Make]*Make
	ratings  map[Rating]*Rating
}

// Station returns one station, nil if it is not known.
func (n *Network) Station(id string) *Station { return n.stations[id] }

// Len is the number of stations.
func (n *Network) Len() int { return len(n.stations) - n.watching }

// Make is what stations of one kind have in common; they share it.
type Make struct {
	Vendor   string `json:"vendor,omitempty"`
	Model    string `json:"model,omitempty"`
	Firmware string `json:"firmware,omitempty"`
	Protocol string `json:"protocol,omitempty"`
	// Carrier is who issued its SIM, as the head of the card's number.
	Carrier string `json:"carrier,omitempty"`
}

// Station is what detectors know of a charging station.
type Station struct {
	ID     string `json:"id"`
	SiteID string `json:"site,omitempty"`
	Label  string `json:"label,omitempty"`
	*Make

	LinkAt Moment `json:"linkAt,omitzero"` // since when online or offline, by RecordedAt
	// Left is why the last connection ended.
	Left   string `json:"left,omitempty"`
	BootAt Moment `json:"bootAt,omitzero"`
	conn   uint64 // a hash of the connection's id

	Accepted  bool `json:"accepted,omitempty"` // watched at all: neither pending nor rejected
	Simulated bool `json:"simulated,omitempty"`
	// Camera is set if it is none but a camera.
	Camera *Camera `json:"camera,omitempty"`
	// Door is set if it is none but a door or a controller of doors.
	Door     *Door `json:"door,omitempty"`
	FreeVend bool  `json:"freeVend,omitempty"` // nobody has to show a token
	Online   bool  `json:"online,omitempty"`
	byHand   bool  // the layout is a person's
	dirty    bool  // since the last checkpoint

	Own   Condition `json:"own,omitzero"` // connector 0 of OCPP 1.6
	Ports []Port    `json:"ports,omitempty"`
	// Tries to charge, as far as they go on.
	Tries attempt.Fold `json:"tries"`

	Open   []Open   `json:"open,omitempty"` // conditions
	Timers []Timer  `json:"timers,omitempty"`
	memory []memory // of detectors
	layout []event.EVSELayout
	// reported is what a station of OCPP 2.x said of itself.
	reported []event.EVSELayout
}

// Condition is what a connector last said of itself.
type Condition struct {
	Status  fleet.Status `json:"status"`
	Was     fleet.Status `json:"was"`              // the status before it
	Since   Moment       `json:"since,omitzero"`   // of the status, by RecordedAt
	HeardAt Moment       `json:"heardAt,omitzero"` // last told, by RecordedAt
	Told    Moment       `json:"told,omitzero"`    // the newest time that connector 0 gave, by its own clock
	Fault   *Fault       `json:"fault,omitempty"`  // a fault or a warning; nil: none
}

// Fault is what a connector told with its status.
type Fault struct {
	Code       string `json:"code,omitempty"`
	VendorID   string `json:"vendorId,omitempty"`
	VendorCode string `json:"vendorCode,omitempty"`
	Info       string `json:"info,omitempty"`
	Since      Moment `json:"since"`
}

// Rating is what ports of one build have in common; they share it.
type Rating struct {
	RatedW  float64 `json:"ratedW,omitempty"`
	Current string  `json:"current,omitempty"` // AC, DC or unknown
	Phases  int     `json:"phases,omitempty"`  // of AC; 0: unknown
	Group   string  `json:"group,omitempty"`   // shares power with the others of it
	Alone   bool    `json:"alone,omitempty"`   // only one port of the group can charge at a time
	Plug    string  `json:"plug,omitempty"`
}

// Port is one EVSE.
type Port struct {
	EVSE int `json:"evse"`
	*Rating
	Condition
	// Plugs are its connectors, as far as they have said something.
	Plugs []Plug       `json:"plugs,omitempty"`
	Tx    *Transaction `json:"tx,omitempty"`
	// EndedAt is when the last transaction ended, ChargedAt when the last one with
	// energy did.
	EndedAt   Moment `json:"endedAt,omitzero"`
	ChargedAt Moment `json:"chargedAt,omitzero"`
	Left      bool   `json:"left,omitempty"` // a transaction ended and the car is still there
}

// Plug is one connector.
type Plug struct {
	ID       int16        `json:"id"`
	Status   fleet.Status `json:"status"`
	Occupied bool         `json:"occupied,omitempty"` // the word of OCPP 2.x
	Told     Moment       `json:"told,omitzero"`      // the newest time it gave with a status
}

// Transaction is the open one of a port.
type Transaction struct {
	ID        string     `json:"id"`
	Token     string     `json:"token,omitempty"`
	StartedAt time.Time  `json:"startedAt"`
	State     string     `json:"state,omitempty"` // charging state of OCPP 2.x
	FirstWh   *float64   `json:"firstWh,omitempty"`
	EnergyWh  float64    `json:"energyWh,omitempty"`
	PeakW     float64    `json:"peakW,omitempty"`
	Live      fleet.Live `json:"live,omitzero"` // newest measured values; At is when
}

// DC reports whether the port is known to give direct current.
func (p *Port) DC() bool { return p.Current == "DC" }

// Class is the port's class of power.
func (p *Port) Class() fleet.PowerClass {
	v := fleet.EVSE{Layout: &event.EVSELayout{RatedW: p.RatedW, Current: p.Current}}
	return v.PowerClass()
}

// Open is a condition that a detector raised and has not cleared.
type Open struct {
	Code     string         `json:"code"`
	EVSE     int            `json:"evse,omitempty"`
	Severity event.Severity `json:"severity"`
	Since    Moment         `json:"since"`
	Detector string         `json:"detector"`
}

// Timer is something a detector waits for.
type Timer struct {
	Due Moment `json:"due"`
	Key string `json:"key"` // DETECTOR|key
}

// Port returns the EVSE of that number, nil if there is none.
func (s *Station) Port(evse int) *Port {
	for i := range s.Ports {
		if s.Ports[i].EVSE == evse {
			return &s.Ports[i]
		}
	}
	return nil
}

// Is2x reports whether the station speaks OCPP 2.x.
func (s *Station) Is2x() bool { return len(s.Protocol) > 4 && s.Protocol[4] == '2' }

// Charging reports whether a transaction runs at any port.
func (s *Station) Charging() bool {
	for i := range s.Ports {
		if s.Ports[i].Tx != nil {
			return true
		}
	}
	return false
}

// OpenAt is how severe an open condition is, empty if it is not open.
func (s *Station) OpenAt(code string, evse int) event.Severity {
	for i := range s.Open {
		if s.Open[i].Code == code && s.Open[i].EVSE == evse {
			return s.Open[i].Severity
		}
	}
	return ""
}

// IsOpen reports whether a condition is open.
func (s *Station) IsOpen(code string, evse int) bool {
	for i := range s.Open {
		if s.Open[i].Code == code && s.Open[i].EVSE == evse {
			return true
		}
	}
	return false
}

// Site yields the accepted stations of a site in the order of their ids.
func (n *Network) Site(id string) func(yield func(*Station) bool) {
	return func(yield func(*Station) bool) {
		if id == "" {
			return
		}
		for _, st := range n.sites[id] {
			if st.Accepted && !yield(st) {
				return
			}
		}
	}
}

// Stations yields every accepted station, in no order: for counting only.
func (n *Network) Stations() func(yield func(*Station) bool) {
	return func(yield func(*Station) bool) {
		for _, st := range n.stations {
			if st.Accepted && st.Charges() && !yield(st) {
				return
			}
		}
	}
}

// Free reports whether a car could start at the port now.
func (s *Station) Free(p *Port) bool {
	return s.Online && s.Accepted && p.Status == fleet.Available && s.Own.Status != fleet.Unavailable && s.Own.Status != fleet.Faulted && !s.kept(p)
}

// kept reports whether another port in use keeps a port from charging.
func (s *Station) kept(p *Port) bool {
	if !p.Alone || p.Group == "" {
		return false
	}
	for i := range s.Ports {
		o := &s.Ports[i]
		if o.EVSE == p.EVSE || o.Group != p.Group {
			continue
		}
		switch o.Status {
		case fleet.Preparing, fleet.Charging, fleet.SuspendedEV, fleet.SuspendedEVSE:
			return true
		}
		if o.Tx != nil {
			return true
		}
	}
	return false
}

// Touch marks the station as changed since the last checkpoint; a detector that
// changes what Recall gave it calls it.
func (s *Station) Touch() { s.dirty = true }

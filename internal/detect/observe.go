package detect

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// Bounds of what one station can make us keep.
const (
	maxPorts = 64
	maxPlugs = 16
)

// observe takes an event into the view. It returns the station it is about, nil
// if it is about none that is known, and the transaction that it ended.
func (n *Network) observe(e *event.Event, c fleet.Layouts) (st *Station, ended *Ended) {
	if e.Subject.Type != event.StationSubject {
		if _, ok := e.Body.(*event.ServerStarted); ok {
			n.serverStarted(e)
		}
		return nil, nil
	}
	st = n.stations[e.Subject.ID]
	if st == nil {
		switch e.Body.(type) {
		case *event.StationConfigured, *event.Connected:
		default:
			return nil, nil
		}
		st = &Station{ID: e.Subject.ID, LinkAt: e.RecordedAt, Accepted: true}
		n.stations[st.ID] = st
		delete(n.gone, st.ID)
		n.move(st, "")
	}
	st.dirty = true
	switch b := e.Body.(type) {
	case *event.StationConfigured:
		n.configured(st, b, c)
	case *event.StationRemoved:
		n.remove(st)
	case *event.Connected:
		if !st.Online {
			st.LinkAt = e.RecordedAt
		}
		st.Online, st.ConnID, st.Protocol = true, b.ConnID, b.Protocol
	case *event.Disconnected:
		if st.ConnID == b.ConnID && st.Online {
			st.Online, st.ConnID, st.LinkAt, st.Left = false, "", e.RecordedAt, b.Reason
		}
	case *event.Boot:
		st.Vendor, st.Model, st.Firmware, st.ICCID = b.Vendor, b.Model, b.Firmware, b.ICCID
		st.BootAt = e.RecordedAt
		st.Boots++
		if !st.byHand {
			st.arrange(c.Of(st.Vendor, st.Model))
		}
	case *event.Report:
		if len(b.Layout) > 0 && !st.byHand {
			st.arrange(b.Layout)
		}
	case *event.Status:
		if !e.Late() {
			st.status(e, e.Subject.EVSE, e.Subject.Connector, b)
		}
	case *event.Component:
		if !e.Late() {
			st.component(e, b)
		}
	case *event.Meter:
		if !e.Late() {
			st.measured(e, b.TransactionID, b.Samples)
		}
	case *event.Transaction:
		ended = st.transaction(e, b)
	case *event.SessionInferred:
		ended = st.inferred(e, b)
	}
	return st, ended
}

// serverStarted takes every station offline: sockets do not survive us.
func (n *Network) serverStarted(e *event.Event) {
	n.StartedAt = e.RecordedAt
	for _, st := range n.stations {
		if st.Online {
			st.Online, st.ConnID, st.LinkAt, st.Left, st.dirty = false, "", e.RecordedAt, "server restarted", true
		}
	}
}

func (n *Network) configured(st *Station, b *event.StationConfigured, c fleet.Layouts) {
	st.Label, st.Simulated = b.Label, b.Simulated
	st.Accepted = b.Onboarding == event.OnboardingAccepted || b.Onboarding == ""
	was := st.SiteID
	st.SiteID = b.SiteID
	n.move(st, was)
	switch {
	case len(b.Layout) > 0:
		st.byHand = true
		st.arrange(b.Layout)
	case st.byHand:
		st.byHand = false
		st.arrange(c.Of(st.Vendor, st.Model))
	}
}

// move puts a station into its site.
func (n *Network) move(st *Station, was string) {
	if was != "" && was != st.SiteID {
		delete(n.sites[was], st.ID)
	}
	if st.SiteID == "" {
		return
	}
	if n.sites[st.SiteID] == nil {
		n.sites[st.SiteID] = make(map[string]*Station)
	}
	n.sites[st.SiteID][st.ID] = st
}

func (n *Network) remove(st *Station) {
	delete(n.stations, st.ID)
	delete(n.sites[st.SiteID], st.ID)
	if n.gone == nil {
		n.gone = make(map[string]struct{})
	}
	n.gone[st.ID] = struct{}{}
	st.Accepted = false
}

// arrange takes ratings and plugs from a layout.
func (s *Station) arrange(layout []event.EVSELayout) {
	s.layout = layout
	for i := range layout {
		if p := s.need(layout[i].EVSE); p != nil {
			s.rate(p)
		}
	}
}

func (s *Station) rate(p *Port) {
	for i := range s.layout {
		l := &s.layout[i]
		if l.EVSE != p.EVSE {
			continue
		}
		p.RatedW, p.Current, p.Group = l.RatedW, l.Current, l.Group
		if len(l.Connectors) > 0 {
			p.Plug = l.Connectors[0].Type
		}
	}
}

// need returns the port of that number, making it; nil for a number that no
// station has.
func (s *Station) need(evse int) *Port {
	if evse <= 0 {
		return nil
	}
	i, found := slices.BinarySearchFunc(s.Ports, evse, func(p Port, evse int) int { return p.EVSE - evse })
	if !found {
		if len(s.Ports) >= maxPorts {
			return nil
		}
		s.Ports = slices.Insert(s.Ports, i, Port{EVSE: evse, Condition: Condition{Status: fleet.Unknown}})
		s.rate(&s.Ports[i])
	}
	return &s.Ports[i]
}

func (s *Station) status(e *event.Event, evse, connector int, b *event.Status) {
	if evse == 0 {
		if connector == 0 {
			s.Own.hear(e, fleet.ParseStatus(b.Status), b)
		}
		return
	}
	p := s.need(evse)
	if p == nil {
		return
	}
	status := p.plug(max(connector, 1), b.Status)
	p.hear(e, p.meant(status), b)
	if status == fleet.Available || status == fleet.Reserved {
		p.Left = false
	}
}

// plug notes what a connector said and returns what that makes of the port: a
// plug in use speaks for it, then a free one.
func (p *Port) plug(id int, word string) fleet.Status {
	status := fleet.ParseStatus(word)
	if strings.EqualFold(word, "Occupied") {
		status = fleet.Preparing
	}
	i := slices.IndexFunc(p.Plugs, func(g Plug) bool { return g.ID == id })
	if i < 0 {
		if len(p.Plugs) >= maxPlugs {
			return status
		}
		p.Plugs = append(p.Plugs, Plug{ID: id})
		i = len(p.Plugs) - 1
	}
	p.Plugs[i].Status, p.Plugs[i].Raw = status, word
	best := status
	for _, g := range p.Plugs {
		if weight(g.Status) > weight(best) {
			best = g.Status
		}
	}
	return best
}

func weight(s fleet.Status) int {
	switch s {
	case fleet.Charging, fleet.SuspendedEV, fleet.SuspendedEVSE:
		return 5
	case fleet.Preparing, fleet.Finishing:
		return 4
	case fleet.Available:
		return 3
	case fleet.Reserved:
		return 2
	case fleet.Faulted, fleet.Unavailable:
		return 1
	}
	return 0
}

// meant reads a status through the transaction: Occupied of OCPP 2.x says only
// that a car is there.
func (p *Port) meant(status fleet.Status) fleet.Status {
	occupied := slices.ContainsFunc(p.Plugs, func(g Plug) bool { return strings.EqualFold(g.Raw, "Occupied") })
	if status != fleet.Preparing || !occupied {
		return status
	}
	if p.Tx == nil {
		if p.Left {
			return fleet.Finishing
		}
		return fleet.Preparing
	}
	flowed := p.Tx.EnergyWh >= 10 || p.Tx.PeakW >= 100
	switch p.Tx.State {
	case "Charging":
		return fleet.Charging
	case "SuspendedEV":
		return fleet.SuspendedEV
	case "SuspendedEVSE":
		return fleet.SuspendedEVSE
	case "EVConnected":
		if flowed {
			return fleet.SuspendedEVSE
		}
	case "Idle":
		if flowed {
			return fleet.Finishing
		}
	case "":
		if flowed {
			return fleet.Charging
		}
	}
	return fleet.Preparing
}

func (c *Condition) hear(e *event.Event, status fleet.Status, b *event.Status) {
	if status != c.Status || c.HeardAt.IsZero() {
		c.Status, c.Since = status, e.RecordedAt
	}
	c.HeardAt = e.RecordedAt
	code := b.ErrorCode
	if code == "NoError" {
		code = ""
	}
	if code == "" && b.VendorErrorCode == "" && status == fleet.Faulted {
		code = "Faulted"
	}
	if code != c.Code || b.VendorErrorCode != c.VendorCode {
		c.FaultSince = time.Time{}
		if code != "" || b.VendorErrorCode != "" {
			c.FaultSince = e.RecordedAt
		}
	}
	c.Code, c.VendorCode, c.Info = code, b.VendorErrorCode, b.Info
}

// component takes AvailabilityState of OCPP 2.1, which stands for a
// StatusNotification.
func (s *Station) component(e *event.Event, b *event.Component) {
	for i := range b.Items {
		item := &b.Items[i]
		if item.Variable != "AvailabilityState" {
			continue
		}
		switch item.Component {
		case "Connector":
			s.status(e, item.EVSE, max(item.Connector, 1), &event.Status{Status: item.Value})
		case "ChargingStation":
			s.status(e, 0, 0, &event.Status{Status: item.Value})
		}
	}
}

func (s *Station) measured(e *event.Event, tx string, samples event.Samples) {
	p := s.portOf(e.Subject.EVSE, tx)
	if p == nil || p.Tx == nil || tx != "" && p.Tx.ID != "" && p.Tx.ID != tx {
		return
	}
	for _, g := range samples {
		at := g.At
		if at.IsZero() || at.After(e.RecordedAt) {
			at = e.RecordedAt
		}
		p.Tx.read(fleet.ReadLive(g.Values), at)
	}
}

func (s *Station) portOf(evse int, tx string) *Port {
	if tx != "" {
		for i := range s.Ports {
			if s.Ports[i].Tx != nil && s.Ports[i].Tx.ID == tx {
				return &s.Ports[i]
			}
		}
	}
	return s.Port(evse)
}

func (t *Transaction) read(l fleet.Live, at time.Time) {
	l.At = at
	if l.EnergyWh != nil {
		if t.FirstWh == nil {
			t.FirstWh = l.EnergyWh
		}
		t.EnergyWh = max(0, *l.EnergyWh-*t.FirstWh)
	}
	if l.PowerW != nil {
		t.PeakW = max(t.PeakW, *l.PowerW)
	}
	t.Live = l
}

// Ended is a transaction that came to its end.
type Ended struct {
	Port *Port
	Transaction
	Reason string
	// Inferred is true when nobody told the end.
	Inferred bool
	At       time.Time
	Late     bool
}

func (s *Station) transaction(e *event.Event, b *event.Transaction) *Ended {
	p := s.portOf(e.Subject.EVSE, b.TransactionID)
	if b.Stage == event.TransactionEnded {
		if p == nil || p.Tx == nil || p.Tx.ID != b.TransactionID {
			return nil
		}
		s.told(p, e, b)
		return p.end(e, b.Reason, false)
	}
	if e.Late() {
		return nil
	}
	if p == nil {
		if p = s.need(e.Subject.EVSE); p == nil {
			return nil
		}
	}
	if p.Tx == nil || p.Tx.ID != b.TransactionID {
		p.Tx = &Transaction{ID: b.TransactionID, StartedAt: e.RecordedAt}
		p.Left = false
	}
	s.told(p, e, b)
	if b.TokenStatus != "" && b.TokenStatus != "Accepted" && b.Stage == event.TransactionStarted && !s.Is2x() {
		p.Tx.State = "SuspendedEVSE"
	}
	if p.Status == fleet.Preparing || p.Status == fleet.Charging || p.Status == fleet.SuspendedEV || p.Status == fleet.SuspendedEVSE {
		if now := p.meant(fleet.Preparing); slices.ContainsFunc(p.Plugs, func(g Plug) bool { return strings.EqualFold(g.Raw, "Occupied") }) && now != p.Status {
			p.Status, p.Since = now, e.RecordedAt
		}
	}
	return nil
}

func (s *Station) told(p *Port, e *event.Event, b *event.Transaction) {
	t := p.Tx
	if b.TokenID != "" {
		t.Token = b.TokenID
	}
	if b.ChargingState != "" {
		t.State = b.ChargingState
	}
	for _, g := range b.Samples {
		at := g.At
		if at.IsZero() || at.After(e.RecordedAt) {
			at = e.RecordedAt
		}
		t.read(fleet.ReadLive(g.Values), at)
	}
	if b.MeterWh != nil {
		if t.FirstWh == nil {
			t.FirstWh = b.MeterWh
		}
		t.EnergyWh = max(t.EnergyWh, *b.MeterWh-*t.FirstWh)
	}
}

func (s *Station) inferred(e *event.Event, b *event.SessionInferred) *Ended {
	for i := range s.Ports {
		if p := &s.Ports[i]; p.Tx != nil && p.Tx.ID == b.TransactionID {
			return p.end(e, b.Evidence, true)
		}
	}
	return nil
}

func (p *Port) end(e *event.Event, reason string, inferred bool) *Ended {
	out := &Ended{Port: p, Transaction: *p.Tx, Reason: reason, Inferred: inferred, At: e.RecordedAt, Late: e.Late()}
	p.Tx, p.EndedAt, p.Left = nil, e.RecordedAt, true
	if out.EnergyWh >= chargedWh {
		p.ChargedAt = e.RecordedAt
	}
	if slices.ContainsFunc(p.Plugs, func(g Plug) bool { return strings.EqualFold(g.Raw, "Occupied") }) {
		p.Status, p.Since = fleet.Finishing, e.RecordedAt
	}
	return out
}

// chargedWh is what a charge that proves a port moves at least.
const chargedWh = 500

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

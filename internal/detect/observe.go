package detect

import (
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
func (n *Network) observe(e *event.Event, c fleet.Catalogue) (st *Station, ended *Ended) {
	if e.Subject.Type != event.StationSubject {
		switch b := e.Body.(type) {
		case *event.ServerStarted:
			n.serverStarted(e)
		case *event.Arming:
			n.arm(e.Subject.ID, b.Armed)
		case *event.Presence:
			n.work(e.Subject.ID, b)
		}
		if keyOf(e.Subject) != "" {
			return n.observeOther(e), nil
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
		st = &Station{ID: e.Subject.ID, Make: n.make(Make{}), LinkAt: At(e.RecordedAt), Accepted: true}
		n.add(st)
		delete(n.gone, st.ID)
	}
	st.dirty = true
	switch b := e.Body.(type) {
	case *event.StationConfigured:
		n.configured(st, b, c)
	case *event.StationRemoved:
		n.remove(st)
	case *event.Connected:
		if !st.Online {
			st.LinkAt = At(e.RecordedAt)
		}
		st.Online, st.conn = true, hash(b.ConnID)
		if st.Protocol != b.Protocol {
			m := *st.Make
			m.Protocol = b.Protocol
			st.Make = n.make(m)
		}
	case *event.Disconnected:
		if st.conn == hash(b.ConnID) && st.Online {
			st.Online, st.conn, st.LinkAt, st.Left = false, 0, At(e.RecordedAt), b.Reason
		}
	case *event.Boot:
		st.Make = n.make(Make{Vendor: b.Vendor, Model: b.Model, Firmware: b.Firmware, Protocol: st.Protocol, Carrier: carrier(b.ICCID)})
		st.BootAt = At(e.RecordedAt)
		n.build(st, c)
	case *event.Report:
		if len(b.Layout) > 0 {
			st.reported = fleet.MergeLayout(st.reported, b.Layout)
			n.build(st, c)
		}
	case *event.Status:
		n.status(st, e, e.Subject.EVSE, e.Subject.Connector, b)
	case *event.Component:
		n.component(st, e, b)
	case *event.Meter:
		if !e.Late() {
			st.measured(e, b.TransactionID, b.Samples)
		}
	case *event.Transaction:
		ended = n.transaction(st, e, b)
	case *event.SessionInferred:
		ended = st.inferred(e, b)
	}
	return st, ended
}

// serverRestarted is why a connection ended when it was we who went away.
const serverRestarted = "server restarted"

// serverStarted takes every station offline: sockets do not survive us.
func (n *Network) serverStarted(e *event.Event) {
	n.StartedAt = e.RecordedAt
	for _, st := range n.stations {
		if st.Online {
			st.Online, st.conn, st.LinkAt, st.Left, st.dirty = false, 0, At(e.RecordedAt), serverRestarted, true
		}
		if st.Camera != nil && st.Camera.Seen != (Sights{}) {
			st.Camera.Seen.lost()
			st.dirty = true
		}
	}
}

func (n *Network) configured(st *Station, b *event.StationConfigured, c fleet.Catalogue) {
	st.Label, st.Simulated, st.FreeVend = b.Label, b.Simulated, b.FreeVend
	st.Accepted = b.Onboarding == event.OnboardingAccepted || b.Onboarding == ""
	was := st.SiteID
	st.SiteID = b.SiteID
	n.move(st, was)
	switch {
	case len(b.Layout) > 0:
		st.byHand = true
		n.arrange(st, b.Layout)
	case st.byHand:
		st.byHand = false
		n.build(st, c)
	}
}

// add takes in a station.
func (n *Network) add(st *Station) {
	n.stations[st.ID] = st
	bucket := &n.minutes[hash(st.ID)%60]
	i, _ := slices.BinarySearchFunc(*bucket, st.ID, byID)
	*bucket = slices.Insert(*bucket, i, st)
}

// move puts a station into its site.
func (n *Network) move(st *Station, was string) {
	if was == st.SiteID {
		return
	}
	n.leave(st, was)
	if st.SiteID == "" {
		return
	}
	list := n.sites[st.SiteID]
	i, _ := slices.BinarySearchFunc(list, st.ID, byID)
	n.sites[st.SiteID] = slices.Insert(list, i, st)
}

func (n *Network) leave(st *Station, site string) {
	list := n.sites[site]
	i, found := slices.BinarySearchFunc(list, st.ID, byID)
	switch {
	case !found:
	case len(list) == 1:
		delete(n.sites, site)
	default:
		n.sites[site] = slices.Delete(list, i, i+1)
	}
}

func byID(st *Station, id string) int { return strings.Compare(st.ID, id) }

// hash is FNV-1a: ids of connections are only compared.
func hash(text string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * 1099511628211
	}
	return h
}

func (n *Network) remove(st *Station) {
	delete(n.stations, st.ID)
	bucket := &n.minutes[hash(st.ID)%60]
	*bucket = slices.DeleteFunc(*bucket, func(other *Station) bool { return other == st })
	n.leave(st, st.SiteID)
	if n.gone == nil {
		n.gone = make(map[string]struct{})
	}
	n.gone[st.ID] = struct{}{}
	st.Accepted = false
}

// build has a station be as it is built, unless a person said how.
func (n *Network) build(st *Station, c fleet.Catalogue) {
	if st.byHand {
		return
	}
	if l := c.Built(st.Vendor, st.Model, st.Is2x(), st.reported); !event.SameLayout(l, st.layout) {
		n.arrange(st, l)
		st.dirty = true
	}
}

// arrange takes ratings and plugs from a layout.
func (n *Network) arrange(s *Station, layout []event.EVSELayout) {
	s.layout = layout
	for i := range layout {
		n.need(s, layout[i].EVSE)
	}
	for i := range s.Ports {
		n.rate(s, &s.Ports[i]) // one that the layout does not have is not known any more
	}
}

func (n *Network) rate(s *Station, p *Port) {
	var r Rating
	for i := range s.layout {
		l := &s.layout[i]
		if l.EVSE != p.EVSE {
			continue
		}
		r.RatedW, r.Current, r.Phases, r.Group, r.Alone = l.RatedW, l.Current, l.Phases, l.Group, l.Exclusive
		if len(l.Connectors) > 0 {
			r.Plug = l.Connectors[0].Type
		}
	}
	p.Rating = n.rating(r)
}

// maxShared bounds what stations that invent words make us keep for all.
const maxShared = 20_000

// make returns the one copy of a make.
func (n *Network) make(m Make) *Make {
	if have := n.makes[m]; have != nil {
		return have
	}
	if len(n.makes) < maxShared {
		n.makes[m] = &m
	}
	return &m
}

// rating returns the one copy of a rating.
func (n *Network) rating(r Rating) *Rating {
	if have := n.ratings[r]; have != nil {
		return have
	}
	if len(n.ratings) < maxShared {
		n.ratings[r] = &r
	}
	return &r
}

// need returns the port of that number, making it; nil for a number that no
// station has.
func (n *Network) need(s *Station, evse int) *Port {
	if evse <= 0 {
		return nil
	}
	i, found := slices.BinarySearchFunc(s.Ports, evse, func(p Port, evse int) int { return p.EVSE - evse })
	if !found {
		if len(s.Ports) >= maxPorts {
			return nil
		}
		s.Ports = slices.Insert(s.Ports, i, Port{EVSE: evse, Condition: Condition{Status: fleet.Unknown}})
		n.rate(s, &s.Ports[i])
	}
	return &s.Ports[i]
}

func (n *Network) status(s *Station, e *event.Event, evse, connector int, b *event.Status) {
	if evse == 0 {
		if connector == 0 && supersedes(e, s.Own.Told) {
			s.Own.Told = max(s.Own.Told, moment(e))
			s.Own.hear(e, fleet.ParseStatus(b.Status), b)
		}
		return
	}
	p := n.need(s, evse)
	if p == nil {
		return
	}
	status, ok := p.plug(e, max(connector, 1), b.Status)
	if !ok {
		return
	}
	p.hear(e, p.meant(status), b)
	if status == fleet.Available || status == fleet.Reserved {
		p.Left = false
	}
}

// moment is of when an event tells, never later than we heard it.
func moment(e *event.Event) Moment {
	if e.ReceivedAt.Before(e.At) {
		return At(e.ReceivedAt)
	}
	return At(e.At)
}

// supersedes reports whether a status counts against what was told of a time
// before. A station may stamp its status with the time since which it holds, so a
// report of now can look old; one that tells again what has been overtaken does
// not count.
func supersedes(e *event.Event, told Moment) bool { return !e.Late() || moment(e) >= told }

// Tells reports whether an event that was just taken tells of the present. A
// status does if the view took it, whatever time it gives.
func (s *Station) Tells(e *event.Event) bool {
	if !e.Late() {
		return true
	}
	switch b := e.Body.(type) {
	case *event.Status:
		return s.heard(e, e.Subject.EVSE)
	case *event.Component: // of OCPP 2.1, if it says nothing else
		for i := range b.Items {
			if x := &b.Items[i]; x.Variable != "AvailabilityState" || !s.heard(e, x.EVSE) {
				return false
			}
		}
		return len(b.Items) > 0
	}
	return false
}

// heard reports whether a port, or connector 0, said something with an event.
func (s *Station) heard(e *event.Event, evse int) bool {
	c := &s.Own
	if evse != 0 {
		p := s.Port(evse)
		if p == nil {
			return false
		}
		c = &p.Condition
	}
	return c.HeardAt == At(e.RecordedAt)
}

// plug notes what a connector said and returns what that makes of the port: a
// plug in use speaks for it, then a free one. It is not ok where something newer
// is known.
func (p *Port) plug(e *event.Event, id int, word string) (best fleet.Status, ok bool) {
	status := fleet.ParseStatus(word)
	occupied := strings.EqualFold(word, "Occupied")
	if occupied {
		status = fleet.Preparing
	}
	i := slices.IndexFunc(p.Plugs, func(g Plug) bool { return int(g.ID) == id })
	if i < 0 {
		if len(p.Plugs) >= maxPlugs || id > 1<<15-1 {
			return status, !e.Late()
		}
		p.Plugs = append(p.Plugs, Plug{ID: int16(id)})
		i = len(p.Plugs) - 1
	}
	if !supersedes(e, p.Plugs[i].Told) {
		return status, false
	}
	p.Plugs[i].Status, p.Plugs[i].Occupied = status, occupied
	p.Plugs[i].Told = max(p.Plugs[i].Told, moment(e))
	best = status
	for _, g := range p.Plugs {
		if weight(g.Status) > weight(best) {
			best = g.Status
		}
	}
	return best, true
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

// occupied reports whether a plug said only that a car is there.
func (p *Port) occupied() bool {
	return slices.ContainsFunc(p.Plugs, func(g Plug) bool { return g.Occupied })
}

// meant reads a status through the transaction: Occupied of OCPP 2.x says only
// that a car is there.
func (p *Port) meant(status fleet.Status) fleet.Status {
	if status != fleet.Preparing || !p.occupied() {
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
	now := At(e.RecordedAt)
	if status != c.Status || c.HeardAt.IsZero() {
		c.Was = c.Status
		if c.HeardAt.IsZero() {
			c.Was = fleet.Unknown
		}
		c.Status, c.Since = status, now
	}
	c.HeardAt = now
	code := b.ErrorCode
	if code == "NoError" {
		code = ""
	}
	if code == "" && b.VendorErrorCode == "" && status == fleet.Faulted {
		code = "Faulted"
	}
	if code == "" && b.VendorErrorCode == "" {
		c.Fault = nil
		return
	}
	f := Fault{Code: code, VendorID: b.VendorID, VendorCode: b.VendorErrorCode, Info: b.Info, Since: now}
	if was := c.Fault; was != nil && was.Code == code && was.VendorCode == f.VendorCode {
		f.Since = was.Since
	}
	c.Fault = &f
}

// component takes AvailabilityState of OCPP 2.1, which stands for a
// StatusNotification.
func (n *Network) component(s *Station, e *event.Event, b *event.Component) {
	for i := range b.Items {
		item := &b.Items[i]
		if item.Variable != "AvailabilityState" {
			continue
		}
		switch item.Component {
		case "Connector":
			n.status(s, e, item.EVSE, max(item.Connector, 1), &event.Status{Status: item.Value})
		case "ChargingStation":
			n.status(s, e, 0, 0, &event.Status{Status: item.Value})
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

func (n *Network) transaction(s *Station, e *event.Event, b *event.Transaction) *Ended {
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
		if p = n.need(s, e.Subject.EVSE); p == nil {
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
		if now := p.meant(fleet.Preparing); p.occupied() && now != p.Status {
			p.Status, p.Since = now, At(e.RecordedAt)
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
	p.Tx, p.EndedAt, p.Left = nil, At(e.RecordedAt), true
	if out.EnergyWh >= chargedWh {
		p.ChargedAt = At(e.RecordedAt)
	}
	if p.occupied() {
		p.Status, p.Since = fleet.Finishing, At(e.RecordedAt)
	}
	return out
}

// chargedWh is what a charge that proves a port moves at least.
const chargedWh = 500

package fleet

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// fold dispatches one observed event to the reducer of its kind.
func (b *Batch) fold(e *event.Event, fx *Effects) {
	if e.Subject.Type == event.ServerSubject {
		switch body := e.Body.(type) {
		case *event.ServerStarted:
			b.serverStarted(e, body)
		case *event.Policy:
			b.described(e, body)
		}
		return
	}
	if e.Subject.Type != event.StationSubject || e.Subject.ID == "" {
		return
	}
	known, ok := b.peek(e.Subject.ID)
	if !ok && !founds(e) {
		return
	}
	if _, removed := e.Body.(*event.StationRemoved); removed {
		b.removed(b.station(known.ID), e, fx)
		return
	}
	st := b.station(e.Subject.ID)
	st.Seq = e.Seq
	switch body := e.Body.(type) {
	case *event.StationConfigured:
		b.configured(st, e, body)
	case *event.Connected:
		b.connected(st, e, body)
	case *event.Disconnected:
		b.disconnected(st, e, body)
	case *event.Boot:
		b.boot(st, e, body, fx)
	case *event.Status:
		b.status(st, e, body)
	case *event.Meter:
		b.measured(st, e, body, fx)
	case *event.Transaction:
		b.transaction(st, e, body, fx)
	case *event.Component:
		b.component(st, e, body)
	case *event.Report:
		b.reported(st, e, body)
	}
	if e.Origin == event.FromStation && e.ReceivedAt.After(st.LastFrameAt) {
		st.LastFrameAt = e.ReceivedAt
	}
	fx.Receipt.Onboarding = st.Onboarding
}

// founds reports whether an event makes a station known that was not: what is
// left to say of one that was removed does not bring it back.
func founds(e *event.Event) bool {
	switch e.Body.(type) {
	case *event.StationConfigured, *event.Connected:
		return true
	case *event.Disconnected, *event.StationRemoved, *event.Command, *event.CommandResult:
		return false
	}
	return e.Origin == event.FromStation
}

// moment is when an event happened, but never after we heard of it.
func moment(e *event.Event) time.Time {
	if e.ReceivedAt.IsZero() {
		return e.At
	}
	return earliest(e.At, e.ReceivedAt)
}

// note adds a quirk once.
func note(e *event.Event, quirk string) {
	if !slices.Contains(e.Quirks, quirk) {
		e.Quirks = append(e.Quirks, quirk)
	}
}

// serverStarted takes every station offline until it is heard again: sockets
// do not survive us. Silence from before is no evidence of anything.
func (b *Batch) serverStarted(e *event.Event, body *event.ServerStarted) {
	from := e.At
	if !body.LastAlive.IsZero() {
		from = earliest(from, body.LastAlive)
	}
	for _, id := range b.ids(func(st *Station) bool { return st.Online || len(st.Timers) > 0 }) {
		b.offline(b.station(id), e, from, "server restarted")
	}
	b.rebuild(e) // this program may know more models than the last one
}

func (b *Batch) configured(st *Station, e *event.Event, body *event.StationConfigured) {
	st.SiteID, st.Label, st.Onboarding = body.SiteID, body.Label, body.Onboarding
	st.Simulated, st.FreeVend = body.Simulated, body.FreeVend
	switch {
	case len(body.Layout) > 0:
		st.Layout, st.LayoutSource = body.Layout, layoutByPerson
		b.arrange(st, e)
	case st.LayoutSource == layoutByPerson:
		st.LayoutSource = ""
		b.build(st, e)
	}
}

// built is how the station is built as far as no person decided, and who says so.
func (b *Batch) built(st *Station) (l []event.EVSELayout, source string) {
	l = b.catalogue.Built(st.Vendor, st.Model, st.Is2x(), st.Reported)
	switch {
	case len(st.Reported) > 0:
		return l, layoutByReport
	case l != nil:
		return l, layoutByCatalogue
	}
	return nil, ""
}

// build has a station be as it is built.
func (b *Batch) build(st *Station, e *event.Event) {
	l, source := b.built(st)
	if source == st.LayoutSource && event.SameLayout(l, st.Layout) {
		return
	}
	st.Layout, st.LayoutSource = l, source
	b.arrange(st, e)
}

// rebuild has all stations be as the catalogue says by now.
func (b *Batch) rebuild(e *event.Event) {
	for _, id := range b.ids(func(st *Station) bool {
		if !st.rebuilds() {
			return false
		}
		l, source := b.built(st)
		return source != st.LayoutSource || !event.SameLayout(l, st.Layout)
	}) {
		st := b.station(id)
		st.Seq = e.Seq
		b.build(st, e)
	}
}

// rebuilds reports whether the catalogue has a say in how the station is built.
func (st *Station) rebuilds() bool {
	switch st.LayoutSource {
	case layoutByPerson:
		return false
	case layoutByReport:
		return len(st.Reported) > 0
	}
	return true
}

// reported follows a device model report, unless a person decided.
func (b *Batch) reported(st *Station, e *event.Event, body *event.Report) {
	if len(body.Layout) == 0 {
		return
	}
	if st.LayoutSource == layoutByReport && st.Reported == nil { // of a time when it was not kept apart
		st.Reported = st.Layout
	}
	st.Reported = MergeLayout(st.Reported, body.Layout)
	if st.LayoutSource != layoutByPerson {
		b.build(st, e)
	}
}

// described follows what the operator says of a model: its stations are built so from
// now on, unless a person said otherwise of one.
func (b *Batch) described(e *event.Event, body *event.Policy) {
	if next, ok := b.catalogue.Decide(body); ok {
		b.catalogue, b.meta.Models = next, next.Own()
		b.rebuild(e)
	}
}

// ids returns the stations of which something holds, in order.
func (b *Batch) ids(holds func(st *Station) bool) []string {
	var out []string
	for id, st := range b.touched {
		if st != nil && holds(st) {
			out = append(out, id)
		}
	}
	for id, st := range b.state.stations {
		if _, touched := b.touched[id]; !touched && holds(st) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

func (b *Batch) removed(st *Station, e *event.Event, fx *Effects) {
	for _, s := range st.open() {
		b.infer(st, b.own(st, s), e, moment(e), "the station was removed", fx)
	}
	b.offline(st, e, e.At, "removed")
	b.touched[st.ID] = nil
}

func (b *Batch) connected(st *Station, e *event.Event, body *event.Connected) {
	if !st.Online {
		b.link(st, e.At, "online", e)
	}
	st.Online, st.ConnID, st.ConnectedAt = true, body.ConnID, e.At
	st.Protocol, st.SecurityProfile, st.RemoteAddr = body.Protocol, body.SecurityProfile, body.RemoteAddr
	st.TLS, st.Cipher = body.TLS, body.Cipher
	st.OfflineReason = ""
	b.watchAgain(st, e.RecordedAt)
}

func (b *Batch) disconnected(st *Station, e *event.Event, body *event.Disconnected) {
	if st.ConnID != body.ConnID { // a newer connection took over
		return
	}
	from := e.At
	if !body.LastFrameAt.IsZero() {
		from = earliest(from, body.LastFrameAt)
	}
	st.LastFrameAt = latest(st.LastFrameAt, body.LastFrameAt)
	b.offline(st, e, from, body.Reason)
}

func (b *Batch) offline(st *Station, e *event.Event, from time.Time, reason string) {
	st.Timers = nil // they all wait for the silence of a station that could speak
	if !st.Online {
		return
	}
	from = latest(from, st.ConnectedAt)
	st.Online, st.ConnID, st.DisconnectedAt, st.OfflineReason = false, "", from, reason
	b.link(st, from, "offline", e)
}

// link records a change of connectivity.
func (b *Batch) link(st *Station, at time.Time, state string, e *event.Event) {
	b.points = append(b.points, Point{Station: st.ID, ValidFrom: at, KnownAt: e.RecordedAt, State: state, Seq: e.Seq})
}

func (b *Batch) boot(st *Station, e *event.Event, body *event.Boot, fx *Effects) {
	if body.Serial != "" && st.Serial != "" && body.Serial != st.Serial {
		fx.Derived = append(fx.Derived, derive(e, e.Subject, &event.Finding{
			Code: "twoDevices", Severity: "S2",
			Text:     fmt.Sprintf("Two devices use the identity %s, or the device was replaced", st.ID),
			Evidence: fmt.Sprintf("serial %s before, now %s", st.Serial, body.Serial),
		}))
	}
	st.Vendor, st.Model, st.Firmware = body.Vendor, body.Model, body.Firmware
	st.ICCID, st.IMSI = body.ICCID, body.IMSI
	if body.Serial != "" {
		st.Serial = body.Serial
	}
	st.BootedAt, st.BootReason = e.At, body.Reason
	st.Boots++
	if body.Status == "Accepted" && st.CommissionAt.IsZero() {
		st.CommissionAt = e.At
	}
	if st.rebuilds() {
		b.build(st, e)
	}
	if body.Status == "Accepted" && st.Is2x() && st.LayoutSource == "" && body.Upstream == "" {
		fx.Intents = append(fx.Intents, Intent{
			Key: "base-report/" + st.ID + "/" + strconv.Itoa(st.Boots), Station: st.ID, Action: "GetBaseReport",
			Payload: fmt.Sprintf(`{"requestId":%d,"reportBase":"FullInventory"}`, e.Seq%1_000_000_000),
			Due:     e.RecordedAt, Expires: e.RecordedAt.Add(10 * time.Minute),
			Reason: "no catalogue entry for the model",
		})
	}
}

// component folds NotifyEvent of OCPP 2.x where it stands for a
// StatusNotification (G01.FR.03 to 07).
func (b *Batch) component(st *Station, e *event.Event, body *event.Component) {
	for _, item := range body.Items {
		if item.Variable != "AvailabilityState" {
			continue
		}
		one := *e
		one.At = earliest(sampleTime(e, item.At), moment(e))
		switch item.Component {
		case "Connector":
			one.Subject.EVSE, one.Subject.Connector = item.EVSE, max(item.Connector, 1)
		case "ChargingStation":
			one.Subject.EVSE, one.Subject.Connector = 0, 0
		default:
			continue
		}
		b.status(st, &one, &event.Status{Status: item.Value})
		e.Quirks = one.Quirks
	}
}

// derive makes the event that the core concludes from cause.
func derive(cause *event.Event, subject event.Subject, body event.Body) *event.Event {
	return &event.Event{
		Subject: subject, At: cause.At, ReceivedAt: cause.ReceivedAt, RecordedAt: cause.RecordedAt,
		Quality: cause.Quality, Origin: event.FromUs, Cause: cause.Seq, Body: body,
	}
}

// open returns the station's sessions that have not ended.
func (st *Station) open() []*Session {
	list := slices.Clone(st.Backlog)
	for i := range st.EVSEs {
		if s := st.EVSEs[i].Session; s != nil {
			list = append(list, s)
		}
	}
	return list
}

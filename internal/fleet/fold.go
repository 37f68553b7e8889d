package fleet

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// fold dispatches one observed event to the reducer of its kind.
func (b *Batch) fold(e *event.Event, fx *Effects) {
	if e.Subject.Type == event.ServerSubject {
		if body, ok := e.Body.(*event.ServerStarted); ok {
			b.serverStarted(e, body)
		}
		return
	}
	if e.Subject.Type != event.StationSubject || e.Subject.ID == "" {
		return
	}
	if _, ok := e.Body.(*event.StationRemoved); ok {
		b.removed(e, fx)
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
		if len(body.Layout) > 0 && st.LayoutSource != layoutByPerson {
			base := st.Layout
			if st.LayoutSource != layoutByReport {
				base = nil
			}
			st.Layout, st.LayoutSource = mergeLayout(base, body.Layout), layoutByReport
			b.arrange(st)
		}
	}
	if e.Origin == event.FromStation && e.ReceivedAt.After(st.LastFrameAt) {
		st.LastFrameAt = e.ReceivedAt
	}
	fx.Receipt.Onboarding = st.Onboarding
}

// Where a layout came from, strongest first.
const (
	layoutByPerson    = "person"
	layoutByReport    = "report"
	layoutByCatalogue = "catalogue"
)

func (b *Batch) serverStarted(e *event.Event, _ *event.ServerStarted) {
	// Sockets do not survive us: every station is offline until it is heard again.
	ids := slices.Collect(maps.Keys(b.touched))
	for id := range b.state.stations {
		if _, ok := b.touched[id]; !ok {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		if st, ok := b.peek(id); ok && st.Online {
			b.offline(b.station(id), e, e.At, "server restarted")
		}
	}
}

func (b *Batch) configured(st *Station, e *event.Event, body *event.StationConfigured) {
	st.SiteID, st.Label, st.Onboarding = body.SiteID, body.Label, body.Onboarding
	st.Simulated, st.FreeVend = body.Simulated, body.FreeVend
	switch {
	case len(body.Layout) > 0:
		st.Layout, st.LayoutSource = body.Layout, layoutByPerson
	case st.LayoutSource == layoutByPerson:
		st.Layout, st.LayoutSource = nil, ""
		st.useCatalogue()
	}
	b.arrange(st)
	_ = e
}

func (b *Batch) removed(e *event.Event, fx *Effects) {
	st, ok := b.peek(e.Subject.ID)
	if !ok {
		return
	}
	for _, s := range st.open() {
		b.infer(st, b.own(st, s), e, e.At, "the station was removed", fx)
	}
	b.touched[st.ID] = nil
}

func (b *Batch) connected(st *Station, e *event.Event, body *event.Connected) {
	if !st.Online {
		b.points = append(b.points, Point{Station: st.ID, ValidFrom: e.At, KnownAt: e.RecordedAt, State: "online", Seq: e.Seq})
	}
	st.Online, st.ConnID, st.ConnectedAt = true, body.ConnID, e.At
	st.Protocol, st.SecurityProfile, st.RemoteAddr = body.Protocol, body.SecurityProfile, body.RemoteAddr
	st.OfflineReason = ""
	for i := range st.EVSEs {
		b.watchGhosts(st, &st.EVSEs[i], e.RecordedAt)
	}
}

func (b *Batch) disconnected(st *Station, e *event.Event, body *event.Disconnected) {
	if st.ConnID != body.ConnID { // a newer connection took over
		return
	}
	from := e.At
	if !body.LastFrameAt.IsZero() && body.LastFrameAt.Before(from) {
		from = body.LastFrameAt
	}
	if body.LastFrameAt.After(st.LastFrameAt) {
		st.LastFrameAt = body.LastFrameAt
	}
	b.offline(st, e, from, body.Reason)
}

func (b *Batch) offline(st *Station, e *event.Event, from time.Time, reason string) {
	if !st.Online {
		return
	}
	if from.Before(st.ConnectedAt) {
		from = st.ConnectedAt
	}
	st.Online, st.ConnID, st.DisconnectedAt, st.OfflineReason = false, "", from, reason
	b.points = append(b.points, Point{Station: st.ID, ValidFrom: from, KnownAt: e.RecordedAt, State: "offline", Seq: e.Seq})
}

func (b *Batch) boot(st *Station, e *event.Event, body *event.Boot, fx *Effects) {
	if body.Serial != "" && st.Serial != "" && body.Serial != st.Serial {
		fx.Derived = append(fx.Derived, derive(e, e.Subject, &event.Finding{
			Code: "twoDevices", Severity: "S2",
			Text:     fmt.Sprintf("Two devices use the identity %s, or the device was replaced", st.ID),
			Evidence: fmt.Sprintf("serial %s before, now %s", st.Serial, body.Serial),
		}))
	}
	changed := st.Vendor != body.Vendor || st.Model != body.Model
	st.Vendor, st.Model, st.Serial, st.Firmware = body.Vendor, body.Model, body.Serial, body.Firmware
	st.ICCID, st.IMSI = body.ICCID, body.IMSI
	st.BootedAt, st.BootReason = e.At, body.Reason
	st.Boots++
	if body.Status == "Accepted" && st.CommissionAt.IsZero() {
		st.CommissionAt = e.At
	}
	if changed && (st.LayoutSource == "" || st.LayoutSource == layoutByCatalogue) {
		st.Layout, st.LayoutSource = nil, ""
		st.useCatalogue()
		b.arrange(st)
	}
	if body.Status == "Accepted" && strings.HasPrefix(st.Protocol, "ocpp2") && st.LayoutSource == "" {
		fx.Intents = append(fx.Intents, Intent{
			Key: "base-report/" + st.ID + "/" + strconv.Itoa(st.Boots), Station: st.ID, Action: "GetBaseReport",
			Payload: fmt.Sprintf(`{"requestId":%d,"reportBase":"FullInventory"}`, e.Seq%1_000_000_000),
			Due:     e.RecordedAt, Expires: e.RecordedAt.Add(10 * time.Minute),
			Reason: "no catalogue entry for the model",
		})
	}
}

func (b *Batch) component(st *Station, e *event.Event, body *event.Component) {
	for _, item := range body.Items {
		if item.Variable != "AvailabilityState" {
			continue
		}
		at := e.At
		if !item.At.IsZero() && item.At.Before(at) {
			at = item.At
		}
		one := *e
		one.At = at
		switch item.Component {
		case "Connector":
			one.Subject.EVSE, one.Subject.Connector = item.EVSE, max(item.Connector, 1)
		case "ChargingStation":
			one.Subject.EVSE, one.Subject.Connector = 0, 0
		default:
			continue
		}
		b.status(st, &one, &event.Status{Status: item.Value})
	}
}

// derive makes the event that the core concludes from cause.
func derive(cause *event.Event, subject event.Subject, body event.Body) *event.Event {
	return &event.Event{
		Subject: subject, At: cause.At, ReceivedAt: cause.ReceivedAt, RecordedAt: cause.RecordedAt,
		Quality: cause.Quality, Origin: event.FromUs, Cause: cause.Seq, Body: body,
	}
}

// fire acts on a timer that is due.
func (b *Batch) fire(st *Station, a alarm, fx *Effects) {
	kind, rest, _ := strings.Cut(a.key, "/")
	if kind != ghostTimer {
		return
	}
	id, err := strconv.Atoi(rest)
	if err != nil {
		return
	}
	if evse := st.evse(id); evse != nil {
		b.judgeGhosts(st, evse, a.due, fx)
	}
}

// evse returns the station's EVSE of that id, nil if there is none.
func (st *Station) evse(id int) *EVSE {
	if i, ok := slices.BinarySearchFunc(st.EVSEs, id, func(v EVSE, id int) int { return v.ID - id }); ok {
		return &st.EVSEs[i]
	}
	return nil
}

// needEVSE returns the EVSE of that id, made if need be.
func (st *Station) needEVSE(id int) *EVSE {
	i, ok := slices.BinarySearchFunc(st.EVSEs, id, func(v EVSE, id int) int { return v.ID - id })
	if !ok {
		st.EVSEs = slices.Insert(slices.Clone(st.EVSEs), i, EVSE{ID: id, Status: Unknown})
	}
	return &st.EVSEs[i]
}

// needConnector returns the EVSE's own copy of a connector, made if need be.
func (v *EVSE) needConnector(id int) *Connector {
	v.Connectors = slices.Clone(v.Connectors)
	i, ok := slices.BinarySearchFunc(v.Connectors, id, func(c Connector, id int) int { return c.ID - id })
	if !ok {
		v.Connectors = slices.Insert(v.Connectors, i, Connector{ID: id, ConnectorState: ConnectorState{Status: Unknown}})
	}
	return &v.Connectors[i]
}

// evseOf says which EVSE a connector of OCPP 1.6 belongs to: as the layout
// groups it, else its own.
func (st *Station) evseOf(connector int) int {
	for _, l := range st.Layout {
		for _, c := range l.Connectors {
			if c.Connector == connector {
				return l.EVSE
			}
		}
	}
	return connector
}

// open yields the station's sessions that have not ended.
func (st *Station) open() []*Session {
	list := slices.Clone(st.Backlog)
	for i := range st.EVSEs {
		if s := st.EVSEs[i].Session; s != nil {
			list = append(list, s)
		}
	}
	return list
}

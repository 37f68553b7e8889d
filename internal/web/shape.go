package web

import (
	"encoding/json"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/store"
)

// FaultShape is an error as a station reported it.
type FaultShape struct {
	Code       string     `json:"code"`
	VendorCode string     `json:"vendorCode"`
	Info       string     `json:"info"`
	Since      *time.Time `json:"since"`
}

// maybeFault is a FaultShape or null.
type maybeFault struct{ *FaultShape }

// MarshalJSON writes the fault or null.
func (m maybeFault) MarshalJSON() ([]byte, error) { return json.Marshal(m.FaultShape) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (m *maybeFault) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &m.FaultShape) }

// Schema says so in OpenAPI.
func (maybeFault) Schema(r huma.Registry) *huma.Schema {
	ref := r.Schema(typeOf[FaultShape](), true, "FaultShape")
	return &huma.Schema{OneOf: []*huma.Schema{ref, {Type: "null"}}}
}

func faultShape(f *fleet.Fault) maybeFault {
	if f == nil || f.Code == "" && f.VendorCode == "" || f.Code == "NoError" && f.VendorCode == "" {
		return maybeFault{}
	}
	return maybeFault{&FaultShape{Code: f.Code, VendorCode: f.VendorCode, Info: f.Info, Since: instant(f.Since)}}
}

// StationShape is a station as the API shows it.
type StationShape struct {
	ID              string           `json:"id"`
	Label           string           `json:"label"`
	SiteID          string           `json:"siteId"`
	SiteName        string           `json:"siteName"`
	Vendor          string           `json:"vendor"`
	Model           string           `json:"model"`
	Serial          string           `json:"serial"`
	Firmware        string           `json:"firmware"`
	ICCID           string           `json:"iccid"`
	Protocol        string           `json:"protocol" doc:"ocpp1.6, ocpp2.0.1, ocpp2.1; empty until it connected"`
	Status          fleet.Status     `json:"status" enum:"Available,Preparing,Charging,SuspendedEV,SuspendedEVSE,Finishing,Reserved,Unavailable,Faulted,Unknown"`
	Fault           maybeFault       `json:"fault"`
	Online          bool             `json:"online"`
	OfflineReason   string           `json:"offlineReason"`
	Onboarding      event.Onboarding `json:"onboarding" enum:"accepted,pending,rejected"`
	LastFrameAt     *time.Time       `json:"lastFrameAt"`
	AgeSeconds      *float64         `json:"ageSeconds" doc:"since anything was heard; null: never"`
	ConnectedAt     *time.Time       `json:"connectedAt"`
	DisconnectedAt  *time.Time       `json:"disconnectedAt"`
	BootedAt        *time.Time       `json:"bootedAt"`
	SecurityProfile int              `json:"securityProfile"`
	RemoteAddr      string           `json:"remoteAddr"`
	CommissionedAt  *time.Time       `json:"commissionedAt"`
	Simulated       bool             `json:"simulated"`
	LayoutSource    string           `json:"layoutSource" doc:"who says what it is made of: person, report, catalogue, or nobody"`
	Tags            []string         `json:"tags" doc:"what people call it"`
	EVSEs           []EVSEShape      `json:"evses"`
	Auth            *AuthShape       `json:"auth,omitempty" doc:"for those who may change it"`
	Relay           *RelayShape      `json:"relay,omitempty" doc:"for those who may change it"`
	Relayed         *RelayedShape    `json:"relayed,omitempty" doc:"the central system that it is relayed to; missing: it speaks to this server"`
}

// EVSEShape is a port as the API shows it.
type EVSEShape struct {
	ID         int              `json:"id"`
	PublicID   string           `json:"publicId"`
	Free       bool             `json:"free" doc:"a driver could start a session now"`
	Status     fleet.Status     `json:"status" enum:"Available,Preparing,Charging,SuspendedEV,SuspendedEVSE,Finishing,Reserved,Unavailable,Faulted,Unknown"`
	StatusAt   *time.Time       `json:"statusAt"`
	AgeSeconds *float64         `json:"ageSeconds" doc:"since the state was last known to hold; null: never"`
	Fault      maybeFault       `json:"fault"`
	PowerW     *float64         `json:"powerW"`
	OfferedW   *float64         `json:"offeredW"`
	RatedW     *float64         `json:"ratedW"`
	Current    string           `json:"current" enum:"AC,DC,"`
	EnergyWh   *float64         `json:"energyWh" doc:"register"`
	CurrentA   *float64         `json:"currentA"`
	VoltageV   *float64         `json:"voltageV"`
	SoCPercent *float64         `json:"socPercent"`
	MeasuredAt *time.Time       `json:"measuredAt"`
	Group      string           `json:"group" doc:"EVSEs of a group share power"`
	Connectors []ConnectorShape `json:"connectors"`
	SessionID  *string          `json:"sessionId"`
	Slow       *SlowShape       `json:"slow,omitempty" doc:"there while it charges much slower than it could"`
}

// ConnectorShape is a plug as the API shows it.
type ConnectorShape struct {
	ID     int          `json:"id"`
	Type   string       `json:"type" doc:"OCPP 2.0.1 ConnectorEnumType; empty: unknown"`
	Status fleet.Status `json:"status" enum:"Available,Preparing,Charging,SuspendedEV,SuspendedEVSE,Finishing,Reserved,Unavailable,Faulted,Unknown"`
	Fault  maybeFault   `json:"fault"`
}

// lastFrame is when a station was last heard: the link knows better than the
// journal while it stands.
func (s *Server) lastFrame(st *fleet.Station) time.Time {
	at := st.LastFrameAt
	if st.Online {
		if live, ok := s.o.Stations.LastFrame(st.ID); ok && live.After(at) {
			at = live
		}
	}
	return at
}

func (s *Server) stationShape(st *fleet.Station) StationShape {
	now := s.now()
	heard := s.lastFrame(st)
	out := StationShape{
		ID: st.ID, Label: st.Label, SiteID: st.SiteID, Vendor: st.Vendor, Model: st.Model, Serial: st.Serial,
		Firmware: st.Firmware, ICCID: st.ICCID, Protocol: st.Protocol, Status: stationStatus(st),
		Fault: faultShape(st.Own.Fault), Online: st.Online, OfflineReason: st.OfflineReason,
		Onboarding:  onboarding(st),
		LastFrameAt: instant(heard), AgeSeconds: age(now, heard),
		ConnectedAt: instant(st.ConnectedAt), DisconnectedAt: instant(st.DisconnectedAt), BootedAt: instant(st.BootedAt),
		SecurityProfile: st.SecurityProfile, RemoteAddr: st.RemoteAddr, CommissionedAt: instant(st.CommissionAt),
		Simulated: st.Simulated, LayoutSource: st.LayoutSource, EVSEs: make([]EVSEShape, 0, len(st.EVSEs)), Tags: []string{},
	}
	if st.Online {
		out.OfflineReason = ""
	}
	if site, ok := s.o.Store.Site(st.SiteID); ok {
		out.SiteName = site.Name
	}
	if e, ok := s.o.Store.Station(st.ID); ok {
		out.Tags = list(e.Tags)
		if !e.CommissionedAt.IsZero() {
			out.CommissionedAt = instant(e.CommissionedAt)
		}
		if out.Vendor == "" {
			out.Vendor, out.Model, out.Serial = e.Vendor, e.Model, e.Serial
		}
	}
	for i := range st.EVSEs {
		out.EVSEs = append(out.EVSEs, evseShape(st, &st.EVSEs[i], now, heard))
	}
	return out
}

func onboarding(st *fleet.Station) event.Onboarding {
	if st.Onboarding == "" {
		return event.OnboardingPending
	}
	return st.Onboarding
}

func evseShape(st *fleet.Station, v *fleet.EVSE, now, heard time.Time) EVSEShape {
	confirmed := v.StatusAt
	if heard.After(confirmed) && !confirmed.IsZero() {
		confirmed = heard
	}
	out := EVSEShape{
		ID: v.ID, Free: st.Free(v), Status: v.Status, StatusAt: instant(v.StatusAt), AgeSeconds: age(now, confirmed),
		Fault: faultShape(v.Fault), PowerW: st.Power(v), OfferedW: v.Live.OfferedW, EnergyWh: v.Live.EnergyWh,
		CurrentA: v.Live.CurrentA, VoltageV: v.Live.VoltageV, SoCPercent: v.Live.SoC, MeasuredAt: instant(v.Live.At),
		Connectors: make([]ConnectorShape, 0, len(v.Connectors)), Slow: slow(st, v, now),
	}
	if l := v.Layout; l != nil {
		out.PublicID, out.Current, out.Group = l.PublicID, l.Current, l.Group
		if l.RatedW > 0 {
			out.RatedW = new(l.RatedW)
		}
	}
	if v.Session != nil {
		out.SessionID = new(v.Session.ID)
	}
	for _, c := range v.Connectors {
		out.Connectors = append(out.Connectors, ConnectorShape{ID: c.ID, Type: c.Type, Status: c.Status, Fault: faultShape(c.Fault)})
	}
	return out
}

// stationStatus is the station's own word if it gave one, else what its ports
// add up to: the one they share, else Available.
func stationStatus(st *fleet.Station) fleet.Status {
	if !st.Own.At.IsZero() {
		return st.Own.Status
	}
	if len(st.EVSEs) == 0 {
		return fleet.Unknown
	}
	first := st.EVSEs[0].Status
	for _, v := range st.EVSEs[1:] {
		if v.Status != first {
			return fleet.Available
		}
	}
	switch first {
	case fleet.Unavailable, fleet.Faulted, fleet.Unknown:
		return first
	}
	return fleet.Available
}

// SessionShape is a session as the API shows it.
type SessionShape struct {
	ID              string             `json:"id"`
	Station         string             `json:"station"`
	SiteID          string             `json:"siteId"`
	EVSE            int                `json:"evse"`
	Connector       int                `json:"connector"`
	TransactionID   string             `json:"transactionId"`
	IDToken         string             `json:"idToken" doc:"masked unless the caller may see tokens; empty once erased"`
	TokenID         string             `json:"tokenId" doc:"opaque; empty: none was shown"`
	CredentialID    *string            `json:"credentialId"`
	StartedAt       time.Time          `json:"startedAt"`
	EndedAt         *time.Time         `json:"endedAt"`
	MeterStartWh    *float64           `json:"meterStartWh"`
	MeterStopWh     *float64           `json:"meterStopWh"`
	EnergyWh        float64            `json:"energyWh"`
	PeakPowerW      float64            `json:"peakPowerW"`
	SoCStartPercent *float64           `json:"socStartPercent"`
	SoCEndPercent   *float64           `json:"socEndPercent"`
	StopReason      string             `json:"stopReason"`
	ChargingState   string             `json:"chargingState"`
	State           fleet.SessionState `json:"state" enum:"active,ended,inferred"`
	Flags           []fleet.Flag       `json:"flags" doc:"what is doubtful about the record"`
	Evidence        string             `json:"evidence" doc:"why we think it ended, if the station never said so"`
	ReservationID   *int               `json:"reservationId"`
}

// sessionShape needs the token's value, empty if unknown.
func (s *Server) sessionShape(x *fleet.Session, token store.Token, reveal Scope) SessionShape {
	out := SessionShape{
		ID: x.ID, Station: x.Station, SiteID: x.SiteID, EVSE: x.EVSE, Connector: x.Connector,
		TransactionID: x.TransactionID, TokenID: x.TokenID, StartedAt: x.StartedAt.UTC(), EndedAt: instant(x.EndedAt),
		MeterStartWh: x.MeterStartWh, MeterStopWh: x.MeterStopWh, EnergyWh: x.EnergyWh, PeakPowerW: x.PeakPowerW,
		SoCStartPercent: x.SoCStart, SoCEndPercent: x.SoCEnd, StopReason: x.StopReason, ChargingState: x.ChargingState,
		State: x.State, Flags: list(x.Flags), Evidence: x.Evidence, ReservationID: x.Reservation,
	}
	whole := reveal.Allows(x.SiteID)
	out.IDToken = token.Value
	if !whole {
		out.IDToken = store.Mask(token.Value)
	}
	if c, ok := s.o.Store.CredentialOf(x.TokenID); ok && whole {
		out.CredentialID = new(c.ID)
	}
	return out
}

// EventShape is an event as the API shows it.
type EventShape struct {
	Seq         uint64     `json:"seq"`
	Kind        event.Kind `json:"kind"`
	Subject     string     `json:"subject"`
	At          time.Time  `json:"at"`
	DeviceAt    *time.Time `json:"deviceAt"`
	ReceivedAt  time.Time  `json:"receivedAt"`
	RecordedAt  time.Time  `json:"recordedAt"`
	TimeQuality string     `json:"timeQuality" enum:"device,corrected,received"`
	Origin      string     `json:"origin" enum:"station,upstream,us"`
	Cause       *uint64    `json:"cause" doc:"the event a derived one follows from"`
	Quirks      []string   `json:"quirks"`
	Data        any        `json:"data"`
}

// ShapeOf is an event as the API shows it, for who gives events out elsewhere.
func ShapeOf(e *event.Event) EventShape { return eventShape(e) }

func eventShape(e *event.Event) EventShape {
	out := EventShape{
		Seq: e.Seq, Kind: e.Body.Kind(), Subject: e.Subject.String(), At: e.At.UTC(), DeviceAt: instant(e.DeviceAt),
		ReceivedAt: e.ReceivedAt.UTC(), RecordedAt: e.RecordedAt.UTC(), TimeQuality: e.Quality.String(),
		Origin: e.Origin.String(), Quirks: list(e.Quirks), Data: e.Body,
	}
	if e.Cause != 0 {
		out.Cause = new(e.Cause)
	}
	return out
}

// instant is a time as the API writes it, null for none.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC())
}

// age is the seconds since, null for never; a clock that went back gives 0.
func age(now, since time.Time) *float64 {
	if since.IsZero() {
		return nil
	}
	ms := max(0, now.Sub(since).Milliseconds())
	return new(float64(ms) / 1000)
}

// list makes an empty list of nothing, so that JSON says [] and never null.
func list[T any](x []T) []T {
	if x == nil {
		return []T{}
	}
	return x
}

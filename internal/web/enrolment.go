package web

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

// AuthShape is how a station proves itself. The password is shown once, when
// it was generated.
type AuthShape struct {
	Profile     int    `json:"profile"`
	HasPassword bool   `json:"hasPassword"`
	CertSubject string `json:"certSubject"`
	Password    string `json:"password,omitempty" doc:"generated; it cannot be read again"`
}

// AuthInput says how a station shall prove itself.
type AuthInput struct {
	Profile     int    `json:"profile,omitempty" minimum:"0" maximum:"3" doc:"OCPP security profile; a stronger one is accepted too"`
	Password    string `json:"password,omitempty" maxLength:"64"`
	Generate    bool   `json:"generate,omitempty" doc:"make a password and show it once"`
	CertSubject string `json:"certSubject,omitempty" maxLength:"100" doc:"common name of the client certificate; the id if missing"`
}

func (a *AuthInput) auth() store.Auth {
	if a == nil {
		return store.Auth{}
	}
	return store.Auth{Profile: a.Profile, Password: a.Password, Generate: a.Generate, CertSubject: a.CertSubject}
}

// EVSEInput says what a port is made of.
type EVSEInput struct {
	ID         int              `json:"id" minimum:"1"`
	PublicID   string           `json:"publicId,omitempty" maxLength:"64"`
	RatedW     float64          `json:"ratedW,omitempty" minimum:"0"`
	Current    string           `json:"current,omitempty" enum:"AC,DC"`
	Group      string           `json:"group,omitempty" maxLength:"32" doc:"ports of a group share power"`
	GroupW     float64          `json:"groupW,omitempty" minimum:"0"`
	Exclusive  bool             `json:"exclusive,omitempty" doc:"only one port of the group can charge at a time"`
	Connectors []ConnectorInput `json:"connectors,omitempty" maxItems:"16"`
}

// ConnectorInput names a plug.
type ConnectorInput struct {
	ID   int    `json:"id" minimum:"1"`
	Type string `json:"type,omitempty" maxLength:"20" doc:"OCPP 2.0.1 ConnectorEnumType"`
}

func layout(in []EVSEInput) []event.EVSELayout {
	var out []event.EVSELayout
	for _, v := range in {
		l := event.EVSELayout{
			EVSE: v.ID, PublicID: v.PublicID, RatedW: v.RatedW, Current: v.Current, Group: v.Group, GroupW: v.GroupW, Exclusive: v.Exclusive,
		}
		for _, c := range v.Connectors {
			l.Connectors = append(l.Connectors, event.ConnectorLayout{Connector: c.ID, Type: c.Type})
		}
		out = append(out, l)
	}
	return out
}

type newStationInput struct {
	Body struct {
		ID             string      `json:"id" minLength:"1" maxLength:"48"`
		SiteID         string      `json:"siteId,omitempty" maxLength:"48"`
		Label          string      `json:"label,omitempty" maxLength:"100"`
		Auth           *AuthInput  `json:"auth,omitempty"`
		EVSEs          []EVSEInput `json:"evses,omitempty" maxItems:"64"`
		CommissionedAt *time.Time  `json:"commissionedAt,omitempty"`
		Simulated      bool        `json:"simulated,omitempty"`
		Upstream       string      `json:"upstream,omitempty" maxLength:"48" doc:"the other central system that it is relayed to; missing: as its site says, none: it speaks to us"`
		Observers      []string    `json:"observers,omitempty" maxItems:"4" doc:"systems that hear it too"`
	}
}

type stationChangeInput struct {
	Station string `path:"station" maxLength:"48"`
	Body    struct {
		SiteID         *string      `json:"siteId,omitempty" maxLength:"48"`
		Label          *string      `json:"label,omitempty" maxLength:"100"`
		Auth           *AuthInput   `json:"auth,omitempty"`
		EVSEs          *[]EVSEInput `json:"evses,omitempty" maxItems:"64" doc:"empty: as the station or the catalogue says"`
		CommissionedAt *time.Time   `json:"commissionedAt,omitempty"`
		Onboarding     *string      `json:"onboarding,omitempty" enum:"accepted,rejected"`
		Tags           *[]string    `json:"tags,omitempty" maxItems:"20" doc:"replaces all"`
		Upstream       *string      `json:"upstream,omitempty" maxLength:"48" doc:"the other central system that it is relayed to; empty: as its site says, none: it speaks to us. It comes again at once"`
		Observers      *[]string    `json:"observers,omitempty" maxItems:"4" doc:"systems that hear it too; empty: as its site says"`
	}
}

type approveInput struct {
	Station string `path:"station" maxLength:"48"`
	Body    *struct {
		SiteID *string `json:"siteId,omitempty" maxLength:"48"`
	}
}

func (s *Server) registerEnrolment() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"stations"}}
	}
	add(s, filtered(StationsWrite), op("enrolStation", http.MethodPost, "/stations", "Let a station in", http.StatusCreated), s.enrolStation)
	add(s, atStation(StationsWrite), op("changeStation", http.MethodPatch, "/stations/{station}", "Change a station", 0), s.changeStation)
	add(s, atStation(StationsWrite), op("removeStation", http.MethodDelete, "/stations/{station}",
		"Remove a station; its history stays", http.StatusNoContent), s.removeStation)
	add(s, atStation(StationsWrite), op("approveStation", http.MethodPost, "/stations/{station}/approve",
		"Accept a station that waits, and ask it to boot", 0), s.approveStation)
}

// allow checks a permission at a site that the request names in its body.
func allow(ctx context.Context, permission Permission, site string) error {
	if !scope(ctx, permission).Allows(site) {
		return problemf(http.StatusForbidden, "your role does not reach that site")
	}
	return nil
}

// enrolled shows a station after a change, with a password that was generated.
func (s *Server) enrolled(id string, password string) (*stationOutput, error) {
	st, err := s.station(id)
	if err != nil {
		return nil, err
	}
	out := &stationOutput{Body: s.stationShape(st)}
	out.Body.Auth, out.Body.Relay, out.Body.Relayed = s.authShape(id), s.relayShape(id), s.relayedShape(id)
	if out.Body.Auth != nil {
		out.Body.Auth.Password = password
	}
	return out, nil
}

func (s *Server) authShape(id string) *AuthShape {
	e, ok := s.o.Store.Station(id)
	if !ok {
		return nil
	}
	return &AuthShape{Profile: e.Profile, HasPassword: e.HasPassword(), CertSubject: e.CertSubject}
}

func (s *Server) enrolStation(ctx context.Context, in *newStationInput) (*stationOutput, error) {
	b := in.Body
	if err := allow(ctx, StationsWrite, b.SiteID); err != nil {
		return nil, err
	}
	old, had := s.o.Store.Station(b.ID)
	if had && old.SiteID != "" && !scope(ctx, StationsWrite).Allows(old.SiteID) {
		return nil, store.ErrExists
	}
	if err := s.relayable(store.Relaying{}, &b.Upstream, &b.Observers); err != nil {
		return nil, err
	}
	n := store.NewStation{ID: b.ID, SiteID: b.SiteID, Label: b.Label, Auth: b.Auth.auth(), Layout: layout(b.EVSEs), Simulated: b.Simulated}
	if b.CommissionedAt != nil {
		n.CommissionedAt = *b.CommissionedAt
	}
	_, password, err := s.o.Store.EnrolStation(ctx, who(ctx).actor(), n)
	if err != nil {
		return nil, err
	}
	if b.Upstream != "" || len(b.Observers) > 0 {
		if err := s.relayStation(ctx, b.ID, &b.Upstream, &b.Observers); err != nil {
			return nil, err
		}
	}
	s.o.Store.ForgetHandshakes(b.ID)
	if had {
		s.askToBoot(ctx, b.ID)
	}
	return s.enrolled(b.ID, password)
}

func (s *Server) changeStation(ctx context.Context, in *stationChangeInput) (*stationOutput, error) {
	b := in.Body
	c := store.StationChange{SiteID: b.SiteID, Label: b.Label, CommissionedAt: b.CommissionedAt, Tags: b.Tags}
	if b.SiteID != nil {
		if err := allow(ctx, StationsWrite, *b.SiteID); err != nil {
			return nil, err
		}
	}
	if b.Auth != nil {
		c.Auth = new(b.Auth.auth())
	}
	if b.EVSEs != nil {
		c.Layout = new(layout(*b.EVSEs))
	}
	if b.Onboarding != nil {
		c.Onboarding = new(event.Onboarding(*b.Onboarding))
	}
	relayed := b.Upstream != nil || b.Observers != nil
	if err := s.relayable(s.o.Store.Relaying(event.Station(in.Station)), b.Upstream, b.Observers); relayed && err != nil {
		return nil, err
	}
	old, _ := s.o.Store.Station(in.Station)
	before, _ := s.o.Store.RelayOf(in.Station)
	e, password, err := s.o.Store.ChangeStation(ctx, who(ctx).actor(), in.Station, c)
	if err != nil {
		return nil, err
	}
	if relayed {
		if err := s.relayStation(ctx, in.Station, b.Upstream, b.Observers); err != nil {
			return nil, err
		}
	}
	now, _ := s.o.Store.RelayOf(in.Station)
	switch {
	case before != now && !relayed:
		s.o.Stations.Disconnect(in.Station, "its site is relayed to another system")
	case b.Auth != nil:
		s.o.Stations.Disconnect(in.Station, "its credentials were changed")
	case e.Onboarding == event.OnboardingRejected:
		s.o.Stations.Disconnect(in.Station, "it was rejected")
	case old != nil && old.Onboarding != e.Onboarding:
		s.askToBoot(ctx, in.Station)
	}
	return s.enrolled(in.Station, password)
}

func (s *Server) removeStation(ctx context.Context, in *stationInput) (*noContent, error) {
	if err := s.o.Store.RemoveStation(ctx, who(ctx).actor(), in.Station); err != nil {
		return nil, err
	}
	s.o.Stations.Disconnect(in.Station, "it was removed")
	return nil, nil
}

func (s *Server) approveStation(ctx context.Context, in *approveInput) (*stationOutput, error) {
	var site *string
	if in.Body != nil && in.Body.SiteID != nil {
		site = in.Body.SiteID
		if err := allow(ctx, StationsWrite, *site); err != nil {
			return nil, err
		}
	}
	if _, err := s.o.Store.ApproveStation(ctx, who(ctx).actor(), in.Station, site); err != nil {
		return nil, err
	}
	s.o.Store.ForgetHandshakes(in.Station)
	s.askToBoot(ctx, in.Station)
	return s.enrolled(in.Station, "")
}

// askToBoot asks an approved station for a boot, so that it learns that it is
// in; one that does not know the message boots when its interval is over.
func (s *Server) askToBoot(ctx context.Context, id string) {
	st, err := s.station(id)
	if err != nil || !st.Online {
		return
	}
	payload := json.RawMessage(`{"requestedMessage":"BootNotification"}`)
	if _, _, err := s.command(ctx, who(ctx).actor(), id, "TriggerMessage", payload); err != nil {
		s.log.WarnContext(ctx, "approved station not asked to boot", "station", id, "err", err)
	}
}

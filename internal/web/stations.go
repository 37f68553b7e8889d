package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/fleet"
)

type stationsInput struct {
	Page
	Q          string `query:"q" maxLength:"100" doc:"part of id, label, vendor, model or serial"`
	Site       string `query:"site" maxLength:"48"`
	Status     string `query:"status" enum:"Available,Preparing,Charging,SuspendedEV,SuspendedEVSE,Finishing,Reserved,Unavailable,Faulted,Unknown" doc:"of the station or one of its ports"`
	Online     string `query:"online" enum:"true,false"`
	Onboarding string `query:"onboarding" enum:"accepted,pending,rejected"`
	Tag        string `query:"tag" maxLength:"64" doc:"as people tagged it; case does not count"`
}

type stationInput struct {
	Station string `path:"station" maxLength:"48"`
}

type stationOutput struct{ Body StationShape }

func (s *Server) registerStations() {
	add(s, filtered(StationsRead), huma.Operation{
		OperationID: "listStations", Method: http.MethodGet, Path: "/stations", Summary: "List stations", Tags: []string{"stations"},
	}, s.listStations)
	add(s, atStation(StationsRead), huma.Operation{
		OperationID: "getStation", Method: http.MethodGet, Path: "/stations/{station}", Summary: "One station", Tags: []string{"stations"},
	}, s.getStation)
}

func (s *Server) listStations(ctx context.Context, in *stationsInput) (*listOutput[StationShape], error) {
	after, err := decodeCursor("stations", in.Cursor)
	if err != nil {
		return nil, err
	}
	allowed := scope(ctx, StationsRead)
	q := strings.ToLower(in.Q)
	var found []*fleet.Station
	for st := range s.o.Fleet.Snapshot().Stations() {
		if st.ID > after && allowed.Allows(st.SiteID) && in.matches(st, q) && (in.Tag == "" || s.tagged(st.ID, in.Tag)) {
			found = append(found, st)
		}
	}
	slices.SortFunc(found, func(a, b *fleet.Station) int { return strings.Compare(a.ID, b.ID) })
	next := ""
	if len(found) > in.Limit {
		found = found[:in.Limit]
		next = encodeCursor("stations", found[in.Limit-1].ID)
	}
	out := make([]StationShape, 0, len(found))
	for _, st := range found {
		out = append(out, s.stationShape(st))
	}
	return listOf(out, next), nil
}

func (in *stationsInput) matches(st *fleet.Station, q string) bool {
	switch {
	case in.Site != "" && st.SiteID != in.Site,
		in.Online != "" && (in.Online == "true") != st.Online,
		in.Onboarding != "" && in.Onboarding != string(onboarding(st)):
		return false
	}
	if in.Status != "" {
		want := fleet.ParseStatus(in.Status)
		if stationStatus(st) != want && !slices.ContainsFunc(st.EVSEs, func(v fleet.EVSE) bool { return v.Status == want }) {
			return false
		}
	}
	if q == "" {
		return true
	}
	for _, text := range []string{st.ID, st.Label, st.Vendor, st.Model, st.Serial} {
		if strings.Contains(strings.ToLower(text), q) {
			return true
		}
	}
	return false
}

func (s *Server) tagged(id, tag string) bool {
	e, ok := s.o.Store.Station(id)
	return ok && e.HasTag(tag)
}

// station returns a station of the fleet; one enrolled a moment ago may not be
// in it yet.
func (s *Server) station(id string) (*fleet.Station, error) {
	st, ok := s.o.Fleet.Snapshot().Station(id)
	if !ok {
		return nil, problemf(http.StatusNotFound, "no such station")
	}
	return st, nil
}

func (s *Server) getStation(ctx context.Context, in *stationInput) (*stationOutput, error) {
	st, err := s.station(in.Station)
	if err != nil {
		return nil, err
	}
	out := &stationOutput{Body: s.stationShape(st)}
	out.Body.Relayed = s.relayedShape(st.ID)
	if scope(ctx, StationsWrite).Allows(st.SiteID) {
		out.Body.Auth, out.Body.Relay = s.authShape(st.ID), s.relayShape(st.ID)
	}
	return out, nil
}

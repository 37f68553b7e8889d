package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/store"
)

// SettingShape is a configuration key of 1.6 (component empty) or an attribute
// of a 2.x variable.
type SettingShape struct {
	Component         string    `json:"component"`
	ComponentInstance string    `json:"componentInstance"`
	EVSE              int       `json:"evse"`
	Connector         int       `json:"connector"`
	Variable          string    `json:"variable"`
	VariableInstance  string    `json:"variableInstance"`
	Attribute         string    `json:"attribute"`
	Value             *string   `json:"value" doc:"null: not readable, or a secret"`
	Mutability        string    `json:"mutability" enum:"ReadOnly,WriteOnly,ReadWrite,"`
	At                time.Time `json:"at" doc:"when the station said so"`
}

// ProfileShape is a charging profile that a station accepted.
type ProfileShape struct {
	ID            int             `json:"id"`
	EVSE          int             `json:"evse"`
	Purpose       string          `json:"purpose"`
	StackLevel    int             `json:"stackLevel"`
	TransactionID string          `json:"transactionId"`
	Profile       json.RawMessage `json:"profile" doc:"as it was sent"`
	CommandID     string          `json:"commandId"`
	AcceptedAt    time.Time       `json:"acceptedAt"`
}

// LocalListShape is the list of tokens a station keeps.
type LocalListShape struct {
	Version         int                   `json:"version" doc:"sent last and accepted; 0: never"`
	UpdatedAt       *time.Time            `json:"updatedAt"`
	ReportedVersion *int                  `json:"reportedVersion" doc:"what it said when asked"`
	ReportedAt      *time.Time            `json:"reportedAt"`
	Entries         []LocalListEntryShape `json:"entries"`

	Kept *StationListShape `json:"kept" doc:"how far it is, where the server keeps it; null: it does not"`
}

// LocalListEntryShape is one token of the list.
type LocalListEntryShape struct {
	IDToken string          `json:"idToken"`
	Type    string          `json:"type"`
	Info    json.RawMessage `json:"info"`
}

type localListOutput struct{ Body LocalListShape }

// ReservationShape is a port kept for a token.
type ReservationShape struct {
	ReservationID int        `json:"reservationId"`
	Station       string     `json:"station"`
	EVSE          int        `json:"evse" doc:"0: any"`
	IDToken       string     `json:"idToken"`
	ExpiresAt     *time.Time `json:"expiresAt"`
	Status        string     `json:"status"`
	CreatedAt     time.Time  `json:"createdAt"`
}

type reservationsInput struct {
	Page
	Station string `query:"station" maxLength:"48"`
}

func (s *Server) registerAgreed() {
	get := func(id, path, tag, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Tags: []string{tag}}
	}
	add(s, atStation(StationsRead), get("getConfiguration", "/stations/{station}/configuration", "stations",
		"What it last said about its settings"), s.getConfiguration)
	add(s, atStation(StationsRead), get("listChargingProfiles", "/stations/{station}/charging-profiles", "stations",
		"The charging profiles it accepted"), s.listProfiles)
	add(s, atStation(StationsRead), get("getLocalList", "/stations/{station}/local-list", "stations",
		"The list of tokens it keeps"), s.getLocalList)
	s.registerStationLists()
	s.registerFiles()
	add(s, filtered(SessionsRead), get("listReservations", "/reservations", "sessions", "Reservations, newest first"), s.listReservations)
}

func (s *Server) getConfiguration(ctx context.Context, in *stationInput) (*listOutput[SettingShape], error) {
	found, err := s.o.Store.Settings(ctx, in.Station)
	if err != nil {
		return nil, err
	}
	out := make([]SettingShape, 0, len(found))
	for _, x := range found {
		out = append(out, SettingShape(x))
	}
	return listOf(out, ""), nil
}

func (s *Server) listProfiles(ctx context.Context, in *stationInput) (*listOutput[ProfileShape], error) {
	found, err := s.o.Store.ChargingProfiles(ctx, in.Station)
	if err != nil {
		return nil, err
	}
	out := make([]ProfileShape, 0, len(found))
	for _, x := range found {
		out = append(out, ProfileShape(x))
	}
	return listOf(out, ""), nil
}

// masked shows a token whole where the caller may see it at the site.
func masked(ctx context.Context, site string, t store.Token) string {
	if scope(ctx, IDTokensRead).Allows(site) {
		return t.Value
	}
	return store.Mask(t.Value)
}

func (s *Server) getLocalList(ctx context.Context, in *stationInput) (*localListOutput, error) {
	l, err := s.o.Store.LocalList(ctx, in.Station)
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(l.Entries))
	for _, e := range l.Entries {
		ids = append(ids, e.TokenID)
	}
	tokens, err := s.o.Store.Tokens(ctx, ids...)
	if err != nil {
		return nil, err
	}
	site, _ := s.siteOf(in.Station)
	out := LocalListShape{
		Version: l.Version, UpdatedAt: instant(l.UpdatedAt), ReportedVersion: l.ReportedVersion, ReportedAt: instant(l.ReportedAt),
		Entries: make([]LocalListEntryShape, 0, len(l.Entries)),
	}
	for _, e := range l.Entries {
		t := tokens[e.TokenID]
		if err := s.forReader(ctx, scope(ctx, IDTokensRead).Allows(site), &e.Info); err != nil {
			return nil, err
		}
		out.Entries = append(out.Entries, LocalListEntryShape{IDToken: masked(ctx, site, t), Type: t.Type, Info: e.Info})
	}
	if s.o.StationLists != nil {
		if x, ok := s.o.StationLists.StationList(in.Station); ok {
			out.Kept = &x
		}
	}
	return &localListOutput{Body: out}, nil
}

func (s *Server) listReservations(ctx context.Context, in *reservationsInput) (*listOutput[ReservationShape], error) {
	before, err := decodeCursor("reservations", in.Cursor)
	if err != nil {
		return nil, err
	}
	allowed := scope(ctx, SessionsRead)
	keep := func(x store.Reservation) bool {
		site, _ := s.siteOf(x.Station)
		return allowed.Allows(site)
	}
	found, next, err := scan(in.Limit, journal.Cursor(before), keep,
		func(limit int, before journal.Cursor) ([]store.Reservation, journal.Cursor, error) {
			skip := 0
			if before != "" {
				if skip, err = strconv.Atoi(string(before)); err != nil || skip < 0 {
					return nil, "", errCursor
				}
			}
			page, err := s.o.Store.Reservations(ctx, in.Station, skip, limit)
			next := ""
			if len(page) == limit {
				next = strconv.Itoa(skip + limit)
			}
			return page, journal.Cursor(next), err
		})
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(found))
	for _, x := range found {
		ids = append(ids, x.TokenID)
	}
	tokens, err := s.o.Store.Tokens(ctx, ids...)
	if err != nil {
		return nil, err
	}
	out := make([]ReservationShape, 0, len(found))
	for _, x := range found {
		site, _ := s.siteOf(x.Station)
		out = append(out, ReservationShape{
			ReservationID: x.ID, Station: x.Station, EVSE: x.EVSE, IDToken: masked(ctx, site, tokens[x.TokenID]),
			ExpiresAt: instant(x.ExpiresAt), Status: x.Status, CreatedAt: x.CreatedAt,
		})
	}
	return listOf(out, encodeCursor("reservations", string(next))), nil
}

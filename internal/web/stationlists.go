package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
)

// StationLists keeps lists of tokens in stations, for when the server is away.
type StationLists interface {
	// StationList is how the list of a station is; false where none is kept.
	StationList(station string) (StationListShape, bool)
	// SendStationList has all of it sent anew.
	SendStationList(station string)
}

// StationListShape is how the list of a station is that the server keeps.
type StationListShape struct {
	State           string     `json:"state" enum:"current,waiting,sending,offline,unsupported,refused,everybody,emptying"`
	Entries         int        `json:"entries" doc:"it is to have"`
	There           int        `json:"there" doc:"it accepted"`
	Permitted       int        `json:"permitted" doc:"may charge at all of it now"`
	Capacity        int        `json:"capacity" doc:"for how many it has room; 0: it does not say"`
	Version         int        `json:"version" doc:"it is to have"`
	VersionThere    int        `json:"versionThere" doc:"it accepted last"`
	VersionReported *int       `json:"versionReported" doc:"it said when asked"`
	CheckedAt       *time.Time `json:"checkedAt"`
	SentAt          *time.Time `json:"sentAt"`
	Problem         string     `json:"problem" doc:"what it said last if it took nothing; empty: none"`

	Left     []StationListLeft    `json:"left" doc:"who may charge and is not on it"`
	Forbids  []string             `json:"forbids" doc:"ids of policies that only the server evaluates each time"`
	Settings []StationListSetting `json:"settings" doc:"by which the station decides alone"`
}

// StationListLeft counts who is not on a list, and why.
type StationListLeft struct {
	Why   string `json:"why" enum:"hours,part,noKeypad,forbidden,long,room"`
	Count int    `json:"count"`
}

// StationListSetting is a setting by which a station decides alone.
type StationListSetting struct {
	Name    string `json:"name"`
	Want    string `json:"want"`
	Is      string `json:"is" doc:"empty: the station does not have it"`
	Refused string `json:"refused" doc:"what it said to being changed; empty: nothing"`
}

type stationListOutput struct{ Body StationListShape }

func (s *Server) registerStationLists() {
	add(s, atStation(StationsCommand), huma.Operation{
		OperationID: "sendLocalList", Method: http.MethodPost, Path: "/stations/{station}/local-list/send", Tags: []string{"stations"},
		Summary: "Ask what list it has and send all of it anew", DefaultStatus: http.StatusAccepted,
		Description: "Where the site keeps lists in its stations. It is sent within seconds while the station is connected.",
	}, s.sendStationList)
}

func (s *Server) sendStationList(ctx context.Context, in *stationInput) (*stationListOutput, error) {
	if s.o.StationLists == nil {
		return nil, problemf(http.StatusNotImplemented, "no lists are kept in stations by this server")
	}
	x, ok := s.o.StationLists.StationList(in.Station)
	if !ok {
		return nil, problemf(http.StatusConflict, "no list is kept in this station: its site does not want it")
	}
	if err := s.o.Store.Record(ctx, who(ctx).actor(), "station.list.send", event.Station(in.Station).String(), nil); err != nil {
		return nil, err
	}
	s.o.StationLists.SendStationList(in.Station)
	x.State = "waiting"
	return &stationListOutput{Body: x}, nil
}

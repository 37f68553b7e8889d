package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/usage/attempt"
)

// How far back tries are looked for, and how much may be read for them.
const (
	attemptReach    = 7 * 24 * time.Hour
	attemptEvents   = 5000
	attemptStations = 8
)

// AttemptShape is one try to charge.
type AttemptShape struct {
	Station     string         `json:"station"`
	SiteID      string         `json:"siteId"`
	EVSE        int            `json:"evse" doc:"0: it never came to a port"`
	At          time.Time      `json:"at"`
	EndedAt     *time.Time     `json:"endedAt" doc:"null: it goes on"`
	Stage       attempt.Stage  `json:"stage" enum:"presented,plugged,authorised,locked,energy" doc:"how far it came"`
	Failed      bool           `json:"failed" doc:"less than 0.1 kWh was moved"`
	Reason      attempt.Reason `json:"reason" enum:",tokenUnknown,tokenBlocked,tokenExpired,tokenInUse,tokenNotHere,tokenNoCredit,tokenRefused,remoteRefused,remoteLost,neverPlugged,noToken,notStarted,faulted,takenOut,stationLost,restarted,powerLoss,emergencyStop,deauthorised,vehicleRefused,unpluggedEarly,stoppedAtStation,stoppedRemotely,plugTimeout,noEnergy,endUnknown" doc:"why it failed; empty: it did not"`
	Detail      string         `json:"detail" doc:"the station's own word behind the reason"`
	IDToken     string         `json:"idToken" doc:"masked unless the caller may see tokens; empty: none was shown, or it was erased"`
	IDTokenType string         `json:"idTokenType" doc:"of OCPP 2.x; empty: unknown"`
	TokenID     string         `json:"tokenId" doc:"opaque"`
	Tries       int            `json:"tries" doc:"how often the token was shown for it"`
	Remote      bool           `json:"remote" doc:"asked for from afar"`
	EnergyWh    *float64       `json:"energyWh" doc:"null: not told"`
	SessionID   *string        `json:"sessionId"`
}

type attemptsInput struct {
	Station string `query:"station" maxLength:"48"`
	EVSE    int    `query:"evse" minimum:"0" maximum:"1000" doc:"with station; tries that never came to a port are told with each"`
	Token   string `query:"token" maxLength:"48" doc:"opaque id of a token, as /search gives it; for those who may see tokens"`
	Limit   int    `query:"limit" default:"5" minimum:"1" maximum:"1000" doc:"at most 100 are given"`
}

func (s *Server) registerAttempts() {
	add(s, filtered(SessionsRead), huma.Operation{
		OperationID: "listAttempts", Method: http.MethodGet, Path: "/attempts", Tags: []string{"sessions"},
		Summary: "The last tries to charge at a station or with a token, newest first: how far each came and why it failed",
	}, s.listAttempts)
}

func (s *Server) listAttempts(ctx context.Context, in *attemptsInput) (*listOutput[AttemptShape], error) {
	limit := min(in.Limit, 100)
	allowed := scope(ctx, SessionsRead)
	stations := []string{in.Station}
	if in.Station == "" {
		var err error
		if stations, err = s.stationsOfToken(ctx, in.Token); err != nil {
			return nil, err
		}
	}
	var all []tried
	for _, id := range stations {
		site, ok := s.siteOf(id)
		if !ok || !allowed.Allows(site) {
			continue
		}
		keep := func(a attempt.Attempt) bool {
			return (in.EVSE == 0 || a.EVSE == in.EVSE || a.EVSE == 0) && (in.Token == "" || a.Token == in.Token)
		}
		if in.Token != "" && !scope(ctx, IDTokensRead).Allows(site) {
			continue
		}
		list, err := s.attemptsAt(ctx, id, limit, keep)
		if err != nil {
			return nil, err
		}
		for _, a := range list {
			all = append(all, tried{station: id, site: site, Attempt: a})
		}
	}
	slices.SortStableFunc(all, func(a, b tried) int { return b.At.Compare(a.At) })
	out, err := s.attemptShapes(ctx, all[:min(len(all), limit)])
	if err != nil {
		return nil, err
	}
	return listOf(out, ""), nil
}

type tried struct {
	station, site string
	attempt.Attempt
}

// attemptsAt reads a station's events from the newest back until enough tries
// were told or the bounds are reached.
func (s *Server) attemptsAt(ctx context.Context, station string, limit int, keep func(attempt.Attempt) bool) ([]attempt.Attempt, error) {
	now := s.now()
	q := journal.EventQuery{Subject: event.Station(station), Kinds: attempt.Kinds(), From: now.Add(-attemptReach), Limit: 500}
	var events []*event.Event // newest first
	for {
		page, next, err := s.o.History.Events(ctx, q)
		if err != nil {
			return nil, err
		}
		events = append(events, page...)
		whole := next == "" || len(events) >= attemptEvents
		inOrder := slices.Clone(events)
		slices.Reverse(inOrder)
		list := slices.DeleteFunc(attempt.Of(inOrder, now), func(a attempt.Attempt) bool { return !keep(a) })
		// The oldest may have begun before what was read.
		if whole || len(list) > limit {
			slices.Reverse(list)
			return list[:min(len(list), limit)], nil
		}
		q.Before, q.Limit = next, journal.MaxLimit
	}
}

// stationsOfToken finds where a token was shown lately: by its sessions and by
// the newest decisions about tokens.
func (s *Server) stationsOfToken(ctx context.Context, token string) ([]string, error) {
	if token == "" || scope(ctx, IDTokensRead).Empty() {
		return nil, nil
	}
	allowed := scope(ctx, SessionsRead)
	from := s.now().Add(-attemptReach)
	var out []string
	note := func(station string) {
		if len(out) < attemptStations && !slices.Contains(out, station) {
			out = append(out, station)
		}
	}
	sessions, _, err := s.o.History.Sessions(ctx, journal.SessionQuery{TokenID: token, Sites: allowed.sitesOrNil(), From: from, Limit: 50})
	if err != nil {
		return nil, err
	}
	q := journal.EventQuery{Kinds: []event.Kind{event.KindAuthorize}, From: from, Among: s.subjectsOf(allowed), Limit: journal.MaxLimit}
	for range attemptEvents / journal.MaxLimit {
		page, next, err := s.o.History.Events(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			if a, ok := e.Body.(*event.Authorize); ok && a.TokenID == token {
				note(e.Subject.ID)
			}
		}
		if q.Before = next; next == "" {
			break
		}
	}
	for _, x := range sessions {
		note(x.Station)
	}
	return out, nil
}

// attemptShapes adds what sessions and the table of tokens know.
func (s *Server) attemptShapes(ctx context.Context, list []tried) ([]AttemptShape, error) {
	ids := make([]string, 0, len(list))
	sessions := make(map[string]*fleet.Session)
	asked := make(map[string]bool)
	for _, a := range list {
		ids = append(ids, a.Token)
		if asked[a.station] {
			continue
		}
		asked[a.station] = true
		found, _, err := s.o.History.Sessions(ctx, journal.SessionQuery{Station: a.station, From: s.now().Add(-attemptReach), Limit: 200})
		if err != nil {
			return nil, err
		}
		for _, x := range found {
			sessions[x.Station+"\x00"+x.TransactionID] = x
		}
	}
	tokens, err := s.o.Store.Tokens(ctx, ids...)
	if err != nil {
		return nil, err
	}
	out := make([]AttemptShape, 0, len(list))
	for _, a := range list {
		shape := AttemptShape{
			Station: a.station, SiteID: a.site, EVSE: a.EVSE, At: a.At.UTC(), EndedAt: instant(a.EndsAt), Stage: a.Stage, Failed: a.Failed,
			Reason: a.Reason, Detail: a.Detail, IDToken: masked(ctx, a.site, tokens[a.Token]), IDTokenType: tokens[a.Token].Type, TokenID: a.Token, Tries: a.Tries, Remote: a.Remote,
			EnergyWh: a.EnergyWh,
		}
		if x := sessions[a.station+"\x00"+a.TransactionID]; x != nil && a.TransactionID != "" {
			shape.SessionID, shape.EnergyWh = new(x.ID), new(x.EnergyWh)
			if x.EnergyWh >= attempt.FailedBelowWh && a.Reason == attempt.EndUnknown {
				shape.Failed, shape.Reason, shape.Stage = false, attempt.None, attempt.Energy
			}
		}
		out = append(out, shape)
	}
	return out, nil
}

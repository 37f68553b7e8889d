package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/source/plug"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

// stationLists joins the keeper of stations' lists with what people decided and with
// the API.
type stationLists struct {
	*plug.Service
	s *Server
}

var (
	_ web.StationLists = (*stationLists)(nil)
	_ plug.Rules       = (*plugRules)(nil)
	_ plug.Memory      = plugMemory{}
)

func (s *Server) newStationLists(now func() time.Time) *stationLists {
	return &stationLists{plug.New(plug.Options{Journal: s.Journal, Rules: &plugRules{s: s}, Memory: plugMemory{s}, Logger: s.log, Now: now}), s}
}

// StationList is how the list of a station is.
func (l *stationLists) StationList(station string) (web.StationListShape, bool) {
	x, ok := l.Status(station)
	if !ok {
		return web.StationListShape{}, false
	}
	out := web.StationListShape{
		State: string(x.State), Entries: x.Entries, There: x.There, Permitted: x.Permitted, Capacity: x.Room, Version: x.Version, VersionThere: x.Has,
		VersionReported: x.Reported, CheckedAt: orNil(x.CheckedAt), SentAt: orNil(x.SentAt), Problem: x.Problem, Left: []web.StationListLeft{},
		Forbids: append([]string{}, x.Online...), Settings: []web.StationListSetting{},
	}
	for _, why := range []access.LeftWhy{access.LeftHours, access.LeftPart, access.LeftNoKeypad, access.LeftForbidden, plug.LeftLong, plug.LeftRoom} {
		if n := x.Left[why]; n > 0 {
			out.Left = append(out.Left, web.StationListLeft{Why: string(why), Count: n})
		}
	}
	for _, k := range x.Settings {
		out.Settings = append(out.Settings, web.StationListSetting(k))
	}
	return out, true
}

// SendStationList has all of a list sent anew.
func (l *stationLists) SendStationList(station string) { l.Push(station) }

// plugRules is what people decided, for the lists of stations.
type plugRules struct {
	s *Server

	mu      sync.Mutex
	version uint64
	book    *access.Book
	holders uint64
}

// Version is another number after each change of rows, credentials and people.
func (r *plugRules) Version() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if book, holders := r.s.Store.Book(), r.s.Store.HoldersVersion(); book != r.book || holders != r.holders {
		r.book, r.holders = book, holders
		r.version++
	}
	return r.version
}

func (r *plugRules) Book() *access.Book { return r.s.Store.Book() }

// Holders are all whose card a station can read. A PIN, a pass and a number plate are
// known to the server alone.
func (r *plugRules) Holders(ctx context.Context) ([]plug.Holder, error) {
	st := r.s.Store
	var out []plug.Holder
	for after := ""; ; {
		page, err := st.Credentials(ctx, "", after, listPage)
		if err != nil {
			return nil, fmt.Errorf("read the cards: %w", err)
		}
		for _, x := range page {
			after = x.ID
			if x.Kind != access.RFID && x.Kind != "" || x.Token.Value == "" {
				continue
			}
			h := plug.Holder{Holder: access.Holder{Credential: &x.Credential}, Type: x.Token.Type, Length: len(x.Token.Value), Parent: len(x.Parent.Value)}
			if x.Person != "" {
				h.Person, _ = st.PersonOf(x.Person)
			}
			out = append(out, h)
		}
		if len(page) < listPage {
			return out, nil
		}
	}
}

// Place is where a station stands, and whether its site wants lists kept.
func (r *plugRules) Place(station string) (site string, zone *time.Location, kept bool) {
	e, ok := r.s.Store.Station(station)
	if !ok {
		return "", time.UTC, false
	}
	if x, ok := r.s.Store.Site(e.SiteID); ok {
		kept = x.StationLists
	}
	if to, _ := r.s.Store.RelayOf(station); to != nil {
		kept = false // the lists are those of the system that it is relayed to
	}
	return e.SiteID, r.s.Store.ZoneOf(e.SiteID), kept
}

// plugMemory is what is known of stations, for their lists.
type plugMemory struct{ s *Server }

// followsWithin is how long is waited for what an event changes.
const followsWithin = 2 * time.Second

// Station is what a station agreed to.
func (m plugMemory) Station(ctx context.Context, station string, asOf uint64) (plug.Agreed, error) {
	limited, cancel := context.WithTimeout(ctx, followsWithin)
	m.s.Store.Followed(limited, asOf)
	late := limited.Err()
	cancel()
	if late != nil {
		return plug.Agreed{}, errors.Join(errFollows, late)
	}
	l, err := m.s.Store.LocalList(ctx, station)
	if err != nil {
		return plug.Agreed{}, err
	}
	out := plug.Agreed{
		Version: l.Version, Reported: l.ReportedVersion, Stale: l.Stale, Entries: make(map[string]string, len(l.Entries)), Types: make(map[string]string, len(l.Entries)),
		Settings: make(map[string]string),
	}
	ids := make([]string, 0, len(l.Entries))
	for _, e := range l.Entries {
		out.Entries[e.TokenID] = string(e.Info)
		ids = append(ids, e.TokenID)
	}
	tokens, err := m.s.Store.Tokens(ctx, ids...)
	if err != nil {
		return plug.Agreed{}, err
	}
	for id, t := range tokens {
		out.Types[id] = t.Type
	}
	settings, err := m.s.Store.Settings(ctx, station)
	if err != nil {
		return plug.Agreed{}, err
	}
	for _, x := range settings {
		if x.Value == nil || x.EVSE != 0 || x.ComponentInstance != "" || x.VariableInstance != "" {
			continue
		}
		key := x.Variable
		if x.Component != "" {
			key = x.Component + "/" + x.Variable
		}
		switch x.Attribute {
		case "Actual":
			out.Settings[key] = *x.Value
		case store.MaxLimit:
			out.Settings[key+plug.MaxLimit] = *x.Value
		}
	}
	return out, nil
}

var errFollows = errors.New("what stations agreed to is not up to date")

// Seen are tokens that charged at a station, the newest first.
func (m plugMemory) Seen(ctx context.Context, station string) ([]string, error) {
	list, _, err := m.s.Journal.Sessions(ctx, journal.SessionQuery{Station: station, Limit: journal.MaxLimit})
	if err != nil {
		return nil, fmt.Errorf("read who charged at a station: %w", err)
	}
	var out []string
	for _, x := range list {
		if x.TokenID != "" {
			out = append(out, x.TokenID)
		}
	}
	return out, nil
}

func (m plugMemory) Kept(ctx context.Context) (map[string]map[string]string, error) {
	return m.s.Store.KeptLists(ctx)
}

func (m plugMemory) Keep(ctx context.Context, station string, was map[string]string) error {
	return m.s.Store.KeepList(ctx, station, was)
}

func (m plugMemory) Drop(ctx context.Context, station string) error {
	return m.s.Store.DropList(ctx, station)
}

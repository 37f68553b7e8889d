package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/outbox"
	"github.com/chargewatch/chargewatch/internal/provision"
	"github.com/chargewatch/chargewatch/internal/source/setting"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

// stationSettings joins what sets stations with what people decided and with the API.
type stationSettings struct{ *setting.Service }

var (
	_ web.StationSettings = (*stationSettings)(nil)
	_ setting.Rules       = settingRules{}
	_ setting.Memory      = settingMemory{}
	_ setting.Stations    = settingStations{}
)

func (s *Server) newStationSettings(asked commander, now func() time.Time) *stationSettings {
	return &stationSettings{setting.New(setting.Options{
		Journal: s.Journal, Stations: settingStations{s, asked}, Rules: settingRules{s}, Memory: settingMemory{s}, Logger: s.log, Now: now,
		Idle: time.Duration(s.Config.Station.RestartIdle),
	})}
}

// SettingsStanding is how a station stands to its profiles.
func (x *stationSettings) SettingsStanding(station string) (web.ConfigurationStandingShape, bool) {
	st, ok := x.Standing(station)
	if !ok {
		return web.ConfigurationStandingShape{}, false
	}
	return standingShape(st), true
}

// SettingsStandings is how all stations stand.
func (x *stationSettings) SettingsStandings() map[string]web.ConfigurationStandingShape {
	all := x.Standings()
	out := make(map[string]web.ConfigurationStandingShape, len(all))
	for id, st := range all {
		out[id] = standingShape(st)
	}
	return out
}

func standingShape(x *setting.Standing) web.ConfigurationStandingShape {
	out := web.ConfigurationStandingShape{
		State: string(x.State), Profiles: append([]string{}, x.Profiles...), Measures: x.Measures, DirectCurrent: x.DC, Mend: x.Mend,
		Restart: restartWord(x.Restart), ReadAt: orNil(x.ReadAt), SetAt: orNil(x.SetAt), SeenAt: orNil(x.SeenAt), DueAt: orNil(x.Due),
		Problem: string(x.Problem), Said: x.Said, Restarts: x.Restarts, CommandsToday: x.Asked, Settings: []web.SettingDifferenceShape{},
	}
	for _, v := range x.Verdicts {
		out.Settings = append(out.Settings, web.SettingDifferenceShape{
			Name: v.Name, Word: v.Word, Kind: string(v.Kind), Measures: v.Effect != provision.NoEffect, Want: v.Want, Is: v.Is, State: string(v.State),
			Said: v.Said, Missing: append([]string{}, v.Missing...), Unseen: append([]string{}, v.Unseen...), Profile: v.Profile, Drifted: v.Drifted,
		})
	}
	return out
}

func restartWord(r provision.Restart) string {
	if r == provision.WhenIdle {
		return "idle"
	}
	return string(r)
}

// ReadSettings asks a station for its settings.
func (x *stationSettings) ReadSettings(ctx context.Context, station string) error {
	return settingProblem(x.Read(ctx, station))
}

// ApplySettings sets a station as its profiles ask.
func (x *stationSettings) ApplySettings(ctx context.Context, station string) error {
	return settingProblem(x.Apply(ctx, station))
}

// PreviewProfile tells what a profile would do, and sets nothing.
func (x *stationSettings) PreviewProfile(ctx context.Context, p *provision.Profile, station string) (*web.ProfilePreview, error) {
	found, err := x.Preview(ctx, p, station)
	if err != nil {
		return nil, settingProblem(err)
	}
	out := &web.ProfilePreview{Holds: found.Holds, Changes: found.Changes}
	if found.Standing != nil {
		shape := standingShape(found.Standing)
		out.Standing = &shape
	}
	return out, nil
}

func settingProblem(err error) error {
	switch {
	case errors.Is(err, setting.ErrUnknown):
		return store.ErrNotFound
	case errors.Is(err, setting.ErrOffline), errors.Is(err, setting.ErrBusy), errors.Is(err, setting.ErrForeign), errors.Is(err, setting.ErrNoProfile):
		return &store.InUseError{Reason: err.Error()}
	}
	return err
}

// settingRules is what people decided, for the settings of stations.
type settingRules struct{ s *Server }

func (r settingRules) Version() uint64 { return r.s.Store.SettingsVersion() }

func (r settingRules) Profiles() []*provision.Profile {
	all := r.s.Store.ConfigurationProfiles()
	out := make([]*provision.Profile, len(all))
	for i, p := range all {
		out[i] = &p.Profile
	}
	return out
}

// Place is where a station stands. One that is relayed is set only where the people who
// run the other system agreed.
func (r settingRules) Place(station string) setting.Place {
	e, ok := r.s.Store.Station(station)
	if !ok {
		return setting.Place{Foreign: true}
	}
	out := setting.Place{Site: e.SiteID, Zone: r.s.Store.ZoneOf(e.SiteID)}
	if x, ok := r.s.Store.Site(e.SiteID); ok {
		out.List = x.StationLists
	}
	if to, _ := r.s.Store.RelayOf(station); to != nil {
		out.Foreign, out.List = !to.Configure, false
	}
	return out
}

// settingStations asks stations, with a record of what was asked and what came of it.
type settingStations struct {
	s     *Server
	asked commander
}

// answerWithin is how long a station may take for one of these questions.
const answerWithin = 30 * time.Second

func (x settingStations) Ask(ctx context.Context, station, id, action string, payload any) event.CommandResult {
	out := event.CommandResult{CommandID: id, Status: "refused"}
	sent, err := json.Marshal(payload)
	if err != nil {
		out.Description = "it cannot be written"
		return out
	}
	if why := x.asked.disturbs(fleet.Intent{Station: station, Action: action, Payload: string(sent)}); why != "" {
		out.Description = why
		return out
	}
	if _, known := x.s.Endpoint.Protocol(station); !known {
		out.Status = "offline"
		return out
	}
	recorded, err := x.s.Web.ForRecord(ctx, sent)
	if err != nil {
		out.Description = "it cannot be recorded"
		return out
	}
	begin := &event.Command{CommandID: id, Action: action, Payload: recorded, By: outbox.By, Deadline: time.Now().Add(answerWithin)}
	if err := x.record(ctx, station, event.FromUs, begin); err != nil {
		out.Description = "it cannot be recorded"
		return out
	}
	limited, cancel := context.WithTimeout(ctx, answerWithin)
	said := x.asked.Endpoint.Send(limited, station, id, action, sent)
	cancel()
	out.Status, out.Response, out.ErrorCode, out.Description = said.Status, said.Response, said.ErrorCode, said.Description
	kept, origin := out, event.FromUs
	if kept.Response, err = x.s.Web.ForRecord(ctx, said.Response); err != nil {
		kept.Response = nil // a station may answer anything; what is not JSON was never read
	}
	if said.Status == "answered" || said.Status == "error" {
		origin = event.FromStation
	}
	if err := x.record(context.WithoutCancel(ctx), station, origin, &kept); err != nil {
		x.s.log.WarnContext(ctx, "outcome of a command not recorded", "station", station, "command", id, "err", err)
	}
	return out
}

func (x settingStations) record(ctx context.Context, station string, origin event.Origin, body event.Body) error {
	now := time.Now()
	_, err := x.s.Journal.Append(ctx, &event.Event{Subject: event.Station(station), At: now, ReceivedAt: now, Origin: origin, Body: body})
	return err
}

// settingMemory is what is known of stations, for their settings.
type settingMemory struct{ s *Server }

func (m settingMemory) Records(ctx context.Context) (map[string]*setting.Record, error) {
	rows, err := m.s.Store.SettingRecords(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[string]*setting.Record, len(rows))
	for id, data := range rows {
		r := &setting.Record{}
		if err := json.Unmarshal(data, r); err != nil {
			return nil, fmt.Errorf("settings of %s: %w", id, err)
		}
		out[id] = r
	}
	return out, nil
}

func (m settingMemory) PutRecord(ctx context.Context, station string, r *setting.Record) error {
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode settings of %s: %w", station, err)
	}
	return m.s.Store.PutSettingRecord(ctx, station, data)
}

func (m settingMemory) DropRecord(ctx context.Context, station string) error {
	return m.s.Store.DropSettingRecord(ctx, station)
}

func (m settingMemory) Taken(ctx context.Context) (map[setting.Make]map[string]*provision.Taken, error) {
	rows, err := m.s.Store.TakenMeasurands(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[setting.Make]map[string]*provision.Taken)
	for key, t := range rows {
		var of setting.Make
		if err := json.Unmarshal([]byte(key[0]), &of); err != nil {
			return nil, fmt.Errorf("measurands of a model: %w", err)
		}
		if out[of] == nil {
			out[of] = make(map[string]*provision.Taken)
		}
		out[of][key[1]] = &t
	}
	return out, nil
}

func (m settingMemory) PutTaken(ctx context.Context, of setting.Make, name string, t *provision.Taken) error {
	key, err := json.Marshal(of)
	if err != nil {
		return fmt.Errorf("encode a model: %w", err)
	}
	return m.s.Store.PutTakenMeasurands(ctx, string(key), name, t)
}

// Settings is what a station last said of its settings.
func (m settingMemory) Settings(ctx context.Context, station string, asOf uint64) (map[string]*provision.Value, error) {
	if asOf > 0 {
		limited, cancel := context.WithTimeout(ctx, followsWithin)
		m.s.Store.Followed(limited, asOf)
		late := limited.Err()
		cancel()
		if late != nil {
			return nil, errors.Join(errFollows, late)
		}
	}
	rows, err := m.s.Store.Settings(ctx, station)
	if err != nil {
		return nil, err
	}
	out := make(map[string]*provision.Value, len(rows))
	for _, x := range rows {
		if x.EVSE != 0 || x.ComponentInstance != "" || x.Attribute != "Actual" {
			continue
		}
		word := x.Variable
		if x.Component != "" {
			word = x.Component + "/" + x.Variable
		}
		if x.VariableInstance != "" {
			word += "/" + x.VariableInstance
		}
		out[strings.ToLower(word)] = &provision.Value{Text: x.Value, ReadOnly: x.Mutability == "ReadOnly"}
	}
	return out, nil
}

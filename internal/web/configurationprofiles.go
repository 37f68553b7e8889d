package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/provision"
	"github.com/chargewatch/chargewatch/internal/store"
)

// StationSettings sets stations as configuration profiles ask.
type StationSettings interface {
	// SettingsStanding is how a station stands to its profiles; false before the first look.
	SettingsStanding(station string) (ConfigurationStandingShape, bool)
	SettingsStandings() map[string]ConfigurationStandingShape
	// ReadSettings asks a station for its settings and changes nothing.
	ReadSettings(ctx context.Context, station string) error
	// ApplySettings sets it, what it refused or others changed too.
	ApplySettings(ctx context.Context, station string) error
	// PreviewProfile tells what a profile would do in place of the one with its id, and
	// how the station would stand to it; without a station only the first.
	PreviewProfile(ctx context.Context, p *provision.Profile, station string) (*ProfilePreview, error)
}

// ProfilePreview is what a profile would do.
type ProfilePreview struct {
	Holds, Changes int
	Standing       *ConfigurationStandingShape
}

// ProfilePreviewShape is what a profile would do.
type ProfilePreviewShape struct {
	Stations int                         `json:"stations" doc:"for which it would hold"`
	Changes  int                         `json:"changes" doc:"stations that would be set otherwise than they are to be now"`
	Station  *ConfigurationStandingShape `json:"station" doc:"how the station would stand, by what it said last; a state differs is what would be set. null: none was named"`
}

// ConfigurationStandingShape is how a station stands to the profiles that hold for it.
type ConfigurationStandingShape struct {
	State         string     `json:"state" enum:"none,foreign,working,waiting,offline,failed,atRestart,drifted,incomplete,set,verified" doc:"set: all is as wanted and not yet seen in what it measures"`
	Profiles      []string   `json:"profiles" doc:"that hold for it, the closest last: it decides"`
	Measures      bool       `json:"measures" doc:"what it measures, and how often, is set as its profiles ask"`
	DirectCurrent bool       `json:"directCurrent" doc:"set as a station with direct current"`
	Mend          bool       `json:"mend" doc:"what somebody changes is set again by itself"`
	Restart       string     `json:"restart" enum:"idle,night,never" doc:"when it is restarted for a setting that wants that"`
	ReadAt        *time.Time `json:"readAt" doc:"when it was asked last"`
	SetAt         *time.Time `json:"setAt" doc:"when something was set last"`
	SeenAt        *time.Time `json:"seenAt" doc:"when what it measures told something new last"`
	DueAt         *time.Time `json:"dueAt" doc:"when it is worked on next"`
	Problem       string     `json:"problem" enum:",noAnswer,offline,unreadable,budget,restart" doc:"why work at it ended; empty: it did not"`
	Said          string     `json:"said" doc:"the station's word beside the problem"`
	Restarts      int        `json:"restarts" doc:"that were asked for"`
	CommandsToday int        `json:"commandsToday" doc:"it was sent for its settings, by the day of UTC"`

	Settings []SettingDifferenceShape `json:"settings"`
}

// SettingDifferenceShape is how one setting of a station stands.
type SettingDifferenceShape struct {
	Name     string   `json:"name" doc:"as OCPP 2.x names it"`
	Word     string   `json:"word" doc:"as the station names it"`
	Kind     string   `json:"kind" enum:"text,number,flag,measurands"`
	Measures bool     `json:"measures" doc:"it shows in what the station measures while a car charges"`
	Want     string   `json:"want"`
	Is       *string  `json:"is" doc:"null: not known"`
	State    string   `json:"state" enum:"unread,same,differs,accepted,verified,partly,refused,readOnly,notSupported,atRestart,unanswered"`
	Said     string   `json:"said" doc:"the station's word when it was set; of an interval that is not kept the seconds between measurements"`
	Missing  []string `json:"missing" doc:"measurands that are wanted and that it does not take"`
	Unseen   []string `json:"unseen" doc:"measurands that it took and that are not in what it measures"`
	Profile  string   `json:"profile" doc:"that asks for it"`
	Drifted  bool     `json:"drifted" doc:"it was as wanted, and somebody changed it"`
}

// ProfileSettingShape is one wish of a configuration profile.
type ProfileSettingShape struct {
	Name   string  `json:"name" minLength:"1" maxLength:"152" doc:"component and variable such as SampledDataCtrlr/TxUpdatedInterval, or a key of OCPP 1.6"`
	Value  string  `json:"value,omitempty" maxLength:"500"`
	DC     *string `json:"valueDc,omitempty" maxLength:"500" doc:"instead, at stations with direct current"`
	V16    *string `json:"valueOcpp16,omitempty" maxLength:"500" doc:"instead, at stations of OCPP 1.6"`
	Leave  bool    `json:"leave,omitempty" doc:"the station keeps what it has, whatever another profile says"`
	Key    string  `json:"key,omitempty" readOnly:"true" doc:"of OCPP 1.6; empty: it has none"`
	Kind   string  `json:"kind,omitempty" readOnly:"true" enum:"text,number,flag,measurands"`
	Unit   string  `json:"unit,omitempty" readOnly:"true" doc:"of a number: s; empty: a count"`
	Effect bool    `json:"measures,omitempty" readOnly:"true" doc:"it shows in what the station measures"`
}

// ConfigurationProfileShape is how stations are to be set, and which.
type ConfigurationProfileShape struct {
	ID        string                `json:"id"`
	Name      string                `json:"name"`
	BuiltIn   bool                  `json:"builtIn" doc:"it comes along: it can be switched off and copied"`
	Active    bool                  `json:"active"`
	Sites     []string              `json:"sites" doc:"none: all"`
	Vendor    string                `json:"vendor" doc:"empty: all"`
	Model     string                `json:"model" doc:"its beginning; empty: all"`
	Protocols []string              `json:"protocols" doc:"none: all"`
	Mend      bool                  `json:"mend" doc:"what somebody changes is set again by itself"`
	Restart   string                `json:"restart" enum:"idle,night,never" doc:"when stations are restarted for a setting that wants that: when nobody is there, between one and five when nobody is there, never"`
	Settings  []ProfileSettingShape `json:"settings"`
	CreatedAt *time.Time            `json:"createdAt" doc:"null: it came along"`
	Stations  int                   `json:"stations" doc:"for which it holds"`
}

// ConfigurationFleetShape is how stations stand to the profiles that hold for them.
type ConfigurationFleetShape struct {
	Stations int            `json:"stations" doc:"for which a profile holds"`
	Measure  int            `json:"measure" doc:"of them, set to measure as their profiles ask"`
	Verified int            `json:"verified" doc:"of them, and seen to"`
	Without  int            `json:"without" doc:"stations for which none holds, or whose settings are those of another system"`
	States   map[string]int `json:"states" doc:"stations by state"`
}

type (
	configurationProfileInput struct {
		Profile string `path:"profile" maxLength:"48"`
	}
	configurationProfileOutput   struct{ Body ConfigurationProfileShape }
	newConfigurationProfileInput struct {
		Body struct {
			ID        string                `json:"id,omitempty" maxLength:"48" doc:"one is given if missing"`
			Name      string                `json:"name" minLength:"1" maxLength:"100"`
			Active    *bool                 `json:"active,omitempty" doc:"true if missing"`
			Sites     []string              `json:"sites,omitempty" maxItems:"1000"`
			Vendor    string                `json:"vendor,omitempty" maxLength:"100"`
			Model     string                `json:"model,omitempty" maxLength:"100"`
			Protocols []string              `json:"protocols,omitempty" maxItems:"3" enum:"ocpp1.6,ocpp2.0.1,ocpp2.1"`
			Mend      bool                  `json:"mend,omitempty"`
			Restart   string                `json:"restart,omitempty" enum:"idle,night,never" default:"idle"`
			Settings  []ProfileSettingShape `json:"settings" minItems:"1" maxItems:"100"`
		}
	}
	previewProfileInput struct {
		Body struct {
			Profile   string                `json:"profile,omitempty" maxLength:"48" doc:"that is being edited; missing: a new one"`
			Station   string                `json:"station,omitempty" maxLength:"48" doc:"that it is looked at with"`
			Name      string                `json:"name,omitempty" maxLength:"100"`
			Active    *bool                 `json:"active,omitempty" doc:"true if missing"`
			Sites     []string              `json:"sites,omitempty" maxItems:"1000"`
			Vendor    string                `json:"vendor,omitempty" maxLength:"100"`
			Model     string                `json:"model,omitempty" maxLength:"100"`
			Protocols []string              `json:"protocols,omitempty" maxItems:"3" enum:"ocpp1.6,ocpp2.0.1,ocpp2.1"`
			Settings  []ProfileSettingShape `json:"settings" minItems:"1" maxItems:"100"`
		}
	}
	previewProfileOutput            struct{ Body ProfilePreviewShape }
	configurationProfileChangeInput struct {
		Profile string `path:"profile" maxLength:"48"`
		Body    struct {
			Name      *string                `json:"name,omitempty" maxLength:"100"`
			Active    *bool                  `json:"active,omitempty"`
			Sites     *[]string              `json:"sites,omitempty" maxItems:"1000"`
			Vendor    *string                `json:"vendor,omitempty" maxLength:"100"`
			Model     *string                `json:"model,omitempty" maxLength:"100"`
			Protocols *[]string              `json:"protocols,omitempty" maxItems:"3" enum:"ocpp1.6,ocpp2.0.1,ocpp2.1"`
			Mend      *bool                  `json:"mend,omitempty"`
			Restart   *string                `json:"restart,omitempty" enum:"idle,night,never"`
			Settings  *[]ProfileSettingShape `json:"settings,omitempty" minItems:"1" maxItems:"100"`
		}
	}
	differenceInput struct {
		Station string `path:"station" maxLength:"48"`
		Read    bool   `query:"read" doc:"ask the station now; otherwise what it said last"`
	}
	differenceOutput         struct{ Body ConfigurationStandingShape }
	configurationFleetOutput struct{ Body ConfigurationFleetShape }
	knownSettingsOutput      struct {
		Body struct {
			Items []ProfileSettingShape `json:"items"`
		}
	}
)

func (s *Server) registerConfigurationProfiles() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"configuration"}}
	}
	add(s, global(StationsRead), op("listConfigurationProfiles", http.MethodGet, "/configuration-profiles", "How stations are to be set, and which", 0), s.listConfigurationProfiles)
	add(s, global(StationsWrite), op("createConfigurationProfile", http.MethodPost, "/configuration-profiles", "Add a configuration profile", http.StatusCreated), s.createConfigurationProfile)
	add(s, global(StationsWrite), op("previewConfigurationProfile", http.MethodPost, "/configuration-profiles/preview",
		"What a profile would do if it were kept so; nothing is kept or set", 0), s.previewConfigurationProfile)
	add(s, global(StationsRead), op("getConfigurationProfile", http.MethodGet, "/configuration-profiles/{profile}", "One configuration profile", 0), s.getConfigurationProfile)
	add(s, global(StationsWrite), op("changeConfigurationProfile", http.MethodPatch, "/configuration-profiles/{profile}",
		"Change a configuration profile; of the one that comes along only whether it holds, mend and restart", 0), s.changeConfigurationProfile)
	add(s, global(StationsWrite), op("deleteConfigurationProfile", http.MethodDelete, "/configuration-profiles/{profile}",
		"Remove a configuration profile; stations stay as they are set", http.StatusNoContent), s.deleteConfigurationProfile)
	add(s, filtered(StationsRead), op("listKnownSettings", http.MethodGet, "/configuration-settings", "Settings whose meaning is known in all versions", 0), s.listKnownSettings)
	add(s, filtered(StationsRead), op("getConfigurationFleet", http.MethodGet, "/configuration-fleet", "How many stations measure as their profiles ask", 0), s.getConfigurationFleet)
	add(s, atStation(StationsRead), op("getConfigurationDifference", http.MethodGet, "/stations/{station}/configuration/difference",
		"How it stands to its profiles; nothing is set", 0), s.getConfigurationDifference)
	add(s, atStation(StationsCommand), op("applyConfiguration", http.MethodPost, "/stations/{station}/configuration/apply",
		"Set it as its profiles ask, what it refused or somebody changed too", 0), s.applyConfiguration)
}

func (s *Server) standingOf(station string) (ConfigurationStandingShape, bool) {
	if s.o.StationSettings == nil {
		return ConfigurationStandingShape{}, false
	}
	return s.o.StationSettings.SettingsStanding(station)
}

func (s *Server) configurationProfileShape(p *store.ConfigurationProfile, holds map[string]int) ConfigurationProfileShape {
	out := ConfigurationProfileShape{
		ID: p.ID, Name: p.Name, BuiltIn: p.ID == provision.BuiltIn, Active: !p.Off, Sites: list(p.Sites), Vendor: p.Vendor, Model: p.Model, Protocols: list(p.Protocols),
		Mend: p.Mend, Restart: string(p.Restart), Settings: make([]ProfileSettingShape, 0, len(p.Settings)), CreatedAt: instant(p.CreatedAt), Stations: holds[p.ID],
	}
	if p.Restart == provision.WhenIdle {
		out.Restart = "idle"
	}
	for _, x := range p.Settings {
		shape := ProfileSettingShape{Name: x.Name, Value: x.Value, DC: x.DC, V16: x.V16, Leave: x.Leave, Kind: string(provision.Text)}
		if k, ok := provision.Find(x.Name); ok {
			shape.known(&k)
		}
		out.Settings = append(out.Settings, shape)
	}
	return out
}

func (p *ProfileSettingShape) known(k *provision.Known) {
	p.Key, p.Kind, p.Unit, p.Effect = k.Key, string(k.Kind), k.Unit, k.Effect != provision.NoEffect
}

// holds counts for which stations of the caller each profile holds.
func (s *Server) holds(ctx context.Context) map[string]int {
	out := make(map[string]int)
	if s.o.StationSettings == nil {
		return out
	}
	allowed := scope(ctx, StationsRead)
	for id, x := range s.o.StationSettings.SettingsStandings() {
		if site, ok := s.siteOf(id); !ok || !allowed.Allows(site) {
			continue
		}
		for _, p := range x.Profiles {
			out[p]++
		}
	}
	return out
}

func (s *Server) listConfigurationProfiles(ctx context.Context, in *Page) (*listOutput[ConfigurationProfileShape], error) {
	after, err := decodeCursor("configurationProfiles", in.Cursor)
	if err != nil {
		return nil, err
	}
	holds := s.holds(ctx)
	var out []ConfigurationProfileShape
	for _, p := range s.o.Store.ConfigurationProfiles() {
		if p.ID <= after {
			continue
		}
		if len(out) == in.Limit {
			return listOf(out, encodeCursor("configurationProfiles", out[len(out)-1].ID)), nil
		}
		out = append(out, s.configurationProfileShape(p, holds))
	}
	return listOf(out, ""), nil
}

func (s *Server) getConfigurationProfile(ctx context.Context, in *configurationProfileInput) (*configurationProfileOutput, error) {
	p, ok := s.o.Store.ConfigurationProfile(in.Profile)
	if !ok {
		return nil, store.ErrNotFound
	}
	return &configurationProfileOutput{Body: s.configurationProfileShape(p, s.holds(ctx))}, nil
}

func settingsOf(shapes []ProfileSettingShape) []provision.Setting {
	out := make([]provision.Setting, len(shapes))
	for i, x := range shapes {
		out[i] = provision.Setting{Name: x.Name, Value: x.Value, DC: x.DC, V16: x.V16, Leave: x.Leave}
	}
	return out
}

func restartOf(word string) provision.Restart {
	if word == "idle" {
		return provision.WhenIdle
	}
	return provision.Restart(word)
}

func (s *Server) createConfigurationProfile(ctx context.Context, in *newConfigurationProfileInput) (*configurationProfileOutput, error) {
	b := &in.Body
	p, err := s.o.Store.CreateConfigurationProfile(ctx, who(ctx).actor(), provision.Profile{
		ID: b.ID, Name: b.Name, Off: b.Active != nil && !*b.Active, Sites: b.Sites, Vendor: b.Vendor, Model: b.Model, Protocols: b.Protocols,
		Mend: b.Mend, Restart: restartOf(b.Restart), Settings: settingsOf(b.Settings),
	})
	if err != nil {
		return nil, err
	}
	return &configurationProfileOutput{Body: s.configurationProfileShape(p, s.holds(ctx))}, nil
}

// unsaved is the id of a profile that nobody kept yet.
const unsaved = "(new)"

func (s *Server) previewConfigurationProfile(ctx context.Context, in *previewProfileInput) (*previewProfileOutput, error) {
	if s.o.StationSettings == nil {
		return nil, problemf(http.StatusNotImplemented, "this server sets no stations")
	}
	b := &in.Body
	p := &provision.Profile{
		ID: cmp.Or(b.Profile, unsaved), Name: cmp.Or(b.Name, unsaved), Off: b.Active != nil && !*b.Active, Sites: b.Sites, Vendor: b.Vendor, Model: b.Model,
		Protocols: b.Protocols, Settings: settingsOf(b.Settings),
	}
	var fault *provision.Fault
	if err := p.Check(); errors.As(err, &fault) {
		return nil, &store.InvalidError{Field: fault.Field, Reason: fault.Reason}
	}
	if b.Station != "" {
		if site, ok := s.siteOf(b.Station); !ok || !scope(ctx, StationsRead).Allows(site) {
			return nil, store.ErrNotFound
		}
	}
	found, err := s.o.StationSettings.PreviewProfile(ctx, p, b.Station)
	if err != nil {
		return nil, err
	}
	return &previewProfileOutput{Body: ProfilePreviewShape{Stations: found.Holds, Changes: found.Changes, Station: found.Standing}}, nil
}

func (s *Server) changeConfigurationProfile(ctx context.Context, in *configurationProfileChangeInput) (*configurationProfileOutput, error) {
	b := &in.Body
	if in.Profile == provision.BuiltIn && (b.Name != nil || b.Sites != nil || b.Vendor != nil || b.Model != nil || b.Protocols != nil || b.Settings != nil) {
		return nil, problemf(http.StatusConflict, "this profile comes along: copy it to change what it says")
	}
	p, err := s.o.Store.ChangeConfigurationProfile(ctx, who(ctx).actor(), in.Profile, func(p *provision.Profile) {
		put(&p.Name, b.Name)
		put(&p.Sites, b.Sites)
		put(&p.Vendor, b.Vendor)
		put(&p.Model, b.Model)
		put(&p.Protocols, b.Protocols)
		put(&p.Mend, b.Mend)
		if b.Active != nil {
			p.Off = !*b.Active
		}
		if b.Restart != nil {
			p.Restart = restartOf(*b.Restart)
		}
		if b.Settings != nil {
			p.Settings = settingsOf(*b.Settings)
		}
	})
	if err != nil {
		return nil, err
	}
	return &configurationProfileOutput{Body: s.configurationProfileShape(p, s.holds(ctx))}, nil
}

func (s *Server) deleteConfigurationProfile(ctx context.Context, in *configurationProfileInput) (*noContent, error) {
	return nil, s.o.Store.DeleteConfigurationProfile(ctx, who(ctx).actor(), in.Profile)
}

func (s *Server) listKnownSettings(context.Context, *struct{}) (*knownSettingsOutput, error) {
	out := &knownSettingsOutput{}
	for _, k := range provision.Table() {
		x := ProfileSettingShape{Name: k.Name}
		x.known(&k)
		out.Body.Items = append(out.Body.Items, x)
	}
	return out, nil
}

func (s *Server) getConfigurationFleet(ctx context.Context, _ *struct{}) (*configurationFleetOutput, error) {
	out := &configurationFleetOutput{Body: ConfigurationFleetShape{States: make(map[string]int)}}
	if s.o.StationSettings == nil {
		return out, nil
	}
	allowed := scope(ctx, StationsRead)
	for id, x := range s.o.StationSettings.SettingsStandings() {
		if site, ok := s.siteOf(id); !ok || !allowed.Allows(site) {
			continue
		}
		out.Body.States[x.State]++
		if x.State == "none" || x.State == "foreign" {
			out.Body.Without++
			continue
		}
		out.Body.Stations++
		if x.Measures {
			out.Body.Measure++
		}
		if x.Measures && x.State == "verified" {
			out.Body.Verified++
		}
	}
	return out, nil
}

func (s *Server) getConfigurationDifference(ctx context.Context, in *differenceInput) (*differenceOutput, error) {
	if in.Read {
		if site, ok := s.siteOf(in.Station); !ok || !scope(ctx, StationsCommand).Allows(site) {
			return nil, errForbidden
		}
		if s.o.StationSettings == nil {
			return nil, problemf(http.StatusNotImplemented, "this server sets no stations")
		}
		if err := s.o.StationSettings.ReadSettings(ctx, in.Station); err != nil {
			return nil, err
		}
	}
	x, ok := s.standingOf(in.Station)
	if !ok {
		x = ConfigurationStandingShape{State: "none", Restart: "idle", Profiles: []string{}, Settings: []SettingDifferenceShape{}}
	}
	return &differenceOutput{Body: x}, nil
}

func (s *Server) applyConfiguration(ctx context.Context, in *stationInput) (*differenceOutput, error) {
	if s.o.StationSettings == nil {
		return nil, problemf(http.StatusNotImplemented, "this server sets no stations")
	}
	if err := s.o.Store.Record(ctx, who(ctx).actor(), "station.configuration.apply", event.Station(in.Station).String(), nil); err != nil {
		return nil, err
	}
	if err := s.o.StationSettings.ApplySettings(ctx, in.Station); err != nil {
		return nil, err
	}
	x, _ := s.standingOf(in.Station)
	return &differenceOutput{Body: x}, nil
}

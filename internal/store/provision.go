package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/provision"
)

// MaxConfigurationProfiles bounds what people add.
const MaxConfigurationProfiles = 200

// ConfigurationProfile is how stations are to be set, as people said. A stored one is
// never changed in place.
type ConfigurationProfile struct {
	provision.Profile
	CreatedAt time.Time
}

// choices is what people say of the profile that comes along: its settings are its own.
type choices struct {
	Off     bool              `json:"off,omitempty"`
	Mend    bool              `json:"mend,omitempty"`
	Restart provision.Restart `json:"restart,omitempty"`
}

func (s *Store) loadConfigurationProfiles(ctx context.Context) error {
	all := map[string]*ConfigurationProfile{provision.BuiltIn: {Profile: *provision.Default()}}
	err := s.query(ctx, "configuration profiles", `SELECT id, data, created_at FROM configuration_profiles`, nil, func(r *sql.Rows) error {
		x := &ConfigurationProfile{}
		var id, data string
		var created int64
		if err := r.Scan(&id, &data, &created); err != nil {
			return err
		}
		if id == provision.BuiltIn {
			x.Profile = *provision.Default()
		}
		if err := json.Unmarshal([]byte(data), &x.Profile); err != nil {
			return fmt.Errorf("configuration profile %s: %w", id, err)
		}
		x.ID, x.CreatedAt = id, fromMillis(created)
		all[id] = x
		return nil
	})
	s.settingProfiles.load(all)
	return err
}

// ConfigurationProfile returns a profile.
func (s *Store) ConfigurationProfile(id string) (*ConfigurationProfile, bool) {
	return s.settingProfiles.get(id)
}

// ConfigurationProfiles returns all profiles by id.
func (s *Store) ConfigurationProfiles() []*ConfigurationProfile {
	return slices.SortedFunc(s.settingProfiles.all(), func(a, b *ConfigurationProfile) int { return strings.Compare(a.ID, b.ID) })
}

// SettingsVersion is another number after each change of what decides how stations are
// to be set.
func (s *Store) SettingsVersion() uint64 {
	return s.settingProfiles.writes.Load() + s.relays.writes.Load() + s.upstreams.writes.Load() + s.sites.writes.Load()
}

func (s *Store) checkConfigurationProfile(p *ConfigurationProfile) error {
	if err := validID("id", p.ID); err != nil {
		return err
	}
	for i, id := range p.Sites {
		if _, ok := s.sites.get(id); !ok || slices.Index(p.Sites, id) != i {
			return &InvalidError{fmt.Sprintf("sites[%d]", i), "a site, once"}
		}
	}
	var fault *provision.Fault
	if err := p.Check(); errors.As(err, &fault) {
		return &InvalidError{fault.Field, fault.Reason}
	}
	return nil
}

// CreateConfigurationProfile adds a profile; without an id it is given one.
func (s *Store) CreateConfigurationProfile(ctx context.Context, by Actor, p provision.Profile) (*ConfigurationProfile, error) {
	if p.ID == "" {
		p.ID = newID("cp-")
	}
	x := &ConfigurationProfile{Profile: p, CreatedAt: fromMillis(millis(s.now()))}
	if err := s.checkConfigurationProfile(x); err != nil {
		return nil, err
	}
	defer s.lock(p.ID).Unlock()
	if _, ok := s.settingProfiles.get(p.ID); ok {
		return nil, fmt.Errorf("configuration profile %s: %w", p.ID, ErrExists)
	}
	if s.settingProfiles.len() > MaxConfigurationProfiles {
		return nil, fmt.Errorf("configuration profiles: %w", ErrFull)
	}
	return x, s.putConfigurationProfile(ctx, by, "configurationProfile.create", x)
}

// ChangeConfigurationProfile changes a profile. Of the one that comes along only whether
// it holds, and what is done by itself, can be another.
func (s *Store) ChangeConfigurationProfile(ctx context.Context, by Actor, id string, change func(*provision.Profile)) (*ConfigurationProfile, error) {
	defer s.lock(id).Unlock()
	old, ok := s.settingProfiles.get(id)
	if !ok {
		return nil, fmt.Errorf("configuration profile %s: %w", id, ErrNotFound)
	}
	next := *old
	next.Settings, next.Sites, next.Protocols = slices.Clone(old.Settings), slices.Clone(old.Sites), slices.Clone(old.Protocols)
	change(&next.Profile)
	next.ID = old.ID
	if id == provision.BuiltIn {
		said := choices{next.Off, next.Mend, next.Restart}
		next.Profile = *provision.Default()
		next.Off, next.Mend, next.Restart = said.Off, said.Mend, said.Restart
	}
	if err := s.checkConfigurationProfile(&next); err != nil {
		return nil, err
	}
	return &next, s.putConfigurationProfile(ctx, by, "configurationProfile.change", &next)
}

// putConfigurationProfile commits a profile. The caller holds its lock.
func (s *Store) putConfigurationProfile(ctx context.Context, by Actor, action string, p *ConfigurationProfile) error {
	var kept any = &p.Profile
	if p.ID == provision.BuiltIn {
		kept = choices{p.Off, p.Mend, p.Restart}
	}
	data, err := json.Marshal(kept)
	if err != nil {
		return fmt.Errorf("encode configuration profile: %w", err)
	}
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT INTO configuration_profiles (id, data, created_at) VALUES (?,?,?) ON CONFLICT (id) DO UPDATE SET data=excluded.data`,
			p.ID, string(data), millis(p.CreatedAt)); err != nil {
			return fmt.Errorf("write configuration profile: %w", err)
		}
		return s.audit(tx, by, action, "configurationProfile/"+p.ID, map[string]any{"name": p.Name, "off": p.Off, "settings": len(p.Settings)})
	})
	if err == nil {
		s.settingProfiles.set(p.ID, p)
	}
	return err
}

// DeleteConfigurationProfile removes a profile. What stations were set to stays.
func (s *Store) DeleteConfigurationProfile(ctx context.Context, by Actor, id string) error {
	if id == provision.BuiltIn {
		return &InUseError{"it comes along: switch it off instead"}
	}
	defer s.lock(id).Unlock()
	if _, ok := s.settingProfiles.get(id); !ok {
		return fmt.Errorf("configuration profile %s: %w", id, ErrNotFound)
	}
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`DELETE FROM configuration_profiles WHERE id = ?`, id); err != nil {
			return fmt.Errorf("delete configuration profile: %w", err)
		}
		return s.audit(tx, by, "configurationProfile.delete", "configurationProfile/"+id, nil)
	})
	if err == nil {
		s.settingProfiles.drop(id)
	}
	return err
}

// SettingRecords are what is remembered of how stations are set, each as JSON.
func (s *Store) SettingRecords(ctx context.Context) (map[string]json.RawMessage, error) {
	out := make(map[string]json.RawMessage)
	err := s.query(ctx, "records of settings", `SELECT station, data FROM setting_records`, nil, func(r *sql.Rows) error {
		var station, data string
		err := r.Scan(&station, &data)
		out[station] = json.RawMessage(data)
		return err
	})
	return out, err
}

// PutSettingRecord remembers how a station is set.
func (s *Store) PutSettingRecord(ctx context.Context, station string, data json.RawMessage) error {
	return s.writeOne(ctx, "remember how a station is set", `INSERT INTO setting_records (station, data) VALUES (?,?)
		ON CONFLICT (station) DO UPDATE SET data=excluded.data`, station, string(data))
}

// DropSettingRecord forgets how a station is set.
func (s *Store) DropSettingRecord(ctx context.Context, station string) error {
	return s.writeOne(ctx, "forget how a station is set", `DELETE FROM setting_records WHERE station = ?`, station)
}

// TakenMeasurands is which measurands stations of a kind take, by kind and setting.
func (s *Store) TakenMeasurands(ctx context.Context) (map[[2]string]provision.Taken, error) {
	out := make(map[[2]string]provision.Taken)
	err := s.query(ctx, "measurands of models", `SELECT make, setting, data FROM taken_measurands`, nil, func(r *sql.Rows) error {
		var of, setting, data string
		if err := r.Scan(&of, &setting, &data); err != nil {
			return err
		}
		var t provision.Taken
		if err := json.Unmarshal([]byte(data), &t); err != nil {
			return fmt.Errorf("measurands of a model: %w", err)
		}
		out[[2]string{of, setting}] = t
		return nil
	})
	return out, err
}

// PutTakenMeasurands remembers which measurands stations of a kind take for a setting.
func (s *Store) PutTakenMeasurands(ctx context.Context, of, setting string, t *provision.Taken) error {
	data, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("encode measurands: %w", err)
	}
	return s.writeOne(ctx, "remember the measurands of a model", `INSERT INTO taken_measurands (make, setting, data) VALUES (?,?,?)
		ON CONFLICT (make, setting) DO UPDATE SET data=excluded.data`, of, setting, string(data))
}

func (s *Store) writeOne(ctx context.Context, what, text string, args ...any) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(text, args...); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		return nil
	})
}

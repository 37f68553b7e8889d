package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Bounds of outputs.
const (
	MaxOutputs        = 8000
	maxOutputText     = 200
	maxOutputSecret   = 200
	minHookSecret     = 16
	maxOutputPayload  = 1000
	maxOutputTopic    = 200
	maxAnnouncements  = 20
	maxAnnouncement   = 500
	maxAutomaticDelay = 600
	maxAutomaticPerH  = 60
	automaticPerHour  = 3
)

// OutputKind is what an output is.
type OutputKind string

// The kinds of outputs.
const (
	Siren   OutputKind = "siren"
	Light   OutputKind = "light"
	Speaker OutputKind = "speaker"
	Relay   OutputKind = "relay"
)

// OutputKinds lists them.
func OutputKinds() []OutputKind { return []OutputKind{Siren, Light, Speaker, Relay} }

// Longest is for how long an output of the kind may be on if nobody said, and for how
// long at most.
func (k OutputKind) Longest() (usual, most time.Duration) {
	switch k {
	case Siren:
		return 3 * time.Minute, 10 * time.Minute
	case Speaker:
		return time.Minute, 10 * time.Minute
	case Light:
		return time.Hour, 12 * time.Hour
	case Relay:
	}
	return 10 * time.Minute, 12 * time.Hour
}

// OutputDriver is how an output is spoken to.
type OutputDriver string

// The drivers of outputs.
const (
	OutputWebhook OutputDriver = "webhook"
	OutputMQTT    OutputDriver = "mqtt"
)

// Presets of what is published to devices behind a broker.
const (
	PresetShelly      = "shelly"  // second generation and later
	PresetShelly1     = "shelly1" // first generation
	PresetTasmota     = "tasmota"
	PresetZigbee      = "zigbee2mqtt"
	PresetZigbeeSiren = "zigbee2mqtt-siren"
	PresetCustom      = "custom"
)

// OutputPresets lists them.
func OutputPresets() []string {
	return []string{PresetShelly, PresetShelly1, PresetTasmota, PresetZigbee, PresetZigbeeSiren, PresetCustom}
}

// Phrase is what a speaker says when it is asked to.
type Phrase struct {
	Key      string `json:"key"`
	Text     string `json:"text"`
	Language string `json:"language"`
}

// Automatic is what an output does by itself when a serious incident of security
// begins while its site is armed.
type Automatic struct {
	On bool `json:"on,omitempty"`
	// AfterS is how long people have to claim the incident first.
	AfterS  int `json:"afterS,omitempty"`
	ForS    int `json:"forS,omitempty"` // zero: as long as it may
	PerHour int `json:"perHour,omitempty"`
}

// Output is something at a site that people switch from afar, as it was set up. A
// stored one is never changed in place.
type Output struct {
	ID       string       `json:"-"`
	SiteID   string       `json:"-"`
	Label    string       `json:"label,omitempty"`
	Kind     OutputKind   `json:"kind"`
	Driver   OutputDriver `json:"driver"`
	Address  string       `json:"address"` // of a webhook, or HOST:PORT of a broker behind mqtt:// or mqtts://
	Username string       `json:"username,omitempty"`
	Preset   string       `json:"preset,omitempty"`
	Topic    string       `json:"topic,omitempty"`
	// OnPayload and OffPayload are of the custom preset; {seconds}, {text}, {key} and
	// {language} are filled in.
	OnPayload  string `json:"onPayload,omitempty"`
	OffPayload string `json:"offPayload,omitempty"`
	// LongestS is for how long it may be on.
	LongestS      int       `json:"longestS"`
	TwoPerson     bool      `json:"twoPerson,omitempty"`
	Announcements []Phrase  `json:"announcements,omitempty"` // empty: the usual ones
	Automatic     Automatic `json:"automatic,omitzero"`
	Simulated     bool      `json:"simulated,omitempty"`
	CreatedAt     time.Time `json:"-"`
	// HasSecret says that one is set; it is read by OutputSecret alone.
	HasSecret bool `json:"-"`
	sealed    []byte
}

// Name is what people call it.
func (o *Output) Name() string {
	if o.Label != "" {
		return o.Label
	}
	return o.ID
}

// Longest is for how long it may be on.
func (o *Output) Longest() time.Duration { return time.Duration(o.LongestS) * time.Second }

var announcementKey = regexp.MustCompile(`^[a-z][a-zA-Z0-9-]{0,39}$`)

func (o *Output) validate() error {
	if err := validID("id", o.ID); err != nil {
		return err
	}
	if !slices.Contains(OutputKinds(), o.Kind) {
		return &InvalidError{"kind", "siren, light, speaker or relay"}
	}
	_, most := o.Kind.Longest()
	switch {
	case !readable(o.Label, false) || utf8.RuneCountInString(o.Label) > maxOutputText:
		return &InvalidError{"label", fmt.Sprintf("at most %d printable characters", maxOutputText)}
	case o.LongestS < 1 || o.Longest() > most:
		return &InvalidError{"longestSeconds", fmt.Sprintf("1 to %d", int(most.Seconds()))}
	}
	if err := o.validateWay(); err != nil {
		return err
	}
	if err := o.validateAutomatic(); err != nil {
		return err
	}
	if len(o.Announcements) > maxAnnouncements {
		return &InvalidError{"announcements", fmt.Sprintf("at most %d", maxAnnouncements)}
	}
	for i, a := range o.Announcements {
		at := fmt.Sprintf("announcements[%d]", i)
		switch {
		case !announcementKey.MatchString(a.Key):
			return &InvalidError{at + ".key", "a letter, then letters, digits and dashes"}
		case strings.TrimSpace(a.Text) == "" || !readable(a.Text, true) || utf8.RuneCountInString(a.Text) > maxAnnouncement:
			return &InvalidError{at + ".text", fmt.Sprintf("1 to %d printable characters", maxAnnouncement)}
		case a.Language != "en" && a.Language != "de":
			return &InvalidError{at + ".language", "en or de"}
		}
		if slices.ContainsFunc(o.Announcements[:i], func(b Phrase) bool { return b.Key == a.Key && b.Language == a.Language }) {
			return &InvalidError{at + ".key", "there is one with this key and language already"}
		}
	}
	return nil
}

func (o *Output) validateAutomatic() error {
	a := o.Automatic
	switch {
	case a.AfterS < 0 || a.AfterS > maxAutomaticDelay:
		return &InvalidError{"automatic.afterSeconds", fmt.Sprintf("at most %d", maxAutomaticDelay)}
	case a.ForS < 0 || a.ForS > o.LongestS:
		return &InvalidError{"automatic.forSeconds", "at most the longest time that it may be on"}
	case a.PerHour < 0 || a.PerHour > maxAutomaticPerH:
		return &InvalidError{"automatic.perHour", fmt.Sprintf("1 to %d", maxAutomaticPerH)}
	case a.On && o.TwoPerson:
		return &InvalidError{"automatic.on", "what needs two people does not switch by itself"}
	}
	return nil
}

// validateWay checks how it is spoken to. Whether the address may be reached is asked
// when it is.
func (o *Output) validateWay() error {
	u, err := url.Parse(o.Address)
	if err != nil || u.Host == "" || len(o.Address) > 500 || !readable(o.Address, false) || u.User != nil {
		return &InvalidError{"address", "a URL without a user's name in it"}
	}
	switch o.Driver {
	case OutputWebhook:
		if u.Scheme != "http" && u.Scheme != "https" {
			return &InvalidError{"address", "begins with https:// or http://"}
		}
		return nil
	case OutputMQTT:
	default:
		return &InvalidError{"driver", "webhook or mqtt"}
	}
	if _, port, err := net.SplitHostPort(u.Host); err == nil {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return &InvalidError{"address", "its port is no port"}
		}
	}
	switch {
	case u.Scheme != "mqtt" && u.Scheme != "mqtts" || u.Path != "" && u.Path != "/" || u.RawQuery != "":
		return &InvalidError{"address", "of a broker: mqtts://HOST:PORT or mqtt://HOST:PORT"}
	case !slices.Contains(OutputPresets(), o.Preset):
		return &InvalidError{"preset", strings.Join(OutputPresets(), ", ")}
	case o.Topic == "" || len(o.Topic) > maxOutputTopic || !readable(o.Topic, false) || strings.ContainsAny(o.Topic, "+#\x00") || strings.HasPrefix(o.Topic, "$"):
		return &InvalidError{"topic", fmt.Sprintf("1 to %d characters, without + and #", maxOutputTopic)}
	case len(o.Username) > maxOutputText || !readable(o.Username, false):
		return &InvalidError{"username", fmt.Sprintf("at most %d printable characters", maxOutputText)}
	case len(o.OnPayload) > maxOutputPayload:
		return &InvalidError{"onPayload", fmt.Sprintf("at most %d bytes", maxOutputPayload)}
	case len(o.OffPayload) > maxOutputPayload:
		return &InvalidError{"offPayload", fmt.Sprintf("at most %d bytes", maxOutputPayload)}
	case o.Kind == Speaker && o.Preset != PresetCustom:
		return &InvalidError{"preset", "a speaker wants a message of its own: custom"}
	case o.Preset == PresetCustom && (o.OnPayload == "" || o.OffPayload == ""):
		return &InvalidError{"onPayload", "what is published to switch it on, and what to switch it off"}
	}
	return nil
}

func (s *Store) loadOutputs(ctx context.Context) error {
	all := make(map[string]*Output)
	err := s.query(ctx, "outputs", `SELECT id, site, data, secret, created_at FROM outputs`, nil, func(r *sql.Rows) error {
		o := &Output{}
		var data string
		var created int64
		if err := r.Scan(&o.ID, &o.SiteID, &data, &o.sealed, &created); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(data), o); err != nil {
			return fmt.Errorf("output %s: %w", o.ID, err)
		}
		o.CreatedAt, o.HasSecret = fromMillis(created), len(o.sealed) > 0
		all[o.ID] = o
		return nil
	})
	s.outputs.load(all)
	return err
}

// Output returns an output.
func (s *Store) Output(id string) (*Output, bool) { return s.outputs.get(id) }

// Outputs returns all outputs by id.
func (s *Store) Outputs() []*Output {
	return slices.SortedFunc(s.outputs.all(), func(a, b *Output) int { return strings.Compare(a.ID, b.ID) })
}

func outputSecret(id string) string { return "output/" + id + "/secret" }

// OutputSecret is what an output is spoken to with; empty: none.
func (s *Store) OutputSecret(id string) (string, error) {
	o, ok := s.outputs.get(id)
	if !ok {
		return "", fmt.Errorf("output %s: %w", id, ErrNotFound)
	}
	return s.openSecret(o.sealed, outputSecret(id))
}

// complete fills in what nobody said.
func (o *Output) complete() {
	if usual, _ := o.Kind.Longest(); o.LongestS == 0 {
		o.LongestS = int(usual.Seconds())
	}
	if o.Automatic.On && o.Automatic.PerHour == 0 {
		o.Automatic.PerHour = automaticPerHour
	}
	if o.Driver != OutputMQTT {
		o.Preset, o.Topic, o.Username, o.OnPayload, o.OffPayload = "", "", "", "", ""
	}
	if o.Preset != PresetCustom {
		o.OnPayload, o.OffPayload = "", ""
	}
	if o.Kind != Speaker {
		o.Announcements = nil
	}
}

// CreateOutput adds an output; without an id it is given one.
func (s *Store) CreateOutput(ctx context.Context, by Actor, o Output, secret string) (*Output, error) {
	if o.ID == "" {
		o.ID = newID("out-")
	}
	o.complete()
	if err := o.validate(); err != nil {
		return nil, err
	}
	o.CreatedAt = fromMillis(millis(s.now()))
	defer s.lock(o.ID).Unlock()
	if _, ok := s.outputs.get(o.ID); ok {
		return nil, fmt.Errorf("output %s: %w", o.ID, ErrExists)
	}
	if s.outputs.len() >= MaxOutputs {
		return nil, fmt.Errorf("outputs: %w", ErrFull)
	}
	if err := s.sealOutput(&o, secret); err != nil {
		return nil, err
	}
	return &o, s.putOutput(ctx, by, "output.create", &o)
}

// ChangeOutput changes an output; a secret that is nil stays, an empty one is
// forgotten.
func (s *Store) ChangeOutput(ctx context.Context, by Actor, id string, secret *string, change func(*Output)) (*Output, error) {
	defer s.lock(id).Unlock()
	old, ok := s.outputs.get(id)
	if !ok {
		return nil, fmt.Errorf("output %s: %w", id, ErrNotFound)
	}
	next := *old
	next.Announcements = slices.Clone(old.Announcements)
	change(&next)
	next.ID, next.CreatedAt, next.Simulated = old.ID, old.CreatedAt, old.Simulated
	next.complete()
	if err := next.validate(); err != nil {
		return nil, err
	}
	switch {
	case secret != nil:
		if err := s.sealOutput(&next, *secret); err != nil {
			return nil, err
		}
	case next.HasSecret && (next.Address != old.Address || next.Driver != old.Driver):
		return nil, &InvalidError{"secret", "give it again: it was for another address"}
	case next.Driver == OutputWebhook && !next.HasSecret:
		return nil, &InvalidError{"secret", fmt.Sprintf("at least %d characters", minHookSecret)}
	}
	return &next, s.putOutput(ctx, by, "output.change", &next)
}

func (s *Store) sealOutput(o *Output, secret string) (err error) {
	o.HasSecret = secret != ""
	switch {
	case o.Driver == OutputWebhook && len(secret) < minHookSecret:
		return &InvalidError{"secret", fmt.Sprintf("at least %d characters", minHookSecret)}
	case len(secret) > maxOutputSecret:
		return &InvalidError{"secret", fmt.Sprintf("at most %d bytes", maxOutputSecret)}
	}
	o.sealed, err = s.sealSecret(secret, outputSecret(o.ID))
	return err
}

// putOutput commits an output. The caller holds its lock.
func (s *Store) putOutput(ctx context.Context, by Actor, action string, o *Output) error {
	if _, ok := s.sites.get(o.SiteID); !ok {
		return &InvalidError{"siteId", "no such site"}
	}
	data, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("encode output: %w", err)
	}
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT INTO outputs (id, site, data, secret, created_at) VALUES (?,?,?,?,?)
			ON CONFLICT (id) DO UPDATE SET site=excluded.site, data=excluded.data, secret=excluded.secret`,
			o.ID, o.SiteID, string(data), o.sealed, millis(o.CreatedAt)); err != nil {
			return fmt.Errorf("write output: %w", err)
		}
		return s.audit(tx, by, action, event.Output(o.ID).String(), map[string]any{
			"site": o.SiteID, "kind": o.Kind, "driver": o.Driver, "longestSeconds": o.LongestS, "twoPerson": o.TwoPerson, "automatic": o.Automatic.On,
		})
	})
	if err == nil {
		s.outputs.set(o.ID, o)
	}
	return err
}

// DeleteOutput removes an output that is off, or that should be and does not answer. One
// that is played makes no noise.
func (s *Store) DeleteOutput(ctx context.Context, by Actor, id string) error {
	defer s.lock(id).Unlock()
	o, ok := s.outputs.get(id)
	if !ok {
		return fmt.Errorf("output %s: %w", id, ErrNotFound)
	}
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		var on int
		if err := tx.QueryRow(`SELECT count(*) FROM outputs_on WHERE output = ? AND json_extract(data, '$.until') > ?`,
			id, s.now().UTC().Format(time.RFC3339)).Scan(&on); err != nil {
			return fmt.Errorf("look whether an output is on: %w", err)
		}
		if on > 0 && !o.Simulated {
			return &InUseError{"it is on, or may be: switch it off first"}
		}
		for _, text := range []string{
			`DELETE FROM outputs WHERE id = ?`, `DELETE FROM outputs_on WHERE output = ?`, `DELETE FROM output_automatics WHERE output = ?`,
		} {
			if _, err := tx.Exec(text, id); err != nil {
				return fmt.Errorf("delete output: %w", err)
			}
		}
		return s.audit(tx, by, "output.delete", event.Output(id).String(), nil)
	})
	if err == nil {
		s.outputs.drop(id)
	}
	return err
}

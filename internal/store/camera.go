package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Bounds of cameras.
const (
	MaxCameras       = 2000
	MaxZones         = 32
	MaxZoneCorners   = 64
	maxCameraURL     = 500
	maxCameraText    = 200
	maxZoneTies      = 100
	maxCameraSecret  = 200
	maxPurposeLength = 500
)

// Recording is when a camera is recorded.
type Recording string

// The ways to record.
const (
	RecordContinuous Recording = "continuous"
	RecordEvents     Recording = "event"
	RecordOff        Recording = "off"
)

// Camera is a camera as people set it up. A stored one is never changed in place.
type Camera struct {
	ID       string `json:"-"`
	SiteID   string `json:"-"`
	Label    string `json:"label,omitempty"`
	MainURL  string `json:"mainUrl"` // rtsp or rtsps, without a password
	SubURL   string `json:"subUrl,omitempty"`
	OnvifURL string `json:"onvifUrl,omitempty"`
	Username string `json:"username,omitempty"`
	UDP      bool   `json:"udp,omitempty"`
	// Fingerprint of the certificate that is trusted (rtsps); empty: as the machine
	// trusts.
	Fingerprint string    `json:"fingerprint,omitempty"`
	Record      Recording `json:"recording"`
	// Audio needs a reason: recording speech without right is a crime in some
	// countries.
	Audio       bool   `json:"audio,omitempty"`
	AudioReason string `json:"audioReason,omitempty"`
	// PromisedDays is how long pictures are kept, zero: as at its site; longer than
	// three days needs a purpose, of the camera or its site. MaxBytes bounds them all.
	PromisedDays float64      `json:"promisedDays"`
	MaxBytes     int64        `json:"maxBytes,omitempty"`
	Purpose      string       `json:"purpose,omitempty"`
	Zones        []CameraZone `json:"zones,omitempty"`
	Simulated    bool         `json:"simulated,omitempty"`
	CreatedAt    time.Time    `json:"-"`
	// HasPassword says that one is set; it is read by CameraPassword alone.
	HasPassword bool `json:"-"`
	sealed      []byte
}

// CameraZone is a part of the picture; corners are shares of its width and height.
type CameraZone struct {
	ID      string         `json:"id"`
	Label   string         `json:"label,omitempty"`
	Kind    event.ZoneKind `json:"kind"`
	Polygon [][2]float64   `json:"polygon"`
	Ports   []string       `json:"ports,omitempty"` // subjects: station/ID/EVSE
	Doors   []string       `json:"doors,omitempty"`
}

// Private lists the parts of the picture that not everyone may see.
func (c *Camera) Private() []CameraZone {
	var out []CameraZone
	for _, z := range c.Zones {
		if z.Kind == event.ZonePrivacy {
			out = append(out, z)
		}
	}
	return out
}

func (c *Camera) validate() error {
	if err := validID("id", c.ID); err != nil {
		return err
	}
	if !readable(c.Label, false) || utf8.RuneCountInString(c.Label) > maxCameraText {
		return &InvalidError{"label", fmt.Sprintf("at most %d printable characters", maxCameraText)}
	}
	for _, u := range []struct {
		field, url string
		needed     bool
		schemes    []string
	}{
		{"mainUrl", c.MainURL, true, []string{"rtsp", "rtsps"}},
		{"subUrl", c.SubURL, false, []string{"rtsp", "rtsps"}},
		{"onvifUrl", c.OnvifURL, false, []string{"http", "https"}},
	} {
		if err := validCameraURL(u.field, u.url, u.needed, u.schemes); err != nil {
			return err
		}
	}
	if !readable(c.Username, false) || len(c.Username) > maxCameraText {
		return &InvalidError{"username", fmt.Sprintf("at most %d printable characters", maxCameraText)}
	}
	if bytes, err := hex.DecodeString(strings.ReplaceAll(c.Fingerprint, ":", "")); err != nil || len(bytes) != 0 && len(bytes) != sha256.Size {
		return &InvalidError{"fingerprint", "the SHA-256 of a certificate, in hexadecimal"}
	}
	if !slices.Contains([]Recording{RecordContinuous, RecordEvents, RecordOff}, c.Record) {
		return &InvalidError{"recording", "continuous, event or off"}
	}
	c.AudioReason, c.Purpose = strings.TrimSpace(c.AudioReason), strings.TrimSpace(c.Purpose)
	if c.Audio && c.AudioReason == "" {
		return &InvalidError{"audioReason", "sound is recorded only for a written reason"}
	}
	if !(c.PromisedDays >= 0 && c.PromisedDays <= MaxPromisedDays) {
		return &InvalidError{"retention.promisedDays", fmt.Sprintf("at most %d; 0: as at its site", MaxPromisedDays)}
	}
	if err := validVideoBytes("retention.maxBytes", c.MaxBytes); err != nil {
		return err
	}
	if len(c.AudioReason) > maxPurposeLength || len(c.Purpose) > maxPurposeLength {
		return &InvalidError{"retention.purpose", fmt.Sprintf("at most %d bytes", maxPurposeLength)}
	}
	return c.validateZones()
}

// ValidCameraURL says what is wrong with the address of a stream.
func ValidCameraURL(field, text string) error {
	return validCameraURL(field, text, true, []string{"rtsp", "rtsps"})
}

// ValidDeviceURL says what is wrong with the address of an ONVIF device.
func ValidDeviceURL(field, text string) error {
	return validCameraURL(field, text, true, []string{"http", "https"})
}

func validCameraURL(field, text string, needed bool, schemes []string) error {
	if text == "" && !needed {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || len(text) > maxCameraURL || u.Host == "" || u.Hostname() == "" || !slices.Contains(schemes, u.Scheme) {
		return &InvalidError{field, "an address of the form " + schemes[0] + "://HOST/PATH"}
	}
	if u.User != nil {
		return &InvalidError{field, "user name and password have fields of their own"}
	}
	return nil
}

func (c *Camera) validateZones() error {
	if len(c.Zones) > MaxZones {
		return &InvalidError{"zones", fmt.Sprintf("at most %d", MaxZones)}
	}
	seen := make(map[string]bool)
	for i := range c.Zones {
		z, at := &c.Zones[i], fmt.Sprintf("zones[%d].", i)
		if z.ID == "" {
			z.ID = newID("zone-")
		}
		switch {
		case validID("id", z.ID) != nil || seen[z.ID]:
			return &InvalidError{at + "id", "an id that no other zone has"}
		case !slices.Contains([]event.ZoneKind{event.ZoneWatch, event.ZoneIgnore, event.ZonePrivacy}, z.Kind):
			return &InvalidError{at + "kind", "watch, ignore or privacy"}
		case !readable(z.Label, false) || len(z.Label) > maxCameraText:
			return &InvalidError{at + "label", "printable characters"}
		case len(z.Polygon) < 3 || len(z.Polygon) > MaxZoneCorners:
			return &InvalidError{at + "polygon", fmt.Sprintf("3 to %d corners", MaxZoneCorners)}
		case len(z.Ports) > maxZoneTies || len(z.Doors) > maxZoneTies:
			return &InvalidError{at + "evses", fmt.Sprintf("at most %d", maxZoneTies)}
		}
		seen[z.ID] = true
		for _, p := range z.Polygon {
			if !(p[0] >= 0 && p[0] <= 1 && p[1] >= 0 && p[1] <= 1) || math.IsNaN(p[0]+p[1]) {
				return &InvalidError{at + "polygon", "corners between 0 and 1"}
			}
		}
		for _, port := range z.Ports {
			if s, err := event.ParseSubject(port); err != nil || s.Type != event.StationSubject {
				return &InvalidError{at + "evses", "ports as station/ID/EVSE"}
			}
		}
	}
	return nil
}

func (s *Store) loadCameras(ctx context.Context) error {
	all := make(map[string]*Camera)
	err := s.query(ctx, "cameras", `SELECT id, site, data, password, created_at FROM cameras`, nil, func(r *sql.Rows) error {
		c := &Camera{}
		var data string
		var created int64
		if err := r.Scan(&c.ID, &c.SiteID, &data, &c.sealed, &created); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(data), c); err != nil {
			return fmt.Errorf("camera %s: %w", c.ID, err)
		}
		c.CreatedAt, c.HasPassword = fromMillis(created), len(c.sealed) > 0
		all[c.ID] = c
		return nil
	})
	if err != nil {
		return err
	}
	s.cameras.load(all)
	for _, load := range []func(context.Context) error{s.loadArming, s.loadRetention, s.loadRemoved} {
		if err := load(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Camera returns a camera.
func (s *Store) Camera(id string) (*Camera, bool) { return s.cameras.get(id) }

// Cameras returns all cameras by id.
func (s *Store) Cameras() []*Camera {
	return slices.SortedFunc(s.cameras.all(), func(a, b *Camera) int { return strings.Compare(a.ID, b.ID) })
}

// CamerasChanged is closed at the next change of any camera or arming.
func (s *Store) CamerasChanged() <-chan struct{} { return s.camerasChanged.channel() }

func sealedFor(camera string) string { return "camera/" + camera + "/password" }

// CameraPassword is what a camera is signed in to with; empty: none.
func (s *Store) CameraPassword(id string) (string, error) {
	c, ok := s.cameras.get(id)
	if !ok {
		return "", fmt.Errorf("camera %s: %w", id, ErrNotFound)
	}
	return s.openSecret(c.sealed, sealedFor(id))
}

// CreateCamera adds a camera; without an id it is given one.
func (s *Store) CreateCamera(ctx context.Context, by Actor, c Camera, password string) (*Camera, error) {
	if c.ID == "" {
		c.ID = newID("cam-")
	}
	if c.Record == "" {
		c.Record = RecordContinuous
	}
	if err := c.validate(); err != nil {
		return nil, err
	}
	c.CreatedAt = fromMillis(millis(s.now()))
	defer s.lock(c.ID).Unlock()
	if _, ok := s.cameras.get(c.ID); ok {
		return nil, fmt.Errorf("camera %s: %w", c.ID, ErrExists)
	}
	if s.cameras.len() >= MaxCameras {
		return nil, fmt.Errorf("cameras: %w", ErrFull)
	}
	if err := s.sealPassword(&c, password); err != nil {
		return nil, err
	}
	return &c, s.putCamera(ctx, by, "camera.create", &c)
}

// ChangeCamera changes a camera; a password that is nil stays, an empty one is
// forgotten.
func (s *Store) ChangeCamera(ctx context.Context, by Actor, id string, password *string, change func(*Camera)) (*Camera, error) {
	defer s.lock(id).Unlock()
	old, ok := s.cameras.get(id)
	if !ok {
		return nil, fmt.Errorf("camera %s: %w", id, ErrNotFound)
	}
	next := *old
	next.Zones = slices.Clone(old.Zones)
	change(&next)
	next.ID, next.CreatedAt, next.Simulated = old.ID, old.CreatedAt, old.Simulated
	if err := next.validate(); err != nil {
		return nil, err
	}
	switch {
	case password != nil:
		if err := s.sealPassword(&next, *password); err != nil {
			return nil, err
		}
	case next.HasPassword && !next.sameHosts(old):
		return nil, &InvalidError{"password", "give it again: it was for another host"}
	}
	return &next, s.putCamera(ctx, by, "camera.change", &next)
}

// SpeaksTo reports whether the camera has an address at the host of this one.
func (c *Camera) SpeaksTo(address string) bool {
	host := hostOf(address)
	return host != "" && slices.ContainsFunc([]string{c.MainURL, c.SubURL, c.OnvifURL}, func(u string) bool { return hostOf(u) == host })
}

// sameHosts reports whether c speaks only to hosts that old spoke to: whoever may
// change an address must not have the password sent to one of their own.
func (c *Camera) sameHosts(old *Camera) bool {
	known := make(map[string]bool)
	for _, u := range []string{old.MainURL, old.SubURL, old.OnvifURL} {
		known[hostOf(u)] = true
	}
	return known[hostOf(c.MainURL)] && (c.SubURL == "" || known[hostOf(c.SubURL)]) && (c.OnvifURL == "" || known[hostOf(c.OnvifURL)])
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

func (s *Store) sealPassword(c *Camera, password string) (err error) {
	c.HasPassword = password != ""
	if len(password) > maxCameraSecret {
		return &InvalidError{"password", fmt.Sprintf("at most %d bytes", maxCameraSecret)}
	}
	c.sealed, err = s.sealSecret(password, sealedFor(c.ID))
	return err
}

// putCamera commits a camera with its event. The caller holds its lock.
func (s *Store) putCamera(ctx context.Context, by Actor, action string, c *Camera) error {
	if c.SiteID != "" {
		if _, ok := s.sites.get(c.SiteID); !ok {
			return &InvalidError{"siteId", "no such site"}
		}
	}
	if old, ok := s.removed.get(c.ID); ok && old.SiteID != c.SiteID {
		// Who may see the one site would see what was recorded at the other.
		return &InvalidError{"id", "there are recordings of a removed camera of this id at another site"}
	}
	s.purposes.Lock()
	defer s.purposes.Unlock()
	if err := s.hasPurpose(c); err != nil {
		return err
	}
	data, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode camera: %w", err)
	}
	body := &event.CameraConfigured{SiteID: c.SiteID, Label: c.Label, Simulated: c.Simulated, By: string(by)}
	for _, z := range c.Zones {
		body.Zones = append(body.Zones, event.CameraZone{ID: z.ID, Label: z.Label, Kind: z.Kind, Ports: z.Ports, Doors: z.Doors})
	}
	err = s.append(ctx, s.event(event.Camera(c.ID), body), func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT INTO cameras (id, site, data, password, created_at) VALUES (?,?,?,?,?)
			ON CONFLICT (id) DO UPDATE SET site=excluded.site, data=excluded.data, password=excluded.password`,
			c.ID, c.SiteID, string(data), c.sealed, millis(c.CreatedAt)); err != nil {
			return fmt.Errorf("write camera: %w", err)
		}
		if _, err := tx.Exec(`DELETE FROM removed_cameras WHERE id = ?`, c.ID); err != nil {
			return fmt.Errorf("take back a removed camera: %w", err)
		}
		detail := map[string]any{"site": c.SiteID, "recording": c.Record, "audio": c.Audio, "promisedDays": c.PromisedDays, "maxBytes": c.MaxBytes, "purpose": c.Purpose}
		if c.Audio {
			detail["audioReason"] = c.AudioReason
		}
		return s.audit(tx, by, action, "camera/"+c.ID, detail)
	})
	if err == nil {
		s.cameras.set(c.ID, c)
		s.removed.drop(c.ID)
		s.camerasChanged.announce()
	}
	return err
}

// DeleteCamera removes a camera; its recordings stay until their time is over.
func (s *Store) DeleteCamera(ctx context.Context, by Actor, id string) error {
	defer s.lock(id).Unlock()
	c, ok := s.cameras.get(id)
	if !ok {
		return fmt.Errorf("camera %s: %w", id, ErrNotFound)
	}
	gone := &RemovedCamera{Camera: *c, At: fromMillis(millis(s.now())), By: by}
	gone.sealed, gone.HasPassword = nil, false
	err := s.append(ctx, s.event(event.Camera(id), &event.CameraRemoved{By: string(by)}), func(tx *sql.Tx) error {
		if err := putRemoved(tx, gone); err != nil {
			return err
		}
		if _, err := tx.Exec(`DELETE FROM cameras WHERE id = ?`, id); err != nil {
			return fmt.Errorf("delete camera: %w", err)
		}
		if err := dropLabelSecret(tx, event.Camera(id).String()); err != nil {
			return err
		}
		return s.audit(tx, by, "camera.delete", "camera/"+id, nil)
	})
	if err == nil {
		s.removed.set(id, gone)
		s.cameras.drop(id)
		s.labelSecrets.drop(event.Camera(id).String())
		s.camerasChanged.announce()
	}
	return err
}

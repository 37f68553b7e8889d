package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

// CameraStatus is how a camera is, as those know who listen to it.
type CameraStatus struct {
	State  event.CameraCondition
	Since  time.Time
	Reason string
	Main   *CameraStream // nil: nothing heard yet
	Sub    *CameraStream
	// EffectiveDays is how long pictures stay at the rate of now; nil: not known.
	EffectiveDays *float64
	RecordedAt    time.Time // the newest picture that is on the disk
	Senses        CameraSenses
}

// CameraStream is what a stream of a camera is like.
type CameraStream struct {
	Codec           string  `json:"codec" enum:"h264,h265"`
	Width           int     `json:"width"`
	Height          int     `json:"height"`
	FPS             float64 `json:"fps" doc:"pictures a second, measured"`
	BitsPerSecond   float64 `json:"bitsPerSecond"`
	KeyEverySeconds float64 `json:"keyEverySeconds" doc:"between key pictures"`
	Sound           string  `json:"sound" enum:",aac,opus,none,codec,refused" doc:"what is heard and recorded, or why nothing is: the camera offers none, only of a kind that is not recorded, or refuses it; empty: it is not asked for"`
}

// Cameras knows how cameras are.
type Cameras interface {
	CameraStatus(id string) (CameraStatus, bool)
	// AcceptView takes what a camera shows from now on for its place; false if nobody
	// looks at it.
	AcceptView(id string) bool
	// ReachCamera says why an address that people typed in may not be reached.
	ReachCamera(ctx context.Context, address string) error
	// TryCamera looks at an address once.
	TryCamera(ctx context.Context, t CameraTry) (CameraTried, error)
}

// CameraShape is a camera as the API shows it. Passwords are written, never read.
type CameraShape struct {
	ID          string          `json:"id"`
	SiteID      string          `json:"siteId"`
	Label       string          `json:"label"`
	MainURL     string          `json:"mainUrl" doc:"only for those who set cameras up"`
	SubURL      string          `json:"subUrl" doc:"only for those who set cameras up"`
	OnvifURL    string          `json:"onvifUrl" doc:"only for those who set cameras up"`
	Username    string          `json:"username" doc:"only for those who set cameras up"`
	HasPassword bool            `json:"hasPassword"`
	HasSub      bool            `json:"hasSub" doc:"there is a second, smaller stream"`
	UDP         bool            `json:"udp"`
	Fingerprint string          `json:"fingerprint" doc:"of the certificate that is trusted (rtsps); only for those who set cameras up"`
	State       string          `json:"state" enum:"connecting,live,stalled,offline,tampered,notRecording"`
	StateSince  *time.Time      `json:"stateSince"`
	Reason      string          `json:"reason" doc:"why it is in that state, as a code"`
	Recording   store.Recording `json:"recording" enum:"continuous,event,off"`
	Audio       bool            `json:"audio"`
	AudioReason string          `json:"audioReason"`
	Armed       bool            `json:"armed" doc:"what moves at its site matters now"`
	Zones       []ZoneShape     `json:"zones"`
	Retention   RetentionShape  `json:"retention"`
	RecordedAt  *time.Time      `json:"recordedAt" doc:"the newest picture on the disk"`
	Main        *CameraStream   `json:"main,omitempty"`
	Sub         *CameraStream   `json:"sub,omitempty"`
	Masked      bool            `json:"masked" doc:"you see single pictures with private parts hidden"`
	Simulated   bool            `json:"simulated"`
	// Senses is missing on the live feed.
	Senses *CameraSenses `json:"senses,omitempty" doc:"who watches it, and how well"`
	// LabelSecret says whose secret other systems may sign labels with.
	LabelSecret string `json:"labelSecret" enum:",camera,site" doc:"whose secret other systems sign labels with; empty: they tell none. Only for those who set cameras up"`
}

// ZoneShape is a part of a camera's picture.
type ZoneShape struct {
	ID      string         `json:"id,omitempty" maxLength:"64"`
	Label   string         `json:"label,omitempty" maxLength:"200"`
	Kind    event.ZoneKind `json:"kind" enum:"watch,ignore,privacy"`
	Polygon [][2]float64   `json:"polygon" minItems:"3" maxItems:"64" doc:"corners as shares of width and height"`
	EVSEs   []string       `json:"evses,omitempty" maxItems:"100" doc:"ports in it: station/ID/EVSE"`
	Doors   []string       `json:"doors,omitempty" maxItems:"100"`
}

// RetentionShape is how long pictures are kept.
type RetentionShape struct {
	PromisedDays  float64  `json:"promisedDays" doc:"as decided for the camera, its site or everywhere"`
	OwnDays       float64  `json:"ownDays" doc:"decided for the camera itself; 0: as at its site"`
	MaxBytes      int64    `json:"maxBytes" doc:"bound of all its recordings; 0: none"`
	EffectiveDays *float64 `json:"effectiveDays" doc:"at the rate of now and the room there is; null: not known"`
	Purpose       string   `json:"purpose"`
}

type (
	cameraOutput struct{ Body CameraShape }
	cameraInput  struct {
		Camera string `path:"camera" maxLength:"64"`
	}
	camerasInput struct {
		Page
		Site  string `query:"site" maxLength:"48"`
		State string `query:"state" enum:"connecting,live,stalled,offline,tampered,notRecording"`
	}
	newCameraInput struct {
		Body struct {
			ID           string          `json:"id,omitempty" maxLength:"48" doc:"one is given if missing"`
			SiteID       string          `json:"siteId" maxLength:"48"`
			Label        string          `json:"label,omitempty" maxLength:"200"`
			MainURL      string          `json:"mainUrl" maxLength:"500" doc:"rtsp or rtsps, without user and password"`
			SubURL       string          `json:"subUrl,omitempty" maxLength:"500"`
			OnvifURL     string          `json:"onvifUrl,omitempty" maxLength:"500"`
			Username     string          `json:"username,omitempty" maxLength:"200"`
			Password     string          `json:"password,omitempty" maxLength:"200" doc:"kept sealed, never shown"`
			UDP          bool            `json:"udp,omitempty"`
			Fingerprint  string          `json:"fingerprint,omitempty" maxLength:"100" doc:"SHA-256 of the camera's certificate, where it signs for itself (rtsps)"`
			Recording    store.Recording `json:"recording,omitempty" enum:"continuous,event,off"`
			Audio        bool            `json:"audio,omitempty"`
			AudioReason  string          `json:"audioReason,omitempty" maxLength:"500"`
			PromisedDays float64         `json:"promisedDays,omitempty" doc:"0 or missing: as at its site, or 3"`
			Purpose      string          `json:"purpose,omitempty" maxLength:"500" doc:"needed for more than 3 days, unless its site has one"`
			MaxBytes     int64           `json:"maxBytes,omitempty" doc:"bound of all its recordings; 0: none"`
			Zones        []ZoneShape     `json:"zones,omitempty" maxItems:"32"`
		}
	}
	cameraChangeInput struct {
		Camera string `path:"camera" maxLength:"64"`
		Body   struct {
			SiteID       *string          `json:"siteId,omitempty" maxLength:"48"`
			Label        *string          `json:"label,omitempty" maxLength:"200"`
			MainURL      *string          `json:"mainUrl,omitempty" maxLength:"500"`
			SubURL       *string          `json:"subUrl,omitempty" maxLength:"500"`
			OnvifURL     *string          `json:"onvifUrl,omitempty" maxLength:"500"`
			Username     *string          `json:"username,omitempty" maxLength:"200"`
			Password     *string          `json:"password,omitempty" maxLength:"200" doc:"empty: none any more; needed when a host changes"`
			UDP          *bool            `json:"udp,omitempty"`
			Fingerprint  *string          `json:"fingerprint,omitempty" maxLength:"100"`
			Recording    *store.Recording `json:"recording,omitempty" enum:"continuous,event,off"`
			Audio        *bool            `json:"audio,omitempty"`
			AudioReason  *string          `json:"audioReason,omitempty" maxLength:"500"`
			PromisedDays *float64         `json:"promisedDays,omitempty" doc:"0: as at its site"`
			MaxBytes     *int64           `json:"maxBytes,omitempty" doc:"0: none"`
			Purpose      *string          `json:"purpose,omitempty" maxLength:"500"`
			Zones        *[]ZoneShape     `json:"zones,omitempty" maxItems:"32" doc:"replaces all"`
		}
	}
)

func (s *Server) registerCameras() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"cameras"}}
	}
	add(s, filtered(CamerasRead), op("listCameras", http.MethodGet, "/cameras", "List cameras", 0), s.listCameras)
	add(s, global(CamerasWrite), op("createCamera", http.MethodPost, "/cameras", "Add a camera", http.StatusCreated), s.createCamera)
	add(s, atCamera(CamerasRead), op("getCamera", http.MethodGet, "/cameras/{camera}", "One camera", 0), s.getCamera)
	add(s, atCamera(CamerasWrite), op("changeCamera", http.MethodPatch, "/cameras/{camera}", "Change a camera", 0), s.changeCamera)
	add(s, atCamera(CamerasWrite), op("deleteCamera", http.MethodDelete, "/cameras/{camera}",
		"Remove a camera; its recordings stay until their time is over", http.StatusNoContent), s.deleteCamera)
	add(s, global(CamerasWrite), op("tryCamera", http.MethodPost, "/cameras/test", "Look at an address once, and say what is there", 0), s.tryCamera)
	s.registerView()
	s.registerFinding()
	s.registerLabels()
	s.registerArming()
	s.registerPosture()
	s.registerViewing()
	s.registerFootage()
	s.registerRetention()
	s.registerCopies()
	s.registerBookmarks()
	s.registerWalls()
}

// status is how a camera is; one that nobody listens to is connecting.
func (s *Server) cameraStatus(id string) CameraStatus {
	if s.o.Cameras != nil {
		if x, ok := s.o.Cameras.CameraStatus(id); ok {
			return x
		}
	}
	return CameraStatus{State: event.CameraConnecting}
}

// cameraShape shows a camera; those who do not set cameras up see no address.
func (s *Server) cameraShape(c *store.Camera, p *Principal) CameraShape {
	x := s.cameraStatus(c.ID)
	out := CameraShape{
		ID: c.ID, SiteID: c.SiteID, Label: c.Label, HasSub: c.SubURL != "", UDP: c.UDP, HasPassword: c.HasPassword,
		State: string(x.State), StateSince: instant(x.Since), Reason: x.Reason, Recording: c.Record, Audio: c.Audio,
		AudioReason: c.AudioReason, Armed: s.o.Store.Armed(c.SiteID), Zones: zoneShapes(c.Zones),
		Retention: RetentionShape{
			PromisedDays: s.o.Store.Kept(c).Days, OwnDays: c.PromisedDays, MaxBytes: c.MaxBytes, EffectiveDays: x.EffectiveDays, Purpose: c.Purpose,
		},
		RecordedAt: instant(x.RecordedAt), Main: x.Main, Sub: x.Sub, Simulated: c.Simulated,
	}
	if p == nil {
		return out
	}
	out.Senses = &x.Senses
	if p.Scope(CamerasWrite).Allows(c.SiteID) {
		out.MainURL, out.SubURL, out.OnvifURL, out.Username = c.MainURL, c.SubURL, c.OnvifURL, c.Username
		out.Fingerprint = c.Fingerprint
		switch {
		case s.o.Store.HasLabelSecret(event.Camera(c.ID)):
			out.LabelSecret = "camera"
		case s.o.Store.HasLabelSecret(event.Site(c.SiteID)):
			out.LabelSecret = "site"
		}
	}
	out.Masked = len(c.Private()) > 0 && !p.Scope(VideoUnmasked).Allows(c.SiteID)
	return out
}

func zoneShapes(list []store.CameraZone) []ZoneShape {
	out := make([]ZoneShape, 0, len(list))
	for _, z := range list {
		out = append(out, ZoneShape{ID: z.ID, Label: z.Label, Kind: z.Kind, Polygon: z.Polygon, EVSEs: z.Ports, Doors: z.Doors})
	}
	return out
}

func zones(list []ZoneShape) []store.CameraZone {
	out := make([]store.CameraZone, 0, len(list))
	for _, z := range list {
		out = append(out, store.CameraZone{ID: z.ID, Label: z.Label, Kind: z.Kind, Polygon: slices.Clone(z.Polygon), Ports: z.EVSEs, Doors: z.Doors})
	}
	return out
}

func (s *Server) listCameras(ctx context.Context, in *camerasInput) (*listOutput[CameraShape], error) {
	after, err := decodeCursor("cameras", in.Cursor)
	if err != nil {
		return nil, err
	}
	p, allowed := who(ctx), scope(ctx, CamerasRead)
	var out []CameraShape
	for _, c := range s.o.Store.Cameras() {
		if c.ID <= after || !allowed.Allows(c.SiteID) || in.Site != "" && c.SiteID != in.Site {
			continue
		}
		if in.State != "" && string(s.cameraStatus(c.ID).State) != in.State {
			continue
		}
		if len(out) == in.Limit {
			return listOf(out, encodeCursor("cameras", out[len(out)-1].ID)), nil
		}
		out = append(out, s.cameraShape(c, p))
	}
	return listOf(out, ""), nil
}

func (s *Server) getCamera(ctx context.Context, in *cameraInput) (*cameraOutput, error) {
	c, ok := s.o.Store.Camera(in.Camera)
	if !ok {
		return nil, store.ErrNotFound
	}
	return &cameraOutput{Body: s.cameraShape(c, who(ctx))}, nil
}

func (s *Server) countCameras(allowed Scope) CameraSummary {
	out := CameraSummary{ByState: make(map[string]int)}
	for _, c := range s.o.Store.Cameras() {
		if allowed.Allows(c.SiteID) {
			out.Total++
			out.ByState[string(s.cameraStatus(c.ID).State)]++
		}
	}
	return out
}

// reachable looks whether the addresses may be reached at all, before they are
// kept.
func (s *Server) reachable(ctx context.Context, addresses map[string]string) error {
	if s.o.Cameras == nil {
		return nil
	}
	for field, address := range addresses {
		if address == "" {
			continue
		}
		if err := s.o.Cameras.ReachCamera(ctx, address); err != nil {
			return &store.InvalidError{Field: field, Reason: err.Error()}
		}
	}
	return nil
}

func (s *Server) createCamera(ctx context.Context, in *newCameraInput) (*cameraOutput, error) {
	b := &in.Body
	c := store.Camera{
		ID: b.ID, SiteID: b.SiteID, Label: b.Label, MainURL: b.MainURL, SubURL: b.SubURL, OnvifURL: b.OnvifURL, Username: b.Username,
		UDP: b.UDP, Fingerprint: b.Fingerprint, Record: b.Recording, Audio: b.Audio, AudioReason: b.AudioReason, PromisedDays: b.PromisedDays, MaxBytes: b.MaxBytes, Purpose: b.Purpose,
		Zones: zones(b.Zones),
	}
	if err := s.reachable(ctx, map[string]string{"mainUrl": b.MainURL, "subUrl": b.SubURL, "onvifUrl": b.OnvifURL}); err != nil {
		return nil, err
	}
	made, err := s.o.Store.CreateCamera(ctx, who(ctx).actor(), c, b.Password)
	if err != nil {
		return nil, err
	}
	return &cameraOutput{Body: s.cameraShape(made, who(ctx))}, nil
}

func (s *Server) changeCamera(ctx context.Context, in *cameraChangeInput) (*cameraOutput, error) {
	b, p := &in.Body, who(ctx)
	if b.SiteID != nil && !p.Scope(CamerasWrite).Allows(*b.SiteID) {
		return nil, &store.InvalidError{Field: "siteId", Reason: "no such site"}
	}
	given := make(map[string]string)
	for field, v := range map[string]*string{"mainUrl": b.MainURL, "subUrl": b.SubURL, "onvifUrl": b.OnvifURL} {
		if v != nil {
			given[field] = *v
		}
	}
	if err := s.reachable(ctx, given); err != nil {
		return nil, err
	}
	c, err := s.o.Store.ChangeCamera(ctx, p.actor(), in.Camera, b.Password, func(c *store.Camera) {
		set(&c.SiteID, b.SiteID)
		set(&c.Label, b.Label)
		set(&c.MainURL, b.MainURL)
		set(&c.SubURL, b.SubURL)
		set(&c.OnvifURL, b.OnvifURL)
		set(&c.Username, b.Username)
		set(&c.UDP, b.UDP)
		set(&c.Fingerprint, b.Fingerprint)
		set(&c.Record, b.Recording)
		set(&c.Audio, b.Audio)
		set(&c.AudioReason, b.AudioReason)
		set(&c.PromisedDays, b.PromisedDays)
		set(&c.MaxBytes, b.MaxBytes)
		set(&c.Purpose, b.Purpose)
		if b.Zones != nil {
			c.Zones = zones(*b.Zones)
		}
	})
	if err != nil {
		return nil, err
	}
	return &cameraOutput{Body: s.cameraShape(c, p)}, nil
}

func (s *Server) deleteCamera(ctx context.Context, in *cameraInput) (*struct{}, error) {
	return nil, s.o.Store.DeleteCamera(ctx, who(ctx).actor(), in.Camera)
}

// set changes a field if a value was given.
func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

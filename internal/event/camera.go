package event

import "time"

// CameraConfigured carries what people decided about a camera, as far as
// detection needs it; addresses and secrets stay in the store.
type CameraConfigured struct {
	SiteID    string       `json:"siteId,omitempty"`
	Label     string       `json:"label,omitempty"`
	Simulated bool         `json:"simulated,omitempty"`
	Zones     []CameraZone `json:"zones,omitempty"`
	By        string       `json:"by,omitempty"`
}

// CameraZone is a part of a camera's picture.
type CameraZone struct {
	ID    string   `json:"id"`
	Label string   `json:"label,omitempty"`
	Kind  ZoneKind `json:"kind"`
	// Ports are what stands in the zone, as subjects (station/ID/EVSE); Doors by id.
	Ports []string `json:"ports,omitempty"`
	Doors []string `json:"doors,omitempty"`
}

// ZoneKind says what a zone is for.
type ZoneKind string

// The kinds of zones.
const (
	ZoneWatch   ZoneKind = "watch"
	ZoneIgnore  ZoneKind = "ignore"
	ZonePrivacy ZoneKind = "privacy"
)

// CameraRemoved ends a camera; its recordings stay until their time is over.
type CameraRemoved struct {
	By string `json:"by,omitempty"`
}

// CameraState says that a camera's condition changed, after hysteresis.
type CameraState struct {
	SiteID string          `json:"siteId,omitempty"`
	State  CameraCondition `json:"state"`
	Was    CameraCondition `json:"was,omitempty"`
	// Reason is a code: refused, unreachable, authentication, notFound, codec,
	// noFrames, noBytes, disk, protocol, address, covered and so on.
	Reason string `json:"reason,omitempty"`
	Detail string `json:"detail,omitempty"` // in words, without addresses or secrets
	// Since is when it became so, which is before it was said.
	Since time.Time `json:"since,omitzero"`
}

// CameraCondition is the closed set of conditions of a camera.
type CameraCondition string

// The conditions of a camera.
const (
	CameraConnecting   CameraCondition = "connecting"
	CameraLive         CameraCondition = "live"
	CameraStalled      CameraCondition = "stalled"      // connected, no picture for 3 s
	CameraOffline      CameraCondition = "offline"      // no picture for 15 s
	CameraTampered     CameraCondition = "tampered"     // pictures that show nothing of the site
	CameraNotRecording CameraCondition = "notRecording" // pictures come and nothing is written
)

// Scene is something seen in a camera's picture: motion, tampering, a person. What
// lasts is told when it starts and when it ends, under one ID.
type Scene struct {
	ID     string     `json:"id"`
	SiteID string     `json:"siteId,omitempty"`
	What   SceneKind  `json:"what"`
	Phase  ScenePhase `json:"phase"`
	// Source is who saw it: picture (our own eyes), camera (its analytics),
	// webhook or verifier.
	Source string   `json:"source"`
	Zone   string   `json:"zone,omitempty"`
	Ports  []string `json:"ports,omitempty"` // of the zone, at that time
	Doors  []string `json:"doors,omitempty"`
	// Armed is whether the site was to be watched at that time.
	Armed   bool    `json:"armed,omitempty"`
	Score   float64 `json:"score,omitempty"`   // 0..1, as sure as the source is
	Percent float64 `json:"percent,omitempty"` // of the picture or zone
	// Plate refers to a number plate by an opaque id; the plate can be erased.
	Plate string    `json:"plate,omitempty"`
	Since time.Time `json:"since,omitzero"`
}

// SceneKind is the closed set of what is seen.
type SceneKind string

// What cameras see.
const (
	SceneMotion       SceneKind = "motion"
	ScenePerson       SceneKind = "person"
	SceneVehicle      SceneKind = "vehicle"
	SceneAnimal       SceneKind = "animal"
	ScenePlate        SceneKind = "plate"
	SceneLineCrossing SceneKind = "lineCrossing"
	SceneCovered      SceneKind = "covered"
	SceneDefocused    SceneKind = "defocused"
	SceneTurned       SceneKind = "turned"
	SceneBlinded      SceneKind = "blinded"
	SceneFrozen       SceneKind = "frozen"
	SceneClockJump    SceneKind = "clockJump"
	SceneTamper       SceneKind = "tamper" // the camera says so and not which
)

// Tampering reports whether it means that the camera no longer shows its site.
func (k SceneKind) Tampering() bool {
	switch k {
	case SceneCovered, SceneDefocused, SceneTurned, SceneBlinded, SceneFrozen, SceneTamper:
		return true
	}
	return false
}

// ScenePhase says which end of a scene is told.
type ScenePhase string

// The phases of a scene. What has no length is only seen.
const (
	SceneStarted ScenePhase = "started"
	SceneEnded   ScenePhase = "ended"
	SceneSeen    ScenePhase = "seen"
)

// RecordingGap says that there are no pictures for a time that should have some.
type RecordingGap struct {
	SiteID string    `json:"siteId,omitempty"`
	Stream string    `json:"stream"` // main or sub
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Reason string    `json:"reason"`
}

// RecordingRetention says that pictures do not stay as long as was promised, or that
// they do again. Where cameras share what limits them, one speaks for all.
type RecordingRetention struct {
	SiteID        string  `json:"siteId,omitempty"`
	Short         bool    `json:"short,omitempty"`
	PromisedDays  float64 `json:"promisedDays,omitempty"`
	EffectiveDays float64 `json:"effectiveDays,omitempty"`
	LimitedBy     string  `json:"limitedBy,omitempty"` // bytes, site, volume or disk
	Cameras       int     `json:"cameras,omitempty"`   // that are short by it
}

// RecordingCopy says that pictures did not come to the second place, or that
// copies arrive there again. One camera speaks for all.
type RecordingCopy struct {
	SiteID string `json:"siteId,omitempty"`
	Failed bool   `json:"failed,omitempty"`
	Reason string `json:"reason,omitempty"` // a code: unreachable, refused, notAllowed, full, unwritable, dropped, ...
	Detail string `json:"detail,omitempty"` // in words, without addresses or secrets
	// Waiting is how many copies are still on their way.
	Waiting int `json:"waiting,omitempty"`
}

// Arming says whether what moves at a site matters.
type Arming struct {
	Armed bool `json:"armed"`
	// Schedule is set when the site's calendar did it, not a person.
	Schedule bool      `json:"schedule,omitempty"`
	Until    time.Time `json:"until,omitzero"`
	Reason   string    `json:"reason,omitempty"`
	By       string    `json:"by,omitempty"`
}

// Kind names the body.
func (*CameraConfigured) Kind() Kind { return KindCameraConfigured }

// Kind names the body.
func (*CameraRemoved) Kind() Kind { return KindCameraRemoved }

// Kind names the body.
func (*CameraState) Kind() Kind { return KindCameraState }

// Kind names the body.
func (*Scene) Kind() Kind { return KindScene }

// Kind names the body.
func (*RecordingGap) Kind() Kind { return KindRecordingGap }

// Kind names the body.
func (*RecordingRetention) Kind() Kind { return KindRecordingRetention }

// Kind names the body.
func (*RecordingCopy) Kind() Kind { return KindRecordingCopy }

// Kind names the body.
func (*Arming) Kind() Kind { return KindArming }

func (*CameraConfigured) isBody()   {}
func (*CameraRemoved) isBody()      {}
func (*CameraState) isBody()        {}
func (*Scene) isBody()              {}
func (*RecordingGap) isBody()       {}
func (*RecordingRetention) isBody() {}
func (*RecordingCopy) isBody()      {}
func (*Arming) isBody()             {}

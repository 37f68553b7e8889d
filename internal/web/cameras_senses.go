package web

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// CameraSenses is who watches a camera, and how well.
type CameraSenses struct {
	Motion MotionSense `json:"motion"`
	Device DeviceSense `json:"device"`
	Labels LabelSense  `json:"labels"`
}

// MotionSense is how its pictures are looked at.
type MotionSense struct {
	State           string          `json:"state" enum:"watching,slow,noDecoder,noPictures" doc:"slow: key pictures are too far apart, and no sub-stream makes up for it; noDecoder: ffmpeg is not installed"`
	KeyEverySeconds float64         `json:"keyEverySeconds" doc:"between the pictures that are looked at; 0: not known yet"`
	SubStream       bool            `json:"subStream" doc:"the sub-stream is looked at picture by picture"`
	Tampered        event.SceneKind `json:"tampered" doc:"what was done to its view; empty: nothing"`
	LookedAt        *time.Time      `json:"lookedAt" doc:"the newest picture that was looked at"`
}

// DeviceSense is how what the camera notices by itself is heard (ONVIF).
type DeviceSense struct {
	State              string     `json:"state" enum:"none,connecting,listening,unsupported,unauthorized,failing" doc:"none: it has no ONVIF address"`
	StateSince         *time.Time `json:"stateSince"`
	ClockOffsetSeconds float64    `json:"clockOffsetSeconds" doc:"how far its clock is ahead of ours"`
	HeardAt            *time.Time `json:"heardAt" doc:"its last answer"`
	EventAt            *time.Time `json:"eventAt" doc:"when it told last of something that it saw"`
	Event              string     `json:"event" doc:"what that was"`
	Detail             string     `json:"detail" doc:"why it is not heard, in words; it may hold what the device said"`
}

// LabelSense is who says what is in its pictures.
type LabelSense struct {
	LastAt   *time.Time     `json:"lastAt" doc:"since we started"`
	Source   string         `json:"source" enum:",camera,webhook,verifier" doc:"of the last"`
	Taken    uint64         `json:"taken" doc:"reports since we started"`
	Dropped  uint64         `json:"dropped" doc:"beyond the measure of a camera"`
	Verifier *VerifierSense `json:"verifier,omitempty" doc:"missing where none is set up"`
}

// VerifierSense is how the process does that is shown pictures of motion; one for
// all cameras.
type VerifierSense struct {
	State      string     `json:"state" enum:"idle,working,failing,noDecoder"`
	Engine     string     `json:"engine"`
	Reason     string     `json:"reason" enum:",timeout,unreachable,answer,address" doc:"why it fails"`
	AnsweredAt *time.Time `json:"answeredAt"`
	TookMillis int64      `json:"tookMillis" doc:"the last answer"`
	Waiting    int        `json:"waiting" doc:"pictures"`
	Asked      uint64     `json:"asked"`
	Dropped    uint64     `json:"dropped" doc:"pictures that it was too slow for"`
}

package web

import (
	"context"
	"encoding/base64"
	"net/http"

	"github.com/chargewatch/chargewatch/internal/store"
)

// CameraTry is an address to look at.
type CameraTry struct {
	URL, Username, Password, Fingerprint string
	UDP                                  bool
}

// CameraTried is what was found there. Reason is empty if pictures came.
type CameraTried struct {
	Reason, Detail, Fingerprint string

	Stream    *CameraStream
	Reordered bool
	JPEG      []byte // of the first picture; empty: it could not be decoded
}

type tryCameraInput struct {
	Body struct {
		URL         string `json:"url" maxLength:"500" doc:"rtsp or rtsps, without user and password"`
		Username    string `json:"username,omitempty" maxLength:"200"`
		Password    string `json:"password,omitempty" maxLength:"200"`
		UDP         bool   `json:"udp,omitempty"`
		Fingerprint string `json:"fingerprint,omitempty" maxLength:"100"`
		Camera      string `json:"camera,omitempty" maxLength:"64" doc:"use this camera's password, if it is one for that host and none is given"`
	}
}

// TriedShape is what was found at an address.
type TriedShape struct {
	OK          bool          `json:"ok" doc:"pictures came"`
	Reason      string        `json:"reason" doc:"why none came, as a code"`
	Detail      string        `json:"detail" doc:"more in words; it may hold what the camera said"`
	Fingerprint string        `json:"fingerprint" doc:"SHA-256 of a certificate that was not trusted"`
	Stream      *CameraStream `json:"stream,omitempty"`
	Reordered   bool          `json:"reordered" doc:"pictures come out of order (B-frames): not for WebRTC"`
	Picture     string        `json:"picture" doc:"the first picture as a data: URL of a JPEG; empty where no decoder is installed"`
}

type triedOutput struct{ Body TriedShape }

func (s *Server) tryCamera(ctx context.Context, in *tryCameraInput) (*triedOutput, error) {
	if s.o.Cameras == nil {
		return nil, problemf(http.StatusServiceUnavailable, "no cameras are followed here")
	}
	b := &in.Body
	if err := store.ValidCameraURL("url", b.URL); err != nil {
		return nil, err
	}
	t := CameraTry{URL: b.URL, Username: b.Username, Password: b.Password, Fingerprint: b.Fingerprint, UDP: b.UDP}
	if b.Password == "" && b.Camera != "" {
		// The password goes only where the camera is.
		if c, ok := s.o.Store.Camera(b.Camera); ok && c.SpeaksTo(b.URL) {
			var err error
			if t.Password, err = s.o.Store.CameraPassword(b.Camera); err != nil {
				return nil, err
			}
		}
	}
	if err := s.o.Store.Record(ctx, who(ctx).actor(), "camera.try", "camera/"+b.Camera, nil); err != nil {
		return nil, err
	}
	x, err := s.o.Cameras.TryCamera(ctx, t)
	if err != nil {
		return nil, err
	}
	out := TriedShape{
		OK: x.Reason == "", Reason: x.Reason, Detail: x.Detail, Fingerprint: x.Fingerprint, Stream: x.Stream, Reordered: x.Reordered,
	}
	if len(x.JPEG) > 0 {
		out.Picture = "data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(x.JPEG)
	}
	return &triedOutput{Body: out}, nil
}

package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/store"
)

// Finder asks devices what they are, by ONVIF.
type Finder interface {
	// FindCameras calls into the networks of this machine.
	FindCameras(ctx context.Context) ([]FoundCamera, error)
	// AskCamera asks one device for its streams.
	AskCamera(ctx context.Context, t CameraTry) (AskedCamera, error)
}

// FoundCamera is a device that answered.
type FoundCamera struct {
	OnvifURL string `json:"onvifUrl"`
	Name     string `json:"name" doc:"as the device says"`
	Hardware string `json:"hardware"`
	Location string `json:"location"`
	Known    string `json:"known" doc:"the camera that has this address; empty: none"`
}

// AskedCamera is what a device said. Reason is empty if it told its streams.
type AskedCamera struct {
	Reason, Detail                  string
	Vendor, Model, Firmware, Serial string
	ClockOffset                     time.Duration
	Events                          bool
	Streams                         []AskedStream
}

// AskedStream is a stream that a device offers.
type AskedStream struct {
	Name    string  `json:"name" doc:"as the device says"`
	URL     string  `json:"url" doc:"rtsp or rtsps; empty if it is refused"`
	Codec   string  `json:"codec"`
	Width   int     `json:"width"`
	Height  int     `json:"height"`
	FPS     float64 `json:"fps"`
	Refused string  `json:"refused" doc:"why its address is not taken, in words"`
}

// AskedShape is what a device said.
type AskedShape struct {
	OK                 bool          `json:"ok" doc:"it told its streams"`
	Reason             string        `json:"reason" enum:",address,unreachable,authentication,unsupported,protocol" doc:"why it did not, as a code"`
	Detail             string        `json:"detail" doc:"more in words; it may hold what the device said"`
	Vendor             string        `json:"vendor"`
	Model              string        `json:"model"`
	Firmware           string        `json:"firmware"`
	Serial             string        `json:"serial"`
	ClockOffsetSeconds float64       `json:"clockOffsetSeconds" doc:"how far its clock is ahead of ours"`
	Events             bool          `json:"events" doc:"it tells what it sees"`
	Streams            []AskedStream `json:"streams"`
}

type (
	foundOutput struct {
		Body struct {
			Items []FoundCamera `json:"items"`
		}
	}
	askedOutput   struct{ Body AskedShape }
	askCameraBody struct {
		Body struct {
			OnvifURL string `json:"onvifUrl" maxLength:"500" doc:"http or https, without user and password; without a path the usual one"`
			Username string `json:"username,omitempty" maxLength:"200"`
			Password string `json:"password,omitempty" maxLength:"200"`
			Camera   string `json:"camera,omitempty" maxLength:"64" doc:"use this camera's password, if it is one for that host and none is given"`
		}
	}
)

func (s *Server) registerFinding() {
	op := func(id, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodPost, Path: path, Summary: summary, Tags: []string{"cameras"}}
	}
	add(s, global(CamerasWrite), op("discoverCameras", "/cameras/discover", "Search the networks of this machine for cameras (ONVIF); takes 3 s"), s.discoverCameras)
	add(s, global(CamerasWrite), op("probeCamera", "/cameras/probe", "Ask a camera for its streams (ONVIF)"), s.probeCamera)
}

func (s *Server) discoverCameras(ctx context.Context, _ *struct{}) (*foundOutput, error) {
	if s.o.Finder == nil {
		return nil, problemf(http.StatusServiceUnavailable, "no cameras are followed here")
	}
	if err := s.o.Store.Record(ctx, who(ctx).actor(), "camera.discover", "", nil); err != nil {
		return nil, err
	}
	list, err := s.o.Finder.FindCameras(ctx)
	if err != nil {
		return nil, err
	}
	out := &foundOutput{}
	out.Body.Items = []FoundCamera{}
	for _, x := range list {
		for _, c := range s.o.Store.Cameras() {
			if c.SpeaksTo(x.OnvifURL) {
				x.Known = c.ID
				break
			}
		}
		out.Body.Items = append(out.Body.Items, x)
	}
	return out, nil
}

func (s *Server) probeCamera(ctx context.Context, in *askCameraBody) (*askedOutput, error) {
	if s.o.Finder == nil {
		return nil, problemf(http.StatusServiceUnavailable, "no cameras are followed here")
	}
	b := &in.Body
	if err := store.ValidDeviceURL("onvifUrl", b.OnvifURL); err != nil {
		return nil, err
	}
	t := CameraTry{URL: b.OnvifURL, Username: b.Username, Password: b.Password}
	if b.Password == "" && b.Camera != "" {
		// The password goes only where the camera is.
		if c, ok := s.o.Store.Camera(b.Camera); ok && c.SpeaksTo(b.OnvifURL) {
			var err error
			if t.Password, err = s.o.Store.CameraPassword(b.Camera); err != nil {
				return nil, err
			}
		}
	}
	if err := s.o.Store.Record(ctx, who(ctx).actor(), "camera.probe", "camera/"+b.Camera, nil); err != nil {
		return nil, err
	}
	x, err := s.o.Finder.AskCamera(ctx, t)
	if err != nil {
		return nil, err
	}
	out := AskedShape{
		OK: x.Reason == "", Reason: x.Reason, Detail: x.Detail, Vendor: x.Vendor, Model: x.Model, Firmware: x.Firmware, Serial: x.Serial,
		ClockOffsetSeconds: x.ClockOffset.Seconds(), Events: x.Events, Streams: x.Streams,
	}
	if out.Streams == nil {
		out.Streams = []AskedStream{}
	}
	return &askedOutput{Body: out}, nil
}

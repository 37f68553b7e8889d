package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

func (s *Server) registerView() {
	add(s, atCamera(CamerasWrite), huma.Operation{
		OperationID: "acceptCameraView", Method: http.MethodPost, Path: "/cameras/{camera}/view", Tags: []string{"cameras"},
		Summary: "Take what the camera shows from now on for its place", DefaultStatus: http.StatusNoContent,
		Description: "For a camera that was moved on purpose, or whose place has changed: what it showed before is forgotten, and that it was turned or covered is over.",
	}, s.acceptView)
}

func (s *Server) acceptView(ctx context.Context, in *cameraInput) (*struct{}, error) {
	if s.o.Cameras == nil || !s.o.Cameras.AcceptView(in.Camera) {
		return nil, huma.Error409Conflict("nobody looks at this camera's pictures")
	}
	return nil, s.o.Store.Record(ctx, who(ctx).actor(), "camera.view", "camera/"+in.Camera, nil)
}

package web

import (
	"context"
	"encoding/json"

	"github.com/chargewatch/chargewatch/internal/event"
)

// passCamera tells what changed about a camera, as it is now, and what it sees; false when
// the feed has ended. Addresses are not part of it.
func (h *hub) passCamera(ctx context.Context, e *event.Event, site string) bool {
	kind, shape := "camera", any(nil)
	switch e.Body.(type) {
	case *event.CameraConfigured, *event.CameraState, *event.RecordingGap:
		if c, ok := h.s.o.Store.Camera(e.Subject.ID); ok {
			shape = h.s.cameraShape(c, nil)
		}
	case *event.CameraRemoved:
		kind, shape = "cameraGone", map[string]string{"id": e.Subject.ID}
	case *event.Scene:
		kind, shape = "scene", eventShape(e)
	case *event.Labels:
		kind, shape = "labels", eventShape(e)
	case *event.Arming:
		kind, shape = "arming", h.s.armingShape(e.Subject.ID)
	}
	if shape == nil {
		return true
	}
	return h.tellNow(ctx, "cameras", kind, site, shape)
}

// CameraChanged tells the feed how a camera is, where no event does.
func (s *Server) CameraChanged(ctx context.Context, id string) {
	if c, ok := s.o.Store.Camera(id); ok {
		s.hub.tellNow(ctx, "cameras", "camera", c.SiteID, s.cameraShape(c, nil))
	}
}

// tellNow tells what is never coalesced and the same for all who may see it; false when
// the feed has ended.
func (h *hub) tellNow(ctx context.Context, topic, kind, site string, shape any) bool {
	data, err := json.Marshal(shape)
	if err != nil {
		h.s.log.WarnContext(ctx, "frame not encoded", "topic", topic, "frame", kind, "err", err)
		return true
	}
	select {
	case h.heard <- heard{topic: topic, frame: kind, site: site, urgent: true, private: site == "", whole: data, masked: data}:
		return true
	case <-h.done:
		return false
	case <-ctx.Done():
		return false
	}
}

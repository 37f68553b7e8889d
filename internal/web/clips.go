package web

import (
	"context"
	"time"
)

// Clip is a time of one camera that is kept for an incident.
type Clip struct {
	Camera   string
	From, To time.Time
}

// Clips knows what cameras saw of incidents.
type Clips interface{ ClipsOf(incident string) []Clip }

// ClipShape is a time of one camera that is kept.
type ClipShape struct {
	CameraID string    `json:"cameraId"`
	Label    string    `json:"label"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to" doc:"it may lie ahead while the incident lasts"`
	Playable bool      `json:"playable" doc:"you may see what was recorded"`
	// Labels are for those who may see the pictures.
	Labels []LabelsShape `json:"labels" doc:"what was seen in its pictures, newest first; only for those who may see them"`
}

// clipsOf lists the clips of an incident for whoever may know of its cameras.
func (s *Server) clipsOf(ctx context.Context, incident string) ([]ClipShape, error) {
	out := []ClipShape{}
	if s.o.Clips == nil {
		return out, nil
	}
	known, review := scope(ctx, CamerasRead), scope(ctx, VideoReview)
	for _, c := range s.o.Clips.ClipsOf(incident) {
		shape := ClipShape{CameraID: c.Camera, Label: c.Camera, From: c.From.UTC(), To: c.To.UTC(), Labels: []LabelsShape{}}
		// A camera that nobody knows any more belongs to those who see all.
		site := ""
		if x, ok := s.o.Store.Filmed(c.Camera); ok {
			site = x.SiteID
			if x.Label != "" {
				shape.Label = x.Label
			}
		}
		if !known.Allows(site) {
			continue
		}
		if shape.Playable = review.Allows(site); shape.Playable {
			var err error
			if shape.Labels, err = s.clipLabels(ctx, c); err != nil {
				return nil, err
			}
		}
		out = append(out, shape)
	}
	return out, nil
}

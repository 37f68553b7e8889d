package app

import (
	"context"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/clip"
	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

// clips gives incidents the pictures of their site's cameras.
type clips struct {
	*clip.Keeper
	s *Server
}

func (s *Server) newClips() *clips {
	c := &clips{s: s}
	c.Keeper = clip.New(clip.Options{Recordings: held{s.footage}, Cameras: c.recorded, Logger: s.log})
	return c
}

// recorded lists the cameras of a site that are recorded at all.
func (c *clips) recorded(site string) []string {
	var out []string
	for _, x := range c.s.Store.Cameras() {
		if x.SiteID == site && x.Record != store.RecordOff {
			out = append(out, x.ID)
		}
	}
	return out
}

// run keeps what incidents call for until ctx ends.
func (c *clips) run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { c.s.followIncidents(ctx, c.take) })
	err := c.Keeper.Run(ctx)
	wg.Wait()
	return err
}

func (c *clips) take(ctx context.Context, in *incident.Incident) {
	if in.ParentID != nil || in.OpenedAt.Before(time.Now().Add(-time.Hour)) && len(c.Of(in.ID)) == 0 {
		return // told with its parent; or from before anybody looked
	}
	x := clip.Incident{ID: in.ID, SiteID: in.SiteID, Severity: string(in.Severity), OpenedAt: in.OpenedAt}
	for _, over := range []*time.Time{in.ClosedAt, in.RepairedAt} {
		if over != nil {
			x.EndedAt = *over
		}
	}
	for _, text := range in.Subjects {
		if s, err := event.ParseSubject(text); err == nil && s.Type == event.CameraSubject {
			x.Cameras = append(x.Cameras, s.ID)
		}
	}
	c.Take(ctx, x)
}

// ClipsOf lists what is kept of an incident.
func (c *clips) ClipsOf(id string) []web.Clip {
	list := c.Of(id)
	out := make([]web.Clip, 0, len(list))
	for _, x := range list {
		out = append(out, web.Clip{Camera: x.Camera, From: x.From, To: x.To})
	}
	return out
}

// held are times of recordings that incidents keep.
type held struct{ *footage }

func (h held) Keep(c clip.Clip) error {
	return h.Hold(record.Hold{ID: c.ID(), Camera: c.Camera, From: c.From, To: c.To, Class: record.Incident, Reason: c.Incident})
}

func (h held) Record(camera string, until time.Time) { h.Trigger(camera, until) }

func (h held) Kept() []clip.Clip {
	var out []clip.Clip
	seen := make(map[string]bool)
	for _, src := range h.Sources() {
		if seen[src.Camera] {
			continue
		}
		seen[src.Camera] = true
		for _, x := range h.Holds(src.Camera) {
			if incident, camera, err := clip.ParseID(x.ID); err == nil {
				out = append(out, clip.Clip{Incident: incident, Camera: camera, From: x.From, To: x.To})
			}
		}
	}
	return out
}

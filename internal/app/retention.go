package app

import (
	"context"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera"
	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/camera/stream"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

// forgetEvery is how often is looked whether something is left of removed cameras.
const forgetEvery = 10 * time.Minute

// limits are what people decided about keeping.
func (f *footage) limits() record.Limits {
	out := record.Limits{Cameras: make(map[string]record.Keep), Sites: make(map[string]int64), Bytes: f.s.Store.Retention("").Bytes}
	for _, c := range f.s.Store.Cameras() {
		out.Cameras[c.ID] = f.keep(c)
	}
	for _, x := range f.s.Store.RemovedCameras() {
		keep := f.keep(&x.Camera)
		keep.Removed = true
		out.Cameras[x.ID] = keep
	}
	for _, r := range f.s.Store.SiteRetentions() {
		out.Sites[r.SiteID] = r.Bytes
	}
	return out
}

func (f *footage) keep(c *store.Camera) record.Keep {
	r := f.s.Store.Kept(c)
	promised := daysOf(r.Days)
	return record.Keep{Site: c.SiteID, Continuous: promised, Event: promised, Incident: daysOf(r.IncidentDays), Bytes: r.Bytes}
}

func daysOf(n float64) time.Duration { return time.Duration(n * float64(24*time.Hour)) }

// rate is what a camera that is always recorded will write in a day, by the bit
// rate of now; zero while nothing is heard of it.
func (f *footage) rate(id string) float64 {
	x, ok := f.s.cameras.Camera(id)
	c, set := f.s.Store.Camera(id)
	if !ok || !set || c.Record != store.RecordContinuous {
		return 0
	}
	bits := x.Main.BitsPerSecond
	if x.Main.Format != nil && x.Main.Format.Codec == stream.H265 {
		bits += x.Sub.BitsPerSecond // recorded beside it
	}
	return bits / 8 * (24 * time.Hour).Seconds()
}

// adopt notes cameras of which there are recordings and which nobody knows, as the
// journal knows them.
func (f *footage) adopt(ctx context.Context) {
	for _, src := range f.Sources() {
		if _, known := f.s.Store.Filmed(src.Camera); known || src.Stream != camera.Main {
			continue
		}
		list, err := f.Segments(ctx, src, time.Unix(0, 0), time.Now(), 1)
		if err != nil || len(list) == 0 {
			continue // nothing is left of it
		}
		c, at := store.Camera{ID: src.Camera}, time.Now()
		events, _, err := f.s.Journal.Events(ctx, journal.EventQuery{
			Subject: event.Camera(src.Camera), Kinds: []event.Kind{event.KindCameraConfigured, event.KindCameraRemoved}, Limit: 10,
		})
		if err != nil {
			f.s.log.WarnContext(ctx, "what is known of a removed camera cannot be read", "camera", src.Camera, "err", err)
		}
		for _, e := range slices.Backward(events) {
			switch b := e.Body.(type) {
			case *event.CameraConfigured:
				c.SiteID, c.Label = b.SiteID, b.Label
			case *event.CameraRemoved:
				at = e.At
			}
		}
		if err := f.s.Store.NoteRemoved(ctx, c, at); err != nil && ctx.Err() == nil {
			f.s.log.WarnContext(ctx, "a removed camera is not noted", "camera", src.Camera, "err", err)
		}
	}
}

// forget forgets removed cameras of which nothing is left.
func (f *footage) forget(ctx context.Context) {
	for _, x := range f.s.Store.RemovedCameras() {
		u, measured := f.Usage(x.ID)
		if time.Since(x.At) < forgetEvery || measured && u.Bytes > 0 {
			continue
		}
		if err := f.s.Store.ForgetCamera(ctx, x.ID); err != nil && ctx.Err() == nil {
			f.s.log.WarnContext(ctx, "a removed camera is not forgotten", "camera", x.ID, "err", err)
		}
	}
}

var _ web.Keeping = (*footage)(nil)

// VideoSpace is what recordings take and how much may be added.
func (f *footage) VideoSpace() (web.VideoSpace, error) {
	free, total, _, err := f.s.guard.Room()
	if err != nil {
		return web.VideoSpace{}, err
	}
	bytes, room, err := f.Video()
	return web.VideoSpace{Bytes: bytes, FreeBytes: int64(free), TotalBytes: int64(total), RoomBytes: max(room, 0)}, err
}

// HeldTimes is how many times of a camera are held.
func (f *footage) HeldTimes(id string) int { return len(f.Holds(id)) }

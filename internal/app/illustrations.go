package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/chargewatch/chargewatch/internal/camera/clip"
	"github.com/chargewatch/chargewatch/internal/camera/decode"
	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/notify"
)

// illustrations are pictures of incidents for messages.
type illustrations struct{ s *Server }

var _ notify.Pictures = illustrations{}

// Has reports whether cameras saw something of an incident.
func (x illustrations) Has(id string) bool { return len(x.s.clips.Of(id)) > 0 }

// Picture is the key picture of when it began, of the camera that it is about or
// else the first of its site. Private parts are hidden: nobody knows who reads it.
func (x illustrations) Picture(ctx context.Context, id string) (notify.Picture, error) {
	in, err := x.s.live.Incident(ctx, id)
	if err != nil {
		return notify.Picture{}, err
	}
	clips := x.s.clips.Of(id)
	if len(clips) == 0 {
		return notify.Picture{}, record.ErrNotFound
	}
	if err := x.s.cameras.pool.Missing(); err != nil {
		return notify.Picture{}, err
	}
	best := max(slices.IndexFunc(clips, func(c clip.Clip) bool { return slices.Contains(in.Subjects, event.Camera(c.Camera).String()) }), 0)
	camera := clips[best].Camera
	u, err := x.s.footage.Keyframe(ctx, record.Source{Camera: camera, Stream: "main"}, in.OpenedAt)
	if err != nil {
		return notify.Picture{}, fmt.Errorf("picture of camera %s: %w", camera, err)
	}
	out := notify.Picture{Camera: camera, At: u.At}
	c, ok := x.s.Store.Filmed(camera)
	if !ok {
		return notify.Picture{}, record.ErrNotFound // what is private in it is not known
	}
	out.Camera = strings.TrimSpace(c.Label)
	look := decode.Look{Width: 1024, Quality: 75, Hide: masks(c.Private())}
	out.JPEG, err = x.s.cameras.pool.Show(ctx, "", u, look)
	return out, err
}

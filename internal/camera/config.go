package camera

import (
	"context"
	"slices"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// The streams of a camera.
const (
	Main = "main" // what is kept for evidence
	Sub  = "sub"  // smaller, for walls and for watching motion
)

// Recording says what is kept of a camera's pictures.
type Recording string

// The ways to record.
const (
	Continuous Recording = "continuous"
	OnEvent    Recording = "event"
	Never      Recording = "off"
)

// Config is what people decided about a camera.
type Config struct {
	ID, SiteID, Label string
	Main              stream.Target
	Sub               stream.Target // without URL: there is none
	Recording         Recording
	// Zones of its picture, for those who look at it.
	Zones []Zone
}

// Zone is a polygon in the picture, from 0 to 1 on both axes.
type Zone struct {
	ID, Label, Kind string // watch, ignore, privacy
	Polygon         [][2]float64
	Ports, Doors    []string
}

// target is that of a stream.
func (c Config) target(name string) stream.Target {
	if name == Sub {
		return c.Sub
	}
	return c.Main
}

// followedAlike reports whether taps need not be told of a change.
func (c Config) followedAlike(o Config) bool {
	return c.SiteID == o.SiteID && c.Recording == o.Recording && slices.EqualFunc(c.Zones, o.Zones, sameZone)
}

func sameZone(a, b Zone) bool {
	return a.ID == b.ID && a.Label == b.Label && a.Kind == b.Kind && slices.Equal(a.Polygon, b.Polygon) &&
		slices.Equal(a.Ports, b.Ports) && slices.Equal(a.Doors, b.Doors)
}

// Tap follows cameras all the time: the recorder, the eyes for motion.
type Tap interface {
	// Wants says whether it follows a stream of this camera.
	Wants(c Config, stream string) bool
	// Follow runs until ctx ends. It is called anew when the camera's configuration
	// has changed.
	Follow(ctx context.Context, c Config, stream string, hub *stream.Hub)
}

// Recorder says what becomes of the pictures.
type Recorder interface {
	// Recorded is how many bytes were written of a camera so far, whether pictures are
	// to be written now, and why they are not, as a code.
	Recorded(camera string) (bytes uint64, wanted bool, reason string)
}

// Package clip keeps what cameras saw of an incident: from ten seconds before it
// began to half a minute after, and for longer while it lasts.
//
// It decides which time of which camera is held; the recordings themselves keep
// it from being removed. What it decided follows from the incident alone, so that
// a restart decides the same again.
package clip

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	before = 10 * time.Second
	after  = 30 * time.Second
	// step is how far a clip grows at a time, beat how often that is looked at.
	step = time.Minute
	beat = 5 * time.Second
	// forgetEvery is how often clips are forgotten that nothing holds any more.
	forgetEvery = time.Hour
	// maxCameras bounds how many cameras of a site an incident gathers.
	maxCameras = 16
)

// Incident is what matters of one.
type Incident struct {
	ID       string
	SiteID   string
	Severity string
	OpenedAt time.Time
	// EndedAt is when the trouble was over: repaired or closed; zero while it lasts.
	EndedAt time.Time
	// Cameras that it is about come first.
	Cameras []string
}

// longest is how long a clip may become: a port that is out of order for days
// shows nothing new.
func (in *Incident) longest() time.Duration {
	switch in.Severity {
	case "S1":
		return 30 * time.Minute
	case "S2":
		return 10 * time.Minute
	case "S3":
		return 0
	}
	return -1 // none at all
}

// Clip is a time of one camera that an incident keeps.
type Clip struct {
	Incident string
	Camera   string
	From, To time.Time
}

// ID names it among all that is held.
func (c *Clip) ID() string { return prefix(c.Incident) + c.Camera }

func prefix(incident string) string { return "incident/" + incident + "/" }

// Recordings keeps times from being removed and, where only events are recorded,
// records them.
type Recordings interface {
	// Keep holds the time of a clip; one of the same ID is changed.
	Keep(c Clip) error
	// Kept lists what is held for incidents: their ids and times.
	Kept() []Clip
	// Record asks a camera that records events only to do so until then.
	Record(camera string, until time.Time)
}

// Options say what a Keeper works with.
type Options struct {
	Recordings Recordings
	// Cameras lists those of a site that are recorded.
	Cameras func(site string) []string
	Logger  *slog.Logger
	Now     func() time.Time // default: time.Now
}

// Keeper keeps clips. Take may be called from any goroutine.
type Keeper struct {
	o Options

	mu    sync.Mutex
	lasts map[string]Incident        // that go on and whose clips may grow
	clips map[string]map[string]Clip // by incident, by camera
}

// New makes a keeper that knows what is held already.
func New(o Options) *Keeper {
	if o.Now == nil {
		o.Now = time.Now
	}
	k := &Keeper{o: o, lasts: make(map[string]Incident), clips: make(map[string]map[string]Clip)}
	for _, c := range o.Recordings.Kept() {
		k.note(c)
	}
	return k
}

func (k *Keeper) note(c Clip) {
	if k.clips[c.Incident] == nil {
		k.clips[c.Incident] = make(map[string]Clip)
	}
	k.clips[c.Incident][c.Camera] = c
}

// Run lets clips grow until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	t, f := time.NewTicker(beat), time.NewTicker(forgetEvery)
	defer t.Stop()
	defer f.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			k.grow(ctx)
		case <-f.C:
			k.forget()
		}
	}
}

// forget drops the clips that the recordings hold no longer: their time is over.
func (k *Keeper) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	held := make(map[string]bool)
	for _, c := range k.o.Recordings.Kept() {
		held[c.ID()] = true
	}
	for incident, clips := range k.clips {
		if _, lasts := k.lasts[incident]; lasts {
			continue
		}
		for camera, c := range clips {
			if !held[c.ID()] {
				delete(clips, camera)
			}
		}
		if len(clips) == 0 {
			delete(k.clips, incident)
		}
	}
}

func (k *Keeper) grow(ctx context.Context) {
	k.mu.Lock()
	lasting := make([]Incident, 0, len(k.lasts))
	for _, in := range k.lasts {
		lasting = append(lasting, in)
	}
	k.mu.Unlock()
	for i := range lasting {
		k.Take(ctx, lasting[i])
	}
}

// Take looks at an incident as it is now.
func (k *Keeper) Take(ctx context.Context, in Incident) {
	if in.SiteID == "" || in.longest() < 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.o.Now()
	until, final := end(&in, now)
	if final {
		delete(k.lasts, in.ID)
	} else {
		k.lasts[in.ID] = in
	}
	for _, camera := range k.cameras(&in) {
		c := Clip{Incident: in.ID, Camera: camera, From: in.OpenedAt.Add(-before), To: until}
		if old, known := k.clips[in.ID][camera]; known {
			if !c.To.After(old.To) {
				continue
			}
			c.From = old.From
		}
		if err := k.o.Recordings.Keep(c); err != nil {
			k.o.Logger.WarnContext(ctx, "clip not kept", "incident", in.ID, "camera", camera, "err", err)
			continue
		}
		k.note(c)
		if c.To.After(now) {
			k.o.Recordings.Record(camera, c.To)
		}
	}
}

// cameras are those that show the incident: its own first. Once it has clips, no
// camera that came to the site later joins.
func (k *Keeper) cameras(in *Incident) []string {
	if has := k.clips[in.ID]; len(has) > 0 {
		out := make([]string, 0, len(has))
		for camera := range has {
			out = append(out, camera)
		}
		slices.Sort(out)
		return out
	}
	out := slices.Clone(in.Cameras)
	for _, camera := range k.o.Cameras(in.SiteID) {
		if !slices.Contains(out, camera) {
			out = append(out, camera)
		}
	}
	return out[:min(len(out), maxCameras)]
}

// end is how far the clips of an incident go as of now, and whether they stay so.
func end(in *Incident, now time.Time) (until time.Time, final bool) {
	least, most := in.OpenedAt.Add(after), in.OpenedAt.Add(max(in.longest(), after))
	switch {
	case !in.EndedAt.IsZero():
		until, final = in.EndedAt.Add(after), true
	case now.Before(least):
		until = least
	default: // a little ahead, so that not every look is a change
		until = in.OpenedAt.Add((now.Sub(in.OpenedAt) + after).Truncate(step) + step)
	}
	if until.Before(least) {
		until = least
	}
	if !until.Before(most) {
		return most, true
	}
	return until, final
}

// Of lists the clips of an incident by camera.
func (k *Keeper) Of(incident string) []Clip {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := make([]Clip, 0, len(k.clips[incident]))
	for _, c := range k.clips[incident] {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Clip) int { return strings.Compare(a.Camera, b.Camera) })
	return out
}

// ErrID is returned for what names no clip.
var ErrID = errors.New("not the id of a clip")

// ParseID reads what ID made.
func ParseID(id string) (incident, camera string, err error) {
	rest, ok := strings.CutPrefix(id, "incident/")
	i := strings.LastIndexByte(rest, '/')
	if !ok || i <= 0 || i == len(rest)-1 {
		return "", "", ErrID
	}
	return rest[:i], rest[i+1:], nil
}

package app

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/disk"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

// storageFor is how long a measurement counts: it reads some thousand rows.
const storageFor = time.Minute

// measured keeps the newest measurement of the data folder.
type storageMeasure struct {
	mu   sync.Mutex
	last web.Storage
}

// Storage measures what is kept and forecasts when the disk is full.
// docs/ops/storage.md has the formula.
func (y system) Storage(ctx context.Context) (web.Storage, error) {
	m := &y.s.storage
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if now.Sub(m.last.At).Abs() < storageFor {
		return m.last, nil
	}
	found, err := y.s.measureStorage(ctx, now)
	if err == nil {
		m.last = found
	}
	return found, err
}

func (s *Server) measureStorage(ctx context.Context, now time.Time) (web.Storage, error) {
	out := web.Storage{At: now.UTC()}
	core, err := sqlite.Measure(ctx, s.db, s.Config.Data, now)
	if err != nil {
		return out, err
	}
	curves, err := s.Telemetry.Usage(ctx, now)
	if err != nil {
		return out, err
	}
	ring := s.frames.Usage(now)
	free, total, room, err := s.guard.Room()
	if err != nil {
		return out, err
	}
	keep := s.Journal.Kept()
	f := forecast{known: true, room: float64(room) + float64(core.Free)}
	other := core.Bytes
	for _, c := range append(core.Classes, core.Sessions) {
		class, setting, kept := string(c.Class), "retention.events", keep.History
		switch c.Class {
		case journal.ClassMeter:
			setting, kept = "", keep.Meter
		case journal.ClassSecurity:
			setting, kept = "", keep.Security
		case journal.ClassForever:
			setting, kept = "", 0
		case "":
			class = "sessions"
		}
		other -= c.Bytes
		f.add(&out, web.StorageClass{Class: class, Bytes: c.Bytes, OldestAt: orNil(c.OldestAt), Setting: setting}, kept, 0, c.PerDay, c.Over)
	}
	f.add(&out, web.StorageClass{Class: "telemetry", Bytes: curves.Bytes, OldestAt: orNil(curves.OldestAt), Setting: "retention.telemetry"},
		curves.Keep, curves.KeepMax, curves.PerDay, curves.Over)
	f.add(&out, web.StorageClass{Class: "frames", Bytes: ring.Bytes, OldestAt: orNil(ring.OldestAt), Setting: "retention.framesAge"},
		ring.MaxAge, ring.MaxBytes, ring.PerDay, ring.Over)
	s.forecastVideo(&f, &out, now)
	// What is neither events nor sessions: people, places, checkpoints and the
	// pages that are free for new rows. It hardly grows.
	out.Classes = append(out.Classes, web.StorageClass{Class: "other", Bytes: max(other, 0)})
	out.Disk = web.StorageDisk{
		FreeBytes: int64(free), TotalBytes: int64(total), RoomBytes: int64(room), Known: f.known, Stage: s.guard.Stage().String(),
	}
	// Recordings give way before anything else, so they never fill the disk: what
	// they would take is room for all else, but then they stay for less than promised.
	if days, full := disk.Days(f.room+f.yields, f.all); full && f.known {
		out.Disk.FullAt = after(now, days)
	}
	if days, full := disk.Days(f.video, slices.Concat(f.all, f.films)); full && len(f.films) > 0 {
		out.Disk.VideoShortAt = after(now, days)
	}
	return out, nil
}

func after(now time.Time, days float64) *time.Time {
	return new(now.Add(time.Duration(days * float64(24*time.Hour))).UTC().Truncate(time.Hour))
}

// forecastVideo counts recordings: measured by camera, else by the bit rate.
func (s *Server) forecastVideo(f *forecast, out *web.Storage, now time.Time) {
	c := web.StorageClass{Class: "video", Setting: "cameras"}
	var oldest time.Time
	var perDay, steady float64
	var keep time.Duration
	unknown := false
	for camera, k := range s.footage.limits().Cameras {
		u, ok := s.footage.Usage(camera)
		x, set := s.Store.Camera(camera)
		if !ok {
			unknown = unknown || !k.Removed
			continue
		}
		c.Bytes += u.Bytes
		if !u.OldestAt.IsZero() && (oldest.IsZero() || u.OldestAt.Before(oldest)) {
			oldest = u.OldestAt
		}
		if !k.Removed {
			keep = max(keep, k.Continuous)
		}
		f.yields += float64(u.Bytes - u.Held)
		if u.PerDay == 0 {
			unknown = unknown || set && x.Record == store.RecordContinuous
			steady += float64(u.Held)
			continue
		}
		g := disk.Growth{Bytes: float64(u.Bytes), PerDay: u.PerDay, Keep: u.Wanted}
		perDay, steady = perDay+u.PerDay, steady+disk.Steady([]disk.Growth{g})
		f.films = append(f.films, g)
	}
	c.OldestAt = orNil(oldest)
	if keep > 0 {
		c.KeepSeconds = new(int64(keep.Seconds()))
	}
	if most := s.Store.Retention("").Bytes; most > 0 {
		c.MaxBytes = new(most)
	}
	if perDay > 0 && !unknown {
		c.PerDayBytes, c.SteadyBytes = new(math.Round(perDay)), new(math.Round(steady))
		c.MeasuredSeconds = int64(min(now.Sub(oldest), 24*time.Hour).Seconds())
		if oldest.IsZero() {
			c.MeasuredSeconds = 0
		}
	}
	if _, room, err := s.footage.Video(); err == nil {
		f.video = float64(max(room, 0))
	} else {
		f.films = nil
	}
	if c.Bytes > 0 || len(f.films) > 0 || unknown {
		out.Classes = append(out.Classes, c)
	}
}

// forecast gathers what grows.
type forecast struct {
	all   []disk.Growth
	room  float64
	known bool

	films  []disk.Growth // recordings, which give way to the rest
	yields float64       // bytes that they would give
	video  float64       // room until they have to
}

func (f *forecast) add(out *web.Storage, c web.StorageClass, keep time.Duration, most int64, perDay float64, over time.Duration) {
	if keep > 0 {
		c.KeepSeconds = new(int64(keep.Seconds()))
	}
	if most > 0 {
		c.MaxBytes = new(most)
	}
	g := disk.Growth{Bytes: float64(c.Bytes), PerDay: perDay, Keep: keep, Max: float64(most)}
	if over > 0 {
		c.PerDayBytes, c.MeasuredSeconds = new(math.Round(perDay)), int64(over.Seconds())
		if steady := disk.Steady([]disk.Growth{g}); !math.IsInf(steady, 1) {
			c.SteadyBytes = new(math.Round(steady))
		}
	} else if rest := float64(most - c.Bytes); most > 0 && rest < f.room/2 {
		f.room -= max(rest, 0) // a ring too young to measure will be full one day
	} else if c.Class != "sessions" || c.Bytes > 0 {
		f.known = false
	}
	f.all = append(f.all, g)
	out.Classes = append(out.Classes, c)
}

func orNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

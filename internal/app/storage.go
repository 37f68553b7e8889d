package app

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/disk"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
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
	// What is neither events nor sessions: people, places, checkpoints and the
	// pages that are free for new rows. It hardly grows.
	out.Classes = append(out.Classes, web.StorageClass{Class: "other", Bytes: max(other, 0)})
	out.Disk = web.StorageDisk{
		FreeBytes: int64(free), TotalBytes: int64(total), RoomBytes: int64(room), Known: f.known, Stage: s.guard.Stage().String(),
	}
	if days, full := disk.Days(f.room, f.all); full && f.known {
		out.Disk.FullAt = new(now.Add(time.Duration(days * float64(24*time.Hour))).UTC().Truncate(time.Hour))
	}
	return out, nil
}

// forecast gathers what grows.
type forecast struct {
	all   []disk.Growth
	room  float64
	known bool
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

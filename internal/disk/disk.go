// Package disk watches the free space under the data folder and gives way in
// stages, so that what must not be lost can still be written when all else has
// filled the disk.
//
// It promises that a reserve file holds space that only the last stages free,
// that stages are entered and left in order with room between, and that each
// change is told once.
package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"
)

// Stage is how far we have given way.
type Stage int

// The stages. Each includes those before it.
const (
	Fine          Stage = iota
	StopClips           // no new video clips
	ShortenCurves       // telemetry keeps less history
	FreeReserve         // the reserve file is gone; the journal lives on it
	StopAccepting       // no new connections
)

func (s Stage) String() string {
	return [...]string{"fine", "stop clips", "shorten curves", "free reserve", "stop accepting"}[min(max(s, Fine), StopAccepting)]
}

// Space says how much there is.
type Space interface {
	Free() (free, total uint64, err error)
}

// ReserveName is the file whose space is kept for the journal.
const ReserveName = "reserve"

// Options configures a Guard. The zero value is usable.
type Options struct {
	Logger  *slog.Logger  // default: discard
	Space   Space         // default: the file system of the folder
	Reserve int64         // bytes; default 256 MiB
	Every   time.Duration // default 5 s
	// Changed is told each change of stage, from Run's goroutine.
	Changed func(Stage)
}

// Guard watches one folder.
type Guard struct {
	root *os.Root
	o    Options

	mu    sync.Mutex
	stage Stage
}

// New returns a guard that is idle until Check or Run is called.
func New(folder *os.Root, o Options) *Guard {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Space == nil {
		o.Space = fileSystem(folder.Name())
	}
	if o.Reserve <= 0 {
		o.Reserve = 256 << 20
	}
	if o.Every <= 0 {
		o.Every = 5 * time.Second
	}
	if o.Changed == nil {
		o.Changed = func(Stage) {}
	}
	return &Guard{root: folder, o: o}
}

// Stage returns the stage of the last check.
func (g *Guard) Stage() Stage {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.stage
}

// Run checks again and again until ctx ends.
func (g *Guard) Run(ctx context.Context) error {
	tick := time.NewTicker(g.o.Every)
	defer tick.Stop()
	for {
		if err := g.Check(); err != nil {
			g.o.Logger.WarnContext(ctx, "cannot watch the disk", "err", err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// limit is the free space below which a stage is entered: a part of the disk,
// but never more than a fixed amount, for large disks.
func limit(s Stage, total uint64) uint64 {
	const mi, gi = 1 << 20, 1 << 30
	switch s {
	case StopClips:
		return min(total/10, 8*gi)
	case ShortenCurves:
		return min(total/20, 4*gi)
	case FreeReserve:
		return min(total/50, 512*mi)
	case StopAccepting:
		return min(total/100, 128*mi)
	}
	return 0
}

// Check looks once and acts.
func (g *Guard) Check() error {
	free, total, err := g.o.Space.Free()
	if err != nil {
		return fmt.Errorf("free space: %w", err)
	}
	was := g.Stage()
	now := was
	for now < StopAccepting && free < limit(now+1, total) {
		now++
	}
	// A stage is left when there is a quarter more than where it began.
	for now > Fine && free >= limit(now, total)+limit(now, total)/4 {
		now--
	}
	if now >= FreeReserve {
		err = g.release()
	} else if free > limit(ShortenCurves, total)+uint64(g.o.Reserve) {
		err = g.keep()
	}
	g.mu.Lock()
	g.stage = now
	g.mu.Unlock()
	if now != was {
		g.o.Logger.Warn("disk space changed stage", "stage", now.String(), "was", was.String(), "free", free, "total", total)
		g.o.Changed(now)
	}
	return err
}

// release gives the reserve back to the file system.
func (g *Guard) release() error {
	if err := g.root.Remove(ReserveName); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("release the reserve: %w", err)
	}
	return nil
}

// keep makes the reserve file if it is not there in full.
func (g *Guard) keep() error {
	f, err := g.root.OpenFile(ReserveName, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("make the reserve: %w", err)
	}
	info, err := f.Stat()
	if err == nil && info.Size() < g.o.Reserve {
		err = allocate(f, g.o.Reserve)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("make the reserve: %w", err)
	}
	return nil
}

// fill writes zeros where the file system cannot allocate.
func fill(f *os.File, size int64) error {
	block := make([]byte, 1<<20)
	for at := int64(0); at < size; at += int64(len(block)) {
		if _, err := f.WriteAt(block[:min(int64(len(block)), size-at)], at); err != nil {
			return err
		}
	}
	return f.Sync()
}

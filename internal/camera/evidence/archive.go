package evidence

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/camera/segment"
)

// State is how far a pack is.
type State string

// The states of a pack.
const (
	Queued  State = "queued"
	Running State = "running"
	Done    State = "done"
	Failed  State = "failed"
)

// Errors that callers tell apart.
var (
	ErrUnknown = errors.New("no such pack")
	ErrBusy    = errors.New("too many packs are being made")
	ErrFull    = errors.New("the archive of evidence is full")
)

// Bounds of the archive.
const (
	maxJobs    = 10_000
	maxWaiting = 32
	maxCameras = 64
)

// Job is a pack that was asked for.
type Job struct {
	Request  Request   `json:"request"`
	State    State     `json:"state"`
	AskedAt  time.Time `json:"askedAt"`
	DoneAt   time.Time `json:"doneAt,omitzero"`
	Problem  string    `json:"problem,omitempty"` // nothing, disk or failed
	Bytes    int64     `json:"bytes,omitempty"`
	Segments int       `json:"segments,omitempty"`
	// Lacking is how many links of chains were missing or changed.
	Lacking int         `json:"lacking,omitempty"`
	Sum     segment.Sum `json:"sum,omitzero"` // SHA-256 of the pack
	Links   []Link      `json:"links,omitempty"`
}

// Archive makes packs one after the other and keeps them.
type Archive struct {
	dir   *os.Root
	store *record.Store
	maker *Exporter
	log   *slog.Logger
	queue chan string

	mu   sync.Mutex
	jobs map[string]*Job
}

const (
	archiveFolder = "evidence"
	jobName       = "job.json"
	packName      = "pack.zip"
)

// OpenArchive opens the archive in a data folder.
func OpenArchive(data *os.Root, maker *Exporter, log *slog.Logger) (*Archive, error) {
	if err := data.Mkdir(archiveFolder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make the folder of evidence: %w", err)
	}
	dir, err := data.OpenRoot(archiveFolder)
	if err != nil {
		return nil, fmt.Errorf("open the folder of evidence: %w", err)
	}
	a := &Archive{dir: dir, store: maker.Store, maker: maker, log: log, queue: make(chan string, maxWaiting), jobs: make(map[string]*Job)}
	entries, err := fs.ReadDir(dir.FS(), ".")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("list the folder of evidence: %w", err), dir.Close())
	}
	for _, e := range entries {
		b, err := dir.ReadFile(path.Join(e.Name(), jobName))
		var j Job
		if err == nil {
			err = json.Unmarshal(b, &j)
		}
		if err != nil || j.Request.ID != e.Name() {
			log.Warn("a folder of evidence cannot be read", "folder", e.Name(), "err", err)
			continue
		}
		a.jobs[j.Request.ID] = &j
		if j.State == Queued || j.State == Running {
			j.State = Queued
			select {
			case a.queue <- j.Request.ID:
			default:
				j.State, j.Problem = Failed, "failed"
			}
		}
	}
	return a, nil
}

// Close closes the archive.
func (a *Archive) Close() error { return a.dir.Close() }

// Ask asks for a pack. What it is to hold stays until then and after.
func (a *Archive) Ask(r Request) (Job, error) {
	switch {
	case r.To.Sub(r.From) > Longest || !r.To.After(r.From):
		return Job{}, ErrTooLong
	case len(r.Cameras) == 0 || len(r.Cameras) > maxCameras:
		return Job{}, ErrNothing
	}
	r.ID = "ev-" + strings.ToLower(rand.Text()[:12])
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.jobs) >= maxJobs {
		return Job{}, ErrFull
	}
	if len(a.queue) == cap(a.queue) {
		return Job{}, ErrBusy
	}
	for _, c := range r.Cameras {
		if err := a.store.Hold(record.Hold{
			ID: "evidence/" + r.ID + "/" + c.Camera, Camera: c.Camera, From: r.From, To: r.To, Class: record.Evidence, Reason: r.ID,
		}); err != nil {
			return Job{}, err
		}
	}
	j := &Job{Request: r, State: Queued, AskedAt: a.maker.Now().UTC()}
	if err := a.dir.Mkdir(r.ID, 0o700); err != nil {
		return Job{}, fmt.Errorf("make a folder of evidence: %w", err)
	}
	if err := a.keep(j); err != nil {
		return Job{}, err
	}
	a.jobs[r.ID] = j
	a.queue <- r.ID
	return j.copy(), nil
}

func (j *Job) copy() Job {
	out := *j
	out.Links = slices.Clone(j.Links)
	return out
}

// keep writes how far a pack is; the caller holds mu.
func (a *Archive) keep(j *Job) error {
	b, err := json.Marshal(j)
	if err != nil {
		return fmt.Errorf("write a job: %w", err)
	}
	name := path.Join(j.Request.ID, jobName)
	f, err := a.dir.OpenFile(name+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write a job: %w", err)
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write a job: %w", err)
	}
	if err := a.dir.Rename(name+".new", name); err != nil {
		return fmt.Errorf("write a job: %w", err)
	}
	return nil
}

// Job returns one pack.
func (a *Archive) Job(id string) (Job, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	j := a.jobs[id]
	if j == nil {
		return Job{}, false
	}
	return j.copy(), true
}

// Jobs lists all, the newest first.
func (a *Archive) Jobs() []Job {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := make([]Job, 0, len(a.jobs))
	for _, j := range a.jobs {
		out = append(out, j.copy())
	}
	slices.SortFunc(out, func(x, y Job) int {
		return cmp.Or(y.AskedAt.Compare(x.AskedAt), cmp.Compare(y.Request.ID, x.Request.ID))
	})
	return out
}

// Open opens a pack that is done. Whoever opens closes it.
func (a *Archive) Open(id string) (*os.File, error) {
	if j, ok := a.Job(id); !ok || j.State != Done {
		return nil, ErrUnknown
	}
	f, err := a.dir.Open(path.Join(id, packName))
	if err != nil {
		return nil, fmt.Errorf("open a pack: %w", err)
	}
	return f, nil
}

// Run makes packs until ctx ends.
func (a *Archive) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case id := <-a.queue:
			a.make(ctx, id)
		}
	}
}

// change changes a job and keeps it.
func (a *Archive) change(id string, do func(*Job)) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	j := a.jobs[id]
	if j == nil {
		return ErrUnknown
	}
	next := j.copy()
	do(&next)
	if err := a.keep(&next); err != nil {
		return err
	}
	*j = next
	return nil
}

func (a *Archive) make(ctx context.Context, id string) {
	note := func(do func(*Job)) {
		if err := a.change(id, do); err != nil {
			a.log.ErrorContext(ctx, "the state of a pack cannot be kept", "pack", id, "err", err)
		}
	}
	note(func(j *Job) { j.State = Running })
	j, _ := a.Job(id)
	m, sum, size, err := a.write(ctx, j.Request)
	if ctx.Err() != nil {
		return // it is made after the next start
	}
	if err != nil {
		a.log.WarnContext(ctx, "a pack of evidence was not made", "pack", id, "err", err)
		problem := "failed"
		if errors.Is(err, ErrNothing) {
			problem = "nothing"
		}
		note(func(j *Job) { j.State, j.Problem, j.DoneAt = Failed, problem, a.maker.Now().UTC() })
		return
	}
	note(func(j *Job) {
		j.State, j.DoneAt, j.Bytes, j.Sum, j.Segments, j.Lacking = Done, a.maker.Now().UTC(), size, sum, 0, 0
		for _, s := range m.Streams {
			j.Segments += len(s.Segments)
			for _, x := range s.Missing {
				j.Lacking += int(x.Last - x.First + 1)
			}
			for _, g := range s.Segments {
				if g.Found != nil {
					j.Lacking++
				}
			}
		}
	})
}

// write writes a pack under another name first.
func (a *Archive) write(ctx context.Context, r Request) (*Manifest, segment.Sum, int64, error) {
	name := path.Join(r.ID, packName)
	f, err := a.dir.OpenFile(name+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, segment.Sum{}, 0, fmt.Errorf("begin a pack: %w", err)
	}
	sum := sha256.New()
	count := &counter{}
	m, err := a.maker.Write(ctx, io.MultiWriter(f, sum, count), r)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = a.dir.Rename(name+".new", name)
	}
	if err != nil {
		return nil, segment.Sum{}, 0, errors.Join(err, a.dir.Remove(name+".new"))
	}
	return m, sumOf(sum), count.n, nil
}

type counter struct{ n int64 }

func (c *counter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return len(b), nil
}

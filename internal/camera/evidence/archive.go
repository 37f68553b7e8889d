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
	"syscall"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/area"
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
	Deleted State = "deleted" // by a person; who, when and why stays
)

// Errors that callers tell apart.
var (
	ErrUnknown = errors.New("no such pack")
	ErrBusy    = errors.New("too many packs are being made")
	ErrFull    = errors.New("the archive of evidence is full")
	ErrDerived = errors.New("only a pack of recordings that is done can be painted over")
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
	Problem  string    `json:"problem,omitempty"` // nothing, disk, mask or failed
	Bytes    int64     `json:"bytes,omitempty"`
	Segments int       `json:"segments,omitempty"`
	// Lacking is how many links of chains were missing or changed.
	Lacking  int         `json:"lacking,omitempty"`
	Sum      segment.Sum `json:"sum,omitzero"`      // SHA-256 of the pack
	Manifest segment.Sum `json:"manifest,omitzero"` // and of its manifest
	Links    []Link      `json:"links,omitempty"`
	// Deletion is by whom, when and why the pack was deleted and its recordings let go.
	Deletion *Deletion `json:"deletion,omitempty"`
	// DoneBytes of TotalBytes are written while it is made.
	DoneBytes  int64 `json:"-"`
	TotalBytes int64 `json:"-"`
}

// Deletion is the end of a pack.
type Deletion struct {
	By     string    `json:"by"`
	ByName string    `json:"byName,omitempty"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

// Archive makes packs one after the other and keeps them.
type Archive struct {
	dir   *os.Root
	store *record.Store
	maker *Exporter
	log   *slog.Logger
	queue chan string

	mu     sync.Mutex
	jobs   map[string]*Job
	making string // the pack that is being made
	cancel context.CancelFunc
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
		switch j.State {
		case Queued, Running:
			j.State = Queued
			select {
			case a.queue <- j.Request.ID:
			default:
				j.State, j.Problem = Failed, "failed"
			}
		case Deleted: // a crash may have come between
			if err := a.clear(&j); err != nil {
				log.Warn("a deleted pack of evidence cannot be cleared away", "pack", j.Request.ID, "err", err)
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
	case len(r.Cameras) == 0 && (r.Incident == "" || a.maker.Records == nil) || len(r.Cameras) > maxCameras:
		return Job{}, ErrNothing
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ask(r)
}

// ask puts a pack into the queue; the caller holds mu.
func (a *Archive) ask(r Request) (Job, error) {
	r.ID = "ev-" + strings.ToLower(rand.Text()[:12])
	if len(a.jobs) >= maxJobs {
		return Job{}, ErrFull
	}
	if len(a.queue) == cap(a.queue) {
		return Job{}, ErrBusy
	}
	for _, c := range r.Cameras {
		if r.Of != "" {
			break // its recordings are held by the pack it is made of
		}
		if err := a.store.Hold(record.Hold{
			ID: holdOf(r.ID, c.Camera), Camera: c.Camera, From: r.From, To: r.To, Class: record.Evidence, Reason: r.ID,
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

func holdOf(pack, camera string) string { return "evidence/" + pack + "/" + camera }

// Redact asks for a pack with the pictures of another, of which parts are painted
// over. Cameras without such parts are not in it.
func (a *Archive) Redact(id string, hide map[string][]area.Polygon, r Request) (Job, error) {
	if a.maker.FFmpeg == "" {
		return Job{}, ErrNoPainter
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	j := a.jobs[id]
	if j == nil {
		return Job{}, ErrUnknown
	}
	if j.State != Done || j.Request.Of != "" {
		return Job{}, ErrDerived
	}
	r.From, r.To, r.Incident, r.Of, r.Cameras = j.Request.From, j.Request.To, j.Request.Incident, id, nil
	for _, c := range j.Request.Cameras {
		if c.Hide = hide[c.Camera]; len(c.Hide) > 0 {
			r.Cameras = append(r.Cameras, c)
		}
	}
	if len(r.Cameras) == 0 {
		return Job{}, ErrNothing
	}
	return a.ask(r)
}

// Delete removes a pack and lets its recordings go: retention decides about them
// again. Who did it and why stays.
func (a *Archive) Delete(id string, d Deletion) (Job, error) {
	d.At = a.maker.Now().UTC()
	if err := a.change(id, func(j *Job) {
		if j.State != Deleted {
			j.State, j.Deletion = Deleted, &d
			for i := range j.Links {
				j.Links[i].Ended = true
			}
		}
	}); err != nil {
		return Job{}, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.making == id {
		a.cancel() // what it leaves behind is cleared away then
	}
	j := a.jobs[id]
	return j.copy(), a.clear(j)
}

// clear removes what a deleted pack left.
func (a *Archive) clear(j *Job) error {
	var errs []error
	entries, err := fs.ReadDir(a.dir.FS(), j.Request.ID)
	if err != nil {
		return fmt.Errorf("list a pack: %w", err)
	}
	for _, e := range entries {
		if e.Name() != jobName {
			errs = append(errs, a.dir.Remove(path.Join(j.Request.ID, e.Name())))
		}
	}
	for _, c := range j.Request.Cameras {
		if j.Request.Of == "" {
			errs = append(errs, a.store.Release(holdOf(j.Request.ID, c.Camera)))
		}
	}
	return errors.Join(errs...)
}

// Held reports of how many cameras recordings are locked for a pack.
func (a *Archive) Held(j Job) int {
	n := 0
	for _, c := range j.Request.Cameras {
		if slices.ContainsFunc(a.store.Holds(c.Camera), func(h record.Hold) bool { return h.ID == holdOf(j.Request.ID, c.Camera) }) {
			n++
		}
	}
	return n
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
		if err := a.change(id, func(j *Job) {
			if j.State != Deleted {
				do(j)
			}
		}); err != nil {
			a.log.ErrorContext(ctx, "the state of a pack cannot be kept", "pack", id, "err", err)
		}
	}
	note(func(j *Job) { j.State = Running })
	own, cancel := context.WithCancel(ctx)
	defer cancel()
	a.mu.Lock()
	j := a.jobs[id].copy()
	a.making, a.cancel = id, cancel
	a.mu.Unlock()
	if j.State == Deleted {
		return
	}
	made, err := a.write(own, j.Request)
	a.mu.Lock()
	a.making = ""
	deleted := a.jobs[id].State == Deleted
	a.mu.Unlock()
	switch {
	case deleted:
		if err := a.clear(&j); err != nil {
			a.log.ErrorContext(ctx, "a deleted pack of evidence cannot be cleared away", "pack", id, "err", err)
		}
		return
	case ctx.Err() != nil:
		return // it is made after the next start
	case err != nil:
		a.log.WarnContext(ctx, "a pack of evidence was not made", "pack", id, "err", err)
		note(func(j *Job) { j.State, j.Problem, j.DoneAt = Failed, problemOf(err), a.maker.Now().UTC() })
		if errors.Is(err, ErrNothing) { // there is nothing to hold
			err = a.clear(&j)
		} else {
			err = nil
		}
		if err != nil {
			a.log.ErrorContext(ctx, "recordings cannot be let go", "pack", id, "err", err)
		}
		return
	}
	note(func(j *Job) {
		j.State, j.DoneAt, j.Bytes, j.Sum, j.Manifest = Done, a.maker.Now().UTC(), made.bytes, made.sum, made.signed
		j.Segments, j.Lacking = made.manifest.count()
	})
}

func problemOf(err error) string {
	switch {
	case errors.Is(err, ErrNothing):
		return "nothing"
	case errors.Is(err, ErrRoom), errors.Is(err, syscall.ENOSPC):
		return "disk"
	case errors.Is(err, ErrMask):
		return "mask"
	case errors.Is(err, ErrNoPainter):
		return "ffmpeg"
	}
	return "failed"
}

// count is how many files are in a pack, and how many links are not as they were.
func (m *Manifest) count() (files, lacking int) {
	for _, s := range m.Streams {
		files += len(s.Segments)
		for _, x := range s.Missing {
			lacking += int(x.Last - x.First + 1)
		}
		for _, g := range s.Segments {
			if g.Found != nil {
				lacking++
			}
		}
		r := &Report{}
		r.lead(&s, Trust{})
		lacking += len(r.Faults)
	}
	return files, lacking
}

// product is a pack that was made.
type product struct {
	manifest    *Manifest
	sum, signed segment.Sum
	bytes       int64
}

// write writes a pack under another name first.
func (a *Archive) write(ctx context.Context, r Request) (product, error) {
	name := path.Join(r.ID, packName)
	f, err := a.dir.OpenFile(name+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return product{}, fmt.Errorf("begin a pack: %w", err)
	}
	sum := sha256.New()
	count := &counter{}
	to := io.MultiWriter(f, sum, count)
	progress := func(done, total int64) {
		a.mu.Lock()
		defer a.mu.Unlock()
		j := a.jobs[r.ID]
		j.DoneBytes, j.TotalBytes = done, total
	}
	var out product
	if r.Of == "" {
		out.manifest, out.signed, err = a.maker.Write(ctx, to, r, progress)
	} else {
		out.manifest, out.signed, err = a.redact(ctx, to, r, progress)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = a.dir.Rename(name+".new", name)
	}
	if err != nil {
		return product{}, errors.Join(err, a.dir.Remove(name+".new"))
	}
	out.sum, out.bytes = sumOf(sum), count.n
	return out, nil
}

type counter struct{ n int64 }

func (c *counter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return len(b), nil
}

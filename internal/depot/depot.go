// Package depot brings files to stations and takes files from them: diagnostics, logs
// and firmware.
//
// It promises:
//
//   - A station reaches a file only at an address that was made for it, for one file and
//     one direction, that cannot be guessed, ends by itself and is known here as a hash
//     only. An upload is taken once.
//   - What comes is bounded: in size, in number, in all bytes, and in how slowly it may
//     come. A file is here whole, under a name of ours, or not at all.
//   - What a station says and what arrived are told apart: a file that was said to be
//     uploaded and did not come is called that, so is firmware that was said to be
//     installed and does not run.
//   - A stop at any moment leaves each job where it was. A station is never asked twice
//     for the same job.
package depot

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Folders of the data folder: what stations sent, and what they are to get.
const (
	Received = "files"
	Images   = "firmware"
)

// What a caller acts on, beside the errors of the store.
var (
	ErrUnder     = errors.New("another file of that kind is under way at this station")
	ErrNoRoom    = errors.New("the disk has no room for files now")
	ErrGone      = errors.New("the file is not kept any more")
	ErrNoAddress = errors.New("no address of ours is known that the station can reach: set files.url")
	ErrOver      = errors.New("nothing is under way any more")
)

// Journal is what happens at stations.
type Journal interface {
	Snapshot() *fleet.Snapshot
	Subscribe(ctx context.Context, from journal.Cursor) iter.Seq2[journal.Batch, error]
}

// Stations are asked things.
type Stations interface {
	// Command sends a request to a station and records it and what came of it, without
	// what is secret in its payload.
	Command(ctx context.Context, by store.Actor, station, action string, payload json.RawMessage) (event.CommandResult, error)
}

// Options configures a Service. Data, Store, Journal, Stations and Base are needed.
type Options struct {
	Data     *os.Root
	Store    *store.Store
	Journal  Journal
	Stations Stations
	// Base is the address under which a station reaches us, without a path: the scheme
	// and the host. Empty: not known.
	Base   func(station string) string
	Tight  func() bool      // the disk has no room for files; default: never
	Logger *slog.Logger     // default: discard
	Now    func() time.Time // default: time.Now
	// Every is how often is looked what was given up; default 2 s.
	Every  time.Duration
	Limits Limits
}

// Limits bound what is kept and taken. The zero value of each means its default.
type Limits struct {
	Upload    int64         // bytes of a file from a station; 64 MiB
	Image     int64         // bytes of a firmware image; 512 MiB
	Total     int64         // bytes of all files from stations; 4 GiB
	Images    int64         // bytes of all firmware images; 16 GiB
	Keep      time.Duration // how long a file from a station is kept; 30 days
	Transfers int           // at once; 256
	Patience  time.Duration // in which something must come, or be taken; 60 s
}

func (l *Limits) fill() {
	set := func(at *int64, value int64) {
		if *at <= 0 {
			*at = value
		}
	}
	set(&l.Upload, 64<<20)
	set(&l.Image, 512<<20)
	set(&l.Total, 4<<30)
	set(&l.Images, 16<<30)
	if l.Keep <= 0 {
		l.Keep = 30 * 24 * time.Hour
	}
	if l.Transfers <= 0 {
		l.Transfers = 256
	}
	if l.Patience <= 0 {
		l.Patience = time.Minute
	}
}

// Service brings and takes files. Its methods may be called from any goroutine.
type Service struct {
	o   Options
	log *slog.Logger

	mu      sync.Mutex
	jobs    map[string]*store.FileJob    // open ones by id; one in here is never changed in place
	address map[[sha256.Size]byte]string // to the id of a job
	busy    map[string]struct{}          // jobs whose file comes right now
	running int                          // transfers
	coming  int64                        // bytes of files that come right now, at most
	kept    int64                        // bytes of files from stations
	images  int64                        // bytes of firmware images
}

// Open makes the folders and takes up what was under way.
func Open(ctx context.Context, o Options) (*Service, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Every <= 0 {
		o.Every = 2 * time.Second
	}
	if o.Tight == nil {
		o.Tight = func() bool { return false }
	}
	o.Limits.fill()
	s := &Service{
		o: o, log: o.Logger, jobs: make(map[string]*store.FileJob), address: make(map[[sha256.Size]byte]string), busy: make(map[string]struct{}),
	}
	for _, folder := range []string{Received, Images} {
		if err := o.Data.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("make a folder of files: %w", err)
		}
	}
	open, err := o.Store.OpenFileJobs(ctx)
	if err != nil {
		return nil, err
	}
	for _, j := range open {
		s.admit(j)
	}
	if err := s.settleFiles(ctx); err != nil {
		return nil, err
	}
	return s, s.settleImages(ctx)
}

// admit makes a job known, with its address. The caller holds the lock, or is alone.
func (s *Service) admit(j *store.FileJob) {
	s.jobs[j.ID] = j
	if len(j.Address) == sha256.Size {
		s.address[[sha256.Size]byte(j.Address)] = j.ID
	}
}

// settleFiles removes files of which no job knows: those that were coming when the
// server stopped. Their stations got no answer and send them again.
func (s *Service) settleFiles(ctx context.Context) error {
	stored, err := s.o.Store.StoredFileJobs(ctx)
	if err != nil {
		return err
	}
	known := make(map[string]struct{}, len(stored))
	for _, j := range stored {
		known[j.ID] = struct{}{}
		s.kept += j.Stored
	}
	return s.sweep(Received, known)
}

// sweep removes the files of a folder that nobody knows.
func (s *Service) sweep(folder string, known map[string]struct{}) error {
	list, err := fs.ReadDir(s.o.Data.FS(), folder)
	if err != nil {
		return fmt.Errorf("list files: %w", err)
	}
	for _, x := range list {
		if _, ok := known[x.Name()]; !ok {
			if err := s.remove(folder, x.Name()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) remove(folder, name string) error {
	if err := s.o.Data.Remove(path.Join(folder, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove a file: %w", err)
	}
	return nil
}

// TokenPrefix begins what an address cannot be guessed without, so that it can be found
// and hidden wherever an address stands (frames, web).
const TokenPrefix = "cwf_"

const tokenLength = 32 // letters behind the prefix: 160 bits

// newToken returns a secret and what is kept of it.
func newToken() (token string, kept []byte) {
	var b [20]byte
	rand.Read(b[:]) //nolint:errcheck // documented never to fail
	token = TokenPrefix + strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
	sum := sha256.Sum256([]byte(token))
	return token, sum[:]
}

// Path is where stations find files: BASE/files/TOKEN/NAME.
const Path = "/files/"

// location is the address of a job at a station. A folder ends with a slash: stations
// put the name of their file behind it, or not.
func (s *Service) location(station, token, name string) (string, error) {
	base := strings.TrimRight(s.o.Base(station), "/")
	if base == "" {
		return "", ErrNoAddress
	}
	return base + Path + token + "/" + name, nil
}

// change lets fn alter a copy of an open job, and keeps it if fn says so. With act the
// change is what a person did.
func (s *Service) change(ctx context.Context, id string, by store.Actor, act string, fn func(j *store.FileJob) bool) (*store.FileJob, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, ok := s.jobs[id]
	if !ok {
		return nil, ErrOver
	}
	j := clone(old)
	if !fn(j) {
		return old, nil
	}
	j.Open = stillOpen(j, s.o.Now())
	var err error
	if act == "" {
		err = s.o.Store.PutFileJob(ctx, j)
	} else {
		err = s.o.Store.ActOnFileJob(ctx, by, act, j)
	}
	if err != nil {
		return nil, err
	}
	s.jobs[id] = j
	if !j.Open {
		s.drop(j)
	}
	return j, nil
}

// drop forgets a job of which nothing more may become. The caller holds the lock.
func (s *Service) drop(j *store.FileJob) {
	delete(s.jobs, j.ID)
	if len(j.Address) == sha256.Size {
		delete(s.address, [sha256.Size]byte(j.Address))
	}
}

func clone(j *store.FileJob) *store.FileJob {
	c := *j
	c.Steps, c.Refusals = slices.Clone(j.Steps), slices.Clone(j.Refusals)
	return &c
}

// underWay finds a job at a station of which more is expected, the newest first. The
// caller holds the lock.
func (s *Service) underWay(station string, fits func(*store.FileJob) bool) *store.FileJob {
	var newest *store.FileJob
	for _, j := range s.jobs {
		if j.Station == station && fits(j) && (newest == nil || j.Seq > newest.Seq) {
			newest = j
		}
	}
	return newest
}

// Run follows what stations say and gives up what takes too long, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	heard, failed := journal.Channel(ctx, s.o.Journal.Subscribe(ctx, s.since()))
	tick := time.NewTicker(s.o.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case err := <-failed:
			return err
		case b := <-heard:
			for _, e := range b.Events {
				s.hear(ctx, e)
			}
		case <-tick.C:
			s.giveUp(ctx)
			s.retire(ctx)
		}
	}
}

// since is the place in the journal from which on jobs have not heard all.
func (s *Service) since() journal.Cursor {
	s.mu.Lock()
	defer s.mu.Unlock()
	seq := s.o.Journal.Snapshot().Seq
	for _, j := range s.jobs {
		if j.Seen > 0 {
			seq = min(seq, j.Seen)
		}
	}
	return journal.CursorAt(seq)
}

// hear takes what a station said of its files.
func (s *Service) hear(ctx context.Context, e *event.Event) {
	switch e.Body.(type) {
	case *event.Log, *event.Firmware, *event.Boot:
	default:
		return
	}
	var about []string
	s.mu.Lock()
	for _, j := range s.jobs {
		if j.Station == e.Subject.ID && e.Seq > j.Seen {
			about = append(about, j.ID)
		}
	}
	id, asked := "", requestOf(e.Body)
	if j := s.underWay(e.Subject.ID, func(j *store.FileJob) bool {
		return slices.Contains(about, j.ID) && concerns(j, e.Body, asked)
	}); j != nil {
		id = j.ID
	}
	s.mu.Unlock()
	if id == "" {
		return
	}
	if _, err := s.change(ctx, id, "", "", func(j *store.FileJob) bool { return takeEvent(j, e) }); err != nil && ctx.Err() == nil && !errors.Is(err, ErrOver) {
		s.log.WarnContext(ctx, "what a station said of a file was not kept", "station", e.Subject.ID, "file", id, "err", err)
	}
}

// giveUp ends what takes too long, and addresses whose time is over.
func (s *Service) giveUp(ctx context.Context) {
	now := s.o.Now()
	var late []string
	s.mu.Lock()
	for id, j := range s.jobs {
		if _, busy := s.busy[id]; !busy && (!j.Until.IsZero() && now.After(j.Until) || !stillOpen(j, now)) {
			late = append(late, id)
		}
	}
	s.mu.Unlock()
	for _, id := range late {
		if _, err := s.change(ctx, id, "", "", func(j *store.FileJob) bool { lapse(j, now); return true }); err != nil && ctx.Err() == nil && !errors.Is(err, ErrOver) {
			s.log.WarnContext(ctx, "a file was not given up", "file", id, "err", err)
		}
	}
}

// retire removes files that are too old, and the oldest where there are too many.
func (s *Service) retire(ctx context.Context) {
	s.mu.Lock()
	kept := s.kept
	s.mu.Unlock()
	if kept == 0 {
		return
	}
	stored, err := s.o.Store.StoredFileJobs(ctx)
	if err != nil {
		return // the next look tries again
	}
	oldest := s.o.Now().Add(-s.o.Limits.Keep)
	for _, j := range stored {
		if j.ReceivedAt.After(oldest) && kept <= s.o.Limits.Total {
			continue
		}
		if err := s.discard(ctx, store.System, "expire", j.ID); err != nil && !errors.Is(err, ErrGone) {
			s.log.WarnContext(ctx, "a file that is too old was not removed", "file", j.ID, "err", err)
			return
		}
		kept -= j.Stored
	}
}

// discard removes the file of a job; that it was here stays.
func (s *Service) discard(ctx context.Context, by store.Actor, act, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	j, err := s.o.Store.FileJob(ctx, id)
	if err != nil {
		return err
	}
	bytes := j.Stored
	if bytes == 0 {
		return ErrGone
	}
	j.Stored, j.RemovedAt, j.Open = 0, s.o.Now(), false
	if err := s.o.Store.ActOnFileJob(ctx, by, act, j); err != nil {
		return err
	}
	s.kept -= bytes
	s.drop(j)
	return s.remove(Received, id)
}

// Job returns a job as it is now.
func (s *Service) Job(ctx context.Context, id string) (*store.FileJob, error) {
	s.mu.Lock()
	j, ok := s.jobs[id]
	s.mu.Unlock()
	if ok {
		return j, nil
	}
	return s.o.Store.FileJob(ctx, id)
}

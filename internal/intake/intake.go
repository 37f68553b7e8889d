// Package intake takes in files of past sessions: it keeps a file while a person looks
// at what it would come to, imports it beside everything else that goes on, and takes
// it back.
//
// It promises:
//
//   - Nothing is imported that a person was not shown: what a file comes to is known
//     before it is run, and counted the same way afterwards.
//   - The journal is never held for long: sessions are committed some hundreds at a
//     time, and between two commits others have their turn.
//   - A stop at any moment leaves an import that goes on where it was or is taken back
//     whole. A session is there once, however often its file comes.
//   - A file holds what people did and where. It is kept for as long as somebody works
//     on it, a week at most, and goes when it is imported. Tokens are stored as what
//     stands for them only.
package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/usage/past"
)

const (
	folder = "imports"
	// keepFor is how long a file waits that nobody runs.
	keepFor = 7 * 24 * time.Hour
	// maxStaged is how many files wait at a time.
	maxStaged = 20
	maxName   = 200
)

// What a caller acts on, beside the errors of the store and of past.
var (
	ErrUndecided = errors.New("something has to be decided first")
	ErrBusy      = errors.New("it is at work")
	ErrGone      = errors.New("the file is not kept any more")
	ErrFull      = errors.New("too many files wait: run or delete some")
)

// Options configures a Service.
type Options struct {
	Data   *os.Root
	Store  *store.Store
	Logger *slog.Logger
	Now    func() time.Time // default: time.Now
	// Beat is how often work that nobody does is looked for; default 2 s.
	Beat time.Duration
	// Done is told when the sessions of an import have changed; may be nil.
	Done func()
}

// Service takes in files. Its methods may be called from any goroutine.
type Service struct {
	o    Options
	log  *slog.Logger
	wake chan struct{}

	mu    sync.Mutex
	jobs  map[int64]*job
	seen  map[int64]*Preview // what was shown last
	order []int64
}

// job is work on an import.
type job struct {
	cancel      context.CancelCauseFunc
	phase       string
	done, total int64
	started     time.Time
}

// Progress is how far work on an import is.
type Progress struct {
	Phase   string    `json:"phase" enum:"reading,writing,undoing"`
	Done    int64     `json:"done" doc:"bytes while reading, sessions otherwise"`
	Total   int64     `json:"total"`
	Started time.Time `json:"startedAt"`
}

// Open makes the folder of files.
func Open(o Options) (*Service, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Beat <= 0 {
		o.Beat = 2 * time.Second
	}
	if err := o.Data.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make the folder of imports: %w", err)
	}
	return &Service{o: o, log: o.Logger, wake: make(chan struct{}, 1), jobs: make(map[int64]*job), seen: make(map[int64]*Preview)}, nil
}

func file(id int64) string { return path.Join(folder, strconv.FormatInt(id, 10)+".csv") }

// Stage takes a file and looks at it. Nothing of it is imported.
func (s *Service) Stage(ctx context.Context, by store.Actor, name string, r io.Reader) (*Preview, error) {
	if err := s.room(ctx); err != nil {
		return nil, err
	}
	tmp := path.Join(folder, fmt.Sprintf("incoming-%d", s.o.Now().UnixNano()))
	sum, size, err := s.receive(tmp, r)
	if err != nil {
		return nil, errors.Join(err, s.remove(tmp))
	}
	form, err := s.look(tmp)
	if err != nil {
		return nil, errors.Join(err, s.remove(tmp))
	}
	settings, err := json.Marshal(s.propose(form))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("encode the mapping: %w", err), s.remove(tmp))
	}
	row, err := s.o.Store.CreatePastImport(ctx, by, store.PastImport{Name: named(name), SHA256: sum, Bytes: size, Mapping: settings})
	if err != nil {
		return nil, errors.Join(err, s.remove(tmp))
	}
	if err := s.o.Data.Rename(tmp, file(row.ID)); err != nil {
		return nil, errors.Join(fmt.Errorf("keep the file: %w", err), s.remove(tmp), s.o.Store.ForgetPastImport(ctx, by, row.ID))
	}
	return s.Preview(ctx, row.ID)
}

// named makes a name of a file fit to be shown.
func named(name string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(c rune) rune {
		if c < 0x20 || c == 0x7f || c == utf8.RuneError || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069 {
			return -1
		}
		return c
	}, name)
	if r := []rune(name); len(r) > maxName {
		name = string(r[:maxName])
	}
	if name == "" || name == "." || name == "/" {
		return "sessions.csv"
	}
	return name
}

// room refuses a file where too many wait.
func (s *Service) room(ctx context.Context) error {
	list, err := s.o.Store.PastImports(ctx, 0, 200)
	if err != nil {
		return err
	}
	n := 0
	for _, x := range list {
		if x.State == store.PastStaged {
			n++
		}
	}
	if n >= maxStaged {
		return ErrFull
	}
	return nil
}

// receive writes a file and syncs it.
func (s *Service) receive(name string, r io.Reader) (sum string, size int64, err error) {
	f, err := s.o.Data.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return "", 0, fmt.Errorf("keep the file: %w", err)
	}
	h := sha256.New()
	size, err = io.Copy(io.MultiWriter(f, h), io.LimitReader(r, past.MaxBytes+1))
	if err == nil && size > past.MaxBytes {
		err = past.ErrBytes
	}
	if err == nil && size == 0 {
		err = past.ErrEmpty
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", 0, fmt.Errorf("keep the file: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}

func (s *Service) remove(name string) error {
	if err := s.o.Data.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove a file of an import: %w", err)
	}
	return nil
}

func (s *Service) look(name string) (past.Form, error) {
	f, err := s.o.Data.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return past.Form{}, ErrGone
	}
	if err != nil {
		return past.Form{}, fmt.Errorf("open the file: %w", err)
	}
	form, err := past.Look(f)
	return form, errors.Join(err, f.Close())
}

// Settings returns how an import is to be read.
func settingsOf(x *store.PastImport) (Settings, error) {
	var out Settings
	if err := json.Unmarshal(x.Mapping, &out); err != nil {
		return out, fmt.Errorf("read the mapping of import %d: %w", x.ID, err)
	}
	return out, nil
}

// Change sets how a file is to be read, and shows what it comes to then.
func (s *Service) Change(ctx context.Context, by store.Actor, id int64, to Settings) (*Preview, error) {
	if err := s.checkSettings(&to); err != nil {
		return nil, err
	}
	text, err := json.Marshal(to)
	if err != nil {
		return nil, fmt.Errorf("encode the mapping: %w", err)
	}
	if len(text) > 1<<20 {
		return nil, &store.InvalidError{Field: "settings", Reason: "at most 1 MiB"}
	}
	if err := s.o.Store.MovePastImport(ctx, by, "", id, store.PastStaged, text, nil, store.PastStaged); err != nil {
		return nil, err
	}
	return s.Preview(ctx, id)
}

// Forget drops a file that was not imported, or the trace of one that was undone.
func (s *Service) Forget(ctx context.Context, by store.Actor, id int64) error {
	if err := s.o.Store.ForgetPastImport(ctx, by, id); err != nil {
		return err
	}
	s.forget(id)
	return s.remove(file(id))
}

func (s *Service) forget(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.seen, id)
}

// remember keeps a few examinations, so that a run need not read again what was shown.
func (s *Service) remember(p *Preview) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[p.Import.ID] = p
	s.order = append(s.order, p.Import.ID)
	for len(s.order) > 2 {
		if old := s.order[0]; old != p.Import.ID {
			delete(s.seen, old)
		}
		s.order = s.order[1:]
	}
}

// At returns how far work on an import is; false: nobody works on it.
func (s *Service) At(id int64) (Progress, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j, ok := s.jobs[id]
	if !ok {
		return Progress{}, false
	}
	return Progress{Phase: j.phase, Done: j.done, Total: j.total, Started: j.started}, true
}

func (s *Service) step(id int64, phase string, done, total int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j, ok := s.jobs[id]; ok {
		j.phase, j.done, j.total = phase, done, total
	}
}

package record

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/segment"
	"github.com/chargewatch/chargewatch/internal/event"
)

// Folder is where everything lies in the data folder.
const Folder = "video"

// Errors that callers tell apart.
var (
	// ErrNotFound is returned where there are no pictures.
	ErrNotFound = errors.New("no recording")
	// ErrName is returned for a camera or stream that cannot be a folder.
	ErrName = errors.New("not a name of a camera or stream")
	errBusy = errors.New("the stream is being recorded already")
)

// Source names one stream of one camera.
type Source struct {
	Camera string
	Stream string // main or sub
}

var (
	cameraName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	indexName  = regexp.MustCompile(`^index\.`)
	streamName = regexp.MustCompile(`^[a-z0-9]{1,16}$`)
)

func (s Source) check() error {
	if !cameraName.MatchString(s.Camera) || indexName.MatchString(s.Camera) || !streamName.MatchString(s.Stream) {
		return fmt.Errorf("%q/%q: %w", s.Camera, s.Stream, ErrName)
	}
	return nil
}

// Class is why a segment is kept. A higher one outlives a lower.
type Class int

// The classes.
const (
	Continuous Class = iota // because everything is
	Event                   // because something happened
	Incident                // an incident needs it
	Evidence                // locked: nothing removes it
)

func (c Class) String() string {
	return [...]string{"continuous", "event", "incident", "evidence"}[min(max(c, Continuous), Evidence)]
}

// Flags of a segment.
const (
	FlagRecovered = 1 << iota // its end was cut off by a crash
	FlagDamaged               // the disk failed while it was written
	FlagContinued             // it begins without a key picture
)

// Segment is one file of recorded pictures.
type Segment struct {
	Source
	Start, End time.Time
	Seq        uint64
	Bytes      int64
	Flags      int
	Class      Class
	Locked     bool
	// Run and Offset place it among files that follow without a break, Format
	// names the description of its pictures.
	Run    time.Time
	Offset int64
	Format uint64
	Keys   []Key
	Prev   segment.Sum
	Sum    segment.Sum
	Link   segment.Sum
	// Open is set while it grows; it has no sum yet.
	Open bool

	beside int64 // bytes of previews; known where it is to be removed
}

// Key is where a key picture lies: a part begins with it.
type Key struct {
	Ticks  int64 // since the first picture of the file
	Offset int64 // in bytes
	At     time.Time
}

// Gap is a time that should have pictures and has none.
type Gap struct {
	Source
	From, To time.Time // To is zero while it lasts
	Reason   string
	site     string
}

// Teller is told of gaps that are over, and when pictures no longer stay as long as
// was promised.
type Teller interface {
	RecordingGap(ctx context.Context, camera string, g event.RecordingGap) error
	RecordingRetention(ctx context.Context, camera string, r event.RecordingRetention) error
}

// Options configures a Store.
type Options struct {
	Data   *os.Root
	Logger *slog.Logger     // default: discard
	Now    func() time.Time // default: time.Now
	Teller Teller           // default: nobody
	// SegmentFor is how long a file is, PartFor how much a crash may lose,
	// SyncEvery how much a power cut; defaults 60 s, 1 s and 8 s.
	SegmentFor, PartFor, SyncEvery time.Duration
	// PreRoll is kept in memory where only events are recorded, up to
	// PreRollBytes; defaults 10 s and 4 MiB.
	PreRoll      time.Duration
	PreRollBytes int
	// Sign signs what retention removed; default: it stays unsigned.
	Sign func([]byte) []byte
	// Space is that of the disk; default: without limit.
	Space func() (free, total uint64, err error)
	// Rate is what a camera is expected to write in a day, for as long as too little
	// was written to measure it; zero, and the default: nobody knows.
	Rate func(camera string) float64
}

// Store keeps recordings. Run has to run.
type Store struct {
	o   Options
	dir *os.Root
	db  *database
	log *slog.Logger

	stopped   atomic.Bool // by the state of the disk
	retention sync.Mutex  // one at a time

	mu       sync.Mutex
	sources  map[Source]*track
	byID     map[int64]*track
	waiting  []*finished // whole, on their way into the index
	gaps     []Gap       // the same
	besides  []beside    // the same
	wake     chan struct{}
	decided  chan struct{} // limits changed
	emptied  sync.Cond     // waiting became shorter
	limits   Limits
	holds    map[string]Hold
	usage    map[string]Usage // by camera
	promises promises
	full     bool // there is no room, and nothing that may go
	buffers  chan []byte
	draining bool
}

// track is what is known of one source. Its fields are guarded by Store.mu.
type track struct {
	Source
	id   int64
	seq  uint64
	link segment.Sum
	// covered is until when there are pictures, or until when it was said that
	// there are none.
	covered  time.Time
	gap      *Gap        // open
	removed  []Tombstone // by sequence; read when it is needed
	recorder *Recorder
	writing  *writing // open
}

// Open opens the recordings in a data folder and puts right what a crash left.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&o.SegmentFor, time.Minute)
	def(&o.PartFor, time.Second)
	def(&o.SyncEvery, 8*time.Second)
	def(&o.PreRoll, 10*time.Second)
	if o.Rate == nil {
		o.Rate = func(string) float64 { return 0 }
	}
	if o.PreRollBytes <= 0 {
		o.PreRollBytes = 4 << 20
	}
	if err := o.Data.Mkdir(Folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make the folder of recordings: %w", err)
	}
	dir, err := o.Data.OpenRoot(Folder)
	if err != nil {
		return nil, fmt.Errorf("open the folder of recordings: %w", err)
	}
	s := &Store{
		o: o, dir: dir, log: o.Logger, sources: make(map[Source]*track), byID: make(map[int64]*track),
		wake: make(chan struct{}, 1), decided: make(chan struct{}, 1), buffers: make(chan []byte, 8),
	}
	s.emptied.L = &s.mu
	if s.db, err = s.openIndex(ctx); err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	if err := s.restore(ctx); err != nil {
		return nil, errors.Join(err, s.db.close(), dir.Close())
	}
	return s, nil
}

// Close writes what waits and closes the files. Nothing records any more by then.
func (s *Store) Close(ctx context.Context) error {
	err := s.drain(ctx)
	return errors.Join(err, s.db.close(), s.dir.Close())
}

// Stop stops or resumes writing, whatever cameras show: the disk is full.
func (s *Store) Stop(stop bool) { s.stopped.Store(stop) }

// track returns what is known of a source, made at first use.
func (s *Store) track(ctx context.Context, src Source) (*track, error) {
	if err := src.check(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	t := s.sources[src]
	s.mu.Unlock()
	if t != nil {
		return t, nil
	}
	id, err := s.db.source(ctx, src)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.sources[src]; t != nil {
		return t, nil
	}
	t = &track{Source: src, id: id}
	s.sources[src], s.byID[id] = t, t
	return t, nil
}

// buffer lends memory for one write. Few writes happen at once.
func (s *Store) buffer() []byte {
	select {
	case b := <-s.buffers:
		return b[:0]
	default:
		return nil
	}
}

func (s *Store) giveBack(b []byte) {
	if cap(b) > 4<<20 {
		return
	}
	select {
	case s.buffers <- b:
	default:
	}
}

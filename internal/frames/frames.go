// Package frames keeps the raw OCPP frames of all stations for people who look
// for a cause: the last days, newest first, and live.
//
// It promises never to be in the way. Add does not block and copies the frame
// into a bounded buffer; when the disk does not keep up, frames are dropped and
// counted, and a crash may lose the last seconds. So it stands outside of the
// promise that nothing acknowledged is lost: the journal keeps that one. Secrets
// are removed before a frame is kept anywhere. The log is a ring: the oldest
// segments go when there are too many bytes or they are too old, because raw
// frames tell about people.
//
// Frames are gathered into blocks (about 128 KiB, or what came in 2 s) that one
// goroutine compresses and appends to the newest segment file. A full segment
// gets an index from station to blocks; that of the newest is in memory. The
// bytes are specified in docs/formats/frames.md.
package frames

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Direction says who sent a frame.
type Direction uint8

// In is from the station, Out is to it.
const (
	In  Direction = 0
	Out Direction = 1
)

func (d Direction) String() string {
	if d == Out {
		return "out"
	}
	return "in"
}

// Frame is one WebSocket message as it was on the wire.
type Frame struct {
	At        time.Time // kept to the microsecond
	Station   string
	ConnID    string
	Direction Direction
	// Action is what the frame is about. A CALL says it itself; whoever adds a
	// result may fill it in, since only he knows what was asked.
	Action string
	Data   []byte
	Quirks []string
}

// Options configure a Log. Only Folder is required.
type Options struct {
	Folder string // created if missing; nothing outside of it is touched
	Logger *slog.Logger

	MaxBytes int64         // of all segments; default 2 GiB
	MaxAge   time.Duration // of a frame; default 30 days

	Buffer       int           // bytes not yet written before frames are dropped; default 16 MiB
	BlockBytes   int           // gathered into one block; default 128 KiB
	BlockFor     time.Duration // at most this long; default 2 s
	SegmentBytes int64         // default 8 MiB
	Followers    int           // that may follow at once; default 256
	// Now is the clock of retention. Default time.Now.
	Now func() time.Time
}

func (o *Options) fill() {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	def := func(v *int64, d int64) {
		if *v == 0 {
			*v = d
		}
	}
	def(&o.MaxBytes, 2<<30)
	def((*int64)(&o.MaxAge), int64(30*24*time.Hour))
	def((*int64)(&o.BlockFor), int64(2*time.Second))
	def(&o.SegmentBytes, 8<<20)
	if o.Buffer == 0 {
		o.Buffer = 16 << 20
	}
	if o.BlockBytes == 0 {
		o.BlockBytes = 128 << 10
	}
	if o.Followers == 0 {
		o.Followers = 256
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

// Stats are counters since the start and the size of the ring.
type Stats struct {
	Added    uint64
	Dropped  uint64 // the buffer was full, the frame too large or a write failed
	Missed   uint64 // by followers that were too slow
	Redacted uint64 // frames that held a secret
	Corrupt  uint64 // blocks found damaged and skipped
	Segments int
	Bytes    int64
	Buffered int
}

// Log is an open frame log.
type Log struct {
	o    Options
	log  *slog.Logger
	root *os.Root
	wake chan struct{} // a block is full

	mu       sync.Mutex // guards what follows; never held during IO
	open     *draft     // takes frames; nil if none since the last
	full     []*draft   // wait for the writer, oldest first; stay until they can be read from the file
	buffered int
	nextSeq  uint64
	segments []*segment // oldest first; the last one may be growing
	watchers map[*watcher]struct{}

	writing sync.Mutex // held by whoever writes files; taken before mu
	packer  *packer
	failing bool // the last write did
	indexes indexCache
	readers sync.Pool // of *unpacker

	added, dropped, missed, redacted, corrupt atomic.Uint64
}

// draft is a block in memory. raw is only appended to, so that a reader may
// keep a slice of it.
type draft struct {
	seq         uint64
	count       int
	first, last int64 // microseconds
	raw         []byte
	stations    map[uint32]struct{}
}

// maxFrame is the longest frame that is kept; the endpoint refuses longer ones.
const maxFrame = 5 << 20

// Open opens the log. A last block that a crash tore is cut off.
func Open(o Options) (*Log, error) {
	o.fill()
	if err := os.MkdirAll(o.Folder, 0o750); err != nil {
		return nil, fmt.Errorf("create folder of frames: %w", err)
	}
	root, err := os.OpenRoot(o.Folder)
	if err != nil {
		return nil, fmt.Errorf("open folder of frames: %w", err)
	}
	l := &Log{o: o, log: o.Logger, root: root, wake: make(chan struct{}, 1), watchers: map[*watcher]struct{}{}}
	if l.packer, err = newPacker(); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	if err := l.load(); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return l, nil
}

// Add keeps a frame. It never blocks and does not keep f.Data.
func (l *Log) Add(f Frame) {
	data, removed := RemoveSecrets(f.Data)
	if removed {
		l.redacted.Add(1)
	}
	f.Data = data
	if f.Action == "" {
		f.Action = action(f.Data)
	}
	if l.keep(&f) {
		l.added.Add(1)
	} else {
		l.dropped.Add(1)
	}
}

func (l *Log) keep(f *Frame) bool {
	size := frameSize(f)
	l.mu.Lock()
	defer l.mu.Unlock()
	if size > maxFrame || l.buffered+size > l.o.Buffer {
		return false
	}
	at := f.At.UnixMicro()
	d := l.open
	if d == nil {
		d = &draft{seq: l.nextSeq, first: at, last: at, raw: make([]byte, 0, l.o.BlockBytes+l.o.BlockBytes/8), stations: map[uint32]struct{}{}}
		l.nextSeq++
		l.open = d
	}
	before := len(d.raw)
	d.raw = appendFrame(d.raw, f, at-d.first)
	d.last = max(d.last, at)
	d.stations[hashOf(f.Station)] = struct{}{}
	d.count++
	l.buffered += len(d.raw) - before
	if len(d.raw) >= l.o.BlockBytes {
		l.full = append(l.full, d)
		l.open = nil
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
	if len(l.watchers) > 0 {
		l.tell(f, position{d.seq, d.count - 1})
	}
	return true
}

// Run writes blocks until ctx ends; then it writes the rest.
func (l *Log) Run(ctx context.Context) error {
	flush := time.NewTicker(l.o.BlockFor)
	defer flush.Stop()
	for {
		select {
		case <-l.wake:
			l.writeFull(ctx)
		case <-flush.C:
			l.Flush(ctx)
		case <-ctx.Done():
			l.Flush(context.WithoutCancel(ctx))
			return context.Cause(ctx)
		}
	}
}

// Flush writes all that was added so far.
func (l *Log) Flush(ctx context.Context) {
	l.mu.Lock()
	if l.open != nil {
		l.full = append(l.full, l.open)
		l.open = nil
	}
	l.mu.Unlock()
	l.writeFull(ctx)
}

func (l *Log) writeFull(ctx context.Context) {
	l.writing.Lock()
	defer l.writing.Unlock()
	for {
		l.mu.Lock()
		if len(l.full) == 0 {
			l.mu.Unlock()
			break
		}
		d := l.full[0]
		l.mu.Unlock()
		err := l.write(d)
		if err != nil {
			l.dropped.Add(uint64(d.count))
			l.done(d)
		}
		if failing := err != nil; failing != l.failing {
			l.failing = failing
			if failing {
				l.log.ErrorContext(ctx, "frames are lost because they cannot be written", "err", err)
			} else {
				l.log.InfoContext(ctx, "frames are written again", "lost", l.dropped.Load())
			}
		}
	}
	if err := l.retire(); err != nil {
		l.log.ErrorContext(ctx, "expired frames cannot be deleted", "err", err)
	}
}

// done takes a draft out of memory, written or not. Callers do not hold mu.
func (l *Log) done(d *draft) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.doneLocked(d)
}

func (l *Log) doneLocked(d *draft) {
	l.buffered -= len(d.raw)
	l.full = slices.DeleteFunc(l.full, func(o *draft) bool { return o == d })
}

// Stats returns the counters.
func (l *Log) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	st := Stats{
		Added: l.added.Load(), Dropped: l.dropped.Load(), Missed: l.missed.Load(), Redacted: l.redacted.Load(),
		Corrupt: l.corrupt.Load(), Segments: len(l.segments), Buffered: l.buffered,
	}
	for _, s := range l.segments {
		st.Bytes += s.size
	}
	return st
}

// Close writes the rest and closes the files.
func (l *Log) Close() error {
	l.Flush(context.Background())
	l.writing.Lock()
	defer l.writing.Unlock()
	var err error
	if g := l.growing(); g != nil {
		err = errors.Join(g.file.Sync(), g.file.Close())
		l.mu.Lock()
		g.file = nil
		l.mu.Unlock()
	}
	return errors.Join(err, l.root.Close())
}

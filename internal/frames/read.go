package frames

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Cursor is a place in the log. It stays valid when what it points at expires.
type Cursor string

// ErrCursor is returned for text that is no cursor.
var ErrCursor = errors.New("not a cursor of the frame log")

type position struct {
	seq   uint64
	index int
}

func (p position) cursor() Cursor {
	return Cursor(strconv.FormatUint(p.seq, 36) + "." + strconv.FormatInt(int64(p.index), 36))
}

func (c Cursor) position() (position, error) {
	seq, index, ok := strings.Cut(string(c), ".")
	if !ok {
		return position{}, fmt.Errorf("%q: %w", c, ErrCursor)
	}
	s, err := strconv.ParseUint(seq, 36, 64)
	i, err2 := strconv.ParseUint(index, 36, 31)
	if err != nil || err2 != nil {
		return position{}, fmt.Errorf("%q: %w", c, ErrCursor)
	}
	return position{s, int(i)}, nil
}

// Record is a kept frame. Its Cursor given as Query.Before asks for what is
// older.
type Record struct {
	Frame
	Cursor Cursor
	// Missed is how many frames a follower lost before this one.
	Missed int
}

// Query asks for frames of one station.
type Query struct {
	Station   string
	Before    Cursor     // newest if empty
	Limit     int        // default 100, at most 1000
	Direction *Direction // both if nil
	Action    string     // any if empty
}

const (
	defaultLimit = 100
	maxLimit     = 1000
	// A filter that hardly anything passes must not read the whole ring in one
	// call; the cursor goes on from there.
	blocksPerRead = 400
	keptIndexes   = 8
)

// Read returns frames of a station, newest first, and the cursor to go on
// with; it is empty when there is nothing older. A page may hold fewer than
// Limit and still have a next one. Frames not yet written are among them.
func (l *Log) Read(ctx context.Context, q Query) (records []Record, next Cursor, err error) {
	if q.Limit <= 0 {
		q.Limit = defaultLimit
	}
	before := position{seq: 1<<64 - 1}
	if q.Before != "" {
		if before, err = q.Before.position(); err != nil {
			return nil, "", err
		}
	}
	u, ok := l.readers.Get().(*unpacker)
	if !ok {
		if u, err = newUnpacker(); err != nil {
			return nil, "", err
		}
	}
	defer l.readers.Put(u)
	r := reader{l: l, q: q, limit: min(q.Limit, maxLimit), before: before, hash: hashOf(q.Station), unpacker: u}
	for b, err := range r.blocks() {
		if err != nil {
			return nil, "", err
		}
		if err := ctx.Err(); err != nil {
			return nil, "", err
		}
		if r.take(b); r.full {
			return r.out, r.last.cursor(), nil
		}
		if r.seen++; r.seen == blocksPerRead {
			return r.out, position{seq: b.seq}.cursor(), nil
		}
	}
	return r.out, "", nil
}

// plain is a block in memory.
type plain struct {
	seq   uint64
	first int64
	raw   []byte
}

type reader struct {
	l        *Log
	q        Query
	limit    int
	before   position
	hash     uint32
	unpacker *unpacker
	seen     int

	out  []Record
	last position // of the last record
	full bool
}

// take adds the frames of a block, newest first.
func (r *reader) take(b plain) {
	type found struct {
		f     rawFrame
		index int
	}
	var hits []found
	index := 0
	for f, rest, ok := nextFrame(b.raw); ok; f, rest, ok = nextFrame(rest) {
		if b.seq == r.before.seq && index >= r.before.index {
			break
		}
		if string(f.station) == r.q.Station && (r.q.Direction == nil || f.direction == *r.q.Direction) &&
			(r.q.Action == "" || string(f.action) == r.q.Action) {
			hits = append(hits, found{f, index})
		}
		index++
	}
	for _, h := range slices.Backward(hits) {
		if len(r.out) == r.limit {
			r.full = true
			return
		}
		r.last = position{b.seq, h.index}
		r.out = append(r.out, Record{Frame: h.f.frame(b.first), Cursor: r.last.cursor()})
	}
}

// blocks yields the blocks that may hold what is asked for, newest first. What
// is in memory and which segments there are is taken at one moment.
func (r *reader) blocks() iter.Seq2[plain, error] {
	return func(yield func(plain, error) bool) {
		l := r.l
		l.mu.Lock()
		var drafts []plain
		for _, d := range append(slices.Clone(l.full), l.open) {
			if d == nil || d.seq > r.before.seq {
				continue
			}
			if _, ok := d.stations[r.hash]; ok {
				drafts = append(drafts, plain{d.seq, d.first, d.raw})
			}
		}
		var places []place
		segments := slices.Clone(l.segments)
		var growing *segment
		if n := len(segments); n > 0 && segments[n-1].file != nil {
			growing = segments[n-1]
			segments = segments[:n-1]
			for _, n := range growing.stations[r.hash] {
				places = append(places, growing.blocks[n])
			}
		}
		l.mu.Unlock()

		for _, d := range slices.Backward(drafts) {
			if !yield(d, nil) {
				return
			}
		}
		if growing != nil && !r.segment(growing, places, yield) {
			return
		}
		for _, s := range slices.Backward(segments) {
			if s.first > r.before.seq {
				continue
			}
			x, err := l.indexOf(s)
			if errors.Is(err, fs.ErrNotExist) {
				continue // expired meanwhile
			}
			if err != nil {
				yield(plain{}, err)
				return
			}
			places := places[:0]
			for _, n := range x.find(r.hash) {
				places = append(places, x.blocks[n])
			}
			if !r.segment(s, places, yield) {
				return
			}
		}
	}
}

// segment yields blocks of one segment, newest first.
func (r *reader) segment(s *segment, places []place, yield func(plain, error) bool) bool {
	places = slices.DeleteFunc(places, func(p place) bool { return p.seq > r.before.seq || p.seq == r.before.seq && r.before.index == 0 })
	if len(places) == 0 {
		return true
	}
	file, err := r.l.root.Open(s.name)
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if err != nil {
		return yield(plain{}, fmt.Errorf("open segment: %w", err))
	}
	defer file.Close()
	var buf []byte
	for _, p := range slices.Backward(places) {
		buf = slices.Grow(buf[:0], p.size)[:p.size]
		if _, err := file.ReadAt(buf, p.offset); err != nil {
			r.l.corrupt.Add(1)
			continue
		}
		h, err := readHeader(buf)
		if err != nil || h.seq != p.seq {
			r.l.corrupt.Add(1)
			continue
		}
		raw, err := r.unpacker.unpack(h, buf[blockHead:])
		if err != nil {
			r.l.corrupt.Add(1)
			continue
		}
		if !yield(plain{h.seq, h.first, raw}, nil) {
			return false
		}
	}
	return true
}

// indexCache keeps the indexes that were read last.
type indexCache struct {
	mu   sync.Mutex
	kept []keptIndex // newest use last
}

type keptIndex struct {
	name  string
	index *index
}

// indexOf returns the index of a full segment; one that cannot be read is made
// anew from the blocks.
func (l *Log) indexOf(s *segment) (*index, error) {
	l.indexes.mu.Lock()
	defer l.indexes.mu.Unlock()
	kept := l.indexes.kept
	if i := slices.IndexFunc(kept, func(k keptIndex) bool { return k.name == s.name }); i >= 0 {
		k := kept[i]
		l.indexes.kept = append(slices.Delete(kept, i, i+1), k)
		return k.index, nil
	}
	file, err := l.root.Open(s.name)
	if err != nil {
		return nil, fmt.Errorf("open segment: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("open segment: %w", err)
	}
	x, err := readIndex(file, info.Size())
	if err != nil {
		found, err := l.scan(file, s)
		if err != nil {
			return nil, err
		}
		l.corrupt.Add(1)
		if x, err = parseIndex(strip(appendIndex(nil, found.blocks, found.stations, found.end)), found.end); err != nil {
			return nil, err
		}
	}
	if len(kept) == keptIndexes {
		kept = slices.Delete(kept, 0, 1)
	}
	l.indexes.kept = append(kept, keptIndex{s.name, x})
	return x, nil
}

func strip(index []byte) []byte { return index[:len(index)-indexTrailer] }

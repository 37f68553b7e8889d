package frames

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

// segment is one file. Its name is the sequence of its first block.
type segment struct {
	name  string
	first uint64
	size  int64
	last  int64 // microseconds, of its newest frame
	begun int64 // microseconds, of its first frame

	// Only while it grows, guarded by Log.mu:
	file     *os.File
	blocks   []place
	stations map[uint32][]uint32 // hash of the station -> ordinals of blocks
}

// place is where a block lies.
type place struct {
	seq    uint64
	offset int64
	size   int
}

const suffix = ".frames"

// maxScan bounds the memory that reading a segment without its index takes.
const maxScan = 64 << 20

func nameOf(seq uint64) string { return fmt.Sprintf("%016x%s", seq, suffix) }

func hashOf[T string | []byte](station T) uint32 {
	h := fnv.New32a()
	h.Write([]byte(station))
	return h.Sum32()
}

// growing is the segment that takes blocks, or nil. Callers hold writing.
func (l *Log) growing() *segment {
	if n := len(l.segments); n > 0 && l.segments[n-1].file != nil {
		return l.segments[n-1]
	}
	return nil
}

// write appends a block and makes it readable from the file.
func (l *Log) write(d *draft) error {
	body := l.packer.pack(d)
	g := l.growing()
	if g != nil && (g.size+int64(len(body)) > l.o.SegmentBytes || d.last-g.begun > l.o.MaxAge.Microseconds()/30) {
		if err := l.finish(g); err != nil {
			return err
		}
		g = nil
	}
	if g == nil {
		var err error
		if g, err = l.begin(d); err != nil {
			return err
		}
	}
	if _, err := g.file.WriteAt(body, g.size); err != nil {
		// What was written in part is overwritten by the next block.
		return fmt.Errorf("append to %s: %w", g.name, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	n := uint32(len(g.blocks))
	g.blocks = append(g.blocks, place{seq: d.seq, offset: g.size, size: len(body)})
	for h := range d.stations {
		g.stations[h] = append(g.stations[h], n)
	}
	g.size += int64(len(body))
	g.last = max(g.last, d.last)
	l.doneLocked(d)
	return nil
}

func (l *Log) begin(d *draft) (*segment, error) {
	g := &segment{name: nameOf(d.seq), first: d.seq, begun: d.first, last: d.last, size: int64(segmentHead), stations: map[uint32][]uint32{}}
	var err error
	if g.file, err = l.root.OpenFile(g.name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o640); err != nil {
		return nil, fmt.Errorf("begin segment: %w", err)
	}
	if _, err := g.file.WriteAt([]byte(segmentMagic), 0); err != nil {
		return nil, errors.Join(fmt.Errorf("begin segment: %w", err), g.file.Close(), l.root.Remove(g.name))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.segments = append(l.segments, g)
	return g, nil
}

// finish writes the index of a full segment and closes it.
func (l *Log) finish(g *segment) error {
	index := appendIndex(nil, g.blocks, g.stations, g.size)
	if _, err := g.file.WriteAt(index, g.size); err != nil {
		return fmt.Errorf("write index of %s: %w", g.name, err)
	}
	err := errors.Join(g.file.Truncate(g.size+int64(len(index))), g.file.Sync(), g.file.Close())
	l.mu.Lock()
	defer l.mu.Unlock()
	g.size += int64(len(index))
	g.file, g.blocks, g.stations = nil, nil, nil
	if err != nil {
		return fmt.Errorf("close %s: %w", g.name, err)
	}
	return nil
}

// load finds the segments and makes the last one ready to grow.
func (l *Log) load() error {
	entries, err := fs.ReadDir(l.root.FS(), ".")
	if err != nil {
		return fmt.Errorf("list segments: %w", err)
	}
	for _, e := range entries {
		base, ok := strings.CutSuffix(e.Name(), suffix)
		seq, err := strconv.ParseUint(base, 16, 64)
		if !ok || err != nil || e.Name() != nameOf(seq) || !e.Type().IsRegular() {
			continue // not ours
		}
		s := &segment{name: e.Name(), first: seq}
		if info, err := e.Info(); err == nil {
			s.size, s.last = info.Size(), info.ModTime().UnixMicro()
			s.begun = s.last
		}
		l.segments = append(l.segments, s)
	}
	slices.SortFunc(l.segments, func(a, b *segment) int { return cmp.Compare(a.first, b.first) })
	l.nextSeq = 1
	if len(l.segments) == 0 {
		return nil
	}
	return l.resume(l.segments[len(l.segments)-1])
}

// resume reads the newest segment. Without an index it was growing: what a
// crash left behind the last whole block is cut off.
func (l *Log) resume(s *segment) error {
	file, err := l.root.OpenFile(s.name, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open segment: %w", err)
	}
	l.nextSeq = max(l.nextSeq, s.first+1)
	if index, err := readIndex(file, s.size); err == nil {
		if n := len(index.blocks); n > 0 {
			l.nextSeq = index.blocks[n-1].seq + 1
		}
		return file.Close()
	}
	found, err := l.scan(file, s)
	if err != nil {
		return errors.Join(err, file.Close())
	}
	if found.end < s.size {
		if err := file.Truncate(found.end); err != nil {
			return errors.Join(fmt.Errorf("cut torn block of %s: %w", s.name, err), file.Close())
		}
	}
	if _, err := file.WriteAt([]byte(segmentMagic), 0); err != nil {
		return errors.Join(fmt.Errorf("mend %s: %w", s.name, err), file.Close())
	}
	found.end = max(found.end, int64(segmentHead))
	s.file, s.size, s.blocks, s.stations = file, found.end, found.blocks, found.stations
	if len(found.blocks) > 0 {
		s.begun, s.last = found.begun, found.last
		l.nextSeq = max(l.nextSeq, found.blocks[len(found.blocks)-1].seq+1)
	}
	return nil
}

// content is what a scan of a segment finds.
type content struct {
	blocks      []place
	stations    map[uint32][]uint32
	end         int64 // behind the last whole block
	begun, last int64
}

// scan reads a segment without its index and skips what is damaged.
func (l *Log) scan(file io.ReaderAt, s *segment) (content, error) {
	data := make([]byte, min(s.size, max(l.o.SegmentBytes, maxScan)))
	if _, err := file.ReadAt(data, 0); err != nil && !errors.Is(err, io.EOF) {
		return content{}, fmt.Errorf("read %s: %w", s.name, err)
	}
	u, err := newUnpacker()
	if err != nil {
		return content{}, err
	}
	found, damaged := scanBlocks(u, data)
	l.corrupt.Add(uint64(damaged))
	return found, nil
}

// scanBlocks finds the whole blocks in the bytes of a segment. Behind damage it
// looks for the next header.
func scanBlocks(u *unpacker, data []byte) (found content, damaged int) {
	found.stations = map[uint32][]uint32{}
	at, lost := 0, true
	if len(data) >= segmentHead && string(data[:segmentHead]) == segmentMagic {
		at, lost = segmentHead, false
		found.end = int64(segmentHead)
	}
	for at < len(data) {
		h, err := readHeader(data[at:])
		if err != nil || at+blockHead+h.packed > len(data) {
			lost = true
			skip := bytes.Index(data[at+1:], []byte(blockMagic))
			if skip < 0 {
				break
			}
			at += 1 + skip
			continue
		}
		end := at + blockHead + h.packed
		raw, err := u.unpack(h, data[at+blockHead:end])
		if err != nil || at < segmentHead || len(found.blocks) > 0 && h.seq <= found.blocks[len(found.blocks)-1].seq {
			damaged++
			at = end
			continue
		}
		if lost {
			damaged++
			lost = false
		}
		n := uint32(len(found.blocks))
		for f, rest, ok := nextFrame(raw); ok; f, rest, ok = nextFrame(rest) {
			hash := hashOf(f.station)
			if list := found.stations[hash]; len(list) == 0 || list[len(list)-1] != n {
				found.stations[hash] = append(list, n)
			}
		}
		if n == 0 {
			found.begun = h.first
		}
		found.last = max(found.last, h.last)
		found.blocks = append(found.blocks, place{seq: h.seq, offset: int64(at), size: end - at})
		found.end = int64(end)
		at = end
	}
	return found, damaged
}

// The index stands behind the last block of a full segment; see
// docs/formats/frames.md.
const (
	indexMagic   = "CWFI"
	indexTrailer = 20
	indexEnd     = "CWFIEND\n"
	placeSize    = 20
	stationSize  = 8
)

func appendIndex(dst []byte, blocks []place, stations map[uint32][]uint32, at int64) []byte {
	start := len(dst)
	le := binary.LittleEndian
	dst = append(dst, indexMagic...)
	dst = le.AppendUint32(dst, uint32(len(blocks)))
	dst = le.AppendUint32(dst, uint32(len(stations)))
	for _, b := range blocks {
		dst = le.AppendUint64(dst, b.seq)
		dst = le.AppendUint64(dst, uint64(b.offset))
		dst = le.AppendUint32(dst, uint32(b.size))
	}
	hashes := make([]uint32, 0, len(stations))
	for h := range stations {
		hashes = append(hashes, h)
	}
	slices.Sort(hashes)
	var lists []byte
	for _, h := range hashes {
		dst = le.AppendUint32(dst, h)
		dst = le.AppendUint32(dst, uint32(len(lists)))
		lists = binary.AppendUvarint(lists, uint64(len(stations[h])))
		before := uint32(0)
		for _, n := range stations[h] {
			lists = binary.AppendUvarint(lists, uint64(n-before))
			before = n
		}
	}
	dst = append(dst, lists...)
	sum := crc(dst[start:])
	dst = le.AppendUint64(dst, uint64(at))
	dst = le.AppendUint32(dst, sum)
	return append(dst, indexEnd...)
}

// index answers which blocks hold frames of a station.
type index struct {
	blocks   []place
	stations []byte // table
	lists    []byte
}

// readIndex reads the index at the end of a segment.
func readIndex(file io.ReaderAt, size int64) (*index, error) {
	var trailer [indexTrailer]byte
	if size < int64(segmentHead+indexTrailer) {
		return nil, errDamaged
	}
	if _, err := file.ReadAt(trailer[:], size-indexTrailer); err != nil {
		return nil, fmt.Errorf("read index: %w", err)
	}
	at := binary.LittleEndian.Uint64(trailer[:])
	if string(trailer[12:]) != indexEnd || at < uint64(segmentHead) || at > uint64(size-indexTrailer) || uint64(size)-at > math.MaxInt32 {
		return nil, errDamaged
	}
	data := make([]byte, size-indexTrailer-int64(at))
	if _, err := file.ReadAt(data, int64(at)); err != nil {
		return nil, fmt.Errorf("read index: %w", err)
	}
	if crc(data) != binary.LittleEndian.Uint32(trailer[8:]) {
		return nil, errDamaged
	}
	return parseIndex(data, int64(at))
}

func parseIndex(data []byte, end int64) (*index, error) {
	le := binary.LittleEndian
	if len(data) < 12 || string(data[:4]) != indexMagic {
		return nil, errDamaged
	}
	blocks, stations := int64(le.Uint32(data[4:])), int64(le.Uint32(data[8:]))
	data = data[12:]
	if blocks*placeSize+stations*stationSize > int64(len(data)) {
		return nil, errDamaged
	}
	x := &index{blocks: make([]place, blocks)}
	for i := range x.blocks {
		b := place{seq: le.Uint64(data), offset: int64(le.Uint64(data[8:])), size: int(le.Uint32(data[16:]))}
		if b.offset < int64(segmentHead) || b.size < blockHead || b.size > blockHead+maxRaw || b.offset > end-int64(b.size) ||
			i > 0 && b.seq <= x.blocks[i-1].seq {
			return nil, errDamaged
		}
		x.blocks[i] = b
		data = data[placeSize:]
	}
	x.stations, x.lists = data[:stations*stationSize], data[stations*stationSize:]
	return x, nil
}

// find returns the ordinals of the blocks that may hold frames of the station.
func (x *index) find(hash uint32) []uint32 {
	le := binary.LittleEndian
	lo, hi := 0, len(x.stations)/stationSize
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if le.Uint32(x.stations[mid*stationSize:]) < hash {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == len(x.stations)/stationSize || le.Uint32(x.stations[lo*stationSize:]) != hash {
		return nil
	}
	from := uint64(le.Uint32(x.stations[lo*stationSize+4:]))
	if from > uint64(len(x.lists)) {
		return nil
	}
	b := x.lists[from:]
	count, n := binary.Uvarint(b)
	if n <= 0 || count > uint64(len(x.blocks)) {
		return nil
	}
	out := make([]uint32, 0, count)
	ordinal := uint64(0)
	for b = b[n:]; len(out) < int(count); b = b[n:] {
		var step uint64
		if step, n = binary.Uvarint(b); n <= 0 {
			return nil
		}
		if ordinal += step; step > uint64(len(x.blocks)) || ordinal >= uint64(len(x.blocks)) {
			return nil
		}
		out = append(out, uint32(ordinal))
	}
	return out
}

// retire deletes the oldest segments. Callers hold writing.
func (l *Log) retire() error {
	oldest := l.o.Now().Add(-l.o.MaxAge).UnixMicro()
	for {
		l.mu.Lock()
		total := int64(0)
		for _, s := range l.segments {
			total += s.size
		}
		var s *segment
		// The one that grows stays until it is full or has grown old itself.
		if len(l.segments) > 0 && (l.segments[0].last < oldest || len(l.segments) > 1 && total > l.o.MaxBytes) {
			s = l.segments[0]
		}
		l.mu.Unlock()
		if s == nil {
			return nil
		}
		var err error
		if s.file != nil {
			err = s.file.Close()
		}
		if gone := l.root.Remove(s.name); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			return fmt.Errorf("delete segment: %w", gone)
		}
		l.mu.Lock()
		s.file = nil
		l.segments = l.segments[1:]
		l.mu.Unlock()
		if err != nil {
			return fmt.Errorf("close segment: %w", err)
		}
	}
}

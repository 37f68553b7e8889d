// Package block is the codec of sealed telemetry: all measurements of one port
// in one hour, as one string of bytes.
//
// It promises that what was encoded decodes to the same bits, that the same
// measurements give the same bytes (so sealing again is idempotent), that
// damage is noticed, and that hostile input costs bounded memory and never
// panics. It has no IO and no clock. Every byte is specified in
// docs/formats/telemetry.md; files of old versions under testdata stay for ever
// and must always decode.
package block

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/klauspost/compress/zstd"
)

// Version is the first byte of what Encode writes.
const Version = 1

// Limits of one block. A port that measures 40 values each second stays below.
const (
	MaxColumns = 256
	MaxSamples = 1 << 18
	MaxPayload = 4 << 20 // before compression
	MaxText    = 64      // bytes of a name that is not in the tables
)

const (
	flagZstd     = 1
	trailerSize  = 4
	hourMillis   = 3_600_000
	maxTimeLists = MaxColumns
	maxOffset    = hourMillis - 1
)

// ErrCorrupt is returned for bytes that are not a whole, undamaged block.
var ErrCorrupt = errors.New("damaged telemetry block")

// ErrVersion is returned for a block of a newer version.
var ErrVersion = errors.New("telemetry block of an unknown version")

// ErrLimit is returned when columns do not fit into one block.
var ErrLimit = errors.New("too much for one telemetry block")

// Column is one measured quantity over the hour, its times strictly rising.
type Column struct {
	Key    Key
	Times  []int64 // unix milliseconds
	Values []float64
}

// Encoder writes blocks. It keeps scratch space and is for one goroutine.
type Encoder struct {
	zstd    *zstd.Encoder
	payload []byte
	packed  []byte
	scratch columnScratch
	lists   [][]int64
}

// NewEncoder returns an encoder.
func NewEncoder() (*Encoder, error) {
	z, err := zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(false), zstd.WithSingleSegment(true),
		zstd.WithWindowSize(64<<10), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, fmt.Errorf("prepare compression: %w", err)
	}
	return &Encoder{zstd: z}, nil
}

// Append appends the block of the columns in the hour (unix time / 3600 s).
// Columns are sorted by key in place. Every time must lie in the hour.
func (e *Encoder) Append(dst []byte, hour int64, columns []Column) ([]byte, error) {
	if err := check(hour, columns); err != nil {
		return dst, err
	}
	slices.SortFunc(columns, func(a, b Column) int { return a.Key.Compare(b.Key) })
	e.lists = e.lists[:0]
	p := binary.AppendVarint(e.payload[:0], hour)
	which := make([]int, len(columns))
	for i, c := range columns {
		which[i] = e.timeList(c.Times)
	}
	p = binary.AppendUvarint(p, uint64(len(e.lists)))
	for _, times := range e.lists {
		p = e.scratch.appendTimes(p, hour*hourMillis, times)
	}
	p = binary.AppendUvarint(p, uint64(len(columns)))
	for i, c := range columns {
		p = c.Key.Append(p)
		p = binary.AppendUvarint(p, uint64(which[i]))
		p = e.scratch.appendValues(p, c.Values)
	}
	e.payload = p
	if len(p) > MaxPayload {
		return dst, fmt.Errorf("%d bytes: %w", len(p), ErrLimit)
	}

	start := len(dst)
	e.packed = e.zstd.EncodeAll(p, e.packed[:0])
	if packed := e.packed[len(zstdMagic):]; len(packed) < len(p) {
		dst = append(dst, Version, flagZstd)
		dst = binary.AppendUvarint(dst, uint64(len(p)))
		dst = append(dst, packed...)
	} else {
		dst = append(dst, Version, 0)
		dst = binary.AppendUvarint(dst, uint64(len(p)))
		dst = append(dst, p...)
	}
	return binary.LittleEndian.AppendUint32(dst, checksum(dst[start:])), nil
}

// The four bytes every zstd frame starts with are not stored.
const zstdMagic = "\x28\xb5\x2f\xfd"

func checksum(b []byte) uint32 {
	return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
}

func check(hour int64, columns []Column) error {
	if len(columns) > MaxColumns {
		return fmt.Errorf("%d columns: %w", len(columns), ErrLimit)
	}
	first, total := hour*hourMillis, 0
	for _, c := range columns {
		if len(c.Times) != len(c.Values) || len(c.Times) == 0 {
			return fmt.Errorf("column %v has %d times and %d values", c.Key, len(c.Times), len(c.Values))
		}
		before := first - 1
		for _, t := range c.Times {
			if t <= before || t > first+maxOffset {
				return fmt.Errorf("column %v: time %d is out of order or outside of hour %d", c.Key, t, hour)
			}
			before = t
		}
		if err := c.Key.check(); err != nil {
			return err
		}
		total += len(c.Times)
	}
	if total > MaxSamples {
		return fmt.Errorf("%d samples: %w", total, ErrLimit)
	}
	return nil
}

func (e *Encoder) timeList(times []int64) int {
	for i, l := range e.lists {
		if slices.Equal(l, times) {
			return i
		}
	}
	e.lists = append(e.lists, times)
	return len(e.lists) - 1
}

// Decoder reads blocks. It keeps scratch space and is for one goroutine.
type Decoder struct {
	zstd    *zstd.Decoder
	frame   []byte
	payload []byte
	raw     []rawList
	times   []int64
	values  []float64
	columns []Column
}

type rawList struct {
	count int
	data  []byte
	times []int64 // nil until needed
}

// NewDecoder returns a decoder.
func NewDecoder() (*Decoder, error) {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(MaxPayload), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		return nil, fmt.Errorf("prepare decompression: %w", err)
	}
	return &Decoder{zstd: z}, nil
}

// Decode returns the hour and the columns that want accepts; nil wants all.
// The result is valid until the next call.
func (d *Decoder) Decode(data []byte, want func(Key) bool) (int64, []Column, error) {
	r, err := d.open(data)
	if err != nil {
		return 0, nil, err
	}
	hour := r.varint()
	if hour < -(1<<40) || hour > 1<<40 {
		return 0, nil, ErrCorrupt
	}
	d.raw = d.raw[:0]
	for range r.count(maxTimeLists) {
		count := r.count(MaxSamples)
		data := r.sized()
		// The first time and each further one take at least one byte.
		if count == 0 || count > len(data) {
			r.bad = true
		}
		if r.bad {
			return 0, nil, ErrCorrupt
		}
		d.raw = append(d.raw, rawList{count: count, data: data})
	}
	d.times, d.values, d.columns = d.times[:0], d.values[:0], d.columns[:0]
	total := 0
	for range r.count(MaxColumns) {
		key := r.key()
		list := r.count(len(d.raw) - 1)
		kind := r.byte()
		data := r.sized()
		if r.bad || list >= len(d.raw) {
			return 0, nil, ErrCorrupt
		}
		l := &d.raw[list]
		if total += l.count; total > MaxSamples {
			return 0, nil, ErrCorrupt
		}
		if want != nil && !want(key) {
			continue
		}
		if err := d.column(hour, key, l, kind, data); err != nil {
			return 0, nil, err
		}
	}
	if r.bad || len(r.data) != 0 {
		return 0, nil, ErrCorrupt
	}
	return hour, d.columns, nil
}

func (d *Decoder) column(hour int64, key Key, l *rawList, kind byte, data []byte) error {
	if l.times == nil {
		// Slices taken before a growth keep their old array, which stays right.
		start := len(d.times)
		var ok bool
		if d.times, ok = readTimes(d.times, hour*hourMillis, l.count, l.data); !ok {
			return ErrCorrupt
		}
		l.times = d.times[start:len(d.times):len(d.times)]
	}
	start := len(d.values)
	var ok bool
	if d.values, ok = readValues(d.values, l.count, kind, data); !ok {
		return ErrCorrupt
	}
	d.columns = append(d.columns, Column{Key: key, Times: l.times, Values: d.values[start:len(d.values):len(d.values)]})
	return nil
}

// Check tells whether the bytes are an undamaged block of a known version,
// without decoding it.
func Check(data []byte) error {
	if len(data) < 3+trailerSize {
		return ErrCorrupt
	}
	body := data[:len(data)-trailerSize]
	if checksum(body) != binary.LittleEndian.Uint32(data[len(body):]) {
		return ErrCorrupt
	}
	if data[0] != Version {
		return fmt.Errorf("version %d: %w", data[0], ErrVersion)
	}
	return nil
}

func (d *Decoder) open(data []byte) (reader, error) {
	if err := Check(data); err != nil {
		return reader{}, err
	}
	r := reader{data: data[2 : len(data)-trailerSize]}
	size := r.count(MaxPayload)
	switch {
	case r.bad:
		return reader{}, ErrCorrupt
	case data[1] == 0:
		if len(r.data) != size {
			return reader{}, ErrCorrupt
		}
		return r, nil
	case data[1] != flagZstd:
		return reader{}, fmt.Errorf("flags %d: %w", data[1], ErrVersion)
	}
	if cap(d.payload) < size {
		d.payload = make([]byte, 0, size)
	}
	d.frame = append(append(d.frame[:0], zstdMagic...), r.data...)
	plain, err := d.zstd.DecodeAll(d.frame, d.payload[:0:size])
	if err != nil || len(plain) != size {
		return reader{}, ErrCorrupt
	}
	r.data = plain
	return r, nil
}

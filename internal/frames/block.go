package frames

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"time"

	"github.com/klauspost/compress/zstd"
)

const (
	segmentMagic = "CWFSEG1\n"
	segmentHead  = len(segmentMagic)
	blockMagic   = "CWFB"
	blockHead    = 48
	blockVersion = 1
	maxRaw       = 8 << 20
)

var errDamaged = errors.New("damaged block of frames")

func crc(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// header is the fixed front of a block.
type header struct {
	seq         uint64
	first, last int64 // microseconds
	count       int
	raw, packed int // lengths of the frames, plain and compressed
	sum         uint32
}

func (h header) append(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, blockMagic...)
	dst = append(dst, blockVersion, 0, 0, 0)
	dst = binary.LittleEndian.AppendUint64(dst, h.seq)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(h.first))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(min(h.last-h.first, math.MaxUint32)))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(h.count))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(h.raw))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(h.packed))
	dst = binary.LittleEndian.AppendUint32(dst, h.sum)
	return binary.LittleEndian.AppendUint32(dst, crc(dst[start:]))
}

func readHeader(b []byte) (header, error) {
	if len(b) < blockHead || string(b[:4]) != blockMagic || crc(b[:blockHead-4]) != binary.LittleEndian.Uint32(b[blockHead-4:]) {
		return header{}, errDamaged
	}
	if b[4] != blockVersion {
		return header{}, fmt.Errorf("version %d: %w", b[4], errDamaged)
	}
	le := binary.LittleEndian
	h := header{
		seq: le.Uint64(b[8:]), first: int64(le.Uint64(b[16:])), count: int(le.Uint32(b[28:])),
		raw: int(le.Uint32(b[32:])), packed: int(le.Uint32(b[36:])), sum: le.Uint32(b[40:]),
	}
	h.last = h.first + int64(le.Uint32(b[24:]))
	if h.raw > maxRaw || h.packed > maxRaw || h.count > h.raw {
		return header{}, errDamaged
	}
	return h, nil
}

// packer compresses blocks; for one goroutine.
type packer struct {
	zstd *zstd.Encoder
	buf  []byte
}

func newPacker() (*packer, error) {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false),
		zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, fmt.Errorf("prepare compression: %w", err)
	}
	return &packer{zstd: z}, nil
}

// pack returns the bytes of a block, valid until the next call.
func (p *packer) pack(d *draft) []byte {
	body := p.zstd.EncodeAll(d.raw, append(p.buf[:0], make([]byte, blockHead)...))
	packed := body[blockHead:]
	h := header{seq: d.seq, first: d.first, last: d.last, count: d.count, raw: len(d.raw), packed: len(packed), sum: crc(packed)}
	h.append(body[:0])
	p.buf = body
	return body
}

// unpacker reads blocks; for one goroutine.
type unpacker struct {
	zstd *zstd.Decoder
	raw  []byte
}

func newUnpacker() (*unpacker, error) {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(maxRaw), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		return nil, fmt.Errorf("prepare decompression: %w", err)
	}
	return &unpacker{zstd: z}, nil
}

// unpack returns the frames of a block, valid until the next call.
func (u *unpacker) unpack(h header, packed []byte) ([]byte, error) {
	if len(packed) != h.packed || crc(packed) != h.sum {
		return nil, errDamaged
	}
	if cap(u.raw) < h.raw {
		u.raw = make([]byte, 0, h.raw)
	}
	raw, err := u.zstd.DecodeAll(packed, u.raw[:0:h.raw])
	if err != nil || len(raw) != h.raw {
		return nil, errDamaged
	}
	return raw, nil
}

// A frame within a block:
//
//	frame = uvarint(length of what follows) varint(microseconds after the block's
//	        first) direction text(station) text(connection) text(action)
//	        uvarint(quirks) text(quirk)* data
//	text  = uvarint(length) bytes
//
// The data reach to the end of the frame.
func frameSize(f *Frame) int {
	n := 40 + len(f.Station) + len(f.ConnID) + len(f.Action) + len(f.Data)
	for _, q := range f.Quirks {
		n += len(q) + 3
	}
	return n
}

func appendFrame(dst []byte, f *Frame, after int64) []byte {
	// The length is short of five bytes as maxFrame is; it is put in when known.
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.AppendVarint(dst, after)
	dst = append(dst, byte(f.Direction))
	dst = appendText(dst, f.Station)
	dst = appendText(dst, f.ConnID)
	dst = appendText(dst, f.Action)
	dst = binary.AppendUvarint(dst, uint64(len(f.Quirks)))
	for _, q := range f.Quirks {
		dst = appendText(dst, q)
	}
	dst = append(dst, f.Data...)
	n := len(dst) - at - 4
	dst[at], dst[at+1], dst[at+2], dst[at+3] = byte(n)|0x80, byte(n>>7)|0x80, byte(n>>14)|0x80, byte(n>>21)
	return dst
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// rawFrame points into the frames of a block.
type rawFrame struct {
	after         int64
	direction     Direction
	station, conn []byte
	action        []byte
	quirks        []byte // count and texts
	data          []byte
}

// nextFrame takes a frame off the front. ok is false at the end and at damage.
func nextFrame(raw []byte) (f rawFrame, rest []byte, ok bool) {
	size, n := binary.Uvarint(raw)
	if n <= 0 || size > uint64(len(raw)-n) {
		return f, nil, false
	}
	b, rest := raw[n:n+int(size)], raw[n+int(size):]
	if f.after, n = binary.Varint(b); n <= 0 || n == len(b) {
		return f, nil, false
	}
	f.direction = Direction(b[n] & 1)
	b = b[n+1:]
	for _, into := range []*[]byte{&f.station, &f.conn, &f.action} {
		if *into, b, ok = nextText(b); !ok {
			return f, nil, false
		}
	}
	quirks, n := binary.Uvarint(b)
	if n <= 0 || quirks > uint64(len(b)) {
		return f, nil, false
	}
	from := b
	b = b[n:]
	for range quirks {
		if _, b, ok = nextText(b); !ok {
			return f, nil, false
		}
	}
	f.quirks = from[:len(from)-len(b)]
	f.data = b
	return f, rest, true
}

func nextText(b []byte) (text, rest []byte, ok bool) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return nil, nil, false
	}
	return b[n : n+int(size)], b[n+int(size):], true
}

// frame copies it out of the block.
func (f rawFrame) frame(first int64) Frame {
	out := Frame{
		At: time.UnixMicro(first + f.after).UTC(), Direction: f.direction, Station: string(f.station), ConnID: string(f.conn),
		Action: string(f.action), Data: append([]byte(nil), f.data...),
	}
	n, size := binary.Uvarint(f.quirks)
	for b := f.quirks[size:]; n > 0; n-- {
		var q []byte
		q, b, _ = nextText(b) // nextFrame has seen it
		out.Quirks = append(out.Quirks, string(q))
	}
	return out
}

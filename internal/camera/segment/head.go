package segment

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4/seekablebuffer"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// Sum is a SHA-256.
type Sum [sha256.Size]byte

// String is the sum in hexadecimal.
func (s Sum) String() string { return hex.EncodeToString(s[:]) }

// MarshalText writes hexadecimal.
func (s Sum) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads it.
func (s *Sum) UnmarshalText(b []byte) error {
	if len(b) != 2*len(s) {
		return fmt.Errorf("read a SHA-256: %w", ErrForm)
	}
	if _, err := hex.Decode(s[:], b); err != nil {
		return fmt.Errorf("read a SHA-256: %w", err)
	}
	return nil
}

// Head says what a file holds.
type Head struct {
	Version int       `json:"v"`
	Camera  string    `json:"camera"`
	Stream  string    `json:"stream"`
	Start   time.Time `json:"start"` // of the first picture, UTC
	// Seq counts the files of a stream, from 1. Prev is the link of the one before.
	Seq  uint64 `json:"seq"`
	Prev Sum    `json:"prev"`
	// Run is when pictures began that follow each other without a break; Offset
	// is how many ticks later this file begins by the camera's own count.
	Run    time.Time `json:"run"`
	Offset int64     `json:"offset"`
	Event  bool      `json:"event,omitempty"` // recorded because something happened
}

// version is of the form of files.
const version = 1

// Limits of what is read.
const (
	maxInit = 64 << 10
	maxHead = 4 << 10
	maxMoof = 1 << 20
	maxMdat = 256 << 20
)

// mark is the type of our box: a UUID of version 4, drawn for this format.
func mark() [16]byte {
	return [16]byte{0x6a, 0x1c, 0x0d, 0x5e, 0x93, 0xb4, 0x4f, 0x27, 0xa8, 0x6e, 0x41, 0x7d, 0x52, 0xc9, 0x1b, 0xf0}
}

// AppendHead writes the start of a file: what a decoder needs and whose pictures
// these are. The first init bytes are an initialisation segment of their own.
func AppendHead(dst []byte, f *stream.Format, h Head) (b []byte, init int, err error) {
	h.Version = version
	var codec codecs.Codec
	switch f.Codec {
	case stream.H264:
		codec = &codecs.H264{SPS: f.SPS, PPS: f.PPS}
	case stream.H265:
		codec = &codecs.H265{VPS: f.VPS, SPS: f.SPS, PPS: f.PPS}
	default:
		return nil, 0, fmt.Errorf("codec %q cannot be recorded", f.Codec)
	}
	var buf seekablebuffer.Buffer
	tracks := fmp4.Init{Tracks: []*fmp4.InitTrack{{ID: pictureTrack, TimeScale: Scale, Codec: codec}}}
	if f.Sound != nil {
		sound, err := soundCodec(f.Sound)
		if err != nil {
			return nil, 0, err
		}
		tracks.Tracks = append(tracks.Tracks, &fmp4.InitTrack{ID: soundTrack, TimeScale: Scale, Codec: sound})
	}
	if err := tracks.Marshal(&buf); err != nil {
		return nil, 0, fmt.Errorf("describe the pictures: %w", err)
	}
	text, err := json.Marshal(h)
	if err != nil {
		return nil, 0, fmt.Errorf("write the head: %w", err)
	}
	dst = append(dst, buf.Bytes()...)
	init = buf.Len()
	dst, at := open(dst, "uuid")
	id := mark()
	dst = append(append(dst, id[:]...), text...)
	shut(dst, at)
	return dst, init, nil
}

// Opening is the start of a file as it was read.
type Opening struct {
	Head
	Init []byte // the initialisation segment
	Size int64  // where the first part begins
}

// ReadOpening reads the start of a file.
func ReadOpening(r io.ReaderAt, size int64) (*Opening, error) {
	b := make([]byte, min(size, maxInit+maxHead))
	n, err := r.ReadAt(b, 0)
	if err != nil && err != io.EOF { //nolint:errorlint // ReaderAt returns it bare
		return nil, fmt.Errorf("read the head: %w", err)
	}
	b = b[:n]
	at := 0
	for _, kind := range []string{"ftyp", "moov"} {
		x, err := next(b[at:])
		if err != nil || x.kind != kind {
			return nil, fmt.Errorf("no %s: %w", kind, ErrForm)
		}
		at += x.size
	}
	x, err := next(b[at:])
	id := mark()
	if err != nil || x.kind != "uuid" || !bytes.HasPrefix(x.body, id[:]) || x.size > maxHead {
		return nil, fmt.Errorf("no head: %w", ErrForm)
	}
	o := &Opening{Init: slices.Clone(b[:at]), Size: int64(at + x.size)}
	if err := json.Unmarshal(x.body[len(id):], &o.Head); err != nil {
		return nil, fmt.Errorf("read the head: %w", err)
	}
	if o.Version < 1 || o.Version > version {
		return nil, fmt.Errorf("version %d of the form: %w", o.Version, ErrForm)
	}
	return o, nil
}

// Description is the stsd box of an initialisation segment.
func Description(init []byte) ([]byte, error) {
	return find(init, "moov", "trak", "mdia", "minf", "stbl", "stsd")
}

// Format reads back what a decoder needs.
func Format(init []byte) (*stream.Format, error) {
	var in fmp4.Init
	if err := in.Unmarshal(bytes.NewReader(init)); err != nil {
		return nil, fmt.Errorf("read the description of pictures: %w", err)
	}
	switch c := in.Tracks[0].Codec.(type) {
	case *codecs.H264:
		f := &stream.Format{Codec: stream.H264, SPS: c.SPS, PPS: c.PPS, Mime: mime264(c.SPS)}
		var sps h264.SPS
		if sps.Unmarshal(c.SPS) == nil {
			f.Width, f.Height = sps.Width(), sps.Height()
		}
		return f, nil
	case *codecs.H265:
		f := &stream.Format{Codec: stream.H265, VPS: c.VPS, SPS: c.SPS, PPS: c.PPS, Mime: "hvc1"}
		var sps h265.SPS
		if sps.Unmarshal(c.SPS) == nil {
			f.Width, f.Height = sps.Width(), sps.Height()
		}
		return f, nil
	}
	return nil, fmt.Errorf("unknown codec: %w", ErrForm)
}

func mime264(sps []byte) string {
	if len(sps) < 4 {
		return "avc1"
	}
	return "avc1." + hex.EncodeToString(sps[1:4])
}

// Entry is what the chain says of one file.
type Entry struct {
	Camera, Stream string
	Seq            uint64
	Start, End     time.Time
	Bytes          int64
	Prev, Sum      Sum
}

// Link makes the next link of a stream's chain. It covers the file by its sum
// and all that came before by the link before.
func (e Entry) Link() Sum {
	b := make([]byte, 0, 256)
	b = append(b, "chargewatch segment 1\n"...)
	for _, s := range []string{e.Camera, e.Stream} {
		b = append(u32(b, uint32(len(s))), s...)
	}
	b = u64(b, e.Seq)
	b = u64(b, uint64(e.Start.UnixMicro()))
	b = u64(b, uint64(e.End.UnixMicro()))
	b = u64(b, uint64(e.Bytes))
	b = append(b, e.Prev[:]...)
	b = append(b, e.Sum[:]...)
	return sha256.Sum256(b)
}

// FormatID names an initialisation segment: files with the same one play on
// from each other.
func FormatID(init []byte) uint64 {
	sum := sha256.Sum256(init)
	return binary.BigEndian.Uint64(sum[:]) >> 1 // fits a signed column
}

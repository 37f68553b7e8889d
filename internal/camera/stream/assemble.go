package stream

import (
	"errors"
	"fmt"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/format/rtph264"
	"github.com/bluenviron/gortsplib/v5/pkg/format/rtph265"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
	"github.com/pion/rtp"
)

// What a picture may take: in bytes, and in packets if it comes byte by byte.
const (
	maxPicture = 8 << 20
	maxPackets = 8192
)

// assembler makes units of the packets of one connection. It is used by one
// goroutine at a time.
type assembler struct {
	epoch   uint64
	publish func(*Unit)
	now     func() time.Time
	// taken is when the camera says that a packet's picture was taken.
	taken func(*rtp.Packet) (time.Time, bool)

	// hears is the sound beside the pictures; nil: it is not asked for.
	hears *hearing

	depacketise func(*rtp.Packet) ([][]byte, error)
	restart     func() error
	sets        sets
	line        timeline
	wall        wall

	sequence uint16 // of the packet before
	started  bool
	packets  int    // since the last picture was whole
	bytes    int    // in them
	hole     bool   // what comes next does not follow
	skip     bool   // the picture that a hole fell into is not used
	skipped  uint32 // its time stamp

	// counters, read by the watchdog through watch
	watch *watch
}

// newAssembler reads what the description says.
func newAssembler(f format.Format, w *watch) (*assembler, error) {
	a := &assembler{hole: true, watch: w}
	switch f := f.(type) {
	case *format.H264:
		a.sets = sets{codec: H264}
		a.sets.remember(nil, some(f.SPS), some(f.PPS))
		a.restart = func() error {
			d := &rtph264.Decoder{PacketizationMode: f.PacketizationMode}
			a.depacketise = d.Decode
			return d.Init()
		}
		a.line.fresh = func() extractor {
			x := &h264.DTSExtractor{}
			x.Initialize()
			return x
		}
	case *format.H265:
		a.sets = sets{codec: H265}
		a.sets.remember(some(f.VPS), some(f.SPS), some(f.PPS))
		a.restart = func() error {
			d := &rtph265.Decoder{MaxDONDiff: f.MaxDONDiff}
			a.depacketise = d.Decode
			return d.Init()
		}
		a.line.fresh = func() extractor {
			x := &h265.DTSExtractor{}
			x.Initialize()
			return x
		}
	default:
		return nil, &Failure{Reason: ReasonCodec, Detail: fmt.Sprintf("the stream is %T", f)}
	}
	if err := a.restart(); err != nil {
		return nil, &Failure{Reason: ReasonCodec, Detail: "the camera packs pictures in a way that is not known", err: err}
	}
	return a, nil
}

func some(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}

// packet takes the next packet. An error ends the connection.
func (a *assembler) packet(p *rtp.Packet) error {
	if a.started && p.SequenceNumber != a.sequence+1 {
		// The picture that the hole fell into may lack its beginning: not one of its
		// packets is used.
		if err := a.restart(); err != nil {
			return fmt.Errorf("begin behind a hole: %w", err)
		}
		a.hole, a.skip, a.skipped = true, true, p.Timestamp
		a.packets, a.bytes = 0, 0
		a.watch.holes.Add(1)
	}
	a.started, a.sequence = true, p.SequenceNumber
	if a.skip {
		if p.Timestamp == a.skipped {
			return nil
		}
		a.skip = false
	}
	a.packets++
	a.bytes += len(p.Payload)
	if a.packets > maxPackets || a.bytes > maxPicture {
		return &Failure{Reason: ReasonProtocol, Detail: "a picture never ends"}
	}
	au, err := a.depacketise(p)
	switch {
	case err == nil:
	case errors.Is(err, rtph264.ErrMorePacketsNeeded), errors.Is(err, rtph265.ErrMorePacketsNeeded),
		errors.Is(err, rtph264.ErrNonStartingPacketAndNoPrevious), errors.Is(err, rtph265.ErrNonStartingPacketAndNoPrevious):
		return nil
	default:
		a.watch.damaged.Add(1)
		a.hole = true
		return nil
	}
	a.packets, a.bytes = 0, 0
	a.unit(au, p)
	return nil
}

// unit passes a whole access unit on.
func (a *assembler) unit(au [][]byte, p *rtp.Packet) {
	s, err := a.sets.take(au)
	if err != nil {
		if !errors.Is(err, errNoPicture) {
			a.watch.damaged.Add(1)
			a.hole = true
		}
		return
	}
	now := a.now().Round(0) // the wall clock only: it may be set
	a.watch.frame(now)
	if a.sets.format == nil {
		return // nobody can decode it, before the first key picture
	}
	pts, dts, jumped := a.line.place(s.nalus, p.Timestamp, now)
	u := &Unit{
		Format: a.sets.format, NALUs: s.nalus, PTS: duration(pts), DTS: duration(dts),
		ReceivedAt: now, Key: s.key, Broken: a.hole || jumped, Epoch: a.epoch,
	}
	u.At = a.wall.at(u.PTS, now)
	if at, ok := a.taken(p); ok {
		u.CameraAt = at
	}
	if a.hears != nil {
		u.Sound = a.hears.take(u)
	}
	a.hole = false
	a.watch.unit(u)
	a.publish(u)
}

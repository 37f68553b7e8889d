package stream

import (
	"cmp"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/opus"
	"github.com/pion/rtp"
)

// SoundCodec is how sound is compressed.
type SoundCodec string

// The codecs of sound that browsers play out of recordings.
const (
	AAC  SoundCodec = "aac"
	Opus SoundCodec = "opus"
)

// SoundFormat is what a decoder has to know before the first sound.
type SoundFormat struct {
	Codec    SoundCodec
	Channels int
	Config   []byte // of AAC: its AudioSpecificConfig
}

// Sound is some hundredths of a second of it, as it came.
type Sound struct {
	PTS    time.Duration // on the scale of the pictures
	Length time.Duration
	Data   []byte
}

// What becomes of a camera's sound, for Health.
const (
	SoundNone    = "none"  // the camera offers none
	SoundUnknown = "codec" // only such as is not recorded
	SoundRefused = "refused"
)

// Bounds of what waits for the next picture. Whoever sends sound and no pictures
// is not listened to.
const (
	maxHeard      = 1024
	maxHeardBytes = 512 << 10
	maxSound      = 8 << 10
)

// hearing takes the sound of one connection and keeps it for the next picture.
type hearing struct {
	format *SoundFormat
	rate   int64 // time stamps a second
	split  func(*rtp.Packet) ([][]byte, error)
	length func(data []byte) int64 // in time stamps
	now    func() time.Time
	watch  *watch

	// Of the goroutine that reads packets:
	started bool
	stamp   uint32
	ticks   int64
	since   time.Time
	wall    wall

	mu      sync.Mutex // pictures may come from another goroutine
	waiting []heard
	bytes   int
}

type heard struct {
	at     time.Time
	length time.Duration
	data   []byte
}

// audible finds the first sound that can be recorded. Without one it says why.
func audible(desc *description.Session) (*description.Media, format.Format, string) {
	why := SoundNone
	for _, m := range desc.Medias {
		if m.IsBackChannel || m.Type != description.MediaTypeAudio {
			continue
		}
		for _, f := range m.Formats {
			switch f := f.(type) {
			case *format.MPEG4Audio:
				if c := f.Config; c != nil && c.SampleRate > 0 && c.ChannelConfig > 0 {
					return m, f, string(AAC)
				}
			case *format.Opus:
				if f.ChannelCount == 1 || f.ChannelCount == 2 {
					return m, f, string(Opus)
				}
			}
			why = SoundUnknown
		}
	}
	return nil, nil, why
}

func newHearing(f format.Format, w *watch, now func() time.Time) (*hearing, error) {
	h := &hearing{rate: int64(f.ClockRate()), watch: w, now: now}
	switch f := f.(type) {
	case *format.MPEG4Audio:
		d, err := f.CreateDecoder()
		if err != nil {
			return nil, fmt.Errorf("unpack AAC: %w", err)
		}
		config, err := f.Config.Marshal()
		if err != nil {
			return nil, fmt.Errorf("describe AAC: %w", err)
		}
		h.format = &SoundFormat{Codec: AAC, Channels: int(f.Config.ChannelConfig), Config: config}
		h.split = d.Decode
		h.length = func([]byte) int64 { return mpeg4audio.SamplesPerAccessUnit }
	case *format.Opus:
		h.format = &SoundFormat{Codec: Opus, Channels: f.ChannelCount}
		h.split = func(p *rtp.Packet) ([][]byte, error) { return [][]byte{p.Payload}, nil }
		h.length = opus.PacketDuration2
	case *format.G711:
		return nil, errors.New("sound is G711")
	default:
		return nil, fmt.Errorf("sound is %s", cmp.Or(f.RTPMap(), "of an unknown kind"))
	}
	if h.rate < 8000 || h.rate > 192_000 {
		return nil, fmt.Errorf("sound of %d Hz", h.rate)
	}
	return h, nil
}

// packet takes the next packet. What cannot be read is left out: no picture is lost
// because of it.
func (h *hearing) packet(p *rtp.Packet) {
	data, err := h.split(p)
	if err != nil || len(data) == 0 {
		return // it goes on in the next packet, or began in one that was lost
	}
	now := h.now().Round(0)
	step := int64(int32(p.Timestamp - h.stamp))
	if passed := now.Sub(h.since); h.started && (step < 0 || time.Duration(step)*time.Second/time.Duration(h.rate) > passed+3*time.Second) {
		step = int64(max(passed, 0)) * h.rate / int64(time.Second) // a jump: it goes on with our clock
	}
	if h.started {
		h.ticks += step
	}
	h.started, h.stamp, h.since = true, p.Timestamp, now
	at := h.wall.at(h.time(h.ticks), now)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, x := range data {
		n := h.length(x)
		if len(x) == 0 || len(x) > maxSound || n <= 0 || n > h.rate {
			h.watch.damaged.Add(1)
			return
		}
		if len(h.waiting) == maxHeard || h.bytes+len(x) > maxHeardBytes {
			clear(h.waiting)
			h.waiting, h.bytes = h.waiting[:0], 0
		}
		h.waiting = append(h.waiting, heard{at, h.time(n), x})
		h.bytes += len(x)
		at = at.Add(h.time(n))
	}
}

func (h *hearing) time(ticks int64) time.Duration {
	return time.Duration(ticks/h.rate)*time.Second + time.Duration(ticks%h.rate)*time.Second/time.Duration(h.rate)
}

// take hands over what came since the last picture, on the scale of this one.
func (h *hearing) take(u *Unit) []Sound {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.waiting) == 0 {
		return nil
	}
	out := make([]Sound, 0, len(h.waiting))
	for _, x := range h.waiting {
		out = append(out, Sound{PTS: u.PTS + x.at.Sub(u.At), Length: x.length, Data: x.data})
	}
	clear(h.waiting)
	h.waiting, h.bytes = h.waiting[:0], 0
	return out
}

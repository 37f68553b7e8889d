// Package recordtest has pictures for the tests of everything that records,
// plays and proves: small real clips as a camera would send them.
package recordtest

import (
	"bytes"
	"embed"
	"fmt"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

//go:embed *.h264 *.h265 *.aac
var clips embed.FS

// FPS and Group are of all clips: pictures a second, and from key to key.
const (
	FPS   = 20
	Group = 40
)

// Frame is the time of one picture.
const Frame = time.Second / FPS

// The clips.
const (
	Plain   = "clip.h264"    // 8 s
	Between = "bframes.h264" // 4 s, with pictures that need later ones
	HEVC    = "clip.h265"    // 4 s
)

// Camera plays a clip again and again.
type Camera struct {
	format *stream.Format
	groups []picture

	tone  [][]byte // frames of sound; nil: it is silent
	said  int
	heard time.Duration // how much of it came
	hush  bool

	n     int
	epoch uint64
	dts   time.Duration
	at    time.Time
	hole  bool
}

type picture struct {
	nalus [][]byte
	key   bool
	shift time.Duration
}

// New returns a camera that shows its first picture at a time.
func New(clip string, at time.Time) (*Camera, error) {
	raw, err := clips.ReadFile(clip)
	if err != nil {
		return nil, fmt.Errorf("read a clip: %w", err)
	}
	c := &Camera{at: at, epoch: 1, format: &stream.Format{Codec: stream.H264, Width: 320, Height: 180, Mime: "avc1.4d400d"}}
	if clip == HEVC {
		c.format.Codec, c.format.Mime = stream.H265, "hvc1"
	}
	var cur picture
	for _, n := range bytes.Split(raw, []byte{0, 0, 1}) {
		if n = bytes.TrimRight(n, "\x00"); len(n) == 0 {
			continue
		}
		picks, key, set := c.kind(n)
		if set != nil {
			*set = n
		}
		cur.nalus = append(cur.nalus, n)
		if picks {
			cur.key = key
			c.groups = append(c.groups, cur)
			cur = picture{}
		}
	}
	if clip == Between {
		c.reorder()
	}
	return c, nil
}

// kind says whether a NALU is a picture and whether a key picture, or which
// parameter set it is.
func (c *Camera) kind(n []byte) (picks, key bool, set *[]byte) {
	if c.format.Codec == stream.H265 {
		switch k := n[0] >> 1 & 0x3f; {
		case k == 32:
			return false, false, &c.format.VPS
		case k == 33:
			return false, false, &c.format.SPS
		case k == 34:
			return false, false, &c.format.PPS
		case k < 32:
			return true, k >= 16 && k <= 21, nil
		}
		return false, false, nil
	}
	switch n[0] & 0x1f {
	case 7:
		return false, false, &c.format.SPS
	case 8:
		return false, false, &c.format.PPS
	case 1:
		return true, false, nil
	case 5:
		return true, true, nil
	}
	return false, false, nil
}

// reorder finds out when pictures are shown that lie in another order: those
// that nothing refers to are shown before the one that lies ahead of them.
func (c *Camera) reorder() {
	for i := range c.groups {
		c.groups[i].shift = 2 * Frame
	}
	for i := 0; i < len(c.groups); i++ {
		late := i
		for late+1 < len(c.groups) && disposable(c.groups[late+1]) {
			late++
		}
		c.groups[i].shift += time.Duration(late-i) * Frame
		for j := i + 1; j <= late; j++ {
			c.groups[j].shift -= Frame
		}
		i = late
	}
}

func disposable(p picture) bool { return p.nalus[len(p.nalus)-1][0]>>5&3 == 0 }

// Format is what a decoder has to know.
func (c *Camera) Format() *stream.Format { return c.format }

// Next is the next picture.
func (c *Camera) Next() *stream.Unit {
	p := c.groups[c.n%len(c.groups)]
	u := &stream.Unit{
		Format: c.format, NALUs: p.nalus, DTS: c.dts, PTS: c.dts + p.shift, At: c.at, ReceivedAt: c.at,
		Key: p.key, Broken: c.hole, Epoch: c.epoch,
	}
	if p.key {
		u.NALUs = nil
		for _, set := range [][]byte{c.format.VPS, c.format.SPS, c.format.PPS} {
			if set != nil {
				u.NALUs = append(u.NALUs, set)
			}
		}
		u.NALUs = append(u.NALUs, p.nalus[len(p.nalus)-1])
	}
	u.Sound = c.sound(u)
	c.hole = false
	c.n++
	c.dts += Frame
	c.at = c.at.Add(Frame)
	return u
}

// ToneFrame is the time of one frame of sound.
const ToneFrame = 64 * time.Millisecond

// Speak lets the camera send a tone of 440 Hz beside its pictures, in AAC.
func (c *Camera) Speak() error {
	raw, err := clips.ReadFile("tone.aac")
	if err != nil {
		return fmt.Errorf("read a tone: %w", err)
	}
	var packets mpeg4audio.ADTSPackets
	if err := packets.Unmarshal(raw); err != nil {
		return fmt.Errorf("read a tone: %w", err)
	}
	for _, p := range packets {
		c.tone = append(c.tone, p.AU)
	}
	config, err := mpeg4audio.AudioSpecificConfig{Type: mpeg4audio.ObjectTypeAACLC, SampleRate: 16000, ChannelConfig: 1}.Marshal()
	if err != nil {
		return fmt.Errorf("describe a tone: %w", err)
	}
	c.format.Sound = &stream.SoundFormat{Codec: stream.AAC, Channels: 1, Config: config}
	return nil
}

// Hush keeps the tone back while pictures go on, or lets it be heard again.
func (c *Camera) Hush(on bool) { c.hush = on }

// sound is what was heard up to a picture.
func (c *Camera) sound(u *stream.Unit) (out []stream.Sound) {
	if c.tone == nil {
		return nil
	}
	c.heard = max(c.heard, u.PTS-2*ToneFrame)
	if u.Broken {
		c.heard = u.PTS
	}
	for ; c.heard+ToneFrame <= u.PTS; c.heard += ToneFrame {
		if !c.hush {
			out = append(out, stream.Sound{PTS: c.heard, Length: ToneFrame, Data: c.tone[c.said%len(c.tone)]})
		}
		c.said++
	}
	return out
}

// Skip lets time pass in which the camera is out of reach; it comes back with a
// key picture.
func (c *Camera) Skip(d time.Duration) {
	c.at = c.at.Add(d)
	c.epoch++
	c.dts = 0
	c.hole = true
	c.n = (c.n + Group - 1) / Group * Group
}

// Stall lets time pass in which it sends nothing over the same connection.
func (c *Camera) Stall(d time.Duration) {
	c.at = c.at.Add(d)
	c.dts += d
	c.n = (c.n + Group - 1) / Group * Group
}

// Now is when its next picture comes.
func (c *Camera) Now() time.Time { return c.at }

// Play shows n pictures through a hub, no faster than counted says that they
// were taken.
func Play(hub *stream.Hub, c *Camera, n int, counted func() uint64) {
	const most = 100
	for begun := counted(); n > 0; n -= most {
		k := min(n, most)
		for range k {
			hub.Publish(c.Next())
		}
		begun += uint64(k)
		for counted() < begun {
			time.Sleep(50 * time.Microsecond)
		}
	}
}

package camera

import (
	"fmt"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/pion/rtp"

	"github.com/chargewatch/chargewatch/internal/sim/camera/clips"
)

// toneRate is the clock of the tone, toneFrame the time of one frame of it.
const (
	toneRate  = 16_000
	toneFrame = mpeg4audio.SamplesPerAccessUnit * time.Second / toneRate
)

// tone is what a camera with sound sends beside its main stream.
type tone struct {
	media  *description.Media
	frames [][]byte
	encode func([][]byte) ([]*rtp.Packet, error)
	sent   int // frames
}

func newTone() (*tone, error) {
	raw, err := clips.Tone()
	if err != nil {
		return nil, err
	}
	var packets mpeg4audio.ADTSPackets
	if err := packets.Unmarshal(raw); err != nil {
		return nil, fmt.Errorf("read tone: %w", err)
	}
	f := &format.MPEG4Audio{
		PayloadTyp: 97, SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3,
		Config: &mpeg4audio.AudioSpecificConfig{Type: mpeg4audio.ObjectTypeAACLC, SampleRate: toneRate, ChannelConfig: 1},
	}
	e, err := f.CreateEncoder()
	if err != nil {
		return nil, fmt.Errorf("pack tone: %w", err)
	}
	t := &tone{media: &description.Media{Type: description.MediaTypeAudio, Formats: []format.Format{f}}, encode: e.Encode}
	for _, p := range packets {
		t.frames = append(t.frames, p.AU)
	}
	return t, nil
}

// sound sends the tone up to a time of the pictures.
func (c *cam) sound(due time.Time) error {
	o := c.out[false]
	if c.tone == nil || o == nil || c.fault == Stall || c.fault == Offline {
		return nil
	}
	t := c.tone
	if late := c.media - time.Duration(t.sent)*toneFrame; late > time.Second {
		t.sent = int(c.media / toneFrame) // pictures were left out
	}
	for ; time.Duration(t.sent+1)*toneFrame <= c.media; t.sent++ {
		packets, err := t.encode(t.frames[t.sent%len(t.frames) : t.sent%len(t.frames)+1])
		if err != nil {
			return fmt.Errorf("pack the sound of %s: %w", c.spec.Name, err)
		}
		for _, p := range packets {
			p.Timestamp = uint32(t.sent * mpeg4audio.SamplesPerAccessUnit)
			at := due.Add(time.Duration(t.sent)*toneFrame - c.media)
			if err := o.stream.WritePacketRTPWithNTP(t.media, p, at); err != nil {
				return fmt.Errorf("send the sound of %s: %w", c.spec.Name, err)
			}
		}
	}
	return nil
}

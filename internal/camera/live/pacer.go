package live

import (
	"fmt"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/format/rtph264"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// payloadSize leaves room for SRTP, extensions and tunnels in 1,280 bytes.
const payloadSize = 1160

// pacer makes RTP packets of units for one viewer. Its time only grows: it goes on
// over new connections of the camera, and what waited before the viewer came is
// squeezed, so that now is shown as now.
type pacer struct {
	encoder rtph264.Encoder
	delay   uint8 // id of the extension that asks for no delay; 0: not agreed

	started bool
	changed bool // what comes is of another stream
	epoch   uint64
	pts     time.Duration
	at      time.Time
	ticks   uint32
}

func newPacer(sender *webrtc.RTPSender) (*pacer, error) {
	p := &pacer{encoder: rtph264.Encoder{PayloadType: videoPayload, PayloadMaxSize: payloadSize, PacketizationMode: 1}}
	if err := p.encoder.Init(); err != nil {
		return nil, fmt.Errorf("make packets: %w", err)
	}
	if sender != nil {
		for _, e := range sender.GetParameters().HeaderExtensions {
			if e.URI == playoutDelay && e.ID > 0 && e.ID < 15 {
				p.delay = uint8(e.ID)
			}
		}
	}
	return p, nil
}

// packets makes the packets of a unit; backlog is how many units of the past
// follow before the first of now.
func (p *pacer) packets(u *stream.Unit, backlog int) ([]*rtp.Packet, error) {
	p.advance(u, backlog > 0)
	packets, err := p.encoder.Encode(u.NALUs)
	if err != nil {
		return nil, fmt.Errorf("make packets: %w", err)
	}
	for _, packet := range packets {
		packet.Timestamp = p.ticks
		if p.delay != 0 {
			if err := packet.SetExtension(p.delay, []byte{0, 0, 0}); err != nil {
				return nil, fmt.Errorf("ask for no delay: %w", err)
			}
		}
	}
	return packets, nil
}

// change says that pictures of another stream follow.
func (p *pacer) change() { p.changed = true }

// follows reports whether a viewer who saw all before can decode the unit.
func (p *pacer) follows(u *stream.Unit) bool {
	return u.Key || p.started && u.Epoch == p.epoch
}

// advance moves the viewer's clock to the unit.
func (p *pacer) advance(u *stream.Unit, past bool) {
	step := u.PTS - p.pts
	switch {
	case !p.started:
		step = 0
	case past:
		step = time.Millisecond
	case p.changed || u.Epoch != p.epoch || u.Broken || step <= 0 || step > 10*time.Second:
		step = min(max(u.ReceivedAt.Sub(p.at), time.Millisecond), 10*time.Second)
	}
	p.changed = false
	p.started, p.epoch, p.pts, p.at = true, u.Epoch, u.PTS, u.ReceivedAt
	p.ticks += uint32(step * clockRate / time.Second)
}

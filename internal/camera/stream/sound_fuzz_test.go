package stream

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/pion/rtp"
)

// FuzzSound plays packets of any content as sound: time stamp and payload of each.
func FuzzSound(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x08\x00\x10\x00\x20abcd"), false)
	f.Add([]byte("\xff\xff\xff\x00\x03\xf8\x00\x01"), true)
	f.Fuzz(func(t *testing.T, b []byte, opus bool) {
		var of format.Format = &format.MPEG4Audio{
			PayloadTyp: 97, SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3,
			Config: &mpeg4audio.AudioSpecificConfig{Type: mpeg4audio.ObjectTypeAACLC, SampleRate: 16000, ChannelConfig: 1},
		}
		if opus {
			of = &format.Opus{PayloadTyp: 97, ChannelCount: 2}
		}
		now := time.Unix(1_800_000_000, 0)
		h, err := newHearing(of, &watch{}, func() time.Time { now = now.Add(20 * time.Millisecond); return now })
		if err != nil {
			t.Fatal(err)
		}
		for n := uint16(0); len(b) >= 5; n++ {
			size := min(int(b[4]), len(b)-5)
			h.packet(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: n, Timestamp: binary.BigEndian.Uint32(b)}, Payload: b[5 : 5+size]})
			b = b[5+size:]
		}
		if len(h.waiting) > maxHeard || h.bytes > maxHeardBytes {
			t.Fatalf("%d pieces, %d bytes wait", len(h.waiting), h.bytes)
		}
		u := &Unit{PTS: time.Hour, At: now}
		for _, x := range h.take(u) {
			if x.Length <= 0 || x.Length > time.Second || len(x.Data) == 0 || len(x.Data) > maxSound {
				t.Fatalf("%v, %d bytes", x.Length, len(x.Data))
			}
		}
	})
}

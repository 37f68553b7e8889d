package stream

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/sdpunmarshaler"
	"github.com/pion/rtp"
)

// FuzzPackets sends packets as a camera might make them up. Whatever they are, what
// comes out are pictures whose times grow and whose size is bounded.
func FuzzPackets(f *testing.F) {
	packet := func(step byte, payload string) []byte {
		return append([]byte{step, byte(len(payload) >> 8), byte(len(payload))}, payload...)
	}
	sps := "\x67\x42\xc0\x28\xd9\x00\x78\x02\x27\xe5\x84\x00\x00\x03\x00\x04\x00\x00\x03\x00\xf0\x3c\x60\xc9\x20"
	f.Add(false, slices.Concat(packet(0x01, sps), packet(0x01, "\x68\xce\x38\x80"), packet(0x81, "\x65\x88\x84\x00"), packet(0x91, "\x41\x9a\x00")))
	f.Add(false, slices.Concat(packet(0x81, "\x7c\x85\x88"), packet(0x81, "\x7c\x45\x88"), packet(0xff, "\x78\x00\x02\x41\x9a")))
	f.Add(true, slices.Concat(packet(0x01, "\x40\x01\x0c\x01"), packet(0x01, "\x42\x01\x01\x01"), packet(0x01, "\x44\x01\xc0"), packet(0x81, "\x26\x01\xaf")))
	f.Fuzz(func(t *testing.T, second bool, data []byte) {
		var from format.Format = &format.H264{PacketizationMode: 1}
		if second {
			from = &format.H265{}
		}
		var w watch
		a, err := newAssembler(from, &w)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Unix(1_700_000_000, 0)
		var last *Unit
		a.now = func() time.Time { return now }
		a.taken = func(*rtp.Packet) (time.Time, bool) { return time.Time{}, false }
		a.publish = func(u *Unit) {
			if u.Format == nil || len(u.NALUs) == 0 || u.Size() > maxPicture+1<<20 {
				t.Fatalf("published %+v", u)
			}
			if last != nil && u.DTS <= last.DTS {
				t.Fatalf("from %s to %s", last.DTS, u.DTS)
			}
			last = u
		}
		p := rtp.Packet{Header: rtp.Header{Version: 2}}
		for len(data) >= 3 {
			// One byte: the last packet of a picture, a lost one before it, and how far on.
			size := min(int(binary.BigEndian.Uint16(data[1:3])), len(data)-3)
			p.Marker = data[0]&0x80 != 0
			p.SequenceNumber += 1 + uint16(data[0]>>6&1)
			p.Timestamp += uint32(data[0]&0x30) * 6000
			now = now.Add(time.Duration(data[0]&0x0f) * 10 * time.Millisecond)
			p.Payload = slices.Clone(data[3 : 3+size])
			data = data[3+size:]
			if err := a.packet(&p); err != nil {
				return // the connection ends
			}
		}
	})
}

// FuzzDescription reads what a camera says of its streams: one of pictures is
// chosen, or none, and never one of sound.
func FuzzDescription(f *testing.F) {
	const head = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
	f.Add(head + "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0LAKNkAeAIn5YQAAAMABAAAAwDwPGDJIA==,aM44gA==\r\na=control:trackID=0\r\n")
	f.Add(head + "m=audio 0 RTP/AVP 0\r\na=control:trackID=0\r\nm=video 0 RTP/AVP 97\r\na=rtpmap:97 H265/90000\r\na=control:trackID=1\r\n")
	f.Add(head + "m=audio 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:x\r\n")
	f.Add(head + "m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\na=control:x\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := sdpunmarshaler.Unmarshal([]byte(text))
		if err != nil {
			return
		}
		var d description.Session
		d.BaseURL = &base.URL{Scheme: "rtsp", Host: "10.0.0.1"}
		if err := d.Unmarshal2(s); err != nil {
			return
		}
		m, chosen, err := video(&d)
		if err != nil {
			return
		}
		if m.Type != description.MediaTypeVideo || m.IsBackChannel {
			t.Fatalf("chosen: %s %T", m.Type, chosen)
		}
		if _, err := newAssembler(chosen, new(watch)); err != nil {
			_ = failure(err).Error() // it is said why
		}
	})
}

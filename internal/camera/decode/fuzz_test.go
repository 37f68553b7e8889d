package decode

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// FuzzNUT reads what a child that went wrong might write: it ends, within the
// bounds, and never hands out more than a picture.
func FuzzNUT(f *testing.F) {
	f.Add([]byte(nutMagic))
	head := binary.BigEndian.AppendUint64([]byte(nutMagic), nutMain)
	f.Add(append(head, 0x20, 3, 1, 0x80, 0, 1, 1, 25, 0, 0, 0, 0, 0, 0, 0, 0))
	f.Add(append(binary.BigEndian.AppendUint64([]byte(nutMagic), nutStream), 0x10, 0, 0, 4, 'I', '4', '2', '0', 1, 14, 10, 0))
	f.Add(append(binary.BigEndian.AppendUint64([]byte(nutMagic), nutSyncpoint), bytes.Repeat([]byte{0xff}, 64)...))
	const limit = 1 << 16
	f.Fuzz(func(t *testing.T, data []byte) {
		n := newNutReader(bytes.NewReader(data), limit)
		if err := n.head(); err != nil {
			return
		}
		var buf []byte
		for range len(data) + 1 {
			_, picture, err := n.next(buf)
			if err != nil {
				return
			}
			if len(picture) > limit {
				t.Fatalf("a picture of %d bytes", len(picture))
			}
			buf = picture
		}
		t.Fatal("it goes on behind its end")
	})
}

// FuzzKeyPicture cuts units of cameras down to what a decoder is given, and puts
// that into the container that it reads.
func FuzzKeyPicture(f *testing.F) {
	f.Add(false, []byte("\x67\x4d\x00\x1e\x00\x68\xee\x00\x65\x88\x80"))
	f.Add(true, []byte("\x40\x01\x0c\x00\x42\x01\x01\x00\x44\x01\xc0\x00\x26\x01\xaf"))
	f.Fuzz(func(t *testing.T, second bool, data []byte) {
		u := &stream.Unit{Format: &stream.Format{Codec: stream.H264}, Key: true, At: time.Unix(1, 0), NALUs: bytes.Split(data, []byte{0})}
		if second {
			u.Format.Codec = stream.H265
		}
		nalus, err := keyPicture(u)
		if err != nil {
			return
		}
		if len(nalus) < 3 || len(nalus) > len(u.NALUs) {
			t.Fatalf("%d of %d parts", len(nalus), len(u.NALUs))
		}
		size := 0
		for _, n := range nalus {
			size += 4 + len(n)
		}
		if b := matroskaPicture(nil, 1, nalus); len(b) < size {
			t.Fatalf("%d bytes of %d", len(b), size)
		}
	})
}

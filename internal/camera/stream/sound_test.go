package stream_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/pion/rtp"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// tape keeps all bytes of a connection.
type tape struct {
	net.Conn
	mu        *sync.Mutex
	said, got *bytes.Buffer
}

func (p *tape) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got.Write(b[:n])
	return n, err
}

func (p *tape) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said.Write(b)
	return p.Conn.Write(b)
}

func aac() *format.MPEG4Audio {
	return &format.MPEG4Audio{
		PayloadTyp: 97, SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3,
		Config: &mpeg4audio.AudioSpecificConfig{Type: mpeg4audio.ObjectTypeAACLC, SampleRate: 16000, ChannelConfig: 1},
	}
}

// Sound that nobody permitted is not only not kept: a camera is not asked for it, and
// none of it crosses the wire.
func TestSoundIsNotAskedForUnlessItIsPermitted(t *testing.T) {
	for name, f := range map[string]format.Format{
		"G.711": &format.G711{PayloadTyp: 0, MULaw: true, SampleRate: 8000, ChannelCount: 1},
		"AAC":   aac(),
		"Opus":  &format.Opus{PayloadTyp: 97, ChannelCount: 2},
	} {
		t.Run(name, func(t *testing.T) {
			speech := bytes.Repeat([]byte("speech "), 20)
			shots := clip(t, "plain.ts")
			c := serve(t, h264(), func(c *camera) {
				c.sound = &description.Media{Type: description.MediaTypeAudio, Formats: []format.Format{f}}
			})
			var mu sync.Mutex
			var said, got bytes.Buffer
			hub := &stream.Hub{}
			r := hub.Follow(stream.FollowOptions{Buffer: 512})
			s := stream.NewSource(stream.SourceOptions{
				Target: stream.Target{URL: c.url("/main")}, Hub: hub, Logger: slog.New(slog.DiscardHandler),
				Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
					conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
					if err != nil {
						return nil, err
					}
					return &tape{conn, &mu, &said, &got}, nil
				},
			})
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() {
				defer close(done)
				_ = s.Run(ctx) // it ends with the test
			}()
			<-c.played
			for i, shot := range shots {
				c.send(shot)
				if err := c.stream.WritePacketRTP(c.sound, &rtp.Packet{
					Header: rtp.Header{Version: 2, PayloadType: f.PayloadType(), SequenceNumber: uint16(i), Timestamp: uint32(i * 160)}, Payload: speech,
				}); err != nil {
					t.Fatal(err)
				}
			}
			for range len(shots) - 1 {
				next(t, r)
			}
			cancel()
			<-done
			mu.Lock()
			defer mu.Unlock()
			if n := bytes.Count(said.Bytes(), []byte("SETUP ")); n != 1 {
				t.Errorf("%d streams were set up:\n%s", n, said.Bytes())
			}
			if bytes.Contains(got.Bytes(), []byte("speech")) || !bytes.Contains(got.Bytes(), []byte("m=audio")) {
				t.Error("sound came over the wire, or none was offered")
			}
		})
	}
}

func TestSoundThatIsPermittedComesWithThePictures(t *testing.T) {
	pack, err := aac().CreateEncoder()
	if err != nil {
		t.Fatal(err)
	}
	words := func(i int) []byte { return []byte{0xf8, byte(i), 's', 'p', 'e', 'e', 'c', 'h'} } // to Opus: 20 ms
	for sentence, c := range map[string]struct {
		f      format.Format // nil: the camera has none
		rate   uint32        // time stamps of one frame
		length time.Duration
		encode func(i int) (*rtp.Packet, error)
		want   string
		codec  stream.SoundCodec
	}{
		"AAC": {aac(), 1024, 64 * time.Millisecond, func(i int) (*rtp.Packet, error) {
			ps, err := pack.Encode([][]byte{words(i)})
			if err != nil {
				return nil, err
			}
			return ps[0], nil
		}, "aac", stream.AAC},
		"Opus": {&format.Opus{PayloadTyp: 97, ChannelCount: 2}, 960, 20 * time.Millisecond, func(i int) (*rtp.Packet, error) {
			return &rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 97, SequenceNumber: uint16(i)}, Payload: words(i)}, nil
		}, "opus", stream.Opus},
		"of a kind that is not recorded": {&format.G711{PayloadTyp: 0, MULaw: true, SampleRate: 8000, ChannelCount: 1}, 160, 0, func(i int) (*rtp.Packet, error) {
			return &rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: uint16(i)}, Payload: words(i)}, nil
		}, stream.SoundUnknown, ""},
		"where there is none": {want: stream.SoundNone},
	} {
		t.Run(sentence, func(t *testing.T) {
			shots := clip(t, "plain.ts")
			cam := serve(t, h264(), func(x *camera) {
				if c.f != nil {
					x.sound = &description.Media{Type: description.MediaTypeAudio, Formats: []format.Format{c.f}}
				}
			})
			s, r := follow(t, cam, stream.Target{URL: cam.url("/main"), Sound: true})
			if got := s.Health().Sound; got != c.want {
				t.Errorf("what is heard: %q, want %q", got, c.want)
			}
			// At first as much sound as pictures, each a picture's worth before it.
			const pictures = 30
			for i, shot := range shots[:pictures] {
				if c.f != nil {
					p, err := c.encode(i)
					if err != nil {
						t.Fatal(err)
					}
					p.Timestamp = 4_294_967_000 + uint32(i)*c.rate // it runs over soon
					if err := cam.stream.WritePacketRTP(cam.sound, p); err != nil {
						t.Fatal(err)
					}
				}
				cam.send(shot)
			}
			var heard []stream.Sound
			for range pictures - 2 { // the last are whole when the next begins
				u := next(t, r)
				if (u.Format.Sound != nil) != (c.codec != "") || u.Format.Sound != nil && u.Format.Sound.Codec != c.codec {
					t.Fatalf("the format says of sound: %+v", u.Format.Sound)
				}
				heard = append(heard, u.Sound...)
			}
			if c.codec == "" {
				if len(heard) > 0 {
					t.Errorf("%d pieces of sound", len(heard))
				}
				return
			}
			if len(heard) < pictures-4 {
				t.Fatalf("%d pieces of sound", len(heard))
			}
			for i, x := range heard {
				if !bytes.Equal(x.Data, words(i)) || x.Length != c.length {
					t.Fatalf("piece %d: %v of %q", i, x.Length, x.Data)
				}
			}
		})
	}
}

package stream_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"sync"
	"testing"

	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
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

// Sound is not only not kept: a camera is never asked for it, and none of it crosses
// the wire.
func TestSoundIsNeverAskedFor(t *testing.T) {
	for name, f := range map[string]format.Format{
		"G.711": &format.G711{PayloadTyp: 0, MULaw: true, SampleRate: 8000, ChannelCount: 1},
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

package stream_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mpegts"
	tscodecs "github.com/bluenviron/mediacommon/v2/pkg/formats/mpegts/codecs"
	"github.com/pion/rtp"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// shot is a picture of a recorded clip, with the times that its maker gave it.
type shot struct {
	au       [][]byte
	pts, dts int64
}

// clip reads a file of testdata.
func clip(t *testing.T, name string) []shot {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	r := &mpegts.Reader{R: bytes.NewReader(raw)}
	if err := r.Initialize(); err != nil {
		t.Fatal(err)
	}
	var shots []shot
	add := func(pts, dts int64, au [][]byte) error {
		shots = append(shots, shot{au, pts, dts})
		return nil
	}
	for _, track := range r.Tracks() {
		switch track.Codec.(type) {
		case *tscodecs.H264:
			r.OnDataH264(track, add)
		case *tscodecs.H265:
			r.OnDataH265(track, add)
		}
	}
	for r.Read() == nil {
	}
	if len(shots) < 30 {
		t.Fatalf("%s holds %d pictures", name, len(shots))
	}
	return shots
}

// camera is a real RTSP server with one stream.
type camera struct {
	t       *testing.T
	server  *gortsplib.Server
	stream  *gortsplib.ServerStream
	media   *description.Media
	encode  func([][]byte) ([]*rtp.Packet, error)
	playing atomic.Bool
	played  chan struct{} // one for each time

	mu    sync.Mutex
	conns []*gortsplib.ServerConn
	user  string             // asks for user and password if set
	sound *description.Media // beside the pictures, if set
}

func (c *camera) OnDescribe(x *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if c.user != "" && !x.Conn.VerifyCredentials(x.Request, c.user, "secret") {
		return &base.Response{StatusCode: base.StatusUnauthorized}, nil, liberrors.ErrServerAuth{}
	}
	if x.Path != "/main" {
		return &base.Response{StatusCode: base.StatusNotFound}, nil, nil
	}
	return &base.Response{StatusCode: base.StatusOK}, c.stream, nil
}

func (c *camera) OnConnOpen(x *gortsplib.ServerHandlerOnConnOpenCtx) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns = append(c.conns, x.Conn)
}

// hangUp ends all connections.
func (c *camera) hangUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range c.conns {
		x.Close()
	}
	c.conns = nil
}

func (c *camera) OnSetup(*gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return &base.Response{StatusCode: base.StatusOK}, c.stream, nil
}

func (c *camera) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	c.playing.Store(true)
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// OnResponse is called when the reader is one.
func (c *camera) OnResponse(*gortsplib.ServerConn, *base.Response) {
	if c.playing.Swap(false) {
		c.played <- struct{}{}
	}
}

// serve starts a camera. Its description holds parameter sets only if f does.
func serve(t *testing.T, f format.Format, set func(*camera)) *camera {
	t.Helper()
	c := &camera{t: t, played: make(chan struct{}, 4)}
	switch f := f.(type) {
	case *format.H264:
		e, err := f.CreateEncoder()
		if err != nil {
			t.Fatal(err)
		}
		c.encode = e.Encode
	case *format.H265:
		e, err := f.CreateEncoder()
		if err != nil {
			t.Fatal(err)
		}
		c.encode = e.Encode
	}
	c.media = &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{f}}
	c.server = &gortsplib.Server{Handler: c, RTSPAddress: "127.0.0.1:0", WriteQueueSize: 4096}
	if set != nil {
		set(c)
	}
	if err := c.server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.server.Close)
	medias := []*description.Media{c.media}
	if c.sound != nil {
		medias = []*description.Media{c.sound, c.media}
	}
	c.stream = &gortsplib.ServerStream{Server: c.server, Desc: &description.Session{Medias: medias}}
	if err := c.stream.Initialize(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.stream.Close)
	return c
}

func (c *camera) url(path string) string {
	return "rtsp://" + c.server.NetListener().Addr().String() + path
}

// packets are those of a picture.
func (c *camera) packets(s shot) []*rtp.Packet {
	c.t.Helper()
	ps, err := c.encode(s.au)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, p := range ps {
		p.Timestamp = uint32(s.pts + 4_294_900_000) // it runs over soon
	}
	return ps
}

func (c *camera) send(shots ...shot) {
	c.t.Helper()
	for _, s := range shots {
		for _, p := range c.packets(s) {
			if err := c.stream.WritePacketRTP(c.media, p); err != nil {
				c.t.Fatal(err)
			}
		}
	}
}

// follow runs a source against a camera until the test ends. It returns when the
// camera plays.
func follow(t *testing.T, c *camera, target stream.Target) (*stream.Source, *stream.Reader) {
	t.Helper()
	hub := &stream.Hub{}
	r := hub.Follow(stream.FollowOptions{Buffer: 512})
	s := source(target, hub)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Run(ctx); ctx.Err() == nil {
			t.Errorf("the source ended: %v", err)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	select {
	case <-c.played:
	case <-done:
		t.FailNow()
	}
	return s, r
}

func source(target stream.Target, hub *stream.Hub) *stream.Source {
	d := &net.Dialer{Timeout: 10 * time.Second}
	return stream.NewSource(stream.SourceOptions{Target: target, Hub: hub, Dial: d.DialContext, Logger: slog.New(slog.DiscardHandler)})
}

// fail runs a source that ends by itself.
func fail(t *testing.T, target stream.Target, dial stream.DialFunc) *stream.Failure {
	t.Helper()
	if dial == nil {
		dial = (&net.Dialer{Timeout: 10 * time.Second}).DialContext
	}
	s := stream.NewSource(stream.SourceOptions{Target: target, Hub: &stream.Hub{}, Dial: dial, Logger: slog.New(slog.DiscardHandler)})
	err := s.Run(t.Context())
	var f *stream.Failure
	if !errors.As(err, &f) {
		t.Fatalf("%v is no failure", err)
	}
	return f
}

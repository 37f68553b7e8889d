package stream_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/auth"
	"github.com/bluenviron/gortsplib/v5/pkg/format"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
	"github.com/chargewatch/chargewatch/internal/outward"
)

func TestPicturesComeWithTheTimesTheirMakerGaveThem(t *testing.T) {
	for name, tc := range map[string]struct {
		file   string
		format func() format.Format
		udp    bool
		codec  stream.Codec
		mime   string
		sets   int
	}{
		"H.264":                       {"plain.ts", h264, false, stream.H264, "avc1.4d", 2},
		"H.264 with B-frames":         {"reordered.ts", h264, false, stream.H264, "avc1.64", 2},
		"H.265 with B-frames":         {"hevc.ts", h265, false, stream.H265, "hvc1.1.6.L", 3},
		"H.264 in packets of its own": {"plain.ts", h264, true, stream.H264, "avc1.4d", 2},
	} {
		t.Run(name, func(t *testing.T) {
			shots := clip(t, tc.file)
			c := serve(t, tc.format(), func(c *camera) {
				if tc.udp {
					c.server.UDPRTPAddress, c.server.UDPRTCPAddress = udpPorts(t)
				}
			})
			s, r := follow(t, c, stream.Target{URL: c.url("/main"), UDP: tc.udp})
			c.send(shots...)
			var units []*stream.Unit
			for range len(shots) - 1 { // the last one is not over before the next begins
				units = append(units, next(t, r))
			}
			f := units[0].Format
			if f.Codec != tc.codec || f.Width != 192 || f.Height != 144 || !strings.HasPrefix(f.Mime, tc.mime) {
				t.Errorf("the format is %s %s %d×%d", f.Codec, f.Mime, f.Width, f.Height)
			}
			if !units[0].Key || !units[0].Broken || units[0].Epoch != 1 {
				t.Errorf("the first picture: key %v, broken %v, epoch %d", units[0].Key, units[0].Broken, units[0].Epoch)
			}
			for i, u := range units {
				if i == 0 {
					continue
				}
				if u.Broken || u.Format != f {
					t.Errorf("picture %d: broken %v, another format %v", i, u.Broken, u.Format != f)
				}
				if got, want := ticks(u.PTS-units[0].PTS), shots[i].pts-shots[0].pts; got != want {
					t.Errorf("picture %d is shown at %d, want %d", i, got, want)
				}
				if u.DTS <= units[i-1].DTS || u.DTS > u.PTS {
					t.Errorf("picture %d is decoded at %v, behind %v, and shown at %v", i, u.DTS, units[i-1].DTS, u.PTS)
				}
				// Behind the first few the extractor has seen how far pictures are reordered.
				if got, want := ticks(u.DTS-units[i-1].DTS), shots[i].dts-shots[i-1].dts; i > 8 && (got < want-2 || got > want+2) {
					t.Errorf("picture %d is decoded %d behind the one before, want %d", i, got, want)
				}
				if u.Key && !startsWithSets(u, tc.sets) {
					t.Errorf("key picture %d begins with %x", i, u.NALUs[0][0])
				}
				if late := u.ReceivedAt.Sub(u.At); u.At.After(u.ReceivedAt.Add(time.Second)) || late > time.Minute {
					t.Errorf("picture %d was taken %v before it came", i, late)
				}
			}
			if h := s.Health(); !h.Connected || h.Units < uint64(len(units)) || h.Keys < 2 || h.Damaged != 0 || h.Holes != 0 || h.Bytes == 0 {
				t.Errorf("health %+v", h)
			}
		})
	}
}

func h264() format.Format { return &format.H264{PayloadTyp: 96, PacketizationMode: 1} }
func h265() format.Format { return &format.H265{PayloadTyp: 96} }

func ticks(d time.Duration) int64 { return int64(d) * 9 / 100_000 }

func startsWithSets(u *stream.Unit, n int) bool {
	f := u.Format
	sets := [][]byte{f.VPS, f.SPS, f.PPS}[3-n:]
	return len(u.NALUs) > n && slices.EqualFunc(u.NALUs[:n], sets, slices.Equal)
}

func udpPorts(t *testing.T) (rtpAddress, rtcpAddress string) {
	t.Helper()
	for range 50 {
		a, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := a.LocalAddr().(*net.UDPAddr).AddrPort()
		pair := netip.AddrPortFrom(port.Addr(), port.Port()+1)
		b, err := net.ListenPacket("udp", pair.String())
		a.Close()
		if err != nil || port.Port()%2 != 0 {
			if err == nil {
				b.Close()
			}
			continue
		}
		b.Close()
		return port.String(), pair.String()
	}
	t.Fatal("no two ports beside each other")
	return "", ""
}

func TestParameterSetsOfTheDescriptionArePutIn(t *testing.T) {
	shots := clip(t, "plain.ts")
	var sps, pps []byte
	for i := range shots {
		shots[i].au = slices.DeleteFunc(shots[i].au, func(n []byte) bool {
			switch n[0] & 0x1f {
			case 7:
				sps = n
			case 8:
				pps = n
			default:
				return false
			}
			return true
		})
	}
	c := serve(t, &format.H264{PayloadTyp: 96, PacketizationMode: 1, SPS: sps, PPS: pps}, nil)
	_, r := follow(t, c, stream.Target{URL: c.url("/main")})
	c.send(shots[:40]...)
	u := next(t, r)
	if !u.Key || !startsWithSets(u, 2) || u.Format.Width != 192 {
		t.Errorf("the first picture is key %v and begins with %x", u.Key, u.NALUs[0][0])
	}
}

func TestALostPacketCostsItsPictureAndIsTold(t *testing.T) {
	shots := clip(t, "plain.ts")
	c := serve(t, h264(), nil)
	s, r := follow(t, c, stream.Target{URL: c.url("/main")})
	lost := 0
	for i, x := range shots[:45] {
		ps := c.packets(x)
		for j, p := range ps {
			if i == 10 && j == 0 {
				lost++
				continue
			}
			if err := c.stream.WritePacketRTP(c.media, p); err != nil {
				t.Fatal(err)
			}
		}
	}
	first := next(t, r)
	var broken, seen []int
	for range 42 {
		u := next(t, r)
		i := int(ticks(u.PTS-first.PTS)) / 6000
		seen = append(seen, i)
		if u.Broken {
			broken = append(broken, i)
		}
	}
	if len(broken) != 1 || broken[0] < 11 || broken[0] > 12 || slices.Contains(seen, 10) {
		t.Errorf("broken are %v of %v", broken, seen)
	}
	if s.Health().Holes != 1 || lost != 1 {
		t.Errorf("%d holes were counted", s.Health().Holes)
	}
}

func TestTimeThatGoesWrongIsMended(t *testing.T) {
	for name, tc := range map[string]struct {
		shift  func(i int) int64
		broken []int
	}{
		"a jump ahead":                {func(i int) int64 { return at(i >= 10, 3600*90_000) }, []int{10}},
		"a jump back":                 {func(i int) int64 { return at(i >= 10, -3600*90_000) }, []int{10}},
		"one stamp that lies a bit":   {func(i int) int64 { return at(i == 10, -9_000) }, nil},
		"stamps that stay behind":     {func(i int) int64 { return at(i >= 10, -20_000) }, nil},
		"two pictures with one stamp": {func(i int) int64 { return at(i == 10, -6_000) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			shots := clip(t, "plain.ts")
			for i := range shots {
				shots[i].pts += tc.shift(i)
			}
			c := serve(t, h264(), nil)
			_, r := follow(t, c, stream.Target{URL: c.url("/main")})
			c.send(shots[:30]...)
			var broken []int
			before := next(t, r)
			for i := 1; i < 28; i++ {
				u := next(t, r)
				if u.Broken {
					broken = append(broken, i)
				}
				if u.DTS <= before.DTS || u.PTS < u.DTS || u.PTS-before.PTS > 2*time.Second {
					t.Errorf("picture %d: %v/%v behind %v/%v", i, u.PTS, u.DTS, before.PTS, before.DTS)
				}
				before = u
			}
			if !slices.Equal(broken, tc.broken) {
				t.Errorf("broken are %v, want %v", broken, tc.broken)
			}
		})
	}
}

func at(now bool, shift int64) int64 {
	if now {
		return shift
	}
	return 0
}

func TestTheCamerasClockIsHeard(t *testing.T) {
	shots := clip(t, "plain.ts")
	c := serve(t, h264(), nil)
	_, r := follow(t, c, stream.Target{URL: c.url("/main")})
	wrong := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	for i, x := range shots[:20] {
		for _, p := range c.packets(x) {
			if err := c.stream.WritePacketRTPWithNTP(c.media, p, wrong.Add(time.Duration(i)*time.Second/15)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 19 {
		u := next(t, r)
		if u.CameraAt.IsZero() {
			continue // before the first report
		}
		if d := u.CameraAt.Sub(wrong); d < -time.Second || d > 3*time.Second {
			t.Errorf("the camera says %v", u.CameraAt)
		}
		if time.Since(u.At) > time.Minute {
			t.Errorf("the camera's wrong clock was believed: %v", u.At)
		}
	}
}

func TestWhyThereAreNoPictures(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	c := serve(t, h264(), func(c *camera) {
		c.user = "watch"
		c.server.AuthMethods = []auth.VerifyMethod{auth.VerifyMethodDigestMD5}
	})
	open := serve(t, h264(), nil)
	jpeg := serve(t, &format.MJPEG{}, nil)
	guard := outward.New(outward.Options{})
	for name, tc := range map[string]struct {
		target stream.Target
		dial   stream.DialFunc
		want   stream.Reason
	}{
		"nobody listens":    {stream.Target{URL: "rtsp://" + closed.Addr().String() + "/main"}, nil, stream.ReasonRefused},
		"no such name":      {stream.Target{URL: "rtsp://camera.invalid/main"}, nil, stream.ReasonUnreachable},
		"no password":       {stream.Target{URL: c.url("/main")}, nil, stream.ReasonAuthentication},
		"a wrong password":  {stream.Target{URL: c.url("/main"), Username: "watch", Password: "guess"}, nil, stream.ReasonAuthentication},
		"no such stream":    {stream.Target{URL: open.url("/other")}, nil, stream.ReasonNotFound},
		"Motion JPEG":       {stream.Target{URL: jpeg.url("/main")}, nil, stream.ReasonCodec},
		"not to be reached": {stream.Target{URL: open.url("/main")}, guard.Dial, stream.ReasonAddress},
		"not an address":    {stream.Target{URL: "http://x"}, nil, stream.ReasonAddress},
	} {
		t.Run(name, func(t *testing.T) {
			f := fail(t, tc.target, tc.dial)
			if f.Reason != tc.want {
				t.Errorf("%q: %v", f.Reason, f)
			}
			if strings.Contains(f.Detail, "127.0.0.1") || strings.Contains(f.Error(), "guess") {
				t.Errorf("it tells too much: %v", f)
			}
		})
	}
}

func TestTheRightPasswordOpens(t *testing.T) {
	shots := clip(t, "plain.ts")
	c := serve(t, h264(), func(c *camera) {
		c.user = "watch"
		c.server.AuthMethods = []auth.VerifyMethod{auth.VerifyMethodDigestMD5}
	})
	_, r := follow(t, c, stream.Target{URL: c.url("/main"), Username: "watch", Password: "secret"})
	c.send(shots[:20]...)
	next(t, r)
}

func TestACertificateIsTrustedByItsFingerprint(t *testing.T) {
	web := httptest.NewTLSServer(nil) // for its certificate
	defer web.Close()
	cert := web.TLS.Certificates[0]
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	shots := clip(t, "plain.ts")
	c := serve(t, h264(), func(c *camera) {
		c.server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
	})
	url := strings.Replace(c.url("/main"), "rtsp:", "rtsps:", 1)
	f := fail(t, stream.Target{URL: url}, nil)
	if f.Reason != stream.ReasonCertificate || f.Fingerprint != stream.Fingerprint(leaf) {
		t.Errorf("unknown: %v, fingerprint %q", f, f.Fingerprint)
	}
	other := strings.Repeat("AB:", 31) + "AB"
	if f := fail(t, stream.Target{URL: url, Fingerprint: other}, nil); f.Reason != stream.ReasonCertificate || f.Fingerprint == "" {
		t.Errorf("another than pinned: %v", f)
	}
	_, r := follow(t, c, stream.Target{URL: url, Fingerprint: strings.ToLower(f.Fingerprint)})
	c.send(shots[:20]...)
	next(t, r)
}

func TestAnotherConnectionIsAnotherEpoch(t *testing.T) {
	shots := clip(t, "plain.ts")
	c := serve(t, h264(), nil)
	hub := &stream.Hub{}
	r := hub.Follow(stream.FollowOptions{Buffer: 512})
	s := source(stream.Target{URL: c.url("/main")}, hub)
	for epoch := uint64(1); epoch < 3; epoch++ {
		ended := make(chan error, 1)
		go func() { ended <- s.Run(t.Context()) }()
		select {
		case <-c.played:
		case err := <-ended:
			t.Fatal(err)
		}
		c.send(shots[:20]...)
		if u := next(t, r); u.Epoch != epoch || !u.Broken || !u.Key {
			t.Errorf("connection %d: epoch %d, broken %v, key %v", epoch, u.Epoch, u.Broken, u.Key)
		}
		for r.Behind() > 0 {
			next(t, r)
		}
		c.hangUp()
		var f *stream.Failure
		if err := <-ended; !errors.As(err, &f) || f.Reason != stream.ReasonClosed {
			t.Errorf("it ended with %v", err)
		}
		for r.Behind() > 0 {
			next(t, r)
		}
	}
}

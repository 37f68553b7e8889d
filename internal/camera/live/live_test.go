package live_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/format/rtph264"
	"github.com/pion/webrtc/v4"

	"github.com/chargewatch/chargewatch/internal/camera/live"
	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// clip is two seconds of moving picture at 15 a second, a key picture each second.
func clip(t *testing.T, more ...string) [][][]byte {
	t.Helper()
	args := append([]string{"-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x180:rate=15:duration=2",
		"-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "15", "-bf", "0", "-x264-params", "aud=1:scenecut=0"}, more...)
	out, err := exec.CommandContext(t.Context(), "ffmpeg", append(args, "-f", "h264", "-")...).Output()
	if err != nil {
		t.Fatalf("ffmpeg: %v", err)
	}
	var units [][][]byte
	for nalu := range bytes.SplitSeq(bytes.ReplaceAll(out, []byte{0, 0, 0, 1}, []byte{0, 0, 1}), []byte{0, 0, 1}) {
		switch {
		case len(nalu) == 0:
		case nalu[0]&0x1f == 9:
			units = append(units, nil)
		case nalu[0]&0x1f == 6: // supplemental
		default:
			units[len(units)-1] = append(units[len(units)-1], nalu)
		}
	}
	if len(units) != 30 {
		t.Fatalf("%d pictures", len(units))
	}
	return units
}

// camera plays a clip again and again.
type camera struct {
	hub   stream.Hub
	units [][][]byte
	n     int
	codec stream.Codec
	shift time.Duration // of PTS against DTS
	epoch uint64
}

func (c *camera) play() *stream.Unit {
	au := c.units[c.n%len(c.units)]
	f := &stream.Format{Codec: c.codec, Width: 320, Height: 180}
	for _, n := range c.units[0] {
		switch n[0] & 0x1f {
		case 7:
			f.SPS = n
		case 8:
			f.PPS = n
		}
	}
	dts := time.Duration(c.n) * time.Second / 15
	u := &stream.Unit{Format: f, NALUs: au, DTS: dts, PTS: dts + c.shift, At: time.Now(), ReceivedAt: time.Now(), Key: len(au) > 1, Epoch: c.epoch}
	c.n++
	c.hub.Publish(u)
	return u
}

// run plays until the test ends.
func (c *camera) run(t *testing.T) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(time.Second / 15)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				c.play()
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-stopped })
}

// hubs are the cameras of a test.
type hubs struct {
	mu      sync.Mutex
	cameras map[string]*camera
	held    int
}

var errUnknown = errors.New("no such camera")

func (h *hubs) Hub(id, name string) (*stream.Hub, func(), error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if name != "main" {
		id += "/" + name
	}
	c, ok := h.cameras[id]
	if !ok {
		return nil, nil, errUnknown
	}
	h.held++
	return &c.hub, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.held--
	}, nil
}

func (h *hubs) inUse() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.held
}

func serve(t *testing.T, h *hubs, o live.Options) *live.Service {
	t.Helper()
	var err error
	if o.UDP, err = net.ListenPacket("udp4", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	o.Hubs, o.Logger = h, slog.New(slog.DiscardHandler)
	s, err := live.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if n := h.inUse(); n != 0 {
			t.Errorf("%d streams are still held", n)
		}
	})
	return s
}

// viewer is a browser's side.
type viewer struct {
	peer *webrtc.PeerConnection
	got  chan [][]byte
}

func look(t *testing.T) *viewer {
	t.Helper()
	media := &webrtc.MediaEngine{}
	if err := media.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	setting := webrtc.SettingEngine{}
	setting.SetIncludeLoopbackCandidate(true)
	peer, err := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithSettingEngine(setting)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = peer.Close() }) // the test is over
	if _, err := peer.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo,
		webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
		t.Fatal(err)
	}
	v := &viewer{peer: peer, got: make(chan [][]byte, 256)}
	peer.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		var d rtph264.Decoder
		if d.Init() != nil {
			return
		}
		for {
			p, _, err := track.ReadRTP()
			if err != nil {
				return
			}
			if au, err := d.Decode(p); err == nil {
				v.got <- au
			}
		}
	})
	return v
}

func (v *viewer) offer(t *testing.T) string {
	t.Helper()
	o, err := v.peer.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	done := webrtc.GatheringCompletePromise(v.peer)
	if err := v.peer.SetLocalDescription(o); err != nil {
		t.Fatal(err)
	}
	<-done
	return v.peer.LocalDescription().SDP
}

func (v *viewer) accept(t *testing.T, sdp string) {
	t.Helper()
	if err := v.peer.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: sdp}); err != nil {
		t.Fatalf("%v in\n%s", err, sdp)
	}
}

func TestAViewerGetsThePicturesAsTheyCameFromAKeyPictureOn(t *testing.T) {
	c := &camera{units: clip(t), codec: stream.H264}
	h := &hubs{cameras: map[string]*camera{"gate": c}}
	s := serve(t, h, live.Options{})
	for range 5 { // somebody comes in the middle
		c.play()
	}
	c.run(t)
	v := look(t)
	a, err := s.Watch(t.Context(), live.Offer{Camera: "gate", Stream: "main", SDP: v.offer(t)})
	if err != nil {
		t.Fatal(err)
	}
	v.accept(t, a.SDP)
	at := -1
	for n := range 20 {
		got := <-v.got
		if n == 0 {
			for i, u := range c.units {
				if bytes.Equal(bytes.Join(got, nil), bytes.Join(u, nil)) && len(u) > 1 {
					at = i
				}
			}
			if at < 0 {
				t.Fatal("the first picture is not a key picture of the camera")
			}
		}
		if want := c.units[(at+n)%len(c.units)]; !bytes.Equal(bytes.Join(got, nil), bytes.Join(want, nil)) {
			t.Fatalf("picture %d is not the camera's", n)
		}
	}
	if s.End("another", a.ID) {
		t.Error("a session was ended in the name of another camera")
	}
	if !s.End("gate", a.ID) {
		t.Error("the session is unknown")
	}
	<-a.Done
}

func TestTheMainStreamIsShownUntilTheSmallOneHasAKeyPicture(t *testing.T) {
	main, sub := &camera{units: clip(t), codec: stream.H264}, &camera{units: clip(t, "-vf", "scale=160:90"), codec: stream.H264}
	h := &hubs{cameras: map[string]*camera{"gate": main, "gate/sub": sub}}
	s := serve(t, h, live.Options{})
	main.play()
	main.run(t)
	v := look(t)
	a, err := s.Watch(t.Context(), live.Offer{Camera: "gate", Stream: "sub", Instead: "main", SDP: v.offer(t)})
	if err != nil {
		t.Fatal(err)
	}
	v.accept(t, a.SDP)
	of := func(c *camera, got [][]byte) bool {
		for _, u := range c.units {
			if bytes.Equal(bytes.Join(got, nil), bytes.Join(u, nil)) {
				return true
			}
		}
		return false
	}
	for n := range 5 {
		if !of(main, <-v.got) {
			t.Fatalf("picture %d is not of the main stream", n)
		}
	}
	if n := h.inUse(); n != 2 {
		t.Errorf("%d streams are held, want both", n)
	}
	sub.play()
	sub.run(t)
	n := 0
	for ; n < 60 && !of(sub, <-v.got); n++ {
	}
	if n == 60 {
		t.Fatal("the small stream never comes")
	}
	for n := range 15 {
		if got := <-v.got; !of(sub, got) {
			t.Fatalf("picture %d after the change is not of the small stream", n)
		}
	}
	if n := h.inUse(); n != 1 {
		t.Errorf("%d streams are held, want the small one", n)
	}
	s.End("gate", a.ID)
	<-a.Done
}

func TestASmallStreamThatBrowsersDoNotTakeLeavesTheMainOne(t *testing.T) {
	main, sub := &camera{units: clip(t), codec: stream.H264}, &camera{units: clip(t), codec: stream.H265}
	h := &hubs{cameras: map[string]*camera{"gate": main, "gate/sub": sub}}
	s := serve(t, h, live.Options{})
	main.play()
	main.run(t)
	v := look(t)
	a, err := s.Watch(t.Context(), live.Offer{Camera: "gate", Stream: "sub", Instead: "main", SDP: v.offer(t)})
	if err != nil {
		t.Fatal(err)
	}
	v.accept(t, a.SDP)
	<-v.got
	sub.run(t)
	for range 40 { // more than the key pictures of both
		<-v.got
	}
	if !s.End("gate", a.ID) {
		t.Error("the session is over")
	}
	<-a.Done
}

func TestWhatCannotBeShownSaysWhy(t *testing.T) {
	units := clip(t)
	h := &hubs{cameras: map[string]*camera{
		"h265":   {units: units, codec: stream.H265},
		"bframe": {units: units, codec: stream.H264, shift: time.Second / 15},
		"good":   {units: units, codec: stream.H264},
	}}
	for _, c := range h.cameras {
		c.play()
	}
	h.cameras["dark"] = &camera{}
	h.cameras["dark"].hub.Close()
	s := serve(t, h, live.Options{MaxViewers: 1})
	for name, x := range map[string]struct {
		camera, sdp string
		want        error
	}{
		"another codec":           {"h265", look(t).offer(t), live.ErrCodec},
		"pictures out of order":   {"bframe", look(t).offer(t), live.ErrReordered},
		"a camera without any":    {"dark", look(t).offer(t), live.ErrNoPicture},
		"a camera that is none":   {"none", look(t).offer(t), errUnknown},
		"no offer":                {"good", "hello", live.ErrOffer},
		"an endless offer":        {"good", strings.Repeat("a=b\r\n", 20_000), live.ErrOffer},
		"an offer without H.264":  {"good", strings.ReplaceAll(look(t).offer(t), "H264", "X264"), live.ErrOffer},
		"an offer without a line": {"good", "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", live.ErrOffer},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := s.Watch(t.Context(), live.Offer{Camera: x.camera, Stream: "main", SDP: x.sdp}); !errors.Is(err, x.want) {
				t.Errorf("%v, want %v", err, x.want)
			}
		})
	}
	if _, err := s.Watch(t.Context(), live.Offer{Camera: "good", Stream: "main", SDP: look(t).offer(t)}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Watch(t.Context(), live.Offer{Camera: "good", Stream: "main", SDP: look(t).offer(t)}); !errors.Is(err, live.ErrTooMany) {
		t.Errorf("one too many: %v", err)
	}
}

func TestAPlaylistPlaysAndEndsWithTheCamera(t *testing.T) {
	c := &camera{units: clip(t), codec: stream.H264}
	h := &hubs{cameras: map[string]*camera{"gate": c}}
	s := serve(t, h, live.Options{})
	c.play()
	c.run(t)
	get := func(file string) (*httptest.ResponseRecorder, error) {
		w := httptest.NewRecorder()
		return w, s.Playlist(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/"+file, nil), "gate", "main", file)
	}
	fetch := func(file string) string {
		t.Helper()
		w, err := get(file)
		if err != nil || w.Code != http.StatusOK {
			t.Fatalf("%s: %d, %v", file, w.Code, err)
		}
		return w.Body.String()
	}
	for _, file := range []string{"", "../index.m3u8", "a/b.m3u8", "seg1.mp4"} {
		if _, err := get(file); !errors.Is(err, live.ErrNoPlaylist) {
			t.Errorf("%q: %v", file, err)
		}
	}
	index := fetch("index.m3u8")
	name := regexp.MustCompile(`(?m)^\S+\.m3u8`).FindString(index)
	if name == "" || !strings.Contains(index, "avc1.") {
		t.Fatalf("index:\n%s", index)
	}
	media := fetch(name)
	if !strings.Contains(media, "EXT-X-PROGRAM-DATE-TIME") || !strings.Contains(media, "EXT-X-PART:") {
		t.Errorf("media:\n%s", media)
	}
	start := regexp.MustCompile(`EXT-X-MAP:URI="([^"]+)"`).FindStringSubmatch(media)
	if start == nil || !strings.Contains(fetch(start[1]), "avcC") {
		t.Errorf("no head in\n%s", media)
	}
	c.hub.Close()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, lists := s.Viewers(); lists == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the playlist outlives the camera")
		}
	}
}

// painter decodes everything to one red picture and counts.
type painter struct{ n int }

func (p *painter) JPEG(context.Context, *stream.Unit) ([]byte, error) {
	p.n++
	m := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for i := range 64 * 64 {
		m.SetRGBA(i%64, i/64, color.RGBA{220, 30, 30, 255})
	}
	var b bytes.Buffer
	err := jpeg.Encode(&b, m, nil)
	return b.Bytes(), err
}

func TestWhatIsMaskedIsNotInThePicture(t *testing.T) {
	c := &camera{units: clip(t), codec: stream.H264}
	h := &hubs{cameras: map[string]*camera{"gate": c, "dark": {}}}
	p := &painter{}
	s := serve(t, h, live.Options{Decoder: p})
	c.play()
	red := func(mask []live.Polygon) func(x, y int) bool {
		still, err := s.Still(t.Context(), "gate", "main", mask)
		if err != nil {
			t.Fatal(err)
		}
		m, err := jpeg.Decode(bytes.NewReader(still.JPEG))
		if err != nil {
			t.Fatal(err)
		}
		return func(x, y int) bool {
			r, _, _, _ := m.At(x, y).RGBA()
			return r > 0x8000
		}
	}
	half := []live.Polygon{{{0, 0}, {0.5, 0}, {0.5, 1}, {0, 1}}}
	if at := red(half); at(2, 2) || at(28, 60) || !at(60, 32) {
		t.Error("the left half is not what is hidden")
	}
	if at := red([]live.Polygon{{{-1, -1}, {2, -1}, {2, 2}, {-1, 2}}}); at(0, 0) || at(63, 63) {
		t.Error("a mask over everything leaves something")
	}
	if at := red(nil); !at(2, 2) || p.n != 1 {
		t.Errorf("without a mask: decoded %d times", p.n)
	}
	h.cameras["dark"].hub.Close()
	if _, err := s.Still(t.Context(), "dark", "main", nil); !errors.Is(err, live.ErrNoPicture) {
		t.Errorf("a camera without pictures: %v", err)
	}
}

package camera_test

import (
	"context"
	"errors"
	"net/url"
	"testing"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/format/rtph264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/pion/rtp"

	"github.com/chargewatch/chargewatch/internal/sim/camera"
	"github.com/chargewatch/chargewatch/internal/sim/camera/clips"
)

// farm is a running farm with one camera called gate.
func farm(t *testing.T, o camera.Options, s camera.Spec) *camera.Farm {
	t.Helper()
	o.Listen = "127.0.0.1:0"
	f, err := camera.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		f.Close()
	})
	s.Name = "gate"
	if err := f.Add(s); err != nil {
		t.Fatal(err)
	}
	return f
}

// shot is an access unit as a client gets it.
type shot struct {
	nalus [][]byte
	stamp uint32
}

func (s shot) key() bool { return h264.IsRandomAccess(s.nalus) }

func (s shot) params() bool {
	for _, n := range s.nalus {
		if n[0]&0x1f == 7 {
			return true
		}
	}
	return false
}

// watch connects as a recorder does.
type watch struct {
	format *format.H264
	shots  chan shot
	client *gortsplib.Client
	ended  chan error
}

func look(t *testing.T, address, user, password string) (*watch, error) {
	t.Helper()
	u, err := base.ParseURL(address)
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		u.User = url.UserPassword(user, password)
	}
	tcp := gortsplib.ProtocolTCP
	c := &gortsplib.Client{Scheme: u.Scheme, Host: u.Host, Protocol: &tcp}
	if err := c.Start(); err != nil {
		return nil, err
	}
	t.Cleanup(c.Close)
	desc, _, err := c.Describe(u)
	if err != nil {
		return nil, err
	}
	w := &watch{shots: make(chan shot, 256), client: c, ended: make(chan error, 1)}
	m := desc.FindFormat(&w.format)
	if m == nil {
		return nil, errors.New("no H.264")
	}
	d := &rtph264.Decoder{PacketizationMode: 1}
	if err := d.Init(); err != nil {
		return nil, err
	}
	if _, err := c.Setup(desc.BaseURL, m, 0, 0); err != nil {
		return nil, err
	}
	c.OnPacketRTP(m, w.format, func(p *rtp.Packet) {
		if au, err := d.Decode(p); err == nil {
			select {
			case w.shots <- shot{au, p.Timestamp}:
			default:
			}
		}
	})
	if _, err := c.Play(nil); err != nil {
		return nil, err
	}
	go func() { w.ended <- c.Wait() }()
	return w, nil
}

// next waits for a picture that passes.
func (w *watch) next(t *testing.T, passes func(shot) bool) shot {
	t.Helper()
	for {
		select {
		case s := <-w.shots:
			if passes(s) {
				return s
			}
		case err := <-w.ended:
			t.Fatalf("the connection ended: %v", err)
		case <-t.Context().Done():
			t.Fatal("no such picture came")
		}
	}
}

func TestBothStreamsPlayAndBeginWithTheirParameterSets(t *testing.T) {
	f := farm(t, camera.Options{User: "viewer", Password: "secret"}, camera.Spec{Scene: "quiet"})
	for stream, wide := range map[string]int{camera.MainStream: 848, camera.SubStream: 320} {
		w, err := look(t, f.URL("gate", stream), "viewer", "secret")
		if err != nil {
			t.Fatal(err)
		}
		var sps h264.SPS
		if err := sps.Unmarshal(w.format.SPS); err != nil || sps.Width() != wide {
			t.Errorf("%s: %d wide, %v", stream, sps.Width(), err)
		}
		key := w.next(t, shot.key)
		if !key.params() {
			t.Errorf("%s: a key picture without parameter sets", stream)
		}
		step := uint32(90000 / 15)
		if stream == camera.SubStream {
			step = 90000 / 5
		}
		if s := w.next(t, func(shot) bool { return true }); s.stamp-key.stamp != step || s.key() {
			t.Errorf("%s: the next picture is %d ticks later", stream, s.stamp-key.stamp)
		}
	}
}

func TestWhoeverDoesNotKnowThePasswordSeesNothing(t *testing.T) {
	f := farm(t, camera.Options{User: "viewer", Password: "secret"}, camera.Spec{Scene: "quiet"})
	if _, err := look(t, f.URL("gate", camera.MainStream), "viewer", "guess"); err == nil {
		t.Error("a wrong password was taken")
	}
	w, err := look(t, f.URL("gate", camera.MainStream), "viewer", "secret")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.SetFault("gate", camera.WrongPassword); err != nil {
		t.Fatal(err)
	}
	<-w.ended
	if _, err := look(t, f.URL("gate", camera.MainStream), "viewer", "secret"); err == nil {
		t.Error("the old password still holds")
	}
}

func TestFaultsOfTheConnection(t *testing.T) {
	f := farm(t, camera.Options{}, camera.Spec{Scene: "quiet"})
	address := f.URL("gate", camera.MainStream)
	set := func(x camera.Fault) {
		t.Helper()
		if err := f.SetFault("gate", x); err != nil {
			t.Fatal(err)
		}
	}
	open := func() *watch {
		t.Helper()
		w, err := look(t, address, "", "")
		if err != nil {
			t.Fatal(err)
		}
		w.next(t, func(shot) bool { return true })
		return w
	}
	w := open()
	set(camera.Drop)
	<-w.ended
	w = open()
	set(camera.Offline)
	<-w.ended
	if _, err := look(t, address, "", ""); err == nil {
		t.Error("it is offline and answers")
	}
	set(camera.NoParameters)
	bare, err := look(t, address, "", "")
	if err != nil {
		t.Fatal(err)
	}
	if bare.format.SPS != nil || bare.next(t, shot.key).params() {
		t.Error("there are parameter sets")
	}
	set(camera.NoFault)
	w = open()
	last := w.next(t, func(shot) bool { return true })
	set(camera.TimeJump)
	w.next(t, func(s shot) bool {
		ahead := s.stamp - last.stamp
		last = s
		return ahead > 3600*90000
	})
	set(camera.TimeBack)
	w.next(t, func(s shot) bool {
		back := int32(s.stamp-last.stamp) < 0
		last = s
		return back
	})
}

func TestAFrozenCameraSendsPicturesThatChangeNothing(t *testing.T) {
	f := farm(t, camera.Options{}, camera.Spec{Scene: "car"})
	w, err := look(t, f.URL("gate", camera.SubStream), "", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.SetFault("gate", camera.Freeze); err != nil {
		t.Fatal(err)
	}
	w.next(t, func(s shot) bool { return !s.key() && len(s.nalus) == 1 && len(s.nalus[0]) < 12 })
	key := w.next(t, shot.key)
	again := w.next(t, shot.key)
	if a, b := key.nalus[len(key.nalus)-1], again.nalus[len(again.nalus)-1]; string(a) != string(b) {
		t.Error("two key pictures of a frozen camera differ")
	}
}

func TestCarsComeAndLeaveAsTheSiteSays(t *testing.T) {
	seen := make(chan camera.Seen, 64)
	f := farm(t, camera.Options{OnSeen: func(s camera.Seen) { seen <- s }}, camera.Spec{})
	wait := func(what string, began bool) {
		t.Helper()
		for {
			select {
			case s := <-seen:
				if s.What == what && s.Began == began {
					return
				}
			case <-t.Context().Done():
				t.Fatalf("no %s", what)
			}
		}
	}
	if err := f.SetBays("gate", [2]bool{true, false}); err != nil {
		t.Fatal(err)
	}
	wait(camera.Vehicle, true)
	wait(camera.Motion, false)
	if err := f.SetBays("gate", [2]bool{}); err != nil {
		t.Fatal(err)
	}
	wait(camera.Motion, true)
	wait(camera.Vehicle, false)
}

func TestWhatIsNoCamera(t *testing.T) {
	f := farm(t, camera.Options{}, camera.Spec{})
	for name, err := range map[string]error{
		"an unknown view":         f.Add(camera.Spec{Name: "x", View: "moon"}),
		"an unknown scene":        f.Add(camera.Spec{Name: "x", Scene: "party"}),
		"a name with a slash":     f.Add(camera.Spec{Name: "x/y"}),
		"a name that is taken":    f.Add(camera.Spec{Name: "gate"}),
		"a fault of nobody":       f.SetFault("nobody", camera.Stall),
		"a scene that is unknown": f.Play("gate", "party"),
	} {
		if err == nil {
			t.Error(name + " was taken")
		}
	}
	if _, err := look(t, f.URL("nobody", camera.MainStream), "", ""); err == nil {
		t.Error("nobody's camera answers")
	}
}

func TestAClipOfOnesOwn(t *testing.T) {
	own, err := clips.Read(camera.MainStream, "lot-walks")
	if err != nil {
		t.Fatal(err)
	}
	f := farm(t, camera.Options{}, camera.Spec{Clip: own})
	w, err := look(t, f.URL("gate", camera.MainStream), "", "")
	if err != nil {
		t.Fatal(err)
	}
	w.next(t, shot.key)
	if _, err := look(t, f.URL("gate", camera.SubStream), "", ""); err == nil {
		t.Error("it has a sub stream")
	}
	if err := f.Add(camera.Spec{Name: "x", Clip: []byte("no clip")}); err == nil {
		t.Error("what is no clip was taken")
	}
}

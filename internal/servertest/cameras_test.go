package servertest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mpegts"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/store"
)

// gate is a camera at the gate: a real RTSP server that shows a clip again and
// again.
type gate struct {
	server *gortsplib.Server
	stream *gortsplib.ServerStream
}

func (g *gate) OnDescribe(x *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if x.Path != "/main" {
		return &base.Response{StatusCode: base.StatusNotFound}, nil, nil
	}
	return &base.Response{StatusCode: base.StatusOK}, g.stream, nil
}

func (g *gate) OnSetup(*gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return &base.Response{StatusCode: base.StatusOK}, g.stream, nil
}

func (g *gate) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	return &base.Response{StatusCode: base.StatusOK}, nil
}

func newGate(t *testing.T) (g *gate, address netip.AddrPort) {
	t.Helper()
	raw, err := os.ReadFile("../camera/stream/testdata/plain.ts")
	if err != nil {
		t.Fatal(err)
	}
	var clip [][][]byte
	r := &mpegts.Reader{R: bytes.NewReader(raw)}
	if err := r.Initialize(); err != nil {
		t.Fatal(err)
	}
	r.OnDataH264(r.Tracks()[0], func(_, _ int64, au [][]byte) error {
		clip = append(clip, au)
		return nil
	})
	for r.Read() == nil {
	}
	f := &format.H264{PayloadTyp: 96, PacketizationMode: 1}
	encoder, err := f.CreateEncoder()
	if err != nil {
		t.Fatal(err)
	}
	g = &gate{}
	g.server = &gortsplib.Server{Handler: g, RTSPAddress: "127.0.0.1:0"}
	if err := g.server.Start(); err != nil {
		t.Fatal(err)
	}
	media := &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{f}}
	g.stream = &gortsplib.ServerStream{Server: g.server, Desc: &description.Session{Medias: []*description.Media{media}}}
	if err := g.stream.Initialize(); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var work sync.WaitGroup
	work.Go(func() {
		tick := time.NewTicker(time.Second / 15)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			packets, err := encoder.Encode(clip[i%len(clip)])
			if err != nil {
				t.Error(err)
				return
			}
			for _, p := range packets {
				p.Timestamp = uint32(i * 6000)
				if g.stream.WritePacketRTP(media, p) != nil {
					return // it is closed
				}
			}
		}
	})
	t.Cleanup(func() {
		close(stop)
		work.Wait()
		g.stream.Close()
		g.server.Close()
	})
	return g, netip.MustParseAddrPort(g.server.NetListener().Addr().String())
}

// What is added is followed, shown and told, and an address that may not be
// reached is refused before it is kept.
func TestACameraThatIsAddedIsFollowed(t *testing.T) {
	_, at := newGate(t)
	s := servertest.Start(t)
	if _, err := s.Store.CreateSite(t.Context(), store.System, store.Site{ID: "mall"}); err != nil {
		t.Fatal(err)
	}
	_, secret, err := s.Store.CreateAPIToken(t.Context(), store.System, store.APIToken{Name: "t", Grants: []store.Grant{{Role: store.RoleAdmin, Sites: []string{store.AllSites}}}})
	if err != nil {
		t.Fatal(err)
	}
	call := func(method, path string, body any) (int, []byte) {
		t.Helper()
		data, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.HTTPAddress()+"/api/v1"+path, bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+secret)
		r.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var b bytes.Buffer
		if _, err := b.ReadFrom(resp.Body); err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, b.Bytes()
	}
	camera := map[string]any{"id": "gate", "siteId": "mall", "mainUrl": fmt.Sprintf("rtsp://%s/main", at)}
	if status, text := call("POST", "/cameras", camera); status != http.StatusUnprocessableEntity || !strings.Contains(string(text), "body.mainUrl") {
		t.Fatalf("an address on loopback: %d %s", status, text)
	}
	s.AllowSimulated([]netip.AddrPort{at})
	var tried struct {
		OK     bool
		Reason string
		Stream struct {
			Codec           string
			Width           int
			FPS             float64
			KeyEverySeconds float64
		}
	}
	status, text := call("POST", "/cameras/test", map[string]any{"url": camera["mainUrl"]})
	if err := json.Unmarshal(text, &tried); err != nil || status != http.StatusOK || !tried.OK || tried.Stream.Width != 192 ||
		tried.Stream.Codec != "h264" || tried.Stream.FPS < 14 || tried.Stream.FPS > 16 || tried.Stream.KeyEverySeconds < 1.9 || tried.Stream.KeyEverySeconds > 2.1 {
		t.Errorf("tried: %d %s", status, text)
	}
	status, text = call("POST", "/cameras/test", map[string]any{"url": fmt.Sprintf("rtsp://%s/other", at)})
	if err := json.Unmarshal(text, &tried); err != nil || status != http.StatusOK || tried.OK || tried.Reason != "notFound" {
		t.Errorf("tried another path: %d %s", status, text)
	}
	if status, text := call("POST", "/cameras", camera); status != http.StatusCreated {
		t.Fatalf("added: %d %s", status, text)
	}
	servertest.Eventually(t, "the camera is live", func() bool {
		_, text := call("GET", "/cameras/gate", nil)
		return strings.Contains(string(text), `"state":"live"`) && strings.Contains(string(text), `"codec":"h264"`)
	})
	servertest.Eventually(t, "the journal knows", func() bool {
		events, _, err := s.Journal.Events(t.Context(), journal.EventQuery{Kinds: []event.Kind{event.KindCameraState}, Limit: 10})
		return err == nil && len(events) == 1 && events[0].Body.(*event.CameraState).State == event.CameraLive
	})
	if status, text := call("GET", "/summary", nil); status != http.StatusOK || !strings.Contains(string(text), `"live":1`) {
		t.Errorf("summary: %d %s", status, text)
	}
	if status, _ := call("DELETE", "/cameras/gate", nil); status != http.StatusNoContent {
		t.Errorf("removed: %d", status)
	}
	if status, _ := call("GET", "/cameras/gate/snapshot.jpg", nil); status != http.StatusNotFound {
		t.Errorf("a picture of a camera that is no more: %d", status)
	}
}

package camera_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/chargewatch/chargewatch/internal/camera"
	"github.com/chargewatch/chargewatch/internal/camera/live"
	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/camera/segment"
	"github.com/chargewatch/chargewatch/internal/camera/stream"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	simcam "github.com/chargewatch/chargewatch/internal/sim/camera"
)

type nobody struct{}

func (nobody) Append(context.Context, *event.Event) (fleet.Receipt, error) {
	return fleet.Receipt{}, nil
}

// recorders record every camera and note each picture that came.
type recorders struct {
	store *record.Store

	mu   sync.Mutex
	came map[string][]time.Time
	lost map[string]uint64 // what the recorder dropped
}

func (r *recorders) Wants(_ camera.Config, name string) bool { return name == camera.Main }

func (r *recorders) Follow(ctx context.Context, c camera.Config, name string, hub *stream.Hub) {
	reader := hub.Follow(stream.FollowOptions{Buffer: 1 << 14, FromKey: true})
	defer reader.Close()
	rec, err := r.store.Recorder(ctx, record.Plan{Source: record.Source{Camera: c.ID, Stream: name}, Mode: record.Always})
	if err == nil {
		err = rec.Run(ctx, hub)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil && ctx.Err() == nil {
		r.lost[c.ID]++
		return
	}
	r.lost[c.ID] = rec.Status().Dropped + reader.Dropped()
	for len(reader.Units()) > 0 {
		if u, ok := <-reader.Units(); ok {
			r.came[c.ID] = append(r.came[c.ID], u.At)
		}
	}
}

// flood plays as a camera should and then sends one picture without end, over and
// over, to whoever asks.
func flood(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	sdp := "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:x\r\n"
	big := make([]byte, 60_016)
	copy(big, []byte{'$', 0, 0, 0, 0x80, 96})
	binary.BigEndian.PutUint16(big[2:], uint16(len(big)-4))
	big[16], big[17] = 0x7c, 5
	serve := func(c net.Conn) {
		defer c.Close()
		b := make([]byte, 4<<10)
		for {
			n, err := c.Read(b)
			if err != nil {
				return
			}
			request := b[:n]
			cseq := regexp.MustCompile(`CSeq: *(\d+)`).FindSubmatch(request)
			if cseq == nil {
				return
			}
			headers, body := "", ""
			switch {
			case bytes.HasPrefix(request, []byte("DESCRIBE")):
				headers, body = "Content-Type: application/sdp\r\n", sdp
			case bytes.HasPrefix(request, []byte("SETUP")):
				headers = "Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
			}
			fmt.Fprintf(c, "RTSP/1.0 200 OK\r\nCSeq: %s\r\n%sContent-Length: %d\r\n\r\n%s", cseq[1], headers, len(body), body)
			if !bytes.HasPrefix(request, []byte("PLAY")) {
				continue
			}
			for seq := uint16(0); ; seq++ {
				binary.BigEndian.PutUint16(big[6:], seq)
				if _, err := c.Write(big); err != nil {
					return
				}
			}
		}
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return "rtsp://" + ln.Addr().String() + "/main"
}

// viewer looks over WebRTC and counts packets.
func viewer(t *testing.T, s *live.Service, id string, seen *atomic.Int64) {
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
	peer.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		for seen != nil { // without, nobody reads
			if _, _, err := track.ReadRTP(); err != nil {
				return
			}
			seen.Add(1)
		}
	})
	o, err := peer.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	done := webrtc.GatheringCompletePromise(peer)
	if err := peer.SetLocalDescription(o); err != nil {
		t.Fatal(err)
	}
	<-done
	a, err := s.Watch(t.Context(), live.Offer{Camera: id, Stream: camera.Main, SDP: peer.LocalDescription().SDP})
	if err != nil {
		t.Fatal(err)
	}
	if err := peer.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: a.SDP}); err != nil {
		t.Fatal(err)
	}
}

// playlist looks over HLS, as a player does: the newest parts, again and again.
func playlist(ctx context.Context, base string, seen *atomic.Int64) {
	get := func(file string) string {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/"+file, nil)
		if err != nil {
			return ""
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return ""
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			return ""
		}
		return string(b)
	}
	name := ""
	part := regexp.MustCompile(`EXT-X-PART:[^\n]*URI="([^"]+)"`)
	for last := ""; ctx.Err() == nil; {
		if name == "" {
			name = regexp.MustCompile(`(?m)^\S+\.m3u8`).FindString(get("index.m3u8"))
		} else if all := part.FindAllStringSubmatch(get(name), -1); len(all) > 0 && all[len(all)-1][1] != last {
			last = all[len(all)-1][1]
			if get(last) != "" {
				seen.Add(1)
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// pictures are those in the files of a camera, and when the first was taken.
func pictures(t *testing.T, s *record.Store, folder, id string) (n int, first time.Time) {
	t.Helper()
	list, err := s.Segments(t.Context(), record.Source{Camera: id, Stream: camera.Main}, time.Unix(0, 0), time.Now().Add(time.Hour), 0)
	if errors.Is(err, record.ErrNotFound) {
		return 0, first
	}
	if err != nil {
		t.Fatal(err)
	}
	for i, g := range list {
		if i == 0 {
			first = g.Start
		}
		name := fmt.Sprintf("%s-%d.mp4", g.Start.UTC().Format("150405.000000"), g.Seq)
		f, err := os.Open(path.Join(folder, "video", id, camera.Main, g.Start.UTC().Format("20060102/15"), name))
		if err != nil {
			t.Fatal(err)
		}
		o, whole, err := segment.Scan(f, g.Bytes, func(p *segment.Part) error { n += len(p.Pictures); return nil })
		_ = f.Close() // it was only read
		if err != nil || whole != g.Bytes || o.Camera != id {
			t.Errorf("%s: a file of %d bytes is whole up to %d and of %q: %v", id, g.Bytes, whole, o.Camera, err)
		}
	}
	return n, first
}

func TestWhoeverLooksOrFloodsTheRecorderLosesNothing(t *testing.T) {
	farm, err := simcam.New(simcam.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer farm.Close()
	var list []camera.Config
	for i := range 9 {
		id := fmt.Sprintf("yard-%d", i+1)
		if err := farm.Add(simcam.Spec{Name: id, View: simcam.Views()[i%len(simcam.Views())]}); err != nil {
			t.Fatal(err)
		}
		list = append(list, camera.Config{ID: id, SiteID: "hh", Main: stream.Target{URL: farm.URL(id, simcam.MainStream)}, Recording: camera.Continuous})
	}
	list = append(list, camera.Config{ID: "hostile", SiteID: "hh", Main: stream.Target{URL: flood(t)}, Recording: camera.Continuous})
	folder := t.TempDir()
	data, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	store, err := record.Open(t.Context(), record.Options{Data: data, SegmentFor: 4 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	recs := &recorders{store: store, came: map[string][]time.Time{}, lost: map[string]uint64{}}
	log := slog.New(slog.DiscardHandler)
	cameras := camera.New(camera.Options{Journal: nobody{}, Dial: new(net.Dialer).DialContext, Taps: []camera.Tap{recs}, Logger: log})
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	shown, err := live.New(live.Options{Hubs: cameras, Logger: log, UDP: udp})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var running sync.WaitGroup
	kept, keep := context.WithCancel(context.Background())
	running.Go(func() { _ = store.Run(kept) }) // ends when it is told to
	running.Go(func() {
		if err := farm.Run(kept); err != nil {
			t.Error(err)
		}
	})
	followed := make(chan error, 1)
	go func() { followed <- cameras.Run(ctx) }()
	cameras.Apply(list)
	await := func(what string, cond func() bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !cond(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("never: ", what)
			}
		}
	}
	await("all honest cameras are live", func() bool {
		n := 0
		for _, c := range cameras.Cameras() {
			if c.State == event.CameraLive {
				n++
			}
		}
		return n == 9
	})

	const watched = "yard-1"
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := shown.Playlist(w, r, watched, camera.Main, path.Base(r.URL.Path)); err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
		}
	}))
	var packets [40]atomic.Int64
	var parts [10]atomic.Int64
	for i := range packets {
		viewer(t, shown, watched, &packets[i])
	}
	var looking sync.WaitGroup
	for i := range parts {
		looking.Go(func() { playlist(ctx, web.URL, &parts[i]) })
	}
	// Three that do not read what they asked for: over WebRTC, over HTTP, and inside.
	viewer(t, shown, watched, nil)
	for range 20 {
		conn, err := net.Dial("tcp", web.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for range 50 {
			if _, err := fmt.Fprint(conn, "GET /index.m3u8 HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
		}
	}
	hub, release, err := cameras.Hub(watched, camera.Main)
	if err != nil {
		t.Fatal(err)
	}
	stuck := hub.Follow(stream.FollowOptions{Buffer: 1})
	await("every viewer sees the camera", func() bool {
		for i := range packets {
			if packets[i].Load() < 200 {
				return false
			}
		}
		for i := range parts {
			if parts[i].Load() < 5 {
				return false
			}
		}
		return stuck.Dropped() > 50
	})
	stuck.Close()
	release()
	if c, ok := cameras.Camera("hostile"); !ok || c.State == event.CameraLive || c.Reason != string(stream.ReasonProtocol) {
		t.Errorf("the hostile camera: %+v", c)
	}

	cancel()
	if err := <-followed; err != nil {
		t.Error(err)
	}
	looking.Wait()
	web.CloseClientConnections()
	web.Close()
	if err := shown.Close(); err != nil {
		t.Error(err)
	}
	keep()
	running.Wait()
	if err := store.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if store, err = record.Open(t.Context(), record.Options{Data: data}); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	for _, c := range list[:9] {
		n, first := pictures(t, store, folder, c.ID)
		want := 0
		for _, at := range recs.came[c.ID] {
			if !at.Before(first) {
				want++
			}
		}
		if n < 60 || n != want || recs.lost[c.ID] > 0 {
			t.Errorf("%s: %d pictures came and %d are in its files; %d were dropped", c.ID, want, n, recs.lost[c.ID])
		}
		r, err := store.Recordings(t.Context(), record.Source{Camera: c.ID, Stream: camera.Main}, time.Unix(0, 0), time.Now().Add(time.Hour))
		if err != nil || len(r.Gaps) > 0 || len(r.Spans) != 1 {
			t.Errorf("%s: %+v, %v", c.ID, r, err)
		}
	}
	if n, _ := pictures(t, store, folder, "hostile"); n > 0 {
		t.Errorf("%d pictures under the name of the hostile camera", n)
	}
}

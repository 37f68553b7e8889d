package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"
)

// viewersResult is what those who look at one camera cost.
type viewersResult struct {
	Way     string  `json:"way"`
	Viewers int     `json:"viewers"`
	Cameras int     `json:"camerasRecorded"`
	Usage   usage   `json:"usage"`
	Each    float64 `json:"coreOfEachViewer"`
	// Least is what the viewer with least got, a second: packets over WebRTC, parts
	// of the playlist over HLS.
	Least float64 `json:"leastSecond"`
	Whole *whole  `json:"recorded,omitempty"`
	Gaps  int     `json:"gapsInTheIndex"`
}

func (r *viewersResult) row() (head, row []string) {
	kept := ""
	if r.Whole != nil {
		kept = fmt.Sprintf("%s, %d gaps", r.Whole, r.Gaps)
	}
	return []string{"way", "viewers of one camera", "cameras recorded", "server core", "core of each viewer", "RSS MB", "least a second", "recorded", "load average"},
		[]string{r.Way, fmt.Sprint(r.Viewers), fmt.Sprint(r.Cameras), fmt.Sprintf("%.3f", r.Usage.Core), fmt.Sprintf("%.4f", r.Each), fmt.Sprintf("%.0f", float64(r.Usage.RSS)/1e6),
			fmt.Sprintf("%.1f", r.Least), kept, fmt.Sprintf("%.1f", r.Usage.Load)}
}

const viewersCameras = 10

// videoViewers lets many look at one camera of ten that are recorded.
func videoViewers(ctx context.Context, b *bench) error {
	f, err := b.lab.film(ctx, viewersCameras)
	if f != nil && f.farm != nil {
		defer f.farm.kill()
	}
	if err != nil {
		return err
	}
	srv, err := b.lab.startSeeing(ctx, f, false, "--webrtc", "127.0.0.1:0")
	if srv != nil {
		defer srv.stop()
	}
	if err == nil {
		err = errors.Join(f.sites(ctx, srv), f.add(ctx, srv, "continuous"), f.live(ctx, srv))
	}
	if err != nil {
		return err
	}
	began := time.Now()
	var before float64
	var results []*viewersResult
	for _, way := range []struct {
		name string
		look func(context.Context, *server, *atomic.Int64) error
	}{{"nobody", nil}, {"WebRTC (WHEP)", lookWHEP}, {"HLS", lookHLS}} {
		r := &viewersResult{Way: way.name, Cameras: f.n}
		looking, stop := context.WithCancel(ctx)
		var wg sync.WaitGroup
		got := make([]atomic.Int64, b.video.viewers)
		failed := make(chan error, b.video.viewers)
		if way.look != nil {
			r.Viewers = b.video.viewers
			for i := range got {
				wg.Go(func() {
					if err := way.look(looking, srv, &got[i]); err != nil && looking.Err() == nil {
						failed <- err
					}
				})
			}
		}
		time.Sleep(10 * time.Second)
		for i := range got {
			got[i].Store(0)
		}
		r.Usage, err = used(ctx, b.video.window/2, srv.pid())
		for i := range got {
			if each := float64(got[i].Load()) / r.Usage.For; i == 0 || each < r.Least {
				r.Least = round(each, 1)
			}
		}
		stop()
		wg.Wait()
		select {
		case lost := <-failed:
			err = errors.Join(err, lost)
		default:
		}
		if err != nil {
			return err
		}
		if way.look == nil {
			before = r.Usage.Core
		} else {
			r.Each = round((r.Usage.Core-before)/float64(r.Viewers), 5)
		}
		log.Printf("video-viewers: %s: %.3f core", way.name, r.Usage.Core)
		results = append(results, r)
	}
	last := results[len(results)-1]
	if last.Gaps, err = gaps(ctx, srv, f, began); err != nil {
		return err
	}
	srv.stop()
	if last.Whole, err = f.check(recordedBy(srv)); err != nil {
		return err
	}
	for _, r := range results {
		b.report.add("video-viewers", r)
		if r.Viewers > 0 && r.Least == 0 {
			err = errors.Join(err, errors.New(r.Way+": somebody saw nothing"))
		}
	}
	return err
}

// lookWHEP looks over WebRTC and counts packets, until ctx ends.
func lookWHEP(ctx context.Context, srv *server, got *atomic.Int64) error {
	media := &webrtc.MediaEngine{}
	if err := media.RegisterDefaultCodecs(); err != nil {
		return fmt.Errorf("make a viewer: %w", err)
	}
	setting := webrtc.SettingEngine{}
	setting.SetIncludeLoopbackCandidate(true)
	peer, err := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithSettingEngine(setting)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return fmt.Errorf("make a viewer: %w", err)
	}
	defer peer.Close()
	if _, err := peer.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
		return fmt.Errorf("make a viewer: %w", err)
	}
	peer.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		b := make([]byte, 2000)
		for {
			if _, _, err := track.Read(b); err != nil {
				return
			}
			got.Add(1)
		}
	})
	offer, err := peer.CreateOffer(nil)
	if err != nil {
		return fmt.Errorf("make an offer: %w", err)
	}
	gathered := webrtc.GatheringCompletePromise(peer)
	if err := peer.SetLocalDescription(offer); err != nil {
		return fmt.Errorf("make an offer: %w", err)
	}
	<-gathered
	answer, err := srv.api.file(ctx, http.MethodPost, "/api/v1/cameras/"+camID(0)+"/whep?stream=main", "application/sdp", peer.LocalDescription().SDP)
	if err != nil {
		return err
	}
	if err := peer.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		return fmt.Errorf("take the answer: %w", err)
	}
	<-ctx.Done()
	return nil
}

var (
	mediaList = regexp.MustCompile(`(?m)^\S+\.m3u8\S*`)
	mediaPart = regexp.MustCompile(`EXT-X-PART:[^\n]*URI="([^"]+)"`)
)

// lookHLS looks as a player does: each part as soon as the list names it.
func lookHLS(ctx context.Context, srv *server, got *atomic.Int64) error {
	base := "/api/v1/cameras/" + camID(0) + "/hls/main/"
	index, err := srv.api.file(ctx, http.MethodGet, base+"index.m3u8", "", "")
	if err != nil {
		return err
	}
	name := mediaList.FindString(index)
	had := ""
	for ctx.Err() == nil {
		list, err := srv.api.file(ctx, http.MethodGet, base+name, "", "")
		if err != nil {
			return err
		}
		all := mediaPart.FindAllStringSubmatch(list, -1)
		fresh := had == ""
		for _, part := range all {
			if fresh {
				if _, err := srv.api.file(ctx, http.MethodGet, base+part[1], "", ""); err != nil {
					return err
				}
				got.Add(1)
			}
			fresh = fresh || part[1] == had
		}
		if len(all) > 0 {
			had = all[len(all)-1][1]
		}
		time.Sleep(200 * time.Millisecond)
	}
	return nil
}

// file asks for something that is no JSON.
func (a *api) file(ctx context.Context, method, path, kind, body string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, method, a.base+path, strings.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", method, path, err)
	}
	if resp.StatusCode >= 300 {
		return "", fmt.Errorf("%s %s: %s: %.300s", method, path, resp.Status, b)
	}
	return string(b), nil
}

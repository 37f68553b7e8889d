package live

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gohlslib/v2"
	"github.com/bluenviron/gohlslib/v2/pkg/codecs"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// playlist is a stream as low-latency HLS (RFC 8216bis), made while somebody asks
// for it.
type playlist struct {
	muxer   *gohlslib.Muxer
	track   *gohlslib.Track
	codec   stream.Codec
	askedAt atomic.Int64
	ctx     context.Context
	end     context.CancelFunc
}

// Playlist answers for a file of a stream's playlist: index.m3u8 is the one to
// begin with.
func (s *Service) Playlist(w http.ResponseWriter, r *http.Request, camera, name, file string) error {
	if file == "" || file != path.Base(file) || strings.ContainsAny(file, `\`) {
		return ErrNoPlaylist
	}
	at := place{camera, name}
	s.mu.Lock()
	list := s.lists[at]
	s.mu.Unlock()
	if list == nil {
		if file != "index.m3u8" {
			return ErrNoPlaylist
		}
		var err error
		if list, err = s.openPlaylist(r.Context(), at); err != nil {
			return err
		}
	}
	list.askedAt.Store(time.Now().UnixNano())
	ctx, done := context.WithCancel(r.Context())
	defer done()
	defer context.AfterFunc(list.ctx, done)()
	out := r.Clone(ctx)
	out.URL.Path = "/" + file
	list.muxer.Handle(w, out)
	return nil
}

func (s *Service) openPlaylist(ctx context.Context, at place) (*playlist, error) {
	hub, release, err := s.o.Hubs.Hub(at.camera, at.stream)
	if err != nil {
		return nil, err
	}
	u, err := current(ctx, hub)
	if err != nil {
		release()
		return nil, err
	}
	list := &playlist{codec: u.Format.Codec, track: &gohlslib.Track{Codec: codecOf(u.Format), ClockRate: clockRate}}
	list.muxer = &gohlslib.Muxer{
		Tracks: []*gohlslib.Track{list.track}, Variant: gohlslib.MuxerVariantLowLatency,
		SegmentMaxSize: 32 << 20,
		OnEncodeError: func(err error) {
			s.o.Logger.Debug("picture not shown", "camera", at.camera, "err", err)
		},
	}
	if err := list.muxer.Start(); err != nil {
		release()
		return nil, fmt.Errorf("begin a playlist: %w", err)
	}
	list.ctx, list.end = context.WithCancel(context.Background()) // other requests follow
	list.askedAt.Store(time.Now().UnixNano())
	s.mu.Lock()
	defer s.mu.Unlock()
	if other := s.lists[at]; other != nil || s.closed {
		list.end()
		list.muxer.Close()
		release()
		if s.closed {
			return nil, ErrTooMany
		}
		return other, nil
	}
	s.lists[at] = list
	s.work.Go(list.watch)
	s.work.Go(func() {
		defer release()
		defer list.muxer.Close()
		defer list.end()
		err := list.feed(hub)
		s.mu.Lock()
		delete(s.lists, at)
		s.mu.Unlock()
		if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, stream.ErrClosed) {
			s.o.Logger.Debug("playlist ends", "camera", at.camera, "err", err)
		}
	})
	return list, nil
}

func codecOf(f *stream.Format) codecs.Codec {
	if f.Codec == stream.H265 {
		return &codecs.H265{VPS: f.VPS, SPS: f.SPS, PPS: f.PPS}
	}
	return &codecs.H264{SPS: f.SPS, PPS: f.PPS}
}

// watch ends the playlist when nobody has asked for a while.
func (l *playlist) watch() {
	t := time.NewTicker(idlePlaylist / 4)
	defer t.Stop()
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-t.C:
			if time.Since(time.Unix(0, l.askedAt.Load())) > idlePlaylist {
				l.end()
			}
		}
	}
}

// feed writes what the camera sends. A camera that comes back with another codec
// needs another playlist.
func (l *playlist) feed(hub *stream.Hub) error {
	r := hub.Follow(stream.FollowOptions{Buffer: 128, FromKey: true})
	defer r.Close()
	var clock timeline
	for {
		u, err := r.Next(l.ctx)
		if err != nil {
			return err
		}
		if u.Format.Codec != l.codec {
			return nil
		}
		pts := int64(clock.at(u) * clockRate / time.Second)
		if l.codec == stream.H265 {
			err = l.muxer.WriteH265(l.track, u.At, pts, u.NALUs)
		} else {
			err = l.muxer.WriteH264(l.track, u.At, pts, u.NALUs)
		}
		if err != nil {
			return fmt.Errorf("write a picture: %w", err)
		}
	}
}

// timeline goes on over a camera's connections, each of which counts from zero.
type timeline struct {
	started bool
	epoch   uint64
	offset  time.Duration
	newest  time.Duration
	at0     time.Time
}

func (t *timeline) at(u *stream.Unit) time.Duration {
	switch {
	case !t.started:
		t.started, t.epoch, t.at0, t.offset = true, u.Epoch, u.ReceivedAt, time.Second-u.PTS
	case u.Epoch != t.epoch:
		t.epoch = u.Epoch
		t.offset = max(u.ReceivedAt.Sub(t.at0)+time.Second, t.newest+time.Millisecond) - u.PTS
	}
	pts := u.PTS + t.offset
	t.newest = max(t.newest, pts)
	return pts
}

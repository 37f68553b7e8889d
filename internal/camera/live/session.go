package live

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// Offer is a wish to look over WebRTC (WHEP, draft-ietf-wish-whep).
type Offer struct {
	Camera, Stream string
	// Instead is shown until the first key picture of Stream comes, which takes
	// seconds where nobody looked at it before. Empty: nothing is.
	Instead string
	SDP     string
}

// Answer is what the browser is told. Done is closed when the session is over,
// whoever ended it.
type Answer struct {
	ID   string
	SDP  string
	Done <-chan struct{}
}

// session is one viewer of one stream.
type session struct {
	id      string
	camera  string
	service *Service
	hub     *stream.Hub
	release func()
	instead *stream.Hub // nil: the stream itself is there
	let     func()      // releases instead
	peer    *webrtc.PeerConnection
	sender  *webrtc.RTPSender
	track   *webrtc.TrackLocalStaticRTP

	up     chan struct{} // closed once the peer is connected
	again  atomic.Bool   // the viewer has lost the thread: start with a key picture
	ctx    context.Context
	cancel context.CancelFunc
}

// Watch begins a WebRTC session. It goes on until End, until the viewer or the
// camera goes, or until the viewer was not heard for ten seconds.
func (s *Service) Watch(ctx context.Context, o Offer) (Answer, error) {
	if s.api == nil {
		return Answer{}, ErrNoWebRTC
	}
	if len(o.SDP) > maxOffer {
		return Answer{}, fmt.Errorf("%w: longer than %d bytes", ErrOffer, maxOffer)
	}
	x, err := s.open(o)
	if err != nil {
		return Answer{}, err
	}
	sdp, err := x.answer(ctx, o.SDP)
	if err != nil {
		x.end()
		x.close()
		return Answer{}, err
	}
	s.work.Go(func() {
		defer x.close()
		x.serve()
	})
	return Answer{ID: x.id, SDP: sdp, Done: x.ctx.Done()}, nil
}

// End ends a session of the camera; false when there is none.
func (s *Service) End(camera, id string) bool {
	s.mu.Lock()
	x, ok := s.sessions[id]
	s.mu.Unlock()
	if !ok || x.camera != camera {
		return false
	}
	x.end()
	return true
}

func (s *Service) open(o Offer) (*session, error) {
	hub, release, err := s.o.Hubs.Hub(o.Camera, o.Stream)
	if err != nil {
		return nil, err
	}
	x := &session{id: uuid.NewString(), camera: o.Camera, service: s, hub: hub, release: release, up: make(chan struct{})}
	x.ctx, x.cancel = context.WithCancel(context.Background()) // it outlives the request
	if o.Instead != "" && o.Instead != o.Stream {
		if other, let, err := s.o.Hubs.Hub(o.Camera, o.Instead); err == nil {
			x.instead, x.let = other, let
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.sessions) >= s.o.MaxViewers {
		x.cancel()
		release()
		x.drop()
		return nil, ErrTooMany
	}
	s.sessions[x.id] = x
	return x, nil
}

// find looks whether there is anything to show: the stream, at once or soon, or
// meanwhile the other. Which it is, is seen when the viewer is there: by then the
// stream may have come, or what was there may be over.
func (x *session) find(ctx context.Context) error {
	if x.instead != nil {
		if u := present(x.instead); u == nil || playable(u) != nil {
			x.drop()
		} else if present(x.hub) == nil {
			return nil
		}
	}
	u, err := current(ctx, x.hub)
	if err != nil {
		return err
	}
	return playable(u)
}

// drop does without the other stream from now on.
func (x *session) drop() {
	if x.instead != nil {
		x.instead = nil
		x.let()
	}
}

// playable says why browsers do not take a picture over WebRTC.
func playable(u *stream.Unit) error {
	switch {
	case u.Format.Codec != stream.H264:
		return ErrCodec
	case u.PTS != u.DTS:
		return ErrReordered
	}
	return nil
}

// answer looks whether a browser can show the stream at all and makes the
// connection.
func (x *session) answer(ctx context.Context, offer string) (string, error) {
	if err := x.find(ctx); err != nil {
		return "", err
	}
	var err error
	if x.peer, err = x.service.api.NewPeerConnection(webrtc.Configuration{}); err != nil {
		return "", fmt.Errorf("make a connection: %w", err)
	}
	x.peer.OnConnectionStateChange(x.follow)
	if err := x.peer.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", fmt.Errorf("%w: %w", ErrOffer, err)
	}
	if x.track, err = webrtc.NewTrackLocalStaticRTP(h264(), "video", x.camera); err != nil {
		return "", fmt.Errorf("make a track: %w", err)
	}
	if x.sender, err = x.peer.AddTrack(x.track); err != nil {
		return "", fmt.Errorf("%w: %w", ErrOffer, err)
	}
	answer, err := x.peer.CreateAnswer(nil)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrOffer, err)
	}
	gathered := webrtc.GatheringCompletePromise(x.peer)
	if err := x.peer.SetLocalDescription(answer); err != nil {
		return "", fmt.Errorf("%w: %w", ErrOffer, err)
	}
	ctx, done := context.WithTimeout(ctx, gatherWait)
	defer done()
	select {
	case <-gathered:
	case <-ctx.Done():
		return "", fmt.Errorf("find our own addresses: %w", ctx.Err())
	}
	return x.peer.LocalDescription().SDP, nil
}

// follow is told how the connection fares.
func (x *session) follow(state webrtc.PeerConnectionState) {
	switch state {
	case webrtc.PeerConnectionStateConnected:
		select {
		case <-x.up:
		default:
			close(x.up)
		}
	case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
		x.end()
	}
}

func (x *session) end() { x.cancel() }

func (x *session) close() {
	s := x.service
	s.mu.Lock()
	delete(s.sessions, x.id)
	s.mu.Unlock()
	x.cancel()
	x.release()
	x.drop()
	if x.peer != nil {
		if err := x.peer.Close(); err != nil {
			s.o.Logger.Debug("viewer not closed cleanly", "camera", x.camera, "err", err)
		}
	}
}

// serve sends pictures until the session is over.
func (x *session) serve() {
	wait := time.NewTimer(connectWait)
	defer wait.Stop()
	select {
	case <-x.up:
	case <-x.ctx.Done():
		return
	case <-wait.C:
		return
	}
	x.service.work.Go(x.listen)
	p, err := newPacer(x.sender)
	if err != nil {
		x.service.o.Logger.Warn("viewer not served", "camera", x.camera, "err", err)
		return
	}
	for x.ctx.Err() == nil {
		x.again.Store(false)
		if err := x.send(p); err != nil {
			if !errors.Is(err, context.Canceled) && !errors.Is(err, stream.ErrClosed) {
				x.service.o.Logger.Debug("viewer lost", "camera", x.camera, "err", err)
			}
			return
		}
	}
}

// send follows the hub, from the newest key picture on, until the viewer has lost
// the thread.
func (x *session) send(p *pacer) error {
	r := follow(x.hub)
	defer r.Close()
	if x.instead != nil && r.Behind() == 0 {
		if again, err := x.meanwhile(p, r); again || err != nil {
			return err
		}
	}
	x.drop()
	for backlog := r.Behind() - 1; ; backlog-- {
		u, err := r.Next(x.ctx)
		if err != nil {
			return err
		}
		if again, err := x.show(p, u, backlog); again || err != nil {
			return err
		}
	}
}

// show sends a picture; again reports that the viewer starts anew with it. A camera
// that is back begins with a key picture: what comes before it would be painted over
// the pictures of another connection.
func (x *session) show(p *pacer, u *stream.Unit, backlog int) (again bool, err error) {
	if !p.follows(u) {
		return false, nil
	}
	packets, err := p.packets(u, backlog)
	if err != nil {
		return false, err
	}
	for _, packet := range packets {
		if err := x.track.WriteRTP(packet); err != nil {
			return false, err
		}
	}
	return x.again.Load() && u.Key, nil
}

// meanwhile shows the other stream until the wanted one has a key picture, with
// which it goes on. If that is one that browsers do not take, the other stays.
func (x *session) meanwhile(p *pacer, wanted *stream.Reader) (again bool, err error) {
	r := follow(x.instead)
	defer r.Close()
	mine, other := wanted.Units(), r.Units()
	for backlog := r.Behind() - 1; ; {
		select {
		case <-x.ctx.Done():
			return false, x.ctx.Err()
		case u, ok := <-mine:
			switch {
			case !ok:
				return false, stream.ErrClosed
			case playable(u) != nil:
				wanted.Close()
				mine = nil
			default:
				x.drop()
				p.change()
				return x.show(p, u, 0)
			}
		case u, ok := <-other:
			if !ok {
				return false, stream.ErrClosed
			}
			if playable(u) != nil {
				continue
			}
			if again, err := x.show(p, u, backlog); again || err != nil {
				return again, err
			}
			backlog--
		}
	}
}

// listen hears what the viewer reports. A viewer that lost pictures for good
// starts again with the newest key picture, at most once a second.
func (x *session) listen() {
	var last time.Time
	for {
		packets, _, err := x.sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			if _, lost := p.(*rtcp.PictureLossIndication); lost && time.Since(last) > time.Second {
				last = time.Now()
				x.again.Store(true)
			}
		}
	}
}

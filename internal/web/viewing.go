package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/store"
)

// Watching is a WebRTC session: its SDP answer and when it is over.
type Watching struct {
	ID   string
	SDP  string
	Done <-chan struct{}
}

// CameraStill is a single picture.
type CameraStill struct {
	JPEG []byte
	At   time.Time
}

// Viewing shows what cameras see now. Its errors are *ViewingError where a viewer
// can be told why.
type Viewing interface {
	Watch(ctx context.Context, camera, stream, offer string) (Watching, error)
	EndWatch(camera, id string) bool
	Playlist(w http.ResponseWriter, r *http.Request, camera, stream, file string) error
	// Still hides the zones.
	Still(ctx context.Context, camera, stream string, hide []store.CameraZone) (CameraStill, error)
}

// ViewingError says why there is no picture; Code is for programs: codec,
// reordered, noWebRTC, noPicture, busy, noDecoder, offer, noPlaylist.
type ViewingError struct {
	Status int
	Code   string
	Reason string
}

func (e *ViewingError) Error() string { return e.Reason }

// codedProblem is a problem document with a code for programs (RFC 9457, 3.2).
type codedProblem struct {
	*huma.ErrorModel
	Code string `json:"code"`
}

const (
	maxOffer  = 64 << 10
	mainName  = "main"
	subName   = "sub"
	sdpFormat = "application/sdp"
)

func (s *Server) registerViewing() {
	see := atCamera(VideoLive).orPermit()
	s.raw(http.MethodPost, base+"/cameras/{camera}/whep", see, s.view(s.watch))
	s.raw(http.MethodDelete, base+"/cameras/{camera}/whep/{session}", see, s.endWatch)
	s.raw(http.MethodGet, base+"/cameras/{camera}/hls/{stream}/{file}", see, s.view(s.playlist))
	s.raw(http.MethodGet, base+"/cameras/{camera}/snapshot.jpg", see, s.view(s.still))
}

// view finds the camera and tells why a picture cannot be had.
func (s *Server) view(show func(w http.ResponseWriter, r *http.Request, c *store.Camera, masked bool) error) http.HandlerFunc {
	return s.show(s.o.Store.Camera, show)
}

// show is view where find says which cameras there are.
func (s *Server) show(find func(id string) (*store.Camera, bool), show func(w http.ResponseWriter, r *http.Request, c *store.Camera, masked bool) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, ok := find(r.PathValue("camera"))
		if !ok || s.o.Viewing == nil {
			writeProblem(w, problemf(http.StatusNotFound, "no such camera"))
			return
		}
		masked := len(c.Private()) > 0 && !scope(r.Context(), VideoUnmasked).Allows(c.SiteID)
		err := show(w, r, c, masked)
		if why, ok := errors.AsType[*ViewingError](err); ok {
			writeCoded(w, codedProblem{problemf(why.Status, why.Reason), why.Code})
		} else if err != nil {
			writeProblem(w, s.problem(r.Context(), err))
		}
	}
}

// streamOf is the stream that was asked for; a camera with one stream has only it.
func streamOf(name string, c *store.Camera) (string, error) {
	switch {
	case name == "" || name == mainName:
		return mainName, nil
	case name == subName && c.SubURL != "":
		return subName, nil
	case name == subName:
		return mainName, nil
	}
	return "", problemf(http.StatusUnprocessableEntity, "validation failed",
		&huma.ErrorDetail{Message: "main or sub", Location: "query.stream", Value: name})
}

func errMasked() error {
	return &ViewingError{http.StatusForbidden, "masked", "parts of this picture are private: you see masked single pictures only"}
}

// watch is WHEP (draft-ietf-wish-whep): an offer in, an answer out.
func (s *Server) watch(w http.ResponseWriter, r *http.Request, c *store.Camera, hidden bool) error {
	if hidden {
		return errMasked()
	}
	stream, err := streamOf(r.URL.Query().Get("stream"), c)
	if err != nil {
		return err
	}
	offer, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxOffer))
	if err != nil {
		return problemf(http.StatusRequestEntityTooLarge, "an offer has at most 64 KiB")
	}
	if r.Header.Get("Content-Type") != sdpFormat {
		return problemf(http.StatusUnsupportedMediaType, "an offer is "+sdpFormat)
	}
	x, err := s.o.Viewing.Watch(r.Context(), c.ID, stream, string(offer))
	if err != nil {
		return err
	}
	s.seen(r.Context(), c, "camera.watch")
	p := who(r.Context())
	go s.whileAllowed(p, c.ID, x.Done, func() { s.o.Viewing.EndWatch(c.ID, x.ID) })
	h := w.Header()
	h.Set("Content-Type", sdpFormat)
	h.Set("Location", base+"/cameras/"+c.ID+"/whep/"+x.ID)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, x.SDP) // the caller may have gone
	return nil
}

func (s *Server) endWatch(w http.ResponseWriter, r *http.Request) {
	if s.o.Viewing == nil || !s.o.Viewing.EndWatch(r.PathValue("camera"), r.PathValue("session")) {
		writeProblem(w, problemf(http.StatusNotFound, "no such session"))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// whileAllowed ends a stream when its viewer signs out or loses the right.
func (s *Server) whileAllowed(p *Principal, camera string, done <-chan struct{}, end func()) {
	recheck := time.NewTicker(recheckEvery)
	defer recheck.Stop()
	changed := s.o.Store.AccessChanged()
	for {
		select {
		case <-done:
			return
		case <-changed:
			changed = s.o.Store.AccessChanged()
		case <-recheck.C:
		}
		if !s.maySee(context.Background(), p, camera) {
			end()
			return
		}
	}
}

// maySee reports whether somebody may see a camera unmasked now.
func (s *Server) maySee(ctx context.Context, p *Principal, camera string) bool {
	now, err := s.again(ctx, p)
	if errors.Is(err, store.ErrNotFound) {
		return false
	}
	c, ok := s.o.Store.Camera(camera)
	if err != nil || !ok {
		return err != nil && ok // a store that does not answer takes nobody's right
	}
	if len(c.Private()) > 0 && !now.Scope(VideoUnmasked).Allows(c.SiteID) {
		return false
	}
	if now.Scope(VideoLive).Allows(c.SiteID) {
		return true
	}
	works, err := s.worksAt(ctx, now, c.SiteID)
	return works || err != nil
}

func (s *Server) playlist(w http.ResponseWriter, r *http.Request, c *store.Camera, hidden bool) error {
	if hidden {
		return errMasked()
	}
	stream, err := streamOf(r.PathValue("stream"), c)
	if err != nil {
		return err
	}
	if r.PathValue("file") == "index.m3u8" {
		s.seen(r.Context(), c, "camera.watch")
	}
	w.Header().Set("Cache-Control", "no-store")
	return s.o.Viewing.Playlist(w, r, c.ID, stream, r.PathValue("file"))
}

func (s *Server) still(w http.ResponseWriter, r *http.Request, c *store.Camera, hidden bool) error {
	stream, err := streamOf(r.URL.Query().Get("stream"), c)
	if err != nil {
		return err
	}
	var hide []store.CameraZone
	if hidden {
		hide = c.Private()
	}
	x, err := s.o.Viewing.Still(r.Context(), c.ID, stream, hide)
	if err != nil {
		return err
	}
	s.seen(r.Context(), c, "camera.still")
	h := w.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("Content-Length", strconv.Itoa(len(x.JPEG)))
	h.Set("Cache-Control", "no-store")
	h.Set("Last-Modified", x.At.UTC().Format(http.TimeFormat))
	h.Set("Chargewatch-At", x.At.UTC().Format(time.RFC3339Nano))
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(x.JPEG) // the caller may have gone
	return nil
}

func writeCoded(w http.ResponseWriter, p codedProblem) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the caller may have gone
}

// viewed remembers who looks at which camera, so that the audit log has a line
// for each look and not for each picture.
type viewed struct {
	mu   sync.Mutex
	last map[look]time.Time
}

type look struct{ who, camera, action string }

const (
	sameLook = 10 * time.Minute
	maxLooks = 20_000
)

// again reports whether it is still the same look.
func (v *viewed) again(key look, now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	at, known := v.last[key]
	if v.last == nil || len(v.last) >= maxLooks {
		v.last = make(map[look]time.Time)
	}
	v.last[key] = now
	return known && now.Sub(at) < sameLook
}

// seen writes into the audit log who looks.
func (s *Server) seen(ctx context.Context, c *store.Camera, action string) {
	p := who(ctx)
	if s.viewed.again(look{p.ID, c.ID, action}, s.now()) {
		return
	}
	if err := s.o.Store.Record(ctx, p.actor(), action, "camera/"+c.ID, nil); err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "a look at a camera is not in the audit log", "camera", c.ID, "err", err)
	}
}

package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/store"
)

// FootageShape is what there is of a camera within a time.
type FootageShape struct {
	Items []FootageSpan `json:"items" doc:"times with pictures, oldest first"`
	// NextCursor is always empty: a time is answered whole.
	NextCursor string        `json:"nextCursor"`
	Stream     string        `json:"stream"`
	Streams    []string      `json:"streams" doc:"those that are recorded"`
	Gaps       []FootageGap  `json:"gaps" doc:"times that should have pictures and have none"`
	Held       []FootageHold `json:"held" doc:"times that are kept longer"`
	Bytes      int64         `json:"bytes" doc:"of the files that hold these pictures"`
	EarliestAt *time.Time    `json:"earliestAt" doc:"the oldest picture that is kept"`
	LatestAt   *time.Time    `json:"latestAt" doc:"the newest"`
}

// FootageSpan is a time with pictures.
type FootageSpan struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// FootageGap is a time without.
type FootageGap struct {
	From   time.Time  `json:"from"`
	To     *time.Time `json:"to" doc:"null while it lasts"`
	Reason string     `json:"reason" doc:"as a code: connection, stalled, slow, disk, diskFull, codec, stopped, or the reason of the camera's state"`
}

// FootageHold is a time that is kept longer.
type FootageHold struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Class  string    `json:"class" enum:"incident,evidence"`
	Reason string    `json:"reason"`
}

// RetentionState is how the recordings of a camera are kept.
type RetentionState struct {
	PromisedDays  float64    `json:"promisedDays"`
	EffectiveDays *float64   `json:"effectiveDays" doc:"how long pictures stay at the rate of now and the room there is; null: not known"`
	Bytes         int64      `json:"bytes"`
	HeldBytes     int64      `json:"heldBytes" doc:"older than promised, kept for incidents or as evidence"`
	PerDayBytes   float64    `json:"perDayBytes" doc:"0: not known yet"`
	Expected      bool       `json:"expected" doc:"perDayBytes follows from the bit rate; too little is recorded to measure it"`
	OldestAt      *time.Time `json:"oldestAt"`
	LatestAt      *time.Time `json:"latestAt"`
	LimitedBy     string     `json:"limitedBy" enum:"bytes,site,volume,disk," doc:"what makes it shorter than promised"`
	Short         bool       `json:"short" doc:"less is kept than was promised"`
}

// FootageClip is a file to be read from any place. Whoever gets it closes it.
type FootageClip struct {
	io.ReadSeeker
	io.Closer
	From, To time.Time
}

// FootagePiece is a file of a playlist.
type FootagePiece struct {
	io.WriterTo
	io.Closer
	Size int64
}

// Footage is what cameras saw. Its errors are *ViewingError where a viewer can be
// told why; without pictures the code is noRecording.
type Footage interface {
	Recordings(ctx context.Context, camera, stream string, from, to time.Time) (FootageShape, error)
	Retention(camera string) (RetentionState, bool)
	Clip(ctx context.Context, camera, stream string, from, to time.Time) (FootageClip, error)
	// Sound is the sound alone.
	Sound(ctx context.Context, camera, stream string, from, to time.Time) (FootageClip, error)
	// Replay is an HLS playlist of a time, ReplayPiece what it refers to.
	Replay(ctx context.Context, camera, stream string, from, to time.Time) ([]byte, error)
	ReplayPiece(ctx context.Context, camera, stream, file string) (FootagePiece, error)
	// Past is the key picture that was the newest at a time.
	Past(ctx context.Context, camera, stream string, at time.Time) (CameraStill, error)
	// Thumbnail is the small picture nearest to a time that was recorded, with the
	// zones hidden.
	Thumbnail(ctx context.Context, camera string, at time.Time, hide []store.CameraZone) (CameraStill, error)
	// KeepFor keeps the pictures of a bookmark, LetGo keeps them no longer.
	KeepFor(b store.Bookmark) error
	LetGo(bookmark string) error
}

type (
	recordingsInput struct {
		Camera string    `path:"camera" maxLength:"64"`
		Stream string    `query:"stream" enum:"main,sub" default:"main"`
		From   time.Time `query:"from" required:"true"`
		To     time.Time `query:"to" required:"true"`
	}
	recordingsOutput struct{ Body FootageShape }
	retentionOutput  struct{ Body RetentionState }
)

// longestRecordings bounds what is listed at once.
const longestRecordings = 32 * 24 * time.Hour

func (s *Server) registerFootage() {
	op := func(id, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Tags: []string{"cameras"}}
	}
	review := atFilmed(VideoReview)
	add(s, review, op("listRecordings", "/cameras/{camera}/recordings", "When there are pictures, and why not"), s.listRecordings)
	add(s, atCamera(CamerasRead), op("getRetention", "/cameras/{camera}/retention", "How long pictures stay"), s.getRetention)
	s.raw(http.MethodGet, base+"/cameras/{camera}/clip.mp4", review, s.past(s.clip))
	s.raw(http.MethodGet, base+"/cameras/{camera}/playback/sound.m4a", review, s.past(s.listen))
	s.raw(http.MethodGet, base+"/cameras/{camera}/playback/index.m3u8", review, s.past(s.replay))
	s.raw(http.MethodGet, base+"/cameras/{camera}/playback/picture.jpg", review, s.past(s.pastStill))
	s.raw(http.MethodGet, base+"/cameras/{camera}/playback/thumbnail.jpg", review, s.view(s.thumbnail))
	s.raw(http.MethodGet, base+"/cameras/{camera}/playback/{stream}/{file}", review, s.past(s.replayPiece))
}

func (s *Server) listRecordings(ctx context.Context, in *recordingsInput) (*recordingsOutput, error) {
	if s.o.Footage == nil {
		return nil, store.ErrNotFound
	}
	if err := within(in.From, in.To, longestRecordings); err != nil {
		return nil, err
	}
	out, err := s.o.Footage.Recordings(ctx, in.Camera, in.Stream, in.From, in.To)
	if why, ok := errors.AsType[*ViewingError](err); ok {
		return nil, problemf(why.Status, why.Reason)
	}
	return &recordingsOutput{Body: out}, err
}

func (s *Server) getRetention(_ context.Context, in *cameraInput) (*retentionOutput, error) {
	c, ok := s.o.Store.Camera(in.Camera)
	if !ok {
		return nil, store.ErrNotFound
	}
	return &retentionOutput{Body: s.retentionState(c)}, nil
}

func within(from, to time.Time, most time.Duration) error {
	switch {
	case !to.After(from):
		return problemf(http.StatusUnprocessableEntity, "validation failed",
			&huma.ErrorDetail{Message: "after from", Location: "query.to", Value: to})
	case to.Sub(from) > most:
		return problemf(http.StatusUnprocessableEntity, "validation failed",
			&huma.ErrorDetail{Message: fmt.Sprint("at most ", most, " after from"), Location: "query.to", Value: to})
	}
	return nil
}

// moment reads a time of the query.
func moment(r *http.Request, name string) (time.Time, error) {
	text := r.URL.Query().Get(name)
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, problemf(http.StatusUnprocessableEntity, "validation failed",
			&huma.ErrorDetail{Message: "a time such as 2026-11-22T14:05:00Z", Location: "query." + name, Value: text})
	}
	return at, nil
}

// past is for routes that show whole pictures of the past: whoever may see masked
// ones only gets none.
func (s *Server) past(show func(w http.ResponseWriter, r *http.Request, c *store.Camera) error) http.HandlerFunc {
	return s.show(s.o.Store.Filmed, func(w http.ResponseWriter, r *http.Request, c *store.Camera, masked bool) error {
		switch {
		case s.o.Footage == nil:
			return &ViewingError{http.StatusNotFound, "noRecording", "nothing is recorded"}
		case masked:
			return errMasked()
		}
		h := w.Header()
		h.Set("Cache-Control", "private, no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		return show(w, r, c)
	})
}

// asked reads what time of which stream is wanted.
func asked(r *http.Request, c *store.Camera, most time.Duration) (stream string, from, to time.Time, err error) {
	if stream, err = streamOf(r.URL.Query().Get("stream"), c); err != nil {
		return "", from, to, err
	}
	if from, err = moment(r, "from"); err != nil {
		return "", from, to, err
	}
	if to, err = moment(r, "to"); err != nil {
		return "", from, to, err
	}
	return stream, from, to, within(from, to, most)
}

const (
	longestClip   = 6 * time.Hour
	longestReplay = 25 * time.Hour
	longestSound  = 30 * time.Minute
)

func (s *Server) clip(w http.ResponseWriter, r *http.Request, c *store.Camera) error {
	stream, from, to, err := asked(r, c, longestClip)
	if err != nil {
		return err
	}
	x, err := s.o.Footage.Clip(r.Context(), c.ID, stream, from, to)
	if err != nil {
		return err
	}
	defer x.Close()
	if err := s.took(r.Context(), c, stream, from, to); err != nil {
		return err
	}
	name := fmt.Sprintf("%s-%s.mp4", c.ID, x.From.UTC().Format("20060102T150405Z"))
	h := w.Header()
	h.Set("Content-Type", "video/mp4")
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name))
	h.Set("Chargewatch-From", x.From.UTC().Format(time.RFC3339Nano))
	h.Set("Chargewatch-To", x.To.UTC().Format(time.RFC3339Nano))
	http.ServeContent(w, r, name, time.Time{}, x.ReadSeeker)
	return nil
}

// listen is the sound of a time, for whoever looks at its pictures. That somebody
// listened is in the audit log beside that they looked.
func (s *Server) listen(w http.ResponseWriter, r *http.Request, c *store.Camera) error {
	stream, from, to, err := asked(r, c, longestSound)
	if err != nil {
		return err
	}
	x, err := s.o.Footage.Sound(r.Context(), c.ID, stream, from, to)
	if err != nil {
		return err
	}
	defer x.Close()
	s.seen(r.Context(), c, "camera.listen")
	h := w.Header()
	h.Set("Content-Type", "audio/mp4")
	h.Set("Chargewatch-From", x.From.UTC().Format(time.RFC3339Nano))
	h.Set("Chargewatch-To", x.To.UTC().Format(time.RFC3339Nano))
	http.ServeContent(w, r, "", time.Time{}, x.ReadSeeker)
	return nil
}

// took writes into the audit log who took which clip: before the first byte, and
// once for a download in many parts.
func (s *Server) took(ctx context.Context, c *store.Camera, stream string, from, to time.Time) error {
	p := who(ctx)
	if s.viewed.again(look{p.ID, c.ID, "camera.clip " + stream + from.String() + to.String()}, s.now()) {
		return nil
	}
	return s.o.Store.Record(ctx, p.actor(), "camera.clip", "camera/"+c.ID, map[string]any{"stream": stream, "from": from.UTC(), "to": to.UTC()})
}

func (s *Server) replay(w http.ResponseWriter, r *http.Request, c *store.Camera) error {
	stream, from, to, err := asked(r, c, longestReplay)
	if err != nil {
		return err
	}
	b, err := s.o.Footage.Replay(r.Context(), c.ID, stream, from, to)
	if err != nil {
		return err
	}
	s.seen(r.Context(), c, "camera.review")
	w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
	_, _ = w.Write(b) // the caller may have gone
	return nil
}

func (s *Server) replayPiece(w http.ResponseWriter, r *http.Request, c *store.Camera) error {
	stream, err := streamOf(r.PathValue("stream"), c)
	if err != nil {
		return err
	}
	x, err := s.o.Footage.ReplayPiece(r.Context(), c.ID, stream, r.PathValue("file"))
	if err != nil {
		return err
	}
	defer x.Close()
	s.seen(r.Context(), c, "camera.review")
	h := w.Header()
	h.Set("Content-Type", "video/mp4")
	h.Set("Content-Length", strconv.FormatInt(x.Size, 10))
	// A piece never changes, and a viewer goes back and forth.
	h.Set("Cache-Control", "private, max-age=600")
	if _, err := x.WriteTo(w); err != nil && r.Context().Err() == nil {
		s.log.WarnContext(r.Context(), "a piece of a recording cannot be read", "camera", c.ID, "err", err)
	}
	return nil
}

func (s *Server) pastStill(w http.ResponseWriter, r *http.Request, c *store.Camera) error {
	stream, err := streamOf(r.URL.Query().Get("stream"), c)
	if err != nil {
		return err
	}
	at, err := moment(r, "at")
	if err != nil {
		return err
	}
	x, err := s.o.Footage.Past(r.Context(), c.ID, stream, at)
	if err != nil {
		return err
	}
	s.seen(r.Context(), c, "camera.review")
	h := w.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("Content-Length", strconv.Itoa(len(x.JPEG)))
	h.Set("Cache-Control", "private, max-age=600")
	h.Set("Chargewatch-At", x.At.UTC().Format(time.RFC3339Nano))
	_, _ = w.Write(x.JPEG) // the caller may have gone
	return nil
}

// thumbnail is a small picture for whoever drags over a timeline. Who may not see
// all of the picture gets it painted over.
func (s *Server) thumbnail(w http.ResponseWriter, r *http.Request, c *store.Camera, masked bool) error {
	if s.o.Footage == nil {
		return &ViewingError{http.StatusNotFound, "noRecording", "nothing is recorded"}
	}
	at, err := moment(r, "at")
	if err != nil {
		return err
	}
	var hide []store.CameraZone
	if masked {
		hide = c.Private()
	}
	x, err := s.o.Footage.Thumbnail(r.Context(), c.ID, at, hide)
	if err != nil {
		return err
	}
	s.seen(r.Context(), c, "camera.review")
	h := w.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("Content-Length", strconv.Itoa(len(x.JPEG)))
	h.Set("Cache-Control", "private, no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Chargewatch-At", x.At.UTC().Format(time.RFC3339Nano))
	_, _ = w.Write(x.JPEG) // the caller may have gone
	return nil
}

package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera"
	"github.com/chargewatch/chargewatch/internal/camera/decode"
	"github.com/chargewatch/chargewatch/internal/camera/evidence"
	"github.com/chargewatch/chargewatch/internal/camera/preview"
	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/camera/stream"
	"github.com/chargewatch/chargewatch/internal/disk"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

// footage joins what records with cameras, the journal and the API.
type footage struct {
	*record.Store
	s     *Server
	key   *evidence.Key
	told  chan toldGap
	recs  recorders
	packs *evidencePacks
	// previews are small pictures of what was recorded.
	previews *preview.Service
}

// toldGap is what is said of recordings on its way into the journal, which may take its time without
// anybody waiting.
type toldGap struct {
	camera string
	body   event.Body
}

// openFootage opens the recordings of the data folder.
func (s *Server) openFootage(ctx context.Context) error {
	f := &footage{s: s, told: make(chan toldGap, 1024)}
	var err error
	if f.key, err = evidence.OpenKey(s.data); err != nil {
		return err
	}
	if f.Store, err = record.Open(ctx, record.Options{
		Data: s.data, Logger: s.log, Teller: f, Sign: f.key.Sign,
		Space: func() (uint64, uint64, error) {
			free, total, _, err := s.guard.Room()
			return free, total, err
		},
		Rate: f.rate,
	}); err != nil {
		return fmt.Errorf("open the recordings: %w", err)
	}
	s.footage = f
	return errors.Join(f.openPacks(), f.matchBookmarks(ctx))
}

// run keeps recordings until ctx ends, which is after cameras have ended.
func (f *footage) run(ctx context.Context) error {
	ended := make(chan error, 3)
	go func() { ended <- f.Store.Run(ctx) }()
	go func() { f.previews.Run(ctx); ended <- nil }()
	go func() { ended <- f.packs.run(ctx) }()
	changed := f.s.Store.CamerasChanged()
	f.SetLimits(f.limits())
	f.adopt(ctx)
	forget := time.NewTicker(forgetEvery)
	defer forget.Stop()
	for {
		select {
		case <-forget.C:
			f.forget(ctx)
		case <-changed:
			changed = f.s.Store.CamerasChanged()
			f.SetLimits(f.limits())
		case t := <-f.told:
			at := time.Now()
			if _, err := f.s.Journal.Append(ctx, &event.Event{
				Subject: event.Camera(t.camera), At: at, ReceivedAt: at, Origin: event.FromUs, Body: t.body,
			}); err != nil && ctx.Err() == nil {
				f.s.log.WarnContext(ctx, "what was said of a recording is not in the journal", "camera", t.camera, "err", err)
			}
		case <-ctx.Done():
			return errors.Join(<-ended, <-ended, <-ended)
		}
	}
}

// close closes what was opened.
func (f *footage) close(ctx context.Context) error {
	err := f.Store.Close(ctx)
	if f.packs != nil {
		err = errors.Join(err, f.packs.Close())
	}
	return err
}

// giveWay stops writing while the disk has no room.
func (f *footage) giveWay(stage disk.Stage) { f.Stop(stage >= disk.StopClips) }

// RecordingGap tells the journal, later.
func (f *footage) RecordingGap(_ context.Context, id string, g event.RecordingGap) error {
	return f.say(id, &g)
}

// RecordingRetention tells the journal, later.
func (f *footage) RecordingRetention(_ context.Context, id string, r event.RecordingRetention) error {
	return f.say(id, &r)
}

func (f *footage) say(id string, body event.Body) error {
	select {
	case f.told <- toldGap{id, body}:
		return nil
	default:
		return errors.New("too much waits for the journal")
	}
}

var (
	_ camera.Tap      = (*footage)(nil)
	_ camera.Recorder = (*footage)(nil)
	_ web.Footage     = (*footage)(nil)
)

// Wants is the main stream of whatever is to be recorded.
func (f *footage) Wants(c camera.Config, name string) bool {
	return name == camera.Main && c.Recording != camera.Never
}

// Follow records a camera. If browsers cannot show its main stream, the other is
// recorded beside it.
func (f *footage) Follow(ctx context.Context, c camera.Config, name string, hub *stream.Hub) {
	beside := make(chan struct{})
	go func() {
		defer close(beside)
		if c.Sub.URL == "" || !coded(ctx, hub, stream.H265) {
			return
		}
		sub, release, err := f.s.cameras.Hub(c.ID, camera.Sub)
		if err != nil {
			f.s.log.WarnContext(ctx, "the second stream is not recorded", "camera", c.ID, "err", err)
			return
		}
		defer release()
		f.record(ctx, c, camera.Sub, sub)
	}()
	f.record(ctx, c, name, hub)
	<-beside
}

// coded waits for the first picture and looks how it is compressed.
func coded(ctx context.Context, hub *stream.Hub, codec stream.Codec) bool {
	r := hub.Follow(stream.FollowOptions{FromKey: true, KeysOnly: true})
	defer r.Close()
	u, err := r.Next(ctx)
	return err == nil && u.Format.Codec == codec
}

func (f *footage) record(ctx context.Context, c camera.Config, name string, hub *stream.Hub) {
	src := record.Source{Camera: c.ID, Stream: name}
	mode := record.Always
	if c.Recording == camera.OnEvent {
		mode = record.Events
	}
	rec, err := f.Recorder(ctx, record.Plan{Source: src, Site: c.SiteID, Mode: mode, Why: func() string {
		x, _ := f.s.cameras.Camera(c.ID)
		return x.Reason
	}})
	if err == nil {
		f.recs.add(src, rec)
		defer f.recs.remove(src, rec)
		err = rec.Run(ctx, hub)
	}
	if err != nil && ctx.Err() == nil {
		f.s.log.ErrorContext(ctx, "a camera is not recorded", "camera", c.ID, "stream", name, "err", err)
	}
}

// Trigger records cameras that are recorded for events only, up to a time.
func (f *footage) Trigger(id string, until time.Time) { f.recs.trigger(id, until) }

// Recordings tells what there is of a camera.
func (f *footage) Recordings(ctx context.Context, id, name string, from, to time.Time) (web.FootageShape, error) {
	out := web.FootageShape{Stream: name, Items: []web.FootageSpan{}, Gaps: []web.FootageGap{}, Held: []web.FootageHold{}, Streams: []string{}}
	for _, src := range f.Sources() {
		if src.Camera == id {
			out.Streams = append(out.Streams, src.Stream)
		}
	}
	r, err := f.Store.Recordings(ctx, record.Source{Camera: id, Stream: name}, from, to)
	if errors.Is(err, record.ErrNotFound) {
		return out, nil // it was never recorded: that is an answer
	}
	if err != nil {
		return out, err
	}
	for _, x := range r.Spans {
		out.Items = append(out.Items, web.FootageSpan{From: x.From, To: x.To})
	}
	for _, g := range r.Gaps {
		out.Gaps = append(out.Gaps, web.FootageGap{From: g.From, To: orNil(g.To), Reason: g.Reason})
	}
	for _, h := range f.Holds(id) {
		if h.From.Before(to) && h.To.After(from) {
			out.Held = append(out.Held, web.FootageHold{From: h.From, To: h.To, Class: h.Class.String(), Reason: h.Reason})
		}
	}
	out.Bytes, out.EarliestAt, out.LatestAt = r.Bytes, orNil(r.Earliest), orNil(r.Latest)
	return out, nil
}

// Retention is how the recordings of a camera are kept.
func (f *footage) Retention(id string) (web.RetentionState, bool) {
	u, ok := f.Usage(id)
	if !ok {
		return web.RetentionState{}, false
	}
	out := web.RetentionState{
		Bytes: u.Bytes, HeldBytes: u.Held, PerDayBytes: math.Round(u.PerDay), Expected: u.Expected, OldestAt: orNil(u.OldestAt), LatestAt: orNil(u.LatestAt),
		LimitedBy: u.LimitedBy, Short: u.Effective < u.Promised,
	}
	if u.PerDay > 0 {
		out.EffectiveDays = new(tenths(u.Effective.Hours() / 24))
	}
	return out, true
}

// Clip is a file of a time.
func (f *footage) Clip(ctx context.Context, id, name string, from, to time.Time) (web.FootageClip, error) {
	c, err := f.Store.Clip(ctx, record.Source{Camera: id, Stream: name}, from, to)
	if err != nil {
		return web.FootageClip{}, notThere(err)
	}
	return web.FootageClip{ReadSeeker: c, Closer: c, From: c.From, To: c.To}, nil
}

// Sound is the sound of a time alone.
func (f *footage) Sound(ctx context.Context, id, name string, from, to time.Time) (web.FootageClip, error) {
	c, err := f.Store.Sound(ctx, record.Source{Camera: id, Stream: name}, from, to)
	if err != nil {
		return web.FootageClip{}, notThere(err)
	}
	return web.FootageClip{ReadSeeker: c, Closer: c, From: c.From, To: c.To}, nil
}

// Replay is a playlist of a time.
func (f *footage) Replay(ctx context.Context, id, name string, from, to time.Time) ([]byte, error) {
	b, err := f.Playlist(ctx, record.Source{Camera: id, Stream: name}, from, to)
	return b, notThere(err)
}

var (
	initFile  = regexp.MustCompile(`^([0-9]{1,18})-init\.mp4$`)
	pieceFile = regexp.MustCompile(`^([0-9]{1,18})-([0-9]{1,18})-([0-9]{1,18})-(-?[0-9]{1,18})\.m4s$`)
)

// ReplayPiece is what a playlist refers to.
func (f *footage) ReplayPiece(ctx context.Context, id, name, file string) (web.FootagePiece, error) {
	src := record.Source{Camera: id, Stream: name}
	if m := initFile.FindStringSubmatch(file); m != nil {
		seq, err := strconv.ParseUint(m[1], 10, 64)
		if err != nil {
			return web.FootagePiece{}, notThere(record.ErrPiece)
		}
		b, err := f.Init(ctx, src, seq)
		return web.FootagePiece{WriterTo: bytes.NewReader(b), Closer: io.NopCloser(nil), Size: int64(len(b))}, notThere(err)
	}
	m := pieceFile.FindStringSubmatch(file)
	if m == nil {
		return web.FootagePiece{}, notThere(record.ErrPiece)
	}
	var n [4]int64
	for i := range n {
		var err error
		if n[i], err = strconv.ParseInt(m[i+1], 10, 64); err != nil {
			return web.FootagePiece{}, notThere(record.ErrPiece)
		}
	}
	p, err := f.Piece(ctx, src, uint64(n[0]), n[1], n[2], n[3])
	if err != nil {
		return web.FootagePiece{}, notThere(err)
	}
	return web.FootagePiece{WriterTo: p, Closer: p, Size: p.Size}, nil
}

// Past is the key picture of a time.
func (f *footage) Past(ctx context.Context, id, name string, at time.Time) (web.CameraStill, error) {
	if f.s.cameras.pool.Missing() != nil {
		return web.CameraStill{}, errNoDecoder()
	}
	u, err := f.Keyframe(ctx, record.Source{Camera: id, Stream: name}, at)
	if err != nil {
		return web.CameraStill{}, notThere(err)
	}
	b, err := f.s.cameras.pool.Show(ctx, "", u, decode.Look{})
	if err != nil {
		return web.CameraStill{}, whyNot(err)
	}
	return web.CameraStill{JPEG: b, At: u.At}, nil
}

// Thumbnail is the small picture nearest to a moment.
func (f *footage) Thumbnail(ctx context.Context, id string, at time.Time, hide []store.CameraZone) (web.CameraStill, error) {
	p, err := f.previews.Nearest(ctx, id, at)
	switch {
	case errors.Is(err, decode.ErrMissing):
		return web.CameraStill{}, errNoDecoder()
	case err != nil:
		return web.CameraStill{}, whyNot(notThere(err))
	}
	if len(hide) > 0 {
		if p.JPEG, err = preview.Masked(p.JPEG, masks(hide)); err != nil {
			return web.CameraStill{}, err
		}
	}
	return web.CameraStill{JPEG: p.JPEG, At: p.At}, nil
}

func errNoDecoder() error {
	return &web.ViewingError{Status: http.StatusConflict, Code: "noDecoder", Reason: "pictures cannot be decoded here: ffmpeg is missing"}
}

// notThere says in the words of the API why there are no pictures.
func notThere(err error) error {
	switch {
	case errors.Is(err, record.ErrNotFound), errors.Is(err, record.ErrPiece):
		return &web.ViewingError{Status: http.StatusNotFound, Code: "noRecording", Reason: "there are no pictures of this time"}
	case errors.Is(err, record.ErrTooLong):
		return &web.ViewingError{Status: http.StatusUnprocessableEntity, Code: "tooLong", Reason: "this is too long a time at once"}
	}
	return err
}

// recorders are those that run.
type recorders struct {
	mu  sync.Mutex
	all map[record.Source]*record.Recorder
}

func (r *recorders) add(src record.Source, rec *record.Recorder) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all == nil {
		r.all = make(map[record.Source]*record.Recorder)
	}
	r.all[src] = rec
}

func (r *recorders) remove(src record.Source, rec *record.Recorder) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all[src] == rec {
		delete(r.all, src)
	}
}

func (r *recorders) trigger(id string, until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for src, rec := range r.all {
		if src.Camera == id {
			rec.Trigger(until)
		}
	}
}

// has reports whether the main stream of a camera is recorded now.
func (r *recorders) has(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all[record.Source{Camera: id, Stream: camera.Main}] != nil
}

// wroteAt is when something of a camera was last written.
func (r *recorders) wroteAt(id string) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if rec := r.all[record.Source{Camera: id, Stream: camera.Main}]; rec != nil {
		return rec.Status().WroteAt
	}
	return time.Time{}
}

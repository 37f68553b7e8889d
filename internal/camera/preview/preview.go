package preview

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/area"
	"github.com/chargewatch/chargewatch/internal/camera/decode"
	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// Every is how far apart previews are at least.
const Every = 2900 * time.Millisecond

const (
	flushEvery = 5 * time.Second
	// settled is when the file of a moment is whole, forgotten when there is none.
	settled   = 75 * time.Second
	forgotten = 4 * time.Minute
	maxLive   = 90 // previews in memory, of one camera

	maxAsked   = 2  // decoded for people at the same time
	maxFilling = 64 // minutes that wait to be decoded
	within     = 5 * time.Second
	// farther is how much nearer a picture must be to be decoded for it.
	farther = 3 * time.Second

	quality = 62
	poor    = 35
)

// Decoder makes small pictures.
type Decoder interface {
	Missing() error
	Small(ctx context.Context, camera string, u *stream.Unit) (*image.YCbCr, error)
}

// Options configure a Service.
type Options struct {
	Store   *record.Store
	Decoder Decoder
	// Recorded says whether a camera is recorded now; default: it is.
	Recorded func(camera string) bool
	Logger   *slog.Logger
	Now      func() time.Time // default: time.Now
}

// Service has the previews of all cameras.
type Service struct {
	o     Options
	asked chan struct{}
	fill  chan *record.Segment

	mu      sync.Mutex
	live    map[string][]record.Preview // oldest first
	filling map[fileKey]bool
}

type fileKey struct {
	camera string
	seq    uint64
}

// New returns a Service. Run has to run.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Recorded == nil {
		o.Recorded = func(string) bool { return true }
	}
	return &Service{
		o: o, asked: make(chan struct{}, maxAsked), fill: make(chan *record.Segment, maxFilling),
		live: make(map[string][]record.Preview), filling: make(map[fileKey]bool),
	}
}

func source(camera string) record.Source { return record.Source{Camera: camera, Stream: "main"} }

// Offer hands over a picture that was decoded for something else.
func (s *Service) Offer(camera string, u *stream.Unit, m *image.YCbCr) {
	if !s.o.Recorded(camera) || !s.due(camera, u.At) {
		return
	}
	b, err := encode(m, u.Format)
	if err != nil {
		s.o.Logger.Debug("a preview cannot be made", "camera", camera, "err", err)
		return
	}
	s.keep(camera, record.Preview{At: u.At.UTC().Truncate(time.Microsecond), JPEG: b})
}

// due reports whether a moment is far enough from those there are.
func (s *Service) due(camera string, at time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range slices.Backward(s.live[camera]) {
		if off := at.Sub(p.At); off >= Every {
			return true
		} else if off > -Every {
			return false
		}
	}
	return true
}

func (s *Service) keep(camera string, p record.Preview) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.live[camera]
	i, known := slices.BinarySearchFunc(list, p, func(a, b record.Preview) int { return a.At.Compare(b.At) })
	if known {
		return
	}
	list = slices.Insert(list, i, p)
	if len(list) > maxLive {
		list = slices.Delete(list, 0, len(list)-maxLive)
	}
	s.live[camera] = list
}

// Nearest returns the preview nearest to a moment that was recorded. Where there is
// none it is decoded; without a decoder the error is decode.ErrMissing.
func (s *Service) Nearest(ctx context.Context, camera string, at time.Time) (record.Preview, error) {
	g, err := s.o.Store.Holding(ctx, source(camera), at)
	if err != nil {
		return record.Preview{}, err
	}
	best, found, err := s.kept(camera, g, at)
	if err != nil {
		return record.Preview{}, err
	}
	key, ok := nearestKey(g, at)
	if !ok || found && best.At.Sub(at).Abs() <= key.Sub(at).Abs()+farther {
		if !found {
			return best, record.ErrNotFound
		}
		return best, nil
	}
	made, err := s.decode(ctx, camera, key)
	if err != nil {
		if found {
			return best, nil //nolint:nilerr // One from a little farther is better than none.
		}
		return record.Preview{}, err
	}
	if g.Open {
		s.keep(camera, made)
	} else {
		s.rest(g)
	}
	return made, nil
}

// kept is the nearest of those there are, of the file.
func (s *Service) kept(camera string, g *record.Segment, at time.Time) (best record.Preview, found bool, err error) {
	take := func(p record.Preview) {
		if !found || p.At.Sub(at).Abs() < best.At.Sub(at).Abs() {
			best, found = p, true
		}
	}
	s.mu.Lock()
	for _, p := range s.live[camera] {
		if !p.At.Before(g.Start) && !p.At.After(g.End) {
			take(p)
		}
	}
	s.mu.Unlock()
	times, err := s.o.Store.PreviewTimes(g)
	switch {
	case errors.Is(err, record.ErrNotFound), errors.Is(err, record.ErrPreviews):
		return best, found, nil // it is made anew
	case err != nil:
		return best, found, err
	}
	var near time.Time
	for _, t := range times {
		if near.IsZero() || t.Sub(at).Abs() < near.Sub(at).Abs() {
			near = t
		}
	}
	if near.IsZero() || found && best.At.Sub(at).Abs() <= near.Sub(at).Abs() {
		return best, found, nil
	}
	list, err := s.o.Store.Previews(g, near, near)
	if err != nil && !errors.Is(err, record.ErrNotFound) {
		return best, found, err
	}
	for _, p := range list {
		take(p)
	}
	return best, found, nil
}

func nearestKey(g *record.Segment, at time.Time) (key time.Time, ok bool) {
	for _, k := range g.Keys {
		if !ok || k.At.Sub(at).Abs() < key.Sub(at).Abs() {
			key, ok = k.At, true
		}
	}
	return key, ok
}

// decode makes the preview of a key picture. Who does not wait any more does not
// take the decoder with them.
func (s *Service) decode(ctx context.Context, camera string, key time.Time) (record.Preview, error) {
	if err := s.o.Decoder.Missing(); err != nil {
		return record.Preview{}, err
	}
	select {
	case s.asked <- struct{}{}:
	case <-ctx.Done():
		return record.Preview{}, context.Cause(ctx)
	}
	defer func() { <-s.asked }()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer cancel()
	u, err := s.o.Store.Keyframe(ctx, source(camera), key)
	if err != nil {
		return record.Preview{}, err
	}
	m, err := s.o.Decoder.Small(ctx, "", u)
	if err != nil {
		return record.Preview{}, fmt.Errorf("decode a preview: %w", err)
	}
	b, err := encode(m, u.Format)
	if err != nil {
		return record.Preview{}, err
	}
	return record.Preview{At: u.At.UTC(), JPEG: b}, nil
}

// Masked is a preview with parts of it painted over. What is hidden is not in the
// result.
func Masked(data []byte, hide []area.Polygon) ([]byte, error) {
	from, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("read a preview: %w", err)
	}
	m, ok := from.(*image.YCbCr)
	if !ok || m.SubsampleRatio != image.YCbCrSubsampleRatio420 || m.Rect.Min != (image.Point{}) {
		return nil, errors.New("a preview that cannot be masked")
	}
	for _, p := range hide {
		decode.Hide(m, p)
	}
	return write(m, quality)
}

// encode makes a JPEG of a picture, in the camera's proportions.
func encode(m *image.YCbCr, f *stream.Format) ([]byte, error) {
	if f != nil {
		m = fit(m, f.Width, f.Height)
	}
	b, err := write(m, quality)
	if err == nil && len(b) > record.MaxPreviewBytes {
		b, err = write(m, poor)
	}
	if err == nil && len(b) > record.MaxPreviewBytes {
		err = errors.New("a picture that cannot be made small")
	}
	return b, err
}

func write(m *image.YCbCr, quality int) ([]byte, error) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("write a preview: %w", err)
	}
	return b.Bytes(), nil
}

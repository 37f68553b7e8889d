package preview_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/area"
	"github.com/chargewatch/chargewatch/internal/camera/decode"
	"github.com/chargewatch/chargewatch/internal/camera/preview"
	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/camera/record/recordtest"
	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

var yard = record.Source{Camera: "yard-1", Stream: "main"}

func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// studio is a store with a camera before it, at the time of its pictures.
type studio struct {
	t     *testing.T
	store *record.Store
	now   atomic.Int64
	cam   *recordtest.Camera
	// seen is what a decoder for motion would have been given.
	seen []*stream.Unit
}

func newStudio(t *testing.T) *studio {
	t.Helper()
	data, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &studio{t: t}
	s.now.Store(noon().UnixNano())
	if s.store, err = record.Open(t.Context(), record.Options{Data: data, Now: s.time}); err != nil {
		t.Fatal(err)
	}
	if s.cam, err = recordtest.New(recordtest.Plain, noon()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.store.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-done
		if err := errors.Join(s.store.Close(context.Background()), data.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *studio) time() time.Time { return time.Unix(0, s.now.Load()) }

// film records the camera for a time.
func (s *studio) film(mode record.Mode, d time.Duration) {
	s.t.Helper()
	hub := &stream.Hub{}
	rec, err := s.store.Recorder(s.t.Context(), record.Plan{Source: yard, Site: "hh", Mode: mode, Why: func() string { return "connection" }})
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- rec.Run(ctx, hub) }()
	for hub.Readers() == 0 {
		time.Sleep(time.Millisecond)
	}
	for begun, n := rec.Status().Units, uint64(d/recordtest.Frame); n > 0; n-- {
		u := s.cam.Next()
		if u.Key {
			s.seen = append(s.seen, u)
		}
		hub.Publish(u)
		begun++
		for n%recordtest.Group == 1 && rec.Status().Units < begun {
			time.Sleep(50 * time.Microsecond)
		}
		s.now.Store(s.cam.Now().UnixNano())
	}
	cancel()
	if err := <-done; err != nil {
		s.t.Error(err)
	}
}

func pool(t *testing.T) *decode.Pool {
	t.Helper()
	p := decode.New(decode.Options{Workers: 1, Logger: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = p.Run(ctx) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	return p
}

func (s *studio) service(d preview.Decoder) *preview.Service {
	return preview.New(preview.Options{Store: s.store, Decoder: d, Logger: slog.New(slog.DiscardHandler), Now: s.time})
}

// ended runs a service to its end, when all is put where it belongs.
func ended(p *preview.Service) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p.Run(ctx)
}

// blind is a decoder that has none.
type blind struct{}

func (blind) Missing() error { return decode.ErrMissing }
func (blind) Small(context.Context, string, *stream.Unit) (*image.YCbCr, error) {
	return nil, decode.ErrMissing
}

func TestWhatWasDecodedForMotionIsKeptAndNotDecodedAgain(t *testing.T) {
	s := newStudio(t)
	s.film(record.Always, 3*time.Minute)
	decoder := pool(t)
	p := s.service(decoder)
	watching := preview.Shared{Pool: decoder, Previews: p}
	for _, u := range s.seen {
		gray, err := watching.Gray(t.Context(), "yard-1", u)
		if err != nil || len(gray) != decode.GrayWidth*decode.GrayHeight {
			t.Fatalf("%d bytes, %v", len(gray), err)
		}
	}
	decoded := decoder.Stats().Decoded
	look := func(p *preview.Service, when string) {
		t.Helper()
		for second := 0; second < 175; second += 7 {
			at := noon().Add(time.Duration(second) * time.Second)
			got, err := p.Nearest(t.Context(), "yard-1", at)
			if err != nil {
				t.Fatalf("%s, second %d: %v", when, second, err)
			}
			if off := got.At.Sub(at).Abs(); off > 2*time.Second+preview.Every {
				t.Errorf("%s, second %d: the picture is %v off", when, second, off)
			}
			m, err := jpeg.Decode(bytes.NewReader(got.JPEG))
			if err != nil || m.Bounds().Dx() != 320 || len(got.JPEG) > record.MaxPreviewBytes {
				t.Errorf("%s: %d bytes, %v", when, len(got.JPEG), err)
			}
		}
	}
	look(p, "in memory")
	ended(p)
	if n := decoder.Stats().Decoded; n != decoded {
		t.Errorf("%d pictures were decoded again", n-decoded)
	}
	look(s.service(blind{}), "from the disk")
}

func TestNothingIsKeptOfWhatWasNotRecorded(t *testing.T) {
	s := newStudio(t)
	s.film(record.Events, time.Minute) // and there was none
	decoder := pool(t)
	p := s.service(decoder)
	m, err := decoder.Small(t.Context(), "yard-1", s.seen[0])
	if err != nil {
		t.Fatal(err)
	}
	p.Offer("yard-1", s.seen[0], m)
	if _, err := p.Nearest(t.Context(), "yard-1", s.seen[0].At); !errors.Is(err, record.ErrNotFound) {
		t.Errorf("%v", err)
	}
	// A camera that nobody records is not even looked at.
	off := preview.New(preview.Options{Store: s.store, Decoder: decoder, Recorded: func(string) bool { return false }, Now: s.time})
	off.Offer("yard-1", s.seen[0], nil)
}

func TestWhatNobodyDecodedIsDecodedWhenItIsAskedFor(t *testing.T) {
	s := newStudio(t)
	s.film(record.Always, 150*time.Second)
	if _, err := s.service(blind{}).Nearest(t.Context(), "yard-1", noon().Add(30*time.Second)); !errors.Is(err, decode.ErrMissing) {
		t.Errorf("without a decoder: %v", err)
	}
	decoder := pool(t)
	p := s.service(decoder)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { p.Run(ctx); close(done) }()
	at := noon().Add(30*time.Second + 700*time.Millisecond)
	got, err := p.Nearest(t.Context(), "yard-1", at)
	if err != nil || got.At.Sub(at).Abs() > time.Second {
		t.Fatalf("%v, %v", got.At, err)
	}
	// The rest of that minute follows without being asked for.
	g, err := s.store.Holding(t.Context(), yard, at)
	if err != nil {
		t.Fatal(err)
	}
	for {
		if times, err := s.store.PreviewTimes(g); err == nil {
			if len(times) < 15 {
				t.Errorf("%d previews of a minute", len(times))
			}
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	cancel()
	<-done
	if _, err := p.Nearest(t.Context(), "yard-1", noon().Add(-time.Hour)); !errors.Is(err, record.ErrNotFound) {
		t.Errorf("before the first picture: %v", err)
	}
	if _, err := p.Nearest(t.Context(), "yard-2", at); !errors.Is(err, record.ErrNotFound) {
		t.Errorf("of no camera: %v", err)
	}
}

func TestWhatIsHiddenIsNotInAMaskedPreview(t *testing.T) {
	m := image.NewYCbCr(image.Rect(0, 0, 320, 180), image.YCbCrSubsampleRatio420)
	for i := range m.Y {
		m.Y[i] = 230
	}
	for i := range m.Cb {
		m.Cb[i], m.Cr[i] = 40, 200
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 80}); err != nil {
		t.Fatal(err)
	}
	out, err := preview.Masked(b.Bytes(), []area.Polygon{{{0.25, 0.25}, {0.75, 0.25}, {0.75, 0.75}, {0.25, 0.75}}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := jpeg.Decode(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	light := func(x, y int) uint8 { return color.GrayModel.Convert(got.At(x, y)).(color.Gray).Y }
	for x := 80; x < 240; x += 8 {
		for y := 45; y < 135; y += 8 {
			if v := light(x, y); v > 140 {
				t.Fatalf("at %d,%d there is light of %d", x, y, v)
			}
		}
	}
	if v := light(20, 20); v < 150 {
		t.Errorf("what is not hidden has light of %d", v)
	}
	if _, err := preview.Masked([]byte("no picture"), nil); err == nil {
		t.Error("what cannot be read is shown")
	}
}

func BenchmarkOffer(b *testing.B) {
	cam, err := recordtest.New(recordtest.Plain, noon())
	if err != nil {
		b.Fatal(err)
	}
	decoder := decode.New(decode.Options{Workers: 1, Logger: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	go func() { _ = decoder.Run(ctx) }()
	u := cam.Next()
	m, err := decoder.Small(ctx, "", u)
	if err != nil {
		b.Fatal(err)
	}
	p := preview.New(preview.Options{Decoder: decoder, Logger: slog.New(slog.DiscardHandler)})
	for b.Loop() {
		next := *u
		u = &next
		u.At = u.At.Add(preview.Every)
		p.Offer("c", u, m)
	}
}

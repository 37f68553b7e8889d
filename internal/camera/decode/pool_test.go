package decode_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/area"
	"github.com/chargewatch/chargewatch/internal/camera/decode"
	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// scene draws a clip with ffmpeg and returns its key pictures.
func scene(t testing.TB, codec stream.Codec, w, h int, source string, seconds int, extra ...string) []*stream.Unit {
	t.Helper()
	name := filepath.Join(t.TempDir(), "clip")
	encoder := []string{"-c:v", "libx264", "-preset", "veryfast", "-f", "h264"}
	if codec == stream.H265 {
		encoder = []string{"-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:keyint=5:min-keyint=5:open-gop=0", "-f", "hevc"}
	}
	args := []string{"-hide_banner", "-loglevel", "error", "-f", "lavfi", "-i", source, "-t", strconv.Itoa(seconds), "-pix_fmt", "yuv420p", "-g", "5"}
	args = append(append(append(args, encoder...), extra...), name)
	if out, err := exec.CommandContext(t.Context(), "ffmpeg", args...).CombinedOutput(); err != nil {
		t.Fatalf("draw %s: %v\n%s", source, err, out)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	units := keyUnits(data, codec, w, h)
	if len(units) < seconds-1 {
		t.Fatalf("%s has %d key pictures", source, len(units))
	}
	return units
}

// keyUnits cuts a byte stream into its key pictures.
func keyUnits(data []byte, codec stream.Codec, w, h int) []*stream.Unit {
	f := &stream.Format{Codec: codec, Width: w, Height: h}
	var units []*stream.Unit
	var sets [][]byte
	var u *stream.Unit
	for _, n := range bytes.Split(data, []byte{0, 0, 1}) {
		n = bytes.TrimRight(n, "\x00")
		if len(n) < 3 {
			continue
		}
		kind, first := n[0]&0x1F, n[1]&0x80 != 0
		set, key := kind == 7 || kind == 8, kind == 5
		if codec == stream.H265 {
			kind, first = n[0]>>1&0x3F, n[2]&0x80 != 0
			set, key = kind >= 32 && kind <= 34, kind == 19 || kind == 20
		}
		switch {
		case set:
			if u != nil {
				sets, u = nil, nil
			}
			sets = append(sets, n)
		case key && first:
			u = &stream.Unit{Format: f, Key: true, NALUs: append(append([][]byte{}, sets...), n)}
			units = append(units, u)
		case key && u != nil:
			u.NALUs = append(u.NALUs, n)
		}
	}
	return units
}

func started(t testing.TB, o decode.Options) *decode.Pool {
	t.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	p := decode.New(o)
	if err := p.Missing(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := p.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
	return p
}

// plain is a picture of one grey whose brightness on the decoded picture is about 16+20*i.
func plain(i, w, h int) string {
	v := 16 + 20*i
	return fmt.Sprintf("color=c=0x%02x%02x%02x:s=%dx%d:r=5", v, v, v, w, h)
}

func brightness(b []byte) (low, high int) {
	low, high = 255, 0
	for _, x := range b {
		low, high = min(low, int(x)), max(high, int(x))
	}
	return low, high
}

// TestNoPictureLandsOnAnotherCamera lets eleven honest cameras of different sizes,
// codecs and habits share two children with one that sends everything wrong.
func TestNoPictureLandsOnAnotherCamera(t *testing.T) {
	p := started(t, decode.Options{Workers: 2, Within: time.Minute})
	type camera struct {
		id    string
		value int
		units []*stream.Unit
	}
	sizes := [][2]int{{640, 360}, {1280, 720}, {320, 240}, {704, 576}}
	var cameras []camera
	for i := range 11 {
		codec, size := stream.H264, sizes[i%len(sizes)]
		var extra []string
		switch {
		case i%5 == 4:
			codec = stream.H265
		case i%3 == 1:
			extra = []string{"-bf", "0", "-profile:v", "baseline"}
		case i%3 == 2:
			extra = []string{"-bf", "3", "-slices", "4"}
		}
		c := camera{id: fmt.Sprint("honest-", i), value: 16 + 20*i}
		c.units = scene(t, codec, size[0], size[1], plain(i, size[0], size[1]), 3, extra...)
		cameras = append(cameras, c)
	}
	noise := "testsrc2=s=640x360:r=5,noise=alls=30:allf=t"
	hostile := spoiled(scene(t, stream.H264, 640, 360, noise, 2, "-slices", "4"), scene(t, stream.H265, 1280, 720, "testsrc2=s=1280x720:r=5", 2))

	const rounds = 10
	var wg sync.WaitGroup
	for _, c := range cameras {
		wg.Go(func() {
			for n := range rounds {
				b, err := p.Gray(t.Context(), c.id, c.units[n%len(c.units)])
				if err != nil {
					t.Errorf("%s: %v", c.id, err)
					continue
				}
				if low, high := brightness(b); low < c.value-6 || high > c.value+6 {
					t.Errorf("%s is %d all over and came back as %d to %d", c.id, c.value, low, high)
				}
			}
		})
	}
	stop, cancel := context.WithCancel(t.Context())
	var attacker sync.WaitGroup
	attacker.Go(func() {
		for n := 0; stop.Err() == nil; n++ {
			// Under ever new names, or it would soon rest.
			_, err := p.Gray(stop, fmt.Sprint("hostile-", n), hostile[n%len(hostile)])
			if err == nil || errors.Is(err, decode.ErrDamaged) || stop.Err() != nil {
				continue
			}
			t.Errorf("hostile picture %d: %v", n%len(hostile), err)
		}
	})
	wg.Wait()
	cancel()
	attacker.Wait()
	s := p.Stats()
	if s.Restarts == 0 || s.Damaged == 0 {
		t.Errorf("the hostile camera did no harm: %+v", s)
	}
	for _, c := range cameras {
		if got := p.Camera(c.id); got.Decoded != rounds || got.Damaged != 0 || got.Dropped != 0 {
			t.Errorf("%s: %+v", c.id, got)
		}
	}
}

// spoiled makes pictures that no camera should send.
func spoiled(h264, h265 []*stream.Unit) []*stream.Unit {
	change := func(u *stream.Unit, f func(nalus [][]byte) [][]byte) *stream.Unit {
		c := *u
		c.NALUs = nil
		for _, n := range u.NALUs {
			c.NALUs = append(c.NALUs, bytes.Clone(n))
		}
		c.NALUs = f(c.NALUs)
		return &c
	}
	flipped := func(nalus [][]byte) [][]byte {
		last := nalus[len(nalus)-1]
		for i := len(last) / 3; i < len(last)/3+60 && i < len(last); i++ {
			last[i] ^= 0x5A
		}
		return nalus
	}
	cut := func(nalus [][]byte) [][]byte {
		last := &nalus[len(nalus)-1]
		*last = (*last)[:len(*last)/2]
		return nalus
	}
	lost := func(nalus [][]byte) [][]byte { return nalus[:len(nalus)-1] } // a slice, or all of the picture
	random := func(nalus [][]byte) [][]byte {
		last := nalus[len(nalus)-1]
		for i := 2; i < len(last); i++ {
			last[i] = byte(i * i * 31 >> 3)
		}
		return nalus
	}
	sets := func(nalus [][]byte) [][]byte {
		for i := 4; i < len(nalus[0]); i++ {
			nalus[0][i] ^= byte(17 * i)
		}
		return nalus
	}
	var out []*stream.Unit
	for i, f := range []func([][]byte) [][]byte{flipped, cut, lost, random, sets} {
		out = append(out, change(h264[i%len(h264)], f), change(h265[i%len(h265)], f))
	}
	// The sets of one camera with the picture of another, and two pictures in one.
	out = append(out,
		change(h264[0], func([][]byte) [][]byte { return append(append([][]byte{}, h264[0].NALUs...), h264[1].NALUs...) }),
		&stream.Unit{Format: h264[0].Format, Key: true, NALUs: h265[0].NALUs},
		&stream.Unit{Format: h265[0].Format, Key: true, NALUs: h264[0].NALUs},
		&stream.Unit{Key: true},
		&stream.Unit{Format: h264[0].Format, Key: true, NALUs: [][]byte{{}, nil, {0x67}, {0x68, 0}, {0x65, 0x88}}},
	)
	return append(out, h264[0], h265[0]) // and honest ones of ever other sizes
}

func TestALoneCameraIsNotLate(t *testing.T) {
	p := started(t, decode.Options{Workers: 1})
	for name, extra := range map[string][]string{
		"pictures in order":          {"-bf", "0"},
		"B-frames":                   {"-bf", "3"},
		"B-frames that are not said": {"-bf", "16", "-x264-params", "b-pyramid=strict"},
	} {
		units := scene(t, stream.H264, 640, 360, "testsrc2=s=640x360:r=5", 3, extra...)
		for i, u := range units {
			if _, err := p.Gray(t.Context(), name, u); err != nil {
				t.Errorf("%s, picture %d, with nothing behind it: %v", name, i, err)
			}
		}
	}
}

func TestACameraThatKeepsSendingDamageRests(t *testing.T) {
	p := started(t, decode.Options{Workers: 1})
	units := scene(t, stream.H264, 640, 360, "testsrc2=s=640x360:r=5", 4)
	bad := *units[0]
	bad.NALUs = [][]byte{units[0].NALUs[0], units[0].NALUs[1], units[0].NALUs[2][:300]}
	for range 2 {
		if _, err := p.Gray(t.Context(), "bad", &bad); !errors.Is(err, decode.ErrDamaged) {
			t.Fatal(err)
		}
	}
	if _, err := p.Gray(t.Context(), "bad", units[1]); !errors.Is(err, decode.ErrResting) {
		t.Errorf("after two damaged pictures: %v", err)
	}
	if _, err := p.Gray(t.Context(), "good", units[1]); err != nil {
		t.Errorf("another camera: %v", err)
	}
	if c := p.Camera("bad"); c.Damaged != 2 || c.Dropped != 1 || !strings.Contains(c.Fault, "MB") || strings.Contains(c.Fault, "0x") {
		t.Errorf("it is said: %+v", c)
	}
	p.Forget("bad")
	if _, err := p.Gray(t.Context(), "bad", units[1]); err != nil {
		t.Errorf("a new camera of that name: %v", err)
	}
}

func TestSnapshotsAreInColourAndHideWhatNobodyMaySee(t *testing.T) {
	p := started(t, decode.Options{})
	units := scene(t, stream.H264, 1280, 720, "color=c=0xC02020:s=1280x720:r=5", 2)
	data, err := p.JPEG(t.Context(), units[0])
	if err != nil {
		t.Fatal(err)
	}
	m, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if b := m.Bounds(); b.Dx() != 1280 || b.Dy() != 720 {
		t.Errorf("it is %v", b)
	}
	if r, g, _, _ := m.At(640, 360).RGBA(); r>>8 < 0xB0 || g>>8 > 0x38 {
		t.Errorf("red is %x %x", r>>8, g>>8)
	}
	hidden, err := p.Image(t.Context(), "c", units[0], decode.Look{Width: 320, Hide: []area.Polygon{{{0, 0}, {0.5, 0}, {0.5, 1}, {0, 1}}}})
	if err != nil {
		t.Fatal(err)
	}
	if b := hidden.Bounds(); b.Dx() != 320 || b.Dy() != 180 {
		t.Errorf("it is %v", b)
	}
	for x := 0; x < 320; x += 5 {
		c := hidden.YCbCrAt(x, 90)
		if gone := c.Cr == 128; gone != (x < 162) {
			t.Errorf("at %d: %v", x, c)
		}
	}
}

func TestWithoutFfmpegEveryCallSaysSo(t *testing.T) {
	p := decode.New(decode.Options{Path: filepath.Join(t.TempDir(), "ffmpeg"), Logger: slog.New(slog.DiscardHandler)})
	if !errors.Is(p.Missing(), decode.ErrMissing) {
		t.Errorf("missing: %v", p.Missing())
	}
	if _, err := p.Gray(t.Context(), "c", &stream.Unit{}); !errors.Is(err, decode.ErrMissing) {
		t.Error(err)
	}
	if _, err := p.JPEG(t.Context(), &stream.Unit{}); !errors.Is(err, decode.ErrMissing) {
		t.Error(err)
	}
}

func TestAtTheEndNoChildIsLeft(t *testing.T) {
	p := decode.New(decode.Options{Logger: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	units := scene(t, stream.H264, 640, 360, "testsrc2=s=640x360:r=5", 2)
	if _, err := p.Gray(t.Context(), "c", units[0]); err != nil {
		t.Fatal(err)
	}
	if n := p.Stats().Children; n != 1 {
		t.Errorf("%d children at work", n)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := p.Stats().Children; n != 0 {
		t.Errorf("%d children left", n)
	}
	if _, err := p.Gray(t.Context(), "c", units[0]); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

func TestAWholeStreamComesBackInOrderUnderItsOwnTickets(t *testing.T) {
	p := started(t, decode.Options{Workers: 1, Sequences: 1})
	// Brightness tells which picture it is.
	keys := scene(t, stream.H264, 320, 180, "color=c=0x808080:s=320x180:r=5,geq=lum='16+N*3':cb=128:cr=128", 12)
	i := 0
	next := func(ctx context.Context) (*stream.Unit, error) {
		if i == len(keys) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		i++
		return keys[i-1], nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []*stream.Unit
	last := -1
	err := p.Follow(ctx, "c", next, func(gray []byte, u *stream.Unit) {
		got = append(got, u)
		low, high := brightness(gray)
		if high-low > 12 || low <= last {
			t.Errorf("picture %d is %d to %d, the one before had %d", len(got), low, high, last)
		}
		last = low
		if len(got) == len(keys)-4 { // some stay inside
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	for i, u := range got {
		if u != keys[i] {
			t.Errorf("picture %d came back as another", i)
		}
	}
	if n := p.Stats().Children; n != 0 {
		t.Errorf("%d children left", n)
	}
}

func TestASmallPictureInColourHasTheLightOfAGreyOne(t *testing.T) {
	p := started(t, decode.Options{Workers: 1})
	units := scene(t, stream.H264, 640, 360, "testsrc2=s=640x360:r=5", 4)
	for _, u := range units {
		gray, err := p.Gray(t.Context(), "c", u)
		if err != nil {
			t.Fatal(err)
		}
		m, err := p.Small(t.Context(), "c", u)
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Y) != len(gray) || len(m.Cb) != len(gray)/4 {
			t.Fatalf("%d of %d pixels, %d of colour", len(m.Y), len(gray), len(m.Cb))
		}
		worst := 0
		for i, y := range gray {
			worst = max(worst, int(y)-int(m.Y[i]), int(m.Y[i])-int(y))
		}
		if worst > 2 {
			t.Errorf("light differs by %d", worst)
		}
	}
}

package record_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	mp4 "github.com/abema/go-mp4"

	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/camera/record/recordtest"
	"github.com/chargewatch/chargewatch/internal/camera/segment"
	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// taken is what the camera showed at a time, counted from noon.
func taken(t *testing.T, clip string, after time.Duration) *stream.Unit {
	t.Helper()
	cam, err := recordtest.New(clip, noon())
	if err != nil {
		t.Fatal(err)
	}
	for {
		if u := cam.Next(); u.DTS+recordtest.Frame/2 > after {
			return u
		}
	}
}

func TestAClipHasThePicturesOfItsTimeAndPlaysFromItsStart(t *testing.T) {
	for _, clip := range []string{recordtest.Plain, recordtest.Between, recordtest.HEVC} {
		s := open(t, t.TempDir(), record.Options{})
		s.film(clip, noon(), record.Always, "")
		s.play(3 * time.Minute)
		for sentence, c := range map[string]struct{ from, to, key time.Duration }{
			"within a minute":             {11 * time.Second, 15 * time.Second, 10 * time.Second},
			"from a key picture on":       {12 * time.Second, 13 * time.Second, 12 * time.Second},
			"over the end of a minute":    {55 * time.Second, 65 * time.Second, 54 * time.Second},
			"over a whole minute and two": {59 * time.Second, 123 * time.Second, 58 * time.Second},
			"from before the first":       {-time.Hour, 2 * time.Second, 0},
			"of what is being written":    {130 * time.Second, 135 * time.Second, 130 * time.Second},
		} {
			t.Run(clip+" "+sentence, func(t *testing.T) {
				made, err := s.Store.Clip(t.Context(), yard, noon().Add(c.from), noon().Add(c.to))
				if err != nil {
					t.Fatal(err)
				}
				defer made.Close()
				raw, err := io.ReadAll(made)
				if err != nil || int64(len(raw)) != made.Size {
					t.Fatalf("%d of %d bytes, %v", len(raw), made.Size, err)
				}
				begin := max(c.from, 0)
				if want := noon().Add(begin); made.From.Sub(want).Abs() > 2*time.Microsecond {
					t.Errorf("from %v, want %v", made.From, want)
				}
				probe, err := mp4.Probe(bytes.NewReader(raw))
				if err != nil || len(probe.Tracks) != 1 {
					t.Fatalf("%v", err)
				}
				track := probe.Tracks[0]
				want := int((c.to-c.key).Seconds()*recordtest.FPS + 0.5)
				if len(track.Samples) != want {
					t.Errorf("%d pictures, want %d", len(track.Samples), want)
				}
				if skip := track.EditList[0].MediaTime - int64(track.Samples[0].CompositionTimeOffset); clip != recordtest.Between &&
					(skip-segment.Ticks(begin-c.key)) > 2 {
					t.Errorf("%d ticks are skipped, want %d", skip, segment.Ticks(begin-c.key))
				}
				cam, err := recordtest.New(clip, noon())
				if err != nil {
					t.Fatal(err)
				}
				u := cam.Next()
				for u.DTS+recordtest.Frame/2 < c.key {
					u = cam.Next()
				}
				at, n := int64(0), 0
				for _, chunk := range track.Chunks {
					at = int64(chunk.DataOffset)
					for range chunk.SamplesPerChunk {
						size := int64(track.Samples[n].Size)
						nalus, err := segment.NALUs(raw[at : at+size])
						if err != nil || !bytes.Equal(nalus[len(nalus)-1], u.NALUs[len(u.NALUs)-1]) {
							t.Fatalf("picture %d is another", n)
						}
						at += size
						n++
						u = cam.Next()
					}
				}
				if at != int64(len(raw)) {
					t.Errorf("pictures end at %d of %d", at, len(raw))
				}
				if _, err := made.Seek(0, io.SeekStart); err != nil {
					t.Fatal(err)
				}
				if err := iotest.TestReader(struct{ io.ReadSeeker }{made}, raw); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestAClipLeavesOutWhatWasNotRecorded(t *testing.T) {
	s := open(t, t.TempDir(), record.Options{})
	s.film(recordtest.Plain, noon(), record.Always, "")
	s.play(10 * time.Second)
	s.cam.Skip(time.Minute)
	s.play(20 * time.Second)
	made, err := s.Store.Clip(t.Context(), yard, noon(), noon().Add(80*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	defer made.Close()
	if len(made.Pieces) != 2 || made.Pieces[1].From.Sub(made.Pieces[0].To).Round(time.Second) != time.Minute {
		t.Errorf("pieces %+v", made.Pieces)
	}
	for sentence, c := range map[string]struct {
		src      record.Source
		from, to time.Duration
		err      error
	}{
		"of the gap":     {yard, 20 * time.Second, 40 * time.Second, record.ErrNotFound},
		"of tomorrow":    {yard, 24 * time.Hour, 25 * time.Hour, record.ErrNotFound},
		"of a week":      {yard, 0, 7 * 24 * time.Hour, record.ErrTooLong},
		"of nobody":      {record.Source{Camera: "x", Stream: "main"}, 0, time.Minute, record.ErrNotFound},
		"of a bad place": {record.Source{Camera: "../..", Stream: "main"}, 0, time.Minute, record.ErrNotFound},
	} {
		if _, err := s.Store.Clip(t.Context(), c.src, noon().Add(c.from), noon().Add(c.to)); !errors.Is(err, c.err) {
			t.Errorf("%s: %v", sentence, err)
		}
	}
}

func TestAKeyPictureIsThatOfItsTime(t *testing.T) {
	for _, clip := range []string{recordtest.Plain, recordtest.HEVC} {
		s := open(t, t.TempDir(), record.Options{})
		s.film(clip, noon(), record.Always, "")
		s.play(2*time.Minute + 30*time.Second)
		for _, after := range []time.Duration{0, time.Second, 3 * time.Second, 59 * time.Second, 61 * time.Second, 100 * time.Second, 140 * time.Second} {
			u, err := s.Store.Keyframe(t.Context(), yard, noon().Add(after))
			if err != nil {
				t.Fatalf("%v: %v", after, err)
			}
			want := taken(t, clip, after/(2*time.Second)*(2*time.Second))
			if !u.Key || u.At.Sub(want.At).Abs() > 10*time.Microsecond || len(u.NALUs) != len(want.NALUs) || !bytes.Equal(u.NALUs[len(u.NALUs)-1], want.NALUs[len(want.NALUs)-1]) {
				t.Errorf("%v: the picture of %v, want %v", after, u.At, want.At)
			}
			if !bytes.Equal(u.NALUs[len(u.NALUs)-2], want.Format.PPS) || u.Format.Codec != want.Format.Codec {
				t.Errorf("%v: without its parameter sets", after)
			}
		}
		for _, after := range []time.Duration{-time.Second, time.Hour} {
			if u, err := s.Store.Keyframe(t.Context(), yard, noon().Add(after)); !errors.Is(err, record.ErrNotFound) {
				t.Errorf("%v: %v, %v", after, u, err)
			}
		}
	}
}

var pieceName = regexp.MustCompile(`^main/(\d+)-(\d+)-(\d+)-(-?\d+)\.m4s$`)

func TestAPlaylistPlaysAnyTime(t *testing.T) {
	s := open(t, t.TempDir(), record.Options{})
	s.film(recordtest.Plain, noon(), record.Always, "")
	s.play(100 * time.Second)
	s.cam.Skip(time.Minute)
	s.play(30 * time.Second)
	for sentence, c := range map[string]struct {
		from, to      time.Duration
		discontinuous int
		first         time.Duration // of its first picture
		length        time.Duration
	}{
		"of a moment":         {11 * time.Second, 15 * time.Second, 0, 10 * time.Second, 6 * time.Second},
		"over two files":      {50 * time.Second, 80 * time.Second, 0, 50 * time.Second, 32 * time.Second},
		"over a gap":          {90 * time.Second, 170 * time.Second, 1, 90 * time.Second, 22 * time.Second},
		"from within the gap": {120 * time.Second, 170 * time.Second, 0, 160 * time.Second, 12 * time.Second},
	} {
		t.Run(sentence, func(t *testing.T) {
			text, err := s.Store.Playlist(t.Context(), yard, noon().Add(c.from), noon().Add(c.to))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.HasPrefix(text, []byte("#EXTM3U\n")) || !bytes.HasSuffix(text, []byte("#EXT-X-ENDLIST\n")) {
				t.Errorf("%s", text)
			}
			if n := bytes.Count(text, []byte("#EXT-X-DISCONTINUITY")); n != c.discontinuous {
				t.Errorf("%d discontinuities:\n%s", n, text)
			}
			sum, next, jumped := 0.0, int64(-1), true
			first := true
			for line := range strings.Lines(string(text)) {
				line = strings.TrimSpace(line)
				if rest, ok := strings.CutPrefix(line, "#EXTINF:"); ok {
					v, err := strconv.ParseFloat(strings.TrimSuffix(rest, ","), 64)
					if err != nil {
						t.Fatal(err)
					}
					sum += v
				}
				if line == "#EXT-X-DISCONTINUITY" {
					jumped = true
				}
				m := pieceName.FindStringSubmatch(line)
				if m == nil {
					continue
				}
				var v [4]int64
				for i := range v {
					v[i], _ = strconv.ParseInt(m[i+1], 10, 64)
				}
				p, err := s.Store.Piece(t.Context(), yard, uint64(v[0]), v[1], v[2], v[3])
				if err != nil {
					t.Fatal(err)
				}
				if want := noon().Add(c.first); first && p.At.Sub(want).Abs() > time.Millisecond {
					t.Errorf("first picture %v, want %v", p.At, want)
				}
				first = false
				var buf bytes.Buffer
				n, err := p.WriteTo(&buf)
				if err != nil || n != p.Size || p.Close() != nil {
					t.Fatalf("%d of %d bytes, %v", n, p.Size, err)
				}
				init, err := s.Store.Init(t.Context(), yard, uint64(v[0]))
				if err != nil {
					t.Fatal(err)
				}
				// With its description it is what a segment is, but for the head.
				next = follows(t, init, buf.Bytes(), next, jumped)
				jumped = false
			}
			if got := time.Duration(sum * float64(time.Second)); (got - c.length).Abs() > 2100*time.Millisecond {
				t.Errorf("%v long, want %v\n%s", got, c.length, text)
			}
		})
	}
	for _, bad := range []struct{ seq, offset, size, base int64 }{{1, 5, 100, 0}, {1, -1, 100, 0}, {1, 0, 1 << 40, 0}, {99, 0, 100, 0}, {1, 1 << 40, 1, 0}} {
		if p, err := s.Store.Piece(t.Context(), yard, uint64(bad.seq), bad.offset, bad.size, bad.base); err == nil {
			t.Errorf("%+v is a piece of %d bytes", bad, p.Size)
		}
	}
}

// follows looks at the decoding times of a piece: it goes on where the one before
// ended, unless there was a jump.
func follows(t *testing.T, init, piece []byte, next int64, jumped bool) int64 {
	t.Helper()
	if _, err := segment.Format(init); err != nil {
		t.Fatal(err)
	}
	r := bytes.NewReader(piece)
	for at := int64(0); at < int64(len(piece)); {
		p, err := segment.ReadPart(r, at, int64(len(piece)))
		if err != nil {
			t.Fatal(err)
		}
		if at == 0 && !p.Pictures[0].Key {
			t.Error("a piece begins without a key picture")
		}
		if diff := p.Base - next; !(jumped && at == 0) && (diff < -2 || diff > 2) {
			t.Errorf("a part at %d, the one before ended at %d", p.Base, next)
		}
		if next < 0 && p.Base != 0 {
			t.Errorf("the first picture is at %d", p.Base)
		}
		next = p.Base + p.Length
		at += p.Size
	}
	return next
}

func BenchmarkTypedTime(b *testing.B) {
	for _, days := range []int{1, 30} {
		b.Run(fmt.Sprint(days, " days"), func(b *testing.B) {
			s, src := month(b, days)
			at := noon().Add(-time.Duration(days) * 12 * time.Hour)
			b.ResetTimer()
			for n := 0; b.Loop(); n++ {
				from := at.Add(time.Duration(n%720) * time.Minute)
				if _, err := s.Segments(b.Context(), src, from, from.Add(2*time.Minute), 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// month is the index of a camera that was recorded for days.
func month(b *testing.B, days int) (*record.Store, record.Source) {
	b.Helper()
	data, err := os.OpenRoot(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	s, err := record.Open(b.Context(), record.Options{Data: data})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close(context.Background()) })
	for _, name := range []string{"a", "b", "c"} {
		if err := s.Fill(b.Context(), record.Source{Camera: name, Stream: "main"}, days, noon()); err != nil {
			b.Fatal(err)
		}
	}
	return s, record.Source{Camera: "b", Stream: "main"}
}

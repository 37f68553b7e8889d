package segment_test

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/record/recordtest"
	"github.com/chargewatch/chargewatch/internal/camera/segment"
)

func made(t testing.TB, clip string) []byte {
	t.Helper()
	at := time.Date(2026, 11, 22, 23, 59, 58, 123_456_000, time.UTC)
	cam, err := recordtest.New(clip, at)
	if err != nil {
		t.Fatal(err)
	}
	b, init, err := segment.AppendHead(nil, cam.Format(), segment.Head{Camera: "yard-1", Stream: "main", Start: at, Seq: 7, Run: at})
	if err != nil {
		t.Fatal(err)
	}
	if f, err := segment.Format(b[:init]); err != nil || !bytes.Equal(f.SPS, cam.Format().SPS) || !bytes.Equal(f.PPS, cam.Format().PPS) || f.Codec != cam.Format().Codec || f.Width != 320 || f.Height != 180 {
		t.Fatalf("format %+v, %v", f, err)
	}
	for n := range 3 {
		var samples []segment.Sample
		for range recordtest.FPS {
			samples = append(samples, segment.Sample{Unit: cam.Next(), Duration: 4500})
		}
		b = segment.AppendPart(b, uint32(n+1), int64(n*90000), samples, nil)
	}
	return b
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	for _, clip := range []string{recordtest.Plain, recordtest.Between, recordtest.HEVC} {
		b := made(t, clip)
		cam, err := recordtest.New(clip, time.Date(2026, 11, 22, 23, 59, 58, 123_456_000, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		o, whole, err := segment.Scan(bytes.NewReader(b), int64(len(b)), func(p *segment.Part) error {
			for i, pic := range p.Pictures {
				u := cam.Next()
				nalus, err := segment.NALUs(b[pic.Offset : pic.Offset+int64(pic.Size)])
				if err != nil {
					return err
				}
				if want := u.NALUs[len(u.NALUs)-1]; !bytes.Equal(nalus[len(nalus)-1], want) || u.Key && len(nalus) != 1 {
					t.Errorf("%s picture %d: %d units", clip, n, len(nalus))
				}
				if pic.Key != u.Key || pic.Shift != int32(segment.Ticks(u.PTS-u.DTS)) || pic.Duration != 4500 {
					t.Errorf("%s picture %d: %+v", clip, n, pic)
				}
				if i == 0 && p.At.Sub(u.At).Abs() > time.Microsecond {
					t.Errorf("%s part at %v, want %v", clip, p.At, u.At)
				}
				n++
			}
			return nil
		})
		if err != nil || whole != int64(len(b)) || n != 60 || o.Seq != 7 || o.Camera != "yard-1" {
			t.Errorf("%s: %d of %d bytes, %d pictures, %+v, %v", clip, whole, len(b), n, o, err)
		}
	}
}

func TestALinkCoversAllItSays(t *testing.T) {
	base := segment.Entry{Camera: "a", Stream: "main", Seq: 1, Start: time.Unix(1, 0), End: time.Unix(2, 0), Bytes: 3}
	links := []segment.Sum{base.Link()}
	for _, change := range []func(*segment.Entry){
		func(e *segment.Entry) { e.Camera = "b" }, func(e *segment.Entry) { e.Stream = "sub" }, func(e *segment.Entry) { e.Camera, e.Stream = "am", "ain" },
		func(e *segment.Entry) { e.Seq++ }, func(e *segment.Entry) { e.Start = e.Start.Add(time.Millisecond) },
		func(e *segment.Entry) { e.End = e.End.Add(time.Millisecond) }, func(e *segment.Entry) { e.Bytes++ },
		func(e *segment.Entry) { e.Prev[5] = 1 }, func(e *segment.Entry) { e.Sum[31] = 1 },
	} {
		e := base
		change(&e)
		if l := e.Link(); slices.Contains(links, l) {
			t.Errorf("%+v has the link of another", e)
		} else {
			links = append(links, l)
		}
	}
}

func TestTicks(t *testing.T) {
	for _, d := range []time.Duration{0, time.Second, -time.Second, 41 * time.Millisecond, 30 * 24 * time.Hour} {
		if got := segment.Duration(segment.Ticks(d)); (got - d).Abs() > 12*time.Microsecond {
			t.Errorf("%v becomes %v", d, got)
		}
	}
}

func FuzzScan(f *testing.F) {
	b := made(f, recordtest.Plain)
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Add(b[:1000])
	head, _, part, _, _ := speaking(f)
	f.Add(append(head, part...))
	f.Fuzz(func(t *testing.T, b []byte) {
		end, pictures := int64(0), 0
		o, whole, err := segment.Scan(bytes.NewReader(b), int64(len(b)), func(p *segment.Part) error {
			if p.Offset < end || p.Size <= 0 || p.Base < 0 || p.Base > math.MaxInt64/2 {
				t.Fatalf("part %+v", p)
			}
			end = p.Offset + p.Size
			for _, pic := range p.Pictures {
				if pic.Offset < p.Offset || pic.Offset+int64(pic.Size) > end {
					t.Fatalf("picture %+v of %+v", pic, p)
				}
				pictures++
				_, _ = segment.NALUs(b[pic.Offset : pic.Offset+int64(pic.Size)]) // must not panic
			}
			for _, h := range p.Sound {
				if h.Offset < p.Offset || h.Offset+int64(h.Size) > end {
					t.Fatalf("sound %+v of %+v", h, p)
				}
			}
			if mute, err := segment.Muted(b[p.Offset:end]); err == nil && int64(len(mute)) != p.MutedSize() {
				t.Fatalf("%d bytes without sound, said %d", len(mute), p.MutedSize())
			}
			return nil
		})
		if err != nil {
			if !errors.Is(err, segment.ErrForm) && o != nil {
				t.Fatalf("%v", err)
			}
			return
		}
		if whole > int64(len(b)) || whole < end || pictures > len(b) {
			t.Fatalf("%d whole of %d", whole, len(b))
		}
		_, _ = segment.Format(o.Init)      // must not panic
		_, _ = segment.Description(o.Init) // must not panic
		_, _ = segment.Pictures(o.Init)    // must not panic
	})
}

// speaking is the head of a file with sound, and its first part.
func speaking(t testing.TB) (head []byte, init int, part []byte, samples []segment.Sample, sound []segment.Sound) {
	t.Helper()
	at := time.Date(2026, 11, 22, 23, 59, 58, 0, time.UTC)
	cam, err := recordtest.New(recordtest.Plain, at)
	if err != nil {
		t.Fatal(err)
	}
	if err := cam.Speak(); err != nil {
		t.Fatal(err)
	}
	for range recordtest.FPS {
		u := cam.Next()
		samples = append(samples, segment.Sample{Unit: u, Duration: 4500})
		for _, x := range u.Sound {
			sound = append(sound, segment.Sound{Start: segment.Ticks(x.PTS), Duration: uint32(segment.Ticks(x.Length)), Data: x.Data})
		}
	}
	head, init, err = segment.AppendHead(nil, cam.Format(), segment.Head{Camera: "yard-1", Stream: "main", Start: at, Seq: 1, Run: at})
	if err != nil || !segment.HasSound(head[:init]) {
		t.Fatal(err)
	}
	return head, init, segment.AppendPart(nil, 1, 90, samples, sound), samples, sound
}

func TestSoundLiesBehindItsPicturesAndCanBeLeftOut(t *testing.T) {
	head, init, part, samples, sound := speaking(t)
	b := append(slices.Clone(head), part...)
	heard := 0
	_, whole, err := segment.Scan(bytes.NewReader(b), int64(len(b)), func(p *segment.Part) error {
		if len(p.Pictures) != len(samples) || p.SoundBase != sound[0].Start || len(p.Sound) != len(sound) {
			t.Errorf("%d pictures, %d of sound from %d", len(p.Pictures), len(p.Sound), p.SoundBase)
		}
		for i, h := range p.Sound {
			if !bytes.Equal(b[h.Offset:h.Offset+int64(h.Size)], sound[i].Data) || h.Duration != sound[i].Duration {
				t.Errorf("sound %d is another", i)
			}
			heard++
		}
		if mute, err := segment.Muted(part); err != nil || int64(len(mute)) != p.MutedSize() {
			t.Errorf("%d bytes, said %d, %v", len(mute), p.MutedSize(), err)
		}
		return nil
	})
	if err != nil || whole != int64(len(b)) || heard < 14 {
		t.Fatalf("%d of %d bytes, %d heard, %v", whole, len(b), heard, err)
	}
	silent := segment.AppendPart(nil, 1, 90, samples, nil)
	if mute, err := segment.Muted(part); err != nil || !bytes.Equal(mute, silent) {
		t.Errorf("without its sound a part is not as if there had been none: %v", err)
	}
	if mute, err := segment.Muted(silent); err != nil || !bytes.Equal(mute, silent) {
		t.Errorf("a part without sound is changed: %v", err)
	}
	own := *samples[0].Unit.Format
	own.Sound = nil
	bare, n, err := segment.AppendHead(nil, &own, segment.Head{Camera: "yard-1"})
	if err != nil {
		t.Fatal(err)
	}
	if pictures, err := segment.Pictures(head[:init]); err != nil || !bytes.Equal(pictures, bare[:n]) || segment.HasSound(pictures) {
		t.Errorf("the description of the pictures alone is another: %v", err)
	}
	for cut := range len(part) { // whatever is torn off is no whole part
		if _, err := segment.ReadPart(bytes.NewReader(part[:cut]), 0, int64(cut)); err == nil {
			t.Fatalf("%d bytes of %d are a part", cut, len(part))
		}
	}
}

package record_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	mp4 "github.com/abema/go-mp4"

	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/camera/record/recordtest"
	"github.com/chargewatch/chargewatch/internal/camera/segment"
)

// speaking is a studio whose camera sends a tone for three minutes, and none
// between 40 and 45 s.
func speaking(t *testing.T) *studio {
	t.Helper()
	s := open(t, t.TempDir(), record.Options{})
	s.film(recordtest.Plain, noon(), record.Always, "")
	if err := s.cam.Speak(); err != nil {
		t.Fatal(err)
	}
	s.play(40 * time.Second)
	s.cam.Hush(true)
	s.play(5 * time.Second)
	s.cam.Hush(false)
	s.play(135 * time.Second)
	return s
}

const toneRate = 16_000

// listen decodes the sound of a file with a player of others.
func listen(t *testing.T, raw []byte) []int16 {
	t.Helper()
	name := filepath.Join(t.TempDir(), "x.mp4")
	if err := os.WriteFile(name, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	// Silence that nobody sent is put in where the file's times leave it out.
	out, err := exec.CommandContext(t.Context(), "ffmpeg", "-hide_banner", "-loglevel", "error", "-i", name, "-map", "0:a:0",
		"-af", "aresample=async=1:first_pts=0", "-f", "s16le", "-").Output()
	if err != nil {
		t.Fatalf("a player cannot play it: %v", err)
	}
	heard := make([]int16, len(out)/2)
	for i := range heard {
		heard[i] = int16(binary.LittleEndian.Uint16(out[2*i:]))
	}
	return heard
}

// pitch is how often the tone swings in a time, 0 where it is silent.
func pitch(heard []int16, from, to time.Duration) float64 {
	part := heard[int(from.Seconds()*toneRate):min(int(to.Seconds()*toneRate), len(heard))]
	ups, loud := 0, 0
	for i := 1; i < len(part); i++ {
		if part[i-1] < 0 && part[i] >= 0 {
			ups++
		}
		if part[i] > 500 || part[i] < -500 {
			loud++
		}
	}
	if loud < len(part)/4 {
		return 0
	}
	return float64(ups) / (float64(len(part)) / toneRate)
}

func all(t *testing.T, c *record.Clip) []byte {
	t.Helper()
	defer c.Close()
	raw, err := io.ReadAll(c)
	if err != nil || int64(len(raw)) != c.Size {
		t.Fatalf("%d of %d bytes, %v", len(raw), c.Size, err)
	}
	return raw
}

func TestAClipIsHeardAsItWasRecorded(t *testing.T) {
	s := speaking(t)
	for sentence, c := range map[string]struct{ from, to, silent, until time.Duration }{
		"within a minute":        {11 * time.Second, 15 * time.Second, 0, 0},
		"over the end of a file": {55 * time.Second, 65 * time.Second, 0, 0},
		"over two ends":          {58 * time.Second, 123 * time.Second, 0, 0},
		"over a silence":         {36 * time.Second, 50 * time.Second, 4 * time.Second, 9 * time.Second},
		"of what is written now": {170 * time.Second, 175 * time.Second, 0, 0},
	} {
		t.Run(sentence, func(t *testing.T) {
			for _, of := range []string{"clip", "sound"} {
				open := s.Store.Clip
				if of == "sound" {
					open = s.Store.Sound
				}
				made, err := open(t.Context(), yard, noon().Add(c.from), noon().Add(c.to))
				if err != nil {
					t.Fatal(of, err)
				}
				raw := all(t, made)
				probe, err := mp4.Probe(bytes.NewReader(raw))
				if err != nil || len(probe.Tracks) != map[string]int{"clip": 2, "sound": 1}[of] {
					t.Fatalf("%s: %+v, %v", of, probe, err)
				}
				heard := listen(t, raw)
				length := time.Duration(len(heard)) * time.Second / toneRate
				if want := c.to - c.from; (length - want).Abs() > 250*time.Millisecond {
					t.Errorf("%s: heard for %v, want %v", of, length, want)
				}
				edge := 300 * time.Millisecond
				for _, x := range [][2]time.Duration{{edge, c.silent}, {c.until, length}} {
					if c.silent == 0 {
						x[1] = length
					}
					if got := pitch(heard, x[0]+edge, x[1]-edge); got < 430 || got > 450 {
						t.Errorf("%s: %.0f Hz from %v to %v, want 440", of, got, x[0], x[1])
					}
				}
				if c.silent > 0 {
					if got := pitch(heard, c.silent+edge, c.until-edge); got != 0 {
						t.Errorf("%s: %.0f Hz where nothing was heard", of, got)
					}
				}
			}
		})
	}
	if _, err := s.Store.Sound(t.Context(), yard, noon().Add(41*time.Second), noon().Add(44*time.Second)); !errors.Is(err, record.ErrNotFound) {
		t.Errorf("the sound of a silence: %v", err)
	}
}

func TestAPlaylistHasNoSoundWhereThereIsSome(t *testing.T) {
	s := speaking(t)
	list, err := s.Store.Playlist(t.Context(), yard, noon().Add(50*time.Second), noon().Add(130*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`main/(\d+)-init.mp4`).FindAllSubmatch(list, -1) {
		seq, _ := strconv.ParseUint(string(m[1]), 10, 64)
		init, err := s.Store.Init(t.Context(), yard, seq)
		if err != nil || segment.HasSound(init) {
			t.Errorf("file %d describes sound, or %v", seq, err)
		}
	}
	pieces := regexp.MustCompile(`main/(\d+)-(\d+)-(\d+)-(-?\d+).m4s`).FindAllSubmatch(list, -1)
	if len(pieces) < 15 {
		t.Fatalf("%d pieces", len(pieces))
	}
	pictures := 0
	for _, m := range pieces {
		var n [4]int64
		for i := range n {
			n[i], _ = strconv.ParseInt(string(m[i+1]), 10, 64)
		}
		p, err := s.Store.Piece(t.Context(), yard, uint64(n[0]), n[1], n[2], n[3])
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		wrote, err := p.WriteTo(&b)
		if err != nil || wrote != p.Size || int64(b.Len()) != p.Size {
			t.Fatalf("piece %s: %d of %d bytes, %v", m[0], wrote, p.Size, err)
		}
		for at := int64(0); at < wrote; {
			part, err := segment.ReadPart(bytes.NewReader(b.Bytes()), at, wrote)
			if err != nil || len(part.Sound) > 0 {
				t.Fatalf("piece %s at %d: %v", m[0], at, err)
			}
			pictures += len(part.Pictures)
			at += part.Size
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if want := 80 * recordtest.FPS; pictures < want || pictures > want+2*recordtest.Group {
		t.Errorf("%d pictures, want %d", pictures, want)
	}
}

func TestFilesWithSoundAreFoundAgainAfterACrash(t *testing.T) {
	s := speaking(t)
	before, err := s.Store.Segments(t.Context(), yard, noon(), noon().Add(time.Hour), 0)
	if err != nil || len(before) < 3 {
		t.Fatal(len(before), err)
	}
	g := before[0]
	f, err := s.Store.Open(g)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sound, last := 0, int64(0)
	o, whole, err := segment.Scan(f, g.Bytes, func(p *segment.Part) error {
		if len(p.Sound) > 0 && p.SoundBase < last {
			return fmt.Errorf("sound at %d lies on that up to %d", p.SoundBase, last)
		}
		if len(p.Sound) > 0 {
			last = p.SoundBase
		}
		for _, h := range p.Sound {
			sound++
			last += int64(h.Duration)
		}
		return nil
	})
	if err != nil || whole != g.Bytes || !segment.HasSound(o.Init) {
		t.Fatalf("%d of %d bytes are whole, %v", whole, g.Bytes, err)
	}
	length := g.End.Sub(g.Start) - 5*time.Second
	if got := time.Duration(sound) * recordtest.ToneFrame; (got - length).Abs() > 200*time.Millisecond {
		t.Errorf("%v of sound in a file, want %v", got, length)
	}
}

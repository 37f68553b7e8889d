package evidence_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/area"
	"github.com/chargewatch/chargewatch/internal/camera/evidence"
)

func ffmpeg(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Fatal("the tests need ffmpeg: ", err)
	}
	return path
}

// decoded are the pictures of a clip in grey.
func decoded(t *testing.T, clip []byte) [][]byte {
	t.Helper()
	name := filepath.Join(t.TempDir(), "clip.mp4")
	if err := os.WriteFile(name, clip, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), ffmpeg(t), "-nostdin", "-loglevel", "error", "-i", name, "-vf", "scale=320:180:out_range=pc,format=gray", "-vsync", "passthrough", "-f", "rawvideo", "pipe:1").Output() //nolint:gosec // found in PATH
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(slices.Chunk(out, 320*180))
}

func inside(t *testing.T, raw []byte, name string) []byte {
	t.Helper()
	list := unpack(t, raw)
	i := index(list, name)
	if i < 0 {
		t.Fatalf("the pack has no %s", name)
	}
	return list[i].content
}

func (p *place) taken(t *testing.T, a *evidence.Archive, id string) []byte {
	t.Helper()
	f, err := a.Open(id)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPartsOfPicturesAreHiddenInASecondPack(t *testing.T) {
	p := filmed(t, 30*time.Second)
	now := noon().Add(time.Hour)
	a, stop := p.archive(t, &now)
	defer stop()
	asked, err := a.Ask(p.request(20 * time.Second))
	if err != nil {
		t.Fatal(err)
	}
	first := finished(t, a, asked.Request.ID)
	before := p.taken(t, a, first.Request.ID)
	// The left half, and a triangle in the upper right corner.
	hide := map[string][]area.Polygon{"gate": {{{0, 0}, {0.5, 0}, {0.5, 1}, {0, 1}}, {{0.75, 0}, {1, 0}, {1, 0.5}}}}
	asked, err = a.Redact(first.Request.ID, hide, evidence.Request{By: "u2", ByName: "Boss", Reason: "for the neighbours"})
	if err != nil {
		t.Fatal(err)
	}
	j := finished(t, a, asked.Request.ID)
	if j.State != evidence.Done || j.Segments != 0 || j.Request.Of != first.Request.ID {
		t.Fatalf("%+v", j)
	}
	raw := p.taken(t, a, j.Request.ID)
	r := evidence.VerifyArchive(bytes.NewReader(raw), int64(len(raw)), evidence.Trust{Key: p.key.Public()})
	if !r.Whole() {
		t.Fatalf("%v", r.Faults)
	}
	m := r.Manifest
	if m.Original == nil || m.Original.ID != first.Request.ID || m.Original.Sum != first.Sum || m.Original.Manifest != first.Manifest || m.Reason != "for the neighbours" {
		t.Errorf("%+v", m.Original)
	}
	// Cameras without anything to hide are not in it, and no recorded file is.
	if len(m.Streams) != 1 || m.Streams[0].Camera != "gate" || len(m.Streams[0].Hidden) != 2 || len(m.Streams[0].Segments) != 0 || len(m.Streams[0].Clips) != 1 {
		t.Fatalf("%+v", m.Streams)
	}
	old := inside(t, before, "clips/gate-main.mp4")
	if c := m.Streams[0].Clips[0]; c.Original == nil || *c.Original != sum(old) {
		t.Errorf("the clip does not name its original")
	}
	was, is := decoded(t, old), decoded(t, inside(t, raw, "clips/gate-main.mp4"))
	if len(is) != len(was) || len(is) < 300 {
		t.Fatalf("%d pictures of %d", len(is), len(was))
	}
	shown := false
	for n, picture := range is {
		for _, at := range [][2]int{{2, 2}, {80, 90}, {150, 170}, {150, 4}, {310, 10}, {300, 30}} {
			if v := picture[at[1]*320+at[0]]; v < 80 || v > 112 {
				t.Fatalf("picture %d shows %d at %v, which is hidden", n, v, at)
			}
		}
		for y := 96; y < 180; y += 3 {
			for x := 170; x < 320; x += 3 {
				v, w := int(picture[y*320+x]), int(was[n][y*320+x])
				shown = shown || v < 60 || v > 130
				if d := v - w; d < -60 || d > 60 {
					t.Fatalf("picture %d is another at %d,%d: %d, was %d", n, x, y, v, w)
				}
			}
		}
	}
	if !shown {
		t.Error("nothing is shown beside what is hidden")
	}
	if after := p.taken(t, a, first.Request.ID); !bytes.Equal(before, after) {
		t.Error("the original was changed")
	}
	if left, err := filepath.Glob(p.folder + "/evidence/" + j.Request.ID + "/*.new"); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	// Only a pack of recordings can be painted over, and only what it has.
	if _, err := a.Redact(j.Request.ID, hide, evidence.Request{}); !errors.Is(err, evidence.ErrDerived) {
		t.Errorf("a derived one: %v", err)
	}
	if _, err := a.Redact(first.Request.ID, map[string][]area.Polygon{"park": hide["gate"]}, evidence.Request{}); !errors.Is(err, evidence.ErrNothing) {
		t.Errorf("nothing to hide: %v", err)
	}
}

// script is a program in the place of ffmpeg.
func script(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ffmpeg")
	if err := os.WriteFile(name, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestNoPictureWithoutAMaskThatIsProved(t *testing.T) {
	p := filmed(t, 20*time.Second)
	now := noon().Add(time.Hour)
	real := ffmpeg(t)
	hide := map[string][]area.Polygon{"gate": {{{0, 0}, {1, 0}, {1, 1}, {0, 1}}}}
	for sentence, c := range map[string]struct{ tool, problem string }{
		// It copies the pictures as they are where it is told to paint them over.
		"a program that does not paint": {`case "$*" in *overlay*) exec ` + real + ` -loglevel error -i file:clip.mp4.new -c copy -f mp4 -y file:painted.mp4.new;; *) exec ` + real + ` "$@";; esac`, "mask"},
		"a program that fails":          {"echo no >&2; exit 1", "mask"},
		"a program that makes nothing":  {"exit 0", "mask"},
	} {
		t.Run(sentence, func(t *testing.T) {
			a, stop := p.archiveWith(t, &now, script(t, c.tool))
			defer stop()
			asked, err := a.Ask(p.request(10 * time.Second))
			if err != nil {
				t.Fatal(err)
			}
			first := finished(t, a, asked.Request.ID)
			asked, err = a.Redact(first.Request.ID, hide, evidence.Request{Reason: "x"})
			if err != nil {
				t.Fatal(err)
			}
			j := finished(t, a, asked.Request.ID)
			if j.State != evidence.Failed || j.Problem != c.problem {
				t.Errorf("%s %q", j.State, j.Problem)
			}
			if left, err := filepath.Glob(p.folder + "/evidence/" + j.Request.ID + "/*"); err != nil || len(left) != 1 {
				t.Errorf("left behind: %v %v", left, err)
			}
		})
	}
	a, stop := p.archiveWith(t, &now, "")
	defer stop()
	if _, err := a.Redact("x", hide, evidence.Request{}); !errors.Is(err, evidence.ErrNoPainter) {
		t.Errorf("without ffmpeg: %v", err)
	}
}

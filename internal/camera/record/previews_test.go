package record_test

import (
	"bytes"
	"database/sql"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/camera/record/recordtest"
)

// previewFiles counts the files of previews that there are.
func (s *studio) previewFiles() (n int) {
	s.t.Helper()
	if err := fs.WalkDir(s.data.FS(), record.Folder, func(path string, _ fs.DirEntry, err error) error {
		if strings.Contains(path, ".previews") {
			n++
		}
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	return n
}

func TestPreviewsLieBesideTheirFootageAndGoWithIt(t *testing.T) {
	s := open(t, t.TempDir(), record.Options{})
	s.film(recordtest.Plain, noon(), record.Always, "")
	s.play(4*time.Minute - 2*time.Second)
	s.cutOff()
	var all []record.Preview
	for i := range 4 * 60 {
		all = append(all, record.Preview{At: noon().Add(time.Duration(i) * time.Second), JPEG: []byte{byte(i)}})
	}
	all = append(all, record.Preview{At: noon().Add(500 * time.Millisecond), JPEG: bytes.Repeat([]byte{1}, record.MaxPreviewBytes+1)})
	files := s.segments(noon(), noon().Add(time.Hour))
	if len(files) != 4 {
		t.Fatalf("%d files", len(files))
	}
	for _, g := range files {
		if err := s.Store.PutPreviews(t.Context(), g, all); err != nil {
			t.Fatal(err)
		}
	}
	for i, g := range files {
		times, err := s.Store.PreviewTimes(g)
		if err != nil || len(times) == 0 || len(times) > record.MaxPreviews {
			t.Fatalf("file %d: %d previews, %v", i, len(times), err)
		}
		if !slices.IsSortedFunc(times, time.Time.Compare) || times[0].Before(g.Start) || !times[len(times)-1].Before(g.End) {
			t.Errorf("file %d, %v to %v, has previews of %v", i, g.Start, g.End, times)
		}
		got, err := s.Store.Previews(g, times[3], times[4])
		if err != nil || len(got) != 2 {
			t.Fatalf("%d previews, %v", len(got), err)
		}
		for j, p := range got {
			if want := byte(times[3+j].Sub(noon()) / time.Second); !p.At.Equal(times[3+j]) || len(p.JPEG) != 1 || p.JPEG[0] != want {
				t.Errorf("preview of %v is %v, want %d", p.At, p.JPEG, want)
			}
		}
	}
	// Three minutes are too old, the last is not.
	s.again.now.Store(noon().Add(72*time.Hour + 190*time.Second).UnixNano())
	if err := s.Store.Retain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := s.previewFiles(); n != 1 {
		t.Errorf("%d files of previews are left", n)
	}
	for i, g := range files {
		_, err := s.Store.PreviewTimes(g)
		if gone := errors.Is(err, record.ErrNotFound); gone != (i < 3) {
			t.Errorf("file %d: %v", i, err)
		}
		// What comes late for footage that is gone is not kept.
		if err := s.Store.PutPreviews(t.Context(), g, all); i < 3 && !errors.Is(err, record.ErrNotFound) {
			t.Errorf("file %d: %v", i, err)
		}
	}
	if n := s.previewFiles(); n != 1 {
		t.Errorf("%d files of previews", n)
	}
}

func TestNoPreviewsAreWrittenWhileTheDiskIsFullOrTheFileGrows(t *testing.T) {
	s := open(t, t.TempDir(), record.Options{})
	s.film(recordtest.Plain, noon(), record.Always, "")
	s.play(90 * time.Second)
	files := s.segments(noon(), noon().Add(time.Hour))
	if len(files) != 2 || !files[1].Open {
		t.Fatalf("%d files", len(files))
	}
	put := func(g *record.Segment) {
		t.Helper()
		if err := s.Store.PutPreviews(t.Context(), g, []record.Preview{{At: g.Start, JPEG: []byte{1}}}); err != nil {
			t.Error(err)
		}
	}
	put(files[1])
	s.Store.Stop(true)
	put(files[0])
	if n := s.previewFiles(); n != 0 {
		t.Errorf("%d files of previews", n)
	}
	s.Store.Stop(false)
	put(files[0])
	if n := s.previewFiles(); n != 1 {
		t.Errorf("%d files of previews", n)
	}
}

// thick puts as much beside each file as may lie there.
func (s *studio) thick() (bytes int64) {
	s.t.Helper()
	for _, g := range s.segments(noon(), noon().Add(time.Hour)) {
		var list []record.Preview
		for i := range record.MaxPreviews {
			list = append(list, record.Preview{At: g.Start.Add(time.Duration(i) * time.Second), JPEG: make([]byte, record.MaxPreviewBytes)})
		}
		for range 2 { // the second time takes the place of the first
			if err := s.Store.PutPreviews(s.t.Context(), g, list); err != nil {
				s.t.Fatal(err)
			}
		}
		bytes += g.Bytes
	}
	if err := fs.WalkDir(s.data.FS(), record.Folder, func(path string, d fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".previews") {
			info, err := d.Info()
			if err != nil {
				return err
			}
			bytes += info.Size()
		}
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	return bytes
}

func TestPreviewsCountAgainstTheBoundsOfBytes(t *testing.T) {
	const minute = 590_000 + record.MaxPreviews*record.MaxPreviewBytes
	for sentence, limits := range map[string]record.Limits{
		"of a camera": {Cameras: map[string]record.Keep{"yard-1": {Bytes: 4 * minute}}},
		"of a site":   {Cameras: map[string]record.Keep{"yard-1": {Site: "hh"}}, Sites: map[string]int64{"hh": 4 * minute}},
		"of all":      {Bytes: 4 * minute},
	} {
		t.Run(sentence, func(t *testing.T) {
			s := open(t, t.TempDir(), record.Options{})
			s.film(recordtest.Plain, noon(), record.Always, "")
			s.play(6*time.Minute - 2*time.Second)
			s.cutOff()
			s.thick()
			s.cutOff() // by now all is in the index
			s.Store.SetLimits(limits)
			if err := s.Store.Retain(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := s.kept(); got != "..cccc...." {
				t.Errorf("kept %s, want ..cccc....", got)
			}
			if u, _ := s.Store.Usage("yard-1"); u.Bytes > 4*minute || u.Bytes < 4*minute*9/10 {
				t.Errorf("%d bytes are kept, as is said", u.Bytes)
			}
			// With the last of them all of it is gone, to the byte.
			s.again.now.Store(noon().Add(80 * time.Hour).UnixNano())
			for range 2 {
				if err := s.Store.Retain(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if u, _ := s.Store.Usage("yard-1"); u.Bytes != 0 || s.kept() != ".........." {
				t.Errorf("%d bytes are said to be left of %s", u.Bytes, s.kept())
			}
		})
	}
}

func TestWhatLiesBesideFilesIsCountedAgain(t *testing.T) {
	for sentence, harm := range map[string]string{
		"as it was":                    ``,
		"what a crash lost":            `UPDATE source SET bytes = bytes - (SELECT sum(beside) FROM segment); UPDATE segment SET beside = 0`,
		"an index of the shape before": `UPDATE source SET bytes = bytes - (SELECT sum(beside) FROM segment); ALTER TABLE segment DROP COLUMN beside; PRAGMA user_version = 1`,
		"an index of another shape":    `PRAGMA user_version = 99`,
	} {
		t.Run(sentence, func(t *testing.T) {
			folder := t.TempDir()
			s := open(t, folder, record.Options{})
			s.film(recordtest.Plain, noon(), record.Always, "")
			s.play(3*time.Minute - 2*time.Second)
			s.cutOff()
			want := s.thick()
			s.run()
			db, err := sql.Open("sqlite", filepath.Join(folder, record.Folder, "index.db"))
			if err != nil {
				t.Fatal(err)
			}
			_, err = db.ExecContext(t.Context(), harm)
			if err := errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
			again := open(t, folder, record.Options{})
			if err := again.Store.Retain(t.Context()); err != nil {
				t.Fatal(err)
			}
			if u, _ := again.Store.Usage("yard-1"); u.Bytes != want {
				t.Errorf("%d bytes, want %d", u.Bytes, want)
			}
		})
	}
}

package record_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/camera/record/recordtest"
	"github.com/chargewatch/chargewatch/internal/camera/segment"
	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// The child of the kill test is this test binary again.
const childFolder = "RECORD_TEST_FOLDER"

func TestMain(m *testing.M) {
	if folder := os.Getenv(childFolder); folder != "" {
		if err := recordUntilKilled(folder); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// recordUntilKilled records a camera as it would be, and says until when
// pictures came.
func recordUntilKilled(folder string) error {
	data, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	ctx := context.Background()
	s, err := record.Open(ctx, record.Options{Data: data, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)), SegmentFor: 2 * time.Second})
	if err != nil {
		return err
	}
	go func() { _ = s.Run(ctx) }()
	rec, err := s.Recorder(ctx, record.Plan{Source: yard, Mode: record.Always})
	if err != nil {
		return err
	}
	hub := &stream.Hub{}
	go func() { _ = rec.Run(ctx, hub) }()
	for hub.Readers() == 0 {
		time.Sleep(time.Millisecond)
	}
	cam, err := recordtest.New(recordtest.Plain, time.Now())
	if err != nil {
		return err
	}
	for {
		time.Sleep(time.Until(cam.Now()))
		u := cam.Next()
		hub.Publish(u)
		fmt.Println(u.At.UnixMicro())
	}
}

func last(spans []record.Span) time.Time {
	if len(spans) == 0 {
		return time.Time{}
	}
	return spans[len(spans)-1].To
}

func TestAKillLosesNoMoreThanTheOpenPart(t *testing.T) {
	folder := t.TempDir()
	var spans []record.Span
	for life := range 3 {
		time.Sleep(time.Until(last(spans).Add(time.Second)))
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childFolder+"="+folder)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		var first, end time.Time
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			us, err := strconv.ParseInt(lines.Text(), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			end = time.UnixMicro(us)
			if first.IsZero() {
				first = end
			}
			if end.Sub(first) > 2500*time.Millisecond+time.Duration(life)*731*time.Millisecond {
				break
			}
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait() // it was killed
		spans = append(spans, record.Span{From: first, To: end})
	}
	s := open(t, folder, record.Options{})
	list := s.segments(time.Unix(0, 0), time.Now())
	var link segment.Sum
	for i, g := range list {
		if g.Seq != uint64(i+1) || g.Prev != link {
			t.Errorf("segment %d is not the next link", i)
		}
		link = g.Link
		s.whole(g)
	}
	r := s.recordings(time.Unix(0, 0), time.Now())
	if len(r.Spans) != 3 || len(r.Gaps) != 2 {
		t.Fatalf("%d spans, gaps %+v", len(r.Spans), r.Gaps)
	}
	for i, had := range spans {
		got := r.Spans[i]
		// The picture that ends a part comes a frame after it.
		if lost := had.To.Sub(got.To); lost > time.Second+2*recordtest.Frame || got.From.Sub(had.From).Abs() > time.Millisecond {
			t.Errorf("life %d: pictures from %v to %v, kept from %v to %v (lost %v)", i, had.From, had.To, got.From, got.To, lost)
		}
		if i > 0 && (r.Gaps[i-1].Reason != record.ReasonStopped || !r.Gaps[i-1].To.Equal(got.From)) {
			t.Errorf("gap %+v", r.Gaps[i-1])
		}
	}
}

func TestAFileThatEndsInsideAPartIsCutThere(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder, record.Options{})
	s.film(recordtest.Plain, noon(), record.Always, "")
	s.play(20 * time.Second)
	s.stop()
	s.run()
	files, err := filepath.Glob(folder + "/video/yard-1/main/*/*/*.mp4")
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	ends := []int64{0} // of parts
	if _, _, err := segment.Scan(bytes.NewReader(whole), int64(len(whole)), func(p *segment.Part) error {
		ends = append(ends, p.Offset+p.Size)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	index := folder + "/video/index.db"
	for _, cut := range []int{len(whole) - 1, len(whole) - 20_000, len(whole) / 2, int(ends[3]), int(ends[3]) + 1, int(ends[3]) + 40, int(ends[1]), int(ends[1]) - 1, 300, 0} {
		t.Run(fmt.Sprint(cut, " bytes of ", len(whole)), func(t *testing.T) {
			for _, path := range []string{index, index + "-wal", index + "-shm"} {
				_ = os.Remove(path) // not all are there
			}
			if err := os.WriteFile(files[0], whole[:cut], 0o600); err != nil {
				t.Fatal(err)
			}
			want := int64(0)
			for _, end := range ends {
				if end <= int64(cut) {
					want = end
				}
			}
			again := open(t, folder, record.Options{})
			defer again.run()
			if want == 0 {
				if _, err := os.Stat(files[0]); !os.IsNotExist(err) {
					t.Errorf("what holds no picture is still there: %v", err)
				}
				return
			}
			list := again.segments(noon(), noon().Add(time.Hour))
			if len(list) != 1 || list[0].Bytes != want {
				t.Fatalf("%+v, want %d bytes", list, want)
			}
			again.whole(list[0])
		})
	}
}

func TestADiskThatFailsStopsNoOtherCamera(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder, record.Options{})
	// A file where the folder of the other camera should be.
	if err := os.WriteFile(folder+"/video/yard-2", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	other, err := s.Store.Recorder(t.Context(), record.Plan{Source: record.Source{Camera: "yard-2", Stream: "main"}, Mode: record.Always})
	if err != nil {
		t.Fatal(err)
	}
	s.film(recordtest.Plain, noon(), record.Always, "")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- other.Run(ctx, s.hub) }()
	for s.hub.Readers() < 2 {
		time.Sleep(time.Millisecond)
	}
	both := func(d time.Duration) {
		for range int(d / time.Second) {
			s.play(time.Second)
			until(t, func() bool { return other.Status().Units == s.rec.Status().Units })
		}
	}
	both(time.Minute)
	if st := other.Status(); st.Bytes != 0 || st.Problem != record.ReasonDisk {
		t.Errorf("the other: %+v", st)
	}
	if r := s.recordings(noon(), noon().Add(time.Hour)); len(r.Spans) != 1 || r.Spans[0].To.Sub(noon()) < 58*time.Second {
		t.Errorf("%+v", r)
	}
	// It goes on by itself once the disk does.
	if err := os.Remove(folder + "/video/yard-2"); err != nil {
		t.Fatal(err)
	}
	both(40 * time.Second)
	if st := other.Status(); st.Problem != "" || st.Bytes == 0 {
		t.Errorf("the other: %+v", st)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestFilesOfOthersAreLeftAlone(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder, record.Options{})
	s.film(recordtest.Plain, noon(), record.Always, "")
	s.play(5 * time.Second)
	s.stop()
	s.run()
	files, _ := filepath.Glob(folder + "/video/yard-1/main/*/*/*.mp4")
	raw, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	foreign := strings.Replace(files[0], "yard-1", "yard-9", 1)
	for path, content := range map[string][]byte{
		foreign:                                   raw,
		folder + "/video/notes.txt":               []byte("x"),
		folder + "/video/yard-1/main/readme":      []byte("x"),
		folder + "/video/yard-1/main/xx/yy/z.mp4": raw,
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"index.db", "index.db-wal", "index.db-shm"} {
		_ = os.Remove(folder + "/video/" + name) // not all are there
	}
	again := open(t, folder, record.Options{})
	if list := again.segments(noon(), noon().Add(time.Hour)); len(list) != 1 {
		t.Errorf("%d segments", len(list))
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Error(err)
	}
	if i := slices.IndexFunc(again.Store.Sources(), func(src record.Source) bool { return src.Camera == "yard-9" }); i >= 0 {
		if list, err := again.Store.Segments(t.Context(), again.Store.Sources()[i], noon(), noon().Add(time.Hour), 0); err != nil || len(list) > 0 {
			t.Errorf("%v %v", list, err)
		}
	}
}

// A power cut may take rows of the index that were written last; files that were
// synced stay.
func TestGapsThatTheIndexHasLostAreFoundAgain(t *testing.T) {
	folder := t.TempDir()
	index := folder + "/video/index.db"
	life := func(at time.Time) {
		s := open(t, folder, record.Options{})
		s.now.Store(at.UnixNano())
		s.film(recordtest.Plain, at, record.Always, "")
		s.play(20 * time.Second)
		s.stop()
		s.run()
	}
	life(noon())
	old, err := os.ReadFile(index)
	if err != nil {
		t.Fatal(err)
	}
	life(noon().Add(time.Minute))
	life(noon().Add(2 * time.Minute))
	s := open(t, folder, record.Options{})
	want := s.recordings(noon(), noon().Add(time.Hour))
	s.run()
	if len(want.Spans) != 3 || len(want.Gaps) != 2 {
		t.Fatalf("%+v", want)
	}
	for _, tail := range []string{"-wal", "-shm"} {
		_ = os.Remove(index + tail) // not all are there
	}
	if err := os.WriteFile(index, old, 0o600); err != nil {
		t.Fatal(err)
	}
	got := open(t, folder, record.Options{}).recordings(noon(), noon().Add(time.Hour))
	if !slices.Equal(got.Spans, want.Spans) {
		t.Errorf("spans %+v, were %+v", got.Spans, want.Spans)
	}
	if len(got.Gaps) != 2 {
		t.Fatalf("gaps %+v, were %+v", got.Gaps, want.Gaps)
	}
	for i, g := range got.Gaps {
		if was := want.Gaps[i]; !g.From.Equal(was.From) || !g.To.Equal(was.To) || g.Reason != record.ReasonStopped {
			t.Errorf("gap %+v, was %+v", g, was)
		}
	}
}

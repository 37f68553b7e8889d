package record_test

import (
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/camera/record/recordtest"
)

// alone runs a test once more in a process of its own and says whether this is it.
// A quota holds for each file of the process, and go test keeps a log in one.
func alone(t *testing.T) bool {
	t.Helper()
	const marked = "CHARGEWATCH_TEST_ALONE"
	if os.Getenv(marked) == t.Name() {
		return true
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	child.Env = append(os.Environ(), marked+"="+t.Name())
	said, err := child.CombinedOutput()
	if err != nil || !strings.Contains(string(said), "--- PASS: "+t.Name()) {
		t.Errorf("in a process of its own: %v\n%s", err, said)
	}
	return false
}

// quota lets no file of this process grow beyond a size, as a file system without
// room does: a write goes in up to there and fails.
func quota(t *testing.T, bytes uint64) (lift func()) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: was.Max}); err != nil {
		t.Fatal(err)
	}
	lift = func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: was.Max, Max: was.Max}); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(lift)
	return lift
}

func TestADiskWithoutRoomTakesNoHalfPartAndRecordingGoesOnWithRoom(t *testing.T) {
	if !alone(t) {
		return
	}
	s := open(t, t.TempDir(), record.Options{})
	s.film(recordtest.Plain, noon(), record.Always, "")
	s.play(10 * time.Second)
	quota(t, s.rec.Status().Bytes+3000) // in the middle of a part
	s.play(2 * time.Second)
	lift := quota(t, 500) // not even the beginning of a file
	s.play(30 * time.Second)
	if st := s.rec.Status(); st.Problem != record.ReasonDisk {
		t.Errorf("without room: %+v", st)
	}
	lift()
	s.play(40 * time.Second)
	if st := s.rec.Status(); st.Problem != "" {
		t.Errorf("with room again: %+v", st)
	}
	s.cutOff()
	for _, g := range s.segments(noon(), noon().Add(time.Hour)) {
		s.whole(g)
	}
	s.chained()
	r := s.recordings(noon(), noon().Add(time.Hour))
	if len(r.Gaps) == 0 || r.Gaps[0].Reason != record.ReasonDisk || r.Gaps[0].To.IsZero() || r.Gaps[0].From.Sub(noon()) < 8*time.Second {
		t.Errorf("gaps %+v", r.Gaps)
	}
	if last := r.Spans[len(r.Spans)-1].To.Sub(noon()); last < 75*time.Second {
		t.Errorf("pictures up to %v", last)
	}
}

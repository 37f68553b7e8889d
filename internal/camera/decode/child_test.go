package decode

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// noisy are key pictures of 720p as sensors with much noise make them: each is
// larger than a pipe.
func noisy(t testing.TB, n int) [][][]byte {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ffmpeg", "-hide_banner", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=s=1280x720:r=15,noise=alls=12:allf=t",
		"-frames:v", strconv.Itoa(n), "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast", "-g", "1", "-crf", "27", "-threads", "1",
		"-x264-params", "slices=1", "-f", "h264", "-").Output()
	if err != nil {
		t.Fatal("draw: ", err)
	}
	var list, sets [][]byte
	var pictures [][][]byte
	for nalu := range bytes.SplitSeq(out, []byte{0, 0, 1}) {
		nalu = bytes.TrimRight(nalu, "\x00")
		if len(nalu) == 0 {
			continue
		}
		switch nalu[0] & 0x1f {
		case 7:
			sets = [][]byte{nalu}
		case 8:
			sets = append(sets, nalu)
		case 5:
			list = append(append(list[:0:0], sets...), nalu)
			pictures = append(pictures, list)
			if len(nalu) < 64<<10 {
				t.Fatalf("a picture of %d bytes fits into a pipe", len(nalu))
			}
		}
	}
	if len(pictures) != n {
		t.Fatalf("%d pictures", len(pictures))
	}
	return pictures
}

func born(t testing.TB) *child {
	t.Helper()
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Fatal(err)
	}
	d, err := start(t.Context(), path, false, class{codec: "h264", width: GrayWidth, height: GrayHeight})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.end)
	return d
}

func TestWhatIsInsideAChildIsKnownByItsTickets(t *testing.T) {
	d := born(t)
	for i, nalus := range noisy(t, 12) {
		if _, err := d.picture(t.Context(), nalus); err != nil {
			t.Fatal(i, ": ", err)
		}
		mine := d.ticket / ticketStep * ticketStep
		for _, ticket := range d.inside {
			if ticket%ticketStep != ticketNeutral || ticket+mostNeutral*ticketStep < mine {
				t.Errorf("behind picture %d ticket %d is still inside, of %v", i, ticket, d.inside)
			}
		}
		if len(d.inside) == 0 || len(d.inside) > 2*mostNeutral || d.push < 1 || d.push > mostNeutral {
			t.Errorf("behind picture %d are %v, %d are pushed", i, d.inside, d.push)
		}
	}
}

func TestALargePictureDoesNotWaitForThoseBeforeToBeTaken(t *testing.T) {
	d := born(t)
	for i, nalus := range noisy(t, 6) {
		d.push = mostNeutral
		for range mostNeutral { // all are on their way back when the next is written
			if err := d.neutral(); err != nil {
				t.Fatal(err)
			}
		}
		if picture, err := d.picture(t.Context(), nalus); err != nil || len(picture) != GrayWidth*GrayHeight {
			t.Fatal(i, ": ", len(picture), err)
		}
	}
}

// used is the processor time of a process, in hundredths of a second.
func used(t testing.TB, pid int) (sum time.Duration) {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), ") ")
	for _, x := range strings.Fields(rest)[11:13] {
		n, err := strconv.Atoi(x)
		if err != nil {
			t.Fatal(err)
		}
		sum += time.Duration(n) * 10 * time.Millisecond
	}
	return sum
}

// BenchmarkGray is what a noisy key picture of 720p costs the decoder.
func BenchmarkGray(b *testing.B) {
	list, d := noisy(b, 10), born(b)
	before, i := used(b, d.cmd.Process.Pid), 0
	for b.Loop() {
		if _, err := d.picture(b.Context(), list[i%len(list)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
	b.ReportMetric(float64(used(b, d.cmd.Process.Pid)-before)/float64(i)/1e6, "decoder-ms/op")
	b.ReportMetric(float64(d.push), "pushes")
}

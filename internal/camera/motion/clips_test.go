package motion

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/decode"
)

// keyPictures decodes the key pictures of a byte stream of H.264.
func keyPictures(t testing.TB, data []byte) [][]byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ffmpeg", "-hide_banner", "-loglevel", "error", "-threads", "1", "-skip_frame", "nokey", "-f", "h264", "-i", "-",
		"-vf", fmt.Sprintf("scale=%d:%d:flags=area,format=gray", decode.GrayWidth, decode.GrayHeight), "-fps_mode", "passthrough", "-f", "rawvideo", "-")
	cmd.Stdin = bytes.NewReader(data)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("decode: %v\n%s", err, said.String())
	}
	var list [][]byte
	for b := out.Bytes(); len(b) >= decode.GrayWidth*decode.GrayHeight; b = b[decode.GrayWidth*decode.GrayHeight:] {
		list = append(list, b[:decode.GrayWidth*decode.GrayHeight])
	}
	if len(list) == 0 {
		t.Fatalf("no pictures in %d bytes\n%s", len(data), said.String())
	}
	return list
}

// told is a change in seconds from the start.
func told(c Change, from time.Time) string {
	end := "begins"
	if c.Ended {
		end = "ends"
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %.0f %s", c.What, end, c.Since.Sub(from).Seconds(), c.Zone))
}

func reference(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/reference.h264")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

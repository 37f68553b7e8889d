package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A painted clip carries its own identity: the upper fifth of each picture is two
// rows of sixteen cells, black or white, that say whose picture it is and which
// one. What a browser shows can so be traced to the moment the camera took it,
// and a picture of the past, or of another camera, is found for what it is.
const (
	clocksApart = 500 * time.Millisecond
	cellColumns = 16
	cellRows    = 2
	cellHeight  = 9 // a cell is a ninth of the picture's height
	paintedRate = 15
)

// paint is what a clip is like.
type paint struct {
	camera        byte
	width, height int
	kbit          int // per second
	seconds       int
}

// word is what the cells say of the n-th picture: the camera, the number and a
// sum of both, so that a smeared picture is not taken for another one.
func word(camera byte, n int) uint32 {
	return uint32(camera)<<24 | uint32(n&0xffff)<<8 | uint32(sumOf(camera, n))
}

func sumOf(camera byte, n int) byte {
	return byte(int(camera)*31+(n&0xff)*7+(n>>8&0xff)*13) ^ 0xa5
}

// clip draws and encodes it: H.264 in Annex B form, a key picture every two
// seconds.
func (p paint) clip(ctx context.Context) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "yuv420p",
		"-s", fmt.Sprintf("%dx%d", p.width, p.height), "-r", strconv.Itoa(paintedRate), "-i", "-",
		"-c:v", "libx264", "-preset", "superfast", "-profile:v", "baseline", "-bf", "0", "-refs", "1", "-threads", "2",
		"-g", strconv.Itoa(2*paintedRate), "-keyint_min", strconv.Itoa(2*paintedRate),
		"-x264-params", "scenecut=0:slices=1:sliced-threads=0:open-gop=0:rc-lookahead=10",
		"-b:v", fmt.Sprint(p.kbit, "k"), "-maxrate", fmt.Sprint(p.kbit, "k"), "-bufsize", fmt.Sprint(p.kbit, "k"),
		"-f", "h264", "-")
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start ffmpeg: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start ffmpeg: %w", err)
	}
	drawn := p.draw(in)
	in.Close()
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("encode a painted clip: %w: %.500s", err, said.String())
	}
	return out.Bytes(), drawn
}

// draw writes the pictures: grain that moves, so that the encoder has as much to
// say as it would outdoors, and the cells above it.
func (p paint) draw(w io.Writer) error {
	chance := rand.New(rand.NewPCG(uint64(p.camera), 720))
	luma := p.width * p.height
	grain := make([]byte, 2*luma)
	for i := range grain {
		grain[i] = byte(110 + chance.IntN(24))
	}
	picture := bytes.Repeat([]byte{128}, luma*3/2)
	for n := range p.seconds * paintedRate {
		copy(picture[:luma], grain[n*977%luma:])
		p.slide(picture, n)
		p.cells(picture, word(p.camera, n))
		if _, err := w.Write(picture); err != nil {
			return fmt.Errorf("hand a picture to the encoder: %w", err)
		}
	}
	return nil
}

// slide puts a bright box into the picture that moves on in each.
func (p paint) slide(picture []byte, n int) {
	side := p.height / 5
	left := n * 7 % (p.width - side)
	for y := p.height / 2; y < p.height/2+side; y++ {
		row := picture[y*p.width+left:]
		for x := range side {
			row[x] = 200
		}
	}
}

func (p paint) cells(picture []byte, bits uint32) {
	high, wide := p.height/cellHeight, p.width/cellColumns
	for y := range cellRows * high {
		row := picture[y*p.width : (y+1)*p.width]
		for x := range row {
			cell := y/high*cellColumns + min(x/wide, cellColumns-1)
			row[x] = 16
			if bits>>(31-cell)&1 == 1 {
				row[x] = 235
			}
		}
	}
}

// shutter knows when each picture of a painted clip was last taken.
type shutter struct {
	mu  sync.Mutex
	due []time.Time
}

func newShutter(p paint) *shutter { return &shutter{due: make([]time.Time, p.seconds*paintedRate)} }

func (s *shutter) note(n int, due time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n < len(s.due) {
		s.due[n] = due
	}
}

// taken is when a picture that is on a screen at a time was taken.
func (s *shutter) taken(n int, at time.Time) (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n < 0 || n >= len(s.due) || s.due[n].IsZero() {
		return time.Time{}, false
	}
	due := s.due[n]
	// What was taken again since then is meant by its earlier showing. The two clocks
	// may be a little apart.
	for due.After(at.Add(clocksApart)) {
		due = due.Add(-time.Duration(len(s.due)) * time.Second / paintedRate)
	}
	return due, true
}

// paintAll encodes clips side by side, two at a time.
func paintAll(ctx context.Context, list []paint) ([][]byte, error) {
	out, failed := make([][]byte, len(list)), make([]error, len(list))
	var wg sync.WaitGroup
	turn := make(chan struct{}, 2)
	for i, p := range list {
		turn <- struct{}{}
		wg.Go(func() {
			defer func() { <-turn }()
			out[i], failed[i] = p.clip(ctx)
		})
	}
	wg.Wait()
	for _, err := range failed {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// probe asks ffprobe what a file holds.
func probe(ctx context.Context, file string) (codec string, seconds float64, err error) {
	out, err := exec.CommandContext(ctx, "ffprobe", "-v", "error", "-select_streams", "v:0",
		"-show_entries", "stream=codec_name:format=duration", "-of", "default=noprint_wrappers=1", file).CombinedOutput()
	if err != nil {
		return "", 0, fmt.Errorf("ffprobe: %w: %.300s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		switch key, value, _ := strings.Cut(strings.TrimSpace(line), "="); key {
		case "codec_name":
			codec = value
		case "duration":
			if seconds, err = strconv.ParseFloat(value, 64); err != nil {
				return codec, 0, fmt.Errorf("ffprobe: %w", err)
			}
		}
	}
	return codec, seconds, nil
}

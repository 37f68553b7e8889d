package evidence

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/area"
	"github.com/chargewatch/chargewatch/internal/camera/segment"
)

// LongestPainted bounds the pictures of a pack whose pictures are painted over: each
// is decoded and encoded again.
const LongestPainted = 6 * time.Hour

// Errors that callers tell apart.
var (
	ErrNoPainter = errors.New("ffmpeg is not installed: nothing can be painted over")
	// ErrMask: it could not be proved that all is hidden that is to be, so there is
	// no picture.
	ErrMask        = errors.New("the pictures cannot be painted over reliably")
	ErrLongPainted = errors.New("at most 6 hours of pictures are painted over")
)

// Files beside a pack while it is made.
const (
	clipWork  = "clip.mp4.new"
	maskWork  = "mask.png.new"
	paintWork = "painted.mp4.new"
)

// paintGrey is what hidden parts look like, as in single pictures.
const paintGrey = 96

const maxPaintPixels = 7680 * 4320

// redact writes a pack with the pictures of another, of which parts are painted
// over. The other one stays as it is; the new one names it.
func (a *Archive) redact(ctx context.Context, w io.Writer, r Request, progress func(done, total int64)) (*Manifest, segment.Sum, error) {
	none := segment.Sum{}
	from, ok := a.Job(r.Of)
	if !ok || from.State != Done {
		return nil, none, ErrUnknown
	}
	f, err := a.Open(r.Of)
	if err != nil {
		return nil, none, err
	}
	defer f.Close()
	old, err := original(f, from)
	if err != nil {
		return nil, none, err
	}
	m := a.maker.manifest(r)
	m.Original, m.Clock = &Original{from.Request.ID, from.Sum, from.Manifest}, old.m.Clock
	p := &writing{e: a.maker, z: zip.NewWriter(w), progress: progress}
	length := time.Duration(0)
	for _, want := range r.Cameras {
		for _, c := range old.clips(want) {
			p.total += 2 * c.Bytes
			length += c.To.Sub(c.From)
		}
	}
	switch {
	case p.total == 0:
		return nil, none, ErrNothing
	case length > LongestPainted:
		return nil, none, ErrLongPainted
	}
	if err := a.maker.room(2 * p.total); err != nil {
		return nil, none, err
	}
	defer func() {
		for _, x := range []string{clipWork, maskWork, paintWork} {
			_ = a.dir.Remove(path.Join(r.ID, x)) // it may never have been made
		}
	}()
	for _, want := range r.Cameras {
		s, err := a.redactStream(ctx, p, old, want, r.ID)
		if err != nil {
			return nil, none, fmt.Errorf("pictures of %s: %w", want.Camera, err)
		}
		m.Streams = append(m.Streams, *s)
	}
	sum, err := p.finish(m, r.Language)
	return m, sum, err
}

// source is a pack that another is made of.
type source struct {
	a *archive
	m *Manifest
}

func original(f *os.File, j Job) (*source, error) {
	a, err := openArchive(f, j.Bytes)
	if err != nil {
		return nil, err
	}
	text, err := read(a, manifestName, maxManifest)
	if err != nil {
		return nil, fmt.Errorf("read the manifest of the original: %w", err)
	}
	if sha256.Sum256(text) != j.Manifest {
		return nil, fmt.Errorf("the original was changed: %w", ErrManifest)
	}
	m, err := ParseManifest(text)
	return &source{a, m}, err
}

func (o *source) clips(want Wanted) []Clip {
	for _, s := range o.m.Streams {
		if s.Camera == want.Camera && s.Stream == want.Stream {
			return s.Clips
		}
	}
	return nil
}

// redactStream paints over the clips of one camera.
func (a *Archive) redactStream(ctx context.Context, p *writing, old *source, want Wanted, id string) (*Stream, error) {
	s := newStream(want)
	s.Hidden = want.Hide
	for _, x := range old.m.Streams {
		if x.Camera == want.Camera && x.Stream == want.Stream {
			s.Ranges, s.Gaps, s.CameraClock = x.Ranges, x.Gaps, x.CameraClock
		}
	}
	for _, c := range old.clips(want) {
		began := p.done
		if err := a.paint(ctx, p, old, c, want.Hide, id); err != nil {
			return nil, err
		}
		p.done = began + c.Bytes
		f, err := a.dir.Open(path.Join(id, paintWork))
		if err != nil {
			return nil, fmt.Errorf("open what was painted: %w", err)
		}
		out := Clip{File: clipFile(s.Camera, s.Stream, len(s.Clips)), From: c.From, To: c.To, Original: &c.Sum}
		out.Sum, out.Bytes, err = p.copy(ctx, out.File, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		p.done = began + 2*c.Bytes
		s.Clips = append(s.Clips, out)
	}
	return s, nil
}

// paint makes a clip in which parts are painted over, and looks at each picture of
// it whether they are.
func (a *Archive) paint(ctx context.Context, p *writing, old *source, c Clip, hide []area.Polygon, id string) error {
	width, height, err := a.extract(old, c, id)
	if err != nil {
		return err
	}
	if err := a.mask(hide, width, height, id); err != nil {
		return err
	}
	folder := filepath.Join(a.dir.Name(), id)
	length, began := c.To.Sub(c.From), p.done
	note := func(line string) {
		us, err := strconv.ParseInt(strings.TrimPrefix(line, "out_time_us="), 10, 64)
		if err == nil && length > 0 && p.progress != nil {
			p.progress(began+int64(float64(c.Bytes)*min(1, float64(us)/float64(length.Microseconds()))), p.total)
		}
	}
	size := strconv.Itoa(width) + ":" + strconv.Itoa(height)
	for _, codec := range [][]string{{"libx264", "-preset", "veryfast", "-crf", "21"}, {"mpeg4", "-q:v", "3"}} {
		args := append([]string{
			"-nostdin", "-hide_banner", "-loglevel", "error", "-protocol_whitelist", "file,pipe", "-max_pixels", strconv.Itoa(maxPaintPixels), "-threads", "1",
			"-i", "file:" + clipWork, "-loop", "1", "-framerate", "1", "-f", "png_pipe", "-i", "file:" + maskWork,
			"-filter_complex", "[0:v:0]scale=" + size + ":flags=bilinear,setsar=1,setpts=PTS-STARTPTS[v];[1:v]setpts=PTS-STARTPTS[m];[v][m]overlay=0:0:shortest=1[o]",
			"-map", "[o]", "-an", "-sn", "-dn", "-map_metadata", "-1", "-metadata", "comment=derived: parts hidden; SHA-256 of the original " + c.Sum.String(),
			"-pix_fmt", "yuv420p", "-vsync", "passthrough", "-threads", "1", "-c:v",
		}, codec...)
		args = append(args, "-movflags", "+faststart", "-progress", "pipe:1", "-f", "mp4", "-y", "file:"+paintWork)
		err = a.run(ctx, folder, args, func(out io.Reader) error {
			in := bufio.NewScanner(out)
			for in.Scan() {
				note(in.Text())
			}
			return in.Err()
		})
		if err == nil || !strings.Contains(err.Error(), "Unknown encoder") {
			break
		}
	}
	if err != nil {
		return errors.Join(ErrMask, err)
	}
	return a.proved(ctx, folder, hide)
}

// extract takes a clip out of the original, as it was signed, and says how large its
// pictures are.
func (a *Archive) extract(old *source, c Clip, id string) (width, height int, err error) {
	in, err := old.a.open(c.File)
	if err != nil {
		return 0, 0, fmt.Errorf("open a clip of the original: %w", err)
	}
	defer in.Close()
	f, err := a.dir.OpenFile(path.Join(id, clipWork), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, 0, fmt.Errorf("write a clip: %w", err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(f, sum), in); err != nil {
		return 0, 0, fmt.Errorf("write a clip: %w", err)
	}
	if sumOf(sum) != c.Sum {
		return 0, 0, fmt.Errorf("%s of the original was changed: %w", c.File, ErrManifest)
	}
	return pictureSize(f)
}

const maxMovie = 64 << 20

// pictureSize reads how large the pictures of a clip are. Pictures of several sizes
// are refused: an area of one is another place in the next.
func pictureSize(r io.ReaderAt) (width, height int, err error) {
	head := make([]byte, 8)
	size := int64(0)
	for _, kind := range []string{"ftyp", "moov"} {
		if err := readAt(r, head, size); err != nil {
			return 0, 0, err
		}
		n := int64(binary.BigEndian.Uint32(head))
		if string(head[4:]) != kind || n < 8 || size+n > maxMovie {
			return 0, 0, fmt.Errorf("the clip has no %s: %w", kind, ErrMask)
		}
		size += n
	}
	b := make([]byte, size)
	if err := readAt(r, b, 0); err != nil {
		return 0, 0, err
	}
	stsd, err := segment.Description(b)
	if err != nil || len(stsd) < 16 {
		return 0, 0, fmt.Errorf("the clip does not say what is in it: %w", ErrMask)
	}
	count := binary.BigEndian.Uint32(stsd[12:])
	stsd = stsd[16:]
	for range count {
		if len(stsd) < 36 {
			return 0, 0, fmt.Errorf("the clip does not say what is in it: %w", ErrMask)
		}
		w, h := int(binary.BigEndian.Uint16(stsd[32:])), int(binary.BigEndian.Uint16(stsd[34:]))
		if w == 0 || h == 0 || width != 0 && (w != width || h != height) {
			return 0, 0, fmt.Errorf("the size of the pictures changes: %w", ErrMask)
		}
		width, height = w, h
		stsd = stsd[min(max(8, int(binary.BigEndian.Uint32(stsd))), len(stsd)):]
	}
	if count == 0 {
		return 0, 0, fmt.Errorf("the clip is empty: %w", ErrMask)
	}
	return width &^ 1, height &^ 1, nil
}

// mask draws what is laid over the pictures. Whatever an area touches of a pixel of
// colour belongs to it.
func (a *Archive) mask(hide []area.Polygon, width, height int, id string) error {
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	columns, rows := width/2, height/2
	grey := color.NRGBA{paintGrey, paintGrey, paintGrey, 255}
	for _, p := range hide {
		for row := range rows {
			for _, s := range p.Cover(row, columns, rows) {
				for x := 2 * s[0]; x < 2*s[1]; x++ {
					m.SetNRGBA(x, 2*row, grey)
					m.SetNRGBA(x, 2*row+1, grey)
				}
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		return fmt.Errorf("draw a mask: %w", err)
	}
	if err := a.dir.WriteFile(path.Join(id, maskWork), b.Bytes(), 0o600); err != nil {
		return fmt.Errorf("draw a mask: %w", err)
	}
	return nil
}

// Pictures are looked at in this size.
const (
	proofWidth  = 320
	proofHeight = 180
	// proofOff is how far a hidden place may be from the grey it was painted with:
	// the edges of encoding.
	proofOff = 24
)

// proved decodes what was painted and looks at each picture of it.
func (a *Archive) proved(ctx context.Context, folder string, hide []area.Polygon) error {
	cells := inner(hide, proofWidth, proofHeight)
	args := []string{
		"-nostdin", "-hide_banner", "-loglevel", "error", "-protocol_whitelist", "file,pipe", "-threads", "1", "-i", "file:" + paintWork, "-map", "0:v:0",
		"-vf", fmt.Sprintf("scale=%d:%d:flags=area:out_range=pc,format=gray", proofWidth, proofHeight), "-vsync", "passthrough", "-f", "rawvideo", "pipe:1",
	}
	pictures := 0
	err := a.run(ctx, folder, args, func(out io.Reader) error {
		b := make([]byte, proofWidth*proofHeight)
		for {
			if _, err := io.ReadFull(out, b); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return fmt.Errorf("look at what was painted: %w", err)
			}
			for _, c := range cells {
				if off := int(b[c]) - paintGrey; off < -proofOff || off > proofOff {
					return fmt.Errorf("picture %d shows what is to be hidden: %w", pictures, ErrMask)
				}
			}
			pictures++
		}
	})
	if err == nil && pictures == 0 {
		err = fmt.Errorf("no picture came out: %w", ErrMask)
	}
	if err != nil {
		return errors.Join(ErrMask, err)
	}
	return nil
}

// inner are the cells of a grid that lie well inside of areas.
func inner(hide []area.Polygon, columns, rows int) []int {
	in := make([]bool, columns*rows)
	for _, p := range hide {
		for _, c := range p.Within(nil, columns, rows) {
			in[c] = true
		}
	}
	var out []int
	for c := range in {
		x, y := c%columns, c/columns
		if x < 2 || y < 2 || x >= columns-2 || y >= rows-2 {
			continue
		}
		whole := true
		for dy := -2; dy <= 2; dy++ {
			whole = whole && !slices.Contains(in[c+dy*columns-2:c+dy*columns+3], false)
		}
		if whole {
			out = append(out, c)
		}
	}
	return out
}

// run runs ffmpeg in the folder of a pack, with less right to the machine than what
// records.
func (a *Archive) run(ctx context.Context, folder string, args []string, read func(io.Reader) error) error {
	own, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(own, a.maker.FFmpeg, args...) //nolint:gosec // The path is the operator's, the names are ours.
	cmd.Dir, cmd.Env = folder, []string{"LC_ALL=C", "AV_LOG_FORCE_NOCOLOR=1"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	said := &limited{most: 4 << 10}
	cmd.Stderr = said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("start ffmpeg: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start ffmpeg: %w", err)
	}
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, cmd.Process.Pid, 10) // pictures may wait, what records may not
	err = read(out)
	if err != nil {
		cancel()
	}
	if failed := cmd.Wait(); failed != nil && err == nil {
		err = fmt.Errorf("ffmpeg: %w: %s", failed, strings.TrimSpace(said.String()))
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// limited keeps the beginning of what is written.
type limited struct {
	bytes.Buffer
	most int
}

func (l *limited) Write(b []byte) (int, error) {
	l.Buffer.Write(b[:min(len(b), l.most-l.Len())])
	return len(b), nil
}

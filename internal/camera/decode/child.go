package decode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// class is what a child is for; it makes all its pictures alike.
type class struct {
	codec         stream.Codec
	colour        bool
	width, height int
	// watched is colour for whoever looks for motion: its light is that of a grey one.
	watched bool
	// all is for a whole stream in order, not for key pictures of many cameras.
	all bool
}

func (c class) bytes() int {
	if c.colour {
		return c.width*c.height + 2*((c.width+1)/2)*((c.height+1)/2)
	}
	return c.width * c.height
}

// Tickets of cameras' pictures are multiples of ticketStep; those of neutral
// pictures lie between. Whoever changes a time by one makes a ticket of nobody.
const (
	ticketStep    = 16
	ticketNeutral = 8
)

const (
	startWithin = 15 * time.Second
	nudgeAfter  = 60 * time.Millisecond
	mostNeutral = 20 // H.264 may hold back 16 pictures
	// A busy machine lets pictures look as if they needed more behind them. After some
	// that did not, it is tried with less.
	dareFirst     = 8
	dareMost      = 1024
	maxPixels     = 4096 * 4096
	childNiceness = 5
)

var errFault = errors.New("the decoder gave up")

// child is one ffmpeg at work. One goroutine owns it.
type child struct {
	class class
	cmd   *exec.Cmd
	in    *os.File
	// frames has room for all that may be inside the child: while one picture is
	// written, it never waits for somebody to take another.
	frames chan frame
	quit   chan struct{}
	exited chan struct{} // closed when the process is gone and reaped
	last   tail
	why    error // why frames ended; read after frames is closed

	ticket uint64   // the last one given out
	inside []uint64 // tickets that were given out and did not come back yet
	push   int      // how many neutral pictures a picture needs behind it
	buf    []byte
	used   time.Time
}

type frame struct {
	ticket  uint64
	picture []byte // nil for a neutral one
}

// start starts a child and waits until it has made a picture.
func start(ctx context.Context, path string, legacy bool, c class) (*child, error) {
	in, stdin, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("open a pipe to the decoder: %w", err)
	}
	stdout, out, err := os.Pipe()
	if err != nil {
		_, _ = in.Close(), stdin.Close()
		return nil, fmt.Errorf("open a pipe from the decoder: %w", err)
	}
	roomy(stdin)
	roomy(stdout)
	d := &child{
		class: c, in: stdin, frames: make(chan frame, maxBehind+2*mostNeutral), quit: make(chan struct{}), exited: make(chan struct{}),
		push: 1, used: time.Now(),
	}
	d.cmd = exec.Command(path, arguments(c, legacy)...) //nolint:gosec,noctx // The path is the operator's; end kills the group.
	d.cmd.Stdin, d.cmd.Stdout, d.cmd.Stderr = in, out, &d.last
	d.cmd.Env = []string{
		"LC_ALL=C", "AV_LOG_FORCE_NOCOLOR=1",
		// Each change of size frees the pictures of the other. Memory that goes back to
		// the system comes back in pages of zeroes, which costs a tenth of a picture.
		"MALLOC_MMAP_THRESHOLD_=33554432", "MALLOC_TRIM_THRESHOLD_=67108864",
	}
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	d.cmd.WaitDelay = time.Second
	err = d.cmd.Start()
	_, _ = in.Close(), out.Close()
	if err != nil {
		_, _ = stdin.Close(), stdout.Close()
		return nil, fmt.Errorf("start the decoder: %w", err)
	}
	// Pictures may wait, commits and people may not.
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, d.cmd.Process.Pid, childNiceness)
	go d.read(stdout)
	go func() {
		defer close(d.exited)
		_ = d.cmd.Wait()
	}()
	if err := d.greet(ctx); err != nil {
		d.end()
		return nil, err
	}
	return d, nil
}

func arguments(c class, legacy bool) []string {
	passthrough := []string{"-fps_mode", "passthrough"}
	if legacy { // before 5.1
		passthrough = []string{"-vsync", "passthrough"}
	}
	size := strconv.Itoa(c.width) + ":" + strconv.Itoa(c.height)
	filter := "scale=" + size + ":flags=area,format=gray"
	switch {
	case c.watched:
		filter = "scale=" + size + ":flags=area:out_range=pc,format=yuvj420p"
	case c.colour:
		filter = "scale=" + size + ":flags=bilinear:out_range=pc,format=yuvj420p"
	}
	var input []string
	if !c.shown() && !c.all {
		// What smooths the borders of blocks is lost in a picture this small.
		input = []string{"-skip_loop_filter", "all"}
	}
	a := []string{
		"-nostdin", "-hide_banner", "-loglevel", "error",
		"-xerror", // a picture with a fault in it ends the child before it is written
		"-protocol_whitelist", "pipe", "-threads", "1", "-max_pixels", strconv.Itoa(maxPixels),
		"-probesize", "32", "-analyzeduration", "0", "-fflags", "nobuffer", "-copyts",
	}
	a = append(a, input...)
	a = append(a, "-f", "matroska", "-i", "pipe:0", "-map", "0:v:0", "-filter_threads", "1", "-vf", filter)
	a = append(a, passthrough...)
	return append(a, "-enc_time_base", "-1", "-c:v", "rawvideo", "-f", "nut", "-flush_packets", "1", "pipe:1")
}

// greet brings the child to its first picture. Until then it may still be finding
// out what it reads, and pictures may get lost.
func (d *child) greet(ctx context.Context) error {
	timeout := time.NewTimer(startWithin)
	defer timeout.Stop()
	if err := d.write(matroskaHead(d.class.codec)); err != nil {
		return err
	}
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		if len(d.inside) < mostNeutral {
			if err := d.neutral(); err != nil {
				return err
			}
		}
		select {
		case f, ok := <-d.frames:
			if !ok {
				return d.fault(d.why)
			}
			d.back(f)
			return nil
		case <-again.C:
		case <-timeout.C:
			return d.fault(errors.New("it made no picture"))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// picture decodes one key picture.
func (d *child) picture(ctx context.Context, nalus [][]byte) ([]byte, error) {
	d.used = time.Now()
	// What was not needed to push the last one out is left out from now on.
	d.drain()
	d.push = max(1, min(d.push, len(d.inside)))

	d.ticket = d.ticket/ticketStep*ticketStep + ticketStep
	want := d.ticket
	d.inside = append(d.inside, want)
	d.buf = matroskaPicture(d.buf[:0], want, nalus)
	for range d.push {
		d.buf = d.appendNeutral(d.buf)
	}
	if err := d.write(d.buf); err != nil {
		return nil, err
	}
	pushed := d.push
	nudge := time.NewTicker(nudgeAfter)
	defer nudge.Stop()
	for {
		select {
		case f, ok := <-d.frames:
			if !ok {
				return nil, d.fault(d.why)
			}
			d.back(f)
			switch {
			case f.picture == nil:
			case f.ticket == want:
				return f.picture, nil
			case f.ticket > want:
				return nil, d.fault(errors.New("a picture came back under a ticket of nobody"))
			}
		case <-nudge.C:
			if pushed < mostNeutral && !busy(d.cmd.Process.Pid) {
				pushed++
				d.push = max(d.push, pushed)
				if err := d.neutral(); err != nil {
					return nil, err
				}
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// drain takes what came back since.
func (d *child) drain() {
	for {
		select {
		case f, ok := <-d.frames:
			if !ok {
				return
			}
			d.back(f)
		default:
			return
		}
	}
}

// back notes what came back. Pictures come in order: those before were left out.
func (d *child) back(f frame) {
	n := 0
	for n < len(d.inside) && d.inside[n] <= f.ticket {
		n++
	}
	d.inside = append(d.inside[:0], d.inside[n:]...)
}

func (d *child) appendNeutral(b []byte) []byte {
	d.ticket = d.ticket/ticketStep*ticketStep + ticketStep + ticketNeutral
	d.inside = append(d.inside, d.ticket)
	return matroskaPicture(b, d.ticket, neutral(d.class.codec))
}

func (d *child) neutral() error { return d.write(d.appendNeutral(nil)) }

func (d *child) write(b []byte) error {
	if err := d.in.SetWriteDeadline(time.Now().Add(pictureWithin)); err != nil {
		return d.fault(err)
	}
	if _, err := d.in.Write(b); err != nil {
		return d.fault(err)
	}
	return nil
}

// read hands on what the child writes, until it ends.
func (d *child) read(out *os.File) {
	defer out.Close()
	defer close(d.frames)
	size := d.class.bytes()
	r := newNutReader(out, size)
	if d.why = r.head(); d.why != nil {
		return
	}
	var buf []byte
	for {
		var ms int64
		if ms, buf, d.why = r.next(buf); d.why != nil {
			return
		}
		f := frame{ticket: uint64(ms)} //nolint:gosec // Checked below.
		switch {
		case ms < 0 || len(buf) != size:
			d.why = fmt.Errorf("%w: a picture of %d bytes", errNut, len(buf))
			return
		case f.ticket%ticketStep == ticketNeutral:
		case f.ticket%ticketStep == 0:
			f.picture, buf = buf, nil
		default:
			d.why = fmt.Errorf("%w: a picture came back under a ticket of nobody", errNut)
			return
		}
		select {
		case d.frames <- f:
		case <-d.quit:
			return
		}
	}
}

// fault says why the child is of no use any more, in its own words if it has some.
func (d *child) fault(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.EPIPE) {
		select { // its last words come before it is gone
		case <-d.exited:
		case <-time.After(time.Second):
		}
	}
	if said := d.last.String(); said != "" {
		return fmt.Errorf("%w: %s", errFault, said)
	}
	return fmt.Errorf("%w: %w", errFault, err)
}

// end ends the child and whatever it started, and waits until it is gone.
func (d *child) end() {
	close(d.quit)
	_ = d.in.Close()
	_ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
	<-d.exited
}

// tail keeps the last words of a child.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const maxLastWords = 1 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if over := len(t.b) - maxLastWords; over > 0 {
		t.b = append(t.b[:0], t.b[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.FieldsFunc(string(t.b), func(r rune) bool { return r == '\n' || r == '\r' })
	if len(lines) > 2 {
		lines = lines[len(lines)-2:]
	}
	for i, l := range lines {
		if strings.HasPrefix(l, "[") { // [h264 @ 0x55e5] names an address of memory
			if _, rest, ok := strings.Cut(l, "] "); ok {
				l = rest
			}
		}
		lines[i] = strings.ToValidUTF8(l, "?")
	}
	return strings.Join(lines, "; ")
}

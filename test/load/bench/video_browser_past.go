package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/camera/segment"
	"github.com/chargewatch/chargewatch/internal/camera/stream"
	simcam "github.com/chargewatch/chargewatch/internal/sim/camera"
)

// The past of the review mode: one minute of each camera is recorded by the
// product's own recorder and then stands for every minute of thirty days, as a
// hard link with a line of its own in the ledger of its day. The server makes its
// index of it when it starts, as it does after the loss of one.
const (
	pastDays    = 30
	pastCameras = 4
)

// pastLine is a line of a ledger (docs/formats/video.md).
type pastLine struct {
	File   string      `json:"file"`
	Start  time.Time   `json:"start"`
	End    time.Time   `json:"end"`
	Seq    uint64      `json:"seq"`
	Bytes  int64       `json:"bytes"`
	Flags  int         `json:"flags,omitempty"`
	Class  int         `json:"class,omitempty"`
	Run    time.Time   `json:"run"`
	Offset int64       `json:"offset"`
	Format uint64      `json:"format"`
	Keys   []byte      `json:"keys"`
	Prev   segment.Sum `json:"prev"`
	Sum    segment.Sum `json:"sum"`
}

const minuteTicks = 60 * segment.Scale

// makePast fills a data folder; it returns from when to when there are recordings.
func makePast(ctx context.Context, data string, clips [][]byte) (from, to time.Time, err error) {
	to = time.Now().UTC().Truncate(time.Minute).Add(-2 * time.Minute)
	from = to.Add(-pastDays * 24 * time.Hour)
	scratch, err := os.MkdirTemp(filepath.Dir(data), "minute-")
	if err != nil {
		return from, to, fmt.Errorf("make a folder: %w", err)
	}
	defer os.RemoveAll(scratch)
	failed := make([]error, len(clips))
	var wg sync.WaitGroup
	for i, clip := range clips {
		wg.Go(func() {
			own := filepath.Join(scratch, cameraID(i))
			if failed[i] = os.Mkdir(own, 0o700); failed[i] != nil {
				return
			}
			if failed[i] = recordMinute(ctx, own, cameraID(i), from, clip); failed[i] == nil {
				failed[i] = multiply(own, data, cameraID(i), from, to)
			}
		})
	}
	wg.Wait()
	return from, to, errors.Join(failed...)
}

// recordMinute lets the recorder write a minute that begins at a time.
func recordMinute(ctx context.Context, data, camera string, from time.Time, clip []byte) error {
	dir, err := os.OpenRoot(data)
	if err != nil {
		return fmt.Errorf("open a data folder: %w", err)
	}
	defer dir.Close()
	s, err := record.Open(ctx, record.Options{Data: dir})
	if err != nil {
		return fmt.Errorf("open recordings: %w", err)
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	stored := make(chan error, 1)
	go func() { stored <- s.Run(running) }()
	rec, err := s.Recorder(ctx, record.Plan{Source: record.Source{Camera: camera, Stream: "main"}, Mode: record.Always})
	if err != nil {
		return fmt.Errorf("prepare to record: %w", err)
	}
	var hub stream.Hub
	recorded := make(chan error, 1)
	go func() { recorded <- rec.Run(ctx, &hub) }()
	for hub.Readers() == 0 {
		time.Sleep(time.Millisecond)
	}
	for n, u := range unitsOf(clip, from) {
		hub.Publish(u)
		for rec.Status().Units+100 < uint64(n) {
			time.Sleep(time.Millisecond)
		}
	}
	hub.Close()
	err = <-recorded
	stop()
	<-stored // ends as it was told to
	return errors.Join(err, s.Close(ctx))
}

// unitsOf are the pictures of a clip, from a time on.
func unitsOf(clip []byte, from time.Time) []*stream.Unit {
	var out []*stream.Unit
	format := &stream.Format{Codec: stream.H264, Width: 1280, Height: 720}
	var head [][]byte
	for nalu := range bytes.SplitSeq(clip, []byte{0, 0, 1}) {
		if nalu = bytes.TrimRight(nalu, "\x00"); len(nalu) == 0 {
			continue
		}
		kind := nalu[0] & 0x1f
		switch kind {
		case 7:
			format.SPS, head = nalu, [][]byte{nalu}
		case 8:
			format.PPS, head = nalu, append(head, nalu)
		case 1, 5:
			at := time.Duration(len(out)) * time.Second / paintedRate
			u := &stream.Unit{Format: format, PTS: at, DTS: at, At: from.Add(at), ReceivedAt: from.Add(at), Key: kind == 5}
			if u.Key {
				u.NALUs = append(u.NALUs, head...)
			}
			u.NALUs = append(u.NALUs, nalu)
			out = append(out, u)
		}
	}
	return out
}

// multiply makes thirty days of a minute.
func multiply(scratch, data, camera string, from, to time.Time) error {
	stream := func(root string) string { return filepath.Join(root, record.Folder, camera, "main") }
	day := filepath.Join(stream(scratch), from.Format("20060102"))
	text, err := os.ReadFile(filepath.Join(day, "ledger.jsonl"))
	if err != nil {
		return fmt.Errorf("read the ledger of the minute: %w", err)
	}
	var l pastLine
	for line := range strings.Lines(string(text)) {
		if json.Unmarshal([]byte(line), &l) == nil && l.Bytes > 0 {
			break
		}
	}
	minute := filepath.Join(day, l.File)
	if info, err := os.Stat(minute); err != nil || info.Size() != l.Bytes {
		return fmt.Errorf("the minute of %s is not what its ledger says: %w", camera, err)
	}
	if err := os.MkdirAll(stream(data), 0o700); err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	// The file system bounds the names of one file, and the folder may be on another.
	own := filepath.Join(stream(data), "minute")
	if err := os.Link(minute, own); err != nil {
		return fmt.Errorf("link the minute: %w", err)
	}
	defer os.Remove(own)
	l.Run, l.Prev = from, segment.Sum{}
	var ledger *bufio.Writer
	var file *os.File
	end := func() error {
		if file == nil {
			return nil
		}
		return errors.Join(ledger.Flush(), file.Close())
	}
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		l.Seq++
		if at.Equal(from) {
			l.Seq = 1
		}
		folder := filepath.Join(stream(data), at.Format("20060102"), at.Format("15"))
		if file == nil || at.Minute() == 0 {
			if err := os.MkdirAll(folder, 0o700); err != nil {
				return fmt.Errorf("make a folder: %w", err)
			}
			if file == nil || at.Hour() == 0 {
				if err := end(); err != nil {
					return fmt.Errorf("write a ledger: %w", err)
				}
				if file, err = os.Create(filepath.Join(filepath.Dir(folder), "ledger.jsonl")); err != nil {
					return fmt.Errorf("write a ledger: %w", err)
				}
				ledger = bufio.NewWriter(file)
			}
		}
		name := fmt.Sprintf("%s-%d.mp4", at.Format("150405.000000"), l.Seq)
		if err := os.Link(own, filepath.Join(folder, name)); err != nil {
			return fmt.Errorf("link a minute: %w", err)
		}
		l.File, l.Start, l.End, l.Offset = at.Format("15")+"/"+name, at, at.Add(time.Minute), int64(at.Sub(from)/time.Minute)*minuteTicks
		line, err := json.Marshal(l)
		if err != nil {
			return fmt.Errorf("write a ledger: %w", err)
		}
		ledger.Write(append(line, '\n')) //nolint:errcheck // Flush says it
		l.Prev = segment.Entry{Camera: camera, Stream: "main", Seq: l.Seq, Start: l.Start, End: l.End, Bytes: l.Bytes, Prev: l.Prev, Sum: l.Sum}.Link()
	}
	if err := end(); err != nil {
		return fmt.Errorf("write a ledger: %w", err)
	}
	return nil
}

// pastPlaces are how many stretches of two hours have their small pictures, as all
// have that were recorded while motion was looked for; the links have none.
const pastPlaces = 10

// addPreviews writes the small pictures of the first camera around some moments
// (docs/formats/video.md): one every four seconds, taken from its minute.
func addPreviews(ctx context.Context, data string, clip []byte, from, to time.Time) ([]time.Time, error) {
	cmd := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-f", "h264", "-r", fmt.Sprint(paintedRate), "-i", "-",
		"-vf", `select=not(mod(n\,60)),scale=240:-2`, "-fps_mode", "passthrough", "-q:v", "6", "-f", "image2pipe", "-c:v", "mjpeg", "-")
	cmd.Stdin = bytes.NewReader(clip)
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("make small pictures: %w", err)
	}
	var pictures [][]byte
	for part := range bytes.SplitSeq(out, []byte{0xff, 0xd8, 0xff}) {
		if len(part) > 0 {
			pictures = append(pictures, append([]byte{0xff, 0xd8, 0xff}, part...))
		}
	}
	if len(pictures) != 15 {
		return nil, fmt.Errorf("make small pictures: %d of a minute", len(pictures))
	}
	var places []time.Time
	chance := rand.New(rand.NewPCG(30, 5))
	for range pastPlaces {
		place := from.Add(2*time.Hour + time.Duration(chance.Int64N(int64(to.Sub(from)-5*time.Hour)))).Truncate(time.Second)
		places = append(places, place)
		for at := place.Truncate(time.Minute).Add(-time.Hour); at.Before(place.Add(time.Hour)); at = at.Add(time.Minute) {
			seq := int(at.Sub(from)/time.Minute) + 1
			name := filepath.Join(data, record.Folder, cameraID(0), "main", at.Format("20060102"), at.Format("15"), fmt.Sprintf("%s-%d.previews", at.Format("150405.000000"), seq))
			if err := os.WriteFile(name, packPictures(pictures, at), 0o600); err != nil {
				return nil, fmt.Errorf("write small pictures: %w", err)
			}
		}
	}
	return places, nil
}

func packPictures(pictures [][]byte, at time.Time) []byte {
	b := append([]byte(nil), "CWP1"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(pictures)))
	offset := len(b) + 16*len(pictures)
	for i, p := range pictures {
		b = binary.LittleEndian.AppendUint64(b, uint64(at.Add(time.Duration(i)*4*time.Second).UnixMicro()))
		b = binary.LittleEndian.AppendUint32(b, uint32(offset))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(p)))
		offset += len(p)
	}
	for _, p := range pictures {
		b = append(b, p...)
	}
	return b
}

// videoReviewResult is how soon a moment of the past is on the screen.
type videoReviewResult struct {
	What    string  `json:"what"`
	Bar     float64 `json:"barMs"`
	Days    int     `json:"days"`
	Cameras int     `json:"cameras"`
	Files   int     `json:"files"`
	Asked   int     `json:"asked"`
	Never   int     `json:"neverShown"`
	Wrong   int     `json:"ofAnotherMoment"`
	Index   float64 `json:"indexMadeAnewSeconds,omitzero"`
	Average float64 `json:"loadAverage"`
	Latency latency `json:"latency"`
}

func (r *videoReviewResult) table() (head, row []string) {
	return []string{"what", "bar ms", "days", "cameras", "files", "asked", "never shown", "of another moment", "p50 / p95 / p99 / max ms", "load average"},
		[]string{r.What, fmt.Sprint(r.Bar), fmt.Sprint(r.Days), fmt.Sprint(r.Cameras), fmt.Sprint(r.Files), fmt.Sprint(r.Asked), fmt.Sprint(r.Never), fmt.Sprint(r.Wrong), quantiles(r.Latency), fmt.Sprintf("%.1f", r.Average)}
}

// videoReview prepares thirty days and goes to moments of them.
func (b *bench) videoReview(ctx context.Context) error {
	const mode = "video-review"
	restore, err := b.lab.unpinned()
	if err != nil {
		return err
	}
	defer restore()
	b.report.Machine.Pinned = false
	// The cameras are known and silent: only their past matters.
	farm, err := simcam.New(simcam.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		return fmt.Errorf("%s: %w", mode, err)
	}
	defer farm.Close()
	allow := []string{"--allow-net", farm.Address().String(), "--webrtc", "127.0.0.1:0"}
	srv, err := b.lab.startChargewatch(ctx, "", false, allow...)
	if err != nil {
		return fmt.Errorf("%s: %w", mode, err)
	}
	data := srv.data
	c, err := b.pastCameras(ctx, srv, farm)
	srv.stop()
	if err != nil {
		return fmt.Errorf("%s: %w", mode, err)
	}
	log.Printf("%s: making %d days of %d cameras", mode, pastDays, pastCameras)
	var list []paint
	for i := range pastCameras {
		list = append(list, paint{camera: byte(i + 1), width: 1280, height: 720, kbit: 1000, seconds: 60})
	}
	clips, err := paintAll(ctx, list)
	if err != nil {
		return fmt.Errorf("%s: %w", mode, err)
	}
	from, to, err := makePast(ctx, data, clips)
	if err != nil {
		return fmt.Errorf("%s: %w", mode, err)
	}
	places, err := addPreviews(ctx, data, clips[0], from, to)
	if err != nil {
		return fmt.Errorf("%s: %w", mode, err)
	}
	token := srv.api.token
	began := time.Now()
	srv, err = b.lab.startChargewatch(ctx, data, false, allow...)
	index := round(time.Since(began).Seconds(), 2)
	if srv != nil && srv.api != nil {
		srv.api.token = token
	}
	return b.measure(mode, srv, err, func(s *server) (any, error) {
		log.Printf("%s: the server was ready after %.1f s", mode, index)
		results, err := reviewPast(ctx, s, c, from, to, places)
		for _, r := range results {
			r.Index = index
			b.report.add(mode, r)
		}
		return nil, err
	})
}

// pastCameras names the cameras and signs a browser in.
func (b *bench) pastCameras(ctx context.Context, srv *server, farm *simcam.Farm) (c cookie, err error) {
	if srv.api.token, err = b.lab.mint(srv.data); err != nil {
		return c, err
	}
	if err := makeSite(ctx, srv.api, "yard"); err != nil {
		return c, err
	}
	for i := range pastCameras {
		body := map[string]any{
			"id": cameraID(i), "siteId": "yard", "label": fmt.Sprintf("Bay %02d", i+1), "mainUrl": farm.URL(cameraID(i), simcam.MainStream), "recording": "off",
			"promisedDays": pastDays + 5, "purpose": "load test of the review page",
		}
		if err := srv.api.do(ctx, "POST", "/api/v1/cameras", body, nil); err != nil {
			return c, fmt.Errorf("create camera: %w", err)
		}
	}
	return srv.signIn(ctx)
}

// reviewPast asks the page, and the server without it.
func reviewPast(ctx context.Context, srv *server, c cookie, from, to time.Time, places []time.Time) ([]*videoReviewResult, error) {
	var near []int64
	for _, at := range places {
		near = append(near, at.UnixMilli())
	}
	page, err := browse(ctx, map[string]any{
		"mode": "videoReview", "places": near, "base": srv.api.base, "cookie": c, "path": "/cameras?view=review&cams=" + cameraID(0), "camera": cameraID(0),
		"from": from.UnixMilli(), "to": to.Add(-time.Hour).UnixMilli(), "typed": 60, "scrubbed": 120,
	})
	if err != nil {
		return nil, err
	}
	type look struct {
		Ms    float64
		Right bool
	}
	var got struct{ Typed, Scrubbed, Picture, Thumbnail, Fresh []look }
	if err := page.result(&got, func(key string, value json.RawMessage) { log.Printf("video-review: %s %s", key, value) }); err != nil {
		return nil, err
	}
	var out []*videoReviewResult
	for _, x := range []struct {
		what  string
		bar   float64
		looks []look
	}{
		{"a typed time, until its picture is on the page", 500, got.Typed},
		{"a pointer dragged over the timeline, until the small picture", 150, got.Scrubbed},
		{"a small picture over the API", 150, got.Thumbnail},
		{"a small picture over the API, where none was stored", 150, got.Fresh},
		{"a whole key picture over the API", 150, got.Picture},
	} {
		if len(x.looks) == 0 {
			continue
		}
		r := &videoReviewResult{
			What: x.what, Bar: x.bar, Days: pastDays, Cameras: pastCameras, Files: pastCameras * int(to.Sub(from)/time.Minute), Asked: len(x.looks), Average: loadAverage()[0],
		}
		var h histogram
		for _, l := range x.looks {
			switch {
			case l.Ms < 0:
				r.Never++
				continue
			case !l.Right:
				r.Wrong++
			}
			h.add(time.Duration(l.Ms * float64(time.Millisecond)))
		}
		r.Latency = h.latency()
		out = append(out, r)
	}
	return out, nil
}

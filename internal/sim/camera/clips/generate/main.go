// Generate makes the clips of the simulated cameras: it lets the studio draw
// them and has ffmpeg (with libx264) encode them, once for the main stream and
// once for the sub stream. Run it in its parent folder:
//
//	go run ./generate [-only PREFIX] [-missing] [-sights]
//
// With -trials it makes those clips that only the tests of detectors play, in the
// folder that is given: one stream of five pictures a second.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/chargewatch/chargewatch/internal/sim/camera/studio"
)

// Widths of what is drawn and what is encoded.
const (
	drawn    = 1280
	mainSize = "848:480"
	subSize  = "320:180"
	subRate  = 5
)

func main() {
	log.SetFlags(0)
	only := flag.String("only", "", "make only the clips whose names start with one of these, separated by commas")
	crf := flag.Int("crf", 33, "quality of the main stream; less is better")
	missing := flag.Bool("missing", false, "make only the clips that are not there")
	sights := flag.Bool("sights", false, "make only the table of what is to be seen")
	trials := flag.String("trials", "", "make the trials, in this `folder`, in place of the clips")
	flag.Parse()
	if *trials != "" {
		if err := try(*trials, *only); err != nil {
			log.Fatal(err)
		}
		return
	}
	if err := run(*only, *crf, *missing, *sights); err != nil {
		log.Fatal(err)
	}
}

func run(only string, crf int, missing, table bool) error {
	sights := make(map[string][]studio.Sight)
	if old, err := os.ReadFile("sights.json"); err == nil {
		if err := json.Unmarshal(old, &sights); err != nil {
			return fmt.Errorf("read sights.json: %w", err)
		}
	}
	for _, s := range studio.Shots() {
		if _, err := os.Stat(filepath.Join("sub", s.Name+".h264")); err == nil && missing {
			continue
		}
		if !slices.ContainsFunc(strings.Split(only, ","), func(p string) bool { return strings.HasPrefix(s.Name, p) }) {
			continue
		}
		seen := s.Sights()
		if !table {
			var err error
			if seen, err = film(&s, crf); err != nil {
				return fmt.Errorf("%s: %w", s.Name, err)
			}
		}
		sights[s.Name] = seen
		if len(seen) == 0 {
			delete(sights, s.Name)
		}
		if err := note("sights.json", sights); err != nil {
			return err
		}
	}
	return nil
}

// try draws and encodes the trials.
func try(folder, only string) error {
	sights := make(map[string][]studio.Sight)
	table := filepath.Join(folder, "sights.json")
	if old, err := os.ReadFile(table); err == nil {
		if err := json.Unmarshal(old, &sights); err != nil {
			return fmt.Errorf("read %s: %w", table, err)
		}
	}
	const width = 480
	for _, s := range studio.Trials() {
		if !slices.ContainsFunc(strings.Split(only, ","), func(p string) bool { return strings.HasPrefix(s.Name, p) }) {
			continue
		}
		args := append([]string{
			"-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", fmt.Sprintf("%dx%d", width, width*9/16),
			"-r", strconv.Itoa(subRate), "-i", "-",
		}, encoded(subRate, 29, filepath.Join(folder, s.Name+".h264"))...)
		seen, err := encode(args, func(put func([]byte) error) ([]studio.Sight, error) {
			return s.FilmEvery(studio.Rate/subRate, width, put)
		})
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		if sights[s.Name] = seen; len(seen) == 0 {
			delete(sights, s.Name)
		}
	}
	return note(table, sights)
}

// note writes the table of what is to be seen, one clip a line.
func note(file string, sights map[string][]studio.Sight) error {
	text, err := json.Marshal(sights)
	if err != nil {
		return fmt.Errorf("write sights.json: %w", err)
	}
	text = []byte(strings.ReplaceAll(string(text), "]}],\"", "]}],\n\"") + "\n")
	return os.WriteFile(file, text, 0o644)
}

// film draws and encodes one shot.
func film(s *studio.Shot, crf int) (seen []studio.Sight, err error) {
	if strings.Contains(s.Name, "-bays-") {
		crf -= 6 // what hardly changes keeps the noise of its sensor, as a camera's picture has it
	}
	out := func(rate, crf int, file string) []string {
		return append([]string{"-map", "[" + file + "]"}, encoded(rate, crf, filepath.Join(file, s.Name+".h264"))...)
	}
	for _, dir := range []string{"main", "sub"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	args := []string{"-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", fmt.Sprintf("%dx%d", drawn, drawn*9/16),
		"-r", strconv.Itoa(studio.Rate), "-i", "-", "-filter_complex",
		fmt.Sprintf("[0]split[a][b];[a]scale=%s:flags=area,setsar=1[main];[b]fps=%d:start_time=0:round=up,scale=%s:flags=area,setsar=1[sub]", mainSize, subRate, subSize)}
	args = append(append(args, out(studio.Rate, crf, "main")...), out(subRate, crf-2, "sub")...)
	return encode(args, func(put func([]byte) error) ([]studio.Sight, error) { return s.Film(drawn, put) })
}

// encoded says how ffmpeg is to encode a stream.
func encoded(rate, crf int, file string) []string {
	gop := rate * 2
	// Constrained baseline: what every browser takes over WebRTC. Each group of two
	// seconds stands alone and carries its parameter sets.
	return []string{
		"-c:v", "libx264", "-preset", "slow", "-bf", "0", "-pix_fmt", "yuv420p", "-profile:v", "baseline", "-crf", strconv.Itoa(crf), "-x264-params",
		fmt.Sprintf("keyint=%d:min-keyint=%d:scenecut=0:repeat-headers=1:aud=0:slices=1:sliced-threads=0:rc-lookahead=60:threads=2:stitchable=1:force-cfr=1:ref=2:aq-mode=3", gop, gop),
		"-bsf:v", "filter_units=remove_types=6", "-f", "h264", file,
	}
}

// encode hands ffmpeg what is drawn.
func encode(args []string, draw func(put func([]byte) error) ([]studio.Sight, error)) (seen []studio.Sight, err error) {
	cmd := exec.Command("ffmpeg", args...)
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start ffmpeg: %w", err)
	}
	defer func() { err = errors.Join(err, cmd.Wait()) }()
	defer pipe.Close()
	return draw(func(picture []byte) error {
		_, err := pipe.Write(picture)
		return err
	})
}

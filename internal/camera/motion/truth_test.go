package motion

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/decode"
	simcamera "github.com/chargewatch/chargewatch/internal/sim/camera"
	"github.com/chargewatch/chargewatch/internal/sim/camera/clips"
)

// feed is a way in which a camera is looked at.
type feed struct {
	name   string
	stream string
	every  time.Duration
	keys   bool
}

func feeds() []feed {
	return []feed{
		{"key pictures", simcamera.MainStream, 2 * time.Second, true},
		{"sub stream", simcamera.SubStream, time.Second / clips.SubRate, false},
	}
}

// within is how soon after it began something is to be said.
func within(what string, every time.Duration) time.Duration {
	key := max(every, 2*time.Second) // of the view itself a close look says no sooner
	switch what {
	case simcamera.Motion:
		return every + 500*time.Millisecond
	case simcamera.Covered, simcamera.Blinded:
		return 5 * time.Second
	case simcamera.Frozen:
		return 10 * time.Second
	default: // turned, defocused
		return 3*key + time.Second
	}
}

// reel has the pictures of clips, each decoded once.
type reel struct {
	mu   sync.Mutex
	have map[string][][]byte
}

func (r *reel) pictures(t testing.TB, f feed, clip string) [][]byte {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	key := f.name + "/" + clip
	if p, ok := r.have[key]; ok {
		return p
	}
	data, err := clips.Read(f.stream, clip)
	if err != nil {
		t.Fatal(err)
	}
	list := decoded(t, data, f.keys)
	if r.have == nil {
		r.have = make(map[string][][]byte)
	}
	r.have[key] = list
	return list
}

// decoded makes grey pictures of a byte stream of H.264.
func decoded(t testing.TB, data []byte, keys bool) [][]byte {
	t.Helper()
	args := []string{"-hide_banner", "-loglevel", "error", "-threads", "1"}
	if keys {
		args = append(args, "-skip_frame", "nokey")
	}
	args = append(args, "-f", "h264", "-i", "-", "-vf", fmt.Sprintf("scale=%d:%d:flags=area,format=gray", decode.GrayWidth, decode.GrayHeight),
		"-fps_mode", "passthrough", "-f", "rawvideo", "-")
	cmd := exec.CommandContext(t.Context(), "ffmpeg", args...)
	cmd.Stdin = bytes.NewReader(data)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("decode: %v\n%s", err, said.String())
	}
	list := slices.Collect(slices.Chunk(out.Bytes(), decode.GrayWidth*decode.GrayHeight))
	if len(list) == 0 {
		t.Fatalf("no pictures in %d bytes\n%s", len(data), said.String())
	}
	return list
}

// saying is a change and when it was said, from the start.
type saying struct {
	Change
	at time.Duration
}

// trial is a scene with its truth.
type trial struct {
	name, place string
	truth       []simcamera.Moment
	long        time.Duration
	pictures    func(f feed) [][]byte
	zones       []Zone
	// once is how long it is if it is played once; 0: it is.
	once time.Duration
}

// seldom is the trial as often as a feed of many pictures is worth its time: once.
func (x trial) seldom(f feed) trial {
	if f.keys || x.once == 0 {
		return x
	}
	all := x.pictures
	x.truth = slices.DeleteFunc(slices.Clone(x.truth), func(m simcamera.Moment) bool { return m.From >= x.once })
	x.pictures = func(f feed) [][]byte { return all(f)[:x.once/f.every] }
	x.long = x.once
	return x
}

// drawnTrials are all scenes of the simulated cameras, each where it happens; key
// pictures of them twice, since what was seen the first time is known the second.
func drawnTrials(t testing.TB, r *reel) []trial {
	t.Helper()
	farm, err := simcamera.New(simcamera.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(farm.Close)
	const turns = 2
	var list []trial
	done := make(map[string]bool)
	for _, view := range simcamera.Views() {
		for _, s := range simcamera.Scenes(view) {
			key := fmt.Sprint(s.Name, s.Steps)
			if done[key] {
				continue // it happens elsewhere
			}
			done[key] = true
			once, loop, err := farm.Truth(s)
			if err != nil {
				t.Fatal(err)
			}
			var truth []simcamera.Moment
			for turn := range turns {
				for _, m := range once {
					m.From += time.Duration(turn) * loop
					m.To += time.Duration(turn) * loop
					truth = append(truth, m)
				}
			}
			place := view
			for _, v := range simcamera.Views() {
				if strings.HasPrefix(s.Steps[0].Clip, v+"-") {
					place = v
				}
			}
			list = append(list, trial{name: s.Name, place: place, truth: truth, long: turns * loop, once: loop, pictures: func(f feed) [][]byte {
				var out [][]byte
				for range turns {
					for _, step := range s.Steps {
						p := r.pictures(t, f, step.Clip)
						for range step.Times {
							for i := range p {
								if step.Frozen {
									i = 0
								}
								out = append(out, p[i])
							}
						}
					}
				}
				return out
			}})
		}
	}
	return list
}

// verdict is how a trial went.
type verdict struct {
	trial, place, feed string
	found, missed      []finding
	alarms             []finding
}

// finding is something that was to be found, or was and should not have been.
type finding struct {
	what string
	at   time.Duration
	late time.Duration
	note string
}

func (f finding) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s at %.1f s %s", f.what, f.at.Seconds(), f.note))
}

// judgeTrial shows the detector a scene and compares.
func judgeTrial(x trial, f feed) verdict {
	start := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	d := New(x.zones)
	var said []saying
	for i, g := range x.pictures(f) {
		at := time.Duration(i) * f.every
		for _, c := range d.Look(g, start.Add(at)) {
			said = append(said, saying{c, at})
		}
	}
	v := verdict{trial: x.name, place: x.place, feed: f.name}
	var moved []span
	for _, m := range x.truth {
		if m.What == simcamera.Motion {
			moved = append(moved, span{m.From, m.To})
		}
	}
	moved = joined(moved, 10*time.Second)
	used := make([]bool, len(said))
	find := func(what string, s span) {
		active := false
		for i, c := range said {
			if string(c.What) != what || c.Ended {
				continue
			}
			if c.at >= s.from-time.Second && c.at <= s.to+100*time.Millisecond {
				used[i] = true
				if active {
					continue
				}
				active = true
				late := max(c.at-s.from, 0)
				if late <= within(what, f.every) {
					v.found = append(v.found, finding{what, s.from, late, ""})
				} else {
					v.missed = append(v.missed, finding{what, s.from, late, fmt.Sprintf("is %.1f s late", late.Seconds())})
				}
			}
		}
		if !active {
			v.missed = append(v.missed, finding{what, s.from, 0, "is not said"})
		}
	}
	for _, s := range moved {
		find(simcamera.Motion, s)
	}
	for _, m := range x.truth {
		if !m.Tampering() {
			continue
		}
		find(m.What, span{m.From, m.To})
		// It is taken back when it is over.
		over := slices.ContainsFunc(said, func(c saying) bool {
			return string(c.What) == m.What && c.Ended && c.at > m.To-100*time.Millisecond && c.at <= m.To+6*time.Second
		})
		begun := slices.ContainsFunc(said, func(c saying) bool { return string(c.What) == m.What && !c.Ended })
		if begun && !over && m.To+6*time.Second < x.long {
			v.missed = append(v.missed, finding{m.What, m.To, 0, "does not end"})
		}
	}
	for i, c := range said {
		if !used[i] && !c.Ended {
			v.alarms = append(v.alarms, finding{string(c.What), c.at, 0, ""})
		}
	}
	return v
}

type span struct{ from, to time.Duration }

// joined are spans of which those with little between them are one.
func joined(list []span, gap time.Duration) []span {
	slices.SortFunc(list, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var out []span
	for _, s := range list {
		if n := len(out); n > 0 && s.from-out[n-1].to <= gap {
			out[n-1].to = max(out[n-1].to, s.to)
			continue
		}
		out = append(out, s)
	}
	return out
}

// summary is what the table says of all trials of one name.
type summary struct {
	bars   map[string]bar
	missed []string
	alarms []string
}

// bar is how often something was to be found and was, and the latest of those.
type bar struct {
	was, found int
	latest     time.Duration
	tardy      time.Duration // the latest of those that were too late
}

func (v *summary) add(o verdict) {
	if v.bars == nil {
		v.bars = make(map[string]bar)
	}
	for _, x := range o.found {
		b := v.bars[x.what]
		b.was, b.found, b.latest = b.was+1, b.found+1, max(b.latest, x.late)
		v.bars[x.what] = b
	}
	for _, x := range o.missed {
		b := v.bars[x.what]
		b.was, b.tardy = b.was+1, max(b.tardy, x.late)
		v.bars[x.what] = b
		v.missed = append(v.missed, o.feed+": "+x.String())
	}
	for _, x := range o.alarms {
		v.alarms = append(v.alarms, o.feed+": "+x.String())
	}
}

// row is a line of the table.
func row(scene, place string, of []summary) string {
	line := "| " + scene + " | " + place + " |"
	for _, v := range of {
		var cells []string
		for _, what := range slices.Sorted(maps.Keys(v.bars)) {
			b := v.bars[what]
			text := fmt.Sprintf("%s %d of %d", what, b.found, b.was)
			if b.found > 0 {
				text += fmt.Sprintf(", %.1f s", b.latest.Seconds())
			}
			if b.tardy > 0 {
				text += fmt.Sprintf(" (late: %.1f s)", b.tardy.Seconds())
			}
			cells = append(cells, text)
		}
		if len(cells) == 0 {
			cells = []string{"nothing to find"}
		}
		line += " " + strings.Join(cells, "; ") + " |"
	}
	var alarms []string
	for _, v := range of {
		alarms = append(alarms, v.alarms...)
	}
	if len(alarms) == 0 {
		return line + " none |\n"
	}
	return line + " " + strings.Join(alarms, "; ") + " |\n"
}

// table judges all trials and writes down how it went.
func table(t *testing.T, trials []trial) (text string, missed, alarms []string) {
	var out strings.Builder
	out.WriteString("| scene | place | key pictures, one in 2 s | sub stream, 5 a second | false alarms |\n|---|---|---|---|---|\n")
	for _, x := range trials {
		of := make([]summary, len(feeds()))
		for i, f := range feeds() {
			of[i].add(judgeTrial(x.seldom(f), f))
			for _, m := range of[i].missed {
				missed = append(missed, x.name+" in "+x.place+", "+m)
			}
			for _, m := range of[i].alarms {
				alarms = append(alarms, x.name+" in "+x.place+", "+m)
			}
		}
		out.WriteString(row(x.name, x.place, of))
	}
	t.Log("\n" + out.String())
	return out.String(), missed, alarms
}

var update = flag.Bool("update", false, "write what was measured into the documents")

const document = "../../../docs/motion.md"

// writing is held by whoever reads or writes the document: the tables are measured side
// by side.
var writing sync.Mutex

// documented compares a table with the document, or writes it there.
func documented(t *testing.T, name, text string) {
	t.Helper()
	writing.Lock()
	defer writing.Unlock()
	data, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- "+name+" -->\n", "<!-- end of "+name+" -->\n"
	before, rest, ok1 := strings.Cut(string(data), begin)
	old, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s has no place for %s", document, name)
	}
	if old == text {
		return
	}
	if !*update {
		t.Errorf("%s says of %s\n%s\nand it is\n%s\n(go test ./internal/camera/motion -run Truth -update)", document, name, old, text)
		return
	}
	if err := os.WriteFile(document, []byte(before+begin+text+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestTruthOfTheDrawnScenes shows the detector all that simulated cameras show.
func TestTruthOfTheDrawnScenes(t *testing.T) {
	t.Parallel()
	var r reel
	text, missed, alarms := table(t, drawnTrials(t, &r))
	for _, m := range missed {
		t.Errorf("missed or late: %s", m)
	}
	for _, m := range alarms {
		t.Errorf("false alarm: %s", m)
	}
	documented(t, "drawn scenes", text)
}

// Command detect runs the detectors over labelled runs of simulated stations in
// virtual time and writes what they are worth: what they missed, what they said
// wrongly, how soon they knew, and who failed before they did.
//
//	go run ./test/load/detect -seeds 101,102,103 -name 2core-detect
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/detect/evaluate"
	"github.com/chargewatch/chargewatch/internal/detect/health"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/live"
	"github.com/chargewatch/chargewatch/internal/sim/lab"
)

// result is what a run leaves behind.
type result struct {
	Go          string          `json:"go"`
	Cores       int             `json:"cores"`
	Began       time.Time       `json:"began"`
	Seeds       []uint64        `json:"seeds"`
	Stations    int             `json:"stations"`
	Days        int             `json:"days"`
	Once        bool            `json:"once"`
	Obey        bool            `json:"obey,omitempty"`
	Alone       bool            `json:"alone,omitempty"`
	Events      int             `json:"events"`
	TookSeconds float64         `json:"tookSeconds"`
	DetectorsNs float64         `json:"nanosecondsPerEvent"`
	Score       *evaluate.Score `json:"score"`
}

func main() {
	log.SetFlags(0)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	set := flag.NewFlagSet("detect", flag.ContinueOnError)
	seeds := set.String("seeds", "101", "comma-separated; each is a run of its own")
	stations := set.Int("stations", 240, "of a run")
	days := set.Int("days", 42, "of a run")
	only := set.String("only", "", "comma-separated scenarios; each seed is a story of each")
	once := set.Bool("once", false, "each scenario comes one time in each run; else as often as there is room")
	obey := set.Bool("obey", false, "stations obey resets, remedies are on, and some failures end with a restart")
	alone := set.Bool("alone", false, "nobody goes through the inbox for work orders")
	quiet := set.Bool("quiet", false, "put nothing in: whatever is raised is wrong")
	dir := set.String("out", "test/load/results", "`FOLDER` of the results")
	name := set.String("name", "", "of the results; empty: only print")
	faults := set.String("faults", "", "`FILE` to list what was missed and what was false in")
	trace := set.String("trace", "", "`STATION` of which to print all that is told, found and done")
	profile := set.String("cpuprofile", "", "`FILE`")
	if err := set.Parse(args); err != nil {
		return err
	}
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		if err := pprof.StartCPUProfile(f); err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		defer pprof.StopCPUProfile()
	}
	res := result{Go: runtime.Version(), Cores: runtime.NumCPU(), Began: time.Now().UTC().Truncate(time.Second), Stations: *stations, Days: *days, Once: *once, Obey: *obey, Alone: *alone}
	res.Score = &evaluate.Score{}
	var busy time.Duration
	for word := range strings.SplitSeq(*seeds, ",") {
		seed, err := strconv.ParseUint(word, 10, 64)
		if err != nil {
			return fmt.Errorf("seed %q: %w", word, err)
		}
		res.Seeds = append(res.Seeds, seed)
		var runs []*lab.Run
		if *only != "" {
			for name := range strings.SplitSeq(*only, ",") {
				r, err := lab.Story(name, seed, 0)
				if err != nil {
					return err
				}
				runs = append(runs, r)
			}
		} else {
			r, err := lab.New(lab.Options{Seed: seed, Stations: *stations, Days: *days, Quiet: *quiet, Once: *once, Obey: *obey, Alone: *alone})
			if err != nil {
				return err
			}
			runs = append(runs, r)
		}
		for _, r := range runs {
			n, took, err := judge(ctx, r, res.Score, &tracer{station: *trace, out: out})
			if err != nil {
				return err
			}
			res.Events += n
			busy += took
		}
		fmt.Fprintf(out, "seed %d: %d events\n", seed, res.Events)
	}
	res.TookSeconds = time.Since(res.Began).Seconds()
	res.DetectorsNs = float64(busy.Nanoseconds()) / float64(max(1, res.Events))
	if err := res.write(out); err != nil {
		return err
	}
	if *faults != "" {
		if err := toFile(*faults, func(w io.Writer) error { return errors.Join(res.write(w), res.Score.WriteFaults(w)) }); err != nil {
			return err
		}
	}
	if *name == "" {
		return nil
	}
	return errors.Join(
		toFile(filepath.Join(*dir, *name+".md"), func(w io.Writer) error { return errors.Join(res.write(w), res.Score.WriteFaults(w)) }),
		toFile(filepath.Join(*dir, *name+".json"), func(w io.Writer) error {
			res.Score.Missed, res.Score.False, res.Score.Calls = nil, nil, nil // the text lists them
			j := json.NewEncoder(w)
			j.SetIndent("", "  ")
			return j.Encode(res)
		}))
}

// judge lives a run and adds what came of it.
func judge(ctx context.Context, r *lab.Run, score *evaluate.Score, t *tracer) (events int, busy time.Duration, err error) {
	c := chain{p: live.NewPipeline(health.Detectors()), r: r, common: make(map[string]bool)}
	for e := range r.Events(ctx) {
		if late(c.p, e) {
			continue
		}
		events++
		begun := time.Now()
		c.p.Apply(e, &c.out)
		busy += time.Since(begun)
		t.heard(e)
		t.concluded(c.p.Detect.Now(), &c.out)
		if err := errors.Join(c.out.Faults...); err != nil {
			return events, busy, err
		}
		c.follow()
	}
	score.Add(evaluate.Judge(&evaluate.Run{
		StationDays: r.StationDays(), Labels: r.Labels, Site: r.Site(), Findings: c.findings, Notices: c.notices, Taken: c.taken, Harmed: r.Harmed(),
		Orders: r.Orders(), Healings: r.Healings(),
	}))
	return events, busy, r.Err()
}

// late is a person's wish to close what has come back since.
func late(p *live.Pipeline, e *event.Event) bool {
	a, ok := e.Body.(*event.IncidentAction)
	if !ok || a.Action != incident.ActClose {
		return false
	}
	in, ok := p.Incidents.Get(e.Subject.ID)
	return !ok || in.RepairedAt == nil
}

// chain is the whole pipeline of a server, from events to the people who are
// called, with remedies as they are before anybody decided otherwise.
type chain struct {
	p        *live.Pipeline
	r        *lab.Run
	out      live.Conclusions
	findings []evaluate.Finding
	notices  []evaluate.Notice
	taken    []evaluate.Notice // became urgent when somebody had them
	common   map[string]bool   // incidents of a common cause that were counted
}

// follow has commands performed, and notes what was found, who is called, and
// what was found to be one cause (D20). Who is called answers.
func (c *chain) follow() {
	if c.out.Empty() {
		return
	}
	now := c.p.Detect.Now()
	for _, in := range c.out.Intents {
		in.Reason = c.why(in.Reason)
		c.r.Perform(detect.Asked{Intent: in}, now)
	}
	for i := range c.out.Findings {
		if f, ok := evaluate.Raised(&c.out.Findings[i]); ok {
			c.findings = append(c.findings, f)
		}
	}
	for _, in := range c.out.Changed {
		if in.Family != incident.Common || c.common[in.ID] {
			continue
		}
		c.common[in.ID] = true
		f := evaluate.Finding{Detector: "D20", Code: in.Kind, Severity: string(in.Severity), Subject: event.Self(), At: in.OpenedAt}
		if in.SiteID != "" {
			f.Shared = append(f.Shared, "site/"+in.SiteID)
		}
		for name, value := range in.Labels {
			f.Shared = append(f.Shared, name+"/"+value)
		}
		c.findings = append(c.findings, f)
	}
	for i := range c.out.Notices {
		n := &c.out.Notices[i]
		switch urgent := n.Severity == "S1" || n.Severity == "S2"; {
		case n.Change == incident.ChangeRepaired:
			c.r.Repaired(n.Incident, n.At)
		case urgent && (n.Raises() || n.Change == incident.ChangeSLAWarning):
			c.notices = append(c.notices, c.call(n))
			c.r.Called(n.Incident, n.At)
		case n.Severity == "S3" && n.Raises():
			c.r.Listed(n.Incident, n.At)
		case n.Taken:
			c.taken = append(c.taken, c.call(n))
		}
	}
	c.out = live.Conclusions{}
}

// call is a notice by what it is about.
func (c *chain) call(n *incident.Notice) evaluate.Notice {
	call := evaluate.Notice{Subject: event.Port(n.Station, 0, 0), Severity: n.Severity, At: n.At, Change: n.Change, Kind: n.Kind, Title: n.Title}
	if n.Station != "" {
		if in, ok := c.p.Incidents.Get(n.Incident); ok {
			call.Subject = event.Port(n.Station, in.EVSE, 0)
		}
		return call
	}
	call.Subject = event.Self()
	if n.SiteID != "" {
		call.Shared = append(call.Shared, "site/"+n.SiteID)
	}
	for name, value := range n.Labels {
		call.Shared = append(call.Shared, name+"/"+value)
	}
	return call
}

// why is what asked for a command of a playbook: its step, and how bad the
// incident was and what it was about.
func (c *chain) why(reason string) string {
	step, id, ok := strings.Cut(reason, ", incident ")
	if !ok {
		return reason
	}
	in, ok := c.p.Incidents.Get(id)
	if !ok {
		return step
	}
	return fmt.Sprintf("%s, %s %s", step, in.Severity, in.Kind)
}

func (r *result) write(w io.Writer) error {
	_, err := fmt.Fprintf(w, "\n%d events of %d stations over %d days, seeds %v, in %.0f s; detectors, incidents and remedies took %.0f ns an event.\n\n",
		r.Events, r.Stations, r.Days, r.Seeds, r.TookSeconds, r.DetectorsNs)
	if err != nil {
		return err
	}
	return r.Score.WriteTable(w)
}

func toFile(path string, fn func(io.Writer) error) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return fn(f)
}

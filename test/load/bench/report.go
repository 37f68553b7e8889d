package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// report is what a run leaves behind. It carries facts about the machine that
// matter for the figures and none that name it.
type report struct {
	Machine machine          `json:"machine"`
	Began   time.Time        `json:"began"`
	Took    float64          `json:"tookSeconds"`
	Results map[string][]any `json:"results"`
	order   []string
}

type machine struct {
	Cores      int       `json:"cores"`
	CPU        string    `json:"cpu"`
	MemoryGB   float64   `json:"memoryGB"`
	Kernel     string    `json:"kernel"`
	Go         string    `json:"go"`
	Pinned     bool      `json:"serverOnOneCoreGeneratorOnAnother"`
	LoadBefore []float64 `json:"loadAverageBefore"`
	LoadAfter  []float64 `json:"loadAverageAfter"`
}

func (r *report) begin(pinned bool) {
	r.Began = time.Now().UTC().Truncate(time.Second)
	r.Results = make(map[string][]any)
	r.Machine = machine{Cores: runtime.NumCPU(), Go: runtime.Version(), Pinned: pinned, LoadBefore: loadAverage()}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		r.Machine.Kernel, _, _ = strings.Cut(strings.TrimSpace(string(b)), "-")
	}
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
				r.Machine.CPU = strings.TrimSpace(v)
				break
			}
		}
	}
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kb float64
		fmt.Sscanf(string(b), "MemTotal: %f", &kb)
		r.Machine.MemoryGB = round(kb/1024/1024, 1)
	}
}

func loadAverage() []float64 {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return nil
	}
	l := make([]float64, 3)
	fmt.Sscan(string(b), &l[0], &l[1], &l[2])
	return l
}

func (r *report) add(mode string, result any) {
	if _, ok := r.Results[mode]; !ok {
		r.order = append(r.order, mode)
	}
	r.Results[mode] = append(r.Results[mode], result)
}

func (r *report) finish() {
	r.Took = round(time.Since(r.Began).Seconds(), 0)
	r.Machine.LoadAfter = loadAverage()
}

func (r *report) write(dir, name string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make results folder: %w", err)
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode results: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".json"), append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	text := r.markdown()
	fmt.Print(text)
	if err := os.WriteFile(filepath.Join(dir, name+".md"), []byte(text), 0o644); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	return nil
}

// markdown is the report for people.
func (r *report) markdown() string {
	var b strings.Builder
	m := r.Machine
	fmt.Fprintf(&b, "# Load results of %s\n\n%d cores (%s), %.0f GB, Linux %s, %s; server and generator pinned to one core each: %v; load average before %v, after %v. Took %.0f s.\n",
		r.Began.Format("2006-01-02 15:04 UTC"), m.Cores, m.CPU, m.MemoryGB, m.Kernel, m.Go, m.Pinned, m.LoadBefore, m.LoadAfter, r.Took)
	for _, mode := range r.order {
		fmt.Fprintf(&b, "\n## %s\n\n", titles[mode])
		for i, x := range r.Results[mode] {
			head, row := cells(x)
			if i == 0 {
				fmt.Fprintf(&b, "| %s |\n|%s\n", strings.Join(head, " | "), strings.Repeat("---|", len(head)))
			}
			fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		}
		if len(r.Results[mode]) > 0 {
			if more, ok := r.Results[mode][0].(interface{ markdown() string }); ok {
				b.WriteString(more.markdown())
			}
		}
		if ratio := r.ratio(mode); ratio != "" {
			fmt.Fprintf(&b, "\n%s\n", ratio)
		}
	}
	return b.String()
}

var titles = map[string]string{
	"authorize":        "Cards at the stations of a large operator while all of them report",
	"decide":           "Who may enter or charge where and when: the same questions to both engines, in turn on one core",
	"raid":             "Raids, intrusions and tailgating on the wire (OCPP, RTSP with ONVIF, UDP): alarms on the live feed and clips",
	"raid-nights":      "Ordinary nights on the wire, waiting cut short",
	"doors":            "Cards at the door of an independent simulator of controllers, the server killed on the way",
	"closed":           "Saturation: MeterValues (10 samples) and StatusNotification 1:1",
	"sessions":         "Saturation: whole sessions (Start, 10 MeterValues, Stop)",
	"rate":             "Latency at one call per second and station, from the intended send time",
	"idle":             "Memory of idle stations, plain",
	"idletls":          "Memory of idle stations, TLS",
	"storm":            "A command to every station at once while all send",
	"flood":            "All stations return after an hour (TLS, password; Start, 60 MeterValues, Stop)",
	"kill":             "kill -9 under load",
	"certificates":     "Certificates of a fleet renewed, some refused, and all stations back after a kill",
	"rotations":        "Passwords of a fleet changed while the server is killed again and again",
	"provision":        "A fleet as it leaves the works, set by the profile that comes along",
	"provision-early":  "The same early in the morning: those who stood there by night leave within three minutes, few come",
	"relay":            "One call per second and station: to another system directly, to the product, and through it",
	"incidents":        "From a station's fault to the live feed and to a webhook, one call per second and station meanwhile",
	"api-10k":          "Every question of a page in a large network",
	"ui-start":         "Overview usable with nothing cached: from the address to figures and wall painted",
	"ui-latency":       "From a station's frame to the pixel on the Overview",
	"ui-live server":   "A browser in front of a busy network: the server's own feed, server and generator on the same cores",
	"ui-live recorded": "A browser in front of a busy network: frames recorded from the server, played to the browser alone",
	"kiosk-soak":       "Heap of a page that stays open",
	"video-latency":    "From the camera to the picture on the screen, over loopback",
	"video-wall":       "Twelve tiles on the wall of cameras",
	"video-review":     "Going to a moment of thirty recorded days",
	"video-alarm":      "From a fault of a camera or a charger to the incident",
	"video-record":     "All cameras recorded (720p, 15 pictures a second, 1 Mbit/s, a key picture every 2 s), nothing else done",
	"video-motion":     "The same with motion and tamper on every key picture of all cameras",
	"video-viewers":    "Many look at one camera of ten that are recorded",
	"video-kill":       "kill -9 while cameras are recorded",
	"video-cut":        "The power of the disk cut while cameras are recorded",
	"video-journal":    "Calls acknowledged while 100 cameras are recorded and while they are not, in turn",
	"hostile":          "Honest stations beside an attack from the same address",
}

func cells(x any) (head, row []string) {
	if own, ok := x.(interface{ table() (head, row []string) }); ok {
		return own.table()
	}
	f := func(format string, v ...any) string { return fmt.Sprintf(format, v...) }
	lat := func(l latency) string { return f("%.2f / %.2f / %.2f / %.0f", l.P50, l.P95, l.P99, l.Max) }
	mb := func(n int64) string { return f("%.0f", float64(n)/1e6) }
	switch r := x.(type) {
	case interface{ row() (head, row []string) }:
		return r.row()
	case *closedResult:
		share := 0.0
		for _, w := range r.Windows {
			share = max(share, w.CoreShare)
		}
		return []string{"server", "stations", "calls/s best", "calls/s median", "server core %", "CPU s per 100 k", "calls/s per full core", "p50 / p95 / p99 / max ms", "RSS MB", "stations lost"},
			[]string{r.Server, f("%d", r.Stations), f("%.0f", r.Best), f("%.0f", r.Median), f("%.0f", share*100), f("%.2f", r.CPU), f("%.0f", 100_000/r.CPU), lat(r.Latency), mb(r.RSS), f("%d", r.Failed)}
	case *rateResult:
		return []string{"server", "stations", "offered/s", "done/s", "server core %", "CPU s per 100 k", "p50 / p95 / p99 / max ms", "stations lost"},
			[]string{r.Server, f("%d", r.Stations), f("%.0f", r.PerSec), f("%.0f", r.Done), f("%.0f", r.Core*100), f("%.2f", r.CPU), lat(r.Latency), f("%d", r.Failed)}
	case *incidentResult:
		return []string{"server", "stations", "offered/s", "done/s", "server core %", "faults", "frame to feed p50 / p95 / p99 / max ms", "frame to channel", "never on the feed", "never at the channel"},
			[]string{r.Server, f("%d", r.Stations), f("%.0f", r.PerSec), f("%.0f", r.Done), f("%.0f", r.Core*100), f("%d", r.Faults), lat(r.Feed), lat(r.Channel), f("%d", r.NeverFed), f("%d", r.NeverSent)}
	case *idleResult:
		return []string{"server", "stations", "TLS", "KB per station", "RSS before MB", "RSS after MB", "connects/s", "idle core %"},
			[]string{r.Server, f("%d", r.Stations), f("%v", r.TLS), f("%.1f", r.PerStation), mb(r.Before), mb(r.After), f("%.0f", r.PerSecond), f("%.1f", r.IdleCPU*100)}
	case *stormResult:
		return []string{"server", "commands", "answered", "all answered after s", "command p50 / p95 / p99 / max ms", "longest pause of a station ms", "before the storm ms", "stuck stations"},
			[]string{r.Server, f("%d", r.Commands), f("%d", r.Answered), f("%.2f", r.Took), lat(r.Command), f("%.0f", r.Longest), f("%.0f", r.Before), f("%d", r.Stuck)}
	case *floodResult:
		return []string{"server", "stations", "calls", "all acknowledged after s", "last station accepted after s", "call p50 / p95 / p99 / max ms", "handshake and boot p50 / p95 / p99 / max ms", "retries", "gave up", "sessions right", "events missing (stations sampled)", "CPU s", "after kill -9: process start to first accepted station s"},
			[]string{r.Server, f("%d", r.Stations), f("%d", r.Calls), f("%.1f", r.Took), f("%.1f", r.LastBoot), lat(r.Latency), lat(r.Handshakes), f("%d", r.Retries), f("%d", r.Failed), f("%d", r.Right), f("%d (%d)", r.Missing, r.Sampled), f("%.0f", r.CPU), f("%.2f", r.Restart)}
	case *certificatesResult:
		return []string{"stations", "refuse", "states", "hold a certificate", "not accounted for", "seconds", "back after kill -9", "locked out", "server CPU s"},
			[]string{fmt.Sprint(r.Stations), fmt.Sprint(r.Refusing), fmt.Sprint(r.States), fmt.Sprint(r.Took), fmt.Sprint(r.Unknown), fmt.Sprint(r.Seconds), fmt.Sprint(r.Back), fmt.Sprint(r.LockedOut), fmt.Sprint(r.ServerCPUs)}
	case *rotationResult:
		return []string{"stations", "kills", "done at each kill", "states", "seconds", "back after a last kill -9", "locked out"},
			[]string{fmt.Sprint(r.Stations), fmt.Sprint(r.Kills), fmt.Sprint(r.AtKill), fmt.Sprint(r.States), fmt.Sprint(r.Seconds), fmt.Sprint(r.Back), fmt.Sprint(r.LockedOut)}
	case *killResult:
		return []string{"server", "kills", "acknowledged calls", "lost", "integrity", "slowest restart to first accepted station s", "transaction ids given twice"},
			[]string{r.Server, f("%d", r.Kills), f("%d", r.Acknowledged), f("%d", r.Lost), r.Integrity, f("%.2f", r.Slowest), f("%d", r.TxReused)}
	case *routesResult:
		return []string{"stations", "sites", "sessions in the past", "changes/s meanwhile", "worst p95 ms", "not measured"},
			[]string{f("%d", r.Stations), f("%d", r.Sites), f("%d", r.Sessions), f("%.0f", r.Load.Done), f("%.1f", r.Worst), f("%s", strings.Join(r.Left, ", "))}
	case *uiStartResult:
		return []string{"stations", "cold starts", "figures p50 / p95 / p99 / max ms", "wall", "usable", "load average"},
			[]string{f("%d", r.Stations), f("%d", r.Runs), lat(r.Figures), lat(r.Wall), lat(r.Usable), f("%.1f", r.Average)}
	case *uiLatencyResult:
		return []string{"active stations", "updates/s", "toggles", "never seen", "sent to answered p50 / p95 / p99 / max ms", "sent to drawn", "load average"},
			[]string{f("%d", r.Active), f("%.0f", r.Load.Done), f("%d", r.Toggles), f("%d", r.Missed), lat(r.Commit), lat(r.Latency), f("%.1f", r.Average)}
	case *uiLiveResult:
		return []string{"ports", "updates/s offered", "updates/s done", "server core %", "generator core %", "browser core %", "load average"},
			[]string{f("%d", r.Ports), f("%.0f", r.Load.Offered), f("%.0f", r.Load.Done), f("%.0f", r.ServerCPU*100), f("%.0f", r.OwnCPU*100), f("%.0f", r.Browser*100), f("%.1f", r.Average)}
	case *soakResult:
		return []string{"stations", "page", "updates/s", "minutes", "heap first fifth MB", "last fifth MB", "growth %", "lowest / highest MB", "server growth MB", "script errors"},
			[]string{f("%d", r.Stations), r.Page, f("%.0f", r.Load.Done), f("%.1f", r.Minutes), f("%.2f", r.First), f("%.2f", r.Last), f("%.1f", r.Growth), f("%.2f / %.2f", r.Low, r.High), f("%.1f", r.ServerMB), f("%d", len(r.Faults))}
	case *hostileResult:
		return []string{"server", "honest stations", "before p50 / p95 / p99 / max ms", "during", "honest lost", "wrong passwords refused", "let in", "honest can join", "attacks"},
			[]string{r.Server, f("%d", r.Stations), lat(r.Before), lat(r.During), f("%d", r.Lost), f("%d", r.Refused), f("%d", r.Let), f("%v", r.Rejoined), f("%v", r.Attacks)}
	}
	return []string{"result"}, []string{f("%+v", x)}
}

// ratio compares the two servers of a mode.
func (r *report) ratio(mode string) string {
	list := r.Results[mode]
	if len(list) > 0 {
		if x, ok := list[0].(interface{ compare([]any) string }); ok {
			return x.compare(list)
		}
	}
	if len(list) != 2 {
		return ""
	}
	switch peer := list[0].(type) {
	case *closedResult:
		ours := list[1].(*closedResult)
		if peer.Median > 0 && ours.CPU > 0 {
			return fmt.Sprintf("Chargewatch to peer: %.2f of its best calls/s, %.2f of its median; CPU per call %.2f times.", ours.Best/peer.Best, ours.Median/peer.Median, ours.CPU/peer.CPU)
		}
	case *idleResult:
		ours := list[1].(*idleResult)
		return fmt.Sprintf("Chargewatch to peer: %.2f of its memory per station.", ours.PerStation/peer.PerStation)
	}
	return ""
}

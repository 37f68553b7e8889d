// Command telemetry measures the telemetry store with a believable network: bytes
// per sample on disk, samples per second of CPU time from Consume to the sealed
// and synced block, and the time of the questions that screens ask.
//
//	go run ./test/load/telemetry -out test/load/results/telemetry.json
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/telemetry"
	"github.com/chargewatch/chargewatch/internal/telemetry/telemetrytest"
)

type result struct {
	Go         string         `json:"go"`
	CPUs       int            `json:"cpus"`
	MeasuredAt time.Time      `json:"measuredAt"`
	Networks   []network      `json:"networks"`
	Bars       map[string]bar `json:"bars"`
}

type bar struct {
	Have float64 `json:"have"`
	Bar  float64 `json:"bar"`
	OK   bool    `json:"ok"`
}

type network struct {
	Name               string             `json:"name"`
	Ports              int                `json:"ports"`
	Hours              float64            `json:"hours"`
	Samples            int                `json:"samples"`
	EventsPerBatch     float64            `json:"eventsPerBatch"`
	SamplesPerCPUs     float64            `json:"samplesPerCpuSecond"`
	BytesPerSample     float64            `json:"bytesPerSample"`
	FileBytes          int64              `json:"fileBytes"`
	Blocks             int                `json:"blocks"`
	SamplesPerBlock    float64            `json:"samplesPerBlock"`
	WorstConsumeMillis float64            `json:"worstConsumeMillis"`
	WorstTickMillis    float64            `json:"worstTickMillis"`
	TailBytesMost      int                `json:"tailBytesMost"`
	PeakRSSMiB         float64            `json:"peakRssMiB"`
	OpenMillis         float64            `json:"openMillis,omitempty"`
	BackupBytes        int64              `json:"backupBytes"`
	BackupMillis       float64            `json:"backupMillis"`
	VerifyMillis       float64            `json:"verifyMillis"`
	QueryMillis        map[string]timings `json:"queryMillis,omitempty"`
}

type timings struct {
	First  float64 `json:"first"`
	Best   float64 `json:"best"`
	Median float64 `json:"median"`
	Worst  float64 `json:"worst"`
}

func main() {
	log.SetFlags(0)
	out := flag.String("out", "", "file to write the results to")
	days := flag.Int("days", 9, "days of the small network")
	wide := flag.Int("wide", 10_000, "stations of the wide network, for three hours; 0 leaves it out")
	flag.Parse()
	if err := run(*out, *days, *wide); err != nil {
		log.Fatal(err)
	}
}

func run(out string, days, wide int) error {
	r := result{Go: runtime.Version(), CPUs: runtime.NumCPU(), MeasuredAt: time.Now().UTC().Truncate(time.Second)}
	long, err := measure("360 ports", telemetrytest.Options{Stations: 180}, time.Duration(days)*24*time.Hour, true)
	if err != nil {
		return err
	}
	r.Networks = append(r.Networks, long)
	if wide > 0 {
		n, err := measure(fmt.Sprintf("%d stations", wide), telemetrytest.Options{Stations: wide, Start: time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)}, 3*time.Hour, false)
		if err != nil {
			return err
		}
		r.Networks = append(r.Networks, n)
	}
	site := long.QueryMillis["sitePower20Ports7Days1Minute"]
	r.Bars = map[string]bar{
		"bytesPerSample":       {long.BytesPerSample, 1.1, long.BytesPerSample <= 1.1},
		"samplesPerCpuSecond":  {long.SamplesPerCPUs, 1e6, long.SamplesPerCPUs >= 1e6},
		"sitePower7DaysMillis": {site.Median, 100, site.Median <= 100},
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode results: %w", err)
	}
	text = append(text, '\n')
	if out == "" {
		_, err = os.Stdout.Write(text)
		return err
	}
	log.Printf("%s", text)
	return os.WriteFile(out, text, 0o644)
}

func measure(name string, o telemetrytest.Options, length time.Duration, ask bool) (network, error) {
	ctx := context.Background()
	n := network{Name: name, Ports: 2 * o.Stations, Hours: length.Hours()}
	folder, err := os.MkdirTemp("", "telemetry")
	if err != nil {
		return n, err
	}
	defer os.RemoveAll(folder)
	w := telemetrytest.New(o)
	start := w.Now()
	s, err := telemetry.Open(ctx, telemetry.Options{Folder: folder, Now: w.Now})
	if err != nil {
		return n, err
	}
	var events []*event.Event
	var used time.Duration
	batches, total := 0, 0
	for w.Now().Before(start.Add(length)) {
		events = w.Step(events[:0])
		for some := range slices.Chunk(events, 512) {
			for _, e := range some {
				n.Samples += len(e.Body.(*event.Meter).Samples[0].Values)
			}
			batches++
			total += len(some)
			before, clock := cpu(), time.Now()
			if err := s.Consume(ctx, some, fmt.Sprint(batches)); err != nil {
				return n, err
			}
			used += cpu() - before
			n.WorstConsumeMillis = max(n.WorstConsumeMillis, millis(time.Since(clock)))
		}
		before, clock := cpu(), time.Now()
		if err := s.Tick(ctx, w.Now()); err != nil {
			return n, err
		}
		used += cpu() - before
		n.WorstTickMillis = max(n.WorstTickMillis, millis(time.Since(clock)))
		n.TailBytesMost = max(n.TailBytesMost, s.Stats().TailBytes)
		if n := int(w.Now().Sub(start) / time.Hour); w.Now().Sub(start)%(24*time.Hour) == 0 {
			log.Printf("%s: %d h", name, n)
		}
	}
	if !ask {
		// How long a start takes with a tail as full as it gets.
		if err := s.Close(ctx); err != nil {
			return n, err
		}
		clock := time.Now()
		if s, err = telemetry.Open(ctx, telemetry.Options{Folder: folder, Now: w.Now}); err != nil {
			return n, err
		}
		n.OpenMillis = millis(time.Since(clock))
	}
	before := cpu()
	if err := s.Seal(ctx); err != nil {
		return n, err
	}
	used += cpu() - before
	n.SamplesPerCPUs = float64(n.Samples) / used.Seconds()
	n.EventsPerBatch = float64(total) / float64(batches)
	n.PeakRSSMiB = peakRSS()
	if ask {
		if n.QueryMillis, err = questions(ctx, s, o, w.Now()); err != nil {
			return n, err
		}
	}
	clock := time.Now()
	report, err := s.Verify(ctx)
	if err != nil {
		return n, err
	}
	n.VerifyMillis = millis(time.Since(clock))
	copied := filepath.Join(folder, "copy")
	clock = time.Now()
	if err := s.Backup(ctx, copied); err != nil {
		return n, err
	}
	n.BackupMillis = millis(time.Since(clock))
	st, err := os.Stat(copied)
	if err != nil {
		return n, err
	}
	n.BackupBytes = st.Size()
	if report.Samples != n.Samples || len(report.Faults) > 0 {
		return n, fmt.Errorf("%d samples are in blocks, %d were measured, %d faults", report.Samples, n.Samples, len(report.Faults))
	}
	n.Blocks = report.Blocks
	n.SamplesPerBlock = float64(report.Samples) / float64(report.Blocks)
	if err := s.Close(ctx); err != nil {
		return n, err
	}
	// Closing the last connection folds the write-ahead log into the file.
	files, err := filepath.Glob(filepath.Join(folder, telemetry.FileName+"*"))
	if err != nil {
		return n, err
	}
	for _, f := range files {
		st, err := os.Stat(f)
		if err != nil {
			return n, err
		}
		n.FileBytes += st.Size()
	}
	n.BytesPerSample = float64(n.FileBytes) / float64(n.Samples)
	return n, nil
}

func questions(ctx context.Context, s *telemetry.Store, o telemetrytest.Options, now time.Time) (map[string]timings, error) {
	var all []telemetry.Port
	for i := range o.Stations {
		for evse := range 2 {
			all = append(all, telemetry.Port{Station: telemetrytest.StationID(i), EVSE: evse + 1})
		}
	}
	site := all[40:60]
	day := 24 * time.Hour
	out := map[string]timings{}
	for name, ask := range map[string]func() (int, error){
		"sitePower20Ports7Days1Minute": func() (int, error) {
			p, err := s.Power(ctx, site, now.Add(-7*day), now, time.Minute)
			return len(p), err
		},
		"onePort24hRaw": func() (int, error) {
			r, err := s.Range(ctx, telemetry.Query{Port: site[0], Measurand: "Power.Active.Import", From: now.Add(-day), To: now})
			return len(r.Points), err
		},
		"onePort7Days5Minutes": func() (int, error) {
			r, err := s.Range(ctx, telemetry.Query{Port: site[0], Measurand: "Power.Active.Import", From: now.Add(-7 * day), To: now, Step: 5 * time.Minute})
			return len(r.Points), err
		},
		"latestSample": func() (int, error) {
			l, err := s.Latest(ctx, site[1], "Power.Active.Import", "", now.Add(-7*day), now, 1)
			return len(l), err
		},
		"daysOfAllPorts": func() (int, error) {
			d, err := s.Days(ctx, all, now.Add(-7*day), now)
			return len(d), err
		},
		"hoursOfOnePort7Days": func() (int, error) {
			h, err := s.Hours(ctx, site[2], now.Add(-7*day), now)
			return len(h), err
		},
	} {
		var all []float64
		for range 9 {
			clock := time.Now()
			n, err := ask()
			took := millis(time.Since(clock))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if n == 0 {
				return nil, fmt.Errorf("%s: no answer", name)
			}
			all = append(all, took)
		}
		first := all[0]
		slices.Sort(all)
		out[name] = timings{First: first, Best: all[0], Median: all[len(all)/2], Worst: all[len(all)-1]}
	}
	return out, nil
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// cpu is the time all threads of the process have computed.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		log.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func peakRSS() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		log.Fatal(err)
	}
	return float64(u.Maxrss) / 1024
}

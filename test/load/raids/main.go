// Command raids plays labelled raids and ordinary nights to the rules of security, in
// virtual time, and says what they are worth with charger signals only, with motion and
// doors, and with labels.
//
//	go run ./test/load/raids -raids 60 -nights 200 -seed 1000
package main

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/detect/security"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/sim/raid"
)

// result is what a run leaves behind.
type result struct {
	Seed   uint64            `json:"seed"`
	Raids  int               `json:"raids"`
	Nights int               `json:"nights"`
	Cases  map[string]*tally `json:"cases"`
}

type tally struct {
	Found       int            `json:"found"`
	Missed      map[string]int `json:"missed"`
	ByKind      map[string]int `json:"byKind"`
	Seconds     []float64      `json:"secondsFromFirstCut"`
	StationDays float64        `json:"stationDays"`
	S1          map[string]int `json:"s1"`
	S2          map[string]int `json:"s2"`
}

func main() {
	log.SetFlags(0)
	var (
		raids  = flag.Int("raids", 60, "labelled raids")
		nights = flag.Int("nights", 220, "ordinary nights of one site")
		seed   = flag.Uint64("seed", 1, "of the first")
		name   = flag.String("name", "", "of the result in test/load/results; empty: it is only shown")
		trace  = flag.Bool("trace", false, "say each finding that counts against the rules")
	)
	flag.Parse()
	out := &result{Seed: *seed, Raids: *raids, Nights: *nights, Cases: make(map[string]*tally)}
	for sense, label := range senses() {
		out.Cases[label] = measure(*seed, *raids, *nights, raid.Sense(sense), *trace)
	}
	var text strings.Builder
	out.tell(&text)
	fmt.Print(text.String())
	if *name == "" {
		return
	}
	data, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		log.Fatal(err)
	}
	for ext, b := range map[string][]byte{".json": append(data, '\n'), ".md": []byte(text.String())} {
		if err := os.WriteFile("test/load/results/"+*name+ext, b, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

func senses() []string {
	return []string{"a: charger signals", "b: and motion, doors", "c: and labels"}
}

func measure(seed uint64, raids, nights int, sense raid.Sense, trace bool) *tally {
	c := &tally{Missed: make(map[string]int), ByKind: make(map[string]int), S1: make(map[string]int), S2: make(map[string]int)}
	kinds := raid.Kinds()
	for i := range raids {
		s := raid.Raid(seed+uint64(i), kinds[i%len(kinds)])
		c.ByKind[s.Kind]++
		at, found := first(play(s, sense), s)
		if !found {
			c.Missed[s.Kind]++
			if trace {
				log.Printf("missed: seed %d, %s, sense %d", seed+uint64(i), s.Kind, sense)
			}
			continue
		}
		c.Found++
		c.Seconds = append(c.Seconds, at.Sub(s.Cut).Seconds())
	}
	for i := range nights {
		s, days := raid.Night(seed + 1_000_000 + uint64(i))
		c.StationDays += days
		told := make(map[string]bool)
		for _, f := range play(s, sense) {
			if f.State == event.FindingCleared || f.Severity != event.S1 && f.Severity != event.S2 || told[f.Code+string(f.Severity)] {
				continue
			}
			if f.Severity == event.S1 {
				c.S1[f.Code]++
			} else {
				c.S2[f.Code]++
			}
			if trace {
				log.Printf("night %d: %s %s %s: %s", i, f.At.Format(time.TimeOnly), f.Severity, f.Code, f.Text)
			}
		}
	}
	slices.Sort(c.Seconds)
	return c
}

// first is when somebody would have been called because of a raid.
func first(found []detect.Finding, s *raid.Story) (time.Time, bool) {
	for _, f := range found {
		urgent := f.Severity == event.S1 || f.Severity == event.S2
		if urgent && f.State != event.FindingCleared && !f.At.After(s.End) && f.At.After(s.Cut.Add(-10*time.Minute)) {
			return f.At, true
		}
	}
	return time.Time{}, false
}

// play tells a story to the rules.
func play(s *raid.Story, sense raid.Sense) []detect.Finding {
	x := detect.New(security.Detectors())
	var all []detect.Finding
	seq := uint64(0)
	said, hidden := s.Tell()
	var answers []raid.Said
	hear := func(list []detect.Finding) {
		all = append(all, slices.Clone(list)...)
		for _, a := range x.Asked() {
			if b, ok := hidden[a.Intent.Station]; ok {
				answers = append(answers, answer(a.Intent, x.Now(), b))
				delete(hidden, a.Intent.Station)
			}
		}
	}
	tell := func(at time.Time, subject event.Subject, b event.Body) {
		for due, ok := x.Due(); ok && !due.After(at); due, ok = x.Due() {
			hear(x.Fire())
		}
		seq++
		hear(x.Apply(&event.Event{Seq: seq, Subject: subject, At: at, ReceivedAt: at, RecordedAt: at, Body: b}))
	}
	for _, e := range said {
		for len(answers) > 0 && !answers[0].At.After(e.At) {
			a := answers[0]
			answers = answers[1:]
			tell(a.At, a.Subject, a.Body)
		}
		if e.Needs <= sense {
			tell(e.At, e.Subject, e.Body)
		}
	}
	for _, a := range answers {
		tell(a.At, a.Subject, a.Body)
	}
	for due, ok := x.Due(); ok && !due.After(s.End); due, ok = x.Due() {
		hear(x.Fire())
	}
	return all
}

// answer is what a station says a second after it was asked.
func answer(i fleet.Intent, now time.Time, b event.Body) raid.Said {
	return raid.Said{At: now.Add(time.Second), Subject: event.Port(i.Station, 1, 1), Body: b}
}

func (r *result) tell(w io.Writer) {
	fmt.Fprintf(w, "# Raids and ordinary nights (seed %d)\n\n", r.Seed)
	fmt.Fprintf(w, "%d raids; nights of one site, 24 hours armed. Found: somebody is called (S1 or S2) before it ends.\n\n", r.Raids)
	fmt.Fprintln(w, "| signals | found | missed | from the first cut p50 | p95 | station-days | S1 per 1,000 | S2 per 1,000 |\n|---|---|---|---|---|---|---|---|")
	for _, label := range senses() {
		c := r.Cases[label]
		per := func(m map[string]int) string {
			n := 0
			for _, k := range m {
				n += k
			}
			return fmt.Sprintf("%.2f%s", float64(n)*1000/max(c.StationDays, 1), list(m))
		}
		fmt.Fprintf(w, "| %s | %d of %d | %s | %.1f s | %.1f s | %.0f | %s | %s |\n", label, c.Found, r.Raids, cmp.Or(strings.Trim(list(c.Missed), " ()"), "-"),
			quantile(c.Seconds, 0.5), quantile(c.Seconds, 0.95), c.StationDays, per(c.S1), per(c.S2))
	}
}

func list(m map[string]int) string {
	if len(m) == 0 {
		return ""
	}
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%s %d", k, m[k]))
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

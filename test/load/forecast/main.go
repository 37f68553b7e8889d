// Command forecast measures forecasts on published sessions: their errors beside
// simple models, how many hours their bands hold, how good the odds of a free
// port are, and how long all that takes.
//
//	go run ./test/load/forecast -weeks choose
//	go run ./test/load/forecast -weeks test -name 2core-forecast
//
// Models, their number and every constant were chosen on the weeks of "choose".
// The weeks of "test" were looked at only as often as docs/forecast.md says.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/test/load/keep"
)

// result is what a run leaves behind.
type result struct {
	Go      string    `json:"go"`
	Cores   int       `json:"cores"`
	Began   time.Time `json:"began"`
	Weeks   string    `json:"weeks"`
	Series  []row     `json:"series,omitempty"`
	Summary *summary  `json:"summary,omitempty"`
	Ports   []odds    `json:"ports,omitempty"`
	Speed   *speed    `json:"speed,omitempty"`
}

func main() {
	log.SetFlags(0)
	if err := run(os.Args[1:], os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(args []string, out io.Writer) (err error) {
	set := flag.NewFlagSet("forecast", flag.ContinueOnError)
	data := set.String("data", "../shared/data", "`FOLDER` of the published sets")
	weeks := set.String("weeks", "choose", "choose: those that models were chosen on; test: those kept for the end")
	modes := set.String("modes", "series,ports,speed", "comma-separated")
	sites := set.Int("sites", 1000, "of the speed mode")
	dir := set.String("out", "test/load/results", "`FOLDER` of the results")
	name := set.String("name", "", "of the results; empty: only print")
	profile := set.String("cpuprofile", "", "`FILE` for where the processor's time went")
	if err := set.Parse(args); err != nil {
		return err
	}
	if *weeks != "choose" && *weeks != "test" {
		return fmt.Errorf("weeks %q: choose or test", *weeks)
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
	res := &result{Go: runtime.Version(), Cores: runtime.NumCPU(), Began: time.Now().UTC().Truncate(time.Second), Weeks: *weeks}
	var text strings.Builder
	to := io.MultiWriter(out, &text)
	fmt.Fprintf(to, "# Forecasts, weeks: %s\n\n%s, %d cores, %s\n", *weeks, res.Go, res.Cores, res.Began.Format(time.RFC3339))
	for mode := range strings.SplitSeq(*modes, ",") {
		var err error
		switch mode {
		case "series":
			err = res.judgeSeries(to, *data, *weeks == "test")
		case "ports":
			err = res.judgePorts(to, *data, *weeks == "test")
		case "speed":
			res.measure(to, *sites)
		default:
			err = fmt.Errorf("mode %q: series, ports or speed", mode)
		}
		if err != nil {
			return err
		}
	}
	return keep.Result(*dir, *name, res, text.String())
}

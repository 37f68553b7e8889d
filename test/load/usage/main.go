// Command usage measures the roll-ups of usage: whether what they tell of
// published sessions is what a count of minutes tells that shares no code with
// them, how long questions take in a large fleet, and what a day of a station
// costs to count.
//
//	go run ./test/load/usage -name 2core-usage -demo FOLDER
//
// FOLDER is the data folder of a demo that is stopped, such as
// `chargewatch demo --past 90` leaves behind; without one the cost is not
// measured.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/test/load/keep"
)

// result is what a run leaves behind.
type result struct {
	Go     string      `json:"go"`
	Cores  int         `json:"cores"`
	Began  time.Time   `json:"began"`
	Dundee *agreement  `json:"dundee,omitempty"`
	Fleet  []answered  `json:"fleet,omitempty"`
	Cost   *costOfADay `json:"cost,omitempty"`
	Load   string      `json:"load"` // of the machine, when it began
}

func main() {
	log.SetFlags(0)
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	set := flag.NewFlagSet("usage", flag.ContinueOnError)
	data := set.String("data", "../shared/data", "`FOLDER` of the published sets")
	modes := set.String("modes", "dundee,fleet,cost", "comma-separated")
	sites := set.Int("sites", 1000, "of the fleet; each has ten ports")
	days := set.Int("days", 365, "of the fleet")
	demo := set.String("demo", "", "data `FOLDER` of a demo that is stopped")
	dir := set.String("out", "test/load/results", "`FOLDER` of the results")
	name := set.String("name", "", "of the results; empty: only print")
	if err := set.Parse(args); err != nil {
		return err
	}
	res := &result{Go: runtime.Version(), Cores: runtime.NumCPU(), Began: time.Now().UTC().Truncate(time.Second)}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		res.Load = strings.Join(strings.Fields(string(load))[:3], " ")
	}
	var text strings.Builder
	to := io.MultiWriter(out, &text)
	fmt.Fprintf(to, "# Roll-ups of usage\n\n%s, %d cores, load %s, %s\n", res.Go, res.Cores, res.Load, res.Began.Format(time.RFC3339))
	work, err := os.MkdirTemp("", "usage-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer os.RemoveAll(work) //nolint:errcheck // a leftover of a measurement
	for mode := range strings.SplitSeq(*modes, ",") {
		switch mode {
		case "dundee":
			res.Dundee, err = dundee(ctx, to, *data, filepath.Join(work, "dundee"))
		case "fleet":
			res.Fleet, err = fleetOf(ctx, to, filepath.Join(work, "fleet"), *sites, *days)
		case "cost":
			if *demo == "" {
				continue
			}
			res.Cost, err = cost(ctx, to, *demo, filepath.Join(work, "cost"))
		default:
			err = fmt.Errorf("mode %q: dundee, fleet or cost", mode)
		}
		if err != nil {
			return err
		}
	}
	return keep.Result(*dir, *name, res, text.String())
}

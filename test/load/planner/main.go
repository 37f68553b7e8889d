// Command planner measures what plans for more ports stand on: simulation beside
// closed forms, demand that full sites hide, the busy time of real sites beside
// what a plan says, and how long all that takes.
//
//	go run ./test/load/planner -name 2core-planner
//
// Nothing in a plan was fitted to the sites of Dundee. Each of their quarters is
// predicted twice: from its own sessions, as the notes that the bars come from
// did, and from what was before it.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/test/load/keep"
)

// result is what a run leaves behind.
type result struct {
	Go     string    `json:"go"`
	Cores  int       `json:"cores"`
	Began  time.Time `json:"began"`
	Theory []theory  `json:"theory,omitempty"`
	Hidden []hidden  `json:"hidden,omitempty"`
	Real   []real    `json:"real,omitempty"`
	Power  []power   `json:"power,omitempty"`
	Speed  *speed    `json:"speed,omitempty"`
}

func main() {
	log.SetFlags(0)
	if err := run(os.Args[1:], os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(args []string, out io.Writer) error {
	set := flag.NewFlagSet("planner", flag.ContinueOnError)
	data := set.String("data", "../shared/data", "`FOLDER` of the published sets")
	modes := set.String("modes", "theory,hidden,real,power,speed", "comma-separated")
	dir := set.String("out", "test/load/results", "`FOLDER` of the results")
	name := set.String("name", "", "of the results; empty: only print")
	if err := set.Parse(args); err != nil {
		return err
	}
	res := &result{Go: runtime.Version(), Cores: runtime.NumCPU(), Began: time.Now().UTC().Truncate(time.Second)}
	var text strings.Builder
	to := io.MultiWriter(out, &text)
	fmt.Fprintf(to, "# Plans\n\n%s, %d cores, %s\n", res.Go, res.Cores, res.Began.Format(time.RFC3339))
	for mode := range strings.SplitSeq(*modes, ",") {
		var err error
		switch mode {
		case "theory":
			err = res.compare(to)
		case "hidden":
			err = res.uncover(to)
		case "real":
			err = res.predict(to, *data)
		case "power":
			err = res.share(to, *data)
		case "speed":
			err = res.measure(to)
		default:
			err = fmt.Errorf("mode %q: theory, hidden, real, power or speed", mode)
		}
		if err != nil {
			return err
		}
	}
	return keep.Result(*dir, *name, res, text.String())
}

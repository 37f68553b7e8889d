package stage

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/sim/camera"
	"github.com/chargewatch/chargewatch/internal/sim/raid"
)

// run is a call of "chargewatch sim raid".
type run struct {
	rig    RigOptions
	play   Options
	kinds  []string
	count  int
	keep   bool
	stdout io.Writer
	mu     sync.Mutex // of stdout
}

// Main is "chargewatch sim raid": stories played with devices of their own against a
// server, one after the other. It prints what was done when, as lines of JSON, and
// returns the exit status.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("sim raid", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	r := run{stdout: stdout}
	all := slices.Concat(raid.Kinds(), raid.Others(), raid.Nights())
	fs.StringVar(&r.rig.API, "api", "http://127.0.0.1:8080", "address of the server's API")
	fs.StringVar(&r.rig.OCPP, "url", "ws://127.0.0.1:8887/ocpp", "ws:// or wss:// address for stations, without the identity")
	fs.StringVar(&r.rig.ID, "site", "raid", "id of the site that is made for a story; the seed follows")
	fs.StringVar(&r.rig.Host, "host", "127.0.0.1", "`ADDRESS` at which cameras and controllers listen; the server needs it within --allow-net")
	fs.DurationVar(&r.rig.Warm, "warm", 30*time.Second, "how long cameras look at the quiet site first")
	fs.Uint64Var(&r.play.Seed, "seed", 1, "same seed, same story")
	fs.Float64Var(&r.play.Speed, "speed", 1, "the waiting between acts is divided by it; rules keep their times")
	fs.DurationVar(&r.play.Pause, "pause", 0, "the longest that nothing happens; 0: as long as the story says")
	fs.IntVar(&r.count, "count", 1, "number of stories; the kinds in turn, with the seeds that follow")
	fs.BoolVar(&r.keep, "keep", false, "leave the site and its devices enrolled")
	var (
		kind     = fs.String("kind", "idle", "what happens, separated by commas: "+strings.Join(all, ", ")+"; or raids, nights, all")
		senses   = fs.String("senses", "labels", "what the site has: charger (stations only), motion (and cameras and doors) or labels (and cameras that name what they see)")
		tokenEnv = fs.String("token-env", "CHARGEWATCH_TOKEN", "environment variable that holds an administrator's API token")
	)
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fs.SetOutput(stdout)
			fs.PrintDefaults()
			return 0
		}
		fmt.Fprintln(stderr, "sim raid:", err)
		return 2
	}
	misused := func(why string) int { fmt.Fprintln(stderr, "sim raid:", why); return 2 }
	switch *kind {
	case "all":
		r.kinds = all
	case "raids":
		r.kinds = raid.Kinds()
	case "nights":
		r.kinds = raid.Nights()
	default:
		r.kinds = strings.Split(*kind, ",")
	}
	for _, k := range r.kinds {
		if _, err := raid.Draw(r.play.Seed, k); err != nil {
			return misused(err.Error())
		}
	}
	sense := slices.Index([]string{"charger", "motion", "labels"}, *senses)
	r.rig.Senses = raid.Sense(sense)
	if r.rig.Token = os.Getenv(*tokenEnv); r.rig.Token == "" {
		return misused("want an administrator's token in " + *tokenEnv)
	}
	if fs.NArg() > 0 || r.count < 1 || r.count > 10_000 || r.play.Speed <= 0 || sense < 0 || r.rig.ID == "" {
		return misused("want a --count from 1 to 10000, a positive --speed, --senses charger, motion or labels, a --site and no further words")
	}
	r.rig.Logger = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	r.play.Logger = r.rig.Logger
	r.play.Tell = r.tell
	first := r.play.Seed
	site := r.rig.ID
	for i := range r.count {
		r.play.Seed = first + uint64(i)
		r.rig.ID = fmt.Sprintf("%s-%d", site, r.play.Seed)
		if err := r.one(ctx, r.kinds[i%len(r.kinds)]); err != nil {
			fmt.Fprintln(stderr, "sim raid:", err)
			return 1
		}
		if ctx.Err() != nil {
			return 0
		}
	}
	return 0
}

// one plays one story at a site of its own.
func (r *run) one(ctx context.Context, kind string) (err error) {
	o := r.rig
	if o.Story, err = raid.Draw(r.play.Seed, kind); err != nil {
		return err
	}
	number := fnv.New32a()
	number.Write([]byte(o.ID))
	o.Serial = 100_000_000 + number.Sum32()%300_000_000
	if o.Senses >= raid.Motion {
		o.Seen = func(s camera.Seen) {
			if s.Began {
				r.tell(Line{At: s.At.UTC(), Site: o.ID, Kind: kind, Seed: r.play.Seed, Do: Sees, Camera: s.Camera, What: s.What})
			}
		}
	}
	rig, err := OpenRig(ctx, o)
	if err == nil {
		err = Play(ctx, &rig.Site, o.Story, r.play)
	}
	if ctx.Err() != nil {
		err = nil // it was stopped
	}
	return errors.Join(err, rig.Close(r.keep))
}

func (r *run) tell(l Line) {
	b, err := json.Marshal(l)
	if err != nil { // only strings and numbers come here
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(r.stdout, "%s\n", b)
}

package sim

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/sim/camera"
	"github.com/chargewatch/chargewatch/internal/sim/door"
)

// Main is the sim subcommand: "stations" runs stations against any central
// system, "cameras" an RTSP server, "doors" door controllers, until ctx ends. It returns the exit status.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	const usage = "usage: chargewatch sim stations --url ws://HOST:PORT/ocpp [flags]\n       chargewatch sim cameras [flags]\n       chargewatch sim doors [flags]\n       chargewatch sim raid --api http://HOST:PORT --url ws://HOST:PORT/ocpp [flags]\n       chargewatch sim scenarios"
	if len(args) == 0 {
		fmt.Fprintln(stderr, usage)
		return 2
	}
	if slices.Contains([]string{"-h", "-help", "--help", "help"}, args[0]) {
		fmt.Fprintf(stdout, "%s\n\nFlags of stations:\n\n", usage)
		return stationsMain(ctx, []string{"-h"}, stdout, stderr)
	}
	switch args[0] {
	case "scenarios":
		for _, s := range Scenarios() {
			fmt.Fprintf(stdout, "%-14s %s\n", s.Name, s.About)
		}
		return 0
	case "stations":
		return stationsMain(ctx, args[1:], stdout, stderr)
	case "cameras":
		return camera.Main(ctx, args[1:], os.Stdin, stdout, stderr)
	case "doors":
		return door.Main(ctx, args[1:], os.Stdin, stdout, stderr)
	}
	fmt.Fprintf(stderr, "sim: unknown command %q\n", args[0])
	return 2
}

func stationsMain(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("sim stations", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	var o Options
	var (
		count       = fs.Int("count", 10, "number of stations")
		version     = fs.String("version", "", "1.6, 2.0.1 or 2.1; empty: as the model was built")
		scenario    = fs.String("scenario", "day", "what happens; see: sim scenarios")
		prefix      = fs.String("prefix", "SIM-", "identities are the prefix and a number")
		network     = fs.Bool("network", false, "the demo network (12 sites, about 120 stations) in place of --count")
		quirks      = fs.String("quirks", "", "bad habits of all stations, by name, or all")
		tokens      = fs.String("tokens", "", "comma-separated idTokens the drivers use; empty: made up from the seed")
		start       = fs.String("start", "", "simulated time of the start: RFC 3339, or a duration from now such as -12h")
		sample      = fs.Int("sample", 0, "meter interval in seconds set at commissioning; 0: factory settings")
		stats       = fs.Duration("stats", 10*time.Second, "how often to print counters; 0 is never")
		duration    = fs.Duration("for", 0, "stop after this long; 0 is never")
		ca          = fs.String("ca", "", "PEM file with the authority of the server's certificate")
		insecure    = fs.Bool("insecure", false, "do not check the server's certificate")
		cert        = fs.String("cert", "", "client certificate, PEM")
		key         = fs.String("key", "", "its private key, PEM")
		passwordEnv = fs.String("password-env", "", "environment variable that holds the password")
	)
	fs.StringVar(&o.URL, "url", "", "ws:// or wss:// address of the central system, without the identity")
	fs.Uint64Var(&o.Seed, "seed", 1, "same seed, same lives")
	fs.StringVar(&o.Password, "password", "", "Basic auth password of all stations")
	fs.Float64Var(&o.Speed, "speed", 1, "simulated seconds per second")
	fs.DurationVar(&o.History, "history", 6*time.Hour, "how long the stations have been in use before the start")
	fs.BoolVar(&o.Replay, "replay", false, "also send the finished sessions of the history, as an offline queue")
	fs.DurationVar(&o.Ramp, "ramp", 0, "spread first connections over this time")
	fs.IntVar(&o.Sources, "sources", 1, "dial from this many loopback addresses")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fs.SetOutput(stdout)
			fs.PrintDefaults()
			return 0
		}
		fmt.Fprintln(stderr, "sim stations:", err)
		return 2
	}
	usage := func(err error) int { fmt.Fprintln(stderr, "sim stations:", err); return 2 }
	if o.URL == "" || fs.NArg() > 0 || *count < 1 || *count > 200_000 || o.Speed <= 0 || o.Sources < 1 || o.Sources > 250 {
		return usage(errors.New("want --url, a --count from 1 to 200000, a positive --speed and no further words"))
	}
	v, err := ParseVersion(*version)
	if err != nil {
		return usage(err)
	}
	if o.Scenario, err = FindScenario(*scenario); err != nil {
		return usage(err)
	}
	q, err := ParseQuirks(*quirks)
	if err != nil {
		return usage(err)
	}
	if o.Start, err = parseStart(*start); err != nil {
		return usage(err)
	}
	if *passwordEnv != "" {
		o.Password = os.Getenv(*passwordEnv)
	}
	if o.TLS, err = clientTLS(*ca, *cert, *key, *insecure); err != nil {
		fmt.Fprintln(stderr, "sim stations:", err)
		return 1
	}
	o.Plan = Park(*count, v, *prefix, o.Seed)
	if *scenario == "factory" {
		o.Plan = FactoryFleet(*count, *prefix, o.Seed)
	}
	if *network {
		o.Plan = Network(o.Seed)
	}
	if *tokens != "" {
		o.Plan.Tokens = nil
		for t := range strings.SplitSeq(*tokens, ",") {
			o.Plan.Tokens = append(o.Plan.Tokens, Token{strings.TrimSpace(t), "ISO14443"})
		}
	}
	for i := range o.Plan.Stations {
		s := &o.Plan.Stations[i]
		s.Quirks |= q
		if *sample > 0 {
			s.Config = commissioned(s.version(), *sample)
		}
	}
	o.Logger = slog.New(slog.NewTextHandler(stderr, nil))
	f, err := New(o)
	if err != nil {
		fmt.Fprintln(stderr, "sim stations:", err)
		return 1
	}
	if *duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *duration)
		defer cancel()
	}
	if *stats > 0 {
		go report(ctx, f, *stats, stdout)
	}
	if err := f.Run(ctx); err != nil {
		fmt.Fprintln(stderr, "sim stations:", err)
		return 1
	}
	fmt.Fprintln(stdout, f.Stats())
	return 0
}

func report(ctx context.Context, f *Fleet, every time.Duration, w io.Writer) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			fmt.Fprintln(w, f.Stats())
		}
	}
}

// String is one line for people.
func (s Stats) String() string {
	line := fmt.Sprintf("online %d/%d  sessions %d  charging %d  power %.0f kW  calls %d  answered %d  refused %d  timeouts %d  queued %d  commands %d",
		s.Online, s.Stations, s.Sessions, s.Charging, s.PowerW/1000, s.Calls, s.Answered, s.Refused, s.Timeouts, s.Queued, s.Commands)
	if s.DialErrors > 0 {
		line += fmt.Sprintf("  dial errors %d (%s)", s.DialErrors, s.LastDialError)
	}
	return line
}

func parseStart(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(s); err == nil {
		return time.Now().Add(d), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("start %q: want RFC 3339 or a duration such as -12h", s)
	}
	return t, nil
}

// clientTLS builds the stations' side of security profiles 2 and 3.
func clientTLS(ca, cert, key string, insecure bool) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: insecure, ClientSessionCache: tls.NewLRUClientSessionCache(64)}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, fmt.Errorf("read authority: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read authority: no certificate in %s", ca)
		}
	}
	if cert != "" || key != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("read client certificate: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// Package app puts the rooms together: it is the only one that knows them all.
//
// Main is the command line. New builds a server from a configuration, Run runs
// it until its context ends; two servers fit in one process.
package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/chargewatch/chargewatch/internal/config"
	"github.com/chargewatch/chargewatch/internal/sim"
)

// version is set by the linker.
var version = "dev"

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// errUsage marks errors of the command line.
var errUsage = errors.New("usage")

// streams are what a command reads and writes.
type streams struct {
	out, err io.Writer
	env      func(string) (string, bool)
}

type command struct {
	name, about string
	run         func(ctx context.Context, args []string, s streams) error
}

func commands() []command {
	return []command{
		{"serve", "run the server", serveCommand},
		{"demo", "run the server with a simulated network", demoCommand},
		{"sim", "simulate charging stations against any OCPP server", nil},
		{"replay", "fold the journal again and compare it with what is stored", replayCommand},
		{"station", "list enrolled stations", stationCommand},
		{"token", "make and end API tokens", tokenCommand},
		{"user", "make sign-in links", userCommand},
		{"check", "check a configuration", checkCommand},
		{"verify", "check the data folder", verifyCommand},
		{"backup", "copy the data folder while the server runs, bring it back, check a copy", backupCommand},
		{"version", "print the version", versionCommand},
	}
}

// Main runs one command and returns the exit status: 0 ok, 1 failed, 2 usage.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s := streams{out: stdout, err: stderr, env: os.LookupEnv}
	if len(args) == 0 || slices.Contains([]string{"help", "-h", "--help"}, args[0]) {
		usage(stderr)
		return exitUsage
	}
	if args[0] == "sim" {
		return sim.Main(ctx, args[1:], stdout, stderr)
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		err := c.run(ctx, args[1:], s)
		switch {
		case err == nil:
			return exitOK
		case errors.Is(err, flag.ErrHelp):
			fmt.Fprintf(stderr, "chargewatch %s: %s\n", c.name, c.about)
			return exitUsage
		case errors.Is(err, errUsage):
			fmt.Fprintf(stderr, "chargewatch %s: %v\n", c.name, err)
			return exitUsage
		default:
			fmt.Fprintf(stderr, "chargewatch %s: %v\n", c.name, err)
			return exitFailed
		}
	}
	fmt.Fprintf(stderr, "chargewatch: unknown command %q\n", args[0])
	usage(stderr)
	return exitUsage
}

func usage(w io.Writer) {
	fmt.Fprint(w, "usage: chargewatch COMMAND [flags]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-8s %s\n", c.name, c.about)
	}
	fmt.Fprint(w, "\nFlags of serve and demo stand in docs/ops/configuration.md; each has an environment variable CHARGEWATCH_NAME.\n")
}

// load reads the configuration of a command; what it finds wrong is usage.
func load(name string, args []string, s streams, more func(*flag.FlagSet)) (config.Config, []string, error) {
	c, rest, err := config.Load(name, args, s.env, more)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		return c, rest, fmt.Errorf("%w: %w", errUsage, err)
	}
	return c, rest, err
}

// only refuses words that are no flags.
func only(rest []string) error {
	if len(rest) > 0 {
		return fmt.Errorf("%w: unknown word %q", errUsage, strings.Join(rest, " "))
	}
	return nil
}

func versionCommand(_ context.Context, args []string, s streams) error {
	if err := only(args); err != nil {
		return err
	}
	_, err := fmt.Fprintln(s.out, "chargewatch", version)
	return err
}

func checkCommand(_ context.Context, args []string, s streams) error {
	c, rest, err := load("check", args, s, nil)
	if err != nil {
		return err
	}
	if err := only(rest); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "the configuration is valid: data %s, http %s, ocpp %s, onboarding %s\n", c.Data, c.HTTP, c.OCPP, c.Onboarding)
	return err
}

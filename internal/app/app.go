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
	"github.com/chargewatch/chargewatch/internal/sim/stage"
)

// version is set by the linker.
var version = "dev"

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// usageError is what the person at the command line can mend.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func misused(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// streams are what a command reads and writes.
type streams struct {
	out, err io.Writer
	env      func(string) (string, bool)
}

type command struct {
	name, about string
	forms       []string // the words after the name
	run         func(ctx context.Context, args []string, s streams) error
}

func commands() []command {
	return []command{
		{"serve", "run the server", []string{"[flags]"}, serveCommand},
		{"demo", "run the server with a simulated network", []string{"[flags]"}, demoCommand},
		{"sim", "simulate charging stations against any OCPP server, cameras and door controllers", []string{"stations --url ws://HOST:PORT/ocpp [flags]", "cameras [flags]", "doors [flags]", "raid --api http://HOST:PORT --url ws://HOST:PORT/ocpp [flags]", "scenarios"}, simCommand},
		{"replay", "fold the journal again and compare it with what is stored", []string{"[flags]"}, replayCommand},
		{"station", "list enrolled stations", []string{"list [flags]"}, stationCommand},
		{"token", "make and end API tokens", []string{"create --name NAME --role ROLE [--site ID]... [flags]", "list [flags]", "delete --id ID [flags]"}, tokenCommand},
		{"user", "make sign-in links", []string{"link --name NAME [flags]", "list [flags]"}, userCommand},
		{"import", "take in sessions from before, of other systems", []string{"sessions FILE [flags]", "sessions --undo ID [flags]", "list [flags]"}, importCommand},
		{"check", "check a configuration", []string{"[flags]"}, checkCommand},
		{"verify", "check the data folder, a pack of evidence or the audit log", []string{"[flags]", "evidence --key FILE PATH", "audit --key FILE [EXPORT]"}, verifyCommand},
		{"backup", "copy the data folder while the server runs, bring it back, check a copy", []string{"FOLDER [flags]", "--restore FOLDER [flags]", "--verify FOLDER"}, backupCommand},
		{"version", "print the version", []string{""}, versionCommand},
	}
}

// Main runs one command and returns the exit status: 0 ok, 1 failed, 2 usage.
// Help that was asked for goes to stdout and is no failure.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s := streams{out: stdout, err: stderr, env: os.LookupEnv}
	if len(args) == 0 {
		usage(stderr)
		return exitUsage
	}
	if asksHelp(args) {
		if len(args) == 1 {
			usage(stdout)
			return exitOK
		}
		args = []string{args[1], "--help"} // chargewatch help COMMAND
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.main(ctx, args[1:], s)
		}
	}
	fmt.Fprintf(stderr, "chargewatch: unknown command %q\n", args[0])
	usage(stderr)
	return exitUsage
}

func (c command) main(ctx context.Context, args []string, s streams) int {
	err := c.run(ctx, args, s)
	if err == nil {
		return exitOK
	}
	if ended, ok := errors.AsType[exit](err); ok {
		return int(ended)
	}
	if errors.Is(err, flag.ErrHelp) {
		c.help(s.out, err)
		return exitOK
	}
	fmt.Fprintf(s.err, "chargewatch %s: %v\n", c.name, err)
	if _, ok := errors.AsType[usageError](err); ok {
		fmt.Fprintf(s.err, "chargewatch help %s says more.\n", c.name)
		return exitUsage
	}
	return exitFailed
}

// help says what a command does and, where it reads a configuration, its flags.
func (c command) help(w io.Writer, err error) {
	for i, f := range c.forms {
		lead := "usage:"
		if i > 0 {
			lead = "      "
		}
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%s chargewatch %s %s", lead, c.name, f), " "))
	}
	fmt.Fprintf(w, "\n%s%s.\n", strings.ToUpper(c.about[:1]), c.about[1:])
	if h, ok := errors.AsType[*config.Help](err); ok {
		fmt.Fprintf(w, "\n%s", h.Flags)
	}
}

// asksHelp reports whether the first word is one of those people try.
func asksHelp(args []string) bool {
	return len(args) > 0 && slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0])
}

func usage(w io.Writer) {
	fmt.Fprint(w, "usage: chargewatch COMMAND [flags]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-8s %s\n", c.name, c.about)
	}
	fmt.Fprint(w, "\nchargewatch help COMMAND lists its flags, their defaults and environment variables.\n")
}

// exit is the status of a command that has told everything itself.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

func simCommand(ctx context.Context, args []string, s streams) error {
	status := exitOK
	if len(args) > 0 && args[0] == "raid" {
		status = stage.Main(ctx, args[1:], s.out, s.err)
	} else {
		status = sim.Main(ctx, args, s.out, s.err)
	}
	if status != exitOK {
		return exit(status)
	}
	return nil
}

// load reads the configuration of a command; what it finds wrong is usage.
func load(name string, args []string, s streams, more func(*flag.FlagSet)) (config.Config, []string, error) {
	c, rest, err := config.Load(name, args, s.env, more)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		return c, rest, usageError{err}
	}
	return c, rest, err
}

// only refuses words that are no flags.
func only(rest []string) error {
	if len(rest) > 0 {
		return misused("unknown word %q", strings.Join(rest, " "))
	}
	return nil
}

func versionCommand(_ context.Context, args []string, s streams) error {
	if asksHelp(args) {
		return flag.ErrHelp
	}
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

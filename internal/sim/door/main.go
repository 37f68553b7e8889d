package door

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// Main is "chargewatch sim doors": controllers until ctx ends. It returns the exit
// status.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("sim doors", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	var o Options
	fs.StringVar(&o.Listen, "listen", "127.0.0.1:60000", "`ADDRESS:PORT` of all controllers, UDP; port 0 takes a free one")
	fs.DurationVar(&o.HeldAfter, "held", 30*time.Second, "a door that stands open for so long is held open")
	fs.IntVar(&o.Keep, "keep", 20_000, "records that a controller keeps")
	var (
		count    = fs.Int("count", 1, "number of controllers, with four doors each")
		serial   = fs.Uint("serial", 405419896, "serial number of the first; the others follow")
		place    = fs.String("zone", "Local", "time zone of their clocks")
		control  = fs.Bool("control", false, "read commands from the standard input: swipe SERIAL DOOR CARD [PIN], duress SERIAL DOOR CARD, press|open|shut SERIAL DOOR, fire|power|mute SERIAL on|off, drift SERIAL DURATION")
		broker   onBroker
		duration = fs.Duration("for", 0, "stop after this long; 0 is never")
	)
	fs.StringVar(&broker.url, "broker", "", "be a relay with a contact on this MQTT broker instead, such as mqtt://127.0.0.1:1883; commands are open, shut, relay|power on|off, swipe CARD [PIN]")
	fs.StringVar(&broker.user, "user", "", "user at the broker")
	fs.StringVar(&broker.password, "password", "", "password at the broker")
	fs.StringVar(&broker.kind, "device", string(Shelly2), "make of the device on the broker: zigbee2mqtt, zigbee2mqttLock, shelly1, shelly2 or tasmota")
	fs.StringVar(&broker.name, "name", "gate", "name of the device on the broker")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fs.SetOutput(stdout)
			fs.PrintDefaults()
			return 0
		}
		fmt.Fprintln(stderr, "sim doors:", err)
		return 2
	}
	zone, err := time.LoadLocation(*place)
	if err != nil || fs.NArg() > 0 || *count < 1 || *count > 1000 || *serial == 0 || *serial > 1<<32-1001 || o.Keep < 1 || o.HeldAfter <= 0 {
		fmt.Fprintln(stderr, "sim doors: want a --count from 1 to 1000, a --serial, a time zone and no further words")
		return 2
	}
	if *duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *duration)
		defer cancel()
	}
	if broker.url != "" {
		commands := stdin
		if !*control {
			commands = nil
		}
		if err := broker.run(ctx, commands, stdout, stderr); err != nil {
			fmt.Fprintln(stderr, "sim doors:", err)
			return 1
		}
		return 0
	}
	o.Logger = slog.New(slog.NewTextHandler(stderr, nil))
	f, err := New(o)
	if err != nil {
		fmt.Fprintln(stderr, "sim doors:", err)
		return 1
	}
	defer f.Close()
	for i := range *count {
		c := f.Add(uint32(*serial)+uint32(i), zone)
		fmt.Fprintf(stdout, "%d at %s\n", c.Serial(), f.Address())
	}
	if *control {
		go obey(f, stdin, stdout, stderr)
	}
	if err := f.Run(ctx); err != nil {
		fmt.Fprintln(stderr, "sim doors:", err)
		return 1
	}
	return 0
}

// obey does what lines say until they end.
func obey(f *Farm, r io.Reader, stdout, stderr io.Writer) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		w := strings.Fields(lines.Text())
		if len(w) == 0 {
			continue
		}
		answer, err := f.obey(w[0], append(w[1:], "", "", "", ""))
		if err != nil {
			fmt.Fprintln(stderr, err)
			continue
		}
		fmt.Fprintln(stdout, answer)
	}
}

// obey does one thing: to a controller, and mostly to one of its doors.
func (f *Farm) obey(what string, w []string) (string, error) {
	serial, err := strconv.ParseUint(w[0], 10, 32)
	c, ok := f.Controller(uint32(serial))
	if err != nil || !ok {
		return "", fmt.Errorf("no controller %q", w[0])
	}
	switch what {
	case "fire", "power", "mute":
		if w[1] != "on" && w[1] != "off" {
			return "", fmt.Errorf("%s is on or off", what)
		}
		map[string]func(bool){"fire": c.Fire, "power": c.Power, "mute": c.Mute}[what](w[1] == "on")
		return "done", nil
	case "drift":
		by, err := time.ParseDuration(w[1])
		if err != nil {
			return "", err
		}
		c.Drift(by)
		return "done", nil
	}
	n, err := strconv.Atoi(w[1])
	if err != nil || n < 1 || n > 4 {
		return "", fmt.Errorf("no door %q", w[1])
	}
	switch what {
	case "press", "open", "shut":
		map[string]func(int){"press": c.Press, "open": c.Open, "shut": c.Shut}[what](n)
		return "done", nil
	case "swipe", "duress":
		card, err := strconv.ParseUint(w[2], 10, 32)
		if err != nil {
			return "", fmt.Errorf("no card %q", w[2])
		}
		var got Outcome
		if what == "duress" {
			got = c.Duress(n, uint32(card))
		} else {
			pin := uint64(0)
			if w[3] != "" {
				if pin, err = strconv.ParseUint(w[3], 10, 32); err != nil {
					return "", fmt.Errorf("no PIN %q", w[3])
				}
			}
			got = c.Swipe(n, uint32(card), uint32(pin))
		}
		verdict := "refused"
		if got.Granted {
			verdict = "granted"
		}
		return fmt.Sprintf("%s %d %d", verdict, got.Reason, got.Index), nil
	}
	return "", fmt.Errorf("unknown command %q", what)
}

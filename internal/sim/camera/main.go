package camera

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"
)

// Main is "chargewatch sim cameras": cameras until ctx ends. It returns the exit
// status.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("sim cameras", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	var o Options
	fs.StringVar(&o.Listen, "listen", "127.0.0.1:8554", "`HOST:PORT` of the RTSP server; port 0 takes a free one")
	fs.StringVar(&o.User, "user", "", "user that cameras ask for; empty: they ask nobody")
	fs.StringVar(&o.Password, "password", "", "its password")
	var (
		count       = fs.Int("count", 4, "number of cameras")
		prefix      = fs.String("prefix", "cam", "names are the prefix and a number")
		view        = fs.String("view", "", "where they stand: "+strings.Join(Views(), ", ")+"; empty: all of these in turn")
		scene       = fs.String("scene", "", "what they show over and over; see --list. Empty: one scene after another")
		file        = fs.String("file", "", "`FILE` that all show in place of scenes: H.264 in Annex B form, 15 pictures a second, no B-frames; main stream only")
		sound       = fs.Bool("sound", false, "a tone beside the main streams")
		fault       = fs.String("fault", "", "what is wrong with all of them; see --list")
		list        = fs.Bool("list", false, "list scenes with their truth tables, and faults")
		control     = fs.Bool("control", false, "read commands from the standard input: play NAME SCENE, perform NAME SCENE, bays NAME 10, fault NAME FAULT, mend NAME")
		onvif       = fs.String("onvif", "", "`HOST:PORT` at which they speak ONVIF too, with the same user; empty: they do not")
		duration    = fs.Duration("for", 0, "stop after this long; 0 is never")
		passwordEnv = fs.String("password-env", "", "environment variable that holds the password")
	)
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fs.SetOutput(stdout)
			fs.PrintDefaults()
			return 0
		}
		fmt.Fprintln(stderr, "sim cameras:", err)
		return 2
	}
	if fs.NArg() > 0 || *count < 1 || *count > 1000 {
		fmt.Fprintln(stderr, "sim cameras: want a --count from 1 to 1000 and no further words")
		return 2
	}
	if *passwordEnv != "" {
		o.Password = os.Getenv(*passwordEnv)
	}
	if (o.User == "") != (o.Password == "") {
		fmt.Fprintln(stderr, "sim cameras: want --user and --password, or neither")
		return 2
	}
	ill := NoFault
	if *fault != "" {
		var err error
		if ill, err = ParseFault(*fault); err != nil {
			fmt.Fprintln(stderr, "sim cameras:", err)
			return 2
		}
	}
	o.Logger = slog.New(slog.NewTextHandler(stderr, nil))
	if *list {
		o.Listen = "127.0.0.1:0"
	}
	f, err := New(o)
	if err != nil {
		fmt.Fprintln(stderr, "sim cameras:", err)
		return 1
	}
	defer f.Close()
	if *list {
		return listed(f, *view, stdout, stderr)
	}
	var device *Device
	if *onvif != "" && !*list {
		if device, err = NewDevice(f, DeviceOptions{Listen: *onvif}); err != nil {
			fmt.Fprintln(stderr, "sim cameras:", err)
			return 1
		}
		defer device.Close()
	}
	var own []byte
	if *file != "" {
		if own, err = os.ReadFile(*file); err != nil {
			fmt.Fprintln(stderr, "sim cameras:", err)
			return 1
		}
	}
	for i := range *count {
		s := Spec{Clip: own, Name: fmt.Sprintf("%s%d", *prefix, i+1), View: *view, Scene: *scene, Sound: *sound}
		if s.View == "" {
			s.View = Views()[i%len(Views())]
		}
		if s.Scene == "" {
			all := scenes()
			s.Scene = all[i%len(all)].Name
		}
		if err := f.Add(s); err != nil {
			fmt.Fprintln(stderr, "sim cameras:", err)
			return 2
		}
		if err := f.SetFault(s.Name, ill); err != nil {
			fmt.Fprintln(stderr, "sim cameras:", err)
			return 1
		}
		fmt.Fprintf(stdout, "%s  %s  %s, %s\n", f.URL(s.Name, MainStream), f.URL(s.Name, SubStream), s.View, s.Scene)
		if device != nil {
			fmt.Fprintln(stdout, device.URL(s.Name))
		}
	}
	if *duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *duration)
		defer cancel()
	}
	if *control {
		go obey(f, stdin, stdout, stderr)
	}
	if device != nil {
		inner, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- device.Run(inner) }()
		defer func() {
			stop()
			if err := <-done; err != nil {
				fmt.Fprintln(stderr, "sim cameras:", err)
			}
		}()
	}
	if err := f.Run(ctx); err != nil {
		fmt.Fprintln(stderr, "sim cameras:", err)
		return 1
	}
	return 0
}

// listed prints what there is.
func listed(f *Farm, view string, stdout, stderr io.Writer) int {
	if view == "" {
		view = Views()[0]
	}
	for _, s := range Scenes(view) {
		truth, loop, err := f.Truth(s)
		if err != nil {
			fmt.Fprintln(stderr, "sim cameras:", err)
			return 1
		}
		fmt.Fprintf(stdout, "%-16s %s (%s)\n", s.Name, s.About, loop)
		for _, m := range truth {
			fmt.Fprintf(stdout, "%20s  %-10s %s to %s\n", "", m.What, m.From.Round(time.Millisecond), m.To.Round(time.Millisecond))
		}
	}
	fmt.Fprint(stdout, "\nfaults:")
	for _, x := range Faults() {
		fmt.Fprint(stdout, " ", x)
	}
	fmt.Fprintln(stdout)
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
		w = append(w, "", "")
		var err error
		switch w[0] {
		case "play":
			err = f.Play(w[1], w[2])
		case "perform":
			err = f.Perform(w[1], w[2])
		case "bays":
			err = f.SetBays(w[1], [2]bool{strings.HasPrefix(w[2], "1"), strings.HasSuffix(w[2], "1") && len(w[2]) > 1})
		case "fault":
			var x Fault
			if x, err = ParseFault(w[2]); err == nil {
				err = f.SetFault(w[1], x)
			}
		case "mend":
			err = f.SetFault(w[1], NoFault)
		default:
			err = fmt.Errorf("unknown command %q", w[0])
		}
		if err != nil {
			fmt.Fprintln(stderr, err)
			continue
		}
		fmt.Fprintln(stdout, "done")
	}
}

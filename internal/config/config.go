// Package config is what the server is told: defaults, then the file, then the
// environment, then flags. Unknown keys and values that make no sense are
// errors that name the place.
package config

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// Config configures the server.
type Config struct {
	Data           string     `yaml:"data"`
	HTTP           string     `yaml:"http"`
	OCPP           string     `yaml:"ocpp"`
	WebRTC         string     `yaml:"webrtc"`     // off, or HOST:PORT; without a host that of HTTP
	DoorListen     string     `yaml:"doorListen"` // HOST:PORT, without a host on every address; off: a free port
	TLS            string     `yaml:"tls"`        // off, auto or a folder
	BehindProxy    bool       `yaml:"behindProxy"`
	TrustedProxies []string   `yaml:"trustedProxies"`
	Onboarding     string     `yaml:"onboarding"` // open, approve or closed
	AllowNet       []string   `yaml:"allowNet"`
	Verifier       string     `yaml:"verifier"` // address of a process that is shown pictures of motion; empty: none
	Log            string     `yaml:"log"`      // debug, info, warn or error
	LogFormat      string     `yaml:"logFormat"`
	Listeners      []Listener `yaml:"listeners"`
	Station        Station    `yaml:"station"`
	Retention      Retention  `yaml:"retention"`
	Files          Files      `yaml:"files"`
	Evidence       Evidence   `yaml:"evidence"`
	Audit          Audit      `yaml:"audit"`

	sources sources
}

// Listener is a further OCPP listener with its security profile.
type Listener struct {
	Address string `yaml:"address"`
	// Profile is the OCPP security profile: 0 none, 1 password, 2 TLS and
	// password, 3 TLS and client certificate.
	Profile int `yaml:"profile"`
	// TLS is auto or a folder of certificates; profiles 2 and 3 need it.
	TLS string `yaml:"tls"`
	// LegacyRSA adds the TLS suites with RSA key exchange that OCPP 2.0.1 asks a
	// CSMS to offer. Only for stations that know no other.
	LegacyRSA bool `yaml:"legacyRSA"`
}

// Station is how stations are treated.
type Station struct {
	HeartbeatInterval Duration `yaml:"heartbeatInterval"`
	PendingInterval   Duration `yaml:"pendingInterval"`
	CommandTimeout    Duration `yaml:"commandTimeout"`
	// RestartIdle is how long nobody has been at a station before it is restarted for
	// a setting.
	RestartIdle Duration `yaml:"restartIdle"`
	// ReturnWithin is how long a station has to come by a security profile that it was
	// given.
	ReturnWithin Duration `yaml:"returnWithin"`
	FrameLimit   int      `yaml:"frameLimit"` // bytes, after the first accepted boot
	// DefaultProtocol serves known stations that name none; empty refuses them.
	DefaultProtocol string `yaml:"defaultProtocol"`
}

// Files is how files come from stations and go to them.
type Files struct {
	// URL is the scheme and host by which stations reach their files; empty: by the same
	// as they reach OCPP.
	URL string `yaml:"url"`
	// Listen is a port of its own for files; off: they are on the ports of OCPP.
	Listen string `yaml:"listen"`
	TLS    string `yaml:"tls"` // of that port: off, auto or a folder

	MaxUploadBytes int64    `yaml:"maxUploadBytes"` // of a file of a station
	MaxImageBytes  int64    `yaml:"maxImageBytes"`  // of a firmware image
	MaxTotalBytes  int64    `yaml:"maxTotalBytes"`  // of all files of stations
	Keep           Duration `yaml:"keep"`           // how long files of stations are kept
}

// Retention is how long what is kept.
type Retention struct {
	FramesBytes int64    `yaml:"framesBytes"`
	FramesAge   Duration `yaml:"framesAge"`
	Telemetry   Duration `yaml:"telemetry"`
	Events      Duration `yaml:"events"`
}

// Audit is how it is proved that the log of what people did was not altered.
type Audit struct {
	// CheckpointsTo is where signed checkpoints are left: a folder of another machine,
	// an address they are posted to, or syslog://HOST:PORT. Empty: they stay here.
	CheckpointsTo string `yaml:"checkpointsTo"`
}

// Evidence is how it is proved that recordings were not made anew.
type Evidence struct {
	// HeadsTo is where heads of the chains of recordings are left: a folder of another
	// machine, or an address they are posted to; empty: they stay here.
	HeadsTo    string   `yaml:"headsTo"`
	HeadsEvery Duration `yaml:"headsEvery"`
}

// Duration is a time.Duration written like "30s" or "400d".
type Duration time.Duration

// UnmarshalText reads a duration; days are allowed.
func (d *Duration) UnmarshalText(text []byte) error {
	s := string(text)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil {
			return fmt.Errorf("%q is not a duration like 30s, 12h or 400d", s)
		}
		*d = Duration(time.Duration(n) * 24 * time.Hour)
		return nil
	}
	v, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf("%q is not a duration like 30s, 12h or 400d", s)
	}
	*d = Duration(v)
	return nil
}

// UnmarshalYAML reads a duration of the file, so that an error knows its line.
func (d *Duration) UnmarshalYAML(n ast.Node) error {
	if err := d.UnmarshalText([]byte(n.GetToken().Value)); err != nil {
		return &lineError{n.GetToken().Position.Line, err}
	}
	return nil
}

// lineError is an error on a line of the file.
type lineError struct {
	line int
	error
}

// DefaultWebRTC is the one port of live pictures, on the host of HTTP.
const DefaultWebRTC = ":8189"

// Default is what holds without file, environment and flags.
func Default() Config {
	const day = 24 * time.Hour
	return Config{
		Data: "./data", HTTP: "127.0.0.1:8080", OCPP: "127.0.0.1:8887", WebRTC: DefaultWebRTC, DoorListen: "off", TLS: "off",
		Onboarding: "approve", AllowNet: []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"},
		Log: "info", LogFormat: "text",
		Station: Station{
			HeartbeatInterval: Duration(300 * time.Second), PendingInterval: Duration(60 * time.Second),
			CommandTimeout: Duration(30 * time.Second), RestartIdle: Duration(2 * time.Minute), ReturnWithin: Duration(15 * time.Minute), FrameLimit: 4 << 20,
		},
		Retention: Retention{
			FramesBytes: 2 << 30, FramesAge: Duration(30 * day), Telemetry: Duration(3 * 365 * day), Events: Duration(400 * day),
		},
		Files:    Files{Listen: "off", TLS: "off", MaxUploadBytes: 64 << 20, MaxImageBytes: 512 << 20, MaxTotalBytes: 4 << 30, Keep: Duration(30 * day)},
		Evidence: Evidence{HeadsEvery: Duration(time.Hour)},
	}
}

// Help is the error of Load when -h was asked for; it lists the flags.
type Help struct{ Flags string }

func (h *Help) Error() string { return flag.ErrHelp.Error() }

func (h *Help) Unwrap() error { return flag.ErrHelp }

// Load reads flags, and under them environment and file. It returns the
// arguments that are no flags; they may stand before, between and after them.
func Load(name string, args []string, env func(string) (string, bool), more func(*flag.FlagSet)) (Config, []string, error) {
	c := Default()
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	if more != nil {
		more(set)
	}
	file := ""
	var over []func(*Config) error
	own := flag.NewFlagSet(name, flag.ContinueOnError)
	own.StringVar(&file, "config", "", "configuration `FILE` (YAML)")
	options := options()
	for _, o := range options {
		apply := func(v string) error {
			over = append(over, func(c *Config) error {
				c.sources.set(o.key(), Source{FromFlag, "--" + o.name})
				return named("--"+o.name, o.apply(c, v))
			})
			return nil
		}
		if o.flag {
			own.BoolFunc(o.name, o.usage, apply)
		} else {
			own.Func(o.name, o.usage, apply)
		}
		own.Lookup(o.name).DefValue = o.show(&c)
	}
	help := &Help{Flags: describe(set, nil) + describe(own, environment)}
	own.VisitAll(func(f *flag.Flag) { set.Var(f.Value, f.Name, f.Usage) })
	var rest []string
	for {
		err := set.Parse(args)
		if errors.Is(err, flag.ErrHelp) {
			return c, nil, help
		}
		if err != nil {
			return c, nil, err
		}
		if set.NArg() == 0 {
			break
		}
		rest, args = append(rest, set.Arg(0)), set.Args()[1:]
	}
	if file == "" {
		file, _ = env(environment("config"))
	}
	if file != "" {
		if err := c.read(file); err != nil {
			return c, nil, err
		}
	}
	for _, o := range options {
		if v, ok := env(environment(o.name)); ok {
			c.sources.set(o.key(), Source{FromEnvironment, environment(o.name)})
			if err := named(environment(o.name), o.apply(&c, v)); err != nil {
				return c, nil, err
			}
		}
	}
	for _, f := range over {
		if err := f(&c); err != nil {
			return c, nil, err
		}
	}
	return c, rest, c.Validate()
}

// environment is the name of the variable of a flag.
func environment(name string) string {
	return "CHARGEWATCH_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

func named(name string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// describe lists flags as people write them, with what holds without them.
func describe(set *flag.FlagSet, variable func(string) string) string {
	var b strings.Builder
	set.VisitAll(func(f *flag.Flag) {
		value, usage := flag.UnquoteUsage(f)
		fmt.Fprintf(&b, "  --%s\n        %s", strings.TrimSpace(f.Name+" "+value), usage)
		if zero := f.DefValue == "" || f.DefValue == "0" || f.DefValue == "0s" || f.DefValue == "false"; !zero {
			fmt.Fprintf(&b, " (default %s)", f.DefValue)
		}
		if variable != nil {
			fmt.Fprintf(&b, " [%s]", variable(f.Name))
		}
		b.WriteByte('\n')
	})
	return b.String()
}

type option struct {
	name, usage string
	flag        bool
	apply       func(*Config, string) error
	show        func(*Config) string
}

func options() []option {
	text := func(name, usage string, field func(*Config) *string) option {
		return option{name: name, usage: usage,
			apply: func(c *Config, v string) error { *field(c) = v; return nil },
			show:  func(c *Config) string { return *field(c) }}
	}
	list := func(name, usage string, field func(*Config) *[]string) option {
		return option{name: name, usage: usage,
			apply: func(c *Config, v string) error {
				*field(c) = slices.DeleteFunc(strings.Split(v, ","), func(s string) bool { return strings.TrimSpace(s) == "" })
				return nil
			},
			show: func(c *Config) string { return strings.Join(*field(c), ",") }}
	}
	yes := func(name, usage string, field func(*Config) *bool) option {
		return option{name: name, usage: usage, flag: true,
			apply: func(c *Config, v string) error {
				b, err := strconv.ParseBool(v)
				if err != nil {
					return fmt.Errorf("%q is not true or false", v)
				}
				*field(c) = b
				return nil
			},
			show: func(c *Config) string { return strconv.FormatBool(*field(c)) }}
	}
	return []option{
		text("data", "data `FOLDER`", func(c *Config) *string { return &c.Data }),
		text("http", "`HOST:PORT` of the web interface and API", func(c *Config) *string { return &c.HTTP }),
		text("ocpp", "`HOST:PORT` of the OCPP endpoint", func(c *Config) *string { return &c.OCPP }),
		text("webrtc", "`HOST:PORT` of live pictures, UDP and TCP, or off; without HOST that of --http", func(c *Config) *string { return &c.WebRTC }),
		text("door-listen", "`HOST:PORT` to which door controllers tell what happens, over UDP, opened with the first of them; off: a port that is free", func(c *Config) *string { return &c.DoorListen }),
		text("tls", "`WHICH` certificates: off, auto (own authority) or a folder of them", func(c *Config) *string { return &c.TLS }),
		text("onboarding", "`MODE` for unknown stations: open, approve or closed", func(c *Config) *string { return &c.Onboarding }),
		list("allow-net", "`NETWORKS` that may hold devices, separated by commas", func(c *Config) *[]string { return &c.AllowNet }),
		text("verifier", "`URL` of a process that says what pictures of motion show; its address has to be within --allow-net", func(c *Config) *string { return &c.Verifier }),
		list("trusted-proxies", "`NETWORKS` whose X-Forwarded-For is believed, separated by commas", func(c *Config) *[]string { return &c.TrustedProxies }),
		yes("behind-proxy", "a proxy in front does TLS", func(c *Config) *bool { return &c.BehindProxy }),
		text("log", "`LEVEL` of the log: debug, info, warn or error", func(c *Config) *string { return &c.Log }),
		text("log-format", "`FORM` of the log: text or json", func(c *Config) *string { return &c.LogFormat }),
	}
}

// read adds a file. Errors name the line.
func (c *Config) read(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	was := *c
	err = yaml.UnmarshalWithOptions(data, c, yaml.Strict())
	if err == nil && c.Data == "" && c.HTTP == "" { // a file without content clears everything
		*c = was
	}
	if err != nil {
		return fmt.Errorf("%s%s", path, place(err))
	}
	return c.sources.read(path, data)
}

// place says on which line of the file an error is.
func place(err error) string {
	if e, ok := errors.AsType[yaml.Error](err); ok && e.GetToken() != nil && e.GetToken().Position != nil {
		return fmt.Sprintf(" line %d: %s", e.GetToken().Position.Line, e.GetMessage())
	}
	if e, ok := errors.AsType[*lineError](err); ok {
		return fmt.Sprintf(" line %d: %v", e.line, e.error)
	}
	return ": " + yaml.FormatError(err, false, false)
}

// Validate reports everything that makes no sense.
func (c *Config) Validate() error {
	var errs []error
	bad := func(name, format string, args ...any) {
		errs = append(errs, fmt.Errorf(name+": "+format, args...))
	}
	if c.Data == "" {
		bad("data", "names no folder")
	}
	for _, a := range [][2]string{{"http", c.HTTP}, {"ocpp", c.OCPP}} {
		if _, _, err := net.SplitHostPort(a[1]); err != nil {
			bad(a[0], "%q is not HOST:PORT", a[1])
		}
	}
	if _, _, err := net.SplitHostPort(c.DoorListen); err != nil && c.DoorListen != "off" {
		bad("doorListen", "%q is neither HOST:PORT nor off", c.DoorListen)
	}
	if _, _, err := net.SplitHostPort(c.WebRTC); err != nil && c.WebRTC != "off" {
		bad("webrtc", "%q is neither HOST:PORT nor off", c.WebRTC)
	}
	if e := c.Evidence; time.Duration(e.HeadsEvery) < time.Minute || time.Duration(e.HeadsEvery) > 24*time.Hour {
		bad("evidence.headsEvery", "%s is not from 1m to 1d", time.Duration(e.HeadsEvery))
	}
	if scheme, _, address := strings.Cut(c.Audit.CheckpointsTo, "://"); address && scheme != "http" && scheme != "https" && scheme != "syslog" {
		bad("audit.checkpointsTo", "%q is neither a folder nor an address that begins with http://, https:// or syslog://", c.Audit.CheckpointsTo)
	}
	if scheme, _, address := strings.Cut(c.Evidence.HeadsTo, "://"); address && scheme != "http" && scheme != "https" {
		bad("evidence.headsTo", "%q is neither a folder nor an address that begins with http:// or https://", c.Evidence.HeadsTo)
	}
	if u, err := url.Parse(c.Verifier); c.Verifier != "" && (err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil) {
		bad("verifier", "%q is not of the form http://HOST:PORT/PATH", c.Verifier)
	}
	if !slices.Contains([]string{"open", "approve", "closed"}, c.Onboarding) {
		bad("onboarding", "%q is not open, approve or closed", c.Onboarding)
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log) {
		bad("log", "%q is not debug, info, warn or error", c.Log)
	}
	if !slices.Contains([]string{"text", "json"}, c.LogFormat) {
		bad("log-format", "%q is not text or json", c.LogFormat)
	}
	for i, n := range slices.Concat(c.AllowNet, c.TrustedProxies) {
		if _, err := netip.ParseAddrPort(strings.TrimSpace(n)); err == nil && i < len(c.AllowNet) {
			continue // a single port
		}
		if _, err := netip.ParsePrefix(strings.TrimSpace(n)); err != nil {
			if _, err := netip.ParseAddr(strings.TrimSpace(n)); err != nil {
				bad("network", "%q is not a network like 10.0.0.0/8", n)
			}
		}
	}
	if _, _, err := net.SplitHostPort(c.HTTP); err == nil && c.TLS == "off" && !c.BehindProxy && !loopback(c.HTTP) {
		bad("http", "%s is not on loopback: passwords would be readable; set --tls, or --behind-proxy if a proxy does TLS", c.HTTP)
	}
	for i, l := range c.Listeners {
		where := fmt.Sprintf("listeners[%d]", i)
		if _, _, err := net.SplitHostPort(l.Address); err != nil {
			bad(where, "%q is not HOST:PORT", l.Address)
		}
		if l.Profile < 0 || l.Profile > 3 {
			bad(where, "security profile %d does not exist", l.Profile)
		}
		if l.Profile >= 2 && (l.TLS == "" || l.TLS == "off") {
			bad(where, "security profile %d needs tls", l.Profile)
		}
	}
	if c.Files.URL != "" {
		u, err := url.Parse(c.Files.URL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
			bad("files.url", "give a scheme and a host, such as https://files.example.com")
		}
	}
	if _, _, err := net.SplitHostPort(c.Files.Listen); err != nil && c.Files.Listen != "off" {
		bad("files.listen", "%q is neither HOST:PORT nor off", c.Files.Listen)
	} else if err == nil && c.Files.URL == "" {
		bad("files.url", "stations have to be told where the port of files is")
	}
	if c.Files.MaxUploadBytes < 1<<20 || c.Files.MaxImageBytes < 1<<20 || c.Files.MaxTotalBytes < c.Files.MaxUploadBytes || c.Files.Keep <= 0 {
		bad("files", "at least 1 MiB for a file, room for one in all, and a time to keep it")
	}
	if p := c.Station.DefaultProtocol; !slices.Contains([]string{"", "ocpp1.6", "ocpp2.0.1", "ocpp2.1"}, p) {
		bad("station.defaultProtocol", "%q is not ocpp1.6, ocpp2.0.1 or ocpp2.1", p)
	}
	if c.Station.FrameLimit < 64<<10 {
		bad("station.frameLimit", "%d bytes would cut honest frames; at least 65536", c.Station.FrameLimit)
	}
	return errors.Join(errs...)
}

// loopback reports whether an address can be reached from this machine only.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

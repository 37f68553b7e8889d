// Command bench puts the same load on Chargewatch and on a minimal ocpp-go
// central system, each pinned to one core, and writes the figures down.
//
//	go run ./test/load/bench -chargewatch bin/chargewatch
//
// The generator runs on another core. All traffic stays on loopback and every
// mode is bounded in time. See the README beside it.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"log"
	"math"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(log.Ltime)
	var (
		chargewatch = flag.String("chargewatch", "", "the product's binary; empty: only the peer")
		peer        = flag.String("peer", "", "the peer's binary; empty: built from test/load/peer-ocppgo, none: no peer")
		modes       = flag.String("modes", "closed,sessions,rate,idle,idletls,storm,flood,kill,hostile,api-10k", "what to run")
		out         = flag.String("out", "test/load/results", "where results go")
		name        = flag.String("name", "latest", "name of the result files")
		stations    = flag.Int("stations", 1000, "stations of the load modes")
		many        = flag.Int("many", 10_000, "stations of the idle and flood modes")
		windows     = flag.Int("windows", 5, "windows of a closed-loop run")
		length      = flag.Duration("window", 5*time.Second, "length of a window")
		rateFor     = flag.Duration("rate-for", 30*time.Second, "length of the rate mode")
		settle      = flag.Duration("settle", 20*time.Second, "how long idle stations are left alone")
		kills       = flag.Int("kills", 20, "kills of the kill mode")
		nice        = flag.Int("nice", 0, "scheduling priority of generator and servers, such as -5 on a machine with other work (needs the right to)")
		history     = flag.Int("history", 20, "sessions in the past of each station of the routes mode")
		requests    = flag.Int("requests", 40, "requests of each route of the routes mode")
		pace        = flag.Float64("pace", 200, "changes a second while routes are asked")
		uiRate      = flag.Float64("ui-rate", 2000, "updates a second of the ui-live mode")
		uiWindow    = flag.Duration("ui-window", 10*time.Second, "how long each view of ui-live is watched")
		uiStarts    = flag.Int("ui-starts", 12, "cold starts of each network of the ui-start mode; video-wall is opened cold half as often")
		soakFor     = flag.Duration("soak", time.Hour, "length of the kiosk-soak and video-wall modes")
		soakPage    = flag.String("soak-page", "/?kiosk=1", "what kiosk-soak keeps open")
		cams        = flag.Int("cameras", 100, "cameras of the video modes")
		camsFor     = flag.Duration("video-window", time.Minute, "steady recording that is read by the video modes")
		camsWarm    = flag.Duration("video-warm", 15*time.Second, "recording before that")
		mediamtx    = flag.String("mediamtx", "", "the video peer's binary; empty: built from its module, none: without it")
		viewers     = flag.Int("viewers", 50, "who look at one camera in the video-viewers mode")
		disk        = flag.String("disk", "", "the video-cut mode's folder for the image of a disk; empty: the scratch folder")
		raids       = flag.Int("raids", 16, "stories of each case of the raid mode")
		nights      = flag.Int("nights", 10, "ordinary nights of the raid mode")
		raidSeed    = flag.Uint64("raid-seed", 20_000, "of the first story of the raid mode")
		noAPI       = flag.Bool("no-api", false, "do not wait for the product's API; the modes that use it fail")
		between     = flag.String("forward", "", "only copy bytes between two addresses, as from=to; the relay mode starts it")
		keep        = flag.Bool("keep", false, "keep the scratch folder with data and logs")
	)
	flag.Parse()
	if from, to, ok := strings.Cut(*between, "="); ok {
		forward(from, to)
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	b := bench{
		modes: strings.Split(*modes, ","), stations: *stations, many: *many, windows: *windows, window: *length,
		rateFor: *rateFor, settle: *settle, kills: *kills, keep: *keep,
		ui:      uiPlan{*many, *stations, *uiRate, *uiWindow, *uiStarts, *soakFor, *soakPage},
		history: *history, requests: *requests, pace: *pace,
		raids: raidPlan{*raids, *nights, *raidSeed},
		video: videoPlan{cameras: *cams, window: *camsFor, warm: *camsWarm, mediamtx: *mediamtx, kills: *kills, viewers: *viewers, disk: *disk},
	}
	b.lab.noAPI = *noAPI
	if *nice != 0 {
		if err := syscall.Setpriority(syscall.PRIO_PROCESS, 0, *nice); err != nil {
			log.Fatal("set priority: ", err)
		}
	}
	if err := b.prepare(*chargewatch, *peer); err != nil {
		log.Fatal(err)
	}
	if !*keep {
		defer os.RemoveAll(b.lab.dir)
	} else {
		log.Print("scratch folder: ", b.lab.dir)
	}
	err := b.run(ctx)
	b.report.finish()
	if werr := b.report.write(*out, *name); werr != nil {
		err = errors.Join(err, werr)
	}
	if err != nil {
		log.Print(err)
		if !*keep {
			_ = os.RemoveAll(b.lab.dir) // recordings take much room
		}
		os.Exit(1)
	}
}

type bench struct {
	lab      lab
	report   report
	modes    []string
	stations int
	many     int
	windows  int
	window   time.Duration
	rateFor  time.Duration
	settle   time.Duration
	kills    int
	ui       uiPlan
	history  int
	requests int
	pace     float64
	video    videoPlan
	raids    raidPlan
	keep     bool
}

// prepare builds what is missing and pins this process.
func (b *bench) prepare(chargewatch, peer string) error {
	dir, err := os.MkdirTemp("", "chargewatch-bench-")
	if err != nil {
		return fmt.Errorf("make scratch folder: %w", err)
	}
	b.lab.dir = dir
	if chargewatch != "" {
		if b.lab.chargewatch, err = filepath.Abs(chargewatch); err != nil {
			return fmt.Errorf("find the product: %w", err)
		}
		if _, err := os.Stat(b.lab.chargewatch); err != nil {
			return fmt.Errorf("find the product: %w", err)
		}
	}
	switch peer {
	case "none":
	case "":
		b.lab.peer = filepath.Join(dir, "peer-ocppgo")
		if out, err := exec.Command("go", "build", "-o", b.lab.peer, "./test/load/peer-ocppgo").CombinedOutput(); err != nil {
			return fmt.Errorf("build the peer (run from the root of the repository): %w: %s", err, out)
		}
	default:
		b.lab.peer = peer
	}
	if _, err := exec.LookPath("taskset"); err == nil && runtime.NumCPU() > 1 {
		b.lab.serverCore, b.lab.ownCore = "1", "0"
		if out, err := exec.Command("taskset", "-acp", b.lab.ownCore, fmt.Sprint(os.Getpid())).CombinedOutput(); err != nil {
			return fmt.Errorf("pin the generator: %w: %s", err, out)
		}
		runtime.GOMAXPROCS(1)
	}
	b.report.begin(b.lab.serverCore != "")
	return b.lab.certify()
}

// certify makes a certificate for loopback.
func (l *lab) certify() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	if err != nil {
		return fmt.Errorf("make key: %w", err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(crand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		return fmt.Errorf("make certificate: %w", err)
	}
	pkcs, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("encode key: %w", err)
	}
	dir := filepath.Join(l.dir, "tls")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make certificate folder: %w", err)
	}
	l.certificate, l.key = filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key")
	if err := os.WriteFile(l.certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		return fmt.Errorf("write certificate: %w", err)
	}
	if err := os.WriteFile(l.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs}), 0o600); err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	return nil
}

// each runs a measurement against the peer and against the product, fresh
// processes each time.
func (b *bench) each(ctx context.Context, mode string, secure bool, fn func(*server) (any, error)) error {
	var failed error
	if b.lab.peer != "" {
		srv, err := b.lab.startPeer(ctx, secure)
		failed = errors.Join(failed, b.measure(mode, srv, err, fn))
	}
	if b.lab.chargewatch != "" {
		srv, err := b.lab.startChargewatch(ctx, "", secure)
		if err == nil && !b.lab.noAPI {
			srv.api.token, err = b.lab.mint(srv.data)
		}
		failed = errors.Join(failed, b.measure(mode, srv, err, fn))
		if srv != nil && !b.keep {
			os.RemoveAll(srv.data)
		}
	}
	return failed
}

func (b *bench) measure(mode string, srv *server, err error, fn func(*server) (any, error)) error {
	if err != nil {
		return fmt.Errorf("%s: %w", mode, err)
	}
	log.Printf("%s: %s", mode, srv.name)
	result, err := fn(srv)
	srv.stop()
	if v := reflect.ValueOf(result); v.IsValid() && !v.IsNil() {
		b.report.add(mode, result) // a figure without its check is still a figure
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", mode, srv.name, err)
	}
	return nil
}

func (b *bench) run(ctx context.Context) error {
	var failed error
	has := func(mode string) bool { return ctx.Err() == nil && slices.Contains(b.modes, mode) }
	note := func(err error) {
		if err != nil {
			log.Print(err)
			failed = errors.Join(failed, err)
		}
	}
	if has("closed") {
		note(b.each(ctx, "closed", false, func(s *server) (any, error) { return closed(ctx, s, b.stations, b.windows, b.window, false) }))
	}
	if has("sessions") {
		note(b.each(ctx, "sessions", false, func(s *server) (any, error) { return closed(ctx, s, b.stations, b.windows, b.window, true) }))
	}
	if has("rate") {
		note(b.each(ctx, "rate", false, func(s *server) (any, error) { return rate(ctx, s, b.stations, b.rateFor) }))
	}
	if has("idle") {
		note(b.each(ctx, "idle", false, func(s *server) (any, error) { return idle(ctx, s, b.many, false, b.settle) }))
	}
	if has("idletls") {
		note(b.each(ctx, "idletls", true, func(s *server) (any, error) { return idle(ctx, s, b.many, true, b.settle) }))
	}
	if has("storm") {
		note(b.each(ctx, "storm", false, func(s *server) (any, error) { return storm(ctx, s, b.stations) }))
	}
	if has("flood") {
		note(b.each(ctx, "flood", true, func(s *server) (any, error) {
			r, err := flood(ctx, s, b.many, s.api != nil)
			if err == nil && s.api != nil {
				err = r.restart(ctx, &b.lab, s)
			}
			return r, err
		}))
	}
	if b.lab.chargewatch == "" {
		return failed
	}
	if has("kill") {
		log.Print("kill: chargewatch")
		r, err := killLoop(ctx, &b.lab, 60, b.kills)
		note(err)
		if r != nil {
			b.report.add("kill", r)
		}
	}
	if has("relay") {
		note(b.relay(ctx))
	}
	if has("certificates") {
		log.Print("certificates: chargewatch")
		r, err := certificates(ctx, &b.lab, b.stations, max(1, b.stations/100))
		note(err)
		if r != nil {
			b.report.add("certificates", r)
		}
	}
	if has("rotations") {
		log.Print("rotations: chargewatch")
		r, err := rotations(ctx, &b.lab, min(b.stations, 200), 3)
		note(err)
		if r != nil {
			b.report.add("rotations", r)
		}
	}
	for mode, day := range map[string]worksDay{"provision": busyWorks, "provision-early": earlyWorks} {
		if !has(mode) {
			continue
		}
		log.Printf("%s: chargewatch", mode)
		r, err := provisioning(ctx, &b.lab, b.stations, day)
		note(err)
		if r != nil {
			b.report.add(mode, r)
		}
	}
	if has("api-10k") {
		srv, err := b.lab.startChargewatch(ctx, "", false)
		if err == nil {
			srv.api.token, err = b.lab.mint(srv.data)
		}
		note(b.measure("api-10k", srv, err, func(s *server) (any, error) { return routes(ctx, s, b.many, b.history, b.requests, b.pace) }))
	}
	if has("incidents") {
		to, err := newReceiver()
		note(err)
		if err == nil {
			srv, err := b.lab.startChargewatch(ctx, "", false, "--allow-net", to.addr)
			if err == nil {
				srv.api.token, err = b.lab.mint(srv.data)
			}
			note(b.measure("incidents", srv, err, func(s *server) (any, error) { return incidents(ctx, s, to, b.stations, b.rateFor) }))
			note(to.Close())
		}
	}
	if has("authorize") {
		srv, err := b.lab.startChargewatch(ctx, "", false)
		if err == nil {
			srv.api.token, err = b.lab.mint(srv.data)
		}
		note(b.measure("authorize", srv, err, func(s *server) (any, error) { return authorize(ctx, s, b.stations, b.rateFor) }))
	}
	if has("decide") {
		log.Print("decide: chargewatch and OPA")
		both, err := decide(ctx, b.lab.dir)
		note(err)
		for _, r := range both {
			b.report.add("decide", r)
		}
	}
	if has("doors") {
		log.Print("doors: chargewatch")
		r, err := doors(ctx, &b.lab, 1000)
		note(err)
		if r != nil {
			b.report.add("doors", r)
		}
	}
	if has("raid") {
		log.Print("raid: chargewatch")
		list, err := raidWire(ctx, &b.lab, b.raids)
		note(err)
		for _, r := range list {
			if _, night := r.(*nightResult); night {
				b.report.add("raid-nights", r)
			} else {
				b.report.add("raid", r)
			}
		}
	}
	note(b.browserModes(ctx, has))
	note(b.videoModes(ctx, has))
	note(b.filmModes(ctx, has))
	if has("hostile") {
		srv, err := b.lab.startChargewatch(ctx, "", false)
		if err == nil {
			srv.api.token, err = b.lab.mint(srv.data)
		}
		note(b.measure("hostile", srv, err, func(s *server) (any, error) { return hostile(ctx, s, b.stations, 10_000) }))
	}
	return failed
}

func round(v float64, digits int) float64 {
	p := math.Pow(10, float64(digits))
	return math.Round(v*p) / p
}

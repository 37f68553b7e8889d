// Package horn plays sirens, lights and speakers that are reached by webhooks: it takes
// signed messages over HTTP, does what they say, and goes off by itself when its time is
// over, as a device at a site does.
//
// It promises that a message which is not signed with its secret, or is old, switches
// nothing.
package horn

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Options configures a Farm. Listen and Secret are needed.
type Options struct {
	Listen string // HOST:PORT
	Secret string
	Logger *slog.Logger     // default: discard
	Now    func() time.Time // default: time.Now
}

// Farm is devices behind one address; each has a path of its own, which is its name.
type Farm struct {
	o  Options
	ln net.Listener

	mu      sync.Mutex
	devices map[string]Device
	dead    map[string]bool
}

// Device is how a device is.
type Device struct {
	On    bool
	Until time.Time // when it goes off by itself
	Says  string    // of a speaker
	Heard int       // messages
}

// Bounds of a farm.
const (
	maxDevices = 1000
	maxBody    = 64 << 10
	maxAge     = 5 * time.Minute
)

// New listens.
func New(o Options) (*Farm, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	ln, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen for simulated sirens: %w", err)
	}
	return &Farm{o: o, ln: ln, devices: make(map[string]Device), dead: make(map[string]bool)}, nil
}

// Address is where it listens.
func (f *Farm) Address() netip.AddrPort {
	a, err := netip.ParseAddrPort(f.ln.Addr().String())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// URL is the address of a device.
func (f *Farm) URL(device string) string { return "http://" + f.Address().String() + "/" + device }

// Close ends a farm that does not run.
func (f *Farm) Close() error { return f.ln.Close() }

// Run serves until ctx ends.
func (f *Farm) Run(ctx context.Context) error {
	server := &http.Server{Handler: f, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(f.ln); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve simulated sirens: %w", err)
	}
	return nil
}

// Device is how a device is now.
func (f *Farm) Device(name string) Device {
	f.mu.Lock()
	defer f.mu.Unlock()
	d := f.devices[name]
	if d.On && !f.o.Now().Before(d.Until) {
		d.On, d.Says = false, ""
	}
	return d
}

// Cut takes a device off the network, or gives it back.
func (f *Farm) Cut(name string, dead bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dead[name] = dead
}

type message struct {
	On      bool   `json:"on"`
	Seconds int    `json:"seconds"`
	Text    string `json:"text"`
}

// ServeHTTP does what a message says.
func (f *Farm) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	f.mu.Lock()
	dead := f.dead[name]
	f.mu.Unlock()
	if dead {
		panic(http.ErrAbortHandler) // the connection just ends
	}
	if r.Method != http.MethodPost || name == "" {
		http.Error(w, "post to a device", http.StatusNotFound)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "too much", http.StatusRequestEntityTooLarge)
		return
	}
	if !f.signed(r.Header.Get("X-Chargewatch-Signature"), body) {
		http.Error(w, "not signed by whom it obeys", http.StatusForbidden)
		return
	}
	var m message
	if err := json.Unmarshal(body, &m); err != nil || m.Seconds < 0 {
		http.Error(w, "not a message", http.StatusBadRequest)
		return
	}
	if !f.take(name, m) {
		http.Error(w, "no room for more devices", http.StatusInsufficientStorage)
		return
	}
	f.o.Logger.DebugContext(r.Context(), "a simulated siren was switched", "device", name, "on", m.On)
	w.WriteHeader(http.StatusNoContent)
}

func (f *Farm) take(name string, m message) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	d, known := f.devices[name]
	if !known && len(f.devices) >= maxDevices {
		return false
	}
	d.Heard++
	d.On, d.Says, d.Until = m.On, m.Text, f.o.Now().Add(time.Duration(m.Seconds)*time.Second)
	f.devices[name] = d
	return true
}

// signed reports whether a message comes from who knows the secret, and is of now.
func (f *Farm) signed(text string, body []byte) bool {
	at, sum, ok := strings.Cut(text, ",v1=")
	at, ok2 := strings.CutPrefix(at, "t=")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if !ok || !ok2 || err != nil || f.o.Now().Sub(time.Unix(seconds, 0)).Abs() > maxAge {
		return false
	}
	got, err := hex.DecodeString(sum)
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, []byte(f.o.Secret))
	mac.Write([]byte(at + "."))
	mac.Write(body)
	return hmac.Equal(got, mac.Sum(nil))
}

package servertest_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/chargewatch/chargewatch/internal/config"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/pki"
	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/sim"
	"github.com/chargewatch/chargewatch/internal/source/station"
	"github.com/chargewatch/chargewatch/internal/store"
)

// inPEM writes a certificate and its key as people hand them over.
func inPEM(t *testing.T, c tls.Certificate) (certificate, key string) {
	t.Helper()
	var b strings.Builder
	for _, der := range c.Certificate {
		if err := pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
			t.Fatal(err)
		}
	}
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return b.String(), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// A system behind an authority of its own, which wants a certificate of us, is
// reached with both and with nothing less; who is turned away is told so.
func TestAnUpstreamSystemThatWantsACertificate(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	theirs := servertest.In(t, folder, func(c *config.Config) {
		c.Listeners = []config.Listener{{Address: "127.0.0.1:0", Profile: 3, TLS: "auto"}}
	})
	ca, stranger := authority(t, filepath.Join(folder, "tls")), authority(t, t.TempDir())
	issue := func(a *pki.Authority) (certificate, key string) {
		c, err := a.Client(time.Now(), "our-relay")
		if err != nil {
			t.Fatal(err)
		}
		return inPEM(t, c)
	}
	ours := servertest.Start(t, onLoopback)
	good, goodKey := issue(ca)
	foreign, foreignKey := issue(stranger)
	for name, tt := range map[string]struct {
		authority        []byte
		certificate, key string
		code             string // of the trouble; empty: the station gets through
	}{
		"as it should be":               {ca.PEM(), good, goodKey, ""},
		"an authority of somebody else": {stranger.PEM(), good, goodKey, station.TroubleTLS},
		"no authority":                  {nil, good, goodKey, station.TroubleTLS},
		"no certificate":                {ca.PEM(), "", "", station.TroubleTLS},
		"a certificate of a stranger":   {ca.PEM(), foreign, foreignKey, station.TroubleTLS},
	} {
		t.Run(name, func(t *testing.T) {
			id := strings.ToUpper(strings.ReplaceAll(name, " ", "-"))
			enrol(t, theirs, id, store.Auth{Profile: 3, CertSubject: "our-relay"})
			ours.Enrol(t, id)
			u := store.Upstream{ID: id, Name: name, URL: "wss://" + theirs.ListenerAddress(0) + "/ocpp", Proof: store.ProofStation, Authority: string(tt.authority)}
			if tt.certificate != "" {
				u.Proof, u.Certificate = store.ProofCertificate, tt.certificate
			}
			if _, err := ours.Store.CreateUpstream(t.Context(), store.System, u, tt.key); err != nil {
				t.Fatal(err)
			}
			if _, err := ours.Store.SetRelaying(t.Context(), store.System, event.Station(id), func(r *store.Relaying) { r.Upstream = id }); err != nil {
				t.Fatal(err)
			}
			c, resp, err := websocket.Dial(t.Context(), ours.URL+id, &websocket.DialOptions{Subprotocols: []string{"ocpp1.6"}})
			if tt.code != "" {
				if err == nil || resp == nil || resp.StatusCode != http.StatusServiceUnavailable {
					t.Errorf("the station is told %v, %v", resp, err)
				}
				if _, _, x := ours.Endpoint.Health(id).Last(); x.Code != tt.code || x.Station != id {
					t.Errorf("the trouble is %+v", x)
				}
				if st, ok := theirs.Journal.Snapshot().Station(id); ok && st.Online {
					t.Error("it came through")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow()
			if a := ask(t, c, boot16); !strings.Contains(a, `"Accepted"`) {
				t.Errorf("boot: %s", a)
			}
			if st := theirs.Station(t, id); !st.Online || st.SecurityProfile != 3 {
				t.Errorf("there it is %+v", st)
			}
			if p, ok := ours.Endpoint.Passage(id); !ok || p.Upstream != id || p.Frames == 0 || p.Added <= 0 || p.Since.IsZero() {
				t.Errorf("its passage: %+v", p)
			}
		})
	}
}

// valve is a way to a place that can be shut: connections break, and new ones are
// refused.
type valve struct {
	net.Listener
	to string

	mu    sync.Mutex
	shut  bool
	conns map[net.Conn]bool
}

func newValve(t *testing.T, to string) *valve {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	v := &valve{Listener: l, to: to, conns: make(map[net.Conn]bool)}
	t.Cleanup(func() { l.Close(); v.set(true) })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			go v.join(near)
		}
	}()
	return v
}

func (v *valve) join(near net.Conn) {
	defer near.Close()
	far, err := net.Dial("tcp", v.to)
	if err != nil {
		return
	}
	defer far.Close()
	v.mu.Lock()
	shut := v.shut
	v.conns[near], v.conns[far] = true, true
	v.mu.Unlock()
	if shut {
		return
	}
	go func() {
		_, _ = io.Copy(far, near) // ends when either side does
		far.Close()
	}()
	_, _ = io.Copy(near, far)
	v.mu.Lock()
	delete(v.conns, near)
	delete(v.conns, far)
	v.mu.Unlock()
}

func (v *valve) set(shut bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.shut = shut
	if shut {
		for c := range v.conns {
			c.Close()
		}
		clear(v.conns)
	}
}

// While the system is away for ten minutes of the stations' time, they charge on,
// and queue. When it is back it is told everything: each session whose end was
// acknowledged is in its books and in ours.
func TestUpstreamIsBackAfterTenMinutes(t *testing.T) {
	t.Parallel()
	const speed = 120
	theirs := servertest.Start(t)
	way := newValve(t, theirs.OCPPAddress())
	ours := servertest.Start(t, onLoopback)
	plan := sim.Plan{Tokens: sim.Tokens(7, 20)}
	for i, v := range []sim.Version{sim.V16, sim.V201, sim.V21} {
		p := sim.Park([]int{8, 4, 2}[i], v, fmt.Sprintf("A%d-", i), uint64(i))
		plan.Sites = p.Sites
		plan.Stations = append(plan.Stations, p.Stations...)
	}
	var ids []string
	for i := range plan.Stations {
		plan.Stations[i].Quirks, plan.Stations[i].Model.Quirks = 0, 0
		ids = append(ids, plan.Stations[i].ID)
	}
	theirs.Enrol(t, ids...)
	for _, token := range plan.Tokens {
		theirs.Credential(t, token.ID)
	}
	relayTo(t, ours, "ws://"+way.Addr().String()+"/ocpp", ids...)
	busy, err := sim.FindScenario("busy")
	if err != nil {
		t.Fatal(err)
	}
	books := newOracle(t)
	stations, err := sim.New(sim.Options{
		URL: "ws://" + ours.OCPPAddress() + "/ocpp", Plan: plan, Scenario: busy, Seed: 7, Speed: speed, Start: time.Now().Add(-3 * time.Hour),
		Replay: true, Ramp: time.Second, Observe: books.observe,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 90*time.Second)
	defer stop()
	var work sync.WaitGroup
	work.Go(func() {
		if err := stations.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	health := ours.Endpoint.Health("theirs")
	through := func(what string) {
		t.Helper()
		servertest.Eventually(t, what, func() bool {
			return health.Stations.Load() >= int64(len(ids))/2 && books.finished() > 0 || ctx.Err() != nil
		})
	}
	through("a session before the outage")
	way.set(true)
	servertest.Eventually(t, "the loss", func() bool { return health.Stations.Load() == 0 })
	time.Sleep(10 * time.Minute / speed) // the stations' time, in which they charge
	refused := health.Unreached.Load()
	before := books.finished()
	way.set(false)
	if refused == 0 {
		t.Error("nobody tried while the system was away")
	}
	for (health.Stations.Load() < int64(len(ids)) || books.finished() <= before+10) && ctx.Err() == nil {
		time.Sleep(50 * time.Millisecond)
	}
	stop()
	work.Wait()
	books.mu.Lock()
	defer books.mu.Unlock()
	if len(books.completed) < 10 || health.Losses.Load() == 0 {
		t.Errorf("only %d sessions, %d losses: the test shows too little", len(books.completed), health.Losses.Load())
	}
	for name, s := range map[string]*servertest.Server{"upstream": theirs, "ours": ours} {
		faults := 0
		for k, want := range books.completed {
			var got *fleet.Session
			right := func() bool {
				got = sessionOf(t, s, k)
				return got != nil && math.Abs(got.EnergyWh-(want.last-want.first)) < 0.5 && got.State == fleet.SessionEnded
			}
			for range 200 { // what passes is read behind it
				if right() {
					break
				}
				time.Sleep(10 * time.Millisecond)
			}
			if !right() {
				if faults++; faults <= 5 {
					t.Errorf("%s: %v from %v to %v; in its books %+v", name, k, want.first, want.last, got)
				}
			}
		}
		if faults > 0 {
			t.Errorf("%s: %d of %d sessions differ", name, faults, len(books.completed))
		}
	}
	if gaps := health.Gaps.Load(); gaps > 0 {
		t.Errorf("%d frames were not read", gaps)
	}
}

// The metrics tell of each system how it goes, with no series for a station.
func TestMetricsOfARelay(t *testing.T) {
	t.Parallel()
	theirs := servertest.Start(t)
	theirs.Enrol(t, "CP1")
	ours := servertest.Start(t, onLoopback)
	relayTo(t, ours, strings.TrimSuffix(theirs.URL, "/"), "CP1")
	c := dial(t, ours, "CP1", "ocpp1.6")
	ask(t, c, boot16)
	_, secret, err := ours.Store.CreateAPIToken(t.Context(), store.System, store.APIToken{Name: "scrape", Grants: []store.Grant{{Role: store.RoleAdmin, Sites: []string{store.AllSites}}}})
	if err != nil {
		t.Fatal(err)
	}
	scrape := func() string {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+ours.HTTPAddress()+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+secret)
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		body, err := io.ReadAll(a.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	for _, want := range []string{
		`chargewatch_relay_stations{upstream="theirs"} 1`, `chargewatch_relay_connects_total{upstream="theirs"} 1`, `chargewatch_relay_frames_total{upstream="theirs"} `,
		`chargewatch_relay_unread_frames_total{upstream="theirs"} 0`, `chargewatch_relay_losses_total{upstream="theirs"} 0`,
		`chargewatch_relay_added_seconds_bucket{upstream="theirs",le="+Inf"} `, `chargewatch_relay_added_seconds_sum{upstream="theirs"} `,
	} {
		servertest.Eventually(t, want, func() bool { return strings.Contains(scrape(), want) })
	}
	if strings.Contains(scrape(), "CP1") {
		t.Error("a station has a series of its own")
	}
}

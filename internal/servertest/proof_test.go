package servertest_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/config"
	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/sim"
	"github.com/chargewatch/chargewatch/internal/store"
)

// secured are simulated stations of all versions, each enrolled with a password of its
// own.
func secured(t *testing.T, s *servertest.Server, n int) sim.Plan {
	t.Helper()
	plan := sim.Plan{Tokens: sim.Tokens(3, 5)}
	for i, v := range []sim.Version{sim.V16, sim.V201, sim.V21} {
		p := sim.Park((n+2-i)/3, v, fmt.Sprintf("S%d-", i), uint64(i))
		plan.Sites = p.Sites
		plan.Stations = append(plan.Stations, p.Stations...)
	}
	for i := range plan.Stations {
		x := &plan.Stations[i]
		x.Quirks, x.Model.Quirks = 0, 0
		x.Password = fmt.Sprintf("first password %04d", i)
		if _, _, err := s.Store.EnrolStation(t.Context(), store.System, store.NewStation{ID: x.ID, Auth: store.Auth{Profile: 1, Password: x.Password}}); err != nil {
			t.Fatal(err)
		}
	}
	return plan
}

// play runs stations until the test ends or what it returns is called.
func play(t *testing.T, o sim.Options) (*sim.Fleet, func()) {
	t.Helper()
	quiet := sim.Scenario{Name: "quiet"}
	o.Scenario, o.Ramp = quiet, time.Second
	stations, err := sim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() { _ = stations.Run(ctx) })
	stop := sync.OnceFunc(func() { cancel(); work.Wait() })
	t.Cleanup(stop)
	return stations, stop
}

func online(s *servertest.Server, ids ...string) int {
	n := 0
	for _, id := range ids {
		if st, ok := s.Journal.Snapshot().Station(id); ok && st.Online {
			n++
		}
	}
	return n
}

func idsOf(plan sim.Plan) []string {
	var out []string
	for _, x := range plan.Stations {
		out = append(out, x.ID)
	}
	return out
}

// Every station ends with a password that the server takes, whatever it did with the new
// one; who came with the new one is refused with the old one; and the new one is nowhere
// to be read.
func TestPasswordsAreRotatedAndNobodyIsLockedOut(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := servertest.In(t, folder)
	plan := secured(t, s, 18)
	want := make(map[string]store.RotationState)
	for i := range plan.Stations {
		x := &plan.Stations[i]
		want[x.ID] = store.RotationDone
		switch i % 6 {
		case 3:
			x.Habit, want[x.ID] = sim.RejectsPassword, store.RotationRejected
		case 4:
			x.Habit, want[x.ID] = sim.KeepsPassword, store.RotationKept
		case 5:
			x.Habit = sim.MuteWithPassword
		}
	}
	ids := idsOf(plan)
	_, stop := play(t, sim.Options{URL: strings.TrimSuffix(s.URL, "/"), Plan: plan})
	servertest.Eventually(t, "all are there", func() bool { return online(s, ids...) == len(ids) })
	secrets := make(map[string]string)
	for _, id := range ids {
		if _, err := s.Proofs().Rotate(t.Context(), store.System, id); err != nil {
			t.Fatal(err)
		}
		secret, err := s.Store.NextPassword(id)
		if err != nil {
			t.Fatal(err)
		}
		secrets[id] = secret
	}
	patiently(t, "all are accounted for", func() bool {
		for _, id := range ids {
			if r, _ := s.Store.Rotation(id); r.State != want[id] {
				return false
			}
		}
		return true
	}, func() string {
		var out []string
		for _, id := range ids {
			if r, _ := s.Store.Rotation(id); r.State != want[id] {
				out = append(out, fmt.Sprintf("%s: %s (%s, %d attempts), want %s", id, r.State, r.Said, r.Attempts, want[id]))
			}
		}
		return strings.Join(out, "; ")
	})
	for _, id := range ids {
		s.Endpoint.Disconnect(id, "to see who comes again")
	}
	patiently(t, "all come again", func() bool { return online(s, ids...) == len(ids) }, func() string { return "" })
	for i, x := range plan.Stations {
		e, _ := s.Store.Station(x.ID)
		_, old := e.CheckPassword([]byte(x.Password))
		if done := want[x.ID] == store.RotationDone; old == done {
			t.Errorf("%s (%d): the old password is taken: %t", x.ID, i, old)
		}
		if which := s.Store.WhichPassword(e, []byte(x.Password)); want[x.ID] == store.RotationDone && which != store.PasswordBefore {
			t.Errorf("%s: the old password is %q", x.ID, which)
		}
	}
	stop()
	s.Stop()
	searched := 0
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		searched++
		for id, secret := range secrets {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("the new password of %s stands in %s", id, path)
			}
		}
		return nil
	})
	if err != nil || searched < 3 {
		t.Errorf("searched %d files: %v", searched, err)
	}
}

// patiently is Eventually for what takes stations several connections.
func patiently(t *testing.T, what string, ok func() bool, why func() string) {
	t.Helper()
	for range 9000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s did not happen: %s", what, why())
}

// Forty stations get certificates of ours, three do not want theirs: all are accounted
// for and nobody is locked out, and those who have one come with it.
func TestCertificatesAreRenewedAndAccountedFor(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t, func(c *config.Config) {
		c.Listeners = []config.Listener{{Address: "127.0.0.1:0", TLS: "auto", Profile: 3}}
	})
	plan := secured(t, s, 40)
	refuse := map[string]bool{}
	for _, i := range []int{1, 17, 33} {
		plan.Stations[i].Habit = sim.RejectsSigned
		refuse[plan.Stations[i].ID] = true
	}
	ids := idsOf(plan)
	stations, stop := play(t, sim.Options{URL: strings.TrimSuffix(s.URL, "/"), Plan: plan})
	servertest.Eventually(t, "all are there", func() bool { return online(s, ids...) == len(ids) })
	for _, id := range ids {
		if _, err := s.Proofs().Renew(t.Context(), store.System, id); err != nil {
			t.Fatal(err)
		}
	}
	patiently(t, "all are accounted for", func() bool {
		for _, id := range ids {
			r, _ := s.Store.Renewal(id)
			if want := map[bool]store.RenewalState{true: store.RenewalRejected, false: store.RenewalDone}[refuse[id]]; r.State != want {
				return false
			}
		}
		return true
	}, func() string {
		r, _ := s.Store.Renewal(ids[0])
		return fmt.Sprintf("%+v", r)
	})
	took := stations.Certificates()
	for _, id := range ids {
		if n := took[id]; (n == 1) == refuse[id] {
			t.Errorf("%s took %d certificates", id, n)
		}
	}
	if n := online(s, ids...); n != len(ids) {
		t.Errorf("%d of %d are there", n, len(ids))
	}
	pairs := stations.Pairs()
	stop()

	// Who has one comes with it at the listener that wants certificates.
	authority, err := os.ReadFile(filepath.Join(s.Config.Data, "tls", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	second := plan
	second.Stations = nil
	for _, x := range plan.Stations {
		if !refuse[x.ID] {
			second.Stations = append(second.Stations, x)
		}
	}
	again, err := sim.New(sim.Options{URL: "wss://" + s.ListenerAddress(0) + "/ocpp", Plan: second, TLS: &tls.Config{RootCAs: roots}, Scenario: sim.Scenario{Name: "quiet"}, Ramp: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	for id, pair := range pairs {
		if err := again.Present(id, pair); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() { _ = again.Run(ctx) })
	t.Cleanup(func() { cancel(); work.Wait() })
	patiently(t, "all come with their certificates", func() bool {
		n := 0
		for _, x := range second.Stations {
			if st, ok := s.Journal.Snapshot().Station(x.ID); ok && st.Online && st.SecurityProfile == 3 {
				n++
			}
		}
		return n == len(second.Stations)
	}, func() string { return again.Stats().LastDialError })

	// A certificate that is revoked is refused at once, and those of others are not.
	gone := second.Stations[0].ID
	if _, err := s.Proofs().Revoke(t.Context(), store.System, gone, s.Store.StationCertificates(gone)[0].Fingerprint, "stolen"); err != nil {
		t.Fatal(err)
	}
	servertest.Eventually(t, "it is refused", func() bool {
		for _, r := range s.Store.Handshakes() {
			if r.Identity == gone && strings.Contains(r.Reason, "revoked") {
				return true
			}
		}
		return false
	})
	if st := s.Station(t, gone); st.Online {
		t.Error("the station whose certificate was revoked is connected")
	}
	if st := s.Station(t, second.Stations[1].ID); !st.Online {
		t.Error("another station lost its connection")
	}
}

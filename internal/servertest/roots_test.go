package servertest_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/config"
	"github.com/chargewatch/chargewatch/internal/pki"
	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/sim"
	"github.com/chargewatch/chargewatch/internal/store"
)

// servedRoot is the fingerprint of the root that a listener sends along.
func servedRoot(t *testing.T, address string) string {
	t.Helper()
	c, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(t.Context(), "tcp", address) //nolint:gosec // what is shown is looked at
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	certs := c.(*tls.Conn).ConnectionState().PeerCertificates
	return store.FingerprintOf(certs[len(certs)-1].Raw)
}

// The root of the server is changed under stations that come by TLS: they get the new one
// beside the old, the server is not switched while one lacks it and is not named, those
// who have it come back, and the old one is deleted. A start in between changes nothing.
func TestTheRootOfTheServerIsChanged(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := servertest.In(t, folder, withTLS)
	plan := secured(t, s, 6)
	stubborn := plan.Stations[5].ID
	for i := range plan.Stations {
		x := &plan.Stations[i]
		if _, _, err := s.Store.ChangeStation(t.Context(), store.System, x.ID, store.StationChange{Auth: &store.Auth{Profile: 2}}); err != nil {
			t.Fatal(err)
		}
		if x.ID == stubborn {
			x.Habit = sim.RejectsRoot
		}
	}
	ids := idsOf(plan)
	first := ownRoot(t, s)
	roots := x509.NewCertPool()
	roots.AddCert(first)
	_, port, err := net.SplitHostPort(s.ListenerAddress(0))
	if err != nil {
		t.Fatal(err)
	}
	play(t, sim.Options{URL: "wss://" + s.ListenerAddress(0) + "/ocpp", Plan: plan, TLS: &tls.Config{RootCAs: roots}})
	patiently(t, "all are there", func() bool { return reachable(s, ids...) == len(ids) }, func() string { return "" })

	if _, err := s.Proofs().ChangeRoot(t.Context(), store.System, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Proofs().ChangeRoot(t.Context(), store.System, ""); err == nil {
		t.Error("two changes at once")
	}
	progress := func() (has, refused int) {
		p, err := s.Proofs().RootProgress(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return p.Has, p.Refused
	}
	patiently(t, "all but one have the new root", func() bool { has, refused := progress(); return has == 5 && refused == 1 },
		func() string { has, refused := progress(); return fmt.Sprint(has, " have it, ", refused, " refused") })

	// A start goes on where it was.
	s.Stop()
	s = servertest.In(t, folder, withTLS, func(c *config.Config) { c.Listeners[0].Address = "127.0.0.1:" + port })
	patiently(t, "all are there again", func() bool { return reachable(s, ids...) == len(ids) }, func() string { return "" })
	if err := s.Proofs().SwitchRoot(t.Context(), store.System, nil); err == nil {
		t.Fatal("the server was switched while a station lacked the new root")
	}
	if err := s.Proofs().SwitchRoot(t.Context(), store.System, []string{stubborn}); err != nil {
		t.Fatal(err)
	}
	second := ownRoot(t, s)
	if second.Equal(first) || servedRoot(t, s.ListenerAddress(0)) != store.FingerprintOf(second.Raw) {
		t.Error("the listener does not serve the new root")
	}
	for _, id := range ids {
		s.Endpoint.Disconnect(id, "to see who comes again")
	}
	rest := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == stubborn })
	patiently(t, "who has it comes again", func() bool { return reachable(s, rest...) == len(rest) }, func() string { return "" })
	if err := s.Proofs().RemoveOldRoot(t.Context(), store.System); err != nil {
		t.Fatal(err)
	}
	patiently(t, "the old root is deleted", func() bool {
		p, err := s.Proofs().RootProgress(t.Context())
		return err == nil && p.Gone == len(rest)
	}, func() string { p, _ := s.Proofs().RootProgress(t.Context()); return fmt.Sprintf("%+v", p) })
	if err := s.Proofs().FinishRoot(t.Context(), store.System); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"ca-next.pem", "ca-next.key"} {
		if _, err := os.Stat(filepath.Join(folder, "tls", name)); err == nil {
			t.Errorf("%s is left", name)
		}
	}
	name, _ := pki.NameOf(second, "SHA256")
	if _, err := s.Proofs().DeleteRoot(context.Background(), store.System, rest[0], name); err == nil || !strings.Contains(err.Error(), "would not come back") {
		t.Errorf("the root in use is deleted: %v", err)
	}
}

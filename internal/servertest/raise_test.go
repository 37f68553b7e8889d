package servertest_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/chargewatch/chargewatch/internal/config"
	"github.com/chargewatch/chargewatch/internal/pki"
	"github.com/chargewatch/chargewatch/internal/proof"
	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/sim"
	"github.com/chargewatch/chargewatch/internal/store"
)

// withTLS opens listeners of profile 2 and 3 beside the plain one.
func withTLS(c *config.Config) {
	c.Listeners = []config.Listener{{Address: "127.0.0.1:0", TLS: "auto", Profile: 2}, {Address: "127.0.0.1:0", TLS: "auto", Profile: 3}}
	c.Station.ReturnWithin = config.Duration(30 * time.Second)
}

// byProfile is where stations of 1.6 come by a higher profile.
func byProfile(s *servertest.Server) [4]string {
	at := func(i int) string { return "wss://" + s.ListenerAddress(i) + "/ocpp" }
	return [4]string{2: at(0), 3: at(1)}
}

func ownRoot(t *testing.T, s *servertest.Server) *x509.Certificate {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.Config.Data, "tls", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := pki.ReadRoot(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// installRoot gives a station the root of the server and has it say so.
func installRoot(t *testing.T, s *servertest.Server, id string) {
	t.Helper()
	use := "CSMSRootCertificate"
	if st := s.Station(t, id); !st.Is2x() {
		use = "CentralSystemRootCertificate"
	}
	payload, err := json.Marshal(map[string]string{"certificateType": use, "certificate": pki.Text(ownRoot(t, s))})
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.Web.CommandFor(t.Context(), store.System, id, "InstallCertificate", payload)
	if err != nil || !strings.Contains(string(out.Response), "Accepted") {
		t.Fatalf("%s: %+v %v", id, out, err)
	}
}

// knock tries to come in with a password and says what the server answers.
func knock(t *testing.T, address, id, password string) int {
	t.Helper()
	c, resp, err := websocket.Dial(t.Context(), strings.TrimSuffix(address, "/")+"/"+id, &websocket.DialOptions{
		HTTPHeader:   http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+password))}},
		Subprotocols: []string{"ocpp1.6", "ocpp2.0.1", "ocpp2.1"},
		HTTPClient:   &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}, //nolint:gosec // what is told is looked at
	})
	if err == nil {
		c.CloseNow()
		return http.StatusSwitchingProtocols
	}
	if resp == nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

func profileOf(s *servertest.Server, id string) int {
	st, ok := s.Journal.Snapshot().Station(id)
	if !ok || !st.Online {
		return -1
	}
	return st.SecurityProfile
}

// Stations of all versions are raised from a password in clear to TLS, whatever they do
// with it: who comes by TLS is refused without from then on, and everybody else is let in
// as before.
func TestProfilesAreRaisedAndNobodyIsLockedOut(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t, withTLS)
	plan := secured(t, s, 15)
	want := make(map[string][]store.UpgradeState)
	var rootless []string
	for i := range plan.Stations {
		x := &plan.Stations[i]
		want[x.ID] = []store.UpgradeState{store.UpgradeDone}
		switch i % 5 {
		case 1:
			x.Habit, want[x.ID] = sim.RejectsProfile, []store.UpgradeState{store.UpgradeRejected}
		case 2:
			x.Habit, want[x.ID] = sim.FallsBack, []store.UpgradeState{store.UpgradeFellBack, store.UpgradeMissing}
		case 3: // somebody is sure that it knows the root, and is wrong
			rootless, want[x.ID] = append(rootless, x.ID), []store.UpgradeState{store.UpgradeFellBack, store.UpgradeMissing}
		case 4:
			x.Habit, want[x.ID] = sim.StaysAway, []store.UpgradeState{store.UpgradeMissing}
		}
	}
	ids := idsOf(plan)
	play(t, sim.Options{URL: strings.TrimSuffix(s.URL, "/"), Plan: plan, ByProfile: byProfile(s), Speed: 20})
	patiently(t, "all are there", func() bool { return reachable(s, ids...) == len(ids) }, func() string { return "" })
	if _, err := s.Proofs().Raise(t.Context(), store.System, store.Upgrade{Station: ids[0], To: 3}); err == nil || !strings.Contains(err.Error(), "install it first") {
		t.Errorf("a station without our root: %v", err)
	}
	for _, id := range ids {
		wish := store.Upgrade{Station: id, To: 2}
		if slices.Contains(rootless, id) {
			wish.Without = []string{proof.NeedsRoot}
		} else {
			installRoot(t, s, id)
		}
		if _, err := s.Proofs().Raise(t.Context(), store.System, wish); err != nil {
			t.Fatal(id, err)
		}
	}
	patiently(t, "all are accounted for", func() bool {
		for _, id := range ids {
			if u, _ := s.Store.Upgrade(id); !slices.Contains(want[id], u.State) {
				return false
			}
		}
		return true
	}, func() string {
		var out []string
		for _, id := range ids {
			if u, _ := s.Store.Upgrade(id); !slices.Contains(want[id], u.State) {
				out = append(out, fmt.Sprintf("%s: %s (%s), want %v", id, u.State, u.Said, want[id]))
			}
		}
		return strings.Join(out, "; ")
	})
	for i, x := range plan.Stations {
		e, _ := s.Store.Station(x.ID)
		raised := want[x.ID][0] == store.UpgradeDone
		if (e.Profile == 2) != raised {
			t.Errorf("%s (%d) must use profile %d", x.ID, i, e.Profile)
		}
		if code := knock(t, s.URL, x.ID, x.Password); (code == http.StatusForbidden) != raised || (code == http.StatusSwitchingProtocols) == raised {
			t.Errorf("%s (%d) is told %d without TLS", x.ID, i, code)
		}
	}
}

// Stations with certificates of ours go on to profile 3, where their passwords do not
// help any more.
func TestAProfileIsRaisedToCertificates(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t, withTLS)
	plan := secured(t, s, 3)
	ids := idsOf(plan)
	play(t, sim.Options{URL: strings.TrimSuffix(s.URL, "/"), Plan: plan, ByProfile: byProfile(s), Speed: 20})
	patiently(t, "all are there", func() bool { return reachable(s, ids...) == len(ids) }, func() string { return "" })
	for _, to := range []int{2, 3} {
		for _, id := range ids {
			if to == 2 {
				installRoot(t, s, id)
			} else {
				if _, err := s.Proofs().Raise(t.Context(), store.System, store.Upgrade{Station: id, To: 3}); err == nil || !strings.Contains(err.Error(), "certificate") {
					t.Errorf("%s has no certificate: %v", id, err)
				}
				if _, err := s.Proofs().Renew(t.Context(), store.System, id); err != nil {
					t.Fatal(err)
				}
				patiently(t, "it has a certificate", func() bool {
					r, ok := s.Store.Renewal(id)
					return ok && r.State == store.RenewalDone
				}, func() string { r, _ := s.Store.Renewal(id); return fmt.Sprintf("%+v", r) })
			}
			if _, err := s.Proofs().Raise(t.Context(), store.System, store.Upgrade{Station: id, To: to}); err != nil {
				t.Fatal(id, err)
			}
		}
		patiently(t, fmt.Sprint("all come by profile ", to), func() bool {
			for _, id := range ids {
				if u, ok := s.Store.Upgrade(id); !ok || u.State != store.UpgradeDone || u.To != to || profileOf(s, id) != to {
					return false
				}
			}
			return true
		}, func() string {
			var out []string
			for _, id := range ids {
				u, _ := s.Store.Upgrade(id)
				out = append(out, fmt.Sprintf("%s: %+v, by profile %d", id, *u, profileOf(s, id)))
			}
			return strings.Join(out, "; ")
		})
	}
	for i, id := range ids {
		if code := knock(t, byProfile(s)[2], id, plan.Stations[i].Password); code != http.StatusForbidden {
			t.Errorf("%s is told %d with its password", id, code)
		}
	}
}

package servertest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/sim"
	"github.com/chargewatch/chargewatch/internal/store"
)

// script calls the API of a server.
type script struct {
	t     *testing.T
	base  string
	token string
}

func newScript(t *testing.T, s *servertest.Server, role store.Role) *script {
	t.Helper()
	_, secret, err := s.Store.CreateAPIToken(t.Context(), store.System, store.APIToken{
		Name: "script", Grants: []store.Grant{{Role: role, Sites: []string{store.AllSites}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &script{t: t, base: "http://" + s.HTTPAddress() + "/api/v1", token: secret}
}

func (c *script) call(want int, method, path, body string, into any) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != want {
		c.t.Fatalf("%s %s: %d, want %d: %s %v", method, path, resp.StatusCode, want, text, err)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal(text, into); err != nil {
		c.t.Fatalf("%s %s: %v: %s", method, path, err, text)
	}
}

type demo struct {
	On       bool
	Stations int
	Sites    int
}

type counts struct {
	Ports    struct{ Total int }
	Stations struct{ Total, Online, Simulated int }
	Sessions struct{ Active, Today int }
}

// A simulated network is turned on in a server that has a station of its own,
// and off again: nothing of it counts then, and what is real stays.
func TestTheSimulatedNetworkGoesOnAndOff(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := servertest.In(t, folder)
	s.Enrol(t, "REAL-1")
	s.Credential(t, "REAL-CARD")
	c := newScript(t, s, store.RoleAdmin)
	newScript(t, s, store.RoleOperator).call(http.StatusForbidden, "POST", "/demo", `{"on":true}`, nil)
	var d demo
	c.call(http.StatusOK, "GET", "/demo", "", &d)
	if d.On || d.Stations != 0 {
		t.Fatalf("before: %+v", d)
	}
	c.call(http.StatusOK, "POST", "/demo", `{"on":true}`, &d)
	if !d.On || d.Stations != 121 || d.Sites != 12 {
		t.Fatalf("turned on: %+v", d)
	}
	var now counts
	lives := func() bool {
		c.call(http.StatusOK, "GET", "/summary", "", &now)
		if now.Stations.Online < 80 || now.Stations.Simulated != 121 {
			return false
		}
		ended, _, err := s.Journal.Sessions(t.Context(), journal.SessionQuery{Active: new(false)})
		return err == nil && len(ended) > 10
	}
	servertest.Eventually(t, "life", lives)
	var me struct{ Demo bool }
	if c.call(http.StatusOK, "GET", "/me", "", &me); !me.Demo {
		t.Error("people are not told that it is simulated")
	}

	// A restart finds it as it was.
	s.Stop()
	s = servertest.In(t, folder)
	c = newScript(t, s, store.RoleAdmin)
	servertest.Eventually(t, "life after a restart", lives)

	c.call(http.StatusOK, "POST", "/demo", `{"on":false}`, &d)
	if d.On || d.Stations != 0 {
		t.Fatalf("turned off: %+v", d)
	}
	c.call(http.StatusOK, "POST", "/demo", `{"on":false}`, &d)
	c.call(http.StatusOK, "GET", "/summary", "", &now)
	if now.Stations.Simulated != 0 || now.Ports.Total > 2 || now.Sessions.Active != 0 || now.Sessions.Today != 0 {
		t.Errorf("left: %+v", now)
	}
	if n := len(s.Store.Sites()); n != 0 {
		t.Errorf("%d sites are left", n)
	}
	cards, err := s.Store.Credentials(t.Context(), "", "", 1000)
	if err != nil || len(cards) != 1 {
		t.Errorf("%d cards are left, %v", len(cards), err)
	}
	if _, ok := s.Store.Station("REAL-1"); !ok {
		t.Error("a real station is gone")
	}
	if c.call(http.StatusOK, "GET", "/me", "", &me); me.Demo {
		t.Error("nothing is simulated any more")
	}

	// On again, it goes on from what was recorded.
	c.call(http.StatusOK, "POST", "/demo", `{"on":true}`, &d)
	servertest.Eventually(t, "life again", func() bool {
		c.call(http.StatusOK, "GET", "/summary", "", &now)
		return now.Stations.Online > 80
	})
	c.call(http.StatusOK, "POST", "/demo", `{"on":false}`, &d)
	total := 0
	for _, x := range sim.Network(1).Stations {
		total += follows(t, s, x.ID)
	}
	if total < 20 {
		t.Errorf("only %d sessions", total)
	}
}

// follows checks that the sessions of a station do not overlap at a port and
// that registers do not go back.
func follows(t *testing.T, s *servertest.Server, id string) int {
	t.Helper()
	list, _, err := s.Journal.Sessions(t.Context(), journal.SessionQuery{Station: id, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	type port struct {
		free time.Time
		wh   float64
	}
	ports := make(map[int]port)
	for i := len(list) - 1; i >= 0; i-- {
		x := list[i]
		p := ports[x.EVSE]
		if x.State == fleet.SessionActive {
			t.Errorf("%s/%d: a session of a removed station is open", id, x.EVSE)
		}
		if x.StartedAt.Before(p.free.Add(-time.Second)) {
			t.Errorf("%s/%d: a session from %s overlaps with one to %s: %s", id, x.EVSE, x.StartedAt, p.free, fmt.Sprint(x.Flags))
		}
		if x.MeterStartWh != nil {
			if *x.MeterStartWh < p.wh-1 {
				t.Errorf("%s/%d: the register goes back from %.0f to %.0f", id, x.EVSE, p.wh, *x.MeterStartWh)
			}
			p.wh = max(p.wh, *x.MeterStartWh)
		}
		if x.MeterStopWh != nil {
			p.wh = max(p.wh, *x.MeterStopWh)
		}
		p.free = x.EndedAt
		ports[x.EVSE] = p
	}
	return len(list)
}

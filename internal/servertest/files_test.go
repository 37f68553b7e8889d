package servertest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/sim"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

// desk is a person with a role at the API of a server.
type desk struct {
	t      *testing.T
	base   string
	secret string
}

func deskOf(t *testing.T, s *servertest.Server, role store.Role) desk {
	t.Helper()
	_, secret, err := s.Store.CreateAPIToken(t.Context(), store.System, store.APIToken{Name: "test", Grants: []store.Grant{{Role: role, Sites: []string{store.AllSites}}}})
	if err != nil {
		t.Fatal(err)
	}
	return desk{t, "http://" + s.HTTPAddress() + "/api/v1", secret}
}

// do asks and reads the whole answer into what is given, as it is or as JSON.
func (d desk) do(method, path string, body any, want int, into any) http.Header {
	d.t.Helper()
	var send io.Reader
	kind := "application/json"
	switch b := body.(type) {
	case nil:
	case []byte:
		send, kind = bytes.NewReader(b), "application/octet-stream"
	case string:
		send = strings.NewReader(b)
	}
	r, err := http.NewRequestWithContext(d.t.Context(), method, d.base+path, send)
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+d.secret)
	r.Header.Set("Content-Type", kind)
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer a.Body.Close()
	data, err := io.ReadAll(a.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	if a.StatusCode != want {
		d.t.Fatalf("%s %s: %s %s", method, path, a.Status, data)
	}
	switch to := into.(type) {
	case nil:
	case *[]byte:
		*to = data
	default:
		if err := json.Unmarshal(data, into); err != nil {
			d.t.Fatalf("%s %s: %v in %s", method, path, err, data)
		}
	}
	return a.Header
}

// files are those of a station, newest first.
func (d desk) files(station string) []web.StationFileShape {
	d.t.Helper()
	var out web.Items[web.StationFileShape]
	d.do(http.MethodGet, "/stations/"+station+"/files", nil, http.StatusOK, &out)
	return out.Items
}

// settled waits until the newest file of a station has a state.
func (d desk) settled(station, state string) web.StationFileShape {
	d.t.Helper()
	var last web.StationFileShape
	for range 600 {
		if list := d.files(station); len(list) > 0 {
			if last = list[0]; last.State == state {
				return last
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	d.t.Fatalf("a file of %s is not %s: %+v", station, state, last)
	return last
}

// simulated runs stations over real sockets until the test ends.
func simulated(t *testing.T, s *servertest.Server, plan sim.Plan, speed float64, failures ...sim.Failure) *sim.Fleet {
	t.Helper()
	scenario, err := sim.FindScenario("day")
	if err != nil {
		t.Fatal(err)
	}
	scenario.FaultsPerDay, scenario.DropsPerDay, scenario.Traffic, scenario.AllQuirks = 0, 0, 0.01, false
	f, err := sim.New(sim.Options{
		URL: "ws://" + s.OCPPAddress() + "/ocpp", Plan: plan, Scenario: scenario, Seed: 3, Speed: speed, Ramp: time.Millisecond, Failures: failures,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() {
		if err := f.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { stop(); work.Wait() })
	for _, x := range plan.Stations {
		servertest.Eventually(t, "the boot of "+x.ID, func() bool {
			st, ok := s.Journal.Snapshot().Station(x.ID)
			return ok && st.Online && !st.BootedAt.IsZero()
		})
	}
	return f
}

// threeOf is a station of each version.
func threeOf(t *testing.T, s *servertest.Server) sim.Plan {
	t.Helper()
	var plan sim.Plan
	for i, v := range []sim.Version{sim.V16, sim.V201, sim.V21} {
		p := sim.Park(1, v, fmt.Sprintf("F%d-", i), uint64(i))
		plan.Sites, plan.Stations = p.Sites, append(plan.Stations, p.Stations...)
	}
	for i := range plan.Stations {
		plan.Stations[i].Quirks, plan.Stations[i].Model.Quirks = 0, 0
		s.Enrol(t, plan.Stations[i].ID)
	}
	return plan
}

// Stations of each version send what they are asked for, each in a way of its own; it
// can be downloaded by whom it concerns, and no address is written down anywhere.
func TestStationsSendTheirLogs(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	plan := threeOf(t, s)
	admin, security, operator, viewer := deskOf(t, s, store.RoleAdmin), deskOf(t, s, store.RoleSecurity), deskOf(t, s, store.RoleOperator), deskOf(t, s, store.RoleViewer)
	simulated(t, s, plan, 10)
	for _, x := range plan.Stations {
		for _, kind := range []string{"diagnostics", "securityLog"} {
			var asked web.StationFileShape
			operator.do(http.MethodPost, "/stations/"+x.ID+"/files", `{"kind":"`+kind+`"}`, http.StatusAccepted, &asked)
			if asked.ID == "" {
				t.Errorf("%s of %s: %+v", kind, x.ID, asked)
			}
			got := operator.settled(x.ID, "received")
			if got.ID != asked.ID || got.File == nil || got.File.Bytes < 1000 || !strings.HasPrefix(got.File.Name, x.ID) || !strings.HasSuffix(got.File.Name, ".tar.gz") {
				t.Fatalf("%s of %s: %+v", kind, x.ID, got)
			}
			content := "/stations/" + x.ID + "/files/" + got.ID + "/content"
			reader := operator
			if kind == "securityLog" {
				operator.do(http.MethodGet, content, nil, http.StatusForbidden, nil)
				reader = security
			}
			var data []byte
			h := reader.do(http.MethodGet, content, nil, http.StatusOK, &data)
			if len(data) != int(got.File.Bytes) || !bytes.HasPrefix(data, []byte("\x1f\x8b")) {
				t.Errorf("%s of %s holds %d bytes", kind, x.ID, len(data))
			}
			if !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Type") != "application/octet-stream" {
				t.Errorf("%s of %s is served with %v", kind, x.ID, h)
			}
			viewer.do(http.MethodGet, content, nil, http.StatusForbidden, nil)
			admin.do(http.MethodGet, content, nil, http.StatusOK, &data)
		}
	}
	noAddress(t, s, admin, plan)
}

// noAddress looks for one-time addresses in all that is recorded and shown.
func noAddress(t *testing.T, s *servertest.Server, d desk, plan sim.Plan) {
	t.Helper()
	shows := func(where, text string) {
		t.Helper()
		for rest := text; ; {
			_, after, found := strings.Cut(rest, "cwf_")
			if !found {
				return
			}
			if len(after) > 0 && after[0] >= 'a' && after[0] <= 'z' {
				t.Errorf("%s shows an address: cwf_%.20s", where, after)
				return
			}
			rest = after
		}
	}
	list, _, err := s.Journal.Events(t.Context(), journal.EventQuery{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	asked := false
	for _, e := range list {
		text, err := json.Marshal(e.Body)
		if err != nil {
			t.Fatal(err)
		}
		asked = asked || strings.Contains(string(text), "/files/cwf_")
		shows("the journal", string(text))
	}
	if !asked {
		t.Error("no request with an address is in the journal: the test shows nothing")
	}
	for _, x := range plan.Stations {
		for _, path := range []string{"/commands", "/messages?limit=200", "/files"} {
			var data []byte
			d.do(http.MethodGet, "/stations/"+x.ID+path, nil, http.StatusOK, &data)
			shows(path, string(data))
		}
	}
	var data []byte
	d.do(http.MethodGet, "/audit?limit=200", nil, http.StatusOK, &data)
	shows("the audit log", string(data))
	if !strings.Contains(string(data), "station.file.download") {
		t.Error("downloads are not in the audit log")
	}
}

package servertest_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj/spec"
	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/source/station"
	"github.com/chargewatch/chargewatch/internal/store"
)

// strictJob is what test/peers/strict.js is told to do.
type strictJob struct {
	Endpoint string   `json:"endpoint"`
	Identity string   `json:"identity"`
	Protocol string   `json:"protocol"`
	Calls    []string `json:"calls"`
	Sends    []string `json:"sends"`
	Commands []string `json:"commands"`
	// Quiet leaves out the Heartbeat at the end.
	Quiet bool `json:"quiet"`
	Print bool `json:"print"`
}

// strictLine is one line of what it says.
type strictLine struct {
	Fault    string          `json:"fault"`
	Error    string          `json:"error"`
	Details  json.RawMessage `json:"details"`
	Called   int             `json:"called"`
	Commands []struct {
		Action          string
		Payload, Answer json.RawMessage
	} `json:"commands"`
	Payloads []struct {
		Action  string
		Payload json.RawMessage
	} `json:"payloads"`
}

// strictPeer starts a station of ocpp-rpc. next returns its next line that is
// no fault; faults fail the test.
func strictPeer(t *testing.T, job strictJob) (next func() (strictLine, bool), leave func()) {
	t.Helper()
	const peers = "../../test/peers"
	_, err := os.Stat(filepath.Join(peers, "../schemas/node_modules/ocpp-rpc"))
	node, nodeErr := exec.LookPath("node")
	if err != nil || nodeErr != nil {
		t.Fatalf("make test installs ocpp-rpc, or npm ci in test/schemas: %v %v", err, nodeErr)
	}
	text, err := json.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), node, filepath.Join(peers, "strict.js"), string(text))
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var trouble bytes.Buffer
	cmd.Stderr = &trouble
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 8<<20)
	next = func() (strictLine, bool) {
		for lines.Scan() {
			var l strictLine
			if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
				t.Errorf("the station said %q: %v", lines.Text(), err)
				continue
			}
			if l.Fault == "" {
				return l, true
			}
			t.Errorf("strict: %s: %s %s", l.Fault, l.Error, l.Details)
		}
		return strictLine{}, false
	}
	leave = func() {
		in.Close()
		for _, ok := next(); ok; _, ok = next() {
		}
		if _, err := io.Copy(io.Discard, out); err != nil {
			t.Log(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("the station ended with %v: %s", err, trouble.String())
		}
	}
	return next, leave
}

// Everything we say to a station passes the JSON schemas of its version: the
// answer to every action it may send, and every action that may be sent to it.
func TestAStrictStation(t *testing.T) {
	t.Parallel()
	table := spec.New()
	for _, v := range ocppj.Versions() {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			s := servertest.Start(t)
			s.Enrol(t, "STRICT")
			// The word that the peer uses for every text: its answers have all members.
			_, err := s.Store.PutCredential(t.Context(), store.System, "", store.CredentialInput{
				IDToken: "text", Status: "Accepted", ExpiresAt: time.Now().Add(time.Hour), ParentIDToken: strings.Repeat("p", 40),
			})
			if err != nil {
				t.Fatal(err)
			}
			job := strictJob{
				Endpoint: strings.TrimSuffix(s.URL, "/"), Identity: "STRICT", Protocol: v.String(),
				Commands: table.Actions(v, spec.ToStation),
			}
			for _, action := range table.Actions(v, spec.FromStation) {
				if table.Answered(v, action) {
					job.Calls = append(job.Calls, action)
				} else {
					job.Sends = append(job.Sends, action)
				}
			}
			next, leave := strictPeer(t, job)
			l, ok := next()
			if !ok {
				leave()
				t.Fatal("the station gave up")
			}
			if l.Called != 4*len(job.Calls) || l.Called < 40 {
				t.Errorf("%d calls answered of %d actions", l.Called, len(job.Calls))
			}
			for i, c := range l.Commands {
				var d jsondoc.Doc
				if err := d.Parse(c.Payload); err != nil {
					t.Fatal(err)
				}
				if faults := table.CheckRequest(v, c.Action, d.Root()); len(faults) > 0 {
					t.Errorf("%s %s is valid, we say %v", c.Action, c.Payload, faults)
				}
				o := s.Endpoint.Send(t.Context(), "STRICT", fmt.Sprintf("5f9c1c2e-0000-4000-8000-%012d", i), c.Action, c.Payload)
				if o.Status != station.Answered || !sameJSON(t, string(o.Response), string(c.Answer)) {
					t.Errorf("%s %s: %+v %s; want %s", c.Action, c.Payload, o, o.Response, c.Answer)
				}
			}
			for _, action := range job.Sends {
				events, _, err := s.Journal.Events(t.Context(), journal.EventQuery{Subject: event.Station("STRICT")})
				if err != nil || !hasMessage(events, action) {
					t.Errorf("SEND %s left no event: %v", action, err)
				}
			}
			leave()
		})
	}
}

func hasMessage(events []*event.Event, action string) bool {
	for _, e := range events {
		if m, ok := e.Body.(*event.Message); ok && m.Action == action {
			return true
		}
	}
	return false
}

// A station that waits for approval hears Pending in a form that it accepts.
func TestAStrictStationThatIsPending(t *testing.T) {
	t.Parallel()
	for _, v := range ocppj.Versions() {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			s := servertest.Start(t)
			next, leave := strictPeer(t, strictJob{
				Endpoint: strings.TrimSuffix(s.URL, "/"), Identity: "STRANGER", Protocol: v.String(), Calls: []string{"BootNotification"}, Quiet: true,
			})
			l, ok := next()
			leave()
			if !ok || l.Called != 4 {
				t.Errorf("%d boots answered", l.Called)
			}
			if e, ok := s.Store.Station("STRANGER"); !ok || e.Onboarding != event.OnboardingPending || e.Vendor == "" {
				t.Errorf("the stranger in the list: %+v", e)
			}
		})
	}
}

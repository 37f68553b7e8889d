package servertest_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/evidence"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/store"
)

// The pack of an incident at a door holds what was recorded beside pictures, names
// people only for who may know them, and what others did only by its place in the chain.
func TestThePackOfAnIncidentHoldsWhatWasRecorded(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	ctx := t.Context()
	if _, err := s.Store.CreateSite(ctx, store.System, store.Site{ID: "hh"}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Store.EnrolStation(ctx, store.System, store.NewStation{ID: "CS", SiteID: "hh"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Store.CreateDoor(ctx, store.System, store.Door{ID: "gate", SiteID: "hh", Kind: "gate"}); err != nil {
		t.Fatal(err)
	}
	who, err := s.Store.SavePerson(ctx, store.System, store.Person{Name: "Erika Muster"})
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, s, "CS", "ocpp1.6")
	if a := ask(t, c, `[2,"secret","Authorize",{"idTag":"0455AA12CC"}]`); !strings.HasPrefix(a, `[3,`) {
		t.Fatal(a)
	}
	tell := func(b event.Body) {
		t.Helper()
		now := time.Now()
		if _, err := s.Journal.Append(ctx, &event.Event{Subject: event.Door("gate"), At: now, ReceivedAt: now, Origin: event.FromUs, Body: b}); err != nil {
			t.Fatal(err)
		}
	}
	tell(&event.Access{SiteID: "hh", PersonID: who.ID, DecidedBy: "controller", Method: "card"})
	tell(&event.DoorState{SiteID: "hh", State: event.DoorForced, Since: time.Now()})
	var incidents struct{ Items []struct{ ID string } }
	servertest.Eventually(t, "the incident", func() bool {
		askAPI(t, s, http.MethodGet, "/incidents", http.StatusOK, &incidents)
		return len(incidents.Items) == 1
	})
	if err := s.Store.NoteDoorCommand(ctx, "u-1", "gate", event.DoorCommand{Command: "lockdown", SiteID: "hh", Reason: "after the break-in", Done: true}); err != nil {
		t.Fatal(err)
	}
	if err := s.Store.Record(ctx, "u-2", "site.other", "site/elsewhere", map[string]any{"reason": "holiday"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Store.NoteDoorCommand(ctx, "u-1", "gate", event.DoorCommand{Command: "release", SiteID: "hh", Reason: "all clear", Done: true}); err != nil {
		t.Fatal(err)
	}

	take := func(role store.Role) map[string]string {
		t.Helper()
		user, err := s.Store.CreateUser(ctx, store.System, store.User{Name: string(role), Grants: []store.Grant{{Role: role, Sites: []string{store.AllSites}}}})
		if err != nil {
			t.Fatal(err)
		}
		link, err := s.Store.CreateLink(ctx, store.System, user.ID)
		if err != nil {
			t.Fatal(err)
		}
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		browser := &http.Client{Jar: jar}
		get := func(method, path, body string, want int) []byte {
			t.Helper()
			r, err := http.NewRequestWithContext(ctx, method, "http://"+s.HTTPAddress()+"/api/v1"+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Origin", "http://"+s.HTTPAddress())
			r.Header.Set("Content-Type", "application/json")
			a, err := browser.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer a.Body.Close()
			b, err := io.ReadAll(a.Body)
			if err != nil || a.StatusCode != want {
				t.Fatalf("%s %s: %s %s %v", method, path, a.Status, b, err)
			}
			return b
		}
		get(http.MethodPost, "/signin", `{"token":"`+link+`"}`, http.StatusNoContent)
		get(http.MethodPost, "/me/password", `{"password":"correct horse"}`, http.StatusNoContent)
		var x struct{ ID, State, Problem string }
		if err := json.Unmarshal(get(http.MethodPost, "/evidence", `{"incident":"`+incidents.Items[0].ID+`","reason":"police 4711"}`, http.StatusAccepted), &x); err != nil {
			t.Fatal(err)
		}
		servertest.Eventually(t, "the pack", func() bool {
			if err := json.Unmarshal(get(http.MethodGet, "/evidence/"+x.ID, "", http.StatusOK), &x); err != nil {
				t.Fatal(err)
			}
			return x.State == "done" || x.State == "failed"
		})
		if x.State != "done" {
			t.Fatalf("the pack: %+v", x)
		}
		raw := get(http.MethodGet, "/evidence/"+x.ID+"/pack.zip", "", http.StatusOK)
		key, err := evidence.ParsePublic(get(http.MethodGet, "/evidence/key.pem", "", http.StatusOK))
		if err != nil {
			t.Fatal(err)
		}
		r := evidence.VerifyArchive(bytes.NewReader(raw), int64(len(raw)), evidence.Trust{Key: key})
		if !r.Whole() || r.Audit == nil || r.Audit.Held == 0 {
			t.Errorf("%s: %v %+v", role, r.Faults, r.Audit)
		}
		return contents(t, raw)
	}

	guard := take(store.RoleSecurity)
	if x := guard["records/frames-1.jsonl"]; !strings.Contains(x, "Authorize") || strings.Contains(x, "0455AA12CC") {
		t.Errorf("messages: %s", x)
	}
	if x := guard["records/doors.jsonl"]; !strings.Contains(x, `"forced"`) || !strings.Contains(x, who.ID) || strings.Contains(x, "Erika") {
		t.Errorf("doors: %s", x)
	}
	if x := guard["records/audit.jsonl"]; !strings.Contains(x, "after the break-in") || !strings.Contains(x, "all clear") || strings.Contains(x, "holiday") || !strings.Contains(x, `"withheld":true`) {
		t.Errorf("acts, of which others are withheld: %s", x)
	}
	if x := guard["records/names.jsonl"]; !strings.Contains(x, "Erika Muster") {
		t.Errorf("names: %s", x)
	}
	if x := take(store.RoleAdmin)["records/audit.jsonl"]; !strings.Contains(x, "holiday") {
		t.Errorf("an administrator reads all acts: %s", x)
	}
}

// contents are the files of an archive.
func contents(t *testing.T, raw []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]string)
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out[f.Name] = string(b)
	}
	return out
}

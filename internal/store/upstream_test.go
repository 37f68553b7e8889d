package store

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
)

func TestWhatAnUpstreamSystemMayBe(t *testing.T) {
	b := open(t)
	b.Store.box = key(t, t.TempDir())
	for name, tc := range map[string]struct {
		u      Upstream
		secret string
		field  string // empty: it is taken
	}{
		"an address with what the station sends": {Upstream{Name: "a", URL: "ws://csms.example.org/ocpp", Proof: ProofStation}, "", ""},
		"a password of ours":                     {Upstream{Name: "a", URL: "wss://csms.example.org", Proof: ProofPassword}, "x", ""},
		"a password that is missing":             {Upstream{Name: "a", URL: "wss://csms.example.org", Proof: ProofPassword}, "", "secret"},
		"another protocol":                       {Upstream{Name: "a", URL: "https://csms.example.org", Proof: ProofStation}, "", "url"},
		"a user in the address":                  {Upstream{Name: "a", URL: "wss://u:p@csms.example.org", Proof: ProofStation}, "", "url"},
		"a question in the address":              {Upstream{Name: "a", URL: "wss://csms.example.org/?key=1", Proof: ProofStation}, "", "url"},
		"nothing but a path":                     {Upstream{Name: "a", URL: "wss:///ocpp", Proof: ProofStation}, "", "url"},
		"no name":                                {Upstream{URL: "wss://csms.example.org", Proof: ProofStation}, "", "name"},
		"an id that means nobody":                {Upstream{ID: NoUpstream, Name: "a", URL: "wss://csms.example.org", Proof: ProofStation}, "", "id"},
		"a certificate without TLS":              {Upstream{Name: "a", URL: "ws://csms.example.org", Proof: ProofCertificate}, "", "proof"},
		"a certificate that is none":             {Upstream{Name: "a", URL: "wss://csms.example.org", Proof: ProofCertificate, Certificate: "x"}, "y", "certificate"},
		"an authority that is none":              {Upstream{Name: "a", URL: "wss://csms.example.org", Proof: ProofStation, Authority: "x"}, "", "authority"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.CreateUpstream(t.Context(), admin, tc.u, tc.secret)
			bad, invalid := errors.AsType[*InvalidError](err)
			if tc.field == "" && err != nil || tc.field != "" && (!invalid || bad.Field != tc.field) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestTheSecretOfAnUpstreamSystem(t *testing.T) {
	folder := t.TempDir()
	s := vault(t, folder, key(t, folder))
	u := must[*Upstream](t)(s.CreateUpstream(t.Context(), admin, Upstream{ID: "csms", Name: "Theirs", URL: "wss://csms.example.org/key-in-the-path", Proof: ProofPassword}, hidden))
	if got, err := s.UpstreamSecret("csms"); err != nil || got != hidden || !u.HasSecret {
		t.Errorf("%q %v", got, err)
	}
	if stands(t, folder, hidden) {
		t.Error("the database holds the password")
	}
	_, err := s.ChangeUpstream(t.Context(), admin, "csms", nil, func(u *Upstream) { u.URL = "wss://elsewhere.example.org" })
	if bad, ok := errors.AsType[*InvalidError](err); !ok || bad.Field != "secret" {
		t.Errorf("the password went to another address: %v", err)
	}
	if u = must[*Upstream](t)(s.ChangeUpstream(t.Context(), admin, "csms", nil, func(u *Upstream) { u.Name = "Other" })); !u.HasSecret {
		t.Error("the password was lost for a name")
	}
	if u = must[*Upstream](t)(s.ChangeUpstream(t.Context(), admin, "csms", nil, func(u *Upstream) { u.Proof = ProofStation })); u.HasSecret {
		t.Error("a password nobody needs was kept")
	}
	acts := must[[]AuditEntry](t)(s.AuditOf(t.Context(), "upstream/csms", 10))
	if len(acts) != 3 {
		t.Errorf("%d acts", len(acts))
	}
	for _, a := range acts {
		if text := string(a.Detail); strings.Contains(text, "key-in-the-path") || !strings.Contains(text, "csms.example.org") {
			t.Error(text)
		}
	}
}

func TestWhereAStationIsRelayedTo(t *testing.T) {
	b := open(t)
	b.Store.box = key(t, t.TempDir())
	for _, id := range []string{"one", "two", "watch"} {
		must[*Upstream](t)(b.CreateUpstream(t.Context(), admin, Upstream{ID: id, Name: id, URL: "wss://" + id + ".example.org", Proof: ProofStation}, ""))
	}
	must[*Site](t)(b.CreateSite(t.Context(), admin, Site{ID: "site"}))
	if _, _, err := b.EnrolStation(t.Context(), admin, NewStation{ID: "S1", SiteID: "site"}); err != nil {
		t.Fatal(err)
	}
	to := func(s *Store) string {
		u, observers := s.RelayOf("S1")
		if u == nil {
			return ""
		}
		out := u.ID
		for _, o := range observers {
			out += "+" + o.ID
		}
		return out
	}
	set := func(subject event.Subject, upstream string, observers ...string) {
		t.Helper()
		if _, err := b.SetRelaying(t.Context(), admin, subject, func(r *Relaying) { r.Upstream, r.Observers = upstream, observers }); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		subject   event.Subject
		upstream  string
		observers []string
		want      string
	}{
		{event.Site("site"), "one", nil, "one"},
		{event.Site("site"), "one", []string{"watch"}, "one+watch"},
		{event.Station("S1"), "two", nil, "two+watch"},
		{event.Station("S1"), NoUpstream, nil, ""},
		{event.Station("S1"), "", []string{"two"}, "one+two"},
		{event.Site("site"), "", nil, ""},
		{event.Station("S1"), "one", nil, "one"},
	} {
		set(step.subject, step.upstream, step.observers...)
		if got := to(b.Store); got != step.want {
			t.Errorf("%s says %q %v: %q, want %q", step.subject, step.upstream, step.observers, got, step.want)
		}
		if got := to(b.reopen(t)); got != step.want {
			t.Errorf("after a restart %q", got)
		}
	}
	if err := b.DeleteUpstream(t.Context(), admin, "one"); !errors.Is(err, ErrInUse) {
		t.Errorf("%v", err)
	}
	if err := b.DeleteUpstream(t.Context(), admin, "two"); err != nil {
		t.Error(err)
	}
	_, err := b.SetRelaying(t.Context(), admin, event.Site("site"), func(r *Relaying) { r.Upstream = "two" })
	if bad, ok := errors.AsType[*InvalidError](err); !ok || bad.Field != "upstream" {
		t.Errorf("%v", err)
	}
	if err := b.RemoveStation(t.Context(), admin, "S1"); err != nil {
		t.Fatal(err)
	}
	if err := b.DeleteUpstream(t.Context(), admin, "one"); err != nil {
		t.Error("what a removed station was relayed to is still in use:", err)
	}
	if left := b.Upstreams(); len(left) != 1 || !slices.Equal(b.Relaying(event.Station("S1")).Observers, nil) {
		t.Errorf("%v", left)
	}
}

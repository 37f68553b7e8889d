package store

import (
	"bytes"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/event"
)

const admin = Actor("u-admin")

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestEnrolledStationSurvivesARestart(t *testing.T) {
	b := open(t)
	must[*Site](t)(b.CreateSite(t.Context(), admin, Site{ID: "ham-1", Name: "Hamburg", TimeZone: "Europe/Berlin", FreeVend: true}))
	e, password, err := b.EnrolStation(t.Context(), admin, NewStation{
		ID: "DE-1", SiteID: "ham-1", Label: "North", Auth: Auth{Profile: 2, Generate: true},
		Layout: []event.EVSELayout{{EVSE: 1, RatedW: 150000, Current: "DC"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(password) != 40 {
		t.Fatalf("generated password %q", password)
	}
	for _, s := range []*Store{b.Store, b.reopen(t)} {
		got, ok := s.Station("DE-1")
		if !ok || got.SiteID != "ham-1" || got.Profile != 2 || len(got.Layout) != 1 || got.Layout[0].RatedW != 150000 {
			t.Fatalf("got %+v", got)
		}
		if _, ok := got.CheckPassword([]byte(password)); !ok {
			t.Error("its own password is refused")
		}
	}
	if strings.Contains(fmt.Sprintf("%+v %v", e, e.password), password) {
		t.Error("the password shows in print")
	}
	body, ok := b.told(t)[0].Body.(*event.StationConfigured)
	if !ok || body.SiteID != "ham-1" || !body.FreeVend || body.Onboarding != event.OnboardingAccepted || body.By != string(admin) {
		t.Errorf("the fleet was told %+v", b.told(t)[0].Body)
	}
}

func TestStationPasswords(t *testing.T) {
	raw := []byte{0xde, 0xad, 0xbe, 0xef, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
	digits := hex.EncodeToString(raw)
	tests := map[string]struct {
		set, sent string
		form      string
	}{
		"as written":                         {"charge-me-please", "charge-me-please", "verbatim"},
		"another one":                        {"charge-me-please", "charge-me-pleasE", ""},
		"hex digits as written":              {digits, digits, "verbatim"},
		"the bytes that the digits mean":     {digits, string(raw), "raw"},
		"digits in capitals":                 {digits, strings.ToUpper(digits), "hex"},
		"the hex digits of our characters":   {"charge-me-please", hex.EncodeToString([]byte("charge-me-please")), "hex"},
		"nothing":                            {"charge-me-please", "", ""},
		"bytes that are no digits of ours":   {digits, string(raw[:15]), ""},
		"nothing is right when none was set": {"", "x", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var s secret
			if tc.set != "" {
				s = newSecret(tc.set)
			}
			form, ok := s.check([]byte(tc.sent))
			if form != tc.form || ok != (tc.form != "") {
				t.Errorf("got %q, %v", form, ok)
			}
		})
	}
}

func TestEnrolmentRefusals(t *testing.T) {
	b := open(t)
	ok := NewStation{ID: "S1", Auth: Auth{Profile: 0}}
	if _, _, err := b.EnrolStation(t.Context(), admin, ok); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		in    NewStation
		field string
	}{
		"a slash in the id":              {NewStation{ID: "a/b"}, "id"},
		"a colon in the id":              {NewStation{ID: "a:b"}, "id"},
		"no id":                          {NewStation{}, "id"},
		"an id too long":                 {NewStation{ID: strings.Repeat("x", 49)}, "id"},
		"profile 4":                      {NewStation{ID: "S2", Auth: Auth{Profile: 4}}, "auth.profile"},
		"profile 1 without a password":   {NewStation{ID: "S2", Auth: Auth{Profile: 1}}, "auth.password"},
		"a password and a generated one": {NewStation{ID: "S2", Auth: Auth{Profile: 1, Password: "12345678", Generate: true}}, "auth.generate"},
		"a short password":               {NewStation{ID: "S2", Auth: Auth{Profile: 1, Password: "1234567"}}, "auth.password"},
		"a site nobody knows":            {NewStation{ID: "S2", SiteID: "x"}, "siteId"},
		"an EVSE 0":                      {NewStation{ID: "S2", Layout: []event.EVSELayout{{}}}, "evses[0].id"},
		"an EVSE twice":                  {NewStation{ID: "S2", Layout: []event.EVSELayout{{EVSE: 1}, {EVSE: 1}}}, "evses[1].id"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := b.EnrolStation(t.Context(), admin, tc.in)
			if bad, is := errors.AsType[*InvalidError](err); !is || bad.Field != tc.field {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, _, err := b.EnrolStation(t.Context(), admin, ok); !errors.Is(err, ErrExists) {
		t.Errorf("enrolled twice: %v", err)
	}
	if n := len(b.told(t)); n != 1 {
		t.Errorf("%d events for one enrolment", n)
	}
}

func TestSiteChangesReachTheFleet(t *testing.T) {
	b := open(t)
	must[*Site](t)(b.CreateSite(t.Context(), admin, Site{ID: "a"}))
	for _, id := range []string{"S1", "S2"} {
		if _, _, err := b.EnrolStation(t.Context(), admin, NewStation{ID: id, SiteID: "a"}); err != nil {
			t.Fatal(err)
		}
	}
	must[*Site](t)(b.UpdateSite(t.Context(), admin, "a", func(x *Site) { x.FreeVend = true }))
	told := map[string]bool{}
	for _, e := range b.told(t)[2:] {
		told[e.Subject.ID] = e.Body.(*event.StationConfigured).FreeVend
	}
	if len(told) != 2 || !told["S1"] || !told["S2"] {
		t.Errorf("told %v", told)
	}
	if err := b.DeleteSite(t.Context(), admin, "a"); !errors.Is(err, ErrInUse) {
		t.Errorf("a site with stations was deleted: %v", err)
	}
	for _, id := range []string{"S1", "S2"} {
		if err := b.RemoveStation(t.Context(), admin, id); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.DeleteSite(t.Context(), admin, "a"); err != nil {
		t.Error(err)
	}
	if _, ok := b.reopen(t).Site("a"); ok {
		t.Error("the site is back after a restart")
	}
}

func TestAFailedCommitLeavesMemoryAsItWas(t *testing.T) {
	b := open(t)
	b.journal = failing{}
	if _, _, err := b.EnrolStation(t.Context(), admin, NewStation{ID: "S1"}); !errors.Is(err, errDisk) {
		t.Fatalf("got %v", err)
	}
	if _, ok := b.Station("S1"); ok {
		t.Error("a station that is not on disk is known")
	}
}

func TestPendingStationsAreBounded(t *testing.T) {
	b := open(t)
	announce := func(id string) error {
		_, err := b.Announce(t.Context(), Announcement{ID: id, Onboarding: event.OnboardingPending, RemoteAddr: "192.0.2.1"})
		return err
	}
	for i := range MaxPending {
		if err := announce(fmt.Sprintf("P%03d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := announce("late"); !errors.Is(err, ErrFull) {
		t.Fatalf("the list has no end: %v", err)
	}
	if err := announce("P000"); err != nil {
		t.Errorf("one on the list was turned away: %v", err)
	}
	if _, err := b.ApproveStation(t.Context(), admin, "P001", nil); err != nil {
		t.Fatal(err)
	}
	if err := announce("late"); err != nil {
		t.Errorf("an approval made no room: %v", err)
	}
	b.now = b.now.Add(25 * time.Hour)
	if err := announce("later"); err != nil {
		t.Errorf("one not seen for a day kept its place: %v", err)
	}
	if n := b.Pending(); n != MaxPending || b.reopen(t).Pending() != n {
		t.Errorf("%d wait", n)
	}
	e, ok := b.Station("P001")
	if !ok || e.Onboarding != event.OnboardingAccepted {
		t.Errorf("approved: %+v", e)
	}
}

func TestAnnouncementsOfKnownStationsChangeNothing(t *testing.T) {
	b := open(t)
	if _, _, err := b.EnrolStation(t.Context(), admin, NewStation{ID: "S1", Label: "mine"}); err != nil {
		t.Fatal(err)
	}
	e, err := b.Announce(t.Context(), Announcement{ID: "S1", Onboarding: event.OnboardingPending, Vendor: "Evil"})
	if err != nil || e.Onboarding != event.OnboardingAccepted || e.Label != "mine" || len(b.told(t)) != 1 {
		t.Errorf("got %+v, %v", e, err)
	}
}

func TestTokens(t *testing.T) {
	b := open(t)
	intern := func(typ, value string) string {
		t.Helper()
		return must[string](t)(b.Intern(t.Context(), typ, value))
	}
	card := intern("", "04A2B3")
	if intern("", "04a2b3") != card {
		t.Error("case matters")
	}
	if intern("ISO14443", "04A2B3") != card {
		t.Error("2.x and 1.6 see two cards")
	}
	if intern("eMAID", "04A2B3") == card {
		t.Error("another type is the same token")
	}
	if intern("", "") != "" {
		t.Error("no token has a name")
	}
	if got, _, _ := b.TokenByID(t.Context(), card); got.Value != "04A2B3" {
		t.Errorf("it is remembered as %q", got.Value)
	}
	again := b.reopen(t)
	if id := must[string](t)(again.Intern(t.Context(), "ISO14443", "04A2B3")); id != card {
		t.Error("a restart gives another id")
	}
	values := must[map[string]Token](t)(again.Tokens(t.Context(), card, "t-none"))
	if len(values) != 1 || values[card].Value != "04A2B3" || values[card].Type != "ISO14443" {
		t.Errorf("got %+v", values)
	}

	must[*Credential](t)(b.PutCredential(t.Context(), admin, "", CredentialInput{IDToken: "04A2B3"}))
	if err := b.EraseToken(t.Context(), admin, card); err != nil {
		t.Fatal(err)
	}
	if _, known, err := b.TokenByID(t.Context(), card); known || err != nil {
		t.Errorf("an erased token has a value: %v", err)
	}
	if _, ok := b.CredentialOf(card); ok {
		t.Error("an erased token has a credential")
	}
	if intern("", "04A2B3") == card {
		t.Error("the card leads to what was forgotten")
	}
}

func TestEndlessTokensAreNotKept(t *testing.T) {
	b := open(t)
	s := must[*Store](t)(Open(t.Context(), Options{DB: b.db, Journal: b.log, Now: b.clock, MaxTokens: 3}))
	known := must[string](t)(s.Intern(t.Context(), "", "A"))
	for i := range 10 {
		must[string](t)(s.Intern(t.Context(), "", fmt.Sprint("X", i)))
	}
	if id := must[string](t)(s.Intern(t.Context(), "", "NEW")); id != OverflowToken {
		t.Errorf("kept as %s", id)
	}
	if id := must[string](t)(s.Intern(t.Context(), "", "a")); id != known {
		t.Error("a known token is lost")
	}
	if _, err := s.PutCredential(t.Context(), admin, "", CredentialInput{IDToken: "NEW"}); !errors.Is(err, ErrFull) {
		t.Errorf("a credential for whatever overflows: %v", err)
	}
	if n := must[*Store](t)(Open(t.Context(), Options{DB: b.db})).tokenCount.Load(); n != 3 {
		t.Errorf("%d tokens on disk", n)
	}
}

func TestManyStationsInternTheSameTokens(t *testing.T) {
	b := open(t)
	ids := make([][]string, 16)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			for n := range 50 {
				id, err := b.Intern(t.Context(), "", fmt.Sprintf("TOKEN%d", n))
				if err != nil {
					t.Error(err)
				}
				ids[i] = append(ids[i], id)
			}
		})
	}
	wg.Wait()
	for i := range ids {
		for n := range ids[i] {
			if ids[i][n] != ids[0][n] || ids[i][n] == "" {
				t.Fatalf("token %d is %q and %q", n, ids[0][n], ids[i][n])
			}
		}
	}
}

func TestTokenCacheIsBounded(t *testing.T) {
	c := newTokenCache(100)
	for i := range 1000 {
		c.put(Token{ID: fmt.Sprint(i), Value: fmt.Sprint("v", i)}, "")
		if n := len(c.young.ids) + len(c.old.ids); n > 100 {
			t.Fatalf("%d tokens in memory", n)
		}
	}
	if id, ok := c.byValue(Token{Value: "V999"}); !ok || id != "999" {
		t.Errorf("the newest is gone: %q", id)
	}
}

func TestCredentials(t *testing.T) {
	b := open(t)
	until := b.now.Add(time.Hour)
	c := must[*Credential](t)(b.PutCredential(t.Context(), admin, "", CredentialInput{
		IDToken: "CARD", Type: "ISO14443", ExpiresAt: until, ParentIDToken: "FAMILY", MaxConcurrent: 2, Label: "van 7",
	}))
	if c.Status != access.Accepted || c.Token.Value != "CARD" || c.Parent.Value != "FAMILY" || !c.ExpiresAt.Equal(until) {
		t.Errorf("got %+v", c)
	}
	if _, err := b.PutCredential(t.Context(), admin, "", CredentialInput{IDToken: "card"}); !errors.Is(err, ErrExists) {
		t.Errorf("a second credential for one card: %v", err)
	}
	must[*Credential](t)(b.PutCredential(t.Context(), admin, c.ID, CredentialInput{IDToken: "CARD", Status: access.Blocked}))
	for _, s := range []*Store{b.Store, b.reopen(t)} {
		id, known, err := s.Lookup(t.Context(), "", "card")
		if err != nil || id != c.TokenID || known == nil || known.Status != access.Blocked {
			t.Errorf("lookup: %s %+v %v", id, known, err)
		}
	}
	if err := b.DeleteCredential(t.Context(), admin, c.ID); err != nil {
		t.Fatal(err)
	}
	if _, known, _ := b.Lookup(t.Context(), "", "CARD"); known != nil {
		t.Error("deleted and still known")
	}
	if err := b.DeleteCredential(t.Context(), admin, c.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
}

func TestAuditLog(t *testing.T) {
	b := open(t)
	must[*Site](t)(b.CreateSite(t.Context(), admin, Site{ID: "a"}))
	must[*Site](t)(b.UpdateSite(t.Context(), admin, "a", func(x *Site) { x.Name = "A" }))
	if err := b.DeleteSite(t.Context(), admin, "a"); err != nil {
		t.Fatal(err)
	}
	if n, err := b.VerifyAudit(t.Context()); n != 3 || err != nil {
		t.Fatalf("%d entries, %v", n, err)
	}
	list := must[[]AuditEntry](t)(b.Audit(t.Context(), 0, 2))
	if len(list) != 2 || list[0].Action != "site.delete" || list[0].Actor != admin || list[1].Seq != 2 {
		t.Errorf("got %+v", list)
	}
	for _, text := range []string{`UPDATE audit SET actor = 'me'`, `DELETE FROM audit`} {
		err := b.db.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(text); return err })
		if err == nil || !strings.Contains(err.Error(), "cannot be changed") {
			t.Errorf("%s: %v", text, err)
		}
	}
	// Whoever drops the trigger is found out.
	err := b.db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`DROP TRIGGER audit_no_update; UPDATE audit SET actor = 'me' WHERE seq = 2`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.VerifyAudit(t.Context()); !errors.Is(err, ErrAudit) {
		t.Errorf("an altered log passed: %v", err)
	}
}

func TestHandshakesAreCountedAndBounded(t *testing.T) {
	b := open(t)
	for i := range MaxHandshakes + 500 {
		b.now = b.now.Add(time.Millisecond)
		b.RefuseHandshake(fmt.Sprintf("X%d", i), "192.0.2.1:4000", "unknown station")
	}
	for range 3 {
		b.now = b.now.Add(time.Second)
		b.RefuseHandshake("DE-1", "[::ffff:192.0.2.9]:4711", "wrong password")
	}
	list := b.Handshakes()
	if len(list) > MaxHandshakes || list[0].Identity != "DE-1" || list[0].Count != 3 || list[0].Source != "192.0.2.9" {
		t.Errorf("%d entries, first %+v", len(list), list[0])
	}
	if err := b.flushHandshakes(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := b.reopen(t).Handshakes()
	if len(again) != len(list) || again[0] != list[0] {
		t.Errorf("%d of %d after a restart, first %+v", len(again), len(list), again[0])
	}
	b.ForgetHandshakes("DE-1")
	if err := b.flushHandshakes(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, h := range b.reopen(t).Handshakes() {
		if h.Identity == "DE-1" {
			t.Error("forgotten and back")
		}
	}
}

func TestPeopleAndSessions(t *testing.T) {
	b := open(t)
	link := must[string](t)(b.FirstAdmin(t.Context(), false))
	second := must[string](t)(b.FirstAdmin(t.Context(), false))
	if _, err := b.UseLink(t.Context(), link); !errors.Is(err, ErrNotFound) {
		t.Errorf("an earlier link still works: %v", err)
	}
	u := must[*User](t)(b.UseLink(t.Context(), second))
	if !u.MustSet || len(u.Grants) != 1 || u.Grants[0].Role != RoleAdmin || u.Grants[0].Sites[0] != AllSites {
		t.Errorf("got %+v", u)
	}
	if _, err := b.UseLink(t.Context(), second); !errors.Is(err, ErrNotFound) {
		t.Errorf("a link works twice: %v", err)
	}
	secret := must[string](t)(b.CreateSession(t.Context(), u.ID, Browser{Addr: "192.0.2.1"}, false))
	other := must[string](t)(b.CreateSession(t.Context(), u.ID, Browser{Addr: "192.0.2.2"}, false))
	w, who, err := b.reopen(t).Session(t.Context(), secret)
	if err != nil || who.ID != u.ID || !w.ReauthAt.IsZero() {
		t.Fatalf("got %+v %+v %v", w, who, err)
	}
	changed := b.AccessChanged()
	if err := b.SetPassword(t.Context(), Actor(u.ID), u.ID, "hash", w.ID); err != nil {
		t.Fatal(err)
	}
	select {
	case <-changed:
	default:
		t.Error("nobody heard of the change")
	}
	if _, _, err := b.Session(t.Context(), other); !errors.Is(err, ErrNotFound) {
		t.Errorf("another session outlived the password: %v", err)
	}
	if w, _, err = b.Session(t.Context(), secret); err != nil || w.ReauthAt.IsZero() {
		t.Errorf("got %+v %v", w, err)
	}
	if again := must[string](t)(b.FirstAdmin(t.Context(), false)); again != "" {
		t.Error("a link although there is an administrator")
	}
	if err := b.DeleteUser(t.Context(), admin, u.ID); !errors.Is(err, ErrInUse) {
		t.Errorf("the last administrator was deleted: %v", err)
	}
	if _, err := b.UpdateUser(t.Context(), admin, u.ID, func(u *User) { u.Grants[0].Sites = []string{"a"} }); !errors.Is(err, ErrInUse) {
		t.Errorf("the last administrator was demoted: %v", err)
	}
	b.now = b.now.Add(SessionIdle + time.Minute)
	if _, _, err := b.Session(t.Context(), secret); !errors.Is(err, ErrNotFound) {
		t.Errorf("an idle session lives: %v", err)
	}
	if err := b.EndSession(t.Context(), w); err != nil {
		t.Error(err)
	}
}

func TestLinksExpire(t *testing.T) {
	b := open(t)
	link := must[string](t)(b.FirstAdmin(t.Context(), true))
	b.now = b.now.Add(LinkLife)
	if _, err := b.UseLink(t.Context(), link); !errors.Is(err, ErrNotFound) {
		t.Errorf("an old link works: %v", err)
	}
}

func TestAPITokens(t *testing.T) {
	b := open(t)
	grants := []Grant{{Role: RoleViewer, Sites: []string{"a"}}}
	token, secret, err := b.CreateAPIToken(t.Context(), admin, APIToken{Name: "script", Grants: grants, ExpiresAt: b.now.Add(time.Hour)})
	if err != nil || !strings.HasPrefix(secret, "cw_") {
		t.Fatalf("%q, %v", secret, err)
	}
	got := must[*APIToken](t)(b.APITokenBySecret(t.Context(), secret))
	if got.ID != token.ID || len(got.Grants) != 1 || got.Grants[0].Sites[0] != "a" {
		t.Errorf("got %+v", got)
	}
	var dump bytes.Buffer
	_ = b.query(t.Context(), "all", `SELECT hex(hash) || name || created_by FROM api_tokens`, nil, func(r *sql.Rows) error {
		var line string
		err := r.Scan(&line)
		dump.WriteString(line)
		return err
	})
	if strings.Contains(dump.String(), secret) {
		t.Error("the secret is stored")
	}
	b.now = b.now.Add(time.Hour)
	if _, err := b.APITokenBySecret(t.Context(), secret); !errors.Is(err, ErrNotFound) {
		t.Errorf("an expired token works: %v", err)
	}
	if err := b.DeleteAPIToken(t.Context(), admin, token.ID); err != nil {
		t.Fatal(err)
	}
	if err := b.DeleteAPIToken(t.Context(), admin, token.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
}

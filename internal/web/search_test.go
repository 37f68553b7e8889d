package web

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
	"github.com/chargewatch/chargewatch/internal/store"
)

// deskPlant is two sites with a station each, a session and refused tokens.
func deskPlant(t *testing.T) *plant {
	p := newPlant(t)
	for site, station := range map[string]string{"hafen": "DE-HAM-0042", "markt": "DE-HAM-0043"} {
		p.site(site)
		p.enrol(site, station, event.EVSELayout{EVSE: 1, PublicID: "DE*CWD*E" + station[7:] + "*1"}, event.EVSELayout{EVSE: 2, PublicID: "DE*CWD*E" + station[7:] + "*2"})
		if _, _, err := p.store.ChangeStation(t.Context(), store.System, station, store.StationChange{Label: new("Säule " + station[9:])}); err != nil {
			t.Fatal(err)
		}
		p.connect(station, "ocpp2.0.1")
	}
	token, err := p.store.Intern(t.Context(), "ISO14443", "04A1B2C3D4")
	if err != nil {
		t.Fatal(err)
	}
	bad, err := p.store.Intern(t.Context(), "ISO14443", "FFFF0000C3D4")
	if err != nil {
		t.Fatal(err)
	}
	at := event.Port("DE-HAM-0042", 1, 1)
	p.say(at, &event.Status{Status: "Occupied"})
	p.say(event.Station("DE-HAM-0042"), &event.Authorize{TokenID: bad, Status: "Blocked"})
	p.say(event.Station("DE-HAM-0042"), &event.Authorize{TokenID: token, Status: "Accepted"})
	p.say(at, &event.Transaction{Stage: event.TransactionStarted, TransactionID: "tx-774", TokenID: token, TokenStatus: "Accepted", MeterWh: new(1000.0)})
	p.say(at, &event.Transaction{Stage: event.TransactionEnded, TransactionID: "tx-774", MeterWh: new(9000.0), Reason: "EVDisconnected"})
	return p
}

func TestSearch(t *testing.T) {
	p := deskPlant(t)
	admin, limited := p.script(store.RoleAdmin), p.script(store.RoleAdmin, "markt")
	viewer := p.script(store.RoleViewer)
	tests := map[string]struct {
		who  *caller
		q    string
		want string // kind, id and match of what is found, the first ones
	}{
		"the public id as it is printed":       {admin, "DE*CWD*E0042*1", "evse DE-HAM-0042/1 publicId"},
		"the public id as it is read out":      {admin, "de-cwd-e0042-1", "evse DE-HAM-0042/1 publicId"},
		"the public id without anything":       {admin, "decwde00421", "evse DE-HAM-0042/1 publicId"},
		"the end of the public id":             {admin, "E0042*2", "evse DE-HAM-0042/2 publicId"},
		"the sticker, in its own letters":      {admin, "säule 43", "station DE-HAM-0043 label"},
		"the station's id comes before parts":  {admin, "de-ham-0042", "station DE-HAM-0042 id"},
		"the serial number":                    {admin, "s-de-ham-0043", "station DE-HAM-0043 serial"},
		"the site":                             {admin, "site hafen", "site hafen name"},
		"words of different fields":            {admin, "hafen säule", "station DE-HAM-0042 words"},
		"the end of a token, two have it":      {admin, "c3d4", "token DE-HAM-0042 token, token  token"},
		"more of its end":                      {admin, "B2C3D4", "token DE-HAM-0042 token"},
		"the whole token":                      {admin, "04 A1 B2 C3 D4", "token DE-HAM-0042 token"},
		"three characters are too few":         {admin, "3d4", ""},
		"a transaction":                        {admin, "tx-774", "session DE-HAM-0042 transaction"},
		"one character finds nothing":          {admin, "d", ""},
		"signs alone find nothing":             {admin, "*-*", ""},
		"nothing":                              {admin, "", ""},
		"markup is text":                       {admin, "<script>", ""},
		"who may not see tokens finds none":    {viewer, "c3d4", ""},
		"another site's port":                  {limited, "DE*CWD*E0042*1", ""},
		"another site's token":                 {limited, "04A1B2C3D4", ""},
		"another site's transaction":           {limited, "tx-774", ""},
		"another site":                         {limited, "hafen", ""},
		"the own port":                         {limited, "E0043*1", "evse DE-HAM-0043/1 publicId"},
		"a percent sign is no pattern":         {admin, "%%%%", ""},
		"a token that is nobody's at the site": {limited, "FFFF0000C3D4", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			c := &caller{t: t, url: tc.who.url, token: tc.who.token, http: tc.who.http}
			var got Items[FoundShape]
			c.get("/search?q="+url.QueryEscape(tc.q), &got)
			var words []string
			for _, f := range got.Items {
				id := f.ID
				if f.Kind == "token" || f.Kind == "session" {
					id = f.Station
				}
				words = append(words, fmt.Sprintf("%s %s %s", f.Kind, id, f.By))
				if f.Kind == "token" && !strings.HasPrefix(f.Label, "*****") {
					t.Errorf("the token is shown: %q", f.Label)
				}
			}
			have := strings.Join(words, ", ")
			if tc.want == "" && have != "" || !strings.HasPrefix(have, tc.want) {
				t.Errorf("found %q, want %q first", have, tc.want)
			}
		})
	}
}

func TestAttempts(t *testing.T) {
	p := deskPlant(t)
	admin, viewer := p.script(store.RoleAdmin), p.script(store.RoleViewer)
	lines := func(c *caller, path string) string {
		var got Items[AttemptShape]
		c.get(path, &got)
		var out []string
		for _, a := range got.Items {
			energy := ""
			if a.EnergyWh != nil {
				energy = fmt.Sprintf(" %.0f", *a.EnergyWh)
			}
			out = append(out, fmt.Sprintf("%s/%d %s %s %t %s%s", a.Station, a.EVSE, a.IDToken, a.Stage, a.Failed, a.Reason, energy))
			if (a.SessionID != nil) != (a.Stage == "energy") {
				t.Errorf("session of %+v", a)
			}
		}
		return strings.Join(out, "\n")
	}
	var found Items[FoundShape]
	admin.get("/search?q=04A1B2C3D4", &found)
	token := found.Items[0].ID
	const good = "DE-HAM-0042/1 04A1B2C3D4 energy false  8000"
	for name, tc := range map[string]struct {
		who  *caller
		path string
		want string
	}{
		"at a port":            {admin, "/attempts?station=DE-HAM-0042&evse=1", "DE-HAM-0042/1 FFFF0000C3D4 plugged true tokenBlocked\n" + good},
		"the newest":           {admin, "/attempts?station=DE-HAM-0042&limit=1", "DE-HAM-0042/1 FFFF0000C3D4 plugged true tokenBlocked"},
		"at another port":      {admin, "/attempts?station=DE-HAM-0042&evse=2", ""},
		"with a token":         {admin, "/attempts?token=" + token, good},
		"without a question":   {admin, "/attempts", ""},
		"who may not see them": {viewer, "/attempts?station=DE-HAM-0042&limit=1", "DE-HAM-0042/1 **********D4 plugged true tokenBlocked"},
		"with a token, masked": {viewer, "/attempts?token=" + token, ""},
		"of another site":      {p.script(store.RoleAdmin, "markt"), "/attempts?token=" + token, ""},
		"at another site":      {p.script(store.RoleAdmin, "markt"), "/attempts?station=DE-HAM-0042", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := lines(tc.who, tc.path); got != tc.want {
				t.Errorf("got\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
	admin.want(http.StatusUnprocessableEntity, "GET", "/attempts?evse=-1", "", nil)
}

// A list for one site holds that site only, whoever asks.
func TestListsOfASite(t *testing.T) {
	n := newTwo(t)
	for name, c := range map[string]*caller{"everywhere": n.script(store.RoleAdmin), "at the own site": n.script(store.RoleOperator, own)} {
		t.Run(name, func(t *testing.T) {
			c := &caller{t: t, url: c.url, token: c.token, http: c.http}
			var sessions Items[SessionShape]
			c.get("/sessions?site="+own, &sessions)
			if len(sessions.Items) != 1 || sessions.Items[0].SiteID != own {
				t.Errorf("sessions: %+v", sessions.Items)
			}
			var events Items[EventShape]
			c.get("/events?site="+own+"&kind=status,transaction,station.configured", &events)
			if len(events.Items) != 3 {
				t.Errorf("events: %+v", events.Items)
			}
			for _, e := range events.Items {
				if !strings.HasPrefix(e.Subject, "station/S-"+own) {
					t.Errorf("an event of %s", e.Subject)
				}
			}
		})
	}
}

// A search of 20,000 ports with their public ids, and of a million tokens.
func BenchmarkSearch(b *testing.B) {
	n := newNetwork(10_000)
	var events []*event.Event
	for i := range 10_000 {
		events = append(events, n.event(event.Station(fmt.Sprintf("DE-%05d", i)), &event.StationConfigured{
			SiteID: fmt.Sprint("site-", i%500), Label: fmt.Sprintf("Hafen %d, Säule %d", i%500, i/500), Onboarding: event.OnboardingAccepted,
			Layout: []event.EVSELayout{{EVSE: 1, PublicID: fmt.Sprintf("DE*CWD*E%05d*1", i)}, {EVSE: 2, PublicID: fmt.Sprintf("DE*CWD*E%05d*2", i)}},
		}))
	}
	n.apply(events)
	db := openDB(b)
	err := db.Write(b.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO tokens (id, type, value, folded, first_seen) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
			SELECT printf('t-%d', i), '', printf('04%010X', i * 7919), printf('04%010x', i * 7919), 1 FROM n`)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	log, err := sqlite.Open(b.Context(), sqlite.Options{DB: db})
	if err != nil {
		b.Fatal(err)
	}
	st, err := store.Open(b.Context(), store.Options{DB: db})
	if err != nil {
		b.Fatal(err)
	}
	s := New(Options{Store: st, Fleet: n, History: log, Stations: &links{}})
	ctx := context.WithValue(b.Context(), principalKey{}, newPrincipal("u", "u", []store.Grant{{Role: store.RoleAdmin, Sites: []string{store.AllSites}}}))
	for _, q := range []string{"DE*CWD*E09999*2", "e0999", "de", "hafen 17", "e2ef", "nothing at all"} {
		b.Run(q, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.search(ctx, &searchInput{Q: q, Limit: 20}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

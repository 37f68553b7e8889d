package web

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

func TestPeopleComeFromAFileRowByRow(t *testing.T) {
	p := newPlant(t)
	guard := p.script(store.RoleSecurity)
	const file = "name;company;groups;mail;phone;until;kind;idToken;label\n" +
		"Ida Berg;Hafenwacht;Guards|Night shift;ida@example.org;+49 40 1234;2030-12-31;rfid;IDA-1;blue\n" +
		"Ida Berg;;;ida@example.org;;;plate;HH-X 1;\n" +
		"=cmd|' /C calc'!A0;;;;;;;;\n" +
		"Ole;;;;;soon;;;\n" +
		"Ulf;;;;;;;IDA-1;\n" +
		";;;;;;;U-2;\n" +
		"Ursel;@risk;;;;;;;\n" +
		"Uwe;;;;+49;;pin;12;\n"
	post := func(query string, want int) (out ImportResult) {
		t.Helper()
		status, told := guard.sendCSV("/people/import"+query, file)
		if status != want {
			t.Fatalf("%d %s", status, told)
		}
		if err := json.Unmarshal([]byte(told), &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	faults := map[int]string{4: "name begins like a formula", 5: "until must be a day", 6: "idToken stands in line 2", 7: "name is missing", 8: "company begins like a formula", 9: "idToken a PIN has 4 to 8 digits"}
	for _, query := range []string{"?dryRun=true", ""} {
		out := post(query, http.StatusOK)
		if len(out.Rows) != 8 || out.Failed != len(faults) {
			t.Fatalf("%s: %+v", query, out)
		}
		for _, r := range out.Rows {
			if why, bad := faults[r.Line]; bad != (r.Status == "failed") || !strings.HasPrefix(r.Reason, why) {
				t.Errorf("%s line %d: %s %q, want %q", query, r.Line, r.Status, r.Reason, why)
			}
		}
		var list struct{ Items []PersonShape }
		guard.want(http.StatusOK, "GET", "/people", "", &list)
		if n := map[string]int{"?dryRun=true": 0, "": 1}[query]; query != "" && len(list.Items) != n {
			t.Errorf("a check wrote %+v", list.Items)
		}
	}
	var list struct{ Items []PersonShape }
	guard.want(http.StatusOK, "GET", "/people?q=ida", "", &list)
	if len(list.Items) != 1 || list.Items[0].CredentialCount != 2 || len(list.Items[0].Groups) != 2 || list.Items[0].Company == "" {
		t.Fatalf("two rows of one person are %+v", list.Items)
	}
	again := post("", http.StatusOK)
	guard.want(http.StatusOK, "GET", "/people?q=ida", "", &list)
	if again.Created != 0 || again.Exist != 2 || len(list.Items) != 1 {
		t.Errorf("the same file again: %+v", again)
	}
}

func TestAFileOfPeopleHoldsNothingThatASpreadsheetRuns(t *testing.T) {
	p := newPlant(t)
	guard := p.script(store.RoleSecurity)
	var person struct{ ID string }
	guard.want(http.StatusCreated, "POST", "/people", `{"name":"=HYPERLINK(\"x\")","note":"@SUM(A1)","phone":"+49 40 1"}`, &person)
	guard.want(http.StatusCreated, "POST", "/credentials", `{"idToken":"-1+2","personId":"`+person.ID+`","label":"+a"}`, nil)
	guard.want(http.StatusCreated, "POST", "/credentials", `{"idToken":"4711","kind":"pin","personId":"`+person.ID+`"}`, nil)
	status, file := guard.do("GET", "/people/export.csv", "")
	if status != http.StatusOK || !strings.Contains(file, `'=HYPERLINK`) || !strings.Contains(file, ",'@SUM(A1)") || !strings.Contains(file, ",'-1+2,'+a,") || !strings.Contains(file, ",'+49 40 1,") {
		t.Errorf("%d %s", status, file)
	}
	if strings.Contains(file, "4711") || strings.Count(file, "\r\n") != 3 {
		t.Errorf("%s", file)
	}
	guard.want(http.StatusNoContent, "DELETE", "/people/"+person.ID, "", nil)
	if status, told := guard.sendCSV("/people/import", file); status != http.StatusOK || strings.Contains(told, `"status":"failed"`) {
		t.Errorf("what was written cannot be read: %d %s", status, told)
	}
	_, back := guard.do("GET", "/people/export.csv", "")
	if !strings.Contains(back, `'=HYPERLINK`) || !strings.Contains(back, ",'-1+2,'+a,") {
		t.Errorf("%s", back)
	}
}

func TestAPINIsKnownByItsDigitsAndNobodyReadsThemAgain(t *testing.T) {
	p := newPlant(t)
	guard := p.script(store.RoleSecurity)
	var person struct{ ID string }
	var pin CredentialShape
	guard.want(http.StatusCreated, "POST", "/people", `{"name":"Ida Berg"}`, &person)
	for _, digits := range []string{"123", "123456789", "12a4", ""} {
		guard.want(http.StatusUnprocessableEntity, "POST", "/credentials", `{"idToken":"`+digits+`","kind":"pin","personId":"`+person.ID+`"}`, nil)
	}
	guard.want(http.StatusCreated, "POST", "/credentials", `{"idToken":"80917","kind":"pin","personId":"`+person.ID+`"}`, &pin)
	if pin.IDToken != "" {
		t.Errorf("the digits are told: %+v", pin)
	}
	guard.want(http.StatusConflict, "POST", "/credentials", `{"idToken":"80917","kind":"pin"}`, nil)
	for _, typ := range []string{"", "KeyCode"} {
		if token, c, err := p.store.Lookup(t.Context(), typ, "80917"); err != nil || c == nil || c.ID != pin.ID || token != pin.TokenID {
			t.Errorf("%q: %v %+v %v", typ, token, c, err)
		}
	}
	for _, c := range []struct {
		person, digits string
		want           access.Kind
	}{{person.ID, "80917", access.PIN}, {person.ID, "80918", ""}, {"p-else", "80917", ""}, {"", "80917", ""}} {
		if kind, ok := p.store.CodeOf(c.person, c.digits); kind != c.want || ok != (c.want != "") {
			t.Errorf("%+v: %q %v", c, kind, ok)
		}
	}
	if n := p.rowsWith("80917"); n != 0 {
		t.Errorf("the digits stand in %d rows", n)
	}
	if digits, err := p.store.PIN(t.Context(), pin.ID); err != nil || digits != "80917" {
		t.Errorf("a controller cannot be told: %q %v", digits, err)
	}
	var lost LostShape
	guard.want(http.StatusUnprocessableEntity, "POST", "/credentials/"+pin.ID+"/lost", `{"idToken":"80917"}`, nil)
	guard.want(http.StatusOK, "POST", "/credentials/"+pin.ID+"/lost", `{"idToken":"55512"}`, &lost)
	if fits(p.store, person.ID, "80917") || !fits(p.store, person.ID, "55512") || p.rowsWith("55512") != 0 {
		t.Error("a PIN that was told to others is not replaced")
	}
	again, err := store.Open(t.Context(), store.Options{DB: p.db})
	if err != nil {
		t.Fatal(err)
	}
	if fits(again, person.ID, "55512") {
		t.Error("without the key file digits can be tried out")
	}
	guard.want(http.StatusNoContent, "DELETE", "/people/"+person.ID, "", nil)
	if fits(p.store, person.ID, "55512") {
		t.Error("it fits nobody any more")
	}
}

func TestAPassDiesWithItsWorkOrder(t *testing.T) {
	p := newPlant(t)
	p.site("north")
	p.enrol("north", "CP1", event.EVSELayout{EVSE: 1, RatedW: 50_000})
	admin := p.script(store.RoleAdmin)
	admin.want(http.StatusNoContent, "DELETE", "/policies/ar-drivers", "", nil)
	w, err := p.store.CreateWorkOrder(t.Context(), store.System, store.WorkOrder{SiteID: "north", Title: "Look at it", Severity: event.S3})
	if err != nil {
		t.Fatal(err)
	}
	path := "/workorders/" + w.ID + "/passes"
	admin.want(http.StatusUnprocessableEntity, "POST", path, `{"expiresAt":"2000-01-01T00:00:00Z"}`, nil)
	admin.want(http.StatusUnprocessableEntity, "POST", path, `{"expiresAt":"`+soon()+`","opens":["window"]}`, nil)
	admin.want(http.StatusNotFound, "POST", "/workorders/wo-none/passes", `{"expiresAt":"`+soon()+`"}`, nil)
	p.script(store.RoleOperator).want(http.StatusForbidden, "POST", path, `{"expiresAt":"`+soon()+`","opens":["evse"]}`, nil)
	var pass PassShape
	admin.want(http.StatusCreated, "POST", path, `{"label":"Crane driver","expiresAt":"`+soon()+`","opens":["evse"]}`, &pass)
	if n := p.rowsWith(strings.TrimPrefix(pass.Link, "/pass?t=")); n != 0 {
		t.Errorf("the secret of the link stands in %d rows", n)
	}
	look := func(link string) (int, string) {
		t.Helper()
		r, err := http.Get(p.url + link)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r.StatusCode, string(body)
	}
	if status, page := look(pass.Link); status != http.StatusOK || !strings.Contains(page, pass.IDToken) || !strings.Contains(page, "<svg") || !strings.Contains(page, "Crane driver") {
		t.Errorf("%d %s", status, page)
	}
	check := func() (d AccessDecisionShape) {
		t.Helper()
		admin.want(http.StatusOK, "POST", "/access/check", `{"credential":"`+pass.ID+`","place":"station/CP1/1"}`, &d)
		return d
	}
	if d := check(); d.Decision != "allow" {
		t.Errorf("%+v", d)
	}
	first := pass.Link
	admin.want(http.StatusOK, "POST", "/credentials/"+pass.ID+"/link", "", &pass)
	if status, page := look(first); status != http.StatusNotFound || strings.Contains(page, pass.IDToken) {
		t.Errorf("the link of before: %d %s", status, page)
	}
	if status, _ := look("/pass?t=" + strings.Repeat("A", 32)); status != http.StatusNotFound {
		t.Errorf("a link that was guessed: %d", status)
	}
	if _, err := p.store.ChangeWorkOrder(t.Context(), store.System, w.ID, "cancel", func(w *store.WorkOrder) error { w.State = store.OrderCancelled; return nil }); err != nil {
		t.Fatal(err)
	}
	if d := check(); d.Decision != "deny" || d.Status != access.Expired {
		t.Errorf("the order is over, and yet: %+v", d)
	}
	if status, page := look(pass.Link); status != http.StatusGone || strings.Contains(page, pass.IDToken) {
		t.Errorf("%d %s", status, page)
	}
	admin.want(http.StatusUnprocessableEntity, "PATCH", "/credentials/"+pass.ID, `{"status":"Accepted"}`, nil)
	admin.want(http.StatusConflict, "POST", path, `{"expiresAt":"`+soon()+`"}`, nil)
	var rows struct{ Items []PolicyShape }
	admin.want(http.StatusOK, "GET", "/policies", "", &rows)
	if len(rows.Items) != 0 {
		t.Errorf("its policy is left: %+v", rows.Items)
	}
}

func TestAPersonIsGivenOutWholeAndThenGone(t *testing.T) {
	p := newPlant(t)
	p.site("north")
	p.enrol("north", "CP1", event.EVSELayout{EVSE: 1, RatedW: 50_000})
	guard := p.script(store.RoleSecurity)
	var person struct{ ID string }
	var card CredentialShape
	guard.want(http.StatusCreated, "POST", "/people", `{"name":"Ida Quellwasser","mail":"ida@example.org","phone":"+49 40 77889","note":"left-handed"}`, &person)
	guard.want(http.StatusCreated, "POST", "/credentials", `{"idToken":"QUELL-77","personId":"`+person.ID+`","label":"azure card"}`, &card)
	guard.want(http.StatusCreated, "POST", "/credentials", `{"idToken":"HH-QW 9","kind":"plate","personId":"`+person.ID+`"}`, nil)
	guard.want(http.StatusCreated, "POST", "/credentials", `{"idToken":"90817","kind":"pin","personId":"`+person.ID+`"}`, nil)
	w, err := p.store.CreateWorkOrder(t.Context(), store.System, store.WorkOrder{SiteID: "north", Title: "Look at it", Severity: event.S3})
	if err != nil {
		t.Fatal(err)
	}
	var pass PassShape
	p.script(store.RoleAdmin).want(http.StatusCreated, "POST", "/workorders/"+w.ID+"/passes", `{"personId":"`+person.ID+`","expiresAt":"`+soon()+`"}`, &pass)
	p.say(event.Port("CP1", 1, 1), &event.Authorize{TokenID: card.TokenID, Status: "Accepted"})
	p.say(event.Port("CP1", 1, 1), &event.Transaction{Stage: event.TransactionStarted, TransactionID: "T1", TokenID: card.TokenID})
	p.say(event.Door("do-1"), &event.Access{SiteID: "north", PersonID: person.ID, CredentialID: card.ID, Allowed: true, DecidedBy: "policy"})

	var out PersonExport
	guard.want(http.StatusOK, "GET", "/people/"+person.ID+"/export", "", &out)
	if out.Person.Name != "Ida Quellwasser" || len(out.Person.Credentials) != 4 || len(out.Sessions) != 1 || len(out.Attempts) == 0 || len(out.Doors) != 1 || len(out.Acts) < 5 {
		t.Errorf("credentials %d, sessions %d, attempts %d, doors %d, acts %d", len(out.Person.Credentials), len(out.Sessions), len(out.Attempts), len(out.Doors), len(out.Acts))
	}
	guard.want(http.StatusNoContent, "DELETE", "/people/"+person.ID, "", nil)
	for _, word := range []string{"Quellwasser", "ida@example.org", "77889", "left-handed", "QUELL-77", "quell-77", "azure card", "HH-QW 9", "hh-qw 9", "90817", pass.IDToken} {
		if n := p.rowsWith(word); n != 0 {
			t.Errorf("%q stands in %d rows still", word, n)
		}
	}
	for _, at := range []string{"/people", "/people/export.csv", "/credentials", "/sessions", "/attempts?station=CP1", "/events", "/access/events", "/search?q=quell", "/search?q=QUELL-77", "/policies", "/workorders/" + w.ID + "/passes"} {
		if _, told := p.script(store.RoleAdmin).do("GET", at, ""); strings.Contains(strings.ToLower(told), "quell") || strings.Contains(told, pass.IDToken) || strings.Contains(told, "azure") {
			t.Errorf("%s tells %s", at, told)
		}
	}
	guard.want(http.StatusNotFound, "GET", "/people/"+person.ID+"/export", "", nil)
	if status, err := http.Get(p.url + pass.Link); err != nil || status.StatusCode != http.StatusNotFound {
		t.Errorf("the pass: %v %v", status, err)
	}
	var sessions struct{ Items []SessionShape }
	guard.want(http.StatusOK, "GET", "/sessions", "", &sessions)
	if len(sessions.Items) != 1 {
		t.Errorf("what was done is gone: %+v", sessions)
	}
}

func soon() string { return time.Now().Add(time.Hour).UTC().Format(time.RFC3339) }

// sendCSV posts a file.
func (c *caller) sendCSV(path, file string) (int, string) {
	as := *c
	as.header = c.header.Clone()
	if as.header == nil {
		as.header = http.Header{}
	}
	as.header.Set("Content-Type", "text/csv")
	return as.do("POST", path, file)
}

// fits reports whether digits are a PIN of somebody.
func fits(st *store.Store, person, digits string) bool {
	kind, ok := st.CodeOf(person, digits)
	return ok && kind == access.PIN
}

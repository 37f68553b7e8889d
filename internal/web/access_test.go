package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

func TestWhoMayChargeIsDecidedByPoliciesThatPeopleWrite(t *testing.T) {
	p := newPlant(t)
	p.site("north")
	p.enrol("north", "CP1", event.EVSELayout{EVSE: 1, RatedW: 50_000})
	guard := p.script(store.RoleSecurity)
	var group, person, schedule, policy struct{ ID, Cedar string }
	var card CredentialShape
	guard.want(http.StatusCreated, "POST", "/access/groups", `{"name":"Fleet"}`, &group)
	guard.want(http.StatusCreated, "POST", "/people", `{"name":"Ida Berg","groups":["`+group.ID+`"],"mail":"ida@example.org"}`, &person)
	guard.want(http.StatusCreated, "POST", "/credentials", `{"idToken":"IDA-1","personId":"`+person.ID+`"}`, &card)
	guard.want(http.StatusCreated, "POST", "/access/schedules", `{"name":"Office hours","open":[{"days":[1,2,3,4,5],"from":"08:00","to":"18:00"}]}`, &schedule)

	check := func(at string) (d AccessDecisionShape) {
		t.Helper()
		guard.want(http.StatusOK, "POST", "/access/check", `{"credential":"`+card.ID+`","place":"station/CP1/1","at":"`+at+`"}`, &d)
		return d
	}
	const monday, evening = "2026-11-23T10:00:00Z", "2026-11-23T20:00:00Z"
	if d := check(monday); d.Decision != "allow" || d.PolicyName != "Drivers" {
		t.Errorf("before anybody decided anything, every valid credential charges: %+v", d)
	}
	guard.want(http.StatusNoContent, "DELETE", "/policies/ar-drivers", "", nil)
	if d := check(monday); d.Decision != "deny" || d.Code != "noRight" {
		t.Errorf("nothing is allowed that no policy permits: %+v", d)
	}
	guard.want(http.StatusCreated, "POST", "/policies", `{"name":"Fleet in office hours","to":[{"group":"`+group.ID+`"}],"kinds":["evse"],"sites":["north"],"schedule":"`+schedule.ID+`"}`, &policy)
	if d := check(monday); d.Decision != "allow" || d.Reason != "allowed by “Fleet in office hours”" {
		t.Errorf("%+v", d)
	}
	if d := check(evening); d.Decision != "deny" || d.Reason != "denied: outside Mon-Fri 08:00-18:00 of “Fleet in office hours”" {
		t.Errorf("%+v", d)
	}
	if !strings.Contains(policy.Cedar, `principal in [Group::"g:`+group.ID+`"]`) {
		t.Errorf("the policy says %s", policy.Cedar)
	}
	var may struct{ Items []AccessAnswer }
	guard.want(http.StatusOK, "GET", "/access/who?place=station/CP1/1&at="+monday, "", &may)
	if len(may.Items) != 1 || may.Items[0].Name != "Ida Berg" || may.Items[0].CredentialID != card.ID {
		t.Errorf("who may: %+v", may)
	}
	guard.want(http.StatusOK, "GET", "/access/who?place=station/NOWHERE/1&at="+monday, "", &may)
	if len(may.Items) != 0 {
		t.Errorf("a place that nobody knows is open to %+v", may)
	}

	guard.want(http.StatusConflict, "DELETE", "/access/schedules/"+schedule.ID, "", nil)
	guard.want(http.StatusConflict, "DELETE", "/access/groups/"+group.ID, "", nil)
	var lock struct{ ID string }
	guard.want(http.StatusCreated, "POST", "/access/lockdowns", `{"name":"Plugs off","kinds":["evse"],"active":true}`, &lock)
	if d := check(monday); d.Decision != "deny" || d.Code != "lockdown" || d.PolicyName != "Plugs off" {
		t.Errorf("%+v", d)
	}
	guard.want(http.StatusConflict, "DELETE", "/access/lockdowns/"+lock.ID, "", nil)
	guard.want(http.StatusOK, "PUT", "/access/lockdowns/"+lock.ID, `{"name":"Plugs off","kinds":["evse"]}`, nil)
	guard.want(http.StatusNoContent, "DELETE", "/access/lockdowns/"+lock.ID, "", nil)

	var whole PersonDetail
	guard.want(http.StatusOK, "GET", "/people/"+person.ID, "", &whole)
	if whole.Name != "Ida Berg" || len(whole.Credentials) != 1 || whole.Credentials[0].IDToken != "IDA-1" {
		t.Errorf("all that is kept by name: %+v", whole)
	}
	var d AccessDecisionShape
	guard.want(http.StatusOK, "POST", "/access/check", `{"person":"`+person.ID+`","place":"station/CP1/1","at":"`+evening+`"}`, &d)
	if d.Decision != "deny" || d.Credential != card.ID || d.Code != "outsideHours" {
		t.Errorf("of a person: %+v", d)
	}
	guard.want(http.StatusUnprocessableEntity, "POST", "/access/check", `{"place":"station/CP1/1"}`, nil)
	for query, n := range map[string]int{"group=" + group.ID: 1, "group=ag-none": 0, "status=active": 1, "status=suspended": 0, "status=over": 0, "company=co-none": 0, "q=berg": 1} {
		var list struct{ Items []PersonShape }
		guard.want(http.StatusOK, "GET", "/people?"+query, "", &list)
		if len(list.Items) != n || n == 1 && list.Items[0].CredentialCount != 1 {
			t.Errorf("%s: %+v", query, list.Items)
		}
	}
	guard.want(http.StatusNoContent, "DELETE", "/people/"+person.ID, "", nil)
	guard.want(http.StatusNotFound, "GET", "/people/"+person.ID, "", nil)
	guard.want(http.StatusNotFound, "GET", "/credentials/"+card.ID, "", nil)
	for _, word := range []string{"Ida Berg", "IDA-1", "ida@example.org"} {
		if n := p.rowsWith(word); n != 0 {
			t.Errorf("%q stands in %d rows still", word, n)
		}
	}
}

func TestALostCardIsBlockedAndReplacedAtOnce(t *testing.T) {
	p := newPlant(t)
	guard := p.script(store.RoleSecurity)
	var person struct{ ID string }
	var card CredentialShape
	var lost LostShape
	guard.want(http.StatusCreated, "POST", "/people", `{"name":"Ida Berg"}`, &person)
	guard.want(http.StatusCreated, "POST", "/credentials", `{"idToken":"IDA-1","personId":"`+person.ID+`","label":"blue","maxConcurrent":2}`, &card)
	guard.want(http.StatusUnprocessableEntity, "POST", "/credentials/"+card.ID+"/lost", `{"idToken":"ida-1"}`, nil)
	guard.want(http.StatusOK, "GET", "/credentials/"+card.ID, "", &card)
	if card.Status != "Accepted" {
		t.Errorf("refused, and yet %s", card.Status)
	}
	guard.want(http.StatusOK, "POST", "/credentials/"+card.ID+"/lost", `{"idToken":"IDA-2"}`, &lost)
	fresh := lost.Replacement
	if lost.Blocked.Status != "Blocked" || fresh == nil || fresh.IDToken != "IDA-2" || fresh.Status != "Accepted" || fresh.PersonID != person.ID || fresh.Label != "blue" || fresh.MaxConcurrent != 2 {
		t.Errorf("%+v", lost)
	}
	lost = LostShape{}
	guard.want(http.StatusOK, "POST", "/credentials/"+fresh.ID+"/lost", `{}`, &lost)
	if lost.Blocked.Status != "Blocked" || lost.Replacement != nil {
		t.Errorf("%+v", lost)
	}
}

func TestALockdownSaysWhySinceWhenAndByWhom(t *testing.T) {
	p := newPlant(t)
	guard := p.script(store.RoleSecurity)
	var lock LockdownShape
	guard.want(http.StatusCreated, "POST", "/access/lockdowns", `{"name":"Yard"}`, &lock)
	guard.want(http.StatusUnprocessableEntity, "POST", "/access/lockdowns/"+lock.ID+"/activate", `{"reason":" "}`, nil)
	guard.want(http.StatusConflict, "POST", "/access/lockdowns/"+lock.ID+"/release", `{"reason":"it is over"}`, nil)
	guard.want(http.StatusOK, "POST", "/access/lockdowns/"+lock.ID+"/activate", `{"reason":"somebody climbs the fence"}`, &lock)
	guard.want(http.StatusConflict, "POST", "/access/lockdowns/"+lock.ID+"/activate", `{"reason":"again"}`, nil)
	if !lock.Active || lock.Reason != "somebody climbs the fence" || lock.Since == nil || lock.By == "" {
		t.Errorf("%+v", lock)
	}
	guard.want(http.StatusOK, "PUT", "/access/lockdowns/"+lock.ID, `{"name":"The yard","active":true}`, &lock)
	if !lock.Active || lock.Reason != "somebody climbs the fence" || lock.Name != "The yard" {
		t.Errorf("another name changed why: %+v", lock)
	}
	id := lock.ID
	lock = LockdownShape{}
	guard.want(http.StatusOK, "POST", "/access/lockdowns/"+id+"/release", `{"reason":"it was a fox"}`, &lock)
	if lock.Active || lock.Reason != "it was a fox" {
		t.Errorf("%+v", lock)
	}
	guard.want(http.StatusNotFound, "POST", "/access/lockdowns/lo-none/release", `{"reason":"x"}`, nil)
}

func TestWhatCannotBeDecidedByIsRefusedAtItsField(t *testing.T) {
	p := newPlant(t)
	guard := p.script(store.RoleSecurity)
	for body, field := range map[string]string{
		`{"name":"x","to":[{"person":"p","group":"g"}]}`:                                                   "to[0]",
		`{"name":"x","to":[{}]}`:                                                                           "to[0]",
		`{"name":"x","to":[{"anyone":true}],"sites":["nowhere"]}`:                                          "sites[0]",
		`{"name":"x","to":[{"anyone":true}],"kinds":["window"]}`:                                           "kinds[0]",
		`{"name":"x","to":[{"anyone":true}],"schedule":"none"}`:                                            "",
		`{"name":"x","to":[{"anyone":true}],"from":"2026-01-02T00:00:00Z","until":"2026-01-01T00:00:00Z"}`: "until",
	} {
		if status, told := guard.do("POST", "/policies", body); status != http.StatusUnprocessableEntity || !strings.Contains(told, field) {
			t.Errorf("%s: %d %s", body, status, told)
		}
	}
	for _, text := range []string{`permit(principal, action, resource);`, `forbid(`, `forbid(principal, action, resource) when { principal.age < 18 };`} {
		guard.want(http.StatusUnprocessableEntity, "POST", "/access/forbids", `{"name":"x","text":"`+text+`"}`, nil)
	}
	guard.want(http.StatusUnprocessableEntity, "POST", "/access/holidays", `{"name":"x","days":{"25.12.":"Christmas"}}`, nil)
	guard.want(http.StatusUnprocessableEntity, "POST", "/people", `{"name":"x","groups":["none"]}`, nil)
}

// rowsWith counts the rows of the database, of whatever table, that have a text in
// them.
func (p *plant) rowsWith(word string) (n int) {
	p.t.Helper()
	read := p.db.Reader()
	tables, err := read.QueryContext(p.t.Context(), `SELECT m.name, c.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c WHERE m.type = 'table'`)
	if err != nil {
		p.t.Fatal(err)
	}
	defer tables.Close()
	var columns [][2]string
	for tables.Next() {
		var c [2]string
		if err := tables.Scan(&c[0], &c[1]); err != nil {
			p.t.Fatal(err)
		}
		columns = append(columns, c)
	}
	if err := tables.Err(); err != nil || len(columns) < 50 {
		p.t.Fatal(len(columns), err)
	}
	for _, c := range columns {
		var k int
		if err := read.QueryRowContext(p.t.Context(), `SELECT count(*) FROM "`+c[0]+`" WHERE instr(CAST("`+c[1]+`" AS TEXT), ?) > 0`, word).Scan(&k); err != nil {
			p.t.Fatal(err)
		}
		n += k
	}
	return n
}

package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chargewatch/chargewatch/internal/store"
)

func TestUserAdministrationNeedsThePasswordLately(t *testing.T) {
	now := time.Now()
	var shift atomic.Int64
	p := newPlant(t, func(o *Options) { o.Now = func() time.Time { return now.Add(time.Duration(shift.Load())) } })
	boss := p.admin()
	var made NewUserShape
	boss.want(http.StatusCreated, "POST", "/users", `{"name":"Ann","grants":[{"role":"operator","sites":["*"]}]}`, &made)
	if made.SignInToken == "" || !made.MustSetPassword || len(made.Grants) != 1 {
		t.Errorf("made %+v", made)
	}
	ann := p.browser()
	ann.want(http.StatusNoContent, "POST", "/signin", `{"token":"`+made.SignInToken+`"}`, nil)
	ann.want(http.StatusNoContent, "POST", "/me/password", `{"password":"ten letters"}`, nil)
	ann.want(http.StatusForbidden, "GET", "/users", "", nil)

	shift.Store(int64(16 * time.Minute))
	for _, call := range []string{"POST /users", "PATCH /users/" + made.ID, "DELETE /users/" + made.ID, "POST /users/" + made.ID + "/reset", "POST /tokens", "DELETE /tokens/k-x"} {
		method, path, _ := strings.Cut(call, " ")
		if status, text := boss.do(method, path, `{}`); status != http.StatusForbidden || !strings.Contains(text, "password again") {
			t.Errorf("%s after 16 min: %d %s", call, status, text)
		}
	}
	boss.get("/users", nil)
	boss.want(http.StatusUnprocessableEntity, "POST", "/me/reauthenticate", `{"password":"wrong"}`, nil)
	boss.want(http.StatusNoContent, "POST", "/me/reauthenticate", `{"password":"correct horse"}`, nil)
	shift.Store(0) // the store's clock is the real one
	var u UserShape
	boss.want(http.StatusOK, "PATCH", "/users/"+made.ID, `{"grants":[{"role":"viewer","sites":["a"]}]}`, &u)
	if u.Grants[0].Role != store.RoleViewer {
		t.Errorf("changed %+v", u)
	}
	for name, body := range map[string]string{
		"an unknown role": `{"name":"x","grants":[{"role":"king","sites":["*"]}]}`,
		"no site":         `{"name":"x","grants":[{"role":"viewer","sites":[]}]}`,
		"a role twice":    `{"name":"x","grants":[{"role":"viewer","sites":["a"]},{"role":"viewer","sites":["b"]}]}`,
		"no name":         `{"name":"","grants":[]}`,
	} {
		if status, text := boss.do("POST", "/users", body); status != http.StatusUnprocessableEntity || !strings.Contains(text, "body.") {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	boss.want(http.StatusConflict, "POST", "/users", `{"name":"ANN","grants":[]}`, nil)
	var again NewUserShape
	boss.want(http.StatusOK, "POST", "/users/"+made.ID+"/reset", "", &again)
	if status, _ := ann.do("GET", "/me", ""); status != http.StatusUnauthorized || again.SignInToken == "" {
		t.Errorf("after a reset: %d", status)
	}
	boss.want(http.StatusNoContent, "DELETE", "/users/"+made.ID, "", nil)
	var me Me
	boss.get("/me", &me)
	boss.want(http.StatusConflict, "DELETE", "/users/"+me.ID, "", nil)
	var log Items[AuditShape]
	boss.get("/audit", &log)
	if log.Items[0].Action != "user.delete" || log.Items[0].ActorName != "admin" || strings.Contains(fmt.Sprint(log), "Ann") {
		t.Errorf("audit %+v", log.Items)
	}
}

func TestTokensAreShownOnce(t *testing.T) {
	p := newPlant(t)
	boss := p.admin()
	var made NewTokenShape
	boss.want(http.StatusCreated, "POST", "/tokens", `{"name":"scrape","grants":[{"role":"viewer","sites":["*"]}]}`, &made)
	if !strings.HasPrefix(made.Token, "cw_") {
		t.Fatalf("made %+v", made)
	}
	script := &caller{t: t, url: p.url, token: made.Token, http: &http.Client{}}
	script.get("/summary", nil)
	var me Me
	script.get("/me", &me)
	if me.Role != store.RoleViewer || me.Name != "scrape" {
		t.Errorf("me %+v", me)
	}
	if status, text := script.do("GET", "!/metrics", ""); status != http.StatusOK || !strings.Contains(text, `chargewatch_ports{state="Available"} 0`) {
		t.Errorf("metrics: %d %s", status, text)
	}
	if status, _ := p.script(store.RoleViewer, "a").do("GET", "!/metrics", ""); status != http.StatusForbidden {
		t.Errorf("metrics of all sites for one: %d", status)
	}
	if _, text := boss.do("GET", "/tokens", ""); strings.Contains(text, made.Token) || !strings.Contains(text, made.ID) {
		t.Errorf("list %s", text)
	}
	boss.want(http.StatusNoContent, "DELETE", "/tokens/"+made.ID, "", nil)
	script.want(http.StatusUnauthorized, "GET", "/summary", "", nil)
	if status, _ := p.script(store.RoleAdmin).do("POST", "/tokens", `{"name":"x","grants":[{"role":"admin","sites":["*"]}]}`); status != http.StatusForbidden {
		t.Errorf("a token made a token: %d", status)
	}
}

func TestOnlyFailedSignInsCount(t *testing.T) {
	p := newPlant(t)
	p.person("Bea", store.RoleViewer, store.AllSites)
	c := p.browser()
	for range limitPerName + 5 {
		c.want(http.StatusNoContent, "POST", "/signin", `{"name":"Bea","password":"a long password"}`, nil)
	}
	for range limitPerName {
		c.want(http.StatusUnauthorized, "POST", "/signin", `{"name":"Bea","password":"wrong"}`, nil)
	}
	c.want(http.StatusTooManyRequests, "POST", "/signin", `{"name":"bea","password":"a long password"}`, nil)
	other := p.browser()
	other.want(http.StatusUnauthorized, "POST", "/signin", `{"name":"Cid","password":"wrong"}`, nil)
	for _, body := range []string{`{}`, `{"name":"Bea"}`, `{"name":"Bea","password":"x","token":"y"}`, `{"user":"x"}`} {
		other.want(http.StatusUnprocessableEntity, "POST", "/signin", body, nil)
	}
}

func TestLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(time.Now)
		for range limitPerName {
			l.failed("1", "Ann")
		}
		if l.blocked("1", "ann") == 0 || l.blocked("2", "ann") != 0 || l.blocked("1", "bea") != 0 {
			t.Error("the pair is not what is blocked")
		}
		for i := range limitPerIP {
			l.failed("3", fmt.Sprint(i))
		}
		if l.blocked("3", "anyone") == 0 {
			t.Error("a source may try names without end")
		}
		time.Sleep(limitWindow)
		if l.blocked("1", "ann") != 0 || l.blocked("3", "x") != 0 {
			t.Error("blocked for ever")
		}
		for i := range 3 * limitEntries {
			l.failed(fmt.Sprint("s", i), "x")
		}
		if len(l.all) > limitEntries {
			t.Errorf("%d entries", len(l.all))
		}
	})
	if a, b := source(netip.MustParseAddr("2001:db8::1")), source(netip.MustParseAddr("2001:db8::2:3")); a != b {
		t.Errorf("%s and %s are one customer", a, b)
	}
	if a, b := source(netip.MustParseAddr("192.0.2.1")), source(netip.MustParseAddr("::ffff:192.0.2.1")); a != b {
		t.Errorf("%s and %s are one address", a, b)
	}
}

func TestPasswordHashes(t *testing.T) {
	p := newPlant(t)
	hash, err := p.hashPassword(t.Context(), "correct horse")
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("%s, %v", hash, err)
	}
	for password, want := range map[string]bool{"correct horse": true, "Correct horse": false, "": false} {
		if ok, err := p.checkPassword(t.Context(), hash, password); ok != want || err != nil {
			t.Errorf("%q: %v, %v", password, ok, err)
		}
	}
	if ok, err := p.checkPassword(t.Context(), "", "correct horse"); ok || err != nil {
		t.Errorf("no password: %v, %v", ok, err)
	}
	for _, bad := range []string{"x", "$argon2id$v=19$m=1,t=0,p=1$AA$AA", "$bcrypt$v=19$m=1,t=1,p=1$AA$AA", "$argon2id$v=19$m=1,t=1,p=1$!$!"} {
		if _, err := p.checkPassword(t.Context(), bad, "x"); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

// A browser that another site misuses sends its cookie along.
func TestWritesNeedTheSameOrigin(t *testing.T) {
	p := newPlant(t)
	p.site("a")
	boss := p.admin()
	tests := map[string]struct {
		header http.Header
		want   int
	}{
		"the same origin":               {http.Header{"Sec-Fetch-Site": {"same-origin"}}, http.StatusOK},
		"another site":                  {http.Header{"Sec-Fetch-Site": {"cross-site"}}, http.StatusForbidden},
		"another origin, older browser": {http.Header{"Origin": {"https://evil.example"}}, http.StatusForbidden},
		"our own origin, older browser": {http.Header{"Origin": {p.url}}, http.StatusOK},
		"a script":                      {nil, http.StatusOK},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			c := *boss
			c.t, c.header = t, tc.header
			if status, text := c.do("PATCH", "/sites/a", `{"name":"x"}`); status != tc.want {
				t.Errorf("%d %s", status, text)
			}
			if status, _ := c.do("POST", "/signin", `{"name":"x","password":"y"}`); (status == http.StatusForbidden) != (tc.want == http.StatusForbidden) {
				t.Errorf("sign-in: %d", status)
			}
		})
	}
	script := p.script(store.RoleAdmin)
	script.header = http.Header{"Sec-Fetch-Site": {"cross-site"}}
	script.want(http.StatusOK, "PATCH", "/sites/a", `{"name":"y"}`, nil)
}

func TestSessionsSurviveARestart(t *testing.T) {
	p := newPlant(t)
	boss := p.admin()
	next := New(p.o.again())
	r, err := http.NewRequestWithContext(t.Context(), "GET", base+"/me", nil)
	if err != nil {
		t.Fatal(err)
	}
	u, err := http.NewRequestWithContext(t.Context(), "GET", p.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range boss.http.Jar.Cookies(u.URL) {
		if !c.HttpOnly && c.Name == "" {
			t.Error("no cookie")
		}
		r.AddCookie(c)
	}
	w := &recorder{header: make(http.Header)}
	next.ServeHTTP(w, r)
	var me Me
	if err := json.Unmarshal(w.body, &me); err != nil || me.Name != "admin" {
		t.Errorf("%d %s", w.status, w.body)
	}
}

// again is the options for another server on the same store.
func (o Options) again() Options {
	o.Metrics = nil
	return o
}

type recorder struct {
	header http.Header
	status int
	body   []byte
}

func (r *recorder) Header() http.Header { return r.header }
func (r *recorder) WriteHeader(s int)   { r.status = s }
func (r *recorder) Write(b []byte) (int, error) {
	r.body = append(r.body, b...)
	return len(b), nil
}

func TestCookieIsHardened(t *testing.T) {
	for _, secure := range []bool{true, false} {
		p := newPlant(t, func(o *Options) { o.Secure = secure })
		link, err := p.store.FirstAdmin(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.Post(p.url+base+"/signin", "application/json", strings.NewReader(`{"token":"`+link+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		cookies := resp.Cookies()
		if len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteLaxMode || cookies[0].Secure != secure ||
			strings.HasPrefix(cookies[0].Name, "__Host-") != secure || cookies[0].Path != "/" || cookies[0].Domain != "" {
			t.Errorf("secure %v: %+v", secure, cookies)
		}
		if got := resp.Header.Get("Strict-Transport-Security") != ""; got != secure {
			t.Errorf("secure %v: HSTS %v", secure, got)
		}
	}
}

package web

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/store"
)

func TestTags(t *testing.T) {
	n := newTwo(t)
	admin, limited := n.script(store.RoleAdmin), n.script(store.RoleAdmin, own)
	tags := func(station string) string {
		var got StationShape
		admin.get("/stations/"+station, &got)
		return strings.Join(got.Tags, " ")
	}
	var out struct {
		Changed int
		Before  map[string][]string
	}
	admin.want(http.StatusOK, "POST", "/stations/tags", `{"stations":["S-own","S-FOREIGN"],"add":["Winter","  on lease "]}`, &out)
	if out.Changed != 2 || len(out.Before["S-own"]) != 0 || tags("S-own") != "on lease Winter" {
		t.Errorf("%+v, now %q", out, tags("S-own"))
	}
	admin.want(http.StatusOK, "POST", "/stations/tags", `{"stations":["S-own","S-FOREIGN"],"add":["winter"],"remove":["ON LEASE"]}`, &out)
	if out.Changed != 2 || !slices.Equal(out.Before["S-own"], []string{"on lease", "Winter"}) || tags("S-own") != "Winter" {
		t.Errorf("%+v, now %q", out, tags("S-own"))
	}
	var list Items[StationShape]
	admin.want(http.StatusOK, "PATCH", "/stations/S-FOREIGN", `{"tags":[]}`, nil)
	admin.get("/stations?tag=WINTER", &list)
	if len(list.Items) != 1 || list.Items[0].ID != "S-own" {
		t.Errorf("by tag: %+v", list.Items)
	}
	for name, tc := range map[string]struct {
		who  *caller
		body string
		want int
	}{
		"a station of another site":   {limited, `{"stations":["S-own","S-FOREIGN"],"add":["x"]}`, http.StatusNotFound},
		"a station that is not there": {admin, `{"stations":["S-own","none"],"add":["x"]}`, http.StatusNotFound},
		"no station":                  {admin, `{"stations":[],"add":["x"]}`, http.StatusUnprocessableEntity},
		"a tag of nothing":            {admin, `{"stations":["S-own"],"add":[" "]}`, http.StatusUnprocessableEntity},
		"a tag with a comma":          {admin, `{"stations":["S-own"],"add":["a,b"]}`, http.StatusUnprocessableEntity},
		"a tag with a bell":           {admin, `{"stations":["S-own"],"add":["a\u0007"]}`, http.StatusUnprocessableEntity},
		"a tag too long":              {admin, `{"stations":["S-own"],"add":["` + strings.Repeat("x", 33) + `"]}`, http.StatusUnprocessableEntity},
		"who may only look":           {n.script(store.RoleOperator), `{"stations":["S-own"],"add":["x"]}`, http.StatusForbidden},
		"the own station":             {limited, `{"stations":["S-own"],"remove":["Winter"]}`, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			if got, text := tc.who.do("POST", "/stations/tags", tc.body); got != tc.want {
				t.Errorf("%d, want %d: %s", got, tc.want, text)
			}
		})
	}
	if got := tags("S-own"); got != "" {
		t.Errorf("half a change was made: %q", got)
	}
}

func TestViews(t *testing.T) {
	n := newTwo(t)
	anna, bert, limited := n.script(store.RoleAdmin), n.script(store.RoleViewer), n.script(store.RoleAdmin, own)
	var mine, ours ViewShape
	anna.want(http.StatusCreated, "POST", "/views", `{"name":" Faults ","path":"/stations?state=faulted"}`, &mine)
	anna.want(http.StatusCreated, "POST", "/views", `{"name":"Harbour","path":"/stations?site=FOREIGN","shared":true}`, &ours)
	names := func(c *caller) string {
		var got Items[ViewShape]
		c.get("/views", &got)
		var out []string
		for _, v := range got.Items {
			out = append(out, v.Name)
		}
		return strings.Join(out, " ")
	}
	if mine.Name != "Faults" || !mine.Mine || names(anna) != "Faults Harbour" || names(bert) != "Harbour" || names(limited) != "" {
		t.Errorf("%+v; anna %q, bert %q, limited %q", mine, names(anna), names(bert), names(limited))
	}
	anna.want(http.StatusCreated, "POST", "/views", `{"name":"Faults","path":"/stations?state=offline"}`, nil)
	if names(anna) != "Faults Harbour" {
		t.Errorf("a name twice: %q", names(anna))
	}
	var gone ViewShape
	anna.want(http.StatusCreated, "POST", "/views", `{"name":"Old","path":"/stations"}`, &gone)
	for name, tc := range map[string]struct {
		who          *caller
		method, path string
		body         string
		want         int
	}{
		"another host":                {anna, "POST", "/views", `{"name":"x","path":"//evil.example/"}`, http.StatusUnprocessableEntity},
		"a script":                    {anna, "POST", "/views", `{"name":"x","path":"javascript:alert(1)"}`, http.StatusUnprocessableEntity},
		"a backslash":                 {anna, "POST", "/views", `{"name":"x","path":"/\\evil.example"}`, http.StatusUnprocessableEntity},
		"no name":                     {anna, "POST", "/views", `{"name":" ","path":"/stations"}`, http.StatusUnprocessableEntity},
		"shared by one of some sites": {limited, "POST", "/views", `{"name":"x","path":"/stations","shared":true}`, http.StatusForbidden},
		"another's private one":       {bert, "DELETE", "/views/" + mine.ID, "", http.StatusNotFound},
		"another's shared one":        {bert, "DELETE", "/views/" + ours.ID, "", http.StatusForbidden},
		"the own one":                 {anna, "DELETE", "/views/" + gone.ID, "", http.StatusNoContent},
		"one that is gone":            {anna, "DELETE", "/views/v-none", "", http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			if got, text := tc.who.do(tc.method, tc.path, tc.body); got != tc.want {
				t.Errorf("%d, want %d: %s", got, tc.want, text)
			}
		})
	}
}

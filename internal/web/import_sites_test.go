package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/store"
)

func (c *caller) upload(path, data string) (int, string) {
	c.t.Helper()
	c.header = http.Header{"Content-Type": {"text/csv"}}
	defer func() { c.header = nil }()
	return c.do("POST", path, data)
}

func TestSitesAreImportedFromCSV(t *testing.T) {
	p := newPlant(t)
	p.site("old")
	boss := p.script(store.RoleAdmin)
	const file = "\uFEFFid;name;latitude;longitude;timeZone;openingHours;gridLimitW;public\n" +
		"ham-1;Hamburg, harbour;53,5;10;Europe/Berlin;24/7;250000;yes\n"
	if status, text := boss.upload("/sites/import", file); status != http.StatusUnprocessableEntity || !strings.Contains(text, "line[2].latitude") {
		t.Errorf("a comma in a number: %d %s", status, text)
	}
	good := strings.Replace(file, "53,5", "53.5", 1) + ";No id;;;;;;\nold;Renamed;1;2;;;;\n"
	var tried, done, again ImportSitesResult
	ask := func(path string, into *ImportSitesResult) {
		t.Helper()
		status, text := boss.upload(path, good)
		if err := json.Unmarshal([]byte(text), into); err != nil || status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, status, text)
		}
	}
	ask("/sites/import?dryRun=true", &tried)
	if tried.Created != 2 || tried.Exist != 1 || len(p.store.Sites()) != 1 {
		t.Errorf("dry run %+v", tried)
	}
	ask("/sites/import", &done)
	x, ok := p.store.Site("ham-1")
	if done.Created != 2 || !ok || x.Name != "Hamburg, harbour" || *x.Latitude != 53.5 || x.GridLimitW != 250_000 || !x.Public || len(p.store.Sites()) != 3 {
		t.Errorf("import %+v, %+v", done, x)
	}
	if old, _ := p.store.Site("old"); old.Name == "Renamed" || done.Rows[1].ID == "" {
		t.Errorf("a site that exists was changed: %+v", old)
	}
	good = "id,latitude,longitude\nold,1,2\n"
	ask("/sites/import?update=true", &again)
	if old, _ := p.store.Site("old"); again.Changed != 1 || old.Name == "" || old.Latitude == nil || *old.Latitude != 1 {
		t.Errorf("update %+v, %+v", again, old)
	}
}

func TestASiteImportNamesWhatItCannotRead(t *testing.T) {
	p := newPlant(t)
	boss := p.script(store.RoleAdmin)
	rows := strings.Repeat("a,b\n", maxImportSites+1)
	for name, tc := range map[string]struct{ file, want string }{
		"an empty line":           {"\n", "line[1].id"},
		"an unknown column":       {"id,colour\nx,red\n", "line[1].column2"},
		"neither id nor name":     {"address\nhere\n", "line[1].id"},
		"half a position":         {"id,latitude\nx,1\n", "line[2].latitude"},
		"a position off Earth":    {"id,latitude,longitude\nx,91,0\n", "line[2].latitude"},
		"a number that is none":   {"id,latitude,longitude\nx,NaN,0\n", "line[2].latitude"},
		"an endless power":        {"id,gridLimitW\nx,Inf\n", "line[2].gridLimitW"},
		"a power below zero":      {"id,gridLimitW\nx,-1\n", "line[2].gridLimitW"},
		"a zone that is none":     {"id,timeZone\nx,Mars/Olympus\n", "line[2].timeZone"},
		"an id twice":             {"id\nx\nx\n", "line[3].id"},
		"an id with a slash":      {"id\na/b\n", "line[2].id"},
		"a word that is not yes":  {"id,public\nx,perhaps\n", "line[2].public"},
		"a name beyond its limit": {"id,name\nx," + strings.Repeat("n", 101) + "\n", "line[2].name"},
		"a quote left open":       {"id,name\nx,\"y\n", ".row"},
		"too many rows":           {"name,address\n" + rows, "more than 5000 rows"},
	} {
		t.Run(name, func(t *testing.T) {
			if status, text := boss.upload("/sites/import", tc.file); status != http.StatusUnprocessableEntity || !strings.Contains(text, tc.want) {
				t.Errorf("%d %.300s, want %s", status, text, tc.want)
			}
		})
	}
	if n := len(p.store.Sites()); n != 0 {
		t.Errorf("%d sites were made", n)
	}
	for _, role := range []store.Role{store.RoleOperator, store.RoleViewer} {
		if status, _ := p.script(role).upload("/sites/import", "id\nx\n"); status != http.StatusForbidden {
			t.Errorf("%s: %d", role, status)
		}
	}
}

func FuzzSitesOfAFile(f *testing.F) {
	f.Add([]byte("id,name,latitude,longitude\nx,y,1,2\n"))
	f.Add([]byte("name;public\n\"a;b\";yes\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := &Server{o: Options{Store: new(store.Store)}}
		sites, faults := s.parseSites(data, false)
		if len(faults) > maxImportFault+10 || len(sites) > maxImportSites {
			t.Errorf("%d sites, %d faults", len(sites), len(faults))
		}
		for _, x := range sites {
			made := store.Site{ID: x.id}
			x.apply(&made)
			if len(faults) == 0 && made.Valid() != nil {
				t.Errorf("%+v: %v", made, made.Valid())
			}
		}
	})
}

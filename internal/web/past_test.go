package web

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	reader "github.com/parquet-go/parquet-go"

	"github.com/chargewatch/chargewatch/internal/intake"
	"github.com/chargewatch/chargewatch/internal/store"
)

// takesImports is a plant with an intake at work.
func takesImports(t *testing.T) *plant {
	t.Helper()
	data, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var in *intake.Service
	p := newPlant(t, func(o *Options) {
		if in, err = intake.Open(intake.Options{Data: data, Store: o.Store, Beat: 10 * time.Millisecond}); err != nil {
			t.Fatal(err)
		}
		o.Imports = in
	})
	ctx, end := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- in.Work(ctx) }()
	t.Cleanup(func() {
		end()
		if err := errors.Join(<-done, data.Close()); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	return p
}

// brings sends a file of past sessions.
func (c *caller) brings(name, text string) (int, string) {
	c.t.Helper()
	return c.upload("/analytics/imports?name="+name, text)
}

const pastFile = "Site,CP ID,Connector,Start,End,Total kWh,Card\n" +
	"=Mill Lane,S1,1,2018-03-15 08:00,2018-03-15 09:00,7.1,CARD1\n" +
	"=Mill Lane,S1,1,2018-03-15 09:30,2018-03-15 10:00,,CARD1\n" +
	"=Mill Lane,S1,1,2018-03-15 13:00,,4,CARD2\n" +
	"Quay,Q1,1,2018-03-15 13:00,2018-03-15 15:00,4,CARD2\n"

func stateOf(t *testing.T, text string) PastImportShape {
	t.Helper()
	var x PastImportShape
	if err := json.Unmarshal([]byte(text), &x); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return x
}

func TestPastSessionsComeThroughTheAPIAndGoOutAgain(t *testing.T) {
	p := takesImports(t)
	admin := p.script(store.RoleAdmin)
	status, text := admin.brings("old%20system.csv", pastFile)
	var shown PastPreviewShape
	if err := json.Unmarshal([]byte(text), &shown); err != nil || status != http.StatusCreated {
		t.Fatalf("%d %s", status, text)
	}
	if shown.Import.Name != "old system.csv" || strings.Join(shown.Decide, ",") != "zone,sites" || shown.Counts.Rows != 4 || shown.Counts.Quarantined != 1 || len(shown.Sites) != 2 {
		t.Fatalf("shown %s", text)
	}
	path := fmt.Sprintf("/analytics/imports/%d", shown.Import.ID)
	if status, text := admin.do(http.MethodPost, path+"/run", ""); status != http.StatusUnprocessableEntity {
		t.Errorf("run undecided: %d %s", status, text)
	}
	set := shown.Settings
	set.Mapping.Zone = "Europe/London"
	for _, x := range shown.Sites {
		set.Sites[x.Name] = PastPlace{Create: true}
	}
	body, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	if status, text := admin.do(http.MethodPatch, path, string(body)); status != http.StatusOK || !strings.Contains(text, `"decide":[]`) {
		t.Fatalf("%d %s", status, text)
	}
	for _, bad := range []string{`{"mapping":{"columns":{"colour":1}},"sites":{},"site":{}}`, `{"mapping":{"columns":{},"zone":"Mars"},"sites":{},"site":{}}`, `{"mapping":{"columns":{}},"sites":{},"site":{},"x":1}`} {
		if status, text := admin.do(http.MethodPatch, path, bad); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", bad, status, text)
		}
	}
	if status, text := admin.do(http.MethodPost, path+"/run", ""); status != http.StatusAccepted {
		t.Fatalf("%d %s", status, text)
	}
	var x PastImportShape
	for x.State != "done" {
		_, text := admin.do(http.MethodGet, path, "")
		if x = stateOf(t, text); x.State == "stopped" {
			t.Fatalf("it stopped: %s", text)
		}
	}
	if x.Sessions != 3 || x.Counts.Imported != 3 || x.Counts.Quarantined != 1 {
		t.Errorf("got %+v", x.Counts)
	}

	// The rows that were left out, and everything that is here.
	_, rows := admin.do(http.MethodGet, path+"/rows.csv?outcome=quarantined", "")
	if !strings.Contains(rows, "4,quarantined,noEnd,'=Mill Lane,S1,1,") || strings.Contains(rows, "CARD") {
		t.Errorf("rows: %s", rows)
	}
	_, text = admin.do(http.MethodGet, "/analytics/export/sessions.csv", "")
	table, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(table) != 4 || strings.Contains(text, "CARD") || !strings.Contains(text, "'=Mill Lane,S1,1,2018-03-15T08:00:00.000Z,2018-03-15T09:00:00.000Z,,7100,,p") {
		t.Errorf("export %v: %s", err, text)
	}
	type session struct {
		Station string   `parquet:"station"`
		Energy  *float64 `parquet:"energyWh,optional"`
	}
	_, text = admin.do(http.MethodGet, "/analytics/export/sessions.parquet", "")
	got, err := reader.Read[session](strings.NewReader(text), int64(len(text)))
	if err != nil || len(got) != 3 {
		t.Errorf("%d rows, %v", len(got), err)
	}

	// Whoever sees one site only has that one; imports are for those who see all.
	quay := ""
	for _, s := range p.store.Sites() {
		if s.Name == "Quay" {
			quay = s.ID
		}
	}
	host := p.script(store.RoleHost, quay)
	status, text = host.do(http.MethodGet, "/analytics/export/sessions.csv", "")
	if table, err := csv.NewReader(strings.NewReader(text)).ReadAll(); status != http.StatusOK || err != nil || len(table) != 2 || table[1][2] != "Q1" {
		t.Errorf("a host of one site: %d %s", status, text)
	}
	for _, path := range []string{base + "/analytics/imports", path, path + "/rows.csv"} {
		if status, _ := host.do(http.MethodGet, path, ""); status != http.StatusForbidden {
			t.Errorf("a host asks %s: %d", path, status)
		}
	}
	if status, _ := p.script(store.RoleViewer).brings("x.csv", pastFile); status != http.StatusForbidden {
		t.Errorf("a viewer brings a file: %d", status)
	}

	// Back again.
	if status, text := admin.do(http.MethodPost, path+"/undo", ""); status != http.StatusAccepted {
		t.Fatalf("%d %s", status, text)
	}
	for x.State != "undone" {
		_, text := admin.do(http.MethodGet, path, "")
		x = stateOf(t, text)
	}
	if status, text := admin.do(http.MethodPost, path+"/undo", ""); status != http.StatusConflict {
		t.Errorf("undone twice: %d %s", status, text)
	}
	if status, _ := admin.do(http.MethodDelete, path, ""); status != http.StatusNoContent {
		t.Errorf("not forgotten: %d", status)
	}
	_, text = admin.do(http.MethodGet, "/analytics/export/sessions.csv", "")
	if n := strings.Count(text, "\n"); n != 1 {
		t.Errorf("%d lines are left", n)
	}
}

func TestFilesThatAreNoneAreRefused(t *testing.T) {
	p := takesImports(t)
	admin := p.script(store.RoleAdmin)
	for name, tc := range map[string]struct {
		text string
		want int
	}{
		"empty":         {"", http.StatusUnprocessableEntity},
		"one word":      {"hello", http.StatusUnprocessableEntity},
		"binary":        {"\x00\x01\x02\x03\x04", http.StatusUnprocessableEntity},
		"much too wide": {strings.Repeat("a,", 1000), http.StatusUnprocessableEntity},
	} {
		if status, text := admin.brings("x.csv", tc.text); status != tc.want {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	if status, text := admin.do(http.MethodPost, "/analytics/imports", `{"a":1}`); status != http.StatusUnsupportedMediaType {
		t.Errorf("JSON: %d %s", status, text)
	}
	for _, q := range []string{"?from=yesterday", "?site=nowhere", "?colour=red"} {
		if status, text := admin.do(http.MethodGet, "/analytics/export/sessions.csv"+q, ""); status != http.StatusUnprocessableEntity && status != http.StatusNotFound {
			t.Errorf("%s: %d %s", q, status, text)
		}
	}
}

package intake

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/coredb/coredbtest"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/usage/past"
	"github.com/chargewatch/chargewatch/internal/usage/past/pasttest"
)

const person = store.Actor("u-1")

type bench struct {
	*Service
	st   *store.Store
	data *os.Root
	db   *coredb.DB
}

func open(t *testing.T) *bench {
	t.Helper()
	folder := t.TempDir()
	data, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	coredbtest.In(t, folder)
	db, err := coredb.Open(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(db.Close(), data.Close()); err != nil {
			t.Error(err)
		}
	})
	b := &bench{data: data, db: db}
	if b.st, err = store.Open(t.Context(), store.Options{DB: db}); err != nil {
		t.Fatal(err)
	}
	b.again(t)
	return b
}

// again is the service after a restart.
func (b *bench) again(t *testing.T) {
	t.Helper()
	var err error
	if b.Service, err = Open(Options{Data: b.data, Store: b.st}); err != nil {
		t.Fatal(err)
	}
}

func raw(t *testing.T, days int) pasttest.File {
	t.Helper()
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	clean := pasttest.Network(11, 4, time.Date(2018, 3, 1, 0, 0, 0, 0, time.UTC), days)
	return pasttest.Make(clean, pasttest.Options{Seed: 9, Zone: london, Files: 1, Swapped: func(int) bool { return true }})[0]
}

// ready stages a file and says what has to be said.
func (b *bench) ready(t *testing.T, data []byte) *Preview {
	t.Helper()
	p, err := b.Stage(t.Context(), person, `C:\export\sessions.csv`, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	set := p.Settings
	set.Mapping.Zone = "Europe/London"
	for _, x := range p.Sites {
		if !x.Place.said() {
			set.Sites[x.Name] = Place{Create: true}
		}
	}
	if p, err = b.Change(t.Context(), person, p.Import.ID, set); err != nil {
		t.Fatal(err)
	}
	if len(p.Decide) > 0 {
		t.Fatalf("to decide: %v", p.Decide)
	}
	return p
}

func (b *bench) sessions(t *testing.T) (n int, wh float64) {
	t.Helper()
	err := b.st.PastSessions(t.Context(), "", time.Time{}, time.Time{}, func(x *store.PastSession) error {
		n++
		if x.EnergyWh == x.EnergyWh {
			wh += x.EnergyWh
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n, wh
}

func (b *bench) row(t *testing.T, id int64) *store.PastImport {
	t.Helper()
	x, err := b.st.PastImport(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestAFileIsShownImportedAndTakenBack(t *testing.T) {
	b, ctx := open(t), t.Context()
	f := raw(t, 60)
	p, err := b.Stage(ctx, person, `C:\export\sessions.csv`, bytes.NewReader(f.Data))
	if err != nil {
		t.Fatal(err)
	}
	if p.Import.Name != "sessions.csv" || strings.Join(p.Decide, ",") != "zone,sites" {
		t.Fatalf("%s, to decide %v", p.Import.Name, p.Decide)
	}
	if err := b.RunNow(ctx, person, p.Import.ID); !errors.Is(err, ErrUndecided) {
		t.Fatalf("run undecided: %v", err)
	}
	p = b.ready(t, f.Data)
	c := p.Counts
	if c.Rows != f.Rows || c.Imported+c.Repaired+c.Quarantined+c.Duplicates != c.Rows || c.Quarantined == 0 || c.Order.Sure != "certain" {
		t.Fatalf("shown %+v", c)
	}
	if n, _ := b.sessions(t); n != 0 {
		t.Fatalf("%d sessions before it was run", n)
	}
	if err := b.RunNow(ctx, person, p.Import.ID); err != nil {
		t.Fatal(err)
	}
	n, wh := b.sessions(t)
	if n != c.Imported+c.Repaired || wh < c.EnergyWh*0.999999 || wh > c.EnergyWh*1.000001 {
		t.Errorf("%d sessions of %v Wh, shown were %d of %v", n, wh, c.Imported+c.Repaired, c.EnergyWh)
	}
	if x := b.row(t, p.Import.ID); x.State != store.PastDone || !bytes.Contains(x.Counts, []byte(`"quarantined"`)) {
		t.Errorf("it is %s: %s", x.State, x.Counts)
	}
	if len(b.st.Sites()) != 4 {
		t.Errorf("%d sites", len(b.st.Sites()))
	}
	if _, err := b.data.Stat(file(p.Import.ID)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file stays: %v", err)
	}
	rows, err := b.st.PastRows(ctx, p.Import.ID, "quarantined", 0, 1000)
	if err != nil || len(rows) != c.Quarantined {
		t.Errorf("%d rows of %d are kept: %v", len(rows), c.Quarantined, err)
	}

	// The same file once more: it says so, and nothing is there twice.
	again := b.ready(t, f.Data)
	if again.Before == nil || again.Before.ID != p.Import.ID || again.Sites[0].Place.SiteID == "" {
		t.Errorf("it does not know the file: %+v", again.Before)
	}
	if err := b.RunNow(ctx, person, again.Import.ID); err != nil {
		t.Fatal(err)
	}
	if m, _ := b.sessions(t); m != n {
		t.Errorf("%d sessions became %d", n, m)
	}
	if err := b.UndoNow(ctx, person, again.Import.ID); err != nil {
		t.Fatal(err)
	}
	if m, _ := b.sessions(t); m != n {
		t.Errorf("undoing what brought nothing took %d", n-m)
	}
	if err := b.UndoNow(ctx, person, p.Import.ID); err != nil {
		t.Fatal(err)
	}
	if m, _ := b.sessions(t); m != 0 {
		t.Errorf("%d sessions are left", m)
	}
	ports, err := b.st.PastPorts(ctx, "")
	if err != nil || len(ports) != 0 {
		t.Errorf("%d ports are left: %v", len(ports), err)
	}
	if x := b.row(t, p.Import.ID); x.State != store.PastUndone || x.UndoneAt.IsZero() {
		t.Errorf("it is %s", x.State)
	}
}

func TestAnImportThatWasKilledGoesOn(t *testing.T) {
	b := open(t)
	f := raw(t, 60)
	p := b.ready(t, f.Data)
	if err := b.begin(t.Context(), person, p.Import.ID); err != nil {
		t.Fatal(err)
	}
	row := b.row(t, p.Import.ID)
	if err := b.start(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	// Killed behind the third commit of sessions.
	if err := b.describe(t.Context(), row.ID, b.seen[row.ID]); err != nil {
		t.Fatal(err)
	}
	for at := int64(0); at < 3*batch; at += batch {
		var list []store.PastSession
		for i := at; i < at+batch; i++ {
			x, ok := b.session(b.seen[row.ID], int(i))
			if !ok {
				t.Fatal("no site")
			}
			list = append(list, x)
		}
		if err := b.commit(t.Context(), row.ID, store.PastBatch{Sessions: list, After: at}); err != nil {
			t.Fatal(err)
		}
	}
	b.again(t)
	if err := b.work(t.Context(), row.ID); err != nil {
		t.Fatal(err)
	}
	if n, _ := b.sessions(t); n != p.Counts.Imported+p.Counts.Repaired {
		t.Errorf("%d sessions, want %d", n, p.Counts.Imported+p.Counts.Repaired)
	}
	if x := b.row(t, row.ID); x.State != store.PastDone || bytes.Contains(x.Counts, []byte(`"here"`)) {
		t.Errorf("it is %s: %s", x.State, x.Counts)
	}
	// Two that work at the same place: the second is refused.
	if err := b.commit(t.Context(), row.ID, store.PastBatch{After: 0}); !errors.Is(err, store.ErrPastState) {
		t.Errorf("got %v", err)
	}
}

func TestAPersonStopsAnImportAndTakesItBack(t *testing.T) {
	b := open(t)
	p := b.ready(t, raw(t, 120).Data)
	ctx, end := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Work(ctx) }()
	if err := b.Run(t.Context(), person, p.Import.ID); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return b.row(t, p.Import.ID).Written >= batch })
	if err := b.Cancel(t.Context(), person, p.Import.ID); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return b.row(t, p.Import.ID).State == store.PastStopped })
	if n, _ := b.sessions(t); n == 0 || n == p.Counts.Imported+p.Counts.Repaired {
		t.Errorf("%d sessions of an import that was stopped in the middle", n)
	}
	if err := b.Undo(t.Context(), person, p.Import.ID); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return b.row(t, p.Import.ID).State == store.PastUndone })
	if n, _ := b.sessions(t); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
	end()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func until(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not happen")
		}
	}
}

func TestFilesThatCannotBeTaken(t *testing.T) {
	b := open(t)
	tests := map[string]struct {
		data string
		want error
	}{
		"an empty one":            {"", past.ErrEmpty},
		"one of a single word":    {"hello", past.ErrHeader},
		"one with 400 columns":    {strings.Repeat("a,", 400), past.ErrColumns},
		"nothing but empty lines": {"\n\n\n", past.ErrEmpty},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := b.Stage(t.Context(), person, "x.csv", strings.NewReader(tc.data)); !errors.Is(err, tc.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	entries, err := fs.ReadDir(b.data.FS(), folder)
	if err != nil || len(entries) != 0 {
		t.Errorf("they left %v, %v", entries, err)
	}
	// Columns that nobody knows are mapped by a person.
	p, err := b.Stage(t.Context(), person, "x.csv", strings.NewReader("foo,bar\n2024-01-01T10:00:00Z,2024-01-01T11:00:00Z\n"))
	if err != nil || strings.Join(p.Decide, ",") != "mapping" {
		t.Fatalf("got %+v, %v", p, err)
	}
	set := p.Settings
	set.Mapping.Columns = map[past.Field]int{past.Start: 0, past.End: 1}
	set.Site = Place{Create: true}
	if p, err = b.Change(t.Context(), person, p.Import.ID, set); err != nil || len(p.Decide) != 0 || p.Counts.Imported != 1 {
		t.Fatalf("got %+v, %v", p, err)
	}
	if err := b.RunNow(t.Context(), person, p.Import.ID); err != nil {
		t.Fatal(err)
	}
	if err := b.Forget(t.Context(), person, p.Import.ID); !errors.Is(err, store.ErrPastState) {
		t.Errorf("forgotten with its sessions: %v", err)
	}
	set.Mapping.Zone = "Mars/Olympus"
	if _, err := b.Change(t.Context(), person, p.Import.ID, set); err == nil {
		t.Error("a zone that is none was taken")
	}
}

package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/config"
	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/intake"
	"github.com/chargewatch/chargewatch/internal/seal"
	"github.com/chargewatch/chargewatch/internal/store"
	sessions "github.com/chargewatch/chargewatch/internal/usage/past"
)

// importing is what the flags of import say.
type importing struct {
	columns map[string]string // by field
	zone    string
	site    string
	sites   map[string]string // of names in the file
	leave   []string
	merge   map[string]string
	create  bool
	dry     bool
	undo    int64
	mapping sessions.Mapping
	dates   string
	rows    string
}

// pairs reads NAME=VALUE.
func pairs(into *map[string]string) func(string) error {
	return func(v string) error {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" || value == "" {
			return fmt.Errorf("%q is not of the form NAME=VALUE", v)
		}
		if *into == nil {
			*into = make(map[string]string)
		}
		(*into)[strings.TrimSpace(name)] = strings.TrimSpace(value)
		return nil
	}
}

func (i *importing) flags(set *flag.FlagSet) {
	fields := make([]string, 0, len(sessions.Fields()))
	for _, f := range sessions.Fields() {
		fields = append(fields, string(f))
	}
	set.Func("map", "`FIELD=COLUMN` where a column is not found by its name; FIELD is "+strings.Join(fields, ", ")+"; may be repeated", pairs(&i.columns))
	set.StringVar(&i.zone, "zone", "", "time `ZONE` whose clock the times are of, such as Europe/London")
	set.StringVar(&i.site, "site", "", "`ID` of the site of rows that name none")
	set.Func("at", "`NAME=ID` of a site that the file calls NAME; may be repeated", pairs(&i.sites))
	set.Func("leave", "`NAME` of a site in the file that is left out; may be repeated", func(v string) error { i.leave = append(i.leave, v); return nil })
	set.Func("merge", "`NAME=NAME` two spellings of a site: the first becomes the second; may be repeated", pairs(&i.merge))
	set.BoolVar(&i.create, "create-sites", false, "make a site for each name that is not known")
	set.BoolVar(&i.dry, "dry-run", false, "only say what the file would come to")
	set.Int64Var(&i.undo, "undo", 0, "take the import with this `ID` back; import list shows it")
	set.StringVar(&i.dates, "dates", "", "`ORDER` of dates where the file does not show it: dayFirst, monthFirst, swapped, asWritten")
	set.StringVar(&i.mapping.Decimal, "decimal", "", "decimal `MARK` of numbers, . or ,")
	set.StringVar(&i.mapping.EnergyUnit, "energy-unit", "", "`UNIT` of energy: Wh, kWh, MWh")
	set.StringVar(&i.mapping.TimeUnit, "time-unit", "", "`UNIT` of durations: s, min, h")
	set.IntVar(&i.mapping.LongDays, "long", 0, "flag stays of more `DAYS` than this (default 7)")
	set.BoolVar(&i.mapping.Quiet, "quiet", false, "times without any session are quiet times, no holes in the file")
	set.BoolVar(&i.mapping.IgnoreOffsets, "ignore-offsets", false, "times are of --zone though they carry an offset")
	set.StringVar(&i.rows, "rows", "", "`FILE` to write the rows to that are not taken, or mended")
}

func importCommand(ctx context.Context, args []string, s streams) error {
	what, args, err := verb(args, "sessions", "list")
	if err != nil {
		return err
	}
	var i importing
	c, rest, err := load("import", args, s, i.flags)
	if err != nil {
		return err
	}
	switch {
	case what == "list" || i.undo != 0:
		if err := only(rest); err != nil {
			return err
		}
	case len(rest) == 0:
		return misused("import sessions needs a FILE")
	case len(rest) > 1:
		return misused("one FILE at a time; unknown word %q", rest[1])
	}
	return withIntake(ctx, c, func(in *intake.Service, st *store.Store, alone bool) error {
		o := importer{streams: s, in: in, st: st, alone: alone, importing: i}
		switch {
		case what == "list":
			return o.list(ctx)
		case i.undo != 0:
			return o.back(ctx)
		}
		return o.take(ctx, rest[0])
	})
}

// withIntake runs fn on the imports of a data folder. alone says that no server has it:
// then nobody else does the work, and none can start meanwhile.
func withIntake(ctx context.Context, c config.Config, fn func(in *intake.Service, st *store.Store, alone bool) error) (err error) {
	if _, err := os.Stat(filepath.Join(c.Data, coredb.FileName)); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s %w", c.Data, errNoFolder)
	}
	root, err := os.OpenRoot(c.Data)
	if err != nil {
		return fmt.Errorf("open the data folder: %w", err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	lock, err := takeFolder(root)
	switch {
	case err == nil:
		defer func() { err = errors.Join(err, lock.Close()) }()
	case !errors.Is(err, errLocked):
		return err
	}
	alone := lock != nil
	box, err := seal.Open(root)
	if err != nil {
		return err
	}
	db, err := openCore(ctx, c.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	st, err := store.Open(ctx, store.Options{DB: db, Box: box})
	if err != nil {
		return err
	}
	in, err := intake.Open(intake.Options{Data: root, Store: st})
	if err != nil {
		return err
	}
	return fn(in, st, alone)
}

// importer is one call of the command.
type importer struct {
	importing
	streams
	in    *intake.Service
	st    *store.Store
	alone bool
}

func (o *importer) list(ctx context.Context) error {
	for before := int64(0); ; {
		list, err := o.st.PastImports(ctx, before, 200)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, x := range list {
			fmt.Fprintf(o.out, "%d\t%s\t%s\t%d sessions\t%s\n", x.ID, x.MadeAt.Format(time.RFC3339), x.State, x.Written, x.Name)
			before = x.ID
		}
	}
}

// take imports a file.
func (o *importer) take(ctx context.Context, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("open the file: %w", err)
	}
	p, err := o.in.Stage(ctx, store.System, name, f)
	if err = errors.Join(err, f.Close()); err != nil {
		return badFile(err)
	}
	kept, id := false, p.Import.ID
	defer func() {
		if !kept {
			_ = o.in.Forget(context.WithoutCancel(ctx), store.System, id) // it is swept later, too
		}
	}()
	settings, err := o.settings(p)
	if err != nil {
		return err
	}
	if p, err = o.in.Change(ctx, store.System, p.Import.ID, settings); err != nil {
		return badFile(err)
	}
	if o.create {
		for _, x := range p.Sites {
			if x.Place.SiteID == "" && !x.Place.Leave {
				place := intake.Place{Create: true}
				if x.Name == "" {
					settings.Site = place
				} else {
					settings.Sites[x.Name] = place
				}
			}
		}
		if p, err = o.in.Change(ctx, store.System, p.Import.ID, settings); err != nil {
			return badFile(err)
		}
	}
	o.tell(p)
	if o.rows != "" {
		if err := o.writeRows(p); err != nil {
			return err
		}
	}
	if len(p.Decide) > 0 {
		return usageError{errors.New(undecided(p))}
	}
	if o.dry {
		return nil
	}
	kept = true
	if err := o.run(ctx, p); err != nil {
		return err
	}
	x, err := o.st.PastImport(context.WithoutCancel(ctx), p.Import.ID)
	if err != nil {
		return err
	}
	if x.State != store.PastDone {
		return fmt.Errorf("the import is %s with %d sessions; it can be taken back with --undo %d", x.State, x.Written, x.ID)
	}
	n, err := o.st.PastCount(ctx, x.ID)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.out, "imported %s sessions as import %d\n", grouped(n), x.ID)
	return err
}

// badFile says of a file that cannot be read that the person has to mend it.
func badFile(err error) error {
	for _, known := range []error{sessions.ErrEmpty, sessions.ErrHeader, sessions.ErrColumns, sessions.ErrRows, sessions.ErrNames, sessions.ErrBytes, sessions.ErrMapping} {
		if errors.Is(err, known) {
			return usageError{err}
		}
	}
	if _, ok := errors.AsType[*store.InvalidError](err); ok {
		return usageError{err}
	}
	return err
}

// settings is how the flags want a file read.
func (o *importer) settings(p *intake.Preview) (intake.Settings, error) {
	out := p.Settings
	m := &out.Mapping
	for field, column := range o.columns {
		if !slices.Contains(sessions.Fields(), sessions.Field(field)) {
			return out, misused("--map: there is no field %q", field)
		}
		at := slices.IndexFunc(p.Form.Columns, func(c sessions.Column) bool { return c.Name == column })
		if at < 0 {
			return out, misused("--map: the file has no column %q", column)
		}
		if m.Columns == nil {
			m.Columns = make(map[sessions.Field]int)
		}
		m.Columns[sessions.Field(field)] = at
	}
	if o.zone != "" {
		m.Zone = o.zone
	}
	m.Dates, m.Decimal, m.EnergyUnit, m.TimeUnit = sessions.DateOrder(o.dates), o.mapping.Decimal, o.mapping.EnergyUnit, o.mapping.TimeUnit
	m.LongDays, m.Quiet, m.IgnoreOffsets, m.Merge = o.mapping.LongDays, o.mapping.Quiet, o.mapping.IgnoreOffsets, o.merge
	if o.site != "" {
		out.Site = intake.Place{SiteID: o.site}
	}
	for name, id := range o.sites {
		out.Sites[name] = intake.Place{SiteID: id}
	}
	for _, name := range o.leave {
		out.Sites[name] = intake.Place{Leave: true}
	}
	return out, nil
}

// undecided says what has to be said first, and how.
func undecided(p *intake.Preview) string {
	var parts []string
	for _, d := range p.Decide {
		switch d {
		case "zone":
			parts = append(parts, "whose clock the times are of: --zone")
		case "dates":
			parts = append(parts, "whether the day or the month stands first: --dates")
		case "mapping":
			names := make([]string, 0, len(p.Form.Columns))
			for _, c := range p.Form.Columns {
				names = append(names, strconv.Quote(c.Name))
			}
			parts = append(parts, "which columns hold the start, and the end or the duration: --map; there are "+strings.Join(names, ", "))
		case "sites":
			n := 0
			for _, x := range p.Sites {
				if x.Place == (intake.Place{}) {
					n++
				}
			}
			parts = append(parts, fmt.Sprintf("where %d sites of the file go: --create-sites, --at NAME=ID, --site ID or --leave NAME", n))
		}
	}
	return "say first " + strings.Join(parts, "; ")
}

// run does the work, or lets the server do it that has the folder.
func (o *importer) run(ctx context.Context, p *intake.Preview) error {
	done := make(chan error, 1)
	go func() {
		if o.alone {
			done <- o.in.RunNow(ctx, store.System, p.Import.ID)
			return
		}
		if err := o.in.Run(ctx, store.System, p.Import.ID); err != nil {
			done <- err
			return
		}
		done <- o.wait(ctx, p.Import.ID)
	}()
	return o.watch(ctx, p.Import.ID, int64(p.Counts.Imported+p.Counts.Repaired), done)
}

// back takes an import back.
func (o *importer) back(ctx context.Context) error {
	x, err := o.st.PastImport(ctx, o.undo)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		if o.alone {
			done <- o.in.UndoNow(ctx, store.System, o.undo)
			return
		}
		if err := o.in.Undo(ctx, store.System, o.undo); err != nil {
			done <- err
			return
		}
		done <- o.wait(ctx, o.undo)
	}()
	if err := o.watch(ctx, o.undo, x.Written, done); err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.out, "import %d is taken back; sites that were made for it stay\n", o.undo)
	return err
}

// wait returns when the server has done its work.
func (o *importer) wait(ctx context.Context, id int64) error {
	t := time.NewTicker(200 * time.Millisecond)
	defer t.Stop()
	for {
		x, err := o.st.PastImport(ctx, id)
		if err != nil {
			return err
		}
		switch x.State {
		case store.PastDone, store.PastUndone:
			return nil
		case store.PastStopped:
			return errors.New("the server stopped the import; its log says why")
		case store.PastStaged, store.PastQueued, store.PastRunning, store.PastUndoing:
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-t.C:
		}
	}
}

// watch draws a bar on a terminal until done.
func (o *importer) watch(ctx context.Context, id, total int64, done <-chan error) error {
	if !terminal(o.err) {
		return <-done
	}
	t := time.NewTicker(100 * time.Millisecond)
	defer t.Stop()
	defer fmt.Fprint(o.err, "\r\x1b[K")
	begun := time.Now()
	for {
		select {
		case err := <-done:
			return err
		case <-t.C:
		}
		if x, err := o.st.PastImport(ctx, id); err == nil {
			fmt.Fprint(o.err, "\r\x1b[K"+bar(x.Written, total, time.Since(begun)))
		}
	}
}

// bar is a line of progress.
func bar(done, total int64, since time.Duration) string {
	const wide = 30
	if total <= 0 {
		return ""
	}
	full := int(min(done, total) * wide / total)
	left := ""
	if done > 0 && since > time.Second && done < total {
		left = ", " + (since * time.Duration(total-done) / time.Duration(done)).Round(time.Second).String() + " left"
	}
	return fmt.Sprintf("[%s%s] %3d %%  %s of %s%s", strings.Repeat("#", full), strings.Repeat("-", wide-full), min(done, total)*100/total, grouped(done), grouped(total), left)
}

func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

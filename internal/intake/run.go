package intake

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/usage/past"
)

const (
	// A commit of so many sessions holds the journal for some milliseconds; then it has
	// at least as long for itself.
	batch   = 400
	undoing = 1000
	least   = 2 * time.Millisecond
	most    = 100 * time.Millisecond
)

var (
	errStopped = errors.New("stopped by a person")
)

// Run asks for a file to be imported, or to go on where it stopped. Work does it.
func (s *Service) Run(ctx context.Context, by store.Actor, id int64) error {
	if err := s.begin(ctx, by, id); err != nil {
		return err
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return nil
}

// RunNow imports a file and returns when it is done. Whoever calls it has the data
// folder for itself.
func (s *Service) RunNow(ctx context.Context, by store.Actor, id int64) error {
	if err := s.begin(ctx, by, id); err != nil {
		return err
	}
	return s.work(ctx, id)
}

func (s *Service) begin(ctx context.Context, by store.Actor, id int64) error {
	row, err := s.o.Store.PastImport(ctx, id)
	if err != nil {
		return err
	}
	if row.State != store.PastStaged && row.State != store.PastStopped {
		return fmt.Errorf("import %d is %s: %w", id, row.State, store.ErrPastState)
	}
	p, err := s.shown(ctx, row, nil)
	if err != nil {
		return err
	}
	if len(p.Decide) > 0 {
		return fmt.Errorf("%w: %s", ErrUndecided, strings.Join(p.Decide, ", "))
	}
	counts, err := json.Marshal(p.Counts)
	if err != nil {
		return fmt.Errorf("encode counts: %w", err)
	}
	return s.o.Store.MovePastImport(ctx, by, "import.run", id, store.PastQueued, nil, counts, store.PastStaged, store.PastStopped)
}

// start makes the sites that are wanted: then sessions can be written.
func (s *Service) start(ctx context.Context, row *store.PastImport) error {
	p, err := s.read(ctx, row)
	if err != nil {
		return err
	}
	settings, err := s.makeSites(ctx, row.By, p)
	if err != nil {
		return err
	}
	text, err := json.Marshal(settings)
	if err != nil {
		return fmt.Errorf("encode the mapping: %w", err)
	}
	if err := s.o.Store.MovePastImport(ctx, store.System, "", row.ID, store.PastRunning, text, nil, store.PastQueued); err != nil {
		return err
	}
	row.State, row.Mapping = store.PastRunning, text
	again := *p
	again.Settings, again.Import = settings, row
	s.remember(&again)
	return nil
}

// read is shown, as work that takes its time.
func (s *Service) read(ctx context.Context, row *store.PastImport) (*Preview, error) {
	p, err := s.shown(ctx, row, func(n int64) error {
		s.step(row.ID, "reading", min(n, row.Bytes), row.Bytes)
		return nil
	})
	if err == nil && len(p.Decide) > 0 {
		err = fmt.Errorf("%w: %s", ErrUndecided, strings.Join(p.Decide, ", "))
	}
	return p, err
}

// shown is what was shown of an import, if it is still read in that way.
func (s *Service) shown(ctx context.Context, row *store.PastImport, progress func(int64) error) (*Preview, error) {
	s.mu.Lock()
	p := s.seen[row.ID]
	s.mu.Unlock()
	if p != nil && p.exam != nil && string(p.Import.Mapping) == string(row.Mapping) {
		return p, nil
	}
	return s.examine(ctx, row, progress)
}

// makeSites makes the sites that a person wants and says for each name where it goes.
func (s *Service) makeSites(ctx context.Context, by store.Actor, p *Preview) (Settings, error) {
	out := p.Settings
	out.Sites = make(map[string]Place, len(p.Sites))
	make1 := func(name string) (Place, error) {
		x, err := s.o.Store.CreateSite(ctx, by, store.Site{Name: cmp.Or(short(name), p.Import.Name), TimeZone: p.Settings.Mapping.Zone})
		if err != nil {
			return Place{}, fmt.Errorf("make the site %q: %w", name, err)
		}
		return Place{SiteID: x.ID}, nil
	}
	for _, x := range p.Sites {
		place := x.Place
		if id, ok := s.named(x.Name); ok && place.Create { // by a try that did not come to its end
			place = Place{SiteID: id}
		}
		if place.Create {
			var err error
			if place, err = make1(x.Name); err != nil {
				return out, err
			}
		}
		if place.SiteID != "" {
			if _, ok := s.o.Store.Site(place.SiteID); !ok {
				return out, fmt.Errorf("%w: the site of %q is gone", ErrUndecided, x.Name)
			}
		}
		if x.Name == "" {
			out.Site = place
		} else {
			out.Sites[x.Name] = place
		}
	}
	return out, nil
}

// named finds a site by its very name.
func (s *Service) named(name string) (id string, ok bool) {
	for _, x := range s.o.Store.Sites() {
		if name != "" && x.Name == name {
			return x.ID, true
		}
	}
	return "", false
}

func short(name string) string {
	if r := []rune(name); len(r) > 100 {
		return string(r[:100])
	}
	return name
}

// Cancel stops work on an import. What is written stays until it is undone.
func (s *Service) Cancel(ctx context.Context, by store.Actor, id int64) error {
	s.mu.Lock()
	j, ok := s.jobs[id]
	s.mu.Unlock()
	if ok {
		j.cancel(errStopped)
		return s.o.Store.Record(ctx, by, "import.cancel", "import/"+strconv.FormatInt(id, 10), nil)
	}
	return s.o.Store.MovePastImport(ctx, by, "import.cancel", id, store.PastStopped, nil, nil, store.PastQueued, store.PastRunning)
}

// Undo begins to take an import back.
func (s *Service) Undo(ctx context.Context, by store.Actor, id int64) error {
	if err := s.o.Store.MovePastImport(ctx, by, "import.undo", id, store.PastUndoing, nil, nil, store.PastDone, store.PastStopped); err != nil {
		return err
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return nil
}

// UndoNow takes an import back and returns when it is done.
func (s *Service) UndoNow(ctx context.Context, by store.Actor, id int64) error {
	if err := s.o.Store.MovePastImport(ctx, by, "import.undo", id, store.PastUndoing, nil, nil, store.PastDone, store.PastStopped, store.PastUndoing); err != nil {
		return err
	}
	return s.work(ctx, id)
}

// Work does what was begun, one import at a time, until ctx ends.
func (s *Service) Work(ctx context.Context) error {
	t := time.NewTicker(s.o.Beat)
	defer t.Stop()
	var swept time.Time
	for {
		if s.o.Now().Sub(swept) > time.Hour {
			swept = s.o.Now()
			if err := s.sweep(ctx); err != nil && ctx.Err() == nil {
				s.log.WarnContext(ctx, "files of imports that are not needed any more stay", "err", err)
			}
		}
		if err := s.workAll(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "work on imports waits", "err", err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.wake:
		case <-t.C:
		}
	}
}

func (s *Service) workAll(ctx context.Context) error {
	list, err := s.o.Store.PastWaiting(ctx)
	if err != nil {
		return err
	}
	for _, x := range list {
		if err := s.work(ctx, x.ID); err != nil && !errors.Is(err, errStopped) && !errors.Is(err, ErrBusy) {
			if ctx.Err() != nil {
				return err
			}
			s.log.WarnContext(ctx, "an import stopped", "import", x.ID, "err", err)
		}
	}
	return nil
}

// work does what is left of an import. Where it fails the import is stopped.
func (s *Service) work(ctx context.Context, id int64) error {
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.mu.Lock()
	if _, busy := s.jobs[id]; busy {
		s.mu.Unlock()
		return ErrBusy
	}
	s.jobs[id] = &job{cancel: cancel, phase: "reading", started: s.o.Now()}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.jobs, id)
		s.mu.Unlock()
		if s.o.Done != nil {
			s.o.Done()
		}
	}()
	row, err := s.o.Store.PastImport(inner, id)
	if err != nil {
		return err
	}
	switch row.State {
	case store.PastUndoing:
		return s.undo(inner, row)
	case store.PastQueued, store.PastRunning:
		if row.State == store.PastQueued {
			err = s.start(inner, row)
		}
		if err == nil {
			err = s.write(inner, row)
		}
		if err == nil || ctx.Err() != nil { // at the end of the server it goes on at the next start
			return err
		}
		return errors.Join(err, s.o.Store.MovePastImport(context.WithoutCancel(ctx), store.System, "", id, store.PastStopped, nil, nil, store.PastQueued, store.PastRunning))
	case store.PastStaged, store.PastStopped, store.PastDone, store.PastUndone:
	}
	return nil
}

// write commits the sessions of a file behind those that are committed already.
func (s *Service) write(ctx context.Context, row *store.PastImport) error {
	p, err := s.read(ctx, row)
	if err != nil {
		return err
	}
	total := int64(p.exam.Len())
	if row.Written == 0 {
		if err := s.describe(ctx, row.ID, p); err != nil {
			return err
		}
	}
	list := make([]store.PastSession, 0, batch)
	for at := row.Written; at < total; {
		s.step(row.ID, "writing", at, total)
		list = list[:0]
		for i := at; i < min(at+batch, total); i++ {
			x, ok := s.session(p, int(i))
			if !ok {
				return fmt.Errorf("%w: sites", ErrUndecided)
			}
			list = append(list, x)
		}
		if err := s.commit(ctx, row.ID, store.PastBatch{Sessions: list, After: at}); err != nil {
			return err
		}
		at += int64(len(list))
	}
	s.step(row.ID, "writing", total, total)
	counts, err := s.final(ctx, row.ID, p)
	if err != nil {
		return err
	}
	text, err := json.Marshal(counts)
	if err != nil {
		return fmt.Errorf("encode counts: %w", err)
	}
	if err := s.o.Store.MovePastImport(ctx, store.System, "import.done", row.ID, store.PastDone, nil, text, store.PastRunning); err != nil {
		return err
	}
	s.forget(row.ID)
	return s.remove(file(row.ID))
}

// session is a session of the file as it is stored.
func (s *Service) session(p *Preview, i int) (store.PastSession, bool) {
	x := p.exam.Session(i)
	place := p.Settings.Site
	if x.Site != "" {
		place = p.Settings.Sites[x.Site]
	}
	return store.PastSession{
		Site: place.SiteID, Station: x.Station, EVSE: x.Port, Start: x.Start, End: x.End, ChargingEnd: x.ChargingEnd,
		EnergyWh: x.EnergyWh, PeakW: x.PeakW, Token: x.Token, Flag: x.Flag,
	}, place.SiteID != ""
}

// describe writes which ports the file knows and which rows were not taken as they
// stand.
func (s *Service) describe(ctx context.Context, id int64, p *Preview) error {
	b := store.PastBatch{Clear: true}
	for _, c := range p.exam.Covers {
		place := p.Settings.Site
		if c.Site != "" {
			place = p.Settings.Sites[c.Site]
		}
		b.Ports = append(b.Ports, store.PastPort{Site: place.SiteID, Station: c.Station, EVSE: c.Port, First: c.From, Last: c.To, RatedW: c.RatedW})
		if len(b.Ports) == batch {
			if err := s.commit(ctx, id, b); err != nil {
				return err
			}
			b = store.PastBatch{}
		}
	}
	for _, l := range p.exam.Lines {
		b.Rows = append(b.Rows, store.PastRow{Line: l.Number, Outcome: l.Outcome.String(), Reason: l.Kind.String(), Text: l.Text})
		if len(b.Rows) == batch {
			if err := s.commit(ctx, id, b); err != nil {
				return err
			}
			b = store.PastBatch{}
		}
	}
	return s.commit(ctx, id, b)
}

// commit writes a batch and leaves others at least as long.
func (s *Service) commit(ctx context.Context, id int64, b store.PastBatch) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	begun := time.Now()
	if _, err := s.o.Store.WritePast(ctx, id, b); err != nil {
		return err
	}
	return pause(ctx, time.Since(begun))
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(min(max(d, least), most))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// final counts what came of an import: some sessions may have been here before.
func (s *Service) final(ctx context.Context, id int64, p *Preview) (Counts, error) {
	out := p.Counts
	here, err := s.o.Store.PastCount(ctx, id)
	if err != nil {
		return out, err
	}
	old := p.exam.Len() - int(here)
	if old <= 0 {
		return out, nil
	}
	out.Duplicates += old
	fewer := min(old, out.Imported)
	out.Imported -= fewer
	out.Repaired -= old - fewer
	out.Findings = append(slices.Clone(out.Findings), Found{Kind: past.Here.String(), Class: past.Here.Class(), Count: old, Examples: []past.Example{}})
	return out, nil
}

// undo takes sessions back.
func (s *Service) undo(ctx context.Context, row *store.PastImport) error {
	total, err := s.o.Store.PastCount(ctx, row.ID)
	if err != nil {
		return err
	}
	for done := int64(0); ; {
		s.step(row.ID, "undoing", done, total)
		begun := time.Now()
		n, err := s.o.Store.UndoPast(ctx, row.ID, undoing)
		if err != nil {
			return err
		}
		if done += n; n == 0 {
			break
		}
		if err := pause(ctx, time.Since(begun)); err != nil {
			return err
		}
	}
	if err := s.o.Store.MovePastImport(ctx, store.System, "import.undone", row.ID, store.PastUndone, nil, nil, store.PastUndoing); err != nil {
		return err
	}
	s.forget(row.ID)
	return s.remove(file(row.ID))
}

// sweep removes files that nobody needs: of imports that are over, that nobody ran for a
// week, and what a stop in the middle of receiving left.
func (s *Service) sweep(ctx context.Context) error {
	entries, err := fs.ReadDir(s.o.Data.FS(), folder)
	if err != nil {
		return fmt.Errorf("list files of imports: %w", err)
	}
	var errs []error
	for _, e := range entries {
		name := path.Join(folder, e.Name())
		info, err := e.Info()
		if err != nil {
			continue // gone since
		}
		id, err := strconv.ParseInt(strings.TrimSuffix(e.Name(), ".csv"), 10, 64)
		if err != nil {
			if s.o.Now().Sub(info.ModTime()) > time.Hour {
				errs = append(errs, s.remove(name))
			}
			continue
		}
		x, err := s.o.Store.PastImport(ctx, id)
		switch {
		case errors.Is(err, store.ErrNotFound):
			errs = append(errs, s.remove(name))
		case err != nil:
			errs = append(errs, err)
		case x.State == store.PastDone || x.State == store.PastUndone:
			errs = append(errs, s.remove(name))
		case x.State == store.PastStaged && s.o.Now().Sub(x.ChangedAt) > keepFor:
			errs = append(errs, s.Forget(ctx, store.System, id))
		}
	}
	return errors.Join(errs...)
}

package campaign

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/week"
)

const (
	lookAgain  = 5 * time.Second  // whether a station is there, or free, or its site awake
	tryAgain   = 15 * time.Second // where a kind does not say when
	retryFirst = 30 * time.Second
	retryLast  = 10 * time.Minute
	writeAgain = time.Second // what could not be written
	loadPage   = 1000
	maxCode    = 40
	maxText    = 500
	maxCompare = 16 << 10
)

// run is a campaign that is not over, as the scheduler knows it.
type run struct {
	id        string
	seq       int64
	by        store.Actor
	plan      Plan
	kind      Kind
	state     store.CampaignState
	stage     store.CampaignStage
	soakUntil time.Time

	open      []*entry // pending and waiting, by place
	working   int
	tried     int
	failed    int
	canaries  []store.CampaignStation // that were done
	lastBegan time.Time
	halt      *Why // it has to stop; nothing more begins
}

// entry is a station whose turn comes.
type entry struct {
	store.CampaignStation
	look  time.Time // when it is worth a look
	since time.Time // it is waited for; zero: its turn has not come
}

func newRun(c *store.Campaign, plan Plan, k Kind, rows []store.CampaignStation) *run {
	r := &run{id: c.ID, seq: c.Seq, by: c.By, plan: plan, kind: k, state: c.State, stage: c.Stage, soakUntil: c.SoakUntil}
	for _, x := range rows {
		if x.BeganAt.After(r.lastBegan) {
			r.lastBegan = x.BeganAt
		}
		if x.State == Pending || x.State == Waiting {
			e := &entry{CampaignStation: x, look: x.RetryAt}
			if x.State == Waiting {
				e.since = x.At
			}
			r.open = append(r.open, e)
			continue
		}
		r.count(x)
	}
	return r
}

// count takes in what became of a station, and says whether that is too much.
func (r *run) count(x store.CampaignStation) {
	switch x.State {
	case Done:
		r.tried++
		if x.Canary {
			r.canaries = append(r.canaries, x)
		}
		return
	case Failed, Unknown:
		r.tried++
		r.failed++
	default:
		return
	}
	why := Why{Station: x.Station, Result: strings.TrimRight(cmp.Or(x.Text, x.Code), "."), Failed: r.failed, Of: r.tried}
	switch on := r.plan.StopOn; {
	case r.halt != nil:
		return
	case r.stage == store.CampaignCanary && x.Canary:
		why.Code = "canaryFailed"
	case on.Failed > 0 && r.failed >= on.Failed:
		why.Code = "tooManyFailed"
	case on.FailedPercent > 0 && r.tried >= on.After && float64(r.failed)*100 >= on.FailedPercent*float64(r.tried):
		why.Code = "tooLargeShareFailed"
	default:
		return
	}
	r.halt = &why
}

func (r *run) put(e *entry) {
	at, _ := slices.BinarySearchFunc(r.open, e, func(a, b *entry) int { return a.Place - b.Place })
	r.open = slices.Insert(r.open, at, e)
}

// givenUp reports whether a station that is away or busy was waited for long enough.
func (r *run) givenUp(e *entry, now time.Time) bool {
	if e.since.IsZero() {
		e.since = now
	}
	return now.Sub(e.since) >= time.Duration(r.plan.GiveUpAfterSeconds)*time.Second
}

// Run carries campaigns out until ctx ends; those at work come to their end first.
func (s *Service) Run(ctx context.Context) error {
	if err := s.load(ctx); err != nil {
		return err
	}
	var group sync.WaitGroup
	defer group.Wait()
	for {
		next, err := s.round(ctx, &group)
		if err != nil && ctx.Err() == nil {
			s.o.Logger.WarnContext(ctx, "campaigns wait", "err", err)
			next = s.o.Now().Add(writeAgain)
		}
		wait := time.Minute
		if !next.IsZero() {
			wait = min(wait, max(0, next.Sub(s.o.Now())))
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		case <-timer.C:
		case <-s.kick:
			timer.Stop()
		}
	}
}

// load settles what a stop left behind and reads what is open.
func (s *Service) load(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	again := []string{}
	for name, k := range s.kinds {
		if repeatable(k) {
			again = append(again, name)
		}
	}
	if err := s.o.Rows.SettleCampaigns(ctx, s.o.Now(), again); err != nil {
		return fmt.Errorf("settle campaigns of before the start: %w", err)
	}
	open, err := s.o.Rows.OpenCampaigns(ctx)
	if err != nil {
		return err
	}
	for _, c := range open {
		k, ok := s.kinds[c.Kind]
		var plan Plan
		if err := json.Unmarshal(c.Plan, &plan); err != nil || !ok {
			s.o.Logger.WarnContext(ctx, "a campaign cannot go on: this server does not know its kind of work", "campaign", c.ID, "kind", c.Kind, "err", err)
			continue
		}
		var rows []store.CampaignStation
		for q := (store.CampaignStationQuery{After: -1, Limit: loadPage}); ; {
			page, err := s.o.Rows.CampaignStations(ctx, c.Seq, q)
			if err != nil {
				return err
			}
			rows = append(rows, page...)
			if len(page) < loadPage {
				break
			}
			q.After = page[len(page)-1].Place
		}
		s.runs = append(s.runs, newRun(c, plan, k, rows))
	}
	s.ready = true
	return nil
}

func repeatable(k Kind) bool {
	a, ok := k.(Repeatable)
	return ok && a.Again()
}

// soonest is the earlier of two times, of which zero is never.
func soonest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// round begins what may begin now, and says when to look again.
func (s *Service) round(ctx context.Context, group *sync.WaitGroup) (next time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.runs {
		at, err := s.advance(ctx, r, group)
		if err != nil {
			return next, err
		}
		next = soonest(next, at)
	}
	s.runs = slices.DeleteFunc(s.runs, func(r *run) bool {
		return (r.state == store.CampaignStopped || r.state == store.CampaignFinished) && r.working == 0
	})
	return next, nil
}

// advance takes a campaign as far as it may go now.
func (s *Service) advance(ctx context.Context, r *run, group *sync.WaitGroup) (next time.Time, err error) {
	if r.halt != nil && (r.state == store.CampaignRunning || r.state == store.CampaignPaused) {
		why, err := json.Marshal(r.halt)
		if err != nil {
			return next, fmt.Errorf("write down why: %w", err)
		}
		if err := s.o.Rows.StopCampaign(ctx, store.System, r.id, why, s.o.Now()); err != nil {
			return next, err
		}
		r.state, r.open = store.CampaignStopped, nil
		s.o.Logger.WarnContext(ctx, "a campaign stopped", "campaign", r.id, "kind", r.plan.Kind, "why", r.halt.Code, "station", r.halt.Station)
	}
	if r.state != store.CampaignRunning {
		return next, nil
	}
	for {
		now := s.o.Now()
		if r.plan.NotBefore != nil && now.Before(*r.plan.NotBefore) {
			return *r.plan.NotBefore, nil
		}
		if len(r.open) == 0 && r.working == 0 {
			if err := s.o.Rows.FinishCampaign(ctx, r.id, now); err != nil {
				return next, err
			}
			r.state = store.CampaignFinished
			return next, nil
		}
		room := r.plan.Pace.AtOnce - r.working
		switch r.stage {
		case store.CampaignCanary:
			left := r.plan.Canary.Count - len(r.canaries)
			if left <= 0 && r.working == 0 {
				until := now.Add(time.Duration(r.plan.Canary.WaitSeconds) * time.Second)
				if err := s.o.Rows.StageCampaign(ctx, r.seq, store.CampaignSoak, until); err != nil {
					return next, err
				}
				r.stage, r.soakUntil = store.CampaignSoak, until
				continue
			}
			room = min(room, left-r.working)
		case store.CampaignSoak:
			if now.Before(r.soakUntil) {
				return r.soakUntil, nil
			}
			if r.halt = s.unwell(r); r.halt != nil {
				s.wake()
				return next, nil
			}
			if err := s.o.Rows.StageCampaign(ctx, r.seq, store.CampaignRest, time.Time{}); err != nil {
				return next, err
			}
			r.stage = store.CampaignRest
			continue
		case store.CampaignRest:
		}
		if room <= 0 {
			return next, nil // who ends wakes us
		}
		if due := r.lastBegan.Add(time.Duration(float64(time.Minute) / r.plan.Pace.PerMinute)); now.Before(due) {
			return due, nil
		}
		e, at, err := s.turn(ctx, r, now)
		if err != nil {
			return next, err
		}
		if e == nil {
			if len(r.open) == 0 && r.working == 0 {
				continue // the last were given up
			}
			return at, nil
		}
		r.lastBegan = now
		r.working++
		s.busy[e.Station] = struct{}{}
		s.sites[e.Site]++
		group.Go(func() { s.work(ctx, r, e) })
	}
}

// engaged reports whether another station of its site has to end first, or another
// campaign at the same one.
func (s *Service) engaged(r *run, e *entry) bool {
	_, busy := s.busy[e.Station]
	return busy || e.Site != "" && s.sites[e.Site] >= r.plan.Pace.PerSite
}

// unwell is the reason to stop if one of the first is not well after it was watched.
func (s *Service) unwell(r *run) *Why {
	for _, x := range r.canaries {
		now, ok := s.o.Fleet.Station(x.Station)
		switch {
		case ok && !now.Online:
			return &Why{Code: "canaryUnwell", Station: x.Station, Result: "offline"}
		case ok && now.Faulted && x.Sound:
			return &Why{Code: "canaryUnwell", Station: x.Station, Result: "faulted"}
		}
	}
	return nil
}

// turn takes the first station off the list that may be worked on now. What others
// wait for is written down, and those that were waited for long enough are left.
func (s *Service) turn(ctx context.Context, r *run, now time.Time) (found *entry, next time.Time, err error) {
	waits, skips := make(map[string][]int), make(map[string][]int)
	keep := r.open[:0]
	for i, e := range r.open {
		if found != nil {
			keep = append(keep, r.open[i:]...)
			break
		}
		if e.look.After(now) {
			next = soonest(next, e.look)
			keep = append(keep, e)
			continue
		}
		if s.engaged(r, e) { // who ends wakes us
			keep = append(keep, e)
			continue
		}
		x, known := s.o.Fleet.Station(e.Station)
		wait := ""
		switch {
		case !known:
			skips["notFound"] = append(skips["notFound"], e.Place)
			continue
		case !x.Online:
			wait = "offline"
		case r.plan.WhenIdle && x.InSession:
			wait = "inSession"
		}
		if wait != "" && r.givenUp(e, now) {
			skips[wait] = append(skips[wait], e.Place)
			continue
		}
		if wait == "" {
			open, at := s.awake(r, x.Site, now)
			if open {
				found = e
				continue
			}
			e.look, wait = at, "outsideWindow" // no reason to give up
		}
		if !e.look.After(now) {
			e.look = now.Add(lookAgain)
		}
		if e.State != Waiting || e.Code != wait {
			e.State, e.Code, e.RetryAt = Waiting, wait, time.Time{}
			waits[wait] = append(waits[wait], e.Place)
		}
		next = soonest(next, e.look)
		keep = append(keep, e)
	}
	clear(r.open[len(keep):])
	r.open = keep
	for code, places := range waits {
		if err := s.o.Rows.SetCampaignStations(ctx, r.seq, places, Waiting, code, now); err != nil {
			s.o.Logger.WarnContext(ctx, "what stations wait for was not written", "campaign", r.id, "err", err)
		}
	}
	for code, places := range skips {
		if err := s.o.Rows.SetCampaignStations(ctx, r.seq, places, Skipped, code, now); err != nil {
			if found != nil {
				r.put(found)
			}
			s.reload(r, places)
			return nil, next, err
		}
	}
	return found, next, nil
}

// reload puts stations back on the list that could not be left: the next round does it.
func (s *Service) reload(r *run, places []int) {
	for _, place := range places {
		if rows, err := s.o.Rows.CampaignStations(context.Background(), r.seq, store.CampaignStationQuery{After: place - 1, Limit: 1}); err == nil && len(rows) == 1 {
			r.put(&entry{CampaignStation: rows[0]})
		}
	}
}

// awake reports whether work may begin at a site now, and if not, when it may.
func (s *Service) awake(r *run, site string, now time.Time) (bool, time.Time) {
	if r.plan.Window == nil {
		return true, now
	}
	within, next := week.Around(r.plan.Window.spans(), now, s.o.Fleet.Zone(site))
	return within, next
}

// work does it at one station, which is off the list.
func (s *Service) work(ctx context.Context, r *run, e *entry) {
	x, back := s.at(ctx, r, e)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.busy, e.Station)
	if s.sites[e.Site]--; s.sites[e.Site] <= 0 {
		delete(s.sites, e.Site)
	}
	r.working--
	e.CampaignStation = x
	late, answered := s.late[x.Station]
	delete(s.late, x.Station)
	switch {
	case !back:
		if answered && late.command == x.Command {
			if seq, err := s.correct(context.WithoutCancel(ctx), late.command, late.Result); err != nil {
				s.o.Logger.WarnContext(ctx, "a late answer was not written", "campaign", r.id, "station", x.Station, "err", err)
			} else if seq != 0 {
				x.State, x.Code, x.Text = late.State, word(late.Code), sentence(late.Text)
			}
		}
		r.count(x)
	case r.state == store.CampaignStopped: // it stopped while this one was at work
		if err := s.o.Rows.SetCampaignStations(context.WithoutCancel(ctx), r.seq, []int{x.Place}, Skipped, "stopped", s.o.Now()); err != nil {
			s.o.Logger.WarnContext(ctx, "a station of a campaign was not settled", "campaign", r.id, "station", x.Station, "err", err)
		}
	default:
		e.look = x.RetryAt
		r.put(e)
	}
	s.wake()
}

// at asks one station and writes down what came of it; back says that its turn comes
// again.
func (s *Service) at(ctx context.Context, r *run, e *entry) (x store.CampaignStation, back bool) {
	x = e.CampaignStation
	if why := r.kind.Fits(ctx, x.Station, r.plan.Params); why != "" {
		x.State, x.Code, x.Text, x.RetryAt = Skipped, word(why), "", time.Time{}
		err := s.o.Rows.SetCampaignStations(ctx, r.seq, []int{x.Place}, Skipped, x.Code, s.o.Now())
		if err == nil {
			return x, false
		}
		return s.later(ctx, e, err)
	}
	now, _ := s.o.Fleet.Station(x.Station)
	s.mu.Lock()
	x.Canary = r.stage == store.CampaignCanary
	s.mu.Unlock()
	x.Sound, x.At, x.Attempts = !now.Faulted, s.o.Now(), x.Attempts+1
	begun, err := s.o.Rows.BeginCampaignStation(ctx, r.seq, x)
	if err != nil || !begun {
		return s.later(ctx, e, err)
	}
	x.BeganAt = x.At
	res := r.kind.Do(context.WithValue(ctx, askedKey{}, asked{r.id, r.by}), x.Station, r.plan.Params, x.Attempts)
	if ctx.Err() != nil && res.State != Done && res.State != Skipped {
		if repeatable(r.kind) {
			return x, false // the next start asks again
		}
		if res.State == Failed {
			res.State, res.Code, res.Text = Unknown, "restart", "The server stopped before the answer came."
		}
	}
	s.judge(r, e, &x, res)
	s.keep(ctx, r, x)
	return x, x.State == Waiting
}

// answer is one that came after its command was given up.
type answer struct {
	command string
	Result
}

// Late corrects what is said of a station that answered after it was given up. Whether
// the campaign stopped because of it stays as it is.
func (s *Service) Late(ctx context.Context, station, command string, res Result) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	seq, err := s.correct(ctx, command, res)
	if err != nil {
		return err
	}
	if _, busy := s.busy[station]; busy && seq == 0 {
		s.late[station] = answer{command, res}
	}
	for _, r := range s.runs {
		if r.seq == seq && res.State == Done && r.failed > 0 {
			r.failed--
		}
	}
	return nil
}

// correct writes a late answer down and returns the campaign; zero: none asked for it.
func (s *Service) correct(ctx context.Context, command string, res Result) (seq int64, err error) {
	return s.o.Rows.CorrectCampaignStation(ctx, command, res.State, word(res.Code), sentence(res.Text), s.o.Now())
}

// later puts a station back that could not be begun, or is not to be now.
func (s *Service) later(ctx context.Context, e *entry, err error) (store.CampaignStation, bool) {
	x := e.CampaignStation
	if err != nil && ctx.Err() == nil {
		s.o.Logger.WarnContext(ctx, "work at a station was not begun", "station", x.Station, "err", err)
	}
	x.RetryAt = s.o.Now().Add(writeAgain)
	return x, true
}

// judge is what becomes of a station after a result.
func (s *Service) judge(r *run, e *entry, x *store.CampaignStation, res Result) {
	now := s.o.Now()
	x.State, x.Code, x.Text, x.At, x.RetryAt = res.State, word(res.Code), sentence(res.Text), now, time.Time{}
	x.Before, x.After, x.Command = whole(res.Before), whole(res.After), ""
	if res.State == Unknown {
		x.Command = res.Command
	}
	switch res.State {
	case Done, Skipped:
	case Waiting:
		if x.RetryAt = res.RetryAt; !x.RetryAt.After(now) {
			x.RetryAt = now.Add(tryAgain)
		}
		if r.givenUp(e, now) {
			x.State, x.RetryAt = Skipped, time.Time{}
		}
	case Failed, Unknown:
		if res.State == Unknown && !repeatable(r.kind) || x.Failures >= r.plan.Retries {
			break
		}
		wait := min(retryFirst<<min(x.Failures, 10), retryLast)
		x.Failures++
		x.State, x.RetryAt = Waiting, now.Add(wait)
		e.since = time.Time{}
	default:
		x.State = Unknown
	}
	if x.State == Waiting {
		x.Canary = false
	}
}

// keep writes down what came of a station, again and again until the file takes it.
func (s *Service) keep(ctx context.Context, r *run, x store.CampaignStation) {
	for {
		err := s.o.Rows.EndCampaignStation(context.WithoutCancel(ctx), r.seq, x)
		if err == nil {
			return
		}
		s.o.Logger.WarnContext(ctx, "what became of a station was not written", "campaign", r.id, "station", x.Station, "err", err)
		select {
		case <-ctx.Done():
			return // the next start says unknown
		case <-time.After(writeAgain):
		}
	}
}

func word(code string) string { return clip(code, maxCode) }

func sentence(text string) string { return clip(text, maxText) }

// clip is the beginning of a text that stations may have written.
func clip(text string, most int) string {
	text = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, ""))
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "")
}

func whole(data json.RawMessage) json.RawMessage {
	if len(data) > maxCompare || !json.Valid(data) {
		return nil
	}
	return data
}

package setting

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/provision"
)

// kind is what is done at a station.
type kind uint8

const (
	apply    kind = iota // read, set what differs, read back
	readNow              // read, set nothing
	readKept             // look at what the station told others
	restart
)

// job is work at one station, done by one goroutine with copies of what it needs.
type job struct {
	s       *Service
	kind    kind
	station string
	modern  bool
	all     bool
	plan    provision.Plan
	rec     *Record
	taken   map[string]*provision.Taken
	learned map[string]*provision.Taken
	seq     uint64
	items   int // in one message
	most    int // measurands in one list, as is known of the model; 0: not known
	booted  bool
	failing int // answers in a row that nobody understands
	begun   time.Time
	answer  chan error
	err     error
}

func (s *Service) begin(ctx context.Context, t *task, st *fleet.Station, what kind, work *sync.WaitGroup) *job {
	now := s.o.Now()
	j := &job{
		s: s, kind: what, station: t.id, modern: st.Is2x(), all: t.all, plan: t.plan, seq: t.seq, begun: now,
		learned: make(map[string]*provision.Taken),
	}
	of := Make{st.Vendor, st.Model, st.Firmware, st.Protocol}
	r := Record{Make: of}
	if t.rec != nil {
		r = *t.rec
		r.Verdicts = slices.Clone(t.rec.Verdicts)
		if r.Make != of { // other firmware comes with other settings: nobody changed them
			r.Verdicts, r.Restarts, r.Make = nil, 0, of
		}
	}
	if day := now.UTC().Format(time.DateOnly); r.Day != day {
		r.Day, r.Asked = day, 0
	}
	if j.booted = t.booted; j.booted && what == apply {
		for i := range r.Verdicts { // what waited for a restart had one: it is looked at anew
			if v := &r.Verdicts[i]; v.State == provision.AtRestart {
				v.State = provision.Unread
			}
		}
		t.booted = false
	}
	j.rec = &r
	j.taken = make(map[string]*provision.Taken)
	if !j.all {
		for word, x := range s.taken[of] {
			j.taken[word] = x
		}
	}
	if m, ok := s.o.Journal.Snapshot().Catalogue().Lookup(st.Vendor, st.Model); ok {
		j.known(&m.Configuration)
	}
	t.busy, t.stale, t.due, t.shown = true, false, time.Time{}, false
	t.all = false
	s.working++
	work.Go(func() {
		j.run(ctx)
		select {
		case s.done <- j:
		case <-ctx.Done():
			if j.answer != nil {
				j.answer <- context.Cause(ctx)
			}
		}
	})
	return j
}

// known takes what the catalogue says of the model, so that nobody asks in vain. What is
// to be tried all the same is.
func (j *job) known(c *fleet.Configuration) {
	j.most = c.MaxMeasurands
	if j.all || len(c.Unsupported) == 0 {
		return
	}
	for i := range j.plan.Wants {
		w := &j.plan.Wants[i]
		if w.Kind != provision.Measurands {
			continue
		}
		x := provision.Taken{No: c.Unsupported}
		if had := j.taken[w.Word]; had != nil {
			x = *had
			x.No = append(slices.Clone(x.No), c.Unsupported...)
		}
		j.taken[w.Word] = &x
	}
}

func (j *job) run(ctx context.Context) {
	j.rec.Problem, j.rec.Said = NoProblem, ""
	switch j.kind {
	case restart:
		j.err = j.restart(ctx)
	case readKept:
		j.err = j.keptRead(ctx)
	case readNow, apply:
		if j.err = j.read(ctx); j.err == nil && j.kind == apply {
			j.err = j.set(ctx)
			j.enough()
		}
	}
}

// finish takes what came of work.
func (s *Service) finish(ctx context.Context, j *job) {
	s.working--
	t := s.tasks[j.station]
	if t == nil {
		if j.answer != nil {
			j.answer <- ErrUnknown
		}
		return
	}
	now := s.o.Now()
	t.busy, t.rec, t.shown = false, j.rec, false
	for word, x := range j.learned {
		if s.taken[j.rec.Make] == nil {
			s.taken[j.rec.Make] = make(map[string]*provision.Taken)
		}
		s.taken[j.rec.Make][word] = x
		if err := s.o.Memory.PutTaken(ctx, j.rec.Make, word, x); err != nil && ctx.Err() == nil {
			s.o.Logger.WarnContext(ctx, "what stations of a model measure is not remembered", "model", j.rec.Make.Model, "err", err)
		}
	}
	if t.due.IsZero() { // nothing happened that makes it due anyway
		switch j.rec.Problem {
		case NoProblem:
			t.fails = 0
		case OutOfBudget:
			t.due = now.UTC().Truncate(24 * time.Hour).Add(25 * time.Hour)
		case NoAnswer, WentAway, Unreadable, RestartFailed:
			t.due = now.Add(min(lastRetry, firstRetry<<min(t.fails, 8)))
			t.fails++
		}
	}
	s.tell(ctx, t)
	s.keep(ctx, t)
	if st, ok := s.o.Journal.Snapshot().Station(t.id); ok {
		s.show(t, st)
	}
	if j.answer != nil {
		j.answer <- nil
	}
}

func (s *Service) keep(ctx context.Context, t *task) {
	if err := s.o.Memory.PutRecord(ctx, t.id, t.rec); err != nil && ctx.Err() == nil {
		s.o.Logger.WarnContext(ctx, "how the settings of a station stand is not remembered", "station", t.id, "err", err)
	}
}

// tell says that somebody changed settings, once, and once that they are as wanted
// again.
func (s *Service) tell(ctx context.Context, t *task) {
	body := &event.Settings{}
	for i := range t.rec.Verdicts {
		if v := &t.rec.Verdicts[i]; v.Drifted && v.State == provision.Differs && v.Is != nil {
			body.Drifted = append(body.Drifted, event.SettingDrift{Name: v.Word, Want: v.Want, Is: *v.Is, Profile: v.Profile, Measures: v.Effect != provision.NoEffect})
		}
	}
	if (len(body.Drifted) > 0) == t.rec.Told {
		return
	}
	now := s.o.Now()
	if _, err := s.o.Journal.Append(ctx, &event.Event{Subject: event.Station(t.id), At: now, ReceivedAt: now, Origin: event.FromUs, Body: body}); err != nil {
		if ctx.Err() == nil {
			s.o.Logger.WarnContext(ctx, "a change of a station's settings is not told", "station", t.id, "err", err)
		}
		return
	}
	t.rec.Told = len(body.Drifted) > 0
}

// judge compares what the station said with what is wanted.
func (j *job) judge(is map[string]*provision.Value) {
	before := j.rec.Verdicts
	if j.all {
		before = slices.DeleteFunc(slices.Clone(before), func(v provision.Verdict) bool {
			return v.State != provision.Verified && v.State != provision.Accepted
		})
	}
	j.rec.Verdicts = provision.Compare(&j.plan, is, j.taken, before)
}

// enough ends the wait of settings that restarts did not bring.
func (j *job) enough() {
	waits := false
	for i := range j.rec.Verdicts {
		v := &j.rec.Verdicts[i]
		if v.State != provision.AtRestart {
			continue
		}
		if waits = true; j.rec.Restarts >= maxRestarts && j.booted {
			v.State = provision.Refused
		}
	}
	if !waits {
		j.rec.Restarts = 0
	}
}

func (j *job) keptRead(ctx context.Context) error {
	is, err := j.s.o.Memory.Settings(ctx, j.station, j.seq)
	if err != nil {
		return err
	}
	forget(is, &j.plan)
	j.judge(is)
	return nil
}

// read asks the station for all that the plan names.
func (j *job) read(ctx context.Context) error {
	kept, err := j.s.o.Memory.Settings(ctx, j.station, 0)
	if err != nil {
		return err
	}
	j.items = cmp.Or(provision.Limit(kept["devicedatactrlr/itemspermessage/getvariables"]), 10)
	if !j.modern {
		j.items = cmp.Or(provision.Limit(kept["getconfigurationmaxkeys"]), 20)
	}
	j.items = max(1, min(j.items, 50))
	is, stop := j.askFor(ctx, j.words())
	if stop != nil {
		return stop
	}
	for word, v := range is {
		if k := kept[word]; v != nil && k != nil && k.ReadOnly {
			v.ReadOnly = true
		}
	}
	j.judge(is)
	for i := range j.rec.Verdicts {
		v := &j.rec.Verdicts[i]
		if _, said := is[strings.ToLower(v.Word)]; !said {
			v.State, v.Is, v.Said = provision.Unanswered, nil, ""
		}
	}
	j.rec.ReadAt = j.s.o.Now()
	j.limits(is)
	return nil
}

// words are what is asked for, in the words of the station.
func (j *job) words() []string {
	var out []string
	for i := range j.plan.Wants {
		out = append(out, j.plan.Wants[i].Word)
	}
	if !j.modern {
		for i := range j.plan.Wants {
			if limit := j.plan.Wants[i].Limit; limit != "" && j.plan.Wants[i].Value != "" {
				out = append(out, limit)
			}
		}
	}
	return out
}

// limits cuts wishes to what the station has room for.
func (j *job) limits(is map[string]*provision.Value) {
	j.rec.room = make(map[string]int)
	for i := range j.plan.Wants {
		w := &j.plan.Wants[i]
		n := 0
		if w.Limit != "" {
			n = provision.Limit(is[strings.ToLower(w.Limit)])
		}
		if j.most > 0 && w.Kind == provision.Measurands && (n == 0 || j.most < n) {
			n = j.most
		}
		if n > 0 {
			j.rec.room[w.Word] = n
		}
	}
}

// set gives the station what differs.
func (j *job) set(ctx context.Context) error {
	var plain, lists []*provision.Verdict
	for i := range j.rec.Verdicts {
		v := &j.rec.Verdicts[i]
		if v.State != provision.Differs || v.Drifted && !j.plan.Mend && !j.all {
			continue
		}
		if v.Kind == provision.Measurands && v.Want != "" {
			lists = append(lists, v)
		} else {
			plain = append(plain, v)
		}
	}
	if len(plain)+len(lists) == 0 {
		return nil
	}
	changed := append(slices.Clone(plain), lists...)
	defer func() { j.rec.SetAt = j.s.o.Now() }()
	if err := j.give(ctx, plain); err != nil {
		return err
	}
	for _, v := range lists {
		if err := j.probe(ctx, v); err != nil {
			return err
		}
	}
	return j.readBack(ctx, changed)
}

// probe gives a list of measurands, as much of it as the station takes.
func (j *job) probe(ctx context.Context, v *provision.Verdict) error {
	p := provision.NewProbe(j.taken[v.Word].Wish(v.Want), j.rec.room[v.Word])
	said, last := "", ""
	for list, more := p.Next(); more; list, more = p.Next() {
		value := strings.Join(list, ",")
		answers, err := j.giveValues(ctx, []given{{v.Word, value}})
		if err != nil {
			return err
		}
		last = answers[0]
		if last == "Accepted" || last == "RebootRequired" {
			said = last
		}
		p.Said(last == "Accepted" || last == "RebootRequired")
		if last != "Accepted" && last != "RebootRequired" && last != "Rejected" {
			v.Took(value, last)
			return nil
		}
	}
	list, found := p.Taken()
	if len(list) == 0 {
		v.Took(v.Want, last)
		return nil
	}
	v.Took(strings.Join(list, ","), said)
	if found != nil {
		j.learned[v.Word] = found
	}
	return nil
}

// give sets plain values.
func (j *job) give(ctx context.Context, list []*provision.Verdict) error {
	values := make([]given, len(list))
	for i, v := range list {
		values[i] = given{v.Word, v.Want}
	}
	size := 1
	if j.modern {
		size = j.items
	}
	for len(values) > 0 {
		n := min(size, len(values))
		answers, err := j.giveValues(ctx, values[:n])
		if err != nil {
			return err
		}
		for i := range n {
			list[i].Took(values[i].value, answers[i])
		}
		list, values = list[n:], values[n:]
	}
	return nil
}

// readBack asks whether what was accepted is so.
func (j *job) readBack(ctx context.Context, list []*provision.Verdict) error {
	var words []string
	for _, v := range list {
		if v.State == provision.AsWanted || v.State == provision.Accepted || v.State == provision.Partly {
			words = append(words, v.Word)
		}
	}
	if len(words) == 0 {
		return nil
	}
	is, err := j.askFor(ctx, words)
	if err != nil {
		return err
	}
	for _, v := range list {
		x := is[strings.ToLower(v.Word)]
		if x == nil || x.Text == nil || !slices.Contains(words, v.Word) || provision.Same(v.Kind, *x.Text, v.Applied) {
			continue
		}
		v.State, v.Is, v.Done = provision.Refused, x.Text, false
	}
	return nil
}

// restart restarts the station, if still nobody is at it.
func (j *job) restart(ctx context.Context) error {
	st, ok := j.s.o.Journal.Snapshot().Station(j.station)
	if !ok || !idle(st, j.s.o.Now(), j.s.o.Idle) {
		return nil
	}
	j.rec.Restarts++
	j.rec.RestartedAt = j.s.o.Now()
	// Remembered before it is asked for: a server that stops in between asks once.
	if err := j.s.o.Memory.PutRecord(ctx, j.station, j.rec); err != nil {
		return err
	}
	how := "Soft"
	if j.modern {
		how = "OnIdle"
	}
	var said struct {
		Status string `json:"status"`
	}
	out, err := j.ask(ctx, "Reset", map[string]string{"type": how})
	if err != nil {
		return err
	}
	read(out.Response, &said)
	if said.Status != "Accepted" && said.Status != "Scheduled" {
		j.rec.Problem, j.rec.Said = RestartFailed, word(cmp.Or(said.Status, out.ErrorCode, out.Description))
	}
	return nil
}

// stopped is why work at a station ended before its time; the record says it.
type stopped struct{ problem Problem }

func (e stopped) Error() string { return string(e.problem) }

// ask asks the station, within its budget. What it does not answer ends the work.
func (j *job) ask(ctx context.Context, action string, payload any) (event.CommandResult, error) {
	stop := func(p Problem, said string) error {
		j.rec.Problem, j.rec.Said = p, word(said)
		return stopped{p}
	}
	if j.rec.Asked >= j.s.o.Budget {
		return event.CommandResult{}, stop(OutOfBudget, "")
	}
	if j.rec.Asked > 0 {
		select {
		case <-ctx.Done():
			return event.CommandResult{}, context.Cause(ctx)
		case <-time.After(j.s.o.Gap):
		}
	}
	j.rec.Asked++
	id := uuid.NewString()
	j.s.own(id, true)
	out := j.s.o.Stations.Ask(ctx, j.station, id, action, payload)
	j.s.own(id, false)
	switch out.Status {
	case "answered":
		return out, nil
	case "error":
		if j.failing++; j.failing > maxFailing {
			return out, stop(Unreadable, out.ErrorCode)
		}
		return out, nil
	case "offline":
		return out, stop(WentAway, "")
	}
	return out, stop(NoAnswer, out.Description)
}

// maxFailing is how many refusals of whole messages end the work at a station.
const maxFailing = 8

func (s *Service) own(command string, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if on {
		s.ours[command] = struct{}{}
	} else {
		delete(s.ours, command)
	}
}

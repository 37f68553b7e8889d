package plug

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"time"

	"github.com/google/uuid"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// State is how far a list is.
type State string

// The states of a list.
const (
	Current     State = "current"     // it is on the station, and was checked
	Waiting     State = "waiting"     // something is to be sent or asked
	Sending     State = "sending"     // and is on its way
	Offline     State = "offline"     // the station is away and has what it had
	Unsupported State = "unsupported" // the station keeps no lists
	Refused     State = "refused"     // the station did not take it; it is tried again
	Everybody   State = "everybody"   // the site lets anyone charge: there is no list
	Emptying    State = "emptying"    // lists are no longer kept there
)

// Status is how the list of a station is.
type Status struct {
	State     State
	Entries   int       // that it is to have
	There     int       // that it accepted
	Permitted int       // who may charge there now
	Room      int       // for how many; 0: it does not say
	Version   int       // that it is to have: the next while something is to be sent
	Has       int       // that it accepted last
	Reported  *int      // that it said when asked
	CheckedAt time.Time // when that was
	SentAt    time.Time // when it took a message last
	Left      map[access.LeftWhy]int
	Online    []string // ids of policies that only the server evaluates each time
	Settings  []Setting
	Problem   string // in the words of the protocol; empty: none
}

// Setting is one by which a station decides while nobody can be asked.
type Setting struct {
	Name, Want string
	Is         string // empty: the station does not have it
	Refused    string // what it said to being changed; empty: nothing
}

// task is what is to be done at a station.
type task struct {
	id    string
	ours  bool // it has a list by us
	was   map[string]string
	work  *work
	asked time.Time // when it was given something to do last
	retry time.Time
	fails int
	seq   uint64 // of the last event that changed what it agreed to
	stale bool   // what is known of it is to be read again

	agreed  Agreed
	read    bool
	sum     string // of the entries that it has
	there   int
	learned bool // its settings were asked since it booted
	limits  bool // and its limits
	checked time.Time
	trusted bool
	anew    bool              // all of it is to be sent
	room    int               // that was found out by trying; 0: as it says
	no      bool              // it keeps no lists
	refused map[string]string // settings that it does not change, with what it says
	problem string
	sentAt  time.Time
	last    lastList
	status  Status
}

// work is a command that was given and not answered.
type work struct {
	key, action string
	until       time.Time
	keys        []setting
	size        int
}

// wish is a command that is to be given.
type wish struct {
	t       *task
	urgent  bool
	action  string
	payload any
	keys    []setting
	version int
	size    int
}

const (
	checkEvery = 24 * time.Hour
	workFor    = 2 * time.Minute
)

// booted forgets what may be another since.
func (t *task) booted() {
	t.learned, t.limits, t.checked, t.trusted, t.no, t.refused = false, false, time.Time{}, false, false, nil
	t.retry, t.fails = time.Time{}, 0
}

// push has all of the list sent anew.
func (t *task) push() {
	t.booted()
	t.anew, t.room = true, 0
}

// begin gives the command.
func (w *wish) begin(now time.Time) fleet.Intent {
	b, err := json.Marshal(w.payload)
	if err != nil {
		b = []byte("{}") // it holds nothing that JSON refuses
	}
	w.t.work = &work{key: uuid.NewString(), action: w.action, until: now.Add(workFor + 30*time.Second), keys: w.keys, size: w.size}
	w.t.asked = now
	w.t.status.State = Sending
	return fleet.Intent{
		Key: w.t.work.key, Station: w.t.id, Action: w.action, Payload: string(b), Due: now, Expires: now.Add(workFor), Reason: "list of cards for when nobody can be asked",
	}
}

// next looks at a station: how its list is, and what is to be done now.
func (s *Service) next(ctx context.Context, t *task, sc *scene) (*wish, error) {
	if t.work != nil && sc.now.After(t.work.until) {
		t.work, t.checked = nil, time.Time{} // nobody knows what came of it
	}
	if t.stale || !t.read {
		if err := s.read(ctx, t); err != nil {
			return nil, err
		}
	}
	want := &list{}
	terms := termsOf(&t.agreed, sc.st.Is2x())
	room := terms.room
	if t.room > 0 && (room == 0 || t.room < room) {
		room = t.room
	}
	keep := sc.kept && !sc.st.FreeVend
	if keep {
		var err error
		if want, err = s.list(ctx, t, sc, room); err != nil {
			return nil, err
		}
	}
	t.show(sc, want, terms, room)
	switch {
	case t.work != nil:
		t.status.State = Sending
		return nil, nil
	case !keep && !t.ours:
		return nil, nil
	case !sc.st.Online:
		t.status.State = Offline
		return nil, nil
	case t.no && !keep:
		return nil, s.drop(ctx, t)
	case t.no || sc.now.Before(t.retry):
		return nil, nil
	}
	w, err := s.due(ctx, t, sc, want, terms, keep)
	if err != nil || w == nil {
		return nil, err
	}
	w.t = t
	t.status.State = Waiting
	if !keep {
		t.status.State = Emptying
	}
	if sc.begins() && !w.urgent {
		return nil, nil
	}
	return w, nil
}

// read reads what the station agreed to.
func (s *Service) read(ctx context.Context, t *task) error {
	agreed, err := s.o.Memory.Station(ctx, t.id, t.seq)
	if err != nil {
		return err
	}
	t.agreed, t.read, t.stale = agreed, true, false
	t.sum, t.there = sumOf(agreed.Entries), len(agreed.Entries)
	t.agreed.Entries = nil // read again when they are needed: stations have thousands
	if agreed.Stale {
		t.anew = true
	}
	return nil
}

func (t *task) show(sc *scene, want *list, terms terms, room int) {
	x := Status{
		State: Current, Entries: len(want.entries), There: t.there, Permitted: want.allowed, Room: room, Version: t.agreed.Version, Has: t.agreed.Version,
		Reported: t.agreed.Reported, CheckedAt: t.checked, SentAt: t.sentAt, Left: want.left, Online: want.online, Problem: t.problem,
	}
	if t.sum != want.sum && len(want.entries)+t.there > 0 || t.anew {
		x.Version++
	}
	for _, k := range terms.wanted() {
		x.Settings = append(x.Settings, Setting{k.name, k.want, t.agreed.Settings[k.name], t.refused[k.name]})
	}
	switch {
	case t.no:
		x.State = Unsupported
	case sc.kept && sc.st.FreeVend:
		x.State = Everybody
	case t.problem != "":
		x.State = Refused
	}
	t.status = x
}

// due is the next thing to be done, if there is one.
func (s *Service) due(ctx context.Context, t *task, sc *scene, want *list, terms terms, keep bool) (*wish, error) {
	switch {
	case !t.learned:
		return &wish{action: terms.ask(), payload: terms.question()}, nil
	case terms.modern && terms.room == 0 && !t.limits:
		return &wish{action: "GetReport", payload: terms.limits(int(sc.now.Unix() % 1_000_000_000))}, nil
	case !keep:
		return s.empty(ctx, t, terms)
	case t.checked.IsZero() || sc.now.Sub(t.checked) > checkEvery:
		return &wish{action: "GetLocalListVersion", payload: struct{}{}}, nil
	}
	if change := terms.change(terms.wanted(), t.agreed.Settings, t.refused); change != nil {
		was := make(map[string]string)
		for _, k := range change.keys {
			was[k.name] = t.agreed.Settings[k.name]
		}
		return change.wish(), s.keep(ctx, t, was)
	}
	if t.sum == want.sum && t.trusted && !t.anew {
		return nil, nil
	}
	if !t.ours {
		if err := s.keep(ctx, t, nil); err != nil {
			return nil, err
		}
	}
	agreed, err := s.o.Memory.Station(ctx, t.id, t.seq)
	if err != nil {
		return nil, err
	}
	return terms.send(&agreed, want, !t.trusted || t.anew), nil
}

// empty takes a list away that is no longer kept, then puts the settings back.
func (s *Service) empty(ctx context.Context, t *task, terms terms) (*wish, error) {
	if t.there > 0 || t.anew {
		w := terms.send(&t.agreed, &list{}, true)
		w.urgent = false
		return w, nil
	}
	if change := terms.change(before(t.was), t.agreed.Settings, t.refused); change != nil {
		return change.wish(), nil
	}
	return nil, s.drop(ctx, t)
}

func (s *Service) keep(ctx context.Context, t *task, was map[string]string) error {
	if err := s.o.Memory.Keep(ctx, t.id, was); err != nil {
		return err
	}
	all := clone(was)
	maps.Copy(all, t.was)
	t.ours, t.was = true, all
	return nil
}

func (s *Service) drop(ctx context.Context, t *task) error {
	if err := s.o.Memory.Drop(ctx, t.id); err != nil {
		return err
	}
	t.ours, t.was = false, nil
	return nil
}

// answered takes what came of a command of ours.
func (s *Service) answered(ctx context.Context, t *task, b *event.CommandResult) error {
	w, now := t.work, s.o.Now()
	t.work = nil
	said := answerOf(b)
	switch {
	case b.Status == "error" && (b.ErrorCode == "NotImplemented" || b.ErrorCode == "NotSupported"):
		t.unable(w)
		return nil
	case b.Status != "answered":
		t.failed(now, b.Status)
		t.checked = time.Time{}
		return nil
	}
	switch w.action {
	case "GetConfiguration", "GetVariables":
		t.learned = true
		if err := s.read(ctx, t); err != nil {
			return err
		}
		t.no = termsOf(&t.agreed, w.action == "GetVariables").none
	case "GetReport":
		t.limits = true
	case "ChangeConfiguration", "SetVariables":
		t.settled(w, said)
	case "GetLocalListVersion":
		return s.compared(ctx, t, said, now)
	case "SendLocalList":
		t.taken(w, said, now)
	}
	return nil
}

// unable notes what a station does not know; without a list it is one of those that
// keep none.
func (t *task) unable(w *work) {
	switch w.action {
	case "GetReport":
		t.limits = true
	case "GetConfiguration", "GetVariables":
		t.learned = true
	case "ChangeConfiguration", "SetVariables":
		for _, k := range w.keys {
			t.refuse(k.name, "NotSupported")
		}
	default:
		t.no = true
	}
}

func (t *task) failed(now time.Time, why string) {
	t.fails++
	t.problem = why
	t.retry = now.Add(min(time.Hour, time.Minute<<min(t.fails-1, 6)))
}

func (t *task) settled(w *work, said answer) {
	found := said.settings(w.keys)
	for _, k := range w.keys {
		if status := found[k.name]; status != "Accepted" && status != "RebootRequired" {
			t.refuse(k.name, status)
		}
	}
}

func (t *task) refuse(setting, said string) {
	if t.refused == nil {
		t.refused = make(map[string]string)
	}
	t.refused[setting] = cmp.Or(said, "nothing")
}

// compared decides by the version that a station tells whether its list is ours.
func (s *Service) compared(ctx context.Context, t *task, said answer, now time.Time) error {
	version := said.version()
	if version == nil {
		t.failed(now, "no version")
		return nil
	}
	if *version < 0 { // as OCPP 1.6 says that there are none
		t.no = true
		return nil
	}
	if err := s.read(ctx, t); err != nil {
		return err
	}
	t.checked, t.problem = now, ""
	t.trusted = *version == t.agreed.Version && t.agreed.Version > 0
	if !t.trusted && t.agreed.Version > 0 {
		s.o.Logger.WarnContext(ctx, "the list of a station is not the one it was given", "station", t.id, "version", *version, "given", t.agreed.Version)
	}
	return nil
}

func (t *task) taken(w *work, said answer, now time.Time) {
	switch said.Status {
	case "Accepted":
		t.sentAt, t.problem, t.fails = now, "", 0
		t.trusted, t.anew = true, false
		t.checked = time.Time{} // and asked whether it is there
	case "NotSupported":
		t.no = true
	case "VersionMismatch":
		t.trusted, t.anew, t.checked = false, true, time.Time{}
		t.failed(now, said.Status)
	default:
		t.failed(now, said.Status)
		t.anew = true
		if w.size > 1 && t.fails > 1 { // perhaps it has less room than it says
			t.room = w.size / 2
		}
	}
}

package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/store"
)

// book is who hears of what, as people decided it.
type book struct {
	routing     store.Routing
	escalations map[string]*store.Escalation
	schedules   map[string]*store.Schedule
}

func (s *Service) book(ctx context.Context) (*book, error) {
	b := &book{escalations: make(map[string]*store.Escalation), schedules: make(map[string]*store.Schedule)}
	var err error
	if b.routing, err = s.o.Store.Routing(ctx); err != nil {
		return nil, err
	}
	escalations, err := s.o.Store.Escalations(ctx)
	if err != nil {
		return nil, err
	}
	for i := range escalations {
		b.escalations[escalations[i].ID] = &escalations[i]
	}
	schedules, err := s.o.Store.Schedules(ctx)
	if err != nil {
		return nil, err
	}
	for i := range schedules {
		b.schedules[schedules[i].ID] = &schedules[i]
	}
	return b, nil
}

// route returns the routes that a notice takes.
func (b *book) route(n *incident.Notice) []*store.Route {
	var out []*store.Route
	for i := range b.routing.Routes {
		r := &b.routing.Routes[i]
		if !matches(&r.Match, n) || n.Discreet && r.WithoutDuress {
			continue
		}
		out = append(out, r)
		if !r.Continue {
			break
		}
	}
	return out
}

func (b *book) routeNamed(name string) *store.Route {
	i := slices.IndexFunc(b.routing.Routes, func(r store.Route) bool { return r.Name == name })
	if i < 0 {
		return nil
	}
	return &b.routing.Routes[i]
}

func matches(m *store.Match, n *incident.Notice) bool {
	any := func(list []string, value string) bool { return len(list) == 0 || slices.Contains(list, value) }
	if !any(m.Severities, n.Severity) || !any(m.Sites, n.SiteID) || !any(m.Stations, n.Station) {
		return false
	}
	if len(m.Kinds) > 0 && !slices.ContainsFunc(m.Kinds, func(k string) bool {
		begin, open := strings.CutSuffix(k, "*")
		return k == n.Kind || open && strings.HasPrefix(n.Kind, begin)
	}) {
		return false
	}
	for k, want := range m.Labels {
		have, ok := n.Labels[k]
		// A label may hold a list, as the tags of a station do.
		if !ok || have != want && !slices.Contains(strings.Split(have, ","), want) {
			return false
		}
	}
	return true
}

// bunch names what a route tells together.
func bunch(r *store.Route, n *incident.Notice) string {
	if len(r.GroupBy) == 0 {
		return r.Name + "|" + n.Incident
	}
	parts := []string{r.Name}
	for _, by := range r.GroupBy {
		switch by {
		case "site":
			parts = append(parts, n.SiteID)
		case "kind":
			parts = append(parts, n.Kind)
		case "severity":
			parts = append(parts, n.Severity)
		case "station":
			parts = append(parts, n.Station)
		default:
			parts = append(parts, n.Labels[by])
		}
	}
	return strings.Join(parts, "|")
}

// later is what a follow-up carries.
type later struct {
	Notice     json.RawMessage `json:"notice"`
	Route      string          `json:"route"`
	Escalation string          `json:"escalation,omitempty"` // empty: a repetition
	Step       int             `json:"step"`
	Round      int             `json:"round"`
	Since      time.Time       `json:"since"` // when the first step was taken
}

// informAfter lets what ends together be told together.
const informAfter = 5 * time.Second

// plan says what follows from a notice.
func (s *Service) plan(ctx context.Context, b *book, n *incident.Notice) (store.Dispatch, error) {
	d := store.Dispatch{Notice: n.Seq, Incident: n.Incident}
	data, err := n.Encode()
	if err != nil {
		return d, err
	}
	now := s.o.Now()
	if !n.Raises() {
		d.Over = n.Ends() || n.Change == incident.ChangeAcknowledged
		d.Unsent = n.Ends()
		informed, err := s.o.Store.Told(ctx, n.Incident)
		if err != nil {
			return d, err
		}
		for _, was := range informed {
			x := delivery(n, was.Channel, was.Route, was.Bunch, data)
			x.OnlyIfTold, x.DueAt = true, now
			if n.Severity != "S1" {
				x.DueAt = now.Add(informAfter)
				if r := b.routeNamed(was.Route); r != nil {
					x.DueAt = awake(r, x.DueAt)
				}
			}
			d.Deliveries = append(d.Deliveries, x)
		}
		return d, nil
	}
	if now.Sub(n.At) > s.o.MaxAge { // history, not news
		return d, nil
	}
	// A more severe incident begins its escalation anew.
	d.Over = n.Change == incident.ChangeEscalated || n.Change == incident.ChangeReopened
	reached := make(map[string]bool)
	for _, r := range b.route(n) {
		targets := slices.Clone(r.Channels)
		first := 0
		esc := b.escalations[r.Escalation]
		if esc != nil && esc.Steps[0].AfterSeconds == 0 {
			targets = append(targets, b.reach(&esc.Steps[0], now)...)
			first = 1
		}
		for _, channel := range targets {
			if reached[channel] {
				continue
			}
			reached[channel] = true
			d.Deliveries = append(d.Deliveries, routed(r, n, channel, data, now))
		}
		if n.Change == incident.ChangeReminder {
			continue
		}
		if esc != nil {
			if f, ok, err := nextStep(n.Key, n.Incident, esc, later{Notice: data, Route: r.Name, Escalation: esc.ID, Step: first, Since: now}); err != nil {
				return d, err
			} else if ok {
				d.FollowUps = append(d.FollowUps, f)
			}
		}
		if r.RepeatSeconds > 0 {
			f, err := followUp(n.Key, n.Incident, now.Add(time.Duration(r.RepeatSeconds)*time.Second), later{Notice: data, Route: r.Name, Since: now})
			if err != nil {
				return d, err
			}
			d.FollowUps = append(d.FollowUps, f)
		}
	}
	return d, nil
}

func delivery(n *incident.Notice, channel, route, bunch string, data []byte) store.Delivery {
	return store.Delivery{
		Key: n.Key + "@" + channel, Channel: channel, Incident: n.Incident, Change: n.Change, Severity: n.Severity, Site: n.SiteID,
		Route: route, Bunch: bunch, Data: data,
	}
}

// routed is a delivery as its route wants it: S1 at once, all else in groups and
// outside of quiet hours.
func routed(r *store.Route, n *incident.Notice, channel string, data []byte, now time.Time) store.Delivery {
	x := delivery(n, channel, r.Name, bunch(r, n), data)
	x.DueAt = now
	if n.Severity == "S1" {
		return x
	}
	x.DueAt = awake(r, now.Add(time.Duration(r.GroupWaitSeconds)*time.Second))
	x.Apart = time.Duration(r.GroupIntervalSeconds) * time.Second
	return x
}

// awake moves a time behind quiet hours.
func awake(r *store.Route, t time.Time) time.Time {
	if until := r.QuietUntil(t); !until.IsZero() {
		return until
	}
	return t
}

// reach lists the channels of a step, those of whoever is on call included.
func (b *book) reach(step *store.Step, now time.Time) []string {
	out := slices.Clone(step.Channels)
	for _, id := range step.Schedules {
		if x := b.schedules[id]; x != nil {
			if m, _ := x.At(now); m != nil {
				out = append(out, m.Channels...)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func followUp(key, id string, due time.Time, l later) (store.FollowUp, error) {
	data, err := json.Marshal(l)
	if err != nil {
		return store.FollowUp{}, fmt.Errorf("encode follow-up: %w", err)
	}
	what := "repeat"
	if l.Escalation != "" {
		what = "step"
	}
	return store.FollowUp{Key: fmt.Sprintf("%s/%s/%s/%d/%d", key, l.Route, what, l.Round, l.Step), Incident: id, DueAt: due, Data: data}, nil
}

// nextStep is the follow-up of a step, if there is one.
func nextStep(key, id string, esc *store.Escalation, l later) (store.FollowUp, bool, error) {
	whole := time.Duration(esc.Steps[len(esc.Steps)-1].AfterSeconds) * time.Second
	if l.Step >= len(esc.Steps) {
		l.Step, l.Round = 0, l.Round+1
	}
	if l.Round >= esc.Rounds {
		return store.FollowUp{}, false, nil
	}
	// A further round begins as long after the last step as the last step came
	// after the one before, or after the opening.
	gap := whole
	if n := len(esc.Steps); n > 1 {
		gap = whole - time.Duration(esc.Steps[n-2].AfterSeconds)*time.Second
	}
	due := l.Since.Add(time.Duration(l.Round)*(whole+gap) + time.Duration(esc.Steps[l.Step].AfterSeconds)*time.Second)
	f, err := followUp(key, id, due, l)
	return f, true, err
}

// followUps takes the steps and repetitions whose time has come.
func (s *Service) followUps(ctx context.Context) error {
	for {
		due, err := s.o.Store.DueFollowUps(ctx, s.o.Now(), routeAtOnce)
		if err != nil || len(due) == 0 {
			return err
		}
		b, err := s.book(ctx)
		if err != nil {
			return err
		}
		all := make([]store.Dispatch, 0, len(due))
		var errs []error
		for _, f := range due {
			d, err := s.followed(ctx, b, f)
			if err != nil { // the others' time has come all the same
				errs = append(errs, err)
				continue
			}
			all = append(all, d)
		}
		if err := s.commit(ctx, all); err != nil {
			return err
		}
		if len(errs) > 0 {
			return errors.Join(errs...)
		}
	}
}

// followed says what follows from a follow-up.
func (s *Service) followed(ctx context.Context, b *book, f store.FollowUp) (store.Dispatch, error) {
	d := store.Dispatch{Done: f.Key, Incident: f.Incident}
	var l later
	if err := json.Unmarshal(f.Data, &l); err != nil {
		s.o.Logger.ErrorContext(ctx, "follow-up cannot be read", "key", f.Key, "err", err)
		return d, nil
	}
	n, err := incident.DecodeNotice(0, l.Notice)
	if err != nil {
		s.o.Logger.ErrorContext(ctx, "follow-up cannot be read", "key", f.Key, "err", err)
		return d, nil
	}
	state, err := s.o.Incidents.State(ctx, f.Incident)
	if errors.Is(err, incident.ErrNotFound) {
		return d, nil // it is no longer kept
	}
	if err != nil {
		return d, fmt.Errorf("state of incident %s: %w", f.Incident, err)
	}
	r := b.routeNamed(l.Route)
	if state.Over || state.Acknowledged || r == nil {
		return d, nil
	}
	now, key := s.o.Now(), n.Key
	if n.Severity != "S1" {
		if until := r.QuietUntil(now); !until.IsZero() {
			again := f
			again.DueAt = until
			d.FollowUps = append(d.FollowUps, again) // the row goes and comes back in one transaction
			return d, nil
		}
	}
	told := n
	told.Change, told.At = incident.ChangeReminder, now.UTC()
	targets := r.Channels
	if l.Escalation != "" {
		esc := b.escalations[l.Escalation]
		if esc == nil || l.Step >= len(esc.Steps) {
			return d, nil
		}
		targets = b.reach(&esc.Steps[l.Step], now)
		told.Key = fmt.Sprintf("%s/%s/step/%d/%d", key, l.Route, l.Round, l.Step)
		told.Text = strings.TrimSpace(fmt.Sprintf("Nobody has acknowledged this: step %d of %s.\n%s", l.Step+1, esc.Name, n.Text))
		if n.TextDE != "" {
			told.TextDE = s.german.Sentence("Nobody has acknowledged this: step %d of %s.\n%s", l.Step+1, esc.Name, n.TextDE)
		}
		next := l
		next.Step++
		if f, ok, err := nextStep(key, n.Incident, esc, next); err != nil {
			return d, err
		} else if ok {
			d.FollowUps = append(d.FollowUps, f)
		}
	} else {
		told.Key = fmt.Sprintf("%s/%s/repeat/%d", key, l.Route, l.Round)
		next := l
		next.Round++
		f, err := followUp(key, n.Incident, now.Add(time.Duration(max(r.RepeatSeconds, 60))*time.Second), next)
		if err != nil {
			return d, err
		}
		if r.RepeatSeconds > 0 {
			d.FollowUps = append(d.FollowUps, f)
		}
	}
	data, err := told.Encode()
	if err != nil {
		return d, err
	}
	for _, channel := range targets {
		x := delivery(&told, channel, r.Name, bunch(r, &told), data)
		x.DueAt = now
		d.Deliveries = append(d.Deliveries, x)
	}
	return d, nil
}

package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/planning/forecast"
)

// odds is what the chance of a free port was worth at the ports of one kind, so
// many minutes ahead. Skill is by how much less the Brier score is than that of
// what is usual at that hour of the week.
type odds struct {
	Set     string  `json:"set"`
	Group   string  `json:"group"`
	Ports   int     `json:"ports"`
	Minutes int     `json:"minutes"`
	Moments int     `json:"moments"`
	AllBusy float64 `json:"allBusy"`
	Brier   float64 `json:"brier"`
	Usual   float64 `json:"brierUsual"`
	Skill   float64 `json:"skill"`
	// Tenths compares what was said with what came, by tenths of what was said.
	Tenths []tenth `json:"tenths,omitempty"`
}

type tenth struct {
	N    int     `json:"n"`
	Said float64 `json:"said"`
	Came float64 `json:"came"`
}

// group is the ports of one kind at one site.
type group struct {
	name  string
	posts map[string]bool
	stays []stay
}

func groups(stays []stay, name func(*stay) string) []*group {
	byName := make(map[string]*group)
	for i := range stays {
		s := &stays[i]
		g := byName[name(s)]
		if g == nil {
			g = &group{name: name(s), posts: make(map[string]bool)}
			byName[g.name] = g
		}
		g.posts[s.post] = true
		g.stays = append(g.stays, *s)
	}
	out := make([]*group, 0, len(byName))
	for _, g := range byName {
		out = append(out, g)
	}
	slices.SortFunc(out, func(a, b *group) int { return len(b.stays) - len(a.stays) })
	return out
}

// single makes one stay at a time of what overlaps at a post.
func (g *group) single() []forecast.Stay {
	last := make(map[string]int)
	var out []forecast.Stay
	for _, s := range g.stays {
		if i, ok := last[s.post]; ok && out[i].To.After(s.from) {
			out[i].To = later(out[i].To, s.to)
			continue
		}
		last[s.post] = len(out)
		out = append(out, forecast.Stay{From: s.from, To: s.to, Class: fmt.Sprintf("%g", s.kW), Weight: 1})
	}
	return out
}

func known(stays []forecast.Stay, now time.Time) []forecast.Stay {
	var out []forecast.Stay
	for _, s := range stays {
		if s.From.Before(now) {
			if s.To.After(now) {
				s.To = time.Time{}
			}
			out = append(out, s)
		}
	}
	return out
}

func there(stays []forecast.Stay, at time.Time) []forecast.Stay {
	var out []forecast.Stay
	for _, s := range stays {
		if s.From.Before(at) && s.To.After(at) {
			out = append(out, s)
		}
	}
	return out
}

type tally struct {
	said, usual, came []float64
	busy              float64
}

// follow says, each half hour from judge to end, whether a port will be free,
// learning again each week.
func (g *group) follow(elsewhere []forecast.Stay, from, judge, end time.Time, zone *time.Location) (out [4]tally) {
	stays := g.single()
	var m *forecast.PortModel
	for at := judge; at.Before(end.Add(-time.Hour)); at = at.Add(30 * time.Minute) {
		if m == nil || at.Sub(judge)%(7*24*time.Hour) == 0 {
			m = forecast.LearnPorts(known(stays, at), known(elsewhere, at), len(g.posts), from, at, zone)
			if m == nil {
				return out
			}
		}
		near := there(stays, at)
		for i := range near {
			near[i].To = time.Time{}
		}
		for i, ahead := range forecast.Aheads() {
			t := &out[i]
			came := 0.0
			if len(there(stays, at.Add(ahead))) < len(g.posts) {
				came = 1
			}
			t.said = append(t.said, m.Free(near, 0, at, ahead))
			t.usual = append(t.usual, m.Usual(at.Add(ahead)))
			t.came = append(t.came, came)
			t.busy += 1 - came
		}
	}
	return out
}

func brier(said, came []float64) float64 {
	s := 0.0
	for i := range said {
		s += (said[i] - came[i]) * (said[i] - came[i])
	}
	return s / float64(len(said))
}

func (t *tally) odds(set, group string, ports, minutes int) odds {
	o := odds{Set: set, Group: group, Ports: ports, Minutes: minutes, Moments: len(t.said), AllBusy: t.busy / float64(len(t.said)), Brier: brier(t.said, t.came), Usual: brier(t.usual, t.came)}
	o.Skill = 1 - o.Brier/o.Usual
	o.Tenths = make([]tenth, 10)
	for i, p := range t.said {
		d := &o.Tenths[min(9, int(p*10))]
		d.N++
		d.Said += p
		d.Came += t.came[i]
	}
	for i := range o.Tenths {
		if d := &o.Tenths[i]; d.N > 0 {
			d.Said /= float64(d.N)
			d.Came /= float64(d.N)
		}
	}
	return o
}

func (res *result) judgePorts(out io.Writer, data string, test bool) error {
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		return fmt.Errorf("zone: %w", err)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return fmt.Errorf("zone: %w", err)
	}
	sessions, err := dundee(data)
	if err != nil {
		return err
	}
	from, judge, to := day(2018, 3, 5), day(2018, 5, 14), day(2018, 7, 12)
	if test {
		judge, to = day(2018, 7, 12), day(2018, 9, 6)
	}
	sessions = slices.DeleteFunc(sessions, func(s stay) bool { return s.from.Before(from) || !s.from.Before(to) })
	fmt.Fprintf(out, "\n## A free port\n\nBrier score against the usual share of that hour of the week (eight weeks, smoothed).\n\n| set | ports | n | all busy %% | min | skill | worst tenth, points |\n|---|---|---|---|---|---|---|\n")
	judgeAll := func(set string, all []*group, from, judge, to time.Time, zone *time.Location, each int) {
		var whole [4]tally
		var elsewhere []forecast.Stay
		for _, g := range all {
			elsewhere = append(elsewhere, g.single()...)
		}
		for n, g := range all {
			begin := later(from, g.stays[0].from.Truncate(time.Hour))
			got := g.follow(elsewhere, begin, judge, to, zone)
			for i, ahead := range forecast.Aheads() {
				t := &got[i]
				if len(t.said) == 0 || t.busy == 0 {
					continue
				}
				w := &whole[i]
				w.said, w.usual, w.came, w.busy = append(w.said, t.said...), append(w.usual, t.usual...), append(w.came, t.came...), w.busy+t.busy
				if n < each {
					res.show(out, t.odds(set, g.name, len(g.posts), int(ahead.Minutes())))
				}
			}
		}
		for i, ahead := range forecast.Aheads() {
			if len(whole[i].said) > 0 {
				res.show(out, whole[i].odds(set, "all together", 0, int(ahead.Minutes())))
			}
		}
	}
	judgeAll("Dundee", groups(sessions, func(s *stay) string { return fmt.Sprintf("%s, %g kW", s.site, s.kW) }), from, judge, to, london, 6)
	if !test {
		return nil
	}
	if sessions, err = hamburg(data); err != nil {
		return err
	}
	judgeAll("Hamburg", groups(sessions, func(s *stay) string { return s.site }), day(2020, 2, 8), day(2020, 2, 24), day(2020, 3, 4), berlin, 0)
	return nil
}

func (res *result) show(out io.Writer, o odds) {
	res.Ports = append(res.Ports, o)
	worst := 0.0
	for _, d := range o.Tenths {
		if d.N >= 100 {
			worst = max(worst, math.Abs(d.Said-d.Came))
		}
	}
	fmt.Fprintf(out, "| %s | %s | %d | %.1f | %d | %.3f | %.1f |\n", o.Set, o.Group, o.Ports, 100*o.AllBusy, o.Minutes, o.Skill, 100*worst)
}

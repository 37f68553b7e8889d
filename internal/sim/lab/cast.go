package lab

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect/evaluate"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/sim"
)

// cast finds places and times for scenarios, so that no two disturb each
// other: a station plays one part, a site at most one that is about all of it.
type cast struct {
	run      *Run
	r        *rand.Rand
	learning time.Duration
	once     bool
	obey     bool
	failures []sim.Failure
	unable   map[string][]span // stations that know no TriggerMessage
	taken    map[string]bool   // stations
	whole    map[string]bool   // sites
	parts    map[string]int    // of a site
}

// partsPerSite is how many stations of a site may have something wrong: the
// others are what they are compared with.
const partsPerSite = 3

func (c *cast) place(list []Scenario) error {
	c.taken, c.whole, c.parts = make(map[string]bool), make(map[string]bool), make(map[string]int)
	c.unable = make(map[string][]span)
	asked := len(list) > 0
	if !asked {
		list = Scenarios()
		if c.obey {
			list = append(list, hangs()...)
		}
	}
	// What needs most room chooses first; the rest in an order of the seed.
	c.r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	slices.SortStableFunc(list, func(a, b Scenario) int { return int(b.scope) - int(a.scope) })
	for i := range list {
		if !c.put(&list[i]) && asked {
			return fmt.Errorf("scenario %s finds no place among %d stations", list[i].Name, len(c.run.Plan.Stations))
		}
	}
	if asked {
		return nil
	}
	// As long as there is room, some come twice and three times.
	for range 3 {
		if c.once {
			break
		}
		c.r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		for i := range list {
			if s := &list[i]; s.scope <= onSite {
				c.put(s)
			}
		}
	}
	slices.SortFunc(c.run.Labels, func(a, b evaluate.Label) int { return a.From.Compare(b.From) })
	slices.SortFunc(c.run.outages, func(a, b sim.Outage) int { return a.From.Compare(b.From) })
	return nil
}

// when draws the onset: waking hours, late enough for baselines, early enough
// for the end.
func (c *cast) when(s *Scenario) (time.Time, bool) {
	first, last := 3*day, c.run.To.Sub(c.run.From)-s.For-s.Tail-16*hour
	if !s.Early {
		first = c.learning
	}
	if last < first {
		return time.Time{}, false
	}
	days := int((last-first)/day) + 1
	at := c.run.From.Add(first.Truncate(day)).Add(time.Duration(c.r.IntN(days)) * day)
	return at.Add(time.Duration(6+c.r.IntN(8))*hour + time.Duration(c.r.IntN(3600))*time.Second), true
}

func (c *cast) put(s *Scenario) bool {
	at, ok := c.when(s)
	if !ok {
		return false
	}
	if s.scope == onUs {
		at = at.Truncate(day).Add(2*hour + time.Duration(c.r.IntN(7200))*time.Second)
		c.run.outages = append(c.run.outages, sim.Outage{From: at, For: s.outage})
		c.label(s, at, c.all(func(*sim.Spec) bool { return true }), evaluate.Label{Group: "us"})
		return true
	}
	specs, evse, l := c.where(s)
	if len(specs) == 0 {
		return false
	}
	for _, x := range specs {
		c.taken[x.ID] = true
		c.parts[x.Site]++
	}
	if s.unable {
		c.unable[specs[0].ID] = append(c.unable[specs[0].ID], span{at, at.Add(s.For)})
	}
	for _, f := range s.causes {
		f.From = at.Add(f.From.Sub(time.Time{}))
		f.Restart = s.restart
		if f.For == 0 {
			f.For = at.Add(s.For).Sub(f.From)
		}
		switch s.scope {
		case onSite:
			f.Site = specs[0].Site
		case onCarrier:
			f.Carrier = carrierDown
		case onModel:
			f.Model = specs[0].Model.Name
		default:
			f.Station, f.EVSE = specs[0].ID, evse
		}
		c.failures = append(c.failures, f)
	}
	var subjects []event.Subject
	for _, x := range specs {
		subjects = append(subjects, event.Port(x.ID, evse, 0))
	}
	c.label(s, at, subjects, l)
	return true
}

func (c *cast) all(fits func(*sim.Spec) bool) (list []event.Subject) {
	for i := range c.run.Plan.Stations {
		if x := &c.run.Plan.Stations[i]; fits(x) {
			list = append(list, event.Station(x.ID))
		}
	}
	return list
}

func (c *cast) label(s *Scenario, at time.Time, subjects []event.Subject, l evaluate.Label) {
	l.Scenario, l.About, l.NearMiss = s.Name, s.About, s.NearMiss
	l.Detectors, l.Also, l.Severity, l.Safety = s.Detectors, s.Also, s.Severity, s.Safety
	l.Restart = s.restart
	l.Subjects, l.From, l.To, l.Tail = subjects, at, at.Add(s.For), max(s.Tail, 15*time.Minute)
	c.run.Labels = append(c.run.Labels, l)
}

// where finds the stations of a scenario, and the port if it is about one.
func (c *cast) where(s *Scenario) (specs []*sim.Spec, evse int, l evaluate.Label) {
	stations := c.run.Plan.Stations
	switch s.scope {
	case onCarrier:
		specs = c.group(func(x *sim.Spec) bool { return strings.HasPrefix(x.Modem, carrierDown) })
		l.Group = carrierDown
		return specs, 0, l
	case onModel:
		for i := range stations {
			if strings.HasPrefix(stations[i].Site, s.site[0]) {
				name := stations[i].Model.Name
				l.Group = name
				return c.group(func(x *sim.Spec) bool { return x.Model.Name == name }), 0, l
			}
		}
		return nil, 0, l
	case onSite:
		var sites []string
		for i := range c.run.Plan.Sites {
			if id := c.run.Plan.Sites[i].ID; c.likes(s, id) && c.parts[id] == 0 && !c.whole[id] {
				sites = append(sites, id)
			}
		}
		if len(sites) == 0 {
			return nil, 0, l
		}
		l.Site = sites[c.r.IntN(len(sites))]
		return c.group(func(x *sim.Spec) bool { return x.Site == l.Site }), 0, l
	}
	type spot struct {
		spec *sim.Spec
		evse int
	}
	var spots []spot
	for i := range stations {
		x := &stations[i]
		if c.taken[x.ID] || c.whole[x.Site] || c.parts[x.Site] >= partsPerSite || !c.likes(s, x.Site) {
			continue
		}
		for n := range x.Model.EVSEs {
			if s.fits == nil || s.fits(&x.Model, n+1) {
				spots = append(spots, spot{x, n + 1})
			}
		}
	}
	if len(spots) == 0 {
		return nil, 0, l
	}
	p := spots[c.r.IntN(len(spots))]
	if s.scope == onPort {
		evse = p.evse
	}
	return []*sim.Spec{p.spec}, evse, l
}

// group takes whole sites.
func (c *cast) group(fits func(*sim.Spec) bool) (specs []*sim.Spec) {
	for i := range c.run.Plan.Stations {
		if x := &c.run.Plan.Stations[i]; fits(x) {
			if c.taken[x.ID] || c.whole[x.Site] {
				return nil
			}
			specs = append(specs, x)
		}
	}
	for _, x := range specs {
		c.whole[x.Site] = true
	}
	return specs
}

func (c *cast) likes(s *Scenario, site string) bool {
	if len(s.site) == 0 {
		return !strings.HasPrefix(site, "rural")
	}
	return slices.ContainsFunc(s.site, func(k string) bool { return strings.HasPrefix(site, k+"-") })
}

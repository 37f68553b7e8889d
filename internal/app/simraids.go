package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/sim"
	"github.com/chargewatch/chargewatch/internal/sim/raid"
	"github.com/chargewatch/chargewatch/internal/sim/stage"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

// simRaids plays stories at the simulated network for people who want to see what
// becomes of them.
type simRaids struct {
	s *Server

	mu    sync.Mutex
	life  context.Context // of the network
	stage *simStage       // nil: it is off
	now   web.RaidPlay
	stop  context.CancelFunc // nil: nothing plays
	last  map[string]time.Time
	work  sync.WaitGroup
}

// simStage is the network that stories play at.
type simStage struct {
	plan     sim.Plan
	stations *sim.Fleet
	cameras  *simCameras // nil: it has none
	doors    *simDoors
}

var _ web.Raids = (*simRaids)(nil)

// simStories are what can be played, with seeds whose stories are short.
func simStories() []struct {
	kind string
	seed uint64
} {
	return []struct {
		kind string
		seed uint64
	}{
		{"idle", 20}, {"withSessions", 11}, {"gateForced", 20}, {"cameraFirst", 434}, {"powerFirst", 3}, {"cabinet", 211},
		{"intrusion", 3}, {"tailgating", 3}, {"night-fox", 1},
	}
}

const (
	simStoryPause = 50 * time.Second // the longest that nothing happens, and how long is looked on at the end
	simStoryHeld  = 30 * time.Second // its devices are left alone for so long after it
	simStorySteps = 200
)

// open says that the network lives until ctx ends.
func (r *simRaids) open(ctx context.Context, on *simStage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.life, r.stage, r.last = ctx, on, make(map[string]time.Time)
}

// close waits for what plays; the network is over.
func (r *simRaids) close() {
	r.Stop()
	r.mu.Lock()
	r.stage = nil
	r.mu.Unlock()
	r.work.Wait()
}

// Kinds are what can be played; none while the network is off.
func (r *simRaids) Kinds() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stage == nil {
		return nil
	}
	var kinds []string
	for _, x := range simStories() {
		kinds = append(kinds, x.kind)
	}
	return kinds
}

// Raid is the story that plays, or played last.
func (r *simRaids) Raid() web.RaidPlay {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.now
	p.Steps = slices.Clone(p.Steps)
	return p
}

// Stop ends what plays; the site is healed.
func (r *simRaids) Stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stop != nil {
		r.stop()
	}
}

// Play begins a story at the site that had none for the longest time.
func (r *simRaids) Play(ctx context.Context, by store.Actor, kind string) error {
	stories := simStories()
	i := slices.IndexFunc(stories, func(x struct {
		kind string
		seed uint64
	}) bool {
		return x.kind == kind
	})
	if i < 0 {
		return fmt.Errorf("play %q: no such story", kind)
	}
	story, err := raid.Draw(stories[i].seed, kind)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.stage == nil:
		return web.ErrNoNetwork
	case r.stop != nil:
		return web.ErrRaidPlays
	}
	site, ok := r.pick(story)
	if !ok {
		return web.ErrNoNetwork
	}
	o := stage.Options{Seed: stories[i].seed, Pause: simStoryPause, Logger: r.s.log}
	start := time.Now()
	end := start.Add(stage.Long(story, o))
	restore, err := r.arm(ctx, by, site.ID, end.Add(simStoryHeld))
	if err != nil {
		return fmt.Errorf("arm %s for a story: %w", site.ID, err)
	}
	r.hold(site.ID, end.Add(simStoryHeld))
	r.last[site.ID] = start
	r.now = web.RaidPlay{Kind: kind, SiteID: site.ID, StartedAt: start.UTC(), EndsAt: end.UTC()}
	o.Tell = r.tell
	life, stop := context.WithCancel(r.life)
	r.stop = stop
	r.work.Go(func() {
		err := stage.Play(life, site, story, o)
		stop()
		if again := restore(context.WithoutCancel(life)); err == nil {
			err = again
		}
		if err != nil {
			r.s.log.ErrorContext(life, "a story did not play as it should", "kind", kind, "site", site.ID, "err", err)
		}
		r.hold(site.ID, time.Now().Add(simStoryHeld/2))
		r.mu.Lock()
		defer r.mu.Unlock()
		r.now.EndedAt, r.now.Healing, r.stop = time.Now().UTC(), false, nil
	})
	return nil
}

// tell takes in what was done.
func (r *simRaids) tell(l stage.Line) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case l.Do == stage.Begins: // cars that had to charge first took their time
		r.now.EndsAt = l.At.Add(time.Duration(l.In * float64(time.Second)))
	case l.Do == stage.Over:
		r.now.Healing = true
	case l.Do == stage.Names:
		return // it is before the camera all the time
	}
	if len(r.now.Steps) < simStorySteps {
		r.now.Steps = append(r.now.Steps, web.RaidStep{At: l.At, Do: l.Do, Station: l.Station, EVSE: l.EVSE, Camera: l.Camera, Door: l.Door, What: l.What, Harm: l.Harm})
	}
}

// hold leaves the devices of a site to a story.
func (r *simRaids) hold(site string, until time.Time) {
	if r.stage == nil {
		return
	}
	if r.stage.cameras != nil {
		r.stage.cameras.hold(site, until)
	}
	r.stage.doors.hold(site, until)
}

// arm arms a site for a story; what was decided for it is put back afterwards.
func (r *simRaids) arm(ctx context.Context, by store.Actor, site string, until time.Time) (func(context.Context) error, error) {
	was, ok := r.s.Store.Arming(site)
	old := store.Arming{SiteID: site}
	if ok {
		old = *was
	}
	now := old
	now.Armed, now.Until = new(true), until.UTC()
	if _, err := r.s.Store.SetArming(ctx, by, now, "a simulated raid"); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		ctx, done := context.WithTimeout(ctx, 10*time.Second)
		defer done()
		_, err := r.s.Store.SetArming(ctx, by, old, "the simulated raid is over")
		return err
	}, nil
}

// pick finds a site for a story: with doors, where the cameras can show it, and where
// nothing was stolen lately.
func (r *simRaids) pick(story *raid.Story) (*stage.Site, bool) {
	var sites []*stage.Site
	for _, x := range r.stage.doors.list {
		if s := r.siteOf(x, story); s != nil {
			sites = append(sites, s)
		}
	}
	if len(sites) == 0 {
		return nil, false
	}
	fresh := make(map[string]time.Time)
	for id, at := range r.last {
		fresh[id] = at
	}
	for _, in := range r.s.live.Open() {
		if in.OpenedAt.After(fresh[in.SiteID]) && (in.Kind == "cableTheft" || in.Kind == "cutOff" || in.Kind == "blindedFirst") {
			fresh[in.SiteID] = in.OpenedAt
		}
	}
	return slices.MinFunc(sites, func(a, b *stage.Site) int { return fresh[a.ID].Compare(fresh[b.ID]) }), true
}

// siteOf is a site of the network as stories know sites; nil: it does not fit.
func (r *simRaids) siteOf(x simSite, story *raid.Story) *stage.Site {
	s := &stage.Site{
		ID: x.id, Fleet: r.stage.stations, Board: x.board, Token: r.stage.plan.Tokens[0],
		Doors: map[string]stage.Door{raid.Gate: {ID: "gate-" + x.id, Number: simGate}, raid.Room: {ID: "cabinet-" + x.id, Number: simCabinet}},
	}
	for card := range x.board.Cards() {
		s.Card = max(s.Card, card)
	}
	var bays []simPort
	if c := r.stage.cameras; c != nil {
		s.Farm, s.Cameras = c.farm, make(map[string]stage.Camera)
		var here []*simCamera
		for i := range c.list {
			if c.list[i].site == x.id {
				here = append(here, &c.list[i])
			}
		}
		if len(here) < 2 || here[0].view != "garage" { // whatever the time of day
			return nil
		}
		last := here[len(here)-1]
		bays = last.bays
		s.Cameras[raid.BayCamera] = stage.Camera{Name: last.id, View: last.view}
		s.Cameras[raid.GateCamera] = stage.Camera{Name: here[0].id, View: here[0].view}
		s.Label = r.label
	}
	s.Ports = r.ports(x.id, bays)
	if len(s.Ports) < 2*min(story.Stations, 3) {
		return nil
	}
	return s
}

// label tells what is in a picture, as a program does that looks at it.
func (r *simRaids) label(ctx context.Context, camera string, items []event.Label) error {
	report := web.LabelReport{Camera: camera, Engine: "simulated", At: time.Now()}
	for _, x := range items {
		report.Items = append(report.Items, web.LabelSeen{Label: x})
	}
	if !r.s.labels.AdmitLabels(camera) {
		return nil // who looks at that many pictures is not listened to
	}
	return r.s.labels.TakeLabels(ctx, report)
}

// ports are those of a site, in the order in which cables are worth the work: those in
// the picture, those with cables of their own, the rest; what is in use or broken is
// left alone.
func (r *simRaids) ports(site string, bays []simPort) []stage.Port {
	type ranked struct {
		stage.Port
		rank int
	}
	var list []ranked
	for _, x := range r.stage.plan.Stations {
		st, ok := r.stage.stations.Station(x.ID)
		if x.Site != site || !ok {
			continue
		}
		for i, e := range x.Model.EVSEs {
			if now := st.Port(i + 1); now.Status != sim.Available || now.Fault || !now.Heard {
				continue
			}
			p := ranked{stage.Port{Station: x.ID, EVSE: i + 1, Bay: slices.Index(bays, simPort{x.ID, i + 1})}, 2}
			switch {
			case p.Bay >= 0:
				p.rank = 0
			case slices.ContainsFunc(e.Plugs, func(plug sim.Plug) bool { return !strings.HasPrefix(string(plug), "s") }):
				p.rank = 1
			}
			list = append(list, p)
		}
	}
	slices.SortStableFunc(list, func(a, b ranked) int { return a.rank - b.rank })
	var out []stage.Port
	for _, p := range list {
		out = append(out, p.Port)
	}
	return out
}

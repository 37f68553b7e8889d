package web

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/store"
)

// plays is a network of which a test says how it is.
type plays struct {
	off bool
	now RaidPlay
}

func (p *plays) Raid() RaidPlay { return p.now }

func (p *plays) Kinds() []string {
	if p.off {
		return nil
	}
	return []string{"idle", "night-fox"}
}

func (p *plays) Play(_ context.Context, _ store.Actor, kind string) error {
	switch {
	case p.off:
		return ErrNoNetwork
	case p.now.Kind != "" && p.now.EndedAt.IsZero():
		return ErrRaidPlays
	}
	p.now = RaidPlay{Kind: kind, SiteID: "mall", StartedAt: time.Now(), EndsAt: time.Now().Add(time.Minute), Steps: []RaidStep{{Do: "comes", Camera: "cam"}}}
	return nil
}

func (p *plays) Stop() { p.now.EndedAt = time.Now() }

func TestPlayingARaid(t *testing.T) {
	on := &plays{}
	p := newPlant(t, func(o *Options) { o.Raids = on })
	p.site("mall")
	if _, err := p.store.CreateCamera(t.Context(), store.System, store.Camera{ID: "cam", SiteID: "mall", Label: "Yard", MainURL: "rtsp://10.0.0.9/cam"}, ""); err != nil {
		t.Fatal(err)
	}
	admin := p.script(store.RoleAdmin)
	var r DemoRaidShape
	admin.want(http.StatusOK, "GET", "/demo/raid", "", &r)
	if r.State != "none" || len(r.Kinds) != 2 || r.Steps == nil {
		t.Errorf("before anything was played: %+v", r)
	}
	admin.want(http.StatusUnprocessableEntity, "POST", "/demo/raid", `{"kind":"picnic"}`, nil)
	admin.want(http.StatusUnprocessableEntity, "POST", "/demo/raid", `{}`, nil)
	admin.want(http.StatusOK, "POST", "/demo/raid", `{"kind":"idle"}`, &r)
	if r.State != "playing" || r.SiteID != "mall" || r.SiteName == "" || len(r.Steps) != 1 || r.Steps[0].Label != "Yard" || r.IncidentID != "" {
		t.Errorf("it plays: %+v", r)
	}
	admin.want(http.StatusConflict, "POST", "/demo/raid", `{"kind":"idle"}`, nil)
	on.now.Healing = true
	if admin.want(http.StatusOK, "GET", "/demo/raid", "", &r); r.State != "healing" {
		t.Errorf("it heals: %s", r.State)
	}
	if admin.want(http.StatusOK, "DELETE", "/demo/raid", "", &r); r.State != "over" {
		t.Errorf("it was stopped: %s", r.State)
	}
	on.off = true
	admin.want(http.StatusConflict, "POST", "/demo/raid", `{"kind":"idle"}`, nil)
	p.script(store.RoleAdmin, "mall").want(http.StatusForbidden, "GET", "/demo/raid", "", nil)
}

func TestTheIncidentThatARaidLeadsTo(t *testing.T) {
	start := time.Unix(1_800_000_000, 0)
	in := func(kind string, severity event.Severity, opened time.Duration, told ...time.Duration) *incident.Incident {
		x := &incident.Incident{ID: kind, Kind: kind, Severity: severity, OpenedAt: start.Add(opened)}
		for _, d := range told {
			x.Findings = append(x.Findings, incident.Found{LastAt: start.Add(d)})
		}
		return x
	}
	const s = time.Second
	for sentence, c := range map[string]struct {
		list []*incident.Incident
		want string
		at   time.Duration
	}{
		"nothing yet":                         {nil, "", 0},
		"what is no matter of security":       {[]*incident.Incident{in("fault/GroundFailure", event.S1, s)}, "", 0},
		"the worst":                           {[]*incident.Incident{in("motionArmed", event.S3, s), in("loitering", event.S2, 20*s)}, "loitering", 20 * s},
		"of equals the one that says most":    {[]*incident.Incident{in("doorForced", event.S1, s), in("cableTheft", event.S1, 9*s)}, "cableTheft", 9 * s},
		"one of before that nobody hears of":  {[]*incident.Incident{in("cableTheft", event.S1, -900*s, -900*s), in("doorForced", event.S1, 5*s, 7*s)}, "doorForced", 5 * s},
		"one of before that is told of again": {[]*incident.Incident{in("doorForced", event.S1, -900*s, -900*s, 7*s)}, "doorForced", 7 * s},
	} {
		got, at := tellingOf(c.list, start)
		if id := ""; got != nil {
			if id = got.ID; id != c.want || !at.Equal(start.Add(c.at)) {
				t.Errorf("%s: %q after %s, want %q after %s", sentence, id, at.Sub(start), c.want, c.at)
			}
		} else if c.want != "" {
			t.Errorf("%s: nothing, want %q", sentence, c.want)
		}
	}
}

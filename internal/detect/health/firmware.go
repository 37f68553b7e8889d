package health

import (
	"cmp"
	"maps"
	"slices"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/usage/attempt"
)

// firmwareRegression is D25: a model's ports fail more often since a firmware.
// Compared are tries on it with tries on those before it, counted over all
// stations of the model; one bad station makes no bad firmware. It is one
// finding for the whole roll-out and stands at the station that showed it.
func firmwareRegression() detect.Detector {
	return detect.Detector{
		ID: "D25", Code: "firmwareRegression",
		Params: []detect.Param{
			{Name: "attempts", Default: 50, Doc: "tries needed before and after"},
			{Name: "chance", Default: 0.3, Unit: "%", Doc: "how probable chance may be: it is asked after each failed try, of each model"},
			{Name: "soonAttempts", Default: 12, Doc: "tries since that are enough where chance is all but ruled out"},
			{Name: "soonChance", Default: 0.01, Unit: "%", Doc: "how probable chance may be then"},
			{Name: "points", Default: 3, Unit: "%", Doc: "percentage points more that matter at all"},
			{Name: "stations", Default: 3, Doc: "stations on which tries failed since"},
		},
		Tried:     firmwareTried,
		Hourly:    firmwareLook,
		NewCommon: func() any { return &rollouts{Of: make(map[string]*rollout)} },
	}
}

// rollouts are the firmwares of each model.
type rollouts struct {
	Of map[string]*rollout `json:"of"`
}

type rollout struct {
	By   map[string]*cohort `json:"by"`             // by version
	Told string             `json:"told,omitempty"` // the station at which it is told
}

// cohort are the tries on one version.
type cohort struct {
	From detect.Moment `json:"from"`
	N    float64       `json:"n"`
	Bad  float64       `json:"bad"`
	// Failing are stations with a failed try, as far as they matter.
	Failing []string `json:"failing,omitempty"`
}

const (
	maxVersions = 8
	maxFailing  = 16
)

func firmwareTried(c *detect.Context, a *attempt.Attempt) {
	bad, ok := judgedTry(a)
	if !ok || c.Station.Firmware == "" {
		return
	}
	all := detect.Common[rollouts](c)
	r := all.Of[model(c.Station)]
	if r == nil {
		if len(all.Of) >= maxModels {
			return
		}
		r = &rollout{By: make(map[string]*cohort)}
		all.Of[model(c.Station)] = r
	}
	k := r.By[c.Station.Firmware]
	if k == nil {
		if len(r.By) >= maxVersions {
			delete(r.By, r.oldest())
		}
		k = &cohort{From: detect.At(c.Now)}
		r.By[c.Station.Firmware] = k
	}
	if k.N >= weighTries {
		k.N, k.Bad = k.N/2, k.Bad/2
	}
	k.N++
	if !bad {
		return
	}
	k.Bad++
	if len(k.Failing) < maxFailing && !slices.Contains(k.Failing, c.Station.ID) {
		k.Failing = append(k.Failing, c.Station.ID)
	}
	firmwareJudge(c, r)
}

func (r *rollout) oldest() string {
	return slices.MinFunc(slices.Sorted(maps.Keys(r.By)), func(a, b string) int { return cmp.Compare(r.By[a].From, r.By[b].From) })
}

// before sums up the versions that were there before one.
func (r *rollout) before(version string) (n, bad float64) {
	for v, k := range r.By {
		if v != version && k.From < r.By[version].From {
			n += k.N
			bad += k.Bad
		}
	}
	return n, bad
}

func firmwareJudge(c *detect.Context, r *rollout) {
	if there := c.Network().Station(r.Told); there != nil && there.IsOpen("firmwareRegression", 0) {
		return
	}
	k := r.By[c.Station.Firmware]
	n, was := r.before(c.Station.Firmware)
	if k.N < min(c.Param("soonAttempts"), c.Param("attempts")) || n < c.Param("attempts") || float64(len(k.Failing)) < c.Param("stations") {
		return
	}
	now, then := 100*k.Bad/k.N, 100*was/n
	chance := worseBy(k.Bad, k.N, was, n)
	most := c.Param("chance")
	if k.N < c.Param("attempts") {
		most = c.Param("soonChance")
	}
	if chance >= most/100 || now-then < c.Param("points") {
		return
	}
	r.Told = c.Station.ID
	c.Raise(0, event.Finding{
		Severity: event.S2,
		Text: c.Say("On firmware %s of %s %s %.0f of %.0f tries to charge failed (%.1f %%); before it was %.1f %%.",
			c.Station.Firmware, c.Station.Vendor, c.Station.Model, k.Bad, k.N, now, then),
		Shared: []string{"firmware/" + c.Station.Vendor + "/" + c.Station.Model + "/" + c.Station.Firmware},
		Facts: []event.Fact{
			detect.Word("firmware", c.Station.Firmware), detect.Value("failedShare", now, "%"), detect.Value("failedBefore", then, "%"),
			detect.Value("tries", k.N, ""), detect.Value("triesBefore", n, ""), detect.Value("stations", float64(len(k.Failing)), ""),
			detect.Value("chance", 100*chance, "%"),
		},
	})
}

// firmwareLook asks at the station that told it whether it still holds.
func firmwareLook(c *detect.Context) {
	if !c.Station.IsOpen("firmwareRegression", 0) {
		return
	}
	r := detect.Common[rollouts](c).Of[model(c.Station)]
	if r == nil {
		return
	}
	k := r.By[c.Station.Firmware]
	if k == nil { // nobody tried since it has another one
		return
	}
	n, was := r.before(c.Station.Firmware)
	if n < c.Param("attempts") || k.N >= c.Param("attempts") && worseBy(k.Bad, k.N, was, n) > 5*c.Param("chance")/100 {
		r.Told = ""
		c.Clear("firmwareRegression", 0, detect.Value("tries", k.N, ""), detect.Value("failed", k.Bad, ""))
	}
}

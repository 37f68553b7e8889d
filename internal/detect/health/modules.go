package health

import (
	"math"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// moduleLost is D11: a DC cabinet one of whose power modules is gone. Its best
// charge of the day then stops at the same step of its rating, day after day,
// whatever car comes, where it went higher before.
func moduleLost() detect.Detector {
	return detect.Detector{
		ID: "D11", Code: "moduleLost",
		Params: []detect.Param{
			{Name: "days", Default: 3, Unit: "d", Doc: "days with charges that all stop at one step"},
			{Name: "modules", Default: 0, Doc: "power modules of the port; 0: not known, any step of up to eight will do"},
			{Name: "near", Default: 4, Unit: "Percent", Doc: "how near charges and days have to be to the step"},
			{Name: "below", Default: 93, Unit: "Percent", Doc: "of the rating; a step above is no loss"},
			{Name: "sessions", Default: 4, Doc: "charges that stop at the step"},
			{Name: "vehicles", Default: 3, Doc: "vehicles that stop at the step"},
		},
		Ended: modulesEnded,
		New:   func() any { return new(modulesMemory) },
	}
}

// modulesMemory is the best charges of the last days.
type modulesMemory struct {
	Days  []powerDay `json:"days,omitempty"`
	StepW float64    `json:"stepW,omitempty"` // that was raised
}

type powerDay struct {
	Day  int64    `json:"day"` // since 1970, UTC
	TopW float64  `json:"topW"`
	Tops []topped `json:"tops,omitempty"` // of single charges, the newest ones
}

type topped struct {
	W      float32 `json:"w"`
	OfferW float32 `json:"offerW,omitempty"`
	CarW   float32 `json:"carW,omitempty"`
	Token  string  `json:"token,omitempty"`
}

const (
	modulesDays = 28
	modulesTops = 6 // of a day
)

func modulesEnded(c *detect.Context, t *detect.Ended) {
	diary := detect.RecallOf[powerMemory](c.Station, "D09", t.Port.EVSE)
	if diary == nil || len(diary.Past) == 0 || t.Port.RatedW <= 0 {
		return
	}
	s := &diary.Past[len(diary.Past)-1]
	if !s.At.Equal(c.Now) || s.TopW <= 0 || s.Excused || s.Shared {
		return
	}
	m := detect.Memory[modulesMemory](c, t.Port.EVSE)
	day := c.Now.Unix() / 86400
	if n := len(m.Days); n == 0 || m.Days[n-1].Day != day {
		if n > 0 && n >= int(c.Param("days")) {
			m.Days[n-int(c.Param("days"))].Tops = nil // only the last days are looked at closely
		}
		m.Days = keepLast(m.Days, powerDay{Day: day}, modulesDays)
	}
	d := &m.Days[len(m.Days)-1]
	d.TopW = max(d.TopW, s.TopW)
	d.Tops = keepLast(d.Tops, topped{W: float32(s.TopW), OfferW: float32(s.OfferW), CarW: float32(s.CarW), Token: s.Token}, modulesTops)
	modulesJudge(c, t.Port, m)
}

func modulesJudge(c *detect.Context, p *detect.Port, m *modulesMemory) {
	days, near := max(1, int(c.Param("days"))), c.Param("near")/100
	last := m.Days[len(m.Days)-1]
	if c.Station.IsOpen("moduleLost", p.EVSE) {
		// One charge above the step is proof: modules do not give what they have not.
		if last.TopW > m.StepW*(1+2*near) {
			c.Clear("moduleLost", p.EVSE, detect.Value("delivered", last.TopW/1000, "kW"), detect.Value("rated", p.RatedW/1000, "kW"))
		}
		return
	}
	if len(m.Days) < days {
		return
	}
	recent, before := m.Days[len(m.Days)-days:], m.Days[:len(m.Days)-days]
	if recent[0].Day < last.Day-7 {
		return
	}
	step := 0.0
	for _, d := range recent {
		step = max(step, d.TopW)
	}
	if step > p.RatedW*c.Param("below")/100 {
		return
	}
	var at []topped
	able := false
	for _, d := range recent {
		if d.TopW < step*(1-near) {
			return
		}
		for _, x := range d.Tops {
			if float64(x.W) < step*(1-near) {
				continue
			}
			if float64(x.OfferW) > step*(1+2*near) {
				return // it had more to give: the cars stopped by themselves
			}
			at = append(at, x)
			// The car could take more, or the port itself offers no more.
			able = able || float64(x.CarW) > step*1.1 || x.OfferW > 0 && float64(x.OfferW) < step*(1+near)
		}
	}
	best := 0.0
	for _, d := range before {
		best = max(best, d.TopW)
	}
	able = able || best > step*1.1
	vehicles := drivers(at, func(x *topped) string { return x.Token })
	k, n, fits := moduleStep(step/p.RatedW, int(c.Param("modules")), near)
	if !able || !fits || float64(len(at)) < c.Param("sessions") || float64(vehicles) < c.Param("vehicles") {
		return
	}
	m.StepW = step
	from := time.Unix(recent[0].Day*86400, 0).UTC()
	facts := []event.Fact{
		detect.Value("delivered", step/1000, "kW"), detect.Value("rated", p.RatedW/1000, "kW"),
		detect.Value("ratio", 100*step/p.RatedW, "Percent"), detect.Value("modules", float64(n), ""), detect.Value("modulesLeft", float64(k), ""),
		detect.Value("sessions", float64(len(at)), ""), detect.Value("vehicles", float64(vehicles), ""), since(from),
	}
	if best > 0 {
		facts = append(facts, detect.Value("baseline", best/1000, "kW"))
	}
	c.Raise(p.EVSE, event.Finding{
		Severity: event.S3, Since: from,
		Text: c.Say("Gives at most %.0f kW of %.0f kW on %d days running, as if %d of %d power modules were left; %s stopped there.",
			step/1000, p.RatedW/1000, days, k, n, detect.Count{N: float64(vehicles), Unit: "vehicle"}),
		Facts: facts, Shared: commonWith(c.Station),
	})
}

// moduleStep finds how many modules of how many are left at a share of the
// rating.
func moduleStep(share float64, modules int, near float64) (k, n int, ok bool) {
	from, to := 2, 8
	if modules > 1 {
		from, to = modules, modules
	}
	for n := from; n <= to; n++ {
		k := int(math.Round(share * float64(n)))
		if k >= 1 && k < n && math.Abs(share-float64(k)/float64(n)) <= near*float64(k)/float64(n)+0.005 {
			return k, n, true
		}
	}
	return 0, 0, false
}

package health

import (
	"math"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// pace is how long a station takes to answer what it is asked: the answers of the
// last day one by one, those before in buckets that grow by half.
type pace struct {
	Asked  map[string]detect.Moment `json:"asked,omitempty"` // on their way
	Recent []answered               `json:"recent,omitempty"`
	Before [paceBuckets]uint16      `json:"before"`
}

type answered struct {
	At      detect.Moment `json:"at"`
	Seconds float64       `json:"s"`
}

const (
	paceBuckets = 20 // from 50 ms to minutes
	paceKept    = 32
	paceAsked   = 8
	paceFades   = 4000 // answers after which the old ones count half
)

func paceBucket(seconds float64) int {
	return max(0, min(paceBuckets-1, int(math.Ceil(math.Log(seconds/0.05)/math.Log(1.5)))))
}

// linkAsked notes that a request is being sent. Nothing is asked of a station of
// which nothing is remembered for long, so an idle one costs nothing.
func linkAsked(c *detect.Context, id string) {
	if !c.Station.Online {
		return
	}
	m := detect.Memory[linkDays](c, 0)
	if m.Pace == nil {
		m.Pace = new(pace)
	}
	if m.Pace.Asked == nil {
		m.Pace.Asked = make(map[string]detect.Moment)
	}
	if len(m.Pace.Asked) < paceAsked {
		m.Pace.Asked[id] = detect.At(c.Now)
	}
}

// linkAnswered takes the time that an answer took. One that came late, after it
// was given up, took at least as long as we waited.
func linkAnswered(c *detect.Context, b *event.CommandResult) {
	m := detect.Recall[linkDays](c, 0)
	if m == nil || m.Pace == nil {
		return
	}
	p := m.Pace
	at, known := p.Asked[b.CommandID]
	if !known {
		return
	}
	c.Station.Touch()
	delete(p.Asked, b.CommandID)
	if b.Status != "answered" && b.Status != "error" {
		return
	}
	p.turn(c.Now)
	p.Recent = append(p.Recent, answered{detect.At(c.Now), max(at.Ago(c.Now).Seconds(), 0.001)})
	if len(p.Recent) > paceKept {
		p.forget(1)
	}
	linkJudge(c, m)
}

// turn moves answers that are older than a day to those before.
func (p *pace) turn(now time.Time) {
	n := 0
	for n < len(p.Recent) && p.Recent[n].At.Ago(now) >= 24*time.Hour {
		n++
	}
	p.forget(n)
	for id, at := range p.Asked {
		if at.Ago(now) >= time.Hour {
			delete(p.Asked, id)
		}
	}
}

func (p *pace) forget(n int) {
	for _, a := range p.Recent[:n] {
		p.Before[paceBucket(a.Seconds)]++
	}
	p.Recent = slices.Delete(p.Recent, 0, n)
	if p.before() >= paceFades {
		for i := range p.Before {
			p.Before[i] /= 2
		}
	}
}

func (p *pace) before() (n int) {
	for _, k := range p.Before {
		n += int(k)
	}
	return n
}

// empty reports whether nothing is left to remember.
func (p *pace) empty() bool { return p == nil || len(p.Asked)+len(p.Recent)+p.before() == 0 }

// usual is what 95 of 100 answers before took at most.
func (p *pace) usual() float64 {
	all, sum := p.before(), 0
	for i, n := range p.Before {
		if sum += int(n); sum*100 >= all*95 {
			return 0.05 * math.Pow(1.5, float64(i))
		}
	}
	return 0
}

// recent is what 95 of 100 answers of the last day took at most.
func (p *pace) recent(now time.Time) float64 {
	list := make([]float64, 0, len(p.Recent))
	for _, a := range p.Recent {
		if a.At.Ago(now) < 24*time.Hour {
			list = append(list, a.Seconds)
		}
	}
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[min(len(list)-1, len(list)*95/100)]
}

// slow reports whether answers take many times what they took. One slow answer
// alone is no news: so has the third slowest of the last ones to be.
func (p *pace) slow(c *detect.Context) bool {
	if p == nil || float64(len(p.Recent)) < c.Param("answers") || float64(p.before()) < 3*c.Param("answers") {
		return false
	}
	bar := max(c.Param("slowSeconds"), c.Param("slowTimes")*p.usual())
	slow := 0
	for _, a := range p.Recent {
		if a.Seconds > bar {
			slow++
		}
	}
	return slow >= 3 && p.recent(c.Now) > bar
}

package forecast

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// Horizon is how far ahead forecasts go, in hours.
const Horizon = week

// steps are the horizons that are modelled; an hour further ahead than one and
// not further than the next belongs to the next.
func steps() []int { return []int{1, 3, 24, 72, 168} }

// What has to be known of a site.
const (
	LeastHours = 4 * week // observed, for a forecast
	warmHours  = 2 * week // before the first rehearsed hour
	pastHours  = 26 * week
	showHours  = 8 * week // over which errors are published
)

// TooLittleError says how much is missing before there can be a forecast.
type TooLittleError struct {
	Hours int // observed of late
}

func (e *TooLittleError) Error() string {
	if e.Weeks() == 1 {
		return "not enough data: needs 1 more week"
	}
	return fmt.Sprintf("not enough data: needs %d more weeks", e.Weeks())
}

// Weeks is how many more of them are needed.
func (e *TooLittleError) Weeks() int { return (LeastHours - e.Hours + week - 1) / week }

// Hour is what is forecast of one hour.
type Hour struct {
	At             time.Time
	Low, Mid, High float64 // Low and High hold Covers of the hours; NaN: not known yet
	Ahead          int     // hours, of the step it belongs to
}

// Told is an hour of the past with what was said of it a day before.
type Told struct {
	Hour
	Came float64
}

// Score is how good forecasts some hours ahead have been in the last weeks.
type Score struct {
	Ahead   int
	Hours   int     // judged
	MAE     float64 // of the median, in the unit of the series
	Of      [Models]float64
	Pinball float64
	Covered float64 // share of hours within the band; NaN: no band yet
	Weights [Models]float64
}

// Skill is by how much less a forecast errs than a model does by itself: 0.2 is
// a fifth less.
func (s *Score) Skill(m Model) float64 {
	if !(s.Of[m] > 0) {
		return math.NaN()
	}
	return 1 - s.MAE/s.Of[m]
}

// Heaviest are the models that count, those that count most first.
func (s *Score) Heaviest() []Model {
	var out []Model
	for m := range Models {
		if s.Weights[m] >= 0.005 {
			out = append(out, Model(m))
		}
	}
	slices.SortStableFunc(out, func(a, b Model) int { return cmp.Compare(s.Weights[b], s.Weights[a]) })
	return out
}

// Forecast is what there is to say of a series.
type Forecast struct {
	From   time.Time // of the first hour that is not over
	Hours  []Hour    // from From on
	Scores []Score   // by Ahead
	Told   []Told    // the last seven days
	Weeks  int       // that were fitted
}

// Make forecasts the week that follows the series.
func Make(s *Series) (*Forecast, error) {
	if len(s.Y) > pastHours {
		cut := len(s.Y) - pastHours
		t := *s
		t.Start, t.Y = s.Start.Add(time.Duration(cut)*time.Hour), s.Y[cut:]
		if len(s.Late) > cut {
			t.Late = s.Late[cut:]
		}
		s = &t
	}
	lead := 0
	for lead < len(s.Y) && math.IsNaN(s.Y[lead]) {
		lead++
	}
	known := 0
	for _, v := range s.Y[max(0, len(s.Y)-2*LeastHours):] {
		if !math.IsNaN(v) {
			known++
		}
	}
	if known < LeastHours {
		return nil, &TooLittleError{Hours: known}
	}
	now := len(s.Y)
	// Weeks are counted back from now, so that the newest fit knows all.
	from := now - (showHours + 2*week)
	for from < lead+warmHours {
		from += week
	}
	f := &Forecast{From: s.Start.Add(time.Duration(now) * time.Hour), Weeks: (now - lead) / week}
	at, p := now, newPast(s, now+Horizon)
	for _, h := range steps() {
		r := p.run(now+h, h, from)
		for ; at < now+h; at++ {
			f.Hours = append(f.Hours, r.hour(s, at))
		}
		f.Scores = append(f.Scores, r.score(s, max(from, now-showHours), now))
		if h == day {
			for t := max(from, now-week); t < now; t++ {
				f.Told = append(f.Told, Told{Hour: r.hour(s, t), Came: s.Y[t]})
			}
		}
	}
	return f, nil
}

// course is one horizon's rehearsal, and what follows it.
type course struct {
	h              int
	said           *said
	low, mid, high []float64
	weights        [][Models]float64
}

func (p *past) run(n, h, from int) *course {
	r := &course{h: h}
	var stay []float64
	if h <= 3 {
		stay = staying(p.Series, n, h, p.learned)
	}
	r.said = p.rehearse(n, h, from, stay)
	r.mid, r.weights = blend(p.Series, r.said, h, from, n)
	r.low, r.high = band(p.Series, p.cal, r.mid, h, from, n)
	return r
}

func (r *course) hour(s *Series, t int) Hour {
	return Hour{At: s.Start.Add(time.Duration(t) * time.Hour), Low: r.low[t], Mid: r.mid[t], High: r.high[t], Ahead: r.h}
}

// score judges the hours from a to b. Models are judged on hours of which all
// that are compared had something to say.
func (r *course) score(s *Series, a, b int) Score {
	out := Score{Ahead: r.h, Weights: r.weights[len(r.weights)-1]}
	var judged [Models]float64
	in, banded := 0.0, 0.0
	for t := a; t < b; t++ {
		y := value(s.Y, t)
		if math.IsNaN(y) || math.IsNaN(r.mid[t]) {
			continue
		}
		out.Hours++
		out.MAE += math.Abs(y - r.mid[t])
		for m := range Models {
			if v := r.said[m][t]; !math.IsNaN(v) {
				out.Of[m] += math.Abs(y - v)
				judged[m]++
			}
		}
		if math.IsNaN(r.low[t]) {
			continue
		}
		banded++
		in += number(y >= r.low[t] && y <= r.high[t])
		out.Pinball += (pinball(y, r.low[t], (1-Covers)/2) + pinball(y, r.mid[t], 0.5) + pinball(y, r.high[t], (1+Covers)/2)) / 3
	}
	out.MAE /= float64(out.Hours)
	for m := range Models {
		out.Of[m] /= judged[m]
	}
	out.Covered, out.Pinball = in/banded, out.Pinball/banded
	return out
}

func pinball(y, f, q float64) float64 { return max(q*(y-f), (q-1)*(y-f)) }

// Rehearsed is what would have been said of the hours from From to To, for those
// who judge the models on data of their own.
type Rehearsed struct {
	Low, Mid, High []float64
	Score          Score
	Of             [Models][]float64
}

// Rehearse says each hour of s from `from` on as if it were h hours ahead, and
// judges from `judge` on.
func Rehearse(s *Series, h, from, judge int) *Rehearsed {
	n := len(s.Y)
	r := newPast(s, n).run(n, h, from)
	return &Rehearsed{Low: r.low, Mid: r.mid, High: r.high, Score: r.score(s, judge, n), Of: *r.said}
}

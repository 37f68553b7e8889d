package incident

import (
	"math"
	"time"
)

// Precision is how often a rule was right, by the verdicts of people. Tests count
// for nothing.
type Precision struct {
	Detector string
	Real     int
	False    int
	Tests    int
	Reasons  map[string]int // what false alarms were
}

// FewestVerdicts are needed to say anything.
const FewestVerdicts = 5

// z is the quantile of the normal distribution for 95 % on both sides.
const z = 1.959963984540054

// Judged counts the verdicts that say something of the rule.
func (p *Precision) Judged() int { return p.Real + p.False }

// Share is the part that was real, with the bounds in which the true part lies in
// 95 of 100 cases. Of a few verdicts near 0 or 1 only Wilson's interval tells that
// (E. B. Wilson, Probable inference, the law of succession, and statistical
// inference, J. Am. Stat. Assoc. 22 (1927), 209-212). ok is false where there are
// too few.
func (p *Precision) Share() (share, low, high float64, ok bool) {
	n := float64(p.Judged())
	if p.Judged() < FewestVerdicts {
		return 0, 0, 0, false
	}
	share = float64(p.Real) / n
	middle := share + z*z/(2*n)
	half := z * math.Sqrt(share*(1-share)/n+z*z/(4*n*n))
	scale := 1 + z*z/n
	return share, max(0, (middle-half)/scale), min(1, (middle+half)/scale), true
}

// Verdicts selects what is judged. Nil sites: all.
type Verdicts struct {
	Sites     []string
	Detectors []string // nil: all
	From, To  time.Time
}

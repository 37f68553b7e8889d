package simulate

import (
	"cmp"
	"math"
	"slices"
)

// allocate shares out the power there is from now on and finds the next event.
//
// Modules come first, then the connection of the site: each car is limited by
// what its module leaves it, and the connection is shared within those limits.
// The sum of what is granted is built up by what is left, so that no limit is
// passed.
func (p *play) allocate() {
	site := &p.Scenario.Site
	p.order = p.order[:0]
	for i := range p.bays {
		if b := &p.bays[i]; b.plugged && !b.full {
			p.order = append(p.order, i)
			b.rate = b.most
		}
	}
	short := false
	for m, mod := range site.Modules {
		if mod.PowerW > 0 && p.cars[m] > 1 {
			short = p.share(mod.PowerW, m) || short
		}
	}
	if site.CapW > 0 {
		short = p.share(site.CapW, -1) || short
	}
	p.rate = 0
	for _, i := range p.order {
		b := &p.bays[i]
		p.rate += b.rate
		b.next = b.stays
		if b.rate > 0 {
			b.next = min(b.stays, p.now+max(0, b.left)/b.rate)
		}
	}
	p.out.MostW = max(p.out.MostW, p.rate)
	p.nextControl = math.Inf(1)
	if short && site.Rule == Laxity {
		p.nextControl = p.now + control
	}
	p.find()
}

// share limits the cars of a module, or all at -1, to a power; it reports
// whether that bound any.
func (p *play) share(power float64, module int) bool {
	list := make([]int, 0, 64)
	sum := 0.0
	for _, i := range p.order {
		if module < 0 || p.bays[i].Module == module {
			list = append(list, i)
			sum += p.bays[i].rate
		}
	}
	if sum <= power {
		return false
	}
	switch p.Scenario.Site.Rule {
	case First:
		slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(p.bays[a].since, p.bays[b].since) })
	case Laxity:
		slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(p.laxity(a), p.laxity(b)) })
	default:
		// Who takes least is served first: what it leaves is there for the rest.
		slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(p.bays[a].rate, p.bays[b].rate) })
	}
	for k, i := range list {
		grant := power
		if p.Scenario.Site.Rule == Equal {
			grant = power / float64(len(list)-k)
		}
		b := &p.bays[i]
		b.rate = min(b.rate, grant)
		power = max(0, power-b.rate)
	}
	return true
}

// laxity is the time a car could do without.
func (p *play) laxity(i int) float64 {
	b := &p.bays[i]
	return b.ends - p.now - b.left/b.most
}

package setting

import (
	"context"
	"slices"
	"strings"

	"github.com/chargewatch/chargewatch/internal/provision"
)

// Preview is what a profile would do if it were kept as it is.
type Preview struct {
	// Holds are the stations for which it would hold, Changes those that would be set
	// otherwise than they are to be now.
	Holds, Changes int
	Standing       *Standing // of the station that was asked about; nil: none was
}

// Preview tells what a profile would do, in place of the one with its id, and sets
// nothing. What is known of the station is what it said last.
func (s *Service) Preview(ctx context.Context, p *provision.Profile, station string) (*Preview, error) {
	now := s.o.Rules.Profiles()
	then := slices.DeleteFunc(slices.Clone(now), func(x *provision.Profile) bool { return x.ID == p.ID })
	then = append(then, p)
	out := &Preview{}
	snapshot := s.o.Journal.Snapshot()
	for st := range snapshot.Stations() {
		place := s.o.Rules.Place(st.ID)
		if place.Foreign || !served(st) {
			continue
		}
		of := s.as(st, &place)
		before, after := provision.For(now, &of), provision.For(then, &of)
		if slices.Contains(after.Profiles, p.ID) {
			out.Holds++
		}
		if !same(&before, &after) {
			out.Changes++
		}
	}
	if station == "" {
		return out, nil
	}
	st, ok := snapshot.Station(station)
	if !ok {
		return nil, ErrUnknown
	}
	place := s.o.Rules.Place(station)
	of := s.as(st, &place)
	plan := provision.For(then, &of)
	out.Standing = &Standing{State: NoPlan, Profiles: plan.Profiles, Restart: plan.Restart, Mend: plan.Mend, DC: of.DC}
	switch {
	case place.Foreign:
		out.Standing.State = Foreign
		return out, nil
	case len(plan.Wants) == 0 || !served(st):
		return out, nil
	}
	is, err := s.o.Memory.Settings(ctx, station, 0)
	if err != nil {
		return nil, err
	}
	forget(is, &plan)
	taken, err := s.o.Memory.Taken(ctx)
	if err != nil {
		return nil, err
	}
	var before []provision.Verdict
	if x, ok := s.Standing(station); ok {
		before = slices.DeleteFunc(slices.Clone(x.Verdicts), func(v provision.Verdict) bool { return v.State == provision.Unread })
		out.Standing.ReadAt = x.ReadAt
	}
	out.Standing.State = Waiting
	out.Standing.Verdicts = provision.Compare(&plan, is, taken[Make{st.Vendor, st.Model, st.Firmware, st.Protocol}], before)
	return out, nil
}

// forget takes out what nobody told: it is not known to be missing.
func forget(is map[string]*provision.Value, plan *provision.Plan) {
	for i := range plan.Wants {
		word := strings.ToLower(plan.Wants[i].Word)
		if v, ok := is[word]; ok && v.Text == nil {
			delete(is, word)
		}
	}
}

package app

import (
	"context"
	"fmt"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/week"
)

// hand is somebody of the simulated staff.
type hand struct {
	name, company string
	groups        []string
	cards         int // of the tokens that the network charges with
	lost          bool
	suspended     bool
	until         time.Duration // from now; zero: for good
	plate         string
}

func hands() []hand {
	return []hand{
		{name: "Jonas Brandt", groups: []string{"Technicians"}, cards: 1, plate: "HH CW 812"},
		{name: "Mara Lindqvist", groups: []string{"Technicians"}, cards: 2, lost: true},
		{name: "Samir Haddad", company: "Nordlicht Service", groups: []string{"Contractors"}, cards: 1, until: 40 * 24 * time.Hour},
		{name: "Petra Vogel", company: "Nordlicht Service", groups: []string{"Contractors"}, cards: 1, until: -6 * 24 * time.Hour},
		{name: "Ola Nyberg", company: "Hafenwacht", groups: []string{"Guards"}, cards: 1},
		{name: "Tess Okafor", company: "Hafenwacht", groups: []string{"Guards"}, cards: 1},
		{name: "Ruben Costa", groups: []string{"Fleet drivers"}, cards: 1, plate: "HH FL 204"},
		{name: "Ida Berg", groups: []string{"Fleet drivers"}, cards: 1, plate: "HH FL 219"},
		{name: "Emil Sandberg", groups: []string{"Fleet drivers"}, cards: 1, suspended: true},
		{name: "Yasmin Demir", groups: []string{"Fleet drivers"}},
	}
}

// staffPeople gives the simulated network people with cards, what they may do, and
// a lockdown for bad nights.
func (s *Server) staffPeople(ctx context.Context) error {
	st, by := s.Store, store.System
	known, err := st.Groups(ctx)
	if err != nil || len(known) > 0 {
		return err // they are there already
	}
	groups, companies := make(map[string]string), make(map[string]string)
	for _, name := range []string{"Technicians", "Contractors", "Guards", "Fleet drivers"} {
		x, err := st.SaveGroup(ctx, by, store.Named{Name: name})
		if err != nil {
			return fmt.Errorf("make the group %s: %w", name, err)
		}
		groups[name] = x.ID
	}
	for _, name := range []string{"Nordlicht Service", "Hafenwacht"} {
		x, err := st.SaveCompany(ctx, by, store.Named{Name: name})
		if err != nil {
			return fmt.Errorf("make the company %s: %w", name, err)
		}
		companies[name] = x.ID
	}
	cards, err := st.Credentials(ctx, "", "", 50)
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	for _, h := range hands() {
		x := store.Person{Person: access.Person{Company: companies[h.company], Suspended: h.suspended}, Name: h.name}
		for _, g := range h.groups {
			x.Groups = append(x.Groups, groups[g])
		}
		if h.until != 0 {
			x.Until = now.Add(h.until)
		}
		p, err := st.SavePerson(ctx, by, x)
		if err != nil {
			return fmt.Errorf("make a person: %w", err)
		}
		for i := range h.cards {
			if len(cards) == 0 {
				break
			}
			in := cards[0].Wish()
			in.Person, in.Label = p.ID, "Card"
			if h.lost && i == 0 {
				in.Status, in.Label = access.Blocked, "Card, lost"
			}
			if _, err := st.PutCredential(ctx, by, cards[0].ID, in); err != nil {
				return fmt.Errorf("hand out a card: %w", err)
			}
			cards = cards[1:]
		}
		if h.plate != "" {
			if _, err := st.PutCredential(ctx, by, "", store.CredentialInput{IDToken: h.plate, Kind: access.Plate, Person: p.ID, Label: "Van"}); err != nil {
				return fmt.Errorf("note a number plate: %w", err)
			}
		}
	}
	return s.staffPolicies(ctx, groups)
}

// staffPolicies says what the simulated staff may do.
func (s *Server) staffPolicies(ctx context.Context, groups map[string]string) error {
	st, by := s.Store, store.System
	off, err := st.SaveHolidays(ctx, by, store.Holidays{Name: "Public holidays", Days: holidaysFrom(time.Now().Year())})
	if err != nil {
		return fmt.Errorf("make days off: %w", err)
	}
	weekdays := week.On(time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday)
	shifts := make(map[string]string)
	for name, open := range map[string][]week.Span{
		"Early and late shift": {{Days: weekdays, From: 6 * 60, To: 22 * 60}, {Days: week.On(time.Saturday), From: 8 * 60, To: 14 * 60}},
		"Nights":               {{Days: week.Every, From: 20 * 60, To: 6 * 60}},
		"Office hours":         {{Days: weekdays, From: 8 * 60, To: 18 * 60}},
	} {
		x, err := st.SaveAccessSchedule(ctx, by, store.AccessSchedule{Schedule: access.Schedule{Name: name, Open: open, Calendar: off.ID, OnHoliday: usualAt(name)}})
		if err != nil {
			return fmt.Errorf("make the schedule %s: %w", name, err)
		}
		shifts[name] = x.ID
	}
	to := func(group string) []access.Principal { return []access.Principal{{Group: groups[group]}} }
	for _, row := range []access.Row{
		{Name: "Technicians on shift", To: to("Technicians"), Kinds: access.PlaceKinds(), Schedule: shifts["Early and late shift"]},
		{Name: "Contractors in office hours", To: to("Contractors"), Kinds: []access.PlaceKind{access.Gate, access.Cabinet}, Schedule: shifts["Office hours"], PIN: true},
		{Name: "Guards at night", To: to("Guards"), Kinds: []access.PlaceKind{access.Door, access.Gate, access.Barrier}, Schedule: shifts["Nights"]},
		{Name: "Fleet vehicles", To: to("Fleet drivers"), Kinds: []access.PlaceKind{access.Barrier, access.EVSE}},
	} {
		if _, err := st.SaveAccessRow(ctx, by, store.AccessRow{Row: row}); err != nil {
			return fmt.Errorf("make the policy %s: %w", row.Name, err)
		}
	}
	for _, x := range []access.Scenario{
		{Name: "Intruder in the yard", Except: to("Guards")},
		{Name: "Storm: nobody charges", Kinds: []access.PlaceKind{access.EVSE}},
	} {
		if _, err := st.SaveLockdown(ctx, by, store.Lockdown{Scenario: x}); err != nil {
			return fmt.Errorf("prepare the lockdown %s: %w", x.Name, err)
		}
	}
	_, err = st.SaveWrittenPolicy(ctx, by, store.WrittenPolicy{Written: access.Written{
		Name: "No plates at cabinets",
		Text: "forbid (principal, action, resource)\nwhen { principal.kind == \"plate\" && resource.kind == \"cabinet\" };",
	}})
	if err != nil {
		return fmt.Errorf("write a forbid: %w", err)
	}
	return nil
}

// holidaysFrom are the fixed holidays of this year and the next.
func holidaysFrom(year int) map[string]string {
	days := make(map[string]string)
	for y := year; y <= year+1; y++ {
		for day, name := range map[string]string{"01-01": "New Year", "05-01": "Labour Day", "10-03": "Unity Day", "12-25": "Christmas Day", "12-26": "Boxing Day"} {
			days[fmt.Sprintf("%d-%s", y, day)] = name
		}
	}
	return days
}

// usualAt keeps guards on duty on days off.
func usualAt(schedule string) access.OnHoliday {
	if schedule == "Nights" {
		return access.AsUsual
	}
	return access.Closed
}

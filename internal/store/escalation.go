package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
)

const maxEscalations = 200

// Escalation tells one after the other until somebody acknowledges.
type Escalation struct {
	ID        string    `json:"id,omitempty"`
	Name      string    `json:"name" minLength:"1" maxLength:"64"`
	Steps     []Step    `json:"steps" minItems:"1" maxItems:"20"`
	Rounds    int       `json:"rounds" required:"false" minimum:"1" maximum:"10" default:"1" doc:"how often all steps are gone through"`
	ChangedAt time.Time `json:"-"`
}

// Step tells its channels, and whoever is on call in its schedules.
type Step struct {
	AfterSeconds int      `json:"afterSeconds" required:"false" minimum:"0" maximum:"86400" doc:"after the incident opened, without an acknowledgement"`
	Channels     []string `json:"channels" required:"false" maxItems:"50"`
	Schedules    []string `json:"schedules" required:"false" maxItems:"20"`
}

func (x *Escalation) validate(channels, schedules map[string]bool) error {
	if x.Name = strings.TrimSpace(x.Name); x.Name == "" || len(x.Name) > 64 || !readable(x.Name, false) {
		return &InvalidError{"name", "1 to 64 printable characters"}
	}
	if len(x.Steps) == 0 || len(x.Steps) > 20 {
		return &InvalidError{"steps", "1 to 20"}
	}
	if x.Rounds == 0 {
		x.Rounds = 1
	}
	if x.Rounds < 1 || x.Rounds > 10 {
		return &InvalidError{"rounds", "must be 1 to 10"}
	}
	last := 0
	for i, step := range x.Steps {
		at := fmt.Sprintf("steps[%d]", i)
		if step.AfterSeconds < last || step.AfterSeconds > 86400 || i > 0 && step.AfterSeconds == last {
			return &InvalidError{at + ".afterSeconds", "must be later than the step before, at most a day"}
		}
		last = step.AfterSeconds
		if len(step.Channels)+len(step.Schedules) == 0 {
			return &InvalidError{at + ".channels", "a step without channels and schedules reaches nobody"}
		}
		if err := checkChannels(channels, at+".channels", step.Channels); err != nil {
			return err
		}
		for k, id := range step.Schedules {
			if !schedules[id] {
				return &InvalidError{fmt.Sprintf("%s.schedules[%d]", at, k), "no such schedule"}
			}
		}
	}
	if x.Rounds > 1 && last == 0 {
		return &InvalidError{"rounds", "a single step at once cannot be gone through again"}
	}
	return nil
}

// Escalations lists all escalations by name.
func (s *Store) Escalations(ctx context.Context) ([]Escalation, error) {
	return documents[Escalation](ctx, s, "escalations", func(x *Escalation, id string, at time.Time) { x.ID, x.ChangedAt = id, at })
}

// Escalation returns one escalation.
func (s *Store) Escalation(ctx context.Context, id string) (*Escalation, error) {
	return document[Escalation](ctx, s, "escalations", id, func(x *Escalation, id string, at time.Time) { x.ID, x.ChangedAt = id, at })
}

// SaveEscalation adds an escalation, or replaces the one of that id.
func (s *Store) SaveEscalation(ctx context.Context, by Actor, x Escalation) (*Escalation, error) {
	made := x.ID == ""
	if made {
		x.ID = newID("es-")
	}
	x.ChangedAt = fromMillis(millis(s.now()))
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		channels, err := knownChannels(tx)
		if err != nil {
			return err
		}
		schedules, err := idsOf(tx, `SELECT id FROM schedules`)
		if err != nil {
			return err
		}
		if err := x.validate(channels, schedules); err != nil {
			return err
		}
		if err := putDocument(tx, "escalations", maxEscalations, made, x.ID, x.Name, x, x.ChangedAt); err != nil {
			return err
		}
		return s.audit(tx, by, "escalation.save", "escalation/"+x.ID, map[string]any{"steps": len(x.Steps)})
	})
	if err != nil {
		return nil, err
	}
	return &x, nil
}

// DeleteEscalation removes an escalation that no route leads to.
func (s *Store) DeleteEscalation(ctx context.Context, by Actor, id string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		routing, err := readRouting(tx)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(routing.Routes, func(r Route) bool { return r.Escalation == id }); i >= 0 {
			return &InUseError{fmt.Sprintf("the route %q leads to it", routing.Routes[i].Name)}
		}
		if err := dropDocument(tx, "escalations", id); err != nil {
			return err
		}
		return s.audit(tx, by, "escalation.delete", "escalation/"+id, nil)
	})
}

package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// MaxModels bounds the operator's own entries of the model catalogue.
const MaxModels = 500

// Model is an entry of the model catalogue that the operator wrote. The fleet follows the
// event that says so, so it is kept as other decisions are.
type Model struct {
	fleet.OwnModel
	By        Actor
	ChangedAt time.Time
}

// Models returns the operator's own entries, by id.
func (s *Store) Models(ctx context.Context) ([]Model, error) {
	kept, err := s.Policies(ctx, fleet.PolicyModel)
	if err != nil {
		return nil, err
	}
	out := make([]Model, 0, len(kept))
	for _, p := range kept {
		m, err := modelOf(p)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// Model returns one of them.
func (s *Store) Model(ctx context.Context, id string) (Model, error) {
	p, err := s.Policy(ctx, fleet.PolicyModel, id)
	if err != nil {
		return Model{}, err
	}
	return modelOf(p)
}

func modelOf(p Policy) (Model, error) {
	m := Model{OwnModel: fleet.OwnModel{ID: p.ID}, By: p.By, ChangedAt: p.ChangedAt}
	if err := json.Unmarshal(p.Value, &m.Model); err != nil {
		return m, fmt.Errorf("model %s: %w", p.ID, err)
	}
	return m, nil
}

// CreateModel adds an entry.
func (s *Store) CreateModel(ctx context.Context, by Actor, m fleet.Model) (Model, error) {
	defer s.lock(fleet.PolicyModel).Unlock()
	return s.putModel(ctx, by, "model.create", fleet.OwnModel{ID: newID("mo-"), Model: m})
}

// ChangeModel says something else of a model.
func (s *Store) ChangeModel(ctx context.Context, by Actor, id string, change func(*fleet.Model)) (Model, error) {
	defer s.lock(fleet.PolicyModel).Unlock()
	old, err := s.Model(ctx, id)
	if err != nil {
		return Model{}, err
	}
	change(&old.Model)
	return s.putModel(ctx, by, "model.change", old.OwnModel)
}

// putModel commits an entry. The caller holds the lock of all.
func (s *Store) putModel(ctx context.Context, by Actor, action string, m fleet.OwnModel) (Model, error) {
	if err := m.Check(); err != nil {
		if f, ok := errors.AsType[*fleet.ModelFault](err); ok {
			return Model{}, &InvalidError{f.Field, f.Reason}
		}
		return Model{}, err
	}
	data, err := json.Marshal(m.Model)
	if err != nil {
		return Model{}, fmt.Errorf("encode model: %w", err)
	}
	all, err := s.Models(ctx)
	if err != nil {
		return Model{}, err
	}
	for _, x := range all {
		if x.ID != m.ID && strings.EqualFold(x.Vendor, m.Vendor) && strings.EqualFold(x.Model.Model, m.Model.Model) {
			return Model{}, fmt.Errorf("model %s %s: %w", m.Vendor, m.Model.Model, ErrExists)
		}
	}
	if len(all) >= MaxModels && action == "model.create" {
		return Model{}, fmt.Errorf("models: %w", ErrFull)
	}
	e := s.event(event.Self(), &event.Policy{Type: fleet.PolicyModel, ID: m.ID, Value: data, By: string(by)})
	return Model{OwnModel: m, By: by, ChangedAt: e.At}, s.append(ctx, e, func(tx *sql.Tx) error {
		if err := putPolicy(tx, Policy{Type: fleet.PolicyModel, ID: m.ID, Value: data, By: by, ChangedAt: e.At}); err != nil {
			return err
		}
		return s.audit(tx, by, action, "model/"+m.ID, map[string]any{"vendor": m.Vendor, "model": m.Model.Model, "evses": len(m.EVSEs)})
	})
}

// DeleteModel takes an entry back.
func (s *Store) DeleteModel(ctx context.Context, by Actor, id string) error {
	defer s.lock(fleet.PolicyModel).Unlock()
	e := s.event(event.Self(), &event.Policy{Type: fleet.PolicyModel, ID: id, By: string(by)})
	return s.append(ctx, e, func(tx *sql.Tx) error {
		if err := dropPolicy(tx, fleet.PolicyModel, id); err != nil {
			return err
		}
		return s.audit(tx, by, "model.delete", "model/"+id, nil)
	})
}

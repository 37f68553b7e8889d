package proof

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/store"
)

const (
	// sends is how often a password is sent before it is said that the station does
	// not take it.
	sends = 3
	// idleLook is how often is looked whether a station is there and nobody charges.
	idleLook = 5 * time.Second
	// returns is how long a station has to come again before it is disconnected once more.
	returns = 2 * time.Minute
)

// relayed is returned for stations that prove themselves to another system.
func relayed() error {
	return &store.InUseError{Reason: "the station is relayed: how it proves itself is between it and the system that it is relayed to"}
}

// Rotate gives a station another password, as soon as it is there and nobody charges.
func (s *Service) Rotate(ctx context.Context, by store.Actor, station string) (*store.Rotation, error) {
	if to, _ := s.o.Store.RelayOf(station); to != nil {
		return nil, relayed()
	}
	r, err := s.o.Store.BeginRotation(ctx, by, station)
	if err == nil {
		s.mu.Lock()
		delete(s.due, station)
		s.mu.Unlock()
		s.kick()
	}
	return r, err
}

// Proved is told of each password that was right when a station came.
func (s *Service) Proved(station string, which store.Password) {
	r, ok := s.o.Store.Rotation(station)
	if !ok || !r.Both() {
		return
	}
	s.mu.Lock()
	s.seen[station] = sight{which, s.o.Now()}
	delete(s.due, station)
	s.mu.Unlock()
	s.kick()
}

func (s *Service) sight(station string) sight {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[station]
}

func (s *Service) sawNext(r *store.Rotation) bool {
	return r.Both() && s.sight(r.Station).which == store.PasswordNext
}

// rotate does the next step of a rotation and says how long to wait for the one after.
func (s *Service) rotate(ctx context.Context, station string) (time.Duration, error) {
	r, ok := s.o.Store.Rotation(station)
	if !ok {
		return 0, nil
	}
	saw := s.sight(station)
	if saw.which == store.PasswordNext && r.Both() {
		if _, err := s.o.Store.FinishRotation(ctx, station); err != nil {
			return 0, fmt.Errorf("make the new password the one: %w", err)
		}
		s.mu.Lock()
		delete(s.seen, station)
		s.mu.Unlock()
		return 0, nil
	}
	switch r.State {
	case store.RotationWaiting, store.RotationSent:
		return s.sendPassword(ctx, r)
	case store.RotationAccepted, store.RotationReboot:
		if saw.which == store.PasswordCurrent && saw.at.After(r.SentAt) {
			return s.cameWithOld(ctx, r)
		}
		if r.State == store.RotationReboot {
			return s.restart(ctx, r)
		}
		if _, there := s.station(station); there {
			s.o.Stations.Disconnect(station, "it has a new password and is to come again with it")
		}
		return returns, nil
	}
	return 0, nil
}

// sendPassword sends the new password. That it was is on the disk before.
func (s *Service) sendPassword(ctx context.Context, r *store.Rotation) (time.Duration, error) {
	st, there := s.station(r.Station)
	if !there || charging(st) {
		return idleLook, nil
	}
	password, err := s.o.Store.NextPassword(r.Station)
	if err != nil {
		return 0, err
	}
	r, err = s.o.Store.MoveRotation(ctx, r.Station, func(r *store.Rotation) {
		r.State, r.SentAt, r.Attempts = store.RotationSent, s.o.Now(), r.Attempts+1
	})
	if err != nil {
		return 0, err
	}
	action, payload := passwordRequest(st, password)
	s.o.Stations.Hide(r.Station, password)
	said := word(s.o.Stations.Ask(ctx, r.By, r.Station, action, payload))
	if ctx.Err() != nil {
		return 0, nil // we are stopping; it was sent, and it is sent again
	}
	next, err := s.o.Store.MoveRotation(ctx, r.Station, func(r *store.Rotation) { s.hear(r, said) })
	if err != nil {
		return 0, err
	}
	switch next.State {
	case store.RotationAccepted:
		select {
		case <-time.After(s.o.Settle):
			s.o.Stations.Disconnect(r.Station, "it has a new password and is to come again with it")
		case <-ctx.Done():
		}
		return returns, nil
	case store.RotationSent:
		return time.Duration(next.Attempts) * s.o.Again, nil
	}
	return 0, nil
}

// hear takes in what a station said to its new password.
func (s *Service) hear(r *store.Rotation, said string) {
	r.Said = said
	switch {
	case said == "Accepted":
		r.State, r.SentAt = store.RotationAccepted, s.o.Now()
	case said == "RebootRequired":
		r.State, r.SentAt = store.RotationReboot, s.o.Now()
	case (said == "Rejected" || unable(said)) && r.Doubt:
		r.State = store.RotationKept // an earlier one may have been taken
	case said == "Rejected":
		r.State = store.RotationRejected
	case unable(said):
		r.State = store.RotationUnfit
	default: // nobody knows
		r.Doubt = true
		if r.Attempts >= sends {
			r.State = store.RotationKept
		}
	}
}

// cameWithOld is about a station that accepted and goes on as before: it gets the same
// password again, and in the end keeps the old one. Both go on to count, for it may
// come to use the new one after all.
func (s *Service) cameWithOld(ctx context.Context, r *store.Rotation) (time.Duration, error) {
	next, err := s.o.Store.MoveRotation(ctx, r.Station, func(r *store.Rotation) {
		r.State, r.Doubt = store.RotationWaiting, true
		if r.Attempts >= sends {
			r.State = store.RotationKept
		}
	})
	if err != nil || !next.State.Active() {
		return 0, err
	}
	return time.Duration(next.Attempts) * s.o.Again, nil
}

// restart has a station restarted that uses its new password only then, while nobody
// charges.
func (s *Service) restart(ctx context.Context, r *store.Rotation) (time.Duration, error) {
	st, there := s.station(r.Station)
	if !there || charging(st) {
		return idleLook, nil
	}
	kind := `{"type":"Soft"}`
	if st.Is2x() {
		kind = `{"type":"OnIdle"}`
	}
	s.o.Stations.Ask(ctx, r.By, r.Station, "Reset", json.RawMessage(kind))
	return 5 * time.Minute, nil
}

// passwordRequest is how a station is told a password: 1.6 moves it as hex digits of its
// bytes, 2.x as the characters.
func passwordRequest(st *fleet.Station, password string) (action string, payload json.RawMessage) {
	action, body := "ChangeConfiguration", any(map[string]string{"key": "AuthorizationKey", "value": password})
	if st.Is2x() {
		action = "SetVariables"
		body = map[string]any{"setVariableData": []any{map[string]any{
			"component": map[string]string{"name": "SecurityCtrlr"}, "variable": map[string]string{"name": "BasicAuthPassword"}, "attributeValue": password,
		}}}
	}
	payload, err := json.Marshal(body)
	if err != nil {
		return action, nil // it holds nothing that JSON refuses
	}
	return action, payload
}

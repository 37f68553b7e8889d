package uhppote

import (
	"context"
	"fmt"
	"maps"

	wire "github.com/chargewatch/chargewatch/internal/proto/uhppote"
	"github.com/chargewatch/chargewatch/internal/source/door"
)

var _ door.Enforcer = (*Board)(nil)

// passbacks and airlocks are what boards call the forms of access.BoardRules.
func passbacks() map[string]wire.Passback {
	return map[string]wire.Passback{
		"": wire.NoPassback, "1:2,3:4": wire.Passback12And34, "13:24": wire.Passback13To24, "1:23": wire.Passback1To23, "1:234": wire.Passback1To234,
	}
}

func airlocks() map[string]wire.Airlock {
	return map[string]wire.Airlock{
		"": wire.NoAirlock, "12": wire.Airlock12, "34": wire.Airlock34, "12,34": wire.Airlock12And34, "123": wire.Airlock123, "1234": wire.Airlock1234,
	}
}

// Passback reads which form of anti-passback it keeps.
func (b *Board) Passback(ctx context.Context) (string, error) {
	got, err := ask[*wire.PassbackReply](ctx, b, &wire.GetPassback{}, nil)
	if err != nil {
		return "", fmt.Errorf("read the anti-passback: %w", err)
	}
	for name, form := range maps.All(passbacks()) {
		if form == got.Passback {
			return name, nil
		}
	}
	return fmt.Sprintf("form %d", got.Passback), nil
}

// SetPassback makes it keep another.
func (b *Board) SetPassback(ctx context.Context, form string) error {
	x, ok := passbacks()[form]
	if !ok {
		return fmt.Errorf("anti-passback %q: %w", form, door.ErrRefused)
	}
	if err := b.order(ctx, &wire.SetPassback{Passback: x}, tries); err != nil {
		return fmt.Errorf("set the anti-passback: %w", err)
	}
	return nil
}

// SetAirlock makes it keep an interlock. It says that it was told, and nobody can ask it.
func (b *Board) SetAirlock(ctx context.Context, form string) error {
	x, ok := airlocks()[form]
	if !ok {
		return fmt.Errorf("interlock %q: %w", form, door.ErrRefused)
	}
	if err := b.order(ctx, &wire.SetAirlock{Airlock: x}, tries); err != nil {
		return fmt.Errorf("set the interlock: %w", err)
	}
	return nil
}

package access

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDecide(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	ok := Credential{ID: "c1", TokenID: "t1", Status: Accepted}
	with := func(change func(*Credential)) *Credential {
		c := ok
		change(&c)
		return &c
	}
	tests := map[string]struct {
		in   Request
		want Status
	}{
		"an unknown token is invalid":                 {Request{TokenID: "t1"}, Invalid},
		"an unknown token charges at a free site":     {Request{TokenID: "t1", FreeVend: true}, Accepted},
		"no token is invalid":                         {Request{}, Invalid},
		"no token charges at a free site":             {Request{FreeVend: true}, Accepted},
		"a valid credential is accepted":              {Request{TokenID: "t1", Credential: &ok}, Accepted},
		"a blocked one is blocked":                    {Request{TokenID: "t1", Credential: with(func(c *Credential) { c.Status = Blocked })}, Blocked},
		"a blocked one is blocked at a free site too": {Request{TokenID: "t1", FreeVend: true, Credential: with(func(c *Credential) { c.Status = Blocked })}, Blocked},
		"one set to expired has expired":              {Request{TokenID: "t1", Credential: with(func(c *Credential) { c.Status = Expired })}, Expired},
		"one past its time has expired":               {Request{TokenID: "t1", Credential: with(func(c *Credential) { c.ExpiresAt = now.Add(-time.Second) })}, Expired},
		"it expires at the very moment":               {Request{TokenID: "t1", Credential: with(func(c *Credential) { c.ExpiresAt = now })}, Expired},
		"before that it is accepted":                  {Request{TokenID: "t1", Credential: with(func(c *Credential) { c.ExpiresAt = now.Add(time.Second) })}, Accepted},
		"an invalid one is invalid":                   {Request{TokenID: "t1", Credential: with(func(c *Credential) { c.Status = Invalid })}, Invalid},
		"a word nobody knows is invalid":              {Request{TokenID: "t1", Credential: with(func(c *Credential) { c.Status = "Odd" })}, Invalid},
		"one in use elsewhere waits":                  {Request{TokenID: "t1", ActiveSessions: 1, Credential: with(func(c *Credential) { c.MaxConcurrent = 1 })}, ConcurrentTx},
		"one of two in use may start":                 {Request{TokenID: "t1", ActiveSessions: 1, Credential: with(func(c *Credential) { c.MaxConcurrent = 2 })}, Accepted},
		"no limit means any number":                   {Request{TokenID: "t1", ActiveSessions: 9, Credential: &ok}, Accepted},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			tc.in.Now = now
			got := Decide(tc.in)
			if got.Status != tc.want {
				t.Errorf("got %s (%s), want %s", got.Status, got.Reason, tc.want)
			}
			if got.Reason == "" {
				t.Error("a decision without a reason")
			}
		})
	}
}

// Nobody charges on a credential that people did not set to Accepted.
func TestOnlyAcceptedCredentialsAreAccepted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		c := Credential{
			Status:        rapid.SampledFrom([]Status{Accepted, Blocked, Expired, Invalid, ConcurrentTx, ""}).Draw(t, "status"),
			MaxConcurrent: rapid.IntRange(0, 3).Draw(t, "max"),
		}
		if rapid.Bool().Draw(t, "expires") {
			c.ExpiresAt = base.Add(time.Duration(rapid.IntRange(-10, 10).Draw(t, "in")) * time.Hour)
		}
		r := Request{
			Now: base, TokenID: "t", Credential: &c, FreeVend: rapid.Bool().Draw(t, "free"),
			ActiveSessions: rapid.IntRange(0, 3).Draw(t, "active"),
		}
		d := Decide(r)
		may := c.Status == Accepted && (c.ExpiresAt.IsZero() || c.ExpiresAt.After(base)) &&
			(c.MaxConcurrent == 0 || r.ActiveSessions < c.MaxConcurrent)
		if (d.Status == Accepted) != may {
			t.Fatalf("%+v decided %s", r, d.Status)
		}
	})
}

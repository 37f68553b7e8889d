// Package access decides who may start what.
//
// It is pure: the caller brings the moment, the credential and what is going
// on; the answer depends on nothing else, so a decision that was recorded with
// its event can be explained years later. A source asks before it appends and
// stores the decision in the event; nobody evaluates it again.
package access

import (
	"time"
)

// Status is a word of OCPP AuthorizationStatusEnumType that both 1.6 and 2.x
// know; ConcurrentTx is what a token gets that is charging elsewhere.
type Status string

// The statuses a credential can have or a decision can give.
const (
	Accepted     Status = "Accepted"
	Blocked      Status = "Blocked"
	Expired      Status = "Expired"
	Invalid      Status = "Invalid"
	ConcurrentTx Status = "ConcurrentTx"
)

// Credential is what people decided about a token.
type Credential struct {
	ID            string
	TokenID       string
	Status        Status
	ExpiresAt     time.Time // zero: never
	ParentTokenID string    // group of tokens that may stop each other's sessions
	MaxConcurrent int       // sessions at a time; zero: any number
}

// Request is a token shown at a plug.
type Request struct {
	Now            time.Time
	TokenID        string      // opaque; empty when the station sent none
	Credential     *Credential // nil when nobody knows the token
	FreeVend       bool        // the site lets anyone charge
	ActiveSessions int         // open sessions of this token, the asking one left out
}

// Decision is the answer, with its reason in words for people.
type Decision struct {
	Status        Status
	Reason        string
	CredentialID  string
	ParentTokenID string
	ExpiresAt     time.Time
}

// Decide answers a request. A free-vend site accepts what nobody has decided
// about, or no token at all; a credential that people blocked stays blocked
// there.
func Decide(r Request) Decision {
	c := r.Credential
	if c == nil {
		switch {
		case r.FreeVend:
			return Decision{Status: Accepted, Reason: "the site lets anyone charge"}
		case r.TokenID == "":
			return Decision{Status: Invalid, Reason: "no token was shown"}
		}
		return Decision{Status: Invalid, Reason: "the token is not known"}
	}
	d := Decision{CredentialID: c.ID, ParentTokenID: c.ParentTokenID, ExpiresAt: c.ExpiresAt}
	switch {
	case c.Status == Blocked:
		d.Status, d.Reason = Blocked, "the credential is blocked"
	case c.Status == Expired, !c.ExpiresAt.IsZero() && !r.Now.Before(c.ExpiresAt):
		d.Status, d.Reason = Expired, "the credential has expired"
	case c.Status != Accepted:
		d.Status, d.Reason = Invalid, "the credential is not valid"
	case c.MaxConcurrent > 0 && r.ActiveSessions >= c.MaxConcurrent:
		d.Status, d.Reason = ConcurrentTx, "the credential is in use elsewhere"
	default:
		d.Status, d.Reason = Accepted, "the credential is valid"
	}
	return d
}

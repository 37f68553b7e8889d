// Package access decides who may enter where and who may charge.
//
// It is pure: the caller brings the moment, the credential and the place; the
// answer depends on these and on the rows that people wrote, so a decision that
// was recorded with its event can be explained years later. A source asks before
// it appends and stores the decision in the event; nobody evaluates it again.
//
// The rows say who may do what, where and when. Policies in the Cedar language
// (docs.cedarpolicy.com) are made of them and decide; what a row says, Row tells
// in words, and a test holds the two against each other. Nothing is allowed that
// no row permits, and an error in a policy is a refusal.
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

// Kind is what a credential is made of.
type Kind string

// Kinds of credentials. A plate is read by a camera or told by another system; a
// pass is a code on a screen that dies with its work order.
const (
	RFID  Kind = "rfid"
	PIN   Kind = "pin"
	Pass  Kind = "pass"
	Plate Kind = "plate"
	// Duress is a code that somebody gives who is made to open: a door takes it for the
	// person's PIN, and we call for help. By itself it decides nothing.
	Duress Kind = "duress"
)

// Coded reports whether it is digits that people type in.
func (k Kind) Coded() bool { return k == PIN || k == Duress }

// Credential is what people decided about a token.
type Credential struct {
	ID            string
	TokenID       string
	Kind          Kind   // empty: rfid
	Person        string // whose it is; empty: nobody's by name
	Status        Status
	From          time.Time // zero: from the beginning
	ExpiresAt     time.Time // zero: never
	ParentTokenID string    // group of tokens that may stop each other's sessions
	MaxConcurrent int       // sessions at a time; zero: any number
}

// Request is a token shown at a plug or a door.
type Request struct {
	Now            time.Time
	TokenID        string      // opaque; empty when none was sent
	Credential     *Credential // nil when nobody knows the token
	Person         *Person     // whose credential it is; nil: nobody's by name
	FreeVend       bool        // the site lets anyone charge
	ActiveSessions int         // open sessions of this token, the asking one left out

	Action   Action
	Place    Place
	Zone     *time.Location // of the site; nil: UTC
	PINGiven bool           // beside another credential, and right
}

// Code is the kind of a reason, for those who say it in another language.
type Code string

// Codes of decisions.
const (
	Allowed      Code = "allowed"      // by the row that Policy names
	Free         Code = "free"         // the site lets anyone charge
	NoToken      Code = "noToken"      //
	Unknown      Code = "unknown"      // nobody decided about the token
	IsBlocked    Code = "blocked"      //
	HasExpired   Code = "expired"      //
	NotYet       Code = "notYet"       //
	NotValid     Code = "notValid"     //
	InUse        Code = "inUse"        // more sessions than it may have at a time
	Suspended    Code = "suspended"    // the person
	NoRight      Code = "noRight"      // no row is about this person here
	OutsideHours Code = "outsideHours" // of the row that Policy names
	Holiday      Code = "holiday"      // of the row that Policy names
	NotInForce   Code = "notInForce"   // the row that Policy names was before, or will be
	NeedsPIN     Code = "needsPin"     // the row that Policy names
	Lockdown     Code = "lockdown"     // Policy names the scenario
	Forbidden    Code = "forbidden"    // by the written policy that Policy names
	PolicyFault  Code = "policyFault"  // a policy could not be evaluated
	UnknownPlace Code = "unknownPlace"
)

// Decision is the answer, with its reason in words for people.
type Decision struct {
	Status        Status
	Code          Code
	Policy        string // id of the row, scenario or written policy that decided
	Reason        string
	Fault         string // what is wrong with a policy: a finding
	CredentialID  string
	Person        string
	ParentTokenID string
	ExpiresAt     time.Time
}

// Decide answers a request by the credential alone. A free-vend site accepts what
// nobody has decided about, or no token at all; a credential that people blocked
// stays blocked there.
func Decide(r Request) Decision {
	c := r.Credential
	if c == nil {
		switch {
		case r.FreeVend:
			return Decision{Status: Accepted, Code: Free, Reason: "the site lets anyone charge"}
		case r.TokenID == "":
			return Decision{Status: Invalid, Code: NoToken, Reason: "no token was shown"}
		}
		return Decision{Status: Invalid, Code: Unknown, Reason: "the token is not known"}
	}
	d := Decision{CredentialID: c.ID, Person: c.Person, ParentTokenID: c.ParentTokenID, ExpiresAt: c.ExpiresAt}
	switch {
	case c.Status == Blocked:
		d.Status, d.Code, d.Reason = Blocked, IsBlocked, "the credential is blocked"
	case c.Status == Expired, !c.ExpiresAt.IsZero() && !r.Now.Before(c.ExpiresAt):
		d.Status, d.Code, d.Reason = Expired, HasExpired, "the credential has expired"
	case c.Status != Accepted, c.Kind == Duress:
		d.Status, d.Code, d.Reason = Invalid, NotValid, "the credential is not valid"
	case r.Now.Before(c.From):
		d.Status, d.Code, d.Reason = Invalid, NotYet, "the credential is not valid yet"
	case c.MaxConcurrent > 0 && r.ActiveSessions >= c.MaxConcurrent:
		d.Status, d.Code, d.Reason = ConcurrentTx, InUse, "the credential is in use elsewhere"
	default:
		d.Status, d.Code, d.Reason = Accepted, Allowed, "the credential is valid"
	}
	return d
}

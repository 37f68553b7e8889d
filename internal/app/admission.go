package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/source/station"
	"github.com/chargewatch/chargewatch/internal/store"
)

// admission answers the endpoint's questions from the store: who may connect,
// whose token may charge.
type admission struct {
	store    *store.Store
	journal  *journal.Journal
	protocol string // of stations that name none
	upstream *upstreams
	proofs   *proofs
}

var (
	_ station.Directory  = (*admission)(nil)
	_ station.Authorizer = (*admission)(nil)
)

func (a *admission) Enrolled(identity string) (station.Enrolment, bool) {
	e, ok := a.store.Station(identity)
	if !ok {
		return station.Enrolment{}, false
	}
	out := station.Enrolment{Onboarding: e.Onboarding, Profile: e.Profile, CertSubject: e.CertSubject, DefaultProtocol: a.protocol}
	out.Certificate = a.proofs.certificate(identity)
	out.Weaker = func(profile int) { a.proofs.Weaker(identity, profile) }
	if e.HasPassword() {
		out.Verify, out.Why = a.proofs.verify(e)
	}
	to, observers := a.store.RelayOf(identity)
	if to == nil {
		return out, true
	}
	out.Upstream = a.upstream.as(to)
	for _, o := range observers {
		out.Observers = append(out.Observers, a.upstream.as(o))
	}
	return out, true
}

func (a *admission) Pend(ctx context.Context, identity, remoteAddr string, accept bool) error {
	if err := store.ValidIdentity(identity); err != nil {
		return fmt.Errorf("note %q: %w", identity, err)
	}
	onboarding := event.OnboardingPending
	if accept {
		onboarding = event.OnboardingAccepted
	}
	_, err := a.store.Announce(ctx, store.Announcement{ID: identity, RemoteAddr: remoteAddr, Onboarding: onboarding})
	if errors.Is(err, store.ErrFull) {
		return station.ErrFull
	}
	return err
}

func (a *admission) Describe(ctx context.Context, identity string, boot *event.Boot) error {
	n := store.Announcement{ID: identity, Vendor: boot.Vendor, Model: boot.Model, Serial: boot.Serial, Onboarding: event.OnboardingPending}
	if e, ok := a.store.Station(identity); ok {
		n.RemoteAddr, n.Onboarding = e.RemoteAddr, e.Onboarding
	}
	if st, ok := a.journal.Snapshot().Station(identity); ok {
		n.Protocol = st.Protocol
	}
	_, err := a.store.Announce(ctx, n)
	return err
}

func (a *admission) Refused(identity, remoteAddr, reason string) {
	a.store.RefuseHandshake(identity, remoteAddr, reason)
}

func (a *admission) Name(ctx context.Context, t station.Token) (string, error) {
	return a.store.Intern(ctx, t.Type, t.Value)
}

func (a *admission) Authorize(ctx context.Context, id string, evse int, t station.Token, start bool) (station.Decision, error) {
	r := access.Request{Now: time.Now(), Action: access.Charge, Place: access.Place{
		ID: event.Port(id, evse, 0).String(), Kind: access.EVSE, Within: event.Station(id).String(),
	}}
	if e, ok := a.store.Station(id); ok {
		r.Place.Site, r.FreeVend, r.Zone = e.SiteID, a.store.FreeVend(e.SiteID), a.store.ZoneOf(e.SiteID)
	}
	if t.Value != "" {
		tokenID, c, err := a.store.Lookup(ctx, t.Type, t.Value)
		if err != nil {
			return station.Decision{}, fmt.Errorf("look up token: %w", err)
		}
		r.TokenID, r.Credential = tokenID, c
		if c != nil && c.Person != "" {
			r.Person, _ = a.store.PersonOf(c.Person)
		}
		if c != nil && c.MaxConcurrent > 0 {
			r.ActiveSessions = active(a.journal.Snapshot(), tokenID, id, evse)
		}
	}
	d := a.decide(r, id, evse)
	out := station.Decision{TokenID: r.TokenID, Status: string(d.Status), Reason: d.Reason, ExpiresAt: d.ExpiresAt}
	if d.ParentTokenID != "" {
		parent, ok, err := a.store.TokenByID(ctx, d.ParentTokenID)
		if err != nil {
			return station.Decision{}, fmt.Errorf("look up parent token: %w", err)
		}
		if ok {
			out.ParentID = parent.Value
		}
	}
	return out, nil
}

// decide answers for an EVSE. A station that asks before it knows at which, as all
// of OCPP 1.6 do, is told what holds at one of them: the start is decided again.
func (a *admission) decide(r access.Request, id string, evse int) access.Decision {
	book := a.store.Book()
	d := book.Decide(r)
	if evse != 0 || d.Status == access.Accepted {
		return d
	}
	if st, ok := a.journal.Snapshot().Station(id); ok {
		for i := range st.EVSEs {
			r.Place.ID = event.Port(id, st.EVSEs[i].ID, 0).String()
			if at := book.Decide(r); at.Status == access.Accepted {
				return at
			}
		}
	}
	return d
}

// active counts the token's open sessions at other ports.
func active(s *fleet.Snapshot, tokenID, id string, evse int) int {
	n := 0
	for st := range s.Stations() {
		for i := range st.EVSEs {
			x := st.EVSEs[i].Session
			if x != nil && x.TokenID == tokenID && !(st.ID == id && (evse == 0 || st.EVSEs[i].ID == evse)) {
				n++
			}
		}
	}
	return n
}

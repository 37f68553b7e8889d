package proof

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/pki"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Ways is how stations come in.
type Ways interface {
	// Way is where a station can come by a security profile: an address of ours without
	// its identity, empty if it did not say where it found us. Not ok: there is none.
	Way(station string, profile int) (url string, ok bool)
	// Roots are the authorities of our certificates there that stations have to know;
	// none where we do not know them ourselves.
	Roots(profile int) []*x509.Certificate
	// Ends are when certificates of ours end.
	Ends() []event.CertificateEnd
}

// What has to be so before a station can use a higher security profile.
const (
	NeedsListener    = "listener"    // an address of ours that serves the profile
	NeedsAddress     = "address"     // 2.x: known, as it is sent to the station
	NeedsRoot        = "root"        // the station knows the authority of our certificate
	NeedsPassword    = "password"    // profile 2
	NeedsCertificate = "certificate" // profile 3: one that the station took and that is good for a while
	NeedsSpoken      = "spoken"      // the station was here: its version of OCPP is known
)

// How a precondition stands.
const (
	Met     = "met"
	Missing = "missing"
	Unknown = "unknown"
)

// Precondition is one thing that has to be so, and how it stands.
type Precondition struct {
	Name  string
	State string
	// Optional says that somebody may do without: a station can know an authority
	// without saying so.
	Optional bool
}

// goodFor is how long a certificate has to be good for a station to be sent away with it.
const goodFor = 7 * 24 * time.Hour

// Preconditions are those of a security profile at a station, as far as is known without
// asking it, and the address where it would come.
func (s *Service) Preconditions(ctx context.Context, station string, to int, url string) ([]Precondition, string, error) {
	e, ok := s.o.Store.Station(station)
	if !ok {
		return nil, "", fmt.Errorf("station %s: %w", station, store.ErrNotFound)
	}
	state := func(ok bool) string {
		if ok {
			return Met
		}
		return Missing
	}
	st, known := s.o.Fleet.Snapshot().Station(station)
	spoken := known && st.Protocol != ""
	way, served := s.o.Ways.Way(station, to)
	if url == "" {
		url = way
	}
	out := []Precondition{
		{Name: NeedsSpoken, State: state(spoken)},
		{Name: NeedsListener, State: state(served), Optional: true}, // another machine may end TLS before us
	}
	if spoken && st.Is2x() {
		out = append(out, Precondition{Name: NeedsAddress, State: state(url != "")})
	}
	root, err := s.rootAt(ctx, station, to)
	if err != nil {
		return nil, "", err
	}
	out = append(out, Precondition{Name: NeedsRoot, State: root, Optional: true})
	if to == 2 {
		out = append(out, Precondition{Name: NeedsPassword, State: state(e.HasPassword())})
	} else {
		out = append(out, Precondition{Name: NeedsCertificate, State: state(s.certified(station))})
	}
	return out, url, nil
}

// certified reports a certificate that a station took and that is good for a while.
func (s *Service) certified(station string) bool {
	return slices.ContainsFunc(s.o.Store.StationCertificates(station), func(x *store.StationCertificate) bool {
		return x.State == store.CertificateAccepted && s.o.Now().Add(goodFor).Before(x.NotAfter)
	})
}

// rootAt says whether a station knows an authority of our certificate, by what it said
// last.
func (s *Service) rootAt(ctx context.Context, station string, to int) (string, error) {
	roots := s.o.Ways.Roots(to)
	have, asked, err := s.o.Store.InstalledCertificates(ctx, station)
	switch {
	case err != nil:
		return "", err
	case len(roots) == 0 || asked.IsZero():
		return Unknown, nil
	}
	for _, root := range roots {
		if !slices.ContainsFunc(have, func(x store.InstalledCertificate) bool { return IsRoot(x, root) }) {
			return Missing, nil
		}
	}
	return Met, nil
}

// IsRoot reports whether what a station has is a root for the server that it comes to.
func IsRoot(x store.InstalledCertificate, root *x509.Certificate) bool {
	return (x.Type == "CSMSRootCertificate" || x.Type == "CentralSystemRootCertificate") &&
		pki.Named{HashAlgorithm: x.HashAlgorithm, IssuerNameHash: x.IssuerNameHash, IssuerKeyHash: x.IssuerKeyHash, SerialNumber: x.Serial}.Is(root)
}

// rootUse is what roots for the server are called.
func rootUse(st *fleet.Station) string {
	if st.Is2x() {
		return "CSMSRootCertificate"
	}
	return "CentralSystemRootCertificate"
}

// AskRoots has a station say which roots for the server it has.
func (s *Service) AskRoots(ctx context.Context, by store.Actor, station string) event.CommandResult {
	st, there := s.station(station)
	if !there {
		return event.CommandResult{Status: "offline"}
	}
	use := any(rootUse(st))
	if st.Is2x() {
		use = []any{use}
	}
	payload, err := json.Marshal(map[string]any{"certificateType": use})
	if err != nil {
		return event.CommandResult{Status: "refused", Description: err.Error()}
	}
	return s.o.Stations.Ask(ctx, by, station, "GetInstalledCertificateIds", payload)
}

// Raise has a station use a higher security profile, as soon as it is there and nobody
// charges. A station that is not known to have our root is asked before.
func (s *Service) Raise(ctx context.Context, by store.Actor, wish store.Upgrade) (*store.Upgrade, error) {
	if to, _ := s.o.Store.RelayOf(wish.Station); to != nil {
		return nil, relayed()
	}
	var err error
	for asked := false; ; {
		var needs []Precondition
		if needs, wish.URL, err = s.Preconditions(ctx, wish.Station, wish.To, wish.URL); err != nil {
			return nil, err
		}
		if root := slices.IndexFunc(needs, func(p Precondition) bool { return p.Name == NeedsRoot && p.State != Met }); root >= 0 && !asked &&
			!slices.Contains(wish.Without, NeedsRoot) && len(s.o.Ways.Roots(wish.To)) > 0 {
			if asked = true; s.AskRoots(ctx, by, wish.Station).Status == answered {
				continue
			}
		}
		for _, p := range needs {
			if p.State != Met && !(p.Optional && slices.Contains(wish.Without, p.Name)) {
				return nil, &store.InUseError{Reason: unmet(p.Name)}
			}
		}
		break
	}
	if _, ok := s.o.Fleet.Snapshot().Station(wish.Station); ok {
		u, err := s.o.Store.BeginUpgrade(ctx, by, wish)
		s.kick()
		return u, err
	}
	return nil, store.ErrNotFound
}

// unmet says what is missing.
func unmet(name string) string {
	switch name {
	case NeedsSpoken:
		return "the station was never connected"
	case NeedsListener:
		return "no address of this server serves this security profile"
	case NeedsAddress:
		return "the address of this server is not known as the station reaches it: give one"
	case NeedsRoot:
		return "the station does not say that it knows the authority of our certificate: install it first"
	case NeedsPassword:
		return "the station has no password"
	}
	return "the station has no certificate that is good for another week"
}

// Lower gives up raising a station's profile. What the station did already stays; what
// it had before goes on to be enough.
func (s *Service) Lower(ctx context.Context, by store.Actor, station string) (*store.Upgrade, error) {
	return s.o.Store.MoveUpgrade(ctx, by, station, func(u *store.Upgrade) {
		if u.State.Active() {
			u.State = store.UpgradeAbandoned
		}
	})
}

// risen reports that a station came by the profile that it is to use.
func risen(u *store.Upgrade, st *fleet.Station) bool {
	return (u.State.Active() || u.State.Told()) && st.SecurityProfile >= u.To
}

// raisable reports whether a step can be done now.
func (s *Service) raisable(u *store.Upgrade) bool {
	st, there := s.station(u.Station)
	if there && risen(u, st) {
		return true
	}
	now := s.o.Now()
	if s.dueAt(u.Station).After(now) {
		return false
	}
	switch u.State {
	case store.UpgradeWaiting, store.UpgradeSetting, store.UpgradeRestarting:
		return there && !charging(st) && !u.DueAt.After(now)
	case store.UpgradeReturning:
		return !s.until(u).After(now)
	}
	return false
}

// until is how long a station has to return: while we were down it could not.
func (s *Service) until(u *store.Upgrade) time.Time {
	if since := s.begun.Add(s.o.Return); since.After(u.DueAt) && s.begun.After(u.SentAt) {
		return since
	}
	return u.DueAt
}

// raise does the next step of an upgrade. Before each the row says that it was begun, so
// that a crash leads to a step twice and never to one that nobody knows of.
func (s *Service) raise(ctx context.Context, station string) error {
	u, ok := s.o.Store.Upgrade(station)
	e, known := s.o.Store.Station(station)
	if !ok || !known {
		return nil
	}
	st, there := s.station(station)
	if u.State.Active() && e.Profile != u.From {
		return s.moveUpgrade(ctx, station, func(u *store.Upgrade) { u.State = store.UpgradeAbandoned })
	}
	if there && risen(u, st) {
		_, err := s.o.Store.FinishUpgrade(ctx, station)
		return err
	}
	switch u.State {
	case store.UpgradeWaiting, store.UpgradeSetting:
		if !there || charging(st) {
			return nil
		}
		return s.setProfile(ctx, u, st)
	case store.UpgradeRestarting:
		if !there || charging(st) {
			return nil
		}
		return s.restartFor(ctx, u, st)
	case store.UpgradeReturning:
		return s.moveUpgrade(ctx, station, func(u *store.Upgrade) {
			u.State = store.UpgradeMissing
			if there {
				u.State = store.UpgradeFellBack
			}
		})
	}
	return nil
}

func (s *Service) moveUpgrade(ctx context.Context, station string, change func(*store.Upgrade)) error {
	_, err := s.o.Store.MoveUpgrade(ctx, store.System, station, change)
	return err
}

// setProfile tells a station its profile.
func (s *Service) setProfile(ctx context.Context, u *store.Upgrade, st *fleet.Station) error {
	if st.Is2x() && u.Slot == 0 {
		slot, priority, said := s.room(ctx, u)
		if ctx.Err() != nil {
			return nil
		}
		if slot == 0 {
			return s.moveUpgrade(ctx, u.Station, func(u *store.Upgrade) { s.hearProfile(u, said) })
		}
		u = new(*u)
		u.Slot, u.Priority = slot, priority
	}
	if err := s.moveUpgrade(ctx, u.Station, func(x *store.Upgrade) {
		x.State, x.SentAt, x.Attempts = store.UpgradeSetting, s.o.Now(), x.Attempts+1
		x.Slot, x.Priority = u.Slot, u.Priority
	}); err != nil {
		return err
	}
	said := s.tellProfile(ctx, u, st)
	if ctx.Err() != nil {
		return nil // we are stopping; it is told again
	}
	return s.moveUpgrade(ctx, u.Station, func(u *store.Upgrade) { s.hearProfile(u, said) })
}

// tellProfile sends what makes a station use the profile from its next start on.
func (s *Service) tellProfile(ctx context.Context, u *store.Upgrade, st *fleet.Station) string {
	if !st.Is2x() {
		return s.say(ctx, u, "ChangeConfiguration", map[string]string{"key": "SecurityProfile", "value": strconv.Itoa(u.To)})
	}
	version := "OCPP20"
	if strings.HasPrefix(st.Protocol, "ocpp2.1") {
		version = "OCPP21"
	}
	by := u.Interface
	if by == "" {
		by = "Wired0"
		if st.ICCID != "" {
			by = "Wireless0"
		}
	}
	said := s.say(ctx, u, "SetNetworkProfile", map[string]any{"configurationSlot": u.Slot, "connectionData": map[string]any{
		"ocppVersion": version, "ocppTransport": "JSON", "ocppCsmsUrl": u.URL, "messageTimeout": 30, "securityProfile": u.To, "ocppInterface": by,
	}})
	if said != "Accepted" {
		return said
	}
	// The way that it came by stays behind the new one: a station that does not get
	// through comes back as before.
	return s.say(ctx, u, "SetVariables", map[string]any{"setVariableData": []any{map[string]any{
		"component": priorityOf.Component, "variable": priorityOf.Variable, "attributeValue": strconv.Itoa(u.Slot) + "," + u.Priority,
	}}})
}

type named struct {
	Name string `json:"name"`
}

type variable struct {
	Component named `json:"component"`
	Variable  named `json:"variable"`
}

var priorityOf = variable{named{"OCPPCommCtrlr"}, named{"NetworkConfigurationPriority"}}

// room asks a station of 2.x which ways it has, and chooses a place for another one.
func (s *Service) room(ctx context.Context, u *store.Upgrade) (slot int, priority, said string) {
	payload, err := json.Marshal(map[string]any{"getVariableData": []any{priorityOf}})
	if err != nil {
		return 0, "", err.Error()
	}
	o := s.o.Stations.Ask(ctx, u.By, u.Station, "GetVariables", payload)
	if o.Status != answered {
		return 0, "", word(o)
	}
	var r struct {
		Result []struct {
			Status string `json:"attributeStatus"`
			Value  string `json:"attributeValue"`
		} `json:"getVariableResult"`
	}
	if json.Unmarshal(o.Response, &r) != nil || len(r.Result) == 0 {
		return 0, "", "unreadable"
	}
	if r.Result[0].Status != "Accepted" {
		return 0, "", r.Result[0].Status
	}
	var ways []string
	for _, w := range strings.Split(r.Result[0].Value, ",") {
		if n, err := strconv.Atoi(strings.TrimSpace(w)); err == nil && n >= 0 && len(ways) < 20 {
			ways = append(ways, strconv.Itoa(n))
		}
	}
	if len(ways) == 0 {
		return 0, "", "unreadable"
	}
	for slot = 1; slices.Contains(ways, strconv.Itoa(slot)); slot++ {
	}
	return slot, strings.Join(ways, ","), ""
}

// say asks a station and returns its word.
func (s *Service) say(ctx context.Context, u *store.Upgrade, action string, body any) string {
	payload, err := json.Marshal(body)
	if err != nil {
		return err.Error()
	}
	return word(s.o.Stations.Ask(ctx, u.By, u.Station, action, payload))
}

// hearProfile takes in what a station said to its new profile.
func (s *Service) hearProfile(u *store.Upgrade, said string) {
	u.Said = said
	switch {
	case !u.State.Active(): // somebody gave it up meanwhile
	case said == "Accepted", said == "RebootRequired":
		u.State, u.SentAt, u.Attempts, u.DueAt = store.UpgradeRestarting, s.o.Now(), 0, s.o.Now().Add(s.o.Settle)
	case said == "Rejected", said == "Failed":
		u.State = store.UpgradeRejected
	case unable(said):
		u.State = store.UpgradeUnfit
	case u.Attempts >= sends:
		u.State = store.UpgradeUnanswered
	default:
		if u.State == store.UpgradeWaiting {
			u.Attempts++
		}
		u.DueAt = s.o.Now().Add(time.Duration(u.Attempts) * s.o.Again)
	}
}

// restartFor has a station start again, so that it uses its new profile. Where it does
// not, its connection ends: some use it from the next one on.
func (s *Service) restartFor(ctx context.Context, u *store.Upgrade, st *fleet.Station) error {
	kind := "Soft"
	if st.Is2x() {
		kind = "OnIdle"
	}
	said := s.say(ctx, u, "Reset", map[string]string{"type": kind})
	if ctx.Err() != nil {
		return nil
	}
	taken := said == "Accepted" || said == "Scheduled"
	last := false
	err := s.moveUpgrade(ctx, u.Station, func(u *store.Upgrade) {
		u.Said, u.Attempts = said, u.Attempts+1
		last = u.Attempts >= sends
		if u.State != store.UpgradeRestarting {
			return
		}
		if u.DueAt = s.o.Now().Add(time.Duration(u.Attempts) * s.o.Again); taken || last {
			u.State, u.DueAt = store.UpgradeReturning, s.o.Now().Add(s.o.Return)
		}
	})
	if err == nil && !taken && last {
		s.o.Stations.Disconnect(u.Station, "it has a new security profile and is to come again by it")
	}
	return err
}

package proof

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/pki"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Authority is the root that the server stands under.
type Authority interface {
	// MakeRoot makes the next one and keeps it beside the one in use; it may be called
	// again and gives the same.
	MakeRoot() (*x509.Certificate, error)
	// UseRoot has the server stand under a root from now on: under the one that was made,
	// or under one that the files of the operator stand under already. It may be called
	// again after a crash.
	UseRoot(root *x509.Certificate, made bool) error
	// DropRoot forgets the one that was made and is not used.
	DropRoot() error
}

// InstallRoot gives a station a root for the server and has it say which it has.
func (s *Service) InstallRoot(ctx context.Context, by store.Actor, station string, root *x509.Certificate) (has, said string) {
	st, there := s.station(station)
	if !there {
		return store.HoldWaiting, "offline"
	}
	payload, err := json.Marshal(map[string]string{"certificateType": rootUse(st), "certificate": pki.Text(root)})
	if err != nil {
		return store.HoldWaiting, err.Error()
	}
	switch said = word(s.o.Stations.Ask(ctx, by, station, "InstallCertificate", payload)); {
	case said == "Rejected", said == "Failed":
		return store.HoldRefused, said
	case unable(said):
		return store.HoldUnfit, said
	case said != "Accepted":
		return store.HoldWaiting, said
	}
	names, listed, _ := s.names(ctx, by, st)
	switch {
	case !listed:
		return store.HoldTook, said
	case slices.ContainsFunc(names, func(n pki.Named) bool { return n.Is(root) }):
		return store.HoldHas, said
	}
	return store.HoldRefused, "Accepted, but it does not list it"
}

// names are how a station names the roots for the server that it has; not listed: it does
// not say, or was not heard.
func (s *Service) names(ctx context.Context, by store.Actor, st *fleet.Station) (names []pki.Named, listed, heard bool) {
	o := s.AskRoots(ctx, by, st.ID)
	heard = o.Status == answered || o.ErrorCode != ""
	var r struct {
		Status string      `json:"status"`
		Hashes []pki.Named `json:"certificateHashData"`
		Chains []struct {
			Type string    `json:"certificateType"`
			Hash pki.Named `json:"certificateHashData"`
		} `json:"certificateHashDataChain"`
	}
	if o.Status != answered || json.Unmarshal(o.Response, &r) != nil || r.Status != "Accepted" && r.Status != "NotFound" {
		return nil, false, heard
	}
	names = r.Hashes
	for _, c := range r.Chains {
		if c.Type == "CSMSRootCertificate" {
			names = append(names, c.Hash)
		}
	}
	return names, true, heard
}

// ErrRootInUse is returned for a root that the server stands under.
var ErrRootInUse = errors.New("the server stands under this root: a station without it would not come back")

// DeleteRoot has a station delete a root, named as the station names it.
func (s *Service) DeleteRoot(ctx context.Context, by store.Actor, station string, name pki.Named) (string, error) {
	for _, profile := range []int{2, 3} {
		if slices.ContainsFunc(s.o.Ways.Roots(profile), name.Is) {
			return "", &store.InUseError{Reason: ErrRootInUse.Error()}
		}
	}
	if c, err := s.o.Store.RootChange(ctx); err != nil {
		return "", err
	} else if c != nil && c.State.Active() {
		if root, err := pki.ReadRoot([]byte(c.Root)); err == nil && name.Is(root) {
			return "", &store.InUseError{Reason: ErrRootInUse.Error()}
		}
	}
	payload, err := json.Marshal(map[string]any{"certificateHashData": name})
	if err != nil {
		return "", fmt.Errorf("write a request: %w", err)
	}
	return word(s.o.Stations.Ask(ctx, by, station, "DeleteCertificate", payload)), nil
}

// Known are the roots that stations have to know now.
func (s *Service) Known() []*x509.Certificate {
	var out []*x509.Certificate
	for _, profile := range []int{2, 3} {
		for _, c := range s.o.Ways.Roots(profile) {
			if !slices.ContainsFunc(out, c.Equal) {
				out = append(out, c)
			}
		}
	}
	return out
}

// ChangeRoot begins to bring another root to stations: one that is made here, or the given.
func (s *Service) ChangeRoot(ctx context.Context, by store.Actor, given string) (*store.RootChange, error) {
	old := s.Known()
	if len(old) == 0 {
		return nil, &store.InUseError{Reason: "the root of this server is not known: no address of it serves TLS, or its chain ends below its root"}
	}
	if c, err := s.o.Store.RootChange(ctx); err != nil || c != nil && c.State.Active() {
		return nil, errors.Join(err, &store.InUseError{Reason: "the root of the server is being changed already"})
	}
	x := store.RootChange{Made: given == ""}
	var root *x509.Certificate
	var err error
	if x.Made {
		root, err = s.o.Authority.MakeRoot()
	} else if root, err = pki.ReadRoot([]byte(given)); err != nil {
		err = &store.InvalidError{Field: "certificate", Reason: err.Error()}
	}
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(old, root.Equal) {
		return nil, &store.InvalidError{Field: "certificate", Reason: "the server stands under it already"}
	}
	x.Root = pki.Text(root)
	for _, c := range old {
		x.Old += pki.Text(c)
	}
	c, err := s.o.Store.BeginRootChange(ctx, by, x)
	s.kick()
	return c, err
}

// RootProgress is how far the change of the root is.
type RootProgress struct {
	*store.RootChange
	// Stations that were let in, by what they did with the new root: all, those that
	// have it, that refused it, that do not know the request, that are not asked as they
	// are relayed, and that were not there yet.
	Stations, Has, Refused, Unfit, Relayed, Waiting int
	// Old is by how many the old one was deleted and kept.
	Gone, Kept int
	// ByTLS is how many come by TLS, or have to.
	ByTLS int
	// Lacking are those that come by TLS and are not known to have the new root: the
	// server is lost to them once it stands under it.
	Lacking []RootLack
}

// RootLack is a station without the new root, and why.
type RootLack struct{ Station, Why, Said string }

// RootProgress is how far the change of the root is that is under way or was the last;
// nil: there was none.
func (s *Service) RootProgress(ctx context.Context) (*RootProgress, error) {
	c, err := s.o.Store.RootChange(ctx)
	if c == nil || err != nil {
		return nil, err
	}
	holds, err := s.o.Store.RootHolds(ctx)
	if err != nil {
		return nil, err
	}
	out, snap := &RootProgress{RootChange: c}, s.o.Fleet.Snapshot()
	for _, e := range s.o.Store.Stations() {
		if e.Onboarding != event.OnboardingAccepted {
			continue
		}
		out.Stations++
		h, why := holds[e.ID], "waiting"
		to, _ := s.o.Store.RelayOf(e.ID)
		switch {
		case h.Has == store.HoldHas, h.Has == store.HoldTook:
			why = ""
			out.Has++
		case to != nil:
			why = "relayed"
			out.Relayed++
		case h.Has == store.HoldRefused:
			why = h.Has
			out.Refused++
		case h.Has == store.HoldUnfit:
			why = h.Has
			out.Unfit++
		default:
			out.Waiting++
		}
		switch h.Old {
		case store.HoldGone:
			out.Gone++
		case store.HoldKept:
			out.Kept++
		}
		st, ok := snap.Station(e.ID)
		if e.Profile < 2 && !(ok && (st.SecurityProfile >= 2 || st.TLS != "")) {
			continue
		}
		out.ByTLS++
		if why != "" {
			out.Lacking = append(out.Lacking, RootLack{e.ID, why, h.Said})
		}
	}
	return out, nil
}

// SwitchRoot has the server stand under the new root. Every station that comes by TLS has
// it, or is named.
func (s *Service) SwitchRoot(ctx context.Context, by store.Actor, without []string) error {
	p, err := s.RootProgress(ctx)
	if err != nil {
		return err
	}
	if p == nil {
		return store.ErrNotFound
	}
	for _, x := range p.Lacking {
		if !slices.Contains(without, x.Station) {
			return &store.InUseError{Reason: fmt.Sprintf("%d stations that come by TLS do not have the new root and are not named", len(p.Lacking))}
		}
	}
	if _, err := s.o.Store.MoveRootChange(ctx, by, store.RootSwitching, without, store.RootInstalling); err != nil {
		return err
	}
	if err := s.useRoot(ctx); err != nil {
		_, back := s.o.Store.MoveRootChange(ctx, by, store.RootInstalling, nil, store.RootSwitching)
		return errors.Join(&store.InUseError{Reason: err.Error()}, back)
	}
	return nil
}

// useRoot does what was decided; again after a crash. Who comes second finds it done.
func (s *Service) useRoot(ctx context.Context) error {
	s.using.Lock()
	defer s.using.Unlock()
	c, err := s.o.Store.RootChange(ctx)
	if err != nil || c == nil || c.State != store.RootSwitching {
		return err
	}
	root, err := pki.ReadRoot([]byte(c.Root))
	if err != nil {
		return err
	}
	if err := s.o.Authority.UseRoot(root, c.Made); err != nil {
		return err
	}
	_, err = s.o.Store.MoveRootChange(ctx, c.By, store.RootSwitched, nil, store.RootSwitching)
	return err
}

// RemoveOldRoot begins to delete the old root from stations.
func (s *Service) RemoveOldRoot(ctx context.Context, by store.Actor) error {
	_, err := s.o.Store.MoveRootChange(ctx, by, store.RootRemoving, nil, store.RootSwitched)
	s.kick()
	return err
}

// FinishRoot ends a change; stations that kept the old root keep it.
func (s *Service) FinishRoot(ctx context.Context, by store.Actor) error {
	_, err := s.o.Store.MoveRootChange(ctx, by, store.RootDone, nil, store.RootSwitched, store.RootRemoving)
	return err
}

// AbandonRoot gives a change up before the server stands under the new root.
func (s *Service) AbandonRoot(ctx context.Context, by store.Actor) error {
	c, err := s.o.Store.MoveRootChange(ctx, by, store.RootAbandoned, nil, store.RootInstalling)
	if err != nil || !c.Made {
		return err
	}
	return s.o.Authority.DropRoot()
}

// rootLook is how often is looked which stations are to get a root.
const rootLook = 5 * time.Second

// roots goes on with a change of the root.
func (s *Service) roots(ctx context.Context, group *sync.WaitGroup) {
	now := s.o.Now()
	if now.Sub(s.rooted) < rootLook && s.rootless {
		return
	}
	s.rooted = now
	c, err := s.o.Store.RootChange(ctx)
	if s.rootless = err == nil && (c == nil || !c.State.Active()); s.rootless || err != nil {
		return
	}
	if c.State == store.RootSwitching {
		if err := s.useRoot(ctx); err != nil && ctx.Err() == nil {
			s.o.Logger.WarnContext(ctx, "the server does not stand under its new root", "err", err)
		}
		return
	}
	holds, err := s.o.Store.RootHolds(ctx)
	if err != nil || c.State != store.RootInstalling && c.State != store.RootRemoving {
		return
	}
	for st := range s.o.Fleet.Snapshot().Stations() {
		h := holds[st.ID]
		h.Station = st.ID
		done := h.Has != store.HoldWaiting
		if c.State == store.RootRemoving {
			done = h.Old != ""
		}
		late := h.Attempts > 0 && now.Sub(h.At) < time.Duration(min(h.Attempts, 30))*s.o.Again
		if _, there := s.station(st.ID); done || late || !there || st.Onboarding != event.OnboardingAccepted || s.dueAt(st.ID).After(now) {
			continue
		}
		s.begin(ctx, group, st.ID, func() (time.Duration, error) { return 0, s.root(ctx, c, h) })
	}
}

// root gives a station the new root, or takes the old one from it.
func (s *Service) root(ctx context.Context, c *store.RootChange, h store.RootHold) error {
	h.Attempts++
	root, err := pki.ReadRoot([]byte(c.Root))
	if err != nil {
		return err
	}
	if c.State == store.RootInstalling {
		h.Has, h.Said = s.InstallRoot(ctx, c.By, h.Station, root)
	} else {
		h.Old, h.Said = s.removeOld(ctx, c, h.Station)
	}
	if ctx.Err() != nil {
		return nil
	}
	if h.Has != "" && c.State == store.RootInstalling {
		h.Attempts = 0
	}
	return s.o.Store.PutRootHold(ctx, h)
}

// removeOld has a station delete the roots from before. One that is not known to have the
// new one keeps them.
func (s *Service) removeOld(ctx context.Context, c *store.RootChange, station string) (old, said string) {
	st, there := s.station(station)
	if !there {
		return "", "offline"
	}
	root, err := pki.ReadRoot([]byte(c.Root))
	if err != nil {
		return "", err.Error()
	}
	names, listed, heard := s.names(ctx, c.By, st)
	if !heard {
		return "", "unanswered" // nobody knows
	}
	if !listed {
		return store.HoldKept, "it does not say which roots it has"
	}
	if !slices.ContainsFunc(names, func(n pki.Named) bool { return n.Is(root) }) {
		return store.HoldKept, "it does not have the new one"
	}
	before, err := pki.ReadRoots([]byte(c.Old))
	if err != nil {
		return "", err.Error()
	}
	old = store.HoldGone
	for _, n := range names {
		if !slices.ContainsFunc(before, n.Is) || n.Is(root) {
			continue
		}
		said, err = s.DeleteRoot(ctx, c.By, station, n)
		switch {
		case err != nil:
			return store.HoldKept, err.Error()
		case said == "Accepted", said == "NotFound":
		case said == "Failed", unable(said):
			old = store.HoldKept
		default:
			return "", said // nobody knows
		}
	}
	return old, said
}

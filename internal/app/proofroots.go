package app

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"time"

	"github.com/chargewatch/chargewatch/internal/campaign"
	"github.com/chargewatch/chargewatch/internal/pki"
	"github.com/chargewatch/chargewatch/internal/proof"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

func rootShape(c *x509.Certificate) web.RootCertificateShape {
	return web.RootCertificateShape{
		Fingerprint: store.FingerprintOf(c.Raw), Subject: c.Subject.String(), NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(),
		DaysLeft: int(time.Until(c.NotAfter).Hours() / 24), Certificate: pki.Text(c),
	}
}

// StationRoots is what the server's certificate stands under, and its change.
func (p *proofs) StationRoots(ctx context.Context) (web.StationRootsShape, error) {
	out := web.StationRootsShape{Roots: []web.RootCertificateShape{}}
	for _, c := range p.Known() {
		out.Roots = append(out.Roots, rootShape(c))
	}
	c, err := p.RootProgress(ctx)
	if c == nil || err != nil {
		return out, err
	}
	root, err := pki.ReadRoot([]byte(c.Root))
	if err != nil {
		return out, err
	}
	x := &web.RootChangeShape{
		State: c.State, Made: c.Made, Root: rootShape(root), StartedAt: c.StartedAt, Stations: c.Stations, Has: c.Has, Refused: c.Refused, Unfit: c.Unfit,
		Relayed: c.Relayed, Waiting: c.Waiting, Gone: c.Gone, Kept: c.Kept, Lacking: []web.RootLackShape{}, LackingAll: len(c.Lacking), ByTLS: c.ByTLS, Without: len(c.Without),
	}
	if !c.SwitchedAt.IsZero() {
		x.SwitchedAt = &c.SwitchedAt
	}
	if !c.FinishedAt.IsZero() {
		x.FinishedAt = &c.FinishedAt
	}
	for _, l := range c.Lacking[:min(len(c.Lacking), 1000)] {
		x.Lacking = append(x.Lacking, web.RootLackShape(l))
	}
	out.Change = x
	return out, nil
}

// rootNames names the roots that the server stands under, and those that it changes from
// or to.
type rootNames struct{ now, other []*x509.Certificate }

// RootNames tells which of the roots that stations keep are ours.
func (p *proofs) RootNames(ctx context.Context) web.RootNames {
	out := &rootNames{now: p.Known()}
	c, err := p.s.Store.RootChange(ctx)
	if c == nil || err != nil {
		return out
	}
	for _, text := range []string{c.Root, c.Old} {
		if found, err := pki.ReadRoots([]byte(text)); err == nil {
			out.other = append(out.other, found...)
		}
	}
	return out
}

func (r *rootNames) Now() int { return len(r.now) }

func (r *rootNames) Name(x store.InstalledCertificate) (name string, ours bool) {
	for _, c := range r.now {
		if proof.IsRoot(x, c) {
			return c.Subject.CommonName, true
		}
	}
	for _, c := range r.other {
		if proof.IsRoot(x, c) {
			return c.Subject.CommonName, false
		}
	}
	return "", false
}

// rootOf is the root that somebody gave, or ours.
func (p *proofs) rootOf(text string) (*x509.Certificate, error) {
	if text != "" {
		c, err := pki.ReadRoot([]byte(text))
		if err != nil {
			return nil, &store.InvalidError{Field: "certificate", Reason: err.Error()}
		}
		return c, nil
	}
	own := p.Known()
	if len(own) == 0 {
		return nil, &store.InUseError{Reason: "the root of this server is not known: no address of it serves TLS, or its chain ends below its root"}
	}
	return own[0], nil
}

// GiveRoot installs a root in a station.
func (p *proofs) GiveRoot(ctx context.Context, by store.Actor, station, text string) (has, said string, err error) {
	root, err := p.rootOf(text)
	if err != nil {
		return "", "", err
	}
	has, said = p.InstallRoot(ctx, by, station, root)
	return has, said, nil
}

// TakeRoot has a station delete a root.
func (p *proofs) TakeRoot(ctx context.Context, by store.Actor, station string, name web.CertificateName) (string, error) {
	return p.DeleteRoot(ctx, by, station, pki.Named(name))
}

// bulkRoot installs a root in each station.
type bulkRoot struct{ ofProof }

var (
	_ campaign.Kind       = (*bulkRoot)(nil)
	_ campaign.Repeatable = (*bulkRoot)(nil)
	_ campaign.Restricted = (*bulkRoot)(nil)
)

func (*bulkRoot) Name() string { return "root" }

func (k *bulkRoot) root(params json.RawMessage) (*x509.Certificate, error) {
	var p struct {
		Certificate string `json:"certificate"`
	}
	if err := json.Unmarshal(params, &p); err != nil {
		return nil, &store.InvalidError{Field: "certificate", Reason: "PEM of a root, or nothing"}
	}
	return k.s.proofs.rootOf(p.Certificate)
}

func (k *bulkRoot) Check(params json.RawMessage) error {
	_, err := k.root(params)
	return err
}

func (k *bulkRoot) Fits(_ context.Context, station string, _ json.RawMessage) string {
	_, skip := k.enrolled(station)
	return skip
}

func (k *bulkRoot) Do(ctx context.Context, station string, params json.RawMessage, _ int) campaign.Result {
	root, err := k.root(params)
	if err != nil {
		return campaign.Result{State: campaign.Failed, Code: "refused", Text: err.Error()}
	}
	switch has, said := k.s.proofs.InstallRoot(ctx, campaign.ByOf(ctx), station, root); has {
	case store.HoldHas:
		return campaign.Result{State: campaign.Done, Code: "Accepted", Text: "The station lists it."}
	case store.HoldTook:
		return campaign.Result{State: campaign.Done, Code: "Accepted", Text: "The station took it and does not say which roots it has."}
	case store.HoldWaiting:
		return campaign.Result{State: campaign.Waiting, Code: said, RetryAt: time.Now().Add(time.Minute)}
	case store.HoldUnfit:
		return campaign.Result{State: campaign.Failed, Code: "unfit", Text: "The station said " + said + "."}
	default:
		return campaign.Result{State: campaign.Failed, Code: "rejected", Text: "The station said " + said + "."}
	}
}

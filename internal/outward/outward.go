// Package outward is how we reach addresses that somebody typed in.
//
// It promises that no setting makes us talk to ourselves or to what only this
// machine can see: every connection is checked at the moment it is made, against
// the address that the name resolved to, so that a name which changes its mind
// changes nothing. Loopback, link-local and multicast are out of reach unless
// they are named, our own ports unless they are named with the port, private
// networks unless they are allowed. Redirects are not followed.
package outward

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"
)

// ErrDenied is returned for an address that is out of reach.
var ErrDenied = errors.New("the address is not allowed; see --allow-net")

// Options configures a Guard.
type Options struct {
	// Allow are networks that are within reach though they are not public.
	Allow []netip.Prefix
	// Exactly are single ports that are within reach, ours or not.
	Exactly []netip.AddrPort
	// Also returns single ports that came into reach while the server runs, such as
	// those of simulated devices; nil: none.
	Also func() []netip.AddrPort
	// Own returns the ports that this server listens on.
	Own func() []int
}

// Guard decides which addresses are within reach.
type Guard struct{ o Options }

// New returns a guard.
func New(o Options) *Guard { return &Guard{o} }

// ParseAllow reads the items of --allow-net: networks, addresses, and addresses
// with a port.
func ParseAllow(list []string) (nets []netip.Prefix, exactly []netip.AddrPort, err error) {
	for _, text := range list {
		text = strings.TrimSpace(text)
		if p, err := netip.ParsePrefix(text); err == nil {
			nets = append(nets, p)
		} else if a, err := netip.ParseAddr(text); err == nil {
			nets = append(nets, netip.PrefixFrom(a, a.BitLen()))
		} else if ap, err := netip.ParseAddrPort(text); err == nil {
			exactly = append(exactly, ap)
		} else {
			return nil, nil, fmt.Errorf("%q is not a network like 10.0.0.0/8, an address or an address with a port", text)
		}
	}
	return nets, exactly, nil
}

// sharedSpace is what providers use behind their own address translation.
func sharedSpace() netip.Prefix { return netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64, 0, 0}), 10) }

// Check says whether an address may be reached.
func (g *Guard) Check(ap netip.AddrPort) error {
	addr := ap.Addr().Unmap().WithZone("")
	exact := netip.AddrPortFrom(addr, ap.Port())
	if slices.Contains(g.o.Exactly, exact) || g.o.Also != nil && slices.Contains(g.o.Also(), exact) {
		return nil
	}
	if g.ours(addr, int(ap.Port())) {
		return fmt.Errorf("%s is a port of this server: %w", ap, ErrDenied)
	}
	if slices.ContainsFunc(g.o.Allow, func(p netip.Prefix) bool { return p.Contains(addr) }) {
		return nil
	}
	if !addr.IsGlobalUnicast() || addr.IsPrivate() || sharedSpace().Contains(addr) || wrapped(addr) {
		return fmt.Errorf("%s: %w", ap.Addr(), ErrDenied)
	}
	return nil
}

// wrapped reports an IPv6 address that carries an IPv4 one, which a translator
// on the way would take out of it.
func wrapped(a netip.Addr) bool {
	if !a.Is6() {
		return false
	}
	b := a.As16()
	nat64 := [12]byte{0x00, 0x64, 0xff, 0x9b}
	return [12]byte(b[:12]) == nat64 || b[0] == 0x20 && b[1] == 0x02 || [12]byte(b[:12]) == [12]byte{}
}

// ours reports an address and port that this server listens on.
func (g *Guard) ours(addr netip.Addr, port int) bool {
	if g.o.Own == nil || !slices.Contains(g.o.Own(), port) {
		return false
	}
	if addr.IsLoopback() || addr.IsUnspecified() {
		return true
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return true // better to refuse than to talk to ourselves
	}
	return slices.ContainsFunc(own, func(a net.Addr) bool {
		n, ok := a.(*net.IPNet)
		if !ok {
			return false
		}
		ip, ok := netip.AddrFromSlice(n.IP)
		return ok && ip.Unmap() == addr
	})
}

// Dial connects to host:port, checking what the name resolves to as the
// connection is made.
func (g *Guard) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: 10 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("read the address: %w", err)
		}
		return g.Check(ap)
	}}
	return d.DialContext(ctx, network, address)
}

// Client returns an HTTP client that dials through the guard, uses no proxy and
// follows no redirect.
func (g *Guard) Client(roots *tls.Config) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext: g.Dial, TLSClientConfig: roots, ForceAttemptHTTP2: true,
			TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 20 * time.Second,
			IdleConnTimeout: 60 * time.Second, MaxIdleConns: 20, MaxIdleConnsPerHost: 1, MaxConnsPerHost: 4,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

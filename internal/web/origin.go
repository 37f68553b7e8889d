package web

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
)

type (
	remoteKey struct{}
	hostKey   struct{}
)

// remote is the address a request came from, behind trusted proxies too.
func remote(ctx context.Context) netip.Addr {
	addr, _ := ctx.Value(remoteKey{}).(netip.Addr)
	return addr
}

// clientAddr finds who sent a request: walking X-Forwarded-For from its end as
// long as the one who wrote it is a trusted proxy.
func clientAddr(r *http.Request, trusted []netip.Prefix) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr := ap.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(addr) }) {
			break
		}
		next, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		addr = next.Unmap()
	}
	return addr
}

// sameOrigin is the check for upgrades, which pass CrossOriginProtection as
// safe requests. Scripts send no Origin.
func sameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

// protect wraps everything: who asks, headers, same origin for writes that a
// cookie could authorise, and a bound on what is read.
func (s *Server) protect(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, problemf(http.StatusForbidden, "a write from another origin"))
	}))
	next = s.recover(compress(next))
	guarded := cross.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", s.policy())
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(self), geolocation=(self), microphone=(), payment=(), usb=()")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if s.o.Secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if strings.HasPrefix(r.URL.Path, "/api/") {
			h.Set("Cache-Control", "no-store")
			h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		}
		ctx := context.WithValue(r.Context(), remoteKey{}, clientAddr(r, s.o.TrustedProxies))
		r = r.WithContext(context.WithValue(ctx, hostKey{}, r.Host))
		if r.Header.Get("Authorization") != "" {
			next.ServeHTTP(w, r) // no cookie counts, so no browser can be misused
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

// recover turns a panic into a problem document and a line in the log.
func (s *Server) recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if what := recover(); what != nil && what != http.ErrAbortHandler {
				s.log.ErrorContext(r.Context(), "request panicked", "method", r.Method, "what", what, "stack", string(debug.Stack()))
				writeProblem(w, problemf(http.StatusInternalServerError, "something went wrong on our side"))
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// CheckExposure refuses an address that would send passwords in the clear:
// HTTP off loopback needs TLS, or a proxy in front that has it.
func CheckExposure(listen string, tls, behindProxy bool) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("listen address %q: %w", listen, err)
	}
	if tls || behindProxy || host == "localhost" {
		return nil
	}
	if addr, err := netip.ParseAddr(host); err == nil && addr.Unmap().IsLoopback() {
		return nil
	}
	return fmt.Errorf("listen address %q is not loopback: use TLS (--tls auto or a folder), or --behind-proxy if a proxy in front has it", listen)
}

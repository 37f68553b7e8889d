package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/chargewatch/chargewatch/internal/store"
)

const base = "/api/v1"

// Need is what a route asks of whoever calls it. The zero Need cannot be
// registered.
type Need struct {
	kind       needKind
	permission Permission
	fresh      bool // the password was given within the last 15 min
	permit     bool // an order on which the caller works at {station}, or at the site of {camera}, does as well; the handler narrows it
}

type needKind uint8

const (
	needNothing    needKind = iota + 1 // anyone
	needSigned                         // a body that is signed with the secret of {camera}, its site or {controller}
	needSignIn                         // a session or token, whatever its grants
	needGlobal                         // the permission for all sites
	needFiltered                       // the permission at some site; the handler filters by its Scope
	needStation                        // the permission at the site of path parameter {station}
	needSite                           // the permission at path parameter {site}
	needCamera                         // the permission at the site of path parameter {camera}
	needFilmed                         // the same, and the camera may be one that was removed
	needDoor                           // the permission at the site of path parameter {door}
	needController                     // the permission at the site of path parameter {controller}
	needOutput                         // the permission at the site of path parameter {output}
)

func anyone() Need                   { return Need{kind: needNothing} }
func bySignature() Need              { return Need{kind: needSigned} }
func signedIn() Need                 { return Need{kind: needSignIn} }
func global(p Permission) Need       { return Need{kind: needGlobal, permission: p} }
func filtered(p Permission) Need     { return Need{kind: needFiltered, permission: p} }
func atStation(p Permission) Need    { return Need{kind: needStation, permission: p} }
func atSite(p Permission) Need       { return Need{kind: needSite, permission: p} }
func atCamera(p Permission) Need     { return Need{kind: needCamera, permission: p} }
func atFilmed(p Permission) Need     { return Need{kind: needFilmed, permission: p} }
func atDoor(p Permission) Need       { return Need{kind: needDoor, permission: p} }
func atController(p Permission) Need { return Need{kind: needController, permission: p} }
func atOutput(p Permission) Need     { return Need{kind: needOutput, permission: p} }
func (n Need) reauthenticated() Need { n.fresh = true; return n }
func (n Need) orPermit() Need        { n.permit = true; return n }

// Route is what was registered, for the tests that walk them all.
type Route struct {
	Method, Path string
	Need         Need
	OperationID  string
}

// reauthFor is how long giving the password counts.
const reauthFor = 15 * time.Minute

type principalKey struct{}

// who returns the principal of a request; routes for anyone have none.
func who(ctx context.Context) *Principal {
	p, _ := ctx.Value(principalKey{}).(*Principal)
	return p
}

// scope is where the caller may use a permission.
func scope(ctx context.Context, permission Permission) Scope {
	if p := who(ctx); p != nil {
		return p.Scope(permission)
	}
	return Scope{}
}

// add registers a typed route of the API. Everything goes through here or
// through raw; both ask admit.
func add[I, O any](s *Server, need Need, op huma.Operation, handler func(context.Context, *I) (*O, error)) {
	s.note(op.Method, base+op.Path, need, op.OperationID)
	op.Middlewares = append(op.Middlewares, func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		p, err := s.admit(r, need)
		inner := ctx.Context()
		if err == nil && need.kind == needSigned {
			var by signer
			by, err = s.admitSigned(w, r)
			inner = context.WithValue(inner, signerKey{}, by)
		}
		if err != nil {
			writeProblem(w, s.problem(r.Context(), err))
			return
		}
		next(huma.WithContext(ctx, context.WithValue(inner, principalKey{}, p)))
	})
	switch need.kind {
	case needNothing:
	case needSigned:
		op.Security = []map[string][]string{{"signature": {}}}
	default:
		op.Security = []map[string][]string{{"session": {}}, {"token": {}}}
	}
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return out, nil
	})
}

// raw registers a route that is not plain JSON.
func (s *Server) raw(method, path string, need Need, handler http.HandlerFunc) {
	s.note(method, path, need, "")
	s.mux.HandleFunc(strings.TrimSpace(method+" "+path), func(w http.ResponseWriter, r *http.Request) {
		p, err := s.admit(r, need)
		if err != nil {
			writeProblem(w, s.problem(r.Context(), err))
			return
		}
		handler(w, r.WithContext(context.WithValue(r.Context(), principalKey{}, p)))
	})
}

func (s *Server) note(method, path string, need Need, id string) {
	if need.kind == 0 || need.permission == "" && need.kind > needSignIn {
		panic("web: route " + method + " " + path + " without a permission")
	}
	s.routes = append(s.routes, Route{Method: method, Path: path, Need: need, OperationID: id})
}

// Routes lists what was registered.
func (s *Server) Routes() []Route { return s.routes }

// admit decides whether a request may reach its handler.
func (s *Server) admit(r *http.Request, need Need) (*Principal, error) {
	if need.kind == needNothing || need.kind == needSigned {
		return nil, nil
	}
	p, err := s.authenticate(r)
	if err != nil {
		return nil, err
	}
	if p.User != nil && p.User.MustSet && need.kind != needSignIn {
		return nil, problemf(http.StatusForbidden, "set a password first")
	}
	if need.kind == needSignIn {
		return p, nil
	}
	scope := p.Scope(need.permission)
	switch need.kind {
	case needGlobal:
		if !scope.All() {
			return nil, errForbidden
		}
	case needFiltered:
		if scope.Empty() {
			return nil, errForbidden
		}
	case needStation:
		site, ok := s.siteOf(r.PathValue("station"))
		if ok && scope.Allows(site) {
			break
		}
		if need.permit {
			order, err := s.permit(r.Context(), p, r.PathValue("station"))
			if err != nil {
				return nil, err
			}
			if order != nil {
				break
			}
		}
		if scope.Empty() {
			return nil, errForbidden
		}
		return nil, problemf(http.StatusNotFound, "no such station")
	case needCamera:
		c, ok := s.o.Store.Camera(r.PathValue("camera"))
		if ok && scope.Allows(c.SiteID) {
			break
		}
		if ok && need.permit {
			works, err := s.worksAt(r.Context(), p, c.SiteID)
			if err != nil {
				return nil, err
			}
			if works {
				break
			}
		}
		if scope.Empty() {
			return nil, errForbidden
		}
		return nil, problemf(http.StatusNotFound, "no such camera")
	case needFilmed:
		if scope.Empty() {
			return nil, errForbidden
		}
		if c, ok := s.o.Store.Filmed(r.PathValue("camera")); !ok || !scope.Allows(c.SiteID) {
			return nil, problemf(http.StatusNotFound, "no such camera")
		}
	case needDoor:
		if scope.Empty() {
			return nil, errForbidden
		}
		if d, ok := s.o.Store.Door(r.PathValue("door")); !ok || !scope.Allows(d.SiteID) {
			return nil, problemf(http.StatusNotFound, "no such door")
		}
	case needController:
		if scope.Empty() {
			return nil, errForbidden
		}
		if c, ok := s.o.Store.Controller(r.PathValue("controller")); !ok || !scope.Allows(c.SiteID) {
			return nil, problemf(http.StatusNotFound, "no such controller")
		}
	case needOutput:
		if scope.Empty() {
			return nil, errForbidden
		}
		if o, ok := s.o.Store.Output(r.PathValue("output")); !ok || !scope.Allows(o.SiteID) {
			return nil, problemf(http.StatusNotFound, "no such output")
		}
	case needSite:
		if scope.Empty() {
			return nil, errForbidden
		}
		if _, ok := s.o.Store.Site(r.PathValue("site")); !ok || !scope.Allows(r.PathValue("site")) {
			return nil, problemf(http.StatusNotFound, "no such site")
		}
	}
	if need.fresh {
		if err := s.fresh(p); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// fresh reports whether a password was given lately, and says so if not.
func (s *Server) fresh(p *Principal) error {
	if p.Session == nil || s.now().Sub(p.Session.ReauthAt) > reauthFor {
		return problemf(http.StatusForbidden, "give your password again (POST /me/reauthenticate); it counts for 15 min")
	}
	return nil
}

// siteOf returns the site of a station, known to the fleet or enrolled.
func (s *Server) siteOf(station string) (string, bool) {
	if e, ok := s.o.Store.Station(station); ok {
		return e.SiteID, true
	}
	if st, ok := s.o.Fleet.Snapshot().Station(station); ok {
		return st.SiteID, true
	}
	return "", false
}

var errForbidden = problemf(http.StatusForbidden, "your role does not allow this")

// authenticate finds out who asks. A token in the Authorization header makes
// the cookie count for nothing.
func (s *Server) authenticate(r *http.Request) (*Principal, error) {
	unauthorised := problemf(http.StatusUnauthorized, "sign in, or send an API token")
	if header := r.Header.Get("Authorization"); header != "" {
		scheme, secret, _ := strings.Cut(header, " ")
		if !strings.EqualFold(scheme, "Bearer") || len(secret) > 256 {
			return nil, unauthorised
		}
		t, err := s.o.Store.APITokenBySecret(r.Context(), strings.TrimSpace(secret))
		if errors.Is(err, store.ErrNotFound) {
			return nil, unauthorised
		}
		if err != nil {
			return nil, err
		}
		return newPrincipal(t.ID, t.Name, t.Grants), nil
	}
	cookie, err := r.Cookie(s.cookieName())
	if err != nil || len(cookie.Value) > 256 {
		return s.kiosk(r, unauthorised)
	}
	w, u, err := s.o.Store.Session(r.Context(), cookie.Value)
	if errors.Is(err, store.ErrNotFound) {
		return s.kiosk(r, unauthorised)
	}
	if err != nil {
		return nil, err
	}
	return sessionPrincipal(w, u), nil
}

// kiosk finds out which screen asks, where no person is signed in.
func (s *Server) kiosk(r *http.Request, unauthorised error) (*Principal, error) {
	cookie, err := r.Cookie(s.kioskCookieName())
	if err != nil || len(cookie.Value) > 256 {
		return nil, unauthorised
	}
	k, err := s.o.Store.KioskBySecret(r.Context(), cookie.Value)
	if errors.Is(err, store.ErrNotFound) {
		return nil, unauthorised
	}
	if err != nil {
		return nil, err
	}
	return kioskPrincipal(k), nil
}

func kioskPrincipal(k *store.Kiosk) *Principal {
	p := newPrincipal(k.ID, k.Name, k.Grants())
	p.Kiosk = k
	if k.Video { // what is private stays hidden, and there is no past
		p.scopes[VideoLive] = p.scopes[VideoLive].with(k.Sites)
	}
	return p
}

func sessionPrincipal(w *store.WebSession, u *store.User) *Principal {
	p := newPrincipal(u.ID, u.Name, u.Grants)
	p.Session, p.User = w, u
	return p
}

// again returns the principal as it stands now, for sockets that outlive the
// request that opened them.
func (s *Server) again(ctx context.Context, p *Principal) (*Principal, error) {
	if p.Session != nil {
		w, u, err := s.o.Store.SessionByID(ctx, p.Session.ID)
		if err != nil {
			return nil, err
		}
		return sessionPrincipal(w, u), nil
	}
	if p.Kiosk != nil {
		k, err := s.o.Store.KioskByID(ctx, p.ID)
		if err != nil {
			return nil, err
		}
		return kioskPrincipal(k), nil
	}
	t, err := s.o.Store.APITokenByID(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	return newPrincipal(t.ID, t.Name, t.Grants), nil
}

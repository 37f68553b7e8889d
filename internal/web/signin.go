package web

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/store"
)

// cookieName uses the __Host- prefix where browsers honour it.
func (s *Server) cookieName() string {
	if s.o.Secure {
		return "__Host-chargewatch"
	}
	return "chargewatch"
}

func (s *Server) cookie(value string, maxAge int) http.Cookie {
	return http.Cookie{
		Name: s.cookieName(), Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: s.o.Secure,
		SameSite: http.SameSiteLaxMode,
	}
}

type signInInput struct {
	Agent string `header:"User-Agent" hidden:"true"`
	Body  struct {
		Name     string `json:"name,omitempty" maxLength:"64" doc:"with password"`
		Password string `json:"password,omitempty" maxLength:"256"`
		Token    string `json:"token,omitempty" maxLength:"256" doc:"of a one-time link, instead of name and password"`
	}
}

type cookieOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

type noContent struct{}

// Me tells a caller who they are and what they may do.
type Me struct {
	ID                string        `json:"id"`
	Name              string        `json:"name"`
	Role              store.Role    `json:"role" doc:"the highest of the roles granted"`
	Grants            []store.Grant `json:"grants"`
	Permissions       []Permission  `json:"permissions"`
	MustSetPassword   bool          `json:"mustSetPassword"`
	ReauthenticatedAt *time.Time    `json:"reauthenticatedAt"`
	Demo              bool          `json:"demo"`
	OCPPPort          int           `json:"ocppPort" doc:"where stations connect on this host"`
	OCPPSecure        bool          `json:"ocppSecure" doc:"by wss instead of ws"`
	Kiosk             *MeKiosk      `json:"kiosk,omitempty" doc:"for a screen on a wall: what it shows"`
}

type meOutput struct{ Body Me }

type passwordInput struct {
	Body struct {
		Password string `json:"password" minLength:"10" maxLength:"256"`
		Current  string `json:"current,omitempty" maxLength:"256" doc:"not needed while none is set"`
	}
}

type reauthInput struct {
	Body struct {
		Password string `json:"password" maxLength:"256"`
	}
}

func (s *Server) registerSignIn() {
	add(s, anyone(), huma.Operation{
		OperationID: "signIn", Method: http.MethodPost, Path: "/signin", Summary: "Sign in", DefaultStatus: http.StatusNoContent,
		Description: "With name and password, or with the token of a one-time link. Sets the session cookie.", Tags: []string{"me"},
	}, s.signIn)
	add(s, signedIn(), huma.Operation{
		OperationID: "signOut", Method: http.MethodPost, Path: "/signout", Summary: "Sign out", DefaultStatus: http.StatusNoContent,
		Description: "Ends the session; its sockets and streams are closed at once.", Tags: []string{"me"},
	}, s.signOut)
	add(s, signedIn(), huma.Operation{
		OperationID: "getMe", Method: http.MethodGet, Path: "/me", Summary: "Who am I, and what may I do", Tags: []string{"me"},
	}, s.me)
	add(s, signedIn(), huma.Operation{
		OperationID: "setPassword", Method: http.MethodPost, Path: "/me/password", Summary: "Set my password",
		Description: "Ends my other sessions.", DefaultStatus: http.StatusNoContent, Tags: []string{"me"},
	}, s.setPassword)
	add(s, signedIn(), huma.Operation{
		OperationID: "reauthenticate", Method: http.MethodPost, Path: "/me/reauthenticate", Summary: "Give my password again",
		Description: "Needed for user administration; counts for 15 min.", DefaultStatus: http.StatusNoContent, Tags: []string{"me"},
	}, s.reauthenticate)
	add(s, signedIn(), huma.Operation{
		OperationID: "listMySessions", Method: http.MethodGet, Path: "/me/sessions", Summary: "Where I am signed in", Tags: []string{"me"},
	}, s.listMySessions)
	add(s, signedIn(), huma.Operation{
		OperationID: "endMySessions", Method: http.MethodDelete, Path: "/me/sessions", Summary: "Sign me out everywhere else",
		Tags: []string{"me"},
	}, s.endMySessions)
}

func (s *Server) signIn(ctx context.Context, in *signInInput) (*cookieOutput, error) {
	addr := remote(ctx)
	from := source(addr)
	b := in.Body
	if (b.Token == "") == (b.Name == "" || b.Password == "") {
		return nil, problemf(http.StatusUnprocessableEntity, "give name and password, or the token of a link")
	}
	if wait := s.limits.blocked(from, b.Name); wait > 0 {
		return nil, problemf(http.StatusTooManyRequests, "too many failed attempts; try again in "+
			strconv.Itoa(int(wait.Minutes())+1)+" min")
	}
	u, err := s.whoSignsIn(ctx, b.Name, b.Password, b.Token)
	if err != nil {
		return nil, err
	}
	if u == nil {
		s.limits.failed(from, b.Name)
		s.log.InfoContext(ctx, "sign-in failed", "source", from)
		return nil, problemf(http.StatusUnauthorized, "that did not match")
	}
	s.limits.passed(from, b.Name)
	secret, err := s.o.Store.CreateSession(ctx, u.ID, store.Browser{Addr: addr.String(), Agent: in.Agent}, b.Token == "")
	if err != nil {
		return nil, err
	}
	return &cookieOutput{SetCookie: s.cookie(secret, int(store.SessionLife.Seconds()))}, nil
}

// whoSignsIn returns nil when nobody may.
func (s *Server) whoSignsIn(ctx context.Context, name, password, token string) (*store.User, error) {
	if token != "" {
		u, err := s.o.Store.UseLink(ctx, token)
		if errors.Is(err, store.ErrNotFound) {
			return nil, nil
		}
		return u, err
	}
	u, err := s.o.Store.UserByName(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		u, err = &store.User{Disabled: true}, nil
	}
	if err != nil {
		return nil, err
	}
	ok, err := s.checkPassword(ctx, u.Password, password)
	if err != nil || !ok || u.Disabled {
		return nil, err
	}
	return u, nil
}

func (s *Server) signOut(ctx context.Context, _ *struct{}) (*cookieOutput, error) {
	p := who(ctx)
	if p.Session != nil {
		if err := s.o.Store.EndSession(ctx, p.Session); err != nil {
			return nil, err
		}
	}
	if p.Kiosk != nil {
		if err := s.o.Store.DeleteKiosk(ctx, p.actor(), p.ID); err != nil {
			return nil, err
		}
	}
	return &cookieOutput{SetCookie: s.cookie("", -1)}, nil
}

func (s *Server) me(ctx context.Context, _ *struct{}) (*meOutput, error) {
	p := who(ctx)
	m := Me{
		ID: p.ID, Name: p.Name, Role: p.role(), Grants: list(p.Grants), Permissions: p.permissions(), Demo: s.simulated(),
		OCPPPort: s.o.OCPPPort, OCPPSecure: s.o.OCPPSecure,
	}
	if p.User != nil {
		m.MustSetPassword = p.User.MustSet
		m.ReauthenticatedAt = instant(p.Session.ReauthAt)
	}
	if k := p.Kiosk; k != nil {
		m.Kiosk = &MeKiosk{Views: list(k.Views), RotateSeconds: int(k.Rotate / time.Second)}
	}
	return &meOutput{Body: m}, nil
}

func (s *Server) setPassword(ctx context.Context, in *passwordInput) (*noContent, error) {
	p := who(ctx)
	if p.User == nil {
		return nil, problemf(http.StatusForbidden, "only people have a password")
	}
	if p.User.Password != "" {
		if err := s.proveSelf(ctx, p, in.Body.Current, "body.current"); err != nil {
			return nil, err
		}
	}
	hash, err := s.hashPassword(ctx, in.Body.Password)
	if err != nil {
		return nil, err
	}
	return nil, s.o.Store.SetPassword(ctx, p.actor(), p.ID, hash, p.Session.ID)
}

func (s *Server) reauthenticate(ctx context.Context, in *reauthInput) (*noContent, error) {
	p := who(ctx)
	if p.User == nil {
		return nil, problemf(http.StatusForbidden, "only people have a password")
	}
	if err := s.proveSelf(ctx, p, in.Body.Password, "body.password"); err != nil {
		return nil, err
	}
	return nil, s.o.Store.Reauthenticated(ctx, p.Session)
}

// SignInShape is one browser in which a person is signed in.
type SignInShape struct {
	CreatedAt  time.Time `json:"createdAt"`
	SeenAt     time.Time `json:"seenAt"`
	RemoteAddr string    `json:"remoteAddr"`
	Agent      string    `json:"agent" doc:"what the browser said of itself"`
	Current    bool      `json:"current" doc:"the session that asks"`
}

func (s *Server) listMySessions(ctx context.Context, _ *struct{}) (*listOutput[SignInShape], error) {
	p := who(ctx)
	var out []SignInShape
	if p.Session == nil {
		return listOf(out, ""), nil
	}
	found, err := s.o.Store.SessionsOf(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	for _, w := range found {
		out = append(out, SignInShape{
			CreatedAt: w.CreatedAt, SeenAt: w.SeenAt, RemoteAddr: w.RemoteAddr, Agent: w.Agent, Current: bytes.Equal(w.ID, p.Session.ID),
		})
	}
	return listOf(out, ""), nil
}

type endedOutput struct {
	Body struct {
		Ended int64 `json:"ended"`
	}
}

func (s *Server) endMySessions(ctx context.Context, _ *struct{}) (*endedOutput, error) {
	p := who(ctx)
	out := &endedOutput{}
	if p.Session == nil {
		return out, nil
	}
	var err error
	out.Body.Ended, err = s.o.Store.EndSessions(ctx, p.actor(), p.ID, p.Session.ID)
	return out, err
}

// proveSelf checks the caller's own password, under the limits of sign-in.
func (s *Server) proveSelf(ctx context.Context, p *Principal, password, field string) error {
	from := source(remote(ctx))
	if s.limits.blocked(from, p.Name) > 0 {
		return problemf(http.StatusTooManyRequests, "too many failed attempts; try again later")
	}
	ok, err := s.checkPassword(ctx, p.User.Password, password)
	if err != nil {
		return err
	}
	if !ok {
		s.limits.failed(from, p.Name)
		return problemf(http.StatusUnprocessableEntity, "validation failed",
			&huma.ErrorDetail{Message: "does not match", Location: field})
	}
	s.limits.passed(from, p.Name)
	return nil
}

package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/store"
)

// UserShape is a person who may sign in.
type UserShape struct {
	ID              string        `json:"id"`
	Name            string        `json:"name"`
	Grants          []store.Grant `json:"grants"`
	MustSetPassword bool          `json:"mustSetPassword"`
	Disabled        bool          `json:"disabled"`
	CreatedAt       time.Time     `json:"createdAt"`
	SignedInAt      *time.Time    `json:"signedInAt" doc:"last sign-in"`
	SeenAt          *time.Time    `json:"seenAt" doc:"last use of a session that still lives"`
	Sessions        int           `json:"sessions" doc:"browsers signed in now"`
}

func userShape(u *store.User) UserShape {
	return UserShape{
		ID: u.ID, Name: u.Name, Grants: list(u.Grants), MustSetPassword: u.MustSet, Disabled: u.Disabled,
		CreatedAt: u.CreatedAt, SignedInAt: instant(u.SignedInAt), SeenAt: instant(u.SeenAt), Sessions: u.Sessions,
	}
}

type newUserInput struct {
	Body struct {
		Name   string        `json:"name" minLength:"1" maxLength:"64"`
		Grants []store.Grant `json:"grants" maxItems:"10"`
	}
}

// NewUserShape is a person who was just added, with the secret of the link to
// sign in the first time. It is shown once.
type NewUserShape struct {
	UserShape
	SignInToken string `json:"signInToken" doc:"for /signin?token=…, good once within 24 h"`
}

type newUserOutput struct{ Body NewUserShape }

type userInput struct {
	ID string `path:"id" maxLength:"64"`
}

type userChangeInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Name     *string        `json:"name,omitempty" maxLength:"64"`
		Grants   *[]store.Grant `json:"grants,omitempty" maxItems:"10"`
		Disabled *bool          `json:"disabled,omitempty"`
	}
}

type userOutput struct{ Body UserShape }

// TokenShape is an API token without its secret.
type TokenShape struct {
	ID        string        `json:"id"`
	Name      string        `json:"name"`
	Grants    []store.Grant `json:"grants"`
	CreatedBy string        `json:"createdBy" doc:"opaque id"`
	CreatedAt time.Time     `json:"createdAt"`
	ExpiresAt *time.Time    `json:"expiresAt"`
	UsedAt    *time.Time    `json:"usedAt"`
}

func tokenShape(t *store.APIToken) TokenShape {
	return TokenShape{
		ID: t.ID, Name: t.Name, Grants: list(t.Grants), CreatedBy: string(t.CreatedBy), CreatedAt: t.CreatedAt,
		ExpiresAt: instant(t.ExpiresAt), UsedAt: instant(t.UsedAt),
	}
}

type newTokenInput struct {
	Body struct {
		Name      string        `json:"name" minLength:"1" maxLength:"64"`
		Grants    []store.Grant `json:"grants" minItems:"1" maxItems:"10"`
		ExpiresAt *time.Time    `json:"expiresAt,omitempty"`
	}
}

// NewTokenShape is a token that was just made. Its secret is shown once.
type NewTokenShape struct {
	TokenShape
	Token string `json:"token"`
}

type newTokenOutput struct{ Body NewTokenShape }

// AuditShape is one act.
type AuditShape struct {
	Seq       int64           `json:"seq"`
	At        time.Time       `json:"at"`
	Actor     string          `json:"actor" doc:"opaque id"`
	ActorName string          `json:"actorName" doc:"empty once forgotten"`
	Action    string          `json:"action"`
	Subject   string          `json:"subject"`
	Detail    json.RawMessage `json:"detail"`
}

// HandshakeShape is a refused way in, or a station that waits.
type HandshakeShape struct {
	Identity   string    `json:"identity"`
	RemoteAddr string    `json:"remoteAddr"`
	Reason     string    `json:"reason"`
	Count      int64     `json:"count"`
	FirstAt    time.Time `json:"firstAt"`
	LastAt     time.Time `json:"lastAt"`
}

func (s *Server) registerPeople() {
	op := func(id, method, path, tag, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{tag}}
	}
	add(s, global(UsersRead), op("listUsers", http.MethodGet, "/users", "users", "List people", 0), s.listUsers)
	add(s, global(UsersWrite).reauthenticated(), op("createUser", http.MethodPost, "/users", "users", "Add a person", http.StatusCreated), s.createUser)
	add(s, global(UsersRead), op("getUser", http.MethodGet, "/users/{id}", "users", "One person", 0), s.getUser)
	add(s, global(UsersWrite).reauthenticated(), op("changeUser", http.MethodPatch, "/users/{id}", "users", "Change a person", 0), s.changeUser)
	add(s, global(UsersWrite).reauthenticated(), op("deleteUser", http.MethodDelete, "/users/{id}", "users", "Forget a person", http.StatusNoContent), s.deleteUser)
	add(s, global(UsersWrite).reauthenticated(), op("resetPassword", http.MethodPost, "/users/{id}/reset", "users",
		"Take the password away and make a one-time link", 0), s.resetPassword)
	add(s, global(TokensRead), op("listTokens", http.MethodGet, "/tokens", "tokens", "List API tokens", 0), s.listTokens)
	add(s, global(TokensWrite).reauthenticated(), op("createToken", http.MethodPost, "/tokens", "tokens", "Make an API token", http.StatusCreated), s.createToken)
	add(s, global(TokensWrite).reauthenticated(), op("deleteToken", http.MethodDelete, "/tokens/{id}", "tokens", "End an API token", http.StatusNoContent), s.deleteToken)
	s.raw(http.MethodGet, base+"/audit/export", global(AuditRead), s.exportAudit)
	add(s, global(AuditRead), op("listAudit", http.MethodGet, "/audit", "audit", "Who did what, newest first", 0), s.listAudit)
	add(s, filtered(HandshakesRead), op("listHandshakes", http.MethodGet, "/handshakes", "stations",
		"Refused ways in and stations that wait for approval", 0), s.listHandshakes)
}

// listed cuts a page that was read one too long and names its cursor.
func listed[T, S any](name string, limit int, found []T, id func(T) string, shape func(T) S) *listOutput[S] {
	next := ""
	if len(found) > limit {
		found = found[:limit]
		next = encodeCursor(name, id(found[limit-1]))
	}
	out := make([]S, 0, len(found))
	for _, x := range found {
		out = append(out, shape(x))
	}
	return listOf(out, next)
}

func (s *Server) listUsers(ctx context.Context, in *Page) (*listOutput[UserShape], error) {
	after, err := decodeCursor("users", in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := s.o.Store.Users(ctx, after, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return listed("users", in.Limit, found, func(u *store.User) string { return u.ID }, userShape), nil
}

func (s *Server) createUser(ctx context.Context, in *newUserInput) (*newUserOutput, error) {
	by := who(ctx).actor()
	u, err := s.o.Store.CreateUser(ctx, by, store.User{Name: in.Body.Name, Grants: in.Body.Grants, MustSet: true})
	if err != nil {
		return nil, err
	}
	link, err := s.o.Store.CreateLink(ctx, by, u.ID)
	if err != nil {
		return nil, err
	}
	return &newUserOutput{Body: NewUserShape{UserShape: userShape(u), SignInToken: link}}, nil
}

func (s *Server) getUser(ctx context.Context, in *userInput) (*userOutput, error) {
	u, err := s.o.Store.User(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &userOutput{Body: userShape(u)}, nil
}

func (s *Server) changeUser(ctx context.Context, in *userChangeInput) (*userOutput, error) {
	u, err := s.o.Store.UpdateUser(ctx, who(ctx).actor(), in.ID, func(u *store.User) {
		put(&u.Name, in.Body.Name)
		put(&u.Grants, in.Body.Grants)
		put(&u.Disabled, in.Body.Disabled)
	})
	if err != nil {
		return nil, err
	}
	return &userOutput{Body: userShape(u)}, nil
}

func (s *Server) deleteUser(ctx context.Context, in *userInput) (*noContent, error) {
	return nil, s.o.Store.DeleteUser(ctx, who(ctx).actor(), in.ID)
}

func (s *Server) resetPassword(ctx context.Context, in *userInput) (*newUserOutput, error) {
	by := who(ctx).actor()
	if err := s.o.Store.ResetPassword(ctx, by, in.ID); err != nil {
		return nil, err
	}
	link, err := s.o.Store.CreateLink(ctx, by, in.ID)
	if err != nil {
		return nil, err
	}
	u, err := s.o.Store.User(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &newUserOutput{Body: NewUserShape{UserShape: userShape(u), SignInToken: link}}, nil
}

func (s *Server) listTokens(ctx context.Context, in *Page) (*listOutput[TokenShape], error) {
	after, err := decodeCursor("tokens", in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := s.o.Store.APITokens(ctx, after, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return listed("tokens", in.Limit, found, func(t *store.APIToken) string { return t.ID }, tokenShape), nil
}

func (s *Server) createToken(ctx context.Context, in *newTokenInput) (*newTokenOutput, error) {
	t := store.APIToken{Name: in.Body.Name, Grants: in.Body.Grants}
	if in.Body.ExpiresAt != nil {
		t.ExpiresAt = *in.Body.ExpiresAt
	}
	made, secret, err := s.o.Store.CreateAPIToken(ctx, who(ctx).actor(), t)
	if err != nil {
		return nil, err
	}
	return &newTokenOutput{Body: NewTokenShape{TokenShape: tokenShape(made), Token: secret}}, nil
}

func (s *Server) deleteToken(ctx context.Context, in *userInput) (*noContent, error) {
	return nil, s.o.Store.DeleteAPIToken(ctx, who(ctx).actor(), in.ID)
}

func (s *Server) listAudit(ctx context.Context, in *Page) (*listOutput[AuditShape], error) {
	place, err := decodeCursor("audit", in.Cursor)
	if err != nil {
		return nil, err
	}
	before := int64(0)
	if place != "" {
		if before, err = strconv.ParseInt(place, 10, 64); err != nil {
			return nil, errCursor
		}
	}
	found, err := s.o.Store.Audit(ctx, before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	shape, err := s.audited(ctx, found)
	if err != nil {
		return nil, err
	}
	return listed("audit", in.Limit, found, func(e store.AuditEntry) string { return strconv.FormatInt(e.Seq, 10) }, shape), nil
}

// exportAudit gives every record, one a line, as it is in the chain: what verify audit
// walks without this server.
func (s *Server) exportAudit(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/jsonl")
	w.Header().Set("Content-Disposition", `attachment; filename="chargewatch-audit.jsonl"`)
	out := json.NewEncoder(w)
	if err := s.o.Store.WalkAudit(r.Context(), func(e *store.AuditEntry) error { return out.Encode(e) }); err != nil && r.Context().Err() == nil {
		s.log.WarnContext(r.Context(), "export of the audit log ended early", "err", err)
	}
}

// audited names who did what.
func (s *Server) audited(ctx context.Context, found []store.AuditEntry) (func(store.AuditEntry) AuditShape, error) {
	ids := make([]string, 0, len(found))
	for _, e := range found {
		ids = append(ids, string(e.Actor))
	}
	names, err := s.o.Store.UserNames(ctx, ids)
	return func(e store.AuditEntry) AuditShape {
		return AuditShape{
			Seq: e.Seq, At: e.At, Actor: string(e.Actor), ActorName: names[string(e.Actor)], Action: e.Action,
			Subject: e.Subject, Detail: e.Detail,
		}
	}, err
}

func (s *Server) listHandshakes(ctx context.Context, _ *struct{}) (*listOutput[HandshakeShape], error) {
	allowed := scope(ctx, HandshakesRead)
	var out []HandshakeShape
	for _, e := range s.o.Store.Stations() {
		if e.Onboarding == "pending" && allowed.Allows(e.SiteID) {
			out = append(out, HandshakeShape{
				Identity: e.ID, RemoteAddr: e.RemoteAddr, Reason: "waits for approval", Count: 1, FirstAt: e.CreatedAt, LastAt: e.SeenAt,
			})
		}
	}
	for _, h := range s.o.Store.Handshakes() {
		site := ""
		if e, ok := s.o.Store.Station(h.Identity); ok {
			site = e.SiteID
		}
		if allowed.Allows(site) {
			out = append(out, HandshakeShape{
				Identity: h.Identity, RemoteAddr: h.Source, Reason: h.Reason, Count: h.Count, FirstAt: h.FirstAt, LastAt: h.LastAt,
			})
		}
	}
	return listOf(out, ""), nil
}

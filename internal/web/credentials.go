package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/store"
)

// CredentialShape is a token that people decided about.
type CredentialShape struct {
	ID            string        `json:"id"`
	IDToken       string        `json:"idToken" doc:"empty for a PIN or a duress code"`
	TokenID       string        `json:"tokenId" doc:"opaque, as sessions and attempts carry it"`
	Type          string        `json:"type" doc:"OCPP 2.x IdTokenEnumType; empty: any"`
	Status        access.Status `json:"status" enum:"Accepted,Blocked,Expired,Invalid"`
	ExpiresAt     *time.Time    `json:"expiresAt"`
	ParentIDToken string        `json:"parentIdToken"`
	MaxConcurrent int           `json:"maxConcurrent" doc:"0: any number"`
	Label         string        `json:"label"`
	Kind          access.Kind   `json:"kind" enum:"rfid,pin,pass,plate,duress"`
	PersonID      string        `json:"personId" doc:"whose it is; empty: nobody's by name"`
	From          *time.Time    `json:"from"`
	WorkOrderID   string        `json:"workOrderId" doc:"that a pass dies with; empty: none"`
}

func credentialShape(c *store.Credential) CredentialShape {
	out := CredentialShape{
		ID: c.ID, IDToken: c.Token.Value, TokenID: c.TokenID, Type: c.Token.Type, Status: c.Status, ExpiresAt: instant(c.ExpiresAt),
		ParentIDToken: c.Parent.Value, MaxConcurrent: c.MaxConcurrent, Label: c.Label,
		Kind: c.Kind, PersonID: c.Person, From: instant(c.From), WorkOrderID: c.Order,
	}
	if c.Kind.Coded() {
		out.IDToken = "" // nobody reads the digits again
	}
	return out
}

type credentialsInput struct {
	Page
	Q string `query:"q" maxLength:"100" doc:"part of the token or label"`
}

type newCredentialInput struct {
	Body struct {
		IDToken       string     `json:"idToken" minLength:"1" maxLength:"255"`
		Type          string     `json:"type,omitempty" maxLength:"20"`
		Status        string     `json:"status,omitempty" enum:"Accepted,Blocked,Expired,Invalid" default:"Accepted"`
		ExpiresAt     *time.Time `json:"expiresAt,omitempty"`
		ParentIDToken string     `json:"parentIdToken,omitempty" maxLength:"255"`
		MaxConcurrent int        `json:"maxConcurrent,omitempty" minimum:"0" maximum:"1000"`
		Label         string     `json:"label,omitempty" maxLength:"100"`
		Kind          string     `json:"kind,omitempty" enum:"rfid,pin,plate,duress" doc:"missing: rfid; of a pin idToken is its 4 to 8 digits, which nobody can read again; duress is a second PIN of a person: doors of which the server decides take it for the first, and help is called"`
		PersonID      string     `json:"personId,omitempty" maxLength:"64" doc:"whose it is"`
		From          *time.Time `json:"from,omitempty" doc:"missing: from now on"`
	}
}

type credentialInput struct {
	ID string `path:"id" maxLength:"64"`
}

type credentialChangeInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Status        *string    `json:"status,omitempty" enum:"Accepted,Blocked,Expired,Invalid"`
		ExpiresAt     *time.Time `json:"expiresAt,omitempty" doc:"0001-01-01T00:00:00Z: never"`
		ParentIDToken *string    `json:"parentIdToken,omitempty" maxLength:"255"`
		MaxConcurrent *int       `json:"maxConcurrent,omitempty" minimum:"0" maximum:"1000"`
		Label         *string    `json:"label,omitempty" maxLength:"100"`
		PersonID      *string    `json:"personId,omitempty" maxLength:"64" doc:"empty: nobody's by name"`
		From          *time.Time `json:"from,omitempty" doc:"0001-01-01T00:00:00Z: from the beginning"`
	}
}

type credentialDeleteInput struct {
	ID    string `path:"id" maxLength:"64"`
	Erase bool   `query:"erase" doc:"forget the token's value too: what it did stays, its name is gone"`
}

type credentialOutput struct{ Body CredentialShape }

func (s *Server) registerCredentials() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"credentials"}}
	}
	add(s, global(CredentialsRead), op("listCredentials", http.MethodGet, "/credentials", "List credentials", 0), s.listCredentials)
	add(s, global(CredentialsWrite), op("createCredential", http.MethodPost, "/credentials", "Decide about a token", http.StatusCreated), s.createCredential)
	add(s, global(CredentialsRead), op("getCredential", http.MethodGet, "/credentials/{id}", "One credential", 0), s.getCredential)
	add(s, global(CredentialsWrite), op("changeCredential", http.MethodPatch, "/credentials/{id}", "Change a credential", 0), s.changeCredential)
	add(s, global(CredentialsWrite), op("loseCredential", http.MethodPost, "/credentials/{id}/lost",
		"Block a lost credential and, if another is named, hand that out with the same rights", 0), s.loseCredential)
	add(s, global(CredentialsWrite), op("deleteCredential", http.MethodDelete, "/credentials/{id}",
		"Remove a credential; its token is unknown again", http.StatusNoContent), s.deleteCredential)
}

func (s *Server) listCredentials(ctx context.Context, in *credentialsInput) (*listOutput[CredentialShape], error) {
	after, err := decodeCursor("credentials", in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := s.o.Store.Credentials(ctx, in.Q, after, in.Limit+1)
	if err != nil {
		return nil, err
	}
	next := ""
	if len(found) > in.Limit {
		found = found[:in.Limit]
		next = encodeCursor("credentials", found[in.Limit-1].ID)
	}
	out := make([]CredentialShape, 0, len(found))
	for _, c := range found {
		out = append(out, credentialShape(c))
	}
	return listOf(out, next), nil
}

func (s *Server) createCredential(ctx context.Context, in *newCredentialInput) (*credentialOutput, error) {
	b := in.Body
	input := store.CredentialInput{
		IDToken: b.IDToken, Type: b.Type, Status: access.Status(b.Status), ParentIDToken: b.ParentIDToken,
		MaxConcurrent: b.MaxConcurrent, Label: b.Label, Kind: access.Kind(b.Kind), Person: b.PersonID,
	}
	if b.From != nil {
		input.From = *b.From
	}
	if b.ExpiresAt != nil {
		input.ExpiresAt = *b.ExpiresAt
	}
	return s.putCredential(ctx, "", input)
}

func (s *Server) putCredential(ctx context.Context, id string, in store.CredentialInput) (*credentialOutput, error) {
	c, err := s.o.Store.PutCredential(ctx, who(ctx).actor(), id, in)
	if err != nil {
		return nil, err
	}
	return &credentialOutput{Body: credentialShape(c)}, nil
}

func (s *Server) getCredential(ctx context.Context, in *credentialInput) (*credentialOutput, error) {
	c, err := s.o.Store.Credential(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &credentialOutput{Body: credentialShape(c)}, nil
}

func (s *Server) changeCredential(ctx context.Context, in *credentialChangeInput) (*credentialOutput, error) {
	c, err := s.o.Store.Credential(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	input := c.Wish()
	b := in.Body
	if b.Status != nil {
		input.Status = access.Status(*b.Status)
	}
	put(&input.ExpiresAt, b.ExpiresAt)
	put(&input.ParentIDToken, b.ParentIDToken)
	put(&input.MaxConcurrent, b.MaxConcurrent)
	put(&input.Label, b.Label)
	put(&input.Person, b.PersonID)
	put(&input.From, b.From)
	return s.putCredential(ctx, in.ID, input)
}

func (s *Server) deleteCredential(ctx context.Context, in *credentialDeleteInput) (*noContent, error) {
	if !in.Erase {
		return nil, s.o.Store.DeleteCredential(ctx, who(ctx).actor(), in.ID)
	}
	c, err := s.o.Store.Credential(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return nil, s.o.Store.EraseToken(ctx, who(ctx).actor(), c.TokenID)
}

type lostInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		IDToken string `json:"idToken,omitempty" maxLength:"255" doc:"of the one that takes its place; missing: none does"`
	}
}

// LostShape is a credential that was lost and the one that took its place.
type LostShape struct {
	Blocked     CredentialShape  `json:"blocked"`
	Replacement *CredentialShape `json:"replacement"`
}

type lostOutput struct{ Body LostShape }

func (s *Server) loseCredential(ctx context.Context, in *lostInput) (*lostOutput, error) {
	lost, fresh, err := s.o.Store.LoseCredential(ctx, who(ctx).actor(), in.ID, in.Body.IDToken)
	if err != nil {
		return nil, err
	}
	out := &lostOutput{Body: LostShape{Blocked: credentialShape(lost)}}
	if fresh != nil {
		out.Body.Replacement = new(credentialShape(fresh))
	}
	return out, nil
}

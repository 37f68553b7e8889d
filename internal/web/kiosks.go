package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/store"
)

// KioskShape is a screen on a wall.
type KioskShape struct {
	ID            string     `json:"id"`
	Name          string     `json:"name"`
	Sites         []string   `json:"sites" doc:"\"*\" is all"`
	Views         []string   `json:"views" doc:"paths shown in turn; none: the usual ones"`
	RotateSeconds int        `json:"rotateSeconds"`
	Video         bool       `json:"video" doc:"it shows live pictures of cameras, private parts hidden"`
	UserAgent     string     `json:"userAgent" doc:"as the screen said it"`
	RemoteAddr    string     `json:"remoteAddr"`
	CreatedAt     time.Time  `json:"createdAt"`
	SeenAt        *time.Time `json:"seenAt" doc:"null: it has not come yet"`
}

func kioskShape(k *store.Kiosk) KioskShape {
	return KioskShape{
		ID: k.ID, Name: k.Name, Sites: list(k.Sites), Views: list(k.Views), RotateSeconds: int(k.Rotate / time.Second), Video: k.Video,
		UserAgent: k.UserAgent, RemoteAddr: k.RemoteAddr, CreatedAt: k.CreatedAt, SeenAt: instant(k.SeenAt),
	}
}

// MeKiosk tells a screen what it is to show.
type MeKiosk struct {
	Views         []string `json:"views"`
	RotateSeconds int      `json:"rotateSeconds"`
}

type secretInput struct {
	UserAgent string `header:"User-Agent" hidden:"true"`
	Body      struct {
		Secret string `json:"secret" minLength:"32" maxLength:"128" pattern:"^[A-Za-z0-9_-]+$" doc:"made by the screen from at least 128 random bits"`
	}
}

// PairingShape is what a screen shows until somebody lets it in.
type PairingShape struct {
	Code      string    `json:"code"`
	ExpiresAt time.Time `json:"expiresAt"`
	QR        QRShape   `json:"qr" doc:"leads an administrator to where it is approved"`
}

type pairingOutput struct{ Body PairingShape }

// PendingKioskShape is what an administrator sees of a screen that waits.
type PendingKioskShape struct {
	Code        string    `json:"code"`
	RemoteAddr  string    `json:"remoteAddr"`
	UserAgent   string    `json:"userAgent" doc:"as the screen said it"`
	RequestedAt time.Time `json:"requestedAt"`
	ExpiresAt   time.Time `json:"expiresAt"`
}

type pendingKioskOutput struct{ Body PendingKioskShape }

type claimOutput struct {
	SetCookie *http.Cookie `header:"Set-Cookie"`
	Body      struct {
		Status string `json:"status" enum:"waiting,approved"`
	}
}

type newKioskInput struct {
	Body struct {
		Code          string   `json:"code" maxLength:"16" doc:"as the screen shows it"`
		Name          string   `json:"name" minLength:"1" maxLength:"64"`
		Sites         []string `json:"sites" minItems:"1" maxItems:"1000" doc:"\"*\" is all"`
		Views         []string `json:"views,omitempty" maxItems:"20"`
		RotateSeconds int      `json:"rotateSeconds,omitempty" minimum:"10" maximum:"3600" default:"30"`
		Video         bool     `json:"video,omitempty" doc:"it may show live pictures of cameras, private parts hidden"`
	}
}

type kioskOutput struct{ Body KioskShape }

type kioskChangeInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Name          *string   `json:"name,omitempty" maxLength:"64"`
		Sites         *[]string `json:"sites,omitempty" minItems:"1" maxItems:"1000"`
		Views         *[]string `json:"views,omitempty" maxItems:"20"`
		RotateSeconds *int      `json:"rotateSeconds,omitempty" minimum:"10" maximum:"3600"`
		Video         *bool     `json:"video,omitempty"`
	}
}

func (s *Server) registerKiosks() {
	op := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Tags: []string{"kiosks"}}
	}
	add(s, anyone(), op("pairKiosk", http.MethodPost, "/kiosks/pair", "Ask to be let in as a screen on a wall", 0), s.pairKiosk)
	add(s, anyone(), op("claimKiosk", http.MethodPost, "/kiosks/claim", "Come for the session of an approved screen", 0), s.claimKiosk)
	add(s, global(KiosksWrite), op("getPendingKiosk", http.MethodGet, "/kiosks/pending/{id}", "The screen that shows a code", 0), s.pendingKiosk)
	add(s, global(KiosksRead), op("listKiosks", http.MethodGet, "/kiosks", "List screens", 0), s.listKiosks)
	add(s, global(KiosksWrite), op("createKiosk", http.MethodPost, "/kiosks", "Let the screen that shows a code in", http.StatusCreated), s.createKiosk)
	add(s, global(KiosksWrite), op("changeKiosk", http.MethodPatch, "/kiosks/{id}", "Change a screen", 0), s.changeKiosk)
	add(s, global(KiosksWrite), op("deleteKiosk", http.MethodDelete, "/kiosks/{id}", "Shut a screen out, at once", http.StatusNoContent), s.deleteKiosk)
}

func (s *Server) kioskCookieName() string { return s.cookieName() + "-kiosk" }

func (s *Server) pairKiosk(ctx context.Context, in *secretInput) (*pairingOutput, error) {
	addr := remote(ctx)
	x, ok := s.pairings.ask(in.Body.Secret, addr.String(), source(addr), in.UserAgent)
	if !ok {
		return nil, problemf(http.StatusTooManyRequests, "too many screens wait; try again in 10 min")
	}
	scheme := "http"
	if s.o.Secure {
		scheme = "https"
	}
	host, _ := ctx.Value(hostKey{}).(string)
	picture, err := qrOf(scheme + "://" + host + "/kiosk/approve?code=" + x.Code)
	if err != nil {
		return nil, problemf(http.StatusUnprocessableEntity, "the name of this host is too long for a QR code")
	}
	return &pairingOutput{Body: PairingShape{Code: x.Code, ExpiresAt: x.ExpiresAt, QR: picture}}, nil
}

func (s *Server) claimKiosk(ctx context.Context, in *secretInput) (*claimOutput, error) {
	out := &claimOutput{}
	if _, ok := s.pairings.waits(in.Body.Secret); ok {
		out.Body.Status = "waiting"
		return out, nil
	}
	secret, err := s.o.Store.ClaimKiosk(ctx, store.HashSecret(in.Body.Secret), remote(ctx).String())
	if errors.Is(err, store.ErrNotFound) {
		return nil, problemf(http.StatusNotFound, "no screen waits with that secret; ask for a new code")
	}
	if err != nil {
		return nil, err
	}
	// A wall needs no links from elsewhere to arrive signed in.
	cookie := s.cookie(secret, int(400*24*time.Hour/time.Second))
	cookie.Name, cookie.SameSite = s.kioskCookieName(), http.SameSiteStrictMode
	out.SetCookie, out.Body.Status = &cookie, "approved"
	return out, nil
}

// asTyped takes a code as people type it.
func asTyped(code string) string {
	return strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(code))
}

var errNoSuchCode = problemf(http.StatusNotFound, "no screen shows this code; codes are good for 10 min")

func (s *Server) pendingKiosk(_ context.Context, in *userInput) (*pendingKioskOutput, error) {
	x, ok := s.pairings.get(asTyped(in.ID))
	if !ok {
		return nil, errNoSuchCode
	}
	return &pendingKioskOutput{Body: PendingKioskShape{
		Code: x.Code, RemoteAddr: x.RemoteAddr, UserAgent: x.UserAgent, RequestedAt: x.RequestedAt, ExpiresAt: x.ExpiresAt,
	}}, nil
}

func (s *Server) createKiosk(ctx context.Context, in *newKioskInput) (*kioskOutput, error) {
	b := in.Body
	x, ok := s.pairings.get(asTyped(b.Code))
	if !ok {
		return nil, errNoSuchCode
	}
	k, err := s.o.Store.CreateKiosk(ctx, who(ctx).actor(), store.Kiosk{
		Name: b.Name, Sites: b.Sites, Views: b.Views, Rotate: time.Duration(b.RotateSeconds) * time.Second,
		Video: b.Video, UserAgent: x.UserAgent, RemoteAddr: x.RemoteAddr,
	}, []byte(x.Claim))
	if err != nil {
		return nil, err
	}
	s.pairings.drop(x.Code)
	return &kioskOutput{Body: kioskShape(k)}, nil
}

func (s *Server) listKiosks(ctx context.Context, in *Page) (*listOutput[KioskShape], error) {
	after, err := decodeCursor("kiosks", in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := s.o.Store.Kiosks(ctx, after, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return listed("kiosks", in.Limit, found, func(k *store.Kiosk) string { return k.ID }, kioskShape), nil
}

func (s *Server) changeKiosk(ctx context.Context, in *kioskChangeInput) (*kioskOutput, error) {
	k, err := s.o.Store.UpdateKiosk(ctx, who(ctx).actor(), in.ID, func(k *store.Kiosk) {
		put(&k.Name, in.Body.Name)
		put(&k.Sites, in.Body.Sites)
		put(&k.Views, in.Body.Views)
		put(&k.Video, in.Body.Video)
		if in.Body.RotateSeconds != nil {
			k.Rotate = time.Duration(*in.Body.RotateSeconds) * time.Second
		}
	})
	if err != nil {
		return nil, err
	}
	return &kioskOutput{Body: kioskShape(k)}, nil
}

func (s *Server) deleteKiosk(ctx context.Context, in *userInput) (*noContent, error) {
	return nil, s.o.Store.DeleteKiosk(ctx, who(ctx).actor(), in.ID)
}

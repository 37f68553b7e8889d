package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/store"
)

// settingMapStyle names the setting in the store.
const settingMapStyle = "map.styleUrl"

// MapSettings is how the map is drawn.
type MapSettings struct {
	StyleURL string `json:"styleUrl" doc:"a MapLibre style; empty: the built-in map, for which no browser asks anyone else"`
}

type mapSettingsOutput struct{ Body MapSettings }

type mapSettingsInput struct {
	Body struct {
		StyleURL *string `json:"styleUrl,omitempty" maxLength:"500"`
	}
}

func (s *Server) registerMapSettings() {
	op := func(id, method, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/settings/map", Summary: summary, Tags: []string{"settings"}}
	}
	add(s, filtered(SitesRead), op("getMapSettings", http.MethodGet, "How the map is drawn"),
		func(context.Context, *struct{}) (*mapSettingsOutput, error) {
			return &mapSettingsOutput{Body: MapSettings{StyleURL: s.mapStyle()}}, nil
		})
	change := op("changeMapSettings", http.MethodPatch, "Change how the map is drawn")
	change.Description = "With a style of your own, browsers load it, its tiles, sprites and glyphs from its origin, and from that origin only. Whoever runs it learns which part of the map is looked at."
	add(s, global(SitesWrite), change, s.changeMapSettings)
}

// mapStyle is the address of the style in use.
func (s *Server) mapStyle() string {
	if style := s.style.Load(); style != nil {
		return *style
	}
	return ""
}

// loadMapStyle reads the setting; a database that does not answer is told of by
// everything else.
func (s *Server) loadMapStyle(ctx context.Context) {
	value, err := s.o.Store.Setting(ctx, settingMapStyle)
	if err != nil {
		s.log.WarnContext(ctx, "map style not read", "err", err)
		return
	}
	if _, err := styleOrigin(value); err == nil {
		s.style.Store(&value)
	}
}

func (s *Server) changeMapSettings(ctx context.Context, in *mapSettingsInput) (*mapSettingsOutput, error) {
	if in.Body.StyleURL != nil {
		value := strings.TrimSpace(*in.Body.StyleURL)
		if _, err := styleOrigin(value); err != nil {
			return nil, err
		}
		if err := s.o.Store.PutSetting(ctx, who(ctx).actor(), settingMapStyle, value); err != nil {
			return nil, err
		}
		s.style.Store(&value)
	}
	return &mapSettingsOutput{Body: MapSettings{StyleURL: s.mapStyle()}}, nil
}

// styleOrigin is where a style comes from, as a policy names it; empty for the
// built-in one.
func styleOrigin(style string) (string, error) {
	if style == "" {
		return "", nil
	}
	bad := func(why string) (string, error) { return "", &store.InvalidError{Field: "styleUrl", Reason: why} }
	u, err := url.Parse(style)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return bad("must be an address that begins with https:// or http://")
	case u.User != nil:
		return bad("must not hold a name or password: every browser would get it")
	case strings.ContainsAny(u.Host, "*,;'\" \t\r\n\\"):
		return bad("names no host")
	}
	return u.Scheme + "://" + u.Host, nil
}

// policy is what a page may load: what we serve, and the map's style if an
// administrator chose one.
func (s *Server) policy() string {
	origin, err := styleOrigin(s.mapStyle())
	if err != nil || origin == "" {
		return uiPolicy
	}
	return strings.NewReplacer("img-src 'self'", "img-src 'self' "+origin, "connect-src 'self'", "connect-src 'self' "+origin).Replace(uiPolicy)
}

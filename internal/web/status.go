package web

import (
	"net/http"
	"net/netip"
)

// DriversPages is what drivers see without signing in, and the stickers that
// lead there.
type DriversPages interface {
	http.Handler
	// Stickers prints the codes of a site's ports.
	Stickers(w http.ResponseWriter, r *http.Request, site string)
}

func (s *Server) registerStatus() {
	if s.o.Status == nil {
		return
	}
	for _, route := range [][2]string{
		{http.MethodGet, "/status"}, {http.MethodGet, "/status.json"}, {http.MethodGet, "/status/{path...}"},
		{http.MethodPost, "/status/p/{publicId}/report"},
	} {
		s.raw(route[0], route[1], anyone(), s.drivers)
	}
	s.raw(http.MethodGet, base+"/sites/{site}/stickers", atSite(SitesRead), func(w http.ResponseWriter, r *http.Request) {
		s.o.Status.Stickers(w, r, r.PathValue("site"))
	})
}

// drivers passes a request on with the address of who really asks.
func (s *Server) drivers(w http.ResponseWriter, r *http.Request) {
	r = r.Clone(r.Context())
	r.RemoteAddr = netip.AddrPortFrom(remote(r.Context()), 0).String()
	s.o.Status.ServeHTTP(w, r)
}

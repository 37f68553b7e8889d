package app

import (
	"net"
	"strconv"

	"github.com/chargewatch/chargewatch/internal/web"
)

// system is the server as those who run it see it.
type system struct{ s *Server }

// Settings lists the configuration. All of it is read once, at the start.
func (y system) Settings() []web.Setting {
	all := y.s.Config.Settings()
	out := make([]web.Setting, 0, len(all))
	for _, x := range all {
		out = append(out, web.Setting{
			Key: x.Key, Value: x.Value, Default: x.Default, Source: x.Source.From, Place: x.Source.Place, Restart: true,
		})
	}
	return out
}

// Listeners are the open ports for stations, the main one first.
func (y system) Listeners() []web.Listener {
	s := y.s
	shape := func(address string) web.Listener {
		l := web.Listener{Address: address}
		if _, port, err := net.SplitHostPort(address); err == nil {
			l.Port, _ = strconv.Atoi(port) //nolint:errcheck // the system gave it
		}
		return l
	}
	main := shape(s.OCPPAddress())
	main.TLS = s.tls != nil
	out := []web.Listener{main}
	for i, c := range s.Config.Listeners {
		l := shape(s.ListenerAddress(i))
		l.TLS, l.Profile, l.LegacyRSA = c.TLS != "" && c.TLS != "off", c.Profile, c.LegacyRSA
		l.ClientCertificates = l.TLS && c.Profile == 3
		out = append(out, l)
	}
	return out
}

package mqtt

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"unicode/utf8"
)

// CheckTopic says why nothing can be published under a name.
func CheckTopic(topic string) error {
	switch {
	case topic == "" || len(topic) > maxTopic:
		return fmt.Errorf("1 to %d bytes", maxTopic)
	case !utf8.ValidString(topic) || strings.ContainsFunc(topic, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return errors.New("printable characters")
	case strings.ContainsAny(topic, "+#"):
		return errors.New("no + and no #")
	case strings.HasPrefix(topic, "$"):
		return errors.New("no $ in front")
	}
	return nil
}

// CheckFilter says why what a filter names cannot be asked for. + stands for one
// level and # for all that follow.
func CheckFilter(filter string) error {
	levels := strings.Split(filter, "/")
	for i, level := range levels {
		switch {
		case level == "+" && len(levels) > 1, level == "#" && i > 0 && i == len(levels)-1:
			levels[i] = "_"
		case strings.ContainsAny(level, "+#"):
			return errors.New("+ stands for a whole level, # for all that follow one")
		}
	}
	return CheckTopic(strings.Join(levels, "/"))
}

// matches reports whether a filter names a topic.
func matches(filter, topic string) bool {
	for {
		f, fRest, fMore := strings.Cut(filter, "/")
		if f == "#" {
			return true
		}
		t, tRest, tMore := strings.Cut(topic, "/")
		if f != "+" && f != t {
			return false
		}
		if !tMore {
			return !fMore || fRest == "#"
		}
		if !fMore {
			return false
		}
		filter, topic = fRest, tRest
	}
}

// Level makes a text one level of a topic.
func Level(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '/' || r == '+' || r == '#' || r == 0 {
			return '_'
		}
		return r
	}, s)
}

// Endpoint is where a broker is.
type Endpoint struct {
	Address string // HOST:PORT
	Host    string
	Secure  bool
}

// ParseURL reads mqtt://HOST or mqtts://HOST, with a port or that of the protocol.
func ParseURL(s string) (Endpoint, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "mqtt" && u.Scheme != "mqtts" || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return Endpoint{}, errors.New("must be an address such as mqtts://broker.example.org:8883")
	}
	port, secure := u.Port(), u.Scheme == "mqtts"
	switch {
	case port == "" && secure:
		port = "8883"
	case port == "":
		port = "1883"
	}
	return Endpoint{Address: net.JoinHostPort(u.Hostname(), port), Host: u.Hostname(), Secure: secure}, nil
}

// TLS is how a broker is trusted: by the authorities of this machine, or the one
// that is given as PEM; nil for one that is not asked to prove itself.
func (e Endpoint) TLS(authority string) (*tls.Config, error) {
	if !e.Secure {
		return nil, nil
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: e.Host}
	if authority != "" {
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM([]byte(authority)) {
			return nil, errors.New("must hold a certificate as PEM")
		}
	}
	return conf, nil
}

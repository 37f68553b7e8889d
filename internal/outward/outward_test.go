package outward_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/outward"
)

func TestWhatIsWithinReach(t *testing.T) {
	private := []string{"10.0.0.0/8", "192.168.0.0/16", "fc00::/7"}
	for name, tc := range map[string]struct {
		allow []string
		to    string
		ok    bool
	}{
		"a public address":                        {private, "203.0.113.9:443", true},
		"a public address of IPv6":                {private, "[2001:db8::1]:443", true},
		"an allowed private one":                  {private, "10.1.2.3:25", true},
		"a private one that is not allowed":       {nil, "10.1.2.3:25", false},
		"another private one":                     {private, "172.16.0.1:80", false},
		"loopback":                                {private, "127.0.0.1:80", false},
		"loopback of IPv6":                        {private, "[::1]:80", false},
		"loopback in the clothes of IPv6":         {private, "[::ffff:127.0.0.1]:80", false},
		"loopback behind a translator":            {private, "[64:ff9b::7f00:1]:80", false},
		"private in 6to4":                         {private, "[2002:a00:1::1]:80", false},
		"loopback that is named":                  {[]string{"127.0.0.1"}, "127.0.0.1:80", true},
		"the metadata service of a cloud":         {private, "169.254.169.254:80", false},
		"link-local of IPv6":                      {private, "[fe80::1]:80", false},
		"nowhere":                                 {private, "0.0.0.0:80", false},
		"multicast":                               {private, "224.0.0.1:80", false},
		"space that providers share":              {private, "100.64.0.1:80", false},
		"our own port on loopback":                {[]string{"127.0.0.0/8"}, "127.0.0.1:8080", false},
		"our own port, named with the port":       {[]string{"127.0.0.1:8080"}, "127.0.0.1:8080", true},
		"another port beside the one named":       {[]string{"127.0.0.1:9000"}, "127.0.0.1:9001", false},
		"the number of our port on another's box": {private, "10.1.2.3:8080", true},
	} {
		t.Run(name, func(t *testing.T) {
			nets, exactly, err := outward.ParseAllow(tc.allow)
			if err != nil {
				t.Fatal(err)
			}
			g := outward.New(outward.Options{Allow: nets, Exactly: exactly, Own: func() []int { return []int{8080} }})
			if err := g.Check(netip.MustParseAddrPort(tc.to)); (err == nil) != tc.ok || err != nil && !errors.Is(err, outward.ErrDenied) {
				t.Errorf("%v", err)
			}
		})
	}
	if _, _, err := outward.ParseAllow([]string{"home"}); err == nil {
		t.Error("a network that is none was taken")
	}
}

// A name says nothing: what it resolved to is what counts.
func TestTheCheckIsMadeOnTheAddressThatIsDialled(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	g := outward.New(outward.Options{})
	if c, err := g.Dial(t.Context(), "tcp", net.JoinHostPort("localhost", port)); !errors.Is(err, outward.ErrDenied) {
		t.Errorf("dialled %v, %v", c, err)
	}
	named := outward.New(outward.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}})
	c, err := named.Dial(t.Context(), "tcp", net.JoinHostPort("localhost", port))
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	reached := false
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer inner.Close()
	outer := httptest.NewServer(http.RedirectHandler(inner.URL, http.StatusTemporaryRedirect))
	defer outer.Close()
	g := outward.New(outward.Options{Exactly: []netip.AddrPort{netip.MustParseAddrPort(strings.TrimPrefix(outer.URL, "http://"))}})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, outer.URL, strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := g.Client(nil).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusTemporaryRedirect || reached {
		t.Errorf("%d, reached %v, %v", resp.StatusCode, reached, err)
	}
}

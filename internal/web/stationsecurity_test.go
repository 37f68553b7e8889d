package web

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

func TestWeakness(t *testing.T) {
	for cipher, want := range map[string]string{
		"": "", "TLS_AES_128_GCM_SHA256": "", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "",
		"TLS_RSA_WITH_AES_128_GCM_SHA256": "noForwardSecrecy", "TLS_RSA_WITH_AES_128_CBC_SHA": "noForwardSecrecy",
		"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "oldCipher", "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA": "oldCipher",
	} {
		if got := weakness(cipher); got != want {
			t.Errorf("%q: %q, want %q", cipher, got, want)
		}
	}
}

// ours names the roots with these keys: the first is that of now.
type ours []string

func (o ours) Now() int { return min(len(o), 1) }

func (o ours) Name(x store.InstalledCertificate) (string, bool) {
	for i, key := range o {
		if x.IssuerKeyHash == key {
			return "root " + key, i == 0
		}
	}
	return "", false
}

// What a station said about its roots and its cipher stands in the list; what it never
// said is unknown, also where it was asked about other uses.
func TestWhatStationsSaidOfTheirRoots(t *testing.T) {
	p := newPlant(t)
	p.site("own")
	for _, id := range []string{"A", "B", "C"} {
		p.enrol("own", id)
		p.connect(id, "ocpp2.0.1")
	}
	p.say(event.Station("B"), &event.Connected{ConnID: "b2", Protocol: "ocpp2.0.1", SecurityProfile: 2, TLS: "1.2", Cipher: "TLS_RSA_WITH_AES_128_GCM_SHA256"})
	operator, admin := p.script(store.RoleOperator), p.script(store.RoleAdmin)
	ask := func(station, request, response string) {
		t.Helper()
		p.links.replies(func(string, string, []byte) Outcome {
			return Outcome{Status: "answered", Response: json.RawMessage(response)}
		})
		operator.want(http.StatusOK, "POST", "/stations/"+station+"/commands", `{"action":"GetInstalledCertificateIds","payload":`+request+`}`, nil)
	}
	said := func(typ, key string) string {
		return `{"status":"Accepted","certificateHashDataChain":[{"certificateType":"` + typ + `","certificateHashData":{"hashAlgorithm":"SHA256","issuerNameHash":"aa","issuerKeyHash":"` +
			key + `","serialNumber":"1"}}]}`
	}
	ask("A", `{"certificateType":["ManufacturerRootCertificate"]}`, said("ManufacturerRootCertificate", "maker"))
	ask("B", `{}`, said("CSMSRootCertificate", "old"))

	var all Items[SecurityShape]
	admin.get("/system/station-security", &all)
	if len(all.Items) != 3 {
		t.Fatalf("%d stations", len(all.Items))
	}
	a, b, c := all.Items[0], all.Items[1], all.Items[2]
	if a.RootsAt != nil || a.KnowsRoot != "unknown" || len(a.Roots) != 1 || a.Roots[0].Type != "ManufacturerRootCertificate" || a.TLS != "" || a.TLSWeak != "" {
		t.Errorf("asked about another use: %+v", a)
	}
	if b.RootsAt == nil || len(b.Roots) != 1 || b.TLS != "1.2" || b.TLSWeak != "noForwardSecrecy" {
		t.Errorf("with an old suite: %+v", b)
	}
	if c.RootsAt != nil || c.KnowsRoot != "unknown" || c.Roots == nil || len(c.Roots) != 0 {
		t.Errorf("never asked: %+v", c)
	}

	roots, err := p.store.RootsSaid(t.Context(), "A", "C")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		station string
		names   RootNames
		want    string
	}{
		{"B", ours{"old"}, "has"}, {"B", ours{"new", "old"}, "lacks"}, {"B", ours{}, "unknown"}, {"B", nil, "unknown"},
		{"A", ours{"maker"}, "unknown"}, {"C", ours{"new"}, "unknown"},
	} {
		x := SecurityShape{}
		x.keeps(roots[tt.station], tt.names)
		if x.KnowsRoot != tt.want {
			t.Errorf("%s with %v: %s, want %s", tt.station, tt.names, x.KnowsRoot, tt.want)
		}
	}
}

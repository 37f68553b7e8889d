package onvif

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`<Envelope><Body><x a="1">t</x></Body></Envelope>`, `<!DOCTYPE a><a/>`, `<a>&lt;&#65;</a>`, `<a><b></a></b>`, "<a", "", `<?xml version="1.0" encoding="x"?><a/>`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := parse(data)
		if err != nil {
			return
		}
		depth(t, e, 0)
		_, _ = clock(e)
		_ = refusal(500, e)
	})
}

func depth(t *testing.T, e *element, at int) {
	if at > maxDepth || len(e.text) > maxText {
		t.Fatal("beyond the bounds")
	}
	for _, c := range e.children {
		depth(t, c, at+1)
	}
}

func FuzzNotification(f *testing.F) {
	f.Add(`tns1:RuleEngine/CellMotionDetector/Motion`, "IsMotion", "true", "Changed", "2026-01-02T03:04:05Z")
	f.Add(`tns1:VideoSource/ImageTooDark/ImagingService`, "State", "1", "Initialized", "")
	f.Add(`tns1:RuleEngine/LineDetector/Crossed`, "ObjectId", "7", "", "x")
	f.Fuzz(func(t *testing.T, topic, name, value, operation, at string) {
		e, err := parse([]byte(`<NotificationMessage><Topic>` + escape(topic) + `</Topic><Message><Message UtcTime="` + escape(at) + `" PropertyOperation="` + escape(operation) +
			`"><Source><SimpleItem Name="Source" Value="` + escape(value) + `"/></Source><Data><SimpleItem Name="` + escape(name) + `" Value="` + escape(value) + `"/></Data></Message></Message></NotificationMessage>`))
		if err != nil {
			return
		}
		n, ok := read(e)
		if !ok {
			return
		}
		if n.what == "" || len(n.key) > 600 {
			t.Fatalf("%+v", n)
		}
		s := newScenes(func() string { return "x" })
		first, told := s.take(n, time.Time{})
		if again, twice := s.take(n, time.Time{}); n.lasts && twice {
			t.Fatalf("%+v is told twice: %+v", first, again)
		}
		if told && n.lasts && len(s.end()) != 1 {
			t.Fatal("what began does not end")
		}
	})
}

func FuzzChallenge(f *testing.F) {
	for _, s := range []string{`Digest realm="a", nonce="b", qop="auth"`, `digest nonce=1,algorithm=SHA-256, opaque="\"", qop="auth-int, auth"`, `Digest `, `Basic x`, `Digest nonce="`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		c := readChallenge([]string{header})
		if c == nil {
			return
		}
		if a := c.answer(Device{Username: "u", Password: "p"}, "POST", "/"); strings.ContainsAny(a, "\r\n") {
			t.Fatalf("a header of several lines: %q", a)
		}
	})
}

func FuzzMatches(f *testing.F) {
	f.Add([]byte(`<Envelope><Body><ProbeMatches><ProbeMatch><XAddrs>http://127.0.0.1/x</XAddrs></ProbeMatch></ProbeMatches></Body></Envelope>`))
	from := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, n := range matches(data, from) {
			if !strings.Contains(n.URL, "127.0.0.1") {
				t.Fatalf("%+v", n)
			}
		}
	})
}

package signed_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/proto/signed"
)

func TestASignatureIsOfOneBodyAndOneSecret(t *testing.T) {
	at := time.Unix(1_790_000_000, 0)
	text := signed.Sign([]byte("secret"), at, []byte("body"))
	s, ok := signed.Parse(" " + strings.ReplaceAll(text, ",", " , "))
	if !ok || !s.At.Equal(at) || !s.By([]byte("secret"), []byte("body")) {
		t.Fatalf("%s: %+v, %v", text, s, ok)
	}
	if s.By([]byte("other"), []byte("body")) || s.By([]byte("secret"), []byte("bodY")) || s.By(nil, []byte("body")) {
		t.Error("it is of everything")
	}
	later, ok := signed.Parse(strings.Replace(text, "t=1790000000", "t=1790000001", 1))
	if !ok || later.By([]byte("secret"), []byte("body")) {
		t.Error("it is of another time")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "t=1,v1=00", "v1=,t=", "t=-1", "t=9999999999999999999", "t=1,t=2,v1=" + strings.Repeat("0", 64)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, ok := signed.Parse(text)
		if !ok {
			return
		}
		if unix := s.At.Unix(); unix < 0 || unix > 1<<40 {
			t.Fatalf("%q is %+v", text, s)
		}
		if s.By(nil, nil) {
			t.Fatal("no secret signs")
		}
	})
}

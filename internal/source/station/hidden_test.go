package station

import (
	"strings"
	"testing"
)

func TestPasswordsAreHiddenInEveryForm(t *testing.T) {
	for name, tc := range map[string]struct{ secret, message, want string }{
		"as it is":         {"charge-me-please", `{"additionalInfo":"key charge-me-please refused"}`, `{"additionalInfo":"key (secret) refused"}`},
		"as digits":        {"charge-me-please", `{"info":"6368617267652d6d652d706c65617365"}`, `{"info":"(secret)"}`},
		"as large digits":  {"\xde\xad\xbe\xef\x00\x01\x02\x03\xde\xad\xbe\xef\x00\x01\x02\x03", `{"info":"DEADBEEF00010203DEADBEEF00010203"}`, `{"info":"(secret)"}`},
		"digits otherwise": {"deadbeef00010203", `{"info":"DEADBEEF00010203"}`, `{"info":"(secret)"}`},
		"as JSON writes":   {`say "friend" twice`, `{"info":"say \"friend\" twice"}`, `{"info":"(secret)"}`},
		"one of another":   {"charge-me-please", `{"info":"charge-me-now"}`, `{"info":"charge-me-now"}`},
		"too short":        {"12345678", `{"meterStart":12345678}`, `{"meterStart":12345678}`},
	} {
		t.Run(name, func(t *testing.T) {
			var h hidden
			h.add([]byte(tc.secret))
			if got := string(h.in([]byte(tc.message))); got != tc.want {
				t.Errorf("%s becomes %s", tc.message, got)
			}
		})
	}
	var none hidden
	if got := string(none.in([]byte(strings.Repeat("x", 20)))); got != strings.Repeat("x", 20) {
		t.Error(got)
	}
}

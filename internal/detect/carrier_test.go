package detect

import "testing"

func TestCarrier(t *testing.T) {
	for iccid, want := range map[string]string{
		"89492000000000000001": "894920",  // Germany, two digits of the issuer
		"8901410327121518251":  "8901410", // North America
		"89148000001234567890": "89148",   // the same, without its zero
		"89354011234567890123": "8935401", // Iceland has three digits
		"8949":                 "",
		"12345678901234567890": "",
		"89ab2000000000000001": "",
		"":                     "",
	} {
		if got := carrier(iccid); got != want {
			t.Errorf("%q: %q, want %q", iccid, got, want)
		}
	}
}

package normalise

import (
	"math"
	"reflect"
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
)

func TestUnits(t *testing.T) {
	tests := map[string]struct {
		unit  string
		value float64
		want  float64
		left  string
		quirk string
	}{
		"Wh stays":                         {"Wh", 5, 5, "", ""},
		"kWh becomes Wh":                   {"kWh", 1.5, 1500, "", ""},
		"lower case is read and counted":   {"wh", 5, 5, "", "unitSpelling"},
		"the misspelling of 1.6 is right":  {"Celcius", 20, 20, "", ""},
		"Kelvin":                           {"K", 300, 26.85, "", ""},
		"Fahrenheit":                       {"Fahrenheit", 212, 100, "", ""},
		"MW could be milli or mega":        {"MW", 5, 5, "MW", "unknownUnit"},
		"what nobody knows stays as it is": {"furlong", 5, 5, "furlong", "unknownUnit"},
		"none given":                       {"", 5, 5, "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := event.Sample{Unit: tt.unit, Value: tt.value}
			q := Unit(&s)
			if math.Abs(s.Value-tt.want) > 1e-9 || s.Unit != tt.left || q != tt.quirk {
				t.Errorf("got %v %q, quirk %q", s.Value, s.Unit, q)
			}
		})
	}
}

func TestStatusWords(t *testing.T) {
	tests := map[string]struct {
		in, want event.Status
		quirks   int
	}{
		"right words": {
			event.Status{Status: "SuspendedEV", ErrorCode: "NoError"}, event.Status{Status: "SuspendedEV", ErrorCode: "NoError"}, 0},
		"other case and blanks": {
			event.Status{Status: "suspended ev", ErrorCode: "No Error"}, event.Status{Status: "SuspendedEV", ErrorCode: "NoError"}, 2},
		"a vendor code that says nothing is wrong": {
			event.Status{Status: "Available", ErrorCode: "NoError", VendorErrorCode: "0x0000"}, event.Status{Status: "Available", ErrorCode: "NoError"}, 1},
		"a vendor code that says something": {
			event.Status{Status: "Available", ErrorCode: "NoError", VendorErrorCode: "CX018"},
			event.Status{Status: "Available", ErrorCode: "NoError", VendorErrorCode: "CX018"}, 0},
		"a word of the vendor's own": {
			event.Status{Status: "Dreaming"}, event.Status{Status: "Dreaming"}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := tt.in
			q := Event(&event.Event{Body: &got})
			if got != tt.want || len(q) != tt.quirks {
				t.Errorf("got %+v with %v", got, q)
			}
		})
	}
}

func TestBoot(t *testing.T) {
	tests := map[string]struct {
		in, want event.Boot
		quirks   int
	}{
		"right words": {
			event.Boot{Vendor: "Acme", Model: "Wall Box", Serial: "A 1"}, event.Boot{Vendor: "Acme", Model: "Wall Box", Serial: "A 1"}, 0},
		"fields of fixed width": {
			event.Boot{Vendor: "Acme  ", Serial: "A1\x00\x00", Firmware: "\t1.2\r\n"}, event.Boot{Vendor: "Acme", Serial: "A1", Firmware: "1.2"}, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := tt.in
			q := Event(&event.Event{Body: &got})
			if !reflect.DeepEqual(got, tt.want) || len(q) != tt.quirks {
				t.Errorf("got %+v with %v", got, q)
			}
		})
	}
}

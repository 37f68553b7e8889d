package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestTemplatesStayValid(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 9, 8, 7_000_000, time.UTC)
	for name, tt := range map[string]struct {
		t    *template
		want []string
	}{
		"boot":   {bootTemplate("LOAD-00001"), []string{`"chargePointSerialNumber":"LOAD-00001"`}},
		"status": {statusTemplate("Charging"), []string{`"timestamp":"2026-11-22T10:09:08.007Z"`}},
		"start":  {startTemplate(), []string{`"meterStart":100000042`, `"timestamp":"2026-11-22T10:09:08.007Z"`}},
		"stop":   {stopTemplate(), []string{`"transactionId":       -17`, `"meterStop":100000042`}},
		"meter":  {meterTemplate(), []string{`"value":"100000042"`, `"timestamp":"2026-11-22T10:09:08.007Z"`}},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 { // patching twice must not grow the frame
				b := tt.t.patch(5, at, 42, -17)
				head := 6
				if b[1]&0x7f == 126 {
					head = 8
				}
				body := b[head:]
				var parts []json.RawMessage
				if err := json.Unmarshal(body, &parts); err != nil {
					t.Fatalf("%v: %s", err, body)
				}
				if got := strings.Trim(string(parts[1]), `"`); got != messageID(5) {
					t.Errorf("message id %s, want %s", got, messageID(5))
				}
				for _, w := range tt.want {
					if !strings.Contains(string(body), w) {
						t.Errorf("no %s in %s", w, body)
					}
				}
			}
		})
	}
}

func TestQuantiles(t *testing.T) {
	var h histogram
	for i := 1; i <= 1000; i++ {
		h.add(time.Duration(i) * time.Millisecond)
	}
	for q, want := range map[float64]time.Duration{0.5: 500 * time.Millisecond, 0.99: 990 * time.Millisecond, 1: time.Second} {
		if got := h.quantile(q); got < want || got > want*105/100 {
			t.Errorf("quantile %v is %v, want about %v", q, got, want)
		}
	}
}

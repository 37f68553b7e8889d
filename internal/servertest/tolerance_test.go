package servertest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj/spec"
	"github.com/chargewatch/chargewatch/internal/servertest"
)

// dial connects a station that speaks for itself.
func dial(t *testing.T, s *servertest.Server, id, protocol string) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), s.URL+id, &websocket.DialOptions{Subprotocols: []string{protocol}})
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(8 << 20)
	t.Cleanup(func() { c.CloseNow() })
	return c
}

// ask sends one frame and returns its answer. What the server asks meanwhile is
// refused.
func ask(t *testing.T, c *websocket.Conn, frame string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := c.Write(ctx, websocket.MessageText, []byte(frame)); err != nil {
		t.Fatalf("send %.200s: %v", frame, err)
	}
	for {
		_, data, err := c.Read(ctx)
		if err != nil {
			t.Fatalf("answer to %.2000s: %v", frame, err)
		}
		if id, ok := strings.CutPrefix(string(data), `[2,"`); ok {
			id, _, _ = strings.Cut(id, `"`)
			if err := c.Write(ctx, websocket.MessageText, fmt.Appendf(nil, `[4,%q,"NotSupported","",{}]`, id)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		return string(data)
	}
}

// Whatever the content of a known action is, it is answered with a CALLRESULT
// that the specification allows, and the connection stays.
func TestNoContentIsAReasonToRefuse(t *testing.T) {
	t.Parallel()
	table := spec.New()
	for _, v := range ocppj.Versions() {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			s := servertest.Start(t)
			s.Enrol(t, "ODD")
			job := strictJob{Print: true, Protocol: v.String()}
			for _, action := range table.Actions(v, spec.FromStation) {
				if table.Answered(v, action) {
					job.Calls = append(job.Calls, action)
				}
			}
			next, leave := strictPeer(t, job)
			l, _ := next()
			leave()
			if len(l.Payloads) != 4*len(job.Calls) {
				t.Fatalf("%d payloads of %d actions", len(l.Payloads), len(job.Calls))
			}
			c := dial(t, s, "ODD", v.String())
			r := rand.New(rand.NewPCG(1, uint64(v)))
			n := 0
			for _, p := range l.Payloads {
				for range 8 {
					var doc any
					if err := json.Unmarshal(p.Payload, &doc); err != nil {
						t.Fatal(err)
					}
					text, err := json.Marshal(spoil(r, doc))
					if err != nil {
						t.Fatal(err)
					}
					n++
					frame := fmt.Sprintf(`[2,"%d",%q,%s]`, n, p.Action, text)
					answer := ask(t, c, frame)
					if !strings.HasPrefix(answer, fmt.Sprintf(`[3,"%d",`, n)) {
						t.Fatalf("%.1000s was answered %.300s", frame, answer)
					}
					var d jsondoc.Doc
					if err := d.Parse([]byte(answer)); err != nil {
						t.Fatalf("%s: %v", answer, err)
					}
					var parts []jsondoc.Node
					for part := range d.Root().All() {
						parts = append(parts, part)
					}
					if faults := table.CheckResponse(v, p.Action, parts[2]); len(faults) > 0 {
						t.Errorf("%.1000s was answered %.300s: %v", frame, answer, faults)
					}
				}
			}
			if !s.Station(t, "ODD").Online {
				t.Error("the connection did not stay")
			}
		})
	}
}

// spoil changes a value or two into what no specification has.
func spoil(r *rand.Rand, v any) any {
	switch v := v.(type) {
	case map[string]any:
		keys := slices.Sorted(maps.Keys(v))
		if len(keys) == 0 || r.IntN(8) == 0 {
			v["surplus"] = odd(r)
			return v
		}
		for range 1 + r.IntN(2) {
			key := keys[r.IntN(len(keys))]
			if r.IntN(8) == 0 {
				delete(v, key)
			} else if was, ok := v[key]; ok {
				v[key] = spoil(r, was)
			}
		}
		return v
	case []any:
		if len(v) > 0 && r.IntN(4) > 0 {
			v[r.IntN(len(v))] = spoil(r, v[0])
			return v
		}
	}
	return odd(r)
}

func odd(r *rand.Rand) any {
	values := []any{
		nil, true, "", "text", -1, 0, 1 << 40, 0.5, 1e300, -1e300, json.RawMessage("1e400"), json.RawMessage("-0"),
		json.RawMessage("123456789012345678901234567890"), "NaN", "Infinity", "0000-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
		"1970-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "yesterday", strings.Repeat("é", 3000), "\x00\u2028\ufffd", json.RawMessage(`"\ud800"`),
		[]any{}, []any{nil}, []any{[]any{}}, map[string]any{}, map[string]any{"": map[string]any{"a": []any{1}}},
	}
	return values[r.IntN(len(values))]
}

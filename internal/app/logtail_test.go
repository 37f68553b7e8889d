package app

import (
	"log/slog"
	"strings"
	"testing"
)

func TestTheLogTailKeepsNoSecret(t *testing.T) {
	const hidden = "s3cr3t-value-42"
	for name, line := range map[string]string{
		"an attribute":      `level=INFO msg="x" password=` + hidden,
		"a quoted one":      `level=INFO msg="x" password="` + hidden + `"`,
		"JSON":              `level=INFO msg="x" body="{\"AuthorizationKey\":\"` + hidden + `\"}"`,
		"plain JSON":        `{"BasicAuthPassword": "` + hidden + `"}`,
		"a link":            `GET /signin?token=` + hidden + ` 200`,
		"a header":          `Authorization: Bearer ` + hidden,
		"a basic header":    `authorization=Basic ` + hidden,
		"a bearer alone":    `sent bearer ` + hidden,
		"an API token":      `used cw_` + hidden,
		"a cookie":          `Cookie: chargewatch=` + hidden,
		"an address":        `dial wss://user:` + hidden + `@host/ocpp`,
		"a key of a script": `api_key=` + hidden,
	} {
		t.Run(name, func(t *testing.T) {
			var tail LogTail
			if _, err := tail.Write([]byte(line + "\n")); err != nil {
				t.Fatal(err)
			}
			if kept := string(tail.Bytes()); strings.Contains(kept, hidden) || !strings.Contains(kept, "(secret)") {
				t.Error(kept)
			}
		})
	}
	var tail LogTail
	tail.Write([]byte("level=WARN msg=\"journal cannot commit\" err=\"disk full\" station=DE-1\n"))
	if kept := string(tail.Bytes()); !strings.Contains(kept, "disk full") || !strings.Contains(kept, "DE-1") {
		t.Error("too much was taken out:", kept)
	}
}

func TestTheLogTailIsBounded(t *testing.T) {
	var tail LogTail
	log := tail.Keep(slog.New(slog.DiscardHandler)).With("part", "x").WithGroup("g")
	long := strings.Repeat("y", 2*tailLine)
	for i := range 3 * tailLines {
		log.Info("a line", "i", i)
		if i%100 == 0 {
			log.Info("a long line", "text", long)
		}
		log.Debug("not kept")
	}
	kept := string(tail.Bytes())
	if n := strings.Count(kept, "\n"); n > tailLines || len(kept) > tailBytes || strings.Contains(kept, "not kept") {
		t.Errorf("%d lines, %d bytes", n, len(kept))
	}
	if !strings.Contains(kept, "g.i=5999") || !strings.Contains(kept, "part=x") {
		t.Error("the newest line is missing")
	}
}

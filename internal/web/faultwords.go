package web

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed words/faults.de.json
var germanFaults []byte

// faultWords say in German what is wrong at a field. The English is the key; %s
// stands for what differs from time to time.
type faultWords struct {
	whole map[string]string
	parts []faultPattern // the one that says most first
}

type faultPattern struct {
	english *regexp.Regexp
	german  string
	said    int // length of what is always the same
}

func newFaultWords() *faultWords {
	w := &faultWords{whole: make(map[string]string)}
	var all map[string]string
	if err := json.Unmarshal(germanFaults, &all); err != nil {
		panic("web: the embedded words cannot be read: " + err.Error()) // a test reads them
	}
	for english, german := range all {
		if !strings.Contains(english, "%s") {
			w.whole[english] = german
			continue
		}
		pieces := strings.Split(english, "%s")
		for i := range pieces {
			pieces[i] = regexp.QuoteMeta(pieces[i])
		}
		w.parts = append(w.parts, faultPattern{regexp.MustCompile(`^(?s:` + strings.Join(pieces, "(.+?)") + `)$`), german, len(english)})
	}
	slices.SortFunc(w.parts, func(a, b faultPattern) int {
		if a.said != b.said {
			return b.said - a.said
		}
		return strings.Compare(a.german, b.german)
	})
	return w
}

// maxFault bounds what is looked up: longer ones hold what somebody sent.
const maxFault = 1 << 10

// german is a text in German, the same where there is none.
func (w *faultWords) german(text string) string {
	if s := w.whole[text]; s != "" {
		return s
	}
	if len(text) > maxFault {
		return text
	}
	for i := range w.parts {
		p := &w.parts[i]
		if m := p.english.FindStringSubmatch(text); m != nil {
			args := make([]any, len(m)-1)
			for k := range args {
				args[k] = m[k+1]
			}
			return fmt.Sprintf(p.german, args...)
		}
	}
	return text
}

// inTheirWords has problems say what is wrong at a field in the language of who
// asks. What of it is for programs, such as the place and the status, stays.
func (w *faultWords) inTheirWords(ctx huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok || preferred(ctx.Header("Accept-Language")) != "de" {
		return v, nil
	}
	said := *m
	if said.Detail = w.german(m.Detail); said.Detail == m.Detail && len(m.Errors) == 0 {
		return v, nil
	}
	said.Errors = make([]*huma.ErrorDetail, len(m.Errors))
	for i, e := range m.Errors {
		one := *e
		one.Message = w.german(e.Message)
		said.Errors[i] = &one
	}
	ctx.SetHeader("Content-Language", "de")
	return &said, nil
}

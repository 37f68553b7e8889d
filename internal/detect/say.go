package detect

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
)

//go:embed words/de.json
var germanWords []byte

// Words are what findings say in German. The English of a sentence is its key,
// so there is one source of it: where it is said.
type Words struct {
	Sentences map[string]string            `json:"sentences"` // by English format
	Phrases   map[string]string            `json:"phrases"`   // words within sentences
	Units     map[string][2]string         `json:"units"`     // one and many, as behind "seit" and "von"
	Params    map[string]map[string]string `json:"params"`    // of detectors, by id and name
}

// German returns the words of the product.
func German() *Words {
	w := new(Words)
	if err := json.Unmarshal(germanWords, w); err != nil {
		panic("detect: the embedded words cannot be read: " + err.Error()) // a test reads them
	}
	return w
}

// Phrase is a word or part of a sentence that has a translation of its own. What
// stands behind its last comma may be a code, which is the same everywhere, and
// what stands behind a colon a phrase of its own.
type Phrase string

// Meaning is a part of a sentence that comes with its translation.
type Meaning struct{ EN, DE string }

func (m Meaning) String() string { return m.EN }

// Count is a number of something.
type Count struct {
	N    float64
	Unit string // in English, of one
}

func (n Count) String() string {
	if k := math.Round(n.N); k != 1 {
		return fmt.Sprintf("%.0f %ss", k, n.Unit)
	}
	return "1 " + n.Unit
}

// Span is a duration as people say it.
type Span time.Duration

func (s Span) count() Count {
	switch d := time.Duration(s); {
	case d < 90*time.Second:
		return Count{d.Seconds(), "second"}
	case d < 2*time.Hour:
		return Count{d.Minutes(), "minute"}
	case d < 48*time.Hour:
		return Count{d.Hours(), "hour"}
	default:
		return Count{d.Hours() / 24, "day"}
	}
}

func (s Span) String() string { return s.count().String() }

// Translate returns the German of a sentence without values, empty if there is
// none.
func (w *Words) Translate(english string) string {
	if s := w.Sentences[english]; s != "" {
		return s
	}
	return w.phrase(english)
}

func (w *Words) phrase(english string) string {
	if s := w.Phrases[english]; s != "" {
		return s
	}
	if i := strings.Index(english, ": "); i > 0 && w.Phrases[english[:i+2]] != "" {
		tail := w.phrase(english[i+2:])
		if tail == "" {
			tail = english[i+2:]
		}
		return w.Phrases[english[:i+2]] + tail
	}
	if i := strings.LastIndex(english, ", "); i > 0 && w.Phrases[english[:i]] != "" {
		return w.Phrases[english[:i]] + english[i:]
	}
	return ""
}

// Sentence writes a sentence in German, empty if its format has no translation.
func (w *Words) Sentence(format string, args ...any) string {
	german := w.Sentences[format]
	if german == "" {
		return ""
	}
	out := make([]any, len(args))
	for i, a := range args {
		switch a := a.(type) {
		case Phrase:
			if out[i] = w.phrase(string(a)); out[i] == "" {
				out[i] = string(a)
			}
		case Meaning:
			if out[i] = a.DE; a.DE == "" {
				out[i] = a.EN
			}
		case Count:
			out[i] = w.count(a)
		case Span:
			out[i] = w.count(a.count())
		case float64:
			out[i] = comma(a)
		default:
			out[i] = a
		}
	}
	return fmt.Sprintf(german, out...)
}

func (w *Words) count(n Count) string {
	unit, ok := w.Units[n.Unit]
	switch k := math.Round(n.N); {
	case !ok:
		return n.String()
	case k == 1:
		return "1 " + unit[0]
	default:
		return fmt.Sprintf("%.0f %s", k, unit[1])
	}
}

// comma is a number with a comma for its point.
type comma float64

// Format writes the number as the verb has it.
func (n comma) Format(f fmt.State, verb rune) {
	text := fmt.Sprintf(fmt.FormatString(f, verb), float64(n))
	_, _ = f.Write([]byte(strings.ReplaceAll(text, ".", ","))) // fmt keeps what it is given
}

// Say writes a sentence of a finding. It returns the English; Raise and State add
// what it is in German.
func (c *Context) Say(format string, args ...any) string {
	plain := make([]any, len(args))
	for i, a := range args {
		switch a := a.(type) {
		case Phrase, Count, Span, Meaning:
			plain[i] = fmt.Sprint(a)
		default:
			plain[i] = a
		}
	}
	english := fmt.Sprintf(format, plain...)
	if c.x.words == nil {
		c.x.words = German()
	}
	if c.x.said == nil {
		c.x.said = make(map[string]string)
	}
	german := make([]any, len(args))
	for i, a := range args {
		if german[i] = a; c.x.said[fmt.Sprint(a)] != "" { // a sentence within it
			german[i] = c.x.said[fmt.Sprint(a)]
		}
	}
	c.x.said[english] = c.x.words.Sentence(format, german...)
	return english
}

// german is what a text is in German that was put together of sentences that
// were said in this call.
func (x *Engine) german(text string) string {
	var out []string
	for text != "" {
		best := ""
		for english := range x.said {
			if len(english) > len(best) && strings.HasPrefix(text, english) {
				best = english
			}
		}
		if best == "" || x.said[best] == "" {
			return ""
		}
		out = append(out, x.said[best])
		text = strings.TrimPrefix(text[len(best):], " ")
	}
	return strings.Join(out, " ")
}

package notify

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/chargewatch/chargewatch/internal/store"
)

// Spec says what a type of channel must be told. From it settings are checked
// and forms are made.
type Spec struct {
	Type   string
	Needs  string // what it cannot do without, in words; empty: nothing special
	Fields []Field
	// Together is how many notices one message can carry.
	Together int
	// Timeout bounds one hand-over; default 20 s.
	Timeout time.Duration
}

// Field is one setting.
type Field struct {
	Name     string
	Form     Form
	Required bool
	Secret   bool // written, never read
	Choices  []string
	Default  any
	Doc      string
}

// Form is what a setting may be.
type Form string

// The forms of settings.
const (
	Text    Form = "text"
	URL     Form = "url"
	Number  Form = "number"
	Choice  Form = "choice"
	List    Form = "list" // of texts
	PEM     Form = "pem"
	Boolean Form = "boolean"
)

func (s *Spec) timeout() time.Duration {
	if s.Timeout <= 0 {
		return 20 * time.Second
	}
	return s.Timeout
}

const maxSetting = 8 << 10

// check brings a channel's settings into their form, or names the one that
// cannot be.
func (s *Spec) check(c *store.Channel) error {
	byName := make(map[string]Field, len(s.Fields))
	for _, f := range s.Fields {
		byName[f.Name] = f
	}
	for name := range c.Settings {
		if f, ok := byName[name]; !ok || f.Secret {
			return &store.InvalidError{Field: "settings." + shown(name), Reason: "no such setting"}
		}
	}
	for name := range c.Secrets {
		if f, ok := byName[name]; !ok || !f.Secret {
			return &store.InvalidError{Field: "secrets." + shown(name), Reason: "no such secret"}
		}
	}
	out := make(map[string]any, len(c.Settings))
	for _, f := range s.Fields {
		if f.Secret {
			value := c.Secrets[f.Name]
			at := "secrets." + f.Name
			if value == "" && f.Required {
				return &store.InvalidError{Field: at, Reason: "is needed"}
			}
			if value != "" {
				if err := f.fits(at, value); err != nil {
					return err
				}
			}
			continue
		}
		value, given := c.Settings[f.Name]
		if !given || value == nil || value == "" {
			if f.Default == nil {
				if f.Required {
					return &store.InvalidError{Field: "settings." + f.Name, Reason: "is needed"}
				}
				continue
			}
			value = f.Default
		}
		fitting, err := f.value("settings."+f.Name, value)
		if err != nil {
			return err
		}
		out[f.Name] = fitting
	}
	c.Settings = out
	return nil
}

// shown clips a name that somebody sent.
func shown(name string) string {
	if len(name) > 64 || !utf8.ValidString(name) {
		return "?"
	}
	return name
}

func (f *Field) value(at string, value any) (any, error) {
	bad := func(format string, args ...any) error {
		return &store.InvalidError{Field: at, Reason: fmt.Sprintf(format, args...)}
	}
	switch f.Form {
	case Number:
		n, ok := value.(float64)
		if i, is := value.(int); is {
			n, ok = float64(i), true
		}
		if !ok || n != float64(int(n)) || n < 1 || n > 1<<31 {
			return nil, bad("must be a whole number above 0")
		}
		return n, nil
	case Boolean:
		if _, ok := value.(bool); !ok {
			return nil, bad("must be true or false")
		}
		return value, nil
	case List:
		var items []any
		switch list := value.(type) {
		case []any:
			items = list
		case []string:
			for _, text := range list {
				items = append(items, text)
			}
		default:
			return nil, bad("must be a list")
		}
		if len(items) > 50 || f.Required && len(items) == 0 {
			return nil, bad("1 to 50 items")
		}
		for i, item := range items {
			text, ok := item.(string)
			if !ok {
				return nil, &store.InvalidError{Field: fmt.Sprintf("%s[%d]", at, i), Reason: "must be a text"}
			}
			if err := f.fits(fmt.Sprintf("%s[%d]", at, i), text); err != nil {
				return nil, err
			}
		}
		return items, nil
	}
	text, ok := value.(string)
	if !ok {
		return nil, bad("must be a text")
	}
	if f.Form != PEM {
		text = strings.TrimSpace(text)
	}
	return text, f.fits(at, text)
}

// fits checks a text.
func (f *Field) fits(at, text string) error {
	bad := func(reason string) error { return &store.InvalidError{Field: at, Reason: reason} }
	if text == "" || len(text) > maxSetting || !utf8.ValidString(text) {
		return bad(fmt.Sprintf("1 to %d bytes of text", maxSetting))
	}
	if f.Form != PEM && strings.ContainsFunc(text, unicode.IsControl) {
		return bad("no control characters")
	}
	switch f.Form {
	case Choice:
		if !slices.Contains(f.Choices, text) {
			return bad("must be one of " + strings.Join(f.Choices, ", "))
		}
	case URL:
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || !slices.Contains(f.schemes(), u.Scheme) || u.Fragment != "" {
			return bad("must be an address that begins with " + strings.Join(f.schemes(), ":// or ") + "://")
		}
		if u.User != nil {
			return bad("a user or password does not belong into an address")
		}
	case PEM:
		if _, err := pool(text); err != nil {
			return bad(err.Error())
		}
	}
	return nil
}

func (f *Field) schemes() []string {
	if len(f.Choices) > 0 {
		return f.Choices
	}
	return []string{"https", "http"}
}

// settings reads what check has let through.
type settings struct{ c *store.Channel }

func (s settings) text(name string) string   { t, _ := s.c.Settings[name].(string); return t }
func (s settings) secret(name string) string { return s.c.Secrets[name] }

func (s settings) number(name string) int {
	n, _ := s.c.Settings[name].(float64)
	return int(n)
}

func (s settings) list(name string) []string {
	items, _ := s.c.Settings[name].([]any)
	out := make([]string, 0, len(items))
	for _, item := range items {
		if text, ok := item.(string); ok {
			out = append(out, text)
		}
	}
	return out
}

package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/chargewatch/chargewatch/internal/depot"
	"github.com/chargewatch/chargewatch/internal/store"
)

// hidden stands where a secret was.
const hidden = "(secret)"

// scrubber walks a payload, replaces tokens by what token gives for them, and
// hides secrets: passwords among settings, network profiles and addresses.
type scrubber struct {
	token func(typ, value string) (string, error)
	err   error
}

func (c *scrubber) scrub(data []byte) (json.RawMessage, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, fmt.Errorf("read payload: %w", err)
	}
	tree = c.walk("", tree)
	if c.err != nil {
		return nil, c.err
	}
	out, err := plainJSON(tree)
	if err != nil {
		return nil, fmt.Errorf("write payload: %w", err)
	}
	return out, nil
}

// plainJSON is json.Marshal without the escapes for HTML.
func plainJSON(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

func (c *scrubber) walk(name string, v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = c.walk(name, v[i])
		}
		return v
	case map[string]any:
		c.object(name, v)
		return v
	case string:
		return address(v)
	}
	return v
}

func (c *scrubber) object(name string, o map[string]any) {
	for key, value := range o {
		text, isText := value.(string)
		switch {
		case isText && secretKey(name, key):
			o[key] = hidden
		case isText && (key == "idTag" || key == "parentIdTag"):
			o[key] = c.name("", text)
		case isText && key == "idToken":
			typ, _ := o["type"].(string)
			o[key] = c.name(typ, text)
		default:
			o[key] = c.walk(key, value)
		}
	}
	if key, ok := o["key"].(string); ok && store.SecretSetting(key) {
		hide(o, "value")
	}
	if v, ok := o["variable"].(map[string]any); ok {
		if key, ok := v["name"].(string); ok && store.SecretSetting(key) {
			hide(o, "attributeValue")
			hide(o, "variableAttribute")
		}
	}
}

func hide(o map[string]any, key string) {
	if _, ok := o[key]; ok {
		o[key] = hidden
	}
}

func secretKey(parent, key string) bool {
	switch strings.ToLower(key) {
	case "password", "apnpassword", "basicauthpassword", "simpin", "authorizationkey":
		return true
	case "key":
		return strings.EqualFold(parent, "vpn")
	}
	return false
}

// name replaces a token; what is a reference already stays one.
func (c *scrubber) name(typ, value string) string {
	if value == "" || strings.HasPrefix(value, store.TokenRefPrefix) || c.err != nil {
		return value
	}
	out, err := c.token(typ, value)
	if err != nil {
		c.err = err
	}
	return out
}

// address hides what is secret in a URL: its password, and the part of an address of a
// file by which a station reaches it once.
func address(text string) string {
	text = oneTime(text)
	if !strings.Contains(text, "://") || !strings.Contains(text, "@") {
		return text
	}
	u, err := url.Parse(text)
	if err != nil || u.User == nil {
		return text
	}
	if _, ok := u.User.Password(); !ok {
		return text
	}
	before, after, _ := strings.Cut(text, "@")
	user, _, _ := strings.Cut(before[strings.Index(before, "://")+3:], ":")
	return before[:strings.Index(before, "://")+3] + user + ":" + hidden + "@" + after
}

// oneTime hides the secrets of one-time addresses in a text.
func oneTime(text string) string {
	const least = 16 // letters; less is no secret
	for from := 0; ; {
		i := strings.Index(text[from:], depot.TokenPrefix)
		if i < 0 {
			return text
		}
		from += i + len(depot.TokenPrefix)
		end := from
		for end < len(text) && (text[end] >= 'a' && text[end] <= 'z' || text[end] >= '2' && text[end] <= '7') {
			end++
		}
		if end-from >= least {
			text = text[:from] + hidden + text[end:]
		}
	}
}

// ForRecord is the form of a payload that is recorded: without secrets, and tokens by
// reference.
func (s *Server) ForRecord(ctx context.Context, payload []byte) (json.RawMessage, error) {
	return s.forRecord(ctx, payload)
}

// forRecord is the form of a payload that is recorded: tokens by reference.
func (s *Server) forRecord(ctx context.Context, payload []byte) (json.RawMessage, error) {
	c := scrubber{token: func(typ, value string) (string, error) {
		id, err := s.o.Store.Intern(ctx, typ, value)
		return store.TokenRef(id), err
	}}
	return c.scrub(payload)
}

// forReader puts values in the place of references, whole or masked.
func (s *Server) forReader(ctx context.Context, whole bool, payloads ...*json.RawMessage) error {
	var ids []string
	for _, p := range payloads {
		for rest := string(*p); ; {
			_, after, found := strings.Cut(rest, `"`+store.TokenRefPrefix)
			if !found {
				break
			}
			id, tail, _ := strings.Cut(after, `"`)
			ids, rest = append(ids, id), tail
		}
	}
	if len(ids) == 0 {
		return nil
	}
	values, err := s.o.Store.Tokens(ctx, ids...)
	if err != nil {
		return err
	}
	for _, p := range payloads {
		if len(*p) == 0 {
			continue
		}
		text := string(*p)
		for _, id := range ids {
			shown := values[id].Value
			if !whole {
				shown = store.Mask(shown)
			}
			quoted, err := plainJSON(shown)
			if err != nil {
				return fmt.Errorf("write token: %w", err)
			}
			text = strings.ReplaceAll(text, `"`+store.TokenRef(id)+`"`, string(quoted))
		}
		*p = json.RawMessage(text)
	}
	return nil
}

// Masked is a raw frame without secrets and with masked tokens; empty if it is not JSON.
func Masked(data []byte) string { return shown(data, false) }

// shown is a raw frame without secrets and, unless whole, with masked tokens. A
// frame that is not JSON is shown only whole.
func shown(data []byte, whole bool) string {
	c := scrubber{token: func(_, value string) (string, error) {
		if whole {
			return value, nil
		}
		return store.Mask(value), nil
	}}
	out, err := c.scrub(data)
	if err != nil {
		if !whole {
			return ""
		}
		return strings.ToValidUTF8(string(data[:min(len(data), 64<<10)]), "\uFFFD")
	}
	return string(out)
}

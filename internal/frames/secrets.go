package frames

import (
	"bytes"
	"slices"
)

// oneTime begins the secret of an address by which a station reaches a file once.
const oneTime = "cwf_"

const (
	mask     = "***"
	maxDepth = 64
)

// unreadable stands for a frame that may hold a secret and cannot be parsed.
const unreadable = `"removed: not readable and may hold a secret"`

// RemoveSecrets returns the frame without passwords and private keys: the
// values of AuthorizationKey and of every variable or member whose name ends in
// Password, VPN keys, passwords in URLs, secrets of one-time addresses, and PEM private keys. What is left is
// as it was, byte by byte; a frame without a secret is returned itself.
func RemoveSecrets(data []byte) (clean []byte, removed bool) {
	if !suspicious(data) {
		return data, false
	}
	s := scrubber{data: data}
	if _, ok := s.value(0, ""); !ok {
		return []byte(unreadable), true
	}
	if len(s.cuts) == 0 {
		return data, false
	}
	slices.SortFunc(s.cuts, func(a, b cut) int { return a.from - b.from })
	clean = make([]byte, 0, len(data))
	at := 0
	for _, c := range s.cuts {
		if c.from < at {
			continue // inside of one before
		}
		clean = append(clean, data[at:c.from]...)
		if c.bare {
			clean = append(clean, '"')
		}
		clean = append(clean, mask...)
		if c.bare {
			clean = append(clean, '"')
		}
		at = c.to
	}
	return append(clean, data[at:]...), true
}

// suspicious is a quick test that nearly all frames fail.
func suspicious(data []byte) bool {
	return hasFold(data, 'z', "authorizationkey") || hasFold(data, 'w', "password") ||
		bytes.Contains(data, []byte(`"vpn"`)) || bytes.Contains(data, []byte("VpnKey")) ||
		bytes.Contains(data, []byte("PRIVATE KEY")) || bytes.Contains(data, []byte(oneTime)) ||
		bytes.Contains(data, []byte("://")) && bytes.IndexByte(data, '@') >= 0
}

// hasFold looks for a lower-case word in any case by its rarest letter.
func hasFold(data []byte, rare byte, word string) bool {
	before := bytes.IndexByte([]byte(word), rare)
	for _, letter := range [2]byte{rare, rare - 32} {
		for rest := data; ; {
			i := bytes.IndexByte(rest, letter)
			if i < 0 {
				break
			}
			at := len(data) - len(rest) + i - before
			if at >= 0 && at+len(word) <= len(data) && equalFold(data[at:at+len(word)], word) {
				return true
			}
			rest = rest[i+1:]
		}
	}
	return false
}

func equalFold(b []byte, lower string) bool {
	for i := range len(lower) {
		c := b[i]
		if c >= 'A' && c <= 'Z' {
			c += 32
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

func secretName(name []byte) bool {
	return endsFold(name, "password") || len(name) == len("authorizationkey") && equalFold(name, "authorizationkey") ||
		len(name) == len("vpnkey") && equalFold(name, "vpnkey")
}

func endsFold(b []byte, lower string) bool {
	return len(b) >= len(lower) && equalFold(b[len(b)-len(lower):], lower)
}

type cut struct {
	from, to int
	bare     bool // no string: what stands there instead needs quotes
}

// scrubber walks JSON once and notes what to cut. A variable is named in one
// place ("key", or "name" one object further in) and valued in another
// ("value", "attributeValue", "actualValue", maybe further in, in an array): the
// innermost object that has both decides.
type scrubber struct {
	data []byte
	at   int
	cuts []cut
}

// part is what a value tells the object around it.
type part struct {
	secret bool  // it names a secret
	values []cut // strings that may be the value
}

func (s *scrubber) space() {
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

func (s *scrubber) skip(c byte) bool {
	s.space()
	if s.at < len(s.data) && s.data[s.at] == c {
		s.at++
		return true
	}
	return false
}

func (s *scrubber) value(depth int, member string) (p part, ok bool) {
	s.space()
	if depth > maxDepth || s.at >= len(s.data) {
		return p, false
	}
	switch c := s.data[s.at]; c {
	case '{':
		s.at++
		return s.object(depth, member == "vpn")
	case '[':
		s.at++
		return s.array(depth, member)
	case '"':
		text, ok := s.text()
		if ok {
			s.inText(text)
		}
		return p, ok
	default:
		_, ok := s.scalar()
		return p, ok
	}
}

// scalar reads a number, true, false or null.
func (s *scrubber) scalar() (cut, bool) {
	from := s.at
	for s.at < len(s.data) && bytes.IndexByte([]byte(",]} \t\r\n\"{["), s.data[s.at]) < 0 {
		s.at++
	}
	return cut{from: from, to: s.at, bare: true}, s.at > from
}

// text reads a string and returns where its content lies.
func (s *scrubber) text() (cut, bool) {
	s.at++
	from := s.at
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case '\\':
			s.at++
		case '"':
			s.at++
			return cut{from: from, to: s.at - 1}, true
		}
		s.at++
	}
	return cut{}, false
}

// inText cuts what is secret in any text: private keys and passwords of URLs.
func (s *scrubber) inText(c cut) {
	text := s.data[c.from:c.to]
	if bytes.Contains(text, []byte("PRIVATE KEY")) {
		s.cuts = append(s.cuts, c)
		return
	}
	for at := 0; ; {
		i := bytes.Index(text[at:], []byte(oneTime))
		if i < 0 {
			break
		}
		at += i + len(oneTime)
		end := at
		for end < len(text) && (text[end] >= 'a' && text[end] <= 'z' || text[end] >= '2' && text[end] <= '7') {
			end++
		}
		if end > at {
			s.cuts = append(s.cuts, cut{from: c.from + at, to: c.from + end})
		}
	}
	for at := 0; ; {
		i := bytes.Index(text[at:], []byte("://"))
		if i < 0 {
			return
		}
		at += i + 3
		end := bytes.IndexAny(text[at:], "/?# \\")
		if end < 0 {
			end = len(text) - at
		}
		user := bytes.LastIndexByte(text[at:at+end], '@')
		if user < 0 {
			continue
		}
		if colon := bytes.IndexByte(text[at:at+user], ':'); colon >= 0 {
			s.cuts = append(s.cuts, cut{from: c.from + at + colon + 1, to: c.from + at + user})
		}
	}
}

func (s *scrubber) array(depth int, member string) (p part, ok bool) {
	if s.skip(']') {
		return p, true
	}
	for {
		e, ok := s.value(depth+1, member)
		if !ok {
			return p, false
		}
		// A name in one element says nothing about its neighbours.
		p.values = append(p.values, e.values...)
		if s.skip(']') {
			return p, true
		}
		if !s.skip(',') {
			return p, false
		}
	}
}

func (s *scrubber) object(depth int, vpn bool) (p part, ok bool) {
	named, own := false, false // own: by a member of this object itself
	for first := true; !s.skip('}'); first = false {
		if !first && !s.skip(',') {
			return p, false
		}
		s.space()
		if s.at >= len(s.data) || s.data[s.at] != '"' {
			return p, false
		}
		k, ok := s.text()
		if !ok || !s.skip(':') {
			return p, false
		}
		key := s.data[k.from:k.to]
		s.space()
		if s.at < len(s.data) && s.data[s.at] != '{' && s.data[s.at] != '[' {
			read := s.scalar
			if s.data[s.at] == '"' {
				read = s.text
			}
			v, ok := read()
			if !ok {
				return p, false
			}
			switch {
			case secretName(key), vpn && string(key) == "key":
				s.cuts = append(s.cuts, v)
			case isFold(key, "key"), isFold(key, "name"):
				own = own || secretName(s.data[v.from:v.to])
			case isFold(key, "value"), isFold(key, "attributevalue"), isFold(key, "actualvalue"):
				p.values = append(p.values, v)
			}
			s.inText(v)
			continue
		}
		e, ok := s.value(depth+1, string(key))
		if !ok {
			return p, false
		}
		named = named || e.secret
		p.values = append(p.values, e.values...)
	}
	if named || own {
		if len(p.values) > 0 {
			s.cuts = append(s.cuts, p.values...)
			return part{}, true
		}
		p.secret = own
	}
	return p, true
}

func isFold(b []byte, lower string) bool { return len(b) == len(lower) && equalFold(b, lower) }

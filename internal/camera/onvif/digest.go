package onvif

import (
	"crypto/md5" // #nosec: digest authentication of HTTP is defined on it
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
)

// challenge is what a device asks with HTTP digest authentication (RFC 7616).
type challenge struct {
	realm, nonce, opaque string
	sha256               bool
	qop                  bool
	count                int
}

const maxChallenge = 2048

// readChallenge takes the best of what is offered.
func readChallenge(headers []string) *challenge {
	var best *challenge
	for _, h := range headers {
		if len(h) > maxChallenge || len(h) < 7 || !strings.EqualFold(h[:7], "digest ") {
			continue
		}
		p := parameters(h[7:])
		c := &challenge{realm: p["realm"], nonce: p["nonce"], opaque: p["opaque"]}
		switch strings.ToUpper(p["algorithm"]) {
		case "", "MD5":
		case "SHA-256":
			c.sha256 = true
		default:
			continue
		}
		if q, ok := p["qop"]; ok {
			for word := range strings.SplitSeq(q, ",") {
				c.qop = c.qop || strings.TrimSpace(word) == "auth"
			}
			if !c.qop {
				continue
			}
		}
		if c.nonce != "" && (best == nil || c.sha256 && !best.sha256) {
			best = c
		}
	}
	return best
}

// parameters reads key="value", key=value and so on.
func parameters(s string) map[string]string {
	out := make(map[string]string)
	for s != "" {
		key, rest, ok := strings.Cut(s, "=")
		if !ok {
			break
		}
		key = strings.ToLower(strings.Trim(key, " \t,"))
		var value string
		if strings.HasPrefix(rest, `"`) {
			rest = rest[1:]
			var b strings.Builder
			i := 0
			for ; i < len(rest) && rest[i] != '"'; i++ {
				if rest[i] == '\\' && i+1 < len(rest) {
					i++
				}
				b.WriteByte(rest[i])
			}
			value, s = b.String(), rest[min(i+1, len(rest)):]
		} else {
			value, s, _ = strings.Cut(rest, ",")
			value = strings.TrimSpace(value)
		}
		out[key] = value
	}
	return out
}

// answer is the header of a request.
func (c *challenge) answer(d Device, method, uri string) string {
	sum := func(s string) string {
		var h hash.Hash = md5.New()
		if c.sha256 {
			h = sha256.New()
		}
		h.Write([]byte(s))
		return hex.EncodeToString(h.Sum(nil))
	}
	a1, a2 := sum(d.Username+":"+c.realm+":"+d.Password), sum(method+":"+uri)
	quote := func(s string) string {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\r", "", "\n", "").Replace(s) + `"`
	}
	head := "Digest username=" + quote(d.Username) + ", realm=" + quote(c.realm) + ", nonce=" + quote(c.nonce) + ", uri=" + quote(uri)
	if c.sha256 {
		head += ", algorithm=SHA-256"
	}
	if c.opaque != "" {
		head += ", opaque=" + quote(c.opaque)
	}
	if !c.qop {
		return head + ", response=" + quote(sum(a1+":"+c.nonce+":"+a2))
	}
	c.count++
	count, own := fmt.Sprintf("%08x", c.count), rand.Text()
	return head + ", qop=auth, nc=" + count + ", cnonce=" + quote(own) + ", response=" + quote(sum(a1+":"+c.nonce+":"+count+":"+own+":auth:"+a2))
}

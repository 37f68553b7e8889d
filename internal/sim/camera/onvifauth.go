package camera

import (
	"crypto/md5"  // #nosec: digest authentication of HTTP is defined on it
	"crypto/sha1" // #nosec: as are tokens of ONVIF on this
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"time"
)

// credentials are those of a camera.
func (d *Device) credentials(name string) (user, password string) {
	user, password = d.f.o.User, d.f.o.Password
	_ = d.f.with(name, func(c *cam) error {
		if c.spec.Password != "" {
			password = c.spec.Password
		}
		if c.fault == WrongPassword {
			user, password = "admin", "nobody knows it"
		}
		return nil
	})
	return user, password
}

// authorised checks who asks, and answers if they may not.
func (d *Device) authorised(w http.ResponseWriter, r *http.Request, name string, e *envelope) bool {
	user, password := d.credentials(name)
	if user == "" {
		return true
	}
	if d.o.Digest {
		return d.httpDigest(w, r, name)
	}
	t := e.Header.Security.UsernameToken
	nonce, err := base64.StdEncoding.DecodeString(strings.TrimSpace(t.Nonce))
	created, bad := time.Parse(time.RFC3339Nano, strings.TrimSpace(t.Created))
	now := time.Now().Add(d.o.ClockOffset)
	h := sha1.New()
	h.Write(nonce)
	h.Write([]byte(strings.TrimSpace(t.Created) + password))
	want := base64.StdEncoding.EncodeToString(h.Sum(nil))
	if err != nil || bad != nil || now.Sub(created).Abs() > 30*time.Second || t.Username != user ||
		subtle.ConstantTimeCompare([]byte(want), []byte(strings.TrimSpace(t.Password))) != 1 {
		d.fault(w, http.StatusBadRequest, "ter:NotAuthorized", "sender not authorized")
		return false
	}
	return true
}

// httpDigest checks RFC 2617 with qop auth.
func (d *Device) httpDigest(w http.ResponseWriter, r *http.Request, name string) bool {
	user, password := d.credentials(name)
	if user == "" {
		return true
	}
	const realm, nonce = "camera", "5f3a0c2b9d"
	given := make(map[string]string)
	if text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Digest "); ok {
		for part := range strings.SplitSeq(text, ",") {
			k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
			given[k] = strings.Trim(v, `"`)
		}
	}
	sum := func(s string) string { h := md5.Sum([]byte(s)); return hex.EncodeToString(h[:]) }
	want := sum(sum(user+":"+realm+":"+password) + ":" + nonce + ":" + given["nc"] + ":" + given["cnonce"] + ":auth:" + sum(r.Method+":"+given["uri"]))
	if given["username"] != user || given["nonce"] != nonce || given["uri"] != r.URL.RequestURI() ||
		subtle.ConstantTimeCompare([]byte(want), []byte(given["response"])) != 1 {
		w.Header().Set("WWW-Authenticate", `Digest realm="`+realm+`", qop="auth", nonce="`+nonce+`", algorithm=MD5`)
		http.Error(w, "not authorized", http.StatusUnauthorized)
		return false
	}
	return true
}

package offsite

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// credentials prove to a store who asks.
type credentials struct{ access, secret string }

const (
	algorithm  = "AWS4-HMAC-SHA256"
	timeFormat = "20060102T150405Z"
)

// sign signs a request as S3 wants it (AWS Signature Version 4): every header that
// is set, the path as it is sent and the hash of the body.
func sign(r *http.Request, c credentials, region string, sum [32]byte, now time.Time) {
	now = now.UTC()
	body := hex.EncodeToString(sum[:])
	r.Header.Set("X-Amz-Date", now.Format(timeFormat))
	r.Header.Set("X-Amz-Content-Sha256", body)
	names, headers := canonicalHeaders(r)
	request := strings.Join([]string{r.Method, escapePath(r.URL.Path), canonicalQuery(r.URL.Query()), headers, names, body}, "\n")
	day := now.Format("20060102")
	scope := day + "/" + region + "/s3/aws4_request"
	hashed := sha256.Sum256([]byte(request))
	text := strings.Join([]string{algorithm, now.Format(timeFormat), scope, hex.EncodeToString(hashed[:])}, "\n")
	key := []byte("AWS4" + c.secret)
	for _, part := range []string{day, region, "s3", "aws4_request", text} {
		key = mac(key, part)
	}
	r.Header.Set("Authorization", algorithm+" Credential="+c.access+"/"+scope+",SignedHeaders="+names+",Signature="+hex.EncodeToString(key))
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func canonicalHeaders(r *http.Request) (names, headers string) {
	all := map[string]string{"host": r.URL.Host}
	if r.Host != "" {
		all["host"] = r.Host
	}
	for name, values := range r.Header {
		trimmed := make([]string, len(values))
		for i, v := range values {
			trimmed[i] = strings.Join(strings.Fields(v), " ")
		}
		all[strings.ToLower(name)] = strings.Join(trimmed, ",")
	}
	list := make([]string, 0, len(all))
	for name := range all {
		list = append(list, name)
	}
	slices.Sort(list)
	var b strings.Builder
	for _, name := range list {
		b.WriteString(name + ":" + all[name] + "\n")
	}
	return strings.Join(list, ";"), b.String()
}

func canonicalQuery(q url.Values) string {
	var pairs []string
	for name, values := range q {
		for _, v := range values {
			pairs = append(pairs, escape(name, true)+"="+escape(v, true))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

func escapePath(path string) string {
	if path == "" {
		return "/"
	}
	return escape(path, false)
}

// escape writes all but unreserved characters as %XX, which is stricter than what
// package url does for paths.
func escape(text string, slash bool) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		switch {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_', c == '.', c == '~', c == '/' && !slash:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		}
	}
	return b.String()
}

func sumOf(b []byte) [32]byte { return sha256.Sum256(b) }

package offsite

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// S3 is a bucket of a store that speaks the protocol of Amazon S3.
type S3 struct {
	Endpoint string // https://HOST[:PORT]
	Region   string
	Bucket   string
	Prefix   string // of all names
	Access   string
	Secret   string
	// HostStyle: the bucket is a part of the host's name, not of the path.
	HostStyle bool
	Client    *http.Client
	// Denied is the error of the client for an address that is not allowed.
	Denied error
	Now    func() time.Time // default: time.Now
}

// String is the bucket and the host that has it.
func (s *S3) String() string {
	host := s.Endpoint
	if _, rest, ok := strings.Cut(host, "://"); ok {
		host = rest
	}
	return "s3://" + s.Bucket + " (" + strings.TrimSuffix(host, "/") + ")"
}

// address is where an object lies.
func (s *S3) address(name string) (*url.URL, error) {
	u, err := url.Parse(s.Endpoint)
	if err != nil || u.Host == "" {
		return nil, failed("unreachable", errors.New("the address cannot be used"))
	}
	u.Path = "/" + strings.Trim(s.Prefix, "/")
	if u.Path != "/" {
		u.Path += "/"
	}
	u.Path += name
	if s.HostStyle {
		u.Host = s.Bucket + "." + u.Host
	} else {
		u.Path = "/" + s.Bucket + u.Path
	}
	u.RawPath = escapePath(u.Path) // sent as it is signed
	return u, nil
}

// Put makes an object. The store compares the body with the hash that is signed, so
// that nothing half is kept.
func (s *S3) Put(ctx context.Context, o Object) error {
	return s.ask(ctx, http.MethodPut, o)
}

// Remove takes one away.
func (s *S3) Remove(ctx context.Context, name string) error {
	return s.ask(ctx, http.MethodDelete, Object{Name: name, Sum: sumOf(nil)})
}

func (s *S3) ask(ctx context.Context, method string, o Object) error {
	u, err := s.address(o.Name)
	if err != nil {
		return err
	}
	var body io.Reader
	if o.Body != nil {
		body = io.NopCloser(o.Body)
	}
	r, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return failed("unreachable", errors.New("the address cannot be used"))
	}
	r.ContentLength = o.Size
	if o.Kind != "" {
		r.Header.Set("Content-Type", o.Kind)
	}
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	sign(r, credentials{s.Access, s.Secret}, s.Region, o.Sum, now())
	r.Header.Set("User-Agent", "Chargewatch") // not signed: what is between may change it
	resp, err := s.Client.Do(r)
	if err != nil {
		return s.unreached(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if resp.StatusCode/100 == 2 {
		if err != nil {
			return failed("unreachable", fmt.Errorf("read the answer: %w", err))
		}
		return nil
	}
	return refusal(resp.StatusCode, text)
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 16 << 10

func (s *S3) unreached(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // without the address, which may be long
	}
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var verify *tls.CertificateVerificationError
	switch {
	case s.Denied != nil && errors.Is(err, s.Denied):
		return failed("notAllowed", err)
	case errors.As(err, &unknown), errors.As(err, &host), errors.As(err, &verify):
		return failed("certificate", err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return failed("timeout", err)
	}
	return failed("unreachable", err)
}

// refusal reads why a store did not do what was asked.
func refusal(status int, body []byte) error {
	code, said := readError(body)
	f := &Failure{Code: "answered", Detail: cut(strings.TrimSpace(fmt.Sprintf("%d %s %s", status, code, said)))}
	switch {
	case code == "NoSuchBucket":
		f.Code = "noBucket"
	case code == "SignatureDoesNotMatch", code == "InvalidAccessKeyId", code == "AuthorizationHeaderMalformed", status == http.StatusUnauthorized:
		f.Code = "credentials"
	case code == "RequestTimeTooSkewed":
		f.Code = "clock"
	case status == http.StatusForbidden:
		f.Code = "refused"
	case status/100 == 3:
		f.Code = "redirected"
	case status == http.StatusInsufficientStorage, code == "QuotaExceeded", code == "XMinioStorageFull":
		f.Code = "full"
	}
	return f
}

// readError reads the code and the words of an error document, if it is one.
func readError(body []byte) (code, message string) {
	var x struct {
		XMLName xml.Name `xml:"Error"`
		Code    string   `xml:"Code"`
		Message string   `xml:"Message"`
	}
	if xml.NewDecoder(bytes.NewReader(body)).Decode(&x) != nil {
		return "", ""
	}
	return cut(x.Code), cut(x.Message)
}

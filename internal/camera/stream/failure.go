package stream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"

	"github.com/chargewatch/chargewatch/internal/outward"
)

// Reason says in a word why a camera sends no pictures.
type Reason string

// Why a camera sends no pictures.
const (
	ReasonRefused        Reason = "refused"        // nobody listens at the address
	ReasonUnreachable    Reason = "unreachable"    // no way there, or no answer
	ReasonAddress        Reason = "address"        // the address is not one we may reach
	ReasonCertificate    Reason = "certificate"    // TLS: not who we trust
	ReasonAuthentication Reason = "authentication" // user name or password is wrong, or missing
	ReasonNotFound       Reason = "notFound"       // the camera knows no such stream
	ReasonCodec          Reason = "codec"          // neither H.264 nor H.265
	ReasonNoFrames       Reason = "noFrames"       // connected, and no pictures come
	ReasonClosed         Reason = "closed"         // the camera ended it
	ReasonProtocol       Reason = "protocol"       // the camera breaks the rules or a limit
)

// Failure is why a connection did not come to be, or ended.
type Failure struct {
	Reason Reason
	// Detail says more in words, without addresses and secrets. It may hold what the
	// camera said: text, never markup.
	Detail string
	// Fingerprint is that of the certificate which was not trusted.
	Fingerprint string
	err         error
}

// Error is for the log.
func (f *Failure) Error() string {
	switch {
	case f.err != nil && f.Detail != "":
		return fmt.Sprintf("%s: %s: %v", f.Reason, f.Detail, f.err)
	case f.err != nil:
		return fmt.Sprintf("%s: %v", f.Reason, f.err)
	}
	return fmt.Sprintf("%s: %s", f.Reason, f.Detail)
}

// Unwrap gives what lies behind it.
func (f *Failure) Unwrap() error { return f.err }

// untrusted is returned for a certificate that is neither pinned nor signed by
// somebody this machine trusts.
type untrusted struct {
	fingerprint string
	err         error
}

func (u *untrusted) Error() string { return "certificate is not trusted: " + u.err.Error() }

// failure finds the reason of an error.
func failure(err error) *Failure {
	var (
		f      *Failure
		status liberrors.ErrClientBadStatusCode
		sdp    liberrors.ErrClientSDPInvalid
		cert   *untrusted
		verify *tls.CertificateVerificationError
		header tls.RecordHeaderError
		alert  tls.AlertError
		dns    *net.DNSError
	)
	of := func(r Reason, detail string) *Failure { return &Failure{Reason: r, Detail: detail, err: err} }
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, outward.ErrDenied):
		return of(ReasonAddress, "")
	case errors.As(err, &cert):
		bad := of(ReasonCertificate, "")
		bad.Fingerprint = cert.fingerprint
		return bad
	case errors.As(err, &verify), errors.As(err, new(x509.UnknownAuthorityError)):
		return of(ReasonCertificate, "")
	case errors.As(err, &header), errors.As(err, &alert):
		return of(ReasonProtocol, "the camera does not speak TLS here")
	case errors.As(err, &status):
		return of(answered(status.Code), fmt.Sprintf("the camera answered %d", status.Code))
	case errors.As(err, new(liberrors.ErrClientAuthSetup)):
		return of(ReasonAuthentication, "the camera asks for a way of signing in that is not known")
	case errors.As(err, &sdp):
		return of(ReasonProtocol, "the description of the stream cannot be read")
	case errors.As(err, new(liberrors.ErrClientRequestTimedOut)):
		return of(ReasonUnreachable, "the camera does not answer")
	case errors.As(err, new(liberrors.ErrClientTCPTimeout)), errors.As(err, new(liberrors.ErrClientUDPTimeout)):
		return of(ReasonNoFrames, "")
	case errors.As(err, new(liberrors.ErrClientServerRequestedUDP)), errors.As(err, new(liberrors.ErrClientServerRequestedTCP)):
		return of(ReasonProtocol, "the camera wants the other transport")
	case errors.Is(err, syscall.ECONNREFUSED):
		return of(ReasonRefused, "")
	case errors.As(err, &dns):
		return of(ReasonUnreachable, "the name is not known")
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return of(ReasonUnreachable, "")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return of(ReasonClosed, "")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return of(ReasonUnreachable, "the camera does not answer")
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return of(ReasonUnreachable, "")
	}
	return of(ReasonProtocol, "")
}

// answered is the reason behind a status that is not 200.
func answered(code base.StatusCode) Reason {
	switch code {
	case base.StatusUnauthorized, base.StatusForbidden, base.StatusProxyAuthRequired,
		base.StatusConnectionAuthorizationRequired, base.StatusConnectionCredentialsNotAccepted:
		return ReasonAuthentication
	case base.StatusNotFound, base.StatusGone:
		return ReasonNotFound
	case base.StatusServiceUnavailable, base.StatusNotEnoughBandwidth, base.StatusGatewayTimeout, base.StatusBadGateway:
		return ReasonUnreachable
	case base.StatusUnsupportedMediaType, base.StatusNotAcceptable:
		return ReasonCodec
	}
	return ReasonProtocol
}

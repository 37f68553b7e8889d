package outward

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/proto/signed"
)

// SignatureHeader is where the signature of a message of ours stands.
const SignatureHeader = signed.Header

// Sign is the signature of a message of ours.
func Sign(secret []byte, at time.Time, body []byte) string { return signed.Sign(secret, at, body) }

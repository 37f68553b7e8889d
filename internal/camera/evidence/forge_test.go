package evidence_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/chargewatch/chargewatch/internal/camera/segment"
)

func sum(b []byte) segment.Sum { return sha256.Sum256(b) }

func hexSign(key ed25519.PrivateKey, b []byte) string {
	return hex.EncodeToString(ed25519.Sign(key, b))
}

func seqName(seq uint64) string { return fmt.Sprintf("%08d.mp4", seq) }

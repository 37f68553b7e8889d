package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/chargewatch/chargewatch/internal/fleet"
)

// Digest sums a fleet up so that two can be compared: live against replay,
// memory against a restored copy.
func Digest(s *fleet.Snapshot) (string, error) {
	stations := slices.SortedFunc(s.Stations(), func(a, b *fleet.Station) int { return strings.Compare(a.ID, b.ID) })
	h := sha256.New()
	enc := json.NewEncoder(h)
	if err := enc.Encode(struct {
		Seq        uint64
		RecordedAt string
	}{s.Seq, s.RecordedAt.UTC().String()}); err != nil {
		return "", fmt.Errorf("digest: %w", err)
	}
	for _, st := range stations {
		if err := enc.Encode(st); err != nil {
			return "", fmt.Errorf("digest %s: %w", st.ID, err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

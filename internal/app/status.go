package app

import (
	"context"
	"fmt"

	"github.com/chargewatch/chargewatch/internal/statuspage"
)

// drivers makes the public pages.
func (s *Server) drivers(ctx context.Context) (*statuspage.Pages, error) {
	key, err := s.Store.PublicKey(ctx)
	if err != nil {
		return nil, err
	}
	pages, err := statuspage.New(statuspage.Options{
		Fleet: s.Journal, Store: s.Store, Links: s.Endpoint, Log: s.Journal, Key: key, Logger: s.log, Prospects: prospects{s.outlook},
		Secure: s.tls != nil || s.Config.BehindProxy,
	})
	if err != nil {
		return nil, fmt.Errorf("prepare the public pages: %w", err)
	}
	return pages, nil
}

package app

import (
	"slices"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/detect/health"
	"github.com/chargewatch/chargewatch/internal/detect/security"
	"github.com/chargewatch/chargewatch/internal/knowledge"
)

// detectors are all there are: of stations, and of stations and cameras together.
func detectors(k *knowledge.Knowledge) []detect.Detector {
	return slices.Concat(health.Knowing(k), security.Detectors())
}

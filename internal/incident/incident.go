// Package incident turns what detectors find and what people do into incidents:
// one per cause, with a life that ends, and with notices for whoever has to act.
//
// It promises that the same events give the same incidents and the same notices,
// whatever the batch size or the restart point: ids and keys follow from what
// happened, never from when it was computed.
package incident

// Package detect finds faults in what stations say, as they say it.
//
// An Engine is fed every event of the journal in its order. It keeps a small
// view of each station (not the fleet's: it has to be cheap for ten thousand
// idle stations) and hands events, tries to charge and timers to detectors.
// Detectors conclude conditions: raised, updated, cleared, each with evidence.
//
// The package is pure: its only clock is RecordedAt, so the same events give
// the same findings, whatever the batches, the lag or the restarts in between.
// Events that tell of the past (event.Late) reach the tries to charge, never a
// detector.
package detect

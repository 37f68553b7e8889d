// Package rule runs the rules that people write: conditions in CEL over what
// stations say and what is known of them.
//
// A rule names the kinds of events it follows, a condition over typed values,
// how long or how often that has to hold, and what the finding says. The Engine
// is a stage beside package detect: it is fed the same events in the same order,
// reads the same view and concludes conditions of the same form, called rule/ID.
//
// The package is pure: its only clock is RecordedAt, and what an evaluation may
// cost is counted in steps, never in time, so that a replay decides as was
// decided then. A value that is not known makes a comparison neither true nor
// false. A rule whose evaluation fails again and again, or costs too much, is
// switched off with a finding that says why; all others go on.
package rule

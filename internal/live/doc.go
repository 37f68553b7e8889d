// Package live is the one subscriber that finds faults and handles them: it
// reads the journal in its order and runs detectors, incidents and remedies on
// each event.
//
// It promises:
//
//   - The same events give the same findings, incidents and intents, whatever
//     the batches, the lag or the restarts in between. Its only clock is that of
//     the journal.
//   - What is concluded is committed with the cursor it was concluded at, in one
//     transaction; only then it is shown. A restart folds the events between the
//     last checkpoint and that cursor again and says nothing twice.
//   - It holds nobody up: the writer never waits for it, and a fold that fails
//     on one event goes on with the next, counted and logged.
//
// One goroutine, Run, owns the state; everyone else reads a View.
package live

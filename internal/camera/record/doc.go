// Package record keeps what cameras show.
//
// It promises that pictures which came are on the disk within a second, that a
// crash loses no more than the part that was open and a power cut no more than
// ten seconds, that a disk which fails or is full never stops another camera,
// and that a time without pictures is a record with its reason, never a silence.
// What is kept is chained by its hashes, so that what somebody removed is missed.
//
// Files explain themselves (package segment). The index is derived from them and
// from the ledgers beside them and is made again when it is lost. Nothing here is
// on the path of the journal.
package record

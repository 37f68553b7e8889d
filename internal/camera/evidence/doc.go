// Package evidence takes recordings out of the house so that they stand: the
// files as they were recorded, a clip that plays anywhere, and a manifest that
// says what it is, signed.
//
// It promises that nothing is encoded again, that whoever has our public key can
// find and name each change that was made to a pack after it left, without our
// server, and that what was missing before is in the manifest. What is given out
// is locked: retention does not remove it here.
package evidence

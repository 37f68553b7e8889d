// Package offsite copies the last minute of cameras to a second place as soon as
// somebody tampers with them: a folder elsewhere, or a store that speaks S3.
//
// It promises that what is to be copied is noted before anything is sent and is
// copied in the end, over failures and restarts, for a week; that what lies at the
// other place is whole or not there; and that a place which cannot be reached is
// told once, and once more when it can. Whoever takes the machine away has the
// recordings; this is what he does not have.
package offsite

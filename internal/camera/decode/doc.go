// Package decode makes pictures of what cameras send, with a few children of
// ffmpeg that all cameras share. Decoding is the dear part of video: this is the
// only place that does it, and it says how much it could not do.
//
// Each picture goes through a child under a ticket that is its time stamp on both
// sides; what comes back under no known ticket ends the child. Pictures are never
// counted. Behind each picture a neutral one of our own follows, so that a lone
// camera is not late and nothing of one camera is left in the decoder for the
// next. A picture that the decoder finds fault with is dropped with its child, and
// a camera that keeps sending such rests for a while: the others lose nothing.
//
// Without ffmpeg every call returns ErrMissing and nothing else changes.
package decode

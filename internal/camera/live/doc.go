// Package live shows what cameras see now: over WebRTC with a delay of a few
// hundred milliseconds, as low-latency HLS where that does not get through, and
// as single pictures where nothing else does.
//
// Nothing is encoded again and nobody who looks slows the recording: each viewer
// is a reader of the camera's hub and loses pictures of its own when it is slow. A
// picture that is not of now is never given as one of now.
package live

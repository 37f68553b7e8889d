// Package motion looks at decoded pictures of cameras: what moves where it is
// watched, and whether the camera still shows its site.
//
// It promises to tell light from things. A place has changed only if its structure
// has: what a brighter or darker light on the same ground explains is no motion.
// Whether a camera is covered, out of focus, turned, blinded or frozen is judged
// against what it used to show, and what it shows meanwhile is not learned.
//
// How the place looks in each of its lights is kept over a restart, so that a camera
// that was covered or turned while nobody looked is found after it.
//
// A Detector belongs to one camera and has no clock and no goroutine: it is given
// pictures with their times and answers with what began and ended. Watch gives
// each camera its own, follows its stream and tells the journal.
package motion

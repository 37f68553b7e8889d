// Package preview has a small picture of every few seconds that were recorded, so
// that whoever drags over a timeline sees where they are.
//
// Whatever looks for motion has each key picture decoded anyway: its picture is
// kept here as well, in memory until the file that holds its moment is whole, then
// beside that file, with which it goes. Of a moment that was not recorded nothing
// is kept. What is lacking, because nothing was decoded then, is decoded when
// somebody asks, and the rest of that minute after it.
//
// Previews are kept as the camera saw it. Whoever may not see all of a picture
// gets one that is painted over before it leaves (Masked), or none.
package preview

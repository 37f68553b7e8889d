// Package stream brings a camera's pictures into the house: what is read from
// RTSP becomes access units, and a Hub hands each of them to everyone who
// follows the camera.
//
// A unit is made once, never changed afterwards and shared by all readers. A Hub
// never waits: a reader that falls behind loses pictures up to the next key
// picture, and knows how many; the others lose nothing.
package stream

// Package segment is the form of recorded pictures on the disk: a file of
// fragmented MP4 that any player understands, about a minute long.
//
// It promises that such a file explains itself without an index: its head says
// whose pictures it holds, since when and which file came before; each part says
// when its first picture was taken. A file that ends in the middle of a part is
// whole up to that part. docs/formats/video.md has the bytes.
package segment

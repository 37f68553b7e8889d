// Package camera plays cameras: an RTSP server with many of them, that streams
// what was drawn for it, and an ONVIF device for each.
//
// What is to be seen at a time is known: every clip comes with the places of its
// cars and people, every scene with its truth table. Faults of cameras happen on
// command, of the connection (dropped, stalled, wrong password, time that jumps)
// as of the picture (frozen, covered, collapsed). A clip is packetised once and
// shared by all cameras, so that a hundred cost a tenth of a core.
package camera

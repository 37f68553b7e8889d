// Package camera follows the cameras of all sites.
//
// It promises that a camera is followed as long as it is configured: whatever it
// does, the connection is made again, others do not notice, and its condition is
// said with the reason and the time since when it is so, after hysteresis, as an
// event. Who wants its pictures takes them from a hub (package stream) that lives
// as long as the camera does, over all connections. A sub-stream is pulled while
// somebody looks, or all the time if a tap wants it.
package camera

// Package sim plays charging stations that speak real OCPP over real
// WebSockets to any central system.
//
// A station here is a device, not a message generator: it has sockets with
// cars in them, an energy register that never goes back, a configuration that
// the central system may change, a queue for the time without a network, and
// the habits (and bad habits) of its maker. Tests, the demo and the load runs
// all use the same stations, so what the product shows in the demo is what it
// was tested with.
//
// Promises:
//   - The same seed gives every station the same life. With the same answers
//     at the same times it also gives the same frames, byte for byte.
//   - A station costs one goroutine that waits for its socket, and one entry
//     in a shared schedule: ten thousand of them run on one core.
//   - Stations only ever dial the one URL they are given.
//
// All behaviour runs on simulated time. Simulated time is the wall clock at
// speed 1; a higher speed compresses arrivals, charging and intervals alike,
// so energy stays power times (device) time.
package sim

// Package onvif asks cameras what they are, where their streams are and what
// they see.
//
// It promises that a device can do no harm: it is reached through the address
// check alone, at the host that people typed in and at no other, whatever
// addresses it gives; its answers are bounded in bytes, elements and depth, read
// without entities or document types, and slow ones are cut off. Stream addresses
// that it names are checked before they are offered.
//
// A subscription to its events is renewed at half of what it granted and built
// anew after failures; a device that has none is left in peace.
package onvif

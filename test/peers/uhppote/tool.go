//go:build tools

// Package uhppote names the independent simulator of door controllers that the
// tests of the driver speak to. It is a module of its own: the product does not
// depend on it.
package uhppote

import _ "github.com/uhppoted/uhppote-simulator/simulator"

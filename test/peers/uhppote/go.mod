module github.com/chargewatch/chargewatch/test/peers/uhppote

go 1.26

require (
	github.com/uhppoted/uhppote-core v0.9.0
	github.com/uhppoted/uhppote-simulator v0.9.0
	github.com/uhppoted/uhppoted-lib v0.9.0
)

// Package provision says how stations are to be set: which profiles hold for one, what
// of its settings differs, how its measurands are found out, and what came of it.
//
// Settings are named as OCPP 2.x names them, Component/Variable or
// Component/Variable/Instance; a table says what OCPP 1.6 calls them. A name without a
// slash is a key that only OCPP 1.6 has, such as one of a maker.
package provision

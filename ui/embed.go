// Package ui carries the built web interface inside the binary, so one file is
// the whole installation. A build without Node still compiles: dist then holds
// only a placeholder and the server says how to build the interface.
package ui

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Assets returns the built files, rooted where index.html lies. Next to each
// compressible file stand its .gz and .br twins.
func Assets() (fs.FS, error) { return fs.Sub(dist, "dist") }

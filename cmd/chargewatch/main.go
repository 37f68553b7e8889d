// Command chargewatch watches EV-charging networks: stations, cameras and doors.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/chargewatch/chargewatch/internal/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := app.Main(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

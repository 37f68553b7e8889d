package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"syscall"

	"github.com/chargewatch/chargewatch/internal/config"
)

const freeTries = 20

// webRTCPorts opens the one port of live pictures, UDP and TCP; none if it is off.
// A server whose default port is taken uses a free one: browsers are told which.
func webRTCPorts(ctx context.Context, c config.Config, log *slog.Logger) (net.PacketConn, net.Listener, error) {
	if c.WebRTC == "off" {
		return nil, nil, nil
	}
	host, port, err := net.SplitHostPort(c.WebRTC)
	if err != nil {
		return nil, nil, fmt.Errorf("read the address of WebRTC: %w", err)
	}
	if host == "" {
		if host, _, err = net.SplitHostPort(c.HTTP); err != nil {
			return nil, nil, fmt.Errorf("read the address of HTTP: %w", err)
		}
	}
	open := bothPorts
	if port == "0" {
		open = freePorts
	}
	udp, tcp, err := open(ctx, host, port)
	if errors.Is(err, syscall.EADDRINUSE) && c.WebRTC == config.DefaultWebRTC {
		if udp, tcp, err = freePorts(ctx, host, "0"); err == nil {
			log.WarnContext(ctx, "the default port of live pictures is taken", "instead", udp.LocalAddr().String())
		}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("listen for WebRTC: %w", err)
	}
	return udp, tcp, nil
}

// freePorts opens a port of the system's choice: one that is free for UDP may be
// taken for TCP.
func freePorts(ctx context.Context, host, port string) (udp net.PacketConn, tcp net.Listener, err error) {
	for range freeTries {
		if udp, tcp, err = bothPorts(ctx, host, port); !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	return udp, tcp, err
}

// bothPorts opens UDP and, at the same number, TCP.
func bothPorts(ctx context.Context, host, port string) (net.PacketConn, net.Listener, error) {
	var lc net.ListenConfig
	udp, err := lc.ListenPacket(ctx, "udp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, nil, err
	}
	_, port, err = net.SplitHostPort(udp.LocalAddr().String())
	if err != nil {
		return nil, nil, errors.Join(err, udp.Close())
	}
	tcp, err := lc.Listen(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, nil, errors.Join(err, udp.Close())
	}
	return udp, tcp, nil
}

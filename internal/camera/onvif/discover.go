package onvif

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Neighbour is a device that answered a call into the local network.
type Neighbour struct {
	URL      string // of its device service
	Name     string
	Hardware string
	Location string
}

// DiscoverOptions say whom to call and for how long.
type DiscoverOptions struct {
	// To is who is called; zero: the group that ONVIF devices listen to.
	To netip.AddrPort
	// For is how long answers are waited for; 0: 3 s.
	For time.Duration
}

const (
	maxNeighbours = 200
	discoverFor   = 3 * time.Second
	maxDatagram   = 64 << 10
)

// Discover calls into the networks of this machine and returns who answers. A
// device is only taken at the address it answers from.
func (c *Client) Discover(ctx context.Context, o DiscoverOptions) ([]Neighbour, error) {
	if !o.To.IsValid() {
		o.To = netip.AddrPortFrom(netip.AddrFrom4([4]byte{239, 255, 255, 250}), 3702)
	}
	if o.For <= 0 {
		o.For = discoverFor
	}
	ctx, cancel := context.WithTimeout(ctx, o.For)
	defer cancel()
	from, err := ownAddresses(o.To)
	if err != nil {
		return nil, err
	}
	type heard struct {
		data []byte
		from netip.Addr
	}
	answers := make(chan heard, 64)
	var sent int
	var failed error
	for _, a := range from {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: a.AsSlice()})
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("call from %s: %w", a, err))
			continue
		}
		stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
		defer stop()
		defer conn.Close()
		if _, err := conn.WriteToUDPAddrPort([]byte(call()), o.To); err != nil {
			failed = errors.Join(failed, fmt.Errorf("call from %s: %w", a, err))
			continue
		}
		sent++
		go func() {
			buf := make([]byte, maxDatagram)
			for {
				n, from, err := conn.ReadFromUDPAddrPort(buf)
				if err != nil {
					return // the time is over
				}
				select {
				case answers <- heard{slices.Clone(buf[:n]), from.Addr().Unmap()}:
				case <-ctx.Done():
					return
				}
			}
		}()
	}
	if sent == 0 {
		return nil, failed
	}
	var list []Neighbour
	for {
		select {
		case <-ctx.Done():
			slices.SortFunc(list, func(a, b Neighbour) int { return strings.Compare(a.URL, b.URL) })
			return list, nil
		case h := <-answers:
			for _, n := range matches(h.data, h.from) {
				known := slices.ContainsFunc(list, func(o Neighbour) bool { return o.URL == n.URL })
				if known || len(list) == maxNeighbours || c.o.Check(ctx, n.URL) != nil {
					continue
				}
				list = append(list, n)
			}
		}
	}
}

// ownAddresses are those from which the group can be called.
func ownAddresses(to netip.AddrPort) ([]netip.Addr, error) {
	if !to.Addr().IsMulticast() {
		return []netip.Addr{netip.IPv4Unspecified()}, nil
	}
	all, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list networks: %w", err)
	}
	var list []netip.Addr
	for _, i := range all {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagMulticast == 0 || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue // it went away
		}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok {
				if ip, ok := netip.AddrFromSlice(n.IP); ok && ip.Unmap().Is4() {
					list = append(list, ip.Unmap())
				}
			}
		}
	}
	if len(list) == 0 {
		return nil, errors.New("this machine is in no network that could be searched")
	}
	return list, nil
}

// call is a Probe of WS-Discovery.
func call() string {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // does not fail
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" `+
		`xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header><w:MessageID>uuid:%x-%x-%x-%x-%x</w:MessageID>`+
		`<w:To e:mustUnderstand="true">urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To><w:Action e:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header>`+
		`<e:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>`, id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// matches reads who answers.
func matches(data []byte, from netip.Addr) []Neighbour {
	root, err := parse(data)
	if err != nil {
		return nil
	}
	var list []Neighbour
	for _, m := range root.at("Body", "ProbeMatches").all("ProbeMatch") {
		for address := range strings.FieldsSeq(m.child("XAddrs").value()) {
			u, err := url.Parse(address)
			if err != nil || u.Hostname() != from.String() || u.Scheme != "http" && u.Scheme != "https" || len(address) > maxURL {
				continue
			}
			u.User, u.Fragment = nil, ""
			n := Neighbour{URL: u.String()}
			for scope := range strings.FieldsSeq(m.child("Scopes").value()) {
				for prefix, into := range map[string]*string{"onvif://www.onvif.org/name/": &n.Name, "onvif://www.onvif.org/hardware/": &n.Hardware, "onvif://www.onvif.org/location/": &n.Location} {
					if rest, ok := strings.CutPrefix(scope, prefix); ok && *into == "" {
						if plain, err := url.PathUnescape(rest); err == nil {
							*into = clean(plain)
						}
					}
				}
			}
			list = append(list, n)
			break
		}
	}
	return list
}

package stream_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
	"github.com/chargewatch/chargewatch/internal/outward"
)

// hostile is a server that speaks just enough RTSP to do harm. answer is asked
// for each request, by its method, and writes what it wants.
func hostile(t *testing.T, answer func(c net.Conn, method, cseq string)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				r := bufio.NewReader(c)
				for {
					line, err := r.ReadString('\n')
					if err != nil {
						return
					}
					method, _, _ := strings.Cut(line, " ")
					cseq := ""
					for line != "\r\n" {
						if line, err = r.ReadString('\n'); err != nil {
							return
						}
						if v, ok := strings.CutPrefix(line, "CSeq:"); ok {
							cseq = strings.TrimSpace(v)
						}
					}
					answer(c, method, cseq)
				}
			}()
		}
	}()
	return "rtsp://" + ln.Addr().String() + "/main"
}

func ok(c net.Conn, cseq, headers, body string) {
	fmt.Fprintf(c, "RTSP/1.0 200 OK\r\nCSeq: %s\r\n%sContent-Length: %d\r\n\r\n%s", cseq, headers, len(body), body)
}

const sdp = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:x\r\n"

// plays answers everything up to PLAY as it should be, and then calls play.
func plays(body string, play func(c net.Conn)) func(net.Conn, string, string) {
	return func(c net.Conn, method, cseq string) {
		switch method {
		case "DESCRIBE":
			ok(c, cseq, "Content-Type: application/sdp\r\n", body)
		case "SETUP":
			ok(c, cseq, "Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n", "")
		case "PLAY":
			ok(c, cseq, "", "")
			play(c)
		default:
			ok(c, cseq, "", "")
		}
	}
}

// packet is an RTP packet in the stream of a TCP connection.
func packet(seq uint16, stamp uint32, marker bool, payload []byte) []byte {
	b := []byte{'$', 0, 0, 0, 0x80, 96}
	if marker {
		b[5] |= 0x80
	}
	b = binary.BigEndian.AppendUint16(b, seq)
	b = binary.BigEndian.AppendUint32(b, stamp)
	b = binary.BigEndian.AppendUint32(b, 7)
	b = append(b, payload...)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)-4))
	return b
}

func TestAHostileCameraIsCutOff(t *testing.T) {
	for name, tc := range map[string]struct {
		answer func(net.Conn, string, string)
		want   stream.Reason
	}{
		"a description without end": {func(c net.Conn, method, cseq string) {
			if method != "DESCRIBE" {
				ok(c, cseq, "", "")
				return
			}
			fmt.Fprintf(c, "RTSP/1.0 200 OK\r\nCSeq: %s\r\nContent-Type: application/sdp\r\nContent-Length: 99999999\r\n\r\n", cseq)
			forever(c, []byte("a=x\r\n"))
		}, stream.ReasonProtocol},
		"headers without end": {func(c net.Conn, _, cseq string) {
			fmt.Fprintf(c, "RTSP/1.0 200 OK\r\nCSeq: %s\r\n", cseq)
			forever(c, []byte("X-A: b\r\n"))
		}, stream.ReasonProtocol},
		"a header without end": {func(c net.Conn, _, cseq string) {
			fmt.Fprintf(c, "RTSP/1.0 200 OK\r\nCSeq: %s\r\nX: ", cseq)
			forever(c, []byte("   "))
		}, stream.ReasonProtocol},
		"something else altogether": {func(c net.Conn, _, _ string) {
			forever(c, []byte("220 smtp ready\r\n"))
		}, stream.ReasonProtocol},
		"many descriptions of streams": {func(c net.Conn, method, cseq string) {
			ok(c, cseq, "Content-Type: application/sdp\r\n", "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\n"+strings.Repeat("m=audio 0 RTP/AVP 0\r\n", 5000))
		}, stream.ReasonCodec},
		"a redirect in a circle": {func(c net.Conn, method, cseq string) {
			if method != "DESCRIBE" {
				ok(c, cseq, "", "")
				return
			}
			fmt.Fprintf(c, "RTSP/1.0 302 Moved\r\nCSeq: %s\r\nLocation: rtsp://%s/main\r\n\r\n", cseq, c.LocalAddr())
		}, stream.ReasonProtocol},
		"a redirect to no camera": {func(c net.Conn, method, cseq string) {
			if method != "DESCRIBE" {
				ok(c, cseq, "", "")
				return
			}
			fmt.Fprintf(c, "RTSP/1.0 302 Moved\r\nCSeq: %s\r\nLocation: http://x/latest/meta-data\r\n\r\n", cseq)
		}, stream.ReasonAddress},
		"a picture without end": {plays(sdp, func(c net.Conn) {
			big := make([]byte, 60_000)
			big[0] = 0x7c
			for seq := uint16(0); ; seq++ {
				big[1] = 5
				if seq == 0 {
					big[1] |= 0x80
				}
				if _, err := c.Write(packet(seq, 1, false, big)); err != nil {
					return
				}
			}
		}), stream.ReasonProtocol},
		"a picture of a million crumbs": {plays(sdp, func(c net.Conn) {
			for seq := uint16(0); ; seq++ {
				fu := []byte{0x7c, 5}
				if seq == 0 {
					fu[1] |= 0x80
				}
				if _, err := c.Write(packet(seq, 1, false, fu)); err != nil {
					return
				}
			}
		}), stream.ReasonProtocol},
		"it hangs up while it plays": {plays(sdp, func(c net.Conn) { c.Close() }), stream.ReasonClosed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := fail(t, stream.Target{URL: hostile(t, tc.answer), Username: "u", Password: "p"}, nil)
			if f.Reason != tc.want {
				t.Errorf("%v", f)
			}
		})
	}
}

func forever(c net.Conn, what []byte) {
	for {
		if _, err := c.Write(what); err != nil {
			return
		}
	}
}

// A redirect goes through the guard like the first address, and another machine
// is not told the password.
func TestARedirectIsCheckedAndToldNoSecrets(t *testing.T) {
	asked := make(chan string, 10)
	inner := hostile(t, func(c net.Conn, method, cseq string) {
		asked <- method
		fmt.Fprintf(c, "RTSP/1.0 401 Unauthorized\r\nCSeq: %s\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n", cseq)
	})
	outer := hostile(t, func(c net.Conn, method, cseq string) {
		if method != "DESCRIBE" {
			ok(c, cseq, "", "")
			return
		}
		fmt.Fprintf(c, "RTSP/1.0 302 Moved\r\nCSeq: %s\r\nLocation: %s\r\n\r\n", cseq, inner)
	})
	_, exactly, err := outward.ParseAllow([]string{strings.TrimSuffix(strings.TrimPrefix(outer, "rtsp://"), "/main")})
	if err != nil {
		t.Fatal(err)
	}
	guard := outward.New(outward.Options{Exactly: exactly})
	if f := fail(t, stream.Target{URL: outer, Username: "u", Password: "p"}, guard.Dial); f.Reason != stream.ReasonAddress {
		t.Errorf("led past the guard: %v", f)
	}
	if f := fail(t, stream.Target{URL: outer, Username: "u", Password: "p"}, nil); f.Reason != stream.ReasonAuthentication {
		t.Errorf("led on: %v", f)
	}
	if n := len(asked); n != 1 {
		t.Errorf("the other machine was asked %d times: with the password the second time", n)
	}
}

// The camera may not have us send packets to others.
func TestACameraNamesNoOtherMachineAsItsSource(t *testing.T) {
	victim, err := net.ListenPacket("udp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	defer victim.Close()
	port := victim.LocalAddr().(*net.UDPAddr).Port
	url := hostile(t, func(c net.Conn, method, cseq string) {
		switch method {
		case "DESCRIBE":
			ok(c, cseq, "Content-Type: application/sdp\r\n", sdp)
		case "SETUP":
			ok(c, cseq, fmt.Sprintf("Session: 1\r\nTransport: RTP/AVP/UDP;unicast;client_port=10000-10001;server_port=%d-%d;source=127.0.0.2\r\n", port, port+1), "")
		default:
			ok(c, cseq, "", "")
		}
	})
	if f := fail(t, stream.Target{URL: url, UDP: true}, nil); f.Reason != stream.ReasonAddress {
		t.Errorf("%v", f)
	}
}

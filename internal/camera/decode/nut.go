package decode

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// What a child writes: NUT, the one container of ffmpeg that carries raw pictures
// with a time each and holds none of them back.

const (
	nutMagic = "nut/multimedia container\x00"

	nutMain      = 0x4E4D_7A561F5F04AD
	nutStream    = 0x4E53_11405BF2F9DB
	nutSyncpoint = 0x4E4B_E4ADEECA4569

	nutCodedPTS    = 8
	nutStreamID    = 16
	nutSizeMSB     = 32
	nutChecksum    = 64
	nutReserved    = 128
	nutSideData    = 256
	nutHeaderIndex = 1024
	nutMatchTime   = 2048
	nutCoded       = 4096
	nutInvalid     = 8192

	maxNutPacket = 1 << 20
)

var errNut = errors.New("the decoder writes what cannot be read")

type nutCode struct {
	flags, stream, mul, lsb, reserved uint64
	ptsDelta                          int64
	header                            uint64
}

// nutReader reads pictures and their times.
type nutReader struct {
	r        *bufio.Reader
	codes    [256]nutCode
	bases    [][2]uint64
	elision  [][]byte
	msbShift uint64
	base     uint64
	lastPTS  int64
	known    bool
	limit    int
}

// newNutReader reads pictures of at most limit bytes.
func newNutReader(r io.Reader, limit int) *nutReader {
	return &nutReader{r: bufio.NewReaderSize(r, 64<<10), limit: limit}
}

// head reads what stands before the first packet.
func (n *nutReader) head() error {
	magic := make([]byte, len(nutMagic))
	if _, err := io.ReadFull(n.r, magic); err != nil {
		return err
	}
	if string(magic) != nutMagic {
		return fmt.Errorf("%w: it does not begin as NUT", errNut)
	}
	return nil
}

// next reads the next picture into buf, which is grown as needed, and returns it
// with its time in milliseconds.
func (n *nutReader) next(buf []byte) (ms int64, picture []byte, err error) {
	for {
		code, err := n.r.ReadByte()
		if err != nil {
			return 0, buf, err
		}
		if code == 'N' {
			if err := n.packet(); err != nil {
				return 0, buf, err
			}
			continue
		}
		if !n.known {
			return 0, buf, fmt.Errorf("%w: a picture without a header", errNut)
		}
		return n.frame(code, buf)
	}
}

func (n *nutReader) frame(code byte, buf []byte) (int64, []byte, error) {
	v := vlc{r: n.r}
	c := n.codes[code]
	flags := c.flags
	if flags&nutInvalid != 0 {
		return 0, buf, fmt.Errorf("%w: unknown frame code %d", errNut, code)
	}
	if flags&nutCoded != 0 {
		flags ^= v.number()
	}
	stream := c.stream
	if flags&nutStreamID != 0 {
		stream = v.number()
	}
	pts := n.lastPTS + c.ptsDelta
	if flags&nutCodedPTS != 0 {
		coded := v.number()
		if coded >= 1<<n.msbShift {
			pts = int64(coded - 1<<n.msbShift) //nolint:gosec // Times are small.
		} else {
			mask := int64(1)<<n.msbShift - 1
			from := n.lastPTS - mask/2
			pts = (int64(coded)-from)&mask + from //nolint:gosec // Below 1<<msbShift.
		}
	}
	size := c.lsb
	if flags&nutSizeMSB != 0 {
		size += c.mul * v.number()
	}
	if flags&nutMatchTime != 0 {
		v.number()
	}
	header := c.header
	if flags&nutHeaderIndex != 0 {
		header = v.number()
	}
	reserved := c.reserved
	if flags&nutReserved != 0 {
		reserved = v.number()
	}
	for range min(reserved, 256) {
		v.number()
	}
	if flags&nutChecksum != 0 {
		v.skip(4)
	}
	if size > 4096 {
		header = 0
	}
	switch {
	case v.err != nil:
		return 0, buf, v.err
	case stream != 0, flags&nutSideData != 0, header >= uint64(len(n.elision)), size > uint64(n.limit), reserved > 256: //nolint:gosec // A limit.
		return 0, buf, fmt.Errorf("%w: a frame of %d bytes", errNut, size)
	}
	n.lastPTS = pts
	start := n.elision[header]
	if uint64(len(start)) > size {
		return 0, buf, fmt.Errorf("%w: a frame of %d bytes", errNut, size)
	}
	if uint64(cap(buf)) < size {
		buf = make([]byte, size)
	}
	buf = buf[:size]
	copy(buf, start)
	if _, err := io.ReadFull(n.r, buf[len(start):]); err != nil {
		return 0, buf, err
	}
	b := n.bases[n.base]
	return int64(math.Round(float64(pts) * 1000 * float64(b[0]) / float64(b[1]))), buf, nil
}

// packet reads what begins with a start code; the N of it is read.
func (n *nutReader) packet() error {
	var rest [7]byte
	if _, err := io.ReadFull(n.r, rest[:]); err != nil {
		return err
	}
	start := uint64('N')<<56 | uint64(rest[0])<<48 | uint64(binary.BigEndian.Uint16(rest[1:]))<<32 | uint64(binary.BigEndian.Uint32(rest[3:]))
	v := vlc{r: n.r}
	size := v.number()
	if size > 4096 {
		v.skip(4)
	}
	switch {
	case v.err != nil:
		return v.err
	case size < 4 || size > maxNutPacket:
		return fmt.Errorf("%w: a packet of %d bytes", errNut, size)
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(n.r, data); err != nil {
		return err
	}
	body := vlc{b: data[:size-4]}
	switch start {
	case nutMain:
		return n.main(&body)
	case nutStream:
		return n.stream(&body)
	case nutSyncpoint:
		if !n.known {
			return fmt.Errorf("%w: a time before the header", errNut)
		}
		coded, bases := body.number(), uint64(len(n.bases))
		from, to := n.bases[coded%bases], n.bases[n.base]
		seconds := float64(coded/bases) * float64(from[0]) / float64(from[1])
		n.lastPTS = int64(math.Floor(seconds*float64(to[1])/float64(to[0]) + 1e-6))
		return body.err
	}
	return nil // names and indexes
}

func (n *nutReader) main(v *vlc) error {
	if version := v.number(); version > 3 {
		v.number()
	}
	streams := v.number()
	v.number() // distance
	bases := v.number()
	if v.err != nil || streams != 1 || bases == 0 || bases > 16 {
		return fmt.Errorf("%w: a header of %d streams and %d time bases", errNut, streams, bases)
	}
	n.bases = n.bases[:0]
	for range bases {
		b := [2]uint64{v.number(), v.number()}
		if b[0] == 0 || b[1] == 0 {
			return fmt.Errorf("%w: a time base without time", errNut)
		}
		n.bases = append(n.bases, b)
	}
	n.codeTable(v)
	n.elision = [][]byte{nil}
	for range min(v.number(), 127) {
		n.elision = append(n.elision, v.bytes(256))
	}
	return v.err
}

func (n *nutReader) codeTable(v *vlc) {
	c := nutCode{mul: 1}
	for i := 0; i < 256 && v.err == nil; {
		c.flags = v.number()
		fields := v.number()
		c.lsb, c.reserved = 0, 0
		if fields > 0 {
			c.ptsDelta = v.signed()
		}
		if fields > 1 {
			c.mul = v.number()
		}
		if fields > 2 {
			c.stream = v.number()
		}
		if fields > 3 {
			c.lsb = v.number()
		}
		if fields > 4 {
			c.reserved = v.number()
		}
		count := c.mul - c.lsb
		if fields > 5 {
			count = v.number()
		}
		if fields > 6 {
			v.signed()
		}
		if fields > 7 {
			c.header = v.number()
		}
		for range min(max(fields, 8)-8, 256) {
			v.number()
		}
		if count == 0 || count > 256 || fields > 256 {
			v.fail()
		}
		for j := uint64(0); j < count && i < 256; i++ {
			if i == 'N' {
				n.codes[i] = nutCode{flags: nutInvalid}
				continue
			}
			n.codes[i] = c
			n.codes[i].lsb += j
			j++
		}
	}
}

func (n *nutReader) stream(v *vlc) error {
	v.number()  // id
	v.number()  // class
	v.bytes(16) // codec
	n.base = v.number()
	n.msbShift = v.number()
	if v.err != nil || n.base >= uint64(len(n.bases)) || n.msbShift > 32 {
		return fmt.Errorf("%w: a stream header", errNut)
	}
	n.known = true
	return nil
}

// vlc reads numbers of variable length, from b or else from r. The first failure
// stays.
type vlc struct {
	r   *bufio.Reader
	b   []byte
	err error
}

func (v *vlc) fail() {
	if v.err == nil {
		v.err = errNut
	}
}

func (v *vlc) byte() byte {
	if v.err != nil {
		return 0
	}
	if v.r != nil {
		c, err := v.r.ReadByte()
		v.err = err
		return c
	}
	if len(v.b) == 0 {
		v.fail()
		return 0
	}
	c := v.b[0]
	v.b = v.b[1:]
	return c
}

func (v *vlc) number() uint64 {
	var n uint64
	for range 9 {
		c := v.byte()
		n = n<<7 | uint64(c&0x7F)
		if c&0x80 == 0 {
			return n
		}
	}
	v.fail()
	return 0
}

func (v *vlc) signed() int64 {
	n := v.number() + 1
	if n&1 != 0 {
		return -int64(n >> 1) //nolint:gosec // At most 63 bits.
	}
	return int64(n >> 1) //nolint:gosec // At most 63 bits.
}

func (v *vlc) bytes(most uint64) []byte {
	size := v.number()
	if size > most || v.r == nil && size > uint64(len(v.b)) {
		v.fail()
		return nil
	}
	b := make([]byte, size)
	for i := range b {
		b[i] = v.byte()
	}
	return b
}

func (v *vlc) skip(n int) {
	for range n {
		v.byte()
	}
}

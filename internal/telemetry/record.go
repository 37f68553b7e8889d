package telemetry

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"

	"github.com/chargewatch/chargewatch/internal/telemetry/block"
)

// A record is one moment of one port, as the hot tail keeps it on disk and in
// memory; docs/formats/telemetry.md specifies it.
//
//	record = varint(milliseconds since the hour began) uvarint(samples) sample*
//	sample = key value
//	value  = uvarint(zigzag(number)<<3 | scale)        scale 0..6
//	       | uvarint(7) float64 bits, little endian    where no scale fits
//
// A chunk is what one transaction appended, a row of the table hot.
//
//	chunk  = version entry* crc32c
//	entry  = uvarint(port) varint(hour) uvarint(length) record

const (
	chunkVersion = 1
	rawScale     = 7
	maxPacked    = 1 << 59
)

var errChunk = errors.New("damaged row of the hot tail")

func appendValue(dst []byte, v float64) []byte {
	if n, scale, ok := block.Decimal(v); ok {
		if z := uint64(n<<1) ^ uint64(n>>63); z < maxPacked {
			return binary.AppendUvarint(dst, z<<3|uint64(scale))
		}
	}
	dst = append(dst, rawScale)
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
}

func readValue(data []byte) (float64, []byte, bool) {
	u, n := binary.Uvarint(data)
	if n <= 0 {
		return 0, nil, false
	}
	data = data[n:]
	scale := uint8(u & 7)
	if scale != rawScale {
		z := u >> 3
		return block.FromDecimal(int64(z>>1)^-int64(z&1), scale), data, true
	}
	if u != rawScale || len(data) < 8 {
		return 0, nil, false
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(data)), data[8:], true
}

func closeChunk(chunk []byte) []byte {
	return binary.LittleEndian.AppendUint32(chunk, crc32.Checksum(chunk, crc32.MakeTable(crc32.Castagnoli)))
}

// eachEntry calls fn with the entries of a chunk. The record is part of data.
func eachEntry(data []byte, fn func(port, hour int64, record []byte) error) error {
	if len(data) < 5 || data[0] != chunkVersion {
		return errChunk
	}
	body := data[:len(data)-4]
	if crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)) != binary.LittleEndian.Uint32(data[len(body):]) {
		return errChunk
	}
	body = body[1:]
	for len(body) > 0 {
		port, n := binary.Uvarint(body)
		if n <= 0 || port > math.MaxInt64 {
			return errChunk
		}
		body = body[n:]
		hour, n := binary.Varint(body)
		if n <= 0 {
			return errChunk
		}
		body = body[n:]
		size, n := binary.Uvarint(body)
		if n <= 0 || size > uint64(len(body)-n) {
			return errChunk
		}
		body = body[n:]
		if err := fn(int64(port), hour, body[:size]); err != nil {
			return err
		}
		body = body[size:]
	}
	return nil
}

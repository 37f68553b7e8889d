package decode

import (
	"encoding/binary"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// What a child reads: Matroska, since it carries whole pictures with a time each,
// and neither needs nor gets a parser that would wait for the next one.
const (
	elementHeader      = 0x1A45DFA3
	elementVersion     = 0x4286
	elementReadVersion = 0x42F7
	elementMaxID       = 0x42F2
	elementMaxSize     = 0x42F3
	elementDocType     = 0x4282
	elementDocVersion  = 0x4287
	elementDocRead     = 0x4285
	elementSegment     = 0x18538067
	elementInfo        = 0x1549A966
	elementScale       = 0x2AD7B1
	elementMuxer       = 0x4D80
	elementWriter      = 0x5741
	elementTracks      = 0x1654AE6B
	elementTrack       = 0xAE
	elementNumber      = 0xD7
	elementUID         = 0x73C5
	elementType        = 0x83
	elementLacing      = 0x9C
	elementCodec       = 0x86
	elementPrivate     = 0x63A2
	elementVideo       = 0xE0
	elementWidth       = 0xB0
	elementHeight      = 0xBA
	elementCluster     = 0x1F43B675
	elementTime        = 0xE7
	elementBlock       = 0xA3
)

// element appends an element of EBML.
func element(b []byte, id uint32, data []byte) []byte {
	return append(elementHead(b, id, len(data)), data...)
}

func elementHead(b []byte, id uint32, size int) []byte {
	for shift := 24; shift >= 0; shift -= 8 {
		if x := byte(id >> shift); x != 0 || id>>shift != 0 {
			b = append(b, x)
		}
	}
	return binary.BigEndian.AppendUint64(b, 1<<56|uint64(size)) //nolint:gosec // A length.
}

func number(b []byte, id uint32, n uint64) []byte {
	return element(b, id, binary.BigEndian.AppendUint64(nil, n))
}

// matroskaHead is what a child reads first.
func matroskaHead(codec stream.Codec) []byte {
	var head []byte
	head = number(head, elementVersion, 1)
	head = number(head, elementReadVersion, 1)
	head = number(head, elementMaxID, 4)
	head = number(head, elementMaxSize, 8)
	head = element(head, elementDocType, []byte("matroska"))
	head = number(head, elementDocVersion, 4)
	head = number(head, elementDocRead, 2)
	b := element(nil, elementHeader, head)

	b = append(b, elementSegment>>24, elementSegment>>16&0xFF, elementSegment>>8&0xFF, elementSegment&0xFF)
	b = append(b, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF) // as long as it lasts

	info := number(nil, elementScale, 1_000_000) // times are milliseconds
	info = element(info, elementMuxer, []byte("chargewatch"))
	info = element(info, elementWriter, []byte("chargewatch"))
	b = element(b, elementInfo, info)

	name, private := "V_MPEG4/ISO/AVC", avcPrivate()
	if codec == stream.H265 {
		name, private = "V_MPEGH/ISO/HEVC", hevcPrivate()
	}
	track := number(nil, elementNumber, 1)
	track = number(track, elementUID, 1)
	track = number(track, elementType, 1)
	track = number(track, elementLacing, 0)
	track = element(track, elementCodec, []byte(name))
	track = element(track, elementPrivate, private)
	size := number(nil, elementWidth, neutralSize)
	size = number(size, elementHeight, neutralSize)
	track = element(track, elementVideo, size)
	return element(b, elementTracks, element(nil, elementTrack, track))
}

// matroskaPicture appends one picture under its ticket. Lengths stand before the
// parts of a picture, so that nothing inside can be taken for the start of another.
func matroskaPicture(b []byte, ticket uint64, nalus [][]byte) []byte {
	size := 4
	for _, n := range nalus {
		size += 4 + len(n)
	}
	at := number(nil, elementTime, ticket)
	b = elementHead(b, elementCluster, len(at)+1+8+size)
	b = append(b, at...)
	b = elementHead(b, elementBlock, size)
	b = append(b, 0x81, 0, 0, 0x80) // track 1, no offset, key picture
	for _, n := range nalus {
		b = binary.BigEndian.AppendUint32(b, uint32(len(n))) //nolint:gosec // Bounded by maxUnitBytes.
		b = append(b, n...)
	}
	return b
}

// avcPrivate describes the neutral picture; cameras bring their own parameter sets.
func avcPrivate() []byte {
	n := neutral(stream.H264)
	sps, pps := n[0], n[1]
	b := []byte{1, sps[1], sps[2], sps[3], 0xFF, 0xE1}
	b = binary.BigEndian.AppendUint16(b, uint16(len(sps))) //nolint:gosec // A constant.
	b = append(append(b, sps...), 1)
	b = binary.BigEndian.AppendUint16(b, uint16(len(pps))) //nolint:gosec // A constant.
	return append(b, pps...)
}

// hevcPrivate says that lengths have four bytes, and nothing else.
func hevcPrivate() []byte {
	b := make([]byte, 23)
	b[0], b[21] = 1, 3
	return b
}

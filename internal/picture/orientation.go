package picture

import (
	"bytes"
	"encoding/binary"
	"image"
)

// turning is how a camera was held: the values of the tag Orientation of EXIF.
type turning int

const upright turning = 1

// orientation reads how a JPEG has to be turned. What cannot be read is upright:
// the pixels are what counts.
func orientation(data []byte) turning {
	for at := 2; at+4 <= len(data) && data[at] == 0xff; {
		marker, size := data[at+1], int(binary.BigEndian.Uint16(data[at+2:]))
		if marker == 0xff { // padding
			at++
			continue
		}
		if marker == 0xda || size < 2 || at+2+size > len(data) { // the pixels begin
			break
		}
		body := data[at+4 : at+2+size]
		if tiff, ok := bytes.CutPrefix(body, []byte("Exif\x00\x00")); marker == 0xe1 && ok {
			return turningOf(tiff)
		}
		at += 2 + size
	}
	return upright
}

// turningOf looks through the first directory of a TIFF header.
func turningOf(tiff []byte) turning {
	if len(tiff) < 8 {
		return upright
	}
	var order binary.ByteOrder
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return upright
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return upright
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < 12 {
			break
		}
		const tag, short = 0x0112, 3
		if order.Uint16(entries) == tag && order.Uint16(entries[2:]) == short {
			if v := turning(order.Uint16(entries[8:])); v >= upright && v <= 8 {
				return v
			}
			break
		}
		entries = entries[12:]
	}
	return upright
}

// apply turns a picture upright.
func (t turning) apply(m *image.RGBA) *image.RGBA {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	toW, toH := w, h
	if t >= 5 {
		toW, toH = h, w
	}
	if t <= upright || t > 8 {
		return m
	}
	out := image.NewRGBA(image.Rect(0, 0, toW, toH))
	for y := range toH {
		for x := range toW {
			var fromX, fromY int
			switch t {
			case 2: // mirrored
				fromX, fromY = w-1-x, y
			case 3: // upside down
				fromX, fromY = w-1-x, h-1-y
			case 4:
				fromX, fromY = x, h-1-y
			case 5:
				fromX, fromY = y, x
			case 6: // held upright, turned to the left
				fromX, fromY = y, h-1-x
			case 7:
				fromX, fromY = w-1-y, h-1-x
			case 8:
				fromX, fromY = w-1-y, x
			}
			copy(out.Pix[out.PixOffset(x, y):][:4], m.Pix[m.PixOffset(fromX, fromY):][:4])
		}
	}
	return out
}

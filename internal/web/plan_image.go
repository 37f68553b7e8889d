package web

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
)

// Bounds of a plan.
const (
	maxPlanBytes  = 5 << 20
	maxPlanPixels = 40_000_000
	maxPlanSide   = 12_000
	// What we encode may be larger than what came: a picture that was squeezed
	// hard before. Beyond this it is refused.
	maxPlanStored = 3 * maxPlanBytes
)

// planImage is a picture as we encoded it.
type planImage struct {
	kind          string // media type
	width, height int
	data          []byte
}

var (
	errPlanKind = errors.New("only PNG and JPEG pictures are taken")
	errPlanSize = fmt.Errorf("at most %d million pixels, and %d on a side", maxPlanPixels/1_000_000, maxPlanSide)
	errPlanBad  = errors.New("the picture cannot be read")
	errPlanBig  = fmt.Errorf("the picture is too large: at most %d MiB", maxPlanBytes>>20)
)

// readPlan decodes a picture and encodes it anew: what is kept is pixels and
// nothing else, whatever the file held beside them (where a photo was taken, a
// script). Its size is checked before a pixel is decoded.
func readPlan(data []byte) (planImage, error) {
	if len(data) > maxPlanBytes {
		return planImage{}, errPlanBig
	}
	var out planImage
	var config image.Config
	var err error
	switch {
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		out.kind = "image/png"
		config, err = png.DecodeConfig(bytes.NewReader(data))
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		out.kind = "image/jpeg"
		config, err = jpeg.DecodeConfig(bytes.NewReader(data))
	default:
		return planImage{}, errPlanKind
	}
	if err != nil {
		return planImage{}, errPlanBad
	}
	out.width, out.height = config.Width, config.Height
	if config.Width < 1 || config.Height < 1 || config.Width > maxPlanSide || config.Height > maxPlanSide ||
		config.Width*config.Height > maxPlanPixels {
		return planImage{}, errPlanSize
	}
	var encoded bytes.Buffer
	if out.kind == "image/png" {
		picture, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			return planImage{}, errPlanBad
		}
		encoder := png.Encoder{CompressionLevel: png.DefaultCompression}
		err = encoder.Encode(&encoded, plainDepth(picture))
		if err != nil {
			return planImage{}, fmt.Errorf("encode a plan: %w", err)
		}
	} else {
		picture, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			return planImage{}, errPlanBad
		}
		if err := jpeg.Encode(&encoded, picture, &jpeg.Options{Quality: 86}); err != nil {
			return planImage{}, fmt.Errorf("encode a plan: %w", err)
		}
	}
	if encoded.Len() > maxPlanStored {
		return planImage{}, errPlanBig
	}
	out.data = encoded.Bytes()
	return out, nil
}

// plainDepth shows a picture of 16 bits a channel with 8: a screen has no more,
// and the file would be twice the size.
func plainDepth(picture image.Image) image.Image {
	switch picture.ColorModel() {
	case color.NRGBA64Model, color.RGBA64Model:
		return eightBit{picture, color.NRGBAModel}
	case color.Gray16Model:
		return eightBit{picture, color.GrayModel}
	}
	return picture
}

type eightBit struct {
	image.Image
	model color.Model
}

func (e eightBit) ColorModel() color.Model { return e.model }
func (e eightBit) At(x, y int) color.Color { return e.model.Convert(e.Image.At(x, y)) }

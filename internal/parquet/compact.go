package parquet

import "encoding/binary"

// compact writes the parts of a file that describe it, in the compact protocol of
// Apache Thrift: fields of a structure in the order of their numbers.
type compact struct {
	b    []byte
	last []int16 // field written last, of the structures around
	at   int16   // of this one
}

const (
	typeTrue   = 1
	typeInt32  = 5
	typeInt64  = 6
	typeText   = 8
	typeList   = 9
	typeStruct = 12
)

func (c *compact) field(id int16, kind byte) {
	if d := id - c.at; d > 0 && d < 16 {
		c.b = append(c.b, byte(d)<<4|kind)
	} else {
		c.b = append(c.b, kind)
		c.b = binary.AppendVarint(c.b, int64(id))
	}
	c.at = id
}

func (c *compact) int32(id int16, v int32) {
	c.field(id, typeInt32)
	c.b = binary.AppendVarint(c.b, int64(v)) // zigzag, as the protocol wants
}

func (c *compact) int64(id int16, v int64) {
	c.field(id, typeInt64)
	c.b = binary.AppendVarint(c.b, v)
}

func (c *compact) text(id int16, v string) {
	c.field(id, typeText)
	c.item(v)
}

// item is a text of a list.
func (c *compact) item(v string) {
	c.b = binary.AppendUvarint(c.b, uint64(len(v)))
	c.b = append(c.b, v...)
}

func (c *compact) list(id int16, kind byte, n int) {
	c.field(id, typeList)
	if n < 15 {
		c.b = append(c.b, byte(n)<<4|kind)
		return
	}
	c.b = append(c.b, 0xf0|kind)
	c.b = binary.AppendUvarint(c.b, uint64(n))
}

// begin opens a structure that is a field, enter one that is an item of a list.
func (c *compact) begin(id int16) {
	c.field(id, typeStruct)
	c.enter()
}

func (c *compact) enter() {
	c.last = append(c.last, c.at)
	c.at = 0
}

func (c *compact) end() {
	c.b = append(c.b, 0)
	if n := len(c.last); n > 0 {
		c.at = c.last[n-1]
		c.last = c.last[:n-1]
	}
}

// Numbers of the format.
const (
	physicalInt32  = 1
	physicalInt64  = 2
	physicalDouble = 5
	physicalBytes  = 6
	convertedUTF8  = 0
	convertedTime  = 9
	codecZstd      = 6
)

func (k Kind) physical() int32 {
	switch k {
	case Int:
		return physicalInt32
	case Moment:
		return physicalInt64
	case Float:
		return physicalDouble
	case Text:
	}
	return physicalBytes
}

// schema describes a column.
func (c *compact) schema(x Column) {
	c.enter()
	c.int32(1, x.Kind.physical())
	repetition := int32(0)
	if x.Optional {
		repetition = 1
	}
	c.int32(3, repetition)
	c.text(4, x.Name)
	switch x.Kind {
	case Text:
		c.int32(6, convertedUTF8)
		c.begin(10)
		c.begin(1) // a string
		c.end()
		c.end()
	case Moment:
		c.int32(6, convertedTime)
		c.begin(10)
		c.begin(8) // a timestamp
		c.field(1, typeTrue)
		c.begin(2)
		c.begin(1) // of milliseconds
		c.end()
		c.end()
		c.end()
		c.end()
	case Int, Float:
	}
	c.end()
}

// chunk says where a column of a row group stands.
func (c *compact) chunk(x Column, p place) {
	c.enter()
	c.int64(2, p.at)
	c.begin(3)
	c.int32(1, x.Kind.physical())
	c.list(2, typeInt32, 2)
	c.b = binary.AppendVarint(c.b, 0) // plain
	c.b = binary.AppendVarint(c.b, 3) // runs
	c.list(3, typeText, 1)
	c.item(x.Name)
	c.int32(4, codecZstd)
	c.int64(5, p.values)
	c.int64(6, p.plain)
	c.int64(7, p.packed)
	c.int64(9, p.at)
	c.end()
	c.end()
}

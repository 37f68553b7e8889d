// Package jsondoc reads one JSON text into a flat list of nodes that point into
// the text.
//
// It exists because a charging station's frame has to be judged and read
// several times (framing, specification check, typed decode, relay of the same
// bytes), and because two readers that disagree about one frame are a security
// hole. So there is one strict parse, and everybody else walks its nodes:
//
//   - RFC 8259, nothing beside it; nesting above MaxDepth, and two members of
//     the same name in one object, are refused;
//   - bytes that are no UTF-8 (and lone surrogates) are replaced by U+FFFD and
//     counted, never refused: stations send Latin-1;
//   - no reflection, and no allocation once a Doc has grown to the size of the
//     frames it sees;
//   - the accessors of Node are tolerant and say by a Fit how well a value
//     fitted what was asked, so that tolerance leaves a trace.
//
// A Node is valid until its Doc parses again or goes back to its Pool. A Doc
// belongs to one goroutine.
package jsondoc

import (
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
)

// MaxDepth is the deepest nesting of arrays and objects that is read.
const MaxDepth = 32

// MaxNodes is how many values one text may have. It is what 4 MiB of honest
// samples hold; two bytes can be a value, and a node is much larger.
const MaxNodes = 1 << 19

// maxSize keeps offsets inside 32 bits; the frame limit of the caller is far
// below.
const maxSize = 1 << 30

var (
	// ErrTooDeep says that arrays and objects nest deeper than MaxDepth.
	ErrTooDeep = errors.New("json: nesting too deep")
	// ErrDuplicateKey says that an object has two members of one name.
	ErrDuplicateKey = errors.New("json: duplicate key")
	// ErrTrailing says that something other than white space follows the
	// value. The value itself was read and stays usable.
	ErrTrailing = errors.New("json: bytes after the value")
	// ErrTooLarge says that the text has more than MaxNodes values, or more
	// bytes than 32-bit offsets can count.
	ErrTooLarge = errors.New("json: text too large")
)

// A SyntaxError says where a text stops being JSON.
type SyntaxError struct {
	Offset int
	Reason string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("json: %s at byte %d", e.Reason, e.Offset)
}

// Doc holds one parsed text. The zero value is ready for use.
type Doc struct {
	src      []byte
	nodes    []node
	decoded  []byte // texts that differ from their source bytes
	end      int    // where the value ended
	replaced int

	seed   maphash.Seed
	seeded bool
	slots  []int32 // open-addressed table for large objects, reused
}

// node is one value. Containers are followed by all their descendants.
type node struct {
	start, end   uint32 // source bytes of the value
	kstart, kend uint32 // name of the member, if the parent is an object
	// next is the index after the last descendant of a container. Of a string
	// that was decoded it is the offset of its text, and count its length.
	next, count int32
	kind        Kind
	flags       uint8
}

const (
	flagDecoded    = 1 << iota // the text lies in Doc.decoded
	flagKeyDecoded             // the name lies in Doc.decoded
)

// Kind is the JSON kind of a value.
type Kind uint8

// The kinds. None is the kind of a node that is not there.
const (
	None Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

func (k Kind) String() string {
	switch k {
	case Null:
		return "null"
	case Bool:
		return "boolean"
	case Number:
		return "number"
	case String:
		return "string"
	case Array:
		return "array"
	case Object:
		return "object"
	default:
		return "nothing"
	}
}

// Parse reads src, which must stay unchanged as long as nodes are used. After
// an error Root still leads to everything that was read completely before the
// fault, so that a caller can find whom to answer; after ErrTrailing that is
// the whole value.
func (d *Doc) Parse(src []byte) error {
	d.src = src
	d.nodes = d.nodes[:0]
	d.decoded = d.decoded[:0]
	d.replaced = 0
	d.end = 0
	if len(src) > maxSize {
		d.src = nil
		return ErrTooLarge
	}
	p := d.space(0)
	p, err := d.value(p, 0, name{})
	d.end = p
	if err != nil {
		return err
	}
	if d.space(p) != len(src) {
		return ErrTrailing
	}
	return nil
}

// Root is the value of the text, or nothing if not even its start was read.
func (d *Doc) Root() Node {
	if len(d.nodes) == 0 {
		return Node{}
	}
	return Node{d, 0}
}

// Trailing is what follows the value, white space included.
func (d *Doc) Trailing() []byte { return d.src[d.end:] }

// Replaced counts the strings in which bytes that are no UTF-8, or lone
// surrogates, were replaced by U+FFFD.
func (d *Doc) Replaced() int { return d.replaced }

// Pool hands out Docs. Those that one huge frame has blown up are dropped, so
// that a burst of large frames does not stay in memory.
type Pool struct{ docs sync.Pool }

// keepNodes is the size up to which a Doc returns to its Pool: about 60 KiB of
// nodes, more than a StopTransaction with some hundred samples needs.
const keepNodes = 2048

// Get returns a Doc that nobody else uses.
func (p *Pool) Get() *Doc {
	if d, ok := p.docs.Get().(*Doc); ok {
		return d
	}
	return &Doc{nodes: make([]node, 0, 128)}
}

// Put takes a Doc back; its nodes must not be used any more.
func (p *Pool) Put(d *Doc) {
	if cap(d.nodes) > keepNodes || cap(d.decoded) > 64<<10 || cap(d.slots) > 4*keepNodes {
		return
	}
	d.src = nil
	d.nodes = d.nodes[:0]
	p.docs.Put(d)
}

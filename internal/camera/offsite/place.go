package offsite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Object is a file for the second place.
type Object struct {
	Name string
	Kind string // media type
	Body io.ReadSeeker
	Size int64
	Sum  [32]byte // SHA-256
}

// Place is where copies go. It is safe for concurrent use.
type Place interface {
	// String says which place it is, without secrets.
	String() string
	// Put makes an object, whole or not at all; one of the same name is replaced.
	Put(ctx context.Context, o Object) error
	// Remove takes one away.
	Remove(ctx context.Context, name string) error
}

// Failure says why something is not at the second place. Code is for programs:
// unreachable, notAllowed, certificate, timeout, credentials, refused, noBucket,
// clock, notThere, unwritable, full, redirected, answered, noPictures, dropped, tooLate.
type Failure struct {
	Code   string
	Detail string // in words, without secrets
	err    error
}

func (f *Failure) Error() string {
	if f.Detail == "" {
		return f.Code
	}
	return f.Code + ": " + f.Detail
}

func (f *Failure) Unwrap() error { return f.err }

func failed(code string, err error) *Failure {
	f := &Failure{Code: code, err: err}
	if err != nil {
		f.Detail = cut(err.Error())
	}
	return f
}

// Why is the reason of an error.
func Why(err error) *Failure {
	if f, ok := errors.AsType[*Failure](err); ok {
		return f
	}
	return failed("answered", err)
}

// cut bounds what others say and keeps it on one line.
func cut(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if r := []rune(text); len(r) > 200 {
		return string(r[:200]) + "…"
	}
	return text
}

// safe is a name as a part of a path that every store and file system takes.
func safe(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			return r
		}
		return '_'
	}, name)
	if strings.Trim(name, ".") == "" {
		return "_" + name
	}
	return name
}

// testName is written and removed to see whether a place works.
const testName = "chargewatch/test.txt"

// Test looks whether a place takes copies. That what it took cannot be removed is
// no fault: a place from which nothing can be removed is the better one.
func Test(ctx context.Context, p Place) error {
	text := "Chargewatch looked whether copies of pictures can be kept here.\n"
	o := Object{Name: testName, Kind: "text/plain", Body: strings.NewReader(text), Size: int64(len(text)), Sum: sumOf([]byte(text))}
	if err := p.Put(ctx, o); err != nil {
		return fmt.Errorf("try the second place: %w", err)
	}
	_ = p.Remove(ctx, testName) // see above
	return nil
}

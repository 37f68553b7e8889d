package web

import (
	"encoding/base64"
	"errors"
	"reflect"
	"strings"
)

var errCursor = errors.New("not a cursor of this list")

// maxCursor bounds what is decoded.
const maxCursor = 512

// encodeCursor makes a list's place opaque; the list's name in front keeps a
// cursor from being used with another list.
func encodeCursor(name, place string) string {
	if place == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte(name + ":" + place))
}

// decodeCursor reads what encodeCursor wrote; empty is the beginning.
func decodeCursor(name, text string) (string, error) {
	if text == "" {
		return "", nil
	}
	if len(text) > maxCursor {
		return "", errCursor
	}
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return "", errCursor
	}
	place, ok := strings.CutPrefix(string(data), name+":")
	if !ok || place == "" {
		return "", errCursor
	}
	return place, nil
}

// Page is what lists take.
type Page struct {
	Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"1000"`
	Cursor string `query:"cursor" maxLength:"512" doc:"nextCursor of the page before"`
}

// Items is what lists answer.
type Items[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"nextCursor" doc:"empty: there is no more"`
}

type listOutput[T any] struct{ Body Items[T] }

func listOf[T any](items []T, next string) *listOutput[T] {
	return &listOutput[T]{Body: Items[T]{Items: list(items), NextCursor: next}}
}

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

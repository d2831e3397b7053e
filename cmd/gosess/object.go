package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
)

// object is written with its members in order.
type object []member

type member struct {
	name  string
	value any
}

func (o object) MarshalJSON() ([]byte, error) {
	text := bytes.NewBufferString("{")
	encoder := json.NewEncoder(text)
	encoder.SetEscapeHTML(false)
	for n, m := range o {
		if n > 0 {
			text.WriteByte(',')
		}
		if err := encoder.Encode(m.name); err != nil {
			return nil, err
		}
		text.WriteByte(':')
		if err := encoder.Encode(m.value); err != nil {
			return nil, err
		}
	}
	text.WriteByte('}')
	return text.Bytes(), nil
}

// writeObject is what --json prints.
func writeObject(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

// camel makes a member's name of words.
func camel(words string) string {
	name := ""
	for n, word := range strings.Fields(words) {
		if n > 0 {
			word = strings.ToUpper(word[:1]) + word[1:]
		}
		name += word
	}
	return name
}

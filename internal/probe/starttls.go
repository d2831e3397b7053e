package probe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Before TLS: lines that begin so are waited for, and lines are said. "" is nothing to be said.
type exchange struct{ say, await string }

var textual = map[string][]exchange{
	"smtp": {{"", "220 "}, {"EHLO doctor.invalid\r\n", "250 "}, {"STARTTLS\r\n", "220 "}},
	"imap": {{"", "* "}, {"a STARTTLS\r\n", "a OK"}},
	"pop3": {{"", "+OK"}, {"STLS\r\n", "+OK"}},
	"ftp":  {{"", "220 "}, {"AUTH TLS\r\n", "234 "}},
}

const (
	lineLimit     = 1024
	lineCount     = 100
	messageLimit  = 1024
	startTLSOfPG  = 80877103 // SSLRequest of PostgreSQL's protocol, version 3
	operationOver = 0x78     // an extended response of LDAP: RFC 4511, section 4.12
)

// An extended request of LDAP for StartTLS: RFC 4511, section 4.14.1.
const startTLSOfLDAP = "\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"

// startTLS talks until the server waits for a ClientHello, and returns the first line that it has said.
func startTLS(conn io.ReadWriter, protocol string) (greeting string, err error) {
	switch protocol {
	case "ldap":
		err = startLDAP(conn)
	case "postgres":
		err = startPostgres(conn)
	default:
		greeting, err = startText(conn, textual[protocol])
	}
	if err != nil {
		err = fmt.Errorf("STARTTLS as in %s: %w", protocol, plain(err))
	}
	return greeting, err
}

func startText(conn io.ReadWriter, exchanges []exchange) (greeting string, err error) {
	for _, turn := range exchanges {
		if _, err := io.WriteString(conn, turn.say); err != nil {
			return "", err
		}
		line, err := awaitLine(conn, turn.await)
		if err != nil {
			return "", err
		}
		if greeting == "" {
			greeting = line
		}
	}
	return greeting, nil
}

// awaitLine reads lines up to one that begins so. Those before it of an answer in several lines have the same number and a
// hyphen (RFC 5321, section 4.2.1), or are IMAP's without a tag.
func awaitLine(conn io.Reader, beginning string) (string, error) {
	for range lineCount {
		line, err := readLine(conn)
		if err != nil {
			return "", err
		}
		if strings.HasPrefix(line, beginning) {
			return line, nil
		}
		number, numbered := strings.CutSuffix(beginning, " ")
		goesOn := numbered && strings.HasPrefix(line, number+"-") || strings.HasPrefix(line, "* ") ||
			strings.HasPrefix(line, " ") // FTP's lines between
		if !goesOn {
			return "", fmt.Errorf("the server says %q", printable(line, 80))
		}
	}
	return "", errors.New("the server's answer does not end")
}

// readLine reads one line, byte by byte: what follows it is not the caller's.
func readLine(conn io.Reader) (string, error) {
	var line []byte
	for one := make([]byte, 1); len(line) < lineLimit; {
		if _, err := io.ReadFull(conn, one); err != nil {
			return "", err
		}
		if one[0] == '\n' {
			return strings.TrimSuffix(string(line), "\r"), nil
		}
		line = append(line, one[0])
	}
	return "", errors.New("the server's line does not end")
}

func startPostgres(conn io.ReadWriter) error {
	request := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 8), startTLSOfPG)
	if _, err := conn.Write(request); err != nil {
		return err
	}
	answer := make([]byte, 1)
	if _, err := io.ReadFull(conn, answer); err != nil {
		return err
	}
	if answer[0] != 'S' {
		return fmt.Errorf("the server says %q", printable(string(answer), 1))
	}
	return nil
}

func startLDAP(conn io.ReadWriter) error {
	if _, err := io.WriteString(conn, startTLSOfLDAP); err != nil {
		return err
	}
	head := make([]byte, 2)
	if _, err := io.ReadFull(conn, head); err != nil {
		return err
	}
	size := int(head[1])
	if more := size & 0x7f; size >= 0x80 && more <= 2 { // a length of one or two bytes more
		rest := make([]byte, more)
		if _, err := io.ReadFull(conn, rest); err != nil {
			return err
		}
		size = 0
		for _, b := range rest {
			size = size<<8 | int(b)
		}
	}
	if head[0] != 0x30 || size > messageLimit {
		return errors.New("the server does not speak LDAP")
	}
	message := make([]byte, size)
	if _, err := io.ReadFull(conn, message); err != nil {
		return err
	}
	return judgeLDAP(message)
}

// judgeLDAP looks for the result of an extended response: the message's number, then the response, which begins with it.
func judgeLDAP(message []byte) error {
	_, rest, ok := element(message, 0x02)
	response, _, ok2 := element(rest, operationOver)
	result, _, ok3 := element(response, 0x0a)
	switch {
	case !ok || !ok2 || !ok3 || len(result) != 1:
		return errors.New("the server's answer is none of LDAP's")
	case result[0] != 0:
		return fmt.Errorf("the server refuses with result %d", result[0])
	}
	return nil
}

// element takes an element of that tag from the front (BER, with a definite length).
func element(bytes []byte, tag byte) (content, rest []byte, ok bool) {
	if len(bytes) < 2 || bytes[0] != tag {
		return nil, nil, false
	}
	size, at := int(bytes[1]), 2
	if more := size & 0x7f; size >= 0x80 {
		if more > 2 || len(bytes) < 2+more {
			return nil, nil, false
		}
		size = 0
		for _, b := range bytes[2 : 2+more] {
			size = size<<8 | int(b)
		}
		at += more
	}
	if len(bytes) < at+size {
		return nil, nil, false
	}
	return bytes[at : at+size], bytes[at+size:], true
}

// printable is the beginning of what a server says, in letters that do nothing to a terminal.
func printable(text string, limit int) string {
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '.'
		}
		return r
	}, text)
	return clean[:min(len(clean), limit)]
}

package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

const (
	answerPatience = 2 * time.Second // until a server answers that was asked something
	endPatience    = time.Second     // until it closes what the client has closed
	answerLimit    = 16 << 10        // bytes of an answer that are kept
)

// Connect makes one connection and ends it in order. What it returns with an error is what was seen until then.
func Connect(ctx context.Context, ask Ask) (Seen, error) {
	within, end := context.WithCancel(ctx)
	defer end()
	seen, err := converse(within, ask)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return seen, err
}

// converse is Connect, with a context that ends with the connection.
func converse(ctx context.Context, ask Ask) (Seen, error) {
	tls, err := newTLS(ask)
	if err != nil {
		return Seen{}, fmt.Errorf("%w: %w", ErrAsk, err)
	}
	defer tls.free()
	c := &conn{tls: tls, left: byteLimit, piece: make([]byte, pieceSize)}
	first, err := firstBytes(ctx, c, ask)
	if err != nil {
		return Seen{}, err
	}
	var seen Seen
	if c.socket, seen.Greeting, err = dial(ctx, ask.Address, ask); err != nil {
		return seen, err
	}
	defer c.socket.Close()
	if _, err := c.socket.Write(first); err != nil {
		return seen, plain(err)
	}
	if err := c.step(c.tls.handshake); err != nil {
		return seen, refusal(err)
	}
	greeting := seen.Greeting
	seen = c.tls.look()
	seen.Greeting = greeting
	seen.Answer = talk(c, ask)
	seen.Sessions = c.tls.sessions()
	return seen, nil
}

// ErrAsk is wrapped where nobody was asked, as libssl cannot make such a connection: with a session that is none, or under a name
// that is too long.
var ErrAsk = errors.New("no connection was made")

// ErrRefused is wrapped where somebody was there who made no handshake of this kind.
var ErrRefused = errors.New("no handshake")

func refusal(err error) error {
	if errors.Is(err, errSilent) || errors.Is(err, errTooMuch) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrRefused, err)
}

// dial connects, and talks until TLS is to begin. The socket is closed when the context is done, if not before.
func dial(ctx context.Context, address string, ask Ask) (net.Conn, string, error) {
	deadline := time.Now().Add(ask.Patience)
	dialer := net.Dialer{Deadline: deadline}
	socket, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			err = errSilent
		}
		return nil, "", plain(err)
	}
	context.AfterFunc(ctx, func() { socket.Close() })
	if err := socket.SetDeadline(deadline); err != nil {
		socket.Close()
		return nil, "", err
	}
	if !ask.Talk.Starttls {
		return socket, "", nil
	}
	greeting, err := startTLS(socket, ask.Talk.Protocol)
	if err != nil {
		socket.Close()
		return nil, greeting, err
	}
	return socket, greeting, nil
}

// firstBytes is what a client sends before it has heard anything: with early data the request too. Where another address
// is to see it before, that is done.
func firstBytes(ctx context.Context, c *conn, ask Ask) ([]byte, error) {
	if ask.Early {
		request := ask.Talk.request(ask.Name, ask.Address)
		if len(request) == 0 {
			return nil, fmt.Errorf("%w: there is nothing to say in early data", ErrAsk)
		}
		if err := c.tls.early(request); err != nil {
			return nil, fmt.Errorf("%w: no early data: %w", ErrAsk, err)
		}
	}
	if err := c.tls.handshake(); !errors.Is(err, errWants) {
		return nil, fmt.Errorf("%w: %w", ErrAsk, err)
	}
	first := c.pending()
	if ask.Before == "" {
		return first, nil
	}
	socket, _, err := dial(ctx, ask.Before, ask)
	if err != nil {
		return nil, err
	}
	defer socket.Close()
	if _, err := socket.Write(first); err != nil {
		return nil, plain(err)
	}
	// It has accepted or refused when it answers.
	if _, err := socket.Read(make([]byte, pieceSize)); err != nil {
		return nil, plain(err)
	}
	return first, nil
}

// talk says what is to be said, hears the answer and takes leave. A server has stored its session and sent its tickets
// when it closes the connection, so that is waited for; how it closes is its own affair.
func talk(c *conn, ask Ask) (answer string) {
	_ = c.socket.SetReadDeadline(time.Now().Add(answerPatience))
	if ask.Talk.listens() {
		answer = hear(c, "\n")
	}
	if request := ask.Talk.request(ask.Name, ask.Address); len(request) > 0 {
		if !ask.Early {
			_ = c.step(func() error { return c.tls.write(request) })
		}
		answer += hear(c, ask.Talk.until())
	}
	_ = c.socket.SetReadDeadline(time.Now().Add(endPatience))
	_ = c.step(c.tls.close)
	if half, ok := c.socket.(*net.TCPConn); ok {
		_ = half.CloseWrite()
	}
	for {
		if _, err := c.read(); err != nil {
			return answer
		}
	}
}

// hear reads until the answer holds that text, or there is no more of it.
func hear(c *conn, until string) string {
	var answer strings.Builder
	for answer.Len() < answerLimit && !strings.Contains(answer.String(), until) {
		text, err := c.read()
		answer.WriteString(text)
		if err != nil {
			break
		}
	}
	return answer.String()
}

package fleet_test

import (
	"encoding/binary"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
)

// names is a name server that knows one name (RFC 1035).
type names struct {
	t       *testing.T
	address net.IP
	silent  atomic.Bool
}

// through is the command that becomes a program of a machine, which asks this server for names.
func (n *names) through(m *machine) []string {
	n.t.Helper()
	conn, err := net.ListenPacket("udp4", net.JoinHostPort(m.host.Gateway(), "53"))
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { conn.Close() })
	go n.serve(conn)
	file := filepath.Join(n.t.TempDir(), "resolv.conf")
	if err := os.WriteFile(file, []byte("nameserver "+m.host.Gateway()+"\n"), 0o644); err != nil {
		n.t.Fatal(err)
	}
	return append(slices.Clone(m.host.Through()), "unshare", "--mount", "sh", "-c", `mount --bind "$0" /etc/resolv.conf && exec "$@"`, file)
}

func (n *names) serve(conn net.PacketConn) {
	for buffer := make([]byte, 1500); ; {
		size, from, err := conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		if answer := n.answer(buffer[:size]); answer != nil && !n.silent.Load() {
			_, _ = conn.WriteTo(answer, from)
		}
	}
}

// answer gives the address to whoever asks for one of IPv4, and nothing to others.
func (n *names) answer(question []byte) []byte {
	const header, isAnswer, addressOfIPv4 = 12, 1 << 15, 1
	end := header
	for end < len(question) && question[end] != 0 {
		end += int(question[end]) + 1
	}
	end += 5 // the end of the name, type and class
	if end > len(question) {
		return nil
	}
	be := binary.BigEndian
	answer := slices.Clone(question[:end])
	be.PutUint16(answer[2:], isAnswer|be.Uint16(question[2:]))
	copy(answer[6:], make([]byte, 6)) // no answers, no authorities, nothing more
	if be.Uint16(question[end-4:]) != addressOfIPv4 {
		return answer
	}
	be.PutUint16(answer[6:], 1)
	// The name is the one at the beginning; type and class as asked; to be forgotten at once.
	answer = append(answer, 0xc0, header)
	answer = append(answer, question[end-4:end]...)
	answer = append(answer, 0, 0, 0, 0, 0, net.IPv4len)
	return append(answer, n.address.To4()...)
}

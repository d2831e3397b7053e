package harness

import (
	"errors"
	"syscall"
	"testing"
)

// A port that one test has been given is given to no other, though nothing listens there yet.
func TestFreePortIsReserved(t *testing.T) {
	port, err := FreePort()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := bindable(port); err != nil || again != port {
		t.Errorf("port %d cannot be bound: %d %v", port, again, err)
	}
	if err := reserve(port); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("port %d was reserved twice: %v", port, err)
	}
}

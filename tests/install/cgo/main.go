// Cgo is a program in Go that is linked with libssl and with an installed gosess, whose Go half
// is then a second Go runtime in its process: does each of them live with the other?
//
//	cgo CERTIFICATE KEY CACHE-URL
//
// prints one line for each question, with the answer.
package main

// #cgo pkg-config: gosess
// #include "tls.h"
// #include <stdlib.h>
import "C"

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

const (
	connections = 20 // of each goroutine, the first with a full handshake
	goroutines  = 8
	patience    = 20 * time.Second
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: cgo CERTIFICATE KEY CACHE-URL")
		os.Exit(2)
	}
	certificate, key, url := os.Args[1], os.Args[2], os.Args[3]
	cache := open(url)
	tls2 := attached(cache, C.TLS1_2_VERSION, certificate, key)
	tls3 := attached(cache, C.TLS1_3_VERSION, certificate, key)
	fmt.Println("TLS 1.2:", connect(tls2, C.TLS1_2_VERSION, false))
	fmt.Println("TLS 1.3:", connect(tls3, C.TLS1_3_VERSION, false))
	fmt.Println("statistics:", statistics(cache))
	fmt.Println("ended threads:", connect(tls3, C.TLS1_3_VERSION, true))
	fmt.Println("nil dereference:", dereference())
	fmt.Println("signal:", notify())
	fmt.Println("child:", child())
	C.SSL_CTX_free(tls2)
	C.SSL_CTX_free(tls3)
	C.gosess_cache_close(cache)
}

func must(good bool, problem string) {
	if !good {
		fmt.Fprintln(os.Stderr, "cgo:", problem)
		os.Exit(1)
	}
}

func open(url string) *C.gosess_cache {
	var cache *C.gosess_cache
	problem := (*C.char)(C.malloc(C.GOSESS_ERROR_SIZE))
	defer C.free(unsafe.Pointer(problem))
	text := C.CString(url)
	defer C.free(unsafe.Pointer(text))
	status := C.gosess_cache_open(text, &cache, problem, C.GOSESS_ERROR_SIZE)
	must(status == C.GOSESS_OK, C.GoString(problem))
	return cache
}

// attached is a server's context, with the cache.
func attached(cache *C.gosess_cache, version C.int, certificate, key string) *C.SSL_CTX {
	ctx := C.new_server(version, C.CString(certificate), C.CString(key))
	must(ctx != nil, "no server context")
	status := C.gosess_cache_attach(cache, ctx)
	must(status == C.GOSESS_OK, C.GoString(C.gosess_strerror(status)))
	return ctx
}

// connect connects from several goroutines, while this runtime collects garbage, for which it
// sends signals to its threads. The threads end with the goroutines where ending is set.
func connect(server *C.SSL_CTX, version C.int, ending bool) string {
	var outcomes [3]int
	var clients, busy sync.WaitGroup
	var mu sync.Mutex
	done := make(chan struct{})
	busy.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				runtime.GC()
			}
		}
	})
	for range goroutines {
		clients.Go(func() {
			if ending {
				runtime.LockOSThread()
			}
			client := C.new_client(version)
			must(client != nil, "no client context")
			defer C.SSL_CTX_free(client)
			session := (**C.SSL_SESSION)(C.calloc(1, C.size_t(unsafe.Sizeof(uintptr(0)))))
			defer C.free(unsafe.Pointer(session))
			for range connections {
				outcome := C.connect_both(server, client, session)
				mu.Lock()
				outcomes[outcome]++
				mu.Unlock()
			}
			C.SSL_SESSION_free(*session)
		})
	}
	clients.Wait()
	close(done)
	busy.Wait()
	return fmt.Sprintf("%d full, %d resumed, %d failed", outcomes[C.FULL], outcomes[C.RESUMED], outcomes[C.FAILED])
}

func statistics(cache *C.gosess_cache) string {
	stats := C.struct_gosess_stats{size: C.sizeof_struct_gosess_stats}
	status := C.gosess_cache_stats(cache, &stats)
	must(status == C.GOSESS_OK, C.GoString(C.gosess_strerror(status)))
	return fmt.Sprintf("%d hits, %d errors", stats.hits, stats.errors)
}

// dereference is a fault in this runtime, after the other has installed its handler.
func dereference() (said string) {
	defer func() { said = fmt.Sprint(recover()) }()
	debug.SetPanicOnFault(true)
	var nothing *struct{ field [10]int }
	return fmt.Sprint(nothing.field[3])
}

func notify() string {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGUSR1)
	must(syscall.Kill(os.Getpid(), syscall.SIGUSR1) == nil, "kill")
	select {
	case s := <-caught:
		return s.String()
	case <-time.After(patience):
		return "none"
	}
}

func child() string {
	output, err := exec.Command("/bin/echo", "born").Output()
	must(err == nil, fmt.Sprint(err))
	return string(output[:len(output)-1])
}

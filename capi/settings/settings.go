// Package settings reads the configuration of gosess with the code of the C half itself,
// which its C files include: what gosess check says is what a server would do.
package settings

/*
#include <stdlib.h>

#include "../../shim.h" // before a header of libssl

#include "../../include/gosess.h"
#include "../../shim/base/log.h"
#include "../../shim/base/text.h"
#include "../../shim/config/dryrun.h"
#include "../../shim/config/keys.h"
#include "../../shim/config/url.h"
*/
import "C"

import (
	"errors"
	"os"
	"unsafe"

	"gosess/sessioncache"
	"gosess/sessioncache/shm"
)

// The smallest store and the number of keys are the same to both halves, or this does not compile.
var (
	_ = [1]byte([1 + C.GOSESS_SIZE_MIN - shm.MinSize]byte{})
	_ = [C.GOSESS_KEYS_MAX]byte([sessioncache.KeysMost]byte{})
)

// Version is the version that this was built from.
const Version = C.GOSESS_VERSION

// URL is a URL of GOSESS_CACHE, taken apart.
type URL struct {
	Path string // of the store; empty where it is anonymous
	Keys string // ?keys=
	Size uint64 // in bytes
}

func parse(url string, parsed *C.struct_gosess_url) error {
	text := C.CString(url)
	defer C.free(unsafe.Pointer(text))
	var message [C.GOSESS_ERROR_SIZE]C.char
	if !C.gosess_url_parse(text, parsed, &message[0], C.GOSESS_ERROR_SIZE) {
		return errors.New(C.GoString(&message[0]))
	}
	return nil
}

// Parse takes a URL apart. It touches no file.
func Parse(url string) (URL, error) {
	var parsed C.struct_gosess_url
	if err := parse(url, &parsed); err != nil {
		return URL{}, err
	}
	return URL{
		Path: C.GoString(&parsed.path[0]),
		Keys: C.GoString(&parsed.keys[0]),
		Size: uint64(parsed.size),
	}, nil
}

// Check says what a server would do with a URL and the file of GOSESS_KEYS, or "", and
// does none of it.
func Check(url, keysFile string) (note string, err error) {
	var parsed C.struct_gosess_url
	if err := parse(url, &parsed); err != nil {
		return "", err
	}
	keys := C.CString(keysFile)
	defer C.free(unsafe.Pointer(keys))
	var text, message [C.GOSESS_ERROR_SIZE]C.char
	if !C.gosess_store_check(&parsed, keys, &text[0], &message[0], C.GOSESS_ERROR_SIZE) {
		return "", errors.New(C.GoString(&message[0]))
	}
	return C.GoString(&text[0]), nil
}

// Keys reads the sealing keys of a store with a path as a server would: those of the URL, else of a file, else of the one beside
// the store.
func Keys(url, keysFile string) (keys [][]byte, err error) {
	parsed, err := Parse(url)
	if err != nil {
		return nil, err
	}
	switch {
	case parsed.Keys != "":
		keysFile = parsed.Keys
	case keysFile == "":
		keysFile = parsed.Path + ".key"
	}
	return ReadKeys(keysFile)
}

// ReadKeys reads a key file as a server would.
func ReadKeys(path string) (keys [][]byte, err error) {
	file := C.CString(path)
	defer C.free(unsafe.Pointer(file))
	var message [C.GOSESS_ERROR_SIZE]C.char
	read := C.gosess_keys_read(file, false, &message[0], C.GOSESS_ERROR_SIZE)
	if read == nil {
		return nil, errors.New(C.GoString(&message[0]))
	}
	return takeKeys(read), nil
}

// KeyFileMost is how many bytes a key file may have.
const KeyFileMost = C.GOSESS_KEYS_TEXT_MAX

// ReadKeyFile reads a key file that is open, once, as a server would, and what else it says.
func ReadKeyFile(file *os.File) (keys [][]byte, text []byte, err error) {
	path := C.CString(file.Name())
	defer C.free(unsafe.Pointer(path))
	var message [C.GOSESS_ERROR_SIZE]C.char
	var size C.size_t
	text = make([]byte, KeyFileMost)
	read := C.gosess_keys_read_open(C.int(file.Fd()), path, (*C.char)(unsafe.Pointer(&text[0])), &size, &message[0], C.GOSESS_ERROR_SIZE)
	if read == nil {
		return nil, nil, errors.New(C.GoString(&message[0]))
	}
	return takeKeys(read), text[:size], nil
}

func takeKeys(read *C.struct_gosess_keys) (keys [][]byte) {
	defer C.gosess_keys_free(read)
	for i := range int(read.count) {
		keys = append(keys, C.GoBytes(unsafe.Pointer(&read.key[i]), C.GOSESS_KEY_SIZE))
	}
	return keys
}

// CheckLog opens the log as a server would with this value of GOSESS_LOG, and says what
// prevents that.
func CheckLog(value string) error {
	text := C.CString(value)
	defer C.free(unsafe.Pointer(text))
	var message [C.GOSESS_ERROR_SIZE]C.char
	if C.gosess_log_open(text, &message[0], C.GOSESS_ERROR_SIZE) != C.GOSESS_LOG_OPENED {
		return errors.New(C.GoString(&message[0]))
	}
	return nil
}

// SizeText writes a size as ?size= takes it: "64m".
func SizeText(size uint64) string {
	var text [24]C.char
	C.gosess_size_text(C.uint64_t(size), &text[0])
	return C.GoString(&text[0])
}

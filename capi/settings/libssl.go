package settings

/*
#cgo LDFLAGS: -ldl
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>


// The libssl that a server would get here which is linked to this name. Not closed: what it has set up lives as long
// as the process.
static const char *gosess_libssl_version(const char *name, unsigned long *number, const char **path)
{
	void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return NULL;
	const char *(*text)(int) = (const char *(*)(int))dlsym(library, "OpenSSL_version");
	unsigned long (*version)(void) = (unsigned long (*)(void))dlsym(library, "OpenSSL_version_num");
	void *place = dlsym(library, "SSL_new");
	Dl_info found = {0};
	if (!text || !version || !place || !dladdr(place, &found))
		return NULL;
	*number = version();
	*path = found.dli_fname;
	return text(0);
}
*/
import "C"

import (
	"unsafe"

	"gosess/sessioncache"
)

// Libssl is the libssl that servers are given here. Version is empty where there is none.
type Libssl struct {
	Path    string
	Number  string // 3.0.17
	Version string // as libssl says it
}

// SeenLibssl loads the libssl that the dynamic linker finds, the newest kind first.
func SeenLibssl() Libssl {
	for _, name := range []string{"libssl.so.3", "libssl.so.1.1"} {
		text := C.CString(name)
		var number C.ulong
		var path *C.char
		version := C.gosess_libssl_version(text, &number, &path)
		C.free(unsafe.Pointer(text))
		if version != nil {
			return Libssl{
				Path:    C.GoString(path),
				Number:  sessioncache.Versions{Libssl: uint32(number)}.LibsslText(),
				Version: C.GoString(version),
			}
		}
	}
	return Libssl{}
}

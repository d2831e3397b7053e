package config_test

import (
	"strings"
	"testing"
)

func TestURL(t *testing.T) {
	long := "/" + strings.Repeat("x", 4000)
	tests := []struct{ url, want string }{
		{"shm:", "path= keys= size=67108864"},
		{" shm:\t\n", "path= keys= size=67108864"},
		{"shm:?size=1m", "path= keys= size=1048576"},
		{"shm:?size=1M", "path= keys= size=1048576"},
		{"shm:?size=1024k", "path= keys= size=1048576"},
		{"shm:?size=3g", "path= keys= size=3221225472"},
		{"shm:?size=1024g", "path= keys= size=1099511627776"},
		{"shm:?size=1048577", "path= keys= size=1052672"},
		{"shm:/run/web", "path=/run/web keys= size=67108864"},
		{"shm:/run/web?size=2m&keys=/etc/k", "path=/run/web keys=/etc/k size=2097152"},
		{"shm:?keys=/etc/k=1", "path= keys=/etc/k=1 size=67108864"},
		{"shm:/a%20b:c", "path=/a%20b:c keys= size=67108864"},
		{"shm:" + long, "path=" + long + " keys= size=67108864"},
		{"shm:/run/web?fleet", "path=/run/web keys= size=67108864 fleet wait=2"},
		{"shm:/run/web?wait=0ms&fleet&size=1m", "path=/run/web keys= size=1048576 fleet wait=0"},
		{"shm:/run/web?fleet&wait=50ms", "path=/run/web keys= size=67108864 fleet wait=50"},
	}
	for _, test := range tests {
		if got := good(t, "url", test.url).text; got != test.want {
			t.Errorf("%q: %q, want %q", test.url, got, test.want)
		}
	}
}

// Every error names the word and what is allowed in its place.
func TestURLErrors(t *testing.T) {
	const sizes, paths, options = "1m to 1024g", "absolute path", "size, single-use, keys"
	tests := []struct{ url, word, allowed string }{
		{"", "empty", "shm:"},
		{"  ", "empty", "shm:"},
		{"shm", `"shm"`, "shm:"},
		{"/run/web", `"/run/web"`, "shm:"},
		{"redis://h", `"redis"`, "shm"},
		{"shmx:", `"shmx"`, "shm"},
		{"sh:", `"sh"`, "shm"},
		{"SHM:", `"SHM"`, "shm"},
		{":", `""`, "shm"},
		{"shm: shm:/x", `"shm:/x"`, "one URL"},
		{"shm:web", `"web"`, paths},
		{"shm:./web", `"./web"`, paths},
		{"shm:/", `"/"`, paths},
		{"shm:/run/", `"/run/"`, paths},
		{"shm://host/web", `"//host/web"`, paths},
		{"shm:/" + strings.Repeat("x", 4096), `"/xxx`, "4063 bytes"},
		{"shm:?", `""`, options},
		{"shm:?&size=1m", `""`, options},
		{"shm:?size=1m&", `""`, options},
		{"shm:?size=1m&&keys=/k", `""`, options},
		{"shm:?sise=1m", `"sise"`, options},
		{"shm:?Size=1m", `"Size"`, options},
		{"shm:?single-use=tls12", `"tls12"`, "tls13"},
		{"shm:?single-use", `"single-use"`, "single-use=tls13"},
		{"memory:/run/x", `"/run/x"`, "memory:?size=64m"},
		{"memory:?keys=/k", `"keys"`, "size, single-use"},
		{"shm:?=1m", `""`, options},
		{"shm:?fleet", `"fleet" needs a path`, "shm:/run/gosess/web?fleet"},
		{"shm:/a?fleet=", `"fleet" has a value`, "allowed: fleet"},
		{"shm:/a?fleet=yes", `"fleet" has a value`, "allowed: fleet"},
		{"shm:/a?fleet&fleet", `"fleet"`, "once"},
		{"shm:/a?wait=2ms", `"wait"`, "with fleet"},
		{"shm:/a?fleet&wait", `"wait"`, "wait=2ms"},
		{"shm:/a?fleet&wait=51ms", `"51ms"`, "0ms to 50ms"},
		{"shm:/a?fleet&wait=9999ms", `"9999ms"`, "0ms to 50ms"},
		{"shm:/a?fleet&wait=2", `"2"`, "0ms to 50ms"},
		{"shm:/a?fleet&wait=ms", `"ms"`, "0ms to 50ms"},
		{"shm:/a?fleet&wait=2s", `"2s"`, "0ms to 50ms"},
		{"memory:?fleet", `"fleet"`, "size, single-use"},
		{"shm:?size", `"size"`, "size=64m"},
		{"shm:?size=", `"size"`, "size=64m"},
		{"shm:?size=&keys=/k", `"size"`, "size=64m"},
		{"shm:?keys=", `"keys"`, "keys=/absolute/path"},
		{"shm:?size=1m&size=1m", `"size"`, "once"},
		{"shm:?keys=/a&keys=/a", `"keys"`, "once"},
		{"shm:?size=0", `"0"`, sizes},
		{"shm:?size=1023k", `"1023k"`, sizes},
		{"shm:?size=1025g", `"1025g"`, sizes},
		{"shm:?size=1099511627777", `"1099511627777"`, sizes},
		{"shm:?size=18446744073709551616m", `"18446744073709551616m"`, sizes},
		{"shm:?size=9007199254740992k", `"9007199254740992k"`, sizes},
		{"shm:?size=17179869184g", `"17179869184g"`, sizes},
		{"shm:?size=-1m", `"-1m"`, "k, m or g"},
		{"shm:?size=+1m", `"+1m"`, "k, m or g"},
		{"shm:?size=m", `"m"`, "k, m or g"},
		{"shm:?size=1.5m", `"1.5m"`, "k, m or g"},
		{"shm:?size=64mb", `"64mb"`, "k, m or g"},
		{"shm:?size=64x", `"64x"`, "k, m or g"},
		{"shm:?size=64m?", `"64m?"`, "k, m or g"},
		{"shm:?size=0x100000", `"0x100000"`, "k, m or g"},
		{"shm:?keys=k", `"k"`, paths},
		{"shm:?keys=/etc/", `"/etc/"`, paths},
	}
	for _, test := range tests {
		bad(t, []string{test.word, "allowed: ", test.allowed}, nil, "url", test.url)
	}
}

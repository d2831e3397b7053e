package sessioncache

// SameName compares server names, whose letters have no case (RFC 6066, section 3).
func SameName(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if a[i] != b[i] && lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// appendLower appends a server name in the case in which names are hashed.
func appendLower(dst []byte, serverName string) []byte {
	for i := range len(serverName) {
		dst = append(dst, lower(serverName[i]))
	}
	return dst
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

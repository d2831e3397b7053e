package sessioncache

import "fmt"

// Versions is what a process runs. Zero is unknown.
type Versions struct {
	Gosess uint32 // 0xMMNNPP
	ABI    uint32 // between the halves
	Libssl uint32 // OpenSSL_version_num(3)
}

// GosessText is the version of gosess for people, empty where it is unknown.
func (v Versions) GosessText() string {
	if v.Gosess == 0 {
		return ""
	}
	return fmt.Sprintf("%d.%d.%d", v.Gosess>>16, v.Gosess>>8&0xff, v.Gosess&0xff)
}

// GosessVersion reads what GosessText writes; 0 where it is something else.
func GosessVersion(text string) uint32 {
	var major, minor, patch uint8
	if n, err := fmt.Sscanf(text, "%d.%d.%d", &major, &minor, &patch); n != 3 || err != nil {
		return 0
	}
	return uint32(major)<<16 | uint32(minor)<<8 | uint32(patch)
}

// LibsslText is the version of libssl for people, empty where it is unknown. 1.1.1 has letters: 1.1.1w.
func (v Versions) LibsslText() string {
	n := v.Libssl
	switch {
	case n == 0:
		return ""
	case n>>28 >= 3:
		return fmt.Sprintf("%d.%d.%d", n>>28, n>>20&0xff, n>>4&0xff)
	}
	text := fmt.Sprintf("%d.%d.%d", n>>28, n>>20&0xff, n>>12&0xff)
	if letter := n >> 4 & 0xff; letter > 0 && letter <= 26 {
		text += string(rune('a' + letter - 1))
	}
	return text
}

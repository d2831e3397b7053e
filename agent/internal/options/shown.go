package options

import "strings"

// shown is enough of a word to find it again. What may have a password in it is not shown.
func shown(word string) string {
	if at := strings.LastIndexByte(word, '@'); at >= 0 {
		word = "..." + word[at:]
	}
	if len(word) > 80 {
		word = word[:80] + "..."
	}
	return word
}

//go:build amd64 && !race

package window

// ordered says that all processors see plain stores in the order of the program (Intel SDM 3A, 9.2.2; AMD64
// APM 2, 7.2), so that the number of a piece of news is seen after what it says.
const ordered = true

//go:build !amd64 || race

package window

// ordered is false where the order of plain stores is not what others see, or not what is tested.
const ordered = false

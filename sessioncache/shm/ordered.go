//go:build amd64 && !race

package shm

// ordered says that all processors see plain stores in the order of the program, and load in that order too (Intel SDM 3A, 9.2.2;
// AMD64 APM 2, 7.2), so that a slot word that is swapped in after data is seen after it, and one that is read again after data
// says of all of that whether it was there.
const ordered = true

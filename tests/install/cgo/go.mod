module gosess/tests/install/cgo

go 1.26

module gosess

go 1.26

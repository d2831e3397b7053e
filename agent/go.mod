module gosess/agent

go 1.26

require github.com/valkey-io/valkey-go v1.0.79

require golang.org/x/sys v0.47.0 // indirect

require gosess v0.0.0

replace gosess => ../

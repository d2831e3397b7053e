// Demo shows what gosess does to an unmodified nginx: TLS sessions that no worker
// remembered before are resumed by every worker, and still after a reload. It starts its
// own nginx in a temporary directory, on loopback, and removes both again.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"gosess/tests/harness"
)

const (
	cache    = "shm:?size=64m"
	sessions = "200"
	attempts = "1000"
)

func main() {
	// A step that a signal interrupts ends by itself; then everything is tidied up.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	defer stop()
	if err := demo(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func demo(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "gosess-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o755); err != nil { // the workers are another user
		return err
	}
	n, err := harness.NewNginx(dir)
	if err != nil {
		return err
	}
	version, err := n.Version()
	if err != nil {
		return err
	}
	fmt.Printf(`%s, unmodified, 2 workers, with "ssl_session_cache none" (its default) and
"ssl_session_tickets off". 4 clients make %s TLS sessions and then try %s times to resume
one: to go on with keys agreed on earlier, without a certificate and a signature.

  without   nginx as it is: no session is kept, so every handshake is a full one
  gosess    the same nginx, started with LD_PRELOAD=build/libgosess.so GOSESS_CACHE=%s
  reload    that one after "nginx -s reload": new workers, the sessions made before it

version  nginx    handshakes  workers  resumed    p50
`, version, sessions, attempts, cache)
	if err := without(ctx, n); err != nil {
		return err
	}
	if err := with(ctx, n); err != nil {
		return err
	}
	fmt.Print("\nhandshakes: attempts to resume; workers: how many answered them; p50: median time of one\n")
	return nil
}

// without is nginx as it is.
func without(ctx context.Context, n *harness.Nginx) error {
	return serving(n, func() error {
		for _, version := range []string{"1.2", "1.3"} {
			if err := row(ctx, n, version, "without", 0, "--sessions", sessions); err != nil {
				return err
			}
		}
		return nil
	})
}

// with is nginx with gosess, before and after a reload.
func with(ctx context.Context, n *harness.Nginx) error {
	env, err := harness.Preload(cache)
	if err != nil {
		return err
	}
	n.Env = env
	saved := func(version string) string { return filepath.Join(n.Dir, "sessions-"+version) }
	return serving(n, func() error {
		for _, version := range []string{"1.2", "1.3"} {
			if err := row(ctx, n, version, "gosess", 100, "--sessions", sessions, "--save", saved(version)); err != nil {
				return err
			}
		}
		if err := n.Reload(); err != nil {
			return err
		}
		for _, version := range []string{"1.2", "1.3"} {
			if err := row(ctx, n, version, "reload", 100, "--load", saved(version)); err != nil {
				return err
			}
		}
		return nil
	})
}

// serving runs steps while nginx runs, and always ends it.
func serving(n *harness.Nginx, steps func() error) (err error) {
	defer func() { err = errors.Join(err, n.Stop()) }()
	if err := n.Start(); err != nil {
		return err
	}
	return steps()
}

// row drives the handshakes of one line of the table and prints it; wanted is the
// percentage that should be resumed.
func row(ctx context.Context, n *harness.Nginx, version, name string, wanted float64, arguments ...string) error {
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	arguments = append(arguments, "--tls", version, "--threads", "4", "--attempts", attempts)
	r, err := harness.Load(n.Port(), arguments...)
	if err != nil {
		return err
	}
	percent := 100 * float64(r.Resumed) / float64(r.Attempts)
	fmt.Printf("TLS %s  %-7s  %10d  %7d  %5.1f %%  %4.0f us\n", version, name, r.Attempts, r.Workers, percent, r.P50)
	if r.Errors != 0 {
		return fmt.Errorf("%d errors:\n%s", r.Errors, r.Said)
	}
	if percent != wanted {
		return fmt.Errorf("%.1f %% should be resumed; nginx and gosess said:\n%s", wanted, n.Log())
	}
	return nil
}

// Command plane runs a real Kubernetes control plane as plain
// processes on the loopback interface: etcd, kube-apiserver and the
// controllers a test suite relies on. There is no scheduler and no kubelet, so
// pods stay Pending until a test writes their status itself.
//
// One binary plays every part. "up" starts the others as children of itself.
package main

import (
	"fmt"
	"os"
)

const usage = `usage: plane COMMAND [flags]

  up            start all three, write a kubeconfig, wait until ready, stop on SIGTERM
  etcd          serve etcd on unix sockets in the current directory
  apiserver     kube-apiserver, with its own flags
  controllers   the controllers, with the flags that "up" passes
`

func main() {
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	run, known := map[string]func([]string) error{
		"up":          up,
		"etcd":        etcd,
		"apiserver":   apiServer,
		"controllers": controllers,
	}[os.Args[1]]
	if !known {
		fmt.Fprintf(os.Stderr, "unknown command %q\n\n%s", os.Args[1], usage)
		os.Exit(2)
	}
	if err := run(os.Args[2:]); err != nil {
		fmt.Fprintf(os.Stderr, "plane %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}

package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

const (
	listenerEnv = "PLANE_LISTENER"
	stopGrace   = 5 * time.Second
	logTail     = 4096
)

// report is the one line "up" prints on stdout once the plane is ready.
type report struct {
	Server       string         `json:"server"`
	Kubeconfig   string         `json:"kubeconfig"`
	Directory    string         `json:"directory"`
	ReadySeconds float64        `json:"ready_seconds"`
	Pids         map[string]int `json:"pids"`
}

type child struct {
	name string
	cmd  *exec.Cmd
	done chan struct{}
}

// up starts the plane and keeps it running until SIGTERM, SIGINT, or, with
// --until-eof, until its standard input is closed.
func up(args []string) (err error) {
	flags := pflag.NewFlagSet("up", pflag.ContinueOnError)
	dir := flags.String("dir", "", "where certificates, data and logs go; kept, and used again if it exists (default: a new one, removed at the end)")
	port := flags.Int("port", 0, "the apiserver's port on 127.0.0.1 (default: a free one)")
	kubeconfig := flags.String("kubeconfig", "", "where to write the admin's kubeconfig (default: DIR/kubeconfig)")
	patience := flags.Duration("ready-timeout", 90*time.Second, "how long the plane may take to become ready")
	untilEOF := flags.Bool("until-eof", false, "stop when standard input is closed, so that the plane never outlives its parent")
	extra := flags.StringArray("apiserver-arg", nil, "one more flag for kube-apiserver; may be repeated")
	if err := flags.Parse(args); err != nil {
		return err
	}
	begin := time.Now()
	interrupted, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if *untilEOF {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			stop()
		}()
	}

	if *dir == "" {
		if *dir, err = os.MkdirTemp("", "ambient-plane-"); err != nil {
			return err
		}
		defer os.RemoveAll(*dir)
	}
	if *dir, err = filepath.Abs(*dir); err != nil {
		return err
	}
	if *kubeconfig == "" {
		*kubeconfig = filepath.Join(*dir, "kubeconfig")
	} else if *kubeconfig, err = filepath.Abs(*kubeconfig); err != nil {
		return err
	}
	if err := os.MkdirAll(*dir, 0o700); err != nil {
		return err
	}
	if err := os.Chdir(*dir); err != nil {
		return err
	}
	if err := prepare(); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		return err
	}
	socket, err := listener.(*net.TCPListener).File()
	if err != nil {
		return err
	}
	server := "https://" + listener.Addr().String()
	if err := writeKubeconfig(*kubeconfig, server); err != nil {
		return err
	}

	// Children die with the thread that started them, so it must not go away.
	runtime.LockOSThread()
	failed := make(chan error, 3)
	var children []*child
	defer func() {
		for i := len(children) - 1; i >= 0; i-- {
			children[i].stop()
		}
	}()
	start := func(name string, socket *os.File, args ...string) error {
		c, err := startChild(name, socket, args, failed)
		if err == nil {
			children = append(children, c)
		}
		return err
	}
	if err := start("etcd", nil); err != nil {
		return err
	}
	if err := start("apiserver", socket, append(apiServerArgs(), *extra...)...); err != nil {
		return err
	}
	socket.Close()
	listener.Close()

	ready, cancel := context.WithTimeout(interrupted, *patience)
	defer cancel()
	client, err := adminClient(*kubeconfig)
	if err != nil {
		return err
	}
	if err := until(ready, failed, "apiserver is ready", func(ctx context.Context) error {
		return client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	}); err != nil {
		return ended(interrupted, err)
	}
	if err := start("controllers", nil, "--kubeconfig="+*kubeconfig, "--root-ca-file=ca.crt"); err != nil {
		return err
	}
	// The controllers serve no health page; their first work tells.
	if err := until(ready, failed, "controllers are ready", func(ctx context.Context) error {
		_, err := client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
		return err
	}); err != nil {
		return ended(interrupted, err)
	}

	pids := map[string]int{"up": os.Getpid()}
	for _, c := range children {
		pids[c.name] = c.cmd.Process.Pid
	}
	if err := json.NewEncoder(os.Stdout).Encode(report{
		Server: server, Kubeconfig: *kubeconfig, Directory: *dir,
		ReadySeconds: time.Since(begin).Seconds(), Pids: pids,
	}); err != nil {
		return err
	}
	select {
	case <-interrupted.Done():
		return nil
	case err := <-failed:
		return ended(interrupted, err)
	}
}

// ended is err, or nothing if the end was asked for.
func ended(interrupted context.Context, err error) error {
	if interrupted.Err() != nil {
		return nil
	}
	return err
}

// prepare fills the working directory with what the servers read, unless an
// earlier run left it there.
func prepare() error {
	if _, err := os.Stat("ca.crt"); err == nil {
		return nil
	}
	secret := make([]byte, 24)
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	line := hex.EncodeToString(secret) + ",admin,admin,system:masters\n"
	if err := os.WriteFile("tokens.csv", []byte(line), 0o600); err != nil {
		return err
	}
	return writePKI()
}

func apiServerArgs() []string {
	return []string{
		"--etcd-servers=" + etcdClientURL,
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		"--endpoint-reconciler-type=none",
		"--tls-cert-file=apiserver.crt",
		"--tls-private-key-file=apiserver.key",
		"--client-ca-file=ca.crt",
		"--token-auth-file=tokens.csv",
		"--authorization-mode=RBAC",
		"--anonymous-auth=false",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=service-account.key",
		"--service-account-signing-key-file=service-account.key",
		"--service-cluster-ip-range=10.96.0.0/16",
		"--allow-privileged=true",
		"--profiling=false",
	}
}

func writeKubeconfig(path, server string) error {
	ca, err := os.ReadFile("ca.crt")
	if err != nil {
		return err
	}
	tokens, err := os.ReadFile("tokens.csv")
	if err != nil {
		return err
	}
	token, _, _ := strings.Cut(string(tokens), ",")
	const name = "plane"
	config := clientcmdapi.NewConfig()
	config.Clusters[name] = &clientcmdapi.Cluster{Server: server, CertificateAuthorityData: ca}
	config.AuthInfos[name] = &clientcmdapi.AuthInfo{Token: token}
	config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name, Namespace: metav1.NamespaceDefault}
	config.CurrentContext = name
	return clientcmd.WriteToFile(*config, path)
}

func adminClient(kubeconfig string) (*kubernetes.Clientset, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.Timeout = 5 * time.Second
	return kubernetes.NewForConfig(config)
}

// until asks again and again until the answer is no error. It gives up when
// the time is over or a child has ended.
func until(ctx context.Context, failed <-chan error, what string, ask func(context.Context) error) error {
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case failure := <-failed:
			return failure
		case <-ctx.Done():
			return fmt.Errorf("gave up waiting until %s: %w", what, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func startChild(name string, socket *os.File, args []string, failed chan<- error) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(name+".log", os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(self, append([]string{name}, args...)...)
	cmd.Stdout, cmd.Stderr = log, log
	// A process group of its own keeps a Ctrl-C from reaching the child before
	// its turn; the death signal keeps it from outliving a killed parent.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if socket != nil {
		cmd.ExtraFiles = []*os.File{socket}
		cmd.Env = append(os.Environ(), listenerEnv+"=1")
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{name: name, cmd: cmd, done: make(chan struct{})}
	go func() {
		err := cmd.Wait()
		close(c.done)
		failed <- fmt.Errorf("%s ended (%v); the end of its log:\n%s", name, err, tail(name+".log"))
	}()
	return c, nil
}

func (c *child) stop() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.done:
	case <-time.After(stopGrace):
		if err := c.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			fmt.Fprintf(os.Stderr, "plane: %s: %v\n", c.name, err)
		}
		<-c.done
	}
}

func tail(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	if len(content) > logTail {
		content = content[len(content)-logTail:]
	}
	return string(content)
}

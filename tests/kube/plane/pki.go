package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"time"
)

const validity = 365 * 24 * time.Hour

// writePKI makes a CA, the apiserver's certificate and the key that signs
// service-account tokens, and writes them into the working directory.
func writePKI() error {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	ca := template("plane")
	ca.IsCA, ca.BasicConstraintsValid = true, true
	ca.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		return err
	}

	servingKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serving := template("kube-apiserver")
	serving.KeyUsage = x509.KeyUsageDigitalSignature
	serving.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	serving.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	serving.DNSNames = []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"}
	servingDER, err := x509.CreateCertificate(rand.Reader, serving, ca, servingKey.Public(), caKey)
	if err != nil {
		return err
	}

	accountKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	for _, file := range []struct {
		name string
		der  func() ([]byte, error)
		kind string
	}{
		{"apiserver.crt", func() ([]byte, error) { return servingDER, nil }, "CERTIFICATE"},
		{"apiserver.key", privateKey(servingKey), "EC PRIVATE KEY"},
		{"service-account.key", privateKey(accountKey), "EC PRIVATE KEY"},
		{"ca.key", privateKey(caKey), "EC PRIVATE KEY"},
		// Last: its presence says that the set is whole.
		{"ca.crt", func() ([]byte, error) { return caDER, nil }, "CERTIFICATE"},
	} {
		der, err := file.der()
		if err != nil {
			return err
		}
		block := pem.EncodeToMemory(&pem.Block{Type: file.kind, Bytes: der})
		if err := os.WriteFile(file.name, block, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func template(name string) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		panic(err) // the system has no randomness
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Minute),
		NotAfter:     time.Now().Add(validity),
	}
}

func privateKey(key *ecdsa.PrivateKey) func() ([]byte, error) {
	return func() ([]byte, error) { return x509.MarshalECPrivateKey(key) }
}

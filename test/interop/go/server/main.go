// An HTTP/3 server over quic-go, for quactor's own client. Makes a certificate for localhost, writes it to -ca, and
// prints one JSON line with its port when it is ready. Ends after -lifetime at the latest.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/quic-go/quic-go/http3"
)

const largestBody = 100_000_000

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// makeCertificate returns a self-signed P-256 certificate for localhost.
func makeCertificate() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		fail(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: "localhost"},
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		fail(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	mux.HandleFunc("/bytes/{count}", func(w http.ResponseWriter, r *http.Request) {
		count, err := strconv.Atoi(r.PathValue("count"))
		if err != nil || count < 0 || count > largestBody {
			http.Error(w, "count?", http.StatusBadRequest)
			return
		}
		body := make([]byte, count)
		for index := range body {
			body[index] = byte(index % 251)
		}
		w.Header().Set("Content-Length", strconv.Itoa(count))
		_, _ = w.Write(body)
	})
	return mux
}

func main() {
	ca := flag.String("ca", "", "where to write the certificate (PEM)")
	lifetime := flag.Duration("lifetime", 5*time.Minute, "longest time to run")
	flag.Parse()

	certificate := makeCertificate()
	block := &pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]}
	if err := os.WriteFile(*ca, pem.EncodeToMemory(block), 0o600); err != nil {
		fail(err)
	}
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		fail(err)
	}
	server := &http3.Server{
		Handler:   routes(),
		TLSConfig: http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{certificate}}),
	}
	time.AfterFunc(*lifetime, func() { os.Exit(1) })
	fmt.Printf("{\"event\":\"ready\",\"port\":%d}\n", socket.LocalAddr().(*net.UDPAddr).Port)
	fail(server.Serve(socket))
}

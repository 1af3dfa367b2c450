// A fixed Ed25519 certificate for simulated servers, valid until 2126. Ed25519 because its signatures are
// deterministic: an ECDSA one differs in bytes and length from run to run, and a replayed seed would not match.

export const SIM_SERVER_NAME = 'server.test'

export const SIM_KEY = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAFobxJBH8oTolDKAdn7eB+XHnz1Dtt1lPghwdczvWns
-----END PRIVATE KEY-----
`

export const SIM_CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBXjCCARCgAwIBAgIUIMbq3GE6HwFtop747yy7hJCxrEcwBQYDK2VwMBYxFDAS
BgNVBAMMC3NlcnZlci50ZXN0MCAXDTI2MTEyMjEwMjcyOVoYDzIxMjYxMDI5MTAy
NzI5WjAWMRQwEgYDVQQDDAtzZXJ2ZXIudGVzdDAqMAUGAytlcAMhAApQ2TNc9wyY
mNBwRMYUPS/vrIyp4H+4RI/Zip72sa+Vo24wbDAdBgNVHQ4EFgQUdY3JKjE08rY3
IXsVUW3Zm4PFgoIwHwYDVR0jBBgwFoAUdY3JKjE08rY3IXsVUW3Zm4PFgoIwHAYD
VR0RBBUwE4ILc2VydmVyLnRlc3SHBAoAAAEwDAYDVR0TAQH/BAIwADAFBgMrZXAD
QQDbEWf972N/bMCcDqYWqa9/hgEFrhV3ke2QkQhbKLSnyri5v/oqAONknlU6WzvE
v33QUxPzTwkWwF1W6GOM/PcF
-----END CERTIFICATE-----
`

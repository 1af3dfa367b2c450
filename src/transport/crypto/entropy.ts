// The source of randomness as the deterministic part of the transport sees it. transport/io implements it
// with the system's generator, the simulator with a seeded one. Called by key exchange, TLS and connections.

/** Where random bytes come from. `fill` overwrites every byte of the array that it is given. */
export type Entropy = { fill(bytes: Uint8Array): void }

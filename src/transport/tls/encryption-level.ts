// The levels at which handshake bytes travel and keys are installed, RFC 9001 section 4.1.4. The numbers equal
// the packet number spaces of RFC 9000 section 12.3, so that the connection can use them as indexes.

export const EncryptionLevel = { initial: 0, handshake: 1, application: 2 } as const

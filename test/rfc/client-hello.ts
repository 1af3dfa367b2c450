// Cuts and renames extensions of an encoded ClientHello (RFC 8446 section 4.1.2), for tests of what must be there.

const uint16 = (bytes: Uint8Array, at: number): number => (bytes[at] << 8) | bytes[at + 1]

/** Offset of the extension block's length field: after version, random, session ID, suites and compression. */
function extensionsAt(hello: Uint8Array): number {
  let at = 4 + 2 + 32
  at += 1 + hello[at]
  at += 2 + uint16(hello, at)
  return at + 1 + hello[at]
}

/** Calls `change` for the extension of this type; what it returns takes its place. */
function rewriteExtension(
  hello: Uint8Array,
  type: number,
  change: (extension: Uint8Array) => Uint8Array,
): Uint8Array {
  const blockAt = extensionsAt(hello)
  const parts: Uint8Array[] = []
  for (let at = blockAt + 2; at < hello.length; ) {
    const end = at + 4 + uint16(hello, at + 2)
    const extension = hello.subarray(at, end)
    parts.push(uint16(hello, at) === type ? change(extension) : extension)
    at = end
  }
  const block = Buffer.concat(parts)
  const changed = Buffer.concat([hello.subarray(0, blockAt), new Uint8Array(2), block])
  changed.writeUInt16BE(block.length, blockAt)
  changed.writeUIntBE(changed.length - 4, 1, 3)
  return changed
}

export function withoutExtension(hello: Uint8Array, type: number): Uint8Array {
  return rewriteExtension(hello, type, () => new Uint8Array(0))
}

export function withExtensionType(hello: Uint8Array, type: number, newType: number): Uint8Array {
  return rewriteExtension(hello, type, (extension) => {
    const renamed = new Uint8Array(extension)
    renamed[0] = newType >>> 8
    renamed[1] = newType
    return renamed
  })
}

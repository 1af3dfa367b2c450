import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { generatedPath, generateWasmModule, wasmSources } from '../../../../scripts/build-wasm.ts'
import { instantiate } from '../../../../src/transport/crypto/wasm-instance.ts'

describe('the committed WebAssembly modules', () => {
  it('are all there', () => {
    expect(wasmSources()).toEqual(['aes-block', 'chacha20-poly1305'])
  })

  it.each(wasmSources())('%s is what its source assembles to', async (name) => {
    expect(readFileSync(generatedPath(name), 'utf8')).toBe(await generateWasmModule(name))
  })

  it('an engine without the needed features is reported by a throw', () => {
    const truncated = Buffer.from('0061736d0100', 'hex')
    expect(() => instantiate(truncated.toString('base64'))).toThrow()
  })
})

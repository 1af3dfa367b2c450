// The client's store of tokens for later connections, RFC 9000 section 8.1.3.
import { expect, it } from 'vitest'
import { MAX_TOKEN_SERVERS, MAX_TOKENS_PER_SERVER } from '../../../src/client/limits.ts'
import { TokenStore } from '../../../src/client/token-store.ts'

it('gives each token once, the newest first, to its own server only', () => {
  const store = new TokenStore()
  store.put('a:443', Uint8Array.of(1))
  store.put('a:443', Uint8Array.of(2))
  expect(store.take('a:444')).toBeUndefined()
  expect(store.take('a:443')).toEqual(Uint8Array.of(2))
  expect(store.take('a:443')).toEqual(Uint8Array.of(1))
  expect(store.take('a:443')).toBeUndefined()
  expect(store.size).toBe(0)
})

it('keeps a bounded number per server and of servers', () => {
  const store = new TokenStore()
  for (let i = 0; i < 100; i++) store.put('a:443', Uint8Array.of(i))
  expect(store.size).toBe(MAX_TOKENS_PER_SERVER)
  for (let i = 0; i < 2 * MAX_TOKEN_SERVERS; i++) store.put(`b${i}:443`, Uint8Array.of(1))
  expect(store.size).toBe(MAX_TOKEN_SERVERS)
  expect(store.take('a:443')).toBeUndefined()
  expect(store.take(`b${2 * MAX_TOKEN_SERVERS - 1}:443`)).toBeDefined()
})

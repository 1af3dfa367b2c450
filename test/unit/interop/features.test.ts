// The table of the interoperability run.
import { expect, it } from 'vitest'
import { Matrix } from '../../interop/features.ts'

it('has a column for each peer, and says pass, FAIL or why not', () => {
  const matrix = new Matrix()
  matrix.note('ngtcp2', 'requests', undefined)
  matrix.note('ngtcp2', 'requests', undefined)
  matrix.note('quic-go', 'requests', undefined)
  matrix.note('quic-go', 'requests', 'status 500')
  matrix.cannot('quic-go', 'preferred', 'it stays')
  matrix.cannot('ngtcp2', 'preferred', 'it stays')
  matrix.cannot('ngtcp2', 'retry', 'another reason')
  const lines = String(matrix).split('\n')
  expect(lines[0]).toMatch(/^ +ngtcp2 +quic-go *$/)
  expect(lines.find((line) => line.startsWith('requests'))).toMatch(/pass +FAIL/)
  expect(lines.find((line) => line.startsWith('preferred'))).toMatch(/\((\d)\) +\(\1\)/)
  expect(lines.filter((line) => /^\(\d\) /.test(line)).map((line) => line.slice(4))).toEqual([
    'another reason',
    'it stays',
  ])
})

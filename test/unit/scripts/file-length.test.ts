/** The file-length check: 400 lines in src and inspector. */
import { describe, expect, it } from 'vitest'
import { checkFileLength, countLines, MAX_FILE_LINES } from '../../../scripts/check/file-length.ts'

describe('file length', () => {
  it('accepts 400 lines and reports 401', () => {
    const lines = 'x\n'.repeat(MAX_FILE_LINES)
    expect(checkFileLength('src/a.ts', lines)).toEqual([])
    expect(checkFileLength('src/a.ts', `${lines}x`)).toHaveLength(1)
    expect(checkFileLength('inspector/a.ts', `${lines}x\n`)).toHaveLength(1)
  })

  it('leaves other folders alone', () => {
    expect(checkFileLength('test/a.ts', 'x\n'.repeat(MAX_FILE_LINES + 1))).toEqual([])
  })

  it('counts a last line without a line break', () => {
    expect([countLines(''), countLines('a'), countLines('a\n'), countLines('a\nb')]).toEqual([0, 1, 1, 2])
  })
})

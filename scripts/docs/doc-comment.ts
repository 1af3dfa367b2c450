/**
 * Reads documentation comments: the text, and what is said of parameters, result and errors.
 * Used by the generator of the API reference and by the check that nothing public is without one.
 */

/** One documentation comment in parts; every text is a paragraph without line breaks, or several. */
export interface DocComment {
  readonly text: string
  readonly parameters: readonly { readonly name: string; readonly text: string }[]
  readonly returns: string | undefined
  readonly throws: readonly string[]
}

/** @param comment what stands between the delimiters of a block comment that began with two stars */
export function parseDocComment(comment: string): DocComment {
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
  // A tag begins a line, or follows a full stop; what is between belongs to the tag before.
  const [text = '', ...tags] = lines
    .join('\n')
    .split(/(?:^|\n|(?<=[.;)] ))\s*(?=@(?:param|returns|throws|source)\b)/)
  const parameters: { name: string; text: string }[] = []
  const throws: string[] = []
  let returns: string | undefined
  for (const tag of tags) {
    const [, kind, rest = ''] = /^@(\w+)\s*([\s\S]*)$/.exec(tag) ?? []
    const said = paragraphs(rest)
    if (kind === 'returns') returns = said
    else if (kind === 'throws') throws.push(said)
    else if (kind === 'param') {
      const [, name = '', about = ''] = /^(\S+)\s*([\s\S]*)$/.exec(said) ?? []
      parameters.push({ name, text: about })
    }
  }
  return { text: paragraphs(text), parameters, returns, throws }
}

function paragraphs(text: string): string {
  return text
    .trim()
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.replaceAll(/\s*\n\s*/g, ' ').replaceAll(/\{@link (\w+)\}/g, '`$1`'))
    .join('\n\n')
}

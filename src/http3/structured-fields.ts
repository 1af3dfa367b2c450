// A strict parser of structured field values, RFC 8941 section 4.2 (errata and date of RFC 9651 aside): dictionaries,
// lists and items with their parameters. Used by priorities.ts; nothing in here knows what a field means.

/** A value without parameters. Integers and decimals are told apart: "1.0" is not an integer (section 3.3). */
export type BareItem =
  | { readonly type: 'integer' | 'decimal'; readonly value: number }
  | { readonly type: 'string' | 'token'; readonly value: string }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'bytes'; readonly value: Uint8Array }

/** Parameters of an item, a list or a member; of a repeated key the last value counts, at the first one's place. */
export type Parameters = ReadonlyMap<string, BareItem>

/** An item and its parameters. */
export interface Item {
  readonly item: BareItem
  readonly parameters: Parameters
}

/** A list in parentheses, and its parameters. */
export interface InnerList {
  readonly items: readonly Item[]
  readonly parameters: Parameters
}

/** What a list holds and a dictionary maps to. */
export type Member = Item | InnerList

/** The text is no structured field of the expected kind; the field is to be ignored (RFC 8941 section 4.2). */
export class StructuredFieldError extends Error {
  override readonly name = 'StructuredFieldError'
}

// Sticky expressions: each matches at the position of the parser or not at all.
const SPACES = / */y
const OPTIONAL_WHITESPACE = /[ \t]*/y
const KEY = /[a-z*][a-z0-9_.*-]*/y
const TOKEN = /[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*/y
const NUMBER = /-?([0-9]+)(?:\.([0-9]*))?/y
const STRING = /"((?:[ !#-[\]-~]|\\["\\])*)"/y
const BYTES = /:([A-Za-z0-9+/]*={0,2}):/y
const BOOLEAN = /\?([01])/y

/** RFC 8941 section 3.3.1 and 3.3.2: digits before the point, of an integer and of a decimal, and behind it. */
const INTEGER_DIGITS = 15
const DECIMAL_INTEGER_DIGITS = 12
const FRACTION_DIGITS = 3

const TRUE: BareItem = { type: 'boolean', value: true }
const FALSE: BareItem = { type: 'boolean', value: false }
const NO_PARAMETERS: Parameters = new Map()

class FieldParser {
  readonly #text: string
  #offset = 0

  constructor(text: string) {
    this.#text = text
  }

  /** Runs `parse` over the whole text (section 4.2: spaces at both ends, nothing else left). */
  whole<Result>(parse: () => Result): Result {
    this.#match(SPACES)
    const result = parse()
    this.#match(SPACES)
    if (!this.#isAtEnd) this.#fail('something is left')
    return result
  }

  // RFC 8941 section 4.2.2
  dictionary = (): Map<string, Member> => {
    const members = new Map<string, Member>()
    this.#commaSeparated(() => {
      const key = this.#key()
      members.set(key, this.#take('=') ? this.#member() : { item: TRUE, parameters: this.#parameters() })
    })
    return members
  }

  // RFC 8941 section 4.2.1
  list = (): Member[] => {
    const members: Member[] = []
    this.#commaSeparated(() => members.push(this.#member()))
    return members
  }

  // RFC 8941 section 4.2.3
  item = (): Item => ({ item: this.#bareItem(), parameters: this.#parameters() })

  #commaSeparated(parseMember: () => void): void {
    while (!this.#isAtEnd) {
      parseMember()
      this.#match(OPTIONAL_WHITESPACE)
      if (this.#isAtEnd) return
      if (!this.#take(',')) this.#fail('a comma is missing')
      this.#match(OPTIONAL_WHITESPACE)
      if (this.#isAtEnd) this.#fail('a comma at the end')
    }
  }

  #member(): Member {
    return this.#take('(') ? this.#innerList() : this.item()
  }

  // RFC 8941 section 4.2.1.2
  #innerList(): InnerList {
    const items: Item[] = []
    for (;;) {
      const spaces = this.#match(SPACES)![0].length
      if (this.#take(')')) return { items, parameters: this.#parameters() }
      if (items.length > 0 && spaces === 0) this.#fail('items of a list without a space')
      items.push(this.item())
    }
  }

  // RFC 8941 section 4.2.3.2
  #parameters(): Parameters {
    if (!this.#take(';')) return NO_PARAMETERS
    const parameters = new Map<string, BareItem>()
    do {
      this.#match(SPACES)
      const key = this.#key()
      parameters.set(key, this.#take('=') ? this.#bareItem() : TRUE)
    } while (this.#take(';'))
    return parameters
  }

  #key(): string {
    return this.#match(KEY)?.[0] ?? this.#fail('no key')
  }

  // RFC 8941 section 4.2.3.1: the first character tells the type.
  #bareItem(): BareItem {
    const first = this.#text.charAt(this.#offset)
    if (first === '"') return this.#string()
    if (first === ':') return this.#bytes()
    if (first === '?') return this.#required(BOOLEAN)[1] === '1' ? TRUE : FALSE
    if (/[-0-9]/.test(first)) return this.#number()
    return { type: 'token', value: this.#required(TOKEN)[0] }
  }

  #number(): BareItem {
    const [text, integer, fraction] = this.#required(NUMBER)
    if (fraction === undefined) {
      if (integer!.length > INTEGER_DIGITS) this.#fail('an integer of too many digits')
      // There is no negative zero here.
      return { type: 'integer', value: Number(text) + 0 }
    }
    const isDecimal =
      integer!.length <= DECIMAL_INTEGER_DIGITS && fraction.length > 0 && fraction.length <= FRACTION_DIGITS
    if (!isDecimal) this.#fail('no decimal number')
    return { type: 'decimal', value: Number(text) + 0 }
  }

  #string(): BareItem {
    return { type: 'string', value: this.#required(STRING)[1]!.replace(/\\(.)/g, '$1') }
  }

  // RFC 8941 section 4.2.7: missing padding is made up for, and padding bits that are not zero are let pass.
  #bytes(): BareItem {
    return { type: 'bytes', value: new Uint8Array(Buffer.from(this.#required(BYTES)[1]!, 'base64')) }
  }

  #required(pattern: RegExp): RegExpExecArray {
    return this.#match(pattern) ?? this.#fail('no value')
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#offset
    const match = pattern.exec(this.#text)
    if (match !== null) this.#offset += match[0].length
    return match
  }

  #take(character: string): boolean {
    if (this.#text.charAt(this.#offset) !== character) return false
    this.#offset++
    return true
  }

  get #isAtEnd(): boolean {
    return this.#offset >= this.#text.length
  }

  #fail(what: string): never {
    throw new StructuredFieldError(`${what} at ${this.#offset} of a structured field`)
  }
}

/**
 * Parses a dictionary; several field lines of one name are to be joined with ", " first.
 * @throws StructuredFieldError
 */
export function parseDictionary(text: string): ReadonlyMap<string, Member> {
  const parser = new FieldParser(text)
  return parser.whole(parser.dictionary)
}

/**
 * Parses a list.
 * @throws StructuredFieldError
 */
export function parseList(text: string): readonly Member[] {
  const parser = new FieldParser(text)
  return parser.whole(parser.list)
}

/**
 * Parses a single item.
 * @throws StructuredFieldError
 */
export function parseItem(text: string): Item {
  const parser = new FieldParser(text)
  return parser.whole(parser.item)
}

// The latest few of something that should never happen, oldest first. Used for missed transitions and for broken
// invariants: there may be one per packet, and only so many are kept.

export class LatestRing<Item> {
  readonly #limit: number
  readonly #items: Item[] = []
  #next = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  push(item: Item): void {
    if (this.#items.length < this.#limit) this.#items.push(item)
    else this.#items[this.#next] = item
    this.#next = (this.#next + 1) % this.#limit
  }

  list(): readonly Item[] {
    if (this.#items.length < this.#limit) return this.#items.slice()
    return [...this.#items.slice(this.#next), ...this.#items.slice(0, this.#next)]
  }
}

// Whether what a connection stands on (sockets, timers) keeps the Node.js process alive. Connections of connect() do;
// those that an HttpClient keeps for later do only while something is asked of them. Made by connect.ts.

/** What Node.js counts: sockets and timers. */
export interface Countable {
  ref(): unknown
  unref(): unknown
}

export class Liveness {
  readonly #members = new Set<Countable>()
  #isRef = true

  get isRef(): boolean {
    return this.#isRef
  }

  /** Takes one more into account, from now on and for later changes. */
  add<T extends Countable>(member: T): T {
    this.#members.add(member)
    if (!this.#isRef) member.unref()
    return member
  }

  delete(member: Countable): void {
    this.#members.delete(member)
  }

  set(isRef: boolean): void {
    if (this.#isRef === isRef) return
    this.#isRef = isRef
    for (const member of this.#members) {
      if (isRef) member.ref()
      else member.unref()
    }
  }
}

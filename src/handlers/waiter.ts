// One wait of a handler for its stream: for data to read, or for room to write. Used by the exchanges.
import { quietly } from './exchange.ts'

export class Waiter<T> {
  readonly promise: Promise<T>
  resolve!: (value: T) => void
  reject!: (reason: Error) => void

  constructor() {
    this.promise = quietly(
      new Promise<T>((resolve, reject) => {
        this.resolve = resolve
        this.reject = reject
      }),
    )
  }
}

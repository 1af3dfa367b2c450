// A job that takes minutes and survives a restart: its machine is stored after each step, and the next request for the
// same path goes on where it was. Stop the server in the middle, start it again, ask again.
import { DatabaseSync } from 'node:sqlite'
import { machineService, sendChunk, serve, serviceTypes } from 'quactor'
import { assign, fromPromise, type Snapshot, setup } from 'xstate'

const database = new DatabaseSync(process.env.DATABASE ?? 'jobs.sqlite')
database.exec('create table if not exists jobs (path text primary key, snapshot text)')
const find = database.prepare('select snapshot from jobs where path = ?')
const store = database.prepare('insert or replace into jobs values (?, ?)')
const STEPS = Number(process.env.STEPS ?? 20)

const job = setup({
  types: { ...serviceTypes, context: {} as { step: number } },
  actors: { work: fromPromise(() => new Promise<void>((done) => setTimeout(done, 200))) },
}).createMachine({
  id: 'job',
  context: { step: 0 },
  initial: 'working',
  states: {
    working: {
      invoke: {
        src: 'work',
        onDone: [
          { guard: ({ context }) => context.step + 1 === STEPS, target: 'done' },
          {
            target: 'working',
            reenter: true,
            actions: [
              assign({ step: ({ context }) => context.step + 1 }),
              sendChunk(({ context }) => `step ${context.step}\n`),
            ],
          },
        ],
      },
    },
    done: { type: 'final' },
  },
  output: 'done\n',
})

const server = await serve({
  port: Number(process.env.PORT ?? 4433),
  handler: machineService(job, {
    restore: ({ request }) => {
      const row = find.get(new URL(request.url).pathname)
      return row === undefined ? undefined : (JSON.parse(String(row.snapshot)) as Snapshot<unknown>)
    },
    persist: (snapshot, { request }) => {
      store.run(new URL(request.url).pathname, JSON.stringify(snapshot))
    },
  }),
})
console.log(`ready ${server.url}`)

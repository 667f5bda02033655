/**
 * A worker of the race: acquires the lease once a round, changes the register under it, and leaves. Killed and
 * restarted, it continues with its correlation id, or with a new one if the old one ended.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { Configuration } from "@signalbox/core/config"
import { type CommandOutcome, Signalbox, type CommandExecution } from "@signalbox/core/engine"
import { CorrelationId, LeaseStore, Providers } from "@signalbox/core/spi"
import { embeddedStore, ProcessLiveness } from "@signalbox/node"
import { chance } from "../chaos/chance.ts"
import { idOf, type Note, note, notesOf, type Terms } from "./notes.ts"
import { deploymentId, environment, lockKey, organization, project } from "./place.ts"
import { Register, type Word } from "./Register.ts"

const ended = (code: number, reason?: string): CommandOutcome => ({
  code,
  signal: null,
  asked: false,
  ...(reason === undefined ? {} : { reason })
})

/** Changes the register while it may, asking before each change as `signalbox lease check` does. */
const changing = (id: string, register: Register, pause: number): Effect.Effect<CommandExecution, never, LeaseStore> =>
  Effect.map(LeaseStore, (leases): CommandExecution => ({ deadlines }) => {
    const work = Effect.gen(function* () {
      const lock = yield* leases.get(lockKey)
      if (lock?.holder !== id) return ended(3, "another worker holds the lease")
      const words: ReadonlyArray<Word> = ["begin", "work", "work", "end"]
      for (const word of words) {
        yield* leases.check(lock)
        if (!register.enter({ execution: id, fence: lock.fence, word, at: Date.now() })) return ended(4, "refused")
        if (word !== "end") yield* Effect.sleep(pause)
      }
      return ended(0)
    }).pipe(Effect.catchTag(["LeaseLost", "StoreError"], ({ _tag }) => Effect.succeed(ended(5, _tag))))
    const lost = deadlines.pipe(
      Stream.takeUntil((deadline) => deadline === 0),
      Stream.runDrain,
      Effect.as(ended(5, "LeaseLost"))
    )
    return Effect.raceFirst(work, lost)
  })

/** Reports when this process did not get to run for a good part of a lease's lifetime. */
const watchStalls = (ttl: number, say: (note: Note) => void): void => {
  let last = Date.now()
  setInterval(() => {
    const at = Date.now()
    if (at - last > ttl / 5) say({ _tag: "Stalled", since: last, at })
    last = at
  }, ttl / 20).unref()
}

interface Claim {
  readonly key: string
  readonly holder: string
  readonly fence: number
  readonly expires_at: number
}

/**
 * Reports when its position was not held although it waits: others may pass it then. It uses its own connection, since
 * the other one may be waiting to write, and the claim may be back when it has.
 */
const watchClaim = (folder: string, ttl: number, current: () => string, say: (note: Note) => void): void => {
  const database = new DatabaseSync(join(folder, "signalbox.db"), { readOnly: true, timeout: 5_000 })
  const find = database.prepare("SELECT key, holder, fence, expires_at FROM signalbox_leases WHERE key = ?")
  let last: Claim | undefined
  setInterval(() => {
    const claim = find.get(`execution/${current()}`) as Claim | undefined
    const at = Date.now()
    // A returned claim ends at 0. Another claim in its place: the old one was over.
    const another = claim?.key === last?.key && claim?.fence !== last?.fence && last?.holder !== "coming"
    if (claim !== undefined && claim.expires_at > 0 && claim.expires_at <= at) {
      say({ _tag: "Lapsed", since: claim.expires_at, at })
    } else if (another && last !== undefined && last.expires_at > 0) {
      say({ _tag: "Lapsed", since: Math.min(last.expires_at, at), at })
    }
    last = claim
  }, ttl / 20).unref()
}

const race = Effect.fnUntraced(function* (folder: string, worker: number, terms: Terms) {
  const box = yield* Signalbox
  const register = new Register(join(folder, "register.db"))
  const say = (said: Note) => note(folder, worker, said)
  const before = notesOf(folder, worker)
  say({ _tag: "Up", at: Date.now() })
  watchStalls(terms.ttl, say)
  const bare = Configuration.bare({ organization, project, environment, stacks: [] })
  const manifest = { ...bare, leaseTtl: Duration.millis(terms.ttl) }
  yield* box.deployments.ensure({ manifest, by: "race", deploymentId })

  let waits = ""
  watchClaim(folder, terms.ttl, () => waits, say)

  let attempt = before.filter(({ _tag }) => _tag === "Asked").length
  let open = before.findLast((said) => said._tag === "Asked" || said._tag === "Ended")
  const done = before.filter((said) => said._tag === "Ended" && said.status === "completed").length
  for (let round = done; round < terms.rounds;) {
    const joined = open?._tag === "Asked"
    const id = CorrelationId.make(open?._tag === "Asked" ? open.id : idOf(worker, round, attempt++))
    waits = id
    if (!joined) say({ _tag: "Asked", at: Date.now(), id, round })
    // Most hold it for a moment, some for longer than a third of its time, so that it has to be renewed.
    const drawn = chance(terms.seed, id)
    const pause = drawn.yes(0.01) ? terms.ttl / 4 : drawn.next() * terms.work
    const outcome = yield* box.executions
      .submit({
        kind: "run",
        queue: "fifo",
        correlationId: id,
        deploymentId,
        environment,
        manifest,
        by: id,
        stacks: []
      })
      .pipe(
        Effect.andThen(changing(id, register, pause)),
        Effect.flatMap((command) => box.executions.run(id, command)),
        Effect.map((state) => ({ state })),
        Effect.catch((error) => Effect.succeed({ error }))
      )
    if ("error" in outcome) {
      const { error } = outcome
      const code = error._tag === "Rejected" ? error.code : error._tag === "StoreError" ? error.reason : ""
      say({ _tag: "Failed", at: Date.now(), id, error: `${error._tag} ${code}` })
      open = { _tag: "Asked", at: 0, id, round }
      yield* Effect.sleep(50)
      continue
    }
    const { error, status } = outcome.state
    open = { _tag: "Ended", at: Date.now(), id, round, status, code: error?.code ?? null }
    say(open)
    if (status === "completed") round++
  }
  register.close()
})

const main = async (): Promise<void> => {
  const [folder = "", number = ""] = process.argv.slice(2)
  const terms = JSON.parse(readFileSync(join(folder, "terms.json"), "utf8")) as Terms
  const layer = Signalbox.layer.pipe(
    Layer.provideMerge(embeddedStore({ directory: folder })),
    Layer.provideMerge(Providers.layer([])),
    Layer.provideMerge(ProcessLiveness.layer)
  )
  await Effect.runPromise(Effect.provide(race(folder, Number(number), terms), layer))
}

void main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`)
  process.exitCode = 1
})

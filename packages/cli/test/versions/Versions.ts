/** Processes of two generations work on one Postgres; in the end nothing is corrupt and nothing is erased. */
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DeploymentStore, Execution } from "@signalbox/core/spi"
import { Generation } from "@signalbox/core/store"
import { postgresStore } from "@signalbox/node"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { startPostgres } from "../../../node/test/support/postgres.ts"
import { newerBuild, olderBuild, packedCommand, workerOf } from "./builds.ts"
import { use } from "./commands.ts"
import type { Done } from "./Done.ts"

export interface Report {
  readonly workers: Readonly<Record<string, Done>>
  readonly executions: number
  readonly events: number
  readonly problems: ReadonlyArray<string>
}

const work = (worker: string, args: ReadonlyArray<string>): Promise<Done> =>
  new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", "--conditions=@signalbox/source", worker, ...args],
      { stdio: ["ignore", "pipe", "pipe"] }
    )
    let output = ""
    let errors = ""
    child.stdout.on("data", (data) => (output += String(data)))
    child.stderr.on("data", (data) => (errors += String(data)))
    child.once("exit", (code) => {
      const line = output.split("\n").findLast((one) => one.startsWith("{"))
      if (code === 0 && line !== undefined) resolve(JSON.parse(line) as Done)
      else reject(new Error(`${args[1]} ended with ${code}: ${errors}${output}`))
    })
  })

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null))

/** Compares every state with the fold of its events, and looks for what only the newer build writes. */
const judge = (workers: Readonly<Record<string, Done>>) =>
  Effect.gen(function* () {
    const store = yield* DeploymentStore
    const problems: Array<string> = []
    const found = new Map<string, Execution.ExecutionState>()
    let cursor: string | undefined
    do {
      const page = yield* store.executions({ limit: 1_000, ...(cursor === undefined ? {} : { cursor }) })
      for (const state of page.items) found.set(state.correlationId, state)
      cursor = page.next
    } while (cursor !== undefined)
    let total = 0
    for (const [id, state] of found) {
      const events = yield* store.events({ stream: id, limit: 10_000 })
      total += events.length
      if (events.some(({ seq }, index) => seq !== index + 1)) problems.push(`${id}: its events have a gap`)
      let folded: Execution.ExecutionState | undefined
      for (const { at, event } of events) {
        if (event._tag === "Unknown") problems.push(`${id}: ${event.tag} is unknown to the newest version`)
        folded = Result.getOrElse(Execution.evolve(folded, at, event), () => undefined)
        if (folded === undefined) break
      }
      if (JSON.stringify(sorted(plain(folded))) !== JSON.stringify(sorted(plain(state)))) {
        problems.push(`${id}: its state is not the fold of its events`)
      }
      if (id.startsWith("newer") && state.origin === undefined) problems.push(`${id}: its origin was erased`)
    }
    for (const [name, { completed, failures }] of Object.entries(workers)) {
      for (const id of completed) {
        if (found.get(id)?.status !== "completed") problems.push(`${id} completed, and the store does not say so`)
      }
      for (const failure of Object.keys(failures)) {
        // An older runner stops where a newer process has changed the state of its execution.
        if (name.startsWith("newer") || !stopped.has(failure))
          problems.push(`${name}: ${failure} (${failures[failure]} times)`)
      }
    }
    return { executions: found.size, events: total, problems }
  })

const sorted = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(sorted)
    : typeof value === "object" && value !== null
      ? Object.fromEntries(
          Object.entries(value)
            .toSorted(([left], [right]) => (left < right ? -1 : 1))
            .map(([key, one]) => [key, sorted(one)])
        )
      : value

/** How an older runner says so: as a program, and as a command. */
const stopped: ReadonlySet<string> = new Set(["StoreError NewerWriter", "newer_writer"])

/** Processes of two builds, on one store. */
type Start = (build: { readonly name: string; readonly folder: string; readonly url: string }) => Promise<Done>

interface Kind {
  /** How many of each build. */
  readonly each: number
  /** Prepares a build, and returns how one of its processes is started. */
  readonly prepare: (build: string) => Start
}

const compete = async ({ each, prepare }: Kind): Promise<Report | undefined> => {
  const postgres = await startPostgres()
  if (postgres === undefined) return undefined
  const folder = mkdtempSync(join(tmpdir(), "signalbox-versions-"))
  try {
    const url = postgres.database()
    const builds = [
      ["older", prepare(olderBuild(join(folder, "older")))],
      ["newer", prepare(newerBuild(join(folder, "newer")))]
    ] as const
    const running = builds.flatMap(([build, start]) =>
      Array.from({ length: each }, async (_, n): Promise<readonly [string, Done]> => {
        const name = `${build}-${n + 1}`
        return [name, await start({ name, folder, url })]
      })
    )
    const workers = Object.fromEntries(await Promise.all(running))
    const judged = await Effect.runPromise(
      judge(workers).pipe(
        Effect.provide(postgresStore({ url: Redacted.make(url) })),
        Effect.provideService(Generation, 2)
      )
    )
    return { workers, ...judged }
  } finally {
    await postgres.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Programs of two builds for so many seconds. Undefined where no Postgres is installed. */
export const versions = (seconds: number): Promise<Report | undefined> =>
  compete({
    each: 1,
    prepare: (build) => {
      const worker = workerOf(build)
      return ({ name, url }) => work(worker, [url, name, `${seconds}`])
    }
  })

/** The same with packed and installed commands, two of each build. */
export const packedVersions = (seconds: number): Promise<Report | undefined> => {
  let until: number | undefined
  return compete({
    each: 2,
    prepare: (build) => {
      const program = packedCommand(build)
      return (user) => {
        // Building takes longer than a short run.
        until ??= Date.now() + seconds * 1_000
        return use({ ...user, program, until })
      }
    }
  })
}

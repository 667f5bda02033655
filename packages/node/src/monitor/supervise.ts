/**
 * A process that is restarted when it dies.
 */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import { type ChildProcess, spawn } from "node:child_process"
import { createInterface } from "node:readline"
import type { DescribedError } from "@signalbox/core/text"

/**
 * It died too often.
 *
 * *Details*: `last` describes how it died the last time, `death` is the raw data.
 *
 * *Errors*: not retryable: it fails each time with `last`.
 */
export class KeepsDying extends Data.TaggedError("KeepsDying")<{
  readonly deaths: number
  readonly withinMs: number
  readonly last: string
  readonly death: Death
}> {
  override get message(): string {
    return `it died ${this.deaths} times within ${Duration.format(Duration.millis(this.withinMs))}, the last time ${this.last}`
  }
}

/** One start: how many there were before, and how long there was no watcher before it. */
export interface Start {
  readonly restarts: number
  readonly gapMs: number | undefined
}

/** How a process ended. `errors` is the end of its stderr. */
export interface Death {
  readonly code: number | null
  readonly signal: string | null
  readonly errors: string
}

/**
 * What to supervise.
 *
 * *Details*: the process writes messages on stdout, one line of JSON each; the first says that it works. It ends when
 * its stdin does. `isFinal` distinguishes an intended end from one that a restart should fix. `isOutage` recognises a
 * death with an external cause, such as an unavailable store: once it has worked, those do not count.
 */
export interface Supervised {
  readonly command: ReadonlyArray<string>
  readonly args: (start: Start) => ReadonlyArray<string>
  readonly maxRestarts: number
  readonly withinMs?: number
  readonly onMessage: (message: unknown) => Effect.Effect<void>
  readonly onRestart: (death: Death, start: Start) => Effect.Effect<void>
  readonly isFinal: (death: Death) => boolean
  readonly isOutage?: (death: Death) => boolean
}

type Item = { readonly message: unknown } | { readonly death: Death }

const patience = 5_000
const shortest = 200
const longest = 2_000

const ReportedError = Schema.Struct({
  code: Schema.String,
  message: Schema.String,
  hint: Schema.optionalKey(Schema.String),
  path: Schema.optionalKey(Schema.String)
})

const decodeError = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Struct({ error: ReportedError })))

const parse = (line: string): ReadonlyArray<Item> => {
  try {
    return [{ message: JSON.parse(line) }]
  } catch {
    // Truncated in the middle: the next process repeats it.
    return []
  }
}

const begin = (command: ReadonlyArray<string>, args: ReadonlyArray<string>, queue: Queue.Queue<Item>): ChildProcess => {
  const [program = process.execPath, ...first] = command
  // Its own group: Ctrl-C goes to the supervisor, which then tells it.
  const child = spawn(program, [...first, ...args], { detached: true, stdio: ["pipe", "pipe", "pipe"] })
  let errors = ""
  let over = false
  const end = (death: Omit<Death, "errors">) => {
    if (!over) Queue.offerUnsafe(queue, { death: { ...death, errors } })
    over = true
  }
  child.stdin!.on("error", () => undefined)
  child.stderr!.on("data", (data: Buffer) => (errors = (errors + data.toString("utf8")).slice(-8_192)))
  const lines = createInterface({ input: child.stdout! })
  lines.on("line", (line) => {
    for (const item of parse(line)) Queue.offerUnsafe(queue, item)
  })
  child.on("error", (error) => {
    errors += error.message
    end({ code: 1, signal: null })
  })
  child.on("close", (code, signal) => end({ code, signal }))
  return child
}

/** Asks it to end, and forces it if it does not. */
const stop = (child: ChildProcess): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return Effect.void
    const gone = Effect.callback<void>((resume) => {
      child.once("close", () => resume(Effect.void))
      child.stdin!.end()
      child.kill("SIGTERM")
    })
    return Effect.timeoutOrElse(gone, {
      duration: patience,
      orElse: () => Effect.sync(() => void child.kill("SIGKILL"))
    })
  })

/**
 * The error that a process ended with, if it printed one as JSON: `{"error": {"code", "message", "hint"}}` on a line of
 * stderr.
 */
export const errorOf = ({ errors }: Death): DescribedError | undefined => {
  for (const line of errors.split("\n").toReversed()) {
    const told = decodeError(line)
    if (Option.isSome(told)) return told.value.error as DescribedError
  }
  return undefined
}

/** How a process ended, in words. */
export const deathOf = (death: Death): string => {
  const { code, errors, signal } = death
  const [first] = errors.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("signalbox: stopping"))
  const said = errorOf(death)?.message ?? first
  return `${signal === null ? `with code ${code ?? "?"}` : `by ${signal}`}${said === undefined ? "" : `: ${said}`}`
}

/**
 * Runs a process until it ends as intended, restarting it when it dies; returns how it ended. Interrupting it ends the
 * process within 5 seconds.
 *
 * *Errors*: `KeepsDying` after more than `maxRestarts` deaths within `withinMs` (default 10 minutes).
 */
export const supervise = Effect.fnUntraced(function* (options: Supervised): Effect.fn.Return<Death, KeepsDying> {
  const { isOutage = () => false, withinMs = 600_000 } = options
  let hasWorked = false
  const deaths: Array<number> = []
  let aliveAt: number | undefined
  let pause = shortest
  for (let restarts = 0; ; restarts++) {
    const death = yield* Effect.scoped(
      Effect.gen(function* () {
        const queue = yield* Queue.unbounded<Item>()
        const gapMs = restarts === 0 || aliveAt === undefined ? undefined : performance.now() - aliveAt
        const start = { restarts, gapMs }
        yield* Effect.acquireRelease(
          Effect.sync(() => begin(options.command, options.args(start), queue)),
          stop
        )
        aliveAt ??= performance.now()
        while (true) {
          const item = yield* Queue.take(queue)
          if ("death" in item) return item.death
          aliveAt = undefined
          hasWorked = true
          pause = shortest
          yield* options.onMessage(item.message)
        }
      })
    )
    if (options.isFinal(death)) return death
    const now = performance.now()
    // A process that died before it worked has watched nothing: the gap continues from its beginning.
    aliveAt ??= now
    if (!hasWorked || !isOutage(death)) deaths.push(now)
    const recent = deaths.filter((at) => at > now - withinMs)
    if (recent.length > options.maxRestarts) {
      return yield* new KeepsDying({ deaths: recent.length, withinMs, last: deathOf(death), death })
    }
    yield* options.onRestart(death, { restarts: restarts + 1, gapMs: undefined })
    yield* Effect.sleep(pause)
    pause = Math.min(longest, pause * 2)
  }
})

/** Ends when the supervisor of this process is gone: the other end of its stdin is closed. */
export const supervisorGone: Effect.Effect<void> = Effect.callback<void>((resume) => {
  const end = () => resume(Effect.void)
  process.stdin.once("end", end).once("close", end).once("error", end).resume()
  return Effect.sync(() => process.stdin.off("end", end).off("close", end).off("error", end).pause())
})

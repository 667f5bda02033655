import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { ExitCode } from "../main/ExitCode.ts"
import { Failure } from "../main/Failure.ts"
import { Host } from "../host/Host.ts"
import { invocation, type Invocation } from "../main/Invocation.ts"
import type { Message } from "../json/monitor.ts"
import { show, type Shown } from "../live/monitor.ts"
import { type Monitoring, monitor as watching } from "../monitoring/monitoring.ts"
import { engine } from "../main/services.ts"
import { withProviders } from "../request/plugins.ts"
import { count, deploymentOrExecution, option, span, text } from "./flags.ts"

const day = 86_400_000

const flags = {
  id: deploymentOrExecution,
  interval: span("interval", 100, day, "How often to ask providers (30s)").pipe(Flag.withDefault(30_000)),
  stallAfter: span("stall-after", 100, 30 * day, "Time without an event that counts as a stall (10m)").pipe(
    Flag.withDefault(600_000)
  ),
  overdueAfter: span(
    "overdue-after",
    100,
    30 * day,
    "Duration after which an execution is overdue; by default from past executions"
  ).pipe(Flag.optional),
  logFile: text("log-file", "file", "File to which each event is written once, as a line of JSON"),
  maxRestarts: count("max-restarts", 0, 1000, "How often a dead monitor is restarted within 10 minutes (5)").pipe(
    Flag.withDefault(5)
  ),
  follow: option("follow", "Continue with later executions, and wait for them"),
  after: count("after", 0, Number.MAX_SAFE_INTEGER, "Only events after this sequence number (0)").pipe(
    Flag.withDefault(0)
  )
}

type Flags = Command.Command.Config.Infer<typeof flags>

const monitoringOf = (
  given: Flags,
  more: Pick<Monitoring, "heardTo" | "once" | "shown" | "tell" | "watcher">
): Monitoring => ({
  id: Option.getOrUndefined(given.id),
  intervalMs: given.interval,
  stallAfterMs: given.stallAfter,
  overdueAfterMs: Option.getOrUndefined(given.overdueAfter),
  logFile: Option.getOrUndefined(given.logFile),
  follow: given.follow,
  ...more
})

/** The input of the watching process. A database address may contain a password, so it stays in the environment. */
const argsOf = (inv: Invocation, given: Flags): ReadonlyArray<string> => {
  const { config, directory, environment, region } = inv.settings
  const named = (name: string, value: string | number | undefined) =>
    value === undefined ? [] : [`--${name}`, String(value)]
  const millis = (name: string, value: number | undefined) => named(name, value === undefined ? value : `${value}ms`)
  return [
    ...Option.match(given.id, { onNone: () => [], onSome: (id) => [id] }),
    ...named("directory", directory),
    ...named("config", config),
    ...named("environment", environment),
    ...named("region", region),
    ...millis("interval", given.interval),
    ...millis("stall-after", given.stallAfter),
    ...millis("overdue-after", Option.getOrUndefined(given.overdueAfter)),
    ...named("log-file", Option.getOrUndefined(given.logFile)),
    ...(given.follow ? ["--follow"] : [])
  ]
}

/** Ends that a restart would not fix. */
const meant: ReadonlySet<number> = new Set([ExitCode.notFound, ExitCode.usage, ExitCode.blocked])

const supervised = Effect.fnUntraced(function* (inv: Invocation, given: Flags, shown: Shown) {
  const { deathOf, errorOf, self, supervise } = yield* Effect.promise(() => import("../backend/monitor.ts"))
  const run = crypto.randomUUID()
  let ended = false
  let worked = false
  let away = false
  let deaths = 0
  const isOutage = ({ code }: { readonly code: number | null }) => code === ExitCode.unavailable
  const death = yield* supervise({
    command: self,
    args: ({ gapMs, restarts }) => [
      "__monitor",
      ...argsOf(inv, given),
      "--json",
      "--run",
      run,
      "--restarts",
      String(restarts),
      ...(gapMs === undefined ? [] : ["--gap", `${Math.round(gapMs)}ms`]),
      "--shown",
      JSON.stringify(shown.positions(given.follow ? "in progress" : "all")),
      ...(shown.heardTo() === undefined ? [] : ["--heard-to", String(shown.heardTo())])
    ],
    maxRestarts: given.maxRestarts,
    onMessage: (message) => {
      const told = message as Message
      ended ||= told._tag === "End"
      worked = true
      away = false
      return shown.on(told)
    },
    onRestart: (how) => {
      if (!worked || !isOutage(how)) {
        return inv.say(`the monitor died ${deathOf(how)}; it is started again (${++deaths} of ${given.maxRestarts})`)
      }
      if (away) return Effect.void
      away = true
      return inv.say(`the monitor ended ${deathOf(how)}; it is started again until the store is back`)
    },
    isOutage,
    isFinal: ({ code }) => ended || (code !== null && meant.has(code))
  }).pipe(
    Effect.catchTag("KeepsDying", (error) =>
      Effect.fail(
        new Failure({
          exitCode: error.death.code === ExitCode.unavailable ? ExitCode.unavailable : ExitCode.failed,
          info: {
            code: "monitor_died",
            message: `the monitor could not be kept alive: ${error.message}`,
            hint: `What it watches goes on. Go on watching with: ${goOn(given, shown)}`
          }
        })
      )
    )
  )
  if (ended) return
  const exitCode = death.code ?? ExitCode.failed
  const info = errorOf(death)
  if (info !== undefined) return yield* new Failure({ exitCode, info })
  inv.host.stderr.write(death.errors)
  yield* inv.exit(exitCode)
})

const goOn = (given: Flags, shown: Shown): string => {
  const last = shown.last()
  const id = last?.stream ?? Option.getOrElse(given.id, () => "")
  return `signalbox monitor${id === "" ? "" : ` ${id}`}${last === undefined ? "" : ` --after ${last.seq}`}`
}

export const monitor = Command.make(
  "monitor",
  { ...flags, once: option("once", "Check once, print the state, and exit") },
  Effect.fnUntraced(function* (given) {
    const inv = yield* invocation
    const shown = show(inv, given.after)
    const work = given.once
      ? withProviders(
          inv,
          { of: Option.getOrUndefined(given.id) },
          watching(inv, monitoringOf(given, { once: true, shown: {}, tell: shown.on }))
        )
      : supervised(inv, given, shown)
    yield* work.pipe(
      Effect.ensuring(shown.end),
      Effect.onInterrupt(() => inv.say(`what is watched goes on; go on watching with: ${goOn(given, shown)}`))
    )
  })
).pipe(Command.withDescription("Watch an execution, and report stalls, overdue work and the end, each once"))

/** The watching process. It ends when its supervisor is gone. */
export const watcher = Command.make(
  "__monitor",
  {
    ...flags,
    run: Flag.String("run"),
    restarts: count("restarts", 0, Number.MAX_SAFE_INTEGER, "How often it was started before"),
    gap: span("gap", 0, Number.MAX_SAFE_INTEGER, "How long there was no watcher").pipe(Flag.optional),
    shown: Flag.String("shown"),
    heardTo: count("heard-to", 0, Number.MAX_SAFE_INTEGER, "Up to where what began or ended was watched").pipe(
      Flag.optional
    )
  },
  Effect.fnUntraced(function* (given) {
    const inv = yield* invocation
    const { age, supervisorGone } = yield* Effect.promise(() => import("../backend/monitor.ts"))
    const { stdout } = yield* Host
    const { RunnerIdentity } = yield* engine
    const tell = (message: Message) => Effect.sync(() => stdout.write(`${JSON.stringify(message)}\n`))
    const watched = Effect.gen(function* () {
      const { owner } = yield* RunnerIdentity
      const gapMs = Option.map(given.gap, (before) => before + age())
      yield* watching(
        inv,
        monitoringOf(given, {
          once: false,
          heardTo: Option.getOrUndefined(given.heardTo),
          shown: JSON.parse(given.shown) as Readonly<Record<string, number>>,
          tell,
          watcher: {
            monitor: owner,
            run: given.run,
            restarts: given.restarts,
            ...(Option.isSome(gapMs) ? { gapMs: gapMs.value } : {})
          }
        })
      )
    })
    yield* Effect.raceFirst(withProviders(inv, { of: Option.getOrUndefined(given.id) }, watched), supervisorGone)
  })
).pipe(Command.unlisted)

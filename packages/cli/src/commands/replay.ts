/**
 * `replay`: what another gate or strategy, or the original one, would have decided on past executions.
 */
import { replayView } from "@signalbox/core/api/views"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Replay } from "@signalbox/core/analysis"
import type { ConfigurationInvalid } from "@signalbox/core/config"
import { type CorrelationId, DeploymentId } from "@signalbox/core/spi"
import * as Schema from "effect/Schema"
import { type Failure, usage } from "../main/Failure.ts"
import { invocation, type Invocation } from "../main/Invocation.ts"
import { summaryOf } from "../json/replaySummary.ts"
import { manyLines, oneLines } from "../live/replay.ts"
import { engine, signalbox, withServices } from "../main/services.ts"
import * as Target from "../request/target.ts"
import { strategies } from "./choices.ts"
import { count, execution, stack, text } from "./flags.ts"
import { scope, within } from "./history.ts"

const units = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

/** `30d`, `12h`, `90m`, `2w`, or a date. */
const sinceOf = (given: string, now: number): Effect.Effect<number, Failure> => {
  const [, amount, unit] = /^(\d{1,5})([mhdw])$/.exec(given) ?? []
  const at = amount === undefined ? Date.parse(given) : now - Number(amount) * units[unit as keyof typeof units]
  return Number.isFinite(at)
    ? Effect.succeed(Math.max(0, at))
    : Effect.fail(
        usage(
          "invalid_value",
          "--since is no span and no date",
          "Write for example --since 30d, or 2026-11-01.",
          "--since"
        )
      )
}

/** A JSON file, named by a flag. */
const fileOf = (inv: Invocation, flag: string, path: string): Effect.Effect<unknown, Failure> =>
  Effect.try({
    try: () => JSON.parse(Fs.readFileSync(Path.resolve(inv.host.cwd, path), "utf8")) as unknown,
    catch: (error) => {
      const broken = error instanceof SyntaxError
      return usage(
        broken ? "file_syntax" : "file_unreadable",
        `${flag}: ${path} ${broken ? "is not JSON" : "cannot be read"}`,
        broken ? "Correct the file." : "Check its name.",
        flag
      )
    }
  })

const valueOf = (written: string): unknown => {
  try {
    return JSON.parse(written) as unknown
  } catch {
    return written
  }
}

/** `maxErrorCount=5`, `compare.alpha=0.01`, `compare=off`, merged into the file's keys. */
const settingsOf = (settings: ReadonlyArray<string>, base: unknown): Effect.Effect<unknown, Failure> =>
  Effect.gen(function* () {
    let gate: unknown = base
    for (const setting of settings) {
      const [, path, value] = /^([A-Za-z]+(?:\.[A-Za-z]+)?)=(.+)$/s.exec(setting) ?? []
      if (path === undefined || value === undefined) {
        return yield* usage(
          "invalid_value",
          "--set wants key=value",
          "Write for example --set maxErrorCount=5.",
          "--set"
        )
      }
      const [key = "", inner] = path.split(".")
      const before = (gate ?? {}) as Readonly<Record<string, unknown>>
      const within = (before[key] ?? {}) as Readonly<Record<string, unknown>>
      const parsed = path === "compare" && value === "off" ? null : valueOf(value)
      gate = { ...before, [key]: inner === undefined ? parsed : { ...within, [inner]: parsed } }
    }
    return gate
  })

/** Mistakes are reported for the flag that they came from. */
const from = (flag: string) => (error: ConfigurationInvalid) =>
  usage(error.info.code, `${flag}: ${error.message.split("\n")[0]}`, error.info.hint ?? "Correct it.", error.info.path)

const isDeploymentId = Schema.is(DeploymentId)

export const replay = Command.make(
  "replay",
  {
    id: execution,
    gate: text("gate", "file.json", "File with the keys to change in the original gate"),
    set: Flag.String("set").pipe(
      Flag.atLeast(0),
      Flag.withMetavar("key=value"),
      Flag.withDescription(
        "A key of the gate, such as maxErrorCount=5, compare.alpha=0.01, compare=off; may be repeated"
      )
    ),
    strategy: text("strategy", "name|file.json", "Another strategy: its name, or a file with steps and bakes"),
    stack,
    since: text("since", "span|date", "All executions since then (30d, 12h, 2026-11-01) instead of one"),
    limit: count("limit", 1, 1000, "How many executions with --since (100)").pipe(Flag.withDefault(100))
  },
  Effect.fnUntraced(function* (flags) {
    const inv = yield* invocation
    const { HistoryReplay } = yield* engine
    const now = yield* Clock.currentTimeMillis
    const since = Option.isSome(flags.since) ? yield* sinceOf(flags.since.value, now) : undefined
    const file = Option.isSome(flags.gate) ? yield* fileOf(inv, "--gate", flags.gate.value) : undefined
    const settings = yield* settingsOf(flags.set, file)
    const named = Option.getOrUndefined(flags.strategy)
    const strategy =
      named === undefined || (strategies as ReadonlyArray<string>).includes(named)
        ? named
        : yield* fileOf(inv, "--strategy", named)
    const change: Replay.Change = {
      ...(settings === undefined
        ? {}
        : {
            gate: yield* Effect.fromResult(HistoryReplay.checkGate(settings)).pipe(
              Effect.mapError(from(flags.set.length > 0 ? "--set" : "--gate"))
            )
          }),
      ...(strategy === undefined
        ? {}
        : {
            strategy: yield* Effect.fromResult(HistoryReplay.checkStrategy(strategy)).pipe(
              Effect.mapError(from("--strategy"))
            )
          }),
      ...(Option.isSome(flags.stack) ? { stacks: [flags.stack.value] } : {})
    }
    yield* withServices(
      inv,
      Effect.gen(function* () {
        const { executions } = yield* signalbox
        const ids = yield* idsOf(inv, flags.id, since, flags.limit)
        const replayed: Array<Replay.Replayed> = []
        for (const id of ids) replayed.push(yield* executions.replay(id, change))
        const judged =
          since === undefined ? replayed : replayed.filter(({ replayed: { kind } }) => kind !== "not_judged")
        const summary = summaryOf(replayed)
        yield* inv.result(
          {
            change: { gate: settings ?? null, strategy: strategy ?? null, stack: Option.getOrNull(flags.stack) },
            executions: judged.map(replayView),
            summary
          },
          () => (since === undefined ? replayed.flatMap((one) => oneLines(one, inv)) : manyLines(judged, summary, inv))
        )
      })
    )
  })
).pipe(Command.withDescription("Judge past executions again: their measurements, with another gate or strategy"))

/** One execution, or with `since` all of a deployment or of all deployments. */
const idsOf = Effect.fnUntraced(function* (
  inv: Invocation,
  given: Option.Option<CorrelationId>,
  since: number | undefined,
  limit: number
) {
  if (since === undefined) {
    const target = yield* Target.execution(inv, Option.getOrUndefined(given), { last: true })
    return [target.correlationId]
  }
  if (Option.isSome(given) && !isDeploymentId(given.value)) {
    return yield* usage(
      "flags_conflict",
      "--since and the id of one execution exclude each other",
      "Give one of them.",
      "--since"
    )
  }
  const id = Option.map(given, (one) => DeploymentId.make(one))
  const { executions } = yield* signalbox
  const { items } = yield* executions.list({ ...scope(inv, id), ...within(inv), since, limit })
  return items.map(({ correlationId }) => correlationId)
})

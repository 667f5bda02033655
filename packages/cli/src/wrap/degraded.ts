/**
 * Runs a command although the store is unavailable: others are not kept out, so it has to be requested explicitly, and
 * the providers must report no operation in progress.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Reconciliation } from "@signalbox/core/engine"
import type { CorrelationId, StoreError } from "@signalbox/core/spi"
import { errorView } from "@signalbox/core/text"
import { askProviders } from "../waiting/ask.ts"
import { ExitCode } from "../main/ExitCode.ts"
import { failure } from "../main/Failure.ts"
import type { Invocation } from "../main/Invocation.ts"
import type { Place } from "../request/place.ts"
import { setOutputs } from "./github.ts"
import { folderOf, keep } from "./spool.ts"
import { type CommandLine, wrappedBy } from "./wrapped.ts"
import { stateFolderOf } from "../request/stateFolder.ts"

/** No lease bounds it; the life of this process does. */
const ttl = Duration.seconds(30)
const alive = Stream.fromEffectRepeat(
  Effect.delay(
    Effect.map(Clock.currentTimeMillis, (now) => now + Duration.toMillis(ttl)),
    "5 seconds"
  )
)

export const runDegraded = Effect.fnUntraced(function* (
  inv: Invocation,
  options: {
    readonly place: Place
    readonly id: CorrelationId
    readonly by: string
    readonly shown: string
    readonly line: CommandLine
    readonly version?: string
    readonly allowed: boolean
    readonly away: StoreError
  }
) {
  const { allowed, away, by, id, line, place, shown, version } = options
  if (!allowed) {
    return yield* failure({
      code: "store_away",
      message: `the store cannot be reached: ${away.message}`,
      hint: "Nothing was run. To go ahead on the word of the providers alone, without a lease: --degraded"
    })
  }
  // A project without a configuration has no provider to ask; `--degraded` accepts that.
  const blockers = place.bare
    ? []
    : (yield* askProviders(
        inv,
        {
          manifest: place.manifest,
          deploymentId: place.deploymentId,
          environment: place.environment,
          ...(version === undefined ? {} : { version })
        },
        away
      )).blockers
  const [blocker] = blockers
  if (blocker !== undefined) {
    const { hint = "Wait until it has finished.", ...shown } = errorView(blocker.info)
    return yield* failure({ ...shown, message: `degraded, ${away.message}: ${shown.message}`, hint })
  }
  yield* inv.say(
    `signalbox: degraded: ${away.message}; ${id} runs without a lease, and is recorded when the store is back`
  )
  const startedAt = yield* Clock.currentTimeMillis
  const begun: Reconciliation.DegradedRecord = {
    correlationId: id,
    deploymentId: place.deploymentId,
    environment: place.environment,
    command: shown,
    by,
    ...(version === undefined ? {} : { version }),
    reason: away.message,
    startedAt,
    code: null,
    signal: null
  }
  yield* stateFolderOf(inv, folderOf(inv))
  yield* Effect.sync(() => keep(inv, begun))
  let exitCode: number = ExitCode.failed
  const ended = yield* wrappedBy(
    inv,
    line,
    (code) => (exitCode = code)
  )({
    correlationId: id,
    // The next lease holder must not mistake it for a leftover command.
    mark: `degraded/${place.deploymentId}/${place.environment}/${id}`,
    ttl,
    deadlines: Stream.concat(Stream.make(startedAt + Duration.toMillis(ttl)), alive),
    stopped: Effect.never
  })
  const finishedAt = yield* Clock.currentTimeMillis
  yield* Effect.sync(() => keep(inv, { ...begun, finishedAt, code: ended.code, signal: ended.signal }))
  yield* setOutputs(inv, {
    "correlation-id": id,
    status: exitCode === 0 ? "completed" : "failed",
    "exit-code": exitCode
  })
  yield* inv.result(
    { correlationId: id, degraded: true, degradedReason: away.message, exitCode, log: line.logFile },
    () => []
  )
  yield* inv.exit(exitCode)
})

/**
 * `lock show hold release`: the lease of an environment, and locks.
 */
import * as Clock from "effect/Clock"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Rejected } from "@signalbox/core/api"
import type { Signalbox } from "@signalbox/core/engine"
import { environmentLockView, leaseView, lockView } from "@signalbox/core/api/views"
import type { Lease } from "@signalbox/core/spi"
import { errorView, purposeText } from "@signalbox/core/text"
import { actor } from "../request/actor.ts"
import { ExitCode } from "../main/ExitCode.ts"
import { Failure, usage } from "../main/Failure.ts"
import { inkOf, invocation, type Invocation } from "../main/Invocation.ts"
import { lockLines } from "../live/queue.ts"
import { clock, plain } from "../live/words.ts"
import { type Place, placeOnRecord, settled } from "../request/place.ts"
import { signalbox, withServices } from "../main/services.ts"
import { because, momentOf } from "./coordinating.ts"
import { refuseNested } from "../request/nested.ts"
import { by, deployment, option, text } from "./flags.ts"

type Given = Command.Command.Config.Infer<{ readonly id: typeof deployment }>

/** Works on the lease and the lock of the named deployment, or of this folder. */
const at = <A, E, R>(
  inv: Invocation,
  { id }: Given,
  body: (place: Place, box: Signalbox["Service"]) => Effect.Effect<A, E, R>
) =>
  Effect.flatMap(placeOnRecord(inv, Option.getOrUndefined(id)), (place) =>
    withServices(
      inv,
      Effect.gen(function* () {
        return yield* body(yield* settled(inv, place), yield* signalbox)
      }),
      { create: !place.named }
    )
  )

const lineupOf = ({ deploymentId, environment }: Place) =>
  Effect.flatMap(signalbox, ({ coordination }) => coordination.status(deploymentId, environment))

const show = Command.make(
  "show",
  { id: deployment },
  Effect.fnUntraced(function* (flags) {
    const inv = yield* invocation
    yield* at(
      inv,
      flags,
      Effect.fnUntraced(function* (place) {
        const lineup = yield* lineupOf(place)
        const now = yield* Clock.currentTimeMillis
        yield* inv.result(lockView(place, lineup), () => lockLines(place, lineup, now, inkOf(inv)))
      })
    )
  })
).pipe(Command.withDescription("Show the holder of the lease, the lock, and the queue, in order"))

/** Until when it is locked; null if permanently. */
const endOf = Effect.fnUntraced(function* (given: Option.Option<string>) {
  if (Option.isNone(given)) return {}
  const now = yield* Clock.currentTimeMillis
  const until = Option.getOrUndefined(momentOf(given.value, now))
  if (until !== undefined && until > now) return { until }
  return yield* usage(
    "invalid_value",
    until === undefined
      ? `--until: "${given.value}" is neither a span of time nor a time`
      : `--until: ${given.value} is over already`,
    `Give a span such as "2 hours", or a time such as 2026-12-24T18:00:00Z.`,
    "--until"
  )
})

const hold = Command.make(
  "hold",
  {
    id: deployment,
    reason: because,
    until: text("until", "span|time", `How long, such as "2 hours" or 2026-12-24T18:00:00Z; by default permanently`),
    force: option("force", "Take over another person's lock"),
    by
  },
  Effect.fnUntraced(function* (flags) {
    const inv = yield* invocation
    const end = yield* endOf(flags.until)
    const who = actor(inv, flags.by)
    yield* at(
      inv,
      flags,
      Effect.fnUntraced(function* (place, box) {
        const { deploymentId, environment } = place
        if (!place.named) yield* box.deployments.ensure({ ...place, by: who })
        const { lock: before } = yield* lineupOf(place)
        const told = { reason: flags.reason, by: who, ...end, ...(flags.force ? { force: true } : {}) }
        yield* box.coordination.decide(deploymentId, { _tag: "EnvironmentLocked", environment, ...told })
        const lineup = yield* lineupOf(place)
        const replaced = before === undefined ? null : environmentLockView(before)
        yield* inv.result({ ...lockView(place, lineup), replaced }, () => [
          `${inv.paint("green", "✔")} ${deploymentId} ${environment} is locked by ${who}${"until" in end ? ` until ${clock(end.until)}` : ""}: nothing new starts`,
          ...(before === undefined
            ? []
            : [`       before, it was locked by ${plain(before.by)}: ${plain(before.reason)}`]),
          ...(lineup.lease === undefined ? [] : [`       ${lineup.lease.holder} holds the lease, and goes on`]),
          `next:  ${inv.paint("cyan", `signalbox lock release ${deploymentId} --environment ${environment} --reason "<reason>"`)}`
        ])
      })
    )
  })
).pipe(Command.withDescription("Lock an environment so that nothing starts; running executions continue"))

/** The user may have meant the holder of the lease. */
const notLocked = (refused: Rejected, lease: Lease | undefined): Failure | Rejected =>
  lease === undefined
    ? refused
    : new Failure({
        exitCode: ExitCode.failed,
        info: {
          ...errorView(refused.info),
          message: `${refused.message}; ${lease.holder} holds the lease (${purposeText(lease.purpose)})`,
          hint: `Stop it: signalbox abort ${lease.holder} · revoke its lease: --force`
        }
      })

const release = Command.make(
  "release",
  {
    id: deployment,
    reason: because,
    force: option("force", "Also revoke the lease of its holder, which stops at its next step"),
    by
  },
  Effect.fnUntraced(function* (flags) {
    const inv = yield* invocation
    const told = { reason: flags.reason, by: actor(inv, flags.by) }
    yield* at(
      inv,
      flags,
      Effect.fnUntraced(function* (place, box) {
        const { deploymentId, environment } = place
        if (flags.force) yield* refuseNested(inv, place)
        const before = yield* lineupOf(place)
        const released = yield* box.coordination
          .decide(deploymentId, { _tag: "EnvironmentUnlocked", environment, ...told })
          .pipe(
            Effect.as(true),
            Effect.catchTag("Rejected", (refused) =>
              flags.force ? Effect.succeed(false) : Effect.fail(notLocked(refused, before.lease))
            )
          )
        const revoked = flags.force
          ? yield* box.coordination.revokeLease(deploymentId, { environment, ...told })
          : undefined
        const lineup = yield* lineupOf(place)
        const view = leaseView({ lease: revoked, isDead: before.isDead })
        yield* inv.result({ ...lockView(place, lineup), released, revoked: view }, () => [
          ...(released ? [`${inv.paint("green", "✔")} ${deploymentId} ${environment} is unlocked`] : []),
          ...(revoked === undefined
            ? []
            : [`${inv.paint("green", "✔")} lease revoked: ${revoked.holder} stops at its next step`]),
          ...(!released && revoked === undefined ? ["No execution holds the lease."] : [])
        ])
      })
    )
  })
).pipe(Command.withDescription("Unlock an environment; with --force, revoke the lease of its holder"))

export const lock = Command.make("lock").pipe(
  Command.withDescription("Lock, unlock or inspect an environment"),
  Command.withSubcommands([show, hold, release])
)

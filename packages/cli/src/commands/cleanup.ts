import * as Command from "effect/cli/Command"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import type { CleanupResult } from "@signalbox/core/api"
import { cleanupView } from "@signalbox/core/api/views"
import { actor } from "../request/actor.ts"
import { usage } from "../main/Failure.ts"
import { invocation, type Invocation } from "../main/Invocation.ts"
import { word } from "../live/glyphs.ts"
import { span } from "../live/words.ts"
import { engine, hasStore, signalbox, withServices } from "../main/services.ts"
import { reports } from "./choices.ts"
import { onlyExecution } from "./coordinating.ts"
import { by, option, reason } from "./flags.ts"

const said = ({ correlationId, now, released, was }: CleanupResult): string => {
  if (was === null || now === null) return `there is no execution ${correlationId}; it holds nothing`
  const change = was === now ? `is ${word(now)}` : `was ${word(was)}, is ${word(now)}`
  return `${correlationId} ${change}${released ? "; its lease is released" : ""}`
}

/** Ends abandoned executions. */
const sweep = Effect.fnUntraced(function* (inv: Invocation) {
  const { Sweep } = yield* engine
  const age = Duration.toMillis(Sweep.forgottenAfter)
  const swept = hasStore(inv)
    ? yield* withServices(
        inv,
        Effect.flatMap(signalbox, ({ coordination }) => coordination.sweep)
      )
    : []
  yield* inv.result({ swept: swept.map(cleanupView) }, () =>
    swept.length === 0
      ? [`Nothing has been forgotten for ${span(age)}.`]
      : swept.map((one) => `${inv.paint("green", "✔")} ${said(one)}`)
  )
})

export const cleanup = Command.make(
  "cleanup",
  {
    id: onlyExecution,
    status: Flag.Literals("status", reports).pipe(
      Flag.optional,
      Flag.withDescription("Outcome of a deployment that ran elsewhere (cancelled)")
    ),
    stale: option("stale", "End all executions that have had no runner and no activity for 7 days"),
    by,
    reason
  },
  Effect.fnUntraced(function* (flags) {
    const inv = yield* invocation
    if (flags.stale) {
      if (Option.isSome(flags.id) || Option.isSome(flags.status)) {
        return yield* usage(
          "flags_conflict",
          "--stale is about all executions, not about one",
          "Omit the correlation ID and --status, or omit --stale.",
          "--stale"
        )
      }
      return yield* sweep(inv)
    }
    if (Option.isNone(flags.id)) {
      return yield* usage(
        "missing_argument",
        "which execution?",
        "Give a correlation ID (signalbox active lists them), or --stale.",
        "<correlation-id>"
      )
    }
    const id = flags.id.value
    const options = {
      status: Option.getOrElse(flags.status, () => "cancelled" as const),
      by: actor(inv, flags.by),
      ...(Option.isSome(flags.reason) ? { reason: flags.reason.value } : {})
    }
    const cleaned = hasStore(inv)
      ? yield* withServices(
          inv,
          Effect.flatMap(signalbox, (box) => box.coordination.cleanup(id, options))
        )
      : { correlationId: id, was: null, now: null, released: false }
    yield* inv.result(cleanupView(cleaned), () => [`${inv.paint("green", "✔")} ${said(cleaned)}`])
    if (options.status !== "cancelled" && cleaned.was === "queued" && cleaned.now === "cancelled") {
      yield* inv.say(`its turn had never come (signalbox wait ${id}): that it ${options.status} is not counted`)
    }
  })
).pipe(Command.withDescription("Return the queue position or lease of a correlation ID; harmless to repeat"))

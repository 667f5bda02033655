/**
 * `report`: the past, measured on itself.
 */
import { calibrationView } from "@signalbox/core/api/views"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { notFound, usage } from "../main/Failure.ts"
import { invocation } from "../main/Invocation.ts"
import { calibrationLines } from "../live/report.ts"
import { signalbox, withServices } from "../main/services.ts"
import { count, deployment } from "./flags.ts"
import { scope, within } from "./history.ts"

export const report = Command.make(
  "report",
  {
    id: deployment,
    calibration: Flag.Boolean("calibration").pipe(
      Flag.withoutNegation,
      Flag.withDefault(false),
      Flag.withDescription("How reliable duration estimates are: each execution is estimated from its predecessors")
    ),
    limit: count("limit", 1, 1000, "How many past executions to read (1000)").pipe(Flag.withDefault(1000))
  },
  Effect.fnUntraced(function* (flags) {
    const inv = yield* invocation
    if (!flags.calibration) {
      return yield* usage("missing_option", "what to report on is not said", "Add --calibration.", "--calibration")
    }
    yield* withServices(
      inv,
      Effect.gen(function* () {
        const narrowed = { ...scope(inv, flags.id), ...within(inv) }
        const calibration = yield* (yield* signalbox).executions.calibrate({ ...narrowed, limit: flags.limit })
        if (calibration.executions === 0) {
          return yield* notFound(
            "no_history",
            "there is no execution that succeeded to measure estimates on",
            "Deploy first; see what there is with: signalbox history"
          )
        }
        const view = calibrationView(calibration)
        yield* inv.result({ ...narrowed, environment: inv.settings.environment ?? null, ...view }, () =>
          calibrationLines(view, inv)
        )
      })
    )
  })
).pipe(Command.withDescription("Report how reliable estimates are, measured on past executions"))

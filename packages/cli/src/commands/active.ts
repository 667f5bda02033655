import * as Clock from "effect/Clock"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { DeploymentStore } from "@signalbox/core/spi"
import { inkOf, invocation } from "../Invocation.ts"
import { executionView } from "../json/execution.ts"
import { runnerView } from "../json/runner.ts"
import { hasStore, signalbox, withServices } from "../services.ts"
import { deployment } from "./flags.ts"
import { executionTable, within } from "./history.ts"

export const active = Command.make(
  "active",
  { id: deployment },
  Effect.fnUntraced(function* (flags) {
    const inv = yield* invocation
    const now = yield* Clock.currentTimeMillis
    const read = Effect.gen(function* () {
      const store = yield* DeploymentStore
      const box = yield* signalbox
      const page = yield* store.executions({
        ...(Option.isSome(flags.id) ? { deploymentId: flags.id.value } : {}),
        ...within(inv),
        finished: false,
        limit: 1000
      })
      return yield* Effect.forEach(page.items, (state) =>
        Effect.map(box.runner(state.correlationId), (lease) => ({
          ...executionView(state, now),
          runner: runnerView(lease)
        }))
      )
    })
    const executions = hasStore(inv) ? yield* withServices(inv, read) : []
    yield* inv.result({ executions }, () => {
      if (executions.length === 0) return ["Nothing is under way."]
      const alone = executions.filter(({ runner }) => runner === null)
      return [
        ...executionTable(executions, now, inkOf(inv)),
        ...(alone.length === 0
          ? []
          : [
              "",
              `without a runner: ${alone.map(({ correlationId }) => correlationId).join(", ")}`,
              `next:  ${inv.paint("cyan", `signalbox attach ${alone[0]!.correlationId}`)}`
            ])
      ]
    })
  })
).pipe(Command.withDescription("The executions under way, and those that a runner has left"))

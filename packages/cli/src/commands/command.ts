/**
 * `pause resume approve promote abort retry`: operator commands to a running execution, from any process.
 */
import { executionView, runnerView } from "@signalbox/core/api/views"
import * as Clock from "effect/Clock"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { OperatorCommand } from "@signalbox/core/spi"
import { actor } from "../request/actor.ts"
import { signalbox } from "../main/services.ts"
import * as Target from "../request/target.ts"
import { isFinished } from "./choices.ts"
import { by, execution, reason, stack } from "./flags.ts"

const told = <const Name extends OperatorCommand>(name: Name, description: string) =>
  Command.make(
    name,
    { id: execution, stack, by, reason },
    Effect.fnUntraced(function* (flags) {
      yield* Target.onExecution(
        flags.id,
        Effect.fnUntraced(function* (inv, target) {
          const box = yield* signalbox
          yield* box.executions.command(target.correlationId, {
            command: name,
            by: actor(inv, flags.by),
            ...(Option.isSome(flags.stack) ? { stack: flags.stack.value } : {}),
            ...(Option.isSome(flags.reason) ? { reason: flags.reason.value } : {})
          })
          const state = (yield* box.executions.get(target.correlationId)) ?? target
          const now = yield* Clock.currentTimeMillis
          const lease = yield* box.executions.runner(target.correlationId)
          // A queued request is withdrawn at once.
          const ended = isFinished(state)
          yield* inv.result({ ...executionView(state, now), command: name, runner: runnerView(lease) }, () => [
            `${inv.paint("green", "✔")} ${name} given to ${target.kind} ${target.deploymentId} ${target.environment} (${target.correlationId})`,
            ...(lease === undefined && !ended ? ["       no runner is left to follow it: attach carries it on"] : []),
            `next:  ${inv.paint("cyan", `signalbox ${ended ? "status" : "attach"} ${target.correlationId}`)}`
          ])
        })
      )
    })
  ).pipe(Command.withDescription(description))

export const pause = told("pause", "Pause an execution before its next step")
export const resume = told("resume", "Resume a paused execution")
export const approve = told("approve", "Approve the open question of an execution")
export const promote = told("promote", "Skip the rest of the bake of a stack, or of all stacks")
export const abort = told("abort", "Stop an execution and roll back to the checkpoints")
export const retry = told("retry", "Run a failed or inconclusive step again")

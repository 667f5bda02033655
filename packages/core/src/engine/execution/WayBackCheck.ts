/**
 * Asks for the way back at the moments that depend on it: before traffic moves, and before a rollback.
 */
import * as Effect from "effect/Effect"
import { errorInfo } from "../../domain/errors/index.ts"
import type { Checkpoint, StackPlan } from "../../domain/Release.ts"
import type { StackSpec } from "../../domain/Spec.ts"
import type { StackRef } from "../../spi/Provider.ts"
import { wayBack } from "../restoration/index.ts"
import { type ExecutionContext, providerOf, StepFailed } from "../step/index.ts"

/**
 * Fails if the provider knows that the checkpoint cannot be restored.
 *
 * *Errors*: `cannot_go_back`.
 */
export const requireWayBack = Effect.fnUntraced(function* (
  stack: StackSpec,
  ref: StackRef,
  checkpoint: Checkpoint
): Effect.fn.Return<void, StepFailed, ExecutionContext> {
  const way = yield* wayBack(yield* providerOf(stack), ref, checkpoint)
  if (way?.how !== "impossible") return
  const version = checkpoint.release?.version ?? ""
  return yield* new StepFailed({
    why: "failed",
    info: errorInfo("cannot_go_back", { stack: stack.name, version }, { detail: way.why })
  })
})

/**
 * The same before the first shift of a deployment. A plan that announced it was accepted, and an irreversible stack never
 * goes back.
 */
export const requireWayBackOf = (
  stack: StackSpec,
  ref: StackRef,
  { checkpoint, notices }: StackPlan
): Effect.Effect<void, StepFailed, ExecutionContext> =>
  stack.irreversible !== undefined || notices?.some(({ code }) => code === "rollback_impossible") === true
    ? Effect.void
    : requireWayBack(stack, ref, checkpoint)

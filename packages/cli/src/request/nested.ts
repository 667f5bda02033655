import * as Effect from "effect/Effect"
import type { Execution } from "@signalbox/core/spi"
import type { Invocation } from "../main/Invocation.ts"
import { signalbox } from "../main/services.ts"

/** Refuses what would wait for the very command of `signalbox run` that it is part of, before anything is written. */
export const refuseNested = (
  { host }: Invocation,
  place: Pick<Execution.ExecutionState, "deploymentId" | "environment">
) => Effect.flatMap(signalbox, ({ coordination }) => coordination.rejectNested(place, host.env))

import * as Effect from "effect/Effect"
import type { Execution } from "@signalbox/core/spi"
import type { Invocation } from "../main/Invocation.ts"
import { signalbox } from "../main/services.ts"

/** Rejects a request that would wait for the enclosing `signalbox run` command, before anything is written. */
export const refuseNested = (
  { host }: Invocation,
  place: Pick<Execution.ExecutionState, "deploymentId" | "environment">
) => Effect.flatMap(signalbox, ({ coordination }) => coordination.rejectNested(place, host.env))

/** The state of a wait, as JSON shows it. The names are API. */
import type { Look } from "../waiting/Look.ts"
import { blockerView, estimateView, instantOf, placeView } from "@signalbox/core/api/views"
import { schemas } from "./schemas.ts"

/** `turn` is true in the last object, after admission; `correlationId` is null when waiting for a deployment. */
export const turnView = (look: Look, now: number) => ({
  schema: schemas.turn,
  correlationId: look.execution?.correlationId ?? null,
  deploymentId: look.deploymentId,
  environment: look.environment,
  status: look.execution?.status ?? null,
  turn: look.turn,
  ...(look.place === undefined ? { position: null, ahead: [] } : placeView(look.place)),
  estimate: estimateView(look.place?.left),
  blockers: look.blockers.map(blockerView),
  degraded: look.degraded !== null,
  degradedReason: look.degraded,
  message: look.message,
  checkedAt: instantOf(now)
})

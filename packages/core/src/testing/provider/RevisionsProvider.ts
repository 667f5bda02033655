/**
 * A simulated cloud of revisions that share the traffic and have addresses of their own, like Cloud Run.
 */
import * as Effect from "effect/Effect"
import { longMutations } from "./LongOperations.ts"
import { SimulatedCloud } from "./SimulatedCloud.ts"
import type { SimulatedProvider } from "./SimulatedControls.ts"
import type { SimulatedMetrics } from "./SimulatedMetrics.ts"
import {
  declared,
  type Mutate,
  type PlanExtras,
  type PortOptions,
  portOf,
  type SimulatedCapabilities
} from "./SimulatedPort.ts"
import { keep, observation } from "./SimulatedState.ts"

/**
 * The properties of the cloud.
 *
 * *Details*: `kind` default `revisions`. Every change is an operation of at least `operationMillis` (5,000), which is
 * polled every `pollMillis` (1,000) and cannot be found for `lagMillis` (0); a newer operation takes over from one in
 * progress. A write names the state that it has read (an etag), and is repeated if that has changed. The first revision
 * gets all traffic, and each one has an address. The last `revisions` (3) are kept without capacity: a rollback to one of
 * them is a switch; an older one was pruned and is built again, which takes its `stageMillis`.
 */
export interface RevisionsOptions {
  readonly kind?: string
  readonly capabilities?: Omit<SimulatedCapabilities, "traffic" | "firstRelease">
  readonly instances?: number
  readonly healthUnit?: "instance" | "release"
  readonly requestsPerSecond?: number
  readonly metrics?: SimulatedMetrics
  readonly operationMillis?: number
  readonly lagMillis?: number
  readonly pollMillis?: number
  readonly latencyMillis?: number
  readonly revisions?: number
  readonly plan?: PlanExtras
}

/**
 * Creates a simulated provider of revisions, with the controls of `SimulatedProvider`.
 *
 * *Example*
 *
 * ```ts
 * const cloud = RevisionsProvider.make({ revisions: 2 })
 * cloud.script("api", "*", { stageMillis: 30_000 })
 * ```
 */
export const make = (options: RevisionsOptions = {}): SimulatedProvider => {
  const { instances, kind = "revisions", latencyMillis, metrics, plan, requestsPerSecond, revisions = 3 } = options
  const { capabilities, groups } = declared({
    capacity: false,
    metrics: true,
    drift: true,
    canGoBack: true,
    ...options.capabilities,
    traffic: "percent",
    firstRelease: "live"
  })
  const { healthUnit = capabilities.capacity ? "instance" : "release" } = options
  const cloud = new SimulatedCloud({ kind, capabilities, instances, healthUnit, endpoints: true, latencyMillis })
  const carryOut = longMutations(cloud, {
    operationMillis: options.operationMillis ?? 5_000,
    cancelMillis: 0,
    lagMillis: options.lagMillis ?? 0,
    pollMillis: options.pollMillis ?? 1_000,
    exclusive: false,
    etags: true
  })
  const mutate: Mutate = (kind, ref, mutation, change) =>
    Effect.tap(carryOut(kind, ref, mutation, change), () =>
      Effect.map(cloud.settled(ref), ({ cell, now }) => keep(cell, now, revisions))
    )
  const observe: PortOptions["observe"] = (ref) =>
    cloud.read("observe", ref, (cell, now) => observation(cloud.world, cell, now, cloud.outputs(ref)))
  return cloud.controls(portOf(cloud, { groups, mutate, observe, metrics, plan, requestsPerSecond }))
}

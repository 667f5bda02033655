/**
 * A simulated cloud that is slow and transactional and has no traffic of its own, like CloudFormation.
 */
import { longMutations } from "./LongOperations.ts"
import { SimulatedCloud } from "./SimulatedCloud.ts"
import type { SimulatedProvider } from "./SimulatedControls.ts"
import { declared, type PlanExtras, type PortOptions, portOf, type SimulatedCapabilities } from "./SimulatedPort.ts"
import { observation } from "./SimulatedState.ts"

/**
 * The properties of the slow cloud.
 *
 * *Details*: `kind` default `slow`. One operation at a time works on a stack, for at least `operationMillis` (60,000). It
 * has a name, goes on without its caller, and is polled every `pollMillis` (5,000); a new one cannot be found for
 * `lagMillis` (2,000). The release that it brings in replaces the old one at its end; if it fails, everything is as before.
 * `cancelMillis` (half of `operationMillis`) is how long it takes to cancel one. The platform does not know idempotency
 * keys: a repeated call is refused because there are no changes, or because something is in progress.
 */
export interface SlowOptions {
  readonly kind?: string
  readonly capabilities?: Omit<SimulatedCapabilities, "traffic" | "capacity" | "metrics">
  readonly instances?: number
  readonly operationMillis?: number
  readonly cancelMillis?: number
  readonly lagMillis?: number
  readonly pollMillis?: number
  readonly latencyMillis?: number
  readonly plan?: PlanExtras
}

/**
 * Creates a slow simulated provider, with the controls of `SimulatedProvider`.
 *
 * *When to use*: to test what happens while a platform works: a runner that dies, leases that expire, throttled polls,
 * expired credentials, operations by someone else.
 *
 * *Details*: in scripts, `stageMillis` is the duration of the operation that brings in a release. A `fail` of `stage` with
 * `after` loses the answer of the call that begins it; `poll` is the operation of all polls.
 *
 * *Example*
 *
 * ```ts
 * const cloud = SlowProvider.make({ operationMillis: 180_000 })
 * cloud.fail({ operation: "stage", after: true, reason: { _tag: "Unavailable", message: "the connection was cut" } })
 * ```
 */
export const make = (options: SlowOptions = {}): SimulatedProvider => {
  const { instances, kind = "slow", lagMillis = 2_000, latencyMillis, operationMillis = 60_000, plan } = options
  const { capabilities, groups } = declared({ drift: true, ...options.capabilities, traffic: "none", capacity: false })
  const cloud = new SimulatedCloud({ kind, capabilities, instances, latencyMillis })
  const mutate = longMutations(cloud, {
    operationMillis,
    cancelMillis: options.cancelMillis ?? operationMillis / 2,
    lagMillis,
    pollMillis: options.pollMillis ?? 5_000,
    exclusive: true,
    etags: false
  })
  const observe: PortOptions["observe"] = (ref) =>
    cloud.read("observe", ref, (cell, now) => observation(cloud.world, cell, now, cloud.outputs(ref)))
  return cloud.controls(portOf(cloud, { groups, mutate, observe, plan }))
}

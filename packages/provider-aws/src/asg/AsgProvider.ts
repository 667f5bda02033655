/**
 * The provider for Auto Scaling groups whose instances are replaced by a refresh.
 */
import { type Capabilities, operationsOf, type Provider } from "@signalbox/core/spi"
import type { AsgOptions } from "./AsgAccess.ts"
import { AsgProperties } from "./AsgProperties.ts"

/** What a stack names as its provider. */
export const kind = "aws:asg"

export const capabilities: Capabilities = {
  spiVersion: 1,
  traffic: "none",
  capacity: false,
  fencing: "guarded",
  outputs: ["version"],
  adopts: true
}

/**
 * Creates the provider of kind `aws:asg`.
 *
 * *Details*: a release is a version of a launch template. A refresh of Auto Scaling replaces the instances, waits at its
 * checkpoints, bakes, watches alarms and turns back by itself; the group launches the new version only once it has
 * succeeded.
 *
 * *Errors*: `ProviderError`; `Broken` if the refresh fails or is turned back.
 */
export const make = (options: AsgOptions): Provider => {
  const mutations = () => import("./Mutations.ts")
  const { change, common, look } = operationsOf(kind, {
    access: async () => new (await import("./AsgAccess.ts")).AsgAccess(options),
    planning: () => import("./Plan.ts"),
    staging: mutations,
    restoring: mutations
  })

  return {
    kind,
    capabilities,
    properties: AsgProperties,
    ...common,
    restart: (ref, mutation) => change("restart", ref, mutation, mutations, ({ restart }, work) => restart(work)),
    alarms: { states: (ref, names) => look("states", ref, (work, cloud) => cloud.alarmStates(work, names)) },
    exclusive: ({ properties }) => {
      const { autoScalingGroup } = properties as { readonly autoScalingGroup?: string }
      return autoScalingGroup === undefined
        ? []
        : [{ name: `the Auto Scaling group ${autoScalingGroup}`, path: ["autoScalingGroup"] }]
    }
  }
}

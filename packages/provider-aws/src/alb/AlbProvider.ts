/**
 * The provider for services behind an Application Load Balancer.
 */
import { type Capabilities, operationsOf, type Provider } from "@signalbox/core/spi"
import * as Duration from "effect/Duration"
import type { AlbOptions } from "./AlbAccess.ts"
import { AlbProperties } from "./AlbProperties.ts"

/** What a stack names as its provider. */
export const kind = "aws:alb"

export const capabilities: Capabilities = {
  spiVersion: 1,
  traffic: "percent",
  capacity: true,
  fencing: "guarded",
  outputs: ["targetGroup", "version"],
  adopts: true
}

/**
 * Creates the provider of kind `aws:alb`.
 *
 * *Details*: a release is a version of a launch template, which follows from the artifact and from the version that it is
 * made from. A listener or rule forwards to two target groups; a release is brought in on the one without traffic. What
 * was set is recorded in two tags of the listener or rule, so that a change of others is told from one that was cut off.
 *
 * *Errors*: `ProviderError`; `Broken` if its instances do not become healthy, `Changed` if others changed the weights.
 */
export const make = (options: AlbOptions): Provider => {
  const restoring = () => import("./Restore.ts")
  const { change, common, driftBy, look, trafficBy } = operationsOf(kind, {
    access: async () => new (await import("./AlbAccess.ts")).AlbAccess(options),
    planning: () => import("./Plan.ts"),
    staging: () => import("./Stage.ts"),
    restoring
  })

  return {
    kind,
    capabilities,
    properties: AlbProperties,
    ...common,
    traffic: trafficBy(() => import("./Shift.ts")),
    restart: (ref, mutation) => change("restart", ref, mutation, restoring, ({ restart }, work) => restart(work)),
    drift: driftBy(() => import("./Drift.ts")),
    alarms: { states: (ref, names) => look("states", ref, (work, cloud) => cloud.alarmStates(work, names)) },
    ...(options.metrics === false
      ? {}
      : {
          metrics: {
            resolution: Duration.seconds(60),
            lag: Duration.seconds(120),
            samples: false,
            measure: (ref, window) => look("measure", ref, (work, cloud) => cloud.measure(work, window))
          }
        }),
    exclusive: ({ properties }) => {
      const { blue, green, listener, rule } = properties as Partial<AlbProperties>
      return [
        ...(rule === undefined ? [] : [{ name: `the rule ${rule}`, path: ["rule"] }]),
        ...(listener === undefined || rule !== undefined
          ? []
          : [{ name: `the listener ${listener}`, path: ["listener"] }]),
        ...[blue, green].flatMap((side, index) =>
          side === undefined
            ? []
            : [
                {
                  name: `the Auto Scaling group ${side.autoScalingGroup}`,
                  path: [index === 0 ? "blue" : "green", "autoScalingGroup"]
                }
              ]
        )
      ]
    }
  }
}

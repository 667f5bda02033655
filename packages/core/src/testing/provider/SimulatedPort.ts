/**
 * The Provider port of a simulated cloud. How a mutation is carried out is up to the kind of cloud.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type {
  Capabilities,
  Candidate,
  Checkpoint,
  Json,
  Mutation,
  Observation,
  Provider,
  ProviderGroup,
  ProviderError,
  ProviderReason,
  Release,
  StackPlan,
  StackRef,
  WayBack
} from "../../spi/index.ts"
import type { SimulatedCloud } from "./SimulatedCloud.ts"
import type { SimulatedOperation } from "./SimulatedControls.ts"
import { type SimulatedMetrics, source } from "./SimulatedMetrics.ts"
import { type Applied, operations } from "./SimulatedOperations.ts"
import { type Cell, effective, fingerprint } from "./SimulatedState.ts"

/**
 * Carries out one mutation: `apply` changes the state, at one moment; when its time has passed, `finish` completes it or
 * says why it failed.
 */
export type Mutate = (
  operation: SimulatedOperation,
  ref: StackRef,
  mutation: Mutation,
  change: {
    readonly releaseId: string | null
    readonly apply: (cell: Cell, now: number) => Applied
    readonly finish?: (cell: Cell, now: number) => ProviderReason | undefined
  }
) => Effect.Effect<Observation, ProviderError>

/** Capabilities, and which optional groups there are. */
export type SimulatedCapabilities = Partial<Omit<Capabilities, "spiVersion">> & {
  readonly [Group in ProviderGroup]?: boolean
}

/** The capabilities of the port, and the groups apart; fences are compared, and there is one output, `url`. */
export const declared = ({
  alarms = false,
  canGoBack = false,
  drift = false,
  events = false,
  fence = false,
  logs = false,
  metrics = false,
  restart = false,
  ...given
}: SimulatedCapabilities & Pick<Capabilities, "traffic" | "capacity">): {
  readonly capabilities: Capabilities
  readonly groups: { readonly [Group in ProviderGroup]: boolean }
} => ({
  capabilities: { spiVersion: 1, fencing: "compared", outputs: ["url"], ...given },
  groups: { alarms, canGoBack, drift, events, fence, logs, metrics, restart }
})

/** What every plan says beside the changes. */
export type PlanExtras = Partial<Pick<StackPlan, "data" | "resources" | "target" | "timeoutMs">>

export interface PortOptions {
  readonly groups: { readonly [Group in ProviderGroup]: boolean }
  readonly mutate: Mutate
  readonly observe: (ref: StackRef) => Effect.Effect<Observation, ProviderError>
  readonly metrics?: SimulatedMetrics | undefined
  readonly plan?: PlanExtras | undefined
  readonly requestsPerSecond?: number | undefined
}

export const portOf = (
  cloud: SimulatedCloud,
  { groups, metrics, mutate, observe, plan, requestsPerSecond }: PortOptions
): Provider => {
  const { capabilities, kind, world } = cloud
  const changes = operations(world, kind, capabilities)
  const whole = { releaseId: null }
  const wayOf = (cell: Cell, release: Release): WayBack => {
    if (cell.capacity.has(release.id) || cell.kept.includes(release.id))
      return { how: "switch", why: `${release.version} is still there` }
    return world.scriptOf(cell, release).pruned === true
      ? { how: "impossible", why: `${release.version} was pruned` }
      : { how: "rebuild", why: `${release.version} is brought up again` }
  }

  return {
    kind,
    capabilities,
    properties: Schema.Json,
    observe,
    plan: (ref, candidate, mutation) =>
      cloud.read("plan", ref, (cell, now) => {
        cloud.plans.push({ stack: ref.stack, inExecution: mutation !== undefined })
        return { ...planOf(ref, candidate, cell, now), ...plan }
      }),
    stage: (ref, { capacityPercent, plan: { candidate } }, mutation) =>
      mutate("stage", ref, mutation, {
        releaseId: candidate.id,
        apply: (cell, now) => changes.stage(cell, candidate, capacityPercent, now),
        finish: (cell, now) => changes.staged(cell, candidate, now)
      }),
    rollback: (ref, { release }, mutation) =>
      mutate("rollback", ref, mutation, {
        releaseId: release?.id ?? null,
        apply: (cell, now) =>
          release === null
            ? changes.clear(cell, now)
            : wayOf(cell, release).how === "impossible"
              ? changes.missing(release.id)
              : changes.back(cell, release, now),
        finish: (cell) => changes.only(cell, release?.id)
      }),
    destroy: (ref, mutation) => Effect.asVoid(mutate("destroy", ref, mutation, { ...whole, apply: changes.clear })),
    ...(capabilities.traffic === "none"
      ? {}
      : {
          traffic: {
            shift: (ref, { percent, releaseId }, mutation) =>
              mutate("shift", ref, mutation, {
                releaseId,
                apply: (cell, now) => changes.shift(cell, releaseId, percent, now)
              }),
            retire: (ref, { capacityPercent, keep }, mutation) =>
              mutate("retire", ref, mutation, {
                releaseId: keep,
                apply: (cell, now) => changes.retire(cell, keep, capacityPercent, now)
              })
          }
        }),
    ...(!groups.metrics
      ? {}
      : {
          metrics: source(metrics ?? {}, (ref, at) => cloud.read("measure", ref, at), world, requestsPerSecond ?? 50)
        }),
    ...(!groups.drift
      ? {}
      : {
          drift: {
            detect: (ref) => cloud.read("detect", ref, (cell) => [...cell.drift]),
            correct: (ref, fields, mutation) =>
              mutate("correct", ref, mutation, {
                ...whole,
                apply: (cell, now) => changes.correct(cell, fields, now)
              })
          }
        }),
    ...(groups.events
      ? {
          events: {
            since: (ref, cursor, { from }) => cloud.read("events", ref, () => cloud.happened.since(ref, cursor, from))
          }
        }
      : {}),
    ...(groups.alarms
      ? { alarms: { states: (ref, names) => cloud.read("alarms", ref, () => cloud.alarmStates(names)) } }
      : {}),
    ...(groups.logs
      ? { logs: { read: (ref, options) => cloud.read("logs", ref, () => cloud.written.read(ref, options)) } }
      : {}),
    ...(groups.canGoBack
      ? {
          canGoBack: (ref, { release }) =>
            cloud.read("canGoBack", ref, (cell) =>
              release === null ? { how: "switch", why: "nothing was there before" } : wayOf(cell, release)
            )
        }
      : {}),
    ...(groups.fence ? { fence: (place, fence) => cloud.fence(place, fence) } : {}),
    ...(!groups.restart
      ? {}
      : {
          restart: (ref, mutation) =>
            mutate("restart", ref, mutation, {
              ...whole,
              apply: (cell, now) => (cell.stable === null ? changes.missing(ref.stack) : { changed: true, until: now })
            })
        })
  }
}

const planOf = (ref: StackRef, { artifact, version }: Candidate, cell: Cell, now: number): StackPlan => {
  const configDigest = fingerprint(ref.properties)
  const release: Release = {
    id: `${version}-${fingerprint([version, artifact ?? null, configDigest])}`,
    version,
    ...(artifact === undefined ? {} : { artifact }),
    configDigest
  }
  const stable = cell.stable === null ? null : cell.releases.get(cell.stable)!
  const checkpoint: Checkpoint = { release: stable, takenAt: now, data: { traffic: effective(cell, now) as Json } }
  const none = stable?.id === release.id && (effective(cell, now)[release.id] ?? 0) === 100
  return {
    action: none ? "none" : stable === null ? "create" : "update",
    candidate: release,
    checkpoint,
    changes: none ? [] : [`${ref.stack} will run ${release.version}`],
    rollback: stable === null ? `${ref.stack} goes away` : `${ref.stack} goes back to ${stable.version}`,
    warnings: []
  }
}

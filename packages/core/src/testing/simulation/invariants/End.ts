/** The state after everything has ended. */
import * as Effect from "effect/Effect"
import { isFinished } from "../../../domain/Execution.ts"
import type { StackRef } from "../../../spi/Provider.ts"
import { differs } from "./differs.ts"
import type { Cloud } from "./Effects.ts"
import type { Log } from "./Log.ts"
import type { Monitor } from "./Monitor.ts"
import type { Process } from "../world/World.ts"

interface StackEnd {
  readonly status: string
  readonly release: string | null
  /** What the cloud has; null if unknown. */
  readonly there: {
    readonly releases: ReadonlyArray<string>
    readonly traffic: Readonly<Record<string, number>>
  } | null
}

/**
 * The end of all requests and environments.
 */
export interface End {
  readonly executions: Readonly<Record<string, { readonly status: string; readonly error: string | null }>>
  readonly environments: Readonly<
    Record<
      string,
      { readonly status: string; readonly current: string | null; readonly stacks: Readonly<Record<string, StackEnd>> }
    >
  >
}

/** How each request ended: `waits` if it is blocked permanently. */
export type Ends = ReadonlyMap<string, "refused" | "ended" | "waits">

export const read = (
  log: Log,
  clouds: ReadonlyArray<Cloud>,
  process: Process,
  overtaken: ReadonlySet<string>,
  ends: Ends
): End => {
  const run = Effect.runSyncWith(process.context)
  const there = (ref: StackRef): StackEnd["there"] => {
    if (overtaken.has(`${ref.deploymentId}/${ref.environment}/${ref.stack}`) || clouds.length === 0) return null
    const found = clouds.map((cloud) => run(cloud.inspect(ref))).find(({ releases }) => releases.length > 0)
    return found === undefined ? { releases: [], traffic: {} } : { ...found, releases: [...found.releases].sort() }
  }
  return {
    executions: Object.fromEntries(
      [...ends].map(([id, how]) => {
        const state = log.executions.get(id)?.state
        return [
          id,
          { status: how === "refused" ? "refused" : (state?.status ?? how), error: state?.error?.code ?? null }
        ]
      })
    ),
    environments: Object.fromEntries(
      [...log.environments.values()].flatMap(({ state }) =>
        state === undefined
          ? []
          : [
              [
                state.environment,
                {
                  status: state.status,
                  current: state.current,
                  stacks: Object.fromEntries(
                    state.stacks.map(({ name, release, status }) => [
                      name,
                      {
                        status,
                        release: release?.id ?? null,
                        there: there({
                          deploymentId: state.deploymentId,
                          environment: state.environment,
                          stack: name,
                          properties: {}
                        })
                      }
                    ])
                  )
                }
              ]
            ]
      )
    )
  }
}

/** Everything has ended, and the platform matches the record. */
export const check = (monitor: Monitor, log: Log, end: End, ends: Ends): void => {
  for (const [id, { state }] of log.executions) {
    monitor.hold(
      isFinished(state) || ends.get(id) === "waits",
      "everything_ends",
      () => `${id} is ${state.status} in the end`
    )
  }
  for (const [environment, { current, stacks, status }] of Object.entries(end.environments)) {
    monitor.hold(current === null, "everything_ends", () => `${environment} still names ${current} as in progress`)
    monitor.hold(
      status !== "deploying" && status !== "destroying",
      "everything_ends",
      () => `${environment} is ${status} in the end`
    )
    for (const [name, { release, status, there }] of Object.entries(stacks)) {
      const share = there?.traffic[release ?? ""] ?? 0
      if (there === null) continue
      monitor.hold(
        status !== "deployed" || release === null || share === 100,
        "everything_ends",
        () =>
          `${name} in ${environment} is written down as deployed at ${release}, which has ${share} % of the traffic: ${JSON.stringify(there)}`
      )
      monitor.hold(
        (status !== "destroyed" && status !== "not_deployed") || there.releases.length === 0,
        "everything_ends",
        () => `${name} in ${environment} is written down as ${status}, and there is ${there.releases.join(", ")}`
      )
    }
  }
}

/**
 * How the end of a schedule differs from its uninterrupted twin's, if it does. The cloud is compared only where its
 * state is known: an effect that was in progress while the runner changed leaves it open.
 */
export const differsFromTwin = (end: End, twin: End): string | undefined => {
  const comparable: End["environments"] = Object.fromEntries(
    Object.entries(twin.environments).map(([name, environment]) => {
      const stacks = Object.entries(environment.stacks).map(([stack, ends]) => {
        const unknown = end.environments[name]?.stacks[stack]?.there === null
        return [stack, unknown ? { ...ends, there: null } : ends] as const
      })
      return [name, { ...environment, stacks: Object.fromEntries(stacks) }]
    })
  )
  return differs(end, { ...twin, environments: comparable }, "end")
}

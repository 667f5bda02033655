/**
 * Answers without a supervisor: read from its state, with a look at the processes. Starts nothing and writes nothing.
 */
import { absent, type Drift } from "@signalbox/core/spi"
import { isAlive } from "./instance/Processes.ts"
import type { Counted, Held, StackKey, StackView } from "./Protocol.ts"
import { fenceIn, type InstanceRecord, keyOf, type KnownRelease, type StackState, type State } from "./State.ts"

const runs = ({ pid, started }: InstanceRecord): boolean =>
  pid !== null && started !== null && isAlive({ pid, started })

const urlOf = ({ port }: StackState): string => `http://127.0.0.1:${port}`

const wanted = ({ releases }: StackState): ReadonlyArray<readonly [string, KnownRelease]> =>
  Object.entries(releases).filter(([, known]) => known.wanted > 0)

/** If nothing is deployed but something once was, `fence` is above 0. */
export const viewAbsent = (fence: number): StackView | null =>
  fence === 0
    ? null
    : {
        stopped: false,
        stable: null,
        observation: { ...absent, fence }
      }

/** A stack whose supervisor does not run: it does not answer, although its processes may exist. */
export const viewStopped = (all: State, key: StackKey): StackView | null => {
  const state = all.stacks[keyOf(key)]
  if (state === undefined) return viewAbsent(fenceIn(all, key))
  const stable = state.stable === null ? null : state.releases[state.stable]!
  const running = state.instances.filter(runs).length
  return {
    stopped: true,
    stable: stable === null ? null : { release: stable.release, runtime: stable.runtime },
    observation: {
      status: stable === null && state.instances.length === 0 ? "absent" : "failed",
      reason:
        "nothing answers: its supervisor does not run, as after a restart of the machine" +
        (running === 0 ? "" : ` (${running} of its processes do)`) +
        "; a deployment or a rollback starts it",
      fence: fenceIn(all, key),
      stable: stable?.release ?? null,
      candidate: state.candidate === null ? null : (state.releases[state.candidate]?.release ?? null),
      traffic: [],
      health: Object.fromEntries(wanted(state).map(([id, known]) => [id, { healthy: 0, total: known.wanted }])),
      operation: null,
      lastChangedAt: state.lastChangedAt,
      outputs: { url: urlOf(state), port: state.port },
      resources: [
        { id: urlOf(state), type: "proxy", status: "stopped" },
        ...state.instances.map((record) => ({
          id: record.id,
          type: "process",
          status: runs(record) ? "unsupervised" : "stopped",
          reason: `${state.releases[record.releaseId]?.release.version ?? record.releaseId}, pid ${record.pid ?? "none"}, port ${record.port}`
        }))
      ]
    }
  }
}

export const measureStopped = (state: StackState, releaseId: string): Counted => ({
  requests: 0,
  errors: 0,
  latency: null,
  healthy: (state.releases[releaseId]?.wanted ?? 0) === 0 ? null : 0
})

export const detectStopped = (state: StackState, configDigest: string): ReadonlyArray<Drift> => {
  const stable = state.stable === null ? undefined : state.releases[state.stable]
  return [
    ...wanted(state).flatMap(([id, known]): ReadonlyArray<Drift> => {
      const running = state.instances.filter((record) => record.releaseId === id && runs(record)).length
      return running >= known.wanted
        ? []
        : [
            {
              field: id === state.stable ? "instances" : `instances of ${known.release.version}`,
              expected: `${known.wanted} running`,
              actual: `${running} running`,
              owned: true
            }
          ]
    }),
    ...(stable === undefined || stable.release.configDigest === configDigest
      ? []
      : [{ field: "config", expected: configDigest, actual: stable.release.configDigest, owned: false }]),
    ...(Object.values(state.weights).some((share) => share > 0)
      ? [{ field: "traffic", expected: "served", actual: "none", owned: true }]
      : [])
  ]
}

/** Everything that a supervisor has, from its state. */
export const heldBy = (state: State): Held => {
  const environments = new Map(
    Object.keys({ ...state.memory, ...state.stacks }).map((key) => {
      const [deploymentId = "", environment = ""] = key.split("/")
      return [`${deploymentId}/${environment}`, { deploymentId, environment }]
    })
  )
  return {
    stacks: Object.values(state.stacks).map((stack) => ({
      deploymentId: stack.deploymentId,
      environment: stack.environment,
      stack: stack.stack,
      version: (stack.stable === null ? undefined : stack.releases[stack.stable]?.release.version) ?? null,
      url: urlOf(stack),
      pids: stack.instances.flatMap((record) => (runs(record) ? [record.pid!] : []))
    })),
    fences: [...environments.values()].map((environment) => ({ ...environment, fence: fenceIn(state, environment) }))
  }
}

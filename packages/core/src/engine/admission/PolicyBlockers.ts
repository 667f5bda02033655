/**
 * Why not: everything that keeps an execution from starting now, with who, since when, until when, and what to do about it.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Blocker } from "../../api/CanDeployAnswer.ts"
import { type Deployment, type EnvironmentState, lockOn, vetoOn } from "../../domain/Environment.ts"
import { errorInfo, type Remedy } from "../../domain/errors/index.ts"
import type { Origin } from "../../domain/Event.ts"
import * as Freeze from "../../domain/freeze/Freeze.ts"
import type { CorrelationId, DeploymentId, EnvironmentName, StackName, Timestamp } from "../../domain/Ids.ts"
import type { ExecutionKind } from "../../domain/Machines.ts"
import type { Ticket } from "../../domain/Queue.ts"
import type { ExecutionSpec } from "../../domain/Spec.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { LeaseStore } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { clearsAtTime, expectedEnd } from "../estimation/index.ts"

/**
 * Whether waiting does not help: it does not clear by itself.
 */
export const isFinal = ({ kind }: Blocker): boolean => kind === "veto" || kind === "stale_order"

/**
 * What a request wants to start. `override` is the reason for ignoring freezes, vetoes, dependencies, the order of
 * commits and drift; leases and locks are never ignored.
 */
export interface AdmissionRequest {
  readonly correlationId: CorrelationId
  readonly kind: ExecutionKind
  readonly deploymentId: DeploymentId
  readonly environment: EnvironmentName
  readonly spec: Pick<ExecutionSpec, "stacks" | "freezes" | "requires">
  readonly version?: string
  readonly origin?: Origin
  readonly override?: string
}

type Services = DeploymentStore | LeaseStore

/** A blocker without further details. */
export const unknownBlocker = { who: null, since: null, clearsAt: null, consoleUrl: null } as const

/** How a person goes ahead all the same. */
const override: ReadonlyArray<Remedy> = [{ _tag: "override" }]

/**
 * The blockers in the store, except the lease holder and the queue.
 */
export const policyBlockers = Effect.fnUntraced(function* (
  asked: AdmissionRequest
): Effect.fn.Return<ReadonlyArray<Blocker>, StoreError, Services> {
  const store = yield* DeploymentStore
  const now = yield* Clock.currentTimeMillis
  const deployment = yield* store.deployment(asked.deploymentId)
  const environment = yield* store.environment(asked.deploymentId, asked.environment)
  const held = locks(deployment, asked, now)
  if (asked.override !== undefined) return held
  return [
    ...held,
    ...frozen(asked, now),
    ...vetoes(deployment, asked),
    ...staleOrder(environment, asked),
    ...stacksMissing(environment, asked),
    ...(yield* Effect.forEach(asked.spec.requires ?? [], (required) => requirement(asked, required))).flat()
  ]
})

const locks = (deployment: Deployment | undefined, asked: AdmissionRequest, now: Timestamp): ReadonlyArray<Blocker> => {
  const lock = lockOn(deployment, asked.environment, now)
  if (lock === undefined) return []
  return [
    {
      ...unknownBlocker,
      kind: "lock",
      info: errorInfo(
        "blocked_by_lock",
        { environment: asked.environment, by: lock.by },
        {
          detail: lock.reason,
          remedies: [{ _tag: "unlock", deployment: asked.deploymentId, environment: asked.environment }]
        }
      ),
      who: lock.by,
      since: lock.at,
      clearsAt: lock.until === undefined ? null : clearsAtTime(lock.until)
    }
  ]
}

/** Rolling back is what a freeze must not prevent. */
const isRollback = ({ kind }: AdmissionRequest): boolean => kind === "rollback"

/**
 * The active freezes, from the configuration alone.
 */
export const freezes = (asked: AdmissionRequest): Effect.Effect<ReadonlyArray<Blocker>> =>
  Effect.map(Clock.currentTimeMillis, (now) => frozen(asked, now))

const frozen = (asked: AdmissionRequest, now: Timestamp): ReadonlyArray<Blocker> => {
  if (isRollback(asked)) return []
  const all = asked.spec.freezes ?? []
  return Freeze.activeAt(all, asked.environment, now).map((freeze) => ({
    ...unknownBlocker,
    kind: "freeze",
    info: errorInfo(
      "blocked_by_freeze",
      { environment: asked.environment, freeze: freeze.name },
      { detail: freeze.reason, remedies: override }
    ),
    since: freeze.since,
    clearsAt: clearsAtTime(freeze.until)
  }))
}

const vetoes = (deployment: Deployment | undefined, asked: AdmissionRequest): ReadonlyArray<Blocker> => {
  const veto = isRollback(asked) ? undefined : vetoOn(deployment, asked.environment, asked.version)
  if (veto === undefined) return []
  return [
    {
      ...unknownBlocker,
      kind: "veto",
      info: errorInfo(
        "blocked_by_veto",
        { version: veto.version, by: veto.by },
        {
          detail: veto.reason,
          remedies: [
            ...override,
            {
              _tag: "lift_veto",
              deployment: asked.deploymentId,
              environment: veto.environment,
              version: veto.version
            }
          ]
        }
      ),
      who: veto.by,
      since: veto.at
    }
  ]
}

const deployingKinds: ReadonlySet<ExecutionKind> = new Set(["deploy", "deploy-stack", "run"])

/** An older commit after a newer one would silently undo the newer one. */
const staleOrder = (environment: EnvironmentState | undefined, asked: AdmissionRequest): ReadonlyArray<Blocker> => {
  const { commit, committedAt } = asked.origin ?? {}
  if (committedAt === undefined || !deployingKinds.has(asked.kind)) return []
  const waiting = environment?.queue?.filter(({ correlationId }) => correlationId !== asked.correlationId) ?? []
  const mine = environment?.current === asked.correlationId
  const newer = [
    { state: "deployed", origin: environment?.deployed },
    { state: "deploying", origin: mine ? undefined : environment?.commit },
    ...waiting
      .filter(({ kind }) => deployingKinds.has(kind))
      .filter((ticket) => comesBefore(environment?.queue ?? [], ticket, asked))
      .map(({ correlationId, origin }) => ({ state: "queued", execution: correlationId, origin }))
  ].find(({ origin }) => origin?.committedAt !== undefined && origin.committedAt > committedAt)
  if (newer === undefined) return []
  return [
    {
      ...unknownBlocker,
      kind: "stale_order",
      info: errorInfo(
        "blocked_by_stale_order",
        {
          commit,
          newer: newer.origin?.commit,
          state: newer.state,
          execution: "execution" in newer ? newer.execution : undefined
        },
        { remedies: override }
      ),
      since: newer.origin?.committedAt ?? null
    }
  ]
}

const comesBefore = (queue: ReadonlyArray<Ticket>, ticket: Ticket, asked: AdmissionRequest): boolean => {
  const own = queue.findIndex(({ correlationId }) => correlationId === asked.correlationId)
  return own === -1 || queue.indexOf(ticket) < own
}

/**
 * A single stack depends on others, which must be deployed.
 */
export const stacksMissing = (
  environment: EnvironmentState | undefined,
  asked: AdmissionRequest
): ReadonlyArray<Blocker> => {
  if (asked.kind !== "deploy-stack") return []
  const names = new Set<StackName>(asked.spec.stacks.map(({ name }) => name))
  const needed = new Set(asked.spec.stacks.flatMap(({ dependsOn }) => dependsOn.filter((name) => !names.has(name))))
  return [...needed].flatMap((name): ReadonlyArray<Blocker> => {
    const stack = environment?.stacks.find((one) => one.name === name)
    if (stack?.status === "deployed") return []
    return [
      {
        ...unknownBlocker,
        kind: "dependency",
        info: errorInfo(
          "blocked_by_dependency",
          { stack: name, status: stack?.status ?? "not_deployed" },
          { remedies: override }
        ),
        since: stack?.updatedAt ?? null
      }
    ]
  })
}

const requirement = Effect.fnUntraced(function* (
  asked: AdmissionRequest,
  required: { readonly deployment: DeploymentId; readonly environment?: EnvironmentName }
): Effect.fn.Return<ReadonlyArray<Blocker>, StoreError, Services> {
  const store = yield* DeploymentStore
  const name = required.environment ?? asked.environment
  const state = yield* store.environment(required.deployment, name)
  const { current = null, status = "initialized" } = state ?? {}
  if (status === "deployed" && current === null) return []
  return [
    {
      ...unknownBlocker,
      kind: "dependency",
      info: errorInfo(
        "blocked_by_dependency",
        { deployment: required.deployment, environment: name, status, execution: current ?? undefined },
        { remedies: override }
      ),
      who: current,
      since: state?.updatedAt ?? null,
      clearsAt: current === null ? null : yield* expectedEnd(current)
    }
  ]
})

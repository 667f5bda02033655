/**
 * What those take and give that coordinate deployments, their own and others': whether one may begin, whose turn it is, who
 * holds what, and for how long.
 */
import type { Estimate } from "@signalbox/core/analysis"
import type { Request } from "@signalbox/core/api"
import type { Config } from "@signalbox/core/config"
import type { BlockerKind } from "@signalbox/core/engine"
import type { ErrorInfo, Execution, ExecutionKind, ExecutionStatus, QueuePolicy, Remedy } from "@signalbox/core/spi"
import type { CallOptions } from "./CallOptions.ts"

/**
 * What is coordinated: a deployment that was made, or a project.
 *
 * *Details*: a `project` needs no configuration and no `init`: its deployment is made where there is none, always the same
 * one for the same name, which is that of its repository (`"acme/shop"`; `"shop"` alone means the organization "local", as
 * for the command `signalbox` in a folder of that name). A `deploymentId` without a configuration keeps the environments that
 * it was made with.
 */
export type OwnerOptions =
  | { readonly deploymentId: string; readonly configuration?: Config | undefined; readonly project?: never }
  | { readonly project: string; readonly deploymentId?: never; readonly configuration?: never }

/** One environment of it: what one lock protects. */
export type PlaceOptions = CallOptions & OwnerOptions & { readonly environment: string }

/**
 * Where a request comes from.
 *
 * *Details*: a commit that was made (`committedAt`) before one that is deployed, or comes first, is refused: it would take
 * that away again. `workflowRun` is the address of the CI run that asks, or its id.
 */
export interface OriginOptions {
  readonly commit?: string
  readonly committedAt?: Date
  readonly workflowRun?: string
}

/**
 * What is done about those that are in the way.
 *
 * *Details*: `queue` `fifo` waits, `latest_wins` waits and takes the place of those that wait, `reject` refuses (default: as
 * configured, else `fifo` for what is registered and for commands, `reject` for the others). `queueTimeout` in ms: where
 * its turn has not come by then, the request is withdrawn and `done` rejects with `QueueTimeoutError` (default: waits for
 * as long as it takes). `override` is the reason for going ahead in spite of a freeze, a veto, a dependency, the order of commits or drift.
 */
export interface QueueOptions {
  readonly queue?: QueuePolicy
  readonly queueTimeout?: number
  readonly origin?: OriginOptions
  readonly override?: string
}

/** What may be deployed? `kind` is what would be done (default `deploy`, and `run` without a configuration). */
export type CanDeployOptions = PlaceOptions &
  Pick<QueueOptions, "origin" | "override"> & {
    readonly kind?: ExecutionKind
    readonly correlationId?: string
    readonly stacks?: ReadonlyArray<string>
    readonly version?: string
  }

/**
 * One thing that is in the way.
 *
 * *Details*: `clearsAt` is when it is expected to be over, null where nobody can know. Its `basis` is `known` where it ends at
 * that time (`n` is null), `history` where it will be between `low` and `high` in 80 of 100 cases, by `n` that were before,
 * and `few` where these are too few to say how often.
 * `override` says how to go ahead all the same, null where that is impossible; `remedies` say it as data.
 */
export interface BlockerInfo {
  readonly kind: BlockerKind
  readonly code: string
  readonly message: string
  readonly params: ErrorInfo["params"]
  readonly who: string | null
  readonly since: Date | null
  readonly clearsAt: {
    readonly low: Date
    readonly point: Date
    readonly high: Date
    readonly basis: "known" | "history" | "few"
    readonly n: number | null
  } | null
  readonly consoleUrl: string | null
  readonly override: string | null
  readonly remedies: ReadonlyArray<Remedy>
}

/**
 * Whether something may be deployed now, and everything that is in the way.
 *
 * *Details*: `degraded` says that the registry could not be reached, for `degradedReason`, and that only the providers were
 * asked. `queue.length` is how many wait. `nextFreeze` is the freeze that begins within a day, if one does.
 */
export interface CanDeployAnswer {
  readonly canDeploy: boolean
  readonly degraded: boolean
  readonly degradedReason: string | null
  readonly blockers: ReadonlyArray<BlockerInfo>
  readonly queue: { readonly length: number }
  readonly nextFreeze: { readonly name: string; readonly since: Date; readonly until: Date } | null
  readonly checkedAt: Date
}

/**
 * A place in the queue for what is done later, or elsewhere.
 *
 * *Details*: `kind` is what will be done (default `run`, which any command can be; the others need a configuration).
 */
export type RegisterOptions = PlaceOptions &
  Omit<QueueOptions, "queueTimeout"> & {
    readonly kind?: Request["kind"]
    readonly correlationId?: string
    readonly stacks?: ReadonlyArray<string>
    readonly version?: string
    readonly artifact?: string
    readonly by?: string
    readonly reason?: string
  }

/**
 * How long something will still take, in ms: `lowMs` to `highMs` holds with the probability `coverage` where `basis` is
 * `history`. The three are null where `basis` is `none` (nothing to go by) or `exceeded` (longer than all `n` before).
 */
export type RemainingTime = Estimate.EstimateView

/**
 * A place in the queue.
 *
 * *Details*: `position` counts from 1 those that wait, null where it waits no more. `ahead` are the correlation ids of those
 * that come before it, whoever has the lock first; `remaining` is how long they will take.
 */
export interface QueuePlace {
  readonly position: number | null
  readonly ahead: ReadonlyArray<string>
  readonly remaining: RemainingTime | null
}

/** What was registered; `joined` tells whether it was before. */
export interface Registered extends QueuePlace {
  readonly correlationId: string
  readonly deploymentId: string
  readonly status: ExecutionStatus
  readonly joined: boolean
}

/** How things are while a turn is waited for. */
export interface TurnProgress extends QueuePlace {
  readonly correlationId: string
  readonly blockers: ReadonlyArray<BlockerInfo>
}

/**
 * How a turn is waited for.
 *
 * *Details*: `holdMs` is how long the turn is kept once it has come (default 120,000). `onProgress` is called soon after the
 * begin and then every `intervalMs` (default 10,000); what it throws is ignored. Aborting `signal` keeps the place.
 */
export interface WaitOptions extends CallOptions {
  readonly holdMs?: number
  readonly intervalMs?: number
  readonly onProgress?: (progress: TurnProgress) => void
}

/** `status` is how a deployment that ran elsewhere went (default `cancelled`). */
export interface CleanupOptions extends CallOptions {
  readonly status?: "succeeded" | "failed" | "cancelled"
  readonly by?: string
  readonly reason?: string
}

/** The status before and after, null where there is no such execution; and whether it had the lock, which is free now. */
export interface CleanedUp {
  readonly correlationId: string
  readonly was: ExecutionStatus | null
  readonly now: ExecutionStatus | null
  readonly released: boolean
}

/** A version that must not be deployed: in one environment, or in all of them. */
export type VetoOptions = CallOptions &
  OwnerOptions & {
    readonly environment?: string
    readonly version: string
    readonly reason: string
    readonly by?: string
  }

/** A veto in force; `environment` is null where it holds in all of them. */
export interface VetoInfo {
  readonly version: string
  readonly environment: string | null
  readonly by: string
  readonly reason: string
  readonly since: Date
}

/** Why, and who says so (default: `by` of the connection). */
export type LockOptions = PlaceOptions & { readonly reason: string; readonly by?: string }

/** Who has a lock; `dead` says that the process that took it is gone. */
export interface LeaseInfo {
  readonly holder: string
  readonly owner: string
  readonly reason: string | null
  readonly since: Date
  readonly expiresAt: Date
  readonly dead: boolean
}

/** Who holds the lock of an environment by hand; for good, where `until` is null. */
export interface HoldInfo {
  readonly environment: string
  readonly by: string
  readonly reason: string
  readonly since: Date
  readonly until: Date | null
}

/** One that waits; `position` is null where nobody waits for its turn. */
export interface WaitingInfo {
  readonly correlationId: string
  readonly position: number | null
  readonly kind: ExecutionKind
  readonly by: string
  readonly version: string | null
  readonly policy: QueuePolicy
  readonly commit: string | null
  readonly workflowRun: string | null
  readonly since: Date
}

/** A lock with all that is before it. */
export interface LockInfo {
  readonly deploymentId: string
  readonly environment: string
  readonly lease: LeaseInfo | null
  readonly hold: HoldInfo | null
  readonly queue: ReadonlyArray<WaitingInfo>
}

/**
 * The lock of an environment.
 *
 * *Errors*: `ConflictError`: `not_locked` where `release` finds no lock of a person, `already_locked` where `hold` finds it held by
 * another person.
 */
export interface Lock {
  /** Who has it, who holds it by hand, and who waits for it, in order. Writes nothing. */
  readonly show: (options: PlaceOptions) => Promise<LockInfo>
  /**
   * Holds it by hand, so that nothing begins meanwhile; what runs goes on. `until` is when that ends (default: never);
   * `force` takes it over from whoever holds it.
   */
  readonly hold: (options: LockOptions & { readonly until?: Date; readonly force?: boolean }) => Promise<LockInfo>
  /** Gives back what is held by hand. */
  readonly release: (options: LockOptions) => Promise<LockInfo>
  /** Takes it from whoever has it, who stops at the next step. Returns the lease that was broken, null where there was none. */
  readonly break: (options: LockOptions) => Promise<LeaseInfo | null>
}

/**
 * The interlocking: one deployment at a time, in order, with a reason for everything that is in the way. Part of
 * `Connection`.
 */
export interface Coordination {
  /** Asks the registry and the providers for everything that is in the way. Writes nothing. */
  readonly canDeploy: (options: CanDeployOptions) => Promise<CanDeployAnswer>
  /** Takes a place in the queue. Its turn comes with `waitForTurn`, `runCommand` or `attach`; `cleanup` gives it back. */
  readonly register: (options: RegisterOptions) => Promise<Registered>
  /**
   * Waits for the turn of what was registered, and keeps the lock for whoever carries the same correlation id on.
   * `ConflictError` where the turn will never come: it was withdrawn, or another one took its place.
   */
  readonly waitForTurn: (correlationId: string, options?: WaitOptions) => Promise<Execution.ExecutionState>
  /** Gives back what a correlation id holds, its place or its lock; harmless to repeat. */
  readonly cleanup: (correlationId: string, options?: CleanupOptions) => Promise<CleanedUp>
  /** Never deploys a version, until that is taken back. Returns the vetoes in force. */
  readonly veto: (options: VetoOptions) => Promise<ReadonlyArray<VetoInfo>>
  /** Takes a veto back. Returns those that stay in force. */
  readonly liftVeto: (options: VetoOptions) => Promise<ReadonlyArray<VetoInfo>>
  readonly lock: Lock
  /** How long an execution will still take, without the time in which it waits for people; null where it has ended. */
  readonly estimate: (correlationId: string, options?: CallOptions) => Promise<RemainingTime | null>
}

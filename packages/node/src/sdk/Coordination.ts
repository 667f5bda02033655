/**
 * Options and results of coordination: whether a deployment may begin, who is next, who holds what, and for how long.
 */
import type {
  AdmissionProgress,
  CanDeployView,
  CleanupView,
  ExecutionView,
  LeaseView,
  LockView,
  RegisteredView,
  Request,
  VetoView,
  WaitingView
} from "@signalbox/core/api"
import type { Config } from "@signalbox/core/config"
import type { ExecutionKind, QueuePolicy } from "@signalbox/core/spi"
import type { ArtifactOption, CallOptions } from "./CallOptions.ts"

/**
 * The target: an existing deployment, or a project.
 *
 * *Details*: a `project` needs no configuration and no `init`: a missing deployment is created, always the same one for
 * the same name, the name of its repository (`"acme/shop"`; `"shop"` alone means the organization "local", as for the
 * command `signalbox` in a folder of that name). A `deploymentId` without a configuration keeps the environments that
 * it was created with.
 */
export type OwnerOptions =
  | { readonly deploymentId: string; readonly configuration?: Config | undefined; readonly project?: never }
  | { readonly project: string; readonly deploymentId?: never; readonly configuration?: never }

/** One environment of it: what one lease protects. */
export type PlaceOptions = CallOptions & OwnerOptions & { readonly environment: string }

/**
 * The origin of a request.
 *
 * *Details*: a commit that is older (`committedAt`) than a deployed one, or one ahead of it, is rejected: it would undo
 * the newer one. `workflowRun` is the address of the CI run that makes the request, or its id.
 */
export interface OriginOptions {
  readonly commit?: string
  readonly committedAt?: Date
  readonly workflowRun?: string
}

/**
 * The policy towards blockers.
 *
 * *Details*: `queue` `fifo` waits, `latest_wins` waits and replaces the waiting requests, `reject` rejects (default: as
 * configured, otherwise `fifo` for registered requests and commands, `reject` for the others). `queueTimeout` in ms: if
 * it is still queued after this long, the request is withdrawn and `done` rejects with `QueueTimeoutError` (default: no
 * limit). `override` is the reason for ignoring a freeze, a veto, a dependency, the order of commits or drift.
 */
export interface QueueOptions {
  readonly queue?: QueuePolicy
  readonly queueTimeout?: number
  readonly origin?: OriginOptions
  readonly override?: string
}

/** What may be deployed? `kind` is the operation (default `deploy`, and `run` without a configuration). */
export type CanDeployOptions = PlaceOptions &
  Pick<QueueOptions, "origin" | "override"> & {
    readonly kind?: ExecutionKind
    readonly correlationId?: string
    readonly stacks?: ReadonlyArray<string>
    readonly version?: string
  }

/**
 * A queue position for work done later, or elsewhere.
 *
 * *Details*: `kind` is the operation (default `run`, which can be any command; the others need a configuration).
 */
export type RegisterOptions = PlaceOptions &
  Omit<QueueOptions, "queueTimeout"> & {
    readonly kind?: Request["kind"]
    readonly correlationId?: string
    readonly stacks?: ReadonlyArray<string>
    readonly version?: string
    readonly artifact?: ArtifactOption
    readonly by?: string
    readonly reason?: string
  }

/**
 * How an admission is awaited.
 *
 * *Details*: `holdMs` is how long the lease is kept once it is acquired (default 120,000). `onProgress` is called soon after the
 * begin and then every `intervalMs` (default 10,000); what it throws is ignored. Aborting `signal` keeps the place.
 */
export interface WaitOptions extends CallOptions {
  readonly holdMs?: number
  readonly intervalMs?: number
  readonly onProgress?: (progress: AdmissionProgress) => void
}

/** `status` is the outcome of a deployment that ran elsewhere (default `cancelled`). */
export interface CleanupOptions extends CallOptions {
  readonly status?: "succeeded" | "failed" | "cancelled"
  readonly by?: string
  readonly reason?: string
}

/** A version that must not be deployed: in one environment, or in all of them. */
export type VetoOptions = CallOptions &
  OwnerOptions & {
    readonly environment?: string
    readonly version: string
    readonly reason: string
    readonly by?: string
  }

/** The reason, and the actor (default: `by` of the connection). */
export type LockOptions = PlaceOptions & { readonly reason: string; readonly by?: string }

/**
 * The locks of environments, and their leases.
 *
 * *Errors*: `ConflictError`: `not_locked` where `release` finds no person's lock, `already_locked` if `hold` finds the lock of
 * another one.
 */
export interface Locks {
  /** Who holds the lease, who has locked the environment, and who waits, in order. Writes nothing. */
  readonly show: (options: PlaceOptions) => Promise<LockView>
  /**
   * Locks the environment, so that nothing begins meanwhile; what runs goes on. `until` is when that ends (default: never);
   * `force` takes it over from another person.
   */
  readonly hold: (options: LockOptions & { readonly until?: Date; readonly force?: boolean }) => Promise<LockView>
  /** Unlocks the environment. */
  readonly release: (options: LockOptions) => Promise<LockView>
  /** Revokes the lease of an execution, which stops at the next step. Returns it, null where there was none. */
  readonly revoke: (options: LockOptions) => Promise<LeaseView | null>
}

/** The queue: one deployment at a time, in order. */
export interface Queue {
  /** Takes a place in the queue. It is admitted by `waitForAdmission`, `runCommand` or `attach`; `cleanup` gives it back. */
  readonly register: (options: RegisterOptions) => Promise<RegisteredView>
  /**
   * Waits for the admission of what was registered, and keeps the lease for the process that carries the same correlation id on.
   * `ConflictError` where it will never be admitted: it was withdrawn, or another one took its place.
   */
  readonly waitForAdmission: (correlationId: string, options?: WaitOptions) => Promise<ExecutionView>
  /** Gives back what a correlation id holds, its place or its lease; harmless to repeat. */
  readonly cleanup: (correlationId: string, options?: CleanupOptions) => Promise<CleanupView>
  /** Who waits in an environment, in order. Writes nothing. */
  readonly list: (options: PlaceOptions) => Promise<ReadonlyArray<WaitingView>>
}

/** What coordinates deployments. Part of `Connection`. */
export interface Coordination {
  /** Asks the store and the providers for everything that is in the way. Writes nothing. */
  readonly canDeploy: (options: CanDeployOptions) => Promise<CanDeployView>
  readonly queue: Queue
  readonly locks: Locks
  /** Blocks a version, until the veto is lifted. Returns the active vetoes. */
  readonly veto: (options: VetoOptions) => Promise<ReadonlyArray<VetoView>>
  /** Lifts a veto. Returns the remaining ones. */
  readonly liftVeto: (options: VetoOptions) => Promise<ReadonlyArray<VetoView>>
}

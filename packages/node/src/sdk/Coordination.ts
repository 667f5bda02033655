/**
 * What those take and give that coordinate deployments, their own and others': whether one may begin, whose turn it is, who
 * holds what, and for how long.
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

/** `status` is how a deployment that ran elsewhere went (default `cancelled`). */
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

/** Why, and who says so (default: `by` of the connection). */
export type LockOptions = PlaceOptions & { readonly reason: string; readonly by?: string }

/**
 * The locks of environments, and their leases.
 *
 * *Errors*: `ConflictError`: `not_held` where `release` finds no lock of a person, `held_already` where `hold` finds that of
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
  /** Never deploys a version, until that is taken back. Returns the vetoes in force. */
  readonly veto: (options: VetoOptions) => Promise<ReadonlyArray<VetoView>>
  /** Takes a veto back. Returns those that stay in force. */
  readonly liftVeto: (options: VetoOptions) => Promise<ReadonlyArray<VetoView>>
}

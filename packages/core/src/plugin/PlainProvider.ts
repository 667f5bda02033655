/**
 * The provider port without Effect: each operation takes one object and returns a promise. See `Provider` for what each
 * operation has to do.
 */
import type { Abort } from "./Abort.ts"
import type { Checkpoint, StackPlan } from "../domain/Release.ts"
import type { Candidate, Drift, Observation, PlaceRef, ProviderEvent, StackRef, WayBack } from "../spi/Provider.ts"
import type { AlarmState } from "../domain/Verdict.ts"
import type { LogPage } from "../spi/Logs.ts"
import type { Measurement } from "../spi/MetricSource.ts"
import type { ProviderReason } from "../spi/ProviderError.ts"

/**
 * What every call gets.
 *
 * *Details*: `signal` aborts when the call is no longer wanted, because the lease is lost or the program ends; the call
 * should then settle within 5 seconds. `traceparent` is the span that the call belongs to (W3C Trace Context).
 */
export interface PlainCall {
  readonly signal: Abort
  readonly traceparent?: string
}

/** A call about one stack. */
export interface StackCall extends PlainCall {
  readonly ref: StackRef
}

/** The input of every mutating operation; see `Mutation`. A rejected `guard` must end the operation. */
export interface PlainMutation {
  readonly idempotencyKey: string
  readonly fence: number
  readonly guard: () => Promise<void>
  readonly progress: (event: ProviderEvent) => Promise<void>
  readonly handle: {
    readonly get: () => Promise<string | null>
    readonly set: (handle: string | null) => Promise<void>
  }
  readonly leaseLeftMs: () => Promise<number>
}

/** A call that changes a stack. */
export interface MutatingCall extends StackCall {
  readonly mutation: PlainMutation
}

/**
 * A provider.
 *
 * *Errors*: an operation fails by rejecting with an error that has a `reason`, as `ProviderFailure` does. Any other
 * error counts as `Unexpected`.
 */
export interface PlainProvider {
  readonly plan: (
    call: StackCall & { readonly candidate: Candidate; readonly mutation?: PlainMutation }
  ) => Promise<StackPlan>
  readonly stage: (
    call: MutatingCall & { readonly plan: StackPlan; readonly capacityPercent: number }
  ) => Promise<Observation>
  readonly observe: (call: StackCall) => Promise<Observation>
  readonly rollback: (call: MutatingCall & { readonly checkpoint: Checkpoint }) => Promise<Observation>
  readonly destroy: (call: MutatingCall) => Promise<void>
  readonly traffic?: {
    readonly shift: (
      call: MutatingCall & { readonly releaseId: string; readonly percent: number }
    ) => Promise<Observation>
    readonly retire: (
      call: MutatingCall & { readonly keep: string; readonly capacityPercent: number }
    ) => Promise<Observation>
  }
  readonly metrics?: {
    readonly measure: (
      call: StackCall & {
        readonly releaseId: string
        readonly version?: string
        readonly from: number
        readonly to: number
      }
    ) => Promise<Measurement>
  }
  readonly drift?: {
    readonly detect: (call: StackCall) => Promise<ReadonlyArray<Drift>>
    readonly correct: (call: MutatingCall & { readonly fields: ReadonlyArray<string> }) => Promise<Observation>
  }
  readonly alarms?: {
    readonly states: (
      call: StackCall & { readonly names: ReadonlyArray<string> }
    ) => Promise<Readonly<Record<string, AlarmState>>>
  }
  readonly logs?: {
    readonly read: (
      call: StackCall & { readonly releaseId?: string; readonly cursor: string | null; readonly limit: number }
    ) => Promise<LogPage>
  }
  readonly restart?: (call: MutatingCall) => Promise<Observation>
  readonly events?: {
    readonly since: (call: StackCall & { readonly cursor: string | null; readonly from: number }) => Promise<{
      readonly events: ReadonlyArray<ProviderEvent>
      readonly cursor: string | null
    }>
  }
  readonly canGoBack?: (call: StackCall & { readonly checkpoint: Checkpoint }) => Promise<WayBack>
  readonly fence?: (call: PlainCall & { readonly place: PlaceRef; readonly fence: number }) => Promise<void>
}

/**
 * The error of a provider that does not use Effect.
 *
 * *Example*
 *
 * ```ts
 * throw new ProviderFailure({ _tag: "Throttled", message: "too many calls", retryAfterMs: 1_000 })
 * ```
 */
export class ProviderFailure extends Error {
  override readonly name = "ProviderFailure"
  readonly reason: ProviderReason
  constructor(reason: ProviderReason) {
    super(reason.message)
    this.reason = reason
  }
}

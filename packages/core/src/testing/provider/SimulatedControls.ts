/**
 * What a test sees of a simulated cloud beside its provider: planned failures, the ledger of effects, the controls.
 */
import type * as Effect from "effect/Effect"
import type { AlarmState, Drift, Provider, ProviderReason, StackRef } from "../../spi/index.ts"
import type { Script } from "./SimulatedState.ts"

/**
 * The operations of the port, as scripts and the ledger name them.
 */
export type SimulatedOperation =
  | "plan"
  | "stage"
  | "observe"
  | "rollback"
  | "destroy"
  | "shift"
  | "retire"
  | "measure"
  | "detect"
  | "correct"
  | "restart"
  | "events"
  | "fence"
  | "canGoBack"
  | "alarms"
  | "logs"
  | "poll"

/**
 * An effect that was really carried out.
 *
 * *Details*: `at` in milliseconds of the `Clock`. A repeat with a known idempotency key, and an operation that finds
 * nothing to change, leave no entry: two entries with one key are a duplicate.
 */
export interface LedgerEntry {
  readonly at: number
  readonly operation: SimulatedOperation
  readonly deploymentId: string
  readonly environment: string
  readonly stack: string
  readonly releaseId: string | null
  readonly idempotencyKey: string
  readonly fence: number
}

/**
 * A planned failure.
 *
 * *Details*: hits the `nth` call (from 1, counted per operation and stack from the start) and the `times - 1` after it
 * (default 1; `Infinity` for all), until the time `until`. With `after`, the call fails after its effect: its answer is
 * lost. Without `stack`, any stack, each counted separately; without `nth`, the next calls.
 */
export interface Fault {
  readonly operation: SimulatedOperation
  readonly stack?: string
  readonly nth?: number
  readonly times?: number
  readonly after?: boolean
  readonly until?: number
  readonly reason: ProviderReason
}

/**
 * A simulated provider with its controls.
 *
 * *Details*: `script` sets how a version (`"*"` any) of a stack (`"*"` any) behaves, later ones win field by field;
 * `fail` plants a failure; `foreign` starts a foreign operation on a stack for `millis`, or ends it with `null`;
 * `expire` lets the credentials for a stack (`"*"` any) run out until `renew`, `throttle` refuses every call while it is
 * on; `tamper` makes a field drift; `calls` counts the calls of an operation, including failed ones.
 */
export interface SimulatedProvider {
  readonly provider: Provider
  readonly ledger: ReadonlyArray<LedgerEntry>
  /** The plans that were made, and whether with a mutation. */
  readonly plans: ReadonlyArray<{ readonly stack: string; readonly inExecution: boolean }>
  readonly script: (stack: string, version: string, script: Script) => void
  readonly fail: (fault: Fault) => void
  readonly foreign: (
    ref: StackRef,
    operation: { readonly description: string; readonly millis: number } | null
  ) => Effect.Effect<void>
  readonly expire: (stack?: string) => void
  readonly renew: () => void
  readonly throttle: (on: boolean) => void
  readonly tamper: (ref: StackRef, drift: Drift) => void
  /** Brings a version live that no operation of the provider staged. */
  readonly live: (ref: StackRef, version: string) => Effect.Effect<void>
  /** Sets the state of an alarm; one that was never set has no data. */
  readonly alarm: (name: string, state: AlarmState) => void
  /** Writes a line into the log of the live release, or of a version that has capacity. */
  readonly write: (ref: StackRef, text: string, version?: string) => Effect.Effect<void>
  readonly calls: (operation: SimulatedOperation, stack: string) => number
  /** The current state, read without the provider. */
  readonly inspect: (ref: StackRef) => Effect.Effect<{
    readonly releases: ReadonlyArray<string>
    readonly traffic: Readonly<Record<string, number>>
  }>
}

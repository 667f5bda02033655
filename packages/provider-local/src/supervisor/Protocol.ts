/**
 * The protocol between the provider and its supervisor: JSON over HTTP on a unix socket. Types only, so that the
 * supervisor starts without loading Effect.
 */
import type { Checkpoint, Drift, LogPage, Measurement, Observation, ProviderReason, Release } from "@signalbox/core/spi"

/** An environment variable of an instance: a value, or the name of the variable that holds a secret. */
export type EnvValue = string | { readonly secret: string }

/** How the instances of a release run. No secrets: this is kept on disk. Times in milliseconds. */
export interface Runtime {
  readonly command: ReadonlyArray<string>
  readonly cwd: string
  readonly env: Readonly<Record<string, EnvValue>>
  readonly instances: number
  readonly port: number
  readonly readiness: { readonly path: string; readonly timeout: number; readonly interval: number }
  readonly drain: number
  readonly grace: number
  readonly keep: number
}

export interface ReleaseRecord {
  readonly release: Release
  readonly runtime: Runtime
}

export interface StackKey {
  readonly deploymentId: string
  readonly environment: string
  readonly stack: string
}

export interface MutationHeader extends StackKey {
  readonly idempotencyKey: string
  readonly fence: number
  /**
   * When it was sent, by the machine's monotonic clock, in microseconds: of two calls with one fence, the later one was
   * meant. A call that its sender has given up may still arrive.
   */
  readonly order: number
  /** Secrets by the name of their variable, from the caller's environment. Kept in memory only. */
  readonly secrets: Readonly<Record<string, string>>
}

export interface Mutations {
  readonly stage: { readonly record: ReleaseRecord; readonly capacityPercent: number }
  readonly shift: { readonly releaseId: string; readonly percent: number }
  readonly retire: { readonly keep: string; readonly capacityPercent: number }
  readonly rollback: { readonly checkpoint: Checkpoint; readonly record: ReleaseRecord | null }
  readonly destroy: {}
  readonly restart: {}
  readonly correct: { readonly fields: ReadonlyArray<string> }
}

export interface Reads {
  readonly observe: { readonly body: {}; readonly answer: StackView }
  readonly measure: {
    readonly body: { readonly releaseId: string; readonly windowMillis: number }
    readonly answer: Counted
  }
  readonly detect: { readonly body: { readonly configDigest: string }; readonly answer: ReadonlyArray<Drift> }
  readonly logs: { readonly body: LogQuestion; readonly answer: LogPage }
  readonly held: { readonly body: {}; readonly answer: Held }
}

/** What to read of a log; `secrets` are known to the caller, by the name of their variable. */
export interface LogQuestion {
  readonly releaseId?: string
  readonly cursor: string | null
  readonly limit: number
  readonly secrets: Readonly<Record<string, string>>
}

/**
 * An observation, with the record of the stable release that a checkpoint needs. `stopped`: the release does not run,
 * or not with all its processes, and only a deployment or a rollback starts them.
 */
export interface StackView {
  readonly stopped: boolean
  readonly observation: Observation
  readonly stable: ReleaseRecord | null
}

/** A stack of a supervisor, whatever any store knows. */
export interface HeldStack extends StackKey {
  readonly version: string | null
  readonly url: string
  /** Its running processes. */
  readonly pids: ReadonlyArray<number>
}

/** The stacks of a supervisor, and the highest fence that it has seen of each environment. */
export interface Held {
  readonly stacks: ReadonlyArray<HeldStack>
  readonly fences: ReadonlyArray<Omit<StackKey, "stack"> & { readonly fence: number }>
}

/** What a supervisor counts; the window ends when it answers. */
export type Counted = Omit<Measurement, "until">

/** An answer is lines of JSON: any number of `progress`, then one `ok` or `failed`. */
export type Line =
  | { readonly progress: string; readonly resource?: string }
  | { readonly ok: unknown }
  | { readonly failed: ProviderReason }

/** A failure that is passed to the caller unchanged. */
export class Refusal extends Error {
  readonly reason: ProviderReason

  constructor(reason: ProviderReason) {
    super(reason.message)
    this.reason = reason
  }
}

export const refuse = (reason: ProviderReason): never => {
  throw new Refusal(reason)
}
